"""Reading the log: what happened to a person or a company, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from .kinds import activity_kinds
from .models import Activity


def activities_of_people(
    person_ids: Sequence[int],
    *,
    group: str = "",
    only_decided: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[Activity]:
    """What happened to a person (and to those merged into her), newest first; `before` is the id to go on from."""
    return _newest(Activity.objects.filter(person_id__in=person_ids), group, only_decided, before, limit)


def activities_of_company(company_id: int, *, before: int | None = None, limit: int = 50) -> list[Activity]:
    """What happened to a company, newest first."""
    return _newest(Activity.objects.filter(company_id=company_id), "", False, before, limit)


def explain_activity(kind: str, payload: dict[str, Any]) -> str:
    """The sentence the timeline says, in the active language. A kind no longer known is named, never hidden."""
    declared = activity_kinds().get(kind)
    if declared is None:
        return _("Something happened that this version no longer knows (%(kind)s).") % {"kind": kind}
    return str(declared.says) % _Told(payload)


class _Told(dict[str, Any]):
    """A payload's values as a sentence takes them: blank is said as such, a missing one as a question mark."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__({name: _("empty") if value in (None, "") else value for name, value in payload.items()})

    def __missing__(self, name: str) -> str:
        return "?"


def _newest(activities: Any, group: str, only_decided: bool, before: int | None, limit: int) -> list[Activity]:
    if group:
        activities = activities.filter(kind__in=_kinds_of(group))
    if only_decided:
        activities = activities.exclude(decision_id=None)
    if before is not None:
        activities = activities.filter(pk__lt=before)
    return list(activities.order_by("-id")[:limit])


def _kinds_of(group: str) -> Iterable[str]:
    return [kind.name for kind in activity_kinds().values() if kind.group == group]
