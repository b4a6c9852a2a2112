"""The functions of training, communication and plans: plausible values, ranges, and one sentence for every mistake."""

import math
from typing import Any

import pytest

from mlsim.errors import CellError
from mlsim.functions import call, call_many
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.planner.training import PARTS
from mlsim.planner.training_memory import TERMS

JOB = ("Llama-3-70B", "H100", 64, 128, 8192, 4, 4)
SMALL = ("Llama-3-8B", "H100", 8, 64, 4096)
FULL = (1, "full", "ZeRO-1", "bf16", "Megatron-Core", 1, 1, 1)  # what follows tp and pp
MOE = ("Mixtral-8x7B", "H100", 64, 128, 4096)
TIMED = ("MLSIM_TRAIN_STEP", "MLSIM_TRAIN_MEMORY", "MLSIM_MFU", "MLSIM_TRAIN_PARTS", "MLSIM_TRAIN_MEMORY_PARTS")


def error(name: str, *args: object) -> CellError:
    with pytest.raises(CellError) as caught:
        call(name, args)
    assert 20 < len(caught.value.message) < 500
    return caught.value


def with_tokens(args: tuple[Any, ...], tokens: object = "15 Ttoken") -> tuple[Any, ...]:
    return (*args[:2], tokens, *args[2:])


# --- a step ----------------------------------------------------------------------------------------------------------


def test_a_step_takes_a_plausible_time() -> None:
    # 128 · 8192 tokens · 6 · 70.6e9 FLOP at 40 to 60 % of 64 · 989 TFLOP/s
    ideal = 128 * 8192 * 6 * 70.6e9 / (64 * 989e12)
    assert ideal / 0.65 < call("MLSIM_TRAIN_STEP", JOB) < ideal / 0.35
    assert 0.35 < call("MLSIM_MFU", JOB) < 0.70


def test_units_of_results() -> None:
    s = call("MLSIM_TRAIN_STEP", JOB)
    assert call("MLSIM_TRAIN_STEP", [*JOB, *FULL[:1], "least", *FULL[2:], "ms"]) == pytest.approx(1e3 * s)
    gib = call("MLSIM_TRAIN_MEMORY", JOB)
    gb = call("MLSIM_TRAIN_MEMORY", [*JOB, *FULL[:1], "least", *FULL[2:], "GB"])
    assert gb == pytest.approx(gib * 2**30 / 1e9)


def test_memory_is_weights_times_bytes_and_more() -> None:
    # 70.6e9 weights over 16 devices: 2 + 2 bytes, 12 bytes over 4 replicas; a stage has a table more than its share
    least = 70.55e9 / 16 * (4 + 12 / 4) / 2**30
    assert least < call("MLSIM_TRAIN_MEMORY", JOB) < 80
    assert call("MLSIM_TRAIN_MEMORY", [*JOB, *FULL]) < call("MLSIM_TRAIN_MEMORY", [*JOB, 1, "none", *FULL[2:]])


def test_least_recomputation_is_the_fastest_that_fits() -> None:
    least, none, full = (call("MLSIM_TRAIN_STEP", [*SMALL, 1, 1, 4, how]) for how in ("least", "none", "full"))
    assert none < least < full
    need = call("MLSIM_TRAIN_MEMORY", [*SMALL, 1, 1, 4, "least"])
    assert need <= call("MLSIM_SPEC", ["H100", "memory", "GiB"]) < call("MLSIM_TRAIN_MEMORY", [*SMALL, 1, 1, 4, "none"])


def test_recompute_and_sharding_by_other_names() -> None:
    for pair in (("attention", "Selective"), ("full", "FULL")):
        one, other = (call("MLSIM_TRAIN_STEP", [*JOB, 1, how]) for how in pair)
        assert one == other
    for pair in (("ZeRO-3", "FSDP"), ("ZeRO-1", "zero 1")):
        one, other = (call("MLSIM_TRAIN_STEP", [*JOB, 1, "full", how]) for how in pair)
        assert one == other


def test_parts_of_a_step_add_up() -> None:
    table = call("MLSIM_TRAIN_PARTS", JOB)
    assert table[0] == ["part", "time [s]", "share"]
    assert [row[0] for row in table[1:]] == [*PARTS, "total"]
    assert sum(row[1] for row in table[1:-1]) == pytest.approx(table[-1][1])
    assert sum(row[2] for row in table[1:-1]) == pytest.approx(1)
    assert table[-1][1] == pytest.approx(call("MLSIM_TRAIN_STEP", JOB))
    ms = call("MLSIM_TRAIN_PARTS", [*JOB, 1, "least", *FULL[2:], "ms"])
    assert ms[0][1] == "time [ms]"
    assert ms[1][1] == pytest.approx(1e3 * table[1][1])


def test_parts_of_the_memory_add_up() -> None:
    table = call("MLSIM_TRAIN_MEMORY_PARTS", JOB)
    assert table[0] == ["term", "memory [GiB]"]
    assert [row[0] for row in table[1:]] == [*TERMS, "total", "capacity"]
    total, capacity = table[-2][1], table[-1][1]
    assert sum(row[1] for row in table[1:-2]) == pytest.approx(total)
    assert total == pytest.approx(call("MLSIM_TRAIN_MEMORY", JOB))
    assert capacity == pytest.approx(call("MLSIM_SPEC", ["H100", "memory", "GiB"]))


# --- utilisation and duration ----------------------------------------------------------------------------------------


def mfu(convention: str, how: str = "full") -> float:
    return float(call("MLSIM_MFU", [*JOB, 1, how, *FULL[2:], convention]))


def test_conventions_are_ordered_by_what_they_count() -> None:
    assert mfu("hardware") > mfu("model") > mfu("model, causal") > mfu("6N")
    assert mfu("PaLM") > mfu("model")  # the input table too
    assert mfu("hardware", "none") == mfu("model", "none")
    assert mfu("hardware") / mfu("model") == pytest.approx(4 / 3, rel=0.03)  # all but the head


def test_utilization_by_hand() -> None:
    # "6N": six times all weights per token
    flops = 6 * 128 * 8192 * 70.5537e9
    assert mfu("6N") == pytest.approx(flops / (call("MLSIM_TRAIN_STEP", [*JOB, *FULL]) * 64 * 989e12), rel=1e-3)


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_why_says_what_a_utilization_counts(convention: str) -> None:
    said = call("MLSIM_WHY", ["MLSIM_MFU", *JOB, *FULL, convention])
    rule = CONVENTIONS[convention]
    assert rule.text in said
    assert rule.source in said
    assert "Llama-3-70B on 64 H100-SXM-80GB" in said
    assert "recomputing full" in said


def test_why_explains_a_step_and_its_memory() -> None:
    assert "Bottleneck: compute" in call("MLSIM_WHY", ["MLSIM_TRAIN_STEP", *JOB])
    assert "it fits" in call("MLSIM_WHY", ["MLSIM_TRAIN_MEMORY", *JOB])
    assert "it does not fit" in call("MLSIM_WHY", ["MLSIM_TRAIN_MEMORY", *JOB[:5], 1, 1])
    assert "it does not fit" in call("MLSIM_WHY", ["MLSIM_TRAIN_STEP", *JOB[:5], 1, 1])


def test_training_time_is_steps_times_step() -> None:
    step = call("MLSIM_TRAIN_STEP", JOB)
    days = call("MLSIM_TRAIN_TIME", with_tokens(JOB))
    assert days == pytest.approx(15e12 / (128 * 8192) * step / 86400)
    assert call("MLSIM_TRAIN_TIME", with_tokens(JOB, "30 Ttoken")) == pytest.approx(2 * days)
    assert call("MLSIM_TRAIN_TIME", with_tokens(JOB, 15e12)) == pytest.approx(days)


def test_training_time_grows_with_the_inverse_of_goodput() -> None:
    whole, half = (call("MLSIM_TRAIN_TIME", [*with_tokens(JOB), *FULL, g]) for g in (1, 0.5))
    assert half == pytest.approx(2 * whole)
    hours = call("MLSIM_TRAIN_TIME", [*with_tokens(JOB), *FULL, 1, "h"])
    assert hours == pytest.approx(24 * whole)


@pytest.mark.parametrize("share", [90, 1.1, 0, -0.5])
def test_goodput_is_a_share(share: float) -> None:
    assert error("MLSIM_TRAIN_TIME", *with_tokens(JOB), *FULL, share).code == "#NUM!"


def test_tokens_are_tokens() -> None:
    found = error("MLSIM_TRAIN_TIME", *with_tokens(JOB, "15 GB"))
    assert found.code == "#VALUE!"
    assert "tokens" in found.message


# --- ranges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "place", "column"),
    [
        ("MLSIM_TRAIN_STEP", SMALL, 2, (1, 8, 16, 64)), ("MLSIM_TRAIN_MEMORY", (*SMALL, 1), 5, (1, 2, 4, 8)),
        ("MLSIM_MFU", SMALL, 4, (1024, 4096, 16384)), ("MLSIM_TRAIN_TIME", with_tokens(SMALL), 4, (64, 128, 100)),
        ("MLSIM_ALLREDUCE", ("H100", "256 MiB", 8), 2, (1, 2, 8, 64)),
        ("MLSIM_ALLGATHER", ("H100", "256 MiB", 8), 2, (1, 2, 8, 64)),
        ("MLSIM_ALLTOALL", ("H100", "64 MiB", 32, 1.2), 3, (1, 1.5, 2)), ("MLSIM_BUBBLE", (8, 64), 0, (1, 4, 8)),
    ],
)  # fmt: skip
def test_a_column_gives_what_single_calls_give(name: str, args: tuple[Any, ...], place: int, column: Any) -> None:
    def at(value: Any) -> list[Any]:
        return [*args[:place], value, *args[place + 1 :]]

    together = call(name, at([[v] for v in column]))
    assert [row[0] for row in together] == pytest.approx([call(name, at(v)) for v in column])
    assert call_many(name, [tuple(at(v)) for v in column]) == pytest.approx([row[0] for row in together])


def test_a_grid_of_models_and_degrees() -> None:
    grid = call("MLSIM_TRAIN_STEP", [[["Llama-3-8B"], ["Llama-3-70B"]], "H100", 64, 128, 4096, [[1, 2, 4]]])
    assert [len(row) for row in grid] == [3, 3]
    assert grid[1][2] == call("MLSIM_TRAIN_STEP", ["Llama-3-70B", "H100", 64, 128, 4096, 4])


def test_an_impossible_layout_in_a_range_stands_in_its_cell() -> None:
    column = call("MLSIM_TRAIN_STEP", [*SMALL, [[1], [3], [8]]])
    assert column[0][0] > 0
    assert isinstance(column[1][0], CellError)
    assert column[2][0] > 0


@pytest.mark.parametrize("name", ["MLSIM_TRAIN_PARTS", "MLSIM_TRAIN_MEMORY_PARTS", "MLSIM_PARALLEL_PLAN"])
def test_a_table_takes_one_set_of_arguments(name: str) -> None:
    found = error(name, "Llama-3-8B", "H100", [[8], [16]], 64, 4096)
    assert found.code == "#VALUE!"
    assert "not a range" in found.message


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("MLSIM_TRAIN_STEP", (*JOB, *FULL, "GB")), ("MLSIM_TRAIN_MEMORY", (*JOB, *FULL, "s")),
        ("MLSIM_TRAIN_TIME", (*with_tokens(JOB), *FULL, 1, "GB")), ("MLSIM_TRAIN_PARTS", (*JOB, *FULL, "GB")),
        ("MLSIM_TRAIN_MEMORY_PARTS", (*JOB, *FULL, "ms")), ("MLSIM_ALLREDUCE", ("H100", "1 GB", 8, None, None, 1, 1, "GB")),
        ("MLSIM_ALLREDUCE", ("H100", "1 s", 8)), ("MLSIM_ALLGATHER", ("H100", 256, 8)),
        ("MLSIM_ALLTOALL", ("H100", "1 GB/s", 8)), ("MLSIM_ALLREDUCE", ("H100", "1 GB", 64, 8, "50 GB")),
        ("MLSIM_SERVING_PLAN", ("Llama-3-8B", "H100", "5 GB/s")),
        ("MLSIM_SERVING_PLAN", ("Llama-3-8B", "H100", "5 request/s", 1024, 256, "2 GB")),
    ],
)  # fmt: skip
def test_a_wrong_unit_is_a_sentence(name: str, args: tuple[Any, ...]) -> None:
    assert error(name, *args).code == "#VALUE!"


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, "Llama-3-71B", "Llama-3-70B"), (1, "H1000", "H100-SXM-80GB"), (8, "half", "'none', 'attention', 'selective', 'full'"),
        (9, "ZeRO-9", "'none', 'ZeRO-1', 'ZeRO-2', 'ZeRO-3', 'FSDP'"), (10, "bf15", "bf16"), (11, "Megatron-Cure", "Megatron-Core"),
        (11, "vLLM", "Megatron-Core, Megatron-2022"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_answered_with_the_choices(name: str, place: int, value: str, words: str) -> None:
    args: list[Any] = [*JOB, *FULL]
    args[place] = value
    found = error(name, *args)
    assert found.code == "#N/A"
    assert words in found.message


def test_an_unknown_convention_is_answered_with_the_choices() -> None:
    found = error("MLSIM_MFU", *JOB, *FULL, "modle")
    assert found.code == "#N/A"
    assert all(name in found.message for name in CONVENTIONS)


@pytest.mark.parametrize("name", [*TIMED, "MLSIM_TRAIN_TIME"])
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((*JOB[:2], 60, 128, 8192, 8, 1), "tp · pp · cp = 8 does not divide the devices"),
        ((*JOB[:2], 64, 128, 8192, 4, 3), "tp · pp · cp = 12 does not divide the devices"),
        ((*JOB[:2], 64, 128, 8192, 64, 2), "tp · pp · cp = 128 does not divide the devices"),
        ((*JOB[:2], 128, 128, 8192, 128, 1), "Tensor parallel 128 does not divide the 64 attention heads"),
        ((*JOB[:2], 96, 192, 8192, 48, 1), "Tensor parallel 48 does not divide the 64 attention heads"),
        ((*JOB[:5], 4, 4, *FULL[:7], 1000), "1000 chunks are more than the 20 layers of a stage"),
        ((*JOB[:4], 32, 1, 1, *FULL[:5], 64), "Context parallel 64 is more than the 32 tokens"),
        ((*JOB, 100), "A micro-batch of 100 is more than the 32 sequences of a replica"),
        ((*JOB[:2], 128, 128, 8192, 1, 128), "128 pipeline stages are more than the 80 layers"),
        ((*JOB[:2], 256, 128, 8192, 1, 1), "A batch of 128 sequences does not feed 256 replicas"),
        ((*MOE, 1, 1, *FULL[:6], 16), "Expert parallel 16 does not divide the 8 experts of Mixtral-8x7B"),
        ((*MOE, 1, 16, *FULL[:6], 8), "Expert parallel 8 does not divide the 4 devices of a stage"),
        ((*SMALL, 1, 1, *FULL[:6], 2), "Expert parallel 2: Llama-3-8B has no routed experts"),
    ],
)  # fmt: skip
def test_an_impossible_layout_names_what_does_not_fit(name: str, args: tuple[Any, ...], words: str) -> None:
    found = error(name, *(with_tokens(args) if name == "MLSIM_TRAIN_TIME" else args))
    assert found.code == "#NUM!"
    assert words in found.message


@pytest.mark.parametrize("place", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_counts_are_above_0_and_finite(place: int, value: float) -> None:
    args: list[Any] = list(JOB)
    args[place] = value
    assert error("MLSIM_TRAIN_STEP", *args).code == "#NUM!"


@pytest.mark.parametrize("name", TIMED)
def test_a_size_or_a_figure_does_not_say_enough(name: str) -> None:
    assert "a model and a chip" in error(name, "70 Gparam", *JOB[1:]).message
    assert "a model and a chip" in error(name, JOB[0], "3.35 TB/s", *JOB[2:]).message


def test_a_vision_model_has_no_training_model() -> None:
    assert "ResNet-50" in error("MLSIM_TRAIN_STEP", "ResNet-50", *SMALL[1:]).message


def test_what_only_stores_weights_does_not_train() -> None:
    found = error("MLSIM_TRAIN_STEP", *JOB, *FULL[:3], "int4")
    assert "format of stored weights" in found.message


def test_wide_training_does_not_attend_at_the_16_bit_rate() -> None:
    long = ("Llama-3-8B", "B200", 64, 1024, 131072, 4, 1, 1, "none", "ZeRO-3")
    parts = {p: dict(row[:2] for row in call("MLSIM_TRAIN_PARTS", [*long, p])[1:]) for p in ("bf16", "tf32", "fp32")}
    for name in ("attention", "head"):
        assert parts["bf16"][name] < parts["tf32"][name] < parts["fp32"][name]
    assert call("MLSIM_MFU", [*long, "fp32", None, 1, 1, 1, "causal"]) < 1


def test_causal_is_a_convention_too() -> None:
    rest = (*FULL[:5], 1, 1, 1)
    assert call("MLSIM_MFU", [*JOB, *rest, "causal"]) == call("MLSIM_MFU", [*JOB, *rest, "model, causal"])


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("MLSIM_ALLREDUCE", ("H100", "-1 MB", 8), "message must not be negative"),
        ("MLSIM_ALLREDUCE", ("H100", "256 MiB", 64, None, "-5 GB/s"), "network must be above 0"),
        ("MLSIM_ALLREDUCE", ("H100", "256 MiB", 64, None, None, 0.5), "oversubscription is at least 1"),
        ("MLSIM_TRAIN_TIME", with_tokens(JOB, "-5 token"), "tokens must be above 0"),
        ("MLSIM_SERVING_PLAN", ("Llama-3-8B", "H100", 5, 1024, 256, "2 s", "30 ms", None, None, None, "-2 $/GPU-h"), "price"),
    ],
)  # fmt: skip
def test_no_negative_quantities(name: str, args: tuple[Any, ...], words: str) -> None:
    assert words in error(name, *args).message


def test_a_serving_plan_that_fails_says_what_the_largest_replica_lacks() -> None:
    found = error("MLSIM_SERVING_PLAN", "Llama-3-70B", "H100", 50, 1024, 256, "2 s", "5 ms")
    assert "8 H100-SXM-80GB: TPOT is" in found.message


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("MLSIM_ALLREDUCE", ("L40S", "256 MiB", 16)), ("MLSIM_ALLGATHER", ("L40S", "256 MiB", 16)),
        ("MLSIM_ALLTOALL", ("L40S", "256 MiB", 16)), ("MLSIM_TRAIN_STEP", ("Llama-3-8B", "L40S", 16, 64, 2048)),
        ("MLSIM_PARALLEL_PLAN", ("Llama-3-8B", "L40S", 16, 64, 2048)),
    ],
)  # fmt: skip
def test_a_chip_without_a_network_figure_is_an_error_beyond_its_domain(name: str, args: tuple[Any, ...]) -> None:
    found = error(name, *args)
    assert found.code == "#N/A"
    assert "scaleout bandwidth" in found.message


def test_within_its_domain_it_needs_no_network() -> None:
    assert call("MLSIM_ALLREDUCE", ["L40S", "256 MiB", 8]) > 0
    assert call("MLSIM_TRAIN_STEP", ["Llama-3-8B", "L40S", 8, 64, 2048, 8]) > 0


def test_a_typed_network_takes_the_place_of_the_missing_figure() -> None:
    assert call("MLSIM_ALLREDUCE", ["L40S", "256 MiB", 16, None, "12.5 GB/s"]) > 0
    slow, fast = (call("MLSIM_ALLREDUCE", ["H100", "1 GiB", 64, None, b]) for b in ("5 GB/s", "50 GB/s"))
    assert slow > 3 * fast
    assert fast == pytest.approx(call("MLSIM_ALLREDUCE", ["H100", "1 GiB", 64, None, "400 Gbit/s"]))
    assert fast == pytest.approx(call("MLSIM_ALLREDUCE", ["H100", "1 GiB", 64, None, "100 GB/s both directions"]))


def test_a_larger_domain_is_faster() -> None:
    times = [call("MLSIM_ALLREDUCE", ["H100", "1 GiB", 64, domain]) for domain in (1, 8, 64)]
    assert times == sorted(times, reverse=True)


def test_oversubscription_counts_where_rings_cross_the_spine() -> None:
    args = ["H100", "1 GiB", 64, None, None]
    full, rails, spine = (call("MLSIM_ALLREDUCE", [*args, *more]) for more in ((1, 1), (4, 1), (4, 0)))
    assert full == rails < spine


def test_an_all_reduce_takes_longer_than_an_all_gather_and_one_device_nothing() -> None:
    for devices in (2, 8, 64):
        assert call("MLSIM_ALLREDUCE", ["H100", "1 GiB", devices]) > call("MLSIM_ALLGATHER", ["H100", "1 GiB", devices])
    for name in ("MLSIM_ALLREDUCE", "MLSIM_ALLGATHER", "MLSIM_ALLTOALL"):
        assert call(name, ["H100", "1 GiB", 1]) == 0


def test_a_large_all_reduce_is_plausible() -> None:
    # a ring carries 2 · 63/64 GiB; ports of 50 GB/s, eight per domain, or links of 450 GB/s bound it from below
    seconds = call("MLSIM_ALLREDUCE", ["H100", "1 GiB", 64, None, None, 1, 1, "s"])
    assert 2 * 2**30 * 63 / 64 / 400e9 < seconds < 3 * 2 * 2**30 / 400e9


def test_imbalance_lengthens_an_all_to_all() -> None:
    even, skewed = (call("MLSIM_ALLTOALL", ["H100", "1 GiB", 32, i]) for i in (1, 2))
    assert skewed == pytest.approx(2 * even, rel=0.02)


def test_a_collective_needs_a_chip() -> None:
    assert "needs a chip" in error("MLSIM_ALLREDUCE", "450 GB/s", "1 GiB", 8).message


def test_bubble_by_hand() -> None:
    assert call("MLSIM_BUBBLE", [8, 64]) == pytest.approx(7 / 71)
    assert call("MLSIM_BUBBLE", [8, 64, 2]) == pytest.approx(3.5 / 67.5)
    assert call("MLSIM_BUBBLE", [1, 64]) == 0
    assert error("MLSIM_BUBBLE", 0, 64).code == "#NUM!"


# --- own hardware ----------------------------------------------------------------------------------------------------

OWN = [["memory bandwidth", "3.35 TB/s"], ["bf16 peak", "989 TFLOP/s"], ["memory", "400 GB"]]
LINK = ["link", "450 GB/s"]


def test_one_device_of_own_hardware_needs_no_links() -> None:
    assert call("MLSIM_TRAIN_MEMORY", ["Llama-3-8B", OWN, 1, 8, 2048]) > 100
    assert 0.3 < call("MLSIM_MFU", ["Llama-3-8B", OWN, 1, 8, 2048]) < 0.9
    assert call("MLSIM_TRAIN_STEP", ["Llama-3-8B", OWN, 1, 8, 2048]) > 0


def test_several_devices_of_own_hardware_need_links() -> None:
    found = error("MLSIM_TRAIN_STEP", "Llama-3-8B", OWN, 8, 8, 2048)
    assert found.code == "#N/A"
    assert "scaleup bandwidth" in found.message
    assert "scaleup domain" in error("MLSIM_TRAIN_STEP", "Llama-3-8B", [*OWN, LINK], 8, 8, 2048).message


def test_a_collective_of_own_hardware() -> None:
    assert call("MLSIM_ALLREDUCE", [[*OWN, LINK], "1 GB", 8, 8]) > 0
    assert call("MLSIM_ALLREDUCE", [[*OWN, LINK], "1 GB", 64, 8, "50 GB/s"]) > 0


def test_own_hardware_based_on_a_chip() -> None:
    same = call("MLSIM_TRAIN_STEP", ["Llama-3-8B", [["based on", "H100"]], 8, 64, 4096])
    assert same == pytest.approx(call("MLSIM_TRAIN_STEP", SMALL))
    faster = call("MLSIM_TRAIN_STEP", ["Llama-3-8B", [["based on", "H100"], ["bf16 peak", "2 PFLOP/s"]], 8, 64, 4096])
    assert faster < same


@pytest.mark.parametrize("pair", [("scaleup domain", 8), ("scaleout bandwidth", "50 GB/s")])
def test_own_hardware_may_give_the_links_that_errors_ask_for(pair: tuple[str, object]) -> None:
    own = [["based on", "H100"], list(pair)]
    assert call("MLSIM_TRAIN_STEP", ["Llama-3-8B", own, 64, 64, 4096]) > 0


def test_why_says_what_a_collective_runs_over() -> None:
    said = call("MLSIM_WHY", ["MLSIM_ALLREDUCE", "H100", "256 MiB", 64])
    assert "64 H100-SXM-80GB, 8 in a domain" in said
    assert "450 GB/s per device and direction inside and 50 GB/s between domains" in said
    bus = 2 * 63 / 64 * 256 * 2**20 / call("MLSIM_ALLREDUCE", ["H100", "256 MiB", 64, None, None, 1, 1, "s"])
    assert f"bus bandwidth of {bus / 1e9:.1f} GB/s" in said
    assert (
        "between"
        not in call("MLSIM_WHY", ["MLSIM_ALLTOALL", "H100", "256 MiB", 8]).split("MLSIM_ALLTOALL")[1].split(":")[0]
    )


def test_why_counts_the_steps_of_a_training_time() -> None:
    said = call("MLSIM_WHY", ["MLSIM_TRAIN_TIME", "Llama-3-8B", "H100", "1 Ttoken", 64, 128, 8192])
    assert "953,674 steps, 100% of the time" in said
    assert "per step" in said


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_parallel_plan_is_no_slower_than_a_typed_one() -> None:
    table = call("MLSIM_PARALLEL_PLAN", [*JOB[:5]])
    header, rows = table[0], table[1:]
    assert len(rows) == 5
    step, memory = header.index("step [s]"), header.index("memory [GiB]")
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    assert [row[step] for row in rows] == sorted(row[step] for row in rows)
    assert rows[0][step] <= call("MLSIM_TRAIN_STEP", JOB)
    assert all(row[memory] <= call("MLSIM_SPEC", ["H100", "memory", "GiB"]) for row in rows)
    assert all(row[1] * row[2] * row[3] * row[5] == 64 for row in rows)
    tokens = header.index("token/s per device")
    assert rows[0][tokens] == pytest.approx(128 * 8192 / rows[0][step] / 64)


def test_a_parallel_plan_can_be_typed_into_a_step() -> None:
    header, best = call("MLSIM_PARALLEL_PLAN", [*JOB[:5]])[:2]
    row = dict(zip(header, best, strict=True))
    layout = (row["tp"], row["pp"], row["micro-batch"], row["recompute"], row["sharding"], "bf16", "Megatron-Core")
    typed = (*JOB[:5], *layout, row["cp"], row["ep"], row["chunks"])
    assert call("MLSIM_TRAIN_STEP", typed) == pytest.approx(row["step [s]"])
    assert call("MLSIM_TRAIN_MEMORY", typed) == pytest.approx(row["memory [GiB]"])
    assert call("MLSIM_MFU", typed) == pytest.approx(row["MFU"])


def test_a_job_that_fits_nowhere_says_what_comes_closest() -> None:
    found = error("MLSIM_PARALLEL_PLAN", "Llama-3-70B", "H100", 1, 128, 8192)
    assert found.code == "#NUM!"
    assert "fits 1 H100-SXM-80GB" in found.message
    assert "GiB" in found.message


def test_a_parallel_plan_needs_a_framework_that_trains() -> None:
    found = error("MLSIM_PARALLEL_PLAN", "Llama-3-8B", "H100", 8, 64, 4096, "bf16", "vLLM")
    assert found.code == "#N/A"
    assert "does not train" in found.message


SERVED = ("Llama-3-70B", "H100,MI300X", "20 request/s", 1024, 256, "2 s", "30 ms")
ENGINE = ("bf16", "bf16", "vLLM")


def test_a_serving_plan_meets_its_targets() -> None:
    table = call("MLSIM_SERVING_PLAN", SERVED)
    header, rows = table[0], [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    assert header[:3] == ["rank", "hardware", "tp"]
    for row in rows:
        assert row["TTFT [ms]"] <= 2000
        assert row["TPOT [ms]"] <= 30
        assert row["devices"] == row["tp"] * row["replicas"]
    costs = [row["cost [$/h]"] for row in rows]
    assert costs == sorted(costs)


def test_typed_prices_decide_the_order() -> None:
    for prices, first in (("1 $/GPU-h,9 $/GPU-h", "H100-SXM-80GB"), ("9 $/GPU-h,1 $/GPU-h", "MI300X")):
        header, row = call("MLSIM_SERVING_PLAN", [*SERVED, *ENGINE, prices])[:2]
        best = dict(zip(header, row, strict=True))
        assert best["hardware"] == first
        assert best["cost [$/h]"] == pytest.approx(best["devices"])
        # 20 requests of 256 tokens a second
        assert best["$/Mtoken"] == pytest.approx(best["devices"] / (20 * 256 * 3600) * 1e6)


def test_a_bare_rate_is_requests_per_second() -> None:
    bare = call("MLSIM_SERVING_PLAN", [*SERVED[:2], 20, *SERVED[3:]])
    assert bare == call("MLSIM_SERVING_PLAN", SERVED)
    assert bare == call("MLSIM_SERVING_PLAN", [*SERVED[:2], "1200 request/min", *SERVED[3:]])


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((*SERVED[:6], "1 ms"), "#NUM!", "Nothing meets the targets"), ((*SERVED[:5], "1 ms"), "#NUM!", "Nothing meets"),
        (("Llama-3-70B", "H1000", *SERVED[2:]), "#N/A", "Did you mean"),
        (("Lama", *SERVED[1:]), "#N/A", "Did you mean"), ((SERVED[0], ",", *SERVED[2:]), "#VALUE!", "at least one chip"),
        ((*SERVED, *ENGINE, "3 $/GPU-h"), "#VALUE!", "1 prices for 2 chips"),
        ((*SERVED, *ENGINE, "3 $/h,3 $/h"), "#VALUE!", "$/GPU-h"), ((*SERVED, *ENGINE, "3,4"), "#VALUE!", "unit"),
        ((*SERVED, *ENGINE, "", 90), "#NUM!", "90 % is 0.9"), ((*SERVED[:2], 0, *SERVED[3:]), "#NUM!", "above 0"),
        (("140 GB", *SERVED[1:]), "#VALUE!", "a model and a chip"),
    ],
)  # fmt: skip
def test_mistakes_of_a_serving_plan(args: tuple[Any, ...], code: str, words: str) -> None:
    found = error("MLSIM_SERVING_PLAN", *args)
    assert found.code == code
    assert words in found.message
