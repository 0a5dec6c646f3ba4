"""The sandbox through a public Node client as it is shipped. Runs where Node and the npm registry are; elsewhere it says what is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stories.org_process import org_running, write_tree

SESSION = Path(__file__).with_name("jsforce_session.mjs")
PACKAGE = "jsforce@3"


@pytest.fixture(scope="module")
def modules(request: pytest.FixtureRequest) -> Path:
    """The client, installed once and kept in the cache of the tests."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed here")
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("jsforce")
    if not (folder / "node_modules" / "jsforce").is_dir():
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
        except subprocess.TimeoutExpired:
            pytest.skip("the npm registry does not answer")
        if done.returncode:
            pytest.skip(f"the npm registry does not give {PACKAGE}: {done.stderr[-200:]}")
    return folder


@pytest.fixture(scope="module")
def said(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("org")
    tree = write_tree(place / "tree")
    with org_running(place, tree, "--data", str(tree / "data")) as org:
        done = subprocess.run(
            ["node", str(SESSION), str(modules), json.dumps(org.told)], capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    answers["org_id"] = org.told["org_id"]
    answers["username"] = org.told["username"]
    return answers


def test_it_signs_in_by_password_and_by_refresh_token(said: dict[str, Any]):
    assert said["soapLogin"] == said["org_id"]
    assert (said["refreshed"], said["refreshes"]) == (said["username"], 1)


def test_it_describes_the_org(said: dict[str, Any]):
    assert said["global"] > 30
    assert "Relance_Id__c" in said["described"]


def test_it_creates_reads_updates_and_upserts(said: dict[str, Any]):
    assert said["created"]["success"] is True
    assert said["read"] == "Alpha"
    assert said["updated"]["success"] is True
    assert said["upserted"]["created"] is True
    assert said["upsertedAgain"]["success"] is True
    assert said["many"] == [True, True, True]
    assert said["deletedRows"] == 0


def test_it_understands_refusals(said: dict[str, Any]):
    assert said["refused"]["error"] == "REQUIRED_FIELD_MISSING"
    assert said["malformed"]["error"] == "INVALID_FIELD"


def test_it_pages_beyond_two_thousand(said: dict[str, Any]):
    assert said["paged"] == 2002


def test_it_loads_and_extracts_in_bulk(said: dict[str, Any]):
    assert said["bulk"]["good"] == 249
    assert said["bulk"]["bad"][0].startswith("REQUIRED_FIELD_MISSING:")
    assert said["bulkQuery"] == 249


def test_it_converts_a_lead_over_soap(said: dict[str, Any]):
    assert said["converted"] == {"success": True, "contact": "003"}


def test_it_reads_what_the_org_is_made_of(said: dict[str, Any]):
    assert said["map"] > 3
    assert said["listed"] == ["Lead.Doublon_Email"]
    assert {"CustomObject", "LeadConvertSettings"} <= set(said["kinds"])
    assert said["rules"] >= 1


def test_the_meter_is_read_from_any_answer(said: dict[str, Any]):
    assert said["limits"] == said["usage"]["limit"] == 100_000
