"""The fields a person and a company have, the core ones and the workspace's own, under one description.

Import, mappings, filters and pages all read this: a field has a key, a kind, and the table and column where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"  # several values; text[] in the database


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


class Subject(StrEnum):
    """What a field belongs to."""

    PERSON = "person"
    COMPANY = "company"


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


def core_fields(subject: Subject) -> tuple[FieldSpec, ...]:
    return PERSON_FIELDS if subject is Subject.PERSON else COMPANY_FIELDS
