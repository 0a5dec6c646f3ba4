"""Custom fields are real columns, made while people work, and gone only long after they were hidden."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from relance.people.catalogue import FieldKind, Subject, field_of, fields_of
from relance.people.change import ChangeRefused, change_person, create_person
from relance.people.facts import values_of
from relance.people.models import CustomField
from relance.people.schema import (
    FieldRefused,
    SchemaBusy,
    change_custom_field,
    create_custom_field,
    drop_hidden_fields,
    hide_custom_field,
    run_ddl,
    show_custom_field,
    verify_schema,
)
from relance.people.side import side_model

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.django_db
def test_a_new_field_is_a_column_that_the_catalogue_knows_at_once():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)

    spec = field_of(Subject.PERSON, field.column)

    assert spec is not None and spec.is_custom and spec.table == "person_x" and spec.column_type == "bigint"
    assert verify_schema() == []


@pytest.mark.django_db
def test_every_kind_keeps_a_value_and_gives_it_back():
    given = {
        FieldKind.TEXT: "Lyon",
        FieldKind.NUMBER: "12.5",
        FieldKind.BOOLEAN: "yes",
        FieldKind.DATE: "2026-11-17",
        FieldKind.DATETIME: "2026-11-17 08:42",
        FieldKind.CHOICES: "b; A",
    }
    keys = {
        kind: create_custom_field(Subject.PERSON, kind.value, kind, now=NOW, choices=("a", "b")).column
        for kind in given
    }

    person = create_person({keys[kind]: text for kind, text in given.items()}, actor="system", now=NOW)
    read = values_of([person.pk], keys.values())[person.pk]

    assert read[keys[FieldKind.TEXT]] == "Lyon"
    assert str(read[keys[FieldKind.NUMBER]]) == "12.5"
    assert read[keys[FieldKind.BOOLEAN]] is True
    assert read[keys[FieldKind.DATE]].isoformat() == "2026-11-17"
    assert read[keys[FieldKind.DATETIME]].isoformat() == "2026-11-17T08:42:00+00:00"
    assert read[keys[FieldKind.CHOICES]] == ["b", "a"]


@pytest.mark.django_db
def test_a_hidden_field_leaves_the_catalogue_and_comes_back_with_its_values():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    person = create_person({field.column: 12}, actor="system", now=NOW)

    hide_custom_field(field, now=NOW)
    assert field_of(Subject.PERSON, field.column) is None
    show_custom_field(field)

    assert values_of([person.pk], [field.column])[person.pk] == {field.column: 12}


@pytest.mark.django_db
def test_a_column_goes_thirty_days_after_its_field_was_hidden_and_not_before():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    hide_custom_field(field, now=NOW)

    assert drop_hidden_fields(NOW + timedelta(days=29)) == []
    assert [dropped.pk for dropped in drop_hidden_fields(NOW + timedelta(days=31))] == [field.pk]

    assert verify_schema() == []
    field.refresh_from_db()
    with pytest.raises(FieldRefused, match="for good"):
        show_custom_field(field)


@pytest.mark.django_db
def test_two_live_fields_cannot_have_one_name_whatever_the_case():
    create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)

    with pytest.raises(FieldRefused, match="already"):
        create_custom_field(Subject.PERSON, " seats ", FieldKind.TEXT, now=NOW)
    create_custom_field(Subject.COMPANY, "Seats", FieldKind.TEXT, now=NOW)


@pytest.mark.django_db
def test_renaming_a_field_moves_no_column():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)

    change_custom_field(field, label="Licences")

    assert field_of(Subject.PERSON, field.column).label == "Licences"
    assert verify_schema() == []


@pytest.mark.django_db
def test_what_a_rolled_back_transaction_made_is_not_remembered():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
        assert len([field for field in fields_of(Subject.PERSON) if field.is_custom]) == 1
        1 / 0  # noqa: B018

    create_custom_field(Subject.PERSON, "Country code", FieldKind.TEXT, now=NOW)

    assert [field.label for field in fields_of(Subject.PERSON) if field.is_custom] == ["Country code"]
    assert side_model(Subject.PERSON).objects.count() == 0


@pytest.mark.django_db
def test_verify_names_the_column_that_disagrees():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE person_x DROP COLUMN {field.column}; ALTER TABLE company_x ADD COLUMN stray text")

    found = {
        (difference.table, difference.column, difference.expected, difference.found) for difference in verify_schema()
    }

    assert found == {("person_x", field.column, "bigint", ""), ("company_x", "stray", "", "text")}


@pytest.mark.django_db(transaction=True)
def test_a_busy_table_is_asked_again_and_then_said_to_be_busy():
    reading, done = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM person_x")
            reading.set()
            done.wait(10)
        connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait(10)
    with pytest.raises(SchemaBusy, match="Nothing was changed"):
        run_ddl(["ALTER TABLE person_x ADD COLUMN late text"], attempts=2)
    done.set()
    reader.join()

    run_ddl(["ALTER TABLE person_x ADD COLUMN late text", "ALTER TABLE person_x DROP COLUMN late"])
    assert verify_schema() == []
    assert CustomField.objects.count() == 0


@pytest.mark.django_db
def test_a_value_of_the_wrong_kind_is_refused_with_its_reason_and_nothing_is_written():
    field = create_custom_field(Subject.PERSON, "Stage", FieldKind.CHOICE, now=NOW, choices=("new", "won"))
    person = create_person({"first_name": "Aline"}, actor="system", now=NOW)

    with pytest.raises(ChangeRefused) as refused:
        change_person(person, {"first_name": "Bruno", field.column: "lost"}, actor="user:1", now=NOW)

    assert refused.value.reasons[field.column].code == "people.value_not_a_choice"
    person.refresh_from_db()
    assert person.first_name == "Aline"
