"""One forward pass: what it moves, how its time reacts to load and machine, and what it can never beat."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.planner.forward import BOTTLENECKS, OPERATORS, Step, cache_bytes, forward, kv_share, operators
from mlsim.planner.machine import Efficiency, Machine, computed_in, efficiency, machine
from mlsim.planner.network import Network, network
from mlsim.registry import load

BF16 = load.precision("bf16")


def parts(
    model: str = "Llama-3-8B", chip: str = "H100", weights: str = "bf16", runtime: str = "vLLM"
) -> tuple[Network, Machine, Efficiency]:
    card, precision, engine = load.chip(chip), load.precision(weights), load.runtime(runtime)
    compute = computed_in(card, precision)
    return (
        network(load.model(model), precision, BF16, compute), machine(card, compute, bool(engine.get("half_sums"))),
        efficiency(card, engine),
    )  # fmt: skip


def test_operators_of_one_token_by_hand() -> None:
    net, *_ = parts()
    flops, weights, moved = operators(net, 1.0, 1000.0)
    assert len(flops) == len(OPERATORS)
    projections = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024)
    assert weights[0] == projections
    assert weights[1] == 32 * 3 * 4096 * 14336
    assert weights[2] == 0
    assert weights[3] == 128256 * 4096
    assert flops[0] == 2 * projections
    assert flops[4] == 32 * 4 * 1001 * 32 * 128  # the new token sees itself
    assert moved[0] == 2 * projections
    assert moved[4] == 32 * 2 * 8 * 128 * 2 * 1001


def test_a_mixture_of_experts_reads_the_active_ones_at_batch_1_and_all_of_them_in_large_batches() -> None:
    net, *_ = parts("Mixtral-8x7B")
    _, one, _ = operators(net, 1.0, 100.0)
    _, many, _ = operators(net, 256.0, 100.0)
    assert one[2] == pytest.approx(2 * net.expert)
    assert many[2] == pytest.approx(8 * net.expert)
    flops, _, _ = operators(net, 10.0, 100.0)
    assert flops[2] == pytest.approx(2 * 10 * 2 * net.expert)  # work is that of the active experts, whatever is read


@pytest.mark.parametrize("model", ["Llama-3-8B", "Mixtral-8x7B", "Gemma-3-27B", "DeepSeek-V3"])
def test_quantised_weights_move_fewer_bytes(model: str) -> None:
    moved = [forward(*parts(model, weights=w), 1.0, 1024.0).bytes_moved for w in ("bf16", "fp8", "int4")]
    assert moved[0] > moved[1] > moved[2]


def test_quantised_weights_decode_faster_where_weights_are_the_load() -> None:
    times = [float(forward(*parts("Llama-3-70B", weights=w), 1.0, 128.0).total) for w in ("bf16", "fp8", "int4")]
    assert times[0] > times[1] > times[2]
    assert times[0] < 4 * times[2]  # 16-bit tables, cache and overheads stay


# --- growth ----------------------------------------------------------------------------------------------------------

SETUPS = [
    ("Llama-3-8B", "H100", "bf16", "vLLM"), ("Llama-3-70B", "H200", "fp8", "TensorRT-LLM"),
    ("Llama-3-8B", "RTX-4090", "int4", "llama.cpp"), ("Mixtral-8x7B", "A100", "bf16", "SGLang"),
    ("Gemma-3-27B", "MI300X", "bf16", "vLLM"), ("DeepSeek-V3", "B200", "fp8", "vLLM"),
]  # fmt: skip


@pytest.mark.parametrize("setup", SETUPS)
def test_decode_time_grows_with_batch(setup: tuple[str, ...]) -> None:
    batch = np.arange(1.0, 129.0)
    times = forward(*parts(*setup), batch, 1024.0).total
    falls = batch[1:][np.diff(times) < 0]
    assert falls.size == 0, f"one more sequence makes the step faster at batch {falls}"


@pytest.mark.parametrize("setup", SETUPS)
def test_time_grows_with_context_prompt_and_cached_prefix(setup: tuple[str, ...]) -> None:
    tokens = 2.0 ** np.arange(6, 17)
    assert np.all(np.diff(forward(*parts(*setup), 8.0, tokens).total) > 0)
    assert np.all(np.diff(forward(*parts(*setup), 0.0, 0.0, 1.0, tokens).total) > 0)
    assert np.all(np.diff(forward(*parts(*setup), 0.0, 0.0, 1.0, 512.0, tokens).flops) > 0)
    assert np.all(np.diff(forward(*parts(*setup), 0.0, 0.0, np.arange(1.0, 9.0), 512.0).total) > 0)


def test_a_pass_with_prompts_takes_longer_than_one_without() -> None:
    setup = parts()
    plain = forward(*setup, 16.0, 1024.0).total
    assert forward(*setup, 16.0, 1024.0, 1.0, 256.0).total > plain
    assert forward(*setup, 16.0, 1024.0, 0.0, 256.0).total == pytest.approx(float(plain))


# --- the machine -----------------------------------------------------------------------------------------------------

loads = st.tuples(
    st.sampled_from(SETUPS), st.integers(0, 256), st.integers(1, 65536), st.integers(0, 4), st.integers(1, 8192),
    st.sampled_from([1.0, 2.0, 8.0]),
)  # fmt: skip


def timed(device: Machine, eff: Efficiency, net: Network, b: int, c: int, p: int, n: int, tp: float) -> float:
    return float(forward(net, device, eff, float(b), float(c), float(p), float(n), 0.0, tp).total)


@settings(deadline=None, max_examples=60)
@given(loads, st.sampled_from(["peak", "peak16", "bandwidth", "link", "core_clock"]), st.floats(1.0, 10.0))
def test_a_better_machine_is_never_slower(load_: tuple, figure: str, factor: float) -> None:
    (setup, *rest) = load_
    net, device, eff = parts(*setup)
    better = replace(device, **{figure: getattr(device, figure) * factor})
    if figure.startswith("peak"):  # a faster 16-bit unit alone would make the format a wide one
        better = replace(device, peak=device.peak * factor, peak16=device.peak16 * factor)
    assert timed(better, eff, net, *rest) <= timed(device, eff, net, *rest) * (1 + 1e-12)


@settings(deadline=None, max_examples=60)
@given(
    loads,
    st.sampled_from([
        ("compute_efficiency", -1), ("memory_efficiency", -1), ("attention_efficiency", -1), ("vector_rate", -1),
        ("link_efficiency", -1), ("compute_share", -1), ("memory_share", -1), ("kv_share", -1), ("link_share", -1),
        ("unpack_share", -1), ("kernel_overhead", 1), ("attention_overhead", 1), ("allreduce_latency", 1),
        ("attention_half_length", 1), ("unpack_overhead", 1), ("layer_kernels", 1), ("launch_overhead", 1),
        ("step_overhead", 1), ("request_overhead", 1), ("collective_overhead", 1), ("score_bytes", 1),
        ("dequantise_bytes", 1),
    ]),
)  # fmt: skip
def test_each_parameter_has_its_direction(load_: tuple, parameter: tuple[str, int]) -> None:
    (setup, *rest), (name, direction) = load_, parameter
    net, device, eff = parts(*setup)
    moved = timed(device, replace(eff, **{name: getattr(eff, name) * 1.3}), net, *rest)
    base = timed(device, eff, net, *rest)
    assert (moved - base) * direction >= -1e-12 * base


def test_a_power_limit_slows_compute_and_leaves_streaming() -> None:
    net, device, eff = parts("Llama-3-70B")
    capped = replace(device, power_share=0.5)
    prompt = [forward(net, d, eff, 0.0, 0.0, 1.0, 4096.0).total for d in (device, capped)]
    assert prompt[1] / prompt[0] == pytest.approx(2**0.4, rel=0.1)
    token = [forward(net, d, eff, 1.0, 128.0).total for d in (device, capped)]
    assert 1.0 <= token[1] / token[0] < 1.1


@settings(deadline=None, max_examples=60)
@given(loads)
def test_parts_add_up_and_streaming_stays_below_the_bandwidth(load_: tuple) -> None:
    (setup, b, c, p, n, tp) = load_
    net, device, eff = parts(*setup)
    step = forward(net, device, eff, float(b), float(c), float(p), float(n), 0.0, tp)
    assert step.total == pytest.approx(float(step.compute + step.memory + step.communication + step.overhead))
    assert str(step.bottleneck) in BOTTLENECKS
    _, _, moved = operators(net, float(b), float(c), float(p), float(n), 0.0, tp)
    assert np.all(step.by_operator >= moved / device.bandwidth * (1 - 1e-9))
    assert min(map(float, (step.compute, step.memory, step.communication))) >= 0


@pytest.mark.parametrize("chip", ["H100", "A100", "B200", "L40S", "RTX-4090", "RTX-5090", "MI300X"])
@pytest.mark.parametrize("runtime", ["vLLM", "SGLang", "TensorRT-LLM", "llama.cpp"])
def test_no_prompt_is_faster_than_the_data_sheet_peak(chip: str, runtime: str) -> None:
    net, device, eff = parts(chip=chip, runtime=runtime)
    step = forward(net, device, eff, 0.0, 0.0, 1.0, 4096.0)
    assert float(step.flops / step.total) <= device.peak16, "the product of compute efficiency and share is above 1"


# --- several devices -------------------------------------------------------------------------------------------------


def test_whole_kv_heads_on_each_device() -> None:
    net, *_ = parts("Llama-3-70B")
    assert [float(kv_share(net, tp)) for tp in (1, 2, 8, 16, 64)] == [1, 1 / 2, 1 / 8, 1 / 8, 1 / 8]
    latent, *_ = parts("DeepSeek-V3")
    assert float(kv_share(latent, 8)) == 1
    assert cache_bytes(latent, 1000.0, 8.0) == 61 * 576 * 2 * 1000


def test_large_models_gain_from_tensor_parallel() -> None:
    tp = np.array([1.0, 2.0, 4.0, 8.0])
    times = forward(*parts("Llama-3-70B"), 1.0, 1024.0, tp=tp).total
    assert np.all(np.diff(times) < 0)
    assert times[0] / times[3] < 8  # all-reduces and launches are not shared out
    prompt = forward(*parts("Llama-3-70B"), 0.0, 0.0, 1.0, 4096.0, tp=tp).total
    assert np.all(np.diff(prompt) < 0)


def test_one_device_sends_nothing() -> None:
    step = forward(*parts(), 4.0, 1024.0, tp=np.array([1.0, 2.0]))
    assert step.communication[0] == 0
    assert step.communication[1] > 0


def test_experts_on_several_devices() -> None:
    net, device, eff = parts("Mixtral-8x7B")
    _, alone, _ = operators(net, 64.0, 100.0)
    _, split, _ = operators(net, 64.0, 100.0, ep=4.0)
    assert split[2] == pytest.approx(alone[2] / 4)
    assert split[0] == alone[0]  # attention is on every device
    step = forward(net, device, eff, 64.0, 100.0, ep=np.array([1.0, 4.0]))
    assert step.communication[0] == 0 < step.communication[1]


def test_each_stage_adds_its_own_start() -> None:
    setup = parts()
    one, four = (forward(*setup, 1.0, 128.0, stages=s).total for s in (1.0, 4.0))
    assert four - one == pytest.approx(3 * setup[2].step_overhead)


# --- steps -----------------------------------------------------------------------------------------------------------


def test_repeated_and_blended_passes() -> None:
    setup = parts()
    step, other = forward(*setup, 1.0, 128.0), forward(*setup, 64.0, 4096.0)
    twice = step.repeated(1.5, 2.0)
    assert twice.total == pytest.approx(1.5 * float(step.total))
    assert twice.flops == pytest.approx(2 * float(step.flops))
    half = step.blended(other, 0.5)
    assert half.total == pytest.approx(float(step.total + other.total) / 2)
    assert step.blended(other, 0.0).total == step.total
    assert step.blended(other, 1.0).total == other.total


def test_the_bottleneck_is_the_largest_part() -> None:
    zero = np.zeros(4)
    step = Step(
        total=zero, compute=np.array([2.0, 1, 1, 1]), memory=np.array([1.0, 2, 1, 1]),
        communication=np.array([1.0, 1, 2, 1]), overhead=np.array([1.0, 1, 1, 2]), flops=zero, bytes_moved=zero,
        by_operator=zero,
    )  # fmt: skip
    assert step.bottleneck.tolist() == list(BOTTLENECKS[:4])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 9000), st.integers(0, 2)), min_size=1, max_size=6))
def test_arrays_agree_with_scalars(cases: list[tuple[int, int, int]]) -> None:
    setup = parts("Gemma-3-27B")
    b, c, p = (np.array(x, float) for x in zip(*cases, strict=True))
    many = forward(*setup, b, c, p, 300.0).total
    assert many.tolist() == pytest.approx(
        [float(forward(*setup, *map(float, case), 300.0).total) for case in cases], rel=1e-12
    )
