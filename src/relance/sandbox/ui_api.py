"""The one address of the UI API that synchronisation needs: the values a record type offers, list by list."""

from __future__ import annotations

from relance.sandbox.describe import MASTER_RECORD_TYPE, record_type_ids
from relance.sandbox.errors import refuse_path
from relance.sandbox.exchange import Request, Response, Route, json_response, route
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.rest import known_object
from relance.sandbox.schema import OrgField, OrgObject, RecordType
from relance.sandbox.soql_names import readable_fields


def picklists_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    kind = record_type_meant(org, thing, parts["kind"])
    address = f"{request.base}/ui-api/object-info/{thing.name}/picklist-values/{parts['kind']}"
    lists = {
        field.name: list_of(thing, field, kind, f"{address}/{field.name}")
        for field in readable_fields(thing, request.caller)
        if field.picklist
    }
    return json_response({"eTag": "", "picklistFieldValues": lists})


def record_type_meant(org: Org, thing: OrgObject, text: str) -> RecordType | None:
    """The record type of an id; None for the master one, which offers everything."""
    try:
        wanted = whole_id(text)
    except MalformedId as malformed:
        raise refuse_path() from malformed
    if wanted == MASTER_RECORD_TYPE:
        return None
    names = {record_id: name for name, record_id in record_type_ids(org, thing).items()}
    found = next((each for each in thing.record_types if each.developer_name.lower() == names.get(wanted)), None)
    if found is None:
        raise refuse_path()
    return found


def list_of(thing: OrgObject, field: OrgField, kind: RecordType | None, url: str) -> dict[str, object]:
    controller = thing.fields.get(field.controller) if field.controller else None
    controlling = [value.value for value in controller.picklist] if controller is not None else []
    offered = kind.picklists.get(field.name) if kind is not None else None
    values = [value for value in field.picklist if value.active and (offered is None or value.value in offered)]
    chosen = kind.default_values.get(field.name) if kind is not None else None

    def told(value: str, label: str) -> dict[str, object]:
        places = [controlling.index(each) for each in field.valid_for.get(value, ()) if each in controlling]
        return {"attributes": None, "label": label, "validFor": places, "value": value}

    default = next((value for value in values if (value.value == chosen if chosen else value.default)), None)
    return {
        "controllerValues": {value: place for place, value in enumerate(controlling)},
        "defaultValue": told(default.value, default.label) if default else None,
        "eTag": "",
        "url": url,
        "values": [told(value.value, value.label) for value in values],
    }


ROUTES: list[Route] = [route("GET", "ui-api/object-info/{thing}/picklist-values/{kind}", picklists_view)]
