"""Reasons and kinds in both directions: what the program writes is explained, and what is explained is written somewhere."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import relance
from relance.activity.kinds import activity_kinds
from relance.decisions.reasons import reason_texts
from relance.decisions.rules import Verdict
from relance.lib.sql import statement

SOURCE = Path(relance.__file__).parent
ROOMS = ("lib", "decisions", "workspace", "activity", "people", "consent", "deliverability", "crm", "web", "cli")
FIRST_NUMBERS = {"workspace": 1000, "people": 2000, "crm": 3000, "consent": 4000, "deliverability": 5000}
NOTHING_TO_DO = {"crm.nothing_to_send"}  # a refusal that is good news: no remedy is missing


def modules():
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree, *names):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in names and node.args:
                yield node


def texts(node):
    """The literal texts an argument may have: one, or the branches of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def used_in_calls(*names):
    return {text for _path, tree in modules() for call in calls(tree, *names) for text in texts(call.args[0])}


def every_text():
    """Every literal of the sources but for the declarations, and every word of the SQL: where a code may also be named."""
    found = set()
    for path, tree in modules():
        if path.name not in ("reasons.py", "kinds.py"):
            found |= {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    for path in SOURCE.rglob("*.sql"):
        found |= set(re.findall(r"'([\w.]+)'", path.read_text(encoding="utf-8")))
    return found


def every_number():
    """Every whole number of the sources and of the SQL: a set decided in SQL names its reasons by number."""
    found = {
        node.value
        for path, tree in modules()
        if path.name != "reasons.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int
    }
    for path in SOURCE.rglob("*.sql"):
        found |= {int(number) for number in re.findall(r"\b\d{4}\b", path.read_text(encoding="utf-8"))}
    return found


def is_composed(code):
    """Is it put together from two words of one module, such as f"{subject}.{verb}" or f"{subject}.created"?"""
    return any(shape.fullmatch(code) and set(code.split(".")) <= words for shape, words in composed())


@cache
def composed():
    """The shapes of texts put together with a dot, as patterns, and the words of their modules."""
    return [
        (_pattern(node), _words(tree))
        for _path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and "." in _constants(node) and re.fullmatch(r"[\w.]+", _constants(node))
    ]


def _pattern(node):
    parts = (re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values)
    return re.compile("".join(parts))


def _words(tree):
    """Every word of a module's texts, those of its composed texts included."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {word for text in texts for word in re.findall(r"\w+", text) if len(text) < 40}


def _constants(node):
    return "".join(part.value for part in node.values if isinstance(part, ast.Constant))


def test_every_reason_a_rule_gives_is_explained():
    unknown = used_in_calls("go", "wait", "skip") - reason_texts().keys()

    assert not unknown, f"Declare these in the reasons.py of their room: {sorted(unknown)}"


def test_every_reason_explained_is_given_somewhere():
    said, numbers = every_text(), every_number()

    silent = [text.code for text in reason_texts().values() if text.code not in said and text.number not in numbers]

    assert not silent, f"No rule gives these: use them, or retire them: {sorted(silent)}"


def test_every_activity_appended_is_of_a_declared_kind():
    unknown = used_in_calls("NewActivity", "append_activity") - activity_kinds().keys()

    assert not unknown, f"Declare these in the kinds.py of their room: {sorted(unknown)}"


def test_every_declared_kind_is_appended_somewhere():
    silent = [kind for kind in activity_kinds().keys() - every_text() if not is_composed(kind)]

    assert not silent, f"Nothing appends these: {sorted(silent)}"


@pytest.mark.parametrize("text", reason_texts().values(), ids=lambda text: text.code)
def test_a_reason_is_numbered_in_the_range_of_its_room_and_says_a_sentence(text):
    assert any(first <= text.number < first + 1000 for first in FIRST_NUMBERS.values())
    assert str(text.says).rstrip().endswith((".", "?", "!", "…", "»", "”", ")s"))


@pytest.mark.parametrize(
    "text",
    [text for text in reason_texts().values() if text.verdict is Verdict.SKIP and text.code not in NOTHING_TO_DO],
    ids=lambda text: text.code,
)
def test_a_reason_that_stands_in_the_way_says_what_would_change_it(text):
    assert str(text.remedy).strip()


def test_declarations_are_where_the_rooms_keep_them():
    for path, tree in modules():
        for _call in calls(tree, "declare_reason"):
            assert path.name == "reasons.py", path
        for _call in calls(tree, "declare_kind"):
            assert path.name == "kinds.py", path


def test_named_statements_are_found():
    assert "INSERT INTO activity" in statement("activity", "append_activities")
