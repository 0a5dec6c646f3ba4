"""Making a person, and changing one's fields: a page, or for htmx the form alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from relance.people.catalogue import Subject
from relance.people.models import Person
from relance.workspace.rules import Permission

from .doors import opens_to, signed_in
from .record_form import change_page, creation_page


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.EDIT_PEOPLE)
def new_person(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    return creation_page(request, Subject.PERSON)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@opens_to(Permission.EDIT_PEOPLE)
def edit_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Change a person's fields."""
    person = get_object_or_404(Person.objects.visible_to(signed_in(request)), pk=person_id)
    return change_page(request, Subject.PERSON, person)


urlpatterns = [
    path("people/new", new_person, name="person-new"),
    path("people/<int:person_id>/edit", edit_person, name="person-edit"),
]
