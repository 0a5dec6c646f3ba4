"""The demo's org: Hexalis, its tree and its people."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from relance.sandbox.demo import FolderInUse, write_demo_org
from relance.sandbox.records import Records
from relance.sandbox.seed import seed_org
from relance.sandbox.store import Store
from relance.sandbox.tree import read_tree

from .conftest import Bench, Clock

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Loaded once for all these tests; none of them changes the people it came with."""
    place = tmp_path_factory.mktemp("hexalis")
    write_demo_org(place / "tree", TODAY)
    schema, clock = read_tree(place / "tree"), Clock()
    records = Records(Store(place / "org.sqlite3", schema), schema, clock)
    return Bench(records, seed_org(records, place / "tree" / "data"), clock)


def test_the_tree_is_taken_without_a_single_line_of_complaint(tmp_path):
    write_demo_org(tmp_path, TODAY)

    assert read_tree(tmp_path).skipped == []


def test_all_its_rows_are_loaded(demo):
    assert demo.seeded.skipped == []
    assert demo.seeded.loaded == Counter(
        {
            "Lead": 2000,
            "Contact": 1500,
            "Evenement__c": 900,
            "Licence__c": 620,
            "Account": 400,
            "User": 7,
            "PermissionSetAssignment": 1,
        }
    )


def test_the_data_holds_what_a_sync_must_cope_with(demo):
    def count(sql):
        return int(float(demo.one(sql)))

    assert count('SELECT count(*) FROM "Lead" WHERE "IsConverted" = 1 AND "ConvertedContactId" IS NOT NULL') == 70
    assert (
        count('SELECT count(*) FROM "Lead" WHERE "Status" = \'Disqualifié\' AND "Raison_Disqualification__c" IS NULL')
        == 0
    )
    shared = 'SELECT count(*) FROM "Lead" JOIN "Contact" ON "Contact"."Email" = "Lead"."Email" WHERE "Lead"."IsConverted" = 0'
    assert 5 < count(shared) < 60
    assert count('SELECT count(*) FROM "Lead" WHERE "Email" IS NULL') > 50
    left = 'SELECT count(*) FROM "Contact" JOIN "User" ON "User"."Id" = "Contact"."OwnerId" WHERE "User"."IsActive" = 0'
    assert count(left) > 0
    assert count('SELECT count(*) FROM "Lead" WHERE "OwnerId" LIKE \'00G%\'') > 100
    assert count('SELECT count(DISTINCT "OwnerId") FROM "Lead"') >= 6
    assert count('SELECT sum("Nb_Licences_Actives__c") FROM "Account"') > 100


def test_its_dates_spread_over_two_years_and_end_on_the_eve(demo):
    first = demo.one('SELECT min("CreatedDate") FROM "Lead"')
    last = demo.one('SELECT max("SystemModstamp") FROM "Lead"')

    assert "2024-03-02" <= first < "2024-04-01"
    assert "2026-02-20" < last < "2026-03-02"
    assert demo.one('SELECT count(*) FROM "Lead" WHERE "SystemModstamp" < "CreatedDate"') == "0"
    assert demo.one('SELECT max("SystemModstamp") FROM "Account"') < "2026-03-02"


def test_nobody_in_it_can_be_reached(demo):
    rows = demo.records.store.connection().execute(
        'SELECT "Email" FROM "Lead" UNION SELECT "Email" FROM "Contact" UNION SELECT "Email" FROM "User"'
    )
    assert {row[0].rpartition(".")[2] for row in rows if row[0]} == {"example"}


def test_the_same_day_gives_the_same_people(tmp_path):
    for name in ("one", "two"):
        write_demo_org(tmp_path / name, TODAY)

    for file in (tmp_path / "one" / "data").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / "data" / file.name).read_bytes()


def test_fields_of_both_sides_are_left_out_of_the_conversion(tmp_path):
    write_demo_org(tmp_path, TODAY)
    schema = read_tree(tmp_path)
    lead, contact = schema.objects["Lead"].fields, schema.objects["Contact"].fields
    assert schema.convert_mappings is not None
    carried = {own for mapping in schema.convert_mappings for own, _output in mapping.fields}

    lost = {field.name for field in lead if field.custom and field.name in contact and field.name not in carried}

    assert {"Source_Origine__c", "Niveau_Poste__c", "Consentement_Preuve__c"} <= lost
    for side in (lead, contact):
        key = side["Relance_Id__c"]
        assert (key.unique, key.external_id, key.length) == (True, True, 64)


def test_the_integration_users_permission_set_is_enough_and_no_more(demo):
    guest = demo.guest("Relance_Integration")

    assert demo.records.insert(guest, "Lead", {"LastName": "A", "Company": "V", "Score_Relance__c": 5}).success
    assert not demo.records.insert(guest, "Campaign", {"Name": "x"}).success


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(FolderInUse):
        write_demo_org(tmp_path, TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
