"""The rule in Python, asked about a sample of what the merge is about to decide in SQL, and compared with what it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relance.crm.plan import FieldPlan, ObjectPlan
from relance.crm.rules import APPLIED, SENT, FieldCode, FieldFacts, decide_field
from relance.decisions.models import LedgerLine
from relance.lib import sql

SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class _Expected:
    """What becomes of one person: her codes by field, her values afterwards, and whether she is queued."""

    codes: dict[str, int]
    values: dict[str, str | None]
    is_queued: bool


class MergeOracle:
    """Made before the merge, when both sides and the base are still there to be seen."""

    def __init__(self, plan: ObjectPlan, *, sample: int = SAMPLE) -> None:
        self._plan = plan
        self.facts = {row["id"]: _facts_of(plan, row) for row in _sides(sample)}
        self._expected = {id: _expect(plan, facts) for id, facts in self.facts.items()}

    def expected_codes(self, id: int) -> dict[str, str]:
        """The reasons the rule gives for one person of the sample, by field."""
        return {key: FieldCode(number).code for key, number in self._expected[id].codes.items()}

    def compare(self, *, run_id: int) -> list[str]:
        """Every difference between the rule and the merge, in sentences; at most five."""
        ids = list(self._expected)
        lines = LedgerLine.objects.filter(run_id=run_id, subject="sync", subject_id__in=ids)
        told = {line.subject_id: dict(zip(line.fields or [], line.codes or [], strict=True)) for line in lines}
        after = {row["id"]: row for row in sql.rows("bench", "values_after", ids=ids)}
        found = []
        for id, expected in self._expected.items():
            found += _differences(id, expected, told.get(id, {}), after[id])
        return found[:5]


def _sides(sample: int) -> list[dict[str, Any]]:
    return sql.rows("bench", "sides_before", sample=sample)


def _facts_of(plan: ObjectPlan, row: dict[str, Any]) -> dict[str, FieldFacts]:
    return {field.key: _field_facts(field, row) for field in plan.fields}


def _field_facts(field: FieldPlan, row: dict[str, Any]) -> FieldFacts:
    local, crm, noted = row["local"][field.key], row["crm"][field.key], row["noted"].get(field.key)
    base = noted["base"] if noted else local
    changed_at = datetime.fromisoformat(noted["changed_at"]) if noted else None
    return FieldFacts(local, crm, base, True, changed_at, row["at"])


def _expect(plan: ObjectPlan, facts: dict[str, FieldFacts]) -> _Expected:
    codes = {field.key: decide_field(facts[field.key], field.policy) for field in plan.fields}
    values = {key: facts[key].crm if code in APPLIED else facts[key].local for key, code in codes.items()}
    told = {key: int(code) for key, code in codes.items() if code is not FieldCode.SAME}
    return _Expected(told, values, any(code in SENT for code in codes.values()))


def _differences(id: int, expected: _Expected, codes: dict[str, int], after: dict[str, Any]) -> list[str]:
    found = []
    if codes != expected.codes:
        found.append(f"Person {id}: the ledger says {codes}, the rule {expected.codes}.")
    if after["held"] != expected.values:
        found.append(f"Person {id} holds {after['held']}, the rule expects {expected.values}.")
    if after["is_queued"] != expected.is_queued:
        found.append(f"Person {id} is {'' if after['is_queued'] else 'not '}queued, against the rule.")
    return found
