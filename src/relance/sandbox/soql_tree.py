"""A SOQL query once read: what is asked, before anyone knows whether the org has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class FieldPath:
    """`Account.Owner.Email`; `at` is where it stands in the text, for the error that may come."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """`COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)`, `toLabel(Status)`; no argument for `COUNT()`."""

    name: str  # upper case
    argument: FieldPath | None
    at: int


Target: TypeAlias = FieldPath | Call


@dataclass(frozen=True, slots=True)
class Selected:
    target: Target
    alias: str = ""


@dataclass(frozen=True, slots=True)
class AllFields:
    kind: str  # ALL | STANDARD | CUSTOM
    at: int


@dataclass(frozen=True, slots=True)
class Children:
    query: SoqlQuery
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, number, boolean, null, date, datetime, range (a date literal such as LAST_N_DAYS:7)."""

    kind: str
    text: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    target: Target
    operator: str  # = != < > <= >= LIKE IN NOT IN INCLUDES EXCLUDES
    values: tuple[Literal, ...]
    within: SoqlQuery | None
    at: int


@dataclass(frozen=True, slots=True)
class Every:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Contrary:
    condition: Condition


Condition: TypeAlias = Comparison | Every | Either | Contrary


@dataclass(frozen=True, slots=True)
class Order:
    target: Target
    descending: bool = False
    nulls: str = ""  # FIRST | LAST | as the CRM does by default


@dataclass(frozen=True, slots=True)
class SoqlQuery:
    text: str
    selected: tuple[Selected | AllFields | Children, ...]
    object_name: str
    object_at: int
    alias: str = ""
    where: Condition | None = None
    group_by: tuple[Target, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    is_count: bool = False
