"""One connected Salesforce org, as the sync sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from relance.crm.dialect import (
    ApiUsage,
    CallListener,
    ConversionOutcome,
    ConversionRow,
    ConvertLead,
    CrmBusy,
    CrmError,
    CrmMisconfigured,
    CrmQueue,
    CrmUser,
    Cursor,
    DeletedRecord,
    Descriptions,
    FoundRow,
    KnownCode,
    Layer,
    Move,
    ObjectDescription,
    ObjectSummary,
    OrgIdentity,
    Page,
    PushOutcome,
    PushRow,
    RowError,
)
from relance.crm.salesforce import writes
from relance.crm.salesforce.auth import Grant, RefreshTurn, Session
from relance.crm.salesforce.bulk import bulk_query
from relance.crm.salesforce.describe import object_description, object_summary
from relance.crm.salesforce.errors import known_error
from relance.crm.salesforce.rest import LONGEST_QUERY, QueryPage, Rest, http_moment, json_of
from relance.crm.salesforce.soap import convert_leads
from relance.crm.salesforce.soql import after, in_parts, moment, quoted, read_moment, select
from relance.crm.salesforce.wire import Wire

DEFAULT_VERSION = "66.0"
OLDEST_VERSION = 60
MOST_IDS_IN_A_READ = 2000

USER_COLUMNS = ("Id", "Username", "Email", "Name", "IsActive", "FederationIdentifier", "TimeZoneSidKey", "LocaleSidKey")
CONVERSION_COLUMNS = ("Id", "ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId", "SystemModstamp")


@dataclass(frozen=True, slots=True)
class SalesforceSettings:
    """What a connection is made of. `auto_assign`: TRUE, FALSE or the id of a rule; empty leaves Salesforce its own default, TRUE."""

    grant: Grant
    api_version: str = DEFAULT_VERSION
    ca_file: Path | None = None
    allow_private: bool = False
    expected_org_id: str = ""
    auto_assign: str = ""

    def __post_init__(self) -> None:
        whole, _, rest = self.api_version.partition(".")
        if not whole.isdigit() or rest != "0" or int(whole) < OLDEST_VERSION:
            raise CrmMisconfigured(
                code="API_VERSION_TOO_OLD",
                message=f"API version {self.api_version} was asked for; {OLDEST_VERSION}.0 or later is needed, such as {DEFAULT_VERSION}.",
                layer=Layer.SCHEMA,
                move=Move.RELANCE_ADMIN,
                remedy="api_version",
            )


class SalesforceClient:
    """The Salesforce dialect. Safe to share between threads; close it when done."""

    vendor: ClassVar[str] = "salesforce"

    def __init__(
        self,
        settings: SalesforceSettings,
        *,
        listener: CallListener | None = None,
        on_new_refresh_token: Callable[[str], None] | None = None,
        refresh_turn: RefreshTurn = nullcontext,
    ) -> None:
        self._version = settings.api_version
        self._wire = Wire(ca_file=settings.ca_file, allow_private=settings.allow_private, listener=listener)
        self._session = Session(
            self._wire,
            settings.grant,
            expected_org_id=settings.expected_org_id,
            on_new_refresh_token=on_new_refresh_token,
            refresh_turn=refresh_turn,
        )
        self._rest = Rest(self._wire, self._session, version=self._version, auto_assign=settings.auto_assign)

    def close(self) -> None:
        self._wire.close()

    # ── What the org is ──────────────────────────────────────────────────────────────────────────────────────────

    def identity(self) -> OrgIdentity:
        token = self._session.token()
        [org] = self._rest.rows(select(("Id", "Name", "IsSandbox"), "Organization"))
        [user] = self._rest.rows(select(("Id", "Username"), "User", where=f"Id = {quoted(token.user_id)}"))
        return OrgIdentity(
            org_id=str(org["Id"]),
            name=str(org["Name"] or ""),
            instance_url=token.instance_url,
            user_id=str(user["Id"]),
            username=str(user["Username"] or ""),
            is_sandbox=bool(org["IsSandbox"]),
        )

    def list_objects(self) -> tuple[ObjectSummary, ...]:
        told = json_of(self._rest.get("sobjects"), during="GET sobjects")
        return tuple(object_summary(each) for each in told["sobjects"])

    def describe(self, names: Iterable[str], *, changed_since: datetime | None = None) -> Descriptions:
        headers = {"If-Modified-Since": http_moment(changed_since)} if changed_since else {}
        found: dict[str, ObjectDescription] = {}
        unchanged: set[str] = set()
        missing: dict[str, CrmError] = {}
        server_now: datetime | None = None
        for name in names:
            try:
                answer = self._rest.get(f"sobjects/{name}/describe", headers=headers)
            except CrmMisconfigured as error:
                if error.status != 404:
                    raise
                missing[name] = error
                continue
            server_now = server_now or answer.server_now
            if answer.status == 304:
                unchanged.add(name)
            else:
                found[name] = object_description(json_of(answer, during="GET sobjects/describe"))
        return Descriptions(found, frozenset(unchanged), missing, server_now)

    def users(self) -> tuple[CrmUser, ...]:
        soql = (
            "SELECT Id, Username, Email, Name, IsActive, FederationIdentifier, TimeZoneSidKey, LocaleSidKey FROM User"
        )
        return tuple(_user(row) for row in self._rest.rows(soql))

    def queues(self) -> tuple[CrmQueue, ...]:
        may_own: dict[str, list[str]] = {}
        try:
            for row in self._rest.rows(select(("QueueId", "SobjectType"), "QueueSobject")):
                may_own.setdefault(str(row["QueueId"]), []).append(str(row["SobjectType"]))
        except CrmMisconfigured as error:
            if error.code != "INVALID_TYPE":
                raise  # this user may see queues and not what they own: then we do not say
        queues = self._rest.rows(select(("Id", "Name"), "Group", where="Type = 'Queue'"))
        return tuple(
            CrmQueue(str(row["Id"]), str(row["Name"]), tuple(may_own.get(str(row["Id"]), ()))) for row in queues
        )

    def usage(self) -> ApiUsage | None:
        """The budget as the last answer told it; asked for when nothing was answered yet."""
        if self._wire.last_usage is None:
            self._rest.get("limits")
        return self._wire.last_usage

    def known(self, error: RowError) -> KnownCode:
        return known_error(error)

    def record_url(self, name: str, crm_id: str) -> str:
        return f"{self._rest.instance_url}/lightning/r/{name}/{crm_id}/view"

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(
        self, about: ObjectDescription, fields: Sequence[str], *, since: Cursor | None = None, page_size: int = 2000
    ) -> Iterator[Page]:
        columns, stamp = _columns(about, fields), _stamp_of(about)
        cursor, server_now = since, None
        while True:
            beyond = after(cursor, stamp) if cursor else ""
            soql = select(columns, about.name, where=beyond, order=(stamp, "Id"))
            page: QueryPage | None = self._rest.query(soql, with_deleted=True, page_size=page_size)
            while page is not None:
                server_now = server_now or page.server_now
                if page.rows:
                    cursor = Cursor(read_moment(page.rows[-1][stamp]), str(page.rows[-1]["Id"]))
                yield Page(page.raw, len(page.rows), cursor, not page.next_path, server_now)
                if not page.next_path:
                    return
                page = self._next_or_none(page)

    def _next_or_none(self, page: QueryPage) -> QueryPage | None:
        """The page after this one, or None when Salesforce forgot where we were: the cursor knows it as well."""
        try:
            return self._rest.next_page(page)
        except CrmBusy as error:
            if error.code != "INVALID_QUERY_LOCATOR":
                raise
            return None

    def export(self, about: ObjectDescription, fields: Sequence[str], *, with_deleted: bool = False) -> Iterator[Page]:
        soql = select(_columns(about, fields), about.name)
        for page in bulk_query(self._rest, soql, with_deleted=with_deleted):
            yield Page(page.raw, page.count, None, page.last, page.server_now, form="csv")

    def count(self, name: str, *, since: Cursor | None = None, stamp_field: str = "") -> int:
        beyond = after(since, stamp_field or "SystemModstamp") if since else ""
        return self._rest.query(select(("COUNT()",), name, where=beyond)).total

    def read(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        wanted = list(dict.fromkeys(["Id", *fields]))
        met: dict[str, dict[str, Any] | None] = {}
        for start in range(0, len(ids), MOST_IDS_IN_A_READ):
            part = list(ids[start : start + MOST_IDS_IN_A_READ])
            answer = self._rest.read("POST", f"composite/sobjects/{name}", told={"ids": part, "fields": wanted})
            met.update(zip(part, json_of(answer, during="POST composite/sobjects"), strict=True))
        return met

    def find_by_external_id(self, name: str, external_field: str, values: Sequence[str]) -> tuple[FoundRow, ...]:
        found: list[FoundRow] = []
        columns = ("Id", external_field, "SystemModstamp", "IsDeleted")
        for part in in_parts(list(dict.fromkeys(values)), LONGEST_QUERY):
            among = ", ".join(quoted(value) for value in part)
            soql = select(columns, name, where=f"{external_field} IN ({among})")
            found += (_found(row, external_field) for row in self._rest.rows(soql, with_deleted=True))
        return tuple(found)

    def deletions(self, about: ObjectDescription, *, since: datetime) -> Iterator[DeletedRecord]:
        stamp = _stamp_of(about)
        gone = f"IsDeleted = true AND {stamp} >= {moment(since)}"
        soql = select(_columns(about, ()), about.name, where=gone, order=(stamp, "Id"))
        for row in self._rest.rows(soql, with_deleted=True):
            yield DeletedRecord(str(row["Id"]), read_moment(row[stamp]), str(row.get(about.merged_into_field) or ""))

    def conversions(self, *, since: datetime) -> Iterator[ConversionRow]:
        done = f"IsConverted = true AND SystemModstamp >= {moment(since)}"
        soql = select(CONVERSION_COLUMNS, "Lead", where=done, order=("SystemModstamp", "Id"))
        for row in self._rest.rows(soql):
            yield ConversionRow(
                lead_id=str(row["Id"]),
                contact_id=str(row["ConvertedContactId"] or ""),
                account_id=str(row["ConvertedAccountId"] or ""),
                opportunity_id=str(row["ConvertedOpportunityId"] or ""),
                # ConvertedDate tells the day alone.
                at=read_moment(row["SystemModstamp"]),
            )

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def update(self, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        return writes.update_rows(self._rest, name, rows)

    def upsert(self, name: str, external_field: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        return writes.upsert_rows(self._rest, name, external_field, rows)

    def create(self, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        return writes.create_rows(self._rest, name, rows)

    def delete(self, ids: Sequence[str]) -> tuple[PushOutcome, ...]:
        return writes.delete_rows(self._rest, ids)

    def convert_leads(self, leads: Sequence[ConvertLead]) -> tuple[ConversionOutcome, ...]:
        return convert_leads(self._wire, self._session, version=self._version, leads=leads)


def _columns(about: ObjectDescription, fields: Sequence[str]) -> list[str]:
    """What every page carries, then what was asked for, each once."""
    always = (about.id_field, about.stamp_field, about.deleted_field, about.merged_into_field)
    return list({name.lower(): name for name in (*fields, *always) if name}.values())


def _stamp_of(about: ObjectDescription) -> str:
    if about.stamp_field:
        return about.stamp_field
    raise CrmMisconfigured(
        code="NO_STAMP",
        message=f"{about.name} keeps no date of change this user may see, so its changes cannot be followed.",
        layer=Layer.SCHEMA,
        move=Move.RELANCE_ADMIN,
        remedy="grant_field",
    )


def _user(row: Mapping[str, Any]) -> CrmUser:
    return CrmUser(
        id=str(row["Id"]),
        username=str(row["Username"] or ""),
        email=str(row["Email"] or ""),
        name=str(row["Name"] or ""),
        active=bool(row["IsActive"]),
        federation_id=str(row["FederationIdentifier"] or ""),
        time_zone=str(row["TimeZoneSidKey"] or ""),
        language=str(row["LocaleSidKey"] or ""),
    )


def _found(row: Mapping[str, Any], external_field: str) -> FoundRow:
    stamp = row.get("SystemModstamp")
    return FoundRow(
        id=str(row["Id"]),
        key=str(row[external_field]),
        changed_at=read_moment(stamp) if stamp else None,
        deleted=bool(row.get("IsDeleted")),
    )
