"""What a decision is: reasons given by rules, and the strictest of them wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """Ordered: the strictest is the greatest. Written in the ledger by number."""

    GO = 0
    WAIT = 1
    SKIP = 2

    @property
    def word(self) -> str:
        """How code and ledger call it."""
        return self.name.lower()

    @property
    def said(self) -> str:
        """How JSON, scenario files and pages call it."""
        return {Verdict.GO: "allow", Verdict.WAIT: "defer", Verdict.SKIP: "deny"}[self]


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rule says, with the facts it saw; the sentence is made when read, in the reader's language."""

    code: str
    verdict: Verdict
    seen: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """All that the rules said about one matter."""

    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> Decision:
        """Keep every reason, also those that come after a refusal: whoever asks why must see all that stands in the way."""
        return cls(tuple(reasons))

    @property
    def verdict(self) -> Verdict:
        return max((reason.verdict for reason in self.reasons), default=Verdict.SKIP)

    @property
    def decisive(self) -> tuple[Reason, ...]:
        """The reasons that made the verdict."""
        verdict = self.verdict
        return tuple(reason for reason in self.reasons if reason.verdict is verdict)

    @property
    def until(self) -> datetime | None:
        """When to look again, for a decision that waits: the latest hour asked for, None when nobody knows."""
        if self.verdict is not Verdict.WAIT:
            return None
        hours = [reason.until for reason in self.decisive]
        return None if None in hours else max(hour for hour in hours if hour is not None)


def go(code: str, **seen: Any) -> Reason:
    return Reason(code, Verdict.GO, seen)


def wait(code: str, *, until: datetime | None = None, **seen: Any) -> Reason:
    return Reason(code, Verdict.WAIT, seen, until)


def skip(code: str, **seen: Any) -> Reason:
    return Reason(code, Verdict.SKIP, seen)
