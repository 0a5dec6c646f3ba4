"""Who PostgreSQL runs as. It refuses to run as root, so root lends it a user of its own."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSTEM_USER = "relance"
_STAND_INS = ("postgres", "nobody")  # for machines where no user can be added: a read-only image, no useradd


class NoUserForPostgres(Exception):
    """Somebody must act: we are root, and there is no unprivileged user to run PostgreSQL as."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The user whose processes and files the database's are; `is_self` when that is who we are."""

    name: str
    uid: int
    gid: int

    @property
    def is_self(self) -> bool:
        return self.uid == os.geteuid()

    def popen(self) -> dict[str, Any]:
        """The arguments by which `subprocess` starts something as this user."""
        return {} if self.is_self else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_run(self, *command: str | Path) -> bool:
        """Try a command as this user. It must be quick and change nothing."""
        try:
            return (
                subprocess.run(list(command), cwd="/", capture_output=True, check=False, **self.popen()).returncode == 0
            )
        except PermissionError:
            return False

    def may_enter(self, directory: Path) -> bool:
        """Ask the system itself: modes, access lists and mount options all count."""
        return self.may_run("/bin/sh", "-c", 'cd -- "$1"', "sh", directory)

    def make_directory(self, directory: Path) -> None:
        """Make a directory only this user enters (and root, who enters everywhere). Parents are left as they are."""
        directory.mkdir(mode=0o700, exist_ok=True)
        self.take(directory)

    def take(self, path: Path) -> None:
        """Give one file or directory to this user."""
        if not self.is_self and path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)


def choose_owner(data: Path) -> Owner:
    """Whoever is not root runs PostgreSQL as themselves; root as the owner of the data, else as a system user."""
    if os.geteuid() != 0:
        return _owner_of(os.geteuid())
    if data.is_dir() and data.stat().st_uid != 0:
        return _owner_of(data.stat().st_uid)
    return _find(SYSTEM_USER) or _add_system_user() or _find_stand_in()


def _owner_of(uid: int) -> Owner:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as nameless:
        raise NoUserForPostgres(
            f"The user number {uid} has no name on this machine and PostgreSQL refuses to run without one. "
            "Add it to /etc/passwd, or set DATABASE_URL to a server of yours."
        ) from nameless
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _find(name: str) -> Owner | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    # A person may be called so too; a login that people use is not ours to borrow.
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid) if 0 < entry.pw_uid < 1000 or name == "nobody" else None


def _add_system_user() -> Owner | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    words = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    shell = next((path for path in ("/usr/sbin/nologin", "/sbin/nologin") if Path(path).exists()), "/bin/false")
    subprocess.run([*words, "--shell", shell, SYSTEM_USER], capture_output=True, check=False)
    return _find(SYSTEM_USER)  # also when somebody else added it at the same moment


def _find_stand_in() -> Owner:
    for name in _STAND_INS:
        found = _find(name)
        if found is not None:
            return found
    raise NoUserForPostgres(
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be added. "
        f"Run Relance as an ordinary user, add one (useradd --system {SYSTEM_USER}), or set DATABASE_URL."
    )


def name_of(uid: int) -> str | None:
    """The name of a user, or None for a number without one."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
