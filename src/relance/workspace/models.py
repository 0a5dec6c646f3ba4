"""The workspace and who works in it. One workspace is one database, so there is one row of it."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .rules import Permission, Role, may

ROLE_NAMES = {
    Role.ADMIN: _("Administrator"),
    Role.MANAGER: _("Manager"),
    Role.MARKETER: _("Marketer"),
    Role.REP: _("Sales rep"),
    Role.READ_ONLY: _("Read only"),
}
LANGUAGES = [("fr", "Français"), ("en", "English")]
USUAL_WEEK = {str(day): [["09:00", "18:00"]] for day in range(5)}
THEMES = [("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]


def usual_week() -> dict[str, list[list[str]]]:
    """Monday to Friday, nine to six: what a new workspace works."""
    return {day: [list(span) for span in spans] for day, spans in USUAL_WEEK.items()}


def check_time_zone(name: str) -> None:
    """Refuse a name that is not in the time zone database."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone: give one such as Europe/Paris."), params={"name": name})


class Workspace(models.Model):
    """The settings of the workspace: its only row has id 1."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("Name"), max_length=80)
    language = models.CharField(_("Language"), max_length=5, choices=LANGUAGES, default="fr")
    time_zone = models.CharField(_("Time zone"), max_length=64, default="Europe/Paris", validators=[check_time_zone])
    country = models.CharField(_("Country of the holidays"), max_length=2, default="FR")
    subdivision = models.CharField(_("Region of the holidays"), max_length=10, blank=True)
    working_days = models.JSONField(
        _("Working hours"),
        default=usual_week,
        blank=True,
        help_text=_("For each day, Monday being 0, the hours worked: [[“09:00”, “18:00”]]."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="workspace_is_one")]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """A name under which the workspace speaks to people."""

    name = models.CharField(_("Name"), max_length=80, unique=True)
    language = models.CharField(_("Language"), max_length=5, choices=LANGUAGES, default="fr")
    website = models.URLField(_("Website"), blank=True)
    is_default = models.BooleanField(_("Default brand"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="brand_default_is_one")
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Users who share the people they look after."""

    name = models.CharField(_("Name"), max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address: there is no user name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Someone who signs in. One role in the workspace, at most one team."""

    email = models.EmailField(_("E-mail address"), unique=True)
    name = models.CharField(_("Name"), max_length=120)
    role = models.CharField(
        _("Role"), max_length=12, choices=[(role.value, ROLE_NAMES[role]) for role in Role], default=Role.REP.value
    )
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="users", verbose_name=_("Team"))
    language = models.CharField(_("Language"), max_length=5, choices=LANGUAGES, default="fr")
    time_zone = models.CharField(_("Time zone"), max_length=64, blank=True, validators=[check_time_zone])
    theme = models.CharField(_("Theme"), max_length=6, choices=THEMES, default="system")
    has_shortcuts = models.BooleanField(_("Single-letter shortcuts"), default=True)
    is_active = models.BooleanField(_("Active"), default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_is_unique")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def role_name(self) -> str:
        """The role as people call it."""
        return str(ROLE_NAMES[Role(self.role)])

    def may(self, permission: Permission) -> bool:
        """Does the user's role hold this permission? Nobody who is inactive holds any."""
        return self.is_active and may(self.role, permission)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class SetupLink(models.Model):
    """A one-time link with which the first administrator sets up an empty workspace. Only its hash is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class AuditEntry(models.Model):
    """Who changed what in the configuration, before and after: written by triggers, so that no door can forget it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=models.functions.Now())
    actor = models.CharField(max_length=80, blank=True)
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField(null=True)
    operation = models.CharField(max_length=6)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        db_table = "audit_entry"
        indexes = [models.Index(fields=["table_name", "row_id", "-id"], name="audit_of_row")]
