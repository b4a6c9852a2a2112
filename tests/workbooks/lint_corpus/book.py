"""How a workbook of the corpus is described: how to build it clean, and the mistakes to seed into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook

__all__ = ["Book", "Seed", "Seeds", "books_of"]

Seeds = dict[str, list[tuple[str, dict[str, Any], list[str]]]]  # of each book: rule, edits, further right cells


@dataclass(frozen=True)
class Seed:
    """One mistake: the error class (a rule's name), the cells to change, and where a finding may stand.

    ``edits`` maps "Sheet!B3" to the new content (a value, a text or a formula); ``formats`` to a new number format.
    ``at`` lists further cells where a finding is right (the edited ones always are): usually the formula that uses
    an edited cell.
    """

    rule: str
    edits: dict[str, Any]
    at: tuple[str, ...] = ()
    formats: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """One realistic workbook without a mistake, and mistakes to seed into it one at a time."""

    name: str
    build: Callable[[], Workbook]
    seeds: tuple[Seed, ...]


def books_of(builders: Iterable[Callable[[], Workbook]], seeds: Seeds) -> tuple[Book, ...]:
    """Return the books of some builders, each under its builder's name, with their mistakes."""
    return tuple(
        Book(build.__name__, build, tuple(Seed(rule, edits, tuple(at)) for rule, edits, at in seeds[build.__name__]))
        for build in builders
    )
