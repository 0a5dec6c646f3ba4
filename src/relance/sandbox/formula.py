"""A small evaluator of the CRM's formulas, for validation rules, default values, rule entries and formula fields.

A formula is compiled once to nested functions. Blank text is '' and never null; other blanks are None and follow
three-valued logic: a comparison with nothing is neither true nor false, AND and OR take that for false, NOT passes it on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from relance.sandbox.formula_functions import FIELD_FUNCTIONS, FUNCTIONS
from relance.sandbox.formula_values import (
    FormulaFailed,
    FormulaValue,
    Node,
    Scope,
    UnsupportedFormula,
    added,
    both,
    compares,
    denied,
    either,
    equals,
    joined,
    multiplied,
)

__all__ = ["Formula", "FormulaFailed", "FormulaValue", "Scope", "UnsupportedFormula", "compiled"]


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    node: Node
    paths: frozenset[str]  # the fields it reads, as written

    def value(self, scope: Scope) -> FormulaValue:
        try:
            return self.node(scope)
        except (ArithmeticError, ValueError, TypeError) as failure:
            raise FormulaFailed(str(failure)) from failure

    def holds(self, scope: Scope) -> bool:
        return self.value(scope) is True


@lru_cache(maxsize=4096)
def compiled(text: str) -> Formula:
    """The formula ready to run, or UnsupportedFormula."""
    reader = _Reader(text)
    node = reader.expression()
    if reader.kind != "end":
        raise UnsupportedFormula(f"unexpected '{reader.text}'")
    return Formula(text, node, frozenset(reader.paths))


TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?\*/)
      | (?P<number>\d+(?:\.\d*)?|\.\d+)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<name>[$A-Za-z_][\w$]*(?:(?:\.|::?)[A-Za-z_][\w]*)*)
      | (?P<sign><>|!=|<=|>=|==|&&|\|\||[-+*/^&=<>!(),])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class _Reader:
    """Reads by falling precedence: || , && , equality, order, + - &, * /, ^, sign."""

    def __init__(self, source: str) -> None:
        self.tokens = _tokens(source)
        self.paths: set[str] = set()
        self.kind = ""
        self.text = ""
        self.place = 0
        self._depth = 0
        self._advance()

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > 60:
            raise UnsupportedFormula("nested too deep")
        left = self._both()
        while self._take("||"):
            left = either((left, self._both()))
        self._depth -= 1
        return left

    def _both(self) -> Node:
        left = self._equality()
        while self._take("&&"):
            left = both((left, self._equality()))
        return left

    def _equality(self) -> Node:
        left = self._order()
        while self.kind == "sign" and self.text in ("=", "==", "<>", "!="):
            negated = self.text in ("<>", "!=")
            self._advance()
            left = equals(left, self._order(), negated)
        return left

    def _order(self) -> Node:
        left = self._sum()
        while self.kind == "sign" and self.text in ("<", ">", "<=", ">="):
            sign = self.text
            self._advance()
            left = compares(sign, left, self._sum())
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self.kind == "sign" and self.text in ("+", "-", "&"):
            sign = self.text
            self._advance()
            right = self._product()
            left = joined(left, right) if sign == "&" else added(sign, left, right)
        return left

    def _product(self) -> Node:
        left = self._power()
        while self.kind == "sign" and self.text in ("*", "/"):
            sign = self.text
            self._advance()
            left = multiplied(sign, left, self._power())
        return left

    def _power(self) -> Node:
        left = self._signed()
        while self._take("^"):
            left = multiplied("^", left, self._signed())
        return left

    def _signed(self) -> Node:
        if self._take("-"):
            operand = self._signed()
            return multiplied("*", operand, lambda _scope: Decimal(-1))
        if self._take("+"):
            return self._signed()
        if self._take("!"):
            return denied(self._signed())
        return self._operand()

    def _operand(self) -> Node:
        kind, text = self.kind, self.text
        if self._take("("):
            inner = self.expression()
            self._expect(")")
            return inner
        self._advance()
        if kind == "number":
            number = Decimal(text)
            return lambda _scope: number
        if kind == "string":
            literal = re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)
            return lambda _scope: literal
        if kind == "name":
            return self._call(text) if self.kind == "sign" and self.text == "(" else self._named(text)
        raise UnsupportedFormula(f"unexpected '{text}'")

    def _named(self, text: str) -> Node:
        constants: dict[str, FormulaValue] = {"true": True, "false": False, "null": None}
        if text.lower() in constants:
            constant = constants[text.lower()]
            return lambda _scope: constant
        self.paths.add(text)
        return lambda scope: scope.field(text)

    def _call(self, name: str) -> Node:
        self._expect("(")
        upper = name.upper()
        if upper in FIELD_FUNCTIONS:
            path = self.text
            if self.kind != "name":
                raise UnsupportedFormula(f"{upper} wants a field")
            self.paths.add(path)
            self._advance()
            self._expect(")")
            return FIELD_FUNCTIONS[upper](path)
        if upper not in FUNCTIONS:
            raise UnsupportedFormula(f"the function {upper} is not known here")
        arguments = self._arguments()
        least, most, make = FUNCTIONS[upper]
        if not least <= len(arguments) <= most:
            raise UnsupportedFormula(f"{upper} cannot take {len(arguments)} arguments")
        return make(tuple(arguments))

    def _arguments(self) -> list[Node]:
        if self._take(")"):
            return []
        arguments = [self.expression()]
        while self._take(","):
            arguments.append(self.expression())
        self._expect(")")
        return arguments

    def _advance(self) -> None:
        self.kind, self.text = self.tokens[self.place]
        self.place = min(self.place + 1, len(self.tokens) - 1)

    def _take(self, sign: str) -> bool:
        if self.kind != "sign" or self.text != sign:
            return False
        self._advance()
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise UnsupportedFormula(f"'{sign}' expected, '{self.text}' found")


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(source):
        found = TOKEN.match(source, place)
        if found is None:
            raise UnsupportedFormula(f"unexpected '{source[place]}'")
        if found.lastgroup != "space":
            tokens.append((str(found.lastgroup), found[0]))
        place = found.end()
    return [*tokens, ("end", "")]
