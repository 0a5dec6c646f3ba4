"""The scenarios by name. Their modules need Django and are read when one is run."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from .scenario import Scenario

SCENARIOS = {
    "sync.pull_merge": "sync_pull_merge.PullAndMerge",
    "decide.one": "decide_one.DecideOne",
    "import.csv": "import_csv.ImportFile",
    "pages": "pages.MainPages",
}


def scenario_class(name: str) -> type[Scenario]:
    """The class of a scenario. KeyError when there is none of that name."""
    module, _, class_name = SCENARIOS[name].partition(".")
    return cast("type[Scenario]", getattr(import_module(f"relance.bench.{module}"), class_name))
