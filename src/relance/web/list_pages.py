"""What the lists of people and of companies do alike: the page and its fragment, saved views, the export of what is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relance.activity.actions import NewActivity, append_activity
from relance.lib.clock import utc_now
from relance.people.catalogue import Subject, fields_of
from relance.people.csv_safe import csv_lines
from relance.people.facts import gather_values
from relance.people.filters import FilterRefused, parse_conditions
from relance.people.listing import SORTS, Count, ids_in_order
from relance.people.models import Company, Person, SavedView
from relance.people.saved_views import NewView, ViewRefused, may_change_view, save_view, views_for
from relance.workspace.rules import Permission

from . import formats
from .doors import signed_in
from .lists import FilterForm, ListState, written_condition

ADDRESS = {Subject.PERSON: "people", Subject.COMPANY: "companies"}
EXPORTED_AT_ONCE = 1_000
CELLS_IN_TABS = 6


def list_page(request: HttpRequest, subject: Subject, template: str) -> HttpResponse:
    """The list, or for htmx its rows. A filter form that was sent becomes a filter of the address."""
    now = utc_now()
    if condition := written_condition(request.GET):
        return _with_filter(request, subject, condition)
    state = ListState.of(request, subject)
    if columns := request.GET.getlist("col"):
        return redirect(_home(subject) + state.address(cols=",".join(columns)))
    page = state.page(now)
    count = state.count(now)
    context: dict[str, Any] = {
        "state": state,
        "subject": subject.value,
        "rows": state.cells(page.rows),
        "later": state.address(after=page.after) if page.after else "",
        "earlier": state.address(before=page.before) if page.before else "",
        "count": count,
        "said": said_count(subject, count),
        "shown": _shown(subject, len(page.rows), count),
        "may_export": signed_in(request).may(Permission.EXPORT_PEOPLE),
        "may_edit": signed_in(request).may(Permission.EDIT_PEOPLE),
        "may_delete": signed_in(request).may(Permission.DELETE_PEOPLE),
        "sorted": {key: state.sorted_by(key) for key in ("name", "created", "updated")},
        "here": state.address(),
    }
    if request.headers.get("HX-Request"):
        return render(request, "lists/_rows.html", context)
    context |= {
        "adding": FilterForm.about(state, request.GET.get("add", "")),
        "tabs": _tabs(state, subject),
        "sorts": SORTS.values(),
        "may_share": signed_in(request).may(Permission.SHARE_VIEWS),
        "reaches": SavedView.Reach.choices,
        "chosen_columns": {column.key for column in state.columns},
        "bare_address": state.address(cols=None),
    }
    return render(request, template, context)


def keep_view(request: HttpRequest, subject: Subject) -> HttpResponse:
    """Keep what the list shows under a name."""
    asked = QueryDict(request.POST.get("query", "").lstrip("?"), mutable=True)
    for name in ("view", "after", "before", "bare"):
        asked.pop(name, None)
    state = ListState.of(request, subject, asked)
    columns = [column.key for column in state.columns]
    view = NewView(request.POST.get("name", ""), asked.urlencode(), columns, request.POST.get("reach", "mine"))
    try:
        kept = save_view(signed_in(request), subject, view, now=utc_now())
    except ViewRefused as error:
        messages.error(request, str(error))
        return redirect(f"{_home(subject)}?{asked.urlencode()}")
    messages.success(request, _("View “%(name)s” kept.") % {"name": kept.name})
    return redirect(f"{_home(subject)}?view={kept.pk}")


def drop_view(request: HttpRequest, subject: Subject, view_id: int) -> HttpResponse:
    """Delete a view; the people in it stay."""
    user = signed_in(request)
    view = get_object_or_404(views_for(user, subject), pk=view_id)
    if may_change_view(user, view):
        view.delete()
        messages.success(request, _("View “%(name)s” deleted.") % {"name": view.name})
    else:
        messages.error(request, _("You may not delete this view: ask the person who shared it."))
    return redirect(_home(subject))


def export_chosen(request: HttpRequest, subject: Subject) -> StreamingHttpResponse:
    """The chosen rows, or all that the filters match, with the columns of the list and every core field."""
    now, user = utc_now(), signed_in(request)
    state = ListState.of(request, subject, QueryDict(request.POST.get("query", "").lstrip("?")))
    rows = state.rows(now)
    if not request.POST.get("all"):
        chosen = [int(pk) for pk in request.POST.getlist("chosen") if pk.isdecimal()]
        rows = rows.filter(pk__in=chosen)
    fields = fields_of(subject)
    header = ["id", *(str(field.label) for field in fields), _("Owner"), _("Team"), _("Created"), _("Changed")]
    append_activity(
        NewActivity("people.exported", f"user:{user.pk}", payload={"subject": subject.value, "rows": rows.count()}),
        now=now,
    )
    ids = list(ids_in_order(rows, state.sort))
    lines = csv_lines(header, _exported(subject, ids, [field.key for field in fields]))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{ADDRESS[subject]}-{now:%Y-%m-%d}.csv"'
    return response


def chosen_rows(request: HttpRequest, subject: Subject) -> Any:
    """The rows chosen in a form, among those this reader may see."""
    model = Person if subject is Subject.PERSON else Company
    chosen = [int(pk) for pk in request.POST.getlist("chosen") or request.GET.getlist("chosen") if pk.isdecimal()]
    return model.objects.visible_to(signed_in(request)).filter(pk__in=chosen)


def said_count(subject: Subject, count: Count) -> str:
    """How many there are, in a sentence that says when it is an estimate."""
    number = formats.number(count.rows)
    if count.rows == 0:
        return _("No person") if subject is Subject.PERSON else _("No company")
    if not count.is_exact:
        told = _("About %(number)s people") if subject is Subject.PERSON else _("About %(number)s companies")
        return told % {"number": formats.number(round(count.rows, -2))}
    if subject is Subject.PERSON:
        return ngettext("%(number)s person", "%(number)s people", count.rows) % {"number": number}
    return ngettext("%(number)s company", "%(number)s companies", count.rows) % {"number": number}


def _shown(subject: Subject, rows: int, count: Count) -> str:
    if count.is_exact and rows >= count.rows:
        return said_count(subject, count)
    values = {
        "rows": formats.number(rows),
        "number": formats.number(count.rows if count.is_exact else round(count.rows, -2)),
    }
    if count.is_exact:
        return _("%(rows)s of %(number)s") % values
    return _("%(rows)s of about %(number)s") % values


def _with_filter(request: HttpRequest, subject: Subject, condition: str) -> HttpResponse:
    state = ListState.of(request, subject)
    texts = [known.text for known in state.conditions]
    try:
        parse_conditions(subject, [condition], user=state.user, zone=state.zone)
        texts = [text for text in texts if text != condition] + [condition]
    except FilterRefused as error:
        messages.error(request, str(error))
    return redirect(_home(subject) + state.address(f=texts))


def _tabs(state: ListState, subject: Subject) -> list[dict[str, Any]]:
    names = _("All people") if subject is Subject.PERSON else _("All companies")
    tabs = [{"label": names, "address": _home(subject), "is_current": state.view is None}]
    views = list(islice(state.views, CELLS_IN_TABS))
    if state.view is not None and state.view not in views:
        views.append(state.view)
    for view in views:
        tabs.append(
            {"label": view.name, "address": f"{_home(subject)}?view={view.pk}", "is_current": view == state.view}
        )
    return tabs if views else []


def _home(subject: Subject) -> str:
    return reverse(ADDRESS[subject])


def _exported(subject: Subject, ids: list[int], keys: list[str]) -> Iterator[list[Any]]:
    """A thousand rows at a time, in the order of the list; those deleted meanwhile are left out."""
    model = Person if subject is Subject.PERSON else Company
    for start in range(0, len(ids), EXPORTED_AT_ONCE):
        part = ids[start : start + EXPORTED_AT_ONCE]
        values = gather_values(subject, part, keys)
        rows = model.objects.filter(pk__in=part).select_related("owner", "team").in_bulk()
        for pk in part:
            if pk in values and pk in rows:
                row = rows[pk]
                related = [str(row.owner or ""), str(row.team or ""), _local(row.created_at), _local(row.updated_at)]
                yield [pk, *(_plain(values[pk][key]) for key in keys), *related]


def _plain(value: Any) -> Any:
    return _local(value) if isinstance(value, datetime) else value


def _local(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S%z")
