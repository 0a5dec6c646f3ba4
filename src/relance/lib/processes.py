"""What the system says about a process: is it still the one we started, and how to end it with its descendants.

A process number alone proves nothing, numbers are used again; a number with the moment the process began does.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process that can be recognised later: its number and when it began, as the system writes it."""

    pid: int
    began: str

    def is_running(self) -> bool:
        """True while this very process lives; a zombie has ended, and a reused number is somebody else."""
        return self.began != "" and _began(self.pid) == self.began


def mark_process(pid: int) -> ProcessMark:
    """Note a process so that it can be recognised later. An ended one is marked as never running."""
    return ProcessMark(pid=pid, began=_began(pid))


def is_zombie(pid: int) -> bool:
    """True for a process that has ended and that its parent has not collected."""
    return _state(pid) == "Z"


def is_alive(pid: int) -> bool:
    """True when a process of that number runs, whoever it is."""
    return _state(pid) not in ("", "Z", "X")


def command_line(pid: int) -> str:
    """How a process was started, its words joined by blanks; '' when it is gone."""
    if not PROC.is_dir():
        return _ask_ps(pid, "command=")
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def group_members(leader: int) -> list[int]:
    """The live processes of a group, its leader included if it lives. Empty where the system has no /proc."""
    if not PROC.is_dir():
        return []
    numbers = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    # Field 5 is the group; the first two were cut off.
    return [pid for pid in numbers if (stat := _stat_fields(pid)) and stat[2] == str(leader) and stat[0] not in "ZX"]


def has_variable(pid: int, name: str, value: str) -> bool:
    """True when a process was started with this variable in its environment."""
    try:
        return f"{name}={value}".encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def tethered(death_signal: signal.Signals | None) -> Callable[[], None] | None:
    """A `preexec_fn` by which the child gets `death_signal` when its parent dies, however it dies.

    Linux only; elsewhere the recorded process numbers are checked at the next start. The system watches the
    *thread* that started the child, so start children from a thread that lives as long as the program.
    """
    if death_signal is None or _LIBC is None:
        return None
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the knot was tied
            os._exit(1)

    return tie


def signal_group(pid: int, what: signal.Signals) -> bool:
    """Signal a process group led (or once led) by `pid`. False when nobody is left in it."""
    try:
        os.killpg(pid, what)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS answers so for a group of zombies only; on Linux it means the number is somebody else's by now.
        return False
    return True


def wait_until_ended(mark: ProcessMark, *, seconds: float) -> bool:
    """Wait for a process that need not be our child. True when it has ended."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while mark.is_running():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return True


def _state(pid: int) -> str:
    if PROC.is_dir():
        fields = _stat_fields(pid)
        return fields[0] if fields else ""
    return _ask_ps(pid, "stat=")[:1]


def _began(pid: int) -> str:
    """When the process began, or '' when it does not run (any more)."""
    if PROC.is_dir():
        fields = _stat_fields(pid)
        # Field 22 of the line is the start in clock ticks since boot; the first two fields were cut off.
        return "" if not fields or fields[0] in ("Z", "X") else f"{_boot()}/{fields[19]}"
    said = _ask_ps(pid, "stat=,lstart=")
    return "" if not said or said.startswith("Z") else said.split(maxsplit=1)[1]


def _stat_fields(pid: int) -> list[str]:
    try:
        line = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    # The second field is the program's name in brackets and may hold spaces and brackets itself.
    return line.rpartition(")")[2].split()


def _boot() -> str:
    """Ticks are counted from the boot: without it, two boots could give two processes the same mark."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return "boot"


def _ask_ps(pid: int, columns: str) -> str:
    answer = subprocess.run(["ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
