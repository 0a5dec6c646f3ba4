"""The sync on a real pretend org: both directions, who is right, refusals, conversions, deletions, lost answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relance.activity.models import Activity
from relance.crm.models import CrmLink, PushError, QueuedPush, SyncRun
from relance.decisions.facts import decisions_about
from relance.people.models import Company, Person
from relance.workspace.models import User
from tests.stories.crm_story import Story, tell
from tests.stories.org_process import OrgProcess, org_running, write_tree

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    home = tmp_path_factory.mktemp("sync-org")
    with org_running(home, write_tree(home / "tree")) as running:
        yield running


@pytest.fixture
def story(org: OrgProcess) -> Story:
    return tell(org)


def reasons(person: Person, field: str) -> set[str]:
    return {reason.code for told in decisions_about(person.pk, field=field) for reason in told.decision.reasons}


def test_the_first_sync_brings_people_companies_and_who_works_where(story):
    account = story.make("Account", Name="Béton du Nord", NumberOfEmployees=120)
    contact = story.make("Contact", LastName="Durand", Email="durand@beton.example", AccountId=account)
    lead = story.lead("Premier", Phone="0123456789", Score_Relance__c=12)

    counts = story.sync()

    assert counts.read >= 3
    assert Company.objects.get(name="Béton du Nord").employees == 120
    assert story.person(contact).company.name == "Béton du Nord"
    assert reasons(story.person(contact), "company") == {"crm.company_follows"}
    assert (story.person(lead).phone, story.person(lead).score) == ("0123456789", 12)
    assert "crm.crm_is_right" in reasons(story.person(lead), "phone")


def test_a_second_cycle_without_changes_decides_nothing(story):
    story.lead("Calme")
    story.sync()

    counts = story.sync()

    assert counts.is_idle
    assert not QueuedPush.objects.exists()


def test_a_change_in_the_crm_comes_here(story):
    lead = story.lead("Venant")
    story.sync()

    story.change("Lead", lead, Title="Directrice")
    story.sync()

    assert story.person(lead).job_title == "Directrice"


def test_a_score_given_here_goes_to_the_crm_once(story):
    lead = story.lead("Allant")
    story.sync()

    Person.objects.filter(pk=story.person(lead).pk).update(score=71)
    first, second = story.sync(), story.sync()

    assert story.value("Lead", lead, "Score_Relance__c") == 71
    assert (first.pushed, second.pushed) == (1, 0)
    assert second.is_idle


def test_a_fake_phone_typed_here_goes_back_and_is_shown_with_the_rule_that_did_it(story):
    lead = story.lead("Faux", Phone="0123456789")
    story.sync()
    person = story.person(lead)

    Person.objects.filter(pk=person.pk).update(phone="0000000000")
    counts = story.sync()

    person.refresh_from_db()
    assert person.phone == "0123456789"
    assert story.value("Lead", lead, "Phone") == "0123456789"
    assert counts.reverted == 1
    told = Activity.objects.get(person_id=person.pk, kind="crm.value_reverted")
    assert (told.payload["before"], told.payload["after"]) == ("0000000000", "0123456789")
    assert "crm.reverted_to_crm" in reasons(person, "phone")


def test_a_marketing_field_edited_by_sales_is_put_back_in_the_crm(story):
    lead = story.lead("Ventes", Score_Relance__c=64)
    story.sync()

    story.change("Lead", lead, Score_Relance__c=3)
    counts = story.sync()

    assert story.value("Lead", lead, "Score_Relance__c") == 64
    assert counts.reverted == 1
    assert "crm.put_back_in_crm" in reasons(story.person(lead), "score")


def test_a_change_refused_by_a_rule_waits_with_its_words_and_goes_when_the_reason_is_given(story):
    lead = story.lead("Refus")
    story.sync()
    person = story.person(lead)

    Person.objects.filter(pk=person.pk).update(status="Disqualifié")
    refused = story.sync()

    error = PushError.objects.get(subject_id=person.pk, resolved_at=None)
    assert refused.refused == 1
    assert error.code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert error.message == "Indiquez la raison de la disqualification."
    assert story.value("Lead", lead, "Status") != "Disqualifié"
    assert "crm.refused" in {r.code for told in decisions_about(person.pk) for r in told.decision.reasons}

    again = story.sync()
    assert (again.refused, again.pushed) == (0, 0)
    error.refresh_from_db()
    assert error.times == 1

    from relance.people.change import change_person

    person.refresh_from_db()
    change_person(person, {story.reason_key: "Pas de budget"}, actor="system", now=error.last_at)
    released = story.sync()

    assert released.pushed == 1
    assert story.value("Lead", lead, "Status") == "Disqualifié"
    assert not PushError.objects.filter(subject_id=person.pk, resolved_at=None).exists()


def test_a_person_with_an_owner_becomes_a_lead_once_and_one_without_none(story):
    story.sync()
    owned = Person.objects.create(
        last_name="Nouvelle", company_name="Essai", email="nouvelle@essai.example", owner=story.admin
    )
    Person.objects.create(last_name="Libre", company_name="Essai", email="libre@essai.example")

    story.sync()
    story.sync()

    assert story.count("Lead", f"Relance_Id__c = '{owned.uid}'") == 1
    assert story.count("Lead", "LastName = 'Libre'") == 0
    assert CrmLink.objects.get(person=owned).object == "Lead"


def test_a_person_without_what_the_crm_requires_waits_until_it_is_filled(story):
    story.sync()
    person = Person.objects.create(company_name="Essai", email="sansnom@essai.example", owner=story.admin)
    story.sync()
    assert QueuedPush.objects.get(subject_id=person.pk).reason == "crm.required_missing"

    Person.objects.filter(pk=person.pk).update(last_name="Enfin")
    story.sync()

    assert story.count("Lead", f"Relance_Id__c = '{person.uid}'") == 1


def test_a_conversion_is_followed_and_the_person_stays_one(story):
    lead = story.lead("Converti")
    story.sync()
    person = story.person(lead)

    contact = convert(story, lead)
    story.sync()

    assert CrmLink.objects.get(person=person, role="leading").crm_id == contact
    assert Person.objects.filter(last_name="Converti").count() == 1
    assert Activity.objects.filter(person_id=person.pk, kind="crm.converted").count() == 1
    Person.objects.filter(pk=person.pk).update(score=99)
    story.sync()
    assert story.value("Contact", contact, "Score_Relance__c") == 99


def convert(story: Story, lead: str) -> str:
    from relance.crm.dialect import ConvertLead
    from relance.crm.opening import crm_opened

    status = story.org.query("SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true")[0]["MasterLabel"]
    with crm_opened(story.connection) as crm:
        [outcome] = crm.convert_leads([ConvertLead(lead, str(status))])
    assert outcome.ok, outcome.errors
    return outcome.contact_id


def test_a_deletion_is_followed_and_the_person_is_not_made_again(story):
    lead = story.lead("Parti")
    story.sync()
    person = story.person(lead)

    story.delete("Lead", lead)
    story.sync()
    Person.objects.filter(pk=person.pk).update(score=5, owner=story.admin)
    story.sync()

    assert Person.objects.filter(pk=person.pk).exists()
    assert CrmLink.objects.get(person=person).deleted_at is not None
    assert story.count("Lead", "LastName = 'Parti'") == 0


def test_the_owner_in_the_crm_is_the_owner_here(story):
    user = story.org.query("SELECT Id, Email FROM User WHERE IsActive = true LIMIT 1")[0]
    rep = User.objects.create_user(str(user["Email"]), name="Rep", role="rep")
    story.connection.described_at = None
    story.connection.save()
    lead = story.lead("Suivi", OwnerId=user["Id"])

    story.sync()

    assert story.person(lead).owner == rep
    assert reasons(story.person(lead), "owner") == {"crm.owner_follows"}


def test_a_paused_connection_moves_nothing_and_forgets_nothing(story):
    from relance.crm.connection import pause_connection, resume_connection

    lead = story.lead("Pause")
    story.sync()
    pause_connection(story.connection, by=story.admin, why="a release in the CRM")

    Person.objects.filter(pk=story.person(lead).pk).update(score=40)
    assert story.sync().is_idle
    assert story.value("Lead", lead, "Score_Relance__c") is None
    resume_connection(story.connection, by=story.admin)
    story.sync()

    assert story.value("Lead", lead, "Score_Relance__c") == 40


def test_a_quiet_connection_does_not_fill_the_log(story):
    for _ in range(3):
        story.sync()
    before = SyncRun.objects.count()

    story.sync()

    assert SyncRun.objects.count() == before


def test_one_person_asked_for_goes_first_and_is_compared_afresh(story):
    from relance.crm.sync import sync_person

    lead = story.lead("Demande", Phone="0123456789")
    story.sync()
    person = story.person(lead)

    assert sync_person(person.pk) == [story.connection.pk]
    counts = story.sync()

    assert story.person(lead).phone == "0123456789"
    assert not counts.refused
    assert not QueuedPush.objects.exists()


def test_a_connection_by_refresh_token_signs_in_and_keeps_its_secret(org):
    from relance.crm.connection import create_connection, verify_connection

    connection = create_connection(
        "Par jeton",
        org.told["http"],
        login_method="refresh_token",
        client_id=org.told["client_id"],
        client_secret=org.told["client_secret"],
        refresh_token=org.told["refresh_token"],
        by=None,
    )

    identity = verify_connection(connection, by=None)

    assert identity.org_id[:15] == org.told["org_id"][:15]
    assert connection.crm_username
