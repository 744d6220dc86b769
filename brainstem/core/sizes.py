"""Sizes, for people."""


def size_text(number: int) -> str:
    """A size as file managers tell it: `3.4 GB`."""
    if number < 1000:
        return f"{number} B"
    units = ("kB", "MB", "GB", "TB", "PB", "EB")
    power = next((p for p in range(1, len(units)) if number / 1000**p < 999.5), len(units))
    amount = number / 1000**power
    return f"{amount:.{1 if amount < 99.95 else 0}f} {units[power - 1]}"
