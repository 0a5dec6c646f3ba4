"""What a query answers: nested records, children, counts, groups, pages."""

from __future__ import annotations

import json

import pytest

from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.soql import compile_query

from .conftest import BASE, Desk


def test_a_parent_is_nested_with_attributes_of_its_own(desk: Desk):
    (contact,) = desk.query("SELECT Account.Name, Account.Owner.Username FROM Contact WHERE LastName = 'Zoé'")[
        "records"
    ]

    assert contact["attributes"]["type"] == "Contact"
    assert contact["Account"]["attributes"]["url"].startswith(f"{BASE}/sobjects/Account/001")
    assert contact["Account"]["Name"] == "Alpha"
    assert contact["Account"]["Owner"]["Username"]


def test_a_missing_parent_is_null(desk: Desk):
    (lead,) = desk.query("SELECT ConvertedContact.LastName FROM Lead WHERE LastName = 'Aline'")["records"]

    assert lead["ConvertedContact"] is None


def test_an_owner_who_may_be_of_two_kinds_is_called_a_name(desk: Desk):
    (lead,) = desk.query("SELECT Owner.Name FROM Lead LIMIT 1")["records"]

    assert lead["Owner"]["attributes"]["type"] == "Name"
    assert "/sobjects/User/005" in lead["Owner"]["attributes"]["url"]


def test_an_address_is_an_object_made_of_its_parts(desk: Desk):
    (contact,) = desk.query("SELECT MailingAddress FROM Contact WHERE LastName = 'Zoé'")["records"]

    assert (contact["MailingAddress"]["city"], contact["MailingAddress"]["postalCode"]) == ("Lyon", "69001")
    assert contact["MailingAddress"]["street"] is None


def test_children_come_with_the_shape_of_an_answer_and_their_own_limit(desk: Desk):
    asked = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2) FROM Account ORDER BY Name"
    alpha, beta = desk.query(asked)["records"]

    assert alpha["Contacts"]["totalSize"] == 2
    assert [child["LastName"] for child in alpha["Contacts"]["records"]] == ["Xavier", "Yves"]
    assert beta["Contacts"] is None


def test_values_are_of_their_types(desk: Desk):
    asked = "SELECT AnnualRevenue, NumberOfEmployees, HasOptedOutOfEmail, CreatedDate, Phone FROM Lead WHERE LastName = 'Bruno'"
    (lead,) = desk.query(asked)["records"]

    assert lead["AnnualRevenue"] == 5000.0
    assert isinstance(lead["AnnualRevenue"], float)
    assert lead["HasOptedOutOfEmail"] is True
    assert lead["CreatedDate"] == "2026-02-22T12:00:00.000+0000"
    assert lead["Phone"] is None


def test_count_gives_a_size_and_no_record(desk: Desk):
    assert desk.query("SELECT COUNT() FROM Lead WHERE Company = 'Alpha'") == {
        "totalSize": 2,
        "done": True,
        "records": [],
    }


def test_groups_are_named_by_alias_field_or_number(desk: Desk):
    asked = "SELECT Company, COUNT(Id) many, MAX(AnnualRevenue) FROM Lead GROUP BY Company HAVING COUNT(Id) > 1"

    assert desk.query(asked)["records"] == [
        {"attributes": {"type": "AggregateResult"}, "Company": "Alpha", "many": 2, "expr0": 20000.0}
    ]


def test_groups_may_be_of_a_part_of_a_date(desk: Desk):
    (group,) = desk.query(
        "SELECT CALENDAR_YEAR(CreatedDate) year, COUNT(Id) FROM Lead GROUP BY CALENDAR_YEAR(CreatedDate)"
    )["records"]

    assert (group["year"], group["expr0"]) == (2026, 4)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("AnnualRevenue", [None, None, 5000.0, 20000.0]),
        ("AnnualRevenue DESC", [None, None, 20000.0, 5000.0]),
        ("AnnualRevenue DESC NULLS LAST", [20000.0, 5000.0, None, None]),
    ],
)
def test_nothing_comes_first_unless_asked_otherwise(desk: Desk, order: str, names: list[float | None]):
    records = desk.query(f"SELECT AnnualRevenue FROM Lead ORDER BY {order}")["records"]

    assert [record["AnnualRevenue"] for record in records] == names


def test_limit_and_offset_cut_a_window(desk: Desk):
    records = desk.query("SELECT LastName FROM Lead ORDER BY LastName LIMIT 2 OFFSET 1")["records"]

    assert [record["LastName"] for record in records] == ["Bruno", "Chloé"]


def test_deleted_records_are_only_in_query_all(desk: Desk):
    record_id = desk.query("SELECT Id FROM Lead WHERE LastName = 'Denis'")["records"][0]["Id"]
    assert desk.ask("DELETE", f"sobjects/Lead/{record_id}").status == 204

    assert desk.query("SELECT COUNT() FROM Lead")["totalSize"] == 3
    assert desk.get("queryAll", q="SELECT Id FROM Lead WHERE IsDeleted = true")["records"][0]["Id"] == record_id


def many_leads(desk: Desk, count: int) -> None:
    caller = Caller(desk.org.user_id, all_rights=True)
    with desk.org.records.transaction():
        for number in range(count):
            values = {"LastName": f"L{number:04}", "Company": "Many"}
            assert desk.org.records.insert(caller, "Lead", values, WriteOptions()).success


def test_pages_follow_each_other_without_gap_or_double(desk: Desk):
    many_leads(desk, 450)
    asked = "query?q=SELECT+LastName+FROM+Lead+WHERE+Company='Many'+ORDER+BY+LastName"
    page = json.loads(desk.ask("GET", asked, headers={"Sforce-Query-Options": "batchSize=200"}).body)
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    assert page["nextRecordsUrl"].startswith(f"{BASE}/query/01g")
    assert page["nextRecordsUrl"].endswith("-200")

    names = [record["LastName"] for record in page["records"]]
    while not page["done"]:
        page = desk.get(page["nextRecordsUrl"], q="ignored")
        names += [record["LastName"] for record in page["records"]]

    assert names == [f"L{number:04}" for number in range(450)]


def test_a_locator_that_is_not_ours_is_refused(desk: Desk):
    response = desk.ask("GET", "query/01gd00000000009AAA-2000")

    assert response.status == 400
    assert json.loads(response.body)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_the_incremental_query_runs_on_the_index_of_stamps(desk: Desk):
    asked = "SELECT Id, Email FROM Lead WHERE SystemModstamp >= 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id"
    compiled = compile_query(desk.org, asked, Caller(desk.org.user_id, all_rights=True))
    steps = (
        desk.org.store.connection()
        .execute("EXPLAIN QUERY PLAN " + compiled.select(limit=2001), compiled.parameters)
        .fetchall()
    )

    assert [step["detail"] for step in steps] == ["SEARCH t0 USING INDEX i_Lead_SystemModstamp_Id (SystemModstamp>?)"]


def test_columns_are_described_without_any_record(desk: Desk):
    answer = desk.query("SELECT Id, Owner.Name FROM Lead", columns="true")

    assert answer["entityName"] == "Lead"
    assert [column["columnName"] for column in answer["columnMetadata"]] == ["Id", "Owner.Name"]


def test_all_fields_need_a_small_limit(desk: Desk):
    assert "Relance_Id__c" in desk.query("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 1")["records"][0]
    assert desk.refusal("SELECT FIELDS(ALL) FROM Lead")["errorCode"] == "MALFORMED_QUERY"


def test_a_formula_is_made_when_read_on_the_record_and_through_a_relationship(desk: Desk):
    made = desk.ask("POST", "sobjects/CampaignMember", campaign_member(desk)).status
    (member,) = desk.query("SELECT Lead.Initiale__c, Lead.LastName FROM CampaignMember")["records"]
    names = desk.query("SELECT Initiale__c FROM Lead ORDER BY Initiale__c DESC")["records"]

    assert made == 201
    assert member["Lead"]["Initiale__c"] == "A"
    assert [record["Initiale__c"] for record in names] == ["D", "C", "B", "A"]


def campaign_member(desk: Desk) -> dict[str, str]:
    campaign = json.loads(desk.ask("POST", "sobjects/Campaign", {"Name": "Salon"}).body)["id"]
    aline = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"][0]["Id"]
    return {"CampaignId": campaign, "LeadId": aline}
