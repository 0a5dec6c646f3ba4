"""The icons we may draw: the names in the sprite, read once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

SPRITE = "relance/icons.svg"


@cache
def icon_names() -> frozenset[str]:
    """Every name in the sprite."""
    sprite = Path(__file__).parent / "static" / SPRITE
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite.read_text(encoding="utf-8")))
