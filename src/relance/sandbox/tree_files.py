"""The files of a Salesforce DX source tree: where they are, and their XML, read without trusting it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

NAMESPACE = re.compile(r'\sxmlns\s*=\s*("[^"]*"|\'[^\']*\')')
LARGEST = 32_000_000
IGNORED_FOLDERS = frozenset({"node_modules", "__pycache__"})


class UnreadableFile(ValueError):
    """The file cannot be used; the text says why."""


def package_directories(root: Path, skipped: list[str]) -> tuple[list[Path], dict[str, object]]:
    """The folders sfdx-project.json names, and the file itself. Without a usable one the whole tree is read."""
    project: dict[str, object] = {}
    file = root / "sfdx-project.json"
    try:
        loaded = json.loads(file.read_text(encoding="utf-8-sig"))
        project = loaded if isinstance(loaded, dict) else {}
    except FileNotFoundError:
        skipped.append("sfdx-project.json: there is none, so every folder of the tree is read")
    except (OSError, ValueError) as trouble:
        skipped.append(f"sfdx-project.json: unreadable ({trouble}), so every folder of the tree is read")
    folders: list[Path] = []
    listed = project.get("packageDirectories")
    for entry in listed if isinstance(listed, list) else []:
        name = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            skipped.append("sfdx-project.json: a package directory has no path")
            continue
        folder = (root / name).resolve()
        if not folder.is_dir():
            skipped.append(f"{name}: the package directory does not exist")
        elif not folder.is_relative_to(root.resolve()):
            skipped.append(f"{name}: the package directory lies outside the tree, and is not read")
        else:
            folders.append(folder)
    return _without_nested(folders) or [root.resolve()], project


def files_below(folder: Path, skipped: list[str]) -> Iterator[str]:
    """Every file under a folder in a stable order, hidden ones and links to folders left out."""
    names: list[tuple[str, bool]] = []
    try:
        with os.scandir(folder) as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError as trouble:
        skipped.append(f"{folder}: the folder cannot be read ({trouble.strerror})")
        return
    for name, is_folder in sorted(names):
        if name.startswith(".") or name in IGNORED_FOLDERS:
            continue
        path = os.path.join(folder, name)  # noqa: PTH118 - thirty thousand Path objects cost seconds
        if is_folder:
            yield from files_below(Path(path), skipped)
        else:
            yield path


def parsed(path: str) -> Element:
    """The root of a metadata file, tags without namespace, or UnreadableFile."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116
        if size > LARGEST:
            raise UnreadableFile(f"too large ({size // 1_000_000} MB)")
        with open(path, "rb") as file:  # noqa: PTH123
            text = _decoded(file.read())
    except OSError as trouble:
        raise UnreadableFile(trouble.strerror or "unreadable") from trouble
    # Entities can only be declared in a DOCTYPE, and metadata never has one. The text is already decoded, so nothing can
    # hide it behind another encoding.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableFile("it declares a DOCTYPE, which is refused")
    try:
        return fromstring(NAMESPACE.sub("", text, count=1))  # noqa: S314
    except ParseError as trouble:
        raise UnreadableFile(f"broken XML: {trouble}") from trouble
    except (ValueError, RecursionError) as trouble:
        raise UnreadableFile(f"broken XML: {trouble}") from trouble


def text_of(element: Element, name: str, default: str = "") -> str:
    found = element.findtext(name)
    return default if found is None else found.strip()


def is_true(element: Element, name: str, default: bool = False) -> bool:
    found = element.findtext(name)
    return default if found is None else found.strip().lower() == "true"


def number_of(element: Element, name: str, default: int = 0) -> int:
    try:
        return int(text_of(element, name) or default)
    except ValueError:
        return default


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("its characters are in no encoding known here")


def _without_nested(folders: list[Path]) -> list[Path]:
    """A folder inside another one would be read twice."""
    return [one for one in folders if not any(one != other and one.is_relative_to(other) for other in folders)]
