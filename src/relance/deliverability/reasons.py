"""What the reasons of this room say to people, and what would change them. Numbers 5000 and above."""

from django.utils.translation import gettext_lazy as _

from relance.decisions.reasons import declare_reason
from relance.decisions.rules import Verdict

declare_reason("address.known", 5001, _("There is an address, and nothing says that it does not work."))
declare_reason(
    "address.missing",
    5002,
    _("The person has no address on this channel."),
    _("Add the address, or use another channel."),
    Verdict.SKIP,
)
declare_reason(
    "address.dead",
    5003,
    _("The address was refused for good on %(since)s (%(entry)s)."),
    _("Correct the address. If it works after all, reset it on the person's page."),
    Verdict.SKIP,
)
declare_reason(
    "address.unreachable",
    5004,
    _("The address could not be reached five times in thirty days, the last time on %(since)s (%(entry)s)."),
    _("Correct the address. If it works after all, reset it on the person's page."),
    Verdict.SKIP,
)

# Time.
declare_reason(
    "hours.closed",
    5101,
    _("Outside the hours of line %(line)s at the person's place (%(zone)s). They open on %(until)s."),
    _("Wait for the hours to open."),
    Verdict.WAIT,
)
declare_reason(
    "limit.law",
    5102,
    _("The law's limit of %(at_most)s in %(per)s is reached, until %(until)s."),
    _("Wait until the oldest contact leaves the period."),
    Verdict.WAIT,
)
declare_reason(
    "limit.house",
    5103,
    _("Our own limit of %(at_most)s per person in %(per)s is reached, until %(until)s."),
    _("Wait, or raise the limit in the policy."),
    Verdict.WAIT,
)
declare_reason(
    "limit.wish",
    5104,
    _("The person wants no more than %(at_most)s in %(per)s; the next may go on %(until)s."),
    _("Wait: the person chose this on the preference page."),
    Verdict.WAIT,
)
declare_reason(
    "limit.refused",
    5105,
    _("The person refused on %(since)s (%(entry)s); for %(period)s, until %(until)s, she is not to be called."),
    _("Wait until the period is over."),
    Verdict.WAIT,
)
declare_reason(
    "limit.resends",
    5106,
    _("The mail that asks to confirm was sent %(at_most)s times in %(per)s; the next may go on %(until)s."),
    _("Wait: the person may look among unwanted mail meanwhile."),
    Verdict.WAIT,
)
declare_reason(
    "pause.asked",
    5107,
    _("The person asked for a pause on %(since)s (%(entry)s), until %(until)s."),
    _("Wait: the person may end the pause on the preference page."),
    Verdict.WAIT,
)
declare_reason(
    "pause.away",
    5108,
    _("The person is away from %(since)s (%(entry)s) until %(until)s."),
    _("Wait until the person is back."),
    Verdict.WAIT,
)
declare_reason(
    "domain.held",
    5109,
    _("The mailbox provider refuses us for now; sending to it is held until %(until)s."),
    _("Mend what the provider complains of: the person has nothing to do with it."),
    Verdict.WAIT,
)
declare_reason(
    "sender.closed",
    5201,
    _("Outside the working hours of %(setting)s, which open on %(until)s."),
    _("Wait, or change the user's working hours."),
    Verdict.WAIT,
)
declare_reason(
    "sender.away",
    5202,
    _("The sender is away until %(until)s."),
    _("Wait, or hand the person over to somebody else."),
    Verdict.WAIT,
)
declare_reason(
    "sender.maximum",
    5203,
    _("%(setting)s has sent the day's maximum of %(maximum)s; the next may go on %(until)s."),
    _("Wait until tomorrow, or raise the daily maximum."),
    Verdict.WAIT,
)
declare_reason(
    "sender.spacing",
    5204,
    _("%(setting)s sent the last mail on %(last)s; between two, %(spacing)s must pass: %(until)s."),
    _("Wait, or shorten the time between two mails."),
    Verdict.WAIT,
)
declare_reason(
    "time.together",
    5301,
    _("All of these are met together first on %(until)s."),
    _("Wait for that moment, or change one of them."),
    Verdict.WAIT,
)
declare_reason(
    "time.never",
    5302,
    _("A limit or calendar (%(rule)s) never lets it go."),
    _("Change the limit, or the hours."),
    Verdict.SKIP,
)
declare_reason(
    "time.never_together",
    5303,
    _("Within more than a year there is no moment at which hours, limits and pauses are all met."),
    _("Change the hours, the limits or the zone."),
    Verdict.SKIP,
)
declare_reason(
    "time.too_late",
    5304,
    _(
        "Time alone stands in the way now, but on %(at)s, the first moment it could go, what allows it is gone: %(because)s."
    ),
    _("Get a new opt-in, or renew what lapses, before that moment."),
    Verdict.SKIP,
)
