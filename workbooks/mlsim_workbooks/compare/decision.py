"""The sheet Decision: inputs, prices, the ranked table and the answer."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.chart import Reference
from openpyxl.comments import Comment
from openpyxl.styles import Alignment
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mlsim.registry import load
from mlsim.registry.tables import sources
from mlsim_workbooks import style
from mlsim_workbooks.compare.plan import (
    BATCH,
    CHECK_INPUTS,
    FULL,
    MAX_TPOT_MS,
    MEAN,
    MODEL,
    OUTPUT,
    PRECISION,
    PROMPT,
    SHARE,
    TARGET,
    TOP,
    Plan,
    Row,
    input_row,
    price_of,
    registry_price,
)
from mlsim_workbooks.compare.sweep import BEST, first_column

_HEADINGS = (
    "Rank", "Accelerator", "Fits on one device?", "Devices per replica", "Memory per device", "Usable memory",
    "TTFT, one prompt", "TPOT (time per token)", "Throughput of a replica", "Speed one user sees", "Cost per million tokens at this batch",
    "Its best batch", "Cost at its best batch, $ per Mtoken", "Cheapest below this price", "Bandwidth floor of TPOT", "Bottleneck of decode",
)  # fmt: skip


def write_decision(ws: Worksheet, plan: Plan, lists: Mapping[str, str]) -> None:
    """Write the sheet Decision."""
    first, last = plan.table, plan.table + len(plan.rows) - 1
    style.widths(ws, [2, 6, 18, 11.5, 11.5, 11.5, 11.5, 11.5, 11.5, 13.5, 12.5, 12.5, 9.5, 12.5, 13.5, 12, 19, 3])
    style.title(ws, "B2", f'="Which accelerator should serve "&{MODEL}&"?"')
    style.banner(ws, "B3:Q3", _answer(plan, first, last), 15, 34)
    style.banner(ws, "B4:Q4", _second(plan, first, last), 10, 22 + 4 * len(plan.rows))
    ws["B4"].font = style.font(10, style.TEXT)
    _inputs_block(ws, plan, lists)
    _prices_block(ws, plan)
    style.header(ws, first - 1, 2, _HEADINGS, 42)
    charts = last + 2
    whys = charts + 16
    for i, row in enumerate(plan.rows):
        _decision_row(ws, plan, first + i, whys + 1 + i, row, first, last)
    style.flag_cells(ws, f"D{first}:Q{last}", f'IF(D{first}="{CHECK_INPUTS}","✗","")', ok=False)
    style.mark_when(ws, f"B{first}:Q{last}", f"$B{first}=1")
    style.flag_cells(ws, f"L{first}:N{last}", f'IF(OR(L{first}="price?",L{first}="none"),"⚠","")')
    _decision_charts(ws, plan, charts, first, last)
    _why_block(ws, plan, whys, first)
    for column in "STU":
        ws.column_dimensions[column].hidden = True
    style.page(ws, "A5", tab="1F3A5F")
    ws.print_area = f"A1:R{whys + len(plan.rows)}"
    ws.page_setup.fitToHeight = 1


def _inputs_block(ws: Worksheet, plan: Plan, lists: Mapping[str, str]) -> None:
    style.heading(ws, f"B{TOP - 1}", "Inputs: change them")
    values = (
        ("Model", plan.model.name, None), ("Precision of weights", plan.precision.name, None),
        ("Batch (sequences at once)", plan.batch, "0"), ("Prompt tokens", plan.prompt, "#,##0"),
        ("Output tokens", plan.output, "#,##0"), ("Slowest acceptable TPOT", MAX_TPOT_MS, '0.###" ms"'),
    )  # fmt: skip
    for i, (label, value, fmt) in enumerate(values):
        style.put(ws, f"B{TOP + i}", label)
        ws.row_dimensions[TOP + i].height = 23
        style.input_cell(ws, f"D{TOP + i}", value, fmt, to=f"E{TOP + i}")
    for cell, area in ((MODEL, "Models"), (PRECISION, "Precisions")):
        choice = DataValidation("list", formula1=f"={lists[area]}", showErrorMessage=True, errorTitle="MLSIM")
        choice.error = "Choose a name from the list."
        ws.add_data_validation(choice)
        choice.add(cell.replace("$", ""))
    whole = DataValidation("whole", operator="between", formula1="1", formula2="10000000", showErrorMessage=True)
    whole.error = "A whole number above 0."
    ws.add_data_validation(whole)
    whole.add(f"D{TOP + 2}:D{TOP + 4}")
    above = DataValidation("decimal", operator="greaterThan", formula1="0", showErrorMessage=True)
    above.error = "A number of milliseconds above 0."
    ws.add_data_validation(above)
    above.add(TARGET.replace("$", ""))


def _prices_block(ws: Worksheet, plan: Plan) -> None:
    style.heading(ws, f"G{TOP - 1}", "Prices: type yours, number and unit")
    for i, row in enumerate(plan.rows):
        r = TOP + i
        style.put(ws, f"G{r}", row.chip)
        text = price_of(plan, row.chip)
        cell = style.input_cell(ws, f"J{r}", text or "price?", to=f"K{r}")
        cell.comment = Comment(_price_comment(plan, row.chip), "MLSIM", width=320, height=130)
        style.paragraph(ws, f"L{r}", f"Q{r}", f"=Checks!$O${plan.checks[row.chip, 'price']}", 8.5)
        ws[f"L{r}"].alignment = Alignment(wrap_text=True, vertical="center", indent=1)
        ws.row_dimensions[r].height = 23
    last = TOP + len(plan.rows) - 1
    style.flag_cells(ws, f"J{TOP}:K{last}", f"$L{TOP}", ok=False)
    style.put(ws, f"M{TOP - 1}", '=IF(Checks!$B$4>0,"✗ "&Checks!$B$4&" input(s) with a wrong unit: see Inputs",IF(Checks!$D$4>0,"⚠ "&Checks!$D$4&" doubtful input(s): see Inputs","✓ All inputs have the right units"))')  # fmt: skip
    style.flag_cells(ws, f"M{TOP - 1}:Q{TOP - 1}", f"$M${TOP - 1}")


def _price_comment(plan: Plan, chip: str) -> str:
    if chip in plan.prices:
        return "Your own price, given when the workbook was made."
    row = registry_price(chip)
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
    """Return a model formula that stays readable where the chip does not fit, lacks a figure or has a wrong one."""
    return f'=IF(ISNUMBER($E{r}),IFERROR({formula},$T{r}),IF($E{r}="{CHECK_INPUTS}",$E{r},"–"))'


def _excuse(plan: Plan, chip: str) -> str:
    """Return the formula of what a cell says instead of a number: the chip's typed figures are doubtful, or one lacks."""
    rows = [plan.checks[chip, kind] for kind, _ in plan.kinds if kind not in ("base", "price")]
    area = f"Checks!$O${rows[0]}:$O${rows[-1]}"
    doubtful = f'COUNTIF({area},"✗*")+COUNTIF({area},"⚠*")-COUNTIF({area},"⚠ No figure*")'
    return f'=IF({doubtful}>0,"{CHECK_INPUTS}","no data")'


def _decision_row(ws: Worksheet, plan: Plan, r: int, why: int, row: Row, first: int, last: int) -> None:
    full, mean = FULL.format(p=""), MEAN.format(p="")
    price = f"Checks!$I${plan.checks[row.chip, 'price']}"
    bandwidth = f"Inputs!$E${input_row(plan, row.chip, 'bandwidth')}"
    cost, costs = f"$N{r}", f"$N${first}:$N${last}"

    def best(i: int) -> str:
        """Return the cell of the best batch (1), its TPOT (2) or its device-hours per million tokens (3)."""
        return f"'Batch sweep'!${first_column(plan, row.chip)}${BEST - 1 + i}"

    chip = plan.figures(row.chip)
    memory = f"Checks!$I${plan.checks[row.chip, 'memory']}"
    args = f"{MODEL},{chip},{BATCH}"
    rival = f"IF($B{r}=1,IF(COUNT({costs})>1,SMALL({costs},2),0),MIN({costs}))"
    cells = (
        ("B", f'=IF(ISNUMBER({cost}),RANK({cost},{costs},1),"–")', "0"),
        ("C", row.chip, None),
        ("D", f'=IFERROR(IF(MLSIM_FITS({args},{full},{PRECISION},1),"yes","no"),$T{r})', None),
        ("E", f'=IFERROR(MLSIM_MIN_DEVICES({args},{full},{PRECISION}),IF(ISERROR($D{why}),"add-in?",IF($T{r}="{CHECK_INPUTS}",$T{r},"no fit")))', "0"),
        ("F", _live(r, f"MLSIM_MEMORY({args},{full},{PRECISION},$E{r})"), '0.0" GiB"'),
        ("G", f'=IF(ISNUMBER({memory}),{memory}*{SHARE},IF($T{r}="{CHECK_INPUTS}",$T{r},IFERROR(MLSIM_SPEC($C{r},"memory","GiB")*{SHARE},"no data")))', '0.0" GiB"'),
        ("H", _live(r, f"MLSIM_PREFILL_LATENCY({MODEL},{chip},1,{PROMPT},{PRECISION},$E{r})"), '#,##0" ms"'),
        ("I", _live(r, f"MLSIM_DECODE_LATENCY({args},{mean},{PRECISION},$E{r})"), '0.0" ms"'),
        ("J", _live(r, f"MLSIM_THROUGHPUT({args},{PROMPT},{OUTPUT},{PRECISION},$E{r})"), '#,##0" token/s"'),
        ("K", f'=IF(ISNUMBER($I{r}),1000/$I{r},"–")', '0.0" token/s"'),
        ("L", f'=IF(ISNUMBER($J{r}),IF(ISNUMBER({price}),{price}*$E{r}/$J{r}/3600*1000000,"price?"),"–")', '0.00" $"'),
        ("M", f'=IF(ISNUMBER($J{r}),{best(1)},"–")', "0"),
        ("N", f'=IF(ISNUMBER($M{r}),IF(ISNUMBER({price}),{price}*{best(3)},"price?"),$M{r})', '0.00" $"'),
        ("O", f'=IF(ISNUMBER($M{r}),IF({rival}>0,{rival}/{best(3)},"–"),"–")', '0.00" $/GPU-h"'),
        ("P", _live(r, f"MLSIM_DECODE_LATENCY({MODEL},{bandwidth},{BATCH},{mean},{PRECISION},$E{r})"), '0.0" ms"'),
        ("Q", _live(r, f"MLSIM_BOTTLENECK({args},{mean},{PRECISION},$E{r})"), None),
        ("S", _missing(r), None),
        ("T", _excuse(plan, row.chip), None),
        ("U", f'=IF(ISNUMBER($M{r}),{best(2)},"–")', "0.0"),
    )  # fmt: skip
    for column, value, fmt in cells:
        style.body(ws, f"{column}{r}", value, fmt, "left" if column in "CST" else "center")
    ws.row_dimensions[r].height = 20


def _missing(r: int) -> str:
    """Return the formula of what is missing for a chip, for the line under the answer."""
    cases = (
        (f'$E{r}="{CHECK_INPUTS}"', f'" "&$C{r}&": a figure typed on the sheet Inputs cannot be used."'),
        (f'$E{r}="no fit"', f'" "&$C{r}&" cannot hold it even on 64 devices."'),
        (f"NOT(ISNUMBER($J{r}))", f'" "&$C{r}&" lacks a figure: see Why."'),
        (f'$M{r}="none"', f'" "&$C{r}&" takes longer than "&{TARGET}&" ms per token at every batch."'),
        (
            f"NOT(ISNUMBER($N{r}))",
            f'" "&$C{r}&" has no usable price"&IF(ISNUMBER($O{r}),": it would be the cheapest below "&FIXED($O{r},2)&" $/GPU-h.",".")',
        ),
    )
    formula = '" "'
    for condition, text in reversed(cases):
        formula = f"IF({condition},{text},{formula})"
    return "=" + formula


def _answer(plan: Plan, first: int, last: int) -> str:
    """Return the formula of the one-line answer."""

    def column(c: str) -> str:
        return f"${c}${first}:${c}${last}"

    def at(c: str) -> str:
        return f"INDEX({column(c)},MATCH(1,{column('B')},0))"

    costs, tpot = column("N"), column("I")
    none = f'IF(COUNTIF({column("E")},"add-in?")>0,"The MLSIM add-in is needed to work this out anew.","No answer for "&{MODEL}&" on any of these accelerators: see Why below.")'  # fmt: skip
    slow = (
        f'"None of them serves a token within "&{TARGET}&" ms: raise the slowest acceptable TPOT, or use more devices."'
    )
    no_price = f'"None of the results has a price, so none can be recommended on cost. Fastest for one user: "&INDEX({column("C")},MATCH(MIN({tpot}),{tpot},0))&", "&FIXED(MIN({tpot}),1)&" ms per token."'  # fmt: skip
    best = (
        f'{at("C")}&": "&FIXED(MIN({costs}),2)&" $ per million output tokens at batch "&{at("M")}&", TPOT "&FIXED({at("U")},1)'
        f'&" ms, on "&{at("E")}&IF({at("E")}=1," device."," devices.")'
    )
    return f"=IF(COUNT({tpot})=0,{none},IF(COUNT({column('M')})=0,{slow},IF(COUNT({costs})=0,{no_price},{best})))"


def _second(plan: Plan, first: int, last: int) -> str:
    """Return the formula of the line under the answer: runner-up, fastest, missing prices."""
    costs, tpot, names, sizes = (f"${c}${first}:${c}${last}" for c in "NICM")
    second = f"SMALL({costs},2)"
    at = f"MATCH({second},{costs},0)"
    runner = f'IF(COUNT({costs})>1,"Next: "&INDEX({names},{at})&" at "&FIXED({second},2)&" $ (+"&FIXED(({second}/MIN({costs})-1)*100,0)&" %), batch "&INDEX({sizes},{at})&". ","")'  # fmt: skip
    fastest = f'IF(COUNT({tpot})>1,"Fastest at batch "&{BATCH}&": "&INDEX({names},MATCH(MIN({tpot}),{tpot},0))&", "&FIXED(MIN({tpot}),1)&" ms per token.","")'  # fmt: skip
    gaps = "&".join(f"$S${r}" for r in range(first, last + 1))
    larger = f'IF(COUNT({costs})>0," Each at the batch that costs it least with a TPOT of at most "&{TARGET}&" ms.",IF(COUNT({tpot})>0," Prices: type them below.",""))'
    return f"=TRIM({runner}&{fastest}&{gaps}&{larger})"


def _decision_charts(ws: Worksheet, plan: Plan, at: int, first: int, last: int) -> None:
    names = Reference(ws, min_col=3, min_row=first, max_row=last)

    def column(c: int) -> Reference:
        return Reference(ws, min_col=c, min_row=first, max_row=last)

    plots = (
        ("$ per million output tokens, at its best batch", 14, "$", style.SERIES[0], "0.00", "B", "F"),
        ("Time per output token, batch of the inputs", 9, "ms", style.SERIES[2], "0", "G", "K"),
        ("Throughput of one replica, batch of the inputs", 10, "token/s", style.SERIES[1], "#,##0", "L", "Q"),
    )
    for name, number, unit, color, fmt, left, right in plots:
        chart = style.bar_chart(name, [column(number)], names, unit, colors=[color], fmt=fmt)
        style.place(ws, chart, f"{left}{at}:{right}{at + 14}")


def _why_block(ws: Worksheet, plan: Plan, top: int, first: int) -> None:
    style.heading(ws, f"B{top}", "Why")
    style.note(ws, f"D{top}", "Memory, and so the number of devices")
    style.note(ws, f"I{top}", "Speed of decode")
    full, mean = FULL.format(p=""), MEAN.format(p="")
    for i, row in enumerate(plan.rows):
        r, t = top + 1 + i, first + i
        name = style.put(ws, f"B{r}", f"=$C{t}")
        name.font, name.alignment = style.font(9, bold=True), Alignment(vertical="top")
        args = f"{MODEL},{plan.figures(row.chip)},{BATCH}"
        speed = f'=IF(ISNUMBER($E{t}),MLSIM_WHY("MLSIM_DECODE_LATENCY",{args},{mean},{PRECISION},$E{t}),"–")'
        size = f'=MLSIM_WHY("MLSIM_MIN_DEVICES",{args},{full},{PRECISION})'
        style.paragraph(ws, f"D{r}", f"H{r}", size, 8.5)
        style.paragraph(ws, f"I{r}", f"Q{r}", speed, 8.5)
        ws.row_dimensions[r].height = 40
