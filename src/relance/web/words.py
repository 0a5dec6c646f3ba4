"""What pages call the things that code names: roles, and the facts a rule saw."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from relance.workspace.models import ROLE_NAMES
from relance.workspace.rules import Permission

__all__ = ["FACT_NAMES", "PERMISSION_NAMES", "ROLE_NAMES"]

FACT_NAMES = {
    "field": _("Field"),
    "before": _("Before"),
    "after": _("After"),
    "kept": _("Kept"),
    "value": _("Value"),
    "since": _("Since"),
    "until": _("Until"),
    "rule": _("Rule"),
    "policy": _("Policy"),
    "owner": _("Who is right"),
    "message": _("Original message"),
}

PERMISSION_NAMES = {
    Permission.VIEW_PEOPLE: _("See people and companies of one's own team, and of no team"),
    Permission.VIEW_ALL_PEOPLE: _("See the people and companies of every team"),
    Permission.EDIT_PEOPLE: _("Add and change people and companies"),
    Permission.DELETE_PEOPLE: _("Delete people and companies"),
    Permission.IMPORT_PEOPLE: _("Import people from a file"),
    Permission.EXPORT_PEOPLE: _("Export people to a file"),
    Permission.SHARE_VIEWS: _("Share saved views with others"),
    Permission.VIEW_CRM: _("See the state of the CRM sync"),
    Permission.RETRY_CRM: _("Send records again that the CRM refused"),
    Permission.MANAGE_CRM: _("Connect the CRM, map its fields, pause and disconnect it"),
    Permission.MANAGE_FIELDS: _("Add, change and hide custom fields"),
    Permission.MANAGE_USERS: _("Make users and teams, give roles, deactivate"),
    Permission.MANAGE_WORKSPACE: _("Change the settings of the workspace and its brands"),
    Permission.VIEW_AUDIT: _("Read the audit log"),
}
