"""The merge of one object, compiled from its plan to statements: stage, verdict, lines, apply.

The order of columns never matters: each field has its number, and its columns carry it. What is the same for every mapping
stands in `sql/*.sql`; here is only what depends on the mapped fields.
"""

# ruff: noqa: S608 - whatever people typed goes through `name` and `literal`
from __future__ import annotations

from relance.people.catalogue import SIDE_TABLES, Subject

from .plan import FieldPlan, ObjectPlan
from .rules import FieldCode
from .wording import comparing, is_applied, literal, name, reading, verdict

# Each staged row finds its link by the key. A plain join would let the planner, who knows nothing of a young table, read all links for
# each row or all rows for each link: the first read of a large CRM went quadratic that way.
_LINK_OF_STAGED = (
    "SELECT held.* FROM crm_link AS held WHERE held.connection_id = %(connection)s AND held.crm_id = stage.crm_id "
    "AND held.role = 'leading' AND held.deleted_at IS NULL LIMIT 1"
)
_NOT_TEXT = frozenset({"bigint", "numeric", "boolean", "date", "timestamptz"})


def stage_table(plan: ObjectPlan) -> str:
    """The rows of a page as they came: text, beside what every record tells of itself."""
    columns = "".join(f", c{field.number} text" for field in plan.fields)
    return (
        "CREATE TEMP TABLE crm_stage (crm_id text PRIMARY KEY, modified_at timestamptz, is_deleted boolean NOT NULL, "
        "merged_into text NOT NULL, owner_crm_id text NOT NULL, company_crm_id text NOT NULL, "
        f"is_converted boolean NOT NULL, converted_to text NOT NULL{columns}) ON COMMIT DROP"
    )


def fill_stage(plan: ObjectPlan) -> str:
    """PostgreSQL shreds the page itself; a record that came twice counts once, as it was last."""
    about, extra = plan.about, plan.extra_names
    told = {
        "crm_id": f"told.{name(about.id_field)}",
        "modified_at": f"told.{name(about.stamp_field)}::timestamptz",
        "is_deleted": _flag(about.deleted_field),
        "merged_into": _text(about.merged_into_field),
        "owner_crm_id": _text(extra.get("owner_crm_id", "")),
        "company_crm_id": _text(extra.get("company_crm_id", "")),
        "is_converted": _flag(extra.get("is_converted", "")),
        "converted_to": _text(extra.get("converted_to", "")),
        **{f"c{field.number}": f"told.{name(field.crm.name)}" for field in plan.fields},
    }
    keys = (about.id_field, about.stamp_field, about.deleted_field, about.merged_into_field)
    shred = ", ".join(f"{name(key)} text" for key in dict.fromkeys([*filter(None, keys), *plan.names_to_read]))
    latest = ", ".join(f"{column} = EXCLUDED.{column}" for column in told if column != "crm_id")
    return (
        f"INSERT INTO crm_stage ({', '.join(told)}) SELECT DISTINCT ON (told.{name(about.id_field)}) "
        f"{', '.join(told.values())} FROM jsonb_to_recordset(%(page)s::jsonb) AS told ({shred}) "
        f"ORDER BY told.{name(about.id_field)}, told.{name(about.stamp_field)} DESC "
        f"ON CONFLICT (crm_id) DO UPDATE SET {latest}"
    )


def _text(column: str) -> str:
    return f"coalesce(told.{name(column)}, '')" if column else "''"


def _flag(column: str) -> str:
    return f"coalesce(told.{name(column)}::boolean, false)" if column else "false"


# ── The verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict_of_stage(plan: ObjectPlan) -> str:
    """Decide every field of the records just staged whose link leads.

    A stamp counts whole seconds: a record that changed twice in one comes again with the stamp we know, and is compared again.
    Its stamp is told by our clock, which is the one the changes of ours were noted by.
    A record that takes the lead from another (a contact from its lead) finds what we agreed on with that one: nobody here changed it.
    """
    seconds = int(plan.clock_ahead.total_seconds())
    source = (
        "SELECT stage.*, link.id AS link_id, link.@subject@_id AS subject_id, (link.agreed_at IS NOT NULL OR EXISTS ("
        "SELECT 1 FROM crm_link AS other WHERE other.connection_id = link.connection_id AND other.@subject@_id = link.@subject@_id "
        "AND other.agreed_at IS NOT NULL)) AS has_base, "
        f"coalesce(fresh.is_new, false) AS is_new, stage.modified_at - interval '{seconds} seconds' AS crm_at FROM crm_stage AS stage "
        f"CROSS JOIN LATERAL ({_LINK_OF_STAGED}) AS link LEFT JOIN crm_fresh AS fresh ON fresh.crm_id = stage.crm_id "
        "WHERE NOT stage.is_deleted AND NOT stage.is_converted AND link.@subject@_id IS NOT NULL "
        "AND (link.crm_modified_at IS NULL OR stage.modified_at >= link.crm_modified_at)"
    )
    return _verdict(plan, source, [_staged(field) for field in plan.fields])


def _staged(field: FieldPlan) -> str:
    raw = f"touched.c{field.number}"
    read = reading(field, raw)
    if field.spec.column_type not in _NOT_TEXT:
        return f"{read} AS c{field.number}, false AS u{field.number}, NULL::text AS r{field.number}"
    unreadable = f"(nullif({raw}, '') IS NOT NULL AND {read} IS NULL)"
    return f"{read} AS c{field.number}, {unreadable} AS u{field.number}, {raw} AS r{field.number}"


def verdict_of_dirty(plan: ObjectPlan) -> str:
    """Decide the fields that changed here while the CRM did not move: its side is what both last agreed on."""
    source = (
        "SELECT link.id AS link_id, link.@subject@_id AS subject_id, link.agreed_at IS NOT NULL AS has_base, "
        "false AS is_new, link.crm_modified_at AS crm_at, ''::text AS owner_crm_id, ''::text AS company_crm_id "
        "FROM crm_unsettled AS unsettled JOIN crm_link AS link ON link.id = unsettled.link_id"
    )
    return _verdict(plan, source, [_agreed(field) for field in plan.fields])


def _agreed(field: FieldPlan) -> str:
    was = f"dirty.fields -> {literal(field.key)}"
    base = f"({was} ->> 0)::{field.spec.column_type}"
    held = f"CASE WHEN {was} IS NOT NULL THEN {base} ELSE {_held(field)} END"
    return f"{held} AS c{field.number}, false AS u{field.number}, NULL::text AS r{field.number}"


def _held(field: FieldPlan) -> str:
    return f"{'side' if field.spec.is_custom else 'base'}.{name(field.spec.column)}"


def _verdict(plan: ObjectPlan, source: str, crm_sides: list[str]) -> str:
    held = [f"{_held(field)} AS l{field.number}" for field in plan.fields]
    entries = [f"dirty.fields -> {literal(field.key)} AS e{field.number}" for field in plan.fields]
    wants = [f"{verdict(field)} AS v{field.number}" for field in plan.fields]
    kept = [part for field in plan.fields for part in _kept(field)]
    noted = " OR ".join(
        ["is_new", "has_dirty", "owner_moves", "company_moves", *(f"v{f.number} <> 0" for f in plan.fields)]
    )
    text = f"""
CREATE TEMP TABLE crm_verdict ON COMMIT DROP AS
WITH touched AS MATERIALIZED ({source}
), sides AS (
    SELECT touched.link_id, touched.subject_id, touched.has_base, touched.is_new, touched.crm_at, base.updated_at,
           dirty.fields IS NOT NULL AS has_dirty, {_surroundings(plan)},
           {_listed([*held, *crm_sides, *entries])}
      FROM touched
      LEFT JOIN @subject@ AS base ON base.id = touched.subject_id
      {_joins(plan)}
      CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(noted.field_key, jsonb_build_array(noted.base, noted.changed_at, noted.code)) AS fields
              FROM crm_dirty AS noted
             WHERE noted.connection_id = %(connection)s AND noted.subject = '@subject@'
               AND noted.subject_id = touched.subject_id
            ) AS dirty
), keyed AS (
    SELECT sides.*, {_listed([part for field in plan.fields for part in _keys(field)])} FROM sides
), known AS (
    SELECT keyed.*, {_is_taken(plan)} AS is_taken FROM keyed
), decided AS (
    SELECT known.*, {_listed(wants)} FROM known
)
SELECT link_id, subject_id, is_new, crm_at, owner_id, team_id, owner_moves, owner_was, company_id, company_moves, company_was,
       {_listed(kept)}
  FROM decided
 WHERE {noted}"""
    return text.replace("@subject@", plan.subject.value)


def _listed(parts: list[str]) -> str:
    return ",\n           ".join(parts) if parts else "1 AS nothing"


def _surroundings(plan: ObjectPlan) -> str:
    """The owner is always the CRM's to say, where that user is one of ours; and a person works for the linked company."""
    owner = (
        "owner.user_id AS owner_id, member.team_id, "
        "owner.user_id IS NOT NULL AND owner.user_id IS DISTINCT FROM base.owner_id AS owner_moves, base.owner_id AS owner_was"
    )
    if plan.subject is Subject.COMPANY:
        return f"{owner}, NULL::bigint AS company_id, false AS company_moves, NULL::bigint AS company_was"
    return (
        f"{owner}, employer.company_id, "
        "employer.company_id IS NOT NULL AND employer.company_id IS DISTINCT FROM base.company_id AS company_moves, "
        "base.company_id AS company_was"
    )


def _joins(plan: ObjectPlan) -> str:
    joins = (
        "LEFT JOIN crm_user AS owner ON owner.connection_id = %(connection)s AND owner.crm_id = touched.owner_crm_id "
        "LEFT JOIN workspace_user AS member ON member.id = owner.user_id "
    )
    if plan.subject is Subject.PERSON:
        joins += (
            "LEFT JOIN LATERAL (SELECT held.company_id FROM crm_link AS held WHERE held.connection_id = %(connection)s "
            "AND held.crm_id = touched.company_crm_id LIMIT 1) AS employer ON true "
        )
    if plan.side_fields:
        side = SIDE_TABLES[plan.subject]
        joins += f"LEFT JOIN {side} AS side ON side.{plan.subject.value}_id = touched.subject_id "
    return joins


def _keys(field: FieldPlan) -> list[str]:
    n = field.number
    base = f"(e{n} ->> 0)::{field.spec.column_type}"
    return [
        f"{comparing(field, f'l{n}')} AS kl{n}",
        f"{comparing(field, f'c{n}')} AS kc{n}",
        f"{comparing(field, base)} AS kb{n}",
        f"e{n} IS NOT NULL AS d{n}",
        f"coalesce((e{n} ->> 1)::timestamptz, CASE WHEN NOT has_base AND NOT is_new THEN updated_at END) AS t{n}",
    ]


def _is_taken(plan: ObjectPlan) -> str:
    """Somebody else has the address the CRM gives, or somebody before in this very chunk is about to have it."""
    email = plan.field("email")
    if plan.subject is not Subject.PERSON or email is None:
        return "false"
    n = email.number
    wanted = f"CASE WHEN kc{n} IS DISTINCT FROM kl{n} THEN kc{n} END"
    return (
        f"(kc{n} IS DISTINCT FROM kl{n} AND kc{n} IS NOT NULL AND ("
        f"(NOT is_new AND EXISTS (SELECT FROM person AS other WHERE other.email_key = kc{n} AND other.id <> subject_id)) "
        f"OR row_number() OVER (PARTITION BY {wanted} ORDER BY subject_id) > 1))"
    )


def _kept(field: FieldPlan) -> list[str]:
    n = field.number
    taken = int(FieldCode.EMAIL_TAKEN)
    news = (
        f"v{n} <> 0 AND (NOT d{n} OR (e{n} ->> 2) IS NULL OR kb{n} IS DISTINCT FROM kc{n} "
        f"OR ((e{n} ->> 2)::int = {taken} AND v{n} <> {taken}))"
    )
    return [f"l{n}", f"c{n}", f"r{n}", f"d{n}", f"v{n}::smallint", f"({news}) AS n{n}"]


def _moved(field: str, moves: str, code: FieldCode, was: str, becomes: str) -> str:
    """A line about another row somebody belongs to, told by its name: only when it moves."""
    return (
        f"('{field}', CASE WHEN {moves} THEN {int(code)} ELSE 0 END::smallint, {moves}, false, "
        f"CASE WHEN {moves} THEN ({was}) END, CASE WHEN {moves} THEN ({becomes}) END)"
    )


_RELATIONS = (
    _moved(
        "owner",
        "owner_moves",
        FieldCode.OWNER_FOLLOWS,
        "SELECT member.name FROM workspace_user AS member WHERE member.id = owner_was",
        "SELECT member.name FROM workspace_user AS member WHERE member.id = owner_id",
    ),
    _moved(
        "company",
        "company_moves",
        FieldCode.COMPANY_FOLLOWS,
        "SELECT employer.name FROM company AS employer WHERE employer.id = company_was",
        "SELECT employer.name FROM company AS employer WHERE employer.id = company_id",
    ),
)


# ── Lines and their effect ───────────────────────────────────────────────────────────────────────────────────────────


def lines(plan: ObjectPlan) -> str:
    """One line per field that differs, or that was dirty: what the ledger, the dirty set and the queue are written from."""
    told = ", ".join(
        f"({literal(field.key)}, v{n}, n{n}, d{n}, l{n}::text, coalesce(c{n}::text, r{n}))"
        for field in plan.fields
        for n in (field.number,)
    )
    told = ", ".join(filter(None, [told, *_RELATIONS]))
    return (
        "CREATE TEMP TABLE crm_line ON COMMIT DROP AS SELECT verdict.subject_id, line.* FROM crm_verdict AS verdict "
        f"CROSS JOIN LATERAL (VALUES {told}) AS line (field, code, is_news, was_dirty, local, crm) "
        "WHERE line.code <> 0 OR line.was_dirty"
    )


def make_new(plan: ObjectPlan) -> str:
    """People (or companies) we did not know: made at once with the values that won."""
    values = {
        "id": "subject_id",
        "created_at": "%(now)s",
        "updated_at": "%(now)s",
        "owner_id": "owner_id",
        "team_id": "team_id",
        **{field.spec.column: _won(field) for field in plan.core_fields},
    }
    if plan.subject is Subject.PERSON:
        values |= {"uid": "gen_random_uuid()", "company_id": "company_id"}
    else:
        values["name"] = f"coalesce({values.get('name', 'NULL')}, '#' || subject_id)"
    columns = ", ".join(name(column) for column in values)
    return (
        f"INSERT INTO {plan.subject.value} ({columns}) SELECT {', '.join(values.values())} "
        "FROM crm_verdict AS verdict WHERE is_new ORDER BY subject_id"
    )


def _won(field: FieldPlan) -> str:
    return f"CASE WHEN {is_applied(field)} THEN verdict.c{field.number} END"


def change_known(plan: ObjectPlan) -> str:
    """Those we knew: only rows where something wins are written."""
    sets = ["updated_at = %(now)s", *(_set(field, "base") for field in plan.core_fields)]
    sets.append("owner_id = CASE WHEN owner_moves THEN verdict.owner_id ELSE base.owner_id END")
    sets.append("team_id = CASE WHEN owner_moves THEN coalesce(verdict.team_id, base.team_id) ELSE base.team_id END")
    moved = ["owner_moves", *(is_applied(field) for field in plan.fields)]
    if plan.subject is Subject.PERSON:
        sets.append("company_id = CASE WHEN company_moves THEN verdict.company_id ELSE base.company_id END")
        moved.append("company_moves")
    return (
        f"UPDATE {plan.subject.value} AS base SET {', '.join(sets)} FROM crm_verdict AS verdict "
        f"WHERE base.id = verdict.subject_id AND NOT verdict.is_new AND ({' OR '.join(moved)})"
    )


def change_side(plan: ObjectPlan) -> list[str]:
    """The workspace's own fields, in the side table; a row is made where there is none."""
    if not plan.side_fields:
        return []
    side, key = SIDE_TABLES[plan.subject], f"{plan.subject.value}_id"
    won = " OR ".join(is_applied(field) for field in plan.side_fields)
    return [
        f"INSERT INTO {side} ({key}) SELECT subject_id FROM crm_verdict AS verdict WHERE {won} ORDER BY 1 "
        "ON CONFLICT DO NOTHING",
        f"UPDATE {side} AS side SET {', '.join(_set(field, 'side') for field in plan.side_fields)} "
        f"FROM crm_verdict AS verdict WHERE side.{key} = verdict.subject_id AND ({won})",
    ]


def _set(field: FieldPlan, table: str) -> str:
    column, won = name(field.spec.column), is_applied(field)
    if field.spec.table == Subject.COMPANY.value and field.key == "name":
        won = f"{won} AND verdict.c{field.number} IS NOT NULL"  # a company is never without a name
    return f"{column} = CASE WHEN {won} THEN verdict.c{field.number} ELSE {table}.{column} END"
