"""The command palette: it finds what its reader may see, and offers what its reader may do."""

from __future__ import annotations

import pytest
from django.test import Client

from relance.crm.connection import pause_connection
from relance.people.models import Company, Person
from relance.workspace.models import Team
from tests.rooms.crm_pages_cast import enabled_connection, link, user, workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    workspace()
    return user("admin", "Aline Martin")


@pytest.fixture
def claire():
    company = Company.objects.create(name="Meunier Logistique", city="Lyon")
    return Person.objects.create(
        first_name="Claire", last_name="Meunier", email="claire@meunier.example", company=company
    )


def found(someone, q: str = "", on: str = "") -> str:
    client = Client()
    client.force_login(someone)
    answer = client.get("/palette", {"q": q, "on": on}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    return answer.content.decode()


def test_people_and_companies_are_found_by_a_few_letters(admin, claire):
    page = found(admin, "meun")

    assert "Claire Meunier · Meunier Logistique" in page
    assert f'href="/people/{claire.pk}"' in page
    assert "Lyon" in page


def test_people_of_another_team_are_not_found(claire):
    Person.objects.update(team=Team.objects.create(name="South"))
    rep = user("rep", "Denis Roux", team=Team.objects.create(name="North"))

    assert "Claire" not in found(rep, "claire")


def test_the_sign_of_actions_leaves_people_and_pages_out(admin, claire):
    page = found(admin, "> connect")

    assert "Connect a CRM" in page
    assert "Go to" not in page
    assert "Meunier" not in found(admin, "> meunier")


def test_what_one_looks_at_comes_with_its_actions(admin, claire):
    connection = enabled_connection(admin)
    link(connection, claire, "00Q1")

    page = found(admin, on=f"person:{claire.pk}")

    assert "Actions on Claire Meunier" in page
    assert "Sync now with Salesforce" in page


def test_a_thing_one_may_not_see_has_no_actions(claire):
    Person.objects.update(team=Team.objects.create(name="South"))
    rep = user("rep", "Denis Roux", team=Team.objects.create(name="North"))

    assert "Claire" not in found(rep, on=f"person:{claire.pk}")


@pytest.mark.parametrize("on", ["person:", "person:x", "planet:3", "person:" + "9" * 40, "connection:0"])
def test_a_thing_nobody_knows_has_no_actions(admin, on):
    assert "Actions on" not in found(admin, on=on)


def test_an_action_is_posted_and_a_stop_shows_its_effect_first(admin):
    connection = enabled_connection(admin)

    page = found(admin, "> salesforce")
    assert f'href="/crm/{connection.pk}/sync" data-post' in page
    assert f"/crm/{connection.pk}?open=pause" in page

    pause_connection(connection, by=admin)
    assert f"/crm/{connection.pk}?open=resume" in found(admin, "> salesforce")


def test_roles_find_the_pages_they_may_open(admin):
    assert "Invite a user" in found(admin)
    rep = found(user("rep"))
    assert "Invite a user" not in rep
    assert "CRM sync" not in rep


def test_without_script_the_palette_is_a_page(admin, claire):
    client = Client()
    client.force_login(admin)

    page = client.get("/palette", {"q": "claire"}).content.decode()

    assert "<h1>Search or act</h1>" in page
    assert "Claire Meunier" in page


@pytest.mark.parametrize("q", ["'", "%", "\\", "&|!", "a" * 5000, "\x00"])
def test_any_letters_may_be_typed(admin, q):
    found(admin, q)


def test_an_answer_takes_a_bounded_number_of_queries(admin, django_assert_max_num_queries):
    enabled_connection(admin)
    for place in range(12):
        Person.objects.create(
            first_name="Paul", last_name=f"Garnier {place}", company=Company.objects.create(name=f"Garnier {place}")
        )
    client = Client()
    client.force_login(admin)

    with django_assert_max_num_queries(16):
        client.get("/palette", {"q": "garnier"}, headers={"HX-Request": "true"})
