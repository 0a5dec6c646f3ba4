"""What surrounds every request: one transaction, the reader's language, a signed-in user."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme

from relance.workspace.models import User, Workspace

from .doors import door_of
from .errors import only_a_button

Next = Callable[[HttpRequest], HttpResponse]


class OneTransaction:
    """One transaction a request, template rendering included. An exception that became an answer still rolls it back."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            response = self.get_response(request)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response = response.render()
            if response.status_code >= 500 or (response.status_code >= 400 and hasattr(request, "failed")):
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Only remember it: another middleware may still turn it into a redirect, whose writes are wanted."""
        request.failed = True  # type: ignore[attr-defined]


class ReadersLanguage:
    """The language and time zone of the user, else of the browser, else of the workspace."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        language = user.language if isinstance(user, User) else translation.get_language_from_request(request)
        zone = (user.time_zone if isinstance(user, User) else "") or _workspace_zone()
        with translation.override(language), timezone.override(zone):
            if isinstance(user, User):
                with connection.cursor() as cursor:  # who the audit triggers name
                    cursor.execute("SELECT set_config('relance.actor', %s, true)", [f"user:{user.pk}"])
            response = self.get_response(request)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response = response.render()
            if response.status_code == 405 and request.method == "GET" and not response.content:
                allowed, response = response.headers["Allow"], only_a_button(request)
                response.headers["Allow"] = allowed
        response.headers.setdefault("Content-Language", language)
        return response


class SignedInOnly:
    """Every address is closed unless its door says otherwise: a view without a door is an error of ours, found by a test."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        if getattr(view, "__module__", "").startswith("allauth.") or request.path.startswith(settings.STATIC_URL):
            return None
        door = door_of(view)
        if door.is_public or isinstance(request.user, User):
            return door.refuse(request)
        return redirect_to_login(_page_of(request))


def _page_of(request: HttpRequest) -> str:
    """Where to come back to after signing in: the page itself, or the one whose button was pressed."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    return urlsplit(came_from)._replace(scheme="", netloc="").geturl()


def _workspace_zone() -> str:
    return Workspace.objects.values_list("time_zone", flat=True).first() or settings.TIME_ZONE
