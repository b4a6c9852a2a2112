"""Units of spreadsheet cells: dimensions, scale, kinds, and what the bare numbers in a formula may stand for.

A number in a formula may be a plain factor (1.2), a conversion (1024^3, 3600), a duration (730 hours), bytes per
parameter (2) or a price. A result agrees with the unit its cell states when *some* reading of the numbers makes it
agree; only when none does is there a mistake. That is what keeps the checker silent on correct sheets.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

__all__ = [
    "BUILT",
    "COUNTABLE",
    "PERIODS",
    "THINGS",
    "UNKNOWN",
    "Dims",
    "Mismatch",
    "Value",
    "add_dims",
    "compare",
    "counts_something",
    "hard",
    "has_money",
    "has_number",
    "is_conversion",
    "is_open",
    "is_time",
    "literal",
    "mantissa",
    "multiply",
    "only_conversions",
    "only_money",
    "power",
]

Dims = tuple[tuple[str, float], ...]

THINGS = (
    "replica",
    "drive",
    "slot",
    "optic",
    "switch",
    "camera",
)  # what sheets count besides GPUs, nodes, racks, users
_SOFT = frozenset(
    ("token", "parameter", "request", "sample", "step", "user", "count", "device", "node", "rack", "link", *THINGS)
)
BUILT = ("device", "node", "rack", *THINGS)
COUNTABLE = frozenset((*BUILT, "user"))
_UNSEEN = _SOFT - {"token"}
PERIODS = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_628_000.0, "year": 31_536_000.0}


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of the number in a cell, or of a part of a formula.

    Attributes
    ----------
    dims : tuple, optional
        Dimension as (name, exponent) pairs; None when it is not known.
    factor : float
        Base units in one unit of the number: 1e9 for GB. NaN when only the dimension is known.
    kinds : frozenset
        (category, kind) pairs such as ("density", "sparse") or ("period", "month").
    numbers : tuple of float
        Bare numbers multiplied in, whose role is open.
    parts : frozenset
        Names of the quantities multiplied in ("layers", "PUE"), and "1/..." for those divided by.
    number : float, optional
        The value itself, when it is a bare number written in a formula.
    text : str
        The unit as the sheet writes it, for messages.
    """

    dims: Dims | None = None
    factor: float = 1.0
    kinds: frozenset[tuple[str, str]] = frozenset()
    numbers: tuple[float, ...] = ()
    parts: frozenset[str] = frozenset()
    number: float | None = None
    text: str = ""

    @property
    def known(self) -> bool:
        """Whether the dimension is known."""
        return self.dims is not None

    def kind(self, category: str) -> str:
        """Return the kind of a category, or "" where there is none or the factors of a product differ in it."""
        found = [k for c, k in self.kinds if c == category]
        return found[0] if len(found) == 1 else ""

    def with_kind(self, category: str, kind: str) -> Value:
        """Return the value with one kind replaced ("" removes it)."""
        kept = {(c, k) for c, k in self.kinds if c != category}
        return replace(self, kinds=frozenset(kept | ({(category, kind)} if kind else set())))


UNKNOWN = Value()


def literal(number: float) -> Value:
    """Return the value of a bare number written in a formula."""
    return Value(dims=(), numbers=(number,), number=number)


@lru_cache(maxsize=65536)
def add_dims(a: Dims, b: Dims, sign: float) -> Dims:
    """Return the dimensions of a product, or of a quotient for sign -1."""
    total = dict(a)
    for name, exponent in b:
        total[name] = total.get(name, 0.0) + sign * exponent
    return tuple(sorted((n, e) for n, e in total.items() if e))


@lru_cache(maxsize=65536)
def hard(dims: Dims) -> Dims:
    """Return the dimensions that must agree: counts of things (tokens, GPUs) are left out of many labels."""
    return tuple((n, e) for n, e in dims if n not in _SOFT)


def has_money(value: Value) -> bool:
    """Tell whether a unit is an amount of money, or a price."""
    return any(n.startswith("money_in_") for n, _ in value.dims or ())


def either_way(found: Value, due: Value) -> bool:
    """Tell whether a rate is that of a pair such as "EUR/USD", which a bank writes for dollars per euro."""
    turned = tuple((n, -e) for n, e in due.dims or ())
    return bool(_PAIR.search(due.text)) and len(turned) == 2 and found.dims == turned and has_money(due)


_PAIR = re.compile(r"\b[A-Z]{3}/[A-Z]{3}\b")


def only_money(value: Value | None) -> bool:
    """Tell whether a unit is an amount of money, and per nothing."""
    return value is not None and len(value.dims or ()) == 1 and has_money(value)


def counts_something(value: Value) -> bool:
    """Tell whether a unit says what is counted: GPUs, tokens; not only hours, energy or bytes."""
    return any(e > 0 and n not in ("time", "energy", "information") for n, e in value.dims or ())


@lru_cache(maxsize=4096)
def _each(dims: Dims) -> str:
    """Return the two things that a count of one per other is about: "device each replica" for GPUs per replica."""
    names = [n for n, _ in dims if n in COUNTABLE]
    return " each ".join(names) if len(names) == len(dims) == 2 and dims[0][1] * dims[1][1] < 0 else ""


# A chain of cells that each use the last one twice doubles its numbers in every line; nobody can read as many.
_MOST_NUMBERS = 32


def multiply(a: Value, b: Value, sign: int = 1) -> Value:
    """Return a × b, or a / b for sign -1."""
    if sign > 0:
        a, b = _as_often(a, b), _as_often(b, a)
    if a.number is not None and b.number is not None and a.number in (0.0, 1.0) and sign < 0:
        a = replace(a, numbers=())  # 1/x
    elif a.number == 1.0:
        a = replace(a, numbers=(), parts=a.parts | {"one"})
    numbers = tuple(n if sign > 0 else (1 / n if n else math.inf) for n in b.numbers if b.number != 1.0)
    seen = frozenset("~" + n for side in (a, b) for n, _ in side.dims or () if n not in _UNSEEN)
    if any(side.dims == (("time", 1.0),) and side.factor in (1e-3, 1e-6) for side in (a, b)):
        seen |= {"~ms"}
    seen |= {"~" + found for side in (a, b) if (found := _each(side.dims or ()))}  # "~": divided by or not, it stays
    parts = seen | (
        b.parts
        if sign > 0
        else frozenset(p[2:] if p.startswith("1/") else p if p[0] == "~" else "1/" + p for p in b.parts)
    )
    kinds = _merge(a, b, sign)
    if len(a.numbers) + len(numbers) > _MOST_NUMBERS:
        return Value(None, 1.0, kinds, (), a.parts | parts)
    if a.dims is None or b.dims is None:
        return Value(None, 1.0, kinds, a.numbers + numbers, a.parts | parts)
    factor = a.factor * b.factor**sign
    return Value(add_dims(a.dims, b.dims, sign), factor, kinds, a.numbers + numbers, a.parts | parts)


_A_PERIOD = {
    "month": ("/month", "/mo", "/Monat", "/mois"),
    "year": ("/year", "/yr", "/a", "/Jahr", "/an"),
    "day": ("/day", "/d", "/Tag", "/jour"),
}
_PERIODS_IN_WORDS = frozenset(("months", "years", "days", "Monate", "Jahre", "Tage", "mois", "ans", "jours"))


def _as_often(a: Value, b: Value) -> Value:
    """Return a figure per hour or day as a rate where it is multiplied by the hours or days of a longer period."""
    seconds = PERIODS.get(a.kind("period"), 0.0)
    so_many = a.text.endswith(_A_PERIOD.get(a.kind("period"), "?")) and b.text in _PERIODS_IN_WORDS
    often = b.kind("period") or a.text == "%" or so_many
    if a.dims is None or b.dims != (("time", 1.0),) or b.factor != seconds or not often:
        return a
    rate = replace(a, dims=add_dims(a.dims, (("time", -1.0),), 1.0), factor=a.factor / seconds)
    return rate.with_kind("period", "")


def _merge(a: Value, b: Value, sign: int) -> frozenset[tuple[str, str]]:
    """Return the kinds of a product: periods cancel in a ratio, the rest is kept."""
    kinds = set(a.kinds | b.kinds)
    first, second = a.kind("period"), b.kind("period")
    if second:
        kinds.discard(("period", second))
        if sign > 0 or not first:
            other = first or (second if sign > 0 else "1/" + second)
            kinds.discard(("period", first))
            kinds.add(("period", other))
        elif first == second:
            kinds.discard(("period", first))
    boundary = a.kind("boundary")
    if sign < 0 and boundary and boundary == b.kind("boundary"):
        kinds.discard(("boundary", boundary))  # a mean weighted with energy is none of energy
    if sign > 0 and any(side.parts == {"PUE"} for side in (a, b)):
        kinds.discard(("boundary", "IT"))  # and what PUE adds to it
    for share, whole in ((a, b), (b, a)):  # a share of IT energy, of that of the site
        if share.dims == () and "share" in share.parts and not whole.kind("boundary") and hard(whole.dims or ()):
            kinds.discard(("boundary", share.kind("boundary")))
    if a.kind("statistic") and not b.dims:  # a mean times a factor stays a mean
        kinds -= {k for k in b.kinds if k[0] == "statistic"}
    elif a.kind("statistic") and b.kind("statistic") and a.dims is not None and not hard(a.dims) and hard(b.dims or ()):
        kinds -= {k for k in a.kinds if k[0] == "statistic"}  # the mean number of tokens, at the p50 of each
    return frozenset(kinds)


def power(a: Value, exponent: float) -> Value:
    """Return a to a whole or half power."""
    if a.dims is None:
        return UNKNOWN
    dims = tuple((n, e * exponent) for n, e in a.dims if e * exponent)
    try:
        return Value(dims, a.factor**exponent, a.kinds, tuple(n**exponent for n in a.numbers if n > 0), a.parts)
    except OverflowError:
        return UNKNOWN


# --- the roles of bare numbers -------------------------------------------------------------------------------------

_BYTES = frozenset((0.5, 0.5625, 0.55, 0.6, 0.75, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0))
_FLOPS = frozenset((2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 18.0, 24.0))
_TIMES = frozenset(
    (7.0, 12.0, 24.0, 28.0, 30.0, 30.4, 30.42, 30.5, 31.0, 52.0, 60.0, 168.0, 365.0, 365.25, 366.0, 720.0, 730.0, 730.5,
     744.0, 1440.0, 3600.0, 8760.0, 8766.0, 8784.0, 86400.0, 2628000.0, 2592000.0, 604800.0, 31536000.0, 525600.0,
     43800.0, 43200.0, 4.33, 4.345, 30.4375, 730.48)
)  # fmt: skip
_ONLY_TIME = frozenset((3600.0, 86400.0, 8760.0, 8766.0, 2628000.0, 2592000.0, 31536000.0, 525600.0))
# ... and these too, where time is in play: months of a year are not a plain factor among prices per month.
_TIMED = _ONLY_TIME | {12.0, 365.0, 365.25, 366.0, 730.0, 720.0, 744.0, 730.5, 52.0, 168.0}
_DURATIONS = (1.0, 60.0, 3600.0, 86_400.0, 2_628_000.0)


def _whole_power(value: float, base: float) -> bool:
    if value < base * 0.999:
        return False
    exponent = round(math.log(value, base))
    return abs(value / base**exponent - 1) < 1e-9


@lru_cache(maxsize=4096)
def has_number(value: Value, *wanted: float) -> bool:
    """Tell whether one of some numbers, or its inverse, stands in a product."""
    return any(abs(n / w - 1) < 1e-9 or abs(n * w - 1) < 1e-9 for n in value.numbers if n for w in wanted)


def is_conversion(number: float) -> bool:
    """Tell whether a number can only convert between prefixes: 1000, 1e9, 1024^3, 1.073741824."""
    w = abs(number)
    if not 1e-40 < w < 1e40:  # nothing is converted by as much; 1 / 5e-324 is infinite
        return False
    w = w if w >= 1 else 1 / w
    return (
        _whole_power(w, 1000.0)
        or _whole_power(w, 1024.0)
        or any(abs(w / 1.024**k - 1) < 1e-6 for k in (1, 2, 3, 4))
        or w in (8e9, 8e6, 8e3, 3.6e6, 3.6e9)
    )


def only_conversions(value: Value, *also: float) -> bool:
    """Tell whether a product has no bare numbers but those that convert, and some others."""
    return all(is_conversion(n) or is_time(n) or n in also for n in value.numbers)


def mantissa(factor: float) -> float:
    """Return a factor without its powers of 1000: 2 for the GMAC of 2e9 operations."""
    return factor / 10.0 ** (3 * round(math.log10(factor) / 3)) if factor > 0 else 0.0


@lru_cache(maxsize=4096)
def is_time(number: float) -> bool:
    """Tell whether a number is one of those that count hours, days or months in one another."""
    w = abs(number)
    w = w if w >= 1 else 1 / w if w else 0.0
    return any(abs(w / t - 1) < 1e-6 for t in _TIMES)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of all bare numbers of a product."""

    dims: Dims
    factor: float
    seconds: float = 0.0  # of the duration that the numbers stand for; 0: none
    wild: bool = False  # some number may carry any unit


@lru_cache(maxsize=8192)
def _roles(number: float) -> tuple[tuple[Dims, float, bool], ...]:
    """Return what one number may be: (dimension it brings, divisor of the factor, is it a wildcard)."""
    w = abs(number)
    if not w or math.isinf(w) or math.isnan(w):
        return (((), 1.0, True),)
    big = w if w >= 1 else 1 / w
    if is_conversion(number):
        return (((), w, False),)
    roles: list[tuple[Dims, float, bool]] = []
    if not any(abs(big / t - 1) < 1e-9 for t in _ONLY_TIME):
        roles.append(((), 1.0, False))
    if any(abs(big / x - 1) < 1e-9 for x in (2.0, 3.6, 8.0, 100.0)):
        roles.append(((), w, False))
    for small, name in ((_BYTES, "information"), (_FLOPS, "operation")):
        if any(abs(w / b - 1) < 1e-9 for b in small):
            roles.append((((name, 1.0),), 1.0, False))
        if any(abs(1 / w / b - 1) < 1e-9 for b in small):
            roles.append((((name, -1.0),), 1.0, False))
    mantissa, exponent = _split(w)
    if exponent and mantissa != 1.0:  # 80e9: a count with a prefix written out
        roles.append(((), 10.0**exponent, False))
        if any(abs(mantissa / b - 1) < 1e-9 for b in _BYTES):
            roles.append(((("information", 1.0),), 10.0**exponent, False))
        if any(abs(mantissa / b - 1) < 1e-9 for b in _FLOPS):
            roles.append(((("operation", 1.0),), 10.0**exponent, False))
    whole = (w in _BYTES and w >= 1) or w in _FLOPS or 1 / w in (4.0, 8.0, 16.0)
    if not ((1.0 <= w < 2.0 and _plain_factor(w)) or big in (2.0, 8.0, 100.0) or whole or is_time(number)):
        roles.append(((), 1.0, True))
    return tuple(roles)


@lru_cache(maxsize=4096)
def is_open(number: float) -> bool:
    """Tell whether a bare number may be a quantity of any unit: a capacity, a price."""
    return any(wild for _, _, wild in _roles(number))


def _plain_factor(w: float) -> bool:
    """Tell an overhead such as 1.2 or 1.25 from a price such as 1.29."""
    return any(abs(x - round(x)) < 1e-9 for x in (20 * w, 20 / w)) or (
        w < 1.1 and any(abs(x - round(x)) < 1e-9 for x in (1000 * w, 100 / w))
    )


def _split(w: float) -> tuple[float, int]:
    """Return (mantissa, exponent in threes) of a number such as 80e9 or 2e-6."""
    if 1e-3 < w < 1000 or not 1e-290 < w < 1e290:
        return w, 0
    exponent = 3 * math.floor(math.log10(w) / 3)
    return float(f"{w / 10.0**exponent:.12g}"), exponent


@lru_cache(maxsize=65536)
def _readings(numbers: tuple[float, ...], timed: bool = False) -> tuple[_Reading, ...]:
    """Return every reading of the bare numbers of a product."""
    times = [n for n in numbers if is_time(n)]
    others = [n for n in numbers if not is_time(n)]
    if len(others) > 5:
        return (_Reading((), 1.0, wild=True),)
    found: list[_Reading] = []
    choices = [_roles(n) for n in others]
    for combination in itertools.product(*choices):
        dims: Dims = ()
        factor, wild = 1.0, False
        for brought, divisor, any_unit in combination:
            dims = add_dims(dims, brought, 1.0)
            factor /= divisor
            wild |= any_unit
        found += (
            _both_readings(_Reading(dims, factor, wild=wild), extra) for extra in _time_readings(tuple(times), timed)
        )
    return tuple(dict.fromkeys(found))


def _both_readings(base: _Reading, extra: _Reading) -> _Reading:
    """Combine two readings."""
    return _Reading(
        add_dims(base.dims, extra.dims, 1.0), base.factor * extra.factor, extra.seconds, base.wild or extra.wild
    )


@lru_cache(maxsize=4096)
def _time_readings(times: tuple[float, ...], timed: bool) -> tuple[_Reading, ...]:
    """Return the readings of the numbers that may count hours or days: factors, conversions, a duration."""
    if not times:
        return (_Reading((), 1.0),)
    found = []
    for chosen in itertools.product((0, 1), repeat=len(times)) if len(times) < 5 else [(1,) * len(times)]:
        plain = [t for t, c in zip(times, chosen, strict=True) if not c]
        product = math.prod(t for t, c in zip(times, chosen, strict=True) if c)
        if any(_big(t) in (_TIMED if timed else _ONLY_TIME) for t in plain):
            continue
        roles: list[tuple[Dims, float, bool]] = [((), 1.0, False)]
        for t in plain:
            roles = [
                (add_dims(d, brought, 1.0), f / divisor, wild)
                for d, f, wild in roles
                for brought, divisor, _ in _roles(t)
                if not brought or len(plain) == 1
            ]
        for dims, factor, _ in roles:
            if not any(chosen):
                found.append(_Reading(dims, factor))
                continue
            found.append(_Reading(dims, factor / product))  # a conversion
            for unit in _DURATIONS:
                if not _period_of(product * unit if product >= 1 else unit / product):
                    continue  # 365 days are a year; 365 months are nothing
                if product >= 1:
                    found.append(_Reading(add_dims(dims, (("time", 1.0),), 1.0), factor * unit, product * unit))
                else:
                    found.append(_Reading(add_dims(dims, (("time", -1.0),), 1.0), factor / unit, unit / product))
    return tuple(found)


def _big(number: float) -> float:
    return number if number >= 1 else 1 / number


# --- comparing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why two values do not agree: the dimensions that differ, or the ratio of their scales, or their periods."""

    dims: Dims = ()  # of the first over the second, counted things left out
    ratio: float = 1.0
    periods: tuple[str, str] = ("", "")


_EXACT = 2e-3
_CALENDAR = 0.045  # 720, 730 and 744 hours are all called a month


def compare(found: Value, due: Value) -> Mismatch | None:
    """Compare a computed value with the one that is due; None when some reading makes them agree, or nobody knows."""
    if found.dims is None or due.dims is None:
        return None
    best: Mismatch | None = None
    timed = bool(found.kind("period") or due.kind("period")) or any(n == "time" for n, _ in (*found.dims, *due.dims))
    for mine in _readings(found.numbers, timed):
        for theirs in _readings(due.numbers, timed) if due.numbers else (_Reading((), 1.0),):
            for first, second in _variants(found, due, mine, theirs):
                mismatch = _difference(found, due, mine, first, second, mine.wild or theirs.wild)
                if mismatch is None:
                    return None
                if best is None or _badness(mismatch) < _badness(best):
                    best = mismatch
    return best


def _badness(m: Mismatch) -> tuple[int, bool, float]:
    """Rank explanations: a wrong scale before a wrong dimension, a factor that people forget before any, the nearest first."""
    usable = m.ratio > 0 and math.isfinite(m.ratio)
    usual = m.ratio == 1.0 or any(
        abs(r - 1.0) < 1e-9 or is_conversion(r) or is_time(r) for r in (m.ratio, 8.0 * m.ratio, m.ratio / 8.0)
    )
    return len(m.dims), not (usable and usual), abs(math.log10(m.ratio)) if usable else 99.0


def _variants(
    found: Value, due: Value, mine: _Reading, theirs: _Reading
) -> Iterator[tuple[tuple[Dims, float, str], tuple[Dims, float, str]]]:
    """Yield both sides as (dimension, factor, period); a figure per month is an amount in a month, or a rate."""
    assert found.dims is not None
    assert due.dims is not None
    a = hard(add_dims(found.dims, mine.dims, 1.0)), found.factor * mine.factor, found.kind("period")
    b = hard(add_dims(due.dims, theirs.dims, 1.0)), due.factor * theirs.factor, due.kind("period")
    for first in _as_rate(a):
        for second in _as_rate(b):
            yield first, second


_RATE = "rate"  # in place of the period: it has become part of the dimension


def _as_rate(side: tuple[Dims, float, str]) -> Iterator[tuple[Dims, float, str]]:
    yield side
    dims, factor, period = side
    inverse = period.startswith("1/")
    seconds = PERIODS.get(period.removeprefix("1/"))
    if seconds:
        sign = 1.0 if inverse else -1.0
        yield add_dims(dims, (("time", sign),), 1.0), factor * seconds**sign, _RATE


def _difference(
    found: Value, due: Value, reading: _Reading, first: tuple[Dims, float, str], second: tuple[Dims, float, str],
    wild: bool,
) -> Mismatch | None:  # fmt: skip
    """Compare one reading; None when it agrees."""
    dims = add_dims(first[0], second[0], -1.0)
    if dims:
        amount = [n for n, _ in (second[0] if dims == (("time", -1.0),) else first[0]) if n != "time"]
        if (
            amount  # not of pure times: a number of days is no day's worth of anything
            and _RATE not in (first[2], second[2])
            and dims in ((("time", -1.0),), (("time", 1.0),))
            and _per_period(first, second, dims[0][1])
        ):
            return None
        return None if wild else Mismatch(dims)
    ratio = first[1] / second[1] if second[1] else math.nan
    if not 0.0 < ratio < math.inf:
        return None
    calendar = bool(reading.seconds) or any(is_time(n) for n in found.numbers + due.numbers)
    calendar |= bool(found.kind("period") or due.kind("period")) or any(n == "time" for n, _ in first[0])
    if abs(math.log10(ratio) / 3 - round(math.log10(ratio) / 3)) < 1e-6 and _per_counted(found, due, ratio):
        return None  # a label that leaves out "per million tokens"
    if abs(ratio - 1) > (_CALENDAR if calendar and min(abs(ratio - 1.024), abs(ratio - 1 / 1.024)) > 1e-3 else _EXACT):
        return Mismatch(ratio=_forgotten(ratio) if calendar else ratio)
    return _periods_differ(found, due, reading, first, second)


def _forgotten(ratio: float) -> float:
    """Return the factor that somebody forgot, where another month was meant: 7.89 is 8, with a month of 30 days."""
    signs = ((x, sign) for x in (8.0, 12.0, 24.0, 60.0, 1e3, 3600.0, 1e6) for sign in (1, -1))
    return next((x**sign for x, sign in signs if abs(ratio / x**sign - 1) < 0.02), ratio)


def _per_counted(found: Value, due: Value, ratio: float) -> bool:
    """Tell whether a figure is per token or request on one side and the other side does not say: "days for 1T tokens"."""
    a, b = dict(found.dims or ()), dict(due.dims or ())
    if any(n.startswith("money_in_") or n in ("energy", "mass_of_co2e") for n in a):
        counted = ("token", "request", "sample")
        scaled = any(is_conversion(n) for n in (*found.numbers, *due.numbers))
        return any(
            (a.get(n, 0.0) < 0 and not b.get(n)) or (scaled and b.get(n, 0.0) < 0 and not a.get(n)) for n in counted
        )
    big = max(ratio, 1 / ratio)
    return (
        big >= 1e9
        and a.get("token", 0.0) < 0
        and not b.get("token")
        and any(abs(n / big - 1) < 1e-9 for n in found.numbers)
    )


def _per_period(first: tuple[Dims, float, str], second: tuple[Dims, float, str], exponent: float) -> bool:
    """Tell whether one side is an amount and the other the same amount per day, week, month or year."""
    if exponent < 0:
        ratios = (first[1] * s / second[1] for p, s in PERIODS.items() if p != "hour" and second[2] in ("", p))
    else:
        ratios = (second[1] * s / first[1] for p, s in PERIODS.items() if p != "hour" and first[2] in ("", p))
    return any(abs(r - 1) < _CALENDAR for r in ratios)


def _periods_differ(
    found: Value, due: Value, reading: _Reading, first: tuple[Dims, float, str], second: tuple[Dims, float, str]
) -> Mismatch | None:
    """Compare what both sides are per: month against year, and the hours that were multiplied in."""
    a, b = (p if p != _RATE else "" for p in (first[2], second[2]))
    if "share of the day" in found.parts or ("share" in found.parts and a == "day"):
        return None  # a share of the day may be its busiest hour
    if reading.seconds:  # a rate times a duration: an amount in that duration; an amount over it: a rate
        inferred = _period_of(reading.seconds)
        wanted = a if a else b
        if inferred and wanted in PERIODS and inferred != wanted and not (a and b):
            return Mismatch(periods=(inferred, wanted))
        return None
    if (a == "hour") != (b == "hour") and not (a and b) and not found.numbers and _RATE not in (first[2], second[2]):
        return Mismatch(periods=(a or "nothing", b or "nothing"))
    if not a or not b or a == b or a not in PERIODS or b not in PERIODS:
        return None
    times = math.prod(n for n in found.numbers + due.numbers if is_time(n))
    expected = PERIODS[b] / PERIODS[a]
    if any(abs(t / expected - 1) < 0.06 for t in (times, 1 / times if times else 0)) and times != 1:
        return None
    return Mismatch(periods=(a, b))


def _period_of(seconds: float) -> str:
    return next((p for p, s in PERIODS.items() if abs(seconds / s - 1) < 0.06), "")
