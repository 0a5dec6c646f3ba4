"""Who is right about a field: laws that hold whatever the values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relance.crm.rules import (
    APPLIED,
    KEPT,
    SENT,
    BlankPolicy,
    ConnectionFact,
    ConnectionState,
    Creates,
    Direction,
    EventKind,
    FieldCode,
    FieldFacts,
    FieldPolicy,
    PushFacts,
    RightSide,
    decide_field,
    decide_push,
    derive_connection_state,
    is_recheck_due,
    next_attempt,
    rows_together,
)
from relance.decisions.rules import Verdict

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
values = st.sampled_from([None, "a", "b", "c"])
moments = st.sampled_from([None, MONDAY, MONDAY + timedelta(hours=1)])
facts = st.builds(FieldFacts, values, values, values, st.booleans(), moments, moments, st.booleans(), st.booleans())
policies = st.builds(FieldPolicy, st.sampled_from(RightSide), st.sampled_from(BlankPolicy), st.sampled_from(Direction))


@given(facts, policies)
def test_every_difference_is_applied_sent_or_kept_and_agreement_is_none_of_them(seen, policy):
    code = decide_field(seen, policy)

    assert (code is FieldCode.SAME) == (seen.local == seen.crm and not seen.is_unreadable)
    assert [code in some for some in (APPLIED, SENT, KEPT)].count(True) == (0 if code is FieldCode.SAME else 1)


@given(facts, policies)
def test_a_one_way_field_never_travels_the_other_way(seen, policy):
    code = decide_field(seen, policy)

    if policy.direction is Direction.FROM_CRM:
        assert code not in SENT
    if policy.direction is Direction.TO_CRM:
        assert code not in APPLIED


@given(facts, st.sampled_from(BlankPolicy))
def test_the_side_that_is_right_is_never_overwritten_while_it_holds_something(seen, blank):
    if seen.crm is not None:
        assert decide_field(seen, FieldPolicy(RightSide.CRM, blank)) not in SENT
    if seen.local is not None:
        assert decide_field(seen, FieldPolicy(RightSide.RELANCE, blank)) not in APPLIED


@given(facts, st.sampled_from(RightSide), st.sampled_from(Direction))
def test_a_blank_empties_the_other_side_only_where_it_was_told_to(seen, owner, direction):
    for blank in (BlankPolicy.KEEP, BlankPolicy.FILL):
        code = decide_field(seen, FieldPolicy(owner, blank, direction))
        assert code not in (FieldCode.BLANK_CLEARED, FieldCode.CLEARED_IN_CRM)
        if seen.crm is None:
            assert code not in APPLIED
        if seen.local is None:
            assert code not in SENT


@given(facts, policies)
def test_deciding_again_after_the_crm_won_finds_nothing_left_to_decide(seen, policy):
    if decide_field(seen, policy) in APPLIED:
        assert decide_field(FieldFacts(seen.crm, seen.crm, seen.crm), policy) is FieldCode.SAME


@pytest.mark.parametrize(
    ("local", "crm", "base", "owner", "expected"),
    [
        pytest.param("06 fake", "01 real", "01 real", RightSide.CRM, FieldCode.REVERTED_TO_CRM, id="a fake phone"),
        pytest.param(
            "Salon", "Chasse", "Salon", RightSide.RELANCE, FieldCode.PUT_BACK_IN_CRM, id="sales edit a report"
        ),
        pytest.param("new", "old", "old", RightSide.LATEST, FieldCode.ONLY_RELANCE_CHANGED, id="only we changed"),
        pytest.param("old", "new", "old", RightSide.LATEST, FieldCode.ONLY_CRM_CHANGED, id="only they changed"),
        pytest.param("x", None, "x", RightSide.CRM, FieldCode.BLANK_FILLED, id="a blank in the crm is filled"),
    ],
)
def test_the_reason_says_what_happened(local, crm, base, owner, expected):
    assert decide_field(FieldFacts(local, crm, base), FieldPolicy(owner)) is expected


def test_when_both_changed_the_later_clock_of_the_field_wins():
    seen = FieldFacts("ours", "theirs", "before", True, MONDAY + timedelta(minutes=1), MONDAY)

    assert decide_field(seen, FieldPolicy(RightSide.LATEST)) is FieldCode.NEWER_IN_RELANCE


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_without_an_owner_is_not_made_where_only_owned_people_are():
    seen = PushFacts(ConnectionState.ENABLED, has_record=False, fields=("LastName",), object="Lead")

    assert decide_push(seen, Creates.OWNED).verdict is Verdict.SKIP
    assert decide_push(seen, Creates.ALL).verdict is Verdict.GO


def test_every_rule_speaks_even_after_a_refusal():
    seen = PushFacts(
        ConnectionState.PAUSED,
        has_record=False,
        fields=(),
        missing=("LastName",),
        is_refused_before=True,
        object="Lead",
    )

    codes = {reason.code for reason in decide_push(seen, Creates.NONE).reasons}

    assert codes == {
        "crm.connection_stopped",
        "crm.refused_before",
        "crm.nothing_to_send",
        "crm.creates_none",
        "crm.required_missing",
    }


@given(st.integers(0, 40))
def test_a_wait_never_ends_before_the_crm_allows(attempts):
    asked = timedelta(minutes=30)

    assert next_attempt(attempts, asked=asked) >= asked
    assert next_attempt(attempts) <= next_attempt(attempts + 1) <= timedelta(hours=1)


# ── The state of a connection ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        pytest.param((), "new", id="never verified"),
        pytest.param(("verified",), "verified", id="verified moves nothing"),
        pytest.param(("verified", "enabled", "paused"), "paused", id="paused"),
        pytest.param(("verified", "enabled", "paused", "resumed"), "enabled", id="a pause is undone"),
        pytest.param(("verified", "enabled", "broken"), "broken", id="broken hides enabled"),
        pytest.param(
            ("verified", "enabled", "paused", "broken", "repaired"), "paused", id="a repair brings the pause back"
        ),
        pytest.param(("verified", "enabled", "disconnected", "repaired"), "disconnected", id="disconnected hides all"),
        pytest.param(("verified", "enabled", "disconnected", "reconnected"), "enabled", id="and is undone"),
    ],
)
def test_the_state_follows_from_what_happened(kinds, state):
    events = [ConnectionFact(EventKind(kind), MONDAY) for kind in kinds]

    assert derive_connection_state(events) is ConnectionState(state)


@given(st.integers(0, 30), st.integers(1, 200))
def test_rows_that_failed_more_often_never_go_in_larger_calls_and_stand_alone_in_the_end(failures, most):
    assert 1 <= rows_together(failures + 1, most) <= rows_together(failures, most) <= max(most, 1)
    assert rows_together(3, most) == 1


@given(st.integers(0, 100_000), st.integers(1, 50))
def test_a_broken_connection_is_tried_again_within_an_hour_and_never_where_a_try_does_harm(minutes, same_breaks):
    last = MONDAY + timedelta(minutes=minutes)

    assert is_recheck_due(MONDAY, last, same_breaks=same_breaks, retry="after_fix", now=last + timedelta(hours=1))
    assert not is_recheck_due(
        MONDAY, last, same_breaks=same_breaks, retry="after_fix", now=last + timedelta(seconds=59)
    )
    assert not is_recheck_due(MONDAY, last, same_breaks=same_breaks, retry="never", now=last + timedelta(days=9))
