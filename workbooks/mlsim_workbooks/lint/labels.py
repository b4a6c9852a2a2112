"""Read what a sheet writes beside its numbers: units in headers, names of quantities, and kinds of them.

A label such as ``"Peak TFLOPS (bf16, dense)"`` or ``"Coût mensuel (k€)"`` gives a unit, a concept (the quantity it
names) and kinds (dense, per direction, p99, output tokens, per month). English, German and French words are known.
What is not recognised gives nothing, and nothing is reported about it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mlsim.units.spelling import CURRENCIES
from mlsim_workbooks.lint.algebra import BUILT, Dims, Value, hard, has_money
from mlsim_workbooks.lint.unit_texts import may_hold_unit, read_unit, scaled
from mlsim_workbooks.lint.vocabulary import (
    ABBREVIATED,
    CALENDAR,
    CONCEPTS,
    COUNTED,
    KINDS,
    LOWER,
    NUMBERS,
    PER,
    PERIOD_WORDS,
    PREPOSITIONS,
    WORDS,
)

__all__ = ["NOTHING", "Label", "number_of", "per_what", "read_label", "speaks"]


@dataclass(frozen=True, slots=True)
class Label:
    """What a text says about the number it stands beside."""

    text: str = ""
    unit: Value | None = None  # the unit it states, with the kinds of the unit's own text
    concept: str = ""
    kinds: frozenset[tuple[str, str]] = frozenset()
    strong: bool = False  # the unit stands in brackets or behind a comma: it is meant as one
    dims: Dims = ()  # counted things: ("device", -1) for "per GPU"

    @property
    def says_something(self) -> bool:
        """Whether the label has a unit or a concept."""
        return self.unit is not None or bool(self.concept)


NOTHING = Label()


def _concept(text: str) -> str:
    likely = CONCEPTS.likely(text)
    tail = text.rpartition(":")[2].strip()  # "KV cache, same model: layers"
    if not any(pattern.search(text) or (tail != text and pattern.search(tail)) for _, pattern in likely):
        return ""
    head = _WITH.split(text)[0]
    parts = [p for p in (tail if tail != text and len(tail) > 3 else "", head if head != text else "") if p.strip()]
    for part in (*parts, text):
        for name, pattern in likely:
            match = pattern.search(part)
            if match:
                counted = (NUMBERS.get(name) or name in ("parameters", "active parameters")) and not name.endswith(
                    " each"
                )
                return "" if counted and _only_mentions(part, match, name) else name
    return ""


_WITH = re.compile(r"\b(?:incl|including|excl|excluding|inkl|ohne|without|sans)\b", re.I)
_ALL = re.compile(r"(?:all|alle|tous|toutes)\s", re.I)


def _only_mentions(text: str, match: re.Match[str], name: str) -> bool:
    """Tell whether a label mentions things without counting them: "All customers", "S1: 1000 GPUs", "Rate, all users"."""
    if re.fullmatch(r"all (?:the )?param\w*", text, re.I):
        return False
    before = text[: match.start()] if match.group()[:1].isalpha() else text[: match.start() + 1]
    if name in ("parameters", "active parameters") and before.endswith(", "):
        return False  # "Qwen3-235B-A22B, paramètres actifs"
    return bool(
        _ALL.match(text)
        or re.search(
            r"(?<![a-zA-Z\d])(?<![a-zA-Z]-)\d[\d.,]*\s?(?:[kKMB]|bn|Mi[ol]\S*|Mrd\.?|[mb]illions?)?[ -]$|\w.*[,(:]",
            before,
        )
    )


def _kinds(text: str) -> frozenset[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for (category, kind), pattern in KINDS.likely(text):
        if pattern.search(text):
            found.setdefault(category, set()).add(kind)
    if len(found.get("token", ())) == 2 and _EACH_OF.search(text):
        found["token"] = {"one per other"}  # "input tokens per output token"
    if found.get("precision") == {"fp16", "bf16"}:
        found["precision"] = {"bf16"}  # "FP16/BF16": of one peak
    # "prompt + output tokens", "p50 / p99": two kinds at once say nothing.
    return frozenset((c, next(iter(k))) for c, k in found.items() if len(k) == 1)


def _per_second(match: re.Match[str]) -> str:
    """Read "tok s", "tb s" of a snake-case name as a rate."""
    word = LOWER.get(match[1], match[1])
    return f"{word}/s" if word in _RATED else match[0]


_RATED = frozenset(
    ("tok", "tokens", "req", "requests", "img", "images", "samples", "GB", "TB", "MB", "GiB", "kbit", "Mbit", "Gbit", "flop")
)  # fmt: skip


def _without_names(unit: Value) -> Value:
    """Return the unit of a snake-case name without what it only names: "gpu_watts" are watts, "weights_gib" GiB."""
    have = dict(unit.dims or ())
    named = {"device"} if have.get("device", 0) > 0 >= have.get("time", 0) else set()
    if {"parameter", "information"} <= have.keys():
        named.add("parameter")
    kept = tuple((n, e) for n, e in unit.dims or () if n not in named)
    return replace(unit, dims=kept) if named and kept else unit


_OF_EACH_THING = re.compile(
    r"((?:[a-z]+ )*(?:gb|gib|mb|mib|tb|tib|kb|kwh|kw|ms|us)) per (?:shard|file|block|chunk|page|document|doc|index|copy|expert|layer|clip|call|job|run|shift|scan|batch|bucket)"
)
_PER_PERIOD = re.compile(
    r"\b(h|hours|kg|t|kwh|mwh|gb|tb|tok|mtok|tokens|req|requests|images|gpuh) (day|week|month|year|jour|mois|semaine|tag|monat|jahr)\b"
)
_MANY_BEHIND = re.compile(r"\b(tok|tokens|req|requests|images|samples)( per \w+)? (k|m|mn|bn)$")  # tok_day_bn
_STATISTIC_BEHIND = re.compile(
    r" (?:p\d\d|avg|mean|med|median|max|min|typ|fp\d+|bf16|int\d|in|out)$", re.I
)  # lat_ms_p99
_MANY_BEFORE = re.compile(r"(k|M|bn) [a-z]")  # "k env steps/s"
_STATISTIC_BEFORE = re.compile(r"^(?:min|max|avg|mean|med|median|sum|cum) (?=\w)", re.I)  # min_usd_gpu_hr
_PRICED_RATE = re.compile(r"\b(?:usd|eur) per [gt]b s\b")  # usd_tb_s_hr: dollars an hour for each TB/s
_PER_EITHER = re.compile(r"\bper \w+ or \w+")
_FIGURES = re.compile(
    r",? \(?one per (?:gpu|node|server|host|site|rack|replica|user|zone)\)?$|\(\d[^()]*\)|\b\d+ (?:gpus?|cards|devices) (?:of|in|per) (?:a|an|the|each|one) \w+",
    re.I,
)  # "GPUs (8 per node)"
_MANY_WORD = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion"}
_MONEY_PER = re.compile(
    rf"\b({'|'.join(CURRENCIES).lower()}) (?=(?:h|hour|hr|gb|tb|kwh|mwh|tok|mtok|ktok|gpu|gpuh|req|month|year|day|user|image|node|server|rack|card|replica)\b)"
)
_GPU_HOURS = re.compile(
    r"(?:[a-zäöüé]+ ){0,2}GPU[- ]?(?:hours|Stunden) (?:in|of|im) (?:the |a )?(?:year|month|quarter|week|jahr|monat|quartal)",
    re.I,
)
_PER_MANY = re.compile(r"\((USD|EUR|GBP|CHF|[$€£])/([kM])(?:io\.?|illion)?\)")  # "Rent per million tokens (USD/M)"
_SHORTENED = re.compile(rf"\b({'|'.join(ABBREVIATED)})\.(?![\w])", re.I)
_EACH_OF = re.compile(r"tokens? .*\b(?:per|par|je|pro)\b.* tokens?\b|tokens? .*\b(?:per|par|je|pro) token", re.I)
_OF_BYTES = re.compile(
    r" \(\d+ (?:bytes?|octets?|B) (?:per|je|par|pro) \w+\)$", re.I
)  # "activations (2 bytes per value)"
_AT_A_RATE = re.compile(r"(?<=\w) (?:at|bei|à) \d[\d.,]* [A-Za-z]+/\w+$")  # "300 tokens at 55 tok/s"
_BRACKET = re.compile(r"[(\[{]([^()\[\]{}]{1,60})[)\]}]")


@lru_cache(maxsize=65536)
def read_label(text: str) -> Label:
    """Read a header or a row label."""
    shown = " ".join(text.split())
    if not shown or len(shown) > 90 or re.search(r"\S\|\S", shown):
        return NOTHING  # nothing, prose, or a key that a formula looks up
    snake = "_" in shown and " " not in shown
    words = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", " ", shown.replace("_", " ")) if snake else shown
    if "." in words:
        words = _SHORTENED.sub(lambda m: ABBREVIATED[m[1].lower()], words)
    words = words.replace("à jour", "àjour")  # "mises à jour" are no days
    words = re.sub(r"\b([Mm])eeting minutes\b", r"\1eeting notes", words)
    words = re.sub(r"\breq\.", "requests", words)
    words = re.sub(r"\b(?i:(tokens|parameters|params|compute)),? [NDC]$", r"\1", words)  # as the papers call them
    words = _AT_A_RATE.sub("", words)
    if "tok" in words.lower():
        words = _PER_MANY.sub(r"(\1/\2tok)", words)
    concept = _concept(_OF_BYTES.sub("", words))
    kinds = set(_kinds(words))
    if re.match(r"(?:GPUs|cards|accelerators|nodes|servers|replicas) (?:for|needed for) \d", words):
        return Label(shown, None, concept or "devices", frozenset(kinds))  # "GPUs for 2000 M tokens/day"
    if snake:
        words = re.sub(r"\b(req|requests|tok|tokens) per min\b", r"\1/min", words)
    else:
        words = re.sub(r"^[A-Za-zα-ω](?:_\w{1,4})?, (?=[a-z]{4})", "", words)  # "h, model width"
    if snake and (each := _OF_EACH_THING.fullmatch(words)):
        words = each[1]  # "gb per shard"
    if snake and concept in ("carbon", "carbon intensity"):
        words = re.sub(r" (k?g|t)\b(?: CO2e?)?", r" \1CO2e", words)
    if snake:
        words = _STATISTIC_BEFORE.sub("", _STATISTIC_BEHIND.sub("", words))
        words = _MONEY_PER.sub(r"\1 per ", words)
        words = _PER_PERIOD.sub(r"\1 per \2", words)
        words = _MANY_BEHIND.sub(lambda m: f"{_MANY_WORD[m[3]]} {m[1]}{m[2] or ''}", words)
        words = re.sub(
            r"\b(\w+) (?:per )?(s|sec)\b(?=$| (?:per|gpu|user|node|replica|total|all|sum|cluster|fleet)\b)",
            _per_second,
            words,
        )
        words = re.sub(r"/s (?=(?:gpu|user|node|replica)\b)", "/s per ", words)
    unit, rest, strong = _find_unit(words, concept, snake) if not _PRICED_RATE.search(words) else (None, words, False)
    if unit is None and _AND_SECOND.search(words):
        unit = read_unit("tok/s")
    if unit is None and concept == "device hours" and _GPU_HOURS.fullmatch(words):
        unit = read_unit("GPU-h")
    if unit is not None and (many := _MANY_BEFORE.match(rest)):
        unit = scaled(unit, [many[1]])
    dims: dict[str, float] = {}
    said = _PER_EITHER.sub(" ", _FIGURES.sub(" ", words))
    for name, pattern in PER.likely(said):
        if pattern.search(said) and not (unit and unit.dims and any(n == name for n, _ in unit.dims)):
            dims[name] = -1.0
    if unit is None and concept in ("", "count", "replicas"):
        counted = next((name for name, pattern in COUNTED.likely(words) if pattern.search(words)), "")
        if counted and counted not in dims:
            concept = concept or "count"
            dims[counted] = 1.0
    if unit is not None and unit.dims and unit.text != "1/s" and not any(n == "token" for n, _ in unit.dims):
        unit = per_what(unit, rest)
    if snake and unit is not None:
        unit = _without_names(unit)
    if unit is not None and not unit.kind("period"):
        priceless = _PRICE.sub(" ", rest)
        for name, pattern in PERIOD_WORDS.likely(priceless):
            if pattern.search(priceless):
                kinds.add(("period", name))
                break
    if unit is not None:
        named = {c for c, _ in unit.kinds}
        kinds = {k for k in kinds if k[0] not in named} | set(unit.kinds)
    else:
        priceless = _PRICE.sub(" ", words)
        kinds |= {("period", p) for p, pattern in PERIOD_WORDS.likely(priceless) if pattern.search(priceless)}
    return Label(shown, unit, concept, frozenset(kinds), strong, tuple(sorted(dims.items())))


def _find_unit(words: str, concept: str, snake: bool) -> tuple[Value | None, str, bool]:
    """Return the unit a label states, the label without it, and whether it is set apart."""
    if not may_hold_unit(words):
        return None, words, False
    brackets = list(_BRACKET.finditer(words))
    for match in reversed(brackets):
        pieces = match[1].split(",")
        if len(pieces) > 2 and all(len(piece.strip()) < 3 for piece in pieces):
            continue  # "(Q, K, V, O)"
        pieces = match[1].split(";")
        if len(pieces) > 1 and all(read_unit(piece.strip(), concept) for piece in pieces):
            continue  # "(l ; kg CO2e/l)": of two columns
        for piece in (match[1], *re.split(r"[,;|]", match[1])):
            unit = None if _COUNTING.match(piece) else read_unit(piece, concept)
            if unit is not None and (piece == match[1] or piece.strip().casefold() not in WORDS):
                return unit, words[: match.start()] + words[match.end() :], True
    plain = re.sub(r"\s+(?=,)", "", _BRACKET.sub(" ", words).strip()) if brackets else words
    if many := _IN_MANY.fullmatch(plain):
        unit, rest, strong = _find_unit(many[1], concept, snake)
        if unit is None:  # "Parameters in all, in billions"
            return (
                (read_unit(many[2], concept) if concept in ("parameters", "active parameters") else None),
                many[1],
                True,
            )
        return scaled(unit, [many[2]]), rest, strong
    if (ends := _IN_UNIT.fullmatch(plain)) and (unit := read_unit(ends[2], concept)) is not None:
        return unit, ends[1], True
    unit = _whole(plain, concept, snake)
    if unit is not None:
        return scaled(unit, [m[1] for m in brackets]), "", False
    for separator in (", ", " in ", " [", ": ", " – ", " - ", " | ", " / "):
        head, found, tail = plain.rpartition(separator)
        if found and head and not (separator == " in " and re.match(r"(?:the|an?|each|every|this|one) ", tail)):
            unit = None if _COUNTING.match(tail) else read_unit(tail, concept)
            timed = separator == ", " and (tail in _TIMES or (tail == "min" and _LASTS.search(head)))
            if (
                unit is not None
                and (tail.casefold() not in WORDS or len(tail) == 1 or timed)
                and (separator in (", ", " [") or _certain(unit, tail, concept))
            ):
                return unit, head, separator in (", ", " [", " in ") and tail not in _TIMES
    if (apart := _between_commas(plain, concept)) is not None:
        return apart
    unit, rest = _trailing(plain, concept, snake)
    if snake and unit is None:  # peak_tops_int8
        unit = next(
            (read_unit(LOWER[p], concept) for p in plain.split() if p in ("tops", "tflops", "pflops", "gflops")), None
        )
    inside = _RATE.search(plain) if unit is None and concept == "throughput" else None
    if inside:  # "Answer tokens per second of one replica"
        unit, rest = read_unit(f"{inside[1]}/s"), plain[: inside.start()] + plain[inside.end() :]
    if unit is not None:
        unit = scaled(unit, [m[1] for m in brackets])
    return unit, rest, unit is not None and snake and plain.split()[-1].casefold() in LOWER


def _between_commas(text: str, concept: str) -> tuple[Value, str, bool] | None:
    """Return the unit that stands between two commas, or behind the last one before words of its kind: ", GB/s, one way"."""
    head, *behind = text.split(", ")
    for i, piece in enumerate(behind):
        symbol, _, kind = piece.partition(" ")
        if i < len(behind) - 1 and read_unit(piece, concept):
            symbol, kind = piece, ""
        elif not kind or not _kinds(kind):
            continue
        unit = read_unit(symbol, concept) if symbol.casefold() not in WORDS else None
        if unit is not None and unit.dims and hard(unit.dims) and _certain(unit, symbol, concept):
            return unit, ", ".join((head, *behind[:i], *([kind] if kind else ()), *behind[i + 1 :])), True
    return None


_TIMES = frozenset(
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years", "Sekunden", "Minuten", "Stunden", "Tage", "Wochen",
     "Monate", "Jahre", "secondes", "heures", "jours", "semaines", "mois", "ans", "années")
)  # fmt: skip


@lru_cache(maxsize=65536)
def speaks(text: str) -> bool:
    """Tell whether a text says anything about a number beside it."""
    if text.casefold() in ("us", "mo") or CALENDAR.fullmatch(text.strip()):
        return False  # a region: nobody labels a row by microseconds; "Jahr": the line below those of its quarters
    label = read_label(text)
    return label.says_something or bool(label.kinds or label.dims or _PER.search(text))


_PER = re.compile(r"\b(?:per|pro|par|je) \w", re.I)
_LASTS = re.compile(r"interval|duration|\btime\b|dauer|intervall|durée|every|window|timeout", re.I)  # ", min"
_IN_MANY = re.compile(r"(.*\w), (?:in )?(thousands?|millions?|billions?|Tsd\.?|Mio\.?|Mrd\.?|milliers|milliards)", re.I)
_IN_UNIT = re.compile(
    r"(\w.*\w) (?:in|en) (seconds|minutes|hours|days|weeks|months|years|Sekunden|Minuten|Stunden|Tagen|Wochen|Monaten|Jahren"
    r"|secondes|heures|jours|semaines|mois|ans|années|EUR|USD|[GTM]i?[oB])(?:, .*)?"
)  # "Laufzeit in Monaten"
_RATE = re.compile(
    r"\b(tok(?:en)?s?|requests|queries|images|samples|frames)(?: |)(?:/|per |pro |par )(?:s|sec|seconds?|sekunde|seconde)\b(?! per|/)",
    re.I,
)
_MANY = re.compile(
    r"(?:per|/|pro|par|je|(?:of|is|for|costs?) (?:a|one)) ?(?:1 ?)?(k|1[,. ]?000|thousand|M|1[,. ]?000[,. ]?000|1e6|million|Mio\.?|mn|billion|B)[ -]*"
    r"(?:[\w-]+[ -])?((?i:tok)(?:en)?s?|jetons|req(?:uest)?s?|queries|images?)\b"
)
_MANY_SCALE = {"k": 1e3, "t": 1e3, "b": 1e9}


def per_what(unit: Value, text: str) -> Value:
    """Apply what a label says that a figure is per, outside the brackets or the cell that hold its unit."""
    text = _PRICE.sub(" ", text)
    return _per_unit(_per_many(unit, text), text)


def _per_many(unit: Value, rest: str) -> Value:
    """Apply "per million tokens" written outside the brackets that hold the unit."""
    match = _MANY.search(rest)
    assert unit.dims is not None
    if not match:
        return unit
    digits = re.sub(r"\D", "", match[1])
    scale = float(digits) if len(digits) > 3 else _MANY_SCALE.get(match[1][0].lower(), 1e6)
    counted = {"r": "request", "q": "request", "i": "sample"}.get(match[2][0].lower(), "token")
    dims = tuple(sorted((*((n, e) for n, e in unit.dims if n != counted), (counted, -1.0))))
    return replace(unit, dims=dims, factor=unit.factor / scale)


_NODES = ("node", "server", "serveur", "knoten")
_EACH_AND_HOUR = re.compile(
    r"\b(?:per|je|par|pro) (gpu|card|karte|carte|chip|node|server|serveur|knoten) (?:and|und|et) (?:par )?(?:hour|stunde|heure)\b",
    re.I,
)
_AND_HOUR = re.compile(r"(?:und|and|et) (?:hour|stunde|heure)\b", re.I)
_AND_SECOND = re.compile(r"\btok(?:en)?s?\b.*(?:per|je|par|pro) \w+ (?:and|und|et) (?:second|sekunde|seconde)\b", re.I)
_OF_A = re.compile(r"\b(?:of|for|does) (?:an?|one) ([A-Za-z]+(?:[- /][A-Za-z]+){0,2})", re.I)  # "Price of a GPU hour"
_PRICED_HOUR = re.compile(r"((?:GPU|node|card|instance)[- ]hour)", re.I)  # "GPU-hour (EUR)"
_PRICE = re.compile(  # "at $0.02/GB", "$0.13 per M tok", "2.20 USD per GPU-hour" are figures, no units
    rf"\b\d[\d.,]* ?(?:{'|'.join(CURRENCIES)}|[€£]) (?:per|je|pro|par) [\w-]+|"
    r"[$€£]? ?\d[\d.,]* ?[$€£\w]*(?:/[\w-]+)+|[$€£] ?\d[\d.,]* (?:per|je|pro|par) \w+(?: tok\w*)?(?: (?:and|und|et) \w+)?"
)
_PER_WHAT = re.compile(r"(?:\bper|/|\bpro|\bpar|\bje|\bdu|\bd.un[e]?) ?([A-Za-z]+(?:[- /][A-Za-z]+){0,2})", re.I)


def _per_unit(unit: Value, text: str) -> Value:
    """Apply "per kWh", "per TB", "per node-hour" written outside the brackets that hold the unit."""
    assert unit.dims is not None
    if has_money(unit):  # "per GPU and hour"
        text = _EACH_AND_HOUR.sub(lambda m: f"per {'node' if m[1].lower() in _NODES else 'GPU'}-hour", text)
    match = _PER_WHAT.search(text)
    if match is None and has_money(unit):
        match = _OF_A.search(text) or _PRICED_HOUR.fullmatch(text.strip())
    if not match:
        return unit
    words = match[1].split(" ")
    if words[-1] == "cost":
        words.pop()  # "What does a GPU-hour cost?"
    for first, last in ((0, 3), (0, 2), (0, 1), (1, 3), (1, 2)):  # "je angebotener GPU-Stunde"
        phrase = " ".join(words[first:last])
        if len(words) < last:
            continue
        per = read_unit(phrase) if phrase.casefold() not in WORDS or phrase in ("MAC", "FLOP") else None
        if per is None or per.dims in (None, (("time", 1.0),)) or not hard(per.dims or ()) or phrase == "Mio":
            continue
        assert per.dims is not None
        have = dict(unit.dims)
        if any(have.get(n) for n, _ in hard(per.dims) if n != "time") or (
            have.get("time") and dict(per.dims).get("time")
        ):
            return unit
        for name, exponent in per.dims:
            have[name] = have.get(name, 0.0) - exponent
        factor = unit.factor / per.factor
        if _AND_HOUR.match(f"{' '.join(words[last:])}{text[match.end() :]}".strip()):  # "je PFLOP/s und Stunde"
            have["time"] = have.get("time", 0.0) - 1.0
            factor /= 3600.0
        return replace(unit, dims=tuple(sorted((n, e) for n, e in have.items() if e)), factor=factor)
    return unit


_COUNTING = re.compile(
    r"\s*(?:[a-z]{4,} )?\d(?!(?:0\^|e)\d+\s*(?:$|[a-z]{3}))(?!\s?[kKM]? tok)(?!(?<=1)\s?/\s?[a-zµ])"
)  # "(80 GB)", ", usable 85 %" are figures, "(10^9)" a unit
_COUNT_WORDS = re.compile(
    r"^(?:#|(?-i:Min)\.?(?= \S+/)|no\.?|number of|num|count of|total|avg\.?|average|mean|max\.?|peak|anzahl|nombre de)\s+",
    re.I,
)


def _whole(text: str, concept: str, snake: bool) -> Value | None:
    """Read a label that is itself a unit: "GPU-hours", "Tokens per second per user", "$ per million tokens"."""
    body = re.sub(r"^(?:in|as|en) (?=\S+$)", "", _COUNT_WORDS.sub("", text), flags=re.I)  # "In seconds"
    body = re.sub(r"\b(?:second|sec)s?$", "s", body, flags=re.I) if re.search(r"per sec", body, re.I) else body
    candidates = [body]
    if snake:
        candidates.append(" ".join(LOWER.get(p, p) for p in body.split()))
    if body[:1].isupper() and body[1:2].islower():
        candidates.append(body[0].lower() + body[1:])
    if re.fullmatch(r"[Ee]n [TMP]o", text):
        return read_unit(text[3:], concept)
    for candidate in candidates:
        _, comma, tail = candidate.rpartition(", ")
        if (comma and " " not in tail and read_unit(tail, concept)) or re.match(
            r"weights? .* [KMGT]i?B$", candidate, re.I
        ):
            continue  # "GPUs, kW"
        unit = read_unit(candidate, concept)
        if unit is not None and unit.dims is not None and len(candidate) > 1:
            if _is_noun(unit, candidate):
                unit = replace(unit, text="")  # "Output tokens": what is counted, in no certain scale
                if not candidate.endswith("s"):
                    continue
            if candidate.casefold() in WORDS and not (hard(unit.dims) and candidate.endswith("s")):
                # one word names a thing: a plural is a count of it; parameters may be counted in billions
                return replace(unit, factor=math.nan) if concept == "parameters" else (
                    unit if candidate.endswith("s") and candidate.casefold() not in ("weights", "units", "samples") else None)  # fmt: skip
            return unit
    return None


_MANY_OF = re.compile(r"\b(?:tok|req|img|rps|qps|[kmgt]i?b|[kmgt]bit|flop|op|sample|frame)s? s$", re.I)
_PERIOD_WORDS = frozenset(
    ("day", "week", "month", "year", "jahr", "monat", "woche", "tag", "an", "année", "mois", "semaine", "jour")
)  # "cost_month", "Hochrechnung Jahr": of a month, of a year


def _is_noun(unit: Value, text: str) -> bool:
    """Tell whether a label's unit is only a name of what it counts: "Samples", "Output tokens", "Decode step"."""
    counted = [n for n, e in unit.dims or () if e > 0]
    alone = len(counted) == 1 == len(unit.dims or ()) and counted[0] not in BUILT and not unit.kind("period")
    return alone and not hard(unit.dims or ()) and text.split()[-1].casefold() in WORDS and unit.factor == 1.0


def _certain(unit: Value, text: str, concept: str) -> bool:
    """Tell whether trailing words are certainly a unit: a symbol of two letters or more, or one that fits the concept."""
    assert unit.dims is not None
    if text == "CAD" and concept != "money":
        return False  # computer-aided diagnosis
    if text.casefold() in ("min", "mo", "ms", "us") and concept not in ("latency", "hours"):
        return text == "ms"
    if concept in ("parameters", "active parameters") and re.fullmatch(r"[BM]|bn|mn|(?:b|m)illions?|10\^\d+", text):
        return True
    if len(text) == 1:
        return (
            text in "%$€£" or (text == "W" and concept == "power") or (text in "sh" and concept in ("latency", "hours"))
        )
    return bool(hard(unit.dims)) or text in ("%",) or "/" in text


def _trailing(text: str, concept: str, snake: bool) -> tuple[Value | None, str]:
    """Read a unit at the end ("TTFT ms", "hbm_gb", "Peak TFLOPS dense") or at the front ("GPU-hours used")."""
    pieces = text.split()
    for count in (4, 3, 2, 1):
        if len(pieces) <= count:
            continue
        tail = pieces[-count:]
        if snake:
            tail = [LOWER.get(p, p.upper() if p == "b" and concept.endswith("parameters") else p) for p in tail]
            joined = re.sub(r"\bper (s|sec|second)\b", "/s", " ".join(tail))
        else:
            joined = " ".join(tail)
        word = (
            count == 1 and joined.casefold() in (_PERIOD_WORDS if snake else _PERIOD_WORDS | WORDS) and len(joined) > 1
        )
        if word and (joined not in CURRENCIES or pieces[-2] in CURRENCIES or concept == "exchange rate"):
            continue  # "Plan EUR" is in euros, "Kurs USD" is not in dollars
        if snake and count > 1 and pieces[-count] in ("stream", "user", "request", "step", "image", "frame", "batch"):
            continue  # h265_stream_mbit_per_s
        if (
            snake
            and joined == "s"
            and concept in ("", "latency")
            and pieces[-2][-1:] != "s"
            and not _MANY_OF.search(text)
        ):
            return read_unit("s", "latency"), " ".join(pieces[:-1])  # clip_s
        before = pieces[-count - 1].casefold()
        two = [p.casefold() for p in pieces[-count - 2 : -count]]
        if (
            joined.isalpha()
            and len(joined) > 3
            and {"over", "during", "within", "in", "across"} & set(two)
            and not snake
        ):
            continue  # "mean over open hours"
        if before in ("and", "und", "et") and joined.isalpha() and re.search(r"\b(?:per|pro|par|je)\b", text, re.I):
            continue  # "per user and workday"
        if (
            before in ("per", "/", "pro", "par", "je")
            or (before[:1].isdigit() and not (snake and before.endswith("k")))
            or pieces[-count - 2 : -count - 1] in (["per"], ["pro"], ["par"], ["je"])
            or (before in PREPOSITIONS and (joined if snake else joined.replace(" ", "")).isalpha())
        ):
            continue
        unit = read_unit(joined, concept)
        if unit is not None and _certain(unit, joined, concept) and not re.match(r"(?:per|/|pro|par)\b", joined):
            return unit, " ".join(pieces[:-count])
    for count in (5, 4, 3, 2, 1):
        if len(pieces) <= count:
            continue
        joined = " ".join(pieces[:count])
        if joined.casefold() in WORDS:
            continue
        unit = read_unit(joined, concept)
        if re.search(r"\bvs\b|reduction|\bsaved\b", " ".join(pieces[count:]), re.I):
            continue  # "MB reduction"
        strong = re.search(r"[/$€£%-]|\bper\b", joined) or re.fullmatch(
            r"[kMGTPE]?(?:FLOPS?|TOPS|OPS|kWh|MWh)|[kMGTP]i?B|[kM]W|ms|µs", joined
        )
        if unit is not None and unit.dims and hard(unit.dims) and strong:
            return unit, " ".join(pieces[count:])
    return None, text


# --- cells that are a unit or a quantity ----------------------------------------------------------------------------


def number_of(concept: str) -> Value | None:
    """Return the unit of a concept whose numbers are bare, such as layers or a utilisation."""
    dims = NUMBERS.get(concept)
    return None if dims is None else Value(dims=dims, factor=0.125 if concept == "bits each" else 1.0)
