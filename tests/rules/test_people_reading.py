"""Reading files: every row is either taken or told, whatever is wrong with the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from relance.people.csv_safe import csv_lines, safe_cell
from relance.people.imports.reading import FileRefused, RowReader, column_names, inspect_file


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter", "header"),
    [
        pytest.param("email,nom\na@b.fr,Élie\n".encode(), "utf-8", ",", ("email", "nom"), id="utf-8 with commas"),
        pytest.param(
            "email;prénom\na@b.fr;É\n".encode("utf-8-sig"),
            "utf-8-sig",
            ";",
            ("email", "prénom"),
            id="utf-8 with a mark",
        ),
        pytest.param("email;prénom\na@b.fr;É\n".encode("cp1252"), "cp1252", ";", ("email", "prénom"), id="windows"),
        pytest.param(
            "email\tprénom\na@b.fr\tÉ\n".encode("utf-16"),
            "utf-16",
            "\t",
            ("email", "prénom"),
            id="utf-16 of a spreadsheet",
        ),
        pytest.param(
            "email;nom\na@b.fr;E\n".encode("utf-16-le"), "utf-16-le", ";", ("email", "nom"), id="utf-16 without a mark"
        ),
        pytest.param(b'"a, b";c\n1;2\n', "utf-8", ";", ("a, b", "c"), id="a comma inside quotes is no separator"),
        pytest.param(b"email\r\na@b.fr\r\n", "utf-8", ",", ("email",), id="one column"),
    ],
)
def test_how_a_file_is_written_is_found_out(tmp_path, content, encoding, delimiter, header):
    shape = inspect_file(written(tmp_path, content))

    assert (shape.encoding, shape.delimiter, shape.header, shape.has_header) == (encoding, delimiter, header, True)


def test_a_first_row_with_an_address_is_no_header(tmp_path):
    shape = inspect_file(written(tmp_path, b"a@b.fr,Aline\nb@b.fr,Bruno\n"))

    assert not shape.has_header
    assert shape.header == ("A", "B")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "people.file_empty", id="nothing"),
        pytest.param(b"\xef\xbb\xbf \r\n\r\n", "people.file_empty", id="blank lines"),
        pytest.param(b"PK\x03\x04" + bytes(range(256)), "people.file_binary", id="a workbook"),
        pytest.param(bytes(range(256)) * 50, "people.file_binary", id="no text at all"),
        pytest.param(b",".join([b"x"] * 501), "people.file_too_many_columns", id="too many columns"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(tmp_path, content, code):
    with pytest.raises(FileRefused) as refused:
        inspect_file(written(tmp_path, content))

    assert refused.value.reason.code == code


def test_columns_of_one_name_are_told_apart():
    assert column_names(["Email", "Email", "", "email", "Email"], has_header=True) == (
        "Email",
        "Email (2)",
        "C",
        "email",
        "Email (3)",
    )


def rows_of(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[tuple[int, list[str], str]]:
    reader = RowReader(written(tmp_path, text.encode(encoding)), encoding, ",")
    return [(row.number, row.cells, row.reason.code if row.reason else "") for row in reader.rows()]


def test_an_open_quote_spoils_its_row_and_no_other(tmp_path):
    rows = rows_of(tmp_path, 'a,b\n1,"open\n2,x\n3,"fine\nnext"\n' + "4,y\n" * 3000)

    assert rows[1] == (2, ["1", '"open'], "people.import_quote") or rows[1][2] == ""
    assert len([row for row in rows if row[1][0] == "4" and not row[2]]) == 3000


def test_a_quote_never_closed_before_the_end_is_told_and_the_rows_after_it_are_read(tmp_path):
    rows = rows_of(tmp_path, 'a,b\n1,x\n2,"open\n3,y\n4,z\n')

    assert [(number, cells[0], code) for number, cells, code in rows] == [
        (1, "a", ""),
        (2, "1", ""),
        (3, "2", "people.import_quote"),
        (4, "3", ""),
        (5, "4", ""),
    ]


def test_quoted_cells_may_hold_separators_quotes_and_lines(tmp_path):
    rows = rows_of(tmp_path, 'a,b\n1,"x, ""y""\nz"\n2,w\n')

    assert rows[1:] == [(2, ["1", 'x, "y"\nz'], ""), (3, ["2", "w"], "")]


def test_nul_and_giant_cells_spoil_their_row_alone(tmp_path):
    rows = rows_of(tmp_path, "a,b\n1,x\x00y\n2," + "z" * 10_000_000 + "\n3,w\n")

    assert [(number, code) for number, cells, code in rows] == [
        (1, ""),
        (2, "people.value_has_nul"),
        (3, "people.import_cell_too_big"),
        (4, ""),
    ]


def test_bytes_the_encoding_does_not_know_spoil_their_row_alone(tmp_path):
    path = written(tmp_path, b"a,b\n1,\x81\n2,caf\xe9\n")

    rows = list(RowReader(path, "cp1252", ",").rows())

    assert [(row.number, row.reason.code if row.reason else row.cells[1]) for row in rows] == [
        (1, "b"),
        (2, "people.import_unreadable"),
        (3, "café"),
    ]


def test_rows_over_the_edges_of_blocks_stay_whole(tmp_path, monkeypatch):
    from relance.people.imports import reading

    monkeypatch.setattr(reading, "BLOCK", 7)
    text = 'a,b\n1,"x\ny, z"\n22,w\r\n333,"q ""r"""\n'

    assert [row[1] for row in rows_of(tmp_path, text)] == list(csv.reader(io.StringIO(text, newline="")))


cells = some.text(alphabet='ab,;"\n\r\t é€\\.', max_size=8)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(some.lists(some.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6), some.integers(3, 40))
def test_what_a_csv_writer_wrote_is_read_back(tmp_path, rows, size):
    from relance.people.imports import reading

    text = io.StringIO()
    csv.writer(text).writerows(rows)
    before, reading.BLOCK = reading.BLOCK, size
    try:
        read = [row[1] for row in rows_of(tmp_path, text.getvalue())]
    finally:
        reading.BLOCK = before

    assert read == rows


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_exported_text_never_computes(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (-3, "-3"), ("+33 4 72", "+33 4 72"), (True, "true"), (["a", "b"], "a; b"), ("é", "é")],
)
def test_what_computes_nothing_is_left_as_it_is(value, cell):
    assert safe_cell(value) == cell


def test_an_exported_file_opens_as_utf_8():
    assert "".join(csv_lines(["é"], [["=1"]])) == "\ufeffé\r\n'=1\r\n"
