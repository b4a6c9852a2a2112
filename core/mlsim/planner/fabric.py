"""How devices are joined: domains of fast links, a network between them; and what collectives over both take.

A group of n ranks has k of them in each domain. Rings run through a domain and leave it once; trees and switches help
where latency or the wire is the bottleneck; tori have more hops and less bisection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.physics import collectives as law
from mlsim.planner.machine import Efficiency

__all__ = ["Fabric", "all_gather", "all_reduce", "all_to_all", "reduce_scatter", "send"]

# The switch's all-reduce starts later than a ring: it sets up multicast (NCCL tables of H100 and B200: 2.6 and 3.2 times
# bulk_latency, message sizes 4 to 64 MB).
_SWITCH_START = 3.0
# A direct exchange posts its sends to all peers at once: a step costs this share of a ring's (fit to the same tables).
_POSTED = 0.15
# Rings of so many ranks were measured; an all-reduce of a larger switched domain joins them by trees, as between domains.
_RING = 8.0


@dataclass(frozen=True, slots=True)
class Fabric:
    """The links of a system in SI. Every field is a number, or an array with one number per case."""

    domain: Real  # devices that the scale-up links join
    link: Real  # scale-up bandwidth of one device per direction [byte/s]
    network: Real  # scale-out bandwidth of one device per direction [byte/s]; nan when not known
    host: Real = np.nan  # bandwidth to host memory per direction [byte/s]; nan when not known
    dimensions: Real = 0.0  # of the torus that a domain is; 0 for a switch or full mesh
    oversubscription: Real = 1.0  # ports below over ports above a leaf of the scale-out network
    bus: Real = 0.0  # 1 where the devices of a domain share a bus: PCIe cards of one host
    rails: Real = 1.0  # 1 where rank i of every domain hangs on the same leaf, so that rings stay below it


def _starts(eff: Efficiency, n: Floats, local: Floats, fabric: Fabric, both_ways: bool) -> Floats:
    """Time of a collective of a few bytes: steps within a domain, steps between domains."""
    passes = 2.0 if both_ways else 1.0
    ring = law.ring_hops(local)
    if both_ways:
        ring = np.minimum(ring, law.ring_hops(_RING) + law.tree_hops(np.maximum(local / _RING, 1.0)))
    inside = np.where(np.asarray(fabric.dimensions) > 0, law.torus_hops(local, fabric.dimensions), ring)
    outside = n / local
    steps = passes * law.ring_hops(outside)
    if both_ways:
        steps = np.minimum(steps, 2.0 * law.tree_hops(outside))
    return eff.collective_latency + eff.hop_latency * passes * inside + eff.network_latency * steps


def _bandwidth(eff: Efficiency, n: Floats, local: Floats, fabric: Fabric) -> Floats:
    """Achievable bandwidth per rank of a ring, per direction."""
    inner = law.shared_bandwidth(fabric.link * eff.bus_efficiency, local, fabric.bus * eff.sharing_exponent)
    outer = _network(eff, fabric, np.asarray(fabric.rails))
    return np.where(n > local, law.nested_bandwidth(inner, outer, local), inner)


def _network(eff: Efficiency, fabric: Fabric, stays: Real) -> Floats:
    """Achievable scale-out bandwidth of one device; traffic that does not stay below a leaf shares the ports above."""
    above = np.where(np.asarray(stays) > 0, 1.0, fabric.oversubscription)
    return np.asarray(fabric.network * eff.network_efficiency * eff.network_share / above)


def _collective(message: Real, ranks: Real, local: Real, fabric: Fabric, eff: Efficiency, both_ways: bool) -> Floats:
    n, k = np.asarray(ranks, float), np.asarray(local, float)
    crossed = (2.0 if both_ways else 1.0) * law.exchanged_share(n) * message
    copy = fabric.link / eff.copy_share
    start = _starts(eff, n, k, fabric, both_ways) + eff.collective_overhead
    found = law.protocol_time(
        start,
        crossed,
        message,
        _bandwidth(eff, n, k, fabric) * eff.link_share,
        copy,
        eff.bulk_latency,
        eff.prompt_share,
    )
    if both_ways:
        sums = (n <= k) & (np.asarray(eff.switch_efficiency) > 0)
        wire = np.where(sums, fabric.link * np.where(sums, eff.switch_efficiency, 1.0) * eff.link_share, np.inf)
        summed = law.switch_reduction_time(message, start, _SWITCH_START * eff.bulk_latency, wire)
        found = np.where(sums, np.minimum(found, summed), found)
    return np.where(n > 1, found, 0.0)


def all_reduce(message: Real, ranks: Real, local: Real, fabric: Fabric, eff: Efficiency) -> Floats:
    """Time [s] of an all-reduce of ``message`` bytes per rank: the best of ring, trees between domains, and switch.

    Parameters
    ----------
    message : array_like
        Bytes that each rank holds.
    ranks, local : array_like
        Ranks of the group, and how many of them share a domain.
    fabric, eff : Fabric, Efficiency
        Links, and how much of them is reached.
    """
    return _collective(message, ranks, local, fabric, eff, both_ways=True)


def all_gather(message: Real, ranks: Real, local: Real, fabric: Fabric, eff: Efficiency) -> Floats:
    """Time [s] of an all-gather after which every rank holds ``message`` bytes; parameters as for :func:`all_reduce`."""
    return _collective(message, ranks, local, fabric, eff, both_ways=False)


def reduce_scatter(message: Real, ranks: Real, local: Real, fabric: Fabric, eff: Efficiency) -> Floats:
    """Time [s] of a reduce-scatter of ``message`` bytes per rank: an all-gather run backwards.

    It runs as a ring over all domains, as NCCL's does; an all-reduce of few bytes over many takes trees, and less time.
    """
    return _collective(message, ranks, local, fabric, eff, both_ways=False)


def all_to_all(
    message: Real, ranks: Real, local: Real, fabric: Fabric, eff: Efficiency, imbalance: Real = 1.0
) -> Floats:
    """Time [s] of an all-to-all of ``message`` bytes per rank, whose fullest rank sends ``imbalance`` times the mean.

    What goes to ranks of the same domain takes the scale-up link; the rest takes the network port of the rank itself,
    through the leaves above it. Both go on at once.
    """
    n, k = np.asarray(ranks, float), np.asarray(local, float)
    m = np.asarray(message, float) * imbalance
    inner = law.shared_bandwidth(
        fabric.link * eff.bus_efficiency * eff.link_share, k, fabric.bus * eff.sharing_exponent
    )
    inside = m * (k - 1.0) / n / inner
    torus = law.torus_all_to_all_time(m * k / n, k, fabric.dimensions, inner)
    inside = np.where(np.asarray(fabric.dimensions) > 0, torus, inside)
    outside = np.where(n > k, m * (n - k) / n / _network(eff, fabric, 0.0), 0.0)
    wire = np.maximum(inside, outside)
    steps = _POSTED * (law.ring_hops(k) * eff.hop_latency + (n / k - 1.0) * eff.network_latency)
    start = eff.collective_latency + eff.collective_overhead + steps
    found = law.protocol_time(start, wire, m, 1.0, fabric.link / eff.copy_share, eff.bulk_latency, eff.prompt_share)
    return np.where(n > 1, found, 0.0)


def send(message: Real, leaves: Real, fabric: Fabric, eff: Efficiency) -> Floats:
    """Time [s] to send ``message`` bytes to one other device, over the network where ``leaves`` is 1."""
    out = np.asarray(leaves, float) > 0
    wire = np.where(out, _network(eff, fabric, fabric.rails), fabric.link * eff.bus_efficiency * eff.link_share)
    start = eff.collective_latency + np.where(out, eff.network_latency, 0.0) + eff.bulk_latency
    return start + np.asarray(message, float) / wire
