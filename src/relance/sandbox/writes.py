"""Writes as clients phrase them: a parent may be named by an external id of its own instead of its record id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, RecordError, SaveResult, WriteOptions
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.store import quoted
from relance.sandbox.values import Refused, store_value


class ForeignKeyMissing(Exception):
    """A parent named by an external id that no record bears, or several do."""

    def __init__(self, error: RecordError) -> None:
        super().__init__(error.message)
        self.error = error


def insert_record(
    org: Org, caller: Caller, object_name: str, values: Mapping[str, Any], options: WriteOptions
) -> SaveResult:
    try:
        return org.records.insert(caller, object_name, with_parent_ids(org, object_name, values), options)
    except ForeignKeyMissing as missing:
        return SaveResult.refused(missing.error)


def update_record(
    org: Org, caller: Caller, object_name: str, record_id: str, values: Mapping[str, Any], options: WriteOptions
) -> SaveResult:
    try:
        return org.records.update(caller, object_name, record_id, with_parent_ids(org, object_name, values), options)
    except ForeignKeyMissing as missing:
        return SaveResult.refused(missing.error, record_id=record_id)


def upsert_record(
    org: Org,
    caller: Caller,
    object_name: str,
    values: Mapping[str, Any],
    options: WriteOptions,
    *,
    by: tuple[str, object],
) -> SaveResult | list[str]:
    """`by`: the external id field and its value."""
    try:
        return org.records.upsert(caller, object_name, *by, with_parent_ids(org, object_name, values), options)
    except ForeignKeyMissing as missing:
        return SaveResult.refused(missing.error)


def with_parent_ids(org: Org, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"Account": {"Number__c": "7"}}` of REST and the column `Account.Number__c` of Bulk, turned into an AccountId."""
    thing = org.schema.objects.get(object_name)
    settled: dict[str, Any] = {}
    for name, value in values.items():
        relation, _dot, key = name.partition(".")
        if thing is None or not (key or isinstance(value, dict)) or name == "attributes":
            settled[name] = value
            continue
        parts = {key: value} if key else {each: part for each, part in value.items() if each != "attributes"}
        link = link_named(thing, relation)
        if link is None or len(parts) != 1:
            settled[name] = value  # the records' door says what is wrong with it
            continue
        ((field_name, wanted),) = parts.items()
        settled[link.name] = None if wanted is None else parent_id(org, link, field_name, wanted)
    return settled


def link_named(thing: OrgObject, relation: str) -> OrgField | None:
    wanted = relation.lower()
    return next(
        (each for each in thing.fields if each.type == "reference" and each.relationship.lower() == wanted), None
    )


def parent_id(org: Org, link: OrgField, field_name: str, wanted: object) -> str:
    found: list[str] = []
    spelt = field_name
    for target_name in link.reference_to:
        target = org.schema.objects.get(target_name)
        field = target.fields.get(field_name) if target else None
        if target is None or field is None or not (field.external_id or field.id_lookup):
            continue
        spelt = field.name
        living = ' AND "IsDeleted" = 0' if "IsDeleted" in target.fields else ""
        statement = f'SELECT "Id" FROM {quoted(target.name)} WHERE {quoted(field.name)} = ?{living} LIMIT 2'
        try:
            rows = org.store.connection().execute(statement, (store_value(field, wanted, as_text=True),))
        except Refused as refused:
            raise ForeignKeyMissing(refused.error) from refused
        found += [str(row[0]) for row in rows]
    entity = link.reference_to[0] if link.reference_to else ""
    if len(found) == 1:
        return found[0]
    told = f"{'not found' if not found else 'matches more than one record'} for field {spelt} in entity {entity}"
    raise ForeignKeyMissing(RecordError("INVALID_FIELD", f"Foreign key external ID: {wanted} {told}"))
