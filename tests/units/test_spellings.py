"""What people really type, and what must be refused because it could mean two things."""

from pathlib import Path

import pytest

from mlsim.errors import UnitError
from mlsim.units import parse

_LINES = Path(__file__).with_name("spellings.txt").read_text(encoding="utf-8").splitlines()
SPELLINGS = [tuple(line.rsplit(" | ", 2)) for line in _LINES if line and not line.startswith("#")]


def test_there_are_enough_spellings() -> None:
    assert len(SPELLINGS) >= 200


@pytest.mark.parametrize(("text", "si", "dimension"), SPELLINGS)
def test_spelling(text: str, si: str, dimension: str) -> None:
    quantity = parse(text)
    assert quantity.si == pytest.approx(float(si), rel=1e-9)
    assert quantity.unit.dimension_name == dimension


AMBIGUOUS = {
    "989 TFLOPs": ("TFLOP (a count", "TFLOP/s (a rate"),
    "989 tflops": ("TFLOP (a count", "TFLOP/s (a rate"),
    "5 PFlops": ("PFLOP (a count", "PFLOP/s (a rate"),
    "3 teraflops": ("TFLOP (a count", "TFLOP/s (a rate"),
    "275 TOPs": ("TOP (a count", "TOP/s (a rate"),
    "4 GMACS": ("GMAC (a count", "GMAC/s (a rate"),
    "80 gb": ("GB", "Gb"),
    "80 gib": ("GiB", "Gib"),
    "512 mb": ("MB", "Mb"),
    "256 kb": ("kB", "kbit"),
    "2 tb/s": ("TB", "Tb"),
    "10 gbps": ("GBps", "Gbps"),
    "2 mw": ("MW", "mW"),
    "7B": ("billion", "byte"),
    "70 B": ("billion", "byte"),
    "8 b": ("bit", "billion"),
    "10 m": ("minute", "million"),
    "5 M": ("million", "mega"),
    "4K": ("1,000", "1,024"),
    "128K tokens": ("1,000 tokens", "1,024 tokens"),
    "128 Ktok": ("1,000 tokens", "1,024 tokens"),
    "80 G": ("10^9", "2^30"),
    "64 Gi": ("2^30 bytes", "2^30 bits"),
    "5 T": ("10^12", "trillion"),
    "25 t": ("tCO2e", "token"),
    "¥20/h": ("JPY", "CNY"),
}


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_ambiguous_spelling_is_refused_with_both_readings(text: str) -> None:
    with pytest.raises(UnitError, match="ambiguous") as error:
        parse(text)
    for reading in AMBIGUOUS[text]:
        assert reading in error.value.message


REFUSED = [
    "", "   ", "80", "1,979", "GB", "GiB 80", "fast", "80 furlongs", "20 degC", "5 K", "5 rad", "1.2.3 GB", "1,23,456 GB",
    "80 GB/", "80 /s/", "80 GB//s", "1e400 GB", "--5 GB", "80 GB + 5 GB", "=80 GB", "80 GB; DROP TABLE", "nan GB", "inf GB", "0/0", "0D0", "5 GB/0", "5 s^0", "5 GB/10^400", "5 " + "9" * 150 + " GB",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(UnitError) as error:
        parse(text)
    assert len(error.value.message) < 400


def test_huge_text_is_refused_without_reading_it() -> None:
    with pytest.raises(UnitError, match="10,000,000") as error:
        parse("8" * 10_000_000)
    assert len(error.value.message) < 300


def test_suggestion() -> None:
    with pytest.raises(UnitError, match="Did you mean"):
        parse("80 GBi")
