"""What the front desk of an org remembers: each request it answered, and the cursors of queries still being read.

It has a file of its own: a request must be written down even while another holds the records' store for a long load.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLES = """
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL,
    user_id TEXT, body_sha256 TEXT, body_size INTEGER NOT NULL, body TEXT, status INTEGER, error_code TEXT, fault TEXT, ms REAL
);
CREATE TABLE IF NOT EXISTS cursor (
    number INTEGER PRIMARY KEY AUTOINCREMENT, made_at TEXT NOT NULL, user_id TEXT NOT NULL, soql TEXT NOT NULL, with_deleted INTEGER NOT NULL,
    batch INTEGER NOT NULL, ids TEXT NOT NULL
);
"""
KEPT_REQUESTS = 50_000
KEPT_BODIES = 2_000  # of the latest requests: a first synchronisation sends gigabytes
KEPT_BODY = 200_000
PRUNED_EVERY = 1000


@dataclass(slots=True)
class RequestLine:
    """One line of the log. `fault` names the profile that acted on it, when one did."""

    at: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body_sha256: str
    body_size: int
    body: str | None
    user_id: str | None = None
    status: int | None = None
    error_code: str | None = None
    fault: str | None = None
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Cursor:
    number: int
    made_at: str
    user_id: str
    soql: str
    with_deleted: bool
    batch: int
    ids: list[str]


class Journal:
    """One connection behind a lock: lines are short, and a test that reads the log must find the request it just made."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A log line lost to a power cut is no loss; waiting for the disk at each request would be one.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(TABLES)

    def write(self, line: RequestLine) -> int:
        with self._lock:
            number = self._connection.execute(
                "INSERT INTO request (at, method, path, query, headers, user_id, body_sha256, body_size, body, status, error_code,"
                " fault, ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    line.at,
                    line.method,
                    line.path,
                    line.query,
                    json.dumps(line.headers),
                    line.user_id,
                    line.body_sha256,
                    line.body_size,
                    line.body,
                    line.status,
                    line.error_code,
                    line.fault,
                    line.ms,
                ),
            ).lastrowid
            assert number is not None
            if number % PRUNED_EVERY == 0:
                self._connection.execute("DELETE FROM request WHERE id <= ?", (number - KEPT_REQUESTS,))
                bodies = "UPDATE request SET body = NULL WHERE id <= ? AND body IS NOT NULL"
                self._connection.execute(bodies, (number - KEPT_BODIES,))
            return number

    def requests(
        self, *, after: int = 0, method: str = "", path: str = "", contains: str = "", limit: int = 1000
    ) -> list[dict[str, object]]:
        """The latest lines first to last, narrowed by what the path or the body holds."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT * FROM (SELECT * FROM request WHERE id > ? AND (? = '' OR method = ?) AND instr(path, ?) > 0"
                " AND (? = '' OR instr(coalesce(body, '') || query, ?) > 0) ORDER BY id DESC LIMIT ?) ORDER BY id",
                (after, method, method, path, contains, contains, limit),
            ).fetchall()
        return [{**dict(row), "headers": json.loads(row["headers"])} for row in rows]

    def forget_requests(self) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM request")

    def count_since(self, at: str) -> int:
        """API calls answered since a moment, for the meter of the daily allowance."""
        with self._lock:
            row = self._connection.execute(
                "SELECT count(*) FROM request WHERE at >= ? AND path LIKE '/services/%' AND path NOT LIKE '/services/oauth2/%'",
                (at,),
            ).fetchone()
        return int(row[0])

    def open_cursor(
        self, *, made_at: str, user_id: str, soql: str, with_deleted: bool, batch: int, ids: Sequence[str]
    ) -> int:
        with self._lock:
            number = self._connection.execute(
                "INSERT INTO cursor (made_at, user_id, soql, with_deleted, batch, ids) VALUES (?, ?, ?, ?, ?, ?)",
                (made_at, user_id, soql, with_deleted, batch, json.dumps(ids)),
            ).lastrowid
        assert number is not None
        return number

    def cursor(self, number: int) -> Cursor | None:
        with self._lock:
            row = self._connection.execute("SELECT * FROM cursor WHERE number = ?", (number,)).fetchone()
        if row is None:
            return None
        return Cursor(
            number=row["number"],
            made_at=row["made_at"],
            user_id=row["user_id"],
            soql=row["soql"],
            with_deleted=bool(row["with_deleted"]),
            batch=row["batch"],
            ids=json.loads(row["ids"]),
        )

    def drop_cursors_before(self, made_at: str) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM cursor WHERE made_at < ?", (made_at,))

    def close(self) -> None:
        with self._lock:
            self._connection.close()
