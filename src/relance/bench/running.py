"""A run: each scenario at each scale on a database of its own, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from .grounds import Grounds, Say
from .machine import describe_surroundings
from .measuring import Measurer
from .record import records_of, with_growth
from .rules import spelt
from .scenarios import scenario_class


def run_scenarios(
    grounds: Grounds, names: Sequence[str], scales: Sequence[int], *, repeat: int, budget: float, keep: bool, say: Say
) -> list[dict[str, Any]]:
    """Every scenario at every scale, smallest first; the records of all, with their growth."""
    records: list[dict[str, Any]] = []
    for name in names:
        for scale in scales:
            say(f"{name} at {spelt(scale)}: preparing.")
            records += _run(grounds, name, scale, repeat=repeat, budget=budget, keep=keep, say=say)
    return with_growth(records)


def _run(
    grounds: Grounds, name: str, scale: int, *, repeat: int, budget: float, keep: bool, say: Say
) -> list[dict[str, Any]]:
    scenario = scenario_class(name)()
    with grounds.plot(f"{name.replace('.', '_')}_{scale}", keep=keep) as plot, closing(scenario):
        scenario.prepare(scale, plot)
        measured = Measurer(scenario, repeat=repeat, budget=budget, say=say).run()
        return records_of(scenario, scale, measured, surroundings=describe_surroundings())
