"""One org, opened: its schema, its store, the door to its records, its journal, its sessions and its clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from relance.sandbox.deletion import purge
from relance.sandbox.faults import Faults
from relance.sandbox.journal import Journal
from relance.sandbox.logins import Logins
from relance.sandbox.org_settings import OrgSettings
from relance.sandbox.outcomes import Permissions
from relance.sandbox.permission_rows import write_rows
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgSchema
from relance.sandbox.sessions import Sessions
from relance.sandbox.soql_dates import stamp
from relance.sandbox.store import Store
from relance.sandbox.taken import Taken

if TYPE_CHECKING:
    from relance.sandbox.bulk_jobs import Jobs
    from relance.sandbox.soql_sql import Compiled

BIN_EMPTIED_EVERY = timedelta(hours=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Org:
    """`home` is the org's own folder. The records, the organization and its users must be there before it opens."""

    def __init__(
        self,
        home: Path,
        records: Records,
        *,
        user_id: str,
        org_id: str,
        password: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.home = home
        self.records = records
        self.store: Store = records.store
        self.schema: OrgSchema = records.schema
        # A fault may set the clock wrong: the stamps of the records and what the org calls now are wrong together.
        self.faults = Faults(clock)
        self.clock = records.clock = lambda: clock() + self.faults.skew()
        records.watch = self.faults
        self.settings = OrgSettings(self.store)
        self.taken = Taken(self.store)
        self.logins = Logins(records, self.clock, user_id)
        self.user_id = user_id
        self.org_id = org_id
        self.password = password
        self.jobs: Jobs | None = None
        self.started_at = clock()
        self.journal = Journal(home / "journal.sqlite3")
        self.sessions = Sessions(self.store, org_id, lambda: timedelta(minutes=self.settings.now.session_minutes))
        self.permissions: dict[tuple[str, frozenset[str]], Permissions] = {}
        self.described: dict[tuple[object, ...], tuple[bytes, bytes]] = {}
        self.compiled: dict[tuple[object, ...], Compiled] = {}
        self.changed_at = self.started_at
        self.generation = 0
        self.emptied_at = self.started_at - 2 * BIN_EMPTIED_EVERY
        self.reified: dict[str, int] = {}  # of which generation the rows made on demand are
        records.rights_changed = self.note_rights
        self.allowance = Allowance(self.journal.count_since(stamp(self.started_at - timedelta(days=1))), self.settings)

    @property
    def username(self) -> str:
        """That of the user the org was started with."""
        row = (
            self.store.connection().execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (self.user_id,)).fetchone()
        )
        return str(row[0]) if row else ""

    def empty_old_bin(self) -> None:
        """What lay in the bin for its days is gone. Looked at now and then, as the platform does."""
        now = self.clock()
        if now - self.emptied_at > BIN_EMPTIED_EVERY:
            self.emptied_at = now
            purge(self.records, stamp(now - timedelta(days=self.settings.now.recycle_days)))

    def note_rights(self, set_id: str) -> None:
        """Somebody wrote the rows of a permission set: from now on they say what it grants."""
        write_rows(self, [set_id])
        self.forget()

    def forget(self) -> None:
        """What was worked out of schema and rights no longer holds. Clients that ask whether it changed are told that it did."""
        self.generation += 1
        # Their stamp of the last change has seconds only: one in the same second must still count as later.
        self.changed_at = max(self.clock(), self.changed_at).replace(microsecond=0) + timedelta(seconds=1)
        self.records.forget_plans()
        for kept in (self.permissions, self.described, self.compiled):
            kept.clear()

    def zone_of(self, user_id: str) -> ZoneInfo:
        """The time zone TODAY and its like are reckoned in: the user's own."""
        row = (
            self.store.connection().execute('SELECT "TimeZoneSidKey" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
            if "User" in self.schema.objects and "TimeZoneSidKey" in self.schema.objects["User"].fields
            else None
        )
        try:
            return ZoneInfo(str(row[0])) if row and row[0] else ZoneInfo("UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def close(self) -> None:
        self.journal.close()
        self.store.close()


class Allowance:
    """How many API calls the org has answered in its rolling day, roughly: the real meter lags as well."""

    def __init__(self, used: int, settings: OrgSettings) -> None:
        self._settings = settings
        self._used = used
        self._lock = threading.Lock()

    def spend(self) -> int:
        with self._lock:
            self._used += 1
            return self._used

    @property
    def maximum(self) -> int:
        return self._settings.now.daily_requests

    @property
    def is_exhausted(self) -> bool:
        return self._settings.now.enforce_allowance and self.used > self.maximum

    @property
    def used(self) -> int:
        with self._lock:
            return self._used
