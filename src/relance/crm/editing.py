"""Edits of a mapping, made on values: the version in force is never touched, its copy is the draft that each edit replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from relance.people.catalogue import Subject
from relance.workspace.models import User

from .drafts import PRESETS, FieldDraft, ObjectDraft, draft_of
from .mapping import approved_mapping, draft_mapping, save_draft
from .models import Connection
from .models import Mapping as FieldsMapping
from .rules import Creates, MappingState, RightSide

Objects = tuple[ObjectDraft, ...]
Edit = Callable[[Objects], Objects]


def edit_mapping(connection: Connection, edit: Edit, *, by: User | None, now: datetime | None = None) -> FieldsMapping:
    """Apply an edit to the draft, or to a copy of the version in force. An edit that changes nothing makes no draft."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        current = draft_mapping(connection) or approved_mapping(connection)
        before = draft_of(current) if current else ()
        after = edit(before)
        if current is not None and after == before:
            return current
        return save_draft(connection, after, by=by, now=now)


def discard_draft(connection: Connection) -> bool:
    """Throw the draft away; what is in force is not touched. Tells whether there was one."""
    deleted, _rows = connection.mappings.filter(state=MappingState.DRAFT.value).delete()
    return bool(deleted)


# ── The edits ────────────────────────────────────────────────────────────────────────────────────────────────────────


def set_owner(subject: Subject, key: str, owner: RightSide) -> Edit:
    """Say who is right about a field, in every object that has it."""
    return _on_lines(subject, key, lambda line: replace(line, owner=owner))


def set_preset(subject: Subject, key: str, preset: str) -> Edit:
    """Let a field follow a preset, in every object that has it."""
    policy = PRESETS[preset]
    return _on_lines(subject, key, lambda line: replace(line, owner=policy.owner, blank=policy.blank))


def set_lines(key: str, lines: Mapping[str, FieldDraft | None]) -> Edit:
    """Put these lines in place of the field's, object by object; None takes the field out of that object."""

    def edit(objects: Objects) -> Objects:
        return tuple(
            _with_line(draft, key, lines[draft.object]) if draft.object in lines else draft for draft in objects
        )

    return edit


def remove_field(subject: Subject, key: str) -> Edit:
    """Take a field out of every object of its subject: its values stay where they are, on both sides."""

    def edit(objects: Objects) -> Objects:
        return tuple(_with_line(draft, key, None) if draft.subject is subject else draft for draft in objects)

    return edit


def restore_field(subject: Subject, key: str, before: Sequence[ObjectDraft]) -> Edit:
    """Put a field back as it is in the version in force."""
    was = {draft.object: _line_of(draft, key) for draft in before if draft.subject is subject}
    return set_lines(key, was)


def set_creation(object: str, creates: Creates, external_id_field: str) -> Edit:
    """Say who becomes a new record of an object, and by which field of the CRM we find ours again."""

    def edit(objects: Objects) -> Objects:
        return tuple(
            replace(draft, creates=creates, external_id_field=external_id_field) if draft.object == object else draft
            for draft in objects
        )

    return edit


def _on_lines(subject: Subject, key: str, change: Callable[[FieldDraft], FieldDraft]) -> Edit:
    def changed(draft: ObjectDraft) -> ObjectDraft:
        lines = tuple(change(line) if line.field_key == key else line for line in draft.fields)
        return replace(draft, fields=lines)

    return lambda objects: tuple(changed(draft) if draft.subject is subject else draft for draft in objects)


def _line_of(draft: ObjectDraft, key: str) -> FieldDraft | None:
    return next((line for line in draft.fields if line.field_key == key), None)


def _with_line(draft: ObjectDraft, key: str, line: FieldDraft | None) -> ObjectDraft:
    """In the place where the field was, else at the end."""
    if line is None:
        return replace(draft, fields=tuple(each for each in draft.fields if each.field_key != key))
    if _line_of(draft, key) is None:
        return replace(draft, fields=(*draft.fields, line))
    return replace(draft, fields=tuple(line if each.field_key == key else each for each in draft.fields))
