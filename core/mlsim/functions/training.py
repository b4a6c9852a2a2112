"""Training: step time, memory, utilisation, duration; collectives and bubbles; the best plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mlsim.errors import DomainError, NameNotFoundError, UnitError, shorten
from mlsim.functions.catalogue import Arg, declare
from mlsim.functions.inference import HARDWARE, MODEL, PRECISION, named, unit_argument, within
from mlsim.physics.pipeline_parallel import bubble_fraction
from mlsim.planner import fabric as wires
from mlsim.planner.fabric import Fabric
from mlsim.planner.flop_conventions import CONVENTIONS, Convention, counted_flops, utilization
from mlsim.planner.machine import efficiency
from mlsim.planner.training import PARTS, Plan, TrainStep, train_step
from mlsim.planner.training_memory import TERMS, TrainMemory, least_recompute, train_memory
from mlsim.planner.training_search import SPACES, Found, Job, Ranked, search_training
from mlsim.planner.training_setup import SHARDING, Setting, check_plan, checked_links, fabric, setting
from mlsim.registry import load
from mlsim.registry.names import normalise
from mlsim.registry.records import Chip, Model, Precision, Runtime
from mlsim.units import Quantity, Unit

DEVICES = Arg("devices", "whole", "Devices of the whole run.", 8.0)
SEQUENCES = Arg("batch", "count", "Sequences of one optimiser step, over all devices (global batch).", 128.0)
SEQUENCE = Arg("sequence", "count", "Tokens of one sequence.", 4096.0)
TP = Arg("tp", "whole", "Tensor parallel: devices every matrix is split over.", 1.0)
PP = Arg("pp", "whole", "Pipeline parallel: stages the layers are split over.", 1.0)
MICRO = Arg("micro_batch", "whole", "Sequences of one pass of one replica.", 1.0)
RECOMPUTE = Arg(
    "recompute", "text", "'none', 'attention' (selective), 'full', or 'least': as much as the memory asks for.", "least"
)
SHARDED = Arg("sharding", "text", f"What replicas share out: {', '.join(SHARDING)}.", "ZeRO-1")
TRAINER = Arg(
    "runtime", "runtime", "Training framework, such as Megatron-Core, FSDP or MaxText training.", "Megatron-Core"
)
CP = Arg("cp", "whole", "Context parallel: devices every sequence is split over.", 1.0)
EP = Arg("ep", "whole", "Expert parallel: devices the experts are split over.", 1.0)
CHUNKS = Arg("chunks", "whole", "Chunks of layers per device, interleaved (virtual pipeline).", 1.0)
CONVENTION = Arg("convention", "text", f"What counts as FLOP: {', '.join(CONVENTIONS)}.", "model")
_LAYOUT = (
    DEVICES, SEQUENCES, SEQUENCE, TP, PP, MICRO, RECOMPUTE, SHARDED, PRECISION, TRAINER, CP, EP, CHUNKS,
)  # fmt: skip
NO_LAYOUT = ("tokens", "goodput", "convention", "unit")  # arguments that say nothing of the run itself


def planned(
    model: Any, hardware: Any, devices: Any, batch: Any, sequence: Any, tp: Any, pp: Any, micro_batch: Any, recompute: str,
    sharding: str, precision: Precision, runtime: Runtime, cp: Any, ep: Any, chunks: Any,
) -> tuple[Setting, Plan]:  # fmt: skip
    """Return what a training function's arguments mean: the records of the laws, and the plan.

    Raises
    ------
    CellError
        When a name is unknown, or the plan cannot be laid out; the sentence says which degree does not fit.
    """
    named(model, hardware, "Training")
    on = setting(model, hardware, precision, runtime)
    dp = np.asarray(devices, float) / (np.multiply(tp, pp) * cp)
    stage = SHARDING[_choice(sharding, SHARDING, "sharding")]
    plan = Plan(
        tp=tp, pp=pp, cp=cp, ep=ep, dp=dp, chunks=np.where(np.asarray(pp) > 1, chunks, 1.0),
        micro_batch=micro_batch, global_batch=batch, sequence=sequence,
        sequence_parallel=np.where(np.asarray(tp) > 1, runtime.get("sequence_parallel"), 0.0),
        shard_optimizer=float(stage >= 1), shard_gradients=float(stage >= 2), shard_weights=float(stage >= 3),
    )  # fmt: skip
    check_plan(plan, model, hardware, on.fabric)
    return on, _recomputed(recompute, plan, on)


def _choice(text: str, known: Any, what: str) -> str:
    """Return the key that a text means, whatever its case and hyphens."""
    keys = {normalise(k): k for k in known}
    found = keys.get(normalise(text))
    if found is None:
        names = ", ".join(f"'{name}'" for name in known)
        raise NameNotFoundError(f"{what}: {shorten(text)} is not one of {names}.")
    return found


def _recomputed(text: str, plan: Plan, on: Setting) -> Plan:
    words = {"none": (0.0, 0.0), "attention": (0.0, 1.0), "selective": (0.0, 1.0), "full": (1.0, 0.0), "least": None}
    chosen = words[_choice(text, words, "recompute")]
    if chosen is None:
        return least_recompute(on.net, plan, on.keeps, on.capacity, on.formats)
    return replace(plan, recompute_layer=chosen[0], recompute_attention=chosen[1])


def convention(text: str) -> Convention:
    """Return a convention of counting FLOP by name."""
    short = {"causal": "model, causal"}  # what people type
    return CONVENTIONS[_choice(short.get(normalise(text), text), CONVENTIONS, "convention")]


def step_of(on: Setting, plan: Plan) -> TrainStep:
    """Return the time of a step of a plan."""
    return train_step(on.net, on.device, on.fabric, on.eff, plan, on.formats)


def memory_of(on: Setting, plan: Plan) -> TrainMemory:
    """Return the memory of the fullest device of a plan."""
    return train_memory(on.net, plan, on.keeps, on.formats)


@declare(
    "Training", MODEL, HARDWARE, *_LAYOUT, unit_argument("s"),
    example='=MLSIM_TRAIN_STEP("Llama-3-70B","H100",64,128,8192,4,4)',
)  # fmt: skip
def MLSIM_TRAIN_STEP(*args: Any) -> Any:
    """Time of one optimiser step: forward, backward, communication, pipeline bubble, update.

    A plan that needs more memory than a device has is answered all the same: MLSIM_TRAIN_MEMORY says what it needs.
    """
    *layout, unit = args
    return within(step_of(*planned(*layout)).total, "s", unit)


@declare(
    "Training", MODEL, HARDWARE, *_LAYOUT, unit_argument("GiB"),
    example='=MLSIM_TRAIN_MEMORY("Llama-3-70B","H100",64,128,8192,4,4)',
)  # fmt: skip
def MLSIM_TRAIN_MEMORY(*args: Any) -> Any:
    """Memory of the fullest device: weights, gradients, optimiser, activations, loss, framework. MLSIM_WHY shows each term."""
    *layout, unit = args
    return within(memory_of(*planned(*layout)).total, "byte", unit)


@declare(
    "Training", MODEL, HARDWARE, *_LAYOUT, CONVENTION,
    example='=MLSIM_MFU("Llama-3-70B","H100",64,128,8192,4,4)',
)  # fmt: skip
def MLSIM_MFU(*args: Any) -> Any:
    """Model FLOP utilisation: counted FLOP of a step over time, devices and dense peak; "hardware" counts recomputation (HFU).

    What is counted differs by source: full or causal attention, recomputation, embeddings. MLSIM_WHY says what this one counts.
    Full attention counts pairs that causal kernels skip: over very long sequences it can pass 1, and "model, causal" cannot.
    """
    *layout, text = args
    rule = convention(text)
    on, plan = planned(*layout)
    flops = counted_flops(on.net, plan, rule.causal, rule.recompute, rule.attention, rule.embedding)
    return utilization(flops, step_of(on, plan).total, plan.devices, on.device.peak)


@declare(
    "Training", MODEL, HARDWARE, Arg("tokens", "factor", "Tokens to train on, such as '15 Ttoken'."), *_LAYOUT,
    Arg("goodput", "amount", "Share of the time that makes progress: failures and restarts take the rest.", 1.0),
    unit_argument("day"), example='=MLSIM_TRAIN_TIME("Llama-3-70B","H100","15 Ttoken",16384,2048,8192,4,4)',
)  # fmt: skip
def MLSIM_TRAIN_TIME(model: Any, hardware: Any, tokens: Quantity, *args: Any) -> Any:
    """Time to train on a number of tokens: steps × time of a step / goodput."""
    *layout, goodput, unit = args
    if tokens.unit.dimension_name not in ("token", "number"):
        raise UnitError(f"tokens: expected tokens, such as '15 Ttoken', got {tokens}.")
    if tokens.si <= 0:
        raise DomainError(f"tokens must be above 0, got {tokens}.")
    share = np.asarray(goodput, float)
    if np.any(share > 1.0) or np.any(share <= 0.0):
        raise DomainError(f"goodput is a share above 0 and up to 1, got {np.max(share):g}: 90 % is 0.9.")
    on, plan = planned(model, hardware, *layout)
    steps = tokens.si / np.multiply(plan.global_batch, plan.sequence)
    return within(steps * step_of(on, plan).total / share, "s", unit)


def _single(args: tuple[Arg, ...]) -> tuple[Arg, ...]:
    """Return arguments of functions that fill a table: one set at a time."""
    return tuple(replace(a, kind={"whole": "one whole", "count": "one"}.get(a.kind, a.kind)) for a in args)


@declare(
    "Training", MODEL, HARDWARE, *_single(_LAYOUT), unit_argument("s"),
    example='=MLSIM_TRAIN_PARTS("Llama-3-70B","H100",64,128,8192,4,4)',
)  # fmt: skip
def MLSIM_TRAIN_PARTS(*args: Any) -> Any:
    """Where the time of an optimiser step goes, as a table that spills: part, time, share."""
    *layout, unit = args
    step = step_of(*planned(*layout))
    table: list[list[Any]] = [["part", f"time [{unit.text}]", "share"]]
    for name in PARTS:
        value = float(getattr(step, name))
        table.append([name, float(within(value, "s", unit)), value / float(step.total)])
    return [*table, ["total", float(within(step.total, "s", unit)), 1.0]]


@declare(
    "Training", MODEL, HARDWARE, *_single(_LAYOUT), unit_argument("GiB"),
    example='=MLSIM_TRAIN_MEMORY_PARTS("Llama-3-70B","H100",64,128,8192,4,4)',
)  # fmt: skip
def MLSIM_TRAIN_MEMORY_PARTS(*args: Any) -> Any:
    """What fills the memory of the fullest device, as a table that spills: term, memory; then the total and the capacity."""
    *layout, unit = args
    on, plan = planned(*layout)
    memory = memory_of(on, plan)
    terms: list[tuple[str, Any]] = [(name, getattr(memory, name)) for name in TERMS]
    rows = [*terms, ("total", memory.total), ("capacity", on.capacity)]
    return [["term", f"memory [{unit.text}]"], *([name, float(within(value, "byte", unit))] for name, value in rows)]


# --- communication -------------------------------------------------------------------------------------------------

MESSAGE = Arg("message", "quantity", "Message per device, such as '256 MiB': what each holds before it.")
RANKS = Arg("devices", "whole", "Devices that take part.", 8.0)
DOMAIN = Arg("domain", "whole", "Devices joined by fast links; the chip's reference system unless given.", None)
NETWORK = Arg("network", "quantity", "Network bandwidth per device and direction, such as '50 GB/s'.", None)
OVERSUBSCRIPTION = Arg(
    "oversubscription",
    "count",
    "Ports below over ports above a leaf switch: 1 is a full fat-tree. Rings on rails stay below.",
    1.0,
)
RAILS = Arg(
    "rails",
    "amount",
    "1 when device i of every domain hangs on the same leaf, 0 when rings cross the spine, where oversubscription slows them.",
    1.0,
)
IMBALANCE = Arg("imbalance", "count", "What the fullest device sends over the mean.", 1.0)
LIBRARY = "NCCL"  # the runtime whose collectives these are


def collective_links(
    hardware: Any, ranks: Any, domain: Any, network: Quantity | None, oversubscription: Any, rails: Any
) -> Fabric:
    """Return the links that a collective's arguments mean; raise for those that no source gives."""
    if not isinstance(hardware, Chip):
        raise UnitError(
            "A collective needs a chip (a name or a two-column range): a single figure does not say enough."
        )
    hardware.get("scaleup_bandwidth")
    found = fabric(hardware)
    if np.any(np.asarray(oversubscription) < 1.0):
        raise DomainError(f"oversubscription is at least 1 (a full fat-tree), got {np.min(oversubscription):g}.")
    if network is not None and network.si <= 0:
        raise DomainError(f"network must be above 0, got {network}.")
    size = np.asarray(hardware.get("scaleup_domain") if domain is None else domain, float)
    found = replace(found, domain=size, oversubscription=oversubscription, rails=rails)
    if network is not None:
        found = replace(
            found, network=network.to("GB/s").si * (0.5 if network.kinds.get("direction") == "both directions" else 1.0)
        )
    checked_links(hardware, found, ranks)
    return found


def _message(message: Quantity) -> float:
    if message.si < 0:
        raise DomainError(f"message must not be negative, got {message}.")
    return message.to("byte").si


def _reduced(law: Any) -> Any:
    def run(
        hardware: Any, message: Quantity, devices: Any, domain: Any, network: Any, oversubscription: Any, rails: Any,
        unit: Unit,
    ) -> Any:  # fmt: skip
        links = collective_links(hardware, devices, domain, network, oversubscription, rails)
        eff = efficiency(hardware, load.runtime(LIBRARY))
        return within(law(_message(message), devices, np.minimum(devices, links.domain), links, eff), "s", unit)

    return run


@declare(
    "Communication", HARDWARE, MESSAGE, RANKS, DOMAIN, NETWORK, OVERSUBSCRIPTION, RAILS, unit_argument("us"),
    example='=MLSIM_ALLREDUCE("H100","256 MiB",64)',
)  # fmt: skip
def MLSIM_ALLREDUCE(*args: Any) -> Any:
    """Time of an all-reduce: ring within a domain, rings or trees between domains, or summed in the switch where it can."""
    return _reduced(wires.all_reduce)(*args)


@declare(
    "Communication", HARDWARE, replace(MESSAGE, doc="What each device holds afterwards, such as '256 MiB'."), RANKS, DOMAIN,
    NETWORK, OVERSUBSCRIPTION, RAILS, unit_argument("us"),
    example='=MLSIM_ALLGATHER("H100","256 MiB",64)',
)  # fmt: skip
def MLSIM_ALLGATHER(*args: Any) -> Any:
    """Time of an all-gather after which each device holds the message; a reduce-scatter of it takes as long."""
    return _reduced(wires.all_gather)(*args)


@declare(
    "Communication", HARDWARE, MESSAGE, RANKS, IMBALANCE, DOMAIN, NETWORK, OVERSUBSCRIPTION, unit_argument("us"),
    example='=MLSIM_ALLTOALL("H100","64 MiB",32,1.2)',
)  # fmt: skip
def MLSIM_ALLTOALL(
    hardware: Any, message: Quantity, devices: Any, imbalance: Any, domain: Any, network: Any, oversubscription: Any,
    unit: Unit,
) -> Any:  # fmt: skip
    """Time of an all-to-all (expert parallelism): what leaves the domain takes each device's own network port."""
    links = collective_links(hardware, devices, domain, network, oversubscription, 0.0)
    eff, local = efficiency(hardware, load.runtime(LIBRARY)), np.minimum(devices, links.domain)
    return within(wires.all_to_all(_message(message), devices, local, links, eff, imbalance), "s", unit)


@declare(
    "Communication", Arg("stages", "whole", "Pipeline stages."),
    Arg("micro_batches", "count", "Micro-batches of one step of one replica."), CHUNKS, example="=MLSIM_BUBBLE(8,64,2)",
)  # fmt: skip
def MLSIM_BUBBLE(stages: Any, micro_batches: Any, chunks: Any) -> Any:
    """Share of a step that a pipeline waits: b / (m + b), b = (stages - 1) / chunks."""
    return bubble_fraction(stages, micro_batches, chunks)


# --- plans ---------------------------------------------------------------------------------------------------------

PLAN_COLUMNS = (
    "rank", "tp", "pp", "cp", "ep", "dp", "chunks", "micro-batch", "recompute", "sharding", "step [s]", "memory [GiB]",
    "MFU", "token/s per device",
)  # fmt: skip


def recompute_text(plan: Plan) -> str:
    """Return what a plan recomputes, in a word."""
    if plan.recompute_layer:
        return "full" if plan.recompute_layer == 1 else f"{float(plan.recompute_layer):.0%} of layers"
    return "attention" if plan.recompute_attention else "none"


def sharding_text(plan: Plan) -> str:
    """Return the ZeRO stage of a plan."""
    stage = int(plan.shard_optimizer) + int(plan.shard_gradients) + int(plan.shard_weights)
    return f"ZeRO-{stage}" if stage else "none"


_SEARCHED = 10_000_000  # far beyond every cluster; the splits of a number without bound are never all tried


def best_plans(
    model: Model, hardware: Chip, devices: float, batch: float, sequence: float, precision: Precision, runtime: Runtime,
    count: int, space: str = "usual",
) -> tuple[Job, Found]:  # fmt: skip
    """Search the plans of a job; return the job and what was found.

    Raises
    ------
    DomainError
        When nothing fits; with the region that comes closest.
    """
    for name, number in (("devices", devices), ("batch", batch), ("layers of the model", model.layers)):
        if number > _SEARCHED:
            raise DomainError(f"{name}: plans are searched up to {_SEARCHED:,}, got {number:g}.")
    job = Job(setting(model, hardware, precision, runtime), int(devices), int(batch), int(sequence))
    checked_links(hardware, job.on.fabric, devices)
    found = search_training(job, SPACES[space], count)
    if not found.ranked:
        closest = min(found.regions, key=lambda r: r.least_memory, default=None)
        why = closest.reason(job.on.capacity) if closest else "No split of the devices fits heads, layers and batch."
        raise DomainError(f"None of {found.plans:,} plans fits {devices:g} {hardware.name}. The closest: {why}")
    return job, found


@declare(
    "Planning", MODEL, HARDWARE, replace(DEVICES, kind="one whole", default=64.0), replace(SEQUENCES, kind="one whole"),
    replace(SEQUENCE, kind="one whole"), PRECISION, TRAINER, Arg("count", "one whole", "Plans to list.", 5.0),
    example='=MLSIM_PARALLEL_PLAN("Llama-3-70B","H100",64,128,8192)',
)  # fmt: skip
def MLSIM_PARALLEL_PLAN(
    model: Any, hardware: Any, devices: Any, batch: Any, sequence: Any, precision: Any, runtime: Any, count: Any
) -> Any:
    """The fastest training plan that fits of each split of the devices, as a table that spills.

    Tried: micro-batches up to 16, interleaving, recomputation, ZeRO 0, 1 and 3, tensor parallel within a domain, context and
    expert parallel in powers of two.
    """
    named(model, hardware, "A parallel plan")
    job, found = best_plans(model, hardware, devices, batch, sequence, precision, runtime, int(count))
    return [list(PLAN_COLUMNS), *(plan_row(i, r, job) for i, r in enumerate(found.splits, 1))]


def plan_row(rank: int, r: Ranked, job: Job) -> list[Any]:
    """Return a row of a table of plans: :data:`PLAN_COLUMNS`."""
    p, rule = r.plan, CONVENTIONS["model"]
    flops = counted_flops(job.on.net, p, rule.causal, rule.recompute)
    tokens = float(p.global_batch) * float(p.sequence)
    return [
        float(rank), *(float(x) for x in (p.tp, p.pp, p.cp, p.ep, p.dp, p.chunks, p.micro_batch)), recompute_text(p),
        sharding_text(p), r.seconds, r.memory / 2.0**30,
        float(utilization(flops, r.seconds, p.devices, job.on.device.peak)), tokens / r.seconds / float(p.devices),
    ]  # fmt: skip
