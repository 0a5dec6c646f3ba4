"""The filters of roll-ups, queues and rules in the metadata: a field, an operation, a value: as SQL and as Python."""

from __future__ import annotations

import re
from collections.abc import Sequence

from relance.sandbox.schema import OrgField, OrgObject
from relance.sandbox.store import quoted
from relance.sandbox.values import Refused, StoreValue, number_text, store_value

Criterion = tuple[str, str, str]  # field, operation, value


def meets(field: OrgField | None, operation: str, wanted: str, held: StoreValue) -> bool:
    """Does the held value pass? Several values separated by commas mean any of them; text compares without case."""
    if field is None:
        return False
    choices = [choice.strip() for choice in wanted.split(",")] if wanted else [""]
    if field.type == "multipicklist" and operation in ("includes", "excludes"):
        among = {part.lower() for part in str(held or "").split(";")}
        found = any(choice.lower() in among for choice in wanted.replace(";", ",").split(","))
        return found if operation == "includes" else not found
    if operation in ("greaterThan", "lessThan", "greaterOrEqual", "lessOrEqual"):
        return any(_compares(field, operation, choice, held) for choice in choices)
    text = _as_text(field, held)
    wanted_texts = [_wanted_text(field, choice) for choice in choices]
    match operation:
        case "equals":
            return text in wanted_texts
        case "notEqual":
            return text not in wanted_texts
        case "contains":
            return any(choice in text for choice in wanted_texts)
        case "notContain":
            return not any(choice in text for choice in wanted_texts)
        case "startsWith":
            return any(text.startswith(choice) for choice in wanted_texts)
    return False


def summary_condition(thing: OrgObject, filters: Sequence[Criterion]) -> tuple[str, list[StoreValue]]:
    """The same filters as an SQL condition over the child's table; an unknown field or operation lets nothing through."""
    parts: list[str] = []
    arguments: list[StoreValue] = []
    for name, operation, wanted in filters:
        field = thing.fields.get(name)
        sign = SIGNS.get(operation)
        if field is None or sign is None or not field.stored:
            return "0", []
        try:
            value = store_value(field, wanted, as_text=True)
        except Refused:
            return "0", []
        # IS and IS NOT compare NULL like any other value, as the metadata filters do.
        parts.append(f"{quoted(field.name)} {sign} ?")
        arguments.append(value)
    return " AND ".join(parts) or "1", arguments


def logic_holds(logic: str, verdicts: list[bool]) -> bool:
    """Reads "1 AND (2 OR 3)" over the verdicts of numbered criteria: AND binds tighter than OR. No logic means all."""
    words = re.findall(r"\d+|\(|\)|AND|OR|NOT", logic.upper())
    place = 0

    def either() -> bool:
        nonlocal place
        value = both()
        while place < len(words) and words[place] == "OR":
            place += 1
            value = both() or value
        return value

    def both() -> bool:
        nonlocal place
        value = one()
        while place < len(words) and words[place] == "AND":
            place += 1
            value = one() and value
        return value

    def one() -> bool:
        nonlocal place
        word = words[place] if place < len(words) else ""
        place += 1
        if word == "NOT":
            return not one()
        if word == "(":
            value = either()
            place += 1
            return value
        return word.isdigit() and int(word) <= len(verdicts) and verdicts[int(word) - 1]

    return either() if words else all(verdicts)


SIGNS = {
    "equals": "IS",
    "notEqual": "IS NOT",
    "greaterThan": ">",
    "lessThan": "<",
    "greaterOrEqual": ">=",
    "lessOrEqual": "<=",
}


def _compares(field: OrgField, operation: str, choice: str, held: StoreValue) -> bool:
    if held is None:
        return False
    try:
        wanted = store_value(field, choice, as_text=True)
    except Refused:
        return False
    if wanted is None:
        return False
    left: float | str
    right: float | str
    if isinstance(held, str) or isinstance(wanted, str):
        left, right = str(held).lower(), str(wanted).lower()
        before, same = left < right, left == right
    else:
        before, same = held < wanted, held == wanted
    match operation:
        case "lessThan":
            return before
        case "lessOrEqual":
            return before or same
        case "greaterThan":
            return not before and not same
    return not before


def _as_text(field: OrgField, held: StoreValue) -> str:
    if field.type == "boolean":
        return "true" if held else "false"
    if held is None:
        return ""
    return number_text(held) if isinstance(held, int | float) else held.lower()


def _wanted_text(field: OrgField, choice: str) -> str:
    if field.type == "boolean":
        return "true" if choice.lower() in ("true", "1") else "false"
    if field.type in ("double", "currency", "percent", "int"):
        try:
            return _as_text(field, store_value(field, choice, as_text=True))
        except Refused:
            return choice.lower()
    return choice.lower()
