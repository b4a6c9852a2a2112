"""Reading a case: one row of a table of measurements, or of cases to predict, becomes records and numbers.

Columns are those of the published-measurement files: ``case_id, family, metric, model, hardware, num_devices, tp, pp,
ep, dp, weight_precision, activation_precision, kv_precision, batch, input_len, output_len, context_len, software``.
An empty cell means that the source does not say; the constants below state what is assumed then. The column
``measured`` is not read here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from mlsim.calibration.reading import chip_at, either, number, software_in
from mlsim.calibration.training_cases import CollectiveCase, TrainCase, read_collective, read_training
from mlsim.errors import CellError, DomainError, shorten
from mlsim.planner.machine import computed_in
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = ["KINDS", "UNITS", "AnyCase", "Case", "CollectiveCase", "Labels", "TrainCase", "labels", "read_case"]

# What is assumed where a row does not say:
_WEIGHTS = "bf16"  # and a KV cache in 16 bits, unless the runtime's checkpoints carry another
_OUTPUT = 256.0  # tokens generated; decode is taken at its mean context, input_len + output_len / 2
_MAX_CONTEXT = 8192.0
# a batch of one, or the engine's own where it is saturated; vLLM; the prompt not cached; no power limit
_NARROW = 1.1  # bytes per weight up to which activations may be wider than the weights they meet

# (family, metric) -> what is computed
KINDS = {
    ("decode", "tpot"): "decode",
    ("prefill", "ttft"): "prefill",
    ("end_to_end", "latency"): "request",
    ("serving_offline", "output_tokens_per_s_per_device"): "saturated",
    ("serving_online", "tpot"): "interleaved",
    ("training", "step_time"): "step",
    ("training", "tokens_per_s_per_device"): "tokens",
    ("training", "model_or_hardware_tflops_per_device"): "flops",
    ("collective", "time"): "collective",
    ("memory", "weight_bytes_per_device"): "weights",
    ("memory", "kv_pool_tokens"): "pool",
    ("memory", "kv_bytes_per_token_per_device"): "token",
}
UNITS = {"decode": "ms", "prefill": "ms", "request": "ms", "saturated": "token/s", "static": "token/s", "interleaved": "ms",
         "weights": "GiB", "pool": "token", "token": "byte", "step": "s", "tokens": "token/s", "flops": "TFLOP/s", "collective": "us"}  # fmt: skip
_NEEDS = {
    "prefill": ("input_len",), "request": ("input_len", "output_len"), "saturated": ("input_len", "output_len"),
    "interleaved": ("input_len", "output_len"),
}  # fmt: skip

_DRAFTED = re.compile(r"speculativ|draft model|\bEAGLE|\bMedusa|\bMTP\b", re.I)
_UNSTATED = re.compile(r"not recorded|no MTP|without (?:MTP|speculativ)|MTP off|speculativ\w* (?:decoding )?off", re.I)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what runs on what, under what load."""

    case_id: str
    family: str
    kind: str
    model: Model
    chip: Chip
    runtime: Runtime
    precision: Precision
    kv_precision: Precision
    compute: str
    power_share: float
    batch: float  # nan: chosen by the engine
    prompt: float
    output: float
    context: float
    tp: float
    pp: float
    ep: float
    dp: float
    memory_fraction: float
    source: str = ""


@lru_cache(maxsize=4096)
def _formats(
    software: str, date: str, weights: str, activations: str, cache: str, _: int
) -> tuple[Runtime, Precision, Precision, Precision | None]:
    """Return runtime and the formats of weights, cache and activations, as that runtime means the words."""
    runtime = load.runtime_at(software, date)
    meant = load.runtime_format(runtime.based_on, weights)
    precision = load.precision(meant["format"] if meant else weights)
    if meant and meant["profile"] and runtime.name == runtime.based_on:
        runtime = load.runtime(meant["profile"])
    if cache and "auto" not in cache:
        kv = load.precision(cache)
    elif meant and meant["kv_format"]:
        kv = load.precision(meant["kv_format"])
    else:
        kv = load.precision("fp8" if "fp8" in cache else "bf16")
    wide = load.precision(activations.split("/")[0]) if activations else None
    narrow = precision.bytes_per_element <= _NARROW and precision.compute not in ("bf16", "fp16")
    return runtime, precision, kv, wide if narrow else None


@lru_cache(maxsize=4096)
def _in_name(model: str) -> str:
    """Return the number format that a checkpoint's name ends in ("...-FP8", "...-quantized.w8a8"); else 16 bits."""
    for part in reversed(re.split(r"[-_]", model)[1:]):
        try:
            return load.precision(part).name
        except CellError:
            continue
    return _WEIGHTS


def _cached(note: str) -> float:
    """Return the tokens of a prompt's prefix that the note says are cached already."""
    found = re.search(r"at depth (\d+)|(\d+) cached tokens", note)
    return float(found.group(1) or found.group(2)) if found else 0.0


AnyCase: TypeAlias = Case | TrainCase | CollectiveCase


@dataclass(frozen=True, slots=True)
class Labels:
    """What tables say of a case, of whatever family."""

    model: str  # the operation of a collective
    format: str
    tp: float
    pp: float


def labels(case: AnyCase) -> Labels:
    """Return what tables say of a case."""
    if isinstance(case, CollectiveCase):
        return Labels(case.operation.replace("_", "-"), "", case.ranks, 1.0)
    if isinstance(case, TrainCase):
        return Labels(case.model.name, case.compute, float(case.plan.tp), float(case.plan.pp))
    return Labels(case.model.name, case.precision.name, case.tp, case.pp)


def _layout(row: Mapping[str, str], runtime: Runtime, model: Model) -> tuple[float, float, float, float]:
    """Return tensor, pipeline, expert and attention-data parallel; what is not said follows from the devices.

    Devices that no degree explains are split by tensor, or by layer where that is the runtime's way.
    """
    tp, pp, devices = (number(row, column, 1.0) for column in ("tp", "pp", "num_devices"))
    ep, dp = (max(1.0, either(number(row, column), 1.0)) for column in ("ep", "dp"))
    if not math.isnan(devices):
        rest = max(1.0, devices / (either(tp, 1.0) * either(pp, 1.0) * dp))
        if math.isnan(tp) and math.isnan(pp):
            tp, pp = (1.0, rest) if runtime.get("layer_split") else (rest, 1.0)
        tp, pp = either(tp, rest), either(pp, rest)
    tp, pp = either(tp, 1.0), either(pp, 1.0)
    if tp > model.heads > 0:
        raise DomainError(f"tp: {tp:g} is more than the {model.heads:g} attention heads of {model.name}.")
    return tp, pp, ep, dp


def _settings(note: str) -> tuple[dict[str, str], float, float]:
    """Return the engine settings that the note of a memory row lists, its share of memory (nan: not said) and context."""
    settings = dict(re.findall(r"(\w+)=(\S*)", note))
    share = number(settings, "gpu_memory_utilization")
    if share > 1:
        raise DomainError(f"gpu_memory_utilization is a share from 0 to 1, got {share:g}.")
    return settings, share, either(number(settings, "max_model_len", 1.0), _MAX_CONTEXT)


def read_case(row: Mapping[str, str]) -> AnyCase:
    """Read one row.

    Raises
    ------
    CellError
        When a name is unknown, a number is none, or the row asks for what no model covers; the sentence says which.
    """
    text = {key: (value or "").strip() for key, value in row.items()}
    family, metric, note = text.get("family", ""), text.get("metric", ""), text.get("note", "")
    kind = KINDS.get((family, metric))
    if kind is None:
        known = ", ".join(sorted({f for f, _ in KINDS}))
        raise DomainError(f"No model for family {shorten(family)} with metric {shorten(metric)}. Families: {known}.")
    if family == "training":
        return read_training(text)
    if family == "collective":
        return read_collective(text)
    if _DRAFTED.search(note) and not _UNSTATED.search(note):
        raise DomainError(
            "The note speaks of speculative decoding, whose rate depends on the draft and its acceptance, and a case has no "
            "columns for them: use MLSIM_SPECULATIVE_TPOT, or leave the note out."
        )
    for column in _NEEDS.get(kind, ()):
        if math.isnan(number(text, column, 1.0)):
            raise DomainError(f"{column} is empty: a {family} case needs it.")
    settings, share, longest = _settings(note) if family == "memory" else ({}, math.nan, _MAX_CONTEXT)

    now = load.generation()
    chip, power_share = chip_at(text.get("hardware", ""), now)
    model = load.model(text.get("model", ""))
    stated = settings.get("dtype", "").replace("auto", "")
    weights = settings.get("quantization") or stated or text.get("weight_precision") or _in_name(text.get("model", ""))
    cache = text.get("kv_precision") or settings.get("kv", "").replace("auto", stated)
    software = software_in(text.get("software") or load.DEFAULT_RUNTIME, now)
    activations = text.get("activation_precision", "")
    runtime, precision, kv, wide = _formats(software, text.get("source_date", ""), weights, activations, cache, now)
    tp, pp, ep, dp = _layout(text, runtime, model)

    batch, prompt = number(text, "batch", 1.0), either(number(text, "input_len"), 0.0)
    output = either(number(text, "output_len"), _OUTPUT)
    if kind == "saturated":
        kind = kind if math.isnan(batch) else "static"
    else:
        batch = either(batch, 1.0)
    if kind == "decode":
        context = either(number(text, "context_len"), prompt + output / 2.0)
    else:
        context = _cached(note) if kind in ("prefill", "request") else longest
    return Case(
        case_id=text.get("case_id", ""), family=family, kind=kind, model=model, chip=chip, runtime=runtime,
        precision=precision, kv_precision=kv, compute=computed_in(chip, precision, wide), power_share=power_share,
        batch=batch, prompt=prompt, output=output, context=context, tp=tp, pp=pp, ep=ep, dp=dp,
        memory_fraction=either(share, runtime.get("memory_fraction")), source=text.get("source", ""),
    )  # fmt: skip
