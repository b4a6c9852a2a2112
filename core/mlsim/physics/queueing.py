"""Queues: the chance and the length of a wait for one of c servers."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["erlang_b", "erlang_c", "wait_mean", "wait_quantile"]


def erlang_b(servers: Real, load: Real) -> Floats:
    r"""Probability that all c servers of a system without a queue are busy (Erlang's loss formula).

    .. math:: B(c, a) = \frac{a^c / c!}{\sum_{k=0}^{c} a^k / k!}, \qquad
              \frac{1}{B(c, a)} = 1 + \frac{c}{a} \frac{1}{B(c - 1, a)}

    Parameters
    ----------
    servers : array_like
        Servers c, whole numbers; broadcast with ``load``.
    load : array_like
        Offered load a: arrival rate times mean service time.

    Notes
    -----
    A. Erlang, 1917; the recursion is numerically stable (L. Kleinrock, "Queueing Systems", vol. 1, 1975, sec. 3.6).
    """
    c, a = np.broadcast_arrays(np.asarray(servers, float), np.asarray(load, float))
    found = np.where(c > 0, 0.0, 1.0)
    for one in np.unique(a[a > 0]):  # one recursion serves all numbers of servers under a load
        here = a == one
        found[here] = _losses(float(one), int(c[here].max()))[c[here].astype(int)]
    return found


def _losses(load: float, most: int) -> Floats:
    """Erlang B of 0 to ``most`` servers."""
    inverse, losses = 1.0, [1.0]
    for k in range(1, most + 1):
        inverse = 1.0 + k / load * inverse
        losses.append(1.0 / inverse)
    return np.array(losses)


def erlang_c(servers: Real, load: Real) -> Floats:
    r"""Probability that an arrival has to wait for one of c servers (Erlang's delay formula); 1 when they are overloaded.

    .. math:: C(c, a) = \frac{B}{1 - \rho (1 - B)}, \qquad \rho = a / c < 1

    Poisson arrivals, exponential service times, one queue. L. Kleinrock, 1975, sec. 3.5 (see erlang_b).
    """
    b = erlang_b(servers, load)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.divide(load, servers)
        return np.where(used < 1.0, b / (1.0 - used * (1.0 - b)), 1.0)


def wait_mean(servers: Real, load: Real, service: Real) -> Floats:
    """Mean wait: C S / (c - a), infinite when the servers are overloaded; S is the mean service time."""
    spare = np.subtract(servers, load)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spare > 0, erlang_c(servers, load) * service / spare, np.inf)


def wait_quantile(servers: Real, load: Real, service: Real, quantile: Real) -> Floats:
    r"""Wait that a share q of the arrivals does not exceed.

    .. math:: t_q = \frac{S}{c - a} \ln \frac{C}{1 - q} \quad (C > 1 - q), \qquad t_q = 0 \text{ otherwise}

    From :math:`P(W > t) = C e^{-(c - a) t / S}`. L. Kleinrock, 1975, sec. 3.5 (see erlang_b).
    """
    spare = np.subtract(servers, load)
    late = erlang_c(servers, load) / (1.0 - np.asarray(quantile, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = np.where(late > 1.0, np.multiply(service, np.log(np.maximum(late, 1.0))) / spare, 0.0)
    return np.where(spare > 0, waits, np.inf)
