"""One's own profile: name, language, time zone, theme, shortcuts, and the sessions that are open."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods, require_POST

from relance.workspace.actions import end_sessions
from relance.workspace.models import THEMES, User

from .doors import opens_to_everyone_signed_in, signed_in
from .settings_workspace import time_zone_choices


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one may change oneself: the role and the address are an administrator's matter."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "theme", "has_shortcuts")
        widgets = {"theme": forms.RadioSelect}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", _("The workspace's time zone")),
            *time_zone_choices(),
        ]
        self.fields["has_shortcuts"].help_text = _("J, K, W, G… act on the page when you are not typing.")


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to_everyone_signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """One's own settings on one page."""
    user = User.objects.get(pk=signed_in(request).pk)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        with override(user.language):
            messages.success(request, _("Your profile was saved."))
        return redirect("profile")
    return render(
        request,
        "profile.html",
        {
            "form": form,
            "sessions": _sessions(request),
            "factors": set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True)),
        },
        status=422 if form.is_bound else 200,
    )


@require_POST
@opens_to_everyone_signed_in
def change_theme(request: HttpRequest) -> HttpResponse:
    """The switch of the side bar: saved behind the page for htmx, else back to where one was."""
    theme = request.POST.get("theme", "")
    if theme not in dict(THEMES):
        return HttpResponse(_("The theme is one of system, light, dark."), status=422, content_type="text/plain")
    User.objects.filter(pk=signed_in(request).pk).update(theme=theme)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect(_way_back(request))


@require_POST
@opens_to_everyone_signed_in
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out on another device."""
    get_object_or_404(UserSession, pk=session_id, user_id=signed_in(request).pk).end()
    messages.success(request, _("The session was ended."))
    return redirect("profile")


@require_POST
@opens_to_everyone_signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    end_sessions(signed_in(request), but=request.session.session_key or "")
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("profile")


@opens_to_everyone_signed_in
def own_address(request: HttpRequest) -> HttpResponse:
    """Where allauth would let one change one's address: administrators vouch for addresses, so they change them."""
    messages.info(request, _("An administrator changes your e-mail address, in Settings › Users."))
    return redirect("profile")


def _sessions(request: HttpRequest) -> list[dict[str, Any]]:
    """The open sessions, this one first."""
    listed = UserSession.objects.purge_and_list(request.user)
    told = [
        {
            "session": one,
            "device": device_name(one.user_agent),
            "is_this": one.session_key == request.session.session_key,
        }
        for one in sorted(listed, key=lambda one: one.last_seen_at, reverse=True)
    ]
    return sorted(told, key=lambda one: not one["is_this"])


def device_name(agent: str) -> str:
    """The browser and the system, as far as the browser tells."""
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS X": "macOS",
        "Linux": "Linux",
    }
    browser = next((name for mark, name in browsers.items() if mark in agent), "")
    system = next((name for mark, name in systems.items() if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")


def _way_back(request: HttpRequest) -> str:
    """The page one came from, when it is ours."""
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return came_from if is_ours else "/"


urlpatterns = [
    path("profile", profile, name="profile"),
    path("profile/theme", change_theme, name="theme"),
    path("profile/sessions/<int:session_id>/end", end_session, name="profile-session-end"),
    path("profile/sessions/end-others", end_other_sessions, name="profile-sessions-end-others"),
]
