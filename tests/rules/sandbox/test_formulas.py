"""Formulas: golden rows of what the platform answers, blank values included."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from relance.sandbox.formula import FormulaFailed, UnsupportedFormula, compiled

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


class Row:
    """A record as formulas see it."""

    is_new = False
    now = NOW
    fields = {
        "Nom": "Aline",
        "Vide": "",
        "Nombre": Decimal("12.5"),
        "Rien": None,
        "Vrai": True,
        "Jour": date(2026, 1, 31),
        "Instant": NOW,
        "Sans_Jour": None,
        "Choix": "Deux",
        "Plusieurs": "Est;Nord",
    }

    def field(self, path):
        return self.fields[path]

    def prior(self, path):
        return {"Nom": "Bruno"}.get(path, self.fields[path])

    def changed(self, path):
        return self.prior(path) != self.field(path)


def value(text):
    return compiled(text).value(Row())


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 + 2 * 3", Decimal(7)),
        ("(1 + 2) * 3 ^ 2", Decimal(27)),
        ("-Nombre", Decimal("-12.5")),
        ("10 - 3 - 2", Decimal(5)),
        ("0.1 + 0.2 = 0.3", True),
        ('"a" & "b" + "c"', "abc"),
        ('Nom & " " & TEXT(Nombre)', "Aline 12.5"),
        ("Nombre > 12 && Nombre < 13", True),
        ("true || false && false", True),
        ("NOT(Vrai)", False),
        ("!Vrai", False),
        ('Nom = "aline"', False),
        ("Nom <> 'Aline'", False),
        ("Nombre != 1", True),
        ('/* a remark */ IF(Vrai, "oui", "non")', "oui"),
        ('CASE(Choix, "Un", 1, "Deux", 2, 0)', Decimal(2)),
        ('CASE(Choix, "Un", 1, 0)', Decimal(0)),
        ('ISPICKVAL(Choix, "Deux")', True),
        ('INCLUDES(Plusieurs, "Nord")', True),
        ('INCLUDES(Plusieurs, "Nor")', False),
        ("LEN(Nom)", Decimal(5)),
        ('LEFT(Nom, 2) & MID(Nom, 3, 2) & RIGHT(Nom, 1)', "Aline"),
        ('FIND("i", Nom)', Decimal(3)),
        ('FIND("z", Nom)', Decimal(0)),
        ('SUBSTITUTE(Nom, "l", "L")', "ALine"),
        ('UPPER(Nom) & LOWER(Nom) & TRIM("  x ")', "ALINEalinex"),
        ('LPAD("7", 3, "0") & RPAD("7", 3, "0")', "007700"),
        ('CONTAINS(Nom, "lin")', True),
        ('BEGINS(Nom, "al")', False),
        (r'REGEX(Nom, "[A-Z]\\w+")', True),
        ('REGEX(Nom, "lin")', False),
        ('VALUE("12.50")', Decimal("12.50")),
        ('ISNUMBER("12x")', False),
        ("ROUND(2.345, 2)", Decimal("2.35")),
        ("ROUND(-2.5, 0)", Decimal(-3)),
        ("CEILING(2.1) + FLOOR(2.9)", Decimal(5)),
        ("MAX(1, 3, 2) - MIN(1, 3, 2)", Decimal(2)),
        ("MOD(7, 3)", Decimal(1)),
        ("ABS(-3) + SQRT(9)", Decimal(6)),
        ("TODAY()", date(2026, 3, 2)),
        ("TODAY() - Jour", Decimal(30)),
        ("Jour + 1", date(2026, 2, 1)),
        ("ADDMONTHS(Jour, 1)", date(2026, 2, 28)),
        ("DATE(2026, 2, 28) + 1 = DATE(2026, 3, 1)", True),
        ("YEAR(Jour) * 100 + MONTH(Jour) - DAY(Jour)", Decimal(202601 - 31)),
        ("WEEKDAY(TODAY())", Decimal(2)),
        ("NOW() - Instant", Decimal(0)),
        ("DATEVALUE(Instant)", date(2026, 3, 2)),
        ("TEXT(Jour)", "2026-01-31"),
        ('DATETIMEVALUE("2026-03-02 10:30:00") = Instant', True),
        ("ISCHANGED(Nom)", True),
        ("ISCHANGED(Nombre)", False),
        ("PRIORVALUE(Nom)", "Bruno"),
        ("ISNEW()", False),
        ('"a\\"b" & \'c\\\'d\'', "a\"bc'd"),
    ],
)  # fmt: skip
def test_a_formula_gives_what_the_platform_gives(formula, expected):
    assert value(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        pytest.param("Rien > 5", None, id="a comparison with nothing is unknown"),
        pytest.param("NOT(Rien > 5)", None, id="and its contrary is unknown too"),
        pytest.param("AND(Rien > 5, Vrai)", False, id="AND takes unknown for false"),
        pytest.param("OR(Rien > 5, Vrai)", True, id="OR looks further"),
        pytest.param("NOT(AND(Rien > 5, Vrai))", True, id="so a denied AND is true"),
        pytest.param("Rien = 0", None, id="nothing is not zero"),
        pytest.param("Rien = Sans_Jour", None, id="nothing does not equal nothing"),
        pytest.param("Rien + 1", None, id="nothing swallows a sum"),
        pytest.param('Vide = ""', True, id="blank text is the empty text"),
        pytest.param('Vide <> "x"', True, id="and differs from any other"),
        pytest.param("ISBLANK(Vide)", True, id="it is blank"),
        pytest.param("ISNULL(Vide)", False, id="but never null"),
        pytest.param("ISNULL(Rien)", True, id="a number may be"),
        pytest.param('BLANKVALUE(Vide, "x")', "x", id="BLANKVALUE replaces blank text"),
        pytest.param('NULLVALUE(Vide, "x")', "", id="NULLVALUE does not"),
        pytest.param('IF(Rien > 5, "a", "b")', "b", id="IF takes unknown for false"),
        pytest.param('ISPICKVAL(Vide, "")', True, id="no choice is the empty choice"),
        pytest.param("LEN(Vide)", Decimal(0), id="blank text has no length"),
        pytest.param('CONTAINS(Nom, Vide)', True, id="any text contains the empty one"),
        pytest.param("Sans_Jour < TODAY()", None, id="no date is before no day"),
        pytest.param("YEAR(Sans_Jour)", None, id="and has no year"),
    ],
)  # fmt: skip
def test_blank_values_follow_the_platforms_logic(formula, expected):
    assert value(formula) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "1 +",
        "AND(Vrai",
        "VLOOKUP(1, 2, 3)",
        'IF(Vrai, "a")',
        "NOT()",
        "a b",
        "ISCHANGED(1)",
        "'open",
        "§",
        "(" * 90 + "1" + ")" * 90,
    ],
)
def test_what_is_no_formula_is_told_apart_before_it_runs(formula):
    with pytest.raises(UnsupportedFormula):
        compiled(formula)


@pytest.mark.parametrize(
    "formula", ["1 / 0", 'VALUE("x")', "MOD(1, 0)", 'REGEX(Nom, "(")', "DATE(2026, 13, 1)", '1 < "a"']
)
def test_a_sound_formula_may_fail_on_its_input(formula):
    with pytest.raises(FormulaFailed):
        value(formula)


def test_a_formula_names_the_fields_it_reads():
    formula = compiled('AND(ISCHANGED(Nom), Compte__r.Name = "x", $Permission.Tout, NOT(true))')

    assert formula.paths == {"Nom", "Compte__r.Name", "$Permission.Tout"}
