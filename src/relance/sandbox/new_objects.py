"""Objects the org gets from a tree, with the fields every such object has."""

from __future__ import annotations

from relance.sandbox.schema import OrgField, OrgObject, OrgSchema
from relance.sandbox.standard import system_fields
from relance.sandbox.tree_names import words_of

KINDS = {"__mdt": "metadata", "__e": "event", "__x": "external", "__b": "big", "__kav": "article"}


def object_named(schema: OrgSchema, name: str) -> OrgObject | None:
    """The object, made with the usual fields when the org does not have it yet. Activity and person accounts are no tables."""
    found = schema.objects.get(name)
    if found is None and name not in ("Activity", "PersonAccount", ""):
        found = _new_object(name)
        schema.objects.add(name, found)
        if not found.custom:
            schema.skipped.append(
                f"{name}: a standard object the sandbox does not know; it has Name, owner, stamps and the tree's fields"
            )
    return found


def _new_object(name: str) -> OrgObject:
    suffix = next((end for end in KINDS if name.endswith(end)), "")
    kind = KINDS.get(suffix, "object")
    custom = bool(suffix) or name.endswith("__c")
    label = words_of(name)
    thing = OrgObject(name, label, label, "", custom=custom, kind=kind, owned=kind == "object")
    if kind == "metadata":
        thing.createable = thing.updateable = thing.deletable = False
    if kind == "event":
        thing.updateable = thing.deletable = thing.queryable = False
    for field in system_fields(thing.owned, queue=True, setup=kind != "object"):
        thing.fields.add(field.name, field)
    for field in _naming_fields(kind):
        thing.fields.add(field.name, field)
    return thing


def _naming_fields(kind: str) -> list[OrgField]:
    if kind == "event":
        return [OrgField("ReplayId", "Replay ID", "string", 1000, createable=False, updateable=False)]
    if kind == "metadata":
        return [
            OrgField("DeveloperName", "Custom Metadata Record Name", "string", 40, name_field=True),
            OrgField("MasterLabel", "Label", "string", 40),
            OrgField("Language", "Master Language", "picklist", 40),
            OrgField("NamespacePrefix", "Namespace Prefix", "string", 15),
            OrgField("Label", "Label", "string", 40),
            OrgField("QualifiedApiName", "Qualified API Name", "string", 70),
        ]
    return [OrgField("Name", "Name", "string", 80, name_field=True)]
