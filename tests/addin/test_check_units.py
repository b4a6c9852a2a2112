"""The unit checker from Excel's macro and from LibreOffice's, the latter in a real LibreOffice where there is one."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_win32 import FakeExcel, excel
from inside_libreoffice import check_units as in_office
from office import Office
from openpyxl import Workbook, load_workbook

import mlsim_addin.excel
from mlsim_addin.excel import generate
from mlsim_workbooks.lint import lint

BAS = generate.vba_source()
HERE = Path(__file__).parent


def book(path: Path, mistake: bool = True) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "=Plan"
    sheet.append(["Weights (GB)", "KV cache (GiB)" if mistake else "KV cache (GB)", "Total (GB)"])
    sheet.append([140, 24, "=A2+B2"])
    workbook.save(path)
    return path


# --- Excel -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app() -> Iterator[FakeExcel]:
    name = "mlsim_addin.excel.check_units"
    before = sys.modules.pop(name, None)  # its decorator must be the one of Windows
    with excel() as fake:
        yield fake
    sys.modules.pop(name, None)
    vars(mlsim_addin.excel).pop("check_units", None)
    if before is not None:
        sys.modules[name] = before


def findings(app: FakeExcel, path: object) -> Any:
    return app.server.CallUDF("mlsim_addin.excel.check_units", "findings", [path], None, None)


def test_excel_gets_a_table_of_plain_texts(app: FakeExcel, tmp_path: Path) -> None:
    path = book(tmp_path / "Book1.xlsx")
    header, *rows = findings(app, str(path))
    assert header == ["'sheet", "'cell", "'severity", "'rule", "'message", "'suggestion"]
    assert rows == [
        [f"'{text}" for text in (f.sheet, f.cell, f.severity, f.rule, f.message, f.suggestion)] for f in lint(path)
    ]
    assert rows[0][:2] == ["'=Plan", "'C2"]


def test_excel_gets_a_sentence_without_findings_and_for_a_failure(app: FakeExcel, tmp_path: Path) -> None:
    clean = book(tmp_path / "Book1.xlsx", mistake=False)
    assert findings(app, str(clean)) == "No unit mistakes found in Book1.xlsx: 1 formula checked."
    clean.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    assert findings(app, str(clean)) == "Book1.xlsx is in the old Excel format (.xls); save it as .xlsx or .xlsm first."


def test_the_module_imports_without_windows(tmp_path: Path) -> None:
    module = importlib.import_module("mlsim_addin.excel.check_units")
    assert module.findings(str(book(tmp_path / "Book1.xlsx")))[1][1] == "'C2"


def test_the_macro_calls_what_python_offers() -> None:
    sub = BAS[BAS.index("Public Sub MLSIM_CheckUnits()") : BAS.index("Private Sub MLSIM_ListFindings")]
    assert (
        'XLPy.CallUDF("mlsim_addin.excel.check_units", "findings", Array(file), ThisWorkbook, Application.Caller)'
        in sub
    )
    assert sub.index("SaveCopyAs") < sub.index("CallUDF") < sub.index("Kill file")
    assert 'sheet.Range("A1").Text = "sheet" And sheet.Range("F1").Text = "suggestion"' in BAS
    for opening, closing in (("Sub ", "End Sub"), ("Function ", "End Function")):
        starts = [line for line in BAS.splitlines() if line.startswith((f"Public {opening}", f"Private {opening}"))]
        assert len(starts) == BAS.splitlines().count(closing)


# --- LibreOffice -----------------------------------------------------------------------------------------------------


def test_the_checker_runs_in_the_python_that_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))  # LibreOffice's own, with which no other Python starts
    path = book(tmp_path / "document.xlsx")
    header, row = in_office.rows(path, sys.executable)
    assert header == ["sheet", "cell", "severity", "rule", "message", "suggestion"]
    assert row[:4] == ["=Plan", "C2", "error", "binary-prefix"]
    assert in_office.rows(book(path, mistake=False), sys.executable) == [["No unit mistakes found."]]
    path.write_bytes(b"no workbook")
    ((sentence,),) = in_office.rows(path, sys.executable)
    assert sentence.endswith("not an Excel workbook (.xlsx or .xlsm).")
    assert str(tmp_path) not in sentence


def test_without_python_there_is_a_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    ((sentence,),) = in_office.rows(tmp_path / "document.xlsx", str(tmp_path / "python"))
    assert "cannot be run" in sentence
    assert 'Run "mlsim install libreoffice" again' in sentence
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=3, stdout=b"", stderr=b""))
    assert in_office.rows(tmp_path / "document.xlsx", sys.executable) == [["The checker ended with code 3."]]


def test_a_persons_own_sheet_keeps_its_name() -> None:
    assert in_office.free_title(["Plan"]) == "Findings"
    assert in_office.free_title(["findings", "Findings 2", "Plan"]) == "Findings 3"


def test_the_button_in_libreoffice(office: Office, tmp_path: Path) -> None:
    path = book(tmp_path / "plan.xlsx")
    workbook = load_workbook(path)
    workbook.create_sheet("Findings").append(["my own"])
    workbook.save(path)
    before = path.read_bytes()
    office.open(path.as_uri())
    office.press("service:org.mlsim.calc.Commands?check_units", 2)
    done = office.sheets()
    assert list(done["sheets"]) == ["=Plan", "Findings", "Findings 2"]
    assert done["sheets"]["Findings"]["values"] == [["my own"]]
    mark, header, row = done["sheets"]["Findings 2"]["values"]
    assert mark[0] == "Unit mistakes, found by MLSIM"
    assert header == ["sheet", "cell", "severity", "rule", "message", "suggestion"]
    (finding,) = lint(path)
    assert row == ["=Plan", "C2", "error", "binary-prefix", finding.message, finding.suggestion]
    assert done["url"] == path.as_uri()
    assert path.read_bytes() == before
