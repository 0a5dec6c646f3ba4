"""Which records a user sees: by the object's public model, by owner, by the roles below theirs, by their queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relance.sandbox.outcomes import Caller, Sight

if TYPE_CHECKING:
    from relance.sandbox.org import Org

OWNERS = """
WITH RECURSIVE below (id) AS (
    SELECT role."Id" FROM "UserRole" AS role
     WHERE role."ParentRoleId" = (SELECT "UserRoleId" FROM "User" WHERE "Id" = ?1)
    UNION
    SELECT role."Id" FROM "UserRole" AS role JOIN below ON role."ParentRoleId" = below.id
)
SELECT ?1
UNION SELECT "Id" FROM "User" WHERE "UserRoleId" IN (SELECT id FROM below)
UNION SELECT "GroupId" FROM "GroupMember" WHERE "UserOrGroupId" = ?1
"""


def sight_of(org: Org, caller: Caller) -> Sight:
    """All of public objects; of private ones what is their own, their subordinates' or their queues'."""
    if caller.all_rights or caller.permissions.has("ModifyAllData"):
        return Sight()
    closed: dict[str, set[str]] = {"Private": set(), "Read": set()}
    for thing in org.schema.objects:
        if thing.owned and thing.sharing in closed and not opened(caller, thing.name, thing.sharing):
            closed[thing.sharing].add(thing.name.lower())
    if not closed["Private"] and not closed["Read"]:
        return Sight()
    owners = frozenset(str(row[0]) for row in org.store.connection().execute(OWNERS, (caller.user_id,)))
    return Sight(frozenset(closed["Private"]), frozenset(closed["Read"]), owners)


def opened(caller: Caller, object_name: str, sharing: str) -> bool:
    flags = caller.permissions.objects.get(object_name.lower(), frozenset())
    if "modify_all" in flags:
        return True
    return sharing == "Private" and ("view_all" in flags or caller.permissions.has("ViewAllData"))
