"""Merging records: one stays, up to two give it what they hold and go to the recycle bin with its id on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relance.sandbox.outcomes import Caller, RecordError, SaveResult, WriteOptions
from relance.sandbox.schema import OrgObject
from relance.sandbox.store import quoted
from relance.sandbox.values import StoreValue

if TYPE_CHECKING:
    from relance.sandbox.records import Records

Row = dict[str, StoreValue]
MOST_LOSERS = 2


def merge_records(
    records: Records,
    caller: Caller,
    thing: OrgObject,
    master_id: str,
    loser_ids: list[str],
    values: Mapping[str, object],
) -> SaveResult:
    """Applies the values to the master, moves the losers' children to it, deletes the losers with MasterRecordId set."""
    refusal = _refusal(records, caller, thing, master_id, loser_ids)
    if refusal is not None:
        return SaveResult.refused(refusal, record_id=master_id)
    saved = records.update(caller, thing.name, master_id, values, WriteOptions(auto_assign=False, allow_save=True))
    if not saved.success:
        return saved
    master = str(saved.id)
    for loser_id in loser_ids:
        loser = records.row(thing, loser_id)
        if loser is not None and loser.get("IsPersonAccount"):
            # Their shadows become one as well, before the contacts of the account are moved.
            kept = str((records.row(thing, master) or {}).get("PersonContactId") or "")
            _absorb(records, caller, records.schema.objects["Contact"], kept, str(loser["PersonContactId"]))
        if loser is not None:
            _absorb(records, caller, thing, master, str(loser["Id"]))
    return SaveResult(master, success=True, created=False)


def _refusal(
    records: Records, caller: Caller, thing: OrgObject, master_id: str, loser_ids: list[str]
) -> RecordError | None:
    if not thing.mergeable:
        return RecordError("INVALID_OPERATION", f"entity type cannot be merged: {thing.label}")
    if not 1 <= len(loser_ids) <= MOST_LOSERS:
        return RecordError("INVALID_NUMBER_FIELD", "a merge takes one or two records beside the master")
    if not (caller.may(thing.name, "edit") and caller.may(thing.name, "delete")):
        return RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    rows = [records.row(thing, record_id) for record_id in (master_id, *loser_ids)]
    for row in rows:
        if row is None:
            return RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            return RecordError("ENTITY_IS_DELETED", "entity is deleted")
    ids = [str(row["Id"]) for row in rows if row is not None]
    if len(set(ids)) != len(ids):
        return RecordError("MERGE_FAILED", "a record cannot be merged with itself")
    if len({bool(row.get("IsPersonAccount")) for row in rows if row is not None}) > 1:
        return RecordError("INVALID_PERSON_ACCOUNT_OPERATION", "a person account merges with person accounts only")
    if rows[0] is not None and rows[0].get("IsConverted"):
        return RecordError("MERGE_FAILED", "a converted lead cannot be the master of a merge")
    return None


def _absorb(records: Records, caller: Caller, thing: OrgObject, master: str, loser: str) -> None:
    connection = records.store.connection()
    if "CampaignMember" in records.schema.objects and thing.name in ("Lead", "Contact"):
        # The master keeps its own place in a campaign; a second one of the loser would be a twin.
        connection.execute(
            'UPDATE "CampaignMember" SET "IsDeleted" = 1, "SystemModstamp" = ? WHERE "LeadOrContactId" = ? AND "CampaignId" IN'
            ' (SELECT "CampaignId" FROM "CampaignMember" WHERE "LeadOrContactId" = ? AND "IsDeleted" = 0)',
            (records.now, loser, master),
        )
    for other, field in records.plan(thing).pointed_at_by:
        stamped = ', "SystemModstamp" = ?' if "SystemModstamp" in other.fields else ""
        arguments = (master, records.now, loser) if stamped else (master, loser)
        connection.execute(
            f"UPDATE {quoted(other.name)} SET {quoted(field.name)} = ?{stamped} WHERE {quoted(field.name)} = ?",
            arguments,
        )
    gone: Row = {"IsDeleted": 1, "MasterRecordId": master, **records.touched(thing, caller.user_id)}
    records.write_columns(thing, loser, gone)
