"""Who leaves hands over people and companies; a team that goes gives them away. Nobody and nothing is left behind unseen."""

from datetime import UTC, datetime

import pytest

from relance.activity.models import Activity
from relance.decisions.rules import Verdict
from relance.people.models import Company, Person
from relance.workspace.actions import NewUser, create_user, deactivate_user
from relance.workspace.auditing import acting_as
from relance.workspace.holdings import held_by_user
from relance.workspace.models import Team
from relance.workspace.rules import Role
from relance.workspace.teams import TeamHoldsPeople, delete_team

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def aline():
    return create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN))


@pytest.fixture
def bruno():
    return create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP))


def test_people_and_companies_of_a_leaver_go_to_the_heir_each_with_its_line_in_the_log(aline, bruno):
    claire = Person.objects.create(first_name="Claire", owner=bruno)
    boreal = Company.objects.create(name="Boréal", owner=bruno)

    with acting_as(f"user:{aline.pk}"):
        deactivate_user(bruno, heir=aline, now=NOW)

    claire.refresh_from_db()
    boreal.refresh_from_db()
    assert (claire.owner, boreal.owner) == (aline, aline)
    lines = {line.kind: line for line in Activity.objects.all()}
    assert lines["person.changed"].actor == lines["company.changed"].actor == f"user:{aline.pk}"
    assert lines["person.changed"].payload["changes"] == [{"field": "owner", "before": bruno.pk, "after": aline.pk}]


def test_a_leaver_with_people_stays_until_somebody_takes_them(aline, bruno):
    Person.objects.create(first_name="Claire", owner=bruno)

    assert deactivate_user(bruno, now=NOW).verdict is Verdict.SKIP
    bruno.refresh_from_db()
    assert bruno.is_active


def test_people_left_without_an_owner_on_purpose_are_still_there(aline, bruno):
    Person.objects.create(first_name="Claire", owner=bruno)

    deactivate_user(bruno, is_left_unowned=True, now=NOW)

    assert Person.objects.get().owner is None


def test_a_large_portfolio_changes_hands_in_few_statements(aline, bruno, django_assert_max_num_queries):
    Person.objects.bulk_create([Person(first_name=f"P{n}", owner=bruno) for n in range(3000)])

    with django_assert_max_num_queries(30):
        deactivate_user(bruno, heir=aline, now=NOW)

    assert held_by_user(aline.pk) == {"person": 3000}
    assert Activity.objects.filter(kind="person.changed").count() == 3000


def test_a_team_with_people_is_not_deleted_before_somebody_says_where_they_go(aline):
    team = Team.objects.create(name="Lyon")
    Person.objects.create(first_name="Claire", team=team)

    with pytest.raises(TeamHoldsPeople, match="Lyon"):
        delete_team(team, now=NOW)
    assert Person.objects.get().team == team


def test_the_people_of_a_deleted_team_are_in_the_team_chosen(aline):
    old, new = Team.objects.create(name="Lyon"), Team.objects.create(name="Paris")
    Person.objects.create(first_name="Claire", team=old)
    Company.objects.create(name="Boréal", team=old)

    assert delete_team(old, to=new, now=NOW) == {"person": 1, "company": 1}
    assert Person.objects.get().team == Company.objects.get().team == new
