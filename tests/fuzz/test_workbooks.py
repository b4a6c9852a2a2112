"""Five thousand spoilt workbooks, recalculated and checked: a report or one sentence, and no other byte changed.

They run in processes of their own, which may crash. ``MLSIM_FUZZ=10`` makes ten times as many, ``MLSIM_FUZZ_SEED=text``
others. To see one: ``python tests/fuzz/child.py SEED NUMBER NUMBER+1 FOLDER``, or ``mutate_books.mutant(NUMBER, SEED)``.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mutate_books import mutant
from seed_books import SEEDS

SEED = os.environ.get("MLSIM_FUZZ_SEED", "1")
BOOKS = int(5000 * float(os.environ.get("MLSIM_FUZZ", "1")))
BATCH = 250  # workbooks of one process
SECONDS = 90  # of the clock, after which a workbook hangs: the machine may do other things as well
CHILD = Path(__file__).with_name("child.py")


def checked(first: int, last: int, start: str = SEED) -> list[str]:
    """Recalculate and check the workbooks of these numbers; return what is wrong."""
    found: list[str] = []
    while first < last:
        with tempfile.TemporaryDirectory(prefix="mlsim-fuzz-") as folder:
            first = _run(first, last, start, Path(folder), found)
    return found


def _run(first: int, last: int, start: str, folder: Path, found: list[str]) -> int:
    """Run one process until it ends; return the number of the next workbook."""
    (folder / "books").mkdir()
    command = [sys.executable, str(CHILD), start, str(first), str(last), str(folder / "books")]
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace", cwd=folder / "books"
        )
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    at, why, line = first - 1, "", " "
    try:
        while line:
            line = lines.get(timeout=SECONDS if at >= first else 120)
            if line == "done":
                return last
            if line.startswith("> "):
                at = int(line[2:])
            elif line.startswith("! "):
                found.append(line[2:])
    except queue.Empty:
        why = f"takes more than {SECONDS} s"
    finally:
        process.kill()
        code = process.wait()
    why = why or f"ends the process with {code}: {(folder / 'errors.txt').read_text(errors='replace')[-300:]!r}"
    what = mutant(at, start).what if at >= first else "before the first workbook"
    found.append(f"{at} {why} [{what}]")
    return max(at, first) + 1


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.rstrip("\n"))
    lines.put("")


@pytest.fixture(scope="module")
def faults() -> Iterator[dict[int, list[str]]]:
    """Return what is wrong, by batch: two processes work on them side by side."""
    starts = range(0, BOOKS, BATCH)
    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(starts, pool.map(lambda first: checked(first, min(first + BATCH, BOOKS)), starts), strict=True))


@pytest.mark.parametrize("first", range(0, BOOKS, BATCH))
def test_spoilt_workbooks(first: int, faults: dict[int, list[str]]) -> None:
    shown = "\n".join(fault[:700] for fault in faults[first][:10])
    assert not faults[first], f"{len(faults[first])} faults (MLSIM_FUZZ_SEED={SEED}):\n{shown}"


def test_the_workbooks_are_of_every_kind() -> None:
    some = [mutant(number, SEED) for number in range(500)]
    for word in (*SEEDS, "bytes:", "worksheets/", "sheet1.xml: '"):
        assert sum(word in book.what for book in some) >= 20, word
    assert len({book.data for book in some}) > 450
    assert some[:20] == [mutant(number, SEED) for number in range(20)]
