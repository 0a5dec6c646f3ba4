"""The life of a record: its stamps, its external id, the recycle bin and back, merges, all or nothing."""

from __future__ import annotations

import threading

import pytest

from relance.sandbox.deletion import purge
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgField
from relance.sandbox.seed import seed_org
from relance.sandbox.store import Store
from relance.sandbox.tree import read_tree

from .conftest import HEXALIS, Clock, kept, told


def test_every_save_moves_the_stamp_even_one_that_changes_nothing(hexalis):
    lead = hexalis.lead()
    hexalis.clock.pass_by(seconds=90)

    hexalis.records.update(hexalis.admin, "Lead", lead, {})

    row = hexalis.row("Lead", lead)
    assert row["CreatedDate"] == "2026-03-02T10:00:00.000Z"
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-03-02T10:01:30.000Z"


def test_a_transaction_has_the_stamp_of_its_beginning(hexalis):
    with hexalis.records.transaction():
        first = hexalis.lead()
        hexalis.clock.pass_by(seconds=90)
        second = hexalis.lead()

    assert hexalis.row("Lead", first)["SystemModstamp"] == hexalis.row("Lead", second)["SystemModstamp"]


def test_all_or_nothing_leaves_nothing(hexalis):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), hexalis.records.transaction():
        hexalis.lead()
        raise Stop

    assert hexalis.one('SELECT count(*) FROM "Lead"') == "0"


class TestUpsert:
    """By external id: one record, whatever happens to the answer."""

    def ask(self, bench, value="R-1", field="Relance_Id__c", **values):
        return bench.records.upsert(bench.admin, "Lead", field, value, {"LastName": "Aline", "Company": "V", **values})

    def test_the_same_call_twice_makes_one_record(self, hexalis):
        first, second = self.ask(hexalis), self.ask(hexalis, City="Lyon")

        assert (first.created, second.created) == (True, False)
        assert first.id == second.id
        assert hexalis.row("Lead", kept(second))["City"] == "Lyon"

    def test_a_new_record_bears_the_id_it_was_asked_for(self, hexalis):
        assert hexalis.row("Lead", kept(self.ask(hexalis)))["Relance_Id__c"] == "R-1"

    def test_a_deleted_record_is_not_found_again(self, hexalis):
        first = kept(self.ask(hexalis))
        hexalis.records.delete(hexalis.admin, "Lead", first)

        assert kept(self.ask(hexalis)) != first

    def test_several_records_with_one_id_are_all_named(self, complete):
        leads = {complete.lead(Code__c="C1"), complete.lead(LastName="Bruno", Code__c="c1")}

        assert set(self.ask(complete, "C1", "Code__c")) == leads

    def test_a_field_that_identifies_nobody_is_refused(self, hexalis):
        code, message, _fields = told(self.ask(hexalis, "Lyon", "City"))

        assert code == "INVALID_FIELD"
        assert message == "Field name provided, City is not an External ID or indexed field for Lead"


class TestRecycleBin:
    def test_a_deleted_record_can_be_read_but_not_changed(self, hexalis):
        lead = hexalis.lead()
        hexalis.clock.pass_by(minutes=5)

        assert hexalis.records.delete(hexalis.admin, "Lead", lead).success

        assert hexalis.row("Lead", lead)["IsDeleted"] == 1
        assert hexalis.row("Lead", lead)["SystemModstamp"] == "2026-03-02T10:05:00.000Z"
        assert told(hexalis.records.update(hexalis.admin, "Lead", lead, {}))[0] == "ENTITY_IS_DELETED"
        assert told(hexalis.records.delete(hexalis.admin, "Lead", lead)) == (
            "ENTITY_IS_DELETED",
            "entity is deleted",
            (),
        )

    def test_it_comes_back_with_a_new_stamp(self, hexalis):
        lead = hexalis.lead()
        hexalis.records.delete(hexalis.admin, "Lead", lead)
        hexalis.clock.pass_by(hours=1)

        assert hexalis.records.undelete(hexalis.admin, "Lead", lead).success
        assert hexalis.row("Lead", lead)["IsDeleted"] == 0
        assert hexalis.row("Lead", lead)["SystemModstamp"] == "2026-03-02T11:00:00.000Z"
        assert told(hexalis.records.undelete(hexalis.admin, "Lead", lead))[0] == "UNDELETE_FAILED"

    def test_it_does_not_come_back_once_its_unique_value_is_taken(self, hexalis):
        lead = hexalis.lead(Relance_Id__c="R-1")
        hexalis.records.delete(hexalis.admin, "Lead", lead)
        hexalis.lead(LastName="Bruno", Relance_Id__c="R-1")

        assert told(hexalis.records.undelete(hexalis.admin, "Lead", lead))[0] == "DUPLICATE_VALUE"
        assert hexalis.row("Lead", lead)["IsDeleted"] == 1

    def test_an_account_takes_its_people_and_licences_along_and_brings_them_back(self, hexalis):
        records, admin = hexalis.records, hexalis.admin
        account = kept(records.insert(admin, "Account", {"Name": "Vernier"}))
        contact = kept(records.insert(admin, "Contact", {"LastName": "Aline", "AccountId": account}))
        licence = {
            "Compte__c": account,
            "Produit__c": "Hexalis BIM",
            "Date_Debut__c": "2026-01-01",
            "Contact_Principal__c": contact,
        }
        held = kept(records.insert(admin, "Licence__c", licence))

        records.delete(admin, "Account", account)
        assert (hexalis.row("Contact", contact)["IsDeleted"], hexalis.row("Licence__c", held)["IsDeleted"]) == (1, 1)

        records.undelete(admin, "Account", account)
        assert (hexalis.row("Contact", contact)["IsDeleted"], hexalis.row("Licence__c", held)["IsDeleted"]) == (0, 0)
        assert hexalis.row("Account", account)["Nb_Licences_Actives__c"] == 1

    def test_a_lookup_is_cut_and_tied_again(self, hexalis):
        records, admin = hexalis.records, hexalis.admin
        account = kept(records.insert(admin, "Account", {"Name": "Vernier"}))
        contact = kept(records.insert(admin, "Contact", {"LastName": "Aline"}))
        licence = {
            "Compte__c": account,
            "Produit__c": "Hexalis BIM",
            "Date_Debut__c": "2026-01-01",
            "Contact_Principal__c": contact,
        }
        held = kept(records.insert(admin, "Licence__c", licence))

        records.delete(admin, "Contact", contact)
        assert hexalis.row("Licence__c", held)["Contact_Principal__c"] is None

        records.undelete(admin, "Contact", contact)
        assert hexalis.row("Licence__c", held)["Contact_Principal__c"] == contact

    def test_a_record_others_hold_on_to_cannot_go(self, complete):
        contact = kept(complete.records.insert(complete.admin, "Contact", {"LastName": "Aline"}))
        kept(complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a", "Contact_Obligatoire__c": contact}))

        assert told(complete.records.delete(complete.admin, "Contact", contact))[0] == "DELETE_FAILED"
        assert complete.row("Contact", contact)["IsDeleted"] == 0

    def test_what_was_deleted_long_ago_is_gone_for_good(self, hexalis):
        lead = hexalis.lead()
        hexalis.records.delete(hexalis.admin, "Lead", lead)

        assert purge(hexalis.records, "2026-03-02T09:00:00.000Z") == 0
        assert purge(hexalis.records, "2026-03-18T00:00:00.000Z") == 1
        assert hexalis.records.read(hexalis.admin, "Lead", lead) is None


class TestMerge:
    def test_the_loser_points_at_the_winner_which_takes_its_children(self, hexalis):
        records, admin = hexalis.records, hexalis.admin
        winner = kept(records.insert(admin, "Contact", {"LastName": "Aline"}))
        loser = kept(records.insert(admin, "Contact", {"LastName": "Aline D."}))
        event = kept(records.insert(admin, "Evenement__c", {"Name": "Salon", "Contact__c": loser}))

        assert records.merge(admin, "Contact", winner, [loser], {"Title": "Acheteuse"}).success

        assert hexalis.row("Contact", winner)["Title"] == "Acheteuse"
        assert (hexalis.row("Contact", loser)["IsDeleted"], hexalis.row("Contact", loser)["MasterRecordId"]) == (
            1,
            winner,
        )
        assert hexalis.row("Evenement__c", event)["Contact__c"] == winner
        assert told(records.undelete(admin, "Contact", loser))[0] == "UNDELETE_FAILED"

    def test_a_converted_lead_cannot_win(self, hexalis):
        converted, other = hexalis.lead(), hexalis.lead(LastName="Bruno")
        hexalis.records.write_columns(hexalis.schema.objects["Lead"], converted, {"IsConverted": 1})

        assert told(hexalis.records.merge(hexalis.admin, "Lead", converted, [other], {}))[0] == "MERGE_FAILED"

    @pytest.mark.parametrize("count", [0, 3])
    def test_one_or_two_lose_at_a_time(self, hexalis, count):
        losers = [hexalis.lead() for _number in range(count)]

        assert not hexalis.records.merge(hexalis.admin, "Lead", hexalis.lead(), losers, {}).success


class TestStore:
    def test_a_field_added_to_the_tree_is_added_to_the_store_and_ids_stay(self, tmp_path):
        schema = read_tree(HEXALIS)
        records = Records(Store(tmp_path / "org.sqlite3", schema), schema, Clock())
        org_id = seed_org(records, None).org_id
        prefix = schema.objects["Licence__c"].key_prefix
        records.store.close()

        grown = read_tree(HEXALIS)
        grown.objects["Lead"].fields.add("Neuf__c", OrgField("Neuf__c", "Neuf", "string", 20, custom=True))
        grown.objects["Licence__c"].key_prefix = grown.objects["Evenement__c"].key_prefix
        again = Records(Store(tmp_path / "org.sqlite3", grown), grown, Clock())

        assert seed_org(again, None).org_id == org_id
        assert grown.objects["Licence__c"].key_prefix == prefix
        assert "Neuf__c" in {row[1] for row in again.store.connection().execute('PRAGMA table_info("Lead")')}

    def test_two_orgs_never_give_the_same_id(self, tmp_path):
        made = set()
        for name in ("one", "two"):
            schema = read_tree(HEXALIS)
            records = Records(Store(tmp_path / name / "org.sqlite3", schema), schema, Clock())
            made.add(seed_org(records, None).org_id)

        assert len(made) == 2

    def test_threads_write_one_after_the_other_and_lose_nothing(self, hexalis):
        def work():
            for _number in range(25):
                hexalis.lead()

        threads = [threading.Thread(target=work) for _number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert hexalis.one('SELECT count(DISTINCT "Id") FROM "Lead"') == "150"

    def test_a_connection_serves_the_next_thread_when_its_own_has_ended(self, hexalis):
        seen = []

        def look():
            seen.append(id(hexalis.records.store.connection()))

        for _number in range(4):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()

        assert len(set(seen)) == 1
