"""What the pages of the CRM show, each part read in one statement or two. Nothing here decides, and nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from relance.activity.models import Activity
from relance.decisions.facts import decision_name
from relance.lib import sql
from relance.lib.partitions import time_id
from relance.people.models import Company, Person
from relance.workspace.models import User

from .dialect import KnownCode
from .models import Connection, ConnectionEvent, PushError
from .rules import ConnectionFact, ConnectionState, EventKind, derive_connection_state
from .salesforce.errors_catalogue import known_code

HOURS_OF_HEALTH = 24
REVERTED = "crm.value_reverted"


# ── Connections ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """A connection with its state, and the event that made it so."""

    connection: Connection
    state: ConnectionState
    event: ConnectionEvent | None

    @property
    def is_moving(self) -> bool:
        return self.state is ConnectionState.ENABLED

    @property
    def needs_someone(self) -> bool:
        """Somebody must act, or at least know, before values move again."""
        return self.state in (ConnectionState.BROKEN, ConnectionState.PAUSED, ConnectionState.DISABLED)


# The last event of these kinds is what brought a connection into its state.
_MADE_BY: dict[ConnectionState, tuple[EventKind, ...]] = {
    ConnectionState.NEW: (),
    ConnectionState.VERIFIED: (EventKind.VERIFIED,),
    ConnectionState.ENABLED: (EventKind.ENABLED, EventKind.RESUMED, EventKind.RECONNECTED, EventKind.REPAIRED),
    ConnectionState.PAUSED: (EventKind.PAUSED,),
    ConnectionState.DISABLED: (EventKind.DISABLED,),
    ConnectionState.BROKEN: (EventKind.BROKEN,),
    ConnectionState.DISCONNECTED: (EventKind.DISCONNECTED,),
}


def seen_connections() -> list[SeenConnection]:
    """Every connection with its state, in the order in which they were made: two queries."""
    connections = list(Connection.objects.order_by("id"))
    if not connections:
        return []
    told: dict[int, list[ConnectionEvent]] = {}
    for event in ConnectionEvent.objects.select_related("by").order_by("id"):
        told.setdefault(event.connection_id, []).append(event)
    return [_seen(connection, told.get(connection.pk, [])) for connection in connections]


def seen_connection(connection: Connection) -> SeenConnection:
    """One of them: one query."""
    return _seen(connection, list(connection.events.select_related("by").order_by("id")))


def _seen(connection: Connection, events: Sequence[ConnectionEvent]) -> SeenConnection:
    state = derive_connection_state(ConnectionFact(EventKind(event.kind), event.at) for event in events)
    made_by = _MADE_BY[state]
    event = next((event for event in reversed(events) if event.kind in made_by), None)
    return SeenConnection(connection, state, event)


@dataclass(frozen=True, slots=True)
class SyncFigures:
    """What waits, what is refused, and how far the reads are, for some connections together."""

    waiting: int
    waiting_since: datetime | None
    read_until: datetime | None
    is_first_read: bool
    last_ended_at: datetime | None
    refused: int
    causes: int

    def lag(self, now: datetime) -> timedelta | None:
        """How far behind the CRM we may be: since when the object read longest ago was read to its end. None when never."""
        return max(now - self.read_until, timedelta()) if self.read_until else None


def sync_figures(connections: Sequence[int]) -> SyncFigures:
    """One statement for all of them."""
    [row] = sql.rows("crm", "page_figures", connections=list(connections))
    return SyncFigures(**row)


def count_refused_subjects() -> int:
    """People and companies that some CRM refuses now: the figure beside the name of the section, asked for by every page."""
    open_ones = PushError.objects.filter(resolved_at=None)
    return open_ones.values("subject", "subject_id").distinct().count()


@dataclass(frozen=True, slots=True)
class Linked:
    """How many people and companies have a record in the CRM."""

    people: int
    companies: int


def linked_subjects(connections: Sequence[int]) -> Linked:
    """Counted row by row, so only where it is shown."""
    [row] = sql.rows("crm", "page_linked", connections=list(connections))
    return Linked(**row)


@dataclass(frozen=True, slots=True)
class DayOfSync:
    """What was exchanged on one day."""

    day: date
    received: int = 0
    sent: int = 0
    reverted: int = 0
    refused: int = 0

    @property
    def exchanged(self) -> int:
        return self.received + self.sent


def days_of_sync(connections: Sequence[int], *, today: date, days: int, since: datetime, zone: str) -> list[DayOfSync]:
    """The last days, oldest first, those without an exchange as zeros. `since` is the reader's first midnight of them."""
    rows = sql.rows("crm", "page_runs_by_day", connections=list(connections), since=since, zone=zone)
    told = {row["day"]: DayOfSync(**row) for row in rows}
    all_days = [today - timedelta(days=days - 1 - place) for place in range(days)]
    return [told.get(day) or DayOfSync(day) for day in all_days]


def health_by_hour(connection: Connection, now: datetime) -> list[str]:
    """The last twenty-four hours, oldest first: ok, warn (some runs failed), bad (all did), none (nothing ran)."""
    since = now - timedelta(hours=HOURS_OF_HEALTH)
    rows = sql.rows("crm", "page_run_ticks", connection=connection.pk, since=since, now=now, hours=HOURS_OF_HEALTH)
    told = {row["place"]: row for row in rows}
    return [_health(told.get(hour)) for hour in range(HOURS_OF_HEALTH)]


def _health(row: dict[str, Any] | None) -> str:
    if row is None or not row["done"] + row["failed"]:
        return "none"
    if not row["failed"]:
        return "ok"
    return "warn" if row["done"] else "bad"


@dataclass(frozen=True, slots=True)
class UnmappedOwner:
    """A user of the CRM who owns people and has no user here."""

    crm_id: str
    name: str
    email: str
    people: int


def unmapped_owners(connections: Sequence[int]) -> list[UnmappedOwner]:
    """Those of them who are active, the one with most people first."""
    rows = sql.rows("crm", "page_unmapped_owners", connections=list(connections))
    return [UnmappedOwner(**row) for row in rows]


# ── Reverted values ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reverts:
    """How often a field was put back: here, where the CRM is right, and in the CRM, where we are."""

    here: int = 0
    in_crm: int = 0

    @property
    def total(self) -> int:
        return self.here + self.in_crm


def reverts_by_field(connection: Connection, since: datetime) -> dict[tuple[str, str], Reverts]:
    """By (subject, field key), since a moment."""
    rows = sql.rows("crm", "page_reverts", since_id=time_id(since), actor=f"connection:{connection.pk}")
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        side = "in_crm" if row["side"] == "crm" else "here"
        counted = found.setdefault((row["subject"], row["field"]), {"here": 0, "in_crm": 0})
        counted[side] += row["times"]
    return {key: Reverts(**counted) for key, counted in found.items()}


@dataclass(frozen=True, slots=True)
class RevertedValue:
    """One value that was put back, about somebody this reader may see."""

    subject: str
    subject_id: int
    name: str
    field: str
    side: str
    dropped: str
    kept: str
    at: datetime
    decision_id: int | None

    @property
    def decision(self) -> str:
        """The name of the decision that put it back, for "Why?"; nothing when it was not kept."""
        return decision_name(self.decision_id) if self.decision_id else ""


@dataclass(frozen=True, slots=True)
class RevertedValues:
    """The newest of them, and how many among those looked at are about people this reader may not see."""

    values: list[RevertedValue] = field(default_factory=list)
    hidden: int = 0


LOOKED_AT = 60


def reverted_values(
    user: User,
    *,
    since: datetime,
    limit: int,
    connection: Connection | None = None,
    subject: str = "",
    key: str = "",
) -> RevertedValues:
    """The newest reverted values this reader may see, of one field or of all: three queries at most."""
    told = Activity.objects.filter(pk__gte=time_id(since), kind=REVERTED)
    if connection is not None:
        told = told.filter(actor=f"connection:{connection.pk}")
    if key:
        told = told.filter(payload__field=key)
    if subject:
        told = told.filter(person_id__isnull=subject == "company")
    lines = list(told.order_by("-id")[:LOOKED_AT])
    names = subject_names(user, ((_subject(line), _subject_id(line)) for line in lines))
    seen = [(line, names.get((_subject(line), _subject_id(line)))) for line in lines]
    shown = [_reverted(line, name) for line, name in seen if name is not None]
    return RevertedValues(shown[:limit], hidden=len(lines) - len(shown))


def _subject(line: Activity) -> str:
    return "company" if line.person_id is None else "person"


def _subject_id(line: Activity) -> int:
    return (line.company_id if line.person_id is None else line.person_id) or 0


def _reverted(line: Activity, name: str) -> RevertedValue:
    told = line.payload
    return RevertedValue(
        subject=_subject(line),
        subject_id=_subject_id(line),
        name=name,
        field=told.get("field", ""),
        side=told.get("side", "relance"),
        dropped=told.get("before") or "",
        kept=told.get("after") or "",
        at=line.at,
        decision_id=line.decision_id,
    )


def subject_names(user: User, subjects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The names of the people and companies among these that this reader may see: one query for each kind there is."""
    wanted = set(subjects)
    people = {id for subject, id in wanted if subject == "person"}
    companies = {id for subject, id in wanted if subject == "company"}
    names: dict[tuple[str, int], str] = {}
    if people:
        for person in Person.objects.visible_to(user).filter(pk__in=people):
            names["person", person.pk] = person.full_name
    if companies:
        for company in Company.objects.visible_to(user).filter(pk__in=companies):
            names["company", company.pk] = company.name
    return names


# ── What the CRM refuses ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RefusalCause:
    """People and companies the CRM refuses for the same cause. The words are those of the newest refusal."""

    connection_id: int
    cause_key: str
    object: str
    code: str
    message: str
    fields: list[str]
    body: Any
    subjects: int
    is_companies: bool
    first_at: datetime
    last_at: datetime
    times: int
    days: list[int]

    @property
    def known(self) -> KnownCode:
        """Where this refusal comes from, and whose move it is."""
        return known_code(self.code, self.message)


def refusal_causes(connections: Sequence[int], *, today: date, zone: str) -> list[RefusalCause]:
    """The open ones, the cause that holds back most first: one statement."""
    rows = sql.rows("crm", "page_causes", connections=list(connections), today=today, zone=zone)
    return [RefusalCause(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class ResolvedCause:
    """A cause that holds nobody back any more."""

    object: str
    code: str
    subjects: int
    resolved_at: datetime


def resolved_causes(connection: Connection, since: datetime) -> list[ResolvedCause]:
    """Those resolved since a moment, the latest first."""
    rows = sql.rows("crm", "page_resolved_causes", connection=connection.pk, since=since)
    return [ResolvedCause(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class RefusedSubject:
    """One of the people or companies behind a cause."""

    error: PushError
    name: str
    detail: str
    owner: str


@dataclass(frozen=True, slots=True)
class RefusedSubjects:
    """A page of them, as far as this reader may see them; `after` leads on, `hidden` counts the others of this page."""

    subjects: list[RefusedSubject]
    hidden: int
    after: int | None


def refused_subjects(
    connection: Connection, user: User, *, cause_key: str = "", after: int = 0, limit: int = 25
) -> RefusedSubjects:
    """The open refusals of one cause, or of all: three queries at most."""
    open_ones = PushError.objects.filter(connection=connection, resolved_at=None, pk__gt=after)
    if cause_key:
        open_ones = open_ones.filter(cause_key=cause_key)
    errors = list(open_ones.order_by("id")[: limit + 1])
    page = errors[:limit]
    people = _by_id(Person, user, (error.subject_id for error in page if error.subject == "person"))
    companies = _by_id(Company, user, (error.subject_id for error in page if error.subject == "company"))
    shown = []
    for error in page:
        row = people.get(error.subject_id) if error.subject == "person" else companies.get(error.subject_id)
        if row is not None:
            shown.append(_refused(error, row))
    return RefusedSubjects(shown, len(page) - len(shown), page[-1].pk if len(errors) > limit else None)


def _by_id(model: type[Person] | type[Company], user: User, ids: Iterable[int]) -> dict[int, Any]:
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.pk: row for row in model.objects.visible_to(user).filter(pk__in=wanted).select_related("owner")}


def _refused(error: PushError, row: Any) -> RefusedSubject:
    is_person = isinstance(row, Person)
    return RefusedSubject(
        error=error,
        name=row.full_name if is_person else row.name,
        detail=(row.company_name or row.email or "") if is_person else (row.city or ""),
        owner=row.owner.name if row.owner else "",
    )
