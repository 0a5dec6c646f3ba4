"""What came back of a sending, row by row: taken, refused, busy, or lost. Written in one transaction a call."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from relance.activity.actions import NewActivity, append_activities
from relance.decisions.actions import DecisionLine, record_decisions
from relance.decisions.rules import Decision, Reason, Verdict, go, wait
from relance.lib import sql
from relance.people.catalogue import Subject
from relance.people.facts import gather_values

from .dialect import CrmDialect, CrmError, CrmValue, Layer, PushOutcome, Retry, RowError
from .models import Connection, CrmLink, PushError, QueuedPush
from .payload import base_text, cause_key
from .plan import ObjectPlan
from .rules import PushState, is_parked, next_attempt
from .runs import RunBook

CLOSED_TO_ALL = frozenset({429, 503})  # the next call would meet the same door
NO_ROW_IS_AT_FAULT = frozenset({Layer.LIMIT, Layer.CONNECTION})


@dataclass(frozen=True, slots=True)
class Sending:
    """One row on its way: what is sent, and what we held when it left."""

    push_id: int
    subject: str
    subject_id: int
    plan: ObjectPlan
    key: str
    crm_id: str
    is_new: bool
    was_lost: bool
    attempts: int
    values: dict[str, CrmValue]
    held: dict[str, Any]
    hash: str
    decision: Decision
    failure: str = ""
    failures: int = 0
    parent: int = 0  # the company whose row the CRM locks with theirs

    def failed_by(self, error: RowError) -> tuple[str, int]:
        """The cause of a failure, and how often in a row it is that one by now."""
        cause = cause_key(self.plan.object, error.code, error.message, error.fields)
        return cause, self.failures + 1 if cause == self.failure else 1

    @property
    def person_id(self) -> int | None:
        return self.subject_id if self.subject == Subject.PERSON.value else None

    def line(self, *more: Reason) -> DecisionLine:
        return DecisionLine("push", self.subject_id, Decision.of([*self.decision.reasons, *more]), self.person_id)


def apply_outcomes(
    book: RunBook, crm: CrmDialect, sendings: Sequence[Sending], outcomes: Sequence[PushOutcome], *, now: datetime
) -> None:
    """Write what became of each row, in the order of the rows."""
    pairs = list(zip(sendings, outcomes, strict=True))
    taken = [(sending, outcome) for sending, outcome in pairs if outcome.ok]
    lost = [sending for sending, outcome in pairs if outcome.unknown]
    failed = [(sending, outcome) for sending, outcome in pairs if not outcome.ok and not outcome.unknown]
    later = [(sending, outcome) for sending, outcome in failed if _may_pass_later(crm, outcome)]
    refused = [pair for pair in failed if pair not in later]
    parked = [pair for pair in later if _is_parked(crm, *pair)]
    busy = [(sending, outcome.errors[0]) for sending, outcome in later if (sending, outcome) not in parked]
    with transaction.atomic():
        _apply_taken(book, taken, now=now)
        _apply_refused(book, refused, now=now)
        _apply_refused(book, parked, now=now, said="crm.parked")
        _put_off_all(book, busy, blamed=_blamed(crm, busy), asked=None, now=now)
        _apply_lost(book, lost, now=now, asked=None)


def _may_pass_later(crm: CrmDialect, outcome: PushOutcome) -> bool:
    return bool(outcome.errors) and all(crm.known(error).retry is Retry.LATER for error in outcome.errors)


def _is_parked(crm: CrmDialect, sending: Sending, outcome: PushOutcome) -> bool:
    error = outcome.errors[0]
    layer = crm.known(error).layer
    _, times = sending.failed_by(error)
    return layer not in NO_ROW_IS_AT_FAULT and is_parked(times, is_lock=layer is Layer.LOCK)


def _blamed(crm: CrmDialect, busy: Sequence[tuple[Sending, RowError]]) -> bool:
    return any(crm.known(error).layer not in NO_ROW_IS_AT_FAULT for _, error in busy)


# ── Taken ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _apply_taken(book: RunBook, taken: list[tuple[Sending, PushOutcome]], *, now: datetime) -> None:
    if not taken:
        return
    _link_made(book, [pair for pair in taken if pair[0].is_new], now=now)
    for subject in Subject:
        _settle_sent(book, subject, [sending for sending, _ in taken if sending.subject == subject.value], now=now)
    QueuedPush.objects.filter(pk__in=[sending.push_id for sending, _ in taken]).delete()
    for subject in Subject:
        ids = [sending.subject_id for sending, _ in taken if sending.subject == subject.value]
        resolve_errors(book.connection, subject, ids, now=now)
    decisions = record_decisions(
        [sending.line(_said(sending, outcome)) for sending, outcome in taken], policy=book.policy, now=now
    )
    append_activities(
        [_told(book, sending, outcome, id) for (sending, outcome), id in zip(taken, decisions, strict=True)], now=now
    )
    book.counts.pushed += len(taken)
    book.counts.created += sum(outcome.created for _, outcome in taken)


def resolve_errors(connection: Connection, subject: Subject, ids: Sequence[int], *, now: datetime) -> None:
    """What was refused of them before is over."""
    PushError.objects.filter(connection=connection, subject=subject.value, subject_id__in=ids, resolved_at=None).update(
        resolved_at=now
    )


def _link_made(book: RunBook, made: list[tuple[Sending, PushOutcome]], *, now: datetime) -> None:
    CrmLink.objects.bulk_create(
        [
            CrmLink(
                connection=book.connection,
                object=sending.plan.object,
                crm_id=outcome.crm_id,
                person_id=sending.person_id,
                company_id=None if sending.person_id else sending.subject_id,
                agreed_at=now,
                linked_at=now,
            )
            for sending, outcome in made
        ],
        ignore_conflicts=True,  # the pull may have met the record first, and linked it by its address
    )


def _settle_sent(book: RunBook, subject: Subject, sendings: list[Sending], *, now: datetime) -> None:
    """Compare what was sent with what we hold now, the rows held: a change made meanwhile is sent the next time."""
    if not sendings:
        return
    ids = sorted({sending.subject_id for sending in sendings})
    sql.select(f"SELECT id FROM {subject.value} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])  # noqa: S608
    keys = sorted({key for sending in sendings for key in sending.held})
    held = gather_values(subject, ids, keys)
    told = []
    for sending in sendings:
        kinds = {each.key: each.spec.kind for each in sending.plan.fields}
        for key, value in sending.held.items():
            is_agreed = sending.subject_id in held and held[sending.subject_id][key] == value
            base = base_text(value, kinds[key])
            told.append({"subject_id": sending.subject_id, "field_key": key, "base": base, "is_agreed": is_agreed})
    sql.run(
        "crm",
        "settle_sent",
        connection=book.connection.pk,
        subject=subject.value,
        fields=json.dumps(told),
        now=now,
    )


def _said(sending: Sending, outcome: PushOutcome) -> Reason:
    if outcome.created:
        return go("crm.sent_new", object=sending.plan.object, crm_id=outcome.crm_id)
    if sending.is_new and sending.was_lost:
        return go("crm.found_again", object=sending.plan.object, crm_id=outcome.crm_id)
    return go("crm.sent", object=sending.plan.object, crm_id=outcome.crm_id, fields=list(sending.values))


def _told(book: RunBook, sending: Sending, outcome: PushOutcome, decision_id: int) -> NewActivity:
    facts = {"crm": book.connection.name, "object": sending.plan.object, "crm_id": outcome.crm_id}
    kind = "crm.sent_new" if outcome.created else "crm.sent"
    return _activity(book, sending, kind, decision_id, {**facts, "fields": sorted(sending.held)})


def _activity(book: RunBook, sending: Sending, kind: str, decision_id: int, payload: dict[str, Any]) -> NewActivity:
    return NewActivity(
        kind,
        f"connection:{book.connection.pk}",
        person_id=sending.person_id,
        company_id=None if sending.person_id else sending.subject_id,
        decision_id=decision_id,
        payload=payload,
    )


# ── Refused ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _apply_refused(
    book: RunBook, refused: list[tuple[Sending, PushOutcome]], *, now: datetime, said: str = "crm.refused"
) -> None:
    """They wait until something about them changes, or somebody asks: refused, or parked after failing the same way again and again."""
    if not refused:
        return
    told = [_error(sending, error, outcome) for sending, outcome in refused for error in outcome.errors]
    errors = json.dumps(told, cls=DjangoJSONEncoder)
    sql.run("crm", "keep_refusals", connection=book.connection.pk, errors=errors, now=now)
    decisions = record_decisions(
        [sending.line(*(_refusal(sending, error, said) for error in outcome.errors)) for sending, outcome in refused],
        policy=book.policy,
        now=now,
    )
    append_activities(
        [
            _activity(book, sending, "crm.refused", id, _first_refusal(book, sending, outcome))
            for (sending, outcome), id in zip(refused, decisions, strict=True)
        ],
        now=now,
    )
    QueuedPush.objects.bulk_update(
        [
            QueuedPush(pk=sending.push_id, state=PushState.REFUSED.value, reason=said, payload_hash=sending.hash)
            for sending, _ in refused
        ],
        ["state", "reason", "payload_hash"],
    )
    book.counts.refused += len(refused)


def _error(sending: Sending, error: RowError, outcome: PushOutcome) -> dict[str, Any]:
    return {
        "subject": sending.subject,
        "subject_id": sending.subject_id,
        "object": sending.plan.object,
        "code": error.code,
        "message": error.message,
        "fields": list(error.fields),
        "body": {"answer": asdict(outcome), "sent": sending.values},
        "cause_key": cause_key(sending.plan.object, error.code, error.message, error.fields),
        "payload_hash": sending.hash,
    }


def _refusal(sending: Sending, error: RowError, said: str) -> Reason:
    seen: dict[str, Any] = {"code": error.code, "message": error.message, "object": sending.plan.object}
    if said == "crm.parked":
        seen["times"] = sending.failed_by(error)[1]
    ours = [each.key for each in sending.plan.fields if each.crm.name in error.fields]
    if ours:
        seen["field"] = ours[0]
    return Reason(said, Verdict.SKIP, seen)


def _first_refusal(book: RunBook, sending: Sending, outcome: PushOutcome) -> dict[str, Any]:
    error = outcome.errors[0]
    return {
        "crm": book.connection.name,
        "object": sending.plan.object,
        "crm_id": outcome.crm_id,
        "code": error.code,
        "message": error.message,
        "fields": list(error.fields),
    }


# ── Busy, lost ───────────────────────────────────────────────────────────────────────────────────────────────────────


def put_off(book: RunBook, sendings: Sequence[Sending], error: CrmError, *, now: datetime) -> None:
    """Nothing was written: all of them wait, as long as the CRM asks or a little longer each time."""
    asked: timedelta | None = getattr(error, "retry_after", None)
    with transaction.atomic():
        said = RowError(error.code, error.message)
        _put_off_all(book, [(sending, said) for sending in sendings], blamed=False, asked=asked, now=now)


def _put_off_all(
    book: RunBook,
    pairs: Sequence[tuple[Sending, RowError]],
    *,
    blamed: bool,
    asked: timedelta | None,
    now: datetime,
) -> None:
    """Told once: the second and later attempts of a busy day say nothing new. `blamed`: the trouble is with the rows, so it is counted."""
    spread: dict[int, float] = {}  # people of one company come back together: apart, they would lock it again and again
    until = {
        sending.push_id: now
        + next_attempt(
            sending.attempts,
            asked=asked,
            spread=spread.setdefault(sending.parent or -sending.push_id, random.random()),  # noqa: S311
        )
        for sending, _ in pairs
    }
    failed = {sending.push_id: sending.failed_by(error) for sending, error in pairs if blamed}
    QueuedPush.objects.bulk_update(
        [
            QueuedPush(
                pk=sending.push_id,
                state=PushState.UNKNOWN.value if sending.was_lost else PushState.WAITING.value,
                due_at=until[sending.push_id],
                reason="crm.busy",
                failure=failed.get(sending.push_id, (sending.failure, 0))[0],
                failures=failed.get(sending.push_id, ("", sending.failures))[1],
            )
            for sending, _ in pairs
        ],
        ["state", "due_at", "reason", "failure", "failures"],
    )
    lines = [
        sending.line(Reason("crm.busy", Verdict.WAIT, {"code": error.code}, until[sending.push_id]))
        for sending, error in pairs
        if sending.attempts <= 1
    ]
    record_decisions(lines, policy=book.policy, now=now)
    book.counts.waiting += len(pairs)


def apply_unknown(book: RunBook, sendings: Sequence[Sending], error: CrmError, *, now: datetime) -> None:
    """They left and no answer came: looked for first, the next time.

    An answer that only said the CRM failed may be one row's doing. It is counted, so that they go in smaller calls; the row that
    fails alone, the same way each time, is parked.
    """
    said = RowError(error.code, error.message) if error.status >= 400 and error.status not in CLOSED_TO_ALL else None
    with transaction.atomic():
        if said and len(sendings) == 1 and is_parked(sendings[0].failed_by(said)[1], is_lock=False):
            outcome = PushOutcome(sendings[0].key, ok=False, crm_id=sendings[0].crm_id, errors=(said,))
            _apply_refused(book, [(sendings[0], outcome)], now=now, said="crm.parked")
        else:
            _apply_lost(book, sendings, now=now, asked=getattr(error, "retry_after", None), said=said)


def _apply_lost(
    book: RunBook,
    lost: Sequence[Sending],
    *,
    now: datetime,
    asked: timedelta | None,
    said: RowError | None = None,
) -> None:
    failed = {sending.push_id: sending.failed_by(said) for sending in lost if said}
    QueuedPush.objects.bulk_update(
        [
            QueuedPush(
                pk=sending.push_id,
                state=PushState.UNKNOWN.value,
                due_at=now + next_attempt(sending.attempts, asked=asked),
                reason="crm.answer_lost",
                failure=failed.get(sending.push_id, (sending.failure, 0))[0],
                failures=failed.get(sending.push_id, ("", sending.failures))[1],
            )
            for sending in lost
        ],
        ["state", "due_at", "reason", "failure", "failures"],
    )
    record_decisions([sending.line(wait("crm.answer_lost")) for sending in lost], policy=book.policy, now=now)
    book.counts.waiting += len(lost)
