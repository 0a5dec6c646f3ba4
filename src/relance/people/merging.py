"""Two records of one human become one: what the winner lacks is filled, what differs is kept in the log, and each choice says why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from relance.activity.actions import NewActivity, append_activities
from relance.decisions.actions import DecisionLine, record_decision
from relance.decisions.rules import Decision, Reason, go
from relance.workspace.auditing import name_actor

from .catalogue import Subject, fields_of
from .change import RELATIONS, current_values, store_values
from .models import Person, PersonMerge
from .personal import keepers


def merge_people(winner: Person, *losers: Person, actor: str, now: datetime) -> int:
    """Merge the losers into the winner, in order; returns the id of the decision that says field by field what was kept.

    The losers' values, all of them, stay in `PersonMerge`; what other rooms keep of them goes to the winner.
    """
    with transaction.atomic():
        name_actor(actor)
        ids = [person.pk for person in losers if person.pk != winner.pk]
        held = {person.pk: person for person in _hold([winner.pk, *ids])}
        keys = [*(field.key for field in fields_of(Subject.PERSON)), *RELATIONS[Subject.PERSON]]
        values = {pk: current_values(Subject.PERSON, person, keys) for pk, person in held.items()}
        filled, reasons = decide_merge(values[winner.pk], [values[pk] for pk in ids])
        for keeper in keepers():
            keeper.merge(winner.pk, ids)
        _remember(winner, ids, values, actor=actor, now=now)
        Person.objects.filter(pk__in=ids).delete()
        store_values(Subject.PERSON, winner.pk, filled, now=now)
        line = DecisionLine("merge", winner.pk, Decision.of(reasons), person_id=winner.pk)
        decision = record_decision(line, policy="people.merge", now=now)
        _tell(winner, [held[pk] for pk in ids], decision, actor=actor, now=now)
    winner.refresh_from_db()
    return decision


def decide_merge(winner: Mapping[str, Any], losers: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[Reason]]:
    """What the winner takes from the others, and the reason for every field where they differ."""
    filled: dict[str, Any] = {}
    reasons: list[Reason] = []
    for loser in losers:
        for key, other in loser.items():
            mine = filled.get(key, winner.get(key))
            if other is None or other == mine:
                continue
            if mine is None:
                filled[key] = other
                reasons.append(go("people.merge_filled", field=key, before=None, after=other))
            else:
                reasons.append(go("people.merge_kept", field=key, before=mine, after=other))
    return filled, reasons or [go("people.merge_same")]


def _hold(ids: list[int]) -> list[Person]:
    """In the order of ids, so that two merges of the same people wait for each other rather than for ever."""
    return list(Person.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)))


def _remember(
    winner: Person, ids: list[int], values: Mapping[int, Mapping[str, Any]], *, actor: str, now: datetime
) -> None:
    PersonMerge.objects.bulk_create(
        PersonMerge(loser_id=pk, winner=winner, values=_as_json(values[pk]), merged_at=now, merged_by=actor)
        for pk in ids
    )


def _tell(winner: Person, losers: list[Person], decision: int, *, actor: str, now: datetime) -> None:
    told = []
    for loser in losers:
        payload = {"loser": loser.full_name, "loser_id": loser.pk}
        told.append(NewActivity("person.merged", actor, person_id=winner.pk, decision_id=decision, payload=payload))
        payload = {"winner": str(winner.pk)}
        told.append(NewActivity("person.merged_away", actor, person_id=loser.pk, decision_id=decision, payload=payload))
    append_activities(told, now=now)


def _as_json(values: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
