"""Where Relance keeps its data on this machine: the database, logs, secrets, the notes of running processes.

PostgreSQL does not run as root; for root the home must therefore lie where another user can enter. A directory
above it is never opened for that: the home moves instead, and says so.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

_SYSTEM_DIRECTORY = Path("/var/lib/relance")


class HomeUnusable(Exception):
    """Somebody must act: the home cannot be written, or holds data that PostgreSQL can no longer reach."""


def relance_home() -> Path:
    """The home of this process, made if missing: RELANCE_HOME, else ./var of a clone, else the user's data directory.

    From then on RELANCE_HOME names it, so that whatever this process reads or starts agrees with it.
    """
    home = make_home(choose_home(say=_say))
    os.environ["RELANCE_HOME"] = str(home)
    return home


def home_as_asked() -> Path:
    """The home of a command that needs no PostgreSQL: where it was asked for, unless a database has moved it before."""
    wanted = _wanted_home()
    home = make_home(system_home(wanted) if system_home(wanted).exists() else wanted)
    os.environ["RELANCE_HOME"] = str(home)
    return home


def choose_home(*, say: Callable[[str], None]) -> Path:
    """Decide the home without making it. As root it may have to be another one than was asked for."""
    wanted = _wanted_home()
    closed = closed_directory(wanted) if os.geteuid() == 0 else None
    instead = system_home(wanted)
    # A server of somebody else's has no user of ours; but what lies in the other home already stays found.
    if closed is None or (os.environ.get("DATABASE_URL") and not instead.exists()):
        return wanted
    if (wanted / "postgres" / "data").exists():
        raise HomeUnusable(
            f"The database in {wanted} is untouched, but PostgreSQL's user can no longer enter {closed}. "
            f"Let it through (chmod o+x '{closed}'), or move the data and name its new place in RELANCE_HOME."
        )
    say(
        f"PostgreSQL does not run as root and its user cannot enter {closed}, so Relance keeps its data in "
        f"{instead}. Set RELANCE_HOME to choose another place."
    )
    return instead


def make_home(home: Path) -> Path:
    """Make the home. Root lets others pass through the directories made here, and through an empty one it was given."""
    missing = [path for path in (home, *home.parents) if not path.exists()]
    opens = os.geteuid() == 0 and (bool(missing) or not any(home.iterdir()))
    try:
        home.mkdir(parents=True, exist_ok=True)
        for path in [*missing, *([] if missing or not opens else [home])]:
            # Passing is not listing: what lies inside is closed again, each thing to its owner.
            path.chmod(0o711 if opens else 0o700)
        for name in ("run", "log"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as refused:
        raise HomeUnusable(
            f"Relance cannot keep its data in {home}: {refused.strerror}. Name a directory of yours in RELANCE_HOME."
        ) from refused
    return home


def closed_directory(home: Path) -> Path | None:
    """The first directory on the way to `home` that an unprivileged user cannot pass, or None when all are open."""
    for path in reversed((home, *home.parents)):
        if not path.exists():
            return None
        if not path.stat().st_mode & 0o001:
            is_ours_to_open = path == home and path.stat().st_uid == 0 and not any(path.iterdir())
            return None if is_ours_to_open else path
    return None


def system_home(wanted: Path) -> Path:
    """Where the data goes that cannot lie in `wanted`: the same place each time, another for another home."""
    mark = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:8]
    return _SYSTEM_DIRECTORY / f"{wanted.parent.name or 'root'}-{mark}"


def clone() -> Path | None:
    """The clone this program runs from, or None when it was installed."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "relance").is_file() else None


def _wanted_home() -> Path:
    named = os.environ.get("RELANCE_HOME")
    return Path(named).expanduser().absolute() if named else _default_home()


def _default_home() -> Path:
    root = clone()
    if root is not None and os.access(root / "var" if (root / "var").exists() else root, os.W_OK):
        return root / "var"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "relance"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
