"""What Excel's macro ``MLSIM_CheckUnits`` calls: the findings of a workbook, ready for a sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xlwings as xw

from mlsim.errors import CellError
from mlsim_addin.host import LONGEST_TEXT
from mlsim_workbooks.functions import HEADER, table_row

__all__ = ["findings"]


@xw.func
def findings(path: Any) -> Any:
    """Return a table with a header, or one sentence: that there are no findings, or why there can be none.

    Every text has the apostrophe that keeps Excel from reading it as a formula, a number or a date.
    """
    from mlsim_workbooks.lint.command import checked
    from mlsim_workbooks.lint.report import count_line

    try:
        result = checked(str(path))
    except CellError as error:
        return error.message
    if not result.findings:
        return count_line(Path(str(path)).name, [], result.formulas, result.silenced)
    rows = [HEADER, *map(table_row, result.findings)]
    return [[f"'{text}"[:LONGEST_TEXT] for text in row] for row in rows]
