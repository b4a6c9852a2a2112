"""Prints the speed of what a user waits for. Figures, not assertions: a benchmark is not a timed test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np


def seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """Median wall time of ``work``."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def process(*args: str, repeat: int = 5) -> float:
    """Median wall time of a whole Python process."""
    return seconds(lambda: subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL), repeat)


def seconds_and_mib(*args: str) -> tuple[float, float]:
    """Wall time and peak memory of a whole Python process, run once."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, *args], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    return time.perf_counter() - start, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


def show(what: str, figure: str, target: str) -> None:
    """Print one row."""
    print(f"| {what} | {figure} | {target} |", flush=True)


def main() -> None:
    """Print the table."""
    print("| work | measured | target |\n|---|---|---|")
    bare = process("-c", "pass")
    show("Python itself", f"{bare:.3f} s", "")
    show("`import mlsim`, cold process", f"{process('-c', 'import mlsim'):.3f} s", "≤ 0.15 s")
    show("`import mlsim.functions`, cold process", f"{process('-c', 'import mlsim.functions'):.3f} s", "")
    show("`mlsim --help`", f"{process('-m', 'mlsim_workbooks.cli', '--help'):.3f} s", "≤ 0.35 s")
    first = "from mlsim.functions import MLSIM_DECODE_LATENCY as f; print(f('Llama-3-70B', 'H100', 1, 4096))"
    show("first prediction, cold process", f"{process('-c', first):.3f} s", "≤ 0.35 s")

    from mlsim.functions import MLSIM_DECODE_LATENCY, MLSIM_FITS, call_many
    from mlsim.planner.inference import decode
    from mlsim.registry import load
    from mlsim.units import parse

    parse("3.35 TB/s")
    show(
        "parse '3.35 TB/s', warm",
        f"{seconds(lambda: [parse('3.35 TB/s') for _ in range(10_000)]) / 1e4 * 1e6:.2f} µs",
        "≤ 5 µs",
    )
    MLSIM_FITS("140 GB", "80 GiB")
    repeated = seconds(lambda: [MLSIM_FITS("140 GB", "80 GiB") for _ in range(10_000)]) / 1e4
    show("scalar call with unit strings, same arguments", f"{repeated * 1e6:.1f} µs", "≤ 30 µs")
    counter = iter(range(10**9))
    fresh = seconds(
        lambda: [MLSIM_DECODE_LATENCY("Llama-3-70B", "H100", 1, 1000 + next(counter)) for _ in range(2_000)]
    )
    show("scalar call, new arguments each time", f"{fresh / 2_000 * 1e6:.1f} µs", "")
    batch = np.arange(1.0, 1_000_001.0)
    model, chip, bf16, runtime = load.model("Llama-3-70B"), load.chip("H100"), load.precision("bf16"), load.runtime()
    array = seconds(lambda: decode(model, chip, batch, 4096.0, bf16, bf16, runtime))
    show("decode, one array call", f"{1e6 / array:,.0f} /s", "≥ 2,000,000 /s")
    calls = [("Llama-3-70B", "H100", 1 + i % 64, 1024 + i) for i in range(10_000)]
    many = seconds(lambda: call_many("MLSIM_DECODE_LATENCY", calls))
    show("10,000 different calls, batched", f"{many:.3f} s", "")

    with TemporaryDirectory() as folder:
        cases, out = Path(folder) / "cases.csv", Path(folder) / "out.csv"
        lines = (Path(__file__).parents[1] / "validation" / "measurements.csv").read_text("utf-8").splitlines()
        cases.write_text("\n".join([lines[0], *(lines[1 + i % (len(lines) - 1)] for i in range(10_000))]), "utf-8")
        predicted = process("-m", "mlsim_workbooks.cli", "predict", str(cases), "-o", str(out), repeat=3)
        show("10,000 mixed cases with intervals, whole process", f"{predicted:.2f} s", "≤ 3 s")

    from mlsim.planner.training_search import SPACES, Job, search_training
    from mlsim.planner.training_setup import setting

    on = setting(load.model("GPT-3-175B"), load.chip("A100-SXM4-80GB"), bf16, load.runtime("Megatron-Core"))
    job = Job(on, 64, 64, 2048)
    plans = search_training(job, SPACES["calculon"]).plans
    searched = seconds(lambda: search_training(job, SPACES["calculon"]), 3)
    show(f"search of {plans:,} training plans (GPT-3 175B, 64 devices)", f"{searched:.2f} s", "≤ 5 s")
    show("training evaluations, memory included, one core", f"{plans / searched:,.0f} /s", "≥ 300,000 /s")

    from openpyxl import Workbook

    with TemporaryDirectory() as folder:
        path = Path(folder) / "ten_thousand.xlsx"
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for i in range(10_000):
            sheet.append([1024 + i, f'=MLSIM_DECODE_LATENCY("Llama-3-70B","H100",{1 + i % 64},A{i + 1})'])
        book.save(path)
        whole = process("-m", "mlsim_workbooks.cli", "recalc", str(path), "-o", folder + "/out", repeat=3)
        show("10,000 MLSIM formulas recalculated, whole process", f"{whole:.2f} s", "≤ 1.0 s")

    hosts()
    unit_checker()


def hosts() -> None:
    """Print the rows of the spreadsheet hosts."""
    from hosts import libreoffice, officejs

    with TemporaryDirectory() as folder:
        try:
            for way, added in libreoffice(Path(folder)):
                show(f"10,000 cells in LibreOffice, added to opening: {way}", f"{added:.2f} s", "≤ 1.0 s")
        except BaseException as missing:  # a test's skip is no Exception
            show("10,000 cells in LibreOffice, added to opening", f"not here: {missing}", "≤ 1.0 s")
    with TemporaryDirectory() as folder:
        for way, took in officejs(Path(folder)):
            show(f"10,000 {way} calls in one request to the Office.js server", f"{took:.2f} s", "≤ 0.5 s")


def unit_checker() -> None:
    """Print the rows of ``mlsim lint``."""
    from lint_books import job_table, many_labels

    lint = ("-m", "mlsim_workbooks.cli", "lint")
    with TemporaryDirectory() as folder:
        small = job_table(Path(folder) / "small.xlsx", 10_000)
        show(
            "10,000 cells checked for units, whole process", f"{process(*lint, str(small), repeat=3):.2f} s", "≤ 1.0 s"
        )
        labels = many_labels(Path(folder) / "labels.xlsx", 200_000)
        took, mib = seconds_and_mib(*lint, str(labels))
        show("200,000 cells on 20 sheets, each label different", f"{took:.1f} s, {mib:,.0f} MiB", "")
        large = job_table(Path(folder) / "large.xlsx", 1_000_000)
        took, mib = seconds_and_mib(*lint, str(large))
        show("1,000,000 cells checked for units", f"{took:.1f} s, {mib:,.0f} MiB", "≤ 60 s, ≤ 2,048 MiB")


if __name__ == "__main__":
    main()
