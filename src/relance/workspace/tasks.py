"""What the workspace's house needs every day: the months of the big logs, and what has expired."""

from importlib import import_module

from django.conf import settings
from django.db import connection

from relance.lib.clock import utc_now
from relance.lib.partitions import make_partitions
from relance.lib.queue import periodic


@periodic("17 2 * * *", name="workspace.make_partitions")
def make_coming_partitions() -> list[str]:
    """Make the coming months of every log, three ahead."""
    return make_partitions(utc_now())


@periodic("41 3 * * *", name="workspace.clear_expired_sessions")
def clear_expired_sessions() -> None:
    """Forget the sessions that ended."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@periodic("51 3 * * *", name="workspace.clear_expired_cache")
def clear_expired_cache() -> int:
    """Forget the counters and answers whose time is over; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache_entry WHERE expires < %s", [utc_now()])
        return int(cursor.rowcount)
