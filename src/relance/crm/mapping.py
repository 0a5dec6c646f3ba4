"""Mappings: drafted, checked on both sides, and compared. An approved one never changes; the next begins as its copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from relance.lib.clock import utc_now
from relance.people.catalogue import FieldSpec, Subject, fields_of
from relance.workspace.models import User

from .describing import description_of
from .dialect import FieldDescription, ObjectDescription
from .dirty import watch_changes
from .drafts import FieldDraft, ObjectDraft, draft_of, fits, fits_back, suggest_mapping, unmapped_crm_fields
from .models import Connection, DirtyField, FieldMapping, Mapping, ObjectMapping, QueuedPush
from .plan import plans_of
from .pull import forget_stamps
from .rules import Creates, Direction, MappingState, PushState, RightSide, Transform

__all__ = [
    "Finding",
    "approve_mapping",
    "approved_mapping",
    "check_mapping",
    "draft_mapping",
    "draft_of",
    "mapping_hash",
    "save_draft",
    "suggest_mapping",
    "unmapped_crm_fields",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a mapping an administrator must know. With `is_error` it cannot be approved."""

    code: str
    is_error: bool
    object: str
    field_key: str
    crm_field: str
    says: Any
    remedy: Any = ""
    seen: dict[str, Any] | None = None

    @property
    def sentence(self) -> str:
        return str(self.says) % {
            "object": self.object,
            "field": self.field_key,
            "crm_field": self.crm_field,
            **(self.seen or {}),
        }


def save_draft(
    connection: Connection, objects: Sequence[ObjectDraft], *, by: User | None, now: datetime | None = None
) -> Mapping:
    """Keep these values as the connection's draft, in place of the draft there was. Its dry run must be done anew."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        connection.mappings.filter(state=MappingState.DRAFT.value).delete()
        last = connection.mappings.aggregate(last=Max("version"))["last"] or 0
        mapping = Mapping.objects.create(connection=connection, version=last + 1, made_by=by, made_at=now or utc_now())
        for draft in objects:
            _save_object(mapping, draft)
    return mapping


def _save_object(mapping: Mapping, draft: ObjectDraft) -> None:
    row = ObjectMapping.objects.create(
        mapping=mapping,
        object=draft.object,
        subject=draft.subject.value,
        creates=draft.creates.value,
        external_id_field=draft.external_id_field,
    )
    FieldMapping.objects.bulk_create(
        FieldMapping(
            object_mapping=row,
            field_key=line.field_key,
            crm_field=line.crm_field,
            owner=line.owner.value,
            blank=line.blank.value,
            direction=line.direction.value,
            transform=line.transform.value,
            value_map=line.value_map,
            number=number,
        )
        for number, line in enumerate(draft.fields, start=1)
    )


def draft_mapping(connection: Connection) -> Mapping | None:
    """The draft being edited, if there is one."""
    return connection.mappings.filter(state=MappingState.DRAFT.value).first()


def approved_mapping(connection: Connection) -> Mapping | None:
    """The version in force, if one was ever approved."""
    return connection.mappings.filter(state=MappingState.APPROVED.value).first()


def mapping_hash(mapping: Mapping) -> str:
    """A fingerprint of what the mapping says: a dry run counts for this very content only."""
    told = json.dumps([_told(draft) for draft in draft_of(mapping)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _told(draft: ObjectDraft) -> list[Any]:
    lines = [
        [line.field_key, line.crm_field, line.owner, line.blank, line.direction, line.transform, line.value_map]
        for line in draft.fields
    ]
    return [draft.object, draft.subject, draft.creates, draft.external_id_field, lines]


# ── Approving ────────────────────────────────────────────────────────────────────────────────────────────────────────

DRY_RUN_COUNTS_FOR = timedelta(days=1)


def approve_mapping(mapping: Mapping, by: User | None, *, now: datetime | None = None) -> Mapping:
    """Put a draft in force: from now on values move by it. ValidationError without a fresh dry run of this very content.

    Objects whose mapping changed are read again from the beginning, and everything unsettled is decided anew.
    """
    now = now or utc_now()
    _check_approvable(mapping, now)
    connection = mapping.connection
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        before = approved_mapping(connection)
        changed = _changed_objects(before, mapping)
        if before:
            before.state = MappingState.RETIRED.value
            before.save(update_fields=["state"])
        mapping.state, mapping.approved_by, mapping.approved_at = MappingState.APPROVED.value, by, now
        mapping.save(update_fields=["state", "approved_by", "approved_at"])
        forget_stamps(connection, changed)
        _decide_anew(connection, mapping)
        watch_changes(connection, plans_of(mapping))
    return mapping


def _check_approvable(mapping: Mapping, now: datetime) -> None:
    if mapping.state != MappingState.DRAFT:
        raise ValidationError(_("This version is no draft: make a new one from it."))
    errors = [found.sentence for found in check_mapping(mapping) if found.is_error]
    if errors:
        raise ValidationError(errors)
    told = mapping.dry_run or {}
    is_of_this = told.get("hash") == mapping_hash(mapping)
    if not is_of_this or now - datetime.fromisoformat(told["at"]) > DRY_RUN_COUNTS_FOR:
        raise ValidationError(
            _("Do the dry run of this very version first: it counts for a day, and until something is changed.")
        )


def _changed_objects(before: Mapping | None, after: Mapping) -> list[str]:
    old = {draft.object: _told(draft) for draft in draft_of(before)} if before else {}
    return [draft.object for draft in draft_of(after) if old.get(draft.object) != _told(draft)]


def _decide_anew(connection: Connection, mapping: Mapping) -> None:
    """What was kept or refused under the old version may go another way now; fields no longer mapped are nobody's concern."""
    for subject in Subject:
        keys = {line.field_key for draft in draft_of(mapping) if draft.subject is subject for line in draft.fields}
        noted = DirtyField.objects.filter(connection_id=connection.pk, subject=subject.value)
        noted.exclude(field_key__in=keys).delete()
        noted.update(code=None)
    QueuedPush.objects.filter(connection=connection, state=PushState.REFUSED.value).update(
        state=PushState.WAITING.value, reason=""
    )


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_mapping(mapping: Mapping) -> list[Finding]:
    """Everything that is wrong or doubtful in a mapping, on both sides: names, kinds, lengths, rights, clashes."""
    found: list[Finding] = []
    for draft in draft_of(mapping):
        about = description_of(mapping.connection, draft.object)
        if about is None:
            found.append(_of_object("object_unseen", draft, _("Our user cannot see %(object)s in the CRM.")))
        else:
            found += _check_object(draft, about)
    return found


def _check_object(draft: ObjectDraft, about: ObjectDescription) -> Iterator[Finding]:
    specs = {spec.key: spec for spec in fields_of(draft.subject)}
    seen: dict[str, str] = {}
    for line in draft.fields:
        spec, field = specs.get(line.field_key), about.field(line.crm_field)
        if spec is None:
            yield _about("field_gone", draft, line, _("Relance has no field “%(field)s” any more."))
        if field is None:
            yield _about(
                "crm_field_unseen",
                draft,
                line,
                _("%(object)s has no field %(crm_field)s our user may see: it was removed, renamed or hidden."),
                _("Ask the CRM administrator to show the field to our user, or map another."),
            )
        if spec and field:
            yield from _check_pair(draft, line, spec, field)
        if line.crm_field.lower() in seen:
            yield _about(
                "crm_field_twice", draft, line, _("%(crm_field)s of %(object)s is mapped to two of our fields.")
            )
        seen[line.crm_field.lower()] = line.field_key
    yield from _check_creation(draft, about)


def _check_pair(draft: ObjectDraft, line: FieldDraft, spec: FieldSpec, field: FieldDescription) -> Iterator[Finding]:
    if not fits(spec, field):
        yield _about("kinds_differ", draft, line, _("“%(field)s” cannot hold what %(crm_field)s holds."))
    if line.direction is Direction.FROM_CRM:
        if line.owner is RightSide.RELANCE:
            yield _about(
                "right_side_never_sends",
                draft,
                line,
                _("Relance is right about “%(field)s”, yet the field only comes from the CRM."),
            )
        return
    if not field.updateable:
        yield _about(
            "crm_field_read_only",
            draft,
            line,
            _("Our user may not write %(crm_field)s of %(object)s."),
            _("Let the field come from the CRM only, or ask the CRM administrator for the right to edit it."),
        )
    elif not fits_back(spec, field):
        yield _about("kinds_differ_back", draft, line, _("%(crm_field)s cannot hold what “%(field)s” holds."))
    if line.transform is Transform.VALUE_MAP and len(set(line.value_map.values())) < len(line.value_map):
        yield _about(
            "value_map_folds",
            draft,
            line,
            _("Several values of %(crm_field)s become the same one here; the first of them is sent back."),
            is_error=False,
        )
    if 0 < field.length < 80 and spec.column_type == "text" and not field.picklist:
        yield _about(
            "crm_field_short",
            draft,
            line,
            _("%(crm_field)s holds %(length)s characters; longer values will be refused."),
            is_error=False,
            seen={"length": field.length},
        )


def _check_creation(draft: ObjectDraft, about: ObjectDescription) -> Iterator[Finding]:
    if draft.external_id_field:
        field = about.field(draft.external_id_field)
        if field is None or not field.external_id:
            yield _of_object(
                "external_id_unfit",
                draft,
                _("%(key)s of %(object)s is not an external id our user may see."),
                seen={"key": draft.external_id_field},
            )
    if draft.creates is Creates.NONE:
        return
    if not draft.external_id_field:
        yield _of_object(
            "external_id_missing",
            draft,
            _("%(object)s has no external id for us: a lost answer is then looked up by e-mail address."),
            is_error=False,
        )
    mapped = {line.crm_field for line in draft.fields if line.direction is not Direction.FROM_CRM}
    missing = [field.name for field in about.fields if field.required and field.name not in mapped]
    if missing:
        yield _of_object(
            "required_unmapped",
            draft,
            _("The CRM makes no %(object)s without %(missing)s, which is not mapped."),
            seen={"missing": ", ".join(missing)},
        )


def _about(
    code: str,
    draft: ObjectDraft,
    line: FieldDraft,
    says: Any,
    remedy: Any = "",
    *,
    is_error: bool = True,
    seen: dict[str, Any] | None = None,
) -> Finding:
    return Finding(code, is_error, draft.object, line.field_key, line.crm_field, says, remedy, seen)


def _of_object(
    code: str, draft: ObjectDraft, says: Any, *, is_error: bool = True, seen: dict[str, Any] | None = None
) -> Finding:
    return Finding(code, is_error, draft.object, "", "", says, "", seen)
