"""A connection's life is told by its events: who did what, when, and how it is undone."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from relance.crm.connection import (
    connection_state,
    create_connection,
    disconnect_connection,
    enable_connection,
    mark_broken,
    pause_connection,
    preview_pause,
    resume_connection,
)
from relance.crm.dialect import CrmMisconfigured
from relance.crm.models import Connection
from relance.crm.opening import secrets_of
from relance.crm.rules import ConnectionState, EventKind
from relance.lib import sql
from relance.workspace.models import User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def admin() -> User:
    return User.objects.create_user("aline@relance.example", name="Aline", role="admin")


@pytest.fixture
def connection(admin: User) -> Connection:
    return create_connection(
        "Salesforce",
        "https://acme.my.salesforce.example",
        login_method="client_credentials",
        client_id="3MVG9",
        client_secret="a secret nobody may read",
        by=admin,
        now=NOW,
    )


def test_a_secret_is_never_written_as_it_is_and_is_read_back_whole(connection):
    [row] = sql.select("SELECT secrets FROM crm_connection WHERE id = %s", [connection.pk])

    assert "nobody may read" not in row["secrets"]
    assert secrets_of(Connection.objects.get(pk=connection.pk)) == {"client_secret": "a secret nobody may read"}


def test_a_way_to_sign_in_without_its_secret_is_refused():
    with pytest.raises(ValidationError, match="needs it"):
        create_connection("X", "https://x.example", login_method="client_credentials", client_id="1", by=None, now=NOW)


def test_nothing_is_enabled_before_a_mapping_was_approved(connection, admin):
    with pytest.raises(ValidationError, match="approved"):
        enable_connection(connection, by=admin, now=NOW)


def test_a_disconnection_keeps_everything_and_is_undone_by_one_verb(connection, admin):
    from relance.crm.connection import add_event

    add_event(connection, EventKind.VERIFIED, by=admin, now=NOW)
    add_event(connection, EventKind.ENABLED, by=admin, now=NOW)

    disconnect_connection(connection, by=admin, why="the contract ends", now=NOW)
    assert connection_state(connection) is ConnectionState.DISCONNECTED
    resume_connection(connection, by=admin, now=NOW)

    assert connection_state(connection) is ConnectionState.ENABLED
    assert [event.by for event in connection.events.order_by("id")] == [admin] * 4


def test_a_pause_says_what_it_holds_back_before_it_is_made(connection, admin):
    effect = preview_pause(connection)

    assert (effect.waiting, effect.refused, effect.linked_people) == (0, 0, 0)


def test_a_broken_connection_says_its_first_word_once(connection, admin):
    error = CrmMisconfigured(code="INVALID_GRANT", message="inactive user")

    mark_broken(connection, error, now=NOW)
    mark_broken(connection, error, now=NOW)

    assert connection.events.filter(kind="broken").count() == 1
    assert connection_state(connection) is ConnectionState.BROKEN
    pause_connection(connection, by=admin, now=NOW)
    assert connection_state(connection) is ConnectionState.BROKEN


def test_every_change_of_a_connection_is_in_the_audit_log_without_its_secret(connection):
    entries = sql.select("SELECT after FROM audit_entry WHERE table_name = 'crm_connection'")

    assert entries[0]["after"]["name"] == "Salesforce"
    assert entries[0]["after"]["secrets"] == "***"
