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
from relance.decisions.reasons import ExplainedReason
from relance.people.facts import merged_into
from relance.people.models import Company, Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in
from .labels import field_label

# One line of the ledger for all fields of a person or company, each decided by its own rule.
DECIDED_BY_FIELD = ("sync", "company_sync")
RANKS = {"crm.reverted_to_crm": 0, "crm.put_back_in_crm": 0}

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
    return render(request, template, why_context(found, request.GET.get("about", "")))


def why_context(decision: RecordedDecision, about: str = "") -> dict[str, Any]:
    """What why/_panel.html needs. `about` is the field the question is about: its check comes first, opened."""
    is_by_field = decision.subject in DECIDED_BY_FIELD
    gates = [_gate(said, is_by_field=is_by_field, about=about) for said in decision.explained]
    if is_by_field:
        gates.sort(key=lambda gate: (not gate["is_open"], gate["rank"], gate["field"]))
    question = {
        "push": _("Why was this sent, or not?"),
        "user": _("Why may this user be changed, or not?"),
    }.get(decision.subject, _("Why this decision?"))
    first = gates[0] if is_by_field and gates else None
    return {
        "decision": decision,
        "question": _("Why this value?") if is_by_field else question,
        "headline": _("%(field)s: %(says)s") % first if first and first["field"] else "",
        "gates": gates,
        "is_by_field": is_by_field,
    }


def _gate(said: ExplainedReason, *, is_by_field: bool, about: str) -> dict[str, Any]:
    """One check as why/_gate.html shows it. Of fields decided together, those that went against somebody come first."""
    key = str(said.seen.get("field", ""))
    is_asked = bool(about) and key == about
    return {
        "says": said.says,
        "verdict": said.verdict,
        "decisive": said.decisive,
        "remedy": said.remedy,
        "field": field_label(key) if is_by_field and key else "",
        "seen": {name: value for name, value in said.seen.items() if name != "field"},
        "is_open": is_asked or (said.decisive and not is_by_field),
        "rank": RANKS.get(said.code, 2 if said.verdict == "go" else 1),
    }


def visible_decision(name: str, user: User) -> RecordedDecision | None:
    """The decision, when this user may see what it is about: a person or company of theirs, or a thing of their role."""
    id = decision_id(name)
    found = find_decision(id) if id is not None and id.bit_length() < 64 else None
    if found is None:
        return None
    if found.person_id is not None:
        person = merged_into(found.person_id) or found.person_id
        return found if Person.objects.visible_to(user).filter(pk=person).exists() else None
    if found.subject in ("company", "company_sync"):
        return found if Company.objects.visible_to(user).filter(pk=found.subject_id).exists() else None
    return found if user.may(SUBJECT_PERMISSIONS.get(found.subject, Permission.MANAGE_WORKSPACE)) else None


urlpatterns = [path("why/<str:decision>", why, name="why")]
