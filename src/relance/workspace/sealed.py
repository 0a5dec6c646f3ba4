"""A text column that is sealed at rest: read and written as plain text, kept as `<key id>:<token>`.

A value is opened when the row is read, except when its key is gone: then the row is still readable and the value is a
`SealedAway`, which says so when somebody needs the secret. A lost key must not close the page that tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from relance.lib.sealing import KeyIsGone, Sealer

RESEAL_BATCH = 500


@dataclass(frozen=True, slots=True)
class SealedAway:
    """A secret whose key is not given to this server any more. Kept as it is, written back as it was."""

    sealed: str
    says: str

    def __str__(self) -> str:
        raise KeyIsGone(self.says)

    def __bool__(self) -> bool:
        return True


class SealedTextField(models.TextField):  # type: ignore[type-arg]
    """Plain text in Python, sealed in the database. It cannot be searched: the same text never seals to the same token."""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | SealedAway | None:
        if not value:
            return value
        try:
            return sealer().open(value)
        except KeyIsGone as gone:
            return SealedAway(value, str(gone))

    def get_prep_value(self, value: Any) -> Any:
        if value is None or value == "":
            return value
        return value.sealed if isinstance(value, SealedAway) else sealer().seal(str(value))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, SealedAway) else str(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is sealed: it cannot be searched by {lookup_name!r}.")
        return super().get_lookup(lookup_name)


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a rotation did: sealed anew, already current, and left alone because their key is gone."""

    resealed: int
    current: int
    lost: tuple[str, ...]


def opened(value: str | SealedAway | None) -> str:
    """The secret, or nothing. KeyIsGone when it was sealed with a key that is no longer given."""
    return str(value) if value else ""


def reseal() -> Resealed:
    """Seal every secret with the newest key, so that the older ones can be thrown away. Can be stopped and run again."""
    resealed, current, lost = 0, 0, []
    for model, field in sealed_columns():
        for key, value in _sealed_values(model, field):
            if sealer().is_current(value):
                current += 1
            elif _reseal_one(model, field, key=key, value=value):
                resealed += 1
            else:
                lost.append(f"{model._meta.label} {key}: {field.name}")
    return Resealed(resealed, current, tuple(lost))


def lost_secrets() -> list[str]:
    """The secrets no given key opens, as `crm.Connection 2: secret`: what the doctor asks."""
    return [
        f"{model._meta.label} {key}: {field.name}"
        for model, field in sealed_columns()
        for key, value in _sealed_values(model, field)
        if not _opens(value)
    ]


def sealed_columns() -> Iterator[tuple[type[models.Model], SealedTextField]]:
    """Every sealed column of every room."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedTextField):
                yield model, field


@cache
def _sealer_of(keys: tuple[str, ...]) -> Sealer:
    return Sealer(list(keys))


def sealer() -> Sealer:
    """The sealer of this server's keys."""
    return _sealer_of(tuple(settings.SECRET_KEYS))


def _sealed_values(model: type[models.Model], field: SealedTextField) -> Iterator[tuple[Any, str]]:
    """Keys and sealed texts, a batch at a time by key, so that a change meanwhile is no matter."""
    table, primary, column = _quoted(model, field)
    text = (
        f"SELECT {primary}, {column} FROM {table} WHERE {column} <> '' AND {primary} > coalesce(%s, {primary} - 1) "  # noqa: S608
        f"ORDER BY {primary} LIMIT {RESEAL_BATCH}"
    )
    after = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(text, [after])
            batch = cursor.fetchall()
        yield from batch
        if len(batch) < RESEAL_BATCH:
            return
        after = batch[-1][0]


def _reseal_one(model: type[models.Model], field: SealedTextField, *, key: Any, value: str) -> bool:
    """Seal one value anew, unless somebody changed it meanwhile. False when no key opens it."""
    try:
        text = sealer().open(value)
    except KeyIsGone:
        return False
    table, primary, column = _quoted(model, field)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {primary} = %s AND {column} = %s",  # noqa: S608
            [sealer().seal(text), key, value],
        )
    return True


def _quoted(model: type[models.Model], field: SealedTextField) -> tuple[str, str, str]:
    """Table, primary key and column as SQL writes them."""
    names = (model._meta.db_table, model._meta.pk.column or "id", field.column or field.name)
    table, primary, column = (connection.ops.quote_name(name) for name in names)
    return table, primary, column


def _opens(value: str) -> bool:
    try:
        sealer().open(value)
    except KeyIsGone:
        return False
    return True
