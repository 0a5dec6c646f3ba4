"""Every page's address, one list a module."""

from importlib import import_module

MODULES = (
    "home",
    "palette",
    "profile",
    "people",
    "person_edit",
    "person",
    "contactable",
    "companies",
    "imports",
    "why",
    "crm",
    "crm_wizard",
    "crm_mapping",
    "crm_dry_run",
    "crm_errors",
    "settings",
    "settings_workspace",
    "settings_users",
    "settings_teams",
    "custom_fields",
    "audit",
    "components",
    "setup",
    "preferences",
)

urlpatterns = [pattern for name in MODULES for pattern in import_module(f"relance.web.{name}").urlpatterns]
