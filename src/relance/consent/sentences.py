"""A policy read aloud: each line as sentences that a lawyer understands, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .lines import Hours, Need, Requests, Waiver
from .periods import Period
from .policy import LineText, Pack
from .statements import Channel, Purpose

CHANNELS = {
    Channel.EMAIL: gettext_lazy("E-mail"),
    Channel.SMS: gettext_lazy("SMS"),
    Channel.PHONE: gettext_lazy("Telephone"),
    Channel.ROBOT_CALL: gettext_lazy("Calls by machines"),
    Channel.WHATSAPP: gettext_lazy("WhatsApp"),
    Channel.LINKEDIN: gettext_lazy("LinkedIn"),
    Channel.POST: gettext_lazy("Post"),
    Channel.ALL: gettext_lazy("Every channel"),
}
NEEDS = {
    Need.OPTOUT: gettext_lazy("allowed until the person says no."),
    Need.NOTICE_OPTOUT: gettext_lazy("allowed if the person was told at collection, until she says no."),
    Need.OPTIN: gettext_lazy("only if the person said yes."),
    Need.DOI: gettext_lazy("only if the person said yes and confirmed it."),
    Need.DOI_OR_CUSTOMER: gettext_lazy("only if the person said yes and confirmed it, or is a customer."),
    Need.OPTIN_OR_CUSTOMER: gettext_lazy("only if the person said yes, or is a customer."),
    Need.OPTIN_OR_IMPLIED: gettext_lazy(
        "only if the person said yes, or bought, has a contract, inquired, or published the address."
    ),
    Need.OPTIN_OR_CONTRACT: gettext_lazy("only if the person said yes, or has a contract that runs."),
    Need.CONTRACT_ONLY: gettext_lazy("only under a contract that runs."),
    Need.NEVER: gettext_lazy("never."),
}
GROUNDS = {
    "customer": gettext_lazy("Being a customer is enough too."),
    "contract": gettext_lazy("A contract that runs is enough too."),
    "inquiry": gettext_lazy("An inquiry is enough too."),
    "published": gettext_lazy("An address published for that purpose is enough too."),
    "notice": gettext_lazy("A notice at collection is enough too."),
    "consent": gettext_lazy("A yes that was not confirmed is enough too."),
}
CONDITIONS = {
    "address": gettext_lazy("Only for addresses of this kind: %(words)s."),
    "number": gettext_lazy("Only for numbers of this kind: %(words)s."),
    "company_form": gettext_lazy("Only for companies of this form: %(words)s."),
    "region": gettext_lazy("Only in: %(words)s."),
    "industry": gettext_lazy("Only for offers of: %(words)s."),
    "brand": gettext_lazy("Only for the brand: %(words)s."),
    "topic": gettext_lazy("Only for the topic: %(words)s."),
}
DAYS = [
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
]


def explain_pack(pack: Pack) -> list[tuple[str, list[str]]]:
    """Every line of a pack by its name, as sentences."""
    return [(line.id, explain_line(line)) for line in pack.lines]


def explain_line(line: LineText) -> list[str]:
    """One line as sentences in the active language: what it allows, to whom, when, until when, and where it comes from."""
    return [
        _what(line),
        *_conditions(line),
        *_validity(line),
        *_lifetimes(line),
        *_qualities(line),
        *_hours(line),
        *_limits(line),
        *_rest(line),
    ]


def period_in_words(period: Period) -> str:
    """3 years, in the reader's language."""
    count, unit = str(period).split()
    words = {
        "year": _("%(count)s year"),
        "years": _("%(count)s years"),
        "month": _("%(count)s month"),
        "months": _("%(count)s months"),
        "day": _("%(count)s day"),
        "days": _("%(count)s days"),
        "hour": _("%(count)s hour"),
        "hours": _("%(count)s hours"),
        "minute": _("%(count)s minute"),
        "minutes": _("%(count)s minutes"),
        "second": _("%(count)s second"),
        "seconds": _("%(count)s seconds"),
    }
    return words[unit] % {"count": count}


def _what(line: LineText) -> str:
    channels = ", ".join(str(CHANNELS[channel]) for channel in line.channels)
    to = {"b2b": _("to people at work"), "b2c": _("to private persons"), "any": _("to everybody")}[line.audience]
    about = " " + _("(tracking)") if line.purpose is Purpose.TRACKING else ""
    needs = str(NEEDS[line.need]) if line.need else _("as a more general line says.")
    return _("%(channels)s%(about)s %(to)s: %(needs)s") % {
        "channels": channels,
        "about": about,
        "to": to,
        "needs": needs,
    }


def _conditions(line: LineText) -> Iterator[str]:
    for name, words in line.when.compiled():
        yield str(CONDITIONS[name]) % {"words": ", ".join(sorted(words))}


def _validity(line: LineText) -> Iterator[str]:
    if line.valid_from:
        yield _("In force from %(day)s.") % {"day": date_format(line.valid_from)}
    if line.valid_to:
        yield _("In force until %(day)s, that day included.") % {"day": date_format(line.valid_to)}


def _lifetimes(line: LineText) -> Iterator[str]:
    told = (
        (line.consent_lasts, _("A yes holds for %(period)s.")),
        (line.customer_lasts, _("Being a customer holds for %(period)s after the last purchase.")),
        (line.contract_lasts_after_end, _("A contract holds for %(period)s after its end.")),
        (line.inquiry_lasts, _("An inquiry holds for %(period)s.")),
        (line.inactivity, _("After %(period)s without a sign of life it is over; opening a mail is none.")),
        (line.after_refusal, _("After a refusal, nothing for %(period)s.")),
    )
    for period, sentence in told:
        if period:
            yield sentence % {"period": period_in_words(period)}


def _qualities(line: LineText) -> Iterator[str]:
    yield from (str(GROUNDS[word]) for word in line.also or ())
    told = (
        (line.written, _("The yes must be in writing.")),
        (line.customer_told, _("The customer must have been told at collection, and able to object.")),
        (line.similar_only, _("To customers, only offers like what they bought.")),
        (line.contract_related, _("Under a contract, only offers that bear on it.")),
        (line.relevant_only, _("Only offers that bear on the person's work.")),
    )
    yield from (sentence for is_so, sentence in told if is_so)


def _hours(line: LineText) -> Iterator[str]:
    if line.hours == "any":
        yield _("At any hour.")
    elif line.hours:
        hours = line.hours.compiled()
        yield _("Hours at the person's place: %(hours)s.") % {"hours": "; ".join(_week(hours))}
        if hours.are_holidays_closed:
            yield _("Not on public holidays.")
    if line.hours_waived_by is Waiver.CONSENT:
        yield _("A yes opens every hour.")
    elif line.hours_waived_by is Waiver.NIGHT_CONSENT:
        yield _("A yes given for the night opens every hour.")


def _week(hours: Hours) -> Iterator[str]:
    """Days with the same hours are said together."""
    week, day = hours.week or (), 0
    while day < len(week):
        last = day
        while last + 1 < len(week) and week[last + 1] == week[day]:
            last += 1
        if week[day]:
            names = str(DAYS[day]) if last == day else f"{DAYS[day]}–{DAYS[last]}"
            yield f"{names} " + ", ".join(f"{span.opens:%H:%M}–{span.closes:%H:%M}" for span in week[day])
        day = last + 1


def _limits(line: LineText) -> Iterator[str]:
    for limit in line.limits or ():
        yield _("At most %(at_most)s contacts in %(period)s.") % {
            "at_most": limit.at_most,
            "period": period_in_words(limit.per),
        }
    if line.registries:
        yield _("The person must not be on: %(lists)s.") % {"lists": ", ".join(line.registries)}


def _rest(line: LineText) -> Iterator[str]:
    if line.requests is Requests.ONCE:
        yield _("One may write once to ask for consent.")
    elif line.requests is Requests.NEVER:
        yield _("One may not write to ask for consent.")
    if line.must_contain:
        yield _("The message must contain: %(words)s.") % {"words": ", ".join(line.must_contain)}
    if line.source:
        yield _("Source: %(source)s (confidence %(confidence)s).") % {
            "source": line.source,
            "confidence": line.confidence,
        }
