"""Give the functions in a workbook of another host the names they have here.

Excel's files say ``MLSIM_X``, ``_xldudf_MLSIM_X``, ``_xll.MLSIM_X`` or ``[1]!MLSIM_X``; Calc knows ``MLSIM.X``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from mlsim_libreoffice.sheet_calls import FORMULAS, content

_REFERENCE = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|(?<!\w)(\$?[A-Z]{1,3})(\$?)(\d+)(?![\w(.])""")
_NAME = re.compile(
    r"""("(?:[^"]|"")*")|(?<![\w.])(?:_xlfn\.|_xludf\.|_xll\.|_xldudf_|\[\d+\]!|'[^']*'!)*MLSIM[_.]([A-Z][A-Z0-9_]*)\(""",
    re.I,
)


def adopted(formula: str, methods: frozenset[str]) -> str:
    """Return a formula with every function of ours under the name that Calc knows; texts in it stay as they are."""
    head, bracket, rest = formula.partition("(")
    if '"' not in formula and "mlsim" not in rest.lower():  # a column has thousands of formulas that begin alike
        return _adopted(head + bracket, methods) + rest
    return _adopted(formula, methods)


@lru_cache(maxsize=1024)
def _adopted(formula: str, methods: frozenset[str]) -> str:
    def renamed(found: re.Match[str]) -> str:
        method = (found[2] or "").upper()
        return f"MLSIM.{method}(" if method in methods else found[0]

    return _NAME.sub(renamed, formula)


def changes(document: Any, methods: frozenset[str]) -> list[tuple[Any, dict[Any, str], dict[Any, str]]]:
    """Return the sheets that name a function as another host does, each with its new formulas.

    These stand by (column, row): of single cells, and of array formulas by their first cell.
    """
    sheets = [document.Sheets.getByIndex(i) for i in range(document.Sheets.Count)]
    found = [(sheet, *_on(sheet, methods)) for sheet in sheets]
    return [(sheet, single, arrays) for sheet, single, arrays in found if single or arrays]


def write(document: Any, changed: list[tuple[Any, dict[Any, str], dict[Any, str]]]) -> None:
    """Write the new formulas; the document counts as unmodified as before."""
    modified = document.isModified()
    automatic = document.isAutomaticCalculationEnabled()
    document.enableAutomaticCalculation(False)  # else the first of many formulas is calculated before the last is there
    try:
        for sheet, single, arrays in changed:
            for run in _runs(single):
                column, top = run[0]
                _write(sheet, column, top, [single[place] for place in run])
            for place, formula in arrays.items():
                _array_range(sheet, place).setArrayFormula(formula)
    finally:
        document.enableAutomaticCalculation(automatic)
        document.setModified(modified)


def _on(sheet: Any, methods: frozenset[str]) -> tuple[dict[Any, str], dict[Any, str]]:
    single: dict[Any, str] = {}
    arrays: dict[Any, str] = {}
    inside = set()
    for place, formula in content(sheet, FORMULAS).items():
        if "mlsim" not in formula.lower() or (new := adopted(formula, methods)) == formula:
            continue
        if formula[0] != "{":
            single[place] = new
        elif place not in inside:
            arrays[place] = new[1:-1]
            inside.update(_places(_array_range(sheet, place).RangeAddress))
    return single, arrays


def _runs(places: dict[Any, str]) -> list[list[Any]]:
    """Return the cells as runs that stand below each other in one column."""
    runs: list[list[Any]] = []
    for column, row in sorted(places):
        if runs and runs[-1][-1] == (column, row - 1):
            runs[-1].append((column, row))
        else:
            runs.append([(column, row)])
    return runs


def _write(sheet: Any, column: int, top: int, formulas: list[str]) -> None:
    """Write formulas below each other.

    Calc takes a millisecond for each of thousands; filling down takes them at once. It takes the first cell's format
    along, so it goes over cells of one format only, and what came out is compared.
    """
    from com.sun.star.sheet.FillDirection import TO_BOTTOM  # type: ignore[import-not-found]

    block = sheet.getCellRangeByPosition(column, top, column, top + len(formulas) - 1)
    alike = [_relative(formula, row) for row, formula in enumerate(formulas)]
    for first, last in _of_one_format(block):
        start = first - top
        while start <= last - top:
            end = start
            while end < last - top and alike[end + 1] == alike[start]:
                end += 1
            sheet.getCellByPosition(column, top + start).setFormula(formulas[start])
            if end > start:
                sheet.getCellRangeByPosition(column, top + start, column, top + end).fillAuto(TO_BOTTOM, 1)
            start = end + 1
    for row, (formula, (written,)) in enumerate(zip(formulas, block.getFormulaArray())):
        if written != formula:
            sheet.getCellByPosition(column, top + row).setFormula(formula)


def _relative(formula: str, row: int) -> str:
    """Return a formula with its references counted from its own row: equal when one is the other, filled down."""

    def counted(found: re.Match[str]) -> str:
        return found[0] if found[1] or found[3] else f"{found[2]}[{int(found[4]) - row}]"

    return _REFERENCE.sub(counted, formula)


def _of_one_format(block: Any) -> list[tuple[int, int]]:
    """Return the first and the last row of each stretch of a column that is formatted alike."""
    groups = block.getUniqueCellFormatRanges()
    ranges = [groups.getByIndex(i) for i in range(groups.Count)]
    places = [address for found in ranges for address in found.RangeAddresses]
    return sorted((address.StartRow, address.EndRow) for address in places)


def _array_range(sheet: Any, place: Any) -> Any:
    cursor = sheet.createCursorByRange(sheet.getCellByPosition(*place))
    cursor.collapseToCurrentArray()
    return cursor


def _places(address: Any) -> list[Any]:
    return [
        (column, row)
        for column in range(address.StartColumn, address.EndColumn + 1)
        for row in range(address.StartRow, address.EndRow + 1)
    ]
