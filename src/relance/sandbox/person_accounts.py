"""Person accounts: accounts that are one human, with a contact behind them which is only their shadow.

An org has them when its tree says so. Then accounts carry the fields of contacts (`PersonEmail`, `Score__pc`), and each save of such an
account writes its shadow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.outcomes import RecordError
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema
from relance.sandbox.store import quoted

if TYPE_CHECKING:
    from relance.sandbox.records import Records

OWN_NAMES = ("FirstName", "LastName", "Salutation")  # under the same name on the account
SHARED = ("Phone", "Fax", "Description", "OwnerId")
CARRIED = (
    "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone", "AssistantName", "Email", "Title", "Department", "Birthdate",
    "LeadSource", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall", "IndividualId", "EmailBouncedReason",
    "EmailBouncedDate",
    *(f"{place}{part}" for place in ("Mailing", "Other") for part in
      ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy", "Address")),
)  # fmt: skip
SHADOW = RecordError(
    "INVALID_PERSON_ACCOUNT_OPERATION", "The contact of a person account cannot be changed: change the account instead."
)
DETAIL = "INVALID_FIELD_FOR_INSERT_UPDATE"


def enable_person_accounts(schema: OrgSchema) -> None:
    """Gives accounts and contacts what such an org has; done once all fields of the tree are read."""
    schema.person_accounts = True
    account, contact, lead = (schema.objects[name] for name in ("Account", "Contact", "Lead"))
    for name, label in (("IsPersonAccount", "Is Person Account"),):
        for thing in (account, contact):
            thing.fields.add(name, _told(OrgField(name, label, "boolean")))
    shadow = _told(OrgField("PersonContactId", "Contact ID", "reference", 18, relationship="PersonContact"))
    shadow.reference_to = ("Contact",)
    account.fields.add(shadow.name, shadow)
    for own, field in _pairs(contact):
        if own not in account.fields:
            compound = f"Person{field.compound}" if field.compound and own not in OWN_NAMES else ""
            child = f"{field.child_relationship}Person" if field.child_relationship else ""
            account.fields.add(
                own, replace(field, name=own, required=False, compound=compound, child_relationship=child)
            )
    lead.fields["Company"].required = False  # a lead without a company becomes a person account


def settle_person(_records: Records, draft: Draft) -> None:
    """Is it one human? Then the account is named as they are."""
    if "IsPersonAccount" not in draft.thing.fields or draft.thing.name != "Account":
        return
    if draft.is_new:
        draft.values["IsPersonAccount"] = int(bool(draft.values.get("LastName")))
    if draft.values.get("IsPersonAccount"):
        parts = (draft.values.get("FirstName"), draft.values.get("LastName"))
        draft.values["Name"] = " ".join(str(part) for part in parts if part) or None


def person_errors(_records: Records, draft: Draft) -> list[RecordError]:
    """Fields of a human belong to accounts that are one; the shadow is not touched by itself."""
    thing, values = draft.thing, draft.values
    if "IsPersonAccount" not in thing.fields:
        return []
    if thing.name == "Contact":
        return [SHADOW] if values.get("IsPersonAccount") and not draft.is_new else []
    if values.get("IsPersonAccount"):
        missing = not values.get("LastName")
        return (
            [RecordError("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",))]
            if missing
            else []
        )
    stray = [name for name in sorted(draft.given) if _is_of_persons(name) and values.get(name) not in (None, 0)]
    if stray:
        text = f"Unable to create/update fields: {', '.join(stray)}. The account is not a person account."
        return [RecordError("INVALID_PERSON_ACCOUNT_OPERATION", text, tuple(stray))]
    return []


def mirror_person(records: Records, draft: Draft) -> None:
    """Writes the shadow of a person account just saved, and tells the account which one it is."""
    if draft.thing.name != "Account" or not draft.values.get("IsPersonAccount"):
        return
    contact = records.schema.objects["Contact"]
    shadow: dict[str, str | int | float | None] = {
        field.name: draft.values.get(own)
        for own, field in _pairs(contact)
        if field.stored and own in draft.thing.fields
    }
    shadow |= {name: draft.values.get(name) for name in SHARED}
    shadow |= {"AccountId": draft.values["Id"], "IsPersonAccount": 1}
    stamps = records.touched(contact, draft.caller.user_id)
    known = draft.values.get("PersonContactId")
    if known:
        records.write_columns(contact, str(known), {**shadow, **stamps})
        return
    shadow_id = records.store.next_id(contact)
    created = {"CreatedDate": records.now, "CreatedById": draft.caller.user_id, "IsDeleted": 0}
    whole = {"Id": shadow_id, **shadow, **stamps, **created}
    names, marks = ", ".join(map(quoted, whole)), ", ".join("?" * len(whole))
    booleans = {field.name for field in contact.fields if field.type == "boolean"}
    values = [0 if value is None and name in booleans else value for name, value in whole.items()]
    records.store.connection().execute(f'INSERT INTO "Contact" ({names}) VALUES ({marks})', values)
    draft.values["PersonContactId"] = shadow_id
    records.write_columns(draft.thing, str(draft.values["Id"]), {"PersonContactId": shadow_id})


def account_name_of(contact_field: str) -> str:
    """`Email` is PersonEmail on the account, `Score__c` is Score__pc."""
    if contact_field in OWN_NAMES:
        return contact_field
    return f"{contact_field[:-1]}pc" if contact_field.endswith("__c") else f"Person{contact_field}"


def _pairs(contact: OrgObject) -> Iterator[tuple[str, OrgField]]:
    for field in contact.fields:
        if field.custom or field.name in OWN_NAMES or field.name in CARRIED:
            yield account_name_of(field.name), field


def _is_of_persons(name: str) -> bool:
    return name.startswith("Person") or name.endswith("__pc") or name in OWN_NAMES


def _told(field: OrgField) -> OrgField:
    field.createable = field.updateable = False
    field.defaulted_on_create = True
    return field
