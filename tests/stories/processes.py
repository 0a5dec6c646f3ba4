"""What the tests about processes share: homes outside closed directories, commands in processes of their own."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import relance

SOURCES = Path(relance.__file__).parents[1]


@contextmanager
def a_home(name: str = "home") -> Iterator[Path]:
    """A home that any user may enter: pytest's own directories are closed to all but their owner."""
    place = Path(tempfile.mkdtemp(prefix="relance-story-", dir="/tmp"))
    place.chmod(0o755)
    try:
        yield place / name
    finally:
        shutil.rmtree(place, ignore_errors=True)


def without_database_url() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "RELANCE_HOME")}


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another command of ours, in a process of its own. It is told to go on, or to end, by a line."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=without_database_url(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line a command prints; '' when it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> int:
    """Let a command that waits for a line go on to its end."""
    process.communicate("\n", timeout=60)
    return process.returncode


def an_ordinary_user() -> pwd.struct_passwd | None:
    """Somebody who is not root, to run as; None when we are not root ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def python_for_all() -> str | None:
    """An interpreter any user may run: the one of a virtual environment may lie in somebody's closed home."""
    for candidate in (f"/usr/bin/python3.{sys.version_info.minor}", "/usr/bin/python3"):
        version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        if Path(candidate).exists() and subprocess.run([candidate, "-c", version], check=False).returncode == 0:
            return candidate
    return None
