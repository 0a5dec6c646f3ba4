"""A sandbox org in a process of its own, and a line to it that can be cut."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SandboxOrg:
    http: str
    https: str
    ca_file: Path
    client_id: str
    client_secret: str
    username: str
    refresh_token: str
    org_id: str
    user_id: str
    app_key: str

    @property
    def http_port(self) -> int:
        return int(self.http.rstrip("/").rsplit(":", 1)[1])


@contextmanager
def sandbox_org(tree: Path, *, home: Path) -> Iterator[SandboxOrg]:
    """Start the org as a person would, and stop it as Ctrl-C does."""
    command = [sys.executable, "-m", "relance.cli.sandbox", "start", "--org", str(tree), "--data", str(tree / "data")]
    command += ["--http", "0", "--https", "0", "--json"]
    process = subprocess.Popen(
        command, env={**os.environ, "RELANCE_HOME": str(home)}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield ready(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def ready(process: subprocess.Popen[str]) -> SandboxOrg:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            told: dict[str, Any] = json.loads(line)
            wanted = {name: told[name] for name in SandboxOrg.__dataclass_fields__ if name in told}
            ca_file = Path(told["ca_file"])
            app_key = (ca_file.parent / "app_key.pem").read_text()
            return SandboxOrg(**{**wanted, "ca_file": ca_file, "app_key": app_key})
    raise AssertionError(f"the sandbox ended before it was ready, with {process.wait()}")


class CuttableLine:
    """A TCP proxy. Once told to, it passes the next request on, waits until an answer starts to come, and hangs up on the caller."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut_next = threading.Event()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut_after_the_next_request(self) -> None:
        self._cut_next.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                called = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._forward, args=(caller, called), daemon=True).start()
                threading.Thread(target=self._bring_back, args=(called, caller), daemon=True).start()

    def _forward(self, caller: socket.socket, called: socket.socket) -> None:
        with suppress(OSError):
            while piece := caller.recv(65536):
                called.sendall(piece)

    def _bring_back(self, called: socket.socket, caller: socket.socket) -> None:
        with suppress(OSError):
            while piece := called.recv(65536):
                if self._cut_next.is_set():
                    self._cut_next.clear()
                    self.cuts += 1
                    break
                caller.sendall(piece)
        for end in (caller, called):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
