"""One forward pass of a replica, operator by operator: the time of decode steps, prompts and mixtures of both.

All arguments are numbers or arrays that broadcast, so one call answers a million cases.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats, Real
from mlsim.physics.attention import attended_pairs, attention_flops, attention_slowdown, narrow_head_share
from mlsim.physics.collectives import all_reduce_time, all_to_all_time
from mlsim.physics.kv_cache import sequence_elements
from mlsim.physics.matmul import vector_time, weight_flops
from mlsim.physics.moe import expected_distinct_experts, grouped_slowdown, routing_imbalance
from mlsim.physics.roofline import compute_time, limited_clock, memory_time, overlapped_time
from mlsim.planner.machine import Efficiency, Machine
from mlsim.planner.network import Network

__all__ = ["BOTTLENECKS", "OPERATORS", "Step", "forward", "matmul_share", "operators"]

OPERATORS = ("attention projections", "feed-forward", "experts", "output head", "attention")
BOTTLENECKS = ("compute", "memory bandwidth", "communication", "overhead", "capacity")

# A mixture-of-experts layer adds the router, top-k, sort, counts, two gathers, a second activation and the weighted sum.
KERNELS_PER_MOE_LAYER = 8
# Embedding, final norm, output head, sampling.
_KERNELS_PER_STEP = 4
ACTIVATION_BYTES = 2.0  # activations travel in 16 bits
# Matrix-vector kernels serve few tokens; above, weights are unpacked once and a matrix kernel multiplies them.
_MATRIX_TOKENS = 32.0
# Rows of one expert at which a grouped matmul reaches half of its rate. Kernel tables of 2025 (moe.csv) say 48 to 157 in
# bf16 and fp8 and 2 to 10 in block fp8; whole runs fit best below 40 and hardly tell 10 from 40.
HALF_ROWS = 20.0
# Context at which half of the splitting and merging of decode attention is paid: one block does a short context alone.
_SPLIT_CONTEXT = 256.0
# No kernel streams faster than this share of the data-sheet bandwidth (0.94 is the best measured: H200 stream triad).
MOST_BANDWIDTH = 0.97
# No matmul is faster than this share of the dense peak (0.97 is the best measured: Gaudi 2, largest matmul).
MOST_PEAK = 0.97
# Share of the shorter of compute and memory time that kernels do not hide behind the longer.
UNHIDDEN = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    """The time of one forward pass [s] and where it goes."""

    total: Floats
    compute: Floats
    memory: Floats
    communication: Floats
    overhead: Floats
    flops: Floats
    bytes_moved: Floats
    by_operator: Floats  # [s], a row per entry of OPERATORS

    @property
    def bottleneck(self) -> NDArray[np.str_]:
        """The largest part of the time: one of :data:`BOTTLENECKS`."""
        parts = np.stack(np.broadcast_arrays(self.compute, self.memory, self.communication, self.overhead))
        return np.asarray(BOTTLENECKS)[np.argmax(parts, axis=0)]

    def repeated(self, times: Real, passes: Real) -> Step:
        """Return ``passes`` such passes that take ``times`` as long as one, because some overlap."""
        parts = [getattr(self, f.name) for f in fields(self)]
        factors = [passes if f.name in ("flops", "bytes_moved") else times for f in fields(self)]
        return Step(*(np.multiply(part, factor) for part, factor in zip(parts, factors, strict=True)))

    def blended(self, other: Step, share: Real) -> Step:
        """Return the mean pass when a ``share`` of the passes is ``other``."""
        return Step(*(getattr(self, f.name) * (1.0 - share) + getattr(other, f.name) * share for f in fields(self)))


def kv_share(net: Network, tp: Real) -> Floats:
    """Share of the KV cache on each of ``tp`` devices: whole KV heads, or all of it for a latent cache."""
    kv_heads = np.asarray(net.kv_heads, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(kv_heads > 0, np.ceil(kv_heads / tp) / np.maximum(kv_heads, 1.0), 1.0)


def cache_bytes(net: Network, context: Real, tp: Real = 1.0) -> Floats:
    """Bytes of KV cache that one sequence of ``context`` tokens keeps on one device."""
    return sequence_elements(context, net.kv_token_bytes, net.full_layers, net.window_layers, net.window) * kv_share(
        net, tp
    )


def operators(
    net: Network, decoding: Real, context: Real, prompts: Real = 0.0, new_tokens: Real = 0.0, cached: Real = 0.0,
    tp: Real = 1.0, ep: Real = 1.0, dp: Real = 1.0,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """FLOP, weights read and bytes of one forward pass on one device, a row per entry of :data:`OPERATORS`.

    Parameters
    ----------
    decoding, context : array_like
        Sequences that get one token each, and the tokens in the cache of each.
    prompts, new_tokens, cached : array_like
        Prompts processed in the same pass, their new tokens and what is cached of each.
    tp, ep, dp : array_like
        Devices over which matrices, experts and sequences are shared out; the loads above are of one of ``dp``.

    Returns
    -------
    flops, weights, bytes : ndarray
        Shape (5, ...): weights are read once; routed experts as many as the tokens are expected to touch; the head is
        for one token of each sequence. The last row is attention: its bytes are those of the cache.
    """
    b, c, p, n, h = (np.asarray(x, float) for x in (decoding, context, prompts, new_tokens, cached))
    tokens = b + p * n
    shards = np.maximum(tp, ep)
    routed_tokens = tokens * dp
    touched = expected_distinct_experts(net.experts, net.experts_per_token, routed_tokens)
    pairs = b * _pairs(net, 1.0, c) + p * _pairs(net, n, h)
    cache = b * cache_bytes(net, c + 1.0, tp) + p * cache_bytes(net, h + n, tp)
    shape = np.broadcast_shapes(tokens.shape, pairs.shape, cache.shape, np.shape(shards), np.shape(touched))
    flops, weights, moved = np.empty((5, *shape)), np.empty((5, *shape)), np.empty((5, *shape))
    weights[0], weights[1] = net.projection / tp, net.dense / tp
    weights[2], weights[3] = net.expert * touched / shards, net.head / tp
    weights[4] = 0.0
    flops[0], flops[1] = weight_flops(tokens, weights[0]), weight_flops(tokens, weights[1])
    flops[2] = weight_flops(routed_tokens, net.expert * net.experts_per_token / shards)
    flops[3] = weight_flops(b + p, weights[3])
    flops[4] = attention_flops(pairs, net.heads, net.qk_dim, net.v_dim) / tp
    moved[:3] = weights[:3] * net.element_bytes
    moved[3] = weights[3] * net.head_bytes
    moved[4] = cache
    return flops, weights, moved


def _pairs(net: Network, new_tokens: Real, cached: Real) -> Floats:
    """Query-key pairs of one sequence over all layers."""
    pairs = net.full_layers * attended_pairs(new_tokens, cached)
    if np.any(net.window_layers):
        pairs = pairs + net.window_layers * attended_pairs(new_tokens, cached, net.window)
    return np.asarray(pairs)


def forward(
    net: Network, device: Machine, eff: Efficiency, decoding: Real, context: Real, prompts: Real = 0.0,
    new_tokens: Real = 0.0, cached: Real = 0.0, tp: Real = 1.0, ep: Real = 1.0, dp: Real = 1.0, stages: Real = 1.0,
) -> Step:  # fmt: skip
    """Time of one forward pass of a replica; arguments as for :func:`operators`.

    ``stages`` devices that hold different layers work one after the other: each adds its own start of a pass.
    """
    b, p, n, h, tp, ep = (np.asarray(x, float) for x in (decoding, prompts, new_tokens, cached, tp, ep))
    flops, weights, moved = operators(net, b, context, p, n, h, tp, ep, dp)
    tokens = b + p * n
    clock = limited_clock(device.power_share)
    stream = device.bandwidth * eff.memory_efficiency

    t_compute, t_memory = np.empty_like(flops), np.empty_like(flops)
    t_compute[:4] = _multiply_time(device, eff, clock, flops[:4])
    routed = tokens * dp * net.experts_per_token
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = routed * net.expert / (weights[2] * np.maximum(tp, ep))  # of each expert that has any
    t_compute[2] *= grouped_slowdown(rows, HALF_ROWS) * routing_imbalance(routed, ep)
    narrow = narrow_head_share(net.qk_dim)
    reached = np.minimum(eff.attention_efficiency * eff.attention_share, MOST_PEAK) * narrow
    t_compute[4] = compute_time(flops[4], device.peak16 * clock, reached)
    t_compute[4] *= np.where(p > 0, attention_slowdown(h + n / 2.0, eff.attention_half_length), 1.0)

    matrix = tokens > _MATRIX_TOKENS
    spilled = np.where(matrix, net.unpacked * eff.dequantise_bytes, 0.0)
    read = np.minimum(eff.memory_efficiency * eff.memory_share, MOST_BANDWIDTH)
    t_memory[:4] = memory_time(moved[:4], device.bandwidth, read) + weights[:4] * (spilled / stream)
    read = np.minimum(eff.memory_efficiency * eff.kv_share, MOST_BANDWIDTH) * narrow
    scores = flops[4] / (2.0 * (net.qk_dim + net.v_dim))
    t_memory[4] = memory_time(moved[4], device.bandwidth, read) + scores * (eff.score_bytes / stream)

    t_operator = overlapped_time(t_compute, t_memory, UNHIDDEN)
    fetch = eff.vector_rate * eff.vector_share * np.where(net.unpacked > 0, eff.unpack_share, 1.0)
    t_vector = vector_time(moved[:4], device.core_clock * clock, fetch)
    t_operator[:4] = np.maximum(t_operator[:4], t_vector)

    bound = t_compute >= t_memory
    compute = (t_operator * bound).sum(axis=0)
    # elementwise kernels between the matmuls
    activations = tokens * net.layers * ACTIVATION_BYTES * (net.stream_width + net.split_width / tp)
    memory = t_operator.sum(axis=0) - compute + activations / stream

    communication = _communication(net, device, eff, tokens, tp, ep)
    kernels = eff.layer_kernels * net.layers + KERNELS_PER_MOE_LAYER * net.moe_layers + _KERNELS_PER_STEP
    split = np.where(b > 0, np.divide(context, np.add(context, _SPLIT_CONTEXT)), 0.0)
    per_layer = split * eff.attention_overhead + net.unpacked * eff.unpack_overhead
    busy = compute + memory + communication + kernels * eff.kernel_overhead + net.layers * per_layer
    total = np.maximum(busy, kernels * eff.launch_overhead) + eff.step_overhead * stages + eff.request_overhead * b
    return Step(
        total=total, compute=compute, memory=memory, communication=communication,
        overhead=total - compute - memory - communication, flops=flops.sum(axis=0),
        bytes_moved=moved.sum(axis=0) + activations, by_operator=t_operator,
    )  # fmt: skip


def _multiply_time(device: Machine, eff: Efficiency, clock: Real, flops: Floats) -> Floats:
    """Time of matmuls with weights."""
    return compute_time(flops, device.peak * clock, matmul_share(device, eff))


def matmul_share(device: Machine, eff: Efficiency) -> Floats:
    """Share of the peak that large matmuls reach: narrow formats reach less of theirs than 16-bit ones."""
    narrow = np.where(np.asarray(device.peak) > device.peak16, eff.narrow_efficiency, 1.0)
    return np.asarray(np.minimum(eff.compute_efficiency * eff.compute_share * narrow, MOST_PEAK))


def _communication(net: Network, device: Machine, eff: Efficiency, tokens: Real, tp: Floats, ep: Floats) -> Floats:
    """Two all-reduces per layer under tensor parallelism; two all-to-alls per expert layer when only experts are split."""
    if np.all(tp <= 1) and np.all(ep <= 1):
        return np.zeros(np.broadcast_shapes(np.shape(tokens), tp.shape, ep.shape))
    link = device.link * eff.link_efficiency * eff.link_share
    latency = eff.allreduce_latency + eff.collective_overhead
    message = tokens * net.hidden * ACTIVATION_BYTES
    reduce = 2.0 * net.layers * all_reduce_time(message, tp, link, latency)
    exchange = 2.0 * net.moe_layers * all_to_all_time(message * net.experts_per_token, ep, link, latency)
    return np.where(tp > 1, reduce, exchange)
