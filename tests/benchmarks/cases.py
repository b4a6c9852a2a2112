"""The questions: published measurements as plain numbers, so that a tool without our registry can be asked the same.

A case holds the model's dimensions, the chip by our name, the load and the layout; what a row does not say is what MLSIM
assumes too. ``row`` is the row itself, for MLSIM's own reading of it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mlsim.calibration.cases import Case, TrainCase, read_case
from mlsim.calibration.predict import predictions
from mlsim.registry.records import Model

TABLES = Path(__file__).parents[1] / "validation"
OUTPUT = 256  # tokens generated where a row does not say

Row = dict[str, str]


class Question(NamedTuple):
    """A case, what was measured, and what the answer of a peer [ms, or s per step] has to be turned into."""

    case: dict[str, Any]
    measured: float
    amount: float = 0.0  # what a step does, where a rate was measured: tokens or FLOP per device


# Rows of the benchmark tables of meta-pytorch/gpt-fast, README (read 2025-08-22), A100-SXM4-80GB at 330 W: Llama-2,
# weights, tensor parallel, tokens/s. Six are in the table that MLSIM is fitted to (marked True).
GPT_FAST = [
    ("7B", "bf16", 1, 104.9, False), ("7B", "bf16", 2, 168.84, False), ("7B", "bf16", 4, 254.02, True),
    ("7B", "bf16", 8, 328.43, True), ("7B", "int8", 1, 155.58, True), ("7B", "int4-g32", 1, 196.8, True),
    ("70B", "bf16", 2, 21.32, True), ("70B", "bf16", 4, 38.01, True), ("70B", "bf16", 8, 62.5, False),
]  # fmt: skip


def rows(family: str) -> list[Row]:
    """Return the published measurements of a family."""
    name = "training.csv" if family == "training" else "measurements.csv"
    with (TABLES / name).open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["family"] == family]


def gpt_fast_rows() -> list[Row]:
    """Return the nine decode measurements that every estimator can be asked."""
    shared = {
        "family": "decode", "metric": "tpot", "hardware": "A100-SXM4-80GB (330W)", "pp": "1", "activation_precision": "bf16",
        "kv_precision": "bf16", "batch": "1", "input_len": "5", "output_len": "200", "software": "gpt-fast (torch.compile)",
        "source_date": "2025-08-22", "unit": "ms",
    }  # fmt: skip
    return [
        shared | {
            "case_id": f"gpt-fast {size} {weights} TP{tp}{' †' if fitted else ''}", "model": f"Llama-2-{size}",
            "weight_precision": weights, "tp": str(tp), "num_devices": str(tp), "measured": str(1e3 / measured),
        }
        for size, weights, tp, measured, fitted in GPT_FAST
    ]  # fmt: skip


def shape(model: Model) -> dict[str, Any]:
    """Return a model's dimensions as whole numbers."""
    whole = ("layers", "hidden", "heads", "kv_heads", "ffn", "ffn_matrices", "vocab", "experts")
    return {"name": model.name, "params": model.total_params} | {key: int(getattr(model, key)) for key in whole}


def decode_question(row: Row) -> Question:
    """Turn a row of the family ``decode`` into a question."""
    case = read_case(row)
    assert isinstance(case, Case)
    output = case.output if math.isfinite(case.output) else OUTPUT
    prompt = case.prompt if math.isfinite(case.prompt) else case.context - output / 2
    return Question(
        {
            "id": row["case_id"], "row": row, "model": shape(case.model), "chip": case.chip.name, "tp": int(case.tp),
            "pp": int(case.pp), "bits": 8 * case.precision.bytes_per_element, "batch": int(case.batch),
            "prompt": max(int(prompt), 1), "output": int(output), "context": case.context,
        },
        float(row["measured"]),
    )  # fmt: skip


def train_question(row: Row) -> Question:
    """Turn a row of the family ``training`` into a question about the seconds of a step."""
    case = read_case(row)
    assert isinstance(case, TrainCase)
    plan = case.plan
    tp, pp, cp, ep, dp, chunks, batch, sequence = (
        int(x) for x in (plan.tp, plan.pp, plan.cp, plan.ep, plan.dp, plan.chunks, plan.global_batch, plan.sequence)
    )
    micro = max(int(plan.micro_batch), 1)
    partly = plan.recompute_attention or plan.recompute_mlp or plan.recompute_pointwise
    return Question(
        {
            "id": row["case_id"], "row": row, "model": shape(case.model), "chip": case.chip.name, "tp": tp, "pp": pp,
            "cp": cp, "ep": ep, "dp": dp, "chunks": chunks, "devices": tp * pp * cp * dp, "batch": batch, "micro": micro,
            "passes": max(batch // (dp * micro), 1), "sequence": sequence, "sequence_parallel": bool(plan.sequence_parallel),
            "recompute": "full" if plan.recompute_layer else "selective" if partly else "none",
            "zero": int(plan.shard_optimizer + plan.shard_gradients + plan.shard_weights),
            "precision": row["weight_precision"] or "bf16",
        },
        float(row["measured"]),
        step_amount(case),
    )  # fmt: skip


def step_amount(case: TrainCase) -> float:
    """Return the tokens or FLOP per device of a step as the row counts them; 0 where the step itself was timed."""
    if case.kind == "step":
        return 0.0
    rate, step = predictions([case, replace(case, kind="step")])
    return rate.value * step.value


def table_questions(family: str) -> list[Question]:
    """Return all of a family's rows; of the training runs those that state their layout."""
    if family == "decode":
        return [decode_question(row) for row in rows("decode")]
    stated = [row for row in rows("training") if row["tp"] or row["pp"] or row["sharding"].startswith("fsdp")]
    return [train_question(row) for row in stated]


def gpt_fast() -> list[Question]:
    """Return the nine decode measurements as questions."""
    return [decode_question(row) for row in gpt_fast_rows()]


def korthikanti() -> list[Question]:
    """Return the eight runs of Table 5 of Korthikanti et al. (2022) as questions."""
    return [train_question(row) for row in rows("training") if row["case_id"].startswith("korthikanti-")]


def asked(questions: list[Question]) -> list[dict[str, Any]]:
    """Return the cases without what was measured: nobody is shown that."""
    hidden = {"measured": ""}
    return [question.case | {"row": question.case["row"] | hidden} for question in questions]


def comparable(question: Question, answer: float, ours: bool) -> float:
    """Return an answer in the unit of the measurement; MLSIM answers a row in the row's own unit."""
    return answer if ours or not question.amount else question.amount / answer
