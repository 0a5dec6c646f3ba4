"""Asking the gate every question of a story, and saying what it answered and whether that was expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Reason, Verdict

from ..rules import ContactDecision, decide_contact
from .facts import pose
from .models import AskText, Expected, ScenarioFile
from .reading import Story, every_ask

WORDS = {Verdict.GO: "allow", Verdict.WAIT: "defer", Verdict.SKIP: "deny"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate said to one question. `differs` names each expectation that was not met."""

    file: str
    scenario: str
    question: str
    place: str
    decision: ContactDecision
    until: datetime | None
    differs: tuple[str, ...]
    is_checked: bool

    @property
    def ok(self) -> bool:
        return not self.differs

    def as_json(self) -> dict[str, Any]:
        """In the active language, as `relance scenarios --json` prints it."""
        return {
            "file": self.file,
            "scenario": self.scenario,
            "question": self.question,
            "verdict": WORDS[self.decision.verdict],
            "reasons": [_reason_as_json(reason, self.decision) for reason in self.decision.reasons],
            "basis": self.decision.basis.value if self.decision.basis else None,
            "until": self.until.isoformat() if self.until else None,
            "must_contain": list(self.decision.must_contain),
            "status": self.decision.status.value,
            "ok": self.ok,
        }


def run_stories(stories: list[Story]) -> list[Answer]:
    """Every question in the order it is written."""
    return [_answer(story, place, ask, number) for number, (story, place, ask) in enumerate(every_ask(stories), 1)]


def as_document(answers: Iterable[Answer]) -> dict[str, Any]:
    """All the answers, counted."""
    told = list(answers)
    verdicts = [WORDS[answer.decision.verdict] for answer in told]
    return {
        "questions": [answer.as_json() for answer in told],
        "summary": {
            "questions": len(told),
            "checked": sum(answer.is_checked for answer in told),
            "failed": sum(not answer.ok for answer in told),
            **{word: verdicts.count(word) for word in WORDS.values()},
            "failures": [
                {"place": answer.place, "question": answer.question, "differs": list(answer.differs)}
                for answer in told
                if not answer.ok
            ],
        },
    }


def _answer(story: Story, place: str, ask: AskText, number: int) -> Answer:
    posed = pose(story, ask)
    decision = decide_contact(posed.facts, posed.policy, posed.at)
    until = decision.until.astimezone(posed.facts.zones[0]) if decision.until else None
    differs = tuple(_differences(story, ask.expect, decision)) if ask.expect else ()
    name = ask.question or _named(story, ask, posed.at) or str(number)
    return Answer(story.file, story.name, name, place, decision, until, differs, ask.expect is not None)


def _named(story: Story, ask: AskText, at: datetime) -> str:
    who = ask.person or next(iter(story.people))
    about = f" {ask.topic}" if ask.topic else ""
    return f"{who}, {ask.purpose.value}{about} by {ask.channel or story.channel} on {at.isoformat(' ', 'minutes')}"


def _differences(story: Story, expected: Expected, decision: ContactDecision) -> Iterable[str]:
    verdict = WORDS[decision.verdict]
    if verdict != expected.verdict:
        yield f"verdict: {verdict} instead of {expected.verdict}"
    standing = {reason.code for reason in decision.reasons if reason.verdict is not Verdict.GO}
    said = standing if decision.verdict is not Verdict.GO else {reason.code for reason in decision.reasons}
    missing = sorted(set(expected.reasons or ()) - said)
    if missing:
        yield f"reasons: {', '.join(missing)} not among {', '.join(sorted(said))}"
    if expected.all_reasons is not None and set(expected.all_reasons) != standing:
        yield f"all_reasons: {', '.join(sorted(standing)) or 'none'} instead of {', '.join(sorted(expected.all_reasons)) or 'none'}"
    if "until" in expected.model_fields_set:
        until = story.instant(expected.until) if expected.until else None
        if until != decision.until:
            yield f"until: {decision.until and decision.until.isoformat()} instead of {until and until.isoformat()}"
    if "basis" in expected.model_fields_set and expected.basis != (decision.basis and decision.basis.value):
        yield f"basis: {decision.basis and decision.basis.value} instead of {expected.basis}"
    if expected.status is not None and expected.status != decision.status.value:
        yield f"status: {decision.status.value} instead of {expected.status}"
    lacking = sorted(set(expected.must_contain or ()) - set(decision.must_contain))
    if lacking:
        yield f"must_contain: {', '.join(lacking)} not among {', '.join(decision.must_contain) or 'nothing'}"


def _reason_as_json(reason: Reason, decision: ContactDecision) -> dict[str, Any]:
    said = explain_reason(reason)
    return {
        "code": said.code,
        "verdict": WORDS[reason.verdict],
        "says": said.says,
        "remedy": said.remedy,
        "seen": said.seen,
        "until": reason.until.isoformat() if reason.until else None,
        "decisive": reason.verdict is decision.verdict,
    }


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files: an editor completes and checks with it."""
    schema = ScenarioFile.model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        _with_other_names(part, by_name=_schemas_by_name())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Scenarios of Relance"}


def _schemas_by_name() -> dict[str, dict[str, str]]:
    """Alias to name of every model in the file's schema: both may be written."""
    models: dict[str, dict[str, str]] = {}
    waiting: list[Any] = [ScenarioFile]
    while waiting:
        model = waiting.pop()
        if not isinstance(model, type) or model.__name__ in models or not hasattr(model, "model_fields"):
            continue
        models[model.__name__] = {field.alias: name for name, field in model.model_fields.items() if field.alias}
        waiting += [part for field in model.model_fields.values() for part in _parts(field.annotation)]
    return models


def _parts(annotation: Any) -> list[Any]:
    inner = [part for argument in getattr(annotation, "__args__", ()) for part in _parts(argument)]
    return [annotation, *inner]


def _with_other_names(part: dict[str, Any], *, by_name: dict[str, dict[str, str]]) -> None:
    for alias, name in by_name.get(part.get("title", ""), {}).items():
        properties = part.get("properties", {})
        if alias in properties:
            properties[name] = properties[alias]
            if alias in part.get("required", []):
                part["required"].remove(alias)
                part.setdefault("allOf", []).append({"anyOf": [{"required": [alias]}, {"required": [name]}]})
