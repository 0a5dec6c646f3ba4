"""From Salesforce's describe to our vocabulary. What field-level security hides is simply not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relance.crm.dialect import (
    FieldDescription,
    FieldKind,
    ObjectDescription,
    ObjectSummary,
    PicklistValue,
    RecordTypeDescription,
)

_KINDS = {
    "string": FieldKind.TEXT,
    "textarea": FieldKind.LONG_TEXT,
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "url": FieldKind.URL,
    "double": FieldKind.NUMBER,
    "currency": FieldKind.NUMBER,
    "percent": FieldKind.NUMBER,
    "int": FieldKind.INTEGER,
    "long": FieldKind.INTEGER,
    "boolean": FieldKind.BOOLEAN,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "picklist": FieldKind.PICKLIST,
    "combobox": FieldKind.PICKLIST,
    "multipicklist": FieldKind.MULTIPICKLIST,
    "reference": FieldKind.REFERENCE,
    "id": FieldKind.ID,
}
# The first one an object has. SystemModstamp also moves when a trigger or a roll-up writes, which the others do not tell.
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


def object_summary(told: Mapping[str, Any]) -> ObjectSummary:
    return ObjectSummary(
        name=str(told["name"]),
        label=str(told.get("label") or told["name"]),
        custom=bool(told.get("custom")),
        queryable=bool(told.get("queryable")),
        createable=bool(told.get("createable")),
        updateable=bool(told.get("updateable")),
        deletable=bool(told.get("deletable")),
        mergeable=bool(told.get("mergeable")),
        key_prefix=str(told.get("keyPrefix") or ""),
    )


def object_description(told: Mapping[str, Any]) -> ObjectDescription:
    names = {str(each["name"]) for each in told["fields"]}
    return ObjectDescription(
        name=str(told["name"]),
        label=str(told.get("label") or told["name"]),
        fields=tuple(field_description(each) for each in told["fields"]),
        custom=bool(told.get("custom")),
        key_prefix=str(told.get("keyPrefix") or ""),
        createable=bool(told.get("createable")),
        updateable=bool(told.get("updateable")),
        deletable=bool(told.get("deletable")),
        mergeable=bool(told.get("mergeable")),
        id_field="Id",
        stamp_field=_first_of(_STAMPS, names),
        deleted_field=_first_of(("IsDeleted",), names),
        merged_into_field=_first_of(("MasterRecordId",), names),
        record_type_field=_first_of(("RecordTypeId",), names),
        record_types=tuple(_record_type(each) for each in told.get("recordTypeInfos") or () if not each.get("master")),
    )


def field_description(told: Mapping[str, Any]) -> FieldDescription:
    kind = _KINDS.get(str(told["type"]).lower(), FieldKind.OTHER)
    createable, nillable = bool(told.get("createable")), bool(told.get("nillable", True))
    return FieldDescription(
        name=str(told["name"]),
        label=str(told.get("label") or told["name"]),
        kind=kind,
        length=int(told.get("length") or told.get("digits") or told.get("precision") or 0),
        scale=int(told.get("scale") or 0),
        required=createable and not nillable and not told.get("defaultedOnCreate"),
        nillable=nillable,
        createable=createable,
        updateable=bool(told.get("updateable")),
        unique=bool(told.get("unique")),
        external_id=bool(told.get("externalId")),
        calculated=bool(told.get("calculated")) or bool(told.get("autoNumber")),
        custom=bool(told.get("custom")),
        restricted=bool(told.get("restrictedPicklist")),
        picklist=tuple(_picklist_value(each) for each in told.get("picklistValues") or ()),
        refers_to=tuple(str(name) for name in told.get("referenceTo") or ()),
        relationship=str(told.get("relationshipName") or ""),
        part_of=str(told.get("compoundFieldName") or ""),
        vendor_type=str(told["type"]),
    )


def _picklist_value(told: Mapping[str, Any]) -> PicklistValue:
    value = str(told.get("value") or "")
    return PicklistValue(
        value=value,
        label=str(told.get("label") or value),
        active=bool(told.get("active", True)),
        default=bool(told.get("defaultValue")),
    )


def _record_type(told: Mapping[str, Any]) -> RecordTypeDescription:
    return RecordTypeDescription(
        id=str(told.get("recordTypeId") or ""),
        name=str(told.get("developerName") or told.get("name") or ""),
        label=str(told.get("name") or ""),
        active=bool(told.get("active", True)) and bool(told.get("available", True)),
        default=bool(told.get("defaultRecordTypeMapping")),
    )


def _first_of(wanted: Sequence[str], names: set[str]) -> str:
    return next((name for name in wanted if name in names), "")
