"""Money: the price of a token."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["cost_per_token"]


def cost_per_token(price: ArrayLike, devices: ArrayLike, token_rate: ArrayLike) -> NDArray[np.float64]:
    """Cost of one token [money]: price·devices / rate.

    Parameters
    ----------
    price : array_like
        Price of one device for one second [money/(device·s)].
    devices : array_like
        Devices rented.
    token_rate : array_like
        Tokens per second that they make together, while busy [token/s]. Idle time comes on top.
    """
    return np.multiply(price, devices) / np.asarray(token_rate, float)
