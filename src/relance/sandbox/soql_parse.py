"""Reads SOQL text into a tree. Its complaints carry row and column, and the line with a caret, as the CRM's do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from relance.sandbox.errors import Refused
from relance.sandbox.soql_tree import (
    AllFields,
    Call,
    Children,
    Comparison,
    Condition,
    Contrary,
    Either,
    Every,
    FieldPath,
    Literal,
    Order,
    Selected,
    SoqlQuery,
    Target,
)

MAXIMUM_LENGTH = 100_000
MAXIMUM_OFFSET = 2000

TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))
      | (?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,|\.|:)""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
FUNCTIONS = frozenset(
    [
        "COUNT",
        "COUNT_DISTINCT",
        "SUM",
        "AVG",
        "MIN",
        "MAX",
        "TOLABEL",
        "FORMAT",
        "CONVERTCURRENCY",
        "CALENDAR_YEAR",
        "CALENDAR_QUARTER",
        "CALENDAR_MONTH",
        "DAY_IN_MONTH",
        "DAY_IN_WEEK",
        "DAY_IN_YEAR",
        "DAY_ONLY",
        "HOUR_IN_DAY",
        "WEEK_IN_YEAR",
    ]
)
RANGES = frozenset(
    [
        "TODAY",
        "YESTERDAY",
        "TOMORROW",
        "LAST_WEEK",
        "THIS_WEEK",
        "NEXT_WEEK",
        "LAST_MONTH",
        "THIS_MONTH",
        "NEXT_MONTH",
        "LAST_90_DAYS",
        "NEXT_90_DAYS",
        "THIS_QUARTER",
        "LAST_QUARTER",
        "NEXT_QUARTER",
        "THIS_YEAR",
        "LAST_YEAR",
        "NEXT_YEAR",
        "THIS_FISCAL_QUARTER",
        "LAST_FISCAL_QUARTER",
        "NEXT_FISCAL_QUARTER",
        "THIS_FISCAL_YEAR",
        "LAST_FISCAL_YEAR",
        "NEXT_FISCAL_YEAR",
    ]
)
COUNTED_RANGES = frozenset(
    [
        "LAST_N_DAYS",
        "NEXT_N_DAYS",
        "N_DAYS_AGO",
        "LAST_N_WEEKS",
        "NEXT_N_WEEKS",
        "N_WEEKS_AGO",
        "LAST_N_MONTHS",
        "NEXT_N_MONTHS",
        "N_MONTHS_AGO",
        "LAST_N_QUARTERS",
        "NEXT_N_QUARTERS",
        "N_QUARTERS_AGO",
        "LAST_N_YEARS",
        "NEXT_N_YEARS",
        "N_YEARS_AGO",
        "LAST_N_FISCAL_QUARTERS",
        "NEXT_N_FISCAL_QUARTERS",
        "N_FISCAL_QUARTERS_AGO",
        "LAST_N_FISCAL_YEARS",
        "NEXT_N_FISCAL_YEARS",
        "N_FISCAL_YEARS_AGO",
    ]
)
AFTER_FROM = frozenset(
    ["WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "HAVING", "WITH", "USING", "FOR", "ALL", "UPDATE"]
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "name" else ""


def parse_soql(text: str) -> SoqlQuery:
    """Read one query, or refuse with MALFORMED_QUERY and the place where reading stopped."""
    if len(text) > MAXIMUM_LENGTH:
        raise Refused(
            400, "QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {MAXIMUM_LENGTH} characters."
        )
    parser = Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


def show_place(text: str, at: int) -> str:
    """The piece of the query around a place, a caret under it, and its row and column counted from one."""
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    start = max(line_start, at - 40)
    row = text.count("\n", 0, at) + 1
    line = text[start : min(line_end, at + 40)]
    return f"\n{line}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{at - line_start + 1}\n"


def refuse_at(text: str, at: int, complaint: str, *, code: str = "MALFORMED_QUERY") -> Refused:
    return Refused(400, code, show_place(text, at) + complaint)


def read_tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            row = text.count("\n", 0, at) + 1
            column = at - (text.rfind("\n", 0, at) + 1)
            raise Refused(
                400, "MALFORMED_QUERY", f"line {row}:{column} no viable alternative at character '{text[at]}'"
            )
        if match.lastgroup != "space":
            tokens.append(Token(match.lastgroup or "", match.group(), at))
        at = match.end()
    tokens.append(Token("end", "<EOF>", len(text)))
    return tokens


def read_string(quoted: str) -> str:
    """Undo the escapes; `\\%` and `\\_` stay escaped, since only LIKE gives them a meaning."""
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found.group(1), found.group(0)), quoted[1:-1], flags=re.DOTALL)


class Parser:
    """Recursive descent, one method a clause."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = read_tokens(text)
        self.place = 0

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.here
        self.place += token.kind != "end"
        return token

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.place + ahead, len(self.tokens) - 1)]

    def unexpected(self, token: Token | None = None) -> Refused:
        token = token or self.here
        return refuse_at(self.text, token.at, f"unexpected token: '{token.text}'")

    def accept(self, *words: str) -> bool:
        """Take these words if they come next, all of them or none."""
        if any(self.peek(ahead).word != word for ahead, word in enumerate(words)):
            return False
        self.place += len(words)
        return True

    def accept_sign(self, sign: str) -> bool:
        if self.here.kind != "sign" or self.here.text != sign:
            return False
        self.take()
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected()

    def expect_sign(self, sign: str) -> None:
        if not self.accept_sign(sign):
            raise self.unexpected()

    def expect_name(self) -> Token:
        if self.here.kind != "name":
            raise self.unexpected()
        return self.take()

    def expect_end(self) -> None:
        if self.here.kind != "end":
            raise self.unexpected()

    def query(self) -> SoqlQuery:
        self.expect("SELECT")
        selected, is_count = self.selection()
        self.expect("FROM")
        name = self.expect_name()
        alias = self.alias()
        if self.accept("USING"):
            self.expect("SCOPE")
            self.expect_name()
        where = self.condition() if self.accept("WHERE") else None
        self.ignored_with()
        group_by = self.grouping() if self.accept("GROUP", "BY") else ()
        having = self.condition() if self.accept("HAVING") else None
        order_by = self.ordering() if self.accept("ORDER", "BY") else ()
        limit = self.whole_number() if self.accept("LIMIT") else None
        offset = self.offset() if self.accept("OFFSET") else 0
        self.trailing_clauses()
        return SoqlQuery(
            text=self.text,
            selected=selected,
            object_name=name.text,
            object_at=name.at,
            alias=alias,
            where=where,
            group_by=group_by,
            having=having,
            order_by=order_by,
            limit=limit,
            offset=offset,
            is_count=is_count,
        )

    def selection(self) -> tuple[tuple[Selected | AllFields | Children, ...], bool]:
        if self.here.word == "COUNT" and self.peek().text == "(" and self.peek(2).text == ")":
            self.place += 3
            return (), True
        items = [self.selected_item()]
        while self.accept_sign(","):
            items.append(self.selected_item())
        return tuple(items), False

    def selected_item(self) -> Selected | AllFields | Children:
        if self.accept_sign("("):
            at = self.here.at
            children = Children(self.query(), at)
            self.expect_sign(")")
            return children
        if self.here.word == "TYPEOF":
            raise self.unexpected()
        if self.here.word == "FIELDS" and self.peek().text == "(":
            return self.all_fields()
        target = self.target()
        takes_alias = self.here.kind == "name" and self.here.word != "FROM"
        return Selected(target, self.take().text if takes_alias else "")

    def all_fields(self) -> AllFields:
        at = self.take().at
        self.expect_sign("(")
        kind = self.expect_name()
        if kind.word not in ("ALL", "STANDARD", "CUSTOM"):
            raise self.unexpected(kind)
        self.expect_sign(")")
        return AllFields(kind.word, at)

    def target(self) -> Target:
        name = self.expect_name()
        if self.here.text != "(":
            return self.path(name)
        if name.word not in FUNCTIONS:
            raise self.unexpected(self.here)
        self.take()
        argument = None if self.here.text == ")" else self.path(self.expect_name())
        if argument is None and name.word != "COUNT":
            raise self.unexpected()
        self.expect_sign(")")
        return Call(name.word, argument, name.at)

    def path(self, first: Token) -> FieldPath:
        names = [first.text]
        while self.accept_sign("."):
            names.append(self.expect_name().text)
        return FieldPath(tuple(names), first.at)

    def alias(self) -> str:
        self.accept("AS")
        if self.here.kind == "name" and self.here.word not in AFTER_FROM:
            return self.take().text
        return ""

    def ignored_with(self) -> None:
        """Access clauses change nothing here: the user's permissions always hold."""
        if self.accept("WITH") and not (
            self.accept("SECURITY_ENFORCED") or self.accept("USER_MODE") or self.accept("SYSTEM_MODE")
        ):
            raise self.unexpected()

    def condition(self) -> Condition:
        """AND and OR cannot stand side by side without parentheses: the CRM refuses the mix, and so do we."""
        conditions = [self.negated()]
        joiner = self.here.word
        if joiner not in ("AND", "OR"):
            return conditions[0]
        while self.accept(joiner):
            conditions.append(self.negated())
        if self.here.word in ("AND", "OR"):
            raise self.unexpected()
        return Every(tuple(conditions)) if joiner == "AND" else Either(tuple(conditions))

    def negated(self) -> Condition:
        if self.accept("NOT"):
            return Contrary(self.negated())
        if self.accept_sign("("):
            condition = self.condition()
            self.expect_sign(")")
            return condition
        return self.comparison()

    def comparison(self) -> Comparison:
        at = self.here.at
        target = self.target()
        operator = self.operator()
        if operator in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
            return self.membership(target, operator, at)
        return Comparison(target, operator, (self.literal(),), None, at)

    def operator(self) -> str:
        token = self.take()
        if token.kind == "sign" and token.text in ("=", "!=", "<>", "<", ">", "<=", ">="):
            return "!=" if token.text == "<>" else token.text
        if token.word in ("LIKE", "IN", "INCLUDES", "EXCLUDES"):
            return token.word
        if token.word == "NOT" and self.accept("IN"):
            return "NOT IN"
        raise self.unexpected(token)

    def membership(self, target: Target, operator: str, at: int) -> Comparison:
        self.expect_sign("(")
        if self.here.word == "SELECT" and operator in ("IN", "NOT IN"):
            within = self.query()
            self.expect_sign(")")
            return Comparison(target, operator, (), within, at)
        values = [self.literal()]
        while self.accept_sign(","):
            values.append(self.literal())
        self.expect_sign(")")
        return Comparison(target, operator, tuple(values), None, at)

    def literal(self) -> Literal:
        token = self.take()
        match token.kind:
            case "string":
                return Literal("string", read_string(token.text))
            case "number" | "date" | "datetime":
                return Literal(token.kind, token.text)
            case "name" if token.word in ("TRUE", "FALSE"):
                return Literal("boolean", token.word)
            case "name" if token.word == "NULL":
                return Literal("null", "")
            case "name" if token.word in RANGES:
                return Literal("range", token.word)
            case "name" if token.word in COUNTED_RANGES:
                self.expect_sign(":")
                return Literal("range", token.word, self.whole_number())
            case _:
                raise self.unexpected(token)

    def grouping(self) -> tuple[Target, ...]:
        targets = [self.target()]
        while self.accept_sign(","):
            targets.append(self.target())
        return tuple(targets)

    def ordering(self) -> tuple[Order, ...]:
        orders = [self.order()]
        while self.accept_sign(","):
            orders.append(self.order())
        return tuple(orders)

    def order(self) -> Order:
        target = self.target()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        nulls = ""
        if self.accept("NULLS"):
            place = self.expect_name()
            if place.word not in ("FIRST", "LAST"):
                raise self.unexpected(place)
            nulls = place.word
        return Order(target, descending, nulls)

    def whole_number(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise self.unexpected(token)
        return int(token.text)

    def offset(self) -> int:
        offset = self.whole_number()
        if offset > MAXIMUM_OFFSET:
            raise Refused(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAXIMUM_OFFSET}")
        return offset

    def trailing_clauses(self) -> None:
        if self.accept("FOR") and not (self.accept("VIEW") or self.accept("REFERENCE")):
            raise self.unexpected()
        if self.here.word == "ALL" and self.peek().word == "ROWS":
            raise Refused(400, "MALFORMED_QUERY", "ALL ROWS not allowed in this context")
