"""The command line: what it prints, its exit codes, and that it never ends in a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from mlsim.functions import call


def book(path: Path, *formulas: str) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for formula in formulas:
        sheet.append([formula])
    workbook.save(path)
    return path


def test_recalc_fills_in_values(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = book(
        tmp_path / "a.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)', "=A1*2", '=MLSIM_FITS("Llama-3-70B","H100")'
    )
    code, out, _ = run("recalc", str(path))
    assert code == 0
    assert "2 MLSIM calls" in out
    values = [row[0] for row in load_workbook(path, data_only=True).active.iter_rows(values_only=True)]
    assert values == [24.0, 48.0, False]


def test_recalc_exits_1_when_a_cell_is_in_error(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = book(tmp_path / "a.xlsx", '=MLSIM_FITS("140 GB","80 TFLOP/s")')
    code, _, err = run("recalc", str(path))
    assert code == 1
    assert "A1: #VALUE!" in err
    assert "memory is in GB or GiB" in err
    assert load_workbook(path, data_only=True).active["A1"].value == "#VALUE!"


def test_recalc_goes_on_after_a_refusal(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    odd = book(tmp_path / "odd.xlsx", "=FROBNICATE(1)", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)', "=A1+1", "=A2+1")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(odd.read_bytes()[:-30])
    good = book(tmp_path / "good.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    before = broken.read_bytes()
    code, out, err = run("recalc", str(odd), str(tmp_path / "missing.xlsx"), str(broken), str(good), "--jobs", "2")
    assert code == 2
    assert "Sheet!A1 uses FROBNICATE(), which neither MLSIM nor the embedded engine knows; it was left alone." in err
    assert "1 more formulas depend on these" in err
    assert "missing.xlsx" in err
    assert "broken.xlsx is damaged" in err
    assert broken.read_bytes() == before
    assert out.index("odd.xlsx") < out.index("good.xlsx")
    assert "refused" in out
    values = [row[0] for row in load_workbook(odd, data_only=True).active.iter_rows(values_only=True)]
    assert values == [None, 24.0, None, 25.0]
    assert run("recalc", str(odd))[0] == 1


def test_recalc_report_for_programs(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    odd = book(tmp_path / "odd.xlsx", "=FROBNICATE(1)", '=MLSIM_FITS("140 GB","80 TFLOP/s")', "=A1")
    code, _, _ = run("recalc", str(odd), str(tmp_path / "missing.xlsx"), "--json", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert code == report["exit_code"] == 2
    one, other = report["workbooks"]
    assert (one["file"], one["status"], one["engine"], one["written"]) == (str(odd), "recalculated", "embedded", True)
    assert (one["formulas"], one["mlsim_calls"], one["changed"]) == (3, 1, 1)
    assert [(e["sheet"], e["cell"], e["error"]) for e in one["errors"]] == [("Sheet", "A2", "#VALUE!")]
    assert "memory is in GB or GiB" in one["errors"][0]["message"]
    assert [(e["cell"], e["reason"][:8]) for e in one["left"]] == [("A1", "uses FRO"), ("A3", "depends ")]
    assert (other["status"], other["message"]) == ("refused", f"There is no file {tmp_path / 'missing.xlsx'}.")
    assert report["summary"]["refused"]["books"] == 1
    code, out, _ = run("recalc", str(odd), "--json", "-")
    assert json.loads(out)["workbooks"][0]["status"] == "unchanged"
    assert code == 1


def test_recalc_keeps_backups(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = book(tmp_path / "a.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    first = path.read_bytes()
    assert run("recalc", str(path), "--backup")[0] == 0
    assert (tmp_path / "a.xlsx.bak").read_bytes() == first
    run("recalc", str(path), "--backup")  # nothing changed: nothing to keep
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xlsx", "a.xlsx.bak"]
    second = book(path, '=MLSIM_KV_CACHE("Llama-3-8B",4096,24)').read_bytes()
    run("recalc", str(path), "--backup")
    assert (tmp_path / "a.xlsx.bak").read_bytes() == first
    assert (tmp_path / "a.xlsx.bak1").read_bytes() == second


@pytest.mark.parametrize(
    ("lock", "content", "words"),
    [
        (".~lock.a.xlsx#", ",Ada Lovelace,host,26.11.2026 10:00,file:///home;", "LibreOffice by Ada Lovelace"),
        ("~$a.xlsx", "\x03Ada" + " " * 50, "Excel by Ada"),
        ("~$a.xlsx", "", "Excel (or it was left behind"),
    ],
)
def test_recalc_does_not_write_below_another_program(run, tmp_path: Path, lock, content, words) -> None:  # type: ignore[no-untyped-def]
    path = book(tmp_path / "a.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    before = path.read_bytes()
    (tmp_path / lock).write_text(content)
    code, _, err = run("recalc", str(path))
    assert code == 2
    assert words in err
    assert path.read_bytes() == before
    assert run("recalc", str(path), "-o", str(tmp_path / "out"))[0] == 0
    assert path.read_bytes() == before


def test_recalc_removes_old_strays_only(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = book(tmp_path / "a.xlsx", "=1")
    old, new = tmp_path / ".mlsim-old.tmp", tmp_path / ".mlsim-new.tmp"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert run("recalc", str(path))[0] == 0
    assert (old.exists(), new.exists()) == (False, True)


def test_recalc_into_a_folder(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = book(tmp_path / "a.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    before = path.read_bytes()
    code, _, _ = run("recalc", str(path), "-o", str(tmp_path / "new" / "folder"))
    assert code == 0
    assert path.read_bytes() == before
    assert load_workbook(tmp_path / "new" / "folder" / "a.xlsx", data_only=True).active["A1"].value == 24.0


def test_two_books_of_one_name_do_not_overwrite_each_other(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "x").mkdir()
    one, two = book(tmp_path / "a.xlsx", "=1"), book(tmp_path / "x" / "a.xlsx", "=2")
    code, _, err = run("recalc", str(one), str(two), "-o", str(tmp_path / "out"))
    assert code == 2
    assert "overwrite" in err


def test_audit(run) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run("audit")
    assert code == 0
    assert "Each has a value, a unit, a meaning and a source." in err
    line = next(
        line for line in out.splitlines() if line.startswith("hardware_figures\tH100-SXM-80GB\tmemory_bandwidth\t3.35")
    )
    assert "https://" in line


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("compare", "--model", "Lama", "--hardware", "H100", "-o", "x.xlsx"), "not in the model registry"),
        (("compare", "--model", "Llama-3-8B", "--hardware", "H1000", "-o", "x.xlsx"), "Did you mean"),
        (("compare", "--model", "Llama-3-8B", "--hardware", "H100", "--price", "2.5", "-o", "x.xlsx"), "CHIP=PRICE"),
        (
            ("compare", "--model", "Llama-3-8B", "--hardware", "H100", "--price", "H100=2.5 $/h", "-o", "x.xlsx"),
            "$/GPU-h",
        ),
        (("compare", "--model", "Llama-3-8B", "--hardware", "H100", "-o", "no/such/folder/x.xlsx"), "folder"),
        (("compare", "--model", "Llama-3-8B", "--hardware", ",", "-o", "x.xlsx"), "hardware"),
        (("compare", "--model", "Llama-3-8B", "--hardware", "H100", "--batch", "-1", "-o", "x.xlsx"), "batch"),
        (("template", "nothing"), "not a template"),
        (("audit", "--registry", "missing.yaml"), "does not exist"),
        (("recalc", "--engine", "excel", "x.xlsx"), "embedded"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args, words
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*args)
    assert code == 2
    assert words in err
    assert err.startswith("mlsim: ")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_compare_writes_the_workbook(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "compare.xlsx"
    code, out, _ = run("compare", "--model", "Llama-3-8B", "--hardware", "H100,A100", "-o", str(path))
    assert code == 0
    assert str(path) in out
    assert "Decision" in load_workbook(path).sheetnames


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, mlsim; print([m for m in ('numpy', 'pint', 'openpyxl') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    code = "import sys, mlsim_workbooks.cli; mlsim_workbooks.cli._parser(); print('numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_generated_documents_are_fresh() -> None:
    from mlsim.functions.reference import markdown, summary_table
    from mlsim_workbooks.functions import CATALOGUE

    root = Path(__file__).parents[2]
    assert (root / "docs" / "functions.md").read_text(encoding="utf-8") == markdown(CATALOGUE) + "\n", (
        "run `make generated`"
    )
    assert summary_table(CATALOGUE) in (root / "README.md").read_text(encoding="utf-8"), "run `make generated`"


def test_readme_figures_are_the_models() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    value = call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "MI300X", 1, 4096])
    assert f"gives {value:.1f} ms per token" in text


def test_a_workbook_that_ends_the_process_costs_only_itself(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    from mlsim_workbooks.recalc import batch

    def fatal(data: bytes, name: str, engine: object) -> object:
        if "bad" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in name:
            time.sleep(60)
        return recalculate_bytes(data, name)

    recalculate_bytes = batch.recalculate_bytes
    monkeypatch.setattr(batch, "recalculate_bytes", fatal)  # the processes are forked from this one
    names = ("first", "bad", "good", "slow", "last")
    books = [book(tmp_path / f"{name}.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)') for name in names]
    before = {path.name: path.read_bytes() for path in books}
    code, out, err = run("recalc", *map(str, books), "--jobs", "5", "--time-limit", "3")
    assert code == 2
    assert "bad.xlsx ended the process that worked on it (signal 9), so it was left as it is." in err
    assert "slow.xlsx took longer than 3 s, so it was left as it is." in err
    for path in books:
        changed = path.read_bytes() != before[path.name]
        assert changed == (path.stem in ("first", "good", "last"))
        assert changed == (f"{path.name}: 1 formulas" in out)


def test_a_workbook_saved_meanwhile_is_not_overwritten(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from mlsim_workbooks.recalc import batch

    path = book(tmp_path / "a.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    write = batch._write

    def later(*args: object) -> None:
        raise AssertionError("it was written")

    def save(file: Path) -> tuple[int, int] | None:
        os.utime(file, ns=(len(seen), len(seen)))
        seen.append(file)
        return stamp(file)

    seen: list[Path] = []
    stamp = batch.stamp
    monkeypatch.setattr(batch, "_write", later)
    monkeypatch.setattr(batch, "stamp", save)
    code, _, err = run("recalc", str(path))
    assert code == 2
    assert "a.xlsx was saved by another program meanwhile" in err
    monkeypatch.setattr(batch, "_write", write)
    monkeypatch.setattr(batch, "stamp", stamp)
    assert run("recalc", str(path))[0] == 0


@pytest.mark.parametrize("name", ["", ".", "/", "x" * 250 + ".xlsx", "\x1b[31m.xlsx"])
def test_odd_names_are_sentences(run, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    good = book(tmp_path / "good.xlsx", '=MLSIM_KV_CACHE("Llama-3-8B",4096,48)')
    code, out, err = run("recalc", name, str(good))
    assert code == 2
    assert "good.xlsx: 1 formulas" in out
    assert "\x1b" not in err
    assert len(err.splitlines()) == 1
