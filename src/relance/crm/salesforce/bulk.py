"""Bulk 2.0: whole objects out as CSV. A job costs one of ten thousand a day, and comes in pages as large as we like."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from relance.crm.dialect import CrmBusy, CrmError, Layer, Move, RowError
from relance.crm.salesforce.errors import error_from_words
from relance.crm.salesforce.errors_catalogue import known_code
from relance.crm.salesforce.rest import Rest, json_of, unreadable
from relance.crm.salesforce.wire import BULK_DEADLINE_SECONDS, Answer

ROWS_IN_A_PAGE = 50_000
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
JOB_DEADLINE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class BulkPage:
    raw: bytes
    count: int
    last: bool
    server_now: datetime | None


def bulk_query(
    rest: Rest, soql: str, *, with_deleted: bool, rows_in_a_page: int = ROWS_IN_A_PAGE
) -> Iterator[BulkPage]:
    """Run a query as a job and give its pages. The job is removed at the end, also when the reader stops half-way."""
    asked = {"operation": "queryAll" if with_deleted else "query", "query": soql}
    created = rest.read("POST", "jobs/query", told=asked)
    job = str(json_of(created, during="POST jobs/query")["id"])
    try:
        _wait_for(rest, job)
        locator = ""
        while True:
            answer = _results(rest, job, locator=locator, rows_in_a_page=rows_in_a_page)
            locator = answer.headers.get("sforce-locator", "null")
            yield BulkPage(answer.body, _counted(answer), locator == "null", created.server_now)
            if locator == "null":
                return
    finally:
        _forget(rest, job)


def _results(rest: Rest, job: str, *, locator: str, rows_in_a_page: int) -> Answer:
    params = {"maxRecords": str(rows_in_a_page)} | ({"locator": locator} if locator else {})
    return rest.read(
        "GET",
        f"jobs/query/{job}/results",
        params=params,
        headers={"Accept": "text/csv"},
        deadline=BULK_DEADLINE_SECONDS,
    )


def _counted(answer: Answer) -> int:
    """Rows in a page, counted and compared with what was promised: a page cut at a line's end would look whole."""
    # The csv module alone reads NULL and NA as the words they are.
    lines = csv.reader(io.StringIO(answer.body.decode("utf-8"), newline=""))
    count = max(sum(1 for line in lines if line) - 1, 0)
    promised = answer.headers.get("sforce-numberofrecords", "")
    if promised.isdigit() and int(promised) != count:
        raise unreadable(answer, during="GET jobs/query/results")
    return count


def _wait_for(rest: Rest, job: str) -> None:
    until = time.monotonic() + JOB_DEADLINE_SECONDS
    pause = FIRST_PAUSE_SECONDS
    while time.monotonic() < until:
        answer = rest.get(f"jobs/query/{job}")
        told = json_of(answer, during="GET jobs/query")
        match str(told.get("state")):
            case "JobComplete":
                return
            case "Failed" | "Aborted" as state:
                raise _failed(answer, state, str(told.get("errorMessage") or ""))
        time.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE_SECONDS)
    raise CrmBusy(
        code="BULK_JOB_STUCK",
        message=f"Bulk job {job} had not ended after an hour.",
        layer=Layer.LIMIT,
        move=Move.CRM_ADMIN,
        remedy="bulk_stuck",
        during="GET jobs/query",
    )


def _failed(answer: Answer, state: str, message: str) -> CrmError:
    # "INVALID_FIELD: No such column…", when the reason is a code; free text otherwise.
    code, _, rest_of_it = message.partition(":")
    named = code.strip() if code.strip().isupper() else f"BULK_JOB_{state.upper()}"
    return error_from_words(
        RowError(named, rest_of_it.strip() if named == code.strip() else message),
        known=known_code(named, message),
        status=answer.status,
        headers=answer.headers,
        text=answer.body.decode("utf-8", "replace"),
        during="GET jobs/query",
        wrote_perhaps=None,
    )


def _forget(rest: Rest, job: str) -> None:
    try:
        rest.read("DELETE", f"jobs/query/{job}")
    except CrmError:
        return  # it goes by itself after seven days
