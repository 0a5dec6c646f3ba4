"""The functions formulas may call: how many arguments each takes, and what it makes of them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

from relance.sandbox.formula_values import (
    FormulaFailed,
    FormulaValue,
    Node,
    Scope,
    UnsupportedFormula,
    are_equal,
    as_number,
    as_text,
    both,
    denied,
    either,
)
from relance.sandbox.ids import is_id, whole_id

Nodes = tuple[Node, ...]
MANY = 1000


def _plain(work: Callable[..., FormulaValue]) -> Callable[[Nodes], Node]:
    """A function that wants the values of all its arguments."""

    def make(nodes: Nodes) -> Node:
        return lambda scope: work(*(node(scope) for node in nodes))

    return make


def _numeric(work: Callable[..., FormulaValue]) -> Callable[[Nodes], Node]:
    """A function of numbers: nothing in, nothing out."""

    def make(nodes: Nodes) -> Node:
        def run(scope: Scope) -> FormulaValue:
            numbers = [as_number(node(scope)) for node in nodes]
            return None if None in numbers else work(*numbers)

        return run

    return make


def _if(nodes: Nodes) -> Node:
    condition, then, otherwise = nodes
    return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)


def _case(nodes: Nodes) -> Node:
    if len(nodes) % 2:
        raise UnsupportedFormula("CASE wants pairs and a last value")

    def run(scope: Scope) -> FormulaValue:
        value = nodes[0](scope)
        for place in range(1, len(nodes) - 1, 2):
            candidate = nodes[place](scope)
            both_blank = value is None and candidate is None
            if both_blank or are_equal(value, candidate) is True:
                return nodes[place + 1](scope)
        return nodes[-1](scope)

    return run


def _blank_value(nodes: Nodes) -> Node:
    def run(scope: Scope) -> FormulaValue:
        value = nodes[0](scope)
        return nodes[1](scope) if value in (None, "") else value

    return run


def _null_value(nodes: Nodes) -> Node:
    # Text is never null, so NULLVALUE leaves blank text alone where BLANKVALUE replaces it.
    def run(scope: Scope) -> FormulaValue:
        value = nodes[0](scope)
        return nodes[1](scope) if value is None else value

    return run


def _is_number(value: FormulaValue) -> FormulaValue:
    try:
        return Decimal(as_text(value).strip()).is_finite()
    except InvalidOperation:
        return False


def _value(text: FormulaValue) -> FormulaValue:
    if text in (None, ""):
        return None
    try:
        return Decimal(as_text(text).strip())
    except InvalidOperation:
        raise FormulaFailed("VALUE wants a number written as text") from None


def _mid(text: FormulaValue, start: FormulaValue, length: FormulaValue) -> FormulaValue:
    first = max(int(as_number(start) or 1), 1) - 1
    return as_text(text)[first : first + max(int(as_number(length) or 0), 0)]


def _left(text: FormulaValue, length: FormulaValue) -> FormulaValue:
    return as_text(text)[: max(int(as_number(length) or 0), 0)]


def _right(text: FormulaValue, length: FormulaValue) -> FormulaValue:
    count = max(int(as_number(length) or 0), 0)
    return as_text(text)[-count:] if count else ""


def _find(wanted: FormulaValue, text: FormulaValue, start: FormulaValue = None) -> FormulaValue:
    first = max(int(as_number(start) or 1), 1) - 1
    return Decimal(as_text(text).find(as_text(wanted), first) + 1) if wanted else Decimal(0)


def _padded(text: FormulaValue, length: FormulaValue, pad: FormulaValue = " ", left: bool = False) -> FormulaValue:
    own, count, filler = as_text(text), max(int(as_number(length) or 0), 0), as_text(pad)
    missing = (filler * count)[: max(count - len(own), 0)]
    return ((missing + own) if left else (own + missing))[:count] if own else ""


def _regex(text: FormulaValue, pattern: FormulaValue) -> FormulaValue:
    try:
        return re.fullmatch(as_text(pattern), as_text(text), re.DOTALL) is not None
    except re.error as failure:
        raise FormulaFailed(f"REGEX does not understand its pattern: {failure}") from failure


def _includes(held: FormulaValue, wanted: FormulaValue) -> FormulaValue:
    return as_text(wanted) in as_text(held).split(";") if held else wanted in (None, "")


def _rounded(number: Decimal, places: Decimal) -> FormulaValue:
    return number.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def _mod(number: Decimal, divisor: Decimal) -> FormulaValue:
    if not divisor:
        raise FormulaFailed("division by zero")
    return number % divisor


def _date(year: Decimal, month: Decimal, day: Decimal) -> FormulaValue:
    return date(int(year), int(month), int(day))


def _date_value(value: FormulaValue) -> FormulaValue:
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str() if value:
            return date.fromisoformat(value[:10])
    return None


def _datetime_value(value: FormulaValue) -> FormulaValue:
    match value:
        case datetime():
            return value
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case str() if value:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _of_date(part: Callable[[date], int]) -> Callable[[Nodes], Node]:
    def work(value: FormulaValue) -> FormulaValue:
        return Decimal(part(value)) if isinstance(value, date) else None

    return _plain(work)


def _add_months(start: FormulaValue, months: FormulaValue) -> FormulaValue:
    count = as_number(months)
    if not isinstance(start, date) or count is None:
        return None
    year, month = divmod(start.year * 12 + start.month - 1 + int(count), 12)
    last = calendar.monthrange(year, month + 1)[1]
    was_last = start.day == calendar.monthrange(start.year, start.month)[1]
    return start.replace(year=year, month=month + 1, day=last if was_last else min(start.day, last))


def _casesafe(value: FormulaValue) -> FormulaValue:
    return whole_id(value) if is_id(value) else as_text(value)


FUNCTIONS: dict[str, tuple[int, int, Callable[[Nodes], Node]]] = {
    "AND": (1, MANY, both),
    "OR": (1, MANY, either),
    "NOT": (1, 1, lambda nodes: denied(nodes[0])),
    "IF": (3, 3, _if),
    "CASE": (4, MANY, _case),
    "ISBLANK": (1, 1, _plain(lambda value: value in (None, ""))),
    "ISNULL": (1, 1, _plain(lambda value: value is None)),
    "BLANKVALUE": (2, 2, _blank_value),
    "NULLVALUE": (2, 2, _null_value),
    "ISPICKVAL": (2, 2, _plain(lambda held, wanted: as_text(held) == as_text(wanted))),
    "INCLUDES": (2, 2, _plain(_includes)),
    "TEXT": (1, 1, _plain(as_text)),
    "VALUE": (1, 1, _plain(_value)),
    "ISNUMBER": (1, 1, _plain(_is_number)),
    "LEN": (1, 1, _plain(lambda text: Decimal(len(as_text(text))))),
    "CONTAINS": (2, 2, _plain(lambda text, wanted: as_text(wanted) in as_text(text))),
    "BEGINS": (2, 2, _plain(lambda text, start: as_text(text).startswith(as_text(start)))),
    "REGEX": (2, 2, _plain(_regex)),
    "LEFT": (2, 2, _plain(_left)),
    "RIGHT": (2, 2, _plain(_right)),
    "MID": (3, 3, _plain(_mid)),
    "FIND": (2, 3, _plain(_find)),
    "SUBSTITUTE": (
        3,
        3,
        _plain(lambda text, old, new: as_text(text).replace(as_text(old), as_text(new)) if old else text),
    ),
    "UPPER": (1, 2, _plain(lambda text, _locale=None: as_text(text).upper())),
    "LOWER": (1, 2, _plain(lambda text, _locale=None: as_text(text).lower())),
    "TRIM": (1, 1, _plain(lambda text: as_text(text).strip())),
    "LPAD": (2, 3, _plain(lambda text, length, pad=" ": _padded(text, length, pad, left=True))),
    "RPAD": (2, 3, _plain(_padded)),
    "BR": (0, 0, _plain(lambda: "\n")),
    "HYPERLINK": (2, 3, _plain(lambda _url, shown, _target=None: as_text(shown))),
    "CASESAFEID": (1, 1, _plain(_casesafe)),
    "ABS": (1, 1, _numeric(abs)),
    "ROUND": (2, 2, _numeric(_rounded)),
    "CEILING": (1, 1, _numeric(lambda number: number.to_integral_value(ROUND_CEILING))),
    "FLOOR": (1, 1, _numeric(lambda number: number.to_integral_value(ROUND_FLOOR))),
    "MAX": (1, MANY, _numeric(lambda *numbers: max(numbers))),
    "MIN": (1, MANY, _numeric(lambda *numbers: min(numbers))),
    "MOD": (2, 2, _numeric(_mod)),
    "SQRT": (1, 1, _numeric(lambda number: number.sqrt())),
    "TODAY": (0, 0, lambda _nodes: lambda scope: scope.now.date()),
    "NOW": (0, 0, lambda _nodes: lambda scope: scope.now),
    "DATE": (3, 3, _numeric(_date)),
    "DATEVALUE": (1, 1, _plain(_date_value)),
    "DATETIMEVALUE": (1, 1, _plain(_datetime_value)),
    "YEAR": (1, 1, _of_date(lambda day: day.year)),
    "MONTH": (1, 1, _of_date(lambda day: day.month)),
    "DAY": (1, 1, _of_date(lambda day: day.day)),
    "WEEKDAY": (1, 1, _of_date(lambda day: day.isoweekday() % 7 + 1)),
    "ADDMONTHS": (2, 2, _plain(_add_months)),
    "ISNEW": (0, 0, lambda _nodes: lambda scope: scope.is_new),
    "ISCLONE": (0, 0, lambda _nodes: lambda _scope: False),
}

FIELD_FUNCTIONS: dict[str, Callable[[str], Node]] = {
    "ISCHANGED": lambda path: lambda scope: scope.changed(path),
    "PRIORVALUE": lambda path: lambda scope: scope.prior(path),
}
