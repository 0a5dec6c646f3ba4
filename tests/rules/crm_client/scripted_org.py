"""A CRM of a few lines that answers what a test tells it, and can also hang up, dawdle or cut its answer: over a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORG_ID, USER_ID = "00D000000000001AAA", "005000000000001AAA"


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    told: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    fate: str = "whole"  # whole | close | hang_up | cut | drip


Script = Callable[[Asked], Reply]


@dataclass
class ScriptedOrg:
    url: str
    asked: list[Asked]
    script: Script
    tokens_given: int = 0

    def calls(self, part: str) -> list[Asked]:
        return [each for each in self.asked if part in each.path]

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/services/oauth2/token"):
            reply = self.script(asked)
            if reply.status != 404:
                return reply
            self.tokens_given += 1
            return Reply(told=self.token())
        return self.script(asked)

    def token(self, **more: str) -> dict[str, str]:
        identity = f"{self.url}/id/{ORG_ID}/{USER_ID}"
        return {"access_token": f"token-{self.tokens_given}", "instance_url": self.url, "id": identity, **more}


@contextmanager
def scripted_org(script: Script) -> Iterator[ScriptedOrg]:
    """Run the script as a server for a while. A script answers `nothing_here` for what it does not care about."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            org.asked.append(asked)
            self.send(org.answer(asked))

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer

        def send(self, reply: Reply) -> None:
            body = reply.body or (json.dumps(reply.told).encode() if reply.told is not None else b"")
            if reply.fate == "hang_up":
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if reply.fate == "drip":
                self.drip(body)
            else:
                self.wfile.write(body[: len(body) // 2] if reply.fate == "cut" else body)
            self.close_connection = reply.fate != "whole"

        def drip(self, body: bytes) -> None:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.05)

        def log_message(self, format: str, *args: object) -> None:
            return

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    org = ScriptedOrg(f"http://127.0.0.1:{server.server_port}", [], script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield org
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nothing_here() -> Reply:
    return Reply(404, told=[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


def refused(status: int, code: str, message: str = "", **headers: str) -> Reply:
    return Reply(
        status,
        told=[{"errorCode": code, "message": message}],
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def found(rows: list[dict[str, Any]], next_path: str = "") -> Reply:
    told: dict[str, Any] = {"totalSize": len(rows), "done": not next_path, "records": rows}
    return Reply(told=told | ({"nextRecordsUrl": next_path} if next_path else {}))
