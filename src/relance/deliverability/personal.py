"""What this room keeps about a person: what she was sent, and when she does not want to be disturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relance.people.models import Person
from relance.people.personal import Keeper, register_keeper

from .models import Frequency, Quiet, SentContact, ServerAnswer

KEPT = (SentContact, Quiet, Frequency)


def _merge(winner: int, losers: Sequence[int]) -> None:
    for model in KEPT:
        model._default_manager.filter(person_id__in=losers).update(person_id=winner)


def _export(person_id: int) -> Mapping[str, Any]:
    sent = SentContact.objects.filter(person_id=person_id).order_by("at")
    quiet = Quiet.objects.filter(person_id=person_id).order_by("begins")
    wishes = Frequency.objects.filter(person_id=person_id).order_by("id")
    return {
        "sent": list(sent.values("at", "channel", "purpose", "mode", "is_refused")),
        "quiet": list(quiet.values("begins", "ends", "is_absence", "channel")),
        "frequency": list(wishes.values("at_most", "per", "channels", "chosen_at")),
    }


def _erase(person_ids: Sequence[int]) -> None:
    addresses = [
        email.strip().lower()
        for email in Person.objects.filter(pk__in=person_ids).values_list("email", flat=True)
        if email
    ]
    ServerAnswer.objects.filter(address__in=addresses).delete()
    for model in KEPT:
        model._default_manager.filter(person_id__in=person_ids).delete()


register_keeper(Keeper("deliverability", _merge, _export, _erase))
