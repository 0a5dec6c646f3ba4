"""Who is right, field by field; whether somebody's values may be sent; in what state a connection is. Facts in, reasons out.

The same field rule is compiled to SQL in `merge.py` for whole sets; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from relance.decisions.rules import Decision, Reason, Verdict, go, skip, wait


class LoginMethod(StrEnum):
    CLIENT_CREDENTIALS = "client_credentials"
    JWT_BEARER = "jwt_bearer"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105


class EventKind(StrEnum):
    VERIFIED = "verified"
    ENABLED = "enabled"
    PAUSED = "paused"
    RESUMED = "resumed"
    DISABLED = "disabled"
    BROKEN = "broken"
    REPAIRED = "repaired"
    DISCONNECTED = "disconnected"
    RECONNECTED = "reconnected"


class ConnectionState(StrEnum):
    NEW = "new"  # never verified
    VERIFIED = "verified"  # it answers; nothing moves yet
    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    BROKEN = "broken"
    DISCONNECTED = "disconnected"


class MappingState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


class RightSide(StrEnum):
    """Who is right when the two sides differ."""

    CRM = "crm"
    RELANCE = "relance"
    LATEST = "latest"


class BlankPolicy(StrEnum):
    """What happens when the side that is right holds nothing: both stay, the other side fills it, or the other side is emptied."""

    KEEP = "keep"
    FILL = "fill"
    CLEAR = "clear"


class Direction(StrEnum):
    BOTH = "both"
    TO_CRM = "to_crm"
    FROM_CRM = "from_crm"


class Transform(StrEnum):
    NONE = "none"
    TRIM = "trim"
    LOWER = "lower"
    UPPER = "upper"
    VALUE_MAP = "value_map"


class Creates(StrEnum):
    """Which of our people may become new records of an object."""

    NONE = "none"
    OWNED = "owned"
    ALL = "all"


class LinkRole(StrEnum):
    LEADING = "leading"
    SECOND = "second"


class PushState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it left, and no answer came


class RunKind(StrEnum):
    INITIAL = "initial"
    PULL = "pull"
    SETTLE = "settle"
    PUSH = "push"
    SWEEP = "sweep"  # all ids, once a week
    FORMULAS = "formulas"  # all records once a day, where a formula is mapped


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # paused, or killed and taken up by the next
    FAILED = "failed"


# ── The state of a connection ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ConnectionFact:
    """One event of a connection, oldest first in any list of them."""

    kind: EventKind
    at: datetime


def derive_connection_state(events: Iterable[ConnectionFact]) -> ConnectionState:
    """What the events make of a connection. Broken hides paused and enabled; disconnected hides all."""
    verified = enabled = paused = broken = disconnected = disabled = False
    for event in events:
        match event.kind:
            case EventKind.VERIFIED:
                verified = True
            case EventKind.ENABLED:
                enabled, disabled, paused = True, False, False
            case EventKind.PAUSED:
                paused = True
            case EventKind.RESUMED:
                paused = False
            case EventKind.DISABLED:
                disabled, enabled = True, False
            case EventKind.BROKEN:
                broken = True
            case EventKind.REPAIRED:
                broken = False
            case EventKind.DISCONNECTED:
                disconnected = True
            case EventKind.RECONNECTED:
                disconnected = broken = False
    return next(
        state
        for state, holds in (
            (ConnectionState.DISCONNECTED, disconnected),
            (ConnectionState.BROKEN, broken),
            (ConnectionState.PAUSED, paused and enabled),
            (ConnectionState.ENABLED, enabled),
            (ConnectionState.DISABLED, disabled),
            (ConnectionState.VERIFIED, verified),
            (ConnectionState.NEW, True),
        )
        if holds
    )


# ── One field of one person ──────────────────────────────────────────────────────────────────────────────────────────


class FieldCode(IntEnum):
    """What became of a field, by the number the ledger keeps. SAME is never written."""

    SAME = 0
    CRM_IS_RIGHT = 3001
    REVERTED_TO_CRM = 3002
    RELANCE_IS_RIGHT = 3003
    PUT_BACK_IN_CRM = 3004
    ONLY_CRM_CHANGED = 3005
    ONLY_RELANCE_CHANGED = 3006
    NEWER_IN_CRM = 3007
    NEWER_IN_RELANCE = 3008
    BLANK_KEPT = 3009
    BLANK_FILLED = 3010
    FILLED_FROM_CRM = 3011
    BLANK_CLEARED = 3012
    CLEARED_IN_CRM = 3013
    ONLY_TO_CRM = 3014
    ONLY_FROM_CRM = 3015
    EMAIL_TAKEN = 3016
    UNREADABLE = 3017
    OWNER_FOLLOWS = 3018
    COMPANY_FOLLOWS = 3019

    @property
    def code(self) -> str:
        return f"crm.{self.name.lower()}"


APPLIED = frozenset(
    {
        FieldCode.CRM_IS_RIGHT,
        FieldCode.REVERTED_TO_CRM,
        FieldCode.ONLY_CRM_CHANGED,
        FieldCode.NEWER_IN_CRM,
        FieldCode.FILLED_FROM_CRM,
        FieldCode.BLANK_CLEARED,
        FieldCode.OWNER_FOLLOWS,
        FieldCode.COMPANY_FOLLOWS,
    }
)
SENT = frozenset(
    {
        FieldCode.RELANCE_IS_RIGHT,
        FieldCode.PUT_BACK_IN_CRM,
        FieldCode.ONLY_RELANCE_CHANGED,
        FieldCode.NEWER_IN_RELANCE,
        FieldCode.BLANK_FILLED,
        FieldCode.CLEARED_IN_CRM,
    }
)
KEPT = frozenset(FieldCode) - APPLIED - SENT - {FieldCode.SAME}
REVERTED = frozenset({FieldCode.REVERTED_TO_CRM, FieldCode.PUT_BACK_IN_CRM})
VERDICTS: dict[FieldCode, Verdict] = {
    **dict.fromkeys(FieldCode, Verdict.GO),
    **dict.fromkeys((FieldCode.BLANK_KEPT, FieldCode.ONLY_TO_CRM, FieldCode.ONLY_FROM_CRM), Verdict.SKIP),
    **dict.fromkeys((FieldCode.EMAIL_TAKEN, FieldCode.UNREADABLE), Verdict.WAIT),
}


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """Who is right about a field, and what follows from blanks."""

    owner: RightSide
    blank: BlankPolicy = BlankPolicy.FILL
    direction: Direction = Direction.BOTH


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """Both sides of a field, in our own terms (transformed, spelt alike), and what they last agreed on.

    `has_base` is false until the two sides were first compared; then a side counts as changed when it holds something.
    """

    local: str | None
    crm: str | None
    base: str | None = None
    has_base: bool = True
    local_changed_at: datetime | None = None
    crm_changed_at: datetime | None = None
    is_email_taken: bool = False
    is_unreadable: bool = False

    @property
    def local_changed(self) -> bool:
        return self.local != self.base if self.has_base else self.local is not None

    @property
    def crm_changed(self) -> bool:
        return self.crm != self.base if self.has_base else self.crm is not None

    @property
    def is_newer_in_crm(self) -> bool:
        """Without a clock of ours the CRM's word is the later one: a field without a clock was not touched here."""
        if self.local_changed_at is None or self.crm_changed_at is None:
            return self.local_changed_at is None
        return self.crm_changed_at >= self.local_changed_at


def decide_field(facts: FieldFacts, policy: FieldPolicy) -> FieldCode:
    """Who wins a field, and why."""
    if facts.is_unreadable:
        return FieldCode.UNREADABLE
    if facts.local == facts.crm:
        return FieldCode.SAME
    code = heed_direction(_weigh_sides(facts, policy), policy.direction)
    if code in APPLIED and facts.crm is not None and facts.is_email_taken:
        return FieldCode.EMAIL_TAKEN
    return code


def _weigh_sides(facts: FieldFacts, policy: FieldPolicy) -> FieldCode:
    match policy.owner:
        case RightSide.CRM:
            said = FieldCode.REVERTED_TO_CRM if facts.local_changed else FieldCode.CRM_IS_RIGHT
            return _crm_wins(facts, policy.blank, said)
        case RightSide.RELANCE:
            said = FieldCode.PUT_BACK_IN_CRM if facts.crm_changed else FieldCode.RELANCE_IS_RIGHT
            return _relance_wins(facts, policy.blank, said)
        case RightSide.LATEST:
            return _later_wins(facts, policy.blank)


def _later_wins(facts: FieldFacts, blank: BlankPolicy) -> FieldCode:
    if not facts.local_changed:
        return _crm_wins(facts, blank, FieldCode.ONLY_CRM_CHANGED)
    if not facts.crm_changed:
        return _relance_wins(facts, blank, FieldCode.ONLY_RELANCE_CHANGED)
    if facts.is_newer_in_crm:
        return _crm_wins(facts, blank, FieldCode.NEWER_IN_CRM)
    return _relance_wins(facts, blank, FieldCode.NEWER_IN_RELANCE)


CRM_BLANK = {
    BlankPolicy.KEEP: FieldCode.BLANK_KEPT,
    BlankPolicy.FILL: FieldCode.BLANK_FILLED,
    BlankPolicy.CLEAR: FieldCode.BLANK_CLEARED,
}
LOCAL_BLANK = {
    BlankPolicy.KEEP: FieldCode.BLANK_KEPT,
    BlankPolicy.FILL: FieldCode.FILLED_FROM_CRM,
    BlankPolicy.CLEAR: FieldCode.CLEARED_IN_CRM,
}


def _crm_wins(facts: FieldFacts, blank: BlankPolicy, said: FieldCode) -> FieldCode:
    return CRM_BLANK[blank] if facts.crm is None else said


def _relance_wins(facts: FieldFacts, blank: BlankPolicy, said: FieldCode) -> FieldCode:
    return LOCAL_BLANK[blank] if facts.local is None else said


def heed_direction(code: FieldCode, direction: Direction) -> FieldCode:
    """A field that only travels one way never travels the other, whoever is right."""
    if direction is Direction.FROM_CRM and code in SENT:
        return FieldCode.ONLY_FROM_CRM
    if direction is Direction.TO_CRM and code in APPLIED:
        return FieldCode.ONLY_TO_CRM
    return code


# ── Sending one person's values ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PushFacts:
    """What is about to be sent for one person or company, and what stands around it."""

    state: ConnectionState
    has_record: bool
    fields: tuple[str, ...]  # the CRM's names of what would be sent
    read_only: tuple[str, ...] = ()  # wanted, and not writable by our user
    missing: tuple[str, ...] = ()  # required by the CRM for a new record, and blank here
    is_deleted: bool = False
    is_converted: bool = False
    is_refused_before: bool = False
    has_owner: bool = False
    object: str = ""


def decide_push(facts: PushFacts, creates: Creates) -> Decision:
    """May these values be sent now? Every rule speaks."""
    said = [weigh_connection(facts.state), weigh_record(facts), weigh_refusal(facts), weigh_fields(facts)]
    if not facts.has_record:
        said += [weigh_creation(facts, creates), weigh_required(facts)]
    return Decision.of(reason for reason in said if reason is not None)


def weigh_connection(state: ConnectionState) -> Reason:
    if state is ConnectionState.ENABLED:
        return go("crm.connection_works")
    return wait("crm.connection_stopped", state=state.value)


def weigh_record(facts: PushFacts) -> Reason | None:
    if facts.is_deleted:
        return skip("crm.deleted_in_crm", object=facts.object)
    if facts.is_converted:
        return wait("crm.converted_lead", object=facts.object)
    return None


def weigh_refusal(facts: PushFacts) -> Reason | None:
    """The same values would be refused again; sending them spends the CRM's budget for nothing."""
    return wait("crm.refused_before") if facts.is_refused_before else None


def weigh_fields(facts: PushFacts) -> Reason:
    if facts.fields:
        return go("crm.values_to_send", fields=list(facts.fields))
    if facts.read_only:
        return wait("crm.fields_read_only", fields=list(facts.read_only))
    return skip("crm.nothing_to_send")


def weigh_creation(facts: PushFacts, creates: Creates) -> Reason:
    if creates is Creates.NONE:
        return skip("crm.creates_none", object=facts.object)
    if creates is Creates.OWNED and not facts.has_owner:
        return skip("crm.not_owned", object=facts.object)
    return go("crm.may_create", object=facts.object)


def weigh_required(facts: PushFacts) -> Reason | None:
    return wait("crm.required_missing", fields=list(facts.missing)) if facts.missing else None


SAME_FAILURES_BEFORE_PARKING = 3
LOCKS_BEFORE_PARKING = 10  # a nightly load may hold a company for an hour
PARTS_OF_A_FAILED_CALL = 8


def is_parked(failures: int, *, is_lock: bool) -> bool:
    """Has a row failed by one cause so often that sending it again is for a person to decide?"""
    return failures >= (LOCKS_BEFORE_PARKING if is_lock else SAME_FAILURES_BEFORE_PARKING)


def rows_together(failures: int, most: int) -> int:
    """How many rows that failed so often go in one call: fewer each time, until the one at fault stands alone."""
    parts: int = PARTS_OF_A_FAILED_CALL ** min(failures, 4)
    return max(1, most // parts)


FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)


def next_attempt(attempts: int, *, asked: timedelta | None = None, spread: float = 0.0) -> timedelta:
    """How long to wait before the next attempt: doubled each time up to an hour, never shorter than the CRM asked for.

    `spread`, between 0 and 1, adds up to a half: rows that stood in each other's way come back one after the other.
    """
    doubled: timedelta = FIRST_DELAY * 2 ** min(attempts, 12)
    return max(min(doubled, LONGEST_DELAY), asked or timedelta()) * (1 + spread / 2)


FEW_VANISHED = 20
SHARE_THAT_MAY_VANISH = 0.05


def may_unlink_vanished(vanished: int, linked: int) -> bool:
    """Records go one by one; many that go at once are hidden by a right that was taken away."""
    return vanished <= max(FEW_VANISHED, linked * SHARE_THAT_MAY_VANISH)


# ── The daily allowance of calls ─────────────────────────────────────────────────────────────────────────────────────


class Pace(StrEnum):
    """What may run within the budget."""

    ALL = "all"
    NO_SWEEPS = "no_sweeps"  # at this pace it would not last the day: what can wait waits
    FIRST_ONLY = "first_only"  # it is spent: only what somebody waits for goes out


FIRST_LANE = 5  # new people, and whoever somebody asked for
ORG_NEARLY_SPENT = 0.98


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """Calls made by this connection, and what the CRM tells of the whole organisation."""

    spent_day: int
    spent_hour: int
    org_used: int | None
    org_limit: int | None
    percent: int

    @property
    def allowance(self) -> int | None:
        return None if self.org_limit is None else self.org_limit * self.percent // 100

    @property
    def forecast(self) -> int:
        """What a day would cost at the pace of this hour, or what it did cost where that was more."""
        return max(self.spent_day, self.spent_hour * 24)


def pace_of(facts: BudgetFacts) -> Pace:
    """How much may run. An organisation whose allowance nobody told is not held back."""
    if facts.allowance is None or facts.org_limit is None:
        return Pace.ALL
    is_org_spent = (facts.org_used or 0) >= facts.org_limit * ORG_NEARLY_SPENT
    if facts.spent_day >= facts.allowance or is_org_spent:
        return Pace.FIRST_ONLY
    return Pace.NO_SWEEPS if facts.forecast > facts.allowance else Pace.ALL


def weigh_budget(facts: BudgetFacts) -> Reason:
    """The pace, with what it was told from."""
    pace = pace_of(facts)
    seen: dict[str, Any] = {
        "spent": facts.spent_day,
        "allowance": facts.allowance,
        "forecast": facts.forecast,
        "pace": pace.value,
    }
    return go("crm.within_budget", **seen) if pace is Pace.ALL else wait("crm.budget_kept", **seen)


# ── Trying a broken connection again ─────────────────────────────────────────────────────────────────────────────────

FIRST_RECHECK = timedelta(minutes=1)
LONGEST_RECHECK = timedelta(hours=1)


def is_recheck_due(
    broken_at: datetime, rechecked_at: datetime | None, *, same_breaks: int, retry: str, now: datetime
) -> bool:
    """Is it time to see whether a broken connection works again? Each pause is as long as all before it, up to an hour.

    `same_breaks`: how often it broke the same way this day; one that only seems to work is tried less and less. Where another try
    does harm (it locks the user out, it ends the grant) somebody has to act first.
    """
    if retry == "never":
        return False
    last = max(broken_at, rechecked_at or broken_at)
    pause = max(last - broken_at, FIRST_RECHECK * 2 ** min(same_breaks - 1, 6), FIRST_RECHECK)
    due: datetime = last + min(pause, LONGEST_RECHECK)
    return now >= due
