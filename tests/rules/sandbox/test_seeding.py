"""Seeding: the rows an org is born with, and data files of both kinds."""

from __future__ import annotations

import pytest

from relance.sandbox.seed import seed_org

from .conftest import HEXALIS, ORGS


@pytest.fixture
def loaded(stand_up):
    return stand_up(ORGS / "complete", ORGS / "complete" / "data")


def ids(bench, object_name):
    return {
        str(row[0]): str(row[1])
        for row in bench.records.store.connection().execute(f'SELECT "Name", "Id" FROM "{object_name}"')
    }


def test_an_org_is_born_with_its_own_rows(hexalis):
    assert hexalis.one('SELECT count(*) FROM "Organization"') == "1"
    assert hexalis.seeded.org_id.startswith("00D")
    assert hexalis.one('SELECT "IsActive" FROM "User" WHERE "Id" = ?', hexalis.seeded.user_id) == "1"
    statuses = hexalis.records.store.connection().execute(
        'SELECT "ApiName", "IsDefault", "IsConverted" FROM "LeadStatus" ORDER BY "SortOrder"'
    )
    assert [tuple(row) for row in statuses] == [
        ("Nouveau", 1, 0),
        ("En cours", 0, 0),
        ("Qualifié", 0, 0),
        ("Disqualifié", 0, 0),
        ("Converti", 0, 1),
    ]
    assert hexalis.one('SELECT count(*) FROM "QueueSobject"') == "2"
    assert hexalis.one('SELECT count(*) FROM "AssignmentRule" WHERE "Active" = 1') == "1"
    assert hexalis.one('SELECT "RuleStatus" FROM "MatchingRule"') == "Active"
    assert hexalis.one('SELECT count(*) FROM "PermissionSet" WHERE "IsOwnedByProfile" = 0') == "1"
    profiles = hexalis.one('SELECT count(*) FROM "Profile"')
    assert hexalis.one('SELECT count(*) FROM "PermissionSet" WHERE "ProfileId" IS NOT NULL') == profiles


def test_record_types_have_rows(complete):
    rows = complete.records.store.connection().execute(
        'SELECT "SobjectType", "DeveloperName", "IsActive" FROM "RecordType" ORDER BY 1, 2'
    )
    assert [tuple(row) for row in rows] == [
        ("Ancien__c", "Interne", 1),
        ("Lead", "Salon", 1),
        ("Tout__c", "Ferme", 0),
        ("Tout__c", "Simple", 1),
    ]


def test_a_second_start_changes_nothing(loaded):
    before = {name: ids(loaded, name) for name in ("User", "RecordType", "Account", "Profile")}

    again = seed_org(loaded.records, ORGS / "complete" / "data")

    assert again.loaded == {}
    assert {name: ids(loaded, name) for name in before} == before


def test_a_tree_that_has_changed_changes_the_rows(hexalis):
    records = hexalis.records
    field = records.schema.objects["Lead"].fields["Status"]
    field.picklist = tuple(value for value in field.picklist if value.value != "Qualifié")

    seed_org(records, None)

    assert hexalis.one('SELECT count(*) FROM "LeadStatus"') == "4"


def test_tree_files_are_loaded_by_their_plan_with_references_and_children(loaded):
    accounts, contacts = (
        ids(loaded, "Account"),
        loaded.one('SELECT "AccountId" FROM "Contact" WHERE "Code__c" = \'A1\''),
    )

    assert set(accounts) == {"Atelier Vernier", "Maison Vernier"}
    assert contacts == accounts["Atelier Vernier"]
    assert loaded.row("Account", accounts["Atelier Vernier"])["ParentId"] == accounts["Maison Vernier"]
    assert loaded.seeded.loaded["Lead"] == 1


def test_rows_that_cannot_be_taken_have_their_line(loaded):
    assert loaded.seeded.skipped == [
        "leads.json record 2: No such column 'Inconnu__c' on sobject of type Lead",
        "leads.json record 3: the org has no object Navire__c",
        "Lead.Courante: it assigns to absent@exemple.example, no active user of the org; the entry changes no owner",
    ]


def test_csv_files_follow_external_ids_and_say_what_they_miss(tmp_path, stand_up):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1-Account.csv").write_text("Name,Code_Client__c\nVernier,C-1\n", encoding="utf-8-sig")
    (tmp_path / "data" / "2-Contact.csv").write_text(
        "LastName,Account.Code_Client__c,CreatedDate\nAline,c-1,2025-01-01T08:00:00Z\nBruno,C-9,\n"
    )

    bench = stand_up(HEXALIS, tmp_path / "data")

    assert (
        bench.one('SELECT "AccountId" FROM "Contact" WHERE "LastName" = \'Aline\'') == ids(bench, "Account")["Vernier"]
    )
    assert (
        bench.one('SELECT "SystemModstamp" FROM "Contact" WHERE "LastName" = \'Aline\'') == "2025-01-01T08:00:00.000Z"
    )
    assert bench.seeded.loaded["Contact"] == 2
    assert bench.seeded.skipped[:1] == [
        "2-Contact.csv line 3: no record has Account.Code_Client__c = C-9; the field stays blank"
    ]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("x.json", "{", "x.json: unreadable"),
        ("x.json", "{}", "x.json: no records in it"),
        ("x.json", '{"records": [{"Name": "sans type"}]}', "x.json record 1: it has no attributes.type"),
        ("Navire.csv", "Name\nx\n", "Navire.csv line 2: the org has no object Navire"),
        ("Account.csv", b"Name\n\xff\xfe\n", "Account.csv: unreadable"),
        ("x-plan.json", '[{"sobject": "Account", "files": ["absent.json"]}]', "absent.json: unreadable"),
    ],
)
def test_a_bad_data_file_is_told_and_the_org_starts(tmp_path, stand_up, name, content, line):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    bench = stand_up(HEXALIS, tmp_path / "data")

    assert bench.seeded.skipped[0].startswith(line)


def test_missing_data_is_told(tmp_path, stand_up):
    bench = stand_up(HEXALIS, tmp_path / "nowhere")

    assert bench.seeded.skipped[:1] == [f"{tmp_path / 'nowhere'}: there is no such data"]


def test_a_file_wrong_from_end_to_end_is_not_told_line_by_line(tmp_path, stand_up):
    (tmp_path / "Navire.csv").write_text("Name\n" + "x\n" * 500)

    told = [line for line in stand_up(HEXALIS, tmp_path / "Navire.csv").seeded.skipped if "Navire" in line]

    assert len(told) == 50
