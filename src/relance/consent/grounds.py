"""On what ground may this person be contacted, since when and until when? Pure.

A ground that lapsed stays lapsed: what the person does afterwards on something else gives nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .lines import Asked, Basis, ConsentPolicy
from .periods import Period
from .statements import (
    LIVING_ACTS,
    RELATIONS,
    WRITTEN,
    ActKind,
    Channel,
    ConsentFacts,
    Kind,
    Question,
    Speaker,
    Statement,
    acted,
    belongs_with,
    covers,
    said_by,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One statement that could be enough. `lacks` is the code of what keeps it from being so, empty for a good one."""

    basis: Basis
    statement: Statement
    since: datetime
    expires: datetime | None = None
    lacks: str = ""

    def is_live(self, at: datetime) -> bool:
        return not self.lacks and (self.expires is None or at < self.expires)


SPOKEN = frozenset({Kind.GIVEN, Kind.CONFIRMED, Kind.PENDING, Kind.INQUIRY})
_BASES = {
    Kind.GIVEN: Basis.CONSENT,
    Kind.CONFIRMED: Basis.CONFIRMED,
    Kind.CUSTOMER: Basis.CUSTOMER,
    Kind.CONTRACT: Basis.CONTRACT,
    Kind.INQUIRY: Basis.INQUIRY,
    Kind.PUBLISHED: Basis.PUBLISHED,
    Kind.NOTICE: Basis.NOTICE,
}


def grounds_of(
    facts: ConsentFacts, question: Question, *, asked: Asked, policy: ConsentPolicy, at: datetime
) -> tuple[Ground, ...]:
    """Every ground the ledger holds for the question at an instant, also those that are not enough, in the order of the acts."""
    said = said_by(facts.statements, at)
    grounds = [
        ground
        for statement in said
        for basis in _bases(statement, asked)
        if (ground := _ground(statement, basis, facts, question, asked=asked, policy=policy, at=at))
    ]
    return tuple(grounds)


def _bases(statement: Statement, asked: Asked) -> Iterable[Basis]:
    if statement.kind not in _BASES:
        return
    yield _BASES[statement.kind]
    if statement.kind is Kind.CONTRACT:
        yield Basis.CUSTOMER  # whoever has a contract with us is a customer


def _ground(
    statement: Statement,
    basis: Basis,
    facts: ConsentFacts,
    question: Question,
    *,
    asked: Asked,
    policy: ConsentPolicy,
    at: datetime,
) -> Ground | None:
    """None when the statement does not speak of what is asked."""
    is_relation = statement.kind in RELATIONS
    if not (_relates(statement, question) if is_relation else covers(statement, question)):
        return None
    lacks = _lacking(statement, basis, facts, question, asked=asked, policy=policy, at=at)
    expires = _earliest(
        statement.until if basis in (Basis.CONSENT, Basis.CONFIRMED, Basis.NOTICE, Basis.PUBLISHED) else None,
        _own_end(statement, basis, facts, asked, at),
        _inactive_from(statement, basis, facts, asked, at),
    )
    return Ground(basis, statement, acted(statement), expires, lacks)


def _relates(statement: Statement, question: Question) -> bool:
    """A relation is to a brand; without channel it is about all of them, and topics say what it is about."""
    return statement.brand == question.brand and statement.channel in (Channel.ALL, question.channel)


def _lacking(
    statement: Statement,
    basis: Basis,
    facts: ConsentFacts,
    question: Question,
    *,
    asked: Asked,
    policy: ConsentPolicy,
    at: datetime,
) -> str:
    """What keeps a statement from being enough, whatever the time."""
    match basis:
        case Basis.CONSENT | Basis.CONFIRMED:
            return _consent_lacking(statement, facts, asked=asked, policy=policy, at=at)
        case Basis.CUSTOMER:
            if asked.is_customer_told and not statement.is_told:
                return "consent.customer_not_told"
            return "consent.not_similar" if asked.is_similar_only and not _is_about(statement, question) else ""
        case Basis.CONTRACT:
            return "consent.not_related" if asked.is_contract_related and not _is_about(statement, question) else ""
        case Basis.PUBLISHED | Basis.NOTICE if asked.is_relevant_only and not question.is_relevant:
            return "consent.not_relevant"
        case Basis.PUBLISHED | Basis.NOTICE if not carried(statement, facts, at):
            return "consent.other_address"
        case _:
            return ""


def _consent_lacking(
    statement: Statement, facts: ConsentFacts, *, asked: Asked, policy: ConsentPolicy, at: datetime
) -> str:
    if not carried(statement, facts, at):
        return "consent.other_address"
    if asked.is_written and statement.how not in WRITTEN:
        return "consent.not_written"
    if statement.kind is Kind.CONFIRMED:
        return "" if is_confirmed_in_time(statement, policy.confirmation_lasts) else "consent.confirmed_too_late"
    is_confirmation_wanted = Basis.CONSENT not in asked.grounds and Basis.CONFIRMED in asked.grounds
    return "consent.not_confirmed" if is_confirmation_wanted else ""


def is_confirmed_in_time(statement: Statement, lifetime: Period) -> bool:
    """A confirmation is valid from its request on, strictly before the request's lifetime is over."""
    if statement.requested_at is None:
        return True
    return statement.requested_at <= acted(statement) < lifetime.after(statement.requested_at)


def carried(statement: Statement, facts: ConsentFacts, at: datetime) -> bool:
    """Does what was said for the address of then hold for the one of now? Only if each change since was the person's own."""
    act = acted(statement)
    since = sorted(
        (
            change
            for change in facts.changes
            if act < change.at <= at and belongs_with(statement.record, change.record, change.at, facts)
        ),
        key=lambda change: (change.at, change.before),
    )
    if statement.address and facts.address is not None and statement.address == facts.address:
        return True
    if not statement.address or not facts.address:
        return all(change.is_by_person for change in since)
    held = statement.address
    for change in since:
        if change.before == held and change.is_by_person:
            held = change.after
    return held == facts.address


def _is_about(statement: Statement, question: Question) -> bool:
    return question.is_related and (not statement.topics or question.topic in statement.topics)


def _own_end(statement: Statement, basis: Basis, facts: ConsentFacts, asked: Asked, at: datetime) -> datetime | None:
    """When the ground is over by its own lifetime."""
    match basis:
        case Basis.CONSENT | Basis.CONFIRMED:
            # A consent that says how long it holds holds that long.
            return asked.consent_lasts.after(acted(statement)) if asked.consent_lasts and not statement.until else None
        case Basis.CUSTOMER if statement.kind is Kind.CONTRACT:
            return _after_end(statement, asked.customer_lasts)
        case Basis.CUSTOMER:
            lasts = asked.customer_lasts.after(_last_purchase(statement, facts, at)) if asked.customer_lasts else None
            return _earliest(lasts, _after_end(statement, asked.customer_lasts))
        case Basis.CONTRACT:
            return _after_end(statement, asked.contract_lasts_after_end)
        case Basis.INQUIRY:
            return asked.inquiry_lasts.after(statement.at) if asked.inquiry_lasts else statement.until
        case _:
            return None


def _after_end(statement: Statement, lasts: Period | None) -> datetime | None:
    if statement.until is None:
        return None
    return lasts.after(statement.until) if lasts else statement.until


def _last_purchase(statement: Statement, facts: ConsentFacts, at: datetime) -> datetime:
    bought = [
        act.at
        for act in facts.acts
        if act.kind is ActKind.PURCHASE
        and statement.at <= act.at <= at
        and belongs_with(statement.record, act.record, act.at, facts)
    ]
    return max([statement.at, *bought])


def _inactive_from(
    statement: Statement, basis: Basis, facts: ConsentFacts, asked: Asked, at: datetime
) -> datetime | None:
    """When the person had done nothing for as long as the policy waits. A contract that runs needs no sign of life."""
    if asked.inactivity is None:
        return None
    begins = acted(statement)
    if statement.kind is Kind.CONTRACT:
        if statement.until is None or at < statement.until:
            return None
        begins = statement.until
    return silent_from(begins, facts, asked.inactivity, record=statement.record, at=at)


def silent_from(begins: datetime, facts: ConsentFacts, period: Period, *, record: str, at: datetime) -> datetime:
    """The end of the first silence that lasted the whole period; acts after it count for nothing."""
    end = period.after(begins)
    for act in sorted(_living_acts(facts, record, at)):
        if act >= end:
            break
        if act > begins:
            end = max(end, period.after(act))
    return end


def _living_acts(facts: ConsentFacts, record: str, at: datetime) -> list[datetime]:
    """What the person did herself: clicks, replies, purchases, forms, and what she said here."""
    acts = [(act.at, act.record) for act in facts.acts if act.kind in LIVING_ACTS]
    said = [(said.at, said.record) for said in facts.statements if said.by is Speaker.PERSON and said.kind in SPOKEN]
    return [when for when, of in (*acts, *said) if when <= at and belongs_with(record, of, when, facts)]


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
