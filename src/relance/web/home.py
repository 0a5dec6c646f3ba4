"""The home page: four figures, what needs somebody, what was exchanged, whether everything runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from relance.crm.page_facts import (
    SeenConnection,
    SyncFigures,
    health_by_hour,
    reverted_values,
    seen_connections,
    sync_figures,
    unmapped_owners,
)
from relance.people.catalogue import Subject, fields_of
from relance.people.listing import Count, count_rows
from relance.people.models import Company, Import, Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .crm_frame import STATE_WORDS, ExchangeChart, exchange_chart, lag_tone, lag_words
from .crm_words import health_words
from .doors import opens_to_everyone_signed_in, signed_in
from .formats import number
from .home_points import import_address, points_for

DAYS_OF_CHANGE = 7
IMPORTS_SHOWN = 4
REVERTS_SHOWN = 5


@require_safe
@opens_to_everyone_signed_in
def home(request: HttpRequest) -> HttpResponse:
    """The day at a glance, within what this user may see."""
    user, now = signed_in(request), timezone.now()
    sees_crm = user.may(Permission.VIEW_CRM)
    seen = seen_connections() if sees_crm else []
    ids = [one.connection.pk for one in seen]
    figures = sync_figures(ids) if ids else None
    chart = exchange_chart(ids, now) if ids else None
    points = points_for(user, seen, figures, unmapped_owners(ids) if ids else [], now)
    return render(
        request,
        "home/page.html",
        {
            "now": now,
            "name": user.get_short_name(),
            "figures": _figures(user, figures, chart, now),
            "points": points,
            "chart": chart,
            "health": [_health(one, now) for one in seen],
            "imports": _imports(user),
            "reverts": _reverts(user, now) if ids else [],
            "sees_crm": sees_crm,
            "has_crm": bool(seen),
            "may_manage_crm": user.may(Permission.MANAGE_CRM),
            "may_import": user.may(Permission.IMPORT_PEOPLE),
        },
    )


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _figures(
    user: User, figures: SyncFigures | None, chart: ExchangeChart | None, now: datetime
) -> list[dict[str, Any]]:
    """People, changed in seven days, waiting for the CRM, its delay; who does not see the CRM sees one's own people."""
    people = Person.objects.visible_to(user)
    since = now - timedelta(days=DAYS_OF_CHANGE)
    new, changed = count_rows(people.filter(created_at__gte=since)), count_rows(people.filter(updated_at__gte=since))
    told = [
        {
            "label": _("People"),
            "value": _counted(count_rows(people)),
            "detail": ngettext("%(count)s new in 7 days", "%(count)s new in 7 days", new.rows)
            % {"count": _counted(new)},
            "address": _address("people"),
        },
        {
            "label": _("Changed, 7 days"),
            "value": _counted(changed),
            "detail": _("people added or changed"),
            "address": _address("people", "?f=updated:last_days:7&sort=-updated"),
        },
    ]
    return told + (_crm_figures(figures, chart, now) if figures and chart else _own_figures(user))


def _counted(count: Count) -> str:
    """Large counts are the planner's estimate, and say so: counting a million rows is not worth a second of everybody's morning."""
    return number(count.rows) if count.is_exact else f"≈ {number(count.rows)}"


def _crm_figures(figures: SyncFigures, chart: ExchangeChart, now: datetime) -> list[dict[str, Any]]:
    today = chart.days[-1]
    refused = ngettext("%(count)s refused", "%(count)s refused", figures.refused) % {"count": number(figures.refused)}
    exchanged = ngettext("%(count)s record exchanged today", "%(count)s records exchanged today", today.exchanged) % {
        "count": number(today.exchanged)
    }
    lag = lag_words(figures, now)
    return [
        {
            "label": _("Waiting for the CRM"),
            "value": number(figures.waiting + figures.refused),
            "detail": refused if figures.refused else _("none refused"),
            "trend": [day.refused for day in chart.days[-14:]] if any(day.refused for day in chart.days[-14:]) else [],
            "tone": "bad",
            "address": reverse("crm"),
        },
        {
            "label": _("Delay of the CRM sync"),
            "value": lag or _("not read yet"),
            "detail": exchanged,
            "trend": [day.exchanged for day in chart.days[-14:]],
            "tone": lag_tone(figures, now),
            "address": reverse("crm"),
        },
    ]


def _own_figures(user: User) -> list[dict[str, Any]]:
    mine = Person.objects.visible_to(user).filter(owner=user).count()
    companies = Company.objects.visible_to(user).count()
    return [
        {
            "label": _("People I look after"),
            "value": number(mine),
            "detail": "",
            "address": _address("people", "?f=owner:is:me"),
        },
        {"label": _("Companies"), "value": number(companies), "detail": "", "address": _address("companies")},
    ]


def _address(name: str, query: str = "") -> str:
    try:
        return reverse(name) + query
    except NoReverseMatch:  # a section whose pages this installation does not have
        return ""


# ── The side ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _health(one: SeenConnection, now: datetime) -> dict[str, Any]:
    states = health_by_hour(one.connection, now)
    return {"seen": one, "words": STATE_WORDS[one.state], "states": states, "says": health_words(states)}


def _imports(user: User) -> list[dict[str, Any]]:
    if not user.may(Permission.IMPORT_PEOPLE):
        return []
    told = Import.objects.select_related("made_by").order_by("-made_at")
    if not user.may(Permission.VIEW_ALL_PEOPLE):
        told = told.filter(made_by=user)
    return [
        {"one": one, "address": import_address(one), "state": one.get_state_display()} for one in told[:IMPORTS_SHOWN]
    ]


def _reverts(user: User, now: datetime) -> list[dict[str, Any]]:
    """The newest values that were put back, with the label of their field."""
    found = reverted_values(user, since=now - timedelta(days=DAYS_OF_CHANGE), limit=REVERTS_SHOWN)
    labels = {subject.value: {spec.key: spec.label for spec in fields_of(subject)} for subject in Subject}
    return [{"value": value, "label": labels[value.subject].get(value.field, value.field)} for value in found.values]


urlpatterns = [path("", home, name="home")]
