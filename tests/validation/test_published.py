"""Predictions against published measurements, with stated bounds. Nothing here was fitted to the decode rows.

The bounds say how good this version is, not how good it should be; each test prints its figures (pytest -s).
"""

from statistics import mean, median

import numpy as np
import pytest

from mlsim.planner import inference
from mlsim.registry import load

BF16 = load.precision("bf16")
VLLM = load.runtime()

# meta-pytorch/gpt-fast README, benchmarks table (read 2025-08-22): A100-SXM4-80GB limited to 330 W, batch 1,
# 5 prompt and 200 output tokens. (model, tensor parallel, weights, ms per token)
GPT_FAST = [
    ("Llama-2-7B", 1, "int8", 6.42756),
    ("Llama-2-7B", 1, "int4-g32", 5.0813),
    ("Llama-2-7B", 4, "bf16", 3.9367),
    ("Llama-2-7B", 8, "bf16", 3.04479),
    ("Llama-2-70B", 2, "bf16", 46.9043),
    ("Llama-2-70B", 4, "bf16", 26.3089),
    ("Llama-3.1-70B", 4, "bf16", 26.7023),
    ("Llama-2-70B", 8, "int8", 12.4316),
    ("Llama-2-70B", 8, "int4-g32", 11.0169),
]


def test_decode_gpt_fast() -> None:
    chip, errors = load.chip("A100"), []
    for model, tp, weights, measured in GPT_FAST:
        step = inference.decode(load.model(model), chip, 1.0, 105.0, load.precision(weights), BF16, VLLM, tp)
        errors.append(float(step.total) * 1e3 / measured - 1)
        print(
            f"{model:14} TP{tp} {weights:9} {float(step.total) * 1e3:7.2f} ms, measured {measured:7.2f}: {errors[-1]:+.1%}"
        )
    print(f"median absolute error {median(map(abs, errors)):.1%}, bias {mean(errors):+.1%}")
    assert median(map(abs, errors)) < 0.20
    assert max(map(abs, errors)) < 0.40


# llm-d planner, recorded vLLM 0.19.0 runs on H100-80GB, max_model_len 8192, gpu_memory_utilization 0.95:
# (model, tensor parallel, weights GiB per device, tokens in the KV pool or None where it was not recorded)
VLLM_RUNS = [
    ("CodeLlama-7b-hf", 1, 12.56, 126256),
    ("Llama-3.1-8B-Instruct", 1, 14.99, 476000),
    ("Llama-3.1-8B-Instruct", 2, 7.51, None),
    ("Llama-3.1-8B-Instruct", 4, 3.77, None),
    ("Qwen2.5-7B-Instruct", 1, 14.25, None),
    ("Qwen2.5-72B-Instruct", 2, 67.8, None),
    ("Mixtral-8x7B-Instruct-v0.1", 2, 43.51, None),
    ("gemma-2-27b-it", 1, 50.72, None),
    ("Qwen3-30B-A3B", 1, 56.88, None),
    ("Qwen3-14B", 1, 27.52, None),
    ("phi-2", 1, 5.19, None),
    ("granite-3.1-8b-instruct", 1, 15.25, None),
]


def test_weight_bytes_vllm() -> None:
    errors = []
    for name, tp, measured, _ in VLLM_RUNS:
        predicted = inference.weight_bytes(load.model(name), BF16) / tp / 2**30
        errors.append(predicted / measured - 1)
        print(f"{name:28} TP{tp} {predicted:6.2f} GiB, measured {measured:6.2f}: {errors[-1]:+.1%}")
    print(f"median absolute error {median(map(abs, errors)):.2%}, largest {max(map(abs, errors)):.1%}")
    assert median(map(abs, errors)) < 0.01
    assert max(map(abs, errors)) < 0.05


@pytest.mark.parametrize(("name", "tp", "pool"), [(n, tp, pool) for n, tp, _, pool in VLLM_RUNS if pool])
def test_kv_pool_vllm(name: str, tp: int, pool: int) -> None:
    """The reserve was fitted on runs of this kind, so this is an in-sample check of the whole memory sum."""
    model = load.model(name)
    fixed = inference.need(model, 0.0, 1.0, BF16, BF16, VLLM, tp).total
    tokens = (0.95 * load.chip("H100").memory - fixed) / inference.kv_bytes(model, 1.0, BF16, tp)
    print(f"{name}: {float(tokens):,.0f} tokens, measured {pool:,}: {float(tokens) / pool - 1:+.1%}")
    assert np.abs(tokens / pool - 1) < 0.02
