"""Scripted actors: what a rep or an administrator did shows in every door of the org, and is told to whoever asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relance.sandbox.actors import ActRefused, act
from relance.sandbox.outcomes import Caller
from relance.sandbox.schema import RecordType
from relance.sandbox.schema_changes import FILE, replay_changes
from relance.sandbox.setup_rows import lay_setup_rows

from .conftest import Desk, small_schema


def lead(desk: Desk, name: str = "Aline") -> str:
    return str(desk.query(f"SELECT Id FROM Lead WHERE LastName = '{name}'")["records"][0]["Id"])


def row(desk: Desk, object_name: str, record_id: str) -> dict[str, Any]:
    found = desk.org.records.row(desk.org.schema.objects[object_name], record_id)
    assert found is not None
    return dict(found)


def did(desk: Desk, actor: str, **told: Any) -> dict[str, Any]:
    response = desk.ask("POST", "/sandbox/act", {"name": actor, "with": told})
    assert response.status == 200, response.body
    answer: dict[str, Any] = json.loads(response.body)
    return answer


def test_a_rep_converts_a_lead_named_by_its_e_mail(desk: Desk):
    made = did(desk, "convert", object="Lead", where="Email = 'aline@alpha.example'")

    converted = row(desk, "Lead", made["id"])
    assert (converted["IsConverted"], converted["ConvertedContactId"]) == (1, made["contact"])
    assert made["opportunity"] is None


def test_a_rep_merges_two_leads_and_the_loser_says_into_which(desk: Desk):
    master, loser = lead(desk), lead(desk, "Bruno")

    did(desk, "merge", master=master, losers=loser)

    assert row(desk, "Lead", loser)["MasterRecordId"] == master


def test_a_rep_deletes_and_takes_back_and_an_administrator_purges(desk: Desk):
    record = lead(desk)
    did(desk, "delete", record=record)
    did(desk, "undelete", object="Lead", where="LastName = 'Aline'")
    assert row(desk, "Lead", record)["IsDeleted"] == 0

    did(desk, "purge", record=record)

    assert desk.org.records.row(desk.org.schema.objects["Lead"], record) is None


def test_a_rep_edits_and_gives_away_under_a_name_of_their_own(desk: Desk):
    caller = Caller(desk.org.user_id, all_rights=True)
    profile = desk.query("SELECT Id FROM Profile LIMIT 1")["records"][0]["Id"]
    user = desk.org.records.insert(
        caller,
        "User",
        {
            "Username": "denis@reps.example",
            "LastName": "Denis",
            "Email": "denis@reps.example",
            "Alias": "denis",
            "CommunityNickname": "denis",
            "ProfileId": profile,
        },
    )

    did(desk, "edit", record=lead(desk), values={"Company": "Delta"})
    did(desk, "reassign", record=lead(desk), owner="denis@reps.example")

    changed = row(desk, "Lead", lead(desk))
    assert (changed["Company"], changed["OwnerId"], changed["LastModifiedById"]) == ("Delta", user.id, user.id)


def test_a_field_taken_from_the_integration_is_as_if_absent_until_it_is_given_back(desk: Desk):
    did(desk, "remove_permission", **{"from": "Lead.Phone"})
    assert desk.refusal("SELECT Phone FROM Lead")["errorCode"] == "INVALID_FIELD"

    did(desk, "restore_permission", **{"from": "Lead.Phone"})

    assert desk.names("Phone = '01'") == ["Chloé"]


@pytest.mark.parametrize(
    ("taken", "method", "address", "status"),
    [
        ("Lead", "GET", "sobjects/Lead/describe", 404),
        ("api", "GET", "limits", 403),
    ],
)
def test_an_object_or_the_api_may_be_taken(desk: Desk, taken: str, method: str, address: str, status: int):
    did(desk, "remove_permission", **{"from": taken})

    assert desk.ask(method, address).status == status
    (line,) = desk.org.store.connection().execute('SELECT "Display" FROM "SetupAuditTrail"').fetchall()
    assert taken in line[0]


def test_a_renamed_field_keeps_its_values_and_its_old_name_is_unknown(desk: Desk):
    did(desk, "rename_field", field="Lead.Reference__c", to="Ancienne__c")
    response = desk.ask("PATCH", f"sobjects/Lead/{lead(desk)}", {"Ancienne__c": "A-1"})

    assert response.status == 204, response.body
    assert desk.names("Ancienne__c = 'A-1'") == ["Aline"]
    assert desk.refusal("SELECT Reference__c FROM Lead")["errorCode"] == "INVALID_FIELD"


def test_values_survive_the_renaming_of_their_field(desk: Desk):
    did(desk, "rename_field", field="Lead.Relance_Id__c", to="Cle__c")

    assert desk.names("Cle__c = 'r1'") == ["Aline"]


def test_a_new_required_field_refuses_old_records_too(desk: Desk):
    did(desk, "add_required_field", object="Lead", name="Siret__c")

    refused = desk.ask("PATCH", f"sobjects/Lead/{lead(desk)}", {"Company": "Delta"})

    assert json.loads(refused.body)[0]["message"] == "Required fields are missing: [Siret__c]"
    assert desk.ask("PATCH", f"sobjects/Lead/{lead(desk)}", {"Company": "Delta", "Siret__c": "1"}).status == 204


def test_a_new_rule_refuses_with_its_own_text(desk: Desk):
    did(
        desk,
        "add_validation_rule",
        object="Lead",
        name="Pas_de_Delta",
        formula='Company = "Delta"',
        message="Pas de Delta.",
    )

    refused = desk.ask("PATCH", f"sobjects/Lead/{lead(desk)}", {"Company": "Delta"})

    assert json.loads(refused.body)[0]["message"] == "Pas de Delta."


def test_a_retired_value_is_refused_and_leaves_describe(desk: Desk):
    desk.org.schema.objects["Lead"].fields["Interets__c"].restricted = True
    did(desk, "remove_picklist_value", field="Lead.Interets__c", value="Vins")

    refused = desk.ask("POST", "sobjects/Lead", {"LastName": "É", "Company": "C", "Interets__c": "Vins"})
    (field,) = [f for f in desk.get("sobjects/Lead/describe")["fields"] if f["name"] == "Interets__c"]

    assert json.loads(refused.body)[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert "Vins" not in {value["value"] for value in field["picklistValues"]}


def test_records_of_a_deleted_record_type_get_another(desk: Desk):
    kinds = desk.org.schema.objects["Lead"].record_types
    kinds += [RecordType("Salon", "Salon"), RecordType("Web", "Web")]
    lay_setup_rows(desk.org.records, desk.org.username)
    ids = {
        each["DeveloperName"]: each["Id"] for each in desk.query("SELECT Id, DeveloperName FROM RecordType")["records"]
    }
    desk.ask("PATCH", f"sobjects/Lead/{lead(desk)}", {"RecordTypeId": ids["Salon"]})

    did(desk, "remove_record_type", object="Lead", name="Salon")

    assert row(desk, "Lead", lead(desk))["RecordTypeId"] == ids["Web"]
    assert [each["DeveloperName"] for each in desk.query("SELECT DeveloperName FROM RecordType")["records"]] == ["Web"]


def test_a_deactivated_user_can_own_nothing_more(desk: Desk):
    did(desk, "deactivate_user", user=desk.org.username)

    assert desk.ask("GET", "limits").status == 401
    did(desk, "reactivate_user", user=desk.org.username)
    assert desk.ask("GET", "limits").status == 200


def test_a_client_that_keeps_descriptions_is_told_that_they_changed(desk: Desk):
    first = desk.ask("GET", "sobjects/Lead/describe").headers["Last-Modified"]
    unchanged = desk.ask("GET", "sobjects/Lead/describe", headers={"If-Modified-Since": first})

    did(desk, "add_required_field", object="Lead", name="Siret__c")

    assert unchanged.status == 304
    assert desk.ask("GET", "sobjects/Lead/describe", headers={"If-Modified-Since": first}).status == 200


def test_what_was_changed_is_changed_again_when_the_tree_is_read_anew(desk: Desk):
    did(desk, "rename_field", field="Lead.Reference__c", to="Ancienne__c")
    did(desk, "remove_field", field="Lead.Initiale__c")
    schema = small_schema()

    told = list(replay_changes(desk.org.home, schema))

    assert told == []
    assert "Ancienne__c" in schema.objects["Lead"].fields
    assert "Reference__c" not in schema.objects["Lead"].fields
    assert "Initiale__c" not in schema.objects["Lead"].fields
    assert list(replay_changes(desk.org.home, schema)) != []
    assert (desk.org.home / FILE).exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("dance", {}, id="no such actor"),
        pytest.param("convert", {}, id="nobody meant"),
        pytest.param("convert", {"record": "00Q"}, id="no id"),
        pytest.param("delete", {"object": "Lead", "where": "LastName = 'Nobody'"}, id="no such record"),
        pytest.param("delete", {"object": "Lead", "where": "Nothing__c = 1"}, id="no such field"),
        pytest.param(
            "edit", {"object": "Lead", "where": "LastName = 'Aline'", "values": {"Nope": 1}}, id="the org refuses"
        ),
        pytest.param("rename_field", {"field": "Lead.Phone", "to": "Tel__c"}, id="a standard field"),
        pytest.param("remove_permission", {"from": "Moon"}, id="no such right"),
        pytest.param("deactivate_user", {"user": "nobody@nowhere.example"}, id="no such user"),
    ],
)
def test_an_actor_who_cannot_says_why(desk: Desk, name: str, told: dict[str, Any]):
    with pytest.raises(ActRefused) as refused:
        act(desk.org, name, told)

    assert refused.value.message
    assert desk.ask("POST", "/sandbox/act", {"name": name, "with": told}).status == 400


def test_somebody_may_act_in_the_middle_of_a_sync(desk: Desk):
    record = lead(desk)
    told = {"name": "delete", "with": {"record": record}}
    desk.ask("POST", "/sandbox/faults", {"kind": "actor", "match": {"method": "PATCH"}, "with": told})

    refused = desk.ask("PATCH", f"sobjects/Lead/{record}", {"Company": "Delta"})

    assert json.loads(refused.body)[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_what_happens_in_the_middle_may_be_asked_for_by_its_name_and_may_fail(desk: Desk):
    told = {"object": "Lead", "where": "LastName = 'Aline'"}
    record, other = lead(desk), lead(desk, "Bruno")
    desk.ask("POST", "/sandbox/faults", {"kind": "convert", "id": "meanwhile", "match": {"times": 2}, "with": told})

    first = desk.ask("GET", f"sobjects/Lead/{other}")

    assert row(desk, "Lead", record)["IsConverted"] == 1
    assert (first.status, first.faults) == (200, ["meanwhile"])
    second = desk.ask("GET", f"sobjects/Lead/{other}")
    assert second.status == 200
    assert "could not" in second.faults[1]
