"""Whose rights a session has: those of its user's profile and permission sets, as the tree writes them."""

from __future__ import annotations

from dataclasses import replace

from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, Permissions
from relance.sandbox.schema import OrgSchema, PermissionSet

# Profiles exported under one name and shown under another.
PROFILE_FILES = {"system administrator": "admin", "standard user": "standard", "read only": "readonly"}
# Profiles that open nothing by themselves, whether the tree holds them or not.
BARE_PROFILES = ("minimum access", "salesforce api only")


def caller_for(org: Org, user_id: str) -> Caller:
    """What was granted to the user, less what was taken away since."""
    caller = granted_to(org, user_id)
    taken, out_of_sight = org.taken.of(user_id)
    without, hidden = org.faults.removed_rights(user_id, username_of(org, user_id))
    without, hidden = without | taken, hidden | out_of_sight
    if not without and not hidden:
        return caller
    return replace(caller, without=caller.without | without, sight=replace(caller.sight, hidden=hidden))


def username_of(org: Org, user_id: str) -> str:
    row = org.store.connection().execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    return str(row[0]) if row else ""


def granted_to(org: Org, user_id: str) -> Caller:
    """The user the sandbox was started with may do all; any other has what was granted."""
    if user_id == org.user_id:
        return Caller(user_id, all_rights=True)
    profile, assigned = granted_names(org, user_id)
    if profile.lower() == "system administrator":
        return Caller(user_id, all_rights=True)
    found = profile_in_tree(org.schema, profile)
    if found is None and not profile.lower().startswith(BARE_PROFILES):
        return Caller(user_id, all_rights=True)  # nothing is known against a profile the tree does not describe
    key = (profile, frozenset(assigned))
    if key not in org.permissions:
        sets = [each for each in org.schema.permission_sets if not each.is_profile and each.name in assigned]
        org.permissions[key] = Permissions.of(org.schema, [found, *sets] if found else sets)
    return Caller(user_id, all_rights=False, permissions=org.permissions[key])


def granted_names(org: Org, user_id: str) -> tuple[str, set[str]]:
    """The user's profile and the permission sets assigned to them, by name."""
    connection = org.store.connection()
    row = connection.execute(
        'SELECT profile."Name" FROM "User" AS user JOIN "Profile" AS profile ON profile."Id" = user."ProfileId"'
        ' WHERE user."Id" = ?',
        (user_id,),
    ).fetchone()
    assigned: set[str] = set()
    if "PermissionSetAssignment" in org.schema.objects and "PermissionSet" in org.schema.objects:
        rows = connection.execute(
            'SELECT granted."Name" FROM "PermissionSetAssignment" AS line JOIN "PermissionSet" AS granted'
            ' ON granted."Id" = line."PermissionSetId" WHERE line."AssigneeId" = ?',
            (user_id,),
        )
        assigned = {str(each[0]) for each in rows}
    return (str(row[0]) if row and row[0] else ""), assigned


def profile_in_tree(schema: OrgSchema, name: str) -> PermissionSet | None:
    wanted = {name.lower(), PROFILE_FILES.get(name.lower(), name.lower())}
    for each in schema.permission_sets:
        if each.is_profile and (each.name.lower() in wanted or each.label.lower() in wanted):
            return each
    return None
