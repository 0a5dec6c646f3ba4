"""Salesforce's describe in our words, and our questions in its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from relance.crm.dialect import Cursor, FieldKind, ObjectDescription
from relance.crm.egress import is_allowed
from relance.crm.salesforce.describe import field_description, object_description
from relance.crm.salesforce.soql import after, in_parts, moment, quoted, read_moment, select
from relance.crm.salesforce.wire import usage_in

LEAD = {
    "name": "Lead",
    "label": "Piste",
    "keyPrefix": "00Q",
    "createable": True,
    "updateable": True,
    "mergeable": True,
    "fields": [
        {"name": "Id", "label": "Id", "type": "id", "nillable": False, "defaultedOnCreate": True},
        {"name": "LastName", "label": "Nom", "type": "string", "length": 80, "nillable": False, "createable": True},
        {"name": "SystemModstamp", "label": "Stamp", "type": "datetime", "nillable": False},
        {"name": "IsDeleted", "label": "Deleted", "type": "boolean", "nillable": False},
        {
            "name": "MasterRecordId",
            "label": "Master",
            "type": "reference",
            "referenceTo": ["Lead"],
            "relationshipName": "MasterRecord",
        },
        {
            "name": "Status",
            "label": "Statut",
            "type": "picklist",
            "nillable": False,
            "createable": True,
            "defaultedOnCreate": True,
            "restrictedPicklist": True,
            "picklistValues": [
                {"value": "Nouveau", "label": "Nouveau", "active": True, "defaultValue": True, "validFor": None}
            ],
        },
    ],
    "recordTypeInfos": [
        {
            "recordTypeId": "012000000000000AAA",
            "name": "Master",
            "developerName": "Master",
            "master": True,
            "available": True,
        },
        {
            "recordTypeId": "012000000000001AAA",
            "name": "Salon",
            "developerName": "Salon",
            "available": True,
            "active": True,
        },
    ],
}


def test_an_object_says_where_its_rows_keep_what_a_sync_needs():
    lead = object_description(LEAD)

    assert (lead.id_field, lead.stamp_field, lead.deleted_field, lead.merged_into_field) == (
        "Id",
        "SystemModstamp",
        "IsDeleted",
        "MasterRecordId",
    )
    assert lead.record_type_field == ""
    assert [each.name for each in lead.record_types] == ["Salon"]


def test_a_field_is_required_only_when_no_row_can_be_made_without_our_value():
    lead = object_description(LEAD)

    assert [each.name for each in lead.fields if each.required] == ["LastName"]


def test_a_field_is_found_whatever_its_case():
    assert object_description(LEAD).field("lastname").length == 80
    assert object_description(LEAD).field("Nope") is None


def test_a_description_survives_its_snapshot():
    lead = object_description(LEAD)

    assert ObjectDescription.from_json(lead.as_json()) == lead


@pytest.mark.parametrize(
    ("vendor_type", "kind"),
    [
        ("string", FieldKind.TEXT),
        ("textarea", FieldKind.LONG_TEXT),
        ("currency", FieldKind.NUMBER),
        ("int", FieldKind.INTEGER),
        ("combobox", FieldKind.PICKLIST),
        ("address", FieldKind.OTHER),
        ("encryptedstring", FieldKind.OTHER),
        ("a type of tomorrow", FieldKind.OTHER),
    ],
)
def test_each_type_has_a_kind_and_an_unknown_one_is_left_alone(vendor_type, kind):
    assert field_description({"name": "F", "type": vendor_type}).kind is kind


def test_an_object_without_a_system_stamp_is_followed_by_the_next_best():
    told = {
        **LEAD,
        "fields": [{"name": "CreatedDate", "type": "datetime"}, {"name": "LastModifiedDate", "type": "datetime"}],
    }

    assert object_description(told).stamp_field == "LastModifiedDate"


def test_quotes_and_backslashes_cannot_end_a_literal():
    assert quoted("O'Neil \\ x\n") == "'O\\'Neil \\\\ x\\n'"


def test_moments_are_written_in_utc_with_no_plus_sign():
    paris = timezone(timedelta(hours=1))

    assert moment(datetime(2026, 11, 22, 11, 25, 26, 7000, tzinfo=paris)) == "2026-11-22T10:25:26.007Z"


def test_moments_of_rest_are_read_with_their_offset():
    assert read_moment("2026-11-22T10:25:26.000+0000") == datetime(2026, 11, 22, 10, 25, 26, tzinfo=UTC)


def test_a_cursor_goes_on_inside_one_stamp():
    at = datetime(2026, 11, 22, 10, 25, 26, tzinfo=UTC)

    assert after(Cursor(at), "SystemModstamp") == "SystemModstamp >= 2026-11-22T10:25:26.000Z"
    assert after(Cursor(at, "00Q1"), "SystemModstamp") == (
        "(SystemModstamp > 2026-11-22T10:25:26.000Z OR (SystemModstamp = 2026-11-22T10:25:26.000Z AND Id > '00Q1'))"
    )


@pytest.mark.parametrize("name", ["Email FROM User--", "Name'", "", "1st", "A..B", "Lead;"])
def test_what_cannot_be_a_name_never_reaches_a_query(name):
    with pytest.raises(ValueError, match="API name"):
        select(("Id", name), "Lead")
    with pytest.raises(ValueError, match="API name"):
        select(("Id",), name)


def test_a_query_reads_through_references():
    assert select(("Id", "Owner.Email"), "Lead", order=("Id",)) == "SELECT Id, Owner.Email FROM Lead ORDER BY Id"


def test_long_lists_are_cut_by_what_they_weigh_in_an_address():
    parts = list(in_parts(["é" * 10] * 7, longest=200))

    assert [len(part) for part in parts] == [2, 2, 2, 1]
    assert list(in_parts([], longest=10)) == []


@pytest.mark.parametrize(
    ("told", "used", "limit"),
    [
        ("api-usage=18/15000", 18, 15000),
        ("per-app-api-usage=17/250(appName=relance); api-usage=25/15000", 25, 15000),
        ("api-usage=18/15000, per-app-api-usage=17/250(appName=relance)", 18, 15000),
    ],
)
def test_the_days_budget_is_read_from_its_header(told, used, limit):
    usage = usage_in(told)

    assert (usage.used, usage.limit) == (used, limit)


def test_no_budget_is_read_from_other_words():
    assert usage_in("") is None
    assert usage_in("api-usage=lots") is None


@pytest.mark.parametrize(
    ("address", "public", "with_private"),
    [
        ("8.8.8.8", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("0.0.0.0", False, False),
        ("fe80::1", False, False),
        ("100.64.0.1", False, True),
    ],
)
def test_a_connection_goes_to_public_addresses_unless_allowed_and_never_to_link_local_ones(
    address, public, with_private
):
    assert is_allowed(address, allow_private=False) is public
    assert is_allowed(address, allow_private=True) is with_private
