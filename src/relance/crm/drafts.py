"""A mapping as values, before it is rows: what the editor reads and writes, and the first draft we offer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relance.people.catalogue import FieldKind as OurKind
from relance.people.catalogue import FieldSpec, Subject, fields_of

from .describing import description_of
from .dialect import FieldDescription, FieldKind, ObjectDescription
from .models import Connection, Mapping
from .rules import BlankPolicy, Creates, Direction, FieldPolicy, RightSide, Transform
from .shapes import SHAPES, ObjectShape

PRESETS: dict[str, FieldPolicy] = {
    "identity": FieldPolicy(RightSide.CRM, BlankPolicy.FILL),
    "reporting": FieldPolicy(RightSide.RELANCE, BlankPolicy.FILL),
    "latest": FieldPolicy(RightSide.LATEST, BlankPolicy.FILL),
}


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """One field as it would be mapped."""

    field_key: str
    crm_field: str
    owner: RightSide
    blank: BlankPolicy = BlankPolicy.FILL
    direction: Direction = Direction.BOTH
    transform: Transform = Transform.NONE
    value_map: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_preset(
        cls, field_key: str, crm_field: str, preset: str, direction: Direction = Direction.BOTH
    ) -> FieldDraft:
        policy = PRESETS[preset]
        return cls(field_key, crm_field, policy.owner, policy.blank, direction)


@dataclass(frozen=True, slots=True)
class ObjectDraft:
    """One object as it would be mapped."""

    object: str
    subject: Subject
    creates: Creates = Creates.NONE
    external_id_field: str = ""
    fields: tuple[FieldDraft, ...] = ()


def draft_of(mapping: Mapping) -> tuple[ObjectDraft, ...]:
    """A stored mapping as values, in the order in which its objects are read."""
    order = {shape.object: place for place, shape in enumerate(SHAPES[mapping.connection.dialect])}
    stored = mapping.object_mappings.prefetch_related("fields")
    return tuple(
        ObjectDraft(
            row.object,
            Subject(row.subject),
            Creates(row.creates),
            row.external_id_field,
            tuple(
                FieldDraft(
                    line.field_key,
                    line.crm_field,
                    RightSide(line.owner),
                    BlankPolicy(line.blank),
                    Direction(line.direction),
                    Transform(line.transform),
                    dict(line.value_map),
                )
                for line in sorted(row.fields.all(), key=lambda line: line.number)
            ),
        )
        for row in sorted(stored, key=lambda row: order.get(row.object, 99))
    )


# ── The first draft ──────────────────────────────────────────────────────────────────────────────────────────────────

# Our field, the names it has in the CRM (the first that exists is taken), and the preset.
_USUAL: dict[str, dict[Subject, tuple[tuple[str, tuple[str, ...], str], ...]]] = {
    "salesforce": {
        Subject.PERSON: (
            ("email", ("Email",), "identity"),
            ("salutation", ("Salutation",), "identity"),
            ("first_name", ("FirstName",), "identity"),
            ("last_name", ("LastName",), "identity"),
            ("job_title", ("Title",), "identity"),
            ("company_name", ("Company",), "identity"),
            ("phone", ("Phone",), "identity"),
            ("mobile_phone", ("MobilePhone",), "identity"),
            ("website", ("Website",), "identity"),
            ("street", ("Street", "MailingStreet"), "identity"),
            ("postal_code", ("PostalCode", "MailingPostalCode"), "identity"),
            ("city", ("City", "MailingCity"), "identity"),
            ("state", ("State", "MailingState"), "identity"),
            ("country", ("Country", "MailingCountry"), "identity"),
            ("language", ("Langue__c", "Language__c"), "latest"),
            ("lead_source", ("LeadSource",), "reporting"),
            ("status", ("Status",), "latest"),
            (
                "score",
                ("Relance_Score__c", "Score_Relance__c", "Score__c", "Lead_Score__c", "Score_marketing__c"),
                "reporting",
            ),
        ),
        Subject.COMPANY: (
            ("name", ("Name",), "identity"),
            ("website", ("Website",), "identity"),
            ("phone", ("Phone",), "identity"),
            ("industry", ("Industry",), "identity"),
            ("employees", ("NumberOfEmployees",), "identity"),
            ("street", ("BillingStreet",), "identity"),
            ("postal_code", ("BillingPostalCode",), "identity"),
            ("city", ("BillingCity",), "identity"),
            ("state", ("BillingState",), "identity"),
            ("country", ("BillingCountry",), "identity"),
        ),
    }
}


def suggest_mapping(connection: Connection) -> tuple[ObjectDraft, ...]:
    """A good first draft from the descriptions as last read: usual fields by name, our custom fields by name or label."""
    drafts = []
    for shape in SHAPES[connection.dialect]:
        about = description_of(connection, shape.object)
        if about is not None:
            drafts.append(_suggest_object(connection.dialect, shape, about))
    return tuple(drafts)


def _suggest_object(dialect: str, shape: ObjectShape, about: ObjectDescription) -> ObjectDraft:
    chosen: list[FieldDraft] = []
    specs = {spec.key: spec for spec in fields_of(shape.subject)}
    for key, names, preset in _USUAL[dialect][shape.subject]:
        found = next((named for name in names if (named := about.field(name))), None)
        if found and key in specs and fits(specs[key], found):
            chosen.append(FieldDraft.of_preset(key, found.name, preset, _direction(specs[key], found)))
    taken = {draft.crm_field for draft in chosen}
    for spec in (spec for spec in specs.values() if spec.is_custom):
        found = _same_name(spec, (each for each in about.fields if each.name not in taken))
        if found:
            taken.add(found.name)
            chosen.append(FieldDraft.of_preset(spec.key, found.name, "latest", _direction(spec, found)))
    external = next(
        (name for name in shape.external_id_names if (named := about.field(name)) and named.external_id), ""
    )
    return ObjectDraft(shape.object, shape.subject, Creates.NONE, external, tuple(chosen))


def _same_name(spec: FieldSpec, fields: Iterable[FieldDescription]) -> FieldDescription | None:
    wanted = _bare(str(spec.label))
    return next((each for each in fields if wanted in (_bare(each.label), _bare(each.name)) and fits(spec, each)), None)


def _bare(name: str) -> str:
    return "".join(letter for letter in name.removesuffix("__c").lower() if letter.isalnum())


def _direction(spec: FieldSpec, found: FieldDescription) -> Direction:
    return Direction.BOTH if found.updateable and fits_back(spec, found) else Direction.FROM_CRM


def unmapped_crm_fields(connection: Connection, draft: ObjectDraft) -> list[FieldDescription]:
    """The CRM's fields the draft leaves out and could hold: offered by the editor, never made by themselves."""
    about = description_of(connection, draft.object)
    taken = {line.crm_field for line in draft.fields}
    return [each for each in about.fields if each.name not in taken and each.kind in _READABLE] if about else []


# ── Which kinds fit ──────────────────────────────────────────────────────────────────────────────────────────────────

_TEXTS = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.LONG_TEXT,
        FieldKind.EMAIL,
        FieldKind.PHONE,
        FieldKind.URL,
        FieldKind.PICKLIST,
        FieldKind.REFERENCE,
        FieldKind.ID,
    }
)
_READABLE = frozenset(FieldKind) - {FieldKind.OTHER}
_FROM: dict[OurKind, frozenset[FieldKind]] = {
    **dict.fromkeys(
        (OurKind.TEXT, OurKind.LONG_TEXT, OurKind.EMAIL, OurKind.PHONE, OurKind.URL, OurKind.CHOICE), _READABLE
    ),
    OurKind.INTEGER: frozenset({FieldKind.INTEGER, FieldKind.NUMBER}),
    OurKind.NUMBER: frozenset({FieldKind.INTEGER, FieldKind.NUMBER}),
    OurKind.BOOLEAN: frozenset({FieldKind.BOOLEAN}),
    OurKind.DATE: frozenset({FieldKind.DATE, FieldKind.DATETIME}),
    OurKind.DATETIME: frozenset({FieldKind.DATETIME}),
    OurKind.CHOICES: frozenset({FieldKind.MULTIPICKLIST}),
}
_TO: dict[OurKind, frozenset[FieldKind]] = {
    **dict.fromkeys(
        (OurKind.TEXT, OurKind.LONG_TEXT, OurKind.EMAIL, OurKind.PHONE, OurKind.URL, OurKind.CHOICE), _TEXTS
    ),
    OurKind.INTEGER: frozenset({FieldKind.INTEGER, FieldKind.NUMBER}),
    OurKind.NUMBER: frozenset({FieldKind.NUMBER}),
    OurKind.BOOLEAN: frozenset({FieldKind.BOOLEAN}),
    OurKind.DATE: frozenset({FieldKind.DATE}),
    OurKind.DATETIME: frozenset({FieldKind.DATETIME}),
    OurKind.CHOICES: frozenset({FieldKind.MULTIPICKLIST}),
}


def fits(spec: FieldSpec, found: FieldDescription) -> bool:
    """Can our field hold what the CRM's field holds?"""
    return found.kind in _FROM[spec.kind]


def fits_back(spec: FieldSpec, found: FieldDescription) -> bool:
    """Can the CRM's field hold what ours holds? A number with decimals does not go into a whole one."""
    return found.kind in _TO[spec.kind]
