"""The Excel module: generated text, xlwings' real decorators and conversion, and the VBA part (as text)."""

from __future__ import annotations

import datetime
import importlib
import inspect
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fake_win32 import FakeExcel, error, excel
from hypothesis import given
from hypothesis import strategies as st

from mlsim.errors import CellError, DomainError, NameNotFoundError
from mlsim.functions import Arg, Function
from mlsim_addin import generate, host, texts
from mlsim_addin.excel import cells
from mlsim_addin.excel import generate as excel_generate
from mlsim_workbooks import functions
from mlsim_workbooks.functions import CATALOGUE

MARK = cells.ERROR_MARK
OWN_CHIP = [["memory bandwidth", "3.35 TB/s"], ["memory", "80 GB"], ["bf16 peak", "989 TFLOP/s"]]
BAS = (Path(cells.__file__).parent / "mlsim.bas").read_bytes().decode("ascii")


@pytest.fixture(scope="module")
def app() -> Iterator[FakeExcel]:
    with excel() as fake:
        yield fake


def direct(name: str, *args: Any) -> Any:
    """What the catalogue itself says, errors as the text of their cell."""

    def shown(value: Any) -> Any:
        return MARK + str(value) if isinstance(value, CellError) else value

    try:
        result = functions.call(name, args)
    except CellError as failure:
        return shown(failure)
    return [[shown(cell) for cell in row] for row in result] if isinstance(result, list) else shown(result)


# --- the generated files ---------------------------------------------------------------------------------------------


def test_the_generated_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_check_names_a_stale_file_and_writes_nothing(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    path = tmp_path / "udfs.py"
    path.write_text("old")
    monkeypatch.setattr(generate, "FILES", {path: excel_generate.python_source})
    assert generate.main(["--check"]) == 1
    assert "udfs.py is stale" in capsys.readouterr().err
    assert path.read_text() == "old"
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_the_module_imports_without_windows_and_evaluates() -> None:
    module = importlib.import_module("mlsim_addin.excel.udfs")
    assert set(module.__all__) == set(CATALOGUE)
    assert not hasattr(module.MLSIM_CONVERT, "__xlfunc__")
    assert module.MLSIM_CONVERT("1 GiB", "MiB") == 1024


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_function_has_its_udf(app: FakeExcel, name: str) -> None:
    function, udf = CATALOGUE[name], getattr(app.module, name)
    assert re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name)
    assert " ".join(inspect.getdoc(udf).split()) == " ".join(function.doc.split())
    info = udf.__xlfunc__
    assert info["category"] == f"MLSIM {function.category}"
    assert [arg["name"].removesuffix("_") for arg in info["args"]] == [arg.name for arg in function.args]
    for seen, arg in zip(info["args"], function.args, strict=True):
        assert seen["vararg"] == arg.vararg
        assert ("optional" in seen) == (arg.optional and not arg.vararg)
        assert seen.get("optional") is None
        assert seen["options"]["ndim"] == 2
        assert seen["options"]["err_to_str"] is True
        assert 0 < len(seen["doc"]) <= 255
        assert seen["doc"].startswith(arg.doc[:200])
    assert 0 < len(texts.description(function)) <= 255


def test_long_help_is_cut_between_words() -> None:
    text = texts.help_text(Arg("x", "count", "word " * 100, 1.0))
    assert len(text) <= 255
    assert text.endswith("word ...")
    assert texts.help_text(Arg("x", "count", "Sequences.", 1.0)) == "Sequences. Default: 1."


@pytest.mark.parametrize(
    ("name", "safe"), [("function", "function_"), ("Date", "Date_"), ("lambda", "lambda_"), ("tp", "tp")]
)
def test_reserved_words_get_an_underscore(name: str, safe: str) -> None:
    assert excel_generate.identifier(name) == safe


@pytest.mark.parametrize(
    ("name", "args", "reason"),
    [
        ("MLSIM.X", [], "plain upper case"),
        ("MLSIM_" + "X" * 60, [], "longer than 64"),
        ("MLSIM_X", [Arg("a", "any", "a"), Arg("A", "any", "a")], "differ in case only"),
        ("MLSIM_X", [Arg("a", "any", "a", 1), Arg("b", "any", "b", vararg=True)], "one of many values"),
        ("MLSIM_X", [Arg("a", "any", "a", 1), Arg("b", "any", "b")], "follows an optional one"),
    ],
)
def test_what_excel_cannot_take_is_refused(monkeypatch: Any, name: str, args: list[Arg], reason: str) -> None:
    monkeypatch.setitem(CATALOGUE, name, Function(name, "Test", tuple(args), "Doc.", "", lambda: 1))
    with pytest.raises(ValueError, match=reason):
        excel_generate.python_source()


# --- values ----------------------------------------------------------------------------------------------------------


def test_scalars_and_missing_arguments(app: FakeExcel) -> None:
    assert app.call("MLSIM_CONVERT", "80 GB", "GiB") == pytest.approx(74.505806)
    assert app.call("MLSIM_DECODE_LATENCY", "140 GB", "3.35 TB/s") == direct(
        "MLSIM_DECODE_LATENCY", "140 GB", "3.35 TB/s"
    )
    assert app.call("MLSIM_CONVERT", [["80 GB"]], [["GiB"]]) == pytest.approx(74.505806)
    assert app.call("MLSIM_CONVERT", [[None]], "GiB").startswith(f"{MARK}#VALUE! quantity is empty")
    assert app.call("MLSIM_CONVERT", "80 GB").startswith(f"{MARK}#VALUE! unit is empty")


def test_empty_cells_take_the_default(app: FakeExcel) -> None:
    full = app.call("MLSIM_WEIGHTS", "Llama 3.1 8B", "bf16", "GB")
    assert app.call("MLSIM_WEIGHTS", "Llama 3.1 8B", [[None]]) == full
    assert app.call("MLSIM_WEIGHTS", "Llama 3.1 8B", [[""]], "GB") == full


def test_ranges_broadcast_and_spill(app: FakeExcel) -> None:
    table = app.call("MLSIM_CONVERT", [["80 GB"], ["1 TB"]], [["GB", "MB", "kB"]])
    assert table == [[80.0, 80e3, 80e6], [1e3, 1e6, 1e9]]
    row = app.call("MLSIM_CONVERT", [["80 GB", "1 TB"]], "GB")  # the COM server hands a row over flat
    assert row == [80.0, 1000.0]
    column = app.call("MLSIM_CONVERT", [["80 GB"], ["1 TB"]], "GB")
    assert column == [[80.0], [1000.0]]


def test_an_error_in_a_spilled_range_stands_in_its_cell(app: FakeExcel) -> None:
    good, bad = app.call("MLSIM_CONVERT", [["80 GB", "3 s"]], "GB")
    assert good == 80.0
    assert bad.startswith(f"{MARK}#VALUE! 3 s is a time")


def test_own_hardware_as_a_two_column_range(app: FakeExcel) -> None:
    result = app.call("MLSIM_DECODE_LATENCY", "Llama 3.1 8B", OWN_CHIP)
    assert result == direct("MLSIM_DECODE_LATENCY", "Llama 3.1 8B", OWN_CHIP)
    assert 4 < result < 12


def test_varargs_take_cells_ranges_and_gaps(app: FakeExcel) -> None:
    assert app.call("MLSIM_ADD", "1 GB", [["2 GB"], [None], ["3 GB"]], [["4 GB"]]) == "10 GB"
    assert app.call("MLSIM_ADD").startswith(f"{MARK}#VALUE! MLSIM_ADD needs at least 1")


@pytest.mark.parametrize("code", ["#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"])
def test_an_error_argument_propagates_without_a_call(app: FakeExcel, monkeypatch: Any, code: str) -> None:
    monkeypatch.setattr(functions, "call", lambda *_: pytest.fail("called"))
    for cell in (error(code), [[error(code)]], [["80 GB", error(code)]]):
        assert app.call("MLSIM_CONVERT", cell, "GB").startswith(f"{MARK}{code} ")
    assert app.call("MLSIM_ADD", "1 GB", error(code)).startswith(f"{MARK}{code} ")


def test_an_error_newer_than_the_list_is_a_value_error() -> None:
    assert cells.call("MLSIM_CONVERT", -2146828288 + 2045, "GB").startswith(f"{MARK}#VALUE! ")  # #SPILL!


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("MLSIM_DECODE_LATENCY", ("Llama 3.1 8B", "H1000"), "#N/A"),
        ("MLSIM_SPEC", ("no such chip", "memory"), "#N/A"),
        ("MLSIM_FITS", ("140 GB", "80 TFLOP/s"), "#VALUE!"),
        ("MLSIM_DECODE_LATENCY", ("140 GB", "3.35 TB/s", -1.0), "#NUM!"),
    ],
)
def test_failures_begin_with_their_code(app: FakeExcel, name: str, args: tuple[Any, ...], code: str) -> None:
    text = app.call(name, *args)
    assert text.startswith(f"{MARK}{code} ")
    assert "Traceback" not in text
    assert host.call(name, args).code == code
    sentence = app.call("MLSIM_WHY", name, *args)
    assert sentence == text.removeprefix(MARK)  # MLSIM_WHY shows it as text


def test_booleans_and_unicode(app: FakeExcel) -> None:
    assert app.call("MLSIM_FITS", "140 GB", "141 GB") is direct("MLSIM_FITS", "140 GB", "141 GB")
    assert app.call("MLSIM_FITS", "140 GB", "80 GB") is False
    assert "größer™ 漢字" in app.call("MLSIM_SPEC", "größer™ 漢字", "memory")


def test_currency_cells_are_numbers_and_dates_are_explained(app: FakeExcel) -> None:
    assert app.call("MLSIM_MUL", Decimal("2.5"), "4 $") == "10 $"
    text = app.call("MLSIM_CONVERT", [[datetime.datetime(2024, 5, 3)]], "GB")
    assert text.startswith(f"{MARK}#VALUE! A cell holds the date 2024-05-03")


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (float("nan"), f"{MARK}#NUM! The result is not a finite number."),
        (float("inf"), f"{MARK}#NUM! The result is not a finite number."),
        (None, f"{MARK}#N/A There is no result."),
        ([], f"{MARK}#N/A The result is empty."),
        ([1, 2], [1.0, 2.0]),
        ([[1, None], [2]], [[1.0, ""], [2.0, ""]]),
        ([[float("nan"), True]], [f"{MARK}#NUM! The result is not a finite number.", True]),
        ([[DomainError("too\nbig"), "ok"]], [f"{MARK}#NUM! too big", "ok"]),
        (NameNotFoundError("unknown"), f"{MARK}#N/A unknown"),
        (2**40, 2.0**40),
        ("x" * 40000, "x" * 32767),
    ],
)
def test_what_a_cell_can_show(app: FakeExcel, monkeypatch: Any, result: Any, shown: Any) -> None:
    monkeypatch.setattr(functions, "call", lambda *_: result)
    seen = app.call("MLSIM_CONVERT", "1 GB", "GB")
    assert seen == shown
    assert type(seen) is type(shown)


def test_a_defect_is_one_sentence(app: FakeExcel, monkeypatch: Any, caplog: Any) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("layers\nsecond line")

    monkeypatch.setattr(functions, "call", fail)
    with caplog.at_level(logging.DEBUG):
        text = app.call("MLSIM_CONVERT", "1 GB", "GB")
    assert text.startswith(f"{MARK}#VALUE! MLSIM_CONVERT failed, which is a defect of MLSIM")
    assert "\n" not in text
    assert "Traceback" in caplog.text  # for the developer


# --- the same values as the catalogue --------------------------------------------------------------------------------

CALLS: list[tuple[Any, ...]] = [
    (name, model, chip)
    for name in ("MLSIM_DECODE_LATENCY", "MLSIM_PREFILL_LATENCY", "MLSIM_FITS", "MLSIM_MEMORY", "MLSIM_BOTTLENECK")
    for model in ("Llama 3.1 8B", "Llama 3.1 70B")
    for chip in ("H100", "A100", OWN_CHIP)
] + [
    ("MLSIM_THROUGHPUT", "Llama 3.1 8B", "H100", [[1.0], [8.0], [64.0]]),
    ("MLSIM_MEMORY", "Llama 3.1 70B", [["H100", "A100"]], [[1.0], [8.0]], 4096.0, "fp8", 2.0),
    ("MLSIM_KV_CACHE", "Llama 3.1 8B", [[1024.0, 2048.0, 4096.0]]),
    ("MLSIM_MAX_BATCH", "Llama 3.1 8B", "H100"),
    ("MLSIM_MIN_DEVICES", "Llama 3.1 70B", "H100"),
    ("MLSIM_TOKEN_COST", "2.50 $/GPU-h", 1500.0, 2.0),
    ("MLSIM_SPEC", "H100", "memory bandwidth"),
    ("MLSIM_SPEC", [["H100"], ["A100"], ["nothing"]], "memory bandwidth", "TB/s"),
    ("MLSIM_SOURCE", "H100", "memory bandwidth"),
    ("MLSIM_LIST", "hardware"),
    ("MLSIM_CHECK", "80 TFLOP", "TFLOP/s"),
    ("MLSIM_WHY", "MLSIM_FITS", "Llama 3.1 8B", "H100"),
]


@pytest.mark.parametrize("args", CALLS, ids=lambda args: " ".join(str(a)[:16] for a in args))
def test_the_same_as_the_catalogue(app: FakeExcel, args: tuple[Any, ...]) -> None:
    expected = direct(*args)
    if isinstance(expected, list) and len(expected) == 1:
        expected = expected[0]
    assert app.call(*args) == expected


@given(
    st.floats(0.001, 1e6, allow_nan=False).map(lambda x: float(f"{x:.6g}")),
    st.sampled_from(["GB", "GiB", "TB/s", "ms", "token/s", "TFLOP/s", "W"]),
    st.sampled_from(["MB", "GB/s", "s", "token/h", "kW", "nonsense"]),
)
def test_conversions_are_the_same_as_in_the_catalogue(app: FakeExcel, value: float, unit: str, due: str) -> None:
    assert app.call("MLSIM_CONVERT", f"{value} {unit}", due) == direct("MLSIM_CONVERT", f"{value} {unit}", due)


# --- VBA -------------------------------------------------------------------------------------------------------------


def vba_functions(text: str) -> dict[str, str]:
    """Split VBA into its public functions, each on joined lines with single spaces."""
    joined = re.sub(r" _\r?\n\s*", " ", text).replace("\r\n", "\n")
    found = re.findall(r"^(?:Public )?Function (MLSIM_\w+)(\(.*?)^End Function", joined, re.DOTALL | re.MULTILINE)
    return {name: re.sub(r"[ \t]+", " ", body) for name, body in found}


def test_the_vba_wrappers_take_what_those_of_xlwings_take(app: FakeExcel) -> None:
    ours, theirs = vba_functions(BAS), vba_functions(app.vba())
    assert set(theirs) == set(CATALOGUE) <= set(ours)
    for name, body in theirs.items():
        assert ours[name].splitlines()[0] == body.splitlines()[0]  # the same arguments, optional ones included
        passed = re.search(r"CallUDF\(\"mlsim_addin.excel.udfs\", \"\w+\", (.*), ThisWorkbook, Application", body)
        assert passed
        given = passed[1].replace("argsArray", "mlsim_given")
        assert f'{name} = MLSIM_Answer("{name}", {given})' in ours[name]


def test_the_vba_signatures_follow_the_catalogue() -> None:
    assert "Public Function MLSIM_CONVERT(quantity, unit)" in BAS
    assert "Public Function MLSIM_ADD(ParamArray quantities())" in BAS
    assert "Public Function MLSIM_WHY(function_, ParamArray args())" in BAS
    assert "MLSIM_FITS(model, hardware, Optional batch, Optional context, Optional precision, Optional tp" in BAS


def test_failures_become_real_cell_errors() -> None:
    for number, code in cells.ERROR_NUMBERS.items():
        constant = {2000: "Null", 2007: "Div0", 2015: "Value", 2023: "Ref", 2029: "Name", 2036: "Num", 2042: "NA"}[
            number
        ]
        assert f'Case "{code}": MLSIM_CellError = CVErr(xlErr{constant})' in BAS
    assert "Case Else: MLSIM_CellError = CVErr(xlErrValue)" in BAS
    assert f"Left$(content, 1) = ChrW$({ord(MARK)})" in BAS


def test_the_vba_text_imports_cleanly() -> None:
    lines = BAS.split("\r\n")
    assert lines[0] == 'Attribute VB_Name = "MLSIM_Functions"'
    assert "\n" not in "".join(lines)  # the editor needs CR LF
    assert max(map(len, lines)) < 1000
    runs = re.findall(r"(?:[^\n]* _\r\n)+", BAS)
    assert max(run.count(" _\r\n") for run in runs) <= 24
    for literal in re.findall(r'"((?:[^"\r\n]|"")*)"', BAS):
        assert len(literal.replace('""', '"')) <= 255
    described = re.findall(r'MLSIM_Describe "(MLSIM_\w+)"', BAS)
    assert sorted(described) == sorted(CATALOGUE)


def test_help_is_ascii_in_vba() -> None:
    assert excel_generate._vba_literal("2 × η ≤ 3 “m²”…") == '"2 x eta <= 3 ""m2""..."'
