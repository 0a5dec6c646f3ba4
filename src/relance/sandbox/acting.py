"""What the actors share: who they are, which record is meant, and what becomes of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relance.sandbox.errors import Refused
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, RecordError, SaveResult
from relance.sandbox.schema import OrgObject
from relance.sandbox.soql import compile_query, parameters_of
from relance.sandbox.soql_rows import fetch
from relance.sandbox.store import quoted

Told = Mapping[str, Any]


class ActRefused(Exception):
    """The actor could not do it: the org's own code and text, or what was told makes no sense."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def rep_of(org: Org, told: Told) -> Caller:
    """Who acts: the user named by `as`, else the first active one who is not the integration's own."""
    if told.get("as"):
        return Caller(user_named(org, str(told["as"])), all_rights=True)
    row = (
        org.store.connection()
        .execute('SELECT "Id" FROM "User" WHERE "IsActive" = 1 AND "Id" <> ? ORDER BY "Id" LIMIT 1', (org.user_id,))
        .fetchone()
    )
    return Caller(str(row[0]) if row else org.user_id, all_rights=True)


def user_named(org: Org, text: str) -> str:
    """By id, username or e-mail address."""
    try:
        wanted = whole_id(text)
    except MalformedId:
        wanted = text
    row = (
        org.store.connection()
        .execute('SELECT "Id" FROM "User" WHERE "Id" = ?1 OR "Username" = ?1 OR "Email" = ?1 LIMIT 1', (wanted,))
        .fetchone()
    )
    if row is None:
        raise ActRefused("INVALID_ACTOR", f"The org has no user {text}.")
    return str(row[0])


def record_of(org: Org, told: Told, name: str = "record", *, deleted: bool = False) -> tuple[OrgObject, str]:
    """The record meant: by its id, or the first one of `object` that `where` keeps."""
    if told.get(name):
        return known_record(org, str(told[name]))
    thing = org.schema.objects.get(str(told.get("object") or ""))
    if thing is None:
        raise ActRefused("INVALID_ACTOR", "A record is meant by its id, or by an object and a where.")
    gone = " AND IsDeleted = true" if deleted else ""
    text = f"SELECT Id FROM {thing.name} WHERE ({told['where']}){gone} ORDER BY Id LIMIT 1"
    try:
        compiled = compile_query(org, text, Caller(org.user_id, all_rights=True), with_deleted=deleted)
    except Refused as refused:
        raise ActRefused(refused.code, refused.message) from refused
    rows = fetch(org, compiled, compiled.select(), parameters_of(compiled))
    if not rows:
        raise ActRefused("NOT_FOUND", f"No {thing.name} has {told['where']}.")
    return thing, str(rows[0][0])


def known_record(org: Org, text: str) -> tuple[OrgObject, str]:
    try:
        record_id = whole_id(text)
    except MalformedId as malformed:
        raise ActRefused("MALFORMED_ID", f"{text} is no record id.") from malformed
    for thing in org.schema.objects:
        if thing.key_prefix == record_id[:3] and org.records.row(thing, record_id) is not None:
            return thing, record_id
    raise ActRefused("NOT_FOUND", f"The org has no record {text}.")


def done(result: SaveResult, **also: Any) -> dict[str, Any]:
    """What to tell of a save, or its refusal raised."""
    if not result.success:
        raise refusal_of(result.errors[0])
    return {"id": result.id, **also}


def refusal_of(error: RecordError) -> ActRefused:
    return ActRefused(error.code, error.message)


def erase_rows(org: Org, thing: OrgObject, ids: list[str]) -> None:
    """Rows gone without a trace, as only a purge leaves them."""
    with org.store.writing() as connection:
        connection.executemany(f'DELETE FROM {quoted(thing.name)} WHERE "Id" = ?', [(each,) for each in ids])
