"""Faults asked for: what they strike, how often, and what each of them makes of an answer, a record, a job."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from relance.sandbox.actors import ACTORS
from relance.sandbox.fault_kinds import KINDS
from relance.sandbox.faults import HAPPENINGS

from .conftest import Desk

LEAD = {"LastName": "Émile", "Company": "Gamma"}
ROWS = [{"attributes": {"type": "Lead"}, "LastName": f"Rang {number}", "Company": "Co"} for number in range(6)]


def plan(desk: Desk, kind: str, match: dict[str, Any] | None = None, **options: Any) -> str:
    response = desk.ask("POST", "/sandbox/faults", {"kind": kind, "match": match or {}, "with": options})
    assert response.status == 201, response.body
    return str(json.loads(response.body)["faults"][0]["id"])


def code(desk: Desk, method: str, address: str, body: object = None, **more: Any) -> tuple[int, str]:
    response = desk.ask(method, address, body, **more)
    content = json.loads(response.body) if response.body else [{}]
    error = content[0] if isinstance(content, list) else content
    return response.status, str(error.get("errorCode", ""))


def created(desk: Desk, records: list[dict[str, Any]] = ROWS, **headers: str) -> list[dict[str, Any]]:
    response = desk.ask("POST", "composite/sobjects", {"records": records}, headers=headers)
    assert response.status == 200, response.body
    rows: list[dict[str, Any]] = json.loads(response.body)
    return rows


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        pytest.param("rate_total", 403, "TotalRequests Limit exceeded.", id="the day's allowance"),
        pytest.param("rate_concurrent", 403, "ConcurrentPerOrgLongTxn Limit exceeded.", id="long requests at once"),
        pytest.param("session_policy", 401, "not valid for use with the REST API", id="a policy"),
        pytest.param("perm_api", 403, "API is disabled for this User", id="no API"),
        pytest.param("refuse", 500, "UNKNOWN_EXCEPTION", id="anything else"),
    ],
)
def test_a_refused_request_does_nothing(desk: Desk, kind: str, status: int, text: str):
    plan(desk, kind)

    response = desk.ask("POST", "sobjects/Lead", LEAD)
    desk.org.faults.clear()

    assert response.status == status
    assert text in response.body.decode()
    assert desk.names("LastName = 'Émile'") == []


def test_a_maintenance_page_is_html_and_may_say_when_to_come_back(desk: Desk):
    plan(desk, "unavailable", {"times": 1}, retry_after=5)

    response = desk.ask("GET", "limits")

    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert response.body.startswith(b"<!DOCTYPE html>")
    assert desk.ask("GET", "limits").status == 200


def test_a_fault_waits_for_its_method_its_object_its_turn_and_strikes_no_oftener_than_told(desk: Desk):
    plan(desk, "refuse", {"method": "POST", "object": "Lead", "nth": [2, 3], "times": 1})

    answers = [desk.ask("POST", "sobjects/Lead", LEAD).status for _turn in range(4)]

    assert answers == [201, 500, 201, 201]
    assert desk.ask("POST", "sobjects/Account", {"Name": "Co"}).status == 201
    assert desk.ask("GET", "sobjects/Lead").status == 200


def test_chance_is_drawn_from_the_seed(desk: Desk):
    def run() -> list[int]:
        plan(desk, "refuse", {"probability": 0.5, "seed": 7})
        statuses = [desk.ask("GET", "limits").status for _turn in range(20)]
        desk.org.faults.clear()
        return statuses

    first = run()

    assert {200, 500} == set(first)
    assert run() == first


def test_a_fault_has_its_hours(desk: Desk):
    plan(desk, "refuse", {"from": "2026-03-02T11:00:00Z"})
    plan(desk, "refuse", {"until": "2026-03-02T09:00:00Z"})

    assert desk.ask("GET", "limits").status == 200


def test_a_fault_may_wait_for_a_user_or_for_one_record(desk: Desk):
    plan(desk, "refuse", {"user": "somebody@else.example"})
    plan(desk, "refuse", {"method": "POST", "record": {"LastName": "émi*"}})

    assert desk.ask("POST", "sobjects/Lead", {**LEAD, "LastName": "Fanny"}).status == 201
    assert desk.ask("POST", "sobjects/Lead", LEAD).status == 500
    assert desk.ask("GET", "limits").status == 200


def test_some_rows_are_locked_and_the_others_are_saved(desk: Desk):
    fault = plan(desk, "lock_row", {"object": "Lead", "every": 3})

    rows = created(desk)

    assert [row["success"] for row in rows] == [True, True, False, True, True, False]
    assert rows[2]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert rows[2]["errors"][0]["message"].startswith(
        "unable to obtain exclusive access to this record or 1 records: 005"
    )
    assert [each.hits for each in desk.org.faults.all() if each.id == fault] == [2]


def test_a_locked_record_can_be_neither_changed_nor_deleted_nor_converted(desk: Desk):
    (lead,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"]
    plan(desk, "lock_row")

    assert code(desk, "PATCH", f"sobjects/Lead/{lead['Id']}", {"Company": "X"}) == (400, "UNABLE_TO_LOCK_ROW")
    assert code(desk, "DELETE", f"sobjects/Lead/{lead['Id']}") == (400, "UNABLE_TO_LOCK_ROW")


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("validation", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "breaks a rule"),
        ("required", "REQUIRED_FIELD_MISSING", "Required fields are missing: ["),
        ("too_long", "STRING_TOO_LONG", "data value too large"),
        ("picklist", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field: Web"),
        ("refuse_record", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger"),
    ],
)
def test_a_record_is_refused_as_the_org_would(desk: Desk, kind: str, error: str, text: str):
    plan(desk, kind, {"record": {"LastName": "Rang 1"}})

    rows = created(desk, [{**row, "LeadSource": "Web"} for row in ROWS])

    assert [row["success"] for row in rows] == [True, False, True, True, True, True]
    assert rows[1]["errors"][0]["statusCode"] == error
    assert text in rows[1]["errors"][0]["message"]


def test_a_warning_of_duplicates_gives_way_to_the_header_and_a_block_does_not(desk: Desk):
    plan(desk, "dup_alert", {"object": "Lead", "times": 2})
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}

    warned = desk.ask("POST", "sobjects/Lead", LEAD)
    allowed = desk.ask("POST", "sobjects/Lead", LEAD, headers=header)
    desk.org.faults.clear()
    plan(desk, "dup_rule", {"object": "Lead"})
    blocked = desk.ask("POST", "sobjects/Lead", LEAD, headers=header)

    duplicate = json.loads(warned.body)[0]["duplicateResut"]
    assert (warned.status, allowed.status, blocked.status) == (400, 201, 400)
    assert duplicate["allowSave"] is True
    assert duplicate["matchResults"][0]["size"] == 1
    assert json.loads(blocked.body)[0]["duplicateResut"]["allowSave"] is False


def test_rights_are_lost_in_mid_sync_and_come_back_with_the_end_of_the_fault(desk: Desk):
    fault = plan(desk, "perm_field", field="Lead.Phone")
    names = {field["name"] for field in desk.get("sobjects/Lead/describe")["fields"]}
    refused = desk.refusal("SELECT Phone FROM Lead")
    desk.ask("DELETE", f"/sandbox/faults/{fault}")

    assert "Phone" not in names
    assert refused["errorCode"] == "INVALID_FIELD"
    assert desk.names("Phone = '01'") == ["Chloé"]


def test_a_right_may_be_lost_at_the_second_request(desk: Desk):
    plan(desk, "perm_object", {"nth": 2, "path": "sobjects/Lead"}, object="Lead", actions=["create"])

    answers = [desk.ask("POST", "sobjects/Lead", {**LEAD, "LastName": f"E{turn}"}).status for turn in range(3)]

    assert answers == [201, 400, 400]


def test_a_record_out_of_sight_is_as_if_it_were_not(desk: Desk):
    (lead,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"]
    plan(desk, "perm_record", ids=lead["Id"][:15])

    assert code(desk, "GET", f"sobjects/Lead/{lead['Id']}") == (404, "NOT_FOUND")
    assert code(desk, "PATCH", f"sobjects/Lead/{lead['Id']}", {"Company": "X"})[0] == 404
    assert "Aline" not in desk.names("Company != ''")


def test_the_cursor_is_gone_on_the_third_page(desk: Desk):
    for _batch in range(4):
        created(desk, [{**ROWS[0], "LastName": f"P{number}"} for number in range(200)])
    plan(desk, "locator_gone")
    page = json.loads(
        desk.ask("GET", "query?q=SELECT+Id+FROM+Lead", headers={"Sforce-Query-Options": "batchSize=200"}).body
    )

    second = desk.get(page["nextRecordsUrl"])
    third = code(desk, "GET", second["nextRecordsUrl"])

    assert third == (400, "INVALID_QUERY_LOCATOR")


def test_what_commits_late_is_stamped_in_the_past(desk: Desk):
    plan(desk, "late_commit", {"times": 1}, seconds=90)
    desk.ask("POST", "sobjects/Lead", LEAD)

    (record,) = desk.query("SELECT SystemModstamp FROM Lead WHERE LastName = 'Émile'")["records"]

    assert record["SystemModstamp"] == "2026-03-02T09:58:30.000+0000"


def test_a_wrong_clock_is_wrong_in_the_stamps_too_until_the_fault_ends(desk: Desk):
    plan(desk, "clock_skew", seconds=300)
    desk.ask("POST", "sobjects/Lead", LEAD)
    ahead = desk.org.clock()
    desk.org.faults.clear()

    (record,) = desk.query("SELECT CreatedDate FROM Lead WHERE LastName = 'Émile'")["records"]

    assert record["CreatedDate"] == "2026-03-02T10:05:00.000+0000"
    assert (ahead - desk.org.clock()).total_seconds() == 300


def test_another_org_answers_with_the_same_tokens(desk: Desk):
    form = b"grant_type=client_credentials&client_id=the-app&client_secret=the-secret"
    plan(desk, "org_swapped")

    token = json.loads(desk.ask("POST", "/services/oauth2/token", form, bare=True).body)
    (organization,) = desk.query("SELECT Id FROM Organization")["records"]

    assert desk.org.org_id not in token["id"]
    assert organization["Id"].startswith("00D5e000000Zz9x")
    assert desk.ask("GET", "limits", headers={"Authorization": f"Bearer {token['access_token']}"}).status == 200


def test_an_expired_session_is_over_and_a_new_one_is_given(desk: Desk):
    form = b"grant_type=client_credentials&client_id=the-app&client_secret=the-secret"
    token = json.loads(desk.ask("POST", "/services/oauth2/token", form, bare=True).body)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    plan(desk, "session_expired")

    refused = code(desk, "GET", "limits", headers=headers)

    assert refused == (401, "INVALID_SESSION_ID")
    assert code(desk, "GET", "limits", headers=headers) == (401, "INVALID_SESSION_ID")
    assert desk.ask("POST", "/services/oauth2/token", form, bare=True).status == 200


def test_after_an_expired_session_the_refresh_may_be_refused(desk: Desk):
    plan(desk, "session_expired", refresh="refused")
    form = b"grant_type=client_credentials&client_id=the-app&client_secret=the-secret"

    desk.ask("GET", "limits")
    refused = desk.ask("POST", "/services/oauth2/token", form, bare=True)

    assert (refused.status, json.loads(refused.body)["error"]) == (400, "invalid_grant")


def test_a_forbidden_address_is_told_at_the_token_endpoint_and_in_the_login_history(desk: Desk):
    plan(desk, "ip_restricted", {"times": 1})
    form = b"grant_type=client_credentials&client_id=the-app&client_secret=the-secret"

    refused = json.loads(desk.ask("POST", "/services/oauth2/token", form, bare=True).body)

    assert refused == {"error": "invalid_grant", "error_description": "ip restricted"}
    assert desk.query("SELECT Status FROM LoginHistory")["records"][0]["Status"] == "Restricted IP"


def job(desk: Desk) -> str:
    job_id = json.loads(desk.ask("POST", "jobs/ingest", {"object": "Lead", "operation": "insert"}).body)["id"]
    lines = "".join(f"Rang {number},Co\n" for number in range(6))
    desk.ask("PUT", f"jobs/ingest/{job_id}/batches", f"LastName,Company\n{lines}".encode())
    desk.ask("PATCH", f"jobs/ingest/{job_id}", {"state": "UploadComplete"})
    return str(job_id)


def state_of(desk: Desk, job_id: str, *wanted: str) -> dict[str, Any]:
    for _attempt in range(200):
        info: dict[str, Any] = desk.get(f"jobs/ingest/{job_id}")
        if info["state"] in wanted:
            return info
        time.sleep(0.02)
    raise AssertionError(info)


def test_a_job_may_be_stuck_for_ever(desk: Desk):
    plan(desk, "bulk_stuck", {"object": "Lead"})

    job_id = job(desk)

    state_of(desk, job_id, "InProgress")
    time.sleep(0.1)
    assert desk.get(f"jobs/ingest/{job_id}")["state"] == "InProgress"
    assert desk.names("LastName LIKE 'Rang%'") == []


def test_a_job_may_fail_and_say_why(desk: Desk):
    plan(desk, "bulk_failed", message="ApiBatchItems Limit exceeded.")

    info = state_of(desk, job(desk), "Failed")

    assert info["errorMessage"] == "ApiBatchItems Limit exceeded."


def test_an_aborted_job_has_done_some_rows_and_tells_the_others(desk: Desk):
    plan(desk, "bulk_abort", rows=2)
    job_id = job(desk)

    info = state_of(desk, job_id, "Aborted")

    assert info["numberRecordsProcessed"] == 2
    assert len(desk.ask("GET", f"jobs/ingest/{job_id}/unprocessedrecords").body.splitlines()) == 5


def test_rows_of_a_job_are_locked_like_others(desk: Desk):
    plan(desk, "lock_row", {"record": {"LastName": ["Rang 1", "Rang 4"]}})
    job_id = job(desk)

    info = state_of(desk, job_id, "JobComplete")

    assert info["numberRecordsFailed"] == 2
    assert b'"UNABLE_TO_LOCK_ROW:unable to obtain' in desk.ask("GET", f"jobs/ingest/{job_id}/failedResults").body


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"kind": "thunder"}, id="no such kind"),
        pytest.param({"kind": "refuse", "match": {"moon": "full"}}, id="no such match"),
        pytest.param({"kind": "refuse", "match": {"probability": 3}}, id="no such chance"),
        pytest.param({"kind": "slow", "with": {"hours": 1}}, id="no such option"),
        pytest.param({"kind": "perm_field"}, id="nothing taken away"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_others_beside_it(desk: Desk, asked: dict[str, Any]):
    assert code(desk, "POST", "/sandbox/faults", [{"kind": "refuse"}, asked]) == (400, "INVALID_FAULT")
    assert desk.org.faults.all() == []


def test_the_daily_allowance_is_enforced_when_it_is_set_to_be(desk: Desk):
    used = desk.org.allowance.used
    desk.ask("PATCH", "/sandbox/settings", {"daily_requests": used + 2, "enforce_allowance": True})

    answers = [code(desk, "GET", "limits") for _turn in range(3)]

    assert [status for status, _code in answers] == [200, 200, 403]
    assert answers[2][1] == "REQUEST_LIMIT_EXCEEDED"


def test_every_kind_actor_match_and_setting_is_in_the_reference(desk: Desk):
    page = (Path(__file__).parents[3] / "docs" / "reference" / "sandbox-faults.md").read_text()
    named = {*KINDS, *HAPPENINGS, *ACTORS, *desk.org.settings.as_json()}

    assert [name for name in sorted(named) if f"`{name}`" not in page] == []
    for kind in KINDS.values():
        (line,) = [each for each in page.splitlines() if each.startswith(f"| `{kind.name}` | {kind.says} |")]
        assert all(f"`{option}`" in line for option in kind.options)
