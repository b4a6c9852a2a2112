"""Workbooks and runs for the benchmark of the hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from openpyxl import Workbook

from mlsim_addin.libreoffice.install import find_office, install

CELLS = 10_000


def latencies(path: Path, formula: Callable[[int], str] | None) -> Path:
    """Write a sheet of different calls of MLSIM_DECODE_LATENCY without cached values; None: of numbers instead."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in range(1, CELLS + 1):
        sheet.append(["Llama-3-70B", "H100", 1 + row % 50, 4000 + row, formula(row) if formula else 12.5])
    book.save(path)
    return path


class Opening:
    """Times how long LibreOffice takes to open and calculate a workbook, in a profile with the extension."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.soffice = folder, str(find_office())
        self.profile = (folder / "profile").as_uri()
        install(self.profile)

    def seconds(self, book: Path, repeat: int = 5, **environment: str) -> float:
        """Return the median time of a whole process that opens a workbook and writes its values as CSV."""
        command = [self.soffice, f"-env:UserInstallation={self.profile}", "--headless", "--convert-to", "csv",
                   "--outdir", str(self.folder), str(book)]  # fmt: skip
        times = []
        for _ in range(repeat):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
            times.append(time.perf_counter() - start)
        values = {line.rsplit(",", 1)[-1] for line in book.with_suffix(".csv").read_text().splitlines()}
        assert len(values) == (CELLS if book.stem != "plain" else 1), f"{book.stem}: {len(values)} different values"
        return median(times)


def libreoffice(folder: Path) -> dict[str, float]:
    """Return what 10,000 calls add to the time of opening, by the way they are made."""
    opening = Opening(folder)
    plain = opening.seconds(latencies(folder / "plain.xlsx", None))
    cells = latencies(folder / "cells.xlsx", lambda row: f"=MLSIM.DECODE_LATENCY(A{row},B{row},C{row},D{row})")
    made = latencies(folder / "made.xlsx", lambda row: f"=MLSIM.DECODE_LATENCY(A{row},B{row},C{row}+0,D{row})")
    return {
        "arguments in cells": opening.seconds(cells) - plain,
        "the same, in a process of its own": opening.seconds(cells, MLSIM_PYTHON=sys.executable) - plain,
        "an argument that is an expression": opening.seconds(made, 3) - plain,
    }
