"""The product's web server for a benchmark: the same application, and beside it one page that does nothing, to measure against."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relance.site.settings")
settings.ROOT_URLCONF = "relance.bench.addresses"
application = get_wsgi_application()
