"""`make screenshots` fills a lab of its own, by the program's operations: that it still can."""

from __future__ import annotations

from urllib.request import urlopen

from tools import screenshots


def test_the_lab_of_the_pictures_can_be_made(tmp_path):
    with screenshots.served(tmp_path) as (address, session):
        assert session and urlopen(f"{address}/login").status == 200
