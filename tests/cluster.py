"""One throw-away PostgreSQL for the whole run, started before Django reads its settings; workers of the run inherit it."""

from __future__ import annotations

import os
import tempfile

from relance.lib.catalogues import compile_catalogues
from relance.lib.postgres import TemporaryCluster

# pytest-playwright keeps an event loop for the session; Django would refuse every later query of the process.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
os.environ.setdefault("RELANCE_HOME", tempfile.mkdtemp(prefix="relance-home-"))
os.environ.setdefault("RELANCE_ALLOW_PRIVATE_ADDRESSES", "true")

compile_catalogues()
_cluster = None if "DATABASE_URL" in os.environ else TemporaryCluster()
if _cluster:
    os.environ["DATABASE_URL"] = _cluster.__enter__()


def pytest_unconfigure() -> None:
    if _cluster:
        _cluster.__exit__(None, None, None)
