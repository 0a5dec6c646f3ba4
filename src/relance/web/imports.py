"""Importing a file: upload, mapping, what would happen, the run, its result, the way back. Each step is the page of the import."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Reason, Verdict
from relance.lib.clock import utc_now
from relance.people.catalogue import Subject, fields_of
from relance.people.change import field_labels
from relance.people.imports.reading import DELIMITERS, ENCODINGS
from relance.people.imports.refused import problems_of, refused_file
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

from . import formats
from .doors import opens_to, signed_in
from .lists import reference_names
from .values import shown_value

SHOWN = 50
QUIET_AFTER = timedelta(minutes=2)  # without progress for so long, a worker may have died: going on is offered
MOVING = (Import.State.CHECKING, Import.State.RUNNING, Import.State.UNDOING)
DELIMITER_NAMES = {
    ",": gettext_lazy("Comma"),
    ";": gettext_lazy("Semicolon"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Bar"),
}
ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": gettext_lazy("UTF-8 with a mark"),
    "cp1252": "Windows 1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}
OUTCOMES = {
    "created": (gettext_lazy("New people"), "user-plus", "ok"),
    "updated": (gettext_lazy("People changed"), "user-edit", "info"),
    "unchanged": (gettext_lazy("Already so"), "equal-not", ""),
    "refused": (gettext_lazy("Rows refused"), "alert-triangle", "warn"),
}
ROW_OUTCOMES = {
    "created": gettext_lazy("New"),
    "updated": gettext_lazy("Changes"),
    "unchanged": gettext_lazy("Already so"),
    "refused": gettext_lazy("Refused"),
}
TONES = {
    Import.State.UPLOADED: ("", "table-column"),
    Import.State.CHECKING: ("info", "loader-2"),
    Import.State.CHECKED: ("accent", "list-check"),
    Import.State.RUNNING: ("info", "loader-2"),
    Import.State.STOPPED: ("warn", "player-pause"),
    Import.State.DONE: ("ok", "check"),
    Import.State.UNDOING: ("info", "loader-2"),
    Import.State.UNDONE: ("", "arrow-back-up"),
    Import.State.FAILED: ("bad", "alert-circle"),
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "Saved by a spreadsheet as CSV. Separator and encoding are found out; nothing is written before you have seen what would happen."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        allow_empty_file=True,
    )


class PolicyForm(forms.Form):
    """What the import may do."""

    rows_allowed = forms.ChoiceField(
        label=gettext_lazy("Rows of the file"),
        choices=[
            ("both", gettext_lazy("Create new people and change those who exist")),
            ("create", gettext_lazy("Only create new people")),
            ("update", gettext_lazy("Only change people who exist")),
        ],
    )
    existing_values = forms.ChoiceField(
        label=gettext_lazy("Values that are there already"),
        choices=[
            ("overwrite", gettext_lazy("Are replaced by the file")),
            ("fill", gettext_lazy("Stay; the file only fills blanks")),
        ],
    )
    blank_cells = forms.ChoiceField(
        label=gettext_lazy("Blank cells"),
        choices=[("keep", gettext_lazy("Leave the value as it is")), ("clear", gettext_lazy("Empty the value"))],
    )
    without_email = forms.ChoiceField(
        label=gettext_lazy("Rows without an address"),
        choices=[("refuse", gettext_lazy("Are refused")), ("create", gettext_lazy("Make a new person each"))],
    )
    day_first = forms.ChoiceField(
        label=gettext_lazy("Dates such as 03/04/2026"),
        choices=[("yes", gettext_lazy("3 April")), ("no", gettext_lazy("4 March"))],
    )
    decimal_comma = forms.ChoiceField(
        label=gettext_lazy("Decimals"),
        choices=[("yes", gettext_lazy("With a comma: 1,5")), ("no", gettext_lazy("With a point: 1.5"))],
    )
    owner = forms.ChoiceField(label=gettext_lazy("Owner of new people"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team of new people"), required=False)

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if user.may(Permission.VIEW_ALL_PEOPLE):
            self.fields["owner"].choices = [
                ("", _("Nobody")),
                *((str(pk), name) for pk, name in reference_names("owner").items()),
            ]  # type: ignore[attr-defined]
            self.fields["team"].choices = [
                ("", _("No team")),
                *((str(pk), name) for pk, name in reference_names("team").items()),
            ]  # type: ignore[attr-defined]
        else:
            del self.fields["owner"], self.fields["team"]


@require_safe
@opens_to(Permission.IMPORT_PEOPLE)
def imports(request: HttpRequest) -> HttpResponse:
    """The imports this reader may see, newest first."""
    listed = _visible(signed_in(request)).select_related("made_by").order_by("-made_at", "-pk")[:SHOWN]
    return render(request, "imports/list.html", {"imports": [_line(one) for one in listed]})


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.IMPORT_PEOPLE)
def new_import(request: HttpRequest) -> HttpResponse:
    """Receive a file."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
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
    context = {"import": this, "line": _line(this), "steps": _steps(this), "address": request.path}
    if request.headers.get("HX-Request"):
        if this.state not in MOVING:
            response = HttpResponse(status=204)
            response.headers["HX-Refresh"] = "true"
            return response
        return render(request, "imports/_work.html", context | {"work": _work(this)})
    match this.state:
        case Import.State.UPLOADED:
            context |= _mapping_context(request, this)
            template = "imports/mapping.html"
        case Import.State.CHECKED:
            context |= _preview_context(this) | _problem_context(request, this)
            template = "imports/preview.html"
        case Import.State.FAILED:
            context["problem"] = _file_problem(this)
            template = "imports/failed.html"
        case state if state in MOVING:
            context["work"] = _work(this)
            template = "imports/moving.html"
        case _:
            context |= _result_context(this) | _problem_context(request, this)
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
    context = {"import": this, "line": _line(this), "steps": _steps(this), "refused": refused}
    return render(request, "imports/mapping.html", context | _mapping_context(request, this, form), status=422)


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
    if this.state in (Import.State.CHECKED, Import.State.STOPPED) or _is_quiet(this):
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
        return render(request, "imports/undo.html", {"import": this, "line": _line(this), "counts": counts})
    if this.state in (Import.State.DONE, Import.State.STOPPED):
        Import.objects.filter(pk=this.pk).update(state=Import.State.UNDOING, moved_at=utc_now())
        undo_import_task.defer_once(f"import-{this.pk}", import_id=this.pk, actor=f"user:{signed_in(request).pk}")
    return redirect("import", this.pk)


@require_safe
@opens_to(Permission.IMPORT_PEOPLE)
def refused_rows(request: HttpRequest, import_id: int) -> StreamingHttpResponse:
    """The refused rows as a file to mend."""
    this = _found(request, import_id)
    response = StreamingHttpResponse(refused_file(this), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="refused-rows-{this.pk}.csv"'
    return response


def _visible(user: User) -> QuerySet[Import]:
    """Everybody's for those who see every team; else one's own."""
    return Import.objects.all() if user.may(Permission.VIEW_ALL_PEOPLE) else Import.objects.filter(made_by=user)


def _found(request: HttpRequest, import_id: int) -> Import:
    return get_object_or_404(_visible(signed_in(request)).select_related("made_by"), pk=import_id)


def _line(this: Import) -> dict[str, Any]:
    tone, icon = TONES[Import.State(this.state)]
    return {"import": this, "state": this.get_state_display(), "tone": tone, "icon": icon, "counts": this.counts}


def _steps(this: Import) -> list[dict[str, Any]]:
    """Where one is on the way."""
    names = (_("Columns"), _("What would happen"), _("Import"))
    at = {Import.State.UPLOADED: 0, Import.State.CHECKING: 1, Import.State.CHECKED: 1}.get(Import.State(this.state), 2)
    return [{"name": name, "is_done": place < at, "is_current": place == at} for place, name in enumerate(names)]


def _mapping_context(request: HttpRequest, this: Import, form: PolicyForm | None = None) -> dict[str, Any]:
    fields = fields_of(Subject.PERSON)
    first = _first_rows(this)
    values = {
        "rows_allowed": this.rows_allowed,
        "blank_cells": this.blank_cells,
        "existing_values": this.existing_values,
        "without_email": this.without_email,
        "day_first": "yes" if this.is_day_first else "no",
        "decimal_comma": "yes" if this.has_decimal_comma else "no",
        "owner": str(this.owner_id or ""),
        "team": str(this.team_id or ""),
    }
    return {
        "form": form or PolicyForm(signed_in(request), initial=values),
        "columns": [
            {
                "place": place,
                "name": name,
                "key": this.mapping[place] if place < len(this.mapping) else "",
                "examples": [row[place] for row in first if place < len(row) and row[place].strip()][:3],
            }
            for place, name in enumerate(this.header)
        ],
        "core": [field for field in fields if not field.is_custom],
        "custom": [field for field in fields if field.is_custom],
        "encodings": [
            (key, name, key == this.encoding)
            for key, name in ENCODING_NAMES.items()
            if key in (*ENCODINGS, this.encoding)
        ],
        "delimiters": [(key, name, key == this.delimiter) for key, name in DELIMITER_NAMES.items()],
    }


def _first_rows(this: Import) -> list[list[str]]:
    """A few rows under the header, for the eye."""
    from itertools import islice

    from relance.people.imports.reading import RowReader

    if not this.path or not this.file.exists():
        return []
    rows = RowReader(this.file, this.encoding, this.delimiter).rows()
    taken = islice((row for row in rows if not (this.has_header and row.number == 1)), 8)
    return [[cell[:80] for cell in row.cells] for row in taken]


def _preview_context(this: Import) -> dict[str, Any]:
    labels = field_labels(Subject.PERSON, [key for key in this.mapping if key])
    kinds = {field.key: field for field in fields_of(Subject.PERSON)}
    columns = [key for key in this.mapping if key in kinds]
    return {
        "figures": _figures(this.preview_counts),
        "headers": [labels[key] for key in columns],
        "samples": [
            {
                "row": sample["row"],
                "outcome": sample["outcome"],
                "says": ROW_OUTCOMES[sample["outcome"]],
                "tone": OUTCOMES[sample["outcome"]][2],
                "cells": [_sample_cell(cell) for cell in sample["cells"]],
            }
            for sample in this.samples
        ],
        "writes": this.preview_counts.get("created", 0) + this.preview_counts.get("updated", 0),
    }


def _sample_cell(cell: dict[str, Any]) -> dict[str, Any]:
    before, after = shown_value(cell["before"]), shown_value(cell["after"])
    return {
        "is_bad": cell["is_bad"],
        "cell": cell["cell"] or "",
        "before": before,
        "after": after,
        "moved": before != after,
    }


def _figures(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": formats.number(counts.get(outcome, 0)), "tone": tone}
        for outcome, (label, _icon, tone) in OUTCOMES.items()
    ]


def _problem_context(request: HttpRequest, this: Import) -> dict[str, Any]:
    after = request.GET.get("row", "0")
    problems = problems_of(this, after=int(after) if after.isdecimal() and len(after) < 12 else 0, limit=SHOWN)
    return {
        "problems": problems,
        "problem_rows": this.problems.values("row").distinct().count(),
        "later": f"?row={problems[-1].row}" if len(problems) == SHOWN else "",
        "earlier": request.path if after not in ("", "0") else "",
    }


def _result_context(this: Import) -> dict[str, Any]:
    return {
        "figures": _figures(this.counts),
        "undone": {name: this.counts.get(name, 0) for name in ("deleted", "restored", "kept")},
        "may_undo": this.state in (Import.State.DONE, Import.State.STOPPED)
        and bool(this.counts.get("created") or this.counts.get("updated")),
    }


def _file_problem(this: Import) -> dict[str, str]:
    problem = this.problem or {}
    said = explain_reason(Reason(problem.get("code", ""), Verdict.SKIP, problem.get("seen", {})))
    return {"says": said.says, "remedy": said.remedy}


def _work(this: Import) -> dict[str, Any]:
    titles = {
        Import.State.CHECKING: _("Weighing every row of %(file)s"),
        Import.State.RUNNING: _("Importing %(file)s"),
        Import.State.UNDOING: _("Undoing the import of %(file)s"),
    }
    total = this.last_row or 1
    done = (
        min(this.done_row, total)
        if this.state != Import.State.UNDOING
        else sum(this.counts.get(name, 0) for name in ("deleted", "restored", "kept"))
    )
    refused = this.counts.get("refused", 0)
    share = 100 * done / total
    bad = min(share, 100 * refused / total)
    facts = [
        {"tone": tone, "label": f"{formats.number(this.counts.get(outcome, 0))} · {label}"}
        for outcome, (label, _icon, tone) in OUTCOMES.items()
        if this.counts.get(outcome)
    ]
    return {
        "id": this.pk,
        "title": titles[Import.State(this.state)] % {"file": this.file_name},
        "done": done,
        "total": total,
        "left": _("of %(total)s rows") % {"total": formats.number(total)} if this.last_row else _("reading the file"),
        "percent_ok": round(share - bad),
        "percent_to_fix": round(bad),
        "facts": facts,
        "state": "running",
        "address": reverse("import", args=[this.pk]),
        "is_quiet": _is_quiet(this),
    }


def _is_quiet(this: Import) -> bool:
    return this.state in MOVING and (this.moved_at is None or utc_now() - this.moved_at > QUIET_AFTER)


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
