"""Values that are spelt differently on the two sides: transforms, kinds, rounding. What only spelling tells apart never bounces."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relance.crm.dirty import watch_changes
from relance.crm.drafts import FieldDraft
from relance.crm.models import QueuedPush
from relance.crm.push import gather_candidates
from relance.crm.rules import RightSide, Transform
from relance.people.models import Person
from tests.rooms.crm_cast import NOW, connect, dirty, map_objects, merge, plans, record, settle

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def mapped(*lines: FieldDraft):
    connection = connect()
    map_objects(connection, *lines)
    watch_changes(connection, plans(connection))
    return connection


def sent(connection) -> dict:
    """What would go out now, by the CRM's names."""
    claimed = [
        {
            "id": push.pk,
            "subject": push.subject,
            "subject_id": push.subject_id,
            "object": push.object,
            "state": "waiting",
        }
        for push in QueuedPush.objects.filter(connection=connection)
    ]
    [candidate] = gather_candidates(connection, plans(connection), claimed)
    return candidate.values


def test_a_map_of_values_turns_theirs_into_ours_and_back():
    words = {"Hot": "Chaud", "Cold": "Froid", "It's 100 %": "Sûr"}
    connection = mapped(
        FieldDraft("status", "Status", RightSide.RELANCE, transform=Transform.VALUE_MAP, value_map=words)
    )
    merge(plans(connection)["Lead"], record("00Q1", Status="Hot"), record("00Q2", Status="It's 100 %"))
    assert set(Person.objects.values_list("status", flat=True)) == {"Chaud", "Sûr"}

    Person.objects.filter(status="Chaud").update(status="Froid")
    settle(plans(connection)["Lead"])

    assert sent(connection) == {"Status": "Cold"}


def test_a_value_outside_the_map_passes_as_it_is():
    connection = mapped(
        FieldDraft("status", "Status", RightSide.CRM, transform=Transform.VALUE_MAP, value_map={"Hot": "Chaud"})
    )

    merge(plans(connection)["Lead"], record("00Q1", Status="Lukewarm"))

    assert Person.objects.get().status == "Lukewarm"


def test_what_the_crm_trims_or_writes_small_is_no_change():
    connection = mapped(
        FieldDraft("email", "Email", RightSide.RELANCE),
        FieldDraft("phone", "Phone", RightSide.RELANCE),
        FieldDraft("street", "Street", RightSide.RELANCE),
    )
    plan = plans(connection)["Lead"]
    merge(plan, record("00Q1", Email="Aline@Acme.example", Phone=" 01 ", Street="1 rue A\nLille"))

    done = merge(plan, record("00Q1", LATER, Email="aline@acme.example", Phone="01", Street="1 rue A\r\nLille"))

    assert not done.reasons
    assert dirty(connection) == {}


def test_upper_case_is_asked_for_on_both_sides_and_does_not_bounce():
    connection = mapped(FieldDraft("last_name", "LastName", RightSide.RELANCE, transform=Transform.UPPER))
    plan = plans(connection)["Lead"]
    merge(plan, record("00Q1", LastName="Martin"))
    assert Person.objects.get().last_name == "MARTIN"

    Person.objects.update(last_name="petit")
    settle(plan)

    assert sent(connection) == {"LastName": "PETIT"}
    assert not merge(plan, record("00Q1", LATER, LastName="Petit")).reasons


def test_a_whole_number_with_a_point_is_the_same_number():
    connection = mapped(FieldDraft("score", "Score__c", RightSide.RELANCE))
    plan = plans(connection)["Lead"]
    merge(plan, record("00Q1", LastName="M", Score__c=12.0))

    assert Person.objects.get().score == 12
    assert not merge(plan, record("00Q1", LATER, LastName="M", Score__c=12)).reasons


def test_a_company_goes_both_ways_as_a_person_does():
    from relance.people.models import Company

    connection = mapped()
    plan = plans(connection)["Account"]
    merge(plan, record("0011", Name="Acmé", Phone="01"))
    company = Company.objects.get()

    Company.objects.filter(pk=company.pk).update(phone="06 fake")
    done = settle(plan)

    company.refresh_from_db()
    assert company.phone == "01"
    assert dict(done.reasons) == {"crm.reverted_to_crm": 1}
