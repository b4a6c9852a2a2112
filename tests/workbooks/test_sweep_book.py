"""`mlsim sweep BOOK`: input cells set, result cells read, errors and mistakes; and the workbook that a sweep makes."""

import csv
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree

from mlsim.errors import CellError
from mlsim.functions import MLSIM_DECODE_LATENCY
from mlsim_workbooks.sweep import grid, workbook
from mlsim_workbooks.sweep.axes import Axis
from mlsim_workbooks.sweep.block import plain
from mlsim_workbooks.sweep.book import book_sweep
from mlsim_workbooks.sweep.workbook import MOST_ROWS, workbook_file


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook with a number, a text and a truth value as inputs, and results of every kind."""
    wb = openpyxl.Workbook()
    ws = wb.active
    ws.title = "Inputs"
    for row in (("Batch", 2), ("Chip", "H100"), ("Twice?", False), ("Half", "=B1/2"), ("Fixed", 7)):
        ws.append(row)
    out = wb.create_sheet("Out")
    for row in (
        ("Latency", '=MLSIM_DECODE_LATENCY("Llama-3-8B",Inputs!B2,Inputs!B1)'),
        ("Doubled", "=Inputs!B1*IF(Inputs!B3,2,1)"),
        ("Verdict", '=IF(B2>4,"too much",B2)'),
        ("Name", '="on "&Inputs!B2'),
        ("Big", "=B2>4"),
        ("Inverse", "=1/(Inputs!B1-4)"),
        ("Half", "=Inputs!B4*2"),
    ):
        out.append(row)
    wb.defined_names["load"] = openpyxl.workbook.defined_name.DefinedName("load", attr_text="Inputs!$B$1")
    path = tmp_path / "book.xlsx"
    wb.save(path)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- what-if ---------------------------------------------------------------------------------------------------------


def test_every_combination_is_worked_out(run, book: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out, before = tmp_path / "out.csv", book.read_bytes()
    code, printed, err = run(
        "sweep", str(book), "--set", "Inputs!B1=1,4,8", "--set", "Inputs!B2=H100,MI300X", "--set", "Inputs!B3=FALSE,TRUE",
        "--get", "Out!B1:B6", "-o", str(out),
    )  # fmt: skip
    assert book.read_bytes() == before
    assert "12 points in" in printed
    rows = read(out)
    assert list(rows[0])[:3] == ["Batch (Inputs!B1)", "Chip (Inputs!B2)", "Twice? (Inputs!B3)"]
    assert list(rows[0])[3:] == ["Latency (Out!B1)", "Doubled (Out!B2)", "Verdict (Out!B3)", "Name (Out!B4)", "Big (Out!B5)", "Inverse (Out!B6)", "error"]  # fmt: skip
    for row in rows:
        batch, chip = float(row["Batch (Inputs!B1)"]), row["Chip (Inputs!B2)"]
        doubled = batch * (2 if row["Twice? (Inputs!B3)"] == "TRUE" else 1)
        assert float(row["Latency (Out!B1)"]) == pytest.approx(MLSIM_DECODE_LATENCY("Llama-3-8B", chip, batch))
        assert float(row["Doubled (Out!B2)"]) == doubled
        assert row["Name (Out!B4)"] == f"on {chip}"
        assert row["Big (Out!B5)"] == ("TRUE" if doubled > 4 else "FALSE")
        wrong = [
            text for text, holds in (('Out!B3: "too much"', doubled > 4), ("Out!B6: #DIV/0!", batch == 4)) if holds
        ]
        assert row["error"] == "; ".join(wrong)
        assert (row["Verdict (Out!B3)"] == "") == (doubled > 4)
        assert (row["Inverse (Out!B6)"] == "") == (batch == 4)
    assert code == 1
    assert "Out!B6: #DIV/0!" in err


def test_processes_share_a_workbook(run, book: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    options = ("sweep", str(book), "--set", "load=1:600", "--get", "Out!B2", "-o")
    for jobs in ("1", "2"):
        assert run(*options, str(tmp_path / f"{jobs}.csv"), "--jobs", jobs)[0] == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert [float(row["Doubled (Out!B2)"]) for row in read(tmp_path / "2.csv")] == list(range(1, 601))


def test_a_specification_names_its_workbook_beside_it(run, book: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "spec.yaml").write_text("book: book.xlsx\nset:\n  Inputs!B1: 1:3\nget: [Out!B2, Out!B5]\n")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert run("sweep", "../spec.yaml", "-o", "out.csv")[0] == 0
    assert [row["Big (Out!B5)"] for row in read(other / "out.csv")] == ["FALSE"] * 3


def test_notes_on_formulas(run, book: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run(
        "sweep",
        str(book),
        "--set",
        "Inputs!B4=5,6",
        "--get",
        "Out!B7",
        "--get",
        "Inputs!B5",
        "-o",
        str(tmp_path / "o.csv"),
    )
    assert code == 0
    assert "note: Inputs!B4 holds a formula, which the values take the place of." in err
    assert "note: Inputs!B5 holds no formula: it stays the same." in err
    assert [float(row["Half (Out!B7)"]) for row in read(tmp_path / "o.csv")] == [10, 12]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--set", "Nope!B1=1", "--get", "Out!B1"), 'There is no sheet "Nope"'),
        (("--set", "Inputs!B1:B2=1", "--get", "Out!B1"), "an input is one cell"),
        (("--set", "Inputs!B1=1", "--get", "Out!QQQQ1"), "is not a cell or a range"),
        (("--set", "Inputs!B1=1", "--set", "load=2", "--get", "Out!B1"), "is set twice"),
        (("--set", "Inputs!B1=1"), "Nothing is read"),
        (("--get", "Out!B1"), "Nothing is set"),
    ],
)
def test_mistakes_are_one_sentence(run, book: Path, tmp_path: Path, words, sentence: str) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run("sweep", str(book), *words, "-o", str(tmp_path / "o.csv"))
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "o.csv").exists()


def test_a_number_beside_text_is_a_number_column(book: Path) -> None:
    """Whichever point comes first."""
    for values in ((8.0, 1.0), (1.0, 8.0)):
        made, _ = book_sweep(str(book), {"Inputs!B1": values}, ["Out!B3"])
        assert made.kinds == ("number",)
        found, said = (plain(column) for column in made.evaluate(0, 2))
        assert [(f, s) for f, s in zip(found, said, strict=True)] == [
            (None, 'Out!B3: "too much"') if v == 8 else (1.0, None) for v in values
        ]


# --- the workbook of a sweep -----------------------------------------------------------------------------------------

GRID = (
    "sweep", "--grid", "MLSIM_DECODE_LATENCY,MLSIM_FITS,MLSIM_BOTTLENECK", "--set", "model=Llama-3-8B", "--set", "hardware=H100,L4,A100",
    "--set", "batch=1:40", "--set", "context=512:16384:x2", "--set", "tp=1,2,64",
)  # fmt: skip


def cells(path: Path, sheet: str, formulas: bool = False) -> Any:
    return openpyxl.load_workbook(path, data_only=not formulas)[sheet]


def test_the_table_holds_every_point(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run(*GRID, "-o", str(tmp_path / "a.xlsx"))[0] == 1
    assert run(*GRID, "-o", str(tmp_path / "a.csv"))[0] == 1
    ws = cells(tmp_path / "a.xlsx", "Data")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        due = list(csv.reader(file))
    rows = [["" if v is None else str(v).upper() if isinstance(v, bool) else str(v) for v in row] for row in ws.values]
    assert rows[0] == ["Point", *due[0]]
    assert len(rows) == len(due) == 1 + 3 * 40 * 6 * 3
    assert [row[1:] for row in rows[1:]] == due[1:]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, len(due))]
    table = ws.tables["Sweep"]
    assert table.ref == ws.dimensions == f"A1:L{len(due)}"
    assert table.column_names == rows[0]
    assert ws["G5"].number_format.endswith('" ms"')
    assert (tmp_path / "a.xlsx").read_bytes()[:2] == b"PK"
    for name in zipfile.ZipFile(tmp_path / "a.xlsx").namelist():
        etree.fromstring(zipfile.ZipFile(tmp_path / "a.xlsx").read(name))


def test_the_map_has_values_without_calculation(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run(*GRID, "-o", str(tmp_path / "a.xlsx"))
    ws = cells(tmp_path / "a.xlsx", "Heat map")
    top = next(row for row in range(1, 40) if str(ws.cell(row, 2).value).startswith("batch ↓"))
    assert [ws.cell(top, c).value for c in range(3, 9)] == [512, 1024, 2048, 4096, 8192, 16384]
    shown = [ws.cell(r, 2).value for r in range(top + 1, top + 33)]
    assert (shown[0], shown[-1]) == (1, 40)
    for r in (top + 1, top + 17, top + 32):
        for c in (3, 8):
            due = MLSIM_DECODE_LATENCY("Llama-3-8B", "H100", ws.cell(r, 2).value, ws.cell(top, c).value, None, 1)
            assert ws.cell(r, c).value == pytest.approx(due)
    about = [row for row in cells(tmp_path / "a.xlsx", "About").values if row[0]]
    assert ("batch", 40) in [row[:2] for row in about]
    assert any("64" in str(row[2]) for row in about if row[0] == "MLSIM_DECODE_LATENCY")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_computes_the_same_map(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Also with other choices, and with the table sorted the other way round."""
    run(*GRID, "-o", str(tmp_path / "a.xlsx"))
    wb = openpyxl.load_workbook(tmp_path / "a.xlsx")
    ws, data = wb["Heat map"], wb["Data"]
    top = next(row for row in range(1, 40) if str(ws.cell(row, 2).value).startswith("batch ↓"))
    choices = {ws.cell(row, 2).value: row for row in range(5, top)}
    ws.cell(choices["hardware"], 3).value = "A100"
    ws.cell(choices["tp"], 3).value = 2
    ws.cell(top, 3).value = 4096
    rows = [[cell.value for cell in row] for row in data.iter_rows(min_row=2)]
    for r, row in enumerate(reversed(rows), 2):
        for c, value in enumerate(row, 1):
            data.cell(r, c).value = value
    wb.save(tmp_path / "b.xlsx")
    convert(tmp_path / "b.xlsx", tmp_path / "converted")
    ws = cells(tmp_path / "converted" / "b.xlsx", "Heat map")
    for r in (top + 1, top + 20):
        due = MLSIM_DECODE_LATENCY("Llama-3-8B", "A100", ws.cell(r, 2).value, 4096, None, 2)
        assert ws.cell(r, 3).value == pytest.approx(due)
    assert ws["B1"].value == "MLSIM_DECODE_LATENCY [ms] over batch × context"


def convert(path: Path, out: Path) -> None:
    """Recalculate a workbook in LibreOffice, with a profile of its own."""
    profile = f"-env:UserInstallation=file://{out.parent / 'profile'}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_an_untouched_map_is_the_same_in_libreoffice(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run(*GRID, "-o", str(tmp_path / "a.xlsx"))
    wb = openpyxl.load_workbook(tmp_path / "a.xlsx")  # openpyxl drops the values, so that LibreOffice has to calculate
    wb.save(tmp_path / "b.xlsx")
    convert(tmp_path / "b.xlsx", tmp_path / "converted")
    ours, theirs = cells(tmp_path / "a.xlsx", "Heat map"), cells(tmp_path / "converted" / "b.xlsx", "Heat map")
    compared = 0
    for row in ours.iter_rows():
        for cell in row:
            if cell.value is not None:
                other = theirs[cell.coordinate].value
                assert other == (pytest.approx(cell.value) if isinstance(cell.value, float) else cell.value), (
                    cell.coordinate
                )
                compared += 1
    assert compared > 32 * 6


@pytest.mark.parametrize(
    "settings",
    [
        {"hardware": ("H100",)},
        {"hardware": ("H100", "L4")},
        {"hardware": ("H100",), "batch": (8.0,)},
        {"hardware": ("H100",), "batch": tuple(map(float, range(1, 200)))},
        {"hardware": ("none",), "batch": (1.0, 2.0)},
        {"hardware": ('=cmd|"/C calc"!A1', "<&>", "H100"), "batch": (1.0, 2.0, 3.0)},
    ],
)
def test_small_and_odd_sweeps_make_whole_workbooks(tmp_path: Path, settings: dict[str, Any]) -> None:
    made = grid.grid("MLSIM_DECODE_LATENCY,MLSIM_BOTTLENECK", {"model": ("Llama-3-8B",), **settings})
    out = tmp_path / "a.xlsx"
    with workbook_file(out, made) as write:
        from mlsim_workbooks.sweep.sweep import compute, rows

        write(rows(made, 0, compute(made, 0)))
    for sheet in openpyxl.load_workbook(out).worksheets:
        formulas = [c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"]
        assert (sheet.title == "Heat map") == bool(formulas)
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            etree.fromstring(archive.read(name))
    data = cells(out, "Data")
    assert data.max_row == made.points + 1


def test_too_many_points_for_a_sheet(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run(*GRID[:3], "--set", "model=140 GB", "--set", "hardware=3 TB/s", "--set", f"batch=1:{MOST_ROWS + 1}",
                       "-o", str(tmp_path / "a.xlsx"))  # fmt: skip
    assert code == 2
    assert "A sheet holds 1,048,575 points, and there are 1,048,576: write a .parquet file" in err
    assert not (tmp_path / "a.xlsx").exists()


def test_a_sheet_is_not_left_half_written(tmp_path: Path) -> None:
    made = grid.grid("MLSIM_TPOT", {"model": ("Llama-3-8B",), "hardware": ("H100",)})
    with pytest.raises(CellError), workbook_file(tmp_path / "a.xlsx", made):
        raise CellError("#VALUE!", "stopped")
    assert list(tmp_path.iterdir()) == []


def test_samples_hold_both_ends() -> None:
    assert workbook._sampled(5, 32) == [0, 1, 2, 3, 4]
    found = workbook._sampled(1000, 32)
    assert (found[0], found[-1], len(found)) == (0, 999, 32)
    assert sorted(set(found)) == found


def test_an_axis_with_any_text_is_text() -> None:
    assert Axis("x", (1.0, "a", True)).column.kind == "text"
    assert Axis("x", (1.0, 2.0)).column.kind == "whole"
    assert Axis("x", (1.0, 2.5)).column.kind == "number"
    assert Axis("x", (1.0, float("inf"))).column.kind == "number"
    assert Axis("x", (True, False)).column.kind == "truth"


if shutil.which("soffice") is None:
    warnings.warn("LibreOffice is missing: the heat map was NOT calculated", stacklevel=1)
