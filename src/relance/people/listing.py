"""A page of a long list: rows in order, found by where the last page ended rather than by counting, and an honest count.

Above ten thousand rows the count is the planner's estimate, which costs nothing; the exact one is made when asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

ROWS_A_PAGE = 50
ESTIMATED_ABOVE = 10_000
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of a list. `column` is indexed, but for the moment of the last change, which moves too often to be."""

    key: str
    column: str
    label: Any
    is_descending: bool = False


SORTS = {
    sort.key: sort
    for sort in (
        Sort("name", "name_key", _("Name, A to Z")),
        Sort("-name", "name_key", _("Name, Z to A"), is_descending=True),
        Sort("-created", "created_at", _("Newest first"), is_descending=True),
        Sort("created", "created_at", _("Oldest first")),
        Sort("-updated", "updated_at", _("Last changed first"), is_descending=True),
        Sort("updated", "updated_at", _("Longest unchanged first")),
    )
}
DEFAULT_SORT = "name"


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """Rows, and the marks that lead to the pages after and before; empty where there is none."""

    rows: list[Row]
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, or about how many."""

    rows: int
    is_exact: bool


def page_of(
    rows: QuerySet[Row], sort: Sort, *, after: str = "", before: str = "", size: int = ROWS_A_PAGE
) -> ListPage[Row]:
    """The page after a mark, before one, or the first. A mark that cannot be read gives the first page."""
    mark = _read_mark(sort, before or after)
    is_backwards = bool(before) and mark is not None
    is_descending = sort.is_descending != is_backwards
    if mark is not None:
        rows = rows.filter(_beyond(sort.column, mark, is_descending))
    sign = "-" if is_descending else ""
    found = list(rows.order_by(f"{sign}{sort.column}", f"{sign}pk")[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    if is_backwards:
        found.reverse()
    has_after = has_more if not is_backwards else bool(found)
    has_before = has_more if is_backwards else mark is not None and bool(found)
    return ListPage(
        found,
        _mark(sort, found[-1]) if found and has_after else "",
        _mark(sort, found[0]) if found and has_before else "",
    )


def count_rows(rows: QuerySet[Any], *, exactly: bool = False) -> Count:
    """How many rows: exact up to ten thousand, the planner's estimate above, exact again when asked for."""
    if not exactly:
        estimate = _planned(rows)
        if estimate > ESTIMATED_ABOVE:
            return Count(estimate, is_exact=False)
    return Count(rows.order_by().count(), is_exact=True)


def ids_in_order(rows: QuerySet[Any], sort: Sort) -> QuerySet[Any]:
    """Every id of the list in its order: what an export walks through."""
    sign = "-" if sort.is_descending else ""
    return rows.order_by(f"{sign}{sort.column}", f"{sign}pk").values_list("pk", flat=True)


def _beyond(column: str, mark: tuple[Any, int], is_descending: bool) -> Q:
    value, pk = mark
    way = "lt" if is_descending else "gt"
    # The first condition repeats what the second says, in the form an index can start from.
    return Q(**{f"{column}__{way}e": value}) & (
        Q(**{f"{column}__{way}": value}) | Q(**{column: value, f"pk__{way}": pk})
    )


def _mark(sort: Sort, row: Model) -> str:
    value = getattr(row, sort.column)
    written = value.isoformat() if isinstance(value, datetime) else value
    return json.dumps([written, row.pk], ensure_ascii=False, separators=(",", ":"))


def _read_mark(sort: Sort, text: str) -> tuple[Any, int] | None:
    if not text:
        return None
    try:
        value, pk = json.loads(text)
        if sort.column != "name_key":
            value = datetime.fromisoformat(value)
            return (value, int(pk)) if value.tzinfo else None
        return str(value).replace("\x00", ""), int(pk)
    except (ValueError, TypeError):
        return None


def _planned(rows: QuerySet[Any]) -> int:
    try:
        statement, values = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nothing can match
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        [[plan]] = cursor.fetchall()
    read = json.loads(plan) if isinstance(plan, str) else plan
    return int(read[0]["Plan"]["Plan Rows"])
