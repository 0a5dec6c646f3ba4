"""The query addresses: query, queryAll, and the pages behind a locator."""

from __future__ import annotations

import re

from relance.sandbox.errors import Refused, refuse_object
from relance.sandbox.exchange import Request, Response, Route, header_flags, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.reified import settle
from relance.sandbox.soql import PAGE, SMALLEST_PAGE, QueryCall, answer_locator, answer_query, compile_query

LOCATOR = re.compile(r"01g[0-9A-Za-z]{12,15}-\d+")


def query_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    return answer(org, request, with_deleted=False)


def query_all_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    return answer(org, request, with_deleted=True)


def locator_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """Some clients repeat `q` here: the locator alone counts."""
    if not LOCATOR.fullmatch(parts["locator"]):
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return json_response(answer_locator(org, parts["locator"], QueryCall(request.caller, request.base)))


def answer(org: Org, request: Request, *, with_deleted: bool) -> Response:
    text = request.query.get("q")
    if text is None:
        raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    settle(org, text, request.caller)
    thing = compile_query(org, text, request.caller, with_deleted=with_deleted).thing
    if thing.kind == "tooling":
        raise refuse_object(thing.name)
    call = QueryCall(
        caller=request.caller,
        base=request.base,
        with_deleted=with_deleted,
        batch=page_size(request.header("Sforce-Query-Options")),
        wants_columns=request.query.get("columns", "").lower() == "true",
    )
    return json_response(answer_query(org, text, call))


def page_size(header: str) -> int:
    """`batchSize=500`, held between the smallest and the largest page there is."""
    asked = header_flags(header).get("batchsize", "")
    return min(PAGE, max(SMALLEST_PAGE, int(asked))) if asked.isdigit() else PAGE


ROUTES: list[Route] = [
    route("GET", "query", query_view),
    route("GET", "queryAll", query_all_view),
    route("GET", "query/{locator}", locator_view),
    route("GET", "queryAll/{locator}", locator_view),
]
