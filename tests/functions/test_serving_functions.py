"""The functions of serving and accuracy: their limits, their agreement with each other, their errors."""

import math
from typing import Any

import pytest

from mlsim.errors import CellError
from mlsim.functions import call, call_many
from mlsim.planner.forward import OPERATORS

ARGS = ("Llama-3-8B", "H100")


def error(name: str, *args: object) -> CellError:
    with pytest.raises(CellError) as caught:
        call(name, args)
    assert len(caught.value.message) < 500
    return caught.value


# --- names of the same ----------------------------------------------------------------------------------------------


def test_tpot_and_ttft_are_other_names() -> None:
    load_ = (*ARGS, 8, 1024, "fp8", 2, "SGLang", "s")
    assert call("MLSIM_TPOT", load_) == call("MLSIM_DECODE_LATENCY", load_)
    assert call("MLSIM_TTFT", load_) == call("MLSIM_PREFILL_LATENCY", load_)
    assert call("MLSIM_TPOT", ["140 GB", "3.35 TB/s"]) == pytest.approx(140 / 3.35)
    assert call("MLSIM_TTFT", ["70 Gparam", "989 TFLOP/s", 1, 2048]) == pytest.approx(2 * 70e9 * 2048 / 989e9)


def test_names_without_prefix_and_in_any_case() -> None:
    assert call("tpot", ARGS) == call("MLSIM_TPOT", ARGS)


# --- engines ---------------------------------------------------------------------------------------------------------


def test_serving_tpot_between_decode_and_decode_plus_prompts() -> None:
    tpot = call("MLSIM_TPOT", [*ARGS, 64, 1024 + 128])
    serving = call("MLSIM_SERVING_TPOT", [*ARGS, 64, 1024, 256])
    prompts = call("MLSIM_TTFT", [*ARGS, 1, 1024]) * 64 / 256
    assert tpot < serving < tpot + prompts * 1.05
    assert call("MLSIM_SERVING_TPOT", [*ARGS, 1, 1024, 256]) == call("MLSIM_TPOT", [*ARGS, 1, 1152])
    by_concurrency = [call("MLSIM_SERVING_TPOT", [*ARGS, n, 1024, 256]) for n in (1, 8, 64, 256)]
    assert by_concurrency == sorted(by_concurrency)


def test_serving_rate_is_above_any_batch_that_fits() -> None:
    rate = call("MLSIM_SERVING_RATE", [*ARGS, 1024, 256])
    assert rate > call("MLSIM_THROUGHPUT", [*ARGS, 64, 1024, 256])
    assert call("MLSIM_SERVING_RATE", [*ARGS, 1024, 256, "bf16", 1, "fp8"]) > rate  # twice the cache
    assert call("MLSIM_SERVING_RATE", [*ARGS, 1024, 256, "bf16", 1, "bf16", "vLLM", "token/h"]) == pytest.approx(
        rate * 3600
    )
    assert call("MLSIM_SERVING_RATE", [*ARGS, 4096, 256]) < rate


def test_an_engine_without_room_says_what_to_do() -> None:
    caught = error("MLSIM_SERVING_RATE", "Llama-3-70B", "H100", 1024, 256)
    assert caught.code == "#NUM!"
    assert "leaves no room for one request on 1 H100-SXM-80GB with vLLM" in caught.message
    assert call("MLSIM_SERVING_RATE", ["Llama-3-70B", "H100", 1024, 256, "bf16", 4]) > 0
    grid = call("MLSIM_SERVING_RATE", ["Llama-3-70B", "H100", 1024, 256, "bf16", [[1, 2, 4]]])
    assert isinstance(grid[0][0], CellError)
    assert grid[0][2] > 0


def test_a_cached_prefix() -> None:
    assert call("MLSIM_PREFIX_LATENCY", [*ARGS, 1, 512, 0]) == call("MLSIM_TTFT", [*ARGS, 1, 512])
    assert call("MLSIM_PREFIX_LATENCY", [*ARGS, 1, 512]) == call("MLSIM_TTFT", [*ARGS, 1, 512])
    new, cached, whole = (call("MLSIM_PREFIX_LATENCY", [*ARGS, 1, n, c]) for n, c in ((512, 0), (512, 3584), (4096, 0)))
    assert new < cached < whole
    assert error("MLSIM_PREFIX_LATENCY", *ARGS, 1, 512, -1).code == "#NUM!"


SPECULATIVE = ("Llama-3-70B", "Llama-3.2-1B", "H100", 4)
REST = (1, 2048, "bf16", 4)


def test_speculative_limits() -> None:
    plain = call("MLSIM_TPOT", ["Llama-3-70B", "H100", *REST])
    none, some, all_ = (call("MLSIM_SPECULATIVE_TPOT", [*SPECULATIVE, a, *REST]) for a in (0, 0.7, 1))
    assert none > plain  # the drafts were in vain
    assert none > some > all_
    assert all_ == pytest.approx(none / 5)
    assert some < plain


def test_speculative_errors() -> None:
    assert "0.7" in error("MLSIM_SPECULATIVE_TPOT", *SPECULATIVE, 70).message
    assert error("MLSIM_SPECULATIVE_TPOT", *SPECULATIVE, -0.1).code == "#NUM!"
    assert error("MLSIM_SPECULATIVE_TPOT", "Llama-3-70B", "Llama-3.2-1B", "H100", 0).code == "#NUM!"
    assert "a model and a chip" in error("MLSIM_SPECULATIVE_TPOT", "Llama-3-70B", "2 GB", "H100").message
    grid = call("MLSIM_SPECULATIVE_TPOT", ["Llama-3-8B", "Llama-3.2-1B", "H100", 4, [[0.5, 1.5]]])
    assert grid[0][0] > 0
    assert isinstance(grid[0][1], CellError)


def test_disaggregation_by_hand() -> None:
    args = ("Llama-3-70B", "H100", "MI300X", 64, 4096, 512, "fp8", 2)
    ratio = call("MLSIM_DISAGGREGATE", args)
    first = call("MLSIM_TTFT", ["Llama-3-70B", "H100", 1, 4096, "fp8", 2, "vLLM", "s"])
    token = call("MLSIM_TPOT", ["Llama-3-70B", "MI300X", 64, 4096 + 256, "fp8", 2, "vLLM", "s"])
    assert ratio == pytest.approx(64 / 512 / token * first)
    longer, more = (*args[:4], 8192, *args[5:]), (*args[:5], 1024, *args[6:])
    assert call("MLSIM_DISAGGREGATE", more) < ratio < call("MLSIM_DISAGGREGATE", longer)


# --- operators -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [(*ARGS, 1, 2048), ("Mixtral-8x7B", "H100", 16, 4096, "fp8", 2, "vLLM")])
def test_operators_add_up(args: tuple[Any, ...]) -> None:
    table = call("MLSIM_OPERATORS", args)
    assert table[0] == ["operator", "time [ms]", "η"]
    names = [line[0] for line in table[1:]]
    assert names[-3:] == ["communication", "launches and elementwise", "total"]
    assert set(names[:-3]) <= set(OPERATORS)
    assert ("experts" in names) == ("Mixtral" in args[0])
    total = table[-1]
    assert total[1] == pytest.approx(sum(line[1] for line in table[1:-1]))
    assert total[1] == pytest.approx(call("MLSIM_TPOT", args))
    shares = [line[2] for line in table[1:-3]] + [total[2]]
    assert all(0 < share <= 1 for share in shares)


def test_operators_in_seconds_and_their_errors() -> None:
    ms, s = (call("MLSIM_OPERATORS", [*ARGS, 1, 2048, "bf16", 1, "vLLM", unit]) for unit in ("ms", "s"))
    assert s[0][1] == "time [s]"
    assert ms[-1][1] == pytest.approx(1e3 * s[-1][1])
    assert "a model and a chip" in error("MLSIM_OPERATORS", "140 GB", "H100").message


def test_operators_of_a_range_of_batches_is_an_error_and_not_tables_within_cells() -> None:
    (found,) = call_many("MLSIM_OPERATORS", [(*ARGS, [[1], [2]])])
    cells = [found] if isinstance(found, CellError) else [cell for row in found for cell in row]
    assert all(isinstance(cell, CellError) and "not a range" in cell.message for cell in cells)


# --- intervals -------------------------------------------------------------------------------------------------------

INTERVALS = [
    ("MLSIM_TPOT", (*ARGS, 8, 2048)), ("MLSIM_DECODE_LATENCY", (*ARGS,)), ("MLSIM_TTFT", (*ARGS, 1, 1024, "fp8")),
    ("MLSIM_PREFILL_LATENCY", (*ARGS,)), ("MLSIM_THROUGHPUT", ("Llama-3-70B", "H100", 32, 1024, 256, "bf16", 4)),
    ("MLSIM_SERVING_TPOT", (*ARGS, 64, 1024, 256)), ("MLSIM_SERVING_RATE", ("Llama-3-70B", "H200", 1024, 256, "fp8", 2)),
    ("MLSIM_PREFIX_LATENCY", (*ARGS, 1, 512, 3584)), ("MLSIM_TPOT", (*ARGS, 1, 2048, "bf16", 1, "llama.cpp", "us")),
    ("MLSIM_TRAIN_STEP", (*ARGS, 64, 128, 8192, 2)), ("MLSIM_TRAIN_TIME", (*ARGS, "1 Ttoken", 64)), ("MLSIM_MFU", (*ARGS, 64)),
    ("MLSIM_ALLREDUCE", ("H100", "256 MiB", 64)), ("MLSIM_ALLGATHER", ("TPU-v5p", "1 MiB", 64)),
    ("MLSIM_ALLTOALL", ("H100", "64 MiB", 32, 1.2, 8, "100 GB/s")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), INTERVALS)
def test_an_interval_holds_its_value(name: str, args: tuple[Any, ...]) -> None:
    [[low, high]] = call("MLSIM_INTERVAL", [name, *args])
    value = call(name, args)
    assert 0 < low < value < high
    assert low * high == pytest.approx(value**2)
    assert high / low < 20


def test_an_interval_is_wider_where_nothing_similar_was_measured() -> None:
    def width(*args: Any) -> float:
        [[low, high]] = call("MLSIM_INTERVAL", ["MLSIM_TPOT", *args])
        return high / low

    own = [["memory bandwidth", "3.35 TB/s"], ["bf16 peak", "989 TFLOP/s"], ["memory", "80 GB"]]
    assert width("Llama-3-8B", own, 8) > width(*ARGS, 8)
    assert width(*ARGS, 8, 2048, "bf16", 1, "default") > width(*ARGS, 8, 2048, "bf16", 1, "vLLM")


def test_an_interval_takes_single_cell_ranges_and_a_profile() -> None:
    plain = call("MLSIM_INTERVAL", ["MLSIM_TPOT", *ARGS, 8, 2048])
    assert call("MLSIM_INTERVAL", ["MLSIM_TPOT", [["Llama-3-8B"]], [["H100"]], [[8]], 2048]) == plain
    profile = [["based on", "vLLM"], ["step overhead", "5 ms"]]
    shifted = call("MLSIM_INTERVAL", ["MLSIM_TPOT", *ARGS, 8, 2048, "bf16", 1, profile])
    assert shifted[0][0] > plain[0][0]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("MLSIM_FITS", *ARGS), "has no interval. Functions that have: MLSIM_DECODE_LATENCY"),
        (("MLSIM_TPOTS", *ARGS), "not an MLSIM function"),
        (("MLSIM_TPOT", "Llama-3-8B", [["H100"], ["A100"]]), "one result"),
        (("MLSIM_TPOT", "140 GB", "3.35 TB/s"), "needs a model and a chip"),
        (("MLSIM_TPOT", "Lama", "H100"), "Did you mean"),
        (("MLSIM_TPOT",), "needs at least 2"),
        (("MLSIM_TPOT", *ARGS, -1), "above 0"),
        (("MLSIM_SERVING_RATE", "Llama-3-70B", "H100"), "no room"),
    ],
)
def test_interval_errors(args: tuple[Any, ...], words: str) -> None:
    assert words in error("MLSIM_INTERVAL", *args).message


# --- calibration and profiles ----------------------------------------------------------------------------------------

HEAD = ["model", "hardware", "batch", "context", "TPOT [ms]"]


def sheet(more: float = 5.0) -> list[list[Any]]:
    loads = [(b, c) for b in (1, 8, 64) for c in (256, 4096)]
    return [HEAD, *([*ARGS, b, c, call("MLSIM_TPOT", [*ARGS, b, c]) + more] for b, c in loads)]


def test_calibration_spills_a_profile() -> None:
    table = call("MLSIM_CALIBRATE", [sheet()])
    assert table[0] == ["name", "vLLM (calibrated)", ""]
    assert table[1] == ["based on", "vLLM", ""]
    labels = [line[0] for line in table]
    assert len(labels) == len(set(labels))
    step = table[labels.index("step overhead")]
    assert float(step[1].split()[0]) == pytest.approx(5.0, rel=0.3)
    assert step[1].endswith(" ms")
    assert 0.5 < step[2] <= 1
    assert all(isinstance(line[1], str) and 0 <= float(line[2]) <= 1 for line in table[2:])


def test_the_profile_is_a_runtime_argument() -> None:
    measured = sheet()
    profile = [line[:2] for line in call("MLSIM_CALIBRATE", [measured])]
    for line in measured[1:]:
        before = abs(call("MLSIM_TPOT", line[:4]) / line[4] - 1)
        after = abs(call("MLSIM_TPOT", [*line[:4], "bf16", 1, profile]) / line[4] - 1)
        assert after < 0.1 < before or after < before
    grid = call("MLSIM_TPOT", [*ARGS, [[1, 8]], 2048, "bf16", 1, profile])
    assert grid == [[call("MLSIM_TPOT", [*ARGS, b, 2048, "bf16", 1, profile]) for b in (1, 8)]]


def test_a_runtime_range_of_figures() -> None:
    own = [["Based on", "vLLM"], ["step overhead", "10 ms"], ["memory share", 0.5], ["", ""]]
    base = call("MLSIM_TPOT", [*ARGS, 1, 2048])
    assert call("MLSIM_TPOT", [*ARGS, 1, 2048, "bf16", 1, [["based on", "vLLM"]]]) == pytest.approx(base)
    assert call("MLSIM_TPOT", [*ARGS, 1, 2048, "bf16", 1, own]) > base + 9
    assert call("MLSIM_TPOT", [*ARGS, 1, 2048, "bf16", 1, [["vLLM"]]]) == base
    many = call_many("MLSIM_TPOT", [(*ARGS, b, 2048, "bf16", 1, tuple(map(tuple, own))) for b in (1, 2)])
    assert all(math.isfinite(v) for v in many)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([["based on", "vLLM"], ["wings", 2]], "not a figure of a runtime"),
        ([["based on", "nothing"]], "not in the runtime registry"),
        ([["based on", "vLLM"], ["step overhead", 3]], "write the unit"),
        ([["based on", "vLLM"], ["step overhead", "3 GB"]], "runtime"),
        ([["based on", "vLLM"], ["memory share", "-0.5"]], "0 or more"),
        ([["based on", "vLLM"], ["memory share", "nan"]], "0 or more"),
    ],
)
def test_a_bad_profile_is_one_sentence(pairs: list[list[Any]], words: str) -> None:
    assert words in error("MLSIM_TPOT", *ARGS, 1, 2048, "bf16", 1, pairs).message


def test_a_profile_without_memory_share_does_not_divide_by_zero() -> None:
    found = error("MLSIM_TPOT", *ARGS, 1, 2048, "bf16", 1, [["based on", "vLLM"], ["memory share", 0]])
    assert found.code == "#NUM!"


@pytest.mark.parametrize(
    ("measurements", "words"),
    [
        ("x", "expected a range"),
        ([], "expected a range"),
        ([HEAD], "expected a range"),
        ([HEAD, [None] * 5], "no measurement"),
        ([["model", "hardware"], ["Llama-3-8B", "H100"]], "No column holds a measurement"),
        ([["model", "TPOT"], ["Llama-3-8B", 5]], "has no unit"),
        ([["model", "wings", "TPOT [ms]"], ["Llama-3-8B", 2, 5]], '"wings" is not understood'),
        ([HEAD, ["Lama-3-8B", "H100", 1, 1, 5]], "Did you mean"),
        ([[*HEAD, "runtime"], [*ARGS, 1, 1, 5, "vLLM"], [*ARGS, 1, 1, 5, "SGLang"]], "2 runtimes"),
    ],
)
def test_calibration_errors(measurements: Any, words: str) -> None:
    assert words in error("MLSIM_CALIBRATE", measurements).message


@pytest.mark.parametrize("measurements", [[1, 2], [HEAD, 5], [HEAD, None], [None, None]])
def test_calibration_of_what_is_no_range_is_an_error(measurements: Any) -> None:
    assert error("MLSIM_CALIBRATE", measurements).code in ("#VALUE!", "#NUM!", "#N/A")


def test_a_measurement_of_zero_or_less_is_named() -> None:
    message = error("MLSIM_CALIBRATE", [HEAD, [*ARGS, 1, 1024, -5]]).message
    assert "above 0" in message
    assert "row 2" in message


def test_a_bad_row_among_good_ones_is_named() -> None:
    assert "row 3" in error("MLSIM_CALIBRATE", [*sheet()[:2], ["Lama-3-8B", "H100", 1, 1024, 5]]).message


def test_the_whole_table_is_a_runtime_too_and_narrows_intervals() -> None:
    table = call("MLSIM_CALIBRATE", [sheet()])
    args = (*ARGS, 8, 1024, "bf16", 1)
    value = call("MLSIM_TPOT", [*args, table])
    assert value == pytest.approx(call("MLSIM_TPOT", [*args, [line[:2] for line in table]]))
    wide, narrow = (
        call("MLSIM_INTERVAL", ["MLSIM_TPOT", *args, profile])[0] for profile in ([line[:2] for line in table], table)
    )
    assert wide[0] < narrow[0] < value < narrow[1] < wide[1]
