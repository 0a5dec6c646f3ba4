"""Profiles, permission sets and custom permissions of a tree."""

from __future__ import annotations

from urllib.parse import unquote
from xml.etree.ElementTree import Element

from relance.sandbox.schema import OrgSchema, PermissionSet
from relance.sandbox.tree_files import is_true, text_of
from relance.sandbox.tree_names import name_of_file

OBJECT_FLAGS = {
    "allowCreate": "create",
    "allowRead": "read",
    "allowEdit": "edit",
    "allowDelete": "delete",
    "viewAllRecords": "view_all",
    "modifyAllRecords": "modify_all",
}


def take_profile(schema: OrgSchema, file: str, root: Element) -> None:
    schema.permission_sets.append(_granted(unquote(name_of_file(file)), root, is_profile=True))


def take_permission_set(schema: OrgSchema, file: str, root: Element) -> None:
    schema.permission_sets.append(_granted(name_of_file(file), root, is_profile=False))


def take_custom_permission(schema: OrgSchema, file: str, _root: Element) -> None:
    schema.custom_permissions.append(name_of_file(file))


def _granted(name: str, root: Element, is_profile: bool) -> PermissionSet:
    objects = {
        text_of(each, "object"): frozenset(flag for tag, flag in OBJECT_FLAGS.items() if is_true(each, tag))
        for each in root.findall("objectPermissions")
    }
    fields = {
        text_of(each, "field"): frozenset(
            flag for tag, flag in (("readable", "read"), ("editable", "edit")) if is_true(each, tag)
        )
        for each in root.findall("fieldPermissions")
    }
    allowed = [
        text_of(each, "name")
        for tag in ("userPermissions", "customPermissions")
        for each in root.findall(tag)
        if is_true(each, "enabled")
    ]
    return PermissionSet(name, text_of(root, "label") or name, is_profile, objects, fields, frozenset(allowed))
