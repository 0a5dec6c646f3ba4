"""The CRM's pages: what they show, to whom, in how many queries, and what they do with bad answers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from relance.crm.connection import connection_state, mark_broken
from relance.crm.dialect import CrmMisconfigured, Move
from relance.crm.mapping import approved_mapping, draft_mapping, draft_of
from relance.crm.models import Connection, QueuedPush
from relance.crm.rules import BlankPolicy, ConnectionState, RightSide, Transform
from relance.lib.clock import utc_now
from relance.people.models import Person
from relance.workspace.models import Team
from tests.rooms.crm_cast import connect
from tests.rooms.crm_pages_cast import (
    enabled_connection,
    has_read,
    has_run,
    is_put_back,
    is_refused,
    knows_owner,
    link,
    user,
    workspace,
)

pytestmark = pytest.mark.django_db


def signed_in(someone) -> Client:
    client = Client()
    client.force_login(someone)
    return client


@pytest.fixture
def admin():
    workspace()
    return user("admin", "Aline Martin")


@pytest.fixture
def client(admin):
    return signed_in(admin)


@pytest.fixture
def connection(admin):
    return enabled_connection(admin)


@pytest.fixture
def bruno():
    return Person.objects.create(first_name="Bruno", last_name="Petit", email="bruno@acme.example", phone="01 02 03 04")


def text(answer) -> str:
    return answer.content.decode()


# ── Where one arrives ────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_connection_an_admin_is_led_to_the_wizard_and_others_are_told_who_can(client):
    assert reverse("crm-connect") in text(client.get("/crm"))
    told = text(signed_in(user("marketer")).get("/crm"))
    assert "An administrator of this workspace can connect it." in told
    assert reverse("crm-connect") not in told


def test_one_connection_opens_at_once_and_several_are_listed(client, connection):
    assert client.get("/crm").headers["Location"] == f"/crm/{connection.pk}"

    other = Connection.objects.create(
        name="Salesforce DE",
        login_method="jwt_bearer",
        login_url="https://de.example",
        client_id="2",
        made_at=utc_now(),
    )

    listed = text(client.get("/crm"))
    assert f"/crm/{connection.pk}" in listed
    assert f"/crm/{other.pk}" in listed
    assert "Not verified yet" in listed


@pytest.mark.parametrize("role", ["rep"])
def test_a_rep_sees_none_of_it(role, connection):
    client = signed_in(user(role))
    for name in ("crm-connection", "crm-fields", "crm-errors", "crm-log"):
        assert client.get(reverse(name, args=[connection.pk])).status_code == 403


@pytest.mark.parametrize("role", ["read_only", "marketer", "manager"])
@pytest.mark.parametrize(
    "name",
    ["crm-pause", "crm-resume", "crm-disable", "crm-disconnect", "crm-enable", "crm-verify", "crm-sync", "crm-describe",
     "crm-suggest", "crm-approve", "crm-discard", "crm-field-owner", "crm-field-change", "crm-field-remove", "crm-dry-run"],
)  # fmt: skip
def test_only_an_admin_changes_a_connection(role, name, connection):
    answer = signed_in(user(role)).post(reverse(name, args=[connection.pk]))

    assert answer.status_code == 403
    assert connection_state(connection) is ConnectionState.ENABLED


def test_a_reader_may_look_and_a_marketer_may_send_again(connection, bruno):
    is_refused(connection, bruno)
    errors, retry = reverse("crm-errors", args=[connection.pk]), reverse("crm-retry", args=[connection.pk])

    reader, marketer = signed_in(user("read_only")), signed_in(user("marketer"))

    assert "Send the 1 again" not in text(reader.get(errors))
    assert reader.post(retry).status_code == 403
    assert "Send the 1 again" in text(marketer.get(errors))
    assert marketer.post(retry).status_code == 302


# ── Overview and log ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_overview_says_how_the_connection_stands(client, connection, bruno):
    has_read(connection)
    link(connection, bruno, "00Q1", owner="005X")
    knows_owner(connection, "005X", "Marc Aubry")
    has_run(connection, read=12, new=3, updated=4, pushed=2)
    is_refused(connection, bruno)
    Connection.objects.filter(pk=connection.pk).update(api_used=61_204, api_limit=150_000)

    page = text(client.get(reverse("crm-connection", args=[connection.pk])))

    for said in (
        "Connected",
        "sync@hexalis.example",
        "61,204",
        "/ 150,000",
        "1 refused",
        "Marc Aubry",
        "records exchanged in the last 7 days",
        "No run failed",
    ):
        assert said in page, said
    assert 'data-opens="pause"' in page


def test_the_overview_asks_a_bounded_number_of_queries_whatever_there_is(
    client, connection, django_assert_max_num_queries
):
    has_read(connection)
    for place in range(12):
        person = Person.objects.create(email=f"p{place}@acme.example")
        link(connection, person, f"00Q{place:02}", owner="005X")
        is_refused(connection, person, cause=f"cause {place % 5}")
        has_run(connection, ago=timedelta(hours=place), updated=1)

    with django_assert_max_num_queries(48):
        client.get(reverse("crm-connection", args=[connection.pk]))


def test_the_line_of_checks_comes_alone_for_htmx(client, connection):
    answer = client.get(reverse("crm-connection", args=[connection.pk]), headers={"HX-Request": "true"})

    assert "<html" not in text(answer)
    assert "aim: under 2 min" in text(answer)
    assert "HX-Request" in answer.headers["Vary"]


def test_a_broken_connection_says_whose_move_it_is_and_keeps_the_words_of_the_crm(client, connection):
    mark_broken(
        connection,
        CrmMisconfigured(
            code="INVALID_GRANT_INACTIVE_USER", message="inactive user", remedy="activate_user", move=Move.CRM_ADMIN
        ),
        now=utc_now(),
    )

    page = text(client.get(reverse("crm-connection", args=[connection.pk])))

    assert "does not let us in any more" in page
    assert "activate our user again" in page
    assert "INVALID_GRANT_INACTIVE_USER: inactive user" in page
    assert reverse("crm-sign-in", args=[connection.pk]) in page


def test_a_quiet_run_is_no_news_unless_one_asks_for_all(client, connection):
    has_run(connection, read=7)
    has_run(connection, state="failed")
    log = reverse("crm-log", args=[connection.pk])

    assert text(client.get(log)).count("<tr data-row") == 1
    assert "down for maintenance" in text(client.get(log))
    assert text(client.get(f"{log}?all=1")).count("<tr data-row") == 2


def test_the_log_tells_who_did_what_to_the_connection(client, connection, admin):
    client.post(reverse("crm-pause", args=[connection.pk]), {"why": "we merge the two orgs"})

    told = text(client.get(f"{reverse('crm-log', args=[connection.pk])}?show=connection"))

    assert "by Aline Martin" in told
    assert "we merge the two orgs" in told


# ── Pausing, and back ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verb", "state"),
    [("crm-pause", ConnectionState.PAUSED), ("crm-disable", ConnectionState.DISABLED), ("crm-disconnect", ConnectionState.DISCONNECTED)],
)  # fmt: skip
def test_what_stops_a_connection_is_undone_by_the_toasts_one_click(client, connection, admin, verb, state):
    answer = client.post(reverse(verb, args=[connection.pk]), {"why": "a test"}, follow=True)

    assert connection_state(connection) is state
    assert "a test" in text(answer)
    undo = reverse("crm-resume", args=[connection.pk])
    assert f'action="{undo}"' in text(answer)

    client.post(undo)

    assert connection_state(connection) is ConnectionState.ENABLED
    assert connection.events.order_by("-id").first().by == admin


def test_the_effect_of_a_pause_is_shown_before(client, connection, bruno):
    link(connection, bruno, "00Q1")
    QueuedPush.objects.create(
        connection=connection,
        subject="person",
        subject_id=bruno.pk,
        object="Lead",
        queued_at=utc_now(),
        due_at=utc_now(),
    )

    page = text(client.get(reverse("crm-connection", args=[connection.pk])))

    dialog = page.split('id="pause"')[1].split("</dialog>")[0]
    assert "Wait to be sent</dt><dd>1</dd>" in dialog
    assert "People who stay linked</dt><dd>1</dd>" in dialog


def test_sync_now_asks_for_one_cycle_however_often_it_is_pressed(client, connection):
    from procrastinate.contrib.django.models import ProcrastinateJob

    sync = reverse("crm-sync", args=[connection.pk])
    assert "A cycle was asked for" in text(client.post(sync, follow=True))
    assert "A cycle waits already" in text(client.post(sync, follow=True))
    assert ProcrastinateJob.objects.filter(task_name="crm.sync_connection").count() == 1


# ── Connecting ───────────────────────────────────────────────────────────────────────────────────────────────────────

ANSWERS = {
    "name": "Salesforce",
    "login_method": "client_credentials",
    "login_url": "https://127.0.0.1:9/",
    "client_id": "3MVG9",
    "client_secret": "a secret",
    "api_version": "66.0",
}


def test_a_missing_secret_is_asked_for_and_no_answer_is_lost(client):
    answer = client.post(
        reverse("crm-connect"), ANSWERS | {"client_secret": "", "login_url": "https://acme.my.salesforce.example"}
    )

    assert answer.status_code == 422
    assert "This field is required." in text(answer)
    assert "https://acme.my.salesforce.example" in text(answer)
    assert not Connection.objects.exists()


def test_a_name_that_is_taken_is_said_beside_the_name(client, connection):
    answer = client.post(reverse("crm-connect"), ANSWERS)

    assert answer.status_code == 422
    assert "already exists" in text(answer)
    assert 'value="a secret"' in text(answer)


def test_a_crm_that_does_not_answer_costs_none_of_the_answers(client):
    answer = client.post(reverse("crm-connect"), ANSWERS, follow=True)

    connection = Connection.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("crm-sign-in", args=[connection.pk])
    assert "https://127.0.0.1:9" in text(answer)
    assert "a secret" not in text(answer)
    assert "Leave empty to keep the one we hold." in text(answer)
    assert connection_state(connection) in (ConnectionState.NEW, ConnectionState.BROKEN)


def test_secrets_are_not_kept_by_the_browser(client, connection):
    assert "no-store" in client.get(reverse("crm-sign-in", args=[connection.pk])).headers["Cache-Control"]


def test_the_set_up_shows_the_one_step_to_take(client):
    connection = connect()

    page = text(client.get(reverse("crm-setup", args=[connection.pk])))

    assert page.count('aria-current="step"') == 1
    assert "Step 2 of 6" in page


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fields_of(connection) -> str:
    return reverse("crm-fields", args=[connection.pk])


def test_every_mapped_field_has_its_row_with_who_is_right_and_its_conflicts(client, connection, bruno):
    is_put_back(connection, bruno, "01 02 03 04", "+33 4 72 40 18 33")

    page = text(client.get(fields_of(connection)))

    assert "Salesforce Lead" in page
    assert "Salesforce Contact" in page
    assert "<code>MobilePhone</code>" in page
    row = page.split('id="row-person-phone"')[1].split("</tr>")[0]
    assert '<option value="crm" selected>' in row
    assert ">1<" in row.replace(" ", "")


def test_an_opened_row_shows_the_values_that_were_put_back_with_their_people(client, connection, bruno):
    is_put_back(connection, bruno, "01 02 03 04", "+33 4 72 40 18 33")

    page = text(client.get(f"{fields_of(connection)}?open=person:phone"))

    assert "1 value written here gave way to the one of Salesforce" in page
    assert "Bruno Petit" in page
    assert "<s>01 02 03 04</s>" in page


def test_the_form_of_a_person_says_where_the_crm_is_right_before_somebody_types(client, connection, bruno):
    link(connection, bruno, "BRUNO")

    page = text(client.get(reverse("person-edit", args=[bruno.pk])))

    assert "Salesforce is right (Phone)." in page


def test_the_audit_log_calls_an_event_by_its_connection_and_dates_as_people_do(client, connection):
    client.post(reverse("crm-pause", args=[connection.pk]), {"why": "holidays"})

    page = text(client.get(reverse("settings-audit"), {"table": "crm_connectionevent"}))

    assert "object (" not in page
    assert not re.search(r">\s*\d{4}-\d\d-\d\dT", page)
    assert "What happened" in page and "Paused" in page


def test_people_of_other_teams_are_not_named(connection, bruno):
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    Person.objects.filter(pk=bruno.pk).update(team=south)
    is_put_back(connection, bruno, "01 02 03 04", "+33 4 72 40 18 33")
    is_refused(connection, bruno)
    manager = signed_in(user("manager", "Denis Roux", team=north))

    fields, errors = (
        text(manager.get(f"{fields_of(connection)}?open=person:phone")),
        text(manager.get(reverse("crm-errors", args=[connection.pk]))),
    )

    for page in (fields, errors):
        assert "Bruno" not in page
        assert "01 02 03 04" not in page
    assert "They concern people of other teams." in fields
    assert "1 more belongs to another team." in errors


def test_changing_who_is_right_makes_a_draft_and_leaves_what_is_in_force(client, connection):
    answer = client.post(
        reverse("crm-field-owner", args=[connection.pk]),
        {"field": "person:phone", "owner": "relance"},
        headers={"HX-Request": "true"},
    )

    assert "Version 2 is a draft" in text(answer)
    assert "1 field changed." in text(answer)
    drafted = {
        line.field_key: line.owner
        for draft in draft_of(draft_mapping(connection))
        for line in draft.fields
        if draft.object == "Lead"
    }
    in_force = {
        line.field_key: line.owner
        for draft in draft_of(approved_mapping(connection))
        for line in draft.fields
        if draft.object == "Lead"
    }
    assert drafted["phone"] is RightSide.RELANCE
    assert in_force["phone"] is RightSide.CRM


def form_of(**changed: str) -> dict[str, str]:
    answers = {"field": "person:status"}
    for object, name in (("Lead", "Status"), ("Contact", "")):
        told = {
            "crm_field": name,
            "owner": "latest",
            "blank": "fill",
            "direction": "both",
            "transform": "none",
            "value_map": "",
        }
        answers |= {f"{object}-{part}": value for part, value in told.items()}
    return answers | changed


def test_a_field_is_added_then_given_a_table_of_values_object_by_object(client, connection):
    added = client.post(
        f"{reverse('crm-field-add', args=[connection.pk])}?field=person:status",
        {"Lead-crm_field": "Status", "Contact-crm_field": "", "preset": "latest"},
    )
    assert added.status_code == 302

    client.post(
        reverse("crm-field-change", args=[connection.pk]),
        form_of(
            **{"Lead-transform": "value_map", "Lead-value_map": "Open = Ouvert\nClosed = Perdu", "Lead-blank": "keep"}
        ),
    )

    lead = next(draft for draft in draft_of(draft_mapping(connection)) if draft.object == "Lead")
    line = next(line for line in lead.fields if line.field_key == "status")
    assert (line.transform, line.blank, line.value_map) == (
        Transform.VALUE_MAP,
        BlankPolicy.KEEP,
        {"Open": "Ouvert", "Closed": "Perdu"},
    )


def test_a_table_of_values_that_cannot_be_read_is_shown_again_as_it_was_written(client, connection):
    client.post(
        f"{reverse('crm-field-add', args=[connection.pk])}?field=person:status",
        {"Lead-crm_field": "Status", "preset": "latest"},
    )

    answer = client.post(
        reverse("crm-field-change", args=[connection.pk]),
        form_of(**{"Lead-transform": "value_map", "Lead-value_map": "Open = Ouvert\nClosed"}),
    )

    assert answer.status_code == 422
    assert "Line 2 is not" in text(answer)
    assert "Open = Ouvert" in text(answer)


def test_a_field_to_add_needs_at_least_one_object(client, connection):
    answer = client.post(f"{reverse('crm-field-add', args=[connection.pk])}?field=person:status", {"preset": "latest"})

    assert answer.status_code == 422
    assert "Choose the field of at least one object." in text(answer)


def test_a_field_taken_out_in_the_draft_is_shown_and_can_be_put_back(client, connection):
    client.post(reverse("crm-field-remove", args=[connection.pk]), {"field": "person:phone"})
    assert "Taken out in the draft" in text(client.get(fields_of(connection)))

    client.post(reverse("crm-field-put-back", args=[connection.pk]), {"field": "person:phone"})

    keys = {
        line.field_key
        for draft in draft_of(draft_mapping(connection))
        for line in draft.fields
        if draft.object == "Lead"
    }
    assert "phone" in keys


def test_a_draft_without_a_dry_run_is_not_approved(client, connection):
    client.post(reverse("crm-field-owner", args=[connection.pk]), {"field": "person:phone", "owner": "relance"})

    answer = client.post(reverse("crm-approve", args=[connection.pk]), follow=True)

    assert "Do the dry run of this very version first" in text(answer)
    assert approved_mapping(connection).version == 1


def test_discarding_a_draft_leaves_what_is_in_force(client, connection):
    client.post(reverse("crm-field-owner", args=[connection.pk]), {"field": "person:phone", "owner": "relance"})

    client.post(reverse("crm-discard", args=[connection.pk]))

    assert draft_mapping(connection) is None
    assert approved_mapping(connection).version == 1


@pytest.mark.parametrize("field", ["", "phone", "planet:phone", "person:"])
def test_a_field_nobody_knows_is_not_found(client, connection, field):
    assert (
        client.post(reverse("crm-field-owner", args=[connection.pk]), {"field": field, "owner": "crm"}).status_code
        == 404
    )
    assert draft_mapping(connection) is None


def test_the_table_is_filtered_by_name_and_by_conflicts(client, connection, bruno):
    is_put_back(connection, bruno, "01", "02")

    assert text(client.get(f"{fields_of(connection)}?q=mobile")).count("<tr data-row") == 1
    assert text(client.get(f"{fields_of(connection)}?state=conflicts")).count("<tr data-row") == 1
    assert "No field is like that" in text(client.get(f"{fields_of(connection)}?q=nothing"))


def test_the_fields_page_asks_a_bounded_number_of_queries(client, connection, django_assert_max_num_queries):
    for place in range(8):
        is_put_back(connection, Person.objects.create(email=f"p{place}@acme.example"), "01", "02")

    with django_assert_max_num_queries(50):
        client.get(f"{fields_of(connection)}?open=person:phone")


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refusals_are_grouped_by_cause_the_one_that_holds_back_most_first(client, connection, bruno):
    others = [Person.objects.create(email=f"p{place}@acme.example") for place in range(3)]
    is_refused(
        connection, bruno, code="DUPLICATES_DETECTED", cause="twin", message="You're creating a duplicate record"
    )
    for person in others:
        is_refused(connection, person)

    page = text(client.get(reverse("crm-errors", args=[connection.pk])))

    assert page.index("Validation rule") < page.index("Duplicate found")
    assert "Salesforce refuses 3 people" in page
    assert "Fill in what the rule asks for" in page
    assert "&quot;statusCode&quot;: &quot;FIELD_CUSTOM_VALIDATION_EXCEPTION&quot;" in page
    assert "Send the 3 again" in page


def test_sending_a_cause_again_leaves_the_other_causes_waiting(client, connection, bruno):
    other = Person.objects.create(email="other@acme.example")
    is_refused(connection, bruno, cause="twin")
    is_refused(connection, other)

    answer = client.post(reverse("crm-retry", args=[connection.pk]), {"cause": "dq"}, follow=True)

    assert "1 record leaves again." in text(answer)
    assert {push.subject_id: push.state for push in QueuedPush.objects.all()} == {
        bruno.pk: "refused",
        other.pk: "waiting",
    }


def test_a_manager_sends_again_only_what_is_of_the_team(connection, bruno):
    Person.objects.filter(pk=bruno.pk).update(team=Team.objects.create(name="South"))
    error = is_refused(connection, bruno)
    manager = signed_in(user("manager", "Denis Roux", team=Team.objects.create(name="North")))

    manager.post(reverse("crm-retry", args=[connection.pk]), {"error": error.pk})

    assert QueuedPush.objects.get().state == "refused"


@pytest.mark.parametrize("error", ["x", "9" * 30, "-1", "0"])
def test_an_error_nobody_knows_is_not_sent_again(client, connection, bruno, error):
    is_refused(connection, bruno)

    client.post(reverse("crm-retry", args=[connection.pk]), {"error": error})

    assert QueuedPush.objects.get().state == "refused"


def test_what_waits_is_counted_beside_the_name_in_the_side_bar(client, connection, bruno):
    is_refused(connection, bruno)

    side = text(client.get(reverse("crm-log", args=[connection.pk]))).split("<aside")[1].split("</aside>")[0]

    assert ">1<" in side.replace("\n", "")
