"""The rows an org has before anybody fills it: its own, its profiles and first user, its statuses, record types, queues, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgObject
from relance.sandbox.store import quoted

PROFILES: Final = ("System Administrator", "Standard User", "Minimum Access - Salesforce")
PROFILE_NAMES: Final = {"Admin": "System Administrator", "Standard": "Standard User", "MinimumAccess": PROFILES[2]}
USER_PERMISSIONS: Final = ("ApiEnabled", "ModifyAllData", "ViewAllData", "ModifyMetadata", "ConvertLeads", "ViewSetup")
PLANTED: Final = WriteOptions(auto_assign=False, planted=True)
STATUS_TABLES: Final = (
    ("LeadStatus", "Lead", "Status", {"converted": "IsConverted"}),
    ("TaskStatus", "Task", "Status", {"closed": "IsClosed"}),
    ("TaskPriority", "Task", "Priority", {"highPriority": "IsHighPriority"}),
    ("CaseStatus", "Case", "Status", {"closed": "IsClosed"}),
    ("OpportunityStage", "Opportunity", "StageName", {"closed": "IsClosed", "won": "IsWon"}),
)


def lay_setup_rows(records: Records, username: str) -> tuple[str, str]:
    """Makes or brings up to date what the metadata implies. Returns the ids of the organization and of the first user."""
    with records.transaction():
        setup = _Setup(records)
        org_id, user_id = setup.people(username)
        setup.statuses()
        setup.record_types()
        setup.queues()
        setup.rules()
        setup.permission_sets()
        return org_id, user_id


class _Setup:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.schema = records.schema
        self.caller = Caller("", all_rights=True)

    def people(self, username: str) -> tuple[str, str]:
        """The organization, its profiles, and the user the sandbox's token stands for."""
        for name in (*PROFILES, *(each.name for each in self.schema.permission_sets if each.is_profile)):
            self._profile(PROFILE_NAMES.get(name, name))
        profile = self._only("Profile", {"Name": PROFILES[0]})
        found = self._find("User", {"Username": username})
        user_id = found or self.records.store.next_id(self.schema.objects["User"])
        self.caller = Caller(user_id, all_rights=True)
        if found is None:
            values = {
                "Id": user_id,
                "Username": username,
                "FirstName": "Relance",
                "LastName": "Intégration",
                "Alias": "relance",
                "CommunityNickname": "relance",
                "Email": username,
                "ProfileId": profile,
                "IsActive": True,
            }
            self._plant("User", values)
        org_id = self._find("Organization", {}) or self._plant(
            "Organization",
            {
                "Name": "Relance Sandbox",
                "OrganizationType": "Enterprise Edition",
                "InstanceName": "SBX1",
                "IsSandbox": True,
                "DefaultLocaleSidKey": "fr_FR",
                "LanguageLocaleKey": "fr",
                "TimeZoneSidKey": "Europe/Paris",
                "NamespacePrefix": None,
                "FiscalYearStartMonth": 1,
            },
        )
        return org_id, user_id

    def statuses(self) -> None:
        for table, object_name, field_name, traits in STATUS_TABLES:
            field = self.schema.objects[object_name].fields[field_name]
            for order, value in enumerate(field.picklist, start=1):
                columns: dict[str, object] = {
                    "MasterLabel": value.label,
                    "SortOrder": order,
                    "IsDefault": value.default,
                }
                columns |= {column: trait in value.traits for trait, column in traits.items()}
                columns |= {"IsActive": value.active, "DefaultProbability": value.probability}
                known = self.schema.objects[table].fields
                self._keep(table, {"ApiName": value.value}, {k: v for k, v in columns.items() if k in known})
            self._forget_others(table, "ApiName", [value.value for value in field.picklist])

    def record_types(self) -> None:
        for thing in self.schema.objects:
            for each in thing.record_types:
                key = {"SobjectType": thing.name, "DeveloperName": each.developer_name}
                self._keep(
                    "RecordType", key, {"Name": each.label, "IsActive": each.active, "IsPersonType": each.is_person}
                )

    def queues(self) -> None:
        for queue in self.schema.queues:
            columns = {"Name": queue.label[:40], "Email": queue.email or None}
            queue_id = self._keep("Group", {"DeveloperName": queue.name, "Type": "Queue"}, columns)
            for object_name in queue.objects:
                self._keep("QueueSobject", {"QueueId": queue_id, "SobjectType": object_name}, {})

    def rules(self) -> None:
        for assignment in self.schema.assignment_rules:
            key = {"Name": assignment.name, "SobjectType": assignment.object}
            self._keep("AssignmentRule", key, {"Active": assignment.active})
        for duplicate in self.schema.duplicate_rules:
            key = {"DeveloperName": duplicate.name, "SobjectType": duplicate.object}
            self._keep("DuplicateRule", key, {"MasterLabel": duplicate.label, "IsActive": duplicate.active})
        for matching in self.schema.matching_rules:
            key = {"DeveloperName": matching.name, "SobjectType": matching.object}
            status = "Active" if matching.active else "Inactive"
            columns = {"MasterLabel": matching.label, "RuleStatus": status, "BooleanFilter": matching.filter or None}
            rule_id = self._keep("MatchingRule", key, columns)
            for order, item in enumerate(matching.items, start=1):
                item_columns: dict[str, object] = {
                    "SortOrder": order,
                    "MatchingMethod": item.method,
                    "BlankValueBehavior": item.blank,
                }
                self._keep("MatchingRuleItem", {"MatchingRuleId": rule_id, "Field": item.field}, item_columns)

    def permission_sets(self) -> None:
        for each in self.schema.permission_sets:
            if not each.is_profile:
                columns: dict[str, object] = {"Label": each.label[:80], "IsCustom": True}
                columns |= _permission_columns(self.schema.objects["PermissionSet"], each.user_permissions)
                self._keep("PermissionSet", {"Name": each.name}, columns)

    def _profile(self, name: str) -> None:
        described = [each for each in self.schema.permission_sets if each.is_profile]
        granted = next(
            (each.user_permissions for each in described if PROFILE_NAMES.get(each.name, each.name) == name), None
        )
        if granted is None:
            granted = frozenset(USER_PERMISSIONS if name == PROFILES[0] else USER_PERMISSIONS[:1])
        columns: dict[str, object] = {"UserType": "Standard"}
        columns |= _permission_columns(self.schema.objects["Profile"], granted)
        profile_id = self._keep("Profile", {"Name": name}, columns)
        owned: dict[str, object] = {"Name": f"X{profile_id}_128", "Label": name[:80], "IsOwnedByProfile": True}
        owned |= _permission_columns(self.schema.objects["PermissionSet"], granted)
        if self._find("PermissionSet", {"ProfileId": profile_id}) is None:
            self._plant("PermissionSet", {"ProfileId": profile_id, **owned})

    def _keep(self, object_name: str, key: Mapping[str, object], columns: Mapping[str, object]) -> str:
        """The id of the row with this key, made if need be, its other columns as given."""
        found = self._find(object_name, key)
        if found is None:
            return self._plant(object_name, {**key, **columns})
        thing = self.schema.objects[object_name]
        row = self.records.row(thing, found) or {}
        if any(row.get(name) != (int(value) if isinstance(value, bool) else value) for name, value in columns.items()):
            self.records.update(self.caller, object_name, found, columns, PLANTED)
        return found

    def _find(self, object_name: str, key: Mapping[str, object]) -> str | None:
        conditions = " AND ".join(f"{quoted(name)} = ?" for name in key) or "1"
        row = (
            self.records.store.connection()
            .execute(f'SELECT "Id" FROM {quoted(object_name)} WHERE {conditions}', tuple(key.values()))
            .fetchone()
        )
        return None if row is None else str(row[0])

    def _only(self, object_name: str, key: Mapping[str, object]) -> str:
        found = self._find(object_name, key)
        if found is None:
            raise LookupError(f"{object_name} {dict(key)}")
        return found

    def _plant(self, object_name: str, values: Mapping[str, object]) -> str:
        saved = self.records.insert(self.caller, object_name, values, PLANTED)
        if saved.id is None:
            raise ValueError(f"{object_name} {dict(values)}: {saved.errors[0].message}")
        return saved.id

    def _forget_others(self, object_name: str, field_name: str, kept: list[str]) -> None:
        marks = ", ".join("?" * len(kept)) or "''"
        self.records.store.connection().execute(
            f"DELETE FROM {quoted(object_name)} WHERE {quoted(field_name)} NOT IN ({marks})", kept
        )


def _permission_columns(thing: OrgObject, granted: frozenset[str]) -> dict[str, object]:
    columns = (field.name for field in thing.fields if field.name.startswith("Permissions"))
    return {name: name.removeprefix("Permissions") in granted for name in columns}
