"""Money: the price of a token."""

from __future__ import annotations

import numpy as np

from mlsim.arrays import Floats, Real

__all__ = ["cost_per_token"]


def cost_per_token(price: Real, devices: Real, token_rate: Real) -> Floats:
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
