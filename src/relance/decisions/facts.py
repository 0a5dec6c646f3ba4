"""Reading the ledger: what was decided, in the words of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .models import DecisionRun, LedgerLine
from .reasons import ExplainedReason, explain_reason, reason_numbered
from .rules import Decision, Reason, Verdict


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as the ledger keeps it. `id` is a 60-bit number: a string in JSON, `d-…` on pages."""

    id: int
    at: datetime
    subject: str
    subject_id: int
    person_id: int | None
    policy: str
    verdict: Verdict
    decision: Decision

    @property
    def name(self) -> str:
        return decision_name(self.id)

    @property
    def explained(self) -> list[ExplainedReason]:
        """The reasons in the active language, the decisive ones marked."""
        decisive = self.decision.decisive
        return [explain_reason(reason, decisive=reason in decisive) for reason in self.decision.reasons]

    @property
    def would_change(self) -> list[str]:
        """What would change the verdict: the remedies of the decisive reasons, each once."""
        return list(dict.fromkeys(said.remedy for said in self.explained if said.decisive and said.remedy))

    def as_json(self) -> dict[str, Any]:
        """The answer of `relance why` and of the API."""
        return {
            "decision": self.name,
            "verdict": self.verdict.said,
            "at": self.at.isoformat(),
            "policy": self.policy,
            "subject": self.subject,
            "person": self.person_id,
            "reasons": [
                {
                    "code": said.code,
                    "verdict": Verdict[said.verdict.upper()].said,
                    "seen": said.seen,
                    "says": said.says,
                    "remedy": said.remedy,
                    "decisive": said.decisive,
                }
                for said in self.explained
            ],
            "would_change": self.would_change,
        }


def decision_name(id: int) -> str:
    """The short name of a decision: d- and its id in base 16."""
    return f"d-{id:x}"


def decision_id(name: str) -> int | None:
    """The id behind `d-…` or plain digits; None when it is neither."""
    try:
        return int(name[2:], 16) if name.lower().startswith("d-") else int(name)
    except ValueError:
        return None


def find_decision(id: int) -> RecordedDecision | None:
    """One decision by its id."""
    return next(iter(_recorded(LedgerLine.objects.filter(pk=id))), None)


def latest_decision(subject: str, subject_id: int) -> RecordedDecision | None:
    """The last decision taken about one thing."""
    lines = LedgerLine.objects.filter(subject=subject, subject_id=subject_id).order_by("-id")[:1]
    return next(iter(_recorded(lines)), None)


def decisions_about(
    person_id: int, *, field: str | None = None, before: int | None = None, limit: int = 50
) -> list[RecordedDecision]:
    """The decisions about a person, newest first; with `field`, those that speak of that field."""
    lines = LedgerLine.objects.filter(person_id=person_id).order_by("-id")
    if before is not None:
        lines = lines.filter(pk__lt=before)
    if field is not None:
        lines = lines.filter(fields__contains=[field]) | lines.filter(reasons__contains=[{"seen": {"field": field}}])
    return _recorded(lines[:limit], field)


def _recorded(lines: Iterable[LedgerLine], field: str | None = None) -> list[RecordedDecision]:
    lines = list(lines)
    runs = {line.run_id for line in lines if line.run_id and not line.policy}
    policies = dict(DecisionRun.objects.filter(pk__in=runs).values_list("pk", "policy")) if runs else {}
    return [_read(line, line.policy or policies.get(line.run_id or 0, ""), field) for line in lines]


def _read(line: LedgerLine, policy: str, field: str | None) -> RecordedDecision:
    reasons = _from_json(line.reasons) if line.reasons is not None else _from_arrays(line)
    if field is not None:
        reasons = [reason for reason in reasons if reason.seen.get("field") == field]
    decision = Decision.of(reasons)
    verdict = decision.verdict if field is not None else Verdict(line.verdict)
    return RecordedDecision(line.pk, line.at, line.subject, line.subject_id, line.person_id, policy, verdict, decision)


def _from_json(reasons: list[dict[str, Any]]) -> list[Reason]:
    return [
        Reason(
            told["code"],
            Verdict[told["verdict"].upper()],
            told.get("seen", {}),
            datetime.fromisoformat(told["until"]) if told.get("until") else None,
        )
        for told in reasons
    ]


def _from_arrays(line: LedgerLine) -> list[Reason]:
    """A set decided in SQL keeps numbers and the values before and after, field by field."""
    before = line.before or [None] * len(line.codes or [])
    after = line.after or [None] * len(line.codes or [])
    told = zip(line.codes or [], line.fields or [], before, after, strict=True)
    return [
        Reason(text.code, text.verdict, {"field": field, "before": was, "after": now})
        for text, field, was, now in ((reason_numbered(number), field, was, now) for number, field, was, now in told)
    ]
