"""What needs somebody today, on the home page: each point says whom it touches, what is safe, and where it is settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relance.crm.models import Mapping
from relance.crm.page_facts import (
    SeenConnection,
    SyncFigures,
    UnmappedOwner,
    linked_subjects,
    refusal_causes,
)
from relance.crm.rules import ConnectionState, MappingState
from relance.people.models import Import
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .crm_frame import state_sentence
from .crm_words import cause_words, trouble_of
from .formats import number

DAYS_OF_IMPORTS = 14
MOST_CAUSES = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to deal with. `touched` counts the people it concerns: the list goes by it."""

    icon: str
    tone: str
    title: str
    text: str
    action: str
    address: str
    touched: int


def points_for(
    user: User,
    seen: Sequence[SeenConnection],
    figures: SyncFigures | None,
    owners: Sequence[UnmappedOwner],
    now: datetime,
) -> list[Point]:
    """Everything that needs this user, the point that touches most people first."""
    points: list[Point] = []
    if user.may(Permission.VIEW_CRM) and figures is not None:
        points += _stopped(seen, figures)
        points += _refused(seen)
        points += _unmapped(user, seen, owners)
    if user.may(Permission.MANAGE_CRM):
        points += _drafts(seen)
    if user.may(Permission.IMPORT_PEOPLE):
        points += _imports(user, now)
    return sorted(points, key=lambda point: -point.touched)


def _stopped(seen: Sequence[SeenConnection], figures: SyncFigures) -> Iterator[Point]:
    waiting = ngettext(
        "%(count)s record waits and nothing is lost.", "%(count)s records wait and nothing is lost.", figures.waiting
    ) % {"count": number(figures.waiting)}
    for one in seen:
        if not one.needs_someone:
            continue
        touched = linked_subjects([one.connection.pk]).people
        address = reverse("crm-connection", args=[one.connection.pk])
        if trouble := trouble_of(one):
            text = f"{trouble.remedy} {waiting}"
            yield Point("plug-x", "bad", trouble.title, text, _("See what to do"), address, touched)
        else:
            title = (
                _("The sync with %(name)s is paused")
                if one.state is ConnectionState.PAUSED
                else _("The sync with %(name)s is switched off")
            ) % {"name": one.connection.name}
            text = f"{state_sentence(one)} {waiting}"
            yield Point("player-pause", "warn", title, text, _("See the effect"), address, touched)


def _refused(seen: Sequence[SeenConnection]) -> Iterator[Point]:
    names = {one.connection.pk: one.connection.name for one in seen}
    causes = refusal_causes(list(names), today=timezone.localdate(), zone=str(timezone.get_current_timezone()))
    for cause in causes[:MOST_CAUSES]:
        words = cause_words(cause, names[cause.connection_id])
        address = f"{reverse('crm-errors', args=[cause.connection_id])}?cause={cause.cause_key}"
        text = ngettext(
            "%(cause)s: %(message)s It waits, nothing is lost.",
            "%(cause)s: %(message)s They wait, nothing is lost.",
            cause.subjects,
        ) % {
            "cause": words.title,
            "message": _ended(words.detail),
        }
        yield Point(words.icon, words.tone, words.headline, text, _("See the cause"), address, cause.subjects)


def _ended(sentence: str) -> str:
    """The CRM's own words end as a sentence does."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _unmapped(user: User, seen: Sequence[SeenConnection], owners: Sequence[UnmappedOwner]) -> Iterator[Point]:
    if not owners or not seen:
        return
    people = sum(owner.people for owner in owners)
    title = ngettext(
        "%(people)s people belong to %(count)s owner nobody here knows",
        "%(people)s people belong to %(count)s owners nobody here knows",
        len(owners),
    ) % {"people": number(people), "count": number(len(owners))}
    names = ", ".join(owner.name for owner in owners[:3])
    text = _("%(names)s: invite them with the address they have in the CRM, and their people find their owner.") % {
        "names": names
    }
    address = reverse("crm-connection", args=[seen[0].connection.pk])
    if user.may(Permission.MANAGE_USERS):
        yield Point("user-question", "warn", title, text, _("Invite a user"), reverse("settings-user-new"), people)
    else:
        yield Point("user-question", "warn", title, text, _("See who"), address, people)


def _drafts(seen: Sequence[SeenConnection]) -> Iterator[Point]:
    drafts = Mapping.objects.filter(
        connection__in=[one.connection.pk for one in seen], state=MappingState.DRAFT.value
    ).select_related("connection")
    for draft in drafts:
        values = {"version": draft.version, "name": draft.connection.name}
        title = _("Version %(version)s of the fields of %(name)s awaits its approval") % values
        if draft.dry_run and "objects" in draft.dry_run:
            text, name, action = (
                _("Its dry run is done: nothing moves by it before you approve it."),
                "crm-dry-run",
                _("See and approve"),
            )
        else:
            text, name, action = (
                _("Its dry run is still to be done: nothing moves by it before."),
                "crm-fields",
                _("See the draft"),
            )
        yield Point("arrows-exchange", "accent", title, text, action, reverse(name, args=[draft.connection_id]), 0)


def _imports(user: User, now: datetime) -> Iterator[Point]:
    recent = Import.objects.filter(made_at__gte=now - timedelta(days=DAYS_OF_IMPORTS)).order_by("-made_at")
    if not user.may(Permission.VIEW_ALL_PEOPLE):
        recent = recent.filter(made_by=user)
    for one in recent[:20]:
        refused = int(one.counts.get("refused", 0))
        if one.state == Import.State.FAILED:
            title = _("The import of %(file)s could not be read") % {"file": one.file_name}
            yield Point(
                "file-import", "bad", title, _("Nobody was added or changed."), _("See why"), import_address(one), 0
            )
        elif one.state == Import.State.DONE and refused:
            title = ngettext(
                "%(count)s row of %(file)s was not taken", "%(count)s rows of %(file)s were not taken", refused
            ) % {"count": number(refused), "file": one.file_name}
            yield Point(
                "file-import",
                "warn",
                title,
                _("The other rows are in. Each row left out says why."),
                _("See the rows"),
                import_address(one),
                refused,
            )


def import_address(one: Import) -> str:
    """The page of an import; the list of them where this installation has no such page."""
    for name, args in (("import", [one.pk]), ("imports", [])):
        try:
            return reverse(name, args=args)
        except NoReverseMatch:
            continue
    return ""
