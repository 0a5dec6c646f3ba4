"""What saving a record of an object asks for, worked out once per object instead of at each save."""

from __future__ import annotations

from dataclasses import dataclass, field

from relance.sandbox.formula import Formula, UnsupportedFormula, compiled
from relance.sandbox.schema import DuplicateRule, OrgField, OrgObject, OrgSchema, ValidationRule


@dataclass(slots=True)
class Plan:
    thing: OrgObject
    defaults: list[tuple[OrgField, object]] = field(default_factory=list)  # a literal or a Formula
    auto_numbers: list[OrgField] = field(default_factory=list)
    required: list[OrgField] = field(default_factory=list)
    references: list[OrgField] = field(default_factory=list)
    unique: list[OrgField] = field(default_factory=list)
    rules: list[tuple[ValidationRule, Formula]] = field(default_factory=list)
    formulas: dict[str, Formula] = field(default_factory=dict)
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    summarised_by: list[tuple[OrgObject, OrgField]] = field(default_factory=list)  # masters that count these records
    pointed_at_by: list[tuple[OrgObject, OrgField]] = field(
        default_factory=list
    )  # links that a deletion must look after


def plan_of(schema: OrgSchema, thing: OrgObject) -> Plan:
    plan = Plan(thing)
    for each in thing.fields:
        _plan_field(plan, each)
    for rule in thing.validation_rules:
        formula = _compiled_or_none(rule.formula)
        if rule.active and rule.enforced and formula is not None:
            plan.rules.append((rule, formula))
    rules = (rule for rule in schema.duplicate_rules if rule.active and rule.object.lower() == thing.name.lower())
    plan.duplicate_rules = sorted(rules, key=lambda rule: rule.order)
    for master in schema.objects:
        for each in master.fields:
            if each.summary is not None and each.summary.child.lower() == thing.name.lower():
                plan.summarised_by.append((master, each))
            if _points_at(each, thing):
                plan.pointed_at_by.append((master, each))
    return plan


def _points_at(each: OrgField, thing: OrgObject) -> bool:
    link = each.type == "reference" and each.stored and not each.system and each.name != "OwnerId"
    return link and any(name.lower() == thing.name.lower() for name in each.reference_to)


def default_value(each: OrgField) -> object:
    """What a new record gets when the client says nothing: a literal, a Formula, or None."""
    if each.summary is not None and each.summary.operation.lower() in ("count", "sum"):
        return 0  # a master without children counts none of them
    for value in each.picklist:
        if value.default and value.active:
            return value.value
    if each.default is None:
        return None
    if each.type == "boolean" and each.default.lower() in ("true", "false"):
        return each.default.lower() == "true"
    return _compiled_or_none(each.default)


def _plan_field(plan: Plan, each: OrgField) -> None:
    default = default_value(each)
    if default is not None and each.stored:
        plan.defaults.append((each, default))
    if each.formula and each.calculated:
        formula = _compiled_or_none(each.formula)
        if formula is not None:
            plan.formulas[each.name] = formula
    if not each.stored:
        return
    if each.auto_number:
        plan.auto_numbers.append(each)
    elif each.required and each.createable and not each.system and each.type != "boolean":
        plan.required.append(each)
    if each.type == "reference" and not each.system:
        plan.references.append(each)
    if each.unique:
        plan.unique.append(each)


def _compiled_or_none(text: str) -> Formula | None:
    # What cannot be evaluated was said when the tree was read; here it is left out.
    try:
        return compiled(text)
    except UnsupportedFormula:
        return None
