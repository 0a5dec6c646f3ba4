"""Lead conversion: a lead becomes an account, a contact and perhaps an opportunity, by fixed maps and the org's own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.outcomes import Caller, ConvertRequest, ConvertResult, RecordError, SaveResult, WriteOptions
from relance.sandbox.person_accounts import account_name_of
from relance.sandbox.schema import OrgField, OrgObject, PicklistValue
from relance.sandbox.store import quoted
from relance.sandbox.values import StoreValue, number_text

if TYPE_CHECKING:
    from relance.sandbox.records import Records

Row = dict[str, StoreValue]

ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
# The platform's own maps. They are fixed, and absent from the metadata, which holds the custom ones only.
STANDARD_MAPS: dict[str, tuple[tuple[str, str], ...]] = {
    "Account": (
        ("Company", "Name"),
        ("Phone", "Phone"),
        ("Fax", "Fax"),
        ("Website", "Website"),
        ("Industry", "Industry"),
        ("AnnualRevenue", "AnnualRevenue"),
        ("NumberOfEmployees", "NumberOfEmployees"),
        ("Rating", "Rating"),
        ("LeadSource", "AccountSource"),
        *((part, f"Billing{part}") for part in ADDRESS),
    ),
    "Contact": (
        ("Salutation", "Salutation"),
        ("FirstName", "FirstName"),
        ("LastName", "LastName"),
        ("Title", "Title"),
        ("Email", "Email"),
        ("Phone", "Phone"),
        ("MobilePhone", "MobilePhone"),
        ("Fax", "Fax"),
        ("LeadSource", "LeadSource"),
        ("Description", "Description"),
        ("HasOptedOutOfEmail", "HasOptedOutOfEmail"),
        ("HasOptedOutOfFax", "HasOptedOutOfFax"),
        ("DoNotCall", "DoNotCall"),
        ("IndividualId", "IndividualId"),
        *((part, f"Mailing{part}") for part in ADDRESS),
    ),
    "Opportunity": (("LeadSource", "LeadSource"), ("Company", "Name")),
}
QUEUE_OWNED = (
    "Converted objects can only be owned by users.  If the lead is not owned by a user, you must specify a user for the"
    " Owner field."
)


class _Stopped(Exception):
    """Something on the way refused; the conversion is undone as a whole."""

    def __init__(self, *errors: RecordError) -> None:
        super().__init__(*errors)
        self.errors = errors


def convert_lead(records: Records, caller: Caller, request: ConvertRequest) -> ConvertResult:
    """Converts one lead, or changes nothing and says why."""
    try:
        with records.store.attempt():
            return _Conversion(records, caller, request).run()
    except _Stopped as stopped:
        return ConvertResult(False, lead_id=request.lead_id, errors=stopped.errors)


class _Conversion:
    def __init__(self, records: Records, caller: Caller, request: ConvertRequest) -> None:
        self.records = records
        self.caller = caller
        self.request = request
        self.lead_object = records.schema.objects["Lead"]
        self.lead = self._lead()
        self.owner = self._owner()

    def run(self) -> ConvertResult:
        """1 account, 2 contact, 3 opportunity, 4 the lead itself, 5 what hung on it."""
        if self.records.schema.person_accounts and not self.lead.get("Company") and not self.request.account_id:
            return self._run_person()
        contact_given = self._given("Contact", self.request.contact_id)
        account_id = self.request.account_id or (str(contact_given["AccountId"]) if contact_given else None)
        account = self._settle("Account", self._given("Account", account_id), {})
        contact = self._settle("Contact", contact_given, {"AccountId": account})
        opportunity = None if self.request.do_not_create_opportunity else self._opportunity(account, contact)
        self._close(account, contact, opportunity)
        self._hand_over(contact, opportunity)
        return ConvertResult(True, str(self.lead["Id"]), account, contact, opportunity)

    def _run_person(self) -> ConvertResult:
        """A lead without a company becomes a person account: the contact is its shadow."""
        thing, contact = self.records.schema.objects["Account"], self.records.schema.objects["Contact"]
        values = {name: value for name, value in self._mapped(thing).items() if name != "Name"}
        persons = {account_name_of(name): value for name, value in self._mapped(contact).items()}
        values |= {name: value for name, value in persons.items() if name in thing.fields}
        made = self.records.insert(self.caller, "Account", {**values, "OwnerId": self.owner}, self._options())
        account = self._saved(made)
        shadow = str((self.records.row(thing, account) or {})["PersonContactId"])
        opportunity = None if self.request.do_not_create_opportunity else self._opportunity(account, shadow)
        self._close(account, shadow, opportunity)
        self._hand_over(shadow, opportunity)
        return ConvertResult(True, str(self.lead["Id"]), account, shadow, opportunity)

    def _lead(self) -> Row:
        try:
            whole_id(self.request.lead_id)
        except MalformedId:
            text = f"Lead ID: id value of incorrect type: {self.request.lead_id}"
            raise _Stopped(RecordError("MALFORMED_ID", text, ("leadId",))) from None
        lead = self.records.row(self.lead_object, self.request.lead_id)
        if lead is None:
            raise _Stopped(RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
        if lead.get("IsDeleted"):
            raise _Stopped(RecordError("ENTITY_IS_DELETED", "entity is deleted"))
        if lead.get("IsConverted"):
            raise _Stopped(RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"))
        wanted = self.request.converted_status
        if not any(v.value.lower() == wanted.lower() for v in self._converted_statuses()):
            raise _Stopped(RecordError("INVALID_STATUS", f"invalid convertedStatus: {wanted}"))
        if not (self.caller.has("ConvertLeads") and self.caller.may("Lead", "edit")):
            text = "insufficient access rights on object id"
            raise _Stopped(RecordError("INSUFFICIENT_ACCESS_OR_READONLY", text))
        return lead

    def _converted_statuses(self) -> list[PicklistValue]:
        return [v for v in self.lead_object.fields["Status"].picklist if "converted" in v.traits]

    def _owner(self) -> str:
        owner = self.request.owner_id or str(self.lead["OwnerId"])
        user = self.records.row(self.records.schema.objects["User"], owner)
        if user is None:
            raise _Stopped(RecordError("UNKNOWN_EXCEPTION", QUEUE_OWNED))
        return str(user["Id"])

    def _given(self, object_name: str, record_id: str | None) -> Row | None:
        if record_id is None:
            return None
        thing = self.records.schema.objects[object_name]
        row = self.records.row(thing, record_id)
        if row is None or not str(row["Id"]).startswith(thing.key_prefix):
            raise _Stopped(RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
        if row.get("IsDeleted"):
            raise _Stopped(RecordError("ENTITY_IS_DELETED", "entity is deleted"))
        return row

    def _settle(self, object_name: str, existing: Row | None, links: Row) -> str:
        """Makes the record, or fills what is empty in the one that was given. Returns its id."""
        thing = self.records.schema.objects[object_name]
        values = self._mapped(thing)
        if existing is None:
            made = self.records.insert(
                self.caller, thing.name, {**values, **links, "OwnerId": self.owner}, self._options()
            )
            return self._saved(made)
        filled = {
            name: value
            for name, value in values.items()
            if existing.get(name) is None or (name == "LeadSource" and self.request.overwrite_lead_source)
        }
        if not filled:
            return str(existing["Id"])
        return self._saved(self.records.update(self.caller, thing.name, str(existing["Id"]), filled, self._options()))

    def _mapped(self, thing: OrgObject) -> dict[str, object]:
        pairs = list(STANDARD_MAPS.get(thing.name, ()))
        for mapping in self.records.schema.convert_mappings or ():
            if mapping.output_object.lower() == thing.name.lower():
                pairs += mapping.fields
        values: dict[str, object] = {}
        for own, output in pairs:
            field, source = thing.fields.get(output), self.lead_object.fields.get(own)
            value = None if source is None else self.lead.get(source.name)
            if field is not None and field.createable and value is not None and (value or field.type != "boolean"):
                values[field.name] = _carried(field, value)
        return values

    def _opportunity(self, account: str, contact: str) -> str:
        existing = self._given("Opportunity", self.request.opportunity_id)
        if existing is not None:
            return str(existing["Id"])
        thing = self.records.schema.objects["Opportunity"]
        stages = [v.value for v in thing.fields["StageName"].picklist if v.active and "closed" not in v.traits]
        values = {
            **self._mapped(thing),
            "Name": (self.request.opportunity_name or f"{self.lead.get('Company')}-")[: thing.fields["Name"].length],
            "AccountId": account,
            "OwnerId": self.owner,
            "StageName": stages[0] if stages else "Prospecting",
            "CloseDate": _end_of_quarter(date.fromisoformat(self.records.now[:10])).isoformat(),
        }
        made = self._saved(self.records.insert(self.caller, thing.name, values, self._options()))
        role = {"OpportunityId": made, "ContactId": contact, "IsPrimary": True}
        self._saved(self.records.insert(self.caller, "OpportunityContactRole", role, WriteOptions(planted=True)))
        return made

    def _close(self, account: str, contact: str, opportunity: str | None) -> None:
        status = next(
            v.value for v in self._converted_statuses() if v.value.lower() == self.request.converted_status.lower()
        )
        columns: Row = {
            "Status": status,
            "IsConverted": 1,
            "ConvertedDate": self.records.now[:10],
            "ConvertedAccountId": account,
            "ConvertedContactId": contact,
            "ConvertedOpportunityId": opportunity,
            "IsUnreadByOwner": 0,
            **self.records.touched(self.lead_object, self.caller.user_id),
        }
        self.records.write_columns(self.lead_object, str(self.lead["Id"]), columns)

    def _hand_over(self, contact: str, opportunity: str | None) -> None:
        """Campaign memberships and activities go on with the contact."""
        lead_id, now = str(self.lead["Id"]), self.records.now
        connection = self.records.store.connection()
        connection.execute(
            'UPDATE "CampaignMember" SET "ContactId" = ?, "LeadOrContactId" = ?, "SystemModstamp" = ? WHERE "LeadId" = ?',
            (contact, contact, now, lead_id),
        )
        for name in ("Task", "Event"):
            connection.execute(
                f'UPDATE {quoted(name)} SET "WhoId" = ?, "WhatId" = coalesce("WhatId", ?), "SystemModstamp" = ?'
                ' WHERE "WhoId" = ?',
                (contact, opportunity, now, lead_id),
            )

    def _options(self) -> WriteOptions:
        # The person converting has seen the matches; the stock call does not stop at duplicate rules that only warn.
        return WriteOptions(auto_assign=False, allow_save=True)

    def _saved(self, result: SaveResult) -> str:
        if not result.success or result.id is None:
            raise _Stopped(*result.errors)
        return result.id


def _carried(field: OrgField, value: StoreValue) -> object:
    """A value of the lead as the mapped field takes it: numbers may be mapped to text."""
    if field.type == "boolean":
        return bool(value)
    is_number = field.type in ("int", "double", "currency", "percent")
    return number_text(value) if isinstance(value, int | float) and not is_number else value


def _end_of_quarter(day: date) -> date:
    month = (day.month - 1) // 3 * 3 + 3
    following = date(day.year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
