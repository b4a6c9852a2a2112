"""Pipeline parallelism: the bubble, and how layers are shared out over stages."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["bubble_fraction", "bubble_passes", "in_flight", "slowest_stage"]


def bubble_passes(stages: Real, chunks: Real) -> Floats:
    """Micro-batches' worth of time that a device of a pipeline waits per step: (p - 1) / v.

    With v chunks of layers per device (interleaved schedule) the pipeline fills v times as fast.
    D. Narayanan et al., "Efficient large-scale language model training on GPU clusters using Megatron-LM", SC 2021,
    sec. 2.2. https://arxiv.org/abs/2104.04473
    """
    return (np.asarray(stages, float) - 1.0) / chunks


def bubble_fraction(stages: Real, micro_batches: Real, chunks: Real = 1.0) -> Floats:
    """Share of a step that a pipeline waits: b / (m + b) with b = (p - 1) / v bubble passes and m micro-batches."""
    waiting = bubble_passes(stages, chunks)
    return waiting / (np.asarray(micro_batches, float) + waiting)


def in_flight(stages: Real, chunks: Real, micro_batches: Real) -> Floats:
    """Micro-batches whose activations the first stage keeps, in units of all its layers (one forward, one backward).

    min(m, p) without interleaving, p (1 + (p - 1) / (p v)) with v chunks. V. Korthikanti et al., "Reducing activation
    recomputation in large transformer models", 2022, sec. 4.2.3. https://arxiv.org/abs/2205.05198
    """
    p, v = np.asarray(stages, float), np.asarray(chunks, float)
    kept = np.where(v > 1.0, p * (1.0 + (p - 1.0) / (p * v)), p)
    return np.minimum(kept, micro_batches)


def slowest_stage(layers: Real, stages: Real, layer_time: Real, head_time: Real) -> Floats:
    """Time of the slowest stage when the last one also computes the output head.

    Layers that divide evenly are shared out evenly, so the last stage is the slowest. Otherwise they are shared out so
    that the slowest stage is as fast as possible: all layers and the head together, rounded up to whole layers.
    """
    n, p = np.asarray(layers, float), np.asarray(stages, float)
    even = n / p * layer_time + head_time
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(np.asarray(layer_time) > 0, head_time / np.maximum(layer_time, 1e-30), 0.0)
    most = np.ceil((n + weight) / p - 1e-9)  # layers, or layers and head, of the fullest stage
    balanced = np.maximum(most * layer_time, head_time)
    return np.where((n % p == 0) | (p <= 1), even, balanced)
