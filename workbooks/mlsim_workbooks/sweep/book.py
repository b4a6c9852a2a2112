"""What-if over a workbook: its input cells take every combination of values, and result cells are read out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mlsim.errors import UnitError, shorten
from mlsim.files import FileError
from mlsim.registry import load
from mlsim_workbooks.package import Err
from mlsim_workbooks.recalc.whatif import WhatIf
from mlsim_workbooks.sweep.axes import Axis, Scalar, axis_indices, points_of
from mlsim_workbooks.sweep.block import Column, Values, coded

__all__ = ["BookSweep", "book_sweep"]

_CHUNK = 256  # points of one task: a second or so
_SAMPLES = 9  # points that tell what kind of value a result cell has


@dataclass(frozen=True)
class BookSweep:
    """A workbook, the cells that are set and those that are read. Points are numbered, the last axis fastest."""

    name: str
    data: bytes = field(repr=False)
    axes: tuple[Axis, ...]
    cells: tuple[str, ...]  # as the workbook calls the result cells
    kinds: tuple[str, ...]
    labels: tuple[str, ...]

    chunk = _CHUNK

    @property
    def points(self) -> int:
        """The number of points."""
        return points_of(self.axes)

    @property
    def results(self) -> list[Column]:
        """The result cells, and what is wrong with any of them."""
        cells = zip(self.cells, self.kinds, self.labels, strict=True)
        return [
            *(Column(cell, kind, "result", label=label) for cell, kind, label in cells),
            Column("error", "text", "error"),
        ]

    def description(self) -> dict[str, Any]:
        """Return what is swept, as a specification file says it, and which content the workbook had."""
        return {
            "book": self.name, "sha256": hashlib.sha256(self.data).hexdigest(),
            "set": {axis.name: list(axis.values) for axis in self.axes}, "get": list(self.cells),
        }  # fmt: skip

    def evaluate(self, start: int, stop: int) -> list[Values]:
        """Return the columns of results for the points from ``start`` up to ``stop``."""
        book = _opened(self.data, self.name, tuple(axis.name for axis in self.axes), self.cells, load.generation())
        rows = book.evaluate(_points(self.axes, range(start, stop)))
        errors: list[list[str]] = [[] for _ in rows]
        columns = [
            _column(cell, kind, [row[i] for row in rows], errors)
            for i, (cell, kind) in enumerate(zip(self.cells, self.kinds, strict=True))
        ]
        return [*columns, coded(["; ".join(said) or None for said in errors])]


def _column(cell: str, kind: str, values: Sequence[Any], errors: Sequence[list[str]]) -> Values:
    """Return one cell's values as a column; an error or another kind of value is said in ``errors`` and left out."""
    fitting: list[Any] = []
    for value, said in zip(values, errors, strict=True):
        if isinstance(value, Err):
            said.append(f"{cell}: {value}")
        elif value is not None and kind != "text" and _kind(value) != kind:
            said.append(f"{cell}: {shorten(value)}")
        else:
            fitting.append(value)
            continue
        fitting.append(None)
    if kind == "text":
        return coded([None if v is None else _text(v) for v in fitting])
    missing = np.array([v is None for v in fitting])
    data = np.array([0 if v is None else v for v in fitting], bool if kind == "truth" else float)
    return Values(data, missing=missing if missing.any() else None)


def book_sweep(
    path: str, settings: Mapping[str, tuple[Scalar, ...]], outputs: Sequence[str]
) -> tuple[BookSweep, list[str]]:
    """Open a workbook and return its sweep, with notes on cells that a person may not have meant.

    Parameters
    ----------
    path : str
        An .xlsx or .xlsm file.
    settings : mapping
        The values of each input: a cell such as ``Inputs!B3``, or a defined name.
    outputs : sequence of str
        Cells or ranges to read, such as ``Decision!C5:C9``, or defined names.

    Raises
    ------
    FileError
        For a file that cannot be read, a cell that does not exist, and a cell that cannot be worked out.
    """
    if not settings:
        raise UnitError(f"Nothing is set in {path}: add --set CELL=VALUES, such as 'Inputs!B3=1,2,4'.")
    if not outputs:
        raise UnitError(f"Nothing is read from {path}: add --get CELLS, such as 'Decision!C5:C9'.")
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"There is no workbook {path}.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    name = Path(path).name
    book = WhatIf(data, name, list(settings), list(outputs))
    axes = tuple(
        Axis(cell, values, _label(book, cell)) for cell, values in zip(book.input_cells, settings.values(), strict=True)
    )
    cells = tuple(dict.fromkeys(book.columns))
    known = _opened(data, name, tuple(axis.name for axis in axes), cells, load.generation())
    last = points_of(axes) - 1
    rows = known.evaluate(_points(axes, sorted({last * i // (_SAMPLES - 1) for i in range(_SAMPLES)})))
    kinds = tuple(_common(column) for column in zip(*rows, strict=True))
    return BookSweep(name, data, axes, cells, kinds, tuple(_label(book, c) for c in cells)), book.notes


@lru_cache(maxsize=1)
def _opened(data: bytes, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], registry: int) -> WhatIf:
    """Return a workbook that has been worked out: a process opens it once for all its stretches of points.

    With another generation of the ``registry`` it is opened again.
    """
    return WhatIf(data, name, inputs, outputs)


def _label(book: WhatIf, cell: str) -> str:
    """Return the text beside a cell, on one line and not longer than a heading."""
    text = " ".join(book.label(cell).split())
    return "".join(c for c in text if c.isprintable())[:100]


def _points(axes: Sequence[Axis], numbers: Sequence[int]) -> list[list[Scalar]]:
    found = []
    for number in numbers:
        index = axis_indices(axes, number, number + 1)
        found.append([axis.values[int(i[0])] for axis, i in zip(axes, index, strict=True)])
    return found


def _kind(value: Any) -> str:
    return "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, (int, float)) else str(value)


def _common(values: Sequence[Any]) -> str:
    """Return the kind of a cell from some of its values: a number where any is, since a text beside it says why not."""
    kinds = {_kind(v) for v in values if v is not None and not isinstance(v, Err)}
    return next((kind for kind in ("number", "truth", "text") if kind in kinds), "number")
