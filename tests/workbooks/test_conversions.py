"""What becomes text in a formula becomes what Excel would write, wherever it stands."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.formula import ArrayFormula

from mlsim_workbooks.recalc import recalculate
from mlsim_workbooks.recalc.conversions import Unsure, as_text, is_too_long, rewritten, rounded, shortened


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"), (1 / 3, "0.333333333333333"), (-100 / 3, "-33.3333333333333"), (0.0, "0"), (-0.0, "0"), (1e9, "1000000000"),
        (123456789012345.0, "123456789012345"), (999999999999999.0, "999999999999999"), (1e15, "1E+15"), (1e20, "1E+20"), (0.0001, "0.0001"),
        (12345678901234567890.0, "1.23456789012346E+19"), (1.5e300, "1.5E+300"), (True, "TRUE"), (False, "FALSE"), (None, ""), ("x", "x"),
    ],
)  # fmt: skip
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@given(st.floats(-1e307, 1e307))
def test_a_text_reads_back_to_fifteen_digits(value: float) -> None:
    if 0 < abs(value) < 1e-4:
        with pytest.raises(Unsure):
            as_text(value)
        return
    text = as_text(value)
    assert math.isclose(float(text), value, rel_tol=1e-14)
    assert len(text.partition("E")[0].replace("-", "").replace(".", "").lstrip("0")) <= 15
    assert not is_too_long(text)
    if abs(value) < 1e15:
        assert "E" not in text


@pytest.mark.parametrize(
    ("value", "digits", "due"),
    [
        (2.5, 0, 3.0), (-2.5, 0, -3.0), (0.125, 2, 0.13), (1.005, 2, 1.01), (2.675, 2, 2.68), (1234.5, -3, 1000.0), (1e300, 2, 1e300),
        (0.1 + 0.2, 16, 0.3), (True, 0, "TRUE"), ("x", 0, "x"), (None, 0, 0.0), ([[2.5, "x"]], 0, [[3.0, "x"]]),
    ],
)  # fmt: skip
def test_rounded(value: Any, digits: int, due: Any) -> None:
    assert rounded(value, digits) == due


@pytest.mark.parametrize(
    ("formula", "new"),
    [
        ('"Latency "&B4&" ms"', '"Latency "&T(B4)&" ms"'),
        ('IF(A1>1,"a"&B1&C1,"x")="a"&D1', 'IF(A1>1,"a"&T(B1)&T(C1),"x")="a"&T(D1)'),
        ("LEN(1/3)", "LEN(T(1/3))"),
        ('A1&TEXT(B1/1000,"#,##0.0,")', 'T(A1)&TEXT(R(B1/1000,-2),"#,##0.0,")'),
        ('TEXT(A1,"0.0%")&UPPER(B1)', 'TEXT(R(A1,3),"0.0%")&UPPER(T(B1))'),
        ('TEXT(A1,"yyyy-mm-dd")', 'TEXT(A1,"yyyy-mm-dd")'),
        ("A1&(B1&C1)", "T(A1)&T((T(B1)&T(C1)))"),
        ("-A1^2&B1%", "T(-A1^2)&T(B1%)"),
        ("SUM(A1:A3)&B1", "T(SUM(A1:A3))&T(B1)"),
        ("CONCATENATE( A1 , B1&C1 )", "CONCATENATE( T(A1) , T(B1)&T(C1) )"),
        ("SUM(A1,B1)", "SUM(A1,B1)"),
        ('"&"', '"&"'),
    ],
)
def test_what_is_put_into_a_formula(formula: str, new: str) -> None:
    written, loose = rewritten(formula)
    assert written.replace("MLSIM__TEXT", "T").replace("MLSIM__ROUND", "R") == new
    assert not loose


def test_what_cannot_be_handed_out_is_noted() -> None:
    assert rewritten('A1:A3&"x"') == ('A1:A3&"x"', True)
    assert rewritten('A1:A3&"x"', array=True) == ('MLSIM__TEXT(A1:A3)&"x"', False)
    assert rewritten('_xlfn.LET(_xlpm.x,1,_xlpm.x&"a")')[1]
    assert rewritten('_xlfn.TEXTJOIN(",",TRUE,A1:A3)')[1]


def test_in_a_workbook(tmp_path: Path) -> None:
    cells: dict[str, Any] = {
        "A1": "=0.1+0.2", "A2": 2.5, "A3": "x", "A4": True, "A6": 1e-5, "A7": "=1/3",
        "B1": '="Latency "&A1&" ms"', "B2": '=TEXT(A2,"0")&"!"', "B3": '=A3&A4&A5&A1', "B4": "=LEN(A7)", "B5": '=IF(A1&""="0.3",1,2)',
        "B6": '=A6&""', "B7": '=B6&"x"', "B8": '=_xlfn.TEXTJOIN("-",TRUE,A2:A3)', "B9": '=_xlfn.TEXTJOIN("-",TRUE,A7:A7)',
        "B10": '=IFERROR(A99/0&"","none")', "B11": '=SUM(LEN(A7),1)', "C1": ArrayFormula("C1:C3", '=A1:A3&"|"'),
        "D1": '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)&" GiB"',
    }  # fmt: skip
    book = openpyxl.Workbook()
    for ref, value in cells.items():
        book.active[ref] = value
    book.save(tmp_path / "book.xlsx")
    report = recalculate(tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True).active
    shown = {
        ref: sheet[ref].value for ref in ("B1", "B2", "B3", "B4", "B5", "B8", "B10", "B11", "C1", "C2", "C3", "D1")
    }
    assert shown == {
        "B1": "Latency 0.3 ms", "B2": "3!", "B3": "xTRUE0.3", "B4": 17, "B5": 1, "B8": "2.5-x", "B10": "none", "B11": 18,
        "C1": "0.3|", "C2": "2.5|", "C3": "x|", "D1": "24 GiB",
    }  # fmt: skip
    assert {cell: why for _, cell, why in report.left} == {
        "B6": "turns 1e-05 into text, which Excel may write in another way",
        "B7": "depends on Sheet!B6, which is left alone",
        "B9": "turns a number into text with more digits than Excel writes",
    }
    assert report.mlsim_calls == 1


@pytest.mark.parametrize(
    ("formula", "new"),
    [
        ("COUNT(A:B)", "COUNT(A$1:B$9)"),
        ("VLOOKUP(x, 'My sheet'!$A:$C ,2,FALSE)", "VLOOKUP(x, 'My sheet'!$A$1:$C$9 ,2,FALSE)"),
        ("_xlfn.XLOOKUP(A1,B:B,C:C)", "_xlfn.XLOOKUP(A1,B$1:B$9,C$1:C$9)"),
        ("ROWS(A:A)", "ROWS(A:A)"),
        ("COUNT(A:A*1)", "COUNT(A:A*1)"),
        ('MATCH("A:A",B1:B2)', 'MATCH("A:A",B1:B2)'),
        ("COUNTBLANK(A:A)+COUNTA(A:A)", "COUNTBLANK(A:A)+COUNTA(A$1:A$9)"),
    ],
)
def test_whole_columns_end_with_the_rows_that_are_used(formula: str, new: str) -> None:
    assert shortened(formula, 9) == new
