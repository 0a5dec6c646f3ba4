"""People and companies. Identity and owner are core columns; the workspace's own fields are real columns of a side table."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import ClassVar, TypeVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Left, Lower, NullIf, Trim
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from relance.workspace.models import Team, User
from relance.workspace.rules import Permission

from .rules import FieldKind, Subject

Row = TypeVar("Row", bound=models.Model)


class Fold(Func):
    """Lower case without accents, by our own SQL function `fold`: what names are sorted and searched by."""

    function = "fold"
    arg_joiner = " || "
    output_field = models.TextField()


def _short(field: str) -> Left:
    """What an index may hold of a text: its first 200 characters; a longer key would be refused by the index."""
    return Left(Coalesce(F(field), Value(""), output_field=models.TextField()), 200)


class Words(Func):
    """The words one finds a row by: without accents, split at every sign, in PostgreSQL's own index of words."""

    function = "words_of"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


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
        expression=Fold(_short("name")), output_field=models.TextField(db_collation="C"), db_persist=True
    )
    words = models.GeneratedField(
        expression=Words(_short("name"), _short("website")), output_field=SearchVectorField(), db_persist=True
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
            models.Index(fields=["created_at", "id"], name="company_by_age"),
            GinIndex(fields=["words"], name="company_by_words"),
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
            _short("last_name"),
            Value(" "),
            _short("first_name"),
        ),
        output_field=models.TextField(db_collation="C"),  # byte order: one index both sorts and finds prefixes
        db_persist=True,
    )
    words = models.GeneratedField(
        expression=Words(_short("first_name"), _short("last_name"), _short("email"), _short("company_name")),
        output_field=SearchVectorField(),
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
            models.Index(fields=["created_at", "id"], name="person_by_age"),
            GinIndex(fields=["words"], name="person_by_words"),
            models.Index(fields=["company"], name="person_of_company"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """First and last name, else the address, else the number."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or f"#{self.pk}"


class PersonSide(models.Model):
    """The side table of people as Django knows it; `side.side_model` is the one with the custom fields."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="+")

    class Meta:
        db_table = "person_x"


class CompanySide(models.Model):
    """The side table of companies as Django knows it."""

    company = models.OneToOneField(Company, models.CASCADE, primary_key=True, related_name="+")

    class Meta:
        db_table = "company_x"


class CustomField(models.Model):
    """A field of the workspace's own: a registry row here, a real column `f_<id>` in `person_x` or `company_x`.

    Hiding it keeps the column and its values; the column goes a while after, and the row stays: its number is never used again.
    """

    subject = models.CharField(max_length=10, choices=[(subject.value, subject.value) for subject in Subject])
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in FieldKind])
    choices = models.JSONField(default=list, blank=True)
    help_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=80, blank=True, editable=False)
    hidden_at = models.DateTimeField(null=True, editable=False)
    dropped_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "subject", Lower("label"), condition=Q(hidden_at=None), name="custom_field_label_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(dropped_at=None) | Q(hidden_at__isnull=False), name="custom_field_hides_before_it_goes"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def column(self) -> str:
        return f"f_{self.pk}"


class FieldsetVersion(models.Model):
    """One row: moves with every change of the custom fields, so that each process knows when to read them again."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)


class PersonMerge(models.Model):
    """A person who turned out to be another: who stayed, and all that the other one was."""

    loser_id = models.BigIntegerField(unique=True)
    winner = models.ForeignKey(Person, models.CASCADE, related_name="merges")
    values = models.JSONField()
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=80)


class SavedView(models.Model):
    """Filters, columns and sort of a list kept under a name: for oneself, for one's team, or for the workspace."""

    class Reach(models.TextChoices):
        MINE = "mine", _("Only me")
        TEAM = "team", _("My team")
        WORKSPACE = "workspace", _("Everyone")

    subject = models.CharField(max_length=10, choices=[(subject.value, subject.value) for subject in Subject])
    name = models.CharField(max_length=80)
    reach = models.CharField(max_length=10, choices=Reach.choices, default=Reach.MINE)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    query = models.TextField(blank=True, help_text="The list's address: filters and sort, as the page writes them.")
    columns = models.JSONField(default=list)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reach="team") | Q(team__isnull=False), name="saved_view_of_a_team_names_it"
            ),
            models.UniqueConstraint("subject", "owner", Lower("name"), name="saved_view_name_is_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Import(models.Model):
    """A file of people on its way in, step by step: what it holds, how it is read, what it did, and how to undo it."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("To be mapped")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Ready to run")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        DONE = "done", _("Done")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        FAILED = "failed", _("Could not be read")

    file_name = models.CharField(max_length=255)
    path = models.CharField(
        max_length=400, help_text="Under the files of the workspace; emptied when the file is gone."
    )
    file_size = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    # How the file is written.
    encoding = models.CharField(max_length=16, default="utf-8")
    delimiter = models.CharField(max_length=1, default=",")
    has_header = models.BooleanField(default=True)
    header = models.JSONField(default=list)
    # How it is read: a list of field keys by column, empty where the column is left out.
    mapping = models.JSONField(default=list)
    is_day_first = models.BooleanField(default=True)
    has_decimal_comma = models.BooleanField(default=True)
    rows_allowed = models.CharField(
        max_length=6, default="both", choices=[(c, c) for c in ("both", "create", "update")]
    )
    blank_cells = models.CharField(max_length=6, default="keep", choices=[(c, c) for c in ("keep", "clear")])
    existing_values = models.CharField(
        max_length=10, default="overwrite", choices=[(c, c) for c in ("overwrite", "fill")]
    )
    without_email = models.CharField(max_length=6, default="refuse", choices=[(c, c) for c in ("refuse", "create")])
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+")
    # Where it stands.
    staged_rows = models.BigIntegerField(null=True)
    last_row = models.BigIntegerField(default=0, help_text="The last row of the file: what progress is measured by.")
    done_row = models.BigIntegerField(
        default=0, help_text="Rows up to this one are settled; a new worker goes on after it."
    )
    counts = models.JSONField(default=dict)
    samples = models.JSONField(default=list)
    preview_counts = models.JSONField(default=dict)
    problem = models.JSONField(null=True, help_text="Why the file as a whole could not be read.")
    stop_asked_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True, help_text="The moment every row it writes carries.")
    moved_at = models.DateTimeField(null=True, help_text="When it last made progress.")
    ended_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    run_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-made_at"], name="import_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def file(self) -> Path:
        return Path(settings.MEDIA_ROOT) / self.path

    def forget_file(self) -> None:
        """Delete the file; the import and what it did stay."""
        if self.path:
            self.file.unlink(missing_ok=True)
            self.path = ""
            self.save(update_fields=["path"])


class ImportProblem(models.Model):
    """A row that was not taken, and why: the number of the row as a spreadsheet counts them, the column, what was there."""

    of = models.ForeignKey(Import, models.CASCADE, related_name="problems")
    row = models.BigIntegerField()
    column = models.IntegerField(null=True)
    value = models.TextField(blank=True)
    code = models.SmallIntegerField(help_text="The number of the reason.")
    seen = models.JSONField(default=dict)

    class Meta:
        db_table = "people_importproblem"
        indexes = [models.Index(fields=["of", "row"], name="import_problem_by_row")]


class ImportChange(models.Model):
    """What an import did to one person: the values before and after, or nothing before when the import made the person."""

    of = models.ForeignKey(Import, models.CASCADE, related_name="changes", db_constraint=False)
    person_id = models.BigIntegerField()
    row = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    undone = models.CharField(max_length=8, blank=True)

    class Meta:
        indexes = [models.Index(fields=["of", "row"], name="import_change_by_row")]


class ImportMapping(models.Model):
    """How columns of these very names were mapped last time."""

    signature = models.CharField(max_length=64, unique=True)
    mapping = models.JSONField()
    used_at = models.DateTimeField()
