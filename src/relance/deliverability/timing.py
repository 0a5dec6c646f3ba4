"""When? Each rule about time says the first instant at which it lets one go; together they are solved by going round until all agree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from relance.consent.grounds import grounds_of
from relance.consent.lines import Asked, Basis, ConsentPolicy, Hours, Limit, Waiver
from relance.consent.statements import Channel, Purpose
from relance.workspace.rules import WorkingHours, next_working_moment

from .contacts import ContactFacts, ContactPolicy, Mode, Pause, SenderFacts

HORIZON = timedelta(days=400)
ROUNDS = 160  # weeks repeat: hours that have not met within so many tries never do


@dataclass(frozen=True, slots=True)
class TimeRule:
    """`opens(moment)` is the first instant at or after a moment at which the rule agrees; None when it never does."""

    code: str
    opens: Callable[[datetime], datetime | None]
    seen: dict[str, Any]
    is_spacing: bool = False


def first_together(rules: Sequence[TimeRule], at: datetime, *, to_the_second: bool) -> datetime | None:
    """The first instant at or after `at` at which every rule agrees: on a whole minute, or second, unless it is `at` itself."""
    moment = at
    for _round in range(ROUNDS):
        proposed = [rule.opens(moment) for rule in rules]
        if None in proposed:
            return None
        latest = max((hour for hour in proposed if hour is not None), default=moment)
        if latest <= moment:
            return moment
        moment = whole(latest, to_the_second=to_the_second)
        if moment - at > HORIZON:
            return None
    return None


def whole(moment: datetime, *, to_the_second: bool) -> datetime:
    """The moment itself, or the next whole minute (or second)."""
    floor = moment.replace(microsecond=0) if to_the_second else moment.replace(second=0, microsecond=0)
    if floor == moment:
        return moment
    return floor + (timedelta(seconds=1) if to_the_second else timedelta(minutes=1))


def time_rules(facts: ContactFacts, policy: ContactPolicy, asked: Asked, at: datetime) -> list[TimeRule]:
    """Every rule about time for a marketing message."""
    question = facts.question
    rules = [law_hours(facts, policy.consent, at)]
    rules += [limit_rule("limit.law", limit, facts) for limit in asked.limits if limit.counts(question.channel)]
    rules += [limit_rule("limit.house", limit, facts) for limit in policy.caps if limit.counts(question.channel)]
    rules += [limit_rule("limit.wish", limit, facts) for limit in facts.wishes if limit.counts(question.channel)]
    if asked.after_refusal:
        period = asked.after_refusal
        rules += [
            TimeRule(
                "limit.refused",
                _not_before(period.after(said.at)),
                {"entry": said.key, "since": said.at, "period": str(period)},
            )
            for said in facts.refusals
            if said.at <= at and _is_on(said.channel, question.channel)
        ]
    rules += [_pause(pause) for pause in facts.pauses if _stops(pause, facts)]
    if facts.held_domain_until and question.channel is Channel.EMAIL:
        rules.append(TimeRule("domain.held", _not_before(facts.held_domain_until), {"setting": "provider"}))
    if facts.sender:
        rules += sender_rules(facts, facts.sender, at)
    return rules


# Hours of the law.


def law_hours(facts: ContactFacts, policy: ConsentPolicy, at: datetime) -> TimeRule:
    """Open in each zone the person may be in, by the line that is in force on the day it would be."""
    asked = policy.on(at.astimezone(facts.zones[0]).date())

    def opens(moment: datetime) -> datetime | None:
        for _round in range(ROUNDS):
            openings = [_open_at_law(zone, facts, policy, moment) for zone in facts.zones]
            if None in openings:
                return None
            latest = max(opening for opening in openings if opening is not None)
            if latest <= moment:
                return moment
            moment = latest
        return None

    zones = ", ".join(zone.key for zone in facts.zones)
    return TimeRule("hours.closed", opens, {"line": asked.line, "zone": zones})


def _open_at_law(zone: ZoneInfo, facts: ContactFacts, policy: ConsentPolicy, after: datetime) -> datetime | None:
    moment = after
    while moment - after <= HORIZON:
        day = moment.astimezone(zone).date()
        asked = policy.on(day)
        if _is_waived(asked, facts, policy, moment):
            return moment
        opening = _first_opening(asked.hours, zone, facts.holidays, moment)
        if opening is not None and policy.on(opening.astimezone(zone).date()) == asked:
            return opening
        # Another line is in force before these hours open: ask again from the day it changes.
        changed = _next_change(policy, day, zone)
        if changed is None:
            return None if opening is None else opening
        moment = changed
    return None


def _is_waived(asked: Asked, facts: ContactFacts, policy: ConsentPolicy, at: datetime) -> bool:
    """By a consent that holds, where the line says that it opens every hour."""
    if asked.hours_waived_by is Waiver.NOTHING or not asked.hours:
        return False
    grounds = grounds_of(facts.consent, facts.question, asked=asked, policy=policy, at=at)
    return any(
        ground.basis in (Basis.CONSENT, Basis.CONFIRMED)
        and ground.basis in asked.grounds
        and ground.is_live(at)
        and (asked.hours_waived_by is Waiver.CONSENT or ground.statement.is_for_nights)
        for ground in grounds
    )


def _next_change(policy: ConsentPolicy, day: date, zone: ZoneInfo) -> datetime | None:
    days = {line.valid_from for line in (*policy.lines, *policy.strict) if line.valid_from and line.valid_from > day}
    days |= {
        line.valid_to + timedelta(days=1)
        for line in (*policy.lines, *policy.strict)
        if line.valid_to and line.valid_to >= day
    }
    return datetime.combine(min(days), time.min, zone).astimezone(UTC) if days else None


def _first_opening(
    hours: Iterable[Hours], zone: ZoneInfo, holidays: frozenset[date], after: datetime
) -> datetime | None:
    """The first instant at which all of these hours are open."""
    clocks = [
        WorkingHours(zone, each.week, holidays if each.are_holidays_closed else frozenset())
        for each in hours
        if each.week is not None
    ]
    moment = after
    for _round in range(ROUNDS):
        openings = [next_working_moment(clock, moment) for clock in clocks]
        if None in openings:
            return None
        latest = max((opening for opening in openings if opening is not None), default=moment)
        if latest <= moment:
            return moment
        moment = latest.astimezone(UTC)
    return None


# Limits and pauses.


def limit_rule(code: str, limit: Limit, facts: ContactFacts) -> TimeRule:
    """At most so many in any stretch of so long: the oldest that counts must have left the stretch."""
    counted = sorted(
        contact.at
        for contact in facts.contacts
        if limit.counts(contact.channel) and _counts_for(facts.question.meant, contact.purpose)
    )

    def opens(moment: datetime) -> datetime | None:
        if limit.at_most == 0:
            return None
        before = [at for at in counted if at <= moment]
        if len(before) < limit.at_most:
            return moment
        return max(moment, limit.per.after(before[-limit.at_most]))

    return TimeRule(code, opens, {"at_most": limit.at_most, "per": str(limit.per), "setting": limit.by})


def _counts_for(asked: Purpose, sent: Purpose) -> bool:
    """Marketing counts with marketing and with requests for permission; mails that ask to confirm count among themselves."""
    if asked is Purpose.CONFIRMATION:
        return sent is Purpose.CONFIRMATION
    return sent in (Purpose.MARKETING, Purpose.PERMISSION)


def _not_before(hour: datetime) -> Callable[[datetime], datetime | None]:
    return lambda moment: max(moment, hour)


def _pause(pause: Pause) -> TimeRule:
    def opens(moment: datetime) -> datetime | None:
        return pause.ends if pause.begins <= moment < pause.ends else moment

    return TimeRule(
        "pause.away" if pause.is_absence else "pause.asked", opens, {"entry": pause.key, "since": pause.begins}
    )


def _stops(pause: Pause, facts: ContactFacts) -> bool:
    return _is_on(pause.channel, facts.question.channel) and pause.brand in ("", facts.question.brand)


def _is_on(said: Channel, asked: Channel) -> bool:
    return said in (Channel.ALL, asked) or (said is Channel.PHONE and asked is Channel.ROBOT_CALL)


# The user in whose name it leaves.


def sender_rules(facts: ContactFacts, sender: SenderFacts, at: datetime) -> list[TimeRule]:
    """Hours and spacing bind what leaves by itself; the daily maximum also what a user sends from a prepared task."""
    rules = [_pause_of_sender(pause) for pause in sender.absent if facts.mode is Mode.AUTOMATIC]
    channel = facts.question.channel
    told = {"setting": sender.name or "sender"}
    if facts.mode is Mode.AUTOMATIC and sender.week is not None:
        clock = WorkingHours(sender.zone, sender.week, sender.holidays)
        rules.append(TimeRule("sender.closed", lambda moment: next_working_moment(clock, moment), told))
    if facts.mode is not Mode.MANUAL and channel in sender.daily_maximum:
        maximum = sender.daily_maximum[channel]
        rules.append(TimeRule("sender.maximum", _daily(sender, channel, maximum), {**told, "maximum": maximum}))
    if facts.mode is Mode.AUTOMATIC and sender.spacing and channel is Channel.EMAIL:
        rules += _spacing(sender, at, told)
    return rules


def _pause_of_sender(pause: Pause) -> TimeRule:
    def opens(moment: datetime) -> datetime | None:
        return pause.ends if pause.begins <= moment < pause.ends else moment

    return TimeRule("sender.away", opens, {"setting": "sender", "since": pause.begins})


def _daily(sender: SenderFacts, channel: Channel, maximum: int) -> Callable[[datetime], datetime | None]:
    def opens(moment: datetime) -> datetime | None:
        if maximum == 0:
            return None
        day = moment.astimezone(sender.zone).date()
        sent = sum(
            contact.channel is channel
            and contact.mode is not Mode.MANUAL
            and contact.at <= moment
            and contact.at.astimezone(sender.zone).date() == day
            for contact in sender.sent
        )
        if sent < maximum:
            return moment
        return datetime.combine(day + timedelta(days=1), time.min, sender.zone).astimezone(UTC)

    return opens


def _spacing(sender: SenderFacts, at: datetime, told: dict[str, Any]) -> list[TimeRule]:
    """After the last mail, whoever pressed the button."""
    mails = [contact.at for contact in sender.sent if contact.channel is Channel.EMAIL and contact.at <= at]
    if not mails or sender.spacing is None:
        return []
    seen = {**told, "last": max(mails), "spacing": str(sender.spacing)}
    return [TimeRule("sender.spacing", _not_before(sender.spacing.after(max(mails))), seen, is_spacing=True)]
