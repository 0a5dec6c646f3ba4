"""Reading the sync: one person's records with who is right about each field, and how a connection fares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relance.decisions.models import LedgerLine
from relance.lib import sql
from relance.people.catalogue import Subject

from .connection import connection_state, last_event
from .describing import description_of
from .drafts import draft_of
from .mapping import approved_mapping
from .models import (
    Connection,
    ConnectionEvent,
    CrmLink,
    DirtyField,
    KnownCrmUser,
    PushError,
    QueuedPush,
    SyncCursor,
    SyncRun,
)
from .rules import SENT, ConnectionState, Direction, FieldCode, LinkRole, RightSide
from .shapes import SHAPES

LINES_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class RecordLink:
    """One record of the CRM that stands for somebody, and where it is seen there."""

    link: CrmLink
    url: str

    @property
    def is_leading(self) -> bool:
        return self.link.role == LinkRole.LEADING and self.link.deleted_at is None


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Who is right about a field, and how the two sides stand: same, sending, kept or undecided."""

    field_key: str
    crm_field: str
    owner: RightSide
    direction: Direction
    standing: str
    crm_value: str | None = None
    last_code: str = ""
    last_decision_id: int | None = None


@dataclass(frozen=True, slots=True)
class SubjectInCrm:
    """A person (or company) in one CRM."""

    connection: Connection
    state: ConnectionState
    records: tuple[RecordLink, ...]
    fields: tuple[FieldSource, ...]
    push: QueuedPush | None
    errors: tuple[PushError, ...]
    read_until: datetime | None  # when all records of its object were last read to the end

    @property
    def leading(self) -> RecordLink | None:
        return next((record for record in self.records if record.is_leading), None)


def person_crm(person_id: int) -> list[SubjectInCrm]:
    """A person in every CRM she has a record in, or waits for one."""
    return _in_crm(Subject.PERSON, person_id)


def company_crm(company_id: int) -> list[SubjectInCrm]:
    """The same for a company."""
    return _in_crm(Subject.COMPANY, company_id)


def _in_crm(subject: Subject, subject_id: int) -> list[SubjectInCrm]:
    about: dict[str, Any] = {"subject": subject.value, "subject_id": subject_id}
    links = list(
        CrmLink.objects.filter(**{f"{subject.value}_id": subject_id}).select_related("connection").order_by("id")
    )
    pushes = {push.connection_id: push for push in QueuedPush.objects.filter(**about).select_related("connection")}
    connections = {link.connection_id: link.connection for link in links}
    connections |= {push.connection_id: push.connection for push in pushes.values()}
    errors = list(PushError.objects.filter(**about, resolved_at=None).order_by("-last_at"))
    told = []
    for id, connection in sorted(connections.items()):
        records = tuple(RecordLink(link, record_url(connection, link)) for link in links if link.connection_id == id)
        told.append(
            SubjectInCrm(
                connection,
                connection_state(connection),
                records,
                _sources(connection, subject, subject_id, records),
                pushes.get(id),
                tuple(error for error in errors if error.connection_id == id),
                _read_until(connection, records),
            )
        )
    return told


def _read_until(connection: Connection, records: Sequence[RecordLink]) -> datetime | None:
    leading = next((record.link for record in records if record.is_leading), None)
    place = SyncCursor.objects.filter(connection=connection, object=leading.object).first() if leading else None
    return place.finished_at if place else None


def record_url(connection: Connection, link: CrmLink) -> str:
    """Where a person sees this record in her browser."""
    return f"{connection.instance_url}/lightning/r/{link.object}/{link.crm_id}/view" if connection.instance_url else ""


def _sources(
    connection: Connection, subject: Subject, subject_id: int, records: Sequence[RecordLink]
) -> tuple[FieldSource, ...]:
    leading = next((record.link for record in records if record.is_leading), None)
    mapping = approved_mapping(connection)
    if leading is None or mapping is None:
        return ()
    draft = next((draft for draft in draft_of(mapping) if draft.object == leading.object), None)
    noted = {
        row.field_key: row
        for row in DirtyField.objects.filter(connection_id=connection.pk, subject=subject.value, subject_id=subject_id)
    }
    last = _last_reasons(subject, subject_id)
    return tuple(
        FieldSource(
            line.field_key,
            line.crm_field,
            line.owner,
            line.direction,
            _standing(noted.get(line.field_key)),
            noted[line.field_key].base if line.field_key in noted else None,
            *last.get(line.field_key, ("", None)),
        )
        for line in (draft.fields if draft else ())
    )


def _standing(noted: DirtyField | None) -> str:
    if noted is None:
        return "same"
    if noted.code is None:
        return "undecided"
    return "sending" if FieldCode(noted.code) in SENT else "kept"


def _last_reasons(subject: Subject, subject_id: int) -> dict[str, tuple[str, int]]:
    """The last reason given for each field, from the newest lines of the ledger."""
    kind = "sync" if subject is Subject.PERSON else "company_sync"
    lines = LedgerLine.objects.filter(subject=kind, subject_id=subject_id).order_by("-id")[:LINES_LOOKED_AT]
    found: dict[str, tuple[str, int]] = {}
    for line in lines:
        for key, code in zip(line.fields or [], line.codes or [], strict=False):
            found.setdefault(key, (FieldCode(code).code, line.pk))
    return found


# ── A connection ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ConnectionOverview:
    """How a connection fares: what its page, the command line and the doctor read."""

    connection: Connection
    state: ConnectionState
    event: ConnectionEvent | None
    missing: tuple[str, ...]  # objects and fields our user should see or write, and does not
    api_used: int | None
    api_limit: int | None
    lag: timedelta | None
    waiting: int
    refused: int
    linked_people: int
    linked_companies: int
    unmapped_users: int
    today: dict[str, int]
    runs: tuple[SyncRun, ...]
    waits_until: datetime | None


def overview(connection: Connection, now: datetime) -> ConnectionOverview:
    """Everything at one glance, read now."""
    figures = sql.rows("crm", "overview", connection=connection.pk, now=now)[0]
    runs = tuple(SyncRun.objects.filter(connection=connection).order_by("-id")[:20])
    oldest = figures["read_until"]
    return ConnectionOverview(
        connection=connection,
        state=connection_state(connection),
        event=last_event(connection),
        missing=missing_rights(connection),
        api_used=connection.api_used,
        api_limit=connection.api_limit,
        lag=max(now - oldest, timedelta()) if oldest else None,
        waiting=figures["waiting"],
        refused=figures["refused"],
        linked_people=figures["linked_people"],
        linked_companies=figures["linked_companies"],
        unmapped_users=KnownCrmUser.objects.filter(connection=connection, is_active=True, user=None).count(),
        today={name: int(figures[name]) for name in ("read", "new", "updated", "pushed", "reverted", "refusals")},
        runs=runs,
        waits_until=connection.waits_until if connection.waits_until and connection.waits_until > now else None,
    )


def missing_rights(connection: Connection) -> tuple[str, ...]:
    """What our user does not see or may not write though the mapping needs it: `Lead`, `Lead.Phone`."""
    mapping = approved_mapping(connection)
    if mapping is None:
        known = {shape.object for shape in SHAPES[connection.dialect]}
        return tuple(sorted(name for name in known if description_of(connection, name) is None))
    missing: list[str] = []
    for draft in draft_of(mapping):
        about = description_of(connection, draft.object)
        if about is None:
            missing.append(draft.object)
            continue
        for line in draft.fields:
            found = about.field(line.crm_field)
            if found is None or (line.direction is not Direction.FROM_CRM and not found.updateable):
                missing.append(f"{draft.object}.{line.crm_field}")
    return tuple(missing)
