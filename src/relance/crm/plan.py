"""A mapping made ready to run: each field with its two descriptions, what a read must fetch, and what is left out because a
side no longer has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from relance.people.catalogue import FieldSpec, Subject, fields_of

from .describing import latest_snapshot
from .dialect import FieldDescription, ObjectDescription
from .drafts import FieldDraft, ObjectDraft, draft_of, fits
from .models import DescribeSnapshot, Mapping
from .rules import Creates, Direction, FieldPolicy, Transform
from .shapes import FIRST_OBJECT, ObjectShape, shape_of


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One mapped field. `number` names its columns in the statements: l3, c3, v3."""

    number: int
    spec: FieldSpec
    crm: FieldDescription
    policy: FieldPolicy
    transform: Transform
    value_map: dict[str, str]

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def may_be_sent(self) -> bool:
        return self.policy.direction is not Direction.FROM_CRM


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """One mapped object."""

    connection_id: int
    dialect: str
    crm_name: str
    policy_name: str
    shape: ObjectShape
    about: ObjectDescription
    about_hash: str
    fields: tuple[FieldPlan, ...]
    creates: Creates
    external_id_field: str
    clock_ahead: timedelta = timedelta()  # by how much the CRM's clock runs before ours

    @property
    def object(self) -> str:
        return self.shape.object

    @property
    def subject(self) -> Subject:
        return self.shape.subject

    @property
    def origin(self) -> str:
        """What our own writes are marked with, so that they are not noted as changes to send."""
        return f"crm:{self.connection_id}"

    @property
    def side_fields(self) -> tuple[FieldPlan, ...]:
        return tuple(field for field in self.fields if field.spec.is_custom)

    @property
    def core_fields(self) -> tuple[FieldPlan, ...]:
        return tuple(field for field in self.fields if not field.spec.is_custom)

    def field(self, key: str) -> FieldPlan | None:
        return next((field for field in self.fields if field.key == key), None)

    @property
    def names_to_read(self) -> tuple[str, ...]:
        """The CRM's names of everything a read must bring besides what every page carries."""
        return tuple(dict.fromkeys([*(field.crm.name for field in self.fields), *self.extra_names.values()]))

    @property
    def extra_names(self) -> dict[str, str]:
        """Owner, company and conversion, where our user may see them: our column of the stage, then the CRM's name."""
        wanted = {
            "owner_crm_id": self.shape.owner_field,
            "company_crm_id": self.shape.company_field,
            "is_converted": self.shape.converted_field,
            "converted_to": self.shape.converted_to_field,
        }
        return {column: name for column, name in wanted.items() if name and self.about.field(name)}


def plans_of(mapping: Mapping) -> dict[str, ObjectPlan]:
    """The plan of each object our user can see, in the order in which they are read."""
    plans: dict[str, ObjectPlan] = {}
    for draft in draft_of(mapping):
        snapshot = latest_snapshot(mapping.connection, draft.object)
        if snapshot is not None:
            plans[draft.object] = _plan(mapping, draft, snapshot)
    return plans


def _plan(mapping: Mapping, draft: ObjectDraft, snapshot: DescribeSnapshot) -> ObjectPlan:
    about = ObjectDescription.from_json(snapshot.description)
    specs = {spec.key: spec for spec in fields_of(draft.subject)}
    fields = []
    for number, line in enumerate(draft.fields, start=1):
        spec, found = specs.get(line.field_key), about.field(line.crm_field)
        if spec and found and fits(spec, found):
            fields.append(_field_plan(number, line, spec, found))
    external = about.field(draft.external_id_field) if draft.external_id_field else None
    return ObjectPlan(
        connection_id=mapping.connection_id,
        dialect=mapping.connection.dialect,
        crm_name=mapping.connection.name,
        policy_name=mapping.policy,
        shape=shape_of(mapping.connection.dialect, draft.object),
        about=about,
        about_hash=snapshot.hash,
        fields=tuple(fields),
        creates=draft.creates,
        external_id_field=external.name if external and external.external_id else "",
    )


def _field_plan(number: int, line: FieldDraft, spec: FieldSpec, found: FieldDescription) -> FieldPlan:
    policy = FieldPolicy(line.owner, line.blank, line.direction)
    return FieldPlan(number, spec, found, policy, line.transform, line.value_map)


def plan_for_new(plans: dict[str, ObjectPlan], dialect: str, subject: Subject) -> ObjectPlan | None:
    """The plan of the object that somebody without a record would become."""
    return plans.get(FIRST_OBJECT[dialect, subject])
