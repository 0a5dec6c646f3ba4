"""The fields of a mapping as the table shows them: one row a field of ours, whatever the objects, with what differs from the version in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relance.crm.drafts import PRESETS, FieldDraft, ObjectDraft
from relance.crm.mapping import Finding
from relance.crm.page_facts import Reverts
from relance.crm.rules import BlankPolicy, Direction, RightSide, Transform
from relance.people.catalogue import FieldSpec, Subject

OWNER_WORDS: dict[RightSide, str | Promise] = {
    RightSide.CRM: gettext_lazy("The CRM"),
    RightSide.RELANCE: gettext_lazy("Relance"),
    RightSide.LATEST: gettext_lazy("The latest change"),
}
BLANK_WORDS: dict[BlankPolicy, str | Promise] = {
    BlankPolicy.FILL: gettext_lazy("it is filled from the other side"),
    BlankPolicy.KEEP: gettext_lazy("both sides stay as they are"),
    BlankPolicy.CLEAR: gettext_lazy("the other side is emptied"),
}
DIRECTION_WORDS: dict[Direction, str | Promise] = {
    Direction.BOTH: gettext_lazy("Both ways"),
    Direction.TO_CRM: gettext_lazy("To the CRM only"),
    Direction.FROM_CRM: gettext_lazy("From the CRM only"),
}
DIRECTION_ICONS = {Direction.BOTH: "arrows-exchange", Direction.TO_CRM: "arrow-right", Direction.FROM_CRM: "arrow-left"}
TRANSFORM_WORDS: dict[Transform, str | Promise] = {
    Transform.NONE: gettext_lazy("As it is"),
    Transform.TRIM: gettext_lazy("Without spaces around"),
    Transform.LOWER: gettext_lazy("In small letters"),
    Transform.UPPER: gettext_lazy("In capitals"),
    Transform.VALUE_MAP: gettext_lazy("By a table of values"),
}
PRESET_WORDS: dict[str, str | Promise] = {
    "identity": gettext_lazy("Identity: the CRM is right"),
    "reporting": gettext_lazy("Reporting: Relance is right"),
    "latest": gettext_lazy("The latest change wins"),
}
NO_REVERTS = Reverts()


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of ours in one object of the CRM."""

    object: str
    line: FieldDraft | None


@dataclass(slots=True)
class FieldRow:
    """A field of ours with its place in each object."""

    subject: Subject
    key: str
    label: str
    cells: list[Cell]
    reverts: Reverts = NO_REVERTS
    findings: list[Finding] = field(default_factory=list)
    change: str = ""  # added, changed, removed: against the version in force

    @property
    def name(self) -> str:
        """How addresses name it."""
        return f"{self.subject.value}:{self.key}"

    @property
    def lines(self) -> list[FieldDraft]:
        return [cell.line for cell in self.cells if cell.line is not None]

    @property
    def owner(self) -> str:
        """Who is right, when it is the same in every object."""
        return _common(line.owner.value for line in self.lines)

    @property
    def preset(self) -> str:
        """The preset its lines follow, if they all follow the same."""
        return _common(_preset_of(line) for line in self.lines)

    @property
    def direction_icon(self) -> str:
        told = _common(line.direction.value for line in self.lines)
        return DIRECTION_ICONS[Direction(told)] if told else "arrows-exchange"

    @property
    def direction_says(self) -> str:
        told = _common(line.direction.value for line in self.lines)
        return str(DIRECTION_WORDS[Direction(told)]) if told else _("Differs by object")

    @property
    def worst(self) -> Finding | None:
        """The finding to show: an error before a warning."""
        return next((each for each in self.findings if each.is_error), next(iter(self.findings), None))

    @property
    def owner_choices(self) -> list[tuple[str, str | Promise]]:
        known = [(side.value, words) for side, words in OWNER_WORDS.items()]
        return known if self.owner else [("", gettext_lazy("Differs by object")), *known]

    def holds(self, text: str) -> bool:
        """Is this text in its label, or in the name of one of the CRM's fields?"""
        wanted = text.casefold()
        return wanted in self.label.casefold() or any(wanted in line.crm_field.casefold() for line in self.lines)


@dataclass(frozen=True, slots=True)
class SubjectTable:
    """The rows of people, or of companies, and the objects that are their columns."""

    subject: Subject
    title: str
    objects: list[str]
    rows: list[FieldRow]


def _common(told: Iterable[str]) -> str:
    found = set(told)
    return found.pop() if len(found) == 1 else ""


def _preset_of(line: FieldDraft) -> str:
    return next(
        (name for name, policy in PRESETS.items() if (policy.owner, policy.blank) == (line.owner, line.blank)), ""
    )


def field_rows(
    objects: Sequence[ObjectDraft],
    before: Sequence[ObjectDraft],
    *,
    specs: dict[Subject, Sequence[FieldSpec]],
    findings: Sequence[Finding] = (),
    reverts: dict[tuple[str, str], Reverts] | None = None,
) -> list[FieldRow]:
    """Every row, people first, in the order of our catalogue; with `before`, what this version changes in it, removals included."""
    rows = [
        row
        for subject in (Subject.PERSON, Subject.COMPANY)
        for row in _rows_of_subject(subject, objects, before, specs[subject])
    ]
    for row in rows:
        names = {cell.object for cell in row.cells}
        row.findings = [each for each in findings if each.field_key == row.key and each.object in names]
        row.reverts = (reverts or {}).get((row.subject.value, row.key), NO_REVERTS)
    return rows


def _rows_of_subject(
    subject: Subject, objects: Sequence[ObjectDraft], before: Sequence[ObjectDraft], specs: Sequence[FieldSpec]
) -> list[FieldRow]:
    now = {draft.object: _by_key(draft) for draft in objects if draft.subject is subject}
    was = {draft.object: _by_key(draft) for draft in before if draft.subject is subject}
    labels = {spec.key: str(spec.label) for spec in specs}
    keys = {key for lines in (*now.values(), *was.values()) for key in lines}
    ordered = [key for key in labels if key in keys] + sorted(keys - labels.keys())
    rows = []
    for key in ordered:
        cells = [Cell(name, lines.get(key)) for name, lines in now.items()]
        row = FieldRow(subject, key, labels.get(key, key), cells)
        row.change = _change(row, {name: lines.get(key) for name, lines in was.items()}) if before else ""
        rows.append(row)
    return rows


def _by_key(draft: ObjectDraft) -> dict[str, FieldDraft]:
    return {line.field_key: line for line in draft.fields}


def _change(row: FieldRow, was: dict[str, FieldDraft | None]) -> str:
    old = [line for line in was.values() if line is not None]
    if not row.lines:
        return "removed"
    if not old:
        return "added"
    return "changed" if any(cell.line != was.get(cell.object) for cell in row.cells) else ""


def tables_of(rows: Sequence[FieldRow], objects: Sequence[ObjectDraft]) -> list[SubjectTable]:
    """The rows as two tables, without the empty one."""
    titles = {Subject.PERSON: _("People"), Subject.COMPANY: _("Companies")}
    tables = [
        SubjectTable(
            subject,
            titles[subject],
            [draft.object for draft in objects if draft.subject is subject],
            [row for row in rows if row.subject is subject],
        )
        for subject in (Subject.PERSON, Subject.COMPANY)
    ]
    return [table for table in tables if table.rows]


def changed_counts(rows: Sequence[FieldRow]) -> dict[str, int]:
    """How many fields the draft adds, changes and removes."""
    return {kind: sum(row.change == kind for row in rows) for kind in ("added", "changed", "removed")}


def value_map_text(value_map: dict[str, str]) -> str:
    """A table of values as people write it: one a line, the CRM's before ours."""
    return "\n".join(f"{theirs} = {ours}" for theirs, ours in value_map.items())


def read_value_map(text: str) -> dict[str, str]:
    """The table a person wrote. ValueError names the line that has no sign of equality."""
    told: dict[str, str] = {}
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        theirs, sign, ours = line.partition("=")
        if not sign or not theirs.strip():
            raise ValueError(_("Line %(line)s is not “the CRM's value = our value”.") % {"line": place})
        told[theirs.strip()] = ours.strip()
    return told


def choices_of(words: dict[Any, Any]) -> list[tuple[str, Any]]:
    """For a list to choose from."""
    return [(key.value if hasattr(key, "value") else key, said) for key, said in words.items()]
