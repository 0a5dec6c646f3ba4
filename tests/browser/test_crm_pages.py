"""The CRM's pages in a browser: accessible in both themes, wide and narrow; and the way from an empty workspace to a running sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from relance.crm.connection import connection_state
from relance.crm.mapping import approved_mapping
from relance.crm.models import Connection, QueuedPush
from relance.crm.rules import ConnectionState
from relance.crm.sync import run_cycle
from relance.lib.queue import run_worker
from relance.people.models import Person
from relance.workspace.models import User
from tests.browser.crm_lived import lived_connection
from tests.browser.looking import accessibility_faults, style_attributes
from tests.rooms.crm_pages_cast import workspace
from tests.stories.org_process import OrgProcess, org_running, write_tree

WIDTHS = [pytest.param((1440, 900), id="1440"), pytest.param((390, 844), id="390")]
PAGES = (
    "/",
    "/palette?q=meunier",
    "/crm/connect",
    "/crm/{id}",
    "/crm/{id}/setup",
    "/crm/{id}/sign-in",
    "/crm/{id}/fields?open=person:phone",
    "/crm/{id}/fields/add?field=person:status",
    "/crm/{id}/errors",
    "/crm/{id}/errors?by=record",
    "/crm/{id}/log",
    "/crm/{id}/log?show=connection",
    "/crm/{id}/log?show=fields",
)


@pytest.fixture
def admin(site: str, sign_in: Callable[[User], None], make_user: Callable[..., User]) -> User:
    workspace()
    user = make_user("Camille Renaud")
    sign_in(user)
    return user


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_the_crm_is_accessible_and_keeps_the_security_policy(
    site, admin, page: Page, complaints, size, theme
):
    connection = lived_connection(admin)
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page.set_viewport_size({"width": size[0], "height": size[1]})

    for address in PAGES:
        page.goto(site + address.format(id=connection.pk))
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert accessibility_faults(page) == [], address
        assert style_attributes(page) == [], address
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{address} scrolls sideways"


def test_a_pause_shows_its_effect_then_one_click_undoes_it(site, admin, page: Page, complaints):
    connection = lived_connection(admin)
    page.goto(f"{site}/crm/{connection.pk}")

    page.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("dialog", name="Pause the sync with Salesforce?")
    expect(dialog).to_contain_text("People who stay linked")
    assert accessibility_faults(page) == []
    dialog.get_by_label("Why?").fill("The CRM is being cleaned")
    dialog.get_by_role("button", name="Pause the sync").click()
    expect(page.locator(".callout")).to_contain_text("The CRM is being cleaned")
    assert connection_state(connection) is ConnectionState.PAUSED

    page.get_by_role("status").get_by_role("button", name="Undo").click()

    expect(page.locator(".head .badge")).to_have_text("Connected")
    assert connection_state(connection) is ConnectionState.ENABLED


def test_changing_who_is_right_in_the_table_keeps_the_focus_and_shows_the_draft(site, admin, page: Page, complaints):
    connection = lived_connection(admin)
    page.goto(f"{site}/crm/{connection.pk}/fields")

    page.get_by_label("Who is right about Mobile phone").focus()
    page.get_by_label("Who is right about Mobile phone").select_option("relance")

    expect(page.get_by_role("region", name="The draft")).to_contain_text("Version 2 is a draft")
    expect(page.get_by_label("Who is right about Mobile phone")).to_be_focused()
    expect(page.get_by_label("Who is right about Mobile phone")).to_have_value("relance")
    assert accessibility_faults(page) == []


def test_an_error_in_an_opened_field_is_said_in_place_and_nothing_is_lost(site, admin, page: Page):
    connection = lived_connection(admin)
    page.goto(f"{site}/crm/{connection.pk}/fields?open=person:phone")
    lead = page.get_by_role("group", name="Salesforce Lead")

    lead.get_by_label("What comes in is read").select_option("value_map")
    lead.get_by_label("Table of values").fill("0033 = +33\n0049")
    page.get_by_role("button", name="Save in the draft").click()

    expect(page.locator(".summary")).to_contain_text("Line 2 is not")
    expect(page.get_by_role("group", name="Salesforce Lead").get_by_label("Table of values")).to_have_value(
        "0033 = +33\n0049"
    )


def test_a_cause_is_opened_by_keyboard_and_sent_again(site, admin, page: Page, complaints):
    connection = lived_connection(admin)
    page.goto(f"{site}/crm/{connection.pk}/errors")
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Salesforce refuses 3 people")).to_be_visible()

    page.get_by_role("button", name="Send the 3 again").click()

    expect(page.get_by_role("status").filter(has_text="3 records leave again.")).to_be_visible()
    assert QueuedPush.objects.filter(state="waiting").count() == 3


def test_the_palette_finds_somebody_and_opens_the_page(site, admin, page: Page):
    lived_connection(admin)
    page.goto(site)

    page.keyboard.press("Control+k")
    page.keyboard.type("kessler")
    expect(page.get_by_role("option").first).to_contain_text("Jonas Kessler")
    assert accessibility_faults(page) == []
    page.keyboard.press("Enter")

    expect(page).to_have_url(
        f"{site}/people/{Person.objects.filter(last_name='Kessler').order_by('name_key', 'pk').first().pk}"
    )


# ── From an empty workspace to a running sync ────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    home = tmp_path_factory.mktemp("pages-org")
    with org_running(home, write_tree(home / "tree")) as running:
        yield running


def test_an_admin_connects_an_org_tries_approves_and_switches_the_sync_on(site, admin, org, page: Page, complaints):
    with org.client() as client:
        for place in range(3):
            told = {"LastName": f"Meunier {place}", "Company": "Meunier", "Email": f"m{place}@meunier.example"}
            assert client.post("/services/data/v66.0/sobjects/Lead", json=told).status_code == 201
    page.goto(f"{site}/crm")
    page.get_by_role("link", name="Connect Salesforce").click()

    page.get_by_label("Address").fill(org.told["http"])
    page.get_by_label("Consumer key").fill(org.told["client_id"])
    page.get_by_label("Consumer secret").fill("not the secret")
    page.get_by_role("button", name="Sign in and see who answers").click()
    expect(page.get_by_role("alert")).to_contain_text("The CRM answered")
    page.get_by_label("Consumer secret").fill(org.told["client_secret"])
    page.get_by_role("button", name="Save, sign in and see who answers").click()

    expect(page.locator(".setup")).to_contain_text(org.told["org_id"])
    page.get_by_role("button", name="Suggest a mapping").click()
    page.get_by_role("button", name="Do the dry run").click()
    expect(page.get_by_text("The dry run is under way")).to_be_visible()
    with ThreadPoolExecutor(1) as worker:  # the browser's thread has an event loop of its own
        worker.submit(run_worker, until_empty=True, concurrency=1).result()
    expect(page.get_by_role("region", name="What this version would do")).to_contain_text("3", timeout=10_000)
    assert accessibility_faults(page) == []
    assert not Person.objects.exists()

    page.get_by_role("button", name="Approve…").click()
    page.get_by_role("button", name="Approve version 1").click()
    page.get_by_role("button", name="Switch the sync on").click()
    expect(page.locator(".head .badge")).to_have_text("Connected")

    connection = Connection.objects.get()
    assert approved_mapping(connection).version == 1
    run_cycle(connection)
    page.goto(f"{site}/")
    expect(page.get_by_role("region", name="Figures of the day")).to_contain_text("3 new in 7 days")
