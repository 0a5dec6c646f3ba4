"""Fields of a tree: every type of the metadata becomes a field as describe calls it."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from relance.sandbox.new_objects import object_named
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema, PicklistValue, Summary
from relance.sandbox.tree_files import UnreadableFile, is_true, number_of, text_of
from relance.sandbox.tree_names import name_of_file, object_of_file, objects_meant, relationship_of, words_of
from relance.sandbox.tree_values import value_of

# Metadata type: describe type, length when the file gives none.
PLAIN_TYPES = {
    "AutoNumber": ("string", 30),
    "Checkbox": ("boolean", 0),
    "Currency": ("currency", 0),
    "Date": ("date", 0),
    "DateTime": ("datetime", 0),
    "Email": ("email", 80),
    "EncryptedText": ("encryptedstring", 175),
    "ExternalLookup": ("string", 255),
    "Hierarchy": ("reference", 18),
    "Html": ("textarea", 32768),
    "IndirectLookup": ("string", 255),
    "Location": ("location", 0),
    "LongTextArea": ("textarea", 32768),
    "Lookup": ("reference", 18),
    "MasterDetail": ("reference", 18),
    "MetadataRelationship": ("reference", 18),
    "MultiselectPicklist": ("multipicklist", 4099),
    "Number": ("double", 0),
    "Percent": ("percent", 0),
    "Phone": ("phone", 40),
    "Picklist": ("picklist", 255),
    "Summary": ("double", 0),
    "Text": ("string", 255),
    "TextArea": ("textarea", 255),
    "Time": ("time", 0),
    "Url": ("url", 255),
}


def take_field(schema: OrgSchema, file: str, root: Element) -> None:
    for name in objects_meant(object_of_file(file)):
        object_named(schema, name)
    add_field(schema, object_of_file(file), root, name_of_file(file))


def add_field(schema: OrgSchema, object_name: str, root: Element, name: str) -> None:
    """Adds the field to its object, or changes the standard field of that name."""
    name = text_of(root, "fullName") or name
    things = [thing for thing in map(schema.objects.get, objects_meant(object_name)) if thing is not None]
    if not things:
        raise UnreadableFile(f"the object {object_name} is not a table here, so its field {name} is left out")
    for thing in things:
        known = thing.fields.get(name)
        if known is not None and not known.custom:
            _change_standard(schema, known, root)
        else:
            _add_custom(schema, thing, root, name)


def _add_custom(schema: OrgSchema, thing: OrgObject, root: Element, name: str) -> None:
    kind = text_of(root, "type")
    if kind not in PLAIN_TYPES:
        told = f"of the unknown type {kind}" if kind else "without a type"
        raise UnreadableFile(f"{thing.name}.{name} is a field {told}, and is left out")
    describe_type, length = PLAIN_TYPES[kind]
    field = OrgField(
        name, text_of(root, "label") or words_of(name), describe_type, custom=name.endswith(("__c", "__pc"))
    )
    field.length = number_of(root, "length", length)
    field.help_text = text_of(root, "inlineHelpText")
    field.description = text_of(root, "description")
    field.required = is_true(root, "required")
    field.unique = is_true(root, "unique")
    field.case_sensitive = is_true(root, "caseSensitive")
    field.external_id = is_true(root, "externalId")
    field.track_history = is_true(root, "trackHistory")
    field.default = text_of(root, "defaultValue") or None
    field.defaulted_on_create = field.default is not None or describe_type == "boolean"
    if describe_type in ("double", "currency", "percent"):
        field.precision, field.scale = number_of(root, "precision", 18), number_of(root, "scale")
    formula = root.find("formula")
    if formula is not None:
        _make_formula(field, (formula.text or "").strip(), text_of(root, "formulaTreatBlanksAs"))
    elif kind in MAKERS:
        MAKERS[kind](schema, thing, field, root)
    thing.fields.add(name, field)


def _make_formula(field: OrgField, formula: str, blanks: str) -> None:
    field.calculated, field.formula = True, formula
    field.treat_blanks_as_zero = blanks != "BlankAsBlank"
    field.createable = field.updateable = field.required = False
    if field.type == "string":
        field.length = 1300


def _make_auto_number(_schema: OrgSchema, _thing: OrgObject, field: OrgField, root: Element) -> None:
    field.auto_number, field.display_format = True, text_of(root, "displayFormat") or "{0}"
    field.createable = field.updateable = field.required = False
    field.defaulted_on_create = True


def _make_picklist(schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    values, restricted = _values(schema, thing, field, root)
    field.picklist, field.restricted = values, restricted
    field.defaulted_on_create = any(value.default for value in values) or field.default is not None
    chosen = root.find("valueSet")
    if chosen is None:
        return
    field.controller = text_of(chosen, "controllingField")
    for setting in chosen.findall("valueSettings"):
        controlling = tuple((each.text or "").strip() for each in setting.findall("controllingFieldValue"))
        field.valid_for[text_of(setting, "valueName")] = controlling


def _values(
    schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element
) -> tuple[tuple[PicklistValue, ...], bool]:
    chosen = root.find("valueSet")
    if chosen is None:
        older = root.find("picklist")
        values = () if older is None else tuple(value_of(each) for each in older.findall("picklistValues"))
        return values, older is not None and is_true(older, "restrictedPicklist")
    restricted = is_true(chosen, "restricted")
    named = text_of(chosen, "valueSetName")
    if named:
        if named not in schema.global_value_sets:
            schema.skipped.append(
                f"{thing.name}.{field.name}: its value set {named} is not in the tree, so any value is taken"
            )
            return (), False
        return schema.global_value_sets[named], True
    definition = chosen.find("valueSetDefinition")
    values = () if definition is None else tuple(value_of(each) for each in definition.findall("value"))
    return values, restricted


def _make_lookup(_schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    field.reference_to = tuple((each.text or "").strip() for each in root.findall("referenceTo"))
    field.relationship = relationship_of(field.name)
    child = text_of(root, "relationshipName")
    field.child_relationship = f"{child}__r" if child and field.custom else child
    field.delete_constraint = text_of(root, "deleteConstraint")
    if root.find("lookupFilter") is not None:
        _schema.skipped.append(f"{thing.name}.{field.name}: its lookup filter is not enforced")


def _make_hierarchy(schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    _make_lookup(schema, thing, field, root)
    field.reference_to = field.reference_to or (thing.name,)


def _make_detail(schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    _make_lookup(schema, thing, field, root)
    field.required = field.cascade_delete = True
    field.reparentable = is_true(root, "reparentableMasterDetail")
    field.updateable = field.reparentable


def _make_location(_schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    """A location is a compound of two numbers."""
    field.virtual, field.createable, field.updateable, field.required = True, False, False, False
    stem = field.name.removesuffix("__c")
    for part in ("Latitude", "Longitude"):
        number = OrgField(f"{stem}__{part}__s", f"{field.label} ({part})", "double", custom=True, compound=field.name)
        number.precision, number.scale = 18, number_of(root, "scale", 15)
        thing.fields.add(number.name, number)


def _make_summary(_schema: OrgSchema, thing: OrgObject, field: OrgField, root: Element) -> None:
    child, _dot, link = text_of(root, "summaryForeignKey").partition(".")
    summarised = text_of(root, "summarizedField").partition(".")[2]
    filters = tuple(
        (text_of(each, "field").partition(".")[2], text_of(each, "operation"), text_of(each, "value"))
        for each in root.findall("summaryFilterItems")
    )
    if not child or not link:
        raise UnreadableFile(f"{thing.name}.{field.name} is a roll-up of nothing, and is left out")
    field.summary = Summary(text_of(root, "summaryOperation") or "count", child, link, summarised, filters)
    field.calculated = True
    field.createable = field.updateable = field.required = False


MAKERS: dict[str, Callable[[OrgSchema, OrgObject, OrgField, Element], None]] = {
    "AutoNumber": _make_auto_number,
    "Picklist": _make_picklist,
    "MultiselectPicklist": _make_picklist,
    "Lookup": _make_lookup,
    "MasterDetail": _make_detail,
    "MetadataRelationship": _make_lookup,
    "Hierarchy": _make_hierarchy,
    "Location": _make_location,
    "Summary": _make_summary,
}


def _change_standard(schema: OrgSchema, field: OrgField, root: Element) -> None:
    """A tree may relabel a standard field, demand it, track it, or give its list other values."""
    field.label = text_of(root, "label") or field.label
    field.help_text = text_of(root, "inlineHelpText") or field.help_text
    field.track_history = is_true(root, "trackHistory", field.track_history)
    field.required = field.required or is_true(root, "required")
    field.external_id = field.external_id or is_true(root, "externalId")
    chosen = root.find("valueSet")
    if chosen is not None and chosen.find("valueSetDefinition") is not None:
        definition = chosen.find("valueSetDefinition")
        field.picklist = () if definition is None else tuple(value_of(each) for each in definition.findall("value"))
        field.restricted = is_true(chosen, "restricted")
