"""What the CRM's objects look like to our user: read every hour, kept when changed, and compared with what they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .dialect import CrmDialect, Descriptions, FieldDescription, ObjectDescription
from .models import Connection, DescribeSnapshot
from .shapes import SHAPES

DESCRIBED_EVERY = timedelta(hours=1)
# What describes a field for the sync; a new help text or label alone is no change worth telling.
TOLD_PARTS = ("kind", "length", "scale", "required", "createable", "updateable", "restricted", "external_id")


@dataclass(frozen=True, slots=True)
class DescribeChange:
    """One difference between two readings of an object. `what`: added, removed, changed, values (of a picklist)."""

    object: str
    field: str
    what: str
    part: str = ""
    before: str = ""
    after: str = ""


def refresh_descriptions(
    connection: Connection, crm: CrmDialect, *, now: datetime, names: Iterable[str] | None = None
) -> list[DescribeChange]:
    """Read the objects again and keep those that changed; returns what changed since the last reading."""
    wanted = tuple(names or (shape.object for shape in SHAPES[connection.dialect]))
    return keep_descriptions(connection, crm.describe(wanted), now=now)


def keep_descriptions(connection: Connection, read: Descriptions, *, now: datetime) -> list[DescribeChange]:
    """Keep those that changed; returns what changed since the last reading."""
    changes: list[DescribeChange] = []
    for name, description in read.found.items():
        changes += _keep_if_changed(connection, name, description, now=now)
    connection.described_at = now
    connection.save(update_fields=["described_at"])
    return changes


def is_description_stale(connection: Connection, *, now: datetime) -> bool:
    """Is it time to read the descriptions again?"""
    return connection.described_at is None or now - connection.described_at >= DESCRIBED_EVERY


def description_of(connection: Connection, name: str) -> ObjectDescription | None:
    """The object as last read; None when our user never saw it."""
    snapshot = latest_snapshot(connection, name)
    return ObjectDescription.from_json(snapshot.description) if snapshot else None


def latest_snapshot(connection: Connection, name: str) -> DescribeSnapshot | None:
    return DescribeSnapshot.objects.filter(connection=connection, object=name).order_by("-id").first()


def describe_changes(connection: Connection, name: str) -> list[tuple[datetime, list[DescribeChange]]]:
    """The changes of an object, newest first, with the moment each was seen: what the page of the fields shows."""
    snapshots = list(DescribeSnapshot.objects.filter(connection=connection, object=name).order_by("-id")[:20])
    told = [(snapshot.taken_at, ObjectDescription.from_json(snapshot.description)) for snapshot in snapshots]
    return [(at, compare_descriptions(older, newer)) for (at, newer), (_, older) in pairwise(told)]


def compare_descriptions(before: ObjectDescription, after: ObjectDescription) -> list[DescribeChange]:
    """What became of the fields between two readings. A field hidden from us looks like one that was removed."""
    old = {field.name: field for field in before.fields}
    new = {field.name: field for field in after.fields}
    changes = [DescribeChange(after.name, name, "removed") for name in old if name not in new]
    changes += [DescribeChange(after.name, name, "added") for name in new if name not in old]
    for name in old.keys() & new.keys():
        changes += _compare_fields(after.name, old[name], new[name])
    return sorted(changes, key=lambda change: (change.field, change.what, change.part))


def _compare_fields(name: str, old: FieldDescription, new: FieldDescription) -> list[DescribeChange]:
    changes = [
        DescribeChange(name, new.name, "changed", part, str(getattr(old, part)), str(getattr(new, part)))
        for part in TOLD_PARTS
        if getattr(old, part) != getattr(new, part)
    ]
    values_before = {value.value for value in old.picklist if value.active}
    values_after = {value.value for value in new.picklist if value.active}
    if values_before != values_after:
        gone, come = sorted(values_before - values_after), sorted(values_after - values_before)
        changes.append(DescribeChange(name, new.name, "values", "picklist", ", ".join(gone), ", ".join(come)))
    return changes


def _keep_if_changed(
    connection: Connection, name: str, description: ObjectDescription, *, now: datetime
) -> list[DescribeChange]:
    told = description.as_json()
    hash = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    last = latest_snapshot(connection, name)
    if last and last.hash == hash:
        return []
    DescribeSnapshot.objects.create(connection=connection, object=name, taken_at=now, hash=hash, description=told)
    return compare_descriptions(ObjectDescription.from_json(last.description), description) if last else []
