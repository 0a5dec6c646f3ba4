"""Several faults at once, as a file or a request says them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from relance.sandbox.fault_kinds import FaultMisasked
from relance.sandbox.faults import Fault, Faults


def add_faults(faults: Faults, asked: object) -> list[Fault]:
    """One fault, a list, or `{"seed": 7, "faults": [...]}`; all of them or, when one is wrong, none."""
    seed: object = None
    if isinstance(asked, Mapping) and "faults" in asked:
        seed, asked = asked.get("seed"), asked["faults"]
    wanted = asked if isinstance(asked, list) else [asked]
    added: list[Fault] = []
    try:
        for number, each in enumerate(wanted):
            if seed is not None and isinstance(each, Mapping) and isinstance(each.get("match") or {}, Mapping):
                # Faults of one file draw apart from each other, and the same in each run.
                each = {**each, "match": {"seed": int(str(seed)) + number, **(each.get("match") or {})}}
            added.append(faults.add(each))
    except (FaultMisasked, ValueError) as misasked:
        for fault in added:
            faults.clear(fault.id)
        raise FaultMisasked(str(misasked)) from misasked
    return added


def read_fault_file(path: Path) -> object:
    """JSON or TOML. FaultMisasked says why it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as trouble:
        raise FaultMisasked(f"{path} cannot be read ({trouble.strerror}).") from trouble
    except ValueError as trouble:
        raise FaultMisasked(f"{path} is neither readable JSON nor TOML ({trouble}).") from trouble
