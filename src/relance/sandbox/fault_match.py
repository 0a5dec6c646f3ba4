"""What a fault waits for: the request, the object, the record, the user, how often, how likely, and when."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from relance.sandbox.draft import Draft
from relance.sandbox.soql_dates import read_moment, stamp

NAMED_OBJECTS = re.compile(
    r"""sobjects/([A-Za-z]\w*)|composite/tree/([A-Za-z]\w*)|\bFROM\s+([A-Za-z]\w*)|"(?:type|object)"\s*:\s*"([A-Za-z]\w*)\"""",
    re.I,
)
LARGEST_READ = 2_000_000


class FaultMisasked(ValueError):
    """The fault asked for makes no sense; the text says why."""


@dataclass(slots=True)
class Occasion:
    """What faults look at: a request, or a job's work (whose method is BULK)."""

    method: str
    address: str  # path and decoded query
    body: bytes = b""
    user: Callable[[], tuple[str, str]] = field(default=lambda: ("", ""))  # id and username, found at need
    objects: frozenset[str] | None = None

    def names_object(self, name: str) -> bool:
        if self.objects is None:
            text = self.address + " " + self.body[:LARGEST_READ].decode("utf-8", "replace")
            found = (next(filter(None, each)) for each in NAMED_OBJECTS.findall(text))
            self.objects = frozenset(each.lower() for each in found)
        return name.lower() in self.objects

    def has_record(self, wanted: Mapping[str, tuple[str, ...]]) -> bool:
        """Does the request carry a record that fits, or name its id in the address?"""
        ids = wanted.get("Id", ())
        if len(wanted) == 1 and any(each[:15] in self.address for each in ids):
            return True
        try:
            return any(fits_values(each, wanted) for each in mappings_in(json.loads(self.body)))
        except (ValueError, RecursionError):
            return False


@dataclass(frozen=True, slots=True)
class Match:
    method: str = ""
    path: str = ""
    object: str = ""
    record: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    user: str = ""
    nth: tuple[int, ...] = ()
    every: int = 0
    times: int = 0
    probability: float = 1.0
    seed: int = 0
    starts: datetime | None = None
    ends: datetime | None = None

    @property
    def waits(self) -> bool:
        """Does a state begin with a certain request, rather than at once?"""
        return bool(self.nth or self.every or self.probability < 1 or self.path or self.method)

    def fits(self, occasion: Occasion) -> bool:
        if self.record and not occasion.has_record(self.record):
            return False
        if self.object and not occasion.names_object(self.object):
            return False
        return self.fits_request(occasion)

    def fits_request(self, occasion: Occasion) -> bool:
        if self.method and occasion.method not in (self.method, "BULK"):
            return False
        if self.path and not _is_on_path(self.path, occasion.address):
            return False
        return not self.user or self.user in occasion.user()

    def fits_record(self, draft: Draft) -> bool:
        if self.object and self.object.lower() != draft.thing.name.lower():
            return False
        return not self.record or fits_values(draft.values, self.record)

    def is_time(self, now: datetime) -> bool:
        return (self.starts is None or now >= self.starts) and (self.ends is None or now < self.ends)

    def draws(self, seen: int, hits: int, chance: random.Random) -> bool:
        """Does the `seen`-th that fits get struck? The chance is drawn each time, so that a seed gives the same run again."""
        lucky = self.probability >= 1 or chance.random() < self.probability
        if self.times and hits >= self.times:
            return False
        if self.nth and seen not in self.nth:
            return False
        return lucky and not (self.every and seen % self.every)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, object] = {
            "method": self.method,
            "path": self.path,
            "object": self.object,
            "record": {name: list(values) for name, values in self.record.items()},
            "user": self.user,
            "nth": list(self.nth),
            "every": self.every,
            "times": self.times,
            "probability": self.probability if self.probability < 1 else None,
            "seed": self.seed,
            "from": stamp(self.starts) if self.starts else None,
            "until": stamp(self.ends) if self.ends else None,
        }
        return {name: value for name, value in told.items() if value}


def read_match(asked: Mapping[str, Any], now: datetime) -> Match:
    """A match as JSON says it. Moments are ISO 8601, or seconds from now."""
    known = {
        "method",
        "path",
        "object",
        "record",
        "user",
        "nth",
        "every",
        "times",
        "probability",
        "seed",
        "from",
        "until",
    }
    unknown = sorted(set(asked) - known)
    if unknown:
        raise FaultMisasked(f"A fault cannot match {', '.join(unknown)}; it can match: {', '.join(sorted(known))}.")
    try:
        nth = asked.get("nth") or ()
        record = asked.get("record") or {}
        probability = float(asked.get("probability") or 1.0)
        if not 0 < probability <= 1 or not isinstance(record, Mapping):
            raise ValueError
        return Match(
            method=str(asked.get("method") or "").upper(),
            path=str(asked.get("path") or ""),
            object=str(asked.get("object") or ""),
            record={str(name): _wanted(value) for name, value in record.items()},
            user=str(asked.get("user") or ""),
            nth=(int(nth),) if isinstance(nth, int | str) else tuple(int(each) for each in nth),
            every=int(asked.get("every") or 0),
            times=int(asked.get("times") or 0),
            probability=probability,
            seed=int(asked.get("seed") or 0),
            starts=_moment(asked.get("from"), now),
            ends=_moment(asked.get("until"), now),
        )
    except (TypeError, ValueError) as unreadable:
        raise FaultMisasked(
            "Of a match, nth, every, times and seed are whole numbers, probability lies between 0 and 1, from and until are moments"
            " or seconds, record maps fields to values."
        ) from unreadable


def fits_values(values: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    """Each field has one of its wanted values; names and values compare without case, `*` stands for anything."""
    held = {str(name).lower(): value for name, value in values.items()}
    for name, choices in wanted.items():
        if name.lower() not in held:
            return False
        text = str(held[name.lower()]).lower()
        if not any(fnmatchcase(text, choice.lower()) for choice in choices):
            return False
    return True


def mappings_in(content: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, Mapping):
        yield content
        for each in content.values():
            yield from mappings_in(each)
    elif isinstance(content, list):
        for each in content:
            yield from mappings_in(each)


def _is_on_path(wanted: str, address: str) -> bool:
    if "*" in wanted:
        return fnmatchcase(
            address.lower(), f"*{wanted.lower().strip('*')}*" if wanted.count("*") < 2 else wanted.lower()
        )
    return any(part.strip().lower() in address.lower() for part in wanted.split(","))


def _wanted(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else (str(value),)


def _moment(asked: object, now: datetime) -> datetime | None:
    if asked is None or asked == "":
        return None
    if isinstance(asked, int | float):
        return now + timedelta(seconds=asked)
    return read_moment(str(asked))
