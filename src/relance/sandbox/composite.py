"""Several requests in one: `composite`, whose later parts may speak of earlier answers, and `composite/batch`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from relance.sandbox.errors import Refused, refuse_json
from relance.sandbox.exchange import Request, Response, Route, json_response, route, split_path
from relance.sandbox.org import Org

MOST_PARTS = 25
MOST_HEAVY_PARTS = 5  # queries and collections among them
REFERENCE = re.compile(r"@\{\s*([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\s*\}")
STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")


class Undone(Exception):
    """A part failed and the client wanted all or none."""


def composite_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    content = request.json_object()
    parts = read_parts(content, "compositeRequest")
    heavy = sum(is_heavy(str(part.get("url", ""))) for part in parts)
    if heavy > MOST_HEAVY_PARTS:
        complaint = (
            f"Limit of {MOST_HEAVY_PARTS} query and collection operations in a composite request exceeded: {heavy}"
        )
        raise Refused(400, "LIMIT_EXCEEDED", complaint)
    results: list[dict[str, Any]] = []
    if content.get("allOrNone") is not True:
        run_parts(org, request, parts, results)
        return json_response({"compositeResponse": results})
    try:
        with org.records.transaction():
            run_parts(org, request, parts, results)
            if any(result["httpStatusCode"] >= 400 for result in results):
                raise Undone
    except Undone:
        halt_all(results)
    return json_response({"compositeResponse": results})


def run_parts(org: Org, request: Request, parts: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
    answers: dict[str, Any] = {}
    for part in parts:
        reference = str(part.get("referenceId", ""))
        try:
            spoken = resolve(part, answers)
        except LookupError as missing:
            results.append(part_result(reference, 400, halted(f"Invalid reference specified. {missing}")))
            continue
        answer = request.answer_part(org, part_request(request, spoken))
        if answer.status < 400:
            answers[reference] = answer.content
        headers = {name: value for name, value in answer.headers.items() if name == "Location"}
        results.append(part_result(reference, answer.status, answer.content, headers))


def part_result(reference: str, status: int, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"body": body, "httpHeaders": headers or {}, "httpStatusCode": status, "referenceId": reference}


def halted(message: str) -> list[dict[str, object]]:
    return [{"errorCode": "PROCESSING_HALTED", "message": message}]


def halt_all(results: list[dict[str, Any]]) -> None:
    """What had gone well is undone, and says so."""
    for result in results:
        if result["httpStatusCode"] < 400:
            result["httpStatusCode"] = 400
            result["httpHeaders"] = {}
            result["body"] = halted(
                "The transaction was rolled back since another operation in the same transaction failed."
            )


def batch_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    content = request.json_object()
    parts = read_parts(content, "batchRequests")
    results: list[dict[str, object]] = []
    failed = False
    for part in parts:
        if failed and content.get("haltOnError") is True:
            halt = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per client request"}]
            results.append({"statusCode": 412, "result": halt})
            continue
        answer = request.answer_part(org, part_request(request, {**part, "body": part.get("richInput")}))
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.content})
    return json_response({"hasErrors": failed, "results": results})


def read_parts(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = content.get(name)
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise refuse_json(f"{name} must be a list of requests at [line:1, column:1]")
    if len(parts) > MOST_PARTS:
        raise Refused(400, "LIMIT_EXCEEDED", f"Maximum number of sub-requests exceeded: {len(parts)} of {MOST_PARTS}")
    return parts


def is_heavy(url: str) -> bool:
    return "/query" in url or "/composite/sobjects" in url


def part_request(outer: Request, part: Mapping[str, Any]) -> Request:
    """A part as a request of its own. Its address may be whole, or begin at the version."""
    address = urlsplit(str(part.get("url", "")))
    segments = split_path(address.path)
    if segments[:2] != ("services", "data"):
        segments = ("services", "data", *segments)
    body = part.get("body")
    own_headers = {str(name).lower(): str(value) for name, value in (part.get("httpHeaders") or {}).items()}
    kept = {
        name: value for name, value in outer.headers.items() if name.startswith("sforce-") or name == "authorization"
    }
    return replace(
        outer,
        method=str(part.get("method", "GET")).upper(),
        path="/" + "/".join(segments),
        segments=segments,
        query=dict(parse_qsl(address.query, keep_blank_values=True)),
        headers={**kept, **own_headers},
        body=b"" if body is None else json.dumps(body).encode(),
    )


def resolve(part: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The part with each `@{reference.path}` replaced. LookupError if what it speaks of failed or is not there."""
    return {name: resolved(value, answers) for name, value in part.items()}


def resolved(value: Any, answers: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: resolved(each, answers) for name, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, answers) for each in value]
    if not isinstance(value, str):
        return value
    alone = REFERENCE.fullmatch(value)
    if alone:
        return look_up(alone, answers)
    return REFERENCE.sub(lambda found: str(look_up(found, answers)), value)


def look_up(found: re.Match[str], answers: Mapping[str, Any]) -> Any:
    if found[1] not in answers:
        raise LookupError(f"No value for {found[1]} found")
    value = answers[found[1]]
    for name, place in STEP.findall(found[2]):
        try:
            value = value[name] if name else value[int(place)]
        except (LookupError, TypeError) as missing:
            raise LookupError(f"Could not get property {found[1]}{found[2]}") from missing
    return value


ROUTES: list[Route] = [
    route("POST", "composite", composite_view),
    route("POST", "composite/batch", batch_view),
]
