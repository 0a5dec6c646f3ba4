"""What the org demands of a record before it is kept, in the platform's order; the first stage with errors ends the save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.duplicates import duplicate_errors
from relance.sandbox.formula import FormulaFailed
from relance.sandbox.ids import short_id
from relance.sandbox.outcomes import RecordError
from relance.sandbox.person_accounts import person_errors
from relance.sandbox.references import reference_errors
from relance.sandbox.schema import OrgField, RecordType
from relance.sandbox.scope import scope_of
from relance.sandbox.store import quoted
from relance.sandbox.values import not_in_list

if TYPE_CHECKING:
    from relance.sandbox.records import Records


def first_errors(records: Records, draft: Draft) -> list[RecordError]:
    """Required fields, references, record type, object rules, validation rules, duplicate rules, unique fields."""
    for stage in STAGES:
        errors = stage(records, draft)
        if errors:
            return errors
    return []


def missing_fields(records: Records, draft: Draft) -> list[RecordError]:
    missing = [field.name for field in records.plan(draft.thing).required if draft.values.get(field.name) is None]
    if not missing:
        return []
    return [
        RecordError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", tuple(missing))
    ]


def record_type_errors(records: Records, draft: Draft) -> list[RecordError]:
    """A record type offers some of the values of a list: a restricted list takes no other."""
    chosen = _record_type(records, draft)
    if chosen is None:
        return []
    errors: list[RecordError] = []
    for name, offered in chosen.picklists.items():
        field = draft.thing.fields.get(name)
        if (
            field is None
            or not field.restricted
            or not _is_new_value(draft, field, bool("RecordTypeId" in draft.given))
        ):
            continue
        for value in str(draft.values.get(field.name) or "").split(";"):
            if value and value not in offered:
                errors.append(not_in_list(field, value).error)
    return errors


def object_rule_errors(records: Records, draft: Draft) -> list[RecordError]:
    """Rules the platform has for one object, whatever the org's metadata."""
    if draft.thing.name == "CampaignMember":
        return _member_errors(records, draft)
    if draft.thing.name in ("Account", "Contact"):
        return person_errors(records, draft)
    return []


def validation_errors(records: Records, draft: Draft) -> list[RecordError]:
    """Every rule that fires, not the first only."""
    rules = records.plan(draft.thing).rules
    if not rules:
        return []
    scope = scope_of(records, draft)
    errors: list[RecordError] = []
    for rule, formula in rules:
        try:
            fires = formula.holds(scope)
            message = rule.message
        except FormulaFailed as failure:
            fires, message = True, f'Validation Formula "{rule.name}" Invalid ({failure})'
        if fires:
            errors.append(
                RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, (rule.field,) if rule.field else ())
            )
    return errors


def uniqueness_errors(records: Records, draft: Draft) -> list[RecordError]:
    for field in records.plan(draft.thing).unique:
        value = draft.values.get(field.name)
        if value is None or not draft.has_changed(field.name):
            continue
        row = (
            records.store.connection()
            .execute(
                f'SELECT "Id" FROM {quoted(draft.thing.name)} WHERE {quoted(field.name)} = ?'
                ' AND "IsDeleted" = 0 AND "Id" <> ? LIMIT 1',
                (value, draft.values.get("Id") or ""),
            )
            .fetchone()
        )
        if row is not None:
            text = f"duplicate value found: {field.name} duplicates value on record with id: {short_id(str(row[0]))}"
            return [RecordError("DUPLICATE_VALUE", text)]
    return []


STAGES = (
    missing_fields,
    reference_errors,
    record_type_errors,
    object_rule_errors,
    validation_errors,
    duplicate_errors,
    uniqueness_errors,
)


def _record_type(records: Records, draft: Draft) -> RecordType | None:
    record_type_id = draft.values.get("RecordTypeId")
    if not record_type_id or not draft.thing.record_types:
        return None
    row = (
        records.store.connection()
        .execute('SELECT "DeveloperName" FROM "RecordType" WHERE "Id" = ?', (record_type_id,))
        .fetchone()
    )
    name = None if row is None else str(row[0])
    return next((each for each in draft.thing.record_types if each.developer_name == name), None)


def _is_new_value(draft: Draft, field: OrgField, type_given: bool) -> bool:
    return draft.has_changed(field.name) or (type_given and draft.has_changed("RecordTypeId"))


def _member_errors(records: Records, draft: Draft) -> list[RecordError]:
    values, connection = draft.values, records.store.connection()
    if not values.get("LeadId") and not values.get("ContactId"):
        text = "Required fields are missing: [LeadId or ContactId]"
        return [RecordError("REQUIRED_FIELD_MISSING", text, ("LeadId", "ContactId"))]
    statuses = connection.execute(
        'SELECT "Label" FROM "CampaignMemberStatus" WHERE "CampaignId" = ? AND "IsDeleted" = 0',
        (values.get("CampaignId"),),
    ).fetchall()
    known = {str(row[0]).lower() for row in statuses}
    if known and str(values.get("Status") or "").lower() not in known:
        return [RecordError("INVALID_STATUS", f"invalid status: {values.get('Status')}", ("Status",))]
    twin = connection.execute(
        'SELECT 1 FROM "CampaignMember" WHERE "CampaignId" = ? AND "LeadOrContactId" = ? AND "IsDeleted" = 0 AND "Id" <> ?',
        (values.get("CampaignId"), values.get("LeadOrContactId"), values.get("Id") or ""),
    ).fetchone()
    return [] if twin is None else [RecordError("DUPLICATE_VALUE", "Already a campaign member.")]
