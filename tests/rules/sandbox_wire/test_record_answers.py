"""Statuses and bodies of records written and read one by one or in collections."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from relance.sandbox.outcome_bodies import refused_save
from relance.sandbox.outcomes import DuplicateMatch, DuplicateResult, RecordError

from .conftest import BASE, Desk


def id_of(desk: Desk, name: str) -> str:
    return str(desk.query(f"SELECT Id FROM Lead WHERE LastName = '{name}'")["records"][0]["Id"])


def body_of(desk: Desk, method: str, address: str, body: object = None, **more: Any) -> tuple[int, Any]:
    response = desk.ask(method, address, body, **more)
    return response.status, json.loads(response.body) if response.body else None


def test_a_created_record_is_answered_with_its_id_and_place(desk: Desk):
    response = desk.ask("POST", "sobjects/Lead/", {"LastName": "Émile", "Company": "Gamma"})

    assert response.status == 201
    answer = json.loads(response.body)
    assert answer == {"id": answer["id"], "success": True, "errors": []}
    assert response.headers["Location"] == f"{BASE}/sobjects/Lead/{answer['id']}"


def test_a_record_is_read_by_a_short_id_with_the_fields_asked_for(desk: Desk):
    record_id = id_of(desk, "Aline")

    record = desk.get(f"sobjects/Lead/{record_id[:15]}", fields="LastName,Email")

    assert record.pop("attributes") == {"type": "Lead", "url": f"{BASE}/sobjects/Lead/{record_id}"}
    assert record == {"LastName": "Aline", "Email": "aline@alpha.example", "Id": record_id}


def test_a_whole_record_has_its_compound_fields(desk: Desk):
    record = desk.get(f"sobjects/Lead/{id_of(desk, 'Aline')}")

    assert record["Name"] == "A. Aline"
    assert record["Address"] is None
    assert record["IsDeleted"] is False


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "code"),
    [
        ("GET", "sobjects/Lead/nothing", None, 404, "NOT_FOUND"),
        ("GET", "sobjects/Lead/00QAA0000000001", None, 404, "NOT_FOUND"),
        ("GET", "sobjects/Prospect", None, 404, "NOT_FOUND"),
        ("PATCH", "sobjects/Lead/00QAA0000000001", {"LastName": "x"}, 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("POST", "sobjects/Lead", {"LastName": "x"}, 400, "REQUIRED_FIELD_MISSING"),
        ("POST", "sobjects/Lead", {"LastName": "x", "Company": "y", "Nom": "z"}, 400, "INVALID_FIELD"),
        (
            "POST",
            "sobjects/Lead",
            {"LastName": "x", "Company": "y", "SystemModstamp": None},
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        ("POST", "sobjects/Lead", {"LastName": 3, "Company": "y"}, 400, "JSON_PARSER_ERROR"),
        ("POST", "sobjects/Lead", b"{", 400, "JSON_PARSER_ERROR"),
        ("POST", "sobjects/Lead", b"", 400, "JSON_PARSER_ERROR"),
        ("PUT", "sobjects/Lead", {}, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "nowhere", None, 404, "NOT_FOUND"),
        ("GET", "/services/data/v30.0/limits", None, 410, "UNSUPPORTED_API_VERSION"),
        ("GET", "/services/data/v69.0/limits", None, 404, "NOT_FOUND"),
    ],
)
def test_a_refusal_has_the_status_and_code_of_the_crm(
    desk: Desk, method: str, address: str, body: object, status: int, code: str
):
    seen, errors = body_of(desk, method, address, body)

    assert (seen, errors[0]["errorCode"]) == (status, code)


def test_a_deleted_record_is_gone_and_says_so_ever_after(desk: Desk):
    address = f"sobjects/Lead/{id_of(desk, 'Denis')}"
    assert desk.ask("DELETE", address).status == 204

    for method, body in (("DELETE", None), ("GET", None), ("PATCH", {"LastName": "x"})):
        status, errors = body_of(desk, method, address, body)
        assert (status, errors[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_an_update_answers_nothing(desk: Desk):
    response = desk.ask("PATCH", f"sobjects/Lead/{id_of(desk, 'Aline')}", {"Phone": "02"})

    assert (response.status, response.body) == (204, b"")


def test_an_upsert_says_whether_it_created(desk: Desk):
    address = "sobjects/Lead/Relance_Id__c/" + quote("r/9", safe="")
    created, first = body_of(desk, "PATCH", address, {"LastName": "Émile", "Company": "Gamma"})
    updated, second = body_of(desk, "PATCH", address, {"Company": "Delta"})

    assert (created, first["created"], updated, second["created"]) == (201, True, 200, False)
    assert first["id"] == second["id"]
    assert desk.get(address)["Company"] == "Delta"


def test_before_version_46_an_upsert_that_updates_answers_nothing(desk: Desk):
    assert desk.ask("PATCH", "/services/data/v45.0/sobjects/Lead/Relance_Id__c/r1", {"Company": "Delta"}).status == 204


def test_the_external_id_has_no_place_in_the_body(desk: Desk):
    status, errors = body_of(desk, "PATCH", "sobjects/Lead/Relance_Id__c/r1", {"Relance_Id__c": "r1"})

    assert (status, errors[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_several_records_under_one_external_id_are_listed(desk: Desk):
    for _twice in range(2):
        desk.ask("POST", "sobjects/Lead", {"LastName": "Twin", "Company": "T", "Reference__c": "same"})

    status, places = body_of(desk, "PATCH", "sobjects/Lead/Reference__c/same", {"Company": "U"})

    assert (status, len(places)) == (300, 2)
    assert places[0].startswith(f"{BASE}/sobjects/Lead/00Q")


def test_a_parent_may_be_named_by_an_external_id_of_its_own(desk: Desk):
    username = desk.query(f"SELECT Username FROM User WHERE Id = '{desk.org.user_id}'")["records"][0]["Username"]
    named = {"LastName": "Émile", "Company": "Gamma", "Owner": {"attributes": {"type": "User"}, "Username": username}}

    _status, made = body_of(desk, "POST", "sobjects/Lead", named)
    status, errors = body_of(desk, "POST", "sobjects/Lead", {**named, "Owner": {"Username": "nobody@x.example"}})

    assert desk.get(f"sobjects/Lead/{made['id']}")["OwnerId"] == desk.org.user_id
    assert (status, errors[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert errors[0]["message"].startswith("Foreign key external ID: nobody@x.example not found for field Username")


def test_a_collection_answers_row_by_row_in_order(desk: Desk):
    good = {"attributes": {"type": "Lead"}, "LastName": "Émile", "Company": "Gamma"}
    bad = {"attributes": {"type": "Lead"}, "LastName": "Fanny"}

    status, rows = body_of(desk, "POST", "composite/sobjects", {"allOrNone": False, "records": [good, bad]})

    assert status == 200
    assert [row["success"] for row in rows] == [True, False]
    assert rows[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Company]",
            "fields": ["Company"],
        }
    ]


def test_all_or_none_undoes_the_good_rows_and_tells_them(desk: Desk):
    good = {"attributes": {"type": "Lead"}, "LastName": "Émile", "Company": "Gamma"}
    bad = {"attributes": {"type": "Lead"}, "LastName": "Fanny"}

    _status, rows = body_of(desk, "POST", "composite/sobjects", {"allOrNone": True, "records": [good, bad]})

    assert [row["errors"][0]["statusCode"] for row in rows] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert desk.names("LastName = 'Émile'") == []


def test_a_collection_updates_by_either_spelling_of_id(desk: Desk):
    rows = [
        {"attributes": {"type": "Lead"}, "id": id_of(desk, "Aline"), "Phone": "03"},
        {"attributes": {"type": "Lead"}, "Id": id_of(desk, "Bruno"), "Phone": "03"},
    ]

    _status, results = body_of(desk, "PATCH", "composite/sobjects", {"records": rows})

    assert [row["success"] for row in results] == [True, True]
    assert desk.names("Phone = '03'") == ["Aline", "Bruno"]


def test_an_upserted_collection_says_created_for_each_row(desk: Desk):
    rows = [
        {"attributes": {"type": "Lead"}, "Relance_Id__c": "r1", "Company": "Delta"},
        {"attributes": {"type": "Lead"}, "Relance_Id__c": "new", "LastName": "Émile", "Company": "Gamma"},
        {"attributes": {"type": "Lead"}, "LastName": "No key"},
    ]

    _status, results = body_of(desk, "PATCH", "composite/sobjects/Lead/Relance_Id__c", {"records": rows})

    assert [row["created"] for row in results] == [False, True, False]
    assert results[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"


def test_records_are_read_together_with_null_for_those_that_are_not_there(desk: Desk):
    ids = [id_of(desk, "Bruno"), "00QAA0000000001AAA", id_of(desk, "Aline")]

    _status, records = body_of(desk, "POST", "composite/sobjects/Lead", {"ids": ids, "fields": ["LastName"]})

    assert [record and record["LastName"] for record in records] == ["Bruno", None, "Aline"]


def test_records_are_deleted_together(desk: Desk):
    ids = f"{id_of(desk, 'Aline')},00QAA0000000001AAA"

    _status, rows = body_of(desk, "DELETE", f"composite/sobjects?ids={ids}&allOrNone=false")

    assert [row["success"] for row in rows] == [True, False]


def test_more_than_200_records_are_too_many(desk: Desk):
    rows = [{"attributes": {"type": "Lead"}, "LastName": "x"}] * 201

    status, errors = body_of(desk, "POST", "composite/sobjects", {"records": rows})

    assert (status, errors[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")


def test_updated_and_deleted_are_listed_by_minute(desk: Desk):
    denis = id_of(desk, "Denis")
    desk.ask("DELETE", f"sobjects/Lead/{denis}")

    updated = desk.get("sobjects/Lead/updated/", start="2026-02-22T00:00:00Z", end="2026-02-23T23:00:59+00:00")
    deleted = desk.get("sobjects/Lead/deleted", start="2026-03-01T00:00:00Z", end="2026-03-02T10:05:00Z")

    assert updated == {
        "ids": [id_of(desk, "Bruno"), id_of(desk, "Chloé")],
        "latestDateCovered": "2026-02-23T23:00:00.000+0000",
    }
    assert deleted["deletedRecords"] == [{"id": denis, "deletedDate": "2026-03-02T10:00:00.000+0000"}]
    assert deleted["latestDateCovered"] == "2026-03-02T10:01:00.000+0000"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:30Z"),
        ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("yesterday", "2026-03-01T00:00:00Z"),
    ],
)
def test_a_window_too_short_too_old_or_unreadable_is_refused(desk: Desk, start: str, end: str):
    status, errors = body_of(desk, "GET", f"sobjects/Lead/updated?start={start}&end={end}")

    assert (status, errors[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_composite_parts_speak_of_earlier_answers(desk: Desk):
    parts = [
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "made", "body": {"Name": "Gamma"}},
        {
            "method": "POST",
            "url": f"{BASE}/sobjects/Contact",
            "referenceId": "person",
            "body": {"LastName": "Émile", "AccountId": "@{made.id}"},
        },
        {"method": "GET", "url": f"{BASE}/sobjects/Contact/@{{person.id}}?fields=AccountId", "referenceId": "read"},
    ]

    status, answer = body_of(desk, "POST", "composite", {"compositeRequest": parts})

    made, person, read = answer["compositeResponse"]
    assert status == 200
    assert [part["httpStatusCode"] for part in (made, person, read)] == [201, 201, 200]
    assert read["body"]["AccountId"] == made["body"]["id"]


def test_a_part_whose_reference_failed_is_halted(desk: Desk):
    parts = [
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "made", "body": {}},
        {"method": "GET", "url": f"{BASE}/sobjects/Account/@{{made.id}}", "referenceId": "read"},
    ]

    _status, answer = body_of(desk, "POST", "composite", {"compositeRequest": parts})

    assert answer["compositeResponse"][1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_a_composite_of_all_or_none_leaves_nothing_behind(desk: Desk):
    parts = [
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "made", "body": {"Name": "Gamma"}},
        {"method": "POST", "url": f"{BASE}/sobjects/Contact", "referenceId": "person", "body": {}},
    ]

    _status, answer = body_of(desk, "POST", "composite", {"allOrNone": True, "compositeRequest": parts})

    assert [part["httpStatusCode"] for part in answer["compositeResponse"]] == [400, 400]
    assert desk.query("SELECT COUNT() FROM Account WHERE Name = 'Gamma'")["totalSize"] == 0


def test_a_batch_takes_addresses_with_and_without_their_beginning(desk: Desk):
    parts = [{"method": "GET", "url": "v66.0/limits"}, {"method": "GET", "url": f"{BASE}/sobjects/Prospect"}]

    _status, answer = body_of(desk, "POST", "composite/batch", {"batchRequests": parts})

    assert answer["hasErrors"] is True
    assert [part["statusCode"] for part in answer["results"]] == [200, 404]


def test_a_duplicate_is_told_with_the_misspelt_key_and_its_matches(desk: Desk):
    duplicate = DuplicateResult(
        "Rule", "Lead", True, "Use one of these?", (DuplicateMatch("Contact", "003000000000001AAA", "Matcher"),)
    )

    response = refused_save(desk.org, [RecordError("DUPLICATES_DETECTED", "Use one of these?", (), duplicate)], BASE)

    (error,) = json.loads(response.body)
    assert (response.status, error["errorCode"]) == (400, "DUPLICATES_DETECTED")
    assert error["duplicateResut"]["allowSave"] is True
    (match,) = error["duplicateResut"]["matchResults"]
    assert match["matchRecords"][0]["record"]["Id"] == "003000000000001AAA"


def test_every_data_answer_carries_the_meter(desk: Desk):
    first = desk.ask("GET", "limits")
    second = desk.ask("GET", "sobjects/Prospect")

    assert (first.headers["Sforce-Limit-Info"], second.headers["Sforce-Limit-Info"]) == (
        "api-usage=1/100000",
        "api-usage=2/100000",
    )
    assert json.loads(first.body)["DailyApiRequests"] == {"Max": 100000, "Remaining": 99999}
