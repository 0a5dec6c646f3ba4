"""Looking again, on a schedule, at what no stamp tells: records that vanished or came into sight, and formulas that changed by themselves.

Once a week all ids of an object are read. A record emptied from the bin, or no longer shared with our user, leaves no trace in an
incremental read, nor does one that was shared with it since. Once a day the records are read again where a formula is mapped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext as _

from relance.lib import sql

from .dialect import CrmDialect, Page
from .merge import merge_pages
from .models import CrmLink, SyncCursor
from .plan import ObjectPlan
from .pull import MayGoOn, read_ahead
from .rules import may_unlink_vanished
from .runs import RunBook

SWEPT_EVERY = timedelta(days=7)
FORMULAS_READ_EVERY = timedelta(days=1)
MOST_ROWS_BY_PAGES = 2000  # beyond, one bulk job costs the CRM less
READ_AT_ONCE = 2000


def is_sweep_due(place: SyncCursor, *, now: datetime) -> bool:
    """A week after the first read ended, and each week from then."""
    return not place.is_initial and place.swept_at is not None and now - place.swept_at >= SWEPT_EVERY


def is_formula_reading_due(place: SyncCursor, plan: ObjectPlan, *, now: datetime) -> bool:
    """Is a formula mapped, and was it not read today?"""
    if place.is_initial or place.formulas_read_at is None or not any(each.crm.calculated for each in plan.fields):
        return False
    return now - place.formulas_read_at >= FORMULAS_READ_EVERY


def start_schedules(place: SyncCursor, *, now: datetime) -> None:
    """The first read has just seen all there was: the schedules begin there."""
    if not place.is_initial and (place.swept_at is None or place.formulas_read_at is None):
        place.swept_at, place.formulas_read_at = place.swept_at or now, place.formulas_read_at or now
        place.save(update_fields=["swept_at", "formulas_read_at"])


# ── The week's sweep ─────────────────────────────────────────────────────────────────────────────────────────────────


def sweep_object(book: RunBook, crm: CrmDialect, plan: ObjectPlan, place: SyncCursor, *, now: datetime) -> None:
    """Compare all ids with our links: what vanished is looked up and unlinked, what came into sight is read.

    Where very much vanished at once, a right was taken away more likely than the records: nothing is unlinked, and the run says so.
    """
    with transaction.atomic():
        _keep_ids(crm, plan)
        vanished, seen_first, linked = _compare(plan)
        gone = [id for id, row in crm.read(plan.object, vanished, [plan.about.id_field]).items() if row is None]
        if may_unlink_vanished(len(gone), linked):
            _merge(book, plan, [_tombstone(plan, id) for id in gone], now=now)
        else:
            book.run.error_code = "MANY_RECORDS_GONE"
            book.run.error_text = _(
                "%(gone)s of %(linked)s linked records are out of our user's sight. Nothing was unlinked: look at its rights in the CRM first."
            ) % {"gone": len(gone), "linked": linked}
        for start in range(0, len(seen_first), READ_AT_ONCE):
            rows = _rows(crm, plan, seen_first[start : start + READ_AT_ONCE])
            book.counts.read += len(rows)
            _merge(book, plan, rows, now=now)
        place.swept_at = now
        place.save(update_fields=["swept_at"])


def _keep_ids(crm: CrmDialect, plan: ObjectPlan) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS crm_swept (crm_id text, is_converted boolean) ON COMMIT DROP")
        for page in read_ahead(_all_ids(crm, plan)):
            ids, converted = [], []
            for row in _parsed(page):
                if str(row.get(plan.about.deleted_field) or "").lower() != "true":
                    ids.append(row[plan.about.id_field])
                    converted.append(str(row.get(plan.shape.converted_field) or "").lower() == "true")
            cursor.execute("INSERT INTO crm_swept SELECT * FROM unnest(%s::text[], %s::boolean[])", [ids, converted])


def _all_ids(crm: CrmDialect, plan: ObjectPlan) -> Iterator[Page]:
    about = plan.about
    names = [name for name in (plan.shape.converted_field,) if name and about.field(name)]
    if crm.count(plan.object, stamp_field=about.stamp_field) > MOST_ROWS_BY_PAGES:
        return crm.export(about, names)
    return crm.changed(about, names)


def _parsed(page: Page) -> Iterator[dict[str, Any]]:
    if page.form == "csv":
        return iter(csv.DictReader(io.StringIO(page.raw.decode("utf-8"))))
    return iter(json.loads(page.raw))


def _compare(plan: ObjectPlan) -> tuple[list[str], list[str], int]:
    rows = sql.rows("crm", "compare_swept", connection=plan.connection_id, object=plan.object)
    vanished = [row["crm_id"] for row in rows if row["what"] == "vanished"]
    seen_first = [row["crm_id"] for row in rows if row["what"] == "seen_first"]
    linked = CrmLink.objects.filter(
        connection_id=plan.connection_id, object=plan.object, deleted_at=None, converted_to=""
    ).count()
    return vanished, seen_first, linked


def _rows(crm: CrmDialect, plan: ObjectPlan, ids: list[str]) -> list[dict[str, Any]]:
    about = plan.about
    always = [about.id_field, about.stamp_field, about.deleted_field, about.merged_into_field]
    names = list(dict.fromkeys([*filter(None, always), *plan.names_to_read]))
    return [row for row in crm.read(plan.object, ids, names).values() if row]


def _tombstone(plan: ObjectPlan, id: str) -> dict[str, Any]:
    """Without a stamp: nobody knows when it went."""
    return {plan.about.id_field: id, plan.about.deleted_field: True}


def _merge(book: RunBook, plan: ObjectPlan, rows: list[dict[str, Any]], *, now: datetime) -> None:
    if rows:
        raw = json.dumps(rows).encode()
        book.counts.add_merged(merge_pages(plan, [raw], run_id=book.ledger_id, now=now))


# ── Formulas ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_formulas(
    book: RunBook, crm: CrmDialect, plan: ObjectPlan, place: SyncCursor, *, may_go_on: MayGoOn, now: datetime
) -> None:
    """Read every record again and compare it: a formula moves no stamp when it changes."""
    for page in read_ahead(crm.changed(plan.about, plan.names_to_read)):
        with transaction.atomic():
            if page.count:
                book.counts.add_merged(merge_pages(plan, [page.raw], run_id=book.ledger_id, now=now))
            book.save()
        if not may_go_on():
            return
    place.formulas_read_at = now
    place.save(update_fields=["formulas_read_at"])
