"""Where a measurement was taken: figures of one machine say little on another, ratios say more."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection

from relance.lib.home import clone

from .measuring import calibrate


def describe_host() -> dict[str, Any]:
    """Processors, memory, versions, load and pace of this machine now."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        [version] = cursor.fetchone()
    return {
        "cpus": os.cpu_count() or 1,
        "mem_gb": round(memory / 2**30, 1),
        "python": platform.python_version(),
        "postgres": str(version).split(" ")[0],
        "load1": round(os.getloadavg()[0], 2),
        "calib_ms": round(calibrate(), 2),
    }


def describe_surroundings() -> dict[str, Any]:
    """What every record of one scenario tells besides its times."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        [size] = cursor.fetchone()
    return {
        "host": describe_host(),
        "commit": commit_of_clone(),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "db_mb": round(size / 2**20),
    }


def commit_of_clone() -> str:
    """The commit that runs, with a + when files differ from it; empty when this is no clone."""
    root = clone()
    if root is None or not (root / ".git").exists():
        return ""
    try:
        return _git(root, "rev-parse", "--short=12", "HEAD") + (
            "+" if _git(root, "status", "--porcelain", "src") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    told = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=True)
    return told.stdout.strip()
