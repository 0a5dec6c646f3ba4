"""Rules of sales: duplicates, assignment, conversion."""

from __future__ import annotations

import pytest

from relance.sandbox.outcomes import Caller, ConvertRequest, WriteOptions

from .conftest import kept, told

PLAIN = WriteOptions(auto_assign=False)


def queue(bench, name):
    return bench.one('SELECT "Id" FROM "Group" WHERE "DeveloperName" = ?', name)


class TestDuplicates:
    def test_a_blocked_duplicate_names_the_rule_and_the_match(self, hexalis):
        known = hexalis.lead(Email="aline@vernier.example")

        saved = hexalis.records.insert(
            hexalis.admin,
            "Lead",
            {"LastName": "A", "Company": "V", "Email": "ALINE@vernier.example"},
            WriteOptions(allow_save=True),
        )

        assert told(saved) == ("DUPLICATES_DETECTED", "Une piste a déjà cette adresse e-mail. Utilisez-la.", ())
        found = saved.errors[0].duplicate
        assert found is not None
        assert (found.rule, found.allow_save) == ("Doublon_Email", False)
        assert [(match.object, match.record_id, match.rule) for match in found.matches] == [
            ("Lead", known, "Meme_Email")
        ]

    def test_no_address_is_nobodys_duplicate(self, hexalis):
        hexalis.lead()

        assert hexalis.records.insert(hexalis.admin, "Lead", {"LastName": "B", "Company": "V"}).success

    def test_a_converted_or_deleted_lead_is_nobodys_duplicate(self, hexalis):
        gone, converted = hexalis.lead(Email="a@v.example"), hexalis.lead(Email="b@v.example")
        hexalis.records.delete(hexalis.admin, "Lead", gone)
        hexalis.records.write_columns(hexalis.schema.objects["Lead"], converted, {"IsConverted": 1})

        assert hexalis.lead(Email="a@v.example")
        assert hexalis.lead(Email="b@v.example")

    def test_a_warning_stops_until_the_caller_insists(self, complete):
        complete.lead(LastName="Dupré", City="Lyon")
        twin = {"LastName": "DUPRE", "Company": "V", "City": "lyon"}

        warned = complete.records.insert(complete.admin, "Lead", twin)
        assert told(warned)[:2] == ("DUPLICATES_DETECTED", "Déjà connu ?")
        assert warned.errors[0].duplicate is not None
        assert warned.errors[0].duplicate.allow_save
        assert complete.records.insert(complete.admin, "Lead", twin, WriteOptions(allow_save=True)).success

    def test_a_rule_on_changes_looks_only_at_changes_it_compares(self, complete):
        complete.lead(LastName="Dupré", City="Lyon")
        other = complete.lead(LastName="Dupré", City="Nice")

        assert complete.records.update(complete.admin, "Lead", other, {"Phone": "1"}, PLAIN).success
        assert (
            told(complete.records.update(complete.admin, "Lead", other, {"City": "Lyon"}, PLAIN))[0]
            == "DUPLICATES_DETECTED"
        )

    def test_a_lead_may_be_the_duplicate_of_a_contact(self, complete):
        contact = kept(
            complete.records.insert(complete.admin, "Contact", {"LastName": "Aline", "Email": "a@v.example"})
        )

        saved = complete.records.insert(
            complete.admin, "Lead", {"LastName": "B", "Company": "V", "Email": "a@v.example"}
        )

        assert saved.errors[0].duplicate is not None
        assert [match.record_id for match in saved.errors[0].duplicate.matches] == [contact]


class TestAssignment:
    @pytest.mark.parametrize(
        ("values", "owner"),
        [
            pytest.param({"NumberOfEmployees": 1000, "Langue__c": "de"}, "Grands_Comptes", id="the first entry wins"),
            pytest.param({}, "Prospects_Entrants", id="the last entry takes the rest"),
        ],
    )
    def test_the_active_rule_gives_the_owner(self, hexalis, values, owner):
        assert hexalis.row("Lead", hexalis.lead(**values))["OwnerId"] == queue(hexalis, owner)

    def test_an_entry_may_name_a_user(self, hexalis):
        hexalis.user("Thomas")
        thomas = hexalis.one('SELECT "Id" FROM "User" WHERE "LastName" = \'Thomas\'')
        hexalis.records.update(hexalis.admin, "User", thomas, {"Username": "thomas.dubreuil@hexalis.example"})

        assert hexalis.row("Lead", hexalis.lead(PostalCode="75008"))["OwnerId"] == thomas

    def test_an_entry_whose_user_is_absent_leaves_the_owner_as_it_is(self, hexalis):
        assert hexalis.row("Lead", hexalis.lead(PostalCode="75008"))["OwnerId"] == hexalis.admin.user_id

    def test_a_caller_may_do_without_assignment(self, hexalis):
        saved = hexalis.records.insert(hexalis.admin, "Lead", {"LastName": "A", "Company": "V"}, PLAIN)

        assert hexalis.row("Lead", kept(saved))["OwnerId"] == hexalis.admin.user_id

    def test_a_caller_may_ask_for_one_rule_by_its_id(self, hexalis):
        summer = hexalis.one('SELECT "Id" FROM "AssignmentRule" WHERE "Name" = \'Repartition_Ete\'')

        lead = kept(
            hexalis.records.insert(
                hexalis.admin,
                "Lead",
                {"LastName": "A", "Company": "V", "NumberOfEmployees": 5000},
                WriteOptions(auto_assign=summer),
            )
        )

        assert hexalis.row("Lead", lead)["OwnerId"] == queue(hexalis, "Prospects_Entrants")

    def test_an_unknown_rule_is_refused(self, hexalis):
        saved = hexalis.records.insert(
            hexalis.admin, "Lead", {"LastName": "A", "Company": "V"}, WriteOptions(auto_assign="01Qd00000000001AAA")
        )

        assert told(saved)[0] == "INVALID_ASSIGNMENT_RULE"

    def test_criteria_may_be_joined_by_or_and_rules_may_use_a_formula(self, complete):
        welcome = queue(complete, "Accueil")
        by_formula = complete.one('SELECT "Id" FROM "AssignmentRule" WHERE "Name" = \'Par_Formule\'')

        assert complete.row("Lead", complete.lead(LeadSource="Salon"))["OwnerId"] == welcome
        assert complete.row("Lead", complete.lead(LastName="B", City="Paris"))["OwnerId"] == complete.admin.user_id
        long_name = {"LastName": "C", "Company": "Ateliers Vernier et compagnie"}
        lead = complete.records.insert(complete.admin, "Lead", long_name, WriteOptions(auto_assign=by_formula))
        assert complete.row("Lead", kept(lead))["OwnerId"] == welcome

    def test_one_active_rule_per_object(self, hexalis):
        assert [rule.name for rule in hexalis.schema.assignment_rules if rule.active] == ["Repartition_Commerciale"]
        assert len(hexalis.schema.assignment_rules) == 3


class TestConversion:
    def lead(self, bench, **values):
        mine = {
            "FirstName": "Aline",
            "LastName": "Dupré",
            "Company": "Vernier",
            "Email": "aline@vernier.example",
            **values,
        }
        return kept(bench.records.insert(bench.admin, "Lead", mine, PLAIN))

    def convert(self, bench, lead, status="Converti", caller=None, **more):
        return bench.records.convert(caller or bench.admin, ConvertRequest(lead, status, **more))

    def test_a_lead_becomes_an_account_a_contact_and_an_opportunity(self, hexalis):
        lead = self.lead(hexalis, City="Lyon", Phone="04 65 71 00 00", NumberOfEmployees=12)

        done = self.convert(hexalis, lead)

        assert done.success, done.errors
        account, contact = hexalis.row("Account", done.account_id), hexalis.row("Contact", done.contact_id)
        assert (account["Name"], account["NumberOfEmployees"], account["BillingCity"]) == ("Vernier", 12, "Lyon")
        assert (contact["Name"], contact["AccountId"], contact["MailingCity"]) == (
            "Aline Dupré",
            done.account_id,
            "Lyon",
        )
        opportunity = hexalis.row("Opportunity", done.opportunity_id)
        assert (opportunity["Name"], opportunity["StageName"], opportunity["CloseDate"]) == (
            "Vernier-",
            "Découverte",
            "2026-03-31",
        )

    def test_the_lead_stays_and_says_what_it_became(self, hexalis):
        lead = self.lead(hexalis)
        done = self.convert(hexalis, lead, do_not_create_opportunity=True)
        row = hexalis.row("Lead", lead)

        assert (row["IsConverted"], row["ConvertedDate"], row["Status"]) == (1, "2026-03-02", "Converti")
        assert (row["ConvertedAccountId"], row["ConvertedContactId"]) == (done.account_id, done.contact_id)
        assert row["ConvertedOpportunityId"] is None

    def test_only_mapped_custom_fields_are_carried(self, hexalis):
        lead = self.lead(
            hexalis, Relance_Id__c="R-1", Langue__c="fr", Niveau_Poste__c="Direction", Source_Origine__c="Salon"
        )

        contact = hexalis.row("Contact", self.convert(hexalis, lead).contact_id)

        assert (contact["Relance_Id__c"], contact["Langue__c"]) == ("R-1", "fr")
        assert (contact["Niveau_Poste__c"], contact["Source_Origine__c"]) == (None, None)

    def test_a_long_company_name_does_not_stop_the_conversion(self, hexalis):
        lead = self.lead(hexalis, Company="V" * 200)

        assert self.convert(hexalis, lead).success

    def test_a_contact_that_was_there_gets_only_what_it_lacks(self, hexalis):
        contact = kept(
            hexalis.records.insert(
                hexalis.admin, "Contact", {"LastName": "Dupré", "Title": "Directrice", "LeadSource": "Salon"}
            )
        )
        account = kept(hexalis.records.insert(hexalis.admin, "Account", {"Name": "Maison Vernier"}))
        lead = self.lead(hexalis, Title="Acheteuse", Phone="1", LeadSource="Webinaire")

        done = self.convert(hexalis, lead, account_id=account, contact_id=contact, overwrite_lead_source=True)

        row = hexalis.row("Contact", contact)
        assert done.contact_id == contact
        assert (row["Title"], row["Phone"], row["LeadSource"]) == ("Directrice", "1", "Webinaire")
        assert hexalis.row("Account", account)["Name"] == "Maison Vernier"

    def test_memberships_and_activities_go_on_with_the_contact(self, hexalis):
        lead = self.lead(hexalis)
        campaign = kept(hexalis.records.insert(hexalis.admin, "Campaign", {"Name": "Salon"}))
        member = kept(hexalis.records.insert(hexalis.admin, "CampaignMember", {"CampaignId": campaign, "LeadId": lead}))
        task = kept(hexalis.records.insert(hexalis.admin, "Task", {"Subject": "Appeler", "WhoId": lead}))

        done = self.convert(hexalis, lead)

        row = hexalis.row("CampaignMember", member)
        assert (row["LeadId"], row["ContactId"]) == (lead, done.contact_id)
        assert hexalis.row("Task", task)["WhoId"] == done.contact_id

    def test_a_converted_lead_is_closed_but_to_those_with_the_right(self, hexalis):
        lead = self.lead(hexalis)
        self.convert(hexalis, lead)

        assert told(hexalis.records.update(hexalis.admin, "Lead", lead, {"City": "Lyon"})) == (
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "cannot reference converted lead",
            (),
        )
        assert self.convert(hexalis, lead).errors[0].code == "CANNOT_UPDATE_CONVERTED_LEAD"
        options = WriteOptions(auto_assign=False, convert_leads_editable=True)
        assert hexalis.records.update(hexalis.admin, "Lead", lead, {"City": "Lyon"}, options).success

    def test_a_queue_cannot_own_what_comes_of_it(self, hexalis):
        lead = hexalis.lead()

        refused = self.convert(hexalis, lead)
        assert (refused.errors[0].code, refused.errors[0].message[:44]) == (
            "UNKNOWN_EXCEPTION",
            "Converted objects can only be owned by users",
        )
        assert self.convert(hexalis, lead, owner_id=hexalis.admin.user_id).success

    @pytest.mark.parametrize("status", ["Qualifié", "Parti", ""])
    def test_the_status_must_be_a_converted_one(self, hexalis, status):
        refused = self.convert(hexalis, self.lead(hexalis), status)

        assert (refused.errors[0].code, refused.errors[0].message) == (
            "INVALID_STATUS",
            f"invalid convertedStatus: {status}",
        )

    def test_a_refusal_on_the_way_undoes_the_whole(self, hexalis):
        kept(hexalis.records.insert(hexalis.admin, "Contact", {"LastName": "Autre", "Relance_Id__c": "R-1"}))
        lead = self.lead(hexalis, Relance_Id__c="R-1")

        refused = self.convert(hexalis, lead)

        assert refused.errors[0].code == "DUPLICATE_VALUE"
        assert hexalis.one('SELECT count(*) FROM "Account"') == "0"
        assert hexalis.row("Lead", lead)["IsConverted"] == 0

    def test_the_right_to_convert_is_asked_for(self, hexalis):
        lead = self.lead(hexalis)
        guest = hexalis.guest("Commercial Hexalis")
        without = Caller(guest.user_id)

        assert self.convert(hexalis, lead, caller=without).errors[0].code == "INSUFFICIENT_ACCESS_OR_READONLY"
        assert self.convert(hexalis, lead, caller=guest, owner_id=hexalis.admin.user_id).success
