"""Tokens: three ways to ask for one, one place that renews it. Salesforce tells that a token has ended only by refusing it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlencode

import jwt

from relance.crm.dialect import CrmMisconfigured, Layer, Move
from relance.crm.salesforce.errors import error_from_token_answer
from relance.crm.salesforce.wire import Answer, Wire

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105
# Salesforce refuses assertions that end more than three minutes ahead of its own clock.
ASSERTION_LIVES_SECONDS = 120


@dataclass(frozen=True, slots=True, repr=False)
class ClientCredentials:
    """The app's own rights, as its run-as user. `login_url` must be the org's own domain."""

    login_url: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, repr=False)
class JwtBearer:
    """A key we hold, a user who is approved for the app. `audience` is the login host unless the org wants its own domain."""

    login_url: str
    client_id: str
    username: str
    private_key: str
    audience: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class RefreshToken:
    """What a person's consent in the browser left us. With rotation each use gives another, and the old one then ends the grant."""

    login_url: str
    client_id: str
    refresh_token: str
    client_secret: str = ""


Grant = ClientCredentials | JwtBearer | RefreshToken


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    access_token: str
    instance_url: str
    org_id: str
    user_id: str
    refresh_token: str = ""


RefreshTurn = Callable[[], AbstractContextManager[str | None]]


class Session:
    """Keeps one token for many threads, and asks for another when it is refused.

    `refresh_turn` is a context manager held while a refresh token is spent: it locks the place where the token is kept, across
    processes, and yields the one kept there now. `on_new_refresh_token` is called inside it, before the new access token is used.
    """

    def __init__(
        self,
        wire: Wire,
        grant: Grant,
        *,
        expected_org_id: str = "",
        on_new_refresh_token: Callable[[str], None] | None = None,
        refresh_turn: RefreshTurn = nullcontext,
    ) -> None:
        self._wire = wire
        self._grant = grant
        self._expected_org_id = expected_org_id
        self._on_new_refresh_token = on_new_refresh_token
        self._refresh_turn = refresh_turn
        self._lock = threading.Lock()
        self._token: Token | None = None

    def token(self) -> Token:
        with self._lock:
            if self._token is None:
                self._token = self._ask()
            return self._token

    def renew(self, refused: Token) -> Token:
        """Another token than the refused one: the one a neighbouring thread has just obtained, or a new one."""
        with self._lock:
            if self._token is None or self._token.access_token == refused.access_token:
                self._token = None
                self._token = self._ask()
            return self._token

    def _ask(self) -> Token:
        with self._refresh_turn() as kept:
            form, headers = _form(self._grant, kept_refresh_token=kept, now=time.time())
            answer = self._wire.send(
                "POST",
                self._grant.login_url.rstrip("/") + TOKEN_PATH,
                during=f"POST {TOKEN_PATH}",
                headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **headers},
                content=urlencode(form).encode(),
            )
            token = _token(answer)
            # Kept first: should we stop here, the old one is spent and the new one would be lost with us.
            if token.refresh_token and self._on_new_refresh_token and token.refresh_token != form.get("refresh_token"):
                self._on_new_refresh_token(token.refresh_token)
                self._remember(token.refresh_token)
        self._check_org(token)
        return token

    def _remember(self, refresh_token: str) -> None:
        if isinstance(self._grant, RefreshToken):
            grant = self._grant
            self._grant = RefreshToken(grant.login_url, grant.client_id, refresh_token, grant.client_secret)

    def _check_org(self, token: Token) -> None:
        if self._expected_org_id and token.org_id and token.org_id[:15] != self._expected_org_id[:15]:
            raise CrmMisconfigured(
                code="ORG_SWAPPED",
                message=f"The token is for org {token.org_id}, and this connection belongs to org {self._expected_org_id}.",
                layer=Layer.CONNECTION,
                move=Move.RELANCE_ADMIN,
                remedy="org_swapped",
                during=f"POST {TOKEN_PATH}",
            )


def _form(grant: Grant, *, kept_refresh_token: str | None, now: float) -> tuple[dict[str, str], dict[str, str]]:
    match grant:
        case ClientCredentials(client_id=client_id, client_secret=secret):
            basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
            return {"grant_type": "client_credentials"}, {"Authorization": f"Basic {basic}"}
        case JwtBearer():
            return {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": _assertion(grant, now),
            }, {}
        case RefreshToken(client_id=client_id, client_secret=secret, refresh_token=given):
            form = {
                "grant_type": "refresh_token",
                "refresh_token": kept_refresh_token or given,
                "client_id": client_id,
            }
            return (form | {"client_secret": secret} if secret else form), {}


def _assertion(grant: JwtBearer, now: float) -> str:
    claims = {
        "iss": grant.client_id,
        "sub": grant.username,
        "aud": grant.audience or grant.login_url.rstrip("/"),
        "exp": int(now) + ASSERTION_LIVES_SECONDS,
    }
    try:
        return jwt.encode(claims, grant.private_key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as trouble:
        raise CrmMisconfigured(
            code="PRIVATE_KEY_UNREADABLE",
            message=f"The private key of this connection cannot sign: {trouble}",
            layer=Layer.CONNECTION,
            move=Move.RELANCE_ADMIN,
            remedy="private_key",
        ) from trouble


def _token(answer: Answer) -> Token:
    if answer.status != 200:
        raise error_from_token_answer(answer.status, answer.headers, answer.body)
    try:
        told = json.loads(answer.body)
        org_id, user_id = str(told["id"]).rstrip("/").split("/")[-2:]
        return Token(
            access_token=str(told["access_token"]),
            instance_url=str(told["instance_url"]).rstrip("/"),
            org_id=org_id,
            user_id=user_id,
            refresh_token=str(told.get("refresh_token") or ""),
        )
    except (ValueError, KeyError, TypeError) as trouble:
        raise CrmMisconfigured(
            code="TOKEN_ANSWER_UNREADABLE",
            message="The address answers, and not as Salesforce gives tokens.",
            status=answer.status,
            layer=Layer.CONNECTION,
            move=Move.RELANCE_ADMIN,
            remedy="address_unknown",
            during=f"POST {TOKEN_PATH}",
        ) from trouble
