"""What an org is made of, once its source tree is read: objects, fields, rules. Names compare without case, as the CRM does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class ByName(Generic[Thing]):
    """A mapping from API name to thing, keeping the written case and order, found without case."""

    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}

    def add(self, name: str, thing: Thing) -> None:
        self._things[name.lower()] = thing

    def get(self, name: str) -> Thing | None:
        return self._things.get(name.lower())

    def drop(self, name: str) -> None:
        self._things.pop(name.lower(), None)

    def __getitem__(self, name: str) -> Thing:
        return self._things[name.lower()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._things

    def __iter__(self) -> Iterator[Thing]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things)


@dataclass(frozen=True, slots=True)
class PicklistValue:
    value: str
    label: str
    active: bool = True
    default: bool = False
    traits: frozenset[str] = frozenset()  # what a standard value set adds: converted, closed, won, reviewed …
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """A roll-up of the children of a master: count, sum, min or max of `field`, over the children that pass every filter."""

    operation: str
    child: str  # the child object
    link: str  # its reference to the master
    field: str = ""
    filters: tuple[tuple[str, str, str], ...] = ()  # (field, operation, value)


@dataclass(slots=True)
class OrgField:
    """One field. `type` is the describe type (string, textarea, email, phone, url, double, currency, percent, int, boolean, date, datetime,
    time, picklist, multipicklist, reference, id, address, location, encryptedstring, anytype, base64, combobox)."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False  # a value must be given: nillable is its contrary
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    custom: bool = False
    calculated: bool = False
    formula: str = ""
    treat_blanks_as_zero: bool = False  # numbers left blank count as 0 in this formula
    auto_number: bool = False
    display_format: str = ""
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    default: str | None = None  # a formula or a literal, as written in the tree
    restricted: bool = False  # restricted picklist
    picklist: tuple[PicklistValue, ...] = ()
    controller: str = ""  # the controlling field of a dependent picklist
    valid_for: dict[str, tuple[str, ...]] = field(default_factory=dict)  # value -> controlling values
    reference_to: tuple[str, ...] = ()
    relationship: str = ""  # Account, Licence__r …
    child_relationship: str = ""
    cascade_delete: bool = False
    compound: str = ""  # the compound field this one is a part of (MailingAddress, Name)
    name_field: bool = False
    help_text: str = ""
    track_history: bool = False
    system: bool = False  # Id, CreatedDate, SystemModstamp …: never written by clients
    virtual: bool = False  # a compound (Name of a person, an address, a location): made from its parts when read
    summary: Summary | None = None
    delete_constraint: str = ""  # of a lookup: SetNull, Restrict, Cascade
    reparentable: bool = True  # of a master-detail
    description: str = ""
    id_lookup: bool = False  # may be used like an external id (Email)

    @property
    def stored(self) -> bool:
        """Does the field have a column? Formulas and compounds are made when read; a roll-up is kept."""
        return not self.virtual and (not self.calculated or self.summary is not None)


@dataclass(frozen=True, slots=True)
class RecordType:
    developer_name: str
    label: str
    active: bool = True
    picklists: dict[str, tuple[str, ...]] = field(default_factory=dict)  # field -> values offered
    default_values: dict[str, str] = field(default_factory=dict)
    is_person: bool = False  # of accounts: those that are one human


@dataclass(frozen=True, slots=True)
class ValidationRule:
    name: str
    formula: str
    message: str
    field: str = ""
    active: bool = True
    description: str = ""
    enforced: bool = True  # False: its formula is beyond the sandbox, as the start lines say


@dataclass(frozen=True, slots=True)
class MatchingRuleItem:
    field: str
    method: str = "Exact"
    blank: str = "NullNotAllowed"


@dataclass(frozen=True, slots=True)
class MatchingRule:
    object: str
    name: str
    label: str
    active: bool
    items: tuple[MatchingRuleItem, ...]
    filter: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    object: str
    name: str
    label: str
    active: bool
    on_insert: str = "Allow"  # Allow | Block
    on_update: str = "Allow"
    operations_on_insert: tuple[str, ...] = ()
    operations_on_update: tuple[str, ...] = ()
    alert: str = ""
    bypass_sharing: bool = False
    order: int = 1
    matches: tuple[tuple[str, str], ...] = ()  # (object matched against, matching rule)
    mappings: dict[str, tuple[tuple[str, str], ...]] = field(
        default_factory=dict
    )  # object -> (input field, output field)


@dataclass(frozen=True, slots=True)
class RuleEntry:
    criteria: tuple[tuple[str, str, str], ...]  # (field, operation, value)
    formula: str
    boolean_filter: str
    assigned_to: str
    assigned_to_type: str  # User | Queue


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    object: str
    name: str
    active: bool
    entries: tuple[RuleEntry, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    label: str
    objects: tuple[str, ...]
    email: str = ""


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A permission set or a profile: object flags (create, read, edit, delete, view_all, modify_all) and field flags (read, edit)."""

    name: str
    label: str
    is_profile: bool = False
    objects: dict[str, frozenset[str]] = field(default_factory=dict)
    fields: dict[str, frozenset[str]] = field(default_factory=dict)  # "Lead.Score__c" -> {"read", "edit"}
    user_permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConvertMapping:
    output_object: str  # Account | Contact | Opportunity
    fields: tuple[tuple[str, str], ...]  # (lead field, output field)


@dataclass(slots=True)
class OrgObject:
    name: str
    label: str
    plural: str
    key_prefix: str
    custom: bool = False
    kind: str = "object"  # object | setting | metadata | event | external
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mergeable: bool = False
    queryable: bool = True
    sharing: str = "ReadWrite"
    fields: ByName[OrgField] = field(default_factory=ByName)
    owned: bool = False  # records have an owner
    record_types: list[RecordType] = field(default_factory=list)
    validation_rules: list[ValidationRule] = field(default_factory=list)


@dataclass(slots=True)
class OrgSchema:
    objects: ByName[OrgObject] = field(default_factory=ByName)
    global_value_sets: dict[str, tuple[PicklistValue, ...]] = field(default_factory=dict)
    matching_rules: list[MatchingRule] = field(default_factory=list)
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    assignment_rules: list[AssignmentRule] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    permission_sets: list[PermissionSet] = field(default_factory=list)
    standard_value_sets: dict[str, tuple[PicklistValue, ...]] = field(default_factory=dict)
    business_processes: dict[str, tuple[str, ...]] = field(default_factory=dict)  # "Lead.Process" -> statuses
    custom_permissions: list[str] = field(default_factory=list)
    convert_mappings: list[ConvertMapping] | None = None  # None: no LeadConvertSettings in the tree
    convert_options: dict[str, str] = field(default_factory=dict)  # allowOwnerChange, opportunityCreationOptions
    person_accounts: bool = False
    skipped: list[str] = field(default_factory=list)  # one clear line for each thing not taken
    namespace: str = ""
    api_version: str = "66.0"
