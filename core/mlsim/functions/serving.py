"""Serving: engines that batch continuously, prefixes, drafts, split prefill and decode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mlsim.errors import DomainError
from mlsim.functions.catalogue import Arg, declare
from mlsim.functions.inference import (
    BATCH,
    CONTEXT,
    HARDWARE,
    KV_PRECISION,
    MODEL,
    OUTPUT,
    PRECISION,
    PROMPT,
    RUNTIME,
    TP,
    named,
    unit_argument,
    within,
)  # fmt: skip
from mlsim.planner import inference, serving
from mlsim.planner.forward import OPERATORS
from mlsim.units import Unit

CACHED = Arg("cached", "amount", "Prompt tokens whose cache is there already (a shared prefix).", 0.0)
CONCURRENCY = Arg(
    "concurrency", "count", "Requests at once, one joining as one leaves; those the cache cannot hold wait.", 16.0
)
DRAFTED = Arg("drafted", "count", "Tokens drafted per verification.", 4.0)
ACCEPTANCE = Arg("acceptance", "amount", "Share of drafted tokens that are accepted, from 0 to 1.", 0.7)


@declare(
    "Serving", MODEL, HARDWARE, CONCURRENCY, PROMPT, OUTPUT, PRECISION, TP, KV_PRECISION, RUNTIME, unit_argument("ms"),
    example='=MLSIM_SERVING_TPOT("Llama-3-8B","H100",64,1024,256)',
)  # fmt: skip
def MLSIM_SERVING_TPOT(
    model: Any, hardware: Any, concurrency: Any, prompt: Any, output: Any, precision: Any, tp: Any, kv_precision: Any,
    runtime: Any, unit: Unit,
) -> Any:  # fmt: skip
    """Time per output token of an engine under constant concurrency: decodes share their passes with others' prompts."""
    named(model, hardware, "Serving")
    step = inference.interleaved(model, hardware, concurrency, prompt, output, precision, kv_precision, runtime, tp)
    return within(step.total, "s", unit)


@declare(
    "Serving", MODEL, HARDWARE, PROMPT, OUTPUT, PRECISION, TP, KV_PRECISION, RUNTIME, unit_argument("token/s"),
    example='=MLSIM_SERVING_RATE("Llama-3-8B","H100",1024,256)',
)  # fmt: skip
def MLSIM_SERVING_RATE(
    model: Any, hardware: Any, prompt: Any, output: Any, precision: Any, tp: Any, kv_precision: Any, runtime: Any,
    unit: Unit,
) -> Any:  # fmt: skip
    """Output tokens per second of one saturated replica: as many requests in flight as the paged KV cache holds."""
    named(model, hardware, "Serving")
    rate = inference.saturated(model, hardware, prompt, output, precision, kv_precision, runtime, tp)
    return within(rate, "token/s", unit)


@declare(
    "Serving", MODEL, HARDWARE, BATCH, PROMPT, CACHED, PRECISION, TP, RUNTIME, unit_argument("ms"),
    example='=MLSIM_PREFIX_LATENCY("Llama-3-8B","H100",1,512,3584)',
)  # fmt: skip
def MLSIM_PREFIX_LATENCY(
    model: Any, hardware: Any, batch: Any, prompt: Any, cached: Any, precision: Any, tp: Any, runtime: Any, unit: Unit
) -> Any:
    """Time to first token when a prefix of the prompt is cached: only ``prompt`` tokens are new, they attend to all."""
    named(model, hardware, "A cached prefix")
    step = inference.prefill(model, hardware, batch, prompt, precision, inference.BF16, runtime, tp, cached)
    return within(step.total, "s", unit)


@declare(
    "Serving", MODEL, Arg("draft", "model", "The draft model."), HARDWARE, DRAFTED, ACCEPTANCE, BATCH, CONTEXT,
    PRECISION, TP, RUNTIME, unit_argument("ms"),
    example='=MLSIM_SPECULATIVE_TPOT("Llama-3-70B","Llama-3.2-1B","H100",4,0.7,1,2048,"bf16",4)',
)  # fmt: skip
def MLSIM_SPECULATIVE_TPOT(
    model: Any, draft: Any, hardware: Any, drafted: Any, acceptance: Any, batch: Any, context: Any, precision: Any,
    tp: Any, runtime: Any, unit: Unit,
) -> Any:  # fmt: skip
    """Time per output token with speculative decoding: drafts, one verification, and the tokens it is expected to yield."""
    named(model, hardware, "Speculative decoding")
    named(draft, hardware, "A draft")
    if np.any(np.asarray(acceptance) > 1.0):
        raise DomainError(f"acceptance is a share from 0 to 1, got {np.max(acceptance):g}: 70 % is 0.7.")
    bf16 = inference.BF16
    target = inference.prefill(model, hardware, batch, np.add(drafted, 1.0), precision, bf16, runtime, tp, context)
    small = inference.decode(draft, hardware, batch, context, precision, bf16, runtime, np.minimum(tp, draft.heads))
    return within(serving.speculative_time(target.total, small.total, drafted, acceptance), "s", unit)


@declare(
    "Serving", MODEL, HARDWARE, Arg("decoder", "hardware", "The chip that decodes, where the other only prefills."),
    BATCH, PROMPT, OUTPUT, PRECISION, TP, RUNTIME,
    example='=MLSIM_DISAGGREGATE("Llama-3-70B","H100","MI300X",64,4096,512,"fp8",2)',
)  # fmt: skip
def MLSIM_DISAGGREGATE(
    model: Any, hardware: Any, decoder: Any, batch: Any, prompt: Any, output: Any, precision: Any, tp: Any, runtime: Any
) -> Any:
    """Prefill on one kind of replica, decode on another: prefill replicas needed per decode replica.

    The cache of a prompt crosses the slower of the two links while the next prompt is processed.
    """
    named(model, hardware, "Disaggregation")
    named(model, decoder, "Disaggregation")
    first = inference.prefill(model, hardware, 1.0, prompt, precision, inference.BF16, runtime, tp)
    context = np.add(prompt, np.divide(output, 2.0))
    each = inference.decode(model, decoder, batch, context, precision, inference.BF16, runtime, tp)
    link = min(hardware.get("scaleup_bandwidth"), decoder.get("scaleup_bandwidth"))
    moved = inference.kv_bytes(model, prompt, inference.BF16, tp) / link
    return serving.disaggregated_rate(first.total, moved, each.total, batch, output)[0]


@declare(
    "Inference", MODEL, HARDWARE, replace(BATCH, kind="one"), replace(CONTEXT, kind="one"), PRECISION,
    replace(TP, kind="one whole"), RUNTIME, unit_argument("ms"),
    example='=MLSIM_OPERATORS("Llama-3-8B","H100",1,2048)',
)  # fmt: skip
def MLSIM_OPERATORS(
    model: Any, hardware: Any, batch: Any, context: Any, precision: Any, tp: Any, runtime: Any, unit: Unit
) -> Any:
    """One decode step operator by operator, as a table that spills: time, and η, the share of its roofline it reaches."""
    named(model, hardware, "Operators")
    step = inference.decode(model, hardware, batch, context, precision, inference.BF16, runtime, tp)
    flops, moved = inference.operators(model, batch, 1.0, context, precision, inference.BF16, tp)
    peak = inference.device(hardware, precision, runtime)[0].peak
    ideal = np.maximum(flops / peak, moved / hardware.get("memory_bandwidth"))
    table: list[list[Any]] = [["operator", f"time [{unit.text}]", "η"]]
    for name, time, best in zip(OPERATORS, step.by_operator, ideal, strict=True):
        if time > 0:
            table.append([name, float(within(time, "s", unit)), float(best / time)])
    others = float(step.total) - float(step.communication) - float(step.by_operator.sum())
    table.append(["communication", float(within(step.communication, "s", unit)), ""])
    table.append(["launches and elementwise", float(within(others, "s", unit)), ""])
    return [*table, ["total", float(within(step.total, "s", unit)), float(ideal.sum() / step.total)]]
