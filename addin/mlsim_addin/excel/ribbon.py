"""What the tab MLSIM of Excel's ribbon asks of Python; ``ribbon.bas`` is the other side.

A sentence that says what went wrong is marked as in a cell; a table's texts have the apostrophe that keeps Excel from
reading them as a formula, a number or a date.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlwings as xw

from mlsim.errors import CellError
from mlsim.registry import load
from mlsim_addin.excel.cells import ERROR_MARK
from mlsim_addin.host import LONGEST_TEXT

__all__ = ["comparison", "forget", "plain_names", "proposal", "sources"]

MODEL, CHIPS = "Llama-3-70B", "H100, MI300X"  # proposed where the selection has no names


@xw.func
@xw.arg("selected", ndim=2)
def proposal(selected: Any) -> Any:
    """Return a model and the chips to compare, as named in the selected cells, or the usual ones."""
    texts = [cell.strip() for row in selected for cell in row if isinstance(cell, str)]
    models = [text for text in texts if load.kind_of(text) == "model"]
    chips = list(dict.fromkeys(text for text in texts if load.kind_of(text) == "hardware"))
    return [[models[0] if models else MODEL, ", ".join(chips) or CHIPS]]


@xw.func
def comparison(model: Any, chips: Any) -> Any:
    """Write a comparison workbook into a folder of its own; return its path."""
    from mlsim_workbooks.compare import build_comparison

    names = [name.strip() for name in str(chips).split(",") if name.strip()]
    path = Path(tempfile.mkdtemp(prefix="mlsim-")) / "MLSIM comparison.xlsx"
    try:
        return str(build_comparison(str(model).strip(), names, out=path).path)
    except CellError as error:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
        return ERROR_MARK + error.message


@xw.func
def forget() -> Any:
    """Forget remembered results, and read the user's registry file again; return "" or what is wrong with the file."""
    from mlsim.functions import use_registry_file
    from mlsim.functions.catalogue import forget_results

    load.forget()
    forget_results()
    try:
        if file := os.environ.get("MLSIM_REGISTRY"):
            use_registry_file(file)
    except CellError as error:
        return ERROR_MARK + error.message
    return ""


@xw.func
def sources(path: Any, sheet: Any, cell: Any) -> Any:
    """Return every figure behind one cell's formula, or behind all of a workbook's, as a table with a header."""
    from mlsim_addin.excel.citations import HEADER, cited_in

    try:
        rows = cited_in(Path(str(path)), str(sheet or ""), str(cell or ""))
    except CellError as error:
        return error.message
    if not rows:
        return "No MLSIM formula here names a chip, model, precision or runtime of the registry."
    return [_texts(row) for row in [HEADER, *rows]]


def _texts(row: Sequence[str]) -> list[str]:
    return [f"'{text}"[:LONGEST_TEXT] for text in row]


@xw.func
@xw.arg("formulas", ndim=2)
def plain_names(formulas: Any) -> Any:
    """Return formulas with the functions of the catalogue called by their plain names."""
    from mlsim_workbooks.names import rename_formula

    return [
        [rename_formula(formula, "excel") if isinstance(formula, str) else "" for formula in row] for row in formulas
    ]
