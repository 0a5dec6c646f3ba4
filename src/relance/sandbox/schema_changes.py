"""What administrators change in a running org: fields, list values, record types. Kept in a file and done again at each start."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from relance.sandbox.formula import UnsupportedFormula, compiled
from relance.sandbox.schema import ByName, ConvertMapping, OrgField, OrgObject, OrgSchema, PermissionSet, ValidationRule

FILE = "changes.jsonl"
FIELD_TYPES = (
    "string",
    "textarea",
    "email",
    "phone",
    "url",
    "double",
    "int",
    "boolean",
    "date",
    "datetime",
    "picklist",
)


class CannotChange(ValueError):
    """The org has no such thing, or it may not be changed; the text says which."""


def change_schema(schema: OrgSchema, name: str, asked: Mapping[str, str]) -> None:
    CHANGES[name](schema, asked)


def keep_change(home: Path, name: str, asked: Mapping[str, str]) -> None:
    with (home / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"change": name, **asked}, ensure_ascii=False) + "\n")


def replay_changes(home: Path, schema: OrgSchema) -> Iterator[str]:
    """Does to a tree just read what was done to the org since; a line for each change that no longer fits it."""
    path = home / FILE
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        name = asked.pop("change")
        try:
            change_schema(schema, name, asked)
        except CannotChange as changed:
            yield f"{name} {json.dumps(asked, ensure_ascii=False)}: {changed}"


def rename_field(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    """The new name everywhere the old one stood: formulas, rules, permissions, record types, conversion."""
    thing, field = known_field(schema, asked["field"])
    old, new = field.name, asked["to"]
    if not field.custom:
        raise CannotChange(f"{asked['field']} is a standard field, which has its name for good.")
    if new in thing.fields:
        raise CannotChange(f"{thing.name} has a field {new} already.")
    kept = list(thing.fields)
    thing.fields = ByName()
    for each in kept:
        if each is field:
            each.name = new
        thing.fields.add(each.name, each)
    _rename_in_rules(schema, thing, old, new)
    _rename_in_permissions(schema, f"{thing.name}.{old}", f"{thing.name}.{new}")


def add_required_field(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    thing, kind = known_object(schema, asked["object"]), asked.get("type") or "string"
    if kind not in FIELD_TYPES:
        raise CannotChange(f"There is no field type {kind}; there are: {', '.join(FIELD_TYPES)}.")
    name = asked["name"] if asked["name"].endswith("__c") else f"{asked['name']}__c"
    if name in thing.fields:
        raise CannotChange(f"{thing.name} has a field {name} already.")
    field = OrgField(name, asked.get("label") or name.removesuffix("__c"), kind, 255, custom=True, required=True)
    field.precision = 18 if kind in ("double", "int") else 0
    thing.fields.add(name, field)


def remove_field(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    thing, field = known_field(schema, asked["field"])
    if not field.custom:
        raise CannotChange(f"{asked['field']} is a standard field, which cannot be deleted.")
    thing.fields.drop(field.name)


def remove_picklist_value(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    thing, field = known_field(schema, asked["field"])
    value = asked["value"]
    if not any(each.value == value and each.active for each in field.picklist):
        raise CannotChange(f"{thing.name}.{field.name} has no active value {value}.")
    field.picklist = tuple(
        replace(each, active=False, default=False) if each.value == value else each for each in field.picklist
    )
    for kind in thing.record_types:
        if value in kind.picklists.get(field.name, ()):
            kind.picklists[field.name] = tuple(each for each in kind.picklists[field.name] if each != value)


def remove_record_type(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    thing = known_object(schema, asked["object"])
    kept = [each for each in thing.record_types if each.developer_name.lower() != asked["name"].lower()]
    if len(kept) == len(thing.record_types):
        raise CannotChange(f"{thing.name} has no record type {asked['name']}.")
    thing.record_types = kept


def add_validation_rule(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    thing = known_object(schema, asked["object"])
    try:
        compiled(asked["formula"])
    except UnsupportedFormula as unsupported:
        raise CannotChange(f"The formula is beyond the sandbox: {unsupported}") from unsupported
    thing.validation_rules = [each for each in thing.validation_rules if each.name != asked["name"]]
    rule = ValidationRule(asked["name"], asked["formula"], asked["message"], asked.get("field") or "")
    thing.validation_rules.append(rule)


def map_conversion(schema: OrgSchema, asked: Mapping[str, str]) -> None:
    """The whole map of custom fields, as `{"Contact": [["Score__c", "Score__c"]]}`."""
    mappings = json.loads(asked["mappings"])
    lead = known_object(schema, "Lead")
    for target, pairs in mappings.items():
        if target not in ("Account", "Contact", "Opportunity"):
            raise CannotChange(f"A lead is not converted to {target}.")
        for own, out in pairs:
            if own not in lead.fields:
                raise CannotChange(f"Lead has no field {own}.")
            known_field(schema, f"{target}.{out}")
    schema.convert_mappings = [
        ConvertMapping(target, tuple((own, out) for own, out in pairs)) for target, pairs in mappings.items()
    ]


CHANGES: dict[str, Callable[[OrgSchema, Mapping[str, str]], None]] = {
    "rename_field": rename_field,
    "add_required_field": add_required_field,
    "remove_field": remove_field,
    "remove_picklist_value": remove_picklist_value,
    "remove_record_type": remove_record_type,
    "add_validation_rule": add_validation_rule,
    "map_conversion": map_conversion,
}


def known_object(schema: OrgSchema, name: str) -> OrgObject:
    thing = schema.objects.get(name)
    if thing is None:
        raise CannotChange(f"The org has no object {name}.")
    return thing


def known_field(schema: OrgSchema, path: str) -> tuple[OrgObject, OrgField]:
    """`Lead.Phone`."""
    object_name, _dot, name = path.partition(".")
    thing = known_object(schema, object_name)
    field = thing.fields.get(name)
    if field is None:
        raise CannotChange(f"{thing.name} has no field {name or '(none named)'}.")
    return thing, field


def _rename_in_rules(schema: OrgSchema, thing: OrgObject, old: str, new: str) -> None:
    word = re.compile(rf"\b{re.escape(old)}\b", re.IGNORECASE)
    thing.validation_rules = [
        replace(rule, formula=word.sub(new, rule.formula), field=new if rule.field == old else rule.field)
        for rule in thing.validation_rules
    ]
    for field in thing.fields:
        field.formula = word.sub(new, field.formula)
        field.controller = new if field.controller == old else field.controller
    for kind in thing.record_types:
        if old in kind.picklists:
            kind.picklists[new] = kind.picklists.pop(old)
    for place, matching in enumerate(schema.matching_rules):
        if matching.object == thing.name:
            items = tuple(replace(item, field=new) if item.field == old else item for item in matching.items)
            schema.matching_rules[place] = replace(matching, items=items)
    for place, mapping in enumerate(schema.convert_mappings or ()):
        target = mapping.output_object == thing.name
        pairs = tuple(
            (new if thing.name == "Lead" and own == old else own, new if target and out == old else out)
            for own, out in mapping.fields
        )
        assert schema.convert_mappings is not None
        schema.convert_mappings[place] = replace(mapping, fields=pairs)


def _rename_in_permissions(schema: OrgSchema, old: str, new: str) -> None:
    schema.permission_sets = [_renamed(granted, old, new) for granted in schema.permission_sets]


def _renamed(granted: PermissionSet, old: str, new: str) -> PermissionSet:
    fields = {new if name.lower() == old.lower() else name: flags for name, flags in granted.fields.items()}
    return replace(granted, fields=fields)
