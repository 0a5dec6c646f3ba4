"""The benchmark itself, small: every scenario does its work rightly on a database of its own. Times are never asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from relance.bench.rules import read_scales
from tests.stories.processes import a_home, without_database_url

SCENARIOS = {"sync.pull_merge": "1k,2k", "decide.one": "1k", "import.csv": "1k,2k", "pages": "1k"}


def run_bench(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "relance.cli", "bench", "run", *arguments],
        env=without_database_url() | {"RELANCE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def databases() -> set[str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database") if "bench" in name}


@pytest.mark.parametrize(("scenario", "scales"), SCENARIOS.items())
def test_a_scenario_does_its_work_rightly_and_leaves_nothing_behind(scenario, scales):
    before = databases()

    with a_home() as home:
        done = run_bench(
            home,
            *(scenario, "--scale", scales, "--repeat", "1", "--budget", "5s"),
            *("--db", os.environ["DATABASE_URL"], "--json", "-"),
        )
        left = list((home / "bench").iterdir())

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    measured = {(each["variant"], each["scale"]) for each in told}
    assert measured >= {(side, scale) for side in ("product", "floor") for scale in read_scales(scales)}
    assert all(each["correct"] for each in told)
    assert all(each["ratio_to_floor"] > 0 for each in told if each["variant"] == "product")
    assert databases() == before
    assert left == []


def test_a_server_of_its_own_is_made_for_the_run_and_gone_afterwards():
    with a_home() as home:
        done = run_bench(home, "import.csv", "--scale", "1k", "--repeat", "1", "--json", str(home.parent / "out.json"))

        assert done.returncode == 0, done.stderr
        [product, floor] = json.loads((home.parent / "out.json").read_text())
        assert list((home / "bench").iterdir()) == []
    assert product["n"] == 1000
    assert floor["n"] == 990
    assert "import.csv" in done.stdout
