"""The calibration workbook: a few measurements of one's own server fit its runtime, and every prediction moves.

A function that returns a table stands cell by cell as ``=INDEX(MLSIM_X(...), row, column)``. A formula that spills needs
Excel 365, and LibreOffice works out array formulas anew whenever it opens a file, so that without the add-in they would
show #NAME? in place of their cached values.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import Reference
from openpyxl.styles import Alignment
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mlsim import __version__
from mlsim.functions import call
from mlsim.planner.forward import OPERATORS
from mlsim.planner.machine import RUNTIME_PARAMETERS
from mlsim.registry import load
from mlsim.registry.tables import sources
from mlsim_workbooks import style
from mlsim_workbooks.checks import FIRST_ROW as CHECK_ROW
from mlsim_workbooks.checks import Field, add_checks_sheet, add_units_sheet
from mlsim_workbooks.compare.plan import BATCHES, price_text, registry_price
from mlsim_workbooks.reproducible import save_template

__all__ = ["build_calibration"]

PROMPTS = (512, 1024, 2048, 4096, 8192, 16384)

# The example: a server that is about 15 % slower than predicted.
MODEL, CHIP, RUNTIME, PRECISION, BATCH, PROMPT, OUTPUT, SLOWER = (
    "Llama-3-8B", "H100-SXM-80GB", "vLLM", "bf16", 32, 1024, 256, 1.15
)  # fmt: skip
OTHER_MODEL, OTHER_CHIP, PRICE = "Llama-3-70B", "MI300X", "2.50 $/GPU-h"

# Where things stand on the sheet Measure. The headings are those that MLSIM_CALIBRATE reads.
HEADINGS = ("model", "hardware", "runtime", "precision", "tp", "batch", "prompt tokens", "output tokens", "context",
            "TPOT [ms]", "TTFT [ms]", "serving TPOT [ms]")  # fmt: skip
HEAD, FIRST, LAST = 8, 9, 16
TABLE = f"$C${HEAD}:$N${LAST}"
ERRORS = LAST + 5  # first row of "measured against predicted"
NAME = ERRORS + 14  # first row of the profile: its name, then what it is based on, then the figures
FIXED, PROFILE_ROWS = 15, 17  # rows that a profile has for every runtime of the registry, and has at most
PROFILE = f"Measure!$C${NAME}:$E${NAME + PROFILE_ROWS - 1}"
FITTED, BASED_ON = f"Measure!$D${NAME}", f"Measure!$D${NAME + 1}"

# (measured column, its three to five columns of predictions, function)
METRICS = (("L", "E", "TPOT", "MLSIM_TPOT"), ("M", "J", "TTFT", "MLSIM_TTFT"), ("N", "O", "serving TPOT", "MLSIM_SERVING_TPOT"))  # fmt: skip

# Where the inputs stand on the sheet Predictions.
P_TOP = 7
P_MODEL, P_CHIP, P_PRECISION, P_TP, P_BATCH, P_PROMPT, P_OUTPUT, P_CONTEXT, P_PRICE = (
    f"Predictions!$C${P_TOP + i}" for i in range(9)
)
P_OTHER_MODEL, P_OTHER_CHIP, P_OTHER_PRICE, P_BEFORE = (f"Predictions!$K${P_TOP + i}" for i in (0, 1, 2, 4))
WHAT_IF, CHARTS, SWEEP = P_TOP + 12, P_TOP + 19, P_TOP + 41
TTFT = SWEEP + len(BATCHES) + 5


def build_calibration(out: str | Path) -> Path:
    """Write the calibration workbook; return its path."""
    wb = Workbook()
    style.use_font(wb)
    names = ("Measure", "Predictions", "Operators", "About", "Checks", "Lists", "Priors")
    sheets = {name: wb.create_sheet(name) for name in names}
    del wb[wb.sheetnames[0]]
    add_units_sheet(wb)
    add_checks_sheet(sheets["Checks"], [
        Field("price", "your server", "Price of a device hour", P_PRICE, None, ""),
        Field("price", "the other chip", "Price of a device hour", P_OTHER_PRICE, None, ""),
    ])  # fmt: skip
    lists = _lists(sheets["Lists"])
    _priors(sheets["Priors"])
    _write_measure(sheets["Measure"], lists)
    _write_predictions(sheets["Predictions"], lists)
    _write_operators(sheets["Operators"])
    _write_about(sheets["About"])
    for name in ("Checks", "Lists", "Priors"):
        sheets[name].sheet_state = "hidden"
    return save_template(wb, "Predictions calibrated to your own server", out)


# --- hidden sheets -----------------------------------------------------------------------------------------------


def _lists(ws: Worksheet) -> dict[str, str]:
    """Write the names behind the drop-downs; return label -> area. F2 has the first measurement's row in the table."""
    models = sorted((n for n in load.model_names() if load.model(n).kind == "llm"), key=str.casefold)
    columns = {
        "Models": models, "Hardware": load.chip_names(), "Runtimes": load.runtime_names(),
        "Precisions": load.precision_names(),
    }  # fmt: skip
    areas = style.lists(ws, columns)
    ws["F1"] = "First row of the table that has a model"
    ws["F2"] = f'=IFERROR(MATCH("?*",Measure!$C${FIRST}:$C${LAST},0),1)'
    return areas


_OWN = {"mlsim-fit": "Fit to published measurements", "mlsim-priors": "Assumed to start with"}


def _priors(ws: Worksheet) -> None:
    """Write the registry's figures of every runtime: what a fit starts from, and where each comes from."""
    for column, text in enumerate(("Runtime and figure", "Value", "Unit", "Meaning", "Source"), 1):
        ws.cell(1, column, text)
    for name in load.runtime_names():
        figures = load.runtime(name).figures
        for attribute in RUNTIME_PARAMETERS:
            figure = figures[attribute]
            source = sources().get(figure.source, {})
            title = _OWN.get(figure.source) or source.get("title", figure.source)
            cited = f"{title}: {figure.locator}" + (f"; {figure.note}" if figure.note else "")
            unit = "" if figure.unit in ("ratio", "count") else figure.unit
            ws.append([f"{name}|{attribute.replace('_', ' ')}", float(figure.value), unit, figure.meaning, cited])


def _above(ws: Worksheet, cells: str, kind: str = "whole") -> None:
    """Ask for numbers above 0."""
    rule = DataValidation(kind, operator="greaterThan", formula1="0", showErrorMessage=True, errorStyle="warning")
    rule.error = "A whole number above 0." if kind == "whole" else "A number above 0, in the unit of the heading."
    ws.add_data_validation(rule)
    rule.add(cells)


def _table(
    ws: Worksheet, area: str, function: str, fmts: Sequence[str | None], align: Sequence[str], sure: int = 99,
    gaps: str = "",
) -> None:  # fmt: skip
    """Write what a function gives as a table, cell by cell.

    Rows beyond ``sure`` may not exist and are empty then. Columns in ``gaps`` may hold empty texts, which get a dash:
    LibreOffice takes an empty cached text for none, and works the cell out anew.
    """
    for i, row in enumerate(ws[area], 1):
        for j, (cell, fmt, place) in enumerate(zip(row, fmts, align, strict=True), 1):
            value = f"INDEX({function},{i},{j})"
            if cell.column_letter in gaps:
                value = f'IF({value}="","–",{value})'
            style.body(ws, cell.coordinate, f"={value}" if i <= sure else f'=IFERROR({value},"")', fmt, place)


_COUNT = f"COUNT({','.join(f'${c}${ERRORS}:${c}${ERRORS + LAST - FIRST}' for c in 'HMR')})"  # of the measurements used


# --- Measure -----------------------------------------------------------------------------------------------------


def _example_tpot() -> float:
    """Return the example's measurement: made up, and as far from the prediction whatever the registry says."""
    predicted = call("MLSIM_TPOT", [MODEL, CHIP, BATCH, PROMPT + OUTPUT / 2, PRECISION, 1, RUNTIME])
    return round(SLOWER * float(predicted), 1)


def _write_measure(ws: Worksheet, lists: dict[str, str]) -> None:
    style.widths(ws, [2, 5, 22, 18, 13, 11, 9, 9, *[10] * 11])
    style.title(ws, "B1", "Calibrate the predictions to your server", "Type what you measured into the yellow cells. MLSIM fits the figures of the runtime to it, and every prediction of this workbook follows.")  # fmt: skip
    style.banner(ws, "B3:S3", _answer(), 14, 34)
    style.put(ws, "B4", _example())
    style.flag_cells(ws, "B4:S4", "$B$4", ok=False)
    style.heading(ws, f"B{HEAD - 2}", "1. Your measurements (the first row is an example: replace it)")
    style.note(ws, f"B{HEAD - 1}", "One row per measurement, of one runtime. TPOT: time per output token of a steady batch. TTFT: time to first token of one idle-server request or batch. Serving TPOT: per token while prompts of other requests come in. Empty rows are ignored.")  # fmt: skip
    style.header(ws, HEAD, 2, ("Row", *HEADINGS, "check"), 32)
    ws.merge_cells(f"O{HEAD}:S{HEAD}")
    example = (MODEL, CHIP, RUNTIME, PRECISION, 1, BATCH, PROMPT, OUTPUT, None, _example_tpot())
    for r in range(FIRST, LAST + 1):
        style.body(ws, f"B{r}", r - FIRST + 1, "0", "center")
        for column, value in zip("CDEFGHIJKLMN", (*(example if r == FIRST else [None] * 10), None, None), strict=True):
            style.input_cell(ws, f"{column}{r}", value, "#,##0" if column in "GHIJK" else "0.###" if column in "LMN" else None)  # fmt: skip
        style.paragraph(ws, f"O{r}", f"S{r}", _row_check(r), 8.5)
        ws[f"O{r}"].alignment = Alignment(wrap_text=True, vertical="center", indent=1)
        ws.row_dimensions[r].height = 24
    style.flag_cells(ws, f"O{FIRST}:S{LAST}", f"$O{FIRST}")
    for column, area in zip("CDEF", ("Models", "Hardware", "Runtimes", "Precisions"), strict=True):
        style.choice(ws, lists[area], f"{column}{FIRST}:{column}{LAST}")
    _above(ws, f"G{FIRST}:K{LAST}")
    _above(ws, f"L{FIRST}:N{LAST}", "decimal")
    for i, text in enumerate(HEADINGS, 3):
        fixed = DataValidation("list", formula1=f'"{text}"', showErrorMessage=True, showDropDown=True)
        fixed.error = "The function reads this heading and the check its unit: leave it. A measurement may be typed with a unit of its own, such as 0.0101 s."  # fmt: skip
        ws.add_data_validation(fixed)
        fixed.add(ws.cell(HEAD, i).coordinate)
    _write_errors(ws)
    _write_profile(ws)
    style.page(ws, f"A{HEAD + 1}", tab="1F3A5F")
    ws.freeze_panes = None
    ws.print_area = f"A1:S{NAME + PROFILE_ROWS}"
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1


def _measured(column: str, r: int) -> str:
    """Return the formula of a measurement in ms: a number is in ms already, a text has a unit of its own."""
    return f'IF(ISNUMBER(${column}{r}),${column}{r},MLSIM_CONVERT(${column}{r},"ms"))'


def _case(r: int, name: str, runtime: str) -> str:
    """Return the arguments of the function that predicts a row's measurement."""
    head, tail = f"$C{r},$D{r},$H{r}", f"$F{r},$G{r}"
    if name == "MLSIM_TPOT":
        return f'{head},IF($K{r}="",N($I{r})+IF($J{r}="",256,$J{r})/2,$K{r}),{tail},{runtime}'
    return f"{head},$I{r},{tail},{runtime}" if name == "MLSIM_TTFT" else f'{head},$I{r},$J{r},{tail},"bf16",{runtime}'


def _row_check(r: int) -> str:
    """Return the formula of the sentence beside a row: what is missing or doubtful, or that the row is used."""
    at = r + ERRORS - FIRST
    failed = "".join(
        f'IF(ISERROR({chr(ord(first) + 1)}{at}),"✗ "&MLSIM_WHY("{name}",{_case(r, name, f"$E{r}")}),' for _, first, _, name in METRICS
    )  # fmt: skip
    ratio = f"MAX({','.join(f'N({c}{at})' for c in 'HMR')})", f"MIN({','.join(f'N({c}{at})' for c in 'HMR')})"
    steps = (
        (f"COUNTA($C{r}:$N{r})=0", '""'),
        (f"COUNTA($L{r}:$N{r})=0", '"⚠ No measurement in this row: it is ignored."'),
        (f'OR($C{r}="",$D{r}="")', '"✗ Model or hardware is missing."'),
        (f'AND($I{r}="",COUNTA($M{r}:$N{r})>0)', '"✗ TTFT and serving TPOT need the prompt tokens."'),
        (f'AND($J{r}="",$N{r}<>"")', '"✗ A serving TPOT needs the output tokens."'),
    )  # fmt: skip
    far = '"⚠ Predicted and measured differ by a factor of more than 3: check unit, batch, precision and devices."'
    bare = '"⚠ Neither prompt tokens nor context: an empty cache is assumed."'
    formula = (
        failed
        + f'IF(OR(ISERROR(E{at}),ISERROR(J{at}),ISERROR(O{at})),"✗ A measurement is a number in ms, or a number, a space and a unit of time, such as 0.0101 s.",'
        + f'IF(OR({ratio[0]}>2,{ratio[1]}<-2/3),{far},IF(AND($I{r}="",$K{r}=""),{bare},"✓ Used."))))))'
    )
    for condition, text in reversed(steps):
        formula = f"IF({condition},{text},{formula})"
    return "=" + formula


def _write_errors(ws: Worksheet) -> None:
    """Write measured against predicted, before and after the fit."""
    style.heading(ws, f"B{ERRORS - 3}", "2. Measured against predicted, in ms")
    for _, first, label, _ in METRICS:
        last = chr(ord(first) + 4)
        style.header(ws, ERRORS - 2, ws[f"{first}1"].column, [label, *[""] * 4], 18)
        ws.merge_cells(f"{first}{ERRORS - 2}:{last}{ERRORS - 2}")
    each = ("measured", "predicted before", "predicted after", "error before", "error after")
    style.header(ws, ERRORS - 1, 2, ("Row", "model", "hardware", *each * 3), 30)
    end = ERRORS + LAST - FIRST
    for r in range(FIRST, LAST + 1):
        at = r + ERRORS - FIRST
        style.body(ws, f"B{at}", r - FIRST + 1, "0", "center")
        for column in "CD":
            style.body(ws, f"{column}{at}", f'=IF(COUNTA($L{r}:$N{r})=0,"",${column}{r}&"")', None, "center")
        for given, first, _, name in METRICS:
            m, b, a, x, y = (chr(ord(first) + i) for i in range(5))
            empty = f'=IF(${given}{r}="","",'
            cells = (
                (m, f"{empty}{_measured(given, r)})", "0.00"),
                (b, f"{empty}{name}({_case(r, name, f'$E{r}')}))", "0.00"),
                (a, f"{empty}{name}({_case(r, name, PROFILE.removeprefix('Measure!'))}))", "0.00"),
                (x, f"{empty}{b}{at}/{m}{at}-1)", "+0.0%;-0.0%"), (y, f"{empty}{a}{at}/{m}{at}-1)", "+0.0%;-0.0%"),
            )  # fmt: skip
            for column, value, fmt in cells:
                style.body(ws, f"{column}{at}", value, fmt, "center")
    style.mute_errors(ws, f"E{ERRORS}:S{end}")
    style.put(ws, f"B{end + 1}", "Mean size of the errors").font = style.font(10, bold=True)
    style.body(ws, f"E{end + 1}", f'={_COUNT}&" measured"', None, "center")  # fmt: skip
    for column, group in (("H", "HMR"), ("I", "INS")):
        areas = [f"{c}{ERRORS}:{c}{end}" for c in group]
        total = "+".join(f'SUMIF({area},">0")-SUMIF({area},"<0")' for area in areas)
        style.body(ws, f"{column}{end + 1}", f'=IF(COUNT({",".join(areas)})=0,"–",({total})/COUNT({",".join(areas)}))', "0.0%", "center").font = style.font(10, bold=True)  # fmt: skip


def _write_profile(ws: Worksheet) -> None:
    """Write the fitted profile: an array formula of the rows that every runtime has, and those that some have more."""
    style.heading(ws, f"B{NAME - 3}", "3. The fitted runtime: columns C to E are the runtime argument of every 'after' in this workbook")  # fmt: skip
    fine = f'"✓ "&$D${NAME}&", fitted to "&{_COUNT}&IF({_COUNT}=1," measurement."," measurements.")'
    style.put(ws, f"B{NAME - 2}", f'=IF(ISERROR($D${NAME}),"✗ No profile: "&MLSIM_WHY("MLSIM_CALIBRATE",{TABLE}),{fine})')  # fmt: skip
    style.flag_cells(ws, f"B{NAME - 2}:S{NAME - 2}", f"$B${NAME - 2}")
    style.header(ws, NAME - 1, 3, ("Figure", "Fitted value", "Determined", "Before", "What your measurements say", "", "", "Meaning", "", "", "", "Where the value before comes from"), 20)  # fmt: skip
    for left, right in (("G", "I"), ("J", "M"), ("N", "S")):
        ws.merge_cells(f"{left}{NAME - 1}:{right}{NAME - 1}")
    last = NAME + PROFILE_ROWS - 1
    looks, places = (None, None, "0%"), ("left", "center", "center")
    _table(ws, f"C{NAME}:E{last}", f"MLSIM_CALIBRATE({TABLE})", looks, places, FIXED)
    for r in (NAME, NAME + 1):
        ws[f"E{r}"].value = None  # neither the name nor what it is based on has a share
    end = 1 + len(load.runtime_names()) * len(RUNTIME_PARAMETERS)  # of the sheet Priors
    for r in range(NAME, last + 1):
        if r >= NAME + 2:
            priors = {c: f"Priors!${c}$2:${c}${end}" for c in "ABCDE"}
            found = f'MATCH($D${NAME + 1}&"|"&$C{r},{priors["A"]},0)'
            before = (
                f'INDEX({priors["B"]},{found})&IF(INDEX({priors["C"]},{found})="",""," "&INDEX({priors["C"]},{found}))'
            )
            style.body(ws, f"F{r}", f'=IFERROR({before},"")', None, "center")
            says = f'IF($E{r}>=0.5,"determined by them",IF($E{r}>=0.1,"moved, not settled",IF($E{r}>=0.005,"hardly touched","nothing: as before")))'
            style.body(ws, f"G{r}", f'=IF(ISNUMBER($E{r}),{says},"")', None, "center")
            style.body(ws, f"J{r}", f'=IFERROR(INDEX({priors["D"]},{found}),"")').font = style.font(7.5, style.MUTED)
            style.body(ws, f"N{r}", f'=IFERROR(INDEX({priors["E"]},{found}),"")').font = style.font(7.5, style.MUTED)
            for column in "JN":
                ws[f"{column}{r}"].alignment = Alignment(wrap_text=True, vertical="center")
        for left, right in (("G", "I"), ("J", "M"), ("N", "S")):
            ws.merge_cells(f"{left}{r}:{right}{r}")
        ws.row_dimensions[r].height = 26 if r >= NAME + 2 else 18
    style.mark_when(ws, f"C{NAME}:I{last}", f"AND(ISNUMBER($E{NAME}),N($E{NAME})>=0.1)")
    style.mute_errors(ws, f"C{NAME}:E{last}")


def _answer() -> str:
    """Return the formula of the line on top."""
    end = ERRORS + LAST - FIRST + 1
    shares = f"$E${NAME + 2}:$E${NAME + PROFILE_ROWS - 1}"
    learnt = f'INDEX($C${NAME + 2}:$C${NAME + PROFILE_ROWS - 1},MATCH(MAX({shares}),{shares},0))&" ("&TEXT(MAX({shares}),"0%")&" determined)."'
    good = (
        f'"Mean error of your "&{_COUNT}&IF({_COUNT}=1," measurement: "," measurements: ")'
        f'&TEXT($H${end},"0.0%")&" before, "&TEXT($I${end},"0.0%")&" after the fit. Learnt most about: "&{learnt}'
    )
    return (
        f"=IF(ISERROR($D${NAME}),\"✗ No profile can be fitted: see part 3. Cells 'after' show the same error.\",{good})"
    )


def _example() -> str:
    same = f'AND($C${FIRST}="{MODEL}",$D${FIRST}="{CHIP}",$H${FIRST}={BATCH},$L${FIRST}={_example_tpot()})'
    return f'=IF({same},"⚠ Example: row 1 is made up, a server about 15 % slower than predicted. Replace it by your own measurement.","")'


# --- Predictions -------------------------------------------------------------------------------------------------


def _first(column: str, empty: str, text: bool = False) -> str:
    """Return the formula of what the first measurement says, or a default."""
    cell = f"INDEX(Measure!${column}${FIRST}:${column}${LAST},Lists!$F$2)"
    return f'=IF({cell}="",{empty},{cell}{"&" + chr(34) * 2 if text else ""})'


def _write_predictions(ws: Worksheet, lists: dict[str, str]) -> None:
    style.widths(ws, [2, 24, *[12.5] * 13])
    style.title(ws, "B1", "Predictions before and after your measurements", "Before: the runtime as MLSIM knows it. After: the profile fitted on the sheet Measure. All else is equal.")  # fmt: skip
    style.banner(ws, "B3:O3", _summary(), 13, 34)
    _prediction_inputs(ws, lists)
    _what_if(ws)
    _sweep(ws)
    _ttft(ws)
    style.page(ws, None, tab="2E75B6")
    ws.print_area = f"A1:O{TTFT + len(PROMPTS) + 1}"
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1


def _prediction_inputs(ws: Worksheet, lists: dict[str, str]) -> None:
    style.heading(ws, f"B{P_TOP - 2}", "The server: follows your first measurement until you type over it")
    style.heading(ws, f"H{P_TOP - 2}", "What if: choose")
    context = f"INDEX(Measure!$K${FIRST}:$K${LAST},Lists!$F$2)"
    left = (
        ("Model", _first("C", '""', True), None), ("Chip", _first("D", '""', True), None),
        ("Precision of weights", _first("F", '"bf16"', True), None), ("Devices of a replica (tp)", _first("G", "1"), "0"),
        ("Batch", _first("H", "1"), "0"), ("Prompt tokens", _first("I", "1024"), "#,##0"),
        ("Output tokens", _first("J", "256"), "#,##0"),
        ("Context of TPOT", f'=IF({context}="",$C${P_TOP + 5}+$C${P_TOP + 6}/2,{context})', "#,##0"),
        ("Price of a device hour", PRICE, None),
    )  # fmt: skip
    for i, (label, value, fmt) in enumerate(left):
        r = P_TOP + i
        style.put(ws, f"B{r}", label)
        style.input_cell(ws, f"C{r}", value, fmt, to=f"D{r}")
        ws.row_dimensions[r].height = 19
    sourced = registry_price(OTHER_CHIP)
    price = price_text(float(sourced["price_per_chip"])) if sourced else PRICE
    for i, (label, value) in enumerate((("Another model", OTHER_MODEL), ("Another chip", OTHER_CHIP), ("Price of its device hour", price))):  # fmt: skip
        style.put(ws, f"H{P_TOP + i}", label)
        style.input_cell(ws, f"K{P_TOP + i}", value, to=f"L{P_TOP + i}")
    runtimes = (
        ("Runtime before", f"=IFERROR({BASED_ON},{_first('E', chr(34) + 'vLLM' + chr(34), True)[1:]})"),
        ("Runtime after", f"={FITTED}"),
    )  # fmt: skip
    for i, (label, value) in enumerate(runtimes, 4):
        style.put(ws, f"H{P_TOP + i}", label)
        style.locked(style.body(ws, f"K{P_TOP + i}", value, align="center"))
        ws.merge_cells(f"K{P_TOP + i}:L{P_TOP + i}")
    for ref, to, row in ((f"H{P_TOP + 3}", f"O{P_TOP + 3}", CHECK_ROW + 1), (f"E{P_TOP + 8}", f"K{P_TOP + 8}", CHECK_ROW)):  # fmt: skip
        style.paragraph(ws, ref, to, f"=Checks!$O${row}", 8.5)
        ws[ref].alignment = Alignment(wrap_text=True, vertical="center", indent=1)
        style.flag_cells(ws, f"{ref}:{to}", f"${ref[0]}${ref[1:]}")
    args = f"{P_MODEL},{P_CHIP},{P_BATCH},{P_CONTEXT},{P_PRECISION},{P_TP}".replace("Predictions!", "")
    before = P_BEFORE.removeprefix("Predictions!")
    style.paragraph(ws, f"H{P_TOP + 6}", f"O{P_TOP + 7}", f'=IF(ISERROR({FITTED}),MLSIM_WHY("MLSIM_TPOT",{args},{before}),MLSIM_WHY("MLSIM_TPOT",{args},{PROFILE}))', 8.5)  # fmt: skip
    style.choice(ws, lists["Models"], f"C{P_TOP} K{P_TOP}")
    style.choice(ws, lists["Hardware"], f"C{P_TOP + 1} K{P_TOP + 1}")
    style.choice(ws, lists["Precisions"], f"C{P_TOP + 2}")
    _above(ws, f"C{P_TOP + 3}:C{P_TOP + 7}", "decimal")


_P = {name: ref.removeprefix("Predictions!") for name, ref in (
    ("model", P_MODEL), ("chip", P_CHIP), ("precision", P_PRECISION), ("tp", P_TP), ("batch", P_BATCH), ("prompt", P_PROMPT),
    ("output", P_OUTPUT), ("context", P_CONTEXT), ("before", P_BEFORE), ("other model", P_OTHER_MODEL), ("other chip", P_OTHER_CHIP),
)}  # fmt: skip
_OWN_PRICE, _OTHER_PRICE = f"Checks!$I${CHECK_ROW}", f"Checks!$I${CHECK_ROW + 1}"
_MS, _RATE, _MONEY, _CHANGE = '0.0" ms"', '#,##0" token/s"', '0.000" $"', "+0.0%;-0.0%;0.0%"


def _cost(price: str, devices: str, rate: str) -> str:
    """Return the formula of $ per million tokens of a replica."""
    return f'=IF(ISNUMBER({price}),{price}*{devices}/{rate}/3600*1000000,"price?")'


def _what_if(ws: Worksheet) -> None:
    """Write the table of this and another model on this and another chip."""
    top = WHAT_IF
    style.heading(ws, f"B{top - 2}", "This and another model on this and another chip, at the batch, prompt and output above")  # fmt: skip
    heads = ("What", "Devices", "TPOT before", "TPOT after", "TTFT before", "TTFT after", "Serving rate before", "Serving rate after",
             "80 % interval, low", "80 % interval, high", "$ per Mtoken before", "$ per Mtoken after", "Change of the cost")  # fmt: skip
    style.header(ws, top - 1, 2, heads, 32)
    rows = (
        ("model", "chip", _OWN_PRICE), ("other model", "chip", _OWN_PRICE), ("model", "other chip", _OTHER_PRICE),
        ("other model", "other chip", _OTHER_PRICE),
    )  # fmt: skip
    for i, (model_name, chip_name, price) in enumerate(rows):
        r = top + i
        model, chip, tp = _P[model_name], _P[chip_name], f"$C{r}"
        fewest = f"MLSIM_MIN_DEVICES({model},{chip},{_P['batch']},{_P['prompt']}+{_P['output']},{_P['precision']})"
        tpot = f"MLSIM_TPOT({model},{chip},{_P['batch']},{_P['context']},{_P['precision']},{tp},{{}})"
        ttft = f"MLSIM_TTFT({model},{chip},1,{_P['prompt']},{_P['precision']},{tp},{{}})"
        load_ = f'{model},{chip},{_P["prompt"]},{_P["output"]},{_P["precision"]},{tp},"bf16",{{}}'
        cells = (
            ("B", f'={model}&" on "&{chip}', None), ("C", f"={_P['tp']}" if i == 0 else f"=MAX({_P['tp']},{fewest})", "0"),
            ("D", "=" + tpot.format(_P["before"]), _MS), ("E", "=" + tpot.format(PROFILE), _MS),
            ("F", "=" + ttft.format(_P["before"]), _MS), ("G", "=" + ttft.format(PROFILE), _MS),
            ("H", f"=MLSIM_SERVING_RATE({load_.format(_P['before'])})", _RATE),
            ("I", f"=MLSIM_SERVING_RATE({load_.format(PROFILE)})", _RATE),
            ("L", _cost(price, tp, f"H{r}"), _MONEY), ("M", _cost(price, tp, f"I{r}"), _MONEY),
            ("N", f'=IF(ISTEXT(M{r}),"–",M{r}/L{r}-1)', _CHANGE),
        )  # fmt: skip
        for column, value, fmt in cells:
            style.body(ws, f"{column}{r}", value, fmt, "left" if column == "B" else "center", wrap=column == "B")
        _table(ws, f"J{r}:K{r}", f'MLSIM_INTERVAL("MLSIM_SERVING_RATE",{load_.format(PROFILE)})', (_RATE, _RATE), ("center", "center"))  # fmt: skip
        ws.row_dimensions[r].height = 27
    style.mute_errors(ws, f"C{top}:N{top + 3}")
    style.note(ws, f"B{top + 4}", "TTFT of one prompt on an idle server. Serving rate and $: a saturated replica (all its devices), output tokens, at full use. Devices: at least those above, more where the memory needs them.")  # fmt: skip


def _sweep(ws: Worksheet) -> None:
    """Write TPOT against batch, its chart, and the measured points."""
    top, last = SWEEP, SWEEP + len(BATCHES) - 1
    style.heading(ws, f"B{top - 2}", "Against the batch: the server above")
    heads = ("Batch", "TPOT before", "TPOT after", "80 % interval, low", "80 % interval, high", "Change", "Serving TPOT before",
             "Serving TPOT after", "Token/s of a replica, before", "Token/s of a replica, after", "$ per Mtoken before", "$ per Mtoken after", "Fits?")  # fmt: skip
    style.header(ws, top - 1, 2, heads, 32)
    model = f"{_P['model']},{_P['chip']}"
    tail = f"{_P['precision']},{_P['tp']}"
    for r, batch in enumerate(BATCHES, top):
        tpot = f"{model},$B{r},{_P['context']},{tail},{{}}"
        serve = f'MLSIM_SERVING_TPOT({model},$B{r},{_P["prompt"]},{_P["output"]},{tail},"bf16",{{}})'
        largest = f"MLSIM_MAX_BATCH({model},{_P['prompt']}+{_P['output']},{tail})"
        cells = (
            ("B", batch, "0"), ("C", f"=MLSIM_TPOT({tpot.format(_P['before'])})", _MS), ("D", f"=MLSIM_TPOT({tpot.format(PROFILE)})", _MS),
            ("G", f"=D{r}/C{r}-1", _CHANGE), ("H", "=" + serve.format(_P["before"]), _MS), ("I", "=" + serve.format(PROFILE), _MS),
            ("J", f"=1000*$B{r}/H{r}", _RATE), ("K", f"=1000*$B{r}/I{r}", _RATE),
            ("L", _cost(_OWN_PRICE, _P["tp"], f"J{r}"), _MONEY), ("M", _cost(_OWN_PRICE, _P["tp"], f"K{r}"), _MONEY),
            ("N", f'=IF($B{r}<={largest},"yes","no")', None),
        )  # fmt: skip
        for column, value, fmt in cells:
            style.body(ws, f"{column}{r}", value, fmt, "center")
        _table(ws, f"E{r}:F{r}", f'MLSIM_INTERVAL("MLSIM_TPOT",{tpot.format(PROFILE)})', (_MS, _MS), ("center", "center"))  # fmt: skip
    style.mute_errors(ws, f"C{top}:N{last}")
    style.grey_when(ws, f"B{top}:N{last}", f'$N{top}="no"')
    style.note(ws, f"B{last + 1}", "TPOT: a steady batch. Serving TPOT, token/s and $: so many requests in flight, each pass shared with the prompts of requests that join. Grey: the cache of so many requests does not fit.")  # fmt: skip
    points = _points(ws)

    def area(column: int, first: int = top, end: int = last) -> Reference:
        return Reference(ws, min_col=column, min_row=first, max_row=end)

    lines = [
        (area(2), area(3), "before", style.GREY[1], "both"), (area(2), area(4), "after", style.SERIES[0], "both"),
        (area(2), area(5), "80 % interval, low", "9DC3E6", "line"), (area(2), area(6), "80 % interval, high", "9DC3E6", "line"),
        (area(17, points, points + LAST - FIRST), area(18, points, points + LAST - FIRST), "measured", style.SERIES[1], "points"),
    ]  # fmt: skip
    chart = style.scatter_chart("Time per output token", lines, "batch", "ms", log_x=2, x_range=(1, 300))
    chart.y_axis.scaling.min = 0
    style.place(ws, chart, f"B{CHARTS}:H{CHARTS + 18}")


def _points(ws: Worksheet) -> int:
    """Write the measured TPOTs of this very server, for the chart; return the first row. The columns are hidden.

    A row that is none repeats the first one that is, or stands left of the axis, where it is not drawn.
    """
    top = SWEEP
    for column, text in zip("PQR", ("Same server?", "Batch", "Measured TPOT"), strict=True):
        style.put(ws, f"{column}{top - 1}", text)
    same, xs, ys = (f"${c}${top}:${c}${top + LAST - FIRST}" for c in "PST")
    for i in range(LAST - FIRST + 1):
        r, m, at = top + i, FIRST + i, ERRORS + i
        context = f'IF(Measure!$K{m}="",N(Measure!$I{m})+IF(Measure!$J{m}="",256,Measure!$J{m})/2,Measure!$K{m})'
        tests = (
            f"ISNUMBER(Measure!$E{at})", f"Measure!$C{m}={_P['model']}", f"Measure!$D{m}={_P['chip']}",
            f'OR(Measure!$F{m}={_P["precision"]},AND(Measure!$F{m}="",{_P["precision"]}="bf16"))',
            f"MAX(1,N(Measure!$G{m}))={_P['tp']}", f"{context}={_P['context']}",
        )  # fmt: skip
        style.put(ws, f"P{r}", f"=IF(AND({','.join(tests)}),1,0)")
        style.put(ws, f"S{r}", f"=MAX(1,N(Measure!$H{m}))")
        style.put(ws, f"T{r}", f"=Measure!$E{at}")
        for column, values, aside in (("Q", xs, "0.5"), ("R", ys, "1")):
            found = f"INDEX({values},MATCH(1,{same},0))"
            own = f"${values[1]}{r}"
            style.put(ws, f"{column}{r}", f"=IF($P{r}=1,{own},IFERROR({found},{aside}))")
    for column in "PQRST":
        ws.column_dimensions[column].width = 12
        for r in range(top - 1, top + LAST - FIRST + 1):
            ws[f"{column}{r}"].font = style.font(8, style.MUTED)
    return top


def _ttft(ws: Worksheet) -> None:
    """Write TTFT against the prompt, with its chart."""
    top, last = TTFT, TTFT + len(PROMPTS) - 1
    style.heading(ws, f"B{top - 2}", "Against the prompt: one request on an idle server")
    style.header(ws, top - 1, 2, ("Prompt tokens", "TTFT before", "TTFT after", "80 % interval, low", "80 % interval, high", "Change"), 32)  # fmt: skip
    for r, prompt in enumerate(PROMPTS, top):
        args = f"{_P['model']},{_P['chip']},1,$B{r},{_P['precision']},{_P['tp']},{{}}"
        cells = (
            ("B", prompt, "#,##0"), ("C", f"=MLSIM_TTFT({args.format(_P['before'])})", _MS),
            ("D", f"=MLSIM_TTFT({args.format(PROFILE)})", _MS), ("G", f"=D{r}/C{r}-1", _CHANGE),
        )  # fmt: skip
        for column, value, fmt in cells:
            style.body(ws, f"{column}{r}", value, fmt, "center")
        _table(ws, f"E{r}:F{r}", f'MLSIM_INTERVAL("MLSIM_TTFT",{args.format(PROFILE)})', (_MS, _MS), ("center", "center"))  # fmt: skip
    style.mute_errors(ws, f"C{top}:G{last}")

    def area(column: int) -> Reference:
        return Reference(ws, min_col=column, min_row=top, max_row=last)

    lines = [
        (area(2), area(3), "before", style.GREY[1], "both"), (area(2), area(4), "after", style.SERIES[0], "both"),
        (area(2), area(5), "80 % interval, low", "9DC3E6", "line"), (area(2), area(6), "80 % interval, high", "9DC3E6", "line"),
    ]  # fmt: skip
    chart = style.scatter_chart("Time to first token", lines, "prompt tokens", "ms", log_x=2, log_y=10, x_range=(PROMPTS[0], 20000))  # fmt: skip
    style.place(ws, chart, f"I{CHARTS}:O{CHARTS + 18}")


def _summary() -> str:
    """Return the formula of the line on top."""
    own = WHAT_IF
    good = (
        f'$B${own}&", batch "&{_P["batch"]}&": TPOT "&TEXT($D${own},"0.0")&" → "&TEXT($E${own},"0.0")&" ms; a saturated replica gives "'
        f'&TEXT($H${own},"#,##0")&" → "&TEXT($I${own},"#,##0")&" token/s"'
        f'&IF(ISNUMBER($M${own}),"; "&TEXT($L${own},"0.000")&" → "&TEXT($M${own},"0.000")&" $ per million tokens.",".")'
    )
    return f'=IF(ISERROR({FITTED}),"✗ No profile is fitted: see the sheet Measure.",IFERROR({good},"✗ Something here cannot be predicted: see the sentence beside the inputs."))'


# --- Operators ---------------------------------------------------------------------------------------------------

_RAW, _RAW_AFTER = 36, 49  # first rows of the tables as the function gives them
_RAW_ROWS = 8  # rows that every model has; one with dense and expert layers has one more


def _write_operators(ws: Worksheet) -> None:
    style.widths(ws, [2, 26, 13, 13, 13, 13, 13, 13, 3, 13])
    style.title(ws, "B1", "One decode step, operator by operator", "η is the share of its roofline that an operator reaches: the time it would take at the peaks of the data sheet, over the time predicted.")  # fmt: skip
    style.note(ws, "B3", "")
    ws["B3"].value = f'="For "&Predictions!$B${WHAT_IF}&", batch "&{P_BATCH}&", context "&{P_CONTEXT}&", "&{P_PRECISION}&": the server of the sheet Predictions."'  # fmt: skip
    style.header(
        ws, 5, 2, ("Operator", "Time before", "Time after", "Change", "η before", "η after", "Change of η"), 32
    )
    names = (*OPERATORS, "communication", "launches and elementwise", "total")
    for r, name in enumerate(names, 6):
        style.body(ws, f"B{r}", name, None, "left")
        for column, raw, top in (("C", "C", _RAW), ("D", "C", _RAW_AFTER), ("F", "D", _RAW), ("G", "D", _RAW_AFTER)):
            end = top + _RAW_ROWS
            found = f"INDEX(${raw}${top}:${raw}${end},MATCH($B{r},$B${top}:$B${end},0))"
            value = f'=IF(ISERROR($B${top}),$B${top},IF(ISNUMBER({found}),{found},"–"))'
            style.body(ws, f"{column}{r}", value, '0.000" ms"' if column in "CD" else "0.0%", "center")
        style.body(ws, f"E{r}", f'=IF(ISNUMBER(C{r}),IF(C{r}=0,"–",D{r}/C{r}-1),"–")', _CHANGE, "center")
        change = f'=IF(AND(ISNUMBER(F{r}),ISNUMBER(G{r})),100*(G{r}-F{r}),"–")'
        style.body(ws, f"H{r}", change, '+0.0" points";-0.0" points";0.0" points"', "center")
    last = 5 + len(names)
    style.mark_when(ws, f"B{last}:H{last}", "TRUE")
    style.mute_errors(ws, f"C6:H{last}")
    style.note(ws, f"B{last + 1}", "'–': the model has no such operator, or no roofline belongs to it.")

    def area(column: int, first: int, end: int) -> Reference:
        return Reference(ws, min_col=column, min_row=first, max_row=end)

    labels = area(2, 6, 5 + len(OPERATORS))
    colours = (style.GREY[1], style.SERIES[0])
    columns = [area(c, 5, 5 + len(OPERATORS)) for c in (6, 7)]
    chart = style.bar_chart("η: share of the roofline", columns, labels, "", colors=colours, fmt="0%", titles=True)
    chart.y_axis.scaling.max = 1
    style.place(ws, chart, f"B{last + 3}:D{_RAW - 4}")
    columns = [area(c, 5, last - 1) for c in (3, 4)]
    chart = style.bar_chart("Time", columns, area(2, 6, last - 1), "ms", colors=colours, fmt="0.0", titles=True)
    style.place(ws, chart, f"E{last + 3}:J{_RAW - 4}")
    _raw_tables(ws)
    style.page(ws, None, tab="3A9A6E")
    ws.print_area = f"A1:J{_RAW_AFTER + _RAW_ROWS + 1}"
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1


def _raw_tables(ws: Worksheet) -> None:
    """Write the tables as MLSIM_OPERATORS gives them, before and after."""
    style.heading(ws, f"B{_RAW - 2}", "As MLSIM_OPERATORS gives it, with the runtime before")
    style.heading(ws, f"B{_RAW_AFTER - 2}", "As MLSIM_OPERATORS gives it, with the runtime after")
    args = f"{P_MODEL},{P_CHIP},{P_BATCH},{P_CONTEXT},{P_PRECISION},{P_TP}"
    looks, places = (None, "0.000", "0.0%"), ("left", "center", "center")
    for top, runtime in ((_RAW, P_BEFORE), (_RAW_AFTER, PROFILE)):
        area = f"B{top}:D{top + _RAW_ROWS}"
        _table(ws, area, f"MLSIM_OPERATORS({args},{runtime})", looks, places, _RAW_ROWS, "D")
        style.mute_errors(ws, area)


# --- About -------------------------------------------------------------------------------------------------------

_ABOUT = (
    ("How to use it", (
        "1. Measure: replace the example in the yellow table by what you measured, one row per measurement, at most eight. The sentence beside each row says whether it is used.",
        "2. Part 2 shows measured against predicted before and after the fit, part 3 the fitted runtime: columns C to E of part 3 are the runtime argument of every 'after'. They work in your own workbooks too.",
        "3. Predictions: the yellow cells follow your first measurement; type over them to ask about another load, model, chip or price. Operators: where in a decode step the change comes from.",
        "MLSIM_ functions follow a change when the add-in is installed, or with `mlsim recalc` on the saved file. Without either the cached values stay.",
    )),
    ("How the fit works", (
        "MLSIM predicts a time from FLOP and bytes of each operator, the chip's figures, and a few figures of the runtime: what share of the chip's best matmul and streaming rates its kernels reach, how many kernels a layer has, how long the host holds up a step.",
        "The fit looks for the figures of the runtime that make the predictions meet your measurements without moving far from what was known. How far is 'far' is each figure's spread: how much it differs between runtimes and versions (a normal prior on its logarithm).",
        "A measurement is not taken for exact, nor is the model: a gap of up to 4 % pulls in proportion, a larger one with constant force (Huber), so that one mistyped value among others does not ruin the fit. One measurement closes most of its own gap; several that agree close it.",
        "The chip's figures stay as they are: your server's difference is put down to its runtime. A fit needs rows of one runtime; models, chips, batches and lengths may differ.",
    )),
    ("What 'determined' means", (
        "The share of a figure's uncertainty (its variance) that your measurements took away. 0 %: they say nothing, the figure is as before. 100 %: they alone fix it. From 50 % on it counts as determined; green rows are those above 10 %.",
        "A value may move without being determined: several figures explain the same measurement, and each takes its part of the change.",
        "The 80 % interval moves with the prediction and gets narrower by what your measurements determined (column E).",
    )),
    ("What one measurement cannot tell", (
        "One TPOT says how fast a step is, not why: weight streaming, cache streaming and host overhead trade against each other. Measure a small and a large batch (overhead and weights against cache) and a long context to separate them.",
        "TPOT says next to nothing about TTFT: decode streams memory, prefill computes. Give a TTFT with a long prompt to fit the matmul rate.",
        "One device says nothing about the link and the collectives: measure with tp above 1. bf16 says nothing about unpacking of quantised weights.",
        "Use TPOT for a steady batch without prompts coming in (an offline run, or one burst). A load test with arrivals gives a serving TPOT: use that column, with the requests in flight as the batch. Queueing is not modelled: a TTFT under load is no TTFT here.",
        "A fit cannot tell a slow runtime from a wrong input. An error above a factor of 3 is flagged; look at precision, devices, units and power limits first.",
    )),
    ("Where the values before come from", (
        "Each figure of a runtime starts from a measured or stated prior (kernel benchmarks, engine documentation) and is fitted by MLSIM to published measurements of that runtime; column N of part 3 names the source of each, the rows of the fit and its prior.",
        "They are copied into the hidden sheet Priors when this workbook is made, for show only: the functions read the registry.",
        "`mlsim validate` prints how well predictions hold on chips, models and sources that the fit had not seen.",
    )),
    ("Choices", (
        "A function that gives a table stands cell by cell as =INDEX(MLSIM_CALIBRATE(...),row,column): that works in every Excel, and LibreOffice shows the cached values without the add-in. In Excel 365 =MLSIM_CALIBRATE(...) alone spills.",
        "Serving TPOT, serving rate and cost take the cache in 16 bits. Cost: price × devices / rate, at full use; idle hours come on top. The price does not follow the chip: type the one you pay.",
        "Hidden sheets: Checks (how the prices are read), Lists (drop-downs), Priors, Units.",
    )),
)  # fmt: skip


def _write_about(ws: Worksheet) -> None:
    style.title(ws, "B1", "About this workbook", f"MLSIM {__version__}, Apache-2.0.")
    r = 4
    for title, lines in _ABOUT:
        style.heading(ws, f"B{r}", title)
        for line in lines:
            r += 1
            cell: Any = style.put(ws, f"B{r}", line)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            ws.row_dimensions[r].height = 14 * (1 + len(line) // 135)
        r += 2
    style.widths(ws, [2, 125])
    style.page(ws, tab="6B7280")
