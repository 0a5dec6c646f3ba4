"""Views of a list kept under a name: one's own, the team's, the workspace's. Sharing one asks for a permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from relance.workspace.models import User
from relance.workspace.rules import Permission

from .catalogue import Subject
from .models import SavedView

MOST_VIEWS = 100


class ViewRefused(Exception):
    """Theirs: this view cannot be kept so. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class NewView:
    """What a view is to hold."""

    name: str
    query: str
    columns: Sequence[str]
    reach: str = SavedView.Reach.MINE


def views_for(user: User, subject: Subject) -> QuerySet[SavedView]:
    """The views this user may open: own, the team's, everyone's; by name."""
    theirs = Q(owner=user) | Q(reach=SavedView.Reach.WORKSPACE)
    if user.team_id:
        theirs |= Q(reach=SavedView.Reach.TEAM, team=user.team_id)
    return SavedView.objects.filter(theirs, subject=subject.value).order_by("name", "pk")


def may_change_view(user: User, view: SavedView) -> bool:
    """One's own, and for those who may share views also the shared ones they see."""
    return view.owner_id == user.pk or (view.reach != SavedView.Reach.MINE and user.may(Permission.SHARE_VIEWS))


def save_view(user: User, subject: Subject, view: NewView, *, now: datetime) -> SavedView:
    """Keep a view under its name; one of the same name and owner is replaced."""
    name = " ".join(view.name.split())[:80]
    if not name:
        raise ViewRefused(_("Give the view a name."))
    if view.reach not in SavedView.Reach.values:
        raise ViewRefused(_("Choose who sees the view: you, your team or everyone."))
    if view.reach != SavedView.Reach.MINE and not user.may(Permission.SHARE_VIEWS):
        raise ViewRefused(_("Your role may not share views: keep it for yourself, or ask a marketer to share it."))
    if view.reach == SavedView.Reach.TEAM and user.team_id is None:
        raise ViewRefused(_("You are in no team: keep the view for yourself or share it with everyone."))
    with transaction.atomic():
        mine = SavedView.objects.filter(owner=user, subject=subject.value)
        kept = mine.filter(name__iexact=name).first() or SavedView(owner=user, subject=subject.value)
        if kept.pk is None and mine.count() >= MOST_VIEWS:
            raise ViewRefused(
                _("You keep %(most)s views, the most there can be: delete one first.") % {"most": MOST_VIEWS}
            )
        kept.name, kept.reach, kept.query = name, view.reach, view.query[:4000]
        kept.columns, kept.updated_at = list(view.columns), now
        kept.team = user.team if view.reach == SavedView.Reach.TEAM else None
        kept.save()
    return kept
