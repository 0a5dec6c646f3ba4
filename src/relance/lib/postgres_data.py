"""The data directory of our PostgreSQL: making one, its settings at each start, and what its pid file says."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from relance.lib.postgres_binaries import Binaries
from relance.lib.postgres_owner import Owner, name_of
from relance.lib.processes import ProcessMark, command_line, is_alive, mark_process

ROLE = "relance"
PORT = 5432  # only part of the socket's name: nothing listens on the network
_FIXED = {
    "listen_addresses": "''",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "lc_messages": "'C'",  # we read its log
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] '",
    "logging_collector": "off",
}


class PostgresRefused(Exception):
    """Somebody must act: PostgreSQL would not do what was asked. The message carries its own last words."""


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a running server says of itself: starting, ready, stopping, and where its socket is."""

    pid: int
    sockets: str
    status: str


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """PostgreSQL's files. They are its owner's alone; the directories above are left as they are."""

    path: Path

    def version(self) -> int | None:
        """The major version that made the data, or None when there is none yet."""
        try:
            return int((self.path / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def create(self, owner: Owner, binaries: Binaries, *, extra: tuple[str, ...] = ()) -> None:
        """Make the data. An attempt that was cut short leaves nothing that looks like a database."""
        fresh = self.path.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        # The built-in C.UTF-8 exists from 17 on; before, the system's own locale of that name does.
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        command: list[str | Path] = [
            binaries.program("initdb"),
            "-D",
            fresh,
            "-U",
            ROLE,
            "-E",
            "UTF8",
            "-k",
            "--auth=peer",
            *extra,
        ]
        command += locale if binaries.major >= 17 else ("--locale=C.UTF-8",)
        made = subprocess.run(
            command, cwd="/", env=environment(), capture_output=True, text=True, check=False, **owner.popen()
        )
        if made.returncode != 0:
            raise PostgresRefused(f"PostgreSQL could not create {self.path}. It said:\n{made.stderr.strip()}")
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = 'relance.conf'\t# written at each start; ALTER SYSTEM wins over it\n")
        fresh.rename(self.path)

    def write_settings(self, owner: Owner, binaries: Binaries, settings: dict[str, str]) -> None:
        """Settings for today's machine, and who may connect: the system itself vouches for who is at the socket."""
        progress = {"log_startup_progress_interval": "'2s'"} if binaries.major >= 15 else {}
        lines = [f"{name} = {value}\n" for name, value in (_FIXED | progress | settings).items()]
        users = {name for name in (owner.name, name_of(os.geteuid())) if name}
        entrance = "local all all peer map=relance\nlocal replication all peer map=relance\n"
        write_whole(self.path / "relance.conf", "".join(lines), owner)
        write_whole(self.path / "pg_hba.conf", entrance, owner)
        write_whole(self.path / "pg_ident.conf", "".join(f'relance "{name}" {ROLE}\n' for name in sorted(users)), owner)

    def pid_file(self) -> PidFile | None:
        """PostgreSQL's own note about its running server; it stays behind when the server is killed."""
        try:
            lines = (self.path / "postmaster.pid").read_text().splitlines()
            return PidFile(
                pid=abs(int(lines[0])),
                sockets=lines[4].strip() if len(lines) > 4 else "",
                status=lines[7].strip() if len(lines) > 7 else "",
            )
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def status_of(self, pid: int) -> str:
        """What the server of that number says of itself, '' when the file is another's."""
        note = self.pid_file()
        return note.status if note is not None and note.pid == pid else ""

    def server(self) -> ProcessMark | None:
        """The live server of this directory, whoever started it; a zombie or a reused number is none."""
        note = self.pid_file()
        if note is None or not is_alive(note.pid):
            return None
        mark = mark_process(note.pid)
        words = command_line(note.pid)
        return mark if "postgres" in words and str(self.path) in words else None


def write_whole(path: Path, text: str, owner: Owner | None) -> None:
    """Replace a file at once, readable by its owner alone: nobody reads half of it, a crash leaves the old one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    if owner is not None:
        owner.take(fresh)
    fresh.replace(path)


def environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL: its own variables and the languages its log would be written in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
