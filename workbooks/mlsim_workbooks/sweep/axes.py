"""The axes of a sweep: names with their values, and the points they span, the last axis fastest."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mlsim.errors import DomainError, UnitError, shorten
from mlsim_workbooks.sweep.block import Column, Values

__all__ = ["MAX_VALUES", "Axis", "axis_values", "parse_setting", "parse_values", "points_of"]

MAX_VALUES = 10_000_000  # of one axis

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::(x?)({_NUMBER}))?")
_PLAIN = re.compile(_NUMBER)

Scalar = float | bool | str


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its name, its values, and the label that a workbook has beside the cell."""

    name: str
    values: tuple[Scalar, ...]
    label: str = ""

    @property
    def numeric(self) -> bool:
        """Whether every value is a number."""
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)

    @property
    def column(self) -> Column:
        """What the axis is in a file: numbers, whole where all are, truth values, or text."""
        if self.numeric:
            kind = "whole" if all(float(v).is_integer() and abs(float(v)) < 2**53 for v in self.values) else "number"
        else:
            kind = "truth" if all(isinstance(v, bool) for v in self.values) else "text"
        return Column(self.name, kind, "axis", label=self.label)


def points_of(axes: Sequence[Axis]) -> int:
    """Return the number of points."""
    return math.prod(len(axis.values) for axis in axes)


def axis_indices(axes: Sequence[Axis], start: int, stop: int) -> list[NDArray[np.int64]]:
    """Return for each axis which of its values the points from ``start`` up to ``stop`` have."""
    found: list[NDArray[np.int64]] = []
    rest = np.arange(start, stop)
    for axis in reversed(axes):
        found.append(rest % len(axis.values))
        rest = rest // len(axis.values)
    return found[::-1]


def axis_values(axes: Sequence[Axis], start: int, stop: int) -> list[Values]:
    """Return the columns of the axes for the points from ``start`` up to ``stop``."""
    columns = []
    for axis, index in zip(axes, axis_indices(axes, start, stop), strict=True):
        kind = axis.column.kind
        if kind == "text":
            columns.append(Values(index.astype(np.int32), [shown(v) for v in axis.values]))
        else:
            columns.append(
                Values(np.array(axis.values, {"whole": np.int64, "number": float, "truth": bool}[kind])[index])
            )
    return columns


def shown(value: Scalar) -> str:
    """Return a value as a person types it."""
    if isinstance(value, bool):
        return str(value).upper()
    return value if isinstance(value, str) else repr(float(value)).removesuffix(".0")


# --- reading ---------------------------------------------------------------------------------------------------------


def parse_setting(text: str) -> tuple[str, tuple[Scalar, ...]]:
    """Read ``name=values``."""
    name, sign, values = text.partition("=")
    if not sign or not name.strip():
        raise UnitError(f"--set {shorten(text)}: write NAME=VALUES, such as 'batch=1,2,4' or 'Inputs!B3=1:64:x2'.")
    return name.strip(), parse_values(name.strip(), values)


def parse_values(name: str, text: str) -> tuple[Scalar, ...]:
    """Read the values of an axis; each once, in the order given.

    ``a,b,c`` is a list, in which quotes keep a comma; ``1:8`` a range, ``512:4096:512`` one with a step,
    ``1:1024:x2`` a geometric one. A number stays a number, TRUE and FALSE are truth values, anything else is text.
    """
    if not text.isprintable():
        raise UnitError(f"{name}: {shorten(text)} holds a character that cannot be printed.")
    try:
        items = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise UnitError(f"{name}: {shorten(text)} has a quote that does not close, or none before a comma.") from None
    values = dict.fromkeys((type(v), v) for item in items for v in _values(name, item.strip()))
    if not values or any(v == "" for _, v in values):
        raise UnitError(f"{name}: expected values, such as 1,2,4 or 1:1024 or H100,MI300X; got {shorten(text)}.")
    return tuple(v for _, v in values)


def _values(name: str, item: str) -> Sequence[Scalar]:
    if item.upper() in ("TRUE", "FALSE"):
        return [item.upper() == "TRUE"]
    if _PLAIN.fullmatch(item):
        return [float(item)]
    found = _RANGE.fullmatch(item)
    return [item] if found is None else _range(name, item, *found.groups())


def _range(name: str, item: str, first: str, last: str, times: str | None, by: str | None) -> Sequence[float]:
    """Return the numbers of a range, computed in decimals so that 0:1:0.1 holds 0.3 and not 0.30000000000000004."""
    start, stop, step = Decimal(first), Decimal(last), Decimal(by or 1)
    if times:
        if min(start, stop, step) <= 0 or step == 1 or (start != stop and (stop > start) != (step > 1)):
            raise DomainError(f"{name}: {item} leads nowhere: write a range such as 1:1024:x2, or 1024:1:x0.5.")
        count = int((stop / start).ln() / step.ln() + Decimal("1e-9"))
    else:
        if step == 0 or (stop - start) / step < 0:
            raise DomainError(f"{name}: {item} leads nowhere: write FIRST:LAST:STEP, such as 512:4096:512 or 8:1:-1.")
        count = int((stop - start) / step)
    if count >= MAX_VALUES:
        raise DomainError(f"{name}: {item} has more than {MAX_VALUES:,} values: take a larger step.")
    if times:
        return [float(start * step**i) for i in range(count + 1)]
    return [float(start + i * step) for i in range(count + 1)]
