"""The dry run of a draft: asked for here, done by a worker, looked at and then approved here. Nothing has moved by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from relance.crm.mapping import check_mapping, draft_mapping, mapping_hash
from relance.crm.models import Connection, Mapping
from relance.crm.shapes import SHAPES
from relance.crm.tasks import run_dry_run
from relance.people.catalogue import Subject, fields_of
from relance.workspace.rules import Permission

from .crm_frame import frame_context, open_frame
from .crm_words import reason_title
from .doors import opens_to, signed_in


@dataclass(frozen=True, slots=True)
class Example:
    """One value the dry run decided about."""

    name: str
    field: str
    here: str
    in_crm: str


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """How often a reason was given for an object, with examples."""

    code: str
    title: str
    tone: str
    times: int
    examples: list[Example]


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What the dry run found about one object."""

    object: str
    total: int
    read: int
    new: int
    updated: int
    reasons: list[ReasonLine]

    @property
    def is_part(self) -> bool:
        """Only the first records were read."""
        return self.read < self.total


@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_CRM)
def dry_run(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Ask for one, follow it, and read its result. The fragment asks again every two seconds while it runs."""
    if request.method == "POST":
        return _ask_for_one(request, connection_id)
    frame = open_frame(connection_id)
    draft = draft_mapping(frame.connection)
    if draft is None:
        return redirect("crm-fields", connection_id)
    context = {**frame_context(frame, "crm-fields", request), "draft": draft, **_result(draft)}
    context["is_running"] = not draft.dry_run and request.GET.get("asked") == "1"
    template = "crm/_dry_run.html" if request.headers.get("HX-Request") else "crm/dry_run.html"
    return render(request, template, context)


def _ask_for_one(request: HttpRequest, connection_id: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=connection_id)
    draft = draft_mapping(connection)
    if draft is None:
        return redirect("crm-fields", connection_id)
    Mapping.objects.filter(pk=draft.pk).update(dry_run=None)
    run_dry_run.defer_once(f"crm.dry_run:{draft.pk}", mapping_id=draft.pk, user_id=signed_in(request).pk)
    return redirect(f"{reverse('crm-dry-run', args=[connection_id])}?asked=1")


def _result(draft: Mapping) -> dict[str, Any]:
    told = draft.dry_run or {}
    labels = {spec.key: str(spec.label) for subject in Subject for spec in fields_of(subject)}
    objects = told.get("objects", {})
    in_order = [shape.object for shape in SHAPES[draft.connection.dialect] if shape.object in objects]
    results = [_object(name, objects[name], labels) for name in in_order]
    return {
        "failed": told.get("error", ""),
        "at": datetime.fromisoformat(told["at"]) if told.get("at") else None,
        "results": results,
        "to_send": told.get("to_send", 0),
        "new": sum(result.new for result in results),
        "updated": sum(result.updated for result in results),
        "read": sum(result.read for result in results),
        "is_part": any(result.is_part for result in results),
        "is_of_this": told.get("hash") == mapping_hash(draft),
        "errors": [finding for finding in check_mapping(draft) if finding.is_error],
    }


def _object(name: str, found: dict[str, Any], labels: dict[str, str]) -> ObjectResult:
    return ObjectResult(
        name, found["total"], found["read"], found["new"], found["updated"], list(_lines(found, labels))
    )


def _lines(found: dict[str, Any], labels: dict[str, str]) -> Iterator[ReasonLine]:
    for code, times in sorted(found["reasons"].items(), key=lambda told: -told[1]):
        title, tone = reason_title(code)
        told = found.get("examples", {}).get(code, ())
        examples = [
            Example(
                each["name"] or "", labels.get(each["field"], each["field"]), each["local"] or "", each["crm"] or ""
            )
            for each in told
        ]
        yield ReasonLine(code, title, tone, times, examples)


urlpatterns = [path("crm/<int:connection_id>/dry-run", dry_run, name="crm-dry-run")]
