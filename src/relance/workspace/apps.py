"""Django's door to the room."""

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "relance.workspace"
    label = "workspace"
    default_auto_field = "django.db.models.BigAutoField"
