"""The ribbon: what its file names is in VBA, what VBA asks of Python is there, and Python's answers."""

from __future__ import annotations

import importlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fake_win32 import FakeExcel, excel
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

import mlsim_addin.excel
from mlsim.files import FileError
from mlsim.functions import catalogue
from mlsim.registry import load
from mlsim_addin.excel import addin_file, cells
from mlsim_addin.excel.citations import HEADER, cited, cited_in, named, references
from mlsim_workbooks.compare import build_comparison
from mlsim_workbooks.functions import CATALOGUE

FOLDER = Path(cells.__file__).parent
RIBBON = "mlsim_addin.excel.ribbon"
MARK = cells.ERROR_MARK
VBA = {module.name: module.text for module in addin_file.modules()}


@pytest.fixture(scope="module")
def app() -> Iterator[FakeExcel]:
    names = [RIBBON, "mlsim_addin.excel.check_units"]
    before = {name: sys.modules.pop(name, None) for name in names}  # their decorators must be those of Windows
    with excel() as fake:
        yield fake
    for name in names:
        sys.modules.pop(name, None)
        vars(mlsim_addin.excel).pop(name.rpartition(".")[2], None)
        if before[name] is not None:
            sys.modules[name] = before[name]


# --- ribbon, VBA and Python name each other rightly ------------------------------------------------------------------


def test_every_callback_of_the_ribbon_is_a_public_sub() -> None:
    tree = ElementTree.parse(FOLDER / "customUI14.xml")
    buttons = [element for element in tree.iter() if element.tag.endswith("}button")]
    assert [button.get("label") for button in buttons] == [
        "Insert comparison", "Check units", "Recalculate", "Sources", "Use MLSIM names",
    ]  # fmt: skip
    for button in buttons:
        assert f"\r\nPublic Sub {button.get('onAction')}(control As IRibbonControl)\r\n" in VBA["MLSIM_Ribbon"]
        assert button.get("imageMso")
        assert button.get("screentip")
        assert len(button.get("supertip", "")) <= 1024
    callbacks = re.findall(r"Public Sub (\w+)\(control As IRibbonControl\)", VBA["MLSIM_Ribbon"])
    assert sorted(callbacks) == sorted(str(button.get("onAction")) for button in buttons)
    tabs = [element.get("keytip") for element in tree.iter() if element.get("keytip")]
    assert len(set(tabs)) == len(tabs)


def test_every_macro_that_vba_runs_is_there() -> None:
    subs = set(re.findall(r"(?:Sub|Function) (\w+)\(", VBA["MLSIM_Functions"] + VBA["MLSIM_Ribbon"]))
    for callback, macro in re.findall(r"Public Sub (MLSIM_On\w+)\(.*?\)\r\n    (\w+)\r\nEnd Sub", VBA["MLSIM_Ribbon"]):
        assert macro in subs, callback
    started = re.search(r"!(\w+)\"", VBA["ThisWorkbook"])
    assert started
    assert started[1] in subs
    used = set(re.findall(r"\b(MLSIM_[A-Z][a-z]\w*)\b", VBA["MLSIM_Ribbon"]))
    assert used - {"MLSIM_Ribbon"} <= subs


def test_every_target_of_vba_is_in_python(app: FakeExcel) -> None:
    calls = re.findall(
        r'XLPy\.CallUDF\("([\w.]+)", "(\w+)",\s*Array\((.*?)\), \w+,', VBA["MLSIM_Functions"] + VBA["MLSIM_Ribbon"]
    )
    assert {name for _, name, _ in calls} == {"findings", "proposal", "comparison", "forget", "sources", "plain_names"}
    for module, name, given in calls:
        info = getattr(importlib.import_module(module), name).__xlfunc__["args"]
        without_brackets = re.sub(r"\(.*?\)", "", given)
        assert len(info) == (without_brackets.count(",") + 1 if given else 0), name
    assert 'CallUDF("mlsim_addin.excel.udfs", functionName, given, Nothing, Nothing)' in VBA["MLSIM_Functions"]


def test_vba_knows_the_mark_and_the_headers() -> None:
    assert f"ChrW$({ord(MARK)})" in VBA["MLSIM_Ribbon"]
    assert f'sheet.Range("A1").Text = "{HEADER[0]}" And sheet.Range("J1").Text = "{HEADER[9]}"' in VBA["MLSIM_Ribbon"]
    assert len(HEADER) == 10


def test_the_hand_written_module_is_clean() -> None:
    raw = (FOLDER / "ribbon.bas").read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    for opening, closing in (("Sub", "End Sub"), ("Function", "End Function")):
        starts = re.findall(rf"(?m)^(?:Public|Private) {opening} ", raw.decode())
        assert len(starts) == raw.decode().split("\r\n").count(closing)


# --- insert comparison -----------------------------------------------------------------------------------------------


def test_names_in_the_selection_are_proposed(app: FakeExcel) -> None:
    usual = app.ask(RIBBON, "proposal", "")
    assert usual == ["Llama-3-70B", "H100, MI300X"]
    assert app.ask(RIBBON, "proposal", [[None, 3.0], ["x", True]]) == usual
    chosen = [["Model", "Llama-3-8B"], ["Chips", "A100"], [None, "H100"], [None, "A100"]]
    assert app.ask(RIBBON, "proposal", chosen) == ["Llama-3-8B", "A100, H100"]


def test_a_comparison_is_a_workbook_in_a_folder_of_its_own(app: FakeExcel, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = Path(app.ask(RIBBON, "comparison", "Llama-3-8B", "H100, A100"))
    assert path.parent.parent == tmp_path
    assert [entry.name for entry in path.parent.iterdir()] == ["MLSIM comparison.xlsx"]
    assert "Decision" in load_workbook(path).sheetnames


def test_a_comparison_that_cannot_be_made_is_a_sentence(app: FakeExcel, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    text = app.ask(RIBBON, "comparison", "Llama-3-8B", "H1000")
    assert text.startswith(f"{MARK}")
    assert "H1000" in text
    assert list(tmp_path.iterdir()) == []


# --- recalculate -----------------------------------------------------------------------------------------------------


def test_recalculating_reads_the_registry_file_again(app: FakeExcel, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "mine.yaml"
    monkeypatch.setenv("MLSIM_REGISTRY", str(file))
    try:
        for bandwidth in ("1 TB/s", "2 TB/s"):
            file.write_text(f"hardware:\n  RibbonChip: {{source: test, memory bandwidth: {bandwidth}}}\n")
            assert app.ask(RIBBON, "forget") == ""
            assert app.call("MLSIM_SPEC", "RibbonChip", "memory bandwidth") == bandwidth
        file.write_text("hardware: [")
        assert app.ask(RIBBON, "forget").startswith(f"{MARK}The registry file {file} is not valid YAML")
    finally:
        load.forget()
        catalogue.forget_results()

    # --- use MLSIM names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ('=MLSIM.FITS("a",B2)', '=MLSIM_FITS("a",B2)'),
        ("=_xldudf_MLSIM_KV_CACHE(A1)+1", "=MLSIM_KV_CACHE(A1)+1"),
        ("=_xll.MLSIM_FITS(A1,$B$2)", "=MLSIM_FITS(A1,$B$2)"),
        ("=[1]!MLSIM_FITS(Plan!A1)", "=MLSIM_FITS(Plan!A1)"),
        ("='C:\\my files\\MLSIM.xlam'!MLSIM_FITS(1)", "=MLSIM_FITS(1)"),
        ("=MLSIM.xlam!mlsim_fits(1)", "=MLSIM_FITS(1)"),
        ("=IF(@mlsim_fits(A1,B1),MLSIM.MEMORY(A1,B1),0)", "=IF(@MLSIM_FITS(A1,B1),MLSIM_MEMORY(A1,B1),0)"),
        ('="MLSIM.FITS("&Plan!A1', '="MLSIM.FITS("&Plan!A1'),
        ("=MLSIM_FITS(1)", "=MLSIM_FITS(1)"),
        ("=Other.MLSIM(1)+MLSIM_MYOWN(2)+[2]!MYOWN(3)", "=Other.MLSIM(1)+MLSIM_MYOWN(2)+[2]!MYOWN(3)"),
    ],
)
def test_formulas_of_other_hosts_get_the_plain_names(app: FakeExcel, formula: str, plain: str) -> None:
    assert app.ask(RIBBON, "plain_names", [[formula]]) == plain  # one alone, as VBA expects
    assert app.ask(RIBBON, "plain_names", [[formula], [""], [None]]) == [[plain], [""], [""]]


# --- sources ---------------------------------------------------------------------------------------------------------


def test_references_of_a_formula() -> None:
    text = "'It''s'!$A$1:$B$3+Inputs!D6 + B:C + chip + 2:3 + x!A1:B2 & \"A9\""
    assert list(references(text)) == [
        ("It's", "A1:B3"), ("Inputs", "D6"), ("", "B:C"), ("", "chip"), ("", "2:3"), ("x", "A1:B2"),
    ]  # fmt: skip


def test_the_figures_of_one_call() -> None:
    def figures(formula: str, cells: dict[str, Any] | None = None) -> dict[tuple[str, str], str]:
        found = {}
        for function, texts in named(formula, lambda _, where: [(cells or {}).get(where)]):
            for citation in cited(function, texts):
                found[citation.of, citation.what] = citation.figure.text
        return found

    decode = figures('=MLSIM_DECODE_LATENCY(A1,"H100",8,2048,A2)', {"A1": "Llama-3-70B", "A2": "fp8"})
    chip = "H100-SXM-80GB"
    assert decode[chip, "memory bandwidth"] == "3.35 TB/s"
    assert decode[chip, "peak compute fp8"] == "1979 TFLOP/s"
    assert (chip, "peak compute bf16") not in decode
    assert decode["Llama-3-70B", "layers"] == "80 count"
    assert decode["fp8", "bits per weight"] == "8 bit"
    assert ("vLLM", "step overhead") in decode  # the default counts where nothing is given
    assert "TGI" not in {of for of, _ in decode}
    assert figures('=MLSIM_SPEC("H100","memory bandwidth","GB/s")') == {(chip, "memory bandwidth"): "3.35 TB/s"}
    assert (chip, "memory capacity") in figures('=MLSIM_WHY("MLSIM_FITS","Llama-3-8B","H100")')
    assert {of for of, _ in figures('=MLSIM_FITS("140 GB","80 GB")')} == {"bf16"}
    assert figures("=MLSIM_CONVERT(A1,A2)", {"A1": "H100", "A2": "GB"}) == {}
    assert figures("=SUM(A1)", {"A1": "H100"}) == {}


def plan(path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "My plan"
    sheet.append(["Llama-3-8B", "A100", '=MLSIM_SPEC(B1,"memory bandwidth")'])
    sheet["C2"] = ArrayFormula("C2", '=_xldudf_MLSIM_SPEC(B1,"memory bandwidth")')
    sheet["C3"] = '=MLSIM_SPEC(chip,"memory")'
    sheet["C4"] = "=A1&B1"
    other = book.create_sheet("Other")
    other["A1"] = "=MLSIM_SPEC('My plan'!B1,\"memory bandwidth\")"
    book.defined_names["chip"] = DefinedName("chip", attr_text="'My plan'!$B$1")
    book.save(path)
    return path


def test_the_sources_of_a_workbook_and_of_a_cell(app: FakeExcel, tmp_path: Path) -> None:
    path = plan(tmp_path / "plan.xlsx")
    header, *rows = app.ask(RIBBON, "sources", str(path), "", "")
    assert header == [f"'{name}" for name in HEADER]
    assert [row[1] for row in rows] == ["'memory bandwidth", "'memory capacity"]
    assert rows[0][9] == "'My plan!C1, My plan!C2, Other!A1"
    assert "http" in rows[0][6]
    one = app.ask(RIBBON, "sources", str(path), "My plan", "C3")
    assert [row[1] for row in one[1:]] == ["'memory capacity"]
    assert app.ask(RIBBON, "sources", str(path), "My plan", "C4").startswith("No MLSIM formula here")
    path.write_bytes(b"no workbook")
    assert app.ask(RIBBON, "sources", str(path), "", "").startswith("plan.xlsx cannot be read as a workbook")
    with pytest.raises(FileError):
        cited_in(path)


def test_a_comparison_cites_what_its_own_sheet_of_sources_cites(tmp_path: Path) -> None:
    path = build_comparison("Llama-3-8B", ["H100", "A100"], out=tmp_path / "book.xlsx").path
    ours = {(row[0], row[1]) for row in cited_in(path)}
    sheet = load_workbook(path)["Sources"]
    for row in sheet.iter_rows(min_row=5, values_only=True):
        of, what, used = row[0], row[1], row[5]
        if used == "yes" and of in ("H100-SXM-80GB", "A100-SXM-80GB") and "memory" in what:
            assert (of, what) in ours


# --- how much a cell costs -------------------------------------------------------------------------------------------


def test_an_equal_cell_is_answered_from_memory(app: FakeExcel, monkeypatch: Any) -> None:
    function = CATALOGUE["MLSIM_DECODE_LATENCY"]
    first = app.call(function.name, "Llama-3-8B", "H100", 3.0)
    monkeypatch.setattr(catalogue.Function, "evaluate", lambda *_: pytest.fail("computed again"))
    start = time.perf_counter()
    for _ in range(200):
        assert app.call(function.name, "Llama-3-8B", "H100", 3.0) == first
    print(f"{(time.perf_counter() - start) / 200 * 1e6:.0f} us a cell")
