"""Workbooks and runs for the benchmark of the hosts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measuring import Spread, spread
from openpyxl import Workbook

from mlsim_addin.libreoffice.install import install

sys.path.append(str(Path(__file__).parents[1] / "addin"))

from office import needed, started
from officejs.running import serving

CELLS = 10_000


def latencies(path: Path, formula: Callable[[int], str]) -> Path:
    """Write a sheet of different calls of MLSIM_DECODE_LATENCY without cached values."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in range(1, CELLS + 1):
        sheet.append(["Llama-3-70B", "H100", 1 + row % 50, 4000 + row, formula(row)])
    book.save(path)
    return path


def opening(folder: Path, book: Path, extension: bool, repeat: int = 3, **environment: str) -> Spread:
    """Return the seconds in which a LibreOffice just started opens and calculates a workbook."""
    soffice, python = needed()
    profile = folder / ("with" if extension else "without")
    if not profile.exists() and extension:
        install(profile.as_uri())
    times = []
    for _ in range(repeat):
        with started(soffice, python, profile, **environment) as office:
            office.new()
            took, values = office.timed(book.as_uri(), 4)
            assert values == (CELLS if extension else 0), f"{values} different values"
            times.append(took)
    return spread(times)


def beyond(found: Spread, before: float) -> Spread:
    """Return how much longer something took."""
    return Spread(*(taken - before for taken in found))


def libreoffice(folder: Path) -> Iterator[tuple[str, Spread]]:
    """Yield what our functions add to the time of opening 10,000 cells, by the way they are written."""
    ways = {
        "names as Excel writes them": "=MLSIM_DECODE_LATENCY(A{0},B{0},C{0},D{0})",
        "names as LibreOffice writes them": "=MLSIM.DECODE_LATENCY(A{0},B{0},C{0},D{0})",
        "an argument that is an expression": "=MLSIM.DECODE_LATENCY(A{0},B{0},C{0}+0,D{0})",
    }
    for way, formula in ways.items():
        book = latencies(folder / "book.xlsx", formula.format)
        without = opening(folder, book, extension=False).median
        yield way, beyond(opening(folder, book, extension=True), without)
        if way.endswith("Excel writes them"):
            own = opening(folder, book, extension=True, MLSIM_PYTHON=sys.executable)
            yield f"{way}, in a process of its own", beyond(own, without)


def officejs(folder: Path) -> Iterator[tuple[str, Spread]]:
    """Yield how long the server takes for a batch of 10,000 calls, TLS and JSON included."""
    ways = {
        "different": [["MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 1 + i % 50, 4000 + i]] for i in range(CELLS)],
        "equal": [["MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 1, 4096]]] * CELLS,
    }
    with serving(folder) as served:
        for way, calls in ways.items():
            times = []
            for attempt in range(4):  # the first one loads what the functions need
                fresh = [[name, [*args[:3], args[3] + attempt * CELLS]] for name, args in calls]
                start = time.perf_counter()
                answer = served.post("/calculate", {"calls": fresh}, served.token)
                times.append(time.perf_counter() - start)
                assert len(answer.json["results"]) == CELLS
            yield way, spread(times[1:])
