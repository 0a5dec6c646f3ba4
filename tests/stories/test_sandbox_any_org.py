"""Any org whose tree can be read can be described and queried whole: ours, and those RELANCE_ORGS names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.stories.org_process import OrgProcess, org_running

OURS = Path(__file__).parents[1] / "orgs"
OTHERS = Path(os.environ.get("RELANCE_ORGS", Path(__file__).parents[2] / ".." / "shared" / "orgs"))
TREES = [
    tree
    for place in (OURS, OTHERS)
    if place.is_dir()
    for tree in sorted(place.iterdir())
    if (tree / "sfdx-project.json").is_file()
]
BASE = "/services/data/v66.0"


@pytest.fixture(params=TREES, ids=lambda tree: tree.name)
def org(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OrgProcess]:
    with org_running(tmp_path, request.param) as running:
        yield running


@pytest.mark.skipif(
    not OTHERS.is_dir(), reason=f"no public orgs to try: {OTHERS} is not there; name a directory in RELANCE_ORGS"
)
def test_public_orgs_are_among_those_tried():
    assert any(tree.parent == OTHERS for tree in TREES)


def test_every_object_of_an_org_is_described_and_each_of_its_fields_can_be_asked_for(org: OrgProcess):
    with org.client() as client:
        things = client.get(f"{BASE}/sobjects/").json()["sobjects"]
        troubles = [trouble for thing in things for trouble in troubles_of(client, thing)]

    assert len(things) > 30
    assert troubles == []


def troubles_of(client: httpx.Client, thing: dict[str, object]) -> list[str]:
    described = client.get(f"{BASE}/sobjects/{thing['name']}/describe")
    if described.status_code != 200:
        return [f"{thing['name']}: describe answers {described.status_code}"]
    if not thing["queryable"]:
        return []
    fields = ", ".join(field["name"] for field in described.json()["fields"])
    asked = client.get(f"{BASE}/query", params={"q": f"SELECT {fields} FROM {thing['name']} ORDER BY Id LIMIT 5"})
    return [] if asked.status_code == 200 else [f"{thing['name']}: {asked.text}"]
