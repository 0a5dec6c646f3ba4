"""The merge: records come in, the side that is right wins field by field, and each change has its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relance.activity.models import Activity
from relance.crm.models import CrmLink, QueuedPush
from relance.decisions.facts import decisions_about
from relance.people.models import Company, Person
from tests.rooms.crm_cast import NOW, connect, crm_id, dirty, map_objects, merge, plans, record, settle

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def connection():
    connection = connect()
    map_objects(connection)
    return connection


@pytest.fixture
def lead(connection):
    return plans(connection)["Lead"]


@pytest.fixture
def contact(connection):
    return plans(connection)["Contact"]


def reasons(person: Person, field: str) -> list[str]:
    return [reason.code for told in decisions_about(person.pk, field=field) for reason in told.decision.reasons]


def test_a_record_nobody_knows_makes_a_person_with_a_reason_for_every_value(lead):
    done = merge(lead, record("00Q1", Email="Aline@acme.example", LastName="Martin", Phone="01", Score__c=12))

    person = Person.objects.get()
    assert done.new == 1
    assert (person.email, person.last_name, person.phone, person.score) == ("Aline@acme.example", "Martin", "01", 12)
    assert reasons(person, "phone") == ["crm.crm_is_right"]
    assert reasons(person, "score") == ["crm.filled_from_crm"]
    assert [line.kind for line in Activity.objects.filter(person_id=person.pk)] == ["crm.created"]
    assert CrmLink.objects.get(person=person).crm_id == crm_id("00Q1")


def test_a_record_with_the_address_of_somebody_known_is_linked_to_her(lead):
    person = Person.objects.create(email="aline@acme.example", phone="02", lead_source="Salon")

    merge(lead, record("00Q1", Email="ALINE@acme.example", LastName="Martin", Phone="01", LeadSource="Web"))

    person.refresh_from_db()
    assert Person.objects.count() == 1
    assert (person.last_name, person.phone, person.lead_source) == ("Martin", "01", "Salon")
    assert reasons(person, "phone") == ["crm.reverted_to_crm"]
    assert reasons(person, "lead_source") == ["crm.put_back_in_crm"]
    assert QueuedPush.objects.get().subject_id == person.pk
    assert dirty(lead_connection(lead)) == {(person.pk, "lead_source"): ("Web", 3004)}


def lead_connection(plan):
    from relance.crm.models import Connection

    return Connection.objects.get(pk=plan.connection_id)


def test_the_same_record_read_again_changes_nothing_and_tells_nothing(lead):
    told = record("00Q1", Email="aline@acme.example", LastName="Martin", LeadSource="Web")
    Person.objects.create(email="aline@acme.example", lead_source="Salon")
    merge(lead, told)
    before = Activity.objects.count()

    done = merge(lead, told)

    assert not done.reasons
    assert Activity.objects.count() == before


def test_a_crm_change_to_a_field_relance_owns_is_put_back_and_shown(lead):
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin", LeadSource="Salon"))

    merge(lead, record("00Q1", LATER, Email="aline@acme.example", LastName="Martin", LeadSource="Chasse"), now=LATER)

    person = Person.objects.get()
    assert person.lead_source == "Salon"
    told = Activity.objects.get(person_id=person.pk, kind="crm.value_reverted")
    assert (told.payload["before"], told.payload["after"], told.payload["side"]) == ("Chasse", "Salon", "crm")
    assert told.decision_id is not None


def test_two_records_of_one_address_stand_for_one_person_and_only_one_leads(lead):
    merge(
        lead,
        record("00Q1", Email="aline@acme.example", LastName="Martin", Phone="01"),
        record("00Q2", Email="aline@acme.example", LastName="Martin", Phone="99"),
    )

    person = Person.objects.get()
    assert person.phone == "01"
    assert dict(CrmLink.objects.values_list("crm_id", "role")) == {crm_id("00Q1"): "leading", crm_id("00Q2"): "second"}


def test_a_contact_takes_the_lead_over_from_a_lead_of_the_same_address(lead, contact):
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin", Phone="01"))

    merge(contact, record("0031", Email="aline@acme.example", LastName="Martin", Phone="02"))

    assert Person.objects.get().phone == "02"
    assert CrmLink.objects.get(role="leading").object == "Contact"


def test_a_conversion_moves_the_link_before_the_contact_is_read_even_without_an_address(lead, contact):
    merge(lead, record("00Q1", LastName="Martin", Phone="01"))
    person = Person.objects.get()

    merge(
        lead, record("00Q1", LATER, LastName="Martin", IsConverted=True, ConvertedContactId=crm_id("0031")), now=LATER
    )
    merge(contact, record("0031", LATER, LastName="Martin-Petit", Phone="01"), now=LATER)

    assert Person.objects.get() == person
    person.refresh_from_db()
    assert person.last_name == "Martin-Petit"
    assert CrmLink.objects.get(role="leading").crm_id == crm_id("0031")
    assert Activity.objects.filter(person_id=person.pk, kind="crm.converted").count() == 1


def test_a_deleted_record_ends_its_link_and_leaves_the_person(lead):
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin"))

    merge(lead, record("00Q1", LATER, Email="aline@acme.example", LastName="Martin", IsDeleted=True), now=LATER)

    assert Person.objects.count() == 1
    assert CrmLink.objects.get().deleted_at is not None
    assert Activity.objects.filter(kind="crm.deleted").count() == 1


def test_a_restored_record_opens_its_link_again(lead):
    merge(lead, record("00Q1", LastName="Martin"))
    merge(lead, record("00Q1", LATER, LastName="Martin", IsDeleted=True), now=LATER)

    merge(lead, record("00Q1", LATER + timedelta(minutes=1), LastName="Martin", Phone="07"), now=LATER)

    assert CrmLink.objects.get().deleted_at is None
    assert Person.objects.get().phone == "07"


def test_a_merge_in_the_crm_moves_the_link_to_the_winner(lead):
    merge(lead, record("00Q1", LastName="Martin"))

    merge(lead, record("00Q1", LATER, LastName="Martin", IsDeleted=True, MasterRecordId=crm_id("00Q9")), now=LATER)
    merge(lead, record("00Q9", LATER, LastName="Martin", Phone="09"), now=LATER)

    assert CrmLink.objects.get().crm_id == crm_id("00Q9")
    assert Person.objects.get().phone == "09"


def test_an_address_that_belongs_to_somebody_else_is_not_taken(lead):
    other = Person.objects.create(email="bruno@acme.example")
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin"))
    aline = Person.objects.exclude(pk=other.pk).get()

    merge(lead, record("00Q1", LATER, Email="bruno@acme.example", LastName="Martin"), now=LATER)

    aline.refresh_from_db()
    assert aline.email == "aline@acme.example"
    assert reasons(aline, "email")[0] == "crm.email_taken"


def test_an_address_waits_without_words_until_it_is_free_then_is_taken(lead):
    other = Person.objects.create(email="bruno@acme.example")
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin"))
    merge(lead, record("00Q1", LATER, Email="bruno@acme.example", LastName="Martin"), now=LATER)

    assert not settle(lead).reasons
    Person.objects.filter(pk=other.pk).update(email="bruno2@acme.example")
    settle(lead)

    assert Person.objects.filter(email="bruno@acme.example").exclude(pk=other.pk).exists()


def test_accounts_become_companies_and_contacts_work_there(connection, contact):
    merge(plans(connection)["Account"], record("0011", Name="Acmé"), record("0012", Name="Béton SA"))
    merge(contact, record("0031", LastName="Martin", AccountId=crm_id("0012")))

    assert Company.objects.count() == 2
    assert Person.objects.get().company.name == "Béton SA"


def test_a_company_of_the_same_name_is_found_when_it_is_the_only_one(connection):
    known = Company.objects.create(name="ACME")

    merge(plans(connection)["Account"], record("0011", Name="Acmé"), record("0012", Name="Acme"))

    assert CrmLink.objects.get(crm_id=crm_id("0011")).company == known
    assert Company.objects.count() == 2


def test_a_merge_takes_as_many_queries_for_a_thousand_records_as_for_one(lead, django_assert_max_num_queries):
    records = [record(f"00Q{n:04}", Email=f"p{n}@acme.example", LastName=str(n)) for n in range(1000)]

    with django_assert_max_num_queries(30) as one:
        merge(lead, records[0])
    with django_assert_max_num_queries(len(one)):
        merge(lead, *records[1:])

    assert Person.objects.count() == 1000


def test_a_value_that_cannot_be_read_waits_and_touches_nothing(lead):
    merge(lead, record("00Q1", LastName="Martin", Score__c="a lot"))

    person = Person.objects.get()
    assert person.score is None
    assert reasons(person, "score") == ["crm.unreadable"]


def test_a_contact_that_takes_the_lead_from_a_lead_corrects_what_came_from_it_and_reverts_nobody(lead, contact):
    merge(lead, record("00Q1", Email="aline@acme.example", LastName="Martin", Phone="01", Score__c=12))

    merge(contact, record("0031", Email="aline@acme.example", LastName="Martin", Phone="02", Score__c=3))

    person = Person.objects.get()
    assert person.phone == "02"
    assert reasons(person, "phone")[0] == "crm.crm_is_right"
    assert person.score == 12
    assert reasons(person, "score")[0] == "crm.put_back_in_crm"
