"""The gate, and what follows from messages: what was sent, what servers said, pauses and wishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from relance.consent.audiences import normal_address
from relance.consent.packs import PolicyBook
from relance.consent.statements import Channel, Purpose, Question
from relance.decisions.actions import DecisionLine, record_decisions
from relance.people.models import Person
from relance.workspace.models import User

from .bounces import MailEventKind, bounce_kind
from .contacts import Mode
from .facts import gather_contact
from .models import Frequency, Quiet, SentContact, ServerAnswer
from .rules import ContactDecision
from .rules import decide_contact as decide_facts

POLICY = "contact"


def decide_contact(
    person: Person | int,
    question: Question,
    *,
    at: datetime,
    by: User | None = None,
    mode: Mode = Mode.AUTOMATIC,
    book: PolicyBook | None = None,
) -> ContactDecision:
    """The gate: may this person be contacted now? Reads and decides, writes nothing. Person.DoesNotExist when she is gone."""
    pk = person if isinstance(person, int) else person.pk
    decided = decide_contacts([pk], question, at=at, by=by, mode=mode, book=book)
    if pk not in decided:
        raise Person.DoesNotExist(f"Nobody has the number {pk}.")
    return decided[pk]


def decide_contacts(
    person_ids: Sequence[int],
    question: Question,
    *,
    at: datetime,
    by: User | None = None,
    mode: Mode = Mode.AUTOMATIC,
    book: PolicyBook | None = None,
) -> dict[int, ContactDecision]:
    """The gate for many, by the same code: one query for the facts, whatever their number."""
    posed = gather_contact(person_ids, question, at=at, mode=mode, by=by, book=book)
    return {one.person_id: decide_facts(one.facts, one.policy, at) for one in posed}


def record_contact_decisions(decided: dict[int, ContactDecision], question: Question, *, now: datetime) -> list[int]:
    """Write answers of the gate in the ledger of decisions; returns their ids in order."""
    lines = [DecisionLine("contact", pk, one.decision, person_id=pk) for pk, one in decided.items()]
    policy = f"{POLICY}:{question.channel.value}.{question.meant.value}"
    return record_decisions(lines, policy=policy, now=now)


def record_sent(
    person_id: int,
    channel: Channel,
    *,
    at: datetime,
    purpose: Purpose = Purpose.MARKETING,
    mode: Mode = Mode.AUTOMATIC,
    by: User | None = None,
    brand_id: int | None = None,
    is_refused: bool = False,
) -> int:
    """A message left, or a call was tried: limits count it."""
    return SentContact.objects.create(
        person_id=person_id, channel=channel.value, at=at, purpose=purpose.value, mode=mode.value, user=by,
        brand_id=brand_id, is_refused=is_refused,
    ).pk  # fmt: skip


def record_bounce(address: str, *, code: str, text: str = "", at: datetime) -> MailEventKind:
    """What a mail server answered. It changes no consent."""
    kind = MailEventKind(f"{bounce_kind(code, text).value}_bounce")
    ServerAnswer.objects.create(
        address=normal_address(address), kind=kind.value, code=code[:12], text=text[:500], at=at
    )
    return kind


def reset_address(address: str, *, at: datetime) -> None:
    """Somebody looked: the address works after all."""
    ServerAnswer.objects.create(address=normal_address(address), kind=MailEventKind.RESET.value, at=at)


def pause_contact(
    person_id: int,
    *,
    until: datetime,
    now: datetime,
    channel: Channel = Channel.ALL,
    brand_id: int | None = None,
    is_absence: bool = False,
) -> int:
    """Nothing is sent until then. It grants and withdraws nothing."""
    quiet = Quiet.objects.create(
        person_id=person_id, begins=now, ends=until, channel=channel.value, brand_id=brand_id, is_absence=is_absence
    )
    return quiet.pk


def end_pause(person_id: int, *, now: datetime) -> int:
    """The person wants to hear from us again before the pause is over."""
    return Quiet.objects.filter(person_id=person_id, ended_at=None, ends__gt=now).update(ended_at=now)


def wish_frequency(person_id: int, *, at_most: int, per: str, now: datetime, channels: Sequence[Channel] = ()) -> None:
    """How often the person wants to hear from us, in place of what she chose before."""
    named = sorted(channel.value for channel in channels)
    Frequency.objects.filter(person_id=person_id, channels=named).delete()
    Frequency.objects.create(person_id=person_id, at_most=at_most, per=per, channels=named, chosen_at=now)


def lift_frequency(person_id: int) -> None:
    """The person no longer minds how often she hears from us, on any channel."""
    Frequency.objects.filter(person_id=person_id).delete()
