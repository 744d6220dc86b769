"""Bytes into rows: encodings, delimiters, quotes, rows that do not fit, and files that are no tables."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brainstem.imports import tables
from brainstem.imports.tables import Table, UnreadableTable, read

PLAIN = "name,place\nÉva,Zürich – 22 µm\n"


def rows(table: Table) -> list[tuple[int, list[str]]]:
    return [(row.number, row.cells) for row in table.rows]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (PLAIN.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + PLAIN.encode(), "UTF-8"),
        (codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), "UTF-16"),
        (PLAIN.encode("utf-16-le"), "UTF-16"),
        (PLAIN.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF32_LE + PLAIN.encode("utf-32-le"), "UTF-32"),
        (PLAIN.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings(content, encoding):
    table = read(content)
    assert (table.encoding, table.header) == (encoding, ["name", "place"])
    assert rows(table) == [(2, ["Éva", "Zürich – 22 µm"])]


def test_bytes_that_windows_does_not_know_are_latin_1():
    table = read("name,place\nA\x81,Zürich\n".encode("latin-1"))
    assert (table.encoding, rows(table)) == ("Latin-1", [(2, ["A\x81", "Zürich"])])


@pytest.mark.parametrize(
    ("text", "delimiter", "cells"),
    [
        ("a,b\n1,2\n", ",", ["1", "2"]),
        ("a;b\n1,5;2\n", ";", ["1,5", "2"]),
        ("a\tb\n1, 5\t2; 3\n", "\t", ["1, 5", "2; 3"]),
        ("a|b\n1|2\n", "|", ["1", "2"]),
        ("sep=;\na;b\n1,5;2\n", ";", ["1,5", "2"]),
        ("sep=;\r\na;b\r\n1;2\r\n", ";", ["1", "2"]),
        # A comma in every text does not make a comma the delimiter, nor does one in the heading.
        ("a;b\nx, y;2\nx, y, z;3\n", ";", ["x, y", "2"]),
        ('a;"b, c";d\n1;2;3\n', ";", ["1", "2", "3"]),
        ('a,b\n"1;2;3","4;5"\n', ",", ["1;2;3", "4;5"]),
        ("name\nalone\n", ",", ["alone"]),
    ],
)
def test_delimiters(text, delimiter, cells):
    table = read(text.encode())
    assert (table.delimiter, table.rows[0].cells) == (delimiter, cells)


def test_a_row_has_the_number_that_a_spreadsheet_shows():
    text = '\n\nname,notes\nA,"two\nlines"\n\n,\nB,"a ""quoted"" word, and a comma"\n'
    table = read(text.encode())
    assert rows(table) == [(4, ["A", "two\nlines"]), (7, ["B", 'a "quoted" word, and a comma'])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    assert rows(read(f"a,b{end}1,2{end}3,4".encode())) == [(2, ["1", "2"]), (3, ["3", "4"])]


@pytest.mark.parametrize(
    ("line", "problem", "note"),
    [
        ("1,2,3", "", ""),
        ("1,2,3,,", "", ""),
        ("1,2", "", "This row has 2 of 3 cells; the missing ones count as empty."),
        ("1,2,3,4", "This row has 4 cells, the heading has 3.", ""),
        ("a,b,c", "This row repeats the heading.", ""),
    ],
)
def test_rows_that_do_not_fit(line, problem, note):
    (row,) = read(f"a,b,c\n{line}\n".encode()).rows
    assert row.problem.startswith(problem)
    assert bool(row.problem) == bool(problem)
    assert (row.note, len(row.cells)) == (note, 3)


def test_the_heading_is_tidied():
    table = read(b" a , b\tc ,,\n1,2,3,\n")
    assert table.header == ["a", "b c"]
    assert table.rows[0].problem.startswith("This row has 4 cells, the heading has 2.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"\n\n , ,\n", "This file is empty."),
        (codecs.BOM_UTF8, "This file is empty."),
        (b"a,b\n", "has a heading (row 1) and no rows under it"),
        (b"nothing", "one row with one cell"),
        (b"PK\x03\x04...", "This is an Excel or OpenDocument workbook, not a CSV file. In Excel"),
        (b"\xd0\xcf\x11\xe0...", "This is an Excel workbook"),
        (b"%PDF-1.7", "This is a PDF document"),
        (b"a\0b,c\n1,2\n", "not a table of text"),
        (b'a,b\n1,2\n3,"four\n5,6\n', 'A quotation mark (") in row 3 is never closed'),
        (b"a,b\n1,2\n3," + b"x" * 200_000 + b"\n", "Row 3 has a cell of more than 131,072"),
        (b"," * 600 + b"x\n1\n", "The first row has 601 columns; at most 500"),
        (b"a\n" + b"1\n" * 100_001, "more than 100,000 rows"),
        (b"x" * (32 * 1024 * 1024 + 1), "at most 32 MB"),
    ],
)
def test_files_that_are_no_tables(content, said):
    with pytest.raises(UnreadableTable) as caught:
        read(content)
    assert said in str(caught.value)


def test_50_000_rows():
    content = "".join(f'{n},"text, {n}",2024-01-01\n' for n in range(50_000))
    table = read(f"name,notes,date\n{content}".encode())
    assert (len(table.rows), table.rows[-1].number) == (50_000, 50_001)


@given(
    st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@example(b'"')
@example(b'a,b\n"\0')
@example(codecs.BOM_UTF16_LE + b"a")
@example(b"sep=")
def test_whatever_the_bytes_there_is_a_table_or_a_sentence(content):
    try:
        table = read(content)
    except UnreadableTable as error:
        assert str(error)
    else:
        assert table.header
        assert all(len(row.cells) == len(table.header) for row in table.rows)
        numbers = [row.number for row in table.rows]
        assert numbers == sorted(set(numbers))


def test_a_column_skips_what_is_empty_or_can_not_be_trusted():
    table = read(b"a,b\n1,2\n , 3 \n4,5,6\n")
    assert list(table.column(0)) == ["1"]
    assert list(table.column(1)) == ["2", "3"]
    assert tables.DELIMITERS[table.delimiter] == "commas"


def test_short_rows_under_a_long_heading_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(tables, "MOST_CELLS", 100)
    heading = ",".join(f"c{place}" for place in range(10)).encode()
    assert len(read(heading + b"\na" * 10).rows) == 10
    with pytest.raises(UnreadableTable, match="more than 100 cells"):
        read(heading + b"\na" * 11)
