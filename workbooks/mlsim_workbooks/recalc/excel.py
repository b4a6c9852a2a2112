"""Excel as the engine of a recalculation, through xlwings: one Excel without a window, which works out many workbooks.

It needs Excel on Windows with MLSIM's add-in (``mlsim install excel``). On the Mac Excel offers a program neither a way
to keep macros from running nor the errors of a range, and its MLSIM functions live in a task pane: there, and
elsewhere, LibreOffice is the engine for what the embedded one does not know.

No real Excel has run this: the tests play Excel's part under xlwings' own code.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mlsim.files import FileError
from mlsim_workbooks.package import Err, Value
from mlsim_workbooks.recalc.external import CIRCULAR
from mlsim_workbooks.recalc.handover import Values, prepare

__all__ = ["Excel", "require"]

_NO_MACROS = 3  # msoAutomationSecurityForceDisable
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})


def require() -> tuple[Any, Path]:
    """Return xlwings and MLSIM's add-in.

    Raises
    ------
    FileError
        When one of them, or Excel's platform, is not there.
    """
    if sys.platform != "win32":
        raise FileError("The engine excel needs Excel on Windows: use --engine libreoffice, or embedded.")
    try:
        import xlwings
    except ImportError:
        raise FileError('The engine excel needs xlwings: pip install "mlsim[excel]".') from None
    from mlsim_addin.excel.install import addin_path  # late: hosts build on workbooks

    addin = addin_path()
    if not addin.is_file():
        raise FileError("Excel does not have MLSIM's functions yet: run mlsim install excel.")
    return xlwings, addin


class Excel:
    """An Excel that calculates workbooks; a context manager.

    Raises
    ------
    FileError
        On entering, when Excel, xlwings or the add-in is not there.
    """

    def __init__(self) -> None:
        self._app: Any = None
        self._folder = ""

    def __enter__(self) -> Excel:
        xlwings, addin = require()
        try:
            self._app = xlwings.App(visible=False, add_book=False)
        except Exception as error:
            raise FileError(f"Excel could not be started: {_reason(error)}.") from None
        self._folder = tempfile.mkdtemp(prefix="mlsim-")
        try:
            self._app.display_alerts = False
            self._app.screen_updating = False
            self._app.enable_events = False
            self._app.books.open(str(addin))  # an Excel started by a program opens no add-in by itself
            self._app.api.AutomationSecurity = _NO_MACROS  # from now on: the add-in is a file with macros too
        except Exception as error:
            self.close()
            raise FileError(f"Excel could not open MLSIM's add-in: {_reason(error)}.") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End Excel."""
        if self._app is not None:
            try:
                self._app.quit()
            except Exception:
                self._app.kill()
        self._app = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def calculate(self, data: bytes, suffix: str) -> Values:
        """Return the values of all cells with a formula, of array formulas every cell, by sheet, row and column.

        A dynamic array is read in the area that the workbook states; a cell of a circular reference is ``#CIRC!``.

        Parameters
        ----------
        data : bytes
            A workbook with MLSIM's functions under their own names.
        suffix : str
            ``".xlsx"`` or ``".xlsm"``.

        Raises
        ------
        FileError
            When Excel cannot open or calculate the workbook.
        """
        file = Path(self._folder, f"book{suffix}")
        file.write_bytes(data)
        wanted = prepare(file, "excel")
        book = None
        try:
            book = self._app.books.open(str(file), update_links=False, read_only=True, add_to_mru=False)
            self._app.api.CalculateFullRebuild()
            return {name: _read(book.sheets[name], cells) if cells else {} for name, cells in wanted.items()}
        except Exception as error:
            raise FileError(f"Excel could not calculate the workbook: {_reason(error)}.") from None
        finally:
            if book is not None:
                book.close()
            file.unlink(missing_ok=True)


def _read(sheet: Any, cells: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Value]:
    """Read cells of a sheet, column by column: each run of cells below each other at once."""
    found: dict[tuple[int, int], Value] = {}
    for col, top, bottom in _runs(cells):
        area = sheet.range((top, col), (bottom, col))
        values = area.options(ndim=2, empty="").value  # None is an error here, and nothing else is
        if any(value is None or type(value) is int for (value,) in values):
            texts = area.options(ndim=2, empty="", err_to_str=True).value
        else:
            texts = values
        for row, ((value,), (text,)) in enumerate(zip(values, texts, strict=True), top):
            found[row, col] = _value(value, text)
    circle = sheet.api.CircularReference  # the first one of the sheet, which Excel shows as 0
    if circle is not None:
        found[circle.Row, circle.Column] = Err(CIRCULAR)
    return found


def _runs(cells: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield (column, first row, last row) of the runs of cells below each other."""
    run: tuple[int, int, int] | None = None
    for col, row in sorted((col, row) for row, col in cells):
        if run is not None and run[0] == col and run[2] == row - 1:
            run = (col, run[1], row)
            continue
        if run is not None:
            yield run
        run = (col, row, row)
    if run is not None:
        yield run


def _value(value: Any, text: Any) -> Value:
    if value is None:
        return Err(text if text in _ERRORS else "#VALUE!")
    if type(value) is int:  # numbers come as float: a newer error, such as #SPILL!, which files hold as #VALUE! too
        return Err("#VALUE!")
    found: Value = value
    return found


def _reason(error: Exception) -> str:
    """Return the sentence in what COM raises: (number, text, (..., description, ...), ...)."""
    details = next((arg for arg in error.args if isinstance(arg, tuple) and len(arg) > 2 and arg[2]), None)
    text = str(details[2]) if details else str(error) or type(error).__name__
    return " ".join(text.split()).rstrip(".")
