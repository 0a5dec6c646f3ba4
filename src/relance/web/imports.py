"""Importing a file: upload, mapping, what would happen, the run, its result, the way back. Each step is the page of the import."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.lib.clock import utc_now
from relance.people.imports.reading import DELIMITERS
from relance.people.imports.refused import refused_file
from relance.people.imports.running import (
    ImportChoices,
    ImportRefused,
    choose,
    describe_file,
    receive_file,
    stop_import,
)
from relance.people.imports.undoing import preview_undo
from relance.people.models import Import
from relance.people.tasks import check_import_task, run_import_task, undo_import_task
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in
from .import_steps import (
    ENCODING_NAMES,
    MOVING,
    SHOWN,
    PolicyForm,
    UploadForm,
    file_problem,
    is_quiet,
    line_of,
    mapping_context,
    preview_context,
    problem_context,
    result_context,
    steps_of,
    work_of,
)


@require_safe
@opens_to(Permission.IMPORT_PEOPLE)
def imports(request: HttpRequest) -> HttpResponse:
    """The imports this reader may see, newest first."""
    listed = _visible(signed_in(request)).select_related("made_by").order_by("-made_at", "-pk")[:SHOWN]
    return render(request, "imports/list.html", {"imports": [line_of(one) for one in listed]})


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.IMPORT_PEOPLE)
def new_import(request: HttpRequest) -> HttpResponse:
    """Receive a file."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        uploaded = form.cleaned_data["file"]
        this = receive_file(uploaded.name, uploaded, by=signed_in(request), now=utc_now())
        return redirect("import", this.pk)
    return render(request, "imports/new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.IMPORT_PEOPLE)
def one_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """The step an import is at; for htmx the progress alone."""
    this = _found(request, import_id)
    context = {"import": this, "line": line_of(this), "steps": steps_of(this), "address": request.path}
    if request.headers.get("HX-Request"):
        if this.state not in MOVING:
            response = HttpResponse(status=204)
            response.headers["HX-Refresh"] = "true"
            return response
        return render(request, "imports/_work.html", context | {"work": work_of(this)})
    match this.state:
        case Import.State.UPLOADED:
            context |= mapping_context(request, this)
            template = "imports/mapping.html"
        case Import.State.CHECKED:
            context |= preview_context(this) | problem_context(request, this)
            template = "imports/preview.html"
        case Import.State.FAILED:
            context["problem"] = file_problem(this)
            template = "imports/failed.html"
        case state if state in MOVING:
            context["work"] = work_of(this)
            template = "imports/moving.html"
        case _:
            context |= result_context(this) | problem_context(request, this)
            template = "imports/result.html"
    return render(request, template, context)


@require_POST
@opens_to(Permission.IMPORT_PEOPLE)
def map_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Set mapping and policies, then have every row weighed."""
    this = _found(request, import_id)
    user = signed_in(request)
    form = PolicyForm(user, request.POST)
    mapping = tuple(request.POST.get(f"column-{place}", "") for place in range(len(this.header)))
    refused = ""
    if form.is_valid():
        policy = form.cleaned_data
        choices = ImportChoices(
            mapping,
            policy["rows_allowed"],
            policy["blank_cells"],
            policy["existing_values"],
            policy["without_email"],
            policy["day_first"] == "yes",
            policy["decimal_comma"] == "yes",
        )
        try:
            choose(this, choices, now=utc_now())
        except ImportRefused as error:
            refused = str(error)
        else:
            _give(this, policy)
            this.state, this.moved_at = Import.State.CHECKING, utc_now()
            this.save(update_fields=["state", "moved_at"])
            check_import_task.defer_once(f"import-{this.pk}", import_id=this.pk)
            return redirect("import", this.pk)
    this.mapping = list(mapping)
    context = {"import": this, "line": line_of(this), "steps": steps_of(this), "refused": refused}
    return render(request, "imports/mapping.html", context | mapping_context(request, this, form), status=422)


@require_POST
@opens_to(Permission.IMPORT_PEOPLE)
def reread_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Read the file another way: encoding, separator, header."""
    this = _found(request, import_id)
    encoding, delimiter = request.POST.get("encoding", ""), request.POST.get("delimiter", "")
    if encoding in ENCODING_NAMES and delimiter in DELIMITERS:
        try:
            describe_file(
                this, encoding=encoding, delimiter=delimiter, has_header=request.POST.get("has_header") == "yes"
            )
        except (ImportRefused, UnicodeError) as error:
            messages.error(request, _("The file cannot be read so: %(why)s") % {"why": error})
    return redirect("import", this.pk)


@require_POST
@opens_to(Permission.IMPORT_PEOPLE)
def start_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Run what was shown, or go on with what was stopped."""
    this = _found(request, import_id)
    if this.state in (Import.State.CHECKED, Import.State.STOPPED) or is_quiet(this):
        task = {Import.State.CHECKING: check_import_task, Import.State.UNDOING: undo_import_task}.get(
            this.state, run_import_task
        )  # type: ignore[call-overload]
        actor = {"actor": f"user:{signed_in(request).pk}"} if task is undo_import_task else {}
        Import.objects.filter(pk=this.pk).update(moved_at=utc_now(), stop_asked_at=None)
        if task is run_import_task and this.state == Import.State.CHECKED:
            Import.objects.filter(pk=this.pk).update(
                state=Import.State.RUNNING, done_row=0, counts={}, started_at=utc_now()
            )
        task.defer_once(f"import-{this.pk}", import_id=this.pk, **actor)
    return redirect("import", this.pk)


@require_POST
@opens_to(Permission.IMPORT_PEOPLE)
def halt_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Stop after the rows it is at."""
    this = _found(request, import_id)
    stop_import(this, now=utc_now())
    messages.success(request, _("The import stops after the rows it is at. What it wrote stays."))
    return redirect("import", this.pk)


@require_POST
@opens_to(Permission.IMPORT_PEOPLE)
def remap_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Back to the mapping: nothing was written yet."""
    this = _found(request, import_id)
    if this.state == Import.State.CHECKED:
        this.state = Import.State.UPLOADED
        this.save(update_fields=["state"])
    return redirect("import", this.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.IMPORT_PEOPLE)
def undo(request: HttpRequest, import_id: int) -> HttpResponse:
    """What an undo would do, then the undo."""
    this = _found(request, import_id)
    try:
        counts = preview_undo(this) if request.method != "POST" else {}
    except ImportRefused as error:
        messages.error(request, str(error))
        return redirect("import", this.pk)
    if request.method != "POST":
        return render(request, "imports/undo.html", {"import": this, "line": line_of(this), "counts": counts})
    if this.state in (Import.State.DONE, Import.State.STOPPED):
        Import.objects.filter(pk=this.pk).update(state=Import.State.UNDOING, moved_at=utc_now())
        undo_import_task.defer_once(f"import-{this.pk}", import_id=this.pk, actor=f"user:{signed_in(request).pk}")
    return redirect("import", this.pk)


@require_safe
@opens_to(Permission.IMPORT_PEOPLE)
def refused_rows(request: HttpRequest, import_id: int) -> HttpResponse:
    """The refused rows as a file to mend."""
    this = _found(request, import_id)
    response = StreamingHttpResponse(refused_file(this), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="refused-rows-{this.pk}.csv"'
    return response  # type: ignore[return-value]


def _visible(user: User) -> QuerySet[Import]:
    """Everybody's for those who see every team; else one's own."""
    return Import.objects.all() if user.may(Permission.VIEW_ALL_PEOPLE) else Import.objects.filter(made_by=user)


def _found(request: HttpRequest, import_id: int) -> Import:
    return get_object_or_404(_visible(signed_in(request)).select_related("made_by"), pk=import_id)


def _give(this: Import, policy: dict[str, Any]) -> None:
    """To whom new people belong, for those who may choose it."""
    if "owner" in policy:
        this.owner_id = int(policy["owner"]) if policy["owner"] else None
        this.team_id = int(policy["team"]) if policy["team"] else None
        this.save(update_fields=["owner", "team"])


urlpatterns = [
    path("imports", imports, name="imports"),
    path("imports/new", new_import, name="imports-new"),
    path("imports/<int:import_id>", one_import, name="import"),
    path("imports/<int:import_id>/map", map_import, name="import-map"),
    path("imports/<int:import_id>/reread", reread_import, name="import-reread"),
    path("imports/<int:import_id>/remap", remap_import, name="import-remap"),
    path("imports/<int:import_id>/start", start_import, name="import-start"),
    path("imports/<int:import_id>/stop", halt_import, name="import-stop"),
    path("imports/<int:import_id>/undo", undo, name="import-undo"),
    path("imports/<int:import_id>/refused.csv", refused_rows, name="import-refused"),
]
