"""Where measurements are taken: a PostgreSQL of its own with the product's settings, or a server somebody names; a database a scenario."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from relance.cli.doors import CannotRun, start_django
from relance.cli.prepare import migrate_database
from relance.lib.home import make_home, relance_home
from relance.lib.postgres import Cluster, check_reachable
from relance.lib.processes import mark_process

Say = Callable[[str], None]


class Grounds:
    """A server with one migrated, empty database, from which each scenario gets a copy of its own."""

    def __init__(self, dsn: str, home: Path, say: Say) -> None:
        self.dsn = dsn
        self.home = home
        self._say = say
        self._mark = secrets.token_hex(3)
        self.made: list[str] = []
        self.empty = f"relance_bench_{self._mark}"

    def build(self) -> None:
        """Make the empty database, and start Django on it."""
        self._make(self.empty)
        os.environ["DATABASE_URL"] = self.address_of(self.empty)
        start_django()
        _keep_no_pool()
        migrate_database()

    @contextmanager
    def plot(self, name: str, *, keep: bool) -> Iterator[Plot]:
        """A database for one scenario at one scale, Django on it; gone afterwards unless kept."""
        made = f"{self.empty}_{name}"
        self._leave()
        self._make(made, template=self.empty)
        self._enter(made)
        try:
            yield Plot(self, made)
        finally:
            self._leave()
            if not keep:
                self._drop(made, f"{made}_floor")

    def copy(self, database: str) -> str:
        """A copy of a database as it is now; returns its address."""
        copied = f"{database}_floor"
        self._leave()
        self._make(copied, template=database)
        return self.address_of(copied)

    def drop(self) -> None:
        """Remove every database that was made here."""
        self._leave()
        self._drop(*self.made)

    def _drop(self, *names: str) -> None:
        with self._server() as server:
            for name in [name for name in names if name in self.made]:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                self.made.remove(name)

    def address_of(self, database: str) -> str:
        """The server's address with another database in it."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))

    def _make(self, name: str, *, template: str = "template0") -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        try:
            with self._server() as server:
                server.execute(statement)
        except psycopg.errors.InsufficientPrivilege as refused:
            raise CannotRun(
                "The user of this address may not create databases, and a benchmark never runs in one that is in use. "
                "Nothing was changed. Give the user CREATEDB, or leave --db out."
            ) from refused
        self.made.append(name)

    def _server(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.dsn, autocommit=True)

    def _enter(self, name: str) -> None:
        from django.conf import settings
        from django.db import connection

        settings.DATABASES["default"]["NAME"] = name
        connection.settings_dict["NAME"] = name
        os.environ["DATABASE_URL"] = self.address_of(name)

    def _leave(self) -> None:
        from django.db import connections

        connections.close_all()


class Plot:
    """The database of one scenario at one scale."""

    def __init__(self, grounds: Grounds, database: str) -> None:
        self._grounds = grounds
        self._database = database
        self.address = grounds.address_of(database)
        self.home = grounds.home

    def copy(self) -> str:
        """A copy of this database as it is now, for the floor to work on; returns its address."""
        return self._grounds.copy(self._database)


@contextmanager
def grounds_open(server: str, *, keep: bool, say: Say) -> Iterator[Grounds]:
    """Grounds on a server of our own (`embedded`), or in new databases of the server at this address; gone afterwards unless kept."""
    home = _make_place("kept" if keep else "run")
    os.environ["RELANCE_HOME"] = str(home)
    cluster = None
    if server == "embedded":
        cluster = Cluster(home, death_signal=signal.SIGQUIT, say=say)
        dsn = cluster.start()
    else:
        check_reachable(server)
        dsn = server
    grounds = Grounds(dsn, home, say)
    try:
        grounds.build()
        yield grounds
    finally:
        if keep:
            say(f"Kept on {dsn}: {', '.join(grounds.made)}. Logs and files: {home}.")
        elif cluster is None:
            grounds.drop()
        if cluster is not None:
            cluster.stop()
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _make_place(kind: str) -> Path:
    """A directory named for this process; those of processes that died are removed, kept ones are not."""
    all_runs = relance_home() / "bench"
    for left in all_runs.glob("run-*"):
        with suppress(ValueError):
            if not mark_process(int(left.name.removeprefix("run-"))).is_running():
                shutil.rmtree(left, ignore_errors=True)
    return make_home(all_runs / f"{kind}-{os.getpid()}")


def _keep_no_pool() -> None:
    """One connection at a time, and none left behind: a database that is copied or dropped must have nobody in it."""
    from django.conf import settings
    from django.db import connection

    for held in (settings.DATABASES["default"], connection.settings_dict):
        held["OPTIONS"].pop("pool", None)
