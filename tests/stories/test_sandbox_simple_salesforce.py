"""The sandbox through a public client as it is shipped: what it can do on a real org it can do here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from tests.stories.org_process import OrgProcess, org_running, write_tree


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    place = tmp_path_factory.mktemp("demo")
    tree = write_tree(place / "tree")
    with org_running(place, tree, "--data", str(tree / "data")) as running:
        yield running


@pytest.fixture
def sf(org: OrgProcess, monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    # Assigned, not defaulted: the machine may have an authority of its own in these.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", org.told["ca_file"])
    monkeypatch.setenv("CURL_CA_BUNDLE", org.told["ca_file"])
    return Salesforce(instance=org.netloc, session_id=org.told["token"])


def test_it_signs_in_over_soap_with_a_password(org: OrgProcess, sf: Salesforce):
    session, instance = SalesforceLogin(
        username=org.told["username"], password=org.told["password"], security_token="", scratch_url=org.told["https"]
    )

    assert instance == org.netloc
    assert Salesforce(instance=instance, session_id=session).limits()["DailyApiRequests"]["Max"] > 0


def test_it_describes_the_org_and_its_objects(sf: Salesforce):
    described = sf.describe()
    lead = sf.Lead.describe()

    assert described is not None
    assert {"Lead", "Contact", "Account", "Licence__c", "Evenement__c"} <= {
        each["name"] for each in described["sobjects"]
    }
    assert "Relance_Id__c" in {field["name"] for field in lead["fields"] if field["externalId"]}
    assert sf.Lead.metadata()["objectDescribe"]["keyPrefix"] == "00Q"


def test_it_creates_reads_updates_and_deletes(sf: Salesforce):
    made = sf.Lead.create({"LastName": "Aline", "Company": "Alpha", "Email": "aline@alpha-one.example"})
    assert sf.Lead.update(made["id"], {"Company": "Beta"}) == 204
    assert sf.Lead.get(made["id"][:15])["Company"] == "Beta"
    assert sf.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.get(made["id"])


def test_it_upserts_by_external_id_and_finds_the_record_again(sf: Salesforce):
    values = {"LastName": "Bruno", "Company": "Alpha", "Email": "bruno@alpha-two.example"}
    assert sf.Lead.upsert("Relance_Id__c/ss-1", values) == 201
    assert sf.Lead.upsert("Relance_Id__c/ss-1", {"Company": "Beta"}) == 200
    assert sf.Lead.get_by_custom_id("Relance_Id__c", "ss-1")["Company"] == "Beta"


def test_it_meets_the_rules_of_the_org(sf: Salesforce):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Lead.create({"LastName": "Denis", "Company": "Alpha", "Status": "Disqualifié"})

    assert refused.value.content[0]["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_it_reads_all_pages_of_a_query(sf: Salesforce):
    found = sf.query_all(
        "SELECT Id, LastName, Owner.Name FROM Lead WHERE CreatedDate < TODAY ORDER BY Id", include_deleted=False
    )
    one_by_one = [
        record["Id"] for record in sf.query_all_iter("SELECT Id FROM Lead WHERE CreatedDate < TODAY ORDER BY Id")
    ]

    assert found["totalSize"] == len(found["records"]) == 2000
    assert [record["Id"] for record in found["records"]] == one_by_one
    assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 1500


def test_it_pages_beyond_two_thousand(sf: Salesforce):
    sf.Lead.create({"LastName": "Émile", "Company": "Alpha", "Email": "emile@alpha-five.example"})
    first = sf.query("SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp, Id")
    found = sf.query_all("SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp, Id")

    assert (len(first["records"]), first["done"]) == (2000, False)
    assert len({record["Id"] for record in found["records"]}) == found["totalSize"] > 2000


def test_it_lists_what_was_updated_and_deleted(sf: Salesforce):
    made = sf.Lead.create({"LastName": "Chloé", "Company": "Alpha", "Email": "chloe@alpha-three.example"})
    gone = sf.Lead.create({"LastName": "Denis", "Company": "Alpha", "Email": "denis@alpha-four.example"})
    sf.Lead.delete(gone["id"])
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=2)

    updated = sf.Lead.updated(start, end)
    deleted = sf.Lead.deleted(start, end)

    assert made["id"] in updated["ids"]
    assert gone["id"] in {record["id"] for record in deleted["deletedRecords"]}


def test_it_loads_and_extracts_in_bulk(sf: Salesforce):
    rows = [
        {
            "Relance_Id__c": f"bulk-{number}",
            "LastName": f"Masse {number}",
            "Company": f"Masse {number} SA",
            "Email": f"m{number}@masse{number}.example",
        }
        for number in range(450)
    ]
    rows.append({"Relance_Id__c": "bulk-bad", "LastName": "Sans société", "Company": "", "Email": ""})

    (job,) = sf.bulk2.Lead.upsert(records=rows, external_id_field="Relance_Id__c", wait=1)

    assert (job["numberRecordsTotal"], job["numberRecordsFailed"]) == (451, 1)
    (refused,) = csv.DictReader(io.StringIO(sf.bulk2.Lead.get_failed_records(job["job_id"])))
    assert refused["Relance_Id__c"] == "bulk-bad"
    assert refused["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    pages = list(
        sf.bulk2.Lead.query("SELECT Relance_Id__c FROM Lead WHERE Relance_Id__c LIKE 'bulk-%'", max_records=200, wait=1)
    )
    read = [row["Relance_Id__c"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert len(pages) == 3
    assert sorted(read) == sorted(row["Relance_Id__c"] for row in rows if row["Company"])


def test_it_sends_collections_through_its_own_door(sf: Salesforce):
    body = {
        "allOrNone": False,
        "records": [{"attributes": {"type": "Account"}, "Name": "Alpha"}, {"attributes": {"type": "Account"}}],
    }

    answer = sf.restful("composite/sobjects", method="POST", json=body)

    assert [row["success"] for row in answer] == [True, False]


def test_it_is_given_the_list_when_an_external_id_is_not_unique(sf: Salesforce):
    names = {field["name"] for field in sf.Lead.describe()["fields"] if field["idLookup"] and field["type"] == "email"}
    assert names == {"Email"}
    twins = [
        {"LastName": f"Twin {number}", "Company": f"Twin {number}", "Email": f"twin{number}@x.example"}
        for number in range(2)
    ]
    ids = [sf.Lead.create(values)["id"] for values in twins]
    for record_id in ids:
        sf.Lead.update(
            record_id, {"Email": "same@twins.example"}, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"}
        )

    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        sf.Lead.get_by_custom_id("Email", "same@twins.example")

    assert sorted(address.rpartition("/")[2] for address in several.value.content) == sorted(ids)


def test_the_meter_is_read_from_any_answer(sf: Salesforce):
    sf.query("SELECT Id FROM Organization")

    assert sf.api_usage["api-usage"].total >= sf.api_usage["api-usage"].used > 0


def test_the_authority_is_a_file_of_the_org(org: OrgProcess):
    assert "BEGIN CERTIFICATE" in Path(org.told["ca_file"]).read_text()
