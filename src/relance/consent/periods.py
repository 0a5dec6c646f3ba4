"""Periods as a law writes them: 3 years, 6 months, 30 days, 24 hours. Months and years follow the calendar. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_WRITTEN = re.compile(r"^([0-9]{1,6}) ?(second|minute|hour|day|week|month|year)s?$")
LONGEST = 100 * 366 * 86_400
_MONTH = 30 * 86_400
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


@dataclass(frozen=True, slots=True)
class Period:
    """So many months, then so many seconds."""

    months: int = 0
    seconds: int = 0

    def after(self, moment: datetime) -> datetime:
        """The instant at which the period is over. Counted in UTC, so that no change of clocks lengthens it."""
        return _plus_months(moment.astimezone(UTC), self.months) + timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        if self.months:
            return _counted(self.months // 12, "year") if self.months % 12 == 0 else _counted(self.months, "month")
        for unit in ("day", "hour", "minute"):
            if self.seconds and self.seconds % _SECONDS[unit] == 0:
                return _counted(self.seconds // _SECONDS[unit], unit)
        return _counted(self.seconds, "second")


def read_period(text: str) -> Period:
    """`3 years`, `30 days`, `90 seconds`. ValueError says what was expected."""
    parts = _WRITTEN.match(text.strip().lower())
    if parts is None:
        raise ValueError(
            f"“{text}” is not a period: write one such as 3 years, 6 months, 30 days, 24 hours or 90 seconds"
        )
    count, unit = int(parts[1]), parts[2]
    if count * _SECONDS.get(unit, _MONTH if unit == "month" else 12 * _MONTH) > LONGEST:
        raise ValueError(f"“{text}” is longer than a century")
    if unit in ("month", "year"):
        return Period(months=count * (12 if unit == "year" else 1))
    return Period(seconds=count * _SECONDS[unit])


def _plus_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
