"""Exhaustive search over training plans: parallelism, micro-batch, interleaving, recomputation, sharding, overlap, offload.

A layout (degrees of parallelism, chunks, micro-batch) is a handful of numbers; its switches form a grid. Layouts with all
their switches are stacked into blocks that fit the cache and evaluated in one array call each: about a microsecond a plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats
from mlsim.planner.training import Placement, Plan, TrainStep, train_step
from mlsim.planner.training_memory import TERMS, TrainMemory, train_memory
from mlsim.planner.training_setup import Setting

__all__ = ["SPACES", "Found", "Job", "Ranked", "Region", "Space", "regions_without", "search_training"]


# Stages may have different numbers of layers while the fullest has so much more than the mean.
_UNEVEN = 1.15


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained on what: everything of a search but the plan."""

    on: Setting
    devices: int
    batch: int  # sequences of a step
    sequence: int  # tokens


@dataclass(frozen=True, slots=True)
class Space:
    """Which values of each dimension are tried."""

    name: str
    recompute: tuple[str, ...] = ("full", "attention", "none")
    sharding: tuple[int, ...] = (0, 1, 2, 3)  # ZeRO stages
    tensor: tuple[str, ...] = ("as the framework does",)
    gather_again: bool = False  # try keeping gathered inputs as well
    overlap: tuple[float, ...] = (1.0,)  # of tensor-parallel communication
    data_overlap: tuple[float, ...] = (1.0,)
    offload: bool = False
    context: bool = True
    micro_batches: int = 0  # largest; 0: any divisor
    chunks: int = 0  # most; 0: any divisor
    levels: bool = False  # try every assignment of parallelism to scale-up and scale-out network
    any_domain: bool = False  # tensor parallel beyond a domain too
    idle: bool = False  # also switches that change nothing: recomputing attention that keeps nothing


SPACES = {
    s.name: s
    for s in (
        Space("usual", sharding=(0, 1, 3), micro_batches=16, chunks=16),
        Space("offload", sharding=(0, 1, 3), micro_batches=16, chunks=16, offload=True),
        Space(
            "calculon", sharding=(0, 2), tensor=("all-reduce", "split sends", "sequence parallel"), gather_again=True,
            overlap=(0.0, 0.5, 1.0), data_overlap=(0.0, 1.0), offload=True, context=False, micro_batches=1, levels=True,
            any_domain=True, idle=True,
        ),
        Space(
            "calculon, any micro-batch", sharding=(0, 2), tensor=("all-reduce", "split sends", "sequence parallel"),
            gather_again=True, overlap=(0.0, 0.5, 1.0), data_overlap=(0.0, 1.0), offload=True, context=False, levels=True,
            any_domain=True, idle=True,
        ),
    )
}  # fmt: skip
"""Named spaces. "calculon" is the 666,368 executions that tool counts for GPT-3 175B on 64 devices."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A plan with its time and memory."""

    plan: Plan
    seconds: float
    memory: float  # [byte]
    step: TrainStep
    terms: TrainMemory


@dataclass(frozen=True, slots=True)
class Region:
    """Plans of one parallelism (tp, pp, cp, ep, dp): how many there are, how many fit, and why others do not."""

    tp: int
    pp: int
    cp: int
    ep: int
    dp: int
    plans: int
    feasible: int
    least_memory: float  # [byte]
    largest_term: str
    apart: int  # plans whose groups do not fit the network they are assigned to

    def reason(self, capacity: float) -> str:
        """Say why no plan of the region is feasible; empty when one is."""
        if self.feasible:
            return ""
        where = f"tp {self.tp} · pp {self.pp} · cp {self.cp} · ep {self.ep} · dp {self.dp}"
        if self.apart == self.plans:
            return f"{where}: no assignment of groups to networks has room for them."
        gib = 2.0**30
        return (
            f"{where}: the leanest of {self.plans:,} plans needs {self.least_memory / gib:,.1f} GiB, {self.largest_term} most "
            f"of it; a device has {capacity / gib:,.1f} GiB."
        )


_Degrees = tuple[int, int, int, int, int]
_Entry = tuple[float, float, Plan, Placement | None]


@dataclass(frozen=True, slots=True)
class _Block:
    """Layouts with their switches as arrays of one number per plan; layout i has the plans of its slice."""

    plan: Plan
    placement: Placement | None
    apart: NDArray[np.bool_]  # plans whose groups do not fit the network they are assigned to
    layouts: list[tuple[_Degrees, slice]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    plans: int
    feasible: int
    ranked: list[Ranked]  # fastest first
    splits: list[Ranked]  # the fastest plan of each parallelism (tp, pp, cp, ep, dp), fastest first
    pareto: list[Ranked]  # no other plan is both faster and leaner; leanest first
    regions: list[Region]


def search_training(job: Job, space: Space, top: int = 10, done: Callable[[int], object] = int) -> Found:
    """Evaluate every plan of a space; return the fastest that fit, the Pareto front, and why regions are infeasible.

    Parameters
    ----------
    job : Job
    space : Space
    top : int
        How many ranked plans, and how many splits, to return.
    done : callable
        Told how many plans each finished layout had.
    """
    best: list[_Entry] = []
    front: list[_Entry] = []
    splits: dict[_Degrees, _Entry] = {}
    regions: dict[_Degrees, Region] = {}
    total = feasible = 0
    for block in _blocks(job, space):
        with np.errstate(all="ignore"):
            seconds = train_step(
                job.on.net, job.on.device, job.on.fabric, job.on.eff, block.plan, job.on.formats, block.placement
            ).total
            kept = train_memory(job.on.net, block.plan, job.on.keeps, job.on.formats)
        memory = np.broadcast_to(kept.total, seconds.shape)
        good = (memory <= job.on.capacity) & ~block.apart & np.isfinite(seconds)
        total, feasible = total + len(seconds), feasible + int(good.sum())
        _count_regions(regions, block, memory, kept, good)
        if good.any():
            index = np.flatnonzero(good)
            best = _keep_best(best, index, seconds, memory, block, top)
            front = _keep_front(front, index, seconds, memory, block)
            _keep_splits(splits, seconds, memory, block, good)
        done(len(seconds))
    fastest = sorted(splits.values(), key=_order)[:top]
    ranked, each, pareto = ([_ranked(job, *entry) for entry in entries] for entries in (best, fastest, front))
    return Found(total, feasible, ranked, each, pareto, list(regions.values()))


# --- enumeration ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _divisors(n: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)})


def _layouts(job: Job, space: Space) -> Iterator[Plan]:
    """Yield plans of plain numbers: every split of the devices, every interleaving and micro-batch."""
    layers, heads, hidden = int(job.on.net.layers), int(job.on.net.heads), int(job.on.net.hidden)
    domain = job.on.fabric.domain if math.isfinite(float(job.on.fabric.domain)) else 8.0
    for tp in _divisors(job.devices):
        if heads % tp or hidden % tp or (tp > domain and not space.any_domain):
            continue
        for pp in _divisors(job.devices // tp):
            if pp > layers or (layers % pp and (not space.context or math.ceil(layers / pp) * pp > _UNEVEN * layers)):
                continue
            for cp in _contexts(job, space, job.devices // (tp * pp)):
                dp = job.devices // (tp * pp * cp)
                if dp > job.batch:
                    continue
                for ep in _experts(job, tp * cp * dp):
                    yield from _interleaved(job, space, Plan(
                        tp=tp, pp=pp, cp=cp, ep=ep, dp=dp, global_batch=job.batch, sequence=job.sequence,
                    ))  # fmt: skip


def _contexts(job: Job, space: Space, rest: int) -> list[int]:
    """Context-parallel degrees worth trying: a device keeps a thousand tokens or more of a sequence."""
    if not space.context:
        return [1]
    return [cp for cp in _divisors(rest) if cp & (cp - 1) == 0 and (cp == 1 or job.sequence / cp >= 2048)]


def _experts(job: Job, ranks: int) -> list[int]:
    experts = int(job.on.net.experts)
    return [ep for ep in _divisors(ranks) if experts % ep == 0 and ep & (ep - 1) == 0] if experts else [1]


def _interleaved(job: Job, space: Space, plan: Plan) -> Iterator[Plan]:
    layers, pp, dp = int(job.on.net.layers), int(plan.pp), int(plan.dp)
    per_stage = math.ceil(layers / pp)
    chunks = [1] if pp == 1 else [c for c in _divisors(per_stage) if not space.chunks or c <= space.chunks]
    local = math.ceil(job.batch / dp)
    sizes = [m for m in _divisors(local) if m * job.sequence % int(plan.tp) == 0]
    sizes = [m for m in sizes if not space.micro_batches or m <= space.micro_batches]
    for c in chunks:
        for micro in sizes:
            yield replace(plan, chunks=c, micro_batch=micro)


_RECOMPUTE = {"full": (1.0, 0.0), "attention": (0.0, 1.0), "none": (0.0, 0.0)}
_TENSOR = {
    "as the framework does": (-1.0, 1.0),
    "all-reduce": (0.0, 0.0),
    "split sends": (0.0, 1.0),
    "sequence parallel": (1.0, 1.0),
}


_BLOCK = 16384  # plans of a block


def _blocks(job: Job, space: Space) -> Iterator[_Block]:
    """Yield every layout with all its switches, stacked into blocks."""
    waiting: list[tuple[Plan, dict[str, Floats]]] = []
    rows = 0
    for layout in _layouts(job, space):
        columns = _switches_of(layout, job, space)
        waiting.append((layout, columns))
        rows += len(columns["layer"])
        if rows >= _BLOCK:
            yield _stacked(waiting, job, space)
            waiting, rows = [], 0
    if waiting:
        yield _stacked(waiting, job, space)


def _switches_of(layout: Plan, job: Job, space: Space) -> dict[str, Floats]:
    host = math.isfinite(float(job.on.fabric.host))
    if job.on.keeps.fused_attention and not space.idle:
        space = replace(space, recompute=tuple(r for r in space.recompute if r != "attention"))
    return _grid(space, bool(layout.tp > 1), bool(layout.pp > 1), bool(np.multiply(layout.dp, layout.cp) > 1), host)


def _stacked(parts: list[tuple[Plan, dict[str, Floats]]], job: Job, space: Space) -> _Block:
    """Return layouts and their switches as one record of arrays."""
    counts = [len(columns["layer"]) for _, columns in parts]
    ends = np.cumsum(counts)
    table = {name: np.concatenate([columns[name] for _, columns in parts]) for name in _SWITCHES}
    shape = {
        name: np.repeat([float(getattr(layout, name)) for layout, _ in parts], counts)
        for name in ("tp", "pp", "cp", "ep", "dp", "chunks", "micro_batch")
    }
    split = table["sp"]
    plan = Plan(
        **shape, global_batch=float(job.batch), sequence=float(job.sequence), recompute_layer=table["layer"],
        recompute_attention=table["attention"],
        sequence_parallel=np.where(split < 0, job.on.sequence_parallel * (shape["tp"] > 1), split),
        scatter_sends=table["sends"], gather_again=table["again"], shard_optimizer=table["zero1"],
        shard_gradients=table["zero2"], shard_weights=table["zero3"], tensor_overlap=table["tensor_overlap"],
        data_overlap=table["data_overlap"], offload_weights=table["offload_weights"],
        offload_activations=table["offload_activations"], offload_optimizer=table["offload_optimizer"],
    )  # fmt: skip
    placement, apart = _assigned(plan, table, job) if space.levels else (None, np.zeros(int(ends[-1]), bool))
    layouts = [
        ((int(p.tp), int(p.pp), int(p.cp), int(p.ep), int(p.dp)), slice(int(end) - count, int(end)))
        for (p, _), count, end in zip(parts, counts, ends, strict=True)
    ]
    return _Block(plan, placement, apart, layouts)


def _assigned(plan: Plan, table: dict[str, Floats], job: Job) -> tuple[Placement, NDArray[np.bool_]]:
    """Return where groups assigned to scale-up or scale-out network are, and which plans have no room there."""
    domain = float(job.on.fabric.domain)
    inside = [(plan.tp, table["tp_out"]), (plan.pp, table["pp_out"]), (plan.dp, table["dp_out"])]
    size = np.ones(len(table["layer"]))
    for ranks, out in inside:
        size = size * np.where(out > 0, 1.0, ranks)
    apart = (size > domain) | (domain % np.maximum(size, 1.0) != 0)
    tp, dp = (
        np.where(table[out] > 0, 1.0, np.minimum(n, domain)) for n, out in ((plan.tp, "tp_out"), (plan.dp, "dp_out"))
    )
    return Placement(tp=tp, cp=1.0, ep=1.0, dp=dp, stages_apart=table["pp_out"]), apart


_grids: dict[tuple[object, ...], dict[str, Floats]] = {}


def _grid(space: Space, tensor: bool, pipeline: bool, data: bool, host: bool) -> dict[str, Floats]:
    """Return every combination of a space's switches, as one array per switch."""
    key = (space, tensor, pipeline, data, host)
    if key not in _grids:
        rows = list(_combinations(space, tensor, pipeline, data, host))
        table = np.array(rows, float).T
        _grids[key] = dict(zip(_SWITCHES, table, strict=True))
    return _grids[key]


_SWITCHES = (
    "layer", "attention", "zero1", "zero2", "zero3", "sp", "sends", "again", "data_overlap", "tensor_overlap",
    "offload_weights", "offload_activations", "offload_optimizer", "tp_out", "pp_out", "dp_out",
)  # fmt: skip


def _combinations(space: Space, tensor: bool, pipeline: bool, data: bool, host: bool) -> Iterator[tuple[float, ...]]:
    off = (1.0, 0.0) if space.offload and host else (0.0,)
    for recompute in space.recompute:
        layer, attention = _RECOMPUTE[recompute]
        for stage in space.sharding if data else (0,):
            for kind in space.tensor if tensor or space.levels else space.tensor[:1]:
                sp, sends = _TENSOR[kind]
                redo = (1.0, 0.0) if space.gather_again and sp and not layer else (1.0,)
                for again in redo:
                    for data_overlap in space.data_overlap if data else (1.0,):
                        for tensor_overlap in space.overlap if tensor else (0.0,):
                            for weights in off:
                                for activations in (0.0,) if layer else off:
                                    for optimizer in off:
                                        for place in _levels(space, tensor, pipeline, data):
                                            yield (
                                                layer, attention, float(stage >= 1), float(stage >= 2), float(stage >= 3),
                                                sp, sends, again, data_overlap, tensor_overlap, weights, activations,
                                                optimizer, *place,
                                            )  # fmt: skip


def _levels(space: Space, tensor: bool, pipeline: bool, data: bool) -> Iterator[tuple[float, float, float]]:
    """Yield for tensor, pipeline and data parallelism whether the group is assigned to the scale-out network."""
    both = (0.0, 1.0)
    for t in both if space.levels and tensor else (0.0,):
        for p in both if space.levels and pipeline else (0.0,):
            for d in both if space.levels and data else (0.0,):
                yield t, p, d


# --- ranking -------------------------------------------------------------------------------------------------------


def _count_regions(
    regions: dict[_Degrees, Region], block: _Block, memory: Floats, kept: TrainMemory, good: NDArray[np.bool_]
) -> None:
    """Add a block's plans to the counts of their regions."""
    for degrees, part in block.layouts:
        lean = part.start + int(np.argmin(memory[part]))
        old = regions.get(degrees)
        least, term = (old.least_memory, old.largest_term) if old else (math.inf, "")
        if memory[lean] < least:
            least = float(memory[lean])
            term = max(TERMS, key=lambda name: float(np.broadcast_to(getattr(kept, name), memory.shape)[lean]))
        seen = (old.plans, old.feasible, old.apart) if old else (0, 0, 0)
        regions[degrees] = Region(
            *degrees, seen[0] + part.stop - part.start, seen[1] + int(good[part].sum()), least, term,
            seen[2] + int(block.apart[part].sum()),
        )  # fmt: skip


def _keep_best(
    best: list[_Entry], index: NDArray[np.intp], seconds: Floats, memory: Floats, block: _Block, top: int
) -> list[_Entry]:
    limit = best[-1][0] if len(best) >= top else math.inf
    chosen = index[seconds[index] < limit]
    if len(chosen) > top:
        chosen = chosen[np.argpartition(seconds[chosen], top - 1)[:top]]
    best = best + [(float(seconds[i]), float(memory[i]), *_single(block, int(i))) for i in chosen]
    return sorted(best, key=_order)[:top]


def _order(entry: _Entry) -> tuple[float, float]:
    return entry[0], entry[1]


def _keep_splits(
    splits: dict[_Degrees, _Entry], seconds: Floats, memory: Floats, block: _Block, good: NDArray[np.bool_]
) -> None:
    """Keep the fastest plan of each parallelism."""
    feasible = np.where(good, seconds, np.inf)
    for degrees, part in block.layouts:
        i = part.start + int(np.argmin(feasible[part]))
        if feasible[i] < (splits[degrees][0] if degrees in splits else math.inf):
            splits[degrees] = (float(seconds[i]), float(memory[i]), *_single(block, i))


def _keep_front(
    front: list[_Entry], index: NDArray[np.intp], seconds: Floats, memory: Floats, block: _Block
) -> list[_Entry]:
    """Return the plans of which none is both faster and leaner, leanest first."""
    order = index[np.lexsort((seconds[index], memory[index]))]
    fastest = np.minimum.accumulate(seconds[order])
    better = np.concatenate([[True], seconds[order][1:] < fastest[:-1]])
    new = [(float(seconds[i]), float(memory[i]), i) for i in order[better]]
    merged: list[tuple[float, float, _Entry | int]] = [(b[0], b[1], b) for b in front]
    merged += [(s, m, int(i)) for s, m, i in new]
    kept: list[_Entry] = []
    least = math.inf
    for s, m, entry in sorted(merged, key=lambda x: (x[1], x[0])):
        if s < least:
            least = s
            kept.append((s, m, *_single(block, entry)) if isinstance(entry, int) else entry)
    return kept


def _single(block: _Block, i: int) -> tuple[Plan, Placement | None]:
    """Return one plan of a block as plain numbers."""

    def pick(record: Plan | Placement) -> dict[str, float]:
        values = {}
        for f in fields(record):
            value = np.asarray(getattr(record, f.name), float)
            values[f.name] = float(value[i] if value.ndim else value)
        return values

    return Plan(**pick(block.plan)), Placement(**pick(block.placement)) if block.placement else None


def _ranked(job: Job, seconds: float, memory: float, plan: Plan, placement: Placement | None) -> Ranked:
    step = train_step(job.on.net, job.on.device, job.on.fabric, job.on.eff, plan, job.on.formats, placement)
    return Ranked(plan, seconds, memory, step, train_memory(job.on.net, plan, job.on.keeps, job.on.formats))


def regions_without(found: Found) -> Sequence[Region]:
    """Return the regions in which nothing is feasible, those that come closest first."""
    return sorted((r for r in found.regions if not r.feasible), key=lambda r: r.least_memory)
