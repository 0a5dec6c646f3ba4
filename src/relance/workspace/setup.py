"""Setting up an empty workspace: by a one-time link for its first administrator, or by a program that made the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from .actions import NewUser, create_user
from .auditing import name_actor
from .models import Brand, SetupLink, User, Workspace
from .rules import Role

LINK_LASTS = timedelta(days=7)


class AlreadySetUp(Exception):
    """The workspace has users: new ones are made by its administrators."""


class SetupLinkUnusable(Exception):
    """The link was used, replaced or is too old: whoever runs the server must print another."""


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """What the first administrator tells about the workspace."""

    name: str
    language: str = "fr"
    country: str = "FR"
    time_zone: str = "Europe/Paris"


def is_set_up() -> bool:
    """Has the workspace its settings and somebody to run it?"""
    return Workspace.objects.exists() and User.objects.exists()


def open_workspace(new: NewWorkspace) -> Workspace:
    """Make the workspace and its default brand, unless it is there."""
    workspace, is_new = Workspace.objects.get_or_create(
        pk=1,
        defaults={
            "name": new.name,
            "language": new.language,
            "country": new.country,
            "time_zone": new.time_zone,
        },
    )
    if is_new:
        Brand.objects.create(name=new.name, language=new.language, is_default=True)
    return workspace


def make_setup_link(now: datetime) -> str:
    """The token of a one-time link; it replaces those made before. AlreadySetUp when the workspace has users."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        _one_at_a_time()
        _refuse_when_set_up()
        SetupLink.objects.filter(used_at=None).delete()
        SetupLink.objects.create(token_hash=_hash(token), made_at=now)
    return token


def find_setup_link(token: str, now: datetime) -> SetupLink:
    """The link of a token. SetupLinkUnusable when it was used, replaced or is too old."""
    link = SetupLink.objects.filter(token_hash=_hash(token), used_at=None, made_at__gt=now - LINK_LASTS).first()
    if link is None or User.objects.exists():
        raise SetupLinkUnusable(
            _(
                "This set-up link was used already, was replaced by a newer one, or is older than a week. Nothing was "
                "changed. If the workspace is not set up yet, run “relance up” on the server to get another link."
            )
        )
    return link


def use_setup_link(token: str, workspace: NewWorkspace, admin: NewUser, *, now: datetime) -> User:
    """Set up the workspace and its first administrator, once. SetupLinkUnusable, or ValidationError for a weak password."""
    with transaction.atomic():
        _one_at_a_time()
        link = find_setup_link(token, now)
        name_actor("setup link")
        open_workspace(workspace)
        user = create_user(NewUser(admin.email, admin.name, Role.ADMIN, None, admin.password, admin.language))
        link.used_at = now
        link.save(update_fields=["used_at"])
    return user


def _refuse_when_set_up() -> None:
    if User.objects.exists():
        raise AlreadySetUp(_("The workspace is set up: its administrators make new users in Settings › Users."))


def _one_at_a_time() -> None:
    """Two people with the same link must not both become its first administrator."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('workspace set-up'))")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
