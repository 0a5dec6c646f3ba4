"""The kinds of faults: what each does to the answer, its delivery, a record, a job, or a user's rights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relance.sandbox.draft import Draft
from relance.sandbox.exchange import Delivery, Response, json_response
from relance.sandbox.fault_match import FaultMisasked
from relance.sandbox.fault_records import RECORDS
from relance.sandbox.ids import MalformedId, whole_id

if TYPE_CHECKING:
    from relance.sandbox.exchange import Request
    from relance.sandbox.org import Org

__all__ = ["ANSWERS", "BODIES", "DELIVERIES", "JOBS", "KINDS", "RECORDS", "RIGHTS", "Draft", "FaultMisasked", "Kind"]

Options = Mapping[str, Any]
DATA = "/services/data"
ANY = "/services/"
TOKENS = "/services/oauth2/token"
POLICY = "This session is not valid for use with the REST API"
OTHER_ORG = "00D5e000000Zz9x"
ACTIONS = ("create", "read", "edit", "delete")
MAINTENANCE = (
    "<!DOCTYPE html><html><head><title>Down for Maintenance</title></head><body><h1>We are down for maintenance.</h1>"
    "<p>Sorry for the inconvenience. We will be back shortly.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """`match` is what the fault waits for unless told otherwise; `options` are the names it takes, with their defaults."""

    name: str
    says: str
    match: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def options_of(self, asked: object) -> dict[str, Any]:
        if not isinstance(asked, Mapping):
            raise FaultMisasked("What a fault is given with `with` is an object.")
        unknown = sorted(set(asked) - set(self.options))
        if unknown:
            takes = ", ".join(sorted(self.options)) or "none"
            raise FaultMisasked(f"{self.name} takes no option {', '.join(unknown)}; it takes: {takes}.")
        given = {**self.options, **asked}
        missing = sorted(name for name, value in given.items() if value == "")
        if missing:
            raise FaultMisasked(f"{self.name} needs {', '.join(missing)}.")
        return given


def refusal(status: int, code: str, message: str) -> Response:
    response = json_response([{"message": message, "errorCode": code}], status)
    response.error_code = code
    return response


def rate_total(_org: Org, _request: Request, _options: Options) -> Response:
    return refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def rate_concurrent(_org: Org, _request: Request, _options: Options) -> Response:
    return refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")


def throttled(_org: Org, _request: Request, options: Options) -> Response:
    message = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
    response = json_response({"error": {"code": "0x80072322", "message": message}}, 429)
    response.headers["Retry-After"] = str(options["retry_after"])
    response.error_code = "0x80072322"
    return response


def delta_expired(_org: Org, _request: Request, _options: Options) -> Response:
    response = json_response({"error": {"code": "0x80044352", "message": "The delta token has expired."}}, 410)
    response.error_code = "0x80044352"
    return response


def unavailable(_org: Org, _request: Request, options: Options) -> Response:
    """The maintenance page: HTML where every client expects JSON."""
    headers = {} if options["retry_after"] is None else {"Retry-After": str(options["retry_after"])}
    return Response(503, MAINTENANCE.encode(), "text/html;charset=UTF-8", headers, error_code="SERVER_UNAVAILABLE")


def session_expired(org: Org, request: Request, options: Options) -> Response:
    """The session is really over; what a refresh will find is chosen here."""
    token = request.header("Authorization").partition(" ")[2].strip()
    session = org.sessions.find(token, org.clock())
    if session is not None and session.lasts is not None:
        org.sessions.end(token)
    if options["refresh"] == "refused":
        if all(each.kind.name != "token_refused" for each in org.faults.all()):
            org.faults.add({"kind": "token_refused"})
    elif options["refresh"] == "rotated":
        org.settings.change({"rotate_refresh_tokens": True})
    return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def session_policy(_org: Org, _request: Request, _options: Options) -> Response:
    return refusal(401, "INVALID_SESSION_ID", POLICY)


def perm_api(_org: Org, _request: Request, _options: Options) -> Response:
    return refusal(403, "API_CURRENTLY_DISABLED", "API is disabled for this User")


def token_refused(org: Org, request: Request, options: Options) -> Response:
    description = str(options["description"])
    response = json_response({"error": str(options["error"]), "error_description": description}, 400)
    response.error_code = str(options["error"])
    org.logins.note_failure(request, description)
    return response


def locator_gone(_org: Org, _request: Request, _options: Options) -> Response:
    return refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def refuse(_org: Org, _request: Request, options: Options) -> Response:
    """Whatever else a CRM or the network before it may answer."""
    if options["body"] is not None:
        body = options["body"] if isinstance(options["body"], str) else json.dumps(options["body"])
        kind = str(options["content_type"])
        return Response(int(options["status"]), body.encode(), kind, error_code=str(options["code"]))
    return refusal(int(options["status"]), str(options["code"]), str(options["message"]))


def drop_before(_org: Org, _request: Request, options: Options) -> Response:
    return Response(0, b"", "", delivery=Delivery(hangs_up=True, abruptly=bool(options["abruptly"])))


def org_swapped(org: Org, response: Response, options: Options) -> None:
    """The answers speak of another org: another id wherever ours stood, except inside the token itself."""
    other = whole_id(str(options["org_id"]))
    text = response.body.decode("utf-8", "replace").replace(org.org_id, other)
    response.body = re.sub(re.escape(org.org_id[:15]) + r"(?![0-9A-Za-z!])", other[:15], text).encode()
    response.packed = None


def share_of(options: Options) -> Delivery:
    return Delivery(kept_share=float(options["share"]), says_whole=bool(options["announced"]))


def perm_object(options: Options) -> tuple[set[str], set[str]]:
    name = str(options["object"]).lower()
    asked = options["actions"]
    actions = [asked] if isinstance(asked, str) else list(asked)
    taken = set(ACTIONS if "read" in actions else actions)  # who may not read may do nothing else
    return {f"{name}:{action}" for action in taken}, set()


def perm_field(options: Options) -> tuple[set[str], set[str]]:
    name = str(options["field"]).lower()
    return ({f"{name}:edit"} if options["keeps_read"] else {f"{name}:read", f"{name}:edit"}), set()


def perm_record(options: Options) -> tuple[set[str], set[str]]:
    asked = options["ids"]
    hidden: set[str] = set()
    for each in [asked] if isinstance(asked, str) else asked:
        try:
            hidden.add(whole_id(str(each)))
        except MalformedId:
            continue  # no record has this id, so none is hidden
    return set(), hidden


ANSWERS: dict[str, Callable[[Org, Request, Options], Response | None]] = {
    "rate_total": rate_total,
    "rate_concurrent": rate_concurrent,
    "dv_429": throttled,
    "delta_expired": delta_expired,
    "unavailable": unavailable,
    "session_expired": session_expired,
    "session_policy": session_policy,
    "perm_api": perm_api,
    "ip_restricted": token_refused,
    "token_refused": token_refused,
    "locator_gone": locator_gone,
    "drop_before": drop_before,
    "refuse": refuse,
}
BODIES: dict[str, Callable[[Org, Response, Options], None]] = {"org_swapped": org_swapped}
DELIVERIES: dict[str, Callable[[Options], Delivery]] = {
    "drop_after": lambda options: Delivery(hangs_up=True, abruptly=bool(options["abruptly"])),
    "drop_body": share_of,
    "slow": lambda options: Delivery(
        wait_seconds=float(options["header_seconds"]), seconds_a_byte=float(options["byte_seconds"])
    ),
}
RIGHTS: dict[str, Callable[[Options], tuple[set[str], set[str]]]] = {
    "perm_object": perm_object,
    "perm_field": perm_field,
    "perm_record": perm_record,
}
JOBS = frozenset({"bulk_stuck", "bulk_failed", "bulk_abort"})
ONE_ROW = {"field": None, "message": None}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("rate_total", "The allowance of the day is used up.", {"path": DATA}),
        Kind("rate_concurrent", "Too many long requests at once.", {"path": DATA}),
        Kind(
            "dv_429", "Throttled, and told how long to wait (Dataverse).", {"path": "/api/data/"}, {"retry_after": 17}
        ),
        Kind("delta_expired", "The delta token is refused (Dataverse).", {"path": "deltatoken"}),
        Kind("unavailable", "Down for maintenance: 503 and a page of HTML.", {"path": ANY}, {"retry_after": None}),
        Kind("lock_row", "Another transaction holds the record.", {}, {"holder": None}),
        Kind("partial", "Every second record breaks a rule of the org.", {"every": 2}, {"rule": None, **ONE_ROW}),
        Kind("dup_rule", "A duplicate rule blocks.", {}, {"rule": None, "message": None, "matches": None}),
        Kind("dup_alert", "A duplicate rule warns.", {}, {"rule": None, "message": None, "matches": None}),
        Kind("validation", "A validation rule refuses.", {}, {"rule": None, **ONE_ROW}),
        Kind("picklist", "A restricted list has no such value.", {}, ONE_ROW),
        Kind("required", "A required field is missing.", {}, ONE_ROW),
        Kind("too_long", "A text is too long.", {}, ONE_ROW),
        Kind(
            "refuse_record",
            "Any other refusal of a record.",
            {},
            {"code": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": "The trigger failed.", "fields": ()},
        ),
        Kind(
            "ip_restricted",
            "Login from this address is not allowed.",
            {"path": TOKENS},
            {"error": "invalid_grant", "description": "ip restricted"},
        ),
        Kind(
            "token_refused",
            "No new token is given.",
            {"path": TOKENS},
            {"error": "invalid_grant", "description": "expired access/refresh token"},
        ),
        Kind("perm_object", "The user loses rights on an object.", {}, {"object": "", "actions": ACTIONS}),
        Kind("perm_field", "The user loses a field.", {}, {"field": "", "keeps_read": False}),
        Kind("perm_record", "The user no longer sees records.", {}, {"ids": ()}),
        Kind("perm_api", "The user loses the API.", {"path": DATA}),
        Kind("session_expired", "The session is over.", {"path": DATA, "times": 1}, {"refresh": "ok"}),
        Kind("session_policy", "A policy refuses the session, whatever is refreshed.", {"path": DATA}),
        Kind("drop_before", "The line is cut before anything is done.", {"path": ANY}, {"abruptly": False}),
        Kind("drop_after", "All is done, and the line is cut before the answer.", {"path": ANY}, {"abruptly": False}),
        Kind("drop_body", "The line is cut within the body.", {"path": ANY}, {"share": 0.5, "announced": True}),
        Kind("slow", "The answer takes its time.", {"path": ANY}, {"header_seconds": 25, "byte_seconds": 1}),
        Kind("locator_gone", "The cursor is gone on page three.", {"path": "/query/01g,/queryAll/01g", "nth": 2}),
        Kind("late_commit", "What is written is stamped in the past.", {"path": ANY}, {"seconds": 90}),
        Kind("clock_skew", "The org's clock is wrong.", {}, {"seconds": 300}),
        Kind("org_swapped", "The answers are those of another org.", {"path": "/"}, {"org_id": OTHER_ORG}),
        Kind("bulk_stuck", "The job never ends."),
        Kind(
            "bulk_failed",
            "The job fails.",
            {},
            {"message": "InternalServerError : Unable to process the job", "rows": 0},
        ),
        Kind("bulk_abort", "An administrator aborts the job.", {}, {"rows": 0}),
        Kind("actor", "Somebody acts in the org meanwhile.", {"times": 1}, {"name": "", "with": {}, "when": "before"}),
        Kind(
            "refuse",
            "Any other answer.",
            {"path": ANY},
            {
                "status": 500,
                "code": "UNKNOWN_EXCEPTION",
                "message": "An unexpected error occurred.",
                "body": None,
                "content_type": "text/html;charset=UTF-8",
            },
        ),
    )
}
