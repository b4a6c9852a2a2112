"""The comparison workbook: which accelerator should serve a model, and why.

Every model result is a live ``MLSIM_*`` formula on the workbook's own inputs, with its value cached, so the file reads
the same with and without the add-in. Rank, cost and checks are native formulas.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import Reference
from openpyxl.comments import Comment
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mlsim import __version__
from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError, shorten
from mlsim.functions import call
from mlsim.planner import inference
from mlsim.registry import load
from mlsim.registry.records import Chip, Figure, Model, Precision, Runtime
from mlsim.registry.tables import sources
from mlsim.units import parse
from mlsim_workbooks import style
from mlsim_workbooks.checks import DUE, Field, add_checks_sheet, add_units_sheet
from mlsim_workbooks.recalc import RecalcError, recalculate

__all__ = ["Comparison", "Row", "build_comparison"]

MAX_CHIPS = 12
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold
_CREATED = datetime(2026, 1, 1)  # fixed, so that equal inputs give equal files

# Where the inputs stand on the sheet "Decision".
_TOP = 7
MODEL, PRECISION, BATCH, PROMPT, OUTPUT = (f"$D${_TOP + i}" for i in range(5))
_FULL, _MEAN = "{p}$D$10+{p}$D$11", "{p}$D$10+{p}$D$11/2"  # context at the end, and the mean over the output


@dataclass(frozen=True, slots=True)
class Row:
    """One chip's result; None where the model has no answer (``problem`` says why)."""

    chip: str
    devices: int | None
    ttft_ms: float | None
    tpot_ms: float | None
    tokens_per_second: float | None
    price: float | None
    dollars_per_million_tokens: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was built: a row per chip, best first, the file, and what its reader should know."""

    rows: tuple[Row, ...]
    path: Path
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Plan:
    """The resolved inputs."""

    model: Model
    precision: Precision
    runtime: Runtime
    batch: int
    prompt: int
    output: int
    prices: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    checks: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def chips(self) -> list[Chip]:
        return [load.chip(row.chip) for row in self.rows]

    @property
    def table(self) -> int:
        """First row of the ranked table on the sheet Decision."""
        return _TOP + max(5, len(self.rows)) + 2

    def row_of(self, chip: str) -> int:
        return self.table + next(i for i, row in enumerate(self.rows) if row.chip == chip)

    def price_cell(self, chip: str) -> str:
        return f"$J${_TOP + next(i for i, row in enumerate(self.rows) if row.chip == chip)}"


# --- the entry point ---------------------------------------------------------------------------------------------


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
    plan = _resolve(model, hardware, prompt, output, batch, precision, prices or {})
    wb = _workbook(plan)
    target = Path(out)
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        draft = Path(folder) / "draft.xlsx"
        wb.save(draft)
        _normalise(draft)
        try:
            report = recalculate(draft, out=target)
        except RecalcError as error:
            raise CellError("#VALUE!", str(error).replace(str(draft), target.name)) from None
    warnings = [*_warnings(plan), *(f"{sheet}!{cell}: {code} {text}" for sheet, cell, code, text in report.errors)]
    return Comparison(tuple(plan.rows), target, tuple(warnings))


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError(f"{name}: expected a whole number, got {shorten(value)}.")
    if value <= 0:
        raise DomainError(f"{name} must be above 0, got {value}.")
    return value


def _resolve(
    model: str, hardware: Sequence[str], prompt: int, output: int, batch: int, precision: str, prices: Mapping[str, str]
) -> _Plan:  # fmt: skip
    if isinstance(hardware, str):
        raise UnitError("hardware: expected a list of chips, got one text.")
    if not hardware:
        raise UnitError("No hardware to compare: name at least one chip, such as H100,MI300X.")
    chips = [load.chip(name) for name in hardware]
    names = [chip.name for chip in chips]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        asked = [given for given, name in zip(hardware, names, strict=True) if name == twice]
        raise UnitError(f"{' and '.join(asked)} are the same chip, {twice}: name it once.")
    if len(chips) > MAX_CHIPS:
        raise DomainError(f"{len(chips)} chips are too many for one sheet: compare at most {MAX_CHIPS}.")
    plan = _Plan(
        load.model(model), load.precision(precision), load.runtime(), _count("batch", batch), _count("prompt", prompt),
        _count("output", output), _own_prices(prices, names),
    )  # fmt: skip
    call("MLSIM_KV_CACHE", [plan.model.name, prompt + output, batch])  # refuses what is not a language model
    plan.rows = sorted((_row(plan, chip) for chip in chips), key=_order)
    return plan


def _own_prices(prices: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    found = {}
    for given, text in prices.items():
        name = load.chip(given).name
        if name not in names:
            raise UnitError(f"A price is given for {name}, which is not compared: add it to the hardware.")
        quantity = parse(text).to("$/GPU-h")
        if quantity.si <= 0:
            raise DomainError(f"The price of {name} must be above 0, got {text}.")
        found[name] = _price_text(quantity.value)
    return found


def _price_text(value: float) -> str:
    return f"{value:.2f} $/GPU-h" if abs(round(value, 2) - value) < 1e-9 else f"{value:.6g} $/GPU-h"


def _registry_price(chip: str) -> Mapping[str, str] | None:
    try:
        return load.price(chip)
    except NameNotFoundError:
        return None


def _price(plan: _Plan, chip: str) -> str:
    """Return the price as text; empty when nobody gave one."""
    sourced = _registry_price(chip)
    return plan.prices.get(chip) or (_price_text(float(sourced["price_per_chip"])) if sourced else "")


def _row(plan: _Plan, chip: Chip) -> Row:
    """Work out one chip, so that rows can be ordered and charts know what to draw."""
    m, p, full, mean = plan.model.name, plan.precision.name, plan.prompt + plan.output, plan.prompt + plan.output / 2
    text = _price(plan, chip.name)
    price = parse(text).to("$/GPU-h").value if text else None
    tp: int | None = None
    try:
        tp = int(call("MLSIM_MIN_DEVICES", [m, chip.name, plan.batch, full, p]))
        ttft = float(call("MLSIM_PREFILL_LATENCY", [m, chip.name, 1, plan.prompt, p, tp]))
        tpot = float(call("MLSIM_DECODE_LATENCY", [m, chip.name, plan.batch, mean, p, tp]))
        rate = float(call("MLSIM_THROUGHPUT", [m, chip.name, plan.batch, plan.prompt, plan.output, p, tp]))
    except CellError as error:
        return Row(chip.name, tp, None, None, None, price, None, error.message)
    cost = None if price is None else price * tp / rate / 3600 * 1e6
    return Row(chip.name, tp, ttft, tpot, rate, price, cost)


def _order(row: Row) -> tuple[int, float, str]:
    """Cheapest first, then those without a price by throughput per device, then those without an answer."""
    if row.dollars_per_million_tokens is not None:
        return 0, row.dollars_per_million_tokens, row.chip
    if row.tokens_per_second is not None:
        return 1, -row.tokens_per_second / (row.devices or 1), row.chip
    return 2, 0.0, row.chip


def _warnings(plan: _Plan) -> Iterator[str]:
    for row in plan.rows:
        if row.problem:
            yield f"{row.chip}: {row.problem}"
        if row.price is None:
            yield f"{row.chip}: the registry has no sourced rental price; type one into the sheet Decision."


# --- the file ----------------------------------------------------------------------------------------------------


def _workbook(plan: _Plan) -> Workbook:
    wb = Workbook()
    style.use_font(wb)
    names = ("Decision", "Inputs", "Checks", "Memory", "Batch sweep", "Roofline", "Sources", "About")
    sheets = {name: wb.create_sheet(name) for name in names}
    del wb[wb.sheetnames[0]]
    add_units_sheet(wb)
    lists = _lists(wb)
    fields = _fields(plan)
    plan.checks = add_checks_sheet(sheets["Checks"], fields)
    _inputs(sheets["Inputs"], plan, fields)
    _memory(sheets["Memory"], plan)
    _sweep(sheets["Batch sweep"], plan)
    _roofline(sheets["Roofline"], plan)
    _decision(sheets["Decision"], plan, lists)
    _sources(sheets["Sources"], plan)
    _about(sheets["About"], plan)
    # Recalculation on load would blank the model cells of a reader without the add-in.
    wb.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    wb.properties.creator, wb.properties.title = "MLSIM", f"{plan.model.name}: accelerators compared"
    wb.properties.created = _CREATED
    return wb


def _normalise(path: Path) -> None:
    """Rewrite the archive without the time of writing, so that equal inputs give equal bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    stamp = _CREATED.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            if name == "docProps/app.xml":  # LibreOffice trusts the cached values of files that Excel 2010+ wrote
                data = re.sub(rb"<AppVersion>[^<]*", b"<AppVersion>16.0300", data)
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)


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


# --- Decision ----------------------------------------------------------------------------------------------------

_HEADINGS = (
    "Rank", "Accelerator", "Fits on one device?", "Devices per replica", "Memory per device", "Usable memory",
    "TTFT, one prompt", "TPOT (time per token)", "Throughput of a replica", "Speed one user sees", "Cost per million output tokens",
    "Cheapest below this price", "Bandwidth floor of TPOT", "Bottleneck of decode",
)  # fmt: skip


def _decision(ws: Worksheet, plan: _Plan, lists: Mapping[str, str]) -> None:
    first, last = plan.table, plan.table + len(plan.rows) - 1
    style.widths(ws, [2, 6, 18, 10, 10.5, 11.5, 11.5, 11.5, 11.5, 13.5, 13, 13.5, 13.5, 12, 19, 3])
    style.title(ws, "B2", f'="Which accelerator should serve "&{MODEL}&"?"')
    style.banner(ws, "B3:O3", _answer(plan, first, last), 15, 34)
    style.banner(ws, "B4:O4", _second(plan, first, last), 10, 22 + 4 * len(plan.rows))
    ws["B4"].font = style.font(10, style.TEXT)
    _inputs_block(ws, plan, lists)
    _prices_block(ws, plan)
    style.header(ws, first - 1, 2, _HEADINGS, 42)
    charts = last + 2
    whys = charts + 16
    for i, row in enumerate(plan.rows):
        _decision_row(ws, plan, first + i, whys + 1 + i, row, first, last)
    style.mark_when(ws, f"B{first}:O{last}", f"$B{first}=1")
    style.flag_cells(ws, f"L{first}:L{last}", f'IF(ISNUMBER($L{first}),"",IF($L{first}="price?","⚠",""))')
    _decision_charts(ws, plan, charts, first, last)
    _why_block(ws, plan, whys, first)
    ws.column_dimensions["Q"].hidden = True
    style.page(ws, "A5", tab="1F3A5F")
    ws.print_area = f"A1:P{whys + len(plan.rows)}"
    ws.page_setup.fitToHeight = 1


def _inputs_block(ws: Worksheet, plan: _Plan, lists: Mapping[str, str]) -> None:
    style.heading(ws, f"B{_TOP - 1}", "Inputs: change them")
    values = (
        ("Model", plan.model.name, None), ("Precision of weights", plan.precision.name, None),
        ("Batch (sequences at once)", plan.batch, "0"), ("Prompt tokens", plan.prompt, "#,##0"),
        ("Output tokens", plan.output, "#,##0"),
    )  # fmt: skip
    for i, (label, value, fmt) in enumerate(values):
        style.put(ws, f"B{_TOP + i}", label)
        ws.row_dimensions[_TOP + i].height = 23
        style.input_cell(ws, f"D{_TOP + i}", value, fmt, to=f"E{_TOP + i}")
    for cell, area in ((MODEL, "Models"), (PRECISION, "Precisions")):
        choice = DataValidation("list", formula1=f"={lists[area]}", showErrorMessage=True, errorTitle="MLSIM")
        choice.error = "Choose a name from the list."
        ws.add_data_validation(choice)
        choice.add(cell.replace("$", ""))
    whole = DataValidation("whole", operator="between", formula1="1", formula2="10000000", showErrorMessage=True)
    whole.error = "A whole number above 0."
    ws.add_data_validation(whole)
    whole.add(f"D{_TOP + 2}:D{_TOP + 4}")


def _prices_block(ws: Worksheet, plan: _Plan) -> None:
    style.heading(ws, f"G{_TOP - 1}", "Prices: type yours, number and unit")
    for i, row in enumerate(plan.rows):
        r = _TOP + i
        style.put(ws, f"G{r}", row.chip)
        text = _price(plan, row.chip)
        cell = style.input_cell(ws, f"J{r}", text or "price?", to=f"K{r}")
        cell.comment = Comment(_price_comment(plan, row.chip), "MLSIM", width=320, height=130)
        style.paragraph(ws, f"L{r}", f"O{r}", f"=Checks!$O${plan.checks[row.chip, 'price']}", 8.5)
        ws[f"L{r}"].alignment = Alignment(wrap_text=True, vertical="center", indent=1)
        ws.row_dimensions[r].height = 23
    last = _TOP + len(plan.rows) - 1
    style.flag_cells(ws, f"J{_TOP}:K{last}", f"$L{_TOP}", ok=False)
    style.put(ws, f"M{_TOP - 1}", '=IF(Checks!$B$4>0,"✗ "&Checks!$B$4&" input(s) with a wrong unit: see Inputs",IF(Checks!$D$4>0,"⚠ "&Checks!$D$4&" doubtful input(s): see Inputs","✓ All inputs have the right units"))')  # fmt: skip
    style.flag_cells(ws, f"M{_TOP - 1}:O{_TOP - 1}", f"$M${_TOP - 1}")


def _price_comment(plan: _Plan, chip: str) -> str:
    if chip in plan.prices:
        return "Your own price, given when the workbook was made."
    row = _registry_price(chip)
    if row is None:
        other = next(iter(load.prices(chip)), None)
        known = (
            f" It knows {float(other['price_per_chip']):,.0f} {other['unit']} ({other['terms']}, {other['provider']}, {other['date']})."
            if other
            else ""
        )
        return f"The registry has no sourced rental price for {chip}.{known} Type yours, such as 2.50 $/GPU-h."
    source = sources().get(row["source"], {})
    note = f" {row['note']}." if row["note"] else ""
    return (
        f"{row['provider']}, {row['instance']}, {row['terms']}, {row['date']}: {row['meaning']}.{note} "
        f"{source.get('title', '')}, {row['locator']}. {source.get('address', '')}"
    )


def _live(r: int, formula: str) -> str:
    """Return a model formula that stays readable where the chip does not fit or lacks a figure."""
    return f'=IF(ISNUMBER($E{r}),IFERROR({formula},"no data"),"–")'


def _decision_row(ws: Worksheet, plan: _Plan, r: int, why: int, row: Row, first: int, last: int) -> None:
    full, mean = _FULL.format(p=""), _MEAN.format(p="")
    price = f"Checks!$I${plan.checks[row.chip, 'price']}"
    bandwidth = f"Inputs!$E${_input_row(plan, row.chip, 'bandwidth')}"
    cost, costs = f"$L{r}", f"$L${first}:$L${last}"
    args = f"{MODEL},$C{r},{BATCH}"
    rival = f"IF($B{r}=1,IF(COUNT({costs})>1,SMALL({costs},2),0),MIN({costs}))"
    cells = (
        ("B", f'=IF(ISNUMBER({cost}),RANK({cost},{costs},1),"–")', "0"),
        ("C", row.chip, None),
        ("D", f'=IFERROR(IF(MLSIM_FITS({args},{full},{PRECISION},1),"yes","no"),"no data")', None),
        ("E", f'=IFERROR(MLSIM_MIN_DEVICES({args},{full},{PRECISION}),IF(ISERROR($D{why}),"add-in?","no fit"))', "0"),
        ("F", _live(r, f"MLSIM_MEMORY({args},{full},{PRECISION},$E{r})"), '0.0" GiB"'),
        ("G", f'=IFERROR(MLSIM_SPEC($C{r},"memory","GiB")*{_SHARE},"no data")', '0.0" GiB"'),
        ("H", _live(r, f"MLSIM_PREFILL_LATENCY({MODEL},$C{r},1,{PROMPT},{PRECISION},$E{r})"), '#,##0" ms"'),
        ("I", _live(r, f"MLSIM_DECODE_LATENCY({args},{mean},{PRECISION},$E{r})"), '0.0" ms"'),
        ("J", _live(r, f"MLSIM_THROUGHPUT({args},{PROMPT},{OUTPUT},{PRECISION},$E{r})"), '#,##0" token/s"'),
        ("K", f'=IF(ISNUMBER($I{r}),1000/$I{r},"–")', '0.0" token/s"'),
        ("L", f'=IF(ISNUMBER($J{r}),IF(ISNUMBER({price}),{price}*$E{r}/$J{r}/3600*1000000,"price?"),"–")', '0.00" $"'),
        ("M", f'=IF(ISNUMBER($J{r}),IF({rival}>0,{rival}*$J{r}*3600/1000000/$E{r},"–"),"–")', '0.00" $/GPU-h"'),
        ("N", _live(r, f"MLSIM_DECODE_LATENCY({MODEL},{bandwidth},{BATCH},{mean},{PRECISION},$E{r})"), '0.0" ms"'),
        ("O", _live(r, f"MLSIM_BOTTLENECK({args},{mean},{PRECISION},$E{r})"), None),
        ("Q", _missing(r), None),
    )  # fmt: skip
    for column, value, fmt in cells:
        style.body(ws, f"{column}{r}", value, fmt, "left" if column in "CQ" else "center")
    ws.row_dimensions[r].height = 20


def _missing(r: int) -> str:
    """Return the formula of what is missing for a chip, for the line under the answer."""
    return (
        f'=IF($E{r}="no fit"," "&$C{r}&" cannot hold it even on 64 devices.",IF(AND(ISNUMBER($J{r}),NOT(ISNUMBER($L{r}))),'
        f'" "&$C{r}&" has no usable price"&IF(ISNUMBER($M{r}),": it would be the cheapest below "&FIXED($M{r},2)&" $/GPU-h.","."),IF(ISNUMBER($J{r})," "," "&$C{r}&" lacks a figure: see Why.")))'
    )


def _answer(plan: _Plan, first: int, last: int) -> str:
    """Return the formula of the one-line answer."""

    def column(c: str) -> str:
        return f"${c}${first}:${c}${last}"

    def at(c: str) -> str:
        return f"INDEX({column(c)},MATCH(1,{column('B')},0))"

    costs, tpot = column("L"), column("I")
    none = f'IF(COUNTIF({column("E")},"add-in?")>0,"The MLSIM add-in is needed to work this out anew.","No answer for "&{MODEL}&" on any of these accelerators: see Why below.")'  # fmt: skip
    no_price = f'"No price is known, so none can be recommended on cost. Fastest for one user: "&INDEX({column("C")},MATCH(MIN({tpot}),{tpot},0))&", "&FIXED(MIN({tpot}),1)&" ms per token."'  # fmt: skip
    best = (
        f'{at("C")}&": "&FIXED(MIN({costs}),2)&" $ per million output tokens, on "&{at("E")}&IF({at("E")}=1," device"," devices")'
        f'&" per replica at batch "&{BATCH}&", "&FIXED({at("I")},1)&" ms per token."'
    )
    return f"=IF(COUNT({tpot})=0,{none},IF(COUNT({costs})=0,{no_price},{best}))"


def _second(plan: _Plan, first: int, last: int) -> str:
    """Return the formula of the line under the answer: runner-up, fastest, missing prices."""
    costs, tpot, names = (f"${c}${first}:${c}${last}" for c in "LIC")
    second = f"SMALL({costs},2)"
    runner = f'IF(COUNT({costs})>1,"Next: "&INDEX({names},MATCH({second},{costs},0))&" at "&FIXED({second},2)&" $ (+"&FIXED(({second}/MIN({costs})-1)*100,0)&" %). ","")'  # fmt: skip
    fastest = f'IF(COUNT({tpot})>1,"Fastest for one user: "&INDEX({names},MATCH(MIN({tpot}),{tpot},0))&", "&FIXED(MIN({tpot}),1)&" ms per token.","")'  # fmt: skip
    gaps = "&".join(f"$Q${r}" for r in range(first, last + 1))
    larger = f'IF(COUNT({costs})>0," Larger batches cost less: see Batch sweep.",IF(COUNT({tpot})>0," Prices: type them below.",""))'
    return f"=TRIM({runner}&{fastest}&{gaps}&{larger})"


def _decision_charts(ws: Worksheet, plan: _Plan, at: int, first: int, last: int) -> None:
    names = Reference(ws, min_col=3, min_row=first, max_row=last)

    def column(c: int) -> Reference:
        return Reference(ws, min_col=c, min_row=first, max_row=last)

    plots = (
        ("Cost per million output tokens", 12, "$", style.SERIES[0], "0.00", "B", "F"),
        ("Time per output token", 9, "ms", style.SERIES[2], "0", "G", "K"),
        ("Throughput of one replica", 10, "token/s", style.SERIES[1], "#,##0", "L", "O"),
    )
    for name, number, unit, color, fmt, left, right in plots:
        chart = style.bar_chart(name, [column(number)], names, unit, colors=[color], fmt=fmt)
        style.place(ws, chart, f"{left}{at}:{right}{at + 14}")


def _why_block(ws: Worksheet, plan: _Plan, row: int, first: int) -> None:
    style.heading(ws, f"B{row}", "Why")
    style.note(ws, f"D{row}", "Memory, and so the number of devices")
    style.note(ws, f"I{row}", "Speed of decode")
    full, mean = _FULL.format(p=""), _MEAN.format(p="")
    for i in range(len(plan.rows)):
        r, t = row + 1 + i, first + i
        name = style.put(ws, f"B{r}", f"=$C{t}")
        name.font, name.alignment = style.font(9, bold=True), Alignment(vertical="top")
        args = f"{MODEL},$C{t},{BATCH}"
        speed = f'=IF(ISNUMBER($E{t}),MLSIM_WHY("MLSIM_DECODE_LATENCY",{args},{mean},{PRECISION},$E{t}),"–")'
        size = f'=MLSIM_WHY("MLSIM_MIN_DEVICES",{args},{full},{PRECISION})'
        style.paragraph(ws, f"D{r}", f"H{r}", size, 8.5)
        style.paragraph(ws, f"I{r}", f"O{r}", speed, 8.5)
        ws.row_dimensions[r].height = 40


# --- Inputs ------------------------------------------------------------------------------------------------------


def _si(chip: Chip, attribute: str, unit: str) -> float | None:
    return parse(f"{chip.get(attribute)!r} {unit}").value if chip.has(attribute) else None


def _peak_key(chip: Chip) -> str:
    return next((key for key in ("peak_compute bf16", "peak_compute fp16") if chip.has(key)), "")


def _known(chip: Chip, kind: str) -> tuple[float | None, str, Figure | None]:
    """Return the registry's figure of a kind: in the unit due, as text to type, and its source."""
    if kind == "memory":
        real = chip.has("memory_capacity")
        key = "memory_capacity" if real else "memory_capacity_label"
        if not chip.has(key):
            return None, "", None
        value, figure = chip.get(key) / 2**30, chip.figures[key]
        return value, f"{value:.2f} GiB" if real else figure.text, figure
    key = {"bandwidth": "memory_bandwidth", "link": "scaleup_bandwidth", "peak": _peak_key(chip)}[kind]
    if not key or not chip.has(key):
        return None, "", None
    figure = chip.figures[key]
    return parse(figure.text).to(DUE[kind][0]).value, figure.text, figure


_KINDS = (("bandwidth", "Memory bandwidth"), ("memory", "Memory"), ("peak", "bf16 peak, dense"), ("link", "Scale-up link, one direction"), ("price", "Price"))  # fmt: skip


def _input_row(plan: _Plan, chip: str, kind: str) -> int:
    i = next(i for i, row in enumerate(plan.rows) if row.chip == chip)
    return 6 + i * len(_KINDS) + next(k for k, (name, _) in enumerate(_KINDS) if name == kind)


def _fields(plan: _Plan) -> list[Field]:
    fields = []
    for i, chip in enumerate(plan.chips):
        price_row = 7 + i * len(_KINDS) + len(_KINDS) - 1
        for kind, label in _KINDS:
            if kind == "price":
                row = _registry_price(chip.name)
                text = _price_text(float(row["price_per_chip"])) if row else ""
                said = f"{text} ({row['provider']}, {row['date']})" if row else ""
                cell = f"Decision!{plan.price_cell(chip.name)}"
                value = parse(text).to("$/GPU-h").value if text else None
                fields.append(Field(kind, chip.name, label, cell, value, said))
                continue
            value, text, _ = _known(chip, kind)
            only_label = kind == "memory" and not chip.has("memory_capacity")
            cell = f"Inputs!$E${_input_row(plan, chip.name, kind)}"
            fields.append(Field(kind, chip.name, label, cell, value, text, only_label, price_row))
    return fields


def _inputs(ws: Worksheet, plan: _Plan, fields: Sequence[Field]) -> None:
    """Write the reader's own figures, each with its check beside it."""
    style.title(ws, "A1", "Your own figures", "Type what a vendor or a colleague claims, as number and unit. The check beside it needs no add-in. The bandwidth sets the floor on the sheet Decision; the other results use the registry.")  # fmt: skip
    style.header(
        ws,
        5,
        1,
        ["Accelerator", "Figure", "Unit due", "Registry", "Yours", "Check", "Where the registry has it from"],
        28,
    )
    for chip in plan.chips:
        for kind, label in _KINDS:
            r = _input_row(plan, chip.name, kind)
            entry = next(f for f in fields if f.chip == chip.name and f.kind == kind)
            figure = None if kind == "price" else _known(chip, kind)[2]
            style.body(ws, f"A{r}", chip.name)
            style.body(ws, f"B{r}", label)
            style.body(ws, f"C{r}", DUE[kind][0], align="center")
            style.body(ws, f"D{r}", entry.registry_text.split(" (")[0] or "none", align="center")
            if kind == "price":
                style.body(ws, f"E{r}", f"=Decision!{plan.price_cell(chip.name)}", align="center")
            else:
                style.input_cell(ws, f"E{r}", entry.registry_text or None)
            style.body(ws, f"F{r}", f"=Checks!$O${plan.checks[chip.name, kind]}", wrap=True)
            style.body(ws, f"G{r}", _cite(figure) if figure else _price_source(chip.name) if kind == "price" else "", wrap=True).font = style.font(8.5, style.MUTED)  # fmt: skip
            ws.row_dimensions[r].height = 27
    last = 5 + len(fields)
    style.flag_cells(ws, f"E6:F{last}", "$F6")
    style.widths(ws, [18, 27, 10, 16, 20, 70, 60])
    style.page(ws, "A6", tab="E08A2E")


def _price_source(chip: str) -> str:
    row = _registry_price(chip)
    if row is None:
        return "no sourced rental price"
    return f"{row['provider']}, {row['terms']}, {row['date']}: {sources().get(row['source'], {}).get('title', '')}"


def _cite(figure: Figure) -> str:
    source = sources().get(figure.source, {})
    return f"{figure.text}, {figure.meaning}: {source.get('title', figure.source)} ({source.get('date', '')})"


# --- Memory ------------------------------------------------------------------------------------------------------

_TERMS = ("Weights", "KV cache", "Activations", "Logits", "Framework")
_SHARE = "Memory!$O$5"
_GIB = 2.0**30
_D = "Decision!"


def _memory(ws: Worksheet, plan: _Plan) -> None:
    style.title(ws, "A1", "Memory of one device: why it fits, or not", "At the devices per replica of the sheet Decision, in GiB; a chip that cannot hold the model is shown at one device.")  # fmt: skip
    style.header(
        ws, 4, 1, ["Accelerator", "Devices", *_TERMS, "Sum of terms", "Usable", "Free", "MLSIM_MEMORY", "Fits?"], 30
    )
    first, last = 5, 4 + len(plan.rows)
    _memory_constants(ws, plan)
    for i, row in enumerate(plan.rows):
        _memory_row(ws, plan, first + i, row)
    style.flag_cells(ws, f"L{first}:L{last}", f'IF($L{first}="yes","✓","✗")')
    names = Reference(ws, min_col=1, min_row=first, max_row=last)
    terms = [Reference(ws, min_col=c, min_row=first - 1, max_row=last) for c in range(3, 8)]
    colors = ("1F3A5F", "2E75B6", "8FB8DE", "B59A00", "9AA5B1")
    name = "Memory of one device against what the runtime may use (dash)"
    chart = style.bar_chart(name, terms, names, "GiB", stacked=True, colors=colors, fmt="0", titles=True)
    chart += style.limit_marks(Reference(ws, min_col=9, min_row=first - 1, max_row=last), "C23B4B")
    style.place(ws, chart, f"A{last + 2}:L{last + 19}")
    _worked_example(ws, max(last + 21, 24))
    style.widths(ws, [21, 10, 12, 12, 12, 12, 12, 13, 13, 12, 15, 10, 3, 40, 14])
    style.page(ws, "B5", tab="3A9A6E")


def _memory_constants(ws: Worksheet, plan: _Plan) -> None:
    """Write what the terms are made of: the runtime's figures (see Sources) and the model's dimensions."""
    style.header(ws, 4, 14, [f"Runtime ({plan.runtime.name}) and model", "Value"], 30)
    spec = f"MLSIM_SPEC({_D}{MODEL},"
    rt = plan.runtime
    values: tuple[tuple[str, Any, str], ...] = (
        ("Share of memory the runtime may use", rt.memory_fraction, "0%"),
        ("Framework memory, GiB", rt.framework_memory / _GIB, "0.00"),
        ("More with several devices, GiB", rt.collective_memory / _GIB, "0.00"),
        ("Sampler bytes per vocabulary entry", rt.logits_bytes, "0"),
        ("Sequence slots", rt.sequence_slots, "#,##0"),
        ("Tokens of one forward pass", rt.chunk_tokens, "#,##0"),
        ("Bytes of an activation", inference._ACTIVATION_BYTES, "0"),
        ("Hidden size", f'={spec}"hidden")', "#,##0"),
        ("Widest feed-forward, active experts", f'=MAX(IFERROR({spec}"ffn"),0),IFERROR({spec}"moe ffn")*{spec}"experts per token"),0))', "#,##0"),
        ("Vocabulary", f'={spec}"vocab")', "#,##0"),
        ("KV heads", f'={spec}"kv heads")', "0"),
        ("Latent (MLA) cache rank, 0 if none", f'=IFERROR({spec}"kv lora rank"),0)', "0"),
    )  # fmt: skip
    for i, (label, value, fmt) in enumerate(values):
        style.body(ws, f"N{5 + i}", label)
        style.body(ws, f"O{5 + i}", value, fmt, "center")


def _memory_row(ws: Worksheet, plan: _Plan, r: int, row: Row) -> None:
    t = plan.row_of(row.chip)
    model, precision, batch = (f"{_D}{ref}" for ref in (MODEL, PRECISION, BATCH))
    full = _FULL.format(p=_D)
    gib = "1073741824"
    heads = f"IF($O$16>0,1,ROUNDUP($O$15/$B{r},0)/$O$15)"
    cells = (
        ("A", row.chip, None),
        ("B", f"=IF(ISNUMBER({_D}$E${t}),{_D}$E${t},1)", "0"),
        ("C", f'=MLSIM_WEIGHTS({model},{precision},"GiB")/$B{r}', "0.0"),
        ("D", f'=MLSIM_KV_CACHE({model},{full},{batch},"bf16","GiB")*{heads}', "0.0"),
        ("E", f"=MAX($O$10,{batch})*(4*$O$12+2*$O$13/$B{r})*$O$11/{gib}", "0.0"),
        ("F", f"=MAX($O$9,{batch})*$O$14/$B{r}*$O$8/{gib}", "0.0"),
        ("G", f"=$O$6+IF($B{r}>1,$O$7,0)", "0.0"),
        ("H", f"=SUM(C{r}:G{r})", "0.0"),
        ("I", f"={_D}$G${t}", "0.0"),
        ("J", f'=IF(ISNUMBER(I{r}),I{r}-H{r},"no data")', "0.0"),
        ("K", f'=MLSIM_MEMORY({model},$A{r},{batch},{full},{precision},$B{r},"bf16","GiB")', "0.0"),
        ("L", f'=IF(ISNUMBER(I{r}),IF(H{r}<=I{r},"yes","no"),"no data")', None),
    )
    for column, value, fmt in cells:
        style.body(ws, f"{column}{r}", value, fmt, "left" if column == "A" else "center")


def _worked_example(ws: Worksheet, row: int) -> None:
    """Write the batch-48 question for Llama-3-8B, every number from a formula."""
    spec = 'MLSIM_SPEC("Llama-3-8B",'
    style.heading(ws, f"A{row}", "A question often asked: does Llama-3-8B at 4,096 tokens and batch 48 fill 48 GB?")
    lines: tuple[tuple[str, str, str], ...] = (
        ("Layers", f'={spec}"layers")', "0"),
        ("KV heads", f'={spec}"kv heads")', "0"),
        ("Query heads", f'={spec}"heads")', "0"),
        ("Head dimension", f'={spec}"head dim")', "0"),
        ("KV bytes per token: 2 · layers · KV heads · head dim · 2", "=2*{0}*{1}*{3}*2", '#,##0" B"'),
        ("KV cache: × 4,096 tokens × 48", "={4}*4096*48/10^9", '0.00" GB"'),
        ("MLSIM_KV_CACHE agrees", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48,"bf16","GB")', '0.00" GB"'),
        ("Weights in bf16", '=MLSIM_WEIGHTS("Llama-3-8B","bf16","GB")', '0.00" GB"'),
        ("Weights and cache", "={5}+{7}", '0.00" GB"'),
        ("Cache if every query head had its own K and V", "={5}*{2}/{1}", '0.00" GB"'),
    )
    at = [f"$F${row + 1 + i}" for i in range(len(lines))]
    for i, (label, formula, fmt) in enumerate(lines):
        r = row + 1 + i
        style.put(ws, f"A{r}", label)
        style.body(ws, f"F{r}", formula.format(*at), fmt, "center")
    text = (
        f'="Not quite. Llama-3-8B has "&{at[1]}&" KV heads for "&{at[2]}&" query heads (grouped-query attention), so a token '
        f'keeps "&FIXED({at[4]},0)&" bytes. Weights of "&FIXED({at[7]},2)&" GB and "&FIXED({at[5]},2)&" GB ("&FIXED({at[5]}/1.073741824,1)'
        f'&" GiB) of cache make "&FIXED({at[8]},1)&" GB before activations and the runtime\'s reserve. With one K and V per '
        f'query head the cache alone would be "&FIXED({at[9]},0)&" GB, "&FIXED({at[2]}/{at[1]},0)&" times as much. The unit '
        f'matters too: 48 GB is "&FIXED(48/1.073741824,1)&" GiB."'
    )
    style.paragraph(ws, f"H{row + 1}", f"L{row + 10}", text)


# --- Batch sweep -------------------------------------------------------------------------------------------------


def _sweep(ws: Worksheet, plan: _Plan) -> None:
    style.title(ws, "A1", "Batch sweep", "At the devices per replica of the sheet Decision. Beyond the largest batch that fits (grey), further requests wait: the figures stay those of the largest batch.")  # fmt: skip
    style.put(ws, "A4", "Accelerator").font = style.font(10, bold=True)
    style.put(ws, "A5", "Largest batch that fits").font = style.font(10, bold=True)
    style.header(ws, 6, 1, ["Batch"], 30)
    first, last = 7, 6 + len(BATCHES)
    for i, batch in enumerate(BATCHES):
        style.body(ws, f"A{first + i}", batch, "0", "center")
    for k, row in enumerate(plan.rows):
        _sweep_chip(ws, plan, 2 + 4 * k, row, first)
    style.widths(ws, [23, *([9, 12, 15, 13] * max(4, len(plan.rows)))])
    _sweep_charts(ws, plan, first, last)
    style.page(ws, "B7", tab="2E75B6")


def _sweep_chip(ws: Worksheet, plan: _Plan, column: int, row: Row, first: int) -> None:
    """Write one chip's four columns."""
    letters = [get_column_letter(column + i) for i in range(4)]
    fits, tpot, rate, cost = letters
    t = plan.row_of(row.chip)
    model, precision, prompt, output = (f"{_D}{ref}" for ref in (MODEL, PRECISION, PROMPT, OUTPUT))
    tp, full, mean = f"{_D}$E${t}", _FULL.format(p=_D), _MEAN.format(p=_D)
    largest, price = f"${fits}$5", f"Checks!$I${plan.checks[row.chip, 'price']}"
    style.put(ws, f"{fits}4", row.chip).font = style.font(10, style.NAVY, bold=True)
    style.body(ws, f"{fits}5", f'=IF(ISNUMBER({tp}),IFERROR(MLSIM_MAX_BATCH({model},"{row.chip}",{full},{precision},{tp}),0),0)', "#,##0", "center")  # fmt: skip
    style.header(ws, 6, column, ["Fits?", "TPOT", "Throughput", "$ per Mtoken"], 30)
    for i in range(len(BATCHES)):
        r = first + i
        batch = f"MIN($A{r},{largest})"
        args = f'{model},"{row.chip}",{batch}'
        guard = f'=IF({largest}>0,IFERROR({{0}},"no data"),"–")'
        cells = (
            (fits, f'=IF($A{r}<={largest},"yes","no")', None),
            (tpot, guard.format(f"MLSIM_DECODE_LATENCY({args},{mean},{precision},{tp})"), '0.0" ms"'),
            (rate, guard.format(f"MLSIM_THROUGHPUT({args},{prompt},{output},{precision},{tp})"), '#,##0" token/s"'),
            (cost, f'=IF(ISNUMBER({rate}{r}),IF(ISNUMBER({price}),{price}*{tp}/{rate}{r}/3600*1000000,"price?"),"–")', '0.00" $"'),
        )  # fmt: skip
        for letter, value, fmt in cells:
            style.body(ws, f"{letter}{r}", value, fmt, "center")
    style.grey_when(ws, f"{fits}{first}:{cost}{first + len(BATCHES) - 1}", f'${fits}{first}="no"')


def _sweep_charts(ws: Worksheet, plan: _Plan, first: int, last: int) -> None:
    """Draw the chips that had an answer when the workbook was made."""
    xs = Reference(ws, min_col=1, min_row=first, max_row=last)
    plots = (
        ("Time per output token", "ms", "tpot_ms"), ("Throughput of one replica", "token/s", "tokens_per_second"),
        ("Cost per million output tokens", "$", "dollars_per_million_tokens"),
    )  # fmt: skip
    spots = ("A:E", "F:J", "K:O")
    for offset, ((name, unit, known), spot) in enumerate(zip(plots, spots, strict=True), 1):
        lines = [
            (xs, Reference(ws, min_col=2 + 4 * k + offset, min_row=first, max_row=last), row.chip, style.SERIES[k % 8], "both")
            for k, row in enumerate(plan.rows)
            if getattr(row, known) is not None
        ]  # fmt: skip
        if lines:
            log_y = 10 if unit == "$" else None
            chart = style.scatter_chart(name, lines, "batch", unit, log_x=2, x_range=(1, BATCHES[-1]), log_y=log_y)
            left, right = spot.split(":")
            style.place(ws, chart, f"{left}{last + 2}:{right}{last + 20}")
    style.note(
        ws,
        f"A{last + 22}",
        "Chips without a price or without an answer when the workbook was made are not drawn; their cells above are live.",
    )


# --- Roofline ----------------------------------------------------------------------------------------------------

_X_RANGE = (0.1, 100000.0)
_ROOFS = 29  # first row of the roofs, below the chart


def _roofline(ws: Worksheet, plan: _Plan) -> None:
    style.title(ws, "A1", "Roofline of one device", "The roof is min(peak, intensity · bandwidth) with registry figures and no efficiency. A point is what the model predicts, so it lies below its roof.")  # fmt: skip
    style.header(ws, _ROOFS - 1, 1, ["Accelerator", "Peak, TFLOP/s", "Bandwidth, TB/s", "Ridge, FLOP/B", "Point", "Intensity, FLOP/B", "Attainable, TFLOP/s"], 32)  # fmt: skip
    spec = "MLSIM_SPEC({c},{p},{u})"
    for i, row in enumerate(plan.rows):
        r = _ROOFS + 3 * i
        name = f'"{row.chip}"'
        key = f'{_D}{PRECISION}&" peak"'
        peak = f'IFERROR({spec.format(c=name, p=key, u=_q("TFLOP/s"))},IFERROR({spec.format(c=name, p=key, u=_q("TOP/s"))},IFERROR({spec.format(c=name, p=_q("bf16 peak"), u=_q("TFLOP/s"))},"no data")))'  # fmt: skip
        style.body(ws, f"A{r}", row.chip)
        style.body(ws, f"B{r}", f"={peak}", "#,##0", "center")
        style.body(
            ws,
            f"C{r}",
            f'=IFERROR({spec.format(c=name, p=_q("memory bandwidth"), u=_q("TB/s"))},"no data")',
            "0.00",
            "center",
        )
        style.body(ws, f"D{r}", f'=IFERROR(B{r}/C{r},"no data")', "0", "center")
        for k, (label, x) in enumerate(
            (("left", _X_RANGE[0]), ("ridge", f"=IF(ISNUMBER(D{r}),D{r},1)"), ("right", _X_RANGE[1]))
        ):
            style.body(ws, f"E{r + k}", label, align="center")
            style.body(ws, f"F{r + k}", x, "#,##0.##", "center")
            style.body(ws, f"G{r + k}", f"=MIN(N($B${r}),F{r + k}*N($C${r}))", "#,##0.##", "center")
    last = _ROOFS - 1 + 3 * len(plan.rows)
    points = _points(ws, plan, last + 3)
    _roofline_chart(ws, plan, points)
    style.widths(ws, [18, 22, 13, 16, 16, 16, 16, 14, 16, 12])
    style.page(ws, "A4", tab="C23B4B")


def _q(text: str) -> str:
    return f'"{text}"'


def _points(ws: Worksheet, plan: _Plan, row: int) -> dict[str, tuple[int, int]]:
    """Write the workload points; return chip -> first and last row."""
    style.heading(ws, f"A{row - 1}", "The workload, per device")
    style.header(ws, row, 1, ["Accelerator", "Workload", "Batch", "Devices", "GFLOP", "GB moved", "Intensity, FLOP/B", "Predicted time", "Reached, TFLOP/s", "Share of roof"], 32)  # fmt: skip
    spans: dict[str, tuple[int, int]] = {}
    r = row + 1
    for i, result in enumerate(plan.rows):
        if result.tpot_ms is None or result.devices is None:
            continue
        begin = r
        for workload, batch in (("decode", 1), ("decode", 16), ("decode", 64), ("prefill, one prompt", 1)):
            _point(ws, plan, r, result, workload, batch, _ROOFS + 3 * i)
            r += 1
        spans[result.chip] = (begin, r - 1)
    stale = (
        f"=IF(AND({_D}{MODEL}={_q(plan.model.name)},{_D}{PRECISION}={_q(plan.precision.name)},{_D}{PROMPT}={plan.prompt},{_D}{OUTPUT}={plan.output}),"
        '"FLOP and bytes are those of the inputs.","⚠ The inputs have changed since this workbook was made: FLOP and bytes of the points are of the original inputs.")'
    )
    style.put(ws, f"A{r + 1}", stale)
    style.flag_cells(ws, f"A{r + 1}", f"$A${r + 1}", ok=False)
    style.note(
        ws,
        f"A{r + 2}",
        "FLOP and bytes sum the operators of one forward pass: projections, attention, feed-forward, experts, output head. Decode at the mean context.",
    )
    return spans


def _point(ws: Worksheet, plan: _Plan, r: int, row: Row, workload: str, batch: int, roof: int) -> None:
    tp = row.devices or 1
    mean = plan.prompt + plan.output / 2
    new, cached = (1.0, mean) if workload == "decode" else (float(plan.prompt), 0.0)
    kv = load.precision("bf16")
    flops, moved = (float(x.sum()) for x in inference.operators(plan.model, batch, new, cached, plan.precision, kv, tp))
    name, prefix = _q(row.chip), f"{_D}{MODEL}"
    if workload == "decode":
        time = f"=MLSIM_DECODE_LATENCY({prefix},{name},$C{r},{_MEAN.format(p=_D)},{_D}{PRECISION},$D{r})"
    else:
        time = f"=MLSIM_PREFILL_LATENCY({prefix},{name},$C{r},{_D}{PROMPT},{_D}{PRECISION},$D{r})"
    cells = (
        ("A", row.chip, None), ("B", workload, None), ("C", batch, "0"), ("D", tp, "0"), ("E", flops / 1e9, "#,##0"),
        ("F", moved / 1e9, "#,##0.0"), ("G", f"=E{r}/F{r}", "#,##0.0"), ("H", time, '#,##0.0" ms"'), ("I", f"=E{r}/H{r}", "#,##0.0"),
        ("J", f'=IF(AND(ISNUMBER($B${roof}),ISNUMBER($C${roof})),I{r}/MIN($B${roof},G{r}*$C${roof}),"no data")', "0%"),
    )  # fmt: skip
    for column, value, fmt in cells:
        style.body(ws, f"{column}{r}", value, fmt, "left" if column in "AB" else "center")


def _roofline_chart(ws: Worksheet, plan: _Plan, points: Mapping[str, tuple[int, int]]) -> None:
    def area(column: int, top: int, bottom: int) -> Reference:
        return Reference(ws, min_col=column, min_row=top, max_row=bottom)

    lines = []
    for i, row in enumerate(plan.rows):
        chip, color, r = load.chip(row.chip), style.SERIES[i % 8], _ROOFS + 3 * i
        if chip.has("memory_bandwidth") and any(a.startswith("peak_compute") for a in chip.figures):
            lines.append((area(6, r, r + 2), area(7, r, r + 2), f"{row.chip} roof", color, "line"))
        if row.chip in points:
            top, bottom = points[row.chip]
            lines.append((area(7, top, bottom), area(9, top, bottom), f"{row.chip} predicted", color, "points"))
    if lines:
        name = "Rate of one device: roof, and predicted for decode at batch 1, 16, 64 and for prefill (left to right)"
        chart = style.scatter_chart(name, lines, "arithmetic intensity, FLOP per byte", "TFLOP/s", log_x=10, log_y=10, x_range=_X_RANGE, y_range=(0.1, 10000))  # fmt: skip
        style.place(ws, chart, f"A4:J{_ROOFS - 3}")


# --- Sources -----------------------------------------------------------------------------------------------------

_USED = ("memory_bandwidth", "memory_capacity", "memory_capacity_label", "scaleup_bandwidth")
_SOURCE_WIDTHS = (18, 24, 15, 11, 40, 9, 42, 38, 52, 16, 42)
_SOURCE_HEADINGS = (
    "Of",
    "What",
    "Value",
    "Unit",
    "Meaning",
    "Used",
    "Source",
    "Place in it",
    "Address",
    "Date",
    "Note",
)


def _sources(ws: Worksheet, plan: _Plan) -> None:
    style.title(ws, "A1", "Sources", "Every constant behind this workbook as it was made, and the sources that disagree. Other models and formats of the drop-downs: MLSIM_SOURCE, or mlsim audit.")  # fmt: skip
    style.header(ws, 4, 1, _SOURCE_HEADINGS, 24)
    r = 4
    for r, entry in enumerate(_constants(plan), 5):
        values = _source_row(*entry)
        lines = max(len(str(v)) / w for v, w in zip(values, _SOURCE_WIDTHS, strict=True))
        ws.row_dimensions[r].height = 13 * (1 + int(lines * 0.95))
        for column, value in enumerate(values, 1):
            align = "center" if column in (3, 4, 6) else ""
            cell = style.body(ws, ws.cell(r, column).coordinate, value, "General", align, wrap=True)
            cell.font = style.font(9, style.TEXT if entry[3] == "yes" else style.MUTED)
            if column == 9 and str(value).startswith("http"):
                cell.hyperlink = value
                cell.font = style.font(9, style.ACCENT, underline="single")
    ws.auto_filter.ref = f"A4:K{r}"
    style.widths(ws, _SOURCE_WIDTHS)
    style.page(ws, "C5", tab="6B7280")
    ws.print_title_rows = "4:4"


def _source_row(owner: str, what: str, figure: Figure, used: str) -> tuple[Any, ...]:
    source = sources().get(figure.source, {})
    try:
        value: Any = float(figure.value)
        value = int(value) if value.is_integer() else value
    except ValueError:
        value = figure.value
    return (
        owner, what, value, figure.unit, figure.meaning, used, source.get("title", figure.source), figure.locator,
        source.get("address", ""), source.get("date", ""), figure.note,
    )  # fmt: skip


def _constants(plan: _Plan) -> Iterator[tuple[str, str, Figure, str]]:
    """Yield (whose, what, figure, used) of every constant the workbook rests on."""
    for model in dict.fromkeys((plan.model.name, "Llama-3-8B")):
        yield from _model_constants(load.model(model))
    for name in dict.fromkeys((plan.precision.name, "bf16")):
        yield name, "bits per weight or cache element", load.precision(name).figure, "yes"
    for attribute, figure in plan.runtime.figures.items():
        yield plan.runtime.name, attribute.replace("_", " "), figure, "yes"
    for chip in plan.chips:
        yield from _chip_constants(plan, chip)


def _model_constants(model: Model) -> Iterator[tuple[str, str, Figure, str]]:
    from dataclasses import replace

    if model.figure is None:
        return
    for key in load._MODEL_NUMBERS:
        text = str(model.row.get(key) or "") or (f"{getattr(model, key):.0f}" if getattr(model, key) else "")
        if text:
            unit = "param" if key.endswith("params") else "token" if key in ("vocab", "context", "window") else "count"
            meaning = model.figure.meaning if key.endswith("params") else "published dimension"
            yield (
                model.name,
                key.replace("_", " "),
                replace(model.figure, value=text, unit=unit, meaning=meaning),
                "yes",
            )


def _chip_constants(plan: _Plan, chip: Chip) -> Iterator[tuple[str, str, Figure, str]]:
    peaks = {f"peak_compute {plan.precision.compute}", _peak_key(chip), f"peak_compute {plan.precision.name}"}
    for key, figure in chip.figures.items():
        if key in _USED or key in peaks:
            yield chip.name, key.replace("_", " "), figure, "yes"
            for other in chip.others.get(key, ()):
                yield chip.name, key.replace("_", " "), other, "other source"
    for key, figure in chip.efficiency.items():
        yield chip.name, key.replace("_", " "), figure, "yes"
    best = _registry_price(chip.name)
    if chip.name in plan.prices:
        value, _, unit = plan.prices[chip.name].partition(" ")
        yield (
            chip.name,
            "rental price",
            Figure(value, unit, "the user's own price", "user", "given when the workbook was made"),
            "yes",
        )
    for row in load.prices(chip.name):
        meaning = (
            f"{row['provider']}, {row['instance']}, {row['region']}, {row['terms']}, {row['date']}: {row['meaning']}"
        )
        used = "yes" if row is best and chip.name not in plan.prices else "other source"
        yield (
            chip.name,
            "price",
            Figure(row["price_per_chip"], row["unit"], meaning, row["source"], row["locator"], row["note"]),
            used,
        )


# --- About -------------------------------------------------------------------------------------------------------

_ABOUT = (
    ("How to read it", (
        "Decision: change the pale yellow cells. Rank, cost and break-even prices are native formulas and follow at once; latency, "
        "memory and throughput are MLSIM_ functions and follow when the add-in is installed. Without it the cached values stay.",
        "A cell turns red when its unit is wrong and amber when it is doubtful; the sentence beside it says why and what to type.",
        "Inputs: figures that you were told, checked against the registry. Checks: how each was taken apart.",
        "'no fit': not even 64 devices hold it. 'no data': the registry lacks a sourced figure; the Why line names it. 'price?': no sourced price.",
    )),
    ("The model, in five lines", (
        "1. An operator takes max(FLOP / (efficiency · peak), bytes / (efficiency · bandwidth)): the roofline [1].",
        "2. A decode step reads the weights once and each sequence's KV cache; prefill computes 2 FLOP per weight and token, and attention [2].",
        "3. Tensor parallel splits both and adds two all-reduces per layer: latency, and bytes over the link [3].",
        "4. Each kernel adds a measured launch time: 9 kernels per layer (4 more with experts) and 4 per step.",
        "5. Memory of a device is weights + KV cache + activations + logits + framework, within the runtime's share of it [4].",
    )),
    ("What is not modelled", (
        "Queueing, arrival patterns and tail latency; chunked prefill that shares a step with decode; prefix caching; speculative decoding.",
        "Pipeline and expert parallel; several nodes; power caps. Throughput is that of a static batch, prefill included.",
        "Idle hours: the cost per token is at full use. At 40 % use it is 2.5 times as much. Staff, networks and storage are not in it.",
        "The KV cache is bf16 whatever the precision of the weights.",
    )),
    ("References", (
        "[1] S. Williams, A. Waterman, D. Patterson, Roofline, CACM 52(4), 2009. https://doi.org/10.1145/1498765.1498785",
        "[2] R. Pope et al., Efficiently Scaling Transformer Inference, MLSys 2023. https://arxiv.org/abs/2211.05102",
        "[3] M. Shoeybi et al., Megatron-LM, 2019. https://arxiv.org/abs/1909.08053",
        "[4] W. Kwon et al., Efficient Memory Management for LLM Serving with PagedAttention, SOSP 2023. https://arxiv.org/abs/2309.06180",
    )),
)  # fmt: skip


def _about(ws: Worksheet, plan: _Plan) -> None:
    style.title(ws, "B1", "About this workbook", f"MLSIM {__version__}, Apache-2.0. Every constant: sheet Sources.")
    r = 4
    for title, lines in _ABOUT:
        style.heading(ws, f"B{r}", title)
        for line in lines:
            r += 1
            cell = style.put(ws, f"B{r}", line)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            ws.row_dimensions[r].height = 14 * (1 + len(line) // 140)
        r += 2
    style.widths(ws, [2, 125])
    style.page(ws, tab="6B7280")
