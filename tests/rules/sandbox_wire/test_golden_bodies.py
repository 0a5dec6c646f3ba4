"""Bodies as the real CRM sends them, byte for byte but for ids: what clients have been written against."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from relance.sandbox.schema import DuplicateRule, MatchingRule, MatchingRuleItem

from .conftest import Desk

ID = re.compile(r"\b[0-9a-zA-Z]{3}d00[0-9A-Za-z]{9}(?:[0-9A-Za-z]{3})?\b")


def body(desk: Desk, method: str, address: str, content: object = None, **more: Any) -> tuple[int, str]:
    response = desk.ask(method, address, content, **more)
    return response.status, ID.sub("ID", response.body.decode())


@pytest.fixture
def doubles(desk: Desk) -> Desk:
    """A rule that warns of leads with the same address."""
    desk.org.schema.matching_rules.append(MatchingRule("Lead", "Lead_MR", "Lead", True, (MatchingRuleItem("Email"),)))
    desk.org.schema.duplicate_rules.append(
        DuplicateRule(
            "Lead", "Standard_Lead_Duplicate_Rule", "Leads", True, "Allow", "Allow", ("Alert",), (), "Use one of these records?",
            matches=(("Lead", "Lead_MR"),),
        )
    )  # fmt: skip
    desk.org.records.forget_plans()
    return desk


GOLDEN: list[tuple[str, str, object, int, str]] = [
    ("POST", "sobjects/Lead", {"LastName": "É", "Company": "C"}, 201, '{"id":"ID","success":true,"errors":[]}'),
    (
        "POST", "sobjects/Lead", {"LastName": "É"}, 400,
        '[{"message":"Required fields are missing: [Company]","errorCode":"REQUIRED_FIELD_MISSING","fields":["Company"]}]',
    ),
    (
        "POST", "sobjects/Lead", {"LastName": "É", "Company": "C", "Nope__c": 1}, 400,
        '[{"message":"No such column \'Nope__c\' on sobject of type Lead","errorCode":"INVALID_FIELD","fields":[]}]',
    ),
    (
        "POST", "sobjects/Lead", {"LastName": "É", "Company": "C", "Relance_Id__c": "r1"}, 400,
        '[{"message":"duplicate value found: Relance_Id__c duplicates value on record with id: ID","errorCode":"DUPLICATE_VALUE",'
        '"fields":[]}]',
    ),
    (
        "GET", "sobjects/Lead/00Qd00000000000AAA", None, 404,
        '[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]',
    ),
    (
        "PATCH", "sobjects/Lead/Relance_Id__c/r1", {"Company": "D"}, 200,
        '{"id":"ID","success":true,"errors":[],"created":false}',
    ),
    (
        "POST", "composite/sobjects",
        {"records": [{"attributes": {"type": "Lead"}, "LastName": "É", "Company": "C"}, {"attributes": {"type": "Lead"}}]}, 200,
        '[{"id":"ID","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":'
        '"Required fields are missing: [LastName, Company]","fields":["LastName","Company"]}]}]',
    ),
    (
        "POST", "composite",
        {"compositeRequest": [
            {"method": "GET", "url": "/services/data/v66.0/sobjects/Nope", "referenceId": "a"},
            {"method": "PATCH", "url": "/services/data/v66.0/sobjects/Lead/@{a.id}", "referenceId": "b", "body": {}},
        ]}, 200,
        '{"compositeResponse":[{"body":[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}],"httpHeaders":{},'
        '"httpStatusCode":404,"referenceId":"a"},{"body":[{"errorCode":"PROCESSING_HALTED","message":"Invalid reference specified. No '
        'value for a found"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"b"}]}',
    ),
    (
        "GET", "query?q=SELECT+Company+FROM+Lead+WHERE+LastName='Aline'", None, 200,
        '{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/ID"},'
        '"Company":"Alpha"}]}',
    ),
    ("GET", "query?q=SELECT+COUNT()+FROM+Lead", None, 200, '{"totalSize":4,"done":true,"records":[]}'),
]  # fmt: skip


@pytest.mark.parametrize(("method", "address", "content", "status", "text"), GOLDEN, ids=lambda value: str(value)[:28])
def test_an_answer_is_what_clients_expect(
    desk: Desk, method: str, address: str, content: object, status: int, text: str
):
    assert body(desk, method, address, content) == (status, text)


def test_a_match_list_is_spelt_as_the_real_one_or_as_it_should_be(doubles: Desk):
    twin = {"LastName": "Aline", "Company": "C", "Email": "aline@alpha.example"}

    status, text = body(doubles, "POST", "sobjects/Lead", twin)
    doubles.org.settings.change({"duplicate_key": "duplicateResult"})
    _status, mended = body(doubles, "POST", "sobjects/Lead", twin)

    assert (status, text) == (
        400,
        '[{"duplicateResut":{"allowSave":true,"duplicateRule":"Standard_Lead_Duplicate_Rule","duplicateRuleEntityType":"Lead",'
        '"errorMessage":"Use one of these records?","matchResults":[{"entityType":"Lead","errors":[],"matchEngine":"ExactMatchEngine",'
        '"matchRecords":[{"additionalInformation":[],"fieldDiffs":[],"matchConfidence":100.0,"record":{"attributes":{"type":"Lead",'
        '"url":"/services/data/v66.0/sobjects/Lead/ID"},"Id":"ID"}}],"rule":"Lead_MR","size":1,"success":true}]},'
        '"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?"}]',
    )
    assert json.loads(mended)[0]["duplicateResult"]["allowSave"] is True


def test_token_errors_are_objects_and_session_errors_lists(desk: Desk):
    form = b"grant_type=refresh_token&refresh_token=x&client_id=the-app"
    dead = desk.ask("GET", "limits", headers={"Authorization": "Bearer dead"})

    assert body(desk, "POST", "/services/oauth2/token", form, bare=True) == (
        400,
        '{"error":"invalid_grant","error_description":"expired access/refresh token"}',
    )
    assert (dead.status, dead.body.decode()) == (
        401,
        '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
    )
