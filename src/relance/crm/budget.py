"""The CRM's daily allowance of calls, of which a connection spends no more than its share: counted by all workers in one table."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Sum
from django.db.models.functions import Coalesce

from relance.decisions.actions import DecisionLine, record_decision
from relance.decisions.facts import latest_decision
from relance.decisions.rules import Decision
from relance.lib import sql

from .models import ApiHour, Connection
from .rules import BudgetFacts, Pace, pace_of, weigh_budget

DAY = timedelta(hours=24)


def count_calls(connection_id: int, calls: int, *, now: datetime) -> None:
    """Add calls to the hour's count. Two workers adding at once are both counted."""
    if calls:
        sql.run("crm", "count_calls", connection=connection_id, calls=calls, hour=_hour(now))


def gather_budget(connection: Connection, *, now: datetime) -> BudgetFacts:
    """What was spent in the last 24 hours, in the last one, and what the CRM says of the whole organisation."""
    hours = ApiHour.objects.filter(connection=connection, hour__gt=now - DAY)
    zero = Coalesce(Sum("calls"), 0)
    return BudgetFacts(
        spent_day=hours.aggregate(calls=zero)["calls"],
        spent_hour=hours.filter(hour__gt=now - timedelta(hours=1)).aggregate(calls=zero)["calls"],
        org_used=connection.api_used,
        org_limit=connection.api_limit,
        percent=connection.budget_percent,
    )


def decide_pace(connection: Connection, *, now: datetime) -> Pace:
    """How much may run now. Written in the ledger when it changes, and only then."""
    facts = gather_budget(connection, now=now)
    reason = weigh_budget(facts)
    last = latest_decision("crm_budget", connection.pk)
    said = last.decision.decisive[0] if last else None
    if (said is None and pace_of(facts) is not Pace.ALL) or (
        said is not None and (said.code, said.seen.get("pace")) != (reason.code, reason.seen.get("pace"))
    ):
        record_decision(DecisionLine("crm_budget", connection.pk, Decision.of([reason])), policy="crm.budget", now=now)
    return pace_of(facts)


def forget_old_hours(connection: Connection, *, now: datetime) -> None:
    """Only the last day is ever looked at; a week is kept for people."""
    ApiHour.objects.filter(connection=connection, hour__lt=now - timedelta(days=8)).delete()


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
