"""Entry points of the queue: a cycle of one connection, and the minute's tick that asks for one of each."""

from __future__ import annotations

import logging

from relance.lib.clock import utc_now
from relance.lib.queue import periodic, task

from .connection import connection_state
from .dialect import CrmError
from .models import Connection, Mapping
from .recheck import may_recheck, recheck_connection
from .rules import ConnectionState
from .sync import SyncUnderWay, run_cycle

log = logging.getLogger(__name__)


def cycle_key(connection_id: int) -> str:
    """Under which a cycle waits in the queue: never twice."""
    return f"crm.sync:{connection_id}"


@task("sync", name="crm.sync_connection", attempts=1)
def sync_connection(connection_id: int) -> None:
    """One cycle. What ended it early is written down by then, and the next minute tries again."""
    connection = Connection.objects.get(pk=connection_id)
    try:
        run_cycle(connection)
    except SyncUnderWay:
        log.info("%s is being synced by another worker.", connection.name)
    except CrmError as error:
        log.warning("The sync of %s stopped: %s", connection.name, error)


@task("sync", name="crm.recheck", attempts=1)
def recheck(connection_id: int) -> None:
    """See whether a broken connection works again; the minute's tick then asks for its cycle."""
    recheck_connection(Connection.objects.get(pk=connection_id))


@task("sync", name="crm.dry_run", attempts=1)
def run_dry_run(mapping_id: int, user_id: int | None = None) -> None:
    """The dry run asked for on a page, which looks at the mapping until it is there."""
    from relance.workspace.models import User

    from .dry_run import dry_run

    mapping = Mapping.objects.select_related("connection").get(pk=mapping_id)
    by = User.objects.filter(pk=user_id).first() if user_id else None
    try:
        dry_run(mapping, by=by)
    except CrmError as error:
        Mapping.objects.filter(pk=mapping_id).update(dry_run={"error": str(error), "code": error.code})


@periodic("* * * * *", name="crm.tick", queue="sync")
def ask_for_cycles() -> None:
    """Each minute, a cycle for every enabled connection that has none waiting, and another try of the broken ones whose time has come."""
    for connection in Connection.objects.all():
        if connection_state(connection) is ConnectionState.ENABLED:
            sync_connection.defer_once(cycle_key(connection.pk), connection_id=connection.pk)
        elif may_recheck(connection, now=utc_now()):
            recheck.defer_once(f"crm.recheck:{connection.pk}", connection_id=connection.pk)
