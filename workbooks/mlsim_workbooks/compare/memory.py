"""The sheet Memory: what fills a device, term by term."""

from __future__ import annotations

from typing import Any

from openpyxl.chart import Reference
from openpyxl.worksheet.worksheet import Worksheet

from mlsim.planner.forward import ACTIVATION_BYTES
from mlsim_workbooks import style
from mlsim_workbooks.compare.plan import BATCH, DECISION, FULL, MODEL, PRECISION, Plan, Row

_TERMS = ("Weights", "KV cache", "Activations", "Logits", "Framework")
_GIB = 2.0**30


def write_memory(ws: Worksheet, plan: Plan) -> None:
    """Write the sheet Memory."""
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


def _memory_constants(ws: Worksheet, plan: Plan) -> None:
    """Write what the terms are made of: the runtime's figures (see Sources) and the model's dimensions."""
    style.header(ws, 4, 14, [f"Runtime ({plan.runtime.name}) and model", "Value"], 30)
    spec = f"MLSIM_SPEC({DECISION}{MODEL},"
    rt = plan.runtime
    values: tuple[tuple[str, Any, str], ...] = (
        ("Share of memory the runtime may use", rt.get("memory_fraction"), "0%"),
        ("Framework memory, GiB", rt.get("framework_memory") / _GIB, "0.00"),
        ("More with several devices, GiB", rt.get("collective_memory") / _GIB, "0.00"),
        ("Sampler bytes per vocabulary entry", rt.get("logits_bytes"), "0"),
        ("Sequence slots", rt.get("sequence_slots"), "#,##0"),
        ("Tokens of one forward pass", rt.get("chunk_tokens"), "#,##0"),
        ("Bytes of an activation", ACTIVATION_BYTES, "0"),
        ("Hidden size", f'={spec}"hidden")', "#,##0"),
        ("Widest feed-forward, active experts", f'=MAX(IFERROR({spec}"ffn"),0),IFERROR({spec}"moe ffn")*{spec}"experts per token"),0))', "#,##0"),
        ("Vocabulary", f'={spec}"vocab")', "#,##0"),
        ("KV heads", f'={spec}"kv heads")', "0"),
        ("Latent (MLA) cache rank, 0 if none", f'=IFERROR({spec}"kv lora rank"),0)', "0"),
    )  # fmt: skip
    for i, (label, value, fmt) in enumerate(values):
        style.body(ws, f"N{5 + i}", label)
        style.body(ws, f"O{5 + i}", value, fmt, "center")


def _memory_row(ws: Worksheet, plan: Plan, r: int, row: Row) -> None:
    t = plan.row_of(row.chip)
    model, precision, batch = (f"{DECISION}{ref}" for ref in (MODEL, PRECISION, BATCH))
    full = FULL.format(p=DECISION)
    gib = "1073741824"
    heads = f"IF($O$16>0,1,ROUNDUP($O$15/$B{r},0)/$O$15)"
    cells = (
        ("A", row.chip, None),
        ("B", f"=IF(ISNUMBER({DECISION}$E${t}),{DECISION}$E${t},1)", "0"),
        ("C", f'=MLSIM_WEIGHTS({model},{precision},"GiB")/$B{r}', "0.0"),
        ("D", f'=MLSIM_KV_CACHE({model},{full},{batch},"bf16","GiB")*{heads}', "0.0"),
        ("E", f"=MAX($O$10,{batch})*(4*$O$12+2*$O$13/$B{r})*$O$11/{gib}", "0.0"),
        ("F", f"=MAX($O$9,{batch})*$O$14/$B{r}*$O$8/{gib}", "0.0"),
        ("G", f"=$O$6+IF($B{r}>1,$O$7,0)", "0.0"),
        ("H", f"=SUM(C{r}:G{r})", "0.0"),
        ("I", f"={DECISION}$G${t}", "0.0"),
        ("J", f"=IF(ISNUMBER(I{r}),I{r}-H{r},{DECISION}$T${t})", "0.0"),
        (
            "K",
            f'=IFERROR(MLSIM_MEMORY({model},{plan.figures(row.chip)},{batch},{full},{precision},$B{r},"bf16","GiB"),{DECISION}$T${t})',
            "0.0",
        ),
        ("L", f'=IF(ISNUMBER(I{r}),IF(H{r}<=I{r},"yes","no"),{DECISION}$T${t})', None),
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
