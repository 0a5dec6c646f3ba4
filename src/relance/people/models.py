"""People and companies. Identity and owner are core columns; the workspace's own fields are real columns of a side table."""

from __future__ import annotations

import uuid
from typing import ClassVar, TypeVar

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf, Trim
from django.utils import timezone

from relance.workspace.models import Team, User
from relance.workspace.rules import Permission

from .catalogue import FieldKind, Subject

Row = TypeVar("Row", bound=models.Model)


class Fold(Func):
    """Lower case without accents, by our own SQL function `fold`: what names are sorted and searched by."""

    function = "fold"
    arg_joiner = " || "
    output_field = models.TextField()


class TeamScoped(models.QuerySet[Row]):
    """Rows that belong to a team, or to nobody: what a user may see is decided here and nowhere else."""

    def visible_to(self, user: User) -> TeamScoped[Row]:
        """What this user may see: all with `view_all_people`, else the own team's and nobody's; nothing without `view_people`."""
        if not user.may(Permission.VIEW_PEOPLE):
            return self.none()
        if user.may(Permission.VIEW_ALL_PEOPLE):
            return self
        theirs = Q(team=None) | Q(owner=user)
        return self.filter(theirs | Q(team=user.team_id) if user.team_id else theirs)


class Company(models.Model):
    """An organisation people work for."""

    name = models.TextField()
    name_key = models.GeneratedField(
        expression=Fold("name"), output_field=models.TextField(db_collation="C"), db_persist=True
    )
    website = models.TextField(null=True)
    phone = models.TextField(null=True)
    industry = models.TextField(null=True)
    employees = models.BigIntegerField(null=True)
    street = models.TextField(null=True)
    postal_code = models.TextField(null=True)
    city = models.TextField(null=True)
    state = models.TextField(null=True)
    country = models.TextField(null=True)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)  # no index: it changes with every sync

    objects: ClassVar[TeamScoped[Company]] = TeamScoped.as_manager()  # type: ignore[assignment]

    class Meta:
        db_table = "company"
        indexes = [
            models.Index(fields=["name_key", "id"], name="company_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """A human we may write to. One person per e-mail address; a person without one is allowed."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.TextField(null=True)
    email_key = models.GeneratedField(
        expression=NullIf(Lower(Trim("email")), Value("")),
        output_field=models.TextField(null=True, db_collation="C"),
        db_persist=True,
    )
    salutation = models.TextField(null=True)
    first_name = models.TextField(null=True)
    last_name = models.TextField(null=True)
    name_key = models.GeneratedField(
        expression=Fold(
            Coalesce(F("last_name"), Value(""), output_field=models.TextField()),
            Value(" "),
            Coalesce(F("first_name"), Value(""), output_field=models.TextField()),
        ),
        output_field=models.TextField(db_collation="C"),  # byte order: one index both sorts and finds prefixes
        db_persist=True,
    )
    job_title = models.TextField(null=True)
    company = models.ForeignKey(Company, models.SET_NULL, null=True, related_name="people")
    company_name = models.TextField(null=True)
    phone = models.TextField(null=True)
    mobile_phone = models.TextField(null=True)
    website = models.TextField(null=True)
    street = models.TextField(null=True)
    postal_code = models.TextField(null=True)
    city = models.TextField(null=True)
    state = models.TextField(null=True)
    country = models.TextField(null=True)
    language = models.TextField(null=True)
    lead_source = models.TextField(null=True)
    status = models.TextField(null=True)
    score = models.BigIntegerField(null=True)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="people")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)  # no index: it changes with every sync

    objects: ClassVar[TeamScoped[Person]] = TeamScoped.as_manager()  # type: ignore[assignment]

    class Meta:
        db_table = "person"
        constraints = [models.UniqueConstraint(fields=["email_key"], name="person_email_is_unique")]
        indexes = [
            models.Index(fields=["name_key", "id"], name="person_by_name"),
            models.Index(fields=["company"], name="person_of_company"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """First and last name, else the address, else the number."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or f"#{self.pk}"


class CustomField(models.Model):
    """A field of the workspace's own: a registry row here, a real column `f_<id>` in `person_x` or `company_x`."""

    subject = models.CharField(max_length=10, choices=[(subject.value, subject.value) for subject in Subject])
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in FieldKind])
    choices = models.JSONField(default=list, blank=True)
    help_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    hidden_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "label"], condition=Q(hidden_at=None), name="custom_field_label_is_unique"
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def column(self) -> str:
        return f"f_{self.pk}"
