"""Connections to CRMs, what is mapped, what is linked, what waits to be sent, and what was refused."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from relance.people.models import Company, Person
from relance.workspace.models import User
from relance.workspace.sealed import SealedTextField

from .rules import (
    BlankPolicy,
    Creates,
    Direction,
    EventKind,
    FieldCode,
    LinkRole,
    LoginMethod,
    MappingState,
    PushState,
    RightSide,
    RunKind,
    RunState,
    Transform,
)


def _choices(words: type) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]  # type: ignore[attr-defined]


class Connection(models.Model):
    """A CRM we speak to. What state it is in is told by its events, never by a flag here."""

    name = models.CharField(_("Name"), max_length=80, unique=True)
    dialect = models.CharField(_("CRM"), max_length=20, default="salesforce")
    login_method = models.CharField(_("Way to sign in"), max_length=20, choices=_choices(LoginMethod))
    login_url = models.URLField(_("Address"), max_length=300, help_text=_("The address of your own domain in the CRM."))
    client_id = models.CharField(_("Client id"), max_length=300)
    username = models.CharField(_("User name"), max_length=200, blank=True)
    secrets = SealedTextField(
        blank=True, editable=False, help_text="Client secret, private key or refresh token: JSON."
    )
    ca_file = models.CharField(_("Certificate authority"), max_length=400, blank=True)
    api_version = models.CharField(_("API version"), max_length=8, default="66.0")
    auto_assign = models.CharField(max_length=20, blank=True, help_text="TRUE, FALSE or the id of an assignment rule.")
    org_id = models.CharField(max_length=40, blank=True, editable=False, help_text="Pinned when first verified.")
    org_name = models.CharField(max_length=200, blank=True, editable=False)
    is_sandbox = models.BooleanField(default=False, editable=False)
    instance_url = models.CharField(max_length=300, blank=True, editable=False)
    crm_user_id = models.CharField(max_length=40, blank=True, editable=False)
    crm_username = models.CharField(max_length=200, blank=True, editable=False)
    described_at = models.DateTimeField(null=True, editable=False)
    waits_until = models.DateTimeField(
        null=True, editable=False, help_text="The CRM asked us to call again no earlier."
    )
    rechecked_at = models.DateTimeField(null=True, editable=False, help_text="Tried again since it broke.")
    api_used = models.IntegerField(null=True, editable=False)
    api_limit = models.IntegerField(null=True, editable=False)
    budget_percent = models.PositiveSmallIntegerField(
        default=80, db_default=80, help_text="How much of the organisation's daily calls this connection may spend."
    )
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    made_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.name


class ApiHour(models.Model):
    """How many calls a connection made in an hour, over all workers."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="api_hours")
    hour = models.DateTimeField()
    calls = models.PositiveIntegerField()

    class Meta:
        db_table = "crm_api_hour"
        constraints = [models.UniqueConstraint(fields=["connection", "hour"], name="crm_api_hour_is_counted_once")]


class ConnectionEvent(models.Model):
    """Something that was done to a connection, or that befell it: the facts its state is derived from."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=_choices(EventKind))
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    why = models.TextField(blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["connection", "-id"], name="connection_events_by_time")]


class DescribeSnapshot(models.Model):
    """An object of the CRM as it was at some moment; a new one only when something had changed."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="snapshots")
    object = models.CharField(max_length=80)
    taken_at = models.DateTimeField()
    hash = models.CharField(max_length=64)
    description = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["connection", "object", "-id"], name="describe_latest")]


class Mapping(models.Model):
    """One version of what goes where and who is right. Once approved it never changes: a new version is made from it."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mappings")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=_choices(MappingState), default=MappingState.DRAFT.value)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    dry_run = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "version"], name="mapping_version_is_unique"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="approved"), name="mapping_approved_is_one_per_connection"
            ),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="draft"), name="mapping_draft_is_one_per_connection"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.version}"

    @property
    def policy(self) -> str:
        """The name under which the ledger knows this version."""
        return f"mapping:{self.connection_id}@{self.version}"


class ObjectMapping(models.Model):
    """An object of the CRM, and what it stands for here."""

    mapping = models.ForeignKey(Mapping, models.CASCADE, related_name="object_mappings")
    object = models.CharField(max_length=80)
    subject = models.CharField(max_length=10)
    creates = models.CharField(max_length=6, choices=_choices(Creates), default=Creates.NONE.value)
    external_id_field = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mapping", "object"], name="mapping_object_is_unique")]

    def __str__(self) -> str:
        return self.object


class FieldMapping(models.Model):
    """One of our fields, its field in the CRM, and who is right when they differ."""

    object_mapping = models.ForeignKey(ObjectMapping, models.CASCADE, related_name="fields")
    field_key = models.CharField(max_length=40)
    crm_field = models.CharField(max_length=80)
    owner = models.CharField(max_length=8, choices=_choices(RightSide))
    blank = models.CharField(max_length=6, choices=_choices(BlankPolicy), default=BlankPolicy.FILL.value)
    direction = models.CharField(max_length=8, choices=_choices(Direction), default=Direction.BOTH.value)
    transform = models.CharField(max_length=10, choices=_choices(Transform), default=Transform.NONE.value)
    value_map = models.JSONField(default=dict, blank=True, help_text="From the CRM's value to ours.")
    number = models.PositiveSmallIntegerField(help_text="Its place in the mapping: names its columns in statements.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["object_mapping", "field_key"], name="mapping_field_is_mapped_once"),
            models.UniqueConstraint(fields=["object_mapping", "number"], name="mapping_field_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.field_key} = {self.crm_field}"


class CrmLink(models.Model):
    """Which record of the CRM stands for which person or company. One of a person's records leads; the others only point.

    No index begins with the connection, none holds rows without its key: while the table is young the planner would take such a
    one for each record, and read every link there is.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="links", db_index=False)
    object = models.CharField(max_length=80)
    crm_id = models.CharField(max_length=40)
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="crm_links")
    company = models.ForeignKey(Company, models.CASCADE, null=True, related_name="crm_links")
    role = models.CharField(max_length=8, choices=_choices(LinkRole), default=LinkRole.LEADING.value)
    crm_modified_at = models.DateTimeField(null=True, help_text="The record's stamp as last merged.")
    agreed_at = models.DateTimeField(null=True, help_text="Empty until the two sides were first compared.")
    deleted_at = models.DateTimeField(null=True)
    converted_to = models.CharField(max_length=40, blank=True)
    merged_into = models.CharField(max_length=40, blank=True)
    owner_crm_id = models.CharField(max_length=40, blank=True)
    linked_at = models.DateTimeField()

    class Meta:
        db_table = "crm_link"
        constraints = [
            models.UniqueConstraint(fields=["crm_id", "connection"], name="crm_link_record_is_linked_once"),
            models.UniqueConstraint(
                fields=["person", "connection"],
                condition=Q(role="leading", deleted_at=None, person__isnull=False),
                name="crm_link_one_record_leads_a_person",
            ),
            models.UniqueConstraint(
                fields=["company", "connection"],
                condition=Q(role="leading", deleted_at=None, company__isnull=False),
                name="crm_link_one_record_leads_a_company",
            ),
            models.CheckConstraint(
                condition=Q(person=None) | Q(company=None), name="crm_link_is_a_person_or_a_company"
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "object"],
                condition=Q(agreed_at=None, deleted_at=None),
                name="crm_link_not_agreed",
            )
        ]


class DirtyField(models.Model):
    """A field whose two sides are not known to agree. `base` is what they last agreed on; `code` the reason that settled it
    last, empty while it has still to be settled. Without a row, what we hold is what both sides agreed on."""

    pk = models.CompositePrimaryKey("connection_id", "subject", "subject_id", "field_key")
    connection_id = models.BigIntegerField()
    subject = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    field_key = models.CharField(max_length=40)
    base = models.TextField(null=True)
    changed_at = models.DateTimeField()
    actor = models.CharField(max_length=80, blank=True)
    code = models.SmallIntegerField(null=True)

    class Meta:
        db_table = "crm_dirty"
        indexes = [
            models.Index(
                fields=["connection_id", "subject", "subject_id"],
                condition=Q(code=None) | Q(code=FieldCode.EMAIL_TAKEN.value),
                name="crm_dirty_unsettled",
            )
        ]


class QueuedPush(models.Model):
    """Somebody whose values must go to the CRM. The values are read when they are sent, not kept here."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pushes")
    subject = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    object = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=_choices(PushState), default=PushState.WAITING.value)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    priority = models.SmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=60, blank=True, db_default="")
    payload_hash = models.CharField(max_length=64, blank=True, db_default="", help_text="What was refused last.")
    failure = models.CharField(max_length=32, blank=True, db_default="", help_text="The cause it failed by last.")
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="How often in a row, by that cause.")

    class Meta:
        db_table = "crm_push"
        constraints = [
            models.UniqueConstraint(fields=["connection", "subject", "subject_id"], name="crm_push_one_per_subject")
        ]
        indexes = [
            models.Index(
                fields=["connection", "-priority", "due_at"],
                condition=Q(state__in=["waiting", "unknown"]),
                name="crm_push_due",
            )
        ]


class PushError(models.Model):
    """What the CRM refused, in its own words, and how often. Open until the same subject goes through."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="push_errors")
    subject = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    object = models.CharField(max_length=80)
    code = models.CharField(max_length=80)
    message = models.TextField()
    fields = ArrayField(models.TextField(), default=list)
    body = models.JSONField(help_text="The answer about this row, word for word, and what was sent.")
    cause_key = models.CharField(max_length=64)
    payload_hash = models.CharField(max_length=64)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "crm_push_error"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "subject", "subject_id", "cause_key"],
                condition=Q(resolved_at=None),
                name="crm_push_error_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["connection", "cause_key"], condition=Q(resolved_at=None), name="crm_push_error_open")
        ]


class SyncRun(models.Model):
    """One pass over one object, or one round of sending: what it read, decided and wrote."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=8, choices=_choices(RunKind))
    object = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=_choices(RunState), default=RunState.RUNNING.value)
    cursor_before = models.JSONField(null=True)
    cursor_after = models.JSONField(null=True)
    counts = models.JSONField(default=dict)
    decision_run_id = models.BigIntegerField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "-id"], name="sync_run_by_time")]


class SyncCursor(models.Model):
    """How far an object was read. Kept in the transaction that kept the rows, so a killed read goes on from here."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="cursors")
    object = models.CharField(max_length=80)
    stamp = models.DateTimeField()
    crm_id = models.CharField(max_length=40, blank=True)
    is_initial = models.BooleanField(default=True, help_text="The first read has not reached the end yet.")
    finished_at = models.DateTimeField(null=True, help_text="When a read last reached the end.")
    swept_at = models.DateTimeField(null=True, help_text="When all ids were last read.")
    formulas_read_at = models.DateTimeField(null=True, help_text="When all records were last read for their formulas.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "object"], name="sync_cursor_is_one_per_object")]


class KnownCrmUser(models.Model):
    """A user of the CRM, and the user of this workspace with the same address, if there is one."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="crm_users")
    crm_id = models.CharField(max_length=40)
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "crm_user"
        constraints = [models.UniqueConstraint(fields=["connection", "crm_id"], name="crm_user_is_known_once")]
