"""Sanity that a reader can check by hand. Accuracy against measurements is tested under tests/validation."""

import numpy as np
import pytest

from mlsim.errors import DomainError
from mlsim.functions import call
from mlsim.planner import inference
from mlsim.registry import load

BF16 = load.precision("bf16")
VLLM = load.runtime()


def test_llama_3_70b_in_bf16_does_not_fit_one_h100() -> None:
    assert inference.weight_bytes(load.model("Llama-3-70B"), BF16) == pytest.approx(141.1e9, rel=1e-3)
    assert call("MLSIM_FITS", ["Llama-3-70B", "H100"]) is False
    assert call("MLSIM_FITS", ["Llama-3-70B", "H100", 1, 2048, "int4"]) is True
    assert call("MLSIM_MIN_DEVICES", ["Llama-3-70B", "H100", 1, 2048]) == 2


def test_batch_1_decode_on_mi300x_is_bandwidth_bound_near_26_ms_plus_overhead() -> None:
    floor = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "5.3 TB/s", 1, 128])
    assert floor == pytest.approx(26.2, abs=0.5)
    predicted = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "MI300X", 1, 128])
    assert floor < predicted < 1.6 * floor  # 2.3 ms, claimed for it elsewhere, is below the floor
    assert call("MLSIM_BOTTLENECK", ["Llama-3-70B", "MI300X", 1, 128]) == "memory bandwidth"


def test_h100_over_a100_is_the_bandwidth_ratio_not_the_flops_ratio() -> None:
    a100, h100 = (call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", chip, 1, 2048]) for chip in ("A100", "H100"))
    assert a100 / h100 == pytest.approx(1.7, abs=0.1)


def test_llama_3_8b_at_batch_48_and_4k_context() -> None:
    kv = call("MLSIM_KV_CACHE", ["Llama-3-8B", 4096, 48, "bf16", "GB"])
    assert kv == pytest.approx(2 * 32 * 8 * 128 * 2 * 4096 * 48 / 1e9)  # 25.8 GB: K and V, 8 KV heads
    assert call("MLSIM_WEIGHTS", ["Llama-3-8B", "bf16", "GB"]) == pytest.approx(16.06, abs=0.01)
    total = call("MLSIM_MEMORY", ["Llama-3-8B", "H100", 48, 4096, "bf16", 1, "bf16", "GB"])
    assert 41.8 < total < 48  # 41.8 GB of weights and cache, plus the runtime's own


def test_kv_cache_by_kind_of_attention() -> None:
    tokens = 8192
    mha = call("MLSIM_KV_CACHE", ["Llama-2-7B", tokens, 1, "bf16", "byte"])
    assert mha == 2 * 32 * 32 * 128 * 2 * tokens
    latent = call("MLSIM_KV_CACHE", ["DeepSeek-V3", tokens, 1, "bf16", "byte"])
    assert latent == 61 * (512 + 64) * 2 * tokens
    windowed = call("MLSIM_KV_CACHE", ["Gemma-3-27B", tokens, 1, "bf16", "byte"])
    assert windowed == 2 * 16 * 128 * 2 * (10 * tokens + 52 * 1024)
    assert call("MLSIM_KV_CACHE", ["Llama-2-7B", tokens, 1, "fp8", "byte"]) == mha / 2


def test_kv_heads_are_shared_out_whole() -> None:
    model = load.model("Llama-3-70B")  # 8 KV heads
    full = inference.kv_bytes(model, 1000, BF16)
    assert inference.kv_bytes(model, 1000, BF16, 8) == full / 8
    assert inference.kv_bytes(model, 1000, BF16, 16) == full / 8  # one head cannot be split
    latent = load.model("DeepSeek-V3")
    assert inference.kv_bytes(latent, 1000, BF16, 8) == inference.kv_bytes(latent, 1000, BF16)


def test_int4_counts_its_scales_and_16_bit_vocabulary() -> None:
    model, int4 = load.model("Llama-3-8B"), load.precision("int4")
    assert int4.bytes_per_element * 8 > 4
    tables = 2 * 128256 * 4096
    assert inference.weight_bytes(model, int4) == (model.total_params - tables) * int4.bytes_per_element + tables * 2


def test_moe_reads_more_experts_as_the_batch_grows() -> None:
    model = load.model("Mixtral-8x7B")
    _, one = inference.operators(model, 1, 1.0, 100.0, BF16, BF16)
    _, many = inference.operators(model, 64, 1.0, 100.0, BF16, BF16)
    expert_bytes = model.expert_params * model.layers * 2
    assert one[2] == pytest.approx(2 * expert_bytes)
    assert many[2] == pytest.approx(8 * expert_bytes, rel=1e-6)
    # batch 1 moves the active parameters, not all of them
    assert one[:, ...].sum() < 0.31 * inference.weight_bytes(model, BF16)


def test_prefill_flops_are_two_per_active_parameter_and_token() -> None:
    model = load.model("Llama-3-8B")
    flops, _ = inference.operators(model, 1, 1000.0, 0.0, BF16, BF16)
    per_token = (flops[0] + flops[1]) / 1000
    assert per_token == pytest.approx(2 * (model.total_params - 2 * model.embedding_params), rel=1e-3)


def test_time_grows_with_load_and_memory_falls_with_tp() -> None:
    model, chip = load.model("Llama-3-70B"), load.chip("H100")
    batch = np.array([1.0, 2, 8, 64, 512])
    times = inference.decode(model, chip, batch, 4096.0, BF16, BF16, VLLM, 8).total
    assert np.all(np.diff(times) > 0)
    assert np.all(np.diff(batch / times) > 0)
    needed = [float(inference.need(model, 8, 4096, BF16, BF16, VLLM, tp).total) for tp in (2, 4, 8)]
    assert needed == sorted(needed, reverse=True)


def test_max_batch_is_the_last_that_fits() -> None:
    best = call("MLSIM_MAX_BATCH", ["Llama-3-8B", "A100", 4096])
    assert call("MLSIM_FITS", ["Llama-3-8B", "A100", best, 4096]) is True
    assert call("MLSIM_FITS", ["Llama-3-8B", "A100", best + 1, 4096]) is False
    assert call("MLSIM_MAX_BATCH", ["Llama-3-70B", "H100", 4096]) == 0


def test_large_batch_decode_meets_the_compute_ceiling() -> None:
    model, chip = load.model("Llama-3-8B"), load.chip("H100")
    step = inference.decode(model, chip, 2048.0, 128.0, BF16, BF16, VLLM)
    assert step.total > step.flops / chip.peak("bf16")
    assert step.bottleneck == "compute"


def test_what_the_model_cannot_answer_is_an_error() -> None:
    with pytest.raises(DomainError, match="attention heads"):
        inference.decode(load.model("Llama-3-8B"), load.chip("H100"), 1, 1, BF16, BF16, VLLM, 64)
