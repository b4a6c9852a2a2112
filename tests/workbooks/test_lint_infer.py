"""The unit of a formula from the units of what it uses: operators, functions, names, tables, other sheets, circles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

from mlsim_workbooks.lint.algebra import Value, compare
from mlsim_workbooks.lint.infer import Cellwise, Inference, infer
from mlsim_workbooks.lint.reader import read_book
from mlsim_workbooks.lint.unit_texts import read_unit
from mlsim_workbooks.package import position

Rows = list[list[object]]
At = Callable[[str], Cellwise]
DATA: Rows = [
    ["GPU", "Number of GPUs", "Memory (GB)", "Bandwidth (TB/s)", "Price ($/h)", "Power (W)"],
    ["H100", 8, 80, 3.35, 2.5, 700],
    ["H200", 4, 141, 4.8, 3.5, 700],
    ["B200", 2, 192, 8, 5, 1000],
    [],
    ["TTFT (ms)", 200],
    ["Hours (h)", 730],
    ["Duration (s)", 5],
    ["Size (GiB)", 74],
    ["Cost per month ($)", 9],
    ["Cost (€)", 9],
    ["MFU", 0.4],
    [],
    [None, None, None, None, None, None, None, 7],
]
NAMES = {"hbm": "Data!$C$2", "all_hbm": "Data!$C$2:$C$4", "kilo": "1000", "price": "Data!$E$2", "odd": "Data!$A$1&1"}


def calculate(tmp_path: Path, *formulas: str, labels: tuple[str, ...] = ()) -> At:
    """Infer a workbook of the data sheet and a sheet with formulas, in A1, A2, ...; or in B1, ... beside labels."""
    book = Workbook()
    book.active.title = "Data"
    for content in DATA:
        book.active.append(content)
    book.active.add_table(Table(displayName="Gpus", ref="A1:F4"))
    for name, text in NAMES.items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    sheet = book.create_sheet("Calc")
    for row, formula in enumerate(formulas, 1):
        if labels:
            sheet.cell(row, 1, labels[row - 1] or None)
        sheet.cell(row, 2 if labels else 1, formula)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return cells(infer(read_book(path)), "calc")


def cells(inference: Inference, sheet: str) -> At:
    """Return what gives the cell at an address of a sheet."""

    def at(place: str) -> Cellwise:
        cell = inference.at(inference.sheets[sheet], *position(place))
        assert cell is not None, place
        return cell

    return at


def unit(text: str) -> Value:
    value = Value(dims=()) if text == "1" else read_unit(text)
    assert value is not None, text
    return value


def holds(cell: Cellwise, text: str) -> bool:
    """Tell whether a cell holds a known unit, and that one rather than a thousand of it."""
    if text == "-":
        return not cell.value.known
    scaled = Value(unit(text).dims, unit(text).factor * 1000)
    return cell.value.known and compare(cell.value, unit(text)) is None and compare(cell.value, scaled) is not None


FORMULAS = [
    ("SUM(Data!C2:C4)", "GB"), ("SUM(Data!C2,Data!C3)", "GB"), ("SUM(Data!C:C)", "GB"), ("SUM(Data!C2:C4)/1000", "TB"),
    ("AVERAGE(Data!C2:C4)", "GB"), ("MIN(Data!C2:C4)", "GB"), ("MAX(Data!C2:C4,1)", "GB"), ("MEDIAN(Data!C2:C4)", "GB"),
    ("IF(Data!B2>4,Data!C2,Data!C3)", "GB"), ("IF(Data!B2>4,Data!C2,0)", "GB"), ('IF(Data!B2>4,Data!C2,"")', "GB"),
    ("IFS(Data!B2>4,Data!C2,TRUE,Data!C3)", "GB"), ("CHOOSE(2,Data!C2,Data!C3)", "GB"), ("IFERROR(Data!C2,0)", "GB"),
    ("IFERROR(Data!C2/Data!D2,0)", "ms"), ("IFNA(Data!C2,Data!C3)", "GB"), ("ROUND(Data!C2,1)", "GB"),
    ("ROUNDUP(Data!C2/Data!D2,0)", "ms"), ("CEILING(Data!C2,1)", "GB"), ("ABS(-Data!C2)", "GB"), ("INT(Data!C2)", "GB"),
    ("INDEX(Data!C2:C4,2)", "GB"), ("INDEX(Data!A1:F4,2,4)", "TB/s"), ("INDEX(Data!C2:F4,1,3)", "$/h"),
    ('INDEX(Data!D2:D4,MATCH("H100",Data!A2:A4,0))', "TB/s"), ('VLOOKUP("H100",Data!A2:F4,3,FALSE)', "GB"),
    ('VLOOKUP("H100",Data!A:F,6,0)', "W"), ('_xlfn.XLOOKUP("H100",Data!A2:A4,Data!F2:F4)', "W"),
    ('LOOKUP("H100",Data!A2:A4,Data!C2:C4)', "GB"), ("SUMPRODUCT(Data!B2:B4,Data!C2:C4)", "GB"),
    ("SUMPRODUCT(Data!B2:B4*Data!F2:F4)/1000", "kW"), ("SUMPRODUCT(Data!B2:B4,Data!E2:E4)*Data!B7", "$"),
    ('SUMIF(Data!A2:A4,"H*",Data!C2:C4)', "GB"), ('SUMIFS(Data!C2:C4,Data!A2:A4,"H*")', "GB"),
    ('AVERAGEIF(Data!A2:A4,"H*",Data!F2:F4)', "W"), ('_xlfn.MAXIFS(Data!C2:C4,Data!A2:A4,"H*")', "GB"),
    ("SUBTOTAL(9,Data!C2:C4)", "GB"), ("LARGE(Data!C2:C4,1)", "GB"), ("PERCENTILE(Data!F2:F4,0.9)", "W"),
    ("_xlfn.LET(_xlpm.x,Data!C2,_xlpm.y,Data!D2,_xlpm.x/_xlpm.y)", "ms"),
    ("LET(a,Data!C2,b,a*2,c,b/Data!D2,c*1000)", "us"), ('CONVERT(Data!B7,"hr","sec")', "s"),
    ('CONVERT(Data!B8,"sec","hr")', "h"), ('CONVERT(Data!C2,"Gbyte","Mbyte")', "MB"), ("POWER(Data!B8,2)/Data!B8", "s"),
    ("SQRT(Data!B8*Data!B8)", "s"), ("SQRT(Data!B8^2)", "s"), ("Data!B8^2/Data!B8", "s"),
    ("SQRT(POWER(Data!C2,2))", "GB"),
    ("Data!C2", "GB"), ("+Data!C2", "GB"), ("-Data!C2", "GB"), ("(Data!C2)", "GB"), ("Data!C2+Data!C3", "GB"),
    ("Data!C2-Data!C3", "GB"), ("Data!C2*1000", "MB"), ("Data!C2/1.073741824", "GiB"), ("Data!C2*1.2", "GB"),
    ("Data!C2/Data!C3", "1"), ("Data!E2*Data!B7", "$"), ("Data!F2*Data!B7/1000", "kWh"), ("Data!C2*10%", "GB"),
    ("Data!B6/1000", "s"), ("Data!B7*3600", "s"), ("Data!B2*Data!F2", "W"), ("(1-Data!B12)*Data!C2", "GB"),
    ("PRODUCT(Data!C2,2)", "GB"), ("MOD(Data!C2,Data!C3)", "GB"), ("COUNT(Data!C2:C4)", "1"), ("ROWS(Data!C2:C4)", "1"),
    ("hbm", "GB"), ("SUM(all_hbm)", "GB"), ("hbm*kilo", "MB"), ("HBM+hbm", "GB"), ("price*Data!B7", "$"),
    ("SUM(Gpus[Memory (GB)])", "GB"), ("SUM(gpus[Power (W)])/1000", "kW"), ("INDEX(Gpus[Bandwidth (TB/s)],2)", "TB/s"),
    ("SUM(data!c2:c4)", "GB"), ("SUM('Data'!$C$2:$C$4)", "GB"), ("SUM(Data!C2:Data!C4)", "GB"), ("Data!$C$2", "GB"),
    ('Data!C2&" GB"', "-"), ("Data!Z99", "-"), ("Missing!A1", "-"), ("'[other.xlsx]S'!A1", "-"), ("unknown_name", "-"),
    ("NOSUCHFUNCTION(Data!C2)", "-"), ("odd", "-"), ("Data!C2>Data!C3", "-"), ("Data!H14", "-"),
    ("HLOOKUP(1,Data!A1:F4,2)", "-"),
]  # fmt: skip


@pytest.fixture(scope="module")
def calculated(tmp_path_factory: pytest.TempPathFactory) -> At:
    return calculate(tmp_path_factory.mktemp("infer"), *(f"={f}" for f, _ in FORMULAS))


@pytest.mark.parametrize("row", range(len(FORMULAS)), ids=[f for f, _ in FORMULAS])
def test_formula(calculated: At, row: int) -> None:
    cell = calculated(f"A{row + 1}")
    assert holds(cell, FORMULAS[row][1]), cell.value
    assert cell.clashes == ()


CLASHES = [
    "Data!C2+Data!B9", "Data!C2-Data!D2", "Data!C2+5", "SUM(Data!C2:D2)", "SUM(Data!C2,Data!B9)", "SUM(Data!C2,5)",
    "IF(Data!B2>4,Data!C2,Data!B9)", "MAX(Data!B6,Data!B8)", "IF(Data!B6>Data!B8,1,0)", "Data!B6+Data!B8",
    "hbm+Data!B9",
    "AVERAGE(Data!C2,Data!D2)", "Data!B10+Data!B11", 'CONVERT(Data!B6,"hr","sec")', "CHOOSE(1,Data!C2,Data!F2)",
    "SUM(Gpus[Memory (GB)],Gpus[Power (W)])", "LET(x,Data!C2,x+Data!B9)", "ROUND(Data!B6+Data!B8,1)",
    "(Data!B6-Data!B8)*2",
]  # fmt: skip


def test_parts_that_do_not_go_together_are_noted(tmp_path: Path) -> None:
    at = calculate(tmp_path, *(f"={f}" for f in CLASHES))
    assert [f for i, f in enumerate(CLASHES, 1) if not at(f"A{i}").clashes] == []


FINE = [
    "Data!C2+0", "MAX(Data!C2,5)", "Data!C2>5", "IF(Data!C2>100,1,0)", "Data!C2+Data!H14", "1-Data!B12", "1+Data!B12",
    "SUM(Data!C2,0)", "Data!C2*1.073741824+Data!C3*1.073741824", "Data!B6/1000+Data!B8", "Data!C2/1.073741824+Data!B9",
]  # fmt: skip


def test_parts_that_go_together_are_not(tmp_path: Path) -> None:
    at = calculate(tmp_path, *(f"={f}" for f in FINE))
    assert [f for i, f in enumerate(FINE, 1) if at(f"A{i}").clashes] == []


def test_units_flow_through_cells_without_a_label(tmp_path: Path) -> None:
    at = calculate(tmp_path, "=A2/1000", "=A3*2", "=Data!C2", "=A1+Data!B9")
    assert [holds(at(c), u) for c, u in (("A1", "TB"), ("A2", "GB"), ("A3", "GB"))] == [True] * 3
    assert at("A4").clashes


def test_a_label_decides_and_the_formula_is_kept(tmp_path: Path) -> None:
    at = calculate(tmp_path, "=Data!C2", "=B1*2", labels=("Memory (GiB)", ""))
    first, second = at("B1"), at("B2")
    assert holds(first, "GiB")
    assert first.computed is not None
    assert compare(first.computed, unit("GB")) is None
    assert holds(second, "GiB")
    assert first.label == "Memory (GiB)"


@pytest.mark.parametrize(
    ("formula", "label", "expected"),
    [
        ("=Data!H14+Data!C2", "Total (GB)", "GB"),
        ("=Data!C2-Data!H14", "Left (GB)", "GB"),
        ("=ROUND(Data!H14,0)", "Memory (GiB)", "GiB"),
        ("=Data!H14", "Power (kW)", "kW"),
        ("=-Data!H14", "Change (ms)", "ms"),
    ],
)
def test_units_flow_backwards_to_cells_without_a_label(tmp_path: Path, formula: str, label: str, expected: str) -> None:
    at = calculate(tmp_path, formula, "=Data!H14", labels=(label, ""))
    assert holds(at("B2"), expected)


@pytest.mark.parametrize(("formula", "label"), [("=Data!H14*Data!C2", "Total (GB)"), ("=Data!H14+Data!C2", "anything")])
def test_what_tells_an_unlabelled_cell_nothing(tmp_path: Path, formula: str, label: str) -> None:
    assert holds(calculate(tmp_path, formula, "=Data!H14", labels=(label, ""))("B2"), "-")


@pytest.mark.parametrize(
    "formulas",
    [
        ("=A1",), ("=A1+1",), ("=A2", "=A1"), ("=A2*2+Data!C2", "=A1/2"), ("=SUM(A1:A9)", "=A1"),
        ("=A2", "=A3", "=A4", "=A2"),
        ("=IF(A1>5,A2,Data!C2)", "=A1+A3", "=A2"),
    ],
)  # fmt: skip
def test_circular_references_end(tmp_path: Path, formulas: tuple[str, ...]) -> None:
    at = calculate(tmp_path, *formulas, "=Data!C2")
    assert holds(at(f"A{len(formulas) + 1}"), "GB")


@pytest.mark.parametrize("forwards", [True, False])
def test_a_chain_of_five_thousand_cells(tmp_path: Path, forwards: bool) -> None:
    steps = [f"=A{n}+Data!C3" for n in range(1, 5000)] if forwards else [f"=A{n}+Data!C3" for n in range(2, 5001)]
    at = calculate(tmp_path, *(["=Data!C2", *steps] if forwards else [*steps, "=Data!C2"]))
    assert all(holds(at(c), "GB") for c in ("A1", "A2500", "A5000"))


def test_formulas_on_one_sheet_and_in_table_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    for row in (["Job", "Hours (h)", "Price ($/h)", "Sum"], ["a", 2, 3, "=T[[#This Row],[Hours (h)]]*C2"]):
        sheet.append(row)
    sheet.append(["b", 2, 3, "=B3*C3"])
    sheet.add_table(Table(displayName="T", ref="A1:D3"))
    book.save(tmp_path / "one.xlsx")
    at = cells(infer(read_book(tmp_path / "one.xlsx")), "sheet")
    assert holds(at("D2"), "$")
    assert holds(at("D3"), "$")


def test_shared_formulas_move_with_their_cells(tmp_path: Path) -> None:
    book = Workbook()
    for row, (label, number) in enumerate((("Memory (GB)", 80), ("TTFT (ms)", 200), ("Power (W)", 700)), 1):
        for col, content in enumerate((label, number, None, f"=FIRST{row}()"), 1):
            book.active.cell(row, col, content)
    book.save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "shared.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b"<f>FIRST1()</f>", b'<f t="shared" ref="D1:D3" si="0">B1*1000+$B$1</f>')
            for row in (2, 3):
                data = data.replace(b"<f>FIRST%d()</f>" % row, b'<f t="shared" si="0"/>')
            new.writestr(name, data)
    at = cells(infer(read_book(tmp_path / "shared.xlsx")), "sheet")
    computed = [at(c).computed for c in ("D1", "D2", "D3")]
    assert [
        c is not None and compare(c, unit(u)) is None for c, u in zip(computed, ("MB", "us", "mW"), strict=True)
    ] == [True] * 3
    assert [bool(at(c).clashes) for c in ("D1", "D2", "D3")] == [True] * 3  # the fixed $B$1 stays, in GB
