"""A person's or company's timeline: activities by day, newest first, each with its changes and its decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from relance.activity.facts import explain_activity
from relance.activity.kinds import activity_kinds
from relance.activity.models import Activity
from relance.decisions.facts import decision_name
from relance.workspace.models import User

TONES = {"crm": "accent", "decision": "info", "import": "", "people": ""}
ALARMING = {"crm.refused": "bad", "crm.value_reverted": "warn", "crm.deleted": "warn"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline, as parts/_event.html wants it."""

    who_did: str
    at: datetime
    icon: str
    tone: str
    rest: str = ""
    detail: SafeString | str = ""
    quote: str = ""
    decision: str = ""
    about: str = ""  # the field the event is about: its check comes first in the Why panel
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    label: str
    events: list[Event] = field(default_factory=list)


def days_of(
    activities: Iterable[Activity], *, labels: Mapping[str, Any], opened: str = "", about: str = ""
) -> list[Day]:
    """Group activities by the reader's day. `labels` names the fields by key; `opened` (and `about`) say which Why is open."""
    told = list(activities)
    names = _actor_names(told)
    today = timezone.localdate()
    return [
        Day(day, _label(day, today), [_event(activity, labels, names, (opened, about)) for activity in group])
        for day, group in groupby(told, key=lambda activity: timezone.localtime(activity.at).date())
    ]


def _event(activity: Activity, labels: Mapping[str, Any], names: Mapping[str, str], opened: tuple[str, str]) -> Event:
    kind = activity_kinds().get(activity.kind)
    values = {"field": "", **activity.payload}
    about = str(values["field"] or "")
    changes = activity.payload.get("changes")
    if changes and "names" in values:  # written in the language of whoever changed them; said in the reader's
        values["names"] = ", ".join(str(labels.get(change["field"], change["field"])) for change in changes)
    if values["field"]:
        values["field"] = str(labels.get(values["field"], values["field"]))
    decision = decision_name(activity.decision_id) if activity.decision_id else ""
    by = names.get(activity.actor, "")
    return Event(
        who_did=explain_activity(activity.kind, values),
        rest=" " + _("by %(name)s") % {"name": by} if by else "",
        at=activity.at,
        icon=kind.icon if kind else "activity",
        tone=ALARMING.get(activity.kind, TONES.get(kind.group if kind else "", "")),
        detail=_changes(activity.payload, labels),
        decision=decision,
        about=about,
        is_open=bool(decision) and (decision, about) == opened,
    )


def _changes(payload: Mapping[str, Any], labels: Mapping[str, Any]) -> SafeString:
    """“Phone: 01 02 (struck) → +33 4 72”, a line a field."""
    changes = payload.get("changes") or ([payload] if "before" in payload and "field" in payload else [])
    lines = []
    for change in changes:
        label = labels.get(change.get("field"), change.get("field"))
        lines.append((label, _(":"), *(_value(change.get(side)) for side in ("before", "after"))))
    return format_html_join("", '<span class="block">{}{} <s>{}</s> → {}</span>', lines)


def _value(value: Any) -> SafeString | str:
    return format_html("<i>{}</i>", _("empty")) if value in (None, "") else str(value)


def _actor_names(activities: list[Activity]) -> dict[str, str]:
    """Users by name; connections, imports and the system speak through the sentence itself."""
    return user_names(activity.actor for activity in activities)


def user_names(actors: Iterable[str]) -> dict[str, str]:
    """The users among these actors, by name."""
    ids = {int(actor[5:]) for actor in actors if actor.startswith("user:")}
    users = User.objects.filter(pk__in=ids) if ids else []
    return {f"user:{user.pk}": user.name for user in users}


def _label(day: date, today: date) -> str:
    if day == today:
        return _("Today")
    return _("Yesterday") if day == today - timedelta(days=1) else ""
