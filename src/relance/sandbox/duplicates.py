"""Duplicate rules: does another record match, and does the rule stop the save or only warn?"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from relance.sandbox.draft import Draft
from relance.sandbox.filters import logic_holds
from relance.sandbox.outcomes import DuplicateMatch, DuplicateResult, RecordError
from relance.sandbox.schema import DuplicateRule, MatchingRule, MatchingRuleItem, OrgObject
from relance.sandbox.store import quoted
from relance.sandbox.values import StoreValue

if TYPE_CHECKING:
    from relance.sandbox.records import Records

Row = dict[str, StoreValue]
MOST_MATCHES = 100


def duplicate_errors(records: Records, draft: Draft) -> list[RecordError]:
    """The first rule that stops the save. A rule that only warns stops it too, until the caller says to save all the same."""
    for rule in records.plan(draft.thing).duplicate_rules:
        action = rule.on_insert if draft.is_new else rule.on_update
        operations = rule.operations_on_insert if draft.is_new else rule.operations_on_update
        warns = action == "Allow" and "Alert" in operations
        if action != "Block" and not (warns and not draft.options.allow_save):
            continue
        matches = _matches(records, draft, rule)
        if matches:
            message = rule.alert or "Use one of these records?"
            result = DuplicateResult(rule.name, rule.object, action == "Allow", message, tuple(matches))
            return [RecordError("DUPLICATES_DETECTED", message, (), result)]
    return []


def _matches(records: Records, draft: Draft, rule: DuplicateRule) -> list[DuplicateMatch]:
    matches: list[DuplicateMatch] = []
    for object_name, rule_name in rule.matches:
        thing = records.schema.objects.get(object_name)
        matching = _matching_rule(records, object_name, rule_name)
        if thing is None or matching is None or not matching.active:
            continue
        fields = _mapped_fields(draft, rule, matching)
        if fields is None or not any(draft.has_changed(own) for own, _item in fields):
            continue
        found = _search(records, draft, thing, matching, fields)
        matches += [DuplicateMatch(thing.name, record_id, matching.name) for record_id in found]
    return matches


def _matching_rule(records: Records, object_name: str, rule_name: str) -> MatchingRule | None:
    for each in records.schema.matching_rules:
        if each.name.lower() == rule_name.lower() and each.object.lower() == object_name.lower():
            return each
    return None


def _mapped_fields(
    draft: Draft, rule: DuplicateRule, matching: MatchingRule
) -> list[tuple[str, MatchingRuleItem]] | None:
    """For each item the field of the record being saved; None when one has none (another object, nothing mapped)."""
    pairs = {output.lower(): own for own, output in rule.mappings.get(matching.object, ())}
    fields: list[tuple[str, MatchingRuleItem]] = []
    for item in matching.items:
        own = draft.thing.fields.get(pairs.get(item.field.lower(), item.field))
        if own is None:
            return None
        fields.append((own.name, item))
    return fields


def _search(
    records: Records, draft: Draft, thing: OrgObject, matching: MatchingRule, fields: list[tuple[str, MatchingRuleItem]]
) -> list[str]:
    own = [(draft.values.get(name) or _composed(draft.values, name), item) for name, item in fields]
    logic = matching.filter or " AND ".join(str(place) for place in range(1, len(own) + 1))
    found: list[str] = []
    for row in _candidates(records, draft, thing, own, logic):
        verdicts = [_item_matches(value, item, row) for value, item in own]
        if logic_holds(logic, verdicts):
            found.append(str(row["Id"]))
            if len(found) == MOST_MATCHES:
                break
    return found


def _candidates(
    records: Records, draft: Draft, thing: OrgObject, own: list[tuple[StoreValue, MatchingRuleItem]], logic: str
) -> list[Row]:
    """The rows worth comparing. Exact items joined by AND are left to the index; anything else reads the table."""
    conditions = ['"IsDeleted" = 0', '"Id" <> ?']
    arguments: list[StoreValue] = [draft.values.get("Id") or ""]
    if "IsConverted" in thing.fields:
        conditions.append('"IsConverted" = 0')  # a converted lead lives on as its contact
    if "OR" not in logic.upper():
        for value, item in own:
            field = thing.fields.get(item.field)
            if item.method == "Exact" and value is not None and field is not None and field.stored:
                conditions.append(f"{quoted(field.name)} = ?")
                arguments.append(value)
            elif value is None and item.blank != "MatchBlanks":
                return []
    cursor = records.store.connection().execute(
        f"SELECT * FROM {quoted(thing.name)} WHERE {' AND '.join(conditions)}", arguments
    )
    return [dict(row) for row in cursor]


def _item_matches(value: StoreValue, item: MatchingRuleItem, row: Row) -> bool:
    held = row.get(item.field)
    if held is None:
        held = _composed(row, item.field)
    if value is None or held is None:
        return item.blank == "MatchBlanks" and value is None and held is None
    if item.method == "Exact":
        return str(value).lower() == str(held).lower()
    return _worn(item, str(value)) == _worn(item, str(held))


def _worn(item: MatchingRuleItem, text: str) -> str:
    """Text worn down to what a fuzzy method looks at: no accents, no case, no signs; a phone by its digits."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    if "Phone" in item.method:
        return re.sub(r"\D", "", plain)[-9:]
    plain = re.sub(r"[^a-z0-9 ]", " ", plain)
    if "Company" in item.method:
        plain = re.sub(r"\b(inc|ltd|llc|gmbh|sa|sas|sarl|corp|co)\b", " ", plain)
    return " ".join(plain.split())


def _composed(row: Row, name: str) -> StoreValue:
    if name != "Name":
        return None
    return " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part)) or None
