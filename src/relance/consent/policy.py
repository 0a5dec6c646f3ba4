"""Policies as files: what a pack may say, read strictly. A key nobody knows is refused with its place, never skipped.

`compile_pack` makes of a pack the dated lines the rules read; which of them speak of a question, `lines_about` says.
"""

from __future__ import annotations

from datetime import date, time
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import holidays
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from relance.workspace.rules import Span

from .lines import Basis, Hours, Limit, Need, PolicyLine, RegistryRule, Requests, Terms, Waiver
from .periods import Period, read_period
from .statements import Audience, Channel, Purpose


class Strict(BaseModel):
    """A part of a file: every key is known, nothing is guessed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True, coerce_numbers_to_str=True
    )


def as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple | set | frozenset) or value is None else [value]


def _as_period(value: Any) -> Any:
    return read_period(value) if isinstance(value, str) else value


@cache
def _zones() -> set[str]:
    return available_timezones()


@cache
def _calendars() -> dict[str, list[str]]:
    return holidays.list_supported_countries()


def _as_zone(value: Any) -> Any:
    if value not in _zones():
        raise ValueError(f"“{value}” is not a time zone: give one such as Europe/Paris")
    return value


PERIOD_SCHEMA = {"type": "string", "pattern": "^[0-9]+ ?(second|minute|hour|day|week|month|year)s?$"}
ClockPeriod = Annotated[Period, BeforeValidator(_as_period), WithJsonSchema(PERIOD_SCHEMA)]
Zone = Annotated[str, BeforeValidator(_as_zone)]
Words = Annotated[list[str], BeforeValidator(as_list)]
Zones = Annotated[list[Zone], BeforeValidator(as_list)]
AudienceName = Literal["b2b", "b2c", "any"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class HoursText(Strict):
    """Hours of the person's place: `mon-fri: 10:00-13:00, 14:00-20:00`. A day that is not named is closed."""

    week: dict[str, Words] = Field(
        description="Days (mon, mon-fri, sat…) to spans (09:00-20:00), start included, end excluded."
    )
    holidays: Literal["closed", "as_usual"] = Field("as_usual", description="What public holidays are.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Days may stand directly beside `holidays`."""
        if isinstance(value, dict) and "week" not in value:
            rest = {key: spans for key, spans in value.items() if key != "holidays"}
            return {"week": rest, **({"holidays": value["holidays"]} if "holidays" in value else {})}
        return value

    @model_validator(mode="after")
    def _readable(self) -> HoursText:
        self.compiled()
        return self

    def compiled(self) -> Hours:
        week: list[tuple[Span, ...]] = [()] * 7
        for name, spans in self.week.items():
            read = tuple(sorted((_span(text) for many in spans for text in many.split(",")), key=lambda s: s.opens))
            for day in _days(name):
                week[day] = tuple(sorted((*week[day], *read), key=lambda s: s.opens))
        return Hours(tuple(week), self.holidays == "closed")


def _days(name: str) -> list[int]:
    parts = [part.strip().lower()[:3] for part in name.split("-")]
    if len(parts) > 2 or any(part not in DAYS for part in parts):
        raise ValueError(f"“{name}” is not a day: write mon, sat, or mon-fri")
    first, last = DAYS.index(parts[0]), DAYS.index(parts[-1])
    if last < first:
        raise ValueError(f"“{name}” ends before it begins: the week starts on mon")
    return list(range(first, last + 1))


def _span(text: str) -> Span:
    opens, dash, closes = text.strip().partition("-")
    try:
        if not dash:
            raise ValueError
        ends = time.min if closes.strip() in ("24:00", "00:00") else time.fromisoformat(closes.strip())
        return Span(time.fromisoformat(opens.strip()), ends)
    except ValueError:
        raise ValueError(f"“{text}” is not a span of hours: write 09:00-20:00, the end after the start") from None


class LimitText(Strict):
    """At most so many contacts in any stretch of so long."""

    at_most: int = Field(ge=0)
    per: ClockPeriod
    channels: Annotated[list[Channel], BeforeValidator(as_list)] = Field(
        default_factory=list, description="Counted together; all channels when left out."
    )

    def compiled(self, by: str) -> Limit:
        return Limit(self.at_most, self.per, frozenset(self.channels), by)


class RegistryText(Strict):
    """A do-not-call list."""

    max_age: ClockPeriod | None = Field(None, description="A file older than that holds the calls.")
    consent: Literal["none", "later", "any"] = Field(
        "none", description="Which consent reopens: none, one later than the listing, any."
    )
    excepts: Annotated[list[Literal["customer", "contract", "inquiry"]], BeforeValidator(as_list)] = Field(
        default_factory=list
    )
    customer_lasts: ClockPeriod | None = None
    inquiry_lasts: ClockPeriod | None = None

    def compiled(self, name: str) -> RegistryRule:
        excepts = frozenset(Basis(word) for word in self.excepts)
        return RegistryRule(name, self.max_age, self.consent, excepts, self.customer_lasts, self.inquiry_lasts)


class When(Strict):
    """What must be so for the line to speak. All of it."""

    address: Annotated[list[Literal["named", "generic", "published"]] | None, BeforeValidator(as_list)] = None
    number: Annotated[list[Literal["mobile", "landline"]] | None, BeforeValidator(as_list)] = None
    company_form: Annotated[list[str] | None, BeforeValidator(as_list)] = None
    region: Annotated[list[str] | None, BeforeValidator(as_list)] = None
    industry: Annotated[list[str] | None, BeforeValidator(as_list)] = None
    brand: Annotated[list[str] | None, BeforeValidator(as_list)] = None
    topic: Annotated[list[str] | None, BeforeValidator(as_list)] = None

    def compiled(self) -> tuple[tuple[str, frozenset[str]], ...]:
        stated = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple((name, frozenset(words)) for name, words in stated if words)


AlsoName = Literal["customer", "contract", "inquiry", "published", "notice", "consent"]


class LineText(Strict):
    """One line of a policy. What it leaves out, a more general line says; what none says is asked as strictly as can be."""

    id: str = ""
    channels: Annotated[list[Channel], BeforeValidator(as_list)] = Field(alias="channel", min_length=1)
    audience: AudienceName = "any"
    purpose: Purpose = Purpose.MARKETING
    when: When = Field(default_factory=When)
    valid_from: date | None = None
    valid_to: date | None = Field(None, description="The last day, included.")
    need: Need | None = None
    also: Annotated[list[AlsoName] | None, BeforeValidator(as_list)] = Field(
        None, description="Grounds that are enough besides those of the need."
    )
    consent_lasts: ClockPeriod | None = Field(
        None, description="From the act, unless the consent says how long it holds."
    )
    written: bool | None = Field(None, description="Consent must be in writing.")
    customer_lasts: ClockPeriod | None = Field(
        None, description="From the last purchase, or from the end of the relation."
    )
    customer_told: bool | None = Field(None, description="The customer was told at collection and could object.")
    similar_only: bool | None = Field(None, description="To customers, offers like what they bought only.")
    contract_lasts_after_end: ClockPeriod | None = None
    contract_related: bool | None = Field(None, description="Under a contract, offers that bear on it only.")
    inquiry_lasts: ClockPeriod | None = None
    relevant_only: bool | None = Field(
        None, description="By notice or published address: offers that bear on the work only."
    )
    inactivity: ClockPeriod | None = Field(
        None, description="After so long without an act of the person every ground lapses."
    )
    hours: HoursText | Literal["any"] | None = None
    hours_waived_by: Waiver | None = None
    limits: Annotated[list[LimitText] | None, BeforeValidator(as_list)] = None
    after_refusal: ClockPeriod | None = Field(
        None, description="No contact for so long after the person refused on that channel."
    )
    registries: Words | None = None
    must_contain: Words | None = None
    requests: Requests | None = Field(None, description="May one write to ask for consent?")
    adult_age: int | None = Field(None, ge=0, le=25)
    source: str = ""
    confidence: Literal["A", "B", "C", "A/B"] = "C"
    comment: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> LineText:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(
                f"valid_to {self.valid_to} is before valid_from {self.valid_from}: the line would never speak"
            )
        return self

    def compiled(self, pack: str, number: int, layer: int) -> PolicyLine:
        wanted = frozenset(Audience) if self.audience == "any" else frozenset({Audience(self.audience)})
        return PolicyLine(
            id=f"{pack}/{self.id or number}",
            terms=self._terms(),
            channels=frozenset(Channel) if Channel.ALL in self.channels else frozenset(self.channels),
            audiences=wanted,
            purpose=self.purpose,
            conditions=self.when.compiled(),
            layer=layer,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            source=self.source,
            confidence=self.confidence,
        )

    def _terms(self) -> Terms:
        return Terms(
            need=self.need,
            also=None if self.also is None else frozenset(Basis(word) for word in self.also),
            consent_lasts=self.consent_lasts,
            is_written=self.written,
            customer_lasts=self.customer_lasts,
            is_customer_told=self.customer_told,
            is_similar_only=self.similar_only,
            contract_lasts_after_end=self.contract_lasts_after_end,
            is_contract_related=self.contract_related,
            inquiry_lasts=self.inquiry_lasts,
            is_relevant_only=self.relevant_only,
            inactivity=self.inactivity,
            hours=Hours() if self.hours == "any" else self.hours.compiled() if self.hours else None,
            hours_waived_by=self.hours_waived_by,
            limits=None if self.limits is None else tuple(limit.compiled("law") for limit in self.limits),
            after_refusal=self.after_refusal,
            registries=None if self.registries is None else tuple(self.registries),
            must_contain=None if self.must_contain is None else tuple(self.must_contain),
            requests=self.requests,
            adult_age=self.adult_age,
        )


class Region(Strict):
    """A part of a country with hours or holidays of its own."""

    zones: Zones = Field(default_factory=list)
    holidays: str = Field("", description="The subdivision of the holidays package.")
    names: Words = Field(default_factory=list, description="What else people write for it, such as Florida.")
    postcodes: Words = Field(default_factory=list, description="Beginnings of the postcodes.")


class Calendar(Strict):
    """Public holidays: of a country and subdivision, plus and minus days of one's own."""

    country: str = ""
    subdivision: str = ""
    add: list[date] = Field(default_factory=list)
    remove: list[date] = Field(default_factory=list)

    @model_validator(mode="after")
    def _known(self) -> Calendar:
        code = {"UK": "GB"}.get(self.country, self.country)
        if code and code not in _calendars():
            raise ValueError(
                f"no public holidays are known for “{self.country}”: give a country of two letters, such as FR"
            )
        if self.subdivision and code and self.subdivision not in _calendars()[code]:
            raise ValueError(f"“{self.subdivision}” is no part of {code} with holidays of its own")
        return self


class SenderRules(Strict):
    """When and how much a user sends: hours, public holidays, a daily maximum, the time between two mails."""

    zone: Zone = "UTC"
    hours: HoursText | Literal["any"] = "any"
    calendar: Calendar | None = None
    daily_maximum: dict[Channel, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="By channel; a number alone is of mails."
    )
    spacing: ClockPeriod | None = Field(None, description="Between two mails; a call or an SMS waits for none.")

    @model_validator(mode="before")
    @classmethod
    def _mails(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("daily_maximum"), int):
            return {**value, "daily_maximum": {"email": value["daily_maximum"]}}
        return value


class Confirmation(Strict):
    """Confirmed opt-in: how long a request may be confirmed, and how often the mail may be sent."""

    lifetime: ClockPeriod | None = None
    resends: LimitText | None = None
    reminders: int | None = Field(None, ge=0, le=3)
    reminder_after: ClockPeriod | None = None
    forget_after: ClockPeriod | None = None


class Pack(Strict):
    """A policy: the law of a country, of an industry or of a house."""

    pack: str = ""
    title: str = ""
    version: str = ""
    countries: Annotated[list[str], BeforeValidator(as_list)] = Field(
        default_factory=list, alias="country", description="Two-letter codes; none: for everybody."
    )
    extends: Words = Field(default_factory=list, description="Packs underneath, from general to particular.")
    zones: Zones = Field(
        default_factory=list, description="When nothing else is known of the person: open in all of them."
    )
    regions: dict[str, Region] = Field(default_factory=dict)
    calendar: Calendar | None = None
    confirmation: Confirmation = Field(default_factory=Confirmation)
    inactivity: ClockPeriod | None = Field(None, description="For every line that states none.")
    persons: Words = Field(default_factory=list, description="Company forms that count as private persons.")
    revoked_together: Annotated[list[Channel], BeforeValidator(as_list)] = Field(
        default_factory=list,
        description="Who takes back consent on one of these takes it back on all of them, whatever the topic.",
    )
    registries: dict[str, RegistryText] = Field(default_factory=dict)
    lines: list[LineText] = Field(default_factory=list)
    caps: Annotated[list[LimitText], BeforeValidator(as_list)] = Field(
        default_factory=list, description="The house's own limits per person."
    )
    sender: SenderRules = Field(
        default_factory=SenderRules, description="For every user who has no settings of his own."
    )
    comment: str = ""

    @model_validator(mode="after")
    def _once(self) -> Pack:
        ids = [line.id for line in self.lines if line.id]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(
                f"two lines are called {', '.join(twice)}: reasons name lines, so each has a name of its own"
            )
        return self


def compile_pack(pack: Pack, layer: int) -> tuple[PolicyLine, ...]:
    """The lines of a pack, with the inactivity of the pack where a line states none."""
    compiled = [line.compiled(pack.pack or "policy", number, layer) for number, line in enumerate(pack.lines, 1)]
    if pack.inactivity is None:
        return tuple(compiled)
    rest = Terms(inactivity=pack.inactivity)
    everyone = frozenset(Audience)
    general = PolicyLine(f"{pack.pack or 'policy'}/inactivity", rest, frozenset(Channel), everyone, layer=layer)
    return (general, *compiled)
