"""Bulk jobs and their progress, kept in the org's store; their files lie beside it. A job under way survives a kill.

An ingest job is worked in chunks of 200 rows: a chunk's records, their results and the job's progress are committed together.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from queue import Queue

from relance.sandbox.access import caller_for
from relance.sandbox.errors import Refused
from relance.sandbox.fault_match import Occasion
from relance.sandbox.ids import MalformedId, make_id, number_of_id, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, RecordError, SaveResult, WriteOptions
from relance.sandbox.render import cell
from relance.sandbox.schema import OrgObject
from relance.sandbox.soql import compile_query, flat_rows
from relance.sandbox.soql_dates import stamp
from relance.sandbox.soql_sql import Compiled
from relance.sandbox.writes import insert_record, update_record, upsert_record

TABLES = (
    """CREATE TABLE IF NOT EXISTS _job (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, user_id TEXT NOT NULL,
       version INTEGER NOT NULL, operation TEXT NOT NULL, object TEXT NOT NULL, external_field TEXT NOT NULL, delimiter TEXT NOT NULL,
       line_ending TEXT NOT NULL, assignment_rule TEXT NOT NULL, query TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL,
       changed_at TEXT NOT NULL, processed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
       error_message TEXT NOT NULL DEFAULT '', milliseconds INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS _job_row (job INTEGER NOT NULL, line INTEGER NOT NULL, record_id TEXT, created INTEGER NOT NULL,
       error TEXT, PRIMARY KEY (job, line)) WITHOUT ROWID""",
)
DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
CHUNK = 200
NOTHING = "#N/A"


@dataclass(frozen=True, slots=True)
class Job:
    number: int
    kind: str  # ingest | query
    user_id: str
    version: int
    operation: str
    object: str
    external_field: str
    delimiter: str
    line_ending: str
    assignment_rule: str
    query: str
    state: str
    created_at: str
    changed_at: str
    processed: int
    failed: int
    error_message: str
    milliseconds: int

    @property
    def id(self) -> str:
        return make_id("750", self.number)


class Jobs:
    """The jobs of one org, and the one thread that works them in turn."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.folder = org.home / "jobs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._waiting: Queue[int] = Queue()
        self._stopping = threading.Event()
        with org.store.writing() as connection:
            for table in TABLES:
                connection.execute(table)
        self._worker = threading.Thread(target=self._work, name="bulk", daemon=True)

    def start(self) -> None:
        """Takes up what an earlier process left unfinished, then whatever comes."""
        rows = self.org.store.connection().execute(
            "SELECT number FROM _job WHERE state = 'InProgress' OR state = 'UploadComplete' ORDER BY number"
        )
        for row in rows.fetchall():
            self._waiting.put(int(row[0]))
        self._worker.start()

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(0)  # no job has this number: it only wakes the worker
        if self._worker.is_alive():
            self._worker.join(timeout=10)

    def open(self, **facts: object) -> Job:
        now = stamp(self.org.clock())
        facts |= {"created_at": now, "changed_at": now}
        names = ", ".join(facts)
        with self.org.store.writing() as connection:
            number = connection.execute(
                f"INSERT INTO _job ({names}) VALUES ({', '.join('?' * len(facts))})", tuple(facts.values())
            ).lastrowid
        assert number is not None
        return self.find(number)

    def find(self, number: int) -> Job:
        row = self.org.store.connection().execute("SELECT * FROM _job WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return Job(**{field.name: row[field.name] for field in fields(Job)})

    def named(self, job_id: str) -> Job | None:
        """The job of an id as clients write it; None if there is none."""
        try:
            return self.find(number_of_id("750", whole_id(job_id)))
        except (MalformedId, Refused):
            return None

    def all(self, kind: str) -> list[Job]:
        rows = self.org.store.connection().execute("SELECT number FROM _job WHERE kind = ? ORDER BY number", (kind,))
        return [self.find(int(row[0])) for row in rows.fetchall()]

    def change(self, job: Job, **facts: object) -> Job:
        places = ", ".join(f"{name} = ?" for name in facts)
        with self.org.store.writing() as connection:
            connection.execute(
                f"UPDATE _job SET {places}, changed_at = ? WHERE number = ?",
                (*facts.values(), stamp(self.org.clock()), job.number),
            )
        return self.find(job.number)

    def delete(self, job: Job) -> None:
        with self.org.store.writing() as connection:
            connection.execute("DELETE FROM _job WHERE number = ?", (job.number,))
            connection.execute("DELETE FROM _job_row WHERE job = ?", (job.number,))
        for path in self.folder.glob(f"{job.number}.*"):
            path.unlink()

    def submit(self, job: Job) -> None:
        self._waiting.put(job.number)

    def input_file(self, job: Job) -> Path:
        return self.folder / f"{job.number}.input.csv"

    def result_file(self, job: Job) -> Path:
        return self.folder / f"{job.number}.result.csv"

    def offsets(self, job: Job) -> array[int]:
        """Where each record of a query's result begins in its file, and where the last one ends."""
        places: array[int] = array("q")
        places.frombytes((self.folder / f"{job.number}.offsets").read_bytes())
        return places

    def rows(self, job: Job) -> dict[int, sqlite3.Row]:
        rows = self.org.store.connection().execute("SELECT * FROM _job_row WHERE job = ?", (job.number,))
        return {int(row["line"]): row for row in rows}

    def _work(self) -> None:
        while not self._stopping.is_set():
            number = self._waiting.get()
            try:
                job = self.find(number)
                if job.state in ("UploadComplete", "InProgress"):
                    self._run(job)
            except Refused:
                continue  # deleted meanwhile

    def _run(self, job: Job) -> None:
        begun = self.org.clock()
        job = self.change(job, state="InProgress")
        occasion = Occasion(
            "BULK", f"/services/data/v{job.version}.0/jobs/{job.kind}/{job.id}", objects=frozenset({job.object.lower()})
        )
        fault = self.org.faults.course_of_job(occasion)
        if fault is not None and fault[0] == "bulk_stuck":
            return
        try:
            with self.org.faults.occasion(occasion):
                if job.kind == "query":
                    self._query(job)
                else:
                    self._ingest(job, most=None if fault is None else int(fault[1]["rows"]))
        except Refused as refused:
            self.change(job, state="Failed", error_message=f"{refused.code} : {refused.message}")
            return
        except (sqlite3.Error, OSError) as broken:
            self.change(job, state="Failed", error_message=f"InternalServerError : {broken}")
            return
        if fault is not None:
            state = "Failed" if fault[0] == "bulk_failed" else "Aborted"
            self.change(job, state=state, error_message=str(fault[1].get("message", "")))
            return
        if self.find(job.number).state == "InProgress" and not self._stopping.is_set():
            spent = int((self.org.clock() - begun).total_seconds() * 1000)
            self.change(job, state="JobComplete", milliseconds=job.milliseconds + spent)

    def _query(self, job: Job) -> None:
        caller = caller_for(self.org, job.user_id)
        compiled = compile_query(self.org, job.query, caller, with_deleted=job.operation == "queryAll")
        written = write_result(self, job, compiled)
        self.change(job, processed=written)

    def _ingest(self, job: Job, *, most: int | None = None) -> None:
        """All rows not done yet, or the first `most` of them."""
        caller = caller_for(self.org, job.user_id)
        thing = self.org.schema.objects[job.object]
        rows = enumerate(read_rows(self.input_file(job), job, thing), start=1)
        done = {int(line) for line in self.rows(job)}
        chunk: list[tuple[int, dict[str, object]]] = []
        for line, values in rows:
            if line in done:
                continue
            if most is not None and line > most:
                break
            chunk.append((line, values))
            if len(chunk) == CHUNK:
                self._save_chunk(job, caller, chunk)
                chunk = []
                if self._stopping.is_set() or self.find(job.number).state != "InProgress":
                    return
        if chunk:
            self._save_chunk(job, caller, chunk)

    def _save_chunk(self, job: Job, caller: Caller, chunk: list[tuple[int, dict[str, object]]]) -> None:
        with self.org.records.transaction():
            connection = self.org.store.connection()
            results = [(line, save_row(self.org, job, caller, values)) for line, values in chunk]
            connection.executemany(
                "INSERT INTO _job_row (job, line, record_id, created, error) VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        job.number,
                        line,
                        result.id,
                        int(result.created),
                        None if result.success else row_error(result.errors[0]),
                    )
                    for line, result in results
                ],
            )
            failed = sum(not result.success for _line, result in results)
            connection.execute(
                "UPDATE _job SET processed = processed + ?, failed = failed + ?, changed_at = ? WHERE number = ?",
                (len(results), failed, stamp(self.org.clock()), job.number),
            )


def save_row(org: Org, job: Job, caller: Caller, values: dict[str, object]) -> SaveResult:
    """One row. There is no header to let duplicates pass here: a rule that would only warn blocks."""
    options = WriteOptions(auto_assign=job.assignment_rule or False, as_text=True)
    if job.operation == "insert":
        return insert_record(org, caller, job.object, values, options)
    if job.operation == "upsert":
        return save_upsert(org, job, caller, values, options)
    record_id = next((str(value) for name, value in values.items() if name.lower() == "id" and value), None)
    if record_id is None:
        return SaveResult.refused(RecordError("MISSING_ARGUMENT", "Id not specified"))
    if job.operation in ("delete", "hardDelete"):
        return org.records.delete(caller, job.object, record_id)
    rest = {name: value for name, value in values.items() if name.lower() != "id"}
    return update_record(org, caller, job.object, record_id, rest, options)


def save_upsert(org: Org, job: Job, caller: Caller, values: dict[str, object], options: WriteOptions) -> SaveResult:
    wanted = job.external_field.lower()
    external_value = next((value for name, value in values.items() if name.lower() == wanted), None)
    rest = {name: value for name, value in values.items() if name.lower() != wanted}
    if external_value is None:
        return SaveResult.refused(RecordError("MISSING_ARGUMENT", f"{job.external_field} not specified"))
    result = upsert_record(org, caller, job.object, rest, options, by=(job.external_field, external_value))
    if isinstance(result, list):
        complaint = f"{job.external_field}: more than one record found for external id field: [{', '.join(result)}]"
        return SaveResult.refused(RecordError("DUPLICATE_EXTERNAL_ID", complaint, (job.external_field,)))
    return result


def row_error(error: RecordError) -> str:
    """`CODE:message:fields --`, as `sf__Error` has it."""
    return f"{error.code}:{error.message}:{','.join(error.fields)} --"


def read_rows(path: Path, job: Job, thing: OrgObject) -> Iterator[dict[str, object]]:
    """Rows of the input. An empty cell is left out, `#N/A` empties the field; the header must name fields."""
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=DELIMITERS[job.delimiter], strict=True)
        try:
            header = next(reader, None)
            if not header:
                raise Refused(400, "InvalidBatch", "The CSV file has no header")
            check_header(header, thing)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    complaint = f"Row {reader.line_num} has {len(row)} columns, the header {len(header)}"
                    raise Refused(400, "InvalidBatch", complaint)
                yield {
                    name: None if value == NOTHING else value
                    for name, value in zip(header, row, strict=True)
                    if value != ""
                }
        except (csv.Error, UnicodeDecodeError) as unreadable:
            raise Refused(400, "InvalidBatch", f"The CSV cannot be read: {unreadable}") from unreadable


def check_header(header: list[str], thing: OrgObject) -> None:
    for name in header:
        if "." not in name and name not in thing.fields:
            raise Refused(400, "InvalidBatch", f"Field name not found : {name}")


def write_result(jobs: Jobs, job: Job, compiled: Compiled) -> int:
    """The whole result as CSV, and where each record begins, so that any page is one read of the file."""
    outputs = [(output.field, output.column) for output in compiled.outputs]
    ending = LINE_ENDINGS[job.line_ending]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITERS[job.delimiter], lineterminator=ending, quoting=csv.QUOTE_ALL)
    places: array[int] = array("q")
    with jobs.result_file(job).open("wb") as result:
        writer.writerow([output.name for output in compiled.outputs])
        for row in flat_rows(jobs.org, compiled):
            result.write(drained(buffer))
            places.append(result.tell())
            writer.writerow([cell(field, row[column]) for field, column in outputs])
        result.write(drained(buffer))
        places.append(result.tell())
    (jobs.folder / f"{job.number}.offsets").write_bytes(places.tobytes())
    return len(places) - 1


def drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
