"""Which records a WHERE keeps."""

from __future__ import annotations

import pytest

from .conftest import Desk

EVERYBODY = ["Aline", "Bruno", "Chloé", "Denis"]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        pytest.param("LastName = 'aline'", ["Aline"], id="text compares without case"),
        pytest.param(
            "Email != 'aline@alpha.example'", ["Bruno", "Chloé", "Denis"], id="different from a value keeps the empty"
        ),
        pytest.param("Email = null", ["Bruno", "Denis"], id="null finds the empty"),
        pytest.param("Email = ''", ["Bruno", "Denis"], id="an empty text is no value"),
        pytest.param("Email != null", ["Aline", "Chloé"], id="not null finds the filled"),
        pytest.param("NOT Email = 'aline@alpha.example'", ["Bruno", "Chloé", "Denis"], id="NOT is true of the empty"),
        pytest.param(
            "NOT (AnnualRevenue > 6000)", ["Aline", "Bruno", "Denis"], id="NOT of a comparison with nothing is true"
        ),
        pytest.param("AnnualRevenue < 6000", ["Bruno"], id="less than leaves the empty out"),
        pytest.param("AnnualRevenue >= 5e3", ["Bruno", "Chloé"], id="numbers may have an exponent"),
        pytest.param("HasOptedOutOfEmail = true", ["Bruno"], id="booleans are words"),
        pytest.param("Company IN ('Alpha', 'Nobody')", ["Aline", "Chloé"], id="IN a list"),
        pytest.param("Company NOT IN ('Alpha')", ["Bruno", "Denis"], id="NOT IN a list"),
        pytest.param("Email NOT IN ('aline@alpha.example')", ["Bruno", "Chloé", "Denis"], id="NOT IN keeps the empty"),
        pytest.param(
            "Email IN (null, 'chloe@alpha.example')", ["Bruno", "Chloé", "Denis"], id="null may stand in a list"
        ),
        pytest.param("Company LIKE 'al%'", ["Aline", "Chloé"], id="LIKE has no case"),
        pytest.param("Company LIKE 'B_ta'", ["Bruno"], id="underscore is one character"),
        pytest.param(r"Company LIKE '100\% %'", ["Denis"], id="an escaped percent is a percent"),
        pytest.param(r"Company = '100% O\'Denis'", ["Denis"], id="an escaped quote is a quote"),
        pytest.param("Interets__c INCLUDES ('Vins;Pains')", ["Aline"], id="all of a group"),
        pytest.param("Interets__c INCLUDES ('Vins;Fromages', 'Fromages')", ["Bruno"], id="one group or the other"),
        pytest.param("Interets__c EXCLUDES ('Vins')", ["Bruno", "Chloé", "Denis"], id="EXCLUDES keeps the empty"),
        pytest.param(
            "(Company = 'Alpha' AND Phone = null) OR LastName = 'Denis'", ["Aline", "Denis"], id="parentheses"
        ),
        pytest.param("CreatedDate < 2026-02-22T12:00:00Z", ["Aline"], id="moments stand without quotes"),
        pytest.param("CreatedDate <= 2026-02-22T13:00:00+01:00", ["Aline", "Bruno"], id="an offset is reckoned with"),
        pytest.param("CreatedDate = LAST_WEEK", ["Bruno", "Chloé", "Denis"], id="weeks begin on sunday"),
        pytest.param("CreatedDate = LAST_N_DAYS:6", ["Denis"], id="so many days back"),
        pytest.param("CreatedDate > LAST_N_DAYS:300", [], id="after a stretch that holds today"),
        pytest.param("CreatedDate = THIS_YEAR", EVERYBODY, id="the year"),
        pytest.param("CreatedDate != THIS_MONTH", EVERYBODY, id="outside the month"),
        pytest.param("Owner.Email LIKE 'relance%' OR Owner.Name = 'nobody'", EVERYBODY, id="through a relationship"),
        pytest.param("Owner.Type = 'User'", EVERYBODY, id="what kind of owner"),
        pytest.param("Lead.LastName = 'Aline'", ["Aline"], id="the object's own name before a field"),
        pytest.param("Initiale__c = 'b'", ["Bruno"], id="a formula"),
        pytest.param("Name = 'A. Aline'", ["Aline"], id="a name made of parts"),
        pytest.param("Id IN (SELECT Id FROM Lead WHERE Phone != null)", ["Chloé"], id="a semi-join"),
        pytest.param(
            "Id NOT IN (SELECT ConvertedContactId FROM Lead)", EVERYBODY, id="an anti-join over nothing but nulls"
        ),
    ],
)
def test_a_condition_keeps_who_it_should(desk: Desk, where: str, kept: list[str]):
    assert desk.names(where) == kept


def test_ids_are_found_with_15_characters_as_with_18(desk: Desk):
    record_id = desk.query("SELECT Id FROM Lead LIMIT 1")["records"][0]["Id"]

    assert desk.query(f"SELECT Id FROM Lead WHERE Id = '{record_id[:15]}'")["totalSize"] == 1


def test_an_alias_stands_for_the_object(desk: Desk):
    assert desk.query("SELECT l.Id FROM Lead l WHERE l.LastName = 'Aline'")["totalSize"] == 1
