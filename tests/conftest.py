"""The fixed cast and the fixtures every test may use."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """No pool in tests: Django drops the test database, and a pool would hold it."""
    from django.conf import settings

    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
