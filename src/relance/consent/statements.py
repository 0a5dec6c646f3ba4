"""What people said, and what was said of them: the ledger's lines as the rules read them. Nothing here is a flag. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

NEVER = datetime.max.replace(tzinfo=UTC)


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    ROBOT_CALL = "robot_call"  # a call by a machine: closed with the telephone, never opened by it
    WHATSAPP = "whatsapp"
    LINKEDIN = "linkedin"
    POST = "post"
    ALL = "all"  # in statements only


class Purpose(StrEnum):
    MARKETING = "marketing"
    SERVICE = "service"
    TRACKING = "tracking"  # opens and clicks counted for one person
    CONFIRMATION = "confirmation"  # the mail that asks to confirm an opt-in
    PERMISSION = "permission"  # a message that asks for consent


class Kind(StrEnum):
    """What a line of the ledger says."""

    GIVEN = "given"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    OBJECTION = "objection"
    COMPLAINT = "complaint"
    CUSTOMER = "customer"
    CONTRACT = "contract"
    INQUIRY = "inquiry"
    PUBLISHED = "published"
    NOTICE = "notice"
    LISTED = "listed"
    DELISTED = "delisted"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    NUMBER_BLOCKED = "number_blocked"
    MINOR = "minor"
    ASKED = "asked"
    ERASED = "erased"


class Speaker(StrEnum):
    """Who reports a statement. Only `person` means: here, on our own form, page or call, by the person."""

    PERSON = "person"
    SELLER = "seller"
    CRM = "crm"
    PROVIDER = "provider"
    IMPORT = "import"
    ADMIN = "admin"
    SYSTEM = "system"


class Audience(StrEnum):
    B2B = "b2b"
    B2C = "b2c"


class Status(StrEnum):
    UNKNOWN = "unknown"
    PENDING = "pending"
    OPTED_IN = "opted_in"
    IMPLIED = "implied"
    OPTED_OUT = "opted_out"
    EXPIRED = "expired"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


OPT_INS = frozenset({Kind.GIVEN, Kind.CONFIRMED})
OPT_OUTS = frozenset({Kind.WITHDRAWN, Kind.OBJECTION})
RELATIONS = frozenset({Kind.CUSTOMER, Kind.CONTRACT, Kind.INQUIRY, Kind.PUBLISHED, Kind.NOTICE})
# What closes a channel whoever reports it, and stands until something reopens it.
RESTRICTIONS = OPT_OUTS | {Kind.COMPLAINT, Kind.ERASED}
WRITTEN = frozenset({"form", "page", "paper", "signed", "mail", "import_written"})


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an opt-in that was not made here comes from: without date, way and source it counts for nothing."""

    at: datetime | None = None
    how: str = ""
    source: str = ""

    @property
    def is_complete(self) -> bool:
        return self.at is not None and bool(self.how.strip()) and bool(self.source.strip())


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the ledger. `at` is the time of the act; when it was recorded changes nothing.

    `address` is empty for the address held at that time. `record` names the record it was made on, for people merged since.
    `requested_at` belongs to a confirmation: the request it answers. `until` ends a contract, a block or a consent by its own words.
    """

    kind: Kind
    at: datetime
    key: str = ""
    channel: Channel = Channel.ALL
    by: Speaker = Speaker.PERSON
    brand: str = ""
    topics: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    address: str = ""
    how: str = ""
    proof: Proof | None = None
    requested_at: datetime | None = None
    until: datetime | None = None
    is_told: bool = False  # the person was told at collection, and could object
    is_for_nights: bool = False
    registry: str = ""
    record: str = ""

    @property
    def act_at(self) -> datetime | None:
        """The time of the act; None for an opt-in made elsewhere and not proved, which is no statement at all."""
        if self.kind not in OPT_INS or self.by is Speaker.PERSON:
            return self.at
        return self.proof.at if self.proof and self.proof.is_complete else None


@dataclass(frozen=True, slots=True)
class AddressChange:
    """The person's address on a channel became another one. Consent follows only when the person made the change."""

    at: datetime
    before: str
    after: str
    is_by_person: bool
    record: str = ""


class ActKind(StrEnum):
    """What a person did. Opens and the clicks of robots are no acts of hers."""

    CLICK = "click"
    REPLY = "reply"
    PURCHASE = "purchase"
    FORM = "form"
    OPEN = "open"
    ROBOT_CLICK = "robot_click"


LIVING_ACTS = frozenset({ActKind.CLICK, ActKind.REPLY, ActKind.PURCHASE, ActKind.FORM})


@dataclass(frozen=True, slots=True)
class Act:
    kind: ActKind
    at: datetime
    record: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What one wants to send: everything about it that a law looks at."""

    channel: Channel
    purpose: Purpose = Purpose.MARKETING
    topic: str = ""
    brand: str = ""
    industry: str = ""
    has_offer: bool = False  # an offer inside a service message makes it marketing
    is_related: bool = True  # the offer is similar to what the customer bought, or bears on the contract
    is_relevant: bool = True  # the offer bears on the person's work

    @property
    def meant(self) -> Purpose:
        """The purpose it really has."""
        carries_offer = self.has_offer and self.purpose in (Purpose.SERVICE, Purpose.CONFIRMATION)
        return Purpose.MARKETING if carries_offer else self.purpose


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """All that is known of one person for one question. `address` is the one of the question's channel, None when there is none.

    `collected` says when each record came in; `merges` since when a record is part of this person. `registry_files` has the date of
    each do-not-call file: a name that is missing was never imported.
    """

    statements: tuple[Statement, ...] = ()
    address: str | None = ""
    changes: tuple[AddressChange, ...] = ()
    acts: tuple[Act, ...] = ()
    collected: Mapping[str, datetime] = field(default_factory=dict)
    born: datetime | None = None
    merges: Mapping[str, datetime] = field(default_factory=dict)
    registry_files: Mapping[str, datetime] = field(default_factory=dict)


def covers_channel(statement: Statement, question: Question) -> bool:
    """Does an opening statement speak of this channel? A machine may call only where it was named."""
    if statement.channel is Channel.ALL:
        return question.channel is not Channel.ROBOT_CALL
    return statement.channel is question.channel


def closes_channel(statement: Statement, question: Question) -> bool:
    """Does a closing statement speak of this channel? Who closed the telephone closed it to machines too."""
    if statement.channel in (Channel.ALL, question.channel):
        return True
    return statement.channel is Channel.PHONE and question.channel is Channel.ROBOT_CALL


def covers(statement: Statement, question: Question) -> bool:
    """Is this consent about what is asked? Its brand exactly; its topics when it names any; its purposes, marketing by default."""
    return (
        covers_channel(statement, question)
        and statement.brand == question.brand
        and (not statement.topics or question.topic in statement.topics)
        and _purpose_asked(question) in (statement.purposes or {Purpose.MARKETING})
    )


def closes(statement: Statement, question: Question, together: frozenset[Channel] = frozenset()) -> bool:
    """Does this opt-out, objection, complaint or erasure stand before what is asked? `together` are closed by one word for all."""
    if statement.kind is Kind.ERASED:
        return True
    if statement.channel in together and question.channel in together and statement.kind in OPT_OUTS:
        return statement.brand in ("", question.brand)
    if not closes_channel(statement, question):
        return False
    if statement.kind is Kind.COMPLAINT:
        return True
    return (
        statement.brand in ("", question.brand)
        and (not statement.topics or question.topic in statement.topics)
        and (not statement.purposes or _purpose_asked(question) in statement.purposes)
    )


def said_by(statements: Iterable[Statement], at: datetime) -> tuple[Statement, ...]:
    """What counts at an instant, in the order of the acts: what is dated later, or not proved, is not there yet."""
    counted = [(statement.act_at, statement) for statement in statements]
    return tuple(s for act, s in sorted(((a, s) for a, s in counted if a and a <= at), key=lambda pair: pair[0]))


def acted(statement: Statement) -> datetime:
    """The time of an act that counts."""
    return statement.act_at or statement.at


def belongs_with(record: str, other: str, when: datetime, facts: ConsentFacts) -> bool:
    """Does what happened on one record then count for another? On the same one always, else only since the two became one person."""
    if record == other:
        return True
    merged = [facts.merges[name] for name in (record, other) if name in facts.merges]
    return when > max(merged, default=NEVER)


def _purpose_asked(question: Question) -> Purpose:
    """Asking for permission or to confirm is opened and closed by what is said about marketing."""
    return Purpose.TRACKING if question.meant is Purpose.TRACKING else Purpose.MARKETING
