"""The memory of one device, term by term, and the sequences it leaves room for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.planner.memory import Reserve, batch_limit, cache_room, kept_by, memory, reserve
from mlsim.planner.network import Network, network, weight_bytes
from mlsim.registry import load

BF16, FP8 = load.precision("bf16"), load.precision("fp8")
GIB = 2.0**30
PLAIN = Reserve(
    capacity=80 * GIB, memory_fraction=0.9, framework_memory=GIB, logits_bytes=0.0, sequence_slots=256.0,
    chunk_tokens=0.0, collective_memory=2 * GIB, block_tokens=16.0, fraction_of_free=0.0,
)  # fmt: skip


def net(model: str = "Llama-3-8B", weights: str = "bf16") -> Network:
    precision = load.precision(weights)
    return network(load.model(model), precision, BF16, precision.compute)


def test_terms_by_hand() -> None:
    need = memory(net(), PLAIN, 4.0, 1000.0)
    assert need.weights == pytest.approx(8.03e9 * 2, rel=1e-3)
    assert need.kv_cache == 4 * 1000 * 32 * 2 * 8 * 128 * 2
    assert need.activations == 4 * (4 * 4096 + 2 * 14336) * 2  # one token per sequence: no chunk is kept
    assert (need.logits, need.framework, need.collectives) == (0, GIB, 0)
    assert need.total == need.weights + need.kv_cache + need.activations + need.framework


def test_workspace_is_for_all_slots_or_for_the_batch_if_larger() -> None:
    kept = replace(PLAIN, logits_bytes=12.0, chunk_tokens=8192.0)
    few, many = memory(net(), kept, 1.0, 10.0), memory(net(), kept, 10_000.0, 10.0)
    assert few.logits == 256 * 128256 * 12
    assert many.logits == 10_000 * 128256 * 12
    assert few.activations == 8192 * (4 * 4096 + 2 * 14336) * 2
    assert many.activations > few.activations


@pytest.mark.parametrize("model", ["Llama-3-70B", "Mixtral-8x7B", "DeepSeek-V3", "Gemma-3-27B", "Llama-3.2-1B"])
def test_one_device_holds_all_weights(model: str) -> None:
    for weights in ("bf16", "int4"):
        whole = weight_bytes(load.model(model), load.precision(weights))
        assert memory(net(model, weights), PLAIN, 0.0, 0.0).weights == pytest.approx(whole)


def test_several_devices_share_weights_and_cache() -> None:
    tp = np.array([1.0, 2.0, 4.0, 8.0])
    need = memory(net("Llama-3-70B"), PLAIN, 1.0, 1000.0, tp)
    assert np.allclose(need.weights * tp, need.weights[0])
    assert np.allclose(need.kv_cache * tp, need.kv_cache[0])
    assert need.collectives.tolist() == [0, 2 * GIB, 2 * GIB, 2 * GIB]
    split = memory(net("Llama-3-70B"), PLAIN, 1.0, 1000.0, 1.0, 4.0)
    assert split.kv_cache == need.kv_cache[0] / 4
    assert split.weights == pytest.approx(need.weights[0] / 4, rel=0.05)  # the first and last hold the tables
    assert split.collectives == 0


def test_experts_are_shared_over_more_devices_than_matrices() -> None:
    mixtral = net("Mixtral-8x7B")
    alone, split = (float(memory(mixtral, PLAIN, 0.0, 0.0, ep=ep).weights) for ep in (1.0, 8.0))
    assert alone - split == pytest.approx(7 / 8 * 32 * 8 * 3 * 4096 * 14336 * 2)


def test_what_a_runtime_keeps() -> None:
    kept = reserve(load.chip("H100"), load.runtime())
    assert kept.capacity == 81559 * 2**20
    assert kept.memory_fraction == 0.9
    assert kept.block_tokens == 16
    assert kept_by(load.runtime()).capacity == 0
    assert reserve(load.chip("H100"), load.runtime("TensorRT-LLM")).fraction_of_free == 1


def test_room_is_the_share_less_the_rest() -> None:
    used = float(memory(net(), PLAIN, 0.0, 0.0).total)
    assert cache_room(net(), PLAIN) == pytest.approx(72 * GIB - used)
    assert cache_room(net(), replace(PLAIN, fraction_of_free=1.0)) == pytest.approx(0.9 * (80 * GIB - used))
    assert cache_room(net("Llama-3-70B"), PLAIN) == 0  # never negative
    assert cache_room(net("Llama-3-70B"), replace(PLAIN, fraction_of_free=1.0)) == 0


def test_limit_by_room() -> None:
    room = float(cache_room(net(), PLAIN))
    each = 32 * 2 * 8 * 128 * 2
    assert batch_limit(net(), PLAIN, 16_000.0) == np.floor(room / (16_000 * each))
    assert batch_limit(net("Llama-3-70B"), PLAIN, 16.0) == 0


def test_limit_by_slots() -> None:
    assert batch_limit(net(), PLAIN, 16.0) == 256
    assert batch_limit(net(), replace(PLAIN, sequence_slots=8.0), 16.0) == 8


def test_limit_counts_whole_blocks() -> None:
    large = replace(PLAIN, block_tokens=4096.0)
    assert batch_limit(net(), large, 4097.0) == batch_limit(net(), large, 8192.0)
    assert batch_limit(net(), large, 4097.0) < batch_limit(net(), PLAIN, 4097.0)


def test_limit_of_narrow_cache_and_more_devices() -> None:
    narrow = network(load.model("Llama-3-8B"), BF16, FP8, "bf16")
    assert batch_limit(narrow, PLAIN, 8192.0) == pytest.approx(2 * batch_limit(net(), PLAIN, 8192.0), abs=1)
    limits = [float(batch_limit(net("Llama-3-70B"), PLAIN, 8192.0, tp)) for tp in (2.0, 4.0, 8.0)]
    assert limits == sorted(limits)
    assert limits[2] > 8 * limits[0]  # the weights are shared out too


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 200_000), st.sampled_from([1.0, 2.0, 4.0]), st.sampled_from([0.0, 1.0]))
def test_the_limit_fits_and_one_more_does_not(context: int, tp: float, of_free: float) -> None:
    kept = replace(PLAIN, fraction_of_free=of_free, sequence_slots=1e12)
    limit = float(batch_limit(net(), kept, float(context), tp))
    room, held = float(cache_room(net(), kept, tp)), float(np.ceil(context / 16) * 16)
    each = float(memory(net(), PLAIN, 1.0, held, tp).kv_cache)
    assert limit * each <= room < (limit + 1) * each


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 100_000), st.floats(0.1, 1.0), st.floats(0.1, 1.0))
def test_a_larger_share_never_holds_fewer(context: int, one: float, other: float) -> None:
    low, high = (float(batch_limit(net(), replace(PLAIN, memory_fraction=f), context)) for f in sorted((one, other)))
    assert low <= high
