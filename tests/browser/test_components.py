"""One of every part: in both themes, wide and narrow, by keyboard, with nothing the content security policy refuses."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import accessibility_faults, style_attributes

WIDTHS = [
    pytest.param((1440, 900), id="1440"),
    pytest.param((1100, 800), id="1100"),
    pytest.param((390, 844), id="390"),
]


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_part_is_accessible_and_keeps_the_security_policy(
    site, sign_in, make_user, page: Page, complaints, size, theme
):
    sign_in(make_user(theme=theme))
    page.set_viewport_size({"width": size[0], "height": size[1]})

    page.goto(f"{site}/components")

    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert accessibility_faults(page) == []
    assert style_attributes(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), "the page scrolls sideways"


def test_icons_of_the_sprite_are_drawn(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())

    page.goto(f"{site}/components", wait_until="networkidle")

    box = page.locator("main .badge .i").first.evaluate("icon => icon.getBBox().width")
    assert box > 4


def test_the_page_stays_inside_its_budget_of_styles_and_scripts(site, sign_in, make_user, page: Page):
    sign_in(make_user())
    sizes = {"stylesheet": 0, "script": 0}

    def weigh(response):
        if response.request.resource_type in sizes:
            sizes[response.request.resource_type] += int(response.headers.get("content-length", 0))

    page.on("response", weigh)
    page.goto(f"{site}/components", wait_until="networkidle")

    assert 0 < sizes["stylesheet"] < 30 * 1024
    assert 0 < sizes["script"] < 60 * 1024


def test_a_dialog_opens_by_its_button_and_hands_the_focus_back(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())
    page.goto(f"{site}/components")
    opener = page.get_by_role("banner").or_(page.locator("header.head")).get_by_role("button", name="Activate")

    opener.click()
    expect(page.locator("#ask")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#ask")).to_be_hidden()
    expect(opener).to_be_focused()


def test_choosing_rows_shows_the_count_and_shift_chooses_a_range(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())
    page.goto(f"{site}/components")
    page.get_by_role("button", name="Clear the choice").click()
    boxes = page.locator("choose-rows [data-row] input")

    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])

    expect(page.locator("[data-count]")).to_have_text("3 chosen")
    page.get_by_role("button", name="Select all 3,204").click()
    expect(page.locator("[data-count]")).to_have_text("3,204 chosen")
    expect(page.locator('input[name="all"]')).to_have_value("3204")


def test_letters_move_along_a_list_and_open_the_sheet_of_shortcuts(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())
    page.goto(f"{site}/components")
    page.get_by_role("button", name="Clear the choice").click()
    page.locator("body").press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")

    expect(page.locator("[data-row].at")).to_contain_text("Hélène Rossi")
    expect(page.locator("[data-row].on")).to_have_count(1)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_letters_do_nothing_while_typing_or_when_turned_off(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user(has_shortcuts=False))
    page.goto(f"{site}/components")

    page.locator("body").press("?")
    expect(page.locator("#keys")).to_be_hidden()

    page.evaluate("document.body.dataset.shortcuts = 'on'")
    page.get_by_label("Name of the cadence").press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_form_says_that_changes_are_not_saved(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())
    page.goto(f"{site}/components")

    page.get_by_label("Name of the cadence").fill("Another name")

    expect(page.locator(".dirty-note")).to_have_text("Changes are not saved yet.")


def test_a_form_that_failed_puts_the_focus_on_its_summary(site, sign_in, make_user, page: Page, complaints):
    sign_in(make_user())

    page.goto(f"{site}/components")

    expect(page.locator(".summary")).to_be_focused()
    page.locator(".summary a").click()
    expect(page.get_by_label("Tracking domain")).to_be_focused()


def test_the_side_bar_opens_over_the_page_on_a_phone_without_script(site, sign_in, make_user, browser, context):
    sign_in(make_user())
    plain = browser.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 844}, storage_state=context.storage_state()
    )
    page = plain.new_page()
    page.goto(f"{site}/components")
    expect(page.locator("#side")).to_be_hidden()

    page.get_by_role("link", name="Menu").click()

    expect(page.locator("#side")).to_be_visible()
    plain.close()
