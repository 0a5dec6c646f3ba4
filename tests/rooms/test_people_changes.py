"""One person changed, found, merged, erased: both tables, the log, and what the other rooms keep."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relance.activity.models import Activity
from relance.decisions.actions import DecisionLine, record_decision
from relance.decisions.facts import find_decision
from relance.decisions.rules import Decision, skip
from relance.people import personal
from relance.people.catalogue import FieldKind, Subject
from relance.people.change import (
    ChangeRefused,
    change_person,
    create_company,
    create_person,
    delete_people,
)
from relance.people.erasing import erase_person, export_person
from relance.people.facts import ids_of, merged_into, search_companies, search_people, values_of
from relance.people.merging import merge_people
from relance.people.models import Person, PersonMerge
from relance.people.personal import Keeper, register_keeper
from relance.people.schema import create_custom_field
from relance.workspace.models import Team, User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 10, tzinfo=UTC)


def test_a_change_is_told_with_its_author_and_the_values_before_and_after():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    aline = create_person({"first_name": "Aline", "email": "aline@example.com"}, actor="user:1", now=NOW)

    moved = change_person(
        aline, {"first_name": "Aline", "phone": "04 72 00 00", field.column: "12"}, actor="user:7", now=LATER
    )

    assert {change.field for change in moved} == {"phone", field.column}
    told = Activity.objects.filter(person_id=aline.pk, kind="person.changed").get()
    assert told.actor == "user:7"
    assert told.payload["changes"] == [
        {"field": "phone", "before": None, "after": "04 72 00 00"},
        {"field": field.column, "before": None, "after": 12},
    ]
    assert aline.updated_at == LATER


def test_a_change_that_changes_nothing_leaves_no_trace():
    aline = create_person({"first_name": "Aline"}, actor="user:1", now=NOW)

    assert change_person(aline, {"first_name": " Aline "}, actor="user:7", now=LATER) == []

    assert aline.updated_at == NOW
    assert not Activity.objects.filter(kind="person.changed").exists()


def test_an_address_belongs_to_one_person_whatever_its_case():
    create_person({"email": "aline@example.com"}, actor="user:1", now=NOW)

    with pytest.raises(ChangeRefused) as refused:
        create_person({"email": "ALINE@example.com"}, actor="user:1", now=NOW)

    assert refused.value.reasons["email"].code == "people.email_is_taken"


def test_owner_team_and_company_are_changed_by_id_and_unknown_ones_refused():
    team = Team.objects.create(name="North")
    user = User.objects.create_user("rep@example.com", name="Rep", team=team)
    company = create_company({"name": "Acme"}, actor="user:1", now=NOW)
    aline = create_person({"first_name": "Aline"}, actor="user:1", now=NOW)

    change_person(aline, {"owner": user.pk, "team": str(team.pk), "company": company.pk}, actor="user:1", now=NOW)
    assert (aline.owner_id, aline.team_id, aline.company_id) == (user.pk, team.pk, company.pk)
    change_person(aline, {"owner": ""}, actor="user:1", now=NOW)
    assert aline.owner_id is None

    with pytest.raises(ChangeRefused):
        change_person(aline, {"owner": 99999}, actor="user:1", now=NOW)


def test_a_company_needs_a_name():
    with pytest.raises(ChangeRefused) as refused:
        create_company({"city": "Lyon"}, actor="user:1", now=NOW)

    assert refused.value.reasons["name"].code == "people.value_is_required"


@pytest.mark.parametrize("text", ["dup", "Dupré", "DUPRE éli", "jean luc", "acme", "jean-luc.dupre@acme.fr", "société"])
def test_people_are_found_by_the_first_letters_of_their_words(text):
    found = {
        "first_name": "Jean-Luc Élie",
        "last_name": "Dupré",
        "email": "jean-luc.dupre@acme.fr",
        "company_name": "Société X",
    }
    create_person(found, actor="user:1", now=NOW)
    create_person({"first_name": "Other", "last_name": "Person", "email": "o@else.org"}, actor="user:1", now=NOW)

    assert [person.last_name for person in search_people(text)] == ["Dupré"]


@pytest.mark.parametrize("text", ["& | !", "':*", "a" * 5000, "(((", "\\", "%_"])
def test_no_text_breaks_the_search(text):
    list(search_people(text))
    list(search_companies(text))


def test_values_longer_than_an_index_may_hold_are_kept_all_the_same():
    person = Person.objects.create(first_name="x" * 60_000, company_name="word " * 300_000)

    assert len(Person.objects.get(pk=person.pk).first_name) == 60_000


def test_merging_fills_the_blanks_keeps_what_differs_in_the_log_and_says_why():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    winner = create_person({"email": "aline@example.com", "city": "Lyon"}, actor="user:1", now=NOW)
    values = {"email": "a.old@example.com", "city": "Paris", "phone": "0472000000", field.column: 12}
    loser = create_person(values, actor="user:1", now=NOW)

    decision = find_decision(merge_people(winner, loser, actor="user:7", now=LATER))

    assert values_of([winner.pk], ["city", "phone", field.column])[winner.pk] == {
        "city": "Lyon",
        "phone": "0472000000",
        field.column: 12,
    }
    said = {(reason.seen["field"], reason.code) for reason in decision.decision.reasons}
    assert said == {
        ("email", "people.merge_kept"),
        ("city", "people.merge_kept"),
        ("phone", "people.merge_filled"),
        (field.column, "people.merge_filled"),
    }
    assert merged_into(loser.pk) == winner.pk and ids_of(winner.pk) == [winner.pk, loser.pk]
    assert PersonMerge.objects.get().values["city"] == "Paris"
    assert not Person.objects.filter(pk=loser.pk).exists()


def test_the_address_of_a_merged_person_fills_the_blank_one():
    winner = create_person({"first_name": "Aline"}, actor="user:1", now=NOW)
    loser = create_person({"email": "aline@example.com"}, actor="user:1", now=NOW)

    merge_people(winner, loser, actor="user:7", now=LATER)

    assert winner.email == "aline@example.com"


def test_every_room_is_asked_when_people_are_merged_exported_and_erased(monkeypatch):
    monkeypatch.setattr(personal, "_keepers", dict(personal._keepers))
    told: list[tuple[str, object]] = []
    register_keeper(
        Keeper(
            "letters",
            merge=lambda winner, losers: told.append(("merge", (winner, list(losers)))),
            export=lambda person: {"letters": ["dear"]},
            erase=lambda people: told.append(("erase", list(people))),
        )
    )
    winner = create_person({"first_name": "Aline"}, actor="user:1", now=NOW)
    loser = create_person({"first_name": "Aline"}, actor="user:1", now=NOW)

    merge_people(winner, loser, actor="user:7", now=LATER)
    exported = export_person(winner)
    erase_person(winner, actor="user:7", now=LATER)

    assert told == [("merge", (winner.pk, [loser.pk])), ("erase", [winner.pk])]
    assert exported["letters"] == {"letters": ["dear"]}


def test_erasing_leaves_no_personal_value_in_log_and_ledger_and_says_that_it_was_done():
    aline = create_person({"first_name": "Aline", "phone": "0472001122"}, actor="user:1", now=NOW)
    old = create_person({"first_name": "Aline", "city": "Paris"}, actor="user:1", now=NOW)
    merge_people(aline, old, actor="user:1", now=NOW)
    refused = Decision.of([skip("people.value_not_a_phone", value="0472001122")])
    line = record_decision(DecisionLine("field", 1, refused, person_id=aline.pk), policy="p", now=NOW)
    pk = aline.pk

    erase_person(aline, actor="user:7", now=LATER)

    lines = list(Activity.objects.filter(person_id__in=[pk, old.pk]).order_by("id"))
    assert [told.kind for told in lines][-1] == "person.erased"
    assert "Aline" not in str([told.payload for told in lines]) and "Paris" not in str([told.payload for told in lines])
    assert find_decision(line).decision.reasons[0].code == "people.value_not_a_phone"
    assert find_decision(line).decision.reasons[0].seen == {}


def test_deleting_people_takes_their_custom_values_and_keeps_the_log():
    field = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    aline = create_person({field.column: 3}, actor="user:1", now=NOW)

    assert delete_people([aline.pk, 424242], actor="user:7", now=LATER) == 1

    assert values_of([aline.pk], [field.column]) == {}
    assert Activity.objects.filter(person_id=aline.pk, kind="person.deleted").exists()
