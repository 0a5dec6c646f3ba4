"""Signing in as people do, in French and in English: password, then a code from an app, then a passkey; and the set-up link."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, BrowserContext, Page, expect

from relance.lib.clock import utc_now
from relance.workspace.actions import NewUser, create_user
from relance.workspace.models import User, Workspace
from relance.workspace.rules import Role
from relance.workspace.setup import NewWorkspace, make_setup_link, open_workspace
from tests.browser.looking import accessibility_faults

PASSWORD = "horse battery staple"
VIRTUAL_KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(params=["fr", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browsing(browser: Browser, language: str) -> Iterator[BrowserContext]:
    """Somebody's browser, in their language."""
    context = browser.new_context(locale={"fr": "fr-FR", "en": "en-GB"}[language])
    yield context
    context.close()


@pytest.fixture
def aline(site: str, language: str) -> User:
    open_workspace(NewWorkspace("Hexalis"))
    return create_user(
        NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language=language)
    )


def type_password(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/login/?next=/profile")
    page.locator("[name=login]").fill("aline@hexalis.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form:has([name=password]) button[type=submit]").click()


def code_for(secret: str) -> str:
    """What the app on the phone would show now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def confirm_identity(page: Page) -> None:
    """Before a change of how one signs in, the password is asked for once more."""
    if "reauthenticate" in page.url:
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("form:has([name=password]) button[type=submit]").click()


def expect_profile(page: Page, language: str) -> None:
    page.wait_for_url("**/profile")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("[name=name]")).to_have_value("Aline Martin")


def test_a_password_opens_the_door_in_the_language_of_the_user(site, browsing, aline, language):
    page = browsing.new_page()

    type_password(page, site)

    expect_profile(page, language)


def test_a_code_of_the_app_is_asked_for_once_it_is_set_up(site, browsing, aline, language):
    page = browsing.new_page()
    type_password(page, site)
    page.goto(f"{site}/accounts/2fa/totp/activate/")
    confirm_identity(page)
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("[name=code]").fill(code_for(secret))
    page.locator("form:has([name=code]) button[type=submit]").click()
    page.wait_for_url(lambda address: "activate" not in address)
    browsing.clear_cookies()

    type_password(page, site)
    assert urlsplit(page.url).path == "/accounts/2fa/authenticate/"
    assert accessibility_faults(page) == []
    page.goto(f"{site}/profile")
    assert urlsplit(page.url).path.startswith("/accounts/"), "the password alone must not open the door"

    forget_used_codes()
    page.locator("[name=code]").fill(code_for(secret))
    page.locator("form:has([name=code]) button[type=submit]").first.click()
    expect_profile(page, language)


def test_a_passkey_opens_the_door_without_a_password(site, browsing, aline, language):
    page = browsing.new_page()
    wire = browsing.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": VIRTUAL_KEY})
    type_password(page, site)
    page.goto(f"{site}/accounts/2fa/webauthn/add/")
    confirm_identity(page)
    page.locator("#id_passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/2fa/**recovery**")
    browsing.clear_cookies()

    page.goto(f"{site}/accounts/login/?next=/profile")
    page.locator("#passkey_login").click()

    expect_profile(page, language)


def test_the_set_up_link_opens_an_empty_workspace(site, browsing, language):
    page = browsing.new_page()
    page.goto(f"{site}/setup/{make_setup_link(utc_now())}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("[name=language]")).to_have_value(language)
    assert accessibility_faults(page) == []

    page.locator("[name=workspace]").fill("Hexalis")
    page.locator("[name=name]").fill("Aline Martin")
    page.locator("[name=email]").fill("aline@hexalis.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form:has([name=password]) button.primary").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/profile")

    expect_profile(page, language)
    assert Workspace.objects.get().name == "Hexalis"


def forget_used_codes() -> None:
    """A code works once; rather than wait half a minute for the next, forget that this one was used."""
    from django.core.cache import cache

    cache.clear()
