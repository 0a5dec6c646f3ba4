"""The only door that changes records: every write of every protocol comes through here and meets the org's rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from relance.sandbox.assignment import assign_owner
from relance.sandbox.conversion import convert_lead
from relance.sandbox.deletion import bury, revive
from relance.sandbox.draft import Draft, draft_of
from relance.sandbox.enforcement import first_errors, uniqueness_errors
from relance.sandbox.formula import FormulaFailed
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.merging import merge_records
from relance.sandbox.outcomes import (
    Caller,
    ConvertRequest,
    ConvertResult,
    DuplicateMatch,
    DuplicateResult,
    Permissions,
    RecordError,
    SaveResult,
    WriteOptions,
)
from relance.sandbox.person_accounts import SHADOW, mirror_person
from relance.sandbox.plan import Plan, plan_of
from relance.sandbox.schema import OrgObject, OrgSchema
from relance.sandbox.scope import completed
from relance.sandbox.store import Store, quoted
from relance.sandbox.upkeep import fill_new, settle_derived, settle_summaries
from relance.sandbox.values import Refused, StoreValue, stamp, store_value

__all__ = [
    "Caller",
    "ConvertRequest",
    "ConvertResult",
    "DuplicateMatch",
    "DuplicateResult",
    "Permissions",
    "RecordError",
    "Records",
    "SaveResult",
    "WriteOptions",
]

NO_SUCH_ID = RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
DELETED = RecordError("ENTITY_IS_DELETED", "entity is deleted")
NOT_YOURS = RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
CONVERTED = RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
DEFAULT_OPTIONS = WriteOptions()
# Objects whose rows say what users may do, and the field that names the permission set.
RIGHTS = {
    "ObjectPermissions": "ParentId",
    "FieldPermissions": "ParentId",
    "PermissionSet": "Id",
    "PermissionSetAssignment": "PermissionSetId",
}
Row = dict[str, StoreValue]


class Watch(Protocol):
    """Who may object to a save, or have it stamped in the past: the faults of an org that is served."""

    def objection(self, records: Any, draft: Draft) -> RecordError | None: ...

    def lateness(self) -> timedelta: ...


class Records:
    """Insert, update, upsert, delete, undelete, read, convert and merge, with everything the org demands of a record."""

    def __init__(self, store: Store, schema: OrgSchema, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.schema = schema
        self.clock = clock
        self.watch: Watch | None = None
        self.rights_changed: Callable[[str], None] | None = None  # told the permission set whose rows were written
        self._mine = threading.local()
        self._plans: dict[str, Plan] = {}

    def plan(self, thing: OrgObject) -> Plan:
        """What saving this object asks for, worked out at first need."""
        found = self._plans.get(thing.name)
        if found is None:
            found = self._plans[thing.name] = plan_of(self.schema, thing)
        return found

    def forget_plans(self) -> None:
        """To be called when the org's rules or fields have been changed under way."""
        self._plans.clear()

    @contextmanager
    def one_deeper(self) -> Iterator[None]:
        """Counts how deep formula fields lean on each other, and stops those that go round in circles."""
        depth: int = getattr(self._mine, "depth", 0)
        if depth > 15:
            raise FormulaFailed("formula fields refer to each other")
        self._mine.depth = depth + 1
        try:
            yield
        finally:
            self._mine.depth = depth

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is written inside shares one stamp, that of its beginning, and is undone if the block raises."""
        with self.store.writing():
            outermost = not hasattr(self._mine, "stamp")
            if outermost:
                late = self.watch.lateness() if self.watch is not None else timedelta()
                self._mine.stamp = stamp(self.clock() - late)
            try:
                yield
            finally:
                if outermost:
                    del self._mine.stamp

    @property
    def now(self) -> str:
        """The stamp of the transaction under way, else of this instant."""
        kept: str | None = getattr(self._mine, "stamp", None)
        return kept or stamp(self.clock())

    def insert(
        self, caller: Caller, object_name: str, values: Mapping[str, object], options: WriteOptions = DEFAULT_OPTIONS
    ) -> SaveResult:
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        if not options.planted and not (thing.createable and caller.may(thing.name, "create")):
            text = f"entity type cannot be inserted: {thing.label}"
            return SaveResult.refused(RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text))
        draft, errors = draft_of(thing, values, caller, options, None)
        if errors:
            return SaveResult.refused(*errors)
        with self.transaction():
            return self._insert_draft(draft)

    def update(
        self,
        caller: Caller,
        object_name: str,
        record_id: str,
        values: Mapping[str, object],
        options: WriteOptions = DEFAULT_OPTIONS,
    ) -> SaveResult:
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        with self.transaction():
            before, refusal = self._reachable(caller, thing, record_id, "edit", options)
            if before is None:
                return refusal
            draft, errors = draft_of(thing, values, caller, options, before)
            if errors:
                return SaveResult.refused(*errors, record_id=str(before["Id"]))
            return self._update_draft(draft)

    def upsert(
        self,
        caller: Caller,
        object_name: str,
        external_field: str,
        external_value: object,
        values: Mapping[str, object],
        options: WriteOptions = DEFAULT_OPTIONS,
    ) -> SaveResult | list[str]:
        """One record by its external id: created, updated, or the ids of all that bear it when there are several."""
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        field = thing.fields.get(external_field)
        if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
            text = f"Field name provided, {external_field} is not an External ID or indexed field for {thing.name}"
            return SaveResult.refused(RecordError("INVALID_FIELD", text))
        try:
            wanted = store_value(field, external_value, as_text=True)
        except Refused as refused:
            return SaveResult.refused(refused.error)
        if wanted is None:
            return SaveResult.refused(RecordError("MISSING_ARGUMENT", f"{field.name} not specified"))
        with self.transaction():
            found = [
                str(row[0])
                for row in self.store.connection().execute(
                    f'SELECT "Id" FROM {quoted(thing.name)} WHERE {quoted(field.name)} = ? AND "IsDeleted" = 0 LIMIT 10',
                    (wanted,),
                )
            ]
            if len(found) > 1:
                return found
            if found:
                return self.update(caller, thing.name, found[0], values, options)
            if field.name == "Id":
                return SaveResult.refused(NO_SUCH_ID)
            return self.insert(caller, thing.name, {**values, field.name: external_value}, options)

    def delete(self, caller: Caller, object_name: str, record_id: str) -> SaveResult:
        """To the recycle bin, with the details of a master and whatever the lookups to it ask for."""
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        with self.transaction():
            before, refusal = self._reachable(caller, thing, record_id, "delete", DEFAULT_OPTIONS)
            if before is None:
                return refusal
            if thing.name == "Contact" and before.get("IsPersonAccount"):
                return SaveResult.refused(SHADOW, record_id=str(before["Id"]))
            error = self._objection(Draft(thing, caller, DEFAULT_OPTIONS, before, before))
            error = error or bury(self, thing, before, caller.user_id)
            if error is not None:
                return SaveResult.refused(error, record_id=str(before["Id"]))
            self._note_rights(thing, before, DEFAULT_OPTIONS)
            return SaveResult(str(before["Id"]), success=True, created=False)

    def undelete(self, caller: Caller, object_name: str, record_id: str) -> SaveResult:
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        with self.transaction():
            row = self.row(thing, record_id)
            if row is None:
                return SaveResult.refused(NO_SUCH_ID, record_id=record_id)
            if not row.get("IsDeleted"):
                error = RecordError("UNDELETE_FAILED", "entity is not in the recycle bin")
                return SaveResult.refused(error, record_id=str(row["Id"]))
            if not caller.may(thing.name, "delete"):
                return SaveResult.refused(NOT_YOURS, record_id=str(row["Id"]))
            # While it lay in the bin another record may have taken its unique value.
            taken = uniqueness_errors(self, Draft(thing, caller, DEFAULT_OPTIONS, row))
            errors = taken or _one_or_none(revive(self, thing, row, caller.user_id))
            if errors:
                return SaveResult.refused(*errors, record_id=str(row["Id"]))
            return SaveResult(str(row["Id"]), success=True, created=False)

    def read(self, caller: Caller, object_name: str, record_id: str) -> dict[str, object] | None:
        """The record with its compound and formula fields, deleted or not; None if there is none, or none for this caller."""
        thing = self.schema.objects.get(object_name)
        if thing is None or not caller.may(thing.name, "read"):
            return None
        row = self.row(thing, record_id)
        if row is None:
            return None
        whole = completed(self, thing, row, caller)
        return {name: value for name, value in whole.items() if caller.may_read_field(thing.name, name)}

    def convert(self, caller: Caller, request: ConvertRequest) -> ConvertResult:
        with self.transaction():
            thing = self.schema.objects["Lead"]
            row = self.row(thing, request.lead_id)
            error = self._objection(Draft(thing, caller, DEFAULT_OPTIONS, row, row)) if row else None
            if error is not None:
                return ConvertResult(False, lead_id=request.lead_id, errors=(error,))
            return convert_lead(self, caller, request)

    def merge(
        self,
        caller: Caller,
        object_name: str,
        master_id: str,
        loser_ids: list[str],
        values: Mapping[str, object],
    ) -> SaveResult:
        thing = self.schema.objects.get(object_name)
        if thing is None:
            return SaveResult.refused(no_such_type(object_name))
        with self.transaction():
            return merge_records(self, caller, thing, master_id, loser_ids, values)

    # What the neighbouring modules of the door use.

    def row(self, thing: OrgObject, record_id: object) -> Row | None:
        """The stored row, deleted or not."""
        try:
            wanted = whole_id(record_id)
        except MalformedId:
            return None
        found = self.store.connection().execute(f'SELECT * FROM {quoted(thing.name)} WHERE "Id" = ?', (wanted,))
        row = found.fetchone()
        return None if row is None else dict(row)

    def write_columns(self, thing: OrgObject, record_id: str, columns: Mapping[str, StoreValue]) -> None:
        """Writes columns as they are. The stamps are the caller's business."""
        if not columns:
            return
        places = ", ".join(f"{quoted(name)} = ?" for name in columns)
        self.store.connection().execute(
            f'UPDATE {quoted(thing.name)} SET {places} WHERE "Id" = ?', (*columns.values(), record_id)
        )

    def touched(self, thing: OrgObject, user_id: str) -> Row:
        """The stamps of a change made now by this user, for the object's columns that exist."""
        stamps: Row = {"LastModifiedDate": self.now, "LastModifiedById": user_id, "SystemModstamp": self.now}
        return {name: value for name, value in stamps.items() if name in thing.fields}

    def _reachable(
        self, caller: Caller, thing: OrgObject, record_id: str, action: str, options: WriteOptions
    ) -> tuple[Row | None, SaveResult]:
        """The row to change, or the refusal."""
        try:
            wanted = whole_id(record_id)
        except MalformedId:
            text = f"{thing.label} ID: id value of incorrect type: {record_id}"
            return None, SaveResult.refused(RecordError("MALFORMED_ID", text, ("Id",)), record_id=record_id)
        if not wanted.startswith(thing.key_prefix):
            text = f"{thing.label} ID: id value of incorrect type: {record_id}"
            return None, SaveResult.refused(RecordError("MALFORMED_ID", text, ("Id",)), record_id=wanted)
        row = self.row(thing, wanted)
        if (
            row is None
            or not caller.may(thing.name, "read")
            or not caller.sight.sees(thing.name, wanted, row.get("OwnerId"))
        ):
            return None, SaveResult.refused(NO_SUCH_ID, record_id=wanted)
        if row.get("IsDeleted"):
            return None, SaveResult.refused(DELETED, record_id=wanted)
        is_open = thing.deletable if action == "delete" else thing.updateable
        if not (is_open and caller.may(thing.name, action) and caller.sight.changes(thing.name, row.get("OwnerId"))):
            return None, SaveResult.refused(NOT_YOURS, record_id=wanted)
        if action == "edit" and row.get("IsConverted") and not self._may_edit_converted(caller, options):
            return None, SaveResult.refused(CONVERTED, record_id=wanted)
        return row, SaveResult.refused()

    def _may_edit_converted(self, caller: Caller, options: WriteOptions) -> bool:
        # All rights are wide, but this one is given by name: the platform's administrators do not have it either.
        return options.convert_leads_editable or caller.permissions.has("AllowViewEditConvertedLeads")

    def _note_rights(self, thing: OrgObject, values: Row, options: WriteOptions) -> None:
        if thing.name in RIGHTS and self.rights_changed is not None and not options.planted:
            self.rights_changed(str(values.get(RIGHTS[thing.name]) or ""))

    def _objection(self, draft: Draft) -> RecordError | None:
        return None if self.watch is None else self.watch.objection(self, draft)

    def _insert_draft(self, draft: Draft) -> SaveResult:
        fill_new(self, draft)
        settle_derived(self, draft)
        if not draft.options.planted:
            objection = self._objection(draft)
            if objection is not None:
                return SaveResult.refused(objection)
            errors = first_errors(self, draft) or _one_or_none(assign_owner(self, draft))
            if errors:
                return SaveResult.refused(*errors)
        record_id = str(draft.values.get("Id") or self.store.next_id(draft.thing))
        draft.values["Id"] = record_id
        name = draft.thing.fields.get("Name")
        if draft.thing.custom and name is not None and draft.values.get("Name") is None:
            draft.values["Name"] = record_id  # the platform names a nameless custom record by its id
        names = ", ".join(map(quoted, draft.values))
        marks = ", ".join("?" * len(draft.values))
        self.store.connection().execute(
            f"INSERT INTO {quoted(draft.thing.name)} ({names}) VALUES ({marks})", tuple(draft.values.values())
        )
        settle_summaries(self, draft)
        mirror_person(self, draft)
        self._note_rights(draft.thing, draft.values, draft.options)
        return SaveResult(record_id, success=True, created=True)

    def _update_draft(self, draft: Draft) -> SaveResult:
        record_id = str(draft.values["Id"])
        settle_derived(self, draft)
        if not draft.options.planted:
            objection = self._objection(draft)
            if objection is not None:
                return SaveResult.refused(objection, record_id=record_id)
            errors = first_errors(self, draft) or _one_or_none(assign_owner(self, draft))
            if errors:
                return SaveResult.refused(*errors, record_id=record_id)
        # The platform stamps a record at every save, even one that changes nothing.
        draft.values.update(self.touched(draft.thing, draft.caller.user_id))
        self.write_columns(draft.thing, record_id, draft.changed)
        settle_summaries(self, draft)
        mirror_person(self, draft)
        self._note_rights(draft.thing, draft.values, draft.options)
        return SaveResult(record_id, success=True, created=False)


def _one_or_none(error: RecordError | None) -> list[RecordError]:
    return [] if error is None else [error]


def no_such_type(name: str) -> RecordError:
    return RecordError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
