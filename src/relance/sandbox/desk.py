"""The front desk: every request passes here once, finds its view, and leaves with the CRM's own body even when it is refused.

`answer` is the single point where a request meets the org: before it nothing is done, after it everything is committed.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import traceback

from relance.sandbox import (
    admin_api,
    bulk,
    collections_api,
    composite,
    composite_graph,
    limits,
    metadata_soap,
    oauth,
    oauth_web,
    page,
    queries_api,
    rest,
    soap,
    tooling,
    ui_api,
)
from relance.sandbox.access import caller_for
from relance.sandbox.errors import OAuthRefused, Refused, refuse_path
from relance.sandbox.exchange import Request, Response, Route, json_response, match_route
from relance.sandbox.fault_match import Occasion
from relance.sandbox.org import Org
from relance.sandbox.versions import LATEST, OLDEST, list_versions

SESSION_ID = re.compile(rb"sessionId[^>]*>\s*([^<\s]+)")
# The fixed addresses come first: `composite/sobjects` would otherwise be read as a record of an object.
DATA_ROUTES: list[Route] = [
    *queries_api.ROUTES,
    *tooling.ROUTES,
    *limits.ROUTES,
    *composite.ROUTES,
    *composite_graph.ROUTES,
    *ui_api.ROUTES,
    *collections_api.ROUTES,
    *bulk.ROUTES,
    *rest.ROUTES,
]
OTHER_ROUTES: list[Route] = [
    *oauth.ROUTES,
    *oauth_web.ROUTES,
    *soap.ROUTES,
    *metadata_soap.ROUTES,
    *admin_api.ROUTES,
    *page.ROUTES,
]


def answer(org: Org, request: Request) -> Response:
    """The answer to any request at all, and what the faults asked for make of it."""
    if request.segments[:1] == ("sandbox",) or not request.segments:
        return undisturbed_answer(org, request)
    with org.faults.occasion(occasion_of(org, request)) as struck:
        response = org.faults.answer_before(org, request) or undisturbed_answer(org, request)
        org.faults.settle_after(org, response)
        response.faults = struck
        return response


def undisturbed_answer(org: Org, request: Request) -> Response:
    try:
        return find_answer(org, request)
    except Refused as refused:
        return refused_answer(refused)
    except OAuthRefused as refused:
        response = json_response(refused.body(), refused.status)
        response.error_code = refused.error
        return response


def occasion_of(org: Org, request: Request) -> Occasion:
    """What the faults look at of a request."""

    def user() -> tuple[str, str]:
        in_envelope = SESSION_ID.search(request.body[:20_000])
        token = request.header("Authorization").partition(" ")[2] or (in_envelope[1].decode() if in_envelope else "")
        session = org.sessions.find(token.strip(), org.clock())
        return (session.user_id, str(oauth.user_fact(org, session.user_id, "Username"))) if session else ("", "")

    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    address = f"{request.path}?{query}" if query else request.path
    return Occasion(request.method, address, request.body, user, job_objects(org, request))


def job_objects(org: Org, request: Request) -> frozenset[str] | None:
    """A job's addresses do not name its object."""
    segments = request.segments
    if org.jobs is None or len(segments) < 6 or segments[3] != "jobs":
        return None
    job = org.jobs.named(segments[5])
    return frozenset({job.object.lower()}) if job else None


def find_answer(org: Org, request: Request) -> Response:
    segments = request.segments
    if segments[:2] == ("services", "data"):
        if len(segments) == 2 and request.method in ("GET", "HEAD"):
            return json_response(list_versions())
        request.caller = caller_for(org, oauth.open_session(org, request, org.clock()).user_id)
        if "user:apienabled" in request.caller.without:
            raise Refused(403, "API_CURRENTLY_DISABLED", "API is disabled for this User")
        request.answer_part = answer_data_call
        org.empty_old_bin()
        org.allowance.spend()
        if org.allowance.is_exhausted:
            raise Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        response = answer_data_call(org, request)
        response.headers["Sforce-Limit-Info"] = limits.limit_info(org)
        return response
    found = match_route(OTHER_ROUTES, request.method, segments)
    if found is None:
        raise refuse_path()
    view, parts = found
    return view(org, request, parts)


def answer_data_call(org: Org, request: Request) -> Response:
    """A call under /services/data, its caller known: also what each part of a composite request becomes."""
    try:
        request.version = read_version(request.segments[2] if len(request.segments) > 2 else "")
        found = match_route(DATA_ROUTES, request.method, request.segments[3:])
        if found is None:
            raise refuse_path()
        view, parts = found
        return view(org, request, parts)
    except Refused as refused:
        return refused_answer(refused)
    except sqlite3.Error:
        # A fault of ours, told as the CRM tells its own: a client must live with it, and we must read of it.
        traceback.print_exc(file=sys.stderr)
        return refused_answer(Refused(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."))


def read_version(segment: str) -> int:
    number = segment.removeprefix("v").removesuffix(".0")
    if not segment.startswith("v") or not number.isdigit():
        raise refuse_path()
    version = int(number)
    if version < OLDEST:
        raise Refused(410, "UNSUPPORTED_API_VERSION", "The requested resource is no longer available")
    if version > LATEST:
        raise refuse_path()
    return version


def refused_answer(refused: Refused) -> Response:
    response = json_response(refused.body(), refused.status)
    response.error_code = refused.code
    return response
