"""Rights as rows: PermissionSet, ObjectPermissions, FieldPermissions, which clients read to find who grants what, and write to grant it.

The tree's sets become rows when somebody first asks for them, and from then on the rows are the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from relance.sandbox.outcomes import is_permissionable
from relance.sandbox.schema import OrgSchema, PermissionSet
from relance.sandbox.store import quoted

if TYPE_CHECKING:
    import sqlite3

    from relance.sandbox.org import Org

OBJECT_COLUMNS = {
    "create": "PermissionsCreate",
    "read": "PermissionsRead",
    "edit": "PermissionsEdit",
    "delete": "PermissionsDelete",
    "view_all": "PermissionsViewAllRecords",
    "modify_all": "PermissionsModifyAllRecords",
}
WRITTEN = "permission rows"  # the fact that lists the sets whose rows are written
PROFILE_FILES = {"system administrator": "admin", "standard user": "standard", "read only": "readonly"}


def assigned_sets(org: Org, user_id: str) -> list[tuple[str, str, bool]]:
    """Ids and names of the permission sets of a user, and whether it is that of the profile, which bears the profile's name."""
    rows = org.store.connection().execute(
        'SELECT granted."Id", coalesce(profile."Name", granted."Name"), profile."Id" FROM "PermissionSet" AS granted'
        ' LEFT JOIN "Profile" AS profile ON profile."Id" = granted."ProfileId"'
        ' WHERE granted."ProfileId" = (SELECT "ProfileId" FROM "User" WHERE "Id" = ?1) OR granted."Id" IN'
        ' (SELECT "PermissionSetId" FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?1)'
        ' ORDER BY granted."IsOwnedByProfile" DESC, granted."Id"',
        (user_id,),
    )
    return [(str(row[0]), str(row[1]), row[2] is not None) for row in rows]


def set_in_tree(schema: OrgSchema, name: str, *, is_profile: bool) -> PermissionSet | None:
    wanted = {name.lower(), PROFILE_FILES.get(name.lower(), name.lower())} if is_profile else {name.lower()}
    for each in schema.permission_sets:
        if each.is_profile == is_profile and wanted & {each.name.lower(), each.label.lower() if is_profile else ""}:
            return each
    return None


def set_of_rows(org: Org, set_id: str, name: str) -> PermissionSet:
    """What the rows of a set grant."""
    connection = org.store.connection()
    objects = {
        str(row["SobjectType"]): frozenset(flag for flag, column in OBJECT_COLUMNS.items() if row[column])
        for row in connection.execute('SELECT * FROM "ObjectPermissions" WHERE "ParentId" = ?', (set_id,))
    }
    fields = {
        str(row["Field"]): frozenset(
            flag for flag, column in (("read", "PermissionsRead"), ("edit", "PermissionsEdit")) if row[column]
        )
        for row in connection.execute('SELECT * FROM "FieldPermissions" WHERE "ParentId" = ?', (set_id,))
    }
    row = connection.execute('SELECT * FROM "PermissionSet" WHERE "Id" = ?', (set_id,)).fetchone()
    granted = (column for column in (row.keys() if row else ()) if column.startswith("Permissions") and row[column])
    return PermissionSet(
        name, name, False, objects, fields, frozenset(each.removeprefix("Permissions") for each in granted)
    )


def written_sets(org: Org) -> set[str]:
    return set((org.store.fact(WRITTEN) or "").split())


def write_rows(org: Org, set_ids: Iterable[str]) -> None:
    """The rows of sets that have none yet, from the tree; a profile the tree does not describe grants everything."""
    written = written_sets(org)
    missing = [each for each in set_ids if each not in written]
    if not missing:
        return
    with org.records.transaction():
        connection = org.store.connection()
        for set_id in missing:
            row = connection.execute(
                'SELECT granted."Name", profile."Name" FROM "PermissionSet" AS granted LEFT JOIN "Profile" AS profile'
                ' ON profile."Id" = granted."ProfileId" WHERE granted."Id" = ?',
                (set_id,),
            ).fetchone()
            if row is None:
                continue
            found = set_in_tree(org.schema, str(row[1] or row[0]), is_profile=row[1] is not None)
            if found is None and row[1] is not None and not str(row[1]).lower().startswith("minimum access"):
                found = everything(org.schema)
            if found is not None:
                _write_set(org, connection, set_id, found)
        org.store.keep_fact(WRITTEN, " ".join(sorted(written | set(missing))))


def everything(schema: OrgSchema) -> PermissionSet:
    """What an administrator's profile grants."""
    things = [each for each in schema.objects if each.kind == "object"]
    fields = {
        f"{thing.name}.{field.name}": frozenset({"read", "edit"} if field.updateable or field.createable else {"read"})
        for thing in things
        for field in thing.fields
        if is_permissionable(field)
    }
    return PermissionSet("Admin", "Admin", True, {each.name: frozenset(OBJECT_COLUMNS) for each in things}, fields)


def _write_set(org: Org, connection: sqlite3.Connection, set_id: str, granted: PermissionSet) -> None:
    """Rows somebody made already are left as they are."""
    there = 'SELECT {} FROM {} WHERE "ParentId" = ?'
    for name, rows in (
        ("ObjectPermissions", _object_rows(org, granted)),
        ("FieldPermissions", _field_rows(org, granted)),
    ):
        key = "SobjectType" if name == "ObjectPermissions" else "Field"
        known = {str(row[0]) for row in connection.execute(there.format(quoted(key), quoted(name)), (set_id,))}
        thing = org.schema.objects[name]
        for values in rows:
            if values[key] in known:
                continue
            whole = {"Id": org.store.next_id(thing), "ParentId": set_id, **values, **_stamps(org)}
            columns, marks = ", ".join(map(quoted, whole)), ", ".join("?" * len(whole))
            connection.execute(f"INSERT INTO {quoted(name)} ({columns}) VALUES ({marks})", tuple(whole.values()))


def _object_rows(org: Org, granted: PermissionSet) -> Iterator[dict[str, object]]:
    for name, flags in granted.objects.items():
        if name in org.schema.objects and flags:
            yield {"SobjectType": name} | {column: int(flag in flags) for flag, column in OBJECT_COLUMNS.items()}


def _field_rows(org: Org, granted: PermissionSet) -> Iterator[dict[str, object]]:
    for name, flags in granted.fields.items():
        if flags:
            flagged: dict[str, object] = {"PermissionsRead": 1, "PermissionsEdit": int("edit" in flags)}
            yield {"SobjectType": name.partition(".")[0], "Field": name, **flagged}


def _stamps(org: Org) -> dict[str, object]:
    now, user = org.records.now, org.user_id
    return {
        "CreatedDate": now,
        "CreatedById": user,
        "LastModifiedDate": now,
        "LastModifiedById": user,
        "SystemModstamp": now,
    }


def settle_assignments(org: Org) -> None:
    """Every user is assigned the set of their profile, as the platform has it."""
    missing = (
        org.store.connection()
        .execute(
            'SELECT user."Id", granted."Id" FROM "User" AS user JOIN "PermissionSet" AS granted'
            ' ON granted."ProfileId" = user."ProfileId" WHERE NOT EXISTS (SELECT 1 FROM "PermissionSetAssignment" AS line'
            ' WHERE line."AssigneeId" = user."Id" AND line."PermissionSetId" = granted."Id")'
        )
        .fetchall()
    )
    if not missing:
        return
    with org.records.transaction():
        connection, thing = org.store.connection(), org.schema.objects["PermissionSetAssignment"]
        connection.execute(
            'DELETE FROM "PermissionSetAssignment" WHERE "PermissionSetId" IN (SELECT "Id" FROM "PermissionSet" WHERE "ProfileId" IS NOT NULL)'
            ' AND "AssigneeId" IN (SELECT value FROM json_each(?))',
            ("[" + ", ".join(f'"{row[0]}"' for row in missing) + "]",),
        )
        for user_id, set_id in missing:
            connection.execute(
                'INSERT INTO "PermissionSetAssignment" ("Id", "PermissionSetId", "AssigneeId", "IsActive", "SystemModstamp")'
                " VALUES (?, ?, ?, 1, ?)",
                (org.store.next_id(thing), set_id, user_id, org.records.now),
            )


def strip(org: Org, user_id: str, rights: Iterable[str]) -> None:
    """Takes rights (`lead:edit`, `lead.phone:read`, `user:apienabled`) out of every set the user has."""
    sets = [set_id for set_id, _name, _is_profile in assigned_sets(org, user_id)]
    write_rows(org, sets)
    with org.records.transaction():
        for right in rights:
            for set_id in sets:
                _clear(org, set_id, right)


def _clear(org: Org, set_id: str, right: str) -> None:
    name, _colon, action = right.partition(":")
    connection = org.store.connection()
    if name == "user":
        column = next(
            (
                each.name
                for each in org.schema.objects["PermissionSet"].fields
                if each.name.lower() == f"permissions{action}"
            ),
            None,
        )
        if column is not None:
            connection.execute(f'UPDATE "PermissionSet" SET {quoted(column)} = 0 WHERE "Id" = ?', (set_id,))
        return
    key, table = ("Field", "FieldPermissions") if "." in name else ("SobjectType", "ObjectPermissions")
    column = f"Permissions{action.capitalize()}"
    condition = f'"ParentId" = ? AND {quoted(key)} = ?'
    connection.execute(f"UPDATE {quoted(table)} SET {quoted(column)} = 0 WHERE {condition}", (set_id, name))
    connection.execute(f'DELETE FROM {quoted(table)} WHERE {condition} AND "PermissionsRead" = 0', (set_id, name))


def grants_again(org: Org, user_id: str, right: str) -> bool:
    """Does a row written since give back what was taken?"""
    name, _colon, action = right.partition(":")
    connection = org.store.connection()
    for set_id, _name, _is_profile in assigned_sets(org, user_id):
        if name == "user":
            row = connection.execute('SELECT * FROM "PermissionSet" WHERE "Id" = ?', (set_id,)).fetchone()
            column = next((each for each in row.keys() if each.lower() == f"permissions{action}"), None)  # noqa: SIM118
            if column is not None and row[column]:
                return True
            continue
        key, table = ("Field", "FieldPermissions") if "." in name else ("SobjectType", "ObjectPermissions")
        column = f"Permissions{action.capitalize()}"
        statement = f'SELECT 1 FROM {quoted(table)} WHERE "ParentId" = ? AND {quoted(key)} = ? AND {quoted(column)} = 1'
        if connection.execute(statement, (set_id, name)).fetchone():
            return True
    return False
