"""Faults that meet single records: the errors the org would give, with the names it would give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relance.sandbox.draft import Draft
from relance.sandbox.outcomes import DuplicateMatch, DuplicateResult, RecordError
from relance.sandbox.schema import OrgField
from relance.sandbox.store import quoted

Options = Mapping[str, Any]


def lock_row(_records: Any, draft: Draft, options: Options) -> RecordError:
    values = draft.values
    holder = options["holder"] or values.get("AccountId") or values.get("OwnerId") or values.get("Id") or ""
    return RecordError(
        "UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {str(holder)[:15]}"
    )


def validation(_records: Any, draft: Draft, options: Options) -> RecordError:
    """By the name of a rule of the org, or the first active one of the object."""
    rules = [rule for rule in draft.thing.validation_rules if options["rule"] in (None, rule.name)]
    rule = next((each for each in rules if each.active), None)
    message = options["message"] or (rule.message if rule else "The record breaks a rule of the org.")
    name = options["field"] or (rule.field if rule else "")
    return RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", str(message), (str(name),) if name else ())


def duplicate_blocked(records: Any, draft: Draft, options: Options) -> RecordError:
    return _duplicate(records, draft, options, allow_save=False)


def duplicate_warned(records: Any, draft: Draft, options: Options) -> RecordError | None:
    return None if draft.options.allow_save else _duplicate(records, draft, options, allow_save=True)


def _duplicate(records: Any, draft: Draft, options: Options, *, allow_save: bool) -> RecordError:
    rules = [each for each in records.schema.duplicate_rules if each.object.lower() == draft.thing.name.lower()]
    known = next((each for each in rules if options["rule"] in (None, each.name)), None)
    name = options["rule"] or (known.name if known else f"Standard_{draft.thing.name}_Duplicate_Rule")
    matching = known.matches[0][1] if known and known.matches else f"Standard_{draft.thing.name}_Match_Rule_v1_0"
    message = str(options["message"] or (known.alert if known else "") or "Use one of these records?")
    ids = options["matches"] if options["matches"] is not None else _somebody(records, draft)
    matches = tuple(DuplicateMatch(draft.thing.name, str(each), matching) for each in ids)
    return RecordError(
        "DUPLICATES_DETECTED", message, (), DuplicateResult(str(name), draft.thing.name, allow_save, message, matches)
    )


def _somebody(records: Any, draft: Draft) -> list[str]:
    """Some other living record: a match list has at least one."""
    statement = f'SELECT "Id" FROM {quoted(draft.thing.name)} WHERE "IsDeleted" = 0 AND "Id" <> ? ORDER BY "Id" LIMIT 1'
    return [str(row[0]) for row in records.store.connection().execute(statement, (draft.values.get("Id") or "",))]


def picklist(_records: Any, draft: Draft, options: Options) -> RecordError | None:
    field = _field(draft, options, lambda each: each.type in ("picklist", "multipicklist"))
    if field is None:
        return None
    text = (
        options["message"] or f"{field.label}: bad value for restricted picklist field: {draft.values.get(field.name)}"
    )
    return RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", str(text), (field.name,))


def required(_records: Any, draft: Draft, options: Options) -> RecordError | None:
    field = _field(draft, options, lambda each: not each.system)
    if field is None:
        return None
    text = options["message"] or f"Required fields are missing: [{field.name}]"
    return RecordError("REQUIRED_FIELD_MISSING", str(text), (field.name,))


def too_long(_records: Any, draft: Draft, options: Options) -> RecordError | None:
    field = _field(draft, options, lambda each: each.type in ("string", "textarea", "phone", "email", "url"))
    if field is None:
        return None
    value = draft.values.get(field.name)
    text = options["message"] or f"{field.label}: data value too large: {value} (max length={field.length})"
    return RecordError("STRING_TOO_LONG", str(text), (field.name,))


def refuse_record(_records: Any, _draft: Draft, options: Options) -> RecordError:
    return RecordError(str(options["code"]), str(options["message"]), tuple(options["fields"]))


def _field(draft: Draft, options: Options, fits: Callable[[OrgField], bool]) -> OrgField | None:
    """The field asked for, or the first the client named that fits."""
    if options["field"]:
        return draft.thing.fields.get(str(options["field"]))
    return next((each for each in draft.thing.fields if each.name in draft.given and fits(each)), None)


RECORDS: dict[str, Callable[[Any, Draft, Options], RecordError | None]] = {
    "lock_row": lock_row,
    "partial": validation,
    "dup_rule": duplicate_blocked,
    "dup_alert": duplicate_warned,
    "validation": validation,
    "picklist": picklist,
    "required": required,
    "too_long": too_long,
    "refuse_record": refuse_record,
}
