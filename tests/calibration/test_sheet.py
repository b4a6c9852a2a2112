"""Measurements as they stand in a sheet: headers in people's words, units in the header or the cell."""

from typing import Any

import pytest

from mlsim.calibration.sheet import measured_rows
from mlsim.errors import CellError

HEAD = ["model", "hardware", "batch", "context", "TPOT [ms]"]
LINE = ["Llama-3-8B", "H100", 8, 2048, 7.5]


def test_a_row_becomes_a_case() -> None:
    assert measured_rows([HEAD, LINE]) == [{
        "model": "Llama-3-8B", "hardware": "H100", "batch": "8", "context_len": "2048", "case_id": "row 2",
        "family": "decode", "metric": "tpot", "measured": "7.5",
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Model", "model"), ("GPU", "hardware"), ("Chip", "hardware"), ("Engine", "software"), ("Runtime", "software"),
        ("Batch size", "batch"), ("concurrency", "batch"), ("Prompt tokens", "input_len"), ("input_len", "input_len"),
        ("OUTPUT TOKENS", "output_len"), ("context_len", "context_len"), ("Weights", "weight_precision"),
        ("KV precision", "kv_precision"), ("TP", "tp"), ("devices", "num_devices"), ("  Batch   size ", "batch"),
        ("Prompt [token]", "input_len"),
    ],
)  # fmt: skip
def test_columns_by_peoples_words(header: str, column: str) -> None:
    assert measured_rows([[header, "TPOT [ms]"], ["vLLM", 1.0]])[0][column] == "vLLM"


def test_an_unknown_runtime_is_a_mistake_here() -> None:
    with pytest.raises(CellError, match="runtime registry"):
        measured_rows([["runtime", "TPOT [ms]"], ["vLMM", 1.0]])


@pytest.mark.parametrize(
    ("header", "family", "metric", "factor"),
    [
        ("TPOT [ms]", "decode", "tpot", 1),
        ("ITL (ms)", "decode", "tpot", 1),
        ("tpot [s]", "decode", "tpot", 1e3),
        ("decode latency [us]", "decode", "tpot", 1e-3),
        ("TTFT [ms]", "prefill", "ttft", 1),
        ("Prefill latency (s)", "prefill", "ttft", 1e3),
        ("latency [s]", "end_to_end", "latency", 1e3),
        ("serving TPOT [ms]", "serving_online", "tpot", 1),
        ("throughput [token/s]", "serving_offline", "output_tokens_per_s_per_device", 1),
        ("Throughput (ktoken/s)", "serving_offline", "output_tokens_per_s_per_device", 1e3),
    ],
)
def test_measurements_by_their_header(header: str, family: str, metric: str, factor: float) -> None:
    found = measured_rows([["model", header], ["m", 2.5]])[0]
    assert (found["family"], found["metric"]) == (family, metric)
    assert float(found["measured"]) == pytest.approx(2.5 * factor)


def test_a_header_that_the_help_text_names_is_understood() -> None:
    """MLSIM_CALIBRATE: '... or "token/s per device"'."""
    assert measured_rows([["model", "token/s per device"], ["m", 100]])[0]["family"] == "serving_offline"


def test_a_cell_with_its_own_unit_wins() -> None:
    rows = measured_rows([["model", "TPOT [ms]"], ["m", "0.5 s"], ["m", "7.5 ms"]])
    assert [float(r["measured"]) for r in rows] == pytest.approx([500, 7.5])


def test_two_measurements_of_one_line_are_two_cases() -> None:
    rows = measured_rows([["model", "prompt", "TPOT [ms]", "TTFT [ms]"], ["m", 512, 7, 20]])
    assert [(r["metric"], r["measured"], r["input_len"]) for r in rows] == [("tpot", "7", "512"), ("ttft", "20", "512")]


def test_empty_lines_cells_and_columns_are_skipped() -> None:
    rows = measured_rows([[*HEAD, None, ""], [*LINE, "a remark", ""], [None] * 7, ["m", "H100", None, None, ""], []])
    assert [r["case_id"] for r in rows] == ["row 2"]
    assert measured_rows([HEAD, ["Llama-3-8B", "H100", None, "", 7.5]])[0]["batch"] == ""


def test_rows_are_numbered_as_in_the_sheet() -> None:
    assert [r["case_id"] for r in measured_rows([HEAD, [], LINE, [], LINE])] == ["row 3", "row 5"]


@pytest.mark.parametrize("number", [131072, 1_048_576, 2048.0, 1234567])
def test_counts_are_not_rounded(number: float) -> None:
    row = measured_rows([["model", "context", "TPOT [ms]"], ["m", number, 1]])[0]
    assert float(row["context_len"]) == number


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([["model", "colour", "TPOT [ms]"], ["m", 1, 2]], '"colour" is not understood'),
        ([["model", "hardware"], ["m", "H100"]], "No column holds a measurement"),
        ([["model", "TPOT"], ["m", 7.5]], "row 2: 7.5 has no unit"),
        ([["model", "TPOT [GB]"], ["m", 7.5]], "unit GB is not one of ms"),
        ([["model", "TPOT [furlong]"], ["m", 7.5]], "furlong"),
        ([["model", "TPOT [ms]"], ["m", "fast"]], "fast"),
        ([["model", "TPOT [ms]"], ["m", "5 GB"]], "GB"),
        ([[], ["m"]], "No column holds a measurement"),
    ],
)
def test_a_bad_sheet_is_one_sentence(table: list[list[Any]], words: str) -> None:
    with pytest.raises(CellError) as caught:
        measured_rows(table)
    assert words in caught.value.message


@pytest.mark.parametrize("table", [[1, 2], [HEAD, None], [HEAD, [*LINE[:4], True]], [HEAD, [*LINE[:4], object()]]])
def test_odd_cells_are_a_sentence_too(table: list[Any]) -> None:
    with pytest.raises(CellError):
        measured_rows(table)
