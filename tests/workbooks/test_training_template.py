"""The training workbook: its answer follows its inputs, and its tables are what the functions give."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mlsim.functions import call
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.planner.training import PARTS
from mlsim.planner.training_memory import TERMS
from mlsim_workbooks import training_template as template
from mlsim_workbooks.recalc import Report, recalculate

ERRORS = ("#VALUE!", "#N/A", "#NUM!", "#NAME?", "#REF!", "#DIV/0!", "#NULL!")
JOB = ["Llama-3-70B", "H100-SXM-80GB", 64, 128, 8192]
OWN = [*JOB, 8, 2, 1, "none", "ZeRO-1", "bf16", "Megatron-Core", 1, 1, 1]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.build_training(tmp_path_factory.mktemp("training") / "book.xlsx")


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    return openpyxl.load_workbook(path, data_only=True)


@pytest.fixture(scope="module")
def formulas(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def edited(path: Path, out: Path, cells: dict[str, Any]) -> tuple[Any, Report]:
    """Type into inputs by their names, recalculate, and return values and report."""
    wb = openpyxl.load_workbook(path)
    for name, value in cells.items():
        wb["Plan"][place(template.IN[name])] = value
    wb.save(out)
    report = recalculate(out)
    return openpyxl.load_workbook(out, data_only=True), report


def place(ref: str) -> str:
    return ref.rpartition("!")[2].replace("$", "")


def result(book: Any, name: str) -> Any:
    return book["Plan"][place(template.OUT[name])].value


def table(book: Any, first: int, columns: int) -> list[list[Any]]:
    """Return the lines of a table of the sheet Ranked plans: yours, then the plans."""
    rows = book["Ranked plans"].iter_rows(min_row=first, max_row=first + template.COUNT, min_col=2, max_col=1 + columns)
    return [[cell.value for cell in row] for row in rows]


def error_cells(book: Any) -> list[str]:
    cells = (cell for ws in book for row in ws.iter_rows() for cell in row)
    return [f"{c.parent.title}!{c.coordinate}" for c in cells if str(c.value) in ERRORS]


# --- as it is checked in -----------------------------------------------------------------------------------------


def test_every_formula_has_a_cached_value_and_none_is_an_error(formulas: Any, book: Any) -> None:
    cells = [
        c for ws in formulas for row in ws.iter_rows() for c in row if isinstance(c.value, str) and c.value[:1] == "="
    ]
    assert len(cells) > 800
    empty = [c.coordinate for c in cells if book[c.parent.title][c.coordinate].value is None]
    assert len(empty) < 5  # the warning that there is nothing to warn of
    assert error_cells(book) == []
    assert not formulas.calculation.fullCalcOnLoad


def test_recalculation_leaves_the_file_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    report = recalculate(path)
    assert (report.changed, report.errors, report.notes) == ([], [], [])
    assert report.mlsim_calls > 400
    assert path.read_bytes() == before


def test_no_array_formulas(formulas: Any) -> None:
    kinds = {type(cell.value).__name__ for ws in formulas for row in ws.iter_rows() for cell in row}
    assert kinds <= {"str", "int", "float", "NoneType"}
    cell = formulas["Ranked plans"][f"C{template.PLANS + 1}"].value
    assert re.search(r"INDEX\(MLSIM_PARALLEL_PLAN\(Plan!\$D\$7,", cell)


def test_the_results_are_what_the_functions_give(book: Any) -> None:
    assert result(book, "step") == pytest.approx(call("MLSIM_TRAIN_STEP", OWN))
    low, high = call("MLSIM_INTERVAL", ["MLSIM_TRAIN_STEP", *OWN])[0]
    assert result(book, "interval") == f"{low:.2f} to {high:.2f} s"
    assert result(book, "mfu") == pytest.approx(call("MLSIM_MFU", [*OWN, "model"]))
    days = call("MLSIM_TRAIN_TIME", [*OWN[:2], "1 Ttoken", *OWN[2:]])
    assert result(book, "days") == pytest.approx(days)
    assert result(book, "cost") == pytest.approx(days * 24 * 64 * 2.5)
    assert result(book, "per device") * 64 * days * 86400 == pytest.approx(1e12)
    assert result(book, "memory") == pytest.approx(call("MLSIM_TRAIN_MEMORY", OWN))
    assert result(book, "free") == pytest.approx(result(book, "capacity") - result(book, "memory"))
    sheet = book["Plan"]
    assert sheet[f"B{template.WHY}"].value == call("MLSIM_WHY", ["MLSIM_TRAIN_STEP", *OWN])
    assert CONVENTIONS["model"].text in sheet[f"L{template.SENTENCES}"].value
    assert re.fullmatch(
        r"✓ Llama-3-70B on 64 H100-SXM-80GB: [\d.]+ s per step \(MFU \d+ %\), [\d.]+ days for 1 Ttoken, \d+ k\$ at "
        r"2\.50 \$/GPU-h; [\d.]+ of 79\.6 GiB: it fits\.",
        sheet["B3"].value,
    )


def test_the_ranked_plans_are_the_functions(book: Any) -> None:
    plans = call("MLSIM_PARALLEL_PLAN", [*JOB, "bf16", "Megatron-Core", template.COUNT])
    yours, *ranked = table(book, template.PLANS, template.PLAN_COLUMNS + 3)
    for row, plan in zip(ranked, plans[1:], strict=True):
        assert row[: template.PLAN_COLUMNS] == pytest.approx(plan)
        assert row[14] == pytest.approx(plan[13] / yours[13] - 1)
        assert row[15] == pytest.approx(result(book, "days") * yours[13] / plan[13])
    assert yours[0] == "yours"
    assert yours[1:10] == [8, 2, 1, 1, 4, 1, 1, "none", "ZeRO-1"]
    tp, pp, cp = (int(degree) for degree in ranked[0][1:4])
    assert f": tp {tp} · pp {pp} · cp {cp} · " in book["Plan"]["B4"].value


def test_the_stacks_sum_to_memory_and_step(book: Any) -> None:
    plans = table(book, template.PLANS, template.PLAN_COLUMNS)
    memory = table(book, template.MEMORY, len(TERMS) + 3)
    parts = table(book, template.TIME, len(PARTS) + 2)
    groups = table(book, template.GROUPED, len(template.GROUPS) + 2)
    assert sum(memory[0][1 : 1 + len(TERMS)]) == pytest.approx(call("MLSIM_TRAIN_MEMORY", OWN))
    for plan, terms, times, gathered in zip(plans, memory, parts, groups, strict=True):
        tp, pp, cp, ep, _, chunks, micro, recompute, sharding = plan[1:10]
        case = [*JOB, tp, pp, micro, recompute, sharding, "bf16", "Megatron-Core", cp, ep, chunks]
        assert sum(terms[1 : 1 + len(TERMS)]) == pytest.approx(terms[len(TERMS) + 1])
        assert terms[len(TERMS) + 1] == pytest.approx(call("MLSIM_TRAIN_MEMORY", case))
        assert sum(times[1:-1]) == pytest.approx(times[-1])
        assert times[-1] == pytest.approx(call("MLSIM_TRAIN_STEP", case))
        assert gathered[-1] == pytest.approx(times[-1])
    assert sorted(part for _, some in template.GROUPS for part in some) == sorted(PARTS)


def series(chart: Any) -> list[str]:
    charts = [chart, *[c for c in getattr(chart, "_charts", []) if c is not chart]]
    return [(s.val or s.yVal).numRef.f for c in charts for s in c.series]


def test_the_charts_draw_the_tables(formulas: Any) -> None:
    memory, time = formulas["Plan"]._charts
    last = template.MEMORY + template.COUNT
    letters = "CDEFGHI"[: len(TERMS)]
    assert series(memory) == [f"'Ranked plans'!${c}${template.MEMORY}:${c}${last}" for c in (*letters, "K")]
    last = template.GROUPED + template.COUNT
    letters = "CDEFGHIJ"[: len(template.GROUPS)]
    assert series(time) == [f"'Ranked plans'!${c}${template.GROUPED}:${c}${last}" for c in letters]
    assert [len(formulas[name]._charts) for name in ("What if", "Communication")] == [3, 3]
    micro = formulas["What if"]._charts[2]
    last = template.MICRO + len(template.MICROS) - 1
    assert series(micro) == [f"'What if'!${c}${template.MICRO}:${c}${last}" for c in "GHIK"]
    collectives = formulas["Communication"]._charts[0]
    last = template.LINKS + len(template.MESSAGES) - 1
    assert series(collectives) == [f"'Communication'!${c}${template.LINKS}:${c}${last}" for c in "DEFHIJ"]


def test_what_if_changes_one_thing_at_a_time(book: Any) -> None:
    ws = book["What if"]
    for i, factor in enumerate(template.FACTORS):
        r = template.SCALE + i
        step = call("MLSIM_TRAIN_STEP", [*OWN[:2], 64 * factor, *OWN[3:]])
        assert (ws[f"C{r}"].value, ws[f"E{r}"].value) == pytest.approx((64 * factor, step))
        assert ws[f"L{r}"].value[0] == ("✓" if ws[f"J{r}"].value <= ws[f"K{r}"].value else "✗")
    base = template.SCALE + template.FACTORS.index(1)
    assert ws[f"H{base}"].value == pytest.approx(result(book, "days"))
    assert ws[f"I{base}"].value == pytest.approx(result(book, "cost"))
    for i, micro in enumerate(template.MICROS):
        need = call("MLSIM_TRAIN_MEMORY", [*OWN[:7], micro, *OWN[8:]])
        assert ws[f"J{template.MICRO + i}"].value == pytest.approx(need)
    assert ws[f"D{template.GRID}"].value == pytest.approx(result(book, "step"))
    assert ws[f"D{template.GRID + 5}"].value == pytest.approx(result(book, "memory"))


def test_collectives_and_bubble(book: Any) -> None:
    ws = book["Communication"]
    last = template.LINKS + len(template.MESSAGES) - 1
    assert ws["F4"].value == 8
    cases = (("D", "ALLREDUCE", 8), ("E", "ALLGATHER", 8), ("H", "ALLREDUCE", 64), ("J", "ALLTOALL", 64))
    for column, name, ranks in cases:
        assert ws[f"{column}{last}"].value == pytest.approx(call(f"MLSIM_{name}", ["H100", "1 GiB", ranks]))
    assert ws[f"C{last}"].value == 2**20
    assert ws[f"G{last}"].value == pytest.approx(2 * 7 / 8 * 2**30 / ws[f"D{last}"].value / 1e3)
    assert ws[f"G{template.BUBBLES}"].value == pytest.approx(call("MLSIM_BUBBLE", [2, 1]))


# --- a change moves the answer -----------------------------------------------------------------------------------


def test_the_answer_follows_the_model(path: Path, book: Any, tmp_path: Path) -> None:
    cells = {"model": "Llama-3-8B", "devices": 8, "tp": 1, "pp": 1, "goodput": 0.9, "price": "3 $/h", "recompute": "least"}  # fmt: skip
    changed, report = edited(path, tmp_path / "b.xlsx", cells)
    assert report.errors == []
    answer = changed["Plan"]["B3"].value
    assert answer != book["Plan"]["B3"].value
    assert answer.startswith("✓ Llama-3-8B on 8 H100-SXM-80GB: ")
    assert "$" not in answer  # a wrong price is no cost
    assert result(changed, "cost") == "price?"
    assert changed["Plan"][f"B{template.SENTENCES}"].value.startswith("Price: ✗")
    case = ["Llama-3-8B", "H100-SXM-80GB", "1 Ttoken", 8, 128, 8192, 1, 1, 1, "least"]
    assert result(changed, "days") == pytest.approx(call("MLSIM_TRAIN_TIME", case) / 0.9)
    plans = call("MLSIM_PARALLEL_PLAN", ["Llama-3-8B", *case[1:2], 8, 128, 8192, "bf16", "Megatron-Core", 8])
    assert table(changed, template.PLANS, 14)[1] == pytest.approx(plans[1])


def test_an_impossible_layout_is_an_error_with_a_sentence(path: Path, book: Any, tmp_path: Path) -> None:
    changed, report = edited(path, tmp_path / "b.xlsx", {"tp": 3})
    sentence = call("MLSIM_WHY", ["MLSIM_TRAIN_STEP", *OWN[:5], 3, *OWN[6:]])
    assert "tp · pp · cp = 6 does not divide" in sentence
    assert result(changed, "step") == "#NUM!"
    assert result(changed, "days") == "#NUM!"
    assert changed["Plan"]["B3"].value == f"✗ {sentence}"
    assert changed["Plan"][f"G{template.SENTENCES}"].value == f"✗ {sentence}"
    assert changed["What if"][f"L{template.SCALE}"].value == f"✗ {sentence}"
    best = table(changed, template.PLANS, 14)[1]
    assert best == table(book, template.PLANS, 14)[1]  # the ranked plans stay
    assert changed["Plan"]["B4"].value.startswith("Fastest layout that fits: ")
    assert report.errors


def test_too_few_devices_are_said_so(path: Path, tmp_path: Path) -> None:
    changed, _ = edited(path, tmp_path / "b.xlsx", {"devices": 8, "pp": 1})
    assert changed["Plan"]["B3"].value.startswith("✗ Llama-3-70B on 8 ")
    assert changed["Plan"]["B3"].value.endswith("it does not fit.")
    assert changed["Plan"]["B4"].value.startswith("✗ No layout to rank: #NUM! None of ")
    assert {str(v or "") for v in table(changed, template.PLANS, 14)[1]} == {""}


# --- in LibreOffice ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_without_the_add_in_shows_the_cached_values(path: Path, book: Any, tmp_path: Path) -> None:
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xlsx:Calc MS Excel 2007 XML",
               "--outdir", str(tmp_path), str(path)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    shown = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    assert error_cells(shown) == []
    assert shown["Plan"]["B3"].value == book["Plan"]["B3"].value
