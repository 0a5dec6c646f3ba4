"""The state of a list of people or companies, as its address holds it: words, filters, sort, columns, view, place in the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from relance.people.catalogue import FieldSpec, Subject, fields_of
from relance.people.facts import gather_values, with_words
from relance.people.filters import (
    NEEDS_NO_VALUE,
    OPERATOR_LABELS,
    Condition,
    FilterField,
    FilterRefused,
    Operator,
    compile_conditions,
    filter_fields,
    parse_conditions,
)
from relance.people.listing import DEFAULT_SORT, SORTS, Count, ListPage, Sort, count_rows, page_of
from relance.people.models import Company, Person, SavedView
from relance.people.saved_views import may_change_view, views_for
from relance.workspace.models import Team, User

from .doors import signed_in
from .values import shown_value

STATE_NAMES = ("q", "f", "sort", "cols", "view")
MOST_COLUMNS = 12
DEFAULT_COLUMNS = {
    Subject.PERSON: ("job_title", "email", "owner", "score", "updated"),
    Subject.COMPANY: ("industry", "city", "employees", "owner", "updated"),
}
RELATED = ("owner", "team", "company")
MOMENTS = ("created", "updated")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list beside the name."""

    key: str
    label: str
    is_figure: bool = False
    field: FieldSpec | None = None


@dataclass
class ListState:
    """What the address asks for. Filters that cannot be read are left out and told in `refused`."""

    subject: Subject
    user: User
    params: QueryDict
    conditions: list[Condition] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest, subject: Subject, params: QueryDict | None = None) -> ListState:
        """Read the address; a view brings its own filters, sort and columns, which the address may change."""
        state = cls(subject, signed_in(request), request.GET if params is None else params)
        if state.view is not None and not any(state.params.get(name) for name in ("f", "q", "sort", "cols", "bare")):
            merged = QueryDict(state.view.query, mutable=True)
            merged["view"] = str(state.view.pk)
            for name in ("after", "before", "count", "add"):
                merged.setlist(name, state.params.getlist(name))
            state.params = merged
        for text in state.params.getlist("f"):
            try:
                state.conditions += parse_conditions(subject, [text], user=state.user, zone=state.zone)
            except FilterRefused as error:
                state.refused.append(str(error))
        return state

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()

    @property
    def q(self) -> str:
        return self.params.get("q", "").replace("\x00", "")[:200]

    @property
    def sort(self) -> Sort:
        return SORTS.get(self.params.get("sort", ""), SORTS[DEFAULT_SORT])

    @cached_property
    def view(self) -> SavedView | None:
        key = self.params.get("view", "")
        return self.views.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 12 else None

    @cached_property
    def views(self) -> QuerySet[SavedView]:
        return views_for(self.user, self.subject)

    @property
    def may_change_view(self) -> bool:
        return self.view is not None and may_change_view(self.user, self.view)

    @cached_property
    def filter_fields(self) -> dict[str, FilterField]:
        return filter_fields(self.subject)

    @cached_property
    def columns(self) -> list[Column]:
        """The columns asked for, those that exist; the view's or the usual ones when none is named."""
        known = self.possible_columns
        asked = self.params.get("cols", "")
        if asked:
            keys: Iterable[str] = asked.split(",")[:MOST_COLUMNS]
        else:
            keys = self.view.columns if self.view and self.view.columns else DEFAULT_COLUMNS[self.subject]
        return [known[key] for key in dict.fromkeys(keys) if key in known]

    @cached_property
    def possible_columns(self) -> dict[str, Column]:
        figures = ("integer", "number")
        named = ("name",) if self.subject is Subject.COMPANY else ("first_name", "last_name")
        columns = [
            Column(spec.key, str(spec.label), spec.kind.value in figures, spec)
            for spec in fields_of(self.subject)
            if spec.key not in named
        ]
        related = {"owner": _("Owner"), "team": _("Team"), "company": _("Company")}
        columns += [
            Column(key, label) for key, label in related.items() if self.subject is Subject.PERSON or key != "company"
        ]
        columns += [Column("created", _("Created")), Column("updated", _("Changed"))]
        return {column.key: column for column in columns}

    def rows(self, now: datetime) -> QuerySet[Any]:
        """The rows this reader may see that the filters hold for."""
        model = Person if self.subject is Subject.PERSON else Company
        rows = with_words(model.objects.visible_to(self.user), self.q)
        if self.conditions:
            rows = rows.filter(compile_conditions(self.subject, self.conditions, now=now, zone=self.zone))
        return rows

    def page(self, now: datetime) -> ListPage[Any]:
        related = [name for name in RELATED if any(column.key == name for column in self.columns)]
        rows = self.rows(now).select_related(*related, *(["company"] if self.subject is Subject.PERSON else []))
        return page_of(rows, self.sort, after=self.params.get("after", ""), before=self.params.get("before", ""))

    def count(self, now: datetime) -> Count:
        return count_rows(self.rows(now), exactly=self.params.get("count") == "exact")

    def cells(self, rows: Sequence[Any]) -> list[tuple[Any, list[tuple[Column, Any]]]]:
        """Each row with its columns and what they show, values of both tables read in one query."""
        keys = [column.key for column in self.columns if column.field is not None]
        values = gather_values(self.subject, [row.pk for row in rows], keys) if keys else {}
        return [
            (row, [(column, _cell(row, column, values.get(row.pk, {}))) for column in self.columns]) for row in rows
        ]

    def address(self, **changes: Any) -> str:
        """The query of this list with something changed; the place in the pages is forgotten."""
        params = QueryDict(mutable=True)
        for name in STATE_NAMES:
            params.setlist(name, self.params.getlist(name))
        for name, value in changes.items():
            params.setlist(name, value if isinstance(value, list) else [] if value in (None, "") else [value])
        if self.view is not None and not any(params.get(name) for name in ("f", "q", "sort", "cols")):
            params["bare"] = "1"
        return "?" + params.urlencode(safe=":,|")

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters in force, each with the list without it."""
        texts = [condition.text for condition in self.conditions]
        return [
            {
                "name": f"{condition.field.label} {OPERATOR_LABELS[condition.operator]}",
                "value": self._said(condition),
                "without": self.address(f=texts[:place] + texts[place + 1 :]),
            }
            for place, condition in enumerate(self.conditions)
        ]

    def sorted_by(self, key: str) -> dict[str, str]:
        """The address that sorts by this key, and how it is sorted now."""
        is_now = self.sort.key.lstrip("-") == key
        flips = is_now and not self.sort.is_descending
        first = "-" if key in MOMENTS else ""
        asked = f"-{key}" if flips else key if is_now else f"{first}{key}"
        return {
            "address": self.address(sort=asked),
            "sorted": ("descending" if self.sort.is_descending else "ascending") if is_now else "",
        }

    def _said(self, condition: Condition) -> str:
        if condition.operator in NEEDS_NO_VALUE:
            return ""
        names = condition.values
        if condition.field.lookup.endswith("_id"):
            known = reference_names(condition.field.key, condition.values)
            return ", ".join(known.get(value, f"#{value}") for value in names)
        return ", ".join(shown_value(value) for value in names)


def reference_names(key: str, ids: Iterable[int] | None = None) -> dict[int, str]:
    """The names of users, teams or companies a filter or form speaks of; all users or teams without ids."""
    match key:
        case "owner":
            rows = User.objects.all() if ids is None else User.objects.filter(pk__in=list(ids))
            return {row.pk: str(row) for row in rows.order_by("name")}
        case "team":
            teams = Team.objects.all() if ids is None else Team.objects.filter(pk__in=list(ids))
            return {row.pk: row.name for row in teams.order_by("name")}
        case _:
            return dict(Company.objects.filter(pk__in=list(ids or [])).values_list("pk", "name"))


@dataclass(frozen=True, slots=True)
class FilterForm:
    """The small form that adds one filter."""

    field: FilterField
    operators: list[tuple[str, str]]
    choices: list[tuple[str, str]]
    control: str

    @classmethod
    def about(cls, state: ListState, key: str) -> FilterForm | None:
        known = state.filter_fields.get(key)
        if known is None:
            return None
        operators = [(operator.value, str(OPERATOR_LABELS[operator])) for operator in known.operators]
        choices = [(value, str(label)) for value, label in known.choices]
        control = "text"
        if known.kind.value == "boolean":
            choices, control = [("yes", _("Yes")), ("no", _("No"))], "one"
        elif known.key in ("owner", "team"):
            choices = [(str(pk), name) for pk, name in reference_names(known.key).items()]
            if known.key == "owner":
                choices.insert(0, ("me", _("Me")))
            control = "many"
        elif choices:
            control = "many"
        elif known.kind.value in ("date", "datetime"):
            control = "day"
        elif known.kind.value in ("integer", "number"):
            control = "figure"
        return cls(known, operators, choices, control)


def written_condition(params: QueryDict) -> str:
    """The condition a filter form asks for, as the address writes it; nothing when the form was not sent."""
    key, operator = params.get("add", ""), params.get("op", "")
    if not key or not operator:
        return ""
    values = [value for value in params.getlist("value") if value.strip()]
    if operator == Operator.LAST_DAYS:
        values = [params.get("days", "") or "30"]
    return f"{key}:{operator}" + (f":{'|'.join(values)}" if values and operator not in NEEDS_NO_VALUE else "")


def _cell(row: Any, column: Column, values: dict[str, Any]) -> Any:
    if column.key in RELATED:
        related = getattr(row, column.key)
        if column.key == "company":
            return row.company.name if row.company else row.company_name or ""
        return str(related) if related else ""
    if column.key in MOMENTS:
        return getattr(row, f"{column.key}_at")
    return shown_value(values.get(column.key))
