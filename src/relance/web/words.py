"""What pages call the things that code names: roles, and the facts a rule saw."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from relance.workspace.rules import Role

ROLE_NAMES = {
    Role.ADMIN.value: _("Administrator"),
    Role.MANAGER.value: _("Manager"),
    Role.MARKETER.value: _("Marketer"),
    Role.REP.value: _("Sales rep"),
    Role.READ_ONLY.value: _("Read only"),
}

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
