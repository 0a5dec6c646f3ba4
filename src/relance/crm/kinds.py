"""What the sync tells on a person's timeline. `field` in a payload is a key of the catalogue."""

from django.utils.translation import gettext_lazy as _

from relance.activity.kinds import declare_kind

declare_kind("crm.created", _("Came from %(crm)s (%(object)s %(crm_id)s)."), group="crm", icon="download")
declare_kind("crm.linked", _("Linked to %(object)s %(crm_id)s in %(crm)s."), group="crm", icon="link")
declare_kind("crm.updated", _("Updated from %(crm)s."), group="crm", icon="refresh")
declare_kind(
    "crm.value_reverted",
    _("“%(before)s” was put back to “%(after)s”: the side that wrote it is not the one that is right here."),
    group="crm",
    icon="arrow-back-up",
)
declare_kind("crm.sent", _("Sent to %(crm)s."), group="crm", icon="upload")
declare_kind("crm.sent_new", _("Created in %(crm)s (%(object)s %(crm_id)s)."), group="crm", icon="upload")
declare_kind("crm.refused", _("%(crm)s refused the change: %(message)s"), group="crm", icon="alert-triangle")
declare_kind(
    "crm.converted",
    _("The lead was converted in %(crm)s; the contact leads from now on."),
    group="crm",
    icon="switch-horizontal",
)
declare_kind(
    "crm.deleted",
    _("Deleted in %(crm)s. The person stays here, and is not made again there."),
    group="crm",
    icon="trash",
)
declare_kind("crm.merged", _("The record was merged into another in %(crm)s."), group="crm", icon="git-merge")
