"""The objects every org is born with, read from the tables under data/."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from relance.sandbox.schema import OrgField, OrgObject, OrgSchema, PicklistValue

DEFAULT_LENGTHS = {
    "reference": 18,
    "id": 18,
    "picklist": 255,
    "url": 255,
    "phone": 40,
    "email": 80,
    "multipicklist": 4099,
}


def standard_schema() -> OrgSchema:
    """An org without any metadata of its own."""
    schema = OrgSchema()
    schema.standard_value_sets = dict(_value_sets())
    thing: OrgObject | None = None
    for line in _lines("standard_objects.txt"):
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("object "):
            thing = _object(cells)
            schema.objects.add(thing.name, thing)
        elif thing is not None:
            thing.fields.add(cells[0], _field(schema, cells))
    for thing in schema.objects:
        if thing.mergeable and thing.name != "Case":
            thing.fields.add(
                "MasterRecordId", _reference("MasterRecordId", "Master Record ID", thing.name, "MasterRecord")
            )
    return schema


def standard_set_of(object_name: str, field_name: str) -> str:
    """The value set a standard picklist takes its values from, '' when it has none."""
    return SETS.get((object_name, field_name), "")


def system_fields(owned: bool, queue: bool, setup: bool) -> Iterator[OrgField]:
    """Id, owner and stamps. Setup objects have no recycle bin."""
    yield OrgField("Id", "Record ID", "id", 18, createable=False, updateable=False, system=True, id_lookup=True)
    if owned:
        label = "Owner ID"
        owner = OrgField(
            "OwnerId", label, "reference", 18, required=True, defaulted_on_create=True, relationship="Owner"
        )
        owner.reference_to = ("Group", "User") if queue else ("User",)
        yield owner
    if not setup:
        yield _stamp("IsDeleted", "Deleted", "boolean")
    yield _stamp("CreatedDate", "Created Date", "datetime")
    yield _reference("CreatedById", "Created By ID", "User", "CreatedBy")
    yield _stamp("LastModifiedDate", "Last Modified Date", "datetime")
    yield _reference("LastModifiedById", "Last Modified By ID", "User", "LastModifiedBy")
    yield _stamp("SystemModstamp", "System Modstamp", "datetime")


def _object(cells: list[str]) -> OrgObject:
    _word, name, prefix = cells[0].split()
    flags = set(cells[3].split())
    is_open = "fixed" not in flags
    thing = OrgObject(
        name,
        cells[1],
        cells[2],
        prefix,
        createable=is_open,
        updateable=is_open,
        deletable=is_open and "kept" not in flags,
        mergeable="mergeable" in flags,
        owned="owned" in flags,
        kind=next((kind for kind in ("reified", "tooling") if kind in flags), "object"),
    )
    for field in system_fields(thing.owned, "queue" in flags, "setup" in flags):
        thing.fields.add(field.name, field)
    return thing


def _field(schema: OrgSchema, cells: list[str]) -> OrgField:
    name, label, kind, flags_text = (*cells, "")[:4]
    kind, _colon, size = kind.partition(":")
    field = OrgField(name, label, kind, DEFAULT_LENGTHS.get(kind, 0))
    if "," in size:
        field.precision, field.scale = (int(part) for part in size.split(","))
    elif size and kind == "int":
        field.precision = int(size)
    elif size:
        field.length = int(size)
    words, options = _flags(flags_text)
    field.required = "!" in words
    field.virtual = "virtual" in words
    field.name_field = "name" in words
    field.unique = "uniq" in words
    field.id_lookup = "idlookup" in words
    field.defaulted_on_create = bool({"dflt", "ro"} & words) or kind == "boolean" or "default" in options
    field.createable = not {"ro", "virtual"} & words
    field.updateable = not {"ro", "new", "virtual"} & words
    field.delete_constraint = "Cascade" if "cascade" in words else "Restrict" if "restrict" in words else ""
    field.compound = options.get("of", "")
    field.default = options.get("default")
    if field.default is not None and kind != "boolean":
        field.default = f'"{field.default}"'
    if "auto" in options:
        field.auto_number, field.display_format = True, options["auto"]
        field.createable = field.updateable = False
    field.reference_to = tuple(options["to"].split("+")) if "to" in options else ()
    field.relationship, field.child_relationship = options.get("rel", ""), options.get("child", "")
    field.picklist = schema.standard_value_sets.get(options.get("set", ""), ())
    return field


def _flags(text: str) -> tuple[set[str], dict[str, str]]:
    words: set[str] = set()
    options: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if equals:
            options[key] = value
        else:
            words.add(word)
    return words, options


def _stamp(name: str, label: str, kind: str) -> OrgField:
    field = OrgField(name, label, kind, required=True, createable=False, updateable=False, system=True)
    field.defaulted_on_create = True
    return field


def _reference(name: str, label: str, to: str, relationship: str) -> OrgField:
    field = OrgField(name, label, "reference", 18, createable=False, updateable=False, system=True)
    field.reference_to, field.relationship = (to,), relationship
    field.defaulted_on_create = to == "User"
    return field


def _value_sets() -> Iterator[tuple[str, tuple[PicklistValue, ...]]]:
    name, values = "", list[PicklistValue]()
    for line in _lines("standard_value_sets.txt"):
        if not line.startswith("set "):
            values.append(_value(line))
            continue
        if name:
            yield name, tuple(values)
        name, values = line.removeprefix("set ").strip(), []
    yield name, tuple(values)


def _value(line: str) -> PicklistValue:
    text, _bar, flags = line.partition("|")
    words, options = _flags(flags)
    traits = frozenset(words - {"default"})
    return PicklistValue(
        text.strip(), text.strip(), default="default" in words, traits=traits, probability=float(options.get("p", 0))
    )


def _lines(file: str) -> Iterator[str]:
    text = (resources.files("relance.sandbox") / "data" / file).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _sets_of_fields() -> dict[tuple[str, str], str]:
    sets: dict[tuple[str, str], str] = {}
    thing = ""
    for line in _lines("standard_objects.txt"):
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("object "):
            thing = cells[0].split()[1]
        elif len(cells) == 4 and "set=" in cells[3]:
            sets[thing, cells[0]] = _flags(cells[3])[1]["set"]
    return sets


SETS = _sets_of_fields()
