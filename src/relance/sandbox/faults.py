"""Faults: what is to go wrong between clients and the org, asked for beforehand, drawn with a seed, told in the request log.

A fault meets a request at the front desk: before anything is done, once all is committed, or on the way of the answer. What concerns
single records meets them at the records' door, and what concerns jobs at the hand that works them. No view knows of any of it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from relance.sandbox.draft import Draft
from relance.sandbox.fault_kinds import ANSWERS, BODIES, DELIVERIES, JOBS, KINDS, RECORDS, RIGHTS, FaultMisasked, Kind
from relance.sandbox.fault_match import Match, Occasion, read_match
from relance.sandbox.outcomes import RecordError
from relance.sandbox.soql_dates import stamp

if TYPE_CHECKING:
    from relance.sandbox.exchange import Request, Response
    from relance.sandbox.org import Org

Perform = Callable[[str, Mapping[str, Any]], str]
# What happens in the org may be asked for by the name of what happened.
HAPPENINGS = {
    "convert": "convert",
    "merge": "merge",
    "undelete": "undelete",
    "purge": "purge",
    "owner_deactivated": "deactivate_user",
    "field_renamed": "rename_field",
    "picklist_value_removed": "remove_picklist_value",
    "record_type_removed": "remove_record_type",
}
KEYS = frozenset({"kind", "id", "match", "with"})


@dataclass(slots=True)
class Fault:
    """One fault under way. `seen` counts what fitted it, `hits` what it struck."""

    id: str
    kind: Kind
    match: Match
    options: dict[str, Any]
    added_at: datetime
    chance: random.Random
    seen: int = 0
    hits: int = 0

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind.name,
            "match": self.match.as_json(),
            "with": self.options,
            "added_at": stamp(self.added_at),
            "seen": self.seen,
            "hits": self.hits,
        }


@dataclass(slots=True)
class _Course:
    """What the faults do to the occasion under way on this thread."""

    occasion: Occasion
    struck: list[Fault] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Faults:
    """The faults of one org. Thread safe: the order of arrival decides which request a drawn fault strikes."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.perform: Perform | None = None  # runs a scripted actor; given by the org once it has them
        self._faults: list[Fault] = []
        self._number = 0
        self._turn = threading.Lock()
        self._mine = threading.local()

    # What tests and people do.

    def add(self, asked: object) -> Fault:
        """One fault as JSON says it. FaultMisasked says what is wrong with it."""
        if isinstance(asked, Mapping) and asked.get("kind") in HAPPENINGS:
            told = {"name": HAPPENINGS[asked["kind"]], "with": asked.get("with") or {}}
            asked = {**asked, "kind": "actor", "with": told}
        if not isinstance(asked, Mapping) or asked.get("kind") not in KINDS:
            raise FaultMisasked(f"A fault has a kind, one of: {', '.join(sorted({*KINDS, *HAPPENINGS}))}.")
        unknown = sorted(set(asked) - KEYS)
        if unknown:
            raise FaultMisasked(f"A fault has no {', '.join(unknown)}; it has: {', '.join(sorted(KEYS))}.")
        kind = KINDS[asked["kind"]]
        options = kind.options_of(asked.get("with") or {})
        now = self.clock()
        match = read_match({**kind.match, **(asked.get("match") or {})}, now)
        with self._turn:
            self._number += 1
            fault_id = str(asked.get("id") or f"{kind.name}-{self._number}")
            if any(each.id == fault_id for each in self._faults):
                raise FaultMisasked(f"There is a fault {fault_id} already.")
            fault = Fault(fault_id, kind, match, options, now, random.Random(f"{match.seed}:{kind.name}"))  # noqa: S311
            self._faults.append(fault)
        return fault

    def clear(self, fault_id: str | None = None) -> int:
        """Ends one fault, or all. Says how many ended."""
        with self._turn:
            kept = [each for each in self._faults if fault_id is not None and each.id != fault_id]
            gone = len(self._faults) - len(kept)
            self._faults = kept
        return gone

    def all(self) -> list[Fault]:
        with self._turn:
            return list(self._faults)

    # What the front desk does.

    @contextmanager
    def occasion(self, occasion: Occasion) -> Iterator[list[str]]:
        """Everything inside belongs to one request or one piece of a job; gives the ids of the faults that struck, as they do."""
        course = self._mine.course = _Course(occasion)
        try:
            if self._faults:
                course.struck = self._drawn(occasion, (each for each in self.all() if not _meets_parts(each.kind)))
                course.told += [each.id for each in course.struck if each.kind.name not in RIGHTS]
            yield course.told
        finally:
            del self._mine.course

    def answer_before(self, org: Org, request: Request) -> Response | None:
        """The answer of a fault that lets nothing be done."""
        self._act("before")
        for fault in self._struck(ANSWERS):
            answer = ANSWERS[fault.kind.name](org, request, fault.options)
            if answer is not None:
                return answer
        return None

    def settle_after(self, org: Org, response: Response) -> None:
        """What happens once all is committed: to the body, and to how it is delivered."""
        self._act("after")
        for fault in self._struck(BODIES):
            BODIES[fault.kind.name](org, response, fault.options)
        for fault in self._struck(DELIVERIES):
            response.delivery = DELIVERIES[fault.kind.name](fault.options)

    # What the records' door and the jobs do.

    def objection(self, records: Any, draft: Draft) -> RecordError | None:
        """The error of the first fault that strikes this record."""
        course: _Course | None = getattr(self._mine, "course", None)
        if course is None or not self._faults:
            return None
        for fault in self.all():
            if fault.kind.name in RECORDS and fault.match.fits_record(draft) and self._strikes(fault, course.occasion):
                error = RECORDS[fault.kind.name](records, draft, fault.options)
                if error is not None:
                    self._tell(fault)
                    return error
        return None

    def lateness(self) -> timedelta:
        """How far in the past what is written now is stamped: the transaction began then, and is seen only now."""
        late = self._struck({"late_commit": None})
        return timedelta(seconds=max((float(each.options["seconds"]) for each in late), default=0.0))

    def course_of_job(self, occasion: Occasion) -> tuple[str, dict[str, Any]] | None:
        """What becomes of a job: the kind of the fault that strikes it, and its options."""
        struck = self._drawn(occasion, (each for each in self.all() if each.kind.name in JOBS))
        return (struck[0].kind.name, struck[0].options) if struck else None

    # States: they last as long as their fault.

    def removed_rights(self, user_id: str, username: Callable[[], str]) -> tuple[frozenset[str], frozenset[str]]:
        """The rights and the records taken from a user for now: `lead:edit`, `lead.phone:read`, ids."""
        if not self._faults:
            return frozenset(), frozenset()
        rights: set[str] = set()
        hidden: set[str] = set()
        for fault in self.all():
            if fault.kind.name not in RIGHTS or not self._is_on(fault):
                continue
            if fault.match.user in ("", user_id) or fault.match.user == username():
                taken, records = RIGHTS[fault.kind.name](fault.options)
                self._tell(fault)
                rights |= taken
                hidden |= records
        return frozenset(rights), frozenset(hidden)

    def skew(self) -> timedelta:
        """How far the org's clock is off."""
        if not self._faults:
            return timedelta()
        on = (each for each in self.all() if each.kind.name == "clock_skew" and self._is_on(each))
        return sum((timedelta(seconds=float(each.options["seconds"])) for each in on), timedelta())

    def _is_on(self, fault: Fault) -> bool:
        """At once, or from the first request it struck when it waits for one."""
        return fault.hits > 0 if fault.match.waits else fault.match.is_time(self.clock())

    def _drawn(self, occasion: Occasion, faults: Iterable[Fault]) -> list[Fault]:
        return [each for each in faults if each.match.fits(occasion) and self._strikes(each, occasion)]

    def _strikes(self, fault: Fault, occasion: Occasion) -> bool:
        if fault.kind.name in RECORDS and not fault.match.fits_request(occasion):
            return False
        with self._turn:
            if not fault.match.is_time(self.clock()):
                return False
            fault.seen += 1
            is_struck = fault.match.draws(fault.seen, fault.hits, fault.chance)
            fault.hits += is_struck
            return is_struck

    def _struck(self, kinds: Mapping[str, object]) -> list[Fault]:
        course: _Course | None = getattr(self._mine, "course", None)
        return [each for each in course.struck if each.kind.name in kinds] if course else []

    def _tell(self, fault: Fault) -> None:
        course: _Course | None = getattr(self._mine, "course", None)
        if course is not None and fault.id not in course.told:
            course.told.append(fault.id)

    def _act(self, when: str) -> None:
        for fault in self._struck({"actor": None}):
            if fault.options["when"] == when and self.perform is not None:
                refusal = self.perform(str(fault.options["name"]), fault.options["with"] or {})
                if refusal:
                    self._mine.course.told.append(f"{fault.id} could not: {refusal}")


def _meets_parts(kind: Kind) -> bool:
    """Does the fault meet single records or jobs, rather than whole requests?"""
    return kind.name in RECORDS or kind.name in JOBS
