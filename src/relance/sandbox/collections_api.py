"""Collections: up to 200 records in one call, each row with its own outcome, or all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relance.sandbox.errors import Refused, refuse_json
from relance.sandbox.exchange import Request, Response, Route, json_response, route
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcome_bodies import refuse_unreadable, row_body
from relance.sandbox.outcomes import RecordError, SaveResult, WriteOptions
from relance.sandbox.rest import external_field, known_object, read_records, wanted_fields
from relance.sandbox.writes import insert_record, update_record, upsert_record

LARGEST_WRITE = 200
LARGEST_READ = 2000
MOST_CHUNKS = 10
ROLLED_BACK = RecordError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)
Save = Callable[[dict[str, Any]], SaveResult]


class NotAll(Exception):
    """Some rows failed and the client wanted all or none: what was written is undone."""

    def __init__(self, results: list[SaveResult]) -> None:
        super().__init__()
        self.results = results


def create_many_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    records, all_or_none = read_collection(request)
    options = request.options()

    def save(record: dict[str, Any]) -> SaveResult:
        return insert_record(org, request.caller, type_of(record), values_of(record), options)

    return json_response([row_body(result) for result in save_all(org, records, save, all_or_none=all_or_none)])


def update_many_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    records, all_or_none = read_collection(request)
    options = request.options()

    def save(record: dict[str, Any]) -> SaveResult:
        record_id, values = split_id(values_of(record))
        if record_id is None:
            return SaveResult.refused(RecordError("MISSING_ARGUMENT", "Id not specified in an update call", ("Id",)))
        return update_record(org, request.caller, type_of(record), record_id, values, options)

    return json_response([row_body(result) for result in save_all(org, records, save, all_or_none=all_or_none)])


def upsert_many_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"])
    field = external_field(thing, request, parts["field"])
    records, all_or_none = read_collection(request)
    options = request.options()

    def save(record: dict[str, Any]) -> SaveResult:
        return upsert_row(org, request, thing.name, field.name, values_of(record), options)

    results = save_all(org, records, save, all_or_none=all_or_none)
    return json_response([row_body(result, says_created=True) for result in results])


def upsert_row(
    org: Org, request: Request, thing: str, field: str, values: dict[str, Any], options: WriteOptions
) -> SaveResult:
    """One row by its external id, which must be among its values; several records with that value are the row's error."""
    key = next((name for name in values if name.lower() == field.lower()), None)
    external_value = values.pop(key) if key is not None else None
    if external_value in (None, ""):
        return SaveResult.refused(RecordError("MISSING_ARGUMENT", f"{field} not specified"))
    result = upsert_record(org, request.caller, thing, values, options, by=(field, external_value))
    if isinstance(result, list):
        complaint = f"{field}: more than one record found for external id field: [{', '.join(result)}]"
        return SaveResult.refused(RecordError("DUPLICATE_EXTERNAL_ID", complaint, (field,)))
    return result


def delete_many_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    ids = [part.strip() for part in request.query.get("ids", "").split(",") if part.strip()]
    if not ids:
        raise Refused(400, "MISSING_ARGUMENT", "ids is a required parameter")
    refuse_more_than(len(ids), LARGEST_WRITE)
    all_or_none = request.query.get("allOrNone", "false").lower() == "true"
    rows = [{"attributes": {"type": object_of(org, record_id)}, "id": record_id} for record_id in ids]

    def delete(row: dict[str, Any]) -> SaveResult:
        thing = type_of(row)
        if not thing:
            return SaveResult.refused(RecordError("MALFORMED_ID", f"malformed id {row['id']}"))
        return org.records.delete(request.caller, thing, row["id"])

    return json_response([row_body(result) for result in save_all(org, rows, delete, all_or_none=all_or_none)])


def read_many_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """GET names ids and fields in the address, POST in the body, which has room for two thousand."""
    thing = known_object(org, request, parts["thing"])
    if request.method == "POST":
        content = request.json_object()
        ids, fields = list(content.get("ids") or ()), list(content.get("fields") or ())
    else:
        ids, fields = [part for part in request.query.get("ids", "").split(",") if part], wanted_fields(request)
    if not ids or not fields:
        raise Refused(400, "MISSING_ARGUMENT", f"{'ids' if not ids else 'fields'} is a required parameter")
    refuse_more_than(len(ids), LARGEST_READ)
    wanted = [tolerant_id(record_id) for record_id in ids]
    found = read_records(org, request, thing, [record_id for record_id in wanted if record_id], fields)
    return json_response([found.get(record_id) for record_id in wanted])


def save_all(org: Org, records: list[dict[str, Any]], save: Save, *, all_or_none: bool) -> list[SaveResult]:
    """Rows in order, in one transaction. With all-or-none, good rows tell that they were rolled back with the bad."""
    try:
        with org.records.transaction():
            results = []
            for record in records:
                result = save(record)
                refuse_unreadable(result)
                results.append(result)
            if all_or_none and not all(result.success for result in results):
                raise NotAll(results)
    except NotAll as undone:
        return [SaveResult.refused(ROLLED_BACK) if result.success else result for result in undone.results]
    return results


def read_collection(request: Request) -> tuple[list[dict[str, Any]], bool]:
    content = request.json_object()
    records = content.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise refuse_json("The records of a collection must be a list of objects at [line:1, column:1]")
    refuse_more_than(len(records), LARGEST_WRITE)
    chunks = sum(
        1
        for place, record in enumerate(records)
        if place == 0 or type_of(record).lower() != type_of(records[place - 1]).lower()
    )
    if chunks > MOST_CHUNKS:
        complaint = f"Request contains {chunks} chunks of object types, more than the {MOST_CHUNKS} allowed"
        raise Refused(400, "LIMIT_EXCEEDED", complaint)
    return records, content.get("allOrNone") is True


def refuse_more_than(count: int, most: int) -> None:
    if count > most:
        raise Refused(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {most} records in this operation"
        )


def type_of(record: Mapping[str, Any]) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type") or "") if isinstance(attributes, dict) else ""


def values_of(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}


def split_id(values: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The id, which clients spell `id` or `Id`, and the rest."""
    found = next((str(value) for name, value in values.items() if name.lower() == "id" and value), None)
    return found, {name: value for name, value in values.items() if name.lower() != "id"}


def object_of(org: Org, record_id: str) -> str:
    """The object an id belongs to, by its prefix; nothing if it is no id of ours."""
    wanted = tolerant_id(record_id)
    if not wanted:
        return ""
    return next((thing.name for thing in org.schema.objects if thing.key_prefix == wanted[:3]), "")


def tolerant_id(text: object) -> str:
    try:
        return whole_id(text)
    except MalformedId:
        return ""


ROUTES: list[Route] = [
    route("POST", "composite/sobjects", create_many_view),
    route("PATCH", "composite/sobjects", update_many_view),
    route("DELETE", "composite/sobjects", delete_many_view),
    route("GET", "composite/sobjects/{thing}", read_many_view),
    route("POST", "composite/sobjects/{thing}", read_many_view),
    route("PATCH", "composite/sobjects/{thing}/{field}", upsert_many_view),
]
