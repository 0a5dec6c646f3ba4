"""Where somebody is, as far as a law asks: the region, the zones she may be in, and the public holidays there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from .packs import Law
from .policy import Calendar


@dataclass(frozen=True, slots=True)
class Place:
    """`zones` are all the person may be in: something must be allowed in each."""

    region: str
    zones: tuple[ZoneInfo, ...]
    holidays: frozenset[date]


class NoSuchCalendar(ValueError):
    """The writer's move: the holidays of that country or subdivision are not known."""


def find_place(
    law: Law,
    *,
    country: str,
    region: str = "",
    postcode: str = "",
    zones: tuple[str, ...] = (),
    other_zone: str = "UTC",
    year: int,
) -> Place:
    """The region named, else that of the postcode; the zones named, else the region's, else all of the country's, else `other_zone`."""
    name = _region_named(law, region) or _region_of(law, postcode)
    part = law.regions.get(name)
    found = zones or (tuple(part.zones) if part and part.zones else law.zones) or (other_zone,)
    subdivision = part.holidays if part else ""
    return Place(name, tuple(ZoneInfo(zone) for zone in found), days_off(law.calendar, country, subdivision, year))


def days_off(calendar: Calendar | None, country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of three years from this one, plus and minus the house's own days."""
    if calendar is None:
        return frozenset()
    named = calendar.country or (country if has_calendar(country) else "")
    part = calendar.subdivision or subdivision
    found = (
        frozenset().union(*(public_holidays(named, part, ahead) for ahead in range(year, year + 3)))
        if named
        else frozenset()
    )
    return (found | frozenset(calendar.add)) - frozenset(calendar.remove)


def has_calendar(country: str) -> bool:
    return {"UK": "GB"}.get(country, country) in _known()


@cache
def _known() -> dict[str, list[str]]:
    return holidays.list_supported_countries()


@cache
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of a country, or of a subdivision of it. NoSuchCalendar when the package knows neither."""
    country = {"UK": "GB"}.get(country, country)
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
    except NotImplementedError:
        if subdivision and country in _known():
            return public_holidays(country, "", year)
        raise NoSuchCalendar(
            f"No public holidays are known for {country} {subdivision}".strip()
            + ": give a country of two letters, such as FR"
        ) from None


def _region_named(law: Law, text: str) -> str:
    """The region of that key or name; the text itself where no region is called so."""
    word = text.strip().lower()
    named = (key for key, part in law.regions.items() if word in (key.lower(), *(name.lower() for name in part.names)))
    return next(named, text) if word else ""


def _region_of(law: Law, postcode: str) -> str:
    """The region whose beginning of postcode fits longest."""
    digits = postcode.replace(" ", "").upper()
    fitting = [
        (len(start), name)
        for name, part in law.regions.items()
        for start in part.postcodes
        if digits and digits.startswith(start)
    ]
    return max(fitting)[1] if fitting else ""
