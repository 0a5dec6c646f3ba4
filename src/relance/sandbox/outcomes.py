"""What a client asks of the records door, and what it is told: who calls, how, and the outcome row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relance.sandbox.schema import OrgField, OrgSchema, PermissionSet


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """One record a matching rule found; `rule` is the matching rule's name."""

    object: str
    record_id: str
    rule: str
    confidence: float = 100.0


@dataclass(frozen=True, slots=True)
class DuplicateResult:
    """Why a duplicate rule stopped a save: the rule, its text, whether the caller may save all the same, and the matches."""

    rule: str
    object: str
    allow_save: bool
    message: str
    matches: tuple[DuplicateMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordError:
    code: str
    message: str
    fields: tuple[str, ...] = ()
    duplicate: DuplicateResult | None = None


@dataclass(frozen=True, slots=True)
class SaveResult:
    id: str | None
    success: bool
    created: bool
    errors: tuple[RecordError, ...] = ()

    @classmethod
    def refused(cls, *errors: RecordError, record_id: str | None = None) -> SaveResult:
        return cls(record_id, success=False, created=False, errors=errors)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the union of a profile and permission sets lets a user do. Names are kept in lower case."""

    objects: dict[str, frozenset[str]] = field(default_factory=dict)
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    always: frozenset[str] = (
        frozenset()
    )  # fields no permission can hide: names, ids, required ones, the link to a master
    standard: frozenset[str] = frozenset()  # standard fields: open unless a set speaks of them
    user_permissions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, schema: OrgSchema, sets: Iterable[PermissionSet]) -> Permissions:
        objects: dict[str, frozenset[str]] = {}
        fields: dict[str, frozenset[str]] = {}
        user_permissions: frozenset[str] = frozenset()
        for granted in sets:
            user_permissions |= granted.user_permissions
            for name, flags in granted.objects.items():
                objects[name.lower()] = objects.get(name.lower(), frozenset()) | flags
            for name, flags in granted.fields.items():
                fields[name.lower()] = fields.get(name.lower(), frozenset()) | flags
        return cls(objects, fields, *_beyond_permissions(schema), user_permissions)

    def may(self, object_name: str, action: str) -> bool:
        """`action`: create, read, edit or delete. "Modify all" and "view all" imply what they say."""
        if "ModifyAllData" in self.user_permissions:
            return True
        flags = self.objects.get(object_name.lower(), frozenset())
        if action == "read" and (
            "ViewAllData" in self.user_permissions or flags & {"view_all", "edit", "delete", "create"}
        ):
            return True
        return action in flags or "modify_all" in flags

    def may_read_field(self, object_name: str, field_name: str) -> bool:
        return bool(self._field(object_name, field_name) & {"read", "edit"})

    def may_edit_field(self, object_name: str, field_name: str) -> bool:
        return "edit" in self._field(object_name, field_name)

    def has(self, user_permission: str) -> bool:
        return user_permission in self.user_permissions

    def _field(self, object_name: str, field_name: str) -> frozenset[str]:
        name = f"{object_name}.{field_name}".lower()
        if name in self.always or ("ModifyAllData" in self.user_permissions and name in self.standard):
            return frozenset({"read", "edit"})
        if name in self.fields:
            return self.fields[name]
        # Exported sets rarely list the standard fields: silence about them is not a refusal, as it is for custom ones.
        return frozenset({"read", "edit"}) if name in self.standard else frozenset()


@dataclass(frozen=True, slots=True)
class Sight:
    """Which records a user sees: of the private objects those of certain owners, and nothing of what is hidden from them."""

    private: frozenset[str] = frozenset()  # names in lower case: only one's own are seen
    read_only: frozenset[str] = frozenset()  # all are seen, only one's own are changed
    owners: frozenset[str] = frozenset()  # whose records count as one's own
    hidden: frozenset[str] = frozenset()  # ids

    def sees(self, object_name: str, record_id: object, owner_id: object) -> bool:
        if record_id in self.hidden:
            return False
        return object_name.lower() not in self.private or owner_id in self.owners

    def changes(self, object_name: str, owner_id: object) -> bool:
        return object_name.lower() not in self.private | self.read_only or owner_id in self.owners


@dataclass(frozen=True, slots=True)
class Caller:
    """The user on whose behalf a call is made. With all rights no permission is looked at, but for those taken away since."""

    user_id: str
    all_rights: bool = False
    permissions: Permissions = field(default_factory=Permissions)
    without: frozenset[str] = frozenset()  # taken away: `lead:edit`, `lead.phone:read`
    sight: Sight = Sight()

    @property
    def rights(self) -> tuple[object, ...]:
        """What may be kept for this caller may be given to another with the same rights."""
        return ("all" if self.all_rights else id(self.permissions), self.without, self.sight)

    def may(self, object_name: str, action: str) -> bool:
        if self.without and f"{object_name}:{action}".lower() in self.without:
            return False
        return self.all_rights or self.permissions.may(object_name, action)

    def may_read_field(self, object_name: str, field_name: str) -> bool:
        if self.without and f"{object_name}.{field_name}:read".lower() in self.without:
            return False
        return self.all_rights or self.permissions.may_read_field(object_name, field_name)

    def may_edit_field(self, object_name: str, field_name: str) -> bool:
        if self.without and f"{object_name}.{field_name}:edit".lower() in self.without:
            return False
        return self.all_rights or self.permissions.may_edit_field(object_name, field_name)

    def has(self, user_permission: str) -> bool:
        if f"user:{user_permission}".lower() in self.without:
            return False
        return self.all_rights or self.permissions.has(user_permission)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The headers of a write. `auto_assign` may be the id of one assignment rule."""

    auto_assign: bool | str = True
    allow_save: bool = False
    include_record_details: bool = False
    convert_leads_editable: bool = False
    as_text: bool = False  # values come as text (Bulk, SOAP): a bad one is the row's error, not the request's
    planted: bool = False  # rows of a data load: stamps and system fields as given, no rule looks at them


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    lead_id: str
    converted_status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    owner_id: str | None = None
    do_not_create_opportunity: bool = False
    opportunity_name: str | None = None
    overwrite_lead_source: bool = False
    send_notification_email: bool = False


@dataclass(frozen=True, slots=True)
class ConvertResult:
    success: bool
    lead_id: str | None = None
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    errors: tuple[RecordError, ...] = ()


def is_permissionable(field_: OrgField) -> bool:
    """May a permission set hide this field? Not ids, stamps, names, required fields, nor the link to a master."""
    if field_.system or field_.name_field or field_.cascade_delete:
        return False
    return not (field_.required and field_.type != "boolean")


def _beyond_permissions(schema: OrgSchema) -> tuple[frozenset[str], frozenset[str]]:
    always: set[str] = set()
    standard: set[str] = set()
    for thing in schema.objects:
        for each in thing.fields:
            name = f"{thing.name}.{each.name}".lower()
            if not is_permissionable(each):
                always.add(name)
            elif not each.custom:
                standard.add(name)
    return frozenset(always), frozenset(standard)
