"""The algebra of units: what multiplies to what, and what the bare numbers of a formula may stand for."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.units import parse_unit
from mlsim_workbooks.lint.algebra import (
    UNKNOWN,
    Value,
    compare,
    hard,
    is_conversion,
    is_time,
    literal,
    multiply,
    power,
)
from mlsim_workbooks.lint.unit_texts import read_unit

GIB = 1024.0**3
NAMES = (
    "byte", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "bit", "Gbit", "GB/s", "GiB/s", "TB/s", "Gbit/s",
    "FLOP", "GFLOP", "TFLOP", "FLOP/s", "TFLOP/s", "PFLOP/s", "MAC", "TOP/s", "s", "ms", "us", "ns", "min", "h", "day",
    "W", "kW", "MW", "J", "Wh", "kWh", "MWh", "$", "k$", "EUR", "$/h", "EUR/h", "$/kWh", "EUR/MWh", "gCO2e", "tCO2e",
    "gCO2e/kWh", "L", "L/kWh", "tok/s", "request/s", "GPU-h", "$/GPU-h", "W/GPU", "J/token", "B/param", "GB/GPU",
)  # fmt: skip
PERIODIC = ("$ per month", "$ per year", "k€ per year", "kWh per month", "tCO2e per year", "tokens per day")
UNITS = st.sampled_from(NAMES)
ALL = st.sampled_from((*NAMES, *PERIODIC))


def unit(text: str) -> Value:
    """Return a unit, per month or year where the text says so."""
    if " per " in text:
        value = read_unit(text)
        assert value is not None, text
        return value
    plain = parse_unit(text)
    return Value(tuple(plain.dimension), plain.factor)


def formula(text: str) -> Value:
    """Return the value of a product such as ``"GB  * 8  / s"``: two spaces before each operator."""
    first, *rest = text.split("  ")
    value = unit(first)
    for piece in rest:
        operator, operand = piece.split(" ")
        other = literal(float(operand)) if operand[0].isdigit() else unit(operand)
        value = multiply(value, other, 1 if operator == "*" else -1)
    return value


@pytest.mark.parametrize(
    ("found", "agree", "differ"),
    [
        (f"byte  / {GIB}", "GiB", "GB MiB kB"),
        ("byte  / 1e9", "GB", "GiB MB"),
        ("byte  / 1024  / 1024", "MiB", "MB GiB"),
        ("GB  / 1.073741824", "GiB", "GB TiB"),
        ("GiB  * 1.073741824", "GB", "GiB"),
        ("TB  * 1000", "GB", "GiB TB MB"),
        ("GB  * 1.2", "GB", "GiB MB TB"),
        ("GB  * 37.5", "GB", "GiB MB Gbit"),
        ("Gbit/s  / 8", "GB/s", "GiB/s MB/s"),
        ("GB/s  * 8", "Gbit/s", "GiB/s bit/s"),
        ("Gbit/s", "Gbit/s", "GB/s"),
        ("s  * 1000", "ms", "us min"),
        ("ms  / 1000", "s", "us ms"),
        ("s  / 3600", "h", "s min ms"),
        ("h  * 3600", "s", "h ms"),
        ("day  * 24", "h", "s"),
        ("s  / 60", "min", "h ms"),
        ("Gparam  * 2", "GB", "GiB MB TB"),
        ("Gparam  * 0.5", "GB", "GiB"),
        ("Gparam  * 2", "GFLOP", "TFLOP MFLOP"),
        ("Gparam  * 6  * Mtok", "PFLOP", "EFLOP TFLOP"),
        ("Gparam", "Gparam", "GB GFLOP"),
        ("param  * 2  / 1e9", "GB", "MB GiB"),
        ("W  / 1000", "kW", "W MW kWh"),
        ("kW  * 730", "kWh", "MWh kW"),
        ("kW  * 8760  / 1000", "MWh", "GWh kW"),
        ("kW  * h", "kWh", "Wh MWh kW"),
        ("kWh  * 3600", "kJ", "MJ"),
        ("$/h  * 730", "$ per month", "$ per year"),
        ("$/h  * 8760", "$ per year", "$ per month"),
        ("$/h  * 24  * 30", "$ per month", "$ per year"),
        ("$/h  * 24  * 365", "$ per year", "$ per month"),
        ("$/h  * 24", "$ per day", "$ per month"),
        ("$/h  * h", "$", "k$ EUR $/h"),
        ("$ per month  * 12", "$ per year", "$/h"),
        ("$ per year  / 12", "$ per month", "$/h"),
        ("$ per year  / 8760", "$/h", "EUR/h"),
        ("$  / 1000", "k$", "$ M$"),
        ("$/Mtok  * tok  / 1e6", "$", "k$ EUR"),
        ("tok  * 0.0001", "$", ""),
        ("tok/s  * 86400", "tokens per day", ""),
        ("gCO2e/kWh  * kWh  / 1e6", "tCO2e", "kgCO2e gCO2e"),
        ("gCO2e/kWh  * MWh", "kgCO2e", "tCO2e gCO2e"),
        ("TFLOP/s  * s", "TFLOP", "TFLOP/s GFLOP"),
        ("GFLOP  / TFLOP/s", "ms", "s us h"),
        ("GB  / GB/s", "s", "ms h"),
        ("GB/s  / TFLOP/s", "kB/MFLOP", "GB"),
        ("kW  * kW  / kW", "kW", "W kWh"),
    ],
)  # fmt: skip
def test_a_product_agrees_with_one_unit_and_not_with_its_neighbours(found: str, agree: str, differ: str) -> None:
    value = formula(found)
    assert compare(value, unit(agree)) is None
    for other in differ.split() if " per " not in differ else [differ]:
        assert compare(value, unit(other)) is not None, other


@pytest.mark.parametrize(
    ("found", "due", "dims", "ratio", "periods"),
    [
        ("GiB", "GB", (), 1.073741824, ("", "")),
        ("GB", "MB", (), 1000.0, ("", "")),
        ("ms", "s", (), 0.001, ("", "")),
        ("kW", "kWh", (("time", -1.0),), 1.0, ("", "")),
        ("$", "EUR", (("money_in_eur", -1.0), ("money_in_usd", 1.0)), 1.0, ("", "")),
        ("$ per month", "$ per year", (), 1.0, ("month", "year")),
    ],
)  # fmt: skip
def test_a_mismatch_says_what_differs(
    found: str, due: str, dims: tuple[tuple[str, float], ...], ratio: float, periods: tuple[str, str]
) -> None:
    mismatch = compare(unit(found), unit(due))
    assert mismatch is not None
    assert (mismatch.dims, mismatch.periods) == (dims, periods)
    assert mismatch.ratio == pytest.approx(ratio)


def test_the_dimensions_of_counted_things_need_not_agree() -> None:
    assert hard(unit("tok/s").dims or ()) == (("time", -1.0),)
    assert hard(unit("W/GPU").dims or ()) == hard(unit("W").dims or ())
    assert hard(()) == ()
    for a, b in (("W/GPU", "W"), ("$/GPU-h", "$/h"), ("J/token", "J"), ("tok/s", "request/s")):
        assert compare(unit(a), unit(b)) is None


@pytest.mark.parametrize("number", [1000.0, 1e-3, 1e6, 1e9, 1e12, 1024.0, 1024.0**2, GIB, 1 / GIB, 1.073741824, 1.024])
def test_conversions_between_prefixes(number: float) -> None:
    assert is_conversion(number)
    assert not is_time(number)


@pytest.mark.parametrize("number", [12.0, 24.0, 60.0, 365.0, 730.0, 3600.0, 8760.0, 86_400.0, 1 / 3600, 1 / 12, 30.0])
def test_numbers_that_count_time(number: float) -> None:
    assert is_time(number)
    assert not is_conversion(number)


@pytest.mark.parametrize("number", [0.0, 1.2, 2.0, 0.85, 80.0, 100.0, 5.5, math.inf, 0.0001])
def test_numbers_that_are_neither(number: float) -> None:
    assert not is_conversion(number)
    assert not is_time(number)


def test_kinds_of_a_product() -> None:
    monthly, yearly = unit("$ per month"), unit("$ per year")
    assert monthly.kind("period") == "month"
    assert monthly.with_kind("period", "").kind("period") == ""
    assert monthly.with_kind("period", "year").kinds == yearly.kinds
    assert multiply(monthly, literal(12.0)).kind("period") == "month"
    assert multiply(monthly, monthly, -1).kind("period") == ""
    dense = unit("TFLOP/s").with_kind("density", "dense")
    assert multiply(dense, unit("s")).kind("density") == "dense"
    assert literal(3.0).number == 3.0
    assert multiply(unit("GB"), literal(3.0)).number is None
    assert not UNKNOWN.known


@settings(deadline=None)
@given(ALL, st.sampled_from([1.0, 2.0, 8.0, 730.0, 1000.0, GIB, 0.85]))
def test_unknown_and_nan_say_nothing(name: str, number: float) -> None:
    value, odd = unit(name), replace(unit(name), factor=math.nan)
    for other in (UNKNOWN, odd, multiply(odd, literal(number)), multiply(UNKNOWN, unit("GB"))):
        assert compare(value, other) is None
        assert compare(other, value) is None
        assert compare(multiply(value, literal(number)), other) is None


@settings(deadline=None)
@given(ALL)
def test_everything_agrees_with_itself(name: str) -> None:
    assert compare(unit(name), unit(name)) is None


@settings(deadline=None)
@given(ALL, st.sampled_from([1000.0, 1.073741824, 8.0, 3600.0, 1e6, GIB]), st.booleans())
def test_a_scale_is_a_mismatch_until_its_literal_is_applied(name: str, scale: float, up: bool) -> None:
    value = unit(name)
    scaled = replace(value, factor=value.factor * (scale if up else 1 / scale))
    mismatch = compare(scaled, value)
    assert mismatch is not None
    assert not mismatch.dims
    assert compare(value, scaled) is not None
    assert compare(multiply(scaled, literal(scale), 1 if up else -1), value) is None


def test_agreement_is_symmetric() -> None:
    values = {n: unit(n) for n in (*NAMES, *PERIODIC) if n != "J/token"}  # a label may leave out "per million tokens"
    for (a, first), (b, second) in itertools.combinations(values.items(), 2):
        assert (compare(first, second) is None) == (compare(second, first) is None), (a, b)


@settings(deadline=None)
@given(UNITS, UNITS)
def test_dividing_undoes_multiplying(a: str, b: str) -> None:
    value = multiply(multiply(unit(a), unit(b)), unit(b), -1)
    assert value.dims == unit(a).dims
    assert value.factor == pytest.approx(unit(a).factor)
    assert compare(value, unit(a)) is None
    assert multiply(unit(a), unit(b)).dims == multiply(unit(b), unit(a)).dims
    assert multiply(unit(a), unit(a), -1).dims == ()


@settings(deadline=None)
@given(UNITS, st.sampled_from([2.0, 3.0, -1.0, 0.5]))
def test_powers(name: str, exponent: float) -> None:
    value = power(unit(name), exponent)
    back = power(value, 1 / exponent)
    assert back.dims == unit(name).dims
    assert back.factor == pytest.approx(unit(name).factor)
    assert power(unit(name), 0.0).dims == ()
    assert power(unit(name), 2.0).dims == multiply(unit(name), unit(name)).dims
    assert not power(UNKNOWN, exponent).known


@settings(deadline=None)
@given(ALL, st.lists(st.floats(allow_subnormal=False), max_size=8), st.booleans(), ALL)
def test_any_numbers_can_be_compared(name: str, numbers: list[float], divide: bool, due: str) -> None:
    value = unit(name)
    for number in numbers:
        value = multiply(value, literal(number), -1 if divide else 1)
    mismatch = compare(value, unit(due))
    assert mismatch is None or mismatch.dims or mismatch.ratio != 1.0 or mismatch.periods != ("", "")


def test_the_smallest_number_can_be_compared() -> None:
    compare(multiply(unit("GB"), literal(5e-324)), unit("GB"))  # does not raise


@settings(deadline=None)
@given(ALL, st.floats(1.01, 1.99))
def test_a_plain_factor_changes_no_unit(name: str, factor: float) -> None:
    if not is_conversion(factor):
        assert compare(multiply(unit(name), literal(factor)), unit(name)) is None


def test_factors_that_differ_in_a_kind_leave_none() -> None:
    dense = unit("TFLOP/s").with_kind("density", "dense")
    sparse = unit("TFLOP/s").with_kind("density", "sparse")
    assert multiply(dense, sparse).kind("density") == ""
