"""Columns of results, as they pass from where they are computed to where they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Values", "coded", "plain"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds. ``kind`` is whole, number, truth or text; ``role`` is axis, result or error."""

    name: str
    kind: str
    role: str
    unit: str = ""
    label: str = ""

    @property
    def heading(self) -> str:
        """The name for people: with the label that stands beside a cell."""
        return f"{self.label} ({self.name})" if self.label else self.name


class Values(NamedTuple):
    """A stretch of a column: numbers or truth values, or codes into texts, with -1 where there is none.

    ``missing`` marks the numbers that mean nothing.
    """

    data: NDArray[Any]
    texts: Sequence[str] | None = None
    missing: NDArray[np.bool_] | None = None


def coded(texts: Sequence[str | None]) -> Values:
    """Return texts as codes: each distinct one is kept once."""
    known: dict[str, int] = {}
    codes = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
    return Values(np.array(codes, np.int32), list(known))


def plain(values: Values) -> list[Any]:
    """Return a stretch as plain Python values, None where there is none."""
    if values.texts is not None:
        texts = [*values.texts, None]  # code -1 is the last
        return [texts[code] for code in values.data.tolist()]
    if values.missing is None:
        return values.data.tolist()
    return [None if gone else v for v, gone in zip(values.data.tolist(), values.missing.tolist(), strict=True)]
