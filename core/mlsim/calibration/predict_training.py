"""Training and collective cases stacked: one array call answers all of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats, Real, stack
from mlsim.calibration.training_cases import CollectiveCase, TrainCase
from mlsim.planner import fabric as wires
from mlsim.planner.fabric import Fabric
from mlsim.planner.flop_conventions import counted_flops
from mlsim.planner.machine import Efficiency, Machine, machine
from mlsim.planner.training import Formats, Plan, TrainStep, train_step
from mlsim.planner.transformer import Transformer, transformer

__all__ = ["CollectiveStack", "TrainStack", "collective_time", "stack_collectives", "stack_training", "trained"]

_Record = TypeVar("_Record")
_OPERATIONS = {
    "all_reduce": wires.all_reduce, "all_gather": wires.all_gather, "reduce_scatter": wires.reduce_scatter,
    "all_to_all": wires.all_to_all,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainStack:
    """Training cases as records of arrays, whatever their metrics."""

    kind: str
    metric: NDArray[np.str_]  # "step", "tokens" or "flops"
    index: NDArray[np.intp]
    net: Transformer
    device: Machine
    fabric: Fabric
    plan: Plan
    formats: Formats
    counted: Floats  # FLOP of a step by each case's convention


@dataclass(frozen=True, slots=True)
class CollectiveStack:
    """Collective cases as records of arrays."""

    kind: str
    index: NDArray[np.intp]
    fabric: Fabric
    operation: NDArray[np.str_]
    message: Floats
    ranks: Floats


def stack_training(positions: Sequence[int], group: Sequence[TrainCase]) -> TrainStack:
    """Stack training cases."""
    net = stack([transformer(c.model) for c in group])
    plan = stack([c.plan for c in group])
    rules = stack([_Rule(c.convention.causal, c.convention.recompute) for c in group])
    return TrainStack(
        kind="training", metric=np.array([c.kind for c in group]), index=np.array(positions), net=net,
        device=stack([machine(c.chip, c.compute, False, c.power_share) for c in group]),
        fabric=stack([c.fabric for c in group]), plan=plan, formats=stack([c.formats for c in group]),
        counted=counted_flops(net, plan, rules.causal, rules.recompute),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rule:
    causal: Real
    recompute: Real


def trained(s: TrainStack, eff: Efficiency) -> tuple[Floats, TrainStep]:
    """Return the predicted metric of each case in its unit, and the step it comes from."""
    step = train_step(s.net, s.device, s.fabric, eff, s.plan, s.formats)
    device_seconds = step.total * s.plan.devices
    tokens = np.multiply(s.plan.global_batch, s.plan.sequence) / device_seconds
    flops = s.counted / device_seconds / 1e12
    return np.where(s.metric == "step", step.total, np.where(s.metric == "tokens", tokens, flops)), step


def stack_collectives(positions: Sequence[int], group: Sequence[CollectiveCase]) -> CollectiveStack:
    """Stack collective cases."""
    return CollectiveStack(
        kind="collective", index=np.array(positions), fabric=stack([c.fabric for c in group]),
        operation=np.array([c.operation for c in group]), message=np.array([c.message for c in group]),
        ranks=np.array([c.ranks for c in group]),
    )  # fmt: skip


def collective_time(s: CollectiveStack, eff: Efficiency) -> Floats:
    """Return the predicted time of each case [us]."""
    out = np.empty_like(s.message)
    local = np.minimum(s.ranks, s.fabric.domain)
    for name, operation in _OPERATIONS.items():
        i = s.operation == name
        if i.any():
            out[i] = operation(s.message[i], s.ranks[i], local[i], _part(s.fabric, i), _part(eff, i))
    return out * 1e6


def _part(record: _Record, chosen: NDArray[np.bool_]) -> _Record:
    """Return a stacked record of the chosen cases."""
    kind: Any = type(record)
    return kind(**{f.name: np.asarray(getattr(record, f.name))[chosen] for f in fields(kind)})
