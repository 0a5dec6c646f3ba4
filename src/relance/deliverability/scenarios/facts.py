"""From a story to the facts the gate decides on: what was said and had happened by the moment of the question."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from relance.consent.audiences import audience_of, is_mobile, is_role_address, normal_address
from relance.consent.packs import Law, Whose
from relance.consent.places import Place, days_off, find_place
from relance.consent.policy import SenderRules
from relance.consent.statements import (
    OPT_INS,
    RELATIONS,
    Act,
    ActKind,
    AddressChange,
    Channel,
    ConsentFacts,
    Kind,
    Proof,
    Question,
    Statement,
)

from ..bounces import BounceKind, MailEvent, MailEventKind, bounce_kind
from ..contacts import Contact, ContactFacts, ContactPolicy, Pause, Refusal, SenderFacts
from ..stop_words import asks_to_stop
from .models import AskText, EventText, PersonText, SenderText, StatementText
from .reading import Story

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("mobile", "phone"),
    Channel.WHATSAPP: ("mobile", "phone"),
    Channel.PHONE: ("phone", "mobile"),
    Channel.ROBOT_CALL: ("phone", "mobile"),
    Channel.LINKEDIN: ("linkedin",),
    Channel.POST: ("post",),
}
BOUNCES = {
    BounceKind.HARD: MailEventKind.HARD,
    BounceKind.SOFT: MailEventKind.SOFT,
    BounceKind.BLOCK: MailEventKind.BLOCK,
}
OPENING = OPT_INS | RELATIONS | {Kind.PENDING, Kind.ASKED}


@dataclass(frozen=True, slots=True)
class Posed:
    """A question ready for the gate."""

    facts: ContactFacts
    policy: ContactPolicy
    at: datetime


def pose(story: Story, ask: AskText) -> Posed:
    """The facts of one question, at its moment."""
    at = story.asked_at(ask)
    merges = _merges(story, at)
    name = ask.person or next(iter(story.people))
    survivor = _survivor(name, story, at)
    records = [survivor, *(record for record in merges if _survivor(record, story, at) == survivor)]
    channel = Channel(ask.channel or story.channel)
    person = story.people[survivor]
    question = _question(ask, channel, story)
    law = story.book.law_for(_country(person, story))
    place = _place(person, law, story, at)
    whose = _whose(person, question, place, story, at)
    facts = ContactFacts(
        question=question,
        consent=_consent_facts(story, records, merges, law, channel, at),
        mode=ask.mode,
        zones=place.zones,
        holidays=place.holidays,
        contacts=tuple(_contacts(story, _happened(story, records, at))),
        pauses=tuple(_pauses(story, _happened(story, records, at, planned=True), at)),
        refusals=tuple(
            Refusal(story.instant(e.at), e.channel or Channel.PHONE, _key(e.kind, e.at))
            for _record, e in _happened(story, records, at)
            if e.kind == "refused"
        ),
        wishes=tuple(limit.compiled("person") for record in records for limit in story.people[record].frequency),
        mail_events=tuple(_mail_events(story, _happened(story, records, at))),
        sender=_sender(story, ask, law, at),
    )
    policy = story.book.policy_for(whose, channel, question.meant)
    return Posed(facts, ContactPolicy(policy, law.caps), at)


def _question(ask: AskText, channel: Channel, story: Story) -> Question:
    return Question(
        channel=channel,
        purpose=ask.purpose,
        topic=ask.topic,
        brand=ask.brand or story.brand,
        industry=ask.industry,
        has_offer=ask.offer,
        is_related=ask.related,
        is_relevant=ask.relevant,
    )


# Who she is, and where.


def _country(person: PersonText, story: Story) -> str:
    """A country that is not written is the policy's own; one written as null is unknown."""
    if "country" in person.model_fields_set:
        return (person.country or "").upper()
    return story.country


def _place(person: PersonText, law: Law, story: Story, at: datetime) -> Place:
    return find_place(
        law,
        country=_country(person, story),
        region=person.region,
        postcode=person.postcode,
        zones=tuple(person.zone),
        other_zone=story.zone.key,
        year=at.year - 1,
    )


def _whose(person: PersonText, question: Question, place: Place, story: Story, at: datetime) -> Whose:
    country = _country(person, story)
    email = _held(person.name, Channel.EMAIL, story, at) or ""
    number = _held(person.name, question.channel, story, at) or ""
    audience, _why = audience_of(email, proved=person.audience, has_company=bool(person.company))
    kind = person.address_kind or ("generic" if is_role_address(email) else "named")
    mobile = is_mobile(number, country)
    if mobile is None and not person.phone and person.mobile:
        mobile = True
    number_kind = person.number_kind or ("" if mobile is None else "mobile" if mobile else "landline")
    company = story.companies.get(person.company)
    about = {
        "region": place.region,
        "address": kind,
        "number": number_kind,
        "industry": question.industry,
        "brand": question.brand,
        "topic": question.topic,
    }
    form = person.company_form or (company.form if company else "")
    return Whose(country, audience, form, tuple(sorted(about.items())))


def _held(name: str, channel: Channel, story: Story, at: datetime) -> str | None:
    """The address a person has on a channel at a moment: "" when it was not told, None when there is none."""
    changes = [change for change in _changes(story, name, channel) if change.at <= at]
    if changes:
        return changes[-1].after
    later = _changes(story, name, channel)
    if later:
        return later[0].before
    person = story.people[name]
    told = [getattr(person, field) for field in FIELDS.get(channel, ("email",))]
    first = next((address for address in told if address), "" if "" in told else None)
    return normal_address(first) if first else first


def _changes(story: Story, name: str, channel: Channel) -> list[AddressChange]:
    fields = FIELDS.get(channel, ())
    return sorted(
        (
            AddressChange(
                story.instant(e.at), normal_address(e.before), normal_address(e.after), e.by == "person", name
            )
            for _record, e in _events_of(story, [name])
            if e.kind == "address_changed" and FIELDS.get(e.channel or Channel.EMAIL, ())[:1] == fields[:1]
        ),
        key=lambda change: change.at,
    )


def _merges(story: Story, at: datetime) -> dict[str, datetime]:
    """For each record that went into another: since when it is part of the one that stays."""
    since: dict[str, datetime] = {}
    for name in story.merged:
        steps = _steps(name, story, at)
        if steps:
            since[name] = max(moment for moment, _into in steps)
    return since


def _survivor(name: str, story: Story, at: datetime) -> str:
    steps = _steps(name, story, at)
    return steps[-1][1] if steps else name


def _steps(name: str, story: Story, at: datetime) -> list[tuple[datetime, str]]:
    steps: list[tuple[datetime, str]] = []
    while name in story.merged:
        gone = [
            (story.instant(e.at), e.into)
            for record, e in _events_of(story, [name])
            if e.kind == "merged" and story.instant(e.at) <= at and e.into not in {into for _at, into in steps}
        ]
        if not gone:
            return steps
        steps.append(min(gone))
        name = steps[-1][1]
    return steps


# What was said.


def _consent_facts(
    story: Story, records: list[str], merges: dict[str, datetime], law: Law, channel: Channel, at: datetime
) -> ConsentFacts:
    statements = [said for record in records for said in _statements(story, record)]
    statements += _erased_elsewhere(story, records)
    address = _held(records[0], channel, story, at)
    statements += _listed(story, records[0], address, at)
    born = [story.people[record].born for record in records]
    return ConsentFacts(
        statements=tuple(statements),
        address=address,
        changes=tuple(change for record in records for change in _changes(story, record, channel)),
        acts=tuple(
            Act(ActKind(e.kind), story.instant(e.at), record)
            for record, e in _happened(story, records, at)
            if e.kind in set(ActKind)
        ),
        collected={
            record: story.instant(collected) for record in records if (collected := story.people[record].collected_at)
        },
        born=max((datetime.combine(day, time.min, story.zone) for day in born if day), default=None),
        merges=merges,
        registry_files=_files(story, law, at),
    )


def _statements(story: Story, record: str) -> list[Statement]:
    person = story.people[record]
    said = [
        _statement(story, text, record, f"{record}: ") for text in person.statements if text.kind != "not_opted_out"
    ]
    said = [_answering(one, said) for one in said]
    company = story.companies.get(person.company)
    said += [_statement(story, text, record, f"{company.name}: ") for text in company.statements] if company else []
    for shared in story.numbers:
        said += [
            replace(_statement(story, text, record, f"{shared.number}: "), address=normal_address(shared.number))
            for text in shared.statements
        ]
    if person.address_kind == "published":
        said.append(
            Statement(Kind.PUBLISHED, LONG_AGO, key=f"{record}: published address", brand=story.brand, record=record)
        )
    for _record, e in _events_of(story, [record]):
        channel = e.channel or Channel.EMAIL
        if e.kind == "reply" and e.text and asks_to_stop(e.text, channel):
            said.append(
                Statement(Kind.WITHDRAWN, story.instant(e.at), key=_key("reply", e.at), channel=channel, record=record)
            )
    return said


def _statement(story: Story, text: StatementText, record: str, named: str) -> Statement:
    kind, channel = Kind(text.kind), text.channel or Channel.ALL
    at = story.instant(text.at)
    proof = text.proof and Proof(text.proof.at and story.instant(text.proof.at), text.proof.how, text.proof.source)
    brand = (text.brand or text.form_brand or story.brand) if kind in OPENING else text.brand
    held = "" if channel is Channel.ALL or kind not in OPENING else _held(record, channel, story, at)
    return Statement(
        kind=kind,
        at=at,
        key=_key(named + text.kind, text.at),
        channel=channel,
        by=text.by,
        brand=brand,
        topics=frozenset(text.topics),
        purposes=frozenset(text.purposes),
        address=normal_address(text.address) if text.address else held or "",
        how=text.how,
        proof=proof or None,
        requested_at=text.requested_at and story.instant(text.requested_at),
        until=text.until and story.instant(text.until),
        is_told=text.told,
        is_for_nights=text.for_nights,
        registry=text.registry,
        record=record,
    )


def _answering(said: Statement, all_said: Iterable[Statement]) -> Statement:
    """A confirmation answers the latest request before it, and is for that request's address and topics."""
    if said.kind is not Kind.CONFIRMED or said.requested_at:
        return said
    requests = [
        one
        for one in all_said
        if one.kind is Kind.PENDING and one.channel is said.channel and one.brand == said.brand and one.at <= said.at
    ]
    if not requests:
        return said
    request = max(requests, key=lambda one: one.at)
    topics = said.topics & request.topics if said.topics and request.topics else said.topics or request.topics
    purposes = said.purposes or request.purposes
    return replace(said, requested_at=request.at, address=request.address, topics=topics, purposes=purposes)


def _erased_elsewhere(story: Story, records: list[str]) -> list[Statement]:
    """An address erased once is known again by its fingerprint, under whatever record it comes back."""
    mine = {address for record in records for address in _addresses(story.people[record])}
    return [
        replace(_statement(story, text, records[0], f"{other.name}: "), record=records[0])
        for other in story.erased
        if other.name not in records and mine & _addresses(other)
        for text in other.statements
        if text.kind == "erased"
    ]


def _addresses(person: PersonText) -> set[str]:
    told = (person.email, person.phone, person.mobile)
    return {normal_address(address) for address in told if address}


def _listed(story: Story, record: str, address: str | None, at: datetime) -> list[Statement]:
    return [
        Statement(
            Kind.LISTED,
            story.instant(file.imported_at) if file.imported_at else LONG_AGO,
            key=f"{name} file",
            registry=name,
            record=record,
        )
        for name, file in story.registries.items()
        if address and address in {normal_address(number) for number in file.listed}
    ]


def _files(story: Story, law: Law, at: datetime) -> dict[str, datetime]:
    """A list the story does not speak of was imported this moment: scenarios are about rules, not about files."""
    files = dict.fromkeys(_lists_of(law), at)
    for name, file in story.registries.items():
        if file.imported_at:
            files[name] = story.instant(file.imported_at)
        elif "imported_at" in file.model_fields_set:
            files.pop(name, None)
        else:
            files[name] = at
    return files


def _lists_of(law: Law) -> set[str]:
    return {name for line in law.lines for name in line.terms.registries or ()}


# What happened.


def _events_of(story: Story, records: list[str]) -> list[tuple[str, EventText]]:
    return [(record, event) for record in records for event in story.events_by_person[record]]


def _happened(story: Story, records: list[str], at: datetime, *, planned: bool = False) -> list[tuple[str, EventText]]:
    """The events by the moment of the question; with those already known for later, if they are `planned` ones."""
    return [(record, e) for record, e in _events_of(story, records) if planned or story.instant(e.at) <= at]


def _contacts(story: Story, events: list[tuple[str, EventText]]) -> Iterable[Contact]:
    for _record, e in events:
        if e.kind in ("sent", "call"):
            yield from [_contact(e, story.instant(e.at))] * e.count


def _contact(e: EventText, at: datetime) -> Contact:
    default = Channel.PHONE if e.kind == "call" else Channel.EMAIL
    return Contact(at, e.channel or default, e.purpose, e.mode, e.brand)


def _pauses(story: Story, events: list[tuple[str, EventText]], at: datetime) -> Iterable[Pause]:
    """An absence may be announced; a pause is not known before it is asked for."""
    for _record, e in events:
        known = e.kind == "absence" or (e.kind == "snooze" and story.instant(e.at) <= at)
        if known and e.until:
            yield Pause(
                story.instant(e.at),
                story.instant(e.until),
                is_absence=e.kind == "absence",
                channel=e.channel or Channel.ALL,
                brand=e.brand,
                key=_key(e.kind, e.at),
            )


def _mail_events(story: Story, events: list[tuple[str, EventText]]) -> Iterable[MailEvent]:
    for record, e in events:
        kind = BOUNCES[bounce_kind(e.code, e.text)] if e.kind == "bounce" else _MAIL_KINDS.get(e.kind)
        if kind:
            at = story.instant(e.at)
            address = normal_address(e.address) if e.address else _held(record, Channel.EMAIL, story, at) or ""
            for _one in range(e.count):
                yield MailEvent(kind, at, address, _key(e.kind, e.at))


_MAIL_KINDS = {kind.value: kind for kind in MailEventKind}


# In whose name.


def _sender(story: Story, ask: AskText, law: Law, at: datetime) -> SenderFacts | None:
    if not ask.by and not law.sender.model_fields_set:
        return None
    rules, own = law.sender, story.senders.get(ask.by)
    hours = _own(own, rules, "hours")
    zone = ZoneInfo(
        _own(own, rules, "zone") if (own and own.zone) or "zone" in rules.model_fields_set else story.zone.key
    )
    calendar = _own(own, rules, "calendar")
    absences = own.absences if own else []
    return SenderFacts(
        name=ask.by,
        zone=zone,
        week=None if hours == "any" else hours.compiled().week,
        holidays=days_off(calendar, "", "", at.year - 1),
        daily_maximum=_own(own, rules, "daily_maximum"),
        spacing=_own(own, rules, "spacing"),
        sent=tuple(_sent_by(story, ask.by, at)),
        absent=tuple(_pauses(story, [("", e) for e in absences], at)),
    )


def _own(own: SenderText | None, rules: SenderRules, name: str):  # type: ignore[no-untyped-def]
    stated = getattr(own, name) if own else None
    return getattr(rules, name) if stated is None else stated


def _sent_by(story: Story, name: str, at: datetime) -> Iterable[Contact]:
    for e in story.sent_by.get(name, ()):
        if story.instant(e.at) <= at:
            yield from [_contact(e, story.instant(e.at))] * e.count


def _key(what: str, at: datetime) -> str:
    return f"{what} {at.isoformat(' ', 'minutes')}"
