"""Bulk jobs and SOAP calls: states, files, envelopes, faults."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any
from xml.etree import ElementTree

import pytest

from relance.sandbox.bulk_jobs import Jobs
from relance.sandbox.exchange import Response

from .conftest import TOKEN, Desk

SOAP = "urn:partner.soap.sforce.com"


def job_of(desk: Desk, **facts: str) -> str:
    response = desk.ask("POST", "jobs/ingest", {"object": "Lead", "contentType": "CSV", **facts})
    assert response.status == 200, response.body
    return str(json.loads(response.body)["id"])


def finished(desk: Desk, address: str) -> dict[str, Any]:
    for _attempt in range(200):
        info: dict[str, Any] = desk.get(address)
        if info["state"] in ("JobComplete", "Failed", "Aborted"):
            return info
        time.sleep(0.02)
    raise AssertionError(f"the job does not end: {info}")


def ingest(desk: Desk, text: str, **facts: str) -> tuple[str, dict[str, Any]]:
    job = job_of(desk, **facts)
    assert desk.ask("PUT", f"jobs/ingest/{job}/batches", text.encode()).status == 201
    assert desk.ask("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"}).status == 200
    return job, finished(desk, f"jobs/ingest/{job}")


def rows_of(response: Response) -> list[dict[str, str]]:
    assert response.status == 200
    return list(csv.DictReader(io.StringIO(response.body.decode())))


def test_an_upsert_job_creates_updates_and_refuses_row_by_row(desk: Desk):
    text = "Relance_Id__c,LastName,Company,Email\nr1,Aline,Delta,\nnew,Émile,Gamma,e@g.example\nbad,Fanny,,\nworse,Guy,Co,no mail\n"
    job, info = ingest(desk, text, operation="upsert", externalIdFieldName="Relance_Id__c")

    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 4, 2)
    good = {row["Relance_Id__c"]: row for row in rows_of(desk.ask("GET", f"jobs/ingest/{job}/successfulResults/"))}
    bad = {row["Relance_Id__c"]: row for row in rows_of(desk.ask("GET", f"jobs/ingest/{job}/failedResults"))}
    assert {key: row["sf__Created"] for key, row in good.items()} == {"r1": "false", "new": "true"}
    assert good["new"]["sf__Id"].startswith("00Q")
    assert bad["bad"]["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"
    assert bad["worse"]["sf__Error"].startswith("INVALID_EMAIL_ADDRESS:")
    assert rows_of(desk.ask("GET", f"jobs/ingest/{job}/unprocessedrecords")) == []


def test_an_empty_cell_leaves_a_field_and_not_available_empties_it(desk: Desk):
    ingest(desk, "Relance_Id__c,Phone,Email\nr3,#N/A,\n", operation="upsert", externalIdFieldName="Relance_Id__c")

    (lead,) = desk.query("SELECT Phone, Email FROM Lead WHERE LastName = 'Chloé'")["records"]
    assert (lead["Phone"], lead["Email"]) == (None, "chloe@alpha.example")


def test_a_job_with_a_column_nobody_knows_fails_as_a_whole(desk: Desk):
    _job, info = ingest(desk, "LastName,Nom\nx,y\n", operation="insert")

    assert info["state"] == "Failed"
    assert info["errorMessage"] == "InvalidBatch : Field name not found : Nom"


def test_data_is_uploaded_once_and_only_while_open(desk: Desk):
    job = job_of(desk, operation="insert")
    assert desk.ask("PUT", f"jobs/ingest/{job}/batches", b"LastName,Company\nx,y\n").status == 201

    again = desk.ask("PUT", f"jobs/ingest/{job}/batches", b"LastName,Company\nx,y\n")

    assert (again.status, json.loads(again.body)[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


def test_an_aborted_job_returns_its_rows_unprocessed(desk: Desk):
    job = job_of(desk, operation="insert")
    desk.ask("PUT", f"jobs/ingest/{job}/batches", b"LastName,Company\nx,y\n")
    desk.ask("PATCH", f"jobs/ingest/{job}", {"state": "Aborted"})

    assert rows_of(desk.ask("GET", f"jobs/ingest/{job}/unprocessedRecords")) == [{"LastName": "x", "Company": "y"}]


def test_a_job_an_earlier_process_left_half_done_is_taken_up_where_it_was(desk: Desk):
    """What a kill leaves: some rows committed with their results, the job still in progress."""
    jobs = desk.org.jobs
    assert jobs is not None
    jobs.stop()
    job_id = job_of(desk, operation="insert")
    desk.ask("PUT", f"jobs/ingest/{job_id}/batches", b"LastName,Company\nGuy,G\nHugo,G\n")
    (job,) = jobs.all("ingest")
    jobs.change(job, state="InProgress", processed=1)
    with desk.org.store.writing() as connection:
        connection.execute("INSERT INTO _job_row (job, line, record_id, created) VALUES (?, 1, 'x', 1)", (job.number,))

    later = desk.org.jobs = Jobs(desk.org)
    later.start()
    info = finished(desk, f"jobs/ingest/{job_id}")
    later.stop()

    assert info["numberRecordsProcessed"] == 2
    assert desk.names("Company = 'G'") == ["Hugo"]


def query_job(desk: Desk, soql: str) -> str:
    response = desk.ask("POST", "jobs/query", {"operation": "query", "query": soql})
    assert response.status == 200, response.body
    job = str(json.loads(response.body)["id"])
    assert finished(desk, f"jobs/query/{job}")["state"] == "JobComplete"
    return job


def test_a_query_job_gives_pages_until_the_locator_is_null(desk: Desk):
    job = query_job(
        desk, "SELECT LastName, Owner.Username, HasOptedOutOfEmail, CreatedDate, Email FROM Lead ORDER BY LastName"
    )

    first = desk.ask("GET", f"jobs/query/{job}/results?maxRecords=3")
    rest = desk.ask("GET", f"jobs/query/{job}/results?maxRecords=3&locator={first.headers['Sforce-Locator']}")

    assert (first.headers["Sforce-NumberOfRecords"], rest.headers["Sforce-NumberOfRecords"]) == ("3", "1")
    assert rest.headers["Sforce-Locator"] == "null"
    rows = rows_of(first) + rows_of(rest)
    assert [row["LastName"] for row in rows] == ["Aline", "Bruno", "Chloé", "Denis"]
    assert rows[1] == {
        "LastName": "Bruno",
        "Owner.Username": rows[0]["Owner.Username"],
        "HasOptedOutOfEmail": "true",
        "CreatedDate": "2026-02-22T12:00:00.000Z",
        "Email": "",
    }


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT COUNT(Id) FROM Lead",
        "SELECT Id FROM Lead OFFSET 3",
        "SELECT MailingAddress FROM Contact",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    ],
)
def test_what_bulk_queries_cannot_do_is_refused_at_once(desk: Desk, soql: str):
    assert desk.ask("POST", "jobs/query", {"operation": "query", "query": soql}).status == 400


def call(
    desk: Desk, operation: str, content: str, *, token: str = TOKEN, version: str = "66.0"
) -> tuple[int, ElementTree.Element]:
    header = f"<urn:SessionHeader><urn:sessionId>{token}</urn:sessionId></urn:SessionHeader>"
    envelope = (
        f'<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="{SOAP}"><env:Header>{header}</env:Header>'
        f"<env:Body><urn:{operation}>{content}</urn:{operation}></env:Body></env:Envelope>"
    )
    response = desk.ask("POST", f"/services/Soap/u/{version}", envelope.encode(), bare=True)
    assert response.content_type.startswith("text/xml")
    return response.status, ElementTree.fromstring(response.body)


def text(envelope: ElementTree.Element, name: str) -> str | None:
    return next((found.text for found in envelope.iter() if found.tag.rpartition("}")[2] == name), None)


def test_a_lead_is_converted_and_one_that_cannot_be_says_why(desk: Desk):
    lead = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"][0]["Id"]
    (status,) = desk.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")["records"]
    one = f"<leadConverts><convertedStatus>{status['ApiName']}</convertedStatus><leadId>{lead}</leadId></leadConverts>"
    bad = "<leadConverts><convertedStatus>Open - Not Contacted</convertedStatus><leadId>00Qxx</leadId></leadConverts>"

    http, envelope = call(desk, "convertLead", one + bad)

    done, refused = [found for found in envelope.iter() if found.tag.rpartition("}")[2] == "result"]
    assert http == 200
    assert (text(done, "success"), text(done, "leadId")) == ("true", lead)
    assert (text(refused, "success"), text(refused, "contactId")) == ("false", None)
    assert text(refused, "statusCode")
    (read,) = desk.query("SELECT IsConverted, ConvertedContactId FROM Lead WHERE LastName = 'Aline'")["records"]
    assert read["IsConverted"] is True
    assert read["ConvertedContactId"] == text(done, "contactId")


def test_merging_keeps_the_master_and_leaves_its_id_on_the_other(desk: Desk):
    ids = [
        record["Id"]
        for record in desk.query("SELECT Id FROM Lead WHERE Company = 'Alpha' ORDER BY LastName")["records"]
    ]
    content = (
        f"<request><masterRecord><type>Lead</type><Id>{ids[0]}</Id><Phone>09</Phone></masterRecord>"
        f"<recordToMergeIds>{ids[1]}</recordToMergeIds></request>"
    )

    status, envelope = call(desk, "merge", content)

    assert (status, text(envelope, "success"), text(envelope, "mergedRecordIds")) == (200, "true", ids[1])
    (loser,) = desk.get("queryAll", q=f"SELECT MasterRecordId, IsDeleted FROM Lead WHERE Id = '{ids[1]}'")["records"]
    assert (loser["MasterRecordId"], loser["IsDeleted"]) == (ids[0], True)
    assert desk.names("Phone = '09'") == ["Aline"]


def test_login_is_there_up_to_version_64_and_no_longer_after(desk: Desk):
    username = desk.query(f"SELECT Username FROM User WHERE Id = '{desk.org.user_id}'")["records"][0]["Username"]
    content = f"<urn:username>{username}</urn:username><urn:password>pass</urn:password>"

    status, envelope = call(desk, "login", content, version="64.0")
    later, fault = call(desk, "login", content, version="65.0")

    assert (status, text(envelope, "userId")) == (200, desk.org.user_id)
    assert Desk(desk.org, text(envelope, "sessionId") or "").ask("GET", "limits").status == 200
    assert (text(envelope, "serverUrl") or "").startswith("http://localhost:1/services/Soap/u/64.0/00D")
    assert later == 500
    assert "No operation available" in (text(fault, "faultstring") or "")


@pytest.mark.parametrize(
    ("operation", "content", "token", "version", "code"),
    [
        ("login", "<urn:username>x</urn:username>", TOKEN, "64.0", "INVALID_LOGIN"),
        ("getUserInfo", "", "dead", "66.0", "INVALID_SESSION_ID"),
        ("getUserInfo", "", TOKEN, "30.0", "UNSUPPORTED_API_VERSION"),
    ],
)
def test_a_fault_names_its_code(desk: Desk, operation: str, content: str, token: str, version: str, code: str):
    status, envelope = call(desk, operation, content, token=token, version=version)

    assert (status, text(envelope, "exceptionCode"), text(envelope, "faultcode")) == (500, code, f"sf:{code}")


def test_who_am_i_is_answered_in_soap_too(desk: Desk):
    status, envelope = call(desk, "getUserInfo", "")

    assert (status, text(envelope, "organizationId")) == (200, desk.org.org_id)
