"""The cheapest way to serve a request rate within latency targets: chip, tensor parallel, batch limit, replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlsim.errors import CellError, DomainError
from mlsim.physics.queueing import erlang_c, wait_quantile
from mlsim.planner import inference
from mlsim.planner.training_setup import fabric
from mlsim.registry.records import Chip, Model, Precision, Runtime

__all__ = ["Demand", "Served", "search_serving"]

_MOST_REPLICAS = 4096
_AHEAD = 48  # replicas tried beyond those that the load needs at least


@dataclass(frozen=True, slots=True)
class Demand:
    """Requests and what they may wait for."""

    rate: float  # requests per second
    prompt: float  # tokens
    output: float  # tokens
    ttft: float  # time to first token at the quantile [s]
    tpot: float  # time per output token [s]
    quantile: float = 0.9


@dataclass(frozen=True, slots=True)
class Served:
    """One way to serve a demand, or why a chip and degree cannot (``reason``)."""

    chip: str
    tp: int
    replicas: int = 0
    batch: int = 0  # most requests in flight per replica
    ttft: float = math.nan  # at the quantile [s]
    tpot: float = math.nan  # [s]
    waits: float = math.nan  # share of requests that wait for a slot
    busy: float = math.nan  # share of the slots in use
    cost: float = math.nan  # of all devices, per second [money]; nan without a price
    reason: str = ""

    @property
    def devices(self) -> int:
        """Devices of all replicas."""
        return self.tp * self.replicas


def search_serving(
    model: Model, chips: Sequence[Chip], demand: Demand, precision: Precision, kv_precision: Precision, runtime: Runtime,
    prices: Sequence[float] | None = None,
) -> list[Served]:  # fmt: skip
    """Return the cheapest layout per chip and tensor-parallel degree, cheapest first; those that cannot come last.

    Parameters
    ----------
    model, precision, kv_precision, runtime
        What is served.
    chips : sequence of Chip
    demand : Demand
    prices : sequence of float, optional
        Price of one device per second [money]; without it fewest devices win.

    Notes
    -----
    A replica serves up to ``batch`` requests at once; a request takes its prefill and one pass per output token, the pass
    being that of a full engine with others' prompts in between. The slots of all replicas are the servers of one queue
    (Erlang C), so a router that knows free slots is assumed.
    """
    found: list[Served] = []
    for i, chip in enumerate(chips):
        price = prices[i] if prices else math.nan
        for tp in _degrees(model, chip):
            found.append(_cheapest(model, chip, tp, demand, precision, kv_precision, runtime, price))
    return sorted(found, key=lambda s: (bool(s.reason), s.cost if not math.isnan(s.cost) else s.devices, s.devices))


def _degrees(model: Model, chip: Chip) -> list[int]:
    """Tensor-parallel degrees within a domain: powers of two that divide the heads."""
    if not chip.has("scaleup_bandwidth"):
        return [1]
    domain = float(fabric(chip).domain)
    most = min(domain if math.isfinite(domain) else 8.0, 16.0)
    return [tp for tp in (1, 2, 4, 8, 16) if tp <= most and model.heads % tp == 0]


def _cheapest(
    model: Model, chip: Chip, tp: int, demand: Demand, precision: Precision, kv_precision: Precision, runtime: Runtime,
    price: float,
) -> Served:  # fmt: skip
    """Return the fewest replicas of one chip and degree, over all batch limits."""
    try:
        most = float(
            inference.in_flight(model, chip, demand.prompt, demand.output, precision, kv_precision, runtime, tp)
        )
    except CellError as error:
        return Served(chip.name, tp, reason=error.message)
    batches = np.unique(np.concatenate([2.0 ** np.arange(0, math.floor(math.log2(most)) + 1), [math.floor(most)]]))
    token = inference.interleaved(
        model, chip, batches, demand.prompt, demand.output, precision, kv_precision, runtime, tp
    ).total
    first = float(inference.prefill(model, chip, 1.0, demand.prompt, precision, kv_precision, runtime, tp).total)
    quick = token <= demand.tpot
    if not quick.any():
        return Served(
            chip.name, tp, reason=f"TPOT is {token.min() * 1e3:.1f} ms at best, above {demand.tpot * 1e3:g} ms."
        )
    if first + token.min() > demand.ttft:
        at_best = (first + token.min()) * 1e3
        return Served(
            chip.name, tp, reason=f"TTFT is {at_best:.0f} ms without any wait, above {demand.ttft * 1e3:g} ms."
        )
    best: Served | None = None
    for batch, pace in zip(batches[quick], token[quick], strict=True):
        option = _replicas(chip, tp, float(batch), float(pace), first, demand, price)
        if option and (best is None or (option.replicas, option.ttft) < (best.replicas, best.ttft)):
            best = option
    if best is None:
        return Served(chip.name, tp, reason=f"More than {_MOST_REPLICAS:,} replicas are needed.")
    return best


def _replicas(
    chip: Chip, tp: int, batch: float, pace: float, first: float, demand: Demand, price: float
) -> Served | None:
    """Return the fewest replicas with a batch limit that keep the targets; None when there are too many."""
    service = first + demand.output * pace
    load = demand.rate * service
    least = math.floor(load / batch) + 1
    if least > _MOST_REPLICAS:
        return None
    counts = np.arange(least, least + _AHEAD + 1, dtype=float)
    waits = wait_quantile(counts * batch, load, service, demand.quantile)
    ttft = waits + first + pace
    good = np.flatnonzero(ttft <= demand.ttft)
    if not len(good):
        return None
    r = counts[good[0]]
    return Served(
        chip.name, tp, int(r), int(batch), float(ttft[good[0]]), pace, float(erlang_c(r * batch, load)),
        float(load / (r * batch)), float(r * tp * price),
    )  # fmt: skip


def check_demand(demand: Demand) -> None:
    """Raise for a demand that no queue has: rates, tokens or targets of 0 or less or without end, a quantile that is no share."""
    for name in ("rate", "prompt", "output", "ttft", "tpot"):
        if not 0 < getattr(demand, name) < math.inf:
            raise DomainError(f"{name} must be above 0 and finite, got {getattr(demand, name):g}.")
    if not 0.0 <= demand.quantile < 1.0:
        raise DomainError(f"quantile is a share from 0 to below 1, got {demand.quantile:g}: 90 % is 0.9.")
