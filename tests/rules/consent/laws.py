"""What the property tests draw from: statements of every kind, around a few days, channels, brands and topics."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from relance.consent.lines import Basis, ConsentPolicy, Need, PolicyLine, RegistryRule, Terms
from relance.consent.periods import Period
from relance.consent.rules import decide_consent
from relance.consent.statements import (
    Act,
    ActKind,
    Audience,
    Channel,
    ConsentFacts,
    Kind,
    Proof,
    Purpose,
    Question,
    Speaker,
    Statement,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LIST = "LIST"

# Few values, so that statements meet: the same instant, the same topic, another brand.
moments = st.integers(0, 20).map(lambda steps: START + timedelta(days=25 * steps))
channels = st.sampled_from([Channel.EMAIL, Channel.PHONE, Channel.SMS, Channel.ALL])
topics = st.sampled_from([frozenset(), frozenset({"news"}), frozenset({"events"}), frozenset({"news", "events"})])
brands = st.sampled_from(["", "acme"])
proofs = st.one_of(st.none(), st.builds(Proof, moments, st.sampled_from(["form", ""]), st.sampled_from(["fair", ""])))


any_kind, anybody, one_record = st.sampled_from(Kind), st.sampled_from(Speaker), st.just("")


def statements(kinds=any_kind, speakers=anybody, records=one_record):
    return st.builds(
        Statement,
        kind=kinds,
        at=moments,
        key=st.sampled_from("abc"),
        channel=channels,
        by=speakers,
        brand=brands,
        topics=topics,
        proof=proofs,
        requested_at=st.one_of(st.none(), moments),
        until=st.one_of(st.none(), moments),
        is_told=st.booleans(),
        registry=st.just(LIST),
        record=records,
    )


acts = st.builds(Act, st.sampled_from(ActKind), moments)
questions = st.builds(
    Question,
    channel=st.sampled_from([Channel.EMAIL, Channel.PHONE, Channel.SMS, Channel.ROBOT_CALL]),
    topic=st.sampled_from(["", "news", "events"]),
    brand=brands,
    is_related=st.booleans(),
    is_relevant=st.booleans(),
)
terms = st.builds(
    Terms,
    need=st.sampled_from(Need),
    consent_lasts=st.one_of(st.none(), st.just(Period(months=6))),
    customer_lasts=st.one_of(st.none(), st.just(Period(months=12))),
    is_customer_told=st.booleans(),
    is_similar_only=st.booleans(),
    inactivity=st.one_of(st.none(), st.just(Period(months=9))),
    registries=st.sampled_from([(), (LIST,)]),
)
rules = st.builds(
    RegistryRule,
    name=st.just(LIST),
    max_age=st.none(),
    consent=st.sampled_from(["none", "later", "any"]),
    excepts=st.sampled_from([frozenset(), frozenset({Basis.CUSTOMER, Basis.CONTRACT})]),
)


def policy_of(stated: Terms, registry: RegistryRule | None = None) -> ConsentPolicy:
    line = PolicyLine("drawn/line", stated, frozenset(Channel), frozenset(Audience))
    return ConsentPolicy((line,), (), {LIST: registry} if registry else {})


policies = st.builds(policy_of, terms, rules)
facts = st.builds(
    ConsentFacts,
    statements=st.lists(statements(), max_size=7).map(tuple),
    acts=st.lists(acts, max_size=4).map(tuple),
    registry_files=st.just({LIST: START}),
)


def ask(said: ConsentFacts, question: Question, policy: ConsentPolicy, at: datetime = NOW):
    return decide_consent(said, question, policy=policy, at=at, day=at.date())


__all__ = [
    "LIST",
    "NOW",
    "START",
    "Purpose",
    "ask",
    "date",
    "facts",
    "moments",
    "policies",
    "policy_of",
    "questions",
    "statements",
]
