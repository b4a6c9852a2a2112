"""Reading the cells of a row of cases: numbers, chips with a power limit, frameworks within a text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from mlsim.errors import CellError, DomainError, NameNotFoundError, UnitError, shorten
from mlsim.registry import load
from mlsim.registry.records import Chip

__all__ = ["chip_at", "either", "number", "software_in"]

_LIMIT = re.compile(r"\((?:[^()]*?)(\d+(?:\.\d+)?)\s*W\)")
_CAPPED = re.compile(r"power[- ]?(?:capped|limited)", re.I)
# A card that is "power capped" without a figure: half of its rating, as in P. Patel et al., "Splitwise", ISCA 2024,
# sec. VI (https://arxiv.org/abs/2311.18677), whose capped nodes the phrase comes from.
_CAP = 0.5


def number(row: Mapping[str, str], column: str, least: float = 0.0) -> float:
    """Return a number of the row, nan when the cell is empty."""
    text = (row.get(column) or "").strip()
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise UnitError(f"{column}: expected a number, got {shorten(text)}.") from None
    if not math.isfinite(value) or value < least:
        raise DomainError(f"{column}: expected a number of {least:g} or more, got {shorten(text)}.")
    return value


def either(value: float, default: float) -> float:
    """Return a value, or the default where it is nan: an empty cell."""
    return default if math.isnan(value) else value


@lru_cache(maxsize=4096)
def chip_at(name: str, _: int) -> tuple[Chip, float]:
    """Return the chip of a hardware cell and its power limit as a share of the board power."""
    limit = _LIMIT.search(name)
    try:
        chip = load.chip(name)
    except NameNotFoundError:
        if not limit and not _CAPPED.search(name):
            raise
        chip = load.chip(re.sub(r"\s*\([^()]*\)\s*$", "", name))
    if limit:
        watts = float(limit.group(1))
        if watts <= 0:
            raise DomainError(f"hardware: a power limit must be above 0 W, got {shorten(name)}.")
        return chip, min(1.0, watts / chip.get("board_power"))
    return chip, _CAP if _CAPPED.search(name) else 1.0


@lru_cache(maxsize=4096)
def software_in(text: str, _: int) -> str:
    """Return the registry's runtime in a text such as "vLLM 0.10 (ROCm docker)"; else the generic one."""
    try:
        return load.runtime(text).name
    except CellError:
        return load.runtime_within(text.replace("/", " ")) or "default"
