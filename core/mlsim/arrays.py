"""The array types of the laws, and the stacking of flat records into records of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Real", "stack"]

Floats: TypeAlias = NDArray[np.float64]
"""What a law returns: an array of SI floats, zero-dimensional for scalars."""

Real: TypeAlias = float | NDArray[np.float64]
"""What a law takes: an SI float, or an array of them that broadcasts with the others."""

_Record = TypeVar("_Record")


def stack(records: Sequence[_Record]) -> _Record:
    """Turn dataclass instances whose fields are floats into one whose fields are arrays, a record per element."""
    kind: Any = type(records[0])
    names = [f.name for f in fields(kind)]
    columns = np.array([[getattr(record, name) for name in names] for record in records], float).T
    return kind(**dict(zip(names, columns, strict=True)))
