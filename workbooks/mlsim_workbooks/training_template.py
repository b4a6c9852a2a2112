"""The training workbook: how long a run takes, what it costs, whether it fits, and which layout is fastest.

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
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.planner.training import PARTS
from mlsim.planner.training_memory import TERMS
from mlsim.registry import load
from mlsim_workbooks import style
from mlsim_workbooks.checks import FIRST_ROW as CHECK_ROW
from mlsim_workbooks.checks import Field, add_checks_sheet, add_units_sheet
from mlsim_workbooks.reproducible import save_template

__all__ = ["build_training"]

# Runtimes that train and precisions that training is done in; others may be typed.
RUNTIMES = ("Megatron-Core", "FSDP", "MaxText training", "PaxML", "InternEvo", "Megatron-DeepSpeed", "Megatron-2022", "Megatron-2020")  # fmt: skip
PRECISIONS = ("bf16", "fp16", "fp8", "fp8-block", "mxfp8", "nvfp4", "tf32", "fp32")
RECOMPUTE = ("none", "attention", "full", "least")
SHARDINGS = ("none", "ZeRO-1", "ZeRO-2", "ZeRO-3")

# Where things stand on the sheet Plan: (name, label, example, number format), from row TOP on.
TOP = 7
INPUTS = (
    ("model", "Model", "Llama-3-70B", None), ("chip", "Hardware", "H100-SXM-80GB", None),
    ("devices", "Devices", 64, "#,##0"), ("batch", "Batch (sequences per step)", 128, "#,##0"),
    ("sequence", "Sequence (tokens)", 8192, "#,##0"), ("precision", "Precision of matmuls", "bf16", None),
    ("runtime", "Runtime", "Megatron-Core", None), ("tokens", "Tokens to train on", "1 Ttoken", None),
    ("price", "Price of a device hour", "2.50 $/GPU-h", None),
    ("goodput", "Goodput (see About)", 1, "0%"), ("convention", "FLOP that count in MFU", "model", None),
)  # fmt: skip
LAYOUT = (
    ("tp", "Tensor parallel (tp)", 8, "0"), ("pp", "Pipeline stages (pp)", 2, "0"), ("cp", "Context parallel (cp)", 1, "0"),
    ("ep", "Expert parallel (ep)", 1, "0"), ("chunks", "Chunks of a device", 1, "0"),
    ("micro", "Micro-batch (sequences)", 1, "0"), ("recompute", "Recompute", "none", None),
    ("sharding", "Sharding over replicas", "ZeRO-1", None),
)  # fmt: skip
IN = {name: f"Plan!$D${TOP + i}" for i, (name, *_) in enumerate(INPUTS)}
IN |= {name: f"Plan!$I${TOP + i}" for i, (name, *_) in enumerate(LAYOUT)}
RESULTS = ("step", "interval", "per device", "mfu", "steps", "days", "hours", "cost", "memory", "capacity", "free")
OUT = {name: f"Plan!$O${TOP + i}" for i, name in enumerate(RESULTS)}
DP = f"Plan!$I${TOP + len(LAYOUT)}"
SENTENCES = TOP + len(INPUTS) + 1  # row of the sentences under inputs, layout and results
WHY = SENTENCES + 4  # row of the sentence about the step; that about the memory is below
CHARTS = WHY + 3

# Where things stand on the sheet Ranked plans: each table starts with your layout.
COUNT = 8
PLANS = 8  # your layout; the ranked plans follow
MEMORY, TIME, GROUPED = PLANS + COUNT + 6, PLANS + 2 * COUNT + 12, PLANS + 3 * COUNT + 18
RANKED = "'Ranked plans'!"
PLAN_HEADS = ("Rank", "tp", "pp", "cp", "ep", "dp", "Chunks", "Micro-batch", "Recompute", "Sharding", "Step", "Memory",
              "MFU (model FLOP)", "Token/s per device", "Faster than yours by", "Training time", "Cost")  # fmt: skip
PLAN_COLUMNS = 14  # of MLSIM_PARALLEL_PLAN

# What the parts of a step are gathered into for the chart.
GROUPS = (
    ("matmul", ("matmul",)), ("attention", ("attention",)), ("elementwise kernels", ("elementwise",)), ("output head", ("head",)),
    ("recomputation", ("recompute",)), ("communication", ("tensor", "context", "expert", "pipeline", "data")),
    ("pipeline bubble", ("bubble",)), ("optimiser, host, stragglers", ("optimizer", "offload", "overhead")),
)  # fmt: skip
TIME_COLOURS = ("1F3A5F", "2E75B6", "8FB8DE", "17869E", "B59A00", "E08A2E", "C23B4B", "9AA5B1")
MEMORY_COLOURS = ("1F3A5F", "2E75B6", "8FB8DE", "3A9A6E", "B59A00", "E08A2E", "9AA5B1")

# Where things stand on the sheet What if.
FACTORS = (0.25, 0.5, 1, 2, 4, 8)
SCALE = 8
SCALE_CHARTS = SCALE + len(FACTORS) + 1
MICROS = (1, 2, 4, 8)
MICRO = SCALE_CHARTS + 21
GRID = MICRO + len(MICROS) + 5

# And on the sheet Communication.
MESSAGES = ("1 KiB", "4 KiB", "16 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB", "16 MiB", "64 MiB", "256 MiB", "1 GiB")
LINKS = 9
LINK_CHARTS = LINKS + len(MESSAGES) + 2
BUBBLES = LINK_CHARTS + 22
STAGES = (2, 4, 8, 16)
PASSES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

_S, _RATE, _GIB, _DAYS, _MONEY = (
    '0.000" s"', "#,##0", '0.0" GiB"', '#,##0.0" days"', '[>=10000000]#,##0.0,," M$";#,##0" $"',
)  # fmt: skip


def _case(devices: str = IN["devices"], tokens: str = "", **layout: str) -> str:
    """Return the arguments of the training functions: your layout, with what is given in place of it."""
    at = {**IN, **layout}
    names = ("tp", "pp", "micro", "recompute", "sharding", "precision", "runtime", "cp", "ep", "chunks")
    head = f"{at['model']},{at['chip']},{tokens + ',' if tokens else ''}{devices},{at['batch']},{at['sequence']}"
    return f"{head},{','.join(at[name] for name in names)}"


SEARCH = (
    ",".join(IN[n] for n in ("model", "chip", "devices", "batch", "sequence", "precision", "runtime")) + f",{COUNT}"
)
PRICE = f"Checks!$I${CHECK_ROW}"
TOKENS = "Lists!$J$2"  # as a number
BAD_TOKENS = "✗ Tokens: write a number, a space and a unit, such as 15 Ttoken."


def build_training(out: str | Path) -> Path:
    """Write the training workbook; return its path."""
    wb = Workbook()
    style.use_font(wb)
    names = ("Plan", "Ranked plans", "What if", "Communication", "About", "Checks", "Lists")
    sheets = {name: wb.create_sheet(name) for name in names}
    del wb[wb.sheetnames[0]]
    add_units_sheet(wb)
    add_checks_sheet(
        sheets["Checks"], [Field("price", "your hardware", "Price of a device hour", IN["price"], None, "")]
    )
    lists = _lists(sheets["Lists"])
    _write_plan(sheets["Plan"], lists)
    _write_ranked(sheets["Ranked plans"])
    _plan_charts(sheets["Plan"], sheets["Ranked plans"])
    _write_what_if(sheets["What if"])
    _write_communication(sheets["Communication"])
    _write_about(sheets["About"])
    for name in ("Checks", "Lists"):
        sheets[name].sheet_state = "hidden"
    return save_template(wb, "Plan a training run", out)


# --- hidden sheets -----------------------------------------------------------------------------------------------


def _lists(ws: Worksheet) -> dict[str, str]:
    """Write the names behind the drop-downs; return label -> area. J2 has the tokens as a number."""
    linked = [n for n in load.chip_names() if all(load.chip(n).has(a) for a in ("scaleup_bandwidth", "scaleup_domain"))]
    columns: dict[str, Sequence[str]] = {
        "model": sorted((n for n in load.model_names() if load.model(n).kind == "llm"), key=str.casefold),
        "chip": linked, "runtime": [n for n in RUNTIMES if n in load.runtime_names()],
        "precision": [n for n in PRECISIONS if n in load.precision_names()], "recompute": RECOMPUTE, "sharding": SHARDINGS,
        "convention": list(CONVENTIONS), "counts": [f"{c.text} ({c.source})" for c in CONVENTIONS.values()],
    }  # fmt: skip
    areas = style.lists(ws, columns)
    ws["J1"] = "Tokens to train on, as a number"
    ws["J2"] = f'=IF(ISNUMBER({IN["tokens"]}),{IN["tokens"]},MLSIM_CONVERT({IN["tokens"]},"token"))'
    return areas


def _numbers(ws: Worksheet, cells: str, kind: str = "whole", most: str = "10000000") -> None:
    """Ask for whole numbers above 0, or for a share."""
    rule = DataValidation(kind, operator="between", formula1="1" if kind == "whole" else "0.01", formula2=most, showErrorMessage=True)  # fmt: skip
    rule.error = "A whole number above 0." if kind == "whole" else "A share above 0 and up to 100 %."
    ws.add_data_validation(rule)
    for cell in cells.split():
        rule.add(cell)


def _sentence(ws: Worksheet, ref: str, to: str, text: str, size: float = 8.5) -> None:
    style.paragraph(ws, ref, to, text, size)
    ws[ref].alignment = Alignment(wrap_text=True, vertical="center", indent=1)


def _own(formula: str) -> str:
    """Return a formula for the sheet Plan itself."""
    return formula.replace("Plan!", "")


def _seconds(cell: str) -> str:
    """Return a formula of a time as text, with as many digits as it needs."""
    return f'IF({cell}<1,TEXT(1000*{cell},"0.0")&" ms",TEXT({cell},IF({cell}<100,"0.00","#,##0.0"))&" s")'


def _time(days: str) -> str:
    return f'IF({days}<2,TEXT(24*{days},"0.0")&" hours",TEXT({days},IF({days}<10,"0.0","#,##0"))&" days")'


def _dollars(money: str) -> str:
    return f'IF({money}>=9999500,TEXT({money}/1000000,"#,##0.0")&" M$",IF({money}>=9999.5,TEXT({money}/1000,"#,##0")&" k$",TEXT({money},"#,##0")&" $"))'


def _percent(share: str) -> str:
    return f'TEXT(100*{share},"0.0")&" %"'


def _recomputed(sentence: str) -> str:
    """Return the formula of what is recomputed, from the sentence about a step: 'least' is an answer only then."""
    start = f'FIND("recomputing ",{sentence})+12'
    return f'IFERROR(MID({sentence},{start},FIND(") takes",{sentence})-{start.replace("+12", "")}-12),"–")'


# --- Plan --------------------------------------------------------------------------------------------------------


def _write_plan(ws: Worksheet, lists: dict[str, str]) -> None:
    style.widths(ws, [2, 14, 13, 13, 13, 2, 14, 13, 11, 11, 2, 12, 12, 6, 14, 14, 1])
    style.title(ws, "B1", "Plan a training run", "How long it takes, what it costs, whether it fits, and which layout is fastest. Change the yellow cells.")  # fmt: skip
    style.banner(ws, "B3:P3", _own(_answer()), 13, 36)
    style.flag_cells(ws, "B3:P3", "$B$3")
    style.banner(ws, "B4:P4", _own(_second()), 10.5, 32)
    ws["B4"].font = style.font(10.5, style.TEXT)
    style.flag_cells(ws, "B4:P4", "$B$4")
    for ref, text in ((f"B{TOP - 1}", "The run"), (f"G{TOP - 1}", "Your layout"), (f"L{TOP - 1}", "Results of your layout")):  # fmt: skip
        style.heading(ws, ref, text)
    for i, (name, label, value, fmt) in enumerate(INPUTS):
        style.put(ws, f"B{TOP + i}", label)
        style.input_cell(ws, f"D{TOP + i}", value, fmt, to=f"E{TOP + i}")
        ws.row_dimensions[TOP + i].height = 18
        if name in lists:
            style.choice(ws, lists[name], f"D{TOP + i}", name == "convention")
    for i, (name, label, value, fmt) in enumerate(LAYOUT):
        style.put(ws, f"G{TOP + i}", label)
        style.input_cell(ws, f"I{TOP + i}", value, fmt, to=f"J{TOP + i}")
        if name in lists:
            style.choice(ws, lists[name], f"I{TOP + i}", True)
    derived = (
        ("Replicas (dp), what is left", f"={IN['devices']}/({IN['tp']}*{IN['pp']}*{IN['cp']})", "0.###"),
        ("Micro-batches per replica", f"=MAX(1,{IN['batch']}/({DP}*{IN['micro']}))", "#,##0.##"),
        ("Tokens per step", f"={IN['batch']}*{IN['sequence']}", "#,##0"),
    )
    for i, (label, formula, fmt) in enumerate(derived, TOP + len(LAYOUT)):
        style.put(ws, f"G{i}", label)
        style.body(ws, f"J{i}", None)
        style.locked(style.body(ws, f"I{i}", _own(formula), fmt, "center"))
        ws.merge_cells(f"I{i}:J{i}")
    _numbers(ws, f"D{TOP + 2}:D{TOP + 4} I{TOP}:I{TOP + 5}")
    _numbers(ws, f"D{TOP + 9}", "decimal", "1")
    _results(ws)
    _sentences(ws, lists)
    style.page(ws, None, tab="1F3A5F")
    ws.print_area = f"A1:Q{CHARTS + 22}"
    ws.page_setup.fitToHeight = 1


def _results(ws: Worksheet) -> None:
    case = _case()
    parts = f"MLSIM_TRAIN_MEMORY_PARTS({case})"
    low, high = (f'INDEX(MLSIM_INTERVAL("MLSIM_TRAIN_STEP",{case}),1,{i})' for i in (1, 2))
    rows = (
        ("Time of a step", f"=MLSIM_TRAIN_STEP({case})", _S),
        ("80 % interval of a step", f'=TEXT({low},"0.00")&" to "&TEXT({high},"0.00")&" s"', None),
        ("Token/s per device", f"={IN['batch']}*{IN['sequence']}/{OUT['step']}/{IN['devices']}", "#,##0"),
        ("MFU (what counts: see below)", f"=MLSIM_MFU({case},{IN['convention']})", "0.0%"),
        ("Optimiser steps", f"={TOKENS}/({IN['batch']}*{IN['sequence']})", "#,##0"),
        ("Training time", f"=MLSIM_TRAIN_TIME({_case(tokens=IN['tokens'])},{IN['goodput']})", _DAYS),
        ("Device hours", f"={OUT['days']}*24*{IN['devices']}", "#,##0"),
        ("Cost", f'=IF(ISNUMBER({PRICE}),{OUT["hours"]}*{PRICE},"price?")', _MONEY),
        ("Memory of the fullest device", f"=MLSIM_TRAIN_MEMORY({case})", _GIB),
        ("Memory of a device", f"=INDEX({parts},{len(TERMS) + 3},2)", _GIB),
        ("Free", f"={OUT['capacity']}-{OUT['memory']}", '0.0" GiB";-0.0" GiB"'),
    )
    for i, (label, formula, fmt) in enumerate(rows):
        style.put(ws, f"L{TOP + i}", label)
        style.body(ws, f"P{TOP + i}", None)
        style.body(ws, f"O{TOP + i}", _own(formula), fmt, "center").font = style.font(10, bold=True)
        ws.merge_cells(f"O{TOP + i}:P{TOP + i}")
    area = f"O{TOP}:P{TOP + len(rows) - 1}"
    style.mute_errors(ws, area)
    free = _own(OUT["free"])
    style.flag_cells(ws, f"O{TOP + 8}:P{TOP + 10}", f'IF(ISNUMBER({free}),IF({free}>=0,"✓","✗"),"")')


def _sentences(ws: Worksheet, lists: dict[str, str]) -> None:
    """Write what each column of the inputs comes down to, and why a step takes its time and memory."""
    r, e = SENTENCES, SENTENCES + 1
    _sentence(ws, f"B{r}", f"E{e}", f'=IF(ISERROR({TOKENS}),"{BAD_TOKENS}","Price: "&Checks!$O${CHECK_ROW})')
    style.flag_cells(ws, f"B{r}:E{e}", f'IF(ISERROR({TOKENS}),"✗",LEFT(Checks!$O${CHECK_ROW},1))')
    wrong = f'"✗ "&MLSIM_WHY("MLSIM_TRAIN_STEP",{_case()})'
    right = f'"✓ tp "&{IN["tp"]}&" · pp "&{IN["pp"]}&" · cp "&{IN["cp"]}&" · dp "&{DP}&" = "&{IN["devices"]}&IF({IN["devices"]}=1," device."," devices.")'
    _sentence(ws, f"G{r}", f"J{e}", _own(f"=IF(ISERROR({OUT['step']}),{wrong},{right})"))
    style.flag_cells(ws, f"G{r}:J{e}", f"$G${r}")
    counts = f"INDEX({lists['counts']},MATCH({IN['convention']},{lists['convention']},0))"
    _sentence(ws, f"L{r}", f"P{e}", _own(f'="MFU counts "&{counts}&"."'))
    for row in (r, e):
        ws.row_dimensions[row].height = 22
    style.heading(ws, f"B{WHY - 1}", "Why")
    for row, name in ((WHY, "MLSIM_TRAIN_STEP"), (WHY + 1, "MLSIM_TRAIN_MEMORY")):
        _sentence(ws, f"B{row}", f"P{row}", _own(f'=MLSIM_WHY("{name}",{_case()})'), 9)
        ws.row_dimensions[row].height = 27


def _answer() -> str:
    """Return the formula of the line on top."""
    cost = f'IF(ISNUMBER({OUT["cost"]}),", "&{_dollars(OUT["cost"])}&" at "&{IN["price"]},"")'
    tokens = f'IF(ISNUMBER({IN["tokens"]}),TEXT({IN["tokens"]}/10^9,"#,##0.###")&" Gtoken",{IN["tokens"]})'
    good = (
        f'IF({OUT["free"]}>=0,"✓ ","✗ ")&{IN["model"]}&" on "&{IN["devices"]}&" "&{IN["chip"]}&": "&{_seconds(OUT["step"])}'
        f'&" per step (MFU "&TEXT(100*{OUT["mfu"]},"0")&" %), "&{_time(OUT["days"])}&" for "&{tokens}&{cost}&"; "'
        f'&TEXT({OUT["memory"]},"0.0")&" of "&TEXT({OUT["capacity"]},"0.0")&" GiB: "&IF({OUT["free"]}>=0,"it fits.","it does not fit.")'
    )
    reason = f'"✗ "&MLSIM_WHY("MLSIM_TRAIN_TIME",{_case(tokens=IN["tokens"])},{IN["goodput"]})'
    return f'=IF(ISERROR({OUT["days"]}),{reason},IF(ISERROR({TOKENS}),"{BAD_TOKENS}",IFERROR({good},"✗ Something here cannot be predicted: see the sentences below.")))'


def _second() -> str:
    """Return the formula of the line under the answer: the fastest layout that fits, and what it saves."""
    best = {c: f"{RANKED}${c}${PLANS + 1}" for c in "BCDEFGHIJKLMPQR"}
    layout = (
        f'"tp "&{best["C"]}&" · pp "&{best["D"]}&" · cp "&{best["E"]}&IF({best["F"]}>1," · ep "&{best["F"]},"")&" · dp "&{best["G"]}'
        f'&IF({best["H"]}>1,", "&{best["H"]}&" chunks","")&", micro-batch "&{best["I"]}&", recompute "&{best["J"]}&", sharding "&{best["K"]}'
        f'&": "&{_seconds(best["L"])}&", "&TEXT({best["M"]},"0.0")&" GiB"'
    )
    saved, money = f"({OUT['days']}-{best['Q']})", f"({OUT['cost']}-{best['R']})"
    saves = f'IF(ISERROR({saved}),"","; saves "&{_time(saved)}&IF(ISNUMBER({best["R"]})," and "&{_dollars(money)},""))'
    gain = (
        f'IF(ISERROR({OUT["step"]}),".",IF({best["P"]}>0.0005,", "&{_percent(best["P"])}&" faster than yours"&{saves}&".",'
        f'IF({OUT["free"]}<0,". Yours would be as fast, but does not fit.",": yours is as fast.")))'
    )
    none = f'"✗ No layout to rank: "&MLSIM_WHY("MLSIM_PARALLEL_PLAN",{SEARCH})'
    return f'=IF(ISNUMBER({best["B"]}),"Fastest layout that fits: "&{layout}&{gain},{none})'


def _plan_charts(ws: Worksheet, plans: Worksheet) -> None:
    """Draw memory and time of your layout beside those of the ranked plans."""
    last = MEMORY + COUNT
    labels = Reference(plans, min_col=2, min_row=MEMORY, max_row=last)
    columns = [Reference(plans, min_col=3 + i, min_row=MEMORY - 1, max_row=last) for i in range(len(TERMS))]
    chart = style.bar_chart("Memory of the fullest device (dash: what it has)", columns, labels, "GiB", stacked=True, colors=MEMORY_COLOURS, fmt="0", titles=True)  # fmt: skip
    chart += style.limit_marks(Reference(plans, min_col=4 + len(TERMS), min_row=MEMORY - 1, max_row=last), "C23B4B")
    style.place(ws, chart, f"B{CHARTS}:H{CHARTS + 21}")
    last = GROUPED + COUNT
    labels = Reference(plans, min_col=2, min_row=GROUPED, max_row=last)
    columns = [Reference(plans, min_col=3 + i, min_row=GROUPED - 1, max_row=last) for i in range(len(GROUPS))]
    chart = style.bar_chart("Where the time of a step goes", columns, labels, "s per step", stacked=True, colors=TIME_COLOURS, titles=True)  # fmt: skip
    style.place(ws, chart, f"I{CHARTS}:P{CHARTS + 21}")
    style.note(ws, f"B{CHARTS + 22}", '="Each bar: yours, then the "&COUNT(' + f"{RANKED}$B${PLANS + 1}:$B${PLANS + COUNT}" + ')&" fastest layouts that fit, by tensor, pipeline, context and expert parallelism; all of them on the sheet Ranked plans."')  # fmt: skip


# --- Ranked plans ------------------------------------------------------------------------------------------------


def _write_ranked(ws: Worksheet) -> None:
    style.widths(ws, [2, 21, *[13] * 16, 1])
    style.title(ws, "B1", "The fastest layouts that fit", "The fastest plan of each split of the devices: every micro-batch, interleaving, recomputation and sharding is tried; what needs more memory than a device has is left out.")  # fmt: skip
    style.banner(ws, "B3:R3", "=Plan!$B$4", 11, 32)
    style.flag_cells(ws, "B3:R3", "$B$3")
    style.heading(ws, f"B{PLANS - 3}", "Layouts")
    _sentence(ws, f"C{PLANS - 3}", f"R{PLANS - 3}", _doubt(), 9)
    style.flag_cells(ws, f"C{PLANS - 3}:R{PLANS - 3}", f"$C${PLANS - 3}", ok=False)
    style.header(ws, PLANS - 1, 2, PLAN_HEADS, 32)
    looks = (*["0"] * 8, None, None, _S, _GIB, "0.0%", "#,##0")
    own = (
        '"yours"', *(IN[n] for n in ("tp", "pp", "cp", "ep")), DP, IN["chunks"], IN["micro"], _recomputed(f"Plan!$B${WHY}"),
        IN["sharding"], OUT["step"], OUT["memory"], f'MLSIM_MFU({_case()},"model")', OUT["per device"],
    )  # fmt: skip
    for i in range(COUNT + 1):
        r = PLANS + i
        for j, fmt in enumerate(looks, 1):
            value = f"={own[j - 1]}" if i == 0 else f'=IFERROR(INDEX(MLSIM_PARALLEL_PLAN({SEARCH}),{i + 1},{j}),"")'
            style.body(ws, ws.cell(r, j + 1).coordinate, value, fmt, "center")
        days = f"{TOKENS}/($O{r}*{IN['devices']})/86400/{IN['goodput']}"
        cost = f'IF(ISNUMBER({PRICE}),$Q{r}*24*{IN["devices"]}*{PRICE},"price?")'
        there = f'IF(ISNUMBER($B{r}),{{}},"")' if i else "{}"
        gap = f'IFERROR($O{r}/$O${PLANS}-1,"–")' if i else '"–"'
        for column, formula, fmt in (("P", gap, "+0.0%;-0.0%;0.0%"), ("Q", days, _DAYS), ("R", cost, _MONEY)):
            style.body(ws, f"{column}{r}", "=" + there.format(formula), fmt, "center")
        ws.row_dimensions[r].height = 18
    last = PLANS + COUNT
    style.mute_errors(ws, f"B{PLANS}:R{last}")
    style.mark_when(ws, f"B{PLANS}:R{last}", f"$B{PLANS}=1")
    style.note(ws, f"B{last + 1}", "Faster by: token/s against yours. Where replicas do not divide the batch, the one with most sequences sets the pace. MFU here counts full attention, no recomputation, the output head.")  # fmt: skip
    _memory_table(ws)
    _time_tables(ws)
    style.page(ws, None, tab="2E75B6")
    ws.print_area = f"A1:S{GROUPED + COUNT + 1}"
    ws.page_setup.fitToHeight = 1


def _doubt() -> str:
    """Return the formula of a warning where a plan's terms, as the functions give them, are not those of the search."""
    steps, totals = f"$L${PLANS + 1}:$L${PLANS + COUNT}", f"$Q${TIME + 1}:$Q${TIME + COUNT}"
    needs, sums = f"$M${PLANS + 1}:$M${PLANS + COUNT}", f"$J${MEMORY + 1}:$J${MEMORY + COUNT}"
    far = f"OR(ABS(SUM({totals})/SUM({steps})-1)>0.005,ABS(SUM({sums})/SUM({needs})-1)>0.005)"
    text = "⚠ Some plans split the activations between matmuls (sequence parallel) otherwise than this runtime usually does, or take a smaller batch: their terms below are those of the usual way, and differ from step and memory here."
    return f'=IF(COUNT({steps})=0,"",IF({far},"{text}",""))'


def _plan_case(r: int) -> str:
    """Return the arguments of a ranked plan; what is recomputed may read '40% of layers', which is the least that fits."""
    recompute = f'IF(OR($J{r}="none",$J{r}="attention",$J{r}="full"),$J{r},"least")'
    return _case(tp=f"$C{r}", pp=f"$D{r}", cp=f"$E{r}", ep=f"$F{r}", chunks=f"$H{r}", micro=f"$I{r}", recompute=recompute, sharding=f"$K{r}")  # fmt: skip


def _terms(ws: Worksheet, top: int, function: str, rows: Sequence[int], fmt: str) -> None:
    """Write what a function gives for each plan, a plan per line, cell by cell."""
    for i in range(COUNT + 1):
        r, p = top + i, PLANS + i
        _label(ws, r, p, i)
        case = _plan_case(p) if i else _case()
        for j, row in enumerate(rows):
            value = f"INDEX({function}({case}),{row},2)"
            style.body(ws, ws.cell(r, 3 + j).coordinate, f'=IF(ISNUMBER($B{p}),{value},"")' if i else f"={value}", fmt, "center")  # fmt: skip
    style.mute_errors(ws, f"C{top}:{ws.cell(top, 2 + len(rows)).column_letter}{top + COUNT}")


def _label(ws: Worksheet, r: int, p: int, i: int) -> None:
    """Write a plan's name, as the charts show it."""
    name = (
        f'=IF(ISNUMBER($B{p}),$B{p}&": tp"&$C{p}&" pp"&$D{p}&IF($E{p}>1," cp"&$E{p},"")&IF($F{p}>1," ep"&$F{p},""),"")'
        if i
        else "yours"
    )
    style.body(ws, f"B{r}", name, None, "left")


def _memory_table(ws: Worksheet) -> None:
    style.heading(ws, f"B{MEMORY - 2}", "Memory of the fullest device, in GiB")
    style.header(ws, MEMORY - 1, 2, ("Layout", *TERMS, "total", "capacity", "free"), 20)
    _terms(ws, MEMORY, "MLSIM_TRAIN_MEMORY_PARTS", range(2, len(TERMS) + 4), "0.00")
    for r in range(MEMORY, MEMORY + COUNT + 1):
        style.body(ws, f"L{r}", f'=IF(ISTEXT(J{r}),"",K{r}-J{r})', "0.00", "center")
    style.mute_errors(ws, f"L{MEMORY}:L{MEMORY + COUNT}")
    style.flag_cells(ws, f"L{MEMORY}:L{MEMORY + COUNT}", f'IF(ISNUMBER($L{MEMORY}),IF($L{MEMORY}>=0,"✓","✗"),"")')


def _time_tables(ws: Worksheet) -> None:
    style.heading(ws, f"B{TIME - 2}", "Where the time of a step goes, in s (communication as far as it is not hidden behind computing)")  # fmt: skip
    style.header(ws, TIME - 1, 2, ("Layout", *PARTS, "total"), 20)
    _terms(ws, TIME, "MLSIM_TRAIN_PARTS", range(2, len(PARTS) + 3), "0.000")
    style.heading(ws, f"B{GROUPED - 2}", "The same, gathered for the chart on the sheet Plan")
    style.header(ws, GROUPED - 1, 2, ("Layout", *(name for name, _ in GROUPS), "total"), 44)
    for i in range(COUNT + 1):
        r, p, t = GROUPED + i, PLANS + i, TIME + i
        _label(ws, r, p, i)
        for j, (_, parts) in enumerate(GROUPS):
            cells = "+".join(f"{ws.cell(t, 3 + PARTS.index(part)).coordinate}" for part in parts)
            style.body(ws, ws.cell(r, 3 + j).coordinate, f'=IF(ISNUMBER($B{p}),{cells},"")' if i else f"={cells}", "0.000", "center")  # fmt: skip
        end = ws.cell(r, 2 + len(GROUPS)).column_letter
        style.body(ws, ws.cell(r, 3 + len(GROUPS)).coordinate, f'=IF(ISTEXT(C{r}),"",SUM(C{r}:{end}{r}))', "0.000", "center")  # fmt: skip
    style.mute_errors(ws, f"C{GROUPED}:{ws.cell(1, 3 + len(GROUPS)).column_letter}{GROUPED + COUNT}")


# --- What if -----------------------------------------------------------------------------------------------------


def _verdict(r: int, step: str, memory: str, capacity: str, case: str) -> str:
    """Return the formula of the sentence beside a row: why it cannot be laid out, or whether it fits."""
    need = f'TEXT({memory}{r},"0.0")&" of "&TEXT({capacity}{r},"0.0")&" GiB"'
    return (
        f'=IF(ISERROR({step}{r}),"✗ "&MLSIM_WHY("MLSIM_TRAIN_STEP",{case}),'
        f'IF({memory}{r}<={capacity}{r},"✓ Fits: "&{need}&".","✗ Does not fit: needs "&{need}&"."))'
    )


def _write_what_if(ws: Worksheet) -> None:
    style.widths(ws, [2, 19, *[12] * 13, 1])
    style.title(ws, "B1", "What if", "Your layout of the sheet Plan with one thing changed at a time.")
    _scale(ws)
    _micro(ws)
    _grid(ws)
    style.page(ws, None, tab="E08A2E")
    ws.print_area = f"A1:P{GRID + 15}"
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1


def _scale(ws: Worksheet) -> None:
    """Write step, time and cost over the devices: the same batch over more or fewer replicas."""
    top, last = SCALE, SCALE + len(FACTORS) - 1
    style.heading(ws, f"B{top - 4}", "More or fewer devices")
    style.note(ws, f"B{top - 3}", '="The batch stays at "&' + IN["batch"] + '&" sequences and tp, pp and cp as they are: the number of replicas follows the devices."')  # fmt: skip
    _sentence(ws, f"B{top - 2}", f"O{top - 2}", _scale_answer(), 10)
    ws[f"B{top - 2}"].font = style.font(10, style.NAVY, bold=True)
    ws.row_dimensions[top - 2].height = 18
    style.header(ws, top - 1, 2, ("Devices × ", "Devices", "Replicas (dp)", "Step", "Token/s of all", "Scaling efficiency", "Training time",
                                  "Cost", "Memory", "Memory of a device", "Fits?", "", "", ""), 32)  # fmt: skip
    ws.merge_cells(f"L{top - 1}:O{top - 1}")
    base = top + FACTORS.index(1)
    for r, factor in enumerate(FACTORS, top):
        case = _case(f"$C{r}")
        cells = (
            ("B", factor, '"× "0.##'), ("C", f"={IN['devices']}*$B{r}", "#,##0.##"),
            ("D", f"=$C{r}/({IN['tp']}*{IN['pp']}*{IN['cp']})", "#,##0.##"), ("E", f"=MLSIM_TRAIN_STEP({case})", _S),
            ("F", f"={IN['batch']}*{IN['sequence']}/E{r}", "#,##0"), ("G", f"=F{r}/C{r}/(F${base}/C${base})", "0%"),
            ("H", f"={TOKENS}/F{r}/86400/{IN['goodput']}", _DAYS),
            ("I", f'=IF(ISNUMBER({PRICE}),H{r}*24*C{r}*{PRICE},"price?")', _MONEY),
            ("J", f"=MLSIM_TRAIN_MEMORY({case})", _GIB), ("K", f"=INDEX(MLSIM_TRAIN_MEMORY_PARTS({case}),{len(TERMS) + 3},2)", _GIB),
            ("Q", f'=IF(ISERROR(I{r}),0,IF(ISNUMBER(I{r}),IF(J{r}<=K{r},I{r}/1000,0),0))', "0"),
            ("R", f'=IF(ISERROR(I{r}),0,IF(ISNUMBER(I{r}),IF(J{r}>K{r},I{r}/1000,0),0))', "0"),
            ("S", f"=IFERROR(H{r},H${base})", "0.0"), ("T", f"=H${base}*C${base}/C{r}", "0.0"),
            ("U", f"=IF(ISERROR(H{r}),C${base},C{r})", "0"),
        )  # fmt: skip
        for column, value, fmt in cells:
            style.body(ws, f"{column}{r}", value, fmt, "center")
        _sentence(ws, f"L{r}", f"O{r}", _verdict(r, "E", "J", "K", case))
        ws.row_dimensions[r].height = 24
    style.flag_cells(ws, f"L{top}:O{last}", f"$L{top}")
    style.mute_errors(ws, f"C{top}:K{last}")
    style.grey_when(ws, f"B{top}:K{last}", f'LEFT($L{top},1)="✗"')
    for column, text in zip("QRSTU", ("fits", "does not fit", "days", "ideal days", "devices"), strict=True):
        style.put(ws, f"{column}{top - 1}", text)
        ws.column_dimensions[column].width = 11
        for r in range(top - 1, last + 1):
            ws[f"{column}{r}"].font = style.font(8, style.MUTED)
    style.put(ws, f"Q{top - 2}", "For the charts (cost in k$)").font = style.font(8, style.MUTED)

    def area(column: int, first: int = top) -> Reference:
        return Reference(ws, min_col=column, min_row=first, max_row=last)

    lines = [(area(3), area(20), "if it scaled perfectly", "9DC3E6", "line"), (area(21), area(19), "training time", style.SERIES[0], "both")]  # fmt: skip
    chart = style.scatter_chart("Training time", lines, "devices", "days", log_x=2, log_y=10)
    style.place(ws, chart, f"B{SCALE_CHARTS}:G{SCALE_CHARTS + 16}")
    chart = style.bar_chart("Cost of the run", [area(17, top - 1), area(18, top - 1)], area(3), "k$", stacked=True, colors=(style.SERIES[0], style.GREY[1]), fmt="#,##0", titles=True)  # fmt: skip
    chart.x_axis.title = None
    style.place(ws, chart, f"H{SCALE_CHARTS}:O{SCALE_CHARTS + 16}")


def _scale_answer() -> str:
    """Return the formula of what the largest number of devices brings."""
    base, double = SCALE + FACTORS.index(1), SCALE + FACTORS.index(2)
    money = f'IF(ISNUMBER($I{double}),", cost "&TEXT(100*($I{double}/$I{base}-1),"+0.0;-0.0;0.0")&" %","")'
    good = f'"Twice the devices: "&{_time(f"$H{double}")}&" in place of "&{_time(f"$H{base}")}&{money}&" (scaling efficiency "&TEXT(100*$G{double},"0")&" %)."'
    return f'=IFERROR({good},"Twice the devices cannot be laid out so: see the sentence in its line.")'


def _micro(ws: Worksheet) -> None:
    """Write memory and step over the micro-batch."""
    top, last = MICRO, MICRO + len(MICROS) - 1
    style.heading(ws, f"B{top - 3}", "Larger micro-batches")
    style.note(ws, f"B{top - 2}", "A larger pass makes matmuls larger and the pipeline's bubble longer, and keeps more activations. With recompute 'least' as many layers are recomputed as the memory asks for.")  # fmt: skip
    style.header(ws, top - 1, 2, ("Micro-batch", "Passes per replica", "Recomputed", "Step", "Token/s per device", "weights and gradients", "optimiser states",
                                  "activations and rest", "total", "capacity", "Fits?", "", "", ""), 32)  # fmt: skip
    ws.merge_cells(f"L{top - 1}:O{top - 1}")
    for r, micro in enumerate(MICROS, top):
        case = _case(micro=f"$B{r}")
        parts = f"MLSIM_TRAIN_MEMORY_PARTS({case})"
        at = {name: f"INDEX({parts},{2 + i},2)" for i, name in enumerate((*TERMS, "total", "capacity"))}
        cells = (
            ("B", micro, "0"), ("C", f"={IN['batch']}/{DP}/MIN($B{r},{IN['batch']}/{DP})", "#,##0.##"),
            ("D", "=" + _recomputed(f"$Q{r}"), None), ("E", f"=MLSIM_TRAIN_STEP({case})", _S),
            ("F", f"={IN['batch']}*{IN['sequence']}/E{r}/{IN['devices']}", "#,##0"),
            ("G", f"={at['weights']}+{at['gradients']}", _GIB), ("H", f"={at['optimizer']}", _GIB),
            ("I", f"=J{r}-G{r}-H{r}", _GIB), ("J", f"={at['total']}", _GIB), ("K", f"={at['capacity']}", _GIB),
            ("Q", f'=MLSIM_WHY("MLSIM_TRAIN_STEP",{case})', None),
        )  # fmt: skip
        for column, value, fmt in cells:
            style.body(ws, f"{column}{r}", value, fmt, "center")
        ws[f"Q{r}"].alignment = Alignment(horizontal="fill")
        ws[f"Q{r}"].font = style.font(8, style.MUTED)
        _sentence(ws, f"L{r}", f"O{r}", _verdict(r, "E", "J", "K", case))
        ws.row_dimensions[r].height = 24
    style.flag_cells(ws, f"L{top}:O{last}", f"$L{top}")
    style.mute_errors(ws, f"C{top}:K{last}")
    style.grey_when(ws, f"B{top}:K{last}", f'LEFT($L{top},1)="✗"')
    columns = [Reference(ws, min_col=c, min_row=top - 1, max_row=last) for c in (7, 8, 9)]
    labels = Reference(ws, min_col=2, min_row=top, max_row=last)
    chart = style.bar_chart("Memory against the micro-batch (dash: what a device has)", columns, labels, "GiB", stacked=True, colors=("1F3A5F", "8FB8DE", "3A9A6E"), fmt="0", titles=True)  # fmt: skip
    chart += style.limit_marks(Reference(ws, min_col=11, min_row=top - 1, max_row=last), "C23B4B")
    style.place(ws, chart, f"H{GRID - 2}:O{GRID + 14}")


def _grid(ws: Worksheet) -> None:
    """Write step and memory over recomputation and sharding."""
    style.heading(ws, f"B{GRID - 2}", "Other recomputation and sharding")
    for top, name, fmt, what in ((GRID, "MLSIM_TRAIN_STEP", _S, "Step"), (GRID + 5, "MLSIM_TRAIN_MEMORY", _GIB, "Memory")):  # fmt: skip
        style.header(ws, top - 1, 2, (f"{what}: recompute", *SHARDINGS), 20)
        for r, recompute in enumerate(RECOMPUTE[:3], top):
            style.body(ws, f"B{r}", recompute, None, "left")
            for column, sharding in zip("CDEF", SHARDINGS, strict=True):
                case = _case(recompute=f'"{recompute}"', sharding=f'"{sharding}"')
                style.body(ws, f"{column}{r}", f"={name}({case})", fmt, "center")
    step, memory = f"C{GRID}:F{GRID + 2}", f"C{GRID + 5}:F{GRID + 7}"
    for area, need in ((step, f"C{GRID + 5}"), (memory, f"C{GRID + 5}")):
        style.grey_when(ws, area, f"ISERROR({need})")
        style.flag_cells(ws, area, f'IF({need}<={OUT["capacity"]},"✓","✗")')
    style.note(ws, f"B{GRID + 8}", "Green: it fits. Red: it needs more memory than a device has.")


# --- Communication -----------------------------------------------------------------------------------------------


def _write_communication(ws: Worksheet) -> None:
    style.widths(ws, [2, 14, 12, *[12.5] * 9, 1])
    style.title(ws, "B1", "Communication and pipeline bubble", '="What the collectives of training cost on "&' + IN["chip"] + '&"."')  # fmt: skip
    style.put(ws, "B4", "Devices in one domain (fast links)")
    domain = f'MIN({IN["devices"]},IFERROR(MLSIM_SPEC({IN["chip"]},"scaleup domain"),8))'
    style.locked(style.body(ws, "F4", f"={domain}", "#,##0", "center"))
    style.put(ws, "B5", "All devices (of the sheet Plan)")
    style.locked(style.body(ws, "F5", f"={IN['devices']}", "#,##0", "center"))
    note = f'=IF(ISERROR($D${LINKS}+$H${LINKS}),"✗ "&MLSIM_WHY("MLSIM_ALLREDUCE",{IN["chip"]},$B${LINKS},$F$5),"Message: what each device holds before the collective. Bus bandwidth: that of the all-reduce, 2 (n - 1) / n of the message over the time, to be compared with the speed of the links.")'
    _sentence(ws, "G4", "L5", note, 9)
    style.flag_cells(ws, "G4:L5", "$G$4")
    top, last = LINKS, LINKS + len(MESSAGES) - 1
    for column, text in (("D", '=$F$4&" devices in one domain"'), ("H", '="all "&$F$5&" devices"')):
        end = ws.cell(1, ws[f"{column}1"].column + 3).column_letter
        style.header(ws, top - 2, ws[f"{column}1"].column, [text, "", "", ""], 18)
        ws.merge_cells(f"{column}{top - 2}:{end}{top - 2}")
    each = ("all-reduce [µs]", "all-gather [µs]", "all-to-all [µs]", "bus bandwidth [GB/s]")
    style.header(ws, top - 1, 2, ("Message", "KiB", *each * 2), 44)
    for r, message in enumerate(MESSAGES, top):
        style.body(ws, f"B{r}", message, None, "center")
        style.body(ws, f"C{r}", 4 ** (r - top), "#,##0", "center")
        for first, ranks in (("D", "$F$4"), ("H", "$F$5")):
            names = ("MLSIM_ALLREDUCE", "MLSIM_ALLGATHER", "MLSIM_ALLTOALL")
            for i, name in enumerate(names):
                style.body(ws, f"{chr(ord(first) + i)}{r}", f"={name}({IN['chip']},$B{r},{ranks})", "#,##0.0", "center")
            bus = f"=IF({ranks}=1,0,2*({ranks}-1)/{ranks}*$C{r}*1024/{first}{r}/1000)"
            style.body(ws, f"{chr(ord(first) + 3)}{r}", bus, "#,##0.0", "center")
    style.mute_errors(ws, f"D{top}:K{last}")

    def area(column: int, first: int = top, end: int = last) -> Reference:
        return Reference(ws, min_col=column, min_row=first, max_row=end)

    names = ("all-reduce", "all-gather", "all-to-all")
    near, far = ("9DC3E6", "F3C48F", "A3D3B8"), (style.SERIES[0], style.SERIES[1], style.SERIES[2])
    lines = [(area(3), area(4 + i), f"{name}, one domain", near[i], "both") for i, name in enumerate(names)]
    lines += [(area(3), area(8 + i), f"{name}, all devices", far[i], "both") for i, name in enumerate(names)]
    chart = style.scatter_chart("Time of a collective", lines, "message, KiB", "µs", log_x=10, log_y=10, x_range=(1, 2000000))  # fmt: skip
    style.place(ws, chart, f"B{LINK_CHARTS}:G{LINK_CHARTS + 18}")
    lines = [(area(3), area(c), text, color, "both") for c, text, color in ((7, "one domain", near[0]), (11, "all devices", far[0]))]  # fmt: skip
    chart = style.scatter_chart("Bus bandwidth of an all-reduce", lines, "message, KiB", "GB/s", log_x=10, x_range=(1, 2000000))  # fmt: skip
    style.place(ws, chart, f"H{LINK_CHARTS}:L{LINK_CHARTS + 18}")
    _bubbles(ws)
    style.page(ws, None, tab="3A9A6E")
    ws.print_area = f"A1:M{BUBBLES + len(PASSES) + 9}"
    ws.page_setup.orientation, ws.page_setup.fitToHeight = "portrait", 1


def _bubbles(ws: Worksheet) -> None:
    """Write the share of a step that a pipeline waits."""
    top, last = BUBBLES, BUBBLES + len(PASSES) - 1
    style.heading(ws, f"B{top - 2}", "Pipeline bubble: share of a step that a stage waits")
    style.header(ws, top - 1, 2, ("Micro-batches", *(f"{n} stages" for n in STAGES), f'="yours: "&{IN["pp"]}&" stages, "&{IN["chunks"]}&IF({IN["chunks"]}=1," chunk"," chunks")'), 44)  # fmt: skip
    for r, passes in enumerate(PASSES, top):
        style.body(ws, f"B{r}", passes, "0", "center")
        for column, stages in zip("CDEF", STAGES, strict=True):
            style.body(ws, f"{column}{r}", f"=MLSIM_BUBBLE({stages},$B{r})", "0.0%", "center")
        style.body(ws, f"G{r}", f"=MLSIM_BUBBLE({IN['pp']},$B{r},{IN['chunks']})", "0.0%", "center")
    style.mute_errors(ws, f"C{top}:G{last}")

    def area(column: int) -> Reference:
        return Reference(ws, min_col=column, min_row=top, max_row=last)

    colours = ("C9D3DF", "9DC3E6", "5B9BD5", "1F3A5F")
    lines = [(area(2), area(3 + i), f"{n} stages", colours[i], "both") for i, n in enumerate(STAGES)]
    lines.append((area(2), area(7), "yours", style.SERIES[1], "points"))
    chart = style.scatter_chart("Bubble", lines, "micro-batches", "share of a step", log_x=2, x_range=(1, 256), y_range=(0, 1))  # fmt: skip
    chart.y_axis.number_format = "0%"
    style.place(ws, chart, f"H{top - 2}:L{last + 8}")


# --- About -------------------------------------------------------------------------------------------------------

_ABOUT = (
    ("How to use it", (
        "1. Plan: choose model, hardware, devices and batch in the yellow cells, then your layout. The line on top is the answer; the line under it names the fastest layout that fits and what it saves.",
        "2. Ranked plans: the eight fastest layouts that fit, what fills their memory and where their time goes. Type one of them into 'Your layout' to look at it closely.",
        "3. What if: devices, micro-batch, recomputation and sharding, one at a time. Communication: what the links of the hardware give.",
        "MLSIM_ functions follow a change when the add-in is installed, or with `mlsim recalc` on the saved file. Without either the cached values stay.",
    )),
    ("What the numbers are", (
        "Step: one optimiser step, forward, backward, communication that is not hidden, pipeline bubble, update. It is worked out from FLOP, bytes and messages of every layer, the figures of the hardware below, and a few efficiencies of the runtime that were fitted to published training runs.",
        "Memory: of the fullest device of the fullest stage. Weights, gradients, optimiser states, activations kept for the backward pass, what the layer in work needs, the logits of the loss, the framework. Fragmentation is not in it: leave a few GiB free.",
        "Recompute: 'attention' computes attention's scores again, 'full' whole layers, 'least' as many layers as the memory asks for. Sharding: ZeRO-1 splits optimiser states over the replicas, ZeRO-2 gradients too, ZeRO-3 (FSDP) weights too.",
        "Training time: steps × time of a step / goodput. Goodput is the share of the time that makes progress: failures, restarts, checkpoints and evaluation take the rest (100 %: none). Cost: device hours × price, nothing else.",
        "`mlsim validate` prints how well the predictions hold on published runs that the fit had not seen.",
    )),
    ("Limits", (
        "The links are those of the hardware's reference system, a full fat-tree between domains; other jobs on the network, slow nodes and stragglers beyond the fitted mean are not modelled.",
        "Data loading, checkpoint writing and evaluation are not in the step: put them into the goodput. Padding and packing: the sequence is taken as full of tokens.",
        "A larger batch trains fewer steps for the same tokens; whether it learns as much per token is not asked here.",
        "The price does not follow the hardware: type the one you pay.",
        "A plan of the ranking may split activations (sequence parallel) otherwise than the runtime usually does; the sheet says so when its terms differ.",
        "Hidden sheets: Checks (how the price is read), Lists (drop-downs), Units. Columns to the right of What if feed its charts.",
    )),
)  # fmt: skip
_SOURCED = (
    ("Peak of matmuls", f'{IN["precision"]}&" peak"'), ("Memory", '"memory"'), ("Memory bandwidth", '"memory bandwidth"'),
    ("Scale-up link", '"scaleup bandwidth"'), ("Scale-up domain", '"scaleup domain"'), ("Network of a device", '"scaleout bandwidth"'),
)  # fmt: skip


def _write_about(ws: Worksheet) -> None:
    style.widths(ws, [2, 24, 62, 68])
    style.title(ws, "B1", "About this workbook", f"MLSIM {__version__}, Apache-2.0.")
    r = 4
    for title, lines in _ABOUT:
        style.heading(ws, f"B{r}", title)
        for line in lines:
            r += 1
            _wrapped(ws, r, "B", "D", line, 165)
        r += 2
    style.heading(ws, f"B{r}", "What counts as FLOP in MFU")
    style.header(ws, r + 1, 2, ("Convention", "What is counted", "Who counts so"), 18)
    r += 2
    for rule in CONVENTIONS.values():
        for column, text in zip("BCD", (rule.name, rule.text, rule.source), strict=True):
            style.body(ws, f"{column}{r}", text, None, "left", True)
        ws.row_dimensions[r].height = 27
        r += 1
    r += 1
    style.put(ws, f"B{r}", f'="Where the figures of "&{IN["chip"]}&" come from"').font = style.font(12, style.NAVY, bold=True)  # fmt: skip
    for label, attribute in _SOURCED:
        r += 1
        style.body(ws, f"B{r}", label, None, "left")
        style.body(ws, f"D{r}", None)
        ws.merge_cells(f"C{r}:D{r}")
        text = f'=IFERROR(MLSIM_SOURCE({IN["chip"]},{attribute}),"The registry has no figure of its own: the one of the next wider format, or an error that names it.")'
        style.body(ws, f"C{r}", text, None, "left", True).font = style.font(9)
        ws.row_dimensions[r].height = 27
    style.page(ws, tab="6B7280")
    ws.page_setup.fitToHeight = 1


def _wrapped(ws: Worksheet, r: int, first: str, last: str, text: str, width: int) -> None:
    ws.merge_cells(f"{first}{r}:{last}{r}")
    cell: Any = style.put(ws, f"{first}{r}", text)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    ws.row_dimensions[r].height = 14 * (1 + len(text) // width)
