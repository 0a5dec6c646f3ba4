"""What pages call the things of the consent ledger: channels, kinds of statements, who reported them and how."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from relance.consent.statements import Channel, Kind, Speaker

CHANNELS = {
    Channel.EMAIL: _("E-mail"),
    Channel.PHONE: _("Phone call"),
    Channel.SMS: _("SMS"),
    Channel.WHATSAPP: _("WhatsApp"),
    Channel.ROBOT_CALL: _("Call by a machine"),
    Channel.LINKEDIN: _("LinkedIn"),
    Channel.POST: _("Letter by post"),
    Channel.ALL: _("Every channel"),
}
KINDS = {
    Kind.GIVEN: _("Said yes"),
    Kind.PENDING: _("Was asked to confirm"),
    Kind.CONFIRMED: _("Confirmed"),
    Kind.WITHDRAWN: _("Said no"),
    Kind.OBJECTION: _("Objected to marketing"),
    Kind.COMPLAINT: _("Reported a message as unwanted"),
    Kind.CUSTOMER: _("Became a customer"),
    Kind.CONTRACT: _("A contract runs"),
    Kind.INQUIRY: _("Inquired"),
    Kind.PUBLISHED: _("Published the address"),
    Kind.NOTICE: _("Was told at collection"),
    Kind.LISTED: _("Came on a do-not-call list"),
    Kind.DELISTED: _("Left a do-not-call list"),
    Kind.BLOCKED: _("Company blocked"),
    Kind.UNBLOCKED: _("Company no longer blocked"),
    Kind.NUMBER_BLOCKED: _("Shared number blocked"),
    Kind.MINOR: _("Is a minor"),
    Kind.ASKED: _("Was asked for consent"),
    Kind.ERASED: _("Erased"),
}
SPEAKERS = {
    Speaker.PERSON: _("the person"),
    Speaker.SELLER: _("a user"),
    Speaker.CRM: _("the CRM"),
    Speaker.PROVIDER: _("the mail provider"),
    Speaker.IMPORT: _("an import"),
    Speaker.ADMIN: _("an administrator"),
    Speaker.SYSTEM: _("Relance"),
}
WAYS = {
    "form": _("Form"),
    "page": _("Web page"),
    "mail": _("E-mail"),
    "call": _("Phone call"),
    "meeting": _("Conversation"),
    "paper": _("Paper"),
    "signed": _("Signed document"),
    "import": _("Import"),
    "one_click": _("One-click unsubscription"),
}
