"""Bulk API 2.0: ingest jobs and query jobs, their states, their files of results."""

from __future__ import annotations

import csv
import io
import re
import zlib
from typing import Any

from relance.sandbox.bulk_jobs import DELIMITERS, LINE_ENDINGS, Job, Jobs
from relance.sandbox.errors import Refused, refuse_object, refuse_path
from relance.sandbox.exchange import CSV, Request, Response, Route, empty_response, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.rest import rest_moment
from relance.sandbox.soql import compile_query
from relance.sandbox.soql_dates import read_moment
from relance.sandbox.soql_names import find_object

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
BIGGEST_UPLOAD = 150_000_000
AGGREGATE_REFUSAL = "Aggregate Relationships not supported in Bulk Query"


def open_ingest_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    content = request.json_object()
    thing = find_object(org.schema, request.caller, str(content.get("object", "")))
    if thing is None:
        refusal = refuse_object(str(content.get("object", "")))
        raise Refused(400, "INVALIDENTITY", f"Unable to find object: {content.get('object')}") from refusal
    operation = str(content.get("operation", ""))
    if operation not in OPERATIONS:
        raise invalid_job(f"Unknown operation: {operation}")
    external = str(content.get("externalIdFieldName") or "")
    if operation == "upsert":
        field = thing.fields.get(external)
        if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
            raise invalid_job(
                f"External ID field name is not valid for an upsert of {thing.name}: {external or 'none given'}"
            )
    job = jobs_of(org).open(
        kind="ingest",
        user_id=request.caller.user_id,
        version=request.version,
        operation=operation,
        object=thing.name,
        external_field=external,
        assignment_rule=str(content.get("assignmentRuleId") or ""),
        query="",
        state="Open",
        **file_form(content),
    )
    return json_response(ingest_info(org, job), 200)


def file_form(content: dict[str, Any]) -> dict[str, str]:
    delimiter = str(content.get("columnDelimiter") or "COMMA")
    ending = str(content.get("lineEnding") or "LF")
    if delimiter not in DELIMITERS:
        raise invalid_job(f"Unknown column delimiter: {delimiter}")
    if ending not in LINE_ENDINGS:
        raise invalid_job(f"Unknown line ending: {ending}")
    if content.get("contentType", "CSV") != "CSV":
        raise invalid_job(f"Unknown content type: {content.get('contentType')}")
    return {"delimiter": delimiter, "line_ending": ending}


def upload_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    job = ingest_job(org, parts)
    jobs = jobs_of(org)
    if job.state != "Open" or jobs.input_file(job).exists():
        raise Refused(
            400, "INVALIDJOBSTATE", "Found multiple contents for job, data can be uploaded only once, while it is open"
        )
    if len(request.body) > BIGGEST_UPLOAD:
        raise Refused(400, "TOO_LARGE", f"The upload is larger than {BIGGEST_UPLOAD} bytes")
    jobs.input_file(job).write_bytes(request.body)
    return empty_response(201)


def change_ingest_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    job = ingest_job(org, parts)
    wanted = str(request.json_object().get("state", ""))
    jobs = jobs_of(org)
    if wanted == "UploadComplete" and job.state == "Open":
        if not jobs.input_file(job).exists():
            jobs.input_file(job).write_bytes(b"")
        job = jobs.change(job, state="UploadComplete")
        jobs.submit(job)
    elif wanted == "Aborted" and job.state in ("Open", "UploadComplete", "InProgress"):
        job = jobs.change(job, state="Aborted")
    else:
        raise Refused(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be changed to {wanted or 'nothing'}")
    return json_response(ingest_info(org, job))


def ingest_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    return json_response(ingest_info(org, ingest_job(org, parts), with_progress=True))


def delete_ingest_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    job = ingest_job(org, parts)
    if job.state in ("Open", "InProgress"):
        raise Refused(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted: close or abort it first")
    jobs_of(org).delete(job)
    return empty_response()


def list_ingest_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    records = [ingest_info(org, job) for job in jobs_of(org).all("ingest")]
    return json_response({"done": True, "records": records, "nextRecordsUrl": None})


def successful_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    job = ingest_job(org, parts)
    rows = jobs_of(org).rows(job)
    lines = {line: [row["record_id"], flag(row["created"])] for line, row in rows.items() if row["error"] is None}
    return results_answer(org, job, ["sf__Id", "sf__Created"], lines)


def failed_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    job = ingest_job(org, parts)
    rows = jobs_of(org).rows(job)
    lines = {line: [row["record_id"] or "", row["error"]] for line, row in rows.items() if row["error"] is not None}
    return results_answer(org, job, ["sf__Id", "sf__Error"], lines)


def unprocessed_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    """Rows an aborted or failed job never came to; while it runs, nothing."""
    job = ingest_job(org, parts)
    done = jobs_of(org).rows(job)
    if job.state not in ("Aborted", "Failed"):
        return results_answer(org, job, [], {})
    count = len(input_rows(org, job)[1])
    return results_answer(org, job, [], {line: [] for line in range(1, count + 1) if line not in done})


def results_answer(org: Org, job: Job, added: list[str], lines: dict[int, list[str]]) -> Response:
    """Result rows, on purpose not in the order of the input: the real CRM promises none."""
    header, rows = input_rows(org, job)
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=DELIMITERS[job.delimiter], lineterminator=LINE_ENDINGS[job.line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerow([*added, *header])
    for line in sorted(lines, key=lambda line: zlib.crc32(str(line).encode())):
        writer.writerow([*lines[line], *rows[line - 1]])
    return Response(200, text.getvalue().encode(), CSV)


def input_rows(org: Org, job: Job) -> tuple[list[str], list[list[str]]]:
    path = jobs_of(org).input_file(job)
    if not path.exists():
        return [], []
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as text:
        rows = [row for row in csv.reader(text, delimiter=DELIMITERS[job.delimiter]) if row]
    return (rows[0], rows[1:]) if rows else ([], [])


def open_query_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    content = request.json_object()
    operation = str(content.get("operation", ""))
    if operation not in ("query", "queryAll"):
        raise invalid_job(f"Unknown operation: {operation}")
    text = str(content.get("query", ""))
    compiled = compile_query(org, text, request.caller, with_deleted=operation == "queryAll")
    if compiled.is_aggregate or compiled.query.is_count or compiled.shape.children or compiled.query.offset:
        raise Refused(400, "API_ERROR", AGGREGATE_REFUSAL)
    for output in compiled.outputs:
        if output.field is not None and output.field.type in ("address", "location"):
            complaint = f"Selecting compound data not supported in Bulk Query: {output.name}"
            raise Refused(400, "API_ERROR", complaint)
    jobs = jobs_of(org)
    job = jobs.open(
        kind="query",
        user_id=request.caller.user_id,
        version=request.version,
        operation=operation,
        object=compiled.thing.name,
        external_field="",
        assignment_rule="",
        query=text,
        state="UploadComplete",
        **file_form(content),
    )
    jobs.submit(job)
    return json_response(job_info(job))


def query_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    job = query_job(org, parts)
    info = job_info(job)
    if job.state not in ("UploadComplete", "InProgress"):
        info |= {"numberRecordsProcessed": job.processed, "retries": 0, "totalProcessingTime": job.milliseconds}
    if job.error_message:
        info["errorMessage"] = job.error_message
    return json_response(info)


def abort_query_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    job = query_job(org, parts)
    if request.json_object().get("state") != "Aborted" or job.state not in ("UploadComplete", "InProgress"):
        raise Refused(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be changed so")
    return json_response(job_info(jobs_of(org).change(job, state="Aborted")))


def delete_query_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    job = query_job(org, parts)
    if job.state in ("UploadComplete", "InProgress"):
        raise Refused(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted: abort it first")
    jobs_of(org).delete(job)
    return empty_response()


def list_query_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    records = [job_info(job) for job in jobs_of(org).all("query")]
    return json_response({"done": True, "records": records, "nextRecordsUrl": None})


def query_results_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """A page of the result. Without maxRecords all of it comes at once, however much it is."""
    job = query_job(org, parts)
    if job.state != "JobComplete":
        raise Refused(
            400, "INVALIDJOBSTATE", f"Job {job.id} is {job.state}: its results are there once it is JobComplete"
        )
    jobs = jobs_of(org)
    places = jobs.offsets(job)
    total = len(places) - 1
    start = read_locator(request.query.get("locator", ""))
    asked = request.query.get("maxRecords", "")
    end = min(total, start + int(asked)) if asked.isdigit() and int(asked) else total
    if start > total:
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    with jobs.result_file(job).open("rb") as result:
        header = result.read(places[0])
        result.seek(places[start])
        body = header + result.read(places[end] - places[start])
    locator = f"MT{end}" if end < total else "null"
    return Response(200, body, CSV, {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(end - start)})


def read_locator(text: str) -> int:
    if text in ("", "null"):
        return 0
    if not re.fullmatch(r"MT\d+", text):
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return int(text[2:])


def ingest_info(org: Org, job: Job, *, with_progress: bool = False) -> dict[str, object]:
    info = job_info(job)
    info["contentUrl"] = f"services/data/v{job.version}.0/jobs/ingest/{job.id}/batches"
    if job.assignment_rule:
        info["assignmentRuleId"] = job.assignment_rule
    if job.external_field:
        info["externalIdFieldName"] = job.external_field
    if with_progress:
        info |= {
            "retries": 0,
            "totalProcessingTime": job.milliseconds,
            "apiActiveProcessingTime": job.milliseconds,
            "apexProcessingTime": 0,
            "numberRecordsProcessed": job.processed,
            "numberRecordsFailed": job.failed,
        }
        if job.error_message:
            info["errorMessage"] = job.error_message
    return info


def job_info(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.user_id,
        "createdDate": rest_moment(read_moment(job.created_at)),
        "systemModstamp": rest_moment(read_moment(job.changed_at)),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "jobType": "V2Ingest" if job.kind == "ingest" else "V2Query",
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }


def ingest_job(org: Org, parts: dict[str, str]) -> Job:
    return known_job(org, parts, "ingest")


def query_job(org: Org, parts: dict[str, str]) -> Job:
    return known_job(org, parts, "query")


def known_job(org: Org, parts: dict[str, str], kind: str) -> Job:
    job = jobs_of(org).named(parts["job"])
    if job is None or job.kind != kind:
        raise refuse_path()
    return job


def jobs_of(org: Org) -> Jobs:
    assert org.jobs is not None
    return org.jobs


def invalid_job(complaint: str) -> Refused:
    return Refused(400, "INVALIDJOB", f"InvalidJob : {complaint}")


def flag(value: object) -> str:
    return "true" if value else "false"


ROUTES: list[Route] = [
    route("GET", "jobs/ingest", list_ingest_view),
    route("POST", "jobs/ingest", open_ingest_view),
    route("GET", "jobs/ingest/{job}", ingest_view),
    route("PATCH", "jobs/ingest/{job}", change_ingest_view),
    route("DELETE", "jobs/ingest/{job}", delete_ingest_view),
    route("PUT", "jobs/ingest/{job}/batches", upload_view),
    route("GET", "jobs/ingest/{job}/successfulResults", successful_view),
    route("GET", "jobs/ingest/{job}/failedResults", failed_view),
    route("GET", "jobs/ingest/{job}/unprocessedRecords", unprocessed_view),
    route("GET", "jobs/query", list_query_view),
    route("POST", "jobs/query", open_query_view),
    route("GET", "jobs/query/{job}", query_view),
    route("PATCH", "jobs/query/{job}", abort_query_view),
    route("DELETE", "jobs/query/{job}", delete_query_view),
    route("GET", "jobs/query/{job}/results", query_results_view),
]
