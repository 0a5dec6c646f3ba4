"""`decide.one`: why, for one person: her values weighed again, what would be sent decided, her decisions read from the ledger."""

from __future__ import annotations

import random
import time
from typing import ClassVar

import psycopg

from relance.crm.plan import plans_of
from relance.crm.push import gather_candidates
from relance.crm.rules import ConnectionState, FieldFacts, decide_field, decide_push
from relance.decisions.facts import decisions_about
from relance.lib.clock import utc_now

from .crm_ground import link_everybody, make_connection, mapping_of, merge_changes, plan_of
from .filling import fill_people, settle
from .grounds import Plot
from .rules import Bar, Measure, percentile
from .scenario import SEED, Timed

ASKED = 300  # people a round
MOST_MERGED = 20_000
WARMING = 20
RULES_FOR = 0.5  # seconds of the rules alone


class DecideOne:
    """What the Why panel and `relance why --person` do for one person, and the rules once more on what is true now."""

    name: ClassVar[str] = "decide.one"
    says: ClassVar[str] = (
        "Why, for one person: values gathered, fields and sending decided, decisions read from the ledger."
    )
    floor_says: ClassVar[str] = "One round trip that reads the person by her number."
    unit: ClassVar[str] = "person"
    bar: ClassVar[Bar] = Bar(Measure.MILLISECONDS, 100.0, 20.0, 5.0)

    def prepare(self, scale: int, plot: Plot) -> None:
        now = utc_now()
        fill_people(scale, now=now)
        self._connection = make_connection(now=now)
        link_everybody(self._connection, now=now)
        settle("crm_link")
        self._plan = plan_of(self._connection)
        self._plans = plans_of(mapping_of(self._connection))
        self._oracle = merge_changes(self._plan, part=max(2, scale // MOST_MERGED), now=now)
        settle("person", "crm_link", "decision", "activity")
        self._known = sorted(self._oracle.facts)
        self._floor = psycopg.connect(plot.address, autocommit=True)

    def ready(self, place: int) -> None:
        chance = random.Random(SEED + place)  # noqa: S311
        self._asked = chance.choices(self._known, k=ASKED)
        self._said: dict[int, tuple[dict[str, str], list[str]]] = {}
        for id in self._asked[:WARMING]:
            self._ask(id)
            self._read(id)

    def run_product(self) -> Timed:
        """The 99th percentile of one answer is what counts."""
        taken = []
        for id in self._asked:
            began = time.perf_counter()
            self._said[id] = self._ask(id)
            taken.append(time.perf_counter() - began)
        return _latencies(taken)

    def run_floor(self) -> Timed:
        taken = []
        for id in self._asked:
            began = time.perf_counter()
            self._read(id)
            taken.append(time.perf_counter() - began)
        return _latencies(taken)

    def run_peers(self) -> dict[str, Timed]:
        """The pure rules alone, over the facts of the sample: how many fields they decide in a second."""
        work = [
            (facts, field.policy)
            for id in self._known
            for field in self._plan.fields
            for facts in [self._facts(id, field.key)]
        ]
        began, decided = time.perf_counter(), 0
        while time.perf_counter() - began < RULES_FOR:
            for facts, policy in work:
                decide_field(facts, policy)
            decided += len(work)
        return {"the rules alone": Timed.whole(time.perf_counter() - began, decided)}

    def check(self) -> list[str]:
        """The ledger says what the rule says now of the facts as they were, and one queue row means one decision to send."""
        wrong = []
        for id, (codes, _push) in self._said.items():
            expected = self._oracle.expected_codes(id)
            if codes != expected:
                wrong.append(f"Person {id}: the ledger says {codes}, the rule {expected}.")
        if not any(push == ["crm.connection_works", "crm.values_to_send"] for _, push in self._said.values()):
            wrong.append("Nobody of those asked about has values to send.")
        return wrong[:5]

    def close(self) -> None:
        self._floor.close()

    def _ask(self, id: int) -> tuple[dict[str, str], list[str]]:
        """Gather, decide, read: the codes of the ledger by field, and the codes of the decision to send."""
        push = {"subject": "person", "subject_id": id, "object": self._plan.object, "payload_hash": "", "id": 0}
        [candidate] = gather_candidates(self._connection, self._plans, [push])
        sending = decide_push(candidate.facts(ConnectionState.ENABLED), self._plan.creates)
        for field in self._plan.fields:
            decide_field(self._facts(id, field.key), field.policy)
        told = [recorded.as_json() for recorded in decisions_about(id, limit=10)]
        codes = {
            reason["seen"]["field"]: reason["code"]
            for line in told
            for reason in line["reasons"]
            if "field" in reason["seen"]
        }
        return codes, [reason.code for reason in sending.reasons]

    def _facts(self, id: int, key: str) -> FieldFacts:
        return self._oracle.facts[id][key]

    def _read(self, id: int) -> None:
        self._floor.execute("SELECT id, email FROM person WHERE id = %s", [id]).fetchone()


def _latencies(taken: list[float]) -> Timed:
    told = {f"p{part * 100:g}": round(percentile(taken, part) * 1000, 3) for part in (0.5, 0.95, 0.99)}
    return Timed(percentile(taken, 0.99), len(taken), sum(taken), told)
