"""Django's door to the room."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "relance.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
