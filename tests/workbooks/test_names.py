"""Workbooks that travel between hosts: only the names of functions change."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula

from mlsim_workbooks.cli import main
from mlsim_workbooks.names import HOSTS, rename, rename_formula
from mlsim_workbooks.package import RecalcError
from mlsim_workbooks.recalc import recalculate

FORMS = ["MLSIM_CONVERT", "MLSIM.CONVERT", "mlsim.convert", "_xldudf_MLSIM_CONVERT", "_xll.MLSIM_CONVERT",
         "_xlfn.MLSIM_CONVERT", "[1]!MLSIM_CONVERT", "'C:\\x\\MLSIM.xlam'!MLSIM_CONVERT"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_the_hosts_own(form: str, host: str) -> None:
    formula = f'={form}("80 GiB",B2)*2+Sheet2!A1'
    assert rename_formula(formula, host) == f'={HOSTS[host]}CONVERT("80 GiB",B2)*2+Sheet2!A1'


@pytest.mark.parametrize(
    "formula",
    ['="MLSIM_CONVERT(1)"&A1', "=SUM(A1:A3)", "=MLSIM_NOTES!A1", "='MLSIM_FITS('!A1", "=MLSIM_total", "=MY_MLSIM_X(1)",
     "=[1]!OTHER(1)", "=tbl[MLSIM_FITS(]"],
)  # fmt: skip
def test_what_is_no_function_of_ours_stays(formula: str) -> None:
    for host in HOSTS:
        assert rename_formula(formula, host) == formula


def book(path: Path) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row, name in enumerate(FORMS[:5], 1):
        sheet.cell(row, 1, f'=IF("a<b & MLSIM_CONVERT("<>"",{name}("80 GiB","GB"),0)')
    sheet["C1"] = ArrayFormula("C1:D1", '=MLSIM_CONVERT({"1 GB","2 GB"},"MB")')
    sheet["F1"] = "MLSIM_CONVERT( stays text"
    workbook.defined_names["cost"] = DefinedName("cost", attr_text='MLSIM_CONVERT("1 GB","MB")')
    valid = DataValidation(type="custom", formula1='=MLSIM_CONVERT("1 GB","MB")>1')
    valid.add("B1")
    sheet.add_data_validation(valid)
    red = PatternFill(bgColor="FF0000", fill_type="solid")
    sheet.conditional_formatting.add("B2", FormulaRule(formula=['MLSIM_CONVERT("1 GB","MB")>1'], fill=red))
    workbook.save(path)
    return path


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_only_names_change_and_nothing_asks_for_a_calculation(tmp_path: Path) -> None:
    original = book(tmp_path / "book.xlsx")
    recalculate(original)
    before = parts(original)
    assert rename(original, "libreoffice", tmp_path / "there.xlsx") == 8  # one is there already
    there = parts(tmp_path / "there.xlsx")
    changed = {name for name in before if before[name] != there[name]}
    assert changed == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
    assert b"fullCalcOnLoad" in before["xl/workbook.xml"]
    assert b"fullCalcOnLoad" not in there["xl/workbook.xml"]
    assert rename(tmp_path / "there.xlsx", "excel") == 9
    back = load_workbook(tmp_path / "there.xlsx")
    values = load_workbook(tmp_path / "there.xlsx", data_only=True).active
    sheet: Any = back.active
    for row in range(1, 6):
        assert sheet.cell(row, 1).value == '=IF("a<b & MLSIM_CONVERT("<>"",MLSIM_CONVERT("80 GiB","GB"),0)'
        assert values.cell(row, 1).value == pytest.approx(85.89934592)
    assert sheet["F1"].value == "MLSIM_CONVERT( stays text"
    assert back.defined_names["cost"].attr_text == 'MLSIM_CONVERT("1 GB","MB")'
    assert rename(tmp_path / "there.xlsx", "excel") == 0


def test_the_office_names_are_recalculated_too(tmp_path: Path) -> None:
    path = book(tmp_path / "book.xlsx")
    for host in HOSTS:
        rename(path, host)
        assert not recalculate(path).errors
        values: Any = load_workbook(path, data_only=True).active
        assert [values["C1"].value, values["D1"].value] == [1000, 2000]


def test_a_file_without_our_functions_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "plain.xlsx"
    workbook = Workbook()
    workbook.calculation.fullCalcOnLoad = False
    workbook.save(path)
    before = path.read_bytes()
    assert rename(path, "excel") == 0
    assert path.read_bytes() == before


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = book(tmp_path / "book.xlsx")
    before = path.read_bytes()
    assert main(["names", str(path), "--host", "officejs", "-o", str(tmp_path / "out")]) == 0
    assert "8 formulas renamed for officejs" in capsys.readouterr().out
    assert path.read_bytes() == before
    (tmp_path / "bad.xlsx").write_bytes(b"nothing")
    assert main(["names", str(tmp_path / "bad.xlsx"), "--host", "excel"]) == 2
    assert "not an Excel workbook" in capsys.readouterr().err
    with pytest.raises(RecalcError):
        rename(tmp_path / "none.xlsx", "excel")
