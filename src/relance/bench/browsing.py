"""People at their browsers: signed in by the form, asking for pages one after the other, all at once."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Visit:
    """One page asked for: where, under which name it is counted, and a text that must stand on it."""

    page: str
    address: str
    holds: str
    is_fragment: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    visit: Visit
    status: int
    seconds: float
    is_right: bool


class CannotSignIn(Exception):
    """The server did not let a user of ours in."""


class Browser:
    """One user with a session and a connection that stays open."""

    def __init__(self, port: int, email: str, password: str) -> None:
        self._host = f"localhost:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        self._sign_in(email, password)

    def visit(self, visit: Visit) -> Answer:
        began = time.perf_counter()
        status, body = self._ask("GET", visit.address, headers={"HX-Request": "true"} if visit.is_fragment else {})
        seconds = time.perf_counter() - began
        return Answer(visit, status, seconds, status == 200 and visit.holds in body)

    def close(self) -> None:
        self._connection.close()

    def _sign_in(self, email: str, password: str) -> None:
        address = "/accounts/login/"
        _, page = self._ask("GET", address)
        token = _TOKEN.search(page)
        form = {"login": email, "password": password, "csrfmiddlewaretoken": token.group(1) if token else ""}
        status, _ = self._ask(
            "POST", address, body=urlencode(form), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        if status != 302 or "sessionid" not in self._cookies:
            raise CannotSignIn(f"{email} could not sign in: the answer was {status}.")

    def _ask(
        self, method: str, address: str, *, body: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        sent = {"Host": self._host, "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        self._connection.request(method, address, body=body or None, headers=sent | (headers or {}))
        answer = self._connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: told.value for name, told in SimpleCookie(line).items()}
        return answer.status, answer.read().decode("utf-8", errors="replace")


def visit_together(browsers: Sequence[Browser], walks: Sequence[Sequence[Visit]]) -> list[Answer]:
    """Each browser makes its own walk, visit by visit, at the same time as the others."""
    with ThreadPoolExecutor(len(browsers)) as people:
        walked = people.map(_walk, browsers, walks)
        return [answer for answers in walked for answer in answers]


def _walk(browser: Browser, walk: Sequence[Visit]) -> list[Answer]:
    return [browser.visit(visit) for visit in walk]
