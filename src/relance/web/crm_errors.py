"""What the CRM refuses, by cause: whose move it is, what happens otherwise, who waits, and another try."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.crm.connection import connection_state
from relance.crm.errors import retry_errors
from relance.crm.models import Connection
from relance.crm.page_facts import refusal_causes, refused_subjects, resolved_causes
from relance.crm.rules import ConnectionState
from relance.crm.tasks import cycle_key, sync_connection
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .crm_frame import Frame, frame_context, open_frame
from .crm_words import CauseWords, cause_words, code_title
from .doors import opens_to, signed_in
from .formats import number

DAYS_OF_RESOLVED = 7


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_CRM)
def errors(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The causes, one of them opened; or record by record. For htmx the opened cause alone."""
    frame = open_frame(connection_id)
    causes = _causes(frame.connection)
    context = {**frame_context(frame, "crm-errors", request), "causes": causes}
    if request.GET.get("by") == "record":
        return render(request, "crm/errors_by_record.html", {**context, **_people(request, frame, "")})
    asked = request.GET.get("cause", "")
    opened = next((words for words in causes if words.cause.cause_key == asked), None)
    context |= {"is_asked": opened is not None, "opened": opened or next(iter(causes), None)}
    if context["opened"]:
        context |= _people(request, frame, context["opened"].cause.cause_key)
    if request.headers.get("HX-Request"):
        return render(request, "crm/_cause.html", context)
    since = timezone.now() - timedelta(days=DAYS_OF_RESOLVED)
    resolved = [{"title": code_title(one.code), "one": one} for one in resolved_causes(frame.connection, since)]
    return render(request, "crm/errors.html", {**context, "resolved": resolved})


def _causes(connection: Connection) -> list[CauseWords]:
    zone = timezone.get_current_timezone()
    causes = refusal_causes([connection.pk], today=timezone.localdate(), zone=str(zone))
    return [cause_words(cause, connection.name) for cause in causes]


def _people(request: HttpRequest, frame: Frame, cause_key: str) -> dict[str, Any]:
    after = request.GET.get("after", "")
    found = refused_subjects(
        frame.connection,
        signed_in(request),
        cause_key=cause_key,
        after=int(after) if after.isdecimal() and len(after) < 19 else 0,
    )
    # The answer holds what was sent: it is told of somebody this reader may see, never of another team's.
    shown = next((json.dumps(one.error.body, ensure_ascii=False, indent=1) for one in found.subjects), "")
    return {"found": found, "is_first": not after, "body": shown}


@require_POST
@opens_to(Permission.RETRY_CRM)
def retry(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Send again: one record, those of a cause, or all. Only what the asker may see counts as one record."""
    connection = get_object_or_404(Connection, pk=connection_id)
    user, cause_key, asked = signed_in(request), request.POST.get("cause", ""), request.POST.get("error", "")
    if asked and not _is_theirs(connection, user, asked):
        messages.warning(request, _("This record goes through already, or belongs to another team."))
        return _back(connection_id, cause_key)
    again = retry_errors(connection, cause_key, ids=[int(asked)] if asked else (), by=user)
    if not again:
        messages.warning(request, _("Nothing had to be sent again: these records wait in the queue already."))
        return _back(connection_id, cause_key)
    if connection_state(connection) is not ConnectionState.ENABLED:
        said = ngettext(
            "%(count)s record waits and leaves as soon as the connection runs.",
            "%(count)s records wait and leave as soon as the connection runs.",
            again,
        )
    else:
        sync_connection.defer_once(cycle_key(connection_id), connection_id=connection_id)
        said = ngettext("%(count)s record leaves again.", "%(count)s records leave again.", again)
    messages.success(request, said % {"count": number(again)})
    return _back(connection_id, cause_key)


def _is_theirs(connection: Connection, user: User, asked: str) -> bool:
    if not asked.isdecimal() or len(asked) > 18:
        return False
    found = refused_subjects(connection, user, after=int(asked) - 1, limit=1)
    return any(subject.error.pk == int(asked) for subject in found.subjects)


def _back(connection_id: int, cause_key: str) -> HttpResponse:
    address = reverse("crm-errors", args=[connection_id])
    return redirect(f"{address}?{urlencode({'cause': cause_key})}" if cause_key else address)


urlpatterns = [
    path("crm/<int:connection_id>/errors", errors, name="crm-errors"),
    path("crm/<int:connection_id>/errors/retry", retry, name="crm-retry"),
]
