"""The sections of the settings: which there are, what each is for, who may open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relance.workspace.models import User
from relance.workspace.rules import Permission


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """One section: the name of its address, its label, what it is for, its icon, who may open it."""

    address: str
    label: str | Promise
    purpose: str | Promise
    icon: str
    permission: Permission | None = None


SECTIONS = (
    SettingsSection(
        "settings-workspace",
        _("Workspace"),
        _("The name, the language, the time zone, the hours worked and the holidays."),
        "adjustments-horizontal",
        Permission.MANAGE_WORKSPACE,
    ),
    SettingsSection(
        "settings-brands",
        _("Brands"),
        _("The names under which the workspace speaks to people."),
        "building-community",
        Permission.MANAGE_WORKSPACE,
    ),
    SettingsSection(
        "settings-users",
        _("Users"),
        _("Who signs in, with which role; invitations, and what happens when somebody leaves."),
        "users",
        Permission.MANAGE_USERS,
    ),
    SettingsSection(
        "settings-teams",
        _("Teams"),
        _("Reps and managers see the people of their own team, and those of no team."),
        "users-group",
        Permission.MANAGE_USERS,
    ),
    SettingsSection("settings-roles", _("Roles"), _("What each role may do, in one table."), "lock-access"),
    SettingsSection(
        "crm",
        _("Connections"),
        _("The CRM this workspace exchanges people with."),
        "plug-connected",
        Permission.MANAGE_CRM,
    ),
    SettingsSection(
        "custom-fields",
        _("Custom fields"),
        _("What this workspace wants to know about people and companies, beyond the usual."),
        "forms",
        Permission.MANAGE_FIELDS,
    ),
    SettingsSection(
        "settings-audit",
        _("Audit log"),
        _("Who changed what in the configuration, before and after."),
        "history",
        Permission.VIEW_AUDIT,
    ),
)


def sections_for(request: HttpRequest) -> list[dict[str, Any]]:
    """The sections this user may open, with their addresses, the current one marked."""
    user = request.user
    found = []
    for section in SECTIONS:
        if section.permission and not (isinstance(user, User) and user.may(section.permission)):
            continue
        try:
            address = reverse(section.address)
        except NoReverseMatch:  # a section whose pages this installation does not have
            continue
        is_current = request.path == address or request.path.startswith(f"{address}/")
        found.append({"section": section, "label": section.label, "address": address, "is_current": is_current})
    return found
