"""Django's view of the side tables: a model made at run time from the registry, for filters and sorts written as expressions.

The models live in a registry of their own, so that nothing enters Django's and none gets a reverse name. They are made
again when the version of the fields moved. A model of an older version still works after a column was added.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from .catalogue import SIDE_TABLES, FieldKind, FieldSpec, Subject, fields_of, fieldset_version
from .models import Company, Person


class _OutsideOfDjango(Apps):
    """An app registry that forgets: models of the same name may be made again and again."""

    def register_model(self, app_label: str, model: type[models.Model]) -> None:
        pass

    def do_pending_operations(self, model: type[models.Model]) -> None:
        pass


_REGISTRY = _OutsideOfDjango()
_SUBJECTS: dict[Subject, type[models.Model]] = {Subject.PERSON: Person, Subject.COMPANY: Company}
_made: dict[Subject, tuple[int, type[models.Model]]] = {}


def side_model(subject: Subject) -> type[models.Model]:
    """The model of a subject's side table with every live custom field, under its column's name."""
    version = fieldset_version()
    known = _made.get(subject)
    if known is None or known[0] != version:
        known = _made[subject] = (version, _make(subject))
    return known[1]


def filled_counts(subject: Subject) -> dict[str, int]:
    """How many rows have a value in each live custom field."""
    columns = [field.column for field in fields_of(subject) if field.is_custom]
    model = side_model(subject)
    if not columns:
        return {}
    counts = {f"n_{column}": models.Count(column) for column in columns}
    read: dict[str, int] = model._default_manager.aggregate(**counts)
    return {column: read[f"n_{column}"] for column in columns}


def _make(subject: Subject) -> type[models.Model]:
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "Meta": type(
            "Meta", (), {"app_label": "people", "db_table": SIDE_TABLES[subject], "managed": False, "apps": _REGISTRY}
        ),
        subject.value: models.OneToOneField(
            _SUBJECTS[subject], models.DO_NOTHING, primary_key=True, related_name="+", db_column=f"{subject.value}_id"
        ),
    }
    attributes |= {field.column: _column(field) for field in fields_of(subject) if field.is_custom}
    return type(f"{subject.value.capitalize()}Side", (models.Model,), attributes)


def _column(field: FieldSpec) -> models.Field[Any, Any]:
    match field.kind:
        case FieldKind.INTEGER:
            return models.BigIntegerField(null=True)
        case FieldKind.NUMBER:
            return models.DecimalField(null=True, max_digits=60, decimal_places=15)
        case FieldKind.BOOLEAN:
            return models.BooleanField(null=True)
        case FieldKind.DATE:
            return models.DateField(null=True)
        case FieldKind.DATETIME:
            return models.DateTimeField(null=True)
        case FieldKind.CHOICES:
            return ArrayField(models.TextField(), null=True)
        case _:
            return models.TextField(null=True)
