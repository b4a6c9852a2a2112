"""`mlsim sweep --grid`: the values of axes, results that equal single calls, files, exit codes, mistakes."""

import csv
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlsim.functions
from mlsim.errors import CellError
from mlsim_workbooks import own_registry
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.sweep import files, grid, parts, sweep
from mlsim_workbooks.sweep.axes import parse_setting, parse_values
from mlsim_workbooks.sweep.block import coded, plain

try:
    from pyarrow import parquet
except ImportError:
    warnings.warn("pyarrow is missing: sweeps were NOT written as Parquet", stacklevel=1)
    pytest.skip("pyarrow is missing", allow_module_level=True)

DECODE = ("--grid", "MLSIM_DECODE_LATENCY", "--set", "model=Llama-3-70B", "--set", "hardware=H100,MI300X")


def table(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


def outcome(function: Any, args: list[Any]) -> tuple[Any, str | None]:
    """Return what a single call gives, and its sentence when it is refused."""
    try:
        return function(*args), None
    except CellError as error:
        return None, error.message


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,4", (1, 2, 4)),
        (" 1 , 2.5,1e3", (1, 2.5, 1000)),
        ("1:5", (1, 2, 3, 4, 5)),
        ("512:2048:512", (512, 1024, 1536, 2048)),
        ("512:2000:512", (512, 1024, 1536)),
        ("1:1024:x2", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
        ("1:1000:x10", (1, 10, 100, 1000)),
        ("8:1:x0.5", (8, 4, 2, 1)),
        ("0:1:0.1", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
        ("3:1:-1", (3, 2, 1)),
        ("5:5", (5,)),
        ("5:5:x2", (5,)),
        ("1:3,8,16:32:16", (1, 2, 3, 8, 16, 32)),
        ("1:4,2,3", (1, 2, 3, 4)),
        ("H100,MI300X", ("H100", "MI300X")),
        ('"3.35 TB/s","4,8 TB/s"', ("3.35 TB/s", "4,8 TB/s")),
        ('H100, "a ""b"""', ("H100", 'a "b"')),
        ("3.35 TB/s", ("3.35 TB/s",)),
        ("TRUE,false", (True, False)),
        ("1,TRUE", (1, True)),
        ("a:b", ("a:b",)),
        ("2.50 $/GPU-h", ("2.50 $/GPU-h",)),
    ],
)
def test_values(text: str, values: tuple[Any, ...]) -> None:
    found = parse_values("x", text)
    assert found == values
    assert [isinstance(v, bool) for v in found] == [isinstance(v, bool) for v in values]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected values"),
        ("1,,2", "expected values"),
        ("5:1", "leads nowhere"),
        ("1:5:0", "leads nowhere"),
        ("1:5:-1", "leads nowhere"),
        ("1:5:x1", "leads nowhere"),
        ("1:5:x0.5", "leads nowhere"),
        ("0:5:x2", "leads nowhere"),
        ("-4:4:x2", "leads nowhere"),
        ("1:1e9", "more than 10,000,000 values"),
        ("1:1e300:x1.0000001", "more than 10,000,000 values"),
        ('"a', "quote"),
        ("a\x01b", "cannot be printed"),
        ('"a"b', "quote"),
    ],
)
def test_wrong_values(text: str, sentence: str) -> None:
    with pytest.raises(CellError, match=sentence) as error:
        parse_values("batch", text)
    assert error.value.message.startswith("batch: ")


def test_settings_need_a_name_and_a_sign() -> None:
    assert parse_setting(" Inputs!B3 = 1,2") == ("Inputs!B3", (1, 2))
    assert parse_setting("price=2 $/GPU-h") == ("price", ("2 $/GPU-h",))
    for text in ("batch", "=3"):
        with pytest.raises(CellError, match="write NAME=VALUES"):
            parse_setting(text)


# --- arrays of the catalogue -----------------------------------------------------------------------------------------


def test_arrays_equal_single_calls() -> None:
    """Every function with counted arguments, its example varied; what is refused has the same sentence."""
    rng = np.random.default_rng(1)
    compared = refused = 0
    for function in CATALOGUE.values():
        kinds = [arg.kind for arg in function.args]
        example = grid._example(function)
        if (
            example is None
            or grid._kind(function) == "table"
            or not {"count", "whole", "amount"} & set(kinds)
            or "raw" in kinds
        ):
            continue
        values = [*example, *[None] * (len(kinds) - len(example))]
        columns = [
            rng.choice([1.0, 2.0, 4.0, 8.0] * 5 + [4096.0, 0.0, -1.0, 2.5, np.nan, np.inf, 1e300], 60)
            if kind in grid._COUNTED
            else v
            for v, kind in zip(values, kinds, strict=True)
        ]
        results, errors = function.arrays(columns, 60)
        assert len(results) == 60
        for i in range(60):
            call = [v[i].item() if isinstance(v, np.ndarray) else v for v in columns]
            due, refusal = outcome(function, call)
            if refusal:
                assert errors[i].message == refusal, (function.name, call)
                refused += 1
                continue
            assert i not in errors, (function.name, call, errors.get(i))
            assert results[i] == pytest.approx(due, rel=1e-12) if isinstance(due, float) else results[i] == due
            compared += 1
    assert compared > 200
    assert refused > 200


def test_arrays_take_counts_only() -> None:
    function = mlsim.functions.MLSIM_TOKEN_COST
    _, errors = function.arrays(["2 $/GPU-h", np.array([1.0, 2.0])], 2)
    assert "one value at a time" in errors[0].message


# --- grids -----------------------------------------------------------------------------------------------------------


def test_every_point_equals_its_call(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.parquet"
    code, printed, err = run(
        "sweep", *DECODE[:1], "MLSIM_DECODE_LATENCY,MLSIM_FITS, MLSIM_BOTTLENECK,MLSIM_PREFILL_LATENCY [s]", *DECODE[2:],
        "--set", "batch=1,0,3", "--set", "context=512:131072:x16", "--set", "precision=bf16,fp8", "--set", "tp=1,2,128",
        "--set", "prompt=100,200", "-o", str(out),
    )  # fmt: skip
    rows = table(out)
    assert len(rows) == 2 * 3 * 3 * 2 * 3 * 2
    assert "216 points" in printed
    assert code == 1  # tp 128 and batch 0 are refused
    assert "× Tensor parallel 128 is more than the 64 attention heads" in err
    for name, column in (
        ("MLSIM_DECODE_LATENCY", "MLSIM_DECODE_LATENCY [ms]"), ("MLSIM_FITS", "MLSIM_FITS"),
        ("MLSIM_BOTTLENECK", "MLSIM_BOTTLENECK"), ("MLSIM_PREFILL_LATENCY", "MLSIM_PREFILL_LATENCY [s]"),
    ):  # fmt: skip
        function = CATALOGUE[name]
        for row in rows:
            args = [row.get(arg.name) for arg in function.args]
            if "[s]" in column:
                args[-1] = "s"
            due, refusal = outcome(function, args)
            assert row[column] == (pytest.approx(due, rel=1e-12) if isinstance(due, float) else due)
            assert row[f"{name} error"] == refusal
    # text axes outside, then counts in the order given, the last fastest
    assert [r["prompt"] for r in rows[:4]] == [100, 200, 100, 200]
    assert [r["hardware"] for r in rows[:108]] == ["H100"] * 108


def test_stretches_join_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever stretches and blocks are cut, the points are the same."""
    made = grid.grid(
        "MLSIM_DECODE_LATENCY,MLSIM_BOTTLENECK",
        {"model": ("Llama-3-8B",), "hardware": ("H100", "A100", "L4"), "batch": tuple(map(float, range(1, 8))), "tp": (1.0, 2.0, 64.0)},
    )  # fmt: skip
    whole = [plain(values) for values in made.evaluate(0, made.points)]
    for size, block in ((1, 8192), (5, 2), (10, 3), (62, 8192)):
        monkeypatch.setattr(grid, "_BLOCK", block)
        pieces = [made.evaluate(a, min(a + size, made.points)) for a in range(0, made.points, size)]
        assert [[v for piece in pieces for v in plain(piece[i])] for i in range(4)] == whole


def test_units_stand_in_name_and_metadata(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.parquet"
    code, _, _ = run("sweep", *DECODE, "--set", "unit=us", "--set", "batch=1,2", "-o", str(out))
    assert code == 0
    schema = parquet.read_schema(out)
    field = schema.field("MLSIM_DECODE_LATENCY [us]")
    assert field.metadata == {b"role": b"result", b"unit": b"us"}
    assert schema.field("batch").type == "int64"
    about = json.loads(schema.metadata[b"mlsim.sweep"])
    assert about["set"]["batch"] == [1.0, 2.0]
    due = mlsim.functions.MLSIM_DECODE_LATENCY("Llama-3-70B", "H100", 2, None, None, None, None, "us")
    assert table(out)[1][field.name] == pytest.approx(due)


def test_a_unit_tagged_text_stays_text(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.csv"
    code, _, _ = run(
        "sweep", "--grid", "MLSIM_TOKEN_COST", "--set", 'price=2.50 $/GPU-h,"1,50 $/GPU-h"', "--set", "throughput=1000,2000",
        "--set", "devices=1", "-o", str(out),
    )  # fmt: skip
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["price", "throughput", "devices", "MLSIM_TOKEN_COST [$/Mtoken]", "MLSIM_TOKEN_COST error"]
    assert rows[1][:3] == ["2.50 $/GPU-h", "1000", "1"]
    assert float(rows[1][3]) == pytest.approx(2.5 / 3.6)
    assert rows[3][0] == "1,50 $/GPU-h"
    assert float(rows[3][3]) == pytest.approx(1.5 / 3.6)
    assert code == 0


def test_processes_give_what_one_gives(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    grown = ("--set", "batch=1:1024", "--set", "context=512:131072:512", "-o")
    for jobs in ("1", "2"):
        assert run("sweep", *DECODE, *grown, str(tmp_path / f"{jobs}.parquet"), "--jobs", jobs)[0] == 0
    assert parquet.read_table(tmp_path / "1.parquet").equals(parquet.read_table(tmp_path / "2.parquet"))
    assert parquet.ParquetFile(tmp_path / "1.parquet").num_row_groups == 4


def test_the_users_own_chips_reach_the_processes(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    registry, out = tmp_path / "own.yaml", tmp_path / "out.parquet"
    registry.write_text(
        "hardware:\n  SweepChip: {source: quote, memory: 96 GiB, memory bandwidth: 4 TB/s, bf16 peak: 900 TFLOP/s}\n"
    )
    command = [sys.executable, "-m", "mlsim_workbooks.cli", "sweep", "--registry", str(registry), "--jobs", "2", *DECODE[:4],
               "--set", "hardware=SweepChip", "--set", "batch=1:1024", "--set", "context=512:131072:512", "-o", str(out)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert parquet.read_metadata(out).num_rows == 1024 * 256


def test_a_process_takes_over_the_registry(tmp_path: Path) -> None:
    """As a worker on another machine does, whatever it knew before."""
    code = """
from mlsim_workbooks import own_registry
from mlsim_workbooks.sweep import grid, sweep
own = ("hardware:\\n  %s: {source: quote, memory: 96 GiB, memory bandwidth: %d TB/s, bf16 peak: 900 TFLOP/s}\\n")
made = grid.grid("MLSIM_DECODE_LATENCY", {"model": ("140 GB",), "hardware": ("WorkerChip",)})
for speed in (4, 4, 8):
    own_registry.adopt((own % ("WorkerChip", speed),))
    print(sweep.compute(made, 0)[0].data.tolist())
own_registry.adopt(())
print(sweep.compute(made, 0)[1].texts)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    first, again, faster, none = done.stdout.splitlines()
    assert first == again == "[35.0]"
    assert faster == "[17.5]"
    assert "WorkerChip" in none


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--grid", "MLSIM_DECODE_LATENC", "--set", "model=x"), "Did you mean MLSIM_DECODE_LATENCY?"),
        ((*DECODE, "--set", "bach=1"), 'MLSIM_DECODE_LATENCY has no argument "bach": did you mean batch?'),
        ((*DECODE, "--set", "zzz=1"), "there is model, hardware, batch"),
        (("--grid", "MLSIM_TPOT,MLSIM_MEMORY", "--set", "contxt=1"), "None of the functions has argument"),
        (("--grid", "MLSIM_DECODE_LATENCY", "--set", "model=Llama-3-8B"), "needs hardware: add --set hardware="),
        ((*DECODE, "--set", "unit=ms,s"), "one unit"),
        ((*DECODE, "--set", "unit=GB"), "MLSIM_DECODE_LATENCY: unit: "),
        (("--grid", "MLSIM_FITS [ms]", *DECODE[2:]), "MLSIM_FITS has no unit to choose"),
        (("--grid", "MLSIM_FITS", *DECODE[2:], "--set", "unit=ms"), "no unit to choose"),
        (("--grid", "MLSIM_TRAIN_PARTS", *DECODE[2:]), "cannot be swept"),
        (("--grid", "MLSIM_ADD", "--set", "quantities=1 GB"), "cannot be swept"),
        (("--grid", "MLSIM_WHY", "--set", "function=x"), "cannot be swept"),
        (("--grid", ","), "names no function"),
        (("--grid", "MLSIM_TPOT,MLSIM_TPOT", *DECODE[2:]), "twice"),
        (("--grid", "a b"), "is not a function"),
        ((*DECODE, "--set", "batch=1", "--set", "batch=2"), "given twice"),
        ((*DECODE, "--get", "A1"), "--get reads cells of a workbook"),
        ((*DECODE, "--jobs", "0"), "--jobs must be at least 1"),
        (("book.xlsx", *DECODE), "either --grid"),
        ((), "either --grid"),
        (("missing.xlsx", "--set", "A!A1=1", "--get", "A!A2"), "There is no workbook missing.xlsx"),
        (("missing.yaml",), "There is no specification missing.yaml"),
    ],
)
def test_mistakes_are_one_sentence(run, tmp_path: Path, monkeypatch, words, sentence: str) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    code, out, err = run("sweep", *words, "-o", str(tmp_path / "out.csv"))
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "folder.parquet").mkdir()
    for name, sentence in (
        ("nowhere/out.csv", "There is no folder"), ("nowhere/out.xlsx", "There is no folder"), ("folder.parquet", "is a folder, not a file"), ("out.json", "write a .parquet, .csv or .xlsx file"),
    ):  # fmt: skip
        code, _, err = run("sweep", *DECODE, "-o", str(tmp_path / name))
        assert code == 2
        assert sentence in err
    code, _, err = run("sweep", *DECODE, "--partitioned", "-o", str(tmp_path / "out.csv"))
    assert code == 2
    assert "--partitioned writes a folder of Parquet files" in err
    assert [p.name for p in tmp_path.iterdir()] == ["folder.parquet"]


def test_missing_pyarrow_is_a_sentence(run, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = run("sweep", *DECODE, "-o", str(tmp_path / "out.parquet"))
    assert code == 2
    assert 'pip install "mlsim[sweep]"' in err
    assert run("sweep", *DECODE, "-o", str(tmp_path / "out.csv"))[0] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_the_old_file_stays_when_a_sweep_fails(run, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.csv"
    out.write_text("old")
    monkeypatch.setattr(files, "_texts", lambda values: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    code, _, err = run("sweep", *DECODE, "-o", str(out))
    assert code == 2
    assert "the disk is full. Nothing was changed." in err
    assert out.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_file_has_the_usual_permissions(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    usual, out = tmp_path / "usual", tmp_path / "out.csv"
    usual.touch()
    run("sweep", *DECODE, "-o", str(out))
    assert os.stat(out).st_mode == os.stat(usual).st_mode


# --- specifications --------------------------------------------------------------------------------------------------


def test_a_specification_says_what_the_options_say(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "grid: MLSIM_DECODE_LATENCY\nset:\n  model: Llama-3-70B\n  hardware: [H100, MI300X]\n  batch: 1:32\n  context: [512, 1:4]\n"
    )
    options = ("--set", "batch=1:32", "--set", "context=512,1:4")
    assert run("sweep", str(spec), "-o", str(tmp_path / "a.csv"))[0] == 0
    assert run("sweep", *DECODE, *options, "-o", str(tmp_path / "b.csv"))[0] == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    # an option takes the place of what the file says
    assert run("sweep", str(spec), "--set", "batch=7", "-o", str(tmp_path / "c.csv"))[0] == 0
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 1 + 2 * 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("grid: [", "is not valid YAML"),
        ("grids: x", 'may have the keys grid, book, set, get, not "grids"'),
        ("- 1", "may have the keys"),
        ("grid: MLSIM_TPOT\nset: [1]", "'set' is a table"),
        ("grid: {a: 1}", "grid: expected a text"),
        ("grid: MLSIM_TPOT\nset: {model: {a: 1}}", "model: expected values"),
        ("grid: MLSIM_TPOT\nset: {model: []}", "model: expected values"),
        ("set: {a: 1}", "either --grid"),
        ("grid: MLSIM_TPOT\nbook: a.xlsx", "either --grid"),
    ],
)
def test_wrong_specifications(run, tmp_path: Path, text: str, sentence: str) -> None:  # type: ignore[no-untyped-def]
    spec = tmp_path / "spec.yaml"
    spec.write_text(text)
    code, _, err = run("sweep", str(spec), "-o", str(tmp_path / "a.csv"))
    assert code == 2
    assert sentence in err


# --- parts -----------------------------------------------------------------------------------------------------------

SMALL = (*DECODE, "--set", "batch=1:50", "--set", "tp=1,2,4,128", "--jobs", "1", "--partitioned")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid.Grid, "chunk", 100)


@pytest.mark.usefixtures("small_parts")
def test_parts_make_up_the_whole_and_resume(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out, one = tmp_path / "out.parquet", tmp_path / "one.parquet"
    assert run("sweep", *SMALL[:-1], "-o", str(one))[0] == 1
    code, printed, _ = run("sweep", *SMALL, "-o", str(out))
    assert code == 1
    assert "400 points in" in printed
    assert "100 points in error" in printed
    names = sorted(p.name for p in out.iterdir())
    assert names == [parts.MANIFEST, *(f"part-{i:06}.parquet" for i in range(4))]
    whole = parquet.read_table(one)
    assert table(out) == whole.to_pylist()
    assert json.loads((out / parts.MANIFEST).read_text())["parts"] == 4

    (out / names[2]).unlink()
    (out / ".mlsim-1-part.tmp").write_text("half a part")
    kept = {name: (out / name).stat().st_mtime_ns for name in (names[1], names[3])}
    code, printed, _ = run("sweep", *SMALL, "-o", str(out))
    assert "100 points in" in printed
    assert "(300 were there); 100 points in error" in printed
    assert code == 1
    assert table(out) == whole.to_pylist()
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    assert sorted(p.name for p in out.iterdir()) == names


@pytest.mark.usefixtures("small_parts")
def test_parts_of_another_sweep_are_refused(run, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.parquet"
    run("sweep", *SMALL, "-o", str(out))
    code, _, err = run("sweep", *SMALL, "--set", "context=100", "-o", str(out))
    assert code == 2
    assert "holds parts of another sweep" in err
    manifest = out / parts.MANIFEST
    manifest.write_text(manifest.read_text().replace('"mlsim": "', '"mlsim": "9.'))
    code, _, err = run("sweep", *SMALL, "-o", str(out))
    assert code == 2
    assert "was begun with MLSIM 9." in err
    manifest.write_text("{")
    code, _, err = run("sweep", *SMALL, "-o", str(out))
    assert code == 2
    assert "its manifest is damaged" in err
    manifest.unlink()
    code, _, err = run("sweep", *SMALL, "-o", str(out))
    assert code == 2
    assert "holds part-000000.parquet and no sweep" in err
    file = tmp_path / "file.parquet"
    file.touch()
    code, _, err = run("sweep", *SMALL, "-o", str(file))
    assert code == 2
    assert "is a file, but a folder of parts is due" in err


def test_a_fingerprint_covers_what_results_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"model": ("Llama-3-8B",), "hardware": ("H100",), "batch": (1.0, 2.0)}
    made = sweep.digest(grid.grid("MLSIM_TPOT", settings))
    assert made == sweep.digest(grid.grid("MLSIM_TPOT", dict(settings)))
    others = [
        grid.grid("MLSIM_TPOT [s]", settings), grid.grid("MLSIM_TTFT", settings),
        grid.grid("MLSIM_TPOT", {**settings, "batch": (1.0, 3.0)}), grid.grid("MLSIM_TPOT", {**settings, "batch": ("1", "2 requests")}),
    ]  # fmt: skip
    monkeypatch.setattr(own_registry, "content", lambda: ())
    found = {sweep.digest(other) for other in others}
    monkeypatch.setattr(own_registry, "content", lambda: ("hardware: {}",))
    assert len({made, *found, sweep.digest(grid.grid("MLSIM_TPOT", settings))}) == 6


def test_texts_are_kept_once() -> None:
    values = coded(["b", None, "a", "b"])
    assert values.texts == ["b", "a"]
    assert plain(values) == ["b", None, "a", "b"]
