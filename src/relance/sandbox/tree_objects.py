"""Objects of a tree: custom ones, custom settings, custom metadata, events, and what a tree changes on standard ones."""

from __future__ import annotations

import os
from xml.etree.ElementTree import Element

from relance.sandbox.new_objects import object_named
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema
from relance.sandbox.tree_fields import add_field
from relance.sandbox.tree_files import is_true, text_of
from relance.sandbox.tree_parts import add_business_process, add_record_type, add_validation_rule


def take_object(schema: OrgSchema, file: str, root: Element) -> None:
    """The object's own file, and the parts older trees keep inside it."""
    name = os.path.basename(file).removesuffix(".object-meta.xml")  # noqa: PTH119
    thing = object_named(schema, name)
    if thing is None:
        return
    if thing.custom:
        _describe(thing, root)
    for part in root.findall("fields"):
        add_field(schema, name, part, text_of(part, "fullName"))
    for part in root.findall("businessProcesses"):
        add_business_process(schema, name, part, text_of(part, "fullName"))
    for part in root.findall("recordTypes"):
        add_record_type(schema, name, part, text_of(part, "fullName"))
    for part in root.findall("validationRules"):
        add_validation_rule(schema, name, part, text_of(part, "fullName"))


def finish_objects(schema: OrgSchema) -> None:
    """What can only be told once all fields are read: details have no owner, record types want their field."""
    for thing in schema.objects:
        if thing.custom and any(field.cascade_delete for field in thing.fields):
            _disown(thing)
        if thing.record_types and "RecordTypeId" not in thing.fields:
            thing.fields.add("RecordTypeId", _record_type_field())
        for field in thing.fields:
            _shape_summary(schema, field)


def _describe(thing: OrgObject, root: Element) -> None:
    thing.label = text_of(root, "label") or thing.label
    thing.plural = text_of(root, "pluralLabel") or thing.label
    thing.sharing = text_of(root, "sharingModel") or thing.sharing
    if root.find("customSettingsType") is not None:
        thing.kind, thing.owned = "setting", False
        thing.fields.add("SetupOwnerId", _setup_owner())
        _disown(thing)
    naming = root.find("nameField")
    name = thing.fields.get("Name")
    if naming is None or name is None:
        return
    name.label = text_of(naming, "label") or name.label
    name.track_history = is_true(naming, "trackHistory")
    if text_of(naming, "type") == "AutoNumber":
        name.auto_number, name.display_format = True, text_of(naming, "displayFormat") or "{0}"
        name.createable = name.updateable = False
        name.defaulted_on_create = True


def _shape_summary(schema: OrgSchema, field: OrgField) -> None:
    """A roll-up is of the kind of what it rolls up; a count is a whole number."""
    child = None if field.summary is None else schema.objects.get(field.summary.child)
    source = None if child is None or field.summary is None else child.fields.get(field.summary.field)
    if source is not None:
        field.type, field.precision, field.scale = source.type, 18 if source.precision else 0, source.scale


def _disown(thing: OrgObject) -> None:
    thing.owned = False
    thing.fields.drop("OwnerId")


def _setup_owner() -> OrgField:
    owner = OrgField("SetupOwnerId", "Location", "reference", 18, relationship="SetupOwner", updateable=False)
    owner.reference_to = ("Organization", "Profile", "User")
    return owner


def _record_type_field() -> OrgField:
    field = OrgField("RecordTypeId", "Record Type ID", "reference", 18, relationship="RecordType")
    field.reference_to = ("RecordType",)
    return field
