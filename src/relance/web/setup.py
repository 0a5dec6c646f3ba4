"""The set-up page: whoever holds the one-time link names the workspace and becomes its first administrator."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from relance.workspace.actions import NewUser
from relance.workspace.models import LANGUAGES
from relance.workspace.rules import Role
from relance.workspace.setup import NewWorkspace, SetupLinkUnusable, find_setup_link, use_setup_link

from .doors import opens_to_the_world
from .settings_workspace import country_choices, time_zone_choices


class SetupForm(forms.Form):
    """The workspace and its first administrator."""

    workspace = forms.CharField(
        label=gettext_lazy("Name of the workspace"),
        max_length=80,
        help_text=gettext_lazy("Usually the name of your company."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    country = forms.ChoiceField(
        label=gettext_lazy("Country"), choices=country_choices, help_text=gettext_lazy("Its holidays are days off.")
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=time_zone_choices)
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        help_text=gettext_lazy("You will sign in with it."),
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        help_text=gettext_lazy("At least 12 characters, and not a common one. You can add a passkey afterwards."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    @property
    def new_workspace(self) -> NewWorkspace:
        told = self.cleaned_data
        return NewWorkspace(told["workspace"], told["language"], told["country"], told["time_zone"])

    @property
    def administrator(self) -> NewUser:
        told = self.cleaned_data
        return NewUser(told["email"], told["name"], Role.ADMIN, None, told["password"], told["language"])


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to_the_world
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Set up the workspace; the link works once."""
    now = timezone.now()
    try:
        find_setup_link(token, now)
        form = SetupForm(request.POST or None, initial=_guesses())
        if request.method == "POST" and form.is_valid():
            user = use_setup_link(token, form.new_workspace, form.administrator, now=now)
            return _no_trace(perform_login(request, user, email_verification="none", redirect_url="/"))
    except SetupLinkUnusable as gone:
        return _no_trace(render(request, "setup_gone.html", {"says": str(gone)}, status=410))
    except ValidationError as weak:
        form.add_error("password", weak)
    return _no_trace(render(request, "setup.html", {"form": form}, status=422 if form.is_bound else 200))


def _guesses() -> dict[str, Any]:
    """France first: it is where Relance comes from."""
    return {"language": (get_language() or "fr")[:2], "country": "FR", "time_zone": "Europe/Paris"}


def _no_trace(response: HttpResponse) -> HttpResponse:
    """The address holds a secret: no cache may keep it. (Other sites are never told where one comes from.)"""
    response.headers["Cache-Control"] = "no-store"
    return response


urlpatterns = [path("setup/<str:token>", set_up, name="setup")]
