"""Reading the registry's CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources

__all__ = ["Row", "rows", "sources"]

Row = dict[str, str]


@cache
def rows(table: str) -> tuple[Row, ...]:
    """Return the rows of one registry file, such as ``rows("models")``."""
    with resources.files(__package__).joinpath("data", f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def sources() -> dict[str, Row]:
    """Return source key -> title, address, date, kind."""
    return {row["key"]: row for row in rows("sources")}


def grouped(table: str, column: str) -> Iterator[tuple[str, list[Row]]]:
    """Yield ``(value, rows)`` for each value of a column, in file order."""
    groups: dict[str, list[Row]] = {}
    for row in rows(table):
        groups.setdefault(row[column], []).append(row)
    yield from groups.items()
