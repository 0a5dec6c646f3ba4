"""The data of an org: `sf data tree` files, with or without a plan, and CSV files, one object each."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relance.sandbox.assignment import owner_named
from relance.sandbox.ids import is_id
from relance.sandbox.outcomes import Caller
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.setup_rows import PLANTED, lay_setup_rows
from relance.sandbox.store import quoted

INTEGRATION_USER = "relance.integration@sandbox.example"
ORDERED_NAME = re.compile(r"^\d+[-_ .]*")
MOST_LINES = 50  # a file wrong from end to end is told once too often already


@dataclass(slots=True)
class Seeded:
    """What an org has once seeded; `skipped` has a line for each row or file that could not be taken."""

    org_id: str
    user_id: str
    username: str
    loaded: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def seed_org(records: Records, data: Path | None, *, username: str = INTEGRATION_USER) -> Seeded:
    """Brings the setup rows up to date; loads the data too, once in the life of a store."""
    with records.transaction():
        seeded = Seeded(*lay_setup_rows(records, username), username)
        if data is not None and records.store.fact("data") is None:
            _Loader(records, seeded).load(data)
            records.store.keep_fact("data", str(data))
        seeded.skipped += absent_assignees(records)
    return seeded


def absent_assignees(records: Records) -> list[str]:
    """A line for each entry of an active assignment rule that names nobody of this org."""
    return [
        f"{rule.object}.{rule.name}: it assigns to {entry.assigned_to}, no active user of the org; the entry changes no owner"
        for rule in records.schema.assignment_rules
        for entry in rule.entries
        if rule.active and entry.assigned_to_type == "User" and owner_named(records, entry) is None
    ]


@dataclass(slots=True)
class _Row:
    thing: str
    values: dict[str, object]
    told: str  # where it stands: file and line
    reference: str = ""
    parent: tuple[str, str] | None = None  # (lookup field, reference of the parent)


class _Loader:
    def __init__(self, records: Records, seeded: Seeded) -> None:
        self.records = records
        self.seeded = seeded
        self.caller = Caller(seeded.user_id, all_rights=True)
        self.references: dict[str, str] = {}  # @AccountRef1 -> id
        self.looked_up: dict[tuple[str, str, object], str | None] = {}
        self.late: list[tuple[OrgObject, str, OrgField, str]] = []  # references to rows not loaded yet

    def load(self, path: Path) -> None:
        for file in self._files(path):
            for row in self._rows(file):
                self._load_row(row)
        for thing, record_id, link, reference in self.late:
            target = self.references.get(reference)
            if target is None:
                self._skip(f"{thing.name}.{link.name}: the data has no record {reference}; the field stays blank")
            else:
                self.records.write_columns(thing, record_id, {link.name: target})

    def _files(self, path: Path) -> list[Path]:
        """A plan says its files and their order; without one every JSON and CSV file, by name."""
        if path.is_file():
            return self._planned(path) or [path]
        if not path.is_dir():
            self._skip(f"{path}: there is no such data")
            return []
        plans = sorted(path.glob("*plan.json"))
        planned = [file for plan in plans for file in self._planned(plan)]
        found = (
            file for file in path.iterdir() if file.suffix in (".json", ".csv") and not file.name.endswith("plan.json")
        )
        return planned or sorted(found)

    def _planned(self, plan: Path) -> list[Path]:
        if plan.suffix != ".json":
            return []
        content = self._json(plan)
        if not isinstance(content, list):
            return []
        names = [name for step in content if isinstance(step, dict) for name in step.get("files", [])]
        return [plan.parent / str(name) for name in names]

    def _rows(self, file: Path) -> Iterator[_Row]:
        if file.suffix == ".csv":
            return self._csv_rows(file)
        content = self._json(file)
        records = content.get("records") if isinstance(content, dict) else None
        if not isinstance(records, list):
            self._skip(f"{file.name}: no records in it")
            return iter(())
        return self._tree_rows(file.name, records, None)

    def _csv_rows(self, file: Path) -> Iterator[_Row]:
        object_name = ORDERED_NAME.sub("", file.stem)
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                for number, line in enumerate(csv.DictReader(lines), start=2):
                    values: dict[str, object] = {str(name): value for name, value in line.items() if name and value}
                    yield _Row(object_name, values, f"{file.name} line {number}")
        except (OSError, UnicodeDecodeError, csv.Error) as trouble:
            self._skip(f"{file.name}: unreadable ({trouble})")

    def _tree_rows(self, told: str, records: list[object], parent: tuple[str, str] | None) -> Iterator[_Row]:
        for number, record in enumerate(records, start=1):
            attributes = record.get("attributes") if isinstance(record, dict) else None
            if not isinstance(record, dict) or not isinstance(attributes, dict) or "type" not in attributes:
                self._skip(f"{told} record {number}: it has no attributes.type")
                continue
            children = {name: value for name, value in record.items() if isinstance(value, dict) and "records" in value}
            values = {n: v for n, v in record.items() if n != "attributes" and n not in children}
            reference = str(attributes.get("referenceId") or f"{told}#{number}")
            row = _Row(str(attributes["type"]), values, f"{told} record {number}", reference, parent)
            yield row
            for name, nested in children.items():
                link = self._link_to(row.thing, name)
                yield from self._tree_rows(f"{row.told} {name}", nested["records"], (link, reference))

    def _link_to(self, parent: str, relationship: str) -> str:
        """The field by which the children of this relationship point at their parent."""
        for thing in self.records.schema.objects:
            for each in thing.fields:
                if each.child_relationship.lower() == relationship.lower() and parent in each.reference_to:
                    return each.name
        return ""

    def _load_row(self, row: _Row) -> None:
        thing = self.records.schema.objects.get(row.thing)
        if thing is None:
            self._skip(f"{row.told}: the org has no object {row.thing}")
            return
        values, late = self._resolved(thing, row)
        saved = self.records.insert(self.caller, thing.name, values, PLANTED)
        if saved.id is None:
            self._skip(f"{row.told}: {saved.errors[0].message}")
            return
        self.seeded.loaded[thing.name] += 1
        if row.reference:
            self.references["@" + row.reference] = saved.id
        self.late += [(thing, saved.id, link, reference) for link, reference in late]

    def _resolved(self, thing: OrgObject, row: _Row) -> tuple[dict[str, object], list[tuple[OrgField, str]]]:
        """The values with references as ids; those to rows that come later are kept for the end."""
        values: dict[str, object] = {}
        late: list[tuple[OrgField, str]] = []
        sent = dict(row.values)
        if row.parent is not None and row.parent[0]:
            sent[row.parent[0]] = "@" + row.parent[1]
        for name, value in sent.items():
            link, _dot, outside = name.partition(".")
            if outside:
                found = self._by_relationship(thing, link, outside, value, row.told)
                values |= found
                continue
            here = thing.fields.get(name)
            if here is not None and here.type == "reference" and isinstance(value, str) and not is_id(value):
                if value in self.references:
                    values[here.name] = self.references[value]
                else:
                    late.append((here, value))
                continue
            values[name] = value
        return values, late

    def _by_relationship(
        self, thing: OrgObject, relationship: str, outside: str, value: object, told: str
    ) -> Mapping[str, object]:
        """Account.Code_Client__c = C-17 means the account that bears this code."""
        for each in thing.fields:
            if each.type != "reference" or each.relationship.lower() != relationship.lower():
                continue
            for name in each.reference_to:
                found = self._look_up(name, outside, value)
                if found is not None:
                    return {each.name: found}
        self._skip(f"{told}: no record has {relationship}.{outside} = {value}; the field stays blank")
        return {}

    def _look_up(self, object_name: str, field_name: str, value: object) -> str | None:
        other = self.records.schema.objects.get(object_name)
        if other is None or field_name not in other.fields or not other.fields[field_name].stored:
            return None
        key = (object_name, field_name, value)
        if self.looked_up.get(key) is None:
            row = (
                self.records.store.connection()
                .execute(f'SELECT "Id" FROM {quoted(other.name)} WHERE {quoted(field_name)} = ?', (value,))
                .fetchone()
            )
            self.looked_up[key] = None if row is None else str(row[0])
        return self.looked_up[key]

    def _json(self, file: Path) -> object:
        try:
            return json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as trouble:
            self._skip(f"{file.name}: unreadable ({trouble})")
            return None

    def _skip(self, line: str) -> None:
        if len(self.seeded.skipped) < MOST_LINES:
            self.seeded.skipped.append(line)
        elif len(self.seeded.skipped) == MOST_LINES:
            self.seeded.skipped.append("… and more of the same")
