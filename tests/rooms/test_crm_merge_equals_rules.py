"""The merge in SQL and the rule in Python say the same of every field, whatever the values, the clocks and the policy."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relance.crm.drafts import FieldDraft
from relance.crm.models import CrmLink, DirtyField
from relance.crm.rules import BlankPolicy, Direction, FieldFacts, FieldPolicy, RightSide, decide_field
from relance.lib import sql
from relance.people.models import Person
from tests.rooms.crm_cast import NOW, connect, crm_id, map_objects, merge, plans, record

pytestmark = pytest.mark.django_db

# One field of ours for each policy there is would need more fields than a person has: each example draws three.
POLICIES = [FieldPolicy(*parts) for parts in product(RightSide, BlankPolicy, Direction)]
FIELDS = (("phone", "Phone"), ("job_title", "Title"), ("score", "Score__c"))

texts = st.sampled_from([None, "a", "b", "c", "A", " a ", "it's 100 %"])
numbers = st.sampled_from([None, "1", "2", "30"])
moments = st.sampled_from([NOW - timedelta(hours=2), NOW, NOW + timedelta(hours=2)])


@st.composite
def rows(draw: st.DrawFn) -> dict:
    """A person and a record: three fields on both sides, what is dirty, whether they were ever compared."""
    value = {"phone": texts, "job_title": texts, "score": numbers}
    return {
        "has_base": draw(st.booleans()),
        "updated_at": draw(moments),
        "crm_at": draw(moments),
        "local": {key: draw(value[key]) for key, _ in FIELDS},
        "crm": {key: draw(value[key]) for key, _ in FIELDS},
        "dirty": {key: (draw(value[key]), draw(moments)) for key, _ in FIELDS if draw(st.booleans())},
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies=st.tuples(*[st.sampled_from(POLICIES)] * 3), cases=st.lists(rows(), min_size=1, max_size=25))
def test_sql_and_python_give_the_same_reason_for_every_field(policies, cases):
    with transaction.atomic():
        connection = connect()
        lines = [
            FieldDraft(key, crm, policy.owner, policy.blank, policy.direction)
            for (key, crm), policy in zip(FIELDS, policies, strict=True)
        ]
        map_objects(connection, *lines)
        people = [person_of(connection, number, case) for number, case in enumerate(cases)]

        merge(
            plans(connection)["Lead"],
            *(
                record(f"00Q{number:03}", case["crm_at"], **{crm: case["crm"][key] for key, crm in FIELDS})
                for number, case in enumerate(cases)
            ),
        )

        said = {row["subject_id"]: row for row in sql.select("SELECT subject_id, v1, v2, v3 FROM crm_verdict")}
        for person, case in zip(people, cases, strict=True):
            expected = [
                decide_field(facts_of(case, key), policy) for (key, _), policy in zip(FIELDS, policies, strict=True)
            ]
            found = said.get(person.pk, {"v1": 0, "v2": 0, "v3": 0})
            assert [found["v1"], found["v2"], found["v3"]] == [int(code) for code in expected]
        transaction.set_rollback(True)


def person_of(connection, number: int, case: dict) -> Person:
    local = case["local"]
    person = Person.objects.create(
        phone=local["phone"],
        job_title=local["job_title"],
        score=int(local["score"]) if local["score"] else None,
        updated_at=case["updated_at"],
    )
    CrmLink.objects.create(
        connection=connection,
        object="Lead",
        crm_id=crm_id(f"00Q{number:03}"),
        person=person,
        agreed_at=NOW if case["has_base"] else None,
        linked_at=NOW,
    )
    for key, (base, changed_at) in case["dirty"].items():
        DirtyField.objects.create(
            connection_id=connection.pk,
            subject="person",
            subject_id=person.pk,
            field_key=key,
            base=base,
            changed_at=changed_at,
        )
    return person


def facts_of(case: dict, key: str) -> FieldFacts:
    local, crm = trimmed(case["local"][key]), trimmed(case["crm"][key])
    base, changed_at = case["dirty"].get(key, (local, None))
    if changed_at is None and not case["has_base"]:
        changed_at = case["updated_at"]
    return FieldFacts(local, crm, trimmed(base), case["has_base"], changed_at, case["crm_at"])


def trimmed(value: str | None) -> str | None:
    return (value or "").strip() or None
