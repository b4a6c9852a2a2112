"""The sheet About: how to read the workbook, and what is not modelled."""

from __future__ import annotations

from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from mlsim import __version__
from mlsim_workbooks import style
from mlsim_workbooks.compare.plan import Plan

_ABOUT = (
    ("How to read it", (
        "Decision: change the pale yellow cells. Rank, cost and break-even prices are native formulas and follow at once; latency, "
        "memory and throughput are MLSIM_ functions and follow when the add-in is installed. Without it the cached values stay.",
        "A cell turns red when its unit is wrong and amber when it is doubtful; the sentence beside it says why and what to type.",
        "The rank is by cost at each one's best batch (Batch sweep): the batch that costs least, fits, and serves a token in time.",
        "Inputs: the figures that the models take, at first the registry's; type over them what you were told. Checks: how each was taken apart.",
        "'no fit': not even 64 devices hold it. 'no data': the registry lacks a sourced figure; the Why line names it. 'check Inputs': a typed figure cannot be used. 'price?': no sourced price.",
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


def write_about(ws: Worksheet, plan: Plan) -> None:
    """Write the sheet About."""
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
