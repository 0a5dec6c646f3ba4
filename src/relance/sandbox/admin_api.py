"""The sandbox's own addresses, which no real CRM has: is it up, what was asked of it, which key does an app trust."""

from __future__ import annotations

from relance.sandbox.errors import Refused
from relance.sandbox.exchange import Request, Response, Route, empty_response, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.sessions import App
from relance.sandbox.soql_dates import stamp


def health_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    return json_response(
        {"ok": True, "org_id": org.org_id, "started_at": stamp(org.started_at), "api_usage": org.allowance.used}
    )


def requests_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """The log, oldest first: `?after=ID&method=POST&path=/sobjects/Lead&contains=aline@`; bodies too, since they are pretence."""
    numbers = {name: request.query.get(name, "") for name in ("after", "limit")}
    lines = org.journal.requests(
        after=int(numbers["after"]) if numbers["after"].isdigit() else 0,
        limit=int(numbers["limit"]) if numbers["limit"].isdigit() else 1000,
        method=request.query.get("method", "").upper(),
        path=request.query.get("path", ""),
        contains=request.query.get("contains", ""),
    )
    return json_response({"requests": lines})


def forget_requests_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    org.journal.forget_requests()
    return empty_response()


def app_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """Makes or changes a connected app: `{"client_id", "client_secret", "run_as", "public_key"}`."""
    content = request.json_object()
    client_id = str(content.get("client_id") or "")
    if not client_id:
        raise Refused(400, "MISSING_ARGUMENT", "client_id is required")
    before = org.sessions.app(client_id)
    app = App(
        client_id=client_id,
        client_secret=str(content.get("client_secret", before.client_secret if before else "")),
        run_as=str(content.get("run_as", before.run_as if before else org.user_id)),
        public_key=str(content.get("public_key", before.public_key if before else "")),
    )
    org.sessions.keep_app(app)
    return json_response({"client_id": app.client_id, "run_as": app.run_as}, 200 if before else 201)


ROUTES: list[Route] = [
    route("GET", "sandbox/health", health_view),
    route("GET", "sandbox/requests", requests_view),
    route("DELETE", "sandbox/requests", forget_requests_view),
    route("POST", "sandbox/apps", app_view),
]
