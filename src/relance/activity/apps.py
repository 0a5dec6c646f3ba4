"""Django's door to the room."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from relance.lib.partitions import register_partitioned


class ActivityConfig(AppConfig):
    name = "relance.activity"
    label = "activity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register_partitioned("activity")
        autodiscover_modules("kinds")
