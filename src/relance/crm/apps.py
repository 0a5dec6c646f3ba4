"""Django's door to the room."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "relance.crm"
    label = "crm"
    default_auto_field = "django.db.models.BigAutoField"
