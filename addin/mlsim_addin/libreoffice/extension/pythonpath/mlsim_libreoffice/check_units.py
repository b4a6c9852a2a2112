"""Look for unit mistakes in the current document and list them on a sheet "Findings"."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from mlsim_libreoffice import bridge

TITLE = "Findings"
_MARK = "Unit mistakes, found by MLSIM"  # first cell of a sheet that an earlier check wrote
COLUMNS = ("sheet", "cell", "severity", "rule", "message", "suggestion")
_WIDTHS = (3500, 1500, 1900, 3500, 14000, 9000)  # 1/100 mm
_MINUTES = 5
_XLSX = "Calc MS Excel 2007 XML"


def check(document: Any, python: str) -> None:
    """Check a spreadsheet as it is now, saved or not; its file is neither read nor written."""
    if document.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
        show(document, report(document, python))


def report(document: Any, python: str) -> list[list[str]]:
    """Return the rows of the sheet: the findings under a header, or one sentence."""
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        copy = Path(folder) / "document.xlsx"
        try:
            store_copy(document, copy)
        except Exception as error:
            return [[f"The document could not be stored as a workbook: {error}"]]
        return rows(copy, python)


def store_copy(document: Any, path: Path) -> None:
    """Store a copy as a workbook of Excel; the document keeps its own file, format and changes."""
    from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]

    wanted = PropertyValue()
    wanted.Name, wanted.Value = "FilterName", _XLSX
    document.storeToURL(path.as_uri(), (wanted,))


def rows(path: Path, python: str) -> list[list[str]]:
    """Run the checker on a workbook; return its findings under a header, or one sentence.

    It runs in a process of its own, in the Python that has MLSIM: a defect in it cannot take LibreOffice along.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # pipes would be read by threads on Windows
        try:
            done = subprocess.run(
                [python, "-m", "mlsim_workbooks.cli", "lint", str(path), "--json", "-"],
                stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=bridge.environment(),
                timeout=60 * _MINUTES, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return [[f"The check was stopped after {_MINUTES} minutes."]]
        except OSError as error:
            return [[f"{python} cannot be run: {error.strerror}. {bridge.HINT}"]]
        out.seek(0)
        err.seek(0)
        said = err.read().decode("utf-8", "replace").strip().replace(str(path), "The document")
        found = out.read()
    if done.returncode not in (0, 1):
        return [[said or f"The checker ended with code {done.returncode}."]]
    findings = json.loads(found)
    table = [list(COLUMNS), *([finding[column] for column in COLUMNS] for finding in findings)]
    notes = [[line] for line in said.splitlines()]
    return (table if findings else [["No unit mistakes found."]]) + notes


def show(document: Any, table: list[list[str]]) -> None:
    """Write the report on the sheet of an earlier check, or on a new last sheet; a person's own sheet is left alone."""
    sheets = document.Sheets
    title = next((name for name in sheets.ElementNames if _ours(sheets.getByName(name), name)), "")
    if not title:
        title = free_title(sheets.ElementNames)
        sheets.insertNewByName(title, sheets.Count)
    sheet = sheets.getByName(title)
    sheet.clearContents(1023)  # everything: the flags of com.sun.star.sheet.CellFlags
    wide = max(map(len, table), default=1)
    full = tuple(tuple(row + [""] * (wide - len(row))) for row in table)
    sheet.getCellRangeByPosition(0, 1, wide - 1, len(full)).setDataArray(full)  # texts stay texts, "=" in front or not
    sheet.getCellByPosition(0, 0).String = _MARK
    sheet.getCellRangeByPosition(0, 0, wide - 1, 1 if wide > 1 else 0).CharWeight = 150.0  # bold
    for index, width in enumerate(_WIDTHS):
        sheet.Columns.getByIndex(index).Width = width
        sheet.Columns.getByIndex(index).IsTextWrapped = wide > 1
    controller = document.CurrentController
    if controller is not None and hasattr(controller, "setActiveSheet"):
        controller.setActiveSheet(sheet)


def _ours(sheet: Any, name: str) -> bool:
    return name.startswith(TITLE) and sheet.getCellByPosition(0, 0).String == _MARK


def free_title(names: Any) -> str:
    """Return "Findings", or with a number where a sheet is called so already."""
    taken = {name.lower() for name in names}
    titles = [TITLE, *(f"{TITLE} {n}" for n in range(2, len(taken) + 3))]
    return next(title for title in titles if title.lower() not in taken)
