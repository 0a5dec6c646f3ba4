"""What the pages of one connection share: its head, its tabs, what its states are called, and the chart of what was exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from relance.crm.models import Connection, FieldMapping
from relance.crm.page_facts import (
    DayOfSync,
    SeenConnection,
    SyncFigures,
    count_refused_subjects,
    days_of_sync,
    seen_connection,
    sync_figures,
)
from relance.crm.rules import ConnectionState, MappingState
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .charts import Series, line_chart
from .doors import signed_in
from .formats import day as day_in_words
from .formats import duration, number, percent
from .navigation import count_waiting

DAYS_OF_CHART = 30
LEAST_DAYS_DRAWN = 7


@dataclass(frozen=True, slots=True)
class StateWords:
    """How a state is shown: the badge, its colour and icon."""

    label: str | Promise
    tone: str
    icon: str


STATE_WORDS = {
    ConnectionState.NEW: StateWords(gettext_lazy("Not verified yet"), "warn", "circle-dashed"),
    ConnectionState.VERIFIED: StateWords(gettext_lazy("Verified, nothing moves yet"), "info", "plug-connected"),
    ConnectionState.ENABLED: StateWords(gettext_lazy("Connected"), "ok", "check"),
    ConnectionState.PAUSED: StateWords(gettext_lazy("Paused"), "warn", "player-pause"),
    ConnectionState.DISABLED: StateWords(gettext_lazy("Switched off"), "", "power"),
    ConnectionState.BROKEN: StateWords(gettext_lazy("Broken"), "bad", "plug-x"),
    ConnectionState.DISCONNECTED: StateWords(gettext_lazy("Disconnected"), "", "plug-x"),
}
LIVING = (ConnectionState.ENABLED, ConnectionState.PAUSED, ConnectionState.DISABLED, ConnectionState.BROKEN)


@dataclass(frozen=True, slots=True)
class Frame:
    """A connection as its pages see it: five queries, whatever the page."""

    seen: SeenConnection
    figures: SyncFigures
    fields: int

    @property
    def connection(self) -> Connection:
        return self.seen.connection

    @property
    def words(self) -> StateWords:
        return STATE_WORDS[self.seen.state]


def open_frame(connection_id: int) -> Frame:
    """Http404 when there is no such connection."""
    connection = get_object_or_404(Connection, pk=connection_id)
    return Frame(seen_connection(connection), sync_figures([connection.pk]), mapped_fields(connection))


def mapped_fields(connection: Connection) -> int:
    """How many of our fields the version in force maps, each counted once whatever the objects; of the draft when nothing is in force."""
    for state in (MappingState.APPROVED, MappingState.DRAFT):
        rows = FieldMapping.objects.filter(
            object_mapping__mapping__connection=connection, object_mapping__mapping__state=state.value
        )
        told = rows.values("object_mapping__subject", "field_key").distinct().count()
        if told:
            return told
    return 0


def frame_context(frame: Frame, tab: str, request: HttpRequest) -> dict[str, Any]:
    """What crm/base_crm.html needs."""
    user = signed_in(request)
    return {
        "frame": frame,
        "connection": frame.connection,
        "seen": frame.seen,
        "figures": frame.figures,
        "state": frame.words,
        "tabs": tabs_of(frame, tab),
        "may_manage": user.may(Permission.MANAGE_CRM),
        "may_retry": user.may(Permission.RETRY_CRM),
    }


def tabs_of(frame: Frame, current: str) -> list[dict[str, Any]]:
    """Overview, fields, errors, log."""
    id, refused = frame.connection.pk, frame.figures.refused
    tabs: tuple[tuple[str, str, int | None, str], ...] = (
        ("crm-connection", _("Overview"), None, ""),
        ("crm-fields", _("Fields"), frame.fields, ""),
        ("crm-errors", _("Errors"), refused, "bad" if refused else ""),
        ("crm-log", _("Log"), None, ""),
    )
    return [
        {
            "label": label,
            "address": reverse(name, args=[id]),
            "count": count,
            "tone": tone,
            "is_current": name == current,
        }
        for name, label, count, tone in tabs
    ]


def state_sentence(seen: SeenConnection) -> str:
    """Since when, by whom and why the connection is in its state; nothing when it simply works."""
    event = seen.event
    if event is None or seen.state is ConnectionState.ENABLED:
        return ""
    by = event.by.name if event.by else ""
    sentences = {
        ConnectionState.PAUSED: _("Paused by %(name)s.") if by else _("Paused."),
        ConnectionState.DISABLED: _("Switched off by %(name)s.") if by else _("Switched off."),
        ConnectionState.DISCONNECTED: _("Disconnected by %(name)s.") if by else _("Disconnected."),
        ConnectionState.VERIFIED: _("Verified by %(name)s.") if by else _("Verified."),
    }
    said = sentences.get(seen.state, "") % {"name": by}
    return f"{said} {event.why}".strip() if seen.state is not ConnectionState.BROKEN else event.why


# ── What was exchanged ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ExchangeChart:
    """The chart of the records exchanged each day, wide and for phones, what it says in a sentence, and the same as a table."""

    drawing: SafeString
    small: SafeString
    says: str
    days: list[DayOfSync]
    is_empty: bool
    span: str


def exchange_chart(connections: Sequence[int], now: datetime, size: tuple[int, int] = (732, 210)) -> ExchangeChart:
    """The last thirty days of these connections: one statement. A young connection is drawn from its first days on."""
    days = exchange_days(connections, now)
    says = exchange_sentence(days)
    drawn = days_drawn(days)
    series = [
        Series(_("received"), [day.received for day in drawn]),
        Series(_("sent"), [day.sent for day in drawn], "d2"),
    ]
    drawing, small = (
        line_chart(series, [day.day for day in drawn], summary=says, size=each) for each in (size, (324, 170))
    )
    span = ngettext("%(count)s day", "%(count)s days", len(drawn)) % {"count": number(len(drawn))}
    return ExchangeChart(drawing, small, says, days, not any(day.exchanged for day in days), span)


def days_drawn(days: Sequence[DayOfSync]) -> Sequence[DayOfSync]:
    """From the day before the first exchange, a week at the least: weeks of nothing would only flatten what there is."""
    first = next((place for place, day in enumerate(days) if day.exchanged), 0)
    return days[max(min(first - 1, len(days) - LEAST_DAYS_DRAWN), 0) :]


def exchange_days(connections: Sequence[int], now: datetime, days: int = DAYS_OF_CHART) -> list[DayOfSync]:
    """The last days in the reader's time zone."""
    zone = timezone.get_current_timezone()
    today = timezone.localtime(now).date()
    first = datetime.combine(today - timedelta(days=days - 1), time.min, zone)
    return days_of_sync(connections, today=today, days=days, since=first, zone=str(zone))


def exchange_sentence(days: Sequence[DayOfSync]) -> str:
    """What the chart says to somebody who does not see it: the week against the one before, else the day that stands out."""
    week, before = (sum(day.exchanged for day in part) for part in (days[-7:], days[-14:-7]))
    if not any(day.exchanged for day in days):
        return _("Nothing was exchanged with the CRM in the last 30 days.")
    busiest = max(days, key=lambda day: day.exchanged)
    if not week:
        return _("Nothing was exchanged in the last 7 days; the busiest day was %(day)s, with %(count)s records.") % {
            "day": day_in_words(busiest.day),
            "count": number(busiest.exchanged),
        }
    if not before:
        return ngettext(
            "%(count)s record exchanged in the last 7 days, most of them on %(day)s.",
            "%(count)s records exchanged in the last 7 days, most of them on %(day)s.",
            week,
        ) % {"count": number(week), "day": day_in_words(busiest.day)}
    change = week / before - 1
    if abs(change) < 0.005:
        return _("%(count)s records exchanged in the last 7 days, as many as in the 7 before.") % {
            "count": number(week)
        }
    words = (
        _("%(count)s records exchanged in the last 7 days, %(share)s more than in the 7 before.")
        if change > 0
        else _("%(count)s records exchanged in the last 7 days, %(share)s fewer than in the 7 before.")
    )
    return words % {"count": number(week), "share": percent(abs(change), 0)}


def lag_words(figures: SyncFigures, now: datetime) -> str:
    """The delay of the sync in words; nothing before the first read."""
    lag = figures.lag(now)
    return duration(lag) if lag is not None else ""


def lag_tone(figures: SyncFigures, now: datetime) -> str:
    """Two minutes are the aim; ten and more are worth a look."""
    lag = figures.lag(now)
    if lag is None:
        return "info"
    return "ok" if lag <= timedelta(minutes=2) else "warn" if lag <= timedelta(minutes=10) else "bad"


def _refused_people(user: User) -> int:
    return count_refused_subjects()


count_waiting("crm", _refused_people)
