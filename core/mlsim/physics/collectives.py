"""Collective communication: latency plus size over bandwidth (the α–β model)."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["all_reduce_time", "all_to_all_time"]


# Ratios of the two algorithms on A100, H100 and B200 (aiconfigurator-ops, custom_allreduce.csv, graph rows, 2 to 8
# devices): latency 2.8, 3.0, 2.8 and bandwidth 0.81, 0.89, 0.91.
_TWO_SHOT_LATENCY = 2.8
_ONE_SHOT_BANDWIDTH = 0.87


def all_reduce_time(message: Real, devices: Real, bandwidth: Real, latency: Real) -> Floats:
    r"""Time of an all-reduce over one scale-up domain: the faster of two algorithms.

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
    r"""Time of an all-to-all over one scale-up domain: every device sends the n-th part of its message to each other.

    .. math:: t = \alpha + \frac{n-1}{n} \frac{m}{\beta} \quad (n > 1), \qquad t = 0 \quad (n = 1)

    Parameters and reference as for :func:`all_reduce_time`; with routed experts the message is k rows per token.
    """
    n = np.asarray(devices, float)
    return np.where(n > 1, latency + (n - 1.0) / n * np.asarray(message, float) / bandwidth, 0.0)
