"""The supervisor: what is killed comes back, what a killed supervisor left is found, and all stops in order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from relance.lib.postgres import Cluster, current_dsn, database
from relance.lib.processes import ProcessMark, group_members, mark_process, wait_until_ended
from relance.lib.supervisor import answer_of, end_recorded
from tests.stories.processes import a_home, without_database_url

# A program that says where it is, and ends politely; `web` has a worker of its own, as a web server does.
PROGRAM = """
import os, signal, sys, time, pathlib
name, place = sys.argv[1], pathlib.Path(sys.argv[2])
def note(word):
    with (place / "story").open("a") as story:
        story.write(f"{word} {name}\\n")
def end(*_):
    note("ended")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
if name == "web" and os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("forked")
    while True:
        time.sleep(0.1)
note("began")
print('{"token": "t-1"}', flush=True)
while True:
    time.sleep(0.05)
"""

SUPERVISOR = """
import sys
from pathlib import Path
from relance.lib.postgres import Cluster
from relance.lib.supervisor import Program, Supervisor
home, program = Path(sys.argv[1]), sys.argv[2]
def one(name, **more):
    if "never ready" in program:
        more["is_ready"], more["ready_within"] = (lambda: False), 2
    return Program(name, [sys.executable, "-c", program, name, str(home)], **more)
def work(supervisor):
    print("up", flush=True)
def programs():
    return [one("sandbox", answers_once=True, uses_database=False), one("worker"), one("web", grace=5)]
sys.exit(Supervisor(home, programs, cluster=Cluster(home)).run(work))
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with a_home() as place:
        yield place
        end_recorded(place)
        Cluster(place, say=lambda _sentence: None).stop()


def start(home: Path) -> subprocess.Popen[str]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, home, PROGRAM],
        env=without_database_url(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "up\n", supervisor.communicate()
    return supervisor


def stop(supervisor: subprocess.Popen[str]) -> str:
    supervisor.send_signal(signal.SIGINT)
    said = supervisor.communicate(timeout=60)[1]
    assert supervisor.returncode == 0, said
    return said


def recorded(home: Path, name: str) -> ProcessMark:
    note = json.loads((home / "run" / f"{name}.json").read_text())
    return ProcessMark(note["pid"], note["began"])


def story(home: Path) -> list[str]:
    return (home / "story").read_text().splitlines()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.05)


def test_programs_stop_in_the_reverse_order_of_their_list_and_the_database_last(home: Path) -> None:
    supervisor = start(home)
    pids = [recorded(home, name) for name in ("sandbox", "worker", "web")]
    database = mark_process(json.loads((home / "run" / "pg.json").read_text())["pid"])
    assert answer_of(home, "sandbox") == {"token": "t-1"}

    stop(supervisor)

    told = [line for line in story(home) if line != "forked web"]
    assert sorted(told[:3]) == ["began sandbox", "began web", "began worker"]
    assert told[3:] == ["ended web", "ended worker", "ended sandbox"]
    assert not any(mark.is_running() for mark in [*pids, database])
    assert group_members(pids[2].pid) == []
    assert {path.suffix for path in (home / "run").iterdir()} == {".lock"}


@pytest.mark.parametrize("name", ["web", "worker", "sandbox"])
def test_a_killed_program_comes_back_and_what_it_had_started_does_not_stay(home: Path, name: str) -> None:
    supervisor = start(home)
    killed = recorded(home, name)

    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: story(home).count(f"began {name}") == 2)
    wait_for(lambda: recorded(home, name).pid != killed.pid)  # it tells its story before it is noted down

    assert group_members(killed.pid) == []
    assert "SIGKILL" in stop(supervisor)


def test_a_killed_database_comes_back_and_those_who_listened_to_it_are_started_again(home: Path) -> None:
    supervisor = start(home)
    with psycopg.connect(current_dsn(home), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    deaf = recorded(home, "worker")

    os.kill(json.loads((home / "run" / "pg.json").read_text())["pid"], signal.SIGKILL)
    wait_for(lambda: story(home).count("began worker") == 2 and story(home).count("began web") == 2)

    assert not deaf.is_running()
    assert story(home).count("began sandbox") == 1
    with psycopg.connect(current_dsn(home)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
    stop(supervisor)


def test_a_command_that_ends_leaves_the_database_of_a_running_supervisor_alone(home: Path) -> None:
    supervisor = start(home)
    server = mark_process(json.loads((home / "run" / "pg.json").read_text())["pid"])

    with database(home, say=lambda _sentence: None) as dsn, psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")

    assert server is not None and server.is_running()
    assert "The database has ended" not in stop(supervisor)


def test_after_a_killed_supervisor_the_next_one_adopts_the_database_and_ends_the_rest(home: Path) -> None:
    first = start(home)
    database = json.loads((home / "run" / "pg.json").read_text())["pid"]
    left = [recorded(home, name) for name in ("sandbox", "worker", "web")]
    first.kill()
    first.communicate()

    second = start(home)

    assert json.loads((home / "run" / "pg.json").read_text())["pid"] == database
    assert not any(mark.is_running() for mark in left)
    assert group_members(left[2].pid) == []
    stop(second)
    assert not mark_process(database).is_running()


def test_a_process_that_got_the_number_of_an_ended_program_is_left_alone(home: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (home / "run").mkdir(parents=True)
    note = {"pid": stranger.pid, "began": "long ago", "token": "of another", "name": "web"}
    (home / "run" / "web.json").write_text(json.dumps(note))

    assert end_recorded(home) == []

    assert stranger.poll() is None
    assert not (home / "run" / "web.json").exists()
    stranger.kill()
    stranger.wait()


def test_one_home_has_one_supervisor(home: Path) -> None:
    first = start(home)

    second = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, home, PROGRAM],
        env=without_database_url(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "already runs" in second.stderr
    assert story(home).count("began web") == 1
    stop(first)


@pytest.mark.parametrize(
    ("words", "then"),
    [
        pytest.param("port is taken", "sys.exit(1)", id="ends"),
        pytest.param("never ready", "time.sleep(600)", id="hangs"),
    ],
)
def test_a_program_that_never_becomes_ready_ends_the_start_with_its_last_words(
    home: Path, words: str, then: str
) -> None:
    broken = f"import sys, time; print({words!r}, file=sys.stderr, flush=True); {then}"

    answer = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, home, broken],
        env=without_database_url(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "ProgramFailed" in answer.stderr
    assert words in answer.stderr.partition("ProgramFailed")[2]
    assert Cluster(home).data.server() is None


def test_a_start_that_is_interrupted_leaves_nothing_running(home: Path) -> None:
    waits = "import time; time.sleep(600)"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, home, waits], env=without_database_url())
    wait_for((home / "run" / "sandbox.json").exists)
    begun = recorded(home, "sandbox")

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(timeout=60) == 130
    assert wait_until_ended(begun, seconds=0)
    assert Cluster(home).data.server() is None
