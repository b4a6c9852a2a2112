"""Units: reading cell text, dimensions and kinds, and the sentence a wrong unit gets."""

from mlsim.units.quantity import Quantity, Unit, parse, parse_unit, quantity

__all__ = ["Quantity", "Unit", "parse", "parse_unit", "quantity"]
