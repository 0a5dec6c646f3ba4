"""`import.csv`: a file of people with one bad row in a hundred, from its receipt to the last row, every refused one explained."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import psycopg
from django.db import connection

from relance.lib import sql
from relance.lib.clock import utc_now
from relance.people.imports.running import ImportChoices, choose, receive_file, run_import
from relance.people.models import Import, Person

from .filling import settle
from .grounds import Plot
from .rules import Bar, Measure
from .scenario import Timed
from .statements import statements_timed

HEADER = (
    *("email", "first_name", "last_name", "job_title", "company_name", "phone", "mobile_phone", "street"),
    *("postal_code", "city", "country", "language", "lead_source", "status", "score"),
)
KNOWN_ONE_IN = 20  # people of the file who are there already
BAD_ONE_IN = 100
STEPS = (
    ("twins", ('CREATE UNLOGGED TABLE "import_twice',)),
    ("plan", ("CREATE TEMP TABLE import_plan",)),
    ("people", ("INSERT INTO person",)),
    ("changed people", ("UPDATE person",)),
    ("before and after", ("INSERT INTO people_importchange",)),
    ("log", ("WITH told AS",)),
    ("problems", ("INSERT INTO people_importproblem",)),
)


class ImportFile:
    """As many rows as the scale says, fifteen columns, into a workspace that knows one in twenty of these people."""

    name: ClassVar[str] = "import.csv"
    says: ClassVar[str] = (
        "A CSV file of people, 1 % of it bad: received, staged, weighed, written with log and undo, errors by row."
    )
    floor_says: ClassVar[str] = "COPY of the good rows into the same table with the same indexes."
    unit: ClassVar[str] = "row"
    bar: ClassVar[Bar] = Bar(Measure.RATIO, 6.0, 3.0, 2.0)

    def prepare(self, scale: int, plot: Plot) -> None:
        self._rows = scale
        self._now = utc_now()
        self._file = plot.home / "people.csv"
        _write_file(self._file, scale)
        self._good = plot.home / "people.copy"
        _write_good_rows(self._good, scale, now=self._now)
        self._floor = psycopg.connect(plot.copy(), autocommit=True)

    def ready(self, place: int) -> None:
        """Both tables as they were before; the file is the same each time."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE person, people_import, activity, activity_due, decision, decision_run CASCADE")
        self._floor.execute("TRUNCATE person CASCADE")
        sql.run("bench", "fill_known", rows=self._rows, one_in=KNOWN_ONE_IN, now=self._now)
        settle("person")

    def run_product(self) -> Timed:
        with statements_timed(STEPS) as phases:
            began = time.perf_counter()
            self._import = receive_file("people.csv", self._file, by=None, now=self._now)
            choose(self._import, ImportChoices(tuple(self._import.mapping)), now=self._now)
            run_import(self._import, now=self._now)
            seconds = time.perf_counter() - began
        phases["reading and commits"] = seconds * 1000 - sum(phases.values())
        return Timed.whole(seconds, self._rows, {name: round(took, 1) for name, took in phases.items()})

    def run_floor(self) -> Timed:
        columns = ", ".join(["uid", "created_at", "updated_at", *HEADER])
        began = time.perf_counter()
        with self._floor.transaction(), self._floor.cursor() as cursor, self._good.open("rb") as rows:
            with cursor.copy(f"COPY person ({columns}) FROM STDIN (FORMAT csv)") as copy:
                while block := rows.read(1 << 18):
                    copy.write(block)
            written = cursor.rowcount
        return Timed.whole(time.perf_counter() - began, written)

    def run_peers(self) -> dict[str, Timed]:
        return {}

    def check(self) -> list[str]:
        wrong = []
        expected = _expected(self._rows)
        if self._import.counts != expected:
            wrong.append(f"The import counted {self._import.counts}, the file holds {expected}.")
        if self._import.state != Import.State.DONE:
            wrong.append(f"The import ended as {self._import.state}.")
        people = Person.objects.count()
        if people != (due := expected["created"] + _known(self._rows)):
            wrong.append(f"There are {people} people afterwards, there should be {due}.")
        explained = self._import.problems.values("row").distinct().count()
        if explained != expected["refused"]:
            wrong.append(f"{explained} of {expected['refused']} bad rows have a problem with their number.")
        return wrong + self._compare_values()

    def close(self) -> None:
        self._floor.close()

    def _compare_values(self) -> list[str]:
        """What the file says of some people is what they hold."""
        sample = {row[0]: row for row in _sample(self._rows)}
        held = {person.email: person for person in Person.objects.filter(email_key__in=list(sample))}
        wrong = []
        for email, row in sample.items():
            found = [str(getattr(held[email], key)) for key in HEADER] if email in held else None
            if found != row:
                wrong.append(f"{email} holds {found}, the file says {row}.")
        return wrong[:5]


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_FIRST = ("Aline", "Bruno", "Chloé", "Denis", "Élodie", "Farid", "Gaëlle", "Hugo", "Inès", "Jules")
_LAST = ("Martin", "Bernard", "Petit", "Robert", "Durand", "Moreau", "Lefèvre", "Roux", "Fournier", "Bonnet", "Faure")


def _row(number: int) -> list[str]:
    """A good row. `fill_known.sql` makes the same addresses."""
    return [
        f"person{number}@company{number // 10}.example",
        _FIRST[number % 10],
        _LAST[number % 11],
        ("Directrice", "Acheteur", "Comptable")[number % 3],
        f"Société {number // 10}",
        f"+33 1 {number % 100_000_000:08}",
        f"+33 6 {number * 7 % 100_000_000:08}",
        f"{number % 200} rue des Écoles",
        f"{1000 + number % 94_000:05}",
        ("Lyon", "Paris", "Nantes", "Lille")[number % 4],
        "France",
        "fr",
        ("Salon", "Site", "Webinaire")[number % 3],
        ("Nouveau", "Qualifié")[number % 2],
        str(number % 101),
    ]


def _is_bad(number: int) -> bool:
    return number % BAD_ONE_IN == 3


def _spoilt(number: int) -> list[str]:
    """A bad row: an address that is none, a score that is no number, or the address of the row before."""
    row = _row(number)
    match number // BAD_ONE_IN % 3:
        case 0:
            row[0] = "nobody"
        case 1:
            row[-1] = "beaucoup"
        case _:
            row[0] = _row(number - 1)[0]
    return row


def _write_file(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_spoilt(number) if _is_bad(number) else _row(number) for number in range(rows))


def _write_good_rows(path: Path, rows: int, *, now: datetime) -> None:
    """The good rows as COPY takes them, each with its uid."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [f"{number:032x}", now.isoformat(), now.isoformat(), *_row(number)]
            for number in range(rows)
            if not _is_bad(number)
        )


def _known(rows: int) -> int:
    return (rows + KNOWN_ONE_IN - 1) // KNOWN_ONE_IN


def _expected(rows: int) -> dict[str, int]:
    bad = sum(1 for number in range(rows) if _is_bad(number))
    known = _known(rows)  # none of them bad: 3 is no multiple of twenty
    return {"created": rows - bad - known, "updated": known, "unchanged": 0, "refused": bad}


def _sample(rows: int) -> Iterator[list[str]]:
    step = max(1, rows // 200)
    return (_row(number) for number in range(0, rows, step) if not _is_bad(number))
