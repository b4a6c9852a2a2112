"""The sheet Batch sweep: every chip over the batches, and its best batch."""

from __future__ import annotations

from openpyxl.chart import Reference
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mlsim_workbooks import style
from mlsim_workbooks.compare.plan import (
    BATCHES,
    CHECK_INPUTS,
    DECISION,
    FULL,
    MEAN,
    MODEL,
    OUTPUT,
    PRECISION,
    PROMPT,
    TARGET,
    Plan,
    Row,
)

_PER_CHIP = 5  # columns of a chip
BEST = 6  # first of three rows: the best batch, its TPOT, its device-hours per million tokens


def first_column(plan: Plan, chip: str) -> str:
    """Return the letter of a chip's first column."""
    return get_column_letter(2 + _PER_CHIP * next(i for i, row in enumerate(plan.rows) if row.chip == chip))


def write_sweep(ws: Worksheet, plan: Plan) -> None:
    """Write the sheet Batch sweep."""
    style.title(ws, "A1", "Batch sweep", "At the devices per replica of the sheet Decision. Beyond the largest batch that fits (grey), further requests wait: the figures stay those of the largest batch.")  # fmt: skip
    style.put(ws, "A4", "Accelerator").font = style.font(10, bold=True)
    labels = ("Largest batch that fits", "Cheapest batch in time", "TPOT there", "Device-hours per Mtoken")
    for r, label in enumerate(labels, 5):
        style.put(ws, f"A{r}", label).font = style.font(10, bold=True)
    style.header(ws, 9, 1, ["Batch"], 42)
    first, last = 10, 9 + len(BATCHES)
    for i, batch in enumerate(BATCHES):
        style.body(ws, f"A{first + i}", batch, "0", "center")
    for k, row in enumerate(plan.rows):
        _sweep_chip(ws, plan, 2 + _PER_CHIP * k, row, first)
    style.widths(ws, [24, *([9, 11, 13.5, 11.5, 13] * max(3, len(plan.rows)))])
    _sweep_charts(ws, plan, first, last)
    style.page(ws, "B10", tab="2E75B6")


def _sweep_chip(ws: Worksheet, plan: Plan, column: int, row: Row, first: int) -> None:
    """Write one chip's columns. The last one holds only batches that are fast enough; all are at most the largest that fits."""
    fits, tpot, rate, cost, hours = (get_column_letter(column + i) for i in range(_PER_CHIP))
    last = first + len(BATCHES) - 1
    t = plan.row_of(row.chip)
    model, precision, prompt, output = (f"{DECISION}{ref}" for ref in (MODEL, PRECISION, PROMPT, OUTPUT))
    tp, full, mean = f"{DECISION}$E${t}", FULL.format(p=DECISION), MEAN.format(p=DECISION)
    chip = plan.figures(row.chip)
    largest, price = f"${fits}$5", f"Checks!$I${plan.checks[row.chip, 'price']}"
    style.put(ws, f"{fits}4", row.chip).font = style.font(10, style.NAVY, bold=True)
    style.body(ws, f"{fits}5", f'=IF(ISNUMBER({tp}),IFERROR(MLSIM_MAX_BATCH({model},{chip},{full},{precision},{tp}),0),0)', "#,##0", "center")  # fmt: skip
    allowed = f"${hours}${first}:${hours}${last}"
    where = f"MATCH(MIN({allowed}),{allowed},0)"
    for r, area, look in ((BEST, "$A", "0"), (BEST + 1, f"${tpot}", '0.0" ms"'), (BEST + 2, f"${hours}", "0.000")):
        pick = f"INDEX({area}${first}:{area}${last},{where})"
        pick = f"MIN({pick},{largest})" if r == BEST else pick
        style.body(ws, f"{fits}{r}", f'=IF(COUNT({allowed})>0,{pick},"none")', look, "center")
    style.header(
        ws, first - 1, column, ["Fits?", "TPOT", "Throughput", "$ per Mtoken", "Device-hours per Mtoken, in time"], 42
    )
    for i in range(len(BATCHES)):
        r = first + i
        batch = f"MIN($A{r},{largest})"
        args = f"{model},{chip},{batch}"
        guard = f'=IF({largest}>0,IFERROR({{0}},{DECISION}$T${t}),IF({tp}="{CHECK_INPUTS}",{tp},"–"))'
        cells = (
            (fits, f'=IF($A{r}<={largest},"yes","no")', None),
            (tpot, guard.format(f"MLSIM_DECODE_LATENCY({args},{mean},{precision},{tp})"), '0.0" ms"'),
            (rate, guard.format(f"MLSIM_THROUGHPUT({args},{prompt},{output},{precision},{tp})"), '#,##0" token/s"'),
            (cost, f'=IF(ISNUMBER({rate}{r}),IF(ISNUMBER({price}),{price}*{tp}/{rate}{r}/3600*1000000,"price?"),"–")', '0.00" $"'),
            (hours, f'=IF(ISNUMBER({rate}{r}),IF({tpot}{r}<={DECISION}{TARGET},{tp}/{rate}{r}/3600*1000000,"–"),"–")', "0.000"),
        )  # fmt: skip
        for letter, value, fmt in cells:
            style.body(ws, f"{letter}{r}", value, fmt, "center")
    style.flag_cells(ws, f"{tpot}{first}:{rate}{last}", f'IF({tpot}{first}="{CHECK_INPUTS}","✗","")', ok=False)
    style.grey_when(ws, f"{fits}{first}:{hours}{last}", f'${fits}{first}="no"')


def _sweep_charts(ws: Worksheet, plan: Plan, first: int, last: int) -> None:
    """Draw the chips that had an answer when the workbook was made."""
    xs = Reference(ws, min_col=1, min_row=first, max_row=last)
    plots = (
        ("Time per output token", "ms", "tpot_ms"), ("Throughput of one replica", "token/s", "tokens_per_second"),
        ("Cost per million output tokens", "$", "dollars_per_million_tokens"),
    )  # fmt: skip
    spots = ("A:E", "F:J", "K:P")
    for offset, ((name, unit, known), spot) in enumerate(zip(plots, spots, strict=True), 1):
        lines = [
            (xs, Reference(ws, min_col=2 + _PER_CHIP * k + offset, min_row=first, max_row=last), row.chip, style.SERIES[k % 8], "both")
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
