"""Who signed in, from where, and how it ended: LoginHistory, and the last login of the user."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from relance.sandbox.outcomes import Caller, WriteOptions
from relance.sandbox.records import Records
from relance.sandbox.soql_dates import stamp

if TYPE_CHECKING:
    from relance.sandbox.exchange import Request

PLANTED = WriteOptions(auto_assign=False, planted=True)
FAILURES = {
    "ip restricted": "Restricted IP",
    "inactive user": "User is Inactive",
    "expired access/refresh token": "Failed: Token Expired",
    "authentication failure": "Invalid Password",
}


class Logins:
    def __init__(self, records: Records, clock: Callable[[], datetime], user_id: str) -> None:
        self.records = records
        self.clock = clock
        self.user_id = user_id  # for failures that name nobody

    def note(self, request: Request, user_id: str, *, application: str = "", kind: str = "Remote Access 2.0") -> None:
        self._write(request, user_id, "Success", application, kind)
        with self.records.store.writing() as connection:
            connection.execute('UPDATE "User" SET "LastLoginDate" = ? WHERE "Id" = ?', (stamp(self.clock()), user_id))

    def note_failure(self, request: Request, why: str, user_id: str = "", *, application: str = "") -> None:
        self._write(
            request, user_id or self.user_id, FAILURES.get(why, f"Failed: {why}"), application, "Remote Access 2.0"
        )

    def _write(self, request: Request, user_id: str, status: str, application: str, kind: str) -> None:
        if "LoginHistory" not in self.records.schema.objects:
            return
        values: dict[str, object] = {
            "UserId": user_id,
            "LoginTime": stamp(self.clock()),
            "LoginType": kind,
            "SourceIp": "127.0.0.1",
            "LoginUrl": request.header("Host") or "localhost",
            "Browser": "Unknown",
            "Platform": "Unknown",
            "Status": status,
            "Application": application or request.header("User-Agent")[:120] or "Unknown",
            "ApiType": "N/A",
            "ApiVersion": "N/A",
        }
        self.records.insert(Caller(user_id, all_rights=True), "LoginHistory", values, PLANTED)
