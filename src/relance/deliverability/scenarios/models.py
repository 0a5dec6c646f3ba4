"""The words of a scenario file. Its JSON Schema is made from these models; a key that is not here is refused with its line."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from relance.consent.policy import (
    Calendar,
    ClockPeriod,
    HoursText,
    LimitText,
    Pack,
    Strict,
    Words,
    Zone,
    Zones,
    as_list,
)
from relance.consent.statements import Audience, Channel, Kind, Purpose, Speaker

from ..contacts import Mode

MOMENT_SCHEMA = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$",
    "description": "2026-03-02T10:00:00+01:00; without an offset, at the file's zone; a day alone begins at midnight.",
}


def _as_moment(value: Any) -> Any:
    """Naive moments are given the file's zone later."""
    if not isinstance(value, str):
        raise ValueError(f"“{value}” is not a moment: write one such as 2026-03-02T10:00:00+01:00")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"“{value}” is not a moment: write one such as 2026-03-02T10:00:00+01:00") from None
    if not 1900 <= moment.year <= 2200:
        raise ValueError(f"“{value}” is not of our time: moments are from 1900 to 2200")
    return moment


Moment = Annotated[datetime, BeforeValidator(_as_moment), WithJsonSchema(MOMENT_SCHEMA)]
StatementKind = Literal[
    "given", "pending", "confirmed", "withdrawn", "objection", "complaint", "customer", "contract", "inquiry", "published", "notice",
    "listed", "delisted", "blocked", "unblocked", "number_blocked", "minor", "asked", "erased", "not_opted_out",
]  # fmt: skip
NEED_A_CHANNEL = frozenset({Kind.GIVEN, Kind.PENDING, Kind.CONFIRMED})
VerdictWord = Literal["allow", "defer", "deny"]


class ProofText(Strict):
    """Where an opt-in that was not made here comes from. All three, or it counts for nothing."""

    at: Moment | None = None
    how: str = ""
    source: str = ""


class StatementText(Strict):
    """One line of the ledger: what was said, when, by whom, about what."""

    kind: StatementKind = Field(description="not_opted_out is what a CRM's unticked box says: nothing.")
    person: str = Field(
        "", description="Under `statements:` of a file or scenario: whose. Left out: the only person there is."
    )
    company: str = Field("", description="Under `statements:` of a file or scenario: about a company instead.")
    at: Moment = Field(description="The time of the act.")
    recorded_at: Moment | None = Field(None, description="When it was written down; changes nothing.")
    channel: Channel | None = Field(None, description="Left out: all channels. An opt-in must name its own.")
    by: Speaker = Field(Speaker.PERSON, description="Who reports it. `person`: here, on our own form, page or call.")
    brand: str = ""
    form_brand: str = Field("", description="The brand of the form an opt-in was given on.")
    topics: Words = Field(default_factory=list, alias="topic")
    purposes: Annotated[list[Purpose], BeforeValidator(as_list)] = Field(default_factory=list, alias="purpose")
    address: str = Field("", description="Left out: the address held at that time.")
    how: str = Field("", description="form, page, paper, signed, mail (in writing), call, oral…")
    proof: ProofText | None = None
    requested_at: Moment | None = Field(None, description="Of a confirmation: the request it answers.")
    until: Moment | None = Field(
        None, description="The end of a contract, of a block, or of a consent by its own words."
    )
    told: bool = Field(False, description="A customer was told at collection, and could object.")
    for_nights: bool = Field(False, description="The consent is also for contacts at night.")
    registry: str = Field("", description="Of a listing: the do-not-call list.")
    wording: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> StatementText:
        if self.kind in NEED_A_CHANNEL and self.channel is None:
            raise ValueError(f"a statement “{self.kind}” names its channel: nobody consents to all of them by silence")
        if self.recorded_at and _later(self.at, self.recorded_at):
            raise ValueError(
                f"the act ({self.at.isoformat()}) is dated after it was recorded ({self.recorded_at.isoformat()})"
            )
        if self.requested_at and (self.kind != "confirmed" or _later(self.requested_at, self.at)):
            raise ValueError("requested_at belongs to a confirmation, and is not after it")
        if self.until and not _later(self.until, self.at):
            raise ValueError(f"it ends ({self.until.isoformat()}) before it begins ({self.at.isoformat()})")
        if bool(self.registry) != (self.kind in ("listed", "delisted")):
            raise ValueError("a listing names its registry, and nothing else does")
        if self.proof and self.kind not in ("given", "confirmed", "pending"):
            raise ValueError("a proof belongs to an opt-in: an opt-out counts without one")
        return self


class EventText(Strict):
    """Something that happened: to a person, or by a sender."""

    kind: Literal[
        "click", "reply", "purchase", "form", "open", "robot_click",
        "sent", "call", "refused", "delivered", "bounce", "hard_bounce", "soft_bounce", "block_bounce", "address_reset",
        "snooze", "absence", "address_changed", "merged", "imported",
    ]  # fmt: skip
    at: Moment
    person: str = ""
    channel: Channel | None = None
    by: str = Field("", description="Of a message: the sender. Of a change of address: person, or who made it.")
    purpose: Purpose = Purpose.MARKETING
    mode: Mode = Mode.AUTOMATIC
    brand: str = ""
    count: int = Field(1, ge=1, le=100_000, description="So many at the same moment.")
    code: str = Field("", description="Of a bounce: the status code, such as 5.1.1.")
    text: str = Field("", description="Of a bounce: the server's words. Of a reply: what the person wrote.")
    address: str = ""
    before: str = Field("", alias="from", description="Of a change: the old address.")
    after: str = Field("", alias="to", description="Of a change: the new address.")
    until: Moment | None = Field(None, description="The end of a snooze or absence.")
    into: str = Field("", description="Of a merge: the person who stays.")
    note: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> EventText:
        if self.kind in ("snooze", "absence") and (self.until is None or not _later(self.until, self.at)):
            raise ValueError(f"“{self.kind}” needs `until`, after `at`")
        if self.kind == "merged" and not self.into:
            raise ValueError("“merged” names the person who stays: `into`")
        if self.kind == "address_changed" and not (self.before and self.after):
            raise ValueError("“address_changed” needs `from` and `to`")
        if self.kind == "bounce" and not (self.code or self.text):
            raise ValueError(
                "“bounce” needs the server's `code` or `text`; or write hard_bounce, soft_bounce or block_bounce"
            )
        return self


class PersonText(Strict):
    """Somebody who may be contacted."""

    name: str
    country: str | None = Field(
        None, description="Two letters. Left out: the country of the policy named; null: unknown."
    )
    region: str = ""
    postcode: str = ""
    zone: Zones = Field(default_factory=list, alias="zones", description="When known; several: open in all of them.")
    audience: Audience | None = Field(
        None, description="Stated, so proved. Left out: from the address; unknown is b2c."
    )
    email: str | None = Field(
        "", description="An address, or null for none. Left out: there is one, and it does not matter which."
    )
    phone: str | None = ""
    mobile: str | None = ""
    linkedin: str | None = ""
    post: str | None = Field("", description="The postal address.")
    address_kind: Literal["named", "generic", "published"] | None = Field(
        None, description="Left out: info@ and the like are generic."
    )
    number_kind: Literal["mobile", "landline"] | None = None
    company: str = ""
    company_form: str = Field("", description="company, llp, public_body, sole_trader, partnership…")
    born: date | None = None
    collected_at: Moment | None = Field(None, description="When the person's data came in.")
    frequency: Annotated[list[LimitText], BeforeValidator(as_list)] = Field(
        default_factory=list, description="How often the person wants to hear from us."
    )
    statements: list[StatementText] = Field(default_factory=list)
    events: list[EventText] = Field(default_factory=list)
    note: str = ""


class CompanyText(Strict):
    name: str
    form: str = ""
    statements: list[StatementText] = Field(default_factory=list, description="blocked, unblocked.")


class SharedNumber(Strict):
    """A number that several people share, with what holds for all of them."""

    number: str
    statements: list[StatementText] = Field(
        default_factory=list, description="number_blocked, unblocked, listed, delisted."
    )


class RegistryFile(Strict):
    imported_at: Moment | None = Field(None, description="null: never imported.")
    listed: Words = Field(default_factory=list, description="Numbers or addresses on it.")


class SenderText(Strict):
    """A user in whose name messages leave. What is left out is as the policy says for senders."""

    name: str
    zone: Zone | None = None
    hours: HoursText | Literal["any"] | None = None
    calendar: Calendar | None = None
    daily_maximum: dict[Channel, Annotated[int, Field(ge=0)]] | None = Field(
        None, description="By channel; a number alone is of mails."
    )
    spacing: ClockPeriod | None = None
    absences: list[EventText] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _mails(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("daily_maximum"), int):
            return {**value, "daily_maximum": {"email": value["daily_maximum"]}}
        return value


class Expected(Strict):
    """What the gate must answer. Only what is written is checked."""

    verdict: VerdictWord
    reasons: Words | None = Field(
        None, description="Codes that must be among the reasons that stand in the way (or, if allowed, among all)."
    )
    all_reasons: Words | None = Field(None, description="Exactly the codes that stand in the way.")
    until: Moment | None = None
    basis: str | None = None
    must_contain: Words | None = Field(None, description="Words that must be among what the message must contain.")
    status: str | None = None


def _as_expected(value: Any) -> Any:
    return {"verdict": value} if isinstance(value, str) else value


class AskText(Strict):
    """A question to the gate."""

    question: str = Field("", description="In words, for the report.")
    at: Moment | None = Field(None, description="Left out: the moment of the scenario or file.")
    person: str = Field("", description="Left out: the only person there is.")
    channel: Channel | None = Field(None, description="Left out: that of the scenario; else email.")
    purpose: Purpose = Purpose.MARKETING
    topic: str = ""
    brand: str = ""
    industry: str = Field("", description="Of the offer, such as home_renovation.")
    offer: bool = Field(False, description="A service message with an offer in it.")
    related: bool = Field(True, description="The offer is like what the customer bought, or bears on the contract.")
    relevant: bool = Field(True, description="The offer bears on the person's work.")
    mode: Mode = Mode.AUTOMATIC
    by: str = Field("", description="The sender. Left out: whom the policy describes, if it does.")
    expect: Annotated[Expected | None, BeforeValidator(_as_expected)] = Field(
        None, description="allow, defer or deny; or a mapping with more."
    )


class Cast(Strict):
    """What a file and a scenario may both bring."""

    now: Moment | None = Field(None, alias="at", description="The moment of questions that give none.")
    people: list[PersonText] = Field(default_factory=list)
    companies: list[CompanyText] = Field(default_factory=list)
    statements: list[StatementText] = Field(default_factory=list, description="As under a person, each naming its own.")
    numbers: list[SharedNumber] = Field(default_factory=list)
    registries: dict[str, RegistryFile] = Field(
        default_factory=dict,
        description="Do-not-call files. One that is not named was imported today, and lists nobody but by statements.",
    )
    senders: list[SenderText] = Field(default_factory=list)
    events: list[EventText] = Field(default_factory=list)


class ScenarioText(Cast):
    """A story with its questions."""

    name: str = Field(alias="scenario")
    channel: Channel | None = None
    policy: str | Pack | list[str | Pack] | None = None
    ask: Annotated[list[AskText], BeforeValidator(as_list)] = Field(default_factory=list)


class ScenarioFile(Cast):
    """A file of scenarios, or one scenario by itself (`ask` beside `people`)."""

    name: str = Field("", alias="scenario")
    note: str = ""
    zone: Zone = Field("UTC", description="Of moments without offset, and of people whose zone nothing tells.")
    brand: str = Field("", description="The brand of statements and questions that name none.")
    channel: Channel | None = None
    policy: str | Pack | list[str | Pack] | None = Field(
        None,
        description="A pack's name (FR), a file, or the policy itself. Left out: the pack of each person's country.",
    )
    scenarios: list[ScenarioText] = Field(default_factory=list)
    ask: Annotated[list[AskText], BeforeValidator(as_list)] = Field(default_factory=list)


def _later(one: datetime, other: datetime) -> bool:
    """Where one has an offset and the other has none, nothing is known yet."""
    return (one.tzinfo is None) == (other.tzinfo is None) and one > other
