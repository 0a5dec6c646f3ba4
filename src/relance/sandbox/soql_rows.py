"""Runs the statements of queries, and fills in the formulas no column holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller
from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.scope import computed_value
from relance.sandbox.soql_filter import only_these
from relance.sandbox.soql_sql import Compiled
from relance.sandbox.store import quoted
from relance.sandbox.values import StoreValue

Row = tuple[object, ...]
StoredRow = dict[str, StoreValue]


def fetch(org: Org, compiled: Compiled, statement: str, parameters: Sequence[object]) -> list[Row]:
    connection = org.store.connection()
    if compiled.uses_formulas:
        connection.create_function("sandbox_formula", 3, formula_reader(org))
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: half the cost of named rows, and a page has two thousand of them
    return cursor.execute(statement, parameters).fetchall()


def fetch_records(org: Org, compiled: Compiled, statement: str, parameters: Sequence[object]) -> list[Row]:
    """The rows of a whole selection, its formulas filled in."""
    rows = fetch(org, compiled, statement, parameters)
    if not compiled.formulas:
        return rows
    filled = [list(row) for row in rows]
    for thing, id_column in {(formula.thing.name, formula.id_column) for formula in compiled.formulas}:
        formulas = [each for each in compiled.formulas if (each.thing.name, each.id_column) == (thing, id_column)]
        stored = stored_rows(org, formulas[0].thing, {str(row[id_column]) for row in rows if row[id_column]})
        for row in filled:
            record = stored.get(str(row[id_column]))
            if record is not None:
                for formula in formulas:
                    row[formula.column] = formula_value(org, formula.thing, record, formula.field)
    return [tuple(row) for row in filled]


def stored_rows(org: Org, thing: OrgObject, ids: Iterable[str]) -> dict[str, StoredRow]:
    cursor = org.store.connection().execute(
        f"SELECT * FROM {quoted(thing.name)} WHERE {only_these(quoted('Id'))}", (json.dumps(list(ids)),)
    )
    return {str(row["Id"]): dict(row) for row in cursor}


def formula_value(org: Org, thing: OrgObject, row: StoredRow, field: OrgField) -> StoreValue:
    value = computed_value(org.records, thing, row, field, Caller(org.user_id, all_rights=True))
    return value if isinstance(value, str | float | int) else None


def formula_reader(org: Org) -> Callable[[str, str, str | None], StoreValue]:
    """A formula's value for conditions and orders in SQL. A record is read once while the statement runs."""
    rows: dict[str, StoredRow | None] = {}

    def read(object_name: str, field_name: str, record_id: str | None) -> StoreValue:
        if record_id is None:
            return None
        thing = org.schema.objects[object_name]
        if record_id not in rows:
            rows[record_id] = org.records.row(thing, record_id)
        row = rows[record_id]
        return formula_value(org, thing, row, thing.fields[field_name]) if row else None

    return read
