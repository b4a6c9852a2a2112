"""Clocks and memory meters. Only the standard library: this is read in the peers' environments too."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

REPEAT = 5


class Spread(NamedTuple):
    """Median, least and most of a few measurements."""

    median: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread:
    found = list(values)
    return Spread(median(found), min(found), max(found))


def say(text: str) -> None:
    """Tell on standard error what takes so long."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def seconds(work: Callable[[], object], repeat: int = REPEAT) -> Spread:
    """Wall time of ``work``."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return spread(once() for _ in range(repeat))


def each(work: Callable[[], object], times: int) -> Spread:
    """Wall time of one call of ``work`` among so many, warm."""

    def many() -> None:
        for _ in range(times):
            work()

    work()
    return Spread(*(taken / times for taken in seconds(many)))


def rate(work: Callable[[int], object], goal: float = 0.5, most: int = 4_000) -> Spread:
    """Calls per second of ``work``, warm: five goes of half a second or 4,000 calls; no two get the same number."""
    work(0)
    rates, number = [], 1
    for _ in range(REPEAT):
        done, start = 0, time.perf_counter()
        while done < most and time.perf_counter() - start < goal:
            work(number)
            number, done = number + 1, done + 1
        rates.append(done / (time.perf_counter() - start))
    return spread(rates)


def per_second(times: Spread, count: float) -> Spread:
    """Turn the time of ``count`` pieces of work into a rate."""
    return Spread(count / times.median, count / times.high, count / times.low)


def process(*command: str, repeat: int = REPEAT, env: Mapping[str, str] | None = None) -> Spread:
    """Wall time of a whole process, its output thrown away; a failure raises CalledProcessError with its last words."""

    def once() -> None:
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, env=env)

    return seconds(once, repeat)


class Run(NamedTuple):
    """One run of a command: wall time, and peak memory of its process and of the largest that it started [MiB]."""

    seconds: float
    mib: float
    largest_child: float

    @property
    def memory(self) -> str:
        """The memory in words."""
        return f"{self.mib:,.0f} MiB" + (
            f", largest worker {self.largest_child:,.0f} MiB" if self.largest_child else ""
        )


# Runs the command line and leaves its peak memory in a file. Linux counts into ru_maxrss what the process that started it
# held, so its own figure is read from /proc there.
_PEAK = """
import sys
from mlsim_workbooks.cli import main
code = main(sys.argv[2:])
own = child = float("nan")
try:
    import resource
    unit = 2**10 if sys.platform == "linux" else 2**20
    own, child = (resource.getrusage(who).ru_maxrss / unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
except (ImportError, OSError):
    pass
open(sys.argv[1], "w").write(f"{own} {child}")
sys.exit(code)
"""


def measured(arguments: Sequence[str]) -> Run:
    """Run the ``mlsim`` command line once."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "peak"
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", _PEAK, str(told), *arguments], check=True, capture_output=True, text=True)
        taken = time.perf_counter() - start
        return Run(taken, *map(float, told.read_text().split()))
