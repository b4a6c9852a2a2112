"""Arithmetic that a spreadsheet would let through: refused, or given its right meaning."""

import contextlib
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.errors import UnitError
from mlsim.units import Quantity, parse, parse_unit, quantity
from mlsim.units.spelling import AMBIGUOUS, spellings

Q = quantity

# The mixes that a general-purpose unit library lets through or gets wrong; the unit library of a published
# simulator of ML systems accepts 24 of them. Each must raise here.
WRONG: dict[str, Callable[[], object]] = {
    "GB + TFLOP/s": lambda: Q(80, "GB") + Q(989, "TFLOP/s"),
    "TFLOP/s + TB/s": lambda: Q(989, "TFLOP/s") + Q(3.35, "TB/s"),
    "FLOP + FLOP/s": lambda: Q(1, "TFLOP") + Q(1, "TFLOP/s"),
    "TFLOPs as a rate": lambda: Q(989, "TFLOPs"),
    "TOPS (int8) + TFLOP/s (fp16)": lambda: Q(1979, "TOPS") + Q(989, "TFLOP/s"),
    "GB + parameters": lambda: Q(14, "GB") + Q(7e9, "param"),
    "parameters -> GB": lambda: Q(7e9, "param").to("GB"),
    "$ + GB": lambda: Q(25000, "USD") + Q(1, "GB"),
    "$ + tokens": lambda: Q(5, "USD") + Q(3, "token"),
    "tokens -> $": lambda: Q(1e6, "token").to("USD"),
    "EUR -> USD": lambda: Q(100, "EUR").to("USD"),
    "tokens/s + GB/s": lambda: Q(100, "token/s") + Q(1, "GB/s"),
    "tokens/s + Hz": lambda: Q(100, "token/s") + Q(1, "Hz"),
    "1/s -> Gbps": lambda: Q(100, "1/s").to("Gbps"),
    "$/h + W": lambda: Q(2, "USD/hour") + Q(700, "W"),
    "$/h -> GB/s": lambda: Q(2, "USD/hour").to("GB/s"),
    "kW + kWh": lambda: Q(10, "kW") + Q(10, "kWh"),
    "bare 5 + GB": lambda: 5 + Q(1, "GB"),
    "bare 5 + token": lambda: 5 + Q(1, "token"),
    "bare 0.4 (MFU) + parameters": lambda: 0.4 + Q(1, "param"),
    "percent + count": lambda: Q(40, "percent") + Q(1, "count"),
    "1 GB == 8e9": lambda: Q(1, "GB") == 8e9,
    "log(GB)": lambda: np.log(Q(1, "GB")),
    "math.log(GB)": lambda: math.log(Q(1, "GB")),
    "GB ** GB": lambda: Q(2, "GB") ** Q(1, "byte"),
    "rad + GB": lambda: Q(1, "radian") + Q(1, "GB"),
    "degC + degC": lambda: Q(20, "degC") + Q(5, "degC"),
    "K: kelvin or 1000": lambda: Q(7, "K"),
    "7B: bytes or billion": lambda: parse("7B"),
    "80 gb: bits or bytes": lambda: parse("80 gb"),
    "per GPU + per node": lambda: parse("900 GB/s/GPU") + parse("50 GB/s/node"),
    "both directions + one direction": lambda: parse("900 GB/s bidirectional") + parse("450 GB/s per direction"),
    "dense + sparse": lambda: parse("989 TFLOP/s dense") + parse("1979 TFLOP/s sparse"),
    "IT + facility energy": lambda: parse("10 kWh IT") + parse("10 kWh facility"),
    "mean + p99": lambda: parse("20 ms mean") + parse("20 ms p99"),
    "total + active parameters": lambda: parse("671B total params") + parse("37B active params"),
    "input + output tokens": lambda: parse("500 input tokens") + parse("200 output tokens"),
    "GPU-hours -> hours": lambda: parse("100 GPU-h").to("h"),
    "$/node-h -> $/GPU-h": lambda: parse("98 $/node-h").to("$/GPU-h"),
    "$/h -> $/GPU-h": lambda: parse("98 $/h").to("$/GPU-h"),
    "fp8 peak + bf16 peak": lambda: parse("1979 TFLOP/s fp8") + parse("989 TFLOP/s bf16"),
    "FLOP < bytes": lambda: Q(1, "FLOP") < Q(1, "byte"),
}


@pytest.mark.parametrize("mix", WRONG)
def test_wrong_mix_is_refused(mix: str) -> None:
    with pytest.raises(UnitError) as error:
        WRONG[mix]()
    assert error.value.code == "#VALUE!"
    assert error.value.message[0].isupper() or error.value.message[0] in "'\"0123456789"


# The mixes that are right, and what they mean.
RIGHT: dict[str, tuple[Callable[[], Quantity], float]] = {
    "GB + GiB": (lambda: Q(80, "GB") + Q(80, "GiB"), 165.89934592),
    "80 GB -> GiB": (lambda: Q(80, "GB").to("GiB"), 74.5058059692),
    "GB + Gbit": (lambda: Q(1, "GB") + Q(1, "Gbit"), 1.125),
    "Gbps + GB/s": (lambda: Q(400, "Gbps") + Q(50, "GB/s"), 800.0),
    "kWh + J": (lambda: Q(1, "kWh") + Q(3.6e6, "J"), 2.0),
    "ms + s": (lambda: Q(1, "ms") + Q(1, "s"), 1001.0),
    "70 B params": (lambda: parse("70 B params").to("Gparam"), 70.0),
    "80 Gb is 10 GB, not gilbert": (lambda: parse("80 Gb").to("GB"), 10.0),
    "1 Tb is 125 GB, not terabarn": (lambda: parse("1 Tb").to("GB"), 125.0),
    "TB/s -> Tbit/s": (lambda: parse("3.35 TB/s").to("Tbit/s"), 26.8),
    "GB / (TB/s)": (lambda: (parse("140 GB") / parse("3.35 TB/s")).to("ms"), 41.7910447761),
    "W * h": (lambda: (parse("700 W") * parse("24 h")).to("kWh"), 16.8),
    "$/GPU-h * GPU * h": (lambda: (parse("2.5 $/GPU-h") * parse("8 GPUs") * parse("10 h")).to("$"), 200.0),
    "GB/($/h) * $/h": (lambda: (parse("30 GB/($/h)") * parse("2 $/h")).to("GB"), 60.0),
    "TB/s ** 2 / TB/s": (lambda: (parse("2 TB/s") ** 2 / parse("1 TB/s")).to("TB/s"), 4.0),
    "2 * GB": (lambda: 2 * parse("3 GB"), 6.0),
}


@pytest.mark.parametrize("mix", RIGHT)
def test_right_mix(mix: str) -> None:
    make, value = RIGHT[mix]
    assert make().value == pytest.approx(value, rel=1e-9)


def test_ratio_of_equal_units_is_a_number() -> None:
    assert float(parse("40 GB") / parse("80 GB")) == 0.5


@pytest.mark.parametrize(
    ("text", "unit", "sentence"),
    [
        ("80 TFLOP", "TFLOP/s", "write FLOP/s"),
        ("70 Gparam", "GB", "bytes per parameter"),
        ("10 kWh", "kW", "divide by hours"),
        ("98 $/node-h", "$/GPU-h", "devices per node"),
        ("100 EUR", "USD", "exchange rate"),
        ("989 TFLOP/s", "TB/s", "compute peak"),
    ],
)
def test_message_names_the_fix(text: str, unit: str, sentence: str) -> None:
    with pytest.raises(UnitError, match=sentence):
        parse(text).to(unit)


finite = st.floats(min_value=1e-12, max_value=1e12, allow_nan=False)
units = st.sampled_from(
    ["GB", "GiB", "TB/s", "TFLOP/s", "ms", "kWh", "$/GPU-h", "token/s", "gCO2e/kWh", "Gparam", "Gbps"]
)


@given(finite, units)
def test_printed_quantity_reads_back(value: float, unit: str) -> None:
    made = quantity(value, unit)
    again = parse(str(made))
    assert again.si == pytest.approx(made.si, rel=1e-11)
    assert again.dimension == made.dimension


@given(finite, st.sampled_from(["GB", "GiB", "MiB", "TB", "Gbit", "byte"]), st.sampled_from(["GB", "KiB", "Tbit"]))
def test_conversion_there_and_back(value: float, unit: str, other: str) -> None:
    made = quantity(value, unit)
    assert made.to(other).to(unit).value == pytest.approx(value, rel=1e-12)


@given(finite, finite, units)
def test_addition_commutes(a: float, b: float, unit: str) -> None:
    assert (quantity(a, unit) + quantity(b, unit)).si == pytest.approx((quantity(b, unit) + quantity(a, unit)).si)


@given(finite, units, finite, units)
def test_division_undoes_multiplication(a: float, unit: str, b: float, other: str) -> None:
    back = quantity(a, unit) * quantity(b, other) / quantity(b, other)
    assert back.si == pytest.approx(quantity(a, unit).si, rel=1e-9)
    assert back.dimension == quantity(a, unit).dimension


pieces = st.sampled_from(
    [*"0123456789.,/*^-+()$%€ ", "1e3", "GB", "TB/s", "GPU", "h", "per", "M", "K", "s", "10^", "CO2e", "×"]
)


@settings(deadline=None, max_examples=1500)
@given(
    st.one_of(
        st.text(max_size=40), st.lists(pieces, max_size=10).map("".join), st.lists(pieces, max_size=8).map(" ".join)
    )
)
def test_any_text_is_a_quantity_or_a_sentence(text: str) -> None:
    with contextlib.suppress(UnitError):  # any other exception fails
        assert math.isfinite(parse(text).si)


def test_every_spelling_has_a_unit_and_none_is_ambiguous() -> None:
    for spelled in spellings():
        if spelled not in {"%", "$", "US$"}:
            parse_unit(spelled)
    assert not spellings().keys() & AMBIGUOUS.keys()
