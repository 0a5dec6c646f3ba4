"""The REST door: every call with its headers, the token renewed once when it is refused, refusals turned into our errors.

A read that lost its answer is made again here, twice at most. A write never is.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from relance import __version__
from relance.crm.dialect import CrmBusy, CrmError, Layer, RowError
from relance.crm.salesforce.auth import Session, Token
from relance.crm.salesforce.errors import Write, error_from_answer, error_from_words
from relance.crm.salesforce.errors_catalogue import KNOWN_CODES
from relance.crm.salesforce.wire import Answer, Wire

READS_AT_MOST = 3
PAUSE_BETWEEN_READS_SECONDS = 0.4
# With its headers an address may hold 16 KB; longer questions are asked in parts.
LONGEST_QUERY = 7_000


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One answer to a query: the rows as text for staging and as values for reading, and where the next ones are."""

    raw: bytes
    rows: list[dict[str, Any]]
    total: int
    next_path: str
    server_now: datetime | None


class Rest:
    def __init__(self, wire: Wire, session: Session, *, version: str, auto_assign: str = "") -> None:
        self.wire = wire
        self._session = session
        self._version = version
        self._auto_assign = auto_assign

    @property
    def instance_url(self) -> str:
        return self._session.token().instance_url

    def token(self) -> Token:
        return self._session.token()

    def get(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Read a path under the data version, or an absolute one. A read may be repeated, so it is."""
        return self.read("GET", path, params=params, headers=headers)

    def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        told: object = None,
        deadline: float | None = None,
    ) -> Answer:
        for _ in range(READS_AT_MOST - 1):
            try:
                return self._send(method, path, params=params, headers=headers, told=told, deadline=deadline)
            except CrmBusy as busy:
                # Only a lost answer: one that came and asks us to wait is for the queue, not for this thread.
                if busy.status or busy.layer is not Layer.CONNECTION:
                    raise
                time.sleep(PAUSE_BETWEEN_READS_SECONDS * (0.5 + random.random()))  # noqa: S311
        return self._send(method, path, params=params, headers=headers, told=told, deadline=deadline)

    def write(
        self,
        method: str,
        path: str,
        *,
        write: Write,
        told: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Change something, once."""
        assign = {"Sforce-Auto-Assign": self._auto_assign} if self._auto_assign else {}
        return self._send(method, path, params=params, headers={**assign, **(headers or {})}, told=told, write=write)

    def query(self, soql: str, *, with_deleted: bool = False, page_size: int = 2000) -> QueryPage:
        options = {"Sforce-Query-Options": f"batchSize={min(max(page_size, 200), 2000)}"}
        answer = self.get("queryAll" if with_deleted else "query", params={"q": soql}, headers=options)
        return query_page(answer)

    def next_page(self, page: QueryPage) -> QueryPage:
        return query_page(self.get(page.next_path))

    def rows(self, soql: str, *, with_deleted: bool = False) -> Iterator[dict[str, Any]]:
        page = self.query(soql, with_deleted=with_deleted)
        yield from page.rows
        while page.next_path:
            page = self.next_page(page)
            yield from page.rows

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        told: object,
        write: Write | None = None,
        deadline: float | None = None,
    ) -> Answer:
        content = None if told is None else told if isinstance(told, bytes) else json.dumps(told).encode()
        during = f"{method} {path.partition('?')[0]}"
        token = self._session.token()
        for token_is_new in (False, True):
            answer = self.wire.send(
                method,
                self._address(token, path),
                during=during,
                params=params,
                headers={**self._headers(token, content), **(headers or {})},
                content=content,
                write=write,
                deadline=deadline,
            )
            if answer.status < 300 or answer.status == 304:
                return answer
            error = error_from_answer(answer.status, answer.headers, answer.body, during=during, write=write)
            if token_is_new or not is_dead_token(error):
                raise error
            # A call refused at the door has changed nothing, so even a write may be made again with the new token.
            token = self._session.renew(token)
        raise AssertionError("the second pass either answers or raises")

    def _address(self, token: Token, path: str) -> str:
        if path.startswith("/"):
            return token.instance_url + path
        return f"{token.instance_url}/services/data/v{self._version}/{path}"

    def _headers(self, token: Token, content: bytes | None) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token.access_token}",
            "Accept": "application/json",
            "Sforce-Call-Options": f"client=relance/{__version__}",
        }
        return headers if content is None else {"Content-Type": "application/json; charset=UTF-8", **headers}


def is_dead_token(error: CrmError) -> bool:
    """A token that ended, and not a user who may not use the API: asking again for the latter would go round for ever."""
    return error.status == 401 and error.code != "SESSION_NOT_VALID_FOR_API"


def query_page(answer: Answer) -> QueryPage:
    """Read an answer once, and cut the text of its rows out of it: the database takes them as they came."""
    try:
        text = answer.body.decode("utf-8")
        start = text.index("[", text.index('"records"'))
        rows, end = json.JSONDecoder().raw_decode(text, start)
        envelope = json.loads(f"{text[:start]}[]{text[end:]}")
    except ValueError as trouble:
        raise unreadable(answer, during="GET query") from trouble
    return QueryPage(
        raw=text[start:end].encode(),
        rows=rows,
        total=int(envelope.get("totalSize") or 0),
        next_path=str(envelope.get("nextRecordsUrl") or ""),
        server_now=answer.server_now,
    )


def json_of(answer: Answer, *, during: str, write: Write | None = None) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError as trouble:
        raise unreadable(answer, during=during, write=write) from trouble


def unreadable(answer: Answer, *, during: str, write: Write | None = None) -> CrmError:
    """A success whose body is cut or is not what was due: for a write, its fate is not known."""
    told = RowError("ANSWER_UNREADABLE", "The answer was cut short, or is not what Salesforce answers here.")
    return error_from_words(
        told,
        known=KNOWN_CODES["SERVER_UNAVAILABLE"],
        status=answer.status,
        headers=answer.headers,
        text=answer.body.decode("utf-8", "replace"),
        during=during,
        wrote_perhaps=write,
    )


def http_moment(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
