"""The Metadata door: what it writes of the org's make can be read again into the same org, and its map of conversion can be changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from relance.sandbox.actors import act
from relance.sandbox.exchange import Response
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, ConvertRequest
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgSchema
from relance.sandbox.seed import seed_org
from relance.sandbox.standard import standard_schema
from relance.sandbox.store import Store
from relance.sandbox.tree import TAKERS, read_tree
from relance.sandbox.tree_fields import add_field
from relance.sandbox.tree_parts import add_validation_rule

from .conftest import NOW, TOKEN, Desk

HEXALIS = Path(__file__).parents[3] / "src" / "relance" / "sandbox" / "data" / "hexalis"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture(scope="module")
def hexalis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("hexalis")
    schema = read_tree(HEXALIS)
    records = Records(Store(home / "org.sqlite3", schema), schema, lambda: NOW)
    seeded = seed_org(records, None)
    org = Org(home, records, user_id=seeded.user_id, org_id=seeded.org_id, clock=lambda: NOW)
    org.sessions.keep_fixed(TOKEN, seeded.user_id, "", NOW)
    yield Desk(org)
    org.close()


def call(desk: Desk, body: str, *, token: str = TOKEN) -> Response:
    envelope = (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://soap.sforce.com/2006/04/metadata"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<env:Header><m:SessionHeader><m:sessionId>{token}</m:sessionId></m:SessionHeader></env:Header>"
        f"<env:Body>{body}</env:Body></env:Envelope>"
    )
    return desk.ask("POST", "/services/Soap/m/66.0", envelope.encode(), bare=True)


def records(desk: Desk, kind: str, *names: str) -> list[Element]:
    asked = "".join(f"<m:fullNames>{name}</m:fullNames>" for name in names)
    response = call(desk, f"<m:readMetadata><m:type>{kind}</m:type>{asked}</m:readMetadata>")
    assert response.status == 200, response.body
    return fromstring(response.body).findall(f".//{{{NAMESPACE}}}records")


def bare(record: Element) -> Element:
    """As a file of a tree would be read: without namespace."""
    for each in record.iter():
        each.tag = each.tag.rpartition("}")[2]
    return record


def listed(desk: Desk, kind: str) -> list[str]:
    response = call(desk, f"<m:listMetadata><m:queries><m:type>{kind}</m:type></m:queries></m:listMetadata>")
    return [str(each.text) for each in fromstring(response.body).findall(f".//{{{NAMESPACE}}}fullName")]


@pytest.mark.parametrize(
    ("kind", "file_kind", "part"),
    [
        ("DuplicateRule", "duplicateRule", "duplicate_rules"),
        ("MatchingRules", "matchingRule", "matching_rules"),
        ("AssignmentRules", "assignmentRules", "assignment_rules"),
        ("LeadConvertSettings", "LeadConvertSetting", "convert_mappings"),
        ("PermissionSet", "permissionset", "permission_sets"),
        ("Queue", "queue", "queues"),
        ("GlobalValueSet", "globalValueSet", "global_value_sets"),
    ],
)
def test_what_is_written_is_read_again_as_the_same(hexalis: Desk, kind: str, file_kind: str, part: str):
    schema = OrgSchema()
    names = listed(hexalis, kind)

    for record in records(hexalis, kind, *names):
        name = record.findtext(f"{{{NAMESPACE}}}fullName")
        assert record.get(TYPE) == kind
        TAKERS[file_kind](schema, f"{name}.{file_kind}-meta.xml", bare(record))

    before = getattr(hexalis.org.schema, part)
    kept = [each for each in before if not each.is_profile] if part == "permission_sets" else before
    assert names
    assert getattr(schema, part) == kept


def test_fields_and_rules_are_read_again_as_the_same(hexalis: Desk):
    schema = standard_schema()
    lead = hexalis.org.schema.objects["Lead"]
    names = [field.name for field in lead.fields if field.custom]
    for start in range(0, len(names), 10):
        for record in records(hexalis, "CustomField", *(f"Lead.{name}" for name in names[start : start + 10])):
            name = str(record.findtext(f"{{{NAMESPACE}}}fullName")).partition(".")[2]
            record.remove(record[0])  # files have the name of the field alone
            add_field(schema, "Lead", bare(record), name)
    for record in records(hexalis, "ValidationRule", *(f"Lead.{rule.name}" for rule in lead.validation_rules)):
        name = str(record.findtext(f"{{{NAMESPACE}}}fullName")).partition(".")[2]
        add_validation_rule(schema, "Lead", bare(record), name)

    again = schema.objects["Lead"]

    def gist(field: object) -> tuple[object, ...]:
        wanted = (
            "type",
            "length",
            "required",
            "unique",
            "external_id",
            "restricted",
            "formula",
            "reference_to",
            "scale",
            "treat_blanks_as_zero",
        )
        return tuple(getattr(field, name) for name in wanted)

    assert {name: gist(again.fields[name]) for name in names} == {name: gist(lead.fields[name]) for name in names}
    assert [[v.value for v in again.fields[name].picklist] for name in names] == [
        [v.value for v in lead.fields[name].picklist] for name in names
    ]
    assert again.validation_rules == lead.validation_rules


def test_an_object_is_written_with_its_fields_and_its_name(hexalis: Desk):
    (licence,) = records(hexalis, "CustomObject", "Licence__c")

    text = {child.tag.rpartition("}")[2] for child in licence}
    assert {"fullName", "label", "nameField", "fields", "sharingModel"} <= text


def test_the_map_has_the_name_of_its_type_and_no_other(hexalis: Desk):
    (right,) = records(hexalis, "LeadConvertSettings", "LeadConvertSettings")
    (wrong,) = records(hexalis, "LeadConvertSettings", "Lead")

    assert right.findtext(f"{{{NAMESPACE}}}opportunityCreationOptions") == "VisibleOptional"
    assert list(wrong) == []


def test_no_more_than_ten_are_read_at_once(hexalis: Desk):
    names = "".join(f"<m:fullNames>Lead.F{number}__c</m:fullNames>" for number in range(11))
    response = call(hexalis, f"<m:readMetadata><m:type>CustomField</m:type>{names}</m:readMetadata>")

    assert response.status == 500
    assert b"sf:LIMIT_EXCEEDED" in response.body


def test_the_kinds_are_described(hexalis: Desk):
    response = call(hexalis, "<m:describeMetadata><m:asOfVersion>66.0</m:asOfVersion></m:describeMetadata>")

    told = set(re.findall(r"<xmlName>(\w+)</xmlName>", response.body.decode()))
    assert {"CustomObject", "LeadConvertSettings", "DuplicateRule", "Queue", "PermissionSet"} <= told
    assert "CustomField" not in told


def test_it_is_closed_to_dead_sessions_and_to_users_who_may_not_change_the_org(desk: Desk):
    asked = "<m:describeMetadata><m:asOfVersion>66.0</m:asOfVersion></m:describeMetadata>"
    dead = call(desk, asked, token="nobody's")
    for right in ("ModifyAllData", "ModifyMetadata"):
        act(desk.org, "remove_permission", {"from": right})
    small = call(desk, asked)

    assert (dead.status, small.status) == (500, 500)
    assert b"<faultcode>sf:INVALID_SESSION_ID</faultcode>" in dead.body
    assert b"<faultcode>sf:INSUFFICIENT_ACCESS</faultcode>" in small.body


def test_a_map_written_back_carries_values_at_the_next_conversion(desk: Desk):
    contact = desk.org.schema.objects["Contact"]
    contact.fields.add("Reference__c", desk.org.schema.objects["Lead"].fields["Reference__c"])
    with desk.org.store.writing() as connection:
        desk.org.store.extend(connection)
    written = (
        '<m:updateMetadata><m:metadata xsi:type="m:LeadConvertSettings"><m:fullName>LeadConvertSettings</m:fullName>'
        "<m:objectMapping><m:inputObject>Lead</m:inputObject><m:mappingFields><m:inputField>Reference__c</m:inputField>"
        "<m:outputField>Reference__c</m:outputField></m:mappingFields><m:outputObject>Contact</m:outputObject></m:objectMapping>"
        "</m:metadata></m:updateMetadata>"
    )

    answer = call(desk, written)
    admin = Caller(desk.org.user_id, all_rights=True)
    lead = str(desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"][0]["Id"])
    assert desk.ask("PATCH", f"sobjects/Lead/{lead}", {"Reference__c": "R-7"}).status == 204
    status = next(v.value for v in desk.org.schema.objects["Lead"].fields["Status"].picklist if "converted" in v.traits)
    made = desk.org.records.convert(admin, ConvertRequest(lead, status, do_not_create_opportunity=True))

    assert b"<success>true</success>" in answer.body
    assert desk.get(f"sobjects/Contact/{made.contact_id}", fields="Reference__c")["Reference__c"] == "R-7"
    bad = call(desk, written.replace("<m:outputField>Reference__c", "<m:outputField>Nope__c"))
    assert b"<success>false</success>" in bad.body
