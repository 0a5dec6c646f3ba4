"""kill -9 in the middle of a sync: what was read stays read, what was sent is found again, and nobody is doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.stories.org_process import OrgProcess, org_running, write_tree

ROOT = Path(__file__).parents[2]
BEGIN = """
import json, os, signal, sys
from relance.cli.doors import start_django
start_django()
from django.core.management import call_command
from django.utils import timezone
def die(*_args, **_more): os.kill(os.getpid(), signal.SIGKILL)
"""
FIRST = (
    BEGIN
    + """
call_command("migrate", verbosity=0)
from tests.stories.crm_story import tell
from tests.stories.org_process import OrgProcess
story = tell(OrgProcess(None, json.loads(sys.argv[1])))
for number in range(30):
    story.lead(f"Tue{number}", Phone=f"01{number:08}")
from relance.crm.sync import run_cycle
run_cycle(story.connection, timezone.now(), lambda name, done, total: die() if name == "Lead" and done else None)
"""
)
KILLED_AFTER_SENDING = (
    BEGIN
    + """
from relance.crm import push
from relance.crm.models import Connection
from relance.crm.sync import run_cycle
from relance.people.models import Person
from relance.workspace.models import User
connection = Connection.objects.get()
run_cycle(connection, timezone.now())
print(json.dumps({"people": Person.objects.count()}), flush=True)
Person.objects.create(last_name="Doublon", company_name="E", email="doublon@e.example", owner=User.objects.get())
push.apply_outcomes = die
run_cycle(connection, timezone.now())
"""
)
LAST = (
    BEGIN
    + """
from relance.crm.models import Connection, CrmLink, QueuedPush, SyncRun
from relance.crm.sync import run_cycle
from relance.people.models import Person
run_cycle(Connection.objects.get(), timezone.now())
person = Person.objects.get(last_name="Doublon")
print(json.dumps({
    "people": Person.objects.count(), "links": CrmLink.objects.filter(person=person).count(), "uid": str(person.uid),
    "waiting": QueuedPush.objects.count(), "left_running": SyncRun.objects.filter(state="running").count(),
}), flush=True)
"""
)


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this story alone: its processes commit, and are killed while they do."""
    address = os.environ["DATABASE_URL"]
    name = f"killed_{os.getpid()}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def org(tmp_path: Path) -> Iterator[OrgProcess]:
    with org_running(tmp_path, write_tree(tmp_path / "tree")) as running:
        yield running


def run(script: str, database: str, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    """A process of its own; its exit code, and the JSON lines it printed before it ended or was ended."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "DATABASE_URL": database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]


def test_a_killed_sync_goes_on_where_it_was_and_doubles_nobody(database, org):
    assert run(FIRST, database, json.dumps(org.told))[0] == -signal.SIGKILL

    code, [read] = run(KILLED_AFTER_SENDING, database)
    assert code == -signal.SIGKILL
    assert read["people"] == 30

    code, [told] = run(LAST, database)
    assert code == 0
    assert told["people"] == 31
    assert (told["links"], told["waiting"], told["left_running"]) == (1, 0, 0)
    assert len(org.query(f"SELECT Id FROM Lead WHERE Relance_Id__c = '{told['uid']}'")) == 1
