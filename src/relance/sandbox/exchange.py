"""One HTTP request and its answer, and the table of addresses: what every part of the sandbox's front desk speaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from relance.sandbox.errors import Refused, refuse_json
from relance.sandbox.outcomes import Caller, WriteOptions

if TYPE_CHECKING:
    from relance.sandbox.org import Org

JSON = "application/json;charset=UTF-8"
CSV = "text/csv; charset=UTF-8"


@dataclass(slots=True)
class Request:
    """`segments` are the decoded parts of the path; `headers` are found by lower-case name."""

    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str  # http://localhost:4720, as the client reached us
    version: int = 0
    caller: Caller = field(default_factory=lambda: Caller(""))
    answer_part: Callable[[Org, Request], Response] = field(
        default=lambda _org, _request: Response(500)
    )  # for composite calls

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}.0"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def json(self) -> Any:
        """The body as JSON; the CRM says where a bad one stops making sense."""
        try:
            return json.loads(self.body.decode())
        except (json.JSONDecodeError, UnicodeDecodeError) as unreadable:
            line, column = getattr(unreadable, "lineno", 1), getattr(unreadable, "colno", 1)
            if not self.body.strip():
                raise refuse_json(
                    "The HTTP entity body is required, but this request has no entity body."
                ) from unreadable
            complaint = f"Unexpected character in the request body at [line:{line}, column:{column}]"
            raise refuse_json(complaint) from unreadable

    def json_object(self) -> dict[str, Any]:
        content = self.json()
        if not isinstance(content, dict):
            raise refuse_json(
                "Unexpected parameter encountered during deserialization: an object was expected at [line:1, column:1]"
            )
        return content

    def options(self) -> WriteOptions:
        """What the headers of a write ask for."""
        assign = self.header("Sforce-Auto-Assign").strip()
        duplicates = header_flags(self.header("Sforce-Duplicate-Rule-Header"))
        return WriteOptions(
            auto_assign={"": True, "true": True, "false": False}.get(assign.lower(), assign),
            allow_save=duplicates.get("allowsave") == "true",
            include_record_details=duplicates.get("includerecorddetails") == "true",
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer leaves when a fault has its hand in it: not at all, in part, or slowly."""

    hangs_up: bool = False
    abruptly: bool = False  # by a reset instead of an orderly end
    kept_share: float = 1.0  # of the body; then the line is cut
    says_whole: bool = True  # Content-Length is that of the whole body, not of the part that comes
    wait_seconds: float = 0.0
    seconds_a_byte: float = 0.0


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    content: object = None  # the JSON before it was written, for composite calls that wrap it
    error_code: str = ""
    packed: bytes | None = None  # the body already gzipped, when it is kept
    delivery: Delivery | None = None
    faults: list[str] = field(default_factory=list)  # ids of those that acted


View = Callable[["Org", Request, dict[str, str]], Response]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: tuple[str, ...]
    view: View


def route(method: str, path: str, view: View) -> Route:
    """`sobjects/{thing}/describe`: fixed parts compare without case, parts in braces are given to the view."""
    return Route(method, tuple(path.split("/")) if path else (), view)


def match_route(routes: list[Route], method: str, segments: tuple[str, ...]) -> tuple[View, dict[str, str]] | None:
    """The view for a path; None if no pattern fits; METHOD_NOT_ALLOWED if one does but not with this method."""
    allowed: list[str] = []
    for each in routes:
        values = match_pattern(each.pattern, segments)
        if values is None:
            continue
        if each.method == method or (method == "HEAD" and each.method == "GET"):
            return each.view, values
        allowed.append(each.method)
    if allowed:
        complaint = f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(set(allowed)))}"
        raise Refused(405, "METHOD_NOT_ALLOWED", complaint)
    return None


def match_pattern(pattern: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    values: dict[str, str] = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted.startswith("{"):
            values[wanted[1:-1]] = given
        elif wanted.lower() != given.lower():
            return None
    return values


def split_path(path: str) -> tuple[str, ...]:
    """Decoded after splitting, so that an external id may hold a slash; a trailing slash means nothing."""
    return tuple(unquote(part) for part in path.strip("/").split("/") if part)


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, JSON, headers or {}, content)


def empty_response(status: int = 204) -> Response:
    return Response(status, b"", "")


def header_flags(header: str) -> dict[str, str]:
    """`allowSave=true; includeRecordDetails=true` as a mapping in lower case; commas serve as well."""
    pairs = (part.partition("=") for part in header.replace(",", ";").split(";") if part.strip())
    return {name.strip().lower(): value.strip().lower() for name, _equals, value in pairs}
