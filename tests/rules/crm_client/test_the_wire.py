"""Lost answers, dead tokens, cut bodies: what the client does on a bad line, against a server that misbehaves on purpose."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from relance.crm.dialect import (
    CallNote,
    ConvertLead,
    CrmBusy,
    CrmMisconfigured,
    CrmOutcomeUnknown,
    Cursor,
    FieldDescription,
    FieldKind,
    ObjectDescription,
    PushRow,
)
from relance.crm.salesforce import bulk, rest, wire
from relance.crm.salesforce.auth import ClientCredentials, JwtBearer, RefreshToken
from relance.crm.salesforce.client import SalesforceClient, SalesforceSettings

from .scripted_org import Asked, Reply, Script, ScriptedOrg, found, nothing_here, refused, scripted_org

LEAD = ObjectDescription(
    name="Lead",
    label="Lead",
    fields=(FieldDescription("Email", "Email", FieldKind.EMAIL),),
    stamp_field="SystemModstamp",
    deleted_field="IsDeleted",
)
ROWS = [PushRow(f"r-{n}", {"LastName": f"Nom {n}"}) for n in range(4)]


def connected(org: ScriptedOrg, **more: object) -> SalesforceClient:
    grant = more.pop("grant", ClientCredentials(org.url, "key", "secret"))
    settings = {name: more.pop(name) for name in ("expected_org_id", "auto_assign", "allow_private") if name in more}
    return SalesforceClient(SalesforceSettings(grant=grant, **{"allow_private": True, **settings}), **more)


@contextmanager
def an_org(script: Script, **more: object):
    with scripted_org(script) as org:
        client = connected(org, **more)
        try:
            yield org, client
        finally:
            client.close()


def one_after_another(*replies: Reply) -> Script:
    """Answers in order to everything but the token; the last one stays."""
    left = list(replies)

    def script(asked: Asked) -> Reply:
        if asked.path.startswith("/services/oauth2"):
            return nothing_here()
        return left.pop(0) if len(left) > 1 else left[0]

    return script


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch):
    monkeypatch.setattr(rest, "PAUSE_BETWEEN_READS_SECONDS", 0.01)
    monkeypatch.setattr(bulk, "FIRST_PAUSE_SECONDS", 0.01)


def done(asked: Asked) -> Reply:
    return Reply(told=[{"id": "00Q1", "success": True, "created": True, "errors": []} for _ in asked.told["records"]])


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dead_token_is_renewed_once_and_the_call_made_again():
    script = one_after_another(refused(401, "INVALID_SESSION_ID"), found([]))
    with an_org(script) as (org, client):
        assert client.count("Lead") == 0

    assert org.tokens_given == 2
    assert [each.headers["authorization"] for each in org.calls("/query")] == ["Bearer token-1", "Bearer token-2"]


def test_a_token_refused_again_is_the_end_and_not_a_loop():
    with (
        an_org(one_after_another(refused(401, "INVALID_SESSION_ID"))) as (org, client),
        pytest.raises(CrmMisconfigured) as raised,
    ):
        client.count("Lead")

    assert raised.value.remedy == "reconnect"
    assert len(org.calls("/query")) == 2


def test_a_user_who_may_not_use_the_api_is_never_answered_by_a_new_token():
    script = one_after_another(
        refused(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
    )
    with an_org(script) as (org, client), pytest.raises(CrmMisconfigured) as raised:
        client.count("Lead")

    assert raised.value.code == "SESSION_NOT_VALID_FOR_API"
    assert (org.tokens_given, len(org.calls("/query"))) == (1, 1)


def test_a_write_refused_at_the_door_is_made_again_with_the_new_token():
    refusals = [refused(401, "INVALID_SESSION_ID")]

    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        return refusals.pop() if refusals else done(asked)

    with an_org(script) as (org, client):
        outcomes = client.upsert("Lead", "Relance_Id__c", ROWS)

    assert all(outcome.ok for outcome in outcomes)
    assert len(org.calls("/composite")) == 2


def test_a_new_refresh_token_is_kept_before_the_new_access_token_is_used():
    events: list[str] = []

    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            spent = parse_qs(asked.body.decode())["refresh_token"][0]
            events.append(f"spent {spent}")
            return Reply(told=org.token(refresh_token=f"{spent}+"))
        events.append("used")
        return refused(401, "INVALID_SESSION_ID") if events.count("used") == 1 else found([])

    with scripted_org(script) as org:
        grant = RefreshToken(org.url, "key", "first")
        client = connected(org, grant=grant, on_new_refresh_token=lambda token: events.append(f"kept {token}"))
        client.count("Lead")

    assert events == ["spent first", "kept first+", "used", "spent first+", "kept first++", "used"]


def test_the_refresh_token_spent_is_the_one_kept_now_and_not_the_one_we_started_with():
    def script(asked: Asked) -> Reply:
        return nothing_here() if "oauth2" in asked.path else found([])

    with scripted_org(script) as org:
        client = connected(org, grant=RefreshToken(org.url, "key", "stale"), refresh_turn=lambda: nullcontext("fresh"))
        client.count("Lead")

    assert parse_qs(org.calls("/token")[0].body.decode())["refresh_token"] == ["fresh"]


def test_another_org_behind_the_same_address_is_refused():
    swapped = an_org(one_after_another(found([])), expected_org_id="00D000000000099AAA")
    with swapped as (org, client), pytest.raises(CrmMisconfigured) as raised:
        client.count("Lead")

    assert raised.value.code == "ORG_SWAPPED"
    assert org.calls("/query") == []


def test_an_address_that_is_not_salesforce_says_so_and_keeps_no_body():
    def script(asked: Asked) -> Reply:
        return Reply(body=b"<html>Welcome to nginx</html>", headers={"Content-Type": "text/html"})

    with an_org(script) as (_, client), pytest.raises(CrmMisconfigured) as raised:
        client.count("Lead")

    assert (raised.value.code, raised.value.body) == ("TOKEN_ANSWER_UNREADABLE", "")


def test_a_private_key_that_cannot_sign_is_said_before_anything_is_sent():
    with scripted_org(one_after_another(found([]))) as org:
        client = connected(org, grant=JwtBearer(org.url, "key", "user@example.com", "not a key"))
        with pytest.raises(CrmMisconfigured) as raised:
            client.count("Lead")

    assert raised.value.code == "PRIVATE_KEY_UNREADABLE"
    assert org.asked == []


# ── Where it may go ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_that_leads_inside_our_network_is_refused():
    client = SalesforceClient(SalesforceSettings(ClientCredentials("https://localhost:1", "key", "secret")))

    with pytest.raises(CrmMisconfigured) as raised:
        client.count("Lead")

    assert raised.value.code == "ADDRESS_NOT_PUBLIC"


def test_an_address_without_encryption_is_refused_outside_our_own_machine():
    with (
        an_org(one_after_another(found([])), allow_private=False) as (org, client),
        pytest.raises(CrmMisconfigured) as raised,
    ):
        client.count("Lead")

    assert raised.value.code == "ADDRESS_NOT_HTTPS"
    assert org.asked == []


@pytest.mark.parametrize("version", ["59.0", "66", "66.1", "v66.0", ""])
def test_an_old_or_misspelt_version_is_refused(version):
    with pytest.raises(CrmMisconfigured):
        SalesforceSettings(ClientCredentials("https://x", "k", "s"), api_version=version)


def test_nobody_listening_is_ours_to_try_again_even_for_a_write():
    with scripted_org(one_after_another(Reply(told={"records": []}, fate="close"))) as org:
        client = connected(org)
        client.count("Lead")

    with pytest.raises(CrmBusy):
        client.upsert("Lead", "Relance_Id__c", ROWS)


# ── Reads ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fate", ["hang_up", "cut"])
def test_a_read_whose_answer_is_lost_is_made_again(fate):
    row = {"Id": "00Q1", "SystemModstamp": "2026-11-22T10:25:26.000+0000"}
    with an_org(one_after_another(Reply(told={"x": "y" * 500}, fate=fate), found([row]))) as (org, client):
        [page] = client.changed(LEAD, ["Email"])

    assert json.loads(page.raw) == [row]
    assert len(org.calls("/queryAll")) == 2


def test_a_read_lost_again_and_again_is_left_to_the_queue():
    with an_org(one_after_another(Reply(fate="hang_up"))) as (org, client), pytest.raises(CrmBusy):
        client.count("Lead")

    assert len(org.calls("/query")) == rest.READS_AT_MOST


def test_an_answer_that_asks_to_wait_is_not_repeated_here():
    with an_org(one_after_another(refused(503, "SERVER_UNAVAILABLE"))) as (org, client), pytest.raises(CrmBusy):
        client.count("Lead")

    assert len(org.calls("/query")) == 1


def test_half_an_answer_that_claims_to_be_whole_is_not_read():
    whole = json.dumps({"totalSize": 2, "done": True, "records": [{"Id": "1"}, {"Id": "2"}]})
    with an_org(one_after_another(Reply(body=whole[:-20].encode()))) as (_, client), pytest.raises(CrmBusy) as raised:
        list(client.changed(LEAD, []))

    assert raised.value.code == "ANSWER_UNREADABLE"


def test_a_peer_that_sends_a_byte_now_and_then_does_not_hold_the_worker(monkeypatch):
    monkeypatch.setattr(rest, "READS_AT_MOST", 1)
    monkeypatch.setattr(wire, "DEADLINE_SECONDS", 0.2)
    with (
        an_org(one_after_another(Reply(told={"records": ["x"] * 100}, fate="drip"))) as (_, client),
        pytest.raises(CrmBusy) as raised,
    ):
        client.count("Lead")

    assert raised.value.code == "READTIMEOUT"


def test_a_forgotten_locator_is_resumed_from_the_cursor_without_gap_or_double():
    def row(n: int) -> dict[str, str]:
        return {"Id": f"00Q{n}", "SystemModstamp": "2026-11-22T10:25:26.000+0000"}

    script = one_after_another(
        found([row(1), row(2)], "/services/data/v66.0/query/01g-2"),
        refused(400, "INVALID_QUERY_LOCATOR"),
        found([row(3)]),
    )
    with an_org(script) as (org, client):
        pages = list(client.changed(LEAD, ["Email"]))

    assert [each["Id"] for page in pages for each in json.loads(page.raw)] == ["00Q1", "00Q2", "00Q3"]
    resumed = parse_qs(urlsplit(org.asked[-1].path).query)["q"][0]
    assert "AND Id > '00Q2'" in resumed
    assert [page.last for page in pages] == [False, True]
    assert pages[-1].cursor == Cursor(datetime(2026, 11, 22, 10, 25, 26, tzinfo=UTC), "00Q3")


def test_a_read_that_finds_nothing_ends_with_one_empty_page_and_the_cursor_it_came_with():
    since = Cursor(datetime(2026, 11, 22, tzinfo=UTC), "00Q9")
    with an_org(one_after_another(found([]))) as (_, client):
        [page] = client.changed(LEAD, [], since=since)

    assert (page.count, page.last, page.cursor, page.raw) == (0, True, since, b"[]")
    assert page.server_now is not None


def test_every_page_carries_id_stamp_and_deletion_and_each_column_once():
    with an_org(one_after_another(found([]))) as (org, client):
        list(client.changed(LEAD, ["Email", "id", "Email"], page_size=500))

    asked = org.calls("/queryAll")[0]
    assert parse_qs(urlsplit(asked.path).query)["q"] == [
        "SELECT Email, Id, SystemModstamp, IsDeleted FROM Lead ORDER BY SystemModstamp, Id"
    ]
    assert asked.headers["sforce-query-options"] == "batchSize=500"
    assert asked.headers["sforce-call-options"].startswith("client=relance/")
    assert asked.headers["accept-encoding"] == "gzip"


def test_the_log_gets_each_exchange_without_token_question_or_values():
    notes: list[CallNote] = []
    told = refused(
        403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Sforce_Limit_Info="api-usage=15001/15000"
    )
    with an_org(one_after_another(told), listener=notes.append) as (_, client), pytest.raises(CrmBusy):
        client.count("Lead")

    token, query = notes
    assert (token.path, token.status) == ("/services/oauth2/token", 200)
    assert (query.method, query.path, query.status, query.error_code) == ("GET", "query", 403, "REQUEST_LIMIT_EXCEEDED")
    assert (query.usage.used, query.usage.limit) == (15001, 15000)


def test_a_description_that_has_not_changed_is_not_read_again_and_a_hidden_object_is_named():
    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path or "Hidden" in asked.path:
            return nothing_here()
        return Reply(304) if "if-modified-since" in asked.headers else Reply(told={"name": "Lead", "fields": []})

    with an_org(script) as (org, client):
        fresh = client.describe(["Lead", "Hidden__c"])
        again = client.describe(["Lead"], changed_since=datetime(2026, 11, 22, 10, tzinfo=UTC))

    assert (set(fresh.found), set(fresh.missing)) == ({"Lead"}, {"Hidden__c"})
    assert again.unchanged == {"Lead"}
    assert org.asked[-1].headers["if-modified-since"] == "Sun, 22 Nov 2026 10:00:00 GMT"


# ── Writes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fate", ["hang_up", "cut"])
def test_a_write_whose_answer_is_lost_is_sent_once_and_named_unknown(fate):
    with (
        an_org(one_after_another(Reply(told=["x" * 500], fate=fate))) as (org, client),
        pytest.raises(CrmOutcomeUnknown) as raised,
    ):
        client.upsert("Lead", "Relance_Id__c", ROWS)

    assert raised.value.keys == ("r-0", "r-1", "r-2", "r-3")
    assert raised.value.makes_no_twin
    assert len(org.calls("/composite")) == 1


def test_a_creation_whose_answer_is_lost_may_make_a_twin():
    with an_org(one_after_another(Reply(fate="hang_up"))) as (_, client), pytest.raises(CrmOutcomeUnknown) as raised:
        client.create("Lead", ROWS)

    assert not raised.value.makes_no_twin


def test_an_answer_for_other_rows_than_ours_is_an_unknown_outcome():
    one_row = Reply(told=[{"id": "00Q1", "success": True, "errors": []}])
    with an_org(one_after_another(one_row)) as (_, client), pytest.raises(CrmOutcomeUnknown):
        client.upsert("Lead", "Relance_Id__c", ROWS)


def test_refusals_keep_their_row_and_their_words():
    told = [
        {"id": "00Q0", "success": True, "created": False, "errors": []},
        {
            "id": None,
            "success": False,
            "errors": [
                {"statusCode": "STRING_TOO_LONG", "message": "Nom : valeur trop longue", "fields": ["LastName"]}
            ],
        },
        {"id": "00Q2", "success": True, "created": True, "errors": []},
        {"id": "00Q3", "success": True, "created": True, "errors": []},
    ]
    with an_org(one_after_another(Reply(told=told))) as (org, client):
        outcomes = client.upsert("Lead", "Relance_Id__c", ROWS)

    assert [(each.key, each.ok, each.created, each.crm_id) for each in outcomes] == [
        ("r-0", True, False, "00Q0"),
        ("r-1", False, False, ""),
        ("r-2", True, True, "00Q2"),
        ("r-3", True, True, "00Q3"),
    ]
    [refusal] = outcomes[1].errors
    assert (refusal.code, refusal.message, refusal.fields) == (
        "STRING_TOO_LONG",
        "Nom : valeur trop longue",
        ("LastName",),
    )
    sent = org.calls("/composite")[0].told
    assert sent["allOrNone"] is False
    assert sent["records"][0] == {"attributes": {"type": "Lead"}, "Relance_Id__c": "r-0", "LastName": "Nom 0"}


def test_one_row_that_cannot_be_read_does_not_keep_the_others_out():
    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        bad = any(each["Relance_Id__c"] == "r-2" for each in asked.told["records"])
        return refused(400, "JSON_PARSER_ERROR", "Cannot deserialize date") if bad else done(asked)

    with an_org(script) as (org, client):
        outcomes = client.upsert("Lead", "Relance_Id__c", ROWS)

    assert [outcome.ok for outcome in outcomes] == [True, True, False, True]
    assert outcomes[2].errors[0].code == "JSON_PARSER_ERROR"
    assert len(org.calls("/composite")) == 5


def test_after_a_part_was_written_the_loss_of_another_is_told_by_row():
    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        keys = [each["Relance_Id__c"] for each in asked.told["records"]]
        if len(keys) == 4:
            return refused(400, "JSON_PARSER_ERROR")
        return done(asked) if "r-0" in keys else Reply(fate="hang_up")

    with an_org(script) as (_, client):
        outcomes = client.upsert("Lead", "Relance_Id__c", ROWS)

    assert [outcome.ok for outcome in outcomes] == [True, True, False, False]
    assert [outcome.unknown for outcome in outcomes] == [False, False, True, True]


def test_a_field_that_is_gone_refuses_the_mapping_and_not_each_row():
    gone = one_after_another(refused(400, "INVALID_FIELD", "No such column 'X'"))
    with an_org(gone) as (org, client), pytest.raises(CrmMisconfigured):
        client.upsert("Lead", "Relance_Id__c", ROWS)

    assert len(org.calls("/composite")) == 1


def test_more_rows_than_a_call_takes_are_refused_before_anything_is_sent():
    with an_org(one_after_another(found([]))) as (org, client), pytest.raises(ValueError, match="201 rows"):
        client.update("Lead", [PushRow(str(n), {}, f"00Q{n}") for n in range(201)])

    assert org.asked == []


def test_assignment_is_asked_for_on_writes_alone():
    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        return done(asked) if asked.body else found([])

    with an_org(script, auto_assign="FALSE") as (org, client):
        client.count("Lead")
        client.upsert("Lead", "Relance_Id__c", ROWS)

    assert "sforce-auto-assign" not in org.calls("/query")[0].headers
    assert org.calls("/composite")[0].headers["sforce-auto-assign"] == "FALSE"


def test_an_update_never_asks_for_assignment_so_a_corrected_phone_keeps_the_owner():
    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        return done(asked)

    with an_org(script, auto_assign="TRUE") as (org, client):
        client.update("Lead", [PushRow("1", {"Phone": "1"}, "00Q0")])

    assert org.calls("/composite")[0].headers["sforce-auto-assign"] == "FALSE"


# ── Bulk and SOAP ────────────────────────────────────────────────────────────────────────────────────────────────────


def bulk_script(*pages: Reply, states: list[str] | None = None, message: str = "") -> Script:
    left, waiting = list(pages), states or ["InProgress", "JobComplete"]

    def script(asked: Asked) -> Reply:
        if "oauth2" in asked.path:
            return nothing_here()
        if asked.method == "DELETE":
            return Reply(204)
        if "/results" in asked.path:
            return left.pop(0)
        if asked.method == "POST":
            return Reply(told={"id": "750x", "state": "UploadComplete"})
        state = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return Reply(told={"id": "750x", "state": state, "errorMessage": message})

    return script


def csv_page(body: bytes, rows: int, locator: str = "null") -> Reply:
    return Reply(body=body, headers={"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(rows)})


def test_an_export_follows_its_pages_and_removes_its_job():
    first = csv_page(b'"Id","Email"\n"1","a\nb"\n"2",""\n', 2, locator="next")
    with an_org(bulk_script(first, csv_page(b'"Id","Email"\n"3","c"\n', 1))) as (org, client):
        pages = list(client.export(LEAD, ["Email"], with_deleted=True))

    assert [(page.count, page.last, page.form, page.cursor) for page in pages] == [
        (2, False, "csv", None),
        (1, True, "csv", None),
    ]
    assert org.asked[1].told["operation"] == "queryAll"
    assert "locator=next" in org.calls("/results")[1].path
    assert org.asked[-1].method == "DELETE"


def test_an_export_page_cut_at_the_end_of_a_line_is_not_taken_for_whole():
    with an_org(bulk_script(csv_page(b'"Id"\n"1"\n', 2))) as (org, client), pytest.raises(CrmBusy):
        list(client.export(LEAD, []))

    assert org.asked[-1].method == "DELETE"


def test_a_failed_export_gives_the_reason_of_the_job():
    script = bulk_script(states=["Failed"], message="INVALID_FIELD: No such column 'Nope__c' on entity 'Lead'")
    with an_org(script) as (_, client), pytest.raises(CrmMisconfigured) as raised:
        list(client.export(LEAD, ["Nope__c"]))

    assert (raised.value.code, raised.value.message) == ("INVALID_FIELD", "No such column 'Nope__c' on entity 'Lead'")


CONVERTED = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><convertLeadResponse>
<result><accountId>001A</accountId><contactId>003A</contactId><leadId>00Q1</leadId><opportunityId xsi:nil="true"/><success>true</success></result>
<result><accountId xsi:nil="true"/><contactId xsi:nil="true"/><errors><fields>OwnerId</fields><message>owner needed &amp; missing</message>
<statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><leadId>00Q2</leadId><success>false</success></result>
</convertLeadResponse></soapenv:Body></soapenv:Envelope>"""


def fault(code: str, message: str) -> Reply:
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com">'
        f"<soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Reply(500, body=body.encode(), headers={"Content-Type": "text/xml"})


LEADS = [
    ConvertLead("00Q1", "Qualifié & prêt"),
    ConvertLead("00Q2", "Qualifié", owner_id="005A", creates_opportunity=True),
]


def test_leads_are_converted_each_with_its_own_outcome():
    with an_org(one_after_another(Reply(body=CONVERTED.encode()))) as (org, client):
        first, second = client.convert_leads(LEADS)

    assert (first.ok, first.contact_id, first.account_id, first.opportunity_id) == (True, "003A", "001A", "")
    assert (second.ok, second.errors[0].code, second.errors[0].message) == (
        False,
        "REQUIRED_FIELD_MISSING",
        "owner needed & missing",
    )
    sent = org.asked[-1].body.decode()
    assert "<convertedStatus>Qualifié &amp; prêt</convertedStatus>" in sent
    assert sent.count("<doNotCreateOpportunity>true</doNotCreateOpportunity>") == 1


def test_a_dead_token_is_renewed_for_conversions_too():
    script = one_after_another(fault("INVALID_SESSION_ID", "Invalid Session ID found"), Reply(body=CONVERTED.encode()))
    with an_org(script) as (org, client):
        assert client.convert_leads(LEADS)[0].ok

    assert org.tokens_given == 2


def test_a_fault_that_names_its_cause_is_not_an_unknown_outcome():
    with (
        an_org(one_after_another(fault("INVALID_TYPE", "no convert right"))) as (_, client),
        pytest.raises(CrmMisconfigured) as raised,
    ):
        client.convert_leads(LEADS)

    assert (raised.value.code, raised.value.message) == ("INVALID_TYPE", "no convert right")


def test_an_entity_bomb_is_not_opened():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with an_org(one_after_another(Reply(body=bomb))) as (_, client), pytest.raises(CrmOutcomeUnknown):
        client.convert_leads(LEADS)
