"""Assignment rules: the first entry that matches a lead or a case gives it its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.filters import logic_holds, meets
from relance.sandbox.formula import FormulaFailed, UnsupportedFormula, compiled
from relance.sandbox.ids import is_id, whole_id
from relance.sandbox.outcomes import RecordError
from relance.sandbox.schema import AssignmentRule, RuleEntry
from relance.sandbox.scope import scope_of

if TYPE_CHECKING:
    from relance.sandbox.records import Records

ASSIGNED = frozenset({"Lead", "Case", "Account"})


def assign_owner(records: Records, draft: Draft) -> RecordError | None:
    """Gives the record the owner the asked rule names. With no rule, or no entry that matches, it keeps the one it has."""
    asked = draft.options.auto_assign
    if not asked or draft.thing.name not in ASSIGNED or (isinstance(asked, str) and not draft.is_new):
        return None
    rule = _asked_rule(records, draft, asked)
    if rule is None:
        if isinstance(asked, str):
            return RecordError("INVALID_ASSIGNMENT_RULE", f"invalid assignment rule: {asked}")
        return None
    for entry in rule.entries:
        if entry_matches(records, draft, entry):
            owner = owner_named(records, entry)
            if owner is not None:
                draft.values["OwnerId"] = owner
            return None
    return None


def entry_matches(records: Records, draft: Draft, entry: RuleEntry) -> bool:
    """An entry has a formula, or criteria joined by its logic; with neither it takes everything."""
    if entry.formula:
        try:
            return compiled(entry.formula).holds(scope_of(records, draft))
        except (FormulaFailed, UnsupportedFormula):
            return False
    verdicts = []
    for name, operation, wanted in entry.criteria:
        field = draft.thing.fields.get(name.rpartition(".")[2])
        verdicts.append(meets(field, operation, wanted, None if field is None else draft.values.get(field.name)))
    return logic_holds(entry.boolean_filter, verdicts)


def owner_named(records: Records, entry: RuleEntry) -> str | None:
    """The id of the user or queue an entry assigns to; None when the org has no such one, or the user is inactive."""
    connection = records.store.connection()
    if entry.assigned_to_type == "Queue":
        row = connection.execute(
            'SELECT "Id" FROM "Group" WHERE "Type" = \'Queue\' AND "DeveloperName" = ?', (entry.assigned_to,)
        ).fetchone()
    else:
        row = connection.execute(
            'SELECT "Id" FROM "User" WHERE "Username" = ? AND "IsActive" = 1', (entry.assigned_to,)
        ).fetchone()
    return None if row is None else str(row[0])


def _asked_rule(records: Records, draft: Draft, asked: bool | str) -> AssignmentRule | None:
    rules = [rule for rule in records.schema.assignment_rules if rule.object.lower() == draft.thing.name.lower()]
    if not isinstance(asked, str):
        return next((rule for rule in rules if rule.active), None)
    if not is_id(asked):
        return None
    row = (
        records.store.connection()
        .execute('SELECT "Name" FROM "AssignmentRule" WHERE "Id" = ?', (whole_id(asked),))
        .fetchone()
    )
    return next((rule for rule in rules if row is not None and rule.name == row[0]), None)
