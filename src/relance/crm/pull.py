"""Reading a CRM object: pages as they come, merged chunk by chunk, the place kept in the transaction that keeps the rows.

The read goes by the CRM's stamps and clock, never ours. It steps back ten minutes each time, because a row becomes visible
when its transaction ends and bears the stamp of when it began; rows met before are told by their stamp and passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connections, transaction

from relance.lib import sql
from relance.lib.clock import utc_now

from .dialect import CrmDialect, Cursor, Page
from .merge import CHUNK_ROWS, follow_conversions, merge_pages, settle_chunk
from .models import Connection, CrmLink, SyncCursor
from .plan import ObjectPlan
from .rules import RunState
from .runs import RunBook
from .shapes import SHAPES

OVERLAP = timedelta(minutes=10)
UNAGREED_AT_ONCE = 2000
CLOCKS_MAY_DIFFER_BY = timedelta(seconds=30)
Progress = Callable[[str, int, int | None], None]
MayGoOn = Callable[[], bool]
Anything = TypeVar("Anything")


def pull_object(
    book: RunBook, crm: CrmDialect, plan: ObjectPlan, *, progress: Progress, may_go_on: MayGoOn, now: datetime
) -> bool:
    """Read what changed since the last time, and merge it. False when it was told to stop before the end."""
    place = SyncCursor.objects.filter(connection_id=plan.connection_id, object=plan.object).first()
    since = _where_to_start(place)
    is_initial = place is None or place.is_initial
    book.run.cursor_before = _told(since)
    total = crm.count(plan.object, since=since, stamp_field=plan.about.stamp_field) if is_initial else None
    if total:
        progress(plan.object, 0, total)
    done, last, clock_ahead = 0, None, None
    for chunk in _chunks(read_ahead(crm.changed(plan.about, plan.names_to_read, since=since))):
        last = chunk[-1]
        clock_ahead = how_far_ahead(last.server_now, utc_now()) if clock_ahead is None else clock_ahead
        done += sum(page.count for page in chunk)
        if done and not is_initial:
            _follow_earlier_conversions(book, crm, plan, chunk, now=now)
        with transaction.atomic():
            if any(page.count for page in chunk):
                raw = [page.raw for page in chunk if page.count]
                by_our_clock = replace(plan, clock_ahead=clock_ahead)
                book.counts.add_merged(merge_pages(by_our_clock, raw, run_id=book.ledger_id, now=now))
            _keep_place(book, plan, last, is_initial=is_initial, now=now)
            book.save()
        progress(plan.object, done, total)
        if not last.last and not may_go_on():
            book.end(RunState.STOPPED, now=now)
            return False
    return True


def how_far_ahead(server_now: datetime | None, now: datetime) -> timedelta:
    """By how much the CRM's clock runs before ours; what an answer takes to travel is no difference."""
    ahead = server_now - now if server_now else timedelta()
    return ahead if abs(ahead) > CLOCKS_MAY_DIFFER_BY else timedelta()


def _where_to_start(place: SyncCursor | None) -> Cursor | None:
    """A first read that was cut goes on where it was; any other steps back a little."""
    if place is None:
        return None
    if place.is_initial:
        return Cursor(place.stamp, place.crm_id)
    return Cursor(place.stamp - OVERLAP)


def _keep_place(book: RunBook, plan: ObjectPlan, page: Page, *, is_initial: bool, now: datetime) -> None:
    """A read that reached the end has seen all there was when it began, by the CRM's clock."""
    reached = page.cursor
    if page.last and page.server_now and (reached is None or page.server_now > reached.stamp):
        reached = Cursor(page.server_now)
    if reached is None:
        return
    values: dict[str, Any] = {"stamp": reached.stamp, "crm_id": reached.id, "is_initial": is_initial and not page.last}
    if page.last:
        values["finished_at"] = now
    SyncCursor.objects.update_or_create(connection_id=plan.connection_id, object=plan.object, defaults=values)
    book.run.cursor_after = _told(reached)


def _told(cursor: Cursor | None) -> dict[str, str] | None:
    return {"stamp": cursor.stamp.isoformat(), "id": cursor.id} if cursor else None


def _follow_earlier_conversions(
    book: RunBook, crm: CrmDialect, plan: ObjectPlan, chunk: list[Page], *, now: datetime
) -> None:
    """A contact nobody is linked to may be a lead of ours, converted a second ago: asked before a second person is made of it."""
    leads = [shape for shape in SHAPES[plan.dialect] if shape.converts_to == plan.object]
    if not leads or not _has_unlinked(plan, chunk):
        return
    place = SyncCursor.objects.filter(connection_id=plan.connection_id, object=leads[0].object).first()
    if place is None:
        return
    pairs = [(row.lead_id, row.contact_id) for row in crm.conversions(since=place.stamp - OVERLAP) if row.contact_id]
    if pairs:
        with transaction.atomic():
            as_lead = _as_leads(plan)
            book.counts.converted += follow_conversions(as_lead, pairs, run_id=book.ledger_id, now=now)


def _as_leads(plan: ObjectPlan) -> ObjectPlan:
    shape = next(shape for shape in SHAPES[plan.dialect] if shape.converts_to == plan.object)
    return replace(plan, shape=shape)


def _has_unlinked(plan: ObjectPlan, chunk: list[Page]) -> bool:
    for page in chunk:
        ids = [row[plan.about.id_field] for row in json.loads(page.raw)]
        known = CrmLink.objects.filter(connection_id=plan.connection_id, crm_id__in=ids).count()
        if known < len(set(ids)):
            return True
    return False


# ── Records the pages did not bring ──────────────────────────────────────────────────────────────────────────────────


def read_unagreed(book: RunBook, crm: CrmDialect, plan: ObjectPlan, *, now: datetime) -> None:
    """Records that lead somebody and were never compared: a contact after a conversion, the winner of a merge."""
    links = CrmLink.objects.filter(
        connection_id=plan.connection_id, object=plan.object, role="leading", deleted_at=None, agreed_at=None
    )
    ids = list(links.order_by("id").values_list("crm_id", flat=True)[:UNAGREED_AT_ONCE])
    if not ids:
        return
    about = plan.about
    always = [about.id_field, about.stamp_field, about.deleted_field, about.merged_into_field]
    found = crm.read(plan.object, ids, list(dict.fromkeys([*filter(None, always), *plan.names_to_read])))
    gone = {about.id_field: "", about.deleted_field: True} if about.deleted_field else None
    rows = [row or {**(gone or {}), about.id_field: id} for id, row in found.items() if row or gone]
    with transaction.atomic():
        raw = json.dumps(rows).encode()
        book.counts.add_merged(merge_pages(plan, [raw], run_id=book.ledger_id, now=now))


def settle_changes(book: RunBook, plan: ObjectPlan, *, now: datetime) -> None:
    """Decide what changed here and no page brought up, chunk by chunk."""
    after: int | None = 0
    while after is not None:
        with transaction.atomic():
            merged, after = settle_chunk(plan, after=after, run_id=_ledger_if_needed(book, plan), now=now)
            book.counts.add_merged(merged)
    if not book.counts.is_idle:
        book.save()


def _ledger_if_needed(book: RunBook, plan: ObjectPlan) -> int | None:
    has_any = sql.rows("crm", "has_unsettled", connection=plan.connection_id, subject=plan.subject.value)
    return book.ledger_id if has_any else None


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_ahead(pages: Iterator[Anything]) -> Iterator[Anything]:
    """Fetch the next page while the caller merges this one: the wire never waits for the database."""
    nothing = object()
    with ThreadPoolExecutor(1, thread_name_prefix="crm-read") as reader:
        fetch: Callable[[], Any] = lambda: _released(lambda: next(pages, nothing))  # noqa: E731
        ahead = reader.submit(fetch)
        while (page := ahead.result()) is not nothing:
            ahead = reader.submit(fetch)
            yield page


def _released(fetch: Callable[[], Any]) -> Any:
    """A refreshed token is kept through this thread's own database connection, which must not outlive the page."""
    try:
        return fetch()
    finally:
        connections.close_all()


def _chunks(pages: Iterator[Page], rows: int = CHUNK_ROWS) -> Iterator[list[Page]]:
    chunk: list[Page] = []
    for page in pages:
        chunk.append(page)
        if page.last or sum(each.count for each in chunk) >= rows:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def forget_stamps(connection: Connection, objects: list[str]) -> None:
    """Read these objects again from the beginning, and compare every record: a new mapping looks at all of them anew."""
    SyncCursor.objects.filter(connection=connection, object__in=objects).delete()
    CrmLink.objects.filter(connection=connection, object__in=objects).exclude(crm_modified_at=None).update(
        crm_modified_at=None
    )
