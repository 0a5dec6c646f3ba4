"""What can happen to consent, as the timeline says it."""

from django.utils.translation import gettext_lazy as _

from relance.activity.kinds import declare_kind

declare_kind("consent.opened", _("Consent recorded: %(kind)s, %(channel)s"), group="people", icon="circle-check")
declare_kind("consent.closed", _("Consent closed: %(kind)s, %(channel)s"), group="people", icon="user-x")
declare_kind("consent.noted", _("Recorded in the consent ledger: %(kind)s, %(channel)s"), group="people", icon="edit")
declare_kind("consent.address_changed", _("Changed her own address (%(channel)s)"), group="people", icon="user-edit")
