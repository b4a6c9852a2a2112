"""The catalogue's contract: defaults, ranges, own specifications, and an error for everything else."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlsim.functions as functions
from mlsim.errors import CellError
from mlsim.functions import call, call_many
from mlsim_workbooks.functions import CATALOGUE

FIXED = {
    "MLSIM_DECODE_LATENCY": "model hardware [batch] [context] [precision] [tp] [runtime] [unit]",
    "MLSIM_PREFILL_LATENCY": "model hardware [batch] [prompt] [precision] [tp] [runtime] [unit]",
    "MLSIM_THROUGHPUT": "model hardware [batch] [prompt] [output] [precision] [tp] [runtime] [unit]",
    "MLSIM_FITS": "model hardware [batch] [context] [precision] [tp] [kv_precision]",
    "MLSIM_MEMORY": "model hardware [batch] [context] [precision] [tp] [kv_precision] [unit]",
    "MLSIM_KV_CACHE": "model [context] [batch] [kv_precision] [unit]",
    "MLSIM_MAX_BATCH": "model hardware [context] [precision] [tp] [kv_precision]",
    "MLSIM_BOTTLENECK": "model hardware [batch] [context] [precision] [tp] [runtime]",
    "MLSIM_CONVERT": "quantity unit",
    "MLSIM_CHECK": "quantity expected",
    "MLSIM_ADD": "[quantities]",
    "MLSIM_MUL": "[quantities]",
    "MLSIM_DIV": "[quantities]",
    "MLSIM_SPEC": "name attribute [unit]",
    "MLSIM_SOURCE": "name attribute",
    "MLSIM_LIST": "registry",
    "MLSIM_WHY": "function [args]",
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed_signature(name: str) -> None:
    shown = " ".join(f"[{a.name}]" if a.optional else a.name for a in CATALOGUE[name].args)
    assert shown == FIXED[name]
    assert getattr(functions, name) is CATALOGUE[name]


@pytest.mark.parametrize("name", CATALOGUE)
def test_declaration_is_complete(name: str) -> None:
    function = CATALOGUE[name]
    assert function.doc
    assert function.example.startswith(f"={name}(")
    assert all(arg.doc for arg in function.args)
    assert len(name) <= 31
    assert "." not in name


def error(name: str, *args: object) -> CellError:
    with pytest.raises(CellError) as caught:
        call(name, args)
    assert "Traceback" not in caught.value.message
    assert len(caught.value.message) < 500
    return caught.value


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("Lama-3-70B", "H100"), "#N/A", "Did you mean Llama-3-70B"),
        (("Llama-3-70B", "H10"), "#N/A", "Did you mean H100"),
        (("Llama-3-70B", "H100", -1), "#NUM!", "batch must be above 0"),
        (("Llama-3-70B", "H100", 0), "#NUM!", "batch must be above 0"),
        (("Llama-3-70B", "H100", math.nan), "#NUM!", "finite"),
        (("Llama-3-70B", "H100", math.inf), "#NUM!", "finite"),
        (("Llama-3-70B", "H100", True), "#VALUE!", "expected a number"),
        (("Llama-3-70B", "H100", "many"), "#VALUE!", "batch"),
        (("Llama-3-70B", "H100", "8 GB"), "#VALUE!", "expected a count"),
        ((None, "H100"), "#VALUE!", "model is empty"),
        (("", "H100"), "#VALUE!", "model is empty"),
        (("Llama-3-70B", ""), "#VALUE!", "hardware is empty"),
        (("Llama-3-70B", 80), "#VALUE!", "bare number"),
        ((70, "H100"), "#VALUE!", "bare number"),
        (("70B", "H100"), "#VALUE!", "ambiguous"),
        (("140 TFLOP/s", "H100"), "#VALUE!", "expected a model"),
        (("140 GB", "80 TFLOP"), "#VALUE!", "count of floating-point operations"),
        (("140 GB", "-3 TB/s"), "#NUM!", "above 0"),
        (("Llama-3-70B", "K80"), "#N/A", "fp16 peak"),
        (("ResNet-50", "H100"), "#NUM!", "cannot be laid out"),
        (("Llama-3-70B", "H100", 1, 2048, "bf17"), "#N/A", "precision"),
        (("Llama-3-70B", "H100", 1, 2048, "bf16", 1.5), "#NUM!", "whole number"),
        (("Llama-3-70B", "H100", 1, 2048, "bf16", 128), "#NUM!", "attention heads"),
        (("Llama-3-70B", "H100", 1, 2048, "bf16", 1, "nothing"), "#N/A", "runtime"),
        (("Llama-3-70B", "H100", 1, 2048, "bf16", 1, "vLLM", "GB"), "#VALUE!", "time"),
        (("x" * 10_000_000, "H100"), "#VALUE!", "10,000,000"),
        (("Llama-3-70B", "H100", 1, 1, "bf16", 1, "vLLM", "ms", "extra"), "#VALUE!", "at most 8"),
    ],
)
def test_bad_argument_is_one_clear_sentence(args: tuple[object, ...], code: str, words: str) -> None:
    caught = error("MLSIM_DECODE_LATENCY", *args)
    assert caught.code == code
    assert words in caught.message


def test_unknown_function() -> None:
    assert error("MLSIM_DECODE_LATENCIES").code == "#N/A"


def test_sparse_peak_is_refused() -> None:
    own = [["memory bandwidth", "3 TB/s"], ["bf16 peak", "1979 TFLOP/s sparse"]]
    assert "sparse" in error("MLSIM_DECODE_LATENCY", "Llama-3-8B", own).message


def test_bare_laws() -> None:
    assert call("MLSIM_DECODE_LATENCY", ["140 GB", "3.35 TB/s"]) == pytest.approx(140 / 3.35)
    assert call("MLSIM_PREFILL_LATENCY", ["70 Gparam", "989 TFLOP/s", 1, 2048]) == pytest.approx(
        2 * 70e9 * 2048 / 989e12 * 1e3
    )
    assert call("MLSIM_FITS", ["140 GB", "80 GiB"]) is False
    assert call("MLSIM_FITS", ["70 Gparam", "141 GB", 1, 1, "fp8"]) is True
    assert "memory is in GB or GiB" in error("MLSIM_FITS", "140 GB", "80 TFLOP/s").message


def test_own_hardware_equals_the_registry_when_its_figures_do() -> None:
    own = [["memory bandwidth", "3.35 TB/s"], ["memory", "81559 MiB"], ["bf16 peak", "989 TFLOP/s dense"]]
    ours = call("MLSIM_MAX_BATCH", ["Llama-3-8B", own, 4096])
    assert ours == call("MLSIM_MAX_BATCH", ["Llama-3-8B", "H100", 4096])


def test_own_hardware_based_on_a_chip() -> None:
    registry = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 8, 4096, "bf16", 4])
    own = [["Based on", "H100"], ["memory bandwidth", "3.35 TB/s"]]
    assert call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", own, 8, 4096, "bf16", 4]) == pytest.approx(registry)
    own[1][1] = "4 TB/s"
    assert call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", own, 8, 4096, "bf16", 4]) < registry
    own[1][1] = "4 TFLOP"
    assert "is due" in error("MLSIM_DECODE_LATENCY", "Llama-3-70B", own).message
    assert error("MLSIM_DECODE_LATENCY", "Llama-3-70B", [["based on", "H1000"]]).code == "#N/A"


def test_own_model_range() -> None:
    own = [["layers", 32], ["hidden", 4096], ["heads", 32], ["kv heads", 8], ["head dim", 128], ["ffn", 14336],
           ["vocab", 128256]]  # fmt: skip
    assert call("MLSIM_KV_CACHE", [own, 4096, 48]) == call("MLSIM_KV_CACHE", ["Llama-3-8B", 4096, 48])
    assert "is not a model dimension" in error("MLSIM_KV_CACHE", [*own, ["wings", 2]]).message


def test_ranges_broadcast_and_keep_errors_in_their_cells() -> None:
    grid = call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", [["H100"], ["nonsense"], ["A100"]], [[1, 8]]])
    assert len(grid) == 3
    assert len(grid[0]) == 2
    assert grid[0][0] == call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", "H100", 1])
    assert grid[2][1] == call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", "A100", 8])
    assert isinstance(grid[1][0], CellError)
    assert grid[1][0].code == "#N/A"
    assert "does not fit" in error("MLSIM_DECODE_LATENCY", "Llama-3-8B", [["H100"], ["A100"]], [[1], [2], [3]]).message


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(1, 512), st.integers(1, 65536), st.sampled_from([1, 2, 4, 8])), min_size=1, max_size=20
    )
)
def test_many_calls_equal_single_calls(loads: list[tuple[int, int, int]]) -> None:
    calls = [("Llama-3-70B", "H200", batch, context, "fp8", tp) for batch, context, tp in loads]
    many = call_many("MLSIM_DECODE_LATENCY", calls)
    assert many == [pytest.approx(call("MLSIM_DECODE_LATENCY", c), rel=1e-12) for c in calls]


anything = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=20),
    st.sampled_from(["H100", "Llama-3-8B", "80 GiB", "3.35 TB/s", "bf16", "ms", "140 GB", "#N/A"]),
    st.lists(st.lists(st.one_of(st.text(max_size=5), st.floats(), st.none()), max_size=3), max_size=3),
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(sorted(CATALOGUE)), st.lists(anything, max_size=9))
def test_any_call_gives_a_value_or_a_sentence(name: str, args: list[object]) -> None:
    try:
        result = call(name, args)
    except CellError as caught:
        result = caught
    assert isinstance(result, (float, int, bool, str, list, CellError))
    if isinstance(result, CellError):
        assert result.code in ("#VALUE!", "#N/A", "#NUM!")
        assert result.message


def test_units_functions() -> None:
    assert call("MLSIM_CONVERT", ["80 GB", "GiB"]) == pytest.approx(74.5058059692)
    assert call("MLSIM_ADD", ["14 GB", "26 GiB"]) == "41.917287424 GB"
    assert call("MLSIM_ADD", [[["14 GB"], ["26 GiB"]]]) == "41.917287424 GB"
    assert call("MLSIM_MUL", ["3.35 TB/s", "10 ms"]) == "33500000000 byte"
    assert call("MLSIM_DIV", ["140 GB", "3.35 TB/s"]) == "0.0417910447761 s"
    assert "bare number" in error("MLSIM_ADD", 5, "1 GB").message


@pytest.mark.parametrize(
    ("quantity", "expected", "starts", "words"),
    [
        ("80 GB", "GiB", "ok", "7.4 % more"),
        ("80 TFLOP", "TFLOP/s", "error", "write FLOP/s"),
        ("80 GB", "H100", "warning", "79.65 GiB"),
        ("80 GiB", "A100", "ok", "81920 MiB"),
        ("3.35 TB/s", "H100", "error", "data rate"),
        (80, "GiB", "error", "bare number"),
        ("7B", "GB", "error", "ambiguous"),
    ],
)
def test_check_never_fails(quantity: object, expected: str, starts: str, words: str) -> None:
    text = call("MLSIM_CHECK", [quantity, expected])
    assert text.startswith(starts)
    assert words in text


def test_why_explains_errors_and_results() -> None:
    assert call("MLSIM_WHY", ["MLSIM_FITS", "140 GB", "80 TFLOP/s"]).startswith("#VALUE!")
    why = call("MLSIM_WHY", ["MLSIM_FITS", "Llama-3-70B", "H100"])
    assert "weights 131.4" in why
    assert why.endswith("it does not fit.")
    assert "memory bandwidth" in call("MLSIM_WHY", ["MLSIM_DECODE_LATENCY", "Llama-3-70B", "MI300X", 1, 4096])


def test_why_passes_ranges_on() -> None:
    own = [["memory bandwidth", "3.35 TB/s"], ["memory", "80 GiB"], ["bf16 peak", "989 TFLOP/s"]]
    assert "own hardware" in call("MLSIM_WHY", ["MLSIM_DECODE_LATENCY", "Llama-3-8B", own])
    assert "fits" not in call("MLSIM_WHY", ["MLSIM_DECODE_LATENCY", [["Llama-3-8B"]], [["H100"]]])
    assert "a range of 2×1" in call("MLSIM_WHY", ["MLSIM_DECODE_LATENCY", "Llama-3-8B", [["H100"], ["A100"]]])


def test_lookup() -> None:
    assert call("MLSIM_SPEC", ["h100", "HBM bandwidth", "GB/s"]) == 3350
    assert call("MLSIM_SPEC", ["llama 3 70b", "layers"]) == 80
    assert "https://" in call("MLSIM_SOURCE", ["H100", "memory bandwidth"])
    assert "https://" in call("MLSIM_SOURCE", ["Llama-3-70B", "layers"])
    assert ["H100-SXM-80GB"] in call("MLSIM_LIST", ["hardware"])
    assert error("MLSIM_SPEC", "H100", "colour").code == "#N/A"
    assert error("MLSIM_LIST", "planets").code == "#N/A"
