"""What pages and the console read of the sync, and what becomes of it when people are merged or erased."""

from __future__ import annotations

import pytest

from relance.crm.dirty import watch_changes
from relance.crm.errors import error_groups, retry_errors
from relance.crm.facts import overview, person_crm
from relance.crm.models import CrmLink, DirtyField, PushError, QueuedPush
from relance.crm.personal import _erase, _holds, _merge
from relance.people.models import Person
from tests.rooms.crm_cast import NOW, connect, crm_id, map_objects, merge, plans, record, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    connection = connect()
    map_objects(connection)
    watch_changes(connection, plans(connection))
    return connection


@pytest.fixture
def aline(connection) -> Person:
    merge(plans(connection)["Lead"], record("00Q1", LastName="Aline", Phone="01", Score__c=5))
    return Person.objects.get(last_name="Aline")


def refuse(connection, person: Person, code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION") -> None:
    QueuedPush.objects.update_or_create(
        connection=connection,
        subject="person",
        subject_id=person.pk,
        defaults={"state": "refused", "payload_hash": "x", "reason": "crm.refused"},
        create_defaults={"object": "Lead", "state": "refused", "queued_at": NOW, "due_at": NOW, "payload_hash": "x"},
    )
    PushError.objects.create(
        connection=connection,
        subject="person",
        subject_id=person.pk,
        object="Lead",
        code=code,
        message="Give a reason.",
        body={},
        cause_key=code.lower()[:20],
        payload_hash="x",
        first_at=NOW,
        last_at=NOW,
    )


def test_a_person_shows_her_records_and_who_is_right_about_each_field(connection, aline, django_assert_max_num_queries):
    Person.objects.filter(pk=aline.pk).update(score=50)
    settle(plans(connection)["Lead"])

    with django_assert_max_num_queries(14):
        [seen] = person_crm(aline.pk)

    fields = {field.field_key: field for field in seen.fields}
    assert seen.leading.link.crm_id == crm_id("00Q1")
    assert (fields["phone"].owner, fields["phone"].standing) == ("crm", "same")
    assert (fields["score"].standing, fields["score"].crm_value) == ("sending", "5")
    assert fields["score"].last_code == "crm.relance_is_right"
    assert seen.push.state == "waiting"


def test_somebody_without_a_record_is_in_no_crm():
    assert person_crm(Person.objects.create(last_name="Bruno").pk) == []


def test_refusals_of_one_cause_are_one_group(connection, aline):
    merge(plans(connection)["Lead"], record("00Q2", LastName="Bruno"), record("00Q3", LastName="Chloé"))
    for person in Person.objects.filter(last_name__in=("Aline", "Bruno")):
        refuse(connection, person)
    refuse(connection, Person.objects.get(last_name="Chloé"), code="STRING_TOO_LONG")

    first, second = error_groups(connection)

    assert (first.subjects, first.code) == (2, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert second.subjects == 1


def test_another_try_is_made_of_one_cause_alone(connection, aline):
    merge(plans(connection)["Lead"], record("00Q2", LastName="Bruno"))
    refuse(connection, aline)
    refuse(connection, Person.objects.get(last_name="Bruno"), code="STRING_TOO_LONG")

    again = retry_errors(connection, "string_too_long", by=None, now=NOW)

    assert again == 1
    assert QueuedPush.objects.get(state="waiting").payload_hash == ""


def test_the_overview_counts_who_is_linked_waits_and_is_refused(connection, aline):
    refuse(connection, aline)

    seen = overview(connection, NOW)

    assert (seen.linked_people, seen.refused, seen.waiting) == (1, 1, 0)
    assert seen.missing == ()
    assert seen.lag is None


def test_a_field_our_user_may_not_see_any_more_is_named(connection):
    snapshot = connection.snapshots.get(object="Lead")
    snapshot.description["fields"] = [f for f in snapshot.description["fields"] if f["name"] != "Phone"]
    snapshot.save()

    assert overview(connection, NOW).missing == ("Lead.Phone",)


def test_merged_people_keep_their_records_and_one_leads(connection, aline):
    merge(plans(connection)["Lead"], record("00Q2", LastName="Petit"))
    petit = Person.objects.get(last_name="Petit")

    _merge(aline.pk, [petit.pk])

    roles = dict(CrmLink.objects.filter(person=aline).values_list("crm_id", "role"))
    assert roles == {crm_id("00Q1"): "leading", crm_id("00Q2"): "second"}


def test_a_winner_without_a_record_takes_the_lead_of_the_oldest(connection, aline):
    winner = Person.objects.create(last_name="Nouvelle")

    _merge(winner.pk, [aline.pk])

    assert CrmLink.objects.get(person=winner).role == "leading"


def test_an_erased_person_leaves_nothing_here(connection, aline):
    refuse(connection, aline)
    Person.objects.filter(pk=aline.pk).update(score=9)

    _erase([aline.pk])

    assert not CrmLink.objects.exists()
    assert not PushError.objects.exists()
    assert not QueuedPush.objects.exists()
    assert not DirtyField.objects.exists()


def test_somebody_with_a_record_does_not_vanish_with_an_undone_import(aline):
    assert crm_id("00Q1") in _holds([aline.pk])[aline.pk]
