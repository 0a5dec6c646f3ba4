"""What the rules of this room need to know, read from the database and from the calendar of holidays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import holidays as calendar

from .holdings import held_by_user
from .models import User, Workspace
from .rules import Role, UserChangeFacts, WorkingHours, week_from_json

HOLIDAY_YEARS_AHEAD = 3


def gather_working_hours(now: datetime) -> WorkingHours:
    """When this workspace works, with its holidays from last year to three years ahead. Workspace.DoesNotExist before set-up."""
    workspace = Workspace.objects.get()
    years = tuple(range(now.year - 1, now.year + HOLIDAY_YEARS_AHEAD + 1))
    return WorkingHours(
        ZoneInfo(workspace.time_zone),
        week_from_json(workspace.working_days),
        frozenset(_holidays(workspace.country, workspace.subdivision, years, "")),
    )


def gather_user_change(user: User, *, heir: User | None = None, is_to_be_left_unowned: bool = False) -> UserChangeFacts:
    """What is known before a user's role or presence changes. Locks the administrators, so that two cannot leave at once."""
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).order_by("pk")
    return UserChangeFacts(
        is_active=user.is_active,
        role=Role(user.role),
        other_admins=sum(admin.pk != user.pk for admin in admins),
        holdings=held_by_user(user.pk),
        heir=heir.name if heir else "",
        is_to_be_left_unowned=is_to_be_left_unowned,
    )


def upcoming_holidays(country: str, subdivision: str, *, today: date, language: str) -> list[tuple[date, str]]:
    """The holidays of the coming twelve months, named in the language when the calendar knows it."""
    known = _holidays(country, subdivision, (today.year, today.year + 1), language)
    return sorted(
        (day, name) for day, name in known.items() if today <= day < today.replace(day=1, year=today.year + 1)
    )


def countries_with_holidays() -> list[str]:
    """Codes of the countries whose holidays are known."""
    return sorted(calendar.list_supported_countries(include_aliases=False))


def subdivisions_of(country: str) -> Sequence[str]:
    """Codes of a country's regions that have holidays of their own; empty for one that has none or is unknown."""
    return tuple(calendar.list_supported_countries(include_aliases=False).get(country, ()))


def subdivision_names(country: str) -> dict[str, str]:
    """What the regions are called, by code, as far as the calendar knows."""
    if country not in countries_with_holidays():
        return {}
    known: dict[str, list[str]] = calendar.country_holidays(country).get_subdivision_aliases()
    return {code: max(known.get(code, []), key=len, default=code) for code in subdivisions_of(country)}


@cache
def _holidays(country: str, subdivision: str, years: tuple[int, ...], language: str) -> dict[date, str]:
    """Empty for a country the calendar does not know: then only the week's own days off count."""
    if country not in countries_with_holidays():
        return {}
    region = subdivision if subdivision in subdivisions_of(country) else None
    spoken = calendar.country_holidays(country).supported_languages
    chosen = next((one for one in spoken if language and one.startswith(language)), None)
    return dict(calendar.country_holidays(country, subdiv=region, years=years, language=chosen))
