"""The sandbox's own addresses, which no real CRM has: is it up, what was asked of it, which key does an app trust."""

from __future__ import annotations

from relance.sandbox.actors import ACTORS, ActRefused, act
from relance.sandbox.errors import Refused
from relance.sandbox.exchange import Request, Response, Route, empty_response, json_response, route
from relance.sandbox.fault_file import add_faults
from relance.sandbox.fault_kinds import KINDS, FaultMisasked
from relance.sandbox.org import Org
from relance.sandbox.org_settings import SettingMissaid
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
    """Makes or changes a connected app: `{"client_id", "client_secret", "run_as", "public_key", "redirect_uris"}`."""
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
        redirect_uris=str(content.get("redirect_uris", before.redirect_uris if before else "")),
    )
    org.sessions.keep_app(app)
    return json_response({"client_id": app.client_id, "run_as": app.run_as}, 200 if before else 201)


def faults_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    kinds = {name: {"says": kind.says, "match": kind.match, "with": kind.options} for name, kind in KINDS.items()}
    return json_response({"faults": [fault.as_json() for fault in org.faults.all()], "kinds": kinds})


def add_faults_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """One fault, a list of them, or `{"faults": [...]}`, all or none of them."""
    try:
        return json_response({"faults": [fault.as_json() for fault in add_faults(org.faults, request.json())]}, 201)
    except FaultMisasked as misasked:
        raise Refused(400, "INVALID_FAULT", str(misasked)) from misasked


def clear_faults_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    org.faults.clear()
    return empty_response()


def clear_fault_view(org: Org, _request: Request, parts: dict[str, str]) -> Response:
    if not org.faults.clear(parts["fault"]):
        raise Refused(404, "NOT_FOUND", f"There is no fault {parts['fault']}.")
    return empty_response()


def settings_view(org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    return json_response(org.settings.as_json())


def change_settings_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    try:
        org.settings.change(request.json_object())
    except SettingMissaid as missaid:
        raise Refused(400, "INVALID_SETTING", str(missaid)) from missaid
    return json_response(org.settings.as_json())


def actors_view(_org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    told = [
        {"name": each.name, "who": each.who, "says": each.says, "needs": each.needs, "takes": each.takes}
        for each in ACTORS.values()
    ]
    return json_response({"actors": told})


def act_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """`{"name": "convert", "with": {"record": "00Q…"}}`."""
    content = request.json_object()
    told = content.get("with") or {}
    try:
        if not isinstance(told, dict):
            raise ActRefused("INVALID_ACTOR", "What an actor is told with `with` is an object.")
        return json_response(act(org, str(content.get("name") or ""), told))
    except ActRefused as refused:
        raise Refused(400, refused.code, refused.message) from refused


ROUTES: list[Route] = [
    route("GET", "sandbox/health", health_view),
    route("GET", "sandbox/requests", requests_view),
    route("DELETE", "sandbox/requests", forget_requests_view),
    route("POST", "sandbox/apps", app_view),
    route("GET", "sandbox/faults", faults_view),
    route("POST", "sandbox/faults", add_faults_view),
    route("DELETE", "sandbox/faults", clear_faults_view),
    route("DELETE", "sandbox/faults/{fault}", clear_fault_view),
    route("GET", "sandbox/act", actors_view),
    route("POST", "sandbox/act", act_view),
    route("GET", "sandbox/settings", settings_view),
    route("PATCH", "sandbox/settings", change_settings_view),
]
