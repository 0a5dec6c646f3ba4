"""The Salesforce client on a sandbox org: signing in, reading everything once, writing nothing twice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from relance.crm.dialect import (
    CallNote,
    ConvertLead,
    CrmMisconfigured,
    CrmOutcomeUnknown,
    Cursor,
    FieldKind,
    ObjectDescription,
    Page,
    PushRow,
)
from relance.crm.salesforce.auth import ClientCredentials, Grant, JwtBearer, RefreshToken, Session
from relance.crm.salesforce.client import SalesforceClient, SalesforceSettings
from relance.crm.salesforce.rest import Rest
from relance.crm.salesforce.wire import Wire
from relance.sandbox.demo import write_demo_org
from tests.stories.salesforce_sandbox import CuttableLine, SandboxOrg, sandbox_org

KEY = "Relance_Id__c"


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxOrg]:
    place = tmp_path_factory.mktemp("sandbox")
    write_demo_org(place / "tree", datetime.now(UTC).date())
    with sandbox_org(place / "tree", home=place) as running:
        yield running


@pytest.fixture(scope="module")
def client(org: SandboxOrg) -> Iterator[SalesforceClient]:
    with_credentials = signed_in(org, ClientCredentials(org.https, org.client_id, org.client_secret))
    yield with_credentials
    with_credentials.close()


@pytest.fixture(scope="module")
def lead(client: SalesforceClient) -> ObjectDescription:
    return client.describe(["Lead"]).found["Lead"]


def signed_in(org: SandboxOrg, grant: Grant, **more: object) -> SalesforceClient:
    settings = {"ca_file": org.ca_file, "expected_org_id": org.org_id, "allow_private": True, **more}
    return SalesforceClient(SalesforceSettings(grant, **settings))


def rows_of(pages: list[Page]) -> list[dict[str, object]]:
    return [row for page in pages for row in json.loads(page.raw)]


def some_people(mark: str, count: int) -> list[PushRow]:
    return [
        PushRow(
            f"{mark}-{n}",
            {"LastName": f"Nom {mark} {n}", "Company": f"{mark} {n} SA", "Email": f"{mark}{n}@{mark}{n}.example"},
        )
        for n in range(count)
    ]


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flow", ["client credentials", "jwt bearer", "refresh token"])
def test_each_way_of_signing_in_reaches_the_same_org_as_the_same_user(org: SandboxOrg, flow: str):
    grant: Grant = {
        "client credentials": ClientCredentials(org.https, org.client_id, org.client_secret),
        "jwt bearer": JwtBearer(org.https, org.client_id, org.username, org.app_key),
        "refresh token": RefreshToken(org.https, org.client_id, org.refresh_token, org.client_secret),
    }[flow]

    identity = signed_in(org, grant).identity()

    assert (identity.org_id, identity.user_id, identity.username) == (org.org_id, org.user_id, org.username)


def test_a_wrong_secret_is_for_our_admin_to_mend(org: SandboxOrg):
    with pytest.raises(CrmMisconfigured) as raised:
        signed_in(org, ClientCredentials(org.https, org.client_id, "wrong")).identity()

    assert raised.value.remedy == "app_key"


def test_a_spent_refresh_token_asks_to_connect_again(org: SandboxOrg):
    with pytest.raises(CrmMisconfigured) as raised:
        signed_in(org, RefreshToken(org.https, org.client_id, "no-longer", org.client_secret)).identity()

    assert raised.value.remedy == "reconnect"


def test_a_session_ended_by_the_org_is_renewed_and_the_call_answered(org: SandboxOrg):
    notes: list[CallNote] = []
    wire = Wire(ca_file=org.ca_file, allow_private=True, listener=notes.append)
    session = Session(wire, ClientCredentials(org.https, org.client_id, org.client_secret))
    rest = Rest(wire, session, version="66.0")
    before, token = rest.query("SELECT COUNT() FROM Lead").total, session.token().access_token
    httpx.post(f"{org.http}/services/oauth2/revoke", data={"token": token}).raise_for_status()

    assert rest.query("SELECT COUNT() FROM Lead").total == before

    assert [note.status for note in notes] == [200, 200, 401, 200, 200]
    assert session.token().access_token != token


def test_an_org_whose_certificate_nobody_vouches_for_is_not_spoken_to(org: SandboxOrg):
    stranger = signed_in(org, ClientCredentials(org.https, org.client_id, org.client_secret), ca_file=None)

    with pytest.raises(CrmMisconfigured) as raised:
        stranger.identity()

    assert (raised.value.code, raised.value.remedy) == ("CERTIFICATE_NOT_TRUSTED", "ca_file")


def test_a_version_the_org_does_not_serve_is_said(org: SandboxOrg):
    grant = ClientCredentials(org.https, org.client_id, org.client_secret)

    with pytest.raises(CrmMisconfigured):
        signed_in(org, grant, api_version="999.0").count("Lead")


# ── What the org is made of ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_objects_we_sync_are_listed(client: SalesforceClient):
    names = {each.name for each in client.list_objects()}

    assert {"Lead", "Contact", "Account", "User"} <= names


def test_a_description_speaks_our_words(lead: ObjectDescription):
    assert lead.field("Email").kind is FieldKind.EMAIL
    assert lead.field("LastName").required
    assert lead.field(KEY).external_id
    assert (lead.stamp_field, lead.deleted_field) == ("SystemModstamp", "IsDeleted")
    assert lead.field("Status").picklist


def test_a_hidden_or_unknown_object_is_missing_and_the_others_are_described(client: SalesforceClient):
    answer = client.describe(["Lead", "Nothing__c"])

    assert (set(answer.found), set(answer.missing)) == ({"Lead"}, {"Nothing__c"})


def test_a_description_is_not_read_again_while_nothing_changed(client: SalesforceClient):
    assert client.describe(["Lead"], changed_since=datetime.now(UTC) + timedelta(minutes=1)).unchanged == {"Lead"}


def test_users_and_queues_are_read_with_what_queues_may_own(client: SalesforceClient, org: SandboxOrg):
    assert org.user_id in {user.id for user in client.users()}
    assert any("Lead" in queue.objects for queue in client.queues())


def test_the_days_budget_is_known_after_any_call(client: SalesforceClient):
    client.count("Lead")
    before = client.usage()
    client.count("Lead")

    assert client.usage().used > before.used


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_rows_come_once_in_the_order_of_their_cursor(client: SalesforceClient, lead: ObjectDescription):
    pages = list(client.changed(lead, ["Email"], page_size=200))

    rows = rows_of(pages)
    places = [(row["SystemModstamp"], row["Id"]) for row in rows]
    assert len(rows) == client.count("Lead")
    assert places == sorted(set(places))
    assert len(pages) > 1
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert sum(page.count for page in pages) == len(rows)


def test_a_read_stopped_inside_one_stamp_goes_on_without_gap_or_double(
    client: SalesforceClient, lead: ObjectDescription
):
    whole = rows_of(list(client.changed(lead, [])))
    reading = client.changed(lead, [], page_size=200)
    first = next(reading)

    rest = rows_of(list(client.changed(lead, [], since=first.cursor)))

    assert [row["Id"] for row in json.loads(first.raw)] + [row["Id"] for row in rest] == [row["Id"] for row in whole]


def test_a_change_is_seen_from_the_servers_own_clock_on(client: SalesforceClient, lead: ObjectDescription):
    seen_up_to = list(client.changed(lead, []))[-1].server_now
    [outcome] = client.upsert("Lead", KEY, some_people("clock", 1))

    ids = {
        row["Id"] for row in rows_of(list(client.changed(lead, [], since=Cursor(seen_up_to - timedelta(seconds=1)))))
    }

    assert outcome.crm_id in ids


def test_a_deleted_row_is_read_as_deleted(client: SalesforceClient, lead: ObjectDescription):
    [made] = client.upsert("Lead", KEY, some_people("gone", 1))
    since = Cursor(datetime.now(UTC) - timedelta(minutes=5))

    [deleted] = client.delete([made.crm_id])

    assert deleted.ok
    rows = {row["Id"]: row for row in rows_of(list(client.changed(lead, [], since=since)))}
    assert rows[made.crm_id]["IsDeleted"] is True
    assert made.crm_id in {each.id for each in client.deletions(lead, since=since.stamp)}
    assert client.read("Lead", [made.crm_id], ["Email"]) == {made.crm_id: None}


def test_an_export_holds_the_same_rows_as_a_read(client: SalesforceClient, lead: ObjectDescription):
    text = b"".join(page.raw for page in client.export(lead, ["Email"])).decode()

    exported = {row["Id"]: row["Email"] for row in csv.DictReader(io.StringIO(text, newline=""))}

    read = {
        row["Id"]: row["Email"] or "" for row in rows_of(list(client.changed(lead, ["Email"]))) if not row["IsDeleted"]
    }
    assert exported == read


def test_rows_are_read_by_id(client: SalesforceClient):
    outcomes = client.upsert("Lead", KEY, some_people("byid", 3))
    ids = [outcome.crm_id for outcome in outcomes]

    rows = client.read("Lead", ids, ["LastName"])

    assert [rows[crm_id]["LastName"] for crm_id in ids] == ["Nom byid 0", "Nom byid 1", "Nom byid 2"]


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_upsert_twice_makes_its_rows_once(client: SalesforceClient):
    rows = some_people("twice", 5)
    before = client.count("Lead")

    first, second = client.upsert("Lead", KEY, rows), client.upsert("Lead", KEY, rows)

    assert [outcome.created for outcome in first] == [True] * 5
    assert [outcome.created for outcome in second] == [False] * 5
    assert [outcome.crm_id for outcome in first] == [outcome.crm_id for outcome in second]
    assert client.count("Lead") == before + 5


def test_one_refused_row_is_told_in_the_orgs_words_and_the_others_are_kept(
    client: SalesforceClient, lead: ObjectDescription
):
    good, long, nameless = some_people("refused", 3)
    too_long = "x" * (lead.field("LastName").length + 1)
    rows = [good, PushRow(long.key, {**long.fields, "LastName": too_long}), PushRow(nameless.key, {"Company": "X"})]

    first, second, third = client.upsert("Lead", KEY, rows)

    assert first.ok
    assert (second.ok, second.errors[0].code, second.errors[0].fields) == (False, "STRING_TOO_LONG", ("LastName",))
    assert "LastName" in third.errors[0].message
    assert client.known(third.errors[0]).remedy == "fill_required"


def test_a_rule_of_the_org_refuses_in_its_own_sentence(client: SalesforceClient):
    [person] = some_people("rule", 1)

    [refused] = client.upsert("Lead", KEY, [PushRow(person.key, {**person.fields, "Status": "Disqualifié"})])

    [error] = refused.errors
    assert (refused.ok, error.code) == (False, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert error.message == "Indiquez la raison de la disqualification."
    assert client.known(error).remedy == "validation_rule"


def test_a_converted_lead_refuses_changes_and_says_so(client: SalesforceClient, org: SandboxOrg):
    [made] = client.upsert("Lead", KEY, some_people("after", 1))
    [status] = {row["MasterLabel"] for row in converted_statuses(client)}
    client.convert_leads([ConvertLead(made.crm_id, status, owner_id=org.user_id)])

    [refused] = client.update("Lead", [PushRow("late", {"LastName": "Trop tard"}, crm_id=made.crm_id)])

    assert client.known(refused.errors[0]).remedy == "follow_conversion"


def test_an_update_changes_what_it_names_and_clears_what_it_empties(client: SalesforceClient):
    [made] = client.upsert("Lead", KEY, some_people("update", 1))

    [outcome] = client.update("Lead", [PushRow("u", {"Email": None, "LastName": "Autre"}, crm_id=made.crm_id)])

    assert (outcome.ok, outcome.created, outcome.key) == (True, False, "u")
    row = client.read("Lead", [made.crm_id], ["Email", "LastName", "Company"])[made.crm_id]
    assert (row["Email"], row["LastName"], row["Company"]) == (None, "Autre", "update 0 SA")


def test_a_write_whose_answer_was_lost_is_found_again_exactly_once(org: SandboxOrg):
    line = CuttableLine(org.http_port)
    client = signed_in(org, ClientCredentials(line.url, org.client_id, org.client_secret))
    rows = some_people("lost", 20)
    client.count("Lead")

    line.cut_after_the_next_request()
    with pytest.raises(CrmOutcomeUnknown) as raised:
        client.upsert("Lead", KEY, rows)

    assert line.cuts == 1
    assert raised.value.keys == tuple(row.key for row in rows)
    found = client.find_by_external_id("Lead", KEY, [*raised.value.keys, "never sent"])
    assert sorted(each.key for each in found) == sorted(raised.value.keys)
    again = client.upsert("Lead", KEY, rows)
    assert [outcome.created for outcome in again] == [False] * 20
    line.close()


def test_a_converted_lead_is_followed_to_its_contact(client: SalesforceClient, org: SandboxOrg):
    made, other = client.upsert("Lead", KEY, some_people("convert", 2))
    [status] = {row["MasterLabel"] for row in converted_statuses(client)}

    done, unknown = client.convert_leads(
        [
            ConvertLead(made.crm_id, status, owner_id=org.user_id),
            ConvertLead(other.crm_id, "A status that is not there", owner_id=org.user_id),
        ]
    )

    assert done.ok
    assert done.contact_id.startswith("003")
    assert done.account_id.startswith("001")
    assert not unknown.ok
    assert unknown.errors
    row = next(
        each
        for each in client.conversions(since=datetime.now(UTC) - timedelta(minutes=5))
        if each.lead_id == made.crm_id
    )
    assert (row.contact_id, row.account_id) == (done.contact_id, done.account_id)


def converted_statuses(client: SalesforceClient) -> list[dict[str, object]]:
    statuses = client.describe(["LeadStatus"]).found["LeadStatus"]
    return [
        row for row in rows_of(list(client.changed(statuses, ["MasterLabel", "IsConverted"]))) if row["IsConverted"]
    ]


def test_a_page_in_the_crm_is_at_its_own_address(client: SalesforceClient, org: SandboxOrg):
    assert client.record_url("Lead", "00Q000000000001AAA").endswith("/lightning/r/Lead/00Q000000000001AAA/view")
