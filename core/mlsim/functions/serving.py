"""Serving: engines that batch continuously, prefixes, drafts, split prefill and decode; intervals and calibration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mlsim.errors import DomainError, UnitError
from mlsim.functions import catalogue
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
from mlsim.registry.records import Precision
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


_KINDS = {
    "MLSIM_DECODE_LATENCY": "decode", "MLSIM_TPOT": "decode", "MLSIM_PREFILL_LATENCY": "prefill",
    "MLSIM_TTFT": "prefill", "MLSIM_PREFIX_LATENCY": "prefill", "MLSIM_THROUGHPUT": "static",
    "MLSIM_SERVING_TPOT": "interleaved", "MLSIM_SERVING_RATE": "saturated",
}  # fmt: skip


@declare(
    "Accuracy", Arg("function", "text", "A function that gives a time or a rate, such as 'MLSIM_TPOT'."),
    Arg("args", "raw", "The same arguments as in its cell.", vararg=True),
    example='=MLSIM_INTERVAL("MLSIM_TPOT","Llama-3-8B","H100",1,2048)',
)  # fmt: skip
def MLSIM_INTERVAL(function: str, *args: Any) -> list[list[float]]:
    """The 80 % interval of a result, low and high beside each other: eight of ten measurements should lie in it.

    Its width comes from published measurements that the fit had not seen; it is wider where nothing similar was measured.
    """
    from mlsim.calibration.cases import Case
    from mlsim.calibration.predict import predictions

    target = catalogue.find(function)
    kind = _KINDS.get(target.name)
    if kind is None:
        raise DomainError(f"{target.name} has no interval. Functions that have: {', '.join(_KINDS)}.")
    args = catalogue.single_cells(args)
    value = target(*args)
    if isinstance(value, list):
        raise UnitError("Give one cell's arguments: an interval belongs to one result.")
    bound = target.bound(args)
    named(bound["model"], bound["hardware"], "An interval")
    model, chip, runtime = bound["model"], bound["hardware"], bound["runtime"]
    precision: Precision = bound["precision"]
    case = Case(
        case_id="", family="", kind=kind, model=model, chip=chip, runtime=runtime, precision=precision,
        kv_precision=bound.get("kv_precision") or inference.BF16, compute=inference.computed_in(chip, precision),
        power_share=1.0, batch=bound.get("batch", bound.get("concurrency", 1.0)), prompt=bound.get("prompt", 0.0),
        output=bound.get("output", 1.0), context=bound.get("context", bound.get("cached", 0.0)), tp=bound["tp"], pp=1.0,
        ep=1.0, dp=1.0, memory_fraction=runtime.get("memory_fraction"),
    )  # fmt: skip
    found = predictions([case])[0]
    return [[value * found.low / found.value, value * found.high / found.value]]


@declare(
    "Accuracy",
    Arg("measurements", "raw", "A range: a header row, then one measurement per row."),
    example="=MLSIM_CALIBRATE(A4:I9)",
)
def MLSIM_CALIBRATE(measurements: Any) -> list[list[Any]]:
    """Fit a runtime to your own measurements: a table that spills, to be given as the runtime of other functions.

    Columns of the header, in any order: model, hardware, runtime, batch, prompt, output, context, precision, tp, and the
    measurement: TPOT or TTFT with its unit ("TPOT [ms]"), or "token/s per device". The result is a runtime argument.
    Its column 3 says how much of a parameter's uncertainty the measurements took away, which narrows intervals.
    """
    from mlsim.calibration.profile import calibrate
    from mlsim.calibration.sheet import measured_rows

    profile = calibrate(measured_rows(measurements))
    if profile.skipped:
        raise UnitError(f"measurements: {profile.skipped[0]}")
    table: list[list[Any]] = [["name", profile.name, ""], ["based on", profile.based_on, ""]]
    return table + [[p.name.replace("_", " "), p.text, p.determined] for p in profile.parameters]
