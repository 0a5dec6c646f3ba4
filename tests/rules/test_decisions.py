"""What a decision is: every rule speaks, the strictest wins, and nobody is told less than what stands in the way."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from relance.decisions.rules import Decision, Reason, Verdict, go, skip, wait

hours = st.one_of(st.none(), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
codes = st.sampled_from(["consent.given", "hours.closed", "limit.reached", "consent.withdrawn"])
reason = st.builds(Reason, codes, st.sampled_from(Verdict), st.just({}), hours)
reasons = st.lists(reason, max_size=6)
some_reasons = st.lists(reason, min_size=1, max_size=6)


@given(some_reasons, reasons)
def test_one_more_rule_never_makes_a_decision_more_permissive(said, more):
    assert Decision.of(said + more).verdict >= Decision.of(said).verdict


@given(st.permutations([go("a"), wait("b", until=datetime(2026, 3, 2, tzinfo=UTC)), skip("c"), wait("d"), skip("e")]))
def test_the_order_of_rules_does_not_matter(said):
    decision = Decision.of(said)

    assert decision.verdict is Verdict.SKIP
    assert {reason.code for reason in decision.decisive} == {"c", "e"}


@given(some_reasons.flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_rules_in_another_order_say_the_same(both):
    said, shuffled = (Decision.of(reasons) for reasons in both)

    assert said.verdict is shuffled.verdict
    assert said.until == shuffled.until
    assert sorted(map(repr, said.decisive)) == sorted(map(repr, shuffled.decisive))


@given(some_reasons)
def test_nothing_a_rule_said_is_dropped(said):
    assert list(Decision.of(said).reasons) == said


@given(some_reasons)
def test_the_decisive_reasons_are_those_of_the_verdict_and_there_is_always_one(said):
    decision = Decision.of(said)

    assert decision.decisive
    assert all(reason.verdict is decision.verdict for reason in decision.decisive)


@given(some_reasons)
def test_who_waits_looks_again_when_the_last_rule_allows_it(said):
    decision = Decision.of(said)

    if decision.verdict is Verdict.WAIT and decision.until is not None:
        assert all(reason.until <= decision.until for reason in decision.decisive)
    if decision.verdict is not Verdict.WAIT:
        assert decision.until is None


@given(some_reasons)
def test_a_rule_that_waits_for_an_unknown_hour_leaves_the_hour_unknown(said):
    decision = Decision.of([*said, wait("crm.unreachable")])

    assert decision.until is None


def test_a_matter_no_rule_spoke_of_is_not_allowed():
    assert Decision.of([]).verdict is Verdict.SKIP


@given(st.lists(st.builds(go, codes), min_size=1))
def test_when_every_rule_agrees_it_goes(said):
    assert Decision.of(said).verdict is Verdict.GO
