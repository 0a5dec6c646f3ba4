"""Do the ids a record carries lead somewhere? Kind, existence, rights; owners and record types have rules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.ids import short_id
from relance.sandbox.outcomes import RecordError
from relance.sandbox.schema import OrgField, OrgObject

if TYPE_CHECKING:
    from relance.sandbox.records import Records


def reference_errors(records: Records, draft: Draft) -> list[RecordError]:
    errors: list[RecordError] = []
    for field in records.plan(draft.thing).references:
        target = draft.values.get(field.name)
        if not draft.has_changed(field.name):
            continue
        if target is None:
            if field.name == "OwnerId" and draft.thing.owned:
                text = "Owner ID: owner cannot be blank"
                errors.append(RecordError("INVALID_CROSS_REFERENCE_KEY", text, ("OwnerId",)))
            continue
        error = _error_of(records, draft, field, str(target))
        if error is not None:
            errors.append(error)
    return errors


def _error_of(records: Records, draft: Draft, field: OrgField, target: str) -> RecordError | None:
    if field.name == "OwnerId" and target.startswith(_prefix(records, "Group")):
        return _queue_error(records, draft, field, target)
    other = _target_object(records, field, target)
    if other is None:
        text = f"{field.label}: id value of incorrect type: {target}"
        return RecordError("FIELD_INTEGRITY_EXCEPTION", text, (field.name,))
    row = records.row(other, target)
    if row is None:
        return RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
    if row.get("IsDeleted"):
        return RecordError("ENTITY_IS_DELETED", "entity is deleted", (field.name,))
    if other.name == "RecordType":
        return _record_type_error(draft, field, row)
    if field.name == "OwnerId" and not row.get("IsActive", 1):
        text = f"operation performed with inactive user [{short_id(target)}] as owner of {draft.thing.name.lower()}"
        return RecordError("INACTIVE_OWNER_OR_USER", text, ("OwnerId",))
    if other.name not in ("User", "Group") and not draft.caller.may(other.name, "read"):
        text = f"insufficient access rights on cross-reference id: {short_id(target)}"
        return RecordError("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text)
    return None


def _target_object(records: Records, field: OrgField, target: str) -> OrgObject | None:
    for name in field.reference_to:
        other = records.schema.objects.get(name)
        if other is not None and target.startswith(other.key_prefix):
            return other
    return None


def _queue_error(records: Records, draft: Draft, field: OrgField, target: str) -> RecordError | None:
    if "Group" not in field.reference_to:
        text = "Operation not valid for this user type"
        return RecordError("OP_WITH_INVALID_USER_TYPE_EXCEPTION", text, (field.name,))
    connection = records.store.connection()
    queue = connection.execute('SELECT "Type" FROM "Group" WHERE "Id" = ?', (target,)).fetchone()
    if queue is None:
        return RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
    serves = connection.execute(
        'SELECT 1 FROM "QueueSobject" WHERE "QueueId" = ? AND "SobjectType" = ?', (target, draft.thing.name)
    ).fetchone()
    if queue[0] == "Queue" and serves is not None:
        return None
    return RecordError("INVALID_OPERATION", "Queue not associated with this SObject type", (field.name,))


def _record_type_error(draft: Draft, field: OrgField, row: dict[str, str | int | float | None]) -> RecordError | None:
    if str(row.get("SobjectType") or "").lower() == draft.thing.name.lower() and row.get("IsActive"):
        return None
    text = f"{field.label}: this ID value isn't valid for the user: {row.get('Id')}"
    return RecordError("INVALID_CROSS_REFERENCE_KEY", text, (field.name,))


def _prefix(records: Records, name: str) -> str:
    thing = records.schema.objects.get(name)
    return thing.key_prefix if thing is not None else "\0"
