"""What a workbook of the corpus is: its file, and the values it must have after a recalculation."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fidelity.parts import Parts
from mlsim_workbooks.functions import call

__all__ = ["FORMULAS", "STALE", "Book", "due", "fill", "put", "written"]

STALE = 424242
"""The cached value of every formula before: none of them gives it."""

INPUTS: list[list[Any]] = [["Model", "Llama-3-70B"], ["Hardware", "H100"], ["Batch", 4], ["Share of peak", 0.5]]
FORMULAS = {
    "B6": '=MLSIM_DECODE_LATENCY(B1,B2,B3,2048,"fp8",4)',
    "B7": "=B6*2+B3",
    "B8": '=MLSIM_FITS(B1,B2,B3,2048,"fp8",4)',
    "B9": '=B1&" on "&B2',
    "B10": "=MLSIM_BOTTLENECK(B1,B2,B3,2048)",
    "B11": '=MLSIM_CONVERT("80 GB","s")',
    "B12": "=IF(B8,ROUND(B7,3),NA())",
    "B13": "=B3>100",
    "B14": "=SUM(B3:B4)/B4",
    "B15": '=""',
    "B16": "=1/(B3-4)",
}


@dataclass(frozen=True, eq=False)
class Book:
    """One workbook: how it is made, and what its cells ("Sheet!B3") must hold afterwards; errors as their text."""

    name: str
    build: Callable[[], bytes]
    values: dict[str, Any]
    suffix: str = ".xlsx"
    left: tuple[str, ...] = ()
    """Formulas that recalculation leaves alone."""
    spills: bool = False
    """Do arrays change their size?"""
    openpyxl: bool = True
    """Can openpyxl read it?"""


def due(sheet: str = "Sheet1") -> dict[str, Any]:
    """Return what the common formulas must give."""
    latency = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 4.0, 2048.0, "fp8", 4.0])
    values = {
        "B6": latency,
        "B7": latency * 2 + 4,
        "B8": call("MLSIM_FITS", ["Llama-3-70B", "H100", 4.0, 2048.0, "fp8", 4.0]),
        "B9": "Llama-3-70B on H100",
        "B10": call("MLSIM_BOTTLENECK", ["Llama-3-70B", "H100", 4.0, 2048.0]),
        "B11": "#VALUE!",
        "B12": round(latency * 2 + 4, 3),
        "B13": False,
        "B14": 9.0,
        "B15": "",
        "B16": "#DIV/0!",
    }
    return {f"{sheet}!{cell}": value for cell, value in values.items()}


def fill(sheet: Worksheet) -> None:
    """Write the inputs and the common formulas, with stale values."""
    for row, line in enumerate(INPUTS):
        sheet.write_row(row, 0, line)
    for cell, formula in FORMULAS.items():
        put(sheet, cell, formula)


def put(sheet: Worksheet, cell: str, formula: str, form: Any = None) -> None:
    """Write a formula with a stale value."""
    sheet.write_formula(cell, formula, form, STALE)


def written(make: Callable[[Workbook, Worksheet], None], **options: Any) -> Parts:
    """Return the parts of a workbook of XlsxWriter whose first sheet has the common cells."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as book:
        sheet = book.add_worksheet("Sheet1")
        fill(sheet)
        make(book, sheet)
    return Parts.of(file.getvalue())
