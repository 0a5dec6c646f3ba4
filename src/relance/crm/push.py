"""Sending: claim a batch, gather what is true now, decide, one call per object, and every row's own outcome.

1. Rows left as sent by a process that died are unknown: they are looked for before they are sent again.
2. A batch is claimed; its values are read now, not kept since it was queued.
3. Each row is decided; those that may not go are told why, and leave the queue or wait in it.
4. The rest goes out in calls of at most two hundred, and `outcomes.py` writes what came back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any

from django.db import transaction

from relance.decisions.actions import DecisionLine, record_decisions
from relance.decisions.rules import Decision, Verdict
from relance.lib import sql
from relance.people.catalogue import Subject
from relance.people.facts import gather_values

from .dialect import (
    MOST_ROWS_IN_A_CALL,
    CrmBusy,
    CrmDialect,
    CrmError,
    CrmMisconfigured,
    CrmOutcomeUnknown,
    CrmValue,
    PushRow,
)
from .models import Connection, QueuedPush
from .outcomes import CLOSED_TO_ALL, Sending, apply_outcomes, apply_unknown, put_off, resolve_errors
from .payload import crm_value, payload_hash
from .plan import ObjectPlan, plan_for_new
from .rules import SENT, ConnectionState, PushFacts, PushState, decide_push, rows_together
from .runs import RunBook

DROPPED = frozenset({"crm.nothing_to_send", "crm.creates_none", "crm.not_owned", "crm.deleted_in_crm"})


@dataclass(slots=True)
class Candidate:
    """One claimed row, with all that is known of it now."""

    push: dict[str, Any]
    plan: ObjectPlan
    seen: dict[str, Any]
    values: dict[str, CrmValue] = field(default_factory=dict)  # by the CRM's names
    held: dict[str, Any] = field(default_factory=dict)  # our own values, by our keys
    read_only: list[str] = field(default_factory=list)

    @property
    def has_record(self) -> bool:
        return self.seen["link_id"] is not None

    @property
    def hash(self) -> str:
        return payload_hash(self.plan, self.values, stamp=self.seen["crm_modified_at"])

    def facts(self, state: ConnectionState) -> PushFacts:
        required = (each for each in self.plan.about.fields if each.required)
        return PushFacts(
            state=state,
            has_record=self.has_record,
            fields=tuple(self.values),
            read_only=tuple(self.read_only),
            missing=tuple(each.name for each in required if self.values.get(each.name) is None),
            is_deleted=self.seen["is_deleted"],
            is_converted=self.seen["is_converted"],
            is_refused_before=self.push["payload_hash"] == self.hash,
            has_owner=self.seen["has_owner"],
            object=self.plan.object,
        )


def recover_sent(connection: Connection) -> int:
    """Rows that left with a process that died: nobody knows what became of them."""
    left = QueuedPush.objects.filter(connection=connection, state=PushState.SENT.value)
    return left.update(state=PushState.UNKNOWN.value)


def push_batch(
    book: RunBook,
    crm: CrmDialect,
    plans: dict[str, ObjectPlan],
    *,
    state: ConnectionState,
    now: datetime,
    least: int = 0,
) -> int:
    """Send one batch of those due, of a priority of at least so much; returns how many were claimed, 0 at the end."""
    connection = book.connection
    with transaction.atomic():
        claimed = sql.rows(
            "crm", "claim_pushes", connection=connection.pk, now=now, batch=MOST_ROWS_IN_A_CALL, least=least
        )
    if not claimed:
        return 0
    candidates = gather_candidates(connection, plans, claimed)
    going = decide_candidates(book, candidates, state=state, now=now)
    _drop_orphans(claimed, candidates)
    for sendings in _calls(going):
        _send(book, crm, sendings, now=now)
    book.save()
    return len(claimed)


# ── Gather ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def gather_candidates(
    connection: Connection, plans: dict[str, ObjectPlan], claimed: list[dict[str, Any]]
) -> list[Candidate]:
    """Links, dirty fields and present values of the claimed rows: three queries a subject, whatever the batch."""
    candidates: list[Candidate] = []
    for subject in Subject:
        rows = {row["subject_id"]: row for row in claimed if row["subject"] == subject.value}
        if not rows:
            continue
        seen = _subjects(connection, subject, list(rows))
        new = plan_for_new(plans, connection.dialect, subject)
        found = [(row, plans.get(row["object"]) if row["object"] else new) for row in seen]
        keys = {each.key for _, plan in found if plan for each in plan.fields}
        held = gather_values(subject, list(rows), sorted(keys))
        candidates += [
            _candidate(rows[row["subject_id"]], plan, row, held[row["subject_id"]])
            for row, plan in found
            if plan and row["subject_id"] in held
        ]
    return candidates


def _subjects(connection: Connection, subject: Subject, ids: list[int]) -> list[dict[str, Any]]:
    text = sql.statement("crm", "push_subjects")
    is_person = subject is Subject.PERSON
    employer = "(SELECT company.name FROM company WHERE company.id = subject.company_id)"
    for token, value in {
        "@uid@": "subject.uid" if is_person else "NULL::uuid",
        "@parent@": "subject.company_id" if is_person else "subject.id",
        "@employer@": employer if is_person else "NULL::text",
        "@subject@": subject.value,
    }.items():
        text = text.replace(token, value)
    return sql.select(text, {"connection": connection.pk, "ids": ids, "sent": sorted(int(code) for code in SENT)})


def _candidate(push: dict[str, Any], plan: ObjectPlan, seen: dict[str, Any], held: dict[str, Any]) -> Candidate:
    candidate = Candidate(push, plan, seen)
    wanted = set(seen["fields"]) if candidate.has_record else {each.key for each in plan.fields}
    for each in plan.fields:
        if each.key not in wanted or not each.may_be_sent:
            continue
        value = held[each.key]
        if each.key == "company_name" and value is None and not candidate.has_record:
            value = seen["employer"]  # a lead needs the name of a company, and we know for whom the person works
        sent = crm_value(each, value)
        if sent is None and not candidate.has_record:
            continue
        if each.crm.updateable if candidate.has_record else each.crm.createable:
            candidate.values[each.crm.name] = sent
            candidate.held[each.key] = held[each.key]
        else:
            candidate.read_only.append(each.crm.name)
    return candidate


# ── Decide ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def decide_candidates(
    book: RunBook, candidates: Iterable[Candidate], *, state: ConnectionState, now: datetime
) -> list[Sending]:
    """Those that may go. The others leave the queue or wait in it; their reason is told when it is another than last time."""
    going: list[Sending] = []
    dropped: list[Candidate] = []
    waiting: list[tuple[Candidate, Decision]] = []
    news: list[DecisionLine] = []
    for candidate in candidates:
        decision = decide_push(candidate.facts(state), candidate.plan.creates)
        if decision.verdict is Verdict.GO:
            going.append(_sending(candidate, decision))
            continue
        code = decision.decisive[0].code
        if code != candidate.push["reason"] and code != "crm.nothing_to_send":
            news.append(_line(candidate, decision))
        if code in DROPPED:
            dropped.append(candidate)
        else:
            waiting.append((candidate, decision))
    with transaction.atomic():
        if news:
            record_decisions(news, policy=book.policy, now=now)
        _drop(book.connection, dropped, now=now)
        _hold(waiting)
    book.counts.waiting += len(waiting)
    return going


def _line(candidate: Candidate, decision: Decision) -> DecisionLine:
    subject, id = candidate.push["subject"], candidate.push["subject_id"]
    return DecisionLine("push", id, decision, person_id=id if subject == Subject.PERSON.value else None)


def _drop(connection: Connection, dropped: list[Candidate], *, now: datetime) -> None:
    """They leave the queue, and what was refused of them before is no open question any more."""
    QueuedPush.objects.filter(pk__in=[candidate.push["id"] for candidate in dropped]).delete()
    for subject in Subject:
        ids = [each.push["subject_id"] for each in dropped if each.push["subject"] == subject.value]
        if ids:
            resolve_errors(connection, subject, ids, now=now)


def _hold(waiting: list[tuple[Candidate, Decision]]) -> None:
    """They stay in the queue until something about them changes, or somebody asks."""
    held = [
        QueuedPush(pk=candidate.push["id"], state=PushState.REFUSED.value, reason=decision.decisive[0].code[:60])
        for candidate, decision in waiting
    ]
    QueuedPush.objects.bulk_update(held, ["state", "reason"])


def _drop_orphans(claimed: list[dict[str, Any]], candidates: list[Candidate]) -> None:
    """Somebody erased meanwhile, or an object that is mapped no more."""
    known = {candidate.push["id"] for candidate in candidates}
    QueuedPush.objects.filter(pk__in=[row["id"] for row in claimed if row["id"] not in known]).delete()


def _sending(candidate: Candidate, decision: Decision) -> Sending:
    return Sending(
        push_id=candidate.push["id"],
        subject=candidate.push["subject"],
        subject_id=candidate.push["subject_id"],
        plan=candidate.plan,
        key=str(candidate.seen["uid"] or candidate.push["subject_id"]),
        crm_id=candidate.seen["crm_id"] or "",
        is_new=not candidate.has_record,
        was_lost=candidate.push["state"] == PushState.UNKNOWN.value,
        attempts=candidate.push["attempts"],
        failure=candidate.push["failure"],
        failures=candidate.push["failures"],
        parent=candidate.seen["parent"] or 0,
        values=candidate.values,
        held=candidate.held,
        hash=candidate.hash,
        decision=decision,
    )


# ── Send ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _calls(going: list[Sending]) -> list[list[Sending]]:
    """One call per object and verb, people of one company side by side, so that the CRM locks each company once.

    Rows whose call failed as a whole go in smaller and smaller calls, until the one at fault stands alone.
    """
    groups: dict[tuple[str, bool, int], list[Sending]] = {}
    for sending in sorted(going, key=lambda each: each.parent):
        together = rows_together(sending.failures, MOST_ROWS_IN_A_CALL)
        groups.setdefault((sending.plan.object, sending.is_new, together), []).append(sending)
    return [
        sendings[start : start + together]
        for (_, _, together), sendings in groups.items()
        for start in range(0, len(sendings), together)
    ]


def _send(book: RunBook, crm: CrmDialect, sendings: list[Sending], *, now: datetime) -> None:
    plan = sendings[0].plan
    try:
        if sendings[0].is_new:
            sendings = _found_again(crm, plan, sendings)
        made = [sending for sending in sendings if not sending.crm_id]
        known = [sending for sending in sendings if sending.crm_id]
        outcomes = list(crm.update(plan.object, [_row(each) for each in known])) if known else []
        if made and plan.external_id_field:
            outcomes += crm.upsert(plan.object, plan.external_id_field, [_row(each) for each in made])
        elif made:
            outcomes += crm.create(plan.object, [_row(each) for each in made])
    except CrmBusy as error:
        put_off(book, sendings, error, now=now)
        raise
    except CrmOutcomeUnknown as error:
        apply_unknown(book, sendings, error, now=now)
        if error.status in CLOSED_TO_ALL:
            raise closed_to_all(error) from error
        return
    except CrmMisconfigured as error:
        put_off(book, sendings, error, now=now)
        raise
    apply_outcomes(book, crm, known + made, outcomes, now=now)


def closed_to_all(error: CrmOutcomeUnknown) -> CrmBusy:
    """What became of the rows is not known, and that all calls must wait is."""
    told = {each.name: getattr(error, each.name) for each in dataclass_fields(CrmError)}
    return CrmBusy(**told, retry_after=error.retry_after, whole_org=True)


def _row(sending: Sending) -> PushRow:
    return PushRow(sending.key, sending.values, sending.crm_id)


def _found_again(crm: CrmDialect, plan: ObjectPlan, sendings: list[Sending]) -> list[Sending]:
    """A record that was made before the answer was lost, or that has the same address, is written on instead of made twice."""
    if plan.external_id_field:
        wanted = {sending.key: sending for sending in sendings if sending.was_lost}
        name = plan.external_id_field
    else:
        email = plan.field("email")
        name = email.crm.name if email else ""
        wanted = {str(each.values[name]).lower(): each for each in sendings if each.values.get(name)}
    if not wanted or not name:
        return sendings
    found = {
        row.key.lower(): row.id for row in crm.find_by_external_id(plan.object, name, list(wanted)) if not row.deleted
    }
    ids = {sending.push_id: found[key.lower()] for key, sending in wanted.items() if key.lower() in found}
    return [replace(each, crm_id=ids[each.push_id]) if each.push_id in ids else each for each in sendings]
