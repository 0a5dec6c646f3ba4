"""The dirty set is filled by triggers: no writer, SQL by hand included, can forget to tell the sync.

Each connection has functions of its own, written from the mapping in force: they note the mapped columns that changed, with
what they held before. Our own merges are marked with their origin and note nothing.
"""

# ruff: noqa: S608 - whatever people typed goes through `name` and `literal`
from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db import connection as database

from relance.people.catalogue import SIDE_TABLES, FieldSpec, Subject
from relance.people.schema import run_ddl

from .models import Connection
from .plan import ObjectPlan, plan_for_new
from .rules import FIRST_LANE, Creates
from .wording import literal, name


def watch_changes(connection: Connection, plans: dict[str, ObjectPlan]) -> bool:
    """Make the triggers fit the mapping, unless they do already; tells whether they were changed."""
    statements = _statements(connection, plans)
    mark = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if _mark_in_force(connection) == mark:
        return False
    run_ddl([text % () for text in [*_removal(connection.pk), *statements, _marking(connection.pk, mark)]])
    return True


def forget_changes(connection_id: int) -> None:
    """Take the triggers of a connection away: nothing is noted for it any more."""
    run_ddl([text % () for text in _removal(connection_id)])


def _statements(connection: Connection, plans: dict[str, ObjectPlan]) -> list[str]:
    statements: list[str] = [_mark_function(connection.pk)]
    for subject in Subject:
        specs = _watched(subject, plans.values())
        if not specs:
            continue
        first = plan_for_new(plans, connection.dialect, subject)
        creates = first.creates if first else Creates.NONE
        object = first.object if first else ""
        statements += _core(connection.pk, subject, [s for s in specs if not s.is_custom], creates, object)
        statements += _side(connection.pk, subject, [s for s in specs if s.is_custom], creates, object)
    return statements


def _watched(subject: Subject, plans: Iterable[ObjectPlan]) -> list[FieldSpec]:
    found = {field.key: field.spec for plan in plans if plan.subject is subject for field in plan.fields}
    return [found[key] for key in sorted(found)]


# ── The two tables of a subject ──────────────────────────────────────────────────────────────────────────────────────


def _core(connection_id: int, subject: Subject, specs: list[FieldSpec], creates: Creates, object: str) -> list[str]:
    function, table = f"crm_note_{connection_id}_{subject.value}", subject.value
    changed = [_differs(spec) for spec in specs]
    if creates is Creates.OWNED:
        changed.append("OLD.owner_id IS DISTINCT FROM NEW.owner_id")
    statements = [
        _function(
            function,
            _noting(connection_id, subject, specs, "NEW.id", _queueing(connection_id, subject, creates, object)),
        ),
        _trigger(f"{function}_update", table, "UPDATE", connection_id, function, changed or ["false"]),
    ]
    if creates is not Creates.NONE:
        made = f"crm_note_{connection_id}_{subject.value}_made"
        statements += [
            _function(made, f"{_queueing(connection_id, subject, creates, object)} RETURN NULL;"),
            _trigger(f"{made}_insert", table, "INSERT", connection_id, made, ["true"]),
        ]
    return statements


def _side(connection_id: int, subject: Subject, specs: list[FieldSpec], creates: Creates, object: str) -> list[str]:
    """A side row may be made long after its person: then its first values are changes from nothing."""
    if not specs:
        return []
    key, table = f"NEW.{subject.value}_id", SIDE_TABLES[subject]
    changed, made = f"crm_note_{connection_id}_{table}", f"crm_note_{connection_id}_{table}_made"
    queue = _queueing(connection_id, subject, creates, object, key)
    present = [f"NEW.{name(spec.column)} IS NOT NULL" for spec in specs]
    return [
        _function(changed, _noting(connection_id, subject, specs, key, queue)),
        _trigger(f"{changed}_update", table, "UPDATE", connection_id, changed, [_differs(spec) for spec in specs]),
        _function(made, _noting(connection_id, subject, specs, key, queue, had_nothing=True)),
        _trigger(f"{made}_insert", table, "INSERT", connection_id, made, present),
    ]


def _noting(
    connection_id: int, subject: Subject, specs: list[FieldSpec], key: str, queue: str, *, had_nothing: bool = False
) -> str:
    """Whoever has no record yet is queued to get one; whoever has one gets her changed fields noted, the first base kept."""
    if had_nothing:
        rows = [f"({literal(s.key)}, NULL::text, NEW.{name(s.column)} IS NOT NULL)" for s in specs]
    else:
        rows = [f"({literal(s.key)}, OLD.{name(s.column)}::text, {_differs(s)})" for s in specs]
    note = (
        "INSERT INTO crm_dirty (connection_id, subject, subject_id, field_key, base, changed_at, actor) "
        f"SELECT {connection_id}, '{subject.value}', {key}, changed.field_key, changed.base, clock_timestamp(), "
        "coalesce(current_setting('relance.actor', true), '') "
        f"FROM (VALUES {', '.join(rows)}) AS changed (field_key, base, differs) WHERE changed.differs "
        "ORDER BY changed.field_key "
        "ON CONFLICT (connection_id, subject, subject_id, field_key) DO UPDATE "
        "SET changed_at = EXCLUDED.changed_at, actor = EXCLUDED.actor, code = NULL;"
        if rows
        else ""
    )
    return (
        f"PERFORM 1 FROM crm_link WHERE connection_id = {connection_id} AND {subject.value}_id = {key} "
        f"AND role = 'leading' AND deleted_at IS NULL; IF NOT FOUND THEN {queue} RETURN NULL; END IF; {note} RETURN NULL;"
    )


def _queueing(connection_id: int, subject: Subject, creates: Creates, object: str, key: str = "NEW.id") -> str:
    """Deleted over there is deleted: such a person is not made again."""
    if creates is Creates.NONE:
        return ""
    return (
        "INSERT INTO crm_push (connection_id, subject, subject_id, object, state, queued_at, due_at, priority) "
        f"SELECT {connection_id}, '{subject.value}', {key}, {literal(object)}, 'waiting', clock_timestamp(), clock_timestamp(), "
        f"{FIRST_LANE} "
        f"WHERE NOT EXISTS (SELECT FROM crm_link WHERE connection_id = {connection_id} AND {subject.value}_id = {key}) "
        "ON CONFLICT (connection_id, subject, subject_id) DO UPDATE "
        "SET state = 'waiting', due_at = EXCLUDED.due_at WHERE crm_push.state = 'refused';"
    )


def _differs(spec: FieldSpec) -> str:
    return f"OLD.{name(spec.column)} IS DISTINCT FROM NEW.{name(spec.column)}"


def _function(called: str, body: str) -> str:
    return f"CREATE FUNCTION {called}() RETURNS trigger LANGUAGE plpgsql AS {_dollars(f'BEGIN {body} END')}"


def _dollars(body: str) -> str:
    return f"$crm_note$ {body} $crm_note$"


def _trigger(called: str, table: str, verb: str, connection_id: int, function: str, conditions: list[str]) -> str:
    ours = f"current_setting('relance.origin', true) IS DISTINCT FROM 'crm:{connection_id}'"
    return (
        f"CREATE TRIGGER {called} AFTER {verb} ON {table} FOR EACH ROW WHEN (({' OR '.join(conditions)}) AND {ours}) "
        f"EXECUTE FUNCTION {function}()"
    )


# ── What is in force ─────────────────────────────────────────────────────────────────────────────────────────────────


def _functions(connection_id: int) -> list[str]:
    tables = [subject.value for subject in Subject] + list(SIDE_TABLES.values())
    return [f"crm_note_{connection_id}_{table}{made}" for table in tables for made in ("", "_made")]


def _removal(connection_id: int) -> list[str]:
    """Dropping a function takes its triggers with it."""
    return [
        f"DROP FUNCTION IF EXISTS {called}() CASCADE" for called in [*_functions(connection_id), _marker(connection_id)]
    ]


def _marker(connection_id: int) -> str:
    return f"crm_note_{connection_id}_mark"


def _mark_function(connection_id: int) -> str:
    return f"CREATE FUNCTION {_marker(connection_id)}() RETURNS text LANGUAGE sql IMMUTABLE RETURN 'watched'"


def _marking(connection_id: int, mark: str) -> str:
    return f"COMMENT ON FUNCTION {_marker(connection_id)}() IS '{mark}'"


def _mark_in_force(connection: Connection) -> str | None:
    with database.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regproc(%s), 'pg_proc')", [_marker(connection.pk)])
        row = cursor.fetchone()
    return row[0] if row else None
