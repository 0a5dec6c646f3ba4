"""A SOQL tree as one SQLite statement, and the shape of the records it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from zoneinfo import ZoneInfo

from relance.sandbox.errors import Refused
from relance.sandbox.outcomes import Caller
from relance.sandbox.render import reader_of
from relance.sandbox.schema import OrgField, OrgObject, OrgSchema
from relance.sandbox.soql_filter import Compared, Filter, is_filterable, is_sortable, only_these
from relance.sandbox.soql_names import Found, Names, Place, child_name, find_object, parts_of, readable_fields
from relance.sandbox.soql_parse import refuse_at
from relance.sandbox.soql_tree import AllFields, Call, Children, Comparison, FieldPath, Selected, SoqlQuery, Target
from relance.sandbox.store import quoted

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
DATE_PARTS = {
    "CALENDAR_YEAR": "CAST(strftime('%Y', {}) AS INTEGER)",
    "CALENDAR_QUARTER": "((CAST(strftime('%m', {}) AS INTEGER) + 2) / 3)",
    "CALENDAR_MONTH": "CAST(strftime('%m', {}) AS INTEGER)",
    "DAY_IN_MONTH": "CAST(strftime('%d', {}) AS INTEGER)",
    "DAY_IN_WEEK": "(CAST(strftime('%w', {}) AS INTEGER) + 1)",
    "DAY_IN_YEAR": "CAST(strftime('%j', {}) AS INTEGER)",
    "DAY_ONLY": "substr({}, 1, 10)",
    "HOUR_IN_DAY": "CAST(strftime('%H', {}) AS INTEGER)",
    "WEEK_IN_YEAR": "((CAST(strftime('%j', {}) AS INTEGER) + 6) / 7)",
}
MAXIMUM_FIELDS_LIMIT = 200
Read = Callable[[tuple[object, ...]], object]


@dataclass(slots=True)
class Shape:
    """One level of a record: the object (or the place of several), the column of its id, its values, its parents, its children."""

    place: Place | None
    id_column: int = -1
    values: dict[str, tuple[int, Read | None]] = field(
        default_factory=dict
    )  # the column, and how to read it if not as it is
    parents: dict[str, Shape] = field(default_factory=dict)
    children: dict[str, CompiledChildren] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the flat result, as Bulk and `columns=true` present it."""

    name: str
    field: OrgField | None
    column: int
    function: str = ""


@dataclass(frozen=True, slots=True)
class SelectedFormula:
    """A formula in the selection: its place is left empty by the statement and filled once the rows are there, all at once."""

    column: int
    id_column: int
    thing: OrgObject
    field: OrgField


@dataclass(slots=True)
class CompiledChildren:
    query: Compiled
    link_column: int
    limit: int | None  # for each parent


@dataclass(slots=True)
class Compiled:
    query: SoqlQuery
    thing: OrgObject
    columns: list[str]
    source: str  # FROM and its joins
    where: str
    parameters: list[object]
    group: str
    having: str
    having_parameters: list[object]
    order: str
    shape: Shape
    outputs: list[Output]
    is_aggregate: bool
    uses_formulas: bool
    formulas: list[SelectedFormula] = field(default_factory=list)
    link: str = ""  # of a child query: the column that points to the parent

    def select(self, *, limit: int | None = None, also: str = "", columns: str | None = None) -> str:
        """The statement; `also` narrows it further, with its own parameter after the query's."""
        conditions = " AND ".join(filter(None, (self.where, also)))
        limits = [given for given in (self.query.limit, limit) if given is not None]
        return " ".join(
            part
            for part in (
                f"SELECT {columns or ', '.join(self.columns)} FROM {self.source}",
                f"WHERE {conditions}" if conditions else "",
                f"GROUP BY {self.group}" if self.group else "",
                f"HAVING {self.having}" if self.having else "",
                f"ORDER BY {self.order}" if self.order else "",
                f"LIMIT {min(limits)}" if limits else ("LIMIT -1" if self.query.offset else ""),
                f"OFFSET {self.query.offset}" if self.query.offset else "",
            )
            if part
        )

    def by_ids(self) -> str:
        """The same records again, found by the ids of one page of them."""
        return f"SELECT {', '.join(self.columns)} FROM {self.source} WHERE {only_these(self.identity)}"

    @property
    def identity(self) -> str:
        return 't0."Id"' if self.shape.place is None else self.shape.place.identity


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, of what org, on what day."""

    schema: OrgSchema
    caller: Caller
    today: date
    zone: ZoneInfo
    with_deleted: bool = False


def compile_soql(query: SoqlQuery, asking: Asking) -> Compiled:
    """Check every name against the org and the user's rights, and write the statement."""
    return Compiler(query, asking, (f"t{number}" for number in count())).compile()


def seen_only(caller: Caller, thing: OrgObject, alias: str) -> Iterator[str]:
    """Conditions that leave out what the user does not see."""
    sight = caller.sight
    if sight.hidden:
        yield f'{alias}."Id" NOT IN ({listed_ids(sight.hidden)})'
    if thing.name.lower() in sight.private and "OwnerId" in thing.fields:
        yield f'{alias}."OwnerId" IN ({listed_ids(sight.owners)})'


def listed_ids(ids: frozenset[str]) -> str:
    return ", ".join(f"'{each}'" for each in sorted(ids) if each.isalnum())


class Compiler:
    """One query level; child queries and semi-joins get a compiler of their own and share the supply of aliases."""

    def __init__(self, query: SoqlQuery, asking: Asking, aliases: Iterator[str]) -> None:
        self.query = query
        self.asking = asking
        self.aliases = aliases
        self.names = Names(asking.schema, asking.caller, query.text, aliases)
        self.columns: list[str] = []
        self.outputs: list[Output] = []
        self.formulas: list[SelectedFormula] = []

    def compile(self) -> Compiled:
        root = self.names.enter(self.query.object_name, self.query.object_at, self.query.alias)
        is_aggregate = self._is_aggregate()
        shape = self._aggregate_shape() if is_aggregate else self._record_shape(root)
        filter_ = self._filter()
        conditions = [filter_.condition(self.query.where)] if self.query.where else []
        alias, thing = root.tables[0]
        if not self.asking.with_deleted and "IsDeleted" in thing.fields:
            conditions.append(f'{alias}."IsDeleted" = 0')
        conditions += seen_only(self.asking.caller, thing, alias)
        having_filter = self._filter()
        having = having_filter.condition(self.query.having) if self.query.having else ""
        group = ", ".join(self._grouped(target) for target in self.query.group_by)
        order = ", ".join(self._ordered())
        return Compiled(
            query=self.query,
            thing=thing,
            columns=self.columns or [root.identity],
            source=" ".join([f"{quoted(thing.name)} AS {alias}", *self.names.joins]),
            where=" AND ".join(conditions),
            parameters=filter_.parameters,
            group=group,
            having=having,
            having_parameters=having_filter.parameters,
            order=order,
            shape=shape,
            outputs=self.outputs,
            is_aggregate=is_aggregate,
            uses_formulas=self.names.uses_formulas,
            formulas=self.formulas,
        )

    def _is_aggregate(self) -> bool:
        calls = (
            each.target for each in self.query.selected if isinstance(each, Selected) and isinstance(each.target, Call)
        )
        return bool(self.query.group_by) or any(call.name in AGGREGATES for call in calls)

    def _column(self, sql: str) -> int:
        self.columns.append(sql)
        return len(self.columns) - 1

    def _record_shape(self, root: Place) -> Shape:
        shape = Shape(root, self._column(root.identity))
        for item in self.query.selected:
            match item:
                case AllFields():
                    self._select_all(shape, item)
                case Children():
                    self._select_children(shape, item)
                case Selected(target):
                    self._select_target(shape, target)
        return shape

    def _select_all(self, shape: Shape, item: AllFields) -> None:
        limit = self.query.limit
        if limit is None or limit > MAXIMUM_FIELDS_LIMIT:
            complaint = f"The SOQL FIELDS function must have a LIMIT of at most {MAXIMUM_FIELDS_LIMIT}"
            raise Refused(400, "MALFORMED_QUERY", complaint)
        for each in readable_fields(self.names.thing, self.asking.caller):
            if item.kind == "ALL" or each.custom == (item.kind == "CUSTOM"):
                self._select_target(shape, FieldPath((each.name,), item.at))

    def _select_target(self, shape: Shape, target: Target) -> None:
        path = target if isinstance(target, FieldPath) else target.argument
        if path is None:
            raise refuse_at(self.query.text, target.at, "unexpected token: '('")
        function = "" if isinstance(target, FieldPath) else target.name
        found = self.names.find(path)
        level = self._level(shape, found.place)
        if found.field.name in level.values:
            raise refuse_at(self.query.text, path.at, f"duplicate field selected: {path}", code="INVALID_FIELD")
        column = len(self.columns)
        if found.field.stored or found.field.virtual or function or len(found.place.tables) > 1:
            read = self._reader(found, function)
        else:
            read = reader_of(found.field, self._column("NULL"))
            self.formulas.append(SelectedFormula(column, level.id_column, found.thing, found.field))
        level.values[found.field.name] = (column, read)
        self.outputs.append(Output(".".join(found.output), found.field, column, function))

    def _level(self, shape: Shape, place: Place) -> Shape:
        """The level of the record a path ends in, made on the way."""
        for depth, relation in enumerate(place.relations, start=1):
            parent = shape.parents.get(relation)
            if parent is None:
                through = place if depth == len(place.relations) else self.names.place(place.relations[:depth])
                parent = shape.parents[relation] = Shape(through, self._column(through.identity))
            shape = parent
        return shape

    def _reader(self, found: Found, function: str = "") -> Read | None:
        if not found.sql:
            alias, thing = next(table for table in found.place.tables if table[1] is found.thing)
            parts = parts_of(thing, found.field)
            first = len(self.columns)
            self.columns += [f"{alias}.{quoted(part.name)}" for part in parts]
            return reader_of(found.field, first, parts)
        if function in DATE_PARTS:
            return reader_of(None, self._column(DATE_PARTS[function].format(found.sql)))
        if function == "TOLABEL":
            labels = {value.value.lower(): value.label for value in found.field.picklist}
            column = self._column(found.sql)
            return lambda row: labels.get(str(row[column]).lower(), row[column])
        return reader_of(found.field, self._column(found.sql))

    def _select_children(self, shape: Shape, item: Children) -> None:
        wanted = item.query.object_name.lower()
        parent = self.names.thing
        for thing in self.asking.schema.objects:
            if find_object(self.asking.schema, self.asking.caller, thing.name) is None:
                continue
            for each in thing.fields:
                if child_name(each).lower() == wanted and parent.name in each.reference_to:
                    shape.children[child_name(each)] = self._children(item.query, thing, each)
                    return
        raise refuse_at(
            self.query.text,
            item.query.object_at,
            f"Didn't understand relationship '{item.query.object_name}' in FROM part of query call. If you are attempting to use a "
            "custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
            "describe call for the appropriate names.",
            code="INVALID_TYPE",
        )

    def _children(self, query: SoqlQuery, thing: OrgObject, link: OrgField) -> CompiledChildren:
        compiler = Compiler(replace(query, object_name=thing.name, limit=None, offset=0), self.asking, self.aliases)
        compiled = compiler.compile()
        if compiled.is_aggregate or query.is_count:
            raise refuse_at(query.text, query.object_at, "Aggregate functions are not supported in a nested query")
        compiled.link = f"{compiled.shape.place.tables[0][0]}.{quoted(link.name)}" if compiled.shape.place else ""
        compiled.columns.append(compiled.link)
        self.names.uses_formulas |= compiled.uses_formulas
        return CompiledChildren(compiled, len(compiled.columns) - 1, query.limit)

    def _aggregate_shape(self) -> Shape:
        shape = Shape(None)
        grouped = {self._grouped(target) for target in self.query.group_by}
        unnamed = 0
        for item in self.query.selected:
            if not isinstance(item, Selected):
                raise refuse_at(self.query.text, item.at, "Grouped query cannot select all fields or child records")
            target = item.target
            if isinstance(target, FieldPath):
                found = self.names.find(target)
                if found.sql not in grouped:
                    complaint = f"Field must be grouped or aggregated: {target}"
                    raise refuse_at(self.query.text, target.at, complaint)
                name, column = item.alias or found.field.name, len(self.columns)
                self.outputs.append(Output(name, found.field, column))
                read = self._reader(found)
            else:
                name = item.alias or f"expr{unnamed}"
                unnamed += not item.alias
                sql, typed = self._call(target)
                column = self._column(sql)
                read = reader_of(typed, column)
                self.outputs.append(Output(name, typed, column, target.name))
            if name in shape.values:
                raise refuse_at(self.query.text, target.at, f"duplicate alias: {name}")
            shape.values[name] = (column, read)
        return shape

    def _call(self, call: Call) -> tuple[str, OrgField | None]:
        """A function as SQL, and the field whose type its value has; None for a plain number."""
        if call.argument is None:
            return "count(*)", None
        found = self.names.find(call.argument)
        if not found.sql:
            raise self._refuse_use(found, call.at, "aggregated")
        match call.name:
            case "COUNT":
                return f"count({found.sql})", None
            case "COUNT_DISTINCT":
                return f"count(DISTINCT {found.sql})", None
            case "SUM" | "AVG" | "MIN" | "MAX":
                if call.name in ("SUM", "AVG") and found.field.type not in ("int", "double", "currency", "percent"):
                    complaint = f"field {call.argument} does not support aggregate operator {call.name}"
                    raise refuse_at(self.query.text, call.at, complaint)
                typed = OrgField(found.field.name, "", "double") if call.name == "AVG" else found.field
                return f"{call.name.lower()}({found.sql})", typed
            case name if name in DATE_PARTS:
                return DATE_PARTS[name].format(found.sql), None
        return found.sql, found.field

    def _grouped(self, target: Target) -> str:
        if isinstance(target, Call):
            return self._call(target)[0]
        found = self.names.find(target)
        if not is_filterable(found.field):
            raise self._refuse_use(found, target.at, "grouped")
        return found.sql

    def _ordered(self) -> Iterator[str]:
        for order in self.query.order_by:
            found: Found | None = None
            if isinstance(order.target, FieldPath):
                found = self.names.find(order.target)
                if not is_sortable(found.field):
                    raise self._refuse_use(found, order.target.at, "sorted")
                sql = found.sql
            else:
                sql = self._call(order.target)[0]
            # Without NULLS the CRM puts nothing first in both directions; SQLite does so upwards only. Said of a column that
            # is never empty, it would cost the index.
            never_empty = (
                found is not None
                and not found.place.relations
                and found.field.system
                and found.field.type in ("id", "datetime")
            )
            nulls = order.nulls or ("FIRST" if order.descending and not never_empty else "")
            yield " ".join(filter(None, (sql, "DESC" if order.descending else "", f"NULLS {nulls}" if nulls else "")))

    def _filter(self) -> Filter:
        return Filter(self.query.text, self.asking.today, self.asking.zone, left=self._left, within=self._within)

    def _left(self, comparison: Comparison) -> Compared:
        if isinstance(comparison.target, Call):
            sql, typed = self._call(comparison.target)
            date_only = comparison.target.name == "DAY_ONLY"
            return Compared(sql, comparison.target.name, "date" if date_only else typed.type if typed else "double")
        found = self.names.find(comparison.target)
        if not is_filterable(found.field):
            raise self._refuse_use(found, comparison.at, "filtered")
        # Definitions are known by names, not by ids of records.
        named = found.thing.kind in ("reified", "tooling") and found.field.name.endswith("DefinitionId")
        named = named or (found.thing.kind == "reified" and found.field.name == "Id")
        return Compared(found.sql, str(comparison.target), "string" if named else found.field.type)

    def _within(self, query: SoqlQuery) -> tuple[str, list[object]]:
        """A semi-join: one field of other records, empty ones left out so that NOT IN keeps its plain sense."""
        compiled = Compiler(query, self.asking, self.aliases).compile()
        if query.is_count or len(compiled.outputs) != 1:
            raise refuse_at(query.text, query.object_at, "Nested query must select exactly one field")
        chosen = compiled.outputs[0].field
        if chosen is None or chosen.type not in ("id", "reference"):
            complaint = f"The selected field '{compiled.outputs[0].name}' in the subquery should point to an object"
            raise refuse_at(query.text, query.object_at, complaint)
        column = compiled.columns[-1]
        self.names.uses_formulas |= compiled.uses_formulas
        return compiled.select(columns=column, also=f"{column} IS NOT NULL"), [
            *compiled.parameters,
            *compiled.having_parameters,
        ]

    def _refuse_use(self, found: Found, at: int, use: str) -> Refused:
        complaint = f"field '{found.field.name}' can not be {use} in a query call"
        return refuse_at(self.query.text, at, complaint, code="INVALID_FIELD")
