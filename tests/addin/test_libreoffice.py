"""The LibreOffice extension: its parts alone, and the whole in a real LibreOffice."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from inside_libreoffice import bridge, calculator, names, sheet_calls
from office import Office, has, needed, running, started
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula
from screen import virtual

from mlsim.errors import CellError
from mlsim_addin import host, texts
from mlsim_addin.libreoffice import generate, install
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.names import rename
from mlsim_workbooks.recalc import recalculate

# --- the generated extension -----------------------------------------------------------------------------------------


def test_the_extension_is_whole_and_the_same_each_time() -> None:
    config = generate.configuration()
    data = generate.oxt(config)
    assert data == generate.oxt(config)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = set(archive.namelist())
        manifest = archive.read("META-INF/manifest.xml").decode()
        for name in listed:
            if name.endswith((".xml", ".xcu")):
                ElementTree.fromstring(archive.read(name))
            if name.endswith(".py"):
                compile(archive.read(name), name, "exec")
        assert json.loads(archive.read("config.json")) == config
    assert set(re.findall(r'full-path="([^"]+)"', manifest)) <= listed


def test_every_function_is_in_the_interface_and_in_the_texts() -> None:
    methods = re.findall(r"> > (\w+)\(", generate.idl())
    assert [f"MLSIM_{name}" for name in methods] == list(CATALOGUE)
    for described, function in zip(generate.functions(), CATALOGUE.values(), strict=True):
        assert described["description"] == texts.description(function)
        assert [arg["name"] for arg in described["args"]] == [arg.name for arg in function.args]


def test_what_runs_in_libreoffice_keeps_to_an_old_python() -> None:
    import ast

    for path in generate._CODE.rglob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 8))


# --- the formulas of a document --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("=MLSIM.FITS(A1;$B$2)", [("MLSIM_FITS", ["A1", "$B$2"])]),
        ("=MLSIM.FITS()", [("MLSIM_FITS", [])]),
        ('=IF(A1;"MLSIM.FITS(1)";mlsim.memory("a;""b)";;3))', [("MLSIM_MEMORY", ['"a;""b)"', "", "3"])]),
        (
            "=MLSIM.ADD(MLSIM.MUL(A1;2);{1;2|3;4})",
            [("MLSIM_ADD", ["MLSIM.MUL(A1;2)", "{1;2|3;4}"]), ("MLSIM_MUL", ["A1", "2"])],
        ),
        ("=MLSIM.ADD($'it''s; (a) sheet'.B2;1", [("MLSIM_ADD", ["$'it''s; (a) sheet'.B2"])]),
        ("=SUM(A1:A3)", []),
    ],
)
def test_calls_are_found_in_formulas(formula: str, found: Any) -> None:
    assert list(sheet_calls.calls(formula)) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ('"a ""b"" c"', 'a "b" c'), ("-2.5E3", -2500.0), (".5", 0.5), ("TRUE()", 1.0), ("false()", 0.0)],
)
def test_constants_are_read(text: str, value: Any) -> None:
    assert sheet_calls.literal(text) == value


@pytest.mark.parametrize("text", ["A1", "1+2", '"a"&"b"', "A1:B2", "PI()", "{1;2}"])
def test_what_is_no_constant_is_unknown(text: str) -> None:
    assert sheet_calls.literal(text) is sheet_calls.UNKNOWN


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("$AB$12", (None, 27, 11)),
        ("$Sheet2.C3", ("Sheet2", 2, 2)),
        ("$'my ''own'' sheet'.$A$1", ("my 'own' sheet", 0, 0)),
        ("A1:B2", None),
        ("A1+1", None),
        ("name", None),
    ],
)
def test_references_are_read(text: str, place: Any) -> None:
    assert sheet_calls.reference(text) == place


def test_which_zeros_are_empty_cells() -> None:
    cell, empty, unknown = sheet_calls.Cell, sheet_calls.Cell(None), sheet_calls.UNKNOWN
    make = sheet_calls.SheetCall
    calls = sheet_calls.DocumentCalls(
        [make("A", ("x", empty)), make("A", ("y", cell(0.0))), make("B", (unknown, empty)), make("C", (unknown, 0.0)),
         make("C", ("p", empty)), make("D", ("q", empty)), make("D", ("q", 0.0))]
    )  # fmt: skip
    assert calls.empties("A", ("x", 0.0), [1]) == {(True,)}
    assert calls.empties("A", ("y", 0.0), [1]) == {(False,)}
    assert calls.empties("A", ("z", 0.0), [1]) == set()  # no formula says so: a macro
    assert calls.empties("B", ("anything", 0.0), [1]) == {(True,)}
    assert calls.empties("C", ("other", 0.0), [1]) == {(False,)}
    assert calls.empties("C", ("p", 0.0), [1]) == {(True,), (False,)}  # the unknown one could be it, too
    assert calls.empties("D", ("q", 0.0), [1]) == {(True,), (False,)}


def test_results_are_what_cells_take() -> None:
    assert calculator.shown(True) == ((1.0,),)
    assert calculator.shown([["a", False], [2.5, ""]]) == (("a", 0.0), (2.5, ""))
    for code, number in {"#VALUE!": 519, "#N/A": 32767, "#NUM!": 503, "#SPILL!": 519}.items():
        ((error,),) = calculator.shown({"error": code, "message": "why"})
        assert error != error
        import struct

        assert struct.unpack("<Q", struct.pack("<d", error))[0] & 0xFFFFFFFF == number


@pytest.mark.parametrize(
    ("formula", "here"),
    [
        ('=mlsim_convert("80 GiB";"GB")', '=MLSIM.CONVERT("80 GiB";"GB")'),
        ("=_xldudf_mlsim_convert(A1;B1)", "=MLSIM.CONVERT(A1;B1)"),
        ("=_xlfn._xll.MLSIM_CONVERT(A1)+[1]!mlsim_add(A1)", "=MLSIM.CONVERT(A1)+MLSIM.ADD(A1)"),
        ("='c:\\x\\mlsim.xlam'!mlsim_convert(A1)", "=MLSIM.CONVERT(A1)"),
        ('=IF(A1;"mlsim_convert(";MLSIM.ADD(A1))', '=IF(A1;"mlsim_convert(";MLSIM.ADD(A1))'),
        ("=mlsim_nothing(A1)+my_mlsim_add(1)", "=mlsim_nothing(A1)+my_mlsim_add(1)"),
    ],
)
def test_foreign_names_are_adopted(formula: str, here: str) -> None:
    assert names.adopted(formula, frozenset(("CONVERT", "ADD"))) == here


# --- the way to MLSIM ------------------------------------------------------------------------------------------------

CALLS = [
    ["MLSIM_CONVERT", ["80 GiB", "GB"]],
    ["MLSIM_CONVERT", ["80 GiB", "s"]],
    ["MLSIM_CONVERT", [[["1 GB", {"error": "#DIV/0!"}]], "MB"]],
    ["MLSIM_NOTHING", []],
    ["MLSIM_WHY", ["MLSIM_FITS", "größer™ 漢字", "H100"]],
]


def test_the_worker_answers_as_the_host_does() -> None:
    config = {**generate.configuration(), "version": [2, 7]}
    worker = bridge.connect(config)
    assert worker(CALLS) == host.answer({"calls": CALLS})["results"]
    assert bridge.connect(generate.configuration())(CALLS) == worker(CALLS)  # in process


def test_a_worker_that_died_is_started_anew() -> None:
    worker = bridge.Worker(sys.executable)
    before = worker.answer(CALLS)
    assert worker.process
    worker.process.kill()
    worker.process.wait()
    assert worker.answer(CALLS) == before


def test_a_python_without_mlsim_is_a_sentence(tmp_path: Path) -> None:
    for interpreter in (str(tmp_path / "gone"), "/usr/bin/false"):
        (result,) = bridge.Worker(interpreter).answer([["MLSIM_CONVERT", ["1 GB", "MB"]]])
        assert result["error"] == "#VALUE!"
        assert "cannot run MLSIM" in result["message"]
        assert "mlsim install libreoffice" in result["message"]


def test_the_worker_survives_what_is_no_request() -> None:
    lines = b'nonsense\n{"calls": 3}\n[]\n{"calls": [["MLSIM_CONVERT", ["1 GB", "MB"]]]}\n'
    done = subprocess.run([sys.executable, "-m", "mlsim_addin.worker"], input=lines, capture_output=True, check=True)
    *bad, good = map(json.loads, done.stdout.splitlines())
    assert [answer["error"] for answer in bad] == ["#VALUE!"] * 3
    assert good == {"results": [1000.0]}


def test_without_libreoffice_the_installation_says_so(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "_office_candidates", lambda: iter([tmp_path / "soffice"]))
    with pytest.raises(CellError, match="LibreOffice was not found"):
        install.install()


def test_it_is_put_in_and_taken_out_again(tmp_path: Path) -> None:
    soffice, python = needed()
    profile = tmp_path / "a profile"
    assert install.installed(profile) is None
    install.install(profile.as_uri())
    folder = install.installed(profile)
    assert folder
    assert json.loads((folder / "config.json").read_text()) == generate.configuration()
    with started(soffice, python, profile) as office:  # while a person works in it
        office.new()
        install.install(profile.as_uri(), remove=True)
        assert install.installed(profile) is None
        office.new()  # it is still there
    install.install(profile.as_uri(), remove=True)  # nothing to take out is no fault


# --- in LibreOffice --------------------------------------------------------------------------------------------------

MODEL, CHIP = '"Llama-3-70B"', '"H100"'


def one(office: Office, *formulas: str) -> list[Any]:
    return [((result,),) and result for ((result,),) in office.formulas([[f, 1, 1] for f in formulas])]


def test_the_wizard_shows_every_function_with_its_arguments(office: Office) -> None:
    office.new()
    shown = office.descriptions()
    for function in CATALOGUE.values():
        found = shown.get(function.name) or shown[function.name.replace("MLSIM_", "MLSIM.")]
        assert found["description"] == texts.description(function)
        assert found["args"][: len(function.args)] == [[a.name, texts.help_text(a)] for a in function.args]


def test_empty_cells_and_left_out_arguments_take_the_default(office: Office) -> None:
    office.new()
    office.fill([(0, 0, "2 GB"), (1, 0, 3.0)])
    latency = host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", None, 4096.0])
    found = one(
        office,
        f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP};$Cells.Z9;4096)",
        f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP};;4096)",
        "=MLSIM_MUL($Cells.A1;$Cells.Z9;$Cells.B1)",
        "=MLSIM_MUL($Cells.A1;$Cells.Z9:Z12;$Cells.B1)",
        "=MLSIM_MUL($Cells.A1;0)",
        f'=MLSIM_SPECULATIVE_TPOT({MODEL};"Llama-3-8B";{CHIP};4;$Cells.Z9)',
        f'=MLSIM_SPECULATIVE_TPOT({MODEL};"Llama-3-8B";{CHIP};5;0)',
        f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP};0;2048)",
        f"=MLSIM_DECODE_LATENCY(IF(1;{MODEL};0);{CHIP};$Cells.Z9;1024)",
    )
    speculative = ["Llama-3-70B", "Llama-3-8B", "H100"]
    expected = [
        latency, latency, "6 GB", "6 GB", "0 GB", host.call("MLSIM_SPECULATIVE_TPOT", [*speculative, 4.0]),
        host.call("MLSIM_SPECULATIVE_TPOT", [*speculative, 5.0, 0.0]), {"error": "#NUM!"},
        host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", None, 1024.0]),
    ]  # fmt: skip
    assert found == [pytest.approx(e) if isinstance(e, float) else e for e in expected]


def test_an_empty_cell_that_is_filled_counts(office: Office) -> None:
    office.new()
    formula = f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP};$Cells.A1;8192)"
    (before,) = one(office, formula)
    office.fill([(0, 0, 16.0)])
    (after,) = one(office, formula)
    office.fill([(0, 0, 0.0)])
    (zero,) = one(office, formula)
    assert before == pytest.approx(host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 1.0, 8192.0]))
    assert after == pytest.approx(host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 16.0, 8192.0]))
    assert zero == {"error": "#NUM!"}


def test_two_formulas_that_differ_in_empty_and_zero_only_are_refused(office: Office) -> None:
    office.new()
    office.fill([(0, 0, 0.0)])
    found = one(office, '=MLSIM_MUL("2 GB";$Cells.A1)', '=MLSIM_MUL("2 GB";$Cells.A2)')
    assert found[1] == {"error": "#VALUE!"}
    harmless = f"MLSIM_PREFIX_LATENCY({MODEL};{CHIP};1;512"  # its default is 0
    same, as_well = one(office, f"={harmless};$Cells.A1)", f"={harmless};$Cells.A2)")
    assert same == as_well == pytest.approx(host.call("MLSIM_PREFIX_LATENCY", ["Llama-3-70B", "H100", 1.0, 512.0]))


def test_errors_are_real_and_stand_in_their_cells(office: Office) -> None:
    office.new()
    office.fill([(0, 0, "80 GB"), (0, 1, "3 s"), (1, 0, {"formula": "=NA()"}), (1, 1, {"formula": "=1/0"})])
    table = office.formulas([['=MLSIM_CONVERT($Cells.A1:A2;{"GB";"nonsense"})', 2, 2]])
    assert table == [[[80.0, {"error": "#VALUE!"}], [{"error": "#VALUE!"}, {"error": "#VALUE!"}]]]
    found = one(
        office,
        '=MLSIM_SPEC("no such chip";"memory")',
        '=MLSIM_CONVERT($Cells.B1;"GB")',
        '=MLSIM_CONVERT($Cells.B2;"GB")',
        '=IFERROR(MLSIM_CONVERT("1 GB";"s");"caught")',
        f"=IF(MLSIM_FITS({MODEL};{CHIP});1;2)",
        '=MLSIM_CONVERT(MLSIM_ADD("1 GB";"1 GB");"MB")*2',
    )
    assert found == [{"error": "#N/A"}, {"error": "#N/A"}, {"error": "#DIV/0!"}, "caught", 2.0, 4000.0]


def test_a_workbook_of_excel_opens_with_the_names_of_this_host(office: Office, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for name in ("MLSIM_CONVERT", "MLSIM.CONVERT", "_xldudf_MLSIM_CONVERT", "_xll.MLSIM_CONVERT", "[1]!MLSIM_CONVERT"):
        sheet.append([f'={name}("80 GiB","GB")'])
    sheet.append(['=MLSIM_NOTHING("MLSIM_CONVERT(")'])
    sheet["C1"] = ArrayFormula("C1:D2", '=MLSIM_CONVERT({"1 GB","2 GB";"3 GB","4 GB"},"MB")')
    path = tmp_path / "excel.xlsx"
    book.save(path)
    office.open(path.as_uri())
    found = office.sheets()
    rows = found["sheets"]["Sheet"]
    assert [row[0] for row in rows["values"][:5]] == [pytest.approx(85.89934592)] * 5
    assert {row[0] for row in rows["formulas"][:5]} == {'=MLSIM.CONVERT("80 GiB";"GB")'}
    assert rows["values"][5][0] == {"error": "#NAME?"}
    assert [row[2:] for row in rows["values"][:2]] == [[1000.0, 2000.0], [3000.0, 4000.0]]
    assert found["modified"] is False


def test_a_conversion_without_a_window_knows_excels_names(tmp_path: Path) -> None:
    soffice, _ = needed()
    profile = (tmp_path / "profile").as_uri()
    install.install(profile)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in range(1, 31):
        sheet.append(["Llama-3-70B", "H100", row, f"=MLSIM_DECODE_LATENCY(A{row},B{row},C{row})"])
    book.save(tmp_path / "book.xlsx")
    command = [
        str(soffice),
        f"-env:UserInstallation={profile}",
        "--headless",
        "--convert-to",
        "csv",
        "--outdir",
        str(tmp_path),
    ]
    subprocess.run([*command, str(tmp_path / "book.xlsx")], check=True, capture_output=True, timeout=120)
    rows = [line.split(",") for line in (tmp_path / "book.csv").read_text().splitlines()]
    due = [host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", float(row)]) for row in range(1, 31)]
    assert [float(row[3]) for row in rows] == pytest.approx(due)


def test_a_workbook_saved_here_goes_back_to_excel(office: Office, tmp_path: Path) -> None:
    office.new()
    office.fill([(0, 0, {"formula": f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP})"}), (0, 1, {"formula": "=A1*2"})])
    path = tmp_path / "saved.xlsx"
    office.save(path.as_uri())
    assert rename(path, "excel") == 1
    formulas: Any = load_workbook(path)["Cells"]
    values: Any = load_workbook(path, data_only=True)["Cells"]
    latency = host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100"])
    assert formulas["A1"].value == '=MLSIM_DECODE_LATENCY("Llama-3-70B","H100")'
    assert [values["A1"].value, values["A2"].value] == [pytest.approx(latency), pytest.approx(2 * latency)]
    report = recalculate(path)
    assert report.mlsim_calls == 1
    assert not report.errors
    assert not report.changed  # what LibreOffice had cached is what we calculate


TEMPLATE = Path(__file__).parents[2] / "templates" / "comparison.xlsx"


def of_mlsim(shown: Any) -> dict[Any, Any]:
    """Return the contents of the cells whose formulas call us."""
    return {
        (name, row, column): content
        for name, sheet in shown["sheets"].items()
        for row, (formulas, contents) in enumerate(zip(sheet["formulas"], sheet["values"], strict=True))
        for column, (formula, content) in enumerate(zip(formulas, contents, strict=True))
        if "mlsim" in formula.lower()
    }


def test_a_reader_without_us_sees_the_numbers_and_one_with_us_gets_the_same(office: Office, tmp_path: Path) -> None:
    soffice, python = needed()
    with started(soffice, python, tmp_path / "plain") as plain:
        plain.open(TEMPLATE.as_uri())
        cached = of_mlsim(plain.sheets())
    assert len(cached) > 200
    assert not [place for place, content in cached.items() if isinstance(content, dict)]
    office.open(TEMPLATE.as_uri())
    calculated = of_mlsim(office.sheets())
    assert cached.keys() == calculated.keys()
    differ = {
        p: (c, calculated[p])
        for p, c in cached.items()
        if calculated[p] != (pytest.approx(c) if isinstance(c, float) else c)
    }
    assert differ == {}


def test_in_a_process_of_its_own_it_gives_the_same(office: Office, tmp_path: Path) -> None:
    formulas = [
        f"=MLSIM_DECODE_LATENCY({MODEL};{CHIP};4)", '=MLSIM_SPEC("nothing";"memory")', '=MLSIM_WHY("FITS";"x";"H100")',
    ]  # fmt: skip
    office.new()
    here = one(office, *formulas)
    with running(tmp_path, MLSIM_PYTHON=sys.executable) as other:
        other.new()
        assert one(other, *formulas) == here
    with running(tmp_path / "broken", MLSIM_PYTHON=str(tmp_path / "gone")) as broken:
        broken.new()
        assert one(broken, *formulas) == [{"error": "#VALUE!"}] * 3


# --- on a screen -----------------------------------------------------------------------------------------------------


def test_the_toolbar_is_there_and_the_sheet_is_live(tmp_path: Path) -> None:
    if not has("Xvfb"):
        warnings.warn("Xvfb is missing: LibreOffice was NOT run with a window", stacklevel=1)
        pytest.skip("Xvfb is missing: LibreOffice was NOT run with a window")
    soffice, python = needed()
    profile, pictures = tmp_path / "profile", tmp_path / "screen"
    pictures.mkdir()
    install.install(profile.as_uri())
    window = ("--nologo", "--nofirststartwizard")
    with virtual(pictures) as screen, started(soffice, python, profile, *window, DISPLAY=screen.display) as office:
        office.new()
        office.fill([(0, 0, "Model"), (1, 0, "Hardware"), (2, 0, "Batch"), (3, 0, "Time per output token (ms)")])
        for row, (model, chip, batch) in enumerate(SHOWN, 1):
            office.fill([(0, row, model), (1, row, chip), *([(2, row, batch)] if batch else [])])
            office.fill([(3, row, {"formula": f"=MLSIM_DECODE_LATENCY(A{row + 1};B{row + 1};C{row + 1};4096)"})])
            office.fill(
                [(4, row, {"formula": f'=MLSIM_WHY("MLSIM_DECODE_LATENCY";A{row + 1};B{row + 1};C{row + 1};4096)'})]
            )
        assert office.toolbar("addon_org.mlsim.calc.bar") == [True, True]
        office.select(3, 1)
        values = [row[3] for row in office.sheets()["sheets"]["Cells"]["values"][1:]]
        due = [host.call("MLSIM_DECODE_LATENCY", [m, c, b, 4096.0]) for m, c, b in SHOWN]
        assert values == [{"error": d.code} if isinstance(d, CellError) else pytest.approx(d) for d in due]
        picture = screen.drawn(20_000)  # an empty screen packs into a tenth of that
    if folder := os.environ.get("MLSIM_SCREENSHOTS"):
        (Path(folder) / "libreoffice.png").write_bytes(picture)


SHOWN = [
    ("Llama-3-70B", "H100", 1.0), ("Llama-3-70B", "MI300X", 16.0), ("Llama-3-8B", "Gaudi3", None),
    ("Llama-3-8B", "H1000", 1.0),
]  # fmt: skip
