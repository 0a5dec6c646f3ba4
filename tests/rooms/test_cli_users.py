"""`relance user` and `relance secrets`: thin doors, whose answers programs can read."""

import json

import pytest
from django.test import Client
from typer.testing import CliRunner

from relance.cli import doors, secrets, users
from relance.workspace.actions import NewUser, create_user
from relance.workspace.models import AuditEntry, Team, User
from relance.workspace.rules import Role

pytestmark = pytest.mark.django_db
PASSWORD = "horse battery staple"


@pytest.fixture(autouse=True)
def _database_is_open(monkeypatch):
    """The test's database is open already; the door is tried in the stories."""
    from contextlib import nullcontext

    for module in (users, secrets):
        monkeypatch.setattr(module, "relance_open", nullcontext)


def run(app, *arguments, typed=None):
    return CliRunner().invoke(app, list(arguments), input=typed)


def test_a_user_is_added_with_a_password_shown_once_and_signs_in_with_it():
    Team.objects.create(name="Lyon")

    done = run(
        users.app, "add", "aline@hexalis.example", "--name", "Aline", "--role", "rep", "--team", "Lyon", "--json"
    )

    told = json.loads(done.stdout)
    answer = Client().post(
        "/accounts/login/", {"login": told["email"], "password": told["password"], "next": "/profile"}
    )
    assert done.exit_code == 0
    assert (told["role"], told["team"]) == ("rep", "Lyon")
    assert answer.status_code == 302


def test_a_password_given_on_standard_input_is_not_repeated():
    done = run(
        users.app,
        "add",
        "aline@hexalis.example",
        "--name",
        "Aline",
        "--password-stdin",
        "--json",
        typed=PASSWORD + "\n",
    )

    assert PASSWORD not in done.stdout
    assert User.objects.get().check_password(PASSWORD)


def test_a_change_by_the_command_line_is_signed_as_such():
    run(users.app, "add", "aline@hexalis.example", "--name", "Aline")

    assert AuditEntry.objects.filter(table_name="workspace_user").get().actor == "command line"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["add", "aline@hexalis.example", "--name", "Twin"], "aline@hexalis.example", id="an address taken"
        ),
        pytest.param(["add", "b@hexalis.example", "--name", "B", "--team", "Mars"], "Mars", id="a team there is not"),
        pytest.param(["role", "nobody@hexalis.example", "rep"], "relance user list", id="a user there is not"),
    ],
)
def test_what_cannot_be_done_says_so_and_changes_nothing(arguments, says):
    create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN))

    done = run(users.app, *arguments)

    assert isinstance(done.exception, doors.CannotRun)
    assert says in str(done.exception)
    assert User.objects.count() == 1


def test_the_last_administrator_keeps_the_role_and_the_answer_says_why():
    create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN))

    done = run(users.app, "role", "aline@hexalis.example", "rep", "--json")

    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["verdict"] == "deny"
    assert [one["code"] for one in told["reasons"] if one["decisive"]] == ["user.is_last_administrator"]
    assert User.objects.get().role == Role.ADMIN


def test_a_new_password_opens_the_account():
    create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN, password=PASSWORD))

    told = json.loads(run(users.app, "password", "aline@hexalis.example", "--json").stdout)

    assert User.objects.get().check_password(told["password"])


def test_users_are_listed_as_json():
    create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN))

    [told] = json.loads(run(users.app, "list", "--json").stdout)

    assert (told["email"], told["role"], told["active"]) == ("aline@hexalis.example", "admin", True)


def test_secrets_that_all_open_are_told_as_such():
    done = run(secrets.app, "check", "--json")

    assert (done.exit_code, json.loads(done.stdout)) == (0, {"lost": []})


def test_a_rotation_tells_what_it_did():
    done = run(secrets.app, "rotate", "--json")

    assert json.loads(done.stdout) == {"resealed": 0, "current": 0, "lost": []}
