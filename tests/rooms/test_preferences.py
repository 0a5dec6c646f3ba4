"""The preference centre: a link that lasts, pages that change nothing until a button is pressed, and choices kept as they were shown."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import Client

from relance.consent.actions import NewStatement, record_statement, withdraw_consent
from relance.consent.models import ConsentLine, Evidence, Topic, Wording
from relance.consent.statements import Channel, Kind, Question, Speaker
from relance.decisions.rules import Verdict
from relance.deliverability.actions import decide_contact
from relance.deliverability.models import Frequency, Quiet
from relance.lib.clock import utc_now
from relance.people.change import create_person, delete_people
from relance.people.erasing import erase_person
from relance.people.merging import merge_people
from relance.people.models import Person
from relance.web.preference_words import LANGUAGES, words_in
from relance.web.preferences import TOPICS_SHOWN, one_click_address, preferences_address
from relance.workspace.models import Brand, Workspace

pytestmark = pytest.mark.django_db
BEFORE = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def workspace(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return Workspace.objects.create(name="Hexalis", language="en", time_zone="Europe/Paris")


@pytest.fixture
def brand() -> Brand:
    return Brand.objects.create(name="Hexalis", is_default=True, language="en")


@pytest.fixture
def topics(brand) -> list[Topic]:
    return [
        Topic.objects.create(key="advice", names={"en": "Advice", "fr": "Conseils"}),
        Topic.objects.create(key="news", names={"en": "News", "fr": "Nouveautés"}, brand=brand),
    ]


@pytest.fixture
def browser() -> Client:
    """A stranger's, which insists on CSRF as a real server does, and keeps no cookie."""
    return Client(enforce_csrf_checks=True)


def person(name: str = "Aline", **other: object) -> Person:
    values = {"first_name": name, "email": f"{name.lower()}@free.fr", "country": "France", "language": "en", **other}
    return create_person(values, actor="system", now=BEFORE)


@pytest.fixture
def aline() -> Person:
    return person()


def said_yes(who: Person, brand: Brand, *topics: str, channel: Channel = Channel.EMAIL) -> None:
    said = NewStatement(Kind.GIVEN, BEFORE, who.pk, channel=channel, brand_id=brand.pk, topics=topics)
    record_statement(said, actor="system", now=BEFORE)


def read(browser: Client, address: str, **query: str) -> str:
    return html.unescape(browser.get(address, query).content.decode())


def shown(page: str) -> str:
    return re.search(r'name="shown" value="([^"]+)"', page)[1]


def boxes(page: str) -> dict[str, bool]:
    found = re.findall(r'type="checkbox" name="on" value="([^"]+)"( checked)?', page)
    return {key: bool(checked) for key, checked in found}


def save(browser: Client, address: str, *on: str, **other: str):
    page = read(browser, address)
    return browser.post(address, {"shown": shown(page), "on": on, **other})


def may_mail(who: Person, topic: str = "", channel: Channel = Channel.EMAIL) -> bool:
    question = Question(channel, topic=topic, brand="Hexalis")
    return decide_contact(who, question, at=utc_now() + timedelta(seconds=1)).verdict is not Verdict.SKIP


def everything() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (ConsentLine, Evidence, Wording, Frequency, Quiet))


def test_the_page_shows_each_topic_as_things_stand_and_half_hides_the_address(browser, aline, brand, topics):
    said_yes(aline, brand, "news")

    page = read(browser, preferences_address(aline, brand))

    assert boxes(page) == {"email:advice": False, "email:news": True}
    assert "a••••@free.fr" in page and "aline@free.fr" not in page


def test_a_number_is_half_hidden_too(browser, brand):
    page = read(browser, preferences_address(person("Bruno", email=None, mobile_phone="+33 6 12 34 56 78"), brand))

    assert "78. Your choices" in page and "12" not in page.split("Your choices")[0].rpartition("For ")[2]


def test_opening_either_link_changes_nothing_however_often_scanners_do_it(browser, aline, brand, topics):
    said_yes(aline, brand)
    before = everything()

    for address in (preferences_address(aline, brand), one_click_address(aline, brand)):
        for query in ({}, {"off": "all"}, {"List-Unsubscribe": "One-Click"}, {"done": "all_off"}):
            assert browser.get(address, query, follow=True).status_code == 200
            assert browser.head(address, query).status_code in (200, 302)

    assert everything() == before and may_mail(aline)


def test_a_ticked_topic_is_a_yes_with_the_exact_words_shown_and_an_unticked_one_a_no(browser, aline, brand, topics):
    said_yes(aline, brand, "news")

    answer = save(browser, preferences_address(aline, brand), "email:advice")

    given, withdrawn = ConsentLine.objects.filter(how="page").order_by("kind")
    assert answer.status_code == 302
    assert (given.kind, given.topics, given.brand, given.said_by) == ("given", ["advice"], brand, Speaker.PERSON)
    assert (withdrawn.kind, withdrawn.topics) == ("withdrawn", ["news"])
    assert given.wording.language == "en" and given.wording == given.evidence.wording
    assert "Advice\nNews" in given.wording.text and "Save my choices" in given.wording.text
    assert given.evidence.ticked == {"on": ["email:advice"], "was": ["email:news"]}
    assert given.evidence.ip == "127.0.0.1"
    assert may_mail(aline, "advice") and not may_mail(aline, "news")


def test_saving_without_a_change_says_nothing_and_makes_nobody_consent(browser, aline, brand, topics):
    at = utc_now() - timedelta(days=1)
    customer = NewStatement(Kind.CUSTOMER, at, aline.pk, brand_id=brand.pk, is_told=True)
    record_statement(customer, actor="system", now=at)
    address = preferences_address(aline, brand)
    ticked = [key for key, is_on in boxes(read(browser, address)).items() if is_on]

    assert ticked
    save(browser, address, *ticked)

    assert ConsentLine.objects.count() == 1


def test_every_topic_unticked_closes_mail_without_a_topic_too(browser, aline, brand, topics):
    said_yes(aline, brand)
    assert may_mail(aline)

    save(browser, preferences_address(aline, brand))

    assert not may_mail(aline) and not may_mail(aline, "news")


def test_a_topic_ticked_again_later_reopens_that_topic_alone(browser, aline, brand, topics):
    said_yes(aline, brand)
    address = preferences_address(aline, brand)
    save(browser, address)
    save(browser, address, "email:news")

    assert boxes(read(browser, address)) == {"email:advice": False, "email:news": True}


def test_a_box_that_was_not_shown_cannot_be_ticked(browser, aline, brand, topics):
    save(browser, preferences_address(aline, brand), "email:secret", "sms:", "post:")

    assert not ConsentLine.objects.exists()


def test_channels_are_offered_where_there_is_an_address(browser, brand):
    bruno = person("Bruno", mobile_phone="+33 6 12 34 56 78")
    address = preferences_address(bruno, brand)

    assert set(boxes(read(browser, address))) == {"email:", "phone:", "sms:", "whatsapp:"}
    save(browser, address, "sms:")

    assert may_mail(bruno, channel=Channel.SMS) and not may_mail(bruno, channel=Channel.WHATSAPP)


def test_the_button_that_ends_everything_closes_every_channel_topic_and_brand(browser, brand, topics):
    bruno, other = person("Bruno", mobile_phone="+33 6 12 34 56 78"), Brand.objects.create(name="Boréal")
    for one in (brand, other):
        said_yes(bruno, one)
        said_yes(bruno, one, channel=Channel.SMS)

    answer = browser.post(preferences_address(bruno, brand), {"off": "all"})

    assert "You will receive no more marketing messages from us" in read(browser, answer.url)
    for channel in (Channel.EMAIL, Channel.SMS):
        for name in ("Hexalis", "Boréal"):
            asked = Question(channel, brand=name)
            assert decide_contact(bruno, asked, at=utc_now()).status == "opted_out"


def test_the_button_that_ends_everything_is_there_for_who_receives_nothing(browser, aline, brand):
    withdraw_consent(aline.pk, actor="system", now=utc_now())

    assert "Unsubscribe from everything" in read(browser, preferences_address(aline, brand))


def test_one_click_needs_neither_cookie_nor_second_step_and_ends_the_mail_of_the_brand(browser, aline, brand):
    said_yes(aline, brand)
    said_yes(aline, Brand.objects.create(name="Boréal"))

    answer = browser.post(one_click_address(aline, brand), {"List-Unsubscribe": "One-Click"})

    line = ConsentLine.objects.get(how="one_click")
    assert answer.status_code == 200
    assert (line.kind, line.channel, line.brand, line.topics) == ("withdrawn", "email", brand, [])
    assert not may_mail(aline)
    assert decide_contact(aline, Question(Channel.EMAIL, brand="Boréal"), at=utc_now()).status == "opted_in"


def test_one_click_sent_again_is_harmless(browser, aline, brand):
    for _again in range(3):
        assert browser.post(one_click_address(aline, brand), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not may_mail(aline)


def test_a_link_works_after_a_merge_and_speaks_of_who_stayed(browser, aline, brand):
    stays = person("Bruno")
    said_yes(stays, brand)
    address = one_click_address(aline, brand)
    merge_people(stays, aline, actor="user:1", now=utc_now())

    assert browser.post(address).status_code == 200
    assert not may_mail(stays)


@pytest.mark.parametrize("goes", ["deleted", "erased"])
def test_a_link_of_somebody_who_is_gone_says_that_nothing_more_comes(browser, aline, brand, goes):
    addresses = preferences_address(aline, brand), one_click_address(aline, brand)
    if goes == "deleted":
        delete_people([aline.pk], actor="user:1", now=utc_now())
    else:
        erase_person(aline, actor="user:1", now=utc_now())

    for address in addresses:
        assert "We no longer hold your address" in read(browser, address)
        assert browser.post(address, {"off": "all"}).status_code == 200


def test_a_link_outlives_its_brand_and_still_ends_everything(browser, aline):
    brand = Brand.objects.create(name="Boréal")
    address = preferences_address(aline, brand)
    brand.delete()

    assert "Unsubscribe from everything" in read(browser, address)
    assert browser.post(address, {"off": "all"}).status_code == 302
    assert not may_mail(aline)


def test_a_link_works_with_the_secret_key_before_this_one(browser, aline, brand, settings):
    address = preferences_address(aline, brand)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, [settings.SECRET_KEY]

    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("where", ["preferences", "unsubscribe"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_cut_or_foreign_link_says_what_to_do_and_changes_nothing(browser, aline, brand, where, method):
    good = preferences_address(aline, brand).rpartition("/")[2]
    foreign = signing.dumps([aline.pk, aline.uid.hex, brand.pk], salt="another")
    before = everything()

    for token in (good[:-4], good[:10], foreign, "é", "%00", "x:y:z", good + "A"):
        answer = getattr(browser, method)(f"/{where}/{token}", {"off": "all"}, headers={"Accept-Language": "de"})
        assert answer.status_code == 404
        assert "Dieser Link ist unvollständig" in answer.content.decode()

    assert everything() == before


@pytest.mark.parametrize("stale", ["", "cut", "of another"])
def test_choices_without_the_page_they_answer_to_are_not_taken(browser, aline, brand, topics, stale):
    other = shown(read(browser, preferences_address(person("Bruno"), brand)))
    told = other if stale == "of another" else stale

    answer = browser.post(preferences_address(aline, brand), {"shown": told, "on": ["email:news"]})

    assert answer.status_code == 422
    assert "Nothing was changed" in answer.content.decode()
    assert not ConsentLine.objects.exists()


def test_how_often_and_a_pause_are_chosen_kept_and_taken_back(browser, aline, brand):
    address = preferences_address(aline, brand)

    save(browser, address, often="month", pause="3")
    assert (Frequency.objects.get().at_most, Frequency.objects.get().per) == (1, "1 month")
    assert timedelta(days=80) < Quiet.objects.get().ends - utc_now() < timedelta(days=93)
    page = read(browser, address)
    assert 'value="month" checked' in page and "Nothing is sent until" in page

    save(browser, address, often="month", pause="")
    assert Frequency.objects.count() == Quiet.objects.count() == 1
    save(browser, address, often="none", pause="end")
    assert not Frequency.objects.exists()
    assert "Nothing is sent until" not in read(browser, address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_persons_language_and_any_other_that_is_chosen(browser, brand, topics, language):
    other = "fr" if language != "fr" else "nl"
    address = preferences_address(person(language=language), brand)

    page, chosen = read(browser, address), read(browser, address, lang=other)

    assert f'<html lang="{language}"' in page and words_in(language)["title"] in page
    assert f'<html lang="{other}"' in chosen and words_in(other)["off"] in chosen


def test_every_language_has_every_sentence_with_the_same_blanks():
    blanks = {key: sorted(re.findall(r"%\(\w+\)s", text)) for key, text in words_in("en").items()}

    for language in LANGUAGES:
        words = words_in(language)
        assert all(words.values())
        assert {key: sorted(re.findall(r"%\(\w+\)s", text)) for key, text in words.items()} == blanks, language


def test_ten_thousand_topics_make_a_page_that_can_be_saved(browser, aline, brand):
    Topic.objects.bulk_create([Topic(key=f"t{n}", names={"en": f"Topic {n}"}) for n in range(10_000)])
    said_yes(aline, brand)
    address = preferences_address(aline, brand)
    page = read(browser, address)

    assert len(boxes(page)) == TOPICS_SHOWN
    assert f"The first {TOPICS_SHOWN} subjects are shown" in page
    save(browser, address, *(key for key in boxes(page) if key != "email:t7"))
    assert not may_mail(aline, "t7") and may_mail(aline, "t8") and may_mail(aline, "t9999")


def test_topics_of_another_brand_retired_or_private_are_not_offered(browser, aline, brand, topics):
    Topic.objects.create(key="theirs", brand=Brand.objects.create(name="Boréal"))
    Topic.objects.create(key="old", retired_at=BEFORE)
    Topic.objects.create(key="inner", is_public=False)

    assert set(boxes(read(browser, preferences_address(aline, brand)))) == {"email:advice", "email:news"}


def test_the_address_is_kept_from_caches_search_engines_and_other_sites(browser, aline, brand):
    answer = browser.get(preferences_address(aline, brand))

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
