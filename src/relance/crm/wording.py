"""Expressions of SQL written from a plan: how a value of the CRM is read, how two values are compared, which reason they give.

Everything a person typed goes through `literal` or `name`; the statements are run with values bound, so `%` is doubled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from relance.people.catalogue import FieldKind

from .plan import FieldPlan
from .rules import APPLIED, CRM_BLANK, LOCAL_BLANK, SENT, FieldCode, RightSide, Transform, heed_direction

_MULTI = "(SELECT array_agg(part ORDER BY part) FROM unnest({0}) AS part)"


def name(identifier: str) -> str:
    """A quoted identifier."""
    return '"' + identifier.replace('"', '""').replace("%", "%%") + '"'


def literal(text: str) -> str:
    """A quoted text."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def codes(some: Iterable[FieldCode]) -> str:
    """A list for IN (…)."""
    return "(" + ", ".join(str(int(code)) for code in sorted(some)) + ")"


def reading(field: FieldPlan, raw: str) -> str:
    """The CRM's text as a value of our column; NULL when it is blank, and also when it cannot be read."""
    text = f"nullif({raw}, '')"
    match field.spec.kind:
        case FieldKind.INTEGER:
            return _when(text, r"^-?\d{1,17}(\.\d+)?([eE]\+?\d{1,2})?$", f"trunc(({text})::numeric)::bigint")
        case FieldKind.NUMBER:
            return _when(text, r"^-?\d{1,60}(\.\d+)?([eE][-+]?\d{1,2})?$", f"({text})::numeric")
        case FieldKind.BOOLEAN:
            return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case FieldKind.DATE:
            return _when(text, r"^\d{4}-\d\d-\d\d", f"left({text}, 10)::date")
        case FieldKind.DATETIME:
            return _when(text, r"^\d{4}-\d\d-\d\dT", f"({text})::timestamptz")
        case FieldKind.CHOICES:
            return f"string_to_array({text}, ';')"
        case _:
            return _transformed(field, text)


def _when(text: str, pattern: str, then: str) -> str:
    return f"CASE WHEN {text} ~ {literal(pattern)} THEN {then} END"


def _transformed(field: FieldPlan, text: str) -> str:
    match field.transform:
        case Transform.TRIM:
            return f"nullif(btrim({text}), '')"
        case Transform.LOWER:
            return f"nullif(lower(btrim({text})), '')"
        case Transform.UPPER:
            return f"nullif(upper(btrim({text})), '')"
        case Transform.VALUE_MAP if field.value_map:
            return f"coalesce({literal(json.dumps(field.value_map))}::jsonb ->> ({text}), {text})"
        case _:
            return text


def comparing(field: FieldPlan, value: str) -> str:
    """What is compared in place of the value: the CRM folds case, trims and rounds, and that is no change of anybody's."""
    match field.spec.kind:
        case FieldKind.EMAIL:
            return f"nullif(lower(btrim({value})), '')"
        case FieldKind.LONG_TEXT:
            return f"nullif(btrim(replace({value}, E'\\r\\n', E'\\n')), '')"
        case FieldKind.NUMBER:
            return f"round({value}, {field.crm.scale})" if field.crm.scale else value
        case FieldKind.DATETIME:
            return f"date_trunc('second', {value})"
        case FieldKind.CHOICES:
            return _MULTI.format(value)
        case FieldKind.INTEGER | FieldKind.BOOLEAN | FieldKind.DATE:
            return value
        case _:
            folded = {Transform.LOWER: f"lower({value})", Transform.UPPER: f"upper({value})"}
            return f"nullif(btrim({folded.get(field.transform, value)}), '')"


def verdict(field: FieldPlan) -> str:
    """The rule of `decide_field` for this field's policy, over the columns kl, kc, kb (compared values) and what is known of them."""
    n = field.number
    whens = [f"WHEN u{n} THEN {int(FieldCode.UNREADABLE)}", f"WHEN kl{n} IS NOT DISTINCT FROM kc{n} THEN 0"]
    said = _sides(field)
    if field.spec.kind is FieldKind.EMAIL and field.key == "email":
        taken = f"is_taken AND kc{n} IS NOT NULL AND ({said}) IN {codes(APPLIED)}"
        whens.append(f"WHEN {taken} THEN {int(FieldCode.EMAIL_TAKEN)}")
    return f"CASE {' '.join(whens)} ELSE {said} END"


def _sides(field: FieldPlan) -> str:
    match field.policy.owner:
        case RightSide.CRM:
            said = _either(field, _local_changed(field), FieldCode.REVERTED_TO_CRM, FieldCode.CRM_IS_RIGHT)
            return _crm_wins(field, said)
        case RightSide.RELANCE:
            said = _either(field, _crm_changed(field), FieldCode.PUT_BACK_IN_CRM, FieldCode.RELANCE_IS_RIGHT)
            return _relance_wins(field, said)
        case RightSide.LATEST:
            return (
                f"CASE WHEN NOT {_local_changed(field)} THEN {_crm_wins(field, _only(field, FieldCode.ONLY_CRM_CHANGED))}"
                f" WHEN NOT {_crm_changed(field)} THEN {_relance_wins(field, _only(field, FieldCode.ONLY_RELANCE_CHANGED))}"
                f" WHEN {_newer_in_crm(field)} THEN {_crm_wins(field, _only(field, FieldCode.NEWER_IN_CRM))}"
                f" ELSE {_relance_wins(field, _only(field, FieldCode.NEWER_IN_RELANCE))} END"
            )


def _crm_wins(field: FieldPlan, said: str) -> str:
    return f"CASE WHEN kc{field.number} IS NULL THEN {_only(field, CRM_BLANK[field.policy.blank])} ELSE {said} END"


def _relance_wins(field: FieldPlan, said: str) -> str:
    return f"CASE WHEN kl{field.number} IS NULL THEN {_only(field, LOCAL_BLANK[field.policy.blank])} ELSE {said} END"


def _either(field: FieldPlan, condition: str, yes: FieldCode, no: FieldCode) -> str:
    return f"CASE WHEN {condition} THEN {_only(field, yes)} ELSE {_only(field, no)} END"


def _only(field: FieldPlan, code: FieldCode) -> str:
    return str(int(heed_direction(code, field.policy.direction)))


def _local_changed(field: FieldPlan) -> str:
    n = field.number
    return f"(CASE WHEN has_base THEN d{n} AND kb{n} IS DISTINCT FROM kl{n} ELSE kl{n} IS NOT NULL END)"


def _crm_changed(field: FieldPlan) -> str:
    """Without a dirty row the base is our own value, from which the CRM's is known to differ by now."""
    n = field.number
    return f"(CASE WHEN has_base THEN NOT d{n} OR kb{n} IS DISTINCT FROM kc{n} ELSE kc{n} IS NOT NULL END)"


def _newer_in_crm(field: FieldPlan) -> str:
    n = field.number
    return f"(CASE WHEN t{n} IS NULL OR crm_at IS NULL THEN t{n} IS NULL ELSE crm_at >= t{n} END)"


def is_applied(field: FieldPlan, alias: str = "verdict") -> str:
    """Does the CRM's value take the place of ours?"""
    return f"{alias}.v{field.number} IN {codes(APPLIED)}"


SENT_CODES = codes(SENT)
APPLIED_CODES = codes(APPLIED)
