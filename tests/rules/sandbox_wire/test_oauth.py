"""The web-server flow with a code verifier, refresh tokens that rotate, and what the login history says of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from relance.sandbox.sessions import App

from .conftest import APP, Desk

VERIFIER = "a-word-only-the-app-knows-and-long-enough-for-the-standard"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "http://localhost:8000/crm/back"
ASKED = {
    "response_type": "code",
    "client_id": APP.client_id,
    "redirect_uri": BACK,
    "scope": "api refresh_token",
    "state": "s-1",
    "code_challenge": CHALLENGE,
}


def told(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def decide(desk: Desk, decision: str = "allow", **asked: str) -> dict[str, str]:
    form = urlencode({**ASKED, "decision": decision, **asked}).encode()
    response = desk.ask("POST", "/services/oauth2/authorize", form, bare=True)
    assert response.status == 302, response.body
    return told(response.headers["Location"])


def token(desk: Desk, **form: str) -> tuple[int, dict[str, Any]]:
    sent = {"client_id": APP.client_id, "client_secret": APP.client_secret, **form}
    response = desk.ask("POST", "/services/oauth2/token", urlencode(sent).encode(), bare=True)
    answer: dict[str, Any] = json.loads(response.body)
    return response.status, answer


def redeem(desk: Desk, code: str, **form: str) -> tuple[int, dict[str, Any]]:
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **form}
    return token(desk, **asked)


def refresh(desk: Desk, refresh_token: str) -> tuple[int, dict[str, Any]]:
    return token(desk, grant_type="refresh_token", refresh_token=refresh_token)


def test_the_page_asks_and_lets_its_form_lead_back_to_the_app(desk: Desk):
    response = desk.ask("GET", "/services/oauth2/authorize?" + urlencode(ASKED), bare=True)

    assert response.status == 200
    assert "Allow" in response.body.decode()
    assert "form-action 'self' http://localhost:8000" in response.headers["Content-Security-Policy"]


def test_a_code_gives_a_session_and_a_refresh_token_once(desk: Desk):
    answer = decide(desk)

    status, given = redeem(desk, answer["code"])

    assert (status, answer["state"]) == (200, "s-1")
    assert refresh(desk, given["refresh_token"])[0] == 200
    assert desk.ask("GET", "limits", headers={"Authorization": f"Bearer {given['access_token']}"}).status == 200
    assert redeem(desk, answer["code"]) == (
        400,
        {"error": "invalid_grant", "error_description": "expired authorization code"},
    )


@pytest.mark.parametrize(
    ("form", "error"),
    [
        pytest.param({"code_verifier": "another"}, "invalid_grant", id="another verifier"),
        pytest.param({"code_verifier": ""}, "invalid_grant", id="no verifier"),
        pytest.param({"redirect_uri": "http://localhost:1/"}, "redirect_uri_mismatch", id="another address"),
        pytest.param({"client_secret": "wrong"}, "invalid_client", id="another secret"),
    ],
)
def test_a_code_is_worth_nothing_to_others(desk: Desk, form: dict[str, str], error: str):
    status, answer = redeem(desk, decide(desk)["code"], **form)

    assert (status, answer["error"]) == (400, error)


def test_whoever_denies_sends_the_app_away(desk: Desk):
    assert decide(desk, "deny")["error"] == "access_denied"


def test_a_verifier_is_required_unless_the_org_is_set_otherwise(desk: Desk):
    bare = {**ASKED, "code_challenge": ""}
    refused = desk.ask("GET", "/services/oauth2/authorize?" + urlencode(bare), bare=True)

    desk.org.settings.change({"pkce_required": False})

    assert told(refused.headers["Location"])["error_description"] == "missing required code challenge"
    assert desk.ask("GET", "/services/oauth2/authorize?" + urlencode(bare), bare=True).status == 200


def test_an_app_gets_its_answer_only_where_it_is_registered(desk: Desk):
    before = desk.org.sessions.app(APP.client_id)
    assert before is not None
    desk.org.sessions.keep_app(
        App(before.client_id, before.client_secret, before.run_as, "", "https://relance.example/back")
    )

    response = desk.ask("GET", "/services/oauth2/authorize?" + urlencode(ASKED), bare=True)

    assert response.status == 400
    assert json.loads(response.body)["error"] == "redirect_uri_mismatch"


def test_without_the_scope_there_is_no_refresh_token(desk: Desk):
    _status, given = redeem(desk, decide(desk, scope="api")["code"])

    assert "refresh_token" not in given
    assert given["scope"] == "api"


def test_refresh_tokens_stay_unless_the_org_rotates_them(desk: Desk):
    _status, given = redeem(desk, decide(desk)["code"])

    assert "refresh_token" not in refresh(desk, given["refresh_token"])[1]
    assert refresh(desk, given["refresh_token"])[0] == 200


def test_a_replaced_refresh_token_shown_again_ends_the_whole_grant(desk: Desk):
    desk.org.settings.change({"rotate_refresh_tokens": True})
    _status, first = redeem(desk, decide(desk)["code"])
    _status, second = refresh(desk, first["refresh_token"])
    _status, third = refresh(desk, second["refresh_token"])

    stolen, answer = refresh(desk, first["refresh_token"])

    assert (stolen, answer["error_description"]) == (400, "expired access/refresh token")
    assert refresh(desk, third["refresh_token"])[0] == 400
    assert desk.ask("GET", "limits", headers={"Authorization": f"Bearer {third['access_token']}"}).status == 401


def test_sessions_last_as_long_as_the_org_is_set_to(desk: Desk):
    desk.org.settings.change({"session_minutes": 15})
    _status, given = redeem(desk, decide(desk)["code"])
    desk.ask("POST", "/sandbox/faults", {"kind": "clock_skew", "with": {"seconds": 16 * 60}})

    assert desk.ask("GET", "limits", headers={"Authorization": f"Bearer {given['access_token']}"}).status == 401


def test_logins_are_written_down(desk: Desk):
    redeem(desk, decide(desk)["code"])
    refresh(desk, "never given")

    lines = desk.query("SELECT Status, Application FROM LoginHistory ORDER BY Id")["records"]

    assert [line["Status"] for line in lines] == ["Success", "Failed: Token Expired"]
    assert {line["Application"] for line in lines} == {APP.client_id}
