"""Quantities: a number with its unit, arithmetic that refuses what does not add, and reading what people type."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from mlsim.errors import UnitError, shorten
from mlsim.units.messages import conversion_hint
from mlsim.units.spelling import AMBIGUOUS, CURRENCIES, MAGNITUDES
from mlsim.units.unit import MAX_TEXT, Unit, either, is_counted, make_unit, merge_kinds, parse_unit

__all__ = ["Quantity", "parse", "quantity"]

_NUMBER = re.compile(
    rf"""(?P<sign>[+-]?)\s*(?P<currency>US\$|[$€£¥₹]|(?:{"|".join(CURRENCIES)})(?=\s*\d))?\s*(?P<sign2>[+-]?)
        (?P<digits>\d{{1,3}}(?:[ ,']\d{{3}})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)?|\.\d+)
        (?P<exponent>(?:[eE]|\s*(?:[x*×]\s*10\s*\^))\s*[+-]?\d+)?""",
    re.VERBOSE,
)


def _number(match: re.Match[str], text: str) -> float:
    digits = match["digits"]
    if re.fullmatch(r"\d{1,3}(?:[ ,']\d{3})+(?:\.\d+)?", digits):
        digits = re.sub(r"[ ,']", "", digits)
    elif "," in digits:  # "3,35 TB/s": a decimal comma, since a thousands group has three digits
        digits = digits.replace(",", ".")
    exponent = re.sub(r"^\s*(?:[eE]|[x*×]\s*10\s*\^)\s*", "", match["exponent"] or "0")
    value = float(f"{digits}e{exponent}")  # infinite rather than an OverflowError when it is out of range
    return -value if "-" in (match["sign"], match["sign2"]) else value


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """A value with a unit. ``si`` is the value in base units (bytes, seconds, FLOP, joules, dollars ...)."""

    value: float
    unit: Unit

    @property
    def si(self) -> float:
        """The value in base units."""
        return self.value * self.unit.factor

    @property
    def dimension(self) -> tuple[tuple[str, float], ...]:
        """The dimension, as :attr:`Unit.dimension`."""
        return self.unit.dimension

    @property
    def kinds(self) -> Mapping[str, str]:
        """The kinds, such as ``{"density": "dense"}``."""
        return self.unit.kinds

    def hint(self, expected: Unit) -> str:
        """Say why this cannot stand where ``expected`` is due, and how to mend it."""
        return conversion_hint(str(self), self.unit.dimension_name, expected.text, expected.dimension_name)

    def to(self, unit: str | Unit) -> Quantity:
        """Return the same quantity in another unit of the same dimension and kind."""
        target = parse_unit(unit) if isinstance(unit, str) else unit
        if target.dimension != self.unit.dimension:
            raise UnitError(self.hint(target))
        merge_kinds(self.kinds, target.kinds, "convert")
        return Quantity(self.si / target.factor, target if target.kinds else _with_kinds(target, self.kinds))

    def _added(self, other: object, sign: float) -> Quantity:
        doing = "add" if sign > 0 else "subtract"
        if not isinstance(other, Quantity):
            raise UnitError(
                f"Cannot {doing} a bare number ({other!r}) and {self}: a number without a unit may mean anything. "
                f"Write its unit, for example '{other!r} {self.unit.text}'."
            )
        if other.unit.dimension != self.unit.dimension:
            raise UnitError(f"Cannot {doing} {other} and {self}: {other.hint(self.unit)}")
        kinds = merge_kinds(self.kinds, other.kinds, doing)
        return Quantity((self.si + sign * other.si) / self.unit.factor, _with_kinds(self.unit, kinds))

    def __add__(self, other: object) -> Quantity:
        return self._added(other, 1.0)

    __radd__ = __add__

    def __sub__(self, other: object) -> Quantity:
        return self._added(other, -1.0)

    def __mul__(self, other: object) -> Quantity:
        return _combine(self, other, 1)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Quantity:
        return _combine(self, other, -1)

    def __rtruediv__(self, other: object) -> Quantity:
        return _combine(Quantity(_bare(other), make_unit("")), self, -1)

    def __neg__(self) -> Quantity:
        return Quantity(-self.value, self.unit)

    def __pow__(self, exponent: object) -> Quantity:
        if not isinstance(exponent, int) or isinstance(exponent, bool):
            raise UnitError(f"{self} can only be raised to a whole number, not to {exponent}.")
        result = Quantity(1.0, make_unit(""))
        for _ in range(abs(exponent)):
            result = result * self if exponent > 0 else result / self
        return result

    def __rpow__(self, base: object) -> Quantity:
        raise UnitError(f"{self} cannot be an exponent: only a bare number can.")

    def _comparable(self, other: object) -> float:
        if not isinstance(other, Quantity):
            raise UnitError(f"Cannot compare {self} with the bare number {other!r}: write its unit.")
        if other.unit.dimension != self.unit.dimension:
            raise UnitError(f"Cannot compare {self} with {other}: {other.hint(self.unit)}")
        merge_kinds(self.kinds, other.kinds, "compare")
        return other.si

    def __eq__(self, other: object) -> bool:
        return self.si == self._comparable(other)

    def __lt__(self, other: object) -> bool:
        return self.si < self._comparable(other)

    def __le__(self, other: object) -> bool:
        return self.si <= self._comparable(other)

    def __gt__(self, other: object) -> bool:
        return self.si > self._comparable(other)

    def __ge__(self, other: object) -> bool:
        return self.si >= self._comparable(other)

    def __hash__(self) -> int:
        return hash((self.si, self.unit.dimension))

    def __float__(self) -> float:
        if self.unit.dimension:
            raise UnitError(f"{self} is not a bare number: convert it, or divide it by a quantity of the same unit.")
        return self.si

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refuse NumPy functions such as ``log``: a quantity is not a bare number."""
        float(self)
        import numpy as np

        return np.asarray(self.si, dtype=dtype)

    def __str__(self) -> str:
        kinds = " ".join(self.kinds.values())
        return " ".join(filter(None, (_shortest(self.value), self.unit.text, kinds)))

    __repr__ = __str__


def _shortest(value: float) -> str:
    """Write a number with at most 12 significant digits: what a float can promise after a conversion."""
    return f"{value:.12g}"


def _with_kinds(unit: Unit, kinds: Mapping[str, str]) -> Unit:
    return unit if not kinds and not unit.kinds else Unit(unit.text, unit.factor, unit.dimension, kinds)


def _bare(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnitError(f"Expected a number or a quantity, got {shorten(value)}.")
    return float(value)


def _combine(a: Quantity, other: object, sign: int) -> Quantity:
    b = other if isinstance(other, Quantity) else Quantity(_bare(other), make_unit(""))
    if sign < 0 and b.si == 0:
        raise UnitError(f"Cannot divide {a} by zero ({b}).")
    if not b.unit.dimension and b.unit.factor == 1.0:
        return Quantity(a.value * b.value**sign, a.unit)
    base = dict(a.unit.dimension)
    for name, exponent in b.unit.dimension:
        base[name] = base.get(name, 0.0) + sign * exponent
    dimension = tuple(sorted((n, e) for n, e in base.items() if e))
    si = a.si * b.si**sign
    unit = _tidy_unit(dimension)
    kinds = {k: v for k, v in {**a.kinds, **b.kinds}.items() if a.kinds.get(k, v) == b.kinds.get(k, v)}
    return Quantity(si / unit.factor, _with_kinds(unit, kinds))


_BASE_UNITS = {
    "information": "byte", "operation": "flop", "integer_operation": "op", "time": "second", "energy": "joule",
    "mass_of_co2e": "gram_co2e", "water": "liter",
}  # fmt: skip
_FAMILIAR = ("watt", "hertz")


@cache
def _familiar() -> dict[tuple[tuple[str, float], ...], Unit]:
    return {u.dimension: u for u in map(make_unit, _FAMILIAR)}


@lru_cache(maxsize=1024)
def _tidy_unit(dimension: tuple[tuple[str, float], ...]) -> Unit:
    """Return the plain base unit for a dimension: ``B/s`` rather than ``TB*ms/h``."""
    if dimension in _familiar():
        return _familiar()[dimension]

    def base(name: str) -> str:
        return _BASE_UNITS.get(name, name.removeprefix("money_in_"))

    return make_unit("*".join(f"({base(n)})**{e:g}" for n, e in dimension))


def quantity(value: float, unit: str) -> Quantity:
    """Return ``value`` in ``unit``: ``quantity(80, "GB")``."""
    return Quantity(_bare(value), parse_unit(unit))


@lru_cache(maxsize=65536)
def parse(text: str) -> Quantity:
    """Read what a person types into a cell: ``"80 GiB"``, ``"3.35TB/s"``, ``"$2.50/h"``, ``"70 Bparam"``.

    Parameters
    ----------
    text : str
        A number with a unit. Thousands separators (``1,979``), decimal commas that cannot be a thousands group
        (``3,35``), currency signs in front and kinds behind (``"989 TFLOP/s bf16 dense"``) are understood.

    Returns
    -------
    Quantity

    Raises
    ------
    UnitError
        When there is no number, no unit, an unknown unit, or one that could mean two things.
    """
    if not isinstance(text, str):
        raise UnitError(f"Expected text such as '80 GiB', got {shorten(text)}.")
    if len(text) > MAX_TEXT:
        raise UnitError(f"A quantity is a few characters long; this text has {len(text):,}: {shorten(text)}.")
    stripped = unicodedata.normalize("NFC", text).replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")
    stripped = stripped.replace("−", "-").strip().lstrip("'")
    if not stripped:
        raise UnitError("The text is empty: write a number and a unit, such as '80 GiB'.")
    match = _NUMBER.match(stripped)
    if not match:
        raise UnitError(f"{shorten(text)} does not start with a number: write one and its unit, such as '80 GiB'.")
    if match["sign"] and match["sign2"]:
        raise UnitError(f"{shorten(text)} has two signs.")
    value = _number(match, text)
    if not math.isfinite(value):
        raise UnitError(f"{shorten(text)} is too large for a number.")
    rest = stripped[match.end() :].strip()
    if (rest[:1].isdigit() and not rest.startswith("1/")) or (rest[:1] in {".", ","} and rest[1:2].isdigit()):
        raise UnitError(f"{shorten(text)}: cannot tell thousands separators from the decimal point. Write it plainly.")
    if match["currency"]:
        magnitude = re.match(r"(k|K|M|B|bn|thousand|million|billion|trillion)\b", rest)
        if magnitude:
            value *= {"K": 1e3}.get(magnitude[1]) or MAGNITUDES[magnitude[1]]
            rest = rest[magnitude.end() :].strip()
        rest = f"{match['currency']}{'' if rest.startswith(('/', '*')) else ' '}{rest}".strip()
    elif not rest:
        raise UnitError(
            f"{shorten(text)} has no unit: a bare number may mean anything. Write one, such as '{text.strip()} GB'."
        )
    else:
        word = re.match(r"(thousand|million|billion|trillion|bn|k|M|B|T)\s+(?=\S)", rest)
        glued = re.match(r"([kMBT])(?=\s+\S)", rest)
        following = re.match(r"\S+", rest[word.end() :]) if word else None
        if word and following and is_counted(re.split(r"[/*-]", following.group())[0]):
            value *= MAGNITUDES[word[1]]
            rest = rest[word.end() :]
        elif glued and re.match(r"K\s", rest):
            raise UnitError(f"'K' is ambiguous in {shorten(text)}: {either(AMBIGUOUS['K'])}.")
        elif re.match(r"K\s+tok", rest):
            raise UnitError(f"'K' is ambiguous in {shorten(text)}: it could mean {either(AMBIGUOUS['Ktokens'])}.")
    found = Quantity(value, parse_unit(rest))
    if not math.isfinite(found.si):
        raise UnitError(f"{shorten(text)} is too large for a number.")
    return found
