"""The dry run: the same reading, the same decisions, the same writing, in a transaction that is undone. It counts and keeps examples."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db import transaction

from relance.lib import sql
from relance.lib.clock import utc_now
from relance.workspace.models import User

from .describing import is_description_stale, refresh_descriptions
from .dialect import CrmDialect
from .mapping import mapping_hash
from .merge import Merged, merge_pages
from .models import Mapping, QueuedPush
from .opening import crm_opened
from .plan import ObjectPlan, plans_of
from .pull import Progress
from .rules import VERDICTS, FieldCode
from .sync import refresh_users

RECORDS_READ = 2000  # of each object: one page, enough to see what a mapping does
EXAMPLES_KEPT = 20


def dry_run(
    mapping: Mapping,
    *,
    by: User | None = None,
    now: datetime | None = None,
    most_records: int = RECORDS_READ,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What this mapping would do, counted by reason with examples, and kept on it. Nothing else is written anywhere."""
    now = now or utc_now()
    connection = mapping.connection
    with crm_opened(connection) as crm:
        if is_description_stale(connection, now=now):
            refresh_descriptions(connection, crm, now=now)
        refresh_users(connection, crm)
        plans = plans_of(mapping)
        pages = {name: _read(crm, plan, most_records, progress) for name, plan in plans.items()}
    told = _try(plans, pages, now=now)
    told |= {"hash": mapping_hash(mapping), "at": now.isoformat(), "by": by.pk if by else None}
    mapping.dry_run = told
    mapping.save(update_fields=["dry_run"])
    return told


def _read(crm: CrmDialect, plan: ObjectPlan, most: int, progress: Progress | None) -> tuple[list[bytes], int]:
    """The first records of an object, and how many there are."""
    total = crm.count(plan.object)
    raw: list[bytes] = []
    read = 0
    for page in crm.changed(plan.about, plan.names_to_read):
        if page.count:
            raw.append(page.raw)
            read += page.count
        if progress:
            progress(plan.object, min(read, total), total)
        if read >= most:
            break
    return raw, total


def _try(plans: dict[str, ObjectPlan], pages: dict[str, tuple[list[bytes], int]], *, now: datetime) -> dict[str, Any]:
    objects: dict[str, Any] = {}
    with transaction.atomic():
        before = QueuedPush.objects.count()
        for name, plan in plans.items():
            raw, total = pages[name]
            done = merge_pages(plan, raw, run_id=None, now=now) if raw else Merged()
            objects[name] = {**_counted(done, total), "examples": _examples(plan) if raw else {}}
        to_send = QueuedPush.objects.count() - before
        transaction.set_rollback(True)
    return {"objects": objects, "to_send": to_send}


def _counted(done: Merged, total: int) -> dict[str, Any]:
    return {
        "total": total,
        "read": done.read,
        "new": done.new,
        "updated": done.updated,
        "reasons": dict(Counter(done.reasons).most_common()),
    }


def _examples(plan: ObjectPlan) -> dict[str, list[dict[str, Any]]]:
    """Up to twenty lines of each reason, of the last pages merged, with names: read before the transaction is undone."""
    text = sql.statement("crm", "dry_run_examples").replace("@subject@", plan.subject.value)
    named = "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email)" if plan.subject == "person" else "name"
    examples: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sql.select(text.replace("@named@", named), {"most": EXAMPLES_KEPT}):
        code = FieldCode(row.pop("code"))
        examples[code.code].append({**row, "verdict": VERDICTS[code].word})
    return dict(examples)
