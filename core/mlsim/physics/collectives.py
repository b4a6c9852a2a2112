"""Collective communication: latency plus size over bandwidth (the α–β model), flat, over levels, and over tori.

Bandwidths are per device and direction [byte/s], messages in bytes:

========================  ==================================================
operation                 message
========================  ==================================================
all-reduce                what each device holds
all-gather                what each device holds afterwards
reduce-scatter            what each device holds before
all-to-all                what each device sends to all, itself included
========================  ==================================================
"""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = [
    "all_reduce_time", "all_to_all_time", "exchanged_share", "nested_bandwidth", "protocol_time", "ring_hops",
    "shared_bandwidth", "switch_reduction_time", "torus_all_to_all_time", "torus_hops", "tree_hops",
]  # fmt: skip


# Ratios of the two algorithms on A100, H100 and B200 (aiconfigurator-ops, custom_allreduce.csv, graph rows, 2 to 8
# devices): latency 2.8, 3.0, 2.8 and bandwidth 0.81, 0.89, 0.91.
_TWO_SHOT_LATENCY = 2.8
_ONE_SHOT_BANDWIDTH = 0.87


def all_reduce_time(message: Real, devices: Real, bandwidth: Real, latency: Real) -> Floats:
    r"""Time of an inference engine's own all-reduce over one scale-up domain: the faster of two algorithms.

    One shot: every device sends its message to all others and sums; two shots: reduce-scatter, then all-gather.

    .. math:: t = \min\left(\alpha + \frac{(n-1) m}{0.87 \beta},\;
              2.8 \alpha + \frac{2 (n-1)}{n} \frac{m}{\beta}\right) \quad (n > 1), \qquad t = 0 \quad (n = 1)

    Parameters
    ----------
    message : array_like
        Message m [byte] that each device holds.
    devices : array_like
        Devices n.
    bandwidth : array_like
        Achievable bandwidth β of one device, per direction [byte/s].
    latency : array_like
        Time α of an all-reduce of a few bytes [s].

    References
    ----------
    .. [1] R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH",
       IJHPCA 19(1), 2005, sec. 4. https://doi.org/10.1177/1094342005051521
    """
    n, m = np.asarray(devices, float), np.asarray(message, float)
    one_shot = latency + (n - 1.0) * m / (_ONE_SHOT_BANDWIDTH * np.asarray(bandwidth, float))
    two_shot = _TWO_SHOT_LATENCY * np.asarray(latency, float) + 2.0 * (n - 1.0) / n * m / bandwidth
    return np.where(n > 1, np.minimum(one_shot, two_shot), 0.0)


def all_to_all_time(message: Real, devices: Real, bandwidth: Real, latency: Real) -> Floats:
    r"""Time of an inference engine's all-to-all over one scale-up domain: the n-th part of the message to each other.

    .. math:: t = \alpha + \frac{n-1}{n} \frac{m}{\beta} \quad (n > 1), \qquad t = 0 \quad (n = 1)

    Parameters and reference as for :func:`all_reduce_time`; with routed experts the message is k rows per token.
    """
    n = np.asarray(devices, float)
    return np.where(n > 1, latency + (n - 1.0) / n * np.asarray(message, float) / bandwidth, 0.0)


def exchanged_share(devices: Real) -> Floats:
    """Share of a message that crosses a device's link in a ring of n: (n - 1) / n; an all-reduce crosses twice.

    R. Thakur et al., 2005, sec. 3 and 4 [1]_ (see all_reduce_time).
    """
    n = np.asarray(devices, float)
    return (n - 1.0) / n


def ring_hops(devices: Real) -> Floats:
    """Steps one after the other of a ring all-gather or reduce-scatter over n devices: n - 1; an all-reduce takes both."""
    return np.asarray(devices, float) - 1.0


def tree_hops(devices: Real) -> Floats:
    """Steps one after the other up a binary tree of n devices: log2 n; an all-reduce goes up and down.

    P. Sanders, J. Speck, J. Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel
    Computing 35(12), 2009: two trees reach the full bandwidth. https://doi.org/10.1016/j.parco.2009.09.001
    """
    return np.log2(np.maximum(devices, 1.0))


def torus_hops(devices: Real, dimensions: Real) -> Floats:
    """Steps of an all-gather over a torus of n devices in d dimensions: d (n^(1/d) - 1), one dimension after the other.

    E. Chan et al., "Collective communication: theory, practice, and experience", 2007, sec. 7.
    https://doi.org/10.1002/cpe.1206
    """
    d = np.maximum(dimensions, 1.0)
    return d * (np.asarray(devices, float) ** (1.0 / d) - 1.0)


def protocol_time(
    start: Real,
    crossed: Real,
    copied: Real,
    bandwidth: Real,
    copy_bandwidth: Real,
    bulk_start: Real,
    prompt_share: Real,
) -> Floats:
    r"""Time of a collective by the faster of two protocols: one that starts at once, one that has the bandwidth.

    .. math:: w = \frac{v}{\beta} + \frac{c}{\gamma}, \qquad t = \alpha + \min\left(\frac{w}{s},\; \alpha_b + w\right)

    Messages of a few KiB carry a flag in every word, which costs bandwidth; large ones synchronise per chunk, which
    costs time. So the bus efficiency grows with size in two steps.

    Parameters
    ----------
    start : array_like
        Time α of a message of a few bytes [s].
    crossed : array_like
        Bytes v that cross a device's link in one direction.
    copied : array_like
        Bytes c that a device copies or reduces in its own memory.
    bandwidth, copy_bandwidth : array_like
        Achievable β and γ [byte/s].
    bulk_start : array_like
        What the second protocol needs more to start, α_b [s].
    prompt_share : array_like
        Share s of the bandwidth that the first protocol has.

    References
    ----------
    .. [1] Z. Hu et al., "Demystifying NCCL: an in-depth analysis of GPU communication protocols and algorithms", 2025,
       sec. III. https://arxiv.org/abs/2507.04786
    """
    wire = np.asarray(crossed, float) / bandwidth + np.asarray(copied, float) / copy_bandwidth
    return start + np.minimum(wire / prompt_share, bulk_start + wire)


def switch_reduction_time(message: Real, start: Real, bulk_start: Real, bandwidth: Real) -> Floats:
    r"""Time of an all-reduce that the switch sums: every byte crosses a link once, α + α_b + m / β.

    R. Graham et al., "Scalable Hierarchical Aggregation Protocol (SHArP)", COMHPC 2016, sec. III.
    https://doi.org/10.1109/COMHPC.2016.006
    """
    return np.asarray(start + bulk_start + np.asarray(message, float) / bandwidth)


def shared_bandwidth(bandwidth: Real, devices: Real, exponent: Real) -> Floats:
    """Bandwidth per device where n devices share a bus (PCIe cards of one host): β (n / 2)^-q, two as measured.

    q = 0 for a switch that gives every device its own; 1 when the bus is all they have.
    """
    return np.asarray(bandwidth, float) * np.maximum(np.asarray(devices, float) / 2.0, 1.0) ** -np.asarray(
        exponent, float
    )


def nested_bandwidth(inner: Real, outer: Real, together: Real) -> Floats:
    """Bandwidth of a ring through domains of k devices each: min(β_inner, k β_outer).

    Every domain is entered and left once per ring, and the k network ports of its devices carry a ring each, so that
    the port is a bottleneck only where few devices of a group share a domain. W. Won et al., "ASTRA-sim2.0", ISPASS
    2023, sec. III. https://arxiv.org/abs/2303.14006
    """
    return np.minimum(inner, np.multiply(together, outer))


def torus_all_to_all_time(message: Real, devices: Real, dimensions: Real, bandwidth: Real) -> Floats:
    r"""Time of an all-to-all over a torus, whose bisection is the bottleneck: :math:`t = d\, n^{1/d}\, m / (4 \beta)`.

    A byte goes n^(1/d) / 4 hops in each of d dimensions on average, and a device's links carry β together.
    J. Duato, S. Yalamanchili, L. Ni, "Interconnection Networks", 2003, sec. 1.5.
    """
    d = np.maximum(dimensions, 1.0)
    return (
        np.asarray(message, float) * d * np.asarray(devices, float) ** (1.0 / d) / (4.0 * np.asarray(bandwidth, float))
    )
