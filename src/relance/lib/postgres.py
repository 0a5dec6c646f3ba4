"""PostgreSQL kept by Relance: made, started as our own child, waited for, stopped; or found running and joined.

`database(home)` is what commands use. `DATABASE_URL` replaces all of it by a server of somebody else's.
Several commands may use one server: whoever comes first starts it, whoever leaves last stops it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

import psycopg

from relance.lib.file_locks import exclusively, hold_shared, is_held
from relance.lib.home import make_home
from relance.lib.postgres_binaries import Binaries, choose_binaries, find_binaries, readable_by
from relance.lib.postgres_data import PORT, ROLE, DataDirectory, PostgresRefused, environment, write_whole
from relance.lib.postgres_owner import Owner, choose_owner
from relance.lib.postgres_tuning import look_at_machine, throwaway, tune
from relance.lib.processes import ProcessMark, mark_process, signal_group, tethered, wait_until_ended

__all__ = [
    "Cluster",
    "DatabaseNotRunning",
    "PostgresRefused",
    "TemporaryCluster",
    "check_reachable",
    "current_dsn",
    "database",
    "find_binaries",
]

Say = Callable[[str], None]
DATABASE = "relance"
_LONGEST_SOCKET_PATH = 107  # bytes: what the system call takes
_FAST = signal.SIGINT  # PostgreSQL's "fast" shutdown: open transactions are rolled back
_IMMEDIATE = signal.SIGQUIT  # stop at once; the next start recovers from the log


class DatabaseNotRunning(Exception):
    """No server answers for this home; a command that needs one wraps itself in `database(home)`."""


def say_on_stderr(sentence: str) -> None:
    """Progress for people; standard output is kept for answers."""
    print(sentence, file=sys.stderr, flush=True)


def current_dsn(home: Path) -> str:
    """The database to connect to: DATABASE_URL, else what the running server wrote down."""
    named = os.environ.get("DATABASE_URL")
    if named:
        return named
    try:
        note = json.loads((home / "run" / "pg.json").read_text())
    except FileNotFoundError as missing:
        raise DatabaseNotRunning(
            f"No database runs for {home}. Start Relance (relance up), or set DATABASE_URL."
        ) from missing
    return str(note["dsn"])


def check_reachable(dsn: str) -> None:
    """Say at once, and in one line, what a pool would only find out by waiting. DatabaseNotRunning when it is not there."""
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError as refused:
        why = str(refused).strip().splitlines()[-1].strip()
        raise DatabaseNotRunning(
            f"The database that DATABASE_URL names cannot be reached: {why} "
            "Nothing was changed. Check the address, and that the server runs and lets us in."
        ) from refused
    except psycopg.ProgrammingError as misspelt:
        raise DatabaseNotRunning(
            f"DATABASE_URL cannot be read: {misspelt}. Expected postgresql://user:password@host:port/name."
        ) from misspelt


@contextmanager
def database(home: Path, *, say: Say = say_on_stderr) -> Iterator[str]:
    """The database for as long as the block runs: somebody else's, one that runs already, or our own."""
    named = os.environ.get("DATABASE_URL")
    if named:
        check_reachable(named)
        yield named
        return
    cluster = Cluster(home, say=say)
    dsn = cluster.join()
    try:
        yield dsn
    finally:
        cluster.leave()


class Cluster:
    """One PostgreSQL server and its data, under a home directory."""

    def __init__(
        self,
        home: Path,
        *,
        settings: dict[str, str] | None = None,
        death_signal: signal.Signals | None = None,
        say: Say = say_on_stderr,
    ) -> None:
        self.home = home.resolve()
        self.place = self.home / "postgres"
        self.data = DataDirectory(self.place / "data")
        self.run = self.home / "run"
        self.log = self.home / "log" / "postgres.log"
        self.note = self.run / "pg.json"
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = settings
        self._death_signal = death_signal
        self._say = say
        self._log_from = 0
        self._joined: IO[bytes] | None = None

    # Joining and leaving

    def join(self) -> str:
        """Use the server: attach to it when it answers, else start it. Two commands at once get the same one."""
        dsn = self.revive()
        self._joined = hold_shared(self.run / "postgres.users")
        return dsn

    def leave(self) -> None:
        """Stop using the server; the last one to leave stops it, unless a supervisor keeps it."""
        with exclusively(self.run / "postgres.lock"):
            if self._joined is not None:
                self._joined.close()
                self._joined = None
            if not any(is_held(self.run / name) for name in ("postgres.users", "supervisor.lock")):
                self.stop()

    def revive(self) -> str:
        """Attach to the running server or start one, alone: others who try wait for us and then attach."""
        self._make_directories()
        with exclusively(self.run / "postgres.lock", when_waiting=self._say_waiting):
            return self.attach() or self.start()

    def attach(self) -> str | None:
        """The DSN of the server that runs on this data, or None. One that is still recovering is waited for."""
        mark = self.data.server()
        if mark is None or not self._wait_until_ready(mark):
            return None
        note = self.data.pid_file()
        if note is None:  # it stopped this very moment
            return None
        return self._write_note(Path(note.sockets), mark)

    def dsn(self) -> str:
        """The DSN of this cluster's server, as written down by whoever started it."""
        return current_dsn(self.home)

    # Starting

    def start(self) -> str:
        """Start the server as our child, wait for it however long it recovers, and write down how to reach it."""
        self._make_directories()
        owner = choose_owner(self.data.path)
        owner.make_directory(self.place)
        binaries = readable_by(owner, choose_binaries(self.data.version()), self.place)
        if self.data.version() is None:
            self._say(f"Creating the database in {self.data.path} (PostgreSQL {binaries.version}).")
            self.data.create(owner, binaries, extra=("--no-sync",) if self._settings else ())
        self.data.write_settings(owner, binaries, self._settings or tune(look_at_machine(self.data.path)))
        sockets = self._socket_directory(owner)
        mark = self._launch_until_ready(owner, binaries, sockets)
        _ensure_database(sockets)
        return self._write_note(sockets, mark)

    def _launch_until_ready(self, owner: Owner, binaries: Binaries, sockets: Path) -> ProcessMark:
        for _attempt in range(5):
            mark = self._launch(owner, binaries, sockets)
            if self._wait_until_ready(mark):
                return mark
            if "still in use" not in self._last_words():
                break
            self._end_leftovers(owner)
        raise PostgresRefused(
            f"PostgreSQL did not start on {self.data.path}; the data was left as it is. It said:\n{self._last_words()}"
        )

    def _launch(self, owner: Owner, binaries: Binaries, sockets: Path) -> ProcessMark:
        variables = environment()
        stale = self.data.pid_file()
        if stale is not None:
            # PostgreSQL refuses to start while the number in its pid file is taken, be it by a zombie or by a
            # stranger who got the number since. It makes an exception for the number given here, and we have
            # just seen that it is not a server of this data.
            variables["PG_GRANDPARENT_PID"] = str(stale.pid)
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            self.process = subprocess.Popen(
                [binaries.program("postgres"), "-D", self.data.path, "-k", sockets],
                cwd=self.data.path,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=tethered(self._death_signal),
                **owner.popen(),
            )
        return mark_process(self.process.pid)

    def _wait_until_ready(self, mark: ProcessMark) -> bool:
        """Wait while the server lives and is not ready. Recovery may take long: say so instead of giving up."""
        began = said = time.monotonic()
        while self.data.status_of(mark.pid) != "ready":
            if self._has_ended(mark):
                return False
            if time.monotonic() - said > 3:
                said = time.monotonic()
                self._say(f"PostgreSQL is getting ready, {said - began:.0f} s so far: {self._progress()}")
            time.sleep(0.02 if time.monotonic() - began < 3 else 0.2)
        return mark.is_running()

    def _has_ended(self, mark: ProcessMark) -> bool:
        if self.process is not None and self.process.pid == mark.pid:
            return self.process.poll() is not None
        return not mark.is_running()

    def _progress(self) -> str:
        words = self._last_words().splitlines()
        return (words[-1].partition("LOG:")[2] or words[-1]).strip() if words else "starting"

    def _last_words(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_from, self.log.stat().st_size - 4000))
                return log.read().decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def _end_leftovers(self, owner: Owner) -> None:
        """Backends of a killed server keep its memory until they notice; one busy in a statement never looks up."""
        time.sleep(0.5)
        # Asked as the owner: inside a container not even root may see where another user's process works.
        look = 'for p in /proc/[0-9]*; do [ "$(readlink "$p/cwd")" = "$1" ] && echo "${p#/proc/}"; done; true'
        found = subprocess.run(
            ["/bin/sh", "-c", look, "sh", self.data.path],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **owner.popen(),
        )
        for mark in [mark_process(int(pid)) for pid in found.stdout.split()]:
            _send(mark, signal.SIGKILL)  # it can no longer write: its server is gone, and the log is what counts
            wait_until_ended(mark, seconds=5)

    # Stopping

    def is_running(self) -> bool:
        """True while the server lives, be it our child or an adopted one."""
        if self.process is not None and self.process.poll() is None:
            return True
        return self.data.server() is not None

    def stop_for_all(self) -> None:
        """Stop the server even if other commands use it: the whole system is going down."""
        self._make_directories()
        with exclusively(self.run / "postgres.lock", when_waiting=self._say_waiting):
            self.stop()

    def stop(self, *, grace: float = 120) -> None:
        """Stop the server, ours or adopted, and collect it. Nothing happens when none runs."""
        ours = self.process
        mark = mark_process(ours.pid) if ours is not None and ours.poll() is None else self.data.server()
        if mark is not None:
            self._end(mark, grace)
        if self.process is not None:
            self.process.wait()
            self.process = None
        self._remove_short_sockets()
        self.note.unlink(missing_ok=True)

    def _end(self, mark: ProcessMark, grace: float) -> None:
        for how, seconds in ((_FAST, grace), (_IMMEDIATE, 10.0)):
            if not mark.is_running():
                return
            _send(mark, how)
            if self._wait_until_stopped(mark, seconds):
                return
        signal_group(mark.pid, signal.SIGKILL)
        wait_until_ended(mark, seconds=10)

    def _wait_until_stopped(self, mark: ProcessMark, seconds: float) -> bool:
        patience = min(5.0, seconds)
        if wait_until_ended(mark, seconds=patience):
            return True
        self._say("PostgreSQL is writing its last changes to disk before it stops.")
        return wait_until_ended(mark, seconds=seconds - patience)

    # Places and notes

    def _make_directories(self) -> None:
        make_home(self.home)

    def _socket_directory(self, owner: Owner) -> Path:
        """Beside the data; in the system's temporary directory when the path would be too long for a socket."""
        beside = self.place / "socket"
        if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET_PATH:
            owner.make_directory(beside)
            return beside
        short = self._noted_short_sockets()  # left by a server that was killed: who knows its address may go on
        if short is None or not short.is_dir() or short.is_symlink() or short.stat().st_uid != owner.uid:
            short = Path(tempfile.mkdtemp(prefix="relance-", dir="/tmp"))
            owner.take(short)
        return short

    def _remove_short_sockets(self) -> None:
        short = self._noted_short_sockets()
        if short is not None:
            shutil.rmtree(short, ignore_errors=True)

    def _noted_short_sockets(self) -> Path | None:
        try:
            sockets = Path(json.loads(self.note.read_text())["sockets"])
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return None
        is_short = sockets.name.startswith("relance-") and sockets.parent == Path("/tmp")  # noqa: S108 (compared)
        return sockets if is_short else None

    def _write_note(self, sockets: Path, mark: ProcessMark) -> str:
        dsn = _dsn(sockets, DATABASE)
        note = {"dsn": dsn, "pid": mark.pid, "began": mark.began, "sockets": str(sockets)}
        write_whole(self.note, json.dumps(note) + "\n", None)
        return dsn

    def _say_waiting(self) -> None:
        self._say("Another command is starting or stopping the database; waiting for it.")


class TemporaryCluster:
    """A server for a test run: made in a second, fast because nothing is kept safe, gone afterwards.

    It ends with the process that started it, even when that is killed.
    """

    def __init__(self) -> None:
        self.home = Path()
        self._cluster: Cluster | None = None

    def __enter__(self) -> str:
        # Not under TMPDIR: it may be long, and closed to the user PostgreSQL runs as.
        self.home = Path(tempfile.mkdtemp(prefix="relance-test-", dir="/tmp"))
        self.home.chmod(0o711)
        self._cluster = Cluster(self.home, settings=throwaway(), death_signal=_IMMEDIATE, say=lambda _sentence: None)
        return self._cluster.start()

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cluster is not None:
            self._cluster.stop(grace=5)
        shutil.rmtree(self.home, ignore_errors=True)


def _ensure_database(sockets: Path) -> None:
    with psycopg.connect(_dsn(sockets, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")


def _dsn(sockets: Path, name: str) -> str:
    return f"postgresql://{ROLE}@/{name}?host={quote(str(sockets), safe='/')}&port={PORT}"


def _send(mark: ProcessMark, what: signal.Signals) -> None:
    if mark.is_running():
        os.kill(mark.pid, what)
