"""Rows written together: up to two hundred in a call, each with its own outcome, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relance.crm.dialect import (
    MOST_ROWS_IN_A_CALL,
    CrmError,
    CrmOutcomeUnknown,
    CrmRefused,
    PushOutcome,
    PushRow,
    RowError,
)
from relance.crm.salesforce.errors import Write, row_errors
from relance.crm.salesforce.rest import Rest, json_of, unreadable

# A call is refused as a whole when one row cannot even be read. Halving finds that row in eight calls or so; more than this many
# bad rows is a mistake in the mapping, and not worth the org's budget.
CALLS_SPENT_ON_HALVING = 40
READ_AS_A_WHOLE = frozenset({"JSON_PARSER_ERROR", "INVALID_TYPE_ON_FIELD_IN_RECORD"})

# Salesforce runs its assignment rules on updates too unless told not to: a corrected phone must not change the owner.
KEEP_THE_OWNER = {"Sforce-Auto-Assign": "FALSE"}

Sent = Callable[[Sequence[PushRow]], tuple[PushOutcome, ...]]


def update_rows(rest: Rest, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
    def send(part: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        told = [{"attributes": {"type": name}, "id": row.crm_id, **_without(row.fields, "id")} for row in part]
        return _call(rest, "PATCH", "composite/sobjects", told, part, makes_no_twin=True, headers=KEEP_THE_OWNER)

    return in_halves(send, _checked(rows))


def upsert_rows(rest: Rest, name: str, external_field: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
    def send(part: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        told = [
            {"attributes": {"type": name}, external_field: row.key, **_without(row.fields, external_field, "id")}
            for row in part
        ]
        return _call(rest, "PATCH", f"composite/sobjects/{name}/{external_field}", told, part, makes_no_twin=True)

    return in_halves(send, _checked(rows))


def create_rows(rest: Rest, name: str, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
    def send(part: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        told = [{"attributes": {"type": name}, **_without(row.fields, "id")} for row in part]
        return _call(rest, "POST", "composite/sobjects", told, part, makes_no_twin=False, creates=True)

    return in_halves(send, _checked(rows))


def delete_rows(rest: Rest, ids: Sequence[str]) -> tuple[PushOutcome, ...]:
    rows = _checked([PushRow(key=crm_id, fields={}, crm_id=crm_id) for crm_id in ids])
    if not rows:
        return ()
    write = Write(keys=tuple(ids), makes_no_twin=True)
    params = {"ids": ",".join(ids), "allOrNone": "false"}
    answer = rest.write("DELETE", "composite/sobjects", params=params, write=write)
    return _outcomes(
        json_of(answer, during="DELETE composite/sobjects", write=write),
        rows,
        lambda: unreadable(answer, during="DELETE composite/sobjects", write=write),
    )


def in_halves(send: Sent, rows: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
    """Send all rows; if they are refused together, send them by halves until the rows at fault stand alone.

    Once a part was written, trouble with another part is told row by row: raised, it would hide what was done.
    """
    if not rows:
        return ()
    left = CALLS_SPENT_ON_HALVING
    written = False

    def outcomes_of(part: Sequence[PushRow]) -> tuple[PushOutcome, ...]:
        nonlocal left, written
        left -= 1
        try:
            outcomes = send(part)
        except CrmError as error:
            together = isinstance(error, CrmRefused) or error.code in READ_AS_A_WHOLE
            if together and len(part) > 1 and left > 0:
                middle = len(part) // 2
                return outcomes_of(part[:middle]) + outcomes_of(part[middle:])
            if written or (together and len(part) == 1):
                return tuple(_not_done(row, error) for row in part)
            raise
        written = True
        return outcomes

    return outcomes_of(rows)


def _call(
    rest: Rest,
    method: str,
    path: str,
    told: list[dict[str, Any]],
    rows: Sequence[PushRow],
    *,
    makes_no_twin: bool,
    creates: bool = False,
    headers: Mapping[str, str] | None = None,
) -> tuple[PushOutcome, ...]:
    write = Write(keys=tuple(row.key for row in rows), makes_no_twin=makes_no_twin)
    during = f"{method} {path}"
    answer = rest.write(method, path, told={"allOrNone": False, "records": told}, write=write, headers=headers)
    results = json_of(answer, during=during, write=write)
    return _outcomes(results, rows, lambda: unreadable(answer, during=during, write=write), creates=creates)


def _outcomes(
    results: object, rows: Sequence[PushRow], cut: Callable[[], CrmError], *, creates: bool = False
) -> tuple[PushOutcome, ...]:
    if (
        not isinstance(results, list)
        or len(results) != len(rows)
        or not all(isinstance(each, dict) for each in results)
    ):
        raise cut()
    return tuple(
        PushOutcome(
            key=row.key,
            ok=bool(result.get("success")),
            crm_id=str(result.get("id") or row.crm_id),
            created=bool(result.get("success")) and bool(result.get("created", creates)),
            errors=row_errors(result.get("errors")),
        )
        for row, result in zip(rows, results, strict=True)
    )


def _not_done(row: PushRow, error: CrmError) -> PushOutcome:
    said = RowError(error.code, error.message, error.fields)
    return PushOutcome(
        row.key, ok=False, crm_id=row.crm_id, errors=(said,), unknown=isinstance(error, CrmOutcomeUnknown)
    )


def _checked(rows: Sequence[PushRow]) -> Sequence[PushRow]:
    if len(rows) > MOST_ROWS_IN_A_CALL:
        raise ValueError(f"{len(rows)} rows in one call; Salesforce takes {MOST_ROWS_IN_A_CALL}")
    return rows


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    unwanted = {name.lower() for name in names}
    return {name: value for name, value in fields.items() if name.lower() not in unwanted}
