"""OAuth of the org: what tokens are given for (a code, the app's own name, an assertion, a refresh token), revoke, introspect, who one is."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import jwt

from relance.sandbox.errors import OAuthRefused, Refused
from relance.sandbox.exchange import Request, Response, Route, empty_response, json_response, route
from relance.sandbox.oauth_codes import redeemed_code
from relance.sandbox.org import Org
from relance.sandbox.sessions import App, Session

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
LATEST_EXPIRY = timedelta(minutes=5)
SCOPE = "api refresh_token"


def token_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    form = read_form(request)
    match form.get("grant_type", ""):
        case "client_credentials":
            return give_client_credentials(org, request, form)
        case "authorization_code":
            return give_for_code(org, request, form)
        case "refresh_token":
            return give_refreshed(org, request, form)
        case kind if kind == JWT_BEARER:
            return give_for_assertion(org, request, form)
        case _:
            raise OAuthRefused("unsupported_grant_type", "grant type not supported")


def give_client_credentials(org: Org, request: Request, form: dict[str, str]) -> Response:
    app = known_app(org, request, form)
    if not app.run_as:
        raise OAuthRefused("invalid_grant", "no client credentials user enabled")
    require_active(org, app.run_as)
    session = org.sessions.open(app.run_as, app.client_id, org.clock())
    return token_answer(org, request, app, session)


def give_for_code(org: Org, request: Request, form: dict[str, str]) -> Response:
    """A secret or a code verifier: an app without either could be anybody."""
    app = known_app(org, request, form, secret_needed=not form.get("code_verifier"))
    code = redeemed_code(org, app, form)
    require_active(org, code.user_id)
    keeps = {"refresh_token", "offline_access", "full"} & set(code.scope.split())
    refresh_token = org.sessions.grant(code.user_id, app.client_id, org.clock(), scope=code.scope) if keeps else None
    session = org.sessions.open(code.user_id, app.client_id, org.clock(), refresh_token=refresh_token)
    return token_answer(org, request, app, session, scope=code.scope, refresh_token=refresh_token)


def give_refreshed(org: Org, request: Request, form: dict[str, str]) -> Response:
    """The grant goes on, with the same refresh token or, when the org rotates them, with a new one."""
    app = known_app(org, request, form, secret_needed=False)
    grant = org.sessions.find_grant(form.get("refresh_token", ""))
    if grant is not None and grant.is_replaced:
        org.sessions.revoke_family(grant)
        grant = None
    if grant is None or grant.client_id != app.client_id:
        org.logins.note_failure(request, "expired access/refresh token", application=app.client_id)
        raise OAuthRefused("invalid_grant", "expired access/refresh token")
    require_active(org, grant.user_id)
    rotated = org.sessions.rotate(grant, org.clock()) if org.settings.now.rotate_refresh_tokens else None
    session = org.sessions.open(grant.user_id, app.client_id, org.clock(), refresh_token=grant.family)
    return token_answer(org, request, app, session, scope=grant.scope, refresh_token=rotated)


def give_for_assertion(org: Org, request: Request, form: dict[str, str]) -> Response:
    assertion = form.get("assertion", "")
    try:
        claimed = jwt.decode(assertion, options={"verify_signature": False, "verify_exp": False, "verify_aud": False})
    except jwt.InvalidTokenError as refused:
        raise OAuthRefused("invalid_grant", "invalid assertion") from refused
    app = org.sessions.app(str(claimed.get("iss", "")))
    if app is None:
        raise OAuthRefused("invalid_client_id", "client identifier invalid")
    claims = verified_claims(org, request, app, assertion)
    user_id = user_named(org, str(claims.get("sub", "")))
    if user_id is None:
        raise OAuthRefused("invalid_grant", "user hasn't approved this consumer")
    require_active(org, user_id)
    return token_answer(org, request, app, org.sessions.open(user_id, app.client_id, org.clock()))


def verified_claims(org: Org, request: Request, app: App, assertion: str) -> dict[str, object]:
    audiences = [*LOGIN_HOSTS, request.origin, f"{request.origin}/services/oauth2/token"]
    try:
        claims: dict[str, object] = jwt.decode(
            assertion, app.public_key, algorithms=["RS256"], audience=audiences, options={"verify_exp": False}
        )
    except jwt.InvalidAudienceError as refused:
        raise OAuthRefused("invalid_grant", "audience is invalid") from refused
    except (jwt.InvalidTokenError, ValueError) as refused:
        raise OAuthRefused("invalid_grant", "invalid assertion") from refused
    now = org.clock().timestamp()
    try:
        expiry = float(str(claims.get("exp", "")))
    except ValueError as refused:
        raise OAuthRefused("invalid_grant", "invalid assertion") from refused
    if expiry < now or expiry > now + LATEST_EXPIRY.total_seconds():
        raise OAuthRefused(
            "invalid_grant", "expired authorization code" if expiry < now else "assertion expires too late"
        )
    return claims


def revoke_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    form = read_form(request) if request.body else dict(request.query)
    if not org.sessions.revoke(form.get("token", "")):
        raise OAuthRefused("unsupported_token_type", "this token type is not supported")
    return empty_response(200)


def introspect_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    form = read_form(request)
    app = known_app(org, request, form)
    session = org.sessions.find(form.get("token", ""), org.clock())
    if session is None:
        grant = org.sessions.find_grant(form.get("token", ""))
        if grant is None:
            return json_response({"active": False})
        return json_response(
            {
                "active": True,
                "scope": SCOPE,
                "client_id": app.client_id,
                "token_type": "refresh_token",
                "sub": grant.user_id,
            }
        )
    ends = session.ends_at() or org.clock() + timedelta(hours=12)
    return json_response(
        {
            "active": True,
            "scope": SCOPE,
            "client_id": session.client_id,
            "username": user_fact(org, session.user_id, "Username"),
            "sub": identity_url(org, request, session.user_id),
            "token_type": "access_token",
            "exp": int(ends.timestamp()),
            "iat": int(session.issued_at.timestamp()),
            "nbf": int(session.issued_at.timestamp()),
        }
    )


def userinfo_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    token = request.header("Authorization").removeprefix("Bearer ").strip() or request.query.get("access_token", "")
    session = org.sessions.find(token, org.clock())
    if session is None:
        return Response(403, b"Bad_OAuth_Token", "text/html;charset=UTF-8", error_code="Bad_OAuth_Token")
    return json_response(identity(org, request, session))


def identity_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """The same person at the address tokens name, where the facts have other names."""
    told = userinfo_view(org, request, parts)
    if told.status != 200 or not isinstance(told.content, dict):
        return told
    facts = told.content
    named = {
        "id": facts["sub"],
        "asserted_user": True,
        "username": facts["preferred_username"],
        "nick_name": facts["nickname"],
        "display_name": facts["name"],
        "first_name": facts["given_name"],
        "last_name": facts["family_name"],
        "timezone": facts["zoneinfo"],
        "status": {"created_date": None, "body": None},
        "is_app_installed": True,
    }
    return json_response({**facts, **named})


def identity(org: Org, request: Request, session: Session) -> dict[str, object]:
    user = org.store.connection().execute('SELECT * FROM "User" WHERE "Id" = ?', (session.user_id,)).fetchone()
    facts: dict[str, object] = dict(user) if user else {}
    origin = request.origin
    return {
        "sub": identity_url(org, request, session.user_id),
        "user_id": session.user_id,
        "organization_id": org.org_id,
        "preferred_username": facts.get("Username"),
        "nickname": facts.get("CommunityNickname") or facts.get("Alias"),
        "name": " ".join(str(part) for part in (facts.get("FirstName"), facts.get("LastName")) if part),
        "email": facts.get("Email"),
        "email_verified": True,
        "given_name": facts.get("FirstName"),
        "family_name": facts.get("LastName"),
        "zoneinfo": facts.get("TimeZoneSidKey"),
        "locale": facts.get("LocaleSidKey"),
        "language": facts.get("LanguageLocaleKey"),
        "active": bool(facts.get("IsActive", 1)),
        "user_type": "STANDARD",
        "urls": {
            "enterprise": f"{origin}/services/Soap/c/{{version}}/{org.org_id}",
            "metadata": f"{origin}/services/Soap/m/{{version}}/{org.org_id}",
            "partner": f"{origin}/services/Soap/u/{{version}}/{org.org_id}",
            "rest": f"{origin}/services/data/v{{version}}/",
            "sobjects": f"{origin}/services/data/v{{version}}/sobjects/",
            "query": f"{origin}/services/data/v{{version}}/query/",
            "profile": f"{origin}/{session.user_id}",
            "custom_domain": origin,
        },
    }


def token_answer(
    org: Org, request: Request, app: App, session: Session, *, scope: str = SCOPE, refresh_token: str | None = None
) -> Response:
    org.logins.note(request, session.user_id, application=app.client_id)
    issued_at = str(int(session.issued_at.timestamp() * 1000))
    identity_address = identity_url(org, request, session.user_id)
    signature = hmac.new(app.client_secret.encode(), (identity_address + issued_at).encode(), hashlib.sha256).digest()
    return json_response(
        {
            "access_token": session.token,
            **({"refresh_token": refresh_token} if refresh_token else {}),
            "signature": base64.b64encode(signature).decode(),
            "scope": scope,
            "instance_url": request.origin,
            "id": identity_address,
            "token_type": "Bearer",
            "issued_at": issued_at,
        },
        headers={"Cache-Control": "no-store"},
    )


def identity_url(org: Org, request: Request, user_id: str) -> str:
    return f"{request.origin}/id/{org.org_id}/{user_id}"


def known_app(org: Org, request: Request, form: dict[str, str], *, secret_needed: bool = True) -> App:
    """The app that asks, by Basic authentication or by what the body says."""
    client_id, client_secret = basic_credentials(request) or (form.get("client_id", ""), form.get("client_secret"))
    app = org.sessions.app(client_id)
    if app is None:
        raise OAuthRefused("invalid_client_id", "client identifier invalid")
    if (secret_needed or client_secret) and not hmac.compare_digest(app.client_secret, client_secret or ""):
        raise OAuthRefused("invalid_client", "invalid client credentials")
    return app


def basic_credentials(request: Request) -> tuple[str, str] | None:
    scheme, _space, encoded = request.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _colon, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as refused:
        raise OAuthRefused("invalid_client", "invalid client credentials") from refused
    return client_id, client_secret


def read_form(request: Request) -> dict[str, str]:
    """The last of each field: a form says each thing once."""
    fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def user_named(org: Org, username: str) -> str | None:
    row = org.store.connection().execute('SELECT "Id" FROM "User" WHERE "Username" = ?', (username,)).fetchone()
    return str(row[0]) if row else None


def user_fact(org: Org, user_id: str, field: str) -> object:
    row = org.store.connection().execute('SELECT * FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    return row[field] if row is not None and field in row.keys() else None  # noqa: SIM118 - a Row iterates its values


def require_active(org: Org, user_id: str) -> None:
    if user_fact(org, user_id, "IsActive") == 0:
        raise OAuthRefused("invalid_grant", "inactive user")


def open_session(org: Org, request: Request, now: datetime) -> Session:
    """The session behind the bearer token of an API call, or the refusal every client knows."""
    header = request.header("Authorization")
    scheme, _space, token = header.partition(" ")
    if scheme.lower() not in ("bearer", "oauth") or not token.strip():
        if header:
            raise Refused(401, "INVALID_AUTH_HEADER", "INVALID_AUTH_HEADER")
        raise Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    session = org.sessions.find(token.strip(), now)
    if session is None or user_fact(org, session.user_id, "IsActive") == 0:
        raise Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    return session


ROUTES: list[Route] = [
    route("POST", "services/oauth2/token", token_view),
    route("POST", "services/oauth2/revoke", revoke_view),
    route("GET", "services/oauth2/revoke", revoke_view),
    route("POST", "services/oauth2/introspect", introspect_view),
    route("GET", "services/oauth2/userinfo", userinfo_view),
    route("POST", "services/oauth2/userinfo", userinfo_view),
    route("GET", "id/{org}/{user}", identity_view),
]
