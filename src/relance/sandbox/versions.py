"""The API versions the org speaks, and what each offers."""

from __future__ import annotations

OLDEST = 31
LATEST = 68
LAST_WITH_LOGIN = 64  # the SOAP login call is gone from the next version on
SEASONS = ("Summer", "Winter", "Spring")

RESOURCES = {
    "composite": "composite",
    "jobs": "jobs",
    "limits": "limits",
    "query": "query",
    "queryAll": "queryAll",
    "sobjects": "sobjects",
}


def version_label(version: int) -> str:
    """`Winter '27` for 68: three releases a year, the winter one named after the year to come."""
    steps = version - OLDEST  # 31 is Summer '14
    season = SEASONS[steps % 3]
    year = 14 + steps // 3 + (season != "Summer")
    return f"{season} '{year}"


def list_versions() -> list[dict[str, str]]:
    return [
        {"label": version_label(version), "url": f"/services/data/v{version}.0", "version": f"{version}.0"}
        for version in range(OLDEST, LATEST + 1)
    ]
