"""What a refusal by a mail server says of an address. The text beats the code; a block is the sender's fault, never the person's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class BounceKind(StrEnum):
    HARD = "hard"  # no such address: dead at once
    SOFT = "soft"  # for the moment: tried again
    BLOCK = "block"  # the sender is refused: the person is untouched


class MailEventKind(StrEnum):
    HARD = "hard_bounce"
    SOFT = "soft_bounce"
    BLOCK = "block_bounce"
    DELIVERED = "delivered"
    RESET = "address_reset"  # somebody looked, and says that the address works


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Something a mail server said about an address; empty for the one held then."""

    kind: MailEventKind
    at: datetime
    address: str = ""
    key: str = ""


HARD_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"})
SOFT_CODES = frozenset({"5.2.2", "4.4.7", "5.3.4"})
BLOCK_WORDS = re.compile(
    r"spam|reputation|block ?list|black ?list|deny ?list|blocked|policy|authenticat|dmarc|\bspf\b|dkim|rate limit",
    re.IGNORECASE,
)
GONE_WORDS = re.compile(
    r"user unknown|unknown user|no such (user|mailbox|recipient)|does not exist|mailbox not found|recipient rejected: unknown",
    re.IGNORECASE,
)
DISABLED_WORDS = re.compile(r"disabled|inactive", re.IGNORECASE)
SOFT_BOUNCES, SOFT_WINDOW = 5, timedelta(days=30)


def bounce_kind(code: str, text: str = "") -> BounceKind:
    """The kind of a refusal, from its enhanced status code and its words."""
    if BLOCK_WORDS.search(text):
        return BounceKind.BLOCK
    if GONE_WORDS.search(text):
        return BounceKind.HARD
    family = code.split(".")
    if len(family) == 3 and (family[1] == "7" or code.startswith("5.6.")):
        return BounceKind.BLOCK
    if code in HARD_CODES or (code == "5.2.1" and DISABLED_WORDS.search(text)):
        return BounceKind.HARD
    # An unknown refusal is tried again: five of them tell as much as a hard one.
    return BounceKind.SOFT


def death_of(events: Iterable[MailEvent], address: str, at: datetime) -> MailEvent | None:
    """The refusal that made the address useless: a hard one, or the fifth soft one in thirty days without a delivery between."""
    dead: MailEvent | None = None
    soft: list[MailEvent] = []
    # At the same instant a refusal is read after what would undo it.
    told = (event for event in events if event.at <= at and event.address in ("", address))
    for event in sorted(told, key=lambda event: (event.at, event.kind not in _UNDOING)):
        match event.kind:
            case MailEventKind.HARD:
                dead = event
            case MailEventKind.SOFT:
                soft = [before for before in soft if event.at - before.at <= SOFT_WINDOW] + [event]
                if len(soft) >= SOFT_BOUNCES:
                    dead = dead or event
            case MailEventKind.DELIVERED:
                soft = []
            case MailEventKind.RESET:
                dead, soft = None, []
            case MailEventKind.BLOCK:
                pass
    return dead


_UNDOING = frozenset({MailEventKind.DELIVERED, MailEventKind.RESET})
