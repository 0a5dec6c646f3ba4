"""From a Salesforce DX source tree to an org: one pass over its files, a line for each thing that could not be taken."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

from relance.sandbox.ids import custom_prefix
from relance.sandbox.person_accounts import enable_person_accounts
from relance.sandbox.schema import OrgSchema
from relance.sandbox.standard import standard_schema
from relance.sandbox.tree_access import take_custom_permission, take_permission_set, take_profile
from relance.sandbox.tree_check import check_formulas, check_references
from relance.sandbox.tree_fields import take_field
from relance.sandbox.tree_files import UnreadableFile, files_below, package_directories, parsed
from relance.sandbox.tree_objects import finish_objects, take_object
from relance.sandbox.tree_parts import take_business_process, take_record_type, take_validation_rule
from relance.sandbox.tree_rules import (
    take_assignment_rules,
    take_convert_settings,
    take_duplicate_rule,
    take_matching_rules,
    take_queue,
)
from relance.sandbox.tree_values import apply_value_sets, take_global_values, take_standard_values

Taker = Callable[[OrgSchema, str, Element], None]

# In this order: a field may use a value set, a rule may name a field. Each taker gets the schema, the path, the root.
TAKERS: dict[str, Taker] = {
    "globalValueSet": take_global_values,
    "standardValueSet": take_standard_values,
    "object": take_object,
    "field": take_field,
    "businessProcess": take_business_process,
    "recordType": take_record_type,
    "validationRule": take_validation_rule,
    "customPermission": take_custom_permission,
    "permissionset": take_permission_set,
    "profile": take_profile,
    "matchingRule": take_matching_rules,
    "duplicateRule": take_duplicate_rule,
    "queue": take_queue,
    "assignmentRules": take_assignment_rules,
    "LeadConvertSetting": take_convert_settings,
}


def read_tree(path: Path) -> OrgSchema:
    """The org a tree describes. Bad content never raises: it becomes a line in `skipped`."""
    if not path.is_dir():
        raise FileNotFoundError(path)
    schema = standard_schema()
    folders, project = package_directories(path, schema.skipped)
    schema.namespace = str(project.get("namespace") or "")
    schema.api_version = str(project.get("sourceApiVersion") or schema.api_version)
    files, unknown = _sorted_by_kind(folders, schema.skipped)
    for kind, take in TAKERS.items():
        for file in files.get(kind, ()):
            _take_file(schema, path.resolve(), file, take)
        if kind == "standardValueSet":
            apply_value_sets(schema)
    if any("PersonAccount" in file for kind in ("object", "recordType", "field") for file in files.get(kind, ())):
        enable_person_accounts(schema)
    finish_objects(schema)
    _give_prefixes(schema)
    check_references(schema)
    check_formulas(schema)
    for kind, count in sorted(unknown.items()):
        files_text = "1 file" if count == 1 else f"{count} files"
        schema.skipped.append(f"{kind}: {files_text} of a kind the sandbox does not read")
    return schema


def _sorted_by_kind(folders: list[Path], skipped: list[str]) -> tuple[dict[str, list[str]], Counter[str]]:
    files: dict[str, list[str]] = {}
    unknown: Counter[str] = Counter()
    for folder in folders:
        for file in files_below(folder, skipped):
            name = os.path.basename(file)  # noqa: PTH119
            stem = name.removesuffix("-meta.xml")
            kind = stem.rpartition(".")[2] if "." in stem else name
            if name != stem and kind in TAKERS:
                files.setdefault(kind, []).append(file)
            else:
                unknown[kind] += 1
    return files, unknown


def _take_file(schema: OrgSchema, root: Path, file: str, take: Taker) -> None:
    try:
        take(schema, file, parsed(file))
    except UnreadableFile as trouble:
        schema.skipped.append(f"{os.path.relpath(file, root)}: {trouble}")


def _give_prefixes(schema: OrgSchema) -> None:
    number = 0
    for thing in schema.objects:
        if not thing.key_prefix:
            thing.key_prefix = custom_prefix(number)
            number += 1
