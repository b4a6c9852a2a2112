"""Read the units and quantities that people write in cells: more forgiving than :mod:`mlsim.units`, and silent where it is not sure."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import cache, lru_cache

from mlsim.errors import CellError
from mlsim.units import parse, parse_unit, spelling
from mlsim_workbooks.lint.algebra import BUILT, COUNTABLE, THINGS, Value, add_dims, hard
from mlsim_workbooks.lint.vocabulary import (
    ACRONYMS,
    CHIP_HOURS,
    COUNTED_WORDS,
    FOREIGN_RE,
    FOREIGN_WORDS,
    LOWER,
    PERIOD_SHORT,
    PERIOD_UNIT,
    SHOUTED,
    WORDS,
)

__all__ = [
    "CURRENCIES",
    "CURRENCY_SYMBOLS",
    "may_hold_unit",
    "plain_unit",
    "quantities_in",
    "read_quantity",
    "read_unit",
    "unit_cell",
]

CURRENCIES = frozenset(spelling.CURRENCIES)
CURRENCY_SYMBOLS = {f"money_in_{c.lower()}": spelling.SYMBOLS[c.lower()] for c in spelling.CURRENCIES}


@lru_cache(maxsize=65536)
def read_unit(text: str, concept: str = "") -> Value | None:
    """Read a unit as a label writes it; None when it is not certainly one.

    ``concept`` decides what a bare magnitude ("B", "M") counts, and whether "TFLOPs" is a rate.
    """
    if re.fullmatch(r"\s*Mio\.\s*", text):
        return _magnitude("M", concept)  # a million; "Mio" alone is a French mebibyte
    body = re.sub(
        r"(?<=W|h),? (?:of )?IT(?: energy| load)?$", "", text.replace("₂", "2").strip().strip(".:;=→").strip()
    )
    body = re.sub(r"\bm3\b", "m³", body.replace("US-$", "US$"))
    body = re.sub(r"(?<=[PS]) \((?:INT\d|FP\d+|BF16|dense|sparse)\)$", "", body)  # "TOPS (INT8)"
    body = re.sub(
        r"^(?:dense |sparse )?(?:INT\d|FP\d+|BF16) (?=[TPG]?(?:OPS?|FLOPS?)(?:/s)?$)", "", body
    )  # "INT8 TOPS"
    if not body or len(body) > 60 or not (may_hold_unit(body) or re.search(r"[\^⁰-⁹]", body)):
        return None
    if re.match(r"(?:an?|the|one|all|each|our|my)\s", body, re.I) or re.search(
        r",.*\bhour$|\b(?:peak|busy|busiest|rush|mean|average|normal|usual) (?:hour|day|week|month)\b", body
    ):
        return None  # "tok/s, peak hour"
    if re.search(r"\w\s+[(\[]", body) or re.fullmatch(r"(?:tag|day|jour|hour|min)-\w", body, re.I):
        return None  # "Hours (h)": a label with its unit; "Tag-S": a product
    if re.match(r"\d", body) and not re.match(r"1\s?(?:/|[kKM]\b)|10\^|1[eE]\d|1[,. ]?000", body):
        return None  # "80 GB": a figure
    if re.search(r"(?:^|[\w)]\s?),\s*\d", body):
        return None  # "server, 500 TB"
    if re.search(r"(?<!per)(?<!/)\s\d+$", body):
        return None  # "Month 3": a column of a time series
    if re.search(r"\b(?:19|20)\d\d\b", body):
        return None  # a year
    if re.search(r"(?:dollars?|euros?|[$€]|/s)[- ]hours?\b", body, re.I):
        return None  # "GB per dollar-hour": for a dollar an hour; "EUR per TB/s-hour"
    if re.search(r"[A-Za-z]\d", re.sub(rf"CO[2₂]|\^-?\d|per 1|1[eE]\d+|{CHIP_HOURS}", "", body)) or re.match(
        r"(?:per|/|pro|par|je)\b", _no_kinds(body)
    ):
        return None  # "L4", "S1": names; "per watt": a unit without what it counts
    if any(
        w.isupper() and len(w) > 1 and w not in ACRONYMS and w.lower() in SHOUTED
        for w in re.findall(r"[A-Za-z]+(?!\w|\$)", body)
    ):
        return None  # "US", "HR": words in capitals
    if re.fullmatch(r"[A-Z] (?:dense|sparse|MoE)", body):
        return None  # the smaller of two models
    if re.match(
        r"(?:Min|Max|Avg|Mean)\.? [a-zµ]+/|min\.? (?:GPUs|cards|nodes|servers|replicas|tokens|requests)\b", body
    ):
        return None  # "Min ms/token", "min GPUs": the least of them
    if re.match(r"(?:in|out)put per (?:in|out)put", body, re.I):
        return None
    if re.match(r"[x×] (?:the|of|rate|times)\b", body):
        return Value(dims=(), text="x")
    if re.match(r"% (?:of|vom|von|der|des|du|de) ", body):
        return Value(dims=(), factor=0.01, text="%")
    if re.match(r"(?:day|week|month|quarter|year)(?:ly)? (?:average|mean|end)$", body):
        return None
    if (
        re.fullmatch(r"[pd]w|top(?:-\d)?", body)
        or (body == "ML" and concept != "water")
        or re.search(r"\bKL\b", body)
        or re.search(r"\b(?!(?:per|pro|par|je|of) )[A-Za-z]+ \d+ [A-Za-z]", body)
    ):
        return None  # pointwise, "6 % on top", machine learning, a divergence, "node 184 TB"
    if body in ("x", "×", "X", "-", "ratio", "fraction", "Faktor", "factor", "0-1", "0–1", "0..1", "1/1"):
        return Value(dims=(), text=body)
    if body in ("#", "count", "ea", "pcs", "Stk", "Stück", "Anzahl", "qty", "unité", "unités", "no."):
        return Value(dims=(("count", 1.0),), text=body)
    value = (
        _magnitude(_A_TERM.sub("", body), concept)
        or _electric(body)
        or _length(body)
        or _cents(body)
        or _parsed(_translate(body, concept), text)
        or _things_per(body, concept, text)
        or _per_thing(body, concept)
        or _per_thing_and_period(body, concept)
        or _thing_hours(body, concept)
    )
    if value is None or value.dims is None:
        return None
    return replace(value, text=" ".join(body.split()))


_MANY = r"[a-zß-öø-ÿ]{2,}[a-zß-öø-ÿ]s|[A-ZÄÖÜ][a-zäöüß]{2,}(?:e|n|er|s)"  # "pages", "Dokumente"
_THINGS_PER = re.compile(
    rf"(?:({_MANY}) ?/ ?|([a-z]{{2,}}[a-z]s) ?(?:per|pro|par|je) )((?:GPU|node|server)?[- ]?[A-Za-zé]+)"
)
_NO_THINGS = re.compile(
    r"(?:aus|ein)gabe|\w*token|kosten|costs?|pri[cx]e?s?|preise?|emission|energie|miete|loyer|leistung|stromkosten|rate"
)


def _things_per(body: str, concept: str, text: str) -> Value | None:
    """Read "chunks/s", "pages per minute": whatever they are, so many of them in a time."""
    match = _THINGS_PER.fullmatch(body)
    word = (match[1] or match[2]) if match else ""
    many = word.casefold()
    if match is None or not _is_noun(many) or many in COUNTED_WORDS or _magnitude(word, "tokens"):
        return None
    if _NO_THINGS.match(many):
        return None
    unit = _parsed(_translate(f"count/{match[3]}", concept), text)
    per_time = unit is not None and (unit.kind("period") or any(n == "time" for n, _ in unit.dims or ()))
    return unit if per_time else None


_A_TERM = re.compile(r" ?(?:/ ?|per )(?:term|semest(?:er|re)|quarter|quartal|trimestre)$", re.I)  # "(M/term)"
_PER_THING = re.compile(r"(.+?) ?(?:/|\b(?:per|pro|par|je) )([A-Za-zÄÖÜß-öø-ÿ]+)")
_NAMELESS = frozenset(
    ("nic", "cable", "cdu", "box", "store", "site", "sensor", "license", "licence", "lizenz", "fte", "vzä", "stelle", "person", "pers")
)  # fmt: skip


def _per_thing(body: str, concept: str) -> Value | None:
    """Read "tokens/s per replica", "$/NIC": things that :mod:`mlsim.units` does not count."""
    match = _PER_THING.fullmatch(body)
    word = match[2].casefold() if match else ""
    nameless = word in _NAMELESS or ("/" in body and (_is_noun(word) or word in ("run", "job", "doc")))
    name = COUNTED_WORDS.get(word, "count" if nameless else "")
    if match and re.match("k (?=param)", match[1]):
        return None  # of the keys
    base = read_unit(match[1], concept) if match and name in (*THINGS, "count") else None
    if base is None or not base.dims or not any(n not in BUILT for n, _ in base.dims):
        return None  # "GPUs per replica" is a label
    return replace(base, dims=add_dims(base.dims, ((name, 1.0),), -1.0))


def _per_thing_and_period(body: str, concept: str) -> Value | None:
    """Read "EUR/camera/month": an amount for each, with the period as a kind."""
    match = PERIOD_UNIT.search(_translate(body, concept))
    value = (
        _per_thing(match.string[: match.start()].strip(), concept)
        if match and not match.string[match.end() :]
        else None
    )
    if match is None or value is None:
        return None
    return replace(value, kinds=value.kinds | {("period", _period_name(match[1]))})


_THING_HOURS = re.compile(r"([a-zé]+)[-· ]?((?:h|hrs?|hours?|Stunden|heures)\b.*)")


def _thing_hours(body: str, concept: str) -> Value | None:
    """Read "replica-h/month": the hours of things that :mod:`mlsim.units` does not count."""
    match = _THING_HOURS.fullmatch(body)
    name = COUNTED_WORDS.get(match[1], "") if match else ""
    hours = _parsed(_translate(match[2], concept), match[2]) if match and name in THINGS else None
    if hours is None or hours.dims is None:
        return None
    return replace(hours, dims=add_dims(hours.dims, ((name, 1.0),), 1.0))


def _is_noun(word: str) -> bool:
    """Tell whether a word in small letters is none that units are made of: "tokens/document", "GB/night"."""
    plain = bool(_NOUN.fullmatch(word)) and word not in ("cycle", "cycles")
    return plain and word not in _unit_words() and word not in FOREIGN_WORDS and word not in WORDS


_NOUN = re.compile(r"[a-zß-öø-ÿ]{4,}")


def _cycles(body: str) -> Value | None:
    """Read "Mcycles": so many of them."""
    match = re.fullmatch(r"([kMG]?) ?cycles", body)
    return Value(dims=(("count", 1.0),), factor={"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}[match[1]]) if match else None


_LENGTHS = {"km": 1000.0, "m": 1.0}
_LENGTH = re.compile(r"(?:(.+)/)?(km|(?<=s/)m)")


def _length(body: str) -> Value | None:
    """Read "km" and "µs/km": how long a cable is, and how long light takes in it."""
    match = _LENGTH.fullmatch(body)
    if match is None:
        return None
    metres = _LENGTHS[match[2]]
    if not match[1]:
        return Value(dims=(("length", 1.0),), factor=metres)
    whole = read_unit(match[1])
    if whole is None or whole.dims is None:
        return None
    return replace(whole, dims=add_dims(whole.dims, (("length", 1.0),), -1.0), factor=whole.factor / metres)


_ELECTRIC = re.compile(r"([nµumkM]?)(Ah|A|VA|V|C)(?: (?:per|je|par|pro) \w+)?")
_AMPERE, _SECOND, _JOULE = ("current", 1.0), ("time", 1.0), ("energy", 1.0)
_ELECTRIC_DIMS = {
    "A": ((_AMPERE,), 1.0), "Ah": ((_AMPERE, _SECOND), 3600.0), "C": ((_AMPERE, _SECOND), 1.0),
    "V": ((("current", -1.0), _JOULE, ("time", -1.0)), 1.0), "VA": ((_JOULE, ("time", -1.0)), 1.0),
}  # fmt: skip
_ELECTRIC_SCALE = {"": 1.0, "n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}


def _electric(body: str) -> Value | None:
    """Read the units of batteries and feeds: "mAh", "µA", "V", "kVA"."""
    match = _ELECTRIC.fullmatch(body)
    if match is None or match[1] + match[2] in ("A", "C", "MA", "MC", "kC"):
        return None  # a letter, a name
    dims, factor = _ELECTRIC_DIMS[match[2]]
    return Value(dims=dims, factor=factor * _ELECTRIC_SCALE[match[1]])


_CENTS = re.compile(r"(?:(?:US |Euro-?)(?:ct|cents?|Cent)|c€|¢)(?P<per>(?: ?/ ?| per | je | pro | par ).+)?")


def _cents(body: str) -> Value | None:
    """Read "Euro-ct/kWh", "US cents" and "¢/kWh" as hundredths of a euro and of a dollar."""
    match = _CENTS.fullmatch(body)
    if match is None:
        return None
    symbol = "$" if body.startswith(("US", "¢")) else "EUR"
    whole = _parsed(f"{symbol}{match['per'] or ''}", body)
    return replace(whole, factor=whole.factor / 100.0) if whole is not None else None


def _no_kinds(body: str) -> str:
    """Return a unit's text without words such as "dense" and "bf16" at its front."""
    return re.sub(r"^(?:(?:dense|sparse|bf16|fp16|fp8|fp4|int8|int4|tf32|fp32|fp64|peak)[\s,]*)+", "", body, flags=re.I)


def _translate(body: str, concept: str) -> str:
    for pattern, replacement in FOREIGN_RE:
        body = pattern.sub(replacement, body)
    if concept in ("carbon", "carbon intensity"):
        body = re.sub(r"\b(k|M|m)?(g|t)\b(?!\s*CO)(?=$|\s|/|\))", r"\1\2CO2e", body)
        body = re.sub(r"\b(?:tonnes?|tons?|Tonnen)\b(?!\s*CO)", "tCO2e", body)
    if concept in ("peak", "achieved compute", "throughput", "bandwidth"):
        body = re.sub(r"\b([kMGTPE]?)(?:FLOPs|Flops|flops)\b(?!\s*/)", r"\1FLOPS", body)
    elif concept in ("work",):
        body = re.sub(r"\b([kMGTPE]?)(?:FLOPs|Flops|flops)\b(?!\s*/\s*s)", r"\1FLOP", body)
    if concept in ("peak", "achieved compute", "integer peak"):
        body = re.sub(r"\b([kMGTPE]?)OPs\b(?!\s*/)", r"\1OPS", body)
    return body.strip(" ,;")


_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _magnitude(body: str, concept: str) -> Value | None:
    """Read "B", "M", "bn", "millions": what they count is the label's concept."""
    counted = {
        "parameters": "parameter", "active parameters": "parameter", "tokens": "token", "requests": "request",
        "users": "user", "images": "sample",
    }.get(concept)  # fmt: skip
    if body == "B" and concept in ("memory", "kv cache", "bytes each"):
        return Value(dims=(("information", 1.0),))
    if (
        counted is None
        and not (body == "Mio" and concept in ("memory", "kv cache", "bytes each"))
        and re.fullmatch(r"(?:in )?(?:thousands|millions|billions|Mio\.?|Mrd\.?|Tsd\.?|milliers|milliards)", body)
    ):
        counted = "count"
    tens = re.fullmatch(r"[x×*·]?\s?(?:10\^?(\d{1,2})|1[eE]\+?(\d{1,2}))", body.translate(_SUPERSCRIPT))
    if tens and counted is not None and len(body) > 2:
        return Value(dims=((counted, 1.0),), factor=10.0 ** int(tens[1] or tens[2]))
    match = re.fullmatch(
        r"(?:in\s+)?(k|K|thousands?|Tsd\.?|Tausend|milliers?|M|mn|mio|Mio\.?|millions?|B|bn|billions?|Mrd\.?|Md|milliards?|T|trillions?)",
        body,
    )
    if not match or counted is None:
        return None
    first = match[1][0]
    scale = 1e3 if first in "k" or match[1] == "K" or match[1].startswith(("thou", "Tsd", "Taus", "millier")) else 1e6
    if match[1] in ("B", "bn", "Mrd", "Mrd.", "Md") or match[1].startswith(("billion", "milliard")):
        scale = 1e9
    if match[1] == "T" or match[1].startswith("trillion"):
        scale = 1e12
    return Value(dims=((counted, 1.0),), factor=scale)


@cache
def _unit_words() -> frozenset[str]:
    """Return all words that can stand in a unit, in lower case: a quick look before the reader explains what is wrong."""
    kinds = (
        "per with without w o no sparsity sparse dense each both direction directions dir way ways one two uni bi directional"
        " unidirectional bidirectional unidir bidir duplex round trip p median mean average avg facility at the meter it active"
        " total output generated decode input prompt prefill fp bf tf int mxfp nvfp mxf e of million billion thousand co gco tco"
        " kgco mgco mtco kgcoe gcoe tcoe coe eq equivalent us"
    )
    money = (code.casefold() for code in CURRENCIES)
    return frozenset(
        (*spelling.spellings_by_case(), *money, *(m.casefold() for m in spelling.MAGNITUDES), *kinds.split())
    )


def scaled(unit: Value, brackets: list[str]) -> Value:
    """Apply a magnitude in brackets to the unit before it: "Samples/s (M)", "GPU-hours (k)"."""
    for text in brackets:
        text = "k" if text.strip() in ("000", "'000", "000s") else text
        magnitude = _magnitude(_A_TERM.sub("", text.strip()), "tokens")
        if magnitude is not None and text.strip() not in ("B", "T"):
            return replace(unit, factor=unit.factor * magnitude.factor)
    return unit


def may_hold_unit(text: str) -> bool:
    """Tell whether any word of a text could be a unit: a quick look that spares most labels the careful one."""
    if re.search(r"[%$€£¥₹#×µ°³¢]|\b[cC](?:t|ents?)\b", text):
        return True
    words = re.findall(r"[^\W\d_]+", text)
    if any(_ELECTRIC.fullmatch(w) for w in words):
        return True
    words = [w.casefold() for w in words]
    return any(w in _unit_words() or w in FOREIGN_WORDS or w in LOWER for w in words)


def _parsed(body: str, text: str) -> Value | None:
    """Parse with the unit reader; a figure per month is an amount with the period as a kind."""
    period = ""
    match = PERIOD_UNIT.search(body)
    if match:
        period = _period_name(match[1])
        body = body[: match.start()] + " " + body[match.end() :]
    if not all(w.casefold() in _unit_words() for w in re.findall(r"[A-Za-z$€£₹]+", body)):
        return None
    try:
        unit = parse_unit(body)
    except CellError:
        return None
    if unit.kinds and unit.dimension and all(n in COUNTABLE and e < 0 for n, e in unit.dimension):
        return None  # "Prefill per GPU"
    if not unit.dimension and unit.factor == 1.0 and not re.search(r"[%/]", text):
        return None  # only kinds ("dense"), no unit
    kinds = set(unit.kinds.items())
    if period:
        kinds.add(("period", period))
    return Value(dims=unit.dimension, factor=unit.factor, kinds=frozenset(kinds))


@lru_cache(maxsize=65536)
def unit_cell(text: str) -> Value | None:
    """Read a cell of a unit column: nothing but a unit."""
    body = text.strip()
    if body[:1] in "([" and body[-1:] in ")]":
        body = body[1:-1]
    if body in CURRENCIES:
        return read_unit(body)
    if body == "o":
        return read_unit("octet")
    if body.casefold() in _FRACTION:
        return Value(dims=(), text="fraction")
    if body.casefold() in _NO_UNIT:
        return Value(dims=(), text=body)
    if (
        len(body) > 30
        or (len(body) == 1 and body in "ACDEFGHIKLNPQRSUXYZ")  # the letter of a column, of a scenario
        or (re.match(r"[\d=]", body) and not re.match(r"1/|(?:1[eE]|10\^)\d+ [a-z]", body))
        or (body.casefold() in WORDS and len(body) > 2 and not body.islower() and body not in ("FLOP", "MAC"))
    ):
        return None
    return (
        read_unit(body, "work" if body in ("FLOPs", "Total FLOPs", "total FLOPs") else "")
        or read_unit(body, "peak")
        or (_magnitude(body, "parameters") if body == "bn" else None)
        or _counted(body)
        or _cycles(body)
        or _many_per_period(body)
        or (unit_cell(body.split(",")[0]) if re.match(r"(?:[kMB]|[^\W\d][^,]+), \w", body) else None)  # "M, cacheable"
    )


_FRACTION = frozenset(("anteil", "share", "part", "fraction", "frac", "frac.", "bruchteil"))
_NO_UNIT = frozenset(
    ("dimensionless", "dimensionslos", "sans dimension", "unitless", "no unit", "none", "ohne", "facteur", "coefficient", "multiple")
)  # fmt: skip


@lru_cache(maxsize=65536)
def plain_unit(text: str) -> Value | None:
    """Read a text that is nothing but the unit of a quantity, or "%": no count of things, no magnitude."""
    unit = unit_cell(text) if len(text) <= 14 else None
    return unit if unit is not None and (hard(unit.dims or ()) or unit.text == "%") else None


def _many_per_period(body: str) -> Value | None:
    """Read "million/month": what is counted is the label's concept."""
    match = re.fullmatch(r"(.+?)\s*(?:/|\bper\b|\bpro\b|\bpar\b|\bje\b)\s*(.+)", body)
    period = PERIOD_UNIT.fullmatch(f"/{_translate(match[2], '')}") if match else None
    many = _magnitude(match[1], "tokens") if match and period else None
    if many is None or period is None:
        return None
    kinds = frozenset({("period", _period_name(period[1]))})
    return Value(dims=(("count", 1.0),), factor=many.factor, kinds=kinds, text=body)


def _period_name(word: str) -> str:
    """Return "month" for "mo" and "months"."""
    return PERIOD_SHORT.get(word.lower(), word.lower().rstrip("s"))


def _counted(body: str) -> Value | None:
    """Read what a unit column counts: "replicas", "drives/server", "runs/vessel/day"."""
    period = PERIOD_UNIT.search(_translate(body, "")) if body.count("/") == 2 else None
    if period is not None and (each := _counted(body.rpartition("/")[0])) is not None:
        return replace(each, kinds=each.kinds | {("period", _period_name(period[1]))}, text=body)
    words = [w.strip() for w in body.split("/")]
    names = [COUNTED_WORDS.get(w.casefold()) for w in words]
    many = words[0].casefold()
    things = len(names) == 2 and names[0] is None and re.fullmatch(_MANY, words[0]) and not _NO_THINGS.match(many)
    if things and _is_noun(many):
        if names[1] is not None:
            return Value(dims=((names[1], -1.0),), text=body)  # "documents/user"
        one = _parsed(_translate(words[1], ""), words[1])
        if one is not None and one.dims and one.factor == 1.0 and not hard(one.dims):
            return Value(dims=tuple((n, -e) for n, e in one.dims), text=body)  # "chunks/query"
        return Value(dims=(), text=body) if _is_noun(words[1].casefold()) else None  # "pages/document"
    if not 1 <= len(names) <= 2 or any(n is None for n in names) or len(set(names)) < len(names):
        return None
    dims = tuple(sorted((n, e) for n, e in zip(names, (1.0, -1.0), strict=False) if n is not None))
    return Value(dims=dims, text=body)


_QUANTITY = re.compile(
    r"(?<![\w.,])(\d{1,9}(?:\.\d{1,9})?|\d{1,3}(?:[  \u202f]\d{3})+)[\s-]?([A-Za-zµ€$]{1,12}(?:/[A-Za-z]+)*)"
)


@lru_cache(maxsize=65536)
def quantities_in(text: str) -> tuple[tuple[float, Value], ...]:
    """Return the numbers of a text that have a unit behind them, with it: "1.2 kB per request, 60 W"."""
    if not any(c.isdigit() for c in text):
        return ()
    units = ((float(re.sub(r"\s", "", number)), unit_cell(word)) for number, word in _QUANTITY.findall(text))
    return tuple((number, unit) for number, unit in units if unit is not None and hard(unit.dims or ()))


@lru_cache(maxsize=65536)
def read_quantity(text: str) -> tuple[float, Value] | None:
    """Read a text such as "80 GiB" or "3,35 TB/s": (number in its unit, unit)."""
    if not re.match(r"\s*[-+]?[$€£]?\s?\d(?!/)", text) or len(text) > 60:
        return None
    body = re.sub(r"(\d)\.(\d{3})(?=\D|$)(?!\s*\d)", r"\1\2", text) if re.search(r"\d\.\d{3},\d", text) else text
    body = re.sub(r"\b([kKMGTP]i?)o(?![A-Za-z])", r"\1B", body)
    try:
        quantity = parse(body)
    except CellError:
        return None
    if not quantity.dimension or not math.isfinite(quantity.si):
        return None
    kinds = frozenset(quantity.kinds.items())
    return quantity.value, Value(quantity.dimension, quantity.unit.factor, kinds, text=quantity.unit.text)
