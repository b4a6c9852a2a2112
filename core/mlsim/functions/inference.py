"""Inference on one replica: latency, throughput, memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsim.errors import DomainError, UnitError
from mlsim.functions.catalogue import Arg, alias, declare
from mlsim.physics.economics import cost_per_token
from mlsim.physics.roofline import compute_time, memory_time
from mlsim.planner import inference
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime
from mlsim.units import Quantity, Unit, parse_unit

MODEL = Arg(
    "model", "model", "A model's name, a two-column range of its dimensions, '70 Gparam' or '140 GB' of weights."
)
HARDWARE = Arg(
    "hardware", "hardware", "A chip's name, a two-column range of its figures, or one figure such as '3.35 TB/s'."
)
BATCH = Arg("batch", "count", "Sequences served at once.", 1.0)
CONTEXT = Arg("context", "count", "Tokens in the cache of each sequence.", 2048.0)
PROMPT = Arg("prompt", "count", "Prompt tokens of each sequence.", 2048.0)
OUTPUT = Arg("output", "count", "Tokens generated per sequence.", 512.0)
PRECISION = Arg("precision", "precision", "Number format of the weights, such as bf16, fp8 or int4.", "bf16")
KV_PRECISION = Arg("kv_precision", "precision", "Number format of the KV cache.", "bf16")
TP = Arg("tp", "whole", "Tensor parallel: devices one replica is split over.", 1.0)
RUNTIME = Arg("runtime", "runtime", "Serving framework, such as vLLM.", load.DEFAULT_RUNTIME)


def unit_argument(default: str) -> Arg:
    """Return the last argument of a function: the unit of its result."""
    return Arg("unit", "unit", f"Unit of the result; {default} unless given.", default)


def within(si: Any, si_unit: str, unit: Unit) -> Any:
    """Convert an SI result to the unit asked for; refuse a unit of another dimension."""
    base = parse_unit(si_unit)
    if unit.dimension != base.dimension:
        raise UnitError(f"unit: {Quantity(1.0, unit).hint(base)}")
    return np.asarray(si) * base.factor / unit.factor


def _bytes_of(model: Quantity, precision: Precision) -> float:
    """Bytes of a model given as a size."""
    return model.si * precision.bytes_per_element if model.unit.dimension_name == "parameter" else model.si


def _params_of(model: Quantity, precision: Precision) -> float:
    return model.si if model.unit.dimension_name == "parameter" else model.si / precision.bytes_per_element


def _figure(hardware: Quantity, unit: str) -> float:
    """Return a bare hardware figure in SI; refuse one of another dimension."""
    return hardware.to(unit).si


def named(model: Any, hardware: Any, what: str) -> None:
    """Refuse a bare size or figure where a model and a chip are needed."""
    if isinstance(model, Quantity) or isinstance(hardware, Quantity):
        raise UnitError(
            f"{what} needs a model and a chip (names or two-column ranges): a single size or figure does not say enough."
        )


def _decode_seconds(
    model: Model | Quantity, hardware: Chip | Quantity, batch: Any, context: Any, precision: Precision, tp: Any,
    runtime: Runtime,
) -> Any:  # fmt: skip
    if isinstance(model, Model) and isinstance(hardware, Chip):
        return inference.decode(model, hardware, batch, context, precision, inference.BF16, runtime, tp).total
    bandwidth = hardware.get("memory_bandwidth") if isinstance(hardware, Chip) else _figure(hardware, "TB/s")
    if isinstance(model, Quantity):
        moved: Any = _bytes_of(model, precision) / np.asarray(tp, float)
    else:
        moved = inference.operators(model, batch, 1.0, context, precision, inference.BF16, tp)[1].sum(axis=0)
    return memory_time(moved, bandwidth)


def _prefill_seconds(
    model: Model | Quantity, hardware: Chip | Quantity, batch: Any, prompt: Any, precision: Precision, tp: Any,
    runtime: Runtime,
) -> Any:  # fmt: skip
    if isinstance(model, Model) and isinstance(hardware, Chip):
        return inference.prefill(model, hardware, batch, prompt, precision, inference.BF16, runtime, tp).total
    peak = hardware.peak(precision.compute) if isinstance(hardware, Chip) else _figure(hardware, "TFLOP/s")
    if isinstance(model, Quantity):
        flops: Any = 2.0 * np.multiply(batch, prompt) * _params_of(model, precision) / np.asarray(tp, float)
    else:
        flops = inference.operators(model, batch, prompt, 0.0, precision, inference.BF16, tp)[0].sum(axis=0)
    return compute_time(flops, peak)


@declare(
    "Inference", MODEL, HARDWARE, BATCH, CONTEXT, PRECISION, TP, RUNTIME, unit_argument("ms"),
    example='=MLSIM_DECODE_LATENCY("Llama-3-70B","MI300X",1,4096)',
)  # fmt: skip
def MLSIM_DECODE_LATENCY(
    model: Any, hardware: Any, batch: Any, context: Any, precision: Any, tp: Any, runtime: Any, unit: Unit
) -> Any:
    """Time per output token (TPOT): one decode step of the whole batch.

    With a size or a single figure ("140 GB", "3.35 TB/s") it is the bare law bytes / bandwidth: no efficiency, no overhead.
    """
    return within(_decode_seconds(model, hardware, batch, context, precision, tp, runtime), "s", unit)


@declare(
    "Inference", MODEL, HARDWARE, BATCH, PROMPT, PRECISION, TP, RUNTIME, unit_argument("ms"),
    example='=MLSIM_PREFILL_LATENCY("Llama-3-8B","H100",1,2048)',
)  # fmt: skip
def MLSIM_PREFILL_LATENCY(
    model: Any, hardware: Any, batch: Any, prompt: Any, precision: Any, tp: Any, runtime: Any, unit: Unit
) -> Any:
    """Time to first token (TTFT) without queueing: prefill of the whole batch at once.

    With a size or a single figure ("70 Gparam", "989 TFLOP/s") it is the bare law FLOP / peak.
    """
    return within(_prefill_seconds(model, hardware, batch, prompt, precision, tp, runtime), "s", unit)


MLSIM_TPOT = alias("MLSIM_TPOT", MLSIM_DECODE_LATENCY)
MLSIM_TTFT = alias("MLSIM_TTFT", MLSIM_PREFILL_LATENCY)


@declare(
    "Inference", MODEL, HARDWARE, BATCH, PROMPT, OUTPUT, PRECISION, TP, RUNTIME, unit_argument("token/s"),
    example='=MLSIM_THROUGHPUT("Llama-3-8B","H100",32,2048,512)',
)  # fmt: skip
def MLSIM_THROUGHPUT(
    model: Any, hardware: Any, batch: Any, prompt: Any, output: Any, precision: Any, tp: Any, runtime: Any, unit: Unit
) -> Any:
    """Output tokens per second of one replica (all tp devices together) with a static batch, prefill included."""
    named(model, hardware, "Throughput")
    rate = inference.throughput(model, hardware, batch, prompt, output, precision, inference.BF16, runtime, tp)
    return within(rate, "token/s", unit)


def _memory(
    model: Any, batch: Any, context: Any, precision: Precision, tp: Any, kv_precision: Precision, runtime: Runtime
) -> Any:
    if isinstance(model, Quantity):
        return _bytes_of(model, precision) / np.asarray(tp, float)
    return inference.need(model, batch, context, precision, kv_precision, runtime, tp).total


def _usable(hardware: Any, runtime: Runtime) -> float:
    """Memory that may be used: of a chip the runtime's share, of a bare figure all of it."""
    if isinstance(hardware, Chip):
        return inference.usable_memory(hardware, runtime)
    return _figure(hardware, "GiB")


@declare(
    "Memory", MODEL, HARDWARE, BATCH, CONTEXT, PRECISION, TP, KV_PRECISION,
    example='=MLSIM_FITS("Llama-3-70B","H100",1,2048)',
)  # fmt: skip
def MLSIM_FITS(model: Any, hardware: Any, batch: Any, context: Any, precision: Any, tp: Any, kv_precision: Any) -> Any:
    """Whether weights, KV cache, activations and the runtime's reserve fit in the memory the runtime may use.

    The runtime is vLLM with its default share of the device memory. With a capacity ("80 GiB") all of it may be used.
    """
    runtime = load.runtime()
    return _memory(model, batch, context, precision, tp, kv_precision, runtime) <= _usable(hardware, runtime)


@declare(
    "Memory", MODEL, HARDWARE, BATCH, CONTEXT, PRECISION, TP, KV_PRECISION, unit_argument("GiB"),
    example='=MLSIM_MEMORY("Llama-3-8B","H100",48,4096)',
)  # fmt: skip
def MLSIM_MEMORY(
    model: Any, hardware: Any, batch: Any, context: Any, precision: Any, tp: Any, kv_precision: Any, unit: Unit
) -> Any:
    """Memory one device needs: weights, KV cache, activations, logits and the runtime's own (vLLM)."""
    if isinstance(hardware, Quantity):
        _figure(hardware, "GiB")
    return within(_memory(model, batch, context, precision, tp, kv_precision, load.runtime()), "byte", unit)


@declare("Memory", MODEL, PRECISION, unit_argument("GB"), example='=MLSIM_WEIGHTS("Llama-3-8B","int4")')
def MLSIM_WEIGHTS(model: Any, precision: Any, unit: Unit) -> Any:
    """Bytes of all weights in a number format, scales and 16-bit vocabulary tables included."""
    size = _bytes_of(model, precision) if isinstance(model, Quantity) else inference.weight_bytes(model, precision)
    return within(size, "byte", unit)


@declare(
    "Memory", MODEL, CONTEXT, BATCH, KV_PRECISION, unit_argument("GiB"), example='=MLSIM_KV_CACHE("Llama-3-8B",4096,48)'
)
def MLSIM_KV_CACHE(model: Any, context: Any, batch: Any, kv_precision: Any, unit: Unit) -> Any:
    """KV cache of a batch, whole model: grouped, multi-query, latent (MLA) and sliding-window attention as built."""
    if isinstance(model, Quantity):
        raise UnitError(
            "The KV cache needs a model's dimensions: a size does not say its layers and heads. Give a name."
        )
    model.need("layers", "heads")
    return within(np.multiply(batch, inference.kv_bytes(model, context, kv_precision)), "byte", unit)


@declare(
    "Memory", MODEL, HARDWARE, CONTEXT, PRECISION, TP, KV_PRECISION,
    example='=MLSIM_MAX_BATCH("Llama-3-8B","H100",4096)',
)  # fmt: skip
def MLSIM_MAX_BATCH(model: Any, hardware: Any, context: Any, precision: Any, tp: Any, kv_precision: Any) -> Any:
    """Largest batch whose memory fits; 0 when not even one sequence does."""
    if isinstance(model, Quantity):
        raise UnitError("The largest batch needs a model's dimensions: a size does not say its KV cache. Give a name.")
    runtime = load.runtime()
    return inference.largest_batch(model, _usable(hardware, runtime), context, precision, kv_precision, runtime, tp)


@declare(
    "Memory", MODEL, HARDWARE, BATCH, CONTEXT, PRECISION, KV_PRECISION,
    example='=MLSIM_MIN_DEVICES("Llama-3-70B","H100",8,4096)',
)  # fmt: skip
def MLSIM_MIN_DEVICES(model: Any, hardware: Any, batch: Any, context: Any, precision: Any, kv_precision: Any) -> Any:
    """Fewest devices (1, 2, 4, ...) of one replica whose memory holds the model and the batch."""
    named(model, hardware, "The number of devices")
    found = [
        inference.minimum_tp(model, hardware, b, c, precision, kv_precision, load.runtime())
        for b, c in np.broadcast(np.atleast_1d(batch), np.atleast_1d(context))
    ]
    if None in found:
        raise DomainError(
            f"{model.name} with this batch and context does not fit on {min(64, model.heads):g} {hardware.name}, the most "
            "it is split over: lower one of them."
        )
    return np.array(found, float) if len(found) > 1 else float(found[0] or 0)


@declare(
    "Inference", MODEL, HARDWARE, BATCH, CONTEXT, PRECISION, TP, RUNTIME,
    example='=MLSIM_BOTTLENECK("Llama-3-70B","MI300X",1,4096)',
)  # fmt: skip
def MLSIM_BOTTLENECK(model: Any, hardware: Any, batch: Any, context: Any, precision: Any, tp: Any, runtime: Any) -> Any:
    """What limits a decode step: memory bandwidth, compute, communication, overhead, or capacity when it does not fit."""
    if isinstance(model, Quantity) or isinstance(hardware, Quantity):
        _decode_seconds(model, hardware, batch, context, precision, tp, runtime)  # for its unit errors
        return "memory bandwidth"
    step = inference.decode(model, hardware, batch, context, precision, inference.BF16, runtime, tp)
    fits = inference.need(
        model, batch, context, precision, inference.BF16, runtime, tp
    ).total <= inference.usable_memory(hardware, runtime)
    return np.where(fits, step.bottleneck, "capacity")


@declare(
    "Cost",
    Arg("price", "quantity", "Price of one device hour, such as '2.50 $/GPU-h'."),
    Arg("throughput", "factor", "Tokens per second of the replica."),
    Arg("devices", "count", "Devices of the replica.", 1.0),
    unit_argument("$/Mtoken"),
    example='=MLSIM_TOKEN_COST("2.50 $/GPU-h",1500,2)',
)
def MLSIM_TOKEN_COST(price: Quantity, throughput: Quantity, devices: Any, unit: Unit) -> Any:
    """Cost of a token at full use: price × devices / throughput. Idle hours come on top."""
    rate = throughput if throughput.unit.dimension else Quantity(throughput.si, parse_unit("token/s"))
    rate = rate.to("token/s")
    due = parse_unit("$/GPU-h")
    currency = price.unit.dimension_name.split("/")[0]
    if not currency.startswith("money_in_") or price.unit.dimension_name != f"{currency}/device/time":
        raise UnitError(f"price: {price.hint(due)}")
    if rate.si <= 0 or price.si < 0:
        raise DomainError("throughput must be above 0 and the price not negative.")
    cost = cost_per_token(price.si, devices, rate.si)
    return within(cost, f"{currency.removeprefix('money_in_').upper()}/token", unit)
