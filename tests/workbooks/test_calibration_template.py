"""The calibration workbook: a measurement fits the runtime, and every 'after' of the workbook follows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mlsim.functions import call
from mlsim.planner.machine import RUNTIME_PARAMETERS
from mlsim.registry import load
from mlsim_workbooks import calibration_template as template
from mlsim_workbooks.recalc import Report, recalculate

ERRORS = ("#VALUE!", "#N/A", "#NUM!", "#NAME?", "#REF!", "#DIV/0!", "#NULL!")
ROW = template.FIRST
OWN = template.WHAT_IF
LAST_ERROR = template.ERRORS + template.LAST - template.FIRST


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.build_calibration(tmp_path_factory.mktemp("calibration") / "book.xlsx")


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    return openpyxl.load_workbook(path, data_only=True)


def edited(path: Path, out: Path, cells: dict[str, Any]) -> tuple[Any, Report]:
    """Type into cells ("L9" of the sheet Measure, or "Predictions!C7"), recalculate, and return values and report."""
    wb = openpyxl.load_workbook(path)
    for ref, value in cells.items():
        sheet, _, cell = ref.rpartition("!")
        wb[sheet or "Measure"][cell] = value
    wb.save(out)
    report = recalculate(out)
    return openpyxl.load_workbook(out, data_only=True), report


def profile(book: Any) -> dict[str, tuple[Any, Any]]:
    ws = book["Measure"]
    rows = range(template.NAME, template.NAME + template.PROFILE_ROWS)
    return {ws[f"C{r}"].value: (ws[f"D{r}"].value, ws[f"E{r}"].value) for r in rows if ws[f"C{r}"].value}


def pairs(book: Any) -> list[list[Any]]:
    return [[label, value, share] for label, (value, share) in profile(book).items()]


def column(book: Any, sheet: str, letter: str, first: int, count: int) -> list[Any]:
    return [book[sheet][f"{letter}{r}"].value for r in range(first, first + count)]


def tpot(book: Any, letter: str) -> list[Any]:
    return column(book, "Predictions", letter, template.SWEEP, len(template.BATCHES))


def operators(book: Any) -> dict[str, list[Any]]:
    rows = book["Operators"].iter_rows(min_row=6, max_row=13, min_col=2, max_col=8, values_only=True)
    return {row[0]: list(row[1:]) for row in rows}


def error_cells(book: Any) -> list[str]:
    cells = (cell for ws in book for row in ws.iter_rows() for cell in row)
    return [f"{c.parent.title}!{c.coordinate}" for c in cells if str(c.value) in ERRORS]


# --- as it is checked in -----------------------------------------------------------------------------------------


def test_every_formula_has_a_cached_value_and_none_is_an_error(path: Path, book: Any) -> None:
    formulas = openpyxl.load_workbook(path)
    count = 0
    for ws in formulas:
        for row in ws.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    count += 1
    assert count > 500
    assert error_cells(book) == []
    assert not formulas.calculation.fullCalcOnLoad


def test_recalculation_leaves_the_file_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    report = recalculate(path)
    assert (report.changed, report.errors, report.notes) == ([], [], [])
    assert report.mlsim_calls > 250
    assert path.read_bytes() == before


def test_the_same_inputs_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    assert template.build_calibration(tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_the_example_says_that_it_is_one(path: Path, book: Any, tmp_path: Path) -> None:
    assert book["Measure"]["B4"].value.startswith("⚠ Example")
    changed, _ = edited(path, tmp_path / "b.xlsx", {f"L{ROW}": 8.0})
    assert not changed["Measure"]["B4"].value


def test_the_profile_is_what_the_function_gives(path: Path, book: Any) -> None:
    table = [[c.value for c in row] for row in book["Measure"][template.TABLE.replace("$", "")]]
    expected = call("MLSIM_CALIBRATE", [table])
    assert profile(book) == {label: (value, share if share != "" else None) for label, value, share in expected}
    args = ["Llama-3-8B", "H100", 32, 1152, "bf16", 1]
    assert tpot(book, "C")[5] == pytest.approx(call("MLSIM_TPOT", args))
    assert tpot(book, "D")[5] == pytest.approx(call("MLSIM_TPOT", [*args, pairs(book)]))
    low, high = call("MLSIM_INTERVAL", ["MLSIM_TPOT", *args, pairs(book)])[0]
    assert (tpot(book, "E")[5], tpot(book, "F")[5]) == pytest.approx((low, high))
    serving = ["Llama-3-8B", "H100", 1024, 256, "bf16", 1, "bf16"]
    assert book["Predictions"][f"H{OWN}"].value == pytest.approx(call("MLSIM_SERVING_RATE", serving))
    rate = call("MLSIM_SERVING_RATE", [*serving, pairs(book)])
    assert book["Predictions"][f"I{OWN}"].value == pytest.approx(rate)
    assert book["Predictions"][f"M{OWN}"].value == pytest.approx(call("MLSIM_TOKEN_COST", ["2.50 $/GPU-h", rate]))


def test_the_values_before_and_their_sources_are_the_registrys(book: Any) -> None:
    ws = book["Measure"]
    figures = load.runtime("vLLM").figures
    for r in range(template.NAME + 2, template.NAME + len(profile(book))):
        figure = figures[ws[f"C{r}"].value.replace(" ", "_")]
        assert float(str(ws[f"F{r}"].value).split()[0]) == pytest.approx(float(figure.value))
        assert ws[f"J{r}"].value == figure.meaning
        assert ws[f"N{r}"].value


def test_no_runtime_has_more_or_fewer_rows_than_the_sheet_expects() -> None:
    head = ["model", "hardware", "runtime", "batch", "TPOT [ms]"]
    for runtime in (name for name in load.runtime_names() if name != "NCCL"):  # a library of collectives serves nothing
        rows = call("MLSIM_CALIBRATE", [[head, ["Llama-3-8B", "H100", runtime, 1, 10.0]]])
        assert template.FIXED <= len(rows) <= template.PROFILE_ROWS, runtime
    assert 2 + len(RUNTIME_PARAMETERS) >= template.PROFILE_ROWS


# --- a measurement moves everything that depends on the runtime -------------------------------------------------------


@pytest.mark.parametrize(("factor", "sign"), [(1.5, 1), (0.7, -1)])
def test_a_measurement_moves_every_prediction_its_way(
    path: Path, book: Any, tmp_path: Path, factor: float, sign: int
) -> None:
    measured = tpot(book, "C")[5] * factor
    changed, report = edited(path, tmp_path / "b.xlsx", {f"L{ROW}": measured})
    assert report.errors == []
    assert tpot(changed, "C") == tpot(book, "C")
    shares = {label: float(profile(changed)[label][0]) / float(profile(book)[label][0]) for label in ("memory share",)}
    assert (shares["memory share"] - 1) * sign < 0
    for before, after in zip(tpot(changed, "C"), tpot(changed, "D"), strict=True):
        assert (after - before) * sign > 0
    for low, after, high in zip(*(tpot(changed, letter) for letter in "EDF"), strict=True):
        assert low < after < high
    for letter in "HJL":  # serving TPOT, rate and cost before: as they were
        assert tpot(changed, letter) == tpot(book, letter)
    for r in range(OWN, OWN + 4):
        d, e, h, i, low, high, m, n = (changed["Predictions"][f"{c}{r}"].value for c in "DEHILMJK")
        assert (e - d) * sign > 0
        assert (i - h) * sign < 0
        assert (high - low) * sign > 0  # the cost
        assert m < i < n
    ws = changed["Measure"]
    before, after = ws[f"H{template.ERRORS}"].value, ws[f"I{template.ERRORS}"].value
    assert abs(after) < abs(before)
    assert ws[f"H{LAST_ERROR + 1}"].value == pytest.approx(abs(before))
    for name in ("feed-forward", "attention projections", "total"):
        time_before, time_after, _, eta_before, eta_after, _ = operators(changed)[name]
        assert (time_after - time_before) * sign > 0
        assert (eta_after - eta_before) * sign < 0
        assert time_before == operators(book)[name][0]


def test_a_measured_ttft_moves_prefill(path: Path, tmp_path: Path) -> None:
    predicted = call("MLSIM_TTFT", ["Llama-3-8B", "H100", 1, 8192])
    row = {"C": "Llama-3-8B", "D": "H100", "E": "vLLM", "H": 1, "I": 8192, "J": 1, "L": None, "M": predicted * 1.4}
    changed, _ = edited(path, tmp_path / "b.xlsx", {f"{c}{ROW}": value for c, value in row.items()})
    first = [changed["Predictions"][f"{c}{template.TTFT + 4}"].value for c in "CD"]
    assert first[0] == pytest.approx(predicted)
    assert first[1] > predicted * 1.02
    assert profile(changed)["compute share"][1] > profile(changed)["memory share"][1]
    assert changed["Measure"][f"J{template.ERRORS}"].value == pytest.approx(predicted * 1.4)
    assert changed["Measure"][f"O{ROW}"].value == "✓ Used."


def test_several_rows_close_more_of_the_gap(path: Path, book: Any, tmp_path: Path) -> None:
    cells: dict[str, Any] = {}
    for i, batch in enumerate((32, 1, 64, 8)):
        values = ("Llama-3-8B", "H100-SXM-80GB", "vLLM", "bf16", 1, batch, 1024, 256)
        cells |= {f"{c}{ROW + 2 * i}": value for c, value in zip("CDEFGHIJ", values, strict=True)}  # gaps between rows
        cells[f"L{ROW + 2 * i}"] = 1.15 * call("MLSIM_TPOT", ["Llama-3-8B", "H100", batch, 1152])
    changed, report = edited(path, tmp_path / "b.xlsx", cells)
    assert report.errors == []
    assert changed["Measure"][f"E{LAST_ERROR + 1}"].value == "4 measured"
    assert changed["Measure"][f"I{template.ERRORS}"].value > book["Measure"][f"I{template.ERRORS}"].value
    points = {(changed["Predictions"][f"Q{r}"].value, changed["Predictions"][f"P{r}"].value) for r in range(template.SWEEP, template.SWEEP + 8)}  # fmt: skip
    assert {(batch, 1) for batch in (32, 1, 64, 8)} <= points


def test_units_of_a_cell_of_its_own(path: Path, book: Any, tmp_path: Path) -> None:
    text = f"{book['Measure'][f'L{ROW}'].value / 1000:.6g} s"
    changed, _ = edited(path, tmp_path / "b.xlsx", {f"L{ROW}": text})
    assert tpot(changed, "D") == pytest.approx(tpot(book, "D"))
    assert changed["Measure"][f"E{template.ERRORS}"].value == pytest.approx(
        book["Measure"][f"E{template.ERRORS}"].value
    )


def test_other_runtimes_fill_the_same_table(path: Path, tmp_path: Path) -> None:
    changed, report = edited(path, tmp_path / "b.xlsx", {f"E{ROW}": "llama.cpp-2024", f"L{ROW}": 12.0})
    assert report.errors == []
    assert len(profile(changed)) == 17
    assert changed["Predictions"]["K11"].value == "llama.cpp-2024"


def test_a_mixture_of_experts_has_its_operators(path: Path, tmp_path: Path) -> None:
    cells = {"Predictions!C7": "DeepSeek-V3", "Predictions!C9": "fp8", "Predictions!C10": 16}
    changed, report = edited(path, tmp_path / "b.xlsx", cells)
    assert report.errors == []
    table = {row[0]: row for row in call("MLSIM_OPERATORS", ["DeepSeek-V3", "H100", 32, 1152, "fp8", 16])}
    for name in ("experts", "communication", "total"):
        assert operators(changed)[name][0] == pytest.approx(table[name][1])
    assert changed["Predictions"][f"P{template.SWEEP}"].value == 0  # no point of another model in the chart


# --- what is missing or wrong ------------------------------------------------------------------------------------


def test_an_empty_table_is_a_clear_error_with_a_sentence(path: Path, book: Any, tmp_path: Path) -> None:
    changed, report = edited(path, tmp_path / "b.xlsx", {f"L{ROW}": None})
    ws = changed["Measure"]
    assert ws[f"D{template.NAME}"].value == "#NUM!"
    assert ws[f"B{template.NAME - 2}"].value.startswith("✗ No profile: #NUM!")
    assert ws["B3"].value.startswith("✗ No profile")
    assert changed["Predictions"]["B3"].value.startswith("✗ No profile")
    assert ws[f"O{ROW}"].value.startswith("⚠ No measurement")
    assert tpot(changed, "C") == tpot(book, "C")  # the runtime as it is stays
    assert set(tpot(changed, "D")) == {"#NUM!"}
    assert report.errors


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"C": None}, "✗ Model or hardware is missing"),
        ({"C": "Lama-9"}, "✗ #N/A"),
        ({"F": "bf17"}, "✗ #N/A"),
        ({"L": 10_000}, "⚠ Predicted and measured differ by a factor of more than 3"),
        ({"L": 0.0101}, "⚠ Predicted and measured differ by a factor of more than 3"),
        ({"L": "10 GB"}, "✗ A measurement is a number in ms"),
        ({"I": None, "M": 40}, "✗ TTFT and serving TPOT need the prompt tokens"),
        ({"J": None, "N": 20}, "✗ A serving TPOT needs the output tokens"),
        ({"I": None}, "⚠ Neither prompt tokens nor context"),
        ({"N": 14}, "✓ Used."),
    ],
)
def test_a_sentence_beside_each_row(path: Path, tmp_path: Path, cells: dict[str, Any], words: str) -> None:
    changed, _ = edited(path, tmp_path / "b.xlsx", {f"{c}{ROW}": value for c, value in cells.items()})
    assert changed["Measure"][f"O{ROW}"].value.startswith(words)


def test_a_price_is_checked_without_the_add_in(path: Path, tmp_path: Path) -> None:
    price = template.P_PRICE.removeprefix("Predictions!").replace("$", "")
    for text, words in (("2.5 $/h", "✗"), (None, "⚠ price?"), ("3 $/GPU-h", "✓")):
        changed, _ = edited(path, tmp_path / "b.xlsx", {f"Predictions!{price}": text})
        said = changed["Predictions"][f"E{template.P_TOP + 8}"].value
        assert said.startswith(words)
        assert (changed["Predictions"][f"M{OWN}"].value == "price?") is not (words == "✓")


# --- in LibreOffice ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_without_the_add_in_shows_the_cached_values(path: Path, tmp_path: Path) -> None:
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xlsx:Calc MS Excel 2007 XML",
               "--outdir", str(tmp_path), str(path)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    shown = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    assert error_cells(shown) == []
    assert shown["Measure"][f"D{template.NAME}"].value == "vLLM (calibrated)"


def test_no_array_formulas(path: Path) -> None:
    wb = openpyxl.load_workbook(path)
    kinds = {type(cell.value).__name__ for ws in wb for row in ws.iter_rows() for cell in row}
    assert kinds <= {"str", "int", "float", "NoneType"}
    assert re.search(r"INDEX\(MLSIM_CALIBRATE\(", wb["Measure"][f"D{template.NAME}"].value)
