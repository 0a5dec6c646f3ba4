"""`sync.pull_merge`: pages of changed records come in and are staged, decided field by field, applied, queued and told in the ledger."""

from __future__ import annotations

import time
from typing import ClassVar

import psycopg

from relance.crm.pull import pull_object
from relance.crm.rules import RunKind
from relance.crm.runs import run_told
from relance.lib import sql
from relance.lib.clock import utc_now

from .crm_ground import (
    OBJECT,
    RECORDS_A_PAGE,
    PagesInMemory,
    change_crm,
    change_here,
    forget_differences,
    link_everybody,
    make_connection,
    mapping_of,
    pages_of_changes,
    plan_of,
)
from .filling import fill_people, settle
from .grounds import Plot
from .merge_oracle import MergeOracle
from .rules import Bar, Measure
from .scenario import Timed
from .statements import MERGE_STEPS, statements_timed

PART = 10  # one record in ten changes
COLUMNS = "email, first_name, last_name, job_title, company_name, phone, city, lead_source, score, status"
TOUCHED = ("person", "crm_link", "crm_dirty", "crm_push")


class PullAndMerge:
    """One record in ten changed, in pages of two thousand as the client hands them on."""

    name: ClassVar[str] = "sync.pull_merge"
    says: ClassVar[str] = (
        "A tenth of the people changed in the CRM: pages staged, decided, applied, queued, told in the ledger."
    )
    floor_says: ClassVar[str] = "COPY of the same rows into a temporary table, and one UPDATE without a question."
    unit: ClassVar[str] = "record"
    bar: ClassVar[Bar] = Bar(Measure.RATIO, 3.0, 2.0, 1.5)

    def prepare(self, scale: int, plot: Plot) -> None:
        now = utc_now()
        fill_people(scale, now=now)
        self._connection = make_connection(now=now)
        link_everybody(self._connection, now=now)
        settle("crm_link")
        self._floor = psycopg.connect(plot.copy(), autocommit=True)

    def ready(self, place: int) -> None:
        forget_differences()
        self._now = utc_now()  # the records' stamp: later than all that came before
        self._records = change_crm(place, part=PART, now=self._now)
        self._pages = pages_of_changes()
        self._rows = self._as_copy_text()
        change_here(place)
        self._oracle = MergeOracle(plan_of(self._connection))
        self._floor.execute("VACUUM (ANALYZE) person")
        settle(*TOUCHED)  # ends with a checkpoint, after which both sides write each page in full once

    def run_product(self) -> Timed:
        counts = [min(RECORDS_A_PAGE, self._records - RECORDS_A_PAGE * place) for place in range(len(self._pages))]
        crm = PagesInMemory(self._pages, counts, stamp=self._now)
        plan, policy = plan_of(self._connection), mapping_of(self._connection).policy
        with statements_timed(MERGE_STEPS) as phases:
            began = time.perf_counter()
            with run_told(self._connection, RunKind.PULL, object=OBJECT, policy=policy, now=self._now) as book:
                pull_object(book, crm.as_crm(), plan, progress=lambda *_: None, may_go_on=lambda: True, now=self._now)
            seconds = time.perf_counter() - began
        self._read = book.counts.read
        self._run_id = book.ledger_id
        phases["python and commits"] = seconds * 1000 - sum(phases.values())
        return Timed.whole(seconds, self._records, {name: round(took, 1) for name, took in phases.items()})

    def run_floor(self) -> Timed:
        began = time.perf_counter()
        with self._floor.transaction(), self._floor.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE floor_rows ON COMMIT DROP AS SELECT id, {COLUMNS} FROM person LIMIT 0"  # noqa: S608
            )
            with cursor.copy("COPY floor_rows FROM STDIN") as copy:
                copy.write(self._rows)
            cursor.execute("SELECT set_config('relance.origin', %s, true)", [f"crm:{self._connection.pk}"])
            sets = ", ".join(f"{column} = floor_rows.{column}" for column in COLUMNS.split(", "))
            cursor.execute(
                f"UPDATE person SET {sets}, updated_at = now() FROM floor_rows WHERE person.id = floor_rows.id"  # noqa: S608
            )
            self._written = cursor.rowcount
        return Timed.whole(time.perf_counter() - began, self._written)

    def run_peers(self) -> dict[str, Timed]:
        return {}

    def check(self) -> list[str]:
        wrong = []
        if self._read != self._records:
            wrong.append(f"{self._records} records were offered and {self._read} read.")
        if self._written != self._records:
            wrong.append(f"The floor wrote {self._written} of {self._records} rows.")
        wrong += [
            f"{row['records']} records: {row['what']}." for row in sql.rows("bench", "check_merge") if row["records"]
        ]
        return wrong + self._oracle.compare(run_id=self._run_id)

    def close(self) -> None:
        self._floor.close()

    def _as_copy_text(self) -> bytes:
        """The rows as COPY takes them: the floor parses nothing."""
        from django.db import connection

        connection.ensure_connection()
        with connection.connection.cursor() as cursor:
            told = cursor.copy(f"COPY (SELECT id, {COLUMNS} FROM bench_record ORDER BY id) TO STDOUT")  # noqa: S608
            with told as copy:
                return b"".join(bytes(block) for block in copy)
