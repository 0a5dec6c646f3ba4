"""Settings of the custom fields: which there are, adding, renaming, hiding with the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relance.lib.clock import utc_now
from relance.people.catalogue import FieldKind, Subject, core_fields
from relance.people.models import CustomField
from relance.people.schema import (
    DROPPED_AFTER,
    FieldRefused,
    SchemaBusy,
    change_custom_field,
    create_custom_field,
    hide_custom_field,
    show_custom_field,
    verify_schema,
)
from relance.people.side import filled_counts
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in

KIND_NAMES = {
    FieldKind.TEXT: gettext_lazy("Text, one line"),
    FieldKind.LONG_TEXT: gettext_lazy("Text, several lines"),
    FieldKind.EMAIL: gettext_lazy("E-mail address"),
    FieldKind.PHONE: gettext_lazy("Telephone number"),
    FieldKind.URL: gettext_lazy("Web address"),
    FieldKind.INTEGER: gettext_lazy("Whole number"),
    FieldKind.NUMBER: gettext_lazy("Number with decimals"),
    FieldKind.BOOLEAN: gettext_lazy("Yes or no"),
    FieldKind.DATE: gettext_lazy("Date"),
    FieldKind.DATETIME: gettext_lazy("Date and hour"),
    FieldKind.CHOICE: gettext_lazy("One choice of a list"),
    FieldKind.CHOICES: gettext_lazy("Several choices of a list"),
}
SUBJECT_NAMES = {Subject.PERSON: gettext_lazy("People"), Subject.COMPANY: gettext_lazy("Companies")}


class FieldForm(forms.Form):
    """A field; its kind is chosen once."""

    label = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[(kind.value, name) for kind, name in KIND_NAMES.items()],
        help_text=gettext_lazy("The kind cannot be changed later: make another field and hide this one."),
    )
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("One a line. For the two kinds of choices only."),
    )
    help_text = forms.CharField(
        label=gettext_lazy("Hint"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Shown under the name wherever the field is filled in."),
    )

    def __init__(self, *args: Any, field: CustomField | None = None, **options: Any) -> None:
        if field is not None:
            options["initial"] = {
                "label": field.label,
                "kind": field.kind,
                "choices": "\n".join(field.choices),
                "help_text": field.help_text,
            }
        super().__init__(*args, **options)
        if field is not None:
            del self.fields["kind"]
            if FieldKind(field.kind) not in (FieldKind.CHOICE, FieldKind.CHOICES):
                del self.fields["choices"]

    @property
    def listed(self) -> list[str]:
        return str(self.cleaned_data.get("choices", "")).splitlines()


@require_safe
@opens_to(Permission.MANAGE_FIELDS)
def custom_fields(request: HttpRequest, subject: str = Subject.PERSON.value) -> HttpResponse:
    """The fields of a subject: own ones with how often they are filled in, those hidden, and what everybody has."""
    about = _subject(subject)
    own = CustomField.objects.filter(subject=about.value).order_by("label")
    live = [field for field in own if field.hidden_at is None]
    hidden = [field for field in own if field.hidden_at is not None and field.dropped_at is None]
    filled = filled_counts(about)
    return render(
        request,
        "custom_fields/list.html",
        {
            "subject": about.value,
            "subjects": [
                {"label": name, "address": _address(one), "is_current": one is about}
                for one, name in SUBJECT_NAMES.items()
            ],
            "live": [{"field": field, "kind": _kind(field), "filled": filled.get(field.column, 0)} for field in live],
            "hidden": [{"field": field, "kind": _kind(field), "goes": _goes(field)} for field in hidden],
            "core": [{"label": spec.label, "kind": KIND_NAMES[spec.kind]} for spec in core_fields(about)],
            "differences": verify_schema(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_FIELDS)
def new_field(request: HttpRequest, subject: str) -> HttpResponse:
    """Add a field: a column of its own, there at once."""
    about = _subject(subject)
    form = FieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            field = create_custom_field(
                about,
                form.cleaned_data["label"],
                FieldKind(form.cleaned_data["kind"]),
                now=utc_now(),
                actor=f"user:{signed_in(request).pk}",
                choices=form.listed,
                help_text=form.cleaned_data["help_text"],
            )
        except (FieldRefused, SchemaBusy) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Field “%(label)s” added.") % {"label": field.label})
            return redirect(_address(about))
    return _form_page(request, form, about, None)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_FIELDS)
def edit_field(request: HttpRequest, field_id: int) -> HttpResponse:
    """Rename a field, change its choices and hint."""
    field = get_object_or_404(CustomField, pk=field_id, hidden_at=None)
    about = Subject(field.subject)
    form = FieldForm(request.POST if request.method == "POST" else None, field=field)
    if request.method == "POST" and form.is_valid():
        try:
            change_custom_field(
                field,
                label=form.cleaned_data["label"],
                choices=form.listed,
                help_text=form.cleaned_data["help_text"],
            )
        except FieldRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Field “%(label)s” saved.") % {"label": field.label})
            return redirect(_address(about))
    return _form_page(request, form, about, field)


@require_POST
@opens_to(Permission.MANAGE_FIELDS)
def hide_field(request: HttpRequest, field_id: int) -> HttpResponse:
    """Hide a field; its values wait thirty days."""
    field = get_object_or_404(CustomField, pk=field_id, hidden_at=None)
    hide_custom_field(field, now=utc_now())
    said = _("Field “%(label)s” hidden; its values are kept until %(day)s.")
    undo = f"undo:{reverse('custom-field-show', args=[field.pk])}"
    messages.success(request, said % {"label": field.label, "day": _goes(field).date().isoformat()}, extra_tags=undo)
    return redirect(_address(Subject(field.subject)))


@require_POST
@opens_to(Permission.MANAGE_FIELDS)
def show_field(request: HttpRequest, field_id: int) -> HttpResponse:
    """Bring a hidden field back with its values."""
    field = get_object_or_404(CustomField, pk=field_id, hidden_at__isnull=False)
    try:
        show_custom_field(field)
    except FieldRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Field “%(label)s” is back with its values.") % {"label": field.label})
    return redirect(_address(Subject(field.subject)))


def _form_page(request: HttpRequest, form: FieldForm, about: Subject, field: CustomField | None) -> HttpResponse:
    return render(
        request,
        "custom_fields/form.html",
        {
            "form": form,
            "field": field,
            "kind": _kind(field) if field else "",
            "cancel": _address(about),
            "subject": about.value,
        },
        status=422 if form.errors else 200,
    )


def _subject(word: str) -> Subject:
    if word not in [subject.value for subject in Subject]:
        raise Http404
    return Subject(word)


def _address(about: Subject) -> str:
    return reverse("custom-fields") if about is Subject.PERSON else reverse("custom-fields-of", args=[about.value])


def _kind(field: CustomField) -> Any:
    return KIND_NAMES[FieldKind(field.kind)]


def _goes(field: CustomField) -> Any:
    """When the values of a hidden field go for good."""
    return (field.hidden_at or utc_now()) + timedelta(days=DROPPED_AFTER.days)


urlpatterns = [
    path("settings/fields", custom_fields, name="custom-fields"),
    path("settings/fields/<str:subject>/new", new_field, name="custom-field-new"),
    path("settings/fields/<int:field_id>", edit_field, name="custom-field"),
    path("settings/fields/<int:field_id>/hide", hide_field, name="custom-field-hide"),
    path("settings/fields/<int:field_id>/show", show_field, name="custom-field-show"),
    path("settings/fields/<str:subject>", custom_fields, name="custom-fields-of"),
]
