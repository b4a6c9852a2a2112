"""The comparison workbook: which accelerator should serve a model, and why.

Every model result is a live ``MLSIM_*`` formula on the workbook's own inputs, with its value cached, so the file reads
the same with and without the add-in. Rank, cost and checks are native formulas.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.workbook.properties import CalcProperties

from mlsim.errors import CellError
from mlsim.registry import load
from mlsim_workbooks import style
from mlsim_workbooks.checks import add_checks_sheet, add_units_sheet
from mlsim_workbooks.compare.about import write_about
from mlsim_workbooks.compare.decision import write_decision
from mlsim_workbooks.compare.inputs import fields_of, write_inputs
from mlsim_workbooks.compare.memory import write_memory
from mlsim_workbooks.compare.plan import BATCHES, Comparison, Plan, Row, resolve, warnings_of
from mlsim_workbooks.compare.roofline import write_roofline
from mlsim_workbooks.compare.sources import write_sources
from mlsim_workbooks.compare.sweep import write_sweep
from mlsim_workbooks.recalc import RecalcError, recalculate
from mlsim_workbooks.reproducible import CREATED, normalise

__all__ = ["BATCHES", "Comparison", "Row", "build_comparison"]


def build_comparison(
    model: str, hardware: Sequence[str], *, prompt: int = 2048, output: int = 512, batch: int = 16,
    precision: str = "bf16", prices: Mapping[str, str] | None = None, out: str | Path,
) -> Comparison:  # fmt: skip
    """Write a workbook that compares chips for one model.

    Parameters
    ----------
    model : str
        A language model of the registry.
    hardware : sequence of str
        Chips of the registry, at most twelve.
    prompt, output, batch : int
        Tokens of a prompt, tokens generated, sequences at once.
    precision : str
        Number format of the weights.
    prices : mapping of str to str, optional
        Chip -> price such as ``"2.50 $/GPU-h"``, in place of the registry's.
    out : path
        The file; replaced in one step, or left as it was.

    Raises
    ------
    CellError
        For an unknown name, a bad number or price, the same chip twice, or a place that cannot be written.
    """
    plan = resolve(model, hardware, prompt, output, batch, precision, prices or {})
    wb = _workbook(plan)
    target = Path(out)
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        draft = Path(folder) / "draft.xlsx"
        wb.save(draft)
        normalise(draft)
        try:
            report = recalculate(draft, out=target)
        except RecalcError as error:
            raise CellError("#VALUE!", str(error).replace(str(draft), target.name)) from None
    warnings = [*warnings_of(plan), *(f"{sheet}!{cell}: {code} {text}" for sheet, cell, code, text in report.errors)]
    return Comparison(tuple(plan.rows), target, tuple(warnings))


def _workbook(plan: Plan) -> Workbook:
    wb = Workbook()
    style.use_font(wb)
    names = ("Decision", "Inputs", "Checks", "Memory", "Batch sweep", "Roofline", "Sources", "About")
    sheets = {name: wb.create_sheet(name) for name in names}
    del wb[wb.sheetnames[0]]
    add_units_sheet(wb)
    lists = _lists(wb)
    fields = fields_of(plan)
    plan.checks = add_checks_sheet(sheets["Checks"], fields)
    write_inputs(sheets["Inputs"], plan, fields)
    write_memory(sheets["Memory"], plan)
    write_sweep(sheets["Batch sweep"], plan)
    write_roofline(sheets["Roofline"], plan)
    write_decision(sheets["Decision"], plan, lists)
    write_sources(sheets["Sources"], plan)
    write_about(sheets["About"], plan)
    # Recalculation on load would blank the model cells of a reader without the add-in.
    wb.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    wb.properties.creator, wb.properties.title = "MLSIM", f"{plan.model.name}: accelerators compared"
    wb.properties.created = CREATED
    return wb


def _lists(wb: Workbook) -> dict[str, str]:
    """Add the hidden sheet behind the drop-downs; return name -> area."""
    ws = wb.create_sheet("Lists")
    models = sorted((n for n in load.model_names() if load.model(n).kind == "llm"), key=str.casefold)
    areas = {}
    for column, (label, names) in enumerate((("Models", models), ("Precisions", load.precision_names())), 1):
        for row, text in enumerate((label, *names), 1):
            ws.cell(row, column, text)
        letter = ws.cell(1, column).column_letter
        areas[label] = f"Lists!${letter}$2:${letter}${len(names) + 1}"
    ws.sheet_state = "hidden"
    return areas
