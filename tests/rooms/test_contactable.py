"""The person page says whether she may be contacted, why, and what she said; a word is recorded by hand with its proof."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relance.consent.actions import NewStatement, record_statement
from relance.consent.models import ConsentLine, Topic
from relance.consent.statements import Channel, Kind, Question, Speaker
from relance.decisions.models import LedgerLine
from relance.decisions.rules import Verdict
from relance.deliverability.actions import decide_contact
from relance.lib.clock import utc_now
from relance.people.change import create_person
from relance.people.models import Person
from relance.workspace.models import Brand, User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def workspace(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    Brand.objects.create(name="Hexalis", is_default=True)
    return Workspace.objects.create(name="Hexalis", language="en", time_zone="Europe/Paris")


@pytest.fixture
def aline() -> Person:
    values = {"first_name": "Aline", "last_name": "Martin", "email": "aline@free.fr", "country": "France"}
    return create_person(values, actor="system", now=utc_now() - timedelta(days=100))


def client_of(role: str) -> Client:
    user = User.objects.create_user(f"{role}@hexalis.example", name=f"Camille {role}", role=role, language="en")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser() -> Client:
    return client_of("admin")


def written(**other: str) -> dict[str, str]:
    at = timezone.localtime(utc_now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    return {"kind": "given", "channel": "email", "act_at": at, "how": "paper", "source": "binder 4", **other}


def record(browser: Client, who: Person, **other: str):
    return browser.post(reverse("consent-record", args=[who.pk]), written(**other))


def test_the_person_page_answers_for_each_channel_as_the_gate_does(browser, aline):
    at = utc_now() - timedelta(days=2)
    record_statement(NewStatement(Kind.GIVEN, at, aline.pk, channel=Channel.EMAIL), actor="system", now=at)

    page = browser.get(reverse("person", args=[aline.pk]))

    shown = {channel["key"]: channel["label"] for channel in page.context["channels"]}
    words = {Verdict.GO: "Yes", Verdict.WAIT: "Later", Verdict.SKIP: "No"}
    assert list(shown) == ["email", "phone", "sms", "whatsapp"]
    for key, label in shown.items():
        assert label == words[decide_contact(aline, Question(Channel(key)), at=utc_now()).verdict]
    assert "Can we contact them?" in page.content.decode()
    assert "The person said yes on" in page.content.decode()


def test_a_yes_to_one_topic_is_shown_as_open_for_that_topic_alone(browser, aline):
    for key in ("news", "events"):
        Topic.objects.create(key=key, names={"en": key.capitalize()})
    at = utc_now() - timedelta(days=2)
    for key, kind in (("news", Kind.GIVEN), ("events", Kind.GIVEN), ("events", Kind.WITHDRAWN)):
        said = NewStatement(kind, at, aline.pk, channel=Channel.EMAIL, topics=(key,))
        record_statement(said, actor="system", now=at)

    page = browser.get(reverse("person", args=[aline.pk]))

    mail = page.context["channels"][0]
    assert (mail["label"], mail["topics"]) == ("No", "News")
    assert "Open for these topics: News." in page.content.decode()


def test_why_shows_every_check_and_writes_nothing(browser, aline):
    address = reverse("person-contact", args=[aline.pk, "phone"])

    panel = browser.get(address, headers={"HX-Request": "true"})
    page = browser.get(address)

    decided = decide_contact(aline, Question(Channel.PHONE), at=utc_now())
    assert panel.content.decode().count("<li data-verdict=") == len(decided.reasons)
    assert "<html" not in panel.content.decode() and "<html" in page.content.decode()
    assert "d-0" not in panel.content.decode()
    assert not LedgerLine.objects.exists()


@pytest.mark.parametrize("channel", ["pigeon", "all", "post"])
def test_a_channel_that_the_page_does_not_have_is_not_found(browser, aline, channel):
    assert browser.get(reverse("person-contact", args=[aline.pk, channel])).status_code == 404


def test_a_yes_recorded_by_hand_with_its_proof_counts_and_is_shown_with_it(browser, aline):
    answer = record(browser, aline)

    line = ConsentLine.objects.get()
    page = html.unescape(browser.get(answer.url).content.decode())
    assert (line.said_by, line.how, line.source, line.evidence.source) == (
        Speaker.SELLER,
        "paper",
        "binder 4",
        "binder 4",
    )
    assert decide_contact(aline, Question(Channel.EMAIL), at=utc_now()).status == "opted_in"
    assert "Said yes" in page and "binder 4" in page and "Camille admin" in page


def test_a_no_needs_no_proof_and_closes_every_channel(browser, aline):
    record(browser, aline)
    answer = record(browser, aline, kind="withdrawn", channel="all", how="", source="")

    assert answer.status_code == 302
    for channel in (Channel.EMAIL, Channel.PHONE):  # at the same minute as the yes: the no wins
        assert decide_contact(aline, Question(channel), at=utc_now()).status == "opted_out"


def test_the_history_has_the_newest_first(browser, aline):
    record(browser, aline)
    later = timezone.localtime(utc_now()).strftime("%Y-%m-%dT%H:%M")
    record(browser, aline, kind="objection", act_at=later)

    page = browser.get(reverse("consent-history", args=[aline.pk])).content.decode()
    table = page[page.index("<tbody>") : page.index("</tbody>")]

    assert table.index("Objected to marketing") < table.index("Said yes")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"act_at": "2099-01-01T10:00"}, "which is still to come"),
        ({"how": ""}, "say how it was given"),
        ({"source": " "}, "say where the proof can be found"),
        ({"channel": "all"}, "names its channel"),
        ({"act_at": "yesterday"}, "not a date and time"),
        ({"act_at": ""}, "Say when the person said it"),
        ({"kind": "erased"}, "Select a valid choice"),
    ],
)
def test_a_word_that_cannot_be_recorded_says_why_and_keeps_the_answers(browser, aline, other, says):
    answer = record(browser, aline, **{"source": "binder 7", **other})

    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert says in page
    assert other.get("source") or "binder 7" in page
    assert not ConsentLine.objects.exists()


def test_who_may_only_read_sees_the_history_and_no_form(aline):
    reader = client_of("read_only")

    assert "Record in the ledger" not in reader.get(reverse("consent-history", args=[aline.pk])).content.decode()
    assert record(reader, aline).status_code == 403
    assert not ConsentLine.objects.exists()


def test_an_imported_yes_without_proof_is_shown_as_counting_for_nothing(browser, aline):
    said = NewStatement(
        Kind.GIVEN, utc_now() - timedelta(days=1), aline.pk, channel=Channel.EMAIL, said_by=Speaker.IMPORT
    )
    record_statement(said, actor="import:1", now=utc_now())

    assert (
        "No proof: it counts for nothing" in browser.get(reverse("consent-history", args=[aline.pk])).content.decode()
    )
