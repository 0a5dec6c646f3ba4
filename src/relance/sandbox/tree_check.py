"""Once a tree is read: what in it leans on something absent, and so cannot be enforced. Each finding is a line."""

from __future__ import annotations

from dataclasses import replace

from relance.sandbox.formula import UnsupportedFormula, compiled
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema

KNOWN_GLOBALS = ("$user", "$profile", "$userrole", "$organization", "$recordtype", "$permission", "$setup")


def check_references(schema: OrgSchema) -> None:
    """Lookups to objects the org does not have, rules that name absent matching rules or queues."""
    for thing in schema.objects:
        for field in thing.fields:
            missing = [name for name in field.reference_to if name not in schema.objects]
            if missing and field.custom and thing.kind != "metadata":
                schema.skipped.append(
                    f"{thing.name}.{field.name}: it looks up {', '.join(missing)}, absent from the tree;"
                    " only blank values are taken"
                )
    _check_duplicate_rules(schema)
    _check_queues(schema)


def check_formulas(schema: OrgSchema) -> None:
    """Formulas beyond the evaluator, and formulas that read a field the org does not have."""
    for thing in schema.objects:
        for place, rule in enumerate(thing.validation_rules):
            trouble = _trouble_with(schema, thing, rule.formula)
            if trouble:
                thing.validation_rules[place] = replace(rule, enforced=False)
                if rule.active:
                    schema.skipped.append(f"{thing.name}.{rule.name}: {trouble}; the rule is not enforced")
        for field in thing.fields:
            if field.formula:
                trouble = _trouble_with(schema, thing, field.formula)
                if trouble:
                    schema.skipped.append(f"{thing.name}.{field.name}: {trouble}; the formula field reads as blank")
            _check_default(schema, thing, field)


def _check_default(schema: OrgSchema, thing: OrgObject, field: OrgField) -> None:
    if field.default is None or field.type == "boolean" or not field.custom:
        return
    trouble = _trouble_with(schema, thing, field.default)
    if trouble:
        field.default = None
        schema.skipped.append(f"{thing.name}.{field.name}: {trouble}; the field has no default value")


def _trouble_with(schema: OrgSchema, thing: OrgObject, formula: str) -> str:
    try:
        paths = compiled(formula).paths
    except UnsupportedFormula as trouble:
        return f"its formula cannot be evaluated here ({trouble})"
    for path in sorted(paths):
        if not _leads_somewhere(schema, thing, path):
            return f"its formula reads {path}, which the org does not have"
    return ""


def _leads_somewhere(schema: OrgSchema, thing: OrgObject, path: str) -> bool:
    if path.startswith("$"):
        return path.partition(".")[0].lower() in KNOWN_GLOBALS
    *links, last = path.split(".")
    here: OrgObject | None = thing
    for link in links:
        here = _beyond(schema, here, link) if here is not None else None
    return here is not None and last in here.fields


def _beyond(schema: OrgSchema, thing: OrgObject, link: str) -> OrgObject | None:
    wanted, _colon, kind = link.partition(":")
    for field in thing.fields:
        if field.type == "reference" and field.relationship.lower() == wanted.lower():
            names = (kind,) if kind else field.reference_to
            return next((found for found in map(schema.objects.get, names[::-1]) if found is not None), None)
    return None


def _check_duplicate_rules(schema: OrgSchema) -> None:
    known = {(rule.object.lower(), rule.name.lower()) for rule in schema.matching_rules}
    for rule in schema.duplicate_rules:
        for target, name in rule.matches:
            if rule.active and (target.lower(), name.lower()) not in known:
                schema.skipped.append(
                    f"{rule.object}.{rule.name}: its matching rule {name} on {target} is not in the tree;"
                    " it finds no duplicates there"
                )


def _check_queues(schema: OrgSchema) -> None:
    known = {queue.name.lower() for queue in schema.queues}
    for rule in schema.assignment_rules:
        for entry in rule.entries:
            if entry.assigned_to_type == "Queue" and entry.assigned_to.lower() not in known:
                schema.skipped.append(
                    f"{rule.object}.{rule.name}: it assigns to the queue {entry.assigned_to}, absent from the tree;"
                    " the entry changes no owner"
                )
