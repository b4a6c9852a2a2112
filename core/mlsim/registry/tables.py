"""Reading the registry's CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache
from importlib import resources

__all__ = ["Row", "rows", "sources"]

Row = dict[str, str]


@cache
def rows(table: str) -> tuple[Row, ...]:
    """Return the rows of one registry file, such as ``rows("models")``."""
    text = resources.files("mlsim.registry").joinpath("data", f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


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
