"""The settings' pages: what an administrator changes is changed, shown first when it reaches others, and told in the log."""

import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.test import Client

from relance.workspace.actions import NewUser, create_user
from relance.workspace.models import AuditEntry, Brand, SetupLink, Team, User, Workspace
from relance.workspace.rules import Role
from relance.workspace.setup import (
    AlreadySetUp,
    NewWorkspace,
    SetupLinkUnusable,
    find_setup_link,
    make_setup_link,
    open_workspace,
)

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
PASSWORD = "horse battery staple"


@pytest.fixture
def admin():
    open_workspace(NewWorkspace("Hexalis"))
    return create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language="en"))


@pytest.fixture
def client(admin):
    client = Client()
    client.force_login(admin)
    return client


SETUP = {
    "workspace": "Hexalis",
    "language": "fr",
    "country": "FR",
    "time_zone": "Europe/Paris",
    "name": "Aline Martin",
    "email": "aline@hexalis.example",
    "password": PASSWORD,
}


def test_the_set_up_link_makes_the_workspace_and_its_administrator_and_signs_in():
    token = make_setup_link(NOW)
    client = Client()
    assert client.get(f"/setup/{token}").status_code == 200

    answer = client.post(f"/setup/{token}", SETUP)

    assert answer.status_code == 302
    assert Workspace.objects.get().name == "Hexalis"
    assert User.objects.get().role == Role.ADMIN
    assert Brand.objects.get().is_default
    assert client.get("/profile").status_code == 200


def test_a_set_up_link_works_once():
    token = make_setup_link(NOW)
    Client().post(f"/setup/{token}", SETUP)

    again = Client().post(f"/setup/{token}", SETUP | {"email": "mallory@elsewhere.example"})

    assert again.status_code == 410
    assert User.objects.count() == 1


def test_a_newer_set_up_link_replaces_the_older():
    older, newer = make_setup_link(NOW), make_setup_link(NOW)

    with pytest.raises(SetupLinkUnusable):
        find_setup_link(older, NOW)
    assert find_setup_link(newer, NOW)


def test_no_set_up_link_is_made_once_there_are_users(admin):
    with pytest.raises(AlreadySetUp):
        make_setup_link(NOW)


def test_the_token_of_a_set_up_link_is_not_kept():
    token = make_setup_link(NOW)

    assert token not in SetupLink.objects.get().token_hash


def test_a_weak_password_sets_nothing_up_and_the_link_still_works():
    token = make_setup_link(NOW)

    answer = Client().post(f"/setup/{token}", SETUP | {"password": "motdepasse"})

    assert answer.status_code == 422
    assert not Workspace.objects.exists()
    assert find_setup_link(token, NOW)


def test_an_invited_user_chooses_a_password_with_the_link_and_signs_in(client):
    page = client.post(
        "/settings/users/new",
        {"name": "Bruno Petit", "email": "bruno@hexalis.example", "role": "rep", "team": "", "language": "fr"},
    )
    [invitation] = mail.outbox
    path = re.search(r"http://testserver(/accounts/\S+)", invitation.body)[1]
    assert path in page.content.decode()

    bruno = Client()
    form = bruno.get(path, follow=True)
    bruno.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    answer = bruno.post(
        "/accounts/login/", {"login": "bruno@hexalis.example", "password": PASSWORD, "next": "/profile"}
    )

    assert answer.headers["Location"] == "/profile"


def test_the_invitation_speaks_the_language_of_the_invited(client):
    client.post(
        "/settings/users/new",
        {"name": "Bruno Petit", "email": "bruno@hexalis.example", "role": "rep", "team": "", "language": "en"},
    )

    assert "Hello Bruno Petit" in mail.outbox[0].body


def test_demoting_the_last_administrator_is_refused_with_its_reason_and_the_remedy(client, admin):
    answer = client.post(
        f"/settings/users/{admin.pk}",
        {"name": "Aline", "email": admin.email, "role": "rep", "team": "", "language": "en"},
    )

    assert answer.status_code == 422
    assert "only active administrator" in answer.content.decode()
    assert "Give another active user the role" in answer.content.decode()
    admin.refresh_from_db()
    assert (admin.role, admin.name) == (Role.ADMIN, "Aline Martin")


def test_a_change_on_a_page_is_signed_by_who_made_it(client, admin):
    client.post("/settings/teams/new", {"name": "Lyon"})

    entry = AuditEntry.objects.get(table_name="workspace_team")
    assert entry.actor == f"user:{admin.pk}"
    assert "Lyon" in client.get("/settings/audit?table=workspace_team").content.decode()


def test_the_audit_log_says_names_and_words_rather_than_numbers_and_codes(client):
    team = Team.objects.create(name="Lyon")
    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP))

    client.post(
        f"/settings/users/{bruno.pk}",
        {"name": "Bruno", "email": bruno.email, "role": "manager", "team": str(team.pk), "language": "fr"},
    )

    page = client.get(f"/settings/audit?table=workspace_user&row={bruno.pk}")
    told = {
        change.label: (change.before, change.after)
        for entry in page.context["entries"][:-1]
        for change in entry.changes
    }
    assert told["Team"] == ("", "Lyon")
    assert told["Role"] == ("Sales rep", "Manager")


def test_the_audit_log_pages_through_every_line_once(client):
    Team.objects.bulk_create([Team(name=f"Team {n:03}") for n in range(120)])

    seen, address = [], "/settings/audit?table=workspace_team"
    while address:
        page = client.get(address)
        seen += [entry.name for entry in page.context["entries"]]
        address = page.context["later"]

    assert sorted(seen) == [f"Team {n:03}" for n in range(120)]


def test_the_audit_log_reads_a_full_page_in_few_queries(client, django_assert_max_num_queries):
    Team.objects.bulk_create([Team(name=f"Team {n:03}") for n in range(60)])

    with django_assert_max_num_queries(26):
        client.get("/settings/audit")


def test_hours_that_overlap_are_refused_and_what_was_typed_is_kept(client):
    answer = client.post(
        "/settings/workspace", WORKSPACE | {"d0o0": "09:00", "d0c0": "13:00", "d0o1": "12:00", "d0c1": "18:00"}
    )

    assert answer.status_code == 422
    assert 'value="12:00"' in answer.content.decode()


WORKSPACE = {"name": "Hexalis", "language": "fr", "time_zone": "Europe/Paris", "country": "FR", "subdivision": "6AE"}


def test_saved_hours_are_those_the_workspace_works(client):
    from relance.workspace.facts import gather_working_hours
    from relance.workspace.rules import is_working_moment

    client.post("/settings/workspace", WORKSPACE | {"d2o0": "14:00", "d2c0": "00:00"})
    hours = gather_working_hours(datetime(2026, 3, 4, tzinfo=UTC))

    assert is_working_moment(hours, datetime(2026, 3, 4, 22, 59, tzinfo=UTC))
    assert not is_working_moment(hours, datetime(2026, 3, 5, 10, tzinfo=UTC))


def test_a_region_has_its_own_days_off(client):
    from datetime import date

    from relance.workspace.facts import gather_working_hours

    client.post("/settings/workspace", WORKSPACE)

    assert date(2026, 4, 3) in gather_working_hours(datetime(2026, 3, 4, tzinfo=UTC)).holidays  # Good Friday in Alsace


def test_the_regions_follow_the_country_chosen(client):
    assert "Bayern" in client.get("/settings/workspace/regions?country=DE").content.decode()


def test_the_default_brand_cannot_be_deleted(client):
    brand = Brand.objects.get()

    client.post(f"/settings/brands/{brand.pk}/delete")

    assert Brand.objects.exists()


def test_another_brand_becomes_the_default_and_there_is_always_one(client):
    client.post("/settings/brands/new", {"name": "Boréal", "language": "fr", "website": "boreal.example"})
    boreal = Brand.objects.get(name="Boréal")
    assert (boreal.is_default, boreal.website) == (False, "https://boreal.example")

    client.post(f"/settings/brands/{boreal.pk}/default")

    assert list(Brand.objects.filter(is_default=True)) == [boreal]


def test_deleting_a_team_moves_its_users_to_the_team_chosen(client):
    old, new = Team.objects.create(name="Lyon"), Team.objects.create(name="Paris")
    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP, team=old))

    client.post(f"/settings/teams/{old.pk}/delete", {"to": str(new.pk)})

    bruno.refresh_from_db()
    assert bruno.team == new
    assert not Team.objects.filter(pk=old.pk).exists()


def test_who_takes_over_is_chosen_from_a_list_when_there_are_many(client):
    from relance.people.models import Person

    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP))
    heirs = [create_user(NewUser(f"u{n}@hexalis.example", f"User {n}", Role.REP)) for n in range(10)]
    Person.objects.create(first_name="Claire", owner=bruno)

    page = client.get(f"/settings/users/{bruno.pk}/deactivate").content.decode()
    client.post(f"/settings/users/{bruno.pk}/deactivate", {"heir": str(heirs[3].pk)})

    assert "<select" in page
    assert Person.objects.get().owner == heirs[3]


def test_the_theme_switch_saves_the_theme_and_refuses_what_is_none(client, admin):
    assert client.post("/profile/theme", {"theme": "dark"}, headers={"HX-Request": "true"}).status_code == 204
    assert client.post("/profile/theme", {"theme": "plaid"}).status_code == 422

    admin.refresh_from_db()
    assert admin.theme == "dark"


@pytest.mark.parametrize("referer", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_the_theme_switch_never_leads_elsewhere(client, referer):
    answer = client.post("/profile/theme", {"theme": "dark"}, headers={"Referer": referer})

    assert answer.headers["Location"] == "/"


def test_nobody_ends_the_session_of_another(client):
    from allauth.usersessions.models import UserSession

    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP, password=PASSWORD))
    theirs = Client()
    theirs.post("/accounts/login/", {"login": bruno.email, "password": PASSWORD, "next": "/profile"})
    session = UserSession.objects.get(user=bruno)

    assert client.post(f"/profile/sessions/{session.pk}/end").status_code == 404
    assert theirs.get("/profile").status_code == 200


def test_one_ends_all_other_sessions_and_keeps_this_one():
    open_workspace(NewWorkspace("Hexalis"))
    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP, password=PASSWORD))
    here, there = Client(), Client()
    for one in (here, there):
        one.post("/accounts/login/", {"login": bruno.email, "password": PASSWORD, "next": "/profile"})

    here.post("/profile/sessions/end-others")

    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "/settings",
        "/settings/workspace",
        "/settings/brands",
        "/settings/brands/new",
        "/settings/users",
        "/settings/users/new",
        "/settings/teams",
        "/settings/teams/new",
        "/settings/roles",
        "/settings/audit",
        "/profile",
    ],
)
def test_every_settings_page_opens_for_an_administrator(client, address):
    assert client.get(address).status_code == 200
