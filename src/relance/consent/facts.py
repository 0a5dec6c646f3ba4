"""Reading the ledger: its lines as the rules read them, and where people stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from relance.people.models import PersonMerge
from relance.workspace.models import Brand

from .audiences import normal_address
from .lines import ConsentPolicy, Need, PolicyLine, Terms
from .models import ConsentLine
from .statements import (
    OPT_INS,
    RELATIONS,
    Audience,
    Channel,
    ConsentFacts,
    Kind,
    Proof,
    Purpose,
    Question,
    Speaker,
    Statement,
    Status,
)
from .status import Standing, standing_of

OPENING = OPT_INS | RELATIONS | {Kind.PENDING, Kind.ASKED}
COLUMNS = (
    "id", "person_id", "record_id", "kind", "act_at", "channel", "said_by", "topics", "purposes", "address", "how", "source", "proof_at",
    "requested_at", "until", "is_told", "is_for_nights", "registry",
)  # fmt: skip


def read_statement(line: Mapping[str, Any], *, record: str, default_brand: str) -> Statement:
    """A line of the table as a statement. What opens and names no brand is for the default one."""
    proof_at = read_moment(line["proof_at"]) if line["proof_at"] else None
    kind = Kind(line["kind"])
    return Statement(
        kind=kind,
        at=read_moment(line["act_at"]),
        key=str(line["id"]),
        channel=Channel(line["channel"]),
        by=Speaker(line["said_by"]),
        brand=line["brand"] or (default_brand if kind in OPENING else ""),
        topics=frozenset(line["topics"]),
        purposes=frozenset(Purpose(one) for one in line["purposes"]),
        address=line["address"],
        how=line["how"],
        proof=Proof(proof_at, line["how"], line["source"]) if proof_at else None,
        requested_at=read_moment(line["requested_at"]) if line["requested_at"] else None,
        until=read_moment(line["until"]) if line["until"] else None,
        is_told=line["is_told"],
        is_for_nights=line["is_for_nights"],
        registry=line["registry"],
        record=str(line["record_id"]) if line["record_id"] else record,
    )


def read_moment(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def default_brand() -> str:
    """The brand of what names none."""
    return Brand.objects.filter(is_default=True).values_list("name", flat=True).first() or ""


def statements_about(person_ids: Sequence[int]) -> dict[int, list[Statement]]:
    """What was said about each of these people, in the order of the acts."""
    brand = default_brand()
    lines = ConsentLine.objects.filter(person_id__in=person_ids).order_by("act_at", "id")
    found: dict[int, list[Statement]] = {pk: [] for pk in person_ids}
    for line in lines.values(*COLUMNS, "brand__name"):
        told = {**line, "brand": line["brand__name"] or ""}
        found[line["person_id"]].append(read_statement(told, record=str(line["person_id"]), default_brand=brand))
    return found


BY_WORDS_ALONE = ConsentPolicy(
    (PolicyLine("ledger/words", Terms(need=Need.OPTIN), frozenset(Channel), frozenset(Audience)),), ()
)


def standings(emails: Mapping[int, str], question: Question, *, at: datetime) -> dict[int, Standing]:
    """Where people stand by their own words alone, given their e-mail addresses: blocks, lists and hours are the gate's to weigh."""
    said = statements_about(list(emails))
    merged = _merged(list(emails))
    policy = BY_WORDS_ALONE
    asked = policy.on(at.date())
    return {
        pk: standing_of(
            ConsentFacts(tuple(said[pk]), normal_address(emails[pk]), merges=merged.get(pk, {})),
            question,
            asked=asked,
            policy=policy,
            at=at,
        )
        for pk in emails
    }


def _merged(person_ids: Sequence[int]) -> dict[int, dict[str, datetime]]:
    """For each person the records that went into her, all since the last of the merges: the stricter reading of a chain."""
    found: dict[int, dict[str, datetime]] = {}
    rows = PersonMerge.objects.filter(winner_id__in=person_ids).values_list("winner_id", "loser_id", "merged_at")
    for winner, loser, at in rows:
        found.setdefault(winner, {})[str(loser)] = at
    return {winner: dict.fromkeys(losers, max(losers.values())) for winner, losers in found.items()}


CLOSED = frozenset({Status.OPTED_OUT, Status.COMPLAINED, Status.SUPPRESSED})


def closed_among(standing: Mapping[int, Standing]) -> Iterable[int]:
    """Those who closed it."""
    return (pk for pk, one in standing.items() if one.status in CLOSED)
