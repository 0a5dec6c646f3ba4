"""May we contact this person about this, by consent and law, whatever the hour? Pure: facts and policy in, reasons out.

Every rule speaks: an opt-out is told beside a company block and a do-not-call list, so that nobody mends only one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from relance.decisions.rules import Decision, Reason, Verdict, go, skip

from .grounds import Ground, grounds_of, silent_from
from .lines import Asked, Basis, ConsentPolicy, Need, RegistryRule, Requests
from .statements import (
    Channel,
    ConsentFacts,
    Kind,
    Purpose,
    Question,
    Statement,
    Status,
    acted,
    belongs_with,
    closes,
    closes_channel,
    said_by,
)
from .status import Standing, pending_request, standing_of

CONSENTS = (Basis.CONSENT, Basis.CONFIRMED)


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What consent and law say, with the basis when they let the message go."""

    decision: Decision
    status: Status
    basis: Basis | None
    asked: Asked
    expires: datetime | None = None


def weigh_consent(facts: ConsentFacts, question: Question, *, policy: ConsentPolicy, at: datetime, day: date) -> Reason:
    """The one reason that decides: the first of the strictest."""
    return decide_consent(facts, question, policy=policy, at=at, day=day).decision.decisive[0]


def decide_consent(
    facts: ConsentFacts, question: Question, *, policy: ConsentPolicy, at: datetime, day: date
) -> ConsentAnswer:
    """Every reason of consent and law. `day` is the day at the person's place: it picks the lines in force."""
    asked = policy.on(day)
    standing = standing_of(facts, question, asked=asked, policy=policy, at=at)
    match question.meant:
        case Purpose.SERVICE:
            return _answer([go("consent.service")], standing, Basis.SERVICE, asked)
        case Purpose.CONFIRMATION:
            return _answer([weigh_request(facts, question, policy=policy, at=at)], standing, Basis.REQUEST, asked)
    reasons = [
        *weigh_closed(standing, asked),
        *weigh_blocks(facts, question, at),
        *weigh_age(facts, question, asked=asked, at=at),
        *weigh_registries(facts, question, asked=asked, policy=policy, at=at),
    ]
    if question.meant is Purpose.PERMISSION and asked.requests is not Requests.AS_MARKETING:
        reasons.append(weigh_asking(facts, question, standing=standing, asked=asked, at=at))
        return _answer(reasons, standing, Basis.PERMISSION, asked)
    reasons.extend(weigh_ground(facts, question, standing=standing, asked=asked, at=at))
    basis = standing.ground.basis if standing.ground else Basis.OPTOUT
    return _answer(reasons, standing, basis, asked)


def _answer(reasons: list[Reason], standing: Standing, basis: Basis, asked: Asked) -> ConsentAnswer:
    decision = Decision.of(reasons)
    allowed = decision.verdict is Verdict.GO
    return ConsentAnswer(decision, standing.status, basis if allowed else None, asked, standing.expires)


# What the person, or somebody for her, has closed.

_CLOSED = {
    Kind.WITHDRAWN: "consent.withdrawn",
    Kind.OBJECTION: "consent.objected",
    Kind.COMPLAINT: "consent.complained",
    Kind.ERASED: "consent.erased",
}


def weigh_closed(standing: Standing, asked: Asked) -> Iterator[Reason]:
    """Opt-outs, objections, complaints and erasures that nothing reopened, the latest first."""
    for said in sorted(standing.closed_by, key=lambda said: (acted(said), said.kind, said.key), reverse=True):
        yield skip(_CLOSED[said.kind], **_entry(said), topics=sorted(said.topics), brand=said.brand)
    if standing.closed_by and standing.pending:
        yield skip("consent.awaits_confirmation", **_entry(standing.pending))


def weigh_blocks(facts: ConsentFacts, question: Question, at: datetime) -> Iterator[Reason]:
    """A block on the company, or on a number that several share, beats what one person consented to."""
    said = said_by(facts.statements, at)
    for block in said:
        if block.kind not in (Kind.BLOCKED, Kind.NUMBER_BLOCKED) or not closes(block, question):
            continue
        if block.until and block.until <= at:
            continue
        if block.kind is Kind.NUMBER_BLOCKED and block.address and block.address != facts.address:
            continue
        if any(_lifts(other, block, facts) for other in said):
            continue
        code = "consent.company_blocked" if block.kind is Kind.BLOCKED else "consent.number_blocked"
        yield skip(code, **_entry(block))


def _lifts(other: Statement, block: Statement, facts: ConsentFacts) -> bool:
    return (
        other.kind is Kind.UNBLOCKED
        and other.at > block.at
        and other.channel in (Channel.ALL, block.channel)
        and other.brand in ("", block.brand)
        and other.address in ("", block.address)
        and (block.kind is Kind.BLOCKED or bool(other.address) or not block.address)
        and belongs_with(other.record, block.record, other.at, facts)
    )


def weigh_age(facts: ConsentFacts, question: Question, *, asked: Asked, at: datetime) -> Iterator[Reason]:
    """Minors get no marketing."""
    for said in said_by(facts.statements, at):
        if said.kind is Kind.MINOR and (said.until is None or at < said.until):
            yield skip("consent.minor", **_entry(said))
    if facts.born and at < _birthday(facts.born, asked.adult_age):
        yield skip("consent.minor", entry="", since=facts.born, line=asked.line)


def _birthday(born: datetime, age: int) -> datetime:
    try:
        return born.replace(year=born.year + age)
    except ValueError:  # born on a 29 February
        return born.replace(year=born.year + age, month=3, day=1)


# Do-not-call lists.


def weigh_registries(
    facts: ConsentFacts, question: Question, *, asked: Asked, policy: ConsentPolicy, at: datetime
) -> Iterator[Reason]:
    """Each list the line names: its file must be fresh, and the address not on it, unless the list itself makes an exception."""
    for name in asked.registries:
        rule = policy.registries.get(name, RegistryRule(name))
        imported = facts.registry_files.get(name)
        if imported is None or imported > at:
            if not (rule.max_age is None and _is_beyond(rule, facts, question, asked=asked, policy=policy, at=at)):
                yield skip("consent.registry_missing", registry=name, line=asked.line)
        elif rule.max_age and at > rule.max_age.after(imported):
            yield skip(
                "consent.registry_old", registry=name, imported=imported, max_age=str(rule.max_age), line=asked.line
            )
        for listing in _listings(facts, question, name, at):
            excepting = _excepting(listing, rule, facts, question, asked=asked, policy=policy, at=at)
            if excepting is None:
                yield skip("consent.listed", registry=name, **_entry(listing), line=asked.line)
            else:
                yield go("consent.listed_but_excepted", registry=name, **_entry(excepting.statement), line=asked.line)


def _is_beyond(
    rule: RegistryRule,
    facts: ConsentFacts,
    question: Question,
    *,
    asked: Asked,
    policy: ConsentPolicy,
    at: datetime,
) -> bool:
    """Whom any consent excepts needs not be looked up, where the list is asked about people without consent only."""
    return rule.consent == "any" and any(
        ground.is_live(at) and ground.basis in CONSENTS
        for ground in grounds_of(facts, question, asked=asked, policy=policy, at=at)
    )


def _listings(facts: ConsentFacts, question: Question, registry: str, at: datetime) -> Iterator[Statement]:
    said = [line for line in said_by(facts.statements, at) if line.registry == registry]
    for listing in said:
        if listing.kind is not Kind.LISTED or not closes_channel(listing, question):
            continue
        if listing.address and listing.address != facts.address:
            continue
        gone = any(
            other.kind is Kind.DELISTED
            and other.at > listing.at
            and other.address in ("", listing.address)
            and other.channel in (Channel.ALL, listing.channel)
            and belongs_with(other.record, listing.record, other.at, facts)
            for other in said
        )
        if not gone:
            yield listing


def _excepting(
    listing: Statement,
    rule: RegistryRule,
    facts: ConsentFacts,
    question: Question,
    *,
    asked: Asked,
    policy: ConsentPolicy,
    at: datetime,
) -> Ground | None:
    """The consent, contract, purchase or inquiry for which this list does not bind."""
    as_listed = replace(
        asked, customer_lasts=rule.customer_lasts, inquiry_lasts=rule.inquiry_lasts, is_contract_related=True
    )
    for ground in grounds_of(facts, question, asked=as_listed, policy=policy, at=at):
        if not ground.is_live(at) or not belongs_with(
            ground.statement.record, listing.record, acted(ground.statement), facts
        ):
            continue
        if ground.basis in CONSENTS:
            if rule.consent == "any" or (rule.consent == "later" and acted(ground.statement) > listing.at):
                return ground
        elif ground.basis in rule.excepts:
            return ground
    return None


# What the line asks.


def weigh_ground(
    facts: ConsentFacts, question: Question, *, standing: Standing, asked: Asked, at: datetime
) -> Iterator[Reason]:
    """Is there a ground that the line takes? If none, everything that comes near is named, with what it lacks."""
    told = {"line": asked.line, "source": "; ".join(asked.sources), "need": asked.need.value}
    if standing.ground:
        yield _held(standing.ground, told)
        return
    if asked.need is Need.OPTOUT:
        yield from _opt_out_regime(facts, question, asked=asked, told=told, at=at)
        return
    if asked.need is Need.NEVER:
        yield skip("consent.never_allowed", **told)
        return
    near = list(_near_misses(standing, asked, told, at))
    yield from near
    if not near and not standing.closed_by:
        yield skip(_MISSING.get(asked.need, "consent.never_given"), **told)
    elif not near:
        yield skip("consent.nothing_reopens", **told)


_HELD = {
    Basis.CONSENT: "consent.given",
    Basis.CONFIRMED: "consent.confirmed",
    Basis.CUSTOMER: "consent.customer",
    Basis.CONTRACT: "consent.contract",
    Basis.INQUIRY: "consent.inquiry",
    Basis.PUBLISHED: "consent.published",
    Basis.NOTICE: "consent.notified",
}
_MISSING = {Need.NOTICE_OPTOUT: "consent.never_notified", Need.CONTRACT_ONLY: "consent.no_contract"}


def _held(ground: Ground, told: dict[str, Any]) -> Reason:
    return go(_HELD[ground.basis], **_entry(ground.statement), expires=ground.expires, **told)


def _opt_out_regime(
    facts: ConsentFacts, question: Question, *, asked: Asked, told: dict[str, Any], at: datetime
) -> Iterator[Reason]:
    """Nobody need have said yes; but somebody silent for longer than the policy waits is no longer to be written to."""
    if asked.is_relevant_only and not question.is_relevant:
        yield skip("consent.not_relevant", **told)
        return
    if asked.inactivity:
        for record, collected in sorted(facts.collected.items()):
            silent = silent_from(collected, facts, asked.inactivity, record=record, at=at)
            if silent <= at:
                yield skip("consent.inactive", since=collected, expired=silent, period=str(asked.inactivity), **told)
                return
    yield go("consent.not_needed", **told)


def _near_misses(standing: Standing, asked: Asked, told: dict[str, Any], at: datetime) -> Iterator[Reason]:
    seen: set[tuple[str, str]] = set()
    for ground in standing.wanting:
        code = ground.lacks or ("consent.lapsed" if ground.expires and ground.expires <= at else "")
        if not code or (ground.basis not in asked.grounds and code != "consent.not_confirmed"):
            continue
        if (code, ground.statement.key) not in seen:
            seen.add((code, ground.statement.key))
            yield skip(code, **_entry(ground.statement), expired=ground.expires, **told)
    for said in standing.unproved:
        yield skip("consent.not_proved", **_entry(said), **told)
    if standing.pending and not standing.closed_by:
        yield skip("consent.awaits_confirmation", **_entry(standing.pending), **told)


# Messages that ask.


def weigh_request(facts: ConsentFacts, question: Question, *, policy: ConsentPolicy, at: datetime) -> Reason:
    """The mail that asks for confirmation goes to whoever just asked for it, and to nobody else."""
    pending = pending_request(facts, question, policy=policy, at=at)
    if pending is None:
        return skip("consent.nothing_to_confirm", lifetime=str(policy.confirmation_lasts))
    return go("consent.requested", **_entry(pending))


def weigh_asking(facts: ConsentFacts, question: Question, *, standing: Standing, asked: Asked, at: datetime) -> Reason:
    """Where a law lets one ask for consent once, once it is."""
    if asked.requests is Requests.NEVER:
        return skip("consent.may_not_ask", line=asked.line)
    before = [
        said
        for said in said_by(facts.statements, at)
        if said.kind is Kind.ASKED and closes_channel(said, question) and said.brand in ("", question.brand)
    ]
    if before:
        return skip("consent.asked_already", **_entry(before[-1]), line=asked.line)
    return go("consent.may_ask_once", line=asked.line)


def _entry(said: Statement) -> dict[str, Any]:
    return {"entry": said.key, "since": acted(said), "by": said.by.value, "channel": said.channel.value}
