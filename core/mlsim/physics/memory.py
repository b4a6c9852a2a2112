"""Device memory: what inference needs besides weights and cache."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["activation_bytes", "logits_bytes", "max_batch"]


def activation_bytes(tokens: Real, hidden: Real, ffn: Real, element_bytes: Real) -> Floats:
    """Peak activations of one forward pass without gradients: tokens·(4·hidden + 2·ffn)·bytes.

    Inference keeps one layer at a time: the residual, its normalised copy and the attention input and output
    (4·hidden), and the gate and up projections (2·ffn). ``tokens`` are those of one forward pass: the chunk of a
    chunked prefill, not the whole prompt.
    """
    return np.asarray(tokens, float) * (4.0 * np.asarray(hidden, float) + 2.0 * np.asarray(ffn, float)) * element_bytes


def logits_bytes(sequences: Real, vocabulary: Real, bytes_per_logit: Real) -> Floats:
    """Workspace of the sampler: sequences·vocabulary·bytes (float32 logits, their copy and sort buffers)."""
    return np.asarray(sequences, float) * vocabulary * bytes_per_logit


def max_batch(available: Real, fixed: Real, per_sequence: Real) -> Floats:
    """Largest whole number of sequences that fit: floor((available - fixed) / per_sequence), at least 0.

    Infinite when a sequence needs no memory.
    """
    room = np.maximum(np.asarray(available, float) - fixed, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(per_sequence, float) > 0, np.floor(room / per_sequence), np.inf)
