"""A grid over functions of the catalogue: text axes outside, counts inside, where whole arrays are computed at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsim.errors import CellError, NameNotFoundError, UnitError, shorten
from mlsim.functions.catalogue import Function, find
from mlsim_workbooks.functions import CATALOGUE
from mlsim_workbooks.sweep.axes import Axis, Scalar, axis_indices, points_of
from mlsim_workbooks.sweep.block import Column, Values, coded

__all__ = ["Grid", "grid"]

CHUNK = 131_072  # points of one task: a tenth of a second
_BLOCK = 8_192  # points of one array call: its temporaries stay in the processor's cache
_COUNTED = ("count", "amount", "whole")
_ASKED = re.compile(r"\s*([\w.]+)\s*(?:\[([^\]]*)\])?\s*")


@dataclass(frozen=True)
class Grid:
    """Functions, each with the unit of its results, over axes. Points are numbered, the last axis fastest."""

    functions: tuple[tuple[str, str], ...]
    axes: tuple[Axis, ...]
    outer: int  # the first so many axes are taken value by value

    chunk = CHUNK

    @property
    def points(self) -> int:
        """The number of points."""
        return points_of(self.axes)

    @property
    def results(self) -> list[Column]:
        """Each function's results, and beside them the sentences of the points it refuses."""
        columns = []
        for name, unit in self.functions:
            kind = _kind(CATALOGUE[name])
            columns.append(Column(f"{name} [{unit}]" if unit else name, kind, "result", unit))
            columns.append(Column(f"{name} error", "text", "error"))
        return columns

    def description(self) -> dict[str, Any]:
        """Return what is swept, as a specification file says it."""
        asked = [f"{name} [{unit}]" if unit else name for name, unit in self.functions]
        return {"grid": asked, "set": {axis.name: list(axis.values) for axis in self.axes}}

    def evaluate(self, start: int, stop: int) -> list[Values]:
        """Return the columns of results for the points from ``start`` up to ``stop``."""
        index = axis_indices(self.axes, start, stop)
        inner = points_of(self.axes[self.outer :])
        bounds = sorted({*range(start, stop, _BLOCK), *range(start - start % inner + inner, stop, inner), stop})
        blocks = [slice(a - start, b - start) for a, b in pairwise(bounds)]
        columns = [np.array(axis.values, float) if axis.numeric else None for axis in self.axes]
        inside = {
            axis.name: values[i]
            for axis, values, i in zip(self.axes[self.outer :], columns[self.outer :], index[self.outer :], strict=True)
            if values is not None
        }
        found: list[Values] = []
        for name, unit in self.functions:
            function = CATALOGUE[name]
            pieces: list[NDArray[Any]] = []
            errors: dict[int, str] = {}
            for block in blocks:
                at = {
                    axis.name: axis.values[i[block.start]]
                    for axis, i in zip(self.axes[: self.outer], index, strict=False)
                }
                fixed: dict[str, Any] = {**at, "unit": unit or None}
                values = [inside[a.name][block] if a.name in inside else fixed.get(a.name) for a in function.args]
                results, refused = function.arrays(values, block.stop - block.start)
                pieces.append(results)
                errors |= {block.start + i: error.message for i, error in refused.items()}
            found += _columns(_kind(function), pieces, errors, stop - start)
        return found


def _columns(kind: str, pieces: Sequence[NDArray[Any]], errors: dict[int, str], size: int) -> list[Values]:
    """Return a function's results as its column, and the sentences as the next; a result of another kind is refused."""
    due = {"number": "iuf", "truth": "b", "text": "Ub"}[kind]
    at, kept = 0, []
    for piece in pieces:
        if piece.dtype.kind not in due:
            wrong = [i for i in range(at, at + len(piece)) if i not in errors]
            errors |= {i: f"The result is {shorten(piece[i - at].item())}, not a {kind}." for i in wrong}
            piece = np.zeros(len(piece), {"number": float, "truth": bool, "text": str}[kind])
        at += len(piece)
        kept.append(np.where(piece, "TRUE", "FALSE") if kind == "text" and piece.dtype.kind == "b" else piece)
    values = np.concatenate(kept)
    missing: NDArray[np.bool_] | None = None
    if errors:
        missing = np.zeros(size, bool)
        missing[list(errors)] = True
    sentences = _sentences(errors, size)
    if kind == "text":
        texts, codes = np.unique(values, return_inverse=True)
        codes = codes.astype(np.int32)
        return [Values(codes if missing is None else np.where(missing, -1, codes), texts.tolist()), sentences]
    return [Values(values.astype(float) if kind == "number" else values, missing=missing), sentences]


def _sentences(errors: Mapping[int, str], size: int) -> Values:
    """Return the sentences of the points in error as a column."""
    if not errors:
        return Values(np.full(size, -1, np.int32), [])
    codes = np.full(size, -1, np.int32)
    said = coded(list(errors.values()))
    codes[list(errors)] = said.data
    return Values(codes, said.texts)


def grid(asked: str | Sequence[str], settings: Mapping[str, tuple[Scalar, ...]]) -> Grid:
    """Check functions and axes against the catalogue and return the grid.

    Parameters
    ----------
    asked : str or sequence of str
        Functions, separated by commas, each with the unit of its results if not the usual one: ``MLSIM_TPOT [us]``.
    settings : mapping
        The values of each argument. An argument that a function lacks is not passed to it.

    Raises
    ------
    CellError
        For an unknown function or argument, a missing argument, and a function that fills a table.
    """
    settings = {name.strip().lower(): values for name, values in settings.items()}
    unit = settings.pop("unit", ())
    if len(unit) > 1 or any(not isinstance(u, str) for u in unit):
        raise UnitError("unit: results are in one unit; give one, such as --set unit=ms.")
    functions = [_function(text) for text in (asked.split(",") if isinstance(asked, str) else asked) if text.strip()]
    if not functions:
        raise UnitError("--grid names no function: give one or more, such as MLSIM_DECODE_LATENCY,MLSIM_MEMORY.")
    if len({f.name for f, _ in functions}) < len(functions):
        raise UnitError("--grid names a function twice.")
    if unit and not any(arg.name == "unit" for f, _ in functions for arg in f.args):
        raise NameNotFoundError(f"unit: {functions[0][0].name} has no unit to choose.")
    for name in settings:
        if not any(arg.name == name for f, _ in functions for arg in f.args):
            raise _unknown(name, [f for f, _ in functions])
    for f, _ in functions:
        for arg in f.args:
            if not arg.optional and arg.name not in settings:
                raise UnitError(f"{f.name} needs {arg.name}: add --set {arg.name}=... ({arg.doc})")
    axes = [Axis(name, values) for name, values in settings.items()]
    args = [arg for f, _ in functions for arg in f.args]
    inside = [a for a in axes if a.numeric and all(arg.kind in _COUNTED for arg in args if arg.name == a.name)]
    outside = [a for a in axes if a not in inside]
    units = tuple((f.name, own or _unit(f, unit[0] if unit else "")) for f, own in functions)
    for f, (_, chosen) in zip((f for f, _ in functions), units, strict=True):
        _check_unit(f, chosen, axes)
    return Grid(units, (*outside, *inside), len(outside))


def _function(text: str) -> tuple[Function, str]:
    """Read ``NAME`` or ``NAME [unit]``."""
    found = _ASKED.fullmatch(text)
    if found is None:
        raise UnitError(
            f"--grid: {shorten(text)} is not a function, such as MLSIM_DECODE_LATENCY or 'MLSIM_TPOT [us]'."
        )
    function, unit = find(found[1]), (found[2] or "").strip()
    if _kind(function) == "table" or any(arg.vararg or arg.kind == "raw" for arg in function.args):
        raise UnitError(f"{function.name} does not give one value for one set of arguments, so it cannot be swept.")
    if unit and not any(arg.name == "unit" for arg in function.args):
        raise UnitError(f"{function.name} has no unit to choose: leave out [{unit}].")
    return function, unit


def _unit(function: Function, asked: Any) -> str:
    """Return the unit of a function's results: the one asked for, else the usual one; empty when it has none."""
    arg = next((arg for arg in function.args if arg.name == "unit"), None)
    if arg is None:
        return ""
    if not asked and not arg.optional:
        raise UnitError(f"{function.name} needs a unit: add --set unit=... ({arg.doc})")
    return str(asked or arg.default or "")


def _check_unit(function: Function, unit: str, axes: Sequence[Axis]) -> None:
    """Refuse a unit that fits no result: the first point says."""
    first = {axis.name: axis.values[0] for axis in axes} | {"unit": unit}
    try:
        function(*[first.get(arg.name) for arg in function.args])
    except CellError as error:
        if unit and error.message.startswith("unit: "):
            raise UnitError(f"{function.name}: {error.message}") from None


def _kind(function: Function) -> str:
    """Return what a function gives, as its documented example does: number, truth, text or table."""
    example = _example(function)
    if example is None:
        return "table"
    value = function(*example)
    if isinstance(value, list):
        return "table"
    return "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _example(function: Function) -> tuple[Any, ...] | None:
    """Return the arguments of a function's example; None where it refers to cells."""
    try:
        args = ast.literal_eval(function.example[function.example.index("(") :])
    except (ValueError, SyntaxError):
        return None
    return args if isinstance(args, tuple) else (args,)


def _unknown(name: str, functions: Sequence[Function]) -> CellError:
    names = list(dict.fromkeys(arg.name for f in functions for arg in f.args))
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(names)}."
    what = functions[0].name if len(functions) == 1 else "None of the functions"
    return NameNotFoundError(f"{what} has{' no' if len(functions) == 1 else ''} argument {shorten(name)}: {hint}")
