"""The calls that the formulas of a document make, read from their text.

Two things need them. Calc hands an add-in the *value* of a cell, which is 0 for an empty one, while an empty argument
means its default: the formula tells which cell it was. And Calc asks for one cell after the other, while thousands of
calls evaluated at once take a tenth of the time.

Reading formulas and constants does not make Calc calculate, so it is safe while Calc calculates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

VALUES, FORMULAS = 1 | 2 | 4, 16  # flags of com.sun.star.sheet.CellFlags: numbers, dates, texts; formulas
_CALL = re.compile(r'"(?:[^"]|"")*"|\bMLSIM\.([A-Z0-9_]+)\(', re.I)
_PLAIN = re.compile(r"""=MLSIM\.([A-Z0-9_]+)\(([^"'(){}]*)\)""", re.I)
_PIECE = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|([({])|([)}])|(;)""")
_REF = re.compile(r"(?:\$?(?:'((?:[^']|'')+)'|([^\W\d][\w.]*))\.)?\$?([A-Z]{1,3})\$?(\d{1,7})")
_AREA = re.compile(rf"{_REF.pattern}:{_REF.pattern}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?", re.I)
_TRUTH = {"TRUE()": 1.0, "FALSE()": 0.0}  # Calc hands over truth values as numbers


class Cell(NamedTuple):
    """A cell that is an argument, by its value: a text or a number, None when it is empty."""

    value: Any


UNKNOWN = object()
"""An argument that only Calc knows: an expression, the result of a formula."""

RANGE = object()
"""A range of cells, whose content only Calc knows."""


class SheetCall(NamedTuple):
    """One call in a formula; each argument is None (left out), a constant, a ``Cell`` or ``UNKNOWN``."""

    name: str
    args: tuple[Any, ...]

    @property
    def known(self) -> bool:
        """Tell whether every argument's value is known without calculating."""
        return UNKNOWN not in self.args and RANGE not in self.args

    def values(self) -> list[Any]:
        """Return the arguments as the function takes them."""
        return trimmed([value_of(arg) for arg in self.args])

    def handed(self) -> tuple[Any, ...]:
        """Return the arguments as Calc hands them over: 0 for an empty cell."""
        return tuple(trimmed([0.0 if is_empty(arg) else value_of(arg) for arg in self.args]))

    def matches(self, args: tuple[Any, ...]) -> bool:
        """Tell whether Calc could hand over these arguments for this call."""
        own = self.handed()
        return len(own) == len(args) and all(map(_could_be, own, args))

    def scalar(self, places: list[int]) -> bool:
        """Tell whether none of some arguments is a range."""
        return all(i >= len(self.args) or self.args[i] is not RANGE for i in places)

    def empties(self, places: list[int]) -> tuple[bool, ...]:
        """Tell for each of some arguments whether it is an empty cell."""
        return tuple(i < len(self.args) and is_empty(self.args[i]) for i in places)


def _could_be(own: Any, handed: Any) -> bool:
    if own is RANGE:
        return isinstance(handed, list)
    return own is UNKNOWN or own == handed


def value_of(arg: Any) -> Any:
    """Return the value of an argument, that of the cell if it is one."""
    return arg.value if isinstance(arg, Cell) else arg


def is_empty(arg: Any) -> bool:
    """Tell whether an argument is an empty cell."""
    return isinstance(arg, Cell) and arg.value is None


def trimmed(cells: list[Any]) -> list[Any]:
    """Return arguments without those left out at the end."""
    while cells and cells[-1] is None:
        cells.pop()
    return cells


class DocumentCalls:
    """The calls of a document, ready to be looked up."""

    def __init__(self, calls: Iterable[SheetCall]) -> None:
        self.known: dict[tuple[Any, ...], list[SheetCall]] = {}
        self.others: dict[str, list[SheetCall]] = {}
        for call in calls:
            if call.known:
                self.known.setdefault((call.name, *call.handed()), []).append(call)
            else:
                self.others.setdefault(call.name, []).append(call)

    def empties(self, name: str, args: tuple[Any, ...], zeros: list[int]) -> set[tuple[bool, ...]]:
        """Return what the zeros among the arguments of a call can be: for each whether it is an empty cell.

        One element is an answer; none says that no formula of the document makes this call.
        """
        ranges = any(isinstance(arg, list) for arg in args)
        found = set() if ranges else {call.empties(zeros) for call in self.known.get((name, *args), ())}
        others = [call for call in self.others.get(name, ()) if call.scalar(zeros)]
        possible = {call.empties(zeros) for call in others}
        if found | possible == found or (not found and len(possible) == 1):
            return found | possible
        return found | {call.empties(zeros) for call in others if call.matches(args)}


# --- reading ---------------------------------------------------------------------------------------------------------


def read(document: Any) -> list[SheetCall]:
    """Return every call of an MLSIM function in a document."""
    sheets = [document.Sheets.getByIndex(i) for i in range(document.Sheets.Count)]
    numbers = {name.lower(): i for i, name in enumerate(document.Sheets.ElementNames)}
    formulas = [content(sheet, FORMULAS) for sheet in sheets]
    texts = [(i, text) for i, cells in enumerate(formulas) for text in cells.values() if "MLSIM." in text]
    values = [content(sheet, VALUES) for sheet in sheets] if texts else []

    def argument(text: str, own: int) -> Any:
        place = reference(text)
        if place is None:
            return RANGE if _AREA.fullmatch(text) else literal(text)
        name, column, row = place
        sheet = own if name is None else numbers.get(name.lower(), -1)
        if sheet < 0 or (column, row) in formulas[sheet]:
            return UNKNOWN
        return Cell(values[sheet].get((column, row)))

    return [SheetCall(name, tuple([argument(a, i) for a in args])) for i, text in texts for name, args in calls(text)]


def content(sheet: Any, flags: int) -> dict[tuple[int, int], Any]:
    """Return the content of the cells of some kind by (column, row): the text of formulas, else the value."""
    found = {}
    ranges = sheet.queryContentCells(flags)
    for i in range(ranges.Count):
        block = ranges.getByIndex(i)
        address = block.RangeAddress
        left, top = address.StartColumn, address.StartRow
        for down, row in enumerate(block.getFormulaArray() if flags == FORMULAS else block.getDataArray(), top):
            for right, content in enumerate(row, left):
                found[right, down] = content
    return found


def calls(formula: str) -> Iterator[tuple[str, list[str]]]:
    """Return the name and the arguments, as text, of each MLSIM call in a formula."""
    plain = _PLAIN.fullmatch(formula)
    if plain:  # one call of cells and numbers, as columns of thousands have it
        yield f"MLSIM_{plain[1].upper()}", [text.strip() for text in plain[2].split(";")] if plain[2].strip() else []
        return
    for found in _CALL.finditer(formula):
        if found[1]:
            yield f"MLSIM_{found[1].upper()}", arguments(formula, found.end())


def arguments(formula: str, start: int) -> list[str]:
    """Return the texts between the bracket before ``start`` and the one that closes it."""
    found, begin, depth = [], start, 1
    for piece in _PIECE.finditer(formula, start):
        _, opening, closing, separator = piece.groups()
        depth += bool(opening) - bool(closing)
        if depth == 0 or (separator and depth == 1):
            found.append(formula[begin : piece.start()].strip())
            begin = piece.end()
        if depth == 0:
            break
    return [] if found == [""] else found


def literal(text: str) -> Any:
    """Return the value of a constant as a formula writes it, None for nothing, ``UNKNOWN`` for anything else."""
    if not text:
        return None
    if text[0] == text[-1] == '"' and len(text) > 1 and '"' not in text[1:-1].replace('""', ""):
        return text[1:-1].replace('""', '"')
    if _NUMBER.fullmatch(text):
        return float(text)
    return _TRUTH.get(text.upper(), UNKNOWN)


def reference(text: str) -> tuple[str | None, int, int] | None:
    """Return sheet, column and row of a reference to one cell; None for anything else."""
    found = _REF.fullmatch(text)
    if not found:
        return None
    quoted, plain, letters, digits = found.groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return (quoted.replace("''", "'") if quoted else plain), column - 1, int(digits) - 1
