"""What formulas compute with: their values, blank ones included, and the operators between them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Protocol

FormulaValue = str | Decimal | bool | date | datetime | time | None


class Scope(Protocol):
    """What a formula may ask of the record at hand."""

    is_new: bool
    now: datetime

    def field(self, path: str) -> FormulaValue: ...

    def prior(self, path: str) -> FormulaValue: ...

    def changed(self, path: str) -> bool: ...


Node = Callable[[Scope], FormulaValue]


class UnsupportedFormula(ValueError):
    """The formula is not one this evaluator knows: a syntax error, or a function it does not have."""


class FormulaFailed(ValueError):
    """The formula is sound, its input is not: a division by zero, a text that is no number."""


def either(nodes: tuple[Node, ...]) -> Node:
    return lambda scope: any(node(scope) is True for node in nodes)


def both(nodes: tuple[Node, ...]) -> Node:
    return lambda scope: all(node(scope) is True for node in nodes)


def denied(node: Node) -> Node:
    def run(scope: Scope) -> FormulaValue:
        value = node(scope)
        return None if value is None else value is not True

    return run


def are_equal(left: FormulaValue, right: FormulaValue) -> bool | None:
    """Text compares with its case; nothing equals the empty text, and is incomparable with anything else."""
    if isinstance(left, str) or isinstance(right, str):
        return ("" if left is None else left) == ("" if right is None else right)
    if left is None or right is None:
        return None
    return left == right


def as_number(value: FormulaValue) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return value
    raise FormulaFailed("a number was expected")


def as_text(value: FormulaValue) -> str:
    """Text as TEXT() and & make it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            plain = format(value, "f")
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M:%S.000")
    return value


def equals(left: Node, right: Node, negated: bool) -> Node:
    def run(scope: Scope) -> FormulaValue:
        same = are_equal(left(scope), right(scope))
        return None if same is None else same != negated

    return run


def compares(sign: str, left: Node, right: Node) -> Node:
    def run(scope: Scope) -> FormulaValue:
        one, two = left(scope), right(scope)
        if one is None or two is None:
            return None
        order = _order_of(one, two)
        return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[sign]

    return run


def _order_of(one: FormulaValue, two: FormulaValue) -> int:
    for kind in (str, Decimal, datetime, time, date):
        if isinstance(one, kind) and isinstance(two, kind):
            return (one > two) - (one < two)  # type: ignore[operator]
    raise FormulaFailed("values of different kinds cannot be put in order")


def joined(left: Node, right: Node) -> Node:
    return lambda scope: as_text(left(scope)) + as_text(right(scope))


def added(sign: str, left: Node, right: Node) -> Node:
    def run(scope: Scope) -> FormulaValue:
        one, two = left(scope), right(scope)
        if sign == "+" and (isinstance(one, str) or isinstance(two, str)):
            return as_text(one) + as_text(two)
        if one is None or two is None:
            return None
        if isinstance(one, date):
            return _moved(sign, one, two)
        if sign == "+" and isinstance(two, date):
            return _moved(sign, two, one)
        first, second = as_number(one), as_number(two)
        if first is None or second is None:
            return None
        return first + second if sign == "+" else first - second

    return run


def _moved(sign: str, start: date, by: FormulaValue) -> FormulaValue:
    """A date and a number of days, or the days between two dates."""
    if isinstance(by, date):
        if isinstance(start, datetime) != isinstance(by, datetime):
            raise FormulaFailed("a date and a date/time cannot be subtracted")
        return Decimal(str((start - by) / timedelta(days=1)))
    days = as_number(by) or Decimal(0)
    distance = timedelta(days=float(days)) if isinstance(start, datetime) else timedelta(days=int(days))
    return start + distance if sign == "+" else start - distance


def multiplied(sign: str, left: Node, right: Node) -> Node:
    def run(scope: Scope) -> FormulaValue:
        one, two = as_number(left(scope)), as_number(right(scope))
        if one is None or two is None:
            return None
        try:
            if sign == "*":
                return one * two
            return one / two if sign == "/" else one**two
        except (DivisionByZero, InvalidOperation) as failure:
            raise FormulaFailed("division by zero") from failure

    return run
