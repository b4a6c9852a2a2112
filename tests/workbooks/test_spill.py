"""Dynamic arrays take the size of their results: the formula's area, its children and all that reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from mlsim_workbooks.package import read_package, read_workbook, scan_sheet
from mlsim_workbooks.recalc import Report, recalculate


def grid(name: str, args: list[Any]) -> Any:
    if name == "MLSIM_GRID":
        return [[args[0] + 10 * r + c for c in range(int(args[2]))] for r in range(int(args[1]))]
    return sum(v for row in args[0] for v in row if isinstance(v, float))


def make(path: Path, cells: dict[str, Any], dynamic: dict[str, tuple[str, Any]], merged: str = "") -> Path:
    """Write a workbook with dynamic arrays, each with the area and the first value it was saved with."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        for ref, value in cells.items():
            sheet.write(ref, value)
        for _, (area, formula) in dynamic.items():
            sheet.write_dynamic_array_formula(area, formula, None, 7)
        if merged:
            sheet.merge_range(merged, "")
    return path


def run(path: Path) -> Report:
    report = recalculate(path, call=grid, known={"MLSIM_GRID", "MLSIM_TOTAL"})
    before = path.read_bytes()
    assert recalculate(path, call=grid, known={"MLSIM_GRID", "MLSIM_TOTAL"}).changed == []
    assert path.read_bytes() == before
    return report


def shown(path: Path) -> dict[str, Any]:
    sheet = openpyxl.load_workbook(path, data_only=True)["S"]
    return {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None}


def areas(path: Path) -> dict[str, str]:
    package = read_package(path)
    ((_, part),) = read_workbook(package).sheets
    text = package.read(part).decode()
    return dict(re.findall(r'<c r="([A-Z]+\d+)"[^>]*cm="1"[^>]*><f t="array" ref="([^"]+)"', text))


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("=MLSIM_GRID(1,A1,A2)", {"C1": 1, "D1": 2, "C2": 11, "D2": 12, "C3": 21, "D3": 22}),
        ("=_xlfn.SEQUENCE(A1,A2)", {"C1": 1, "D1": 2, "C2": 3, "D2": 4, "C3": 5, "D3": 6}),
        ("=MLSIM_GRID(1,A1,A2)*1", {"C1": 1, "D1": 2, "C2": 11, "D2": 12, "C3": 21, "D3": 22}),
    ],
)
@pytest.mark.parametrize("stored", ["C1", "C1:C2", "C1:D3", "C1:E5"])
def test_grows_and_shrinks(tmp_path: Path, formula: str, result: dict[str, float], stored: str) -> None:
    cells = {"A1": 3, "A2": 2, "G1": "=SUM(C1:F9)", "G2": "=MLSIM_TOTAL(C1:F9)"}
    path = make(tmp_path / "book.xlsx", cells, {"C1": (stored, formula)})
    report = run(path)
    total = sum(result.values())
    assert shown(path) == {"A1": 3, "A2": 2, "G1": total, "G2": total, **result}
    assert areas(path) == {"C1": "C1:D3"}
    assert (report.left, report.errors) == ([], [])


def test_what_reads_the_spilled_range_reads_all_of_it(tmp_path: Path) -> None:
    cells = {"A1": 4, "E1": "=SUM(_xlfn.ANCHORARRAY(C1))", "E2": "=MLSIM_TOTAL(_xlfn.ANCHORARRAY(C1))"}
    path = make(tmp_path / "book.xlsx", cells, {"C1": ("C1:C2", "=MLSIM_GRID(1,A1,1)")})
    run(path)
    assert (shown(path)["E1"], shown(path)["E2"]) == (64, 64)


def test_one_array_decides_on_the_size_of_another(tmp_path: Path) -> None:
    dynamic = {"C1": ("C1", "=MLSIM_GRID(1,A1,1)"), "E1": ("E1", "=_xlfn.ANCHORARRAY(C1)*2")}
    path = make(tmp_path / "book.xlsx", {"A1": 3}, dynamic)
    run(path)
    assert areas(path) == {"C1": "C1:C3", "E1": "E1:E3"}
    assert [shown(path)[ref] for ref in ("E1", "E2", "E3")] == [2, 22, 42]


@pytest.mark.parametrize("formula", ["=MLSIM_GRID(1,A1,2)", "=_xlfn.SEQUENCE(A1,2)"])
@pytest.mark.parametrize("obstacle", ["value", "formula", "merged", "array"])
def test_nothing_is_overwritten(tmp_path: Path, formula: str, obstacle: str) -> None:
    cells: dict[str, Any] = {"A1": 3, "G1": "=IFERROR(C1,-1)"}
    dynamic = {"C1": ("C1:D2", formula)}
    if obstacle == "value":
        cells["D3"] = "mine"
    elif obstacle == "formula":
        cells["D3"] = "=1+1"
    elif obstacle == "array":
        dynamic["D3"] = ("D3", "=MLSIM_GRID(5,1,1)")
    path = make(tmp_path / "book.xlsx", cells, dynamic, merged="D3:E3" if obstacle == "merged" else "")
    report = run(path)
    kept = {"value": {"D3": "mine"}, "formula": {"D3": 2}, "array": {"D3": 5}}.get(obstacle, {})
    assert shown(path) == {"A1": 3, "C1": "#VALUE!", "G1": -1, **kept}
    assert areas(path)["C1"] == "C1"
    assert report.errors == [("S", "C1", "#VALUE!", "#SPILL!: S!D3 is in the way of the result")]


def test_an_array_left_alone_keeps_its_children(tmp_path: Path) -> None:
    path = make(tmp_path / "book.xlsx", {"A1": 3}, {"C1": ("C1:C2", "=FOO(A1)")})
    with_children = read_package(path).read("xl/worksheets/sheet1.xml")
    report = run(path)
    assert [cell for _, cell, _ in report.left] == ["C1"]
    assert read_package(path).read("xl/worksheets/sheet1.xml") == with_children


def test_only_dynamic_arrays_are_resized(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write("A1", 3)
        sheet.write_array_formula("C1:C2", "=MLSIM_GRID(1,A1,1)")
    run(tmp_path / "book.xlsx")
    assert shown(tmp_path / "book.xlsx") == {"A1": 3, "C1": 1, "C2": 11}


def test_the_metadata_tell_which_arrays_are_dynamic(tmp_path: Path) -> None:
    path = make(tmp_path / "book.xlsx", {}, {"C1": ("C1", "=MLSIM_GRID(1,2,1)")})
    package = read_package(path)
    book = read_workbook(package)
    (cell,) = scan_sheet(package.read(book.sheets[0][1]), "S").rows[0].cells
    assert cell.cm == 1
    assert book.dynamic == {1}
