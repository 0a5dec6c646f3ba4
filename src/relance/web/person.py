"""A person's record: the facts with who is right about each, what happened, and the answer to every “Why?”."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.activity.facts import activities_of_people
from relance.activity.models import Activity
from relance.crm.facts import FieldSource, SubjectInCrm, person_crm
from relance.crm.models import CrmLink
from relance.crm.rules import ConnectionState, LinkRole, PushState, RightSide
from relance.crm.sync import sync_person
from relance.crm.tasks import cycle_key, sync_connection
from relance.decisions.facts import decision_name
from relance.people.catalogue import FieldSpec, Subject, fields_of
from relance.people.facts import ids_of, merged_into, values_of
from relance.people.models import Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .contactable import contact_context
from .doors import opens_to, signed_in
from .timeline import days_of
from .why import visible_decision, why_context

EVENTS_A_PAGE = 40
FILTERS = (
    ("", gettext_lazy("All"), ""),
    ("decisions", gettext_lazy("Decisions"), "help-hexagon"),
    ("crm", gettext_lazy("CRM"), ""),
    ("people", gettext_lazy("Changes"), ""),
    ("import", gettext_lazy("Imports"), ""),
)
IDENTITY = ("email", "phone", "mobile_phone", "job_title", "company_name", "language", "status", "lead_source", "score")
IN_THE_HEAD = ("first_name", "last_name", "salutation")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the record: the value, who is right about it, and the decision that says so, if there was one."""

    label: Any
    value: str
    kind: str
    key: str
    source: str  # an icon
    source_says: str
    decision: str = ""


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_PEOPLE)
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """The record; for htmx, the timeline alone."""
    user = signed_in(request)
    found = Person.objects.visible_to(user).select_related("company", "owner", "team").filter(pk=person_id).first()
    if found is None:
        return _moved(person_id, user)
    context = _timeline(request, found, user)
    if request.headers.get("HX-Request"):
        return render(request, "person/_timeline.html", context)
    return render(request, "person/page.html", {**context, **_record(found, user)})


@require_POST
@opens_to(Permission.EDIT_PEOPLE)
def sync_now(request: HttpRequest, person_id: int) -> HttpResponse:
    """Sync this person before all others."""
    found = get_object_or_404(Person.objects.visible_to(signed_in(request)), pk=person_id)
    for connection_id in sync_person(found.pk):
        sync_connection.defer_once(cycle_key(connection_id), connection_id=connection_id)
    messages.success(request, _("%(name)s goes first in the sync that starts now.") % {"name": found.full_name})
    return redirect("person", person_id=found.pk)


def _moved(person_id: int, user: User) -> HttpResponse:
    """A person merged into another: the old address leads there."""
    winner = merged_into(person_id)
    if winner is None or not Person.objects.visible_to(user).filter(pk=winner).exists():
        raise Http404
    return redirect("person", person_id=winner, permanent=True)


# ── The facts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(found: Person, user: User) -> dict[str, Any]:
    """The left column: the facts by group, and the side of each CRM."""
    in_crm = person_crm(found.pk)
    sources = {source.field_key: (subject, source) for subject in reversed(in_crm) for source in subject.fields}
    fields = fields_of(Subject.PERSON)
    values = values_of([found.pk], [spec.key for spec in fields])[found.pk]
    facts = [_fact(spec, values[spec.key], sources) for spec in fields if values[spec.key] not in (None, "", [])]
    return {
        "in_crm": [_crm_side(subject) for subject in in_crm],
        "identity": [fact for fact in facts if fact.key in IDENTITY],
        "others": [fact for fact in facts if fact.key not in (*IDENTITY, *IN_THE_HEAD)],
        "can_edit": user.may(Permission.EDIT_PEOPLE),
        **contact_context(found),
    }


def _fact(spec: FieldSpec, value: Any, sources: Mapping[str, tuple[SubjectInCrm, FieldSource]]) -> Fact:
    shown = ", ".join(value) if isinstance(value, list) else str(value)
    if isinstance(value, bool):
        shown = _("Yes") if value else _("No")
    if spec.key not in sources:
        icon, says = "circle-letter-r", _("Kept in Relance alone.")
        return Fact(spec.label, shown, spec.kind.value, spec.key, icon, says)
    subject, source = sources[spec.key]
    icon, says = _who_is_right(subject.connection.name, source)
    decision = decision_name(source.last_decision_id) if source.last_decision_id else ""
    return Fact(spec.label, shown, spec.kind.value, spec.key, icon, says, decision)


def _who_is_right(crm: str, source: FieldSource) -> tuple[str, str]:
    """The icon beside a fact, and what it means."""
    told = {"crm": crm, "field": source.crm_field}
    if source.standing == "sending":
        return "cloud-upload", _("On its way to %(crm)s (%(field)s).") % told
    if source.standing == "kept":
        return "git-compare", _("%(crm)s holds another value in %(field)s, and both stay: ask why.") % told
    match source.owner:
        case RightSide.CRM:
            return "cloud", _("%(crm)s is right (%(field)s).") % told
        case RightSide.RELANCE:
            return "circle-letter-r", _("Relance is right, and %(crm)s follows (%(field)s).") % told
        case RightSide.LATEST:
            return "arrows-exchange", _("The latest change is right, here or in %(crm)s (%(field)s).") % told


def _crm_side(subject: SubjectInCrm) -> dict[str, Any]:
    """A CRM as the record shows it: its records of the person, and how the sync stands."""
    tone, says = _sync_state(subject)
    return {
        "name": subject.connection.name,
        "records": [{"record": record, "says": _record_says(record.link)} for record in subject.records],
        "tone": tone,
        "says": says,
        "read_until": subject.read_until if tone == "ok" else None,
        "errors": subject.errors,
        "leading": subject.leading.link if subject.leading else None,
    }


def _sync_state(subject: SubjectInCrm) -> tuple[str, str]:
    if subject.errors:
        return "bad", _("Refused: %(message)s") % {"message": subject.errors[0].message}
    if subject.state is not ConnectionState.ENABLED:
        return "warn", _("The connection is stopped: changes wait, nothing is lost.")
    if subject.push is not None and subject.push.state in (PushState.WAITING, PushState.UNKNOWN):
        return "info", _("A change waits to be sent.")
    return "ok", _("In sync")


def _record_says(link: CrmLink) -> str:
    if link.deleted_at:
        return _("deleted there")
    if link.converted_to:
        return _("converted")
    return "" if link.role == LinkRole.LEADING else _("second record, not merged")


# ── What happened ────────────────────────────────────────────────────────────────────────────────────────────────────


def _timeline(request: HttpRequest, found: Person, user: User) -> dict[str, Any]:
    chosen = request.GET.get("show", "")
    before = request.GET.get("before", "")
    activities = activities_of_people(
        ids_of(found.pk),
        group=chosen if chosen != "decisions" else "",
        only_decided=chosen == "decisions",
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=EVENTS_A_PAGE + 1,
    )
    shown, more = activities[:EVENTS_A_PAGE], activities[EVENTS_A_PAGE:]
    opened, about = request.GET.get("why", ""), request.GET.get("about", "")
    decision = visible_decision(opened, user) if opened else None
    return {
        "person": found,
        "days": days_of(shown, labels=_labels(), opened=opened, about=about),
        "filters": _filters(found, chosen),
        "older": _older(found, chosen, shown) if more else "",
        "close": reverse("person", args=[found.pk]),
        **(why_context(decision, about) if decision else {"decision": None}),
    }


def _labels() -> Mapping[str, Any]:
    return {spec.key: spec.label for spec in fields_of(Subject.PERSON)}


def _filters(found: Person, chosen: str) -> Iterable[dict[str, Any]]:
    address = reverse("person", args=[found.pk])
    return [
        {"label": label, "icon": icon, "address": f"{address}?show={key}" if key else address, "is_on": key == chosen}
        for key, label, icon in FILTERS
    ]


def _older(found: Person, chosen: str, shown: list[Activity]) -> str:
    return f"{reverse('person', args=[found.pk])}?show={chosen}&before={shown[-1].pk}"


urlpatterns = [
    path("people/<int:person_id>", person, name="person"),
    path("people/<int:person_id>/sync", sync_now, name="person-sync"),
]
