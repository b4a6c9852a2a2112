"""From registry entries to the flat records of training: links, bytes per weight, what a framework keeps, usual layouts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlsim.arrays import Real
from mlsim.errors import DomainError, NameNotFoundError
from mlsim.planner.fabric import Fabric
from mlsim.planner.machine import Efficiency, Machine, computed_in, efficiency, machine
from mlsim.planner.training import Formats, Plan
from mlsim.planner.training_memory import Keeps, least_recompute, train_memory
from mlsim.planner.transformer import Transformer, transformer
from mlsim.registry import load
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = [
    "SHARDING",
    "Setting",
    "check_plan",
    "checked_links",
    "fabric",
    "formats_of",
    "keeps_of",
    "setting",
    "usual_plan",
]

SHARDING = {"none": 0.0, "ZeRO-1": 1.0, "ZeRO-2": 2.0, "ZeRO-3": 3.0, "FSDP": 3.0}
"""What is split over the replicas, by the names people use."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A model on a chip under a framework: all that a plan meets."""

    net: Transformer
    device: Machine
    fabric: Fabric
    eff: Efficiency
    formats: Formats
    keeps: Keeps
    capacity: float  # memory of a device [byte]
    sequence_parallel: float  # 1 where the framework splits activations between matmuls too, given tensor parallelism


def setting(model: Model, chip: Chip, precision: Precision, runtime: Runtime, links: Fabric | None = None) -> Setting:
    """Return the flat records of a model, a chip and a framework.

    Raises
    ------
    DomainError, NameNotFoundError
        When the model lacks dimensions or the chip a peak, a bandwidth or a memory size; when the framework does not train.
    """
    if runtime.based_on not in load.training_runtimes():
        raise NameNotFoundError(
            f"runtime: {runtime.name} does not train. Training frameworks: {', '.join(load.training_runtimes())}."
        )
    if precision.bytes_per_element < 2.0 and precision.compute in ("bf16", "fp16"):
        raise DomainError(
            f"precision: {precision.name} is a format of stored weights, not of training: choose bf16, fp8, mxfp8 or another "
            "that matmuls run in."
        )
    return Setting(
        transformer(model), machine(chip, computed_in(chip, precision)), links or fabric(chip), efficiency(chip, runtime),
        formats_of(runtime, precision), keeps_of(runtime), chip.memory,
        runtime.get("sequence_parallel"),
    )  # fmt: skip


def check_plan(plan: Plan, model: Model, chip: Chip, links: Fabric) -> None:
    """Raise for a plan that cannot be laid out: degrees that do not fit the devices, the heads, the layers or the batch."""
    dp = np.asarray(plan.dp, float)
    split = np.multiply(plan.tp, plan.pp) * plan.cp
    if np.any(dp < 1.0) or np.any(np.abs(dp - np.round(dp)) > 1e-9):
        worst = float(np.max(split))
        raise DomainError(f"tp · pp · cp = {worst:g} does not divide the devices: choose degrees whose product does.")
    if np.any(np.mod(model.heads, plan.tp) > 0):
        raise DomainError(
            f"Tensor parallel {np.max(plan.tp):g} does not divide the {model.heads:g} attention heads of {model.name}."
        )
    if np.any(np.asarray(plan.pp) > model.layers):
        raise DomainError(
            f"{np.max(plan.pp):g} pipeline stages are more than the {model.layers:g} layers of {model.name}."
        )
    if np.any(np.asarray(plan.global_batch) < dp):
        raise DomainError(
            f"A batch of {np.min(plan.global_batch):g} sequences does not feed {np.max(dp):g} replicas: raise the batch or "
            "the model parallelism."
        )
    per_stage = np.ceil(np.divide(model.layers, plan.pp))
    if np.any(np.asarray(plan.chunks) > per_stage):
        raise DomainError(
            f"{np.max(plan.chunks):g} chunks are more than the {np.min(per_stage):g} layers of a stage of {model.name}."
        )
    if np.any(np.asarray(plan.cp) > plan.sequence):
        raise DomainError(f"Context parallel {np.max(plan.cp):g} is more than the {np.min(plan.sequence):g} tokens.")
    own = np.ceil(np.divide(plan.global_batch, dp) - 1e-9)
    if np.any(np.asarray(plan.micro_batch) > own):
        raise DomainError(
            f"A micro-batch of {np.max(plan.micro_batch):g} is more than the {np.min(own):g} sequences of a replica."
        )
    _check_experts(plan, model)
    checked_links(chip, links, plan.devices)


def _check_experts(plan: Plan, model: Model) -> None:
    ep = np.asarray(plan.ep, float)
    if not model.experts:
        if np.any(ep > 1.0):
            raise DomainError(f"Expert parallel {np.max(ep):g}: {model.name} has no routed experts.")
        return
    ranks = np.multiply(plan.tp, plan.cp) * plan.dp
    if np.any(np.mod(model.experts, ep) > 0):
        raise DomainError(
            f"Expert parallel {np.max(ep):g} does not divide the {model.experts:g} experts of {model.name}."
        )
    if np.any(np.mod(ranks, ep) > 0):
        raise DomainError(
            f"Expert parallel {np.max(ep):g} does not divide the {np.min(ranks):g} devices of a stage (tp · cp · dp)."
        )


def checked_links(chip: Chip, links: Fabric, devices: Real) -> None:
    """Raise when a run on so many devices needs a link that no source gives: the error names it."""
    if np.any(np.asarray(devices) > 1):
        chip.get("scaleup_bandwidth")
        if not math.isfinite(float(np.max(links.domain))):
            chip.get("scaleup_domain")
    if np.any(np.asarray(devices) > links.domain) and not math.isfinite(float(np.max(links.network))):
        chip.get("scaleout_bandwidth")


def _or_nan(chip: Chip, attribute: str) -> float:
    return chip.get(attribute) if chip.has(attribute) else math.nan


def _shares_bus(chip: Chip) -> float:
    """Return 1 where the scale-up link of a chip is the host's PCIe bus, as the meaning of its figure says."""
    figure = chip.figures.get("scaleup_bandwidth")
    return float(figure is not None and "pcie" in f"{figure.meaning} {figure.note}".casefold())


def fabric(chip: Chip) -> Fabric:
    """Return the links of a chip's reference system; nan where the registry has no figure."""
    return Fabric(
        domain=_or_nan(chip, "scaleup_domain"), link=_or_nan(chip, "scaleup_bandwidth"),
        network=_or_nan(chip, "scaleout_bandwidth"), host=_or_nan(chip, "host_bandwidth"),
        bus=_shares_bus(chip), dimensions=chip.get("torus_dimensions") if chip.has("torus_dimensions") else 0.0,
    )  # fmt: skip


def formats_of(runtime: Runtime, precision: Precision) -> Formats:
    """Return what a framework keeps per weight in a precision: 32-bit training has no master copy."""
    wide = precision.compute in ("fp32", "tf32")
    narrow = precision.compute in ("fp8", "fp6", "fp4", "int8")  # half of what is kept goes into a matmul
    return Formats(
        weight=4.0 if wide else runtime.get("weight_bytes"), gradient=4.0 if wide else runtime.get("gradient_bytes"),
        state=8.0 if wide else runtime.get("optimizer_bytes"), reduced=4.0 if wide else runtime.get("reduced_bytes"),
        activation=4.0 if wide else 2.0, kept=4.0 if wide else 1.5 if narrow else 2.0, gathered=4.0 if wide else 2.0,
    )  # fmt: skip


def keeps_of(runtime: Runtime) -> Keeps:
    """Return what a framework keeps besides weights."""
    return Keeps(*(runtime.get(a) for a in ("training_memory", "loss_bytes", "dropout", "fused_attention")))


def usual_plan(
    model: Model, chip: Chip, runtime: Runtime, devices: float, batch: float, sequence: float, formats: Formats,
    links: Fabric, compute: str, split: float = math.nan, micro: float = math.nan,
) -> Plan:  # fmt: skip
    """Return the layout a source that gives none is assumed to have: the least model parallelism that fits.

    Tensor parallel within a domain first, then pipeline stages; ``split`` is their product where it is known.
    """
    net, keeps = transformer(model), keeps_of(runtime)
    domain = links.domain if not math.isnan(float(links.domain)) else 8.0
    degrees = [float(2**i) for i in range(20) if 2**i <= devices]
    choices = [split] if not math.isnan(split) else degrees
    best: Plan | None = None
    for within in choices:
        tp = _tensor(within, float(domain), model.heads)
        pp = within / tp
        replicas = devices / within
        if replicas < 1 or pp > model.layers:
            continue
        stages = runtime.get("default_sharding")
        plan = Plan(
            tp=tp, pp=pp, dp=replicas, micro_batch=1.0 if math.isnan(micro) else micro, global_batch=batch,
            sequence=sequence, sequence_parallel=runtime.get("sequence_parallel") if tp > 1 else 0.0,
            shard_optimizer=float(stages >= 1), shard_gradients=float(stages >= 2), shard_weights=float(stages >= 3),
        )  # fmt: skip
        best = least_recompute(net, plan, keeps, chip.memory, formats)
        if train_memory(net, best, keeps, formats).total <= chip.memory:
            break
    return best or Plan(dp=devices, global_batch=batch, sequence=sequence)


def _tensor(within: float, domain: float, heads: float) -> float:
    """Largest tensor-parallel degree that divides a model-parallel size, the domain and the heads."""
    tp = 1.0
    for degree in range(1, int(min(within, domain, heads)) + 1):
        if within % degree == 0 and domain % degree == 0 and heads % degree == 0:
            tp = float(degree)
    return tp
