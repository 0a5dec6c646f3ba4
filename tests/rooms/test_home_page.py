"""The home page: what it counts, what it says must be dealt with and in which order, and what it keeps from whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from relance.crm.connection import mark_broken, pause_connection
from relance.crm.dialect import CrmMisconfigured, Move
from relance.crm.drafts import draft_of
from relance.crm.mapping import approved_mapping, save_draft
from relance.lib.clock import utc_now
from relance.people.models import Import, Person
from relance.workspace.models import Team
from tests.rooms.crm_pages_cast import (
    enabled_connection,
    has_read,
    has_run,
    is_put_back,
    is_refused,
    knows_owner,
    link,
    user,
    workspace,
)

pytestmark = pytest.mark.django_db


def home(someone) -> str:
    client = Client()
    client.force_login(someone)
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def admin():
    workspace()
    return user("admin", "Aline Martin")


@pytest.fixture
def connection(admin):
    connection = enabled_connection(admin)
    has_read(connection)
    return connection


def people(count: int, **fields) -> list[Person]:
    return [Person.objects.create(email=f"p{place}-{len(fields)}@acme.example", **fields) for place in range(count)]


def test_an_empty_workspace_leads_an_admin_to_the_wizard_and_tells_a_reader_who_can(admin):
    assert 'href="/crm/connect"' in home(admin)
    reader = home(user("read_only"))
    assert 'href="/crm/connect"' not in reader
    assert "An administrator of this workspace can connect it." in reader
    assert "Nothing needs you now." in reader


def test_the_four_figures_are_people_changes_what_waits_and_the_delay(admin, connection):
    people(3)
    has_run(connection, updated=2, pushed=1)
    is_refused(connection, Person.objects.first())

    page = home(admin)

    for said in (
        "3 new in 7 days",
        "Changed, 7 days",
        "1 refused",
        "Delay of the CRM sync",
        "3 records exchanged today",
    ):
        assert said in page, said


def test_what_touches_most_people_comes_first(admin, connection):
    crowd = people(4)
    for place, person in enumerate(crowd):
        link(connection, person, f"00Q{place}", owner="005X")
    knows_owner(connection, "005X", "Marc Aubry")
    for person in crowd[:2]:
        is_refused(connection, person)
    save_draft(connection, draft_of(approved_mapping(connection)), by=admin)
    Import.objects.create(
        file_name="salon.csv", path="", state="done", made_at=utc_now(), counts={"refused": 3}, made_by=admin
    )

    page = home(admin)

    order = [
        "4 people belong to 1 owner",
        "3 rows of salon.csv were not taken",
        "Salesforce refuses 2 people",
        "Version 2 of the fields",
    ]
    assert sorted(order, key=page.index) == order
    assert "4 points to deal with" in page


def test_a_stopped_sync_is_the_first_thing_said_with_what_is_safe(admin, connection):
    for place, person in enumerate(people(2)):
        link(connection, person, f"00Q{place}")
    pause_connection(connection, by=admin, why="We merge two orgs.")
    assert "The sync with Salesforce is paused" in home(admin)
    assert "Paused by Aline Martin. We merge two orgs." in home(admin)

    mark_broken(
        connection,
        CrmMisconfigured(code="INVALID_GRANT", message="expired", remedy="reconnect", move=Move.RELANCE_ADMIN),
        now=utc_now(),
    )

    page = home(admin)
    assert "Salesforce does not let us in any more" in page
    assert "0 records wait and nothing is lost." in page


def test_a_rep_sees_figures_of_her_own_people_and_nothing_of_the_crm(connection):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    chloe = user("rep", "Chloé Blanc", team=north)
    people(2, team=north, owner=chloe)
    [other] = people(1, team=south)
    is_put_back(connection, other, "01", "02")
    is_refused(connection, other)

    page = home(chloe)

    assert "People I look after" in page
    assert "2 new in 7 days" in page
    assert "refuses" not in page
    assert "Values put back" not in page


def test_values_put_back_are_named_only_to_those_who_see_the_person(connection):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    bruno = Person.objects.create(first_name="Bruno", last_name="Petit", team=south)
    is_put_back(connection, bruno, "01 02 03 04", "+33 4 72")

    assert "Bruno Petit" in home(user("manager", "Denis Roux", team=south))
    assert "Bruno" not in home(user("manager", "Emma Roy", team=north))


def test_the_chart_says_in_a_sentence_how_the_week_compares(admin, connection):
    has_run(connection, ago=timedelta(days=1), updated=150)
    has_run(connection, ago=timedelta(days=9), updated=100)

    assert "150 records exchanged in the last 7 days, 50% more than in the 7 before." in home(admin)


def test_the_home_page_asks_a_bounded_number_of_queries(admin, connection, django_assert_max_num_queries):
    for place, person in enumerate(people(10)):
        link(connection, person, f"00Q{place}", owner="005X")
        is_refused(connection, person, cause=f"cause {place % 4}")
        is_put_back(connection, person, "01", "02")
        has_run(connection, ago=timedelta(hours=place), updated=1)
    client = Client()
    client.force_login(admin)

    with django_assert_max_num_queries(36):
        client.get("/")
