"""Changes of ours are noted by the database itself, whoever makes them; the merge's own writes are not."""

from __future__ import annotations

import pytest

from relance.crm.dirty import forget_changes, watch_changes
from relance.crm.drafts import FieldDraft
from relance.crm.models import CrmLink, QueuedPush
from relance.crm.rules import Creates, RightSide
from relance.lib import sql
from relance.people.catalogue import FieldKind, Subject
from relance.people.models import Person
from relance.people.schema import create_custom_field
from tests.rooms.crm_cast import NOW, connect, crm_id, dirty, map_objects, merge, plans, record, settle

pytestmark = pytest.mark.django_db


def watched(creates: Creates = Creates.NONE, *lines: FieldDraft):
    connection = connect()
    map_objects(connection, *lines, creates=creates)
    watch_changes(connection, plans(connection))
    return connection


def linked(connection, **values) -> Person:
    person = Person.objects.create(**values)
    CrmLink.objects.create(
        connection=connection, object="Lead", crm_id=crm_id("00Q1"), person=person, agreed_at=NOW, linked_at=NOW
    )
    QueuedPush.objects.all().delete()
    return person


def test_a_change_by_plain_sql_is_noted_with_what_was_there_before():
    connection = watched()
    person = linked(connection, phone="01", city="Lille")

    sql.select("UPDATE person SET phone = '02', city = 'Lyon' WHERE id = %s RETURNING id", [person.pk])
    sql.select("UPDATE person SET phone = '03' WHERE id = %s RETURNING id", [person.pk])

    assert dirty(connection) == {(person.pk, "phone"): ("01", None)}


def test_what_the_merge_writes_is_not_noted():
    connection = watched()
    person = linked(connection, phone="01")

    merge(plans(connection)["Lead"], record("00Q1", Phone="02", LastName="Martin"))

    person.refresh_from_db()
    assert person.phone == "02"
    assert dirty(connection) == {}


def test_a_fake_phone_typed_here_goes_back_in_the_next_round_though_the_crm_did_not_move():
    connection = watched()
    person = linked(connection, phone="01 real")
    Person.objects.filter(pk=person.pk).update(phone="06 fake")

    done = settle(plans(connection)["Lead"])

    person.refresh_from_db()
    assert person.phone == "01 real"
    assert dict(done.reasons) == {"crm.reverted_to_crm": 1}
    assert dirty(connection) == {}
    assert not QueuedPush.objects.exists()


def test_a_change_of_a_field_we_own_is_queued_once_and_told_once():
    connection = watched()
    person = linked(connection, score=10)
    Person.objects.filter(pk=person.pk).update(score=20)

    first, second = settle(plans(connection)["Lead"]), settle(plans(connection)["Lead"])

    assert dict(first.reasons) == {"crm.relance_is_right": 1}
    assert not second.reasons
    assert QueuedPush.objects.get().subject_id == person.pk
    assert dirty(connection) == {(person.pk, "score"): ("10", 3003)}


def test_a_change_taken_back_leaves_nothing_to_send():
    connection = watched()
    person = linked(connection, score=10)
    Person.objects.filter(pk=person.pk).update(score=20)
    Person.objects.filter(pk=person.pk).update(score=10)

    settle(plans(connection)["Lead"])

    assert dirty(connection) == {}


def test_a_new_person_is_queued_where_the_mapping_makes_records_of_people():
    watched(Creates.ALL)

    person = Person.objects.create(last_name="Martin")

    assert QueuedPush.objects.get().subject_id == person.pk


def test_a_new_person_is_not_queued_where_it_makes_none():
    watched(Creates.NONE)

    Person.objects.create(last_name="Martin")

    assert not QueuedPush.objects.exists()


def test_the_first_value_of_a_field_of_our_own_is_a_change_from_nothing():
    field = create_custom_field(Subject.PERSON, "Nickname", FieldKind.TEXT, now=NOW)
    connection = watched(Creates.NONE, FieldDraft(field.column, "City", RightSide.RELANCE))
    person = linked(connection)

    sql.select(f"INSERT INTO person_x (person_id, {field.column}) VALUES (%s, 'Bob') RETURNING 1 AS one", [person.pk])
    assert dirty(connection) == {(person.pk, field.column): (None, None)}
    settle(plans(connection)["Lead"])
    merge(plans(connection)["Lead"], record("00Q1", LastName="Martin", City=None))

    assert QueuedPush.objects.count() == 1


def test_a_field_of_our_own_takes_the_value_of_the_crm():
    field = create_custom_field(Subject.PERSON, "Nickname", FieldKind.TEXT, now=NOW)
    connection = watched(Creates.NONE, FieldDraft(field.column, "City", RightSide.CRM))

    merge(plans(connection)["Lead"], record("00Q1", City="Bob"))
    merge(plans(connection)["Lead"], record("00Q2", City=None))

    held = sql.select(f"SELECT {field.column} AS held FROM person_x")
    assert held == [{"held": "Bob"}]
    assert dirty(connection) == {}


def test_watching_again_with_the_same_mapping_touches_no_table():
    connection = watched()

    assert not watch_changes(connection, plans(connection))


def test_a_connection_that_is_forgotten_notes_nothing_more():
    connection = watched()
    person = linked(connection, phone="01")

    forget_changes(connection.pk)
    Person.objects.filter(pk=person.pk).update(phone="02")

    assert dirty(connection) == {}
