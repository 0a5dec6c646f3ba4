"""The org's make as the Metadata API writes it: for each type the full names there are, and the XML of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape

from relance.sandbox.schema import (
    AssignmentRule,
    DuplicateRule,
    MatchingRule,
    OrgField,
    OrgObject,
    OrgSchema,
    PermissionSet,
    PicklistValue,
    Queue,
    RecordType,
    ValidationRule,
)

FIELD_TYPES = {
    "string": "Text", "email": "Email", "phone": "Phone", "url": "Url", "double": "Number", "int": "Number",
    "currency": "Currency", "percent": "Percent", "boolean": "Checkbox", "date": "Date", "datetime": "DateTime", "time": "Time",
    "picklist": "Picklist", "multipicklist": "MultiselectPicklist", "location": "Location", "encryptedstring": "EncryptedText",
    "address": "Address",
}  # fmt: skip
OBJECT_FLAGS = {
    "allowCreate": "create", "allowDelete": "delete", "allowEdit": "edit", "allowRead": "read",
    "modifyAllRecords": "modify_all", "viewAllRecords": "view_all",
}  # fmt: skip
Xml = str


def el(name: str, value: object) -> Xml:
    """One element; nothing for None and ''. A tuple or list of XML texts is put inside."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    if isinstance(value, list | tuple):
        return f"<{name}>{''.join(value)}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def convert_settings(schema: OrgSchema) -> Xml:
    """Custom fields only: the platform's own maps are fixed, and told nowhere."""
    mappings = (
        el(
            "objectMapping",
            (
                el("inputObject", "Lead"),
                *(el("mappingFields", (el("inputField", own), el("outputField", out))) for own, out in mapping.fields),
                el("outputObject", mapping.output_object),
            ),
        )
        for mapping in schema.convert_mappings or ()
    )
    options = schema.convert_options
    return (
        el("allowOwnerChange", options.get("allowOwnerChange", "false"))
        + "".join(mappings)
        + el("opportunityCreationOptions", options.get("opportunityCreationOptions", "VisibleOptional"))
    )


def custom_field(field: OrgField) -> Xml:
    kind = "Summary" if field.summary else "AutoNumber" if field.auto_number else FIELD_TYPES.get(field.type, "Text")
    if field.type == "textarea":
        kind = "LongTextArea" if field.length > 255 else "TextArea"
    if field.type == "reference":
        kind = "MasterDetail" if field.cascade_delete else "Lookup"
    has_digits = kind in ("Number", "Currency", "Percent")
    return "".join(
        (
            el("defaultValue", field.default),
            el("description", field.description),
            el("displayFormat", field.display_format),
            el("externalId", field.external_id) if field.custom else "",
            el("formula", field.formula),
            el("formulaTreatBlanksAs", "BlankAsZero" if field.treat_blanks_as_zero else "BlankAsBlank")
            if field.formula
            else "",
            el("inlineHelpText", field.help_text),
            el("label", field.label),
            el("length", field.length if kind in ("Text", "LongTextArea") and not field.formula else None),
            el("precision", field.precision or 18 if has_digits else None),
            el("referenceTo", field.reference_to[0] if field.reference_to else None),
            el("relationshipName", field.child_relationship),
            el("required", field.required and kind != "MasterDetail"),
            el("scale", field.scale if has_digits else None),
            el("type", kind),
            el("unique", field.unique) if kind in ("Text", "Number", "Email") else "",
            value_set(field),
        )
    )


def value_set(field: OrgField) -> Xml:
    if not field.picklist:
        return ""
    values = el("valueSetDefinition", (el("sorted", False), *(picklist_value(value) for value in field.picklist)))
    return el("valueSet", (el("controllingField", field.controller), el("restricted", field.restricted), values))


def picklist_value(value: PicklistValue) -> Xml:
    parts = (el("fullName", value.value), el("default", value.default), el("label", value.label))
    return el("value", (*parts, "" if value.active else el("isActive", False)))


def validation_rule(rule: ValidationRule) -> Xml:
    return "".join(
        (
            el("active", rule.active),
            el("description", rule.description),
            el("errorConditionFormula", rule.formula),
            el("errorDisplayField", rule.field),
            el("errorMessage", rule.message),
        )
    )


def record_type(kind: RecordType) -> Xml:
    lists = (
        el(
            "picklistValues",
            (
                el("picklist", name),
                *(
                    el("values", (el("fullName", value), el("default", kind.default_values.get(name) == value)))
                    for value in values
                ),
            ),
        )
        for name, values in kind.picklists.items()
    )
    return el("active", kind.active) + el("label", kind.label) + "".join(lists)


def custom_object(thing: OrgObject) -> Xml:
    """A custom object whole; of a standard one its fields, rules and record types."""
    own = ""
    if thing.custom:
        name = thing.fields.get("Name")
        naming = (el("label", name.label), el("type", "AutoNumber" if name.auto_number else "Text")) if name else ()
        own = (
            el("deploymentStatus", "Deployed")
            + el("label", thing.label)
            + el("pluralLabel", thing.plural)
            + el("nameField", naming or None)
        )
    fields = (
        el(
            "fields",
            (
                el("fullName", field.name),
                custom_field(field) if field.custom else el("type", FIELD_TYPES.get(field.type)),
            ),
        )
        for field in thing.fields
        if field.custom or not field.system
    )
    rules = (
        el("validationRules", (el("fullName", rule.name), validation_rule(rule))) for rule in thing.validation_rules
    )
    kinds = (el("recordTypes", (el("fullName", kind.developer_name), record_type(kind))) for kind in thing.record_types)
    return own + "".join(fields) + "".join(kinds) + el("sharingModel", thing.sharing) + "".join(rules)


def duplicate_rule(rule: DuplicateRule) -> Xml:
    matches = []
    for target, matching in rule.matches:
        pairs = rule.mappings.get(target)
        mapping = (
            el(
                "objectMapping",
                (
                    el("inputObject", rule.object),
                    *(el("mappingFields", (el("inputField", own), el("outputField", out))) for own, out in pairs),
                    el("outputObject", target),
                ),
            )
            if pairs
            else '<objectMapping xsi:nil="true"/>'
        )
        matches.append(
            el("duplicateRuleMatchRules", (el("matchRuleSObjectType", target), el("matchingRule", matching), mapping))
        )
    return "".join(
        (
            el("actionOnInsert", rule.on_insert),
            el("actionOnUpdate", rule.on_update),
            el("alertText", rule.alert),
            *matches,
            el("isActive", rule.active),
            el("masterLabel", rule.label),
            *(el("operationsOnInsert", each) for each in rule.operations_on_insert),
            *(el("operationsOnUpdate", each) for each in rule.operations_on_update),
            el("securityOption", "BypassSharingRules" if rule.bypass_sharing else "EnforceSharingRules"),
            el("sortOrder", rule.order),
        )
    )


def matching_rule(rule: MatchingRule) -> Xml:
    items = (
        el(
            "matchingRuleItems",
            (el("blankValueBehavior", item.blank), el("fieldName", item.field), el("matchingMethod", item.method)),
        )
        for item in rule.items
    )
    status = "Active" if rule.active else "Inactive"
    name, logic = el("fullName", rule.name), el("booleanFilter", rule.filter)
    return el("matchingRules", (name, logic, el("label", rule.label), *items, el("ruleStatus", status)))


def assignment_rule(rule: AssignmentRule) -> Xml:
    entries = []
    for entry in rule.entries:
        criteria = (
            el("criteriaItems", (el("field", field), el("operation", operation), el("value", value)))
            for field, operation, value in entry.criteria
        )
        entries.append(
            el(
                "ruleEntry",
                (
                    el("assignedTo", entry.assigned_to),
                    el("assignedToType", entry.assigned_to_type),
                    el("booleanFilter", entry.boolean_filter),
                    *criteria,
                    el("formula", entry.formula),
                ),
            )
        )
    return el("assignmentRule", (el("fullName", rule.name), el("active", rule.active), *entries))


def matching_rules(schema: OrgSchema, name: str) -> Xml:
    return "".join(matching_rule(each) for each in schema.matching_rules if each.object == name)


def assignment_rules(schema: OrgSchema, name: str) -> Xml:
    return "".join(assignment_rule(each) for each in schema.assignment_rules if each.object == name)


def permission_set(granted: PermissionSet) -> Xml:
    objects = (
        el("objectPermissions", (*(el(tag, flag in flags) for tag, flag in OBJECT_FLAGS.items()), el("object", name)))
        for name, flags in sorted(granted.objects.items())
    )
    fields = (
        el("fieldPermissions", (el("editable", "edit" in flags), el("field", name), el("readable", bool(flags))))
        for name, flags in sorted(granted.fields.items())
    )
    users = (
        el("userPermissions", (el("enabled", True), el("name", name))) for name in sorted(granted.user_permissions)
    )
    label = "" if granted.is_profile else el("label", granted.label)
    return "".join(fields) + label + "".join(objects) + "".join(users)


def queue(each: Queue) -> Xml:
    served = (el("queueSobject", (el("sobjectType", name),)) for name in each.objects)
    return el("doesSendEmailToMembers", False) + el("email", each.email) + el("name", each.label) + "".join(served)


def values_of_set(values: Iterable[PicklistValue], tag: str) -> Xml:
    return el("sorted", False) + "".join(
        picklist_value(value).replace("<value>", f"<{tag}>").replace("</value>", f"</{tag}>") for value in values
    )


@dataclass(frozen=True, slots=True)
class MetadataType:
    """`all` gives every full name with the function that writes it."""

    name: str
    directory: str
    suffix: str
    all: Callable[[OrgSchema], Iterator[tuple[str, Callable[[], Xml]]]]
    children: tuple[str, ...] = ()


def _objects(schema: OrgSchema) -> Iterator[OrgObject]:
    return (thing for thing in schema.objects if thing.kind in ("object", "setting", "metadata", "event"))


def _all_objects(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    return ((thing.name, partial(custom_object, thing)) for thing in _objects(schema))


def _all_fields(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for thing in _objects(schema):
        for field in thing.fields:
            if field.custom:
                yield f"{thing.name}.{field.name}", partial(custom_field, field)


def _all_rules(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for thing in _objects(schema):
        for rule in thing.validation_rules:
            yield f"{thing.name}.{rule.name}", partial(validation_rule, rule)


def _all_record_types(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for thing in _objects(schema):
        for kind in thing.record_types:
            yield f"{thing.name}.{kind.developer_name}", partial(record_type, kind)


def _all_matching(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for name in dict.fromkeys(rule.object for rule in schema.matching_rules):
        yield (
            name,
            partial(matching_rules, schema, name),
        )


def _all_assignment(schema: OrgSchema) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for name in dict.fromkeys(rule.object for rule in schema.assignment_rules):
        yield (
            name,
            partial(assignment_rules, schema, name),
        )


def _all_sets(schema: OrgSchema, *, profiles: bool) -> Iterator[tuple[str, Callable[[], Xml]]]:
    for granted in schema.permission_sets:
        if granted.is_profile == profiles:
            yield granted.name, partial(permission_set, granted)


TYPES: dict[str, MetadataType] = {
    each.name: each
    for each in (
        MetadataType(
            "LeadConvertSettings", "LeadConvertSettings", "LeadConvertSetting",
            lambda schema: iter((("LeadConvertSettings", partial(convert_settings, schema)),)),
        ),
        MetadataType("CustomObject", "objects", "object", _all_objects, ("CustomField", "RecordType", "ValidationRule")),
        MetadataType("CustomField", "objects", "object", _all_fields),
        MetadataType("ValidationRule", "objects", "object", _all_rules),
        MetadataType("RecordType", "objects", "object", _all_record_types),
        MetadataType(
            "DuplicateRule", "duplicateRules", "duplicateRule",
            lambda schema: ((f"{rule.object}.{rule.name}", partial(duplicate_rule, rule)) for rule in schema.duplicate_rules),
        ),
        MetadataType("MatchingRules", "matchingRules", "matchingRule", _all_matching, ("MatchingRule",)),
        MetadataType("AssignmentRules", "assignmentRules", "assignmentRules", _all_assignment, ("AssignmentRule",)),
        MetadataType("PermissionSet", "permissionsets", "permissionset", lambda schema: _all_sets(schema, profiles=False)),
        MetadataType("Profile", "profiles", "profile", lambda schema: _all_sets(schema, profiles=True)),
        MetadataType(
            "Queue", "queues", "queue",
            lambda schema: ((each.name, partial(queue, each)) for each in schema.queues),
        ),
        MetadataType(
            "GlobalValueSet", "globalValueSets", "globalValueSet",
            lambda schema: (
                (name, partial(values_of_set, values, "customValue")) for name, values in schema.global_value_sets.items()
            ),
        ),
        MetadataType(
            "StandardValueSet", "standardValueSets", "standardValueSet",
            lambda schema: (
                (name, partial(values_of_set, values, "standardValue"))
                for name, values in schema.standard_value_sets.items()
            ),
        ),
    )
}  # fmt: skip
CHILD_TYPES = frozenset(child for each in TYPES.values() for child in each.children)
