"""Record ids as Salesforce makes them: 15 characters that know their case, and 3 more that protect it from those that do not."""

from __future__ import annotations

import re

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
INSTANCE = "d00"  # the three characters after the key prefix, which tell the instance a record was made on
SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


class MalformedId(ValueError):
    """The text cannot be an id: its length, its characters or its checksum are wrong."""


def make_id(key_prefix: str, number: int) -> str:
    """The 18-character id of the n-th record made under a key prefix. Ids grow with the number, compared byte by byte."""
    places: list[str] = []
    for _place in range(9):
        number, digit = divmod(number, 62)
        places.append(DIGITS[digit])
    return with_checksum(key_prefix + INSTANCE + "".join(reversed(places)))


def number_of_id(key_prefix: str, whole: str) -> int:
    """The number an id of 18 characters was made of; -1 if it is none under this prefix."""
    if not whole.startswith(key_prefix) or len(whole) != 18 or not SHAPE.fullmatch(whole):
        return -1
    number = 0
    for letter in whole[6:15]:
        number = number * 62 + DIGITS.index(letter)
    return number


def with_checksum(short: str) -> str:
    """15 characters become 18: each letter of the suffix says which of five characters are capitals."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")
        suffix += CHECK_LETTERS[bits]
    return short + suffix


def whole_id(text: object) -> str:
    """The 18-character form of what a client sent, or MalformedId. An 18-character id may come with its case lost."""
    if not isinstance(text, str) or not SHAPE.fullmatch(text):
        raise MalformedId(str(text))
    if len(text) == 15:
        return with_checksum(text)
    return with_checksum(_case_restored(text[:15], text[15:].upper()))


def _case_restored(short: str, suffix: str) -> str:
    letters: list[str] = []
    for place, letter in enumerate(short):
        check = CHECK_LETTERS.find(suffix[place // 5])
        if check < 0:
            raise MalformedId(short + suffix)
        capital = bool(check >> (place % 5) & 1)
        if capital and not letter.isalpha():
            raise MalformedId(short + suffix)
        letters.append(letter.upper() if capital else letter.lower())
    return "".join(letters)


def is_id(text: object) -> bool:
    try:
        whole_id(text)
    except MalformedId:
        return False
    return True


def short_id(whole: str) -> str:
    """The 15-character form, which error messages quote."""
    return whole[:15]


def custom_prefix(number: int) -> str:
    """The n-th key prefix of the range the platform gives to custom objects: a00, a01 … azz."""
    first, second = divmod(number, 36)
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    page, first = divmod(first, 36)
    return "abcde"[page] + letters[first] + letters[second]
