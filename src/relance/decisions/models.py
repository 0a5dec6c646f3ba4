"""The ledger: what was decided about whom, with the reasons. Lines are only added; months are partitions."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import Func, Value

from .rules import Verdict


class TimeId(Func):
    """A bigint whose high bits are the moment it was drawn: it is key, order and partition at once."""

    function = "time_id"
    output_field = models.BigIntegerField()

    def __init__(self, sequence: str) -> None:
        self.sequence = sequence
        drawn = Func(Value(sequence), function="nextval", output_field=models.BigIntegerField())
        super().__init__(Func(function="clock_timestamp", output_field=models.DateTimeField()), drawn)

    def deconstruct(self) -> tuple[str, tuple[object, ...], dict[str, object]]:
        return "relance.decisions.models.TimeId", (self.sequence,), {}


class DecisionRun(models.Model):
    """Many decisions taken together by one policy, as of one moment: a pull, a push, an import."""

    kind = models.CharField(max_length=40)
    policy = models.CharField(max_length=80, help_text="The rule set and its version, such as mapping:3@7.")
    policy_hash = models.CharField(max_length=64, blank=True)
    as_of = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta:
        db_table = "decision_run"


class LedgerLine(models.Model):
    """One decision. Its reasons are either `reasons` (a single decision, jsonb with what was seen) or parallel arrays
    `codes`, `fields`, `before`, `after` (a whole set decided in SQL; the numbers are those of `reasons.py`)."""

    id = models.BigIntegerField(primary_key=True, db_default=TimeId("decision_seq"))
    at = models.DateTimeField()
    subject = models.CharField(max_length=40, help_text="What was decided about: field, push, link, import…")
    subject_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    verdict = models.SmallIntegerField(choices=[(verdict.value, verdict.word) for verdict in Verdict])
    policy = models.CharField(max_length=80, blank=True)
    run_id = models.BigIntegerField(null=True)
    reasons = models.JSONField(null=True)
    codes = ArrayField(models.SmallIntegerField(), null=True)
    fields = ArrayField(models.TextField(), null=True)
    before = ArrayField(models.TextField(null=True), null=True)
    after = ArrayField(models.TextField(null=True), null=True)

    class Meta:
        db_table = "decision"
        indexes = [
            models.Index(fields=["person_id", "-id"], name="decision_of_person"),
            models.Index(fields=["subject", "subject_id", "-id"], name="decision_of_subject"),
        ]
