"""Rights an administrator took from users since the org began, kept with it."""

from __future__ import annotations

import json
import threading

from relance.sandbox.store import Store

FACT = "taken"
Held = dict[str, dict[str, list[str]]]


class Taken:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._turn = threading.Lock()
        self._held: Held = json.loads(store.fact(FACT) or "{}")

    def of(self, user_id: str) -> tuple[frozenset[str], frozenset[str]]:
        """The rights (`lead:edit`, `lead.phone:read`, `user:apienabled`) and the ids of the records out of sight."""
        held = self._held.get(user_id, {})
        return frozenset(held.get("rights", ())), frozenset(held.get("hidden", ()))

    def take(self, user_id: str, rights: set[str], hidden: set[str]) -> None:
        before = self.of(user_id)
        self._keep(user_id, before[0] | rights, before[1] | hidden)

    def give_back(self, user_id: str, rights: set[str], hidden: set[str]) -> None:
        before = self.of(user_id)
        self._keep(user_id, before[0] - rights, before[1] - hidden)

    def _keep(self, user_id: str, rights: frozenset[str], hidden: frozenset[str]) -> None:
        with self._turn:
            self._held = {**self._held, user_id: {"rights": sorted(rights), "hidden": sorted(hidden)}}
            self.store.keep_fact(FACT, json.dumps(self._held))
