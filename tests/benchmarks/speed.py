"""How long our own work takes, part by part. Each part yields rows; ``beside`` names the peers' counterpart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import books
from cases import TABLES
from measuring import each, measured, per_second, process, say, seconds, spread
from table import Row

PYTHON = sys.executable
MLSIM = "-m", "mlsim_workbooks.cli"
FIRST = "from mlsim.functions import MLSIM_DECODE_LATENCY as f; print(f('Llama-2-7B', 'A100-SXM4-80GB', 1, 105))"
TEN = 10_000


def start() -> Iterator[Row]:
    """Yield what a person waits for before anything happens: cold processes."""
    yield Row("Python itself, cold process", process(PYTHON, "-c", "pass"))
    yield Row("import, cold process", process(PYTHON, "-c", "import mlsim"), "≤ 0.15 s", beside="import")
    yield Row("command line to first output (`--help`)", process(PYTHON, *MLSIM, "--help"), "≤ 0.35 s", beside="help")
    yield Row("first decode prediction, cold process", process(PYTHON, "-c", FIRST), "≤ 0.35 s", beside="first")


def scalar() -> Iterator[Row]:
    """Yield one call at a time, warm."""
    from mlsim.functions import MLSIM_DECODE_LATENCY, MLSIM_FITS
    from mlsim.units import parse

    yield Row('read `"3.35 TB/s"`, warm', each(lambda: parse("3.35 TB/s"), TEN), "≤ 5 µs")
    yield Row(
        "one scalar call, unit strings, equal arguments", each(lambda: MLSIM_FITS("140 GB", "80 GiB"), TEN), "≤ 30 µs"
    )
    fresh = count(1000)
    once = each(lambda: MLSIM_DECODE_LATENCY("Llama-2-7B", "A100-SXM4-80GB", 1, next(fresh)), 2_000)
    yield Row("one scalar call, new arguments each time: a decode latency", once, "≤ 30 µs", beside="decode")


def decode() -> Iterator[Row]:
    """Yield decode evaluations per second."""
    import numpy as np

    from mlsim.functions import call_many
    from mlsim.planner.inference import decode
    from mlsim.registry import load

    batch = np.arange(1.0, 1_000_001.0)
    model, chip, bf16, runtime = load.model("Llama-3-70B"), load.chip("H100"), load.precision("bf16"), load.runtime()
    decode(model, chip, batch, 4096.0, bf16, bf16, runtime)  # warm
    array = seconds(lambda: decode(model, chip, batch, 4096.0, bf16, bf16, runtime))
    yield Row(
        "decode evaluations, one core: ours in one array call of a million, theirs one by one", per_second(array, 1e6),
        "≥ 2,000,000/s", "/s", "decode",
    )  # fmt: skip
    calls = [("Llama-3-70B", "H100", 1 + i % 64, 1024 + i) for i in range(TEN)]
    call_many("MLSIM_DECODE_LATENCY", calls[:100])  # warm
    many = seconds(lambda: call_many("MLSIM_DECODE_LATENCY", calls))
    yield Row("10,000 different MLSIM_DECODE_LATENCY calls, batched as a host does", per_second(many, TEN), "", "/s")
    lines = (TABLES / "measurements.csv").read_text("utf-8").splitlines()
    with TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.csv"
        cases.write_text("\n".join([lines[0], *(lines[1 + i % (len(lines) - 1)] for i in range(TEN))]), "utf-8")
        whole = process(PYTHON, *MLSIM, "predict", str(cases), "-o", f"{folder}/out.csv")
    yield Row("10,000 mixed cases with intervals (`mlsim predict`), whole process", whole, "≤ 3 s")


def training() -> Iterator[Row]:
    """Yield training evaluations per second, and the search of Calculon's space."""
    from mlsim.planner.training_search import SPACES, Job, search_training
    from mlsim.planner.training_setup import setting
    from mlsim.registry import load

    on = setting(
        load.model("GPT-3-175B"), load.chip("A100-SXM4-80GB"), load.precision("bf16"), load.runtime("Megatron-Core")
    )
    job = Job(on, 64, 64, 2048)
    plans = search_training(job, SPACES["calculon"]).plans
    searched = seconds(lambda: search_training(job, SPACES["calculon"]))
    yield Row(
        "training evaluations with memory, one core: ours in a search, theirs one by one", per_second(searched, plans),
        "≥ 300,000/s", "/s", "train",
    )  # fmt: skip
    yield Row(f"search of {plans:,} training plans (GPT-3 175B, 64 A100), one core", searched, "≤ 5 s", beside="search")


def recalc() -> Iterator[Row]:
    """Yield the recalculation of 10,000 formulas: embedded, through LibreOffice, and in the hosts."""
    with TemporaryDirectory() as folder:
        book = books.formulas(Path(folder) / "book.xlsx", TEN)
        again = ["recalc", str(book), "-o", f"{folder}/out"]
        say("10,000 formulas, embedded ...")
        whole = process(PYTHON, *MLSIM, *again)
        yield Row("10,000 MLSIM formulas recalculated, embedded, whole process", whole, "≤ 1.0 s")
        yield Row("formula cells recalculated, embedded, whole process", per_second(whole, TEN), "", "/s")
        say("10,000 formulas through LibreOffice ...")
        try:
            office = process(PYTHON, *MLSIM, *again, "--engine", "libreoffice", repeat=3)
            yield Row("10,000 MLSIM formulas recalculated through LibreOffice, whole process", office)
        except subprocess.CalledProcessError as refused:
            yield Row("10,000 MLSIM formulas recalculated through LibreOffice, whole process", not_here(refused))


def hosts() -> Iterator[Row]:
    """Yield the spreadsheet hosts."""
    import pytest
    from hosts import libreoffice, officejs

    say("10,000 cells in LibreOffice itself ...")
    with TemporaryDirectory() as folder:
        try:
            for way, added in libreoffice(Path(folder)):
                yield Row(f"10,000 cells in LibreOffice, added to opening: {way}", added, "≤ 1.0 s")
        except (Exception, pytest.skip.Exception) as missing:
            yield Row("10,000 cells in LibreOffice, added to opening", f"not here: {missing}", "≤ 1.0 s")
    say("10,000 calls of the Office.js server ...")
    with TemporaryDirectory() as folder:
        for way, took in officejs(Path(folder)):
            yield Row(f"10,000 {way} calls in one request to the Office.js server", took, "≤ 0.5 s")


def many_books() -> Iterator[Row]:
    """Yield 100 and 1,000 workbooks, two at a time: the memory of the process that hands them out must not grow."""
    with TemporaryDirectory() as folder:
        for number, target in ((100, ""), (1_000, "≤ 60 s")):
            say(f"writing {number:,} workbooks ...")
            made = books.different(Path(folder) / str(number), number, 200)
            again = ["recalc", *map(str, made), "-o", f"{folder}/out", "--jobs", "2"]
            yield from whole(f"{number:,} workbooks of 200 MLSIM formulas recalculated, `--jobs 2`", again, target)


def lint() -> Iterator[Row]:
    """Yield the unit checker."""
    with TemporaryDirectory() as folder:
        small = books.job_table(Path(folder) / "small.xlsx", TEN)
        checked = process(PYTHON, *MLSIM, "lint", str(small))
        yield Row("10,000 cells checked for units, whole process", checked, "≤ 1.0 s")
        labels = books.many_labels(Path(folder) / "labels.xlsx", 200_000)
        yield from whole("200,000 cells on 20 sheets checked, each label different", ["lint", str(labels)])
        large = books.job_table(Path(folder) / "large.xlsx", 1_000_000)
        yield from whole("1,000,000 cells checked for units", ["lint", str(large)], "≤ 60 s", "≤ 2,048 MiB")


def whole(what: str, arguments: list[str], target: str = "", memory: str = "") -> Iterator[Row]:
    """Yield the time and the peak memory of one command, run once."""
    say(f"{what} ...")
    found = measured(arguments)
    yield Row(what, spread([found.seconds]), target)
    yield Row(f"{what}: peak memory", found.memory, memory)


def sweep() -> Iterator[Row]:
    """Yield ten million design points."""
    what = "10,000,000 design points (`mlsim sweep`)"
    with TemporaryDirectory() as folder:
        try:
            yield from whole(what, books.ten_million(Path(folder)), "≤ 30 s")
        except subprocess.CalledProcessError as refused:
            yield Row(what, not_here(refused), "≤ 30 s")


def not_here(refused: subprocess.CalledProcessError) -> str:
    """Say that a command is missing, with its own last words."""
    said = refused.stderr if isinstance(refused.stderr, str) else (refused.stderr or b"").decode()
    return f"not here: {(said.strip().splitlines() or ['no message'])[-1]}"


PARTS = {
    "start": start, "scalar": scalar, "decode": decode, "training": training, "recalc": recalc, "hosts": hosts,
    "books": many_books, "lint": lint, "sweep": sweep,
}  # fmt: skip
