"""The REST addresses of one org: versions, objects, records, replication. Queries, collections, jobs have modules of their own."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from relance.sandbox.describe import brief_describe, describe_global, describe_object
from relance.sandbox.errors import Refused, refuse_path
from relance.sandbox.exchange import Request, Response, Route, empty_response, json_response, route
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcome_bodies import refuse_unreadable, refused_save
from relance.sandbox.outcomes import SaveResult
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.soql import compile_query, parameters_of, render
from relance.sandbox.soql_dates import read_moment, stamp
from relance.sandbox.soql_filter import only_these
from relance.sandbox.soql_names import find_field, find_object, readable_fields
from relance.sandbox.soql_rows import fetch_records
from relance.sandbox.store import quoted
from relance.sandbox.versions import RESOURCES
from relance.sandbox.writes import insert_record, update_record, upsert_record

API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
REPLICATION_WINDOW = timedelta(days=30)


def resources_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """The resources, and where the user's identity is: clients that hold a token alone ask here whose it is."""
    identity = f"{request.origin}/id/{org.org_id}/{request.caller.user_id}"
    return json_response({**{name: f"{request.base}/{path}" for name, path in RESOURCES.items()}, "identity": identity})


def objects_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    return described(org, request, ("global",), lambda: describe_global(org, request.caller, request.base))


def object_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    return json_response(
        {"objectDescribe": brief_describe(org, thing, request.caller, request.base), "recentItems": []}
    )


def describe_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """Kept once made, and not sent again to a client that has seen it: an org's schema changes only with its tree."""
    thing = known_object(org, request, parts["thing"])
    since = request.header("If-Modified-Since")
    if since and is_unchanged(org, since):
        return empty_response(304)
    return described(org, request, (thing.name,), lambda: describe_object(org, thing, request.caller, request.base))


def described(org: Org, request: Request, what: tuple[str, ...], make: Callable[[], dict[str, object]]) -> Response:
    key = (*what, request.version, org.generation, request.caller.rights)
    if key not in org.described:
        body = json.dumps(make(), ensure_ascii=False, separators=(",", ":")).encode()
        org.described[key] = (body, gzip.compress(body, 6))
    body, packed = org.described[key]
    modified = format_datetime(org.changed_at.astimezone(UTC), usegmt=True)
    return Response(200, body, headers={"Last-Modified": modified}, packed=packed)


def is_unchanged(org: Org, since: str) -> bool:
    try:
        return parsedate_to_datetime(since) >= org.changed_at.replace(microsecond=0)
    except (ValueError, TypeError):
        return False


def create_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    result = insert_record(org, request.caller, thing.name, request.json_object(), request.options())
    refuse_unreadable(result)
    if not result.success:
        return refused_save(org, result.errors, request.base)
    location = {"Location": f"{request.base}/sobjects/{thing.name}/{result.id}"}
    return json_response({"id": result.id, "success": True, "errors": []}, 201, location)


def read_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    record_id = addressed_id(thing, parts["id"])
    row = org.store.connection().execute(f'SELECT * FROM {quoted(thing.name)} WHERE "Id" = ?', (record_id,)).fetchone()
    if row is None:
        raise refuse_path()
    if "IsDeleted" in thing.fields and row["IsDeleted"]:
        raise Refused(404, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
    found = read_records(org, request, thing, [record_id], wanted_fields(request))
    if record_id not in found:
        raise refuse_path()  # the user does not see it, which looks the same as there being none
    return json_response(found[record_id])


def update_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    result = update_record(org, request.caller, thing.name, parts["id"], request.json_object(), request.options())
    return after_change(org, result, request)


def delete_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    return after_change(org, org.records.delete(request.caller, thing.name, parts["id"]), request)


def after_change(org: Org, result: SaveResult, request: Request) -> Response:
    refuse_unreadable(result)
    return empty_response() if result.success else refused_save(org, result.errors, request.base, is_addressed=True)


def read_external_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    found = ids_by_external(org, request, thing, parts)
    if len(found) > 1:
        return several_answer(found, thing, request)
    if not found:
        raise refuse_path()
    read = read_records(org, request, thing, found, wanted_fields(request))
    if found[0] not in read:
        raise refuse_path()
    return json_response(read[found[0]])


def upsert_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """Created 201, updated 200, and 300 with their addresses when several records bear the value."""
    thing = known_object(org, request, parts["thing"])
    field = external_field(thing, request, parts["field"])
    values = request.json_object()
    if any(name.lower() == field.name.lower() for name in values):
        complaint = f"The {field.name} field should not be specified in the sobject data."
        raise Refused(400, "INVALID_FIELD", complaint, fields=[field.name])
    result = upsert_record(org, request.caller, thing.name, values, request.options(), by=(field.name, parts["value"]))
    if isinstance(result, list):
        return several_answer(result, thing, request)
    refuse_unreadable(result)
    if not result.success:
        return refused_save(org, result.errors, request.base)
    if not result.created and request.version < 46:
        return empty_response()
    body: dict[str, object] = {"id": result.id, "success": True, "errors": [], "created": result.created}
    return json_response(body, 201 if result.created else 200)


def delete_external_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    found = ids_by_external(org, request, thing, parts)
    if len(found) > 1:
        return several_answer(found, thing, request)
    if not found:
        raise refuse_path()
    return after_change(org, org.records.delete(request.caller, thing.name, found[0]), request)


def several_answer(found: list[str], thing: OrgObject, request: Request) -> Response:
    return json_response([f"{request.base}/sobjects/{thing.name}/{record_id}" for record_id in found], 300)


def updated_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    start, end = replication_window(org, request, REPLICATION_WINDOW)
    living = ' AND "IsDeleted" = 0' if "IsDeleted" in thing.fields else ""
    rows = org.store.connection().execute(
        f'SELECT "Id" FROM {quoted(thing.name)} WHERE "SystemModstamp" >= ? AND "SystemModstamp" < ?{living}'
        ' ORDER BY "SystemModstamp", "Id"',
        (stamp(start), stamp(end)),
    )
    return json_response({"ids": [str(row[0]) for row in rows], "latestDateCovered": rest_moment(end)})


def deleted_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    start, end = replication_window(org, request, REPLICATION_WINDOW)
    rows = org.store.connection().execute(
        f'SELECT "Id", "SystemModstamp" FROM {quoted(thing.name)} WHERE "SystemModstamp" >= ? AND "SystemModstamp" < ?'
        ' AND "IsDeleted" = 1 ORDER BY "SystemModstamp", "Id"',
        (stamp(start), stamp(end)),
    )
    deleted = [{"id": str(row[0]), "deletedDate": f"{str(row[1])[:-1]}+0000"} for row in rows]
    return json_response(
        {
            "deletedRecords": deleted,
            "earliestDateAvailable": rest_moment(org.clock() - timedelta(days=org.settings.now.recycle_days)),
            "latestDateCovered": rest_moment(end),
        }
    )


def replication_window(org: Org, request: Request, longest: timedelta) -> tuple[datetime, datetime]:
    """Start and end with their seconds dropped; an end still to come is cut at the present minute."""
    moments = []
    for name in ("start", "end"):
        if not request.query.get(name):
            raise Refused(400, "MISSING_ARGUMENT", f"{name} is a required parameter")
        try:
            # A plus sign that was not encoded arrives as a space.
            moments.append(read_moment(request.query[name].replace(" ", "+")).astimezone(UTC))
        except ValueError as unreadable:
            raise Refused(400, "INVALID_REPLICATION_DATE", f"invalid date: {request.query[name]}") from unreadable
    start, end = (moment.replace(second=0, microsecond=0) for moment in moments)
    now = org.clock().astimezone(UTC)
    if end - start < timedelta(minutes=1):
        raise Refused(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if now - start > longest:
        raise Refused(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {longest.days} days ago")
    return start, min(end, now.replace(second=0, microsecond=0) + timedelta(minutes=1))


def rest_moment(moment: datetime) -> str:
    return f"{stamp(moment)[:-1]}+0000"


def read_records(
    org: Org, request: Request, thing: OrgObject, ids: list[str], names: list[str]
) -> dict[str, dict[str, object]]:
    """Living records by id, with the fields asked for or all of them."""
    names = names or [field.name for field in readable_fields(thing, request.caller)]
    for name in names:
        if not API_NAME.fullmatch(name) or find_field(thing, request.caller, name) is None:
            raise Refused(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {thing.name}")
    compiled = compile_query(org, f"SELECT {', '.join(dict.fromkeys(names))} FROM {thing.name}", request.caller)
    statement = compiled.select(also=only_these(compiled.identity))
    rows = fetch_records(org, compiled, statement, [*parameters_of(compiled), json.dumps(ids)])
    records = render(org, compiled, rows, request.base)
    if "Id" not in {name.title() for name in names}:
        for record, row in zip(records, rows, strict=True):
            record["Id"] = row[0]
    return {str(row[0]): record for row, record in zip(rows, records, strict=True)}


def wanted_fields(request: Request) -> list[str]:
    return [name.strip() for name in request.query.get("fields", "").split(",") if name.strip()]


def known_object(org: Org, request: Request, name: str, *, tooling: bool = False) -> OrgObject:
    """The object in an address; one the user may not read has no address, one of the Tooling door only that one."""
    thing = find_object(org.schema, request.caller, name)
    if thing is None or (thing.kind == "tooling" and not tooling):
        raise refuse_path()
    return thing


def addressed_id(thing: OrgObject, text: str) -> str:
    try:
        record_id = whole_id(text)
    except MalformedId as refused:
        complaint = f"Provided external ID field does not exist or is not accessible: {text}"
        raise Refused(404, "NOT_FOUND", complaint) from refused
    if not record_id.startswith(thing.key_prefix):
        raise refuse_path()
    return record_id


def external_field(thing: OrgObject, request: Request, name: str) -> OrgField:
    field = find_field(thing, request.caller, name)
    if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
        raise Refused(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def ids_by_external(org: Org, request: Request, thing: OrgObject, parts: dict[str, str]) -> list[str]:
    field = external_field(thing, request, parts["field"])
    living = ' AND "IsDeleted" = 0' if "IsDeleted" in thing.fields else ""
    rows = org.store.connection().execute(
        f'SELECT "Id" FROM {quoted(thing.name)} WHERE {quoted(field.name)} = ?{living} LIMIT 10', (parts["value"],)
    )
    return [str(row[0]) for row in rows]


ROUTES: list[Route] = [
    route("GET", "", resources_view),
    route("GET", "sobjects", objects_view),
    route("GET", "sobjects/{thing}", object_view),
    route("POST", "sobjects/{thing}", create_view),
    route("GET", "sobjects/{thing}/describe", describe_view),
    route("GET", "sobjects/{thing}/updated", updated_view),
    route("GET", "sobjects/{thing}/deleted", deleted_view),
    route("GET", "sobjects/{thing}/{id}", read_view),
    route("PATCH", "sobjects/{thing}/{id}", update_view),
    route("DELETE", "sobjects/{thing}/{id}", delete_view),
    route("GET", "sobjects/{thing}/{field}/{value}", read_external_view),
    route("PATCH", "sobjects/{thing}/{field}/{value}", upsert_view),
    route("DELETE", "sobjects/{thing}/{field}/{value}", delete_external_view),
]
