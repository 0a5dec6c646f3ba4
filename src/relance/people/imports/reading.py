"""How a file is written, and its rows one by one whatever is wrong with it.

A row that cannot be read is told with its number and the reading goes on: one open quote must not swallow the rest of a file.
Rows are numbered as a spreadsheet numbers them: the header is row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from relance.decisions.rules import Reason, skip

from ..rules import BLANKS

MOST_BYTES = 2_000_000_000
MOST_COLUMNS = 500
LONGEST_LINE = 64_000_000
LONGEST_CELL = 1_000_000
MOST_LINES_A_ROW = 1_000
BLOCK = 4_000_000
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")
_SAMPLE = 262_144
_MAGIC = {
    b"PK\x03\x04": "Excel (xlsx)",
    b"\xd0\xcf\x11\xe0": "Excel (xls)",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"\x1f\x8b": "gzip",
    b"SQLite": "SQLite",
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
csv.field_size_limit(2 * LONGEST_LINE)


class FileRefused(Exception):
    """Theirs: the file as a whole cannot be taken. `reason` says what was seen and what to do."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FileShape:
    """How a file is written."""

    encoding: str
    delimiter: str
    has_header: bool
    header: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as it is in the file. With a `reason` it cannot be taken; its cells are then what could be made out."""

    number: int
    cells: list[str]
    reason: Reason | None = None


def inspect_file(path: Path) -> FileShape:
    """Find out encoding, separator and header. FileRefused when the file is empty, binary, too big, or has too many columns."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise FileRefused(skip("people.file_too_big", size=size, limit=MOST_BYTES))
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise FileRefused(skip("people.file_empty"))
    _refuse_binary(head)
    encoding = _encoding_of(path, head)
    sample = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    sample = sample[: sample.rfind("\n") + 1] or sample
    delimiter = _delimiter_of(sample)
    first = next((row for row in _parsed(sample, delimiter, 20) if any(cell.strip() for cell in row)), [])
    if len(first) > MOST_COLUMNS:
        raise FileRefused(skip("people.file_too_many_columns", columns=len(first), limit=MOST_COLUMNS))
    has_header = looks_like_header(first)
    return FileShape(encoding, delimiter, has_header, column_names(first, has_header=has_header))


def column_names(first: list[str], *, has_header: bool) -> tuple[str, ...]:
    """The names of the columns; twins get a number, nameless ones the letter a spreadsheet gives them."""
    names: list[str] = []
    for place, cell in enumerate(first):
        name = " ".join(cell.strip(BLANKS).split())[:120] if has_header else ""
        name = name.replace("\x00", "") or _letter(place)
        twins = sum(1 for other in names if other == name or re.fullmatch(re.escape(name) + r" \(\d+\)", other))
        names.append(f"{name} ({twins + 1})" if twins else name)
    return tuple(names)


def looks_like_header(first: list[str]) -> bool:
    """A header names things: no address, no bare figures."""
    cells = [cell.strip(BLANKS) for cell in first if cell.strip(BLANKS)]
    return bool(cells) and not any(_ADDRESS.search(cell) or re.fullmatch(r"[-+0-9.,/: ]+", cell) for cell in cells)


def read_first_row(path: Path, encoding: str, delimiter: str) -> list[str]:
    """The first row that is not blank, as these settings read it."""
    rows = RowReader(path, encoding, delimiter).rows()
    return next((row.cells for row in rows if any(cell.strip() for cell in row.cells)), [])


class Blocks:
    """The text of a file in blocks that end at the end of a line."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = path.open("r", encoding=encoding, errors="replace", newline="")
        self._rest = ""
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        with self._file:
            while not self.at_end:
                if block := self._next():
                    yield block

    def _next(self) -> str:
        text = self._rest + self._file.read(BLOCK)
        while True:
            end = max(text.rfind("\n"), text.rfind("\r", 0, -1))
            if end >= 0:
                self._rest = text[end + 1 :]
                return text[: end + 1]
            more = self._file.read(BLOCK)
            if not more:
                self.at_end, self._rest = True, ""
                return text
            text += more
            if len(text) > LONGEST_LINE:
                raise FileRefused(skip("people.file_line_too_long", limit=LONGEST_LINE))


class RowReader:
    """Rows of a file, read with care. A block without quotes may be taken whole by `plain_block` instead."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.encoding, self.delimiter = encoding, delimiter
        self._blocks = iter(Blocks(path, encoding))
        self._lines: deque[str] = deque()
        self.number = 0

    def blocks(self) -> Iterator[str]:
        """Block by block, so that the caller may choose how to take each: whole, or by `rows_of`."""
        yield from self._blocks

    def is_plain(self, block: str) -> bool:
        """May the block be split at separators and line ends alone?"""
        return not (
            '"' in block or "\x00" in block or "\n\\." in block or block.startswith("\\.") or self._has_gap(block)
        )

    def rows(self) -> Iterator[FileRow]:
        """Every row of the file."""
        for block in self._blocks:
            yield from self.rows_of(block)

    def rows_of(self, block: str) -> Iterator[FileRow]:
        """The rows that begin in this block; a quoted cell may reach into the next ones."""
        self._lines.extend(io.StringIO(block, newline=""))
        while self._lines:
            taken = _Taken(self)
            reader = csv.reader(taken, delimiter=self.delimiter)
            try:
                for cells in reader:
                    if taken.ended_inside:
                        raise _QuoteNeverClosed
                    yield self._row(cells)
                    taken.forget()
            except (_QuoteNeverClosed, csv.Error):
                yield self._after_open_quote(taken)

    def _after_open_quote(self, taken: _Taken) -> FileRow:
        """Give back all lines but the first, which alone is refused."""
        first, *others = taken.lines
        self._lines.extendleft(reversed(others))
        self.number += 1
        return FileRow(self.number, first.rstrip("\r\n").split(self.delimiter), skip("people.import_quote"))

    def _row(self, cells: list[str]) -> FileRow:
        self.number += 1
        longest = max(map(len, cells), default=0)
        reason = None
        if longest > LONGEST_CELL:
            reason = skip("people.import_cell_too_big", length=longest, limit=LONGEST_CELL)
        elif any("\x00" in cell for cell in cells):
            reason = skip("people.value_has_nul")
        elif self._has_gap("".join(cells)):
            reason = skip("people.import_unreadable", encoding=self.encoding)
        return FileRow(self.number, cells, reason)

    def _has_gap(self, text: str) -> bool:
        """A sign that stands for bytes the encoding does not know. UTF-8 files may hold it in earnest."""
        return not self.encoding.startswith("utf-8") and "\ufffd" in text

    def next_line(self, taken: int, length: int) -> str | None:
        """The next line of a row of which so many were taken; reads on when a quoted cell reaches over the block's end."""
        if taken >= MOST_LINES_A_ROW or (taken and length > 2 * LONGEST_CELL):
            raise _QuoteNeverClosed
        if not self._lines and taken:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._lines.extend(io.StringIO(block, newline=""))
        return self._lines.popleft() if self._lines else None


class _QuoteNeverClosed(Exception):
    pass


class _Taken:
    """The lines of the row being read, so that they can be given back."""

    def __init__(self, source: RowReader) -> None:
        self._source = source
        self.lines: list[str] = []
        self._length = 0
        self.ended_inside = False

    def __iter__(self) -> _Taken:
        return self

    def __next__(self) -> str:
        line = self._source.next_line(len(self.lines), self._length)
        if line is None:
            self.ended_inside = bool(self.lines)
            raise StopIteration
        self.lines.append(line)
        self._length += len(line)
        return line

    def forget(self) -> None:
        self.lines, self._length = [], 0


def _refuse_binary(head: bytes) -> None:
    kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    if not kind and not _is_utf16(head):
        strange = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 12, 13))
        kind = "?" if strange > len(head) / 20 else ""
    if kind:
        raise FileRefused(skip("people.file_binary", kind=kind))


def _is_utf16(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    halves = head[0::2].count(0), head[1::2].count(0)
    return max(halves) > len(head) * 0.3 and min(halves) < len(head) * 0.02


def _encoding_of(path: Path, head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if _is_utf16(head):
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter_of(sample: str) -> str:
    """The separator that gives the most columns in rows of one width; a comma when none does."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in _parsed(sample, delimiter, 30) if row]
        if not widths or widths[0] < 2:
            return (0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] > 0 else ","


def _parsed(sample: str, delimiter: str, most: int) -> list[list[str]]:
    try:
        return list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), most))
    except csv.Error:
        return []


def _letter(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
