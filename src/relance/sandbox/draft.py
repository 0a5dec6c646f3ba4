"""A record being saved: what the client sent, read against the object's fields, beside what the store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relance.sandbox.outcomes import Caller, RecordError, WriteOptions
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.values import Refused, StoreValue, store_value


@dataclass(slots=True)
class Draft:
    """`values` is the record as it would be; `given` the fields the client named; `before` the stored record, None for a new one."""

    thing: OrgObject
    caller: Caller
    options: WriteOptions
    values: dict[str, StoreValue]
    before: dict[str, StoreValue] | None = None
    given: set[str] = field(default_factory=set)
    duplicates_allowed: bool = False

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def changed(self) -> dict[str, StoreValue]:
        """The columns to write."""
        if self.before is None:
            return self.values
        return {name: value for name, value in self.values.items() if self.before.get(name) != value}

    def has_changed(self, name: str) -> bool:
        return self.before is None or self.before.get(name) != self.values.get(name)


def draft_of(
    thing: OrgObject,
    sent: Mapping[str, object],
    caller: Caller,
    options: WriteOptions,
    before: dict[str, StoreValue] | None,
) -> tuple[Draft, list[RecordError]]:
    """Reads what was sent. The errors are of one stage: names first, then rights, then values."""
    draft = Draft(thing, caller, options, dict(before or {}), before)
    named: list[tuple[OrgField, object]] = []
    for name, value in sent.items():
        if name == "attributes":
            continue
        found = thing.fields.get(name)
        if found is None or not (options.planted or caller.may_read_field(thing.name, found.name)):
            return draft, [_no_such_column(name, thing)]
        named.append((found, value))
    if not options.planted:
        closed = [found.name for found, _value in named if not _is_writable(found, draft)]
        if closed:
            return draft, [closed_fields(closed, is_new=draft.is_new)]
    return draft, _read_values(draft, named)


def closed_fields(names: list[str], is_new: bool) -> RecordError:
    if is_new and names == ["Id"]:
        text = "cannot specify Id in an insert call"
    else:
        text = (
            f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and"
            " verify that it is read/write for your profile or permission set."
        )
    return RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", text, tuple(names))


def _no_such_column(name: str, thing: OrgObject) -> RecordError:
    return RecordError("INVALID_FIELD", f"No such column '{name}' on sobject of type {thing.name}")


def _is_writable(found: OrgField, draft: Draft) -> bool:
    open_to_all = found.createable if draft.is_new else found.updateable
    return open_to_all and not found.system and draft.caller.may_edit_field(draft.thing.name, found.name)


def _read_values(draft: Draft, named: list[tuple[OrgField, object]]) -> list[RecordError]:
    errors: list[RecordError] = []
    for found, value in named:
        if not found.stored:
            continue
        try:
            draft.values[found.name] = store_value(found, value, draft.options.as_text)
        except Refused as refused:
            errors.append(refused.error)
        draft.given.add(found.name)
    return errors
