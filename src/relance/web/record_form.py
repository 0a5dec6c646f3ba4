"""The form of a person or a company: every live field in groups, values written as the reader writes them.

It remembers what it showed. When somebody else saved in the meantime, only what this reader typed is written, and a field that
both changed is shown with both values instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from relance.crm.facts import company_crm, person_crm
from relance.crm.rules import RightSide
from relance.decisions.reasons import explain_reason
from relance.lib.clock import utc_now
from relance.people.catalogue import FieldKind, FieldSpec, Subject, fields_of
from relance.people.change import (
    RELATIONS,
    REQUIRED,
    ChangeRefused,
    FieldChange,
    change_company,
    change_person,
    create_company,
    create_person,
    current_values,
    field_labels,
)
from relance.people.models import Company, Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .doors import signed_in
from .lists import reference_names
from .values import readers_reading, written_value

CONTACT = ("email", "phone", "mobile_phone", "website", "language")
ADDRESS = ("street", "postal_code", "city", "state", "country")
SALT = "relance.web.record_form"
PAGES = {Subject.PERSON: ("person", "people/form.html"), Subject.COMPANY: ("company", "companies/form.html")}


class RecordForm(forms.Form):
    """A form made of the catalogue. Nothing is validated here but what HTML knows: the room says what may be kept."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, subject: Subject, user: User, values: Mapping[str, Any], data: QueryDict | None = None) -> None:
        shown = {key: written_value(value) for key, value in values.items()}
        super().__init__(data, initial=shown | {"seen": signing.dumps(shown, salt=SALT)})
        self.subject, self.shown_now = subject, shown
        self.specs = fields_of(subject)
        for spec in self.specs:
            self.fields[spec.key] = _control(
                spec, is_required=spec.key in REQUIRED[subject], now=shown.get(spec.key, "")
            )
        for key in relations_of(subject, user):
            names = reference_names(key)
            self.fields[key] = forms.ChoiceField(
                label=field_labels(subject, [key])[key],
                required=False,
                choices=[
                    ("", _("Nobody") if key == "owner" else _("No team")),
                    *((str(pk), name) for pk, name in names.items()),
                ],
            )

    @cached_property
    def seen_then(self) -> dict[str, str]:
        """What the form showed when it was opened; what is there now when that cannot be told."""
        try:
            return dict(signing.loads(self.data.get("seen", ""), salt=SALT))
        except (signing.BadSignature, ValueError, TypeError):
            return self.shown_now

    def typed(self) -> dict[str, str]:
        """The fields this reader changed, as written."""
        written = {key: self._written(key) for key in self.fields if key != "seen"}
        return {key: text for key, text in written.items() if text != self.seen_then.get(key, "")}

    def conflicts(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Fields that somebody else changed meanwhile to something else: what they hold now."""
        return {
            key: self.shown_now.get(key, "")
            for key, text in typed.items()
            if self.shown_now.get(key, "") not in (self.seen_then.get(key, ""), text)
        }

    def groups(self) -> Iterator[tuple[str, list[Any]]]:
        """The fields under headings, in the order of a record."""
        own = [spec.key for spec in self.specs if spec.is_custom]
        related = [key for key in self.fields if key in RELATIONS[self.subject]]
        usual = [spec.key for spec in self.specs if not spec.is_custom]
        identity = [key for key in usual if key not in CONTACT + ADDRESS]
        contact = [key for key in CONTACT if key in usual]
        for name, keys in (
            (_("Identity"), identity),
            (_("Contact"), contact),
            (_("Address"), [key for key in ADDRESS if key in usual]),
            (_("Looked after by"), related),
            (_("Fields of this workspace"), own),
        ):
            if keys:
                yield name, [self[key] for key in keys]

    def _written(self, key: str) -> str:
        if isinstance(self.fields[key], forms.MultipleChoiceField):
            assert isinstance(self.data, QueryDict)
            return "; ".join(self.data.getlist(key))
        return str(self.data.get(key, "")).replace("\r\n", "\n").strip()


def creation_page(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The form of a new record, and the record once it is sent."""
    user = signed_in(request)
    values = {"team": user.team_id} if not user.may(Permission.VIEW_ALL_PEOPLE) else {}
    form = RecordForm(subject, user, values, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        create = create_person if subject is Subject.PERSON else create_company
        try:
            made = create(
                _kept(form.typed() | values), actor=f"user:{user.pk}", now=utc_now(), reading=readers_reading()
            )
        except ChangeRefused as refused:
            _blame(form, refused)
        else:
            messages.success(request, _("%(name)s added.") % {"name": made})
            return redirect(PAGES[subject][0], made.pk)
    return _page(request, subject, form, None)


def change_page(request: HttpRequest, subject: Subject, row: Person | Company) -> HttpResponse:
    """The form of a record, and the record again once it is sent."""
    user = signed_in(request)
    keys = [*(spec.key for spec in fields_of(subject)), *relations_of(subject, user)]
    form = RecordForm(
        subject, user, current_values(subject, row, keys), request.POST if request.method == "POST" else None
    )
    _tell_who_is_right(form, row)
    if request.method == "POST":
        typed = form.typed()
        if met := form.conflicts(typed):
            form = _meeting(form, request, met)
            return _page(request, subject, form, row)
        try:
            moved = _change(row, typed, user)
        except ChangeRefused as refused:
            _blame(form, refused)
        else:
            messages.success(request, _("Changes saved.") if moved else _("Nothing had changed."))
            return _to_record(request, subject, row)
    return _page(request, subject, form, row)


def _tell_who_is_right(form: RecordForm, row: Person | Company) -> None:
    """Under a field the CRM is right about, say so before somebody types a value that will be put back."""
    in_crm = person_crm(row.pk) if isinstance(row, Person) else company_crm(row.pk)
    for side in in_crm:
        for source in side.fields:
            if source.owner is RightSide.CRM and source.field_key in form.fields:
                field = form.fields[source.field_key]
                told = _("%(crm)s is right (%(field)s).") % {"crm": side.connection.name, "field": source.crm_field}
                field.help_text = f"{field.help_text} {told}".strip()


def relations_of(subject: Subject, user: User) -> list[str]:
    """Whom the record belongs to may be changed by those who see every team: others would lose sight of it."""
    return ["owner", "team"] if user.may(Permission.VIEW_ALL_PEOPLE) else []


def _change(row: Person | Company, typed: Mapping[str, str], user: User) -> list[FieldChange]:
    actor, now = f"user:{user.pk}", utc_now()
    if isinstance(row, Person):
        return change_person(row, typed, actor=actor, now=now, reading=readers_reading())
    return change_company(row, typed, actor=actor, now=now, reading=readers_reading())


def _kept(typed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in typed.items() if value not in ("", None)}


def _control(spec: FieldSpec, *, is_required: bool, now: str) -> forms.Field:
    """The control that fits the kind. A choice that is no longer listed stays selectable for the record that has it."""
    common: dict[str, Any] = {"label": spec.label, "required": is_required, "help_text": spec.help_text}
    match spec.kind:
        case FieldKind.LONG_TEXT:
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), **common)
        case FieldKind.BOOLEAN:
            return forms.ChoiceField(choices=[("", _("Unknown")), ("yes", _("Yes")), ("no", _("No"))], **common)
        case FieldKind.CHOICE if spec.choices:
            listed = dict.fromkeys([*spec.choices, *([now] if now else [])])
            return forms.ChoiceField(choices=[("", "–"), *((choice, choice) for choice in listed)], **common)
        case FieldKind.CHOICES if spec.choices:
            listed = dict.fromkeys([*spec.choices, *(part for part in now.split("; ") if part)])
            return _Several(choices=[(choice, choice) for choice in listed], **common)
        case FieldKind.DATE:
            return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}), **common)
        case FieldKind.EMAIL:
            return forms.CharField(widget=forms.EmailInput, **common)
        case FieldKind.PHONE:
            return forms.CharField(widget=forms.TextInput(attrs={"type": "tel"}), **common)
        case FieldKind.INTEGER | FieldKind.NUMBER:
            return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal"}), **common)
        case _:
            return forms.CharField(**common)


class _Several(forms.MultipleChoiceField):
    """Several choices, written in one text as the room reads them."""

    def prepare_value(self, value: Any) -> Any:
        return [part for part in value.split("; ") if part] if isinstance(value, str) else value


def _blame(form: RecordForm, refused: ChangeRefused) -> None:
    form.full_clean()
    form.errors.clear()
    for key, reason in refused.reasons.items():
        said = explain_reason(reason)
        form.add_error(key if key in form.fields else None, f"{said.says} {said.remedy}".strip())


def _meeting(form: RecordForm, request: HttpRequest, met: Mapping[str, str]) -> RecordForm:
    """The form again, with what is there now remembered, and both values said where two people wrote."""
    data = request.POST.copy()
    data["seen"] = signing.dumps(form.shown_now, salt=SALT)
    again = RecordForm(form.subject, signed_in(request), {}, data)
    again.shown_now = form.shown_now
    again.full_clean()
    again.errors.clear()
    for key, theirs in met.items():
        again.add_error(
            key,
            _("Somebody else changed this meanwhile to “%(theirs)s”. Save again to put yours instead, or copy theirs.")
            % {"theirs": theirs or _("empty")},
        )
    return again


def _page(request: HttpRequest, subject: Subject, form: RecordForm, row: Person | Company | None) -> HttpResponse:
    template = "lists/_form.html" if request.headers.get("HX-Request") else PAGES[subject][1]
    context = {"form": form, "row": row, "subject": subject.value, "address": request.path}
    return render(request, template, context, status=422 if form.errors else 200)


def _to_record(request: HttpRequest, subject: Subject, row: Person | Company) -> HttpResponse:
    there = redirect(PAGES[subject][0], row.pk)
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = there.url
        return response
    return there
