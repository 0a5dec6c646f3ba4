"""YAML whose every value remembers its line, so that a refusal can say where. YAML 1.2: `no` is a word (and a country), not false."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[str | int, ...]
DEEPEST, MOST_NODES = 40, 400_000


class YamlUnreadable(Exception):
    """The writer's move: the message begins with file and line."""


@dataclass(frozen=True, slots=True)
class MarkedYaml:
    """What a file says, and the line of each part by the way to it."""

    name: str
    value: Any
    lines: dict[Place, int]

    def where(self, place: Place) -> str:
        """`file:line` of a part, or of the nearest part around it that is written."""
        for length in range(len(place), -1, -1):
            line = self.lines.get(place[:length])
            if line is not None:
                return f"{self.name}:{line}"
        return f"{self.name}:1"


def read_yaml_file(path: Path, name: str = "") -> MarkedYaml:
    """Read a file. YamlUnreadable when it is missing, not UTF-8, or not YAML."""
    try:
        return read_yaml(path.read_text(encoding="utf-8"), name or str(path))
    except UnicodeDecodeError:
        raise YamlUnreadable(f"{name or path}:1: the file is not UTF-8. Save it again as UTF-8.") from None
    except OSError as error:
        raise YamlUnreadable(f"{name or path}: the file cannot be read: {error.strerror}.") from None


def read_yaml(text: str, name: str) -> MarkedYaml:
    """Read one YAML document."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlUnreadable(
            f"{name}:{mark.line + 1 if mark else 1}: this is not YAML: {error.problem or error.context}."
        ) from None
    except RecursionError:
        raise YamlUnreadable(f"{name}:1: the file is nested too deeply to be read.") from None
    except YAMLError as error:
        raise YamlUnreadable(f"{name}:1: this is not YAML: {error}.") from None
    builder = _Builder(name)
    return MarkedYaml(name, builder.build(root, ()) if root is not None else None, builder.lines)


class _Builder:
    def __init__(self, name: str) -> None:
        self.name, self.lines, self.nodes = name, dict[Place, int](), 0

    def build(self, node: Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        self.nodes += 1
        if len(place) > DEEPEST or self.nodes > MOST_NODES:
            raise YamlUnreadable(f"{self.name}:{line}: the file is nested too deeply or too large to be read.")
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self.build(part, (*place, number)) for number, part in enumerate(node.value)]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise YamlUnreadable(f"{self.name}:{line}: a key must be a word.")
            if key.value in read:
                raise YamlUnreadable(
                    f"{self.name}:{line}: “{key.value}” is written twice here; the first would be lost."
                )
            self.lines[(*place, key.value)] = line
            read[key.value] = self.build(value, (*place, key.value))
        return read


def _scalar(node: ScalarNode) -> Any:
    """Text, unless it is plainly something else. Numbers written in a way of their own (+33…, 06…) are text."""
    if node.style is not None:
        return node.value
    match str(node.tag).rsplit(":", 1)[-1]:
        case "null":
            return None
        case "bool":
            return node.value.lower() == "true"
        case "int" if _is_plain_figure(node.value):
            return int(node.value)
        case "float" if node.value.replace(".", "", 1).lstrip("-").isdigit():
            return float(node.value)
        case _:
            return node.value


def _is_plain_figure(text: str) -> bool:
    return text.removeprefix("-").isdigit() and str(int(text)) == text
