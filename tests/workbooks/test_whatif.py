"""A workbook as a function of its inputs gives what recalculating a copy with those inputs gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim_workbooks.package import Err, RecalcError
from mlsim_workbooks.recalc import recalculate
from mlsim_workbooks.recalc.whatif import WhatIf

MODELS = ("Llama-3-8B", "Llama-3-70B", "no such model")


def capacity(path: Path, **inputs: Any) -> Path:
    """Write a small capacity sheet; ``inputs`` replace cells of the sheet Inputs."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Inputs"
    rows = (("Model", "Llama-3-8B"), ("Chip", "H100"), ("Batch", 8), ("Context", "=1024*4"), ("Extra", None))
    for row in rows:
        sheet.append(row)
    for ref, value in inputs.items():
        sheet[ref] = value
    out = book.create_sheet("My results")
    out["A1"], out["B1"] = "Latency", "=MLSIM_DECODE_LATENCY(Inputs!B1,Inputs!B2,Inputs!B3,Inputs!B4)"
    out["A2"], out["B2"] = "Rate", "=Inputs!B3/B1*1000"
    out["A3"], out["B3"] = "Fits", "=MLSIM_FITS(Inputs!B1,Inputs!B2,Inputs!B3,Inputs!B4)"
    out["A4"], out["B4"] = "Verdict", '=IF(ISERROR(B2),"none",IF(AND(B3,B2>100),"good","bad"))'
    out["A5"], out["B5"] = "Chain", "=MLSIM_KV_CACHE(Inputs!B1,ROUND(B2,0)+1)+N(Inputs!B5)"
    out["A6"], out["B6"] = "Constant", 4
    book.defined_names["latency"] = openpyxl.workbook.defined_name.DefinedName("latency", attr_text="'My results'!$B$1")
    book.save(path)
    return path


def opened(tmp_path: Path, inputs: list[str], outputs: list[str]) -> WhatIf:
    return WhatIf(capacity(tmp_path / "book.xlsx").read_bytes(), "book.xlsx", inputs, outputs)


points = st.tuples(st.sampled_from(MODELS), st.integers(1, 64), st.sampled_from([128.0, 4096.0, None, "x", True]))


def test_equals_recalculating_a_copy(tmp_path: Path) -> None:
    cells = ["Inputs!B1", "Inputs!B3", "Inputs!B4"]
    function = opened(tmp_path, cells, ["'My results'!B1:B5"])
    assert function.columns == [f"My results!B{row}" for row in range(1, 6)]
    assert function.notes == ["Inputs!B4 holds a formula, which the values take the place of."]

    @settings(max_examples=25, deadline=None)
    @given(st.lists(points, min_size=1, max_size=4))
    def check(some: list[tuple[Any, ...]]) -> None:
        for point, row in zip(some, function.evaluate(some), strict=True):
            path = capacity(tmp_path / "copy.xlsx", B1=point[0], B3=point[1], B4=point[2])
            recalculate(path)
            sheet = openpyxl.load_workbook(path, data_only=True)["My results"]
            expected = [sheet[f"B{i}"].value for i in range(1, 6)]
            assert row == [pytest.approx(v) if isinstance(v, float) else v for v in expected]
            assert [type(v) is bool for v in row] == [type(v) is bool for v in expected]

    check()


def test_errors_empty_inputs_and_names(tmp_path: Path) -> None:
    function = opened(tmp_path, ["Inputs!B1", "Inputs!B5"], ["latency", "'My results'!B4:B6"])
    wrong, right, more = function.evaluate([("nonesuch", None), ("Llama-3-8B", None), ("Llama-3-8B", 2.0)])
    assert wrong == [Err("#N/A"), "none", Err("#N/A"), 4]
    assert isinstance(wrong[0], Err)
    assert right[1] == "good"
    assert more[2] == pytest.approx(right[2] + 2)
    assert function.label("'My results'!B4") == "Verdict"
    assert function.label("latency") == "Latency"
    assert function.notes == ["My results!B6 holds no formula: it stays the same."]


def test_dynamic_arrays_take_another_size_at_each_point(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write("A1", 2)
        sheet.write_dynamic_array_formula("C1:C2", "=_xlfn.SEQUENCE(A1)")
        sheet.write_formula("E1", "=SUM(C1:C100)")
        sheet.write_formula("E2", "=ROWS(_xlfn.ANCHORARRAY(C1))")
    function = WhatIf((tmp_path / "book.xlsx").read_bytes(), "book.xlsx", ["A1"], ["E1:E2"])
    assert function.evaluate([[n] for n in (5, 1, 3, 10)]) == [[15, 5], [1, 1], [6, 3], [55, 10]]


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        (["Inputs!B1", "Inputs!$B$1"], ["latency"], "is set twice"),
        (["B1"], ["latency"], "names no sheet"),
        (["Nowhere!B1"], ["latency"], 'There is no sheet "Nowhere"'),
        (["Inputs!B1:B2"], ["latency"], "is a range"),
        (["Inputs!rate"], ["latency"], "is not a cell"),
        (["Inputs!B1"], ["Inputs!ZZZ9999999"], "is not a cell"),
        (["Inputs!B1"], ["Inputs!A1:Z9999"], "the limit is"),
        (["Inputs!B1"], ["latency", "other"], "names no sheet"),
    ],
)
def test_refusals(tmp_path: Path, inputs: list[str], outputs: list[str], words: str) -> None:
    with pytest.raises(RecalcError, match=r"\.$") as caught:
        opened(tmp_path, inputs, outputs)
    assert words in str(caught.value)


def test_an_output_that_is_left_alone_is_refused(tmp_path: Path) -> None:
    path = capacity(tmp_path / "book.xlsx", C1='=WEBSERVICE("http://localhost")', C2="=C1&C3", C3=1)
    with pytest.raises(RecalcError, match="Inputs!C2 cannot be worked out: it depends on Inputs!C1"):
        WhatIf(path.read_bytes(), "book.xlsx", ["Inputs!B1"], ["Inputs!C2"])
    function = WhatIf(path.read_bytes(), "book.xlsx", ["Inputs!C1"], ["Inputs!C2"])
    assert function.evaluate([["a"], [True]]) == [["a1"], ["TRUE1"]]


def test_labels_in_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [
        ("Plan", None, None),
        ("Batch", 8, "=B2*2"),
        (None, "TPOT", "Cost"),
        ("H100", "=B2", 1),
        ("MI300X", 1, "=B4+C4"),
    ]:
        sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    function = WhatIf((tmp_path / "book.xlsx").read_bytes(), "book.xlsx", ["B2"], ["B4:C5"])
    labels = [function.label(f"Sheet!{cell}") for cell in ("B2", "B4", "C5", "C2", "A1")]
    assert labels == ["Batch", "H100: TPOT", "MI300X: Cost", "Batch", ""]


def test_a_value_in_doubt_at_one_point_only(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [(0.5, "=A1-0.4-0.1"), (None, "=B1=0"), (None, "=A1*2")]:
        sheet.append(row)
    book["Sheet"]["A1"] = 3
    book.save(tmp_path / "book.xlsx")
    function = WhatIf((tmp_path / "book.xlsx").read_bytes(), "book.xlsx", ["A1"], ["B1:B3"])
    doubtful, certain = function.evaluate([[0.5], [2.0]])
    assert doubtful == [Err("#N/A"), Err("#N/A"), 1.0]
    assert certain == [pytest.approx(1.5), False, 4.0]
