"""From a connection to the client that speaks to its CRM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from django.conf import settings
from django.db import transaction

from relance.lib.clock import utc_now
from relance.workspace.sealed import opened

from .budget import count_calls
from .dialect import CallListener, CallNote, CrmDialect
from .models import Connection
from .rules import LoginMethod
from .salesforce.auth import ClientCredentials, Grant, JwtBearer, RefreshToken
from .salesforce.client import SalesforceClient, SalesforceSettings


def secrets_of(connection: Connection) -> dict[str, str]:
    """The connection's secrets. KeyIsGone when the key that sealed them is no longer given."""
    text = opened(connection.secrets)
    return dict(json.loads(text)) if text else {}


def open_crm(connection: Connection, *, listener: CallListener | None = None) -> CrmDialect:
    """A client for this connection. Nothing is sent yet; close it when done."""
    is_spent = connection.login_method == LoginMethod.REFRESH_TOKEN
    return SalesforceClient(
        SalesforceSettings(
            grant=_grant(connection),
            api_version=connection.api_version,
            ca_file=Path(connection.ca_file) if connection.ca_file else None,
            allow_private=settings.ALLOW_PRIVATE_ADDRESSES,
            expected_org_id=connection.org_id,
            auto_assign=connection.auto_assign,
        ),
        listener=listener,
        on_new_refresh_token=lambda token: _keep_refresh_token(connection.pk, token),
        refresh_turn=(lambda: _refresh_turn(connection.pk)) if is_spent else nullcontext,
    )


@contextmanager
def crm_opened(connection: Connection) -> Iterator[CrmDialect]:
    """A client, closed in the end; what its calls told of the API budget is kept with the connection."""
    usage = UsageKeeper(connection)
    client = open_crm(connection, listener=usage)
    try:
        yield client
    finally:
        client.close()
        keep_usage(connection)
        usage.count()


class UsageKeeper:
    """Listens to the calls for the budget they tell of."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._uncounted = 0

    def count(self) -> None:
        """Add the calls made since the last time to the hour's, where all workers count theirs."""
        calls, self._uncounted = self._uncounted, 0
        if self._connection.pk:
            count_calls(self._connection.pk, calls, now=utc_now())

    def __call__(self, note: CallNote) -> None:
        self._uncounted += 1
        if note.usage:
            self._connection.api_used, self._connection.api_limit = note.usage.used, note.usage.limit


def keep_usage(connection: Connection) -> None:
    """Write down the API budget last heard of."""
    if connection.pk and connection.api_limit is not None:
        Connection.objects.filter(pk=connection.pk).update(api_used=connection.api_used, api_limit=connection.api_limit)


def _grant(connection: Connection) -> Grant:
    kept = secrets_of(connection)
    match LoginMethod(connection.login_method):
        case LoginMethod.CLIENT_CREDENTIALS:
            return ClientCredentials(connection.login_url, connection.client_id, kept.get("client_secret", ""))
        case LoginMethod.JWT_BEARER:
            return JwtBearer(
                connection.login_url, connection.client_id, connection.username, kept.get("private_key", "")
            )
        case LoginMethod.REFRESH_TOKEN:
            return RefreshToken(
                connection.login_url,
                connection.client_id,
                kept.get("refresh_token", ""),
                kept.get("client_secret", ""),
            )


@contextmanager
def _refresh_turn(connection_id: int) -> Iterator[str | None]:
    """One process at a time spends the refresh token: the row stays locked until the new one is kept."""
    with transaction.atomic():
        row = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
        yield secrets_of(row).get("refresh_token")


def _keep_refresh_token(connection_id: int, token: str) -> None:
    row = Connection.objects.get(pk=connection_id)
    row.secrets = json.dumps({**secrets_of(row), "refresh_token": token})
    row.save(update_fields=["secrets"])
