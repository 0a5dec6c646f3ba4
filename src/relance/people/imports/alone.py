"""One worker at a time on an import: a second one, started because the first seemed dead, finds it at work and leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from ..models import Import

LOCK_SPACE = 20_200  # of the two-number advisory locks, ours


@contextmanager
def alone_with(this: Import) -> Iterator[bool]:
    """True when this worker has the import for itself until the end; the database frees it when the worker dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, this.pk])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, this.pk])
