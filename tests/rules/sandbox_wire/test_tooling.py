"""What the org says of its own make and of its users' rights: Tooling queries, definitions, permission rows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from relance.sandbox.actors import act
from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.schema import RecordType, ValidationRule
from relance.sandbox.setup_rows import lay_setup_rows

from .conftest import Desk

PLANTED = WriteOptions(planted=True)


def tooling(desk: Desk, soql: str) -> list[dict[str, Any]]:
    answer = desk.get("tooling/query", q=soql)
    records: list[dict[str, Any]] = answer["records"]
    return records


def refused(desk: Desk, address: str, soql: str) -> dict[str, str]:
    response = desk.ask("GET", f"{address}?" + urlencode({"q": soql}))
    assert response.status == 400, response.body
    error: dict[str, str] = json.loads(response.body)[0]
    return error


def rules(desk: Desk) -> None:
    lead = desk.org.schema.objects["Lead"]
    lead.validation_rules.append(ValidationRule("Pas_de_Delta", 'Company = "Delta"', "Pas de Delta.", "Company"))
    lead.validation_rules.append(ValidationRule("Endormie", "false", "Jamais.", active=False))


def reader(desk: Desk) -> str:
    """A user of the profile Reader, who may read and edit leads, without their phone."""
    profile = desk.query("SELECT Id FROM Profile WHERE Name = 'Reader'")["records"][0]["Id"]
    made = desk.org.records.insert(
        Caller(desk.org.user_id, all_rights=True),
        "User",
        {
            "Username": "reader@org.example", "LastName": "Reader", "Email": "r@org.example", "Alias": "r",
            "CommunityNickname": "r", "ProfileId": profile, "IsActive": True,
        },
    )  # fmt: skip
    assert made.id is not None
    return made.id


def test_active_rules_are_found_with_their_text_and_object(desk: Desk):
    rules(desk)

    found = tooling(
        desk,
        "SELECT Id, ValidationName, ErrorMessage, ErrorDisplayField, EntityDefinition.QualifiedApiName FROM ValidationRule"
        " WHERE EntityDefinition.QualifiedApiName IN ('Lead', 'Contact') AND Active = true",
    )

    assert [(rule["ValidationName"], rule["EntityDefinition"]["QualifiedApiName"]) for rule in found] == [
        ("Pas_de_Delta", "Lead")
    ]
    assert found[0]["attributes"]["url"].endswith(f"/tooling/sobjects/ValidationRule/{found[0]['Id']}")


def test_the_formula_of_one_rule_can_be_read_and_of_several_not(desk: Desk):
    rules(desk)
    (rule,) = tooling(desk, "SELECT Id FROM ValidationRule WHERE ValidationName = 'Pas_de_Delta'")

    (whole,) = tooling(desk, f"SELECT Metadata, FullName FROM ValidationRule WHERE Id = '{rule['Id']}'")
    alone = desk.get(f"tooling/sobjects/ValidationRule/{rule['Id']}")
    several = refused(desk, "tooling/query", "SELECT Metadata FROM ValidationRule")

    assert whole["FullName"] == "Lead.Pas_de_Delta"
    assert whole["Metadata"] == alone["Metadata"]
    assert whole["Metadata"]["errorConditionFormula"] == 'Company = "Delta"'
    assert several["errorCode"] == "MALFORMED_QUERY"
    assert "no more than one row" in several["message"]


def test_rules_are_not_in_the_data_door(desk: Desk):
    assert refused(desk, "query", "SELECT Id FROM ValidationRule")["errorCode"] == "INVALID_TYPE"
    assert desk.ask("GET", "sobjects/ValidationRule/describe").status == 404
    listed = {thing["name"] for thing in desk.get("sobjects")["sobjects"]}
    assert not {"ValidationRule", "EntityDefinition"} & listed
    assert desk.ask("GET", "tooling/sobjects/ValidationRule/describe").status == 200


def test_what_reality_lacks_is_lacking(desk: Desk):
    assert refused(desk, "tooling/query", "SELECT Id FROM LeadConvertSettings")["errorCode"] == "INVALID_TYPE"
    assert tooling(desk, "SELECT Id, Name FROM ApexTrigger WHERE TableEnumOrId = 'Lead' AND Status = 'Active'") == []
    flows = "SELECT ApiName FROM FlowDefinitionView WHERE IsActive = true AND TriggerObjectOrEvent.QualifiedApiName = 'Lead'"
    assert desk.query(flows)["records"] == []


def test_a_hidden_field_is_defined_though_describe_does_not_have_it(desk: Desk):
    act(desk.org, "remove_permission", {"from": "Lead.Phone"})
    asked = "FROM {} WHERE EntityDefinition.QualifiedApiName = 'Lead' AND QualifiedApiName = 'Phone'"

    (field,) = desk.query("SELECT DataType, Label " + asked.format("FieldDefinition"))["records"]
    (particle,) = tooling(desk, "SELECT IsNillable, FieldDefinition.Label " + asked.format("EntityParticle"))

    assert "Phone" not in {each["name"] for each in desk.get("sobjects/Lead/describe")["fields"]}
    assert field["DataType"] == "Phone"
    assert particle["IsNillable"] is True
    assert particle["FieldDefinition"]["Label"] == field["Label"]


def test_definitions_are_read_object_by_object(desk: Desk):
    error = refused(desk, "query", "SELECT QualifiedApiName FROM FieldDefinition")

    assert error["message"] == "A filter on a reified column is required [EntityDefinitionId,DurableId]"
    by_id = desk.query("SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = 'Campaign'")
    assert by_id["totalSize"] > 5
    (entity,) = tooling(
        desk,
        "SELECT InternalSharingModel, (SELECT QualifiedApiName FROM Fields) FROM EntityDefinition WHERE DurableId = 'Lead'",
    )
    assert "Email" in {field["QualifiedApiName"] for field in entity["Fields"]["records"]}


def test_a_renamed_field_is_defined_under_its_new_name(desk: Desk):
    asked = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = 'Lead' AND QualifiedApiName LIKE '%__c'"
    before = {each["QualifiedApiName"] for each in desk.query(asked)["records"]}

    act(desk.org, "rename_field", {"field": "Lead.Reference__c", "to": "Ancienne__c"})

    after = {each["QualifiedApiName"] for each in desk.query(asked)["records"]}
    assert (before - after, after - before) == ({"Reference__c"}, {"Ancienne__c"})


def test_the_rights_of_another_user_can_be_asked_for(desk: Desk):
    user = reader(desk)

    (entity,) = tooling(
        desk,
        "SELECT IsReadable, IsCreatable, IsEditable FROM UserEntityAccess"
        f" WHERE UserId = '{user}' AND EntityDefinition.QualifiedApiName IN ('Lead')",
    )
    fields = tooling(
        desk,
        "SELECT FieldDefinition.QualifiedApiName, IsAccessible, IsUpdatable FROM UserFieldAccess"
        f" WHERE UserId = '{user}' AND EntityDefinitionId = 'Lead'",
    )

    by_name = {
        each["FieldDefinition"]["QualifiedApiName"]: (each["IsAccessible"], each["IsUpdatable"]) for each in fields
    }
    assert (entity["IsReadable"], entity["IsCreatable"], entity["IsEditable"]) == (True, False, True)
    assert by_name["Phone"] == (False, False)
    assert by_name["Relance_Id__c"] == (True, False)
    assert by_name["Company"] == (True, True)


def test_reach_over_records_is_told_record_by_record(desk: Desk):
    user = reader(desk)
    lead = desk.query("SELECT Id FROM Lead LIMIT 1")["records"][0]["Id"]
    account = desk.query("SELECT Id FROM Account LIMIT 1")["records"][0]["Id"]

    found = desk.query(
        "SELECT RecordId, HasReadAccess, HasEditAccess, MaxAccessLevel FROM UserRecordAccess"
        f" WHERE UserId = '{user}' AND RecordId IN ('{lead}', '{account[:15]}')"
    )["records"]

    assert {each["RecordId"]: each["MaxAccessLevel"] for each in found} == {lead: "Edit", account: "None"}


def test_who_grants_what_can_be_followed_from_user_to_set_to_field(desk: Desk):
    user = reader(desk)

    (assigned,) = desk.query(
        "SELECT PermissionSetId, PermissionSet.IsOwnedByProfile, PermissionSet.Profile.Name FROM PermissionSetAssignment"
        f" WHERE AssigneeId = '{user}'"
    )["records"]
    parent = assigned["PermissionSetId"]
    (thing,) = desk.query(
        f"SELECT PermissionsRead, PermissionsCreate FROM ObjectPermissions WHERE ParentId = '{parent}' AND SobjectType = 'Lead'"
    )["records"]
    fields = desk.query(
        f"SELECT Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE ParentId = '{parent}' AND SobjectType = 'Lead'"
    )["records"]

    assert assigned["PermissionSet"]["Profile"]["Name"] == "Reader"
    assert (thing["PermissionsRead"], thing["PermissionsCreate"]) == (True, False)
    assert [(each["Field"], each["PermissionsRead"], each["PermissionsEdit"]) for each in fields] == [
        ("Lead.Relance_Id__c", True, False)
    ]


def test_a_set_made_through_the_api_grants_what_its_rows_say(desk: Desk):
    user = reader(desk)
    desk.org.sessions.keep_fixed("00D!reader", user, "", desk.org.clock())
    theirs = Desk(desk.org, "00D!reader")
    assert theirs.ask("POST", "sobjects/Lead", {"LastName": "É", "Company": "C"}).status == 400

    made = [
        ("PermissionSet", {"Name": "Relance_Sync", "Label": "Relance"}),
        (
            "ObjectPermissions",
            {"SobjectType": "Lead", "PermissionsRead": True, "PermissionsCreate": True, "PermissionsEdit": True},
        ),
        (
            "FieldPermissions",
            {"SobjectType": "Lead", "Field": "Lead.Phone", "PermissionsRead": True, "PermissionsEdit": True},
        ),
        ("PermissionSetAssignment", {"AssigneeId": user}),
    ]
    parent = ""
    for name, values in made:
        link = {"PermissionSetAssignment": "PermissionSetId", "PermissionSet": ""}.get(name, "ParentId")
        response = desk.ask("POST", f"sobjects/{name}", {**values, **({link: parent} if link else {})})
        assert response.status == 201, response.body
        parent = parent or json.loads(response.body)["id"]

    assert theirs.ask("POST", "sobjects/Lead", {"LastName": "É", "Company": "C", "Phone": "02"}).status == 201
    assert theirs.names("Phone = '02'") == ["É"]


def test_what_was_taken_from_the_integration_can_be_granted_again_by_rows(desk: Desk):
    act(desk.org, "remove_permission", {"from": "Lead.Phone"})
    me = desk.org.user_id
    (assigned,) = desk.query(f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{me}'")[
        "records"
    ]
    rows = "SELECT Field FROM FieldPermissions WHERE ParentId = '{}' AND SobjectType = 'Lead'".format(
        assigned["PermissionSetId"]
    )
    named = {each["Field"] for each in desk.query(rows)["records"]}
    assert desk.refusal("SELECT Phone FROM Lead")["errorCode"] == "INVALID_FIELD"
    assert "Lead.Phone" not in named
    assert "Lead.Email" in named

    values = {
        "ParentId": assigned["PermissionSetId"],
        "SobjectType": "Lead",
        "Field": "Lead.Phone",
        "PermissionsRead": True,
    }
    assert desk.ask("POST", "sobjects/FieldPermissions", values).status == 201

    assert desk.names("Phone = '01'") == ["Chloé"]
    assert desk.org.records.schema.objects["Lead"].fields["Phone"].updateable


@pytest.mark.parametrize("taken", ["Lead", "api", "Lead.Email"])
def test_the_audit_trail_says_who_took_what(desk: Desk, taken: str):
    act(desk.org, "remove_permission", {"from": taken})
    act(desk.org, "restore_permission", {"from": taken})

    found = desk.query("SELECT Action, Section, Display, CreatedBy.Name FROM SetupAuditTrail ORDER BY CreatedDate, Id")[
        "records"
    ]

    assert [taken in each["Display"] for each in found] == [True, True]
    assert found[0]["CreatedBy"]["Name"] == "Relance Intégration"


def test_a_record_type_offers_its_own_values_and_the_master_one_all(desk: Desk):
    lead = desk.org.schema.objects["Lead"]
    lead.record_types.append(
        RecordType("Salon", "Salon", picklists={"Interets__c": ("Vins",)}, default_values={"Interets__c": "Vins"})
    )
    lay_setup_rows(desk.org.records, desk.org.username)
    (kind,) = desk.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Salon'")["records"]

    def offered(record_type: str) -> dict[str, Any]:
        address = f"ui-api/object-info/Lead/picklist-values/{record_type}"
        lists: dict[str, Any] = desk.get(address)["picklistFieldValues"]["Interets__c"]
        return lists

    assert [value["value"] for value in offered(kind["Id"])["values"]] == ["Vins"]
    assert offered(kind["Id"])["defaultValue"]["value"] == "Vins"
    assert [value["value"] for value in offered("012000000000000AAA")["values"]] == ["Vins", "Fromages", "Pains"]
    assert desk.ask("GET", "ui-api/object-info/Lead/picklist-values/012000000000001AAA").status == 404
