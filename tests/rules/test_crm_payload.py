"""Values on their way to the CRM: spelt as it wants them; and refusals, grouped by what caused them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from relance.crm.dialect import FieldDescription
from relance.crm.dialect import FieldKind as CrmKind
from relance.crm.payload import base_text, cause_key, crm_value
from relance.crm.plan import FieldPlan
from relance.crm.rules import FieldPolicy, RightSide, Transform
from relance.people.catalogue import FieldKind, FieldSpec


def plan(transform: Transform = Transform.NONE, **value_map: str) -> FieldPlan:
    spec = FieldSpec("status", "Status", FieldKind.TEXT, "person", "status")
    crm = FieldDescription("Status", "Status", CrmKind.TEXT)
    return FieldPlan(1, spec, crm, FieldPolicy(RightSide.RELANCE), transform, value_map)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(None, None, id="nothing clears"),
        pytest.param("", None, id="an empty text is nothing"),
        pytest.param([], None, id="no choice is nothing"),
        pytest.param(False, False, id="no is a value"),
        pytest.param(0, 0, id="zero is a value"),
        pytest.param(Decimal("12.00"), 12, id="a whole number"),
        pytest.param(Decimal("12.5"), 12.5, id="a number with decimals"),
        pytest.param(date(2026, 3, 2), "2026-03-02", id="a day"),
        pytest.param(
            datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1))),
            "2026-03-02T09:00:00.000Z",
            id="a moment, in UTC",
        ),
        pytest.param(["a", "b"], "a;b", id="several choices"),
    ],
)
def test_a_value_is_spelt_as_the_crm_takes_it(ours, theirs):
    assert crm_value(plan(), ours) == theirs


def test_a_map_is_read_backwards_on_the_way_out():
    assert crm_value(plan(Transform.VALUE_MAP, Hot="Chaud"), "Chaud") == "Hot"
    assert crm_value(plan(Transform.VALUE_MAP, Hot="Chaud"), "Froid") == "Froid"


def test_a_base_is_written_as_the_database_reads_it():
    assert base_text(None, FieldKind.TEXT) is None
    assert base_text(True, FieldKind.BOOLEAN) == "true"
    assert base_text(['a "b"', "c,d"], FieldKind.CHOICES) == '{"a \\"b\\"","c,d"}'
    assert base_text(datetime(2026, 3, 2, tzinfo=UTC), FieldKind.DATETIME) == "2026-03-02T00:00:00+00:00"


def test_two_bad_values_of_one_picklist_are_one_cause_and_two_rules_are_two():
    code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    one = cause_key("Lead", code, "Job Level: bad value for restricted picklist field: HR", ("Job_Level__c",))
    two = cause_key("Lead", code, "Job Level: bad value for restricted picklist field: RH", ("Job_Level__c",))
    rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION"

    assert one == two
    assert cause_key("Lead", rule, "Give a reason.", ("A",)) != cause_key("Lead", rule, "Give a date.", ("A",))
    assert cause_key("Lead", code, "", ("A",)) != cause_key("Contact", code, "", ("A",))
