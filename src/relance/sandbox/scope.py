"""What formulas see: the record being saved or read, the records it points to, the user, the org. And what they make of it."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from relance.sandbox.compounds import compound_value
from relance.sandbox.draft import Draft
from relance.sandbox.formula import FormulaFailed, FormulaValue
from relance.sandbox.formula_values import as_text
from relance.sandbox.ids import short_id
from relance.sandbox.outcomes import Caller
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.values import StoreValue, moment_of, stamp

if TYPE_CHECKING:
    from relance.sandbox.records import Records

Row = dict[str, StoreValue]
NUMBERS = frozenset({"double", "currency", "percent", "int"})
TEXTS_NEVER = frozenset({"date", "datetime", "time", "boolean", *NUMBERS})


class RecordScope:
    """The scope of one record, new, changed or merely read."""

    def __init__(self, records: Records, thing: OrgObject, row: Row, before: Row | None, caller: Caller) -> None:
        self.is_new = before is None
        self.now = moment_of(records.now)
        self.blank_as_zero = False
        self._records = records
        self._thing = thing
        self._row = row
        self._before = before
        self._caller = caller

    def field(self, path: str) -> FormulaValue:
        if path.startswith("$"):
            return self._global(path)
        return self._walk(self._thing, self._row, path)

    def prior(self, path: str) -> FormulaValue:
        return self._walk(self._thing, self._row if self._before is None else self._before, path)

    def changed(self, path: str) -> bool:
        if self._before is None:
            return False
        found = self._thing.fields.get(path)
        return found is not None and self._before.get(found.name) != self._row.get(found.name)

    def _walk(self, thing: OrgObject, row: Row | None, path: str) -> FormulaValue:
        """Follows relationships to the last name; a blank link on the way makes everything beyond it blank."""
        *links, last = path.split(".")
        for link in links:
            step = self._follow(thing, row, link)
            if step is None:
                return self._blank(path)
            thing, row = step
        found = thing.fields.get(last)
        if found is None:
            raise FormulaFailed(f"{thing.name} has no field {last}")
        return self._value(thing, found, row)

    def _follow(self, thing: OrgObject, row: Row | None, link: str) -> tuple[OrgObject, Row] | None:
        link = link.partition(":")[0].lower()  # Owner:User
        for each in thing.fields:
            if each.type == "reference" and each.relationship.lower() == link:
                target = None if row is None else row.get(each.name)
                if target is None:
                    return None
                for name in each.reference_to:
                    other = self._records.schema.objects.get(name)
                    if other is not None and str(target).startswith(other.key_prefix):
                        there = self._records.row(other, target)
                        return None if there is None else (other, there)
                return None
        raise FormulaFailed(f"{thing.name} has no relationship {link}")

    def _blank(self, path: str) -> FormulaValue:
        # The kind of what lies beyond a blank link is not looked up: text, by far the most asked for.
        return None if path.endswith(("Date", "Date__c")) else ""

    def _value(self, thing: OrgObject, found: OrgField, row: Row | None) -> FormulaValue:
        if row is None:
            return None
        if not found.stored:
            raw = computed_value(self._records, thing, row, found, self._caller)
            return formula_value(found, raw if isinstance(raw, str | int | float | None) else None)
        value = formula_value(found, row.get(found.name))
        return Decimal(0) if value is None and self.blank_as_zero and found.type in NUMBERS else value

    def _global(self, path: str) -> FormulaValue:
        root, _dot, rest = path.partition(".")
        match root.lower():
            case "$user":
                return self._of_row("User", self._caller.user_id, rest)
            case "$profile":
                return self._through_user("ProfileId", "Profile", rest)
            case "$userrole":
                return self._through_user("UserRoleId", "UserRole", rest)
            case "$organization":
                row = self._records.store.connection().execute('SELECT "Id" FROM "Organization"').fetchone()
                return self._of_row("Organization", "" if row is None else str(row[0]), rest)
            case "$recordtype":
                return self._of_row("RecordType", str(self._row.get("RecordTypeId") or ""), rest)
            case "$permission":
                return self._caller.permissions.has(rest)
            case "$setup":
                return None  # a setting nobody filled in
        raise FormulaFailed(f"{path} is not known here")

    def _through_user(self, link: str, object_name: str, rest: str) -> FormulaValue:
        user = self._records.schema.objects.get("User")
        row = None if user is None else self._records.row(user, self._caller.user_id)
        return self._of_row(object_name, "" if row is None else str(row.get(link) or ""), rest)

    def _of_row(self, object_name: str, record_id: str, path: str) -> FormulaValue:
        thing = self._records.schema.objects.get(object_name)
        row = None if thing is None else self._records.row(thing, record_id)
        return "" if thing is None or row is None else self._walk(thing, row, path)


def scope_of(records: Records, draft: Draft) -> RecordScope:
    return RecordScope(records, draft.thing, draft.values, draft.before, draft.caller)


def formula_value(found: OrgField, stored: StoreValue) -> FormulaValue:
    """A stored value as formulas see it: blank text is '', an id has 15 characters."""
    if stored is None:
        return False if found.type == "boolean" else None if found.type in TEXTS_NEVER else ""
    match found.type:
        case "boolean":
            return bool(stored)
        case "percent":
            return Decimal(str(stored)) / 100
        case "double" | "currency" | "int":
            return Decimal(str(stored))
        case "date":
            return date.fromisoformat(str(stored))
        case "datetime":
            return datetime.fromisoformat(str(stored))
        case "time":
            return time.fromisoformat(str(stored)[:8])
        case "reference" | "id":
            return short_id(str(stored))
    return str(stored)


def completed(records: Records, thing: OrgObject, row: Row, caller: Caller) -> dict[str, object]:
    """The row with every field of the object, computed ones included."""
    whole: dict[str, object] = {field.name: row.get(field.name) for field in thing.fields if field.stored}
    for field in thing.fields:
        if not field.stored:
            whole[field.name] = computed_value(records, thing, row, field, caller)
    return whole


def computed_value(records: Records, thing: OrgObject, row: Row, field: OrgField, caller: Caller) -> object:
    """One field without a column: text, a number, or a dictionary for an address or a location."""
    if field.virtual:
        return compound_value(thing, row, field)
    return _formula(records, thing, row, field, caller)


def _formula(records: Records, thing: OrgObject, row: Row, field: OrgField, caller: Caller) -> StoreValue:
    formula = records.plan(thing).formulas.get(field.name)
    if formula is None:
        return 0 if field.type == "boolean" else None
    scope = RecordScope(records, thing, row, row, caller)
    scope.blank_as_zero = field.treat_blanks_as_zero
    try:
        with records.one_deeper():
            return _stored(field, formula.value(scope))
    except FormulaFailed:
        # The platform shows #Error! on the page and gives nothing to the data API.
        return 0 if field.type == "boolean" else None


def _stored(field: OrgField, value: FormulaValue) -> StoreValue:
    match value:
        case None:
            return 0 if field.type == "boolean" else None
        case bool():
            return int(value)
        case Decimal():
            number = value * 100 if field.type == "percent" else value
            return round(float(number), field.scale) if field.scale or field.precision else float(number)
        case datetime():
            return stamp(value)
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M:%S.000Z")
    return as_text(value) or None
