"""A table out of the bytes of a file: its encoding, its delimiter, its heading and its rows.

Whatever the bytes are, the answer is a `Table` or an `Unreadable` with a sentence for the person who chose
the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024
MOST_BYTES = 32 * MEBIBYTE
MOST_ROWS = 100_000
MOST_COLUMNS = 500
#: A row of one cell takes as much room as the heading: a small file could fill the memory.
MOST_CELLS = 5_000_000

#: What can stand between cells, and what several of them are called.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

#: How a file begins that is not a table of text, and what to do about it.
OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"SQLite format 3\0", "a database"),
)

#: The longer mark first: UTF-32's begins as UTF-16's does.
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)

#: How many rows are looked at to find out the delimiter.
SAMPLE = 200
#: Put behind the text: where a quotation mark is never closed, it ends up inside a cell.
END = "\N{END OF MEDIUM}end\N{END OF MEDIUM}"


class UnreadableTable(Exception):
    """There is no table in these bytes; the message says why, and what to do."""


@dataclass
class Row:
    """A row of a table. `number` counts as a spreadsheet does, from 1, empty rows too.

    `problem` is why its cells can't be trusted; `note` what a person should know of them.
    """

    number: int
    cells: list[str]
    problem: str = ""
    note: str = ""


@dataclass
class Table:
    """The rows under a heading; every row has a cell for each column."""

    header: list[str]
    rows: list[Row] = field(default_factory=list)
    encoding: str = "UTF-8"
    delimiter: str = ","

    def column(self, index: int) -> Iterator[str]:
        """The cells of a column that have something in them, without the blanks around it."""
        return filter(None, (row.cells[index].strip() for row in self.rows if not row.problem))


def read(content: bytes) -> Table:
    """The table in a file; `UnreadableTable` where there is none."""
    if len(content) > MOST_BYTES:
        raise UnreadableTable(
            f"This file has {len(content) / MEBIBYTE:.0f} MB; at most {MOST_BYTES // MEBIBYTE} MB can be "
            "imported at once. Divide it into several files."
        )
    for start, what in OTHER_FORMATS:
        if content.startswith(start):
            raise UnreadableTable(
                f"This is {what}, not a CSV file. In Excel or LibreOffice: File, Save as, and choose "
                "“CSV UTF-8”; then choose that file here."
            )
    text, encoding = decoded(content)
    text, delimiter = delimited(text)
    records = _records(text, delimiter)
    number, header = next(records, (0, []))
    if not header:
        raise UnreadableTable("This file is empty.")
    while header and not header[-1].strip():
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise UnreadableTable(
            f"The first row has {len(header)} columns; at most {MOST_COLUMNS} can be imported."
        )
    header = [" ".join(name.split()) for name in header]
    if any("\0" in name or "\ufffd" in name for name in header):
        raise UnreadableTable("This file is not a table of text: choose a CSV file.")
    table = Table(header, encoding=encoding, delimiter=delimiter)
    for number, cells in records:
        table.rows.append(_row(header, delimiter, number, cells))
        if len(table.rows) > MOST_ROWS:
            raise UnreadableTable(
                f"This file has more than {MOST_ROWS:,} rows. Divide it into several files."
            )
        if len(table.rows) * len(header) > MOST_CELLS:
            raise UnreadableTable(
                f"This file has more than {MOST_CELLS:,} cells. Divide it into several files."
            )
    if not table.rows:
        raise UnreadableTable(
            f"This file has a heading (row {number}) and no rows under it."
            if len(header) > 1
            else "This file has one row with one cell. Is it a CSV file with a row of column names?"
        )
    return table


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and what people call its encoding. Never fails: any byte is some character."""
    for mark, codec, label in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, errors="replace"), label
    # UTF-16 without its mark: every other byte of plain text is 0.
    start = content[:400]
    for offset, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = start[offset::2]
        if len(half) > 1 and half.count(0) > 0.6 * len(half) and not any(_other(start, offset)):
            return content.decode(codec, errors="replace"), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "Latin-1"


def _other(start: bytes, offset: int) -> Iterator[bool]:
    """Whether the bytes between are 0 as well."""
    return (byte == 0 for byte in start[1 - offset :: 2])


def delimited(text: str) -> tuple[str, str]:
    """The text, less Excel's own `sep=;` line, and what stands between its cells."""
    first, _, rest = text.partition("\n")
    if (
        (line := first.strip().lower()).startswith("sep=")
        and len(line) == 5
        and line[4] in DELIMITERS
    ):
        return rest, line[4]
    if first.strip().lower() == "sep=":
        return rest, "\t"
    return text, max(DELIMITERS, key=lambda each: _fitness(text, each))


def _fitness(text: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains the first rows: how many have the heading's cells, and how many."""
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(cells):
                widths.append(len(cells))
            if len(widths) == SAMPLE:
                break
    except csv.Error:
        return (0, 0)
    if not widths or widths[0] == 1:
        return (0, 0)
    alike = sum(width == widths[0] for width in widths) / len(widths)
    # A comma in half of the descriptions does not make a comma the delimiter.
    return (round(alike, 1), widths[0])


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that have anything in them, with their numbers in a spreadsheet."""
    if text and not text.endswith(("\n", "\r")):
        text += "\n"
    reader = csv.reader(io.StringIO(text + END, newline=""), delimiter=delimiter)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if cells == [END]:
                return
            if cells and cells[-1].endswith(END):
                raise UnreadableTable(
                    f'A quotation mark (") in row {number} is never closed, so it is not clear where '
                    "its cell ends. Close it, or write it twice where it belongs to the text."
                )
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error:
        raise UnreadableTable(
            f"Row {number + 1} has a cell of more than {csv.field_size_limit():,} characters. Perhaps a "
            'quotation mark (") before it is never closed.'
        ) from None


def _row(header: list[str], delimiter: str, number: int, cells: list[str]) -> Row:
    width = len(header)
    row = Row(number, cells[:width] + [""] * (width - len(cells)))
    if any(cell.strip() for cell in cells[width:]):
        row.problem = (
            f"This row has {len(cells)} cells, the heading has {width}. Perhaps a text with "
            f"{DELIMITERS[delimiter]} in it stands without quotation marks."
        )
    elif [" ".join(cell.split()) for cell in row.cells] == header:
        row.problem = "This row repeats the heading."
    elif len(cells) < width:
        # Excel leaves empty cells at the end of a row out, now and then.
        row.note = f"This row has {len(cells)} of {width} cells; the missing ones count as empty."
    return row
