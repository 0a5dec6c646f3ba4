"""A connection that has lived a little: approved, enabled, with runs, refusals and values put back. What the tests of the pages look at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from relance.activity.actions import NewActivity, append_activity
from relance.crm.connection import add_event
from relance.crm.models import Connection, CrmLink, KnownCrmUser, PushError, QueuedPush, SyncCursor, SyncRun
from relance.crm.rules import EventKind
from relance.lib.clock import utc_now
from relance.people.models import Person
from relance.workspace.models import Team, User, Workspace
from tests.rooms.crm_cast import connect, crm_id, map_objects


def workspace() -> None:
    Workspace.objects.get_or_create(id=1, defaults={"name": "Hexalis"})


def user(role: str, name: str = "", team: Team | None = None) -> User:
    name = name or role.title()
    return User.objects.create_user(
        f"{name.split()[0].lower()}@hexalis.example", name=name, role=role, team=team, language="en"
    )


def enabled_connection(by: User | None = None, **fields: Any) -> Connection:
    """Verified, mapped, approved and switched on."""
    now = utc_now()
    connection = connect(
        org_id="00D000000000001AAA",
        org_name="Hexalis SA",
        crm_username="sync@hexalis.example",
        described_at=now,
        **fields,
    )
    map_objects(connection)
    for kind in (EventKind.VERIFIED, EventKind.ENABLED):
        add_event(connection, kind, by=by, now=now - timedelta(hours=5))
    return connection


def has_run(
    connection: Connection,
    *,
    ago: timedelta = timedelta(minutes=1),
    state: str = "done",
    kind: str = "pull",
    object: str = "Lead",
    **counts: int,
) -> SyncRun:
    at = utc_now() - ago
    return SyncRun.objects.create(
        connection=connection, kind=kind, object=object, started_at=at, ended_at=at + timedelta(seconds=4), state=state, counts=counts,
        error_text="SERVER_UNAVAILABLE: down for maintenance" if state == "failed" else "",
    )  # fmt: skip


def has_read(connection: Connection, *, ago: timedelta = timedelta(seconds=41)) -> None:
    for object in ("Account", "Lead", "Contact"):
        at = utc_now() - ago
        SyncCursor.objects.create(connection=connection, object=object, stamp=at, is_initial=False, finished_at=at)


def link(connection: Connection, person: Person, short: str, owner: str = "") -> CrmLink:
    return CrmLink.objects.create(
        connection=connection, object="Lead", crm_id=crm_id(short), person=person, owner_crm_id=owner, linked_at=utc_now(), agreed_at=utc_now()
    )  # fmt: skip


def is_refused(
    connection: Connection,
    person: Person,
    *,
    code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    cause: str = "dq",
    message: str = "Disqualification reason is required",
    field: str = "DQ_Reason__c",
    at: datetime | None = None,
) -> PushError:
    at = at or utc_now() - timedelta(hours=2)
    QueuedPush.objects.create(
        connection=connection, subject="person", subject_id=person.pk, object="Lead", state="refused", queued_at=at, due_at=at
    )  # fmt: skip
    return PushError.objects.create(
        connection=connection, subject="person", subject_id=person.pk, object="Lead", code=code, message=message, fields=[field],
        body={"errors": [{"statusCode": code, "message": message, "fields": [field]}]}, cause_key=cause, payload_hash="x", first_at=at, last_at=at,
    )  # fmt: skip


def is_put_back(connection: Connection, person: Person, before: str, after: str, field: str = "phone") -> None:
    payload = {
        "field": field,
        "before": before,
        "after": after,
        "side": "relance",
        "crm": connection.name,
        "object": "Lead",
    }
    append_activity(
        NewActivity("crm.value_reverted", actor=f"connection:{connection.pk}", person_id=person.pk, payload=payload), now=utc_now()
    )  # fmt: skip


def knows_owner(connection: Connection, crm_id: str, name: str) -> None:
    KnownCrmUser.objects.create(
        connection=connection, crm_id=crm_id, name=name, email=f"{name.split()[0].lower()}@hexalis.example"
    )
