"""Units: reading cell text, dimensions and kinds, and the sentence a wrong unit gets."""

from mlsim.units.quantity import Quantity, parse, quantity
from mlsim.units.unit import Unit, parse_unit

__all__ = ["Quantity", "Unit", "parse", "parse_unit", "quantity"]
