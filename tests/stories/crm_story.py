"""A sandbox org and a connection to it, mapped and approved: where the stories of the sync begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import httpx
from django.utils import timezone

from relance.crm.connection import create_connection, enable_connection, verify_connection
from relance.crm.describing import refresh_descriptions
from relance.crm.drafts import FieldDraft, ObjectDraft, suggest_mapping
from relance.crm.dry_run import dry_run
from relance.crm.mapping import approve_mapping, save_draft
from relance.crm.models import Connection, CrmLink
from relance.crm.opening import crm_opened
from relance.crm.rules import Creates, RightSide
from relance.crm.runs import Counts
from relance.crm.sync import run_cycle
from relance.people.catalogue import FieldKind, Subject
from relance.people.models import Person
from relance.people.schema import create_custom_field
from relance.workspace.models import User
from tests.stories.org_process import OrgProcess

API = "/services/data/v66.0"
REASON_LABEL = "Raison de la disqualification"


@dataclass
class Story:
    """Both sides of one connection, and the verbs a story is told with."""

    org: OrgProcess
    connection: Connection
    admin: User
    reason_key: str

    def sync(self) -> Counts:
        return run_cycle(self.connection, timezone.now())

    def make(self, object: str, **fields: Any) -> str:
        return str(self._call("POST", f"/sobjects/{object}", fields)["id"])

    def change(self, object: str, id: str, **fields: Any) -> None:
        self._call("PATCH", f"/sobjects/{object}/{id}", fields)

    def delete(self, object: str, id: str) -> None:
        self._call("DELETE", f"/sobjects/{object}/{id}")

    def value(self, object: str, id: str, field: str) -> Any:
        return self._call("GET", f"/sobjects/{object}/{id}?fields={field}")[field]

    def count(self, object: str, where: str) -> int:
        return len(self.org.query(f"SELECT Id FROM {object} WHERE {where}"))

    def person(self, crm_id: str) -> Person:
        return CrmLink.objects.select_related("person").get(connection=self.connection, crm_id=crm_id).person

    def lead(self, name: str, **fields: Any) -> str:
        return self.make("Lead", LastName=name, Company="Acme", Email=f"{name.lower()}@acme.example", **fields)

    def _call(self, method: str, path: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
        with self.org.client() as client:
            answer: httpx.Response = client.request(
                method, API + path, json=told, headers={"Sforce-Auto-Assign": "FALSE"}
            )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else {}


def tell(org: OrgProcess, *, login_url: str = "", creates: Creates = Creates.OWNED) -> Story:
    """Everything an administrator does once: connect, verify, map, try, approve, enable."""
    admin = User.objects.create_user("aline@relance.example", name="Aline", role="admin")
    reason = create_custom_field(Subject.PERSON, REASON_LABEL, FieldKind.TEXT, now=timezone.now())
    connection = create_connection(
        "Salesforce",
        login_url or org.told["http"],
        login_method="client_credentials",
        client_id=org.told["client_id"],
        client_secret=org.told["client_secret"],
        by=admin,
    )
    verify_connection(connection, by=admin)
    with crm_opened(connection) as crm:
        refresh_descriptions(connection, crm, now=timezone.now())
    drafts = [_with_creation(draft, creates, reason.column) for draft in suggest_mapping(connection)]
    mapping = save_draft(connection, drafts, by=admin)
    dry_run(mapping, by=admin)
    approve_mapping(mapping, admin)
    enable_connection(connection, by=admin)
    return Story(org, connection, admin, reason.column)


def _with_creation(draft: ObjectDraft, creates: Creates, reason: str) -> ObjectDraft:
    if draft.object != "Lead":
        return draft
    lines = [line for line in draft.fields if line.field_key != reason]
    lines.append(FieldDraft(reason, "Raison_Disqualification__c", RightSide.LATEST))
    return replace(draft, creates=creates, fields=tuple(lines))
