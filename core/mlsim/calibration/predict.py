"""Predictions for many mixed cases at once: cases of a kind are stacked, and one array call answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats, stack
from mlsim.calibration.cases import AnyCase, Case, CollectiveCase, TrainCase
from mlsim.calibration.predict_training import (
    CollectiveStack,
    TrainStack,
    collective_time,
    stack_collectives,
    stack_training,
    trained,
)
from mlsim.planner import serving
from mlsim.planner.forward import Step, kv_share
from mlsim.planner.machine import PARAMETERS, READ, Efficiency, Machine, efficiency, machine, spread
from mlsim.planner.memory import Reserve, batch_limit, cache_room, memory, reserve
from mlsim.planner.network import Network, network
from mlsim.planner.serving import Layout
from mlsim.planner.training import TrainStep
from mlsim.registry import load

__all__ = ["AnyStack", "Prediction", "Stack", "evaluate", "predictions", "reads", "spread_kind", "stacked"]

QUANTILE = 1.2816  # of the normal distribution, 90 %: between it and its negative lie 80 %
_NUDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Stack:
    """Cases of one kind as records of arrays."""

    kind: str
    index: NDArray[np.intp]  # positions among all cases
    net: Network
    device: Machine
    kept: Reserve
    layout: Layout
    batch: Floats
    prompt: Floats
    output: Floats
    context: Floats


@dataclass(frozen=True, slots=True)
class Answer:
    """Predicted values of a stack in the unit of its kind, and the pass they come from (none for memory)."""

    value: Floats
    step: Step | TrainStep | None
    limit: str = "capacity"  # what is the bottleneck where no step says so


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction with its 80 % interval."""

    value: float
    low: float
    high: float
    bottleneck: str


AnyStack: TypeAlias = Stack | TrainStack | CollectiveStack


def spread_kind(kind: str) -> str:
    """Return the kind whose law and unexplained spread a kind has: the metrics of training share one."""
    return "training" if kind in ("step", "tokens", "flops") else kind


def stacked(cases: Sequence[AnyCase]) -> list[AnyStack]:
    """Group cases by kind and stack each group."""
    groups: dict[str, list[int]] = {}
    for position, case in enumerate(cases):
        groups.setdefault(spread_kind(case.kind), []).append(position)
    return [_stack(kind, positions, [cases[i] for i in positions]) for kind, positions in groups.items()]


def _stack(kind: str, positions: list[int], cases: list[AnyCase]) -> AnyStack:
    training = [c for c in cases if isinstance(c, TrainCase)]
    collective = [c for c in cases if isinstance(c, CollectiveCase)]
    if training:
        return stack_training(positions, training)
    if collective:
        return stack_collectives(positions, collective)
    group = [c for c in cases if isinstance(c, Case)]

    def column(name: str) -> Floats:
        return np.array([getattr(case, name) for case in group], float)

    return Stack(
        kind=kind, index=np.array(positions),
        net=stack([network(c.model, c.precision, c.kv_precision, c.compute) for c in group]),
        device=stack([machine(c.chip, c.compute, bool(c.runtime.get("half_sums")), c.power_share) for c in group]),
        kept=stack([replace(reserve(c.chip, c.runtime), memory_fraction=c.memory_fraction) for c in group]),
        layout=Layout(column("tp"), column("pp"), column("ep"), column("dp")),
        batch=column("batch"), prompt=column("prompt"), output=column("output"), context=column("context"),
    )  # fmt: skip


# --- one law per kind -------------------------------------------------------------------------------------------------


def _decode(s: Stack, eff: Efficiency) -> Answer:
    step = serving.decode_step(s.net, s.device, eff, s.batch, s.context, s.layout)
    return Answer(step.total * 1e3, step)


def _prefill(s: Stack, eff: Efficiency) -> Answer:
    step = serving.prefill_step(s.net, s.device, eff, s.batch, s.prompt, s.layout, s.context)
    return Answer(step.total * 1e3, step)


def _request(s: Stack, eff: Efficiency) -> Answer:
    seconds, step = serving.request_time(s.net, s.device, eff, s.batch, s.prompt, s.output, s.layout, s.context)
    return Answer(seconds * 1e3, step)


def _static(s: Stack, eff: Efficiency) -> Answer:
    rate, step = serving.static_rate(s.net, s.device, eff, s.batch, s.prompt, s.output, s.layout)
    return Answer(rate / s.layout.devices, step)


def _in_flight(s: Stack) -> Floats:
    """Requests that fit at once: each group of attention-data parallel devices has a cache of its own."""
    layout = s.layout
    return batch_limit(s.net, s.kept, s.prompt + s.output, layout.tp, layout.pp, layout.ep) * np.asarray(layout.dp)


def _interleaved(s: Stack, eff: Efficiency) -> Answer:
    batch = np.minimum(s.batch, np.maximum(_in_flight(s), 1.0))  # the others wait for room in the cache
    others = np.maximum(batch - 1.0, 0.0)
    step = serving.mixed_step(s.net, s.device, eff, batch, s.prompt, s.output, s.layout, others)
    return Answer(step.total * 1e3, step)


def _saturated(s: Stack, eff: Efficiency) -> Answer:
    limit = _in_flight(s)
    batch = np.where(limit >= 1.0, limit, np.nan)  # no room for one request: no answer
    rate, step = serving.saturated_rate(s.net, s.device, eff, batch, s.prompt, s.output, s.layout)
    return Answer(rate / s.layout.devices, step)


def _weights(s: Stack, _: Efficiency | None) -> Answer:
    held = memory(s.net, s.kept, 0.0, 0.0, s.layout.tp, s.layout.pp, s.layout.ep).weights
    return Answer(held / 2**30, None)


def _pool(s: Stack, _: Efficiency | None) -> Answer:
    return Answer(cache_room(s.net, s.kept, s.layout.tp, s.layout.pp, s.layout.ep) / _token(s, _).value, None)


def _token(s: Stack, _: Efficiency | None) -> Answer:
    """Bytes of one token in an engine's pool: window layers keep their blocks until they fall out of the window."""
    held = s.net.cache_groups_layers * s.net.kv_token_bytes * kv_share(s.net, s.layout.tp)
    return Answer(np.asarray(held / s.layout.pp), None)


_TIMED: dict[str, Callable[[Stack, Efficiency], Answer]] = {
    "decode": _decode, "prefill": _prefill, "request": _request, "static": _static, "interleaved": _interleaved,
    "saturated": _saturated,
}  # fmt: skip
_SIZED: dict[str, Callable[[Stack, Efficiency | None], Answer]] = {
    "weights": _weights, "pool": _pool, "token": _token,
}  # fmt: skip


def evaluate(s: AnyStack, eff: Efficiency) -> Answer:
    """Predict a stack of cases with given parameters."""
    if isinstance(s, TrainStack):
        return Answer(*trained(s, eff))
    if isinstance(s, CollectiveStack):
        return Answer(collective_time(s, eff), None, "communication")
    return _TIMED[s.kind](s, eff) if s.kind in _TIMED else _SIZED[s.kind](s, eff)


def reads(s: AnyStack) -> tuple[str, ...]:
    """Return the parameters that predictions of a stack depend on."""
    if s.kind in _SIZED:
        return ()
    return READ.get(s.kind, READ["serving"])


# --- predictions with intervals ---------------------------------------------------------------------------------------


def predictions(cases: Sequence[AnyCase], parameters: tuple[Efficiency, Efficiency] | None = None) -> list[Prediction]:
    """Predict cases with their 80 % intervals.

    Parameters
    ----------
    cases : sequence of Case
    parameters : (Efficiency, Efficiency), optional
        Parameters and the spreads of their logarithms, stacked as the cases; by default those of the registry.

    Notes
    -----
    The logarithm of a prediction is uncertain by what is not known about the parameters and by what no parameter
    explains: :math:`\\sigma^2 = \\sigma_\\mathrm{kind}^2 + \\sum_j (\\partial \\ln p / \\partial \\ln \\theta_j)^2
    \\sigma_j^2`, the sum times the kind's ``parameter_share``. Where nothing similar was measured a parameter has its
    prior's spread, so the interval is wider.
    """
    if not cases:
        return []
    value, width = parameters or (
        stack([efficiency(c.chip, c.runtime) for c in cases]),
        stack([spread(c.chip, c.runtime) for c in cases]),
    )
    found: list[Prediction] = [Prediction(np.nan, np.nan, np.nan, "")] * len(cases)
    with np.errstate(all="ignore"):  # what is not finite is for the caller to refuse, row by row
        for s in stacked(cases):
            _predict(s, value, width, found)
    return found


def _predict(s: AnyStack, value: Efficiency, width: Efficiency, found: list[Prediction]) -> None:
    """Fill in the predictions of one stack."""
    eff, sigma = (Efficiency(*(np.asarray(getattr(t, n))[s.index] for n in PARAMETERS)) for t in (value, width))
    answer = evaluate(s, eff)
    variance, share = np.full(len(s.index), load.kind_spread(s.kind) ** 2), load.parameter_share(s.kind)
    for name in reads(s):
        known = np.asarray(getattr(sigma, name))
        if np.any(known > 0):
            moved = replace(eff, **{name: getattr(eff, name) * (1.0 + _NUDGE)})
            slope = np.log(evaluate(s, moved).value / answer.value) / _NUDGE
            variance = variance + share * (slope * known) ** 2
    factor = np.exp(QUANTILE * np.sqrt(variance))
    limits = answer.step.bottleneck if answer.step is not None else np.full(len(s.index), answer.limit)
    for i, p, f, b in zip(s.index, answer.value, factor, limits, strict=True):
        found[i] = Prediction(float(p), float(p / f), float(p * f), str(b))
