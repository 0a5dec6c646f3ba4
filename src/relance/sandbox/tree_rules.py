"""Rules of a tree that span objects: matching, duplicates, assignment, queues, lead conversion."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from relance.sandbox.schema import (
    AssignmentRule,
    ConvertMapping,
    DuplicateRule,
    MatchingRule,
    MatchingRuleItem,
    OrgSchema,
    Queue,
    RuleEntry,
)
from relance.sandbox.tree_files import is_true, number_of, text_of
from relance.sandbox.tree_names import name_of_file, words_of


def take_matching_rules(schema: OrgSchema, file: str, root: Element) -> None:
    object_name = name_of_file(file)
    for each in root.findall("matchingRules"):
        name = text_of(each, "fullName")
        items = tuple(
            MatchingRuleItem(
                text_of(item, "fieldName"),
                text_of(item, "matchingMethod") or "Exact",
                text_of(item, "blankValueBehavior") or "NullNotAllowed",
            )
            for item in each.findall("matchingRuleItems")
        )
        active = text_of(each, "ruleStatus") in ("Active", "Activating")
        label = text_of(each, "label") or words_of(name)
        schema.matching_rules.append(
            MatchingRule(object_name, name, label, active, items, text_of(each, "booleanFilter"))
        )


def take_duplicate_rule(schema: OrgSchema, file: str, root: Element) -> None:
    object_name, _dot, name = name_of_file(file).partition(".")
    matches: list[tuple[str, str]] = []
    mappings: dict[str, tuple[tuple[str, str], ...]] = {}
    for each in root.findall("duplicateRuleMatchRules"):
        target = text_of(each, "matchRuleSObjectType") or object_name
        matches.append((target, text_of(each, "matchingRule")))
        mapping = each.find("objectMapping")
        if mapping is not None:
            pairs = mapping.findall("mappingFields")
            mappings[target] = tuple((text_of(pair, "inputField"), text_of(pair, "outputField")) for pair in pairs)
    filtered = root.find("duplicateRuleFilter")
    if filtered is not None and filtered.find("duplicateRuleFilterItems") is not None:
        schema.skipped.append(f"{object_name}.{name}: the conditions of this duplicate rule are not looked at")
    schema.duplicate_rules.append(
        DuplicateRule(
            object_name,
            name,
            text_of(root, "masterLabel") or words_of(name),
            is_true(root, "isActive"),
            text_of(root, "actionOnInsert") or "Allow",
            text_of(root, "actionOnUpdate") or "Allow",
            tuple((each.text or "").strip() for each in root.findall("operationsOnInsert")),
            tuple((each.text or "").strip() for each in root.findall("operationsOnUpdate")),
            text_of(root, "alertText"),
            text_of(root, "securityOption").startswith("Bypass"),
            number_of(root, "sortOrder", 1),
            tuple(matches),
            mappings,
        )
    )


def take_assignment_rules(schema: OrgSchema, file: str, root: Element) -> None:
    object_name = name_of_file(file)
    for each in root.findall("assignmentRule"):
        entries = tuple(_entry(entry) for entry in each.findall("ruleEntry"))
        name = text_of(each, "fullName")
        schema.assignment_rules.append(AssignmentRule(object_name, name, is_true(each, "active"), entries))


def take_queue(schema: OrgSchema, file: str, root: Element) -> None:
    objects = tuple(text_of(each, "sobjectType") for each in root.findall("queueSobject"))
    name = text_of(root, "fullName") or name_of_file(file)
    schema.queues.append(Queue(name, text_of(root, "name") or words_of(name), objects, text_of(root, "email")))


def take_convert_settings(schema: OrgSchema, _file: str, root: Element) -> None:
    mappings = schema.convert_mappings or []
    for each in root.findall("objectMapping"):
        pairs = each.findall("mappingFields")
        fields = tuple((text_of(pair, "inputField"), text_of(pair, "outputField")) for pair in pairs)
        mappings.append(ConvertMapping(text_of(each, "outputObject"), fields))
    schema.convert_mappings = mappings
    for name in ("allowOwnerChange", "opportunityCreationOptions"):
        if text_of(root, name):
            schema.convert_options[name] = text_of(root, name)


def _entry(root: Element) -> RuleEntry:
    criteria = tuple(
        (text_of(each, "field"), text_of(each, "operation"), text_of(each, "value"))
        for each in root.findall("criteriaItems")
    )
    return RuleEntry(
        criteria,
        text_of(root, "formula"),
        text_of(root, "booleanFilter"),
        text_of(root, "assignedTo"),
        text_of(root, "assignedToType") or "User",
    )
