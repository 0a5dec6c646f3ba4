"""The verbs of the workspace's users: make, change, deactivate. Each writes who may still do what, and ends what must end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext as _

from relance.decisions.actions import DecisionLine, record_decision
from relance.decisions.rules import Decision, Verdict

from .facts import gather_user_change
from .holdings import hand_over_all
from .models import Team, User
from .rules import Role, decide_deactivation, decide_role_change

POLICY = "workspace.users@1"


class AddressTaken(Exception):
    """Somebody must choose: another user signs in with this e-mail address."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user about to be made. Without a password the user sets one through an invitation."""

    email: str
    name: str
    role: Role
    team: Team | None = None
    password: str | None = None
    language: str = "fr"


def create_user(new: NewUser) -> User:
    """Make a user whose address counts as verified: the administrator vouches for it, and passkeys ask for it.

    AddressTaken when another user has the address; ValidationError when the password is weak.
    """
    email = new.email.strip().lower()
    user = User(email=email, name=new.name.strip(), role=new.role.value, team=new.team, language=new.language)
    if new.password is not None:
        validate_password(new.password, user)
    with transaction.atomic():
        _refuse_taken(email)
        user.set_password(new.password)
        user.save(force_insert=True)
        _verify_address(user)
    return user


def change_user(user: User, *, name: str, email: str, language: str, team: Team | None) -> None:
    """Change what a user is called, how to sign in, and the team. AddressTaken when another user has the address."""
    with transaction.atomic():
        user.name, user.email, user.language, user.team = name.strip(), email.strip().lower(), language, team
        _refuse_taken(user.email, but=user)
        user.save(update_fields=["name", "email", "language", "team"])
        _verify_address(user)


def change_role(user: User, role: Role, *, now: datetime) -> Decision:
    """Give a user another role, unless nobody would be left to run the workspace. The decision tells, and is in the ledger."""
    with transaction.atomic():
        decision = decide_role_change(gather_user_change(user), role)
        if decision.verdict is Verdict.GO:
            user.role = role.value
            user.save(update_fields=["role"])
        _record(user, decision, now)
    return decision


def deactivate_user(user: User, *, heir: User | None = None, is_left_unowned: bool = False, now: datetime) -> Decision:
    """Shut a user out: what the user owns changes hands, every session ends. The decision tells, and is in the ledger."""
    with transaction.atomic():
        facts = gather_user_change(user, heir=heir, is_to_be_left_unowned=is_left_unowned)
        decision = decide_deactivation(facts)
        if decision.verdict is Verdict.GO:
            hand_over_all(user.pk, heir.pk if heir else None, now)
            user.is_active = False
            user.save(update_fields=["is_active"])
            end_sessions(user)
        _record(user, decision, now)
    return decision


def reactivate_user(user: User) -> None:
    """Let a deactivated user sign in again, with the role held before. What was handed over stays where it is."""
    user.is_active = True
    user.save(update_fields=["is_active"])


def end_sessions(user: User, *, but: str = "") -> int:
    """Sign a user out everywhere (but in one session, named by its key); returns how many sessions ended."""
    sessions = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=but))
    for session in sessions:
        session.end()
    return len(sessions)


def set_password(user: User, password: str) -> None:
    """Give a user another password; every session ends. ValidationError when it is weak."""
    validate_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        end_sessions(user)


def forget_second_factors(user: User) -> int:
    """Take away the codes and passkeys of a user who lost them; returns how many there were. Every session ends."""
    with transaction.atomic():
        forgotten, _by_model = Authenticator.objects.filter(user_id=user.pk).delete()
        end_sessions(user)
    return int(forgotten)


def _refuse_taken(email: str, *, but: User | None = None) -> None:
    taken = User.objects.filter(email__iexact=email)
    if (taken.exclude(pk=but.pk) if but else taken).exists():
        raise AddressTaken(
            _("Another user signs in with %(email)s. Nobody was changed; use another address.") % {"email": email}
        )


def _verify_address(user: User) -> None:
    """Keep the one verified address that sign-in knows of."""
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user_id=user.pk, email=user.email, defaults={"verified": True, "primary": True}
    )


def _record(user: User, decision: Decision, now: datetime) -> None:
    record_decision(DecisionLine("user", user.pk, decision), policy=POLICY, now=now)
