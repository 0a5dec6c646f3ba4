"""Pages of people, companies, imports and custom fields: what they show, to whom, and what their forms do."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from relance.activity.models import Activity
from relance.people.catalogue import FieldKind, Subject
from relance.people.change import change_person, create_company, create_person
from relance.people.facts import values_of
from relance.people.imports.running import check_import, run_import
from relance.people.imports.undoing import undo_import
from relance.people.models import Company, CustomField, Import, Person, SavedView
from relance.people.schema import create_custom_field
from relance.workspace.models import Team, User, Workspace

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def workspace(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return Workspace.objects.create(name="Hexalis", language="en", time_zone="UTC")


@pytest.fixture
def admin() -> User:
    return User.objects.create_user("admin@example.com", name="Camille", role="admin", language="en")


@pytest.fixture
def browser(admin) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def client_of(role: str, team: Team | None = None) -> Client:
    user = User.objects.create_user(f"{role}@example.com", name=role, role=role, team=team, language="en")
    client = Client()
    client.force_login(user)
    return client


def person(**values: object) -> Person:
    return create_person(values, actor="system", now=NOW)


def test_the_list_shows_people_in_order_with_their_fields(browser):
    seats = create_custom_field(Subject.PERSON, "Seats", FieldKind.INTEGER, now=NOW)
    person(first_name="Bruno", last_name="Zola", **{seats.column: 1200})
    person(first_name="Aline", last_name="Àbel")

    page = browser.get(reverse("people"), {"cols": f"{seats.column},city"}).content.decode()

    assert page.index("Aline Àbel") < page.index("Bruno Zola")
    assert "1,200" in page and "2 people" in page


def test_a_filter_form_becomes_a_filter_of_the_address_and_the_chip_takes_it_away(browser):
    person(first_name="Aline", city="Lyon")
    person(first_name="Bruno", city="Paris")

    there = browser.get(reverse("people"), {"add": "city", "op": "is", "value": "lyon"})
    assert there.status_code == 302
    page = browser.get(there.url).content.decode()

    assert "Aline" in page and "Bruno" not in page
    assert "City is <b>lyon</b>" in page


def test_filters_of_an_address_that_cannot_be_read_are_left_out_and_told(browser):
    person(first_name="Aline")

    page = browser.get(reverse("people"), {"f": ["nothing:is:1", "first_name:is:aline"]}).content.decode()

    assert "Aline" in page and "There is no field “nothing” to filter by." in page


def test_for_htmx_the_list_is_its_rows_alone_and_caches_keep_the_two_apart(browser):
    response = browser.get(reverse("people"), {"q": "x"}, headers={"HX-Request": "true"})

    assert b"<html" not in response.content
    assert "HX-Request" in response.headers["Vary"]


def test_a_page_of_people_costs_the_same_number_of_queries_whatever_it_holds(browser, django_assert_max_num_queries):
    for n in range(60):
        person(first_name=f"P{n}")

    with django_assert_max_num_queries(22):
        page = browser.get(reverse("people"))

    assert b'rel="next"' in page.content


def test_a_rep_sees_people_of_their_own_team_and_of_none(browser):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    ours, theirs = person(first_name="Ours", team=north.pk), person(first_name="Theirs", team=south.pk)
    person(first_name="Nobodys")
    rep = client_of("rep", north)

    page = rep.get(reverse("people")).content.decode()

    assert "Ours" in page and "Nobodys" in page and "Theirs" not in page
    assert rep.get(reverse("person-edit", args=[ours.pk])).status_code == 200
    assert rep.get(reverse("person-edit", args=[theirs.pk])).status_code == 404
    assert rep.post(reverse("people-export"), {"all": "1"}).status_code == 403
    assert rep.get(reverse("imports")).status_code == 403


def test_a_reader_who_may_only_read_gets_no_form(browser):
    reader = client_of("read_only")
    aline = person(first_name="Aline")

    assert reader.get(reverse("people")).status_code == 200
    assert reader.get(reverse("person-edit", args=[aline.pk])).status_code == 403
    assert reader.post(reverse("person-new"), {"first_name": "X"}).status_code == 403
    assert reader.get(reverse("custom-fields")).status_code == 403


def test_the_chosen_people_are_exported_and_the_export_is_in_the_log(browser, admin):
    aline, bruno = person(first_name="Aline", last_name="=1+1"), person(first_name="Bruno")

    response = browser.post(reverse("people-export"), {"chosen": [str(aline.pk)], "query": "?"})
    text = b"".join(response.streaming_content).decode()

    assert "'=1+1" in text and "Bruno" not in text
    told = Activity.objects.get(kind="people.exported")
    assert (told.actor, told.payload["rows"]) == (f"user:{admin.pk}", 1)
    everyone = b"".join(browser.post(reverse("people-export"), {"all": "2", "query": "?"}).streaming_content).decode()
    assert len(everyone.strip().splitlines()) == 3
    assert bruno.first_name in everyone


def test_a_manager_exports_no_one_of_another_team(browser):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    theirs = person(first_name="Theirs", team=south.pk)
    manager = client_of("manager", north)

    text = b"".join(manager.post(reverse("people-export"), {"chosen": [str(theirs.pk)]}).streaming_content).decode()

    assert "Theirs" not in text


def test_a_list_kept_as_a_view_comes_back_with_filters_columns_and_sort(browser):
    person(first_name="Aline", city="Lyon")
    person(first_name="Bruno", city="Paris")

    kept = browser.post(
        reverse("people-view-keep"),
        {"name": "Lyon", "query": "?f=city:is:Lyon&sort=-created&cols=city", "reach": "workspace"},
    )
    page = browser.get(kept.url).content.decode()

    assert "Aline" in page and "Bruno" not in page and "Newest first" in page
    view = SavedView.objects.get()
    assert view.columns == ["city"]
    everyone = browser.get(f"{reverse('people')}?view={view.pk}&bare=1").content.decode()
    assert "Bruno" in everyone
    browser.post(reverse("people-view-drop", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_somebody_elses_private_view_is_not_opened_nor_deleted(browser, admin):
    other = User.objects.create_user("o@example.com", name="O", role="marketer")
    view = SavedView.objects.create(subject="person", name="secret plan", owner=other, query="f=city:is:Lyon")

    page = browser.get(reverse("people"), {"view": view.pk}).content.decode()
    browser.post(reverse("people-view-drop", args=[view.pk]))

    assert "secret plan" not in page
    assert SavedView.objects.filter(pk=view.pk).exists()


def test_a_new_person_is_made_by_the_form_and_a_bad_value_keeps_what_was_typed(browser):
    refused = browser.post(reverse("person-new"), {"first_name": "Aline", "email": "not an address"})
    assert refused.status_code == 422
    assert "is not an e-mail address" in refused.content.decode() and 'value="Aline"' in refused.content.decode()

    made = browser.post(reverse("person-new"), {"first_name": "Aline", "email": "aline@example.com", "score": "12"})

    assert made.url == reverse("person", args=[Person.objects.get().pk])
    assert Person.objects.get().score == 12


def seen_in(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"')[0]


def fields_in(client: Client, address: str) -> dict[str, str]:
    form = client.get(address).context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def test_editing_writes_what_was_changed_and_leaves_the_rest(browser):
    stage = create_custom_field(Subject.PERSON, "Interests", FieldKind.CHOICES, now=NOW, choices=("a", "b"))
    aline = person(first_name="Aline", city="Lyon", **{stage.column: ("a",)})
    address = reverse("person-edit", args=[aline.pk])
    sent = fields_in(browser, address) | {"city": "Paris", stage.column: ["a", "b"]}

    browser.post(address, sent)

    read = values_of([aline.pk], ["city", stage.column, "first_name"])[aline.pk]
    assert read == {"city": "Paris", stage.column: ["a", "b"], "first_name": "Aline"}


def test_what_somebody_else_saved_meanwhile_is_neither_lost_nor_overwritten_unseen(browser):
    aline = person(first_name="Aline", city="Lyon", phone="111")
    address = reverse("person-edit", args=[aline.pk])
    sent = fields_in(browser, address) | {"city": "Paris"}
    change_person(aline, {"phone": "222", "city": "Nice"}, actor="user:9", now=NOW)

    met = browser.post(address, sent)

    assert met.status_code == 422 and "“Nice”" in met.content.decode()
    again = browser.post(address, sent | {"seen": seen_in(met.content.decode()), "phone": "222"})
    assert again.status_code == 302
    aline.refresh_from_db()
    assert (aline.city, aline.phone) == ("Paris", "222")


def test_for_htmx_the_form_is_a_fragment_and_saving_leads_to_the_record(browser):
    aline = person(first_name="Aline")
    address = reverse("person-edit", args=[aline.pk])
    sent = fields_in(browser, address) | {"city": "Paris"}

    assert b"<html" not in browser.get(address, headers={"HX-Request": "true"}).content
    saved = browser.post(address, sent, headers={"HX-Request": "true"})

    assert saved.headers["HX-Redirect"] == reverse("person", args=[aline.pk])


def test_a_merge_is_shown_before_it_is_done(browser):
    one = person(first_name="Aline", city="Lyon")
    two = person(first_name="Aline", phone="0472", city="Paris")

    page = browser.get(reverse("people-merge"), {"chosen": [one.pk, two.pk]}).content.decode()
    assert "fills a blank" in page and Person.objects.count() == 2
    done = browser.post(reverse("people-merge-now"), {"chosen": [one.pk, two.pk], "winner": one.pk})

    assert done.url == reverse("person", args=[one.pk])
    one.refresh_from_db()
    assert (one.city, one.phone) == ("Lyon", "0472")


def test_deleting_asks_first(browser):
    aline = person(first_name="Aline")

    asked = browser.post(reverse("people-delete"), {"chosen": [aline.pk]})
    assert b"Aline" in asked.content and Person.objects.exists()
    browser.post(reverse("people-delete"), {"chosen": [aline.pk], "confirmed": "yes"})

    assert not Person.objects.exists()


def test_a_company_shows_its_people_whom_the_reader_may_see(browser):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    acme = create_company({"name": "Acme", "employees": 1200}, actor="system", now=NOW)
    person(first_name="Ours", team=north.pk, company=acme.pk)
    person(first_name="Theirs", team=south.pk, company=acme.pk)

    page = client_of("rep", north).get(reverse("company", args=[acme.pk])).content.decode()

    assert "Ours" in page and "Theirs" not in page and "1,200" in page


def test_companies_are_made_changed_and_deleted(browser):
    assert browser.post(reverse("company-new"), {"city": "Lyon"}).status_code == 422
    browser.post(reverse("company-new"), {"name": "Acme"})
    acme = Company.objects.get()
    address = reverse("company-edit", args=[acme.pk])
    browser.post(address, fields_in(browser, address) | {"city": "Lyon"})
    acme.refresh_from_db()
    assert acme.city == "Lyon" and "Acme" in browser.get(reverse("companies")).content.decode()

    browser.post(reverse("company-delete", args=[acme.pk]))
    assert not Company.objects.exists()


def test_a_custom_field_is_added_renamed_hidden_and_brought_back(browser):
    address = reverse("custom-field-new", args=["person"])
    assert browser.post(address, {"label": "Stage", "kind": "choice", "choices": ""}).status_code == 422
    browser.post(address, {"label": "Stage", "kind": "choice", "choices": "new\nwon\n"})
    field = CustomField.objects.get()
    assert field.choices == ["new", "won"]

    browser.post(reverse("custom-field", args=[field.pk]), {"label": "Step", "choices": "new\nwon\nlost"})
    browser.post(reverse("custom-field-hide", args=[field.pk]))
    field.refresh_from_db()
    assert field.label == "Step" and field.hidden_at is not None
    assert "Bring Step back" in browser.get(reverse("custom-fields")).content.decode()
    browser.post(reverse("custom-field-show", args=[field.pk]))
    field.refresh_from_db()
    assert field.hidden_at is None


def upload(client: Client, text: str, name: str = "people.csv") -> str:
    file = io.BytesIO(text.encode())
    file.name = name
    return str(client.post(reverse("imports-new"), {"file": file}).url)


POLICY = {
    "rows_allowed": "both",
    "existing_values": "overwrite",
    "blank_cells": "keep",
    "without_email": "refuse",
    "day_first": "yes",
    "decimal_comma": "yes",
}


def test_a_file_goes_from_upload_to_result_and_back(browser, admin):
    address = upload(browser, "Email,City\naline@example.com,Lyon\nnobody,Paris\n")
    this = Import.objects.get()
    assert 'value="email" selected' in browser.get(address).content.decode()

    browser.post(
        reverse("import-map", args=[this.pk]),
        POLICY | {"column-0": "email", "column-1": "city", "owner": str(admin.pk)},
    )
    this.refresh_from_db()
    assert this.state == Import.State.CHECKING and b'role="progressbar"' in browser.get(address).content
    check_import(this, now=NOW)
    preview = browser.get(address).content.decode()
    assert "“nobody” is not an e-mail address." in preview and "Import 1 person" in preview

    browser.post(reverse("import-start", args=[this.pk]))
    this.refresh_from_db()
    assert this.state == Import.State.RUNNING
    run_import(this, now=NOW)
    assert Person.objects.get().owner == admin
    assert "The file is imported" in browser.get(address).content.decode()
    refused = b"".join(browser.get(reverse("import-refused", args=[this.pk])).streaming_content).decode()
    assert refused.count("nobody,Paris,3,Email") == 1

    assert "Delete 1 and set 0 back" in browser.get(reverse("import-undo", args=[this.pk])).content.decode()
    browser.post(reverse("import-undo", args=[this.pk]))
    undo_import(this, actor="user:1", now=NOW)
    assert "The import was undone" in browser.get(address).content.decode() and not Person.objects.exists()


def test_a_mapping_that_cannot_be_used_says_why_and_keeps_the_answers(browser):
    upload(browser, "Email,City\naline@example.com,Lyon\n")
    this = Import.objects.get()

    page = browser.post(reverse("import-map", args=[this.pk]), POLICY | {"column-0": "city", "column-1": "city"})

    assert page.status_code == 422
    assert "Several columns fill “City”" in page.content.decode()


def test_a_file_that_is_no_csv_says_what_to_do(browser):
    address = upload(browser, "PK\x03\x04 workbook", name="people.xlsx")

    page = browser.get(address).content.decode()

    assert "not a text file (Excel (xlsx))" in page and "save it as CSV" in page


def test_an_import_without_progress_offers_to_go_on(browser):
    address = upload(browser, "Email\naline@example.com\n")
    Import.objects.update(state=Import.State.RUNNING, moved_at=NOW - timedelta(hours=1))

    assert "The worker may have stopped" in browser.get(address).content.decode()


def test_a_manager_sees_their_own_imports_and_no_others(browser):
    address = upload(browser, "Email\naline@example.com\n")
    manager = client_of("manager", Team.objects.create(name="North"))

    assert manager.get(address).status_code == 404
    assert "people.csv" not in manager.get(reverse("imports")).content.decode()
