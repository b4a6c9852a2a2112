"""Memory of a device that trains: every term by hand, what divides it, and the least recomputation that fits."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.calibration.cases import read_case
from mlsim.planner.training import Formats, Plan
from mlsim.planner.training_memory import TERMS, Keeps, TrainMemory, least_recompute, train_memory
from mlsim.planner.training_setup import formats_of, keeps_of
from mlsim.planner.transformer import Transformer, transformer
from mlsim.registry import load

PUBLISHED = Path(__file__).parents[1] / "validation" / "training.csv"


def tiny(**more: float) -> Transformer:
    """Return 2 layers of 4·64² + 2·64·256 = 49,152 weights, and a shared table of 1000·64."""
    dims = {"layers": 2, "hidden": 64, "heads": 4, "ffn": 256, "vocab": 1000, "ffn matrices": 2, "tied embeddings": 1}
    return transformer(load.model_from_pairs(list({**dims, **more}.items()), "tiny"))


TABLE, LAYER = 64_000.0, 49_152.0
KEEPS = Keeps(framework=1000.0, loss_bytes=6.0, dropout=0.0, fused_attention=1.0)
PLAN = Plan(micro_batch=2.0, global_batch=8.0, sequence=16.0)
TOKENS = 32.0
# inputs of two norms and of what follows each: 4 h; queries, keys, values, attention's output: 4 h; around the activation
# twice 4 h: 16 h = 1024 elements of 2 bytes
KEPT = 2.0 * 1024 * TOKENS


def need(plan: Plan = PLAN, keeps: Keeps = KEEPS, net: Transformer | None = None) -> TrainMemory:
    return train_memory(net or tiny(), plan, keeps)


# --- terms by hand ---------------------------------------------------------------------------------------------------


def test_every_term_of_a_tiny_model_by_hand() -> None:
    found = need()
    assert found.weights == 2 * (2 * LAYER + TABLE)
    assert found.gradients == 4 * (2 * LAYER + TABLE)
    assert found.optimizer == 12 * (2 * LAYER + TABLE)
    assert found.activations == 2 * KEPT
    assert found.working == 0
    assert found.loss == TOKENS * 1000 * 6
    assert found.framework == 1000


def test_terms_sum_to_the_total() -> None:
    found = need()
    assert found.total == sum(float(getattr(found, name)) for name in TERMS)


def test_two_tables_when_input_and_output_do_not_share_one() -> None:
    assert need(net=tiny(**{"tied embeddings": 0})).weights == 2 * (2 * LAYER + 2 * TABLE)


def test_masks_and_scores_are_kept_where_a_framework_keeps_them() -> None:
    masks = need(keeps=replace(KEEPS, dropout=1.0)).activations
    assert masks == 2 * (KEPT + TOKENS * 2 * 64)  # a byte per element, twice
    scores = need(keeps=replace(KEEPS, fused_attention=0.0)).activations
    assert scores == 2 * (KEPT + TOKENS * 5 * 4 * 16)  # 5 a s
    again = need(replace(PLAN, recompute_attention=1.0), replace(KEEPS, fused_attention=0.0)).activations
    assert again == 2 * KEPT


def test_recomputed_layers_keep_their_input_and_room_for_one() -> None:
    found = need(replace(PLAN, recompute_layer=1.0))
    assert found.activations == 2 * TOKENS * 64 * 2
    assert found.working == KEPT
    half = need(replace(PLAN, recompute_layer=0.5))
    assert half.activations == (2 * TOKENS * 64 * 2 + 2 * KEPT) / 2


def test_tensor_parallelism_splits_weights_logits_and_what_lies_within_the_layer() -> None:
    found = need(replace(PLAN, tp=2.0))
    assert found.weights == LAYER * 2 + TABLE
    assert found.loss == TOKENS * 500 * 6
    assert found.activations == 2 * 2 * TOKENS * (4 * 64 + 12 * 64 / 2)
    parallel = need(replace(PLAN, tp=2.0, sequence_parallel=1.0))
    assert parallel.activations == KEPT  # half of two layers


def test_kept_gathered_inputs_cost_what_sequence_parallelism_saved_of_them() -> None:
    plan = replace(PLAN, tp=2.0, sequence_parallel=1.0)
    more = need(replace(plan, gather_again=0.0)).activations - need(plan).activations
    assert more == 2 * TOKENS * 2 * (2 * 64) / 2  # two of the four inputs, whole instead of half


def test_sharding_divides_the_terms_of_its_stage() -> None:
    plan = replace(PLAN, dp=4.0)
    weights = 2 * LAYER + TABLE
    stages = [
        need(replace(plan, shard_optimizer=float(s >= 1), shard_gradients=float(s >= 2), shard_weights=float(s >= 3)))
        for s in range(4)
    ]
    assert [float(m.optimizer) for m in stages] == [12 * weights, *[3 * weights] * 3]
    assert [float(m.gradients) for m in stages] == [4 * weights, 4 * weights, weights, weights]
    assert [float(m.weights) for m in stages] == [2 * weights] * 3 + [weights / 2]
    assert [float(m.working) for m in stages] == [0, 0, 0, 2 * LAYER]  # the layer in work is whole


def test_shards_of_fewer_ranks_hold_more() -> None:
    plan = replace(PLAN, dp=8.0, shard_optimizer=1.0)
    assert need(replace(plan, shards=2.0)).optimizer == 4 * need(plan).optimizer


def test_weights_that_are_not_gathered_twice_stay_whole() -> None:
    plan = replace(PLAN, dp=4.0, shard_optimizer=1.0, shard_gradients=1.0, shard_weights=1.0, gather_twice=0.0)
    assert need(plan).weights == 2 * (2 * LAYER + TABLE)


def test_context_parallelism_splits_tokens_and_shards_too() -> None:
    found = need(replace(PLAN, cp=2.0, shard_optimizer=1.0))
    assert found.activations == KEPT
    assert found.loss == TOKENS * 1000 * 3
    assert found.optimizer == 6 * (2 * LAYER + TABLE)


def test_adapters_have_no_gradients_and_states_of_frozen_weights() -> None:
    full, adapter = need(), need(replace(PLAN, trainable=0.01))
    assert adapter.gradients == pytest.approx(0.01 * float(full.gradients))
    assert adapter.optimizer == pytest.approx(0.01 * float(full.optimizer))
    assert adapter.weights == full.weights


def test_offloading_leaves_two_layers() -> None:
    net = tiny(layers=20)
    assert need(replace(PLAN, offload_weights=1.0), net=net).weights == 2 * 2 * LAYER
    gone = need(replace(PLAN, offload_optimizer=1.0), net=net)
    assert gone.optimizer == 2 * 12 * LAYER
    assert gone.gradients == 2 * 4 * LAYER
    assert need(replace(PLAN, offload_activations=1.0), net=net).activations == 3 * KEPT


def test_an_offloaded_optimizer_is_divided_only_where_it_is_sharded() -> None:
    plan = replace(PLAN, dp=4.0, offload_optimizer=1.0)
    net = tiny(layers=20)
    assert need(replace(plan, shard_optimizer=1.0), net=net).optimizer == 2 * 12 * LAYER / 4
    assert need(plan, net=net).optimizer == 2 * 12 * LAYER


# --- stages ----------------------------------------------------------------------------------------------------------


def test_the_first_stage_decides_where_the_loss_is_small() -> None:
    found = need(replace(PLAN, pp=2.0), replace(KEEPS, loss_bytes=0.0))
    assert found.activations == 2 * KEPT  # one layer of two micro-batches
    assert found.weights == 2 * (LAYER + TABLE)
    assert found.loss == 0


def test_the_last_stage_decides_where_the_loss_is_large() -> None:
    found = need(replace(PLAN, pp=2.0), replace(KEEPS, loss_bytes=60.0))
    assert found.activations == KEPT
    assert found.loss == TOKENS * 1000 * 60


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([2.0, 4.0, 8.0]), st.floats(0.0, 100.0), st.sampled_from([1.0, 2.0]))
def test_a_pipeline_needs_what_its_larger_end_needs(stages: float, loss: float, chunks: float) -> None:
    net = tiny(layers=16)
    plan = replace(PLAN, pp=stages, chunks=chunks, global_batch=64.0)
    keeps = replace(KEEPS, loss_bytes=loss)
    both = float(need(plan, keeps, net).total)
    assert both >= float(need(plan, replace(KEEPS, loss_bytes=0.0), net).total)
    assert both >= float(need(plan, keeps, net).loss)


def test_layers_that_do_not_divide_are_rounded_up() -> None:
    found = need(replace(PLAN, pp=2.0), replace(KEEPS, loss_bytes=0.0), tiny(layers=5))
    assert found.weights == pytest.approx(2 * (3 * LAYER + TABLE))


def test_experts_are_split_over_expert_ranks() -> None:
    net = transformer(load.model("Mixtral-8x7B"))
    plan = Plan(dp=8.0, global_batch=8.0)
    one, eight = (need(replace(plan, ep=ep), net=net).weights for ep in (1.0, 8.0))
    routed = 8 * 32 * 3 * 4096 * 14336  # experts, layers, matrices
    assert one - eight == pytest.approx(2 * routed * 7 / 8)


# --- formulas of the paper -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["Megatron-GPT-22B", "GPT-3-175B", "Megatron-GPT-1T"])
@pytest.mark.parametrize("t", [1.0, 2.0, 8.0])
def test_activations_are_those_of_korthikanti(model: str, t: float) -> None:
    runtime = load.runtime("Megatron-2022")
    net, keeps = transformer(load.model(model)), keeps_of(runtime)
    formats = formats_of(runtime, load.precision("bf16"))
    s, b, h, a = 2048.0, 4.0, float(net.hidden), float(net.heads)

    def per_layer(**more: float) -> float:
        plan = Plan(tp=t, micro_batch=b, global_batch=b, sequence=s, **more)
        return float(train_memory(net, plan, keeps, formats).activations) / float(net.layers)

    scores = 5 * a * s / h
    assert per_layer() == pytest.approx(s * b * h * (10 + (24 + scores) / t))  # eq. 2
    assert per_layer(sequence_parallel=1.0) == pytest.approx(s * b * h * (34 + scores) / t)  # eq. 4
    assert per_layer(sequence_parallel=1.0, recompute_attention=1.0) == pytest.approx(34 * s * b * h / t)  # eq. 6
    assert per_layer(recompute_layer=1.0) == pytest.approx(2 * s * b * h)


def test_activations_of_an_interleaved_first_stage_are_those_of_korthikanti() -> None:
    runtime = load.runtime("Megatron-2022")
    net = transformer(load.model("GPT-3-175B"))
    plan = Plan(tp=8.0, pp=8.0, chunks=3.0, micro_batch=1.0, global_batch=64.0, sequence=2048.0, sequence_parallel=1.0,
                recompute_attention=1.0)  # fmt: skip
    found = train_memory(net, plan, keeps_of(runtime))
    layers = 96 * (1 + 7 / (8 * 3))  # L (1 + (p - 1) / (p m)), sec. 4.2.3
    assert found.activations == pytest.approx(layers * 34 * 2048 * 12288 / 8)


# --- least recomputation ---------------------------------------------------------------------------------------------

UNFUSED = replace(KEEPS, fused_attention=0.0)
DEEP = tiny(layers=32)


def test_nothing_is_recomputed_where_all_fits() -> None:
    found = least_recompute(DEEP, PLAN, UNFUSED, 1e12)
    assert (found.recompute_layer, found.recompute_attention) == (0, 0)


def test_only_attention_is_recomputed_where_that_suffices() -> None:
    whole = float(train_memory(DEEP, PLAN, UNFUSED).total)
    found = least_recompute(DEEP, PLAN, UNFUSED, whole - 1)
    assert (found.recompute_layer, found.recompute_attention) == (0, 1)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 1.0))
def test_as_many_layers_are_recomputed_as_need_be_and_not_one_more(between: float) -> None:
    least = float(train_memory(DEEP, replace(PLAN, recompute_layer=1.0), KEEPS).total)
    most = float(train_memory(DEEP, PLAN, KEEPS).total)
    capacity = least + between * (most - least) * (1 - 1e-9)
    found = least_recompute(DEEP, PLAN, KEEPS, capacity)
    share = float(found.recompute_layer)
    assert 32 * share == pytest.approx(round(32 * share))
    assert train_memory(DEEP, found, KEEPS).total <= capacity * (1 + 1e-9)
    fewer = replace(found, recompute_layer=share - 1 / 32)
    assert train_memory(DEEP, fewer, KEEPS).total > capacity or train_memory(DEEP, found, KEEPS).total == least


def test_all_layers_are_recomputed_where_nothing_fits() -> None:
    assert least_recompute(DEEP, PLAN, UNFUSED, 1000.0).recompute_layer == 1


def test_many_plans_at_once() -> None:
    batches = np.array([1.0, 8.0, 64.0, 512.0])
    plan = replace(PLAN, micro_batch=batches, global_batch=batches)
    found = least_recompute(DEEP, plan, UNFUSED, 40e6)
    for i, batch in enumerate(batches):
        alone = least_recompute(DEEP, replace(PLAN, micro_batch=batch, global_batch=batch), UNFUSED, 40e6)
        assert found.recompute_layer[i] == alone.recompute_layer
        assert found.recompute_attention[i] == alone.recompute_attention


# --- published runs --------------------------------------------------------------------------------------------------


def test_formats_of_a_precision() -> None:
    core = load.runtime("Megatron-Core")
    assert formats_of(core, load.precision("bf16")) == Formats(weight=2.0, gradient=2.0, state=12.0, reduced=2.0)
    assert formats_of(core, load.precision("fp8")).kept == 1.5  # half of it goes into a narrow matmul


def test_nothing_of_32_bit_training_is_in_16_bits() -> None:
    found = formats_of(load.runtime("Megatron-Core"), load.precision("fp32"))
    assert (found.weight, found.activation, found.kept, found.state) == (4, 4, 4, 8)
    assert (found.gradient, found.reduced, found.gathered) == (4, 4, 4)


def test_every_published_run_fits_its_chip() -> None:
    with PUBLISHED.open(newline="", encoding="utf-8") as file:
        cases = [read_case(row) for row in csv.DictReader(file) if row["family"] == "training"]
    assert len(cases) == 360
    needs = [train_memory(transformer(c.model), c.plan, keeps_of(c.runtime), c.formats).total for c in cases]
    beyond = [c.case_id for c, total in zip(cases, needs, strict=True) if total > c.chip.memory]
    assert beyond == []
