"""The Tooling addresses: queries about the org's own make, and single rules with their formulas."""

from __future__ import annotations

import re
from dataclasses import replace

from relance.sandbox.describe import describe_global, describe_object
from relance.sandbox.errors import Refused, refuse_path
from relance.sandbox.exchange import Request, Response, Route, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.queries_api import LOCATOR, page_size
from relance.sandbox.reified import settle
from relance.sandbox.rest import known_object, read_records, wanted_fields
from relance.sandbox.soql import QueryCall, answer_locator, answer_query, compile_query

WHOLE = re.compile(r"\bSELECT\b.*?\b(Metadata|FullName)\b.*?\bFROM\b", re.I | re.S)


def query_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    text = request.query.get("q")
    if text is None:
        raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    settle(org, text, request.caller)
    call = QueryCall(
        request.caller,
        f"{request.base}/tooling",
        batch=page_size(request.header("Sforce-Query-Options")),
        wants_columns=request.query.get("columns", "").lower() == "true",
    )
    answer = answer_query(org, text, call)
    if call.wants_columns:
        return json_response(answer)
    total = int(str(answer["totalSize"]))
    compiled = compile_query(org, text, request.caller)
    if WHOLE.search(text) and compiled.thing.kind == "tooling" and total > 1:
        raise Refused(
            400,
            "MALFORMED_QUERY",
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more than one row"
            f" for retrieval. Result size: {total}",
        )
    return json_response({"size": total, "queryLocator": None, "entityTypeName": compiled.thing.name, **answer})


def locator_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    if not LOCATOR.fullmatch(parts["locator"]):
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return json_response(answer_locator(org, parts["locator"], QueryCall(request.caller, f"{request.base}/tooling")))


def objects_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    return json_response(describe_global(org, request.caller, f"{request.base}/tooling", kinds=("reified", "tooling")))


def describe_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"], tooling=True)
    return json_response(describe_object(org, thing, request.caller, f"{request.base}/tooling"))


def record_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    thing = known_object(org, request, parts["thing"], tooling=True)
    settle(org, f"SELECT Id FROM {thing.name} WHERE DurableId != null", request.caller)
    found = read_records(org, replace(request), thing, [parts["id"]], wanted_fields(request))
    if parts["id"] not in found:
        raise refuse_path()
    record = found[parts["id"]]
    record["attributes"] = {"type": thing.name, "url": f"{request.base}/tooling/sobjects/{thing.name}/{parts['id']}"}
    return json_response(record)


ROUTES: list[Route] = [
    route("GET", "tooling/query", query_view),
    route("GET", "tooling/query/{locator}", locator_view),
    route("GET", "tooling/sobjects", objects_view),
    route("GET", "tooling/sobjects/{thing}/describe", describe_view),
    route("GET", "tooling/sobjects/{thing}/{id}", record_view),
]
