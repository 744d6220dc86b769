"""Cells into values: dates, numbers, lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstem.imports import dates, values


@pytest.mark.parametrize(
    ("text", "order", "iso"),
    [
        ("2023-03-22", "", "2023-03-22"),
        ("2023-03-22T15:30:00Z", "", "2023-03-22T15:30:00Z"),
        ("2023-03-22 15:30:00.25+02:00", "", "2023-03-22 15:30:00.25+02:00"),
        ("2023/3/2", "", "2023-03-02"),
        ("2023-3-2 9:05", "", "2023-03-02 09:05"),
        ("22.03.2023 15:30", "", "2023-03-22 15:30"),
        ("2.3.2023", "", "2023-03-02"),
        ("2.3.2023", "month", "2023-03-02"),
        ("22.03.2023, 15:30:05", "", "2023-03-22 15:30:05"),
        ("03/22/2023", "month", "2023-03-22"),
        ("03/04/2023", "month", "2023-03-04"),
        ("03/04/2023", "day", "2023-04-03"),
        ("03/03/2023", "", "2023-03-03"),
        ("22/03/2023", "both", "2023-03-22"),
        ("03/22/2023", "both", "2023-03-22"),
        ("22-03-2023 3:30 PM", "day", "2023-03-22 15:30"),
        ("03/22/2023 12:05:10 am", "month", "2023-03-22 00:05:10"),
        ("03/22/2023 12:05 p.m.", "month", "2023-03-22 12:05"),
        # What is no date stays what it is, for the schema to refuse.
        ("31.02.2023", "", "31.02.2023"),
        ("00/00/2023", "", "00/00/2023"),
        ("22.03.23", "", "22.03.23"),
        ("45007.64", "", "45007.64"),
        ("13:00 PM 22.03.2023", "", "13:00 PM 22.03.2023"),
        ("22.03.2023 13:00 PM", "", "22.03.2023 13:00 PM"),
        ("soon", "", "soon"),
    ],
)
def test_dates(text, order, iso):
    assert dates.iso(text, order) == iso


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        ([], ""),
        (["03/04/2023", "01/02/2023"], ""),
        (["03/04/2023", "22/02/2023"], "day"),
        (["03/04/2023", "02-22-2023 10:00"], "month"),
        (["22/02/2023", "02/22/2023"], "both"),
        (["22.02.2023", "03/04/2023"], ""),
        (["2023-22-02", "soon", "99/99/2023"], ""),
    ],
)
def test_a_whole_column_says_which_is_the_day(texts, order):
    assert dates.order_of(texts) == order


@pytest.mark.parametrize(("order", "why"), [("", "no date of this column tells"), ("both", "some")])
def test_a_date_that_can_be_read_in_two_ways_is_refused(order, why):
    with pytest.raises(ValueError, match=why) as caught:
        dates.iso("03/04/2023 10:00", order)
    assert "03/04/2023 can be 3 April or 4 March" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-02-14 00:00:00", "2023-02-14"),
        ("2023-02-14T00:00", "2023-02-14"),
        ("2023-02-14 10:00", "2023-02-14 10:00"),
    ],
)
def test_a_day_loses_the_midnight_of_an_export(text, day):
    assert dates.bare(text) == day


@given(st.text(max_size=30) | st.from_regex(dates.YEAR_LAST), st.sampled_from(["", "day", "both"]))
def test_no_text_is_too_strange(text, order):
    try:
        assert isinstance(dates.iso(text, order), str)
    except ValueError as error:
        assert "Write dates as" in str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22", 22),
        ("-3", -3),
        ("22.0", 22.0),
        ("0.5", 0.5),
        ("1.5e-3", 0.0015),
        (" 7 ", 7),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("007", "007"),
        ("1e5", "1e5"),
        ("1,5", "1,5"),
        ("1 000", "1 000"),
        ("nan", "nan"),
        ("B115", "B115"),
        ("٣", "٣"),
        ("9" * 400, "9" * 400),
    ],
)
def test_numbers_stay_numbers_and_codes_stay_texts(text, value):
    found = values.number(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("texts", "comma"),
    [
        (["12,5", "13", "7,25"], True),
        (["1,000", "2,000"], False),
        (["12,5", "a"], False),
        (["12", "13"], False),
        ([], False),
    ],
)
def test_a_comma_in_numbers_is_a_whole_columns_word(texts, comma):
    assert values.decimal_comma(texts) is comma
    assert values.number("12,5", comma=True) == 12.5
    assert values.number("12", comma=True) == 12


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("a", ["a"]),
        ("a, b,c", ["a", "b", "c"]),
        ("a;b ; c", ["a", "b", "c"]),
        ("left, front; right", ["left, front", "right"]),
        ('a, "b, c"', ["a", "b, c"]),
        ("a,,", ["a"]),
        ("a\nb", ["a b"]),
        (";", []),
    ],
)
def test_lists_in_a_cell(text, listed):
    assert values.parts(text) == listed


@given(st.text(max_size=50))
def test_any_text_is_a_list(text):
    assert isinstance(values.parts(text), list)
