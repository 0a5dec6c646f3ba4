"""The settings' first page, and the table of roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from relance.workspace.models import ROLE_NAMES
from relance.workspace.rules import Permission, Role, may

from .doors import opens_to_everyone_signed_in
from .words import PERMISSION_NAMES


@require_safe
@opens_to_everyone_signed_in
def settings_home(request: HttpRequest) -> HttpResponse:
    """What can be set, and by whom."""
    return render(request, "settings/home.html")


@require_safe
@opens_to_everyone_signed_in
def roles(request: HttpRequest) -> HttpResponse:
    """What each role may do: read from the very table the doors ask."""
    return render(request, "settings/roles.html", {"roles": list(ROLE_NAMES.values()), "rows": list(_role_rows())})


def _role_rows() -> list[dict[str, Any]]:
    return [
        {"says": PERMISSION_NAMES[permission], "allowed": [may(role, permission) for role in Role]}
        for permission in Permission
    ]


urlpatterns = [
    path("settings", settings_home, name="settings"),
    path("settings/roles", roles, name="settings-roles"),
]
