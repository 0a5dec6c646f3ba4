"""The recycle bin: what goes into it with a record, what loses its link to it, and how all of it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relance.sandbox.outcomes import RecordError
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.store import quoted
from relance.sandbox.upkeep import recount_masters
from relance.sandbox.values import StoreValue

if TYPE_CHECKING:
    from relance.sandbox.records import Records

Row = dict[str, StoreValue]
WENT_ALONG = ""  # in the book of cuts: the record was deleted with the other, rather than cut off from it


def bury(records: Records, thing: OrgObject, row: Row, user_id: str) -> RecordError | None:
    """Deletes a record with its details, and clears the lookups to it. The book of cuts remembers, for the way back."""
    refusal = _restriction(records, thing, str(row["Id"]))
    if refusal is not None:
        return refusal
    record_id = str(row["Id"])
    records.write_columns(thing, record_id, {"IsDeleted": 1, **records.touched(thing, user_id)})
    for other, field in records.plan(thing).pointed_at_by:
        for child in _pointing(records, other, field, record_id):
            if is_cascading(field):
                _note(records, record_id, other.name, str(child["Id"]), WENT_ALONG)
                bury(records, other, child, user_id)
            elif not field.required:
                _note(records, record_id, other.name, str(child["Id"]), field.name)
                stamps = {"SystemModstamp": records.now} if "SystemModstamp" in other.fields else {}
                records.write_columns(other, str(child["Id"]), {field.name: None, **stamps})
    recount_masters(records, thing, row)
    return None


def revive(records: Records, thing: OrgObject, row: Row, user_id: str) -> RecordError | None:
    """Brings a record back with what went along, and ties again the lookups nobody has filled since."""
    record_id = str(row["Id"])
    if row.get("MasterRecordId"):
        return RecordError("UNDELETE_FAILED", "entity was merged and cannot be undeleted")
    lost = _lost_master(records, thing, row)
    if lost is not None:
        return lost
    records.write_columns(thing, record_id, {"IsDeleted": 0, **records.touched(thing, user_id)})
    connection = records.store.connection()
    cuts = connection.execute("SELECT object, record, field FROM _cut WHERE gone = ?", (record_id,)).fetchall()
    connection.execute("DELETE FROM _cut WHERE gone = ?", (record_id,))
    for object_name, child_id, field_name in cuts:
        other = records.schema.objects.get(object_name)
        child = None if other is None else records.row(other, child_id)
        if other is None or child is None:
            continue
        if field_name == WENT_ALONG:
            if child.get("IsDeleted"):
                revive(records, other, child, user_id)
        elif child.get(field_name) is None:
            stamps = {"SystemModstamp": records.now} if "SystemModstamp" in other.fields else {}
            records.write_columns(other, child_id, {field_name: record_id, **stamps})
    recount_masters(records, thing, row)
    return None


def purge(records: Records, before: str) -> int:
    """Empties the recycle bin of what was deleted before a stamp; the platform keeps fifteen days. Says how many went."""
    gone = 0
    with records.transaction():
        for thing in records.schema.objects:
            if "IsDeleted" in thing.fields and "SystemModstamp" in thing.fields:
                cursor = records.store.connection().execute(
                    f'DELETE FROM {quoted(thing.name)} WHERE "IsDeleted" = 1 AND "SystemModstamp" < ?', (before,)
                )
                gone += cursor.rowcount
    return gone


def is_cascading(field: OrgField) -> bool:
    return field.cascade_delete or field.delete_constraint == "Cascade"


def _restriction(records: Records, thing: OrgObject, record_id: str) -> RecordError | None:
    for other, field in records.plan(thing).pointed_at_by:
        holding = field.delete_constraint == "Restrict" or (field.required and not is_cascading(field))
        if holding and _pointing(records, other, field, record_id):
            text = (
                "Your attempt to delete this record could not be completed because it is associated with"
                f" the following {other.plural.lower()}."
            )
            return RecordError("DELETE_FAILED", text)
    return None


def _pointing(records: Records, other: OrgObject, field: OrgField, record_id: str) -> list[Row]:
    alive = ' AND "IsDeleted" = 0' if "IsDeleted" in other.fields else ""
    cursor = records.store.connection().execute(
        f"SELECT * FROM {quoted(other.name)} WHERE {quoted(field.name)} = ?{alive}", (record_id,)
    )
    return [dict(row) for row in cursor.fetchall()]


def _lost_master(records: Records, thing: OrgObject, row: Row) -> RecordError | None:
    for field in records.plan(thing).references:
        if not field.cascade_delete:
            continue
        for name in field.reference_to:
            master = records.schema.objects.get(name)
            above = None if master is None else records.row(master, row.get(field.name))
            if above is not None and above.get("IsDeleted"):
                return RecordError("UNDELETE_FAILED", "the parent record is in the recycle bin")
    return None


def _note(records: Records, gone: str, object_name: str, record_id: str, field_name: str) -> None:
    records.store.connection().execute(
        "INSERT INTO _cut (gone, object, record, field) VALUES (?, ?, ?, ?)", (gone, object_name, record_id, field_name)
    )
