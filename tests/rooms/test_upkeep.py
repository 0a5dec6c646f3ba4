"""The house's daily work: what has expired goes, what is in use stays."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection

from relance.lib.clock import utc_now
from relance.workspace.tasks import clear_expired_cache, clear_expired_sessions

pytestmark = pytest.mark.django_db


def test_sessions_that_ended_are_forgotten_and_open_ones_stay():
    stores = [SessionStore(), SessionStore()]
    for store in stores:
        store["user"] = 7
        store.save()
    Session.objects.filter(pk=stores[0].session_key).update(expire_date=utc_now() - timedelta(days=1))

    clear_expired_sessions.run()

    assert list(Session.objects.values_list("pk", flat=True)) == [stores[1].session_key]


def test_the_cache_is_a_table_all_processes_share_and_what_expired_is_forgotten():
    cache.set("kept", 1, 600)
    cache.set("gone", 1, 600)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cache_entry SET expires = now() - interval '1 minute' WHERE cache_key LIKE '%%gone'")

    assert clear_expired_cache.run() == 1
    assert cache.get("kept") == 1
    assert cache.get("gone") is None


def test_the_cache_has_the_layout_django_would_have_made():
    from io import StringIO

    from django.core.management import call_command

    said = StringIO()
    call_command("createcachetable", dry_run=True, stdout=said)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_name = 'cache_entry' ORDER BY ordinal_position"
        )
        assert cursor.fetchall() == [
            ("cache_key", "character varying", "NO"),
            ("value", "text", "NO"),
            ("expires", "timestamp with time zone", "NO"),
        ]
    assert "CREATE TABLE" not in said.getvalue()  # the migration made it
