"""A typed figure that nothing of its kind can have: 700 kW for an accelerator, 80 TB of memory for a GPU.

The bounds are far outside what is built or sold, so that a figure beyond them has the wrong unit, not an unusual value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlsim_workbooks.lint.algebra import Dims, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise

__all__ = ["impossible_magnitude"]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a figure of some dimensions, per something or under some words, can be at least and at most, in SI units."""

    dims: Dims
    least: float
    most: float
    what: str
    per: str = ""
    words: str = ""


_POWER: Dims = (("energy", 1.0), ("time", -1.0))
_BOUNDS = (
    _Bounds(_POWER, 0.0, 3e3, "a GPU", per="device", words=r"gpu|card|accelerator|karte|carte"),
    _Bounds(_POWER, 0.0, 30e3, "an accelerator", per="device"),
    _Bounds(_POWER, 0.0, 30e3, "an accelerator", words=r"\btdp\b"),
    _Bounds(_POWER, 0.0, 300e3, "a server", per="node"),
    _Bounds(_POWER, 0.0, 3e6, "a rack", per="rack"),
    _Bounds((("information", 1.0),), 0.0, 5e12, "an accelerator's memory", per="device", words=r"\bhbm|\bvram\b|memory|speicher|mémoire"),
    _Bounds(
        (("time", 1.0),), 1e-3, 300.0, "a time to first token",
        words=r"time to first token|\bttft\b|zeit bis zum ersten token|premier (?:jeton|token)(?! /)",
    ),
    _Bounds((("information", 1.0), ("time", -1.0)), 1e9, 1e15, "HBM", words=r"\bhbm\d?e?\b(?!.*\bpin)"),
)  # fmt: skip


def impossible_magnitude(cell: Cellwise) -> Said | None:
    """Return what is said of a typed figure that nothing of its kind can have, None where it can be."""
    value, number = cell.context.value, cell.item.value
    if (
        cell.item.form >= 0
        or not isinstance(number, float)
        or number <= 0
        or value is None
        or not cell.context.explicit
    ):
        return None
    if value.dims is None or value.factor != value.factor or not value.dims or cell.context.contradiction is not None:
        return None
    soft = dict(value.dims)
    for bounds in _BOUNDS:
        if bounds.dims != hard(value.dims) or (bounds.per and soft.get(bounds.per) != -1.0):
            continue
        if bounds.words and not re.search(bounds.words, cell.words, re.I):
            continue
        size = number * value.factor
        if not bounds.least <= size <= bounds.most:
            rule, far = ("above-limit", "much") if size > bounds.most else ("unit-contradiction", "little")
            return (
                rule,
                f"'{cell.label}' is {number:g} {value.text}: far too {far} for {bounds.what}.",
                "Check the unit.",
            )
    return None
