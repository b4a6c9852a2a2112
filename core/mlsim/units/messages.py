"""The sentences a wrong unit gets: what came, what was expected, and the likely fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlsim.units.quantity import Quantity, Unit

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


def describe(unit: Unit) -> str:
    """Return what a unit measures, in words."""
    name = unit.dimension_name
    if name in _MEANINGS:
        return _MEANINGS[name][0]
    if name.startswith("money_in_") and name.count("/") == 0 and "*" not in name:
        return f"an amount of {name.removeprefix('money_in_').upper()}"
    return f"a quantity of {name}".replace("_", " ")


def conversion_hint(got: Quantity, expected: Unit) -> str:
    """Say why ``got`` cannot stand where ``expected`` is due, and how to mend it."""
    a, b = got.unit.dimension_name, expected.dimension_name
    fix = _FIXES.get((a, b))
    if not fix and a.startswith("money_in_") and b.startswith("money_in_") and a[9:12] != b[9:12]:
        fix = f"{a[9:12].upper()} and {b[9:12].upper()} differ: apply an exchange rate with its date"
    sentence = (
        f"{got} is {describe(got.unit)}, but {describe(expected)} ({expected.text or example(b) or 'a number'}) is due"
    )
    return f"{sentence}: {fix}." if fix else f"{sentence}."
