"""Attention: parameters and operations of the score and value products."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = [
    "attended_pairs",
    "attention_flops",
    "attention_slowdown",
    "grouped_query_parameters",
    "latent_attention_parameters",
    "narrow_head_share",
]


def grouped_query_parameters(hidden: float, heads: float, kv_heads: float, head_dim: float) -> float:
    """Weights of the Q, K, V and output projections of one layer: h·d·(2·heads + 2·kv_heads).

    ``kv_heads = heads`` is multi-head attention, ``kv_heads = 1`` multi-query.
    J. Ainslie et al., "GQA", 2023, sec. 2. https://arxiv.org/abs/2305.13245
    """
    return hidden * head_dim * (2.0 * heads + 2.0 * kv_heads)


def latent_attention_parameters(
    hidden: float, heads: float, q_lora: float, kv_lora: float, nope_dim: float, rope_dim: float, v_dim: float
) -> float:
    """Weights of multi-head latent attention in one layer: down- and up-projections of Q and KV, and the output.

    ``q_lora = 0`` means an uncompressed query. DeepSeek-AI, "DeepSeek-V2", 2024, sec. 2.1 and appendix C.
    https://arxiv.org/abs/2405.04434
    """
    qk_dim = nope_dim + rope_dim
    query = q_lora * (hidden + heads * qk_dim) if q_lora else hidden * heads * qk_dim
    key_value = hidden * (kv_lora + rope_dim) + kv_lora * heads * (nope_dim + v_dim)
    return query + key_value + heads * v_dim * hidden


def attended_pairs(new_tokens: Real, cached_tokens: Real, window: Real = np.inf) -> Floats:
    r"""Query-key pairs that causal attention computes for one sequence.

    Query i (1-based) of the new tokens sees min(c + i, window) keys. Summed:

    .. math:: \sum_{i=1}^{n} \min(c + i, w)

    Parameters
    ----------
    new_tokens : array_like
        Tokens n processed now (prompt length in prefill, 1 in decode).
    cached_tokens : array_like
        Tokens c already in the cache.
    window : array_like
        Sliding window w in tokens; infinite for full attention.
    """
    n, c = np.asarray(new_tokens, float), np.asarray(cached_tokens, float)
    if isinstance(window, float) and window == np.inf:
        return n * c + n * (n + 1.0) / 2.0
    w = np.asarray(window, float)
    growing = np.clip(w - c, 0.0, n)  # queries whose view has not yet filled the window
    full = np.where(n > growing, (n - growing) * np.where(np.isfinite(w), w, 0.0), 0.0)
    return growing * c + growing * (growing + 1.0) / 2.0 + full


def attention_flops(pairs: Real, heads: Real, qk_dim: Real, v_dim: Real) -> Floats:
    """FLOP of scores and weighted values for a number of query-key pairs: 2·pairs·heads·(qk_dim + v_dim).

    For multi-head latent attention in its absorbed form qk_dim = kv_lora + rope_dim and v_dim = kv_lora.
    """
    return 2.0 * np.asarray(pairs, float) * heads * (np.asarray(qk_dim, float) + v_dim)


def attention_slowdown(keys: Real, half_length: Real) -> Floats:
    """Factor on the time of fused prefill attention over short prompts: 1 + L½ / L.

    With L½ keys per query it runs at half of the rate over long prompts: the softmax and the edges of the causal
    mask weigh less as L grows. Fitted on context_attention tables of six chips (``mlsim.calibration.kernels``).
    """
    return 1.0 + np.divide(half_length, np.maximum(keys, 1.0))


def narrow_head_share(head_dim: Real) -> Floats:
    """Share of an attention kernel's rate that heads narrower than 128 reach: min(1, d / 128).

    The softmax costs the same per score however short the rows of a head are, and tiles are laid out for 128: half of
    the head, half of the useful work per score. T. Dao, "FlashAttention-2", 2023, sec. 4 reports lower rates for 64 than
    for 128. https://arxiv.org/abs/2307.08691
    """
    return np.minimum(1.0, np.divide(head_dim, 128.0))
