"""`relance backup` and `relance restore`: the whole workspace in one file, and back.

The key that seals secrets is not in the file: whoever finds a backup must not hold the CRM's passwords. Keep the key
elsewhere (it is `secret.key` in the home, or RELANCE_SECRET_KEYS), or copy it beside the backup with `--with-key`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, LiteralString

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict

from relance.lib.file_locks import is_held
from relance.lib.home import relance_home
from relance.lib.postgres import database
from relance.lib.postgres_binaries import NoPostgres, find_client

from .doors import AsJson, CannotRun, answer_json, say

Connection = psycopg.Connection[tuple[object, ...]]
_MAGIC = b"PGDMP"
_PUT_ASIDE = "before_restore"
_VARIABLES = {"dbname": "PGDATABASE"} | {
    name: f"PG{name.upper()}"
    for name in ("host", "port", "user", "password", "options", "sslmode", "sslrootcert", "sslcert", "sslkey")
}


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.", dir_okay=False)],
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Also copy the key that opens sealed secrets, to FILE.key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the whole workspace to one file (pg_dump's custom format), while Relance runs or not."""
    key = file.with_name(file.name + ".key")
    if file.exists() or (with_key and key.exists()):
        raise CannotRun(f"{file if file.exists() else key} exists already and was left as it is. Name another file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    with database(relance_home(), say=say) as dsn:
        part.touch(mode=0o600)
        try:
            _run(
                dsn,
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--exclude-schema={_PUT_ASIDE}",
                f"--file={part}",
            )
            part.replace(file)  # a file of that name is a whole backup
        finally:
            part.unlink(missing_ok=True)
        if with_key:
            _copy_key_to(key)
    size = file.stat().st_size
    if as_json:
        answer_json({"file": str(file), "bytes": size, "key": str(key) if with_key else None})
        return
    say(f"The workspace is in {file} ({size / 1e6:.1f} MB).")
    if not with_key:
        say(f"The key of its sealed secrets is not in it; keep {relance_home() / 'secret.key'} in another safe place.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file written by relance backup.", exists=True, dir_okay=False)],
    key: Annotated[
        Path | None, typer.Option(help="The key copied by --with-key; it replaces the home's.", exists=True)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a database that is not empty.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty database. If anything fails, the database stays as it was."""
    with file.open("rb") as beginning:
        if beginning.read(len(_MAGIC)) != _MAGIC:
            raise CannotRun(f"{file} is not a backup of Relance. Nothing was touched.")
    home = relance_home()
    if is_held(home / "run" / "supervisor.lock"):
        raise CannotRun(f"Relance runs on {home}. Nothing was touched; stop it first (Ctrl-C where it runs).")
    with database(home, say=say) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        held = _tables(connection)
        if held and not force:
            raise CannotRun(
                f"The database holds {held} tables already. Nothing was touched. "
                "Restore into an empty one, or replace this one with --force."
            )
        _refuse_if_in_use(connection)
        _replace_database(dsn, connection, file)
        restored = _tables(connection)
    if key is not None:
        _install_key(key, home)
    if as_json:
        answer_json({"file": str(file), "tables": restored, "replaced": held > 0})
        return
    say(f"Restored {restored} tables from {file}. Start Relance (relance up), or run relance migrate first.")


def _replace_database(dsn: str, connection: Connection, file: Path) -> None:
    """Put what is there aside, restore in one transaction, and only then drop what was put aside."""
    connection.execute(f"DROP SCHEMA IF EXISTS {_PUT_ASIDE} CASCADE")
    connection.execute(f"ALTER SCHEMA public RENAME TO {_PUT_ASIDE}")
    connection.execute("CREATE SCHEMA public")
    try:
        _run(dsn, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(file))
    except BaseException:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute(f"ALTER SCHEMA {_PUT_ASIDE} RENAME TO public")
        raise
    connection.execute(f"DROP SCHEMA {_PUT_ASIDE} CASCADE")


def _tables(connection: Connection) -> int:
    return _count(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


def _refuse_if_in_use(connection: Connection) -> None:
    others = _count(
        connection,
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    if others:
        raise CannotRun(f"{others} other sessions use the database. Nothing was touched; stop them first.")


def _count(connection: Connection, question: LiteralString) -> int:
    row = connection.execute(question).fetchone()
    return int(str(row[0])) if row else 0


def _run(dsn: str, program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs on the database, with those of its version or newer."""
    with psycopg.connect(dsn) as connection:
        major = connection.info.server_version // 10000
    try:
        found = find_client(program, major=major)
    except NoPostgres as missing:
        raise CannotRun(str(missing)) from missing
    address = conninfo_to_dict(dsn)
    # By the environment, not as an argument that every user of the machine can read: it may hold a password.
    variables = {_VARIABLES[name]: str(value) for name, value in address.items() if name in _VARIABLES}
    into = ["--dbname", str(address.get("dbname", ""))] if program == "pg_restore" else []
    said = subprocess.run(
        [found, *into, *words], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if said.returncode != 0:
        raise CannotRun(f"{program} could not finish, and the database is as it was. It said:\n{said.stderr.strip()}")


def _copy_key_to(key: Path) -> None:
    source = relance_home() / "secret.key"
    if not source.exists():
        raise CannotRun(
            "The keys are in RELANCE_SECRET_KEYS, not in a file: keep a copy of that. The backup is complete."
        )
    key.touch(mode=0o600)
    shutil.copyfile(source, key)


def _install_key(key: Path, home: Path) -> None:
    """The key in force is kept beside, under the name of its moment: it may seal something else."""
    current = home / "secret.key"
    if current.exists() and current.read_bytes() != key.read_bytes():
        number = sum(1 for _path in home.glob("secret.key.*")) + 1
        current.replace(home / f"secret.key.{number}")
    current.touch(mode=0o600)
    shutil.copyfile(key, current)
