"""The `relance` command."""

from __future__ import annotations

import sys


def main() -> None:
    from .commands import app

    sys.exit(app())
