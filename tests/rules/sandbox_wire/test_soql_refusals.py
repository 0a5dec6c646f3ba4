"""What a query that cannot be answered is told, and where it says the trouble is."""

from __future__ import annotations

import pytest

from .conftest import Desk


def test_a_refusal_shows_the_row_the_column_and_a_caret(desk: Desk):
    error = desk.refusal("SELECT Id\nFROM Lead WERE Id = null")

    assert error["errorCode"] == "MALFORMED_QUERY"
    assert (
        error["message"]
        == "\nFROM Lead WERE Id = null\n               ^\nERROR at Row:2:Column:16\nunexpected token: 'Id'"
    )


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE Id = null AND Id = null OR Id = null", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Lead # here", "MALFORMED_QUERY", "line 1:20 no viable alternative at character '#'"),
        ("SELECT TYPEOF Owner WHEN User THEN Id END FROM Lead", "MALFORMED_QUERY", "unexpected token: 'TYPEOF'"),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Id, Nom FROM Lead", "INVALID_FIELD", "Column:12\nNo such column 'Nom' on entity 'Lead'."),
        ("SELECT Owner.Nom FROM Lead", "INVALID_FIELD", "No such column 'Nom' on entity 'Name'."),
        ("SELECT Boss.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path."),
        ("SELECT Id FROM Prospect", "INVALID_TYPE", "Column:16\nsObject type 'Prospect' is not supported."),
        (
            "SELECT Id, (SELECT Id FROM Enfants) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Enfants'",
        ),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed",
        ),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        (
            "SELECT Id FROM Lead WHERE LastName = 3",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Lead WHERE AnnualRevenue = '3'",
            "INVALID_FIELD",
            "must be of type currency and should not be enclosed",
        ),
        (
            "SELECT Id FROM Lead WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Lead ORDER BY Interets__c",
            "INVALID_FIELD",
            "field 'Interets__c' can not be sorted in a query call",
        ),
        ("SELECT Id FROM Lead WHERE OwnerId = 'nobody'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nobody"),
        (
            "SELECT Id FROM Lead WHERE OwnerId LIKE '005%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        (
            "SELECT Id FROM Lead WHERE Company INCLUDES ('a')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "only valid on multipicklist",
        ),
        ("SELECT Company, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "Field must be grouped or aggregated: Company"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    ],
)
def test_a_bad_query_is_refused_in_the_words_of_the_crm(desk: Desk, soql: str, code: str, says: str):
    error = desk.refusal(soql)

    assert error["errorCode"] == code
    assert says in error["message"]
