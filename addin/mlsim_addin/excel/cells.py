"""Between Excel's cells, as xlwings hands them over, and the host's.

Errors travel to VBA as marked text, not as exceptions: the bridge between Python and VBA puts a traceback around an
exception's text. The module ``mlsim.bas`` turns marked text, also inside a spilled range, into a real cell error;
under the wrapper that xlwings itself writes the cell shows the text, code first.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from mlsim.errors import CellError
from mlsim_addin import host

__all__ = ["ERROR_MARK", "ERROR_NUMBERS", "call"]

ERROR_MARK = "\u200b"  # zero-width space: no result of the catalogue starts with it, and a person does not see it
ERROR_NUMBERS = {
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


def call(name: str, *cells: Any) -> Any:
    """Evaluate a function on cells as xlwings reads them with ``ndim=2, err_to_str=True``.

    Returns a value, a rectangle that spills, or an error as marked text.
    """
    return _shown(host.call(name, [_read(cell) for cell in cells]))


def _read(value: Any) -> Any:
    """Read a cell or a range. A currency cell arrives as a ``Decimal``, an error as its text or number."""
    if isinstance(value, (list, tuple)):
        return [_read(cell) for cell in value]
    if isinstance(value, str) and value in host.CODES:
        return host.argument_error(value)
    if isinstance(value, datetime.date):
        return CellError(
            "#VALUE!", f'A cell holds the date {value:%Y-%m-%d}: write text such as "80 GiB", or a number.'
        )
    if isinstance(value, int) and 2000 <= value - _COM_ERROR <= 2999:
        return host.argument_error(ERROR_NUMBERS.get(value - _COM_ERROR, ""))
    return float(value) if isinstance(value, Decimal) else value


def _shown(result: Any) -> Any:
    if isinstance(result, list):
        return [_shown(cell) for cell in result]
    if isinstance(result, CellError):
        return ERROR_MARK + " ".join(f"{result.code} {result.message}".split())[: host.LONGEST_TEXT - 1]
    return result
