"""What the ledger keeps about a person: how it is merged without loosening anything, exported, and erased but for a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from relance.lib import sql
from relance.lib.clock import utc_now
from relance.people.models import Person
from relance.people.personal import Keeper, register_keeper

from .actions import suppress_addresses
from .models import AddressChange, ConsentLine, ConsentProfile, Evidence, OptOutBox
from .statements import RESTRICTIONS, Audience, Kind


def _merge(winner: int, losers: Sequence[int]) -> None:
    """Every line goes to the winner and remembers whose it was; a block on a loser's company stays with her."""
    sql.run("consent", "merge_lines", winner=winner, losers=list(losers))
    AddressChange.objects.filter(person_id__in=losers).update(person_id=winner)
    OptOutBox.objects.filter(person_id__in=losers).exclude(
        source__in=OptOutBox.objects.filter(person_id=winner).values("source")
    ).update(person_id=winner)
    _merge_profiles(winner, losers)


def _merge_profiles(winner: int, losers: Sequence[int]) -> None:
    """Of two answers the more protective one: private rather than at work, the later birth."""
    told = list(ConsentProfile.objects.filter(pk__in=[winner, *losers]))
    if not told:
        return
    profile = next((one for one in told if one.pk == winner), None) or ConsentProfile(person_id=winner)
    if any(one.audience == Audience.B2C for one in told):
        profile.audience = Audience.B2C.value
    profile.born = max((one.born for one in told if one.born), default=None)
    for name in ("audience", "why", "company_form", "address_kind", "number_kind", "zones"):
        if not getattr(profile, name):
            setattr(
                profile, name, next((getattr(one, name) for one in told if getattr(one, name)), getattr(profile, name))
            )
    profile.save()


def _export(person_id: int) -> Mapping[str, Any]:
    lines = ConsentLine.objects.filter(person_id=person_id).order_by("act_at", "id")
    told = [
        "kind", "act_at", "recorded_at", "said_by", "recorded_by", "channel", "brand__name", "topics", "purposes", "address", "how", "source",
        "proof_at", "requested_at", "until", "registry", "wording__text", "wording__version", "evidence__way", "evidence__source",
        "evidence__at", "evidence__ip", "evidence__user_agent",
    ]  # fmt: skip
    profile = ConsentProfile.objects.filter(pk=person_id).values("audience", "why", "born").first()
    return {"statements": list(lines.values(*told)), "profile": profile}


def _erase(person_ids: Sequence[int]) -> None:
    """The lines go. Whoever had closed something leaves a fingerprint, so that an import does not bring her back as unknown."""
    ids = list(person_ids)
    closing = set(
        ConsentLine.objects.filter(person_id__in=ids, kind__in=[kind.value for kind in RESTRICTIONS]).values_list(
            "person_id", flat=True
        )
    )
    suppress_addresses(_addresses(list(closing)), kind=Kind.WITHDRAWN, now=utc_now())
    evidence = list(
        ConsentLine.objects.filter(person_id__in=ids, evidence__isnull=False).values_list("evidence_id", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('relance.erasing', 'on', true)")
    ConsentLine.objects.filter(person_id__in=ids).delete()
    Evidence.objects.filter(pk__in=evidence, lines__isnull=True).delete()
    AddressChange.objects.filter(person_id__in=ids).delete()
    ConsentProfile.objects.filter(pk__in=ids).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('relance.erasing', '', true)")


def _leave(person_ids: Sequence[int]) -> None:
    """Erased for good: every address is closed to imports from now on."""
    suppress_addresses(_addresses(person_ids), kind=Kind.ERASED, now=utc_now())


def _holds(person_ids: Sequence[int]) -> Mapping[int, str]:
    """Somebody who said something does not vanish because an import is undone."""
    said = ConsentLine.objects.filter(person_id__in=list(person_ids)).values_list("person_id", flat=True).distinct()
    return {person_id: _("Something is recorded in the consent ledger.") for person_id in said if person_id}


def _addresses(person_ids: Sequence[int]) -> list[str]:
    people = Person.objects.filter(pk__in=person_ids).values_list("email", "phone", "mobile_phone")
    held = ConsentLine.objects.filter(person_id__in=person_ids).exclude(address="").values_list("address", flat=True)
    return [address for one in people for address in one if address] + list(held)


register_keeper(Keeper("consent", _merge, _export, _erase, _holds, _leave))
