"""The roofline: a kernel takes the longer of its arithmetic and its memory traffic."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = [
    "attainable_rate",
    "compute_time",
    "limited_clock",
    "memory_time",
    "overlapped_time",
    "ridge_point",
    "roofline_time",
]


def compute_time(flops: Real, peak: Real, efficiency: Real = 1.0) -> Floats:
    """Time [s] to do ``flops`` [FLOP] at ``efficiency`` of ``peak`` [FLOP/s]: t = F / (e·P)."""
    return np.asarray(flops, float) / np.multiply(peak, efficiency)


def memory_time(bytes_moved: Real, bandwidth: Real, efficiency: Real = 1.0) -> Floats:
    """Time [s] to move ``bytes_moved`` [byte] at ``efficiency`` of ``bandwidth`` [byte/s]: t = B / (e·W)."""
    return np.asarray(bytes_moved, float) / np.multiply(bandwidth, efficiency)


def roofline_time(
    flops: Real,
    bytes_moved: Real,
    peak: Real,
    bandwidth: Real,
    compute_efficiency: Real = 1.0,
    memory_efficiency: Real = 1.0,
) -> Floats:
    r"""Return the time of one kernel under the roofline model.

    .. math:: t = \max\left(\frac{F}{e_c P}, \frac{B}{e_m W}\right)

    Parameters
    ----------
    flops : array_like
        Floating-point operations F [FLOP].
    bytes_moved : array_like
        Bytes read and written B [byte].
    peak : array_like
        Dense peak of the precision computed in, P [FLOP/s].
    bandwidth : array_like
        Memory bandwidth W [byte/s].
    compute_efficiency, memory_efficiency : array_like
        Achievable fractions of the two peaks.

    Returns
    -------
    ndarray
        Time [s], broadcast over the arguments.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
       architectures", CACM 52(4), 2009. https://doi.org/10.1145/1498765.1498785
    """
    return np.maximum(
        compute_time(flops, peak, compute_efficiency), memory_time(bytes_moved, bandwidth, memory_efficiency)
    )


def overlapped_time(compute: Real, memory: Real, unhidden: Real) -> Floats:
    """Time [s] of a kernel whose arithmetic and traffic overlap but for a share: max(t_c, t_m) + u·min(t_c, t_m).

    ``unhidden = 0`` is the roofline, 1 the plain sum: loading the first tile and storing the last overlap with nothing.
    S. Williams et al., "Roofline", CACM 52(4), 2009, sec. 2 names overlap as the roofline's assumption.
    https://doi.org/10.1145/1498765.1498785
    """
    return np.maximum(compute, memory) + np.multiply(unhidden, np.minimum(compute, memory))


def limited_clock(power_share: Real) -> Floats:
    """Clock under a power limit, relative to the unlimited one: share ** 0.4.

    Power grows with clock · voltage², and voltage with the clock: between the square and the cube of the clock (J. Rabaey
    et al., "Digital integrated circuits", 2003, sec. 5.5). The exponent is what prefill on H100 loses at half of its
    power (1.30 to 1.34 times the time: Splitwise's tables).
    """
    return np.power(power_share, 0.4)


def ridge_point(peak: Real, bandwidth: Real) -> Floats:
    """Arithmetic intensity [FLOP/byte] above which a kernel is compute-bound: I* = P / W [1]_ (see roofline_time)."""
    return np.asarray(peak, float) / bandwidth


def attainable_rate(intensity: Real, peak: Real, bandwidth: Real) -> Floats:
    """Attainable rate [FLOP/s] at an arithmetic intensity [FLOP/byte]: min(P, I·W)."""
    return np.minimum(peak, np.multiply(intensity, bandwidth))
