"""The list of people, and what is done with those chosen in it: export, merge, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.lib.clock import utc_now
from relance.people.catalogue import Subject, fields_of
from relance.people.change import RELATIONS, current_values, delete_people, field_labels
from relance.people.merging import decide_merge, merge_people
from relance.people.models import Person
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in
from .list_pages import chosen_rows, drop_view, export_chosen, keep_view, list_page
from .lists import reference_names
from .values import shown_value

MOST_MERGED = 10


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """The list of people this reader may see."""
    return list_page(request, Subject.PERSON, "people/list.html")


@require_POST
@opens_to(Permission.EXPORT_PEOPLE)
def export_people(request: HttpRequest) -> HttpResponse:
    """The chosen people as a CSV file that computes nothing."""
    return export_chosen(request, Subject.PERSON)  # type: ignore[return-value]


@require_POST
@opens_to(Permission.VIEW_PEOPLE)
def keep_people_view(request: HttpRequest) -> HttpResponse:
    """Keep the list under a name."""
    return keep_view(request, Subject.PERSON)


@require_POST
@opens_to(Permission.VIEW_PEOPLE)
def drop_people_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view."""
    return drop_view(request, Subject.PERSON, view_id)


@require_safe
@opens_to(Permission.DELETE_PEOPLE)
def merge_preview(request: HttpRequest) -> HttpResponse:
    """Which values stay and which fill blanks, before anything is merged."""
    chosen = list(chosen_rows(request, Subject.PERSON).order_by("created_at", "pk")[: MOST_MERGED + 1])
    if not 2 <= len(chosen) <= MOST_MERGED:
        messages.error(request, _("Choose 2 to %(most)s people to merge.") % {"most": MOST_MERGED})
        return redirect("people")
    winner = next((one for one in chosen if str(one.pk) == request.GET.get("winner")), chosen[0])
    losers = [one for one in chosen if one != winner]
    return render(
        request,
        "people/merge.html",
        {"chosen": chosen, "winner": winner, "losers": losers, "rows": _merged_rows(winner, losers)},
    )


@require_POST
@opens_to(Permission.DELETE_PEOPLE)
def merge_chosen(request: HttpRequest) -> HttpResponse:
    """Merge, as the preview said."""
    chosen = {one.pk: one for one in chosen_rows(request, Subject.PERSON)[:MOST_MERGED]}
    winner = chosen.pop(int(request.POST.get("winner") or 0), None)
    if winner is None or not chosen:
        messages.error(request, _("Nothing was merged: choose at least two people, and who stays."))
        return redirect("people")
    losers = [chosen[pk] for pk in sorted(chosen)]
    merge_people(winner, *losers, actor=f"user:{signed_in(request).pk}", now=utc_now())
    messages.success(request, _("Merged into %(name)s.") % {"name": winner.full_name})
    return redirect("person", winner.pk)


@require_POST
@opens_to(Permission.DELETE_PEOPLE)
def delete_chosen(request: HttpRequest) -> HttpResponse:
    """Delete the chosen people, once it was said how many they are."""
    chosen = chosen_rows(request, Subject.PERSON)
    if request.POST.get("confirmed") != "yes":
        return render(request, "people/delete.html", {"chosen": list(chosen.order_by("name_key")[:200])})
    gone = delete_people(
        list(chosen.values_list("pk", flat=True)), actor=f"user:{signed_in(request).pk}", now=utc_now()
    )
    messages.success(request, ngettext("%(gone)s person deleted.", "%(gone)s people deleted.", gone) % {"gone": gone})
    return redirect("people")


def _merged_rows(winner: Person, losers: list[Person]) -> list[dict[str, Any]]:
    keys = [*(field.key for field in fields_of(Subject.PERSON)), *RELATIONS[Subject.PERSON]]
    mine = current_values(Subject.PERSON, winner, keys)
    others = [current_values(Subject.PERSON, loser, keys) for loser in losers]
    filled, _reasons = decide_merge(mine, others)
    labels = field_labels(Subject.PERSON, keys)
    rows = []
    for key in keys:
        differing = {shown(key, other[key]) for other in others if other[key] is not None} - {shown(key, mine[key])}
        if differing:
            stays = filled.get(key, mine[key])
            rows.append(
                {
                    "label": labels[key],
                    "stays": shown(key, stays),
                    "is_filled": key in filled,
                    "others": sorted(differing - {shown(key, stays)}),
                }
            )
    return rows


def shown(key: str, value: Any) -> str:
    """A value of a merge, references by name."""
    if key in RELATIONS[Subject.PERSON] and value is not None:
        return reference_names(key, [value]).get(value, "")
    return shown_value(value)


urlpatterns = [
    path("people", people, name="people"),
    path("people/export", export_people, name="people-export"),
    path("people/views", keep_people_view, name="people-view-keep"),
    path("people/views/<int:view_id>/delete", drop_people_view, name="people-view-drop"),
    path("people/merge", merge_preview, name="people-merge"),
    path("people/merge/now", merge_chosen, name="people-merge-now"),
    path("people/delete", delete_chosen, name="people-delete"),
]
