"""The one place where the time of day enters: doors and workers read it here and pass it on."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
