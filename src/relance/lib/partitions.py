"""Monthly partitions of the big logs, by the time-ordered id. Made three months ahead: at migrate, at start and every day."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection, transaction
from psycopg import sql

EPOCH_MS = 1_577_836_800_000  # 2020-01-01: what `time_id` counts from
MONTHS_AHEAD = 3
_partitioned: list[str] = []


def register_partitioned(table: str) -> None:
    """Declare a table partitioned by time id; `make_partitions` then keeps its months."""
    if table not in _partitioned:
        _partitioned.append(table)


def time_id(at: datetime, low: int = 0) -> int:
    """The smallest id of that instant: bounds of partitions and of time filters on id."""
    return (round(at.timestamp() * 1000) - EPOCH_MS) << 22 | low


def instant_of(id: int) -> datetime:
    """When a time id was drawn, to the millisecond."""
    return datetime.fromtimestamp(((id >> 22) + EPOCH_MS) / 1000, UTC)


def make_partitions(now: datetime) -> list[str]:
    """Make the month before, this one and three more for every registered log; returns the names made."""
    made: list[str] = []
    for table in _partitioned:
        for ahead in range(-1, MONTHS_AHEAD + 1):
            start, end = _month(now, ahead), _month(now, ahead + 1)
            if _make_partition(table, start, end):
                made.append(f"{table}_{start:%Y%m}")
    return made


def _make_partition(table: str, start: datetime, end: datetime) -> bool:
    """Attach rather than `PARTITION OF`: attaching does not wait for an open writing transaction."""
    name = f"{table}_{start:%Y%m}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('partitions'))")
        cursor.execute("SELECT to_regclass(%s) IS NULL AND to_regclass(%s) IS NOT NULL", [name, table])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        parts = {
            "parent": sql.Identifier(table),
            "child": sql.Identifier(name),
            "bounds": sql.Identifier(f"{name}_bounds"),
            "low": sql.Literal(time_id(start)),
            "high": sql.Literal(time_id(end)),
        }
        for text in _ATTACH:
            cursor.execute(sql.SQL(text).format(**parts).as_string(cursor.connection))
    return True


_ATTACH = (
    "CREATE TABLE {child} (LIKE {parent} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING INDEXES)",
    "ALTER TABLE {child} ADD CONSTRAINT {bounds} CHECK (id >= {low} AND id < {high})",
    "ALTER TABLE {parent} ATTACH PARTITION {child} FOR VALUES FROM ({low}) TO ({high})",
    "ALTER TABLE {child} DROP CONSTRAINT {bounds}",
)


def _month(now: datetime, ahead: int) -> datetime:
    months = now.year * 12 + now.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
