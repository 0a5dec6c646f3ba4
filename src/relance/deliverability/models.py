"""What was sent to whom, what mail servers said, and when people and senders do not want to be disturbed."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from relance.consent.statements import Channel
from relance.people.models import Person
from relance.workspace.models import Brand, User

from .bounces import MailEventKind
from .contacts import Mode

CHANNELS = [(channel.value, channel.value) for channel in Channel]


class SentContact(models.Model):
    """A message that left, or a call that was tried: what limits count."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=CHANNELS)
    purpose = models.CharField(max_length=12)
    mode = models.CharField(max_length=14, choices=[(mode.value, mode.value) for mode in Mode])
    brand = models.ForeignKey(Brand, models.SET_NULL, null=True, related_name="+")
    is_refused = models.BooleanField(
        default=False, help_text="During the call the person refused to be called for this."
    )

    class Meta:
        indexes = [
            models.Index(fields=["person", "-at"], name="contact_of_person"),
            models.Index(fields=["user", "-at"], name="contact_of_sender"),
        ]


class ServerAnswer(models.Model):
    """What a mail server said about an address, or what somebody found out since."""

    address = models.TextField(help_text="As it is compared.")
    kind = models.CharField(max_length=14, choices=[(kind.value, kind.value) for kind in MailEventKind])
    at = models.DateTimeField()
    code = models.CharField(max_length=12, blank=True)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["address", "at"], name="answer_about_address")]


class Quiet(models.Model):
    """A pause the person asked for, or her absence."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="quiet_times")
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    is_absence = models.BooleanField(default=False)
    channel = models.CharField(max_length=10, choices=CHANNELS, default=Channel.ALL.value)
    brand = models.ForeignKey(Brand, models.CASCADE, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text="When it was called off.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends__gt=F("begins")), name="quiet_ends_after_it_begins")]
        indexes = [models.Index(fields=["person"], name="quiet_of_person")]


class Frequency(models.Model):
    """How often the person wants to hear from us."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="frequencies")
    at_most = models.PositiveIntegerField()
    per = models.CharField(max_length=20, help_text="7 days, 1 month…")
    channels = ArrayField(models.TextField(), default=list)
    chosen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person"], name="frequency_of_person")]


class SenderSettings(models.Model):
    """When and how much a user sends. Working hours of the workspace where none are given."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="sender_settings")
    week = models.JSONField(null=True, help_text="As the workspace keeps its working days.")
    daily_maximum = models.JSONField(default=dict, help_text="By channel: {“email”: 150}.")
    spacing = models.CharField(max_length=20, blank=True, help_text="Between two mails: 90 seconds.")
    away_from = models.DateTimeField(null=True)
    away_until = models.DateTimeField(null=True)
