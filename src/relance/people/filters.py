"""The filters of a list: conditions parsed from the page's address, then compiled to Django expressions.

A condition about a blank value is neither true nor false but unknown, and an unknown condition does not hold: `score at least
50` leaves out people without a score, and so does `score at most 50`. "Is not" and "has none of" are the exception a reader
expects: they mean "it is not true that it is", so the blank ones are in. `matches` says the same in Python; a test holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relance.workspace.models import User

from .catalogue import FieldKind, FieldSpec, Subject, fields_of
from .rules import ISO, ValueRefused, read_value
from .side import side_model

VALUES_SEPARATOR = "|"
MOST_CONDITIONS = 20
ME = "me"


class Operator(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    STARTS = "starts"
    AT_LEAST = "gte"
    AT_MOST = "lte"
    ON = "on"
    BEFORE = "before"
    AFTER = "after"
    LAST_DAYS = "last_days"
    HAS_ANY = "has_any"
    HAS_NONE = "has_none"
    BLANK = "blank"
    FILLED = "filled"


OPERATOR_LABELS = {
    Operator.IS: gettext_lazy("is"),
    Operator.IS_NOT: gettext_lazy("is not"),
    Operator.CONTAINS: gettext_lazy("contains"),
    Operator.STARTS: gettext_lazy("begins with"),
    Operator.AT_LEAST: gettext_lazy("is at least"),
    Operator.AT_MOST: gettext_lazy("is at most"),
    Operator.ON: gettext_lazy("is on"),
    Operator.BEFORE: gettext_lazy("is before"),
    Operator.AFTER: gettext_lazy("is after"),
    Operator.LAST_DAYS: gettext_lazy("is within the last days"),
    Operator.HAS_ANY: gettext_lazy("has one of"),
    Operator.HAS_NONE: gettext_lazy("has none of"),
    Operator.BLANK: gettext_lazy("is empty"),
    Operator.FILLED: gettext_lazy("is filled in"),
}
NEEDS_NO_VALUE = frozenset({Operator.BLANK, Operator.FILLED})
_EMPTINESS = (Operator.FILLED, Operator.BLANK)
_TEXT = (Operator.IS, Operator.IS_NOT, Operator.CONTAINS, Operator.STARTS, *_EMPTINESS)
_FIGURE = (Operator.IS, Operator.IS_NOT, Operator.AT_LEAST, Operator.AT_MOST, *_EMPTINESS)
_DAY = (Operator.ON, Operator.BEFORE, Operator.AFTER, Operator.LAST_DAYS, *_EMPTINESS)
OPERATORS: dict[FieldKind, tuple[Operator, ...]] = {
    FieldKind.TEXT: _TEXT,
    FieldKind.LONG_TEXT: (Operator.CONTAINS, *_EMPTINESS),
    FieldKind.EMAIL: _TEXT,
    FieldKind.PHONE: _TEXT,
    FieldKind.URL: _TEXT,
    FieldKind.INTEGER: _FIGURE,
    FieldKind.NUMBER: _FIGURE,
    FieldKind.BOOLEAN: (Operator.IS, *_EMPTINESS),
    FieldKind.DATE: _DAY,
    FieldKind.DATETIME: _DAY,
    FieldKind.CHOICE: (Operator.IS, Operator.IS_NOT, *_EMPTINESS),
    FieldKind.CHOICES: (Operator.HAS_ANY, Operator.HAS_NONE, *_EMPTINESS),
}


class FilterRefused(ValueError):
    """Theirs: this condition cannot be read. The message says which and what is possible."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """Something a list can be filtered by. `lookup` is its path in the core table; custom fields have none."""

    key: str
    label: Any
    kind: FieldKind
    operators: tuple[Operator, ...]
    lookup: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    state: Callable[[], Q] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One chip: a field, an operator, values already read as the field's kind."""

    field: FilterField
    operator: Operator
    values: tuple[Any, ...] = ()
    written: str = ""

    @property
    def text(self) -> str:
        """As the address writes it."""
        return f"{self.field.key}:{self.operator.value}" + (f":{self.written}" if self.written else "")


_states: dict[Subject, dict[str, tuple[Any, Callable[[], Q]]]] = {Subject.PERSON: {}, Subject.COMPANY: {}}


def register_state(subject: Subject, key: str, label: Any, condition: Callable[[], Q]) -> None:
    """A room above adds a yes-or-no filter to the lists, such as `in_crm`; `condition` gives the expression that is true for yes."""
    _states[subject][key] = (label, condition)


def filter_fields(subject: Subject) -> dict[str, FilterField]:
    """Everything a list of this subject can be filtered by: the catalogue, relations, moments, and what other rooms registered."""
    known = [_from_spec(spec) for spec in fields_of(subject)]
    reference = (Operator.IS, Operator.IS_NOT, *_EMPTINESS)
    known += [
        FilterField("owner", _("Owner"), FieldKind.INTEGER, reference, "owner_id"),
        FilterField("team", _("Team"), FieldKind.INTEGER, reference, "team_id"),
        FilterField("created", _("Created"), FieldKind.DATETIME, _DAY[:4], "created_at"),
        FilterField("updated", _("Updated"), FieldKind.DATETIME, _DAY[:4], "updated_at"),
    ]
    if subject is Subject.PERSON:
        known.append(FilterField("company", _("Company"), FieldKind.INTEGER, reference, "company_id"))
    for key, (label, condition) in _states[subject].items():
        known.append(FilterField(key, label, FieldKind.BOOLEAN, (Operator.IS,), state=condition))
    return {field.key: field for field in known}


def parse_conditions(
    subject: Subject, texts: Iterable[str], *, user: User | None = None, zone: str = "UTC"
) -> list[Condition]:
    """Read `key:operator:value|value` texts. FilterRefused names the first that cannot be read."""
    fields = filter_fields(subject)
    texts = list(texts)
    if len(texts) > MOST_CONDITIONS:
        raise FilterRefused(_("A list takes at most %(most)s filters: remove some.") % {"most": MOST_CONDITIONS})
    return [_parse(fields, text, user, zone) for text in texts]


def compile_conditions(subject: Subject, conditions: Iterable[Condition], *, now: datetime, zone: str = "UTC") -> Q:
    """All the conditions as one expression over the subject's model."""
    together = Q()
    for condition in conditions:
        together &= _compile(subject, condition, now, zone)
    return together


def matches(condition: Condition, value: Any, *, now: datetime, zone: str = "UTC") -> bool:
    """The same in Python, about one value of the field."""
    operator, wanted = condition.operator, condition.values
    if operator in (Operator.IS_NOT, Operator.HAS_NONE):
        positive = Operator.IS if operator is Operator.IS_NOT else Operator.HAS_ANY
        return not matches(replace(condition, operator=positive), value, now=now, zone=zone)
    if value is None or operator in NEEDS_NO_VALUE:
        return (value is None) == (operator is Operator.BLANK)
    match operator:
        case Operator.IS:
            return any(_same(value, one) for one in wanted)
        case Operator.HAS_ANY:
            return bool(set(value) & set(wanted))
        case Operator.CONTAINS:
            return any(str(one).upper() in str(value).upper() for one in wanted)
        case Operator.STARTS:
            return any(str(value).upper().startswith(str(one).upper()) for one in wanted)
        case Operator.AT_LEAST:
            return bool(value >= wanted[0])
        case Operator.AT_MOST:
            return bool(value <= wanted[0])
        case _:
            low, high = _bounds(condition, now, zone)
            return (low is None or value >= low) and (high is None or value < high)


def _from_spec(spec: FieldSpec) -> FilterField:
    return FilterField(
        spec.key,
        spec.label,
        spec.kind,
        OPERATORS[spec.kind],
        "" if spec.is_custom else spec.column,
        tuple((choice, choice) for choice in spec.choices),
    )


def _parse(fields: Mapping[str, FilterField], text: str, user: User | None, zone: str) -> Condition:
    key, _colon, rest = text.partition(":")
    name, _colon, written = rest.partition(":")
    field = fields.get(key)
    if field is None:
        raise FilterRefused(_("There is no field “%(field)s” to filter by.") % {"field": key[:80]})
    operator = next((one for one in field.operators if one.value == name), None)
    if operator is None:
        raise FilterRefused(
            _("“%(field)s” cannot be filtered with “%(operator)s”.") % {"field": field.label, "operator": name[:20]}
        )
    if operator in NEEDS_NO_VALUE:
        return Condition(field, operator)
    written = written[:2000]
    values = tuple(_read(field, operator, one, user, zone) for one in written.split(VALUES_SEPARATOR) if one.strip())
    if not values:
        raise FilterRefused(_("Give a value for “%(field)s”.") % {"field": field.label})
    return Condition(field, operator, values, written)


def _read(field: FilterField, operator: Operator, text: str, user: User | None, zone: str) -> Any:
    if field.lookup.endswith("_id"):
        return _reference(field, text, user)
    try:
        if operator is Operator.LAST_DAYS:
            days = read_value(FieldKind.INTEGER, text)
            return max(1, min(int(str(days)), 3650))
        if field.kind in (FieldKind.DATE, FieldKind.DATETIME):
            return read_value(FieldKind.DATE, text)
        if operator in (Operator.CONTAINS, Operator.STARTS) or field.kind in _OPEN_TEXT:
            return read_value(FieldKind.TEXT, text)
        return read_value(field.kind, text, reading=replace(ISO, zone=zone))
    except ValueRefused as refused:
        raise FilterRefused(
            _("“%(value)s” cannot be compared with “%(field)s”.") % {"value": text[:80], "field": field.label}
        ) from refused


_OPEN_TEXT = (
    FieldKind.TEXT,
    FieldKind.EMAIL,
    FieldKind.PHONE,
    FieldKind.URL,
    FieldKind.CHOICE,
    FieldKind.CHOICES,
)


def _reference(field: FilterField, text: str, user: User | None) -> int:
    if text == ME and field.key == "owner" and user is not None:
        return int(user.pk)
    if not text.isdecimal():
        raise FilterRefused(_("“%(value)s” is nobody known here.") % {"value": text[:80]})
    return int(text)


def _compile(subject: Subject, condition: Condition, now: datetime, zone: str) -> Q:
    field, operator = condition.field, condition.operator
    if field.state is not None:
        return field.state() if condition.values[0] else ~field.state()
    if operator in (Operator.IS_NOT, Operator.HAS_NONE, Operator.BLANK):
        positive = {Operator.IS_NOT: Operator.IS, Operator.HAS_NONE: Operator.HAS_ANY, Operator.BLANK: Operator.FILLED}
        return ~_compile(subject, replace(condition, operator=positive[operator]), now, zone)
    if field.lookup:
        return _leaf(condition, field.lookup, now, zone)
    side = side_model(subject)._default_manager
    return Q(Exists(side.filter(_leaf(condition, field.key, now, zone), pk=OuterRef("pk"))))


def _leaf(condition: Condition, path: str, now: datetime, zone: str) -> Q:
    """True for the rows where the positive condition is known to hold; never true for a blank."""
    operator, values = condition.operator, condition.values
    filled = Q(**{f"{path}__isnull": False})
    if condition.field.key == "email" and operator is Operator.IS:
        return Q(email_key__in=[str(value).lower() for value in values])
    match operator:
        case Operator.FILLED:
            return filled
        case Operator.IS if condition.field.kind in _OPEN_TEXT:
            return filled & _any(path, "iexact", values)
        case Operator.IS:
            return filled & Q(**{f"{path}__in": values})
        case Operator.CONTAINS:
            return filled & _any(path, "icontains", values)
        case Operator.STARTS:
            return filled & _any(path, "istartswith", values)
        case Operator.HAS_ANY:
            return filled & Q(**{f"{path}__overlap": list(values)})
        case Operator.AT_LEAST | Operator.AT_MOST:
            return filled & Q(**{f"{path}__{operator.value}": values[0]})
        case _:
            low, high = _bounds(condition, now, zone)
            within = filled
            if low is not None:
                within &= Q(**{f"{path}__gte": low})
            if high is not None:
                within &= Q(**{f"{path}__lt": high})
            return within


def _any(path: str, lookup: str, values: tuple[Any, ...]) -> Q:
    either = Q()
    for value in values:
        either |= Q(**{f"{path}__{lookup}": value})
    return either


def _bounds(condition: Condition, now: datetime, zone: str) -> tuple[Any, Any]:
    """From (included) and to (not included), as days or as moments in the reader's zone."""
    first: date | None
    match condition.operator:
        case Operator.ON:
            first, end = condition.values[0], condition.values[0] + timedelta(days=1)
        case Operator.BEFORE:
            first, end = None, condition.values[0]
        case Operator.AFTER:
            first, end = condition.values[0] + timedelta(days=1), None
        case _:
            first, end = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=condition.values[0]), None
    if condition.field.kind is FieldKind.DATE:
        return first, end
    midnight = ZoneInfo(zone)
    return tuple(datetime.combine(day, time(), midnight) if day else None for day in (first, end))  # type: ignore[return-value]


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.upper() == wanted.upper()
    if isinstance(value, Decimal) or isinstance(wanted, Decimal):
        return Decimal(str(value)) == Decimal(str(wanted))
    return bool(value == wanted)
