"""Imports: what is shown is what is done, every refused row says why, nothing is lost when a worker dies, and all of it can be undone."""

from __future__ import annotations

import io
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from relance.activity.models import Activity
from relance.decisions.facts import decisions_about
from relance.decisions.models import DecisionRun, LedgerLine
from relance.decisions.reasons import reason_numbered
from relance.lib import sql
from relance.people import personal
from relance.people.catalogue import FieldKind, FieldSpec, Subject
from relance.people.change import change_person, create_person
from relance.people.facts import values_of
from relance.people.imports import running, staging
from relance.people.imports.compile import read_cell
from relance.people.imports.mapping import guess_mapping
from relance.people.imports.refused import problems_of, refused_file
from relance.people.imports.running import (
    ImportChoices,
    ImportRefused,
    check_import,
    choose,
    describe_file,
    receive_file,
    run_import,
    stop_import,
)
from relance.people.imports.undoing import preview_undo, undo_import
from relance.people.models import Import, Person
from relance.people.personal import Keeper, register_keeper
from relance.people.rules import BLANKS, Reading, ValueRefused, read_value
from relance.people.schema import create_custom_field
from relance.people.tasks import tidy_imports
from relance.workspace.models import Team, User

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def received(text: str, *, by: User | None = None, **choices: object) -> Import:
    this = receive_file("people.csv", io.BytesIO(text.encode()), by=by, now=NOW)
    mapping = choices.pop("mapping", tuple(this.mapping))
    choose(this, ImportChoices(mapping=mapping, **choices), now=NOW)  # type: ignore[arg-type]
    return this


def ran(text: str, **options: object) -> Import:
    this = received(text, **options)  # type: ignore[arg-type]
    run_import(this, now=NOW)
    return this


def told(this: Import) -> list[tuple[int, str, str]]:
    rows = this.problems.order_by("row", "column")
    return [(p.row, "" if p.column is None else this.header[p.column], reason_numbered(p.code).code) for p in rows]


def test_a_file_makes_people_who_are_new_and_changes_those_who_exist():
    aline = create_person({"email": "aline@example.com", "city": "Lyon", "phone": "0472"}, actor="system", now=NOW)

    this = ran("Email;Prénom;Ville\nALINE@example.com;Aline;\nbruno@example.com;Bruno;Paris\n")

    assert this.state == Import.State.DONE
    assert this.counts == {"created": 1, "updated": 1, "unchanged": 0, "refused": 0}
    aline.refresh_from_db()
    assert (aline.email, aline.first_name, aline.city) == ("aline@example.com", "Aline", "Lyon")
    bruno = Person.objects.get(email_key="bruno@example.com")
    assert (bruno.first_name, bruno.city, bruno.created_at) == ("Bruno", "Paris", NOW)
    [line] = Activity.objects.filter(person_id=aline.pk, kind="import.updated")
    assert line.payload["changes"] == [{"field": "first_name", "before": None, "after": "Aline"}]
    assert (line.actor, line.payload["row"]) == (f"import:{this.pk}", 2)
    assert Activity.objects.filter(person_id=bruno.pk, kind="import.created").exists()


def test_the_check_counts_exactly_what_the_run_then_does_and_writes_nothing():
    create_person({"email": "aline@example.com", "city": "Lyon"}, actor="system", now=NOW)
    this = received(
        "email,city\naline@example.com,Paris\nbruno@example.com,Lyon\nnobody,Lyon\n\nbruno@example.com,Nice\n"
    )

    check_import(this, now=NOW)

    assert this.state == Import.State.CHECKED
    assert Person.objects.count() == 1 and Person.objects.get().city == "Lyon"
    assert not Activity.objects.filter(actor=f"import:{this.pk}").exists()
    [first, second, *_] = this.samples
    assert first["outcome"] == "updated" and first["cells"][1] == {
        "field": "city",
        "cell": "Paris",
        "is_bad": False,
        "before": "Lyon",
        "after": "Paris",
    }
    assert second["outcome"] == "created"
    foreseen, problems = dict(this.preview_counts), told(this)
    run_import(this, now=NOW)
    assert this.counts == foreseen == {"created": 1, "updated": 1, "unchanged": 0, "refused": 2}
    assert told(this) == problems == [(4, "email", "people.value_not_an_email"), (6, "email", "people.import_twice")]


def test_custom_fields_of_every_kind_are_filled_and_bad_cells_told_by_column():
    kinds = (
        FieldKind.NUMBER,
        FieldKind.BOOLEAN,
        FieldKind.DATE,
        FieldKind.DATETIME,
        FieldKind.CHOICE,
        FieldKind.CHOICES,
        FieldKind.INTEGER,
    )
    keys = {
        kind: create_custom_field(Subject.PERSON, kind.value, kind, now=NOW, choices=("100 %", "b")).column
        for kind in kinds
    }
    header = ";".join(["email", *(kind.value for kind in kinds)])

    this = ran(
        f"{header}\n"
        "a@example.com;1 234,5;oui;17/11/2026;17/11/2026 08:42;100 %;B,100 %;12\n"
        "b@example.com;x;peut-être;31/02/2026;25:00;z;b,z;1.5\n"
    )

    aline = Person.objects.get()
    values = values_of([aline.pk], keys.values())[aline.pk]
    assert values[keys[FieldKind.NUMBER]] == Decimal("1234.5")
    assert values[keys[FieldKind.BOOLEAN]] is True
    assert values[keys[FieldKind.DATE]] == date(2026, 11, 17)
    assert values[keys[FieldKind.CHOICE]] == "100 %" and values[keys[FieldKind.CHOICES]] == ["b", "100 %"]
    assert values[keys[FieldKind.INTEGER]] == 12
    assert [column for _row, column, _code in told(this)] == [kind.value for kind in kinds]
    assert "“peut-être”" in problems_of(this)[1].says


@pytest.mark.parametrize(
    ("policy", "city", "phone"),
    [
        pytest.param({}, "Paris", "0472", id="blank cells keep, values overwrite"),
        pytest.param({"blank_cells": "clear"}, "Paris", None, id="blank cells clear"),
        pytest.param({"existing_values": "fill"}, "Lyon", "0472", id="values only fill"),
    ],
)
def test_policies_say_what_blank_cells_and_known_values_become(policy, city, phone):
    create_person({"email": "aline@example.com", "city": "Lyon", "phone": "0472"}, actor="system", now=NOW)

    ran("email,city,phone\naline@example.com,Paris,\n", **policy)

    aline = Person.objects.get()
    assert (aline.city, aline.phone) == (city, phone)


def test_an_import_may_only_create_or_only_change():
    create_person({"email": "aline@example.com"}, actor="system", now=NOW)
    text = "email,city\naline@example.com,Paris\nbruno@example.com,Lyon\n"

    assert told(ran(text, rows_allowed="create")) == [(2, "email", "people.import_only_creates")]
    assert told(ran("email,city\nchloe@example.com,Nice\n", rows_allowed="update")) == [
        (2, "email", "people.import_only_updates")
    ]


def test_rows_without_an_address_are_refused_unless_they_may_make_people():
    assert told(ran("email,first_name\n,Aline\n")) == [(2, "email", "people.import_no_email")]

    this = ran("email,first_name\n,Aline\n,\n", without_email="create")

    assert this.counts["created"] == 1
    assert Person.objects.get().email is None


def test_a_manager_cannot_change_people_of_another_team_and_new_ones_join_the_own():
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    manager = User.objects.create_user("m@example.com", name="M", role="manager", team=north)
    create_person({"email": "aline@example.com", "team": south.pk}, actor="system", now=NOW)

    this = ran("email,city\naline@example.com,Paris\nbruno@example.com,Lyon\n", by=manager)

    assert told(this) == [(2, "email", "people.import_not_yours")]
    assert Person.objects.get(email="bruno@example.com").team == north


def test_rows_the_file_itself_spoils_are_told_and_the_others_taken():
    this = ran('email,city\na@example.com,Lyon,more\nb@example.com\n"c@example.com",Paris\nd@example.com,"open\n')

    assert told(this) == [
        (2, "", "people.import_cells"),
        (3, "", "people.import_cells"),
        (5, "", "people.import_quote"),
    ]
    assert this.counts["created"] == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "people.file_empty"),
        (b"PK\x03\x04zzz", "people.file_binary"),
        (b"email,city\n", "people.file_without_rows"),
    ],
)
def test_a_file_that_cannot_be_taken_is_kept_as_failed_with_its_reason(content, code):
    this = receive_file("people.csv", io.BytesIO(content), by=None, now=NOW)
    if this.state != Import.State.FAILED:
        check_import(this, now=NOW)

    assert this.state == Import.State.FAILED
    assert this.problem["code"] == code


def test_duplicate_headers_are_mapped_apart_and_one_field_cannot_be_filled_twice():
    this = receive_file(
        "people.csv", io.BytesIO(b"email,email,city,city\na@example.com,x,Lyon,Paris\n"), by=None, now=NOW
    )

    assert this.header == ["email", "email (2)", "city", "city (2)"]
    assert this.mapping == ["email", "", "city", ""]
    with pytest.raises(ImportRefused, match="Several columns"):
        choose(this, ImportChoices(mapping=("email", "", "city", "city")), now=NOW)


def test_the_mapping_is_guessed_in_both_languages_and_remembered_for_the_same_header():
    seats = create_custom_field(Subject.PERSON, "Nombre de sièges", FieldKind.INTEGER, now=NOW)
    header = ["Adresse e-mail", "NOM", "Prénom", "Société", "Tél.", "Code postal", "nombre de sieges", "???"]

    assert guess_mapping(header) == [
        "email",
        "last_name",
        "first_name",
        "company_name",
        "phone",
        "postal_code",
        seats.column,
        "",
    ]

    ran("Adresse e-mail,Remarque\na@example.com,Lyon\n", mapping=("email", "city"))
    assert guess_mapping(["adresse E-MAIL", "remarque"]) == ["email", "city"]


def test_a_file_may_be_read_another_way_than_was_guessed():
    this = receive_file("people.csv", io.BytesIO(b"a@example.com;Lyon\nb@example.com;Nice\n"), by=None, now=NOW)
    assert (this.has_header, this.header) == (False, ["A", "B"])

    describe_file(this, encoding="cp1252", delimiter=",", has_header=True)

    assert this.header == ["a@example.com;Lyon"]


def test_an_import_killed_in_the_middle_goes_on_where_it_stood(monkeypatch):
    text = "email\n" + "".join(f"p{n}@example.com\n" for n in range(10))
    this = received(text)

    class Killed(BaseException):
        pass

    def kill(step: str, done: int, total: int) -> None:
        if step == "run" and Person.objects.count() >= 5:
            raise Killed

    with pytest.raises(Killed):
        run_import(this, now=NOW, progress=kill, chunk=3)
    assert Person.objects.count() == 5
    connection.cursor().execute(f"TRUNCATE import_stage_{this.pk}")  # as a crash of the database does
    run_import(this, now=LATER, chunk=3)

    assert Person.objects.count() == 10
    assert this.counts["created"] == 10
    assert set(Person.objects.values_list("created_at", flat=True)) == {NOW}
    assert this.changes.count() == 10


def test_a_stopped_import_keeps_what_it_did_and_may_go_on():
    this = received("email\n" + "".join(f"p{n}@example.com\n" for n in range(6)))

    run_import(
        this, now=NOW, chunk=2, progress=lambda step, done, total: stop_import(this, now=NOW) if step == "run" else None
    )
    assert this.state == Import.State.STOPPED and 0 < Person.objects.count() < 6
    run_import(this, now=NOW)

    assert this.state == Import.State.DONE and Person.objects.count() == 6


def test_the_ledger_keeps_one_line_a_reason_with_how_many_rows_it_met():
    this = ran("email,score\nx,1\ny,2\na@example.com,many\nb@example.com,3\n")

    assert DecisionRun.objects.get(pk=this.run_id).counts == this.counts
    lines = LedgerLine.objects.filter(subject="import", subject_id=this.pk).order_by("id")
    assert [(line.reasons[0]["code"], line.reasons[0]["seen"]) for line in lines] == [
        ("people.value_not_an_email", {"rows": 2}),
        ("people.value_not_an_integer", {"rows": 1}),
    ]


def test_the_refused_rows_come_back_as_a_file_with_what_to_do():
    this = ran('email,city\nx,"=SUM(A1)"\nb@example.com,Lyon\n')

    text = "".join(refused_file(this))

    [header, row] = text.strip().splitlines()
    assert header.startswith("\ufeffemail,city,Row")
    assert row.startswith("x,'=SUM(A1),2,email,x,“x” is not an e-mail address.")
    this.forget_file()
    assert "=SUM" not in "".join(refused_file(this))


def test_an_undone_import_sets_values_back_and_takes_its_people_away():
    field = create_custom_field(Subject.PERSON, "Tags", FieldKind.CHOICES, now=NOW, choices=("a", "b"))
    aline = create_person(
        {"email": "aline@example.com", "city": "Lyon", field.column: ("a",)},
        actor="system",
        now=NOW - timedelta(days=1),
    )
    this = ran("email,city,score,Tags\naline@example.com,Paris,5,b\nbruno@example.com,Nice,1,\n")

    assert preview_undo(this) == {"deleted": 1, "restored": 1, "kept": 0}
    assert undo_import(this, actor="user:1", now=LATER) == {"deleted": 1, "restored": 1, "kept": 0}

    assert values_of([aline.pk], ["city", "score", field.column])[aline.pk] == {
        "city": "Lyon",
        "score": None,
        field.column: ["a"],
    }
    assert list(Person.objects.values_list("email", flat=True)) == ["aline@example.com"]
    assert Activity.objects.filter(person_id=aline.pk, kind="import.undone").exists()
    assert this.state == Import.State.UNDONE
    with pytest.raises(ImportRefused):
        undo_import(this, actor="user:1", now=LATER)


def test_an_undo_leaves_what_was_changed_since_and_says_so():
    aline = create_person(
        {"email": "aline@example.com", "city": "Lyon", "phone": "0001"}, actor="system", now=NOW - timedelta(days=1)
    )
    this = ran(
        "email,city,phone\naline@example.com,Paris,0002\nbruno@example.com,Nice,0003\nchloe@example.com,Nice,0004\n"
    )
    change_person(aline, {"city": "Nantes"}, actor="user:1", now=LATER)
    bruno = Person.objects.get(email="bruno@example.com")
    change_person(bruno, {"city": "Brest"}, actor="user:1", now=LATER)

    counts = undo_import(this, actor="user:1", now=LATER)

    assert counts == {"deleted": 1, "restored": 1, "kept": 1}
    aline.refresh_from_db()
    assert (aline.city, aline.phone) == ("Nantes", "0001")
    [said] = decisions_about(aline.pk)
    assert said.decision.reasons[0].code == "people.undo_changed_since" and said.decision.reasons[0].seen == {
        "fields": ["city"]
    }
    assert decisions_about(bruno.pk)[0].decision.reasons[0].code == "people.undo_person_changed"


def test_a_person_another_room_holds_is_not_undone(monkeypatch):
    monkeypatch.setattr(personal, "_keepers", dict(personal._keepers))
    register_keeper(
        Keeper(
            "letters",
            lambda winner, losers: None,
            lambda person: {},
            lambda people: None,
            lambda people: dict.fromkeys(people, "A letter is on its way."),
        )
    )
    this = ran("email\nbruno@example.com\n")

    assert undo_import(this, actor="user:1", now=LATER) == {"deleted": 0, "restored": 0, "kept": 1}

    assert "A letter" in decisions_about(Person.objects.get().pk)[0].explained[0].says


def test_the_tables_of_a_finished_import_are_gone():
    this = ran("email\na@example.com\n")

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE %s", [f"import_%\\_{this.pk}%"])
        assert cursor.fetchone()[0] == 0


def test_importing_again_changes_nothing_and_leaves_no_trace():
    text = "email,city\na@example.com,Lyon\n"
    ran(text)

    again = ran(text)

    assert again.counts == {"created": 0, "updated": 0, "unchanged": 1, "refused": 0}
    assert again.changes.count() == 0


CELLS = some.text(alphabet="ab,é€. \\%", max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(some.lists(some.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=8))
def test_a_block_taken_whole_gives_the_rows_that_careful_reading_gives(rows):
    text = "x,y\n" + "".join(",".join(row) + "\n" for row in rows)
    this = receive_file("f.csv", io.BytesIO(text.encode()), by=None, now=NOW)
    if this.state == Import.State.FAILED or len(this.header) != 2:
        return

    def staged(is_plain: bool) -> tuple[object, object]:
        before = staging.RowReader.is_plain
        staging.RowReader.is_plain = lambda self, block: is_plain and before(self, block)  # type: ignore[method-assign]
        try:
            staging.stage_file(this, now=NOW)
        except running.FileRefused:
            return [], []
        finally:
            staging.RowReader.is_plain = before  # type: ignore[method-assign]
        cells = sql.select(
            f"SELECT row, nullif(c0, '') AS c0, nullif(c1, '') AS c1 FROM import_stage_{this.pk} ORDER BY row"
        )
        return cells, told(this)

    assert staged(True) == staged(False)


WORDS = some.one_of(
    some.sampled_from(
        [
            "oui", "NON", "x", "1", "0", "12", "-7", "+3", "1 234", "1\u202f234,5", "1,234.5", "1.5", "1,5", "1e5", "12345678901234567890",
            "2026-11-17", "17/11/2026", "11/17/2026", "31/02/2026", "29/02/2024", "29.02.2023", "1-1-2026", "0001-01-01", "9999-12-31", "0999-12-31",
            "2026-11-17 08:42", "2026-11-17T08:42:10Z", "17/11/2026 8h05", "2026-11-17 08:42:10.123456+02:00", "2026-11-17 24:00", "2026-03-29 02:30", "2026-10-25 02:30",
            "a@b.fr", "a@b", "a b@c.fr", "é@é.fr", "<a@b.fr>", "a@b..fr", "a@b.fr.", "http://x.fr", "x.fr/a?b", "javascript:alert(1).x", "ftp://x.fr", "HTTPS://X.fr:80/",
            "+33 4 72", "12", "a1b2c3", "one", "ONE", "Two; one", "one,two,one", "three", ";;", "é" * 300, "z" * 1001, "5 %",
        ]
    ),
    some.text(alphabet="0123456789-/.:, +TZh@aé\n", max_size=14),
)  # fmt: skip


@pytest.mark.parametrize(
    "reading",
    [Reading(True, True, "Europe/Paris"), Reading(False, False, "America/New_York")],
    ids=["french", "american"],
)
@pytest.mark.parametrize("kind", FieldKind)
def test_the_compiled_import_reads_a_cell_as_the_rules_do(kind, reading):
    from psycopg.sql import SQL, Literal

    choices = ("One", "Two", "5 %") if kind in (FieldKind.CHOICE, FieldKind.CHOICES) else ()
    expression = read_cell(FieldSpec("f", "F", kind, "person_x", "f_1", choices=choices), SQL("cell"), reading)
    query = SQL("SELECT {} AS value FROM (SELECT nullif(btrim(%s, {}), '') AS cell) AS one").format(
        expression, Literal(BLANKS)
    )
    text = query.as_string(connection.connection)

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(WORDS)
    def agree(cell):
        try:
            expected = read_value(kind, cell, choices=choices, reading=reading)
        except ValueRefused:
            expected = None
        with connection.cursor() as cursor:
            cursor.execute(text, [cell])
            [value] = cursor.fetchone()
        assert (tuple(value) if isinstance(value, list) else value) == expected

    agree()


def test_files_and_staged_rows_nobody_goes_on_with_are_tidied_away_and_the_import_still_goes_on_before():
    this = received("email\na@example.com\n")
    check_import(this, now=NOW)

    tidy_imports(NOW + timedelta(days=2))
    this.refresh_from_db()
    assert this.staged_rows is None and this.file.exists()
    run_import(this, now=NOW)
    assert Person.objects.count() == 1

    tidy_imports(NOW + timedelta(days=31))
    this.refresh_from_db()
    assert this.path == ""


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_on_the_same_import_leaves_it_to_the_first():
    this = received("email,first_name\n" + ",Nameless\n" * 6, without_email="create")
    second = {"was": "not tried"}

    def meanwhile() -> None:
        run_import(Import.objects.get(pk=this.pk), now=NOW)
        second["was"] = "tried"
        connections.close_all()

    def on_the_way(step: str, done: int, total: int) -> None:
        if step == "run" and second["was"] == "not tried":
            worker = threading.Thread(target=meanwhile)
            worker.start()
            worker.join(20)

    run_import(this, now=NOW, chunk=2, progress=on_the_way)

    assert second["was"] == "tried"
    assert Person.objects.count() == 6 and this.counts["created"] == 6


@pytest.mark.django_db(transaction=True)
def test_a_person_added_by_somebody_else_in_the_middle_of_a_chunk_is_changed_rather_than_doubled(monkeypatch):
    this = received("email,city\na@example.com,Paris\n")
    before, tries = running._Settling._write, []

    def interrupted(self) -> None:
        tries.append(1)
        if len(tries) == 1:
            other = threading.Thread(
                target=lambda: (
                    create_person({"email": "a@example.com", "city": "Lyon"}, actor="user:9", now=NOW),
                    connections.close_all(),
                )
            )
            other.start()
            other.join(20)
        before(self)

    monkeypatch.setattr(running._Settling, "_write", interrupted)
    run_import(this, now=NOW)

    assert len(tries) == 2
    assert [(one.email, one.city) for one in Person.objects.all()] == [("a@example.com", "Paris")]
    assert this.counts == {"created": 0, "updated": 1, "unchanged": 0, "refused": 0}
