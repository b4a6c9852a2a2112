"""The two array types of the laws: what goes in and what comes out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Real"]

Floats: TypeAlias = NDArray[np.float64]
"""What a law returns: an array of SI floats, zero-dimensional for scalars."""

Real: TypeAlias = float | NDArray[np.float64]
"""What a law takes: an SI float, or an array of them that broadcasts with the others."""
