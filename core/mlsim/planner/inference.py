"""Inference on one replica: memory, decode, prefill and throughput, operator by operator.

Every function takes one model, chip, precision and runtime, and scalars or arrays for the load (batch, context,
tensor parallel); it returns arrays. Times are of one forward pass of one replica of ``tp`` devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats, Real
from mlsim.errors import DomainError
from mlsim.physics.attention import attended_pairs, attention_flops
from mlsim.physics.collectives import all_reduce_time
from mlsim.physics.kv_cache import sequence_elements
from mlsim.physics.matmul import weight_flops
from mlsim.physics.memory import activation_bytes, logits_bytes, max_batch
from mlsim.physics.moe import expected_distinct_experts
from mlsim.physics.roofline import compute_time, memory_time
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = ["BOTTLENECKS", "Memory", "Step", "decode", "kv_bytes", "largest_batch", "memory", "minimum_tp", "operators",
           "prefill", "throughput", "usable_memory", "weight_bytes"]  # fmt: skip


BOTTLENECKS = ("compute", "memory bandwidth", "communication", "overhead", "capacity")
_LANGUAGE = ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab")
# Kernels of one layer: two norms, QKV, rotary + cache write, attention, output, gate-up, activation, down.
_KERNELS_PER_LAYER = 9
# A mixture-of-experts layer adds the router, the sort, the gather and the weighted sum.
_KERNELS_PER_MOE_LAYER = 4
# Embedding, final norm, output head, sampling.
_KERNELS_PER_STEP = 4
_ACTIVATION_BYTES = 2.0  # activations travel in 16 bits


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

    @property
    def bottleneck(self) -> NDArray[np.str_]:
        """The largest part of the time: one of :data:`BOTTLENECKS`."""
        parts = np.stack(np.broadcast_arrays(self.compute, self.memory, self.communication, self.overhead))
        return np.asarray(BOTTLENECKS)[np.argmax(parts, axis=0)]


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one device [byte], term by term."""

    weights: Floats
    kv_cache: Floats
    activations: Floats
    logits: Floats
    framework: Floats
    collectives: Floats

    @property
    def total(self) -> Floats:
        """All terms together."""
        return self.weights + self.kv_cache + self.activations + self.logits + self.framework + self.collectives


def _check_parallel(model: Model, tp: Real) -> Floats:
    devices = np.asarray(tp, float)
    most = float(devices.max()) if devices.ndim else float(devices)
    if most > model.heads > 0:
        raise DomainError(f"Tensor parallel {most:g} is more than the {model.heads:g} attention heads of {model.name}.")
    return devices


def weight_bytes(model: Model, precision: Precision) -> float:
    """Bytes of all weights: layers in the given precision, vocabulary tables in 16 bits unless it covers them too.

    Quantised checkpoints (AWQ, GPTQ, FP8, MXFP4) keep the embedding and the output head in 16 bits; llama.cpp's
    formats are averages over the whole model. Scales and zero points are part of ``bytes_per_element``.
    """
    tables = model.embedding_params * model.head_count if model.vocab else 0.0
    return (model.total_params - tables) * precision.bytes_per_element + tables * _table_element_bytes(precision)


def _table_element_bytes(precision: Precision) -> float:
    """Bytes per weight of the embedding and the output head."""
    return precision.bytes_per_element if precision.whole_model else max(2.0, precision.bytes_per_element)


def kv_bytes(model: Model, context: Real, precision: Precision, tp: Real = 1) -> Floats:
    """Bytes of KV cache that one sequence of ``context`` tokens keeps on one device.

    Heads are shared out over ``tp`` devices, at least one whole KV head each; a latent (MLA) cache is on all of them.
    """
    tp = np.asarray(tp, float)
    shares = 1.0 if model.is_latent else np.ceil(model.kv_heads / tp) / max(model.kv_heads, 1.0)
    elements = sequence_elements(
        context, model.cached_elements_per_token, model.full_attention_layers, model.window_layers, model.window
    )
    return elements * precision.bytes_per_element * shares


def memory(
    model: Model, batch: Real, context: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> Memory:  # fmt: skip
    """Memory of one device that serves ``batch`` sequences of ``context`` tokens each.

    The logits workspace counts the runtime's sequence slots (vLLM reserves for all of them at start), or the batch
    where that is larger.
    """
    model.need(*_LANGUAGE)
    tp = _check_parallel(model, tp)
    batch, context, tp = np.broadcast_arrays(np.asarray(batch, float), np.asarray(context, float), tp)
    zero = np.zeros(batch.shape)
    tokens = np.maximum(runtime.chunk_tokens, batch)
    widest = max(model.ffn, model.moe_ffn * max(model.experts_per_token, 1.0))
    return Memory(
        weights=zero + weight_bytes(model, precision) / tp,
        kv_cache=batch * kv_bytes(model, context, kv_precision, tp),
        activations=activation_bytes(tokens, model.hidden, widest / tp, _ACTIVATION_BYTES),
        logits=logits_bytes(np.maximum(runtime.sequence_slots, batch), model.vocab / tp, runtime.logits_bytes),
        framework=zero + runtime.framework_memory,
        collectives=np.where(tp > 1, runtime.collective_memory, 0.0),
    )


def usable_memory(chip: Chip, runtime: Runtime) -> float:
    """Memory of one device that the runtime may use [byte]: capacity times its memory fraction."""
    return chip.memory * runtime.memory_fraction


def largest_batch(
    model: Model, available: float, context: Real, precision: Precision, kv_precision: Precision, runtime: Runtime,
    tp: Real = 1,
) -> Floats:  # fmt: skip
    """Largest batch that fits in ``available`` bytes of each device, 0 when not even one sequence does."""
    need = memory(model, 0.0, context, precision, kv_precision, runtime, tp)
    return max_batch(available, need.total, kv_bytes(model, context, kv_precision, tp))


def minimum_tp(
    model: Model, chip: Chip, batch: float, context: float, precision: Precision, kv_precision: Precision,
    runtime: Runtime, limit: int = 64,
) -> int | None:  # fmt: skip
    """Fewest devices (a power of two) whose memory holds the model and the batch.

    None when neither ``limit`` devices nor one per attention head are enough.
    """
    tp = 1
    while tp <= min(limit, model.heads):
        if memory(model, batch, context, precision, kv_precision, runtime, tp).total <= usable_memory(chip, runtime):
            return tp
        tp *= 2
    return None


def operators(
    model: Model, sequences: Real, new_tokens: Real, cached: Real, precision: Precision,
    kv_precision: Precision, tp: Real = 1,
) -> tuple[Floats, Floats]:  # fmt: skip
    """FLOP and bytes of one forward pass on one device, an operator per row.

    ``sequences`` sequences have ``new_tokens`` new and ``cached`` cached tokens each. Rows: attention projections,
    attention itself, dense and shared feed-forward with the router, routed experts, output head. Weights are read
    once; routed experts as many as the batch is expected to touch.
    """
    model.need(*_LANGUAGE)
    tp = _check_parallel(model, tp)
    b, n, c = (np.asarray(x, float) for x in (sequences, new_tokens, cached))
    tokens = b * n
    w = precision.bytes_per_element

    projection = model.attention_params_per_layer * model.layers
    dense_ffn = model.ffn_matrices * model.hidden * model.ffn * (model.layers - model.moe_layers)
    always = dense_ffn + model.moe_layers * (model.shared_experts * model.expert_params + model.hidden * model.experts)
    routed = model.moe_layers * model.expert_params
    touched = expected_distinct_experts(model.experts, model.experts_per_token, tokens) if model.experts else 0.0
    head = model.embedding_params

    qk_dim, v_dim = model.head_dim, model.head_dim
    if model.is_latent:  # the absorbed form multiplies the latent itself
        qk_dim, v_dim = model.kv_lora_rank + model.qk_rope_dim, model.kv_lora_rank
    pairs = model.full_attention_layers * attended_pairs(n, c)
    if model.window_layers:
        pairs = pairs + model.window_layers * attended_pairs(n, c, model.window)

    # The cache is sharded by whole heads, so its share is not 1/tp: multiplied by tp here, divided by it below.
    cache = b * kv_bytes(model, c + n, kv_precision, tp) * tp
    shape = np.broadcast_shapes(tokens.shape, c.shape, tp.shape)
    flops = np.empty((5, *shape))
    flops[0] = weight_flops(tokens, projection)
    flops[1] = attention_flops(b * pairs, model.heads, qk_dim, v_dim)
    flops[2] = weight_flops(tokens, always)
    flops[3] = weight_flops(tokens, routed * model.experts_per_token)
    flops[4] = weight_flops(b, head)  # only the last token of a sequence is sampled
    moved = np.empty((5, *shape))
    moved[0], moved[1], moved[2], moved[3] = projection * w, cache, always * w, routed * touched * w
    moved[4] = head * _table_element_bytes(precision)
    return flops / tp, moved / tp


def _forward(
    model: Model, chip: Chip, sequences: Real, new_tokens: Real, cached: Real, precision: Precision,
    kv_precision: Precision, runtime: Runtime, tp: Real,
) -> Step:  # fmt: skip
    """Time of one forward pass: each operator on the roofline, plus launches, plus two all-reduces per layer."""
    f, m = operators(model, sequences, new_tokens, cached, precision, kv_precision, tp)
    tp, ops = np.asarray(tp, float), f.shape[1:]
    tokens = np.asarray(sequences, float) * new_tokens
    t_compute = compute_time(f, chip.peak(precision.compute), chip.get("compute_efficiency"))
    t_memory = memory_time(m, chip.get("memory_bandwidth"), chip.get("memory_efficiency"))
    bound = t_compute >= t_memory
    kernels = _KERNELS_PER_LAYER * model.layers + _KERNELS_PER_MOE_LAYER * model.moe_layers + _KERNELS_PER_STEP
    overhead = np.broadcast_to(kernels * (chip.get("kernel_overhead") + runtime.launch_overhead), ops)
    communication = np.zeros(ops)
    if tp.max() > 1:
        link = chip.get("scaleup_bandwidth") * chip.get("link_efficiency")
        message = tokens * model.hidden * _ACTIVATION_BYTES
        communication = communication + 2.0 * model.layers * all_reduce_time(
            message, tp, link, chip.get("allreduce_latency") + runtime.launch_overhead
        )
    compute = np.where(bound, t_compute, 0.0).sum(axis=0)
    traffic = np.where(bound, 0.0, t_memory).sum(axis=0)
    return Step(
        total=compute + traffic + communication + overhead,
        compute=compute, memory=traffic, communication=communication, overhead=overhead,
        flops=f.sum(axis=0), bytes_moved=m.sum(axis=0),
    )  # fmt: skip


def decode(
    model: Model, chip: Chip, batch: Real, context: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> Step:  # fmt: skip
    """One decode step: every sequence of the batch gets one token, with ``context`` tokens in the cache (TPOT)."""
    return _forward(model, chip, batch, 1.0, context, precision, kv_precision, runtime, tp)


def prefill(
    model: Model, chip: Chip, batch: Real, prompt: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> Step:  # fmt: skip
    """Prefill of ``batch`` prompts of ``prompt`` tokens at once: the time to first token without queueing (TTFT)."""
    return _forward(model, chip, batch, prompt, 0.0, precision, kv_precision, runtime, tp)


def throughput(
    model: Model, chip: Chip, batch: Real, prompt: Real, output: Real, precision: Precision,
    kv_precision: Precision, runtime: Runtime, tp: Real = 1,
) -> Floats:  # fmt: skip
    """Output tokens per second of one replica with a static batch: b·o / (TTFT + o·TPOT).

    TPOT is taken at the mean context, prompt + output/2: decode time is linear in the context.
    """
    b, o = np.asarray(batch, float), np.asarray(output, float)
    first = prefill(model, chip, b, prompt, precision, kv_precision, runtime, tp).total
    each = decode(model, chip, b, np.asarray(prompt, float) + o / 2.0, precision, kv_precision, runtime, tp).total
    return b * o / (first + o * each)
