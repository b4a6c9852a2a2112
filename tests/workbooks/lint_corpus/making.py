"""Small helpers to make workbooks and seeds compactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils.cell import rows_from_range
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from .book import Seed

__all__ = ["bold", "bold_rows", "define", "down", "first", "fmt", "lines", "refmt", "rows", "seed", "sheet", "table"]


def first(title: str) -> tuple[Workbook, Worksheet]:
    """Return a new workbook and its only sheet under the title."""
    wb = Workbook()
    ws = wb.worksheets[0]
    ws.title = title
    return wb, ws


def sheet(wb: Workbook, title: str) -> Worksheet:
    """Return a new last sheet."""
    return wb.create_sheet(title)


def rows(ws: Worksheet, anchor: str, matrix: Iterable[Iterable[Any]]) -> None:
    """Write the matrix from the anchor cell on; ``None`` leaves a cell empty."""
    corner = ws[anchor]
    for i, line in enumerate(matrix):
        for j, value in enumerate(line):
            if value is not None:
                ws.cell(corner.row + i, corner.column + j, value)


def down(ws: Worksheet, anchor: str, count: int, *columns: str | Callable[[int], Any] | None) -> None:
    """Fill rows down: a text is a template with ``{r}`` for the row, a callable gives the value of the i-th row."""
    corner = ws[anchor]
    for i in range(count):
        row = corner.row + i
        for j, column in enumerate(columns):
            if column is None:
                continue
            ws.cell(row, corner.column + j, column.format(r=row) if isinstance(column, str) else column(i))


def fmt(ws: Worksheet, cells: str, number_format: str) -> None:
    """Set the number format of cells and ranges named in one text, separated by blanks."""
    for part in cells.split():
        area = ws[part]
        for line in area if isinstance(area, tuple) else ((area,),):
            for cell in line if isinstance(line, tuple) else (line,):
                cell.number_format = number_format


def bold(ws: Worksheet, cells: str) -> None:
    """Make cells and ranges bold, as titles and headers are."""
    for part in cells.split():
        area = ws[part]
        for line in area if isinstance(area, tuple) else ((area,),):
            for cell in line if isinstance(line, tuple) else (line,):
                cell.font = Font(bold=True)


def bold_rows(ws: Worksheet, *numbers: int) -> None:
    """Make all cells of some rows bold."""
    for number in numbers:
        for cell in ws[number]:
            cell.font = Font(bold=True)


def lines(ws: Worksheet, content: Mapping[int, Sequence[Any]]) -> None:
    """Write rows by their numbers, each from column A on; ``None`` leaves a cell empty."""
    for number, values in content.items():
        rows(ws, f"A{number}", [values])


def table(ws: Worksheet, name: str, ref: str) -> None:
    """Turn a range into an Excel table."""
    made = Table(displayName=name, ref=ref)
    made.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    ws.add_table(made)


def define(wb: Workbook, name: str, target: str) -> None:
    """Define a name for the whole workbook."""
    wb.defined_names[name] = DefinedName(name, attr_text=target)


def _at(where: str, cells: tuple[str, ...]) -> tuple[str, ...]:
    """Spell out the cells: ``Sheet!B3`` stays, ``B3`` gets the sheet of ``where``, ``B3:D3`` is every cell of it."""
    found: list[str] = []
    for cell in cells:
        title, _, ref = (cell if "!" in cell else f"{where.rpartition('!')[0]}!{cell}").rpartition("!")
        found += [f"{title}!{place}" for row in rows_from_range(ref) for place in row]
    return tuple(found)


def seed(rule: str, where: str, new: Any, *at: str) -> Seed:
    """One changed cell; the further cells may leave out the sheet."""
    return Seed(rule, {where: new}, _at(where, at))


def refmt(rule: str, where: str, number_format: str, *at: str) -> Seed:
    """One changed number format; the further cells may leave out the sheet."""
    return Seed(rule, {}, _at(where, at), {where: number_format})
