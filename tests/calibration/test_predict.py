"""Predictions of mixed tables: order, independence of the rows, what is not read, and the width of intervals."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.arrays import stack
from mlsim.calibration.accuracy import Outcome, predict_rows
from mlsim.calibration.cases import Case, read_case
from mlsim.calibration.predict import Prediction, evaluate, predictions, stacked
from mlsim.errors import CellError
from mlsim.functions import call
from mlsim.planner.machine import PARAMETERS, Efficiency, efficiency, spread
from mlsim.registry import load

MEASURED = Path(__file__).parents[1] / "validation" / "measurements.csv"
BASE = {
    "case_id": "c", "family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100",
    "context_len": "1024", "software": "vLLM",
}  # fmt: skip
ONLINE = {"family": "serving_online", "input_len": "1024", "output_len": "256", "batch": "16"}
OFFLINE = {**ONLINE, "family": "serving_offline", "metric": "output_tokens_per_s_per_device", "batch": ""}


def table() -> list[dict[str, str]]:
    with MEASURED.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


TABLE = table()


def predicted(**changes: str) -> Prediction:
    outcome = predict_rows([{**BASE, **changes}])[0]
    assert outcome.prediction, outcome.message
    return outcome.prediction


def value(**changes: str) -> float:
    return predicted(**changes).value


def same(one: Outcome, other: Outcome) -> bool:
    if one.prediction is None or other.prediction is None:
        return one == other
    numbers = [[p.value, p.low, p.high] for p in (one.prediction, other.prediction)]
    return np.allclose(*numbers, rtol=1e-12, atol=0) and one.prediction.bottleneck == other.prediction.bottleneck


# --- tables ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, len(TABLE) - 1), min_size=1, max_size=25))
def test_a_mixed_table_equals_its_rows_one_by_one(chosen: list[int]) -> None:
    rows = [TABLE[i] for i in chosen]
    together = predict_rows(rows)
    assert [o.case_id for o in together] == [row["case_id"] for row in rows]
    assert all(same(o, predict_rows([row])[0]) for o, row in zip(together, rows, strict=True))


BAD = [
    {"model": "no such model"}, {"hardware": "no such chip"}, {"batch": "x"}, {"batch": "-1"}, {"family": "training"},
    {"weight_precision": "bf17"}, {"tp": "1000"}, {"model": "ResNet-50"}, {"hardware": "K80"}, {"context_len": "inf"},
    {"family": "prefill", "metric": "ttft", "input_len": "0"},
]  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(st.lists(st.one_of(st.sampled_from(BAD), st.integers(0, len(TABLE) - 1)), min_size=1, max_size=20))
def test_bad_rows_spoil_no_others(mixture: list) -> None:
    rows = [TABLE[x] if isinstance(x, int) else {**BASE, **x} for x in mixture]
    outcomes = predict_rows(rows)
    assert len(outcomes) == len(rows)
    alone = iter(predict_rows([TABLE[x] for x in mixture if isinstance(x, int)]))
    for x, outcome in zip(mixture, outcomes, strict=True):
        if isinstance(x, int):
            assert same(outcome, next(alone))
        else:
            assert outcome.message or outcome.prediction


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, len(TABLE) - 1), min_size=1, max_size=10), st.text(max_size=20))
def test_measured_is_never_read(chosen: list[int], written: str) -> None:
    rows = [TABLE[i] for i in chosen]
    without = [{k: v for k, v in row.items() if k != "measured"} for row in rows]
    changed = [{**row, "measured": written} for row in rows]
    found = predict_rows(rows)
    assert [o.prediction for o in found] == [o.prediction for o in predict_rows(without)]
    assert [o.prediction for o in found] == [o.prediction for o in predict_rows(changed)]


def test_no_rows_no_predictions() -> None:
    assert predict_rows([]) == []
    assert predictions([]) == []


def test_repeated_rows_and_missing_ids_keep_their_places() -> None:
    nameless = {k: v for k, v in BASE.items() if k != "case_id"}
    outcomes = predict_rows([BASE, nameless, {**BASE, "model": "?"}, BASE])
    assert [o.case_id for o in outcomes] == ["c", "", "c", "c"]
    assert outcomes[0].prediction == outcomes[3].prediction == outcomes[1].prediction
    assert outcomes[2].prediction is None
    assert (outcomes[0].unit, outcomes[2].unit) == ("ms", "")


def test_stacks_hold_every_case_once() -> None:
    cases = [read_case(row) for row in (BASE, {**BASE, **ONLINE}, BASE, {**BASE, **OFFLINE})]
    found = stacked(cases)
    assert {s.kind for s in found} == {"decode", "interleaved", "saturated"}
    assert sorted(np.concatenate([s.index for s in found]).tolist()) == [0, 1, 2, 3]


# --- agreement with the sheet functions ------------------------------------------------------------------------------


def test_the_table_and_the_functions_are_one_model() -> None:
    load_ = {"input_len": "1024", "output_len": "256"}
    assert value(batch="4") == pytest.approx(call("MLSIM_TPOT", ["Llama-3-8B", "H100", 4, 1024]))
    ttft = value(family="prefill", metric="ttft", batch="2", input_len="1024")
    assert ttft == pytest.approx(call("MLSIM_TTFT", ["Llama-3-8B", "H100", 2, 1024]))
    online = value(**{**ONLINE, "metric": "tpot"})
    assert online == pytest.approx(call("MLSIM_SERVING_TPOT", ["Llama-3-8B", "H100", 16, 1024, 256]))
    assert value(**OFFLINE) == pytest.approx(call("MLSIM_SERVING_RATE", ["Llama-3-8B", "H100", 1024, 256]))
    static = value(**{**OFFLINE, "batch": "32"})
    assert static == pytest.approx(call("MLSIM_THROUGHPUT", ["Llama-3-8B", "H100", 32, 1024, 256]))
    latency = value(family="end_to_end", metric="latency", **load_)
    tokens = call("MLSIM_THROUGHPUT", ["Llama-3-8B", "H100", 1, 1024, 256])
    assert latency == pytest.approx(256 / tokens * 1e3)
    prefix = value(family="prefill", metric="ttft", input_len="512", note="at depth 3584")
    assert prefix == pytest.approx(call("MLSIM_PREFIX_LATENCY", ["Llama-3-8B", "H100", 1, 512, 3584]))


def test_rates_are_per_device() -> None:
    two = call("MLSIM_SERVING_RATE", ["Llama-3-70B", "H100", 1024, 256, "fp8", 2])
    row = value(**{**OFFLINE, "model": "Llama-3-70B", "weight_precision": "fp8", "tp": "2"})
    assert row == pytest.approx(two / 2)


def test_memory_by_hand() -> None:
    weights = value(family="memory", metric="weight_bytes_per_device", tp="2", model="Llama-3-8B")
    assert weights == pytest.approx(8.03e9 * 2 / 2 / 2**30, rel=1e-3)
    token = value(family="memory", metric="kv_bytes_per_token_per_device")
    assert token == 32 * 2 * 8 * 128 * 2
    assert value(family="memory", metric="kv_bytes_per_token_per_device", kv_precision="fp8") == token / 2
    pool = value(family="memory", metric="kv_pool_tokens")
    assert 0.5 * 81559 * 2**20 < pool * token < 0.9 * 81559 * 2**20


def test_an_engine_without_room_for_one_request_is_told() -> None:
    row = {**BASE, **OFFLINE, "model": "Llama-3-70B"}
    with pytest.raises(CellError, match="no room"):
        call("MLSIM_SERVING_RATE", ["Llama-3-70B", "H100", 1024, 256])
    outcome = predict_rows([row])[0]
    assert outcome.prediction is None or outcome.prediction.bottleneck == "capacity" or outcome.message


# --- intervals -------------------------------------------------------------------------------------------------------


def width(**changes: str) -> float:
    found = predicted(**changes)
    return found.high / found.low


def test_every_interval_holds_its_value() -> None:
    for outcome in predict_rows(TABLE):
        if outcome.prediction:
            p = outcome.prediction
            assert 0 < p.low < p.value < p.high < math.inf, outcome.case_id


def test_an_interval_is_symmetric_in_logarithms_and_not_below_its_kind() -> None:
    found = predicted()
    assert found.low * found.high == pytest.approx(found.value**2)
    assert math.log(found.high / found.value) >= 1.2816 * load.kind_spread("decode")
    sized = predicted(family="memory", metric="kv_bytes_per_token_per_device")
    assert math.log(sized.high / sized.value) == pytest.approx(1.2816 * load.kind_spread("token"), rel=1e-3)


@pytest.mark.parametrize("changes", [{"batch": "1"}, {"batch": "64"}, {**ONLINE, "metric": "tpot"}])
def test_intervals_are_wider_for_a_runtime_without_measurements(changes: dict[str, str]) -> None:
    assert sum(f.source == "mlsim-fit" for f in load.runtime("vLLM").figures.values()) > 5
    assert not any(f.source == "mlsim-fit" for f in load.runtime("default").figures.values())
    assert width(**changes, software="an engine of our own") > width(**changes, software="vLLM")


def test_intervals_are_wider_for_a_chip_class_without_measurements() -> None:
    hopper = read_case(BASE)
    unknown = replace(hopper, chip=load.chip_from_pairs([
        ("memory bandwidth", "3.35 TB/s"), ("bf16 peak", "989 TFLOP/s"), ("memory", "80 GB"),
    ]))  # fmt: skip
    assert unknown.chip.chip_class == "default"
    known, own = predictions([hopper, unknown])
    assert own.high / own.low > known.high / known.low


def test_parameters_may_be_given() -> None:
    case = read_case(BASE)
    value_, width_ = efficiency(case.chip, case.runtime), spread(case.chip, case.runtime)
    given_ = predictions([case, case], (stack([value_, replace(value_, step_overhead=1.0)]), stack([width_, width_])))
    assert given_[0] == predictions([case])[0]
    assert given_[1].value == pytest.approx(given_[0].value - value_.step_overhead * 1e3 + 1000)


def test_the_width_follows_the_slope() -> None:
    """With one uncertain parameter the interval is that parameter's spread times its elasticity, as far as it counts."""
    case = read_case(BASE)
    eff = efficiency(case.chip, case.runtime)
    loose = Efficiency(**{**dict.fromkeys(PARAMETERS, 0.0), "memory_efficiency": 0.3})
    s = stacked([case])[0]
    values = [float(evaluate(s, stack([replace(eff, memory_efficiency=eff.memory_efficiency * f)])).value[0])
              for f in (1.0, 1.001)]  # fmt: skip
    slope = math.log(values[1] / values[0]) / 1e-3
    found = predictions([case], (stack([eff]), stack([loose])))[0]
    counted = math.sqrt(load.parameter_share("decode"))
    sigma = math.hypot(load.kind_spread("decode"), counted * slope * 0.3)
    assert math.log(found.high / found.value) == pytest.approx(1.2816 * sigma, rel=1e-3)


# --- directions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("software", ["vLLM", "TensorRT-LLM", "SGLang", "llama.cpp"])
def test_times_grow_and_rates_fall(software: str) -> None:
    context = [value(software=software, context_len=str(c)) for c in (128, 1024, 8192, 65536)]
    assert context == sorted(context)
    prompt = [
        value(software=software, family="prefill", metric="ttft", input_len=str(n)) for n in (128, 1024, 4096, 32768)
    ]
    assert prompt == sorted(prompt)
    online = [value(software=software, **{**ONLINE, "metric": "tpot", "batch": str(b)}) for b in (1, 8, 64, 256)]
    assert online == sorted(online)
    offline = [value(software=software, **{**OFFLINE, "input_len": str(n)}) for n in (128, 1024, 4096)]
    assert offline == sorted(offline, reverse=True)


def test_large_models_decode_faster_on_more_devices_but_not_in_a_layer_split() -> None:
    tensor = [value(model="Llama-3-70B", tp=str(tp)) for tp in (1, 2, 4, 8)]
    assert tensor == sorted(tensor, reverse=True)
    layers = [value(model="Llama-3-70B", software="llama.cpp", num_devices=str(n)) for n in (1, 2, 4)]
    assert layers == sorted(layers)


def test_a_case_is_plain_data() -> None:
    case = read_case(BASE)
    assert isinstance(case, Case)
    assert case == read_case(dict(BASE))
