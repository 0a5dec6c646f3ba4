"""What the sync asks of a CRM, whichever it is. One dialect per protocol answers it; nothing above this file knows a vendor's words.

Every method is one or a few calls over the wire, made now and in this thread. Reads may be repeated by the dialect. A write is sent
once: when its answer is lost the dialect raises `CrmOutcomeUnknown`, and the caller looks before it sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol

CrmValue = str | int | float | bool | None

MOST_ROWS_IN_A_CALL = 200


# ── What a CRM is made of ────────────────────────────────────────────────────────────────────────────────────────────


class FieldKind(StrEnum):
    """Kinds of field in our words. `OTHER` is shown to people, and never synced."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    REFERENCE = "reference"
    ID = "id"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OrgIdentity:
    """Which organisation answers, and as whom we speak to it. `org_id` is pinned at the first connection."""

    org_id: str
    name: str
    instance_url: str
    user_id: str
    username: str
    is_sandbox: bool


@dataclass(frozen=True, slots=True)
class PicklistValue:
    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field, as the connected user may see it. `required`: no row can be created without a value of ours."""

    name: str
    label: str
    kind: FieldKind
    length: int = 0
    scale: int = 0
    required: bool = False
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    unique: bool = False
    external_id: bool = False
    calculated: bool = False
    custom: bool = False
    restricted: bool = False  # a value outside `picklist` is refused
    picklist: tuple[PicklistValue, ...] = ()
    refers_to: tuple[str, ...] = ()
    relationship: str = ""  # the name under which a query reads through the reference: Account, Owner
    part_of: str = ""  # the compound field this one is a part of: MailingAddress, Name
    vendor_type: str = ""  # the CRM's own word, for people who look it up


@dataclass(frozen=True, slots=True)
class RecordTypeDescription:
    id: str
    name: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    name: str
    label: str
    custom: bool = False
    queryable: bool = True
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    mergeable: bool = False
    key_prefix: str = ""


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """One object with its fields. The `…_field` names say where a row keeps what every sync needs; empty when it keeps none."""

    name: str
    label: str
    fields: tuple[FieldDescription, ...]
    custom: bool = False
    key_prefix: str = ""
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    mergeable: bool = False
    id_field: str = "Id"
    stamp_field: str = ""
    deleted_field: str = ""
    merged_into_field: str = ""
    record_type_field: str = ""
    record_types: tuple[RecordTypeDescription, ...] = ()

    def field(self, name: str) -> FieldDescription | None:
        wanted = name.lower()
        return next((each for each in self.fields if each.name.lower() == wanted), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a snapshot; `from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, snapshot: Mapping[str, Any]) -> ObjectDescription:
        return cls(
            **{
                **snapshot,
                "fields": tuple(_field_from_json(each) for each in snapshot["fields"]),
                "record_types": tuple(RecordTypeDescription(**each) for each in snapshot["record_types"]),
            }
        )


def _field_from_json(snapshot: Mapping[str, Any]) -> FieldDescription:
    return FieldDescription(
        **{
            **snapshot,
            "kind": FieldKind(snapshot["kind"]),
            "picklist": tuple(PicklistValue(**value) for value in snapshot["picklist"]),
            "refers_to": tuple(snapshot["refers_to"]),
        }
    )


@dataclass(frozen=True, slots=True)
class Descriptions:
    """The answer to `describe`: what was read, what has not changed since, and what this user cannot see (by name, with the error)."""

    found: Mapping[str, ObjectDescription]
    unchanged: frozenset[str]
    missing: Mapping[str, CrmError]
    server_now: datetime | None


@dataclass(frozen=True, slots=True)
class CrmUser:
    id: str
    username: str
    email: str
    name: str
    active: bool
    federation_id: str = ""
    time_zone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class CrmQueue:
    """A queue that may own rows; `objects` are those it may own, empty when the CRM does not tell."""

    id: str
    name: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiUsage:
    used: int
    limit: int


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a read went: everything up to this stamp, and inside this stamp up to this id. An empty id means the stamp itself is unread.

    `token` is for CRMs that keep the place themselves.
    """

    stamp: datetime
    id: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows as they came, for staging as a set.

    `raw` is a JSON array of objects (`form == "json"`), or a CSV text with a header (`form == "csv"`). `cursor` is where to go on from
    once the page is kept; None when the order of the pages allows no restart in the middle. `server_now` is the CRM's clock as the
    read began, which is as far as a finished read may claim to have seen.
    """

    raw: bytes
    count: int
    cursor: Cursor | None
    last: bool
    server_now: datetime | None
    form: Literal["json", "csv"] = "json"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row met while looking for one of our keys."""

    id: str
    key: str
    changed_at: datetime | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    id: str
    deleted_at: datetime
    merged_into: str = ""  # the winner's id when the row lost a merge


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PushRow:
    """One row to write. `key` is our name for it, given back in the outcome; in an upsert it is the value of the external id.

    `crm_id` is needed by an update. A value of None clears the field.
    """

    key: str
    fields: Mapping[str, CrmValue]
    crm_id: str = ""


@dataclass(frozen=True, slots=True)
class RowError:
    """One refusal, word for word as the CRM gave it. `other_ids`: the rows it says are in the way, when it names them."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushOutcome:
    key: str
    ok: bool
    crm_id: str = ""
    created: bool = False
    errors: tuple[RowError, ...] = ()
    unknown: bool = False  # the answer about this row was lost: look before sending it again


@dataclass(frozen=True, slots=True)
class ConvertLead:
    """Turn a lead into a contact. Ids left empty let the CRM create what is missing; `owner_id` is needed when a queue owns the lead."""

    lead_id: str
    status: str
    account_id: str = ""
    contact_id: str = ""
    owner_id: str = ""
    opportunity_name: str = ""
    creates_opportunity: bool = False
    overwrites_source: bool = False
    notifies_owner: bool = False


@dataclass(frozen=True, slots=True)
class ConversionOutcome:
    lead_id: str
    ok: bool
    contact_id: str = ""
    account_id: str = ""
    opportunity_id: str = ""
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversionRow:
    """A lead somebody converted in the CRM, and what it became."""

    lead_id: str
    contact_id: str
    account_id: str
    opportunity_id: str
    at: datetime


# ── What goes wrong, by whose move it is ─────────────────────────────────────────────────────────────────────────────


class Layer(StrEnum):
    """Where a refusal comes from; the errors page groups by it."""

    CONNECTION = "connection"
    PERMISSION = "permission"
    SCHEMA = "schema"
    DATA = "data"
    REFERENCE = "reference"
    RULE = "rule"
    DUPLICATE = "duplicate"
    LIMIT = "limit"
    LOCK = "lock"
    UNKNOWN = "unknown"


class Move(StrEnum):
    """Who must act next."""

    OURS = "ours"  # nobody: we try again
    RELANCE_ADMIN = "relance_admin"
    CRM_ADMIN = "crm_admin"
    OWNER = "owner"  # whoever keeps this person's values
    VENDOR = "vendor"


class Retry(StrEnum):
    """Whether the same thing sent again can succeed."""

    LATER = "later"  # by itself, after a while
    AFTER_FIX = "after_fix"  # once somebody changed a setting, a right or a reference
    ON_CHANGE = "on_change"  # once this row's own values changed
    NEVER = "never"  # again does harm: locks the user out, revokes the grant


@dataclass(frozen=True, slots=True)
class KnownCode:
    """What is known of one of the CRM's codes; `remedy` is the key of our advice."""

    layer: Layer
    move: Move
    retry: Retry
    remedy: str


@dataclass(eq=False)
class CrmError(Exception):
    """A call that failed. `code`, `message` and `body` are the CRM's own; `remedy` is the key of our advice."""

    code: str
    message: str
    body: str = ""
    status: int = 0
    layer: Layer = Layer.UNKNOWN
    move: Move = Move.OURS
    remedy: str = ""
    retry: Retry = Retry.AFTER_FIX
    fields: tuple[str, ...] = ()
    during: str = ""  # the call in short: "PATCH composite/sobjects/Lead/Relance_Id__c"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


@dataclass(eq=False)
class CrmBusy(CrmError):
    """Ours to repeat, later. Nothing was written. With `whole_org`, every call to this CRM should wait."""

    retry_after: timedelta | None = None
    whole_org: bool = False


@dataclass(eq=False)
class CrmMisconfigured(CrmError):
    """Theirs: repeating changes nothing until somebody acts on the connection, the mapping or the CRM."""


@dataclass(eq=False)
class CrmRefused(CrmError):
    """This row's: the CRM understood, and said no."""


@dataclass(eq=False)
class CrmOutcomeUnknown(CrmError):
    """A write left and no answer came. It may have been done: look by external id before sending again.

    `keys` are the rows concerned. `makes_no_twin`: the same call again would find its own rows instead of creating others.
    """

    keys: tuple[str, ...] = ()
    makes_no_twin: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CallNote:
    """One exchange with the CRM, for the log and for the budget: never a secret, never a value of a person."""

    method: str
    path: str
    status: int  # 0 when no answer came
    milliseconds: int
    rows: int = 0
    error_code: str = ""
    usage: ApiUsage | None = None


CallListener = Callable[[CallNote], None]


# ── The protocol ─────────────────────────────────────────────────────────────────────────────────────────────────────


class CrmDialect(Protocol):
    """One connected CRM. Errors are only ever `CrmError`s."""

    vendor: ClassVar[str]

    def identity(self) -> OrgIdentity: ...

    def list_objects(self) -> tuple[ObjectSummary, ...]: ...

    def describe(self, names: Iterable[str], *, changed_since: datetime | None = None) -> Descriptions: ...

    def changed(
        self, about: ObjectDescription, fields: Sequence[str], *, since: Cursor | None = None, page_size: int = 2000
    ) -> Iterator[Page]:
        """Rows changed since the cursor, deleted ones included, ordered by (stamp, id).

        Always carries the id, stamp, deleted and merged-into fields of `about`. Ends with a page whose `last` is true, which may be
        empty. The caller steps back from its cursor for what became visible late, and tells repeated rows by (id, stamp).
        """
        ...

    def export(self, about: ObjectDescription, fields: Sequence[str], *, with_deleted: bool = False) -> Iterator[Page]:
        """Every row, in bulk, in no order: for a first read or a sweep of ids. Pages are CSV and have no cursor."""
        ...

    def count(self, name: str, *, since: Cursor | None = None, stamp_field: str = "") -> int: ...

    def read(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """Rows by id, as parsed JSON; None for those that are gone or hidden."""
        ...

    def find_by_external_id(self, name: str, external_field: str, values: Sequence[str]) -> tuple[FoundRow, ...]: ...

    def update(self, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        """At most `MOST_ROWS_IN_A_CALL` rows; outcomes in the order of the rows, good ones kept when others are refused."""
        ...

    def upsert(self, name: str, external_field: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        """As `update`, each row found or created by its key in the external field. Repeating one makes no twin."""
        ...

    def create(self, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        """As `update`, always creating: for a CRM that has no field for our key. Repeating one makes a twin."""
        ...

    def delete(self, ids: Sequence[str]) -> tuple[PushOutcome, ...]: ...

    def deletions(self, about: ObjectDescription, *, since: datetime) -> Iterator[DeletedRecord]: ...

    def conversions(self, *, since: datetime) -> Iterator[ConversionRow]: ...

    def convert_leads(self, leads: Sequence[ConvertLead]) -> tuple[ConversionOutcome, ...]: ...

    def users(self) -> tuple[CrmUser, ...]: ...

    def queues(self) -> tuple[CrmQueue, ...]: ...

    def usage(self) -> ApiUsage | None: ...

    def known(self, error: RowError) -> KnownCode:
        """Where a row's refusal comes from, and who must act."""
        ...

    def record_url(self, name: str, crm_id: str) -> str: ...

    def close(self) -> None: ...
