"""Changing the tables while everybody works: custom fields as real columns, and one executor for every run-time DDL.

A change asks for its locks for a third of a second at most and tries again later: a statement that waits for its lock makes
every reader after it wait too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg import errors
from psycopg.sql import SQL, Identifier

from .catalogue import COLUMN_TYPES, SIDE_TABLES, FieldKind, Subject
from .models import CustomField

LOCK_TIMEOUT_MS = 300
ATTEMPTS = 8
MOST_FIELDS = 400  # live ones a subject; a table holds 1,600 columns, those dropped counted
DROPPED_AFTER = timedelta(days=30)
MOST_CHOICES = 500
Result = TypeVar("Result")


class SchemaBusy(Exception):
    """Ours: the table was in use at each attempt. Nothing was changed; try again."""


class FieldRefused(Exception):
    """Theirs: this field cannot be made so. The message says why and what to do; nothing was changed."""


def run_ddl(statements: Sequence[str], attempts: int = ATTEMPTS) -> None:
    """Run statements in one transaction, locks asked for shortly and again with a back-off. SchemaBusy when all attempts failed."""

    def run() -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    change_schema(run, attempts)


def change_schema(change: Callable[[], Result], attempts: int = ATTEMPTS) -> Result:
    """Run a change of tables and rows in one transaction, with the same patience; all of it or nothing."""
    for attempt in range(attempts):
        try:
            return _changed(change)
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
        if attempt + 1 < attempts:
            time.sleep(min(0.1 * 2**attempt, 2) * random.uniform(0.5, 1.0))  # noqa: S311 (a pause, not a secret)
    raise SchemaBusy(
        _("The tables were in use at each of %(attempts)s attempts. Nothing was changed; try again in a minute.")
        % {"attempts": attempts}
    )


def create_custom_field(
    subject: Subject,
    label: str,
    kind: FieldKind,
    *,
    now: datetime,
    actor: str = "system",
    choices: Sequence[str] = (),
    help_text: str = "",
) -> CustomField:
    """Register a field and add its column, in one transaction. FieldRefused when the name is taken or the limit reached."""
    label = _checked_label(subject, label)
    listed = checked_choices(kind, choices)

    def create() -> CustomField:
        field = CustomField.objects.create(
            subject=subject.value,
            label=label,
            kind=kind.value,
            choices=listed,
            help_text=help_text.strip()[:200],
            created_at=now,
            created_by=actor,
        )
        _execute(
            "ALTER TABLE {table} ADD COLUMN {column} " + COLUMN_TYPES[kind],
            table=SIDE_TABLES[subject],
            column=field.column,
        )
        _bump()
        return field

    try:
        return change_schema(create)
    except IntegrityError as error:
        raise FieldRefused(_label_taken(label)) from error


def change_custom_field(
    field: CustomField, *, label: str, choices: Sequence[str] = (), help_text: str = ""
) -> CustomField:
    """Rename a field, change its help or its choices: no column moves. A choice in use may go; its values stay as they are."""
    field.label = _checked_label(Subject(field.subject), label, besides=field)
    field.choices = checked_choices(FieldKind(field.kind), choices)
    field.help_text = help_text.strip()[:200]
    with transaction.atomic():
        field.save(update_fields=["label", "choices", "help_text"])
        _bump()
    return field


def hide_custom_field(field: CustomField, *, now: datetime) -> None:
    """Take a field out of every page; its column and values stay for thirty days, and `show_custom_field` brings them back."""
    with transaction.atomic():
        field.hidden_at = now
        field.save(update_fields=["hidden_at"])
        _bump()


def show_custom_field(field: CustomField) -> None:
    """Bring a hidden field back with all its values. FieldRefused when its column is gone or its name taken meanwhile."""
    if field.dropped_at:
        raise FieldRefused(
            _("“%(label)s” was removed for good on %(day)s; make a new field.")
            % {"label": field.label, "day": field.dropped_at.date().isoformat()}
        )
    _checked_label(Subject(field.subject), field.label, besides=field)
    with transaction.atomic():
        field.hidden_at = None
        field.save(update_fields=["hidden_at"])
        _bump()


def drop_hidden_fields(now: datetime) -> list[CustomField]:
    """Remove the columns of fields hidden for thirty days. The registry rows stay: a number is never used twice."""
    dropped = []
    for field in CustomField.objects.filter(hidden_at__lt=now - DROPPED_AFTER, dropped_at=None):

        def drop(field: CustomField = field) -> None:
            _execute(
                "ALTER TABLE {table} DROP COLUMN IF EXISTS {column}",
                table=SIDE_TABLES[Subject(field.subject)],
                column=field.column,
            )
            field.dropped_at = now
            field.save(update_fields=["dropped_at"])
            _bump()

        change_schema(drop)
        dropped.append(field)
    return dropped


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """The registry and the database disagree about one column."""

    table: str
    column: str
    expected: str
    found: str


def verify_schema() -> list[SchemaDifference]:
    """Compare the registry with the catalogue of the database: missing, foreign and wrongly typed columns."""
    differences = []
    for subject, table in SIDE_TABLES.items():
        live = CustomField.objects.filter(subject=subject.value, dropped_at=None)
        expected = {field.column: COLUMN_TYPES[FieldKind(field.kind)] for field in live}
        found = _columns(table)
        for column in sorted(expected.keys() | found.keys()):
            wanted, there = expected.get(column, ""), found.get(column, "")
            if wanted != there:
                differences.append(SchemaDifference(table, column, wanted, there))
    return differences


def checked_choices(kind: FieldKind, choices: Sequence[str]) -> list[str]:
    """The choices without blanks and twins. FieldRefused when a choice field has none, or too many."""
    if kind not in (FieldKind.CHOICE, FieldKind.CHOICES):
        return []
    listed = list({choice.lower(): choice for choice in (raw.strip() for raw in choices) if choice}.values())
    if not listed:
        raise FieldRefused(_("A field of choices needs at least one choice: write one a line."))
    if len(listed) > MOST_CHOICES or max(map(len, listed)) > 255:
        raise FieldRefused(_("A field holds at most %(most)s choices of 255 characters.") % {"most": MOST_CHOICES})
    if kind is FieldKind.CHOICES and any(";" in choice for choice in listed):
        raise FieldRefused(_("A choice among several cannot hold a semicolon: it separates them."))
    return listed


def _checked_label(subject: Subject, label: str, besides: CustomField | None = None) -> str:
    label = " ".join(label.split())
    if not label or len(label) > 80:
        raise FieldRefused(_("Give the field a name of 1 to 80 characters."))
    live = CustomField.objects.filter(subject=subject.value, hidden_at=None)
    if besides:
        live = live.exclude(pk=besides.pk)
    if live.filter(label__iexact=label).exists():
        raise FieldRefused(_label_taken(label))
    if live.count() >= MOST_FIELDS:
        raise FieldRefused(
            _("There are %(most)s fields, the most one subject may have: hide one that is no longer used.")
            % {"most": MOST_FIELDS}
        )
    return label


def _label_taken(label: str) -> str:
    return _("There is already a field “%(label)s”: choose another name.") % {"label": label}


def _changed(change: Callable[[], Result]) -> Result:
    """The timeout holds for this change alone, also inside a longer transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_MS}ms"])
        result = change()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
        return result


def _execute(statement: str, **names: str) -> None:
    with connection.cursor() as cursor:
        quoted = {name: Identifier(value) for name, value in names.items()}
        cursor.execute(SQL(statement).format(**quoted).as_string(cursor.connection))


def _bump() -> None:
    with connection.cursor() as cursor:
        # Drawn, not counted: a version that was rolled back must never come again with other fields behind it.
        cursor.execute(
            "INSERT INTO people_fieldsetversion (id, version) VALUES (1, time_id(clock_timestamp(), nextval('people_fieldset_seq'))) "
            "ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version"
        )


def _columns(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, CASE format_type(atttypid, atttypmod) WHEN 'timestamp with time zone' THEN 'timestamptz' "
            "ELSE format_type(atttypid, atttypmod) END FROM pg_attribute "
            "WHERE attrelid = to_regclass(%s) AND attnum > 1 AND NOT attisdropped",
            [table],
        )
        return dict(cursor.fetchall())
