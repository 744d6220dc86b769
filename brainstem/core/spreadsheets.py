"""Cells of tables that people open in a spreadsheet: what is a text there shall stay one.

A spreadsheet calculates what begins like a formula, and a formula can send a table elsewhere or start a
program. An apostrophe before it says "this is text"; whoever reads a table of ours takes it away again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A formula begins so, in wide letters too; blanks before it, and apostrophes, change nothing or are dropped.
_FORMULA = re.compile("'*(?:[\t\r\n]|[\\s\0-\x20\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠])")


def guarded(text: str) -> str:
    """A text, so that a spreadsheet takes it for nothing else; for numbers there is no need.

    >>> guarded("=1+1"), guarded("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made a cell of.

    >>> unguarded("'=1+1"), unguarded("'quoted'")
    ('=1+1', "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def listed(texts: Iterable[str]) -> str:
    """Several texts in one cell, with semicolons between; one that would be parted stands in quotes."""
    return "; ".join(
        '"' + text.replace('"', '""') + '"' if re.search('[;,"]', text) else text for text in texts
    )
