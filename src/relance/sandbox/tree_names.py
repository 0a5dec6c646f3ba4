"""What the path of a metadata file says: the name of its component, and the object it belongs to."""

from __future__ import annotations

import os
from urllib.parse import unquote

ACTIVITY = ("Task", "Event")


def name_of_file(file: str) -> str:
    """Score__c of …/Score__c.field-meta.xml."""
    stem = os.path.basename(file).removesuffix("-meta.xml")  # noqa: PTH119
    return unquote(stem.rpartition(".")[0])


def object_of_file(file: str) -> str:
    """Lead of …/objects/Lead/fields/Score__c.field-meta.xml."""
    return os.path.basename(os.path.dirname(os.path.dirname(file)))  # noqa: PTH119, PTH120


def objects_meant(name: str) -> tuple[str, ...]:
    """Custom fields of activities are kept under Activity and show on tasks and events alike."""
    return ACTIVITY if name == "Activity" else (name,)


def relationship_of(field_name: str) -> str:
    """The name by which a lookup is followed: Compte__c gives Compte__r, OwnerId gives Owner."""
    if field_name.endswith("__c"):
        return field_name[:-1] + "r"
    return field_name.removesuffix("Id")


def words_of(api_name: str) -> str:
    """A label for what has none: Interet_Produit__c gives Interet Produit."""
    return api_name.removesuffix("__c").rpartition("__")[2].replace("_", " ").strip() or api_name
