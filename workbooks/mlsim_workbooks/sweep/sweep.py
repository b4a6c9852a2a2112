"""What grids and workbooks have in common as sweeps: stretches of points, on this machine or elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from mlsim import __version__
from mlsim_workbooks import own_registry
from mlsim_workbooks.sweep.axes import axis_values
from mlsim_workbooks.sweep.block import Column, Values
from mlsim_workbooks.sweep.book import BookSweep
from mlsim_workbooks.sweep.grid import Grid

__all__ = ["Sweep", "chunks", "columns_of", "compute", "digest", "rows", "summary"]

Sweep = Grid | BookSweep


def columns_of(sweep: Sweep) -> list[Column]:
    """Return every column of the result: the axes, then the results and errors."""
    return [*(axis.column for axis in sweep.axes), *sweep.results]


def chunks(sweep: Sweep) -> int:
    """Return the number of stretches of points: one task, one row group or one part each."""
    return -(-sweep.points // sweep.chunk)


def bounds(sweep: Sweep, number: int) -> tuple[int, int]:
    """Return the first point of a stretch, and the one after its last."""
    return number * sweep.chunk, min(sweep.points, (number + 1) * sweep.chunk)


def compute(sweep: Sweep, number: int) -> list[Values]:
    """Compute the results of one stretch, in whichever process this is."""
    return sweep.evaluate(*bounds(sweep, number))


def rows(sweep: Sweep, number: int, results: Sequence[Values]) -> list[Values]:
    """Return the columns of a stretch: the axes are cheaper to make again than to send."""
    return [*axis_values(sweep.axes, *bounds(sweep, number)), *results]


def digest(sweep: Sweep) -> str:
    """Return a fingerprint of everything that results depend on."""
    what = [__version__, sweep.description(), [c.name for c in sweep.results], sweep.chunk, own_registry.content()]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def summary(sweep: Sweep) -> str:
    """Return what was swept, as JSON; of long axes the first values, the last, and how many."""
    what = sweep.description()
    what["set"] = {
        name: values if len(values) <= 100 else [*values[:10], "...", values[-1], f"({len(values)} values)"]
        for name, values in what["set"].items()
    }
    return json.dumps(what)
