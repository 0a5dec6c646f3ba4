"""The JSON of a run: one record a measurement, schema 1. Later versions may add keys, never change the meaning of one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from .measuring import Measured
from .rules import Bar, Level, Measure, Pair, growth_of, ratio_of
from .scenario import Scenario, Timed

SCHEMA = 1
KEYS = (
    *("schema", "scenario", "variant", "scale", "n", "unit", "runs_s", "median_s", "best_s", "per_s", "phases_ms"),
    *("ratio_to_floor", "ratio_to_peer", "growth", "bar", "correct", "noisy", "rss_mb", "db_mb", "host", "commit"),
)


class NoRecords(Exception):
    """The file holds no measurements of ours."""


def records_of(
    scenario: Scenario, scale: int, measured: Measured, *, surroundings: dict[str, Any]
) -> list[dict[str, Any]]:
    """The records of one scenario at one scale: product, floor, peers. A product that did wrong has a record too, and meets no bar."""
    shared = {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "scale": scale,
        "unit": scenario.unit,
        "noisy": measured.is_noisy,
        **surroundings,
    }
    if measured.wrong or not measured.pairs:
        return [_incorrect(shared, scenario.bar)]
    product = _variant(shared, "product", measured.products)
    product["ratio_to_floor"] = round(ratio_of(measured.pairs), 3)
    product["ratio_to_peer"] = {
        name: round(timed.count / timed.wall / product["per_s"], 4) for name, timed in measured.peers.items()
    }
    product["bar"] = _bar(scenario.bar, measured.pairs, product["median_s"])
    peers = [_variant(shared, f"peer:{name}", [timed]) for name, timed in measured.peers.items()]
    return [_ordered(told) for told in (product, _variant(shared, "floor", measured.floors), *peers)]


def _variant(shared: dict[str, Any], variant: str, runs: list[Timed]) -> dict[str, Any]:
    seconds = [run.seconds for run in runs]
    return {
        **shared,
        "variant": variant,
        "n": runs[0].count,
        "runs_s": [_short(each) for each in seconds],
        "median_s": _short(median(seconds)),
        "best_s": _short(min(seconds)),
        "per_s": round(median(run.count / run.wall for run in runs), 1),
        "phases_ms": _median_phases(runs),
        "ratio_to_floor": 1.0 if variant == "floor" else None,
        "ratio_to_peer": {},
        "growth": None,
        "bar": None,
        "correct": True,
    }


def _incorrect(shared: dict[str, Any], bar: Bar) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(KEYS)
    empty |= {"n": 0, "runs_s": [], "phases_ms": {}, "ratio_to_peer": {}, "variant": "product", "correct": False}
    return _ordered(empty | shared | {"bar": _told(bar, None)})


def _bar(bar: Bar, pairs: list[Pair], seconds: float) -> dict[str, Any]:
    value = ratio_of(pairs) if bar.measure is Measure.RATIO else seconds * 1000
    return _told(bar, bar.met(value))


def _told(bar: Bar, met: Level | None) -> dict[str, Any]:
    return {
        "measure": bar.measure.value,
        "pass": bar.passes,
        "goal": bar.goal,
        "moonshot": bar.moonshot,
        "met": met.value if met else None,
    }


def _median_phases(runs: list[Timed]) -> dict[str, float]:
    names = dict.fromkeys(name for run in runs for name in run.phases_ms)
    return {name: round(median(run.phases_ms.get(name, 0.0) for run in runs), 2) for name in names}


def _short(seconds: float) -> float:
    return float(f"{seconds:.5g}")


def _ordered(told: dict[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in KEYS}


def with_growth(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same records, each but those of the smallest scale with how its time grew since that."""
    return [told | {"growth": _growth(told, records)} for told in records]


def _growth(told: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any] | None:
    alike = [
        (each["scale"], each["median_s"])
        for each in records
        if (each["scenario"], each["variant"]) == (told["scenario"], told["variant"])
        and each["correct"]
        and each["scale"] <= told["scale"]
    ]
    growth = growth_of(alike) if told["correct"] else None
    return growth.as_json() if growth else None


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_records(records: Iterable[dict[str, Any]], path: Path) -> None:
    path.write_text(json.dumps(list(records), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_records(path: Path) -> list[dict[str, Any]]:
    """The measurements in a file. NoRecords says what is wrong with it."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as missing:
        raise NoRecords(f"{path} cannot be read: {missing.strerror}.") from missing
    except (json.JSONDecodeError, UnicodeDecodeError) as broken:
        raise NoRecords(f"{path} is not the JSON of a run: {broken}.") from broken
    if not isinstance(told, list) or any(not isinstance(each, dict) or set(KEYS) - each.keys() for each in told):
        raise NoRecords(f"{path} holds no measurements of `relance bench run`.")
    if any(each["schema"] != SCHEMA for each in told):
        raise NoRecords(f"{path} was written by another version of the benchmark. Run it again, or use that version.")
    return told
