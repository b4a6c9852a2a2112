"""Memory of one device that trains, term by term: weights, gradients, optimiser, activations, loss, buffers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.physics.pipeline_parallel import in_flight
from mlsim.physics.training import activation_elements, score_bytes_kept
from mlsim.planner.training import Formats, Plan, expert_tensor, micro_batches, shard_ranks
from mlsim.planner.transformer import Transformer

__all__ = ["TERMS", "Keeps", "TrainMemory", "least_recompute", "train_memory"]


@dataclass(frozen=True, slots=True)
class Keeps:
    """What a framework keeps in device memory besides weights. Every field is a number, or one number per plan."""

    framework: Real  # context, libraries, communication buffers [byte]
    loss_bytes: Real  # per logit of a micro-batch: the logits, their gradient, what is cast to 32 bits
    dropout: Real  # 1 where masks of a byte per element are kept
    fused_attention: Real  # 0 where attention's scores are kept


@dataclass(frozen=True, slots=True)
class TrainMemory:
    """Memory of one device [byte], term by term: the largest over the stages of each plan."""

    weights: Floats
    gradients: Floats
    optimizer: Floats
    activations: Floats
    working: Floats  # of the layer in work: recomputed activations, gathered weights and their gradients
    loss: Floats
    framework: Floats

    @property
    def total(self) -> Floats:
        """All terms together."""
        return sum((getattr(self, name) for name in TERMS), np.zeros(()))


TERMS = tuple(f.name for f in fields(TrainMemory))


def train_memory(net: Transformer, plan: Plan, keeps: Keeps, formats: Formats | None = None) -> TrainMemory:
    """Memory of the fullest device of a plan.

    The first stage keeps most micro-batches, the last computes the loss; whichever needs more decides. Layers that do not
    divide by the stages are rounded up.
    """
    formats = formats or Formats()
    first, last = (_stage(net, plan, keeps, formats, place) for place in (0.0, 1.0))
    more = (np.asarray(plan.pp) > 1) & (last.total > first.total)
    return TrainMemory(*(np.where(more, getattr(last, n), getattr(first, n)) for n in TERMS))


def _stage(net: Transformer, plan: Plan, keeps: Keeps, formats: Formats, last: float) -> TrainMemory:
    """Memory of a device of the first or the last stage; of all there is without a pipeline."""
    tp, pp = np.asarray(plan.tp, float), np.asarray(plan.pp, float)
    alone = pp <= 1
    layers = np.where(
        np.asarray(net.layers) % pp == 0, np.divide(net.layers, pp), np.ceil(np.divide(net.layers, pp) - 1e-9)
    )
    if last:  # a stage with the head has fewer layers where they do not divide
        layers = np.where(np.asarray(net.layers) % pp == 0, layers, np.maximum(layers - 1.0, 1.0))
    share = layers / net.layers
    moe_layers = share * net.moe_layers
    tables = np.where(alone, net.tables, 1.0) * net.head / tp
    shared = share * net.dense / tp + tables
    routed = share * net.expert * net.experts / (expert_tensor(plan) * plan.ep)

    ranks = shard_ranks(plan)
    expert_ranks = np.maximum(tp * plan.cp * plan.dp / (expert_tensor(plan) * plan.ep), 1.0)

    def over(switch: Real, weights: Floats, among: Floats) -> Floats:
        return weights / np.where(np.asarray(switch) > 0, among, 1.0)

    def held(switch: Real) -> Floats:
        return over(switch, shared, ranks) + over(switch, routed, np.minimum(expert_ranks, np.maximum(ranks, 1.0)))

    off = 1.0 - np.asarray(plan.offload_weights)
    layer = (shared - tables + routed) / np.maximum(layers, 1.0)
    weights = (
        held(np.multiply(plan.shard_weights, plan.gather_twice)) * formats.weight * off
        + (1.0 - off) * 2.0 * layer * formats.weight
    )
    gradients = held(plan.shard_gradients) * formats.gradient * plan.trainable
    gradients = np.where(np.asarray(plan.offload_optimizer) > 0, 2.0 * layer * formats.gradient, gradients)
    states = held(plan.shard_optimizer) * formats.state * plan.trainable
    states = np.where(
        np.asarray(plan.offload_optimizer) > 0, over(plan.shard_optimizer, 2.0 * layer * formats.state, ranks), states
    )

    tokens = np.multiply(plan.micro_batch, plan.sequence) / plan.cp
    each = _layer_bytes(net, plan, keeps, formats, tokens)
    routing = tokens * np.divide(net.experts_per_token, tp) * net.expert_kept * formats.kept
    whole = np.asarray(plan.recompute_layer)
    sp_width = np.where(np.asarray(plan.sequence_parallel) > 0, tp, 1.0)
    checkpoint = tokens * net.hidden * formats.activation / sp_width
    per_layer = (1.0 - whole) * each + whole * checkpoint
    expert_kept = (1.0 - whole) * routing
    passes = in_flight(pp, plan.chunks, np.maximum(micro_batches(plan), 1.0))
    alive = np.where(alone, 1.0, np.where(last > 0, np.minimum(plan.chunks, passes), passes))
    kept = alive * (layers * per_layer + moe_layers * expert_kept)
    resident = np.minimum(kept, 3.0 * (per_layer + expert_kept))
    activations = np.where(np.asarray(plan.offload_activations) > 0, resident, kept)

    # the layer in work: what a recomputed layer makes, and whole weights of a sharded one
    pulled = np.where(np.asarray(plan.shard_weights) > 0, layer * formats.gathered, 0.0)
    again = np.maximum(whole, plan.recompute_pointwise)
    working = np.where(again > 0, each + routing, 0.0) + pulled
    logits = tokens * np.divide(net.vocab, tp) * keeps.loss_bytes
    loss = np.where(alone, logits, np.where(last > 0, logits, 0.0))
    zero = np.zeros_like(weights + activations + loss)
    return TrainMemory(
        *(
            zero + part
            for part in (weights, gradients, states, activations, working, loss, np.asarray(keeps.framework, float))
        )
    )


def _layer_bytes(net: Transformer, plan: Plan, keeps: Keeps, formats: Formats, tokens: Floats) -> Floats:
    """Bytes that one layer keeps of a micro-batch, without routed experts."""
    tp = np.asarray(plan.tp, float)
    split_kept = net.split_kept - np.asarray(plan.recompute_mlp) * net.mlp
    pointwise = np.asarray(
        plan.recompute_pointwise
    )  # outputs of matmuls stay, what norms and activations make of them not
    split_kept = np.maximum(split_kept - pointwise * net.ffn, 0.0)
    kept = net.kept * (1.0 - pointwise / 2.0)
    sp = np.asarray(plan.sequence_parallel)
    gathered = np.where((sp > 0) & (np.asarray(plan.gather_again) <= 0), kept / 2.0 * (1.0 - 1.0 / tp), 0.0)
    elements = activation_elements(kept, split_kept, tp, sp) + gathered
    masks = keeps.dropout * 2.0 * np.asarray(net.hidden) / np.where(sp > 0, tp, 1.0)
    scores = np.where(
        (np.asarray(keeps.fused_attention) > 0) | (np.asarray(plan.recompute_attention) > 0), 0.0,
        score_bytes_kept(net.heads, plan.sequence, tp),
    )  # fmt: skip
    return tokens * (elements * formats.kept + masks + scores)


def least_recompute(net: Transformer, plan: Plan, keeps: Keeps, capacity: Real, formats: Formats | None = None) -> Plan:
    """Return a plan with the least recomputation that fits: none, attention's scores, or as many layers as need be.

    What a source does not say of recomputation is assumed so; where nothing fits, all layers.
    """
    none = replace(plan, recompute_layer=0.0, recompute_attention=0.0)
    scores = replace(none, recompute_attention=1.0)
    some, every = (replace(none, recompute_layer=share) for share in (1e-9, 1.0))  # a first one needs room to work in
    need, need_scores, need_some, need_all = (
        train_memory(net, p, keeps, formats).total for p in (none, scores, some, every)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(need_some > need_all, (need_some - capacity) / (need_some - need_all), 1.0)
    layers = np.ceil(np.divide(net.layers, plan.pp) - 1e-9)
    share = np.ceil(np.clip(share, 0.0, 1.0) * layers) / layers
    fits, fits_scores = need <= capacity, need_scores <= capacity
    return replace(
        plan,
        recompute_layer=np.where(fits | fits_scores, 0.0, share),
        recompute_attention=np.where(~fits & fits_scores, 1.0, 0.0),
    )
