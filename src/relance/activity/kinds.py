"""What can happen: each room declares its kinds in `kinds.py`, with the sentence the timeline says and who wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """`says` is a gettext_lazy sentence with the payload's names; `group` is the timeline's filter: people, crm, decision…"""

    name: str
    says: Any
    group: str
    icon: str


_kinds: dict[str, ActivityKind] = {}
_consumers: dict[str, frozenset[str]] = {}


def declare_kind(name: str, says: Any, *, group: str, icon: str) -> None:
    """Declare a kind of activity. Appending one that is not declared is refused."""
    _kinds[name] = ActivityKind(name, says, group, icon)


def declare_consumer(consumer: str, kinds: frozenset[str]) -> None:
    """From now on each activity of these kinds also writes a due row for this consumer."""
    _consumers[consumer] = kinds


def activity_kinds() -> Mapping[str, ActivityKind]:
    return _kinds


def consumers_of(kind: str) -> list[str]:
    return [consumer for consumer, kinds in _consumers.items() if kind in kinds]
