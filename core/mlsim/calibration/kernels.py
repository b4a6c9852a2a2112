r"""Parameters of chip classes from timings of single kernels: ``python -m mlsim.calibration.kernels DIR``.

DIR holds five tables of latencies in milliseconds, as AIConfigurator publishes them (source ``aiconfigurator-ops``):
``gemm.csv``, ``context_attention.csv``, ``generation_attention.csv``, ``custom_allreduce.csv`` and
``nccl_collectives.csv``. The command fits to them the laws of :mod:`mlsim.planner.forward`, one kernel at a time, and
those of :mod:`mlsim.planner.fabric`, joins the figures of ``efficiency_measured.csv``
that other sources measured, and rewrites ``efficiency.csv``: the priors of :mod:`mlsim.calibration.fit`.

.. math:: t_\text{matmul} &= t_0 + \max(t_c, t_m) + u \min(t_c, t_m), \quad
                             t_c = \frac{F}{e_c P}, \; t_m = \frac{B}{e_m W} \\
          t_\text{prefill attention} &= t_1 + \left(1 + \frac{k_{1/2}}{\bar k}\right) \frac{F}{e_a P} \\
          t_\text{decode attention} &= t_0 + t_a + \frac{B}{e_m' W}

the all-reduce of engines by :func:`mlsim.physics.collectives.all_reduce_time`, and collectives of libraries by the
laws of :mod:`mlsim.planner.fabric` (all-reduce, all-gather, reduce-scatter, all-to-all together), with the mean number of
keys :math:`\bar k = L / 2` of a prompt of L tokens, and the all-reduce of
:func:`mlsim.physics.collectives.all_reduce_time`. Peaks P and bandwidths W are those of the registry. Each fit
minimises Huber's loss of the log errors (P. Huber, "Robust Statistics", 1981, sec. 7.8).

A value stands for its class, though one chip was measured with one version of one runtime. Its spread joins the median
log error of the law, the disagreement of its measurements, and the standard deviation between the classes: chips of
one class may differ as much.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlsim.arrays import Floats
from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError, shorten
from mlsim.physics.attention import attended_pairs, attention_flops
from mlsim.physics.collectives import all_reduce_time
from mlsim.physics.matmul import matmul_flops
from mlsim.physics.roofline import compute_time, memory_time, overlapped_time
from mlsim.planner import fabric
from mlsim.planner.fabric import Fabric
from mlsim.planner.forward import UNHIDDEN
from mlsim.planner.machine import CHIP_PARAMETERS, PARAMETERS, Efficiency
from mlsim.registry import load
from mlsim.registry.records import Chip
from mlsim.registry.tables import Row, rows

__all__ = ["COLUMNS", "SYSTEMS", "Estimate", "efficiency_rows", "estimates", "main", "robust_fit"]

SOURCE, ASSUMED = "aiconfigurator-ops", "mlsim-priors"
COLUMNS = ("chip_class", "attribute", "value", "unit", "spread", "meaning", "source", "locator", "note")
UNITS = {"vector_rate": "byte", "attention_half_length": "token"} | dict.fromkeys(
    (
        "kernel_overhead", "attention_overhead", "allreduce_latency", "collective_latency", "hop_latency", "bulk_latency",
        "network_latency",
    ), "us",
)  # fmt: skip
# PCIe cards have no link of their own: these classes take the all-reduce of the measured PCIe cards.
PCIE_CLASSES = (
    "nvidia-kepler", "nvidia-maxwell", "nvidia-pascal", "nvidia-turing", "nvidia-ampere-consumer", "amd-gcn",
    "amd-rdna2", "amd-rdna3", "amd-rdna4",
)  # fmt: skip
# Not in the kernel tables: the default of every class until whole runs determine it.
_VECTOR_RATE = (
    6.0, 0.3, "assumed: bytes of weights that matrix-vector kernels take per clock and compute unit", ASSUMED,
    "vector_rate", "whole runs determine it",
)  # fmt: skip
# Between devices: nothing public measures them kernel by kernel.
_NETWORK = {
    "network_efficiency": (0.8, 0.15, "assumed: scale-out bandwidth that collectives reach", ASSUMED, "network_efficiency", ""),
    "network_latency": (8.0, 0.5, "assumed: time of a step between domains", ASSUMED, "network_latency", ""),
    "attention_backward": (
        0.8, 0.15, "assumed: rate of the backward pass of fused attention relative to the forward pass", ASSUMED,
        "attention_backward", "FlashAttention-2 reports 0.7 to 0.9 over head widths and lengths",
    ),
}  # fmt: skip
_OPERATIONS = {
    "all_reduce": fabric.all_reduce, "all_gather": fabric.all_gather, "reduce_scatter": fabric.reduce_scatter,
    "alltoall": fabric.all_to_all,
}  # fmt: skip
# parameter -> start of its fit; in SI
_COLLECTIVE = {
    "collective_latency": 6e-6, "hop_latency": 1.2e-6, "bulk_latency": 3e-5, "bus_efficiency": 0.8, "prompt_share": 0.5,
    "copy_share": 0.3,
}  # fmt: skip
_SUMMING = ("nvidia-hopper", "nvidia-blackwell")  # classes whose switches sum (NVLink SHARP)
_LINK = ("allreduce_latency", "link_efficiency", *_COLLECTIVE, "sharing_exponent")  # of the link more than of the chip
_MOST_SPREAD = 1.0  # a factor of e either way: more says nothing
_LEAST_SPREAD, _LEAST_DEFAULT_SPREAD, _PCIE_SPREAD = 0.05, 0.07, 0.4
_NOISE = 0.1  # log error beyond which a row pulls with constant force
_US, _MS = 1e-6, 1e-3
# Format of the table -> peak it is computed at, bytes per weight (nvfp4: 4 bits and 8 bits of scale per 16 weights).
_FORMATS = {"bfloat16": ("bf16", 2.0), "fp8": ("fp8", 1.0), "nvfp4": ("fp4", 0.5625), "sq": ("int8", 1.0)}
_LARGE = 1024  # rows, columns and depth of a matmul that shows the arithmetic rate
_SMALL_WEIGHTS, _FEW_ROWS = 1.2e6, 64
_GROUPS = (2, 32)  # query heads per KV head; 64 fall back to a slow kernel, 1 uses other kernels
_USUAL_CONTEXT = 256  # tokens; the time of shorter ones is not that of reading the cache
_TINY_READ, _LARGE_READ = 1e6, 32e6  # [byte] of KV cache: too few to tell where they were read from; a stream


@dataclass(frozen=True, slots=True)
class System:
    """A measured system: its chip in the registry, and what its timings mean."""

    chip: str
    cache: float = 0.0  # [byte] of last-level cache in which repeated runs find their data; 0: timings never exceed W
    graph: bool = True  # kernels replay from a graph; else every time includes the launch by the host
    pcie: bool = False

    @property
    def launch(self) -> str:
        """What to say of its constant times."""
        return "" if self.graph else "; launched by the host, not from a graph: includes the launch"


# Caches as the registry's source of chip figures gives them: L40 (the die of the L40S) 96 MB, RTX PRO 6000 128 MB.
SYSTEMS = {
    "a100_sxm": System("A100-SXM4-80GB"),
    "h100_sxm": System("H100-SXM-80GB"),
    "b200_sxm": System("B200-SXM-180GB"),
    "l40s": System("L40S", cache=96e6, pcie=True),
    "rtx_pro_6000_server": System("RTX-PRO-6000-Blackwell-Server", cache=128e6, pcie=True),
    "b60": System("Arc-Pro-B60", graph=False, pcie=True),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fitted parameter in the unit of its row, with the absolute log errors of its law."""

    value: float
    errors: Floats
    meaning: str
    locator: str
    note: str = ""
    disagreement: float = 0.0  # standard deviation of the logs of the measurements joined in it
    typical: bool = True  # counts for the default

    @property
    def quality(self) -> str:
        """The median and the 90th percentile of the absolute error."""
        median, p90 = np.expm1(np.quantile(self.errors, (0.5, 0.9)))
        return f"law off by {median:.1%} (median), {p90:.1%} (90th percentile)"


Table = dict[str, NDArray[np.str_]]
Law = Callable[[Floats], Floats]


# --- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path, needed: Sequence[str]) -> Table:
    """Return the needed columns of a CSV file as arrays of text, without the rows that lack a latency.

    Raises
    ------
    NameNotFoundError
        When the file or a column is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [c for c in needed if c not in (reader.fieldnames or ())]
            lines = [] if missing else [row for row in reader if row["latency_ms"]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NameNotFoundError(f"The table {path} cannot be read: {getattr(error, 'strerror', error)}.") from None
    if missing:
        raise NameNotFoundError(f"The table {path} lacks the column {' and '.join(missing)}.")
    return {c: np.array([row[c] or "" for row in lines], dtype=np.str_) for c in needed}


def _where(table: Table, mask: NDArray[np.bool_]) -> Table:
    return {name: column[mask] for name, column in table.items()}


def _number(table: Table, name: str) -> Floats:
    try:
        value = table[name].astype(float)
    except ValueError as error:
        raise UnitError(f"The column {name} must hold numbers: {shorten(str(error))}.") from None
    if not np.all(np.isfinite(value) & (value > 0)):
        raise DomainError(f"The column {name} must hold numbers above 0.")
    return value


def _locator(file: str, system: str, table: Table, detail: str) -> str:
    software = sorted({f"{f} {v}" for f, v in zip(table["fw"], table["fw_version"], strict=True)})
    return f"{file}, {system}, {' and '.join(software)}, {detail}, {len(table['fw'])} rows"


# --- fitting ---------------------------------------------------------------------------------------------------------


def robust_fit(law: Law, start: Sequence[float], target: Floats) -> Floats:
    """Return the positive parameters p that minimise Huber's loss of ln(law(p) / target).

    Gauss-Newton steps in ln p with Huber's weights; each parameter has a prior of e^2 around its start, so that one the
    rows do not determine stays there.
    """
    centre = np.log(start)
    x, goal = centre.copy(), np.log(target)

    def cost(at: Floats) -> tuple[float, Floats]:
        error = np.log(law(np.exp(at))) - goal
        size = np.abs(error) / _NOISE
        return float(np.where(size < 1, size**2 / 2, size - 0.5).sum() + ((at - centre) ** 2).sum() / 8), error

    best, error = cost(x)
    damping = 1e-3
    for _ in range(200):
        slope = np.stack([np.log(law(np.exp(x + 1e-5 * e))) - goal - error for e in np.eye(len(x))], axis=1) / 1e-5
        weight = np.minimum(1.0, _NOISE / np.maximum(np.abs(error), 1e-12)) / _NOISE**2
        hessian = (slope * weight[:, None]).T @ slope + np.eye(len(x)) / 4
        move = np.linalg.solve(
            hessian + damping * np.diag(np.diag(hessian)), -(slope.T @ (weight * error) + (x - centre) / 4)
        )
        now, found = cost(x + np.clip(move, -0.5, 0.5))
        if now < best:
            done = best - now < 1e-9 * best
            x, best, error, damping = x + np.clip(move, -0.5, 0.5), now, found, max(damping / 5, 1e-9)
            if done:
                break
        elif damping > 1e6:
            break
        else:
            damping *= 5
    return np.exp(x)


def _errors(law: Law, at: Floats, target: Floats) -> Floats:
    return np.abs(np.log(law(at) / target))


def cold_matmuls(chip: Chip, table: Table, form: str, cache: float) -> NDArray[np.bool_]:
    """Return the rows whose time does not depend on the cache: large weights, or bound by arithmetic, or tiny."""
    peak_name, size = _FORMATS[form]
    m, n, k = (_number(table, c) for c in ("m", "n", "k"))
    weights = n * k * size
    traffic = (weights + m * k * size + m * n * 2.0) / chip.get("memory_bandwidth")
    bound = traffic < matmul_flops(m, n, k) / chip.peak(peak_name) / 2.0
    return (weights > 2.0 * cache) | bound | ((weights < _SMALL_WEIGHTS) & (m <= _FEW_ROWS)) if cache else weights > 0


def matmul_law(chip: Chip, table: Table, form: str) -> Law:
    """Return the time [s] of matmuls over (overhead, compute efficiency, memory efficiency).

    Traffic is that of weights and inputs in their format and of outputs in 16 bits.
    """
    peak_name, size = _FORMATS[form]
    m, n, k = (_number(table, c) for c in ("m", "n", "k"))
    flops, moved = matmul_flops(m, n, k), (n * k + m * k) * size + m * n * 2.0
    peak, bandwidth = chip.peak(peak_name), chip.get("memory_bandwidth")
    return lambda p: (
        p[0] + overlapped_time(compute_time(flops, peak, p[1]), memory_time(moved, bandwidth, p[2]), UNHIDDEN)
    )


def fit_matmul(table: Table, name: str, system: System, chip: Chip) -> dict[str, Estimate]:
    """Return compute and memory efficiency and kernel_overhead from matmuls in bf16, and narrow_efficiency."""
    form = "bfloat16"
    part = _where(table, (table["system"] == name) & (table["gemm_dtype"] == form))
    if not len(part["m"]):
        return {}
    part = _where(part, cold_matmuls(chip, part, form, system.cache))
    law, times = matmul_law(chip, part, form), _number(part, "latency_ms") * _MS
    overhead, compute, memory = at = robust_fit(law, (4e-6, 0.75, 0.85), times)
    errors, place = _errors(law, at, times), _locator("gemm.csv", name, part, "bfloat16")
    found = {
        "compute_efficiency": Estimate(
            compute, errors, f"matmuls of all shapes over the dense bf16 peak ({chip.name})", place
        ),
        "memory_efficiency": Estimate(
            memory, errors, f"weight streaming of matmuls over the data-sheet bandwidth ({chip.name})", place
        ),
        "kernel_overhead": Estimate(
            overhead / _US, errors, f"constant part of the time of a matmul ({chip.name}){system.launch}", place
        ),
    }  # fmt: skip
    narrow = _fit_narrow(table, name, chip, memory)
    return found | ({"narrow_efficiency": narrow} if narrow else {})


def _fit_narrow(table: Table, name: str, chip: Chip, memory: float) -> Estimate | None:
    """Return the geometric mean, over the narrow formats, of the rate of large matmuls relative to bf16 ones.

    The timings include the kernel that quantises the inputs: a constant and some bytes per input, fitted too.
    """
    rates: dict[str, tuple[float, Floats, Table]] = {}
    for form, (peak_name, _) in _FORMATS.items():
        part = _where(table, (table["system"] == name) & (table["gemm_dtype"] == form))
        if not len(part["m"]) or not chip.has(f"peak_compute {peak_name}"):
            continue
        m, n, k = (_number(part, c) for c in ("m", "n", "k"))
        large = (m >= _LARGE) & (n >= 2 * _LARGE) & (k >= 2 * _LARGE)
        if not large.any():
            continue
        part = _where(part, large)
        inputs = (m * k)[large] / (chip.get("memory_bandwidth") * memory)
        matmul, times = matmul_law(chip, part, form), _number(part, "latency_ms") * _MS

        def law(p: Floats, matmul: Law = matmul, inputs: Floats = inputs) -> Floats:
            return matmul(np.array([p[0], p[1], memory])) + p[2] * inputs

        at = robust_fit(law, (1e-5, 0.75, 2.0), times)
        rates[form] = float(at[1]), _errors(law, at, times), part
    base = rates.pop("bfloat16", None)
    if base is None or not rates:
        return None
    logs = np.log([rate / base[0] for rate, _, _ in rates.values()])
    parts = {c: np.concatenate([part[c] for _, _, part in rates.values()]) for c in ("fw", "fw_version")}
    detail = ", ".join(f"{_FORMATS[form][0]} {np.exp(x):.3f}" for form, x in zip(rates, logs, strict=True))
    return Estimate(
        float(np.exp(logs.mean())), np.concatenate([errors for _, errors, _ in rates.values()]),
        f"rate of large matmuls, each over its dense peak, relative to bf16 ({chip.name})",
        _locator("gemm.csv", name, parts, " and ".join(rates)), f"by format: {detail}", float(logs.std()),
    )  # fmt: skip


def fit_prefill(table: Table, name: str, chip: Chip) -> dict[str, Estimate]:
    """Return efficiency and half length of prefill attention, both inputs and cache in 16 bits."""
    part = _where(
        table,
        (table["system"] == name) & (table["attn_dtype"] == "bfloat16") & (table["kv_cache_dtype"] == "bfloat16")
        & np.isin(table["window_size"], ("", "0", "0.0")),
    )  # fmt: skip
    if not len(part["isl"]):
        return {}
    batch, length, heads, dim = (_number(part, c) for c in ("batch_size", "isl", "num_heads", "head_dim"))
    flops, keys = batch * attention_flops(attended_pairs(length, 0.0), heads, dim, dim), length / 2.0
    peak, times = chip.peak("bf16"), _number(part, "latency_ms") * _MS

    def law(p: Floats) -> Floats:
        return p[0] + (1.0 + p[2] / keys) * compute_time(flops, peak, p[1])

    at = robust_fit(law, (5e-6, 0.5, 300.0), times)
    errors, place = _errors(law, at, times), _locator("context_attention.csv", name, part, "bfloat16")
    what = f"prefill attention over the dense bf16 peak, causal half counted ({chip.name})"
    return {
        "attention_efficiency": Estimate(float(at[1]), errors, f"limit for long prompts of {what}", place),
        "attention_half_length": Estimate(
            float(at[2]), errors, f"mean keys per query, half of the prompt, at half the limit of {what}", place
        ),
    }


def fit_decode(table: Table, name: str, system: System, chip: Chip, kernel_overhead: float) -> dict[str, Estimate]:
    """Return the share of the bandwidth that decode attention reads the cache at, and its overhead over one kernel.

    The share is that of large reads; with it, reads of all sizes give the overhead. Only grouped-query attention over
    usual contexts is used, and no reads that caches may have served.
    """
    part = _where(table, (table["system"] == name) & (table["kv_cache_dtype"] == "bfloat16"))
    if not len(part["kv_len"]):
        return {}
    group = _number(part, "num_heads") / _number(part, "num_key_value_heads")
    moved = _cache_bytes(part)
    cold = (moved < _TINY_READ) | (moved > 2.2 * system.cache) if system.cache else moved > 0
    use = (group >= _GROUPS[0]) & (group <= _GROUPS[1]) & (_number(part, "kv_len") >= _USUAL_CONTEXT) & cold
    part, moved = _where(part, use), moved[use]
    large, bandwidth, times = moved > _LARGE_READ, chip.get("memory_bandwidth"), _number(part, "latency_ms") * _MS
    if not large.any():
        return {}
    stream = robust_fit(lambda p: p[0] + memory_time(moved[large], bandwidth, p[1]), (1e-5, 0.85), times[large])[1]

    def law(p: Floats) -> Floats:
        return p[0] + memory_time(moved, bandwidth, stream)

    at = robust_fit(law, (1e-5,), times)
    errors, overhead = _errors(law, at, times), float(at[0]) / _US - kernel_overhead
    place = _locator("generation_attention.csv", name, part, "bfloat16, groups of 2 to 32 over 256 or more tokens")
    found = {
        "memory_efficiency": Estimate(
            float(stream), errors[large],
            f"large cache reads of decode attention over the data-sheet bandwidth ({chip.name})", place,
        )
    }  # fmt: skip
    if overhead > 0:
        what = f"constant part of the time of decode attention beyond kernel_overhead ({chip.name})"
        found["attention_overhead"] = Estimate(overhead, errors, f"{what}{system.launch}", place)
    return found


def _cache_bytes(table: Table) -> Floats:
    """Keys and values in 16 bits that one pass reads [byte]."""
    batch, heads, length, dim = (_number(table, c) for c in ("batch_size", "num_key_value_heads", "kv_len", "head_dim"))
    return batch * heads * length * 2.0 * dim * 2.0


def fit_all_reduce(table: Table, name: str, system: System, chip: Chip) -> dict[str, Estimate]:
    """Return latency and link efficiency of the fastest all-reduce of 2 to 8 devices."""
    eager = np.char.find(np.char.lower(table["kernel_source"]), "eager") >= 0
    part = _where(table, (table["system"] == name) & (eager != system.graph))
    if not len(part["num_gpus"]):
        return {}
    devices, elements = _number(part, "num_gpus"), _number(part, "message_size")
    measured = _number(part, "latency_ms") * _MS
    key = np.stack([devices, elements])
    cases, index = np.unique(key, axis=1, return_inverse=True)
    times = np.full(cases.shape[1], np.inf)
    np.minimum.at(times, index.ravel(), measured)
    link = chip.get("scaleup_bandwidth")

    def law_of(n: Floats, message: Floats) -> Law:
        return lambda p: all_reduce_time(message, n, link * p[1], p[0])

    law = law_of(cases[0], cases[1] * 2.0)
    at = robust_fit(law, (5e-6, 0.5), times)
    errors = _errors(law, at, times)
    alone = []
    for n in np.unique(cases[0]):
        rows_of = cases[0] == n
        one = robust_fit(law_of(cases[0][rows_of], cases[1][rows_of] * 2.0), (5e-6, 0.5), times[rows_of])
        alone.append(f"{n:.0f} devices {one[0] / _US:.1f} us {one[1]:.2f}")
    through = "through PCIe; falls with the number of devices" if system.pcie else "through NVLink"
    note = f"each number of devices alone: {', '.join(alone)}"
    place = _locator("custom_allreduce.csv", name, part, "bfloat16, the fastest of each message and number of devices")
    what = f"all-reduce of 2 to 8 devices {through} ({chip.name}){system.launch}"
    return {
        "allreduce_latency": Estimate(float(at[0]) / _US, errors, f"time of a short {what}", place, note),
        "link_efficiency": Estimate(
            float(at[1]), errors, f"share of one direction of the link in an {what}", place, note
        ),
    }


def fit_collectives(table: Table, name: str, system: System, chip: Chip) -> dict[str, Estimate]:
    """Return the parameters of a library's collectives: all operations, sizes and numbers of devices together."""
    part = _where(table, table["system"] == name)
    if not len(part["num_gpus"]):
        return {}
    ranks, times = _number(part, "num_gpus"), _number(part, "latency_ms") * _MS
    message = _number(part, "message_size") * np.where(part["nccl_dtype"] == "int8", 1.0, 2.0)
    link = chip.get("scaleup_bandwidth")
    node = Fabric(domain=float(ranks.max()), link=link, network=np.nan, bus=float(system.pcie))
    start = dict(_COLLECTIVE)
    if chip.chip_class in _SUMMING:
        start["switch_efficiency"] = 0.5
    if system.pcie:
        start["sharing_exponent"] = 1.0
    rows_of = {op: np.flatnonzero(part["op_name"] == op) for op in _OPERATIONS}

    def law(p: Floats) -> Floats:
        eff = Efficiency(**{**dict.fromkeys(PARAMETERS, 0.0), "link_share": 1.0, **dict(zip(start, p, strict=True))})
        out = np.empty_like(times)
        for op, i in rows_of.items():
            out[i] = _OPERATIONS[op](message[i], ranks[i], ranks[i], node, eff)
        return out

    at = robust_fit(law, tuple(start.values()), times)
    errors = _errors(law, at, times)
    library = sorted({f"{a} {b}" for a, b in zip(part["lib"], part["lib_version"], strict=True)})
    place = f"nccl_collectives.csv, {name}, {', '.join(library)}, 16 and 8 bits, {len(times)} rows"
    by = ", ".join(f"{op} {np.expm1(np.median(errors[i])):.1%}" for op, i in rows_of.items() if len(i))
    what = f"collectives of 2 to {ranks.max():.0f} devices ({chip.name})"
    return {
        key: Estimate(
            float(value) / (_US if key in UNITS else 1.0), errors, f"{key.replace('_', ' ')} of {what}", place,
            f"median by operation: {by}", typical=system.graph,
        )
        for key, value in zip(start, at, strict=True)
    }  # fmt: skip


# --- joining ---------------------------------------------------------------------------------------------------------


def estimates(folder: Path) -> list[tuple[str, str, Estimate]]:
    """Return (system, attribute, estimate) of every fit; memory_efficiency comes from matmuls and from attention."""
    common = ("system", "fw", "fw_version", "latency_ms")
    gemm = read(folder / "gemm.csv", (*common, "gemm_dtype", "m", "n", "k"))
    shape = (*common, "batch_size", "num_heads", "num_key_value_heads", "head_dim", "kv_cache_dtype")
    prefill = read(folder / "context_attention.csv", (*shape, "isl", "attn_dtype", "window_size"))
    decode = read(folder / "generation_attention.csv", (*shape, "kv_len"))
    reduce = read(folder / "custom_allreduce.csv", (*common, "kernel_source", "num_gpus", "message_size"))
    needed = ("system", "lib", "lib_version", "op_name", "nccl_dtype", "num_gpus", "message_size", "latency_ms")
    library = read(folder / "nccl_collectives.csv", needed)
    found: list[tuple[str, str, Estimate]] = []
    for name, system in SYSTEMS.items():
        chip = load.chip(system.chip)
        matmul = fit_matmul(gemm, name, system, chip)
        parts = [
            matmul, fit_prefill(prefill, name, chip), fit_all_reduce(reduce, name, system, chip),
            fit_collectives(library, name, system, chip),
        ]  # fmt: skip
        if matmul:
            parts.append(fit_decode(decode, name, system, chip, matmul["kernel_overhead"].value))
        found += [(name, a, replace(e, typical=system.graph)) for part in parts for a, e in part.items()]
    if not found:
        raise DomainError(f"The tables in {folder} have no row of a system that MLSIM knows: {', '.join(SYSTEMS)}.")
    return found


def _joined(parts: Sequence[Estimate], measured: Row | None) -> Estimate:
    """Return the geometric mean of what was measured of one parameter: by kernels, and by another source."""
    values = [e.value for e in parts] + ([float(measured["value"])] if measured else [])
    if len(values) == 1:
        return parts[0]
    sources = [f"{e.value:.3f} {e.meaning}" for e in parts]
    if measured:
        sources.append(f"{values[-1]:.3f} {measured['meaning']} ({measured['source']})")
    return replace(
        parts[0], value=float(np.exp(np.mean(np.log(values)))), errors=np.concatenate([e.errors for e in parts]),
        meaning=f"geometric mean of {'; '.join(sources)}", locator="; ".join(e.locator for e in parts),
        note="; ".join(filter(None, (*(e.note for e in parts), measured["locator"] if measured else ""))),
        disagreement=float(np.hypot(np.log(values).std(), max(e.disagreement for e in parts))),
    )  # fmt: skip


def _between(group: Sequence[float]) -> float:
    """Standard deviation of the logarithm between classes."""
    return float(np.log(group).std(ddof=1)) if len(group) > 1 else 0.0


def _row(chip_class: str, attribute: str, value: float, spread: float, *text: str) -> Row:
    cells = (chip_class, attribute, f"{value:.4g}", UNITS.get(attribute, "ratio"), f"{spread:.3f}", *text)
    return dict(zip(COLUMNS, cells, strict=True))


def _mean_row(
    chip_class: str, attribute: str, alike: Mapping[str, Estimate], least: float, meaning: str, note: str
) -> Row:
    """Return the geometric mean over measured classes, for a class without a measurement of its own."""
    values = [e.value for e in alike.values()]
    return _row(
        chip_class, attribute, float(np.exp(np.mean(np.log(values)))), min(max(_between(values), least), _MOST_SPREAD),
        f"{meaning} {', '.join(alike)}", SOURCE, "; ".join(e.locator for e in alike.values()), note,
    )  # fmt: skip


def _class_row(chip_class: str, attribute: str, e: Estimate, between: float, least: float) -> Row:
    """Return the row of a measured class."""
    spread = float(np.sqrt(np.median(e.errors) ** 2 + e.disagreement**2 + between**2))
    note = "; ".join(filter(None, (e.quality, e.note)))
    return _row(chip_class, attribute, e.value, max(spread, least), e.meaning, SOURCE, e.locator, note)


def efficiency_rows(found: Sequence[tuple[str, str, Estimate]], measured: Sequence[Row]) -> list[Row]:
    """Return the rows of ``efficiency.csv`` from the fits and from what other sources measured.

    ``default`` has the geometric mean over the classes whose timings are alike: those launched from a graph, and for
    the all-reduce those with a link of their own. Classes of PCIe cards have the mean of the measured PCIe cards.

    Raises
    ------
    DomainError
        When the fits leave a parameter without a default.
    """
    other = {(row["chip_class"], row["attribute"]): row for row in measured}
    class_of = {name: load.chip(system.chip).chip_class for name, system in SYSTEMS.items()}
    pcie = {class_of[name] for name, system in SYSTEMS.items() if system.pcie}
    groups: dict[tuple[str, str], list[Estimate]] = {}
    for name, attribute, estimate in found:
        groups.setdefault((class_of[name], attribute), []).append(estimate)
    joined = {key: _joined(parts, other.get(key)) for key, parts in groups.items()}
    default = [_row("default", "vector_rate", *_VECTOR_RATE)]
    default += [_row("default", attribute, *row) for attribute, row in _NETWORK.items()]
    none = ("no switch sums unless measured", ASSUMED, "switch_efficiency", "")
    default.append(_row("default", "switch_efficiency", 0.0, 0.0, *none))
    classes = [{c: row[c] for c in COLUMNS} for key, row in other.items() if key not in joined]
    for attribute in CHIP_PARAMETERS:
        mine = {c: e for (c, a), e in joined.items() if a == attribute}
        if not mine:
            continue
        network = attribute in _LINK
        typical = {c: e for c, e in mine.items() if e.typical} or mine
        cards = {c: e for c, e in typical.items() if network and c in pcie}
        usual = {c: e for c, e in typical.items() if c not in cards} or typical
        if attribute != "switch_efficiency":
            default.append(_mean_row(
                "default", attribute, usual, _LEAST_DEFAULT_SPREAD, "geometric mean over the classes",
                "for a class without a measurement of its own",
            ))  # fmt: skip
        between = _between([e.value for e in usual.values()])
        for c, e in mine.items():
            classes.append(
                _class_row(c, attribute, e, between, _PCIE_SPREAD if network and c in pcie else _LEAST_SPREAD)
            )
        if cards:
            classes += [
                _mean_row(
                    c, attribute, cards, _PCIE_SPREAD, "not measured: mean over the PCIe cards of the classes",
                    "that the classes are alike is an assumption",
                )
                for c in PCIE_CLASSES
            ]  # fmt: skip
    if lost := set(CHIP_PARAMETERS) - {row["attribute"] for row in default}:
        raise DomainError(f"The tables have no rows that determine {' or '.join(sorted(lost))}.")
    order = {c: i for i, c in enumerate([*dict.fromkeys(class_of.values()), *PCIE_CLASSES])}
    default.sort(key=lambda row: CHIP_PARAMETERS.index(row["attribute"]))
    classes.sort(key=lambda r: (order.get(r["chip_class"], len(order)), CHIP_PARAMETERS.index(r["attribute"])))
    return default + classes


def main(argv: Sequence[str] | None = None) -> int:
    """Run the fits; return the exit code."""
    shipped = Path(str(resources.files("mlsim.registry").joinpath("data", "efficiency.csv")))
    parser = argparse.ArgumentParser(
        prog="python -m mlsim.calibration.kernels", description="Fit chip classes to kernel timings."
    )
    parser.add_argument("folder", type=Path, help="folder of the kernel tables")
    parser.add_argument("--output", type=Path, default=shipped, help="file to write instead of the registry's")
    options = parser.parse_args(argv)
    try:
        table = efficiency_rows(estimates(options.folder), rows("efficiency_measured"))
    except CellError as error:
        print(error.message, file=sys.stderr)
        return 1
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        print(
            f"{row['chip_class']:26} {row['attribute']:22} {row['value']:>8} {row['unit']:6} {row['spread']:>6}  "
            f"{row['note'][:110]}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
