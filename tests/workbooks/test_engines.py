"""LibreOffice and Excel as engines, and whether the embedded engine agrees with LibreOffice."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from fidelity import overlaid, raw, spilled, written
from fidelity.office import running
from fidelity.parts import Parts
from lint_corpus.score import CORPUS, HELD_OUT, books
from openpyxl.worksheet.formula import ArrayFormula

from mlsim.files import FileError
from mlsim.functions import use_registry_file
from mlsim.registry import load
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.package import Err, Value, open_package, read_workbook, scan_sheet
from mlsim_workbooks.recalc import excel, handover, libreoffice, recalculate_bytes
from mlsim_workbooks.recalc.excel import Excel
from mlsim_workbooks.recalc.external import CIRCULAR, External
from mlsim_workbooks.recalc.libreoffice import LibreOffice

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture(scope="session")
def office() -> Iterator[LibreOffice]:
    with running() as found:
        yield found


def book(cells: dict[str, Any], formats: dict[str, str] | None = None, **others: dict[str, Any]) -> bytes:
    """Return a workbook whose formulas have no cached values."""
    made = openpyxl.Workbook()
    for name, content in {"S": cells, **others}.items():
        sheet = made.worksheets[0] if name == "S" else made.create_sheet(name)
        sheet.title = name
        for cell, value in content.items():
            sheet[cell] = value
    for cell, code in (formats or {}).items():
        made["S"][cell].number_format = code
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def stale(data: bytes) -> bytes:
    """Give every formula of a workbook of openpyxl the cached value 7."""
    parts = Parts.of(data)
    for name, content in parts.content.items():
        parts.content[name] = (
            content.replace(b"<v></v>", b"<v>7</v>").replace(b"<v />", b"<v>7</v>").replace(b"<v/>", b"<v>7</v>")
        )
    return parts.zip()


def results(office: LibreOffice, cells: dict[str, Any], formats: dict[str, str] | None = None) -> dict[str, Value]:
    found = office.calculate(book(cells, formats), ".xlsx")["S"]
    return {f"{openpyxl.utils.get_column_letter(col)}{row}": value for (row, col), value in found.items()}


def told(found: dict[str, Value]) -> dict[str, Any]:
    """Return values with their types, so that TRUE is not 1 and an error is not a text."""
    return {cell: (type(value).__name__, value) for cell, value in found.items()}


# --- LibreOffice -----------------------------------------------------------------------------------------------------


def test_numbers_are_exact_and_texts_are_texts(office: LibreOffice) -> None:
    cells = {
        "A1": 0.1, "B1": "=A1+0.2", "B2": "=1/3", "B3": "=PI()*1E20", "B4": "=-0.0", "B5": "=2^53", "B6": '="1"&"2"',
        "B7": '=""', "B8": '="a"&CHAR(10)&" <&> _x000D_ \u2603"', "B9": '="TRUE"', "B10": '="#N/A"', "B11": "=A99", "B12": "=DATE(2026,1,2)",
    }  # fmt: skip
    found = results(office, cells, {"B12": "yyyy-mm-dd", "B2": "0.0", "B6": "@"})
    assert told(found) == told(
        {
            "B1": 0.1 + 0.2, "B2": 1 / 3, "B3": math.pi * 1e20, "B4": 0.0, "B5": 2.0**53, "B6": "12", "B7": "",
            "B8": "a\n <&> _x000D_ \u2603", "B9": "TRUE", "B10": "#N/A", "B11": 0.0, "B12": 46024.0,
        }
    )  # fmt: skip
    assert str(found["B4"]) == "0.0"


def test_truth_values_are_told_from_numbers(office: LibreOffice) -> None:
    cells = {
        "A1": 3, "A2": True, "B1": "=A1>2", "B2": "=A1<2", "B3": "=A1>2", "B4": "=A2", "B5": "=(A1>2)*1", "B6": "=A1-2",
        "B7": "=AND(A1,A2)", "B8": "=IF(A1,TRUE,0)", "B9": "=A1-3", "B10": '=MLSIM_FITS("Llama-3-8B","H100")',
        "B11": '=IF(MLSIM_FITS("Llama-3-70B","H100"),1,0)', "B12": '=IFERROR(MLSIM_FITS("140 GB","80 TFLOP/s"),"error")',
        "D1": ArrayFormula("D1:D2", "=A1:A2>2"), "E1": ArrayFormula("E1:E2", "=A1:A2-2"), "F1": ArrayFormula("F1:F2", '=MLSIM_FITS({"Llama-3-8B";"Llama-3-70B"},"H100")'),
        "G1": ArrayFormula("G1:G1", "=ISNUMBER(A1)"), "H1": ArrayFormula("H1:H2", "=(A1:A2>2)*1"),
    }  # fmt: skip
    found = results(office, cells, {"A2": "0.00", "B3": "0.00", "B4": "0%", "B6": "General", "B10": "0"})
    assert told(found) == told(
        {
            "B1": True, "B2": False, "B3": True, "B4": True, "B5": 1.0, "B6": 1.0, "B7": True, "B8": True, "B9": 0.0,
            "B10": True, "B11": 0.0, "B12": "error", "D1": True, "D2": False, "E1": 1.0, "E2": -1.0, "F1": True, "F2": False,
            "G1": True, "H1": 1.0, "H2": 0.0,
        }
    )  # fmt: skip


def test_every_function_that_gives_truth_values_is_known_as_such() -> None:
    names = list(CATALOGUE)
    data = recalculate_bytes(book({f"A{i}": CATALOGUE[name].example for i, name in enumerate(names, 1)}), "book.xlsx")[
        1
    ]
    assert data is not None
    found = {names[int(cell[3:]) - 1] for cell, value in cached(data, ".xlsx").items() if isinstance(value, bool)}
    assert found == handover._MLSIM_TRUTHS


@pytest.mark.parametrize(
    ("formula", "is_truth"),
    [
        ("A1:A3>2", True), ("A1:A3+1", False), ("(A1:A3=B1:B3)", True), ("(A1:A3=B1:B3)*1", False), ("-(A1:A3=1)", False),
        ("NOT(A1:A3)", True), ("IF(A1:A3>1,1,0)", False), ("ISERROR(A1:A3)", True), ("SUM(--(A1:A3>1))", False),
        ('"a=b"', False), ("{1,2}=A1", True), ("MLSIM_FITS(A1:A3,B1)", True), ("_xldudf_MLSIM_FITS(A1,B1)", True), ("A1:A3", False),
        ("EXACT(A1,B1)&EXACT(A1,B1)", False), ("(A1)>(B1)", True), ("", False),
    ],
)  # fmt: skip
def test_what_shows_that_an_array_holds_truth_values(formula: str, is_truth: bool) -> None:
    assert handover._gives_truth(formula) is is_truth


def test_errors_have_excels_names(office: LibreOffice) -> None:
    cells = {
        "B1": "=1/0", "B2": "=NA()", "B3": '="x"*1', "B4": "=SQRT(-1)", "B5": "=NOSUCHFUNCTION(1)", "B6": "=#REF!", "B7": "=1E300*1E300",
        "B8": "=B8+1", "B9": "=B1+1", "B10": '=MLSIM_CONVERT("80 GB","s")', "B11": '=MLSIM_SPEC("no such chip","memory")',
        "B12": "=SUM(B1:B2)",
    }  # fmt: skip
    assert told(results(office, cells)) == told(
        {
            "B1": Err("#DIV/0!"), "B2": Err("#N/A"), "B3": Err("#VALUE!"), "B4": Err("#NUM!"), "B5": Err("#NAME?"), "B6": Err("#REF!"),
            "B7": Err("#NUM!"), "B8": Err(CIRCULAR), "B9": Err("#DIV/0!"), "B10": Err("#VALUE!"), "B11": Err("#N/A"),
            "B12": Err("#DIV/0!"),
        }
    )  # fmt: skip


def test_nothing_is_taken_from_the_cache(office: LibreOffice) -> None:
    cells = {
        "A1": 2,
        "B1": "=A1*21",
        "B2": '=B1&"!"',
        "B3": '=MLSIM_CONVERT("1 GiB","MiB")',
        "D1": ArrayFormula("D1:D2", "=A1*{1;2}"),
    }
    data = stale(book(cells))
    assert {v.value for v in openpyxl.load_workbook(io.BytesIO(data), data_only=True)["S"]["B"]} == {7}
    found = office.calculate(data, ".xlsx")["S"]
    assert found == {(1, 2): 42.0, (2, 2): "42!", (3, 2): 1024.0, (1, 4): 2.0, (2, 4): 4.0}


def test_a_format_of_the_whole_workbook_hides_no_truth_values(office: LibreOffice) -> None:
    parts = Parts.of(book({"A1": 3, "B1": "=A1>2"}))
    styles = parts.content["xl/styles.xml"]
    parts.content["xl/styles.xml"] = re.sub(rb'numFmtId="0"', b'numFmtId="2"', styles)
    assert styles.count(b'numFmtId="0"') >= 2
    assert told({"B1": office.calculate(parts.zip(), ".xlsx")["S"][1, 2]}) == told({"B1": True})


def test_a_workbook_of_many_sheets_and_scattered_cells(office: LibreOffice) -> None:
    cells = {"A1": 1, "XFD1048576": "=A1+1", "C70000": "=A1>0", "AB3": "=1/0"}
    data = book(cells, **{"it's (a) sheet": {"B2": "=S!XFD1048576*2"}, "Plain": {"A1": 5}})
    assert office.calculate(data, ".xlsx") == {
        "S": {(1_048_576, 16_384): 2.0, (70_000, 3): True, (3, 28): "#DIV/0!"}, "it's (a) sheet": {(2, 2): 4.0}, "Plain": {},
    }  # fmt: skip


def test_a_workbook_without_formulas_is_not_opened(office: LibreOffice) -> None:
    assert office.calculate(book({"A1": 5}), ".xlsx") == {"S": {}}


def test_it_knows_the_users_own_registry_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    for path, name, speed in ((one, "FirstChip", 2), (two, "SecondChip", 3)):
        figures = f"source: quote, memory: 96 GiB, memory bandwidth: {speed} TB/s, bf16 peak: 900 TFLOP/s"
        path.write_text(f"hardware:\n  {name}: {{{figures}}}\n")
        use_registry_file(str(path))
    cells = {
        f"A{i}": f'=MLSIM_SPEC("{name}","memory bandwidth","TB/s")'
        for i, name in enumerate(("FirstChip", "SecondChip"), 1)
    }
    try:
        with running() as office:
            assert results(office, cells) == {"A1": 2.0, "A2": 3.0}
    finally:
        load.forget()


def test_nothing_outside_the_workbook_is_asked(office: LibreOffice, tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"42")

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    other = tmp_path / "other.xlsx"
    other.write_bytes(book({"A1": 77}))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        cells = {
            "A1": f'=_xlfn.WEBSERVICE("{address}/a")', "A2": f"='{address}/[b.xlsx]S'!A1", "A3": f"='{tmp_path.as_uri()}/[other.xlsx]S'!A1",
            "A4": f'=INDIRECT("\'{tmp_path.as_uri()}/[other.xlsx]S\'!A1")', "A5": "=1+1",
        }  # fmt: skip
        found = results(office, cells)
        server.shutdown()
    assert asked == []
    assert found.pop("A5") == 2.0
    assert {type(value) for value in found.values()} == {Err}


def kill(office: LibreOffice) -> None:
    assert office._office is not None
    libreoffice._kill_tree(office._office.pid)


def test_after_a_crash_or_too_long_a_time_the_next_workbook_is_calculated(
    office: LibreOffice, monkeypatch: Any
) -> None:
    data = book({"A1": "=1+1"})
    kill(office)
    assert office.calculate(data, ".xlsx") == {"S": {(1, 1): 2.0}}  # by a new one
    with monkeypatch.context() as patched:
        patched.setattr(office, "_start", lambda: libreoffice.LibreOffice._start(office) or kill(office))
        kill(office)
        with pytest.raises(FileError, match="LibreOffice ended while it calculated the workbook"):
            office.calculate(data, ".xlsx")
    assert office.calculate(data, ".xlsx") == {"S": {(1, 1): 2.0}}
    with monkeypatch.context() as patched:
        patched.setattr(office, "seconds", 0.001)
        with pytest.raises(FileError, match=r"within 0\.001 s"):
            office.calculate(data, ".xlsx")
    assert office._office is None
    assert office.calculate(data, ".xlsx") == {"S": {(1, 1): 2.0}}


def test_a_file_that_libreoffice_cannot_open_is_a_sentence(office: LibreOffice, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(FileError, match=r"^LibreOffice could not calculate the workbook: .*[^.]\.$"):
        office.blocks(path)
    assert office.calculate(book({"A1": "=1+1"}), ".xlsx") == {"S": {(1, 1): 2.0}}


def test_nothing_is_left_behind() -> None:
    with running() as office:
        folder, process = Path(office._folder), office._office
        office.calculate(book({"A1": "=1"}), ".xlsx")
        assert [path.name for path in folder.iterdir()] == ["profile"]
    assert not folder.exists()
    assert process is not None
    assert process.poll() == 0  # it ended by itself
    if sys.platform == "linux":
        programs = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert folder.name not in programs


def test_functions_that_do_not_work_are_a_sentence(monkeypatch: Any) -> None:
    broken = {"python": sys.executable + "-gone", "version": [2, 7], "platform": "none", "paths": []}
    monkeypatch.setattr("mlsim_addin.libreoffice.install.configuration", lambda: broken)
    with pytest.raises(FileError, match="MLSIM's functions do not work in LibreOffice"), running():
        pass


def test_without_libreoffice_there_is_a_sentence(monkeypatch: Any) -> None:
    monkeypatch.setattr("mlsim_addin.libreoffice.install._office_candidates", lambda: iter(()))
    with pytest.raises(FileError, match="LibreOffice was not found"), LibreOffice():
        pass


def test_a_libreoffice_that_does_not_start_is_a_sentence(monkeypatch: Any, tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("mlsim_addin.libreoffice.install.find_office", lambda: program)
    monkeypatch.setattr("mlsim_addin.libreoffice.install.find_python", lambda _: sys.executable)
    monkeypatch.setattr("mlsim_addin.libreoffice.install.install", lambda _: None)
    with pytest.raises(FileError, match="LibreOffice did not start"), LibreOffice():
        pass


# --- Excel, played ---------------------------------------------------------------------------------------------------


class Area:
    """A range whose value is given out as xlwings does: "" and nothing as ``empty``, errors as None or their text."""

    def __init__(self, rows: list[list[Any]], **options: Any) -> None:
        self.rows, self.given = rows, options

    def options(self, **options: Any) -> Area:
        return Area(self.rows, **options)

    @property
    def value(self) -> list[list[Any]]:
        assert self.given["ndim"] == 2
        return [[self.shown(value) for value in row] for row in self.rows]

    def shown(self, value: Any) -> Any:
        if value in ("", None):
            return self.given["empty"]
        texts = {-2146826281: "#DIV/0!", -2146826246: "#N/A"}
        return (texts[value] if self.given.get("err_to_str") else None) if value in texts else value


class PlayedExcel:
    """What the engine asks of ``xlwings.App``; ``cells`` are the raw values of sheet S by (row, column)."""

    def __init__(self, cells: dict[tuple[int, int], Any], circle: Any = None, failing: bool = False) -> None:
        self.cells, self.circle, self.failing = cells, circle, failing
        self.done: list[Any] = []
        self.files: list[bytes] = []
        self.books = SimpleNamespace(open=self.open)
        self.api = self

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "AutomationSecurity":
            self.done.append(("macros", value))
        super().__setattr__(name, value)

    def __call__(self, **options: Any) -> PlayedExcel:
        assert options == {"visible": False, "add_book": False}
        return self

    def open(self, path: str, **options: Any) -> Any:
        name = Path(path).name
        if self.failing and name != "MLSIM.xlam":
            raise RuntimeError(
                -2147352567, "Exception occurred.", (0, "Microsoft Excel", "The file is corrupt.\r\nSorry.", None), None
            )
        self.done.append((name, options))
        self.files.append(Path(path).read_bytes())
        sheet = SimpleNamespace(range=self.range, api=SimpleNamespace(CircularReference=self.circle))
        return SimpleNamespace(sheets={"S": sheet}, close=lambda: self.done.append("close"))

    def range(self, first: tuple[int, int], last: tuple[int, int]) -> Area:
        assert first[1] == last[1]
        return Area([[self.cells[row, first[1]]] for row in range(first[0], last[0] + 1)])

    def CalculateFullRebuild(self) -> None:
        self.done.append("rebuild")

    def quit(self) -> None:
        self.done.append("quit")


@pytest.fixture
def windows(monkeypatch: Any, tmp_path: Path) -> Path:
    """Return where the add-in lies on a machine that passes for Windows."""
    monkeypatch.setattr(excel, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    addin = tmp_path / "Microsoft" / "Excel" / "XLSTART" / "MLSIM.xlam"
    addin.parent.mkdir(parents=True)
    addin.write_bytes(b"")
    return addin


def test_excel_gives_values_and_is_kept_from_links_and_macros(windows: Path, monkeypatch: Any) -> None:
    cells = {
        (1, 2): 0.1 + 0.2, (2, 2): "text", (3, 2): True, (4, 2): -2146826281, (5, 2): "", (6, 2): 1.0, (7, 2): -2146826243,
        (9, 2): "#N/A", (10, 2): -2146826246, (1, 4): 5.0, (2, 4): 6.0,
    }  # fmt: skip
    played = PlayedExcel(cells)
    monkeypatch.setattr("xlwings.App", played)
    formulas = {f"B{row}": "=MLSIM_CONVERT(A1,A2)" for row in (1, 2, 3, 4, 5, 6, 7, 9, 10)}
    data = stale(book({"A1": 1, **formulas, "D1": ArrayFormula("D1:D2", "=A1*{5;6}")}))
    with Excel() as engine:
        found = engine.calculate(data, ".xlsx")["S"]
    assert told({str(place): value for place, value in found.items()}) == told(
        {
            "(1, 2)": 0.1 + 0.2, "(2, 2)": "text", "(3, 2)": True, "(4, 2)": Err("#DIV/0!"), "(5, 2)": "", "(6, 2)": 1.0,
            "(7, 2)": Err("#VALUE!"), "(9, 2)": "#N/A", "(10, 2)": Err("#N/A"), "(1, 4)": 5.0, "(2, 4)": 6.0,
        }
    )  # fmt: skip
    options = {"update_links": False, "read_only": True, "add_to_mru": False}
    assert played.done == [("MLSIM.xlam", {}), ("macros", 3), ("book.xlsx", options), "rebuild", "close", "quit"]
    opened = openpyxl.load_workbook(io.BytesIO(played.files[1]), data_only=True)["S"]
    assert opened["A1"].value == 1
    assert opened["B1"].value is None  # no cached value is left
    assert openpyxl.load_workbook(io.BytesIO(played.files[1]))["S"]["B1"].value == "=MLSIM_CONVERT(A1,A2)"


def test_excels_circular_reference_is_told(windows: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("xlwings.App", PlayedExcel({(1, 1): 0.0}, SimpleNamespace(Row=1, Column=1)))
    with Excel() as engine:
        assert told({"A1": engine.calculate(book({"A1": "=A1+1"}), ".xlsx")["S"][1, 1]}) == told({"A1": Err(CIRCULAR)})


def test_a_workbook_that_excel_refuses_is_a_sentence(windows: Path, monkeypatch: Any) -> None:
    played = PlayedExcel({}, failing=True)
    monkeypatch.setattr("xlwings.App", played)
    with Excel() as engine, pytest.raises(FileError) as told_so:
        engine.calculate(book({"A1": "=1"}), ".xlsx")
    assert str(told_so.value) == "Excel could not calculate the workbook: The file is corrupt. Sorry."
    assert played.done[-1] == "quit"


def test_where_excel_is_not_there_is_a_sentence(windows: Path, monkeypatch: Any) -> None:
    def no_excel(**_: Any) -> None:
        raise RuntimeError(-2147221005, "Invalid class string", None, None)

    monkeypatch.setattr("xlwings.App", no_excel)
    with pytest.raises(FileError, match=r"Excel could not be started: .*Invalid class string"), Excel():
        pass
    windows.unlink()
    with pytest.raises(FileError, match="run mlsim install excel"), Excel():
        pass
    monkeypatch.setitem(sys.modules, "xlwings", None)
    with pytest.raises(FileError, match=r'pip install "mlsim\[excel\]"'), Excel():
        pass
    monkeypatch.setattr(excel, "sys", SimpleNamespace(platform="linux"))
    with pytest.raises(FileError, match="needs Excel on Windows"), Excel():
        pass


# --- agreement -------------------------------------------------------------------------------------------------------

MIXED = {"A1": "x1", "A2": "x2", "A3": 3, "A4": True, "A5": "y", **{f"B{i}": i for i in range(1, 7)}}


@pytest.mark.parametrize(
    ("formula", "due"),
    [
        ('1/3&""', "0.333333333333333"), ('(0.1+0.2)&"|"', "0.3|"), ('100/3&"x"', "33.3333333333333x"), ('1E20&""', "1E+20"),
        ("LEN(1/3)", 17.0), ("CONCATENATE(1/3)", "0.333333333333333"), ("LEFT(2/3,20)", "0.666666666666667"), ('1E9&""', "1000000000"),
        ('COUNTIF(A1:A6,"<>x1")', 5.0), ('COUNTIF(B1:B6,"<>x")', 6.0), ('SUMIF(A1:A6,"<>x1",B1:B6)', 20.0), ('COUNTIF(A1:A6,"<>")', 5.0),
        ('COUNTIFS(A1:A6,"<>y",B1:B6,">1")', 4.0), ('AVERAGEIF(A1:A6,"<>x1",B1:B6)', 4.0), ('COUNTIF(A1:A6,"*")', 3.0),
        ('TEXT(2.5,"0")', "3"), ('TEXT(0.125,"0.00")', "0.13"), ('TEXT(1.005,"0.00")', "1.01"), ('TEXT(1/3,"@")', "0.333333333333333"),
        ('TEXT(TRUE,"0")', "TRUE"), ("SHEETS()", 1.0), ('INFO("numfile")', 1.0), ("MATCH(3.5,B1:B6,-1)", Err("#N/A")),
        ("SUM(A1:A6)", 3.0), ('"a"&TRUE', "aTRUE"), ('TRUE>"z"', True), ("1=TRUE", False), ("-2^2", 4.0), ("MOD(-7,3)", 2.0),
    ],
)  # fmt: skip
def test_the_embedded_engine_gives_what_excel_gives_or_nothing(formula: str, due: Any) -> None:
    report, data = recalculate_bytes(book({**MIXED, "D1": f"={formula}"}), "book.xlsx")
    if not report.left:
        assert data is not None
        assert told({"D1": cached(data, ".xlsx")["S!D1"]}) == told({"D1": due})


REASONS = {
    ("fidelity rich_strings", "Sheet1!E2"): "LibreOffice reads a tab within several lines of text as the character 1",
}
"""Where LibreOffice is known to differ from the embedded engine, and why."""


def sources() -> Iterator[tuple[str, bytes, str]]:
    """Yield every workbook: ours, those of the fidelity corpus, and the clean ones of the unit checker's corpus."""
    for path in sorted(TEMPLATES.glob("*.xlsx")):
        yield f"template {path.stem}", path.read_bytes(), ".xlsx"
    for one in (*written.BOOKS, *overlaid.BOOKS, *raw.BOOKS, *spilled.BOOKS):
        yield f"fidelity {one.name}", one.build(), one.suffix
    for clean in books([*CORPUS, *HELD_OUT]):
        file = io.BytesIO()
        clean.build().save(file)
        yield f"clean {clean.name}", file.getvalue(), ".xlsx"


def cached(data: bytes, suffix: str) -> dict[str, Value]:
    package = open_package(Path(f"book{suffix}"), data)
    workbook = read_workbook(package)
    return {
        f"{name}!{openpyxl.utils.get_column_letter(cell.col)}{cell.row}": workbook.value(cell)
        for name, part in workbook.sheets
        if part
        for row in scan_sheet(package.read(part), part).rows
        for cell in row.cells
    }


def agree(one: Value, other: Value) -> bool:
    if type(one) is type(other) is float:
        return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    return type(one) is type(other) and one == other


def test_the_embedded_engine_and_libreoffice_agree(office: LibreOffice, capsys: Any) -> None:
    engine = External("libreoffice", "LibreOffice", office)
    count: Counter[str] = Counter()
    differ: dict[tuple[str, str], tuple[Value, Value]] = {}
    for name, data, suffix in sources():
        ours, new = recalculate_bytes(data, f"book{suffix}")
        data = data if new is None else new
        theirs, new = recalculate_bytes(data, f"book{suffix}", engine)
        left = {f"{sheet}!{cell}" for sheet, cell, _ in (*ours.left, *theirs.left)}
        count += Counter(workbooks=1, formulas=ours.formulas, compared=ours.formulas - len(left))
        count += Counter(left_embedded=len(ours.left), left_libreoffice=len(theirs.left))
        if theirs.changed and new is not None:
            before, after = cached(data, suffix), cached(new, suffix)
            cells = {f"{sheet}!{cell}" for sheet, cell in theirs.changed} - left
            differ |= {
                (name, c): (before.get(c), after.get(c)) for c in cells if not agree(before.get(c), after.get(c))
            }
    with capsys.disabled():
        print(
            f"\nembedded engine and LibreOffice: {dict(count)}, {len(differ)} differ, {len(REASONS)} for a known reason"
        )
    assert count["workbooks"] > 400
    assert count["compared"] > 30_000
    assert {place: values for place, values in differ.items() if place not in REASONS} == {}
    assert REASONS.keys() <= differ.keys(), "a difference that is gone: take it out of REASONS"
