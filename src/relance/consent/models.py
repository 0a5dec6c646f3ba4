"""The consent ledger: one line per word that was said, and what proves it. Lines are only added; statuses are computed from them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from relance.people.models import Company, Person
from relance.workspace.models import Brand

from .statements import Audience, Channel, Kind, Speaker


class Topic(models.Model):
    """What one may want to hear about, or not."""

    key = models.SlugField(unique=True, max_length=60)
    names = models.JSONField(default=dict, help_text="Its name by language: {“en”: “News”, “fr”: “Nouveautés”}.")
    brand = models.ForeignKey(Brand, models.CASCADE, null=True, blank=True, related_name="topics")
    industry = models.CharField(max_length=60, blank=True, help_text="As policies name it, such as home_renovation.")
    is_public = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name_in("en")

    def name_in(self, language: str) -> str:
        """The name in a language, else in English, else in any, else the key."""
        return self.names.get(language) or self.names.get("en") or next(iter(self.names.values()), self.key)


class Wording(models.Model):
    """The exact words a person was shown, in one language. A new version is a new row: this one never changes."""

    key = models.SlugField(max_length=80, help_text="What it is for: newsletter-form, preference-centre…")
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=12)
    text = models.TextField()
    hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "language", "version"], name="consent_wording_version_is_one")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.language} {self.version}"


class Evidence(models.Model):
    """What proves a statement: a form sent, a call recorded, a file imported, a paper scanned."""

    way = models.CharField(max_length=20, help_text="form, page, import, call, paper, mail, crm, provider…")
    source = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    zone = models.CharField(max_length=64, blank=True)
    wording = models.ForeignKey(Wording, models.PROTECT, null=True, related_name="+")
    ticked = models.JSONField(default=dict, help_text="What was ticked: purposes, channels, brands, topics.")
    is_unticked_by_default = models.BooleanField(default=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    confirmed_ip = models.GenericIPAddressField(null=True)
    confirmed_user_agent = models.CharField(max_length=400, blank=True)
    path = models.CharField(max_length=400, blank=True, help_text="A file under those of the workspace.")
    policy = models.CharField(max_length=120, blank=True, help_text="The policy in force, with its version.")
    recorded_by = models.CharField(max_length=80)


class ConsentLine(models.Model):
    """One statement, about a person, a company, or a number that several share. `record_id` is the person it was first said of."""

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="consent_lines")
    record_id = models.BigIntegerField(null=True)
    company = models.ForeignKey(Company, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in Kind])
    act_at = models.DateTimeField(help_text="When it was said or done.")
    recorded_at = models.DateTimeField()
    said_by = models.CharField(max_length=10, choices=[(who.value, who.value) for who in Speaker])
    recorded_by = models.CharField(max_length=80)
    channel = models.CharField(
        max_length=10, choices=[(channel.value, channel.value) for channel in Channel], default=Channel.ALL.value
    )
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, related_name="+")
    topics = ArrayField(models.TextField(), default=list)
    purposes = ArrayField(models.TextField(), default=list)
    address = models.TextField(blank=True, help_text="For which address, as it is compared.")
    how = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=300, blank=True)
    proof_at = models.DateTimeField(null=True)
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, related_name="lines")
    wording = models.ForeignKey(Wording, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=False)
    is_for_nights = models.BooleanField(default=False)
    registry = models.CharField(max_length=60, blank=True)
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="Of all that was said: the same statement is kept once.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], name="consent_line_is_kept_once"),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(company__isnull=False) | ~Q(address=""),
                name="consent_line_is_about_somebody",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) | Q(company__isnull=True), name="consent_line_is_about_one"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[Kind.GIVEN, Kind.PENDING, Kind.CONFIRMED]) | ~Q(channel=Channel.ALL),
                name="consent_opt_in_names_its_channel",
                violation_error_message=_("An opt-in names its channel."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("act_at")), name="consent_line_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(requested_at=None) | Q(requested_at__lte=F("act_at")),
                name="consent_is_confirmed_after_the_request",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "act_at"], name="consent_of_person"),
            models.Index(fields=["company"], name="consent_of_company", condition=Q(company__isnull=False)),
            models.Index(
                fields=["address"],
                name="consent_of_number",
                condition=Q(person__isnull=True, company__isnull=True),
            ),
        ]


class AddressChange(models.Model):
    """The person herself changed her address: consent follows it. Changes by others need no row, since nothing follows them."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    record_id = models.BigIntegerField()
    channel = models.CharField(max_length=10)
    before = models.TextField()
    after = models.TextField()
    at = models.DateTimeField()


class ConsentProfile(models.Model):
    """What a law asks of somebody beside the words she said: for work or private, with the reason we think so."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="consent_profile")
    audience = models.CharField(max_length=3, blank=True, choices=[(one.value, one.value) for one in Audience])
    why = models.CharField(max_length=200, blank=True)
    company_form = models.CharField(max_length=30, blank=True)
    address_kind = models.CharField(max_length=10, blank=True)
    number_kind = models.CharField(max_length=10, blank=True)
    born = models.DateField(null=True)
    zones = ArrayField(models.TextField(), default=list)


class OptOutBox(models.Model):
    """How a CRM's opt-out box stood when it was last read. Ticked it is a word; unticked it is none, and only compared."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="opt_out_boxes")
    source = models.CharField(max_length=80, help_text="Whose box: connection:2.")
    channel = models.CharField(max_length=10, default=Channel.EMAIL.value)
    is_opted_out = models.BooleanField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "source", "channel"], name="opt_out_box_is_one")]


class Suppression(models.Model):
    """The keyed fingerprint of an address whose person is gone: whoever imports it again finds it closed. Nobody reads the address back."""

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=[(Kind.ERASED.value,) * 2, (Kind.WITHDRAWN.value,) * 2])
    at = models.DateTimeField()
    key_id = models.CharField(max_length=8)


class RegistryFile(models.Model):
    """A do-not-call file that was imported: which list, of what date, how many numbers."""

    registry = models.CharField(max_length=60)
    dated = models.DateTimeField(help_text="The date of the file, not of its import.")
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=80)
    numbers = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["registry", "-dated"], name="consent_registry_newest")]


class RegistryNumber(models.Model):
    """A number or address on a do-not-call list, since the file that first named it."""

    registry = models.CharField(max_length=60)
    address = models.TextField()
    listed_at = models.DateTimeField()
    file = models.ForeignKey(RegistryFile, models.CASCADE, related_name="rows")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "registry"], name="consent_number_is_listed_once")]


class HousePolicy(models.Model):
    """A policy of the house's own, as text: laid on the packs once somebody else than its author approved it."""

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    text = models.TextField()
    made_at = models.DateTimeField()
    author = models.CharField(max_length=80)
    comment = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True)
    approver = models.CharField(max_length=80, blank=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="consent_policy_version_is_one"),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(approved_at__isnull=False, retired_at=None),
                name="consent_policy_in_force_is_one",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None) | (~Q(approver="") & ~Q(approver=F("author"))),
                name="consent_policy_is_approved_by_another",
            ),
        ]
