"""Whose rights a session has: those of its user's profile and permission sets, as the tree writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, Permissions
from relance.sandbox.permission_rows import assigned_sets, grants_again, set_in_tree, set_of_rows, written_sets
from relance.sandbox.schema import PermissionSet
from relance.sandbox.sharing import sight_of

# Profiles that open nothing by themselves, whether the tree holds them or not.
ROW_PERMISSIONS = frozenset(
    {
        "ApiEnabled",
        "ModifyMetadata",
        "ModifyAllData",
        "ViewAllData",
        "ConvertLeads",
        "BulkApiHardDelete",
        "ViewSetup",
        "MarketingUser",
        "AllowViewEditConvertedLeads",
    }
)
BARE_PROFILES = ("minimum access", "salesforce api only")


def caller_for(org: Org, user_id: str) -> Caller:
    """What was granted to the user, less what was taken away since."""
    caller = granted_to(org, user_id)
    sight = sight_of(org, caller)
    if sight != caller.sight:
        caller = replace(caller, sight=sight)
    taken, out_of_sight = org.taken.of(user_id)
    taken = frozenset(right for right in taken if not grants_again(org, user_id, right))
    without, hidden = org.faults.removed_rights(user_id, lambda: username_of(org, user_id))
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
    found = set_in_tree(org.schema, profile, is_profile=True)
    if found is None and not profile.lower().startswith(BARE_PROFILES):
        return Caller(user_id, all_rights=True)  # nothing is known against a profile the tree does not describe
    key = (profile, frozenset(assigned))
    if key not in org.permissions:
        org.permissions[key] = Permissions.of(org.schema, list(granted_sets(org, user_id, found)))
    return Caller(user_id, all_rights=False, permissions=org.permissions[key])


def granted_sets(org: Org, user_id: str, profile: PermissionSet | None) -> Iterator[PermissionSet]:
    """As the tree has them, or as their rows have been written since."""
    written = written_sets(org)
    assigned = assigned_sets(org, user_id)
    if profile is not None and not any(is_profile for _id, _name, is_profile in assigned):
        yield profile
    for set_id, name, is_profile in assigned:
        in_tree = profile if is_profile else set_in_tree(org.schema, name, is_profile=False)
        if set_id in written or (in_tree is None and not is_profile):
            by_rows = set_of_rows(org, set_id, name)
            # Rows hold the user permissions clients can write; the tree may name others.
            more = in_tree.user_permissions - ROW_PERMISSIONS if in_tree else frozenset()
            yield replace(by_rows, user_permissions=by_rows.user_permissions | more)
        elif in_tree is not None:
            yield in_tree


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
