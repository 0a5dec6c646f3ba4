"""What measurements say: the ratio of a pair, when a pair is too noisy to count, which bar was met, how cost grows, what got worse.

Pure: a measurement is read here, never taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

NOISE = 0.30  # how far the machine's pace may move across a pair before the pair says nothing
ATTEMPTS = 4  # a pair, and at most three repetitions of it
WORSE = 1.20  # a ratio this many times the earlier one is worse, whatever the bars say


class Level(StrEnum):
    """The bars, weakest first."""

    PASS = "pass"  # noqa: S105
    GOAL = "goal"
    MOONSHOT = "moonshot"


class Measure(StrEnum):
    """What a bar is held against: product time over floor time, or the product's own milliseconds."""

    RATIO = "ratio"
    MILLISECONDS = "ms"


@dataclass(frozen=True, slots=True)
class Bar:
    """The most that is allowed at each level. Less is better."""

    measure: Measure
    passes: float
    goal: float
    moonshot: float

    def met(self, value: float) -> Level | None:
        """The best level this value reaches; None when not even the weakest."""
        reached = [(Level.MOONSHOT, self.moonshot), (Level.GOAL, self.goal), (Level.PASS, self.passes)]
        return next((level for level, most in reached if value <= most), None)


@dataclass(frozen=True, slots=True)
class Pair:
    """The product and its floor, one right after the other, with the machine's pace before and after."""

    product_s: float
    floor_s: float
    calib_before_ms: float
    calib_after_ms: float

    @property
    def ratio(self) -> float:
        return self.product_s / self.floor_s

    @property
    def unrest(self) -> float:
        """By how much the slower pace exceeds the other: 0 when the machine kept its pace."""
        low, high = sorted((self.calib_before_ms, self.calib_after_ms))
        return high / low - 1

    @property
    def is_noisy(self) -> bool:
        return self.unrest > NOISE


def ratio_of(pairs: Sequence[Pair]) -> float:
    """The median of the ratios, never the ratio of the medians: what disturbs a pair disturbs both sides of it."""
    return median(pair.ratio for pair in pairs)


def calmest(attempts: Sequence[Pair]) -> int:
    """Which attempt at a pair is kept when all of them were noisy."""
    return min(range(len(attempts)), key=lambda place: attempts[place].unrest)


# ── Growth ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Growth:
    """How time grew between the smallest scale and this one, and the exponent fitted over all scales up to it: 1 is linear."""

    smallest: int
    largest: int
    times: float
    exponent: float

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.smallest,
            "to": self.largest,
            "x": round(self.times, 2),
            "exponent": round(self.exponent, 3),
        }


def growth_of(points: Iterable[tuple[int, float]]) -> Growth | None:
    """From (scale, seconds). None for fewer than two scales."""
    known = sorted(dict(points).items())
    if len(known) < 2 or any(seconds <= 0 for _, seconds in known):
        return None
    (smallest, first), (largest, last) = known[0], known[-1]
    return Growth(smallest, largest, last / first, _slope([(math.log(scale), math.log(s)) for scale, s in known]))


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread


def percentile(values: Iterable[float], part: float) -> float:
    """The smallest value that `part` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


# ── Comparing two runs ───────────────────────────────────────────────────────────────────────────────────────────────


class Finding(StrEnum):
    """What became of one scenario at one scale, from an earlier run to a later one."""

    SAME = "same"
    BETTER = "better"
    NOISY = "noisy"  # too noisy to be compared
    WORSE = "worse"
    UNDER_BAR = "under the bar"
    INCORRECT = "incorrect"
    MISSING = "missing"
    NEW = "new"


FAILING = frozenset({Finding.WORSE, Finding.UNDER_BAR, Finding.INCORRECT, Finding.MISSING})
_ORDER = {None: 0, Level.PASS: 1, Level.GOAL: 2, Level.MOONSHOT: 3}


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of a comparison."""

    scenario: str
    scale: int
    finding: Finding
    before: float | None
    after: float | None
    met: Level | None

    @property
    def fails(self) -> bool:
        return self.finding in FAILING


def compare_records(
    before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]], *, least: Level = Level.PASS
) -> list[Compared]:
    """Every product measurement of either run, by scenario and scale. One that is no longer measured fails as well."""
    old, new = _products(before), _products(after)
    return [_compare(key, old.get(key), new.get(key), least) for key in sorted(old.keys() | new.keys())]


def _compare(key: tuple[str, int], old: dict[str, Any] | None, new: dict[str, Any] | None, least: Level) -> Compared:
    before, after = (record["ratio_to_floor"] if record else None for record in (old, new))
    met = Level(new["bar"]["met"]) if new and new["bar"] and new["bar"]["met"] else None
    return Compared(*key, _finding(old, new, met, least), before, after, met)


def _finding(old: dict[str, Any] | None, new: dict[str, Any] | None, met: Level | None, least: Level) -> Finding:
    if new is None:
        return Finding.MISSING
    if not new["correct"]:
        return Finding.INCORRECT
    if new["bar"] and _ORDER[met] < _ORDER[least]:
        return Finding.UNDER_BAR
    if old is None:
        return Finding.NEW
    if old["noisy"] or new["noisy"]:
        return Finding.NOISY
    moved = new["ratio_to_floor"] / old["ratio_to_floor"]
    if moved > WORSE:
        return Finding.WORSE
    return Finding.BETTER if moved < 1 / WORSE else Finding.SAME


def _products(records: Iterable[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(told["scenario"], told["scale"]): told for told in records if told["variant"] == "product"}


# ── Scales ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_UNITS = {"k": 1_000, "m": 1_000_000}


def read_scales(text: str) -> list[int]:
    """`10k,100k,1M` as numbers, smallest first. ValueError for anything else."""
    return sorted({_scale(part.strip()) for part in text.split(",") if part.strip()})


def _scale(word: str) -> int:
    unit = _UNITS.get(word[-1].lower(), 1)
    number = int(word[:-1] if unit > 1 else word) * unit
    if number < 1:
        raise ValueError(word)
    return number


def read_seconds(text: str) -> float:
    """`60s`, `5m` or `90` as seconds. ValueError for anything else."""
    unit = {"s": 1.0, "m": 60.0}.get(text.strip()[-1:].lower())
    seconds = float(text.strip()[:-1]) * unit if unit else float(text)
    if not 0 < seconds < math.inf:
        raise ValueError(text)
    return seconds


def spelt(scale: int) -> str:
    """10000 as 10k: how scales are written on the command line."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if scale >= size and scale % size == 0:
            return f"{scale // size}{unit}"
    return str(scale)
