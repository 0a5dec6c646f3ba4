"""One worker of a soak run: cycles without end, in a time that runs fast, until it is killed.

`python -m relance.bench.soak_worker`; it is killed with -9 in the middle of anything, and so is its database.
"""

from __future__ import annotations

import time
from datetime import timedelta

from relance.cli.doors import start_django

PAUSE_SECONDS = 0.2
AN_HOUR = timedelta(hours=1)


def main() -> None:
    """Cycle after cycle; whatever the CRM or the database does to one, the next begins."""
    start_django()
    from django.db import DatabaseError, connections

    from relance.crm.dialect import CrmError
    from relance.crm.models import Connection
    from relance.crm.sync import SyncUnderWay, run_cycle

    while True:
        try:
            make_due()
            for connection in Connection.objects.all():
                run_cycle(connection)
        except (CrmError, SyncUnderWay, DatabaseError) as trouble:
            print(f"{type(trouble).__name__}: {trouble}", flush=True)
            if isinstance(trouble, DatabaseError):
                connections.close_all()
        time.sleep(PAUSE_SECONDS)


def make_due() -> None:
    """Pauses asked for are over, and broken connections are tried again: a run of minutes stands for a day."""
    from relance.crm.models import Connection, QueuedPush
    from relance.crm.recheck import recheck_connection
    from relance.lib.clock import utc_now

    now = utc_now()
    Connection.objects.exclude(waits_until=None).update(waits_until=None)
    QueuedPush.objects.filter(due_at__gt=now).update(due_at=now)
    for connection in Connection.objects.all():
        recheck_connection(connection, now=max(now, connection.rechecked_at or now) + AN_HOUR)


if __name__ == "__main__":
    main()
