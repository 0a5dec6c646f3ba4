"""The rows of a file in a table of their own, as text, before anything is decided.

Blocks without quotes go to PostgreSQL as they are; a block it refuses, or one with quotes, is read row by row, and what cannot
be taken becomes a problem with its row number. Both ways give the same rows; a test holds them equal.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, connection, transaction
from django.db.models.functions import Now
from psycopg.sql import SQL, Composed, Identifier, Literal

from relance.decisions.reasons import reason_texts
from relance.decisions.rules import skip

from ..models import Import, ImportProblem
from ..rules import BLANKS
from .reading import FileRefused, FileRow, RowReader

STAGING_CODES = (
    "people.import_cells",
    "people.import_quote",
    "people.import_cell_too_big",
    "people.import_unreadable",
    "people.value_has_nul",
)
Progress = Callable[[int, int], None]


def stage_table(this: Import) -> Identifier:
    """The table that holds the rows of this import. Unlogged: after a crash of the database it is filled again."""
    return Identifier(f"import_stage_{this.pk}")


def twice_table(this: Import) -> Identifier:
    """The table of rows whose address an earlier row of the file already has."""
    return Identifier(f"import_twice_{this.pk}")


def is_staged(this: Import) -> bool:
    """Is the table there with all its rows? A crash of the database empties it."""
    if this.staged_rows is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"import_stage_{this.pk}"])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(_sql("SELECT count(*) FROM {stage}", this))
        return bool(cursor.fetchone()[0] == this.staged_rows)


def stage_file(this: Import, *, now: datetime, progress: Progress | None = None) -> None:
    """Fill the table from the file, block by block, each in a transaction of its own. FileRefused when the file is gone or holds no rows."""
    if not this.path or not this.file.exists():
        raise FileRefused(skip("people.file_gone"))
    _make_table(this)
    reader = RowReader(this.file, this.encoding, this.delimiter)
    staged, read, size = 0, 0, this.file.stat().st_size
    for block in reader.blocks():
        with transaction.atomic():
            staged += _stage_block(this, reader, block)
            Import.objects.filter(pk=this.pk).update(moved_at=Now())
        read += len(block)
        if progress:
            progress(min(read, size - 1), size)
    if progress:
        progress(size, size)
    if staged == 0 and not this.problems.exists():
        raise FileRefused(skip("people.file_without_rows"))
    with connection.cursor() as cursor:
        cursor.execute(_sql("CREATE UNIQUE INDEX ON {stage} (row); ANALYZE {stage}", this))
    this.staged_rows, this.last_row, this.moved_at = staged, reader.number, now
    this.save(update_fields=["staged_rows", "last_row", "moved_at"])


def find_twins(this: Import) -> None:
    """Note the rows whose address comes before in the file."""
    place = email_column(this)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', '256MB', true)")
        cursor.execute(_sql("DROP TABLE IF EXISTS {twice}", this))
        if place is None:
            cursor.execute(_sql("CREATE UNLOGGED TABLE {twice} (row bigint, first bigint)", this))
        else:
            cursor.execute(
                _sql(
                    "CREATE UNLOGGED TABLE {twice} AS WITH said AS ("
                    "SELECT row, lower(btrim({cell}, {blanks})) AS key FROM {stage}), "
                    "many AS (SELECT key, min(row) AS first FROM said WHERE key <> '' GROUP BY key HAVING count(*) > 1) "
                    "SELECT said.row, many.first FROM said JOIN many USING (key) WHERE said.row > many.first",
                    this,
                    cell=Identifier(f"c{place}"),
                )
            )
        cursor.execute(_sql("ANALYZE {twice}", this))


def drop_stage(this: Import) -> None:
    """Remove the tables of an import that needs them no more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _sql("DROP TABLE IF EXISTS {stage}; DROP TABLE IF EXISTS {twice}; DROP SEQUENCE IF EXISTS {numbers}", this)
        )
    if this.staged_rows is not None:
        this.staged_rows = None
        this.save(update_fields=["staged_rows"])


def email_column(this: Import) -> int | None:
    """The place of the column that holds the address, from 0."""
    return this.mapping.index("email") if "email" in this.mapping else None


def _make_table(this: Import) -> None:
    columns = SQL(", ").join(SQL("{} text").format(Identifier(f"c{place}")) for place in range(len(this.header)))
    with transaction.atomic(), connection.cursor() as cursor:
        this.problems.all().delete()
        cursor.execute(
            _sql("DROP TABLE IF EXISTS {stage}; DROP SEQUENCE IF EXISTS {numbers}; CREATE SEQUENCE {numbers}", this)
        )
        cursor.execute(
            _sql(
                "CREATE UNLOGGED TABLE {stage} (row bigint NOT NULL DEFAULT nextval({sequence}), {columns})",
                this,
                columns=columns,
                sequence=Literal(f"import_stage_{this.pk}_seq"),
            )
        )
        this.staged_rows = None
        this.save(update_fields=["staged_rows"])


def _stage_block(this: Import, reader: RowReader, block: str) -> int:
    is_first = reader.number == 0 and this.has_header
    if reader.is_plain(block) and not is_first:
        taken = _stage_whole(this, reader, block)
        if taken is not None:
            return taken
    return _stage_rows(this, reader.rows_of(block))


def _stage_whole(this: Import, reader: RowReader, block: str) -> int | None:
    """The block as it is; None when PostgreSQL finds fault with it."""
    columns = SQL(", ").join(Identifier(f"c{place}") for place in range(len(this.header)))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _sql("SELECT setval({sequence}, %s, false)", this, sequence=Literal(f"import_stage_{this.pk}_seq")),
                [reader.number + 1],
            )
            statement = _sql(
                "COPY {stage} ({columns}) FROM STDIN (FORMAT csv, DELIMITER {delimiter})",
                this,
                columns=columns,
                delimiter=Literal(this.delimiter),
            )
            with cursor.copy(statement) as copy:
                copy.write(block.encode())
            taken = int(cursor.rowcount)
    except DataError:
        return None
    reader.number += taken
    return taken


def _stage_rows(this: Import, rows: Iterator[FileRow]) -> int:
    """Row by row; those that cannot be taken become problems."""
    text, problems, width = io.StringIO(), [], len(this.header)
    writer = csv.writer(text, delimiter=this.delimiter)
    taken = 0
    for row in rows:
        if row.number == 1 and this.has_header:
            continue
        cells = row.cells
        if not any(cells):
            continue
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        reason = row.reason
        if reason is None and len(cells) != width:
            reason = skip("people.import_cells", found=len(cells), expected=width)
        if reason is not None:
            problems.append(_problem(this, row, reason.code, dict(reason.seen)))
            continue
        writer.writerow([row.number, *cells])
        taken += 1
    if taken:
        with (
            connection.cursor() as cursor,
            cursor.copy(
                _sql(
                    "COPY {stage} FROM STDIN (FORMAT csv, DELIMITER {delimiter})",
                    this,
                    delimiter=Literal(this.delimiter),
                )
            ) as copy,
        ):
            copy.write(text.getvalue().encode())
    ImportProblem.objects.bulk_create(problems, batch_size=2000)
    return taken


def _problem(this: Import, row: FileRow, code: str, seen: dict[str, object]) -> ImportProblem:
    shown = this.delimiter.join(cell[:200] for cell in row.cells[:20]).replace("\x00", "␀")[:400]
    read = json.loads(json.dumps(seen, cls=DjangoJSONEncoder))
    return ImportProblem(of=this, row=row.number, value=shown, code=reason_texts()[code].number, seen=read)


def _sql(text: str, this: Import, **parts: Composed | Identifier | Literal | SQL) -> str:
    composed = SQL(text).format(
        stage=stage_table(this),
        twice=twice_table(this),
        numbers=Identifier(f"import_stage_{this.pk}_seq"),
        blanks=Literal(BLANKS),
        **parts,
    )
    connection.ensure_connection()
    return composed.as_string(connection.connection)
