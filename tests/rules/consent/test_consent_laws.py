"""What must always hold of consent, whatever was said and in whatever order it arrived."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from relance.consent.lines import Basis, Need
from relance.consent.statements import Channel, Kind, Proof, Purpose, Speaker, Statement, Status
from relance.decisions.rules import Verdict

from .laws import LIST, NOW, START, ask, facts, moments, policies, questions, statements

closing = statements(
    st.sampled_from(
        [
            Kind.WITHDRAWN,
            Kind.OBJECTION,
            Kind.COMPLAINT,
            Kind.BLOCKED,
            Kind.NUMBER_BLOCKED,
            Kind.LISTED,
            Kind.ERASED,
            Kind.MINOR,
        ]
    )
)


def with_more(said, *more):
    return replace(said, statements=(*said.statements, *more))


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies, closing)
def test_one_more_opt_out_complaint_block_or_listing_never_opens_anything(said, question, policy, more):
    before, after = ask(said, question, policy), ask(with_more(said, more), question, policy)

    assert after.decision.verdict >= before.decision.verdict


@settings(max_examples=100, deadline=None)
@given(facts.flatmap(lambda f: st.tuples(st.just(f), st.permutations(f.statements))), questions, policies)
def test_the_order_in_which_statements_arrive_changes_nothing(both, question, policy):
    said, shuffled = both
    one, other = ask(said, question, policy), ask(replace(said, statements=tuple(shuffled)), question, policy)

    assert one.decision.verdict == other.decision.verdict
    assert one.status == other.status
    assert one.basis == other.basis
    assert sorted(map(repr, one.decision.reasons)) == sorted(map(repr, other.decision.reasons))


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_a_statement_delivered_twice_changes_nothing(said, question, policy):
    one, twice = ask(said, question, policy), ask(with_more(said, *said.statements), question, policy)

    assert (one.decision.verdict, one.status, one.basis) == (twice.decision.verdict, twice.status, twice.basis)


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies, moments, st.sampled_from([Kind.WITHDRAWN, Kind.OBJECTION]))
def test_at_the_same_instant_the_opt_out_wins(said, question, policy, at, kind):
    at = min(at, NOW)
    yes = Statement(
        Kind.CONFIRMED, at, channel=question.channel, brand=question.brand, topics=frozenset({question.topic} - {""})
    )
    no = Statement(kind, at, channel=question.channel)
    earlier = replace(said, statements=tuple(one for one in said.statements if (one.act_at or at) < at))

    assert ask(with_more(earlier, yes, no), question, policy, NOW).decision.verdict is Verdict.SKIP


@settings(max_examples=100, deadline=None)
@given(
    facts,
    questions,
    policies,
    statements(
        st.sampled_from([Kind.GIVEN, Kind.CONFIRMED]), st.sampled_from([Speaker.CRM, Speaker.IMPORT, Speaker.SELLER])
    ),
)
def test_an_opt_in_from_elsewhere_without_a_whole_proof_opens_nothing(said, question, policy, yes):
    for proof in (None, Proof(yes.at, "", "fair"), Proof(yes.at, "form", ""), Proof(None, "form", "fair")):
        unproved = replace(yes, proof=proof)

        assert (
            ask(with_more(said, unproved), question, policy).decision.verdict
            >= ask(said, question, policy).decision.verdict
        )


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies, statements())
def test_what_is_dated_later_than_the_question_is_not_there_yet(said, question, policy, later):
    future = replace(later, at=NOW + timedelta(seconds=1), proof=Proof(NOW + timedelta(seconds=1), "form", "fair"))
    one, other = ask(said, question, policy), ask(with_more(said, future), question, policy)

    assert (one.decision.verdict, one.status, one.basis) == (other.decision.verdict, other.status, other.basis)


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_a_complaint_is_reopened_by_nothing_but_a_confirmed_opt_in_made_here(said, question, policy):
    complaint = Statement(
        Kind.COMPLAINT,
        min((one.at for one in said.statements if one.at <= NOW), default=START),
        channel=question.channel,
    )
    answer = ask(with_more(said, complaint), question, policy)

    if answer.decision.verdict is Verdict.GO:
        assert any(
            one.kind is Kind.CONFIRMED and one.by is Speaker.PERSON and one.at > complaint.at for one in said.statements
        )


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_after_erasure_only_a_new_act_of_the_person_reopens(said, question, policy):
    erased = Statement(Kind.ERASED, min((one.at for one in said.statements if one.at <= NOW), default=START))
    answer = ask(with_more(said, erased), question, policy)

    if answer.decision.verdict is Verdict.GO:
        assert any(
            one.kind in (Kind.GIVEN, Kind.CONFIRMED) and one.by is Speaker.PERSON and one.at > erased.at
            for one in said.statements
        )
    elif not any(one.by is Speaker.PERSON and one.kind in (Kind.GIVEN, Kind.CONFIRMED) for one in said.statements):
        assert answer.status is Status.SUPPRESSED


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_marketing_goes_only_on_a_ground_that_the_line_takes(said, question, policy):
    answer = ask(said, question, policy)

    if answer.decision.verdict is Verdict.GO:
        assert answer.basis in answer.asked.grounds
        assert answer.asked.need is not Need.NEVER
        if answer.basis is not Basis.OPTOUT:
            assert answer.expires is None or answer.expires > NOW


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_a_service_message_is_never_refused_for_want_of_consent(said, question, policy):
    service = replace(question, purpose=Purpose.SERVICE)

    assert ask(said, service, policy).decision.verdict is Verdict.GO


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_a_service_message_with_an_offer_in_it_is_marketing(said, question, policy):
    offering = replace(question, purpose=Purpose.SERVICE, has_offer=True)

    assert ask(said, offering, policy).decision == ask(said, question, policy).decision


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_every_refusal_names_an_entry_or_a_line(said, question, policy):
    for reason in ask(said, question, policy).decision.reasons:
        if reason.verdict is Verdict.SKIP:
            assert reason.seen.get("entry") or reason.seen.get("line")


# Merging.

records = st.sampled_from(["left", "right"])
halves = st.lists(
    statements(st.sampled_from([kind for kind in Kind if kind is not Kind.UNBLOCKED]), records=records), max_size=8
)


@settings(max_examples=100, deadline=None)
@given(halves, facts, questions, policies)
def test_no_word_that_closed_one_of_two_records_is_lost_when_they_become_one(said, rest, question, policy):
    left, right = ([one for one in said if one.record == name] for name in ("left", "right"))
    alone = [ask(replace(rest, statements=tuple(part), acts=()), question, policy) for part in (left, right)]
    merged = ask(
        replace(rest, statements=tuple(said), acts=(), merges={"right": NOW - timedelta(days=1)}), question, policy
    )

    closed = {Status.OPTED_OUT, Status.COMPLAINED, Status.SUPPRESSED}
    if any(answer.status in closed for answer in alone):
        assert merged.status in closed
        assert merged.decision.verdict is Verdict.SKIP


@settings(max_examples=100, deadline=None)
@given(halves, facts, questions, policies)
def test_a_merge_gives_no_more_than_the_freer_of_the_two_records_had(said, rest, question, policy):
    left, right = ([one for one in said if one.record == name] for name in ("left", "right"))
    alone = [ask(replace(rest, statements=tuple(part), acts=()), question, policy) for part in (left, right)]
    merged = ask(
        replace(rest, statements=tuple(said), acts=(), merges={"right": NOW - timedelta(days=1)}), question, policy
    )

    assert merged.decision.verdict >= min(answer.decision.verdict for answer in alone)


@settings(max_examples=100, deadline=None)
@given(facts, questions, policies)
def test_a_listing_binds_where_nothing_excepts_it(said, question, policy):
    listing = Statement(Kind.LISTED, NOW - timedelta(days=400), registry=LIST, channel=Channel.ALL)
    words = [one for one in said.statements if one.kind is Kind.DELISTED]
    answer = ask(
        replace(with_more(said, listing), statements=(listing, *(o for o in said.statements if o not in words))),
        question,
        policy,
    )
    has_list = LIST in answer.asked.registries
    rule = policy.registries[LIST]

    if has_list and rule.consent == "none" and not rule.excepts:
        assert answer.decision.verdict is Verdict.SKIP
