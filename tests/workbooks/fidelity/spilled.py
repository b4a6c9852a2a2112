"""Workbooks with dynamic arrays, saved with another size than their results have."""

from __future__ import annotations

from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fidelity.book import STALE, Book, due, put, written

__all__ = ["BOOKS"]

GRID = '=MLSIM_CONVERT({"1 GB","2 GB";"3 GB","4 GB"},"MB")'
COLUMN = '=MLSIM_CONVERT({"1 GB";"2 GB";"3 GB"},"MB")'


def saved(sheet: Worksheet, area: str, formula: str, *children: str) -> None:
    """Write a dynamic array with the area and the values it was saved with."""
    sheet.write_dynamic_array_formula(area, formula, None, STALE)
    for cell in children:
        sheet.write_number(cell, STALE)


def grows(book: Workbook, sheet: Worksheet) -> None:
    saved(sheet, "D20:D20", GRID)
    put(sheet, "G20", "=SUM(_xlfn.ANCHORARRAY(D20))")
    put(sheet, "G21", "=SUM(D20:E21)")
    sheet.write_string("F20", "beside")


def grows_among_others(book: Workbook, sheet: Worksheet) -> None:
    bold = book.add_format({"bold": True})
    saved(sheet, "D20:D21", COLUMN, "D21")
    sheet.write_blank("D22", None, bold)
    sheet.write_string("C22", "left")
    sheet.write_string("E22", "right")
    sheet.set_row(20, 30)


def shrinks(book: Workbook, sheet: Worksheet) -> None:
    saved(sheet, "D20:F22", GRID, "E20", "F20", "D21", "E21", "F21", "D22", "E22", "F22")
    put(sheet, "H20", "=COUNT(D20:F22)")
    put(sheet, "H21", "=ROWS(_xlfn.ANCHORARRAY(D20))*10+COLUMNS(_xlfn.ANCHORARRAY(D20))")


def blocked(book: Workbook, sheet: Worksheet) -> None:
    saved(sheet, "D20:D20", GRID)
    sheet.write_string("E21", "in the way")
    put(sheet, "G20", "=IFERROR(D20,-1)")


def of_excels_own(book: Workbook, sheet: Worksheet) -> None:
    saved(sheet, "D20:D21", "=_xlfn._xlws.SORT(B3:B4)", "D21")
    saved(sheet, "E20:E20", "=_xlfn.SEQUENCE(3)*B3")
    saved(sheet, "F20:F20", "=_xlfn.ANCHORARRAY(E20)+1")
    put(sheet, "G20", "=SUM(_xlfn.ANCHORARRAY(F20))")


def of_the_web_add_in(book: Workbook, sheet: Worksheet) -> None:
    """Excel stores the functions of a web add-in as dynamic arrays, a single value too."""
    saved(sheet, "D20:D20", '=_xldudf_MLSIM_CONVERT("80 GiB","GB")')
    saved(sheet, "D21:D21", '=_xldudf_MLSIM_CONVERT({"1 GB","2 GB"},"MB")')
    put(sheet, "D22", "=D20*2+SUM(_xlfn.ANCHORARRAY(D21))")


def _book(make: Any, left: tuple[str, ...] = (), **cells: Any) -> Book:
    values = due() | {f"Sheet1!{cell}": value for cell, value in cells.items()}
    return Book(make.__name__, lambda: written(make).zip(), values, left=left, spills=True)


_GRID = {"D20": 1000.0, "E20": 2000.0, "D21": 3000.0, "E21": 4000.0}

BOOKS = (
    _book(grows, **_GRID, G20=10_000.0, G21=10_000.0, F20="beside"),
    _book(grows_among_others, D20=1000.0, D21=2000.0, D22=3000.0, C22="left", E22="right"),
    _book(shrinks, **_GRID, F20=None, F21=None, D22=None, E22=None, F22=None, H20=4.0, H21=22.0),
    _book(blocked, D20="#VALUE!", E20=None, D21=None, E21="in the way", G20=-1.0),
    _book(of_excels_own, D20=0.5, D21=4.0, E20=4.0, E21=8.0, E22=12.0, F20=5.0, F21=9.0, F22=13.0, G20=27.0),
    _book(of_the_web_add_in, D20=85.89934592, D21=1000.0, E21=2000.0, D22=85.89934592 * 2 + 3000.0),
)
