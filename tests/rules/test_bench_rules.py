"""What measurements say: ratios pair by pair, noise repeated then told, bars, growth, and what counts as worse."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as some

from relance.bench import measuring
from relance.bench.measuring import Measured, Measurer
from relance.bench.record import KEYS, NoRecords, read_records, records_of, with_growth, write_records
from relance.bench.rules import (
    Bar,
    Finding,
    Level,
    Measure,
    Pair,
    calmest,
    compare_records,
    growth_of,
    percentile,
    ratio_of,
    read_scales,
    read_seconds,
    spelt,
)
from relance.bench.scenario import Timed

RATIO_BAR = Bar(Measure.RATIO, 3.0, 2.0, 1.5)
QUIET = (10.0, 10.5)
RESTLESS = (10.0, 14.0)


def pair(product: float, floor: float, pace: tuple[float, float] = QUIET) -> Pair:
    return Pair(product, floor, *pace)


# ── Ratios and noise ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ratio_is_taken_pair_by_pair_so_that_a_slow_moment_does_not_count():
    disturbed = [pair(2.0, 1.0), pair(20.0, 10.0), pair(2.0, 1.0)]  # everything was ten times slower once

    assert ratio_of(disturbed) == 2.0


def test_the_ratio_of_medians_would_have_said_something_else():
    pairs = [pair(2.0, 1.0), pair(9.0, 3.0), pair(4.0, 4.0)]

    assert ratio_of(pairs) == 2.0
    assert sorted(p.product_s for p in pairs)[1] / sorted(p.floor_s for p in pairs)[1] != 2.0


@given(some.floats(1, 100), some.floats(1, 100))
def test_unrest_does_not_ask_whether_the_machine_got_slower_or_faster(before, after):
    assert pair(1, 1, (before, after)).unrest == pair(1, 1, (after, before)).unrest


@pytest.mark.parametrize(("pace", "noisy"), [((10.0, 12.9), False), ((10.0, 13.1), True), ((13.1, 10.0), True)])
def test_a_pair_is_noisy_when_the_pace_moved_by_more_than_thirty_per_cent(pace, noisy):
    assert pair(1, 1, pace).is_noisy is noisy


def test_of_noisy_attempts_the_calmest_is_kept():
    assert calmest([pair(1, 1, (10, 20)), pair(1, 1, (10, 15)), pair(1, 1, (10, 30))]) == 1


@given(some.lists(some.floats(0, 10), min_size=1), some.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_the_last_one_the_greatest(values, part):
    assert percentile(values, part) in values
    assert percentile(values, 1) == max(values)


# ── Taking pairs ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Pretend:
    """A scenario whose runs take no time and say what they are told to."""

    name: ClassVar[str] = "pretend"
    says: ClassVar[str] = "nothing"
    floor_says: ClassVar[str] = "nothing"
    unit: ClassVar[str] = "thing"
    bar: ClassVar[Bar] = RATIO_BAR

    def __init__(self, wrong_in_round: int | None = None) -> None:
        self.rounds: list[int] = []
        self.told: list[str] = []
        self.wrong_in_round = wrong_in_round

    def prepare(self, scale: int, plot: Any) -> None: ...

    def ready(self, place: int) -> None:
        self.rounds.append(place)

    def run_product(self) -> Timed:
        self.told.append("product")
        return Timed.whole(2.0, 100, {"merge": 1500.0})

    def run_floor(self) -> Timed:
        self.told.append("floor")
        return Timed.whole(1.0, 100)

    def run_peers(self) -> dict[str, Timed]:
        return {"other": Timed.whole(8.0, 100)}

    def check(self) -> list[str]:
        return ["Two rows are missing."] if self.rounds[-1] == self.wrong_in_round else []

    def close(self) -> None: ...


def measure(
    monkeypatch: pytest.MonkeyPatch, paces: list[float], scenario: Pretend, *, repeat: int = 3, budget: float = 1e9
) -> Measured:
    moments, pace = iter(range(10_000)), iter(paces)
    monkeypatch.setattr(measuring, "calibrate", lambda: next(pace))
    return Measurer(
        scenario, repeat=repeat, budget=budget, say=lambda _: None, clock=lambda: float(next(moments))
    ).run()


def test_product_and_floor_are_run_in_turns(monkeypatch):
    scenario = Pretend()

    measured = measure(monkeypatch, [10.0] * 6, scenario)

    assert scenario.told == ["product", "floor"] * 3
    assert len(measured.pairs) == 3 and not measured.is_noisy


def test_a_restless_pair_is_taken_again_with_new_work_and_counts_when_it_was_quiet(monkeypatch):
    scenario = Pretend()

    measured = measure(monkeypatch, [*RESTLESS, *QUIET], scenario, repeat=1)

    assert scenario.rounds == [0, 1]
    assert [p.is_noisy for p in measured.pairs] == [False]


def test_a_pair_that_stays_restless_is_repeated_three_times_then_told_as_noisy(monkeypatch):
    scenario = Pretend()

    measured = measure(monkeypatch, [10, 20, 10, 15, 10, 30, 10, 20], scenario, repeat=1)

    assert scenario.rounds == [0, 1, 2, 3]
    assert measured.is_noisy
    assert [p.calib_after_ms for p in measured.pairs] == [15]


def test_one_pair_is_taken_even_when_the_budget_is_spent_and_no_second(monkeypatch):
    scenario = Pretend()

    measured = measure(monkeypatch, [10.0] * 6, scenario, budget=0.5)

    assert len(measured.pairs) == 1


def test_no_time_counts_once_a_result_was_wrong(monkeypatch):
    measured = measure(monkeypatch, [10.0] * 6, Pretend(wrong_in_round=0))

    [told] = records_of(Pretend(), 1000, measured, surroundings=SURROUNDINGS)
    assert (told["correct"], told["runs_s"], told["bar"]["met"]) == (False, [], None)


def test_a_wrong_result_in_a_later_pair_spoils_the_earlier_ones_too(monkeypatch):
    measured = measure(monkeypatch, [10.0] * 6, Pretend(wrong_in_round=2))

    [told] = records_of(Pretend(), 1000, measured, surroundings=SURROUNDINGS)
    assert told["correct"] is False


# ── Records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

HOST = {"cpus": 2, "mem_gb": 8.0, "python": "3.11.7", "postgres": "18.4", "load1": 0.5, "calib_ms": 9.0}
SURROUNDINGS = {"host": HOST, "commit": "abc", "rss_mb": 90, "db_mb": 12}


def records(monkeypatch: pytest.MonkeyPatch, scale: int = 1000) -> list[dict[str, Any]]:
    return records_of(Pretend(), scale, measure(monkeypatch, [10.0] * 6, Pretend()), surroundings=SURROUNDINGS)


def test_a_record_has_exactly_the_keys_that_are_promised(monkeypatch):
    told = records(monkeypatch)

    assert [each["variant"] for each in told] == ["product", "floor", "peer:other"]
    assert all(tuple(each) == KEYS for each in told)


def test_the_products_record_says_ratio_bar_phases_and_peer(monkeypatch):
    product = records(monkeypatch)[0]

    assert product["ratio_to_floor"] == 2.0
    assert product["ratio_to_peer"] == {"other": 0.25}
    assert product["bar"] == {"measure": "ratio", "pass": 3.0, "goal": 2.0, "moonshot": 1.5, "met": "goal"}
    assert (product["median_s"], product["per_s"], product["phases_ms"]) == (2.0, 50.0, {"merge": 1500.0})


def test_a_file_of_records_is_read_back_as_it_was_written(monkeypatch, tmp_path):
    told = records(monkeypatch)

    write_records(told, tmp_path / "out.json")

    assert read_records(tmp_path / "out.json") == told


@pytest.mark.parametrize("text", ["", "{", "{}", '[{"scenario": "pages"}]', "[3]"])
def test_what_is_no_file_of_records_is_refused_by_name(tmp_path, text):
    (tmp_path / "out.json").write_text(text)

    with pytest.raises(NoRecords, match=r"out\.json"):
        read_records(tmp_path / "out.json")


# ── Bars and growth ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "met"), [(1.5, Level.MOONSHOT), (1.51, Level.GOAL), (2.5, Level.PASS), (3.0, Level.PASS), (3.01, None)]
)
def test_the_best_bar_reached_is_the_one_that_is_met(value, met):
    assert RATIO_BAR.met(value) is met


@given(some.floats(0.2, 2.5), some.floats(1e-6, 10))
def test_growth_finds_the_exponent_a_power_law_was_made_with(exponent, factor):
    growth = growth_of([(scale, factor * scale**exponent) for scale in (10_000, 100_000, 1_000_000)])

    assert growth is not None
    assert math.isclose(growth.exponent, exponent, rel_tol=1e-6)
    assert (growth.smallest, growth.largest) == (10_000, 1_000_000)


def test_growth_is_told_for_every_scale_but_the_smallest(monkeypatch):
    told = with_growth([*records(monkeypatch, 10_000), *records(monkeypatch, 100_000)])

    products = [each for each in told if each["variant"] == "product"]
    assert products[0]["growth"] is None
    assert products[1]["growth"] == {"from": 10_000, "to": 100_000, "x": 1.0, "exponent": 0.0}


# ── Comparing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def record(ratio: float, **changed: Any) -> dict[str, Any]:
    met = RATIO_BAR.met(ratio)
    return {
        "scenario": "pretend",
        "variant": "product",
        "scale": 1000,
        "ratio_to_floor": ratio,
        "bar": {"met": met.value if met else None},
        "correct": True,
        "noisy": False,
        **changed,
    }


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        pytest.param(record(2.0), record(2.3), Finding.SAME, id="a little slower"),
        pytest.param(record(2.0), record(2.5), Finding.WORSE, id="a quarter slower, still within the bar"),
        pytest.param(record(2.0), record(1.5), Finding.BETTER, id="faster"),
        pytest.param(record(2.9), record(3.1), Finding.UNDER_BAR, id="hardly slower, and under the bar"),
        pytest.param(record(4.0), record(3.5), Finding.UNDER_BAR, id="faster, still under the bar"),
        pytest.param(record(2.0), record(1.0, correct=False), Finding.INCORRECT, id="fast and wrong"),
        pytest.param(record(2.0), record(2.9, noisy=True), Finding.NOISY, id="too noisy to be compared"),
    ],
)
def test_what_became_of_a_measurement(before, after, finding):
    [line] = compare_records([before], [after])

    assert line.finding is finding
    assert line.fails is (finding in {Finding.WORSE, Finding.UNDER_BAR, Finding.INCORRECT})


def test_a_measurement_that_is_no_longer_taken_fails_and_a_new_one_does_not():
    gone, new = record(2.0), record(2.0, scenario="other")

    found = {line.scenario: line for line in compare_records([gone], [new])}

    assert found["pretend"].finding is Finding.MISSING and found["pretend"].fails
    assert found["other"].finding is Finding.NEW and not found["other"].fails


def test_a_higher_bar_may_be_asked_for():
    [line] = compare_records([record(2.4)], [record(2.4)], least=Level.GOAL)

    assert line.finding is Finding.UNDER_BAR


# ── The command line ─────────────────────────────────────────────────────────────────────────────────────────────────


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relance.cli", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def files(monkeypatch, tmp_path):
    told = records(monkeypatch)
    worse = [each | {"ratio_to_floor": 2.9} if each["variant"] == "product" else each for each in told]
    write_records(told, tmp_path / "base.json")
    write_records(worse, tmp_path / "worse.json")
    return tmp_path


def test_comparing_ends_with_zero_when_nothing_got_worse(files):
    assert bench("compare", files / "base.json", files / "base.json").returncode == 0


def test_comparing_ends_with_one_when_something_got_worse_and_names_it(files):
    done = bench("compare", files / "base.json", files / "worse.json", "--json")

    assert done.returncode == 1
    [line] = json.loads(done.stdout)
    assert (line["scenario"], line["finding"], line["fails"]) == ("pretend", "worse", True)


def test_comparing_with_a_file_that_is_none_ends_with_two_and_one_line(files):
    done = bench("compare", files / "base.json", files / "missing.json")

    assert done.returncode == 2
    assert "missing.json" in done.stderr and "Traceback" not in done.stderr


def test_a_report_shows_ratio_and_bar(files):
    done = bench("report", files / "base.json")

    assert done.returncode == 0
    assert "pretend" in done.stdout and "2.00" in done.stdout and "goal" in done.stdout


@pytest.mark.parametrize("arguments", [("run", "nonsense"), ("run", "--scale", "many"), ("run", "--budget", "long")])
def test_what_cannot_be_run_ends_with_two_before_anything_is_started(arguments):
    done = bench(*arguments)

    assert done.returncode == 2
    assert "Creating" not in done.stderr


# ── Words of the command line ────────────────────────────────────────────────────────────────────────────────────────


def test_scales_are_read_and_written_as_people_say_them():
    assert read_scales("1M, 10k,100k,10k,500") == [500, 10_000, 100_000, 1_000_000]
    assert [spelt(scale) for scale in (500, 1_500, 10_000, 1_000_000)] == ["500", "1500", "10k", "1M"]


@pytest.mark.parametrize("text", ["k", "0", "-5", "ten", "1.5k"])
def test_what_is_no_scale_is_refused(text):
    with pytest.raises(ValueError):
        read_scales(text)


def test_a_budget_is_seconds_or_minutes():
    assert [read_seconds(text) for text in ("60s", "5m", "90")] == [60.0, 300.0, 90.0]
    with pytest.raises(ValueError):
        read_seconds("0s")
