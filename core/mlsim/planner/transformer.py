"""What a training step of a model asks for: plain numbers per layer and token, derived once from its dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mlsim.arrays import Real
from mlsim.registry.records import Model

__all__ = ["TRAINED", "Transformer", "transformer"]

TRAINED = ("layers", "hidden", "vocab", "total_params")
_TWO_WAY = ("encoder",)  # kinds of models whose tokens attend to later ones too


@dataclass(frozen=True, slots=True)
class Transformer:
    """A model as the laws of training see it. Every field is a number, or an array with one number per case.

    Widths are elements per token and layer, averaged over the layers; ``split`` ones are shared out by tensor parallelism.
    """

    layers: Real
    moe_layers: Real
    full_layers: Real  # with attention over the whole sequence
    window_layers: Real
    window: Real
    causal: Real  # 1 when a token attends to earlier ones only
    hidden: Real
    heads: Real
    qk_dim: Real
    v_dim: Real
    kv_width: Real  # elements of keys and values of one token
    vocab: Real
    total: Real  # all weights
    head: Real  # weights of one vocabulary table
    tables: Real  # 1 when input and output share one
    dense: Real  # weights every token passes, without vocabulary tables
    expert: Real  # weights of one routed expert, all layers
    experts: Real
    experts_per_token: Real
    io: Real  # into and out of matmuls
    split_io: Real
    expert_io: Real  # of one routed row, without its way in and out of the stream
    between: Real  # read and written between matmuls: norms, residual sums
    split_between: Real  # activations, rotary embedding
    expert_between: Real  # of one routed row: gathered, activated, summed
    kept: Real  # kept for the backward pass: inputs of norms and matmuls
    split_kept: Real
    expert_kept: Real  # of one routed row
    mlp: Real  # of split_kept and split_io what a recomputed feed-forward layer saves
    ffn: Real  # width of a dense feed-forward layer


@lru_cache(maxsize=4096)
def transformer(model: Model) -> Transformer:
    """Return the numbers of a model.

    Raises
    ------
    DomainError
        When dimensions are missing.
    """
    model.need(*TRAINED)
    routed = model.experts * model.moe_layers * model.expert_params
    tables = model.head_count * model.embedding_params
    qk, v = model.head_dim, model.head_dim
    if model.is_latent:
        qk, v = model.qk_nope_dim + model.qk_rope_dim, model.v_head_dim
    attending = (model.layers - model.linear_layers) / model.layers
    kv_heads = model.heads if model.is_latent else model.kv_heads
    queries, keys_values = model.heads * qk * attending, kv_heads * (qk + v) * attending
    out = model.heads * v * attending
    gates = model.ffn_matrices - 1.0  # matrices into a feed-forward layer: one, or two when it is gated
    dense_ffn = (model.ffn * (model.layers - model.moe_layers) + model.shared_experts * model.moe_ffn * model.moe_layers) / model.layers  # fmt: skip
    has_ffn = 1.0 if dense_ffn else 0.0
    h = model.hidden
    return Transformer(
        layers=model.layers, moe_layers=model.moe_layers, full_layers=model.full_attention_layers,
        window_layers=model.window_layers, window=model.window, causal=0.0 if model.kind in _TWO_WAY else 1.0, hidden=h,
        heads=model.heads, qk_dim=qk, v_dim=v, kv_width=keys_values, vocab=model.vocab, total=model.total_params,
        head=model.embedding_params, tables=model.head_count, dense=max(model.total_params - tables - routed, 0.0),
        expert=model.moe_layers * model.expert_params, experts=model.experts,
        experts_per_token=model.experts_per_token,
        io=2.0 * h + 2.0 * h * has_ffn, split_io=queries + keys_values + out + (gates + 1.0) * dense_ffn,
        expert_io=(gates + 1.0) * model.moe_ffn + 2.0 * h,
        # each norm reads and writes; each residual sum reads two and writes one
        between=10.0 * h, split_between=2.0 * (queries + keys_values / 2.0) + (gates + 1.0) * dense_ffn,
        expert_between=(gates + 1.0) * model.moe_ffn + 4.0 * h,
        # inputs of the two norms and of the matmuls after them; queries, keys, values, attention's output, and what the
        # activation takes and gives
        kept=4.0 * h, split_kept=queries + keys_values + out + (gates + 1.0) * dense_ffn,
        expert_kept=(gates + 1.0) * model.moe_ffn + h, mlp=(gates + 1.0) * dense_ffn, ffn=dense_ffn,
    )  # fmt: skip
