"""A sandbox org in a process of its own, started as a person would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

COMMAND = [sys.executable, "-m", "relance.cli.sandbox"]


@dataclass
class OrgProcess:
    process: subprocess.Popen[str]
    told: dict[str, str]

    @property
    def netloc(self) -> str:
        return self.told["https"].removeprefix("https://")

    def client(self, token: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=self.told["http"], headers={"Authorization": f"Bearer {token or self.told['token']}"}, timeout=30
        )

    def query(self, soql: str) -> list[dict[str, object]]:
        with self.client() as client:
            answer = client.get("/services/data/v66.0/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        records: list[dict[str, object]] = answer.json()["records"]
        return records

    def plan(self, kind: str, match: dict[str, object] | None = None, **options: object) -> str:
        """Ask for a fault; its id, which the request log will name."""
        told = {"kind": kind, "match": match or {}, "with": options}
        answer = httpx.post(f"{self.told['http']}/sandbox/faults", json=told, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["faults"][0]["id"])

    def end_faults(self) -> None:
        httpx.delete(f"{self.told['http']}/sandbox/faults", timeout=30)

    def act(self, actor: str, told: dict[str, object]) -> dict[str, Any]:
        """Let a rep or an administrator do something in the org."""
        answer = httpx.post(f"{self.told['http']}/sandbox/act", json={"name": actor, "with": told}, timeout=30)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def requests(self, **narrowed: str) -> list[dict[str, Any]]:
        """The request log, first to last: after, method, path, contains, limit."""
        answer = httpx.get(f"{self.told['http']}/sandbox/requests", params=narrowed, timeout=30)
        lines: list[dict[str, Any]] = answer.json()["requests"]
        return lines

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; the exit code, and what was left to say."""
        self.process.send_signal(signal.SIGINT)
        _out, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


def write_tree(directory: Path) -> Path:
    subprocess.run([*COMMAND, "new", str(directory)], check=True, capture_output=True, timeout=60)
    return directory


def start_org(home: Path, tree: Path, *arguments: str) -> OrgProcess:
    """Started and ready. Ports are free ones unless the arguments name them."""
    ports = [] if "--http" in arguments else ["--http", "0"]
    ports += [] if "--https" in arguments else ["--https", "0"]
    process = subprocess.Popen(
        [*COMMAND, "start", "--org", str(tree), "--json", *ports, *arguments],
        env={**os.environ, "RELANCE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=30)[1]
    return OrgProcess(process, json.loads(line))


@contextmanager
def org_running(home: Path, tree: Path, *arguments: str) -> Iterator[OrgProcess]:
    running = start_org(home, tree, *arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.interrupt()
