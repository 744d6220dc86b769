"""The name of the next record like one: dates become today's, counters count up."""

from __future__ import annotations

from datetime import date

import pytest

from brainstem.core.next_name import counted_up

TODAY = date(2026, 11, 24)
YESTERDAY = date(2026, 11, 23)

#: name, the record's own date, the next name
NAMES = [
    # A date is today's, in the same format.
    ("M12 2026-11-23", None, "M12 2026-11-24"),
    ("2026-11-23", None, "2026-11-24"),
    ("2026_11_23", None, "2026_11_24"),
    ("2026.11.23", None, "2026.11.24"),
    ("20261123", None, "20261124"),
    ("23.11.2026", None, "24.11.2026"),
    ("23-11-2026", None, "24-11-2026"),
    ("11-23-2026", None, "11-24-2026"),
    ("rat3_20261123_open_field", None, "rat3_20261124_open_field"),
    ("M12_2026-11-23_14-30-05", None, "M12_2026-11-24_14-30-05"),
    ("2026-11-23_14-05-05", None, "2026-11-24_14-05-05"),
    ("20261123T1430", None, "20261124T1430"),
    ("M12 2019-02-28", None, "M12 2026-11-24"),
    # Six digits: the year first, unless the record's own date says otherwise.
    ("M12_231126", None, "M12_261124"),
    ("M12_231126", YESTERDAY, "M12_241126"),
    ("M12_261123", YESTERDAY, "M12_261124"),
    ("23.11.26", YESTERDAY, "24.11.26"),
    ("trial 000123", None, "trial 000124"),
    ("trial 987654", None, "trial 987655"),
    # A date that can be read in two ways is read as the record's own.
    ("05-06-2026", None, "24-11-2026"),
    ("05-06-2026", date(2026, 5, 6), "11-24-2026"),
    ("born 2025-01-02, run 2026-11-23", None, "born 2025-01-02, run 2026-11-24"),
    ("run 2026-11-23, born 2025-01-02", YESTERDAY, "run 2026-11-24, born 2025-01-02"),
    # Both a date and a number: the date alone, while that name is free.
    ("2026-11-23_s2", None, "2026-11-24_s2"),
    # A number at the end counts up, as wide as it was.
    ("rat3_session07", None, "rat3_session08"),
    ("session099", None, "session100"),
    ("s99", None, "s100"),
    ("M12 (4)", None, "M12 (5)"),
    ("v1.2", None, "v1.3"),
    ("99999999999999999999999999", None, "100000000000000000000000000"),
    # No date and no number: a number behind it; numbers elsewhere mean something else.
    ("M12 baseline", None, "M12 baseline 2"),
    ("rat3_baseline", None, "rat3_baseline_2"),
    ("Ångström", None, "Ångström 2"),
    ("", None, " 2"),
    # Not dates: there is no such day, or digits of a longer number.
    ("M12 2026-02-30", None, "M12 2026-02-31"),
    ("1202611231", None, "1202611232"),
    ("M٣", None, "M٣ 2"),
]

#: name, names that are taken, the next name
TAKEN = [
    ("M12 2026-11-23", {"M12 2026-11-24"}, "M12 2026-11-24 2"),
    ("M12 2026-11-24", set(), "M12 2026-11-24 2"),
    ("M12 2026-11-24 2", set(), "M12 2026-11-24 3"),
    ("M12 2026-11-23", {"M12 2026-11-24", "M12 2026-11-24 2"}, "M12 2026-11-24 3"),
    ("2026_11_23", {"2026_11_24"}, "2026_11_24_2"),
    ("2026-11-23_s2", {"2026-11-24_s2"}, "2026-11-24_s3"),
    ("2026-11-23 M12 rest", {"2026-11-24 M12 rest"}, "2026-11-24 M12 rest 2"),
    ("s07", {"s08", "s09"}, "s10"),
    ("s7", {f"s{number}" for number in range(200)}, "s200"),
    ("baseline", {"baseline 2"}, "baseline 3"),
]


@pytest.mark.parametrize(("name", "own", "following"), NAMES)
def test_dates_become_todays_and_numbers_count_up(name, own, following):
    assert counted_up(name, TODAY, own=own) == following


@pytest.mark.parametrize(("name", "taken", "following"), TAKEN)
def test_names_that_are_taken_are_counted_on(name, taken, following):
    assert counted_up(name, TODAY, taken=taken.intersection) == following


@pytest.mark.parametrize("name", ["x" * 100, "x" * 99 + "9", "x" * 90 + "2026-11-24", "x" * 300])
def test_a_name_never_grows_too_long(name):
    taken = set()
    for _ in range(12):
        following = counted_up(name, TODAY, taken=taken.intersection)
        assert len(following) <= 100
        assert following not in taken
        taken.add(following)
