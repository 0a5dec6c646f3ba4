"""Outcomes of writes as the different doors show them: one record's errors, a row of a collection, a match list."""

from __future__ import annotations

from collections.abc import Iterable

from relance.sandbox.errors import Refused
from relance.sandbox.exchange import Response, json_response
from relance.sandbox.org import Org
from relance.sandbox.outcomes import DuplicateMatch, DuplicateResult, RecordError, SaveResult

Json = dict[str, object]
FORBIDDEN = frozenset({"INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS"})


def refused_save(org: Org, errors: Iterable[RecordError], base: str, *, is_addressed: bool = False) -> Response:
    """The answer to one record that could not be saved. `is_addressed`: its id was in the path, so its absence is a 404."""
    duplicate_key = org.settings.now.duplicate_key
    errors = list(errors)
    first = errors[0]
    status = 400
    if first.code in FORBIDDEN:
        status = 403
    elif is_addressed and (first.code == "ENTITY_IS_DELETED" or is_absent(first)):
        status = 404
    answer = json_response([error_body(error, base, duplicate_key) for error in errors], status)
    answer.error_code = first.code
    return answer


def is_absent(error: RecordError) -> bool:
    """The record itself is not there, as opposed to one it points to."""
    return error.code == "INVALID_CROSS_REFERENCE_KEY" and not error.fields


def error_body(error: RecordError, base: str, duplicate_key: str) -> Json:
    if error.duplicate is not None:
        duplicate = duplicate_body(error.duplicate, base)
        return {duplicate_key: duplicate, "errorCode": error.code, "message": error.message}
    return {"message": error.message, "errorCode": error.code, "fields": list(error.fields)}


def duplicate_body(duplicate: DuplicateResult, base: str) -> Json:
    rules: dict[tuple[str, str], list[DuplicateMatch]] = {}
    for match in duplicate.matches:
        rules.setdefault((match.object, match.rule), []).append(match)
    return {
        "allowSave": duplicate.allow_save,
        "duplicateRule": duplicate.rule,
        "duplicateRuleEntityType": duplicate.object,
        "errorMessage": duplicate.message,
        "matchResults": [match_body(thing, rule, matches, base) for (thing, rule), matches in rules.items()],
    }


def match_body(thing: str, rule: str, matches: list[DuplicateMatch], base: str) -> Json:
    return {
        "entityType": thing,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": match.confidence,
                "record": {
                    "attributes": {"type": thing, "url": f"{base}/sobjects/{thing}/{match.record_id}"},
                    "Id": match.record_id,
                },
            }
            for match in matches
        ],
        "rule": rule,
        "size": len(matches),
        "success": True,
    }


def row_body(result: SaveResult, *, says_created: bool = False) -> Json:
    """A row of a collection's answer. Match lists are never given there."""
    body: Json = {"id": result.id} if result.id else {}
    body |= {"success": result.success, "errors": [row_error(error) for error in result.errors]}
    if says_created:
        body["created"] = result.created
    return body


def row_error(error: RecordError) -> Json:
    return {"statusCode": error.code, "message": error.message, "fields": list(error.fields)}


def refuse_unreadable(result: SaveResult) -> None:
    """A value JSON cannot carry into its field spoils the whole request, not the row."""
    for error in result.errors:
        if error.code == "JSON_PARSER_ERROR":
            raise Refused(400, error.code, error.message)
