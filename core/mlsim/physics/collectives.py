"""Collective communication: latency plus size over bandwidth (the α–β model)."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["all_reduce_time"]


def all_reduce_time(message: Real, devices: Real, bandwidth: Real, latency: Real) -> Floats:
    r"""Time of an all-reduce over one scale-up domain.

    .. math:: t = \alpha + \frac{2 (n-1)}{n} \frac{m}{\beta} \quad (n > 1), \qquad t = 0 \quad (n = 1)

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
    n = np.asarray(devices, float)
    moved = 2.0 * (n - 1.0) / n * np.asarray(message, float)
    return np.where(n > 1, np.asarray(latency, float) + moved / bandwidth, 0.0)
