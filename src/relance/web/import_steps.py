"""What the pages of an import show at each step, and the words and forms they use."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Reason, Verdict
from relance.lib.clock import utc_now
from relance.people.catalogue import Subject, fields_of
from relance.people.change import field_labels
from relance.people.imports.reading import ENCODINGS, RowReader
from relance.people.imports.refused import problems_of
from relance.people.models import Import
from relance.workspace.models import User
from relance.workspace.rules import Permission

from . import formats
from .doors import signed_in
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
            for key, nobody in (("owner", _("Nobody")), ("team", _("No team"))):
                names = [(str(pk), name) for pk, name in reference_names(key).items()]
                self.fields[key].choices = [("", nobody), *names]  # type: ignore[attr-defined]
        else:
            del self.fields["owner"], self.fields["team"]


def line_of(this: Import) -> dict[str, Any]:
    tone, icon = TONES[Import.State(this.state)]
    return {"import": this, "state": this.get_state_display(), "tone": tone, "icon": icon, "counts": this.counts}


def steps_of(this: Import) -> list[dict[str, Any]]:
    """Where one is on the way."""
    names = (_("Columns"), _("What would happen"), _("Import"))
    at = {Import.State.UPLOADED: 0, Import.State.CHECKING: 1, Import.State.CHECKED: 1}.get(Import.State(this.state), 2)
    return [{"name": name, "is_done": place < at, "is_current": place == at} for place, name in enumerate(names)]


def mapping_context(request: HttpRequest, this: Import, form: PolicyForm | None = None) -> dict[str, Any]:
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
    if not this.path or not this.file.exists():
        return []
    rows = RowReader(this.file, this.encoding, this.delimiter).rows()
    taken = islice((row for row in rows if not (this.has_header and row.number == 1)), 8)
    return [[cell[:80] for cell in row.cells] for row in taken]


def preview_context(this: Import) -> dict[str, Any]:
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


def problem_context(request: HttpRequest, this: Import) -> dict[str, Any]:
    after = request.GET.get("row", "0")
    problems = problems_of(this, after=int(after) if after.isdecimal() and len(after) < 12 else 0, limit=SHOWN)
    return {
        "problems": problems,
        "problem_rows": this.problems.values("row").distinct().count(),
        "later": f"?row={problems[-1].row}" if len(problems) == SHOWN else "",
        "earlier": request.path if after not in ("", "0") else "",
    }


def result_context(this: Import) -> dict[str, Any]:
    return {
        "figures": _figures(this.counts),
        "undone": {name: this.counts.get(name, 0) for name in ("deleted", "restored", "kept")},
        "may_undo": this.state in (Import.State.DONE, Import.State.STOPPED)
        and bool(this.counts.get("created") or this.counts.get("updated")),
    }


def file_problem(this: Import) -> dict[str, str]:
    problem = this.problem or {}
    said = explain_reason(Reason(problem.get("code", ""), Verdict.SKIP, problem.get("seen", {})))
    return {"says": said.says, "remedy": said.remedy}


def work_of(this: Import) -> dict[str, Any]:
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
        "is_quiet": is_quiet(this),
    }


def is_quiet(this: Import) -> bool:
    return this.state in MOVING and (this.moved_at is None or utc_now() - this.moved_at > QUIET_AFTER)
