"""The search over training plans: complete, at least as fast as anything else, and able to say why a region is empty."""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mlsim.planner.training import Placement, Plan, train_step
from mlsim.planner.training_memory import train_memory
from mlsim.planner.training_search import SPACES, Found, Job, regions_without, search_training
from mlsim.planner.training_setup import Setting, setting
from mlsim.planner.transformer import transformer
from mlsim.registry import load

USUAL = SPACES["usual"]


def on(model: str, chip: str) -> Setting:
    return setting(load.model(model), load.chip(chip), load.precision("bf16"), load.runtime("Megatron-Core"))


GPT3 = Job(on("GPT-3-175B", "A100-SXM4-80GB"), 64, 64, 2048)


def evaluated(job: Job, plan: Plan, placement: Placement | None = None) -> tuple[float, float]:
    """Return the step time and the memory of one plan."""
    where = job.on
    step = train_step(where.net, where.device, where.fabric, where.eff, plan, where.formats, placement)
    return float(step.total), float(train_memory(where.net, plan, where.keeps, where.formats).total)


@pytest.fixture(scope="module")
def calculon() -> Found:
    return search_training(GPT3, SPACES["calculon"], 20)


@pytest.fixture(scope="module")
def any_micro_batch() -> Found:
    return search_training(GPT3, SPACES["calculon, any micro-batch"], 5)


@pytest.fixture(scope="module")
def usual() -> Found:
    return search_training(GPT3, USUAL, 20)


# --- the space of Calculon -------------------------------------------------------------------------------------------


def test_the_space_has_as_many_plans_as_that_tool_counts(calculon: Found) -> None:
    assert calculon.plans == 666_368


def test_regions_count_every_plan(calculon: Found, usual: Found) -> None:
    for found in (calculon, usual):
        assert sum(r.plans for r in found.regions) == found.plans
        assert sum(r.feasible for r in found.regions) == found.feasible
        degrees = [(r.tp, r.pp, r.cp, r.ep, r.dp) for r in found.regions]
        assert len(set(degrees)) == len(degrees)
        assert all(math.prod((tp, pp, cp, dp)) == 64 for tp, pp, cp, _, dp in degrees)


def drawn(seed: int) -> Iterator[tuple[Plan, Placement]]:
    """Draw plans of micro-batch 1 whose groups lie in a domain of 8, or on the network, as they are assigned."""
    chance = random.Random(seed)
    divisors = [d for d in range(1, 97) if 96 % d == 0]

    def flip(possible: bool = True) -> float:
        return float(possible and chance.random() < 0.5)

    while True:
        tp, pp = chance.choice([1, 2, 4, 8, 16, 32]), chance.choice([1, 2, 4, 8, 16, 32])
        if 64 % (tp * pp) or tp * pp > 64:
            continue
        dp = 64 // (tp * pp)
        out = {"tp": flip(tp > 1), "pp": flip(pp > 1), "dp": flip(dp > 1)}
        inside = math.prod(n for n, name in ((tp, "tp"), (pp, "pp"), (dp, "dp")) if not out[name])
        if 8 % inside:
            continue
        layer, split, sharded = flip(), flip(), flip(dp > 1)
        chunks = chance.choice([d for d in divisors if (96 // pp) % d == 0]) if pp > 1 else 1
        plan = Plan(
            tp=tp, pp=pp, dp=dp, chunks=chunks, micro_batch=1, global_batch=64, sequence=2048, recompute_layer=layer,
            recompute_attention=0.0 if layer else flip(), sequence_parallel=split,
            scatter_sends=1.0 if split else flip(), gather_again=flip() if split and not layer else 1.0,
            shard_optimizer=sharded, shard_gradients=sharded,
            tensor_overlap=chance.choice([0.0, 0.5, 1.0]) if tp > 1 else 0.0, data_overlap=flip() if dp > 1 else 1.0,
            offload_weights=flip(), offload_activations=0.0 if layer else flip(), offload_optimizer=flip(),
        )  # fmt: skip
        yield plan, Placement(1 if out["tp"] else tp, 1, 1, 1 if out["dp"] else dp, out["pp"])


def test_no_plan_of_a_random_sample_is_faster(calculon: Found) -> None:
    feasible = []
    for plan, placement in drawn(0):
        seconds, need = evaluated(GPT3, plan, placement)
        if need <= GPT3.on.capacity:
            feasible.append(seconds)
        if len(feasible) == 500:
            break
    assert calculon.ranked[0].seconds <= min(feasible)


def test_the_published_optimum_of_any_micro_batch_fits_and_is_not_faster(any_micro_batch: Found) -> None:
    plan = Plan(
        tp=4, pp=2, dp=8, chunks=48, micro_batch=4, global_batch=64, sequence=2048, recompute_attention=1.0,
        shard_optimizer=1.0, shard_gradients=1.0, sequence_parallel=1.0, gather_again=0.0, offload_activations=1.0,
        offload_optimizer=1.0,
    )  # fmt: skip
    seconds, need = evaluated(GPT3, plan, Placement(4, 1, 1, 1, 0))
    assert need <= GPT3.on.capacity
    assert any_micro_batch.ranked[0].seconds <= seconds


def test_the_published_optimum_of_micro_batch_1_fits_and_is_not_faster(calculon: Found) -> None:
    plan = Plan(tp=8, pp=8, chunks=6, global_batch=64, sequence=2048, sequence_parallel=1.0, gather_again=0.0)
    seconds, need = evaluated(GPT3, plan, Placement(8, 1, 1, 1, 1))
    assert need <= GPT3.on.capacity
    assert calculon.ranked[0].seconds <= seconds


def test_more_micro_batches_to_choose_from_are_never_slower(calculon: Found, any_micro_batch: Found) -> None:
    assert any_micro_batch.plans > calculon.plans
    assert any_micro_batch.ranked[0].seconds <= calculon.ranked[0].seconds


# --- what is found ---------------------------------------------------------------------------------------------------


def test_ranked_plans_are_sorted_and_fit(calculon: Found, usual: Found) -> None:
    for found in (calculon, usual):
        assert len(found.ranked) == 20
        seconds = [r.seconds for r in found.ranked]
        assert seconds == sorted(seconds)
        assert all(r.memory <= GPT3.on.capacity for r in found.ranked)


def test_a_ranked_plan_carries_its_own_time_and_memory(usual: Found) -> None:
    for r in (*usual.ranked, *usual.pareto):
        assert (r.seconds, r.memory) == pytest.approx(evaluated(GPT3, r.plan))
        assert float(r.step.total) == pytest.approx(r.seconds)
        assert float(r.terms.total) == pytest.approx(r.memory)
        assert r.plan.devices == 64


def test_no_plan_of_the_front_dominates_another(calculon: Found, usual: Found) -> None:
    for found in (calculon, usual):
        front = [(r.seconds, r.memory) for r in found.pareto]
        assert len(front) > 2
        for one, other in itertools.permutations(front, 2):
            assert not (one[0] <= other[0] and one[1] <= other[1])


def test_the_fastest_of_the_front_is_the_fastest(calculon: Found, usual: Found) -> None:
    for found in (calculon, usual):
        assert min(r.seconds for r in found.pareto) == found.ranked[0].seconds
        assert [r.memory for r in found.pareto] == sorted(r.memory for r in found.pareto)


def test_no_ranked_plan_beats_the_front(usual: Found) -> None:
    for r in usual.ranked:
        assert any(f.seconds <= r.seconds and f.memory <= r.memory for f in usual.pareto)


def test_a_longer_list_starts_with_the_shorter_one(usual: Found) -> None:
    assert [r.seconds for r in search_training(GPT3, USUAL, 3).ranked] == [r.seconds for r in usual.ranked[:3]]


def test_progress_counts_every_plan() -> None:
    counts: list[int] = []
    found = search_training(GPT3, USUAL, 1, counts.append)
    assert sum(counts) == found.plans


# --- regions ---------------------------------------------------------------------------------------------------------


TIGHT = Job(on("Llama-3-70B", "H100"), 16, 64, 4096)


@pytest.mark.parametrize("job", [TIGHT, replace(GPT3, devices=32)])
def test_every_infeasible_region_says_why(job: Job) -> None:
    found = search_training(job, USUAL)
    closed = regions_without(found)
    assert len(closed) == sum(not r.feasible for r in found.regions) > 0
    assert [r.least_memory for r in closed] == sorted(r.least_memory for r in closed)
    for region in closed:
        assert region.least_memory > job.on.capacity
        assert region.reason(job.on.capacity) == (
            f"tp {region.tp} · pp {region.pp} · cp {region.cp} · ep {region.ep} · dp {region.dp}: the leanest of "
            f"{region.plans:,} plans needs {region.least_memory / 2**30:,.1f} GiB, {region.largest_term} most of it; a "
            f"device has {job.on.capacity / 2**30:,.1f} GiB."
        )


def test_the_term_named_is_the_largest_of_the_leanest_plan() -> None:
    region = regions_without(search_training(replace(GPT3, devices=1), USUAL))[0]
    assert region.largest_term == "optimizer"  # 12 of 16 bytes per weight, and nobody to share them with


def test_a_feasible_region_has_no_reason(usual: Found) -> None:
    assert all(r.feasible for r in usual.regions)
    assert {r.reason(GPT3.on.capacity) for r in usual.regions} == {""}


def test_nothing_fits_one_device() -> None:
    found = search_training(replace(GPT3, devices=1), USUAL)
    assert (found.feasible, found.ranked, found.pareto) == (0, [], [])
    assert len(found.regions) == 1


# --- other models and spaces -----------------------------------------------------------------------------------------


def test_experts_are_spread() -> None:
    found = search_training(Job(on("Mixtral-8x7B", "H100"), 64, 128, 4096), USUAL, 10)
    assert {r.ep for r in found.regions} == {1, 2, 4, 8}
    assert any(r.plan.ep > 1 for r in found.ranked)


def test_no_plan_has_more_stages_than_layers() -> None:
    found = search_training(Job(on("DeepSeek-V3", "H100"), 64, 128, 4096), USUAL, 1)  # 61 layers
    assert max(r.pp for r in found.regions) <= 61


def test_long_sequences_are_split() -> None:
    found = search_training(Job(on("Llama-3-8B", "H100"), 8, 8, 32768), USUAL, 1)
    assert {r.cp for r in found.regions} == {1, 2, 4, 8}


def test_offloading_makes_more_plans_fit() -> None:
    job = Job(on("GPT-3-175B", "A100-SXM4-80GB"), 16, 64, 2048)
    assert search_training(job, USUAL).feasible == 0
    assert search_training(job, SPACES["offload"]).feasible > 0


def test_the_offload_space_holds_the_usual_one(usual: Found) -> None:
    wider = search_training(GPT3, SPACES["offload"], 1)
    assert wider.plans > usual.plans
    assert wider.ranked[0].seconds <= usual.ranked[0].seconds


# --- brute force -----------------------------------------------------------------------------------------------------

SMALL = {"layers": 6, "hidden": 1024, "heads": 8, "kv heads": 8, "ffn": 4096, "vocab": 32000}
POWERS = (1, 2, 4, 8)


def small_job(capacity: float, layers: int = 6, fused: float = 1.0) -> Job:
    where = on("Llama-3-8B", "H100")
    where = replace(where, keeps=replace(where.keeps, fused_attention=fused))
    net = transformer(load.model_from_pairs(list({**SMALL, "layers": layers}.items()), "small"))
    return Job(replace(where, net=net, capacity=capacity), 8, 24, 1024)


def every_plan(job: Job) -> Iterator[Plan]:
    """Yield what "usual" means: powers of two, whole stages, ZeRO 0, 1 or 3, micro-batches that divide."""
    layers = int(job.on.net.layers)
    recompute = [(0, 0), (1, 0)] if job.on.keeps.fused_attention else [(0, 0), (0, 1), (1, 0)]
    for tp, pp, dp in itertools.product(POWERS, POWERS, POWERS):
        if tp * pp * dp != 8 or layers % pp:
            continue
        for chunks, micro in itertools.product(range(1, 17), range(1, 17)):
            if (layers // pp) % chunks or (pp == 1 and chunks > 1) or (24 // dp) % micro:
                continue
            for (layer, scores), stage in itertools.product(recompute, (0, 1, 3)):
                if stage and dp == 1:
                    continue
                yield Plan(
                    tp=tp, pp=pp, dp=dp, chunks=chunks, micro_batch=micro, global_batch=24, sequence=1024,
                    recompute_layer=layer, recompute_attention=scores, sequence_parallel=float(tp > 1),
                    shard_optimizer=float(stage >= 1), shard_gradients=float(stage >= 3), shard_weights=float(stage >= 3),
                )  # fmt: skip


@pytest.mark.parametrize("capacity", [80e9, 2.5e9])
@pytest.mark.parametrize("fused", [0.0, 1.0])
def test_the_search_agrees_with_brute_force(capacity: float, fused: float) -> None:
    job = small_job(capacity, fused=fused)
    plans = [evaluated(job, plan) for plan in every_plan(job)]
    feasible = sorted(seconds for seconds, need in plans if need <= capacity)
    found = search_training(job, USUAL, 10)
    assert found.plans == len(plans)
    assert found.feasible == len(feasible)
    assert 0 < len(feasible) <= len(plans)
    assert [r.seconds for r in found.ranked] == pytest.approx(feasible[:10])


def test_the_fastest_of_each_split_agrees_with_brute_force() -> None:
    job = small_job(2.5e9)
    fastest: dict[tuple[float, float], float] = {}
    for plan in every_plan(job):
        seconds, need = evaluated(job, plan)
        if need <= job.on.capacity:
            split = float(plan.tp), float(plan.pp)
            fastest[split] = min(fastest.get(split, seconds), seconds)
    found = search_training(job, USUAL, 100)
    assert {(float(r.plan.tp), float(r.plan.pp)): r.seconds for r in found.splits} == pytest.approx(fastest)
    assert [r.seconds for r in found.splits] == sorted(fastest.values())
    assert found.splits[0].plan == found.ranked[0].plan


def test_a_capacity_of_brute_force_bites() -> None:
    assert search_training(small_job(2.5e9), USUAL).feasible < search_training(small_job(80e9), USUAL).feasible
