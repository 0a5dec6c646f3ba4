"""People, companies, imports and custom fields in a browser: accessible in both themes, wide and narrow; by keyboard; live search."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from relance.people.catalogue import FieldKind, Subject
from relance.people.change import create_company, create_person
from relance.people.imports.running import check_import, receive_file, run_import
from relance.people.models import Import, Person
from relance.people.schema import create_custom_field, hide_custom_field
from relance.workspace.models import Workspace
from relance.workspace.rules import Role
from tests.browser.looking import accessibility_faults, style_attributes

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SIZES = ((1440, 900), (390, 844))


@pytest.fixture
def cast(transactional_db, make_user, settings, tmp_path) -> dict[str, Any]:
    """A workspace with people, companies, fields of both kinds and an import at every step."""
    settings.MEDIA_ROOT = tmp_path
    Workspace.objects.get_or_create(id=1, defaults={"name": "Hexalis", "language": "en"})
    admin = make_user()
    stage = create_custom_field(
        Subject.PERSON, "Stage", FieldKind.CHOICE, now=NOW, choices=("new", "won"), help_text="Where they are"
    )
    topics = create_custom_field(Subject.PERSON, "Topics", FieldKind.CHOICES, now=NOW, choices=("energy", "safety"))
    hide_custom_field(create_custom_field(Subject.PERSON, "Old", FieldKind.TEXT, now=NOW), now=NOW)
    acme = create_company({"name": "Acme", "industry": "Energy", "employees": 1200}, actor="system", now=NOW)
    for name in ("Aline", "Bruno", "Chloé", "Denis"):
        values = {
            "first_name": name,
            "last_name": "Martin",
            "email": f"{name}@example.com",
            "company": acme.pk,
            "owner": admin.pk,
            "score": 12,
        }
        create_person(values | {stage.column: "new", topics.column: ("energy",)}, actor="system", now=NOW)
    return {"admin": admin, "acme": acme, "imports": _imports(admin)}


def _imports(admin: Any) -> dict[str, Import]:
    text = b"email,first_name,score\naline@example.com,Alina,13\nnew@example.com,New,x\nother@example.com,Other,1\n"

    def received(name: str) -> Import:
        return receive_file(name, io.BytesIO(text), by=admin, now=NOW)

    at = {name: received(f"{name}.csv") for name in ("uploaded", "checked", "done", "running")}
    check_import(at["checked"], now=NOW)
    run_import(at["done"], now=NOW)
    Import.objects.filter(pk=at["running"].pk).update(
        state=Import.State.RUNNING, last_row=40, done_row=10, moved_at=NOW
    )
    at["failed"] = receive_file("book.xlsx", io.BytesIO(b"PK\x03\x04"), by=admin, now=NOW)
    return at


def addresses(cast: dict[str, Any]) -> list[str]:
    aline, bruno = Person.objects.order_by("pk")[:2]
    at = {name: this.pk for name, this in cast["imports"].items()}
    return [
        "/people?f=city:blank&f=score:gte:5&sort=-created",
        "/people?add=owner",
        "/people?add=created",
        "/people?q=nobody",
        "/people/new",
        f"/people/{aline.pk}/edit",
        f"/people/merge?chosen={aline.pk}&chosen={bruno.pk}",
        "/companies",
        f"/companies/{cast['acme'].pk}",
        "/companies/new",
        "/imports",
        "/imports/new",
        *(f"/imports/{at[name]}" for name in ("uploaded", "checked", "running", "done", "failed")),
        f"/imports/{at['done']}/undo",
        "/settings/fields",
        "/settings/fields/company",
        "/settings/fields/person/new",
    ]


def test_every_page_is_accessible_in_both_themes_wide_and_narrow(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.emulate_media(reduced_motion="reduce")  # colours must not be weighed on their way from one theme to the other
    faults: dict[str, Any] = {}

    for address in addresses(cast):
        answer = page.goto(f"{site}{address}")
        assert answer is not None
        assert (answer.status, style_attributes(page)) == (200, []), address
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
                if found := accessibility_faults(page):
                    faults[f"{address} at {width}, {theme}"] = found
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                faults[f"{address} at {width}"] = ["the page scrolls sideways"]

    assert faults == {}


def test_the_list_is_searched_as_one_types_and_the_address_keeps_it(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.goto(f"{site}/people")

    page.keyboard.press("/")
    page.keyboard.type("chl")

    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("[data-row]")).to_contain_text("Chloé Martin")
    expect(page.get_by_role("searchbox", name="Look for people")).to_be_focused()
    assert "q=chl" in page.url


def test_rows_are_walked_chosen_and_opened_by_keys(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.goto(f"{site}/people")

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()

    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge people")


def test_the_chosen_rows_are_downloaded(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.goto(f"{site}/people")
    page.get_by_role("checkbox", name="Choose all rows of this page").check()

    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()

    assert download.value.suggested_filename.startswith("people-")
    assert download.value.path().read_text().count("@example.com") == Person.objects.count()


def test_a_filter_is_added_kept_as_a_view_and_taken_away(site, sign_in, cast, page: Page, complaints):
    sign_in(cast["admin"])
    page.goto(f"{site}/people")

    page.locator("summary", has_text="Filter").click()
    page.get_by_role("link", name="First name").click()
    page.get_by_label("Condition").select_option("contains")
    page.get_by_label("Value").fill("bru")
    page.get_by_role("button", name="Add the filter").click()
    expect(page.locator("[data-row]")).to_have_count(1)

    page.get_by_role("button", name="Keep as a view").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Brunos")
    page.get_by_role("button", name="Keep the view", exact=True).click()
    expect(page.get_by_role("link", name="Brunos")).to_have_attribute("aria-current", "page")

    page.get_by_role("link", name="Remove the filter First name contains bru").click()
    expect(page.locator("[data-row]")).to_have_count(Person.objects.count())


def test_a_file_is_imported_from_the_page(site, sign_in, cast, page: Page, complaints, tmp_path):
    sign_in(cast["admin"])
    file = tmp_path / "fair.csv"
    file.write_text("Courriel;Prénom\nzoe@example.com;Zoé\nnobody;Nemo\n")
    page.goto(f"{site}/imports/new")

    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload the file").click()
    expect(page.get_by_label("Field for Courriel")).to_have_value("email")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    check_import(Import.objects.get(file_name="fair.csv"), now=NOW)

    page.get_by_role("button", name="Import 1 person").click(timeout=10_000)
    run_import(Import.objects.get(file_name="fair.csv"), now=NOW)
    expect(page.get_by_text("The file is imported")).to_be_visible(timeout=10_000)
    assert Person.objects.filter(first_name="Zoé").exists()


def test_a_rep_has_no_boxes_and_no_import(site, sign_in, cast, make_user, page: Page, complaints):
    sign_in(make_user("Denis Rep", Role.REP))
    page.goto(f"{site}/people")

    expect(page.get_by_role("link", name="Add a person")).to_be_visible()
    expect(page.get_by_role("link", name="Import")).to_have_count(0)
    expect(page.locator("[data-row] input")).to_have_count(0)
