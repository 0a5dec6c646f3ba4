"""A connection as the demo has it: ten fields mapped, everybody linked and agreed, and pages of records that changed over there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction

from relance.crm.dialect import CrmDialect, Cursor, FieldDescription, FieldKind, ObjectDescription, Page
from relance.crm.dirty import watch_changes
from relance.crm.drafts import FieldDraft, ObjectDraft
from relance.crm.mapping import save_draft
from relance.crm.merge import CHUNK_ROWS, merge_pages
from relance.crm.models import Connection, ConnectionEvent, DescribeSnapshot, Mapping, SyncCursor
from relance.crm.plan import ObjectPlan, plans_of
from relance.crm.rules import Creates, EventKind, MappingState
from relance.lib import sql
from relance.lib.clock import utc_now
from relance.people.catalogue import Subject

from .merge_oracle import MergeOracle
from .scenario import SEED

OBJECT = "Lead"
RECORDS_A_PAGE = 2000
# Our field, theirs, and who is right: as `suggest_mapping` proposes for the demo's leads.
MAPPED = (
    ("email", "Email", "identity"),
    ("first_name", "FirstName", "identity"),
    ("last_name", "LastName", "identity"),
    ("job_title", "Title", "identity"),
    ("company_name", "Company", "identity"),
    ("phone", "Phone", "identity"),
    ("city", "City", "identity"),
    ("lead_source", "LeadSource", "reporting"),
    ("score", "Relance_Score__c", "reporting"),
    ("status", "Status", "latest"),
)
_KINDS = {
    "Email": FieldKind.EMAIL,
    "Phone": FieldKind.PHONE,
    "Relance_Score__c": FieldKind.INTEGER,
    "IsConverted": FieldKind.BOOLEAN,
    "OwnerId": FieldKind.REFERENCE,
    "ConvertedContactId": FieldKind.REFERENCE,
}


def make_connection(*, now: datetime) -> Connection:
    """An enabled connection with an approved mapping, read to the end before; its triggers note changes."""
    connection = Connection.objects.create(
        name="Salesforce",
        login_method="client_credentials",
        login_url="https://bench.example",
        client_id="bench",
        org_id="00D000000000000AAA",
        org_name="Bench",
        made_at=now,
        described_at=now,
    )
    for kind in (EventKind.VERIFIED, EventKind.ENABLED):
        ConnectionEvent.objects.create(connection=connection, kind=kind.value, at=now)
    about = _describe_lead()
    DescribeSnapshot.objects.create(
        connection=connection, object=OBJECT, taken_at=now, hash="bench", description=about.as_json()
    )
    SyncCursor.objects.create(
        connection=connection, object=OBJECT, stamp=now - timedelta(days=30), is_initial=False, finished_at=now
    )
    _approve(connection, now=now)
    return connection


def plan_of(connection: Connection) -> ObjectPlan:
    return plans_of(mapping_of(connection))[OBJECT]


def mapping_of(connection: Connection) -> Mapping:
    return connection.mappings.get(state=MappingState.APPROVED.value)


def link_everybody(connection: Connection, *, now: datetime) -> None:
    """A lead for each person there is, compared a month ago."""
    at = now - timedelta(days=30)
    sql.run("bench", "link_everybody", connection=connection.pk, object=OBJECT, at=at)


def _describe_lead() -> ObjectDescription:
    names = [*(name for _, name, _ in MAPPED), "Relance_Id__c", "OwnerId", "IsConverted", "ConvertedContactId"]
    fields = tuple(
        FieldDescription(
            name=name,
            label=name,
            kind=_KINDS.get(name, FieldKind.TEXT),
            length=255,
            createable=True,
            updateable=not name.startswith(("IsC", "Conv")),
            external_id=name == "Relance_Id__c",
        )
        for name in names
    )
    return ObjectDescription(
        OBJECT,
        OBJECT,
        fields,
        createable=True,
        updateable=True,
        stamp_field="SystemModstamp",
        deleted_field="IsDeleted",
        merged_into_field="MasterRecordId",
    )


def _approve(connection: Connection, *, now: datetime) -> None:
    """No dry run: nobody asks an administrator here."""
    lines = tuple(FieldDraft.of_preset(*line) for line in MAPPED)
    draft = ObjectDraft(OBJECT, Subject.PERSON, Creates.OWNED, "Relance_Id__c", lines)
    mapping = save_draft(connection, [draft], by=None, now=now)
    mapping.state, mapping.approved_at = MappingState.APPROVED.value, now
    mapping.save(update_fields=["state", "approved_at"])
    watch_changes(connection, plans_of(mapping))


# ── What changed over there, and here ────────────────────────────────────────────────────────────────────────────────


def change_crm(place: int, *, part: int, now: datetime) -> int:
    """One in `part` of the records changes in the CRM: kept in `bench_record`. Returns how many."""
    sql.run("bench", "change_crm", place=place, part=part, seed=SEED, at=now)
    [told] = sql.select("SELECT count(*) AS records FROM bench_record")
    return int(told["records"])


def change_here(place: int) -> None:
    """Some of the same people change here as well; the triggers note it. Half of it happened before the CRM's change."""
    sql.run("bench", "change_here", place=place, seed=SEED)
    sql.run("bench", "age_half_of_changes")


def forget_differences() -> None:
    """As if all that was queued had been sent and taken: the next round begins with two sides that agree."""
    sql.run("bench", "forget_differences")


def pages_of_changes() -> list[bytes]:
    """The changed records as the CRM sends them: by stamp, two thousand a page."""
    return [bytes(row["raw"], "utf-8") for row in sql.rows("bench", "pages_of_changes", rows=RECORDS_A_PAGE)]


class PagesInMemory:
    """A CRM whose answers are there already: what remains is the work of the product."""

    def __init__(self, pages: Sequence[bytes], counts: Sequence[int], *, stamp: datetime) -> None:
        self._pages = pages
        self._counts = counts
        self._stamp = stamp

    def changed(
        self, about: ObjectDescription, fields: Sequence[str], *, since: Cursor | None = None, page_size: int = 2000
    ) -> Iterator[Page]:
        for place, (raw, count) in enumerate(zip(self._pages, self._counts, strict=True), start=1):
            yield Page(raw, count, Cursor(self._stamp, str(place)), place == len(self._pages), utc_now())

    def as_crm(self) -> CrmDialect:
        """Only reads of changes are asked of it."""
        return cast("CrmDialect", self)


def merge_changes(plan: ObjectPlan, *, part: int, now: datetime) -> MergeOracle:
    """One merge of one record in `part`, which fills ledger, timeline and queue; returns what the rule expected of it."""
    forget_differences()
    change_crm(0, part=part, now=now)
    pages = pages_of_changes()
    change_here(0)
    oracle = MergeOracle(plan)
    a_chunk = CHUNK_ROWS // RECORDS_A_PAGE
    for first in range(0, len(pages), a_chunk):
        with transaction.atomic():
            merge_pages(plan, pages[first : first + a_chunk], run_id=None, now=now)
    return oracle
