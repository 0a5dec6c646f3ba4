"""What a scenario is: a path of the product, and the least work that any program would need for the same effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from .grounds import Plot
from .rules import Bar

SEED = 20_260_302


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one side. `seconds` is what counts; where that is a latency, `count` things took `wall` seconds in all."""

    seconds: float
    count: int
    wall: float
    phases_ms: dict[str, float] = field(default_factory=dict)

    @classmethod
    def whole(cls, seconds: float, count: int, phases_ms: dict[str, float] | None = None) -> Timed:
        """A run whose duration is what counts."""
        return cls(seconds, count, seconds, phases_ms or {})


class Scenario(Protocol):
    """One scenario at one scale, on a database of its own. Rounds: `ready`, then the product, then the floor, then `check`."""

    name: ClassVar[str]
    says: ClassVar[str]
    floor_says: ClassVar[str]
    unit: ClassVar[str]
    bar: ClassVar[Bar]

    def prepare(self, scale: int, plot: Plot) -> None:
        """Fill the database. Not timed."""

    def ready(self, place: int) -> None:
        """Make the work of one round, another each time and the same for the same `place`. Not timed."""

    def run_product(self) -> Timed: ...

    def run_floor(self) -> Timed: ...

    def run_peers(self) -> dict[str, Timed]:
        """Other ways to do the same, by name; measured once, for comparison."""

    def check(self) -> list[str]:
        """What is wrong with what the product just did, in sentences; nothing when it is right. Not timed."""

    def close(self) -> None:
        """End what was started."""
