"""The soak run, short: edits on both sides, faults, kill -9 of workers and database; in the end both sides agree. Longer ones: `relance soak sync`."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from relance.bench.soak import Soak
from tests.stories.processes import a_home, without_database_url


def test_after_twenty_seconds_of_everything_going_wrong_both_sides_agree_and_nobody_is_doubled():
    with a_home() as home:
        done = subprocess.run(
            [sys.executable, "-m", "relance.cli", "soak", "sync", "--minutes", "0.34", "--seed", "3", "--json"],
            env=without_database_url() | {"RELANCE_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["findings"] == []
    did = told["did"]
    for what in ("workers killed", "database kills", "requests struck by a fault", "runs of the sync"):
        assert did[what] > 0, what


@pytest.mark.parametrize(
    ("there", "here", "finding"),
    [
        pytest.param({"Phone": "02"}, {}, "phone 02 there, 01 here", id="the sides differ"),
        pytest.param({"Phone": "02"}, {"phone": "02"}, "CRM's own phone 01 became 02", id="the CRM's word is lost"),
        pytest.param({"Score_Relance__c": 8}, {}, "score 8 there, 5 here", id="the score is not ours"),
        pytest.param({"Score_Relance__c": 8}, {"score": 8}, "own score 5 became 8", id="our word is lost"),
    ],
)
def test_the_reckoning_finds_what_does_not_agree(there, here, finding):
    soak = Soak(seed=1, minutes=1, say=print)
    soak.theirs["00Q1"], soak.ours[4] = "01", 5
    lead = {"Id": "00Q1", "Phone": "01", "Score_Relance__c": 5}
    person = {"pk": 4, "phone": "01", "score": 5}

    soak.compare(lead, SimpleNamespace(**person))
    assert soak.verdict.holds
    soak.compare(lead | there, SimpleNamespace(**person | here))

    assert any(finding in found for found in soak.verdict.findings)
