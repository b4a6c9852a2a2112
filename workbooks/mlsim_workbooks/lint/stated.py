"""Settle the unit of a number from its label, the unit cell beside it and its number format."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from mlsim_workbooks.lint.algebra import Value, hard, has_money, only_money
from mlsim_workbooks.lint.formats import Format, format_value
from mlsim_workbooks.lint.labels import NOTHING, Label, number_of, per_what, read_label
from mlsim_workbooks.lint.unit_texts import CURRENCIES, CURRENCY_SYMBOLS, read_unit, scaled, unit_cell

__all__ = ["IN_MONEY", "PER_PRICE", "Contradiction", "Size", "no_money", "unit_of"]

Size = Literal["", "part", "million"]  # of a typed number: up to 1, from a million on


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements about one cell that cannot both be true."""

    first: str
    second: str
    where: str  # "unit column" or "number format"


_LIFETIME = re.compile(r"dauer|laufzeit|lebenszeit", re.I)


def unit_of(
    owner: Label, headed: bool, other: Label, unit: str, per: str, form: Format, concept: str, size: Size
) -> tuple[Value | None, bool, Contradiction | None]:
    """Return the unit of a number, whether it is written, and what contradicts it.

    Parameters
    ----------
    owner, other : Label
        The label that says what the number is, and the other one of row label and column header.
    headed : bool
        The owner is the column header.
    unit : str
        The unit cell.
    per : str
        A text that only says what a price is per.
    """
    stated = _named_count(owner.unit, owner.concept)
    unit = _per_many_tokens(unit, f"{owner.text} {other.text}")
    if re.fullmatch(r"[\[(]?[aJ]\.?[\])]?", unit.strip()) and _LIFETIME.search(f"{owner.text} {other.text}"):
        unit = "Jahre"
    if per and (form.currency or only_money(stated)) and (per == unit or headed):
        return _priced(per, form.currency, stated)
    beside = (read_unit(unit, concept) or unit_cell(unit) or _only_per(unit, stated, concept)) if unit else None
    if beside is None and stated is not None and unit:
        stated = scaled(stated, [unit])  # "GPU-hours | M"
        if not owner.strong and not headed and stated.factor == (owner.unit or stated).factor:
            return None, False, None  # a unit nobody can read: say nothing
    if beside is not None:
        beside = _of_this_number(beside, stated, owner, headed, other, form, concept)
    if beside is not None and stated is not None and _conversion(stated):
        beside = stated  # "Bytes per GiB | bytes"
    clash = _contradicted(beside, stated, owner) if beside is not None else None
    return _as_shown(beside, stated, clash, owner, other, unit, form, concept, size)


_OF_MANY = re.compile(
    r"([€$£]|[A-Z]{3}) ?(?:/|per |pro |par |je ) ?(?:(million|mio\.?|mn|M)|(thousand|tsd\.?|tausend|millier|k|1000)|(?:billion|milliarde?|mrd\.?|bn))s?",
    re.I,
)


def _per_many_tokens(unit: str, words: str) -> str:
    """Return "€/Mtok" for "€/million" beside a label that says tokens."""
    match = _OF_MANY.fullmatch(unit.strip())
    if match is None or not re.search(r"\b(?:tok(?:en)?s?|jetons?)\b", words, re.I):
        return unit
    return f"{match[1]}/{'M' if match[2] else 'k' if match[3] else 'G'}tok"


def _of_this_number(
    beside: Value, stated: Value | None, owner: Label, headed: bool, other: Label, form: Format, concept: str
) -> Value | None:
    """Return the unit beside a number with what the label says that it is per; None where it is not this number's."""
    if only_money(beside) or _is_footprint(beside) or beside.dims == (("energy", 1.0),):
        beside = per_what(beside, owner.text)  # "Cost per card-hour | $", "per MAC | pJ"
    named = _named_count(beside, concept)
    if named is None:
        return None
    beside = named
    priced = (headed and owner.concept == "money") or (
        form.currency and (_AMOUNT.fullmatch(owner.text) or _AMOUNT.fullmatch(other.text))
    )
    if priced and no_money(beside):
        return None  # the prices of an offer, behind its column of units
    of_share = headed and concept in ("ratio", "growth", "share", "MFU", "PUE") and hard(beside.dims or ())
    if of_share and not (only_money(beside) and only_money(stated)):  # "VAT 8.1 % | CHF", of an offer in dollars
        return None  # a column of discounts in an offer in dollars
    percent = owner.strong and owner.unit is not None and owner.unit.text == "%" and form.percent
    apart = headed and (_stated_apart(owner) or percent) and owner.text.strip() not in CURRENCIES
    if stated is None:
        counted = number_of(concept) if beside.dims == () and beside.kind("period") and concept != "users" else None
        return replace(beside, dims=counted.dims) if counted is not None else beside  # "Requests per day | 1/day"
    if apart and hard(beside.dims or ()) != hard(stated.dims or ()):
        return None  # a column's own header outdoes a unit that belongs to something else in the row
    said, have = stated.dims or (), dict(beside.dims or ())
    if have and hard(beside.dims or ()) == hard(said):  # "Requests per user and hour | 1/h"
        hourly = ("time", -1.0) in said  # "Images per GPU and hour | images/h"
        kept = [
            (n, e)
            for n, e in said
            if n == "user"
            or (n == "request" and e < 0)
            or (n == "device" and (e > 0 or hourly) and not have.get("node"))
        ]
        beside = replace(beside, dims=tuple(sorted((*have.items(), *(x for x in kept if x[0] not in have)))))
    if beside.dims == (("time", -1.0),) and not hard(said):
        beside = replace(beside, dims=tuple(sorted((*beside.dims, *said))))  # "Samples per GPU | 1/s"
    return beside


def _contradicted(beside: Value, stated: Value | None, owner: Label) -> Contradiction | None:
    """Return how the unit beside a number contradicts its label."""
    if _per_other_many(beside, owner.text):
        return Contradiction(owner.text, beside.text, "unit column")
    if stated is None:
        said, meant = dict(owner.kinds).get("period", ""), beside.kind("period")
        other = said != meant and {said, meant} <= {"day", "week", "month", "year"}
        return Contradiction(f"a figure per {said}", beside.text, "unit column") if other else None
    if _days_and_hours(stated, beside):
        return Contradiction(stated.text, beside.text, "unit column")
    word = (
        len(stated.text) > 3
        and stated.text.isalpha()
        and hard(stated.dims or ()) == (("time", 1.0),)
        and not owner.text.endswith((f" in {stated.text}", f" en {stated.text}"))
    )
    region = stated.text == "us" and has_money(beside)
    is_unit = owner.strong and not word and not region
    if (
        is_unit
        and not _said_of_price(owner, beside, stated)
        and not _of_what(owner, stated)
        and _differ(beside, stated)
    ):
        return Contradiction(stated.text, beside.text, "unit column")
    return None


def _as_shown(
    beside: Value | None, stated: Value | None, clash: Contradiction | None, owner: Label, other: Label, unit: str,
    form: Format, concept: str, size: Size,
) -> tuple[Value | None, bool, Contradiction | None]:  # fmt: skip
    """Return what label, unit cell and number format say together, as ``unit_of`` does."""
    value, shown = beside or stated, format_value(form, concept)
    paid = _paid(owner, other, form, shown, value) if beside is None else None
    if paid is not None:
        return paid, True, None
    if shown is not None:
        if value is None:
            value = shown
        elif beside is None and owner.concept == "money" and has_money(shown) and not has_money(value):
            value = shown  # "Price, input tokens"
        elif _differ(shown, value) and not clash and (beside is not None or owner.strong):
            clash = Contradiction(value.text, shown.text, "number format")
        elif not owner.strong and beside is None and not _agrees(shown, value):
            value = shown
    if value is None:
        return _unsaid(owner, other, unit, form, concept)
    if form.currency and value.dims:
        if beside is None and not hard(value.dims):
            return _money(owner, other, form.currency), True, None  # "Servers" in dollars: what they cost
        if _paid_in(other, form.currency) and has_money(value):
            return _money(other, owner, form.currency), True, None  # "Payable EUR" under "Amount USD"
        clash = clash or _currency_clash(value, form.currency)
    if not value.dims and abs(value.factor - 0.01) < 1e-9:
        if form.percent:
            value = replace(value, factor=1.0)
        elif size == "part" and concept in ("ratio", "MFU", "growth"):
            value = replace(value, factor=float("nan"))
    elif form.percent and hard(value.dims or ()) and beside is not None and concept in ("ratio", "share", "MFU"):
        return Value(dims=(), text="%"), True, Contradiction(beside.text, "%", "number format")
    elif form.percent and (hard(value.dims or ()) or (value.dims and value.factor not in (1.0, 0.01))):
        return Value(dims=(), text="%"), True, clash  # a share, in a row of bytes per second
    return value, True, clash


def _unsaid(
    owner: Label, other: Label, unit: str, form: Format, concept: str
) -> tuple[Value | None, bool, Contradiction | None]:
    """Return what a percent or currency format, or the name alone, says of a number, as ``unit_of`` does."""
    if form.percent:
        return Value(dims=(), text="%"), True, None
    if form.currency:
        return _money(owner, other, form.currency), True, None
    bare = number_of(concept)
    if not unit:
        return bare, False, None
    if _PLAIN_COUNT.fullmatch(unit.strip()) and (bare is not None or not concept):
        return bare or Value(dims=()), False, None  # "workers", "cores": a number of them
    return None, False, None  # a unit nobody can read: say nothing


def _paid(owner: Label, other: Label, form: Format, shown: Value | None, value: Value | None) -> Value | None:
    """Return the money that a number format shows, where the label's unit is that of what is paid for, or of an offer."""
    if shown is not None and has_money(shown):
        money = shown
    elif shown is None and form.currency:
        money = Value(dims=((form.currency, 1.0),), text=CURRENCY_SYMBOLS[form.currency])
    else:
        return None
    if value is None or not value.dims:
        return None
    foreign = has_money(value) and not {n for n, _ in value.dims} & {n for n, _ in money.dims or ()}
    offer = bool({owner.text.strip(), other.text.strip()} & CURRENCIES)  # in dollars, of which a line below is in ours
    price = other.concept == "money" or _UNIT_PRICE.fullmatch(other.text.strip()) or _AMOUNT.match(other.text)
    return money if (offer and foreign) or (price and not has_money(value)) else None


PER_PRICE = re.compile(r"(?:per|pro|par|je) ", re.I)


def _priced(unit: str, currency: str, stated: Value | None) -> tuple[Value | None, bool, Contradiction | None]:
    """Return the unit of an amount of money beside "per kWh", as ``_unit`` does; nothing where that cannot be read."""
    money = stated.dims[0][0] if stated is not None and stated.dims else currency
    label = read_label(f"{CURRENCY_SYMBOLS.get(money, '')} {unit.split(',')[0]}")
    if label.unit is None or len(label.unit.dims or ()) + len(label.unit.kinds) < 2:
        return None, False, None
    scale = stated.factor if stated is not None else 1.0
    return replace(label.unit, factor=label.unit.factor * scale, kinds=label.kinds), True, None


def _per_other_many(beside: Value, label: str) -> bool:
    """Tell whether a label says "per million tokens" and a unit beside it "per thousand"."""
    if dict(beside.dims or ()).get("token") != -1.0 or not has_money(beside):
        return False
    match = _PER_MANY.search(label)
    scale = {"m": 1e-6, "t": 1e-3, "k": 1e-3}[match[1][0].lower()] if match else beside.factor
    return any(abs(beside.factor / scale - x) < 1e-9 for x in (1e3, 1e-3))


_PER_MANY = re.compile(r"\b(?:per|je|pro|par) (million|mio|thousand|tausend|mtok|ktok)\b", re.I)


def no_money(value: Value) -> bool:
    """Tell whether a unit is of a quantity, and no price."""
    return bool(hard(value.dims or ())) and not has_money(value)


def _of_what(owner: Label, stated: Value) -> bool:
    """Tell whether a label names in brackets, or behind a comma, what its figure is of: "checkpoint (weights)"."""
    text = owner.text.rstrip(") ")
    behind_per = bool(re.search(r"\b(?:per|je|pro|par) \w+, [\w ]+$", text))  # "energy per answer, output tokens"
    return stated.text in _NO_UNITS or (behind_per and {n for n, _ in stated.dims or ()} == {"token"})


_NO_UNITS = frozenset(("weights", "Gewichte", "poids"))


IN_MONEY = re.compile(
    rf"^(?:{'|'.join(CURRENCIES)}|[€$£]) (?:per|je|pro|par) |(?:\b(?:in|en)|,) (?:[kM]?[€$£]|{'|'.join(CURRENCIES)})$"
)


def _said_of_price(owner: Label, beside: Value, stated: Value) -> bool:
    """Tell whether a label says the currency of a price: "Cloud rate in EUR" beside EUR/GPU-h."""
    names = {n for n, _ in stated.dims or ()}
    return bool(IN_MONEY.search(owner.text)) and names <= {n for n, _ in beside.dims or ()}


def _is_footprint(unit: Value) -> bool:
    """Tell whether a unit is of energy or emissions, which labels give per million tokens."""
    return bool(unit.dims) and {n for n, _ in unit.dims or ()} <= {"energy", "mass_of_co2e"}


def _only_per(unit: str, stated: Value | None, concept: str) -> Value | None:
    """Read a unit cell such as "per day" or "per query": what is counted stands in the label alone."""
    match = _ONLY_PER.fullmatch(unit.strip())
    if not match:
        return None
    base = stated or number_of(concept) or Value(dims=())
    labels = [read_label(f"x per {what}") for what in match.groups() if what]  # "per active user and working day"
    period = next((p for x in labels if (p := dict(x.kinds).get("period", ""))), "")
    if base.dims is None or not all(x.dims or "period" in dict(x.kinds) for x in labels):
        return None
    dims = dict(base.dims)
    for name, exponent in (d for x in labels for d in x.dims):
        dims.setdefault(name, exponent)
    kinds = base.kinds | ({("period", period)} if period else set())
    return replace(base, dims=tuple(sorted(dims.items())), kinds=frozenset(kinds), text=base.text or unit.strip())


_ONLY_PER = re.compile(
    r"(?:per|/|pro|par|je) ?(?:active |paying |aktive[nmr]? )?([A-Za-zé]+)"
    r"(?:(?: (?:and|und|et)(?: (?:per|pro|par|je))? | ?/ ?)(?:working |business |work)?([A-Za-zé]+))?",
    re.I,
)


def _named_count(unit: Value | None, concept: str) -> Value | None:
    """Return "pcs" as a number of what the label names."""
    if unit is not None and unit.dims == (("device", 1.0),) and concept == "gpus per node":
        return replace(number_of(concept) or unit, text=unit.text)  # "GPUs per instance | GPU"
    bare = number_of(concept) if unit is not None and unit.dims == (("count", 1.0),) else None
    if unit is not None and bare is None and concept and unit.dims == (("count", 1.0),) and unit.factor != 1.0:
        return None  # millions of GPU-hours
    return replace(bare, factor=unit.factor, kinds=unit.kinds, text=unit.text) if unit and bare else unit


_AMOUNT = re.compile(
    r"(?:net|gross|line|order)? ?(?:amounts?|totals?|value)|net|gross|betrag|gesamt(?:preis)?|gp|summe|netto|brutto|montants?",
    re.I,
)
_UNIT_PRICE = re.compile(r"unit (?:price|cost)|price each|ep|einzelpreis|stückpreis|p\.? ?u\.?|prix unitaire", re.I)


def _stated_apart(owner: Label) -> bool:
    """Tell whether a label states its unit apart from its words."""
    return owner.strong and owner.unit is not None and bool(hard(owner.unit.dims or ()))


def _conversion(unit: Value) -> bool:
    """Tell whether a label's unit converts one unit into another of its dimension."""
    return unit.dims == () and unit.factor not in (1.0, 0.01) and unit.factor == unit.factor


def _agrees(a: Value, b: Value) -> bool:
    return (
        a.dims is not None
        and b.dims is not None
        and hard(a.dims) == hard(b.dims)
        and abs(a.factor / b.factor - 1) < 1e-6
    )


def _days_and_hours(a: Value, b: Value) -> bool:
    """Tell whether one unit is GPU-days and the other hours, of GPUs or not."""
    if len(a.dims or ()) < 2 or {hard(x.dims or ()) for x in (a, b)} != {(("time", 1.0),)}:
        return False
    return {a.factor, b.factor} == {3600.0, 86_400.0}


def _differ(a: Value, b: Value) -> bool:
    """Tell whether two written units contradict each other."""
    if a.dims is None or b.dims is None or a.text == b.text:
        return False  # g, and g of CO2e
    first, second = ({n for n, e in x.dims or () if e > 0} for x in (a, b))
    if (_bulk(first) and second and second <= _COUNTS) or (_bulk(second) and first and first <= _COUNTS):
        return True  # tokens in GiB
    if hard(a.dims) == hard(b.dims) != () and first and second and first | second <= _COUNTS:
        return not first & second  # tokens/s, requests/s
    if hard(a.dims) != hard(b.dims):
        return (bool(hard(a.dims)) and bool(hard(b.dims))) or {a.text, b.text} >= {"%"}
    return a.dims == b.dims and bool(hard(a.dims)) and abs(a.factor / b.factor - 1) > 1e-6


_COUNTS = frozenset(("token", "request", "parameter", "sample"))


def _bulk(names: set[str]) -> bool:
    """Tell whether a unit is one of bytes, energy or operations, which count nothing."""
    return bool(names) and names <= {"information", "energy", "operation"}


def _paid_in(label: Label, currency: str) -> bool:
    """Tell whether a label names the currency that its number's format shows."""
    return currency.removeprefix("money_in_").upper() in label.text.split()


def _currency_clash(value: Value, currency: str) -> Contradiction | None:
    money = [n for n, _ in value.dims or () if n.startswith("money_in_")]
    if currency in money or not hard(value.dims or ()):
        return None
    shown = currency.removeprefix("money_in_").upper()
    return Contradiction(value.text, shown, "number format")


_BOUGHT = re.compile(r"\bprix d.achat|purchase price|kaufpreis|anschaffungspreis", re.I)
_PLAIN_COUNT = re.compile(r"[a-zà-ÿ]{3,}s|[A-ZÄÖÜ][a-zäöüß]{3,}(?:en|er|e)")
_PER_WHAT = re.compile(r"(?:\bper\b|/|\bpro\b|\bpar\b|\bje\b)\s*(.+)$", re.I)


def _money(owner: Label, other: Label, currency: str) -> Value | None:
    """Return the unit of an amount whose currency only its number format says: the label tells what it is per."""
    symbol = CURRENCY_SYMBOLS[currency]
    if owner.text and _UNIT_PRICE.fullmatch(owner.text.strip()):
        return _money(other, NOTHING, currency) if _PER_WHAT.search(other.text) else None  # of whatever its line counts
    if other.text and _AMOUNT.fullmatch(other.text.strip()):
        return Value(dims=((currency, 1.0),), text=symbol)  # "Support, per node" under "Net"
    text = owner.text
    match = _PER_WHAT.search(text)
    if match:
        unit = read_unit(f"{symbol} per {match[1]}") or read_unit(
            f"{symbol} per {match[1].split(',')[0].split('(')[0].strip()}"
        )
        if unit is not None:
            return replace(unit, text=f"{symbol}/{match[1]}")
        return None
    if _BOUGHT.search(text):
        return per_what(Value(dims=((currency, 1.0),), text=symbol), text)
    if re.search(r"hourly|stündlich|\brate\b|tariff|tarif|\bfee\b|price|preis|prix", text, re.I):
        return None
    return per_what(Value(dims=((currency, 1.0),), text=symbol), text)
