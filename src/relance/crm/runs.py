"""One pass over an object, or one round of sending, as a row people can read: what it counted, how it ended, and its ledger run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from relance.decisions.actions import close_run, open_run
from relance.decisions.models import DecisionRun
from relance.decisions.rules import Verdict
from relance.lib.clock import utc_now

from .dialect import CrmError
from .merge import Merged
from .models import Connection, SyncRun
from .rules import REVERTED, VERDICTS, FieldCode, RunKind, RunState

_REVERTED = {code.code for code in REVERTED}
_SKIPPED = {code.code for code in FieldCode if VERDICTS[code] is not Verdict.GO}
IDLE_RUNS_FOLDED_WITHIN = timedelta(hours=1)


@dataclass(slots=True)
class Counts:
    """What a run or a cycle did, in records and in values. `reasons` counts each reason given."""

    read: int = 0
    new: int = 0
    updated: int = 0
    reverted: int = 0
    skipped: int = 0
    deleted: int = 0
    converted: int = 0
    pushed: int = 0
    created: int = 0
    refused: int = 0
    waiting: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add_merged(self, merged: Merged) -> None:
        self.read += merged.read
        self.new += merged.new
        self.updated += merged.updated
        self.reasons += merged.reasons
        self.reverted += sum(merged.reasons[code] for code in _REVERTED)
        self.skipped += sum(merged.reasons[code] for code in _SKIPPED)
        self.deleted += merged.reasons["crm.deleted_in_crm"] + merged.reasons["crm.gone_from_crm"]
        self.converted += merged.reasons["crm.followed_conversion"]

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def is_idle(self) -> bool:
        """Did it change anything at all? Records read again for the overlap are no event."""
        return not (self.reasons or self.new or self.pushed or self.refused or self.created)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "reasons": dict(self.reasons)}


class RunBook:
    """A run under way: where its decisions are written, and what it counted so far."""

    def __init__(self, connection: Connection, run: SyncRun, policy: str) -> None:
        self.connection = connection
        self.run = run
        self.counts = Counts()
        self.policy = policy
        self._ledger: DecisionRun | None = None

    @property
    def ledger_id(self) -> int:
        """The ledger's run, opened when there is something to decide on."""
        if self._ledger is None:
            self._ledger = open_run(f"crm.{self.run.kind}", policy=self.policy, as_of=self.run.started_at)
            self.run.decision_run_id = self._ledger.pk
            self.run.save(update_fields=["decision_run_id"])
        return self._ledger.pk

    def save(self) -> None:
        """Keep what was counted so far: a run that is killed still tells it."""
        self.run.counts = self.counts.as_json()
        self.run.save(update_fields=["counts", "cursor_before", "cursor_after"])

    def end(self, state: RunState, *, now: datetime, error: CrmError | None = None) -> None:
        self.run.state, self.run.ended_at, self.run.counts = state.value, now, self.counts.as_json()
        if error is not None:
            self.run.error_code, self.run.error_text = error.code[:80], str(error)
        if self._ledger is not None and not self.counts.reasons:
            self._ledger.delete()  # nothing was decided: no line points to it
            self._ledger = self.run.decision_run_id = None
        self.run.save()
        if self._ledger is not None:
            close_run(self._ledger, counts=dict(self.counts.reasons), now=now)
        if state is RunState.DONE and self.counts.is_idle:
            self._fold(now)

    def _fold(self, now: datetime) -> None:
        """A quiet day is not a thousand rows: an idle run only moves the end of the idle run before it."""
        last = (
            SyncRun.objects.filter(connection=self.connection, kind=self.run.kind, object=self.run.object)
            .exclude(pk=self.run.pk)
            .order_by("-id")
            .first()
        )
        if last is None or last.state != RunState.DONE.value or not _was_idle(last):
            return
        if now - last.started_at < IDLE_RUNS_FOLDED_WITHIN:
            last.ended_at, last.cursor_after = now, self.run.cursor_after or last.cursor_after
            last.save(update_fields=["ended_at", "cursor_after"])
            self.run.delete()


def _was_idle(run: SyncRun) -> bool:
    told = run.counts
    return not (told.get("reasons") or any(told.get(name) for name in ("new", "pushed", "refused", "created")))


@contextmanager
def run_told(
    connection: Connection, kind: RunKind, *, policy: str, now: datetime, object: str = ""
) -> Iterator[RunBook]:
    """A run from its beginning to its end; a CrmError is written on it and goes on to the caller."""
    run = SyncRun.objects.create(connection=connection, kind=kind.value, object=object, started_at=now)
    book = RunBook(connection, run, policy)
    try:
        yield book
    except CrmError as error:
        book.end(RunState.FAILED, now=utc_now(), error=error)
        raise
    if run.ended_at is None:
        book.end(RunState.DONE, now=utc_now())


def close_left_runs(connection: Connection, *, now: datetime) -> int:
    """Runs a killed process left open: their rows are kept up to the last page, and the next run goes on from there."""
    left = SyncRun.objects.filter(connection=connection, state=RunState.RUNNING.value)
    return left.update(state=RunState.STOPPED.value, ended_at=now)
