from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

from mlsim.files import FileError
from mlsim_workbooks.recalc import recalculate

KNOWN = {"MLSIM_DOUBLE", "MLSIM_JOIN", "MLSIM_TOTAL", "MLSIM_GRID", "MLSIM_FAIL", "MLSIM_ECHO", "MLSIM_TEXT"}


class FakeError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def call(name: str, args: list[Any]) -> Any:
    if name == "MLSIM_DOUBLE":
        return args[0] * 2
    if name == "MLSIM_JOIN":
        return "|".join(repr(a) for a in args)
    if name == "MLSIM_TOTAL":
        return sum(v for a in args for row in a for v in row if isinstance(v, float))
    if name == "MLSIM_GRID":
        return [[args[0] * r + c for c in range(int(args[2]))] for r in range(int(args[1]))]
    if name == "MLSIM_FAIL":
        raise FakeError("#NUM!", "outside the domain")
    if name == "MLSIM_TEXT":
        return "#N/A is a text"
    return args[0]


def make(tmp_path: Path, cells: dict[str, Any], name: str = "book.xlsx", **others: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Sheet1"
    for title, content in {"Sheet1": cells, **others}.items():
        page = sheet if title == "Sheet1" else book.create_sheet(title)
        for ref, value in content.items():
            page[ref] = value
    path = tmp_path / name
    book.save(path)
    return path


def run(path: Path, **kw: Any) -> Any:
    return recalculate(path, call=call, known=KNOWN, **kw)


def values(path: Path, sheet: str = "Sheet1") -> Any:
    return openpyxl.load_workbook(path, data_only=True)[sheet]


def check(tmp_path: Path, cells: dict[str, Any], expected: dict[str, Any], **others: dict[str, Any]) -> Any:
    path = make(tmp_path, cells, **others)
    report = run(path)
    page = values(path)
    assert {ref: page[ref].value for ref in expected} == expected
    before = path.read_bytes()
    assert run(path).changed == []
    assert path.read_bytes() == before
    return report


def test_scalar_calls_and_argument_types(tmp_path: Path) -> None:
    report = check(
        tmp_path,
        {
            "A1": 3,
            "A2": "x",
            "A3": True,
            "B1": "=MLSIM_DOUBLE(A1)",
            "B2": '=MLSIM_JOIN(A1,A2,A3,A9,,"q""q",-2,TRUE,1E3)',
            "B3": '=MLSIM_JOIN(A1+1,A2&"y",A1>2)',
            "B4": "=MLSIM_ECHO(A3)",
            "B5": "=MLSIM_TEXT()",
            "B6": "=1+MLSIM_DOUBLE( A1 )*2",
            "B7": '=IF(A1>5,MLSIM_FAIL(1),"small")',
        },
        {
            "B1": 6,
            "B2": "3.0|'x'|True|None|None|'q\"q'|-2.0|True|1000.0",
            "B3": "4.0|'xy'|True",
            "B4": True,
            "B5": "#N/A is a text",
            "B6": 13,
            "B7": "small",
        },
    )
    assert (report.formulas, report.mlsim_calls, report.errors) == (7, 7, [])


def test_true_and_one_are_different_arguments(tmp_path: Path) -> None:
    check(tmp_path, {"B1": "=MLSIM_ECHO(1)", "B2": "=MLSIM_ECHO(TRUE)"}, {"B1": 1, "B2": True})


@pytest.mark.parametrize(
    "name",
    [
        "MLSIM_DOUBLE",
        "mlsim.double",
        "_xldudf_MLSIM_DOUBLE",
        "_xll.MLSIM_DOUBLE",
        "[1]!MLSIM_DOUBLE",
        "_xlfn.MLSIM_DOUBLE",
    ],
)
def test_every_spelling_of_a_name(tmp_path: Path, name: str) -> None:
    check(tmp_path, {"A1": 4, "B1": f"={name}(A1)+1"}, {"B1": 9})


def test_nested_calls_and_chains(tmp_path: Path) -> None:
    cells: dict[str, Any] = {
        "A1": 1,
        "B1": "=MLSIM_DOUBLE(MLSIM_DOUBLE(MLSIM_DOUBLE(A1)+1))",
        "C1": "=MLSIM_DOUBLE(A1)",
    }
    cells |= {f"C{i}": f"=MLSIM_DOUBLE(C{i - 1})/2+1" for i in range(2, 30)}
    check(tmp_path, cells, {"B1": 12, "C2": 3, "C29": 30})


def test_ranges(tmp_path: Path) -> None:
    cells = {f"A{i}": i for i in range(1, 5)} | {f"B{i}": i * 10 for i in range(1, 5)}
    check(
        tmp_path,
        cells
        | {
            "D1": "=MLSIM_TOTAL(A1:B4)",
            "D2": "=MLSIM_TOTAL(A:A)",
            "D3": "=MLSIM_TOTAL(Data!$A$1:$A$2,A1:A2)",
            "D4": "=MLSIM_TOTAL(OFFSET(A1,1,0,2,2))",
            "D5": "=MLSIM_TOTAL(INDEX(A1:B4,0,2))",
            "D6": "=MLSIM_TOTAL({1,2;3,4})",
            "D7": "=MLSIM_JOIN(A4:B5)",
            "D8": "=MLSIM_TOTAL('My ''own''!'!1:1)",
        },
        {"D1": 110, "D2": 10, "D3": 303, "D4": 55, "D5": 100, "D6": 10, "D7": "[[4.0, 40.0], [None, None]]", "D8": 12},
        Data={"A1": 100, "A2": 200},
        **{"My 'own'!": {"A1": 5, "C1": 7}},
    )


def test_whole_column_sees_computed_cells(tmp_path: Path) -> None:
    check(tmp_path, {"A1": 1, "A2": "=A1+1", "A3": "=MLSIM_DOUBLE(A2)", "C1": "=MLSIM_TOTAL(A:A)"}, {"C1": 7})


def test_defined_names_and_tables(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": "n", "B1": "my val", "A2": 1, "B2": 10, "A3": 2, "B3": 20})
    book = openpyxl.load_workbook(path)
    page = book["Sheet1"]
    page.add_table(Table(displayName="T1", ref="A1:B3"))
    for name, text in {"area": "Sheet1!$A$2:$B$3", "rate": "0.5", "twice": "Sheet1!$A$3*2"}.items():
        book.defined_names[name] = openpyxl.workbook.defined_name.DefinedName(name, attr_text=text)
    page.defined_names["own"] = openpyxl.workbook.defined_name.DefinedName("own", attr_text="Sheet1!$B$2")
    formulas = {
        "D1": "=MLSIM_TOTAL(area)", "D2": "=MLSIM_DOUBLE(rate)+rate", "D3": "=MLSIM_DOUBLE(twice)",
        "D4": "=MLSIM_DOUBLE(own)+own", "D5": "=MLSIM_TOTAL(T1[my val])", "D6": "=SUM(T1[n])+SUM(T1[#Data])",
        "C2": "=MLSIM_DOUBLE(T1[[#This Row],[n]])", "C3": "=T1[[#This Row],[my val]]*2+1",
        "D7": "=MLSIM_JOIN(T1[[#Headers],[n]:[my val]])", "D8": '=SUM(INDIRECT("B2:B3"))',
    }  # fmt: skip
    for ref, text in formulas.items():
        page[ref] = text
    book.save(path)
    run(path)
    page = values(path)
    got = {ref: page[ref].value for ref in formulas}
    assert got == {
        "D1": 33, "D2": 1.5, "D3": 8, "D4": 30, "D5": 30, "D6": 36, "C2": 2, "C3": 41, "D7": "[['n', 'my val']]", "D8": 30,
    }  # fmt: skip


def test_array_results(tmp_path: Path) -> None:
    cells = {
        "A1": 10,
        "C1": ArrayFormula("C1:E3", "=MLSIM_GRID(A1,2,2)"),
        "G1": "=MLSIM_GRID(A1,2,2)",
        "G2": "=SUM(MLSIM_GRID(A1,2,3))",
        "G3": "=MLSIM_GRID(A1,2,3)+1",
        "G4": "=MLSIM_TOTAL(MLSIM_GRID(A1,2,3))",
        "G5": "=SUM(C1:D2)",
        "I1": ArrayFormula("I1:J2", "=MLSIM_GRID(A1,2,2)*2"),
        "I4": ArrayFormula("I4:J5", "=MLSIM_DOUBLE(A1)"),
        "L1": ArrayFormula("L1:M3", "=A1:B1+1"),
        "G6": "=INDEX(MLSIM_GRID(A1,2,3),2,3)",
    }
    check(
        tmp_path,
        cells,
        {
            "C1": 0, "D1": 1, "C2": 10, "D2": 11, "E1": "#N/A", "C3": "#N/A", "G1": 0, "G2": 36, "G3": 1, "G4": 36,
            "G5": 22, "I1": 0, "J1": 2, "I2": 20, "J2": 22, "I4": 20, "J5": 20, "L1": 11, "L3": 11, "M2": 1, "G6": 12,
        },
    )  # fmt: skip


def test_array_argument_of_an_array_formula(tmp_path: Path) -> None:
    cells = {"A1": 1, "A2": 2, "A3": 3, "C1": ArrayFormula("C1", "=MLSIM_TOTAL(A1:A3*10)")}
    check(tmp_path, cells, {"C1": 60})


def test_errors(tmp_path: Path) -> None:
    report = check(
        tmp_path,
        {
            "A1": "=1/0",
            "A2": "=NA()",
            "B1": "=MLSIM_DOUBLE(A1)",
            "B2": "=MLSIM_TOTAL(A1:A3)",
            "B3": "=MLSIM_FAIL(1)",
            "B4": '=IFERROR(MLSIM_FAIL(1),"caught")',
            "B5": '=MLSIM_DOUBLE("x"/1)',
            "B6": "=MLSIM_ECHO(B3)",
        },
        {"B1": "#DIV/0!", "B2": "#DIV/0!", "B3": "#NUM!", "B4": "caught", "B5": "#VALUE!", "B6": "#NUM!"},
    )
    found = {cell: (code, message) for _, cell, code, message in report.errors}
    assert found["B3"] == ("#NUM!", "outside the domain")
    assert "argument of MLSIM_DOUBLE" in found["B1"][1]


def test_a_bug_in_a_function_is_a_cell_error(tmp_path: Path) -> None:
    path = make(tmp_path, {"B1": "=MLSIM_DOUBLE()"})
    report = run(path)
    assert report.errors[0][:3] == ("Sheet1", "B1", "#VALUE!")
    assert report.errors[0][3]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("=FOO(1)", "Sheet1!B3 uses FOO(), which"),
        ("=IF(FALSE,FOO(1),2)", "uses FOO(), which"),
        ("=MLSIM_NONE(1)", "uses MLSIM_NONE(), which this version"),
        ('=WEBSERVICE("http://x")', "reach outside the workbook"),
        ("=cmd|'/c calc'!A1", "Sheet1!B3 holds a DDE link"),
        ("=[2]Other!A1+1", "refers to another workbook"),
        ("=MLSIM_DOUBLE('[2]Other'!A1)", "refers to another workbook"),
        ("=SUM(Sheet1:Two!A1)", "across several sheets"),
        ("=Nowhere!A1", "does not exist"),
        ("=MLSIM_DOUBLE(_xlfn.LET(_xlpm.x,1,_xlpm.x))+B9", None),
        ("=_xlfn.LET(_xlpm.x,1,MLSIM_DOUBLE(_xlpm.x))", "LET or LAMBDA variable"),
        ("=SUM((A1,A2))", "cannot work out"),
        ("=B3+1", "circular reference: Sheet1!"),
        ("=MLSIM_DOUBLE(B3)", "circular reference: Sheet1!B3"),
        ("=MLSIM_DOUBLE(IFERROR(B3,0))", "circular reference: Sheet1!B3"),
        ("=T9[x]", "no such table"),
        ("=SUM(A1:INDEX(A1:A10,3))", "builds a range with ':'"),
        ("=SUMIF(A1:A5,1,C1)", "ranges of different sizes"),
        ('=TEXT(A1,"0.0E+00")', "which the engine gets wrong"),
        ('=SUM(INDIRECT("area"))', "uses INDIRECT() on the name"),
        ('=IFERROR(1,SUM(INDIRECT("ar"&"ea")))', None),
        ('=INDIRECT("ar"&"ea")', "uses INDIRECT() on something"),
    ],
)
def test_what_cannot_be_worked_out_is_left_alone(tmp_path: Path, formula: str, words: str | None) -> None:
    cells = {"A1": 1, "B3": formula, "B4": "=B3+1", "C1": "=MLSIM_DOUBLE(A1)", "C2": "=MLSIM_DOUBLE(B4)", "C3": "=C1+1"}
    path = make(tmp_path, cells, Two={"A1": 1})
    with_cached(path, B3=17, B4=18, C2=36)
    report = run(path)
    page = values(path)
    if words is None:
        assert page["B3"].value in (1, 2)
        assert report.left == []
        return
    assert words in f"Sheet1!B3 {left(report)['B3']}"
    assert set(left(report)) == {"B3", "B4", "C2"}
    if "B4" not in formula:
        assert left(report)["B4"] == "depends on Sheet1!B3, which is left alone"
    assert [page[ref].value for ref in ("B3", "B4", "C2")] == [17, 18, 36]
    assert [page[ref].value for ref in ("C1", "C3")] == [2, 3]
    assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


def with_cached(path: Path, **cached: float) -> None:
    """Give formula cells of the first sheet cached values, which openpyxl does not write."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    for ref, value in cached.items():
        pattern = rf'(<c r="{ref}"[^>]*><f[^>]*>[^<]*</f>)<v ?/?>(</v>)?'.encode()
        parts[sheet], count = re.subn(pattern, lambda m, v=value: m[1] + f"<v>{v}</v>".encode(), parts[sheet])
        assert count == 1, ref
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def left(report: Any) -> dict[str, str]:
    return {cell: why for _, cell, why in report.left}


def test_dependents_are_found_through_ranges_names_and_other_sheets(tmp_path: Path) -> None:
    cells = {
        "A1": "=FOO(1)",
        "A2": 5,
        "B1": "=SUM(A1:A9)",
        "B2": "=SUM(A2:A9)",
        "B3": "=SUM(A:A)",
        "B4": "=SUM(1:1)-0",
        "B5": "=OFFSET(A2,0,0)",
        "C1": "=Two!A1",
        "C2": "=Two!A2",
        "D1": ArrayFormula("D1:D2", "=A1:A2*2"),
        "E1": "=D2",
        "E2": "=MLSIM_TOTAL(A1:A2)",
    }
    path = make(tmp_path, cells, Two={"A1": "=Sheet1!B1+1", "A2": "=Sheet1!B2+1"})
    report = run(path)
    names = {f"{sheet}!{cell}" for sheet, cell, _ in report.left}
    expected = {"A1", "B1", "B3", "B4", "B5", "C1", "D1", "E1", "E2"}
    assert names == {f"Sheet1!{cell}" for cell in expected} | {"Two!A1"}, report.left
    assert values(path)["B2"].value == 5
    assert values(path)["C2"].value == 6


def test_a_circle_through_two_cells_is_named(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": "=MLSIM_DOUBLE(B1)", "B1": "=A1*0+5", "C1": "=B1", "D1": "=MLSIM_DOUBLE(4)"})
    report = run(path)
    assert left(report) == {
        "A1": "has a circular reference: Sheet1!A1, Sheet1!B1",
        "B1": "has a circular reference: Sheet1!A1, Sheet1!B1",
        "C1": "depends on Sheet1!B1, which is left alone",
    }
    assert values(path)["D1"].value == 8


def test_volatile_functions_settle(tmp_path: Path) -> None:
    path = make(
        tmp_path,
        {
            "A1": "=RAND()",
            "A2": "=RANDBETWEEN(3,5)",
            "A3": "=TODAY()",
            "B1": "=MLSIM_DOUBLE(A1)",
            "B2": "=MLSIM_DOUBLE(NOW())",
        },
    )
    run(path)
    page = values(path)
    assert page["B1"].value == pytest.approx(2 * page["A1"].value)
    assert page["A2"].value in (3, 4, 5)
    assert page["B2"].value > 90_000


def test_row_and_column_of_the_own_cell(tmp_path: Path) -> None:
    check(tmp_path, {"B3": "=MLSIM_DOUBLE(ROW()*10+COLUMN())"}, {"B3": 64})


def test_relative_column_argument_uses_the_own_row(tmp_path: Path) -> None:
    check(tmp_path, {"A1": 1, "A2": 2, "B2": "=MLSIM_DOUBLE(A1:A3*10)"}, {"B2": 40})


def test_out_and_permissions(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": 1, "B1": "=MLSIM_DOUBLE(A1)"})
    os.chmod(path, 0o640)
    before = path.read_bytes()
    report = run(path, out=tmp_path / "out.xlsx")
    assert path.read_bytes() == before
    assert report.output == tmp_path / "out.xlsx"
    assert values(report.output)["B1"].value == 2
    assert report.output.stat().st_mode & 0o777 == 0o640
    assert report.changed == [("Sheet1", "B1")]
    with pytest.raises(FileError, match="There is no folder"):
        run(path, out=tmp_path / "none" / "out.xlsx")


def test_dates_counted_from_1904_are_left_alone(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active["A1"], book.active["A2"], book.active["A3"] = "=1+1", "=YEAR(0)", "=A2+1"
    book.save(tmp_path / "mac.xlsx")
    report = run(tmp_path / "mac.xlsx")
    assert list(left(report)) == ["A2", "A3"]
    assert "counts from 1904" in left(report)["A2"]
    assert values(tmp_path / "mac.xlsx", "Sheet")["A1"].value == 2


def test_calls_are_made_once_per_distinct_argument(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def many(name: str, lists: list[list[Any]]) -> list[Any]:
        seen.append((name, len(lists)))
        return [call(name, args) for args in lists]

    cells: dict[str, Any] = {f"A{i}": i % 3 for i in range(1, 100)}
    cells |= {f"B{i}": f"=MLSIM_DOUBLE(A{i})" for i in range(1, 100)}
    recalculate(make(tmp_path, cells), call_many=many, known=KNOWN)
    assert seen == [("MLSIM_DOUBLE", 3)]


def test_the_catalogue_is_the_default(tmp_path: Path) -> None:
    functions = pytest.importorskip("mlsim.functions")
    assert functions.CATALOGUE
    path = make(tmp_path, {"A1": 1, "B1": "=A1+1"})
    recalculate(path)
    assert values(path)["B1"].value == 2


def test_ten_thousand_formulas_are_fast(tmp_path: Path) -> None:
    cells: dict[str, Any] = {f"A{i}": i * 1.5 for i in range(1, 10_001)}
    cells |= {f"B{i}": f"=MLSIM_DOUBLE(A{i})" for i in range(1, 10_001)}
    path = make(tmp_path, cells)
    code = (
        "import sys; from mlsim_workbooks.recalc import recalculate\n"
        "many = lambda name, lists: [a[0] * 2 for a in lists]\n"
        "r = recalculate(sys.argv[1], known={'MLSIM_DOUBLE'}, call_many=many)\n"
        "assert len(r.changed) == 10_000; print(f'{r.seconds:.3f}')"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=env, capture_output=True, text=True, check=True)
    whole = time.perf_counter() - begin
    print(f"10,000 MLSIM formulas: {done.stdout.strip()} s, whole process {whole:.2f} s")
    assert whole < 3.0  # 0.5 s on an idle machine; the slack is for a busy one


ORDINARY = {
    1: "=SUM(A1:A10)", 2: "=AVERAGE(A1:A10)", 3: '=IF(A3>2,"big","small")', 4: "=INDEX(B1:B10,MATCH(4,A1:A10,0))",
    5: "=SUMPRODUCT(A1:A10,C1:C10)", 6: '=IFERROR(1/0,"none")', 7: '=TEXT(1234.567,"#,##0.00")',
    8: "=ROUND(-2.5,0)", 9: "=VLOOKUP(3,A1:C10,3,FALSE)", 10: "=DATE(2026,2,30)", 11: "=YEAR(D1)+MONTH(D1)",
    12: '=TEXT(D1,"yyyy-mm-dd")', 13: '=LEFT(B2,2)&MID(B2,2,2)&RIGHT(B2,1)', 14: "=LEN(B3)",
    15: '=SUBSTITUTE(B1,"a","o")', 16: "=UPPER(B1)", 17: "=SUM(Other!A1:A3)", 18: "=rate*A5", 19: "=SUM(block)",
    20: '=COUNTIF(A1:A10,">5")', 21: '=SUMIF(B1:B10,"name3",C1:C10)', 22: "=MAX(A1:A10)-MIN(A1:A10)",
    23: "=STDEV(A1:A10)", 24: "=PMT(0.05/12,60,10000)", 25: "=NPV(0.1,A1:A5)", 26: "=MOD(-7,3)", 27: "=-A2^2",
    28: "=2^0.5*PI()", 29: "=EDATE(D1,3)", 30: "=WEEKDAY(D1,2)", 31: "=ROUNDUP(A7/3,2)", 32: "=A1=1",
    33: "=AND(A1=1,A2=2)", 34: "=1/0", 35: "=NA()", 36: "=HLOOKUP(1,A1:C3,2,FALSE)", 37: "=RANK(A3,A1:A10)",
    38: "=LARGE(A1:A10,2)", 39: '=FIND("m",B1)', 40: "=CHOOSE(2,\"x\",\"y\")", 41: "=SUBTOTAL(9,A1:A10)",
    42: "=LN(A9)+EXP(1)+LOG10(50)", 43: '=VALUE("12.5")+1', 44: "=INT(-3.2)&\"\"", 45: "=OFFSET(A1,2,2)",
    46: '=SUMIFS(C1:C10,A1:A10,">2",A1:A10,"<6")', 47: "=CEILING(A7/2,0.5)", 48: "=TRIM(\"  a  b \")", 49: "=A1&\"-\"&D1",
    50: '=IF(ISNUMBER(A1),"n","t")', 51: "=MEDIAN(A1:A10)", 52: "=PERCENTILE(A1:A10,0.3)", 53: "=ROW(A5)+COLUMNS(A1:C1)",
}  # fmt: skip


def ordinary(tmp_path: Path) -> Path:
    cells: dict[str, Any] = {"D1": 46_000}
    for i in range(1, 11):
        cells |= {f"A{i}": i, f"B{i}": f"name{i}", f"C{i}": i * 1.25}
    cells |= {f"F{i}": text for i, text in ORDINARY.items()}
    path = make(tmp_path, cells, Other={"A1": 7, "A2": 8, "A3": 9.5})
    book = openpyxl.load_workbook(path)
    for name, text in {"rate": "0.25", "block": "Sheet1!$A$1:$A$4"}.items():
        book.defined_names[name] = openpyxl.workbook.defined_name.DefinedName(name, attr_text=text)
    book.save(path)
    return path


def test_values_equal_libreoffice(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        warnings.warn("soffice is missing: the values were NOT compared with LibreOffice", stacklevel=1)
        pytest.skip("soffice is missing: the values were NOT compared with LibreOffice")
    path = ordinary(tmp_path)
    out = tmp_path / "lo"
    with (tmp_path / "log").open("wb") as log:
        subprocess.run(
            [
                soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
                "--convert-to", "xlsx", "--outdir", str(out), str(path),
            ],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=True, timeout=120,
        )  # fmt: skip
    theirs = values(out / "book.xlsx")
    run(path)
    ours = values(path)
    for i, text in ORDINARY.items():
        a, b = ours[f"F{i}"].value, theirs[f"F{i}"].value
        if hasattr(b, "year"):  # LibreOffice gives date cells a date format
            b = float(openpyxl.utils.datetime.to_excel(b))
        assert type(a) is type(b) or {type(a), type(b)} <= {int, float}, (text, a, b)
        assert a == (pytest.approx(b, rel=1e-12) if isinstance(b, float) else b), text


def test_zip_holds_only_the_old_names(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": 1, "B1": "=MLSIM_DOUBLE(A1)"})
    before = zipfile.ZipFile(path).namelist()
    run(path)
    assert zipfile.ZipFile(path).namelist() == before


def test_an_error_runs_down_a_chain_of_direct_calls(tmp_path: Path) -> None:
    cells = {"A1": "=MLSIM_FAIL(1)"} | {f"A{i}": f"=MLSIM_DOUBLE(A{i - 1})" for i in range(2, 6)}
    check(tmp_path, cells, {"A5": "#NUM!"})


def test_a_long_chain_takes_one_call_per_link(tmp_path: Path) -> None:
    made: list[Any] = []

    def many(name: str, lists: list[list[Any]]) -> list[Any]:
        made.extend(lists)
        return [args[0] + 1 for args in lists]

    cells: dict[str, Any] = {"A1": 1, "B1": "=MLSIM_DOUBLE(A1)"}
    cells |= {f"B{i}": f"=MLSIM_DOUBLE(C{i - 1})" for i in range(2, 101)} | {f"C{i}": f"=B{i}*2" for i in range(1, 100)}
    path = make(tmp_path, cells)
    recalculate(path, call_many=many, known=KNOWN)
    assert len(made) == 100
    assert values(path)["B3"].value == 11


def test_a_call_that_depends_through_indirect_settles(tmp_path: Path) -> None:
    cells = {"A1": 1, "B1": "=MLSIM_DOUBLE(C1)", "C1": '=INDIRECT("D1")', "D1": "=MLSIM_DOUBLE(A1)"}
    check(tmp_path, cells, {"B1": 4})


def test_rows_hidden_from_subtotals(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": 1, "A2": 2, "A3": 4, "B1": "=SUBTOTAL(109,A1:A3)", "B2": "=SUBTOTAL(9,A1:A3)"})
    book = openpyxl.load_workbook(path)
    book["Sheet1"].row_dimensions[2].hidden = True
    book.save(path)
    run(path)
    assert (values(path)["B1"].value, values(path)["B2"].value) == (5, 7)


def test_spilled_ranges(tmp_path: Path) -> None:
    cells = {
        "A1": 2,
        "C1": ArrayFormula("C1:D2", "=MLSIM_GRID(A1,2,2)"),
        "F1": "=SUM(_xlfn.ANCHORARRAY(C1))",
        "F2": "=MLSIM_TOTAL(_xlfn.ANCHORARRAY(C1))",
    }
    check(tmp_path, cells, {"F1": 6, "F2": 6})


def test_a_changed_value_without_mlsim_is_pointed_out(tmp_path: Path) -> None:
    path = make(tmp_path, {"A1": 1, "B1": "=A1+1", "C1": "=MLSIM_DOUBLE(A1)", "D1": "=C1+B1"})
    assert run(path).notes == []
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v>2</v>", b"<v>77</v>").replace(b"<v>4</v>", b"<v>79</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    (note,) = run(path).notes
    assert "do not depend on MLSIM changed as well (Sheet1!B1)" in note


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("=" + "1+(" * 2500 + "1" + ")" * 2500, "nested more than 100 deep"),
        ("=1" + "+1" * 18_700, "more than 1,500 operators"),
        ("=1" + "^1" * 600, "more than"),
        ("=_xlfn.LET(_xlpm.f,_xlfn.LAMBDA(_xlpm.n,_xlpm.f(_xlpm.n)),_xlpm.f(1))", "LAMBDA that calls itself"),
        (
            "=_xlfn.LAMBDA(_xlpm.f,_xlpm.f(_xlpm.f))(_xlfn.LAMBDA(_xlpm.f,_xlpm.f(_xlpm.f)))",
            "calls a variable of LAMBDA",
        ),
        ("=FACT(1E9)", "counts up to 1e+09"),
        ("=T.INV(0.3,A1*1E9)", "counts up to 1e+09"),
        ("=COUNT(1:1048576)", "reads a range of 17,179,869,184 cells"),
    ],
)
def test_what_would_crash_or_hang_the_engine_is_left_alone(tmp_path: Path, formula: str, words: str) -> None:
    path = make(tmp_path, {"A1": 1, "B1": formula, "C1": "=MLSIM_DOUBLE(A1)", "XFD1048576": 1})
    report = run(path)
    assert words in left(report)["B1"]
    assert values(path)["C1"].value == 2


def test_what_only_looks_like_it_is_worked_out(tmp_path: Path) -> None:
    cells = {
        "A1": 5, "B1": "=FACT(A1)", "B2": "=_xlfn.LET(_xlpm.f,_xlfn.LAMBDA(_xlpm.n,_xlpm.n+1),_xlpm.f(A1))", "B3": "=SUM(A:A)",
        "B4": "=" + "(" * 90 + "A1" + ")" * 90, "XFD1048576": 1,
    }  # fmt: skip
    check(tmp_path, cells, {"B1": 120, "B2": 6, "B3": 5, "B4": 5})


def test_a_text_longer_than_a_cell_is_an_error(tmp_path: Path) -> None:
    check(
        tmp_path,
        {"A1": '=REPT("a",32767)', "B1": '=A1&"b"', "B2": "=MLSIM_ECHO(A1&A1)"},
        {"B1": "#VALUE!", "B2": "#VALUE!"},
    )


def test_a_workbook_reads_its_own_unit_mistakes_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xlsx"
    make(tmp_path, {"A1": "HBM (GB)", "A2": 80}, "secret.xlsx")
    path = make(tmp_path, {"A1": '=MLSIM_LINT(CELL("filename",A9))', "A2": f'=MLSIM_LINT("{secret}")', "A3": "=A9"})
    report = recalculate(path)
    assert values(path)["A1"].value == "no unit mistakes"
    assert report.errors == [
        ("Sheet1", "A2", "#VALUE!", 'path: book.xlsx may look at itself only, with CELL("filename").')
    ]
