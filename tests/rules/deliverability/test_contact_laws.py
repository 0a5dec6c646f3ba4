"""What must always hold of the gate: an hour it names is really open, and the first one; the dead are never written to."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from relance.consent.lines import ConsentPolicy, Hours, Limit, Need, PolicyLine, Terms
from relance.consent.periods import Period
from relance.consent.statements import Audience, Channel, ConsentFacts, Kind, Purpose, Question, Statement
from relance.decisions.rules import Verdict
from relance.deliverability.bounces import MailEvent, MailEventKind
from relance.deliverability.contacts import Contact, ContactFacts, ContactPolicy, Mode, Pause, SenderFacts
from relance.deliverability.rules import decide_contact
from relance.workspace.rules import Span

SUNDAY = datetime(2026, 3, 29, tzinfo=UTC)  # the night clocks go forward in Europe
PARIS, LISBON, NEW_YORK, KATHMANDU = map(
    ZoneInfo, ("Europe/Paris", "Europe/Lisbon", "America/New_York", "Asia/Kathmandu")
)

minutes = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda count: SUNDAY + timedelta(minutes=count))
seconds = st.integers(-3 * 86_400, 3 * 86_400).map(lambda count: SUNDAY + timedelta(seconds=count))
spans = st.sampled_from([
    (Span(time(9), time(12)), Span(time(13, 30), time(18))),
    (Span(time(10), time(10, 5)),),
    (Span(time(2), time(3)),),  # an hour that does not exist on that Sunday
    (Span(time(20), time.min),),
    (),
])  # fmt: skip
weeks = st.lists(spans, min_size=7, max_size=7).map(tuple)
hours = st.one_of(st.just(Hours()), st.builds(Hours, weeks, st.booleans()))
limits = st.builds(Limit, st.integers(1, 3), st.sampled_from([Period(seconds=86_400), Period(seconds=7 * 86_400)]))
contacts = st.lists(
    st.builds(
        Contact,
        seconds,
        st.sampled_from([Channel.EMAIL, Channel.PHONE]),
        st.just(Purpose.MARKETING),
        st.sampled_from(Mode),
    ),
    max_size=6,
).map(tuple)
pauses = st.lists(
    st.tuples(seconds, st.integers(1, 200_000), st.booleans()).map(
        lambda drawn: Pause(drawn[0], drawn[0] + timedelta(seconds=drawn[1]), is_absence=drawn[2], key="pause")
    ),
    max_size=3,
).map(tuple)
senders = st.one_of(
    st.none(),
    st.builds(
        SenderFacts,
        name=st.just("luc"),
        zone=st.sampled_from([PARIS, KATHMANDU]),
        week=st.one_of(st.none(), weeks),
        daily_maximum=st.sampled_from([{}, {Channel.EMAIL: 1}, {Channel.EMAIL: 3}]),
        spacing=st.sampled_from([None, Period(seconds=90), Period(seconds=5_400)]),
        sent=contacts,
    ),
)
yes = st.builds(
    Statement,
    st.just(Kind.GIVEN),
    seconds,
    key=st.just("yes"),
    channel=st.just(Channel.EMAIL),
    until=st.one_of(st.none(), seconds),
)
facts = st.builds(
    ContactFacts,
    question=st.just(Question(Channel.EMAIL)),
    consent=st.builds(ConsentFacts, statements=st.lists(yes, max_size=2).map(tuple)),
    mode=st.sampled_from(Mode),
    zones=st.sampled_from([(PARIS,), (PARIS, LISBON), (NEW_YORK, PARIS)]),
    holidays=st.sampled_from([frozenset(), frozenset({date(2026, 3, 30)})]),
    contacts=contacts,
    pauses=pauses,
    sender=senders,
)


def policy_of(need: Need, week: Hours, caps: tuple[Limit, ...]) -> ContactPolicy:
    line = PolicyLine("drawn/line", Terms(need=need, hours=week), frozenset(Channel), frozenset(Audience))
    return ContactPolicy(ConsentPolicy((line,), ()), caps)


policies = st.builds(
    policy_of, st.sampled_from([Need.OPTIN, Need.OPTOUT]), hours, st.lists(limits, max_size=2).map(tuple)
)


def known_at(told: ContactFacts, at: datetime) -> ContactFacts:
    """What had happened by then: messages of later are not known."""
    sender = told.sender and replace(told.sender, sent=tuple(one for one in told.sender.sent if one.at <= at))
    return replace(told, contacts=tuple(one for one in told.contacts if one.at <= at), sender=sender)


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_asking_again_at_the_hour_it_named_lets_it_go(told, policy, at):
    told = known_at(told, at)
    decision = decide_contact(told, policy, at)

    if decision.verdict is Verdict.WAIT:
        assert decision.until is not None
        assert decision.until > at
        assert decide_contact(told, policy, decision.until).verdict is Verdict.GO


@settings(max_examples=80, deadline=None)
@given(facts, policies, minutes)
def test_no_earlier_minute_would_have_done(told, policy, at):
    told = known_at(told, at)
    decision = decide_contact(told, policy, at)

    if decision.verdict is Verdict.WAIT and decision.until is not None:
        before = decision.until.astimezone(UTC) - timedelta(minutes=1)
        for back in (0, 1, 7, 31, 59, 173, 719, 1440):
            earlier = before - timedelta(minutes=back)
            if earlier >= at and earlier.second == 0:
                assert decide_contact(told, policy, earlier).verdict is not Verdict.GO


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_an_hour_is_whole_to_the_minute_unless_spacing_asks_for_seconds(told, policy, at):
    told = known_at(told, at)
    decision = decide_contact(told, policy, at)

    if decision.until is not None:
        assert decision.until.microsecond == 0
        spaced = any(reason.code == "sender.spacing" for reason in decision.reasons)
        assert spaced or decision.until.second == 0


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_it_waits_only_when_time_alone_stands_in_the_way(told, policy, at):
    told = known_at(told, at)
    decision = decide_contact(told, policy, at)
    refused = replace(
        told,
        consent=replace(told.consent, statements=(*told.consent.statements, Statement(Kind.WITHDRAWN, at, key="no"))),
    )

    assert decide_contact(refused, policy, at).verdict is Verdict.SKIP
    assert (decision.until is None) == (decision.verdict is not Verdict.WAIT)


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds, st.sampled_from(Purpose), st.booleans())
def test_a_dead_address_is_never_written_to_whatever_the_purpose(told, policy, at, purpose, offers):
    question = replace(told.question, purpose=purpose, has_offer=offers)
    dead = replace(told, question=question, mail_events=(MailEvent(MailEventKind.HARD, at),))

    assert decide_contact(dead, policy, at).verdict is Verdict.SKIP


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_a_service_message_waits_for_nothing(told, policy, at):
    service = replace(told, question=replace(told.question, purpose=Purpose.SERVICE))

    assert decide_contact(service, policy, at).verdict is Verdict.GO


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds, st.sampled_from([MailEventKind.SOFT, MailEventKind.BLOCK, MailEventKind.HARD]))
def test_a_bounce_changes_no_consent(told, policy, at, kind):
    told = known_at(told, at)
    bounced = replace(told, mail_events=(MailEvent(kind, at),))

    one, other = decide_contact(told, policy, at), decide_contact(bounced, policy, at)

    assert one.status is other.status


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_a_pause_never_grants_and_never_withdraws(told, policy, at):
    told = known_at(told, at)
    paused = replace(told, pauses=(*told.pauses, Pause(at, at + timedelta(days=2), key="pause")))

    one, other = decide_contact(told, policy, at), decide_contact(paused, policy, at)

    assert one.status is other.status
    assert other.verdict >= one.verdict
    assert other.verdict is not Verdict.GO


@settings(max_examples=80, deadline=None)
@given(facts, policies, seconds)
def test_every_refusal_and_wait_names_an_entry_a_line_or_a_setting(told, policy, at):
    for reason in decide_contact(known_at(told, at), policy, at).reasons:
        if reason.verdict is not Verdict.GO and not reason.code.startswith("time."):
            assert {"entry", "line", "setting"} & {name for name, value in reason.seen.items() if value}
