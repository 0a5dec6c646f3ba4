"""What pages say of a CRM's refusals: where they come from, whose move it is, what to do. The CRM's own words stay beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from relance.crm.describing import DescribeChange
from relance.crm.dialect import CrmError, Layer, Move, Retry
from relance.crm.page_facts import RefusalCause, SeenConnection
from relance.crm.rules import ConnectionState
from relance.crm.salesforce.errors_catalogue import known_code

from .formats import number

Text = str | Promise


@dataclass(frozen=True, slots=True)
class LayerWords:
    """What a family of refusals is called, and its icon."""

    title: Text
    icon: str
    tone: str = "warn"


LAYER_WORDS = {
    Layer.CONNECTION: LayerWords(gettext_lazy("Connection refused"), "plug-x", "bad"),
    Layer.PERMISSION: LayerWords(gettext_lazy("Missing right"), "lock-access"),
    Layer.SCHEMA: LayerWords(gettext_lazy("Field not there any more"), "table-column"),
    Layer.DATA: LayerWords(gettext_lazy("Value not accepted"), "list-details"),
    Layer.REFERENCE: LayerWords(gettext_lazy("Record not found"), "link-off"),
    Layer.RULE: LayerWords(gettext_lazy("Rule of the CRM"), "forms", "bad"),
    Layer.DUPLICATE: LayerWords(gettext_lazy("Duplicate found"), "copy"),
    Layer.LIMIT: LayerWords(gettext_lazy("Limit reached"), "clock-exclamation"),
    Layer.LOCK: LayerWords(gettext_lazy("Record locked"), "lock"),
    Layer.UNKNOWN: LayerWords(gettext_lazy("Refused by the CRM"), "alert-triangle"),
}
CODE_TITLES = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": gettext_lazy("Validation rule"),
    "REQUIRED_FIELD_MISSING": gettext_lazy("Required field is empty"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": gettext_lazy("Value outside the list"),
    "STRING_TOO_LONG": gettext_lazy("Value too long"),
    "INVALID_EMAIL_ADDRESS": gettext_lazy("E-mail address not accepted"),
    "INACTIVE_OWNER_OR_USER": gettext_lazy("Owner is inactive"),
    "ENTITY_IS_DELETED": gettext_lazy("Record deleted in the CRM"),
    "CANNOT_UPDATE_CONVERTED_LEAD": gettext_lazy("Lead already converted"),
}
MOVE_WORDS = {
    Move.OURS: gettext_lazy("Nobody has to act: Relance tries again by itself."),
    Move.RELANCE_ADMIN: gettext_lazy("A Relance administrator can settle this here."),
    Move.CRM_ADMIN: gettext_lazy("The administrator of the CRM has to act."),
    Move.OWNER: gettext_lazy("Whoever looks after these people can settle this, by correcting the values."),
    Move.VENDOR: gettext_lazy("The CRM's own support has to act, or time will settle it."),
}
RETRY_WORDS = {
    Retry.LATER: gettext_lazy("The same values are sent again by themselves after a while."),
    Retry.AFTER_FIX: gettext_lazy(
        "Sending again works once the setting was changed in the CRM; nothing is sent before."
    ),
    Retry.ON_CHANGE: gettext_lazy("Each record leaves again by itself as soon as one of its values changes."),
    Retry.NEVER: gettext_lazy("Nothing is sent again by itself: that could lock the user of the integration out."),
}

REMEDIES: dict[str, Text] = {
    # The connection
    "reconnect": gettext_lazy("Sign in again: correct the key, the secret or the token in “Change how we sign in”."),
    "allow_api_for_user": gettext_lazy("Ask the CRM administrator to give our user the permission “API Enabled”."),
    "allow_api_for_org": gettext_lazy("This edition of the CRM has no API: ask the CRM administrator or the vendor to turn it on."),
    "approve_app": gettext_lazy("Ask the CRM administrator to approve our user for the External Client App (Policies › Permitted users)."),
    "unlock_user": gettext_lazy("Ask the CRM administrator to unlock our user, then verify again."),
    "allow_addresses": gettext_lazy("Ask the CRM administrator to allow the network address of this server (Setup › Network Access, or the profile's login IP ranges)."),
    "login_hours": gettext_lazy("Ask the CRM administrator to let our user sign in at any hour (the profile's login hours)."),
    "security_policy": gettext_lazy("Ask the CRM administrator which transaction security policy stops our user."),
    "org_closed": gettext_lazy("The organisation is closed or its trial is over: ask the CRM administrator."),
    "activate_user": gettext_lazy("Ask the CRM administrator to activate our user again."),
    "run_as_user": gettext_lazy("In the External Client App, under Client Credentials Flow, choose the user it runs as."),
    "app_key": gettext_lazy("Copy the consumer key again from the External Client App (Settings › OAuth Settings › Consumer Key and Secret)."),
    "enable_flow": gettext_lazy("In the External Client App, turn on the flow chosen here and the scopes “api” and “refresh_token”."),
    "org_swapped": gettext_lazy("This connection belongs to another organisation. Correct the address, or make a new connection for this one."),
    "private_key": gettext_lazy("Give the private key as a whole, from BEGIN PRIVATE KEY to END PRIVATE KEY, without a passphrase."),
    "address_https": gettext_lazy("Give an address that begins with https://."),
    "address_private": gettext_lazy("This address lies inside a private network, where Relance does not call. Give the CRM's public address."),
    "address_unknown": gettext_lazy("Check the address: it is your own domain in the CRM, such as https://yourcompany.my.salesforce.com."),
    "ca_file": gettext_lazy("Give the file of the certificate authority that vouches for this CRM, as a path on the server."),
    "api_version": gettext_lazy("Choose a version of the API that this organisation knows."),
    # One record
    "validation_rule": gettext_lazy("Fill in what the rule asks for, or ask the CRM administrator to change the rule."),
    "fill_required": gettext_lazy("Fill in the field, or map it in CRM › Fields if it is not mapped."),
    "picklist_value": gettext_lazy("Correct the value, or translate it with a table of values in CRM › Fields."),
    "link_duplicate": gettext_lazy("Link the person to the record that exists already, or ask the CRM administrator about the duplicate rule."),
    "merge_duplicates": gettext_lazy("Ask the CRM administrator to merge the records that carry the same key."),
    "correct_value": gettext_lazy("Correct the value on the person's page."),
    "correct_email": gettext_lazy("Correct the e-mail address on the person's page."),
    "shorten_value": gettext_lazy("Shorten the value, or map the field to a longer one in CRM › Fields."),
    "convert_value": gettext_lazy("Map the field to one of the same kind in CRM › Fields."),
    "grant_record": gettext_lazy("Ask the CRM administrator to let our user edit these records."),
    "grant_related_record": gettext_lazy("Ask the CRM administrator to let our user see the record this one points to."),
    "grant_object": gettext_lazy("Ask the CRM administrator to give our user the right on this object."),
    "grant_field": gettext_lazy("Ask the CRM administrator to let our user edit the field, or map it from the CRM only."),
    "map_owner": gettext_lazy("Give these people an owner who is active in the CRM."),
    "trigger": gettext_lazy("An Apex trigger stopped the change: show its message to the CRM administrator."),
    "flow": gettext_lazy("A flow stopped the change: show its message to the CRM administrator."),
    "lookup_filter": gettext_lazy("A lookup filter refuses the record pointed to: ask the CRM administrator."),
    "deleted_row": gettext_lazy("Restore the record in the CRM; the link comes back with it."),
    "request_budget": gettext_lazy("The CRM's calls of the day are used up; the sync goes on by itself when some are free again."),
    "refresh_fields": gettext_lazy("Read the CRM's fields again, then correct the mapping in CRM › Fields."),
    "wait": gettext_lazy("Nothing to do: it is tried again by itself."),
}  # fmt: skip
READ_THE_MESSAGE = gettext_lazy(
    "Read the CRM's own words below, and show them to its administrator if they do not help."
)


def remedy_words(remedy: str) -> str:
    """Our advice for a remedy's key; the general one when there is none."""
    return str(REMEDIES.get(remedy, READ_THE_MESSAGE))


@dataclass(frozen=True, slots=True)
class CauseWords:
    """A cause as the inbox shows it."""

    cause: RefusalCause
    title: str
    detail: str
    icon: str
    tone: str
    headline: str
    why: str
    effect: str
    otherwise: str
    remedy: str
    move: str


def code_title(code: str, message: str = "") -> str:
    """What a code is called, by itself or by its family."""
    return str(CODE_TITLES.get(code, LAYER_WORDS[known_code(code, message).layer].title))


def cause_words(cause: RefusalCause, crm_name: str) -> CauseWords:
    """What is known of a cause, in sentences."""
    known = cause.known
    layer = LAYER_WORDS[known.layer]
    values = {
        "crm": crm_name,
        "object": cause.object,
        "count": number(cause.subjects),
        "fields": ", ".join(cause.fields),
    }
    return CauseWords(
        cause=cause,
        title=code_title(cause.code, cause.message),
        detail=cause.message,
        icon=layer.icon,
        tone=layer.tone,
        headline=_headline(cause, values),
        why=_why(cause, values),
        effect=_effect(cause, values),
        otherwise=str(RETRY_WORDS[known.retry]),
        remedy=remedy_words(known.remedy),
        move=str(MOVE_WORDS[known.move]),
    )


def _headline(cause: RefusalCause, values: dict[str, Any]) -> str:
    if cause.is_companies:
        return (
            ngettext("%(crm)s refuses %(count)s company", "%(crm)s refuses %(count)s companies", cause.subjects)
            % values
        )
    return ngettext("%(crm)s refuses %(count)s person", "%(crm)s refuses %(count)s people", cause.subjects) % values


def _why(cause: RefusalCause, values: dict[str, Any]) -> str:
    if cause.fields:
        return _("%(crm)s says no to %(object)s because of %(fields)s.") % values
    return _("%(crm)s says no to changes of %(object)s.") % values


def _effect(cause: RefusalCause, values: dict[str, Any]) -> str:
    return (
        ngettext(
            "%(count)s record no longer receives our changes. They are kept in order and nothing is lost.",
            "%(count)s records no longer receive our changes. They are kept in order and nothing is lost.",
            cause.subjects,
        )
        % values
    )


# ── A connection that broke ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a connection does not work, since when, and what to do."""

    title: str
    code: str
    message: str
    remedy: str
    move: str
    since: datetime


def trouble_of(seen: SeenConnection) -> Trouble | None:
    """What its last breakdown said; None for a connection that is not broken."""
    if seen.state is not ConnectionState.BROKEN or seen.event is None:
        return None
    told = seen.event.details
    move = told.get("move", "")
    return Trouble(
        title=_("%(name)s does not let us in any more") % {"name": seen.connection.name},
        code=told.get("code", ""),
        message=told.get("message", ""),
        remedy=remedy_words(told.get("remedy", "")),
        move=str(MOVE_WORDS[Move(move)]) if move in set(Move) else "",
        since=seen.event.at,
    )


def error_words(error: CrmError) -> str:
    """One sentence of the CRM's and one of ours, for a form that could not sign in."""
    return _("The CRM answered %(error)s. %(remedy)s") % {"error": error, "remedy": remedy_words(error.remedy)}


# ── What changed in the CRM's fields ─────────────────────────────────────────────────────────────────────────────────

PART_WORDS = {
    "kind": gettext_lazy("kind"),
    "length": gettext_lazy("length"),
    "scale": gettext_lazy("decimals"),
    "required": gettext_lazy("required"),
    "createable": gettext_lazy("our user may fill it in on new records"),
    "updateable": gettext_lazy("our user may change it"),
    "restricted": gettext_lazy("restricted to its list"),
    "external_id": gettext_lazy("external id"),
}
_TRUTH = {"True": gettext_lazy("yes"), "False": gettext_lazy("no")}


def change_words(change: DescribeChange) -> str:
    """One difference between two readings of the CRM's fields, as a sentence."""
    values = {
        "field": change.field,
        "part": str(PART_WORDS.get(change.part, change.part)),
        "before": str(_TRUTH.get(change.before, change.before)),
        "after": str(_TRUTH.get(change.after, change.after)),
    }
    match change.what:
        case "added":
            return _("%(field)s appeared.") % values
        case "removed":
            return _("%(field)s is not there any more, or is hidden from our user.") % values
        case "values" if change.before and change.after:
            return _("%(field)s: the list lost %(before)s and gained %(after)s.") % values
        case "values" if change.before:
            return _("%(field)s: the list lost %(before)s.") % values
        case "values":
            return _("%(field)s: the list gained %(after)s.") % values
        case _:
            return _("%(field)s: %(part)s went from %(before)s to %(after)s.") % values


def health_words(states: list[str]) -> str:
    """The twenty-four ticks in one sentence."""
    failed = sum(state in ("warn", "bad") for state in states)
    if failed:
        return ngettext(
            "In %(count)s hour of the last 24 at least one run failed.",
            "In %(count)s hours of the last 24 at least one run failed.",
            failed,
        ) % {"count": failed}
    if all(state == "none" for state in states):
        return _("Nothing ran in the last 24 hours.")
    return _("No run failed in the last 24 hours.")


# ── What a dry run counts ────────────────────────────────────────────────────────────────────────────────────────────

# A reason without its values, and the colour of what it does to what we hold.
REASON_TITLES: dict[str, tuple[Text, str]] = {
    "crm.crm_is_right": (gettext_lazy("The CRM is right: its value comes here"), "ok"),
    "crm.reverted_to_crm": (gettext_lazy("The CRM is right: our value goes back to the CRM's"), "warn"),
    "crm.relance_is_right": (gettext_lazy("Relance is right: our value goes to the CRM"), "ok"),
    "crm.put_back_in_crm": (gettext_lazy("Relance is right: the CRM's value goes back to ours"), "warn"),
    "crm.only_crm_changed": (gettext_lazy("Only the CRM changed: its value comes here"), "ok"),
    "crm.only_relance_changed": (gettext_lazy("Only Relance changed: our value goes to the CRM"), "ok"),
    "crm.newer_in_crm": (gettext_lazy("Both changed, the CRM later: its value comes here"), "ok"),
    "crm.newer_in_relance": (gettext_lazy("Both changed, Relance later: our value goes to the CRM"), "ok"),
    "crm.blank_kept": (gettext_lazy("Blank on the side that is right: both stay as they are"), ""),
    "crm.blank_filled": (gettext_lazy("Blank in the CRM: filled with our value"), "ok"),
    "crm.filled_from_crm": (gettext_lazy("Blank here: filled from the CRM"), "ok"),
    "crm.blank_cleared": (gettext_lazy("Blank in the CRM, which is right: our value is emptied"), "bad"),
    "crm.cleared_in_crm": (gettext_lazy("Blank here, where we are right: emptied in the CRM"), "bad"),
    "crm.only_to_crm": (gettext_lazy("Only goes to the CRM: its value does not come here"), ""),
    "crm.only_from_crm": (gettext_lazy("Only comes from the CRM: our value does not go there"), ""),
    "crm.email_taken": (gettext_lazy("The address belongs to somebody else here: not taken"), "bad"),
    "crm.unreadable": (gettext_lazy("The CRM's value does not fit the field: not taken"), "bad"),
    "crm.linked_by_email": (gettext_lazy("Linked to a person with the same e-mail address"), "ok"),
    "crm.linked_by_name": (gettext_lazy("Linked to the only company of that name"), "ok"),
    "crm.second_record": (gettext_lazy("A second record of the same person: it points to her, its values are not taken"), "warn"),
    "crm.contact_leads": (gettext_lazy("A contact counts before the lead of the same person"), ""),
    "crm.followed_conversion": (gettext_lazy("A converted lead: its contact leads from now on"), ""),
    "crm.deleted_in_crm": (gettext_lazy("Deleted in the CRM: the person stays here"), "warn"),
    "crm.merged_in_crm": (gettext_lazy("Merged in the CRM: the link follows"), ""),
    "crm.restored_in_crm": (gettext_lazy("Restored in the CRM: the link comes back"), ""),
    "crm.record_promoted": (gettext_lazy("Another record leads in place of a deleted one"), ""),
}  # fmt: skip


def reason_title(code: str) -> tuple[str, str]:
    """The heading of a reason in a list of counts, and its colour."""
    title, tone = REASON_TITLES.get(code, (code, ""))
    return str(title), tone
