"""Typed numbers that can hardly be: hours of another period, prices that nobody pays, grids of a gram, bytes in bits."""

from __future__ import annotations

import calendar
import math
import re
from datetime import datetime, timedelta

from mlsim_workbooks.lint.algebra import PERIODS, hard, has_money
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import KIND_RULE
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.magnitudes import impossible_magnitude
from mlsim_workbooks.lint.vocabulary import WRITTEN_OFF

__all__ = ["typed_slip"]


def typed_slip(inference: Inference, cell: Cellwise) -> Said | None:
    """Return what is said of a number that is not what its label and unit make of it."""
    return (
        _wrong_hours(cell)
        or _more_than_there_are(cell)
        or _written_off_in_months(cell)
        or _days_of_month(inference, cell)
        or _bytes_each(inference, cell)
        or _price(cell)
        or _intensity(cell)
        or _embodied(cell)
        or _cheaper_than_input(inference, cell)
        or impossible_magnitude(cell)
        or _broken_parameters(inference, cell)
        or _named_otherwise(cell)
        or _less_than_it(inference, cell)
        or _far_from_its_tail(inference, cell)
    )


_HOURS_OF_ANOTHER = {
    "year": (24.0, 365.0, 366.0, 720.0, 730.0, 730.5, 744.0),
    "month": (24.0, 28.0, 29.0, 30.0, 30.4, 30.5, 31.0, 365.0, 8760.0, 8766.0, 8784.0),
}


_HOURS_IN = re.compile(
    r"^(?!.*(?:used|downtime|maintenance|booked|work|open|outage|busy|wartung|panne)).*(?:\bhours?\b|\bhrs?\b|\bh\b|stunden|heures)",
    re.I,
)


def _wrong_hours(cell: Cellwise) -> Said | None:
    """Hours of a month typed where a year's are due, and the other way round."""
    value, number = cell.context.value, cell.item.value
    hours = (
        value.dims == (("time", 1.0),) and value.factor == 3600.0
        if value is not None
        else cell.context.concept == "hours"
    )
    if not hours:
        return None
    period = dict(cell.context.kinds).get("period", "")
    if cell.item.form >= 0:
        return _hours_worked_out(cell, period)
    if number in _HOURS_OF_ANOTHER.get(period, ()) and _HOURS_IN.search(cell.words):
        return (
            "calendar",
            f"'{cell.label}' is {number:g}; a {period} has {'8,760' if period == 'year' else 'about 730'} hours.",
            "",
        )
    return None


_QUARTER = re.compile(
    r"\A(?:hours|stunden|heures) (?:in|of|im|du|des) (?:the |a |one )?(?:quarter|quartals?|trimestre)\b", re.I
)


def _hours_worked_out(cell: Cellwise, period: str) -> Said | None:
    """Hours of a period from numbers alone: 365 * 12 of a year."""
    computed = cell.computed
    if computed is None or computed.parts or len(computed.numbers) < 2:
        return None
    number = math.prod(computed.numbers)
    if _QUARTER.search(cell.words) and not 1900.0 < number < 2300.0 and not period:
        return "calendar", f"'{cell.label}' comes to {number:g}; a quarter has about 2,190 hours.", ""
    if period == "year" and 0 < number < 8700 and 365.0 in computed.numbers:
        return "calendar", f"'{cell.label}' comes to {number:g}; a year has 8,760 hours.", ""
    if number > 750.0 and (period == "month" or _A_MONTH.search(cell.words)):
        return "calendar", f"'{cell.label}' comes to {number:g}; a month has about 730 hours.", ""
    return None


_AT_MOST = {
    ("day", "week"): 7.0, ("day", "month"): 31.0, ("day", "year"): 366.0, ("hour", "day"): 24.0, ("hour", "week"): 168.0,
    ("hour", "month"): 744.0, ("hour", "year"): 8784.0, ("week", "year"): 53.0, ("month", "year"): 12.0,
}  # fmt: skip
_ENGLISH = {
    "stunde": "hour", "heure": "hour", "tag": "day", "jour": "day", "woche": "week", "semaine": "week", "monat": "month",
    "mois": "month", "jahr": "year", "an": "year", "année": "year",
}  # fmt: skip
_SO_MANY_IN = re.compile(
    r"(?:(?:working|business|service|operating|open|opening|calendar|usable|busy|office|production|betriebs|arbeits)[ -]?)?(hour|day|week|month|stunde|tag|woche|monat|heure|jour|semaine)(?:e?n|e|s)? "
    r"(?:per|in an?|in the|je|pro|par|im|of an?|dans une?|in einem) (day|week|month|year|tag|woche|monat|jahr|jour|semaine|mois|an|année)",
    re.I,
)


def _more_than_there_are(cell: Cellwise) -> Said | None:
    """Days per month, of which there are 365."""
    number = cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float):
        return None
    match = _SO_MANY_IN.fullmatch("".join(cell.context.texts[:1]).strip())
    if match is None:
        return None
    part, whole = (_ENGLISH.get(word.lower(), word.lower()) for word in match.groups())
    most = _AT_MOST.get((part, whole), 0.0)
    if not most or number <= most:
        return None
    return "calendar", f"'{cell.label}' is {number:g}; a {whole} has {most:g} {part}s at most.", ""


_LEAST_LIFE, _MOST_LIFE = 365 * 86_400.0, 30 * 365.25 * 86_400.0
_LIFE = re.compile(
    r"(?:service life|lifetime|lebensdauer|durée de vie)\b.* (?:gpu|server|card|node|hardware|serveur|karte)|useful life|nutzungsdauer|durée d.(?:utilisation|amortissement)|(?:depreciation|write-off) (?:period|time)",
    re.I,
)


def _written_off_in_months(cell: Cellwise) -> Said | None:
    """Servers that are written off over 60 years, or over 4 months."""
    value, number = cell.context.value, cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or value.dims != (("time", 1.0),):
        return None
    label = " ".join(cell.context.texts[:1])
    if number <= 0 or not cell.context.explicit or not (_LIFE.search(label) or WRITTEN_OFF.search(label)):
        return None
    if _LEAST_LIFE <= number * value.factor <= _MOST_LIFE:
        return None
    return "calendar", f"'{cell.label}' is {number:g} {value.text}: nothing is written off over that.", ""


_MONTHS = (
    (r"jan(?:uary|uar|vier)?|march|mar|mär(?:z)?|mars|may|mai|july?|juli|juillet|aug(?:ust)?|août|oct(?:ober|obre)?|okt(?:ober)?|dec(?:ember)?|dez(?:ember)?|déc(?:embre)?", (31.0,)),
    (r"apr(?:il)?|avril|june?|juni|juin|sep(?:t|tember|tembre)?|nov(?:ember|embre)?", (30.0,)),
    (r"feb(?:ruary|ruar)?|févr?(?:ier)?", (28.0, 29.0)),
)  # fmt: skip


_MONTH_DAYS = tuple((re.compile(rf"(?:{names})\.?(?:[ -]?\d\d(?:\d\d)?)?", re.I), days) for names, days in _MONTHS)


_A_MONTH = re.compile(rf"\b(?:{'|'.join(names for names, _ in _MONTHS)})\b", re.I)


_DAYS = re.compile(r"\b(?:days|tage|jours)\b", re.I)


_DATES = 20_000.0, 110_000.0  # days since 1900: of 1954 to 2201


def _days_of_month(inference: Inference, cell: Cellwise) -> Said | None:
    """The days of a month that has other ones: January with 30."""
    number = cell.item.value
    if cell.item.form >= 0 or number not in (28.0, 29.0, 30.0, 31.0) or not _DAYS.search(cell.words):
        return None
    row, col = cell.item.row, cell.item.col
    for before in range(1, min(col, 4)):
        date = inference.at(cell.sheet, row, col - before)
        if (
            date is not None
            and date.context.date
            and isinstance(date.item.value, float)
            and _DATES[0] < date.item.value < _DATES[1]
        ):
            month = datetime(1899, 12, 30) + timedelta(days=date.item.value)
            last = calendar.monthrange(month.year, month.month)[1]
            if month.day in (1, last) and number != last:
                return "calendar", f"{month:%B %Y} has {last} days, not {number:g}.", ""
    for text in (cell.entity, *cell.context.texts):
        for pattern, days in _MONTH_DAYS:
            if pattern.fullmatch(text.strip()) and number not in days:
                return "calendar", f"'{text}' has {days[0]:g} days, not {number:g}.", ""
    return None


_STATISTIC = re.compile(
    r"\b(?:mean|average|avg|median|percentile|perzentil|centile|p\d\d|\d\d(?:th|e)|moyenne?|mittel\w*|max(?:imum)?)\b|[\W_]+",
    re.I,
)


def _far_from_its_tail(inference: Inference, cell: Cellwise) -> Said | None:
    """A mean time that is not a thousandth of its percentile, or thirty times it: milliseconds, and seconds."""
    mean, value = cell.item.value, cell.context.value
    if cell.item.form >= 0 or not isinstance(mean, float) or value is None or mean <= 0 or not cell.context.explicit:
        return None
    if ("statistic", "mean") not in cell.context.kinds or value.dims != (("time", 1.0),):
        return None
    own = _STATISTIC.sub(" ", "".join(cell.context.texts[:1])).casefold().strip()
    for step in (-3, -2, -1, 1, 2, 3):
        other = inference.near(cell, step)
        if other is None or other.item.form >= 0 or other.value.dims != value.dims:
            continue
        tail, there = other.item.value, _STATISTIC.sub(" ", "".join(other.context.texts[:1])).casefold().strip()
        if not isinstance(tail, float) or not own or own != there or tail <= 0:
            continue
        if not dict(other.context.kinds).get("statistic", "").startswith("p9"):
            continue
        ratio = tail * other.value.factor / (mean * value.factor)
        if ratio > _FAR or ratio < 1 / 30:
            return (
                "time-scale",
                f"'{cell.label}' is {mean:g} {value.text}, '{other.label}' {tail:g} {other.value.text}.",
                "",
            )
    return None


_FAR = 300.0  # times the mean


def _less_than_it(inference: Inference, cell: Cellwise) -> Said | None:
    """A site that takes less energy than its computers, in the same row of meter readings."""
    number, value = cell.item.value, cell.context.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or number <= 0:
        return None
    if ("boundary", "facility") not in cell.context.kinds or dict(value.dims or ()).get("energy") != 1.0:
        return None
    row, col = cell.item.row, cell.item.col
    for step in (-3, -2, -1, 1, 2, 3):
        other = inference.at(cell.sheet, row, col + step)
        if other is None or other.item.form >= 0 or other.value.dims != value.dims:
            continue
        load = other.item.value
        if (
            ("boundary", "IT") in other.context.kinds
            and isinstance(load, float)
            and load * other.value.factor > number * value.factor
        ):
            return "above-limit", f"'{cell.label}' is {number:g}, less than '{other.label}' of {load:g}.", ""
    return None


_ASSET = re.compile(
    r"\bsim\b|licen[cs]e|lizenz|subscription|\babo\b|support|wartung|maintenance|certificate|zertifikat|certificat|herkunft|garantie|\bguarantee|batter|storage|speicher|stockage|capex|invest|install|buy|kauf|achat",
    re.I,
)


# What a price may be, wide enough for any offer of the last ten years and of any currency near the dollar:
# (what it is per, seconds, bytes ... of the unit, least, most, rule).
_PRICES: tuple[tuple[frozenset[tuple[str, float]], float, float, float, str, str], ...] = (
    (frozenset({("device", -1.0), ("time", -1.0)}), 1 / 3600.0, 0.02, 200.0, "money-rate", "GPU-hour"),
    (frozenset({("energy", -1.0)}), 1 / 3.6e6, 0.004, 2.5, "money-rate", "kWh"),
    (frozenset({("token", -1.0)}), 1e-6, 0.004, 1500.0, "token-price-scale", "million tokens"),
)


_LEAST_OUTPUT = 0.015  # dollars per million generated tokens, of the smallest models


def _cheaper_than_input(inference: Inference, cell: Cellwise) -> Said | None:
    """Generated tokens for a small part of the price of those read, beside it: no one sells them."""
    number, value = cell.item.value, cell.context.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or value.kind("token") != "output":
        return None
    if not has_money(value) or number <= 0:
        return None
    row, col = cell.item.row, cell.item.col
    for place in ((row, col - 1), (row, col - 2), (row - 1, col), (row - 2, col)):
        other = inference.at(cell.sheet, *place)
        if other is None or other.item.form >= 0 or other.context.value is None or other.value.kind("token") != "input":
            continue
        price = other.item.value
        if (
            other.context.value.dims == value.dims
            and isinstance(price, float)
            and price * other.value.factor > 20 * number * value.factor
        ):
            return (
                "token-price-scale",
                f"'{cell.label}' is {number:g}, '{other.label}' {price:g}: generated tokens cost more.",
                "",
            )
    return None


def _intensity(cell: Cellwise) -> Said | None:
    """A carbon intensity of less than a gram per kWh, or of more than any fuel's."""
    value, number = cell.context.value, cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or not cell.context.explicit:
        return None
    if hard(value.dims or ()) != (("energy", -1.0), ("mass_of_co2e", 1.0)) or number <= 0:
        return None
    grams = number * value.factor * 3.6e6
    if grams < 0.9 or grams > 3000.0:
        return "carbon-scale", f"'{cell.label}' comes to {grams:.3g} g CO2e/kWh: is its unit {value.text}?", ""
    return None


def _embodied(cell: Cellwise) -> Said | None:
    """Making a GPU, or a server, for some grams of CO2."""
    value, number = cell.context.value, cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or not cell.context.explicit:
        return None
    of_one = [{("mass_of_co2e", 1.0), (name, -1.0)} for name in ("device", "node")]
    if set(value.dims or ()) not in of_one or not _MAKING.search(cell.words) or number <= 0:
        return None
    kilograms = number * value.factor / 1000.0
    if 5.0 <= kilograms <= 50_000.0:
        return None
    return "carbon-scale", f"'{cell.label}' comes to {kilograms:.3g} kg CO2e: is its unit {value.text}?", ""


_MAKING = re.compile(
    r"(?:embodied|embedded|manufactur\w*|making|production|herstellung|grau\w*|incorporé|fabrication)\b.*\b(?:gpu|card|server|node|serveur|knoten|karte|accelerator)",
    re.I,
)


def _price(cell: Cellwise) -> Said | None:
    """A typed price that nobody pays, in the unit that its label states."""
    value, number = cell.context.value, cell.item.value
    if (
        cell.item.form >= 0
        or not isinstance(number, float)
        or value is None
        or not number
        or value.factor != value.factor
    ):
        return None
    money = [n for n, e in value.dims or () if n.startswith("money_in_") and e == 1.0]
    if (
        money not in (["money_in_usd"], ["money_in_eur"], ["money_in_gbp"], ["money_in_chf"])
        or not cell.context.explicit
    ):
        return None
    if _ASSET.search(cell.words):
        return None  # a kWh of batteries
    rest = frozenset((n, e) for n, e in value.dims or () if n not in money)
    seconds = PERIODS.get(value.kind("period"), 0.0)
    for per, unit, least, most, rule, name in _PRICES:
        have = rest | {("time", -1.0)} if seconds else rest
        if have == per:
            price = number * value.factor / unit / (seconds or 1.0)
            least = max(least, _LEAST_OUTPUT) if name == "million tokens" and value.kind("token") == "output" else least
            if not least <= price <= most:
                return rule, f"'{cell.label}' comes to {price:.3g} for a {name}: is its unit {value.text}?", ""
    return None


_SIZE_OF_ONE = re.compile(
    r"(?:size|bytes|größe|taille) (?:of|per|je|einer?s?|d.une?) (?:an? |one |each )?(?:value|component|element|weight|wert|komponente|valeur|composante)",
    re.I,
)


_SEVERAL_OF = re.compile(r"train|moment|adam|optimi|\bstates?\b|\btwo\b|\bboth\b|\band\b|\bund\b|\bet\b|\+|&", re.I)
_FORMAT = re.compile(
    r"\b(bf16|fp16|float16|fp32|float32|fp8|int8|int4|nf4|fp4|fp64)\b(?! (?:dispatch|combine|all-to-all|exchange))",
    re.I,
)


_KEPT = re.compile(r"\bkv\b|cache|activation|gradient|optimi[sz]er", re.I)


_ONE_VALUE = re.compile(
    r"weights?\b|\bkv\b|cache|precision|element|inference|gewicht|poids|präzision|précision|élément", re.I
)
_MEMORY_EACH = re.compile(r"(?:speicher|memory|mémoire) (?:je|per|par|pro) (?:param\w*|weight|poids|gewicht)", re.I)
_A_PARAMETER = (("information", 1.0), ("parameter", -1.0))


def _bytes_of(text: str) -> set[float]:
    """Return the bytes that the number formats named in a text take."""
    return {float(re.sub(r"\D", "", m)) / 8.0 for m in _FORMAT.findall(text)}


_A_NAME = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)+")


def _named_otherwise(cell: Cellwise) -> Said | None:
    """A peak in FP32, by its label, in a cell named peak_bf16."""
    texts = cell.context.texts
    if cell.item.form >= 0 or len(texts) < 2 or not _A_NAME.fullmatch(texts[-1]):
        return None
    named, said = dict(read_label(texts[-1]).kinds), dict(read_label(texts[0]).kinds)
    for category in ("precision", "density", "direction", "trip"):
        if named.get(category) and said.get(category) and named[category] != said[category]:
            rule = KIND_RULE[category]
            return rule, f"'{texts[0]}' is {said[category]}, but the cell is named {texts[-1]}.", ""
    return None


def _broken_parameters(inference: Inference, cell: Cellwise) -> Said | None:
    """70.6 parameters, as the unit beside them says."""
    number, value = cell.item.value, cell.context.value
    if cell.item.form >= 0 or not isinstance(number, float) or number == int(number) or value is None:
        return None
    ones = value.dims == (("parameter", 1.0),) and value.factor == 1.0
    if not ones or not any(map(_PARAMETERS.fullmatch, inference.texts_of(cell.sheet, cell.item.row)[1:])):
        return None
    return "unit-contradiction", f"'{cell.label}' is {number:g} parameters: billions, or millions, are meant?", ""


_PARAMETERS = re.compile(r"param(?:eter|ètre)?s?", re.I)


def _note(inference: Inference, cell: Cellwise) -> str:
    """Return what is written in the row of a number, where the others there are what it says."""
    numbers = {i.value for i in inference.book.grids[cell.sheet].rows.get(cell.item.row, ()) if i.numeric}
    note = " ".join(inference.texts_of(cell.sheet, cell.item.row))
    others = numbers - {cell.item.value} <= _bytes_of(note)
    return note if others and not _SEVERAL_OF.search(note) and not _LATER.search(note) else ""


_LATER = re.compile(r",|\b(?:from|since|until|later|then|ab|seit|bis|dann|à partir|depuis)\b", re.I)


def _bytes_each(inference: Inference, cell: Cellwise) -> Said | None:
    """Bytes per parameter typed in bits: 16 beside "bf16"."""
    number = cell.item.value
    if cell.item.form >= 0 or number not in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0):
        return None  # most numbers of a sheet
    sized = _SIZE_OF_ONE.search(cell.words) or (
        (cell.context.concept == "bytes each" or cell.value.dims == _A_PARAMETER or _MEMORY_EACH.match(cell.words))
        and not _SEVERAL_OF.search(cell.words)
    )
    kept = next((t for t in cell.context.texts if _KEPT.search(t.replace("_", " "))), "")
    of_weights = bool(kept) and not _FORMAT.search(kept)  # the format of "8B int4" is not that of its cache
    if (
        number in (16.0, 32.0)
        and sized
        and _ONE_VALUE.search(cell.words)
        and not _SEVERAL_OF.search(f"{cell.words} {_note(inference, cell)}")
    ):
        return (
            "bits-bytes",
            f"'{cell.label}' is {number:g}: bits? That many bytes no format takes.",
            f"Type {number / 8:g}.",
        )
    if isinstance(number, float) and sized and not of_weights:
        own = cell.entity or " ".join(cell.context.texts[:1])
        said = _bytes_of(own) or _bytes_of(" ".join(cell.context.texts)) or _bytes_of(_note(inference, cell))
        if len(said) == 1 and number not in said and number != 64.0:
            due = said.pop()
            rule = "bits-bytes" if number == 8.0 * due else "params-bytes"
            return rule, f"'{cell.label}' is {number:g}; that format takes {due:g} bytes.", ""
    if cell.context.concept != "bytes each" or not isinstance(number, float):
        return None
    row = inference.book.grids[cell.sheet].rows.get(cell.item.row, ())
    texts = " ".join(str(i.value) for i in row if isinstance(i.value, str))
    formats = {m.lower() for m in _FORMAT.findall(texts)}
    if len(formats) != 1 or number != float(re.sub(r"\D", "", name := formats.pop())):
        return None  # the format's name has its bits
    return "bits-bytes", f"'{cell.label}' is {number:g}: the bits of {name}, which takes {number / 8:g} bytes.", ""
