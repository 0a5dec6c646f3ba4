"""The listeners of an org: HTTP/1.1 with connections kept open, plain and TLS, one thread a connection."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from relance.sandbox.desk import answer
from relance.sandbox.errors import Refused
from relance.sandbox.exchange import Delivery, Request, Response, split_path
from relance.sandbox.journal import KEPT_BODY, RequestLine
from relance.sandbox.org import Org
from relance.sandbox.soql_dates import stamp

BIGGEST_BODY = 160_000_000
LONGEST_ADDRESS = 16_384
WORTH_PACKING = 1_000
IDLE_SECONDS = 120
LAST_ANSWERS_SECONDS = 5
UNDISTURBED = Delivery()
SECRET_HEADERS = frozenset({"authorization", "x-sfdc-session", "cookie"})
SECRET_PATHS = ("/services/oauth2/", "/services/soap/", "/sandbox/apps")


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    org: Org  # given once the port is ours and before anything is served

    def __init__(self, port: int) -> None:
        self.context: ssl.SSLContext | None = None
        self._quiet = threading.Condition()
        self._under_way = 0
        self._is_closing = False
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", port), Conversation)

    @property
    def scheme(self) -> str:
        return "https" if self.context else "http"

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextmanager
    def one_request(self) -> Iterator[bool]:
        """Counts a request in and out; False once the listener is closing, when none is taken any more."""
        with self._quiet:
            is_welcome = not self._is_closing
            self._under_way += 1
        try:
            yield is_welcome
        finally:
            with self._quiet:
                self._under_way -= 1
                self._quiet.notify_all()

    def finish(self) -> None:
        """Takes no more, and lets what is under way end: a client that got no answer could not know what was done."""
        self.shutdown()
        self.closing.set()
        with self._quiet:
            self._is_closing = True
            self._quiet.wait_for(lambda: self._under_way == 0, timeout=LAST_ANSWERS_SECONDS)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours; anything else is told on stderr by the base class."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Conversation(BaseHTTPRequestHandler):
    """One client connection. Each request is read whole, answered by the desk, written down, and sent."""

    server: Listener
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        # The handshake belongs to this thread: a slow client must not keep others from being accepted.
        if self.server.context is not None:
            self.request.settimeout(IDLE_SECONDS)
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def converse(self) -> None:
        with self.server.one_request() as is_welcome:
            if is_welcome:
                self.answer_one()
            else:
                self.close_connection = True

    def answer_one(self) -> None:
        started = time.perf_counter()
        try:
            body = self.read_body()
        except Refused as refused:
            self.close_connection = True
            self.send(refusal_response(refused), "")
            return
        request = self.make_request(body)
        line = request_line(self.server.org, request, self.path)
        response = answer(self.server.org, request)
        line.user_id = request.caller.user_id or None
        line.status = response.status or None
        line.fault = ", ".join(response.faults) or None
        line.error_code = response.error_code or None
        line.ms = round((time.perf_counter() - started) * 1000, 2)
        if request.segments[:1] not in ((), ("sandbox",)):
            self.server.org.journal.write(line)
        self.send(response, request.header("Accept-Encoding"))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = converse

    def read_body(self) -> bytes:
        if len(self.path) > LONGEST_ADDRESS:
            raise Refused(414, "URI_TOO_LONG", "The URI is too long")
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self.read_chunks()
        else:
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > BIGGEST_BODY:
                raise Refused(413, "REQUEST_TOO_LARGE", "The request is larger than this org takes")
            body = self.rfile.read(int(length))
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            return unpacked(body)
        return body

    def read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = int(self.rfile.readline(64).split(b";")[0].strip() or b"0", 16)
            if size == 0:
                while self.rfile.readline(1024).strip():
                    pass
                return bytes(body)
            body += self.rfile.read(size)
            self.rfile.readline(8)
            if len(body) > BIGGEST_BODY:
                raise Refused(413, "REQUEST_TOO_LARGE", "The request is larger than this org takes")

    def make_request(self, body: bytes) -> Request:
        path, _mark, query = self.path.partition("?")
        host = self.headers.get("Host") or f"localhost:{self.server.port}"
        return Request(
            method=self.command,
            path=path,
            segments=split_path(path),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            origin=f"{self.server.scheme}://{host}",
        )

    def send(self, response: Response, accepted: str) -> None:
        """The one place an answer leaves from. The whole of it in one write, gzipped for those who can read it."""
        delivery = response.delivery or UNDISTURBED
        if delivery.hangs_up:
            self.hang_up(abruptly=delivery.abruptly)
            return
        body = response.body
        packs = "gzip" in accepted.lower() and len(body) >= WORTH_PACKING
        if packs:
            body = response.packed or gzip.compress(body, 1)
        kept = body[: int(len(body) * delivery.kept_share)]
        if len(kept) < len(body):
            self.close_connection = True
            body = body if delivery.says_whole else kept
        self.server.closing.wait(delivery.wait_seconds)
        self.send_response_only(response.status)
        self.send_header("Date", format_datetime(self.server.org.clock(), usegmt=True))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.content_type:
            self.send_header("Content-Type", response.content_type)
        if packs:
            self.send_header("Content-Encoding", "gzip")
        if len(response.body) >= WORTH_PACKING:
            self.send_header("Vary", "Accept-Encoding")
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.write_body(kept, delivery.seconds_a_byte)
        self.wfile.flush()

    def write_body(self, body: bytes, seconds_a_byte: float) -> None:
        if not seconds_a_byte:
            self.wfile.write(body)
            return
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            if self.server.closing.wait(seconds_a_byte):
                self.close_connection = True
                return

    def hang_up(self, *, abruptly: bool) -> None:
        """Ends the line without an answer."""
        self.close_connection = True
        if abruptly:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())  # an ordinary closing would say goodbye first

    def log_message(self, format: str, *args: object) -> None:
        """The journal is the log; nothing is said on stderr."""


def unpacked(body: bytes) -> bytes:
    """A gzipped body, no larger unpacked than a plain one may be."""
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(body, BIGGEST_BODY)
    except zlib.error as broken:
        raise Refused(400, "INVALID_CONTENT_ENCODING", "The body is not gzip") from broken
    if reader.unconsumed_tail:
        raise Refused(413, "REQUEST_TOO_LARGE", "The request is larger than this org takes")
    return plain


def request_line(org: Org, request: Request, address: str) -> RequestLine:
    """What the log keeps: neither tokens nor passwords, and of great bodies only the hash."""
    secret = request.path.lower().startswith(SECRET_PATHS)
    keeps_body = bool(request.body) and not secret and len(request.body) <= KEPT_BODY
    return RequestLine(
        at=stamp(org.clock()),
        method=request.method,
        path=request.path,
        query=address.partition("?")[2] if not secret else "",
        headers={name: "…" if name in SECRET_HEADERS else value for name, value in request.headers.items()},
        body_sha256=hashlib.sha256(request.body).hexdigest() if request.body else "",
        body_size=len(request.body),
        body=request.body.decode("utf-8", "replace") if keeps_body else None,
    )


def refusal_response(refused: Refused) -> Response:
    return Response(refused.status, json.dumps(refused.body()).encode(), error_code=refused.code)


def serve_in_thread(listener: Listener) -> threading.Thread:
    thread = threading.Thread(
        target=listener.serve_forever, name=listener.scheme, daemon=True, kwargs={"poll_interval": 0.2}
    )
    thread.start()
    return thread
