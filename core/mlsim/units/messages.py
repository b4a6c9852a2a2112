"""The sentences a wrong unit gets: what came, what was expected, and the likely fix."""

from __future__ import annotations

import re

__all__ = ["conversion_hint", "describe", "example"]

# dimension name -> (what it is, a unit to write)
_MEANINGS: dict[str, tuple[str, str]] = {
    "number": ("a bare number", ""),
    "information": ("an amount of data", "GB"),
    "information/time": ("a data rate", "TB/s"),
    "operation": ("a count of floating-point operations", "TFLOP"),
    "operation/time": ("a rate of floating-point operations", "TFLOP/s"),
    "integer_operation": ("a count of integer operations", "TOP"),
    "integer_operation/time": ("a rate of integer operations", "TOP/s"),
    "token": ("a number of tokens", "token"),
    "token/time": ("a token rate", "token/s"),
    "parameter": ("a number of parameters", "Gparam"),
    "request": ("a number of requests", "request"),
    "request/time": ("a request rate", "request/s"),
    "sample": ("a number of samples", "sample"),
    "sample/time": ("a sample rate", "sample/s"),
    "device": ("a number of devices", "GPU"),
    "device*time": ("device time (devices × hours)", "GPU-h"),
    "time": ("a time", "ms"),
    "1/time": ("a frequency", "Hz"),
    "energy": ("an energy", "kWh"),
    "energy/time": ("a power", "kW"),
    "energy/token": ("an energy per token", "J/token"),
    "mass_of_co2e": ("a mass of CO2e", "kgCO2e"),
    "mass_of_co2e/energy": ("a carbon intensity", "gCO2e/kWh"),
    "money_in_usd": ("an amount of dollars", "$"),
    "money_in_usd/time": ("a price per hour", "$/h"),
    "money_in_usd/device/time": ("a price per device hour", "$/GPU-h"),
    "money_in_usd/node/time": ("a price per node hour", "$/node-h"),
    "money_in_usd/token": ("a price per token", "$/Mtoken"),
    "money_in_usd/energy": ("an energy price", "$/kWh"),
    "water/energy": ("a water usage effectiveness", "L/kWh"),
}

# (what came, what was expected) -> the likely fix
_FIXES: dict[tuple[str, str], str] = {
    ("operation", "operation/time"): "write FLOP/s (or FLOPS) if a speed is meant",
    ("operation/time", "operation"): "write FLOP without '/s' if a count is meant",
    ("integer_operation/time", "operation/time"): (
        "TOP/s counts integer operations; give the FLOP/s peak of the precision you compute in"
    ),
    ("operation/time", "integer_operation/time"): "FLOP/s counts floating-point operations; give TOP/s",
    ("operation/time", "information"): "this looks like a compute peak; memory is in GB or GiB",
    ("operation/time", "information/time"): "this looks like a compute peak; memory bandwidth is in TB/s or GB/s",
    ("information/time", "operation/time"): "this looks like a bandwidth; a compute peak is in TFLOP/s",
    ("information/time", "information"): "drop the '/s' if a size is meant",
    ("information", "information/time"): "write '/s' behind it if a bandwidth is meant",
    ("information/time/device", "information/time/node"): "multiply by the devices per node",
    ("parameter", "information"): "multiply parameters by bytes per parameter (bf16: 2, fp8: 1, int4: about 0.5)",
    ("information", "parameter"): "divide the size by bytes per parameter (bf16: 2, fp8: 1)",
    ("energy", "energy/time"): "kWh is energy; divide by hours to get kW",
    ("energy/time", "energy"): "kW is power; multiply by hours to get kWh",
    ("money_in_usd/time", "money_in_usd/device/time"): (
        "say what the hour is of: '$/GPU-h', or divide a node's price by its devices"
    ),
    ("money_in_usd/node/time", "money_in_usd/device/time"): "divide by the devices per node (often 8)",
    ("money_in_usd/device/time", "money_in_usd/node/time"): "multiply by the devices per node (often 8)",
    ("money_in_usd/device/time", "money_in_usd/time"): "multiply by the number of devices",
    ("money_in_usd", "money_in_usd/device/time"): "write '$/GPU-h'",
    ("money_in_usd", "money_in_usd/token"): "write '$/Mtoken'",
    ("token", "token/time"): "write token/s if a rate is meant",
    ("token/time", "token"): "drop the '/s' if a count is meant",
    ("1/time", "request/time"): "write request/s (QPS): Hz does not say of what",
    ("1/time", "token/time"): "write token/s: Hz does not say of what",
    ("device*time", "time"): "divide device time by the number of devices to get wall time",
    ("time", "device*time"): "multiply wall time by the number of devices to get device time",
    ("time", "1/time"): "a latency is not a rate: take 1/latency, or fix the unit",
}


def example(dimension_name: str) -> str:
    """Return a unit a person would write for a dimension."""
    return _MEANINGS.get(dimension_name, ("", ""))[1]


def describe(dimension_name: str) -> str:
    """Return what a quantity of this dimension is, in words."""
    if dimension_name in _MEANINGS:
        return _MEANINGS[dimension_name][0]
    if dimension_name.startswith("money_in_") and not re.search(r"[/*]", dimension_name):
        return f"an amount of {dimension_name.removeprefix('money_in_').upper()}"
    return f"a quantity of {dimension_name}".replace("_", " ")


def conversion_hint(got: str, got_dimension: str, expected: str, expected_dimension: str) -> str:
    """Say why a quantity cannot stand where another unit is due, and how to mend it.

    Parameters
    ----------
    got : str
        The quantity as written.
    got_dimension, expected_dimension : str
        Dimension names, such as ``"information/time"``.
    expected : str
        The unit that is due.
    """
    fix = _FIXES.get((got_dimension, expected_dimension))
    currencies = [d[9:12].upper() for d in (got_dimension, expected_dimension) if d.startswith("money_in_")]
    if not fix and len(set(currencies)) == 2:
        fix = f"{currencies[0]} and {currencies[1]} differ: apply an exchange rate with its date"
    due = expected or example(expected_dimension) or "a number"
    sentence = f"{got} is {describe(got_dimension)}, but {describe(expected_dimension)} ({due}) is due"
    return f"{sentence}: {fix}." if fix else f"{sentence}."
