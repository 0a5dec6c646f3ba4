"""`relance why`: the answer is one object a program can read, in the words promised, in the language asked for."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

import relance.cli.why as door
from relance.cli.doors import CannotRun
from relance.cli.main import app
from relance.decisions.models import LedgerLine
from relance.lib.partitions import time_id
from relance.people.models import Person

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
KEYS = {"code", "verdict", "seen", "says", "remedy", "decisive"}


@pytest.fixture(autouse=True)
def _database_is_open(monkeypatch):
    monkeypatch.setattr(door, "relance_open", nullcontext)


@pytest.fixture
def aline():
    """Two decisions about her: her city came from the CRM, then her phone was put back."""
    person = Person.objects.create(email="Aline@acme.example", last_name="Martin")
    for place, (code, field, before, after) in enumerate(
        ((3001, "city", "Lyon", "Caen"), (3002, "phone", "01 02", "+33 4 72"))
    ):
        LedgerLine.objects.create(
            id=time_id(NOW, place + 1),
            at=NOW,
            subject="sync",
            subject_id=person.pk,
            person_id=person.pk,
            verdict=0,
            policy="mapping:1@1",
            codes=[code],
            fields=[field],
            before=[before],
            after=[after],
        )
    return person


def why(*arguments):
    done = CliRunner().invoke(app, ["why", *arguments])
    return done, json.loads(done.stdout) if "--json" in arguments and done.stdout else None


def test_asked_about_a_person_it_answers_the_newest_decision_with_the_others_behind_it(aline):
    done, told = why("--person", "aline@ACME.example", "--json")

    assert done.exit_code == 0
    assert told["decision"].startswith("d-")
    assert (told["verdict"], told["policy"]) == ("allow", "mapping:1@1")
    [reason] = told["reasons"]
    assert set(reason) == KEYS
    assert (reason["code"], reason["decisive"]) == ("crm.reverted_to_crm", True)
    assert reason["seen"] == {"field": "phone", "before": "01 02", "after": "+33 4 72"}
    assert told["would_change"] == [reason["remedy"]]
    assert [earlier["reasons"][0]["code"] for earlier in told["earlier"]] == ["crm.crm_is_right"]


@pytest.mark.parametrize("name", ["city", "City", "Ville"])
def test_a_field_is_asked_for_by_its_key_or_by_its_name_in_either_language(aline, name):
    _, told = why("--person", str(aline.pk), "--field", name, "--json")

    assert [reason["code"] for reason in told["reasons"]] == ["crm.crm_is_right"]
    assert told["earlier"] == []


def test_a_decision_is_asked_for_by_its_own_name_and_says_the_same(aline):
    _, about = why("--person", str(aline.pk), "--json")

    _, told = why(about["decision"], "--json")

    assert told == {key: value for key, value in about.items() if key != "earlier"}


def test_it_speaks_french_when_asked_to(aline):
    _, told = why("--person", str(aline.pk), "--json", "--lang", "fr")

    assert told["reasons"][0]["says"].startswith("Le CRM fait foi pour ce champ")


def test_nothing_decided_is_said_and_ends_with_1():
    bruno = Person.objects.create(last_name="Bruno")

    done, told = why("--person", str(bruno.pk), "--json")

    assert done.exit_code == 1
    assert (told["decision"], told["reasons"], told["would_change"]) == (None, [], [])


@pytest.mark.parametrize(
    "asked", [["--person", "nobody@acme.example"], ["d-1"], ["--person", "1", "--field", "shoe size"]]
)
def test_what_does_not_exist_is_said_with_what_to_do(asked, aline):
    asked = [str(aline.pk) if word == "1" else word for word in asked]

    done, _ = why(*asked)

    assert isinstance(done.exception, CannotRun)
    assert "relance " in str(done.exception)


def test_on_a_terminal_each_reason_names_its_field(aline):
    done, _ = why("--person", str(aline.pk))

    assert "Phone: The CRM is right for this field" in done.stdout
