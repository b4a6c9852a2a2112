"""From passes to requests: micro-batches, pipelines, continuous batching, drafts, split prefill and decode."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.planner.forward import forward
from mlsim.planner.machine import Efficiency, Machine, computed_in, efficiency, machine
from mlsim.planner.network import Network, network
from mlsim.planner.serving import (
    Layout,
    decode_step,
    disaggregated_rate,
    mixed_step,
    prefill_step,
    request_time,
    saturated_rate,
    speculative_time,
    static_rate,
)
from mlsim.registry import load

BF16 = load.precision("bf16")
ONE = Layout()


def parts(model: str = "Llama-3-8B", chip: str = "H100", runtime: str = "vLLM") -> tuple[Network, Machine, Efficiency]:
    card, engine = load.chip(chip), load.runtime(runtime)
    compute = computed_in(card, BF16)
    return network(load.model(model), BF16, BF16, compute), machine(card, compute), efficiency(card, engine)


def test_devices_of_a_layout() -> None:
    assert Layout().devices == 1
    assert Layout(tp=4, pp=2).devices == 8
    assert Layout(tp=1, dp=8, ep=8).devices == 8  # experts are spread over the same devices


# --- decode and layer split ------------------------------------------------------------------------------------------


def test_a_layer_split_does_not_speed_up_one_sequence() -> None:
    setup = parts("Llama-3-70B", runtime="llama.cpp")
    times = decode_step(*setup, 1.0, 1024.0, Layout(pp=np.array([1.0, 2.0, 4.0]))).total
    assert np.all(np.diff(times) >= 0)
    assert times[2] < 1.2 * times[0]
    prompt = [float(prefill_step(*setup, 1.0, 100.0, Layout(pp=pp)).total) for pp in (1.0, 2.0, 4.0)]
    assert prompt == sorted(prompt)  # one micro-batch has nothing to overlap with


def test_one_load_broadcasts_against_many_layouts() -> None:
    setup = parts("Llama-3-70B", runtime="llama.cpp")
    times = prefill_step(*setup, 8.0, 512.0, Layout(pp=np.array([1.0, 2.0, 4.0]))).total
    assert times.tolist() == [float(prefill_step(*setup, 8.0, 512.0, Layout(pp=pp)).total) for pp in (1.0, 2.0, 4.0)]


def test_tensor_parallel_does() -> None:
    times = decode_step(*parts("Llama-3-70B"), 1.0, 1024.0, Layout(tp=np.array([1.0, 2.0, 4.0]))).total
    assert np.all(np.diff(times) < 0)


def test_attention_data_parallel_shares_out_the_sequences() -> None:
    setup = parts()
    split = decode_step(*setup, 64.0, 1024.0, Layout(dp=4.0))
    assert split.total == decode_step(*setup, 16.0, 1024.0, ONE).total


# --- prefill ---------------------------------------------------------------------------------------------------------


def chunked(micro_batch: float, overlap: float = 0.0) -> tuple[Network, Machine, Efficiency]:
    net, device, eff = parts()
    return net, device, replace(eff, micro_batch=micro_batch, pipeline_overlap=overlap)


def test_short_prompts_share_a_pass_and_long_ones_wait() -> None:
    setup = chunked(1024.0)
    together = prefill_step(*setup, 4.0, 256.0, ONE).total
    assert together == forward(*setup, 0.0, 0.0, 4.0, 256.0).total
    one = prefill_step(*setup, 1.0, 1024.0, ONE).total
    assert prefill_step(*setup, 3.0, 1024.0, ONE).total == pytest.approx(3 * float(one))


def test_a_long_prompt_is_cut_in_chunks_that_see_half_of_it() -> None:
    setup = chunked(1024.0)
    step = prefill_step(*setup, 1.0, 4096.0, ONE)
    chunk = forward(*setup, 0.0, 0.0, 1.0, 1024.0, 1536.0)
    assert step.total == pytest.approx(4 * float(chunk.total))
    whole = forward(*setup, 0.0, 0.0, 1.0, 4096.0)
    # the chunks do the whole prompt's work, and read the weights four times; the head answers each of them
    assert float(step.flops) == pytest.approx(float(whole.flops), rel=1e-3)
    assert step.bytes_moved > whole.bytes_moved
    assert step.total > whole.total


def test_a_pipeline_hides_passes_behind_each_other() -> None:
    layout = Layout(pp=4.0)
    one = float(prefill_step(*chunked(512.0), 1.0, 512.0, layout).total)
    none, whole = (prefill_step(*chunked(512.0, overlap), 8.0, 512.0, layout).total for overlap in (0.0, 1.0))
    assert none == pytest.approx(8 * one)
    assert whole == pytest.approx(one * (8 + 4 - 1) / 4)  # GPipe: (m + p - 1)/p
    alone = prefill_step(*chunked(512.0, 1.0), 8.0, 512.0, ONE).total
    assert alone == pytest.approx(8 * float(prefill_step(*chunked(512.0), 1.0, 512.0, ONE).total))


def test_a_cached_prefix_costs_less_than_computing_it_and_more_than_none() -> None:
    setup = parts()
    none, prefix, whole = (
        float(prefill_step(*setup, 1.0, n, ONE, cached).total) for n, cached in ((512, 0.0), (512, 7680.0), (8192, 0.0))
    )
    assert none < prefix < whole


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 64), st.integers(33, 20000), st.integers(1, 4))
def test_prefill_grows_with_prompts_and_their_length(batch: int, prompt: int, more: int) -> None:
    setup = parts()
    time = prefill_step(*setup, float(batch), float(prompt), ONE).total
    assert prefill_step(*setup, float(batch + more), float(prompt), ONE).total >= time * (1 - 1e-9)
    assert prefill_step(*setup, float(batch), prompt * (1 + more / 4), ONE).total >= time * (1 - 1e-9)


# --- continuous batching ---------------------------------------------------------------------------------------------

served = st.tuples(st.integers(1, 256), st.integers(64, 8192), st.integers(32, 2048))


def test_nobody_joins_nothing_is_mixed() -> None:
    setup = parts()
    alone = mixed_step(*setup, 1.0, 1024.0, 256.0, ONE, 0.0)
    assert alone.total == decode_step(*setup, 1.0, 1024.0 + 128.0, ONE).total


@settings(deadline=None, max_examples=40)
@given(served)
def test_a_mixed_pass_lies_between_decode_and_decode_plus_prefill(load_: tuple[int, int, int]) -> None:
    batch, prompt, output = map(float, load_)
    setup = parts()
    mixed = float(mixed_step(*setup, batch, prompt, output, ONE).total)
    decode = float(decode_step(*setup, batch, prompt + output / 2, ONE).total)
    prefill = float(prefill_step(*setup, 1.0, prompt, ONE).total) * batch / output
    assert decode * 0.9 <= mixed <= (decode + prefill) * 1.05


@settings(deadline=None, max_examples=40)
@given(served)
def test_a_saturated_engine_beats_static_batches(load_: tuple[int, int, int]) -> None:
    batch, prompt, output = map(float, load_)
    setup = parts()
    saturated, _ = saturated_rate(*setup, batch, prompt, output, ONE)
    static, _ = static_rate(*setup, batch, prompt, output, ONE)
    assert saturated >= static * 0.95


def test_the_rate_of_an_engine_grows_with_its_batch_and_falls_with_the_prompt() -> None:
    setup = parts()
    by_batch, _ = saturated_rate(*setup, 2.0 ** np.arange(9), 1024.0, 256.0, ONE)
    assert np.all(np.diff(by_batch) > 0)
    by_prompt, _ = saturated_rate(*setup, 64.0, 2.0 ** np.arange(7, 14), 256.0, ONE)
    assert np.all(np.diff(by_prompt) < 0)


def test_groups_of_a_pipeline_take_turns() -> None:
    net, device, eff = parts()
    rates = [
        float(saturated_rate(net, device, replace(eff, pipeline_overlap=o), 64.0, 512.0, 256.0, Layout(pp=4.0))[0])
        for o in (0.0, 0.5, 1.0)
    ]
    group = mixed_step(net, device, eff, 16.0, 512.0, 256.0, Layout(pp=4.0)).total
    assert rates[2] == pytest.approx(64 / float(group))
    assert rates[0] == pytest.approx(16 / float(group))
    assert rates[0] < rates[1] < rates[2]


def test_a_request_is_its_prompt_and_its_tokens() -> None:
    setup = parts()
    seconds, step = request_time(*setup, 4.0, 1000.0, 200.0, ONE)
    first = prefill_step(*setup, 4.0, 1000.0, ONE).total
    assert seconds == pytest.approx(float(first + 200 * step.total))
    assert step.total == decode_step(*setup, 4.0, 1100.0, ONE).total
    assert static_rate(*setup, 4.0, 1000.0, 200.0, ONE)[0] == pytest.approx(800 / float(seconds))
    shorter, _ = request_time(*setup, 4.0, 200.0, 200.0, ONE, 800.0)
    assert shorter < seconds


# --- drafts, and prefill apart from decode ---------------------------------------------------------------------------


def test_speculative_limits() -> None:
    # nothing accepted: one token per round; everything: k + 1
    assert speculative_time(30.0, 2.0, 4.0, 0.0) == 4 * 2 + 30
    assert speculative_time(30.0, 2.0, 4.0, 1.0) == pytest.approx((4 * 2 + 30) / 5)
    assert speculative_time(np.array([30.0, 60.0]), 0.0, 1.0, 0.5).tolist() == [20.0, 40.0]


def test_disaggregated_replicas_by_hand() -> None:
    # 64 requests of 512 tokens at 20 ms per token: 6.25 requests/s; a prompt every 0.4 s: 2.5 prefill replicas
    replicas, rate = disaggregated_rate(0.4, 0.1, 0.02, 64.0, 512.0)
    assert rate == pytest.approx(3200.0)
    assert replicas == pytest.approx(2.5)
    slow_link, _ = disaggregated_rate(0.4, 0.8, 0.02, 64.0, 512.0)
    assert slow_link == pytest.approx(5.0)  # the transfer is what waits


@settings(deadline=None, max_examples=30)
@given(served)
def test_a_prefill_replica_per_ratio_keeps_one_decode_replica_busy(load_: tuple[int, int, int]) -> None:
    batch, prompt, output = map(float, load_)
    setup = parts()
    first = float(prefill_step(*setup, 1.0, prompt, ONE).total)
    token = float(decode_step(*setup, batch, prompt + output / 2, ONE).total)
    replicas, rate = disaggregated_rate(first, 0.0, token, batch, output)
    assert float(replicas) / first == pytest.approx(float(rate) / output)  # prompts made = requests finished
