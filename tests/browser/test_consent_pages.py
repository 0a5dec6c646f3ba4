"""Consent in a browser: the person's page and history, and the prospect's pages: accessible, on a phone, without script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from relance.consent.actions import NewStatement, record_statement
from relance.consent.models import ConsentLine, Topic
from relance.consent.statements import Channel, Kind
from relance.people.change import create_person
from relance.web.preferences import one_click_address, preferences_address
from relance.workspace.models import Brand, Workspace
from tests.browser.looking import accessibility_faults, style_attributes

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SIZES = ((1440, 900), (390, 844))


@pytest.fixture
def cast(transactional_db, make_user) -> dict[str, Any]:
    """A person who said yes to one topic of two."""
    Workspace.objects.get_or_create(id=1, defaults={"name": "Hexalis", "language": "en"})
    brand = Brand.objects.create(name="Hexalis", is_default=True, language="en")
    for key, name in (("advice", "Advice on maintenance"), ("news", "News of the software")):
        Topic.objects.create(key=key, names={"en": name})
    values = {"first_name": "Aline", "email": "aline@free.fr", "mobile_phone": "+33612345678", "country": "France"}
    aline = create_person(values, actor="system", now=NOW)
    said = NewStatement(Kind.GIVEN, NOW, aline.pk, channel=Channel.EMAIL, brand_id=brand.pk, topics=("news",))
    record_statement(said, actor="system", now=NOW)
    return {"admin": make_user(), "aline": aline, "brand": brand, "centre": preferences_address(aline, brand)}


def faults_of(page: Page) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            if found := accessibility_faults(page):
                faults[f"{page.url} at {width}, {theme}"] = found
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults[f"{page.url} at {width}"] = ["the page scrolls sideways"]
    return faults


def test_every_page_of_consent_is_accessible_in_both_themes_wide_and_narrow(
    site, sign_in, cast, page: Page, complaints
):
    sign_in(cast["admin"])
    page.emulate_media(reduced_motion="reduce")
    person = f"/people/{cast['aline'].pk}"
    addresses = (
        person,
        f"{person}/consent",
        f"{person}/contact/email",
        cast["centre"],
        f"{cast['centre']}?done=saved&lang=de",
    )
    faults: dict[str, Any] = {}

    for address in addresses:
        answer = page.goto(f"{site}{address}")
        assert answer is not None
        assert (answer.status, style_attributes(page)) == (200, []), address
        faults |= faults_of(page)

    assert faults == {}


def test_why_opens_beside_the_channel_it_is_about(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.goto(f"{site}/people/{cast['aline'].pk}")

    page.get_by_role("link", name="Why? SMS").click()

    expect(page.get_by_role("complementary", name="Why").get_by_role("heading", level=2)).to_be_focused()
    expect(page.get_by_text("May we contact Aline? SMS, marketing")).to_be_visible()


def test_choices_are_saved_on_a_phone_without_script_or_cookies(site, cast, browser: Browser):
    phone = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = phone.new_page()
    page.goto(f"{site}{one_click_address(cast['aline'], cast['brand'])}")
    phone.clear_cookies()

    page.get_by_label("Advice on maintenance").check()
    page.get_by_label("News of the software").uncheck()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_contain_text("Your choices are saved")
    expect(page.get_by_label("Advice on maintenance")).to_be_checked()

    page.get_by_role("button", name="Unsubscribe from everything").click()
    expect(page.get_by_role("status")).to_contain_text("no more marketing messages")
    assert ConsentLine.objects.filter(kind="withdrawn", channel="all").count() == 1
    phone.close()
