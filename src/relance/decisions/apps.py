"""Django's door to the room."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from relance.lib.clock import utc_now
from relance.lib.partitions import make_partitions, register_partitioned


class DecisionsConfig(AppConfig):
    name = "relance.decisions"
    label = "decisions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register_partitioned("decision")
        autodiscover_modules("reasons")
        post_migrate.connect(_make_partitions, sender=self)


def _make_partitions(**signal: Any) -> None:
    """After all migrations ran: the months of every log are there before the first line is written."""
    make_partitions(utc_now())
