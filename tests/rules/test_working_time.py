"""Working time: when somebody is at work, and when somebody will be again, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relance.workspace.rules import (
    Span,
    WorkingHours,
    is_working_moment,
    next_working_moment,
    week_as_json,
    week_from_json,
)

PARIS = ZoneInfo("Europe/Paris")
NINE_TO_SIX = (Span(time(9), time(18)),)
EASTER_MONDAY = date(2026, 4, 6)
MONDAY_TO_FRIDAY = WorkingHours(PARIS, (NINE_TO_SIX,) * 5 + ((), ()), frozenset({EASTER_MONDAY}))
ALL_NIGHT = (Span(time(22), time(0)), Span(time(0), time(6)))
NIGHTS = WorkingHours(PARIS, (tuple(sorted(ALL_NIGHT, key=lambda span: span.opens)),) * 7)
SMALL_HOURS = WorkingHours(PARIS, ((Span(time(2, 30), time(4)),),) * 7)

ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Africa/Cairo", "UTC", "Asia/Beirut")
]


def at(text: str, fold: int = 0) -> datetime:
    return datetime.strptime(text, "%a %d %b %Y %H:%M").replace(tzinfo=PARIS, fold=fold)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        pytest.param("Mon 02 Mar 2026 08:59", "Mon 02 Mar 2026 09:00", id="one minute before opening"),
        pytest.param("Mon 02 Mar 2026 09:00", "Mon 02 Mar 2026 09:00", id="at opening time"),
        pytest.param("Mon 02 Mar 2026 17:59", "Mon 02 Mar 2026 17:59", id="during the day nothing waits"),
        pytest.param("Mon 02 Mar 2026 18:00", "Tue 03 Mar 2026 09:00", id="at closing time, not after"),
        pytest.param("Fri 06 Mar 2026 19:30", "Mon 09 Mar 2026 09:00", id="friday evening waits for monday"),
        pytest.param("Fri 03 Apr 2026 18:00", "Tue 07 Apr 2026 09:00", id="a holiday monday is no working day"),
        pytest.param("Sat 28 Mar 2026 12:00", "Mon 30 Mar 2026 09:00", id="over the night the clocks go forward"),
        pytest.param("Sat 24 Oct 2026 12:00", "Mon 26 Oct 2026 09:00", id="over the night the clocks go back"),
    ],
)
def test_outside_hours_the_next_working_moment_is_the_next_opening(moment, opens):
    assert next_working_moment(MONDAY_TO_FRIDAY, at(moment)) == at(opens)


def test_an_opening_hour_that_the_clocks_skip_opens_when_they_jumped():
    before = at("Sun 29 Mar 2026 01:59")

    opens = next_working_moment(SMALL_HOURS, before)

    assert opens is not None
    assert opens.astimezone(UTC) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert f"{opens:%H:%M}" == "03:00"


def test_an_hour_that_comes_twice_opens_the_first_time_and_is_worked_both_times():
    opening = next_working_moment(SMALL_HOURS, at("Sun 25 Oct 2026 02:00"))

    assert opening is not None
    assert opening.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert is_working_moment(SMALL_HOURS, at("Sun 25 Oct 2026 02:45", fold=0))
    assert is_working_moment(SMALL_HOURS, at("Sun 25 Oct 2026 02:45", fold=1))


def test_hours_that_close_at_midnight_join_those_of_the_next_morning():
    assert is_working_moment(NIGHTS, at("Mon 02 Mar 2026 23:59"))
    assert is_working_moment(NIGHTS, at("Tue 03 Mar 2026 00:00"))
    assert not is_working_moment(NIGHTS, at("Tue 03 Mar 2026 06:00"))


def test_a_workspace_without_working_hours_never_opens():
    assert next_working_moment(WorkingHours(PARIS, ((),) * 7), at("Mon 02 Mar 2026 09:00")) is None


@pytest.mark.parametrize(
    "days",
    [
        pytest.param({"0": [["18:00", "09:00"]]}, id="closes before it opens"),
        pytest.param({"0": [["09:00", "12:00"], ["11:00", "18:00"]]}, id="two spans overlap"),
        pytest.param({"0": [["09:00", "00:00"], ["22:00", "23:00"]]}, id="something after midnight"),
        pytest.param({"0": [["nine", "12:00"]]}, id="no hour at all"),
    ],
)
def test_hours_that_cannot_be_are_refused(days):
    with pytest.raises(ValueError, match=r"before|closes|Invalid"):
        week_from_json(days)


@st.composite
def weeks(draw):
    week = []
    for _day in range(7):
        minutes = sorted(draw(st.sets(st.integers(0, 24 * 4 - 1), max_size=4)))
        clocks = [time(quarter // 4, quarter % 4 * 15) for quarter in minutes]
        week.append(tuple(Span(opens, closes) for opens, closes in zip(clocks[::2], clocks[1::2], strict=False)))
    return tuple(week)


@st.composite
def working_hours(draw):
    days_off = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5))
    return WorkingHours(draw(st.sampled_from(ZONES)), draw(weeks()), days_off)


# Half of the moments fall on the nights when some clock changes.
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 3, 7, 20), datetime(2026, 3, 9), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 3, 28, 20), datetime(2026, 3, 29, 5), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 10, 24, 20), datetime(2026, 10, 25, 5), timezones=st.just(UTC)),
)


@given(working_hours(), moments)
def test_the_next_working_moment_is_worked_and_not_in_the_past(hours, moment):
    found = next_working_moment(hours, moment)

    if found is None:
        assert not is_working_moment(hours, moment)
    else:
        assert found.astimezone(UTC) >= moment
        assert is_working_moment(hours, found)


@given(working_hours(), moments)
def test_asking_again_at_the_next_working_moment_changes_nothing(hours, moment):
    found = next_working_moment(hours, moment)

    assert found is None or next_working_moment(hours, found) == found


@given(working_hours(), moments, st.integers(0, 999))
def test_nobody_works_between_now_and_the_next_working_moment(hours, moment, thousandths):
    found = next_working_moment(hours, moment)

    if found is not None and found.astimezone(UTC) > moment:
        between = moment + (found.astimezone(UTC) - moment) * thousandths // 1000
        assert not is_working_moment(hours, between)


@given(working_hours(), moments)
def test_on_days_without_a_change_of_clocks_work_is_what_the_wall_clock_says(hours, moment):
    local = moment.astimezone(hours.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight.utcoffset() == (midnight + timedelta(days=1)).utcoffset() == local.utcoffset():
        spans = () if local.date() in hours.holidays else hours.week[local.weekday()]
        at_work = any(span.opens <= local.time() < span.closes for span in spans)

        assert is_working_moment(hours, moment) == at_work


@given(weeks())
def test_the_week_survives_being_kept_in_the_settings(week):
    assert week_from_json(week_as_json(week)) == week
