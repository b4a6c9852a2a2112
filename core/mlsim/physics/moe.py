"""Mixture of experts: how many experts a batch touches."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["expected_distinct_experts", "grouped_slowdown", "routing_imbalance"]


def expected_distinct_experts(experts: Real, per_token: Real, tokens: Real) -> Floats:
    r"""Expected number of different experts that a batch of tokens routes to in one layer.

    Each token picks k of E experts; with even routing an expert is missed by one token with probability 1 - k/E:

    .. math:: E \left(1 - (1 - k/E)^{n}\right)

    Parameters
    ----------
    experts : array_like
        Routed experts E in a layer.
    per_token : array_like
        Experts k each token uses (top-k).
    tokens : array_like
        Tokens n in the batch.

    Notes
    -----
    The coverage (occupancy) problem. Real routing is uneven, which lowers the number: this is the upper estimate.
    W. Feller, "An Introduction to Probability Theory and Its Applications", vol. 1, 1968, sec. IV.2.
    """
    e = np.asarray(experts, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = np.where(e > 0, 1.0 - np.asarray(per_token, float) / np.where(e > 0, e, 1.0), 0.0)
    return np.where(e > 0, e * (1.0 - missed ** np.asarray(tokens, float)), 0.0)


def grouped_slowdown(rows_per_expert: Real, half_rows: Real) -> Floats:
    """Factor on the time of a grouped matmul whose experts have few rows: 1 + h / r.

    An expert with few rows wastes most of its tiles: with r = h rows it runs at half of the rate of a large matmul.
    """
    r = np.asarray(rows_per_expert, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(r > 0, 1.0 + half_rows / np.where(r > 0, r, 1.0), 1.0)


def routing_imbalance(rows: Real, devices: Real) -> Floats:
    r"""Load of the fullest of d devices over the mean load, when n rows are routed evenly at random.

    .. math:: 1 + \sqrt{\frac{2 \ln d \, (1 - 1/d)}{n / d}}

    The largest of d nearly normal counts lies about :math:`\sqrt{2 \ln d}` standard deviations above the mean (H. David,
    H. Nagaraja, "Order statistics", 2003, sec. 10.5). Trained routers are less even: this is the least to expect.
    """
    d, n = np.asarray(devices, float), np.maximum(np.asarray(rows, float), 1.0)
    return 1.0 + np.sqrt(2.0 * np.log(np.maximum(d, 1.0)) * (1.0 - 1.0 / np.maximum(d, 1.0)) * d / n)
