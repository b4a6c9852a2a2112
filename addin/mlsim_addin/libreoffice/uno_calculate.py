"""Calculate workbooks in a LibreOffice that listens on a pipe: for a Python that has LibreOffice's ``uno``.

``uno_calculate.py PIPE``: each line of standard input is a file's address as JSON; the answer is a line too, with the
values of every formula by sheet, or why there are none. When the input ends, so does that LibreOffice.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import uno  # type: ignore[import-not-found]  # noqa: F401  (its import makes the next one possible)
from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]
from com.sun.star.lang import DisposedException  # type: ignore[import-not-found]
from com.sun.star.uno import RuntimeException  # type: ignore[import-not-found]
from uno_install import connect  # type: ignore[import-not-found]

FORMULAS = 16  # of com.sun.star.sheet.CellFlags
SPARSE = 20  # formulas that stand closer than one in so many cells are read as one block
ERRORS = ("#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#REF!", "#NUM!", "#NULL!", "Err:502", "Err:504")


def properties(**values: Any) -> Any:
    """Return the options of a call as LibreOffice takes them."""
    found = []
    for name, value in values.items():
        option = PropertyValue()
        option.Name, option.Value = name, value
        found.append(option)
    return tuple(found)


def calculated(desktop: Any, url: str) -> dict[str, Any]:
    """Return the blocks of every sheet of a file without cached values; nothing outside the file is asked."""
    options = properties(Hidden=True, UpdateDocMode=0, MacroExecutionMode=0)  # no links updated, no macros run
    document = desktop.loadComponentFromURL(url, "_blank", 0, options)
    if document is None or not document.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
        raise ValueError("it is no spreadsheet to LibreOffice")
    try:
        sheets = {name: document.Sheets.getByName(name) for name in document.Sheets.ElementNames}
        return {name: [block(sheet, area) for area in areas(sheet)] for name, sheet in sheets.items()}
    finally:
        document.close(True)


def areas(sheet: Any) -> list[tuple[int, int, int, int]]:
    """Return the rectangles (left, top, right, bottom) that hold a sheet's formulas: one, if that is not too empty."""
    all_of = [corners(address) for address in sheet.queryContentCells(FORMULAS).RangeAddresses]
    if len(all_of) < 2:
        return all_of
    left, top = (min(area[i] for area in all_of) for i in (0, 1))
    right, bottom = (max(area[i] for area in all_of) for i in (2, 3))
    box = left, top, right, bottom
    return [box] if size(box) <= SPARSE * sum(map(size, all_of)) else all_of


def corners(address: Any) -> tuple[int, int, int, int]:
    """Return a range's address as left, top, right, bottom."""
    return address.StartColumn, address.StartRow, address.EndColumn, address.EndRow


def size(area: tuple[int, int, int, int]) -> int:
    """Return the number of cells of a rectangle."""
    return (area[2] - area[0] + 1) * (area[3] - area[1] + 1)


def block(sheet: Any, area: tuple[int, int, int, int]) -> dict[str, Any]:
    """Return the values of a rectangle: numbers, texts, truth values, and errors by what Calc shows."""
    cells = sheet.getCellRangeByPosition(*area)
    rows = [list(row) for row in cells.getDataArray()]  # truth values are numbers here, errors are None
    if any(value in (0.0, 1.0) for row in rows for value in row):
        for truth in (False, True):
            for row, column in shown(cells, str(truth).upper()):
                if rows[row][column] == float(truth):  # not a text that reads so
                    rows[row][column] = truth
    for text in ERRORS:
        if any(value is None for row in rows for value in row):
            for row, column in shown(cells, text):
                if rows[row][column] is None:
                    rows[row][column] = {"error": text}
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if value is None:
                values[column] = {"error": f"Err:{cells.getCellByPosition(column, row).getError()}"}
    return {"row": area[1], "column": area[0], "rows": rows}


def shown(cells: Any, text: str) -> Iterator[tuple[int, int]]:
    """Yield row and column, from 0, of the cells that show a text: one question for all cells is quick."""
    search = cells.createSearchDescriptor()
    search.SearchString = text
    for option, value in {"SearchWords": True, "SearchCaseSensitive": True, "SearchType": 1,
                          "SearchFormatted": True, "SearchFiltered": True}.items():  # fmt: skip
        search.setPropertyValue(option, value)  # type 1: values; also in rows that a filter hides
    found = cells.findAll(search)
    top, left = cells.RangeAddress.StartRow, cells.RangeAddress.StartColumn
    for address in found.RangeAddresses if found else ():
        first, start, last, end = corners(address)
        for row in range(start, end + 1):
            for column in range(first, last + 1):
                yield row - top, column - left


def tried(desktop: Any) -> float:
    """Return what one of our functions gives: 1024 when they work."""
    document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, properties(Hidden=True))
    cell = document.Sheets.getByIndex(0).getCellByPosition(0, 0)
    cell.setFormula('=MLSIM.CONVERT("1 GiB";"MiB")')
    value: float = cell.getValue()
    document.close(True)
    return value


def started(pipe: str) -> tuple[Any, float]:
    """Return the desktop of the LibreOffice that listens, and what one of our functions gives in it."""
    while True:
        try:
            context = connect(pipe)
            desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
            return desktop, tried(desktop)
        except (RuntimeException, AttributeError):  # it starts once more where it found a new extension
            time.sleep(0.5)


def main(pipe: str) -> None:
    """Answer until the input ends."""
    desktop, ready = started(pipe)
    print(json.dumps({"ready": ready}), flush=True)
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"sheets": calculated(desktop, json.loads(line))}
        except DisposedException:
            return  # LibreOffice has ended: no answer says so
        except Exception as error:
            reason = str(error).strip().splitlines()
            answer = {"failure": reason[0] if reason else type(error).__name__}
        print(json.dumps(answer), flush=True)
    with contextlib.suppress(Exception):  # it may have ended already
        desktop.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)  # the bridge to a LibreOffice that has ended may crash while Python tidies up
