"""What each room keeps about a person. A room above registers here, in its own `personal.py`, how that is merged, exported, erased.

The functions run in the caller's transaction, for many people at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .models import Import, ImportChange, ImportProblem, Person, PersonMerge


def _nothing_held(person_ids: Sequence[int]) -> Mapping[int, str]:
    return {}


def _nothing_left(person_ids: Sequence[int]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Keeper:
    """A room that keeps something about people.

    `merge(winner, losers)` hands all of it to the winner; `export(person)` gives it as JSON-ready values; `erase(people)` removes it;
    `holds(people)` names those who must not vanish by an undone import, each with a sentence saying why.
    `leave(people)` is asked before an erasure, not before a mere deletion: what must stay so that nobody brings them back unknown.
    """

    room: str
    merge: Callable[[int, Sequence[int]], None]
    export: Callable[[int], Mapping[str, Any]]
    erase: Callable[[Sequence[int]], None]
    holds: Callable[[Sequence[int]], Mapping[int, str]] = _nothing_held
    leave: Callable[[Sequence[int]], None] = _nothing_left


_keepers: dict[str, Keeper] = {}


def register_keeper(keeper: Keeper) -> None:
    """From now on this room is asked whenever people are merged, exported or erased."""
    _keepers[keeper.room] = keeper


def keepers() -> tuple[Keeper, ...]:
    """Every room that keeps something, in the order of registration."""
    return tuple(_keepers.values())


def _merge(winner: int, losers: Sequence[int]) -> None:
    PersonMerge.objects.filter(winner__in=losers).update(winner=winner)


def _export(person_id: int) -> dict[str, Any]:
    changes = ImportChange.objects.filter(person_id=person_id).order_by("id").values("of_id", "row", "before", "after")
    merges = PersonMerge.objects.filter(winner_id=person_id).values("loser_id", "values", "merged_at")
    return {"imports": list(changes), "merged": list(merges)}


def _erase(person_ids: Sequence[int]) -> None:
    """Values kept for an undo go, and so do the files these people came in with: nothing can be read back from them."""
    addresses = [
        address for address in Person.objects.filter(pk__in=person_ids).values_list("email", flat=True) if address
    ]
    changes = ImportChange.objects.filter(person_id__in=person_ids)
    touched = list(Import.objects.filter(pk__in=changes.values("of_id")).exclude(path=""))
    changes.delete()
    ImportProblem.objects.filter(value__in=addresses).update(value="", seen={})
    for touched_import in touched:
        touched_import.forget_file()


register_keeper(Keeper("people", _merge, _export, _erase))
