"""Record ids: 15 characters that know their case, 18 that survive losing it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from relance.sandbox.ids import MalformedId, custom_prefix, make_id, short_id, whole_id

numbers = some.integers(min_value=0, max_value=62**9 - 1)


def test_the_suffix_is_the_one_the_platform_computes():
    # Ids printed in the vendor's own documentation.
    assert whole_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert whole_id("00530000000xKZF") == "00530000000xKZFAA2"


@given(numbers)
def test_an_id_whose_case_was_lost_is_found_again(number):
    made = make_id("00Q", number)

    assert whole_id(made.lower()) == made
    assert whole_id(made.upper()) == made
    assert whole_id(short_id(made)) == made


@given(numbers, numbers)
def test_ids_grow_in_the_order_records_are_made(one, other):
    assert (make_id("003", one) < make_id("003", other)) == (one < other)


def test_fifteen_characters_differ_by_case_alone():
    upper, lower = make_id("00Q", 10), make_id("00Q", 36)

    assert short_id(upper).lower() == short_id(lower).lower()
    assert upper != lower


@pytest.mark.parametrize(
    "text", ["", "00Q", "00Qd000000000é1", "00Qd00000000001AA", "00Qd0000000000199", None, 12, "é" * 18]
)
def test_what_cannot_be_an_id_is_refused(text):
    with pytest.raises(MalformedId):
        whole_id(text)


def test_custom_objects_get_the_prefixes_of_their_range():
    assert [custom_prefix(number) for number in (0, 35, 36, 36 * 36)] == ["a00", "a0z", "a10", "b00"]
