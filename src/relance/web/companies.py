"""Companies: the list, the record with its people, and making or changing one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.lib.clock import utc_now
from relance.people.catalogue import Subject, fields_of
from relance.people.change import delete_company
from relance.people.facts import company_values_of
from relance.people.models import Company, Person
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in
from .list_pages import drop_view, export_chosen, keep_view, list_page
from .record_form import change_page, creation_page
from .values import shown_value

PEOPLE_SHOWN = 50


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_PEOPLE)
def companies(request: HttpRequest) -> HttpResponse:
    """The list of companies this reader may see."""
    return list_page(request, Subject.COMPANY, "companies/list.html")


@require_safe
@opens_to(Permission.VIEW_PEOPLE)
def company(request: HttpRequest, company_id: int) -> HttpResponse:
    """One company: its fields, its people."""
    user = signed_in(request)
    found = get_object_or_404(Company.objects.visible_to(user).select_related("owner", "team"), pk=company_id)
    people = Person.objects.visible_to(user).filter(company=found).select_related("owner").order_by("name_key", "pk")
    total = people.count()
    return render(
        request,
        "companies/record.html",
        {
            "company": found,
            "facts": _facts(found),
            "people": people[:PEOPLE_SHOWN],
            "total": total,
            "has_more": total > PEOPLE_SHOWN,
            "may_edit": user.may(Permission.EDIT_PEOPLE),
            "may_delete": user.may(Permission.DELETE_PEOPLE),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.EDIT_PEOPLE)
def new_company(request: HttpRequest) -> HttpResponse:
    """Add a company."""
    return creation_page(request, Subject.COMPANY)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@opens_to(Permission.EDIT_PEOPLE)
def edit_company(request: HttpRequest, company_id: int) -> HttpResponse:
    """Change a company's fields."""
    found = get_object_or_404(Company.objects.visible_to(signed_in(request)), pk=company_id)
    return change_page(request, Subject.COMPANY, found)


@require_POST
@opens_to(Permission.DELETE_PEOPLE)
def remove_company(request: HttpRequest, company_id: int) -> HttpResponse:
    """Delete a company; its people stay."""
    user = signed_in(request)
    found = get_object_or_404(Company.objects.visible_to(user), pk=company_id)
    delete_company(found, actor=f"user:{user.pk}", now=utc_now())
    messages.success(request, _("%(name)s deleted; its people stay.") % {"name": found.name})
    return redirect("companies")


@require_POST
@opens_to(Permission.EXPORT_PEOPLE)
def export_companies(request: HttpRequest) -> HttpResponse:
    """The chosen companies as a CSV file."""
    return export_chosen(request, Subject.COMPANY)  # type: ignore[return-value]


@require_POST
@opens_to(Permission.VIEW_PEOPLE)
def keep_companies_view(request: HttpRequest) -> HttpResponse:
    """Keep the list under a name."""
    return keep_view(request, Subject.COMPANY)


@require_POST
@opens_to(Permission.VIEW_PEOPLE)
def drop_companies_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view."""
    return drop_view(request, Subject.COMPANY, view_id)


def _facts(found: Company) -> list[dict[str, Any]]:
    fields = [field for field in fields_of(Subject.COMPANY) if field.key != "name"]
    values = company_values_of([found.pk], [field.key for field in fields])[found.pk]
    return [
        {"label": field.label, "value": shown_value(values[field.key]), "kind": field.kind.value}
        for field in fields
        if values[field.key] is not None
    ]


urlpatterns = [
    path("companies", companies, name="companies"),
    path("companies/new", new_company, name="company-new"),
    path("companies/export", export_companies, name="companies-export"),
    path("companies/views", keep_companies_view, name="companies-view-keep"),
    path("companies/views/<int:view_id>/delete", drop_companies_view, name="companies-view-drop"),
    path("companies/<int:company_id>", company, name="company"),
    path("companies/<int:company_id>/edit", edit_company, name="company-edit"),
    path("companies/<int:company_id>/delete", remove_company, name="company-delete"),
]
