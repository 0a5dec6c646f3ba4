"""Figures, dates and charts as the reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone, translation

from relance.web import charts, formats

NOW = datetime(2026, 11, 17, 7, 42, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_paris():
    with timezone.override("Europe/Paris"):
        yield


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1,536", "3.8%", "17 November 2026, 08:42", "2 minutes ago", "41 secs"]),
        ("fr", ["1\u202f536", "3,8\u00a0%", "17 novembre 2026, 08:42", "il y a 2 minutes", "41\u202fs"]),
    ],
)
def test_figures_and_dates_follow_the_readers_language(language, said):
    with translation.override(language):
        heard = [
            formats.number(1536),
            formats.percent(0.038),
            formats.moment(NOW),
            formats.since(NOW - timedelta(minutes=2), NOW),
            formats.duration(41),
        ]

    assert heard == said


def test_beyond_a_day_the_date_is_said():
    with translation.override("en"):
        assert formats.since(NOW - timedelta(hours=25), NOW) == "16 November 2026, 07:42"
        assert formats.exact_moment(NOW) == "17 November 2026, 08:42:03 (Europe/Paris)"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Pourquoi ?", "Pourquoi\u202f?"),
        ("Score : 72", "Score\u00a0: 72"),
        ("« Relance devis »", "«\u00a0Relance devis\u00a0»"),
        ("à 08:42", "à 08:42"),
        ("https://relance.example/?a=1", "https://relance.example/?a=1"),
    ],
)
def test_french_spaces_do_not_break(written, printed):
    with translation.override("fr"):
        assert formats.typography(written) == printed
    with translation.override("en"):
        assert formats.typography(written) == written


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Claire Meunier", "CM"), ("Jean-Luc de La Tour", "JT"), ("Aline", "AL"), ("", ""), ("c.meunier@x.example", "CE")],
)
def test_initials_are_the_first_and_the_last_word(name, letters):
    assert formats.initials(name) == letters


def test_a_sparkline_ends_where_its_last_value_is():
    rising, falling = charts.sparkline([1, 2, 3]), charts.sparkline([3, 2, 1], "bad")

    assert 'cy="3.0"' in rising
    assert 'cy="18.0"' in falling and 'data-tone="bad"' in falling
    assert charts.sparkline([1]) == ""


def test_a_flat_line_and_an_empty_one_are_drawn_without_dividing_by_nothing():
    assert "NaN" not in charts.sparkline([0, 0, 0])
    assert charts.line_chart([charts.Series("nothing", [])], [], summary="Nothing yet.")


def test_shares_of_a_bar_never_pass_its_end():
    drawn = charts.bar((80, "ok"), (60, "bad"))

    assert 'width="80%"' in drawn and 'x="80%" width="20%"' in drawn


def test_a_chart_says_its_summary_and_escapes_names():
    days = [date(2026, 11, day) for day in range(1, 6)]
    drawn = charts.line_chart(
        [charts.Series("carried", [1, 4, 2, 8, 5])], days, summary="From 1 to 5", events=[charts.Event(1, "<b>")]
    )

    assert 'role="img" aria-label="From 1 to 5"' in drawn
    assert "&lt;b&gt;" in drawn and "<b>" not in drawn
    assert drawn.count('<text x="34"') == 5


def test_the_name_of_the_workspace_opens_the_list_of_its_siblings():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    others = [{"name": "Hexalis Italia", "address": "https://it.hexalis.example"}]

    alone = render_to_string("_side.html", {"request": request, "workspace": {"name": "Hexalis"}, "siblings": []})
    among = render_to_string("_side.html", {"request": request, "workspace": {"name": "Hexalis"}, "siblings": others})

    assert "<details" not in alone
    assert 'href="https://it.hexalis.example"' in among and "Hexalis Italia" in among


@pytest.mark.parametrize("page", ["500.html", "503.html"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_of_a_broken_server_need_no_database(page, language):
    with translation.override(language):
        shown = render_to_string(page, {"request": RequestFactory().get("/people")})

    assert "<h1>" in shown
    assert 'href="/people"' in shown


@pytest.mark.parametrize(
    ("language", "written"), [("fr", "1er avril 2026"), ("en", "1 April 2026")], ids=["french", "english"]
)
def test_french_calls_the_first_of_a_month_by_its_ordinal(language, written):
    with translation.override(language):
        assert formats.day(date(2026, 4, 1)) == written
        assert formats.day(date(2026, 4, 11)).startswith("11 ")
