"""What each reason of the sync says to people. Numbers from 3000; one that was written once keeps its meaning for good."""

from django.utils.translation import gettext_lazy as _

from relance.decisions.reasons import declare_reason
from relance.decisions.rules import Verdict

from .rules import VERDICTS, FieldCode

_SETTINGS = _("Who is right is set per field in CRM › Fields.")

_FIELDS = {
    FieldCode.CRM_IS_RIGHT: (_("The CRM is right for this field: “%(before)s” became “%(after)s”."), _SETTINGS),
    FieldCode.REVERTED_TO_CRM: (
        _("The CRM is right for this field: our “%(before)s” went back to its “%(after)s”."),
        _("Change the value in the CRM, or let Relance be right for this field in CRM › Fields."),
    ),
    FieldCode.RELANCE_IS_RIGHT: (
        _("Relance is right for this field: “%(after)s” goes to the CRM in place of “%(before)s”."),
        _SETTINGS,
    ),
    FieldCode.PUT_BACK_IN_CRM: (
        _("Relance is right for this field: the CRM's “%(before)s” goes back to our “%(after)s”."),
        _("Change the value here, or let the CRM be right for this field in CRM › Fields."),
    ),
    FieldCode.ONLY_CRM_CHANGED: (_("Only the CRM changed: “%(before)s” became “%(after)s”."), ""),
    FieldCode.ONLY_RELANCE_CHANGED: (
        _("Only Relance changed: “%(after)s” goes to the CRM in place of “%(before)s”."),
        "",
    ),
    FieldCode.NEWER_IN_CRM: (
        _("Both sides changed, the CRM later: “%(before)s” became “%(after)s”."),
        _("Write the value again on the side that should win: the latest change wins this field."),
    ),
    FieldCode.NEWER_IN_RELANCE: (
        _("Both sides changed, Relance later: “%(after)s” goes to the CRM in place of “%(before)s”."),
        _("Write the value again on the side that should win: the latest change wins this field."),
    ),
    FieldCode.BLANK_KEPT: (
        _(
            "The side that is right holds nothing, and blanks change nothing for this field: “%(after)s” stays on the other side."
        ),
        _("Choose in CRM › Fields that a blank is filled, or that it empties the other side."),
    ),
    FieldCode.BLANK_FILLED: (_("The CRM holds nothing: our “%(after)s” goes there."), ""),
    FieldCode.FILLED_FROM_CRM: (_("We held nothing: “%(after)s” came from the CRM."), ""),
    FieldCode.BLANK_CLEARED: (_("The CRM is right and holds nothing: our “%(before)s” was emptied."), _SETTINGS),
    FieldCode.CLEARED_IN_CRM: (
        _("Relance is right and holds nothing: the CRM's “%(before)s” is being emptied."),
        _SETTINGS,
    ),
    FieldCode.ONLY_TO_CRM: (
        _("This field only goes to the CRM: its “%(after)s” is not taken, “%(before)s” stays here."),
        _("Let the field travel both ways in CRM › Fields."),
    ),
    FieldCode.ONLY_FROM_CRM: (
        _("This field only comes from the CRM: our “%(before)s” is not sent, the CRM keeps “%(after)s”."),
        _("Let the field travel both ways in CRM › Fields."),
    ),
    FieldCode.OWNER_FOLLOWS: (
        _("The CRM says who looks after somebody: “%(after)s” took over from “%(before)s”."),
        _("Change the owner in the CRM."),
    ),
    FieldCode.COMPANY_FOLLOWS: (
        _("The CRM says for whom somebody works: “%(after)s” took the place of “%(before)s”."),
        _("Change the account of the contact in the CRM."),
    ),
    FieldCode.EMAIL_TAKEN: (
        _("The CRM says “%(after)s”, an address that already belongs to somebody else here: “%(before)s” stays."),
        _("Merge the two people, or correct the address of one of them. It is tried again at each cycle."),
    ),
    FieldCode.UNREADABLE: (
        _("The CRM's “%(after)s” is not a value this field can hold: “%(before)s” stays."),
        _("Map the field to one of another kind in CRM › Fields, or correct the value in the CRM."),
    ),
}
for code, (says, remedy) in _FIELDS.items():
    declare_reason(code.code, code.value, says, remedy, VERDICTS[code])

# ── Records and people ───────────────────────────────────────────────────────────────────────────────────────────────

declare_reason("crm.linked_by_email", 3101, _("Linked to %(object)s %(crm_id)s: both have the same e-mail address."))
declare_reason(
    "crm.second_record",
    3102,
    _(
        "%(object)s %(crm_id)s has the same e-mail address as a record already linked: it points here, its values are not taken."
    ),
    _("Merge the two records in the CRM."),
    Verdict.SKIP,
)
declare_reason("crm.contact_leads", 3103, _("%(object)s %(crm_id)s leads from now on: a contact counts before a lead."))
declare_reason(
    "crm.followed_conversion", 3104, _("The lead was converted in the CRM: %(object)s %(crm_id)s leads from now on.")
)
declare_reason(
    "crm.deleted_in_crm",
    3105,
    _("The record was deleted in the CRM. The person stays here and is not made again there."),
    _("Restore the record in the CRM: the link comes back with it."),
    Verdict.SKIP,
)
declare_reason(
    "crm.gone_from_crm",
    3110,
    _(
        "%(object)s %(crm_id)s is out of our user's sight: it was removed for good, or is no longer shared with it. The person stays here."
    ),
    _("Share the record with our user again if it still exists: the link comes back with it."),
    Verdict.SKIP,
)
declare_reason(
    "crm.merged_in_crm", 3106, _("The record was merged into %(crm_id)s in the CRM, and the link follows it.")
)
declare_reason("crm.restored_in_crm", 3107, _("The record was restored in the CRM, and the link with it."))
declare_reason(
    "crm.record_promoted",
    3109,
    _("%(object)s %(crm_id)s leads from now on: the record that led was deleted in the CRM."),
)
declare_reason("crm.linked_by_name", 3108, _("Linked to %(object)s %(crm_id)s: the only company of that name."))

# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

declare_reason("crm.connection_works", 3201, _("The connection works and is enabled."))
declare_reason(
    "crm.connection_stopped",
    3202,
    _("The connection is not running (%(state)s): what is to be sent waits."),
    _("Resume or repair it in CRM › Overview."),
    Verdict.WAIT,
)
declare_reason(
    "crm.converted_lead",
    3203,
    _("The lead was converted and its contact is not known yet: nothing more is written on the lead."),
    _("Nothing to do: the next cycle reads the contact."),
    Verdict.WAIT,
)
declare_reason(
    "crm.refused_before",
    3204,
    _("The CRM refused these very values, and nothing has changed since."),
    _("Correct the value, change the rule in the CRM, or ask for another try in CRM › Errors."),
    Verdict.WAIT,
)
declare_reason("crm.values_to_send", 3205, _("There are values to send: %(fields)s."))
declare_reason(
    "crm.fields_read_only",
    3206,
    _("Our user may not write %(fields)s in the CRM."),
    _("Ask the CRM administrator to give our user the right to edit these fields, or map them from the CRM only."),
    Verdict.WAIT,
)
declare_reason("crm.nothing_to_send", 3207, _("Both sides agree by now: nothing is left to send."), "", Verdict.SKIP)
declare_reason(
    "crm.creates_none",
    3208,
    _("The mapping makes no new %(object)s out of our people."),
    _("Choose in CRM › Fields who may become a new record."),
    Verdict.SKIP,
)
declare_reason(
    "crm.not_owned",
    3209,
    _("Only people with an owner become a new %(object)s, and this person has none."),
    _("Give the person an owner."),
    Verdict.SKIP,
)
declare_reason("crm.may_create", 3210, _("The mapping lets this person become a new %(object)s."))
declare_reason(
    "crm.required_missing",
    3211,
    _("The CRM makes no record without %(fields)s, and we hold nothing there."),
    _("Fill these fields: the person is sent as soon as they hold something."),
    Verdict.WAIT,
)
declare_reason("crm.sent", 3212, _("The CRM took the values: %(fields)s."))
declare_reason("crm.sent_new", 3213, _("The CRM made %(object)s %(crm_id)s."))
declare_reason(
    "crm.refused",
    3214,
    _("The CRM refused the change (%(code)s): %(message)s"),
    _("Correct the value, or ask for the rule to be changed. It is sent again as soon as something changes."),
    Verdict.SKIP,
)
declare_reason(
    "crm.busy", 3215, _("The CRM was busy (%(code)s): the values are sent again at %(until)s."), "", Verdict.WAIT
)
declare_reason(
    "crm.answer_lost",
    3216,
    _("The values left and no answer came: we look in the CRM before sending again."),
    "",
    Verdict.WAIT,
)
declare_reason(
    "crm.found_again", 3217, _("The record that was made before the answer was lost was found again: %(crm_id)s.")
)
declare_reason(
    "crm.within_budget", 3219, _("%(spent)s of the %(allowance)s calls a day this connection may spend are used.")
)
declare_reason(
    "crm.budget_kept",
    3220,
    _(
        "%(spent)s of the %(allowance)s calls a day this connection may spend are used, %(forecast)s at this pace: what nobody waits for is read later."
    ),
    _(
        "Raise this connection's share of the daily calls, or ask for a larger allowance in the CRM. New people go first."
    ),
    Verdict.WAIT,
)
declare_reason(
    "crm.parked",
    3218,
    _("The CRM failed %(times)s times in a row in the same way (%(code)s), and the change waits: %(message)s"),
    _("Correct what the message names in the CRM, then ask for another try in CRM › Errors."),
    Verdict.SKIP,
)
