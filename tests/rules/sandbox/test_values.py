"""Values: what a client sends is what the next one reads, in the form of the field."""

from __future__ import annotations

import pytest

from .conftest import kept


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("Case__c", False, 0),
        ("Case__c", "true", 1),
        ("Montant__c", 12, 12.0),
        ("Montant__c", "12.345", 12.35),
        ("Nombre__c", 3.25, 3.3),
        ("Taux__c", 12.5, 12.5),
        ("Jour__c", "2026-03-02", "2026-03-02"),
        ("Jour__c", "2026-03-02T23:30:00Z", "2026-03-02"),
        ("Instant__c", "2026-03-02T10:25:26.123+0200", "2026-03-02T08:25:26.000Z"),
        ("Instant__c", "2026-03-02T10:25:26Z", "2026-03-02T10:25:26.000Z"),
        ("Instant__c", "2026-03-02", "2026-03-02T00:00:00.000Z"),
        ("Heure__c", "09:30:00Z", "09:30:00.000Z"),
        ("Heure__c", "09:30", "09:30:00.000Z"),
        ("Courriel__c", "Aline@Vernier.Example", "Aline@Vernier.Example"),
        ("Plusieurs__c", "Est;nord;Est", "Nord;Est"),
        ("Choix__c", "deux", "Deux"),
        ("Libre__c", "Jaune", "Jaune"),
        ("Zone__c", "  deux\nlignes ", "deux\nlignes"),
        ("Zone__c", "   ", None),
        ("Zone__c", None, None),
        ("Lieu__Latitude__s", 48.8566, 48.8566),
        ("Site__c", "https://vernier.example", "https://vernier.example"),
    ],
)
def test_a_value_is_read_back_in_the_form_of_its_field(complete, name, sent, read):
    record = kept(complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a", name: sent}))

    assert complete.row("Tout__c", record)[name] == read


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Nombre__c", 10000),
        ("Nombre__c", "NaN"),
        ("Lieu__Latitude__s", 91),
        ("Case__c", "peut-être"),
        ("Case__c", None),
        ("Jour__c", "02/03/2026"),
        ("Jour__c", "0999-01-01"),
        ("Instant__c", "hier"),
        ("Heure__c", "25:00"),
        ("Plusieurs__c", "Nord;Ouest"),
        ("Compte__c", "001"),
        ("Texte__c", "x" * 11),
        ("Montant__c", True),
        ("Zone__c", ["a"]),
    ],
)
def test_what_does_not_fit_its_field_is_refused(complete, name, sent):
    saved = complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a", name: sent})

    assert not saved.success


def test_defaults_fill_what_the_client_left_out(complete):
    record = kept(complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a"}))
    row = complete.row("Tout__c", record)

    assert (row["Case__c"], row["Choix__c"], row["Jour__c"]) == (1, "Un", "2026-03-02")
    assert (row["Name"], row["Auto__c"]) == ("T-2026-0001", "A-001")


def test_a_blank_sent_on_purpose_is_not_filled_by_a_default(complete):
    record = kept(
        complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a", "Choix__c": None, "Jour__c": ""})
    )
    row = complete.row("Tout__c", record)

    assert row["Choix__c"] is None
    assert row["Jour__c"] is None


def test_formula_fields_follow_their_record(complete):
    account = kept(complete.records.insert(complete.admin, "Account", {"Name": "Vernier"}))
    record = kept(
        complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a", "Nombre__c": 101, "Compte__c": account})
    )
    row = complete.row("Tout__c", record)

    assert (row["Double__c"], row["Est_Gros__c"], row["Phrase__c"]) == (202.0, 1, "Vernier / Un")
    assert row["Echeance__c"] == "2026-04-01"


def test_a_blank_number_counts_as_zero_where_the_formula_says_so(complete):
    record = kept(complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a"}))

    assert complete.row("Tout__c", record)["Double__c"] == 0.0
    assert complete.row("Tout__c", record)["Phrase__c"] == "sans compte"


def test_compounds_are_made_of_their_parts(complete):
    lead = complete.lead(FirstName="Aline", LastName="Dupré", Street="3 rue Haute", City="Lyon")
    record = kept(
        complete.records.insert(
            complete.admin, "Tout__c", {"Texte__c": "a", "Lieu__Latitude__s": 45.76, "Lieu__Longitude__s": 4.84}
        )
    )

    assert complete.row("Lead", lead)["Name"] == "Aline Dupré"
    address = complete.row("Lead", lead)["Address"]
    assert isinstance(address, dict)
    assert (address["street"], address["city"], address["country"]) == ("3 rue Haute", "Lyon", None)
    assert complete.row("Tout__c", record)["Lieu__c"] == {"latitude": 45.76, "longitude": 4.84}
    assert (
        complete.row("Contact", kept(complete.records.insert(complete.admin, "Contact", {"LastName": "B"})))[
            "MailingAddress"
        ]
        is None
    )


def test_a_roll_up_follows_its_details_and_stamps_its_master(complete):
    records, admin = complete.records, complete.admin
    master = kept(records.insert(admin, "Tout__c", {"Texte__c": "a"}))
    before = complete.row("Tout__c", master)["SystemModstamp"]
    complete.clock.pass_by(minutes=1)

    counted = kept(records.insert(admin, "Detail__c", {"Tout__c": master, "Prix__c": 10}))
    kept(records.insert(admin, "Detail__c", {"Tout__c": master, "Prix__c": 5, "Compte_Dans_Total__c": False}))
    assert (complete.row("Tout__c", master)["Total__c"], complete.row("Tout__c", master)["Nb_Details__c"]) == (10, 2)
    assert str(complete.row("Tout__c", master)["SystemModstamp"]) > str(before)

    records.update(admin, "Detail__c", counted, {"Prix__c": 20})
    assert complete.row("Tout__c", master)["Total__c"] == 20
    records.delete(admin, "Detail__c", counted)
    assert (complete.row("Tout__c", master)["Total__c"], complete.row("Tout__c", master)["Nb_Details__c"]) == (0, 1)
    records.undelete(admin, "Detail__c", counted)
    assert complete.row("Tout__c", master)["Total__c"] == 20


def test_a_nameless_custom_record_is_named_by_its_id(complete):
    master = kept(complete.records.insert(complete.admin, "Tout__c", {"Texte__c": "a"}))
    detail = kept(complete.records.insert(complete.admin, "Detail__c", {"Tout__c": master}))

    assert complete.row("Detail__c", detail)["Name"] == detail


def test_a_task_is_closed_because_its_status_says_so(complete):
    task = kept(complete.records.insert(complete.admin, "Task", {"Subject": "Appeler"}))
    assert (complete.row("Task", task)["Status"], complete.row("Task", task)["IsClosed"]) == ("Not Started", 0)

    complete.records.update(complete.admin, "Task", task, {"Status": "Completed"})

    assert complete.row("Task", task)["IsClosed"] == 1


def test_an_opportunity_takes_its_chances_from_its_stage(complete):
    values = {"Name": "Affaire", "StageName": "Qualification", "CloseDate": "2026-06-30"}
    opportunity = kept(complete.records.insert(complete.admin, "Opportunity", values))
    assert complete.row("Opportunity", opportunity)["Probability"] == 10

    complete.records.update(complete.admin, "Opportunity", opportunity, {"StageName": "Closed Won"})

    row = complete.row("Opportunity", opportunity)
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (1, 1, 100)


def test_a_campaign_has_a_person_once(complete):
    records, admin = complete.records, complete.admin
    campaign = kept(records.insert(admin, "Campaign", {"Name": "Salon"}))
    kept(records.insert(admin, "CampaignMemberStatus", {"CampaignId": campaign, "Label": "Sent"}))
    kept(records.insert(admin, "CampaignMemberStatus", {"CampaignId": campaign, "Label": "Venu", "HasResponded": True}))
    lead = complete.lead()

    member = kept(records.insert(admin, "CampaignMember", {"CampaignId": campaign, "LeadId": lead}))
    twin = records.insert(admin, "CampaignMember", {"CampaignId": campaign, "LeadId": lead})
    lost = records.insert(
        admin, "CampaignMember", {"CampaignId": campaign, "LeadId": complete.lead(LastName="Bruno"), "Status": "Perdu"}
    )

    assert (twin.errors[0].code, twin.errors[0].message) == ("DUPLICATE_VALUE", "Already a campaign member.")
    assert lost.errors[0].code == "INVALID_STATUS"
    records.update(admin, "CampaignMember", member, {"Status": "Venu"})
    assert complete.row("CampaignMember", member)["HasResponded"] == 1
