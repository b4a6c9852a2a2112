"""One optimiser step of training, term by term: arithmetic, traffic, communication, bubble, update.

All arguments are numbers or arrays that broadcast, so one call answers a million plans. Memory is in
:mod:`mlsim.planner.training_memory`, the search over plans in :mod:`mlsim.planner.training_search`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats, Real
from mlsim.physics.attention import attended_pairs, attention_flops, attention_slowdown, narrow_head_share
from mlsim.physics.moe import expected_distinct_experts, grouped_slowdown, routing_imbalance
from mlsim.physics.pipeline_parallel import bubble_passes, slowest_stage
from mlsim.physics.roofline import compute_time, limited_clock, memory_time, overlapped_time
from mlsim.physics.training import ATTENTION_BACKWARD, exposed_time, optimizer_traffic
from mlsim.planner import fabric as wires
from mlsim.planner.fabric import Fabric
from mlsim.planner.forward import HALF_ROWS, KERNELS_PER_MOE_LAYER, MOST_BANDWIDTH, MOST_PEAK, UNHIDDEN, matmul_share
from mlsim.planner.machine import Efficiency, Machine
from mlsim.planner.transformer import Transformer

__all__ = [
    "PARTS", "Formats", "Placement", "Plan", "TrainStep", "attention_pairs", "expert_tensor", "micro_batches", "placed",
    "shard_ranks", "train_step",
]  # fmt: skip

# Cross entropy over the vocabulary reads and writes the logits: cast to 32 bits, maximum, sum, gradient.
_LOSS_BYTES = 20.0
# Gradients travel in buckets: so many weights each (Megatron-Core's distributed data parallel, bucket_size).
_BUCKET = 40e6
# Matrices whose width on a device is no multiple of 64 elements (128 bytes in 16 bits) miss the aligned kernels. NVIDIA,
# "Matrix multiplication background user's guide", sec. 3. https://docs.nvidia.com/deeplearning/performance
_ALIGNED = 64.0
_MISALIGNED = 1.35

Collective: TypeAlias = Callable[[Real, Real, Real, Fabric, Efficiency], Floats]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a step is laid out. Every field is a number, or an array with one number per plan; switches are 0 or 1."""

    tp: Real = 1.0  # tensor parallel
    pp: Real = 1.0  # pipeline stages
    cp: Real = 1.0  # context parallel
    ep: Real = 1.0  # expert parallel, within tp · cp · dp
    dp: Real = 1.0  # data parallel replicas
    chunks: Real = 1.0  # of layers per device, interleaved (virtual pipeline)
    micro_batch: Real = 1.0  # sequences of one pass of one replica
    global_batch: Real = 1.0  # sequences of a step
    sequence: Real = 2048.0  # tokens of one
    recompute_layer: Real = 0.0  # whole layers are computed again in the backward pass
    recompute_attention: Real = 0.0  # only attention's scores
    recompute_mlp: Real = 0.0  # only the feed-forward part
    recompute_pointwise: Real = 0.0  # only norms and activations: outputs of matmuls are kept
    sequence_parallel: Real = 0.0  # activations between matmuls are split too
    gather_again: Real = 1.0  # sequence-parallel inputs are gathered again in the backward pass, not kept
    scatter_sends: Real = 1.0  # a stage's output is sent in tp parts
    shard_optimizer: Real = 0.0  # ZeRO 1
    shard_gradients: Real = 0.0  # ZeRO 2
    shard_weights: Real = 0.0  # ZeRO 3, FSDP
    shards: Real = 0.0  # ranks the above are split over; 0: all replicas
    gather_twice: Real = 1.0  # sharded weights are gathered for the backward pass again
    tensor_overlap: Real = 1.0  # the runtime may hide tensor-parallel communication
    data_overlap: Real = 1.0  # and that of data parallelism
    offload_weights: Real = 0.0  # to host memory
    offload_activations: Real = 0.0
    offload_optimizer: Real = 0.0
    trainable: Real = 1.0  # share of the weights that get gradients (LoRA)

    @property
    def devices(self) -> Floats:
        """Devices of the plan."""
        return np.asarray(np.multiply(self.tp, self.pp) * self.cp * self.dp)


@dataclass(frozen=True, slots=True)
class Formats:
    """Bytes per weight that training keeps, and per element that it sends."""

    weight: Real = 2.0  # the copy that matmuls read
    gradient: Real = 4.0  # accumulated
    state: Real = 12.0  # optimiser: two moments, and a master copy where the weights are in 16 bits
    reduced: Real = 4.0  # gradients as they travel
    gathered: Real = 2.0  # weights as they travel
    activation: Real = 2.0  # what is computed and travels between layers
    kept: Real = 2.0  # the same as it is kept for the backward pass: inputs of narrow matmuls are narrow


@dataclass(frozen=True, slots=True)
class Placement:
    """How many ranks of a group share a domain, and whether neighbouring stages do not."""

    tp: Real
    cp: Real
    ep: Real
    dp: Real
    stages_apart: Real


@dataclass(frozen=True, slots=True)
class TrainStep:
    """The time of one optimiser step [s] and where it goes."""

    total: Floats
    matmul: Floats
    attention: Floats
    elementwise: Floats
    head: Floats
    recompute: Floats
    tensor: Floats  # communication, as far as it is not hidden
    context: Floats
    expert: Floats
    pipeline: Floats
    data: Floats
    bubble: Floats
    optimizer: Floats
    offload: Floats
    overhead: Floats

    @property
    def bottleneck(self) -> NDArray[np.str_]:
        """The largest part of the time: compute, memory bandwidth, communication or overhead."""
        compute = self.matmul + self.attention + self.head + self.recompute
        memory = self.elementwise + self.optimizer
        wire = self.tensor + self.context + self.expert + self.pipeline + self.data + self.offload
        parts = np.stack(np.broadcast_arrays(compute, memory, wire, self.bubble + self.overhead))
        return np.asarray(("compute", "memory bandwidth", "communication", "overhead"))[np.argmax(parts, axis=0)]


PARTS = tuple(f.name for f in fields(TrainStep))[1:]


def placed(plan: Plan, domain: Real) -> Placement:
    """Return the usual placement: tensor parallel innermost, then context, expert and data parallel, stages outermost."""
    domain = np.where(np.isnan(domain), 1.0, domain)  # not known: a lone device
    room = np.asarray(domain, float)
    tp = np.minimum(plan.tp, room)
    room = np.maximum(np.floor(room / tp), 1.0)
    cp = np.minimum(plan.cp, room)
    room = np.maximum(np.floor(room / cp), 1.0)
    together = np.multiply(plan.tp, plan.cp) * plan.dp
    return Placement(
        tp,
        cp,
        np.minimum(plan.ep, expert_room(plan, domain)),
        np.minimum(plan.dp, room),
        (2.0 * together > domain).astype(float),
    )


def expert_room(plan: Plan, domain: Real) -> Floats:
    """Ranks of an expert-parallel group that share a domain: it spans replicas, and tensor ranks where it must."""
    within = np.where(expert_tensor(plan) > 1.0, plan.tp, 1.0)
    return np.maximum(np.floor(np.asarray(domain, float) / within), 1.0)


def expert_tensor(plan: Plan) -> Floats:
    """Tensor-parallel degree of the experts: that of the layer, unless the group has too few ranks for both."""
    ranks = np.multiply(plan.tp, plan.cp) * plan.dp
    return np.where(np.multiply(plan.tp, plan.ep) <= ranks, plan.tp, 1.0)


def micro_batches(plan: Plan) -> Floats:
    """Passes of the replica with most sequences per step; its last may be smaller, so the number need not be whole."""
    most = np.ceil(np.divide(plan.global_batch, plan.dp) - 1e-9)
    return np.maximum(most / plan.micro_batch, 1.0)


def train_step(
    net: Transformer, device: Machine, fabric: Fabric, eff: Efficiency, plan: Plan, formats: Formats | None = None,
    placement: Placement | None = None,
) -> TrainStep:  # fmt: skip
    """Time of one optimiser step.

    Parameters
    ----------
    net : Transformer
        The model.
    device, fabric, eff : Machine, Fabric, Efficiency
        What a device and its links offer, and how much of it is reached.
    plan : Plan
        Parallelism, batch, recomputation, sharding, offloading.
    formats : Formats, optional
        Bytes per weight; 16-bit weights, 32-bit gradients and Adam by default.
    placement : Placement, optional
        Where ranks are; the usual order by default.

    Notes
    -----
    A stage takes per micro-batch the sum over its layers of matmuls, attention, elementwise kernels and what
    communication is not hidden, forward and backward. The step takes the slowest stage times the micro-batches, the
    bubble of the pipeline, the exposed reduction of gradients and gathering of weights, and the update.
    """
    formats = formats or Formats()
    at = placement or placed(plan, fabric.domain)
    if np.any(eff.packed_length):
        real = np.where(np.asarray(eff.packed_length) > 0, np.minimum(plan.sequence, eff.packed_length), plan.sequence)
        plan = replace(plan, sequence=real)
    rates = _rates(device, eff)
    one = _pass(net, device, rates, fabric, eff, plan, formats, at)

    # the slowest stage sets the pace; the last one has the output head too
    head = _head(net, plan, device, eff, rates, one.tokens)
    slow = slowest_stage(net.layers, plan.pp, one.stage / np.maximum(one.layers, 1e-9), head)
    passes = micro_batches(plan)
    bubble = bubble_passes(plan.pp, plan.chunks) * one.stage
    # a device sends its output forward and its gradient back for every chunk
    parts = np.where(np.asarray(plan.scatter_sends) > 0, plan.tp, 1.0)
    sends = 2.0 * np.asarray(plan.chunks) * wires.send(one.message / parts, at.stages_apart, fabric, eff)
    sends = np.where(np.asarray(plan.pp) > 1, sends * (1.0 - np.asarray(eff.send_overlap)), 0.0)

    data = _data(net, plan, fabric, eff, formats, at, one.first, one.second + one.again, passes)
    shared, routed = _device_weights(net, plan)
    ranks = np.where(np.asarray(plan.shard_optimizer) > 0, shard_ranks(plan), 1.0)
    held = (shared + routed) / ranks * plan.trainable
    update = held * optimizer_traffic(formats.weight, formats.gradient, formats.state) / rates.stream
    offload = _offload(net, plan, fabric, formats, one, held, passes)

    fixed = passes * (slow + sends) + bubble + (np.asarray(plan.pp) - 1.0) / plan.chunks * sends
    beyond = np.log2(np.fmax(plan.devices / fabric.domain, 1.0))
    total = (fixed + data + update + offload + eff.update_overhead) * (1.0 + eff.scale_slowdown * beyond)
    often = passes * np.where(one.stage > 0, (slow - head) / np.maximum(one.stage, 1e-30), 0.0)  # mean stages passed
    zero = np.zeros_like(total)
    parts_of = {
        "matmul": (one.forward + one.backward + 3.0 * one.cast) * often,
        "attention": (one.attention + one.attention_back) * often, "elementwise": 3.0 * (one.pointwise + one.busy) * often,
        "head": passes * head, "recompute": one.again * often, "tensor": (2.0 * one.tensor + one.tensor_again) * often,
        "context": 3.0 * one.context * often, "expert": 2.0 * one.expert * often, "pipeline": passes * sends, "data": data,
        "bubble": bubble, "optimizer": update, "offload": offload,
    }  # fmt: skip
    known = {name: zero + value for name, value in parts_of.items()}
    return TrainStep(total=total, **known, overhead=total - sum(known.values(), zero))


@dataclass(frozen=True, slots=True)
class _Rates:
    """What a device reaches."""

    clock: Floats  # relative to the unlimited one
    stream: Floats  # [byte/s]
    matmul: Floats  # [FLOP/s]


def _rates(device: Machine, eff: Efficiency) -> _Rates:
    clock = limited_clock(device.power_share)
    stream = device.bandwidth * np.minimum(eff.memory_efficiency * eff.memory_share, MOST_BANDWIDTH)
    return _Rates(clock, np.asarray(stream), device.peak * matmul_share(device, eff) * clock)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One micro-batch through the layers of a stage: times of its parts [s], forward unless said otherwise."""

    tokens: Floats
    layers: Floats
    message: Floats  # what a layer gives to the next [byte]
    weight_bytes: Floats
    forward: Floats  # matmuls
    backward: Floats
    cast: Floats
    attention: Floats
    attention_back: Floats
    pointwise: Floats
    busy: Floats  # device time per kernel
    tensor: Floats
    tensor_again: Floats  # backward only
    context: Floats
    expert: Floats
    first: Floats  # the forward pass
    second: Floats  # the backward pass without recomputation
    again: Floats  # what is recomputed
    stage: Floats  # all of it, or the host's launches where they take longer


def _pass(
    net: Transformer, device: Machine, rates: _Rates, fabric: Fabric, eff: Efficiency, plan: Plan, formats: Formats,
    at: Placement,
) -> _Pass:  # fmt: skip
    """Time of one micro-batch on one stage; backward work is twice forward work unless said otherwise."""
    layers, moe_layers = np.divide(net.layers, plan.pp), np.divide(net.moe_layers, plan.pp)
    tokens = np.asarray(np.multiply(plan.micro_batch, plan.sequence) / plan.cp)
    sp = np.asarray(plan.sequence_parallel)

    forward, backward, weight_bytes, io = _matmuls(net, plan, formats, eff, rates, tokens, layers, moe_layers)
    cast = np.where(np.asarray(device.peak) > device.peak16, eff.cast_bytes, 0.0) * io / rates.stream
    attention, attention_back = _attention(net, plan, device, eff, rates)

    between = np.where(sp > 0, np.divide(net.between, plan.tp), net.between) + np.divide(net.split_between, plan.tp)
    elements = tokens * layers * between
    elements = elements + tokens * moe_layers * net.experts_per_token * np.divide(net.expert_between, plan.tp)
    pointwise = elements * formats.activation * eff.stream_share / rates.stream
    kernels = eff.layer_kernels * layers + KERNELS_PER_MOE_LAYER * moe_layers
    busy = np.asarray(kernels * eff.kernel_overhead)

    message = tokens * net.hidden * formats.activation
    reduce = 2.0 * wires.all_reduce(message, plan.tp, at.tp, fabric, eff)
    gather = wires.all_gather(message, plan.tp, at.tp, fabric, eff)
    halves = 2.0 * (gather + wires.reduce_scatter(message, plan.tp, at.tp, fabric, eff))
    shown = 1.0 - np.multiply(eff.tensor_overlap, plan.tensor_overlap)
    tensor = layers * np.where(sp > 0, halves * shown, reduce)
    tensor_again = layers * np.where(sp > 0, 2.0 * gather * np.asarray(plan.gather_again) * shown, 0.0)
    keys = tokens * plan.cp * np.divide(net.kv_width, plan.tp) * formats.activation
    context = layers * exposed_time(
        wires.all_gather(keys, plan.cp, at.cp, fabric, eff), attention / np.maximum(layers, 1e-9), eff.data_overlap
    )
    rows = tokens * np.divide(net.experts_per_token, np.where(expert_tensor(plan) > 1, 1.0, plan.tp))
    exchanged = rows * net.hidden * formats.activation
    imbalance = routing_imbalance(rows * plan.ep, plan.ep)
    expert = 2.0 * moe_layers * wires.all_to_all(exchanged, plan.ep, at.ep, fabric, eff, imbalance)

    first = forward + cast + attention + pointwise + busy + tensor + context + expert
    second = backward + 2.0 * (cast + pointwise + busy + context) + attention_back + tensor + tensor_again + expert
    whole = np.asarray(plan.recompute_layer)
    some = (
        np.asarray(plan.recompute_mlp) * forward * net.mlp / np.maximum(net.split_io, 1.0)
        + np.asarray(plan.recompute_attention) * attention
        + np.asarray(plan.recompute_pointwise) * pointwise
    )
    again = np.where(whole > 0, whole * first, some)
    # the host launches kernels beside the device; routing reads token counts back, so an expert layer takes it long
    host = (3.0 + whole) * (kernels * eff.launch_overhead + moe_layers * eff.expert_overhead)
    return _Pass(
        tokens, layers, message, weight_bytes, forward, backward, cast, attention, attention_back, pointwise, busy, tensor,
        tensor_again, context, expert, first, second, again, np.maximum(first + second + again, host),
    )  # fmt: skip


def _matmuls(
    net: Transformer, plan: Plan, formats: Formats, eff: Efficiency, rates: _Rates, tokens: Floats, layers: Floats,
    moe_layers: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Forward and backward time of a stage's matmuls, the bytes of its weights, and the elements in and out of them."""
    rate, stream, split = rates.matmul, rates.stream, np.multiply(plan.tp, plan.pp)
    dense = np.divide(net.dense, split)
    io = tokens * layers * (net.io + np.divide(net.split_io, plan.tp))
    flops = 2.0 * tokens * dense * np.where(np.divide(net.hidden, plan.tp) % _ALIGNED == 0, 1.0, _MISALIGNED)
    moved = dense * formats.weight + io * formats.activation
    gradients = 2.0 * np.asarray(formats.gradient) * plan.trainable  # read and written
    back = 1.0 + np.asarray(plan.trainable, float)
    forward = overlapped_time(compute_time(flops, rate), memory_time(moved, stream), UNHIDDEN)
    backward = overlapped_time(
        compute_time(back * flops, rate), memory_time(back * moved + gradients * dense, stream), UNHIDDEN
    )
    weight_bytes = dense * formats.weight
    if np.any(net.experts):
        shards = np.multiply(expert_tensor(plan), plan.ep)
        routed = tokens * net.experts_per_token * net.expert / split
        held = np.asarray(net.expert) * net.experts / (shards * plan.pp)
        in_group = tokens * net.experts_per_token * shards / np.asarray(plan.tp)
        touched = expected_distinct_experts(net.experts, net.experts_per_token, tokens * shards / np.asarray(plan.tp))
        rows = in_group / np.maximum(touched, 1.0)
        slow = grouped_slowdown(rows, HALF_ROWS) * routing_imbalance(in_group, plan.ep)
        row_io = tokens * net.experts_per_token * moe_layers * net.expert_io / np.asarray(plan.tp)
        moved = held * formats.weight + row_io * formats.activation
        forward = forward + overlapped_time(
            compute_time(2.0 * routed, rate) * slow, memory_time(moved, stream), UNHIDDEN
        )
        backward = backward + overlapped_time(
            compute_time(2.0 * back * routed, rate) * slow,
            memory_time(back * moved + gradients * held, stream),
            UNHIDDEN,
        )
        weight_bytes, io = weight_bytes + held * formats.weight, io + row_io
    return forward, backward, np.asarray(weight_bytes), io


def _wide_peak(device: Machine) -> Floats:
    """Peak of what stays in 16 bits where matmuls are narrower, and is as wide as they are where they are wider."""
    return np.minimum(device.peak16, device.peak)


def attention_pairs(net: Transformer, sequence: Real, masked: Real) -> Floats:
    """Query-key pairs of one sequence over all layers; ``masked`` is 1 where pairs after a token are skipped."""
    s = np.asarray(sequence, float)
    half = attended_pairs(s, 0.0)
    pairs = net.full_layers * np.where(np.asarray(masked) > 0, half, s * s)
    if np.any(net.window_layers):
        pairs = pairs + net.window_layers * attended_pairs(s, 0.0, np.minimum(net.window, s))
    return np.asarray(pairs)


def _attention(net: Transformer, plan: Plan, device: Machine, eff: Efficiency, rates: _Rates) -> tuple[Floats, Floats]:
    """Forward and backward time of a stage's attention."""
    fused = np.asarray(eff.score_bytes) <= 0
    pairs = attention_pairs(net, plan.sequence, np.where(fused, net.causal, 0.0)) * plan.micro_batch
    shared = pairs / (np.multiply(plan.tp, plan.pp) * plan.cp)
    flops = attention_flops(shared, net.heads, net.qk_dim, net.v_dim)
    narrow = np.sqrt(narrow_head_share(net.qk_dim))
    reached = np.minimum(eff.attention_efficiency * eff.attention_share, MOST_PEAK) * narrow
    keys = np.asarray(plan.sequence, float) / 2.0
    products = compute_time(flops, _wide_peak(device) * rates.clock, reached)
    products = products * np.where(fused, attention_slowdown(keys, eff.attention_half_length), 1.0)
    scores = shared * net.heads * eff.score_bytes / rates.stream
    back = np.where(fused, ATTENTION_BACKWARD / np.asarray(eff.attention_backward), 2.0)
    return products + scores, products * back + 2.0 * scores


def _head(net: Transformer, plan: Plan, device: Machine, eff: Efficiency, rates: _Rates, tokens: Floats) -> Floats:
    """Time of output head and loss of one micro-batch, forward and backward; in 16 bits where the layers are narrower."""
    rate = _wide_peak(device) * rates.clock * np.minimum(eff.compute_efficiency * eff.compute_share, MOST_PEAK)
    matmul = 3.0 * compute_time(2.0 * tokens * net.head / plan.tp, rate)
    loss = tokens * np.divide(net.vocab, plan.tp) * _LOSS_BYTES * eff.stream_share / rates.stream
    return matmul + loss


def shard_ranks(plan: Plan) -> Floats:
    """Ranks that optimiser states, gradients or weights are split over."""
    replicas = np.multiply(plan.dp, plan.cp)
    return np.where(np.asarray(plan.shards) > 0, np.minimum(plan.shards, replicas), replicas)


def _device_weights(net: Transformer, plan: Plan) -> tuple[Floats, Floats]:
    """Weights of one device before data-parallel sharding: those all replicas hold, and routed experts.

    A stage holds its layers; the first and the last a vocabulary table each, of which the mean is counted here.
    """
    tables = np.where(np.asarray(plan.pp) > 1, 2.0, net.tables) * net.head / plan.tp
    shared = np.divide(net.dense, np.multiply(plan.tp, plan.pp)) + tables / np.asarray(plan.pp)
    routed = np.asarray(net.expert) * net.experts / (expert_tensor(plan) * plan.ep * plan.pp)
    return shared, routed


def _data(
    net: Transformer, plan: Plan, fabric: Fabric, eff: Efficiency, formats: Formats, at: Placement, first: Floats,
    second: Floats, passes: Floats,
) -> Floats:  # fmt: skip
    """Exposed time per step of reducing gradients and gathering weights over the replicas."""
    replicas = np.multiply(plan.dp, plan.cp)
    together = np.multiply(at.dp, at.cp)
    group = shard_ranks(plan)
    inside = np.minimum(group, together)
    shared, routed = _device_weights(net, plan)
    expert_ranks = np.maximum(np.multiply(plan.tp, replicas) / (expert_tensor(plan) * plan.ep), 1.0)
    overlap = np.multiply(eff.data_overlap, plan.data_overlap)
    zero3 = np.asarray(plan.shard_weights) > 0
    sharded = np.asarray(plan.shard_optimizer) > 0

    # one collective per layer of sharded weights, or per bucket of gradients
    layers = np.divide(net.layers, plan.pp)
    buckets = np.where(zero3, layers, np.maximum((shared + routed) / _BUCKET, 1.0))

    def split(operation: Collective, size: Floats, ranks: Floats, near: Floats) -> Floats:
        return buckets * operation(size / buckets, ranks, near, fabric, eff)

    def reduced(weights: Floats, ranks: Floats, near: Floats) -> Floats:
        return split(wires.all_reduce, weights * plan.trainable * formats.reduced, ranks, near)

    def scattered(weights: Floats, ranks: Floats, near: Floats) -> Floats:
        return split(wires.reduce_scatter, weights * plan.trainable * formats.reduced, ranks, near)

    def gathered(weights: Floats, ranks: Floats, near: Floats) -> Floats:
        return split(wires.all_gather, weights * formats.gathered, ranks, near)

    near_expert = np.maximum(together * np.asarray(at.tp) / (expert_tensor(plan) * at.ep), 1.0)
    summed = reduced(shared, replicas, together) + reduced(routed, expert_ranks, near_expert)
    push = scattered(shared, group, inside) + scattered(routed, expert_ranks, near_expert)
    pull = gathered(shared, group, inside) + gathered(routed, expert_ranks, near_expert)
    pull = pull * np.where(zero3, 1.0, plan.trainable)
    # shards of fewer ranks than there are replicas are summed across the groups
    rest = reduced(shared / group, np.maximum(replicas / group, 1.0), np.maximum(together / inside, 1.0))

    # ZeRO 2 and 3 keep no whole gradients: they are scattered after every pass; ZeRO 3 gathers weights for every pass
    trips = np.ceil(passes - 1e-9)
    before = np.where(zero3, trips, 1.0)
    after = np.where(np.asarray(plan.shard_gradients) > 0, trips, 1.0)
    again = np.where(zero3, plan.gather_twice, 0.0) * pull
    split_up = (
        before * exposed_time(pull, first, overlap)
        + after * exposed_time(again + push, second, overlap)
        + exposed_time(rest, second, overlap)
    )
    return np.where(sharded, split_up, exposed_time(summed, second, overlap))


def _offload(
    net: Transformer, plan: Plan, fabric: Fabric, formats: Formats, one: _Pass, held: Floats, passes: Floats
) -> Floats:
    """Exposed time per step of moving weights, activations and optimiser states to host memory and back."""
    on = np.asarray(plan.offload_weights) + plan.offload_activations + plan.offload_optimizer
    if not np.any(on):
        return np.zeros_like(passes)
    host, weights = np.asarray(fabric.host), np.asarray(plan.offload_weights) * one.weight_bytes
    kept = np.divide(net.kept + np.asarray(net.split_kept), plan.tp) * one.tokens * one.layers * formats.activation
    moved = weights + np.asarray(plan.offload_activations) * kept
    forward = np.maximum(moved / host - one.first, 0.0)
    backward = np.maximum((moved + weights) / host - one.second, 0.0)
    states = np.asarray(plan.offload_optimizer) * 2.0 * held * np.asarray(formats.state) / host
    return np.where(on > 0, passes * (forward + backward) + states, 0.0)
