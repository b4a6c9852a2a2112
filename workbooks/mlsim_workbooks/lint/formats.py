"""Read what a number format says: a unit, a currency, a percentage, a date."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mlsim_workbooks.lint.algebra import Value
from mlsim_workbooks.lint.unit_texts import CURRENCIES, CURRENCY_SYMBOLS, read_unit

__all__ = ["Format", "format_unit", "format_value"]

_QUOTED = re.compile(r'"([^"]*)"|\\(.)')


_NAMED = re.compile(r'"[A-Za-zÀ-ÿ]{2,} "[#0]')
_CURRENCY = re.compile(r"\[\$([^\]\-]*)(?:-[^\]]*)?\]")


_SIGNS = {"$": "money_in_usd", "€": "money_in_eur", "£": "money_in_gbp", "US$": "money_in_usd", "₹": "money_in_inr"}
_SIGNS |= {code: f"money_in_{code.lower()}" for code in CURRENCIES}


@dataclass(frozen=True, slots=True)
class Format:
    """What a number format says: a unit, a currency, a percentage, a date."""

    quoted: str = ""  # what it shows beside the number
    shown_in: float = 1.0  # the number is shown in thousands of its unit
    money: Value | None = None
    currency: str = ""
    percent: bool = False
    date: bool = False


@lru_cache(maxsize=4096)
def format_unit(code: str) -> Format:
    """Read the unit in a number format such as ``0.00" ms"`` or ``[$€-407] #,##0.00``."""
    section = re.sub(r"\\(.)", r'"\1"', code.split(";")[0]).replace('""', "")
    currency = ""
    match = _CURRENCY.search(section)
    if match and match[1].strip():
        currency = _SIGNS.get(match[1].strip(), "")
        section = section.replace(match[0], "")
    quoted = " ".join(a or b for a, b in _QUOTED.findall(section)).strip()
    if _NAMED.match(section):
        quoted = ""  # "Year "0 names a number, it is no unit of it
    bare = re.sub(r"\[[^\]]*\]", "", _QUOTED.sub("", section))
    percent = "%" in bare
    scaling = re.search(r"[0#?](,+)(?=[^0#?,.]|$)", bare)
    shown_in = 1000.0 ** len(scaling[1]) if scaling else 1.0  # "#,##0,": thousands are shown, the number is whole
    if not currency:
        sign = next((s for s in ("US$", "$", "€", "£") if s in bare), "")
        sign = sign or (quoted if quoted in _SIGNS else "")
        currency = _SIGNS.get(sign, "")
        quoted = "" if quoted in _SIGNS else quoted
    if currency and quoted:
        symbol = CURRENCY_SYMBOLS[currency]
        per_many = re.sub(r"^/\s*(?:1\s?)?M$", "/M tokens", quoted)  # "$0.00 / M"
        unit = read_unit(f"{symbol}{per_many}") or (
            read_unit(f"{quoted[:1]}{symbol}{quoted[1:]}") if quoted[:1].isalpha() else None
        )
        if unit is not None:
            return Format(money=replace(unit, factor=unit.factor / shown_in), currency=currency, percent=percent)
    bare = re.sub(r"[$€£%]", "", bare)
    date = bool(re.search(r"[ymdhsYMDHS]", bare.replace("General", ""))) and "0" not in bare.split(".")[0]
    return Format("" if percent else quoted, shown_in, None, currency, percent, date)


def format_value(form: Format, concept: str) -> Value | None:
    """Return the unit a number format shows, for a number of this concept."""
    unit = form.money or (read_unit(form.quoted, concept) if form.quoted else None)
    return replace(unit, factor=unit.factor / form.shown_in) if unit is not None and not form.money else unit
