"""Lists: what a filter means, pages that neither repeat nor miss a row, counts that say when they estimate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from relance.people import filters
from relance.people.catalogue import FieldKind, Subject
from relance.people.change import create_person
from relance.people.facts import gather_values
from relance.people.filters import FilterRefused, compile_conditions, matches, parse_conditions, register_state
from relance.people.listing import SORTS, count_rows, ids_in_order, page_of
from relance.people.models import Person
from relance.people.saved_views import NewView, ViewRefused, may_change_view, save_view, views_for
from relance.people.schema import create_custom_field
from relance.workspace.models import Team, User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PARIS = "Europe/Paris"


def named(texts: list[str], **options: object) -> list[str]:
    conditions = parse_conditions(Subject.PERSON, texts, zone=PARIS, **options)  # type: ignore[arg-type]
    found = Person.objects.filter(compile_conditions(Subject.PERSON, conditions, now=NOW, zone=PARIS))
    return sorted(person.first_name or "" for person in found)


@pytest.fixture
def cast():
    for name, city, score in [("Aline", "Lyon", 70), ("Bruno", None, None), ("Chloé", "Paris", 10)]:
        create_person({"first_name": name, "city": city, "score": score}, actor="system", now=NOW)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        pytest.param("city:is:lyon", ["Aline"], id="whatever the case"),
        pytest.param("city:is:Lyon|Paris", ["Aline", "Chloé"], id="one of several"),
        pytest.param("city:is_not:Lyon", ["Bruno", "Chloé"], id="is not holds for the blank too"),
        pytest.param("city:contains:ARI", ["Chloé"], id="contains"),
        pytest.param("city:blank", ["Bruno"], id="blank"),
        pytest.param("city:filled", ["Aline", "Chloé"], id="filled"),
        pytest.param("score:gte:50", ["Aline"], id="at least leaves the blank out"),
        pytest.param("score:lte:50", ["Chloé"], id="at most leaves the blank out as well"),
        pytest.param("first_name:starts:chl", ["Chloé"], id="begins with"),
        pytest.param("city:contains:%", [], id="signs of LIKE are only signs"),
        pytest.param("created:on:2026-03-02", ["Aline", "Bruno", "Chloé"], id="on a day of the reader's zone"),
        pytest.param("created:after:2026-03-02", [], id="after a day is not on it"),
        pytest.param("created:last_days:3", ["Aline", "Bruno", "Chloé"], id="the last days"),
    ],
)
def test_what_a_condition_means(cast, condition, found):
    assert named([condition]) == found


def test_conditions_hold_together(cast):
    assert named(["city:filled", "score:lte:50"]) == ["Chloé"]


@pytest.mark.parametrize(
    "text",
    [
        "nothing:is:1",
        "city:gte:1",
        "city:is",
        "score:gte:many",
        "owner:is:anybody",
        "created:on:yesterday",
        ":",
        "city",
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_by_name(text):
    with pytest.raises(FilterRefused):
        parse_conditions(Subject.PERSON, [text])


def test_me_is_the_reader(cast):
    user = User.objects.create_user("rep@example.com", name="Rep")
    Person.objects.filter(first_name="Aline").update(owner=user)

    assert named(["owner:is:me"], user=user) == ["Aline"]


def test_another_room_may_add_a_yes_or_no_filter(cast, monkeypatch):
    monkeypatch.setattr(filters, "_states", {subject: {} for subject in Subject})
    register_state(Subject.PERSON, "in_crm", "In the CRM", lambda: Q(first_name="Aline"))

    assert named(["in_crm:is:yes"]) == ["Aline"]
    assert named(["in_crm:is:no"]) == ["Bruno", "Chloé"]


texts = some.sampled_from([None, "Lyon", "LYON", "lyon sud", "Paris", "%", "é", "É"])
figures = some.sampled_from([None, 0, 5, 50])
days = some.sampled_from([None, "2026-03-01", "2026-03-02", "2026-02-20"])
lists = some.sampled_from([None, ("a",), ("a", "b"), ("c",)])
conditions = some.sampled_from(
    [
        *(
            f"{{text}}:{op}:{value}"
            for op in ("is", "is_not", "contains", "starts")
            for value in ("lyon", "É", "%", "Paris|Lyon")
        ),
        *(f"{{figure}}:{op}:{value}" for op in ("is", "is_not", "gte", "lte") for value in (0, 5, 7)),
        *(f"{{day}}:{op}" for op in ("on:2026-03-01", "before:2026-03-01", "after:2026-03-01", "last_days:3")),
        *(f"{{list}}:{op}" for op in ("has_any:a|c", "has_none:a", "has_none:b|c")),
        *(f"{{{kind}}}:{op}" for kind in ("text", "figure", "day", "list") for op in ("blank", "filled")),
    ]
)


def test_sql_and_python_agree_on_every_condition_for_core_and_custom_fields():
    custom = {
        "text": create_custom_field(Subject.PERSON, "text", FieldKind.TEXT, now=NOW).column,
        "figure": create_custom_field(Subject.PERSON, "figure", FieldKind.NUMBER, now=NOW).column,
        "day": create_custom_field(Subject.PERSON, "day", FieldKind.DATE, now=NOW).column,
        "list": create_custom_field(Subject.PERSON, "list", FieldKind.CHOICES, now=NOW, choices="abc").column,
    }
    core = custom | {"text": "city", "figure": "score"}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(some.lists(some.tuples(texts, figures, days, lists), min_size=1, max_size=4), conditions, some.booleans())
    def agree(rows, condition, is_core):
        keys = core if is_core else custom
        Person.objects.all().delete()
        for row in rows:
            create_person(dict(zip(keys.values(), row, strict=True)), actor="system", now=NOW)
        [read] = parse_conditions(Subject.PERSON, [condition.format(**keys)], zone=PARIS)

        found = set(
            Person.objects.filter(compile_conditions(Subject.PERSON, [read], now=NOW, zone=PARIS)).values_list(
                "pk", flat=True
            )
        )

        ids = list(Person.objects.values_list("pk", flat=True))
        values = gather_values(Subject.PERSON, ids, [read.field.key])
        assert found == {pk for pk in ids if matches(read, values[pk][read.field.key], now=NOW, zone=PARIS)}

    agree()


@pytest.mark.parametrize("key", SORTS)
def test_pages_give_every_row_once_forwards_and_backwards(key):
    sort = SORTS[key]
    for n in range(23):
        create_person({"last_name": "ABCDE"[n % 5]}, actor="system", now=NOW + timedelta(minutes=n % 7))

    seen, marks, after = [], [""], ""
    while True:
        page = page_of(Person.objects.all(), sort, after=after, size=5)
        seen += [row.pk for row in page.rows]
        if not page.after:
            break
        after = page.after
        marks.append(after)
    back = [page]
    while back[-1].before:
        back.append(page_of(Person.objects.all(), sort, before=back[-1].before, size=5))

    assert seen == list(ids_in_order(Person.objects.all(), sort))
    assert [row.pk for page in reversed(back) for row in page.rows] == seen
    assert back[-1].before == "" and len(back) == 5


@pytest.mark.parametrize("mark", ["x", "[]", "[1,2,3]", '["2026","x"]', '{"a":1}', '["a\\u0000",1]', "null"])
def test_a_mark_that_cannot_be_read_gives_the_first_page(mark):
    person = create_person({"last_name": "Zed"}, actor="system", now=NOW)

    assert [row.pk for row in page_of(Person.objects.all(), SORTS["-created"], after=mark).rows] == [person.pk]
    page_of(Person.objects.all(), SORTS["name"], after=mark)


def test_a_large_count_is_an_estimate_that_says_so_and_is_exact_when_asked(monkeypatch):
    from relance.people import listing

    create_person({"last_name": "Zed"}, actor="system", now=NOW)
    assert count_rows(Person.objects.all()).is_exact

    monkeypatch.setattr(listing, "ESTIMATED_ABOVE", -1)
    assert not count_rows(Person.objects.all()).is_exact
    assert count_rows(Person.objects.all(), exactly=True) == listing.Count(1, is_exact=True)
    assert count_rows(Person.objects.none()).rows == 0


def test_a_view_is_seen_by_those_it_was_kept_for():
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    manager = User.objects.create_user("m@example.com", name="M", role="manager", team=north)
    mate = User.objects.create_user("r@example.com", name="R", role="rep", team=north)
    other = User.objects.create_user("o@example.com", name="O", role="rep", team=south)
    for reach in ("mine", "team", "workspace"):
        save_view(manager, Subject.PERSON, NewView(reach, "f=city:filled", ["city"], reach), now=NOW)

    assert [view.name for view in views_for(manager, Subject.PERSON)] == ["mine", "team", "workspace"]
    assert [view.name for view in views_for(mate, Subject.PERSON)] == ["team", "workspace"]
    assert [view.name for view in views_for(other, Subject.PERSON)] == ["workspace"]
    assert not may_change_view(mate, views_for(mate, Subject.PERSON)[0])
    with pytest.raises(ViewRefused):
        save_view(mate, Subject.PERSON, NewView("shared", "", [], "team"), now=NOW)


def test_saving_a_view_under_a_known_name_replaces_it():
    user = User.objects.create_user("r@example.com", name="R")
    save_view(user, Subject.PERSON, NewView("Mine", "f=city:filled", []), now=NOW)
    save_view(user, Subject.PERSON, NewView("mine", "f=city:blank", []), now=NOW)

    assert [view.query for view in views_for(user, Subject.PERSON)] == ["f=city:blank"]


def test_people_are_filtered_by_what_the_crm_made_of_them(cast):
    from relance.crm.models import Connection, CrmLink, PushError

    aline, bruno, chloe = Person.objects.order_by("first_name")
    connection = Connection.objects.create(name="Salesforce", made_at=NOW)
    CrmLink.objects.create(connection=connection, object="Lead", crm_id="00Q1", person=aline, linked_at=NOW)
    CrmLink.objects.create(
        connection=connection, object="Lead", crm_id="00Q2", person=bruno, linked_at=NOW, deleted_at=NOW
    )
    PushError.objects.create(
        connection=connection,
        subject="person",
        subject_id=chloe.pk,
        object="Lead",
        code="X",
        message="no",
        body={},
        first_at=NOW,
        last_at=NOW,
    )

    assert named(["in_crm:is:yes"]) == ["Aline"]
    assert named(["in_crm:is:no"]) == ["Bruno", "Chloé"]
    assert named(["refused_by_crm:is:yes"]) == ["Chloé"]
