"""Inference on one replica of a named model, chip and runtime: memory, decode, prefill and throughput.

Every function takes one model, chip, precision and runtime, and scalars or arrays for the load (batch, context,
tensor parallel); it returns arrays. Times are of one forward pass of one replica of ``tp`` devices. The laws are in
:mod:`mlsim.planner.forward`, :mod:`mlsim.planner.serving` and :mod:`mlsim.planner.memory`.
"""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.errors import DomainError
from mlsim.physics.memory import max_batch
from mlsim.planner import forward, memory, serving
from mlsim.planner.machine import Efficiency, Machine, computed_in, efficiency, machine
from mlsim.planner.network import Network, network, weight_bytes
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = [
    "BF16",
    "computed_in",
    "decode",
    "device",
    "in_flight",
    "interleaved",
    "kv_bytes",
    "largest_batch",
    "minimum_tp",
    "need",
    "operators",
    "prefill",
    "saturated",
    "throughput",
    "usable_memory",
    "weight_bytes",
]  # fmt: skip


BF16 = load.precision("bf16")


def _check_parallel(model: Model, tp: Real) -> Floats:
    devices = np.asarray(tp, float)
    most = float(devices.max()) if devices.ndim else float(devices)
    if most > model.heads > 0:
        raise DomainError(f"Tensor parallel {most:g} is more than the {model.heads:g} attention heads of {model.name}.")
    return devices


def device(chip: Chip, precision: Precision, runtime: Runtime, tp: Real = 1.0) -> tuple[Machine, Efficiency]:
    """Return a chip's figures and the parameters of its class under a runtime; several devices need a link."""
    if np.max(tp) > 1:
        chip.get("scaleup_bandwidth")
    found = machine(chip, computed_in(chip, precision), bool(runtime.get("half_sums")))
    return found, efficiency(chip, runtime)


def _network(model: Model, chip: Chip, precision: Precision, kv_precision: Precision) -> Network:
    return network(model, precision, kv_precision, computed_in(chip, precision))


def kv_bytes(model: Model, context: Real, precision: Precision, tp: Real = 1) -> Floats:
    """Bytes of KV cache that one sequence of ``context`` tokens keeps on one device.

    Heads are shared out over ``tp`` devices, at least one whole KV head each; a latent (MLA) cache is on all of them.
    """
    return forward.cache_bytes(network(model, precision, precision, precision.compute), context, np.asarray(tp, float))


def need(
    model: Model, batch: Real, context: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> memory.Memory:  # fmt: skip
    """Memory of one device that serves ``batch`` sequences of ``context`` tokens each, term by term."""
    net = network(model, precision, kv_precision, precision.compute)
    return memory.memory(net, memory.kept_by(runtime), batch, context, _check_parallel(model, tp))


def usable_memory(chip: Chip, runtime: Runtime) -> float:
    """Memory of one device that the runtime may use [byte]: capacity times its memory fraction."""
    return chip.memory * runtime.get("memory_fraction")


def largest_batch(
    model: Model, available: float, context: Real, precision: Precision, kv_precision: Precision, runtime: Runtime,
    tp: Real = 1,
) -> Floats:  # fmt: skip
    """Largest batch that fits in ``available`` bytes of each device, 0 when not even one sequence does."""
    used = need(model, 0.0, context, precision, kv_precision, runtime, tp)
    return max_batch(available, used.total, kv_bytes(model, context, kv_precision, tp))


def minimum_tp(
    model: Model, chip: Chip, batch: float, context: float, precision: Precision, kv_precision: Precision,
    runtime: Runtime, limit: int = 64,
) -> int | None:  # fmt: skip
    """Fewest devices (a power of two) whose memory holds the model and the batch.

    None when neither ``limit`` devices nor one per attention head are enough.
    """
    tp = 1
    while tp <= min(limit, model.heads):
        if need(model, batch, context, precision, kv_precision, runtime, tp).total <= usable_memory(chip, runtime):
            return tp
        tp *= 2
    return None


def operators(
    model: Model, sequences: Real, new_tokens: Real, cached: Real, precision: Precision,
    kv_precision: Precision, tp: Real = 1,
) -> tuple[Floats, Floats]:  # fmt: skip
    """FLOP and bytes of one forward pass on one device, a row per entry of :data:`mlsim.planner.forward.OPERATORS`.

    ``sequences`` sequences have ``new_tokens`` new and ``cached`` cached tokens each.
    """
    net = network(model, precision, kv_precision, precision.compute)
    flops, _, moved = forward.operators(net, 0.0, 0.0, sequences, new_tokens, cached, _check_parallel(model, tp))
    return flops, moved


def decode(
    model: Model, chip: Chip, batch: Real, context: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> forward.Step:  # fmt: skip
    """One decode step: every sequence of the batch gets one token, with ``context`` tokens in the cache (TPOT)."""
    layout = serving.Layout(tp=_check_parallel(model, tp))
    net = _network(model, chip, precision, kv_precision)
    return serving.decode_step(net, *device(chip, precision, runtime, tp), batch, context, layout)


def prefill(
    model: Model, chip: Chip, batch: Real, prompt: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1, cached: Real = 0.0,
) -> forward.Step:  # fmt: skip
    """Prefill of ``batch`` prompts of ``prompt`` tokens at once: the time to first token without queueing (TTFT).

    ``cached`` tokens before the prompt are in the cache already.
    """
    layout = serving.Layout(tp=_check_parallel(model, tp))
    net = _network(model, chip, precision, kv_precision)
    return serving.prefill_step(net, *device(chip, precision, runtime, tp), batch, prompt, layout, cached)


def interleaved(
    model: Model, chip: Chip, concurrency: Real, prompt: Real, output: Real, precision: Precision,
    kv_precision: Precision, runtime: Runtime, tp: Real = 1,
) -> forward.Step:  # fmt: skip
    """One pass of an engine under ``concurrency`` requests: TPOT with the prompts of the others in between.

    Requests beyond what its cache holds (:func:`in_flight`) wait.
    """
    layout = serving.Layout(tp=_check_parallel(model, tp))
    net = _network(model, chip, precision, kv_precision)
    held = in_flight(model, chip, prompt, output, precision, kv_precision, runtime, tp)
    concurrency = np.minimum(concurrency, held)
    others = np.maximum(concurrency - 1.0, 0.0)
    return serving.mixed_step(net, *device(chip, precision, runtime, tp), concurrency, prompt, output, layout, others)


def in_flight(
    model: Model, chip: Chip, prompt: Real, output: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> Floats:  # fmt: skip
    """Requests that a saturated engine has in flight: as many as its paged cache and its slots hold.

    Raises
    ------
    DomainError
        When not even one request fits.
    """
    net = _network(model, chip, precision, kv_precision)
    batch = memory.batch_limit(net, memory.reserve(chip, runtime), np.add(prompt, output), _check_parallel(model, tp))
    if np.any(batch < 1):
        raise DomainError(
            f"{model.name} in {precision.name} leaves no room for one request on {np.max(tp):g} {chip.name} with "
            f"{runtime.name}: use more devices, a narrower precision or a shorter context."
        )
    return batch


def saturated(
    model: Model, chip: Chip, prompt: Real, output: Real, precision: Precision, kv_precision: Precision,
    runtime: Runtime, tp: Real = 1,
) -> Floats:  # fmt: skip
    """Output tokens per second of a replica with as many requests in flight as it holds (:func:`in_flight`)."""
    batch = in_flight(model, chip, prompt, output, precision, kv_precision, runtime, tp)
    net, layout = _network(model, chip, precision, kv_precision), serving.Layout(tp=_check_parallel(model, tp))
    return serving.saturated_rate(net, *device(chip, precision, runtime, tp), batch, prompt, output, layout)[0]


def throughput(
    model: Model, chip: Chip, batch: Real, prompt: Real, output: Real, precision: Precision,
    kv_precision: Precision, runtime: Runtime, tp: Real = 1,
) -> Floats:  # fmt: skip
    """Output tokens per second of one replica with a static batch: b·o / (TTFT + o·TPOT).

    TPOT is taken at the mean context, prompt + output/2: decode time is linear in the context.
    """
    layout = serving.Layout(tp=_check_parallel(model, tp))
    net = _network(model, chip, precision, kv_precision)
    return serving.static_rate(net, *device(chip, precision, runtime, tp), batch, prompt, output, layout)[0]
