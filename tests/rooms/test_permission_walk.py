"""The permission walk: every address, as every role and as nobody, and every object as a member of another team.

It finds addresses by itself. A new page without a door, or with a parameter that has no example in `walk.py`, fails here.
"""

import html
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser

from relance.workspace.rules import Permission, Role, may
from tests.rooms.walk import EXAMPLES, SECRET, THEIRS, World, addresses, ask, is_sent_to_sign_in, path_of

pytestmark = pytest.mark.django_db
NOBODY = AnonymousUser()
EVERY = addresses()
OURS = [address for address in EVERY if address.door is not None]
ALLAUTH = [address for address in EVERY if address.is_of_allauth]
METHODS = ("get", "post")

# What allauth opens to somebody who is not signed in. Everything else of it must send to the sign-in page.
ENTRANCE = {
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_email_verification_sent",
    "account_confirm_email",
    "account_confirm_login_code",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "socialaccount_signup",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "openid_connect_login",
    "openid_connect_callback",
}


@pytest.fixture
def world(db):
    return World()


def test_every_address_has_an_example_for_each_of_its_parameters():
    missing = {parameter for address in EVERY for parameter in address.parameters} - EXAMPLES.keys()

    assert not missing, f"Give {sorted(missing)} an example in tests/rooms/walk.py, and what another team has of it."


def test_every_view_of_ours_has_a_door():
    without = [address.route for address in EVERY if address.door is None and not address.is_of_allauth]

    assert [route for route in without if not route.startswith("accounts/social/")] == []


def test_a_view_without_a_door_opens_to_nobody(world):
    without = [address for address in EVERY if address.door is None and not address.is_of_allauth]

    for address in without:
        for user in (*world.users.values(), NOBODY):
            assert ask("get", path_of(address, world), user).status_code == 403


@pytest.mark.parametrize("address", OURS, ids=str)
def test_nobody_comes_in_where_a_door_asks_for_somebody(world, address):
    for method in METHODS:
        answer = ask(method, path_of(address, world), NOBODY)

        if address.door.is_public:
            assert answer.status_code < 500
            assert not is_sent_to_sign_in(answer)
        else:
            assert is_sent_to_sign_in(answer), f"{method} answered {answer.status_code}"


@pytest.mark.parametrize("address", OURS, ids=str)
def test_each_role_passes_the_doors_its_permissions_open_and_no_other(world, address):
    permission, path = address.door.permission, path_of(address, world)
    for role, method in product(Role, METHODS):
        answer = ask(method, path, world.users[role])

        told = f"{method} as {role} answered {answer.status_code}"
        if permission is None or may(role, permission):
            assert answer.status_code not in (403, 500), told
        else:
            assert answer.status_code == 403, told


@pytest.mark.parametrize("address", [address for address in OURS if THEIRS.keys() & set(address.parameters)], ids=str)
def test_what_belongs_to_another_team_is_not_found(world, address):
    permission, path = address.door.permission, path_of(address, world, THEIRS)
    for role, method in product(Role, METHODS):
        answer = ask(method, path, world.users[role])

        told = f"{method} as {role} answered {answer.status_code}"
        assert answer.status_code != 500, told
        if not may(role, Permission.VIEW_ALL_PEOPLE) and (permission is None or may(role, permission)):
            assert answer.status_code in (404, 405), told


@pytest.mark.parametrize("address", OURS, ids=str)
def test_no_page_speaks_of_what_belongs_to_another_team(world, address):
    path = path_of(address, world)
    for thing in (world.person, world.company, world.view, world.import_of, world.decision, world.refusal):
        thing(world.south)
    for role, query in product(Role, ("", f"?q={SECRET}")):
        if may(role, Permission.VIEW_ALL_PEOPLE):
            continue
        answer = ask("get", path + query, world.users[role])

        said = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = html.unescape(said.decode())
        for asked in (f'value="{SECRET}"', f"“{SECRET}”", f"?q={SECRET}"):  # what the reader typed may be said back
            text = text.replace(asked, "")
        assert SECRET not in text, f"{address.route} tells {role}"


@pytest.mark.parametrize("address", ALLAUTH, ids=str)
def test_the_pages_of_sign_in_open_to_nobody_but_the_entrance(world, address):
    for method in METHODS:
        answer = ask(method, path_of(address, world), NOBODY)

        assert answer.status_code < 500
        if address.name not in ENTRANCE:
            assert is_sent_to_sign_in(answer) or answer.status_code == 405, f"{method}: {answer.status_code}"


@pytest.mark.parametrize("address", ALLAUTH, ids=str)
def test_the_pages_of_sign_in_never_break_for_somebody_signed_in(world, address):
    for method in METHODS:
        assert ask(method, path_of(address, world), world.users[Role.REP]).status_code < 500


def test_a_user_of_no_team_sees_only_what_is_of_no_team(world):
    from relance.people.models import Person

    rep = world.users[Role.REP]
    rep.team = None
    world.person(world.south)
    world.person(world.north)
    free = Person.objects.create(first_name="Denis", email="denis@x.example")

    assert list(Person.objects.visible_to(rep)) == [free]
