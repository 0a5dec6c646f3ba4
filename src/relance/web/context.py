"""What every page's frame needs: the workspace and what waits for someone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from relance.workspace.models import Workspace


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame of a page: nothing is read before a template asks."""
    return {"workspace": _Lazily(lambda: Workspace.objects.first()), "siblings": settings.SIBLINGS}


class _Lazily:
    """A value read once, when a template first asks for it."""

    def __init__(self, read: Any) -> None:
        self._read = read

    def __call__(self) -> Any:
        if callable(self._read):
            self._read, value = None, self._read()
            self._value = value
        return self._value
