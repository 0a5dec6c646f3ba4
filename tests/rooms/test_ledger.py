"""The ledger keeps each decision with its reasons, and gives it back in the reader's language."""

from datetime import UTC, datetime

import pytest

from relance.decisions.actions import DecisionLine, record_decisions
from relance.decisions.facts import decision_id, decisions_about, find_decision
from relance.decisions.rules import Decision, Verdict, go, skip, wait
from relance.lib import sql

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_recorded_decision_is_found_by_its_name_with_all_its_reasons():
    decision = Decision.of([go("test.fine"), skip("test.stopped", field="phone")])

    [id] = record_decisions([DecisionLine("field", 7, decision, person_id=7)], policy="mapping:1@1", now=NOW)
    found = find_decision(decision_id(f"d-{id:x}"))

    assert found.verdict is Verdict.SKIP
    assert [reason.code for reason in found.decision.reasons] == ["test.fine", "test.stopped"]
    assert found.policy == "mapping:1@1"


def test_a_batch_is_written_in_one_statement_and_keeps_its_order(django_assert_num_queries):
    lines = [DecisionLine("field", n, Decision.of([go("test.fine", n=n)])) for n in range(50)]

    with django_assert_num_queries(1):
        ids = record_decisions(lines, policy="p", now=NOW)

    assert [find_decision(id).subject_id for id in ids] == list(range(50))


def test_asking_about_one_field_leaves_the_other_fields_out():
    record_decisions(
        [DecisionLine("field", 1, Decision.of([go("a", field="phone"), wait("b", field="email")]), person_id=1)],
        policy="p",
        now=NOW,
    )

    [found] = decisions_about(1, field="phone")

    assert [reason.code for reason in found.decision.reasons] == ["a"]
    assert found.verdict is Verdict.GO


def test_a_decision_without_reasons_is_refused_by_the_database():
    from django.db import IntegrityError

    with pytest.raises(IntegrityError, match="decision_has_its_reasons"):
        sql.select("INSERT INTO decision (at, subject, subject_id, verdict) VALUES (now(), 'x', 1, 0) RETURNING id")
