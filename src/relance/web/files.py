"""The stylesheets and scripts of every page, in the order they are linked."""

from __future__ import annotations

PARTS = (
    "side", "menu", "button", "badge", "chip", "avatar", "tile", "card", "kpi", "strip", "callout", "rows", "table", "tabs",
    "segmented", "switch", "field", "form", "progress", "why", "timeline", "record", "dialog", "palette", "toast", "empty",
    "paging", "keys", "chart", "text", "public",
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
