"""What can happen to people and companies, as the timeline says it."""

from django.utils.translation import gettext_lazy as _

from relance.activity.kinds import declare_kind

declare_kind("person.created", _("Added to the workspace"), group="people", icon="user-plus")
declare_kind("person.changed", _("Changed: %(names)s"), group="people", icon="user-edit")
declare_kind("person.merged", _("%(loser)s was merged into this person"), group="people", icon="git-merge")
declare_kind("person.merged_away", _("Merged into person %(winner)s"), group="people", icon="git-merge")
declare_kind("person.deleted", _("Deleted"), group="people", icon="user-x")
declare_kind("person.erased", _("Erased: personal values were removed everywhere"), group="people", icon="user-x")
declare_kind("people.exported", _("%(rows)s rows exported to a file"), group="people", icon="file-export")
declare_kind("company.created", _("Company added to the workspace"), group="people", icon="building")
declare_kind("company.changed", _("Company changed: %(names)s"), group="people", icon="edit")
declare_kind("company.deleted", _("Company deleted"), group="people", icon="trash")
declare_kind("import.created", _("Created by the import of %(file)s, row %(row)s"), group="import", icon="file-import")
declare_kind("import.updated", _("Changed by the import of %(file)s, row %(row)s"), group="import", icon="file-import")
declare_kind(
    "import.undone", _("The import of %(file)s was undone for this person"), group="import", icon="arrow-back-up"
)
