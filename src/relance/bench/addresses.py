"""Every address of the product, and the page that does nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from relance.site.urls import handler400 as handler400
from relance.site.urls import handler403 as handler403
from relance.site.urls import handler404 as handler404
from relance.site.urls import handler500 as handler500
from relance.site.urls import urlpatterns as pages
from relance.web.doors import opens_to_everyone_signed_in


@opens_to_everyone_signed_in
def nothing(request: HttpRequest) -> HttpResponse:
    """What any page costs: the middleware, the session, the user, one transaction."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [path("bench/nothing", nothing, name="bench-nothing"), *pages]
