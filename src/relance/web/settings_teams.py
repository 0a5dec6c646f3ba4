"""Settings of the teams: whose people are whose."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from relance.workspace.holdings import held_by_team, holdings
from relance.workspace.models import Team, User
from relance.workspace.rules import Permission
from relance.workspace.teams import TeamHoldsPeople, delete_team

from .doors import opens_to


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Team
        fields = ("name",)


class DissolveForm(forms.Form):
    """Where the users and people of a team go."""

    to = forms.ChoiceField(label=gettext_lazy("Where do its users and people go?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, team: Team, **options: Any) -> None:
        super().__init__(*args, **options)
        self.teams = {str(other.pk): other for other in Team.objects.exclude(pk=team.pk).order_by("name")}
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            *((key, other.name) for key, other in self.teams.items()),
            ("none", _("To no team: every rep and manager sees these people")),
        ]


@require_safe
@opens_to(Permission.MANAGE_USERS)
def teams(request: HttpRequest) -> HttpResponse:
    """The teams with their active users."""
    listed = Team.objects.annotate(active=Count("users", Q(users__is_active=True))).order_by("name")
    return render(request, "settings/teams.html", {"teams": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def new_team(request: HttpRequest) -> HttpResponse:
    """Add a team."""
    return _team_page(request, Team())


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def edit_team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Rename a team, see who is in it."""
    return _team_page(request, get_object_or_404(Team, pk=team_id))


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_USERS)
def dissolve_team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Delete a team: first what it holds, then where that goes."""
    team = get_object_or_404(Team, pk=team_id)
    form = DissolveForm(request.POST or None, team=team)
    if request.method == "POST" and form.is_valid():
        answer, name = form.cleaned_data["to"], team.name
        try:
            delete_team(team, to=form.teams.get(answer), is_opened_to_all=answer == "none", now=timezone.now())
        except TeamHoldsPeople as refused:
            form.add_error("to", str(refused))
        else:
            messages.success(request, _("The team “%(team)s” was deleted.") % {"team": name})
            return redirect("settings-teams")
    held = [{"says": holdings()[name].says, "count": count} for name, count in held_by_team(team.pk).items()]
    return render(
        request,
        "settings/team_dissolve.html",
        {"form": form, "team": team, "held": held, "members": User.objects.filter(team=team).count()},
        status=422 if form.is_bound else 200,
    )


def _team_page(request: HttpRequest, team: Team) -> HttpResponse:
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The team “%(team)s” was saved.") % {"team": team.name})
        return redirect("settings-teams")
    members = User.objects.filter(team=team).order_by("-is_active", "name") if team.pk else User.objects.none()
    return render(
        request,
        "settings/team.html",
        {"form": form, "team": team, "members": members},
        status=422 if form.is_bound else 200,
    )


urlpatterns = [
    path("settings/teams", teams, name="settings-teams"),
    path("settings/teams/new", new_team, name="settings-team-new"),
    path("settings/teams/<int:team_id>", edit_team, name="settings-team"),
    path("settings/teams/<int:team_id>/delete", dissolve_team, name="settings-team-delete"),
]
