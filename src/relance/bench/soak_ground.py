"""A connection to the pretend CRM of a soak run, as an administrator would make it: connected, mapped, tried, approved, enabled."""

from __future__ import annotations

from dataclasses import replace

from relance.crm.connection import create_connection, enable_connection, verify_connection
from relance.crm.describing import refresh_descriptions
from relance.crm.drafts import suggest_mapping
from relance.crm.dry_run import dry_run
from relance.crm.mapping import approve_mapping, save_draft
from relance.crm.models import Connection
from relance.crm.opening import crm_opened
from relance.crm.rules import Creates
from relance.lib.clock import utc_now
from relance.workspace.models import User


def connect(told: dict[str, str]) -> tuple[Connection, User]:
    """Everything an administrator does once. People with an owner become leads."""
    admin = User.objects.create_user("soak@relance.example", name="Soak", role="admin")
    connection = create_connection(
        "Soak",
        told["http"],
        login_method="client_credentials",
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        by=admin,
    )
    verify_connection(connection, by=admin)
    with crm_opened(connection) as crm:
        refresh_descriptions(connection, crm, now=utc_now())
    drafts = [
        replace(draft, creates=Creates.OWNED) if draft.object == "Lead" else draft
        for draft in suggest_mapping(connection)
    ]
    mapping = save_draft(connection, drafts, by=admin)
    dry_run(mapping, by=admin)
    approve_mapping(mapping, admin)
    enable_connection(connection, by=admin)
    return connection, admin
