"""The people of a benchmark: made in SQL from a seed, the same each time. Indexes are made after the rows, which is a third of the time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise

from django.db import connection, connections
from psycopg import sql as composing

from relance.lib import sql

from .scenario import SEED

PEOPLE_A_COMPANY = 10


def fill_people(people: int, *, now: datetime) -> None:
    """People and their companies, with statistics as a server in use has them."""
    companies = max(1, people // PEOPLE_A_COMPANY)
    with _indexes_afterwards("company", "person"):
        sql.run("bench", "fill_companies", companies=companies, seed=SEED, now=now)
        _fill_side_by_side(people, companies=companies, now=now)
    with connection.cursor() as cursor:
        for table, last in (("company", companies), ("person", people)):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])
    settle("person", "company")


def _fill_side_by_side(people: int, *, companies: int, now: datetime) -> None:
    """Each processor makes a part: what a person is found by is worked out as her row is written, and that is the most of it."""
    parts = min(4, os.cpu_count() or 1)
    bounds = [people * part // parts for part in range(parts + 1)]
    values = {"companies": companies, "seed": SEED, "now": now}
    with ThreadPoolExecutor(parts) as makers:
        made = [
            makers.submit(_in_own_connection, "fill_people", values | {"low": low + 1, "high": high})
            for low, high in pairwise(bounds)
        ]
        for each in made:
            each.result()


def _in_own_connection(statement: str, values: dict[str, object]) -> None:
    """Django keeps a connection a thread; this thread's ends with its work."""
    try:
        sql.run("bench", statement, **values)
    finally:
        connections.close_all()


def settle(*tables: str) -> None:
    """Vacuum and analyse, then write everything out: no measurement pays for what came before it."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute(
            "SELECT rolsuper OR pg_has_role('pg_checkpoint', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
        )
        if cursor.fetchone()[0]:
            cursor.execute("CHECKPOINT")


@contextmanager
def _indexes_afterwards(*tables: str) -> Iterator[None]:
    """Indexes that keep no promise are dropped for the while, and made again at once from all rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid) FROM pg_index AS index "
            "WHERE index.indrelid = ANY(%s::regclass[]) AND NOT index.indisunique",
            [list(tables)],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(composing.SQL("DROP INDEX {}").format(composing.SQL(name)))
        yield
        for _, definition in found:
            cursor.execute(definition)
