"""Undoing an import: values go back where nobody changed them since, people it made go away where nobody touched them since.

What stays is told with its reason. The preview weighs with the same statements as the undo.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from psycopg.sql import SQL, Composable, Identifier, Literal

from relance.activity.actions import NewActivity, append_activities
from relance.decisions.actions import DecisionLine, record_decisions
from relance.decisions.rules import Decision, go, skip
from relance.lib import sql
from relance.workspace.auditing import name_actor

from ..catalogue import COLUMN_TYPES, FieldKind, FieldSpec, Subject, fields_of
from ..change import delete_people
from ..models import Import
from ..personal import keepers
from .alone import alone_with
from .running import ImportRefused

CHUNK = 2_000
UNDONE = ("deleted", "restored", "kept")


def preview_undo(this: Import) -> dict[str, int]:
    """What an undo would do now: people deleted, people set back, people left with a reason."""
    _may_undo(this)
    counts: Counter[str] = Counter()
    after = 0
    while rows := _weigh(this, after):
        after = rows[-1]["id"]
        counts.update(row["outcome"] for row in rows)
    return {outcome: counts.get(outcome, 0) for outcome in UNDONE}


def undo_import(this: Import, *, actor: str, now: datetime) -> dict[str, int]:
    """Undo in chunks, each in one transaction; what was undone is marked, so that a second run goes on. Returns the counts."""
    with alone_with(this) as is_ours:
        return _undo_all(this, actor, now) if is_ours else {}


def _undo_all(this: Import, actor: str, now: datetime) -> dict[str, int]:
    _may_undo(this)
    Import.objects.filter(pk=this.pk).update(state=Import.State.UNDOING, moved_at=Now())
    while rows := _weigh(this, 0):
        with transaction.atomic():
            name_actor(actor)
            _undo(this, rows, actor=actor, now=now)
            counts = Counter(this.counts) + Counter(row["outcome"] for row in rows)
            Import.objects.filter(pk=this.pk).update(moved_at=Now(), counts=dict(counts))
        this.counts = dict(counts)
    this.refresh_from_db()
    this.state, this.undone_at, this.moved_at = Import.State.UNDONE, now, now
    this.counts = {**dict.fromkeys(UNDONE, 0), **this.counts}
    this.save()
    return {outcome: this.counts[outcome] for outcome in UNDONE}


def _may_undo(this: Import) -> None:
    this.refresh_from_db()
    if this.state not in (Import.State.DONE, Import.State.STOPPED, Import.State.UNDOING):
        raise ImportRefused(_("Only an import that has run, wholly or in part, can be undone."))


def _weigh(this: Import, after: int) -> list[dict[str, Any]]:
    """The next changes with their outcome: deleted, restored, kept; `since` names the fields changed since."""
    fields = {field.key: field for field in fields_of(Subject.PERSON)}
    keys = [key for key in this.mapping if key in fields and key != "email"]
    statement = SQL(
        "SELECT change.id, change.person_id, change.row, change.before, change.after, "
        "change.before IS NULL AS is_new, person.id IS NULL AS is_gone, person.updated_at > %(at)s AS is_touched, "
        "ARRAY(SELECT key FROM (VALUES {nows}) AS now (key, value) "
        "WHERE change.after ? key AND value IS DISTINCT FROM nullif(change.after -> key, 'null')) AS since "
        "FROM people_importchange AS change LEFT JOIN person ON person.id = change.person_id "
        "LEFT JOIN person_x AS side ON side.person_id = change.person_id "
        "WHERE change.of_id = %(id)s AND change.undone = '' AND change.id > %(after)s ORDER BY change.id LIMIT {limit}"
    ).format(
        nows=SQL(", ").join(SQL("({}, to_jsonb({}))").format(Literal(key), _column(fields[key])) for key in keys)
        if keys
        else SQL("(NULL::text, NULL::jsonb)"),
        limit=Literal(CHUNK),
    )
    connection.ensure_connection()
    text = statement.as_string(connection.connection)
    rows = sql.select(text, {"id": this.pk, "at": this.started_at, "after": after})
    held = _held([row["person_id"] for row in rows if row["is_new"]])
    for row in rows:
        row["held"] = held.get(row["person_id"], "")
        row["outcome"] = _outcome(row)
    return rows


def _outcome(row: Mapping[str, Any]) -> str:
    if row["is_gone"]:
        return "kept"
    if row["is_new"]:
        return "kept" if row["is_touched"] or row["held"] else "deleted"
    return "kept" if set(row["since"]) >= set(row["after"]) else "restored"


def _held(person_ids: Sequence[int]) -> dict[int, str]:
    held: dict[int, str] = {}
    for keeper in keepers():
        held |= keeper.holds(person_ids)
    return held


def _undo(this: Import, rows: Sequence[dict[str, Any]], *, actor: str, now: datetime) -> None:
    by_outcome: dict[str, list[dict[str, Any]]] = {"deleted": [], "restored": [], "kept": []}
    for row in rows:
        by_outcome[row["outcome"]].append(row)
    _restore(by_outcome["restored"], now)
    _tell(this, rows, actor=actor, now=now)
    for outcome, some in by_outcome.items():
        this.changes.filter(pk__in=[row["id"] for row in some]).update(undone=outcome)
    delete_people([row["person_id"] for row in by_outcome["deleted"]], actor=actor, now=now)


def _restore(rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Each field of each person that still has the import's value gets back the one from before."""
    back = [
        {
            "id": row["person_id"],
            "before": {key: value for key, value in row["before"].items() if key not in row["since"]},
        }
        for row in rows
    ]
    if not back:
        return
    fields = {field.key: field for field in fields_of(Subject.PERSON)}
    keys = {key for one in back for key in one["before"]}
    core = [fields[key] for key in sorted(keys & fields.keys()) if not fields[key].is_custom]
    custom = [fields[key] for key in sorted(keys & fields.keys()) if fields[key].is_custom]
    sets = [_set(field, "person") for field in core] + [SQL("updated_at = %(now)s")]
    _run("UPDATE person SET {sets} FROM back WHERE person.id = back.id", sets, back, now)
    if custom:
        _run(
            "UPDATE person_x SET {sets} FROM back WHERE person_x.person_id = back.id",
            [_set(f, "person_x") for f in custom],
            back,
            now,
        )


def _run(text: str, sets: Sequence[Composable], back: Sequence[dict[str, Any]], now: datetime) -> None:
    rows = SQL("WITH back AS (SELECT * FROM jsonb_to_recordset(%(back)s::jsonb) AS row (id bigint, before jsonb)) ")
    statement = rows + SQL(text).format(sets=SQL(", ").join(sets))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection), {"back": json.dumps(back), "now": now})


def _set(field: FieldSpec, table: str) -> Composable:
    key, column = Literal(field.key), Identifier(field.column)
    if field.kind is FieldKind.CHOICES:
        value: Composable = SQL(
            "(SELECT array_agg(one) FROM jsonb_array_elements_text(nullif(back.before -> {}, 'null')) AS one)"
        ).format(key)
    else:
        value = SQL("(back.before ->> {})::{}").format(key, SQL(COLUMN_TYPES[field.kind]))
    return SQL("{column} = CASE WHEN back.before ? {key} THEN {value} ELSE {table}.{column} END").format(
        column=column, key=key, value=value, table=Identifier(table)
    )


def _column(field: FieldSpec) -> Composable:
    return SQL("{}.{}").format(SQL("side" if field.is_custom else "person"), Identifier(field.column))


def _tell(this: Import, rows: Sequence[dict[str, Any]], *, actor: str, now: datetime) -> None:
    """A line in the log for those set back, and a decision for every person left as they are, or in part."""
    restored = [row for row in rows if row["outcome"] == "restored"]
    append_activities(
        (
            NewActivity(
                "import.undone", actor, person_id=row["person_id"], payload={"import": this.pk, "file": this.file_name}
            )
            for row in restored
        ),
        now=now,
    )
    left = [row for row in rows if not row["is_gone"] and (row["outcome"] == "kept" or row["since"])]
    record_decisions(
        (DecisionLine("import", this.pk, _decision(row), person_id=row["person_id"]) for row in left),
        policy=f"import:{this.pk}",
        now=now,
    )


def _decision(row: Mapping[str, Any]) -> Decision:
    if row["held"]:
        return Decision.of([skip("people.undo_held", why=row["held"])])
    if row["is_new"]:
        return Decision.of([skip("people.undo_person_changed")])
    since = skip("people.undo_changed_since", fields=list(row["since"]))
    return Decision.of([since, *([go("people.undo_restored")] if row["outcome"] == "restored" else [])])
