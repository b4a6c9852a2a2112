"""Say which mistake a mismatch is, and write units the way people do."""

from __future__ import annotations

import math
from functools import cache, lru_cache

from mlsim.units import parse_unit
from mlsim_workbooks.lint.algebra import PERIODS, Dims, Mismatch, Value, hard, has_money, is_time

__all__ = [
    "SYMBOLS",
    "is_clock",
    "is_thousands",
    "is_usual",
    "one_slip",
    "ratio_rule",
    "ratio_text",
    "rule_of",
    "thing",
    "unit_text",
]

SYMBOLS = (
    "B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "bit", "kbit", "Mbit", "Gbit", "Tbit",
    "B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "MiB/s", "GiB/s", "TiB/s", "bit/s", "Mbit/s", "Gbit/s", "Tbit/s",
    "FLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "MAC", "MMAC", "GMAC", "TMAC", "GMAC/s", "TMAC/s", "FLOP/s", "GFLOP/s",
    "TFLOP/s", "PFLOP/s", "EFLOP/s", "TOP/s", "GOP/s", "TOP", "GOP", "s", "ms", "us", "ns", "min", "h", "day", "week",
    "month", "year", "Hz", "kHz", "1/ms", "1/h", "J", "kJ", "MJ", "Wh", "kWh", "MWh", "GWh", "W", "kW", "MW", "mW", "$",
    "k$", "M$", "EUR", "kEUR", "MEUR", "GBP", "$/h", "$/month", "$/year", "EUR/h", "EUR/month", "$/s", "$/kWh",
    "EUR/kWh", "$/MWh", "EUR/MWh", "gCO2e", "kgCO2e", "tCO2e", "gCO2e/kWh", "kgCO2e/kWh", "tCO2e/MWh", "L", "L/kWh",
    "mJ", "uJ", "J/s",
)  # fmt: skip


@cache
def _table() -> dict[Dims, list[tuple[float, str]]]:
    table: dict[Dims, list[tuple[float, str]]] = {}
    for symbol in SYMBOLS:
        unit = parse_unit("byte" if symbol == "B" else symbol)
        table.setdefault(unit.dimension, []).append((unit.factor, "bytes" if symbol == "B" else symbol))
    return table


@cache
def is_usual(dims: Dims) -> bool:
    """Tell whether a dimension is that of a usual unit."""
    return dims in {hard(known) for known in _table()}


def thing(name: str) -> str:
    """Return what a counted dimension is called."""
    return "GPU" if name == "device" else name


@lru_cache(maxsize=4096)
def unit_text(value: Value) -> str:
    """Return a unit as a person would write it: ``"GB"``, ``"kW per GPU"``."""
    if value.text:
        return value.text
    dims = value.dims or ()
    counted = "".join(
        f" {'per ' if e < 0 else '× '}{thing(n)}"
        for n, e in dims if (n, e) not in hard(dims)
    )  # fmt: skip
    period = value.kind("period")
    counted += f" per {period}" if period in PERIODS else ""
    core = hard(dims)
    if not core:
        names = [n for n, e in dims if e > 0]
        if names and value.factor == 1.0:
            return thing(names[0]) + "s" + (counted if len(dims) > 1 or period else "")
        scale = "" if value.factor == 1.0 or math.isnan(value.factor) else f"{value.factor:.6g} × "
        return (scale + ("a bare number" if not names else names[0] + "s")).strip()
    for factor, symbol in _table().get(core, []):
        if abs(factor / value.factor - 1) < 1e-6:
            return symbol + counted
    near = [(abs(math.log(f / value.factor)), f, s) for f, s in _table().get(core, []) if value.factor > 0]
    if near:
        _, factor, symbol = min(near, key=lambda item: (not _plain_ratio(value.factor / item[1]), item[0]))
        return f"{value.factor / factor:.6g} {symbol}{counted}"
    up = "·".join(n if e == 1 else f"{n}^{e:g}" for n, e in core if e > 0) or "1"
    down = "/".join(n if e == -1 else f"{n}^{-e:g}" for n, e in core if e < 0)
    return (f"{up}/{down}" if down else up).replace("_", " ") + counted


def _plain_ratio(ratio: float) -> bool:
    """Tell whether a multiple of a unit reads well: 8 s rather than 0.1333 min."""
    return (abs(ratio - round(ratio)) < 1e-9 and ratio < 1000) or abs(
        math.log10(ratio) - round(math.log10(ratio))
    ) < 1e-9


def ratio_text(ratio: float) -> str:
    """Return a factor for a message: 1,000 rather than 0.001."""
    big = ratio if ratio >= 1 else 1 / ratio
    return f"{big:,.0f}" if big >= 100 and abs(big - round(big)) < 1e-6 * big else f"{big:,.6g}"


# --- classification ------------------------------------------------------------------------------------------------


def rule_of(mismatch: Mismatch, left: Value, right: Value) -> str:
    """Return the rule a mismatch breaks; "" when it is none that a mistake of units makes."""
    if "nothing" in mismatch.periods:
        return _rate_rule(left, right)
    if mismatch.periods[0]:
        return "calendar"
    if mismatch.dims:
        return _dimension_rule(mismatch, left, right)
    of_bytes = all("information" in dict(side.dims or ()) for side in (left, right))
    if of_bytes and any(_near(_big(mismatch.ratio), b, 1e-3) for b in _BINARY):
        return "binary-prefix"  # also of so much a day, times the days
    apart = _time_of(left) - _time_of(right)
    if apart and not any(is_time(n) for n in (*left.numbers, *right.numbers)) and not is_thousands(mismatch.ratio):
        periods = {left.kind("period"), right.kind("period")} & {"month", "year"}
        if periods and not has_money(left) and _near(_big(mismatch.ratio), 12.0, 1e-6):
            return "calendar"  # spread over months, stated per year
        # $/h where $ a month is due; a figure per day is one of the calendar's
        rule = "calendar" if _per_day(left) and _per_month(right) else _rate_rule(left, right)
        asked = right.dims in ((("request", 1.0),), (("request", 1.0), ("time", -1.0)))
        days = asked and right.kind("period") != "day" and any(_near(_big(mismatch.ratio), t) for t in (24.0, 86_400.0))
        return (
            "calendar" if rule in ("", "dimension") and days else rule
        )  # requests a month, from a day's and its hours
    if has_money(left) and has_money(right) and _priced_in(left) != _priced_in(right) and left.factor != right.factor:
        return "money-rate"
    names = {n for side in (left, right) for n, _ in side.dims or ()}
    seen = {p[1:] for side in (left, right) for p in side.parts if p.startswith("~")}
    return ratio_rule(mismatch.ratio, names if names & _HARD else names | seen, left, right, seen)


def one_slip(dims: Dims) -> bool:
    """Tell whether one slip makes a difference in dimension: a factor too many or too few, or one quantity for another.

    A factor may also stand on the wrong side of the fraction. Bytes squared times dollars come from a misread label.
    """
    powers = [e for _, e in dims]
    return len(powers) < 3 and all(abs(e) in (1.0, 2.0) for e in powers) and (len(powers) < 2 or sum(powers) == 0.0)


def _big(ratio: float) -> float:
    return ratio if ratio >= 1 else 1 / ratio if ratio else math.inf


def _per_day(value: Value) -> bool:
    return _time_of(value) == -1.0 and abs(value.factor * PERIODS["day"] - 1) < 1e-9


def _per_month(value: Value) -> bool:
    return value.kind("period") in ("month", "year")


def _time_of(value: Value) -> float:
    return dict(value.dims or ()).get("time", 0.0)


def _priced_in(value: Value) -> frozenset[str]:
    """Return what a price is per: tokens, energy."""
    return frozenset(
        n for n, e in value.dims or () if e < 0 and n in ("token", "energy", "information", "request", "sample")
    )


_HARD = {"information", "operation", "time", "energy", "mass_of_co2e", "integer_operation"}


_PARAMETERS = frozenset(("parameters", "active parameters", "MACs"))


def _dimension_rule(mismatch: Mismatch, left: Value, right: Value) -> str:
    difference = dict(mismatch.dims)
    names = set(difference)
    money = sorted(n for n in names if n.startswith("money_in_"))
    if len(money) == 2 and difference[money[0]] * difference[money[1]] < 0:
        return "currency"
    if len({n for n, e in left.dims or () if e > 0 and n.startswith("money_in_")}) > 1:
        return ""  # times a rate from a table of exchange rates, headed by one currency only
    parts = left.parts | right.parts
    seen = {p[1:] for p in parts if p.startswith("~")}
    if "integer_operation" in names and ({"operation"} & (names | seen) or parts & _PARAMETERS):
        return "integer-ops"
    if difference == {"operation": -1.0} and parts & _PARAMETERS and "MAC" not in right.text:
        return "mac-flop"  # parameters over a peak: the two operations of each are missing
    if names == {"operation", "time"}:
        return "flop-rate"
    if names == {"time"}:
        return _rate_rule(left, right)
    counted = {n for side in (left, right) for n, _ in side.dims or ()}
    if names == {"information"} and "parameter" in counted:
        return "params-bytes"
    if money and len(names) == 1:
        return ""  # money for something that has no price: the label of one of them was misread
    if (money and len(names) <= 2) or (has_money(left) and has_money(right)):
        return "money-rate"
    return "dimension"


def _rate_rule(left: Value, right: Value) -> str:
    """Return the rule for an amount where a rate is due, or the other way round."""
    names = {n for side in (left, right) for n, _ in side.dims or ()}
    parts = left.parts | right.parts
    if "operation" in names or "~operation" in parts:
        return "flop-rate"
    if any(n.startswith("money_in_") for n in names):
        return "power-energy" if "~energy" in parts else "money-rate"
    if "energy" in names or "~energy" in parts:
        return "power-energy"
    return "token-rate" if "token" in names or "~token" in parts else "dimension"


_BINARY = tuple(1.024**k for k in (1, 2, 3, 4, 5, 6, 8, 10))  # the last ones: converted the wrong way round
_CALENDAR = (60.0, 3600.0, 86_400.0, 24.0, 7.0, 168.0, 30.0, 365.0, 12.0, 52.14, 720.0, 730.0, 8760.0, 2_628_000.0,
             31_536_000.0, 604_800.0, 1440.0, 525_600.0, 43_800.0, 4.345)  # fmt: skip


def _near(a: float, b: float, tolerance: float = 2e-3) -> bool:
    return abs(a / b - 1) < tolerance


def is_clock(ratio: float) -> bool:
    """Tell whether a factor is that of seconds, minutes and hours."""
    return any(_near(_big(ratio), t, 1e-6) for t in (60.0, 3600.0))


def is_thousands(ratio: float) -> bool:
    """Tell whether a factor is one of a thousand, a million, ... or a part of one."""
    return any(_near(_big(ratio), 1000.0**k) for k in range(1, 7))


def ratio_rule(ratio: float, names: set[str], left: Value, right: Value, seen: set[str] | None = None) -> str:
    """Return the rule that a wrong factor breaks, from the dimensions it is between and those that cancelled."""
    if not ratio > 0 or math.isinf(ratio):
        return ""
    big = ratio if ratio >= 1 else 1 / ratio
    money = any(n.startswith("money_in_") for n in names)
    if "information" in names | (seen or set()):
        if any(_near(big, b, 1e-3) for b in _BINARY):
            return "binary-prefix"
        for k in range(-2, 6):
            for binary in (1.0, *_BINARY):
                if _near(big, 8.0 * 1000.0**k * binary, 1e-3) or _near(1 / big, 8.0 * 1000.0**k * binary, 1e-3):
                    return "bits-bytes"
        if any(_near(big, 1000.0**k * b, 1e-3) for k in range(1, 6) for b in _BINARY):
            return "prefix"
    if {"operation", "integer_operation"} & (names | (seen or set())) and _near(big, 2.0):
        return "mac-flop"
    if _near(big, 100.0):
        return "percent"
    if is_thousands(big):
        if "mass_of_co2e" in names:
            return "carbon-scale"
        if money and "token" in names | (seen or set()):
            return "token-price-scale"
        if money and "energy" in names | (seen or set()):
            return "money-rate"  # a price per kWh of megawatt-hours
        if "time" in names and not names & (_HARD - {"time"}) and not money:
            return "time-scale"
        if not money and (hard(right.dims or ()) == (("time", 1.0),) or "ms" in (seen or set())):
            return "time-scale"
        return "prefix"
    clock = hard(right.dims or ()) == (("time", 1.0),) and right.factor in (1.0, 60.0, 3600.0)
    if clock and not names & (_HARD - {"time"}) and any(_near(big, t, 1e-6) for t in (60.0, 3600.0)):
        return "time-scale"  # seconds, minutes, hours
    calendar = (
        "time" in names | (seen or set()) or money or "energy" in names or left.kind("period") or right.kind("period")
    )
    if calendar:
        for t in _CALENDAR:
            if any(_near(big, t * 1000.0**k, 0.045) or _near(1 / big, t * 1000.0**k, 0.045) for k in (0, 1, 2)):
                return "calendar"
    if "mass_of_co2e" in names and _near(big, 10.0 ** round(math.log10(big))):
        return "carbon-scale"
    if "energy" in names and any(_near(big, 3.6 * 1000.0**k) for k in (0, 1, 2)):
        return "power-energy"
    if any(_near(big, 100.0 * 1000.0**k) or _near(big, 10.0 * 1000.0**k) for k in (1, 2)):
        return "percent" if not names & _HARD else "prefix"
    return ""
