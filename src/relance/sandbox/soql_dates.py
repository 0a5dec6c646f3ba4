"""Date literals of SOQL: TODAY, LAST_N_DAYS:7, NEXT_QUARTER … each a stretch of days in the time zone of the user who asks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def date_range(name: str, count: int, today: date) -> tuple[date, date]:
    """First day of the stretch, and the first day after it. Weeks begin on Sunday; the fiscal year is the calendar's."""
    match name:
        case "TODAY" | "YESTERDAY" | "TOMORROW":
            day = today + timedelta(days={"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[name])
            return day, day + timedelta(days=1)
        case "LAST_90_DAYS":
            return today - timedelta(days=90), today + timedelta(days=1)
        case "NEXT_90_DAYS":
            return today + timedelta(days=1), today + timedelta(days=91)
        case "LAST_N_DAYS":
            return today - timedelta(days=count), today + timedelta(days=1)
        case "NEXT_N_DAYS":
            return today + timedelta(days=1), today + timedelta(days=count + 1)
        case "N_DAYS_AGO":
            return today - timedelta(days=count), today - timedelta(days=count - 1)
    relative = re.fullmatch(r"(LAST|THIS|NEXT)_(?:N_)?(?:FISCAL_)?(WEEK|MONTH|QUARTER|YEAR)S?", name)
    if relative is None:
        unit = name.removeprefix("N_").removesuffix("S_AGO").removeprefix("FISCAL_")
        return step(today, unit, -count), step(today, unit, 1 - count)
    direction, unit = relative.groups()
    span = count if "_N_" in name else 1
    first = {"LAST": -span, "THIS": 0, "NEXT": 1}[direction]
    return step(today, unit, first), step(today, unit, first + span)


def step(day: date, unit: str, count: int) -> date:
    """The first day of the unit that holds `day`, moved by so many units."""
    if unit == "WEEK":
        sunday = day - timedelta(days=(day.weekday() + 1) % 7)
        return sunday + timedelta(weeks=count)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    ordinal = (day.year * 12 + day.month - 1) // months * months + count * months
    return date(ordinal // 12, ordinal % 12 + 1, 1)


def start_of_day(day: date, zone: ZoneInfo) -> str:
    return stamp(datetime.combine(day, time(), zone))


def stamp(moment: datetime) -> str:
    """A moment as the store keeps it: UTC, milliseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_moment(text: str) -> datetime:
    """A datetime as clients write it: `Z` or an offset, with or without colon. ValueError if it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment
