"""Value sets of a tree: the org's global ones, and the standard ones it has changed."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from relance.sandbox.schema import OrgSchema, PicklistValue
from relance.sandbox.standard import standard_set_of
from relance.sandbox.tree_files import is_true, text_of
from relance.sandbox.tree_names import name_of_file

TRAITS = ("converted", "closed", "won", "highPriority", "reviewed", "cssExposed")


def take_global_values(schema: OrgSchema, file: str, root: Element) -> None:
    values = tuple(value_of(each) for each in root.iter() if each.tag in ("customValue", "globalPicklistValues"))
    schema.global_value_sets[name_of_file(file)] = values


def take_standard_values(schema: OrgSchema, file: str, root: Element) -> None:
    schema.standard_value_sets[name_of_file(file)] = tuple(value_of(each) for each in root.findall("standardValue"))


def apply_value_sets(schema: OrgSchema) -> None:
    """Gives standard picklists the values the tree has for their set."""
    for thing in schema.objects:
        for field in thing.fields:
            chosen = standard_set_of(thing.name, field.name)
            if chosen:
                field.picklist = schema.standard_value_sets.get(chosen, ())


def value_of(element: Element) -> PicklistValue:
    name = text_of(element, "fullName")
    try:
        probability = float(text_of(element, "probability") or 0)
    except ValueError:
        probability = 0.0
    return PicklistValue(
        name,
        text_of(element, "label") or name,
        active=is_true(element, "isActive", default=True),
        default=is_true(element, "default"),
        traits=frozenset(trait for trait in TRAITS if is_true(element, trait)),
        probability=probability,
    )
