"""Read a workbook for checking: numbers, texts, formulas, number formats, notes and merged cells.

Nothing is calculated, nothing outside the file is opened. Formulas filled down share one *form*: the formula with its
references replaced by marks.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mlsim.errors import shorten
from mlsim.files import FileError
from mlsim_workbooks import formulas as fx
from mlsim_workbooks.package import (
    Package,
    Workbook,
    column_name,
    column_number,
    parse_xml,
    position,
    read_package,
    read_workbook,
    relations,
    scan_sheet,
    unescape,
)

__all__ = ["WIDE", "Book", "Grid", "Item", "read_book"]

MAX_CELLS = 3_000_000
MAX_FORMULA = 16_384  # characters; Excel takes half of that, but spells its newer functions longer in the file
MAX_REFERENCES = 20_000_000  # of all formulas together
MAX_FORMAT = 1024
WIDE = 1 << 15  # more than the 16,384 columns of a sheet: a cell's key is row * WIDE + column


@dataclass(slots=True)
class Item:
    """One cell: its content, its formula as (form, references), its style."""

    row: int
    col: int
    value: float | str | bool | None
    form: int = -1
    refs: tuple[str, ...] = ()
    style: int = 0

    @property
    def key(self) -> int:
        """What the cell is found by on its sheet."""
        return self.row * WIDE + self.col

    @property
    def address(self) -> str:
        """How a person names the cell: B3."""
        return f"{column_name(self.col)}{self.row}"

    @property
    def numeric(self) -> bool:
        """Whether it holds a number, or a formula that does not give a text."""
        return self.form >= 0 or isinstance(self.value, float)


@dataclass
class Grid:
    """One sheet: its cells in order, by row."""

    name: str
    rows: dict[int, list[Item]] = field(default_factory=dict)
    cells: dict[int, Item] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    notes: dict[tuple[int, int], str] = field(default_factory=dict)

    def at(self, row: int, col: int) -> Item | None:
        """Return the cell, or None when it is empty."""
        return self.cells.get(row * WIDE + col)


@dataclass
class Book:
    """A workbook as the checker sees it."""

    path: Path
    grids: list[Grid]
    forms: list[str]  # shapes of formulas
    formats: list[str]  # number format of each style
    names: dict[tuple[str, str], str]
    problems: list[str] = field(default_factory=list)  # what could not be read, as sentences
    references: int = 0  # of all formulas together

    @cached_property
    def texts(self) -> frozenset[str]:
        """Every text that is written in a cell."""
        items = (i for grid in self.grids for i in grid.cells.values())
        return frozenset(i.value for i in items if isinstance(i.value, str) and i.form < 0)

    def grid(self, name: str) -> Grid | None:
        """Return a sheet by its name, whatever its case."""
        return next((g for g in self.grids if g.name.lower() == name), None)


def read_book(path: str | Path | Package) -> Book:
    """Read a workbook.

    Raises
    ------
    FileError
        With one sentence when the file is not a workbook that can be read safely.
    """
    package = path if isinstance(path, Package) else read_package(path)
    try:
        workbook = read_workbook(package)
        book = Book(package.path, [], [], _number_formats(package, workbook), workbook.names)
        forms: dict[str, int] = {}
        total = 0
        for name, part in workbook.sheets:
            if part:
                grid = _read_grid(package, workbook, name, part, forms, book)
                book.grids.append(grid)
                total += len(grid.cells)
                if total > MAX_CELLS:
                    raise FileError(f"{package.path.name} has more than {MAX_CELLS:,} cells, which is the limit.")
        book.forms = list(forms)
        return book
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise FileError(f"{package.path.name} is damaged and cannot be read.") from error


def _read_grid(package: Package, workbook: Workbook, name: str, part: str, forms: dict[str, int], book: Book) -> Grid:
    grid = Grid(name)
    data = package.read(part)
    sheet = scan_sheet(data, part, MAX_CELLS)
    strings = workbook.strings
    shared: dict[str, tuple[str, int, int]] = {}
    tables = (
        re.compile(r"\[|\b(?:" + "|".join(map(re.escape, workbook.tables)) + r")\b", re.I) if workbook.tables else None
    )
    last, ordered = 0, True
    for row in sheet.rows:
        items: list[Item] = []
        for cell in row.cells:
            try:
                value = _value(cell.type, cell.value, strings)
            except ValueError:
                place = f"{name}!{column_name(cell.col)}{cell.row}"
                raise FileError(
                    f"{book.path.name} is damaged: {place} holds {shorten(cell.value)} where a number is due."
                ) from None
            item = Item(cell.row, cell.col, value, style=cell.style)
            if cell.attrs is not None:
                _take_formula(item, cell.formula or "", cell.attrs, shared, forms, tables, workbook, grid, book)
            if item.form < 0 and value is None:
                continue
            items.append(item)
            key = item.key
            ordered = ordered and key > last
            last = key
            grid.cells[key] = item
        row.cells = []  # the offsets are not needed: a million of them take half a gigabyte
        if items:
            grid.rows[row.number] = items
    if not ordered:
        grid.rows = _by_row(grid.cells)
    grid.merged = [
        _area(ref) for ref in re.findall(rb"""<(?:\w+:)?mergeCell\b[^<>]*\bref=["']([A-Z0-9:$]+)["']""", data)
    ]
    grid.notes = _notes(package, part)
    return grid


def _by_row(cells: dict[int, Item]) -> dict[int, list[Item]]:
    """Return the cells of a sheet in order, each once, whatever their order in the file."""
    rows: dict[int, list[Item]] = {}
    for _, item in sorted(cells.items()):
        rows.setdefault(item.row, []).append(item)
    return rows


def _area(ref: bytes) -> tuple[int, int, int, int]:
    first, _, last = ref.decode().partition(":")
    return (*position(first), *position(last or first))


def _value(kind: str, text: str | None, strings: list[str]) -> float | str | bool | None:
    if not text:
        return None
    match kind:
        case "s":
            index = int(text)
            return strings[index] if 0 <= index < len(strings) else None
        case "n":
            number = float(text)
            return number if math.isfinite(number) else None  # no spreadsheet has such a number
        case "b":
            return text == "1"
        case "e":
            return None
        case "d":
            return text
    return unescape(text)


def _take_formula(
    item: Item, text: str, attrs: dict[str, str], shared: dict[str, tuple[str, int, int]], forms: dict[str, int],
    tables: re.Pattern[str] | None, workbook: Workbook, grid: Grid, book: Book,
) -> None:  # fmt: skip
    """Store a cell's formula as form and references; shared formulas are moved to the cell."""
    rows = cols = 0
    if attrs.get("t") == "shared":
        index = attrs.get("si", "")
        if text:
            shared[index] = (text, item.row, item.col)
        elif index in shared:
            text, row, col = shared[index]
            rows, cols = item.row - row, item.col - col
    if not text:
        return
    if len(text) > MAX_FORMULA:
        place = f"{grid.name}!{item.address}"
        book.problems.append(f"The formula in {place} has {len(text):,} characters, so it was not checked.")
        return
    try:
        if tables is not None and tables.search(text):
            text = fx.resolve_tables(text, workbook.tables, grid.name, item.row, item.col)
        form, refs = _shape(text)
        if rows or cols:
            refs = tuple(fx.shift(ref, rows, cols) for ref in refs)
    except fx.FormulaError:
        return
    book.references += len(refs)
    if book.references > MAX_REFERENCES:
        raise FileError(
            f"{book.path.name} has more than {MAX_REFERENCES:,} references in formulas, which is the limit."
        )
    item.form = forms.setdefault(form, len(forms))
    item.refs = refs


@lru_cache(maxsize=256)
def _shape(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a formula's form and references; a formula that a million cells share is read once."""
    form, refs = fx.shape(text)
    return form, tuple(refs)


# --- number formats ------------------------------------------------------------------------------------------------

_BUILT_IN = {9: "0%", 10: "0.00%", 5: '"$"#,##0', 6: '"$"#,##0', 7: '"$"#,##0.00', 8: '"$"#,##0.00', 44: '"$"#,##0.00',
             14: "m/d/yyyy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm", 20: "h:mm", 21: "h:mm:ss",
             22: "m/d/yy h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mmss.0"}  # fmt: skip


def _number_formats(package: Package, workbook: Workbook) -> list[str]:
    """Return the number format code of each cell style."""
    part = next((t for k, t in workbook.rels.values() if k == "styles" and t in package.members), "")
    codes = {str(number): code for number, code in _BUILT_IN.items()}
    found: list[str] = []
    inside = [False]

    def start(tag: str, attrs: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "numFmt" and attrs.get("numFmtId"):
            codes.setdefault(attrs["numFmtId"], attrs.get("formatCode", "")[:MAX_FORMAT])
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0]:
            found.append(codes.get(attrs.get("numFmtId", ""), ""))

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] == "cellXfs":
            inside[0] = False

    if part:
        parse_xml(package.read(part), part, start, end)
    return found


# --- notes ---------------------------------------------------------------------------------------------------------


def _notes(package: Package, part: str) -> dict[tuple[int, int], str]:
    """Return the text of each note and threaded comment of a sheet."""
    notes: dict[tuple[int, int], str] = {}
    for kind, target in relations(package, part).values():
        if kind in ("comments", "threadedComment") and target in package.members:
            _read_notes(package.read(target), target, notes)
    return notes


def _read_notes(data: bytes, where: str, notes: dict[tuple[int, int], str]) -> None:
    current: list[Any] = [None, []]

    def start(tag: str, attrs: dict[str, str]) -> None:
        if tag.rpartition(":")[2] in ("comment", "threadedComment"):
            current[:] = [attrs.get("ref", ""), []]

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] in ("comment", "threadedComment") and current[0]:
            match = re.fullmatch(r"([A-Z]{1,3})(\d+)", current[0])
            if match:
                key = int(match[2]), column_number(match[1])
                notes[key] = notes.get(key, "") + "".join(current[1]) + "\n"
            current[0] = None

    def text(chunk: str) -> None:
        current[1].append(chunk)

    parse_xml(data, where, start, end, text)
