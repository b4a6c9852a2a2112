"""Matrix multiplication: operations and traffic."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["matmul_flops", "vector_time", "weight_flops"]


def matmul_flops(m: Real, n: Real, k: Real) -> Floats:
    """FLOP of an (m×k)·(k×n) product: 2·m·n·k, a multiply and an add counted as two."""
    return 2.0 * np.asarray(m, float) * np.asarray(n, float) * np.asarray(k, float)


def weight_flops(tokens: Real, parameters: Real) -> Floats:
    """FLOP to apply ``parameters`` weights to ``tokens`` tokens: 2·tokens·parameters.

    The same law as :func:`matmul_flops` with the weight matrix's n·k written as a parameter count.
    J. Kaplan et al., "Scaling laws for neural language models", 2020, sec. 2.1. https://arxiv.org/abs/2001.08361
    """
    return 2.0 * np.asarray(tokens, float) * np.asarray(parameters, float)


def vector_time(bytes_moved: Real, core_clock: Real, bytes_per_clock: Real) -> Floats:
    """Time [s] of a matrix-vector product whose cores cannot ask for more: B / (cores · clock · r).

    A core has so many loads in flight; on chips with few cores for their bandwidth (A100, H100) plain matrix-vector
    kernels stay below the memory's rate: about 6 byte per clock and core. Little's law: J. Little, "A proof for the
    queuing formula L = λW", 1961. https://doi.org/10.1287/opre.9.3.383
    """
    return np.asarray(bytes_moved, float) / np.multiply(core_clock, bytes_per_clock)
