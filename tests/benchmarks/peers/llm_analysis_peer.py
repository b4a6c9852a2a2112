"""How llm-analysis is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from llm_analysis.analysis import ActivationRecomputation, DSZeRO, LLMAnalysis
from llm_analysis.config import (
    ModelConfig,
    ParallelismConfig,
    get_dtype_config_by_name,
    get_gpu_config_by_name,
)
from llm_analysis.logger import logger
from way import Case, NotOffered, Way, dense, known, width

logger.setLevel(logging.CRITICAL)
CHIPS = {
    "A100-SXM4-80GB": "a100-sxm-80gb", "A100-SXM4-40GB": "a100-sxm-40gb", "A100-PCIe-80GB": "a100-pcie-80gb",
    "H100-SXM-80GB": "h100-sxm-80gb", "H100-PCIe-80GB": "h100-pcie-80gb", "A10G": "a10g-pcie-24gb",
    "RTX-A6000": "a6000-48gb", "V100-SXM2-32GB": "v100-sxm-32gb", "V100-SXM3-32GB": "v100-sxm-32gb",
}  # fmt: skip
RECOMPUTE = {
    "none": ActivationRecomputation.NONE, "selective": ActivationRecomputation.SELECTIVE,
    "full": ActivationRecomputation.FULL,
}  # fmt: skip


@lru_cache
def analysis(
    name: str, layers: int, hidden: int, heads: int, kv_heads: int, ffn: int, vocab: int, chip: str, bits: str, tp: int,
    pp: int, dp: int, memory: float, flops: float,
) -> LLMAnalysis:  # fmt: skip
    model = ModelConfig(
        name=name, num_layers=layers, n_head=heads, hidden_dim=hidden, vocab_size=vocab, num_key_value_heads=kv_heads,
        ffn_embed_dim=ffn, expansion_ratio=ffn / hidden, max_seq_len=131072,
    )  # fmt: skip
    return LLMAnalysis(
        model, get_gpu_config_by_name(chip), get_dtype_config_by_name(bits), ParallelismConfig(tp, pp, dp),
        flops_efficiency=flops, hbm_memory_efficiency=memory,
    )  # fmt: skip


def prepared(case: Case, bits: str, memory: float, flops: float) -> LLMAnalysis:
    model = dense(case)
    shape = [model[k] for k in ("name", "layers", "hidden", "heads", "kv_heads")]
    ffn = model["ffn"] * model["ffn_matrices"] // 2  # it counts two matrices: a gated feed-forward is a wider one
    shape += [ffn, model["vocab"]]
    return analysis(*shape, known(CHIPS, case["chip"]), bits, case["tp"], case["pp"], case.get("dp", 1), memory, flops)


def decoding(memory: float, flops: float) -> Callable[[Case], float]:
    def decode(case: Case) -> float:
        bits = width(case, {16: "w16a16e16", 8: "w8a16e16", 4: "w4a16e16"})
        found = prepared(case, bits, memory, flops).inference(case["batch"], int(case["prompt"]), int(case["output"]))
        return 1e3 * float(found["decode_latency"])

    return decode


def training(flops: float) -> Callable[[Case], float]:
    def train(case: Case) -> float:
        if case["cp"] > 1 or case["ep"] > 1:
            raise NotOffered("not asked with context or expert parallelism")
        if case["precision"] not in ("bf16", "fp16"):
            raise NotOffered(f"no peak in {case['precision']}")
        found = prepared(case, "w16a16e16", 1.0, flops).training(
            batch_size_per_gpu=case["micro"], global_batch_size=case["batch"], seq_len=case["sequence"],
            total_num_tokens=case["batch"] * case["sequence"], activation_recomputation=RECOMPUTE[case["recompute"]],
            ds_zero=DSZeRO(case["zero"]), mlp_gated_linear_units=case["model"]["ffn_matrices"] == 3,
        )  # fmt: skip
        return float(found["latency_per_iter"])

    return train


def ways(_: Path) -> Iterator[Way]:
    yield Way(
        "llm-analysis, memory 1",
        "class LLMAnalysis, its own GPU files, memory and flops efficiency 1, which it calls a lower bound of latency; "
        "4 bits without scales",
        decoding(1.0, 1.0),
    )
    yield Way(
        "llm-analysis, memory 0.65",
        "the same with memory efficiency 0.65, the middle of the 0.6 to 0.7 its own warning names, and flops efficiency "
        "0.7, its advice for inference",
        decoding(0.65, 0.7),
    )
    yield Way("llm-analysis, flops 0.5", "training at flops efficiency 0.5", train=training(0.5))
