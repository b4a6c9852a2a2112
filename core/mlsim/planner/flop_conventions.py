"""What different sources count as the FLOP of a training step: the definitions behind MFU and HFU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.physics.training import step_flops
from mlsim.planner.training import Plan, attention_pairs
from mlsim.planner.transformer import Transformer

__all__ = ["CONVENTIONS", "Convention", "counted_flops", "utilization"]


@dataclass(frozen=True, slots=True)
class Convention:
    """What is counted. ``text`` says it in words, ``source`` who counts so."""

    name: str
    causal: float  # 1: only the pairs a causal mask leaves; 0: all pairs
    recompute: float  # 1: recomputed forward passes count (HFU); 0: they do not (MFU)
    attention: float  # 1: attention's products count; 0: weights only (6 N per token)
    embedding: float  # vocabulary tables counted as matmuls: 1 is the output head alone, 2 the input table too
    text: str
    source: str


CONVENTIONS = {
    c.name: c
    for c in (
        Convention(
            "model", 0.0, 0.0, 1.0, 1.0, "model FLOP: full attention, no recomputation, output head counted",
            "V. Korthikanti et al., 2022, appendix A. https://arxiv.org/abs/2205.05198",
        ),
        Convention(
            "model, causal", 1.0, 0.0, 1.0, 1.0, "model FLOP: causal half of attention, no recomputation, output head counted",
            "Megatron-Bridge performance summary; MaxText since July 2025",
        ),
        Convention(
            "hardware", 0.0, 1.0, 1.0, 1.0, "hardware FLOP: full attention, recomputed layers counted, output head counted",
            "D. Narayanan et al., SC 2021, eq. 3. https://arxiv.org/abs/2104.04473",
        ),
        Convention(
            "PaLM", 0.0, 0.0, 1.0, 2.0, "model FLOP: 6 N with all parameters, embeddings too, and 12 L H Q T of full attention",
            "A. Chowdhery et al., 2022, appendix B. https://arxiv.org/abs/2204.02311; MosaicML llm-foundry",
        ),
        Convention(
            "6N", 0.0, 0.0, 0.0, 2.0, "6 N per token with all active parameters, attention not counted",
            "J. Kaplan et al., 2020, sec. 2.1. https://arxiv.org/abs/2001.08361",
        ),
    )
}  # fmt: skip
"""Conventions by name."""


def counted_flops(
    net: Transformer, plan: Plan, causal: Real, recompute: Real, attention: Real = 1.0, embedding: Real = 1.0
) -> Floats:
    """FLOP of one optimiser step of a plan, counted by a convention (fields of :class:`Convention`, or arrays of them).

    Recomputation counts as far as the plan recomputes whole layers; for "hardware" sources that always did, the whole.
    """
    tokens = np.multiply(plan.global_batch, plan.sequence)
    active = net.dense + np.asarray(net.expert) * net.experts_per_token
    pairs = np.asarray(plan.global_batch) * attention_pairs(net, plan.sequence, np.multiply(causal, net.causal))
    tables = np.where(np.asarray(embedding) > 1, net.tables, embedding)
    again = np.multiply(recompute, plan.recompute_layer)
    return step_flops(
        tokens, active, np.multiply(net.head, tables), pairs * attention, net.heads, net.qk_dim, net.v_dim, again
    )


def utilization(flops: Real, seconds: Real, devices: Real, peak: Real) -> Floats:
    """Share of the peak: counted FLOP over time, devices and the peak of one device [FLOP/s] (MFU, or HFU)."""
    return np.asarray(flops, float) / (np.multiply(seconds, devices) * peak)
