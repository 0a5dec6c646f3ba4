"""The CRM's pages: the state of a connection, what was exchanged, its log; pausing, switching off, disconnecting, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.crm.connection import (
    connection_state,
    disable_connection,
    disconnect_connection,
    enable_connection,
    pause_connection,
    preview_pause,
    resume_connection,
    verify_connection,
)
from relance.crm.describing import describe_changes, refresh_descriptions
from relance.crm.dialect import CrmError
from relance.crm.mapping import approved_mapping, check_mapping, draft_mapping
from relance.crm.models import Connection, SyncRun
from relance.crm.opening import crm_opened
from relance.crm.page_facts import health_by_hour, linked_subjects, seen_connections, sync_figures, unmapped_owners
from relance.crm.rules import ConnectionState, EventKind, RunKind, RunState
from relance.crm.shapes import SHAPES
from relance.crm.tasks import cycle_key, sync_connection
from relance.workspace.rules import Permission

from .crm_frame import (
    LIVING,
    STATE_WORDS,
    Frame,
    exchange_chart,
    frame_context,
    lag_tone,
    lag_words,
    open_frame,
    state_sentence,
)
from .crm_words import change_words, health_words, trouble_of
from .doors import opens_to, signed_in

RUNS_A_PAGE = 50
MOVED = ("new", "updated", "reverted", "refused", "pushed", "deleted", "converted")
RUN_WORDS = {
    RunKind.INITIAL: gettext_lazy("First read"),
    RunKind.PULL: gettext_lazy("Read"),
    RunKind.SETTLE: gettext_lazy("Our changes decided"),
    RunKind.PUSH: gettext_lazy("Sent"),
    RunKind.SWEEP: gettext_lazy("All ids compared"),
    RunKind.FORMULAS: gettext_lazy("Formulas read again"),
}
RUN_STATES = {
    RunState.RUNNING: (gettext_lazy("Running"), "info", "loader-2"),
    RunState.DONE: (gettext_lazy("Done"), "ok", "check"),
    RunState.STOPPED: (gettext_lazy("Stopped, goes on next time"), "", "player-pause"),
    RunState.FAILED: (gettext_lazy("Failed"), "bad", "x"),
}
EVENT_WORDS = {
    EventKind.VERIFIED: (gettext_lazy("Verified"), "plug-connected", "accent"),
    EventKind.ENABLED: (gettext_lazy("Switched on"), "player-play", "ok"),
    EventKind.PAUSED: (gettext_lazy("Paused"), "player-pause", "warn"),
    EventKind.RESUMED: (gettext_lazy("Resumed"), "player-play", "ok"),
    EventKind.DISABLED: (gettext_lazy("Switched off"), "power", "warn"),
    EventKind.BROKEN: (gettext_lazy("Broke"), "plug-x", "bad"),
    EventKind.REPAIRED: (gettext_lazy("Works again"), "check", "ok"),
    EventKind.DISCONNECTED: (gettext_lazy("Disconnected"), "plug-x", "warn"),
    EventKind.RECONNECTED: (gettext_lazy("Connected again"), "plug-connected", "ok"),
}


# ── Where one arrives ────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
@opens_to(Permission.VIEW_CRM)
def crm(request: HttpRequest) -> HttpResponse:
    """No connection yet: how to begin. One: its overview. Several: their list."""
    seen = seen_connections()
    if len(seen) == 1:
        return redirect("crm-connection", seen[0].connection.pk)
    may_manage = signed_in(request).may(Permission.MANAGE_CRM)
    if not seen:
        return render(request, "crm/none.html", {"may_manage": may_manage})
    now = timezone.now()
    listed = []
    for one in seen:
        figures = sync_figures([one.connection.pk])
        told = {"seen": one, "words": STATE_WORDS[one.state], "figures": figures, "lag": lag_words(figures, now)}
        listed.append(told | {"linked": linked_subjects([one.connection.pk])})
    return render(request, "crm/list.html", {"listed": listed, "may_manage": may_manage})


# ── Overview ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_CRM)
def overview(request: HttpRequest, connection_id: int) -> HttpResponse:
    """How the connection stands. For htmx only the line of checks, asked again every ten seconds."""
    frame = open_frame(connection_id)
    if frame.seen.state not in LIVING and not frame.fields and signed_in(request).may(Permission.MANAGE_CRM):
        return redirect("crm-setup", connection_id)
    context = {**frame_context(frame, "crm-connection", request), **_checks(frame)}
    if request.headers.get("HX-Request"):
        return render(request, "crm/_checks.html", context)
    now, connection = timezone.now(), frame.connection
    health = health_by_hour(connection, now)
    owners = unmapped_owners([connection.pk])
    return render(
        request,
        "crm/overview.html",
        {
            **context,
            "chart": exchange_chart([connection.pk], now),
            "health": health,
            "health_says": health_words(health),
            "runs": [_run_row(run) for run in _eventful(connection)[:6]],
            "draft": draft_mapping(connection),
            "owners": owners[:5],
            "owners_people": sum(owner.people for owner in owners),
            "owners_more": max(len(owners) - 5, 0),
            "trouble": trouble_of(frame.seen),
            "said": state_sentence(frame.seen),
            "linked": linked_subjects([connection.pk]),
            "effect": preview_pause(connection),
        },
    )


def _checks(frame: Frame) -> dict[str, Any]:
    """The line of checks: connection, user, rights, budget, delay, what waits."""
    now, connection = timezone.now(), frame.connection
    approved = approved_mapping(connection)
    findings = [finding for finding in check_mapping(approved) if finding.is_error] if approved else []
    used, limit = connection.api_used, connection.api_limit
    share = 100 * used / limit if used is not None and limit else None
    return {
        "approved": approved,
        "said": state_sentence(frame.seen),
        "findings": findings,
        "api_share": share,
        "api_tone": "ok" if share is None or share < 80 else "warn" if share < 95 else "bad",
        "lag": lag_words(frame.figures, now),
        "lag_tone": lag_tone(frame.figures, now),
    }


# ── Log ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
@opens_to(Permission.VIEW_CRM)
def log(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Its runs, what was done to the connection, or what changed in the CRM's fields."""
    frame = open_frame(connection_id)
    context = frame_context(frame, "crm-log", request)
    match request.GET.get("show"):
        case "connection":
            events = frame.connection.events.select_related("by").order_by("-id")[:200]
            told = [{"event": event, "words": EVENT_WORDS[EventKind(event.kind)]} for event in events]
            return render(request, "crm/log_connection.html", {**context, "events": told, "show": "connection"})
        case "fields":
            return render(
                request, "crm/log_fields.html", {**context, "changes": _changes(frame.connection), "show": "fields"}
            )
        case _:
            return render(
                request, "crm/log_runs.html", {**context, **_runs_page(frame.connection, request), "show": "runs"}
            )


def _runs_page(connection: Connection, request: HttpRequest) -> dict[str, Any]:
    shows_all = request.GET.get("all") == "1"
    runs = connection.runs.order_by("-id") if shows_all else _eventful(connection)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        runs = runs.filter(pk__lt=int(before))
    found = list(runs[: RUNS_A_PAGE + 1])
    page = found[:RUNS_A_PAGE]
    return {
        "runs": [_run_row(run) for run in page],
        "shows_all": shows_all,
        "later": page[-1].pk if len(found) > RUNS_A_PAGE else None,
        "is_first": not before,
    }


def _eventful(connection: Connection) -> Any:
    """Runs that moved something, failed, or are not over: a quiet minute is no news."""
    moved = Q()
    for name in MOVED:
        moved |= Q(**{f"counts__{name}__gt": 0})
    return connection.runs.filter(moved | ~Q(state=RunState.DONE.value) | Q(kind=RunKind.INITIAL.value)).order_by("-id")


def _run_row(run: SyncRun) -> dict[str, Any]:
    label, tone, icon = RUN_STATES[RunState(run.state)]
    return {
        "run": run,
        "kind": RUN_WORDS[RunKind(run.kind)],
        "counts": {name: run.counts.get(name, 0) for name in ("read", *MOVED)},
        "lasted": run.ended_at - run.started_at if run.ended_at else None,
        "state": {"label": label, "tone": tone, "icon": icon},
    }


def _changes(connection: Connection) -> list[dict[str, Any]]:
    """What changed in the objects we sync, newest first."""
    told = [
        {"at": at, "object": shape.object, "said": [change_words(change) for change in changes]}
        for shape in SHAPES[connection.dialect]
        for at, changes in describe_changes(connection, shape.object)
        if changes
    ]
    return sorted(told, key=lambda one: one["at"], reverse=True)


# ── What is done to a connection ─────────────────────────────────────────────────────────────────────────────────────


@require_POST
@opens_to(Permission.MANAGE_CRM)
def pause(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Stop reading and sending; one click undoes it."""
    said = _("The sync is paused. Changes are noted and wait.")
    return _stop(request, connection_id, pause_connection, said)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def disable(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Switch it off until somebody switches it on again."""
    return _stop(request, connection_id, disable_connection, _("The connection is switched off."))


@require_POST
@opens_to(Permission.MANAGE_CRM)
def disconnect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Leave the CRM, keeping what is needed to come back."""
    return _stop(request, connection_id, disconnect_connection, _("The CRM is disconnected. Nothing was deleted."))


def _stop(request: HttpRequest, connection_id: int, verb: Callable[..., None], said: str) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=connection_id)
    verb(connection, by=signed_in(request), why=request.POST.get("why", "").strip()[:500])
    undo = reverse("crm-resume", args=[connection_id])
    messages.success(request, said, extra_tags=f"undo:{undo}")
    return redirect("crm-connection", connection_id)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def resume(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Go on from where it stood, whatever stopped it."""
    connection = get_object_or_404(Connection, pk=connection_id)
    resume_connection(connection, by=signed_in(request))
    messages.success(
        request,
        _("The sync goes on from where it stood."),
        extra_tags=f"undo:{reverse('crm-pause', args=[connection_id])}",
    )
    return redirect("crm-connection", connection_id)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def enable(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Let values move, now that a mapping is approved."""
    connection = get_object_or_404(Connection, pk=connection_id)
    try:
        enable_connection(connection, by=signed_in(request))
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("crm-setup", connection_id)
    undo = reverse("crm-disable", args=[connection_id])
    messages.success(
        request, _("The connection is on: the first read begins within a minute."), extra_tags=f"undo:{undo}"
    )
    return redirect("crm-connection", connection_id)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def verify(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Sign in now and say who answers."""
    connection = get_object_or_404(Connection, pk=connection_id)
    try:
        identity = verify_connection(connection, by=signed_in(request))
    except CrmError as error:
        messages.error(request, _("The CRM did not let us in. %(error)s") % {"error": error})
    else:
        messages.success(
            request, _("%(org)s answers, as %(user)s.") % {"org": identity.name, "user": identity.username}
        )
    return redirect("crm-connection", connection_id)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def sync_now(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Ask for a cycle at once rather than within the minute."""
    connection = get_object_or_404(Connection, pk=connection_id)
    if connection_state(connection) is not ConnectionState.ENABLED:
        messages.warning(request, _("The connection is not running: resume or repair it first."))
    elif sync_connection.defer_once(cycle_key(connection_id), connection_id=connection_id):
        messages.success(request, _("A cycle was asked for; the figures follow by themselves."))
    else:
        messages.success(request, _("A cycle waits already: it begins in a moment."))
    return redirect("crm-connection", connection_id)


@require_POST
@opens_to(Permission.MANAGE_CRM)
def describe(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Read the CRM's fields again, and say what changed since the last time."""
    connection = get_object_or_404(Connection, pk=connection_id)
    try:
        with crm_opened(connection) as client:
            changes = refresh_descriptions(connection, client, now=timezone.now())
    except CrmError as error:
        messages.error(request, _("The fields could not be read again. %(error)s") % {"error": error})
        return redirect("crm-fields", connection_id)
    if changes:
        messages.success(request, _("The fields were read again: %(count)s changed.") % {"count": len(changes)})
        return redirect(f"{reverse('crm-log', args=[connection_id])}?show=fields")
    messages.success(request, _("The fields were read again: nothing has changed."))
    return redirect("crm-fields", connection_id)


urlpatterns = [
    path("crm", crm, name="crm"),
    path("crm/<int:connection_id>", overview, name="crm-connection"),
    path("crm/<int:connection_id>/log", log, name="crm-log"),
    path("crm/<int:connection_id>/pause", pause, name="crm-pause"),
    path("crm/<int:connection_id>/resume", resume, name="crm-resume"),
    path("crm/<int:connection_id>/disable", disable, name="crm-disable"),
    path("crm/<int:connection_id>/disconnect", disconnect, name="crm-disconnect"),
    path("crm/<int:connection_id>/enable", enable, name="crm-enable"),
    path("crm/<int:connection_id>/verify", verify, name="crm-verify"),
    path("crm/<int:connection_id>/sync", sync_now, name="crm-sync"),
    path("crm/<int:connection_id>/describe", describe, name="crm-describe"),
]
