"""The log of all that happened. It knows a person by id alone; lines are only added; months are partitions."""

from __future__ import annotations

from django.db import models

from relance.decisions.models import TimeId


class Activity(models.Model):
    """One thing that happened. `kind` is declared by a room in its `kinds.py`; `payload` holds its values."""

    id = models.BigIntegerField(primary_key=True, db_default=TimeId("activity_seq"))
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    person_id = models.BigIntegerField(null=True)
    company_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=80, help_text="Who did it: user:7, connection:2, import:4, system.")
    decision_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)

    class Meta:
        db_table = "activity"
        indexes = [
            models.Index(fields=["person_id", "-id"], name="activity_of_person"),
            models.Index(fields=["company_id", "-id"], name="activity_of_company"),
        ]


class ActivityDue(models.Model):
    """What a consumer has still to see. Ids commit out of order, so nobody keeps a cursor: rows are claimed and deleted."""

    consumer = models.CharField(max_length=40)
    activity_id = models.BigIntegerField()

    class Meta:
        db_table = "activity_due"
        constraints = [models.UniqueConstraint(fields=["consumer", "activity_id"], name="activity_due_once")]
