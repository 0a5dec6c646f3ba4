"""Keeps a set of programs and their database running, and stops them in order.

Each program leads a process group of its own, so that Ctrl-C in a terminal reaches the supervisor alone, and so that
what a killed program leaves behind can be ended with it. Nothing in the watching loop waits for a program: it
signals, and collects when the time has come.
"""

import json
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from relance.lib.file_locks import hold_alone
from relance.lib.home import make_home
from relance.lib.postgres import Cluster, Say, say_on_stderr
from relance.lib.postgres_data import write_whole
from relance.lib.processes import (
    ProcessMark,
    group_members,
    has_variable,
    mark_process,
    signal_group,
    tethered,
    wait_until_ended,
)

_RUN_VARIABLE = "RELANCE_RUN"  # inherited by whatever a program starts: that is how it is known later as ours
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_SETTLED_AFTER = 60.0  # seconds up, after which earlier failures are forgotten
_ATTEMPTS = 4  # to become ready for the first time
_LARGE_LOG = 20_000_000
_INTERRUPTED = 130


class AlreadyRunning(Exception):
    """Another supervisor keeps this home."""


class ProgramFailed(Exception):
    """Somebody must act: a program never became ready. The message carries its last words."""


def always_ready() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running. Programs start together and stop one after the other, the last of the list first."""

    name: str
    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = always_ready
    settles_after: float = 0.0  # seconds it must have lived before it counts as ready
    ready_within: float = 120.0  # seconds a first start may take
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 25.0
    death_signal: signal.Signals = signal.SIGTERM
    uses_database: bool = True
    answers_once: bool = (
        False  # its standard output is one JSON line, kept for `answer_of`, and being ready is having it
    )


class Supervisor:
    """Start, watch, restart, stop. One supervisor keeps one home."""

    def __init__(
        self,
        home: Path,
        choose_programs: Callable[[], Sequence[Program]],
        *,
        cluster: Cluster | None,
        prepare: Callable[[], None] = lambda: None,
        say: Say = say_on_stderr,
    ) -> None:
        self.home = home
        self.is_stopping = False
        self._choose_programs = choose_programs
        self._children: list[_Child] = []
        self._cluster = cluster
        self._prepare = prepare
        self._say = say
        self._hurry = False
        self._may_interrupt = False

    def run(self, work: Callable[["Supervisor"], int | None] = lambda _supervisor: None) -> int:
        """Bring everything up, do `work` meanwhile, keep watching until a signal or until `work` returns a number.

        1. End what a killed supervisor left behind; adopt or start the database; prepare it.
        2. Choose the programs, now that ports are free again, start them together and wait until all are ready.
        3. Run `work` in a thread, for the watching must go on; a number it returns ends the run.
        4. Stop in the reverse order, the database last.
        """
        make_home(self.home)
        with hold_alone(self.home / "run" / "supervisor.lock") as is_ours, self._signals():
            if not is_ours:
                raise AlreadyRunning(f"Relance already runs on {self.home}. Stop it first, or set RELANCE_HOME.")
            worker = _Work(lambda: work(self))
            try:
                end_recorded(self.home, say=self._say)
                self._start()
                worker.start()
                self._watch(worker)
            except KeyboardInterrupt:
                self.is_stopping = True
            finally:
                self._stop()
            return worker.outcome(was_stopped=self.is_stopping)

    # Starting

    def _start(self) -> None:
        self._revive_database()
        self._prepare()
        self._children = [_Child(program, self.home, self._say) for program in self._choose_programs()]
        for child in self._children:
            child.start()
        while not all(child.has_become_ready() for child in self._children):
            for child in self._children:
                child.step(time.monotonic())
                child.check_it_may_still_start(time.monotonic())
            self._pause()

    def _revive_database(self) -> None:
        """Blocks while the database recovers, and lets a signal break the wait."""
        if self._cluster is None:
            return
        self._may_interrupt = True
        if self.is_stopping:
            raise KeyboardInterrupt
        self._cluster.revive()
        self._may_interrupt = False

    # Watching

    def _watch(self, worker: "_Work") -> None:
        while not self.is_stopping and not worker.has_decided():
            if self._cluster is not None and not self._cluster.is_running():
                self._say("The database has ended; starting it again.")
                self._revive_database()
                for child in self._children:
                    if child.program.uses_database:
                        # It lives on but does not hear the database any more, and cannot know.
                        child.ask_to_restart(time.monotonic())
            for child in self._children:
                child.step(time.monotonic())
            self._pause()

    def _pause(self) -> None:
        time.sleep(0.1)
        if self.is_stopping:
            raise KeyboardInterrupt

    # Stopping

    def _stop(self) -> None:
        self._may_interrupt = False
        for child in reversed(self._children):
            child.ask_to_end(time.monotonic())
            while child.is_alive():
                child.end_if_late(time.monotonic(), hurry=self._hurry)
                time.sleep(0.02)
            child.forget()
        if self._cluster is not None:
            self._cluster.stop_for_all()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, a service manager's SIGTERM and a closed terminal all mean: stop. Meant twice, it means: now."""
        kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        heard = [kind for kind in kinds if kind != signal.SIGHUP or signal.getsignal(kind) != signal.SIG_IGN]  # nohup
        before = {kind: signal.signal(kind, self._hear) for kind in heard}
        try:
            yield
        finally:
            for kind, action in before.items():
                signal.signal(kind, action)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry = self.is_stopping
        self.is_stopping = True
        if self._may_interrupt:
            self._may_interrupt = False
            raise KeyboardInterrupt


class _Child:
    """One program's process through its restarts."""

    def __init__(self, program: Program, home: Path, say: Say) -> None:
        self.program = program
        self._home = home
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._failures = 0
        self._next_start = 0.0
        self._kill_at: float | None = None
        self._is_ready = False
        self._was_ready = False

    def start(self) -> None:
        """Start the program and note it down, so that a next supervisor finds it if this one is killed."""
        _turn_large_log(self._log)
        token = secrets.token_hex(8)
        self._answer.unlink(missing_ok=True)
        out = self._answer if self.program.answers_once else self._log
        with self._log.open("ab") as log, out.open("ab") as output:
            self._process = subprocess.Popen(
                list(self.program.command),
                env=os.environ | self.program.environment | {_RUN_VARIABLE: token, "RELANCE_HOME": str(self._home)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
                preexec_fn=tethered(self.program.death_signal),
            )
        self._began = time.monotonic()
        self._is_ready = False
        self._kill_at = None
        mark = mark_process(self._process.pid)
        note = {"pid": mark.pid, "began": mark.began, "token": token, "name": self.program.name}
        write_whole(self._record, json.dumps(note) + "\n", None)

    def step(self, now: float) -> None:
        """One look: collect what ended, start what is due, end what is late. Never waits."""
        if self._process is None:
            if now >= self._next_start:
                self.start()
        elif self._process.poll() is not None:
            self._collect(now)
        else:
            self.end_if_late(now, hurry=False)
            self._look_whether_ready(now)

    def ask_to_restart(self, now: float) -> None:
        """End it; the loop collects it and starts it again at once."""
        if self._process is not None and self._kill_at is None:
            self._failures = 0
            self.ask_to_end(now)

    def ask_to_end(self, now: float) -> None:
        if self.is_alive() and self._process is not None and self._kill_at is None:
            self._process.send_signal(self.program.stop_signal)
            self._kill_at = now + self.program.grace

    def end_if_late(self, now: float, *, hurry: bool) -> None:
        """Past its grace a program is killed, with all it started."""
        if self._process is not None and self._kill_at is not None and (hurry or now > self._kill_at):
            signal_group(self._process.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def has_become_ready(self) -> bool:
        return self._is_ready

    def check_it_may_still_start(self, now: float) -> None:
        if self._failures >= _ATTEMPTS:
            what = f"{self.program.name} ended {self._failures} times before it was ready"
        elif self.is_alive() and now - self._began > self.program.ready_within:
            what = f"{self.program.name} was not ready after {self.program.ready_within:.0f} seconds"
        else:
            return
        raise ProgramFailed(
            f"{what}. All was stopped again; no data is lost. "
            f"The end of its log ({self._log}):\n{_last_lines(self._log)}"
        )

    def forget(self) -> None:
        """It ended for good: nothing of it may stay, and nothing is left to find for the next start."""
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGKILL)
            self._process = None
        self._record.unlink(missing_ok=True)
        self._answer.unlink(missing_ok=True)

    def _collect(self, now: float) -> None:
        """The leader has ended; what it had started may still hold its port, with yesterday's code."""
        if self._process is None:
            return
        signal_group(self._process.pid, signal.SIGKILL)
        was_asked, code = self._kill_at is not None, self._process.returncode
        self._process = None
        self._is_ready = False
        if was_asked:
            self._next_start = now
            return
        self._failures += 1
        pause = min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE)
        self._next_start = now + pause
        if self._was_ready:
            self._say(f"{self.program.name} ended ({_spell_code(code)}); starting it again in {pause:.1f} s.")

    def _look_whether_ready(self, now: float) -> None:
        if not self._is_ready and self._kill_at is None:
            answered = now - self._began >= self.program.settles_after and (
                not self.program.answers_once or answer_of(self._home, self.program.name) is not None
            )
            self._is_ready = answered and self.program.is_ready()
            self._was_ready = self._was_ready or self._is_ready
        if self._is_ready and now - self._began > _SETTLED_AFTER:
            self._failures = 0

    @property
    def _log(self) -> Path:
        return self._home / "log" / f"{self.program.name}.log"

    @property
    def _record(self) -> Path:
        return self._home / "run" / f"{self.program.name}.json"

    @property
    def _answer(self) -> Path:
        return self._home / "run" / f"{self.program.name}.out"


class _Work:
    """What goes on beside the watching: it may end the run with a number, or fail, or come to nothing."""

    def __init__(self, work: Callable[[], int | None]) -> None:
        self._work = work
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self._has_begun = False
        self._code: int | None = None
        self._raised: BaseException | None = None

    def start(self) -> None:
        self._has_begun = True
        self._thread.start()

    def has_decided(self) -> bool:
        return self._code is not None or self._raised is not None

    def outcome(self, *, was_stopped: bool) -> int:
        """The exit code: stopping a system that was up is no failure, cutting its start short is an interruption.

        What fails after a stop was asked for fails because of it, and is not reported.
        """
        if self._raised is not None and not was_stopped:
            raise self._raised
        return self._code or (0 if self._has_begun else _INTERRUPTED)

    def _run(self) -> None:
        try:
            self._code = self._work()
        except BaseException as raised:  # noqa: BLE001 (carried to the main thread and raised there)
            self._raised = raised


def answer_of(home: Path, name: str) -> dict[str, Any] | None:
    """The JSON line a program printed when it became ready, or None so far."""
    try:
        line, end, _rest = (home / "run" / f"{name}.out").read_text().partition("\n")
        answer = json.loads(line) if end else None
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def end_recorded(home: Path, *, say: Say = say_on_stderr) -> list[str]:
    """End the programs a killed supervisor left behind, and only those. Returns their names."""
    ended = []
    for record in sorted((home / "run").glob("*.json")):
        try:
            note = json.loads(record.read_text())
            token, name, mark = note["token"], note["name"], ProcessMark(note["pid"], note["began"])
        except (json.JSONDecodeError, KeyError):
            continue  # another kind of note: the database's is adopted, not ended
        if mark.is_running() or _is_group_of(mark.pid, token):
            say(f"Ending {name}, left behind by a run that was killed.")
            signal_group(mark.pid, signal.SIGTERM)
            wait_until_ended(mark, seconds=5)
            signal_group(mark.pid, signal.SIGKILL)
            wait_until_ended(mark, seconds=5)
            ended.append(name)
        record.unlink(missing_ok=True)
    return ended


def _is_group_of(pid: int, token: str) -> bool:
    """A leader may be gone and its group live on. Numbers are used again: the token tells whether it is ours."""
    members = group_members(pid)
    return bool(members) and all(has_variable(member, _RUN_VARIABLE, token) for member in members)


def _turn_large_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGE_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace")[-8000:].splitlines()[-15:])


def _spell_code(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
