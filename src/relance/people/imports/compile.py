"""The SQL of an import, written from its mapping: what each cell is read as, what each row becomes, what is written.

One plan serves preview and run. The readings follow `rules.read_value` and are made of its patterns; a property test holds
the two equal. No text of a file or a label ever becomes SQL: cells are columns of the stage, fields come from the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Identifier, Literal

from relance.decisions.reasons import reason_texts

from ..catalogue import FieldKind, FieldSpec
from ..rules import (
    BLANKS,
    DECIMAL_COMMA,
    DECIMAL_POINT,
    EARLIEST_YEAR,
    GROUPING,
    HOUR,
    INTEGER,
    ISO_DAY,
    MOMENT,
    NO,
    PATTERNS,
    UNREADABLE,
    WRITTEN_DAY,
    YES,
    ZONE,
    Reading,
    longest,
)


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of the file and the field it fills."""

    place: int
    field: FieldSpec

    @property
    def cell(self) -> Identifier:
        return Identifier(f"cell_{self.place}")

    @property
    def value(self) -> Identifier:
        return Identifier(f"value_{self.place}")

    @property
    def now(self) -> Identifier:
        return Identifier(f"now_{self.place}")

    @property
    def then(self) -> Identifier:
        return Identifier(f"then_{self.place}")


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be done, as the import says it. `sees` is the SQL condition of the people its author may see."""

    creates: bool
    updates: bool
    clears: bool
    fills_only: bool
    without_email: bool
    sees: Composable


def number_of(code: str) -> Literal:
    return Literal(reason_texts()[code].number)


def read_cell(field: FieldSpec, cell: Composable, reading: Reading) -> Composable:
    """The value a trimmed, non-blank cell stands for; NULL when it is none."""
    kind = field.kind
    match kind:
        case FieldKind.INTEGER:
            figures = _figures(cell)
            return SQL("CASE WHEN {0} ~ {1} THEN ({0})::bigint END").format(figures, Literal(INTEGER))
        case FieldKind.NUMBER:
            return _number(cell, reading)
        case FieldKind.BOOLEAN:
            return SQL("CASE WHEN lower({0}) = ANY({1}) THEN true WHEN lower({0}) = ANY({2}) THEN false END").format(
                cell, Literal(list(YES)), Literal(list(NO))
            )
        case FieldKind.DATE:
            return _day(cell, reading)
        case FieldKind.DATETIME:
            return _moment(cell, reading)
        case FieldKind.CHOICE:
            return _choice(field, cell)
        case FieldKind.CHOICES:
            return _choices(field, cell)
        case _ if kind in PATTERNS:
            return SQL("CASE WHEN length({0}) <= {1} AND {0} ~ {2} THEN {0} END").format(
                cell, Literal(longest(kind)), Literal(PATTERNS[kind])
            )
        case _:
            return SQL("CASE WHEN length({0}) <= {1} THEN {0} END").format(cell, Literal(longest(kind)))


def plan_rows(
    columns: Sequence[MappedColumn], policy: Policy, reading: Reading, *, stage: Identifier, twice: Identifier
) -> Composable:
    """Rows %(low)s to %(high)s with what they become: outcome (created, updated, unchanged, refused), reason, values now and then.

    `OFFSET 0` keeps each step apart: merged into one, every reading of a cell would be made again wherever its value is used.
    """
    email = next((column for column in columns if column.field.key == "email"), None)
    changeable = [column for column in columns if column.field.key != "email"]
    return SQL(
        """
WITH cell AS (
    SELECT row, {cells} FROM {stage} WHERE row BETWEEN %(low)s AND %(high)s OFFSET 0
), read AS (
    SELECT cell.*, {values} FROM cell OFFSET 0
), met AS (
    SELECT read.*, {is_bad} AS is_bad, person.id AS person_id, twin.first AS twin_of,
           person.id IS NULL OR coalesce({sees}, false) AS is_seen, {currents}
      FROM read
      LEFT JOIN {twice} AS twin ON twin.row = read.row
      LEFT JOIN person ON person.email_key = lower({key})
      {side}
    OFFSET 0
), weighed AS (
    SELECT met.*, {reason} AS reason, {thens} FROM met OFFSET 0
)
SELECT weighed.*,
       CASE WHEN is_bad OR reason IS NOT NULL THEN 'refused'
            WHEN person_id IS NULL THEN 'created'
            WHEN {differs} THEN 'updated'
            ELSE 'unchanged' END AS outcome,
       CASE WHEN person_id IS NULL AND NOT is_bad AND reason IS NULL AND %(draws)s
            THEN nextval('person_id_seq') ELSE person_id END AS target
  FROM weighed
"""
    ).format(
        cells=_comma(
            SQL("nullif(btrim({}, {}), '') AS {}").format(Identifier(f"c{c.place}"), Literal(BLANKS), c.cell)
            for c in columns
        ),
        stage=stage,
        values=_comma(SQL("{} AS {}").format(read_cell(c.field, c.cell, reading), c.value) for c in columns),
        is_bad=SQL(" OR ").join(SQL("({} IS NOT NULL AND {} IS NULL)").format(c.cell, c.value) for c in columns),
        sees=policy.sees,
        currents=_comma(SQL("{} AS {}").format(_current(c.field), c.now) for c in columns),
        twice=twice,
        key=email.value if email else SQL("NULL::text"),
        side=SQL("LEFT JOIN person_x AS side ON side.person_id = person.id")
        if any(c.field.is_custom for c in columns)
        else SQL(""),
        reason=_row_reason(columns, email, policy),
        thens=_comma(SQL("{} AS {}").format(_then(c, policy), c.then) for c in columns),
        differs=_differs(changeable),
    )


def insert_people(columns: Sequence[MappedColumn]) -> Composable:
    """People the plan creates. A person who appeared meanwhile is left out, and the caller sees it by the count."""
    core = [column for column in columns if not column.field.is_custom]
    return SQL(
        "INSERT INTO person (id, uid, {fields}, owner_id, team_id, created_at, updated_at) "
        "SELECT target, gen_random_uuid(), {values}, %(owner)s, %(team)s, %(at)s, %(at)s FROM import_plan "
        "WHERE outcome = 'created' ORDER BY row ON CONFLICT DO NOTHING"
    ).format(
        fields=_comma(Identifier(column.field.column) for column in core),
        values=_comma(column.then for column in core),
    )


def update_people(columns: Sequence[MappedColumn]) -> Composable:
    """Core values of people who change, and the moment, which moves when a custom value does as well."""
    core = [column for column in columns if not column.field.is_custom and column.field.key != "email"]
    return SQL(
        "UPDATE person SET {fields} FROM import_plan AS plan WHERE plan.outcome = 'updated' AND person.id = plan.person_id"
    ).format(
        fields=_comma(
            [
                *(SQL("{} = plan.{}").format(Identifier(column.field.column), column.then) for column in core),
                SQL("updated_at = %(at)s"),
            ]
        )
    )


def upsert_side(columns: Sequence[MappedColumn]) -> Composable | None:
    """Custom values of people created or changed; None when no column is mapped to one."""
    custom = [column for column in columns if column.field.is_custom]
    if not custom:
        return None
    return SQL(
        "INSERT INTO person_x AS side (person_id, {fields}) SELECT target, {values} FROM import_plan "
        "WHERE outcome IN ('created', 'updated') AND ({filled} OR outcome = 'updated') "
        "ON CONFLICT (person_id) DO UPDATE SET {sets} WHERE ({olds}) IS DISTINCT FROM ({news})"
    ).format(
        fields=_comma(Identifier(column.field.column) for column in custom),
        values=_comma(column.then for column in custom),
        filled=SQL(" OR ").join(SQL("{} IS NOT NULL").format(column.then) for column in custom),
        sets=_comma(SQL("{0} = EXCLUDED.{0}").format(Identifier(column.field.column)) for column in custom),
        olds=_comma(SQL("side.{}").format(Identifier(column.field.column)) for column in custom),
        news=_comma(SQL("EXCLUDED.{}").format(Identifier(column.field.column)) for column in custom),
    )


def keep_changes(columns: Sequence[MappedColumn]) -> Composable:
    """Before and after of each changed field, for the log and the undo; people created need neither."""
    return SQL(
        "INSERT INTO people_importchange (of_id, person_id, row, before, after, undone) "
        "SELECT %(id)s, target, row, {before}, {after}, '' FROM import_plan WHERE outcome IN ('created', 'updated') ORDER BY row"
    ).format(before=changed_values(columns, "now"), after=changed_values(columns, "then"))


def append_to_log(columns: Sequence[MappedColumn], *, has_consumers: bool) -> Composable:
    """One activity a person, with the changes of those who existed; due rows where another room asked for the kind."""
    return SQL(
        """
WITH told AS (
    INSERT INTO activity (at, kind, person_id, actor, payload)
    SELECT %(at)s, 'import.' || outcome, target, %(actor)s,
           jsonb_build_object('import', %(id)s::bigint, 'file', %(file)s::text, 'row', row)
           || CASE WHEN outcome = 'updated' THEN jsonb_build_object('changes', {changes}) ELSE '{{}}' END
      FROM import_plan WHERE outcome IN ('created', 'updated') ORDER BY row
    {returning}
)
{due}"""
    ).format(
        changes=_change_list(columns),
        returning=SQL("RETURNING id, kind") if has_consumers else SQL(""),
        due=SQL(
            "INSERT INTO activity_due (consumer, activity_id) SELECT consumer, told.id FROM told, "
            "jsonb_array_elements_text(%(consumers)s::jsonb -> told.kind) AS consumer"
        )
        if has_consumers
        else SQL("SELECT 1"),
    )


def keep_problems(columns: Sequence[MappedColumn]) -> Composable:
    """A line for each cell that cannot be kept, and one for what the row as a whole lacks."""
    cells = SQL(" UNION ALL ").join(
        SQL(
            "SELECT row, {place}, left({cell}, 200), CASE WHEN length({cell}) > {limit} THEN {long} ELSE {code} END, "
            "jsonb_build_object('value', left({cell}, 200), 'length', length({cell}), 'limit', {limit}{choices}) "
            "FROM import_plan WHERE is_bad AND {cell} IS NOT NULL AND {value} IS NULL"
        ).format(
            place=Literal(column.place),
            cell=column.cell,
            value=column.value,
            limit=Literal(longest(column.field.kind)),
            long=number_of("people.value_too_long"),
            code=number_of(UNREADABLE[column.field.kind]),
            choices=SQL(", 'choices', {}::jsonb").format(Literal(_json(column.field.choices)))
            if column.field.choices
            else SQL(""),
        )
        for column in columns
    )
    email = next((column for column in columns if column.field.key == "email"), None)
    return SQL(
        'INSERT INTO people_importproblem (of_id, row, "column", value, code, seen) '
        "SELECT %(id)s, row, place, value, code, seen FROM ({cells} UNION ALL "
        "SELECT row, {place}::integer, coalesce(left({address}, 200), ''), reason, jsonb_build_object('first', twin_of) "
        "FROM import_plan WHERE reason IS NOT NULL) AS bad (row, place, value, code, seen) ORDER BY row"
    ).format(
        cells=cells, place=Literal(email.place if email else None), address=email.cell if email else SQL("NULL::text")
    )


def changed_values(columns: Sequence[MappedColumn], side: str) -> Composable:
    """The values of the fields that differ, as one object by key; NULL for a person who did not exist."""
    pairs = SQL(" || ").join(
        SQL(
            "CASE WHEN {now} IS DISTINCT FROM {then} THEN jsonb_build_object({key}, to_jsonb({value})) ELSE '{{}}' END"
        ).format(now=column.now, then=column.then, key=Literal(column.field.key), value=getattr(column, side))
        for column in columns
        if column.field.key != "email"
    )
    return SQL("CASE WHEN outcome = 'updated' THEN {} END").format(
        pairs if pairs.as_string(None) else SQL("'{}'::jsonb")
    )


def _change_list(columns: Sequence[MappedColumn]) -> Composable:
    parts = [
        SQL(
            "CASE WHEN {now} IS DISTINCT FROM {then} THEN jsonb_build_array(jsonb_build_object("
            "'field', {key}, 'before', to_jsonb({now}), 'after', to_jsonb({then}))) ELSE '[]' END"
        ).format(now=column.now, then=column.then, key=Literal(column.field.key))
        for column in columns
        if column.field.key != "email"
    ]
    return SQL(" || ").join(parts) if parts else SQL("'[]'::jsonb")


def _row_reason(columns: Sequence[MappedColumn], email: MappedColumn | None, policy: Policy) -> Composable:
    """Why a row whose cells are all good is refused all the same; NULL when it is not."""
    names = [c.value for c in columns if c.field.key in ("first_name", "last_name", "company_name")]
    is_nobody = SQL(" AND ").join(SQL("{} IS NULL").format(name) for name in names) if names else SQL("true")
    no_address = SQL("{} IS NULL").format(email.value if email else SQL("NULL::text"))
    rules: list[tuple[Composable, str]] = [
        (SQL("twin_of IS NOT NULL"), "people.import_twice"),
        (SQL("NOT is_seen"), "people.import_not_yours"),
    ]
    if policy.without_email:
        rules.append((SQL("{} AND ({})").format(no_address, is_nobody), "people.import_nobody"))
    else:
        rules.append((no_address, "people.import_no_email"))
    if not policy.creates:
        rules.append((SQL("person_id IS NULL"), "people.import_only_updates"))
    if not policy.updates:
        rules.append((SQL("person_id IS NOT NULL"), "people.import_only_creates"))
    cases = SQL(" ").join(SQL("WHEN {} THEN {}").format(when, number_of(code)) for when, code in rules)
    return SQL("(CASE WHEN is_bad THEN NULL {} END)::smallint").format(cases)


def _then(column: MappedColumn, policy: Policy) -> Composable:
    """What the field becomes, by the policies for blank cells and for values already there."""
    if column.field.key == "email":  # it is what found the person
        return SQL("coalesce({}, {})").format(column.now, column.value)
    if policy.fills_only:
        return SQL("coalesce({}, {})").format(column.now, column.value)
    if policy.clears:
        return column.value
    return SQL("coalesce({}, {})").format(column.value, column.now)


def _differs(columns: Sequence[MappedColumn]) -> Composable:
    if not columns:
        return SQL("false")
    return SQL(" OR ").join(SQL("{} IS DISTINCT FROM {}").format(column.now, column.then) for column in columns)


def _current(field: FieldSpec) -> Composable:
    return SQL("{}.{}").format(SQL("side" if field.is_custom else "person"), Identifier(field.column))


def _figures(cell: Composable) -> Composable:
    return SQL("translate({}, {}, '')").format(cell, Literal(GROUPING))


def _number(cell: Composable, reading: Reading) -> Composable:
    pattern, mark = (DECIMAL_COMMA, ".") if reading.has_decimal_comma else (DECIMAL_POINT, "")
    return SQL("CASE WHEN {0} ~ {1} AND length({3}) <= {4} THEN replace({0}, ',', {2})::numeric END").format(
        _figures(cell), Literal(pattern), Literal(mark), cell, Literal(longest(FieldKind.NUMBER))
    )


def _day(text: Composable, reading: Reading) -> Composable:
    """A date that exists, from either way of writing it."""
    day, month = (1, 2) if reading.is_day_first else (2, 1)
    return SQL(
        "(SELECT CASE WHEN y >= {earliest} AND m BETWEEN 1 AND 12 THEN "
        "CASE WHEN d BETWEEN 1 AND extract(day FROM make_date(y, m, 1) + interval '1 month' - interval '1 day') "
        "THEN make_date(y, m, d) END END FROM ("
        "SELECT p[1]::int, p[2]::int, p[3]::int FROM regexp_match({text}, {iso}) AS p WHERE p IS NOT NULL UNION ALL "
        "SELECT p[3]::int, p[{month}]::int, p[{day}]::int FROM regexp_match({text}, {written}) AS p WHERE p IS NOT NULL"
        ") AS part (y, m, d))"
    ).format(
        earliest=Literal(EARLIEST_YEAR),
        text=text,
        iso=Literal(ISO_DAY),
        written=Literal(WRITTEN_DAY),
        day=Literal(day),
        month=Literal(month),
    )


def _moment(text: Composable, reading: Reading) -> Composable:
    return SQL(
        "(SELECT CASE WHEN day IS NULL OR hour !~ {hours} OR zone !~ {zones} THEN NULL "
        "WHEN zone IS NULL THEN (day::text || ' ' || replace(hour, 'h', ':'))::timestamp AT TIME ZONE {here} "
        "ELSE (day::text || ' ' || replace(hour, 'h', ':') || zone)::timestamptz END "
        "FROM (SELECT {day} AS day, coalesce(p[3], '00:00') AS hour, p[5] AS zone "
        "FROM regexp_match({text}, {moment}) AS p WHERE p IS NOT NULL) AS part)"
    ).format(
        hours=Literal(HOUR),
        zones=Literal(ZONE),
        here=Literal(reading.zone),
        day=_day(SQL("p[1]"), reading),
        text=text,
        moment=Literal(MOMENT),
    )


def _choice(field: FieldSpec, cell: Composable) -> Composable:
    if not field.choices:
        return SQL("CASE WHEN length({0}) <= {1} THEN {0} END").format(cell, Literal(longest(field.kind)))
    return SQL("({}::jsonb ->> lower({}))").format(Literal(_spelling(field)), cell)


def _choices(field: FieldSpec, cell: Composable) -> Composable:
    one = SQL("({}::jsonb ->> lower(part))").format(Literal(_spelling(field))) if field.choices else SQL("part")
    return SQL(
        "CASE WHEN length({cell}) <= {limit} THEN (SELECT CASE WHEN bool_and(choice IS NOT NULL) THEN array_agg(choice ORDER BY place) END "
        "FROM (SELECT {one} AS choice, min(place) AS place FROM (SELECT btrim(part, {blanks}) AS part, place "
        "FROM unnest(string_to_array({cell}, CASE WHEN strpos({cell}, ';') > 0 THEN ';' ELSE ',' END)) "
        "WITH ORDINALITY AS cut (part, place)) AS trimmed WHERE part <> '' GROUP BY 1) AS said) END"
    ).format(cell=cell, one=one, blanks=Literal(BLANKS), limit=Literal(longest(field.kind)))


def _spelling(field: FieldSpec) -> str:
    return _json({choice.lower(): choice for choice in reversed(field.choices)})


def _json(value: object) -> str:
    """JSON inside a statement that also has placeholders: its own percent signs are doubled."""
    return json.dumps(value).replace("%", "%%")


def _comma(parts: Iterable[Composable]) -> Composable:
    return SQL(", ").join(parts)
