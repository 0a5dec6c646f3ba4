"""May we contact this person now? Consent, law, address and time in one answer: go, wait until, or no, with every reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from relance.consent.lines import Basis
from relance.consent.rules import ConsentAnswer, decide_consent
from relance.consent.statements import Channel, Purpose, Status
from relance.decisions.rules import Decision, Reason, Verdict, go, skip, wait

from .bounces import MailEventKind, death_of
from .contacts import ContactFacts, ContactPolicy
from .timing import TimeRule, first_together, limit_rule, time_rules, whole


@dataclass(frozen=True, slots=True)
class ContactDecision:
    """The answer of the gate. `until` is the first instant at which everything is met together, for one that waits."""

    decision: Decision
    status: Status
    basis: Basis | None = None
    must_contain: tuple[str, ...] = ()
    until: datetime | None = None
    line: str = ""

    @property
    def verdict(self) -> Verdict:
        return self.decision.verdict

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.decision.reasons


def decide_contact(facts: ContactFacts, policy: ContactPolicy, at: datetime) -> ContactDecision:
    """Every reason at once. Waiting is answered only when time alone stands in the way, and with an hour that is really open."""
    answer = _consent(facts, policy, at)
    reasons = [*weigh_address(facts, at), *answer.decision.reasons]
    until = None
    rules = _rules(facts, policy, answer, at)
    waits = [reason for rule in rules if (reason := _weigh_time(rule, at))]
    if waits:
        to_the_second = any(rule.is_spacing and (rule.opens(at) or at) > at for rule in rules)
        until = first_together(rules, at, to_the_second=to_the_second)
        waits = [_at_place(reason, facts, to_the_second=to_the_second) for reason in waits]
        waits += _solved(facts, policy, waits, until)
    decision = Decision.of([*reasons, *waits])
    return ContactDecision(
        decision,
        answer.status,
        basis=answer.basis if decision.verdict is Verdict.GO else None,
        must_contain=_must_contain(facts, answer) if decision.verdict is Verdict.GO else (),
        until=until if decision.verdict is Verdict.WAIT else None,
        line=answer.asked.line,
    )


def weigh_address(facts: ContactFacts, at: datetime) -> list[Reason]:
    """A message needs an address that works. Consent never cures a bounce, and a bounce takes no consent away."""
    address = facts.consent.address
    if address is None:
        return [skip("address.missing", channel=facts.question.channel.value)]
    if facts.question.channel is not Channel.EMAIL:
        return [go("address.known", channel=facts.question.channel.value)]
    death = death_of(facts.mail_events, address, at)
    if death is None:
        return [go("address.known", channel=facts.question.channel.value)]
    code = "address.dead" if death.kind is MailEventKind.HARD else "address.unreachable"
    return [skip(code, entry=death.key, since=death.at)]


def _consent(facts: ContactFacts, policy: ContactPolicy, at: datetime) -> ConsentAnswer:
    day = at.astimezone(facts.zones[0]).date()
    return decide_consent(facts.consent, facts.question, policy=policy.consent, at=at, day=day)


def _rules(facts: ContactFacts, policy: ContactPolicy, answer: ConsentAnswer, at: datetime) -> list[TimeRule]:
    """Service messages wait for nothing; the mail that asks to confirm only for its own limit."""
    match facts.question.meant:
        case Purpose.SERVICE | Purpose.TRACKING:
            return []
        case Purpose.CONFIRMATION:
            return [limit_rule("limit.resends", policy.consent.resends, facts)]
        case _:
            return time_rules(facts, policy, answer.asked, at)


def _weigh_time(rule: TimeRule, at: datetime) -> Reason | None:
    opens = rule.opens(at)
    if opens is None:
        return skip("time.never", rule=rule.code, **rule.seen)
    return wait(rule.code, until=opens, **rule.seen) if opens > at else None


def _at_place(reason: Reason, facts: ContactFacts, *, to_the_second: bool) -> Reason:
    """The hour as it is said to people: whole, and by the clock of the person's place."""
    if reason.until is None:
        return reason
    hour = whole(reason.until, to_the_second=to_the_second)
    return wait(reason.code, until=hour.astimezone(facts.zones[0]), **reason.seen)


def _solved(facts: ContactFacts, policy: ContactPolicy, waits: list[Reason], until: datetime | None) -> list[Reason]:
    """What the common hour adds: that it is later than each alone, that there is none, or that by then the ground is gone."""
    if until is None:
        return [] if any(reason.verdict is Verdict.SKIP for reason in waits) else [skip("time.never_together")]
    then = [reason for reason in _consent(facts, policy, until).decision.reasons if reason.verdict is Verdict.SKIP]
    if then:
        seen = {name: value for name, value in then[0].seen.items() if name in ("entry", "line", "registry")}
        return [skip("time.too_late", at=until, because=[reason.code for reason in then], **seen)]
    together = until > max(reason.until or until for reason in waits)
    return [wait("time.together", until=until.astimezone(facts.zones[0]))] if together else []


def _must_contain(facts: ContactFacts, answer: ConsentAnswer) -> tuple[str, ...]:
    if facts.question.meant is Purpose.MARKETING or facts.question.meant is Purpose.PERMISSION:
        return answer.asked.must_contain
    if facts.question.meant is Purpose.CONFIRMATION:
        return ("sender", "origin_of_request")
    return ()
