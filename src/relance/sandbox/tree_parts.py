"""What an object's folder holds beside fields: record types, the processes behind them, validation rules."""

from __future__ import annotations

from urllib.parse import unquote
from xml.etree.ElementTree import Element

from relance.sandbox.schema import OrgSchema, RecordType, ValidationRule
from relance.sandbox.tree_files import UnreadableFile, is_true, text_of
from relance.sandbox.tree_names import name_of_file, object_of_file, words_of

PROCESS_FIELDS = {"Lead": "Status", "Opportunity": "StageName", "Case": "Status"}


def take_record_type(schema: OrgSchema, file: str, root: Element) -> None:
    add_record_type(schema, object_of_file(file), root, name_of_file(file))


def take_business_process(schema: OrgSchema, file: str, root: Element) -> None:
    add_business_process(schema, object_of_file(file), root, name_of_file(file))


def take_validation_rule(schema: OrgSchema, file: str, root: Element) -> None:
    add_validation_rule(schema, object_of_file(file), root, name_of_file(file))


def add_record_type(schema: OrgSchema, object_name: str, root: Element, name: str) -> None:
    is_person = object_name == "PersonAccount"  # their record types are those of accounts
    thing = schema.objects.get("Account" if is_person else object_name)
    if thing is None:
        raise UnreadableFile(f"the object {object_name} is not in the org, so its record type {name} is left out")
    picklists: dict[str, tuple[str, ...]] = {}
    defaults: dict[str, str] = {}
    for offered in root.findall("picklistValues"):
        field = text_of(offered, "picklist")
        values = offered.findall("values")
        # The values are written as in an address: %5F for _, %2E for a full stop.
        picklists[field] = tuple(unquote(text_of(value, "fullName")) for value in values)
        chosen = [unquote(text_of(value, "fullName")) for value in values if is_true(value, "default")]
        if chosen:
            defaults[field] = chosen[0]
    process = schema.business_processes.get(f"{object_name}.{text_of(root, 'businessProcess')}")
    if process and object_name in PROCESS_FIELDS:
        picklists[PROCESS_FIELDS[object_name]] = process
    label = text_of(root, "label") or words_of(name)
    active = is_true(root, "active", default=True)
    thing.record_types.append(RecordType(name, label, active, picklists, defaults, is_person))


def add_business_process(schema: OrgSchema, object_name: str, root: Element, name: str) -> None:
    values = tuple(unquote(text_of(value, "fullName")) for value in root.findall("values"))
    schema.business_processes[f"{object_name}.{name}"] = values


def add_validation_rule(schema: OrgSchema, object_name: str, root: Element, name: str) -> None:
    thing = schema.objects.get(object_name)
    if thing is None:
        raise UnreadableFile(f"the object {object_name} is not in the org, so its rule {name} is left out")
    thing.validation_rules.append(
        ValidationRule(
            name,
            text_of(root, "errorConditionFormula"),
            text_of(root, "errorMessage"),
            text_of(root, "errorDisplayField"),
            is_true(root, "active"),
            text_of(root, "description"),
        )
    )
