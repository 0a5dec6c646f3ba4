"""A broken connection is tried again by itself, less and less often, and goes on by itself when the CRM answers as it should."""

from __future__ import annotations

from datetime import datetime, timedelta

from relance.lib.clock import utc_now

from .connection import check_same_org, connection_state, mark_repaired
from .describing import keep_descriptions
from .dialect import CrmDialect, CrmError
from .errors import release_refused
from .mapping import approved_mapping
from .models import Connection, ConnectionEvent
from .opening import crm_opened
from .rules import ConnectionState, EventKind, is_recheck_due
from .shapes import SHAPES

LOOKED_BACK = timedelta(days=1)


def may_recheck(connection: Connection, *, now: datetime) -> bool:
    """Is the connection broken, and is it time to try it again?"""
    if connection_state(connection) is not ConnectionState.BROKEN:
        return False
    breaks = list(connection.events.filter(kind=EventKind.BROKEN.value).order_by("-id")[:20])
    last = breaks[0]
    same = [each for each in breaks if _is_same(each, last) and last.at - each.at < LOOKED_BACK]
    return is_recheck_due(
        last.at,
        connection.rechecked_at,
        same_breaks=len(same),
        retry=str(last.details.get("retry", "")),
        now=now,
    )


def _is_same(one: ConnectionEvent, other: ConnectionEvent) -> bool:
    return bool(one.details.get("code") == other.details.get("code"))


def recheck_connection(connection: Connection, *, now: datetime | None = None) -> bool:
    """Sign in, ask who answers, and see whether all that is mapped can be read. True when it works again: the next cycle goes on."""
    now = now or utc_now()
    if not may_recheck(connection, now=now):
        return False
    Connection.objects.filter(pk=connection.pk).update(rechecked_at=now)
    try:
        with crm_opened(connection) as crm:
            check_same_org(connection, crm.identity())
            _see_all_that_is_mapped(connection, crm, now=now)
    except CrmError:
        return False
    mark_repaired(connection, now=now)
    return True


def _see_all_that_is_mapped(connection: Connection, crm: CrmDialect, *, now: datetime) -> None:
    """What our user may see has perhaps changed: kept, so that the next cycle does not ask for what is gone."""
    mapping = approved_mapping(connection)
    names = [shape.object for shape in SHAPES[connection.dialect]]
    read = crm.describe(names)
    mapped = set(mapping.object_mappings.values_list("object", flat=True)) if mapping else set()
    for name, error in read.missing.items():
        if name in mapped:
            raise error
    changes = keep_descriptions(connection, read, now=now)
    release_refused(connection, {change.object for change in changes}, now=now)
