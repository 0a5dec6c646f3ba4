"""What the reasons of this room say to people, and what would change them. Numbers 4000 and above."""

from django.utils.translation import gettext_lazy as _

from relance.decisions.reasons import declare_reason
from relance.decisions.rules import Verdict

# What lets a message go.
declare_reason("consent.service", 4001, _("A service message without an offer: it needs no consent."))
declare_reason("consent.given", 4002, _("The person said yes on %(since)s (%(entry)s)."))
declare_reason("consent.confirmed", 4003, _("The person said yes and confirmed it on %(since)s (%(entry)s)."))
declare_reason(
    "consent.customer",
    4004,
    _("The person has been a customer since %(since)s (%(entry)s), which line %(line)s takes for enough."),
)
declare_reason(
    "consent.contract", 4005, _("A contract has run since %(since)s (%(entry)s), which line %(line)s takes for enough.")
)
declare_reason(
    "consent.inquiry", 4006, _("The person inquired on %(since)s (%(entry)s), which line %(line)s takes for enough.")
)
declare_reason(
    "consent.published",
    4007,
    _("The address was published for this (%(entry)s, %(since)s), which line %(line)s takes for enough."),
)
declare_reason(
    "consent.notified", 4008, _("The person was told at collection on %(since)s (%(entry)s) and did not object.")
)
declare_reason(
    "consent.not_needed", 4009, _("Nobody need have said yes: line %(line)s asks only that the person did not say no.")
)
declare_reason("consent.requested", 4010, _("The person asked for it on %(since)s (%(entry)s) and may still confirm."))
declare_reason(
    "consent.may_ask_once", 4011, _("The person was never asked for consent, and line %(line)s lets one ask once.")
)
declare_reason(
    "consent.listed_but_excepted",
    4012,
    _("The number is on the list %(registry)s, which makes an exception for what was said on %(since)s (%(entry)s)."),
)

# What the person, or somebody for her, closed.
declare_reason(
    "consent.withdrawn",
    4101,
    _("The person said no on %(since)s (%(entry)s, reported by %(by)s)."),
    _("Only a new opt-in by the person, later than this, reopens what she closed."),
    Verdict.SKIP,
)
declare_reason(
    "consent.objected",
    4102,
    _("The person objected to marketing on %(since)s (%(entry)s, reported by %(by)s)."),
    _("Only a new opt-in by the person, later than this, reopens what she closed."),
    Verdict.SKIP,
)
declare_reason(
    "consent.complained",
    4103,
    _(
        "The person reported a message of ours as unwanted on %(since)s (%(entry)s): the channel is closed for every brand and topic."
    ),
    _("Only a later opt-in that the person confirms reopens it."),
    Verdict.SKIP,
)
declare_reason(
    "consent.erased",
    4104,
    _("This address was erased on %(since)s at the person's request (%(entry)s) and is on the suppression list."),
    _("Only a new act of the person, such as filling a form here, reopens it. An import never does."),
    Verdict.SKIP,
)
declare_reason(
    "consent.company_blocked",
    4105,
    _("The person's company is blocked since %(since)s (%(entry)s): that beats what the person said."),
    _("Lift the block on the company, if it should no longer stand."),
    Verdict.SKIP,
)
declare_reason(
    "consent.number_blocked",
    4106,
    _("The number is shared, and blocked for all who share it since %(since)s (%(entry)s)."),
    _("Lift the block on the number, or use a number of the person's own."),
    Verdict.SKIP,
)
declare_reason(
    "consent.minor",
    4107,
    _("The person is under age (%(since)s): minors get no marketing."),
    _("Correct the date of birth if it is wrong. Otherwise wait until the person is of age."),
    Verdict.SKIP,
)

# Do-not-call lists.
declare_reason(
    "consent.listed",
    4201,
    _("The number is on the list %(registry)s since %(since)s (%(entry)s, line %(line)s)."),
    _("Consent, a contract or a purchase may make an exception, where the list's line says so."),
    Verdict.SKIP,
)
declare_reason(
    "consent.registry_missing",
    4202,
    _("The list %(registry)s was never imported, and line %(line)s asks to look it up first."),
    _("Import the list's file, with its date."),
    Verdict.SKIP,
)
declare_reason(
    "consent.registry_old",
    4203,
    _("The list %(registry)s dates from %(imported)s; line %(line)s takes none older than %(max_age)s."),
    _("Import a newer file of the list."),
    Verdict.SKIP,
)

# What is not enough.
declare_reason(
    "consent.never_given",
    4301,
    _("The person never said yes; line %(line)s asks for it (%(need)s)."),
    _("Get an opt-in from the person: a form, the preference page, or a proof of one she gave elsewhere."),
    Verdict.SKIP,
)
declare_reason(
    "consent.never_notified",
    4302,
    _("Nothing shows that the person was told at collection; line %(line)s asks for it."),
    _("Record the notice given, with its date and wording, or get an opt-in."),
    Verdict.SKIP,
)
declare_reason(
    "consent.no_contract",
    4303,
    _("No contract runs with the person; line %(line)s lets one write under a contract only."),
    _("Record the contract, with its beginning and end."),
    Verdict.SKIP,
)
declare_reason(
    "consent.never_allowed",
    4304,
    _("Line %(line)s allows this to nobody."),
    _("Use another channel, or change the line with the approval it needs."),
    Verdict.SKIP,
)
declare_reason(
    "consent.awaits_confirmation",
    4305,
    _("The person asked on %(since)s (%(entry)s) and has not confirmed yet."),
    _("The person opens the link in the confirmation mail and presses the button."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_confirmed",
    4306,
    _("The person said yes on %(since)s (%(entry)s) without confirming it; line %(line)s asks for a confirmed opt-in."),
    _("Send the confirmation mail; the person presses its button."),
    Verdict.SKIP,
)
declare_reason(
    "consent.confirmed_too_late",
    4307,
    _("The confirmation of %(since)s (%(entry)s) came when the request was no longer valid."),
    _("The person asks again, and confirms in time."),
    Verdict.SKIP,
)
declare_reason(
    "consent.lapsed",
    4308,
    _("What was said on %(since)s (%(entry)s) lapsed on %(expired)s (line %(line)s)."),
    _("Only a new act of the person counts: an opt-in, or what the line takes for enough."),
    Verdict.SKIP,
)
declare_reason(
    "consent.inactive",
    4309,
    _(
        "The person has done nothing for %(period)s since %(since)s: on %(expired)s the time to write was over (line %(line)s)."
    ),
    _("One question may be asked at the end; without an answer the person is to be erased."),
    Verdict.SKIP,
)
declare_reason(
    "consent.other_address",
    4310,
    _("What was said on %(since)s (%(entry)s) was for another address, which somebody else than the person changed."),
    _("The person confirms the new address, or changes it herself on the preference page."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_proved",
    4311,
    _("%(by)s reports a yes of %(since)s (%(entry)s) without proof: date of the act, how it was given, and source."),
    _("Add the proof, or ask the person here."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_written",
    4312,
    _("The consent of %(since)s (%(entry)s) is not in writing; line %(line)s asks for it."),
    _("Get a consent in writing: a form, a signed paper."),
    Verdict.SKIP,
)
declare_reason(
    "consent.customer_not_told",
    4313,
    _(
        "The person is a customer since %(since)s (%(entry)s), but nothing shows that she was told at collection and could object (line %(line)s)."
    ),
    _("Record the notice the customer was given, or get an opt-in."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_similar",
    4314,
    _("The offer is not like what the customer of %(since)s (%(entry)s) bought (line %(line)s)."),
    _("Offer something similar, or get an opt-in."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_related",
    4315,
    _("The offer does not bear on the contract of %(since)s (%(entry)s), as line %(line)s asks."),
    _("Offer what bears on the contract, or get an opt-in."),
    Verdict.SKIP,
)
declare_reason(
    "consent.not_relevant",
    4316,
    _("The offer does not bear on the person's work, as line %(line)s asks."),
    _("Offer what concerns the person's work, or get an opt-in."),
    Verdict.SKIP,
)
declare_reason(
    "consent.nothing_reopens",
    4317,
    _("Nothing the person said since reopens it (line %(line)s)."),
    _("Get a new opt-in from the person."),
    Verdict.SKIP,
)

# Messages that ask.
declare_reason(
    "consent.nothing_to_confirm",
    4401,
    _("The person has no request that waits for confirmation: one is valid for %(lifetime)s."),
    _("The person asks again on a form or the preference page."),
    Verdict.SKIP,
)
declare_reason(
    "consent.asked_already",
    4402,
    _("The person was asked for consent on %(since)s (%(entry)s); line %(line)s lets one ask once."),
    _("Wait for an answer: silence is none."),
    Verdict.SKIP,
)
declare_reason(
    "consent.may_not_ask",
    4403,
    _("Line %(line)s does not let one write to ask for consent."),
    _("Ask on a form, a page, or in a talk."),
    Verdict.SKIP,
)

# Writing in the ledger.
declare_reason("ledger.written", 4901, _("The statement (%(kind)s) can be written in the ledger."))
declare_reason(
    "ledger.dated_ahead",
    4902,
    _("The statement (%(kind)s) is dated %(at)s, which is still to come."),
    _("Correct the date: it is the one of the act."),
    Verdict.SKIP,
)
declare_reason(
    "ledger.no_channel",
    4903,
    _("An opt-in (%(kind)s) names its channel: nobody consents to all of them by silence."),
    _("Say which channel the person agreed to."),
    Verdict.SKIP,
)
declare_reason(
    "ledger.ends_before_it_begins",
    4904,
    _("The statement (%(kind)s) of %(at)s would end before it begins."),
    _("Correct one of the dates."),
    Verdict.SKIP,
)
declare_reason(
    "ledger.confirmed_before_requested",
    4905,
    _("The statement (%(kind)s) of %(at)s answers a request that came after it, or answers none."),
    _("Correct the date of the request."),
    Verdict.SKIP,
)
declare_reason(
    "ledger.registry_misplaced",
    4906,
    _("A listing names its registry, and nothing else does (%(kind)s)."),
    _("Name the do-not-call list, or leave it out."),
    Verdict.SKIP,
)
declare_reason(
    "ledger.about_nobody",
    4907,
    _("The statement (%(kind)s) is about one person, one company or one address, and says which."),
    _("Say whom it is about."),
    Verdict.SKIP,
)

declare_reason(
    "policy.approved_by_its_author",
    4951,
    _("Version %(version)s of the policy %(name)s was written by the same person: it is approved by another."),
    _("Ask somebody else to approve it."),
    Verdict.SKIP,
)
