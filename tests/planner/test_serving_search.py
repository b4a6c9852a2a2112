"""The cheapest way to serve: targets are met, one replica fewer misses them, and what is impossible says why."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import pytest

from mlsim.errors import DomainError
from mlsim.physics.queueing import erlang_c, wait_quantile
from mlsim.planner import inference
from mlsim.planner.serving_search import Demand, Served, check_demand, search_serving
from mlsim.registry import load

MODEL, BF16, VLLM = load.model("Llama-3-70B"), load.precision("bf16"), load.runtime("vLLM")
DEMAND = Demand(rate=20.0, prompt=1024.0, output=256.0, ttft=2.0, tpot=0.03)
PRICES = {"H100": 4.0 / 3600, "MI300X": 2.5 / 3600}


@lru_cache
def search(demand: Demand = DEMAND, chips: Sequence[str] = ("H100", "MI300X"), priced: bool = True) -> list[Served]:
    prices = [PRICES[c] for c in chips] if priced else None
    return search_serving(MODEL, [load.chip(c) for c in chips], demand, BF16, BF16, VLLM, prices)


def possible(*args: object) -> list[Served]:
    return [s for s in search(*args) if not s.reason]  # type: ignore[arg-type]


def by_degree(demand: Demand) -> dict[tuple[str, int], float]:
    """Return devices per chip and tensor-parallel degree, infinite where impossible."""
    return {(s.chip, s.tp): math.inf if s.reason else s.devices for s in search(demand)}


# --- what is found ---------------------------------------------------------------------------------------------------


def test_every_degree_of_every_chip_has_an_answer() -> None:
    assert {(s.chip, s.tp) for s in search()} == {(c, t) for c in ("H100-SXM-80GB", "MI300X") for t in (1, 2, 4, 8)}
    assert len(possible()) >= 3


def test_results_meet_the_targets() -> None:
    for s in possible():
        assert s.ttft <= DEMAND.ttft
        assert s.tpot <= DEMAND.tpot
        assert s.batch >= 1
        assert 0 < s.busy < 1
        assert 0 <= s.waits <= 1


def test_cost_is_devices_times_price() -> None:
    for s in possible():
        assert s.devices == s.tp * s.replicas
        assert s.cost == pytest.approx(s.devices * PRICES["H100" if s.chip.startswith("H100") else "MI300X"])


def test_the_cheapest_comes_first_and_the_impossible_last() -> None:
    costs = [s.cost for s in possible()]
    assert costs == sorted(costs)
    assert [bool(s.reason) for s in search()] == sorted(bool(s.reason) for s in search())


def test_without_prices_the_fewest_devices_come_first() -> None:
    found = possible(DEMAND, ("H100", "MI300X"), False)
    assert [s.devices for s in found] == sorted(s.devices for s in found)
    assert all(math.isnan(s.cost) for s in found)


def test_times_are_those_of_the_engine() -> None:
    for s in possible():
        chip = load.chip(s.chip)
        load_ = (DEMAND.prompt, DEMAND.output, BF16, BF16, VLLM, s.tp)
        assert s.batch <= inference.in_flight(MODEL, chip, *load_)
        assert s.tpot == pytest.approx(float(inference.interleaved(MODEL, chip, float(s.batch), *load_).total))


def replicas_of(s: Served, fewer: int = 0) -> tuple[float, float]:
    """Return TTFT and the share that waits of a result with so many replicas fewer, from the queue itself."""
    first = float(inference.prefill(MODEL, load.chip(s.chip), 1.0, DEMAND.prompt, BF16, BF16, VLLM, s.tp).total)
    service = first + DEMAND.output * s.tpot
    slots, busy = (s.replicas - fewer) * s.batch, DEMAND.rate * service
    return float(wait_quantile(slots, busy, service, 0.9)) + first + s.tpot, float(erlang_c(slots, busy))


def test_the_wait_is_that_of_the_queue() -> None:
    for s in possible():
        assert (s.ttft, s.waits) == pytest.approx(replicas_of(s))


def test_one_replica_fewer_would_miss_a_target() -> None:
    for s in possible():
        assert replicas_of(s, 1)[0] > DEMAND.ttft


def test_no_other_batch_limit_needs_fewer_replicas() -> None:
    for s in possible():
        chip = load.chip(s.chip)
        load_ = (DEMAND.prompt, DEMAND.output, BF16, BF16, VLLM, s.tp)
        for batch in (1, 2, 4, 8, 16, 32, 64, 128):
            if batch > inference.in_flight(MODEL, chip, *load_):
                continue
            pace = float(inference.interleaved(MODEL, chip, float(batch), *load_).total)
            other = replace(s, batch=batch, tpot=pace)
            if pace <= DEMAND.tpot:
                assert replicas_of(other, 1)[0] > DEMAND.ttft


# --- order -----------------------------------------------------------------------------------------------------------


def test_a_higher_rate_needs_no_fewer_devices() -> None:
    needs = [by_degree(replace(DEMAND, rate=r)) for r in (1.0, 5.0, 20.0, 80.0)]
    for fewer, more in itertools.pairwise(needs):
        assert all(fewer[k] <= more[k] for k in fewer)


def test_a_tighter_tpot_needs_no_fewer_devices() -> None:
    needs = [by_degree(replace(DEMAND, tpot=t)) for t in (0.1, 0.05, 0.03, 0.02, 0.01)]
    for fewer, more in itertools.pairwise(needs):
        assert all(fewer[k] <= more[k] for k in fewer)


def test_a_tighter_ttft_and_a_higher_quantile_need_no_fewer_devices() -> None:
    loose, tight = (by_degree(replace(DEMAND, ttft=t)) for t in (5.0, 0.2))
    assert all(loose[k] <= tight[k] for k in loose)
    most, nearly_all = (by_degree(replace(DEMAND, quantile=q)) for q in (0.5, 0.999))
    assert all(most[k] <= nearly_all[k] for k in most)


def test_many_replicas_share_a_queue_and_are_busier() -> None:
    few, many = (
        next(s for s in search(replace(DEMAND, rate=r), ("H100",)) if s.tp == 4 and not s.reason) for r in (1.0, 100.0)
    )
    assert many.busy > few.busy


# --- what is impossible ----------------------------------------------------------------------------------------------


def test_a_model_that_does_not_fit_says_so() -> None:
    alone = next(s for s in search() if s.chip.startswith("H100") and s.tp == 1)
    assert "no room" in alone.reason
    assert (alone.replicas, alone.devices) == (0, 0)


def test_an_impossible_tpot_says_what_is_reached() -> None:
    found = search(replace(DEMAND, tpot=0.001))
    assert all(s.reason for s in found)
    assert any("TPOT is" in s.reason and "above 1 ms" in s.reason for s in found)


def test_an_impossible_ttft_says_what_is_reached() -> None:
    found = search(replace(DEMAND, ttft=0.001))
    assert all(s.reason for s in found)
    assert any("TTFT is" in s.reason and "without any wait, above 1 ms" in s.reason for s in found)


def test_an_endless_rate_needs_too_many_replicas() -> None:
    assert any("More than 4,096 replicas" in s.reason for s in search(replace(DEMAND, rate=1e6)))


def test_a_chip_without_links_serves_alone() -> None:
    own = load.chip_from_pairs([("memory bandwidth", "3.35 TB/s"), ("bf16 peak", "989 TFLOP/s"), ("memory", "200 GB")])
    found = search_serving(MODEL, [own], replace(DEMAND, tpot=0.1), BF16, BF16, VLLM)
    assert [s.tp for s in found] == [1]
    assert not found[0].reason


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rate": 0.0}, "rate must be above 0"), ({"rate": math.nan}, "rate"), ({"rate": math.inf}, "rate"),
        ({"prompt": -1.0}, "prompt"), ({"output": 0.0}, "output"), ({"ttft": 0.0}, "ttft"), ({"tpot": 0.0}, "tpot"),
        ({"quantile": 1.0}, "quantile"), ({"quantile": 90.0}, "90 % is 0.9"), ({"quantile": -0.1}, "quantile"),
    ],
)  # fmt: skip
def test_a_demand_that_no_queue_has(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(DomainError) as caught:
        check_demand(replace(DEMAND, **wrong))
    assert words in caught.value.message


def test_a_usual_demand_is_none_of_them() -> None:
    check_demand(DEMAND)
