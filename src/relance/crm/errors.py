"""What the CRM refuses, by cause: who is held back, whose move it is, and another try when a person asks for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from relance.lib import sql
from relance.lib.clock import utc_now
from relance.workspace.models import User

from .models import Connection, PushError, QueuedPush
from .rules import SENT, PushState


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One cause, and how many subjects it holds back."""

    cause_key: str
    object: str
    code: str
    message: str
    fields: tuple[str, ...]
    subjects: int
    times: int
    first_at: datetime
    last_at: datetime


def error_groups(connection: Connection) -> list[ErrorGroup]:
    """The open refusals by cause, the one that holds back most first."""
    return [
        ErrorGroup(**{**row, "fields": tuple(row["fields"])})
        for row in sql.rows("crm", "error_groups", connection=connection.pk)
    ]


def retry_errors(
    connection: Connection,
    cause_key: str = "",
    *,
    ids: Sequence[int] = (),
    by: User | None,
    now: datetime | None = None,
) -> int:
    """Send the refused rows of a cause, or of these errors, once more though nothing changed. Returns how many will be sent."""
    now = now or utc_now()
    chosen = PushError.objects.filter(connection=connection, resolved_at=None)
    chosen = chosen.filter(cause_key=cause_key) if cause_key else chosen
    chosen = chosen.filter(pk__in=ids) if ids else chosen
    with transaction.atomic():
        subjects = set(chosen.values_list("subject", "subject_id"))
        again = 0
        for subject in {subject for subject, _ in subjects}:
            waiting = QueuedPush.objects.filter(
                connection=connection,
                subject=subject,
                subject_id__in=[id for kind, id in subjects if kind == subject],
                state=PushState.REFUSED.value,
            )
            again += waiting.update(
                state=PushState.WAITING.value,
                payload_hash="",
                due_at=now,
                priority=1,
                reason="",
                attempts=0,
                failures=0,
            )
    return again


def release_refused(connection: Connection, objects: Collection[str], *, now: datetime) -> int:
    """The CRM's description of these objects changed: what it refused there may pass now, and is sent once more. Returns how many."""
    if not objects:
        return 0
    # Somebody without a record yet waits under no object's name.
    refused = QueuedPush.objects.filter(
        connection=connection, state=PushState.REFUSED.value, object__in=[*objects, ""]
    ).update(state=PushState.WAITING.value, payload_hash="", due_at=now, priority=0, reason="", attempts=0, failures=0)
    sent = sorted(int(code) for code in SENT)
    return refused + sql.run("crm", "queue_again", connection=connection.pk, objects=list(objects), sent=sent, now=now)


def count_refused(connection: Connection) -> int:
    """How many people and companies the CRM refuses now."""
    return QueuedPush.objects.filter(connection=connection, state=PushState.REFUSED.value).count()
