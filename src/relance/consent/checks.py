"""What is wrong with consent, and what to do: asked by the consent page, and by the doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from .facts import closed_among, default_brand, standings
from .house import book_in_force
from .models import ConsentLine, OptOutBox, RegistryFile
from .packs import PolicyBook
from .statements import OPT_INS, Channel, Question, Speaker

MOST_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class ConsentFinding:
    """Something that is not as it should be. `says` and `remedy` are gettext_lazy with %(name)s of `seen`."""

    code: str
    count: int
    says: Any
    remedy: Any
    seen: dict[str, Any]
    person_ids: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        return str(self.says) % {"count": self.count, **self.seen}


def check_consent(now: datetime) -> list[ConsentFinding]:
    """Every finding of this room."""
    return [*check_boxes(now), *check_registries(now), *check_proofs()]


def check_boxes(now: datetime) -> list[ConsentFinding]:
    """People whose box in a CRM says “not opted out” while the ledger says no. The box is no statement: nobody is written to."""
    boxes = OptOutBox.objects.filter(is_opted_out=False, person__consent_lines__isnull=False).distinct()
    emails = dict(boxes.order_by("person_id").values_list("person_id", "person__email")[:MOST_SHOWN])
    known = {pk: email or "" for pk, email in emails.items()}
    found = sorted(closed_among(standings(known, Question(Channel.EMAIL, brand=default_brand()), at=now)))
    if not found:
        return []
    says = _("%(count)s people are not opted out in a CRM, but said no here: they are not written to.")
    remedy = _("Tick the opt-out in the CRM, or record a new opt-in of the person, with its proof.")
    return [ConsentFinding("consent.box_conflicts", len(found), says, remedy, {}, tuple(found))]


def check_registries(now: datetime) -> list[ConsentFinding]:
    """Do-not-call files that are older than their list allows: calls to their country are held."""
    book = book_in_force()
    newest = dict(RegistryFile.objects.order_by("registry", "dated").values_list("registry", "dated"))
    return [
        ConsentFinding(
            "consent.registry_is_old",
            1,
            _("The list %(registry)s is of %(dated)s and may be %(max_age)s old at most: calls that need it are held."),
            _("Import a newer file of the list."),
            {"registry": name, "dated": newest[name].date(), "max_age": str(rule.max_age)},
        )
        for name, rule in _rules_of(book, sorted(newest))
        if rule.max_age and now > rule.max_age.after(newest[name])
    ]


def check_proofs() -> list[ConsentFinding]:
    """Opt-ins that somebody else reported and nobody proved: they count for nothing."""
    unproved = ConsentLine.objects.filter(kind__in=[kind.value for kind in OPT_INS], proof_at=None).exclude(
        said_by=Speaker.PERSON.value
    )
    people = unproved.aggregate(people=Count("person", distinct=True))["people"]
    if not people:
        return []
    says = _("%(count)s people are said to have agreed, without a proof: that opens nothing.")
    remedy = _("Add date, way and source of each, or ask these people for permission.")
    ids = tuple(unproved.order_by("person_id").values_list("person_id", flat=True).distinct()[:MOST_SHOWN])
    return [ConsentFinding("consent.unproved", people, says, remedy, {}, tuple(pk for pk in ids if pk))]


def _rules_of(book: PolicyBook, names: Sequence[str]) -> list[tuple[str, Any]]:
    rules = {name: rule for pack in book.packs.values() for name, rule in pack.registries.items()}
    rules |= {name: rule for pack in book.house for name, rule in pack.registries.items()}
    return [(name, rules[name].compiled(name)) for name in names if name in rules]
