"""What an engine gives: the values of a workbook's formulas. Every engine has a name and ``calculate(book)``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from mlsim_workbooks.package import Value
from mlsim_workbooks.recalc.book import Book, Place

__all__ = ["Engine", "Worked"]


@dataclass
class Worked:
    """The values of the formulas that are not left alone: per sheet by (row, column), with every cell of an array."""

    values: list[dict[tuple[int, int], Value]]
    messages: dict[Place, str] = field(default_factory=dict)
    """Sentences that belong to errors, by the cell of the formula."""
    notes: list[str] = field(default_factory=list)


class Engine(Protocol):
    """What works out the formulas of a book."""

    name: str

    def calculate(self, book: Book) -> Worked:
        """Return the values of the formulas, once those it cannot work out are left alone (``book.leave``)."""
