"""The key-value cache: what one sequence keeps, by kind of attention."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["kv_elements_per_token", "latent_elements_per_token", "paged_tokens", "sequence_elements"]


def kv_elements_per_token(kv_heads: Real, head_dim: Real) -> Floats:
    """Elements one token keeps in one layer: 2·kv_heads·head_dim (a key and a value per KV head).

    MHA has kv_heads = heads, GQA fewer, MQA one.
    N. Shazeer, "Fast transformer decoding", 2019. https://arxiv.org/abs/1911.02150;
    J. Ainslie et al., "GQA", 2023. https://arxiv.org/abs/2305.13245
    """
    return 2.0 * np.asarray(kv_heads, float) * head_dim


def latent_elements_per_token(kv_lora: Real, rope_dim: Real) -> Floats:
    """Elements one token keeps in one layer of multi-head latent attention: kv_lora + rope_dim.

    One latent serves as key and value of every head, so there is no factor 2 and no head count.
    DeepSeek-AI, "DeepSeek-V2", 2024, sec. 2.1.2. https://arxiv.org/abs/2405.04434
    """
    return np.asarray(kv_lora, float) + rope_dim


def sequence_elements(context: Real, per_token: Real, full_layers: Real, window_layers: Real, window: Real) -> Floats:
    """Elements a sequence of ``context`` tokens keeps over all layers.

    per_token·(full_layers·context + window_layers·min(context, window)). A sliding-window layer keeps its window
    only (A. Jiang et al., "Mistral 7B", 2023, sec. 2. https://arxiv.org/abs/2310.06825); linear-attention layers
    keep nothing that grows and are counted in neither.
    """
    context = np.asarray(context, float)
    return np.asarray(per_token, float) * (
        np.multiply(full_layers, context) + np.multiply(window_layers, np.minimum(context, window))
    )


def paged_tokens(context: Real, block: Real) -> Floats:
    """Tokens that a paged cache allots to a sequence: its context rounded up to whole blocks.

    The waste is less than a block per sequence. W. Kwon et al., "Efficient memory management for large language model
    serving with PagedAttention", SOSP 2023, sec. 4. https://arxiv.org/abs/2309.06180
    """
    return np.ceil(np.divide(context, block)) * block
