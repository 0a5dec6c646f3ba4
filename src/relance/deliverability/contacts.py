"""What is known when one asks whether somebody may be contacted now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from relance.consent.lines import ConsentPolicy, Limit
from relance.consent.periods import Period
from relance.consent.statements import Channel, ConsentFacts, Purpose, Question
from relance.workspace.rules import Span

from .bounces import MailEvent

UTC_ZONE = ZoneInfo("UTC")


class Mode(StrEnum):
    """Who presses the button."""

    AUTOMATIC = "automatic"
    SEMI_AUTOMATIC = "semi_automatic"  # prepared by the program, sent by a user
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Contact:
    """A message that left, or a call that was tried."""

    at: datetime
    channel: Channel
    purpose: Purpose = Purpose.MARKETING
    mode: Mode = Mode.AUTOMATIC
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """The person asked for a pause, or is away: between two instants. It grants and withdraws nothing."""

    begins: datetime
    ends: datetime
    is_absence: bool = False
    channel: Channel = Channel.ALL
    brand: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """During a call, the person refused to be called for this."""

    at: datetime
    channel: Channel = Channel.PHONE
    key: str = ""


@dataclass(frozen=True, slots=True)
class SenderFacts:
    """The user in whose name a message leaves: hours, daily maximum of mails, time between two mails, and what already left."""

    name: str = ""
    zone: ZoneInfo = UTC_ZONE
    week: tuple[tuple[Span, ...], ...] | None = None
    holidays: frozenset[date] = frozenset()
    daily_maximum: Mapping[Channel, int] = field(default_factory=dict)
    spacing: Period | None = None
    sent: tuple[Contact, ...] = ()
    absent: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """One person, one question."""

    question: Question
    consent: ConsentFacts
    mode: Mode = Mode.AUTOMATIC
    zones: tuple[ZoneInfo, ...] = (UTC_ZONE,)
    holidays: frozenset[date] = frozenset()
    contacts: tuple[Contact, ...] = ()
    pauses: tuple[Pause, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    wishes: tuple[Limit, ...] = ()  # how often the person wants to hear from us
    mail_events: tuple[MailEvent, ...] = ()
    sender: SenderFacts | None = None
    held_domain_until: datetime | None = None  # the mailbox provider refuses us for now


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """The policy of consent and law, and the house's own limits per person."""

    consent: ConsentPolicy
    caps: tuple[Limit, ...] = ()
