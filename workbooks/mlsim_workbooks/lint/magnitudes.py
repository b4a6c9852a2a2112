"""A typed figure that nothing of its kind can have: 700 kW for an accelerator, 17 cents for a gigawatt-hour.

The bounds are far outside what is built or sold, so that a figure beyond them has the wrong unit, not an unusual value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlsim_workbooks.lint.algebra import Dims, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise

__all__ = ["impossible_magnitude"]

_KWH = 3.6e6  # joules
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a figure of some dimensions, per something or under some words, can be at least and at most, in SI units."""

    dims: Dims
    least: float
    most: float
    what: str
    per: str = ""
    words: str = ""


_MONEY = frozenset(("money_in_usd", "money_in_eur", "money_in_gbp", "money_in_chf"))
_POWER: Dims = (("energy", 1.0), ("time", -1.0))
_PRICE_OF_ENERGY: Dims = (("energy", -1.0), ("money", 1.0))
_PRICE_OF_HOURS: Dims = (("money", 1.0), ("time", -1.0))
_BOUNDS = (
    _Bounds(_POWER, 0.0, 30e3, "an accelerator", per="device"),
    _Bounds(_POWER, 0.0, 30e3, "an accelerator", words=r"\btdp\b"),
    _Bounds(_POWER, 0.0, 300e3, "a server", per="node"),
    _Bounds(_POWER, 0.0, 3e6, "a rack", per="rack"),
    _Bounds((("information", 1.0),), 0.0, 5e12, "an accelerator's memory", per="device", words=r"\bhbm|\bvram\b|memory|speicher|mémoire"),
    _Bounds((("information", 1.0), ("time", -1.0)), 1e9, 1e15, "HBM", words=r"\bhbm\d?e?\b(?!.*\bpin)"),
    _Bounds(_PRICE_OF_HOURS, 1e-3 / _HOUR, 1e3 / _HOUR, "a GPU-hour", per="device"),
    _Bounds(_PRICE_OF_ENERGY, 1e-3 / _KWH, 10.0 / _KWH, "electricity", words=r"^(?!.*(?:batter|akku|storage|speicher|stockage))"),
    _Bounds((("energy", -1.0), ("mass_of_co2e", 1.0)), 0.5 / _KWH, 5e3 / _KWH, "a grid"),
    _Bounds((("money", 1.0), ("token", -1.0)), 1e-11, 0.02, "a token"),
)  # fmt: skip


def impossible_magnitude(cell: Cellwise) -> Said | None:
    """Return what is said of a typed figure that nothing of its kind can have, None where it can be."""
    value, number = cell.context.value, cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float) or number <= 0 or value is None or not cell.context.explicit:
        return None
    if value.dims is None or value.factor != value.factor or not value.dims:
        return None
    soft = dict(value.dims)
    core = tuple(sorted(("money" if n in _MONEY else n, e) for n, e in (*hard(value.dims), *_tokens(value.dims))))
    for bounds in _BOUNDS:
        if bounds.dims != core or (bounds.per and soft.get(bounds.per) != -1.0):
            continue
        if bounds.words and not re.search(bounds.words, cell.words, re.I):
            continue
        size = number * value.factor
        if not bounds.least <= size <= bounds.most:
            far = "far too much" if size > bounds.most else "far too little"
            return "unit-contradiction", f"'{cell.label}' is {number:g} {value.text}: {far} for {bounds.what}.", ""
    return None


def _tokens(dims: Dims) -> Dims:
    return tuple((n, e) for n, e in dims if n == "token")
