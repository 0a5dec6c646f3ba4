"""One exchange with Salesforce: sent with a deadline, read to its end, and noted. What it means is said elsewhere."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from relance.crm.dialect import ApiUsage, CallListener, CallNote, CrmMisconfigured, Layer, Move
from relance.crm.egress import GuardedTransport
from relance.crm.salesforce.errors import Write, code_in, connection_lost, http_date

TIMEOUTS = httpx.Timeout(connect=10, read=60, write=30, pool=10)
# httpx counts the silence between two bytes, and a peer that sends one byte a second is never silent.
DEADLINE_SECONDS = 180.0
BULK_DEADLINE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def server_now(self) -> datetime | None:
        return http_date(self.headers.get("date", ""))

    @property
    def usage(self) -> ApiUsage | None:
        return usage_in(self.headers.get("sforce-limit-info", ""))


class Wire:
    """An HTTP client for one connection: its own authority, its own guard, its own deadlines."""

    def __init__(
        self, *, ca_file: Path | None = None, allow_private: bool = False, listener: CallListener | None = None
    ) -> None:
        self._client = httpx.Client(
            transport=GuardedTransport(allow_private=allow_private, ca_file=ca_file),
            timeout=TIMEOUTS,
            # A redirection would carry the token to a place nobody approved.
            follow_redirects=False,
            headers={"Accept-Encoding": "gzip"},
        )
        self._listener = listener
        self.last_usage: ApiUsage | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        during: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        write: Write | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """The whole answer, whatever its status; an error of ours when there was none, or only a part."""
        began = time.monotonic()
        request = self._client.build_request(method, url, headers=headers, params=params, content=content)
        answer: Answer | None = None
        try:
            with _losses_named(during, write):
                answer = self._whole_answer(request, began + (deadline or DEADLINE_SECONDS))
            self.last_usage = answer.usage or self.last_usage
        finally:
            self._note(method, during, answer, began=began, write=write)
        return answer

    def close(self) -> None:
        self._client.close()

    def _whole_answer(self, request: httpx.Request, until: float) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer had not ended when its time was up", request=request)
            return Answer(response.status_code, response.headers, bytes(body))
        finally:
            response.close()

    def _note(self, method: str, during: str, answer: Answer | None, *, began: float, write: Write | None) -> None:
        if self._listener is None:
            return
        self._listener(
            CallNote(
                method=method,
                path=during.partition(" ")[2] or during,
                status=answer.status if answer else 0,
                milliseconds=int((time.monotonic() - began) * 1000),
                rows=len(write.keys) if write else 0,
                error_code=code_in(answer.body) if answer and answer.status >= 400 else "",
                usage=answer.usage if answer else None,
            )
        )


@contextmanager
def _losses_named(during: str, write: Write | None) -> Iterator[None]:
    """Give transport failures our names. Only a failure to connect proves that nothing left."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as trouble:
        if certificate := _certificate_trouble(trouble):
            raise _certificate_not_trusted(certificate, during) from trouble
        raise connection_lost(trouble, during=during, write=write, sent=False) from trouble
    except (httpx.TransportError, httpx.DecodingError) as trouble:
        raise connection_lost(trouble, during=during, write=write, sent=True) from trouble


def _certificate_trouble(trouble: BaseException) -> ssl.SSLCertVerificationError | None:
    """The certificate's own complaint, which httpx keeps two causes down."""
    cause: BaseException | None = trouble
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _certificate_not_trusted(trouble: ssl.SSLCertVerificationError, during: str) -> CrmMisconfigured:
    return CrmMisconfigured(
        code="CERTIFICATE_NOT_TRUSTED",
        message=trouble.verify_message,
        layer=Layer.CONNECTION,
        move=Move.RELANCE_ADMIN,
        remedy="ca_file",
        during=during,
    )


def usage_in(told: str) -> ApiUsage | None:
    """`api-usage=18/15000; per-app-api-usage=…`: what the org has spent of its day."""
    for part in told.replace(",", ";").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "api-usage":
            used, _, limit = value.partition("/")
            return ApiUsage(int(used), int(limit)) if used.isdigit() and limit.isdigit() else None
    return None
