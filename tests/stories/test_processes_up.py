"""`relance up` with the real web server, worker and database: kill any of them, and the supervisor, and lose nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from relance.lib.postgres import Cluster, current_dsn
from relance.lib.processes import ProcessMark, group_members, mark_process
from relance.lib.supervisor import end_recorded
from tests.stories.processes import a_home, without_database_url


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with a_home() as place:
        yield place
        end_recorded(place)
        Cluster(place, say=lambda _sentence: None).stop()


def relance(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "relance.cli", *words],
        env=without_database_url() | {"RELANCE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def up(home: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    running = relance(home, "up", "--processes", "1", "--json")
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line, running.communicate()[1]
    return running, json.loads(line)


def stop(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=90)[1]
    assert running.returncode == 0, said


def run(home: Path, *words: str) -> tuple[int, str, str]:
    command = relance(home, *words)
    out, said = command.communicate(timeout=120)
    return command.returncode, out, said


def recorded(home: Path, name: str) -> ProcessMark:
    note = json.loads((home / "run" / f"{name}.json").read_text())
    return ProcessMark(note["pid"], note["began"])


def sql(home: Path, statement: str) -> Sequence[tuple[object, ...]]:
    with psycopg.connect(current_dsn(home), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.1)


def test_whatever_is_killed_relance_comes_back_and_has_lost_nothing(home: Path) -> None:
    running, told = up(home)
    page = f"{told['url']}/accounts/login/"
    sql(home, "CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    assert status(page) == 200

    for name in ("web", "worker"):
        killed = recorded(home, name)
        os.kill(killed.pid, signal.SIGKILL)
        wait_for(lambda name=name, killed=killed: recorded(home, name).pid != killed.pid)  # type: ignore[misc]
        wait_for(lambda: status(page) == 200)
        assert group_members(killed.pid) == []

    deaf = recorded(home, "worker")
    os.kill(json.loads((home / "run" / "pg.json").read_text())["pid"], signal.SIGKILL)
    wait_for(lambda: recorded(home, "worker").pid != deaf.pid)
    wait_for(lambda: status(page) == 200)
    assert sql(home, "SELECT count(*) FROM kept") == [(100,)]

    running.kill()
    running.communicate()
    left = [recorded(home, name) for name in ("web", "worker")]
    again, told = up(home)
    assert not any(mark.is_running() for mark in left)
    assert status(f"{told['url']}/accounts/login/") == 200
    assert sql(home, "SELECT count(*) FROM kept") == [(100,)]

    database = mark_process(json.loads((home / "run" / "pg.json").read_text())["pid"])
    programs = [recorded(home, name) for name in ("web", "worker")]
    stop(again)
    assert not any(mark.is_running() for mark in [database, *programs])


def test_the_set_up_link_of_an_empty_database_opens_and_the_workers_hear_the_queue(home: Path) -> None:
    running, told = up(home)

    assert status(told["setup_link"]) == 200
    wait_for(lambda: bool(sql(home, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")))

    stop(running)


def test_a_workspace_comes_back_from_its_backup_and_a_full_database_is_not_replaced_unasked(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "workspace.dump"
    assert run(home, "migrate")[0] == 0
    cluster = Cluster(home)
    cluster.join()
    sql(home, "CREATE TABLE kept AS SELECT 'é' AS word")

    code, out, said = run(home, "backup", str(file), "--with-key", "--json")
    assert code == 0, said
    assert json.loads(out)["bytes"] == file.stat().st_size
    assert (file.stat().st_mode & 0o777, Path(f"{file}.key").stat().st_mode & 0o777) == (0o600, 0o600)

    sql(home, "UPDATE kept SET word = 'changed'")
    code, _out, said = run(home, "restore", str(file))
    assert (code, sql(home, "SELECT word FROM kept")) == (2, [("changed",)]), said

    code, _out, said = run(home, "restore", str(file), "--force")
    assert (code, sql(home, "SELECT word FROM kept")) == (0, [("é",)]), said
    cluster.leave()


def test_a_restore_that_fails_leaves_the_database_as_it_was(home: Path, tmp_path: Path) -> None:
    file, broken = tmp_path / "workspace.dump", tmp_path / "broken.dump"
    assert run(home, "migrate")[0] == 0
    assert run(home, "backup", str(file))[0] == 0
    broken.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    cluster = Cluster(home)
    cluster.join()
    sql(home, "CREATE TABLE kept AS SELECT 1 AS n")

    code, _out, said = run(home, "restore", str(broken), "--force")

    assert code == 2, said
    assert sql(home, "SELECT n FROM kept") == [(1,)]
    assert sql(home, "SELECT count(*) FROM pg_namespace WHERE nspname = 'before_restore'") == [(0,)]
    cluster.leave()


def test_the_port_asked_for_is_refused_when_it_is_taken(home: Path) -> None:
    running, told = up(home)
    port = told["url"].rpartition(":")[2]

    with a_home("another") as another:
        code, out, _said = run(another, "up", "--port", port, "--json")
        Cluster(another, say=lambda _sentence: None).stop()

    assert code == 2
    assert port in json.loads(out)["error"]
    stop(running)
