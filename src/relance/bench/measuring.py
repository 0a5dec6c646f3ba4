"""Taking measurements: product and floor in turns, the machine's pace before and after, results checked before their time counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .rules import ATTEMPTS, Pair, calmest
from .scenario import Scenario, Timed

Say = Callable[[str], None]
Clock = Callable[[], float]


@dataclass(slots=True)
class Measured:
    """All the pairs of one scenario at one scale."""

    pairs: list[Pair] = field(default_factory=list)
    products: list[Timed] = field(default_factory=list)
    floors: list[Timed] = field(default_factory=list)
    peers: dict[str, Timed] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_noisy(self) -> bool:
        return any(pair.is_noisy for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class _Taken:
    pair: Pair
    product: Timed
    floor: Timed


class Measurer:
    """Measures one prepared scenario until it has its pairs or its time is spent; one pair it always takes."""

    def __init__(
        self, scenario: Scenario, *, repeat: int, budget: float, say: Say, clock: Clock = time.monotonic
    ) -> None:
        self.scenario = scenario
        self.repeat = repeat
        self.budget = budget
        self.say = say
        self.clock = clock
        self.measured = Measured()
        self._began = clock()
        self._rounds = 0

    def run(self) -> Measured:
        longest = 0.0
        while len(self.measured.pairs) < self.repeat and (not self.measured.pairs or self._left() > longest):
            began = self.clock()
            if not self._take_pair():
                break
            longest = max(longest, self.clock() - began)
        if not self.measured.wrong:
            self.measured.peers = self.scenario.run_peers()
        return self.measured

    def _left(self) -> float:
        return self.budget - (self.clock() - self._began)

    def _take_pair(self) -> bool:
        """One pair, again while the machine was restless; False when the product did wrong: then no time counts."""
        attempts: list[_Taken] = []
        while True:
            taken = self._attempt()
            if taken is None:
                return False
            attempts.append(taken)
            if not taken.pair.is_noisy or len(attempts) == ATTEMPTS or self._left() <= 0:
                break
        kept = attempts[calmest([each.pair for each in attempts])]
        self.measured.pairs.append(kept.pair)
        self.measured.products.append(kept.product)
        self.measured.floors.append(kept.floor)
        noise = " The machine was restless." if kept.pair.is_noisy else ""
        self.say(
            f"  pair {len(self.measured.pairs)}: product {kept.product.seconds:.4g} s, "
            f"floor {kept.floor.seconds:.4g} s, ratio {kept.pair.ratio:.2f}.{noise}"
        )
        return True

    def _attempt(self) -> _Taken | None:
        self.scenario.ready(self._rounds)
        self._rounds += 1
        before = calibrate()
        product, floor = self.scenario.run_product(), self.scenario.run_floor()
        after = calibrate()
        self.measured.wrong += self.scenario.check()
        for sentence in self.measured.wrong:
            self.say(f"  wrong: {sentence}")
        if self.measured.wrong:
            return None
        return _Taken(Pair(product.seconds, floor.seconds, before, after), product, floor)


def calibrate() -> float:
    """Milliseconds for a fixed piece of work: the machine's pace. The middle of five, so that one hiccup does not count."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        total = 0
        for number in range(100_000):
            total += number * number % 7
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[2]


def timed(work: Callable[[], int]) -> Timed:
    """Run and time a piece of work that tells how many things it did."""
    began = time.perf_counter()
    count = work()
    return Timed.whole(time.perf_counter() - began, count)


def with_phases(run: Timed, phases_ms: dict[str, float]) -> Timed:
    return replace(run, phases_ms={name: round(took, 1) for name, took in phases_ms.items()})
