"""The three-way merge of a chunk: stage → link → verdict → apply → dirty set → queue → ledger, in the caller's transaction.

The base of the merge is no copy: what we hold is what both sides agreed on, unless a row of the dirty set says otherwise. The
tables of a chunk are temporary, so that a process that dies leaves nothing behind.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from relance.activity.kinds import consumers_of
from relance.decisions.rules import Verdict
from relance.lib import sql
from relance.people.catalogue import Subject

from . import merge_sql
from .plan import ObjectPlan
from .rules import APPLIED, KEPT, REVERTED, SENT, VERDICTS, FieldCode
from .shapes import SHAPES
from .wording import comparing, reading

CHUNK_ROWS = 10_000
TEMPORARY = ("crm_stage", "crm_fresh", "crm_event", "crm_unsettled", "crm_verdict", "crm_line")
EVENT_TABLE = (
    "CREATE TEMP TABLE crm_event (subject_id bigint, link_id bigint, code text, verdict text, kind text, crm_id text, "
    "object text) ON COMMIT DROP"
)
NO_FRESH = "CREATE TEMP TABLE crm_fresh (crm_id text, subject_id bigint, is_new boolean) ON COMMIT DROP"
KINDS = ("crm.created", "crm.linked", "crm.updated", "crm.value_reverted", "crm.converted", "crm.deleted", "crm.merged")


@dataclass(slots=True)
class Merged:
    """What a merge did: records read, people made, and how often each reason was given (`crm.…`)."""

    read: int = 0
    new: int = 0
    updated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Merged) -> None:
        self.read += other.read
        self.new += other.new
        self.updated += other.updated
        self.reasons += other.reasons


def merge_pages(plan: ObjectPlan, pages: Sequence[bytes], *, run_id: int | None, now: datetime) -> Merged:
    """Merge the records of some pages. The caller holds the transaction; nothing of it is kept if that is undone."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A merge needs its caller's transaction.")
    with _marked(plan):
        return _merge_pages(plan, pages, run_id=run_id, now=now)


def _merge_pages(plan: ObjectPlan, pages: Sequence[bytes], *, run_id: int | None, now: datetime) -> Merged:
    _forget()
    _execute(EVENT_TABLE)
    _execute(merge_sql.stage_table(plan))
    fill = merge_sql.fill_stage(plan)
    read = sum(_execute(fill, page=page.decode("utf-8")) for page in pages)
    _follow_records(plan, now=now)
    _link_fresh(plan, now=now)
    merged = Merged(read=read, reasons=_tell_events(plan, run_id=run_id, now=now))
    _named(plan, "lock_staged", connection=plan.connection_id)
    _execute(_for(plan, merge_sql.verdict_of_stage(plan)), connection=plan.connection_id)
    merged.add(_apply(plan, run_id=run_id, now=now))
    _named(plan, "stamp_links", connection=plan.connection_id, now=now)
    return merged


def settle_chunk(
    plan: ObjectPlan, *, after: int, run_id: int | None, now: datetime, limit: int = CHUNK_ROWS
) -> tuple[Merged, int | None]:
    """Decide changes of ours that no page brought up. Returns what was done, and after whom to go on: None at the end."""
    _forget()
    _execute(NO_FRESH)
    _named(
        plan,
        "find_unsettled",
        connection=plan.connection_id,
        subject=plan.subject.value,
        object=plan.object,
        keys=[each.key for each in plan.fields],
        email_taken=int(FieldCode.EMAIL_TAKEN),
        after=after,
        limit=limit,
    )
    [found] = sql.select("SELECT count(*) AS times, max(subject_id) AS last FROM crm_unsettled")
    if not found["times"]:
        return Merged(), None
    _execute(_for(plan, merge_sql.verdict_of_dirty(plan)), connection=plan.connection_id)
    with _marked(plan):
        merged = _apply(plan, run_id=run_id, now=now)
    return merged, found["last"] if found["times"] == limit else None


def follow_conversions(plan: ObjectPlan, pairs: Iterable[tuple[str, str]], *, run_id: int | None, now: datetime) -> int:
    """Move the lead of people whose lead became a contact, given as (lead id, contact id). Returns how many were followed."""
    _forget()
    _execute(EVENT_TABLE)
    followed = _follow_conversions(plan, list(pairs), now=now)
    _tell_events(plan, run_id=run_id, now=now)
    return followed


# ── The steps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _follow_records(plan: ObjectPlan, *, now: datetime) -> None:
    """Merges, deletions and conversions come before the values: they say whose record a row is."""
    told = sql.select(
        "SELECT crm_id, converted_to, is_deleted, merged_into <> '' AS is_merged FROM crm_stage "
        "WHERE is_deleted OR (is_converted AND converted_to <> '')"
    )
    pairs = [(row["crm_id"], row["converted_to"]) for row in told if row["converted_to"] and not row["is_deleted"]]
    if any(row["is_merged"] for row in told):
        _named(plan, "follow_merges", connection=plan.connection_id, now=now)
    _named(plan, "follow_deletions", connection=plan.connection_id, now=now)
    if any(row["is_deleted"] for row in told):
        _named(plan, "promote_seconds", connection=plan.connection_id)
    if pairs:
        _follow_conversions(plan, pairs, now=now)


def _follow_conversions(plan: ObjectPlan, pairs: list[tuple[str, str]], *, now: datetime) -> int:
    told = json.dumps([{"lead_id": lead, "contact_id": contact} for lead, contact in pairs])
    return _named(
        plan,
        "follow_conversions",
        connection=plan.connection_id,
        pairs=told,
        contact=plan.shape.converts_to,
        now=now,
    )


def _link_fresh(plan: ObjectPlan, *, now: datetime) -> None:
    yields = [shape.object for shape in SHAPES[plan.dialect] if shape.rank < plan.shape.rank]
    if plan.subject is Subject.PERSON:
        text = sql.statement("crm", "find_fresh_people").replace("@email@", _email_of_stage(plan))
        _execute(text, connection=plan.connection_id, yields=yields)
    else:
        text = sql.statement("crm", "find_fresh_companies").replace("@name@", _name_of_stage(plan))
        _execute(text, connection=plan.connection_id)
    linked_by = "crm.linked_by_email" if plan.subject is Subject.PERSON else "crm.linked_by_name"
    _named(plan, "link_fresh", connection=plan.connection_id, object=plan.object, linked_by=linked_by, now=now)


def _email_of_stage(plan: ObjectPlan) -> str:
    email = plan.field("email")
    return comparing(email, reading(email, f"stage.c{email.number}")) if email else "NULL::text"


def _name_of_stage(plan: ObjectPlan) -> str:
    called = plan.field("name")
    return reading(called, f"stage.c{called.number}") if called else "NULL::text"


def _apply(plan: ObjectPlan, *, run_id: int | None, now: datetime) -> Merged:
    """From verdicts to their effect. Where nothing differs, two statements are all."""
    _execute(merge_sql.lines(plan))
    [found] = sql.select(
        "SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS known FROM crm_verdict"
    )
    if not found["new"] and not found["known"]:
        return Merged()
    updated = 0
    if found["new"]:
        _execute(merge_sql.make_new(plan), now=now)
    if found["known"]:
        updated = _execute(merge_sql.change_known(plan), now=now)
    for statement in merge_sql.change_side(plan):
        _execute(statement)
    _note(plan, now=now)
    return Merged(new=found["new"], updated=updated, reasons=_tell_lines(plan, run_id=run_id, now=now))


def _note(plan: ObjectPlan, *, now: datetime) -> None:
    shared = {"connection": plan.connection_id, "subject": plan.subject.value}
    _named(plan, "settle_dirty", **shared, applied=_numbers(APPLIED), unreadable=int(FieldCode.UNREADABLE))
    _named(plan, "queue_pushes", **shared, object=plan.object, sent=_numbers(SENT), now=now)


def _tell_events(plan: ObjectPlan, *, run_id: int | None, now: datetime) -> Counter[str]:
    rows = sql.select(sql.statement("crm", "tell_events"), _telling(plan, run_id=run_id, now=now))
    return Counter({row["code"]: row["times"] for row in rows})


def _tell_lines(plan: ObjectPlan, *, run_id: int | None, now: datetime) -> Counter[str]:
    sql.select(
        sql.statement("crm", "tell_lines"),
        {
            **_telling(plan, run_id=run_id, now=now),
            "sent": _numbers(SENT),
            "applied": _numbers(APPLIED),
            "kept": _numbers({FieldCode.BLANK_KEPT}),
            "reverted": _numbers(REVERTED),
            "waits": _numbers(code for code in KEPT if VERDICTS[code] is Verdict.WAIT),
            "skips": _numbers(code for code in KEPT if VERDICTS[code] is Verdict.SKIP),
        },
    )
    rows = sql.select("SELECT code, count(*) AS times FROM crm_line WHERE is_news GROUP BY code")
    return Counter({FieldCode(row["code"]).code: row["times"] for row in rows})


def _telling(plan: ObjectPlan, *, run_id: int | None, now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "run": run_id,
        "object": plan.object,
        "crm": plan.crm_name,
        "actor": f"connection:{plan.connection_id}",
        "is_person": plan.subject is Subject.PERSON,
        "consumers": json.dumps({kind: consumers_of(kind) for kind in KINDS}),
    }


# ── Running statements ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _marked(plan: ObjectPlan) -> Iterator[None]:
    """Our own writes are not changes to send back: the triggers that note changes look at this. Others of the caller's are."""
    _execute("SELECT set_config('relance.origin', %(origin)s, true)", origin=plan.origin)
    yield
    _execute("SELECT set_config('relance.origin', '', true)")


def _forget() -> None:
    """Inside one transaction several chunks may follow each other, as in a dry run."""
    _execute(f"DROP TABLE IF EXISTS {', '.join(TEMPORARY)}")


def _named(plan: ObjectPlan, statement: str, **values: Any) -> int:
    return _execute(_for(plan, sql.statement("crm", statement)), **values)


def _for(plan: ObjectPlan, text: str) -> str:
    return text.replace("@subject@", plan.subject.value)


def _execute(text: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, values or {})
        return int(cursor.rowcount)


def _numbers(some: Iterable[FieldCode]) -> list[int]:
    return sorted(int(code) for code in some)
