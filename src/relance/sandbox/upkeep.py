"""What the org fills in by itself: defaults, numbers, stamps, fields that follow others, and the roll-ups of masters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.filters import summary_condition
from relance.sandbox.formula import Formula
from relance.sandbox.person_accounts import settle_person
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.scope import scope_of
from relance.sandbox.store import quoted
from relance.sandbox.values import Refused, StoreValue, store_value

if TYPE_CHECKING:
    from relance.sandbox.records import Records

PLACE = re.compile(r"\{(0+|YYYY|YY|MM|DD)\}")


def fill_new(records: Records, draft: Draft) -> None:
    """Defaults, automatic numbers, owner and stamps of a new record, where the client said nothing."""
    plan = records.plan(draft.thing)
    values = draft.values
    for field, default in plan.defaults:
        if values.get(field.name) is None and (field.name not in draft.given or field.required):
            values[field.name] = _evaluated(records, draft, field, default)
    for field in plan.auto_numbers:
        if values.get(field.name) is None:
            values[field.name] = _numbered(records, draft.thing, field)
    if draft.thing.owned and not values.get("OwnerId"):
        values["OwnerId"] = draft.caller.user_id
    now, user_id = records.now, draft.caller.user_id
    stamps: dict[str, StoreValue] = {"CreatedDate": now, "CreatedById": user_id, "LastModifiedById": user_id}
    if draft.options.planted:
        stamps["LastModifiedDate"] = values.get("CreatedDate") or now
        stamps["SystemModstamp"] = values.get("LastModifiedDate") or stamps["LastModifiedDate"]
    else:
        stamps |= {"LastModifiedDate": now, "SystemModstamp": now}
    for name, value in stamps.items():
        if name in draft.thing.fields and values.get(name) is None:
            values[name] = value


def settle_derived(records: Records, draft: Draft) -> None:
    """Fields that follow others: a task is closed because its status says so."""
    follow = FOLLOWERS.get(draft.thing.name)
    if follow is not None:
        follow(records, draft)


def settle_summaries(records: Records, draft: Draft) -> None:
    """Recounts the roll-ups of the masters this record belongs or belonged to. A roll-up that moves stamps its master."""
    before = draft.before or {}
    for master, field in records.plan(draft.thing).summarised_by:
        if field.summary is None:
            continue
        link = field.summary.link
        for master_id in {before.get(link), draft.values.get(link)} - {None}:
            _recount(records, master, field, str(master_id), stamped=not draft.options.planted)


def recount_masters(records: Records, thing: OrgObject, row: dict[str, StoreValue]) -> None:
    """The same after a deletion or its undoing."""
    for master, field in records.plan(thing).summarised_by:
        if field.summary is not None and row.get(field.summary.link):
            _recount(records, master, field, str(row[field.summary.link]))


def _recount(records: Records, master: OrgObject, field: OrgField, master_id: str, *, stamped: bool = True) -> None:
    summary = field.summary
    child = None if summary is None else records.schema.objects.get(summary.child)
    if child is None or summary is None:
        return
    counted = "count(*)" if summary.operation == "count" else f"{summary.operation}({quoted(summary.field)})"
    condition, arguments = summary_condition(child, summary.filters)
    total = (
        records.store.connection()
        .execute(
            f"SELECT {counted} FROM {quoted(child.name)}"
            f' WHERE {quoted(summary.link)} = ? AND "IsDeleted" = 0 AND {condition}',
            (master_id, *arguments),
        )
        .fetchone()[0]
    )
    if total is None and summary.operation == "sum":
        total = 0
    row = records.row(master, master_id)
    if row is not None and row.get(field.name) != total:
        stamps: dict[str, StoreValue] = {"SystemModstamp": records.now} if stamped else {}
        records.write_columns(master, master_id, {field.name: total, **stamps})


def _evaluated(records: Records, draft: Draft, field: OrgField, default: object) -> StoreValue:
    if isinstance(default, Formula):
        default = default.value(scope_of(records, draft))
        default = None if default is None else str(default) if field.type not in ("boolean",) else bool(default)
    try:
        return store_value(field, default, as_text=True)
    except Refused:
        return None


def _numbered(records: Records, thing: OrgObject, field: OrgField) -> str:
    number = records.store.next_number(f"number {thing.name}.{field.name}")
    year, month, day = records.now[:4], records.now[5:7], records.now[8:10]
    dated = {"YYYY": year, "YY": year[2:], "MM": month, "DD": day}

    def filled(place: re.Match[str]) -> str:
        return dated.get(place[1]) or str(number).zfill(len(place[1]))

    return PLACE.sub(filled, field.display_format or "{0}")


def _has_trait(draft: Draft, field_name: str, trait: str) -> int:
    field = draft.thing.fields.get(field_name)
    chosen = draft.values.get(field_name)
    return int(field is not None and any(v.value == chosen and trait in v.traits for v in field.picklist))


def _follow_status(_records: Records, draft: Draft) -> None:
    draft.values["IsClosed"] = _has_trait(draft, "Status", "closed")
    if "IsHighPriority" in draft.thing.fields:
        draft.values["IsHighPriority"] = _has_trait(draft, "Priority", "highPriority")


def _follow_stage(_records: Records, draft: Draft) -> None:
    if draft.options.planted and "IsClosed" in draft.given:
        return
    draft.values["IsClosed"] = _has_trait(draft, "StageName", "closed")
    draft.values["IsWon"] = _has_trait(draft, "StageName", "won")
    field = draft.thing.fields["StageName"]
    if "Probability" not in draft.given and draft.has_changed("StageName"):
        chosen = [value.probability for value in field.picklist if value.value == draft.values.get("StageName")]
        draft.values["Probability"] = chosen[0] if chosen else None


def _follow_member(records: Records, draft: Draft) -> None:
    values = draft.values
    values["LeadOrContactId"] = values.get("ContactId") or values.get("LeadId")
    status = (
        records.store.connection()
        .execute(
            'SELECT "HasResponded" FROM "CampaignMemberStatus"'
            ' WHERE "CampaignId" = ? AND "Label" = ? AND "IsDeleted" = 0',
            (values.get("CampaignId"), values.get("Status")),
        )
        .fetchone()
    )
    responded = int(bool(status and status[0]))
    if responded and draft.has_changed("Status"):
        values["FirstRespondedDate"] = values.get("FirstRespondedDate") or records.now[:10]
    values["HasResponded"] = responded


FOLLOWERS = {
    "Task": _follow_status,
    "Case": _follow_status,
    "Opportunity": _follow_stage,
    "Account": settle_person,
    "CampaignMember": _follow_member,
}
