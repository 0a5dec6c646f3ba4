"""The pages one gets when something did not work: each says what is safe and what to do."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from psycopg_pool import PoolTimeout

_SERVER_WENT_AWAY = ("08", "57P01", "57P02", "57P03")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"permission": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def only_a_button(request: HttpRequest) -> HttpResponse:
    """An address that does something when a button is pressed was opened as a page: after signing in again, or from a history."""
    return render(request, "405.html", status=405)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """An error of ours, or a database that is restarting: the page needs no database, and says which it is."""
    if is_database_gone(sys.exc_info()[1]):
        page = HttpResponse(render_to_string("503.html", {"request": request}), status=503)
        page.headers["Retry-After"] = "5"
        return page
    return HttpResponse(render_to_string("500.html", {"request": request}), status=500)


def is_database_gone(error: BaseException | None) -> bool:
    """Did the database go away, rather than refuse a statement?"""
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or str(state).startswith(_SERVER_WENT_AWAY)
