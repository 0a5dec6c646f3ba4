"""What an administrator does: rights, fields, list values, record types, users, the bin. Each leaves a line in the setup audit trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relance.sandbox.acting import ActRefused, Told, done, erase_rows, record_of, user_named
from relance.sandbox.deletion import purge as empty_bin
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.permission_rows import strip
from relance.sandbox.schema_changes import change_schema, keep_change, known_field, known_object
from relance.sandbox.setup_rows import lay_setup_rows
from relance.sandbox.store import quoted

PLANTED = WriteOptions(auto_assign=False, planted=True)
ACTIONS = ("create", "read", "edit", "delete")


def change(name: str, action: str) -> Callable[[Org, Told], dict[str, Any]]:
    """An actor that changes the schema and nothing else."""

    def run(org: Org, told: Told) -> dict[str, Any]:
        asked = asked_of(told)
        alter_schema(org, name, asked)
        note(org, action, "Customize", f"{name.replace('_', ' ')}: {', '.join(asked.values())}")
        return dict(asked)

    return run


def asked_of(told: Told) -> dict[str, str]:
    return {name: str(value) for name, value in told.items() if name != "as" and value}


def alter_schema(org: Org, name: str, asked: dict[str, str]) -> None:
    """In the schema, in the store, in the file that does it again at the next start."""
    with org.store.writing() as connection:
        if name == "rename_field":
            thing, field = known_field(org.schema, asked["field"])
            old = field.name
            change_schema(org.schema, name, asked)
            connection.execute(f"ALTER TABLE {quoted(thing.name)} RENAME COLUMN {quoted(old)} TO {quoted(asked['to'])}")
        else:
            change_schema(org.schema, name, asked)
            org.store.extend(connection)
    keep_change(org.home, name, asked)
    lay_setup_rows(org.records, org.username)
    org.forget()


def rename_field(org: Org, told: Told) -> dict[str, Any]:
    asked = asked_of(told)
    alter_schema(org, "rename_field", asked)
    note(org, "changedCFName", "Customize", f"Changed the name of {asked['field']} to {asked['to']}")
    return dict(asked)


def remove_record_type(org: Org, told: Told) -> dict[str, Any]:
    """Its records get another one of the object, or none when it was the last."""
    asked = asked_of(told)
    thing = known_object(org.schema, asked["object"])
    alter_schema(org, "remove_record_type", asked)
    with org.store.writing() as connection:
        kinds = 'FROM "RecordType" WHERE "SobjectType" = ? AND "DeveloperName"'
        gone = connection.execute(f'SELECT "Id" {kinds} = ?', (thing.name, asked["name"])).fetchone()
        other = connection.execute(
            f'SELECT "Id" {kinds} <> ? AND "IsActive" = 1 ORDER BY "Id"', (thing.name, asked["name"])
        ).fetchone()
        if gone is not None:
            connection.execute(
                f'UPDATE {quoted(thing.name)} SET "RecordTypeId" = ? WHERE "RecordTypeId" = ?',
                (other[0] if other else None, gone[0]),
            )
            connection.execute('DELETE FROM "RecordType" WHERE "Id" = ?', (gone[0],))
    note(org, "deletedRecordType", "Customize", f"Deleted the record type {asked['name']} of {thing.label}")
    return dict(asked)


def remove_permission(org: Org, told: Told) -> dict[str, Any]:
    """From a user, the integration's own unless told: an object (`Lead`), a field (`Lead.Phone`), a record, `api`, `ViewSetup` …"""
    user_id = user_named(org, str(told["user"])) if told.get("user") else org.user_id
    rights, hidden = rights_named(org, told)
    org.taken.take(user_id, rights, hidden)
    strip(org, user_id, rights)
    org.forget()
    note(org, "PermSetObjectPerms", "Manage Users", f"Took {told['from']} away from {user_id[:15]}")
    return {"user": user_id, "from": told["from"]}


def restore_permission(org: Org, told: Told) -> dict[str, Any]:
    user_id = user_named(org, str(told["user"])) if told.get("user") else org.user_id
    rights, hidden = rights_named(org, told)
    org.taken.give_back(user_id, rights, hidden)
    org.forget()
    note(org, "PermSetObjectPerms", "Manage Users", f"Gave {told['from']} to {user_id[:15]}")
    return {"user": user_id, "from": told["from"]}


def rights_named(org: Org, told: Told) -> tuple[set[str], set[str]]:
    what = str(told["from"])
    named = "ApiEnabled" if what.lower() == "api" else what
    if f"Permissions{named}" in org.schema.objects["PermissionSet"].fields:
        return {f"user:{named}".lower()}, set()
    if "." in what:
        thing, field = known_field(org.schema, what)
        name = f"{thing.name}.{field.name}".lower()
        return ({f"{name}:edit"} if told.get("actions") == "edit" else {f"{name}:read", f"{name}:edit"}), set()
    if what in org.schema.objects:
        asked = told.get("actions") or ACTIONS
        actions = asked.split(",") if isinstance(asked, str) else asked
        taken = ACTIONS if "read" in actions else actions
        return {f"{what}:{each.strip()}".lower() for each in taken}, set()
    try:
        return set(), {whole_id(what)}
    except MalformedId as malformed:
        text = f"{what} is no object, no field (Lead.Phone), no record id, and not `api`."
        raise ActRefused("INVALID_ACTOR", text) from malformed


def deactivate_user(org: Org, told: Told) -> dict[str, Any]:
    return set_active(org, told, active=False)


def reactivate_user(org: Org, told: Told) -> dict[str, Any]:
    return set_active(org, told, active=True)


def set_active(org: Org, told: Told, *, active: bool) -> dict[str, Any]:
    user_id = user_named(org, str(told["user"]))
    values = {"IsActive": active}
    result = org.records.update(admin_of(org), "User", user_id, values, PLANTED)
    word = "activated" if active else "deactivated"
    note(org, f"{word}user", "Manage Users", f"{word.capitalize()} user {user_id[:15]}")
    return done(result, active=active)


def purge(org: Org, told: Told) -> dict[str, Any]:
    """One record for good, from the bin or not; without one, all the bin holds."""
    if told.get("record") or told.get("where"):
        thing, record_id = record_of(org, told, deleted=True)
        row = org.records.row(thing, record_id) or {}
        if not row.get("IsDeleted"):
            done(org.records.delete(admin_of(org), thing.name, record_id))
        erase_rows(org, thing, [record_id])
        return {"id": record_id, "purged": 1}
    return {"purged": empty_bin(org.records, "9999")}


def admin_of(org: Org) -> Caller:
    return Caller(org.user_id, all_rights=True)


def note(org: Org, action: str, section: str, display: str) -> None:
    """A line of the setup audit trail."""
    values: dict[str, object] = {"Action": action, "Section": section, "Display": display[:1000]}
    org.records.insert(admin_of(org), "SetupAuditTrail", values, PLANTED)
