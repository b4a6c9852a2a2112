"""Functions mapped over ranges inside SUMPRODUCT and its like: right, or left alone by name; never a silent 0."""

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from mlsim_workbooks.recalc import Report, recalculate


def recalculated(tmp_path: Path, formula: str) -> tuple[Report, object]:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("a", 1), ("b", 2), ("B", 3)):
        sheet.append(row)
    sheet["E7"] = '=LOWER("B")'
    sheet["E9"] = formula
    sheet["E11"] = '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)'
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    return report, load_workbook(path, data_only=True).active["E9"].value


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUMPRODUCT(EXACT(A1:A3,E7)*B1:B3)", 2),
        ("=SUMPRODUCT(--EXACT(A1:A3,E7))", 1),
        ("=MATCH(1,INDEX(--EXACT(A1:A3,E7),0),0)", 2),
        ('=SUMPRODUCT(--(LEFT(A1:A3,1)="a"),B1:B3)', 1),
        ("=SUMPRODUCT(IF(B1:B3>1,B1:B3,0))", 5),
        ("=SUMPRODUCT((A1:A3=E7)*B1:B3)", 5),
        ("=ROUND(SUM(B1:B3),1)", 6),
        ("=IF(ISERROR(VLOOKUP(E7,A1:B3,2,FALSE)),0,1)", 1),
        ("=COUNTIF(A1:A3,E7)", 2),
    ],
)
def test_right(tmp_path: Path, formula: str, expected: float) -> None:
    report, value = recalculated(tmp_path, formula)
    assert value == expected
    assert report.left == []


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ('=SUMPRODUCT(--ISNUMBER(SEARCH("b",A1:A3)))', "SEARCH"),
        ("=SUMPRODUCT(ROUND(B1:B3,0))", "ROUND"),
        ("=SUMPRODUCT(1/COUNTIF(A1:A3,A1:A3))", "COUNTIF"),
        ("=SUMPRODUCT(--ISBLANK(A1:A3))", "ISBLANK"),
    ],
)
def test_left_alone_by_name(tmp_path: Path, formula: str, name: str) -> None:
    report, value = recalculated(tmp_path, formula)
    assert value is None
    assert report.left == [("Sheet", "E9", f"uses {name}() over a range, which the engine gets wrong")]
