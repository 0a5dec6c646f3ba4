"""Person accounts: one human who is an account, and the contact that is only their shadow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from relance.sandbox.outcomes import ConvertRequest

from .conftest import Bench, kept, told

RECORD_TYPE = '<RecordType xmlns="x"><fullName>{0}</fullName><active>true</active><label>{0}</label></RecordType>'
SCORE = '<CustomField xmlns="x"><fullName>Score__c</fullName><label>Score</label><type>Text</type><length>20</length></CustomField>'


@pytest.fixture
def people(tmp_path: Path, stand_up: Callable[..., Bench]) -> Bench:
    objects = tmp_path / "tree" / "objects"
    for name, kind, text in (
        ("PersonAccount/recordTypes", "Personne.recordType", RECORD_TYPE.format("Personne")),
        ("Account/recordTypes", "Societe.recordType", RECORD_TYPE.format("Societe")),
        ("Contact/fields", "Score__c.field", SCORE),
    ):
        (objects / name).mkdir(parents=True)
        (objects / name / f"{kind}-meta.xml").write_text(text)
    return stand_up(tmp_path / "tree")


def person(bench: Bench, **values: object) -> str:
    told_ = {"FirstName": "Aline", "LastName": "Roche", "PersonEmail": "aline@roche.example", **values}
    return kept(bench.records.insert(bench.admin, "Account", told_))


def test_accounts_have_the_fields_of_contacts(people: Bench):
    fields = people.schema.objects["Account"].fields

    assert {"IsPersonAccount", "PersonContactId", "PersonEmail", "PersonMailingCity", "Score__pc"} <= {
        f.name for f in fields
    }
    assert fields["PersonMailingCity"].compound == "PersonMailingAddress"
    assert not fields["IsPersonAccount"].createable
    assert people.one('SELECT "IsPersonType" FROM "RecordType" WHERE "DeveloperName" = \'Personne\'') == "1"


def test_an_org_without_them_has_none_of_it(hexalis: Bench):
    assert "IsPersonAccount" not in hexalis.schema.objects["Account"].fields


def test_a_person_account_is_named_as_the_human_and_has_a_shadow(people: Bench):
    account = people.row("Account", person(people, Score__pc="7"))

    shadow = people.row("Contact", str(account["PersonContactId"]))
    assert (account["Name"], account["IsPersonAccount"]) == ("Aline Roche", 1)
    assert (shadow["Email"], shadow["Score__c"], shadow["AccountId"]) == ("aline@roche.example", "7", account["Id"])
    assert shadow["IsPersonAccount"] == 1


def test_the_shadow_follows_and_cannot_be_led(people: Bench):
    account = person(people)
    shadow = str(people.row("Account", account)["PersonContactId"])

    kept(
        people.records.update(
            people.admin, "Account", account, {"LastName": "Roux", "PersonEmail": "aline@roux.example"}
        )
    )

    assert people.row("Account", account)["Name"] == "Aline Roux"
    assert people.row("Contact", shadow)["Email"] == "aline@roux.example"
    assert (
        told(people.records.update(people.admin, "Contact", shadow, {"Title": "X"}))[0]
        == "INVALID_PERSON_ACCOUNT_OPERATION"
    )
    assert told(people.records.delete(people.admin, "Contact", shadow))[0] == "INVALID_PERSON_ACCOUNT_OPERATION"


def test_a_company_takes_no_fields_of_a_human(people: Bench):
    refused = people.records.insert(people.admin, "Account", {"Name": "Vernier", "PersonEmail": "x@vernier.example"})

    assert told(refused)[0] == "INVALID_PERSON_ACCOUNT_OPERATION"
    assert (
        people.row("Account", kept(people.records.insert(people.admin, "Account", {"Name": "Vernier"})))[
            "IsPersonAccount"
        ]
        == 0
    )


def test_the_shadow_leaves_and_comes_back_with_its_account(people: Bench):
    account = person(people)
    shadow = str(people.row("Account", account)["PersonContactId"])

    kept(people.records.delete(people.admin, "Account", account))
    assert people.row("Contact", shadow)["IsDeleted"] == 1
    kept(people.records.undelete(people.admin, "Account", account))

    assert people.row("Contact", shadow)["IsDeleted"] == 0


def test_of_two_merged_persons_one_shadow_stays(people: Bench):
    master, loser = person(people), person(people, LastName="Double")
    shadows = [str(people.row("Account", each)["PersonContactId"]) for each in (master, loser)]

    kept(people.records.merge(people.admin, "Account", master, [loser], {}))

    assert people.row("Account", loser)["MasterRecordId"] == master
    assert people.row("Contact", shadows[1])["MasterRecordId"] == shadows[0]
    assert people.one('SELECT count(*) FROM "Contact" WHERE "IsDeleted" = 0') == "1"


def test_a_person_does_not_merge_with_a_company(people: Bench):
    company = kept(people.records.insert(people.admin, "Account", {"Name": "Vernier"}))

    refused = people.records.merge(people.admin, "Account", person(people), [company], {})

    assert told(refused)[0] == "INVALID_PERSON_ACCOUNT_OPERATION"


def test_a_lead_without_a_company_becomes_a_person_account(people: Bench):
    values = {"FirstName": "Bruno", "LastName": "Roche", "Email": "bruno@roche.example"}
    lead = kept(people.records.insert(people.admin, "Lead", values))
    status = next(v.value for v in people.schema.objects["Lead"].fields["Status"].picklist if "converted" in v.traits)

    made = people.records.convert(people.admin, ConvertRequest(lead, status, do_not_create_opportunity=True))

    account = people.row("Account", str(made.account_id))
    assert made.success, made.errors
    assert (account["Name"], account["PersonEmail"]) == ("Bruno Roche", "bruno@roche.example")
    assert account["PersonContactId"] == made.contact_id
    assert people.row("Lead", lead)["ConvertedContactId"] == made.contact_id
