"""Collectives over domains and the network between them: order, limits, and what each property of a link changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.physics.collectives import nested_bandwidth, shared_bandwidth
from mlsim.planner.fabric import Fabric, all_gather, all_reduce, all_to_all, reduce_scatter, send
from mlsim.planner.machine import Efficiency, efficiency
from mlsim.planner.training_setup import fabric
from mlsim.registry import load

NCCL = load.runtime("NCCL")
CHIPS = ("H100", "A100", "B200", "MI300X", "TPU-v5p")
COLLECTIVES = (all_reduce, all_gather, reduce_scatter, all_to_all)
MIB = 2.0**20

chips = st.sampled_from(CHIPS)
messages = st.floats(1.0, 2.0**34)
exponents = st.integers(1, 11)  # of two: ranks


def links(chip: str) -> tuple[Fabric, Efficiency]:
    card = load.chip(chip)
    return fabric(card), efficiency(card, NCCL)


def timed(law, message: float, ranks: float, net: Fabric, eff: Efficiency, *more: float) -> float:  # type: ignore[no-untyped-def]
    return float(law(message, ranks, min(ranks, net.domain), net, eff, *more))


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("law", COLLECTIVES)
def test_one_rank_has_nobody_to_talk_to(law, chip: str) -> None:  # type: ignore[no-untyped-def]
    assert timed(law, 1e9, 1, *links(chip)) == 0


@settings(deadline=None)
@given(chips, st.sampled_from(COLLECTIVES), messages, st.floats(1.0, 100.0), exponents)
def test_larger_messages_never_take_less(chip: str, law, message: float, factor: float, k: int) -> None:  # type: ignore[no-untyped-def]
    small, large = (timed(law, m, 2.0**k, *links(chip)) for m in (message, message * factor))
    assert 0 < small <= large * (1 + 1e-12)


@settings(deadline=None)
@given(chips, st.sampled_from(COLLECTIVES), messages, exponents, st.integers(1, 4))
def test_more_ranks_never_take_less(chip: str, law, message: float, k: int, more: int) -> None:  # type: ignore[no-untyped-def]
    few, many = (timed(law, message, 2.0**n, *links(chip)) for n in (k, k + more))
    assert few <= many * (1 + 1e-12)


@settings(deadline=None)
@given(chips, messages, exponents)
def test_an_all_reduce_is_never_slower_than_its_two_halves(chip: str, message: float, k: int) -> None:
    whole, *halves = (timed(law, message, 2.0**k, *links(chip)) for law in (all_reduce, reduce_scatter, all_gather))
    assert whole <= sum(halves) * (1 + 1e-12)


@settings(deadline=None)
@given(chips, messages, exponents)
def test_a_reduce_scatter_is_an_all_gather_run_backwards(chip: str, message: float, k: int) -> None:
    assert timed(reduce_scatter, message, 2.0**k, *links(chip)) == timed(all_gather, message, 2.0**k, *links(chip))


@settings(deadline=None)
@given(st.sampled_from(COLLECTIVES), messages, st.lists(exponents, min_size=2, max_size=6))
def test_arrays_agree_with_scalars(law, message: float, powers: list[int]) -> None:  # type: ignore[no-untyped-def]
    net, eff = links("H100")
    ranks = 2.0 ** np.array(powers)
    together = law(message, ranks, np.minimum(ranks, net.domain), net, eff)
    assert together.tolist() == pytest.approx([timed(law, message, n, net, eff) for n in ranks])


# --- by hand ---------------------------------------------------------------------------------------------------------

PLAIN = Fabric(domain=4.0, link=100.0, network=10.0)


def ideal(**changed: float) -> Efficiency:
    """Return efficiencies of 1 and no latencies, apart from what is changed."""
    shares = {
        "collective_latency": 0.0, "hop_latency": 0.0, "bulk_latency": 0.0, "bus_efficiency": 1.0, "prompt_share": 1.0,
        "copy_share": 1e-12, "switch_efficiency": 0.0, "sharing_exponent": 1.0, "network_efficiency": 1.0,
        "network_latency": 0.0, "collective_overhead": 0.0, "link_share": 1.0, "network_share": 1.0,
    }  # fmt: skip
    return replace(efficiency(load.chip("A100"), NCCL), **{**shares, **changed})


def test_a_ring_within_a_domain_by_hand() -> None:
    # 800 bytes among 4: three quarters cross a link of 100 byte/s, twice for an all-reduce
    assert all_gather(800.0, 4, 4, PLAIN, ideal()) == pytest.approx(6.0)
    assert all_reduce(800.0, 4, 4, PLAIN, ideal()) == pytest.approx(12.0)


def test_a_ring_between_domains_by_hand() -> None:
    # 8 ranks, 4 per domain: 4 ports of 10 byte/s carry the ring; 7/8 of 800 bytes cross
    assert all_gather(800.0, 8, 4, PLAIN, ideal()) == pytest.approx(700 / 40)
    # one rank per domain: its own port
    assert all_gather(800.0, 8, 1, PLAIN, ideal()) == pytest.approx(700 / 10)


def test_an_all_to_all_by_hand() -> None:
    # 8 ranks, 4 per domain: half of the message leaves through the own port, 3/8 stay; both go on at once
    assert all_to_all(800.0, 8, 4, PLAIN, ideal()) == pytest.approx(400 / 10)
    assert all_to_all(800.0, 4, 4, PLAIN, ideal()) == pytest.approx(600 / 100)


def test_steps_of_an_all_gather_by_hand() -> None:
    # 4 in the domain: 3 steps; 8 domains: 7 steps
    eff = ideal(collective_latency=1.0, hop_latency=10.0, network_latency=100.0, collective_overhead=5.0)
    assert all_gather(0.0, 32, 4, PLAIN, eff) == pytest.approx(1 + 5 + 3 * 10 + 7 * 100)


def test_an_all_reduce_takes_the_tree_between_many_domains() -> None:
    eff = ideal(network_latency=1.0)
    times = [float(all_reduce(0.0, 4 * d, 4, PLAIN, eff)) for d in (2, 4, 8, 64)]
    assert times == [2.0, 4.0, 6.0, 12.0]  # up and down: 2 log2 d, not 2 (d - 1)


def test_a_send_by_hand() -> None:
    eff = ideal(collective_latency=1.0, network_latency=2.0, bulk_latency=3.0)
    assert send(500.0, 0.0, PLAIN, eff) == pytest.approx(4 + 5)
    assert send(500.0, 1.0, PLAIN, eff) == pytest.approx(6 + 50)


# --- what properties change ------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.sampled_from(COLLECTIVES), messages, st.integers(1, 3), st.floats(1.0, 8.0), st.sampled_from([0.0, 1.0]))
def test_oversubscription_does_not_matter_within_a_domain(
    law, message: float, k: int, over: float, rails: float
) -> None:  # type: ignore[no-untyped-def]
    net, eff = links("H100")
    narrow = replace(net, oversubscription=over, rails=rails)
    assert timed(law, message, 2.0**k, narrow, eff) == timed(law, message, 2.0**k, net, eff)


def test_oversubscription_slows_rings_only_where_they_cross_the_spine() -> None:
    net, eff = links("H100")
    times = {
        rails: [timed(all_reduce, 1e9, 64, replace(net, oversubscription=o, rails=rails), eff) for o in (1.0, 4.0)]
        for rails in (0.0, 1.0)
    }
    assert times[1.0][0] == times[1.0][1] == times[0.0][0]
    assert times[0.0][1] > 2 * times[0.0][0]


def test_oversubscription_slows_an_all_to_all_whatever_the_rails() -> None:
    net, eff = links("H100")
    full, rails, spine = (
        timed(all_to_all, 1e9, 64, replace(net, oversubscription=o, rails=r), eff)
        for o, r in ((1.0, 1.0), (4.0, 1.0), (4.0, 0.0))
    )
    assert rails == spine > 3 * full


@settings(deadline=None)
@given(chips, messages, exponents, st.floats(1.0, 4.0))
def test_imbalance_makes_the_message_of_an_all_to_all_so_much_larger(
    chip: str, message: float, k: int, fullest: float
) -> None:
    net, eff = links(chip)
    skewed = timed(all_to_all, message, 2.0**k, net, eff, fullest)
    assert skewed == pytest.approx(timed(all_to_all, message * fullest, 2.0**k, net, eff))


def test_imbalance_scales_a_large_all_to_all() -> None:
    net, eff = links("H100")
    even, skewed = (timed(all_to_all, 1e10, 64, net, eff, i) for i in (1.0, 1.5))
    assert skewed == pytest.approx(1.5 * even, rel=0.01)


def test_a_switch_that_sums_helps_large_messages() -> None:
    net, eff = links("H100")
    assert eff.switch_efficiency > 0
    ring = replace(eff, switch_efficiency=0.0)
    with_switch, without = (timed(all_reduce, 256 * MIB, 8, net, e) for e in (eff, ring))
    assert with_switch < 0.95 * without
    assert timed(all_reduce, 1024.0, 8, net, eff) == timed(all_reduce, 1024.0, 8, net, ring)  # the ring starts sooner


def test_the_switch_of_a_domain_does_not_sum_between_domains() -> None:
    net, eff = links("H100")
    ring = replace(eff, switch_efficiency=0.0)
    assert timed(all_reduce, 256 * MIB, 16, net, eff) == timed(all_reduce, 256 * MIB, 16, net, ring)


def test_an_all_to_all_over_a_torus_grows_with_its_size() -> None:
    net, eff = links("TPU-v5p")
    assert net.dimensions == 3
    times = [timed(all_to_all, 256 * MIB, n, net, eff) for n in (8, 64, 512, 4096)]
    assert times == sorted(times)
    assert times[-1] / times[1] == pytest.approx(4, rel=0.25)  # 16 hops along an edge for 4
    flat = replace(net, dimensions=0.0)
    assert times[-1] > 2 * timed(all_to_all, 256 * MIB, 4096, flat, eff)


def test_an_all_gather_over_a_torus_has_fewer_steps_than_a_ring() -> None:
    net, eff = links("TPU-v5p")
    assert timed(all_gather, 1024.0, 512, net, eff) < timed(all_gather, 1024.0, 512, replace(net, dimensions=0.0), eff)


def test_cards_on_a_bus_share_it() -> None:
    net, eff = links("L40S")
    assert net.bus == 1
    switched = replace(net, bus=0.0)
    assert timed(all_reduce, 1e9, 8, net, eff) > 2 * timed(all_reduce, 1e9, 8, switched, eff)
    assert timed(all_reduce, 1e9, 2, net, eff) == timed(all_reduce, 1e9, 2, switched, eff)
    assert shared_bandwidth(32e9, 8, eff.sharing_exponent) < 32e9


def test_a_faster_network_helps_until_the_links_are_the_bottleneck() -> None:
    net, eff = links("H100")
    times = [timed(all_reduce, 1e9, 64, replace(net, network=b), eff) for b in (5e9, 50e9, 500e9, 5000e9)]
    assert times[0] > times[1] > times[2] == times[3]
    assert nested_bandwidth(net.link, 500e9, 8) == net.link


@settings(deadline=None)
@given(messages, st.sampled_from([0.0, 1.0]))
def test_sends_between_domains_take_longer(message: float, rails: float) -> None:
    net, eff = links("H100")
    net = replace(net, rails=rails)
    assert 0 < send(message, 0.0, net, eff) < send(message, 1.0, net, eff)


@pytest.mark.parametrize("message", [1.0, MIB, 2.0**30])
def test_one_domain_is_no_slower_than_the_same_devices_in_several(message: float) -> None:
    net, eff = links("H100")
    together, apart = (
        float(all_reduce(message, 64.0, local, replace(net, domain=local), eff)) for local in (64.0, 8.0)
    )
    assert together <= apart
