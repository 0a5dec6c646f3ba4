"""The web-server flow: the page that asks whether an app may have access, the code it gets, as the answer the app waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

from relance.sandbox.errors import OAuthRefused
from relance.sandbox.exchange import Request, Response, Route, route
from relance.sandbox.oauth import read_form, require_active
from relance.sandbox.org import Org
from relance.sandbox.page_parts import POLICY, choice, form, hidden, page, section
from relance.sandbox.page_words import Words
from relance.sandbox.sessions import App, Code
from relance.sandbox.soql_dates import stamp

CODE_LIFE = timedelta(minutes=15)
CARRIED = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "response_type")


def authorize_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    """Asks the user. What is wrong with the app or where it wants the answer is told here, anything else over there."""
    asked = dict(request.query)
    app = app_asking(org, asked)
    wrong = what_is_wrong(org, asked)
    if wrong is not None:
        return sent_to_app(asked, error=wrong[0], error_description=wrong[1])
    words = Words(request.header("Accept-Language"))
    users = active_users(org)
    hint = asked.get("login_hint", "")
    chosen = next((user_id for user_id, name in users.items() if hint and hint in name), org.user_id)
    carried = hidden(**{name: asked[name] for name in CARRIED if name in asked})
    consent = form(
        "/services/oauth2/authorize",
        carried,
        choice(words("Act as"), "user", users, chosen),
        '<button name="decision" value="allow">' + escape(words("Allow")) + "</button>",
        '<button name="decision" value="deny" class="quiet">' + escape(words("Deny")) + "</button>",
    )
    wishes = words("It wants to: read and change data through the API, and keep doing so until you end it.")
    title = words("%s asks for access", app.client_id[:24])
    answer = page(words, title, "", section(title, f"<p>{escape(wishes)}</p>", consent))
    # Browsers hold the redirect that follows a form to the same policy as the form itself.
    back = urlsplit(asked["redirect_uri"])
    answer.headers["Content-Security-Policy"] = POLICY.replace(
        "form-action 'self'", f"form-action 'self' {back.scheme}://{back.netloc}"
    )
    return answer


def decide_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    asked = read_form(request)
    if request.header("Origin") not in ("", "null", request.origin):
        raise OAuthRefused("invalid_request", "the form was sent by another site")
    app = app_asking(org, asked)
    wrong = what_is_wrong(org, asked)
    if wrong is not None:
        return sent_to_app(asked, error=wrong[0], error_description=wrong[1])
    if asked.get("decision") != "allow":
        return sent_to_app(asked, error="access_denied", error_description="end-user denied authorization")
    user_id = asked.get("user") or org.user_id
    require_active(org, user_id)
    code = Code(
        client_id=app.client_id,
        user_id=user_id,
        redirect_uri=asked["redirect_uri"],
        challenge=asked.get("code_challenge", ""),
        scope=asked.get("scope", "") or "api refresh_token",
        ends_at=stamp(org.clock() + CODE_LIFE),
    )
    return sent_to_app(asked, code=org.sessions.keep_code(code))


def app_asking(org: Org, asked: Mapping[str, str]) -> App:
    app = org.sessions.app(asked.get("client_id", ""))
    if app is None:
        raise OAuthRefused("invalid_client_id", "client identifier invalid")
    address = asked.get("redirect_uri", "")
    parts = urlsplit(address)
    allowed = app.redirect_uris.split()
    if parts.scheme not in ("http", "https") or not parts.netloc or (allowed and address not in allowed):
        raise OAuthRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
    return app


def what_is_wrong(org: Org, asked: Mapping[str, str]) -> tuple[str, str] | None:
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "response type not supported"
    if org.settings.now.pkce_required and not asked.get("code_challenge"):
        return "invalid_request", "missing required code challenge"
    if asked.get("code_challenge_method", "S256") != "S256":
        return "invalid_request", "code challenge method not supported"
    return None


def sent_to_app(asked: Mapping[str, str], **told: str) -> Response:
    address = asked["redirect_uri"]
    if "state" in asked:
        told["state"] = asked["state"]
    mark = "&" if "?" in address else "?"
    return Response(302, b"", "", {"Location": f"{address}{mark}{urlencode(told)}", "Cache-Control": "no-store"})


def active_users(org: Org) -> dict[str, str]:
    rows = org.store.connection().execute(
        'SELECT "Id", "Username" FROM "User" WHERE "IsActive" = 1 ORDER BY "Id" <> ?, "Username"', (org.user_id,)
    )
    return {str(row[0]): str(row[1]) for row in rows}


ROUTES: list[Route] = [
    route("GET", "services/oauth2/authorize", authorize_view),
    route("POST", "services/oauth2/authorize", decide_view),
]
