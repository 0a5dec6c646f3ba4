"""The fields a person and a company have, the core ones and the workspace's own, under one description.

Import, mappings, filters and pages all read this: a field has a key, a kind, and the table and column where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from .rules import FieldKind as FieldKind
from .rules import Subject as Subject

COLUMN_TYPES: dict[FieldKind, str] = {
    FieldKind.TEXT: "text",
    FieldKind.LONG_TEXT: "text",
    FieldKind.EMAIL: "text",
    FieldKind.PHONE: "text",
    FieldKind.URL: "text",
    FieldKind.INTEGER: "bigint",
    FieldKind.NUMBER: "numeric",
    FieldKind.BOOLEAN: "boolean",
    FieldKind.DATE: "date",
    FieldKind.DATETIME: "timestamptz",
    FieldKind.CHOICE: "text",
    FieldKind.CHOICES: "text[]",
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `key` is its stable name (`first_name`, `f_12`); empty text is never stored, only NULL."""

    key: str
    label: Any
    kind: FieldKind
    table: str
    column: str
    is_custom: bool = False
    choices: tuple[str, ...] = ()
    help_text: str = ""

    @property
    def column_type(self) -> str:
        return COLUMN_TYPES[self.kind]


def _core(table: str, *fields: tuple[str, Any, FieldKind]) -> tuple[FieldSpec, ...]:
    return tuple(FieldSpec(key, label, kind, table, key) for key, label, kind in fields)


PERSON_FIELDS = _core(
    "person",
    ("email", _("E-mail"), FieldKind.EMAIL),
    ("salutation", _("Salutation"), FieldKind.TEXT),
    ("first_name", _("First name"), FieldKind.TEXT),
    ("last_name", _("Last name"), FieldKind.TEXT),
    ("job_title", _("Job title"), FieldKind.TEXT),
    ("company_name", _("Company name"), FieldKind.TEXT),
    ("phone", _("Phone"), FieldKind.PHONE),
    ("mobile_phone", _("Mobile phone"), FieldKind.PHONE),
    ("website", _("Website"), FieldKind.URL),
    ("street", _("Street"), FieldKind.LONG_TEXT),
    ("postal_code", _("Postal code"), FieldKind.TEXT),
    ("city", _("City"), FieldKind.TEXT),
    ("state", _("State or region"), FieldKind.TEXT),
    ("country", _("Country"), FieldKind.TEXT),
    ("language", _("Language"), FieldKind.TEXT),
    ("lead_source", _("Source"), FieldKind.TEXT),
    ("status", _("Status"), FieldKind.TEXT),
    ("score", _("Score"), FieldKind.INTEGER),
)

COMPANY_FIELDS = _core(
    "company",
    ("name", _("Name"), FieldKind.TEXT),
    ("website", _("Website"), FieldKind.URL),
    ("phone", _("Phone"), FieldKind.PHONE),
    ("industry", _("Industry"), FieldKind.TEXT),
    ("employees", _("Employees"), FieldKind.INTEGER),
    ("street", _("Street"), FieldKind.LONG_TEXT),
    ("postal_code", _("Postal code"), FieldKind.TEXT),
    ("city", _("City"), FieldKind.TEXT),
    ("state", _("State or region"), FieldKind.TEXT),
    ("country", _("Country"), FieldKind.TEXT),
)


SIDE_TABLES = {Subject.PERSON: "person_x", Subject.COMPANY: "company_x"}
_read: dict[Subject, tuple[int, tuple[FieldSpec, ...]]] = {}


def core_fields(subject: Subject) -> tuple[FieldSpec, ...]:
    """The fields every workspace has."""
    return PERSON_FIELDS if subject is Subject.PERSON else COMPANY_FIELDS


def fields_of(subject: Subject) -> tuple[FieldSpec, ...]:
    """Every live field, the workspace's own after the core ones. One small query: the version says whether to read again."""
    version = fieldset_version()
    known = _read.get(subject)
    if known is None or known[0] != version:
        known = _read[subject] = (version, core_fields(subject) + _custom_fields(subject))
    return known[1]


def field_of(subject: Subject, key: str) -> FieldSpec | None:
    """One live field by its key, or None."""
    return next((field for field in fields_of(subject) if field.key == key), None)


def fieldset_version() -> int:
    """Moves with every change of the custom fields, in the very transaction that changes their columns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM people_fieldsetversion WHERE id = 1")
        row = cursor.fetchone()
    return row[0] if row else 0


def _custom_fields(subject: Subject) -> tuple[FieldSpec, ...]:
    from .models import CustomField  # the models lean on this module

    rows = CustomField.objects.filter(subject=subject.value, hidden_at=None).order_by("id")
    return tuple(
        FieldSpec(
            row.column,
            row.label,
            FieldKind(row.kind),
            SIDE_TABLES[subject],
            row.column,
            is_custom=True,
            choices=tuple(row.choices),
            help_text=row.help_text,
        )
        for row in rows
    )
