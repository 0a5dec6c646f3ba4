"""The settings and the profile in a browser: both themes, wide and narrow, by keyboard and without a complaint."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from relance.people.models import Person
from relance.workspace.actions import NewUser, create_user
from relance.workspace.models import Team, User
from relance.workspace.rules import Role
from relance.workspace.setup import NewWorkspace, open_workspace
from tests.browser.looking import accessibility_faults, style_attributes

SHOTS = os.environ.get("RELANCE_SHOTS")
PAGES = {
    "home": "/settings",
    "workspace": "/settings/workspace",
    "brands": "/settings/brands",
    "brand": "/settings/brands/new",
    "users": "/settings/users",
    "user-new": "/settings/users/new",
    "user": "/settings/users/{bruno}",
    "user-leave": "/settings/users/{bruno}/deactivate",
    "teams": "/settings/teams",
    "team": "/settings/teams/{team}",
    "team-delete": "/settings/teams/{team}/delete",
    "roles": "/settings/roles",
    "audit": "/settings/audit",
    "profile": "/profile",
}


@pytest.fixture
def aline(site: str) -> User:
    open_workspace(NewWorkspace("Hexalis"))
    return create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, language="en"))


@pytest.fixture
def bruno(aline: User) -> User:
    team = Team.objects.create(name="Lyon")
    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno Petit", Role.REP, team=team))
    Person.objects.create(first_name="Claire", owner=bruno, team=team)
    return bruno


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_settings_page_is_accessible(site, page: Page, complaints, sign_in, aline, bruno, width, scheme):
    sign_in(aline)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for name, address in PAGES.items():
        page.goto(site + address.format(bruno=bruno.pk, team=bruno.team_id))

        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{scheme}.png")
        assert accessibility_faults(page) == [], name
        assert style_attributes(page) == [], name
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name} scrolls sideways"


def test_the_regions_follow_the_country_without_a_reload(site, page: Page, complaints, sign_in, aline):
    sign_in(aline)
    page.goto(f"{site}/settings/workspace")

    page.get_by_label("Country of the holidays").select_option("DE")

    expect(page.get_by_label("Region of the holidays").locator("option", has_text="Bayern")).to_be_attached()


def test_a_leaver_is_deactivated_after_naming_who_takes_over(site, page: Page, complaints, sign_in, aline, bruno):
    sign_in(aline)
    page.goto(f"{site}/settings/users/{bruno.pk}")

    page.get_by_role("link", name="Deactivate…").click()
    page.get_by_label("Aline Martin (Administrator)").check()
    page.get_by_role("button", name="Deactivate Bruno Petit").click()

    page.wait_for_url(f"{site}/settings/users")
    bruno.refresh_from_db()
    assert not bruno.is_active
    assert Person.objects.get().owner == aline


def test_the_theme_changes_at_once_and_is_kept(site, page: Page, complaints, sign_in, aline):
    page.emulate_media(color_scheme="light")
    sign_in(aline)
    page.goto(f"{site}/profile")

    with page.expect_response("**/profile/theme") as saved:
        page.get_by_role("button", name="Light or dark").click()

    assert saved.value.status == 204
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_leaving_a_form_with_changes_is_warned_of(site, page: Page, sign_in, aline):
    sign_in(aline)
    page.goto(f"{site}/settings/workspace")

    page.get_by_label("Name", exact=True).fill("Hexalis SA")

    expect(page.get_by_text("Changes are not saved yet.")).to_be_visible()
