"""Laws of collectives against hand calculations, their limits and their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim.physics.collectives import (
    all_to_all_time,
    exchanged_share,
    nested_bandwidth,
    protocol_time,
    ring_hops,
    shared_bandwidth,
    switch_reduction_time,
    torus_all_to_all_time,
    torus_hops,
    tree_hops,
)

size = st.floats(1.0, 1e12)
PROTOCOL = {"start": 1e-5, "copied": 0.0, "bandwidth": 1e9, "copy_bandwidth": 1e10, "bulk_start": 3e-5}


def protocol(crossed: float, prompt_share: float = 0.4) -> float:
    return float(protocol_time(crossed=crossed, prompt_share=prompt_share, **PROTOCOL))


def test_share_of_a_message_that_crosses_a_link() -> None:
    assert exchanged_share(1) == 0
    assert exchanged_share(8) == 0.875


def test_steps_of_a_ring_and_of_a_tree() -> None:
    assert (ring_hops(1), ring_hops(64)) == (0, 63)
    assert (tree_hops(1), tree_hops(64)) == (0, 6)


def test_a_tree_beats_a_ring_on_latency_for_many_domains() -> None:
    domains = 2.0 ** np.arange(2, 12)
    assert np.all(tree_hops(domains) < ring_hops(domains))
    assert ring_hops(1024) / tree_hops(1024) == pytest.approx(102.3)
    assert tree_hops(2) == ring_hops(2)


def test_steps_over_a_torus_go_along_one_dimension_after_the_other() -> None:
    assert torus_hops(64, 3) == pytest.approx(9)  # 3 (4 - 1)
    assert torus_hops(64, 2) == pytest.approx(14)  # 2 (8 - 1)
    assert torus_hops(64, 1) == ring_hops(64)
    assert torus_hops(64, 0) == ring_hops(64)
    assert torus_hops(1, 3) == 0


def test_a_protocol_by_hand() -> None:
    # wire time 20/2 + 6/3 = 12: at once 12/0.5 = 24, in bulk 10 + 12 = 22
    assert protocol_time(1.0, 20.0, 6.0, 2.0, 3.0, 10.0, 0.5) == 23.0
    # wire time 2: at once 4, in bulk 12
    assert protocol_time(1.0, 4.0, 0.0, 2.0, 3.0, 10.0, 0.5) == 5.0


def test_protocol_time_has_no_jump_where_the_protocol_changes() -> None:
    # w / s = α_b + w: w = α_b s / (1 - s) = 20 us, which is 20 kB at 1 GB/s
    below, at, above = (protocol(20e3 * f) for f in (1 - 1e-9, 1.0, 1 + 1e-9))
    assert at == pytest.approx(1e-5 + 5e-5)
    assert below == pytest.approx(at, rel=1e-8)
    assert above == pytest.approx(at, rel=1e-8)


@given(size, st.floats(1.0, 100.0), st.floats(0.01, 1.0))
def test_protocol_time_grows_with_size_and_so_does_the_bus_bandwidth(small: float, factor: float, share: float) -> None:
    large = small * factor
    first, second = protocol(small, share), protocol(large, share)
    assert second >= first * (1 - 1e-12)
    assert large / second >= small / first * (1 - 1e-12)


@given(size, st.floats(0.01, 1.0))
def test_bus_bandwidth_stays_below_that_of_the_wire(crossed: float, share: float) -> None:
    assert crossed / protocol(crossed, share) <= PROTOCOL["bandwidth"] * (1 + 1e-12)


def test_bus_bandwidth_reaches_that_of_the_wire_in_the_limit() -> None:
    assert 1e12 / protocol(1e12) == pytest.approx(1e9, rel=1e-4)


def test_a_switch_that_sums_takes_the_message_once() -> None:
    assert switch_reduction_time(6e9, 1.0, 2.0, 3e9) == 5.0


def test_a_shared_bus_is_divided() -> None:
    assert shared_bandwidth(100.0, 8, 1.0) == 25.0  # as measured with two, then halved twice
    assert shared_bandwidth(100.0, 8, 0.5) == 50.0
    assert shared_bandwidth(100.0, 8, 0.0) == 100.0  # a switch
    assert shared_bandwidth(100.0, 2, 1.0) == shared_bandwidth(100.0, 1, 1.0) == 100.0


def test_a_ring_through_domains_is_as_fast_as_its_ports_together_or_its_links() -> None:
    assert nested_bandwidth(400.0, 50.0, 4) == 200.0
    assert nested_bandwidth(400.0, 50.0, 8) == 400.0
    assert nested_bandwidth(400.0, 50.0, 16) == 400.0


def test_all_to_all_by_hand() -> None:
    assert all_to_all_time(8e9, 8, 1e9, 0.5) == pytest.approx(7.5)
    assert all_to_all_time(8e9, 1, 1e9, 0.5) == 0


def test_all_to_all_over_a_torus_by_hand() -> None:
    # 64 devices in 4x4x4: a byte goes one hop in each of three dimensions on average
    assert torus_all_to_all_time(1e9, 64, 3, 1e9) == pytest.approx(3.0)
    assert torus_all_to_all_time(1e9, 16, 2, 1e9) == pytest.approx(2.0)


@given(st.integers(1, 4096), st.integers(2, 8))
def test_an_all_to_all_over_a_torus_takes_longer_with_more_devices(devices: int, factor: int) -> None:
    few, many = (torus_all_to_all_time(1e6, n, 3, 1e9) for n in (devices, devices * factor))
    assert many > few


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=5))
def test_arrays_agree_with_scalars(devices: list[int]) -> None:
    n = np.array(devices)
    assert np.array_equal(torus_hops(n, 3), [torus_hops(d, 3) for d in devices])
    assert np.array_equal(nested_bandwidth(400.0, 50.0, n), [nested_bandwidth(400.0, 50.0, d) for d in devices])
    assert np.array_equal(all_to_all_time(1e6, n, 1e9, 1e-5), [all_to_all_time(1e6, d, 1e9, 1e-5) for d in devices])
