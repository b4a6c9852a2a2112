"""The sheet Roofline: roofs, and where the workload stands under them."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.chart import Reference
from openpyxl.worksheet.worksheet import Worksheet

from mlsim.planner import inference
from mlsim.registry import load
from mlsim_workbooks import style
from mlsim_workbooks.compare.plan import DECISION, MEAN, MODEL, OUTPUT, PRECISION, PROMPT, Plan, Row, quoted

_X_RANGE = (0.1, 100000.0)
_ROOFS = 29  # first row of the roofs, below the chart


def write_roofline(ws: Worksheet, plan: Plan) -> None:
    """Write the sheet Roofline."""
    style.title(ws, "A1", "Roofline of one device", "The roof is min(peak, intensity · bandwidth) with the figures of the sheet Inputs and no efficiency. A point is what the model predicts, so it lies below its roof.")  # fmt: skip
    style.header(ws, _ROOFS - 1, 1, ["Accelerator", "Peak, TFLOP/s", "Bandwidth, TB/s", "Ridge, FLOP/B", "Point", "Intensity, FLOP/B", "Attainable, TFLOP/s"], 32)  # fmt: skip
    spec = "MLSIM_SPEC({c},{p},{u})"
    for i, row in enumerate(plan.rows):
        r = _ROOFS + 3 * i
        name = f'"{row.chip}"'
        key = f'{DECISION}{PRECISION}&" peak"'
        peak = f'IFERROR({spec.format(c=name, p=key, u=quoted("TFLOP/s"))},IFERROR({spec.format(c=name, p=key, u=quoted("TOP/s"))},IFERROR({spec.format(c=name, p=quoted("bf16 peak"), u=quoted("TFLOP/s"))},"no data")))'  # fmt: skip
        style.body(ws, f"A{r}", row.chip)
        typed, bandwidth = (f"Checks!$I${plan.checks[row.chip, kind]}" for kind in (plan.peak, "bandwidth"))
        same = f"AND({DECISION}{PRECISION}={quoted(plan.precision.name)},ISNUMBER({typed}))"
        known = spec.format(c=name, p=quoted("memory bandwidth"), u=quoted("TB/s"))
        style.body(ws, f"B{r}", f"=IF({same},{typed},{peak})", "#,##0", "center")
        style.body(ws, f"C{r}", f'=IF(ISNUMBER({bandwidth}),{bandwidth},IFERROR({known},"no data"))', "0.00", "center")
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


def _points(ws: Worksheet, plan: Plan, row: int) -> dict[str, tuple[int, int]]:
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
        f"=IF(AND({DECISION}{MODEL}={quoted(plan.model.name)},{DECISION}{PRECISION}={quoted(plan.precision.name)},{DECISION}{PROMPT}={plan.prompt},{DECISION}{OUTPUT}={plan.output}),"
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


def _point(ws: Worksheet, plan: Plan, r: int, row: Row, workload: str, batch: int, roof: int) -> None:
    tp = row.devices or 1
    mean = plan.prompt + plan.output / 2
    new, cached = (1.0, mean) if workload == "decode" else (float(plan.prompt), 0.0)
    kv = load.precision("bf16")
    flops, moved = (float(x.sum()) for x in inference.operators(plan.model, batch, new, cached, plan.precision, kv, tp))
    name, prefix = plan.figures(row.chip), f"{DECISION}{MODEL}"
    if workload == "decode":
        time = f"MLSIM_DECODE_LATENCY({prefix},{name},$C{r},{MEAN.format(p=DECISION)},{DECISION}{PRECISION},$D{r})"
    else:
        time = f"MLSIM_PREFILL_LATENCY({prefix},{name},$C{r},{DECISION}{PROMPT},{DECISION}{PRECISION},$D{r})"
    cells = (
        ("A", row.chip, None), ("B", workload, None), ("C", batch, "0"), ("D", tp, "0"), ("E", flops / 1e9, "#,##0"),
        ("F", moved / 1e9, "#,##0.0"), ("G", f"=E{r}/F{r}", "#,##0.0"), ("H", f"=IFERROR({time},{DECISION}$T${plan.row_of(row.chip)})", '#,##0.0" ms"'), ("I", f'=IF(ISNUMBER(H{r}),E{r}/H{r},"–")', "#,##0.0"),
        ("J", f'=IF(AND(ISNUMBER($B${roof}),ISNUMBER($C${roof}),ISNUMBER(I{r})),I{r}/MIN($B${roof},G{r}*$C${roof}),"no data")', "0%"),
    )  # fmt: skip
    for column, value, fmt in cells:
        style.body(ws, f"{column}{r}", value, fmt, "left" if column in "AB" else "center")


def _roofline_chart(ws: Worksheet, plan: Plan, points: Mapping[str, tuple[int, int]]) -> None:
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
