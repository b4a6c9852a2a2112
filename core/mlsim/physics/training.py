"""Training: operations of a step, by convention; what optimiser and gradients cost."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = [
    "ATTENTION_BACKWARD",
    "activation_elements",
    "exposed_time",
    "optimizer_traffic",
    "score_bytes_kept",
    "step_flops",
]

ATTENTION_BACKWARD = 2.5
"""FLOP of the backward pass of fused attention over the forward one: it recomputes the scores, five products for two.

T. Dao, "FlashAttention-2", 2023, sec. 3.1 and 4. https://arxiv.org/abs/2307.08691
"""


def step_flops(
    tokens: Real, weights: Real, head: Real, pairs: Real, heads: Real, qk_dim: Real, v_dim: Real, recomputed: Real = 0.0
) -> Floats:
    r"""FLOP of a training step as conventions count them: :math:`2 T (N (3 + r) + 3 V h) + 2 (3 + r) P a (d_{qk} + d_v)`.

    Parameters
    ----------
    tokens : array_like
        Tokens T of the step.
    weights : array_like
        Weights N that a token passes in the layers, without vocabulary tables.
    head : array_like
        Weights V·h of the output head; 0 where a convention leaves it out.
    pairs : array_like
        Query-key pairs P over all sequences and layers: all of them, or the causal half.
    heads, qk_dim, v_dim : array_like
        Attention heads a and widths of a head.
    recomputed : array_like
        1 where recomputed forward passes of the layers are counted (hardware FLOPs), else 0 (model FLOPs).

    Notes
    -----
    A forward pass does 2 FLOP per weight and token, a backward pass twice that. V. Korthikanti et al., 2022, appendix A.
    https://arxiv.org/abs/2205.05198; with r = 1 it is eq. 3 of D. Narayanan et al., SC 2021.
    https://arxiv.org/abs/2104.04473
    """
    passes = 3.0 + np.asarray(recomputed, float)
    products = 2.0 * np.asarray(pairs, float) * heads * (np.asarray(qk_dim, float) + v_dim)
    return 2.0 * np.asarray(tokens, float) * (np.multiply(weights, passes) + 3.0 * np.asarray(head)) + passes * products


def activation_elements(unsplit: Real, split: Real, tp: Real, sequence_parallel: Real) -> Floats:
    """Elements per token and layer that one of tp devices keeps: a + b / tp, or (a + b) / tp with sequence parallelism.

    V. Korthikanti et al., 2022, eq. 2 and 4: 10 + 24 / t and 34 / t bytes per hidden unit of a GPT layer.
    https://arxiv.org/abs/2205.05198
    """
    return np.where(np.asarray(sequence_parallel) > 0, np.divide(unsplit, tp), unsplit) + np.divide(split, tp)


def score_bytes_kept(heads: Real, sequence: Real, tp: Real) -> Floats:
    """Bytes per token and layer that unfused attention keeps: 5·a·s / tp (softmax, dropout mask, dropped-out scores).

    V. Korthikanti et al., 2022, eq. 1. https://arxiv.org/abs/2205.05198
    """
    return 5.0 * np.multiply(heads, sequence) / tp


def optimizer_traffic(weight_bytes: Real, gradient_bytes: Real, state_bytes: Real) -> Floats:
    """Bytes that an update reads and writes per parameter: states twice, the gradient once, the new weight once.

    D. Kingma, J. Ba, "Adam", 2015, algorithm 1; states are the two moments and a master copy where there is one.
    https://arxiv.org/abs/1412.6980
    """
    return 2.0 * np.asarray(state_bytes, float) + gradient_bytes + weight_bytes


def exposed_time(communication: Real, window: Real, overlap: Real) -> Floats:
    """Communication time that computing does not hide: c - ω min(c, w), w being the time that may hide it."""
    c = np.asarray(communication, float)
    return c - np.asarray(overlap, float) * np.minimum(c, window)
