"""The chart of the exchanges draws what there is: a young connection is not lost at the end of a month of nothing."""

from datetime import date, timedelta

from relance.crm.page_facts import DayOfSync
from relance.web.crm_frame import days_drawn, exchange_sentence

FIRST = date(2026, 10, 26)


def month(**received: int) -> list[DayOfSync]:
    """Thirty days; `d29=5` is five records received on the last."""
    return [DayOfSync(FIRST + timedelta(days=place), received=received.get(f"d{place}", 0)) for place in range(30)]


def test_a_connection_of_one_day_is_drawn_over_a_week():
    assert [day.day for day in days_drawn(month(d29=5))] == [FIRST + timedelta(days=place) for place in range(23, 30)]


def test_the_day_before_the_first_exchange_is_drawn_too():
    assert days_drawn(month(d10=5))[0].day == FIRST + timedelta(days=9)


def test_an_old_connection_is_drawn_over_the_whole_month():
    assert len(days_drawn(month(d0=5, d29=5))) == 30


def test_the_sentence_ends_with_one_full_stop():
    said = exchange_sentence(month(d29=5))
    assert said.endswith("24 November 2026.") and not said.endswith("..")
