"""A workbook as a function of some of its cells: put values in, read results out, as often as wanted.

The workbook is built once in the embedded engine; a point costs one evaluation of it. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mlsim.errors import shorten
from mlsim_workbooks.package import Err, RecalcError, Value, column_name, open_package
from mlsim_workbooks.recalc import embedded
from mlsim_workbooks.recalc.book import Book, Place, Rectangle, cells_of, rectangle
from mlsim_workbooks.recalc.embedded import Calculation, Embedded

__all__ = ["WhatIf"]

MAX_OUTPUTS = 10_000  # cells


class WhatIf:
    """A workbook as a function.

    Parameters
    ----------
    data : bytes
        The .xlsx or .xlsm file.
    name : str
        What to call it in messages.
    inputs : sequence of str
        One cell each: ``Inputs!B3``, ``'My sheet'!B3``, or a defined name of one cell. A formula there is replaced.
    outputs : sequence of str
        Cells or ranges: ``Decision!C5:C9``, or defined names.

    Raises
    ------
    RecalcError
        With one sentence: a cell that does not exist, or an output that cannot be worked out.
    """

    def __init__(
        self, data: bytes, name: str, inputs: Sequence[str], outputs: Sequence[str], engine: Embedded | None = None
    ) -> None:
        self.book = Book(open_package(Path(name), data))
        self._inputs = [self._cell(text) for text in inputs]
        twice = next((t for t, place in zip(inputs, self._inputs, strict=True) if self._inputs.count(place) > 1), None)
        if twice is not None:
            raise RecalcError(f"{twice} is set twice: give all its values in one place.")
        self._outputs = [place for text in outputs for place in self._cells(text)]
        if len(self._outputs) > MAX_OUTPUTS:
            raise RecalcError(f"{len(self._outputs):,} cells are asked for; the limit is {MAX_OUTPUTS:,}.")
        self.notes = [
            f"{self.book.where(*place)} holds a formula, which the values take the place of."
            for place in self._inputs
            if place[1:] in self.book.owner[place[0]] or place in self.book.left
        ]
        self.notes += [
            f"{self.book.where(*place)} holds no formula: it stays the same."
            for place in self._outputs
            if place[1:] not in self.book.owner[place[0]] and place not in self.book.left and place not in self._inputs
        ]
        self._calculation = Calculation(engine or embedded(), self.book)
        self._start()

    @property
    def columns(self) -> list[str]:
        """The names of the output cells, in order."""
        return [self.book.where(*place) for place in self._outputs]

    @property
    def input_cells(self) -> list[str]:
        """The names of the input cells, in order."""
        return [self.book.where(*place) for place in self._inputs]

    def label(self, cell: str) -> str:
        """Return what a cell is called: the text to its left and, within a table, the head of its column.

        Where neither is there, the text above it; empty where there is none.
        """
        sheet, row, col = self._cell(cell)
        left = next((c for c in range(col - 1, 0, -1) if self._text(sheet, row, c)), 0)
        top = next((r for r in range(row - 1, max(row - 200, 0), -1) if self._text(sheet, r, col)), 0)
        beside, above = self._text(sheet, row, left), self._text(sheet, top, col)
        others = (c for c in (col - 1, col + 1) if c != left)  # a head has another beside it, with a value below
        if beside and any(self._text(sheet, top, c) and self._has_value(sheet, row, c) for c in others):
            return f"{beside}: {above}"
        return beside or above

    def _has_value(self, sheet: int, row: int, col: int) -> bool:
        """Tell whether a cell holds a formula or something else than text."""
        cell = self.book.cells[sheet].get((row, col))
        return cell is not None and not self._text(sheet, row, col) and (cell.attrs or cell.value) is not None

    def _text(self, sheet: int, row: int, col: int) -> str:
        """Return the text that is typed into a cell; empty where there is none."""
        cell = self.book.cells[sheet].get((row, col))
        found = self.book.cached(cell) if cell is not None and cell.attrs is None else None
        return found.strip() if isinstance(found, str) and not isinstance(found, Err) else ""

    def evaluate(self, points: Sequence[Sequence[Value]]) -> list[list[Value]]:
        """Return the outputs at each point, a point being the values of the inputs in their order.

        A cell in error is an ``Err``. Where the workbook does not settle at a point, all its outputs are ``#N/A``; where
        the engine may err on a value, those that depend on it.
        """
        rows: list[list[Value]] = []
        for point in points:
            calculation = self._calculation
            calculation.inputs = dict(zip(self._inputs, point, strict=True))
            if calculation.again():
                rows.append([Err("#N/A")] * len(self._outputs))
                self._calculation = Calculation(calculation.engine, self.book)
            else:
                doubtful = self._doubtful(calculation.doubts())
                rows.append([
                    Err("#N/A") if self.book.owner[place[0]].get(place[1:]) in doubtful else calculation.value(*place)
                    for place in self._outputs
                ])  # fmt: skip
        return rows

    def _doubtful(self, doubts: Mapping[Place, str]) -> set[int]:
        """Return the formulas that are in doubt, with those that depend on them."""
        if not doubts:
            return set()
        own = {self.book.owner[sheet][row, col] for sheet, row, col in doubts}
        return own | self.book.dependents(doubts).keys()

    def _start(self) -> None:
        """Work the workbook out once, and refuse outputs that are left alone."""
        book = self.book
        book.constant |= set(self._inputs)
        for place in self._inputs:
            book.left.pop(place, None)
        book.collect()  # what depended on them comes back
        for sheet, row, col in self._inputs:
            number = book.owner[sheet].get((row, col))
            if number is not None:
                f = book.formulas[number]
                raise RecalcError(
                    f"{book.where(sheet, row, col)} shows part of the array of {book.where(f.sheet, f.row, f.col)}: "
                    "set a cell of its own."
                )
        self._calculation.leave_limits()
        self._calculation.settle()
        for place in self._outputs:
            if place in book.left:
                raise RecalcError(f"{book.where(*place)} cannot be worked out: it {book.left[place]}.")

    # --- names of cells ---

    def _cell(self, text: str) -> Place:
        sheet, (top, left, bottom, right) = self._rectangle(text)
        if (top, left) != (bottom, right):
            raise RecalcError(f"{shorten(text)} is a range: an input is one cell, such as Inputs!B3.")
        return sheet, top, left

    def _cells(self, text: str) -> list[Place]:
        sheet, area = self._rectangle(text)
        return [(sheet, row, col) for row, col in cells_of(area)]

    def _rectangle(self, text: str) -> tuple[int, Rectangle]:
        """Return the sheet and the rectangle that a reference or a defined name stands for."""
        book = self.book
        name = text.strip().lstrip("=")
        if "!" not in name:
            name = book.workbook.names.get(("", name.lower()), name)
        title, _, ref = name.rpartition("!")
        title = title[1:-1].replace("''", "'") if title.startswith("'") else title
        if not title and len(book.names) > 1:
            raise RecalcError(
                f"{shorten(text)} names no sheet: write one of {_listed(book.names)} before it, with a '!'."
            )
        sheet = book.index.get(title.lower(), -1) if title else 0
        if sheet < 0:
            raise RecalcError(
                f"There is no sheet {shorten(title)} in {book.package.path.name}: it has {_listed(book.names)}."
            )
        area = rectangle(ref)
        if area is None or area[2] > 1_048_576 or area[3] > 16_384:
            raise RecalcError(
                f"{shorten(text)} is not a cell or a range, such as {book.names[sheet]}!{column_name(2)}3."
            )
        return sheet, area


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
