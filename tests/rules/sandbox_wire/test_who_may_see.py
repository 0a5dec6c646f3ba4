"""Sessions, and what a user with few rights is shown: hidden is as if it were not there."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from relance.sandbox.oauth import JWT_BEARER
from relance.sandbox.outcomes import Caller
from relance.sandbox.sessions import App
from relance.sandbox.versions import list_versions

from .conftest import APP, NOW, PLANTED, TOKEN, Desk


def ask_token(desk: Desk, form: str, **headers: str) -> tuple[int, dict[str, Any]]:
    response = desk.ask("POST", "/services/oauth2/token", form.encode(), headers=headers, bare=True)
    return response.status, json.loads(response.body)


@pytest.fixture
def reader(desk: Desk) -> Desk:
    """The same org seen by somebody whose profile opens little."""
    administrator = Caller(desk.org.user_id, all_rights=True)
    profile = desk.org.records.insert(administrator, "Profile", {"Name": "Reader"}, PLANTED)
    user = {"Username": "reader@alpha.example", "LastName": "Reader", "IsActive": True, "ProfileId": profile.id}
    user |= {
        "Alias": "read",
        "CommunityNickname": "reader",
        "Email": "reader@alpha.example",
        "TimeZoneSidKey": "Europe/Paris",
    }
    made = desk.org.records.insert(administrator, "User", user, PLANTED)
    assert made.id is not None
    session = desk.org.sessions.open(made.id, APP.client_id, NOW)
    return Desk(desk.org, session.token)


def test_versions_are_listed_to_anybody_from_31_to_68(desk: Desk):
    response = desk.ask("GET", "/services/data/", bare=True)

    assert json.loads(response.body) == list_versions()
    assert [each["label"] for each in (list_versions()[0], list_versions()[-1])] == ["Summer '14", "Winter '27"]
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in list_versions()


@pytest.mark.parametrize("basic", [True, False])
def test_client_credentials_come_by_basic_or_in_the_body(desk: Desk, basic: bool):
    form, headers = "grant_type=client_credentials", {}
    if basic:
        headers["authorization"] = "Basic " + base64.b64encode(b"the-app:the-secret").decode()
    else:
        form += "&client_id=the-app&client_secret=the-secret"

    status, answer = ask_token(desk, form, **headers)

    assert status == 200
    assert answer["token_type"] == "Bearer"
    assert answer["id"] == f"http://localhost:1/id/{desk.org.org_id}/{desk.org.user_id}"
    assert answer["access_token"].startswith(desk.org.org_id[:15] + "!")
    assert Desk(desk.org, answer["access_token"]).names("LastName = 'Aline'") == ["Aline"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("grant_type=client_credentials&client_id=nobody&client_secret=x", "invalid_client_id"),
        ("grant_type=client_credentials&client_id=the-app&client_secret=x", "invalid_client"),
        ("grant_type=refresh_token&client_id=the-app&refresh_token=spent", "invalid_grant"),
        ("grant_type=password", "unsupported_grant_type"),
    ],
)
def test_a_refused_token_says_why_in_its_own_shape(desk: Desk, form: str, error: str):
    status, answer = ask_token(desk, form)

    assert (status, answer["error"]) == (400, error)
    assert answer["error_description"]


def test_a_refresh_token_gives_sessions_until_it_is_revoked(desk: Desk):
    refresh = desk.org.sessions.grant(desk.org.user_id, APP.client_id, NOW)
    form = f"grant_type=refresh_token&client_id=the-app&refresh_token={refresh}"
    _status, answer = ask_token(desk, form)

    desk.ask("POST", "/services/oauth2/revoke", f"token={refresh}".encode(), bare=True)

    assert ask_token(desk, form)[1]["error_description"] == "expired access/refresh token"
    assert Desk(desk.org, answer["access_token"]).ask("GET", "limits").status == 401


def signed(key: rsa.RSAPrivateKey, desk: Desk, **claims: object) -> str:
    username = desk.query("SELECT Username FROM User WHERE Id = '" + desk.org.user_id + "'")["records"][0]["Username"]
    standard = {"iss": APP.client_id, "sub": username, "aud": "https://login.salesforce.com"}
    standard["exp"] = int((NOW + timedelta(minutes=3)).timestamp())
    return jwt.encode({**standard, **claims}, key, algorithm="RS256")


def test_a_signed_assertion_gives_a_session_and_a_forged_or_late_one_does_not(desk: Desk):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    desk.org.sessions.keep_app(App(APP.client_id, APP.client_secret, desk.org.user_id, public.decode()))
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    late = int((NOW - timedelta(minutes=1)).timestamp())

    def answer(assertion: str) -> dict[str, Any]:
        return ask_token(desk, f"grant_type={JWT_BEARER}&assertion={assertion}")[1]

    assert "access_token" in answer(signed(key, desk))
    assert answer(signed(stranger, desk))["error"] == "invalid_grant"
    assert answer(signed(key, desk, exp=late))["error"] == "invalid_grant"
    assert answer(signed(key, desk, aud="https://elsewhere.example"))["error_description"] == "audience is invalid"
    assert answer(signed(key, desk, sub="nobody"))["error_description"] == "user hasn't approved this consumer"


def test_a_session_is_known_by_introspection_and_by_who_it_speaks_for(desk: Desk):
    form = f"token={TOKEN}&client_id=the-app&client_secret=the-secret".encode()
    told = json.loads(desk.ask("POST", "/services/oauth2/introspect", form, bare=True).body)
    identity = json.loads(desk.ask("GET", "/services/oauth2/userinfo").body)

    assert (told["active"], told["client_id"]) == (True, "the-app")
    assert (identity["user_id"], identity["organization_id"]) == (desk.org.user_id, desk.org.org_id)
    assert identity["urls"]["rest"] == "http://localhost:1/services/data/v{version}/"


def test_a_dead_or_missing_token_is_refused_as_every_client_knows_it(desk: Desk):
    dead = Desk(desk.org, "00D!dead").ask("GET", "limits")

    assert dead.status == 401
    assert json.loads(dead.body) == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert desk.ask("GET", "limits", bare=True).status == 401


def test_a_session_not_used_for_two_hours_is_over(desk: Desk):
    session = desk.org.sessions.open(desk.org.user_id, APP.client_id, NOW)

    assert desk.org.sessions.find(session.token, NOW + timedelta(minutes=119)) is not None
    assert desk.org.sessions.find(session.token, NOW + timedelta(minutes=119 + 119)) is not None
    assert desk.org.sessions.find(session.token, NOW + timedelta(hours=9)) is None


def test_a_user_who_is_deactivated_loses_the_sessions_they_had(desk: Desk, reader: Desk):
    assert reader.ask("GET", "limits").status == 200
    user_id = desk.query("SELECT Id FROM User WHERE Username = 'reader@alpha.example'")["records"][0]["Id"]

    assert desk.ask("PATCH", f"sobjects/User/{user_id}", {"IsActive": False}).status == 204

    assert reader.ask("GET", "limits").status == 401


def test_a_hidden_field_leaves_describe_and_makes_a_query_fail_as_if_absent(reader: Desk):
    fields = {field["name"] for field in reader.get("sobjects/Lead/describe")["fields"]}

    assert "Relance_Id__c" in fields
    assert not {"Phone", "Interets__c"} & fields
    assert reader.refusal("SELECT Phone FROM Lead")["errorCode"] == "INVALID_FIELD"
    assert reader.refusal("SELECT Id FROM Lead WHERE Phone = null")["errorCode"] == "INVALID_FIELD"


def test_a_hidden_object_has_no_address_no_query_and_no_place_in_the_list(reader: Desk):
    assert reader.ask("GET", "sobjects/Account/describe").status == 404
    assert reader.refusal("SELECT Id FROM Account")["errorCode"] == "INVALID_TYPE"
    assert "Account" not in {each["name"] for each in reader.get("sobjects")["sobjects"]}


def test_a_field_that_may_only_be_read_says_so_and_refuses_to_be_written(reader: Desk):
    fields = {field["name"]: field for field in reader.get("sobjects/Lead/describe")["fields"]}
    record_id = reader.query("SELECT Id FROM Lead LIMIT 1")["records"][0]["Id"]

    refused = reader.ask("PATCH", f"sobjects/Lead/{record_id}", {"Relance_Id__c": "x"})

    assert fields["Relance_Id__c"]["updateable"] is False
    assert json.loads(refused.body)[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_who_may_not_delete_is_told_so(reader: Desk):
    record_id = reader.query("SELECT Id FROM Lead LIMIT 1")["records"][0]["Id"]

    refused = reader.ask("DELETE", f"sobjects/Lead/{record_id}")

    assert (refused.status, json.loads(refused.body)[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_describe_is_not_sent_again_to_who_has_seen_it(desk: Desk):
    seen = desk.ask("GET", "sobjects/Lead/describe").headers["Last-Modified"]

    assert desk.ask("GET", "sobjects/Lead/describe", headers={"If-Modified-Since": seen}).status == 304


def test_describe_tells_what_must_be_given(desk: Desk):
    described = desk.get("sobjects/Lead/describe")
    needed = {
        field["name"]
        for field in described["fields"]
        if field["createable"] and not field["nillable"] and not field["defaultedOnCreate"]
    }
    fields = {field["name"]: field for field in described["fields"]}

    assert needed == {"LastName", "Company"}
    assert (fields["Relance_Id__c"]["externalId"], fields["Relance_Id__c"]["idLookup"]) == (True, True)
    assert fields["FirstName"]["compoundFieldName"] == "Name"
    assert [value["value"] for value in fields["Interets__c"]["picklistValues"]] == ["Vins", "Fromages", "Pains"]
    assert described["recordTypeInfos"][-1]["master"] is True
