"""The verbs of the ledger. Adding is all there is: a word is taken back by another word, never by a deletion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from relance.activity.actions import NewActivity, append_activities
from relance.decisions.rules import Reason, Verdict, go, skip
from relance.people.models import Person

from .audiences import normal_address
from .models import AddressChange, ConsentLine, Evidence, OptOutBox, RegistryFile, RegistryNumber, Suppression, Wording
from .statements import OPT_INS, RELATIONS, RESTRICTIONS, Channel, Kind, Purpose, Speaker

CLOCKS_DIFFER = timedelta(minutes=5)
NONE_HELD = "(none)"  # there was no address then: a number somebody adds later is not the one she spoke of
ADDRESSES = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("mobile_phone", "phone"),
    Channel.WHATSAPP: ("mobile_phone", "phone"),
    Channel.PHONE: ("phone", "mobile_phone"),
    Channel.ROBOT_CALL: ("phone", "mobile_phone"),
}


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A statement about to be written: about a person, a company, or an address alone. Without address: the one held now."""

    kind: Kind
    act_at: datetime
    person_id: int | None = None
    company_id: int | None = None
    channel: Channel = Channel.ALL
    said_by: Speaker = Speaker.PERSON
    brand_id: int | None = None
    topics: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    address: str = ""
    how: str = ""
    source: str = ""
    proof_at: datetime | None = None
    evidence_id: int | None = None
    wording_id: int | None = None
    requested_at: datetime | None = None
    until: datetime | None = None
    is_told: bool = False
    is_for_nights: bool = False
    registry: str = ""
    supersedes_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecordedStatement:
    """What became of one: its line (an older one when it was said before), or why it was refused."""

    line_id: int | None
    reason: Reason
    is_new: bool = False


class StatementRefused(Exception):
    """The writer's move: the statement cannot be. `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def record_statement(said: NewStatement, *, actor: str, now: datetime) -> int:
    """Write one statement; returns its line. StatementRefused when it cannot be."""
    done = record_statements([said], actor=actor, now=now)[0]
    if done.line_id is None:
        raise StatementRefused(done.reason)
    return done.line_id


def record_statements(said: Iterable[NewStatement], *, actor: str, now: datetime) -> list[RecordedStatement]:
    """Write a batch, in order. What was said before is kept once; what cannot be is refused by itself, and the rest is kept."""
    told = list(said)
    reasons = [weigh_statement(one, now) for one in told]
    with transaction.atomic():
        held = _addresses_held({one.person_id for one in told if one.person_id and not one.address})
        rows = [
            _row(one, held, actor=actor, now=now) if reason.verdict is Verdict.GO else None
            for one, reason in zip(told, reasons, strict=True)
        ]
        wanted = [row for row in rows if row]
        known = _lines_by_fingerprint(wanted)
        ConsentLine.objects.bulk_create(wanted, ignore_conflicts=True)
        lines = _lines_by_fingerprint(wanted)
        fresh = [row for row in {row.fingerprint: row for row in wanted}.values() if row.fingerprint not in known]
        append_activities(_activities(fresh, actor), now=now)
    return [
        RecordedStatement(lines[row.fingerprint], reason, row.fingerprint not in known)
        if row
        else RecordedStatement(None, reason)
        for row, reason in zip(rows, reasons, strict=True)
    ]


def withdraw_consent(
    person_id: int,
    *,
    channel: Channel = Channel.ALL,
    topics: Sequence[str] = (),
    brand_id: int | None = None,
    said_by: Speaker = Speaker.PERSON,
    how: str = "",
    evidence_id: int | None = None,
    at: datetime | None = None,
    actor: str,
    now: datetime,
) -> int:
    """The person takes back a channel, a topic, or everything. It counts whoever reports it, and needs no proof."""
    said = NewStatement(
        Kind.WITHDRAWN,
        at or now,
        person_id,
        channel=channel,
        topics=tuple(topics),
        brand_id=brand_id,
        said_by=said_by,
        how=how,
        evidence_id=evidence_id,
    )
    return record_statement(said, actor=actor, now=now)


def note_opt_out_box(
    person_id: int,
    *,
    source: str,
    is_opted_out: bool,
    channel: Channel = Channel.EMAIL,
    at: datetime,
    actor: str,
    now: datetime,
) -> int | None:
    """A CRM's box was read. Ticked since we last looked: an opt-out, whose line is returned. Unticked: no statement at all."""
    with transaction.atomic():
        box, is_new = OptOutBox.objects.select_for_update().get_or_create(
            person_id=person_id,
            source=source,
            channel=channel.value,
            defaults={"is_opted_out": is_opted_out, "seen_at": now},
        )
        was_ticked = box.is_opted_out and not is_new
        box.is_opted_out, box.seen_at = is_opted_out, now
        box.save(update_fields=["is_opted_out", "seen_at"])
        if not is_opted_out or was_ticked:
            return None
        said = NewStatement(
            Kind.WITHDRAWN, min(at, now), person_id, channel=channel, said_by=Speaker.CRM, how="crm", source=source
        )
        return record_statement(said, actor=actor, now=now)


def weigh_statement(said: NewStatement, now: datetime) -> Reason:
    """Can this be written? An opt-in without proof can: it is kept, and counts for nothing."""
    about = {"kind": said.kind.value}
    if said.act_at.tzinfo is None or said.act_at > now + CLOCKS_DIFFER:
        return skip("ledger.dated_ahead", at=said.act_at, **about)
    if said.kind in (Kind.GIVEN, Kind.PENDING, Kind.CONFIRMED) and said.channel is Channel.ALL:
        return skip("ledger.no_channel", **about)
    if said.until and said.until <= said.act_at:
        return skip("ledger.ends_before_it_begins", at=said.act_at, until_=said.until, **about)
    if said.requested_at and (said.kind is not Kind.CONFIRMED or said.requested_at > said.act_at):
        return skip("ledger.confirmed_before_requested", at=said.act_at, **about)
    if bool(said.registry) != (said.kind in (Kind.LISTED, Kind.DELISTED)):
        return skip("ledger.registry_misplaced", **about)
    if (said.person_id and said.company_id) or not (said.person_id or said.company_id or said.address):
        return skip("ledger.about_nobody", **about)
    if said.proof_at and said.proof_at > now + CLOCKS_DIFFER:
        return skip("ledger.dated_ahead", at=said.proof_at, **about)
    return go("ledger.written", **about)


def record_wording(key: str, *, language: str, text: str, actor: str, now: datetime) -> Wording:
    """The wording with this very text: the version that has it, or a new one."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        same = Wording.objects.filter(key=key, language=language, hash=digest).order_by("-version").first()
        if same:
            return same
        last = Wording.objects.filter(key=key, language=language).aggregate(last=Max("version"))["last"] or 0
        return Wording.objects.create(
            key=key, version=last + 1, language=language, text=text, hash=digest, made_at=now, made_by=actor
        )


def record_evidence(way: str, *, at: datetime, actor: str, **seen: Any) -> Evidence:
    """Keep what proves a statement: source, wording, what was ticked, address of the request…"""
    return Evidence.objects.create(way=way, at=at, recorded_by=actor, **seen)


def record_own_address_change(
    person_id: int, *, channel: Channel, before: str, after: str, actor: str, now: datetime
) -> None:
    """The person changed her address herself: what she consented to follows."""
    with transaction.atomic():
        AddressChange.objects.create(
            person_id=person_id,
            record_id=person_id,
            channel=channel.value,
            before=normal_address(before),
            after=normal_address(after),
            at=now,
        )
        told = NewActivity("consent.address_changed", actor, person_id=person_id, payload={"channel": channel.value})
        append_activities([told], now=now)


def import_registry_file(
    registry: str, addresses: Iterable[str], *, dated: datetime, actor: str, now: datetime, batch: int = 10_000
) -> RegistryFile:
    """A do-not-call file: its numbers are the list from now on; those it no longer names are off it."""
    with transaction.atomic():
        file = RegistryFile.objects.create(registry=registry, dated=dated, imported_at=now, imported_by=actor)
        waiting: list[RegistryNumber] = []
        for address in {normal_address(one) for one in addresses if one.strip()}:
            waiting.append(RegistryNumber(registry=registry, address=address, listed_at=dated, file=file))
            if len(waiting) == batch:
                _list_numbers(waiting)
                waiting = []
        _list_numbers(waiting)
        RegistryNumber.objects.filter(registry=registry).exclude(file=file).delete()
        file.numbers = RegistryNumber.objects.filter(registry=registry).count()
        file.save(update_fields=["numbers"])
    return file


def suppress_addresses(addresses: Iterable[str], *, kind: Kind, now: datetime) -> None:
    """Leave the keyed fingerprints of addresses whose person goes. An erasure is stronger than an opt-out kept."""
    from .fingerprints import fingerprint, newest_key_id

    rows = [
        Suppression(fingerprint=fingerprint(address), kind=kind.value, at=now, key_id=newest_key_id())
        for address in sorted({normal_address(one) for one in addresses if one})
    ]
    fields = {"update_conflicts": True, "unique_fields": ["fingerprint"], "update_fields": ["kind", "at", "key_id"]}
    Suppression.objects.bulk_create(rows, **(fields if kind is Kind.ERASED else {"ignore_conflicts": True}))


def _list_numbers(rows: list[RegistryNumber]) -> None:
    """Who stays on the list keeps the date on which she came on it."""
    RegistryNumber.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["address", "registry"], update_fields=["file"]
    )


def _addresses_held(person_ids: set[int]) -> dict[int, dict[str, str]]:
    names = ("email", "phone", "mobile_phone")
    people = Person.objects.filter(pk__in=person_ids).values("pk", *names) if person_ids else ()
    return {one["pk"]: {name: normal_address(one[name] or "") for name in names} for one in people}


def _row(said: NewStatement, held: dict[int, dict[str, str]], *, actor: str, now: datetime) -> ConsentLine:
    address = normal_address(said.address)
    if not address and said.person_id and said.kind in OPT_INS | RELATIONS | {Kind.PENDING}:
        mine = held.get(said.person_id, {})
        # What is said of every channel is at least tied to the e-mail address of then.
        names = ADDRESSES.get(said.channel, ("email",) if said.channel is Channel.ALL else ())
        address = next((mine[name] for name in names if mine.get(name)), NONE_HELD if names else "")
    told = {**asdict(said), "address": address, "topics": sorted(said.topics), "purposes": sorted(said.purposes)}
    return ConsentLine(
        **told,
        record_id=said.person_id,
        recorded_at=now,
        recorded_by=actor,
        fingerprint=hashlib.sha256(json.dumps(_identity(told), default=str, sort_keys=True).encode()).hexdigest(),
    )


def _identity(told: dict[str, Any]) -> dict[str, Any]:
    """What makes two statements the same: all but the evidence and the note."""
    left_out = ("evidence_id", "wording_id", "supersedes_id", "note")
    return {name: value for name, value in told.items() if name not in left_out}


def _lines_by_fingerprint(rows: list[ConsentLine]) -> dict[str, int]:
    wanted = [row.fingerprint for row in rows]
    return dict(ConsentLine.objects.filter(fingerprint__in=wanted).values_list("fingerprint", "pk"))


def _activities(rows: list[ConsentLine], actor: str) -> Iterable[NewActivity]:
    for row in rows:
        kind = Kind(row.kind)
        name = "opened" if kind in OPT_INS else "closed" if kind in RESTRICTIONS else "noted"
        payload = {"kind": row.kind, "channel": row.channel, "topics": row.topics, "said_by": row.said_by}
        yield NewActivity(f"consent.{name}", actor, person_id=row.person_id, company_id=row.company_id, payload=payload)
