"""One optimiser step: its parts, its limits, and what each dimension of a plan does to it."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.physics.training import optimizer_traffic
from mlsim.planner.flop_conventions import CONVENTIONS, counted_flops, utilization
from mlsim.planner.forward import MOST_BANDWIDTH
from mlsim.planner.training import PARTS, Placement, Plan, TrainStep, micro_batches, placed, train_step
from mlsim.planner.training_memory import train_memory
from mlsim.planner.training_setup import Setting, setting
from mlsim.planner.transformer import transformer
from mlsim.registry import load

LIMIT = 1e-9


def on(
    model: str = "Llama-3-8B", chip: str = "H100", precision: str = "bf16", runtime: str = "Megatron-Core"
) -> Setting:
    return setting(load.model(model), load.chip(chip), load.precision(precision), load.runtime(runtime))


def step(where: Setting, plan: Plan, placement: Placement | None = None) -> TrainStep:
    return train_step(where.net, where.device, where.fabric, where.eff, plan, where.formats, placement)


def memory(where: Setting, plan: Plan) -> float:
    return float(train_memory(where.net, plan, where.keeps, where.formats).total)


EIGHT = Plan(dp=8.0, global_batch=64.0, sequence=4096.0, shard_optimizer=1.0)

# --- the parts -------------------------------------------------------------------------------------------------------

plans = st.builds(
    lambda tp, pp, dp, chunks, passes, micro, **more: Plan(
        tp=tp, pp=pp, dp=dp, chunks=chunks if pp > 1 else 1.0, micro_batch=micro, global_batch=dp * micro * passes, **more
    ),
    tp=st.sampled_from([1.0, 2.0, 8.0]), pp=st.sampled_from([1.0, 2.0, 3.0, 8.0]), dp=st.sampled_from([1.0, 4.0, 32.0]),
    chunks=st.sampled_from([1.0, 2.0]), passes=st.floats(1.0, 20.0), micro=st.sampled_from([1.0, 2.0, 4.0]),
    cp=st.sampled_from([1.0, 2.0]), sequence=st.sampled_from([1024.0, 8192.0]),
    recompute_layer=st.sampled_from([0.0, 0.5, 1.0]), recompute_attention=st.sampled_from([0.0, 1.0]),
    sequence_parallel=st.sampled_from([0.0, 1.0]), shard_optimizer=st.sampled_from([0.0, 1.0]),
    offload_activations=st.sampled_from([0.0, 1.0]), trainable=st.sampled_from([0.005, 1.0]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(plans, st.sampled_from(["Llama-3-8B", "Mixtral-8x7B"]), st.sampled_from(["H100", "A100", "TPU-v5p"]))
def test_parts_sum_to_the_total_and_none_is_negative(plan: Plan, model: str, chip: str) -> None:
    found = step(on(model, chip), plan)
    parts = {name: float(getattr(found, name)) for name in PARTS}
    assert sum(parts.values()) == pytest.approx(float(found.total), rel=LIMIT)
    assert min(parts.values()) >= -LIMIT * float(found.total), parts
    assert np.isfinite(found.total)


@settings(deadline=None, max_examples=30)
@given(st.lists(plans, min_size=2, max_size=5), st.sampled_from(["Llama-3-8B", "Mixtral-8x7B"]))
def test_arrays_of_plans_agree_with_single_ones(several: list[Plan], model: str) -> None:
    where = on(model)
    stacked = Plan(**{f.name: np.array([float(getattr(p, f.name)) for p in several]) for f in fields(Plan)})
    together = step(where, stacked)
    for name in ("total", *PARTS):
        alone = [float(getattr(step(where, p), name)) for p in several]
        assert getattr(together, name) == pytest.approx(alone, rel=LIMIT, abs=1e-12), name


def test_the_bottleneck_is_the_largest_kind_of_part() -> None:
    assert step(on(), EIGHT).bottleneck == "compute"
    slow = on()
    slow = replace(slow, fabric=replace(slow.fabric, link=1e6))
    assert step(slow, EIGHT).bottleneck == "communication"
    assert step(on(), replace(EIGHT, dp=1.0, pp=8.0, global_batch=1.0)).bottleneck == "overhead"


# --- batch -----------------------------------------------------------------------------------------------------------


def test_twice_the_batch_is_twice_the_passes_and_one_update() -> None:
    where = on()
    one, two, three = (step(where, replace(EIGHT, pp=2.0, dp=4.0, global_batch=b)) for b in (64.0, 128.0, 192.0))
    for name in ("matmul", "attention", "elementwise", "head", "pipeline"):
        assert getattr(two, name) == pytest.approx(2 * float(getattr(one, name)))
    for name in ("bubble", "optimizer", "data"):
        assert getattr(two, name) == pytest.approx(float(getattr(one, name)))
    assert two.total - one.total == pytest.approx(float(three.total - two.total))
    assert one.total < two.total < 2 * one.total


@settings(deadline=None, max_examples=40)
@given(st.integers(8, 500), st.sampled_from([1.0, 2.0, 4.0]), st.sampled_from([1.0, 2.0, 3.0]))
def test_a_batch_that_does_not_divide_lies_between_its_neighbours(batch: int, micro: float, stage: float) -> None:
    sharded = {"shard_gradients": float(stage >= 2), "shard_weights": float(stage >= 3)}
    plan = replace(EIGHT, micro_batch=micro, **sharded)
    unit = int(8 * micro)
    low, high = max(batch // unit, 1) * unit, (max(batch // unit, 1) + 1) * unit
    below, between, above = (
        float(step(on(), replace(plan, global_batch=float(b))).total) for b in (low, max(batch, low), high)
    )
    assert below <= between * (1 + LIMIT)
    assert between <= above * (1 + LIMIT)


def test_a_replica_makes_one_pass_at_least() -> None:
    assert micro_batches(Plan(dp=8.0, micro_batch=4.0, global_batch=64.0)) == 2
    assert micro_batches(Plan(dp=8.0, micro_batch=4.0, global_batch=16.0)) == 1
    assert micro_batches(Plan(dp=8.0, micro_batch=4.0, global_batch=80.0)) == 2.5


# --- tensor, context and pipeline parallelism ------------------------------------------------------------------------


def test_tensor_parallelism_trades_matmuls_for_communication() -> None:
    found = [step(on(), Plan(tp=tp, global_batch=8.0, sequence=4096.0)) for tp in (1.0, 2.0, 4.0, 8.0)]
    assert np.all(np.diff([f.matmul for f in found]) < 0)
    assert found[0].tensor == 0
    assert all(f.tensor > 0 for f in found[1:])
    assert found[3].matmul == pytest.approx(float(found[0].matmul) / 8, rel=0.2)


def test_tensor_parallelism_beyond_a_domain_is_slow() -> None:
    where = on()
    near, far = (
        step(where, Plan(tp=8.0, global_batch=8.0), Placement(tp, 1.0, 1.0, 1.0, 0.0)).tensor for tp in (8.0, 1.0)
    )
    assert far > 3 * near


def test_sequence_parallel_communication_hides_behind_matmuls_and_all_reduces_do_not() -> None:
    where = on()
    plan = Plan(tp=8.0, global_batch=8.0, sequence=8192.0)
    split = replace(plan, sequence_parallel=1.0)
    shown = step(where, replace(split, tensor_overlap=0.0)).tensor
    assert step(where, split).tensor == pytest.approx(float(shown) * (1 - where.eff.tensor_overlap))
    assert step(where, plan).tensor == step(where, replace(plan, tensor_overlap=0.0)).tensor


def test_keeping_gathered_inputs_saves_a_gather_per_matmul_pair() -> None:
    plan = Plan(tp=8.0, global_batch=8.0, sequence=8192.0, sequence_parallel=1.0)
    again, kept = (step(on(), replace(plan, gather_again=g)).tensor for g in (1.0, 0.0))
    assert again == pytest.approx(1.25 * float(kept))  # ten collectives of a layer for eight


@settings(deadline=None, max_examples=40)
@given(plans)
def test_sequence_parallelism_never_uses_more_memory(plan: Plan) -> None:
    where = on()
    assert memory(where, replace(plan, sequence_parallel=1.0)) <= memory(where, replace(plan, sequence_parallel=0.0))


def test_context_parallelism_divides_activations_and_adds_communication() -> None:
    where = on()
    one, two = (Plan(cp=cp, global_batch=8.0, sequence=8192.0) for cp in (1.0, 2.0))
    kept = [train_memory(where.net, p, where.keeps, where.formats).activations for p in (one, two)]
    assert kept[1] == pytest.approx(float(kept[0]) / 2)
    assert step(where, one).context == 0
    assert step(where, two).context > 0
    assert step(where, two).matmul < 0.6 * step(where, one).matmul


def test_interleaving_shrinks_the_bubble_and_keeps_more() -> None:
    where = on()
    plan = Plan(pp=4.0, global_batch=16.0, sequence=4096.0)
    bubbles = [float(step(where, replace(plan, chunks=v)).bubble) for v in (1.0, 2.0, 4.0)]
    assert bubbles == pytest.approx([bubbles[0], bubbles[0] / 2, bubbles[0] / 4])
    kept = [
        train_memory(where.net, replace(plan, chunks=v), where.keeps, where.formats).activations for v in (1.0, 2.0)
    ]
    assert kept[1] / kept[0] == pytest.approx(5.5 / 4)
    sends = [float(step(where, replace(plan, chunks=v)).pipeline) for v in (1.0, 2.0)]
    assert sends[1] == pytest.approx(2 * sends[0])


def test_the_bubble_is_that_of_the_formula() -> None:
    where = on()
    where = replace(where, net=replace(where.net, head=0.0, vocab=0.0))  # no slow last stage
    found = step(where, Plan(pp=8.0, global_batch=16.0, sequence=4096.0))
    working = sum(float(getattr(found, name)) for name in ("matmul", "attention", "elementwise"))
    assert found.bubble / (working + found.bubble) == pytest.approx(7 / (16 + 7))


def test_sends_are_split_over_tensor_ranks() -> None:
    plan = Plan(tp=8.0, pp=2.0, global_batch=8.0, sequence=8192.0)
    split, whole = (step(on(), replace(plan, scatter_sends=s)).pipeline for s in (1.0, 0.0))
    assert 0 < split < whole


def test_the_usual_placement_fills_domains_from_the_inside() -> None:
    at = placed(Plan(tp=4.0, cp=2.0, dp=4.0), 8.0)
    assert (at.tp, at.cp, at.dp) == (4, 2, 1)
    assert placed(Plan(tp=2.0, dp=16.0), 8.0).dp == 4
    assert placed(Plan(tp=16.0), 8.0).tp == 8
    assert placed(Plan(tp=2.0, pp=2.0, dp=2.0), 8.0).stages_apart == 0
    assert placed(Plan(tp=8.0, pp=2.0), 8.0).stages_apart == 1


# --- recomputation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["Llama-3-8B", "Megatron-GPT-22B"])
def test_full_recomputation_adds_about_a_forward_pass(model: str) -> None:
    where = on(model)
    plan = replace(EIGHT, global_batch=512.0)
    none, full = (float(step(where, replace(plan, recompute_layer=r)).total) for r in (0.0, 1.0))
    assert 1.20 < full / none < 1.40


def test_recomputing_attention_costs_its_forward_pass() -> None:
    where = on("Megatron-GPT-22B", "A100", "bf16", "Megatron-2022")
    plan = Plan(tp=8.0, global_batch=8.0, sequence=2048.0)
    none, scores, full = (
        step(where, replace(plan, recompute_attention=a, recompute_layer=f))
        for a, f in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    )
    assert none.recompute == 0
    assert 0 < scores.recompute < none.attention / 2
    assert scores.recompute < 0.5 * full.recompute


def test_half_of_the_layers_cost_half_of_the_recomputation() -> None:
    half, full = (step(on(), replace(EIGHT, recompute_layer=r)).recompute for r in (0.5, 1.0))
    assert half == pytest.approx(float(full) / 2)


# --- replicas and sharding -------------------------------------------------------------------------------------------


def zero(stage: int, **more: float) -> Plan:
    return replace(
        EIGHT, shard_optimizer=float(stage >= 1), shard_gradients=float(stage >= 2), shard_weights=float(stage >= 3), **more
    )  # fmt: skip


def test_sharded_weights_add_communication() -> None:
    data = [float(step(on(), zero(s, data_overlap=0.0)).data) for s in (0, 1, 2, 3)]
    assert data[1] == pytest.approx(data[0], rel=0.3)  # a reduce-scatter and an all-gather for an all-reduce
    assert data[1] < data[2] < data[3]
    assert data[3] > 8 * data[1]  # for every one of eight passes


def test_one_replica_has_no_data_communication() -> None:
    for stage in (0, 1, 2, 3):
        assert step(on(), zero(stage, dp=1.0, tp=8.0)).data == 0


def test_gradients_hide_behind_the_backward_pass() -> None:
    where = on()
    shown, hidden = (float(step(where, zero(1, data_overlap=o)).data) for o in (0.0, 1.0))
    assert hidden == pytest.approx(shown * (1 - where.eff.data_overlap), rel=0.05)


def test_sharding_the_optimizer_divides_the_update() -> None:
    whole, parts = (step(on(), zero(s)).optimizer for s in (0, 1))
    assert parts == pytest.approx(float(whole) / 8)


def test_the_update_moves_states_gradients_and_weights() -> None:
    where = on()
    stream = where.device.bandwidth * min(where.eff.memory_efficiency * where.eff.memory_share, MOST_BANDWIDTH)
    bytes_per_weight = optimizer_traffic(where.formats.weight, where.formats.gradient, where.formats.state)
    assert step(where, Plan()).optimizer == pytest.approx(float(bytes_per_weight) * where.net.total / stream)


# --- offloading, adapters, formats -----------------------------------------------------------------------------------


def hosted(bandwidth: float) -> Setting:
    where = on()
    return replace(where, fabric=replace(where.fabric, host=bandwidth))


@pytest.mark.parametrize("what", ["offload_activations", "offload_weights"])
def test_offloading_costs_time_only_when_the_host_link_is_slow(what: str) -> None:
    plan = replace(EIGHT, **{what: 1.0})
    assert step(hosted(1e13), plan).offload == 0
    assert step(hosted(1e9), plan).offload > 0
    assert step(hosted(1e13), plan).total == step(hosted(1e13), EIGHT).total


def test_an_offloaded_optimizer_travels_both_ways_once_per_step() -> None:
    plan = replace(EIGHT, offload_optimizer=1.0)
    where = hosted(1e9)
    states = where.net.total / 8 * where.formats.state
    assert step(where, plan).offload == pytest.approx(2 * states / 1e9)


def test_a_plan_without_offloading_needs_no_host_link() -> None:
    assert step(hosted(float("nan")), EIGHT).offload == 0


def test_adapters_need_no_weight_gradients_and_hardly_an_update() -> None:
    full, adapter = (step(on(), replace(EIGHT, trainable=t)) for t in (1.0, 0.0))
    assert adapter.matmul / full.matmul == pytest.approx(2 / 3, rel=0.05)
    assert adapter.optimizer == 0
    assert adapter.data < full.data
    some = step(on(), replace(EIGHT, trainable=0.005))
    assert some.optimizer == pytest.approx(0.005 * float(full.optimizer))


def test_fp8_is_faster_than_bf16_where_the_chip_has_it() -> None:
    wide, narrow = (step(on("Llama-3-70B", "H100", p), replace(EIGHT, tp=8.0, dp=1.0)) for p in ("bf16", "fp8"))
    assert 0.5 < narrow.matmul / wide.matmul < 0.8
    assert narrow.total < wide.total
    assert narrow.attention == wide.attention  # computed in 16 bits


def test_fp8_on_a_chip_without_it_is_computed_in_16_bits() -> None:
    wide, narrow = (step(on("Llama-3-8B", "A100", p), EIGHT) for p in ("bf16", "fp8"))
    assert narrow.matmul == wide.matmul


def test_more_devices_than_a_domain_lose_a_little_per_doubling() -> None:
    where = on()
    jitter = replace(where, eff=replace(where.eff, scale_slowdown=0.01))
    still = replace(where, eff=replace(where.eff, scale_slowdown=0.0))
    for dp, share in ((8.0, 0.0), (16.0, 0.01), (64.0, 0.03)):
        plan = replace(EIGHT, dp=dp)
        assert step(jitter, plan).total == pytest.approx(float(step(still, plan).total) * (1 + share))


def test_unaligned_widths_miss_the_fast_kernels() -> None:
    where = on()
    odd = replace(where, net=replace(where.net, hidden=where.net.hidden + 32.0))
    assert step(odd, EIGHT).matmul > 1.2 * step(where, EIGHT).matmul


# --- experts ---------------------------------------------------------------------------------------------------------


def test_expert_parallelism_exchanges_tokens() -> None:
    where = on("Mixtral-8x7B")
    plan = Plan(dp=8.0, global_batch=64.0, sequence=4096.0, shard_optimizer=1.0)
    alone, spread = (step(where, replace(plan, ep=ep)) for ep in (1.0, 8.0))
    assert alone.expert == 0
    assert spread.expert > 0
    assert memory(where, replace(plan, ep=8.0)) < 0.5 * memory(where, plan)


def test_a_dense_model_has_no_expert_communication() -> None:
    assert step(on(), replace(EIGHT, tp=2.0, dp=4.0)).expert == 0


# --- utilisation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["GPT-3-175B", "Megatron-GPT-22B", "Megatron-GPT-1T"])
@pytest.mark.parametrize(("again", "factor", "per_head"), [(0.0, 72, 12), (1.0, 96, 16)])
def test_flops_of_a_gpt_are_those_of_narayanan(model: str, again: float, factor: int, per_head: int) -> None:
    net = transformer(load.model(model))
    plan = Plan(global_batch=64.0, sequence=2048.0, recompute_layer=again)
    rule = CONVENTIONS["hardware"]
    counted = counted_flops(net, plan, rule.causal, rule.recompute)
    layers, h, v = net.layers, net.hidden, net.vocab
    formula = factor * 64 * 2048 * layers * h**2 * (1 + 2048 / (6 * h) + v / (per_head * layers * h))
    assert counted == pytest.approx(formula, rel=2e-3)  # biases, norms and positions are weights too


def test_utilization_by_hand() -> None:
    assert utilization(1e15, 2.0, 4.0, 250e12) == 0.5


@settings(deadline=None, max_examples=40)
@given(plans.map(lambda plan: replace(plan, trainable=1.0)))
def test_no_plan_is_faster_than_the_peak(plan: Plan) -> None:
    where = on()
    flops = counted_flops(where.net, plan, 1.0, 1.0)
    assert 0 < utilization(flops, step(where, plan).total, plan.devices, where.device.peak) < 1


@pytest.mark.parametrize(
    ("batch", "dp", "micro", "passes"), [(128, 4, 1, 32), (130, 4, 1, 33), (130, 4, 2, 16.5), (3, 4, 1, 1)]
)
def test_the_replica_with_most_sequences_sets_the_pace(batch: int, dp: int, micro: int, passes: float) -> None:
    assert float(micro_batches(Plan(dp=dp, micro_batch=micro, global_batch=batch, sequence=1))) == passes
