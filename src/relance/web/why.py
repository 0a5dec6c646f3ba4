"""Why was this decided? A page for a link, a fragment for htmx: the answer is the one the program used."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from relance.decisions.facts import RecordedDecision, decision_id, find_decision
from relance.people.models import Company, Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in

# What a decision is about, when it is not a person: whoever may see the thing may ask why.
SUBJECT_PERMISSIONS = {
    "connection": Permission.VIEW_CRM,
    "mapping": Permission.VIEW_CRM,
    "import": Permission.IMPORT_PEOPLE,
    "user": Permission.MANAGE_USERS,
}


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_PEOPLE)
def why(request: HttpRequest, decision: str) -> HttpResponse:
    """One decision, in the order its checks ran."""
    template = "why/_panel.html" if request.headers.get("HX-Request") else "why/page.html"
    found = visible_decision(decision, signed_in(request))
    if found is None:
        raise Http404
    return render(request, template, why_context(found))


def why_context(decision: RecordedDecision) -> dict[str, Any]:
    """What why/_panel.html needs."""
    question = {
        "sync": _("Why did the sync decide this?"),
        "push": _("Why was this sent, or not?"),
        "user": _("Why may this user be changed, or not?"),
    }.get(decision.subject, _("Why this decision?"))
    return {"decision": decision, "question": question}


def visible_decision(name: str, user: User) -> RecordedDecision | None:
    """The decision, when this user may see what it is about: a person or company of theirs, or a thing of their role."""
    id = decision_id(name)
    found = find_decision(id) if id is not None and id.bit_length() < 64 else None
    if found is None:
        return None
    if found.person_id is not None:
        return found if Person.objects.visible_to(user).filter(pk=found.person_id).exists() else None
    if found.subject == "company":
        return found if Company.objects.visible_to(user).filter(pk=found.subject_id).exists() else None
    return found if user.may(SUBJECT_PERMISSIONS.get(found.subject, Permission.MANAGE_WORKSPACE)) else None


urlpatterns = [path("why/<str:decision>", why, name="why")]
