"""The scenarios of the legal team, each question a test; what a broken file is told; and attempts to get an allow that is wrong."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from relance.cli.scenarios import open_words
from relance.deliverability.scenarios.models import ScenarioFile
from relance.deliverability.scenarios.reading import ScenarioRefused, read_scenario_file, read_scenario_text
from relance.deliverability.scenarios.running import as_document, run_stories, scenario_schema

FILES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
open_words()
ANSWERS = [answer for path in FILES for answer in run_stories(read_scenario_file(path))]


@pytest.mark.parametrize("answer", [pytest.param(one, id=f"{one.scenario}: {one.question}") for one in ANSWERS])
def test_the_gate_answers_as_the_legal_team_wrote(answer):
    assert answer.is_checked
    assert answer.differs == ()


def test_at_least_sixty_scenarios_are_shipped():
    assert len({(answer.file, answer.scenario) for answer in ANSWERS}) >= 60


def test_the_answers_carry_what_was_promised_and_nothing_else():
    document = as_document(ANSWERS)

    assert set(document) == {"questions", "summary"}
    assert set(document["questions"][0]) == {
        "file", "scenario", "question", "verdict", "reasons", "basis", "until", "must_contain", "status", "ok",
    }  # fmt: skip
    assert document["summary"]["failed"] == 0


def test_every_refusal_says_in_words_what_stands_and_what_would_change_it():
    for answer in ANSWERS:
        for reason in answer.as_json()["reasons"]:
            assert "?" not in reason["says"], reason
            if reason["verdict"] != "allow":
                assert reason["remedy"]


# Files that cannot be.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "f.yaml:1: this is not YAML"),
        ("people:\n  - name: A\n    contry: FR\nask: []", "f.yaml:3: “contry” is not a key that is known here."),
        ("people: [{name: A}]\n\nask: [{expect: allow}]", "f.yaml:3: when is it asked?"),
        ("now: 2026-01-01\npeople: [{name: A}]\nask:\n  - {person: B}", "f.yaml:4: nobody is called “B”"),
        ("now: 2026-01-01\npeople: [{name: A}, {name: B}]\nask:\n  - {expect: deny}", "f.yaml:4: about whom?"),
        ("now: yesterday\npeople: [{name: A}]\nask: [{}]", "f.yaml:1: “yesterday” is not a moment"),
        (
            "now: 2026-01-01\npeople:\n  - name: A\n    statements:\n      - {kind: given, channel: email, at: 2026-01-02}\nask: [{}]",
            "f.yaml:5: “given” is dated 2026-01-02 00:00:00, after every question asked",
        ),
        (
            "now: 2026-01-05\npeople:\n  - name: A\n    statements:\n      - {kind: given, at: 2026-01-02}\nask: [{}]",
            "f.yaml:5: a statement “given” names its channel",
        ),
        (
            "now: 2026-01-05\npeople:\n  - name: A\n    statements:\n      - {kind: contract, at: 2026-01-02, until: 2025-01-01}\nask: [{}]",
            "f.yaml:5: it ends (2025-01-01T00:00:00) before it begins",
        ),
        (
            "now: 2026-01-05\npeople:\n  - name: A\n    statements:\n      - {kind: given, channel: email, at: 2026-01-02, recorded_at: 2026-01-01}\nask: [{}]",
            "f.yaml:5: the act (2026-01-02T00:00:00) is dated after it was recorded",
        ),
        ("now: 2026-01-01\npolicy:\n  lines:\n    - {channel: email, need: opt}\npeople: [{name: A}]\nask: [{}]", "f.yaml:4: “need”"),
        ("now: 2026-01-01\npolicy: ZZ\npeople: [{name: A}]\nask: [{}]", "f.yaml:2: there is no policy “ZZ”"),
        ("now: 2026-01-01\npolicy: {extends: ZZ}\npeople: [{name: A}]\nask: [{}]", "f.yaml:2: there is no pack “ZZ” to extend."),
        ("name: A\nname: B", "f.yaml:2: “name” is written twice"),
        ("now: 2026-01-01\npeople: [{name: A, country: France}]\nask: [{}]", "f.yaml:2: “France” is not a country"),
        ("now: 2026-01-01\npolicy:\n  lines:\n    - channel: sms\n      need: optin\n      hours: {mon-fri: 9-18h}\npeople: [{name: A}]\nask: [{}]", "f.yaml:6: “9-18h” is not a span of hours"),
        ("[]", "f.yaml:1: a scenario file is a mapping"),
        ("[" * 5000, "f.yaml:1: the file is nested too deeply"),
        ("a: &a [*a]", "f.yaml:1: the file is nested too deeply"),
        ("now: 0001-01-01\npeople: [{name: A}]\nask: [{}]", "f.yaml:1: “0001-01-01” is not of our time"),
        ("now: 2026-01-01\npolicy:\n  calendar: {country: XX}\npeople: [{name: A}]\nask: [{}]", "f.yaml:3: no public holidays are known for “XX”"),
        ("now: 2026-01-01\npeople: [{name: A}, {name: B}]\nstatements:\n  - {kind: minor, at: 2025-01-01}\nask: [{person: A}]", "f.yaml:4: whose statement is it?"),
        ("now: 2026-01-01", "f.yaml:1: nothing is asked"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_is_refused_with_its_line(text, says):
    with pytest.raises(ScenarioRefused) as refused:
        read_scenario_text(text, "f.yaml")

    assert str(refused.value).startswith(says)


def test_norway_is_a_country_and_not_false():
    answers = run_stories(
        read_scenario_text("now: 2026-01-01\npeople: [{name: A, country: NO}]\nask: [{expect: deny}]")
    )

    assert answers[0].decision.line.startswith("NO/")


# Attempts at a wrong allow.

CLOSED = [
    "{kind: withdrawn, at: 2026-02-01}",
    "{kind: withdrawn, channel: CHANNEL, at: 2026-02-01, by: crm}",
    "{kind: objection, at: 2026-02-01, by: seller}",
    "{kind: complaint, channel: CHANNEL, at: 2026-02-01, by: provider}",
    "{kind: erased, at: 2026-02-01}",
    "{kind: withdrawn, channel: CHANNEL, topic: news, at: 2026-02-01}",
    "{kind: withdrawn, brand: Acme, at: 2026-02-01}",
    "{kind: minor, at: 2020-02-01}",
]
NOT_REOPENING = [
    "{kind: customer, at: 2026-03-01, told: true}",
    "{kind: contract, at: 2026-03-01}",
    "{kind: inquiry, at: 2026-03-01}",
    "{kind: notice, at: 2026-03-01}",
    "{kind: published, at: 2026-03-01}",
    "{kind: not_opted_out, at: 2026-03-01, by: crm}",
    "{kind: pending, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Acme}",
    "{kind: given, channel: CHANNEL, at: 2026-02-01, topic: news, brand: Acme}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Acme, by: import}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Acme, by: crm, proof: {at: 2026-01-01, how: form, source: fair}}",
    "{kind: given, channel: post, at: 2026-03-01, topic: news, brand: Acme}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Volt}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: events, brand: Acme}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Acme, purpose: tracking}",
    "{kind: given, channel: CHANNEL, at: 2026-03-01, topic: news, brand: Acme, until: 2026-05-01}",
    "{kind: unblocked, at: 2026-03-01}",
]


@pytest.mark.parametrize("country", ["FR", "DE", "UK", "US", "CA", "IE", "BR", "null"])
def test_nothing_but_a_later_fitting_yes_reopens_what_was_closed(country):
    asks, people = [], []
    country = "GB" if country == "UK" else country
    for number, (closed, other, channel) in enumerate(product(CLOSED, NOT_REOPENING, ["email", "phone", "sms"])):
        said = ", ".join(one.replace("CHANNEL", channel) for one in (closed, other))
        people.append(f"  - {{name: P{number}, country: {country}, audience: b2b, statements: [{said}]}}")
        asks.append(f"  - {{person: P{number}, channel: {channel}, topic: news, brand: Acme}}")
    text = "now: 2026-06-03T15:00:00Z\npeople:\n" + "\n".join(people) + "\nask:\n" + "\n".join(asks)

    answers = run_stories(read_scenario_text(text))

    wrong = [answer.question for answer in answers if answer.as_json()["verdict"] != "deny"]
    assert wrong == []


# The command.


def command(*arguments, **more):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO", "RELANCE"))
    }
    return subprocess.run(
        [sys.executable, "-m", "relance.cli", "scenarios", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        **more,
    )


def test_the_command_needs_no_database_and_no_home(tmp_path):
    done = command(str(FILES[0]), "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["failed"] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_command_ends_with_one_when_an_expectation_fails_and_with_two_when_a_file_cannot_be_read(tmp_path):
    wrong, broken = tmp_path / "wrong.yaml", tmp_path / "broken.yaml"
    wrong.write_text("now: 2026-01-01\npeople: [{name: A}]\nask: [{expect: allow}]")
    broken.write_text("people: [")

    failed, refused = command(str(wrong), "--json"), command(str(broken), "--json")

    assert failed.returncode == 1
    assert json.loads(failed.stdout)["questions"][0]["ok"] is False
    assert refused.returncode == 2
    assert "broken.yaml:1:" in json.loads(refused.stdout)["error"]


def test_a_policy_named_on_the_command_line_takes_the_place_of_the_files_own(tmp_path):
    story = tmp_path / "story.yaml"
    story.write_text("now: 2026-06-03T10:00Z\npeople: [{name: A, audience: b2b}]\nask: [{channel: email}]")

    verdicts = {
        name: json.loads(command(str(story), "--policy", name, "--json").stdout)["questions"][0]["verdict"]
        for name in ("UK", "DE")
    }

    assert verdicts == {"UK": "allow", "DE": "deny"}


def test_the_published_schema_is_that_of_the_code():
    published = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "scenarios.schema.json").read_text())

    assert published == json.loads(json.dumps(scenario_schema()))
    assert set(ScenarioFile.model_fields) - {"name", "now"} <= set(published["properties"])
