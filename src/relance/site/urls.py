"""Every address: the pages, and the accounts of allauth that we open."""

from django.urls import include, path

from relance.web.profile import own_address
from relance.web.urls import urlpatterns as pages

urlpatterns = [
    path("accounts/email/", own_address),  # before allauth's page: an address is an administrator's matter
    path("accounts/", include("allauth.urls")),
    path("", include(pages)),
]

handler400 = "relance.web.errors.bad_request"
handler403 = "relance.web.errors.not_allowed"
handler404 = "relance.web.errors.not_found"
handler500 = "relance.web.errors.broken"
