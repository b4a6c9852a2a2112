"""Mixture of experts: how many experts a batch touches."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["expected_distinct_experts"]


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
