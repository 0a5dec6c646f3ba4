"""Who may do what: one role per user, a fixed set of permissions per role. Pure."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    MARKETER = "marketer"
    REP = "rep"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    """What a door asks for. Views, actions and querysets name one of these, never a role."""

    VIEW_PEOPLE = "view_people"
    VIEW_ALL_PEOPLE = "view_all_people"  # without it: people of one's own team, and of no team
    EDIT_PEOPLE = "edit_people"
    DELETE_PEOPLE = "delete_people"
    IMPORT_PEOPLE = "import_people"
    EXPORT_PEOPLE = "export_people"
    SHARE_VIEWS = "share_views"
    VIEW_CRM = "view_crm"
    RETRY_CRM = "retry_crm"
    MANAGE_CRM = "manage_crm"  # connect, map, approve, pause, disconnect
    MANAGE_FIELDS = "manage_fields"
    MANAGE_USERS = "manage_users"
    MANAGE_WORKSPACE = "manage_workspace"
    VIEW_AUDIT = "view_audit"


_READ = frozenset({Permission.VIEW_PEOPLE})
_WORK = _READ | {Permission.EDIT_PEOPLE}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _WORK
    | {
        Permission.IMPORT_PEOPLE,
        Permission.EXPORT_PEOPLE,
        Permission.SHARE_VIEWS,
        Permission.VIEW_CRM,
        Permission.RETRY_CRM,
    },
    Role.MARKETER: _WORK
    | {
        Permission.VIEW_ALL_PEOPLE,
        Permission.IMPORT_PEOPLE,
        Permission.EXPORT_PEOPLE,
        Permission.SHARE_VIEWS,
        Permission.VIEW_CRM,
        Permission.RETRY_CRM,
    },
    Role.REP: _WORK,
    Role.READ_ONLY: _READ | {Permission.VIEW_ALL_PEOPLE, Permission.VIEW_CRM},
}


def may(role: Role | str, permission: Permission) -> bool:
    """Does this role hold this permission?"""
    return permission in ROLE_PERMISSIONS[Role(role)]
