"""Django's door to the room."""

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "relance.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import personal  # noqa: F401 - registers what this room keeps of a person
