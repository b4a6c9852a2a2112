"""The benchmark's own correctness: same questions for everybody, honest ratios, and what is missing is said. No clocks."""

import csv
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError

import bench
import pytest
from accuracy import column, summary_table
from asking import ask
from cases import TABLES, asked, comparable, gpt_fast, gpt_fast_rows, korthikanti, train_question
from comparing import Peers
from environments import TOOLS, Environment, every, ours, unverified
from measuring import Spread, process
from mistakes import MISTAKES, RIGHT, handled, sheet_answers
from speed import MLSIM, not_here
from table import Row, compared, speed_table, written

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.cases import read_case
from mlsim.calibration.predict import predictions


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Spread(0.0242, 0.0226, 0.0246), "s", "24.2 ms (22.6 to 24.6)"),
        (Spread(5.087, 3.93, 7.36), "s", "5.09 s (3.93 to 7.36)"),
        (Spread(8e-8, 8e-8, 9e-8), "s", "0.08 µs (0.08 to 0.09)"),
        (Spread(9360.0, 9360.0, 9360.0), "s", "2.6 h"),
        (Spread(2_420_000.0, 502_817.0, 3_200_000.0), "/s", "2.42 million/s (0.5 to 3.2)"),
        (Spread(9157.0, 7805.0, 9876.0), "/s", "9,157/s (7,805 to 9,876)"),
        ("not here: no network", "s", "not here: no network"),
    ],
)
def test_values_are_written_with_their_spread(value: Spread | str, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_ratios_say_who_is_faster() -> None:
    one, ten = Spread(1.0, 1.0, 1.0), Spread(10.0, 10.0, 10.0)
    assert compared(one, ten, "s") == compared(ten, one, "/s") == "ours 10× faster"
    assert compared(ten, one, "s") == compared(one, ten, "/s") == "ours 10× slower"
    assert compared("not here", one, "s") == ""


def test_a_tool_without_a_counterpart_has_a_dash() -> None:
    one = Spread(1.0, 1.0, 1.0)
    rows = [Row("import", one, "≤ 2 s", peers={"A": one}), Row("formulas", one)]
    lines = speed_table(rows, ["A", "B"]).splitlines()
    assert lines[0] == "| work | MLSIM | target | A |"
    assert lines[3] == "| formulas | 1 s | – | – |"


def test_every_unit_mistake_is_handled_and_nothing_right_is_refused(tmp_path: Path) -> None:
    answers = sheet_answers(MISTAKES, tmp_path)
    missed = [m.what for m, good in zip(MISTAKES, handled(MISTAKES, answers), strict=True) if not good]
    assert len(MISTAKES) == 29
    assert missed == []
    assert all(sheet_answers(RIGHT, tmp_path))


def test_a_tool_that_accepts_a_mistake_or_misreads_a_unit_has_not_handled_it() -> None:
    answers = ["14.875 gigabyte" if m.what != '"80 Gb"' else "80 gilbert" for m in MISTAKES]
    assert not any(handled(MISTAKES, answers))


def test_nobody_is_shown_the_measurement() -> None:
    questions = [*gpt_fast(), *korthikanti()]
    assert all(not case["row"]["measured"] for case in asked(questions))
    assert all(question.measured > 0 for question in questions)


def test_the_marked_cases_are_those_of_the_table() -> None:
    def key(row: dict[str, str]) -> tuple[str, str, str]:
        return row["model"], row["weight_precision"], row["tp"]

    with (TABLES / "measurements.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] == "decode"]
    known = {key(row) for row in rows if row["software"].startswith("gpt-fast")}
    for row in gpt_fast_rows():
        assert (key(row) in known) == row["case_id"].endswith("†"), row["case_id"]


def test_a_step_time_becomes_the_rate_that_the_row_measures() -> None:
    with (TABLES / "training.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] == "training" and row["metric"] != "step_time"]
    for row in rows[::20]:
        (rate,) = predict_rows([row])
        assert rate.case is not None
        assert rate.prediction is not None
        step = step_seconds(row)
        assert comparable(train_question(row), step, ours=False) == pytest.approx(rate.prediction.value)


def step_seconds(row: dict[str, str]) -> float:
    """Return our seconds per step of a row, whatever it measures."""
    (found,) = predictions([replace(read_case(row), kind="step")])
    return found.value


def test_a_tool_is_asked_in_a_process_of_its_own(tmp_path: Path) -> None:
    questions = gpt_fast()
    told = ask("mlsim", ours(), tmp_path, {"decode": asked(questions)})["ways"][0]
    found = column(told, told["decode"], questions, ours=True)
    assert all(error is not None and abs(error) < 0.1 for error in found.errors)
    line = summary_table([found], found, len(questions)).splitlines()[2]
    assert line.startswith("| MLSIM | 9 |")


def test_what_is_missing_or_fails_is_said(tmp_path: Path) -> None:
    def measure(key: str, at: Environment) -> Spread:
        return process(sys.executable, "-c", "raise SystemExit('no such model')", repeat=1)

    there = Environment(Path(sys.executable).parent, None)
    peers = Peers(tmp_path, {"genz": there}, {"mlsysim": "not here: no network"})
    assert peers.cells(("genz", "mlsysim"), measure) == {
        TOOLS["genz"].name: "did not run: no such model", TOOLS["mlsysim"].name: "not here: no network",
    }  # fmt: skip


def test_a_checkout_that_is_not_there_is_missing(tmp_path: Path) -> None:
    here, missing = every(["calculon"], tmp_path, tmp_path / "nowhere")
    assert here == {}
    assert missing["calculon"] == f"not here: {tmp_path / 'nowhere'} is not a folder"


def test_a_folder_that_is_no_clone_is_said_so(tmp_path: Path) -> None:
    assert "not a clone at commit caa4b11" in unverified("calculon", Environment(tmp_path, tmp_path))
    assert unverified("genz", Environment(tmp_path, None)) == ""


def test_a_command_that_is_not_here_says_why() -> None:
    with pytest.raises(CalledProcessError) as refused:
        process(sys.executable, *MLSIM, "recalc", "book.xlsx", "--engine", "abacus", repeat=1)
    assert not_here(refused.value).startswith("not here: ")
    assert "abacus" in not_here(refused.value)


def test_the_section_of_a_file_is_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks: by hand -->\nold\n<!-- /benchmarks -->\nafter\n", encoding="utf-8")
    assert bench.main(["--only", "units", "--peers", "", "--cache", str(tmp_path), "--markdown", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| MLSIM | 29 of 29 | 6 of 6 |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- /benchmarks -->\nafter\n")
    assert "| MLSIM | 29 of 29 | 6 of 6 |" in capsys.readouterr().out


def test_a_file_without_the_section_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n", encoding="utf-8")
    assert bench.main(["--only", "units", "--peers", "", "--cache", str(tmp_path), "--markdown", str(page)]) == 2
    assert "has no section" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--only", "speed"], ["--peers", "abacus"]])
def test_an_unknown_part_or_tool_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        bench.main(wrong)
    assert refused.value.code == 2
    assert "there are" in capsys.readouterr().err
