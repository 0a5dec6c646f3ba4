"""`relance sandbox new`: the source tree of Hexalis, a pretend French company, and data to fill its org with."""

from __future__ import annotations

import shutil
from datetime import date
from importlib import resources
from pathlib import Path

from relance.sandbox.demo_data import write_demo_data


class FolderInUse(ValueError):
    """The folder for a new tree already holds something, which is left untouched."""


def write_demo_org(directory: Path, today: date) -> dict[str, int]:
    """Writes the tree and, under data/, its rows with dates that end on the eve of `today`. Returns the rows by object."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FolderInUse(str(directory))
    with resources.as_file(resources.files("relance.sandbox") / "data" / "hexalis") as tree:
        shutil.copytree(tree, directory, dirs_exist_ok=True)
    return write_demo_data(directory / "data", today)
