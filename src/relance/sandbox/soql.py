"""Queries asked and answered: records in pages, counts, aggregates, children, and the cursor that leads to the next page.

A cursor keeps the ids found when the query was asked; the records of a page are read when the page is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter

from relance.sandbox.errors import Refused
from relance.sandbox.ids import make_id, number_of_id
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller
from relance.sandbox.soql_dates import stamp
from relance.sandbox.soql_filter import NUMBER_TYPES, only_these
from relance.sandbox.soql_names import TEXT_TYPES
from relance.sandbox.soql_parse import parse_soql
from relance.sandbox.soql_rows import Row, fetch, fetch_records
from relance.sandbox.soql_sql import Asking, Compiled, CompiledChildren, Output, Shape, compile_soql

PAGE = 2000
KEPT_QUERIES = 500
SMALLEST_PAGE = 200
CURSOR_LIFE = timedelta(days=2)
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class QueryCall:
    """How a query came in: on whose behalf, under which version's addresses, with or without the recycle bin."""

    caller: Caller
    base: str  # /services/data/v66.0
    with_deleted: bool = False
    batch: int = PAGE
    wants_columns: bool = False


def answer_query(org: Org, text: str, call: QueryCall) -> Json:
    """The first page, with the address of the next one if there is more."""
    compiled = compile_query(org, text, call.caller, with_deleted=call.with_deleted)
    if call.wants_columns:
        return column_metadata(compiled)
    if compiled.query.is_count:
        return {"totalSize": count_rows(org, compiled), "done": True, "records": []}
    rows = fetch_records(org, compiled, compiled.select(limit=call.batch + 1), parameters_of(compiled))
    if len(rows) <= call.batch:
        return {"totalSize": len(rows), "done": True, "records": render(org, compiled, rows, call.base)}
    if compiled.is_aggregate:
        complaint = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise Refused(400, "EXCEEDED_ID_LIMIT", complaint)
    ids = [
        str(row[0]) for row in fetch(org, compiled, compiled.select(columns=compiled.identity), parameters_of(compiled))
    ]
    now = org.clock()
    org.journal.drop_cursors_before(stamp(now - CURSOR_LIFE))
    number = org.journal.open_cursor(
        made_at=stamp(now),
        user_id=call.caller.user_id,
        soql=text,
        with_deleted=call.with_deleted,
        batch=call.batch,
        ids=ids,
    )
    return page_of(org, compiled, ids, start=0, number=number, call=call)


def answer_locator(org: Org, locator: str, call: QueryCall) -> Json:
    """A later page: the locator names the cursor and where to go on."""
    name, _dash, place = locator.partition("-")
    cursor = org.journal.cursor(cursor_number(name)) if place.isdigit() else None
    if cursor is None or cursor.user_id != call.caller.user_id or cursor.made_at < stamp(org.clock() - CURSOR_LIFE):
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    if int(place) >= len(cursor.ids):
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    compiled = compile_query(org, cursor.soql, call.caller, with_deleted=cursor.with_deleted)
    return page_of(
        org,
        compiled,
        cursor.ids,
        start=int(place),
        number=cursor.number,
        call=QueryCall(call.caller, call.base, batch=cursor.batch),
    )


def compile_query(org: Org, text: str, caller: Caller, *, with_deleted: bool = False) -> Compiled:
    """Compiled once for a text, a user's rights and a day: clients ask the same few questions all day long."""
    zone = org.zone_of(caller.user_id)
    today = org.clock().astimezone(zone).date()
    key = (text, org.generation, caller.rights, today, zone.key, with_deleted)
    found = org.compiled.get(key)
    if found is None:
        found = compile_soql(parse_soql(text), Asking(org.schema, caller, today, zone, with_deleted))
        if len(org.compiled) >= KEPT_QUERIES:
            org.compiled.clear()
        org.compiled[key] = found
    return found


def page_of(org: Org, compiled: Compiled, ids: Sequence[str], *, start: int, number: int, call: QueryCall) -> Json:
    wanted = ids[start : start + call.batch]
    found = {row[0]: row for row in fetch_records(org, compiled, compiled.by_ids(), [json.dumps(wanted)])}
    records = render(org, compiled, [found[each] for each in wanted if each in found], call.base)
    after = start + call.batch
    if after >= len(ids):
        return {"totalSize": len(ids), "done": True, "records": records}
    return {
        "totalSize": len(ids),
        "done": False,
        "nextRecordsUrl": f"{call.base}/query/{make_id('01g', number)}-{after}",
        "records": records,
    }


def cursor_number(name: str) -> int:
    """The cursor behind an id; a number no cursor has if the id is not one of ours."""
    return number_of_id("01g", name)


def count_rows(org: Org, compiled: Compiled) -> int:
    inner = compiled.select(columns="1")
    return int(str(fetch(org, compiled, f"SELECT count(*) FROM ({inner})", parameters_of(compiled))[0][0]))


def parameters_of(compiled: Compiled) -> list[object]:
    return [*compiled.parameters, *compiled.having_parameters]


def render(org: Org, compiled: Compiled, rows: Sequence[Row], base: str) -> list[Json]:
    """Rows as nested records, each with its attributes, its parents and its children."""
    build = builder(compiled.shape, base)
    records = [build(row) for row in rows]
    ids = [str(row[0]) for row in rows]
    for name, children in compiled.shape.children.items():
        families = children_of(org, children, ids, base)
        for record, record_id in zip(records, ids, strict=True):
            record[name] = families.get(record_id)
    return records


def builder(shape: Shape, base: str) -> Callable[[Row], Json]:
    """A function that makes one record, put together once for all rows."""
    names = list(shape.values)
    made = [(name, read) for name, (_column, read) in shape.values.items() if read is not None]
    # One call takes every plain value of a row; those to be made hold their place, so that the order stays that of the query.
    # Two more in front: of a single column it would make no tuple.
    plain = itemgetter(0, 0, *(0 if read else column for column, read in shape.values.values()))
    parents = [(name, parent.id_column, builder(parent, base)) for name, parent in shape.parents.items()]
    attributes = attributes_of(shape, base)

    def build(row: Row) -> Json:
        record: Json = {"attributes": attributes(row), **dict(zip(names, plain(row)[2:], strict=True))}
        for name, read in made:
            record[name] = read(row)
        for name, id_column, parent in parents:
            record[name] = None if row[id_column] is None else parent(row)
        return record

    return build


def attributes_of(shape: Shape, base: str) -> Callable[[Row], Json]:
    place, column = shape.place, shape.id_column
    if place is None:
        return lambda row: {"type": "AggregateResult"}
    if len(place.tables) == 1:
        name = place.tables[0][1].name
        return lambda row: {"type": name, "url": f"{base}/sobjects/{name}/{row[column]}"}
    by_prefix = {thing.key_prefix: thing.name for _alias, thing in place.tables}
    return lambda row: {
        "type": "Name",
        "url": f"{base}/sobjects/{by_prefix.get(str(row[column])[:3], 'Name')}/{row[column]}",
    }


def children_of(org: Org, children: CompiledChildren, parents: list[str], base: str) -> dict[str, Json]:
    """The children of a page of parents in one statement; a LIMIT counts for each parent."""
    compiled = children.query
    statement = compiled.select(also=only_these(compiled.link))
    rows = fetch_records(org, compiled, statement, [*compiled.parameters, json.dumps(parents)])
    families: dict[str, list[Json]] = {}
    for row, child in zip(rows, render(org, compiled, rows, base), strict=True):
        family = families.setdefault(str(row[children.link_column]), [])
        if children.limit is None or len(family) < children.limit:
            family.append(child)
    return {parent: {"totalSize": len(family), "done": True, "records": family} for parent, family in families.items()}


def flat_rows(org: Org, compiled: Compiled) -> Iterable[Row]:
    """All rows of a query without pages, for Bulk."""
    return fetch_records(org, compiled, compiled.select(), parameters_of(compiled))


def column_metadata(compiled: Compiled) -> Json:
    """What `columns=true` answers: the columns, and no record."""
    return {
        "columnMetadata": [describe_column(output) for output in compiled.outputs],
        "entityName": compiled.thing.name,
        "groupBy": bool(compiled.query.group_by),
        "idSelected": any(output.name == "Id" for output in compiled.outputs),
        "keyPrefix": compiled.thing.key_prefix,
    }


def describe_column(output: Output) -> Json:
    field = output.field
    kind = field.type if field else "int"
    return {
        "aggregate": bool(output.function),
        "apexType": {"boolean": "Boolean", "datetime": "Datetime", "date": "Date", "id": "Id", "reference": "Id"}.get(
            kind, "Double" if kind in NUMBER_TYPES else "String"
        ),
        "booleanType": kind == "boolean",
        "columnName": output.name,
        "custom": bool(field and field.custom),
        "displayName": output.name,
        "foreignKeyName": None,
        "insertable": bool(field and field.createable),
        "joinColumns": [],
        "numberType": kind in NUMBER_TYPES,
        "textType": kind in TEXT_TYPES,
        "updatable": bool(field and field.updateable),
    }
