"""Questions in SOQL: quoting, moments, and lists too long for one address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from relance.crm.dialect import Cursor

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*|COUNT\(\)")


def select(columns: Sequence[str], source: str, *, where: str = "", order: Sequence[str] = ()) -> str:
    """A whole question. Names come from mappings people edit, so only what can be a name is let through."""
    for name in (*columns, source, *order):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the API name of an object or a field")
    asked = f"SELECT {', '.join(columns)} FROM {source}"  # noqa: S608
    among = f" WHERE {where}" if where else ""
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    return asked + among + ordered


def quoted(text: str) -> str:
    """A literal for SOQL, whose escapes are those of Java strings."""
    escaped = (
        text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f"'{escaped}'"


def moment(stamp: datetime) -> str:
    """Moments are written bare in SOQL; in UTC, so that no plus sign needs care in an address."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


def read_moment(text: str) -> datetime:
    """`2026-11-22T10:25:26.000+0000`, as REST and SOAP write it."""
    return datetime.fromisoformat(text)


def after(cursor: Cursor, stamp_field: str) -> str:
    """What lies beyond a cursor. Stamps have one second's resolution: after a mass change a hundred thousand rows share one."""
    at = moment(cursor.stamp)
    if not cursor.id:
        return f"{stamp_field} >= {at}"
    return f"({stamp_field} > {at} OR ({stamp_field} = {at} AND Id > {quoted(cursor.id)}))"


def in_parts(values: Sequence[str], longest: int) -> Iterator[list[str]]:
    """Values in lists that stay under so many characters once quoted and written in an address."""
    part: list[str] = []
    spent = 0
    for value in values:
        size = len(quote(quoted(value), safe="")) + len("%2C%20")
        if part and spent + size > longest:
            yield part
            part, spent = [], 0
        part.append(value)
        spent += size
    if part:
        yield part
