"""What a rep does: creates, edits, converts, merges, deletes, takes back, gives to somebody else."""

from __future__ import annotations

from typing import Any

from relance.sandbox.acting import ActRefused, Told, done, known_record, record_of, refusal_of, rep_of
from relance.sandbox.org import Org
from relance.sandbox.outcomes import ConvertRequest, WriteOptions

# On the page a rep sees the warning of a duplicate and saves all the same; assignment is a box left unticked.
BY_HAND = WriteOptions(auto_assign=False, allow_save=True)


def create(org: Org, told: Told) -> dict[str, Any]:
    return done(org.records.insert(rep_of(org, told), str(told["object"]), values_of(told), BY_HAND))


def edit(org: Org, told: Told) -> dict[str, Any]:
    thing, record_id = record_of(org, told)
    return done(org.records.update(rep_of(org, told), thing.name, record_id, values_of(told), BY_HAND))


def reassign(org: Org, told: Told) -> dict[str, Any]:
    """The new owner is a user, or a queue by its name."""
    thing, record_id = record_of(org, told)
    owner = owner_named(org, str(told["owner"]))
    return done(org.records.update(rep_of(org, told), thing.name, record_id, {"OwnerId": owner}, BY_HAND), owner=owner)


def owner_named(org: Org, text: str) -> str:
    row = (
        org.store.connection()
        .execute(
            'SELECT "Id" FROM "User" WHERE "Id" = ?1 OR "Username" = ?1 OR "Email" = ?1 UNION ALL'
            ' SELECT "Id" FROM "Group" WHERE "Type" = \'Queue\' AND ("Id" = ?1 OR "DeveloperName" = ?1 OR "Name" = ?1)',
            (text,),
        )
        .fetchone()
    )
    if row is None:
        raise ActRefused("INVALID_ACTOR", f"The org has no user and no queue {text}.")
    return str(row[0])


def convert(org: Org, told: Told) -> dict[str, Any]:
    """With the first converted status there is, unless told; an opportunity comes along only when it is named."""
    thing, lead_id = record_of(org, {"object": "Lead", **told})
    if thing.name != "Lead":
        raise ActRefused("INVALID_ACTOR", f"A lead is converted, not a {thing.name}.")
    rep = rep_of(org, told)
    statuses = [each.value for each in thing.fields["Status"].picklist if "converted" in each.traits and each.active]
    lead = org.records.row(thing, lead_id) or {}
    owned_by_queue = str(lead.get("OwnerId") or "").startswith("00G")
    result = org.records.convert(
        rep,
        ConvertRequest(
            lead_id=lead_id,
            converted_status=str(told.get("status") or (statuses[0] if statuses else "")),
            account_id=told.get("account") or None,
            contact_id=told.get("contact") or None,
            owner_id=rep.user_id if owned_by_queue else None,
            do_not_create_opportunity=not told.get("opportunity"),
            opportunity_name=str(told["opportunity"]) if told.get("opportunity") else None,
        ),
    )
    if not result.success:
        raise refusal_of(result.errors[0])
    return {
        "id": lead_id,
        "account": result.account_id,
        "contact": result.contact_id,
        "opportunity": result.opportunity_id,
    }


def merge(org: Org, told: Told) -> dict[str, Any]:
    thing, master = record_of(org, told, "master")
    asked = told["losers"]
    losers = [known_record(org, each.strip())[1] for each in (asked.split(",") if isinstance(asked, str) else asked)]
    result = org.records.merge(rep_of(org, told), thing.name, master, losers, told.get("values") or {})
    return done(result, losers=losers)


def delete(org: Org, told: Told) -> dict[str, Any]:
    thing, record_id = record_of(org, told)
    return done(org.records.delete(rep_of(org, told), thing.name, record_id))


def undelete(org: Org, told: Told) -> dict[str, Any]:
    thing, record_id = record_of(org, told, deleted=True)
    return done(org.records.undelete(rep_of(org, told), thing.name, record_id))


def values_of(told: Told) -> dict[str, Any]:
    values = told["values"]
    if not isinstance(values, dict):
        raise ActRefused("INVALID_ACTOR", "values maps fields to values.")
    return values
