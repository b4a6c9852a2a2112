"""Programs as engines: what they get is safe, what they cannot read is left alone, and LibreOffice really does it."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from mlsim.files import FileError
from mlsim_workbooks.package import Err
from mlsim_workbooks.recalc import Report, recalculate
from mlsim_workbooks.recalc.external import External
from mlsim_workbooks.recalc.handover import Values
from mlsim_workbooks.recalc.libreoffice import LibreOffice


class Recorder:
    """A program that knows SUM and IF only, gives 7 for every formula, and keeps what it was given."""

    def __init__(self, **special: Any) -> None:
        self.books: list[dict[str, str]] = []
        self.special = special

    def calculate(self, data: bytes, suffix: str) -> Values:
        assert suffix in (".xlsx", ".xlsm")
        with zipfile.ZipFile(BytesIO(data)) as archive:
            self.books.append({name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()})
        values: Values = {}
        for sheet in openpyxl.load_workbook(BytesIO(data)):
            cells = values.setdefault(sheet.title, {})
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        text = getattr(cell.value, "text", cell.value)
                        cells[cell.row, cell.column] = self.give(sheet.title, cell.coordinate, text)
        return values

    def give(self, sheet: str, ref: str, formula: str) -> Any:
        if sheet == "Probe":
            return 1.0 if formula in ("=SUM()", "=IF()", "=IFERROR()") else Err("#NAME?")
        return self.special.get(ref, 7.0)


def make(path: Path, cells: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    for ref, value in cells.items():
        book.active[ref] = value
    book.save(path)
    return path


def recalculated(path: Path, program: Any) -> tuple[Report, dict[str, Any]]:
    report = recalculate(path, engine=External("program", "The Program", program))
    sheet = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    return report, {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None}


def left(report: Report) -> dict[str, str]:
    return {cell: why for _, cell, why in report.left}


def test_the_program_never_sees_what_must_not_run(tmp_path: Path) -> None:
    cells = {
        "A1": '=WEBSERVICE("http://localhost/")', "A2": "=cmd|'/c calc'!A1", "A3": "=[1]Other!A1",
        "A4": "=DDE(\"soffice\",\"x\",\"y\")", "A5": "=MLSIM_NONE(1)", "A6": "=SUM(A1:A5)", "B1": "=SUM(1,2)",
    }  # fmt: skip
    program = Recorder()
    report, shown = recalculated(make(tmp_path / "book.xlsx", cells), program)
    assert set(left(report)) == {"A1", "A2", "A3", "A4", "A5", "A6"}
    assert shown == {"B1": 7}
    given = program.books[-1]["xl/worksheets/sheet1.xml"]
    assert re.findall(r"<f>([^<]*)</f>", given) == ["0", "SUM(1,2)", "0", "0", "0", "0", "0"]


def test_a_function_the_program_lacks_is_left_alone_even_within_iferror(tmp_path: Path) -> None:
    cells = {"A1": "=IFERROR(_xlfn.XLOOKUP(1,B1:B2,B1:B2),0)", "A2": "=SUM(A1)", "A3": "=IF(1,2,3)"}
    report, shown = recalculated(make(tmp_path / "book.xlsx", cells), Recorder())
    assert left(report) == {
        "A1": "uses XLOOKUP(), which neither MLSIM nor The Program knows",
        "A2": "depends on Sheet!A1, which is left alone",
    }
    assert shown == {"A3": 7}


def test_what_the_program_cannot_read_is_left_alone(tmp_path: Path) -> None:
    cells = {"A1": "=SUM(1)", "A2": "=A1+1", "A3": "=SUM(2)", "A4": "=A4", "A5": "=nonesuch"}
    program = Recorder(A1=Err("Err:509"), A2=Err("Err:509"), A4=Err("#CIRC!"), A5=Err("#NAME?"))
    report, shown = recalculated(make(tmp_path / "book.xlsx", cells), program)
    assert left(report) == {
        "A1": "holds a formula that The Program cannot work out",
        "A2": "depends on Sheet!A1, which is left alone",
        "A4": "has a circular reference",
        "A5": "holds a formula that The Program cannot work out",
    }
    assert shown == {"A3": 7}


def test_the_others_of_a_shared_formula_get_their_own_text(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "plain.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write_formula("A1", "=SUM(B1:$C$1)+Z1", None, 5)
        sheet.write_formula("A2", "=1", None, 5)
        sheet.write_formula("A3", "=1", None, 5)
        sheet.write_formula("Z1", '=WEBSERVICE("x")', None, 0)
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "book.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<f>SUM(", b'<f t="shared" ref="A1:A3" si="0">SUM(')
                data = data.replace(b"<f>1</f>", b'<f t="shared" si="0"/>')
            new.writestr(name, data)
    program = Recorder()
    report, shown = recalculated(tmp_path / "book.xlsx", program)
    assert set(left(report)) == {"A1", "Z1"}
    assert (shown["A1"], shown["A2"], shown["A3"]) == (5, 7, 7)
    given = program.books[-1]["xl/worksheets/sheet1.xml"]
    assert "<f>SUM(B2:$C$1)+Z2</f>" in given
    assert "<f>SUM(B3:$C$1)+Z3</f>" in given


# --- LibreOffice itself --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office() -> Iterator[LibreOffice]:
    try:
        with LibreOffice() as found:
            yield found
    except FileError as error:
        warnings.warn(f"{error} Recalculation through LibreOffice was NOT tested.", stacklevel=1)
        pytest.skip(f"{error} Recalculation through LibreOffice was NOT tested.")


def dynamic(path: Path, stored: str) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        for i in range(3):
            sheet.write(i, 0, i + 1.5)
        sheet.write_dynamic_array_formula(stored, "=A1:A3*2", None, 9)
        sheet.write_formula("E1", "=SUM(_xlfn.ANCHORARRAY(C1))")
        sheet.write_formula("E2", "=SUM(C1:C9)")
        sheet.write_formula("E3", '=MLSIM_DECODE_LATENCY("Llama-3-8B","H100",A1)')
        sheet.write_formula("E4", '=MLSIM_FITS("Llama-3-8B","H100")')
        sheet.write_formula("E5", "=E5+1")
        sheet.write_formula("E6", '=IFERROR(NONESUCH(1),"hidden")')
        sheet.write_formula("E7", '=WEBSERVICE("http://127.0.0.1:9/")')
        sheet.write_formula("E8", "=1/0")
    return path


@pytest.mark.parametrize("stored", ["C1", "C1:C3", "C1:D9"])
def test_libreoffice_gives_what_the_embedded_engine_gives(tmp_path: Path, office: LibreOffice, stored: str) -> None:
    engine = External("libreoffice", "LibreOffice", office)
    first = recalculate(dynamic(tmp_path / "book.xlsx", stored), out=tmp_path / "a.xlsx", engine=engine)
    second = recalculate(tmp_path / "book.xlsx", out=tmp_path / "b.xlsx")
    assert first.errors == [("S", "E8", "#DIV/0!", "")]
    assert set(left(first)) == set(left(second)) == {"E5", "E6", "E7"}
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)["S"]
    assert [sheet.cell(row, 3).value for row in range(1, 5)] == [3, 5, 7, None]
    assert [sheet.cell(row, 4).value for row in range(1, 10)] == [None] * 9
    assert (sheet["E1"].value, sheet["E2"].value, sheet["E4"].value) == (15, 15, True)


def test_the_command_with_libreoffice(run: Any, tmp_path: Path, office: LibreOffice) -> None:
    path = dynamic(tmp_path / "book.xlsx", "C1")
    code, out, err = run("recalc", str(path), "--engine", "libreoffice", "-o", str(tmp_path / "out"))
    assert code == 1, err
    assert "S!E6 uses NONESUCH(), which neither MLSIM nor LibreOffice knows" in err
    assert "values changed" in out
