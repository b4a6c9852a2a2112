"""A spreadsheet program as the engine of a recalculation: it gets a copy of the workbook and gives values back.

In the copy every formula that is left alone is replaced by a 0, so that the program never works out what must not be;
nothing reads these zeros, since what depends on such a formula is left alone as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Protocol
from xml.sax.saxutils import escape
from zipfile import ZipFile

from mlsim_workbooks import formulas as fx
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.package import (
    LAST_COLUMN,
    Err,
    RecalcError,
    patch_formulas,
    write_package,
)
from mlsim_workbooks.recalc.book import Book, Formula, Place, cells_of, written
from mlsim_workbooks.recalc.handover import Values
from mlsim_workbooks.recalc.worked import Worked

__all__ = ["CIRCULAR", "Calculator", "External"]

MAX_PASSES = 12
CIRCULAR = "#CIRC!"
"""The error of a cell that depends on itself."""
_ERRORS = frozenset({"#VALUE!", "#N/A", "#NUM!", "#DIV/0!", "#REF!", "#NULL!"})


class Calculator(Protocol):
    """A program that works out workbooks."""

    def calculate(self, data: bytes, suffix: str) -> Values:
        """Return the values of all cells with a formula.

        An error that is none of Excel's says that the program cannot read the formula, or `CIRCULAR`.
        """


class External:
    """The engine that a program is."""

    def __init__(self, name: str, title: str, calculator: Calculator) -> None:
        self.name, self.title, self.calculator = name, title, calculator
        self._known: dict[str, bool] = {}  # function as files write it -> does the program know it?

    def calculate(self, book: Book) -> Worked:
        """Work out every formula that can be, and leave the others of the book alone."""
        self._leave_unknown(book)
        suffix = book.package.path.suffix.lower()
        for _ in range(MAX_PASSES):
            if not book.formulas:
                return Worked([{} for _ in book.names])
            values = self.calculator.calculate(*_copy(book, suffix))
            reasons = self._failures(book, values)
            if reasons:
                book.leave(reasons)
            elif not book.respill(_sizes(book, values)):
                return _worked(book, values)
        raise RecalcError("The arrays of this workbook keep changing size, so it does not settle.")

    def _leave_unknown(self, book: Book) -> None:
        """Leave alone what uses a function that the program does not know: its #NAME? may hide within an IFERROR."""
        by_plan: dict[int, list[str]] = {}  # functions as files write them
        for f in book.formulas:
            if id(f.plan) not in by_plan:
                by_plan[id(f.plan)] = [
                    t.text[:-1]
                    for t in fx.tokens(f.text)
                    if t.kind == "func" and not t.text.lower().startswith("_xlpm.")
                ]
        written = sorted({name for names in by_plan.values() for name in names} - self._known.keys())
        plain = [name for name in written if not fx.is_mlsim(fx.normalise(name))]
        if plain:
            self._probe(plain)
        reasons: dict[Place, str] = {}
        for f in book.formulas:
            for name in by_plan[id(f.plan)]:
                short = fx.normalise(name)
                if fx.is_mlsim(short):
                    if short not in CATALOGUE:
                        reasons[f.sheet, f.row, f.col] = f"uses {short}(), which this version of MLSIM does not have"
                elif not self._known.get(name, True):
                    reasons[f.sheet, f.row, f.col] = f"uses {short}(), which neither MLSIM nor {self.title} knows"
        book.leave(reasons)

    def _probe(self, names: Sequence[str]) -> None:
        """Find out which functions the program knows: a call without arguments is #NAME? where it does not."""
        cells = "".join(
            f'<row r="{i}"><c r="A{i}"><f>{escape(name)}()</f></c></row>' for i, name in enumerate(names, 1)
        )
        values = self.calculator.calculate(_probe_book(cells), ".xlsx")["Probe"]
        for i, name in enumerate(names, 1):
            self._known[name] = values.get((i, 1)) != "#NAME?" or not isinstance(values.get((i, 1)), Err)

    def _failures(self, book: Book, values: Values) -> dict[Place, str]:
        """Return the formulas that the program could not read, and those of circles."""
        unread: dict[int, Formula] = {}
        circular: list[Formula] = []
        for number, f in enumerate(book.formulas):
            value = values[book.names[f.sheet]].get((f.row, f.col))
            if not isinstance(value, Err):
                continue
            if value == CIRCULAR:
                circular.append(f)
            elif value not in _ERRORS and book.cached(book.cells[f.sheet].get((f.row, f.col))) != value:
                unread[number] = f
        columns = book.columns() if unread else []
        found = {
            (f.sheet, f.row, f.col): f"holds a formula that {self.title} cannot work out"
            for f in unread.values()
            if unread.keys().isdisjoint(book.precedents(f, columns))
        }
        return found | {(f.sheet, f.row, f.col): "has a circular reference" for f in circular}


def _worked(book: Book, values: Values) -> Worked:
    worked = Worked([{} for _ in book.names])
    for f in book.formulas:
        found = values[book.names[f.sheet]]
        worked.values[f.sheet] |= {at: Err("#VALUE!") if f.blocked else found.get(at, "") for at in cells_of(f.cells)}
        if f.blocked:
            worked.messages[f.sheet, f.row, f.col] = f"#SPILL!: {f.blocked} is in the way of the result"
    return worked


# --- the copy ------------------------------------------------------------------------------------------------------


def _copy(book: Book, suffix: str) -> tuple[bytes, str]:
    """Return the copy for the program, and its suffix."""
    texts: list[dict[tuple[int, int], str]] = [{} for _ in book.names]
    areas: list[dict[tuple[int, int], str]] = [{} for _ in book.names]
    sizes: list[dict[tuple[int, int], str]] = [{} for _ in book.names]
    for sheet, row, col in book.left:
        texts[sheet][row, col] = "0"
    masters = {
        (s, attrs["si"]): (row, col)
        for s, cells in enumerate(book.cells)
        for (row, col), cell in cells.items()
        if cell.formula and (attrs := cell.attrs or {}).get("t") == "shared" and "si" in attrs
    }
    for f in book.formulas:
        cell = book.cells[f.sheet][f.row, f.col]
        attrs = cell.attrs or {}
        master = masters.get((f.sheet, attrs.get("si", ""))) if attrs.get("t") == "shared" else None
        if master and (f.sheet, *master) in book.left:  # its text is gone: the others get their own
            texts[f.sheet][f.row, f.col] = _shifted(f, *master)
        elif f.blocked:
            texts[f.sheet][f.row, f.col] = "#VALUE!"
        elif f.text != cell.formula and master is None:
            texts[f.sheet][f.row, f.col] = f.text
        if f.dynamic:
            sizes[f.sheet][f.row, f.col] = f.text
            if (f.sheet, f.row, f.col) in book.spilled:
                areas[f.sheet][f.row, f.col] = written(f.cells)
    changed = {
        sheet.part: patch_formulas(sheet, text, area, _probes(size))
        for sheet, text, area, size in zip(book.sheets, texts, areas, sizes, strict=True)
        if text or area or size
    }
    return write_package(book.package, changed), suffix


def _shifted(f: Formula, row: int, col: int) -> str:
    """Return the text of a shared formula in a cell of its own; its first cell is at a row and a column."""
    form, refs = fx.shape(f.text)
    moved = iter([fx.shift(ref, f.row - row, f.col - col) for ref in refs])
    return re.sub("[\x01\x02\x03]", lambda _: next(moved), form)


def _probes(formulas: dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """Return formulas for the last columns that tell the sizes of dynamic arrays, whatever area they have."""
    taken: dict[int, int] = {}
    cells: dict[tuple[int, int], str] = {}
    for (row, _), text in formulas.items():
        col = taken.get(row, LAST_COLUMN)
        taken[row] = col - 2
        cells[row, col - 1], cells[row, col] = f"IFERROR(ROWS({text}),1)", f"IFERROR(COLUMNS({text}),1)"
    return cells


def _sizes(book: Book, values: Values) -> dict[Place, tuple[int, int]]:
    """Return the sizes of dynamic arrays, from the cells of `_probes`."""
    taken: dict[tuple[int, int], int] = {}
    found: dict[Place, tuple[int, int]] = {}
    for f in book.formulas:
        if f.dynamic:
            col = taken.get((f.sheet, f.row), LAST_COLUMN)
            taken[f.sheet, f.row] = col - 2
            cells = values[book.names[f.sheet]]
            rows, cols = cells.get((f.row, col - 1)), cells.get((f.row, col))
            if isinstance(rows, float) and isinstance(cols, float):
                found[f.sheet, f.row, f.col] = (int(rows), int(cols))
    return found


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEETML = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _probe_book(rows: str) -> bytes:
    """Return a workbook of one sheet, "Probe"."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEETML}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Probe" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()
