"""The benchmark's own check: a merge that does what the rule says passes, one that does not is told person by person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from relance.bench.crm_ground import (
    change_crm,
    change_here,
    link_everybody,
    make_connection,
    pages_of_changes,
    plan_of,
)
from relance.bench.filling import fill_people
from relance.bench.merge_oracle import MergeOracle
from relance.crm.dirty import forget_changes
from relance.crm.merge import merge_pages
from relance.decisions.actions import open_run
from relance.lib import sql
from relance.people.models import Company, Person

NOW = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def merged(transactional_db):
    """Two hundred of four hundred people changed on one side or both, merged; what the rule said before, and the run."""
    fill_people(400, now=NOW)
    crm = make_connection(now=NOW)
    link_everybody(crm, now=NOW)
    change_crm(0, part=2, now=NOW)
    pages = pages_of_changes()
    change_here(0)
    sql.run("bench", "age_half_of_changes")
    oracle = MergeOracle(plan_of(crm))
    run = open_run("crm.pull", policy="mapping:1@1", as_of=NOW)
    with transaction.atomic():
        merge_pages(plan_of(crm), pages, run_id=run.pk, now=NOW)
    yield oracle, run.pk
    forget_changes(crm.pk)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_record")


def test_a_right_merge_differs_from_the_rule_for_nobody(merged):
    oracle, run = merged

    assert len(oracle.facts) > 100
    assert oracle.compare(run_id=run) == []


def test_a_value_that_is_not_the_one_the_rule_chose_is_told(merged):
    oracle, run = merged
    someone = min(oracle.facts)
    Person.objects.filter(pk=someone).update(phone="+33 0 00 00 00 00")

    found = oracle.compare(run_id=run)

    assert len(found) == 1
    assert found[0].startswith(f"Person {someone} holds")


def test_a_merge_without_a_ledger_is_told(merged):
    oracle, run = merged

    assert "the ledger says {}" in oracle.compare(run_id=run + 1)[0]


def test_the_same_people_are_made_each_time(transactional_db):
    fill_people(50, now=NOW)
    first = list(Person.objects.order_by("pk").values_list("uid", "email", "phone", "company__name"))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE person, company RESTART IDENTITY CASCADE")

    fill_people(50, now=NOW)

    assert list(Person.objects.order_by("pk").values_list("uid", "email", "phone", "company__name")) == first
    assert Company.objects.count() == 5
