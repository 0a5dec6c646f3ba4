"""Every address: the pages, and the accounts of allauth that we open."""

from django.urls import include, path

from relance.web.urls import urlpatterns as pages

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include(pages)),
]

handler400 = "relance.web.errors.bad_request"
handler403 = "relance.web.errors.not_allowed"
handler404 = "relance.web.errors.not_found"
handler500 = "relance.web.errors.broken"
