"""CSV that a spreadsheet opens without running anything: cells that begin like a formula get an apostrophe in front."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
BOM = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else


def safe_cell(value: Any) -> str:
    """A value as a cell. Figures stay figures; a text a spreadsheet would compute becomes a text again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list | tuple):
        return safe_cell("; ".join(map(str, value)))
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not _is_phone(text) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",") -> Iterator[str]:
    """The file in pieces, so that a million rows are sent without being held."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow([safe_cell(name) for name in header])
    yield BOM + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()


def _is_phone(text: str) -> bool:
    """+33 4 72 40 18 33 computes nothing, and an apostrophe would spoil it."""
    return text[0] == "+" and len(text) > 1 and all(sign.isdigit() or sign == " " for sign in text[1:])
