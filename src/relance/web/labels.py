"""What fields are called on pages, by their key in the catalogue of people or of companies."""

from __future__ import annotations

from relance.people.catalogue import Subject, fields_of


def field_label(key: str) -> str:
    """The field's name in the reader's language; the key itself for a field that is no more."""
    return next((str(spec.label) for subject in Subject for spec in fields_of(subject) if spec.key == key), key)
