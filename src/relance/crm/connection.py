"""The life of a connection: made, verified, enabled, paused, resumed, disconnected, and back again, each with author and date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from relance.lib.clock import utc_now
from relance.workspace.models import User

from .dialect import CrmError, CrmMisconfigured, Layer, Move, OrgIdentity
from .models import Connection, ConnectionEvent, CrmLink, QueuedPush, SyncRun
from .models import Mapping as FieldsMapping
from .opening import crm_opened, secrets_of
from .rules import (
    ConnectionFact,
    ConnectionState,
    EventKind,
    LoginMethod,
    MappingState,
    PushState,
    derive_connection_state,
)

SECRET_NAMES = ("client_secret", "private_key", "refresh_token")


def create_connection(
    name: str,
    login_url: str,
    *,
    login_method: LoginMethod | str,
    client_id: str,
    by: User | None,
    client_secret: str = "",
    private_key: str = "",
    refresh_token: str = "",
    username: str = "",
    ca_file: str = "",
    api_version: str = "66.0",
    dialect: str = "salesforce",
    now: datetime | None = None,
) -> Connection:
    """Write a connection down; nothing is called yet. ValidationError names the field that cannot be used."""
    connection = Connection(
        name=name.strip(),
        dialect=dialect,
        login_method=LoginMethod(login_method).value,
        login_url=login_url.strip().rstrip("/"),
        client_id=client_id.strip(),
        username=username.strip(),
        ca_file=ca_file.strip(),
        api_version=api_version,
        made_by=by,
        made_at=now or utc_now(),
    )
    given = {"client_secret": client_secret, "private_key": private_key, "refresh_token": refresh_token}
    connection.secrets = json.dumps({name: secret for name, secret in given.items() if secret})
    _check_secrets(connection, given)
    connection.full_clean()
    connection.save()
    return connection


def change_connection(connection: Connection, *, secrets: Mapping[str, str] | None = None, **fields: Any) -> Connection:
    """Correct how we sign in. Secrets left out, or empty, stay as they are. Verify the connection afterwards."""
    for name, value in fields.items():
        setattr(connection, name, value)
    if secrets:
        kept = {name: secret for name, secret in secrets.items() if name in SECRET_NAMES and secret}
        connection.secrets = json.dumps({**secrets_of(connection), **kept})
    connection.full_clean()
    connection.save()
    return connection


_NEEDED_SECRET = {
    LoginMethod.CLIENT_CREDENTIALS: "client_secret",
    LoginMethod.JWT_BEARER: "private_key",
    LoginMethod.REFRESH_TOKEN: "refresh_token",
}


def _check_secrets(connection: Connection, given: Mapping[str, str]) -> None:
    needed = _NEEDED_SECRET[LoginMethod(connection.login_method)]
    if not given[needed]:
        raise ValidationError({needed: _("This way to sign in needs it.")})
    if connection.login_method == LoginMethod.JWT_BEARER and not connection.username:
        raise ValidationError({"username": _("This way to sign in needs the name of the CRM user.")})


# ── Verifying ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_connection(connection: Connection, *, by: User | None, now: datetime | None = None) -> OrgIdentity:
    """Sign in, ask who answers, and pin the organisation. A CrmError says who must act; the refusal is kept as an event."""
    now = now or utc_now()
    try:
        with crm_opened(connection) as crm:
            identity = crm.identity()
        check_same_org(connection, identity)
    except CrmMisconfigured as error:
        mark_broken(connection, error, now=now)
        raise
    with transaction.atomic():
        _pin(connection, identity)
        broken = connection_state(connection) is ConnectionState.BROKEN
        add_event(connection, EventKind.VERIFIED, by=by, now=now, details={"username": identity.username})
        if broken:
            add_event(connection, EventKind.REPAIRED, by=by, now=now)
    return identity


def check_same_org(connection: Connection, identity: OrgIdentity) -> None:
    """Another organisation than the pinned one moves nothing."""
    if connection.org_id and identity.org_id[:15] != connection.org_id[:15]:
        raise CrmMisconfigured(
            code="ORG_SWAPPED",
            message=f"{identity.name} ({identity.org_id}) answers, and this connection belongs to {connection.org_name} ({connection.org_id}).",
            layer=Layer.CONNECTION,
            move=Move.RELANCE_ADMIN,
            remedy="org_swapped",
        )


def _pin(connection: Connection, identity: OrgIdentity) -> None:
    connection.org_id, connection.org_name = identity.org_id, identity.name
    connection.is_sandbox, connection.instance_url = identity.is_sandbox, identity.instance_url
    connection.crm_user_id, connection.crm_username = identity.user_id, identity.username
    connection.save(update_fields=["org_id", "org_name", "is_sandbox", "instance_url", "crm_user_id", "crm_username"])


def mark_broken(connection: Connection, error: CrmError, *, now: datetime) -> None:
    """Note that somebody must act, once: a connection that is broken already keeps its first word."""
    if connection_state(connection) is not ConnectionState.BROKEN:
        details = {
            "code": error.code,
            "message": error.message,
            "remedy": error.remedy,
            "move": error.move.value,
            "retry": error.retry.value,
        }
        add_event(connection, EventKind.BROKEN, by=None, now=now, why=str(error), details=details)


def mark_repaired(connection: Connection, *, now: datetime) -> None:
    """Note that a broken connection answers again."""
    if connection_state(connection) is ConnectionState.BROKEN:
        add_event(connection, EventKind.REPAIRED, by=None, now=now)


# ── States, as events ────────────────────────────────────────────────────────────────────────────────────────────────


def connection_state(connection: Connection) -> ConnectionState:
    """Its present state, derived from its events."""
    told = connection.events.order_by("id").values_list("kind", "at")
    return derive_connection_state(ConnectionFact(EventKind(kind), at) for kind, at in told)


def last_event(connection: Connection) -> ConnectionEvent | None:
    """The newest event, with its author."""
    return connection.events.select_related("by").order_by("-id").first()


def enable_connection(connection: Connection, *, by: User | None, now: datetime | None = None) -> None:
    """Let it move values. Needs an approved mapping and a connection that was verified."""
    if not connection.mappings.filter(state=MappingState.APPROVED.value).exists():
        raise ValidationError(_("Nothing moves before a mapping is approved: do its dry run and approve it first."))
    if connection_state(connection) is ConnectionState.NEW:
        raise ValidationError(_("The connection was never verified: verify it first."))
    add_event(connection, EventKind.ENABLED, by=by, now=now)


def pause_connection(connection: Connection, *, by: User | None, why: str = "", now: datetime | None = None) -> None:
    """Stop reading and sending, at once; changes go on being noted and wait. `resume_connection` undoes it."""
    add_event(connection, EventKind.PAUSED, by=by, why=why, now=now)


def resume_connection(connection: Connection, *, by: User | None, now: datetime | None = None) -> None:
    """Undo a pause, a disabling or a disconnection: everything that waited goes on from where it stood."""
    kind = _UNDONE_BY.get(connection_state(connection))
    if kind is not None:
        add_event(connection, kind, by=by, now=now)


_UNDONE_BY = {
    ConnectionState.PAUSED: EventKind.RESUMED,
    ConnectionState.DISABLED: EventKind.ENABLED,
    ConnectionState.DISCONNECTED: EventKind.RECONNECTED,
}


def disable_connection(connection: Connection, *, by: User | None, why: str = "", now: datetime | None = None) -> None:
    """Switch it off until somebody switches it on again; links and cursors stay."""
    add_event(connection, EventKind.DISABLED, by=by, why=why, now=now)


def disconnect_connection(
    connection: Connection, *, by: User | None, why: str = "", now: datetime | None = None
) -> None:
    """Leave the CRM: nothing is called any more. Links, cursors and secrets stay, so that it can be undone."""
    add_event(connection, EventKind.DISCONNECTED, by=by, why=why, now=now)


def add_event(
    connection: Connection,
    kind: EventKind,
    *,
    by: User | None,
    now: datetime | None = None,
    why: str = "",
    details: Mapping[str, Any] | None = None,
) -> ConnectionEvent:
    """Append an event; the state follows from it."""
    return ConnectionEvent.objects.create(
        connection=connection, kind=kind.value, at=now or utc_now(), by=by, why=why, details=dict(details or {})
    )


@dataclass(frozen=True, slots=True)
class PauseEffect:
    """What stopping a connection would hold back."""

    waiting: int
    refused: int
    linked_people: int
    linked_companies: int
    last_run_ended_at: datetime | None
    mapping_version: int | None


def preview_pause(connection: Connection) -> PauseEffect:
    """What pausing, disabling or disconnecting would hold back, counted now."""
    pushes = QueuedPush.objects.filter(connection=connection)
    links = CrmLink.objects.filter(connection=connection, deleted_at=None, role="leading")
    last = SyncRun.objects.filter(connection=connection).exclude(ended_at=None).order_by("-id").first()
    approved = FieldsMapping.objects.filter(connection=connection, state=MappingState.APPROVED.value).first()
    return PauseEffect(
        waiting=pushes.exclude(state=PushState.REFUSED.value).count(),
        refused=pushes.filter(state=PushState.REFUSED.value).count(),
        linked_people=links.exclude(person=None).count(),
        linked_companies=links.exclude(company=None).count(),
        last_run_ended_at=last.ended_at if last else None,
        mapping_version=approved.version if approved else None,
    )
