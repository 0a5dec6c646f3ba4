"""Why? The answer is the one the program used, and only for who may see what it is about."""

import pytest

from relance.decisions.models import LedgerLine
from relance.lib.clock import utc_now
from relance.people.models import Person
from relance.workspace.models import Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled():
    """A person of Lyon whose city the CRM corrected and whose phone, typed here, was put back."""
    person = Person.objects.create(last_name="Martin", team=Team.objects.create(name="Lyon"))
    line = LedgerLine.objects.create(
        id=time_id_now(),
        at=utc_now(),
        subject="sync",
        subject_id=person.pk,
        person_id=person.pk,
        verdict=0,
        codes=[3001, 3002],
        fields=["city", "phone"],
        before=["Lyon", "01 02 03 04"],
        after=["Caen", "+33 4 72 40 18 33"],
    )
    return f"d-{line.pk:x}"


def time_id_now() -> int:
    from relance.lib.partitions import time_id

    return time_id(utc_now(), 1)


def user(role: str, team: Team | None = None) -> User:
    return User.objects.create_user(f"{role}@hexalis.example", "x", name=role, role=role, team=team, language="en")


def test_the_value_that_went_against_somebody_is_told_first(client, settled):
    client.force_login(user("admin"))

    page = client.get(f"/why/{settled}", headers={"HX-Request": "true"}).content.decode()

    assert page.index("Phone") < page.index("City")


def test_asked_about_a_field_its_check_comes_first_and_is_opened(client, settled):
    client.force_login(user("admin"))

    page = client.get(f"/why/{settled}?about=city", headers={"HX-Request": "true"}).content.decode()

    assert page.index("City") < page.index("Phone")
    assert page.index("<dl>") < page.index("Phone")


def test_a_rep_of_another_team_finds_no_such_decision(client, settled):
    client.force_login(user("rep", Team.objects.create(name="Paris")))

    assert client.get(f"/why/{settled}").status_code == 404


@pytest.mark.parametrize("name", ["d-zz", "d-" + "f" * 40, "9" * 30, "d-1", "%00"])
def test_a_name_that_means_nothing_is_not_found_and_breaks_nothing(client, name):
    client.force_login(user("admin"))

    assert client.get(f"/why/{name}").status_code == 404


def test_an_owner_and_the_version_in_force_are_said_in_words(client):
    person = Person.objects.create(last_name="Martin")
    line = LedgerLine.objects.create(
        id=time_id_now(),
        at=utc_now(),
        subject="sync",
        subject_id=person.pk,
        person_id=person.pk,
        verdict=0,
        codes=[3001],
        fields=["owner"],
        before=[None],
        after=["Nadia"],
        policy="mapping:4@7",
    )
    client.force_login(user("admin"))

    page = client.get(f"/why/d-{line.pk:x}", headers={"HX-Request": "true"}).content.decode()

    assert "Owner" in page and ">owner<" not in page
    assert "version 7 of the CRM fields" in page and "mapping:4@7" not in page
