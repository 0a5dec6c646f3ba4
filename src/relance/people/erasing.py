"""Erasing a person: every room forgets them, and the logs keep that something happened, never what it said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from relance.activity.actions import NewActivity, append_activity
from relance.lib import sql
from relance.workspace.auditing import name_actor

from .catalogue import Subject, fields_of
from .change import RELATIONS, current_values
from .facts import ids_of
from .models import Person
from .personal import keepers


def erase_person(person: Person, *, actor: str, now: datetime) -> None:
    """Erase a person for good: rows, kept values, and the personal values in log and ledger lines. Only that it was done stays."""
    with transaction.atomic():
        name_actor(actor)
        ids = ids_of(person.pk)
        for keeper in keepers():
            keeper.leave([person.pk])
        for keeper in keepers():
            keeper.erase([person.pk])
        sql.run("people", "blank_activities", ids=ids)
        sql.run("people", "blank_decisions", ids=ids)
        Person.objects.filter(pk=person.pk).delete()
        append_activity(NewActivity("person.erased", actor, person_id=person.pk), now=now)


def export_person(person: Person) -> Mapping[str, Any]:
    """Everything every room keeps about a person: the answer to an access request."""
    keys = [*(field.key for field in fields_of(Subject.PERSON)), *RELATIONS[Subject.PERSON]]
    record = {"id": person.pk, "uid": str(person.uid), **current_values(Subject.PERSON, person, keys)}
    return {"person": record, **{keeper.room: keeper.export(person.pk) for keeper in keepers()}}
