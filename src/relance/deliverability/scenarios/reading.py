"""From files to stories: read, check, and say file and line of the first thing that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from relance.consent.packs import PolicyBook, PolicyRefused, first_mistake, parse_pack, shipped_book, shipped_packs
from relance.consent.policy import Pack
from relance.lib.marked_yaml import MarkedYaml, Place, YamlUnreadable, read_yaml, read_yaml_file

from .models import (
    AskText,
    CompanyText,
    EventText,
    PersonText,
    RegistryFile,
    ScenarioFile,
    ScenarioText,
    SenderText,
    SharedNumber,
)


class ScenarioRefused(Exception):
    """The writer's move: the message begins with file and line."""


@dataclass
class Story:
    """One scenario, with all the file brings to it, and where each question stands."""

    file: str
    name: str
    zone: ZoneInfo
    brand: str
    channel: str
    now: datetime | None
    book: PolicyBook
    country: str  # of people who state none: that of the policy named
    people: dict[str, PersonText]
    companies: dict[str, CompanyText]
    numbers: list[SharedNumber]
    registries: dict[str, RegistryFile]
    senders: dict[str, SenderText]
    events: list[EventText]
    asks: list[tuple[str, AskText]] = field(default_factory=list)

    @cached_property
    def events_by_person(self) -> dict[str, list[EventText]]:
        told = {name: list(person.events) for name, person in self.people.items()}
        for event in self.events:
            if event.person:
                told[event.person].append(event)
        return told

    @cached_property
    def sent_by(self) -> dict[str, list[EventText]]:
        """Messages and calls by the sender's name, "" where none is named."""
        told: dict[str, list[EventText]] = {}
        for event in (*self.events, *(event for person in self.people.values() for event in person.events)):
            if event.kind in ("sent", "call"):
                told.setdefault(event.by, []).append(event)
        return told

    @cached_property
    def merged(self) -> frozenset[str]:
        """Who ever went into somebody else."""
        return frozenset(n for n, told in self.events_by_person.items() if any(e.kind == "merged" for e in told))

    @cached_property
    def erased(self) -> tuple[PersonText, ...]:
        return tuple(p for p in self.people.values() if any(said.kind == "erased" for said in p.statements))

    def instant(self, moment: datetime) -> datetime:
        """A moment without offset is one of the file's zone."""
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def asked_at(self, ask: AskText) -> datetime:
        moment = ask.at or self.now
        assert moment is not None  # checked when read
        return self.instant(moment)


def read_scenario_file(path: Path, policy: PolicyBook | None = None) -> list[Story]:
    """The stories of a file. `policy` takes the place of those the file names. ScenarioRefused when it cannot be read."""
    try:
        return _stories(read_yaml_file(path), path.parent, policy)
    except (YamlUnreadable, PolicyRefused) as error:
        raise ScenarioRefused(str(error)) from None


def read_scenario_text(text: str, name: str = "scenario", policy: PolicyBook | None = None) -> list[Story]:
    """The stories of a text, as a page sends it."""
    try:
        return _stories(read_yaml(text, name), None, policy)
    except (YamlUnreadable, PolicyRefused) as error:
        raise ScenarioRefused(str(error)) from None


def policy_named(name: str, folder: Path | None = None) -> PolicyBook:
    """The book of a policy given by name (FR) or by file. PolicyRefused when there is none."""
    return PolicyBook(shipped_packs(), only=(_pack_named(name, folder),))


def _stories(marked: MarkedYaml, folder: Path | None, policy: PolicyBook | None) -> list[Story]:
    if not isinstance(marked.value, dict):
        raise ScenarioRefused(
            f"{marked.name}:1: a scenario file is a mapping, with `people:` and `ask:`, or `scenarios:`."
        )
    bare, policies = _without_policies(marked.value)
    try:
        file = ScenarioFile.model_validate(bare)
    except ValidationError as error:
        raise ScenarioRefused(first_mistake(error, marked)) from None
    general = policy or _book(policies.get(()), (), marked, folder)
    whole = ScenarioText.model_validate({"name": file.name or Path(marked.name).stem})
    parts: list[tuple[ScenarioText, Place]] = [
        (one, ("scenarios", number)) for number, one in enumerate(file.scenarios)
    ]
    stories = [
        _story(file, one, place, marked, policy or _book_of(policies, place, marked, folder) or general)
        for one, place in parts
    ]
    if file.ask:
        stories.insert(0, _story(file, whole, (), marked, general or shipped_book(), asks=file.ask))
    if not stories:
        raise ScenarioRefused(f"{marked.name}:1: nothing is asked: write `ask:`, or `scenarios:` with questions.")
    for story, (_one, place) in zip(stories[1:] if file.ask else stories, parts, strict=True):
        if not story.asks:
            raise ScenarioRefused(f"{marked.where(place)}: the scenario “{story.name}” asks nothing: write `ask:`.")
    _check(file, stories, marked)
    return stories


def _without_policies(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[Place, Any]]:
    """Policies are read by themselves: their mistakes are then told in their own words."""
    bare, policies = dict(value), dict[Place, Any]()
    if "policy" in bare:
        policies[()] = bare.pop("policy")
    if isinstance(bare.get("scenarios"), list):
        kept = []
        for number, one in enumerate(bare["scenarios"]):
            if isinstance(one, dict) and "policy" in one:
                policies["scenarios", number] = one["policy"]
                one = {key: said for key, said in one.items() if key != "policy"}
            kept.append(one)
        bare["scenarios"] = kept
    return bare, policies


def _book_of(policies: dict[Place, Any], place: Place, marked: MarkedYaml, folder: Path | None) -> PolicyBook | None:
    return _book(policies[place], place, marked, folder) if place in policies else None


def _book(said: Any, place: Place, marked: MarkedYaml, folder: Path | None) -> PolicyBook:
    if said is None:
        return shipped_book()
    where: Place = (*place, "policy")
    several = (
        [((*where, number), one) for number, one in enumerate(said)] if isinstance(said, list) else [(where, said)]
    )
    packs = []
    for at, one in several:
        if isinstance(one, dict):
            packs.append(parse_pack(marked, one, at))
        else:
            try:
                packs.append(_pack_named(str(one), folder))
            except PolicyRefused as error:
                raise ScenarioRefused(f"{marked.where(at)}: {error}") from None
    book = PolicyBook(shipped_packs(), only=tuple(packs))
    for pack in packs:
        for name in pack.extends:
            if name not in book.packs:
                raise ScenarioRefused(f"{marked.where((*where, 'extends'))}: there is no pack “{name}” to extend.")
    return book


def _pack_named(name: str, folder: Path | None) -> Pack:
    packs = shipped_packs()
    if name in packs:
        return packs[name]
    if name.upper() in packs:
        return packs[name.upper()]
    path = (folder or Path()) / name
    if not path.is_file():
        raise PolicyRefused(f"there is no policy “{name}”: no pack of that name is shipped, and no file either.")
    return parse_pack(read_yaml_file(path))


def _story(
    file: ScenarioFile,
    one: ScenarioText,
    place: Place,
    marked: MarkedYaml,
    book: PolicyBook,
    asks: list[AskText] | None = None,
) -> Story:
    alone = book.only[0].countries if len(book.only) == 1 else []
    story = Story(
        file=marked.name,
        name=one.name,
        zone=ZoneInfo(file.zone),
        brand=file.brand,
        channel=one.channel or file.channel or "email",
        now=one.now or file.now,
        book=book,
        country=alone[0] if alone else "",
        people={person.name: person for person in (*file.people, *one.people)},
        companies={company.name: company for company in (*file.companies, *one.companies)},
        numbers=[*file.numbers, *one.numbers],
        registries=file.registries | one.registries,
        senders={sender.name: sender for sender in (*file.senders, *one.senders)},
        events=[*file.events, *one.events],
    )
    _say(story, file, (), marked)
    if asks is None:
        _say(story, one, place, marked)
    for number, ask in enumerate(one.ask if asks is None else asks):
        story.asks.append((marked.where((*place, "ask", number)), ask))
    return story


def _say(story: Story, cast: ScenarioFile | ScenarioText, place: Place, marked: MarkedYaml) -> None:
    """Statements written beside people go to the person or company they name."""
    for number, said in enumerate(cast.statements):
        where = marked.where((*place, "statements", number))
        if said.company:
            if said.company not in story.companies:
                raise ScenarioRefused(f"{where}: no company is called “{said.company}” here.")
            company = story.companies[said.company]
            story.companies[said.company] = company.model_copy(update={"statements": [*company.statements, said]})
            continue
        if not said.person and len(story.people) != 1:
            raise ScenarioRefused(f"{where}: whose statement is it? Write `person:`.")
        name = said.person or next(iter(story.people))
        if name not in story.people:
            raise ScenarioRefused(f"{where}: nobody is called “{name}” here.")
        person = story.people[name]
        story.people[name] = person.model_copy(update={"statements": [*person.statements, said]})


# What cannot be, with its line.


def _check(file: ScenarioFile, stories: list[Story], marked: MarkedYaml) -> None:
    for story in stories:
        for where, ask in story.asks:
            _check_ask(story, ask, where)
    everywhere = [story.asked_at(ask) for story in stories for _where, ask in story.asks]
    _check_cast(file, (), stories[0], max(everywhere), marked)
    for number, one in enumerate(file.scenarios):
        story = stories[number + bool(file.ask)]
        _check_cast(one, ("scenarios", number), story, max(story.asked_at(ask) for _where, ask in story.asks), marked)


def _check_ask(story: Story, ask: AskText, where: str) -> None:
    if ask.at is None and story.now is None:
        raise ScenarioRefused(f"{where}: when is it asked? Write `at:` here, or once for the scenario or file.")
    if not story.people:
        raise ScenarioRefused(f"{where}: there is nobody to ask about: write `people:`.")
    if not ask.person and len(story.people) > 1:
        raise ScenarioRefused(f"{where}: about whom? Write `person:`, one of {', '.join(story.people)}.")
    if ask.person and ask.person not in story.people:
        raise ScenarioRefused(f"{where}: nobody is called “{ask.person}”: there are {', '.join(story.people)}.")
    if ask.by and ask.by not in story.senders:
        raise ScenarioRefused(f"{where}: no sender is called “{ask.by}”: describe the user under `senders:`.")
    if (ask.channel or story.channel) == "all":
        raise ScenarioRefused(f"{where}: a message goes by one channel, not by “all”.")


def _check_cast(
    cast: ScenarioFile | ScenarioText, place: Place, story: Story, last: datetime, marked: MarkedYaml
) -> None:
    for way, person in ((("people", n), person) for n, person in enumerate(cast.people)):
        where = (*place, *way)
        if person.country and not (len(person.country) == 2 and person.country.isalpha()):
            raise ScenarioRefused(
                f"{marked.where((*where, 'country'))}: “{person.country}” is not a country: write two letters, such as FR, or null when unknown."
            )
        _check_dated(person.statements, (*where, "statements"), story, last, marked)
        _check_dated(person.events, (*where, "events"), story, last, marked)
        _check_confirmations(person, where, story, marked)
        if person.company and story.companies and person.company not in story.companies:
            raise ScenarioRefused(f"{marked.where((*where, 'company'))}: no company is called “{person.company}” here.")
    for number, company in enumerate(cast.companies):
        _check_dated(company.statements, (*place, "companies", number, "statements"), story, last, marked)
    for number, shared in enumerate(cast.numbers):
        _check_dated(shared.statements, (*place, "numbers", number, "statements"), story, last, marked)
    _check_dated(cast.statements, (*place, "statements"), story, last, marked)
    _check_dated(cast.events, (*place, "events"), story, last, marked)
    for number, event in enumerate(cast.events):
        for name in (event.person, event.into):
            if name and name not in story.people:
                raise ScenarioRefused(f"{marked.where((*place, 'events', number))}: nobody is called “{name}” here.")


def _check_dated(parts: list[Any], place: Place, story: Story, last: datetime, marked: MarkedYaml) -> None:
    for number, part in enumerate(parts):
        moments = [part.at, *([part.proof.at] if getattr(part, "proof", None) and part.proof.at else [])]
        if any(story.instant(moment) > last for moment in moments):
            raise ScenarioRefused(
                f"{marked.where((*place, number))}: “{part.kind}” is dated {part.at.isoformat(' ')}, after every question asked "
                f"(the last on {last.isoformat(' ')}): it could change nothing. Correct the date, or ask later."
            )


def _check_confirmations(person: PersonText, place: Place, story: Story, marked: MarkedYaml) -> None:
    pending = [said for said in person.statements if said.kind == "pending"]
    for number, said in enumerate(person.statements):
        if said.kind != "confirmed" or not said.address or not pending or said.requested_at:
            continue
        if not any(one.address == said.address and one.channel == said.channel for one in pending):
            raise ScenarioRefused(
                f"{marked.where((*place, 'statements', number))}: it confirms {said.address}, for which nothing was requested: "
                "a confirmation is bound to the address of its request."
            )


def every_ask(stories: list[Story]) -> Iterator[tuple[Story, str, AskText]]:
    """Each question with its story and line."""
    for story in stories:
        for where, ask in story.asks:
            yield story, where, ask
