"""Each law against a hand calculation, its limits, and arrays against scalars."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsim.physics.attention import (
    attended_pairs,
    attention_flops,
    grouped_query_parameters,
    latent_attention_parameters,
)
from mlsim.physics.collectives import all_reduce_time
from mlsim.physics.economics import cost_per_token
from mlsim.physics.kv_cache import kv_elements_per_token, latent_elements_per_token, sequence_elements
from mlsim.physics.matmul import matmul_flops, weight_flops
from mlsim.physics.memory import activation_bytes, logits_bytes, max_batch
from mlsim.physics.moe import expected_distinct_experts
from mlsim.physics.roofline import attainable_rate, ridge_point, roofline_time

positive = st.floats(min_value=1e-3, max_value=1e18)
count = st.integers(min_value=1, max_value=4096)


def test_roofline_is_the_longer_of_the_two() -> None:
    assert roofline_time(989e12, 1.0, 989e12, 3.35e12) == 1.0
    assert roofline_time(1.0, 6.7e12, 989e12, 3.35e12) == 2.0
    assert roofline_time(1e12, 1e12, 1e12, 1e12, 0.5, 0.25) == 4.0
    assert ridge_point(989e12, 3.35e12) == pytest.approx(295.2, abs=0.1)
    assert attainable_rate(1.0, 989e12, 3.35e12) == 3.35e12


@given(positive, positive, positive, positive)
def test_roofline_never_beats_either_peak(flops: float, moved: float, peak: float, bandwidth: float) -> None:
    time = float(roofline_time(flops, moved, peak, bandwidth))
    assert time >= flops / peak * (1 - 1e-12)
    assert time >= moved / bandwidth * (1 - 1e-12)


def test_matmul_counts_two_operations() -> None:
    assert matmul_flops(2, 3, 4) == 48
    assert weight_flops(10, 7e9) == 1.4e11


def test_attention_parameters() -> None:
    # Llama-3-8B: Q and O 4096x4096, K and V 4096x1024.
    assert grouped_query_parameters(4096, 32, 8, 128) == 2 * 4096 * 4096 + 2 * 4096 * 1024
    # DeepSeek-V3, one layer (config.json): 187.1 million.
    assert latent_attention_parameters(7168, 128, 1536, 512, 128, 64, 128) == 187_105_280


@given(count, st.integers(0, 4096), st.one_of(st.just(np.inf), st.integers(1, 5000).map(float)))
def test_attended_pairs_is_the_sum_over_queries(new: int, cached: int, window: float) -> None:
    direct = sum(min(cached + i, window) for i in range(1, new + 1))
    assert attended_pairs(new, cached, window) == pytest.approx(direct)


def test_attention_flops_of_one_decode_token() -> None:
    # 4 * context * heads * head_dim
    assert attention_flops(1000, 32, 128, 128) == 4 * 1000 * 32 * 128


def test_kv_cache_by_kind_of_attention() -> None:
    assert kv_elements_per_token(32, 128) == 8192  # MHA, Llama-2-7B
    assert kv_elements_per_token(8, 128) == 2048  # GQA, Llama-3-8B
    assert kv_elements_per_token(1, 128) == 256  # MQA
    assert latent_elements_per_token(512, 64) == 576  # MLA, DeepSeek-V3


def test_sliding_window_keeps_its_window() -> None:
    assert sequence_elements(8192, 2, 10, 0, np.inf) == 2 * 10 * 8192
    assert sequence_elements(8192, 2, 2, 10, 1024) == 2 * (2 * 8192 + 10 * 1024)
    assert sequence_elements(512, 2, 2, 10, 1024) == 2 * 12 * 512


@given(st.integers(2, 512), st.integers(1, 16), st.integers(1, 5000))
def test_distinct_experts_between_top_k_and_all(experts: int, top_k: int, tokens: int) -> None:
    top_k = min(top_k, experts)
    touched = float(expected_distinct_experts(experts, top_k, tokens))
    assert top_k * (1 - 1e-9) <= touched <= min(experts, top_k * tokens) * (1 + 1e-9)


def test_distinct_experts_against_simulation() -> None:
    generator = np.random.default_rng(0)
    drawn = [len(set(np.concatenate([generator.permutation(128)[:8] for _ in range(20)]).tolist())) for _ in range(400)]
    assert expected_distinct_experts(128, 8, 20) == pytest.approx(np.mean(drawn), rel=0.01)
    assert expected_distinct_experts(0, 0, 20) == 0


def test_all_reduce() -> None:
    assert all_reduce_time(1e9, 1, 1e9, 1e-5) == 0
    # two shots: 2·7/8 of the message, and 2.8 times the latency of one shot (which would take 8 s)
    assert all_reduce_time(1e9, 8, 1e9, 1e-5) == pytest.approx(1.75 + 2.8e-5, rel=1e-9)
    assert all_reduce_time(1e3, 8, 1e9, 1e-3) == pytest.approx(1e-3 + 7e3 / 0.87e9)  # one shot


def test_memory_terms() -> None:
    assert activation_bytes(8192, 4096, 14336, 2) == 8192 * (4 * 4096 + 2 * 14336) * 2
    assert logits_bytes(1024, 128256, 12) == 1024 * 128256 * 12
    assert max_batch(80, 20, 7) == 8
    assert max_batch(10, 20, 7) == 0
    assert max_batch(10, 5, 0) == np.inf


def test_cost_per_token() -> None:
    # 2 devices at $3.6/h for 1,000 token/s: $2 per million tokens
    assert cost_per_token(3.6 / 3600, 2, 1000) * 1e6 == pytest.approx(2.0)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=5))
def test_arrays_agree_with_scalars(values: list[float]) -> None:
    array = np.array(values)
    assert np.allclose(weight_flops(array, 7e9), [weight_flops(v, 7e9) for v in values])
    assert np.allclose(attended_pairs(array, 10.0, 64.0), [attended_pairs(v, 10.0, 64.0) for v in values])
    assert np.allclose(expected_distinct_experts(64, 4, array), [expected_distinct_experts(64, 4, v) for v in values])
