"""The packs as data: all can be read, say where they come from, and are read aloud; mistakes are told with their line."""

from datetime import date

import pytest

from relance.cli.scenarios import open_words
from relance.consent.lines import Need
from relance.consent.packs import PolicyBook, PolicyRefused, Whose, parse_pack, shipped_packs
from relance.consent.periods import read_period
from relance.consent.places import find_place, public_holidays
from relance.consent.statements import Audience, Channel, Purpose
from relance.lib.marked_yaml import read_yaml

open_words()
PACKS = shipped_packs()
DAY = date(2026, 11, 24)


@pytest.mark.parametrize("name", PACKS)
def test_every_line_of_a_pack_has_a_name_a_source_and_is_read_aloud(name):
    from relance.consent.sentences import explain_pack

    for line in PACKS[name].lines:
        assert line.id
        assert line.source
    for _name, sentences in explain_pack(PACKS[name]):
        assert len(sentences) >= 2
        assert all(sentence.strip().endswith(".") for sentence in sentences)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_knows_the_holidays_it_closes_on(name):
    pack = PACKS[name]
    law = PolicyBook(PACKS).law_for(pack.countries[0] if pack.countries else "")

    for region in ("", *pack.regions):
        place = find_place(law, country=(pack.countries or [""])[0], region=region, year=2026)
        if law.calendar and pack.countries:
            assert place.holidays


def test_alsace_keeps_good_friday_and_paris_does_not():
    assert date(2026, 4, 3) in public_holidays("FR", "6AE", 2026)
    assert date(2026, 4, 3) not in public_holidays("FR", "", 2026)


def need(book, channel=Channel.EMAIL, **whose):
    return book.policy_for(Whose(**whose), channel, Purpose.MARKETING).on(DAY).need


def test_the_policy_of_the_house_lies_on_that_of_the_country():
    house = parse_pack(read_yaml("pack: house\nlines: [{id: mail, channel: email, need: doi}]", "house"))
    book = PolicyBook(PACKS, house=(house,))

    assert need(book, country="GB", audience=Audience.B2B) is Need.DOI
    assert need(book, Channel.PHONE, country="GB", audience=Audience.B2B) is Need.OPTOUT


def test_what_an_industry_or_brand_states_lies_on_what_everybody_else_gets():
    house = parse_pack(
        read_yaml(
            "lines:\n"
            "  - {id: pharma, channel: email, when: {industry: pharma}, need: doi}\n"
            "  - {id: volt, channel: email, when: {brand: Volt}, need: never}",
            "house",
        )
    )
    book = PolicyBook(PACKS, house=(house,))
    about = {"industry": "", "brand": ""}

    def with_words(**words):
        return need(book, country="GB", audience=Audience.B2B, about=tuple((about | words).items()))

    assert with_words() is Need.OPTOUT
    assert with_words(industry="pharma") is Need.DOI
    assert with_words(industry="pharma", brand="Volt") is Need.NEVER


@pytest.mark.parametrize("channel", [Channel.WHATSAPP, Channel.ROBOT_CALL, Channel.LINKEDIN])
def test_a_channel_of_which_a_pack_says_nothing_wants_a_yes(channel):
    assert need(PolicyBook(PACKS), channel, country="JP", audience=Audience.B2B) is Need.OPTIN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lines:\n  - {channel: email, need: optin, colour: red}", "p:2: “colour” is not a key that is known here."),
        ("lines:\n  - {need: optin}", "p:2: “channel” is missing."),
        ("lines:\n  - {channel: fax}", "p:2: “channel”"),
        ("inactivity: three years", "p:1: “three years” is not a period"),
        ("zones: Europe/Lyon", "p:1: “Europe/Lyon” is not a time zone"),
        (
            "lines:\n  - {channel: sms, valid_from: 2026-02-01, valid_to: 2026-01-01}",
            "p:2: valid_to 2026-01-01 is before valid_from",
        ),
        ("lines:\n  - {id: a, channel: sms}\n  - {id: a, channel: email}", "p:1: two lines are called a"),
        ("lines:\n  - channel: sms\n    hours: {fri-mon: 09:00-10:00}", "p:3: “fri-mon” ends before it begins"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_line(text, says):
    with pytest.raises(PolicyRefused) as refused:
        parse_pack(read_yaml(text, "p"))

    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("text", "ends"), [("1 month", "2026-02-28"), ("2 years", "2028-01-31"), ("30 days", "2026-03-02")]
)
def test_months_and_years_follow_the_calendar(text, ends):
    from datetime import UTC, datetime

    assert read_period(text).after(datetime(2026, 1, 31, tzinfo=UTC)).date() == date.fromisoformat(ends)
    assert str(read_period(text)) == text
