"""Where the time of a merge goes: each statement is timed as the product runs it, and counted under the step it belongs to."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# The first words by which a step's statements are known. What begins otherwise is `other`: the run's book, the place kept.
MERGE_STEPS = (
    ("stage", ("CREATE TEMP TABLE crm_stage", "INSERT INTO crm_stage")),
    ("link", ("CREATE TEMP TABLE crm_fresh", "-- link_fresh", "-- find_fresh", "-- stamp_links", "-- follow_")),
    ("lock", ("-- lock_staged",)),
    ("verdict", ("CREATE TEMP TABLE crm_verdict",)),
    ("lines", ("CREATE TEMP TABLE crm_line",)),
    ("apply", ("UPDATE person", "INSERT INTO person")),
    ("dirty", ("-- settle_dirty",)),
    ("queue", ("-- queue_pushes",)),
    ("ledger", ("-- tell_lines", "-- tell_events")),
    ("commit", ("COMMIT",)),
)


@contextmanager
def statements_timed(steps: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[dict[str, float]]:
    """Milliseconds by step, of the statements run through Django in the block."""
    taken: dict[str, float] = defaultdict(float)

    def time_it(execute: Callable[..., Any], text: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(text, params, many, context)
        finally:
            taken[_step_of(text.lstrip(), steps)] += (time.perf_counter() - began) * 1000

    with connection.execute_wrapper(time_it):
        yield taken


def _step_of(text: str, steps: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return next((name for name, beginnings in steps if text.startswith(beginnings)), "other")
