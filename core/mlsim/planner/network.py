"""What one forward pass of a model asks for: plain numbers, derived once from the model and its number formats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from mlsim.arrays import Real
from mlsim.registry.records import Model, Precision

__all__ = ["Network", "network", "weight_bytes"]

LANGUAGE = ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab")


@dataclass(frozen=True, slots=True)
class Network:
    """A language model as the laws see it. Every field is a number, or an array with one number per case."""

    layers: Real
    moe_layers: Real
    hidden: Real
    heads: Real
    kv_heads: Real  # 0 for a latent cache, which is not shared out over devices
    qk_dim: Real
    v_dim: Real
    full_layers: Real
    window_layers: Real
    cache_groups_layers: Real  # layers the cache of an engine is laid out for, when it groups layers of a kind
    window: Real
    projection: Real  # weights of the attention projections, all layers
    dense: Real  # weights every token passes outside attention: dense and shared feed-forward, routers
    expert: Real  # weights of one routed expert, all layers
    experts: Real
    experts_per_token: Real
    head: Real  # weights of the output head
    element_bytes: Real  # of a layer weight, scales included
    head_bytes: Real
    weight_bytes: Real  # of all weights but routed experts and vocabulary tables
    table_bytes: Real  # of one vocabulary table
    tables: Real  # 1 when input and output share one
    expert_bytes: Real  # of all routed experts
    widest: Real  # widest activation of a feed-forward layer
    unpacked: Real  # 1 when weights are stored narrower than they are multiplied
    kv_token_bytes: Real  # of one token in one layer
    stream_width: Real  # activations read and written per token and layer that are not split over devices
    split_width: Real  # the same of those that are


def table_element_bytes(precision: Precision) -> float:
    """Bytes per weight of the vocabulary tables: quantised checkpoints keep them in 16 bits."""
    return precision.bytes_per_element if precision.whole_model else max(2.0, precision.bytes_per_element)


def weight_bytes(model: Model, precision: Precision) -> float:
    """Bytes of all weights: layers in the given precision, vocabulary tables in 16 bits unless it covers them too.

    Quantised checkpoints (AWQ, GPTQ, FP8, MXFP4) keep the embedding and the output head in 16 bits; llama.cpp's
    formats are averages over the whole model. Scales and zero points are part of ``bytes_per_element``.
    """
    tables = model.embedding_params * model.head_count if model.vocab else 0.0
    return (model.total_params - tables) * precision.bytes_per_element + tables * table_element_bytes(precision)


@lru_cache(maxsize=4096)
def network(model: Model, precision: Precision, kv_precision: Precision, compute: str) -> Network:
    """Return the numbers of a model with its weights and its KV cache in given formats, multiplied in ``compute``.

    Raises
    ------
    DomainError
        When the model has no token-by-token inference model.
    """
    model.need(*LANGUAGE)
    dense_ffn = model.ffn_matrices * model.hidden * model.ffn * (model.layers - model.moe_layers)
    shared = model.moe_layers * (model.shared_experts * model.expert_params + model.hidden * model.experts)
    qk_dim, v_dim = model.head_dim, model.head_dim
    if model.is_latent:  # the absorbed form multiplies the latent itself
        qk_dim, v_dim = model.kv_lora_rank + model.qk_rope_dim, model.kv_lora_rank
    ffn_width = (
        model.ffn * (model.layers - model.moe_layers)
        + model.moe_layers * model.moe_ffn * (model.experts_per_token + model.shared_experts)
    ) / model.layers
    routed = model.experts * model.moe_layers * model.expert_params
    return Network(
        layers=model.layers, moe_layers=model.moe_layers, hidden=model.hidden, heads=model.heads,
        kv_heads=0.0 if model.is_latent else model.kv_heads, qk_dim=qk_dim, v_dim=v_dim,
        full_layers=model.full_attention_layers, window_layers=model.window_layers, window=model.window,
        projection=model.attention_params_per_layer * model.layers, dense=dense_ffn + shared,
        expert=model.moe_layers * model.expert_params, experts=model.experts,
        experts_per_token=model.experts_per_token, head=model.embedding_params,
        element_bytes=precision.bytes_per_element, head_bytes=table_element_bytes(precision),
        weight_bytes=(
            model.total_params
            - model.head_count * model.embedding_params
            - routed
        )
        * precision.bytes_per_element,
        table_bytes=model.embedding_params * table_element_bytes(precision),
        tables=model.head_count,
        cache_groups_layers=_grouped_layers(model.full_attention_layers, model.window_layers),
        expert_bytes=routed * precision.bytes_per_element,
        widest=max(model.ffn, model.moe_ffn * max(model.experts_per_token, 1.0)),
        unpacked=float(precision.bytes_per_element < _compute_bytes(compute)),
        kv_token_bytes=model.cached_elements_per_token * kv_precision.bytes_per_element,
        # two norms and two residual sums read and write the stream; each matmul reads its input or writes its output
        # and each expert row is gathered, written and summed
        stream_width=12.0 * model.hidden
        + 6.0 * model.hidden * model.experts_per_token * model.moe_layers / model.layers,
        # the activation reads gate and up and writes one; the matmuls around it write two and read one
        split_width=6.0 * ffn_width + 2.0 * model.head_dim * (2.0 * model.heads + 2.0 * model.kv_heads),
    )  # fmt: skip


def _grouped_layers(full: float, window: float) -> float:
    """Layers a paged cache is laid out for when every group of layers of one kind has the same number.

    Full-attention and window layers are cut into groups of the smaller count; the last group is padded.
    """
    group = min(full, window)
    return math.ceil(full / group) * group + math.ceil(window / group) * group if group else full + window


def _compute_bytes(compute: str) -> float:
    """Bytes of an element as the tensor units take it, less a little for the scales that narrow formats carry."""
    return {"fp32": 4.0, "tf32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp6": 0.75}.get(compute, 0.5)
