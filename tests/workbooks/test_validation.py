"""The report "predicted against measured": sheets, charts, names that look like formulas, equal bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from mlsim.calibration.accuracy import Outcome, Scored
from mlsim.calibration.cases import Case, read_case
from mlsim.calibration.predict import Prediction
from mlsim.errors import CellError
from mlsim_workbooks.validation import COVERAGE, TARGETS, markdown, why, write

SHEETS = [
    "Summary", "Scatter", "By chip", "By runtime", "By model", "By source", "Worst twenty", "Unsupported", "Parameters",
    "Rows", "Chart data",
]  # fmt: skip
ROW = {"metric": "tpot", "family": "decode", "model": "Llama-3-8B", "hardware": "H100", "context_len": "1024"}


def case(**changes: str) -> Case:
    return read_case({"case_id": "c", "source": "a table", "software": "vLLM", **ROW, **changes})


def row(of: Case, measured: float, ratio: float, bottleneck: str = "memory bandwidth", width: float = 1.2) -> Scored:
    value = measured * ratio
    return Scored(of, Prediction(value, value / width, value * width, bottleneck), measured)


DECODE = case()
MEMORY = case(family="memory", metric="kv_pool_tokens")
PREFILL = case(family="prefill", metric="ttft", input_len="512", hardware="A100", software="llama.cpp")
SCORED = [
    *(row(replace(DECODE, case_id=f"d{i}"), 10.0 * (i + 1), 1.0 + 0.01 * i) for i in range(12)),
    *(row(replace(PREFILL, case_id=f"p{i}"), 3.0 * 10**i, 0.8, "compute") for i in range(4)),
    row(replace(DECODE, case_id="far"), 50.0, 4.0),
    row(replace(MEMORY, case_id="m"), 4e5, 1.01, "capacity"),
]
LOST = [Outcome("x1", None, None, "tp: 64 is more than the 48 heads."), Outcome("x2", DECODE, None, "")]
TIMED = [s for s in SCORED if s.prediction.bottleneck != "capacity"]
SPLITS = {
    name: [row(s.case, s.measured, 1.3) for s in TIMED] for name in ("in sample", "chip", "model family", "source")
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("validation") / "report.xlsx"
    write(target, SCORED, LOST, SPLITS, families={"x1": "decode"}, date="2026-11")
    return target


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def written(tmp_path: Path, scored: Sequence[Scored], *rest: Any) -> Any:
    write(tmp_path / "a.xlsx", scored, *(rest or ([], {})))
    return openpyxl.load_workbook(tmp_path / "a.xlsx")


def scatters(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    return [part for part in parts if "scatterChart" in part]


def cells(book: Any) -> Any:
    return [cell for ws in book for line in ws.iter_rows() for cell in line if cell.value is not None]


def area(ws: Any, ref: str) -> list[Any]:
    left, top, right, bottom = range_boundaries(ref.replace("$", ""))
    return [ws.cell(r, c).value for r in range(top, bottom + 1) for c in range(left, right + 1)]


def column(ws: Any, name: str, top: int = 4) -> list[Any]:
    at = next(cell.column for cell in ws[top] if cell.value == name)
    return [ws.cell(r, at).value for r in range(top + 1, ws.max_row + 1)]


# --- what is there ---------------------------------------------------------------------------------------------------


def test_sheets(book: Any) -> None:
    assert book.sheetnames == SHEETS


def test_there_is_no_formula_and_no_error(book: Any) -> None:
    assert {cell.data_type for cell in cells(book)} <= {"s", "n"}


def test_summary_counts_rows_and_sets_targets_beside_errors(book: Any) -> None:
    ws = book["Summary"]
    lines = [[cell.value for cell in line][1:12] for line in ws.iter_rows(min_row=8, max_row=18)]
    assert lines[0][:4] == ["decode", "shipped parameters", 15, 13]
    assert (lines[0][5], lines[0][7]) == TARGETS["decode"]
    assert lines[0][4] == pytest.approx(0.06)
    assert [line[1] for line in lines[:5]] == [
        "shipped parameters", "in sample", "chip left out", "model family left out", "source left out",
    ]  # fmt: skip
    assert lines[10][:2] == ["memory", "shipped parameters"]
    assert "2026-11" in ws["B2"].value
    assert "18 of 20 measurements (90.0 %)" in ws["B4"].value


def test_summary_colours_are_native_rules(book: Any) -> None:
    rules = {str(area.sqref): [r.formula[0] for r in found] for area, found in book["Summary"].conditional_formatting._cf_rules.items()}  # fmt: skip
    assert set(rules) == {"F8:F18", "H8:H18", "K8:K18"}
    assert "$F8<=$G8" in rules["F8:F18"][0]
    assert f"$K8>={COVERAGE[0]}" in rules["K8:K18"][0]


def test_the_table_of_rows_has_the_right_reference(book: Any) -> None:
    ws = book["Rows"]
    table = ws.tables["Predictions"]
    first, last = (ws[ref] for ref in table.ref.split(":"))
    assert (first.row, first.column, last.row) == (4, 1, 4 + len(SCORED))
    assert [c.name for c in table.tableColumns] == [c.value for c in ws[4]]
    assert last.column == ws.max_column == len({c.value for c in ws[4]})
    assert table.autoFilter.ref == table.ref
    assert ws.freeze_panes == "B5"


def test_rows_hold_errors_of_every_fit(book: Any) -> None:
    ws = book["Rows"]
    assert column(ws, "Error") == pytest.approx([s.error for s in SCORED])
    left = column(ws, "Error, chip left out")
    assert left[:-1] == pytest.approx([0.3] * len(TIMED))
    assert left[-1] is None
    assert column(ws, "Batch")[-1] is None  # nothing reads the batch of a memory case
    assert set(column(ws, "Unit")) == {"ms", "token"}


def test_groups_are_sorted_by_rows_without_memory(book: Any) -> None:
    ws = book["By chip"]
    assert column(ws, "Rows")[:2] == [13, 4]
    assert column(ws, "Median error, chip left out")[:2] == pytest.approx([0.3, 0.3])
    assert [c.value for c in book["By runtime"][4]].count("Rows") == 1
    assert all(len(book[name]._charts) == 1 for name in SHEETS[2:6])


def test_worst_come_first(book: Any) -> None:
    ws = book["Worst twenty"]
    assert column(ws, "Case")[0] == "far"
    ratios = column(ws, "Predicted / measured")
    assert ratios[0] == pytest.approx(4.0)
    assert len([x for x in ratios if x]) == len(SCORED)


def test_unsupported_rows_say_why(book: Any) -> None:
    ws = book["Unsupported"]
    assert [c.value for c in ws[5]] == ["x1", "decode", "tp: 64 is more than the 48 heads."]
    assert "missing" in ws["C6"].value


def test_parameters_are_those_of_the_rows(book: Any) -> None:
    ws = book["Parameters"]
    found = dict(zip(zip(column(ws, "Name"), column(ws, "Parameter"), strict=True), column(ws, "Value"), strict=True))
    chip, runtime = DECODE.chip, DECODE.runtime
    assert found[chip.chip_class, "memory efficiency"] == float(chip.efficiency["memory_efficiency"].value)
    assert found[runtime.name, "step overhead"] == float(runtime.figures["step_overhead"].value)
    assert ("decode", "unexplained spread") in found


# --- charts ----------------------------------------------------------------------------------------------------------


def test_scatter_axes_are_logarithmic_and_alike(path: Path) -> None:
    charts = scatters(path)
    assert len(charts) == 3
    for xml in charts:
        bounds = re.findall(r'<scaling><logBase val="10"\s*/><orientation[^>]*/><max val="([^"]+)"\s*/><min val="([^"]+)"', xml)  # fmt: skip
        assert len(bounds) == 2, xml[:2000]
        assert bounds[0] == bounds[1]
        assert "measured, " in xml
        assert "predicted, " in xml


def test_every_scatter_has_three_reference_lines_and_shows_all_points(path: Path, book: Any) -> None:
    for xml in scatters(path):
        high, low = (float(x) for x in re.findall(r'<m(?:ax|in) val="([^"]+)"', xml)[:2])
        series = re.findall(r"<ser>.*?</ser>", xml)
        names = [re.search(r"<v>([^<]*)</v>", text)[1] for text in series]  # type: ignore[index]
        assert names[:3] == ["y = x", "+25 %", "−25 %"]
        assert ['prstDash val="dash"' in text for text in series[:3]] == [False, True, True]
        for text, slope in zip(series, [1.0, 1.25, 0.75, *([None] * 8)], strict=False):
            xs, ys = (area(book["Chart data"], ref) for ref in re.findall(r"<f>'Chart data'!([^<]+)</f>", text))
            assert all(low * (1 - 1e-12) <= x <= high * (1 + 1e-12) for x in [*xs, *ys])
            if slope:
                assert ys == pytest.approx([slope * x for x in xs])
        assert len(series) == 4


def test_rare_runtimes_become_one_series(tmp_path: Path) -> None:
    runtimes = [replace(DECODE.runtime, name=f"engine {i}") for i in range(12)]
    scored = [row(replace(DECODE, runtime=r), 10.0, 1.1) for r in runtimes for _ in range(2)]
    written(tmp_path, scored)
    (xml,) = scatters(tmp_path / "a.xlsx")
    assert xml.count("<ser>") == 3 + 8
    assert "5 others (10)" in xml


# --- odd inputs ------------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.xlsx"
    write(again, SCORED, LOST, SPLITS, families={"x1": "decode"}, date="2026-11")
    assert again.read_bytes() == path.read_bytes()
    with zipfile.ZipFile(again) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert set(re.findall(rb"T\d\d:\d\d:\d\dZ", archive.read("docProps/core.xml"))) == {b"T00:00:00Z"}


@pytest.mark.parametrize("scored", [[], SCORED[:1], SCORED[-1:]], ids=["none", "one", "memory only"])
def test_few_rows_and_no_splits(scored: list[Scored], tmp_path: Path) -> None:
    book = written(tmp_path, scored)
    assert book.sheetnames == SHEETS
    assert len(scatters(tmp_path / "a.xlsx")) == len(scored)
    assert len(book["Rows"].tables) == len(scored)
    assert not any("left out" in str(cell.value) for cell in book["Rows"][4])


NAMES = [
    "=1+1", '=HYPERLINK("http://example.org","x")', "+1", "-1", "@SUM(A1)", "#N/A", "#REF!", "12", "TRUE", "2026-01-01",
    "Żółw 芯片 ★ <&>\"'", "a\x00b\x0bc", "x" * 300,
]  # fmt: skip


def test_names_stay_text(tmp_path: Path) -> None:
    scored = [
        row(
            replace(
                DECODE, case_id=name, source=name, chip=replace(DECODE.chip, name=name, chip_class=name),
                runtime=replace(DECODE.runtime, name=name), model=replace(DECODE.model, name=name),
            ),
            10.0, 1.2,
        )
        for name in NAMES
    ]  # fmt: skip
    lost = [Outcome(name, None, None, name) for name in NAMES]
    book = written(tmp_path, scored, lost, {"chip": scored})
    assert {cell.data_type for cell in cells(book)} <= {"s", "n"}
    kept = [name.replace("\x00", "").replace("\x0b", "") for name in NAMES]
    for sheet, name in (("Rows", "Case"), ("Rows", "Source"), ("By chip", "Chip"), ("Unsupported", "Reason")):
        assert [x for x in column(book[sheet], name) if x] == kept
    assert book["Rows"]["A5"].quotePrefix
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert not any(b"<f>" in archive.read(n) for n in archive.namelist() if "worksheets/sheet" in n)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CellError):
        write(tmp_path / "missing" / "a.xlsx", SCORED[:1], [], {})


# --- sentences -------------------------------------------------------------------------------------------------------


def test_why_names_the_row_when_its_peers_agree() -> None:
    text = why(SCORED[16], SCORED)
    assert "limited by memory bandwidth, lies above" in text
    assert "The other 12 rows of this model, format, chip and runtime agree within 5.5 % in the median" in text
    assert "does not cover it" in text


def test_why_names_the_law_when_its_peers_err_alike() -> None:
    rows = [row(replace(DECODE, case_id=str(i)), 10.0, 2.0 + 0.1 * i) for i in range(5)]
    assert "err to the same side (+115 % in the median)" in why(rows[4], rows)


def test_why_sees_scatter_and_few_rows() -> None:
    rows = [row(replace(DECODE, case_id=str(i)), 10.0, r, width=9) for i, r in enumerate((2.0, 0.4, 1.9, 0.5, 3.0))]
    text = why(rows[4], rows)
    assert "scatter too" in text
    assert f"Only 5 row(s) of runtime {DECODE.runtime.name} in all." in text
    assert "The 80 % interval covers it." in text
    assert "too few to tell" in why(rows[0], rows[:2])


def test_markdown() -> None:
    head, rule, *lines = markdown(SCORED, SPLITS).splitlines()
    assert head.startswith("| family | rows | in sample, median / p90 | chip left out, median / p90 |")
    assert rule.count("|---") == head.count(" |")
    assert lines[0] == "| decode | 13 | 30 / 30 % | 30 / 30 % | 30 / 30 % | 30 / 30 % | 0 / 0 / 0 / 0 % |"
    assert lines[2] == "| memory | 1 | 1.0 / 1.0 % | – | – | – | 100 % |"
    assert markdown(SCORED, {}).splitlines()[2] == "| decode | 13 | 6.0 / 11 % | 92 % |"
