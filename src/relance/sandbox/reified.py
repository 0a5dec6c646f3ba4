"""Objects that are made when they are asked for: what the metadata and the rights come down to, as rows a query can read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from relance.sandbox.access import caller_for
from relance.sandbox.errors import Refused
from relance.sandbox.ids import is_id, make_id, whole_id
from relance.sandbox.outcomes import Caller, is_permissionable
from relance.sandbox.permission_rows import settle_assignments, write_rows
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.soql_filter import is_filterable, is_sortable
from relance.sandbox.store import quoted

if TYPE_CHECKING:
    from relance.sandbox.org import Org

Row = dict[str, object]
QUOTED_ID = re.compile(r"'([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)'")
NEEDS_FILTER = re.compile(r"FROM\s+(FieldDefinition|EntityParticle)\b", re.I)
HAS_FILTER = re.compile(r"WHERE\b.*\b(EntityDefinition|DurableId)", re.I | re.S)
CONCERNED = re.compile(
    r"Definition|Particle|ValidationRule|UserEntityAccess|UserFieldAccess|UserRecordAccess|PermissionSet|Perm", re.I
)
MOST_RECORDS = 200
DATA_TYPES = {
    "string": "Text({length})",
    "textarea": "Text Area({length})",
    "email": "Email",
    "phone": "Phone",
    "url": "URL({length})",
    "double": "Number({whole}, {scale})",
    "int": "Number({whole}, 0)",
    "currency": "Currency({whole}, {scale})",
    "percent": "Percent({whole}, {scale})",
    "boolean": "Checkbox",
    "date": "Date",
    "datetime": "Date/Time",
    "picklist": "Picklist",
    "multipicklist": "Picklist (Multi-Select)",
    "reference": "Lookup({target})",
    "address": "Address",
    "location": "Geolocation",
}


def settle(org: Org, text: str, caller: Caller) -> None:
    """Brings up to date what a query is about to read. Refuses what the platform reads only by object."""
    if not CONCERNED.search(text):
        return
    names = {name for name in MAKERS if re.search(rf"\b{name}\b", text, re.I)}
    if NEEDS_FILTER.search(text) and not HAS_FILTER.search(text):
        complaint = "A filter on a reified column is required [EntityDefinitionId,DurableId]"
        raise Refused(400, "MALFORMED_QUERY", complaint)
    if re.search(r"\b(UserEntityAccess|UserFieldAccess|ValidationRule|EntityParticle|FieldDefinition)\b", text, re.I):
        names |= {"EntityDefinition", "FieldDefinition"}
    if re.search(r"\bPermissionSetAssignment", text, re.I):
        settle_assignments(org)
    if re.search(r"\b(ObjectPermissions|FieldPermissions|ObjectPerms|FieldPerms)\b", text, re.I):
        write_rows(org, [str(row[0]) for row in org.store.connection().execute('SELECT "Id" FROM "PermissionSet"')])
    for name in ORDER:
        if name in names:
            _settle_one(org, name, text, caller)


def _settle_one(org: Org, name: str, text: str, caller: Caller) -> None:
    by_user = name.startswith("User")
    if not by_user and org.reified.get(name) == org.generation:
        return
    with org.store.writing() as connection:
        if not by_user:
            connection.execute(f"DELETE FROM {quoted(name)}")
        for row in MAKERS[name](org, text, caller):
            columns, marks = ", ".join(map(quoted, row)), ", ".join("?" * len(row))
            connection.execute(
                f"INSERT OR REPLACE INTO {quoted(name)} ({columns}) VALUES ({marks})", tuple(row.values())
            )
    org.reified[name] = org.generation


def things_of(org: Org) -> Iterator[OrgObject]:
    return (each for each in org.schema.objects if each.kind not in ("reified", "tooling"))


def entities(org: Org, _text: str, _caller: Caller) -> Iterator[Row]:
    for thing in things_of(org):
        yield {
            "Id": thing.name, "DurableId": thing.name, "QualifiedApiName": thing.name, "Label": thing.label,
            "DeveloperName": thing.name.removesuffix("__c"), "MasterLabel": thing.label, "PluralLabel": thing.plural,
            "KeyPrefix": thing.key_prefix, "InternalSharingModel": thing.sharing, "ExternalSharingModel": "Private",
            "IsCustomizable": thing.kind == "object", "IsCustomSetting": thing.kind == "setting",
            "IsQueryable": thing.queryable, "IsRetrieveable": thing.queryable, "IsReplicateable": "IsDeleted" in thing.fields,
            "IsWorkflowEnabled": thing.kind == "object", "IsApexTriggerable": thing.kind == "object",
        }  # fmt: skip


def field_definitions(org: Org, _text: str, _caller: Caller) -> Iterator[Row]:
    for thing in things_of(org):
        for field in thing.fields:
            yield {
                **field_facts(thing, field),
                "DataType": data_type(field), "IsIndexed": field.unique or field.external_id or field.type in ("id", "reference"),
                "IsApiFilterable": is_filterable(field), "IsApiSortable": is_sortable(field),
                "IsApiGroupable": is_filterable(field) and not field.calculated, "IsCompound": field.virtual,
                "IsFieldHistoryTracked": field.track_history, "IsNameField": field.name_field,
                "Description": field.description or None,
            }  # fmt: skip


def field_facts(thing: OrgObject, field: OrgField) -> Row:
    durable = f"{thing.name}.{field.name}"
    return {
        "Id": durable, "DurableId": durable, "EntityDefinitionId": thing.name, "QualifiedApiName": field.name,
        "DeveloperName": field.name.removesuffix("__c"), "Label": field.label, "MasterLabel": field.label,
        "ValueTypeId": field.type, "Length": field.length, "Precision": field.precision, "Scale": field.scale,
        "IsCalculated": field.calculated, "IsNillable": not field.required and field.type not in ("boolean", "id"),
        "RelationshipName": field.relationship or None,
    }  # fmt: skip


def particles(org: Org, _text: str, _caller: Caller) -> Iterator[Row]:
    for thing in things_of(org):
        for field in thing.fields:
            facts = field_facts(thing, field)
            yield {
                **facts, "FieldDefinitionId": facts["Id"], "Name": field.name, "DataType": field.type,
                "IsCreatable": field.createable and not field.calculated, "IsUpdatable": field.updateable and not field.calculated,
                "IsDefaultedOnCreate": field.defaulted_on_create, "IsUnique": field.unique,
                "IsIdLookup": field.id_lookup or field.external_id, "IsCaseSensitive": field.case_sensitive,
                "IsAutonumber": field.auto_number, "IsDependentPicklist": bool(field.controller),
                "IsNamePointing": len(field.reference_to) > 1, "IsPermissionable": is_permissionable(field),
            }  # fmt: skip


def data_type(field: OrgField) -> str:
    whole = max(0, field.precision - field.scale)
    target = ",".join(field.reference_to)
    told = DATA_TYPES.get(field.type, field.type.capitalize())
    told = told.format(length=field.length, whole=whole, scale=field.scale, target=target)
    return f"Formula ({told.partition('(')[0]})" if field.calculated else "Auto Number" if field.auto_number else told


def users_in(org: Org, text: str, caller: Caller) -> list[str]:
    """Users a query names, else the one who asks."""
    named = [whole_id(each) for each in QUOTED_ID.findall(text) if each.startswith("005") and is_id(each)]
    return list(dict.fromkeys(named)) or [caller.user_id]


def entity_access(org: Org, text: str, caller: Caller) -> Iterator[Row]:
    for user_id in users_in(org, text, caller):
        user = caller_for(org, user_id)
        for thing in things_of(org):
            durable = f"{thing.name}.{user_id}"
            yield {
                "Id": durable, "DurableId": durable, "UserId": user_id, "EntityDefinitionId": thing.name,
                "IsReadable": user.may(thing.name, "read"), "IsCreatable": thing.createable and user.may(thing.name, "create"),
                "IsEditable": thing.updateable and user.may(thing.name, "edit"),
                "IsDeletable": thing.deletable and user.may(thing.name, "delete"),
                "IsUndeletable": thing.deletable and user.may(thing.name, "delete"),
                "IsMergeable": thing.mergeable and user.may(thing.name, "delete"),
            }  # fmt: skip


def field_access(org: Org, text: str, caller: Caller) -> Iterator[Row]:
    for user_id in users_in(org, text, caller):
        user = caller_for(org, user_id)
        for thing in things_of(org):
            for field in thing.fields:
                durable = f"{thing.name}.{field.name}.{user_id}"
                edits = user.may_edit_field(thing.name, field.name) and not field.calculated
                yield {
                    "Id": durable, "DurableId": durable, "UserId": user_id, "EntityDefinitionId": thing.name,
                    "FieldDefinitionId": f"{thing.name}.{field.name}",
                    "IsAccessible": user.may(thing.name, "read") and user.may_read_field(thing.name, field.name),
                    "IsCreatable": field.createable and edits and user.may(thing.name, "create"),
                    "IsUpdatable": field.updateable and edits and user.may(thing.name, "edit"),
                }  # fmt: skip


def record_access(org: Org, text: str, caller: Caller) -> Iterator[Row]:
    """One row for each user and record the query names; a record nobody has is told as out of reach."""
    ids = [whole_id(each) for each in QUOTED_ID.findall(text) if is_id(each) and not each.startswith("005")]
    if len(ids) > MOST_RECORDS:
        raise Refused(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_RECORDS} records")
    for user_id in users_in(org, text, caller):
        user = caller_for(org, user_id)
        for record_id in ids:
            yield {
                "Id": f"{record_id}.{user_id}",
                "UserId": user_id,
                "RecordId": record_id,
                **access_to(org, user, record_id),
            }


def access_to(org: Org, user: Caller, record_id: str) -> Row:
    thing = next((each for each in org.schema.objects if each.key_prefix == record_id[:3]), None)
    row = org.records.row(thing, record_id) if thing is not None else None
    reads = edits = deletes = False
    if thing is not None and row is not None:
        owner = row.get("OwnerId")
        reads = user.may(thing.name, "read") and user.sight.sees(thing.name, record_id, owner)
        edits = reads and user.may(thing.name, "edit") and user.sight.changes(thing.name, owner)
        deletes = edits and user.may(thing.name, "delete")
    level = "All" if deletes else "Edit" if edits else "Read" if reads else "None"
    return {
        "HasReadAccess": reads, "HasEditAccess": edits, "HasDeleteAccess": deletes, "HasTransferAccess": deletes,
        "HasAllAccess": deletes, "MaxAccessLevel": level,
    }  # fmt: skip


def validation_rules(org: Org, _text: str, _caller: Caller) -> Iterator[Row]:
    number = 0
    for thing in things_of(org):
        for rule in thing.validation_rules:
            number += 1
            metadata = {
                "description": rule.description or None, "errorConditionFormula": rule.formula,
                "errorDisplayField": rule.field or None, "errorMessage": rule.message, "active": rule.active,
                "shouldEvaluateOnClient": None, "urls": None,
            }  # fmt: skip
            yield {
                "Id": make_id("03d", number), "ValidationName": rule.name, "FullName": f"{thing.name}.{rule.name}",
                "Active": rule.active, "Description": rule.description or None, "ErrorMessage": rule.message,
                "ErrorDisplayField": rule.field or None, "EntityDefinitionId": thing.name, "ManageableState": "unmanaged",
                "Metadata": json.dumps(metadata, ensure_ascii=False),
            }  # fmt: skip


MAKERS: dict[str, Callable[[Org, str, Caller], Iterable[Row]]] = {
    "EntityDefinition": entities,
    "FieldDefinition": field_definitions,
    "EntityParticle": particles,
    "ValidationRule": validation_rules,
    "UserEntityAccess": entity_access,
    "UserFieldAccess": field_access,
    "UserRecordAccess": record_access,
}
ORDER = tuple(MAKERS)
