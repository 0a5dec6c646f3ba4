"""Faults on the line: what a client sees when it is cut, starved or slowed, and what the request log says of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.stories.org_process import COMMAND, OrgProcess, org_running, start_org, write_tree

LEADS = "/services/data/v66.0/sobjects/Lead"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("org") / "tree")


@pytest.fixture(scope="module")
def running(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    with org_running(tmp_path_factory.mktemp("home"), tree) as org:
        yield org


@pytest.fixture
def org(running: OrgProcess) -> Iterator[OrgProcess]:
    with running.client() as client:
        client.delete("/sandbox/requests")
        yield running
        client.delete("/sandbox/faults")


def lead(name: str) -> dict[str, str]:
    return {"LastName": name, "Company": "Vernier", "Email": f"{name.lower()}@vernier.example"}


def test_a_line_cut_before_leaves_nothing_and_cut_after_leaves_the_record(org: OrgProcess):
    before = org.plan("drop_before", {"method": "POST", "times": 1})
    with org.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(LEADS, json=lead("Bruno"))
    after = org.plan("drop_after", {"method": "POST", "times": 1})
    with org.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(LEADS, json=lead("Aline"))

    assert {row["LastName"] for row in org.query("SELECT LastName FROM Lead")} == {"Aline"}
    assert [(line["fault"], line["status"]) for line in org.requests(method="POST")] == [(before, None), (after, 201)]


def test_a_line_may_be_reset(org: OrgProcess):
    org.plan("drop_before", {"times": 1}, abruptly=True)

    with org.client() as client, pytest.raises(httpx.ReadError):
        client.get(LEADS)


def test_half_a_body_comes_and_the_rest_never_does(org: OrgProcess):
    org.plan("drop_body", {"path": "describe", "times": 1})
    org.plan("drop_body", {"path": "describe", "times": 1, "nth": 2}, announced=False)

    with org.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{LEADS}/describe", headers={"Accept-Encoding": "identity"})
        cut = client.get(f"{LEADS}/describe", headers={"Accept-Encoding": "identity"})
        with pytest.raises(json.JSONDecodeError):
            cut.json()
        assert client.get(f"{LEADS}/describe").json()["name"] == "Lead"


def test_a_slow_answer_is_slow_in_its_header_and_in_each_byte(org: OrgProcess):
    org.plan("slow", {"path": "describe", "times": 1}, header_seconds=30, byte_seconds=0)
    org.plan("slow", {"path": "limits", "times": 1}, header_seconds=0, byte_seconds=30)

    with org.client() as client:
        for path in (f"{LEADS}/describe", "/services/data/v66.0/limits"):
            with pytest.raises(httpx.ReadTimeout):
                client.get(path, timeout=0.3)
        assert client.get(LEADS).status_code == 200


def test_an_org_stops_at_once_though_answers_are_being_slowed(tree: Path, tmp_path: Path):
    org = start_org(tmp_path, tree)
    org.plan("slow", {}, header_seconds=600)
    with org.client() as client, pytest.raises(httpx.ReadTimeout):
        client.get(LEADS, timeout=0.3)

    assert org.interrupt()[0] == 0


def test_faults_may_be_given_when_the_org_starts(tree: Path, tmp_path: Path):
    file = tmp_path / "faults.toml"
    file.write_text('seed = 3\n[[faults]]\nid = "busy"\nkind = "rate_concurrent"\nmatch = {times = 1}\n')
    with org_running(tmp_path, tree, "--faults", str(file)) as org, org.client() as client:
        assert client.get(LEADS).json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
        assert client.get(LEADS).status_code == 200
        assert org.requests()[0]["fault"] == "busy"


def test_faults_that_make_no_sense_are_said_and_nothing_is_started(tree: Path, tmp_path: Path):
    file = tmp_path / "faults.json"
    file.write_text('[{"kind": "thunder"}]')

    with pytest.raises(AssertionError, match="Nothing was started"):
        start_org(tmp_path, tree, "--faults", str(file))


def test_a_rep_acts_from_the_command_line(org: OrgProcess):
    with org.client() as client:
        client.post(LEADS, json=lead("Denis"))
    command = [*COMMAND, "act", "--http", org.told["http"].rpartition(":")[2]]

    converted = subprocess.run(
        [*command, "convert", "where=Email = 'denis@vernier.example'", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused = subprocess.run([*command, "convert", "where=Email = 'x'"], capture_output=True, text=True, timeout=60)

    contact = json.loads(converted.stdout)["contact"]
    assert org.query(f"SELECT LastName FROM Contact WHERE Id = '{contact}'")[0]["LastName"] == "Denis"
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "No Lead has Email = 'x'." in refused.stderr


def test_what_an_administrator_changed_is_still_so_after_a_restart(tree: Path, tmp_path: Path):
    org = start_org(tmp_path, tree)
    ports = [org.told[scheme].rpartition(":")[2] for scheme in ("http", "https")]
    with org.client() as client:
        made = client.post(LEADS, json={**lead("Fanny"), "Linkedin__c": "https://l.example/fanny"})
        assert made.status_code == 201, made.text
        told = {"name": "rename_field", "with": {"field": "Lead.Linkedin__c", "to": "Reseau__c"}}
        assert client.post("/sandbox/act", json=told).status_code == 200
    org.interrupt()

    with org_running(tmp_path, tree, "--http", ports[0], "--https", ports[1]) as again:
        assert [row["Reseau__c"] for row in again.query("SELECT Reseau__c FROM Lead")] == ["https://l.example/fanny"]
