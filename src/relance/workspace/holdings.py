"""What users and teams hold in the rooms above: a room declares it in its own `holdings.py`, found by autodiscovery.

Nobody leaves with people in their hands, and no team goes with people in it: what is held is counted, shown, then handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing users own and teams have.

    `says` is a plain gettext_lazy label (“People”). `hand_over(owner_id, heir_id, now)` and `move(team_id, other_id, now)` run in
    the caller's transaction, take None for “nobody”, leave their own traces, and tell how many changed hands.
    """

    name: str
    says: Any
    count_of_user: Callable[[int], int]
    hand_over: Callable[[int, int | None, datetime], int]
    count_of_team: Callable[[int], int]
    move: Callable[[int, int | None, datetime], int]


_holdings: dict[str, Holding] = {}


def declare_holding(holding: Holding) -> None:
    """Declare what users own and teams have in a room."""
    _holdings[holding.name] = holding


def holdings() -> Mapping[str, Holding]:
    return _holdings


def held_by_user(user_id: int) -> dict[str, int]:
    """How much the user owns, by kind; kinds of which there is nothing are left out."""
    return _counted({name: holding.count_of_user(user_id) for name, holding in _holdings.items()})


def held_by_team(team_id: int) -> dict[str, int]:
    """How much belongs to the team, by kind."""
    return _counted({name: holding.count_of_team(team_id) for name, holding in _holdings.items()})


def hand_over_all(user_id: int, heir_id: int | None, now: datetime) -> dict[str, int]:
    """Give all the user owns to the heir, or to nobody."""
    return {name: holding.hand_over(user_id, heir_id, now) for name, holding in _holdings.items()}


def move_all(team_id: int, other_id: int | None, now: datetime) -> dict[str, int]:
    """Give all that belongs to the team to another, or to none."""
    return {name: holding.move(team_id, other_id, now) for name, holding in _holdings.items()}


def _counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
