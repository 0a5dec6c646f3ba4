"""The org's own small store: one SQLite file, one table per object, one column per field that holds a value.

Names are those of the tree. Ids compare byte by byte, other text without case, as the CRM does. Empty is NULL, never ''.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relance.sandbox.ids import custom_prefix, make_id
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema

INTEGER_TYPES = frozenset({"boolean", "int"})
REAL_TYPES = frozenset({"double", "currency", "percent"})
BINARY_TYPES = frozenset({"id", "reference", "date", "datetime", "time"})

BOOKS = """
CREATE TABLE IF NOT EXISTS _object (name TEXT PRIMARY KEY COLLATE NOCASE, key_prefix TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _sequence (name TEXT PRIMARY KEY COLLATE NOCASE, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _cut (gone TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL, field TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS _cut_by_gone ON _cut (gone);
"""


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


class Store:
    """Thread safe: each thread has a connection of its own, given back when the thread ends; one writer at a time."""

    def __init__(self, path: Path, schema: OrgSchema) -> None:
        self.path = path
        self.schema = schema
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mine = threading.local()
        self._idle: list[sqlite3.Connection] = []
        self._turn = threading.RLock()
        self._closed = False
        self._lay_out()
        self._first_number = self._start_of_ids()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; rows come as sqlite3.Row."""
        lease: _Lease | None = getattr(self._mine, "lease", None)
        if lease is None:
            lease = _Lease(self._idle.pop() if self._idle else self._open(), self._idle)
            self._mine.lease = lease
        return lease.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept if the block ends well, undone if it raises. A block inside another joins it."""
        depth: int = getattr(self._mine, "depth", 0)
        if depth:
            yield self.connection()
            return
        with self._turn:
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            self._mine.depth = 1
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            else:
                connection.execute("COMMIT")
            finally:
                self._mine.depth = 0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of a transaction that is undone alone if the block raises. Only inside `writing`."""
        connection = self.connection()
        connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK TO attempt")
            connection.execute("RELEASE attempt")
            raise
        connection.execute("RELEASE attempt")

    @property
    def is_writing(self) -> bool:
        """Is this thread inside a `writing` block?"""
        return bool(getattr(self._mine, "depth", 0))

    def close(self) -> None:
        """Closes the connections nobody uses and this thread's own."""
        self._closed = True
        lease: _Lease | None = getattr(self._mine, "lease", None)
        if lease is not None:
            del self._mine.lease
        del lease
        while self._idle:
            self._idle.pop().close()

    def next_id(self, thing: OrgObject) -> str:
        """A new id for a record of this object. Only inside `writing`."""
        return make_id(thing.key_prefix, self._first_number + self.next_number("id " + thing.key_prefix))

    def next_number(self, name: str) -> int:
        """The next number of a named sequence, from 1. Only inside `writing`, and undone with it."""
        row = (
            self.connection()
            .execute(
                "INSERT INTO _sequence (name, value) VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            )
            .fetchone()
        )
        return int(row[0])

    def fact(self, name: str) -> str | None:
        """A small fact kept with the org: the id of the organization, that the data was seeded."""
        row = self.connection().execute("SELECT value FROM _fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def keep_fact(self, name: str, value: str) -> None:
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO _fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def _open(self) -> sqlite3.Connection:
        # Autocommit: transactions are opened by `writing` and nowhere else.
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _lay_out(self) -> None:
        with self.writing() as connection:
            for statement in BOOKS.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            tables = {
                str(row[0]).lower() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            self._settle_prefixes(connection)
            for thing in self.schema.objects:
                if thing.name.lower() in tables:
                    self._add_columns(connection, thing)
                else:
                    columns = ", ".join(_column(field) for field in [*thing.fields, *_hidden(thing)] if field.stored)
                    connection.execute(f"CREATE TABLE {quoted(thing.name)} ({columns})")
                self._add_indexes(connection, thing)

    def extend(self, connection: sqlite3.Connection) -> None:
        """Gives the tables the columns of fields that came to the schema since."""
        for thing in self.schema.objects:
            self._add_columns(connection, thing)

    def _start_of_ids(self) -> int:
        """Two orgs never give the same id: each counts from a number of its own."""
        known = self.fact("first number")
        if known is None:
            known = str((1 + secrets.randbelow(62**4)) * 62**4)
            self.keep_fact("first number", known)
        return int(known)

    def _settle_prefixes(self, connection: sqlite3.Connection) -> None:
        """Ids already given keep their prefix whatever the tree has become since."""
        known = {str(row[0]).lower(): str(row[1]) for row in connection.execute("SELECT name, key_prefix FROM _object")}
        taken = set(known.values())
        number = 0
        for thing in self.schema.objects:
            prefix = known.get(thing.name.lower())
            if prefix is None:
                # The platform's own prefixes are kept, even those several setup objects share.
                prefix = thing.key_prefix
                while not prefix or (thing.custom and prefix in taken):
                    prefix, number = custom_prefix(number), number + 1
                connection.execute("INSERT INTO _object (name, key_prefix) VALUES (?, ?)", (thing.name, prefix))
                taken.add(prefix)
            thing.key_prefix = prefix

    def _add_columns(self, connection: sqlite3.Connection, thing: OrgObject) -> None:
        there = {str(row[1]).lower() for row in connection.execute(f"PRAGMA table_info({quoted(thing.name)})")}
        for field in thing.fields:
            if field.stored and field.name.lower() not in there:
                connection.execute(f"ALTER TABLE {quoted(thing.name)} ADD COLUMN {_column(field)}")

    def _add_indexes(self, connection: sqlite3.Connection, thing: OrgObject) -> None:
        def index(*fields: str) -> None:
            name = quoted("_".join(("i", thing.name, *fields)))
            columns = ", ".join(map(quoted, fields))
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(thing.name)} ({columns})")

        if "SystemModstamp" in thing.fields:
            index("SystemModstamp", "Id")
        for field in thing.fields:
            looked_up = field.unique or field.external_id or field.type == "email"
            looked_up = looked_up or (field.type == "reference" and bool(field.child_relationship) and not field.system)
            if field.stored and looked_up:
                index(field.name)


class _Lease:
    """A connection lent to a thread; it goes back to the idle ones when the thread's storage is dropped."""

    def __init__(self, connection: sqlite3.Connection, idle: list[sqlite3.Connection]) -> None:
        self.connection = connection
        self._idle = idle

    def __del__(self) -> None:
        self._idle.append(self.connection)


def _hidden(thing: OrgObject) -> list[OrgField]:
    """Columns every table has, so that a statement need not ask: objects without a recycle bin are simply never deleted."""
    always = (OrgField("IsDeleted", "", "boolean"), OrgField("SystemModstamp", "", "datetime"))
    return [field for field in always if field.name not in thing.fields]


def _column(field: OrgField) -> str:
    name = quoted(field.name)
    if field.name == "Id":
        return f"{name} TEXT NOT NULL PRIMARY KEY"
    if field.type == "boolean":
        return f"{name} INTEGER NOT NULL DEFAULT 0"
    if field.type in INTEGER_TYPES:
        return f"{name} INTEGER"
    if field.type in REAL_TYPES:
        return f"{name} REAL"
    if field.type in BINARY_TYPES:
        return f"{name} TEXT"
    return f"{name} TEXT" if field.case_sensitive else f"{name} TEXT COLLATE NOCASE"
