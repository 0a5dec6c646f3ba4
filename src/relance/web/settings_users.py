"""Settings of the users: who signs in, with which role, and what happens to what they own when they leave."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relance.decisions.facts import RecordedDecision, latest_decision
from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Decision, Verdict
from relance.workspace.actions import (
    AddressTaken,
    NewUser,
    change_role,
    change_user,
    create_user,
    deactivate_user,
    end_sessions,
    forget_second_factors,
    reactivate_user,
)
from relance.workspace.facts import gather_user_change
from relance.workspace.holdings import held_by_user, holdings
from relance.workspace.models import LANGUAGES, ROLE_NAMES, Team, User
from relance.workspace.rules import Permission, Role, decide_deactivation, decide_role_change

from .doors import opens_to, signed_in

HEIRS_AS_CARDS = 8  # beyond, a list is easier to read than cards
ROLE_PURPOSES = {
    Role.ADMIN: gettext_lazy("Does everything, connects the CRM, and makes users."),
    Role.MANAGER: gettext_lazy("Looks after a team's people, imports, sends refused records again."),
    Role.MARKETER: gettext_lazy("Sees and changes everybody, imports, sends refused records again."),
    Role.REP: gettext_lazy("Looks after the people of one team."),
    Role.READ_ONLY: gettext_lazy("Sees everybody and changes nothing."),
}


class UserForm(forms.Form):
    """Who somebody is, and what they may do."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("They sign in with it; you vouch that it is theirs."),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)
    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"),
        queryset=Team.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("No team"),
        help_text=gettext_lazy("Reps and managers without a team see only the people of no team."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, f"{name}{_(':')} {ROLE_PURPOSES[role]}") for role, name in ROLE_NAMES.items()
        ]


class LeaveForm(forms.Form):
    """Who takes over from somebody who leaves: a user, or nobody on purpose."""

    heir = forms.ChoiceField(label=gettext_lazy("Who takes over?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, heirs: QuerySet[User], **options: Any) -> None:
        super().__init__(*args, **options)
        self.heirs = {str(user.pk): user for user in heirs}
        if len(self.heirs) > HEIRS_AS_CARDS:
            self.fields["heir"].widget = forms.Select()
        self.fields["heir"].choices = [  # type: ignore[attr-defined]
            *((key, f"{user.name} ({user.role_name})") for key, user in self.heirs.items()),
            ("nobody", _("Nobody for now: they stay without an owner")),
        ]


@require_safe
@opens_to(Permission.MANAGE_USERS)
def users(request: HttpRequest) -> HttpResponse:
    """Everybody who signs in or did, active ones first."""
    everybody = User.objects.select_related("team").order_by("-is_active", "name", "pk")
    protected = set(Authenticator.objects.values_list("user_id", flat=True))
    return render(request, "settings/users.html", {"users": everybody, "protected": protected})


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def new_user(request: HttpRequest) -> HttpResponse:
    """Invite somebody: the account is made, and a link to set a password is sent and shown once."""
    form = UserForm(request.POST or None, initial={"role": Role.REP.value, "language": signed_in(request).language})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            user = create_user(
                NewUser(told["email"], told["name"], Role(told["role"]), told["team"], None, told["language"])
            )
        except AddressTaken as taken:
            form.add_error("email", str(taken))
        else:
            return _invite(request, user)
    return render(request, "settings/user_new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def edit_user(request: HttpRequest, user_id: int) -> HttpResponse:
    """Who somebody is, what they may do, how they sign in."""
    user = get_object_or_404(User, pk=user_id)
    form = UserForm(request.POST or None, initial=_as_told(user))
    refusal: RecordedDecision | None = None
    if request.method == "POST" and form.is_valid():
        refusal = _save_user(user, form)
        if not form.errors and not refusal:
            messages.success(request, _("“%(name)s” was saved.") % {"name": user.name})
            return redirect("settings-user", user_id=user.pk)
        user.refresh_from_db()
    return render(
        request,
        "settings/user.html",
        {
            "form": form,
            "member": user,
            "refusal": refusal,
            "held": _held(user),
            "sessions": UserSession.objects.purge_and_list(user),
            "factors": Authenticator.objects.filter(user_id=user.pk).exclude(type="recovery_codes").count(),
        },
        status=422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def leave(request: HttpRequest, user_id: int) -> HttpResponse:
    """Deactivate somebody: first what it changes, then who takes over, then done."""
    user = get_object_or_404(User, pk=user_id)
    held = _held(user)
    heirs = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("name")
    form = LeaveForm(request.POST or None, heirs=heirs)
    form.fields["heir"].required = bool(held)
    expected = decide_deactivation(gather_user_change(user, is_to_be_left_unowned=True))
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["heir"]
        decision = deactivate_user(
            user, heir=form.heirs.get(answer), is_left_unowned=answer == "nobody", now=timezone.now()
        )
        if decision.verdict is Verdict.GO:
            messages.success(request, _("“%(name)s” is deactivated and signed out everywhere.") % {"name": user.name})
            return redirect("settings-users")
        expected = decision
    return render(
        request,
        "settings/user_leave.html",
        {"form": form, "member": user, "held": held, "obstacles": _obstacles(expected)},
        status=422 if form.is_bound else 200,
    )


@require_POST
@opens_to(Permission.MANAGE_USERS)
def come_back(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let somebody sign in again."""
    user = get_object_or_404(User, pk=user_id)
    reactivate_user(user)
    messages.success(request, _("“%(name)s” may sign in again.") % {"name": user.name})
    return redirect("settings-user", user_id=user.pk)


@require_POST
@opens_to(Permission.MANAGE_USERS)
def invite_again(request: HttpRequest, user_id: int) -> HttpResponse:
    """Send another link to set a password."""
    return _invite(request, get_object_or_404(User, pk=user_id, is_active=True))


@require_POST
@opens_to(Permission.MANAGE_USERS)
def sign_out_everywhere(request: HttpRequest, user_id: int) -> HttpResponse:
    """End every session of somebody."""
    user = get_object_or_404(User, pk=user_id)
    end_sessions(user)
    messages.success(request, _("“%(name)s” is signed out everywhere.") % {"name": user.name})
    return redirect("settings-user", user_id=user.pk)


@require_POST
@opens_to(Permission.MANAGE_USERS)
def forget_factors(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take away the codes and passkeys of somebody who lost them."""
    user = get_object_or_404(User, pk=user_id)
    forget_second_factors(user)
    messages.success(request, _("“%(name)s” signs in with the password alone now.") % {"name": user.name})
    return redirect("settings-user", user_id=user.pk)


def _as_told(user: User) -> dict[str, Any]:
    return {"name": user.name, "email": user.email, "role": user.role, "team": user.team_id, "language": user.language}


def _save_user(user: User, form: UserForm) -> RecordedDecision | None:
    """Save all that was told, or nothing; returns the decision that stands in the way, if one does."""
    told, now = form.cleaned_data, timezone.now()
    role = Role(told["role"])
    has_new_role = role != user.role
    if has_new_role and decide_role_change(gather_user_change(user), role).verdict is not Verdict.GO:
        change_role(user, role, now=now)  # refused, and in the ledger
        form.add_error("role", _("The role was not changed; the reasons are given above."))
        return latest_decision("user", user.pk)
    try:
        change_user(user, name=told["name"], email=told["email"], language=told["language"], team=told["team"])
    except AddressTaken as taken:
        form.add_error("email", str(taken))
        return None
    if has_new_role:
        change_role(user, role, now=now)
    return None


def _held(user: User) -> list[dict[str, Any]]:
    return [{"says": holdings()[name].says, "count": count} for name, count in held_by_user(user.pk).items()]


def _obstacles(decision: Decision) -> list[Any]:
    if decision.verdict is Verdict.GO:
        return []
    return [explain_reason(reason, decisive=True) for reason in decision.decisive]


def _invite(request: HttpRequest, user: User) -> HttpResponse:
    """Send the link and show it once: the mail may go nowhere, and the administrator can hand it over."""
    address = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    link = settings.PUBLIC_URL + address if settings.PUBLIC_URL else request.build_absolute_uri(address)
    with translation.override(user.language):
        text = render_to_string("settings/invitation.txt", {"member": user, "link": link, "by": request.user})
        subject = _("Your access to Relance")
    send_mail(subject, text, None, [user.email])
    return render(request, "settings/invited.html", {"member": user, "link": link})


urlpatterns = [
    path("settings/users", users, name="settings-users"),
    path("settings/users/new", new_user, name="settings-user-new"),
    path("settings/users/<int:user_id>", edit_user, name="settings-user"),
    path("settings/users/<int:user_id>/deactivate", leave, name="settings-user-leave"),
    path("settings/users/<int:user_id>/reactivate", come_back, name="settings-user-return"),
    path("settings/users/<int:user_id>/invite", invite_again, name="settings-user-invite"),
    path("settings/users/<int:user_id>/sign-out", sign_out_everywhere, name="settings-user-sign-out"),
    path("settings/users/<int:user_id>/forget-factors", forget_factors, name="settings-user-forget-factors"),
]
