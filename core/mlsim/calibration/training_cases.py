"""Reading a training case and a collective case: a row becomes a model, a plan and the convention of its metric.

Columns are those of the published-measurement files. An empty cell means that the source does not say; what is assumed
then is stated at each place and in docs/accuracy.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from mlsim.calibration.reading import chip_at, either, number, software_in
from mlsim.errors import DomainError, NameNotFoundError, shorten
from mlsim.planner.fabric import Fabric
from mlsim.planner.flop_conventions import CONVENTIONS, Convention
from mlsim.planner.machine import computed_in
from mlsim.planner.training import Formats, Plan
from mlsim.planner.training_memory import least_recompute
from mlsim.planner.training_setup import fabric, formats_of, keeps_of, usual_plan
from mlsim.planner.transformer import transformer
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = ["COLLECTIVES", "CollectiveCase", "TrainCase", "read_collective", "read_training"]

# What is assumed where a row does not say:
_WEIGHTS = "bf16"
_SEQUENCE, _VOCABULARY = 2048.0, 51200.0  # Megatron's GPT-2 vocabulary, padded
_FFN = 4.0  # times hidden
_HEAD_DIM = 128.0
_METRICS = {
    "step_time": "step", "tokens_per_s_per_device": "tokens", "model_or_hardware_tflops_per_device": "flops",
}  # fmt: skip

COLLECTIVES = {
    "all_reduce": "all_reduce", "allreduce": "all_reduce", "all_gather": "all_gather", "allgather": "all_gather",
    "reduce_scatter": "reduce_scatter", "reducescatter": "reduce_scatter", "alltoall": "all_to_all",
    "all_to_all": "all_to_all",
}  # fmt: skip

_SHAPE = 128.0  # hidden units per layer of a model known by its size alone: 12 L h^2 weights
_DEVICES, _PASSES = 8.0, 4.0  # devices, and micro-batches per pipeline stage
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([MBT])(?![a-z])", re.I)
_PROXY = re.compile(r"-proxy-(\d+)L$", re.I)
_TUNING = re.compile(r"\s*\((?:Q?LoRA|PEFT|SFT)[^()]*\)$", re.I)
_ADAPTER = re.compile(r"\((?:Q?LoRA|PEFT)", re.I)
_ADAPTER_SHARE = 0.005  # of the weights: rank 16 on the matrices of a layer
_PER_NODE = re.compile(r"(\d+)\s*x\s*(\d+)\s*Gb", re.I)
_TOTAL = re.compile(r"(\d+)\s*Gb(?:ps|it/s)?\s+per\s+node", re.I)
_MODULES = re.compile(r"recompute[ _]modules?\s*[:=]\s*([\w+,]+)", re.I)
_HARDWARE = re.compile(r"counts?\s+(?:activation\s+)?recomput|hardware flops", re.I)
_CAUSAL = re.compile(r"causal-half|causal attention counted at half", re.I)
_MODEL_PARALLEL = re.compile(r"model-parallel size (\d+)", re.I)


@dataclass(frozen=True, slots=True)
class TrainCase:
    """One training run: what is trained on what, in which layout."""

    case_id: str
    kind: str  # "step", "tokens" or "flops": what the row measures
    model: Model
    chip: Chip
    runtime: Runtime
    compute: str
    power_share: float
    plan: Plan
    formats: Formats
    fabric: Fabric
    convention: Convention
    source: str = ""
    family: str = "training"


@dataclass(frozen=True, slots=True)
class CollectiveCase:
    """One collective among some devices."""

    case_id: str
    operation: str
    chip: Chip
    runtime: Runtime
    message: float
    ranks: float
    fabric: Fabric
    source: str = ""
    kind: str = "collective"
    family: str = "collective"


def read_training(text: Mapping[str, str]) -> TrainCase:
    """Read a row of the family ``training``.

    Raises
    ------
    CellError
        When a name is unknown, a number is none, or the batch or devices are missing.
    """
    kind = _METRICS.get(text.get("metric", ""))
    if kind is None:
        raise DomainError(f"No model for family training with metric {shorten(text.get('metric', ''))}.")
    now = load.generation()
    note = text.get("note", "")
    chip, power_share = chip_at(text.get("hardware", ""), now)
    model = _model(text)
    runtime = load.runtime_at(_trainer(text.get("software", ""), now), text.get("source_date", ""))
    precision = load.precision(text.get("weight_precision") or _WEIGHTS)
    compute = computed_in(chip, precision)
    devices = either(number(text, "num_devices", 1.0), _devices(text))
    links = _fabric(text, chip)
    formats = _formats(runtime, precision, note)
    plan = _plan(text, model, chip, runtime, devices, links, formats, compute)
    return TrainCase(
        case_id=text.get("case_id", ""), kind=kind, model=model, chip=chip, runtime=runtime, compute=compute,
        power_share=power_share, plan=plan, formats=formats, fabric=links, convention=_convention(note),
        source=text.get("source", ""),
    )  # fmt: skip


def _devices(text: Mapping[str, str]) -> float:
    """Return the devices that the degrees of parallelism make up; one node's where a row gives none."""
    degrees = [number(text, column, 1.0) for column in ("tp", "pp", "cp", "dp")]
    return math.prod(either(d, 1.0) for d in degrees) if not all(map(math.isnan, degrees)) else _DEVICES


def _trainer(software: str, now: int) -> str:
    """Return the framework of a text; one that also serves has a profile "... training"."""
    if not software:
        return "Megatron-Core"
    found = software_in(f"{software} training", now)
    return found if found in load.training_runtimes() else "Megatron-Core"


def read_collective(text: Mapping[str, str]) -> CollectiveCase:
    """Read a row of the family ``collective``: operation, message, devices.

    Raises
    ------
    CellError
        When a name is unknown or a number is none.
    """
    operation = COLLECTIVES.get(text.get("operation", "").replace("-", "_").casefold())
    if operation is None:
        raise DomainError(
            f"operation: {shorten(text.get('operation', ''))} is not one of all_reduce, all_gather, reduce_scatter, alltoall."
        )
    message, ranks = number(text, "message_bytes", 1.0), number(text, "num_devices", 1.0)
    for column, value in (("message_bytes", message), ("num_devices", ranks)):
        if math.isnan(value):
            raise DomainError(f"{column} is empty: a collective case needs it.")
    chip, _ = chip_at(re.sub(r"\s*\(device column absent\)", "", text.get("hardware", "")), load.generation())
    links = _fabric(text, chip)
    if ranks <= either(number(text, "devices_per_node", 1.0), 0.0):
        links = replace(links, domain=max(ranks, float(links.domain)))
    return CollectiveCase(
        case_id=text.get("case_id", ""), operation=operation, chip=chip, runtime=load.runtime("NCCL"), message=message,
        ranks=ranks, fabric=links, source=text.get("source", ""),
    )  # fmt: skip


# --- the model ----------------------------------------------------------------------------------------------------


def _model(text: Mapping[str, str]) -> Model:
    """Return the row's model: its own dimensions where it gives them, the registry's where it does not."""
    keys = ("layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "params")
    given = tuple(number(text, key, 1.0) for key in keys)
    return _cached_model(text.get("model", ""), given, load.generation())


@lru_cache(maxsize=4096)
def _cached_model(name: str, given: tuple[float, ...], _: int) -> Model:
    layers, hidden, heads, kv_heads, ffn, vocab, params = given
    name = _TUNING.sub("", name)
    proxy = _PROXY.search(name)
    try:
        known: Model | None = load.model(_PROXY.sub("", name))
    except NameNotFoundError:
        size = either(params, _size_in(name))
        if math.isnan(hidden) and math.isnan(size):
            raise
        known = None
        if math.isnan(hidden):
            hidden = _HEAD_DIM * max(round((size * _SHAPE / 12.0) ** (1.0 / 3.0) / _HEAD_DIM), 1)
        params = size
    if known is not None and (math.isnan(hidden) or hidden == known.hidden):
        if proxy:
            return load.with_layers(known, float(proxy.group(1)))
        if math.isnan(layers) or layers == known.layers:
            return known
        if known.experts:
            return load.with_layers(known, layers)
    width = hidden * either(ffn / hidden, _FFN)
    size = either(vocab, known.vocab if known else _VOCABULARY)
    per_layer = 4.0 * hidden * hidden + 2.0 * hidden * width
    count = either(layers, max(round((either(params, per_layer) - size * hidden) / per_layer), 1.0))
    heads = either(heads, max(round(hidden / _HEAD_DIM), 1.0))
    pairs = [
        ("layers", count), ("hidden", hidden), ("heads", heads), ("kv heads", either(kv_heads, heads)), ("ffn", width),
        ("vocab", size), ("ffn matrices", 2.0 if width >= 3.9 * hidden else 3.0), ("tied embeddings", 1.0),
    ]  # fmt: skip
    built = load.model_from_pairs(pairs, name, "the case's own dimensions")
    return replace(built, row={"family": re.split(r"[-\s]", name)[0]})


def _size_in(name: str) -> float:
    """Return the parameters that a name ends in ("...-20B"), nan when it names none."""
    found = _SIZE.search(name)
    return float(found.group(1)) * {"M": 1e6, "B": 1e9, "T": 1e12}[found.group(2).upper()] if found else math.nan


# --- links and formats -----------------------------------------------------------------------------------------------


def _fabric(text: Mapping[str, str], chip: Chip) -> Fabric:
    """Return the links of a chip's reference system, with the network the row names."""
    found = fabric(chip)
    per_node = number(text, "devices_per_node", 1.0)
    domain = (
        max(float(found.domain), either(per_node, 1.0))
        if not math.isnan(float(found.domain))
        else either(per_node, 8.0)
    )
    written = text.get("inter_node_link", "")
    ports, total = _PER_NODE.search(written), _TOTAL.search(written)
    gigabits = float(ports.group(1)) * float(ports.group(2)) if ports else float(total.group(1)) if total else math.nan
    network = gigabits * 1e9 / 8.0 / either(per_node, domain) if not math.isnan(gigabits) else found.network
    return replace(found, domain=domain, network=network)


def _formats(runtime: Runtime, precision: Precision, note: str) -> Formats:
    """Return bytes per weight; "PURE" mixed precision reduces gradients in 16 bits."""
    found = formats_of(runtime, precision)
    return replace(found, reduced=2.0) if "mixed_precision=PURE" in note else found


# --- the plan --------------------------------------------------------------------------------------------------------


def _plan(
    text: Mapping[str, str], model: Model, chip: Chip, runtime: Runtime, devices: float, links: Fabric, formats: Formats,
    compute: str,
) -> Plan:  # fmt: skip
    note = text.get("note", "")
    sequence = either(number(text, "seq_len", 1.0), _SEQUENCE)
    tp, pp, cp, ep, dp, chunks, micro = (
        number(text, c, 1.0) for c in ("tp", "pp", "cp", "ep", "dp", "virtual_pp", "micro_batch")
    )
    within = either(tp, 1.0) * either(pp, 1.0) * either(cp, 1.0)
    passes = _PASSES * either(pp, 1.0) * either(micro, 1.0)
    batch = either(number(text, "global_batch", 1.0), passes * max(devices / within, 1.0))
    stage, shards, twice = _sharding(text.get("sharding", ""), runtime)
    stated = not (math.isnan(tp) and math.isnan(pp)) or stage == 3.0
    if not stated:
        named = _MODEL_PARALLEL.search(note)
        split = float(named.group(1)) if named else devices / dp if not math.isnan(dp) else math.nan
        usual = usual_plan(model, chip, runtime, devices, batch, sequence, formats, links, compute, split, micro)
        tp, pp, chunks, micro = float(usual.tp), float(usual.pp), float(usual.chunks), float(usual.micro_batch)
    tp, pp, cp, ep, chunks = (either(x, 1.0) for x in (tp, pp, cp, ep, chunks))
    replicas = devices / (tp * pp * cp)
    if replicas < 1.0 - 1e-9:
        raise DomainError(f"tp · pp · cp = {tp * pp * cp:g} is more than the {devices:g} devices.")
    if math.isnan(micro):
        micro = 1.0
    if runtime.get("batch_per_device"):
        micro = batch / replicas  # one pass
    micro = min(micro, max(batch / replicas, 1e-9))
    if stage >= 3.0 and model.experts and not text.get("ep"):
        ep = math.gcd(int(model.experts), int(replicas))  # nobody gathers all experts of a layer
    parallel = text.get("sequence_parallel", "")
    sp = float(parallel == "yes") if parallel else runtime.get("sequence_parallel")
    plan = Plan(
        tp=tp, pp=pp, cp=cp, ep=ep, dp=replicas, chunks=chunks if pp > 1 else 1.0, micro_batch=micro, global_batch=batch,
        sequence=sequence, sequence_parallel=sp if tp > 1 else 0.0, shard_optimizer=float(stage >= 1),
        shard_gradients=float(stage >= 2), shard_weights=float(stage >= 3), shards=shards, gather_twice=twice,
        trainable=_ADAPTER_SHARE if _ADAPTER.search(text.get("model", "")) else 1.0,
    )  # fmt: skip
    return _recomputing(plan, text, model, chip, runtime, formats)


def _sharding(text: str, runtime: Runtime) -> tuple[float, float, float]:
    """Return ZeRO stage, ranks it shards over (0: all replicas) and whether weights are gathered twice."""
    group = re.search(r"group(\d+)", text)
    shards = float(group.group(1)) if group else 0.0
    if text.startswith("fsdp") or text.startswith("zero3"):
        return 3.0, shards, 0.0 if "grad-op" in text else 1.0
    stage = re.match(r"zero(\d)", text)
    if stage:
        return float(stage.group(1)), shards, 1.0
    return (0.0 if text in ("none", "ddp") else runtime.get("default_sharding")), 0.0, 1.0


def _recomputing(
    plan: Plan, text: Mapping[str, str], model: Model, chip: Chip, runtime: Runtime, formats: Formats
) -> Plan:
    """Return the plan with what the row says of recomputation; the least that fits where it says nothing."""
    said = text.get("recompute", "")
    if said == "full":
        return replace(plan, recompute_layer=1.0)
    if said == "none":
        return plan
    if said == "selective":
        modules = _MODULES.search(text.get("note", ""))
        usual = "act" if runtime.get("batch_per_device") else "core_attn"
        names = re.split(r"[+,]", modules.group(1)) if modules else [usual]
        pointwise = any(name.endswith(("act", "layernorm")) for name in names)
        return replace(
            plan, recompute_attention=float("core_attn" in names), recompute_mlp=float("mlp" in names),
            recompute_pointwise=float(pointwise),
        )  # fmt: skip
    if _HARDWARE.search(text.get("note", "")):
        return replace(plan, recompute_layer=1.0)  # it counts recomputation, so there was some
    found = least_recompute(transformer(model), plan, keeps_of(runtime), chip.memory, formats)
    return replace(
        found, recompute_layer=float(np.asarray(found.recompute_layer)),
        recompute_attention=float(np.asarray(found.recompute_attention)),
    )  # fmt: skip


def _convention(note: str) -> Convention:
    """Return the convention of a row's TFLOP/s, as its note describes it."""
    name = "hardware" if _HARDWARE.search(note) else "model, causal" if _CAUSAL.search(note) else "model"
    return CONVENTIONS[name]
