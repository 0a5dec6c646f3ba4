"""The big logs: each line lies in its month, and there is always a month for the next line."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from relance.lib.clock import utc_now
from relance.lib.partitions import instant_of, make_partitions, register_partitioned, time_id
from relance.workspace.tasks import make_coming_partitions

pytestmark = pytest.mark.django_db
NOW = datetime(2031, 11, 20, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2089, 1, 1), timezones=st.just(UTC))


def months_of(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::text FROM pg_partition_tree(%s) WHERE isleaf ORDER BY 1", [table])
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def diary(monkeypatch):
    """A log of this test alone."""
    from relance.lib import partitions

    monkeypatch.setattr(partitions, "_partitioned", [])
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE diary_seq")
        cursor.execute(
            "CREATE TABLE diary (id bigint PRIMARY KEY DEFAULT time_id(clock_timestamp(), nextval('diary_seq')),"
            " said text NOT NULL CHECK (said <> '')) PARTITION BY RANGE (id)"
        )
        cursor.execute("CREATE INDEX diary_said ON diary (said)")
    register_partitioned("diary")


def write(at, said="something"):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO diary (id, said) VALUES (time_id(%s, 1), %s) RETURNING tableoid::regclass::text", [at, said]
        )
        return cursor.fetchone()[0]


def test_the_month_before_this_one_and_three_ahead_are_made(diary):
    made = make_partitions(NOW)

    assert made == ["diary_203110", "diary_203111", "diary_203112", "diary_203201", "diary_203202"]
    assert months_of("diary") == made


def test_making_them_again_makes_nothing(diary):
    make_partitions(NOW)

    assert make_partitions(NOW) == []


def test_a_month_later_one_more_is_made_and_the_others_stay(diary):
    make_partitions(NOW)

    assert make_partitions(NOW + timedelta(days=15)) == ["diary_203203"]


@pytest.mark.parametrize(
    ("at", "month"),
    [
        pytest.param(datetime(2031, 11, 1, tzinfo=UTC), "diary_203111", id="the first instant of a month"),
        pytest.param(datetime(2031, 11, 30, 23, 59, 59, 999000, tzinfo=UTC), "diary_203111", id="its last"),
        pytest.param(datetime(2031, 12, 1, tzinfo=UTC), "diary_203112", id="the first of the next"),
        pytest.param(datetime(2032, 1, 1, tzinfo=UTC), "diary_203201", id="over the new year"),
    ],
)
def test_a_line_lies_in_its_month(diary, at, month):
    make_partitions(NOW)

    assert write(at) == month


def test_a_line_for_which_there_is_no_month_is_refused_rather_than_lost(diary):
    make_partitions(NOW)

    with pytest.raises(IntegrityError, match="no partition"), transaction.atomic():
        write(datetime(2033, 1, 1, tzinfo=UTC))


def test_a_month_keeps_the_promises_and_the_indexes_of_the_log(diary):
    make_partitions(NOW)

    with pytest.raises(IntegrityError, match="said"), transaction.atomic():
        write(NOW, said="")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'diary_203111'")
        assert cursor.fetchone()[0] == 2
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%%_bounds'")
        assert cursor.fetchone()[0] == 0  # only needed while attaching


def test_a_log_whose_table_is_not_there_yet_is_passed_over(diary):
    register_partitioned("not_there_yet")

    assert "not_there_yet_203111" not in make_partitions(NOW)


def test_every_log_of_the_product_has_a_month_for_a_line_written_in_three_months():
    make_coming_partitions.run()
    soon = time_id(utc_now() + timedelta(days=85))

    for table in ("activity", "decision"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_partition_tree(%s) AS leaf WHERE isleaf AND relid::regclass::text = %s",
                [table, f"{table}_{instant_of(soon):%Y%m}"],
            )
            assert cursor.fetchone()[0] == 1


@given(instants, instants)
def test_later_lines_have_greater_ids(one, other):
    if one + timedelta(milliseconds=1) < other:
        assert time_id(one) < time_id(other)


@given(instants)
def test_an_id_tells_when_it_was_drawn(at):
    assert abs(instant_of(time_id(at)) - at) <= timedelta(milliseconds=1)


@given(instants)
def test_ids_fit_in_a_bigint(at):
    assert 0 <= time_id(at, (1 << 22) - 1) < 2**63


def test_the_database_and_the_program_draw_the_same_ids():
    at = datetime(2026, 3, 2, 10, 0, 0, 123000, tzinfo=UTC)

    with connection.cursor() as cursor:
        cursor.execute("SELECT time_id(%s, 7)", [at])
        assert cursor.fetchone()[0] == time_id(at, 7)
