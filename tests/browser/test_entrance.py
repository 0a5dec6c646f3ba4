"""What one meets without being signed in, and when something did not work."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from relance.workspace.actions import NewUser, create_user
from relance.workspace.rules import Role
from tests.browser.looking import accessibility_faults, style_attributes

PASSWORD = "horse battery staple"


def confirm_password(page: Page) -> None:
    """What touches the keys of an account asks for the password once more."""
    page.wait_for_load_state()
    if "reauthenticate" in page.url:
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(lambda address: "reauthenticate" not in address)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/", "/accounts/inactive/"]
)
def test_the_entrance_is_accessible(site, page: Page, complaints, address, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})

    page.goto(f"{site}{address}")

    assert accessibility_faults(page) == []
    assert style_attributes(page) == []


def test_a_wrong_password_is_told_on_top_and_keeps_the_address(site, page: Page, complaints):
    create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD))
    page.goto(f"{site}/accounts/login/")

    page.get_by_label("Email").fill("aline@hexalis.example")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_value("aline@hexalis.example")
    assert accessibility_faults(page) == []


def test_signing_in_without_script_works(site, browser):
    create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language="en"))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site}/accounts/login/?next=/components")

    page.get_by_label("Email").fill("aline@hexalis.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", name="Components", level=1)).to_be_visible()
    page.context.close()


def test_a_passkey_is_added_and_then_opens_the_door(site, page: Page, context, sign_in, complaints):
    user = create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language="en"))
    wire = context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, "automaticPresenceSimulation": True}})
    sign_in(user)

    page.goto(f"{site}/accounts/2fa/webauthn/add/")
    confirm_password(page)
    assert accessibility_faults(page) == []
    page.locator("#id_passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/2fa/**recovery**")
    context.clear_cookies()
    page.goto(f"{site}/accounts/login/?next=/components")
    page.locator("#passkey_login").click()

    expect(page.get_by_role("heading", name="Components", level=1)).to_be_visible()


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/totp/activate/",
        "/accounts/password/change/",
    ],
)
def test_pages_about_signing_in_stand_inside_the_product(site, page: Page, complaints, address):
    create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language="en"))
    page.goto(f"{site}/accounts/login/?next={address}")
    page.get_by_label("Email").fill("aline@hexalis.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    confirm_password(page)

    expect(page.get_by_role("navigation", name="Sign-in and security")).to_be_visible()
    assert accessibility_faults(page) == []
    assert style_attributes(page) == []


def test_an_address_that_leads_nowhere_says_so_and_shows_a_way_out(site, sign_in, make_user, page: Page):
    sign_in(make_user())

    answer = page.goto(f"{site}/nothing/here")

    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    expect(page.get_by_role("link", name="Go to the home page")).to_be_visible()
    assert accessibility_faults(page) == []
