"""The forms of the fields page: one field in each object of the CRM, a field to add, and who becomes a new record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relance.crm.describing import description_of
from relance.crm.dialect import FieldDescription, ObjectDescription
from relance.crm.drafts import PRESETS, FieldDraft, ObjectDraft, fits, fits_back
from relance.crm.editing import Edit, set_lines
from relance.crm.models import Connection
from relance.crm.rules import BlankPolicy, Creates, Direction, RightSide, Transform
from relance.people.catalogue import FieldSpec, Subject, field_of, fields_of

from .crm_rows import (
    BLANK_WORDS,
    DIRECTION_WORDS,
    OWNER_WORDS,
    PRESET_WORDS,
    TRANSFORM_WORDS,
    FieldRow,
    choices_of,
    read_value_map,
    value_map_text,
)

CREATES_WORDS: dict[Creates, str | Promise] = {
    Creates.NONE: gettext_lazy("Nobody: only records that exist are written"),
    Creates.OWNED: gettext_lazy("People who have an owner"),
    Creates.ALL: gettext_lazy("Everybody"),
}
NOT_MAPPED = gettext_lazy("Not mapped")


def _select(**options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(widget=forms.Select(attrs={"class": "sm"}), **options)


class FieldForm(forms.Form):
    """One field of ours: for each object its field there, who is right, blanks, direction, transform."""

    def __init__(self, *args: Any, connection: Connection, row: FieldRow, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "field-%s", **options})
        self.row, self.crm = row, connection.name
        self.objects = [cell.object for cell in row.cells]
        spec = field_of(row.subject, row.key)
        for cell in row.cells:
            about = description_of(connection, cell.object)
            self._add_object(cell.object, cell.line, crm_choices(about, spec, cell.line))

    def _add_object(self, name: str, line: FieldDraft | None, choices: list[tuple[str, Any]]) -> None:
        kept = line or FieldDraft(self.row.key, "", RightSide.CRM)
        parts: dict[str, tuple[Any, list[tuple[str, Any]], str]] = {
            "crm_field": (_("Field of %(object)s") % {"object": name}, choices, kept.crm_field),
            "owner": (_("Who is right"), owner_choices(self.crm), kept.owner.value),
            "blank": (_("When the side that is right is blank"), choices_of(BLANK_WORDS), kept.blank.value),
            "direction": (_("Direction"), choices_of(DIRECTION_WORDS), kept.direction.value),
            "transform": (_("What comes in is read"), choices_of(TRANSFORM_WORDS), kept.transform.value),
        }
        for part, (label, known, value) in parts.items():
            self.fields[f"{name}-{part}"] = _select(
                label=label, choices=known, initial=value, required=part != "crm_field"
            )
        self.fields[f"{name}-value_map"] = forms.CharField(
            label=_("Table of values"),
            required=False,
            initial=value_map_text(kept.value_map),
            help_text=_("One a line: the CRM's value = our value"),
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        )

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The bound fields, object by object."""
        return [
            {
                "object": name,
                "fields": [
                    self[f"{name}-{part}"]
                    for part in ("crm_field", "owner", "blank", "direction", "transform", "value_map")
                ],
            }
            for name in self.objects
        ]

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        for name in self.objects:
            try:
                table = read_value_map(told.get(f"{name}-value_map", ""))
            except ValueError as unread:
                self.add_error(f"{name}-value_map", str(unread))
                continue
            if told.get(f"{name}-transform") == Transform.VALUE_MAP and not table:
                self.add_error(f"{name}-value_map", _("Write the table: at least one line."))
            told[f"{name}-value_map"] = table
        return told

    def as_edit(self) -> Edit:
        """What the answers make of the mapping."""
        return set_lines(self.row.key, {name: self._line(name) for name in self.objects})

    def _line(self, name: str) -> FieldDraft | None:
        told = {
            part: self.cleaned_data[f"{name}-{part}"]
            for part in ("crm_field", "owner", "blank", "direction", "transform", "value_map")
        }
        if not told["crm_field"]:
            return None
        transform = Transform(told["transform"])
        return FieldDraft(
            self.row.key,
            told["crm_field"],
            RightSide(told["owner"]),
            BlankPolicy(told["blank"]),
            Direction(told["direction"]),
            transform,
            told["value_map"] if transform is Transform.VALUE_MAP else {},
        )


def owner_choices(crm: str) -> list[tuple[str, Any]]:
    """Who is right, the CRM called by its name."""
    return [(value, crm if value == RightSide.CRM else said) for value, said in choices_of(OWNER_WORDS)]


def crm_choices(
    about: ObjectDescription | None, spec: FieldSpec | None, line: FieldDraft | None = None
) -> list[tuple[str, Any]]:
    """The fields of an object that can hold ours; the one mapped now is always among them."""
    found = [(each.name, crm_label(each)) for each in about.fields if spec and fits(spec, each)] if about else []
    if line and line.crm_field and line.crm_field not in dict(found):
        found.insert(0, (line.crm_field, line.crm_field))
    return [("", NOT_MAPPED), *sorted(found, key=lambda choice: choice[0].lower())]


def crm_label(field: FieldDescription) -> str:
    """The name, and the label where it says more."""
    return field.name if field.label in ("", field.name) else f"{field.name} ({field.label})"


class AddFieldForm(forms.Form):
    """A field of ours that is not mapped yet, where it goes, and a preset. `chosen` is the field, as addresses name it."""

    preset = forms.ChoiceField(
        label=gettext_lazy("Who is right"),
        choices=choices_of(PRESET_WORDS),
        initial="identity",
        widget=forms.RadioSelect,
    )

    def __init__(
        self, *args: Any, connection: Connection, objects: Sequence[ObjectDraft], chosen: str, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.chosen = chosen
        self.offered = offered_fields(objects)
        self.spec: FieldSpec | None = None
        subject, _sign, key = chosen.partition(":")
        if subject in set(Subject):
            self.spec = field_of(Subject(subject), key)
        if self.spec is None:
            del self.fields["preset"]
            return
        self.objects = [draft for draft in objects if draft.subject == subject]
        self.descriptions = {draft.object: description_of(connection, draft.object) for draft in self.objects}
        taken = {draft.object: {line.crm_field for line in draft.fields} for draft in self.objects}
        for draft in self.objects:
            free = [
                choice
                for choice in crm_choices(self.descriptions[draft.object], self.spec)
                if choice[0] not in taken[draft.object]
            ]
            label = _("Field of %(object)s") % {"object": draft.object}
            self.fields[f"{draft.object}-crm_field"] = _select(label=label, choices=free, required=False)
        self.order_fields([*(f"{draft.object}-crm_field" for draft in self.objects), "preset"])

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if self.spec is not None and not any(told.get(f"{draft.object}-crm_field") for draft in self.objects):
            raise forms.ValidationError(_("Choose the field of at least one object."))
        return told

    def as_edit(self) -> Edit:
        """The new lines, one for each object that was chosen. A field our user may not write only comes in."""
        assert self.spec is not None
        lines: dict[str, FieldDraft | None] = {}
        for draft in self.objects:
            name = self.cleaned_data[f"{draft.object}-crm_field"]
            if name:
                lines[draft.object] = self._line(draft.object, name)
        return set_lines(self.spec.key, lines)

    def _line(self, object: str, name: str) -> FieldDraft:
        assert self.spec is not None
        policy = PRESETS[self.cleaned_data["preset"]]
        about = self.descriptions[object]
        found = about.field(name) if about else None
        goes_back = bool(found and found.updateable and fits_back(self.spec, found))
        direction = Direction.BOTH if goes_back else Direction.FROM_CRM
        owner = policy.owner if goes_back else RightSide.CRM
        return FieldDraft(self.spec.key, name, owner, policy.blank, direction)


def offered_fields(objects: Sequence[ObjectDraft]) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Our fields that no object maps yet, people's then companies'."""
    titles = {Subject.PERSON: _("People"), Subject.COMPANY: _("Companies")}
    offered = []
    for subject, title in titles.items():
        if not any(draft.subject is subject for draft in objects):
            continue
        taken = {line.field_key for draft in objects if draft.subject is subject for line in draft.fields}
        left = [(f"{subject.value}:{spec.key}", spec.label) for spec in fields_of(subject) if spec.key not in taken]
        if left:
            offered.append((title, left))
    return offered


@dataclass(frozen=True, slots=True)
class CreationForm:
    """Who becomes a new record of one object."""

    object: str
    creates: str
    key_field: str
    key_choices: list[tuple[str, Any]]
    choices: list[tuple[str, Any]]


def creation_forms(connection: Connection, objects: Sequence[ObjectDraft]) -> list[CreationForm]:
    """One for each object we may write to."""
    found = []
    for draft in objects:
        about = description_of(connection, draft.object)
        keys = [(each.name, crm_label(each)) for each in about.fields if each.external_id] if about else []
        if draft.external_id_field and draft.external_id_field not in dict(keys):
            keys.insert(0, (draft.external_id_field, draft.external_id_field))
        choices: list[tuple[str, Any]] = [("", _("None: found again by e-mail address")), *keys]
        found.append(
            CreationForm(draft.object, draft.creates.value, draft.external_id_field, choices, choices_of(CREATES_WORDS))
        )
    return found
