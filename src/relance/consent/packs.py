"""Which policy holds for whom: the packs that are shipped, those of the house, and how they lie on one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from relance.lib.marked_yaml import MarkedYaml, Place, read_yaml, read_yaml_file

from .lines import ConsentPolicy, Limit, PolicyLine, RegistryRule, lines_about
from .policy import Calendar, Pack, Region, SenderRules, compile_pack
from .statements import Audience, Channel, Purpose

STRICT = "strict"
GENERAL = (STRICT, "eu")  # the packs of no country
OTHER_NAMES = {"GB": "UK"}  # a pack is called by its country, but for this one


class PolicyRefused(Exception):
    """The writer's move: a policy says something it may not. The message begins with file and line."""


@dataclass(frozen=True, slots=True)
class Whose:
    """What decides which lines speak of somebody."""

    country: str = ""
    audience: Audience = Audience.B2C
    company_form: str = ""
    about: tuple[tuple[str, str], ...] = ()  # region, address, number, industry, brand, topic


@dataclass(frozen=True, slots=True)
class Law:
    """Packs laid on one another for one country: what holds there, from general to particular."""

    name: str
    lines: tuple[PolicyLine, ...]
    registries: Mapping[str, RegistryRule]
    persons: frozenset[str]
    revoked_together: frozenset[Channel]
    caps: tuple[Limit, ...]
    zones: tuple[str, ...]
    regions: Mapping[str, Region]
    calendar: Calendar | None
    sender: SenderRules
    packs: tuple[Pack, ...]


@dataclass
class PolicyBook:
    """Every pack by its name, the country each speaks for, and the house's own on top. Answers are kept: they are asked a thousand times."""

    packs: Mapping[str, Pack]
    house: tuple[Pack, ...] = ()
    only: tuple[Pack, ...] = ()  # policies that stand alone: each for everybody of its countries, or for everybody
    _laws: dict[str, Law] = field(default_factory=dict)
    _policies: dict[tuple[Any, ...], ConsentPolicy] = field(default_factory=dict)

    def law_for(self, country: str) -> Law:
        """The packs for a country; the strict one where no country, or no pack for it, is known."""
        if country not in self._laws:
            self._laws[country] = self._lay(self._chain(country), country)
        return self._laws[country]

    def audience_of(self, whose: Whose) -> Audience:
        """Sole traders and partnerships are persons where the law says so."""
        return Audience.B2C if whose.company_form in self.law_for(whose.country).persons else whose.audience

    def policy_for(self, whose: Whose, channel: Channel, purpose: Purpose) -> ConsentPolicy:
        """The lines that speak of a question, whatever the day."""
        key = (whose, channel, purpose)
        if key not in self._policies:
            self._policies[key] = self._policy(whose, channel, purpose)
        return self._policies[key]

    def _policy(self, whose: Whose, channel: Channel, purpose: Purpose) -> ConsentPolicy:
        law, strict = self.law_for(whose.country), self._lay([self.packs[STRICT]], "")
        asked = Purpose.TRACKING if purpose is Purpose.TRACKING else Purpose.MARKETING
        about = dict(whose.about) | {"company_form": whose.company_form}
        audience = self.audience_of(whose)
        policy = ConsentPolicy(
            lines=lines_about(law.lines, channel, audience, asked, about),
            strict=lines_about(strict.lines, channel, audience, asked, about),
            registries=law.registries,
            revoked_together=law.revoked_together,
            name=law.name,
        )
        for pack in law.packs:
            policy = _with_confirmation(policy, pack)
        return policy

    def _chain(self, country: str) -> list[Pack]:
        alone = next((pack for pack in self.only if not pack.countries or country in pack.countries), None)
        if alone:
            return [*self._below(alone), alone]
        named = self.packs.get(OTHER_NAMES.get(country, country)) if country else None
        named = named if named and country in named.countries else None
        base = [*self._below(named), named] if named else [self.packs[STRICT]]
        return [*base, *(pack for pack in self.house if not pack.countries or country in pack.countries)]

    def _below(self, pack: Pack, seen: frozenset[str] = frozenset()) -> list[Pack]:
        found: list[Pack] = []
        for name in pack.extends:
            if name not in self.packs or name in seen:
                raise PolicyRefused(
                    f"The policy {pack.pack or 'here'} extends “{name}”, which is no pack or extends itself."
                )
            under = self.packs[name]
            found += [*self._below(under, seen | {name}), under]
        return _once(found)

    def _lay(self, chain: list[Pack], country: str) -> Law:
        calendars = [pack.calendar for pack in chain if pack.calendar]
        zones = [pack.zones for pack in chain if pack.zones]
        return Law(
            name="+".join(f"{pack.pack or 'policy'}@{pack.version}" for pack in chain),
            lines=tuple(line for layer, pack in enumerate(chain) for line in compile_pack(pack, layer)),
            registries={name: rule.compiled(name) for pack in chain for name, rule in pack.registries.items()},
            persons=frozenset(form for pack in chain for form in pack.persons),
            revoked_together=frozenset(channel for pack in chain for channel in pack.revoked_together),
            caps=tuple(limit.compiled("house") for pack in chain for limit in pack.caps),
            zones=tuple(zones[-1]) if zones else (),
            regions={name: region for pack in chain for name, region in pack.regions.items()},
            calendar=calendars[-1] if calendars else (Calendar() if country else None),
            sender=_sender(chain),
            packs=tuple(chain),
        )


def _once(packs: Iterable[Pack]) -> list[Pack]:
    return list({pack.pack: pack for pack in packs}.values())


def _sender(chain: list[Pack]) -> SenderRules:
    stated: dict[str, Any] = {}
    for pack in chain:
        stated |= {name: getattr(pack.sender, name) for name in pack.sender.model_fields_set}
    return SenderRules.model_construct(**stated) if stated else SenderRules()


def _with_confirmation(policy: ConsentPolicy, pack: Pack) -> ConsentPolicy:
    said = pack.confirmation
    if said.lifetime:
        policy = replace(policy, confirmation_lasts=said.lifetime)
    return replace(policy, resends=said.resends.compiled("confirmation")) if said.resends else policy


class ShippedPacks(Mapping[str, Pack]):
    """The packs of Relance by name, each read when it is first asked for."""

    def __init__(self) -> None:
        self._folder = resources.files("relance.consent").joinpath("policies")
        names = sorted(entry.name.removesuffix(".yaml") for entry in self._folder.iterdir())
        self._files = {name if name in GENERAL else name.upper(): f"{name}.yaml" for name in names}
        self._read: dict[str, Pack] = {}

    def __getitem__(self, name: str) -> Pack:
        if name not in self._read:
            file = self._files[name]
            self._read[name] = parse_pack(read_yaml(self._folder.joinpath(file).read_text(encoding="utf-8"), file))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@cache
def shipped_packs() -> ShippedPacks:
    """The packs of Relance."""
    return ShippedPacks()


@cache
def shipped_book() -> PolicyBook:
    """The packs of Relance alone."""
    return PolicyBook(shipped_packs())


def parse_pack(marked: MarkedYaml, value: Any = None, place: Place = ()) -> Pack:
    """A pack from what a file says (all of it, or the part at a place). PolicyRefused names file and line of the first mistake."""
    said = marked.value if value is None else value
    try:
        return Pack.model_validate(said)
    except ValidationError as error:
        raise PolicyRefused(first_mistake(error, marked, place)) from None


def first_mistake(error: ValidationError, marked: MarkedYaml, place: Place = ()) -> str:
    """`file:line: what is wrong`, for people."""
    wrong = min(error.errors(), key=lambda one: _line(marked, (*place, *one["loc"])))
    where = (*place, *wrong["loc"])
    key = next((str(part) for part in reversed(wrong["loc"]) if isinstance(part, str)), "")
    match wrong["type"]:
        case "extra_forbidden":
            says = f"“{key}” is not a key that is known here"
        case "missing":
            says = f"“{key}” is missing"
        case "value_error":
            says = str(wrong["ctx"]["error"])
        case _:
            says = f"“{key}”: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}" + _given(wrong.get("input"))
    return f"{marked.where(where)}: {says}."


def _given(value: Any) -> str:
    return f", not “{value}”" if isinstance(value, str | int | float) and len(str(value)) < 80 else ""


def _line(marked: MarkedYaml, place: Place) -> int:
    return int(marked.where(place).rpartition(":")[2])


def read_pack_file(path: Path) -> Pack:
    """A pack kept in a file of one's own."""
    return parse_pack(read_yaml_file(path))
