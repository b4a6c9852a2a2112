"""The unit checker from Excel's macro and from LibreOffice's, the latter in a real LibreOffice where there is one."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_win32 import FakeExcel, excel
from openpyxl import Workbook, load_workbook

import mlsim_addin.excel
from mlsim_addin.excel import generate
from mlsim_addin.libreoffice import check_units as libreoffice_check
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


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSIM_PYTHON", sys.executable)


def test_the_checker_runs_in_the_python_that_is_named(python: None, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))  # LibreOffice's own, with which no other Python starts
    path = book(tmp_path / "document.xlsx")
    header, row = libreoffice_check.rows(path)
    assert header == ["sheet", "cell", "severity", "rule", "message", "suggestion"]
    assert row[:4] == ["=Plan", "C2", "error", "binary-prefix"]
    assert libreoffice_check.rows(book(path, mistake=False)) == [["No unit mistakes found."]]
    path.write_bytes(b"no workbook")
    ((sentence,),) = libreoffice_check.rows(path)
    assert sentence.endswith("not an Excel workbook (.xlsx or .xlsm).")
    assert str(tmp_path) not in sentence


def test_without_python_there_is_a_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MLSIM_PYTHON", raising=False)
    assert libreoffice_check.checker() == ["mlsim"]
    ((sentence,),) = libreoffice_check.rows(tmp_path / "document.xlsx")
    assert "Set MLSIM_PYTHON" in sentence
    monkeypatch.setenv("MLSIM_PYTHON", sys.executable)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=3, stdout=b"", stderr=b""))
    assert libreoffice_check.rows(tmp_path / "document.xlsx") == [["The checker ended with code 3."]]


def test_a_persons_own_sheet_keeps_its_name() -> None:
    assert libreoffice_check.free_title(["Plan"]) == "Findings"
    assert libreoffice_check.free_title(["findings", "Findings 2", "Plan"]) == "Findings 3"


def with_uno() -> str | None:
    """Return a Python that has LibreOffice's bridge."""
    for candidate in ("/usr/bin/python3", shutil.which("python3")):
        if candidate and Path(candidate).exists():
            done = subprocess.run([candidate, "-c", "import uno"], capture_output=True, check=False)
            if done.returncode == 0:
                return candidate
    return None


def missing_parts() -> str:
    """Return what a run of the macro in LibreOffice lacks here, "" when it lacks nothing."""
    soffice = shutil.which("soffice")
    if soffice is None:
        return "soffice"
    if not (Path(soffice).resolve().parent / "pythonscript.py").exists():
        return "libreoffice-script-provider-python"
    return "" if with_uno() else "python3-uno"


@pytest.fixture
def office(tmp_path: Path, python: None) -> Iterator[Any]:
    """Return what runs the macro in a real LibreOffice on a document and gives its sheets."""
    if missing := missing_parts():
        warnings.warn(f"{missing} is missing: the macro was NOT run in LibreOffice", stacklevel=1)
        pytest.skip(f"{missing} is missing: the macro was NOT run in LibreOffice")
    scripts = tmp_path / "profile" / "user" / "Scripts" / "python"
    scripts.mkdir(parents=True)
    shutil.copy(libreoffice_check.__file__, scripts)
    soffice, bridge, pipe = shutil.which("soffice"), with_uno(), f"mlsim-{os.getpid()}"
    assert soffice
    assert bridge
    server = subprocess.Popen(
        [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--norestore",
         f"--accept=pipe,name={pipe};urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def run(document: Path, times: int) -> Any:
        done = subprocess.run(
            [bridge, str(HERE / "run_in_libreoffice.py"), pipe, document.as_uri(), str(times)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    yield run
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()


def test_the_macro_in_libreoffice(office: Any, tmp_path: Path) -> None:
    path = book(tmp_path / "plan.xlsx")
    workbook = load_workbook(path)
    workbook.create_sheet("Findings").append(["my own"])
    workbook.save(path)
    before = path.read_bytes()
    done = office(path, 2)
    assert list(done["sheets"]) == ["=Plan", "Findings", "Findings 2"]
    assert done["sheets"]["Findings"] == [["my own"]]
    mark, header, row = done["sheets"]["Findings 2"]
    assert mark[0] == "Unit mistakes, found by MLSIM"
    assert header == ["sheet", "cell", "severity", "rule", "message", "suggestion"]
    (finding,) = lint(path)
    assert row == ["=Plan", "C2", "error", "binary-prefix", finding.message, finding.suggestion]
    assert done["url"] == path.as_uri()
    assert path.read_bytes() == before
