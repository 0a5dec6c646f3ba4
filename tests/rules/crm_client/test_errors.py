"""Whose move is it? What Salesforce answers, and the error it becomes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from relance.crm.dialect import (
    CrmBusy,
    CrmMisconfigured,
    CrmOutcomeUnknown,
    CrmRefused,
    Layer,
    Move,
    Retry,
)
from relance.crm.salesforce.errors import (
    Write,
    error_from_answer,
    error_from_token_answer,
    retry_after,
    row_errors,
)
from relance.crm.salesforce.errors_catalogue import KNOWN_CODES, known_code

MAINTENANCE = b"""<html><head><title>Salesforce is down for maintenance</title><style>p {x}</style></head>
<body><p>Back soon &amp; well</p></body></html>"""
UPSERT = Write(keys=("r-1", "r-2"), makes_no_twin=True)


def answered(
    status: int, code: str, message: str = "", *, write: Write | None = None, headers: dict[str, str] | None = None
):
    body = json.dumps([{"errorCode": code, "message": message, "fields": ["Email"]}]).encode()
    return error_from_answer(status, headers or {}, body, during="PATCH composite/sobjects", write=write)


@pytest.mark.parametrize(
    ("status", "code", "message", "becomes", "layer"),
    [
        pytest.param(
            400, "INVALID_FIELD", "No such column 'X'", CrmMisconfigured, Layer.SCHEMA, id="field gone or hidden"
        ),
        pytest.param(400, "INVALID_TYPE", "", CrmMisconfigured, Layer.PERMISSION, id="object hidden"),
        pytest.param(400, "STRING_TOO_LONG", "", CrmRefused, Layer.DATA, id="too long"),
        pytest.param(400, "DUPLICATES_DETECTED", "", CrmRefused, Layer.DUPLICATE, id="duplicate rule"),
        pytest.param(400, "UNABLE_TO_LOCK_ROW", "", CrmBusy, Layer.LOCK, id="locked row"),
        pytest.param(500, "UNABLE_TO_LOCK_ROW", "", CrmBusy, Layer.LOCK, id="locked row said as a fault"),
        pytest.param(
            401, "INVALID_SESSION_ID", "Session expired or invalid", CrmMisconfigured, Layer.CONNECTION, id="dead token"
        ),
        pytest.param(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
            CrmBusy,
            Layer.LIMIT,
            id="day's budget spent",
        ),
        pytest.param(403, "API_DISABLED_FOR_ORG", "", CrmMisconfigured, Layer.CONNECTION, id="edition without API"),
        pytest.param(
            403, "SOMETHING_NEW", "", CrmMisconfigured, Layer.PERMISSION, id="forbidden for a reason of tomorrow"
        ),
        pytest.param(404, "NOT_FOUND", "", CrmMisconfigured, Layer.REFERENCE, id="wrong address or hidden object"),
        pytest.param(503, "SERVER_UNAVAILABLE", "", CrmBusy, Layer.CONNECTION, id="unavailable"),
        pytest.param(429, "TOO_MANY", "", CrmBusy, Layer.CONNECTION, id="too many requests"),
    ],
)
def test_an_answer_becomes_the_error_of_whoever_must_act(status, code, message, becomes, layer):
    error = answered(status, code, message)

    assert type(error) is becomes
    assert (error.code, error.message, error.layer, error.status) == (code, message, layer, status)
    assert error.fields == ("Email",)


def test_the_words_of_the_crm_are_kept_as_they_came():
    body = '[{"message":"Un motif est obligatoire « Disqualifié »","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION"}]'

    error = error_from_answer(400, {}, body.encode(), during="POST x")

    assert error.body == body
    assert error.message == "Un motif est obligatoire « Disqualifié »"


def test_a_maintenance_page_is_read_as_its_title_and_asks_everyone_to_wait():
    error = error_from_answer(503, {"retry-after": "120"}, MAINTENANCE, during="GET query")

    assert isinstance(error, CrmBusy)
    assert (error.code, error.message) == ("HTTP_503", "Salesforce is down for maintenance")
    assert error.retry_after == timedelta(seconds=120)
    assert error.whole_org


def test_a_page_instead_of_data_is_not_taken_for_the_crm():
    error = error_from_answer(302, {}, b"<html><body>Moved</body></html>", during="GET query")

    assert isinstance(error, CrmMisconfigured)
    assert error.remedy == "address_unknown"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_answered_by_a_broken_server_may_have_been_done(status):
    error = error_from_answer(status, {}, MAINTENANCE, during="PATCH x", write=UPSERT)

    assert isinstance(error, CrmOutcomeUnknown)
    assert error.keys == ("r-1", "r-2")
    assert error.makes_no_twin


def test_a_write_refused_for_a_lock_was_not_done():
    assert type(answered(500, "UNABLE_TO_LOCK_ROW", write=UPSERT)) is CrmBusy


def test_an_unexplained_fault_leaves_a_write_unknown():
    assert type(answered(500, "UNKNOWN_EXCEPTION", "123456789-1", write=UPSERT)) is CrmOutcomeUnknown


def test_a_write_refused_with_a_reason_is_not_unknown():
    assert type(answered(400, "REQUIRED_FIELD_MISSING", write=UPSERT)) is CrmRefused


def test_the_days_budget_stops_the_whole_org_and_concurrent_calls_only_themselves():
    day = answered(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    concurrent = answered(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")

    assert isinstance(day, CrmBusy)
    assert isinstance(concurrent, CrmBusy)
    assert (day.whole_org, concurrent.whole_org) == (True, False)
    assert day.retry_after > concurrent.retry_after


def test_a_user_who_may_not_use_the_api_is_told_apart_from_a_dead_token():
    error = answered(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")

    assert error.code == "SESSION_NOT_VALID_FOR_API"
    assert error.move is Move.CRM_ADMIN


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ip restricted", "allow_addresses"),
        ("inactive user", "activate_user"),
        ("expired access/refresh token", "reconnect"),
        ("user hasn't approved this consumer", "approve_app"),
        ("no client credentials user enabled", "run_as_user"),
        ("authentication failure", "reconnect"),
    ],
)
def test_a_refused_grant_names_what_to_do(said, remedy):
    body = json.dumps({"error": "invalid_grant", "error_description": said}).encode()

    error = error_from_token_answer(400, {}, body)

    assert isinstance(error, CrmMisconfigured)
    assert (error.code, error.message, error.remedy) == ("invalid_grant", said, remedy)


def test_too_many_logins_are_waited_for():
    error = error_from_token_answer(400, {}, b'{"error":"invalid_grant","error_description":"login rate exceeded"}')

    assert isinstance(error, CrmBusy)


@pytest.mark.parametrize("spelling", ["duplicateResut", "duplicateResult"])
def test_the_rows_a_duplicate_rule_found_are_read_in_both_spellings(spelling):
    met = {
        "matchResults": [
            {"matchRecords": [{"record": {"Id": "003000000000001AAA"}}, {"record": {"Id": "003000000000002AAA"}}]}
        ]
    }

    [error] = row_errors([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", spelling: met}])

    assert error.other_ids == ("003000000000001AAA", "003000000000002AAA")


def test_the_row_that_holds_a_unique_value_is_read_from_the_message():
    said = "duplicate value found: Relance_Id__c duplicates value on record with id: 00Q5e00000AbCdE"

    [error] = row_errors([{"statusCode": "DUPLICATE_VALUE", "message": said, "fields": []}])

    assert error.other_ids == ("00Q5e00000AbCdE",)


def test_waiting_is_read_in_seconds_and_as_a_date_of_the_servers_own_clock():
    date, until = "Sun, 22 Nov 2026 10:25:26 GMT", "Sun, 22 Nov 2026 10:26:26 GMT"

    assert retry_after({"retry-after": "17"}) == timedelta(seconds=17)
    assert retry_after({"retry-after": until, "date": date}) == timedelta(minutes=1)
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def test_a_lock_inside_a_triggers_words_is_a_lock():
    said = "update_contact: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"

    assert known_code("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", said).layer is Layer.LOCK
    assert known_code("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "boom").layer is Layer.RULE


def test_a_code_of_tomorrow_is_shown_to_the_crm_admin_and_not_repeated_by_itself():
    known = known_code("BRAND_NEW_CODE")

    assert (known.layer, known.retry) == (Layer.UNKNOWN, Retry.AFTER_FIX)


def test_nothing_that_locks_a_user_out_is_ever_repeated():
    never = {code for code, known in KNOWN_CODES.items() if known.retry is Retry.NEVER}

    assert {"INVALID_LOGIN", "PASSWORD_LOCKOUT", "INVALID_GRANT_EXPIRED"} <= never
