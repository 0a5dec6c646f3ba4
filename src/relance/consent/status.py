"""Statuses: computed from the ledger each time one asks, never kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .grounds import Ground, carried, grounds_of
from .lines import Asked, Basis, ConsentPolicy
from .statements import (
    RESTRICTIONS,
    ConsentFacts,
    Kind,
    Question,
    Speaker,
    Statement,
    Status,
    acted,
    belongs_with,
    closes,
    covers,
    said_by,
)

# The better grounds first: what is shown as the basis when several are good.
_PREFERRED = [
    Basis.CONFIRMED,
    Basis.CONSENT,
    Basis.CONTRACT,
    Basis.CUSTOMER,
    Basis.INQUIRY,
    Basis.PUBLISHED,
    Basis.NOTICE,
]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands for a question at an instant."""

    status: Status
    since: datetime | None = None
    expires: datetime | None = None
    ground: Ground | None = None  # the one that is enough
    closed_by: tuple[Statement, ...] = ()
    pending: Statement | None = None
    wanting: tuple[Ground, ...] = ()  # those that are not enough, and why
    unproved: tuple[Statement, ...] = ()


def standing_of(
    facts: ConsentFacts, question: Question, *, asked: Asked, policy: ConsentPolicy, at: datetime
) -> Standing:
    """1. what closes and was not reopened; 2. what opens and still holds; 3. what waits for a confirmation; 4. what lapsed."""
    grounds = grounds_of(facts, question, asked=asked, policy=policy, at=at)
    closed_by = _still_closed(facts, question, grounds, policy, at)
    enough = [ground for ground in grounds if ground.is_live(at) and ground.basis in asked.grounds]
    pending = pending_request(facts, question, policy=policy, at=at)
    wanting = tuple(ground for ground in grounds if ground not in enough)
    unproved = tuple(
        statement
        for statement in facts.statements
        if statement.act_at is None and statement.at <= at and covers(statement, question)
    )
    known = {"closed_by": closed_by, "pending": pending, "wanting": wanting, "unproved": unproved}
    if closed_by:
        return Standing(_closed_status(closed_by), since=max(acted(said) for said in closed_by), **known)  # type: ignore[arg-type]
    if enough:
        best = max(enough, key=_worth)
        status = Status.OPTED_IN if best.basis in (Basis.CONSENT, Basis.CONFIRMED) else Status.IMPLIED
        return Standing(status, best.since, best.expires, best, **known)  # type: ignore[arg-type]
    if pending or any(ground.lacks == "consent.not_confirmed" for ground in wanting):
        return Standing(Status.PENDING, since=acted(pending) if pending else None, **known)  # type: ignore[arg-type]
    if any(_has_lapsed(ground, asked, at) for ground in wanting) or _asked_in_vain(facts, question, at):
        return Standing(Status.EXPIRED, **known)  # type: ignore[arg-type]
    return Standing(Status.UNKNOWN, **known)  # type: ignore[arg-type]


def pending_request(
    facts: ConsentFacts, question: Question, *, policy: ConsentPolicy, at: datetime
) -> Statement | None:
    """The latest request for confirmation that may still be confirmed, for the address of now, unless what came after closed it."""
    requests = [
        said
        for said in said_by(facts.statements, at)
        if said.kind is Kind.PENDING
        and covers(said, question)
        and carried(said, facts, at)
        and at < policy.confirmation_lasts.after(said.at)
        and not any(
            other.kind in RESTRICTIONS
            and closes(other, question, policy.revoked_together)
            and said.at <= acted(other) <= at
            for other in facts.statements
            if other.act_at
        )
    ]
    return requests[-1] if requests else None


def _still_closed(
    facts: ConsentFacts, question: Question, grounds: tuple[Ground, ...], policy: ConsentPolicy, at: datetime
) -> tuple[Statement, ...]:
    opening = [ground for ground in grounds if ground.is_live(at) and ground.basis in (Basis.CONSENT, Basis.CONFIRMED)]
    return tuple(
        said
        for said in said_by(facts.statements, at)
        if said.kind in RESTRICTIONS
        and closes(said, question, policy.revoked_together)
        and not any(_reopens(ground.statement, said, question, facts) for ground in opening)
    )


def _reopens(given: Statement, closed: Statement, question: Question, facts: ConsentFacts) -> bool:
    """Only a later opt-in reopens, made on the same record or since the two became one; at the same instant the opt-out wins."""
    if acted(given) <= acted(closed):
        return False
    if not belongs_with(given.record, closed.record, acted(given), facts):
        return False
    if closed.kind is Kind.COMPLAINT:
        return given.kind is Kind.CONFIRMED and given.by is Speaker.PERSON
    if closed.kind is Kind.ERASED:
        return given.by is Speaker.PERSON
    return not closed.topics or question.topic in given.topics


def _closed_status(closed_by: tuple[Statement, ...]) -> Status:
    kinds = {said.kind for said in closed_by}
    if Kind.ERASED in kinds:
        return Status.SUPPRESSED
    return Status.COMPLAINED if Kind.COMPLAINT in kinds else Status.OPTED_OUT


def _worth(ground: Ground) -> tuple[int, bool, datetime]:
    """The firmest basis, then the one that holds longest."""
    return -_PREFERRED.index(ground.basis), ground.expires is None, ground.expires or ground.since


def _has_lapsed(ground: Ground, asked: Asked, at: datetime) -> bool:
    if ground.lacks == "consent.confirmed_too_late":
        return True
    return not ground.lacks and ground.basis in asked.grounds and ground.expires is not None and ground.expires <= at


def _asked_in_vain(facts: ConsentFacts, question: Question, at: datetime) -> bool:
    return any(said.kind is Kind.PENDING and covers(said, question) for said in said_by(facts.statements, at))
