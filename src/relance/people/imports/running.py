"""An import step by step: receive the file, check it, run it, stop and go on. The check is the run without its writes.

Rows are settled in chunks, each in one transaction with the mark of how far it came, so that a worker may die at any moment
and another goes on from there. A chunk sees one moment of the database; when somebody else changed the same people meanwhile it
is decided again.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Count
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from psycopg import errors
from psycopg.sql import SQL, Composable, Literal

from relance.activity.kinds import consumers_of
from relance.decisions.actions import DecisionLine, close_run, open_run, record_decisions
from relance.decisions.models import DecisionRun
from relance.decisions.reasons import reason_numbered, reason_texts
from relance.decisions.rules import Decision, Reason, Verdict
from relance.lib import sql
from relance.workspace.auditing import name_actor
from relance.workspace.models import User, Workspace
from relance.workspace.rules import Permission

from ..models import Import
from ..rules import Reading
from . import compile as compiled
from .alone import alone_with
from .compile import MappedColumn, Policy
from .mapping import check_mapping, guess_mapping, mapped_fields, remember_mapping
from .reading import FileRefused, column_names, inspect_file, read_first_row
from .staging import STAGING_CODES, drop_stage, find_twins, is_staged, stage_file, stage_table, twice_table

CHUNK = 50_000
ATTEMPTS = 5
SAMPLES = 20
MANY = 5_000
OUTCOMES = ("created", "updated", "unchanged", "refused")
Progress = Callable[[str, int, int], None]


class ImportRefused(Exception):
    """Theirs: the import cannot go on so. The message says what is missing; nothing was changed."""


class _Raced(Exception):
    """Somebody added one of these people between the decision and the write: decide again."""


def receive_file(name: str, file: BinaryIO | Path, *, by: User | None, now: datetime) -> Import:
    """Keep an uploaded file, find out how it is written and guess its mapping. A file that cannot be taken is kept as failed."""
    path = f"imports/{uuid.uuid4().hex}.csv"
    this = Import(file_name=Path(name).name[:255] or "file.csv", path=path, made_by=by, made_at=now, moved_at=now)
    this.team = by.team if by and not by.may(Permission.VIEW_ALL_PEOPLE) else None
    _keep_file(this.file, file)
    this.file_size = this.file.stat().st_size
    language = Workspace.objects.values_list("language", flat=True).first() or "fr"
    this.is_day_first = True
    try:
        shape = inspect_file(this.file)
    except FileRefused as refused:
        this.state, this.problem = Import.State.FAILED, _as_json(refused.reason)
        this.file.unlink(missing_ok=True)
        this.path = ""
    else:
        this.encoding, this.delimiter, this.has_header = shape.encoding, shape.delimiter, shape.has_header
        this.header, this.mapping = list(shape.header), guess_mapping(shape.header)
        this.has_decimal_comma = shape.delimiter == ";" or language == "fr"
    this.save()
    return this


def describe_file(this: Import, *, encoding: str, delimiter: str, has_header: bool) -> None:
    """Read the file in another way than was found out; columns are named and mapped anew."""
    _must_be(this, Import.State.UPLOADED, Import.State.CHECKED)
    first = read_first_row(this.file, encoding, delimiter)
    header = column_names(first, has_header=has_header)
    drop_stage(this)
    this.encoding, this.delimiter, this.has_header = encoding, delimiter, has_header
    this.header, this.mapping, this.state = list(header), guess_mapping(header), Import.State.UPLOADED
    this.save()


@dataclass(frozen=True, slots=True)
class ImportChoices:
    """How the file is to be taken."""

    mapping: tuple[str, ...]
    rows_allowed: str = "both"
    blank_cells: str = "keep"
    existing_values: str = "overwrite"
    without_email: str = "refuse"
    is_day_first: bool = True
    has_decimal_comma: bool = True


def choose(this: Import, choices: ImportChoices, *, now: datetime) -> None:
    """Set the mapping and the policies. ImportRefused says what stands against them."""
    _must_be(this, Import.State.UPLOADED, Import.State.CHECKED)
    if found := check_mapping(this.header, choices.mapping, without_email=choices.without_email == "create"):
        raise ImportRefused(" ".join(found))
    this.mapping = list(choices.mapping)
    this.rows_allowed, this.blank_cells = choices.rows_allowed, choices.blank_cells
    this.existing_values, this.without_email = choices.existing_values, choices.without_email
    this.is_day_first, this.has_decimal_comma = choices.is_day_first, choices.has_decimal_comma
    this.save()
    remember_mapping(this.header, this.mapping, now=now)


def check_import(this: Import, *, now: datetime, progress: Progress | None = None) -> None:
    """Decide every row and write nothing: counts, the first rows with before and after, every problem."""
    with alone_with(this) as is_ours:
        if is_ours:
            _check(this, now, progress)


def _check(this: Import, now: datetime, progress: Progress | None) -> None:
    _must_be(this, Import.State.UPLOADED, Import.State.CHECKED, Import.State.CHECKING)
    _move(this, Import.State.CHECKING, now, done_row=0, counts={}, samples=[])
    try:
        _prepare(this, now, progress)
    except FileRefused as refused:
        _fail(this, refused, now)
        return
    settle = _Settling(this, writes=False, now=now)
    while not settle.is_done():
        settle.next_chunk()
        if progress:
            progress("check", this.done_row, this.last_row)
    _move(this, Import.State.CHECKED, now, done_row=0, preview_counts=_with_refused(this))


def run_import(this: Import, *, now: datetime, progress: Progress | None = None, chunk: int = CHUNK) -> None:
    """Write the file, chunk by chunk, from where it stands; ends done, or stopped when somebody asked for it.

    1 stage the rows if they are not; 2 per chunk: decide, write people and their custom values, keep what was before, tell the log,
    keep the problems, mark how far; 3 close the run in the ledger with what was refused and why.
    """
    with alone_with(this) as is_ours:
        if is_ours:
            _write_all(this, now, progress, chunk)


def _write_all(this: Import, now: datetime, progress: Progress | None, chunk: int) -> None:
    _must_be(this, *(state for state in Import.State if state not in _ENDED))
    if found := check_mapping(this.header, this.mapping, without_email=this.without_email == "create"):
        raise ImportRefused(" ".join(found))
    begins = this.done_row == 0  # nothing is settled yet: what a check noted is noted again
    fresh = {"done_row": 0, "counts": {}, "started_at": now} if begins else {}
    _move(this, Import.State.RUNNING, now, stop_asked_at=None, **fresh)
    try:
        _prepare(this, now, progress, begins=begins)
    except FileRefused as refused:
        _fail(this, refused, now)
        return
    settle = _Settling(this, writes=True, now=now, chunk=chunk)
    while not settle.is_done():
        settle.next_chunk()
        if progress:
            progress("run", this.done_row, this.last_row)
        if Import.objects.filter(pk=this.pk, stop_asked_at__isnull=False).exists():
            _move(this, Import.State.STOPPED, now)
            return
    _finish(this, now)


def stop_import(this: Import, *, now: datetime) -> None:
    """Ask a running import to stop after the rows it is at. What it wrote stays; it may go on or be undone."""
    Import.objects.filter(pk=this.pk, state=Import.State.RUNNING).update(stop_asked_at=now)


_ENDED = (Import.State.DONE, Import.State.FAILED, Import.State.UNDOING, Import.State.UNDONE)


class _Settling:
    """The chunks of one pass over the rows, with or without writing."""

    def __init__(self, this: Import, *, writes: bool, now: datetime, chunk: int = CHUNK) -> None:
        self.this, self.writes, self.now, self.chunk = this, writes, now, chunk
        self.columns = [MappedColumn(place, field) for place, field in mapped_fields(this.mapping)]
        policy = policy_of(this)
        zone = Workspace.objects.values_list("time_zone", flat=True).first() or "UTC"
        reading = Reading(this.is_day_first, this.has_decimal_comma, zone)
        plan = compiled.plan_rows(self.columns, policy, reading, stage=stage_table(this), twice=twice_table(this))
        connection.ensure_connection()
        self.plan = _text(SQL("CREATE TEMP TABLE import_plan ON COMMIT DROP AS {}").format(plan))
        self.values: dict[str, Any] = {
            "id": this.pk,
            "draws": writes,
            "at": this.started_at or now,
            "owner": this.owner_id,
            "team": this.team_id,
            "actor": f"import:{this.pk}",
            "file": this.file_name,
        }

    def is_done(self) -> bool:
        return self.this.done_row >= self.this.last_row

    def next_chunk(self) -> None:
        """Settle the next rows; again from their start when somebody was in the way."""
        for attempt in range(ATTEMPTS):
            try:
                return self._settle()
            except (_Raced, IntegrityError, OperationalError) as error:
                cause = error.__cause__
                is_passing = isinstance(error, _Raced) or isinstance(
                    cause, errors.SerializationFailure | errors.DeadlockDetected | errors.UniqueViolation
                )
                if not is_passing or attempt + 1 == ATTEMPTS:
                    raise
                self.this.refresh_from_db()
        return None

    def _settle(self) -> None:
        this = self.this
        low, high = this.done_row + 1, min(this.done_row + self.chunk, this.last_row)
        is_outermost = not connection.in_atomic_block
        with transaction.atomic(), connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            name_actor(f"import:{this.pk}")
            cursor.execute("SELECT set_config('work_mem', '64MB', true), set_config('random_page_cost', '1.1', true)")
            cursor.execute("DROP TABLE IF EXISTS pg_temp.import_plan")
            cursor.execute(self.plan, self.values | {"low": low, "high": high})
            if self.writes:
                self._write()
            elif low == 1:
                this.samples = self._samples()
            _run(compiled.keep_problems(self.columns), self.values)
            counts = Counter(this.counts) + Counter(_outcomes())
            progress = {"done_row": high, "counts": dict(counts), "moved_at": Now(), "samples": this.samples}
            Import.objects.filter(pk=this.pk).update(**progress)
        this.done_row, this.counts = high, dict(counts)

    def _write(self) -> None:
        wanted = _outcomes().get("created", 0)
        made = _run(compiled.insert_people(self.columns), self.values) if wanted else 0
        if made != wanted:
            raise _Raced
        changed = _run(compiled.update_people(self.columns), self.values)
        if not made and not changed:
            return
        if (side := compiled.upsert_side(self.columns)) is not None:
            _run(side, self.values)
        _run(compiled.keep_changes(self.columns), self.values)
        consumers = {kind: consumers_of(kind) for kind in ("import.created", "import.updated")}
        log = compiled.append_to_log(self.columns, has_consumers=any(consumers.values()))
        _run(log, self.values | {"consumers": json.dumps(consumers)})

    def _samples(self) -> list[dict[str, Any]]:
        """The first rows as the page shows them: what the cells say, what is there, what it becomes."""
        shown = sql.select("SELECT * FROM import_plan ORDER BY row LIMIT %s", [SAMPLES])
        return json.loads(json.dumps([self._sample(row) for row in shown], cls=DjangoJSONEncoder))  # type: ignore[no-any-return]

    def _sample(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "row": row["row"],
            "outcome": row["outcome"],
            "person": row["person_id"],
            "cells": [
                {
                    "field": column.field.key,
                    "cell": row[f"cell_{column.place}"],
                    "is_bad": row[f"cell_{column.place}"] is not None and row[f"value_{column.place}"] is None,
                    "before": row[f"now_{column.place}"],
                    "after": row[f"then_{column.place}"],
                }
                for column in self.columns
            ],
        }


def policy_of(this: Import) -> Policy:
    """The import's choices, and whose people its author may see."""
    user = this.made_by
    sees: Composable = SQL("true")
    if user is not None and not user.may(Permission.VIEW_ALL_PEOPLE):
        sees = SQL("person.team_id IS NULL OR person.owner_id = {} OR person.team_id = {}").format(
            Literal(user.pk), Literal(user.team_id or 0)
        )
    return Policy(
        creates=this.rows_allowed in ("both", "create"),
        updates=this.rows_allowed in ("both", "update"),
        clears=this.blank_cells == "clear",
        fills_only=this.existing_values == "fill",
        without_email=this.without_email == "create",
        sees=sees,
    )


def _prepare(this: Import, now: datetime, progress: Progress | None, *, begins: bool = True) -> None:
    if not is_staged(this):
        stage_file(this, now=now, progress=(lambda done, total: progress("read", done, total)) if progress else None)
    if begins:
        this.problems.exclude(code__in=_staging_numbers(), column=None).delete()
    find_twins(this)


def _finish(this: Import, now: datetime) -> None:
    """Close the run: its counts, and for each reason of refusal one line that says how many rows it met."""
    counts = sql.select(
        "SELECT code, count(DISTINCT row) AS rows FROM people_importproblem WHERE of_id = %s GROUP BY code ORDER BY code",
        [this.pk],
    )
    this.counts = _with_refused(this)
    with transaction.atomic():
        run: DecisionRun = open_run("import", policy=f"import:{this.pk}", as_of=this.started_at or now)
        lines = [DecisionLine("import", this.pk, Decision((_counted(row["code"], row["rows"]),))) for row in counts]
        record_decisions(lines, policy=f"import:{this.pk}", now=now, run=run)
        close_run(run, counts=this.counts, now=now)
        this.run_id = run.pk
        _move(this, Import.State.DONE, now, ended_at=now)
    drop_stage(this)
    if this.counts["created"] + this.counts["updated"] > MANY:
        with connection.cursor() as cursor:  # estimates on the pages hold at once, not when the database gets to it
            cursor.execute("ANALYZE person, person_x")


def _with_refused(this: Import) -> dict[str, int]:
    """What became of the rows, those the file itself spoiled included."""
    refused = this.problems.aggregate(rows=Count("row", distinct=True))["rows"]
    return {outcome: this.counts.get(outcome, 0) for outcome in OUTCOMES} | {"refused": refused}


def _counted(number: int, rows: int) -> Reason:
    return Reason(reason_numbered(number).code, Verdict.SKIP, {"rows": rows})


def _staging_numbers() -> list[int]:
    return [reason_texts()[code].number for code in STAGING_CODES]


def _keep_file(path: Path, file: BinaryIO | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
        if isinstance(file, Path):
            with file.open("rb") as source:
                shutil.copyfileobj(source, kept, 1 << 20)
        else:
            shutil.copyfileobj(file, kept, 1 << 20)


def _must_be(this: Import, *states: str) -> None:
    this.refresh_from_db()
    if this.state not in states:
        raise ImportRefused(
            _("This import is %(state)s: this step is not possible now.") % {"state": this.get_state_display().lower()}
        )


def _move(this: Import, state: str, now: datetime, **values: Any) -> None:
    this.state, this.moved_at = state, now
    for name, value in values.items():
        setattr(this, name, value)
    this.save()


def _fail(this: Import, refused: FileRefused, now: datetime) -> None:
    drop_stage(this)
    _move(this, Import.State.FAILED, now, problem=_as_json(refused.reason), ended_at=now)


def _as_json(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "seen": dict(reason.seen)}


def _outcomes() -> dict[str, int]:
    rows = sql.select("SELECT outcome, count(*) AS rows FROM import_plan GROUP BY outcome")
    return {row["outcome"]: row["rows"] for row in rows}


def _run(statement: Composable, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_text(statement), values)
        return int(cursor.rowcount)


def _text(statement: Composable) -> str:
    return statement.as_string(connection.connection)
