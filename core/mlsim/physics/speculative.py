"""Speculative decoding: how many tokens one verification yields."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["expected_tokens"]


def expected_tokens(acceptance: Real, drafted: Real) -> Floats:
    r"""Expected tokens per verification of a draft: the accepted ones and the one the target model adds.

    .. math:: \frac{1 - \alpha^{k+1}}{1 - \alpha}

    Parameters
    ----------
    acceptance : array_like
        Probability α that a drafted token is accepted, from 0 to 1.
    drafted : array_like
        Tokens k drafted per verification.

    Notes
    -----
    Each token is accepted independently. Y. Leviathan, M. Kalman, Y. Matias, "Fast inference from transformers via
    speculative decoding", ICML 2023, eq. 1. https://arxiv.org/abs/2211.17192
    """
    a, k = np.asarray(acceptance, float), np.asarray(drafted, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(a < 1.0, (1.0 - a ** (k + 1.0)) / np.where(a < 1.0, 1.0 - a, 1.0), k + 1.0)
