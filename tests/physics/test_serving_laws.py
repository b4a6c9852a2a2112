"""The laws of serving against a hand calculation and their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim.physics.collectives import all_reduce_time
from mlsim.physics.kv_cache import paged_tokens
from mlsim.physics.roofline import overlapped_time, roofline_time
from mlsim.physics.speculative import expected_tokens

share = st.floats(0.0, 1.0)
seconds = st.floats(1e-9, 1e3)


def test_expected_tokens_of_a_draft() -> None:
    assert expected_tokens(0.0, 4) == 1.0  # only the one that the target model adds
    assert expected_tokens(1.0, 4) == 5.0
    assert expected_tokens(0.5, 2) == pytest.approx(1 + 0.5 + 0.25)
    assert expected_tokens(0.7, 0) == pytest.approx(1.0)


@given(share, st.integers(0, 32))
def test_expected_tokens_is_a_geometric_sum(acceptance: float, drafted: int) -> None:
    direct = sum(acceptance**i for i in range(drafted + 1))
    assert float(expected_tokens(acceptance, drafted)) == pytest.approx(direct, rel=1e-6)


@given(share, share, st.integers(1, 16))
def test_expected_tokens_grow_with_acceptance_and_draft(a: float, b: float, drafted: int) -> None:
    low, high = sorted((a, b))
    assert expected_tokens(low, drafted) <= expected_tokens(high, drafted) * (1 + 1e-9)
    assert expected_tokens(a, drafted) <= expected_tokens(a, drafted + 1) * (1 + 1e-9)


def test_expected_tokens_of_arrays() -> None:
    found = expected_tokens(np.array([0.0, 0.5, 1.0]), np.array([3, 1, 3]))
    assert found.tolist() == [1.0, 1.5, 4.0]


def test_paged_tokens_are_whole_blocks() -> None:
    assert paged_tokens(1, 16) == 16
    assert paged_tokens(16, 16) == 16
    assert paged_tokens(17, 16) == 32
    assert paged_tokens(0, 16) == 0
    assert paged_tokens(np.array([100.0, 100.0]), np.array([1.0, 64.0])).tolist() == [100.0, 128.0]


@given(st.integers(0, 10**6), st.integers(1, 256))
def test_paging_wastes_less_than_a_block(context: int, block: int) -> None:
    held = float(paged_tokens(context, block))
    assert held % block == 0
    assert 0 <= held - context < block


def test_a_short_message_goes_in_one_shot_and_a_long_one_in_two() -> None:
    # 1 kB over 8 devices at 450 GB/s: 5 us + 7·1e3/(0.87·450e9); two shots would pay 14 us of latency
    assert all_reduce_time(1e3, 8, 450e9, 5e-6) == pytest.approx(5e-6 + 7e3 / (0.87 * 450e9))
    # 100 MB: 2.8·5 us + 2·7/8·1e8/450e9 = 0.403 ms; one shot would take 1.79 ms
    assert all_reduce_time(1e8, 8, 450e9, 5e-6) == pytest.approx(14e-6 + 1.75e8 / 450e9)


def test_between_two_devices_one_shot_is_faster_until_bandwidth_outweighs_latency() -> None:
    # n = 2: 1/0.87 of the message against 1 of it, so the two meet at 1.8·alpha = 0.1494·m/beta
    meet = 1.8 * 5e-6 * 450e9 / (1 / 0.87 - 1)
    one = 5e-6 + meet / (0.87 * 450e9)
    assert all_reduce_time(meet, 2, 450e9, 5e-6) == pytest.approx(one)
    assert all_reduce_time(meet * 10, 2, 450e9, 5e-6) == pytest.approx(14e-6 + meet * 10 / 450e9)


@given(st.floats(1, 1e10), st.integers(1, 64), st.floats(1e9, 1e13), st.floats(0, 1e-3))
def test_all_reduce_grows_with_the_message_and_never_beats_the_link(
    message: float, devices: int, bandwidth: float, latency: float
) -> None:
    time = float(all_reduce_time(message, devices, bandwidth, latency))
    if devices == 1:
        assert time == 0
        return
    # every device has to take in the sums of the others once
    assert time >= message / bandwidth * (1 - 1 / devices)
    assert time >= latency
    assert all_reduce_time(2 * message, devices, bandwidth, latency) >= time
    assert all_reduce_time(message, devices, 2 * bandwidth, latency) <= time


def test_one_device_needs_no_link() -> None:
    assert all_reduce_time(1e9, 1, np.nan, 1e-5) == 0
    assert all_reduce_time(1e9, np.array([1.0, 2.0]), np.array([np.nan, 1e9]), 0.0).tolist() == [0.0, 1.0]


def test_overlap_hides_all_but_a_share_of_the_shorter() -> None:
    assert overlapped_time(3.0, 2.0, 0.0) == 3.0
    assert overlapped_time(2.0, 3.0, 1.0) == 5.0
    assert overlapped_time(3.0, 2.0, 0.25) == 3.5


@given(seconds, seconds, share)
def test_overlapped_time_lies_between_roofline_and_sum(compute: float, memory: float, unhidden: float) -> None:
    time = float(overlapped_time(compute, memory, unhidden))
    assert float(roofline_time(compute, memory, 1.0, 1.0)) <= time <= (compute + memory) * (1 + 1e-12)
    assert time == float(overlapped_time(memory, compute, unhidden))
