"""predict, validate and calibrate at the command line: what they write and print, and how they fail."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from mlsim.calibration.accuracy import predict_rows
from mlsim.calibration.tables import PREDICTION_COLUMNS
from mlsim.registry import load
from mlsim_workbooks import cli

Run = Callable[..., tuple[int, str, str]]
BASE = {"family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100", "context_len": "1024",
        "software": "vLLM", "source": "a table"}  # fmt: skip


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    load.forget()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def runner(*args: object) -> tuple[int, str, str]:
        code = cli.main([str(a) for a in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "Warning" not in err
        return code, out, err

    return runner


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def measured(factor: float = 1.25) -> list[dict[str, str]]:
    rows = [
        {**BASE, "case_id": f"{chip} {b}", "batch": str(b), "hardware": chip}
        for chip in ("H100", "A100")
        for b in (1, 8)
    ]
    rows += [
        {**BASE, "case_id": f"prompt {n}", "family": "prefill", "metric": "ttft", "input_len": str(n)}
        for n in (256, 1024, 4096)
    ]
    found = predict_rows(rows)
    return [{**r, "measured": f"{o.prediction.value * factor:.6g}"} for r, o in zip(rows, found, strict=True)]  # type: ignore[union-attr]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- predict ---------------------------------------------------------------------------------------------------------


def test_predict_answers_every_row_in_order(run: Run, tmp_path: Path) -> None:
    rows = [
        {**BASE, "case_id": "first"}, {**BASE, "case_id": "lost", "model": "Lama"}, {**BASE, "case_id": "s", "unit": "s"},
        {**BASE, "case_id": "bad", "batch": "x"},
    ]  # fmt: skip
    out = tmp_path / "out.csv"
    code, said, err = run("predict", table(tmp_path / "in.csv", rows), "-o", out)
    assert (code, err) == (0, "")
    assert "2 predictions, 2 rows not supported" in said
    found = read(out)
    assert tuple(found[0]) == PREDICTION_COLUMNS
    assert [r["case_id"] for r in found] == ["first", "lost", "s", "bad"]
    assert [r["supported"] for r in found] == ["yes", "no", "yes", "no"]
    assert float(found[0]["low"]) < float(found[0]["predicted"]) < float(found[0]["high"])
    assert float(found[2]["predicted"]) == pytest.approx(float(found[0]["predicted"]) / 1e3, rel=1e-4)
    assert "Did you mean" in found[1]["message"]
    assert "batch" in found[3]["message"]


def test_predict_does_not_read_measured(run: Run, tmp_path: Path) -> None:
    texts = []
    for number in ("1", "1e9", "not measured"):
        out = tmp_path / "out.csv"
        rows = [{**row, "measured": number} for row in measured()]
        assert run("predict", table(tmp_path / "in.csv", rows), "-o", out)[0] == 0
        texts.append(out.read_text())
    assert texts[0] == texts[1] == texts[2]


def test_a_row_that_cannot_be_read_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    pool = {**BASE, "family": "memory", "metric": "kv_pool_tokens", "note": "gpu_memory_utilization=high"}
    zero = {**BASE, "family": "prefill", "metric": "ttft", "input_len": "0"}
    out = tmp_path / "out.csv"
    code, _, _ = run("predict", table(tmp_path / "in.csv", [{**BASE, "note": ""}, pool, zero]), "-o", out)
    assert code == 0
    found = read(out)
    assert [r["supported"] for r in found] == ["yes", "no", "no"]


def test_an_empty_table_is_no_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(",".join(BASE) + "\n")
    code, said, _ = run("predict", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert code == 0
    assert "0 predictions" in said
    assert read(tmp_path / "out.csv") == []


def test_a_table_may_be_written_over_itself(run: Run, tmp_path: Path) -> None:
    path = table(tmp_path / "in.csv", [BASE])
    assert run("predict", path, "-o", path)[0] == 0
    assert read(path)[0]["supported"] == "yes"


# --- validate --------------------------------------------------------------------------------------------------------


def test_validate_prints_a_line_per_family_and_source(run: Run, tmp_path: Path) -> None:
    rows = [*measured(), {**BASE, "case_id": "lost", "model": "?", "measured": "1"}, {**BASE, "case_id": "unmeasured"}]
    code, out, err = run("validate", table(tmp_path / "in.csv", rows), "--no-transfer")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["rows", "median", "p90", "bias", "covered"]
    assert lines[1].split()[:2] == ["decode", "4"]
    assert any(line.strip().startswith("a table") for line in lines)
    assert "-" in lines[1]  # more was measured than predicted
    assert "not supported: lost: " in err
    assert "not supported: unmeasured: measured: expected a number" in err


def test_validate_reads_several_tables_and_writes_the_report(run: Run, tmp_path: Path) -> None:
    rows = measured()
    one, two = table(tmp_path / "a.csv", rows[:3]), table(tmp_path / "b.csv", rows[3:])
    report = tmp_path / "report.xlsx"
    code, out, err = run("validate", one, two, "-o", report)
    assert code == 0
    assert f"Wrote {report}." in out
    assert "(in sample)" in out
    assert "(chip left out)" in out
    assert "Summary" in load_workbook(report).sheetnames
    assert "%|" not in err  # no progress bar where nobody looks


def test_validate_of_a_measurement_that_is_no_number(run: Run, tmp_path: Path) -> None:
    rows = [*measured(), {**BASE, "case_id": "text", "measured": "n/a"}]
    code, _, err = run("validate", table(tmp_path / "in.csv", rows), "--no-transfer")
    assert code == 0
    assert "not supported: text: " in err


# --- calibrate -------------------------------------------------------------------------------------------------------


def test_calibrate_writes_a_profile_that_the_other_commands_use(run: Run, tmp_path: Path) -> None:
    rows, profile = measured(), tmp_path / "mine.yaml"
    code, out, err = run("calibrate", table(tmp_path / "in.csv", rows), "-o", profile, "--name", "cli host")
    assert (code, err) == (0, "")
    assert "7 measurements, median error" in out
    verdicts = ("determined", "hinted at", "as before")
    assert all(any(v in line for v in verdicts) for line in out.splitlines()[:-1])
    assert "as before" in out  # links: nothing was measured on several devices
    cases = table(tmp_path / "cases.csv", [{**row, "software": "cli host"} for row in rows])
    assert run("predict", cases, "-o", tmp_path / "out.csv", "--registry", profile)[0] == 0
    for row, found in zip(rows, read(tmp_path / "out.csv"), strict=True):
        assert float(found["predicted"]) == pytest.approx(float(row["measured"]), rel=0.2)
    code, out, _ = run("validate", cases, "--no-transfer", "--registry", profile)
    assert code == 0
    assert float(out.splitlines()[1].split()[2].rstrip("%")) < 12


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("predict", "missing.csv", "-o", "out.csv"), "missing.csv does not exist"),
        (("predict", "empty.csv", "-o", "out.csv"), "column 'family' is missing"),
        (("predict", "bytes.csv", "-o", "out.csv"), "UTF-8"),
        (("predict", "folder", "-o", "out.csv"), "folder"),
        (("predict", "good.csv", "-o", "no/such/out.csv"), "There is no folder"),
        (("predict", "good.csv", "-o", "folder"), "folder"),
        (("predict", "good.csv", "-o", "out.csv", "--registry", "no.yaml"), "does not exist"),
        (("predict", "good.csv", "-o", "out.csv", "--registry", "good.csv"), "registry file"),
        (("validate", "missing.csv"), "does not exist"),
        (("validate", "good.csv", "missing.csv", "--no-transfer"), "missing.csv does not exist"),
        (("validate", "good.csv"), "No row has both a prediction and a measurement above 0"),
        (("validate", "lost.csv"), "Did you mean"),
        (("validate", "measured.csv", "--no-transfer", "-o", "no/such/report.xlsx"), "folder"),
        (("calibrate", "good.csv", "-o", "out.yaml"), "can be used for a fit"),
        (("calibrate", "lost.csv", "-o", "out.yaml"), "Did you mean"),
        (("calibrate", "two.csv", "-o", "out.yaml"), "2 runtimes (SGLang, vLLM)"),
        (("calibrate", "measured.csv", "-o", "no/such/out.yaml"), "There is no folder"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "good.csv", [BASE])
    table(tmp_path / "measured.csv", measured())
    table(tmp_path / "lost.csv", [{**BASE, "model": "Lama-3-8B", "measured": "3"}])
    table(tmp_path / "two.csv", [{**BASE, "measured": "9"}, {**BASE, "software": "SGLang", "measured": "9"}])
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "bytes.csv").write_bytes(b"family,metric,model,hardware\n\xff\xfe,,,\n")
    (tmp_path / "folder").mkdir()
    before = sorted(p.name for p in tmp_path.rglob("*"))
    code, _, err = run(*args)
    assert code == 2
    assert words in err
    assert err.startswith("mlsim: ")
    assert len(err.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_a_failed_run_keeps_the_old_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("as it was")
    assert run("predict", tmp_path / "missing.csv", "-o", out)[0] == 2
    assert out.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("args", [("predict",), ("predict", "a.csv"), ("calibrate", "a.csv"), ("validate",)])
def test_missing_arguments_are_told_by_usage(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(args)
    assert caught.value.code == 2
    assert "usage: mlsim" in capsys.readouterr().err
