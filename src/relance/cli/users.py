"""`relance user`: make users, list them, give roles and passwords, from the server's own console."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from .doors import AsJson, CannotRun, Exit, answer_json, relance_open

app = typer.Typer(help="The users of the workspace.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address the user signs in with.")]
ROLES = "admin, manager, marketer, rep or read_only"
ACTOR = "command line"


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Everybody who signs in or did."""
    with relance_open():
        from relance.workspace.models import User

        told = [_as_json(user) for user in User.objects.select_related("team").order_by("-is_active", "name")]
    if as_json:
        answer_json(told)
        return
    for user in told:
        state = "" if user["active"] else "  (deactivated)"
        print(f"{user['email']}  {user['role']}  {user['team'] or '-'}  {user['name']}{state}")


@app.command("add")
def add_user(
    email: Email,
    name: Annotated[str, typer.Option(help="The user's name.")],
    role: Annotated[str, typer.Option(help=f"One of {ROLES}.")] = "rep",
    team: Annotated[str, typer.Option(help="The name of a team that exists.")] = "",
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of making one up.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a user. Without --password-stdin a password is made up and printed once."""
    with relance_open():
        from relance.workspace.actions import NewUser, create_user
        from relance.workspace.auditing import acting_as

        password = _read_password() if password_stdin else secrets.token_urlsafe(12)
        new = NewUser(email, name, _role(role), _team(team), password, language)
        with _refusals(), acting_as(ACTOR):
            user = create_user(new)
        told = _as_json(user) | ({} if password_stdin else {"password": password})
    if as_json:
        answer_json(told)
    else:
        print(f"{told['email']} may sign in as {told['role']}.")
        if not password_stdin:
            print(f"Password, shown once: {password}")


@app.command("role")
def give_role(
    email: Email, role: Annotated[str, typer.Argument(help=f"One of {ROLES}.")], as_json: AsJson = False
) -> None:
    """Give a user another role. The last administrator keeps theirs: exit code 1, and why."""
    with relance_open():
        from relance.decisions.facts import latest_decision
        from relance.decisions.rules import Verdict
        from relance.lib.clock import utc_now
        from relance.workspace.actions import change_role
        from relance.workspace.auditing import acting_as

        user = _user(email)
        with acting_as(ACTOR):
            is_given = change_role(user, _role(role), now=utc_now()).verdict is Verdict.GO
        recorded = latest_decision("user", user.pk)
        told = recorded.as_json() if recorded else {}
    if as_json:
        answer_json(told)
    elif is_given:
        print(f"{user.email} is {role} now.")
    else:
        print("\n".join(f"{one['says']} {one['remedy']}" for one in told["reasons"] if one["decisive"]))
    if not is_given:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command("password")
def give_password(
    email: Email,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of making one up.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give a user another password; every session of theirs ends."""
    with relance_open():
        from relance.workspace.actions import set_password
        from relance.workspace.auditing import acting_as

        user, password = _user(email), _read_password() if password_stdin else secrets.token_urlsafe(12)
        with _refusals(), acting_as(ACTOR):
            set_password(user, password)
    told = {"email": user.email} | ({} if password_stdin else {"password": password})
    if as_json:
        answer_json(told)
    else:
        print(f"{user.email} has a new password" + ("." if password_stdin else f", shown once: {password}"))


@contextmanager
def _refusals() -> Iterator[None]:
    """What the actions refuse, as a command says it."""
    from django.core.exceptions import ValidationError

    from relance.workspace.actions import AddressTaken

    try:
        yield
    except ValidationError as error:
        raise CannotRun(f"Nothing was changed. {' '.join(error.messages)}") from error
    except AddressTaken as error:
        raise CannotRun(str(error)) from error


def _user(email: str) -> Any:
    from relance.workspace.models import User

    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise CannotRun(f"Nobody signs in with {email}. Nothing was changed. relance user list shows who does.")
    return user


def _role(role: str) -> Any:
    from relance.workspace.rules import Role

    try:
        return Role(role)
    except ValueError:
        raise typer.BadParameter(f"{role!r} is no role: give {ROLES}.") from None


def _team(name: str) -> Any:
    from relance.workspace.models import Team

    if not name:
        return None
    team = Team.objects.filter(name=name).first()
    if team is None:
        known = ", ".join(Team.objects.order_by("name").values_list("name", flat=True)) or "none"
        raise CannotRun(f"No team is called {name!r}. Nothing was changed. Teams there are: {known}.")
    return team


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _as_json(user: Any) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "team": user.team.name if user.team else None,
        "active": user.is_active,
        "last_sign_in": user.last_login,
    }
