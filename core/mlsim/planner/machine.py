"""What a chip offers and how much of it a runtime gets: the two flat records that every law of time reads."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache

from mlsim.arrays import Real
from mlsim.registry.records import Chip, Precision, Runtime

__all__ = [
    "CHIP_PARAMETERS",
    "PARAMETERS",
    "READ",
    "RUNTIME_PARAMETERS",
    "Efficiency",
    "Machine",
    "computed_in",
    "efficiency",
    "machine",
    "spread",
]

# llama.cpp accumulates 16-bit products in 16 bits; GeForce tensor units do that at twice the rate of 32-bit sums.
HALF_SUMS = "fp16-fp16acc"


@dataclass(frozen=True, slots=True)
class Machine:
    """Data-sheet figures of one device in SI, at the number format computed in."""

    peak: Real  # dense matmul peak [FLOP/s]
    peak16: Real  # the same in 16 bits: attention is not computed narrower
    bandwidth: Real  # [byte/s]
    link: Real  # scale-up bandwidth per direction [byte/s]; nan when the registry has none
    core_clock: Real  # compute units times clock [1/s]; infinite when the registry has no count
    power_share: Real  # power limit over board power, 1 when not limited


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Parameters of the efficiency model: first those of the chip class, then those of the runtime.

    A ``share`` multiplies what the best kernels of the chip class reach.
    """

    compute_efficiency: Real  # of the dense peak, large matmuls
    narrow_efficiency: Real  # 8- and 4-bit matmuls, relative to 16-bit ones
    memory_efficiency: Real  # of the bandwidth, large streams
    attention_efficiency: Real  # of the dense 16-bit peak, prefill attention over long prompts
    attention_half_length: Real  # keys at which prefill attention has half that efficiency
    vector_rate: Real  # [byte] of weights that matrix-vector kernels take per clock and compute unit
    kernel_overhead: Real  # [s] per kernel on the device
    attention_overhead: Real  # [s] per layer more for decode attention, whose work is split and merged
    allreduce_latency: Real  # [s]
    link_efficiency: Real  # of one direction of the link
    collective_latency: Real  # [s] of a library's collective of a few bytes between two devices
    hop_latency: Real  # [s] per further step of a ring
    bulk_latency: Real  # [s] more where a collective has the full bandwidth
    bus_efficiency: Real  # of one direction of the link, ring collectives
    prompt_share: Real  # bandwidth of the protocol for small messages, relative to the full one
    copy_share: Real  # link time per byte that a collective copies in memory
    switch_efficiency: Real  # of one direction of the link, all-reduce summed in the switch; 0 where none sums
    sharing_exponent: Real  # how the bandwidth per device falls with the devices on a shared bus
    network_efficiency: Real  # of the scale-out bandwidth
    network_latency: Real  # [s] per step between domains
    attention_backward: Real  # rate of the backward pass of fused attention, relative to the forward one

    compute_share: Real
    memory_share: Real
    kv_share: Real  # reading the cache in decode attention, relative to the stream
    attention_share: Real  # prefill attention
    vector_share: Real
    unpack_share: Real  # vector rate of quantised weights, relative to 16-bit ones
    unpack_overhead: Real  # [s] per layer more when weights are quantised: activations are quantised too
    layer_kernels: Real  # kernels of one dense layer: what is fused, what is not
    launch_overhead: Real  # [s] of host time per kernel; runs beside the device
    step_overhead: Real  # [s] of host time per forward pass, not hidden
    request_overhead: Real  # [s] of host time per sequence and decode step, not hidden
    collective_overhead: Real  # [s] more per collective
    link_share: Real
    score_bytes: Real  # [byte] of traffic per attention score when attention is not fused
    dequantise_bytes: Real  # [byte] of traffic per weight that is unpacked before a large matmul
    micro_batch: Real  # tokens of one forward pass of a prompt
    pipeline_overlap: Real  # share of the ideal overlap of micro-batches over layer-split devices
    stream_share: Real  # traffic between the matmuls of training, relative to kernels that each read and write
    cast_bytes: Real  # [byte] of traffic per activation that is cast for a narrow matmul
    network_share: Real  # of the scale-out bandwidth that collectives reach, while training
    tensor_overlap: Real  # share of sequence-parallel communication that runs beside matmuls
    data_overlap: Real  # share of the communication between data-parallel replicas that runs beside computing
    send_overlap: Real  # share of the sends between pipeline stages that runs beside computing
    update_overhead: Real  # [s] of host time per optimiser step, not hidden
    expert_overhead: Real  # [s] of host time per expert layer and pass, beside the device
    packed_length: Real  # [token] that a padded sequence really has, where padding is not computed; 0 where it is
    scale_slowdown: Real  # share of a step lost per doubling of the devices beyond one domain


PARAMETERS = tuple(f.name for f in fields(Efficiency))
_TRAINING_ONLY = PARAMETERS[PARAMETERS.index("stream_share") :]
_COLLECTIVE = PARAMETERS[PARAMETERS.index("collective_latency") : PARAMETERS.index("attention_backward")]
_SERVING_ONLY = (
    "vector_rate", "attention_overhead", "allreduce_latency", "link_efficiency", "kv_share", "vector_share",
    "unpack_share", "unpack_overhead", "step_overhead", "request_overhead", "dequantise_bytes", "micro_batch", "pipeline_overlap",
)  # fmt: skip
READ = {
    "serving": tuple(p for p in PARAMETERS if p not in (*_TRAINING_ONLY, *_COLLECTIVE, "attention_backward")),
    "training": tuple(p for p in PARAMETERS if p not in _SERVING_ONLY),
    "collective": (*_COLLECTIVE, "collective_overhead", "link_share", "network_share"),
}
"""The parameters that predictions of a kind depend on."""
CHIP_PARAMETERS, RUNTIME_PARAMETERS = PARAMETERS[:21], PARAMETERS[21:]


@lru_cache(maxsize=4096)
def machine(chip: Chip, compute: str, half_sums: bool = False, power_share: float = 1.0) -> Machine:
    """Return the figures of a chip for matmuls in the number format ``compute``.

    Parameters
    ----------
    half_sums : bool
        Whether 16-bit products are summed in 16 bits, which some chips do faster.
    power_share : float
        Power limit over board power.

    Raises
    ------
    NameNotFoundError
        When the registry has no peak in that format, or no bandwidth.
    """
    peak16 = chip.peak("bf16" if chip.has("peak_compute bf16") else "fp16")
    if chip.has("peak_compute fp32"):  # some chips multiply 16-bit numbers slower than 32-bit ones: nobody does
        peak16 = max(peak16, chip.peak("fp32"))
    if half_sums and chip.has(f"peak_compute {HALF_SUMS}"):
        peak16 = chip.get(f"peak_compute {HALF_SUMS}")
    counted = chip.has("compute_units") and chip.has("clock")
    return Machine(
        peak=peak16 if compute in ("bf16", "fp16") else chip.peak(compute),
        peak16=peak16,
        bandwidth=chip.get("memory_bandwidth"),
        link=chip.get("scaleup_bandwidth") if chip.has("scaleup_bandwidth") else math.nan,
        core_clock=chip.get("compute_units") * chip.get("clock") if counted else math.inf,
        power_share=power_share,
    )


@lru_cache(maxsize=4096)
def efficiency(chip: Chip, runtime: Runtime) -> Efficiency:
    """Return the parameters of a chip's class under a runtime."""
    return Efficiency(
        **{name: chip.get(name) for name in CHIP_PARAMETERS},
        **{name: runtime.get(name) for name in RUNTIME_PARAMETERS},
    )


@lru_cache(maxsize=4096)
def spread(chip: Chip, runtime: Runtime) -> Efficiency:
    """Return the standard deviation of the logarithm of each parameter: how well it is known."""
    return Efficiency(
        **{name: chip.efficiency[name].spread for name in CHIP_PARAMETERS},
        **{name: runtime.figures[name].spread for name in RUNTIME_PARAMETERS},
    )


def computed_in(chip: Chip, precision: Precision, activation: Precision | None = None) -> str:
    """Return the format a matmul runs in on a chip: that of the weights, or of wider activations.

    Where the chip has no matmul rate for a narrow format, runtimes keep the weights narrow and multiply in 16 bits.
    """
    order = ("fp4", "fp6", "fp8", "int8", "bf16", "fp16", "tf32", "fp32")
    wanted = max((p.compute for p in (precision, activation) if p), key=lambda c: order.index(c) if c in order else 0)
    if wanted in order[:4] and not chip.has(f"peak_compute {wanted}"):
        return "bf16"
    return wanted
