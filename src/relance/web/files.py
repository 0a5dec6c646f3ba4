"""The stylesheets and scripts of every page, in the order they are linked."""

from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed
from django.templatetags.static import static

PARTS = (
    "side", "menu", "button", "badge", "chip", "avatar", "tile", "card", "kpi", "strip", "callout", "rows", "table", "tabs",
    "segmented", "switch", "field", "form", "progress", "why", "timeline", "record", "dialog", "palette", "toast", "empty",
    "paging", "keys", "chart", "text", "public", "crm", "lists",
    "settings",
)  # fmt: skip
STYLESHEETS = tuple(
    f"relance/css/{name}.css"
    for name in (
        "relance",
        "tokens",
        "fonts",
        "reset",
        "base",
        "layout",
        *(f"parts/{part}" for part in PARTS),
        "util",
        "narrow",
    )
)
SCRIPTS = (
    "vendor/htmx-2.0.11/htmx.min.js",
    *(
        f"relance/js/{name}.js"
        for name in (
            "requests", "dialogs", "command-palette", "shortcuts", "list-keys", "choose-rows", "toast-rack", "theme-switch",
            "copy-button", "dirty-guard", "why-slot",
        )
    ),
)  # fmt: skip


@cache
def address_of(name: str) -> str:
    """The hashed address of a file of ours: a page names dozens, and they never change while the process runs."""
    return static(name)


def _forget_addresses(**_changed: object) -> None:
    address_of.cache_clear()


setting_changed.connect(_forget_addresses)
