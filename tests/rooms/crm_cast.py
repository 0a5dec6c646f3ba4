"""A connection with an approved mapping, described by hand, and pages of records: what the tests of the merge start from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from relance.crm.dialect import FieldDescription, FieldKind, ObjectDescription
from relance.crm.drafts import FieldDraft, ObjectDraft
from relance.crm.mapping import save_draft
from relance.crm.merge import Merged, merge_pages, settle_chunk
from relance.crm.models import Connection, DescribeSnapshot, Mapping
from relance.crm.plan import ObjectPlan, plans_of
from relance.crm.rules import Creates, RightSide
from relance.people.catalogue import Subject

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)

_KINDS = {
    "Phone": FieldKind.PHONE,
    "MobilePhone": FieldKind.PHONE,
    "Email": FieldKind.EMAIL,
    "Score__c": FieldKind.INTEGER,
    "NumberOfEmployees": FieldKind.INTEGER,
    "Street": FieldKind.LONG_TEXT,
    "IsConverted": FieldKind.BOOLEAN,
}
_NAMES = {
    "Lead": (
        "Email FirstName LastName Company Phone MobilePhone Title City Street LeadSource Status Score__c Relance_Id__c "
        "IsConverted ConvertedContactId OwnerId"
    ),
    "Contact": "Email FirstName LastName Phone MobilePhone Title LeadSource Score__c Relance_Id__c AccountId OwnerId",
    "Account": "Name Website Phone Industry NumberOfEmployees OwnerId",
}


def describe(object: str, **changed: Any) -> ObjectDescription:
    """An object as our user might see it."""
    fields = tuple(
        FieldDescription(
            name=name,
            label=name,
            kind=_KINDS.get(name, FieldKind.TEXT),
            length=255,
            required=name in ("LastName", "Company"),
            createable=True,
            updateable=not name.startswith(("IsC", "Conv")),
            external_id=name == "Relance_Id__c",
        )
        for name in _NAMES[object].split()
    )
    return ObjectDescription(
        object,
        object,
        fields,
        createable=True,
        updateable=True,
        stamp_field="SystemModstamp",
        deleted_field="IsDeleted",
        merged_into_field="MasterRecordId",
        **changed,
    )


def person_fields(*lines: FieldDraft) -> tuple[FieldDraft, ...]:
    return lines or (
        FieldDraft("email", "Email", RightSide.CRM),
        FieldDraft("first_name", "FirstName", RightSide.CRM),
        FieldDraft("last_name", "LastName", RightSide.CRM),
        FieldDraft("phone", "Phone", RightSide.CRM),
        FieldDraft("mobile_phone", "MobilePhone", RightSide.LATEST),
        FieldDraft("lead_source", "LeadSource", RightSide.RELANCE),
        FieldDraft("score", "Score__c", RightSide.RELANCE),
    )


def connect(**policy: Any) -> Connection:
    """A connection whose three objects were described."""
    connection = Connection.objects.create(
        name="Salesforce",
        login_method="client_credentials",
        login_url="https://acme.example",
        client_id="1",
        made_at=EARLIER,
        **policy,
    )
    for object in _NAMES:
        DescribeSnapshot.objects.create(
            connection=connection, object=object, taken_at=EARLIER, hash=object, description=describe(object).as_json()
        )
    return connection


def map_objects(
    connection: Connection, *lines: FieldDraft, creates: Creates = Creates.NONE, approved: bool = True
) -> Mapping:
    """Accounts, leads and contacts, the people with the same fields (those their object has)."""
    people = person_fields(*lines)
    drafts = [
        ObjectDraft(
            "Account",
            Subject.COMPANY,
            fields=(FieldDraft("name", "Name", RightSide.CRM), FieldDraft("phone", "Phone", RightSide.CRM)),
        ),
        ObjectDraft("Lead", Subject.PERSON, creates, "Relance_Id__c", people),
        ObjectDraft(
            "Contact",
            Subject.PERSON,
            Creates.NONE,
            "Relance_Id__c",
            tuple(line for line in people if line.crm_field in _NAMES["Contact"]),
        ),
    ]
    mapping = save_draft(connection, drafts, by=None, now=EARLIER)
    if approved:
        mapping.state, mapping.approved_at = "approved", EARLIER
        mapping.save()
    return mapping


def plans(connection: Connection) -> dict[str, ObjectPlan]:
    return plans_of(connection.mappings.get(state="approved"))


def page(*records: dict[str, Any]) -> bytes:
    return json.dumps(list(records)).encode()


def record(id: str, at: datetime = NOW, **fields: Any) -> dict[str, Any]:
    """A record as a page brings it. A short name becomes an id of eighteen characters."""
    return {
        "Id": crm_id(id),
        "SystemModstamp": at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "IsDeleted": False,
        "MasterRecordId": None,
        **fields,
    }


def crm_id(short: str) -> str:
    return short.ljust(18, "0")


def merge(plan: ObjectPlan, *records: dict[str, Any], now: datetime = NOW) -> Merged:
    with transaction.atomic():
        return merge_pages(plan, [page(*records)], run_id=None, now=now)


def settle(plan: ObjectPlan, now: datetime = NOW) -> Merged:
    with transaction.atomic():
        return settle_chunk(plan, after=0, run_id=None, now=now)[0]


def dirty(connection: Connection) -> dict[tuple[int, str], tuple[str | None, int | None]]:
    from relance.crm.models import DirtyField

    return {
        (row.subject_id, row.field_key): (row.base, row.code)
        for row in DirtyField.objects.filter(connection_id=connection.pk)
    }
