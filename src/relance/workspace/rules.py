"""Who may do what, when we work, and what stands in the way of a change of users. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from relance.decisions.rules import Decision, Reason, go, skip


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    MARKETER = "marketer"
    REP = "rep"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    """What a door asks for. Views, actions and querysets name one of these, never a role."""

    VIEW_PEOPLE = "view_people"
    VIEW_ALL_PEOPLE = "view_all_people"  # without it: people of one's own team, and of no team
    EDIT_PEOPLE = "edit_people"
    DELETE_PEOPLE = "delete_people"
    IMPORT_PEOPLE = "import_people"
    EXPORT_PEOPLE = "export_people"
    SHARE_VIEWS = "share_views"
    VIEW_CRM = "view_crm"
    RETRY_CRM = "retry_crm"
    MANAGE_CRM = "manage_crm"  # connect, map, approve, pause, disconnect
    MANAGE_FIELDS = "manage_fields"
    MANAGE_USERS = "manage_users"
    MANAGE_WORKSPACE = "manage_workspace"
    VIEW_AUDIT = "view_audit"


_READ = frozenset({Permission.VIEW_PEOPLE})
_WORK = _READ | {Permission.EDIT_PEOPLE}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _WORK
    | {
        Permission.IMPORT_PEOPLE,
        Permission.EXPORT_PEOPLE,
        Permission.SHARE_VIEWS,
        Permission.VIEW_CRM,
        Permission.RETRY_CRM,
    },
    Role.MARKETER: _WORK
    | {
        Permission.VIEW_ALL_PEOPLE,
        Permission.IMPORT_PEOPLE,
        Permission.EXPORT_PEOPLE,
        Permission.SHARE_VIEWS,
        Permission.VIEW_CRM,
        Permission.RETRY_CRM,
    },
    Role.REP: _WORK,
    Role.READ_ONLY: _READ | {Permission.VIEW_ALL_PEOPLE, Permission.VIEW_CRM},
}


def may(role: Role | str, permission: Permission) -> bool:
    """Does this role hold this permission?"""
    return permission in ROLE_PERMISSIONS[Role(role)]


# Users


@dataclass(frozen=True, slots=True)
class UserChangeFacts:
    """What is known when somebody's role or presence changes."""

    is_active: bool
    role: Role
    other_admins: int  # active administrators besides this user
    holdings: Mapping[str, int]  # what the user owns: people 120, …
    heir: str = ""  # who receives it: a name, or "" when nobody was named
    is_to_be_left_unowned: bool = False


def decide_deactivation(facts: UserChangeFacts) -> Decision:
    """May this user be deactivated? What the user owns goes to an heir, or is left without owner on purpose."""
    return Decision.of((weigh_presence(facts), weigh_last_admin(facts), weigh_holdings(facts)))


def decide_role_change(facts: UserChangeFacts, role: Role) -> Decision:
    """May this user take another role?"""
    if role is Role.ADMIN:
        return Decision.of((go("user.role_given", role=role.value),))
    return Decision.of((go("user.role_given", role=role.value), weigh_last_admin(facts)))


def weigh_presence(facts: UserChangeFacts) -> Reason:
    return go("user.is_active") if facts.is_active else skip("user.is_inactive_already")


def weigh_last_admin(facts: UserChangeFacts) -> Reason:
    """A workspace always has an administrator: otherwise nobody could ever make another."""
    if facts.role is not Role.ADMIN or not facts.is_active:
        return go("user.is_no_administrator")
    if facts.other_admins:
        return go("user.other_administrators_remain", admins=facts.other_admins)
    return skip("user.is_last_administrator")


def weigh_holdings(facts: UserChangeFacts) -> Reason:
    held = {name: count for name, count in facts.holdings.items() if count}
    if not held:
        return go("user.owns_nothing")
    if facts.heir:
        return go("user.hands_over", heir=facts.heir, **held)
    if facts.is_to_be_left_unowned:
        return go("user.leaves_unowned", **held)
    return skip("user.must_hand_over", **held)


# Working time


@dataclass(frozen=True, slots=True)
class Span:
    """Hours worked in one go, on the clock of the wall; closing at midnight is 00:00."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.closes != time.min and self.closes <= self.opens:
            raise ValueError(f"{self.opens:%H:%M}–{self.closes:%H:%M} closes before it opens")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a workspace works: seven days of spans, Monday first, but for the holidays."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()


SEARCHED_DAYS = 400  # more than a year of closed days means that it never opens


def is_working_moment(hours: WorkingHours, moment: datetime) -> bool:
    """Is somebody at work then? Opening time is, closing time is not."""
    instant = moment.astimezone(UTC)
    return any(opens <= instant < closes for opens, closes in _openings(hours, _first_day(hours, moment), days=2))


def next_working_moment(hours: WorkingHours, after: datetime) -> datetime | None:
    """The first working moment at or after this one, in the workspace's zone; None when it never opens again."""
    instant = after.astimezone(UTC)
    for opens, closes in _openings(hours, _first_day(hours, after), days=SEARCHED_DAYS):
        if instant < closes:
            return max(opens, instant).astimezone(hours.zone)
    return None


def week_from_json(days: Mapping[str, Sequence[Sequence[str]]]) -> tuple[tuple[Span, ...], ...]:
    """The week as the settings keep it: {"0": [["09:00", "12:30"], ["13:30", "18:00"]]}; ValueError when it cannot be."""
    return tuple(_day_from_json(days.get(str(day), ())) for day in range(7))


def week_as_json(week: Sequence[Sequence[Span]]) -> dict[str, list[list[str]]]:
    return {
        str(day): [[f"{span.opens:%H:%M}", f"{span.closes:%H:%M}"] for span in spans]
        for day, spans in enumerate(week)
        if spans
    }


def _day_from_json(spans: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    read = sorted(
        (Span(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in spans),
        key=lambda span: span.opens,
    )
    for before, after in pairwise(read):
        if before.closes == time.min or after.opens < before.closes:
            raise ValueError(f"{after.opens:%H:%M} comes before {before.closes:%H:%M}")
    return tuple(read)


def _first_day(hours: WorkingHours, moment: datetime) -> date:
    """The day before the moment's: hours that close at midnight may, on the night the clock changes, reach past it."""
    return moment.astimezone(hours.zone).date() - timedelta(days=1)


def _openings(hours: WorkingHours, first: date, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Instants of opening and closing, in order. In UTC: two hours of one zone compare by the wall clock, which lies in autumn."""
    for ahead in range(days + 1):
        day = first + timedelta(days=ahead)
        if day in hours.holidays:
            continue
        for span in hours.week[day.weekday()]:
            closing_day = day + timedelta(days=1) if span.closes == time.min else day
            opens = _instant(day, span.opens, hours.zone)
            closes = _instant(closing_day, span.closes, hours.zone)
            if opens < closes:
                yield opens, closes


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant of the day at which the wall clock shows this hour or a later one.

    An hour that comes twice is the first of the two; one that is skipped is the moment the clock jumped.
    """
    wall = datetime.combine(day, clock, zone)
    if wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return wall.astimezone(UTC)
    low, high = wall.replace(fold=1).astimezone(UTC), wall.astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
