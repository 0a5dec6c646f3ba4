"""Named SQL: one statement a file, run where the rows are. `sql.rows("people", "search", …)` reads people/sql/search.sql."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from django.db import connection
from psycopg.adapt import Loader


class _JsonLoader(Loader):
    """Django hands jsonb to raw cursors as text; named statements want it read."""

    def load(self, data: Any) -> Any:
        return json.loads(bytes(data))


@cache
def statement(room: str, name: str) -> str:
    """The text of a named statement. Raises FileNotFoundError when the room has none of that name."""
    return resources.files(f"relance.{room}").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def run(room: str, name: str, **values: Any) -> int:
    """Run a named statement for its effect; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(room, name), values)
        return int(cursor.rowcount)


def rows(room: str, name: str, **values: Any) -> list[dict[str, Any]]:
    """Run a named statement and return its rows by column name, json already read."""
    return select(statement(room, name), values)


def select(text: str, values: dict[str, Any] | list[Any] | tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """Run a statement made by a compiler (mappings, filters) and return its rows by column name."""
    with connection.cursor() as cursor:
        for kind in ("json", "jsonb"):
            cursor.cursor.adapters.register_loader(kind, _JsonLoader)
        cursor.execute(text, values or None)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
