"""Between Excel's cells and the catalogue: what xlwings hands over, and what a cell can show.

Errors travel to VBA as marked text, not as exceptions: the bridge between Python and VBA puts a traceback around an
exception's text. The module ``mlsim.bas`` turns marked text, also inside a spilled range, into a real cell error;
under the wrapper that xlwings itself writes the cell shows the text, code first.
"""

from __future__ import annotations

import datetime
import logging
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mlsim.errors import CellError, shorten
from mlsim_workbooks import functions

__all__ = ["ERROR_MARK", "EXCEL_ERRORS", "LONGEST_TEXT", "ExcelError", "call", "evaluate"]

ERROR_MARK = "\u200b"  # zero-width space: no result of the catalogue starts with it, and a person does not see it
EXCEL_ERRORS = {
    2000: "#NULL!",
    2007: "#DIV/0!",
    2015: "#VALUE!",
    2023: "#REF!",
    2029: "#NAME?",
    2036: "#NUM!",
    2042: "#N/A",
}
"""The numbers VBA's ``CVErr`` takes, and the errors they make."""

_COM_ERROR = -2146828288  # an error cell arrives through COM as this plus its number
LONGEST_TEXT = 32767  # characters in a cell
_LOG = logging.getLogger(__name__)


class ExcelError(Exception):
    """A cell error: one line of text that begins with the code Excel shows, such as ``#N/A``."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split())[:LONGEST_TEXT])


def call(name: str, *cells: Any) -> Any:
    """Evaluate a function for Excel: a value, a rectangle that spills, or an error as marked text."""
    try:
        return evaluate(name, *cells)
    except ExcelError as error:
        return ERROR_MARK + str(error)


def evaluate(name: str, *cells: Any) -> Any:
    """Evaluate a function of the catalogue on cells as xlwings reads them with ``ndim=2, err_to_str=True``.

    Raises
    ------
    ExcelError
        For every failure; an argument that is an error itself gives that same error.
    """
    try:
        return _shown(functions.call(name, _arguments(cells)))
    except ExcelError:
        raise
    except CellError as error:
        raise ExcelError(str(error)) from None
    except Exception as error:
        _LOG.debug("%s failed", name, exc_info=True)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ExcelError(f"#VALUE! {name} failed, which is a defect of MLSIM, please report it: {reason}") from None


# --- from Excel ------------------------------------------------------------------------------------------------------


def _arguments(cells: Sequence[Any]) -> list[Any]:
    values = [_argument(cell) for cell in cells]
    while values and values[-1] is None:  # left out
        values.pop()
    return values


def _argument(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return _cell(value)
    block = [[_cell(cell) for cell in row] if isinstance(row, (list, tuple)) else [_cell(row)] for row in value]
    if value and not isinstance(value[0], (list, tuple)):
        block = [[row[0] for row in block]]  # a flat list is a row
    return block[0][0] if len(block) == 1 and len(block[0]) == 1 else block


def _cell(value: Any) -> Any:
    """Read one cell. A currency cell arrives as a ``Decimal``, an error as its text or number."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if value in EXCEL_ERRORS.values():
            raise ExcelError(f"{value} An argument is this error itself.")
        return value
    if isinstance(value, datetime.date):
        raise ExcelError(f'#VALUE! A cell holds the date {value:%Y-%m-%d}: write text such as "80 GiB", or a number.')
    if isinstance(value, int) and 2000 <= value - _COM_ERROR <= 2999:
        code = EXCEL_ERRORS.get(value - _COM_ERROR, "#VALUE!")  # newer errors, such as #SPILL!, have no number here
        raise ExcelError(f"{code} An argument is this error itself.")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bool, int, float)):
        return value
    raise ExcelError(f"#VALUE! A cell holds {shorten(value)}, which is neither text nor a number.")


# --- to Excel --------------------------------------------------------------------------------------------------------


def _shown(result: Any) -> Any:
    if not isinstance(result, (list, tuple)):
        return _value(result)
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in result]
    if result and not isinstance(result[0], (list, tuple)):
        rows = [[row[0] for row in rows]]
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise ExcelError("#N/A The result is empty.")
    return [[_element(cell) for cell in row] + [""] * (width - len(row)) for row in rows]


def _element(value: Any) -> Any:
    """Show one cell of a range: an error stands in its own cell, None is an empty text (never 0)."""
    if value is None:
        return ""
    try:
        return _value(value)
    except ExcelError as error:
        return ERROR_MARK + str(error)


def _value(value: Any) -> Any:
    if isinstance(value, CellError):
        raise ExcelError(str(value))
    if value is None:
        raise ExcelError("#N/A There is no result.")
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, bool):
        return value
    number = float(value)  # an int beyond 32 bits would not reach a cell
    if not math.isfinite(number):
        raise ExcelError("#NUM! The result is not a finite number.")
    return number
