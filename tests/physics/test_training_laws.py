"""Laws of training and of pipelines against hand calculations and the formulas of the papers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim.physics.pipeline_parallel import bubble_fraction, bubble_passes, in_flight, slowest_stage
from mlsim.physics.training import (
    activation_elements,
    exposed_time,
    optimizer_traffic,
    score_bytes_kept,
    step_flops,
)

whole = st.integers(1, 128)
seconds = st.floats(0.0, 1e3)

# --- pipelines -------------------------------------------------------------------------------------------------------


def test_bubble_by_hand() -> None:
    assert bubble_passes(8, 1) == 7
    assert bubble_passes(8, 2) == 3.5
    assert bubble_fraction(8, 64) == pytest.approx(7 / 71)
    assert bubble_fraction(8, 64, 2) == pytest.approx(7 / 135)
    assert bubble_fraction(1, 64) == 0


@given(whole, whole, st.integers(1, 16))
def test_bubble_of_an_interleaved_schedule(p: int, m: int, v: int) -> None:
    assert bubble_fraction(p, m, v) == pytest.approx((p - 1) / (v * m + p - 1))


def test_micro_batches_in_flight_by_hand() -> None:
    assert in_flight(4, 1, 8) == 4  # one forward, one backward: as many as stages
    assert in_flight(4, 1, 2) == 2  # there are no more
    assert in_flight(4, 2, 8) == 5.5  # 4 (1 + 3/8)
    assert in_flight(4, 2, 3) == 3
    assert in_flight(1, 1, 8) == 1


@given(whole, whole, whole)
def test_interleaving_never_keeps_less_and_never_more_than_there_is(p: int, v: int, m: int) -> None:
    kept = in_flight(p, v, m)
    assert min(p, m) <= kept <= m


def test_the_slowest_of_even_stages_is_the_last() -> None:
    assert slowest_stage(8, 2, 1.0, 0.0) == 4
    assert slowest_stage(8, 2, 1.0, 3.0) == 7
    assert slowest_stage(8, 1, 1.0, 3.0) == 11


def test_uneven_layers_make_room_for_the_head() -> None:
    assert slowest_stage(7, 2, 1.0, 0.0) == 4  # 4 + 3
    assert slowest_stage(7, 2, 1.0, 1.0) == 4  # 4, and 3 with the head
    assert slowest_stage(7, 2, 1.0, 2.0) == 5  # 9 layers' worth over two stages, rounded up
    assert slowest_stage(7, 2, 2.0, 2.0) == 8  # the head is worth one layer of 2
    assert slowest_stage(7, 2, 1.0, 10.0) == 10  # the head is slower than all layers


def test_layers_without_time_leave_the_head() -> None:
    assert slowest_stage(7, 2, 0.0, 3.0) == 3


@given(whole, st.integers(1, 16), st.floats(1e-3, 10.0), st.floats(0.0, 10.0))
def test_no_stage_is_faster_than_an_even_share(layers: int, stages: int, layer: float, head: float) -> None:
    slow = slowest_stage(layers, stages, layer, head)
    assert slow >= (layers * layer + head) / stages * (1 - 1e-6)
    assert slow <= (layers * layer + head) * (1 + 1e-6) + layer


# --- operations ------------------------------------------------------------------------------------------------------

gpt = st.tuples(st.integers(1, 4096), st.integers(1, 8192), st.integers(1, 128), st.integers(1, 128), whole)


def gpt_flops(batch: int, s: int, layers: int, heads: int, vocab: int, again: float) -> float:
    h = 128 * heads
    tokens, pairs = batch * s, batch * s * s * layers
    return float(step_flops(tokens, 12 * layers * h * h, vocab * h, pairs, heads, 128, 128, again))


def test_flops_of_a_tiny_step_by_hand() -> None:
    # 10 tokens: 2·10·(100·3 + 3·7) = 6420 in weights; 3 passes over 5 pairs of 2 heads: 3·2·5·2·(4 + 6) = 600
    assert step_flops(10, 100, 7, 5, 2, 4, 6) == 7020
    # a fourth pass of the layers, not of the head: 2·10·(400 + 21) + 800
    assert step_flops(10, 100, 7, 5, 2, 4, 6, 1.0) == 9220


@given(gpt)
def test_model_flops_are_those_of_narayanan(dims: tuple[int, int, int, int, int]) -> None:
    batch, s, layers, heads, v = dims
    h, vocab = 128 * heads, 512 * v
    formula = 72 * batch * s * layers * h**2 * (1 + s / (6 * h) + vocab / (12 * layers * h))
    assert gpt_flops(batch, s, layers, heads, vocab, 0.0) == pytest.approx(formula, rel=1e-9)


@given(gpt)
def test_hardware_flops_are_those_of_narayanan(dims: tuple[int, int, int, int, int]) -> None:
    batch, s, layers, heads, v = dims
    h, vocab = 128 * heads, 512 * v
    formula = 96 * batch * s * layers * h**2 * (1 + s / (6 * h) + vocab / (16 * layers * h))
    assert gpt_flops(batch, s, layers, heads, vocab, 1.0) == pytest.approx(formula, rel=1e-9)


# --- memory and traffic ----------------------------------------------------------------------------------------------


def test_sequence_parallelism_splits_what_tensor_parallelism_does_not() -> None:
    assert activation_elements(10.0, 24.0, 8, 0) == 13.0
    assert activation_elements(10.0, 24.0, 8, 1) == 4.25  # 34 / 8
    assert activation_elements(10.0, 24.0, 1, 0) == activation_elements(10.0, 24.0, 1, 1) == 34.0


def test_scores_kept_by_hand() -> None:
    assert score_bytes_kept(64, 2048, 8) == 5 * 64 * 2048 / 8


def test_an_update_reads_and_writes_the_states() -> None:
    assert optimizer_traffic(2, 4, 12) == 30
    assert optimizer_traffic(4, 4, 8) == 24


def test_exposed_time_by_hand() -> None:
    assert exposed_time(10.0, 4.0, 0.5) == 8.0
    assert exposed_time(10.0, 40.0, 0.5) == 5.0
    assert exposed_time(10.0, 40.0, 1.0) == 0.0


@given(seconds, seconds, st.floats(0.0, 1.0))
def test_exposed_time_lies_between_nothing_and_all(communication: float, window: float, overlap: float) -> None:
    exposed = exposed_time(communication, window, overlap)
    assert 0.0 <= exposed <= communication
    assert exposed >= communication - window - 1e-9


def test_arrays_agree_with_scalars() -> None:
    p = np.array([1, 2, 4, 8])
    assert in_flight(p, 2, 16).tolist() == [float(in_flight(x, 2, 16)) for x in p]
    assert slowest_stage(30, p, 1.0, 0.5).tolist() == [float(slowest_stage(30, x, 1.0, 0.5)) for x in p]
    assert bubble_fraction(p, 16, 2).tolist() == [float(bubble_fraction(x, 16, 2)) for x in p]
