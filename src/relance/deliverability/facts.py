"""Reading what the gate decides on: for one person or for thousands, in one query, by the same code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from relance.consent.audiences import audience_of, is_mobile, is_role_address
from relance.consent.countries import country_code
from relance.consent.facts import OPENING, default_brand, read_moment, read_statement
from relance.consent.fingerprints import every_fingerprint
from relance.consent.house import book_in_force
from relance.consent.lines import Limit
from relance.consent.models import RegistryFile, Suppression
from relance.consent.packs import PolicyBook, Whose
from relance.consent.periods import read_period
from relance.consent.places import find_place
from relance.consent.statements import (
    Act,
    ActKind,
    AddressChange,
    Audience,
    Channel,
    ConsentFacts,
    Kind,
    Purpose,
    Question,
    Speaker,
    Statement,
)
from relance.lib import sql
from relance.workspace.models import User, Workspace
from relance.workspace.rules import week_from_json

from .bounces import MailEvent, MailEventKind
from .contacts import Contact, ContactFacts, ContactPolicy, Mode, Pause, Refusal, SenderFacts
from .models import SenderSettings, SentContact

LONGEST_LIMIT = timedelta(days=400)
_acts: dict[str, ActKind] = {}


def declare_act(activity_kind: str, act: ActKind) -> None:
    """From now on activities of this kind are acts of the person: signs of life, or (opens, robots) none."""
    _acts[activity_kind] = act


@dataclass(frozen=True, slots=True)
class Posed:
    """A question about one person, ready for the gate."""

    person_id: int
    facts: ContactFacts
    policy: ContactPolicy


def gather_contact(
    person_ids: Sequence[int],
    question: Question,
    *,
    at: datetime,
    mode: Mode = Mode.AUTOMATIC,
    by: User | None = None,
    book: PolicyBook | None = None,
) -> list[Posed]:
    """The facts of a question for each of these people, in their order; who is not there any more is left out."""
    brand = default_brand()
    asked = replace(question, brand=question.brand or brand)
    rows = sql.rows(
        "deliverability", "gather_contact", ids=list(person_ids), act_kinds=list(_acts), since=at - LONGEST_LIMIT
    )
    around = _Around(book or book_in_force(), _registry_files(), _suppressed(rows), _workspace_zone(), brand, at)
    sender = _sender(by, at) if by else None
    by_id = {row["id"]: row for row in rows}
    return [_posed(by_id[pk], asked, around, mode, sender) for pk in person_ids if pk in by_id]


@dataclass(frozen=True, slots=True)
class _Around:
    """What is the same for everybody."""

    book: PolicyBook
    files: Mapping[str, datetime]
    suppressed: Mapping[str, tuple[Kind, datetime]]
    zone: str
    brand: str  # of statements and questions that name none
    at: datetime


def _posed(row: dict[str, Any], question: Question, around: _Around, mode: Mode, sender: SenderFacts | None) -> Posed:
    country = country_code(row["country"]) or country_code(row["company_country"])
    law = around.book.law_for(country)
    profile = row["profile"] or {}
    place = find_place(
        law,
        country=country,
        region=row["state"] or "",
        postcode=row["postal_code"] or "",
        zones=tuple(profile.get("zones") or ()),
        other_zone=around.zone,
        year=around.at.year - 1,
    )
    address = _address(row, question.channel)
    whose = _whose(row, profile, country, place.region, address or "", question)
    facts = ContactFacts(
        question=question,
        consent=_consent(row, profile, address, question.channel, around),
        mode=mode,
        zones=place.zones,
        holidays=place.holidays,
        contacts=tuple(_contact(sent) for sent in row["contacts"] if read_moment(sent["at"]) <= around.at),
        pauses=tuple(_pause(quiet) for quiet in row["quiet"]),
        refusals=tuple(
            Refusal(read_moment(sent["at"]), Channel(sent["channel"]), f"contact {sent['id']}")
            for sent in row["contacts"]
            if sent["is_refused"]
        ),
        wishes=tuple(_wish(wish) for wish in row["wishes"]),
        mail_events=tuple(_mail_event(answer) for answer in row["answers"]),
        sender=sender,
    )
    policy = around.book.policy_for(whose, question.channel, question.meant)
    return Posed(row["id"], facts, ContactPolicy(policy, law.caps))


def _whose(
    row: dict[str, Any], profile: dict[str, Any], country: str, region: str, address: str, question: Question
) -> Whose:
    email = row["mail_key"] or ""
    proved = Audience(profile["audience"]) if profile.get("audience") else None
    audience, _why = audience_of(email, proved=proved, has_company=row["company_id"] is not None)
    mobile = is_mobile(address, country)
    if mobile is None and address and address == row["mobile_key"]:
        mobile = True
    about = {
        "region": region,
        "address": profile.get("address_kind") or ("generic" if is_role_address(email) else "named"),
        "number": profile.get("number_kind") or ("" if mobile is None else "mobile" if mobile else "landline"),
        "industry": question.industry,
        "brand": question.brand,
        "topic": question.topic,
    }
    return Whose(country, audience, profile.get("company_form") or "", tuple(sorted(about.items())))


def _address(row: dict[str, Any], channel: Channel) -> str | None:
    """Where a message of this channel would go; "" for the channels whose addresses are not kept here."""
    mail: str | None = row["mail_key"]
    phone: str | None = row["phone_key"]
    mobile: str | None = row["mobile_key"]
    match channel:
        case Channel.EMAIL:
            return mail
        case Channel.SMS | Channel.WHATSAPP:
            return mobile or phone
        case Channel.PHONE | Channel.ROBOT_CALL:
            return phone or mobile
        case _:
            return ""


# What was said.


def _consent(
    row: dict[str, Any], profile: dict[str, Any], address: str | None, channel: Channel, around: _Around
) -> ConsentFacts:
    record = str(row["id"])
    merged = [read_moment(one["at"]) for one in row["merges"]]
    lines = [read_statement(line, record=record, default_brand=around.brand) for line in row["lines"]]
    said = [_for_channel(line, channel) for line in lines]
    said += [_listing(listed, record) for listed in row["listings"]]
    said += _suppressions(row, record, around)
    born = profile.get("born")
    return ConsentFacts(
        statements=tuple(said),
        address=address,
        changes=tuple(
            AddressChange(read_moment(one["at"]), one["before"], one["after"], True, str(one["record_id"]))
            for one in row["changes"]
            if one["channel"] == channel.value
        ),
        acts=tuple(Act(_acts[act["kind"]], read_moment(act["at"]), str(act["record"])) for act in row["acts"]),
        collected={record: row["created_at"]},
        born=datetime.combine(date.fromisoformat(born), time.min, UTC) if born else None,
        merges={str(one["record"]): max(merged) for one in row["merges"]},
        registry_files=around.files,
    )


def _for_channel(said: Statement, channel: Channel) -> Statement:
    """What was said of every channel is tied to the e-mail address of then; that says nothing about a number."""
    is_elsewhere = said.channel is Channel.ALL and said.kind in OPENING and channel is not Channel.EMAIL
    return replace(said, address="") if is_elsewhere else said


def _listing(listed: dict[str, Any], record: str) -> Statement:
    return Statement(
        Kind.LISTED,
        read_moment(listed["at"]),
        key=f"file of {listed['registry']}",
        by=Speaker.IMPORT,
        address=listed["address"],
        registry=listed["registry"],
        record=record,
    )


def _suppressions(row: dict[str, Any], record: str, around: _Around) -> list[Statement]:
    found = [around.suppressed.get(address) for address in _addresses(row)]
    return [
        Statement(kind, at, key="suppression list", by=Speaker.SYSTEM, record=record)
        for kind, at in (one for one in found if one)
    ]


def _addresses(row: dict[str, Any]) -> list[str]:
    return [row[name] for name in ("mail_key", "phone_key", "mobile_key") if row[name]]


def _suppressed(rows: list[dict[str, Any]]) -> dict[str, tuple[Kind, datetime]]:
    """The addresses among these that are on the suppression list."""
    prints = {one: address for row in rows for address in _addresses(row) for one in every_fingerprint(address)}
    found = Suppression.objects.filter(fingerprint__in=list(prints)).values_list("fingerprint", "kind", "at")
    return {prints[one]: (Kind(kind), at) for one, kind, at in found}


def _registry_files() -> dict[str, datetime]:
    newest = RegistryFile.objects.order_by("registry", "-dated").distinct("registry")
    return dict(newest.values_list("registry", "dated"))


def _workspace_zone() -> str:
    return Workspace.objects.values_list("time_zone", flat=True).first() or "UTC"


# What happened.


def _contact(sent: dict[str, Any]) -> Contact:
    return Contact(
        read_moment(sent["at"]), Channel(sent["channel"]), Purpose(sent["purpose"]), Mode(sent["mode"]), sent["brand"]
    )


def _pause(quiet: dict[str, Any]) -> Pause:
    return Pause(
        read_moment(quiet["begins"]),
        read_moment(quiet["ends"]),
        is_absence=quiet["is_absence"],
        channel=Channel(quiet["channel"]),
        brand=quiet["brand"],
        key=f"pause {quiet['id']}",
    )


def _wish(wish: dict[str, Any]) -> Limit:
    return Limit(
        wish["at_most"], read_period(wish["per"]), frozenset(Channel(one) for one in wish["channels"]), "person"
    )


def _mail_event(answer: dict[str, Any]) -> MailEvent:
    return MailEvent(
        MailEventKind(answer["kind"]), read_moment(answer["at"]), answer["address"], f"answer {answer['id']}"
    )


def _sender(user: User, at: datetime) -> SenderFacts:
    """The user's own settings; the workspace's working hours where he has none."""
    settings = SenderSettings.objects.filter(pk=user.pk).first()
    workspace = Workspace.objects.first()
    zone = ZoneInfo(user.time_zone or (workspace.time_zone if workspace else "UTC"))
    days = (settings.week if settings and settings.week else None) or (workspace.working_days if workspace else None)
    since = datetime.combine(at.astimezone(zone).date() - timedelta(days=2), time.min, zone)
    sent = SentContact.objects.filter(user=user, at__gt=since, at__lte=at).values_list(
        "at", "channel", "purpose", "mode"
    )
    away = settings and settings.away_from and settings.away_until
    return SenderFacts(
        name=user.name or user.email,
        zone=zone,
        week=week_from_json(days) if days else None,
        daily_maximum={Channel(name): most for name, most in (settings.daily_maximum if settings else {}).items()},
        spacing=read_period(settings.spacing) if settings and settings.spacing else None,
        sent=tuple(Contact(when, Channel(c), Purpose(p), Mode(m)) for when, c, p, m in sent),
        absent=(Pause(settings.away_from, settings.away_until),) if away and settings else (),  # type: ignore[arg-type]
    )
