"""WHERE and HAVING of SOQL as SQL. SOQL knows no third truth value: a comparison with nothing is simply false, and NOT makes it true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from relance.sandbox.errors import Refused
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.schema import OrgField
from relance.sandbox.soql_dates import date_range, read_moment, stamp, start_of_day
from relance.sandbox.soql_parse import refuse_at
from relance.sandbox.soql_tree import Comparison, Condition, Contrary, Either, Every, Literal, SoqlQuery

NUMBER_TYPES = frozenset({"int", "double", "currency", "percent", "long"})
TYPE_WORDS = {"datetime": "dateTime", "id": "ID", "reference": "ID", "int": "int"}


@dataclass(frozen=True, slots=True)
class Compared:
    """The left side of a comparison: its SQL and the type its values must have."""

    sql: str
    name: str
    type: str
    case_sensitive: bool = False


class Filter:
    """Turns conditions into SQL with named parameters put aside in order."""

    def __init__(
        self,
        text: str,
        today: date,
        zone: ZoneInfo,
        *,
        left: Callable[[Comparison], Compared],
        within: Callable[[SoqlQuery], tuple[str, list[object]]],
    ) -> None:
        self.text = text
        self.today = today
        self.zone = zone
        self.left = left
        self.within = within
        self.parameters: list[object] = []

    def condition(self, condition: Condition) -> str:
        match condition:
            case Every(conditions):
                return "(" + " AND ".join(self.condition(each) for each in conditions) + ")"
            case Either(conditions):
                return "(" + " OR ".join(self.condition(each) for each in conditions) + ")"
            case Contrary(inner):
                return f"NOT coalesce({self.condition(inner)}, 0)"
            case Comparison():
                return self.comparison(condition)

    def comparison(self, comparison: Comparison) -> str:
        left = self.left(comparison)
        match comparison.operator:
            case "IN" | "NOT IN":
                return self.membership(comparison, left)
            case "INCLUDES" | "EXCLUDES":
                return self.inclusion(comparison, left)
            case "LIKE":
                return self.likeness(comparison, left)
            case operator:
                return self.ordinary(comparison, left, operator, comparison.values[0])

    def ordinary(self, comparison: Comparison, left: Compared, operator: str, literal: Literal) -> str:
        if literal.kind == "range" and left.type in ("date", "datetime"):
            return self.in_range(left, operator, literal)
        value = self.value(comparison, left, literal)
        if value is None:
            if operator not in ("=", "!="):
                raise refuse_at(self.text, comparison.at, f"invalid operator '{operator}' with null")
            return f"{left.sql} IS {'NOT ' if operator == '!=' else ''}NULL"
        self.parameters.append(value)
        if operator == "!=":
            return f"{left.sql} IS NOT ?"
        return f"{left.sql} {operator} ?"

    def in_range(self, left: Compared, operator: str, literal: Literal) -> str:
        first, beyond = date_range(literal.text, literal.amount, self.today)
        if left.type == "datetime":
            start, end = start_of_day(first, self.zone), start_of_day(beyond, self.zone)
        else:
            start, end = first.isoformat(), beyond.isoformat()
        match operator:
            case "=" | "!=":
                self.parameters += [start, end]
                inside = f"({left.sql} >= ? AND {left.sql} < ?)"
                return inside if operator == "=" else f"NOT coalesce({inside}, 0)"
            case "<" | ">=":
                self.parameters.append(start)
                return f"{left.sql} {operator} ?"
            case _:
                self.parameters.append(end)
                return f"{left.sql} {'<' if operator == '<=' else '>='} ?"

    def membership(self, comparison: Comparison, left: Compared) -> str:
        if comparison.within is not None:
            select, parameters = self.within(comparison.within)
            self.parameters += parameters
            inside = f"{left.sql} IN ({select})"
        else:
            inside = self.listed(comparison, left)
        return inside if comparison.operator == "IN" else f"NOT coalesce({inside}, 0)"

    def listed(self, comparison: Comparison, left: Compared) -> str:
        plain = [literal for literal in comparison.values if literal.kind != "range"]
        values = [self.value(comparison, left, literal) for literal in plain]
        given = [value for value in values if value is not None]
        choices = []
        if given:
            self.parameters += given
            choices.append(f"{left.sql} IN ({', '.join('?' * len(given))})")
        if len(given) < len(values):
            choices.append(f"{left.sql} IS NULL")
        choices += [self.in_range(left, "=", literal) for literal in comparison.values if literal.kind == "range"]
        return "(" + " OR ".join(choices) + ")"

    def inclusion(self, comparison: Comparison, left: Compared) -> str:
        """`INCLUDES ('a;b', 'c')`: a and b together, or c."""
        if left.type != "multipicklist":
            raise self.refuse_operator(
                comparison, left, "includes/excludes operators only valid on multipicklist field"
            )
        choices = []
        for literal in comparison.values:
            if literal.kind == "null":
                choices.append(f"{left.sql} IS NULL")
                continue
            wanted = literal.text.split(";")
            self.parameters += [f";{value};".lower() for value in wanted]
            choices.append("(" + " AND ".join([f"instr(lower(';' || {left.sql} || ';'), ?) > 0"] * len(wanted)) + ")")
        inside = "(" + " OR ".join(choices) + ")"
        return inside if comparison.operator == "INCLUDES" else f"NOT coalesce({inside}, 0)"

    def likeness(self, comparison: Comparison, left: Compared) -> str:
        if left.type in NUMBER_TYPES | {"date", "datetime", "time", "boolean", "id", "reference", "multipicklist"}:
            kind = "id" if left.type in ("id", "reference") else left.type
            raise self.refuse_operator(comparison, left, f"invalid operator on {kind} field")
        literal = comparison.values[0]
        if literal.kind != "string":
            raise self.refuse_type(comparison, left, quoted_value=False)
        self.parameters.append(literal.text)
        return f"{left.sql} LIKE ? ESCAPE '\\'"

    def value(self, comparison: Comparison, left: Compared, literal: Literal) -> object:
        """The store's form of a literal, or a refusal that names the type it should have had."""
        if literal.kind == "null":
            return 0 if left.type == "boolean" else None
        match left.type, literal.kind:
            case (("id" | "reference"), "string"):
                return self.record_id(literal.text)
            case "boolean", "boolean":
                return int(literal.text == "TRUE")
            case kind, "number" if kind in NUMBER_TYPES:
                return float(literal.text)
            case ("date", "date") | ("time", "string"):
                return literal.text
            case "datetime", "datetime":
                return stamp(read_moment(literal.text))
            case kind, "string" if kind not in NUMBER_TYPES | {"boolean", "date", "datetime", "time"}:
                return literal.text.replace("\\%", "%").replace("\\_", "_") or None
        raise self.refuse_type(comparison, left, quoted_value=literal.kind == "string")

    def record_id(self, text: str) -> str | None:
        if not text:
            return None
        try:
            return whole_id(text)
        except MalformedId as refused:
            raise Refused(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}") from refused

    def refuse_operator(self, comparison: Comparison, left: Compared, complaint: str) -> Refused:
        return refuse_at(self.text, comparison.at, complaint, code="INVALID_QUERY_FILTER_OPERATOR")

    def refuse_type(self, comparison: Comparison, left: Compared, *, quoted_value: bool) -> Refused:
        wanted = TYPE_WORDS.get(left.type, left.type)
        textual = left.type not in NUMBER_TYPES | {"boolean", "date", "datetime", "time"}
        advice = "should be enclosed in quotes" if textual else "should not be enclosed in quotes"
        complaint = (
            f"value of filter criterion for field '{left.name}' must be of type {wanted if not textual else 'string'}"
        )
        return refuse_at(self.text, comparison.at, f"{complaint} and {advice}", code="INVALID_FIELD")


def is_filterable(field: OrgField) -> bool:
    if field.type in ("address", "location", "base64", "encryptedstring", "complexvalue"):
        return False
    return not (field.type == "textarea" and field.length > 255)


def is_sortable(field: OrgField) -> bool:
    return is_filterable(field) and field.type != "multipicklist"


def only_these(column: str) -> str:
    """A condition on a list of ids given as one JSON parameter, however long it is."""
    return f"{column} IN (SELECT value FROM json_each(?))"
