"""What the org says of its objects: the global list and the complete describe, less what the user may not see."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, is_permissionable
from relance.sandbox.schema import OrgField, OrgObject, RecordType
from relance.sandbox.soql_filter import is_filterable, is_sortable
from relance.sandbox.soql_names import child_name, find_object, readable_fields

Json = dict[str, object]
MASTER_RECORD_TYPE = "012000000000000AAA"
SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
    "location": "urn:location",
    "anytype": "xsd:anyType",
}
WITHOUT_LENGTH = frozenset(
    {"boolean", "int", "double", "currency", "percent", "date", "datetime", "time", "address", "location", "base64"}
)


DATA_KINDS = ("object", "setting", "metadata", "event", "external", "big", "article")


def describe_global(org: Org, caller: Caller, base: str, *, kinds: tuple[str, ...] = DATA_KINDS) -> Json:
    """What is made when asked for has a list of its own."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [
            brief_describe(org, thing, caller, base)
            for thing in org.schema.objects
            if thing.kind in kinds and caller.may(thing.name, "read")
        ],
    }


def brief_describe(org: Org, thing: OrgObject, caller: Caller, base: str) -> Json:
    """The flags the global list and the full describe share."""
    address = f"{base}/sobjects/{thing.name}"
    is_setting = thing.kind == "setting"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": thing.createable and caller.may(thing.name, "create"),
        "custom": thing.custom,
        "customSetting": is_setting,
        "deepCloneable": False,
        "deletable": thing.deletable and caller.may(thing.name, "delete"),
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": thing.key_prefix or None,
        "label": thing.label,
        "labelPlural": thing.plural,
        "layoutable": not is_setting,
        "mergeable": thing.mergeable and caller.may(thing.name, "delete"),
        "mruEnabled": not is_setting,
        "name": thing.name,
        "queryable": thing.queryable,
        "replicateable": "SystemModstamp" in thing.fields and "IsDeleted" in thing.fields,
        "retrieveable": thing.queryable,
        "searchable": not is_setting,
        "triggerable": thing.kind == "object",
        "undeletable": thing.deletable and "IsDeleted" in thing.fields and caller.may(thing.name, "delete"),
        "updateable": thing.updateable and caller.may(thing.name, "edit"),
        "urls": {
            "rowTemplate": f"{address}/{{ID}}",
            "defaultValues": f"{address}/defaultValues?recordTypeId&fields",
            "describe": f"{address}/describe",
            "sobject": address,
        },
    }


def describe_object(org: Org, thing: OrgObject, caller: Caller, base: str) -> Json:
    fields = list(readable_fields(thing, caller))
    brief = brief_describe(org, thing, caller, base)
    return {
        **brief,
        "actionOverrides": [],
        "childRelationships": list(describe_children(org, thing, caller)),
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [describe_field(thing, field, caller) for field in fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": describe_record_types(org, thing, base),
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": f"All {thing.plural}", "name": "everything"},
            {"label": f"My {thing.plural}", "name": "mine"},
        ],
    }


def describe_field(thing: OrgObject, field: OrgField, caller: Caller) -> Json:
    may_edit = caller.may_edit_field(thing.name, field.name)
    created_empty_false = field.type == "boolean"  # a checkbox never asks for a value
    return {
        **describe_numbers(field),
        **describe_search(field),
        **describe_links(field),
        "picklistValues": describe_picklist(thing, field),
        "aiPredictionField": False,
        "autoNumber": field.auto_number,
        "calculated": field.calculated,
        "calculatedFormula": field.formula or None if field.calculated else None,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound or None,
        "createable": field.createable and not field.calculated and may_edit,
        "custom": field.custom,
        "defaultValue": field.default == "true" if field.type == "boolean" else None,
        "defaultValueFormula": field.default if field.default and field.type != "boolean" else None,
        "defaultedOnCreate": field.defaulted_on_create or created_empty_false or bool(field.default),
        "deprecatedAndHidden": False,
        "displayLocationInDecimal": False,
        "encrypted": field.type == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "formulaTreatNullNumberAsZero": False,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.id_lookup or field.external_id or field.type == "id",
        "inlineHelpText": field.help_text or None,
        "label": field.label,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "nillable": not field.required and field.type not in ("boolean", "id"),
        "permissionable": is_permissionable(field),
        "searchPrefilterable": False,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and not field.calculated and may_edit,
        "writeRequiresMasterRead": field.cascade_delete,
    }


def describe_numbers(field: OrgField) -> Json:
    length = 18 if field.type in ("id", "reference") else 0 if field.type in WITHOUT_LENGTH else field.length
    if not length and field.type in ("picklist", "multipicklist"):
        length = 255 if field.type == "picklist" else 4099
    whole = field.type == "int"
    return {
        "byteLength": length * 3 if field.type not in ("id", "reference") else length,
        "digits": (field.precision or 9) if whole else 0,
        "length": length,
        "precision": 0 if whole else field.precision,
        "scale": field.scale,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
    }


def describe_search(field: OrgField) -> Json:
    filterable = is_filterable(field)
    groupable = (
        filterable
        and not field.calculated
        and field.type not in ("datetime", "double", "currency", "percent", "multipicklist")
    )
    return {
        "aggregatable": filterable and field.type not in ("boolean", "multipicklist", "textarea"),
        "filterable": filterable,
        "groupable": groupable,
        "queryByDistance": field.type == "location",
        "sortable": is_sortable(field),
    }


def describe_links(field: OrgField) -> Json:
    return {
        "cascadeDelete": field.cascade_delete,
        "controllerName": field.controller or None,
        "dependentPicklist": bool(field.controller and field.picklist),
        "filteredLookupInfo": None,
        "namePointing": len(field.reference_to) > 1,
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship or None,
        "relationshipOrder": 0 if field.cascade_delete else None,
        "restrictedDelete": field.delete_constraint == "Restrict",
        "restrictedPicklist": field.restricted,
    }


def describe_picklist(thing: OrgObject, field: OrgField) -> list[Json]:
    controller = thing.fields.get(field.controller) if field.controller else None
    return [
        {
            "active": value.active,
            "defaultValue": value.default,
            "label": value.label,
            "validFor": valid_for_bits(field, controller, value.value) if controller is not None else None,
            "value": value.value,
        }
        for value in field.picklist
        if value.active
    ]


def valid_for_bits(field: OrgField, controller: OrgField, value: str) -> str:
    """A bit for each value of the controlling field, the first in the highest place, as base64."""
    controlling = [each.value for each in controller.picklist] or ["false", "true"]
    allowed = {each.lower() for each in field.valid_for.get(value, ())}
    bits = bytearray((len(controlling) + 7) // 8)
    for place, each in enumerate(controlling):
        if each.lower() in allowed:
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bytes(bits)).decode()


def describe_children(org: Org, thing: OrgObject, caller: Caller) -> Iterator[Json]:
    for other in org.schema.objects:
        if find_object(org.schema, caller, other.name) is None or other.kind in ("reified", "tooling"):
            continue
        for field in other.fields:
            if thing.name in field.reference_to and caller.may_read_field(other.name, field.name):
                yield {
                    "cascadeDelete": field.cascade_delete,
                    "childSObject": other.name,
                    "deprecatedAndHidden": False,
                    "field": field.name,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": child_name(field) or None,
                    "restrictedDelete": field.delete_constraint == "Restrict",
                }


def describe_record_types(org: Org, thing: OrgObject, base: str) -> list[Json]:
    """The org's record types of the object, and the master one all objects have."""
    ids = record_type_ids(org, thing)
    infos = [
        record_type_info(each, ids[each.developer_name.lower()], thing, base)
        for each in thing.record_types
        if each.developer_name.lower() in ids
    ]
    master = RecordType("Master", "Master")
    return [
        *infos,
        {**record_type_info(master, MASTER_RECORD_TYPE, thing, base), "master": True, "defaultRecordTypeMapping": True},
    ]


def record_type_ids(org: Org, thing: OrgObject) -> dict[str, str]:
    if "RecordType" not in org.schema.objects:
        return {}
    rows = org.store.connection().execute(
        'SELECT "DeveloperName", "Id" FROM "RecordType" WHERE "SobjectType" = ?', (thing.name,)
    )
    return {str(name).lower(): str(record_id) for name, record_id in rows}


def record_type_info(each: RecordType, record_type_id: str, thing: OrgObject, base: str) -> Json:
    return {
        "active": each.active,
        "available": each.active,
        "defaultRecordTypeMapping": False,
        "developerName": each.developer_name,
        "master": False,
        "name": each.label,
        "recordTypeId": record_type_id,
        "urls": {"layout": f"{base}/sobjects/{thing.name}/describe/layouts/{record_type_id}"},
    }
