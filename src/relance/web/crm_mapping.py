"""The fields of a connection: who is right about each, what follows from blanks, and the way from a draft to its approval."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.crm.drafts import PRESETS, ObjectDraft, draft_of
from relance.crm.editing import (
    Edit,
    discard_draft,
    edit_mapping,
    remove_field,
    restore_field,
    set_creation,
    set_owner,
    set_preset,
)
from relance.crm.mapping import approve_mapping, approved_mapping, check_mapping, draft_mapping, mapping_hash
from relance.crm.models import Connection, Mapping
from relance.crm.page_facts import reverted_values, reverts_by_field
from relance.crm.rules import Creates, RightSide
from relance.people.catalogue import Subject, fields_of
from relance.workspace.rules import Permission

from .crm_field_form import AddFieldForm, FieldForm, creation_forms
from .crm_frame import Frame, frame_context, open_frame
from .crm_rows import (
    OWNER_WORDS,
    PRESET_WORDS,
    FieldRow,
    changed_counts,
    field_rows,
    tables_of,
)
from .doors import opens_to, signed_in
from .why import visible_decision, why_context

DAYS_OF_CONFLICTS = 7
EXAMPLES = 4


# ── The table ────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_CRM)
def fields(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Every mapped field, one opened in place; for htmx the table alone."""
    frame = open_frame(connection_id)
    context = fields_context(request, frame)
    if request.headers.get("HX-Request"):
        return render(request, "crm/_fields.html", context)
    found = visible_decision(request.GET["why"], signed_in(request)) if request.GET.get("why") else None
    return render(request, "crm/fields.html", {**context, **(why_context(found) if found else {})})


def fields_context(request: HttpRequest, frame: Frame, form: FieldForm | None = None) -> dict[str, Any]:
    """What crm/fields.html and crm/_fields.html need. `form` is the opened row's when it was refused."""
    connection, now = frame.connection, timezone.now()
    draft, approved = draft_mapping(connection), approved_mapping(connection)
    shown = draft or approved
    objects = draft_of(shown) if shown else ()
    before = draft_of(approved) if approved and draft else ()
    findings = check_mapping(shown) if shown else []
    rows = field_rows(
        objects,
        before,
        specs={subject: fields_of(subject) for subject in Subject},
        findings=findings,
        reverts=reverts_by_field(connection, now - timedelta(days=DAYS_OF_CONFLICTS)),
    )
    asked = {name: request.GET.get(name, "") for name in ("q", "about", "state", "open")}
    opened = next((row for row in rows if row.name == asked["open"]), None)
    return {
        **frame_context(frame, "crm-fields", request),
        "shown": shown,
        "draft": draft,
        "approved": approved,
        "tables": tables_of([row for row in rows if _is_asked(row, asked)], objects),
        "asked": asked,
        "keep": urlencode({name: value for name, value in asked.items() if value and name != "open"}),
        "total": len(rows),
        "faulty": sum(bool(row.findings) for row in rows),
        "object_findings": [finding for finding in findings if not finding.field_key],
        "errors": sum(finding.is_error for finding in findings),
        "progress": _progress(draft, rows, now) if draft else None,
        "opened": opened,
        "owners": OWNER_WORDS,
        **(_opened_context(request, frame, opened, objects, form, now) if opened else {}),
        "creations": creation_forms(connection, objects) if objects else [],
    }


def _is_asked(row: FieldRow, asked: dict[str, str]) -> bool:
    if asked["q"] and not row.holds(asked["q"].strip()):
        return False
    if asked["about"] in ("person", "company") and row.subject != asked["about"]:
        return False
    match asked["state"]:
        case "faulty":
            return bool(row.findings)
        case "changed":
            return bool(row.change)
        case "conflicts":
            return row.reverts.total > 0
        case _:
            return True


def _opened_context(
    request: HttpRequest,
    frame: Frame,
    row: FieldRow,
    objects: tuple[ObjectDraft, ...],
    form: FieldForm | None,
    now: datetime,
) -> dict[str, Any]:
    user, since = signed_in(request), now - timedelta(days=DAYS_OF_CONFLICTS)
    examples = reverted_values(
        user, since=since, limit=EXAMPLES, connection=frame.connection, subject=row.subject.value, key=row.key
    )
    may_edit = user.may(Permission.MANAGE_CRM) and row.change != "removed"
    return {
        "examples": examples,
        "revert_says": revert_sentence(row, frame.connection.name),
        "presets": PRESET_WORDS,
        "form": form or (FieldForm(connection=frame.connection, row=row) if may_edit else None),
    }


def revert_sentence(row: FieldRow, crm: str) -> str:
    """What happened to the field in the last seven days, in one sentence."""
    here, there = row.reverts.here, row.reverts.in_crm
    if here:
        return ngettext(
            "%(count)s value written here gave way to the one of %(crm)s",
            "%(count)s values written here gave way to those of %(crm)s",
            here,
        ) % {"count": here, "crm": crm}
    if there:
        return ngettext(
            "%(count)s value written in %(crm)s was put back to ours",
            "%(count)s values written in %(crm)s were put back to ours",
            there,
        ) % {"count": there, "crm": crm}
    return _("No conflict in the last 7 days")


def _progress(draft: Mapping, rows: list[FieldRow], now: datetime) -> dict[str, Any]:
    """How far the draft is: what it changes, whether its dry run still counts."""
    told = draft.dry_run or {}
    at = datetime.fromisoformat(told["at"]) if told.get("at") else None
    is_of_this = told.get("hash") == mapping_hash(draft)
    is_fresh = bool(at and now - at <= timedelta(days=1))
    return {
        "counts": changed_counts(rows),
        "at": at,
        "is_done": is_of_this and is_fresh,
        "is_stale": bool(at) and not (is_of_this and is_fresh),
        "failed": told.get("error", ""),
    }


# ── Edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_POST
@opens_to(Permission.MANAGE_CRM)
def change_owner(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The list in the table: who is right, at once in every object, in the draft."""
    subject, key = _field_asked(request)
    owner = request.POST.get("owner", "")
    if owner not in set(RightSide):
        return _back(request, connection_id)
    return _edited(request, connection_id, set_owner(subject, key, RightSide(owner)))


@require_POST
@opens_to(Permission.MANAGE_CRM)
def apply_preset(request: HttpRequest, connection_id: int) -> HttpResponse:
    """One of the three presets, for one field."""
    subject, key = _field_asked(request)
    preset = request.POST.get("preset", "")
    if preset not in PRESETS:
        raise Http404
    return _edited(request, connection_id, set_preset(subject, key, preset))


@require_POST
@opens_to(Permission.MANAGE_CRM)
def change_field(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The opened row's form: field of the CRM, blanks, direction and transform, object by object."""
    subject, key = _field_asked(request)
    frame = open_frame(connection_id)
    current = draft_mapping(frame.connection) or approved_mapping(frame.connection)
    objects = draft_of(current) if current else ()
    rows = field_rows(objects, (), specs={each: fields_of(each) for each in Subject})
    row = next((row for row in rows if (row.subject, row.key) == (subject, key)), None)
    if row is None:
        raise Http404
    form = FieldForm(request.POST, connection=frame.connection, row=row)
    if form.is_valid():
        return _edited(request, connection_id, form.as_edit())
    _ask_for(request, open=row.name)
    template = "crm/_fields.html" if request.headers.get("HX-Request") else "crm/fields.html"
    return render(request, template, fields_context(request, frame, form), status=422)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def remove(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Take a field out of the draft; what both sides hold stays."""
    subject, key = _field_asked(request)
    return _edited(request, connection_id, remove_field(subject, key))


@require_POST
@opens_to(Permission.MANAGE_CRM)
def put_back(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Undo what the draft does to one field."""
    subject, key = _field_asked(request)
    connection = get_object_or_404(Connection, pk=connection_id)
    approved = approved_mapping(connection)
    if approved is None:
        raise Http404
    return _edited(request, connection_id, restore_field(subject, key, draft_of(approved)))


@require_POST
@opens_to(Permission.MANAGE_CRM)
def change_creation(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Who becomes a new record of one object, and the field that carries our key."""
    connection = get_object_or_404(Connection, pk=connection_id)
    current = draft_mapping(connection) or approved_mapping(connection)
    asked = request.POST.get("object", "")
    found = next(
        (each for each in creation_forms(connection, draft_of(current) if current else ()) if each.object == asked),
        None,
    )
    creates, key = request.POST.get("creates", ""), request.POST.get("external_id_field", "")
    if found is None or creates not in set(Creates) or key not in dict(found.key_choices):
        raise Http404
    return _edited(request, connection_id, set_creation(asked, Creates(creates), key))


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_CRM)
def add_field(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Map one more field: ours first, then where it goes in each object."""
    frame = open_frame(connection_id)
    current = draft_mapping(frame.connection) or approved_mapping(frame.connection)
    objects = draft_of(current) if current else ()
    if not objects:
        return redirect("crm-setup", connection_id)
    form = AddFieldForm(
        request.POST or None, connection=frame.connection, objects=objects, chosen=request.GET.get("field", "")
    )
    if request.method == "POST" and form.is_valid():
        edit_mapping(frame.connection, form.as_edit(), by=signed_in(request))
        messages.success(request, _("“%(field)s” is in the draft.") % {"field": form.spec.label if form.spec else ""})
        return redirect(f"{reverse('crm-fields', args=[connection_id])}?{urlencode({'open': form.chosen})}")
    context = {**frame_context(frame, "crm-fields", request), "form": form}
    return render(request, "crm/add_field.html", context, status=422 if form.is_bound else 200)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def discard(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Throw the draft away."""
    connection = get_object_or_404(Connection, pk=connection_id)
    if discard_draft(connection):
        messages.success(request, _("The draft was discarded. What is in force did not change."))
    return redirect("crm-fields", connection_id)


def _field_asked(request: HttpRequest) -> tuple[Subject, str]:
    subject, _sign, key = request.POST.get("field", "").partition(":")
    if subject not in set(Subject) or not key:
        raise Http404
    return Subject(subject), key


def _edited(request: HttpRequest, connection_id: int, edit: Edit) -> HttpResponse:
    """The edit is kept in the draft; the table is shown again as it was asked for."""
    connection = get_object_or_404(Connection, pk=connection_id)
    edit_mapping(connection, edit, by=signed_in(request))
    if not request.headers.get("HX-Request"):
        messages.success(request, _("The change is in the draft. Nothing moves by it before you approve it."))
        return _back(request, connection_id)
    _ask_for(request, **{name: request.POST[name] for name in ("q", "about", "state", "open") if name in request.POST})
    return render(request, "crm/_fields.html", fields_context(request, open_frame(connection_id)))


def _ask_for(request: HttpRequest, **asked: str) -> None:
    """The table answers a post as it would a question with these words in its address."""
    query = request.GET.copy()
    query.update(asked)
    request.GET = query  # type: ignore[assignment]


def _back(request: HttpRequest, connection_id: int) -> HttpResponse:
    asked = {name: request.POST[name] for name in ("q", "about", "state", "open") if request.POST.get(name)}
    address = reverse("crm-fields", args=[connection_id])
    return redirect(f"{address}?{urlencode(asked)}" if asked else address)


# ── Approval ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_POST
@opens_to(Permission.MANAGE_CRM)
def approve(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Put the draft in force, after its dry run."""
    connection = get_object_or_404(Connection, pk=connection_id)
    draft = draft_mapping(connection)
    if draft is None:
        messages.warning(request, _("There is no draft to approve: somebody approved or discarded it before you."))
        return redirect("crm-fields", connection_id)
    try:
        approve_mapping(draft, signed_in(request))
    except ValidationError as refused:
        for said in refused.messages:
            messages.error(request, said)
        return redirect("crm-fields", connection_id)
    messages.success(request, _("Version %(version)s is in force.") % {"version": draft.version})
    is_moving = open_frame(connection_id).seen.is_moving
    return redirect("crm-fields" if is_moving else "crm-setup", connection_id)


urlpatterns = [
    path("crm/<int:connection_id>/fields", fields, name="crm-fields"),
    path("crm/<int:connection_id>/fields/add", add_field, name="crm-field-add"),
    path("crm/<int:connection_id>/fields/owner", change_owner, name="crm-field-owner"),
    path("crm/<int:connection_id>/fields/preset", apply_preset, name="crm-field-preset"),
    path("crm/<int:connection_id>/fields/change", change_field, name="crm-field-change"),
    path("crm/<int:connection_id>/fields/remove", remove, name="crm-field-remove"),
    path("crm/<int:connection_id>/fields/put-back", put_back, name="crm-field-put-back"),
    path("crm/<int:connection_id>/fields/creation", change_creation, name="crm-creation"),
    path("crm/<int:connection_id>/fields/discard", discard, name="crm-discard"),
    path("crm/<int:connection_id>/fields/approve", approve, name="crm-approve"),
]
