"""Finds what the names of a query mean in this org, and the joins that reach them. What the user may not read is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relance.sandbox.errors import Refused, refuse_object
from relance.sandbox.outcomes import Caller
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema
from relance.sandbox.soql_parse import refuse_at, show_place
from relance.sandbox.soql_tree import FieldPath
from relance.sandbox.store import quoted

NAME_PARTS = ("FirstName", "MiddleName", "LastName", "Suffix")
TEXT_TYPES = frozenset(
    {
        "string",
        "textarea",
        "email",
        "phone",
        "url",
        "picklist",
        "multipicklist",
        "encryptedstring",
        "combobox",
        "anytype",
    }
)
ADVICE = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path has led: the joined tables, several when the relationship may point at several objects."""

    tables: tuple[tuple[str, OrgObject], ...]  # (alias, object)
    relations: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        ids = [f'{alias}."Id"' for alias, _thing in self.tables]
        return ids[0] if len(ids) == 1 else f"coalesce({', '.join(ids)})"


@dataclass(frozen=True, slots=True)
class Found:
    """A field at the end of a path. `sql` is empty for an address or a location: they are made of their parts."""

    sql: str
    field: OrgField
    thing: OrgObject
    place: Place

    @property
    def output(self) -> tuple[str, ...]:
        return (*self.place.relations, self.field.name)


def find_object(schema: OrgSchema, caller: Caller, name: str) -> OrgObject | None:
    thing = schema.objects.get(name)
    return thing if thing is not None and caller.may(thing.name, "read") else None


def readable_fields(thing: OrgObject, caller: Caller) -> Iterator[OrgField]:
    return (field for field in thing.fields if caller.may_read_field(thing.name, field.name))


def find_field(thing: OrgObject, caller: Caller, name: str) -> OrgField | None:
    field = thing.fields.get(name)
    return field if field is not None and caller.may_read_field(thing.name, field.name) else None


def parts_of(thing: OrgObject, compound: OrgField) -> list[OrgField]:
    return [field for field in thing.fields if field.compound == compound.name and field is not compound]


def child_name(field: OrgField) -> str:
    """The name a parent's query uses for its children by this field."""
    name = field.child_relationship
    return f"{name}__r" if name and field.custom and not name.lower().endswith("__r") else name


class Names:
    """The names of one query level: its object, and every join its paths ask for."""

    def __init__(self, schema: OrgSchema, caller: Caller, text: str, aliases: Iterator[str]) -> None:
        self.schema = schema
        self.caller = caller
        self.text = text
        self.aliases = aliases
        self.joins: list[str] = []
        self.uses_formulas = False
        self._places: dict[tuple[str, ...], Place] = {}

    def enter(self, object_name: str, at: int, alias: str) -> Place:
        thing = find_object(self.schema, self.caller, object_name)
        if thing is None:
            refusal = refuse_object(object_name)
            raise refuse_at(self.text, at, refusal.message, code=refusal.code)
        if not thing.queryable:
            complaint = f"entity type {thing.name} does not support query"
            raise refuse_at(self.text, at, complaint, code="INVALID_TYPE_FOR_OPERATION")
        self.thing = thing
        self.alias = alias.lower()
        self.root = Place(((next(self.aliases), thing),))
        return self.root

    def find(self, path: FieldPath) -> Found:
        """The field a path names, joining what lies on the way; INVALID_FIELD if any part of it is unknown."""
        names = path.names
        if len(names) > 1 and names[0].lower() in (self.alias, self.thing.name.lower()) and names[0]:
            names = names[1:] if self._relation(self.root, names[0]) is None else names
        place = self.root
        for name in names[:-1]:
            place = self._follow(place, name, path.at)
        return self._end(place, names[-1], path.at)

    def place(self, relations: tuple[str, ...]) -> Place:
        """Where a path already followed has led."""
        return self._places[relations]

    def refuse_field(self, field_name: str, thing_name: str, at: int) -> Refused:
        return refuse_at(
            self.text,
            at,
            f"No such column '{field_name}' on entity '{thing_name}'. If you are attempting to use a custom field, be sure to "
            f"append the '__c' after the custom field name. {ADVICE}",
            code="INVALID_FIELD",
        )

    def expression(self, alias: str, thing: OrgObject, field: OrgField) -> str:
        """The SQL that reads one field of one joined table."""
        if field.stored:
            return f"{alias}.{quoted(field.name)}"
        if field.virtual:
            return self._person_name(alias, thing) if field.type not in ("address", "location") else ""
        self.uses_formulas = True
        value = f"""sandbox_formula('{thing.name}', '{field.name}', {alias}."Id")"""
        return f"{value} COLLATE NOCASE" if field.type in TEXT_TYPES else value

    def _person_name(self, alias: str, thing: OrgObject) -> str:
        parts = [f"coalesce({alias}.{quoted(part)} || ' ', '')" for part in NAME_PARTS if part in thing.fields]
        return f"nullif(trim({' || '.join(parts)}), '') COLLATE NOCASE"

    def _kind(self, place: Place) -> str:
        """`Owner.Type`: User or Queue, Lead or Contact; a record that has no such field is of the type of its object."""
        kinds = (
            f'{alias}."Type"' if "Type" in thing.fields and thing.name == "Group" else f"'{thing.name}'"
            for alias, thing in place.tables
        )
        cases = " ".join(
            f'WHEN {alias}."Id" IS NOT NULL THEN {kind}'
            for (alias, _thing), kind in zip(place.tables, kinds, strict=True)
        )
        return f"(CASE {cases} END) COLLATE NOCASE"

    def _relation(self, place: Place, name: str) -> tuple[str, OrgObject, OrgField] | None:
        wanted = name.lower()
        for alias, thing in place.tables:
            for field in readable_fields(thing, self.caller):
                if field.type == "reference" and field.relationship.lower() == wanted:
                    return alias, thing, field
        return None

    def _follow(self, place: Place, name: str, at: int) -> Place:
        relation = self._relation(place, name)
        key = (*place.relations, relation[2].relationship) if relation else ()
        if relation is None:
            raise Refused(400, "INVALID_FIELD", show_place(self.text, at) + self._unknown_relation(name))
        if key not in self._places:
            self._places[key] = self._join(relation, key, name, at)
        return self._places[key]

    def _unknown_relation(self, name: str) -> str:
        return (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be sure "
            f"to append the '__r' after the custom relationship name. {ADVICE}"
        )

    def _join(self, relation: tuple[str, OrgObject, OrgField], key: tuple[str, ...], name: str, at: int) -> Place:
        alias, _thing, field = relation
        tables: list[tuple[str, OrgObject]] = []
        for target_name in field.reference_to:
            target = find_object(self.schema, self.caller, target_name)
            if target is not None:
                joined = next(self.aliases)
                column = f"{alias}.{quoted(field.name)}"
                self.joins.append(f'LEFT JOIN {quoted(target.name)} AS {joined} ON {joined}."Id" = {column}')
                tables.append((joined, target))
        if not tables:
            raise Refused(400, "INVALID_FIELD", show_place(self.text, at) + self._unknown_relation(name))
        return Place(tuple(tables), key)

    def _end(self, place: Place, name: str, at: int) -> Found:
        found = [
            (alias, thing, field)
            for alias, thing in place.tables
            if (field := find_field(thing, self.caller, name)) is not None
        ]
        if not found:
            raise self.refuse_field(name, place.tables[0][1].name if len(place.tables) == 1 else "Name", at)
        alias, thing, field = found[0]
        if field.name == "Type" and len(place.tables) > 1:
            return Found(self._kind(place), field, thing, place)
        if len(found) == 1:
            return Found(self.expression(alias, thing, field), field, thing, place)
        choices = ", ".join(self.expression(*each) for each in found)
        text = " COLLATE NOCASE" if field.type in TEXT_TYPES else ""
        return Found(f"coalesce({choices}){text}", field, thing, place)
