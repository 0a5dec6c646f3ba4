"""The database we keep: whatever is killed, the next start finds all that was committed, and one server."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from relance.lib.postgres import Cluster, DatabaseNotRunning, TemporaryCluster, current_dsn, database
from relance.lib.postgres_binaries import choose_binaries
from relance.lib.processes import is_zombie, mark_process, wait_until_ended
from tests.stories.processes import SOURCES, a_home, an_ordinary_user, line_of, python, python_for_all, tell

KEEP_OPEN = """
import sys
from pathlib import Path
from relance.lib.postgres import database
with database(Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def our_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def home() -> Iterator[Path]:
    with a_home() as place:
        yield place
        Cluster(place, say=lambda _sentence: None).stop()


def run(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def server_of(home: Path) -> int:
    mark = Cluster(home).data.server()
    assert mark is not None
    return mark.pid


def test_a_command_starts_the_database_and_stops_it_when_it_is_done(home: Path) -> None:
    with database(home) as dsn:
        assert run(dsn, "SELECT lower('É'), current_setting('listen_addresses')") == [("é", "")]
        assert current_dsn(home) == dsn
        pid = server_of(home)

    assert not mark_process(pid).is_running()
    with pytest.raises(DatabaseNotRunning):
        current_dsn(home)


def test_database_url_replaces_our_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryCluster() as somebody_elses:
        monkeypatch.setenv("DATABASE_URL", somebody_elses)

        with database(home) as dsn:
            assert dsn == somebody_elses

        assert run(somebody_elses, "SELECT 1") == [(1,)]
    assert not home.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("postgresql://127.0.0.1:1/relance", "cannot be reached", id="nobody answers"),
        pytest.param("mysql://somewhere", "cannot be read", id="another kind of database"),
    ],
)
def test_a_database_url_that_leads_nowhere_is_told_at_once(
    home: Path, monkeypatch: pytest.MonkeyPatch, url: str, says: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(DatabaseNotRunning, match=says), database(home):
        pass


def test_commands_that_begin_at_once_share_one_server_and_the_last_to_leave_stops_it(home: Path) -> None:
    commands = [python(KEEP_OPEN, home) for _ in range(3)]
    assert len({line_of(command) for command in commands}) == 1
    pid = server_of(home)

    assert tell(commands[0]) == 0
    assert tell(commands[1]) == 0
    assert server_of(home) == pid

    assert tell(commands[2]) == 0
    assert Cluster(home).data.server() is None


def test_a_killed_database_comes_back_with_all_that_was_committed(home: Path) -> None:
    cluster = Cluster(home)
    dsn = cluster.join()
    run(dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")

    os.kill(server_of(home), signal.SIGKILL)
    while cluster.is_running():
        pass
    dsn = cluster.revive()

    assert run(dsn, "SELECT count(*) FROM kept") == [(1000,)]
    cluster.leave()


def test_a_backend_that_outlives_its_killed_server_does_not_prevent_the_next_start(home: Path) -> None:
    cluster = Cluster(home)
    dsn = cluster.join()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(dsn) as busy:
        # Pure computing: it never looks whether its server still lives.
        stuck = pool.submit(busy.execute, "SELECT count(*) FROM generate_series(1, 10000000000)")
        while run(dsn, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%10000000000)'")[0][0] == 0:
            pass
        os.kill(server_of(home), signal.SIGKILL)
        while cluster.is_running():
            pass

        dsn = cluster.revive()

        assert run(dsn, "SELECT 1") == [(1,)]
        with pytest.raises(psycopg.OperationalError):
            stuck.result()
    cluster.leave()


def test_the_next_command_adopts_a_server_whose_command_was_killed(home: Path) -> None:
    command = python(KEEP_OPEN, home)
    dsn = line_of(command)
    run(dsn, "CREATE TABLE kept (n int)")
    pid = server_of(home)
    command.kill()
    command.wait()

    with database(home) as again:
        assert server_of(home) == pid
        assert run(again, "SELECT * FROM kept") == []

    assert wait_until_ended(mark_process(pid), seconds=0)


def test_a_server_that_nobody_collected_is_not_taken_for_a_running_one(home: Path) -> None:
    command = python(KEEP_OPEN, home)
    line_of(command)
    pid = server_of(home)
    os.kill(pid, signal.SIGKILL)
    while not is_zombie(pid):
        pass

    with database(home) as dsn:
        assert is_zombie(pid)
        assert run(dsn, "SELECT 1") == [(1,)]

    command.kill()
    command.wait()


def test_a_stranger_who_got_the_number_of_our_killed_server_is_left_alone(home: Path) -> None:
    with database(home):
        owner = (home / "postgres" / "data").stat()
    as_owner = {} if owner.st_uid == os.geteuid() else {"user": owner.st_uid, "group": owner.st_gid}
    stranger = subprocess.Popen(["sleep", "600"], cwd="/", **as_owner)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1700000000\n5432\n/nowhere\n\n  12345  0\nready   \n")
    os.chown(pid_file, owner.st_uid, owner.st_gid)

    with database(home) as dsn:
        assert run(dsn, "SELECT 1") == [(1,)]
        assert stranger.poll() is None

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a home with spaces", id="blanks"),
        pytest.param("/".join(["x" * 60] * 3), id="too long for a socket"),
    ],
)
def test_any_path_will_do_for_a_home(name: str) -> None:
    with a_home(name) as home:
        with database(home) as dsn:
            assert run(dsn, "SELECT 1") == [(1,)]
            sockets = psycopg.conninfo.conninfo_to_dict(dsn)["host"]
        assert not (Path(str(sockets)) / ".s.PGSQL.5432").exists()


def test_a_killed_server_of_a_home_with_a_long_path_comes_back_at_the_same_address() -> None:
    with a_home("/".join(["x" * 60] * 3)) as home:
        cluster = Cluster(home)
        dsn = cluster.join()
        os.kill(server_of(home), signal.SIGKILL)
        while cluster.is_running():
            pass

        assert cluster.revive() == dsn

        cluster.leave()


def test_the_data_is_closed_to_others_and_no_directory_above_it_is_opened() -> None:
    with a_home() as home:
        home.parent.chmod(0o751)
        with database(home):
            assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == 0o700
            assert stat.S_IMODE((home / "postgres" / "socket").stat().st_mode) == 0o700
            assert stat.S_IMODE((home / "run" / "pg.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(home.parent.stat().st_mode) == 0o751


def test_a_creation_cut_short_is_begun_again(home: Path) -> None:
    (home / "postgres" / "data.new").mkdir(parents=True)
    (home / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")

    with database(home) as dsn:
        assert run(dsn, "SELECT 1") == [(1,)]


def test_somebody_who_is_not_root_has_a_database_too() -> None:
    user, interpreter = an_ordinary_user(), python_for_all()
    if user is None or interpreter is None:
        pytest.skip("needs root, and an interpreter that others may run")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    with a_home() as home:
        home.mkdir()
        os.chown(home, user.pw_uid, user.pw_gid)
        script = "import psycopg, os, sys\n" + KEEP_OPEN.replace(
            "print(dsn, flush=True)", "print(os.geteuid(), psycopg.connect(dsn).execute('SELECT 1').fetchone()[0])"
        )
        answer = subprocess.run(
            [interpreter, "-B", "-c", script, home],
            env={"PYTHONPATH": f"{SOURCES}:{packages}", "PATH": "/usr/bin:/bin"},
            cwd="/",
            input="\n",
            capture_output=True,
            text=True,
            check=False,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
        assert (answer.stdout.split(), answer.returncode) == ([str(user.pw_uid), "1"], 0), answer.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another user")
def test_binaries_that_postgresqls_user_cannot_read_are_copied_beside_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_home("closed") as closed, a_home() as home:
        closed.mkdir(mode=0o700)
        prefix = choose_binaries().bin.parent
        package = closed / prefix.parent.name
        package.mkdir()
        subprocess.run(["cp", "-a", prefix, package], check=True)
        if (libraries := prefix.parent.parent / f"{package.name}.libs").is_dir():
            subprocess.run(["cp", "-a", libraries, closed], check=True)
        monkeypatch.setenv("RELANCE_PG_BIN", str(package / prefix.name / "bin"))

        with database(home) as dsn:
            assert run(dsn, "SELECT 1") == [(1,)]

        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_throwaway_server_is_gone_with_its_files() -> None:
    server = TemporaryCluster()
    with server as dsn:
        assert run(dsn, "SHOW fsync") == [("off",)]
        pid = server_of(server.home)

    assert not mark_process(pid).is_running()
    assert not server.home.exists()
