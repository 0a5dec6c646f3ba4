"""What the sync needs to know of each CRM's objects beyond their description: what they stand for, where owner, company and
conversion are kept, and in which order they are read."""

from __future__ import annotations

from dataclasses import dataclass

from relance.people.catalogue import Subject


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """One object. Names left empty are kept nowhere in it. The higher `rank` leads when two records stand for one person."""

    object: str
    subject: Subject
    rank: int = 0
    owner_field: str = ""
    company_field: str = ""
    converted_field: str = ""
    converted_to_field: str = ""
    converts_to: str = ""
    may_be_made: bool = True
    external_id_names: tuple[str, ...] = ("Relance_Id__c",)


# In the order they are read: companies before the people in them, leads before the contacts they became.
SHAPES: dict[str, tuple[ObjectShape, ...]] = {
    "salesforce": (
        ObjectShape("Account", Subject.COMPANY, owner_field="OwnerId"),
        ObjectShape(
            "Lead",
            Subject.PERSON,
            rank=1,
            owner_field="OwnerId",
            converted_field="IsConverted",
            converted_to_field="ConvertedContactId",
            converts_to="Contact",
        ),
        ObjectShape("Contact", Subject.PERSON, rank=2, owner_field="OwnerId", company_field="AccountId"),
    )
}

# The object a person without a record becomes, by dialect: sales qualify a lead before they make it a contact.
FIRST_OBJECT: dict[tuple[str, Subject], str] = {
    ("salesforce", Subject.PERSON): "Lead",
    ("salesforce", Subject.COMPANY): "Account",
}


def shape_of(dialect: str, object: str) -> ObjectShape:
    """The shape of one object. KeyError when this CRM's object is not one we sync."""
    return next(shape for shape in SHAPES[dialect] if shape.object == object)
