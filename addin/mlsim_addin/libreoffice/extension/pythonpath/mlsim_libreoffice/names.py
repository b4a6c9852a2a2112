"""Give the functions in a workbook of another host the names they have here.

Excel's files say ``MLSIM_X``, ``_xldudf_MLSIM_X``, ``_xll.MLSIM_X`` or ``[1]!MLSIM_X``; Calc knows ``MLSIM.X``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

_FORMULAS = 16  # of com.sun.star.sheet.CellFlags
_NAME = re.compile(
    r"""("(?:[^"]|"")*")|(?<![\w.])(?:_xlfn\.|_xludf\.|_xll\.|_xldudf_|\[\d+\]!|'[^']*'!)*MLSIM[_.]([A-Z][A-Z0-9_]*)\(""",
    re.I,
)


def adopted(formula: str, methods: Collection[str]) -> str:
    """Return a formula with every function of ours under the name that Calc knows; texts in it stay as they are."""

    def renamed(found: re.Match[str]) -> str:
        method = (found[2] or "").upper()
        return f"MLSIM.{method}(" if method in methods else found[0]

    return _NAME.sub(renamed, formula)


def adopt(document: Any, methods: Collection[str]) -> int:
    """Rename in a whole document; return the number of formulas changed. It counts as unmodified as before."""
    modified = document.isModified()
    count = 0
    for i in range(document.Sheets.Count):
        sheet = document.Sheets.getByIndex(i)
        changed, arrays = _changes(sheet, methods)
        for run in _runs(changed):
            (column, top), bottom = run[0], run[-1][1]
            block = sheet.getCellRangeByPosition(column, top, column, bottom)
            block.setFormulaArray(tuple((changed[place],) for place in run))
        for place, formula in arrays.items():
            _set_array(sheet, place, formula)
        count += len(changed) + len(arrays)
    document.setModified(modified)
    return count


def _changes(sheet: Any, methods: Collection[str]) -> tuple[dict[Any, str], dict[Any, str]]:
    """Return the new formulas by (column, row): of single cells, and of array formulas by their first cell."""
    single: dict[Any, str] = {}
    arrays: dict[Any, str] = {}
    inside = set()
    ranges = sheet.queryContentCells(_FORMULAS)
    for i in range(ranges.Count):
        block = ranges.getByIndex(i)
        address = block.RangeAddress
        for down, row in enumerate(block.getFormulaArray()):
            for right, formula in enumerate(row):
                place = (address.StartColumn + right, address.StartRow + down)
                if "mlsim" not in formula.lower() or place in inside:
                    continue
                new = adopted(formula, methods)
                if new == formula:
                    continue
                if formula.startswith("{"):
                    arrays[place] = new[1:-1]
                    inside.update(_places(_array_range(sheet, place).RangeAddress))
                else:
                    single[place] = new
    return single, arrays


def _runs(places: Collection[Any]) -> list[list[Any]]:
    """Return the cells as runs that stand below each other in one column."""
    runs: list[list[Any]] = []
    for column, row in sorted(places):
        if runs and runs[-1][-1] == (column, row - 1):
            runs[-1].append((column, row))
        else:
            runs.append([(column, row)])
    return runs


def _array_range(sheet: Any, place: Any) -> Any:
    cursor = sheet.createCursorByRange(sheet.getCellByPosition(*place))
    cursor.collapseToCurrentArray()
    return cursor


def _set_array(sheet: Any, place: Any, formula: str) -> None:
    _array_range(sheet, place).setArrayFormula(formula)


def _places(address: Any) -> list[Any]:
    return [
        (column, row)
        for column in range(address.StartColumn, address.EndColumn + 1)
        for row in range(address.StartRow, address.EndRow + 1)
    ]
