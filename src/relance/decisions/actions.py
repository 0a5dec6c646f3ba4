"""Writing the ledger. Appending is all there is: only erasure ever touches a written line, and says that it did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from relance.lib import sql

from .models import DecisionRun
from .rules import Decision


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision about to be written, with what it is about."""

    subject: str
    subject_id: int
    decision: Decision
    person_id: int | None = None


def record_decision(line: DecisionLine, *, policy: str, now: datetime) -> int:
    """Write one decision; returns its id."""
    return record_decisions([line], policy=policy, now=now)[0]


def record_decisions(
    lines: Iterable[DecisionLine], *, policy: str, now: datetime, run: DecisionRun | None = None
) -> list[int]:
    """Write a batch of decisions in one statement, in order; returns their ids."""
    told = [
        {
            "subject": line.subject,
            "subject_id": line.subject_id,
            "person_id": line.person_id,
            "verdict": line.decision.verdict.value,
            "reasons": reasons_as_json(line.decision),
        }
        for line in lines
    ]
    if not told:
        return []
    written = sql.rows(
        "decisions",
        "record_decisions",
        lines=json.dumps(told, cls=DjangoJSONEncoder),
        policy=policy,
        run_id=run.pk if run else None,
        now=now,
    )
    return [row["id"] for row in written]


def open_run(kind: str, *, policy: str, policy_hash: str = "", as_of: datetime) -> DecisionRun:
    """Begin a run of decisions taken together: its lines point to it and inherit its policy."""
    return DecisionRun.objects.create(kind=kind, policy=policy, policy_hash=policy_hash, as_of=as_of)


def close_run(run: DecisionRun, *, counts: Mapping[str, int], now: datetime) -> None:
    """End a run with what it counted."""
    run.counts, run.ended_at = dict(counts), now
    run.save(update_fields=["counts", "ended_at"])


def reasons_as_json(decision: Decision) -> list[dict[str, Any]]:
    """The reasons as the ledger's jsonb keeps them."""
    return [
        {
            "code": reason.code,
            "verdict": reason.verdict.word,
            "seen": dict(reason.seen),
            **({"until": reason.until.isoformat()} if reason.until else {}),
        }
        for reason in decision.reasons
    ]
