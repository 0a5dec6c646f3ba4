"""What a policy asks: dated lines, the most specific one first, and the terms they come to for one question on one day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Any

from relance.workspace.rules import Span

from .periods import Period
from .statements import Audience, Channel, Purpose


class Need(StrEnum):
    """What a line asks before somebody may be contacted; from the most open to the most closed."""

    OPTOUT = "optout"
    NOTICE_OPTOUT = "notice_optout"
    OPTIN_OR_IMPLIED = "optin_or_implied"
    OPTIN_OR_CUSTOMER = "optin_or_customer"
    OPTIN_OR_CONTRACT = "optin_or_contract"
    OPTIN = "optin"
    DOI_OR_CUSTOMER = "doi_or_customer"
    DOI = "doi"
    CONTRACT_ONLY = "contract_only"
    NEVER = "never"


class Basis(StrEnum):
    """On what ground somebody may be contacted."""

    CONSENT = "consent"
    CONFIRMED = "confirmed_consent"
    CUSTOMER = "customer"
    CONTRACT = "contract"
    INQUIRY = "inquiry"
    PUBLISHED = "published"
    NOTICE = "notice"
    OPTOUT = "legitimate_interest"
    SERVICE = "service"
    REQUEST = "request"  # the person asked to be asked for confirmation
    PERMISSION = "permission_request"


_CONSENT = frozenset({Basis.CONSENT, Basis.CONFIRMED})
GROUNDS: Mapping[Need, frozenset[Basis]] = {
    Need.OPTOUT: _CONSENT | {Basis.OPTOUT},
    Need.NOTICE_OPTOUT: _CONSENT | {Basis.NOTICE},
    Need.OPTIN_OR_IMPLIED: _CONSENT | {Basis.CUSTOMER, Basis.CONTRACT, Basis.INQUIRY, Basis.PUBLISHED},
    Need.OPTIN_OR_CUSTOMER: _CONSENT | {Basis.CUSTOMER},
    Need.OPTIN_OR_CONTRACT: _CONSENT | {Basis.CONTRACT},
    Need.OPTIN: _CONSENT,
    Need.DOI_OR_CUSTOMER: frozenset({Basis.CONFIRMED, Basis.CUSTOMER}),
    Need.DOI: frozenset({Basis.CONFIRMED}),
    Need.CONTRACT_ONLY: frozenset({Basis.CONTRACT}),
    Need.NEVER: frozenset(),
}


class Requests(StrEnum):
    """May one write to ask for consent?"""

    AS_MARKETING = "as_marketing"  # only to whom one may write anyway
    ONCE = "once"
    NEVER = "never"


class Waiver(StrEnum):
    """What lets one contact somebody outside the hours."""

    NOTHING = "nothing"
    CONSENT = "consent"
    NIGHT_CONSENT = "night_consent"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a law lets one contact people: seven days of spans, Monday first, in the person's zone. No week: at any hour."""

    week: tuple[tuple[Span, ...], ...] | None = None
    are_holidays_closed: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many contacts in any stretch of so long."""

    at_most: int
    per: Period
    channels: frozenset[Channel] = frozenset()  # empty: all together
    by: str = "law"  # law, workspace, or the person's own wish

    def counts(self, channel: Channel) -> bool:
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True)
class RegistryRule:
    """How a do-not-call list binds."""

    name: str
    max_age: Period | None = None  # a file older than that tells nothing any more
    consent: str = "none"  # does consent reopen: none, later (than the listing), any
    excepts: frozenset[Basis] = frozenset()
    customer_lasts: Period | None = None
    inquiry_lasts: Period | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a line states; None where it leaves it to a more general line."""

    need: Need | None = None
    also: frozenset[Basis] | None = None
    consent_lasts: Period | None = None
    is_written: bool | None = None  # consent must be in writing
    customer_lasts: Period | None = None
    is_customer_told: bool | None = None
    is_similar_only: bool | None = None
    contract_lasts_after_end: Period | None = None
    is_contract_related: bool | None = None
    inquiry_lasts: Period | None = None
    is_relevant_only: bool | None = None
    inactivity: Period | None = None
    hours: Hours | None = None
    hours_waived_by: Waiver | None = None
    limits: tuple[Limit, ...] | None = None
    after_refusal: Period | None = None
    registries: tuple[str, ...] | None = None
    must_contain: tuple[str, ...] | None = None
    requests: Requests | None = None
    adult_age: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One line of a policy: for whom and what it speaks, when it is in force, and its terms. `layer` grows from general to particular."""

    id: str
    terms: Terms
    channels: frozenset[Channel]
    audiences: frozenset[Audience]
    purpose: Purpose = Purpose.MARKETING
    conditions: tuple[tuple[str, frozenset[str]], ...] = ()
    layer: int = 0
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    confidence: str = "C"

    def is_in_force(self, day: date) -> bool:
        """The last day included."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def speaks_of(self, channel: Channel, audience: Audience, purpose: Purpose, about: Mapping[str, str]) -> bool:
        return (
            channel in self.channels
            and audience in self.audiences
            and purpose is self.purpose
            and all(about.get(name, "") in wanted for name, wanted in self.conditions)
        )

    @property
    def rank(self) -> tuple[int, int]:
        """The more conditions a line has, the more particular it is; a particular layer beats a general one."""
        return self.layer, len(self.conditions) + (len(self.audiences) == 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms for one question on one day, nothing left open, and the lines they come from."""

    need: Need
    line: str
    sources: tuple[str, ...] = ()
    confidence: str = "C"
    also: frozenset[Basis] = frozenset()
    consent_lasts: Period | None = None
    is_written: bool = False
    customer_lasts: Period | None = None
    is_customer_told: bool = False
    is_similar_only: bool = False
    contract_lasts_after_end: Period | None = None
    is_contract_related: bool = False
    inquiry_lasts: Period | None = None
    is_relevant_only: bool = False
    inactivity: Period | None = None
    hours: tuple[Hours, ...] = ()
    hours_waived_by: Waiver = Waiver.NOTHING
    limits: tuple[Limit, ...] = ()
    after_refusal: Period | None = None
    registries: tuple[str, ...] = ()
    must_contain: tuple[str, ...] = ()
    requests: Requests = Requests.AS_MARKETING
    adult_age: int = 18

    @property
    def grounds(self) -> frozenset[Basis]:
        """The grounds that are enough."""
        return GROUNDS[self.need] | (self.also if self.need is not Need.NEVER else frozenset())


WEEK = Period(seconds=7 * 86_400)
RESENDS = Limit(3, Period(seconds=86_400))  # of the mail that asks to confirm


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What holds for one question: the lines that speak of it on any day, those of the strict policy, and the lists.

    `lines` go from general to particular. The day on which a person is asked picks those in force; where none is, `strict` speaks.
    """

    lines: tuple[PolicyLine, ...]
    strict: tuple[PolicyLine, ...]
    registries: Mapping[str, RegistryRule] = field(default_factory=dict)
    revoked_together: frozenset[Channel] = frozenset()  # who closes one of these closes them all
    confirmation_lasts: Period = WEEK
    resends: Limit = RESENDS
    name: str = ""
    _days: dict[date, Asked] = field(default_factory=dict, init=False, compare=False, repr=False)

    def on(self, day: date) -> Asked:
        """What is asked that day."""
        if day not in self._days:
            self._days[day] = self._worked_out(day)
        return self._days[day]

    def _worked_out(self, day: date) -> Asked:
        in_force = [line for line in self.lines if line.is_in_force(day)]
        if not any(line.terms.need for line in in_force):
            in_force = [line for line in self.strict if line.is_in_force(day)] or [NOBODY]
        return _together(in_force)


NOBODY = PolicyLine("nothing-allows-it", Terms(need=Need.NEVER), frozenset(Channel), frozenset(Audience))
_NEEDS = list(Need)
# Where lines of one rank differ, the one that lets less through holds.
_STRICTER_WHEN_SHORTER = frozenset(
    {"consent_lasts", "customer_lasts", "contract_lasts_after_end", "inquiry_lasts", "inactivity"}
)
_STRICTER_WHEN_LONGER = frozenset({"after_refusal", "adult_age"})


def _together(lines: Sequence[PolicyLine]) -> Asked:
    ordered = sorted(lines, key=lambda line: line.rank, reverse=True)
    stated = {term.name: _stated(term.name, ordered) for term in fields(Terms)}
    needing = next(line for line in ordered if line.terms.need and line.terms.need is stated["need"])
    known: dict[str, Any] = {
        name: value for name, value in stated.items() if value is not None and name not in ("hours", "must_contain")
    }
    return Asked(
        line=needing.id,
        sources=tuple(dict.fromkeys(line.source for line in ordered if line.source)),
        confidence=needing.confidence,
        hours=_hours(ordered),
        must_contain=tuple(dict.fromkeys(word for line in reversed(ordered) for word in line.terms.must_contain or ())),
        **known,
    )


def _stated(name: str, ordered: Sequence[PolicyLine]) -> object:
    """The term as the most particular lines state it; the strictest of those of one rank."""
    values = [(line.rank, getattr(line.terms, name)) for line in ordered if getattr(line.terms, name) is not None]
    if not values:
        return None
    equal = [value for rank, value in values if rank == values[0][0]]
    return equal[0] if len(equal) == 1 else _strictest(name, equal)


def _strictest(name: str, values: list[object]) -> object:
    if name == "need":
        return max(values, key=lambda need: _NEEDS.index(need))  # type: ignore[arg-type]
    if name in ("limits", "registries"):
        return tuple(dict.fromkeys(part for value in values for part in value))  # type: ignore[attr-defined]
    if name == "also":
        return frozenset.intersection(*values)  # type: ignore[arg-type]
    if name in _STRICTER_WHEN_SHORTER:
        return min(values, key=_length)
    if name in _STRICTER_WHEN_LONGER:
        return max(values, key=lambda value: value if isinstance(value, int) else _length(value))
    if name == "requests":
        return max(values, key=[Requests.ONCE, Requests.AS_MARKETING, Requests.NEVER].index)  # type: ignore[arg-type]
    if name == "hours_waived_by":
        return Waiver.NOTHING
    return any(values)


def _length(value: object) -> int:
    return value.months * 2_629_800 + value.seconds if isinstance(value, Period) else 0


def _hours(ordered: Sequence[PolicyLine]) -> tuple[Hours, ...]:
    """All the hours of the most particular lines that state some: each of them must be open."""
    stated = [(line.rank, line.terms.hours) for line in ordered if line.terms.hours is not None]
    return tuple(dict.fromkeys(hours for rank, hours in stated if rank == stated[0][0] and hours.week is not None))


def lines_about(
    lines: Iterable[PolicyLine], channel: Channel, audience: Audience, purpose: Purpose, about: Mapping[str, str]
) -> tuple[PolicyLine, ...]:
    """The lines that speak of a question, on whatever day."""
    return tuple(line for line in lines if line.speaks_of(channel, audience, purpose, about))
