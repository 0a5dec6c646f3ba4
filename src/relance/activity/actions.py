"""Appending to the log: the one way rooms tell each other things."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from relance.lib import sql

from .kinds import activity_kinds, consumers_of


@dataclass(frozen=True, slots=True)
class NewActivity:
    """Something that happened, about to be written."""

    kind: str
    actor: str
    person_id: int | None = None
    company_id: int | None = None
    decision_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)


def append_activity(activity: NewActivity, *, now: datetime) -> int:
    """Append one activity; returns its id."""
    return append_activities([activity], now=now)[0]


def append_activities(activities: Iterable[NewActivity], *, now: datetime) -> list[int]:
    """Append a batch and its due rows in one statement, in order; returns the ids. KeyError for an undeclared kind."""
    told = [
        {
            "kind": activity_kinds()[activity.kind].name,
            "actor": activity.actor,
            "person_id": activity.person_id,
            "company_id": activity.company_id,
            "decision_id": activity.decision_id,
            "payload": activity.payload,
            "consumers": consumers_of(activity.kind),
        }
        for activity in activities
    ]
    if not told:
        return []
    written = sql.rows("activity", "append_activities", lines=json.dumps(told, cls=DjangoJSONEncoder), now=now)
    return [row["id"] for row in written]


def claim_due(consumer: str, *, batch: int = 500) -> list[dict[str, Any]]:
    """Take up to a batch of activities the consumer has not seen, oldest first; they are its own once the transaction commits."""
    return sql.rows("activity", "claim_due", consumer=consumer, batch=batch)
