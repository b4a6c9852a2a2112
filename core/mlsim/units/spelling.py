"""How people write units: every accepted spelling, and every spelling that could mean two things.

One table, built once. A spelling maps to a unit name of ``units.txt``; an ambiguous spelling maps to its readings.
A spelling in the wrong case ("gib", "KWH") is accepted when only one unit can be meant.
"""

from __future__ import annotations

from functools import cache

__all__ = ["AMBIGUOUS", "CURRENCIES", "MAGNITUDES", "SYMBOLS", "spellings", "spellings_by_case"]

# "Sek" is a second, "cad" a drawing: these are read in capitals only.
_IN_CAPITALS = ("AUD", "BRL", "CAD", "CZK", "DKK", "KRW", "NOK", "PLN", "SEK", "SGD")
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", *_IN_CAPITALS)

_SI = {"k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "E": "exa"}
_SMALL = {"m": "milli", "u": "micro", "n": "nano"}
_TINY = {"p": "pico", "f": "femto"}  # of an operation or a bit: "pJ" is no petajoule in the wrong case
_BINARY = {"Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi", "Pi": "pebi"}
_BILLION = {"B": "giga"}  # "7 Bparam": B is a billion only in front of parameters and tokens
_KILO = {"K": "kilo"}  # "KB", "KW": K for kilo, where no binary reading is usual
_LONG = (
    "kilo",
    "mega",
    "giga",
    "tera",
    "peta",
    "exa",
    "kibi",
    "mebi",
    "gibi",
    "tebi",
    "pebi",
    "milli",
    "micro",
    "nano",
    "pico",
    "femto",
)

# unit -> (symbols that take prefix letters, words that take prefix words, prefix letters)
_UNITS: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]] = {
    "byte": (("B",), ("byte", "bytes", "Byte", "Bytes"), _SI | _BINARY | _KILO),
    "bit": (("b", "bit", "bits"), ("bit", "bits"), _SI | _BINARY | _KILO),
    "byte_per_second": (("Bps",), (), _SI | _BINARY | _KILO),
    "bit_per_second": (("bps",), (), _SI | _KILO),
    "flop": (("FLOP",), ("FLOP", "flop"), _SI | {"Z": "zetta"}),
    "flop_per_second": (("FLOPS", "FLOPs/s", "FLOP/s"), ("FLOPS",), _SI | {"Z": "zetta"}),
    "mac": (("MAC", "MACs"), (), _SI),
    "op": (("OP",), (), _SI),
    "op_per_second": (("OPS", "OPs/s", "OP/s"), (), _SI),
    "token": (("tok", "toks", "token", "tokens"), (), _SI | _BINARY | _BILLION),
    "parameter": (("param", "params", "parameter", "parameters", "weights"), (), _SI | _BILLION | _KILO),
    "request": (("req", "reqs", "request", "requests", "query", "queries", "sequence", "sequences", "seq", "seqs"), (), _SI),
    "request_per_second": (("QPS", "RPS", "qps", "rps"), (), {"k": "kilo", "M": "mega"}),
    "sample": (("sample", "samples", "image", "images", "img", "imgs", "frame", "frames", "inference", "inferences"), (), _SI),
    "sample_per_second": (("fps", "FPS", "ips"), (), {"k": "kilo"}),
    "step": (("step", "steps", "iteration", "iterations", "iter", "iters"), (), {}),
    "user": (("user", "users", "stream", "streams"), (), _SI),
    "count": (("count", "counts", "unit", "units"), (), {}),
    "device": (
        ("GPU", "GPUs", "TPU", "TPUs", "HPU", "HPUs", "NPU", "NPUs", "XPU", "XPUs", "device", "devices", "chip", "chips",
         "accelerator", "accelerators", "card", "cards", "gpu", "gpus"), (), {}),
    "node": (("node", "nodes", "server", "servers", "host", "hosts", "instance", "instances"), (), {}),
    "rack": (("rack", "racks"), (), {}),
    "link": (("link", "links", "port", "ports", "lane", "lanes"), (), {}),
    "second": (("s", "sec"), ("second", "seconds", "sec", "secs"), _SMALL),
    "minute": (("min", "mins", "minute", "minutes"), (), {}),
    "hour": (("h", "hr", "hrs", "hour", "hours"), (), {}),
    "day": (("d", "day", "days"), (), {}),
    "week": (("wk", "week", "weeks"), (), {}),
    "month": (("mo", "month", "months"), (), {}),
    "year": (("yr", "yrs", "y", "year", "years"), (), {}),
    "hertz": (("Hz",), ("hertz",), _SI),
    "joule": (("J",), ("joule", "joules"), _SI | _SMALL | _TINY),
    "watt": (("W",), ("watt", "watts"), _SI | _KILO | _SMALL | _TINY),
    "watt_hour": (("Wh",), (), _SI | _KILO | {"m": "milli"}),
    "gram_co2e": (("gCO2e",), (), {"k": "kilo", "m": "milli"}),
    "tonne_co2e": (("tCO2e",), (), {"k": "kilo", "M": "mega"}),
    "liter": (("L", "l"), ("liter", "liters", "litre", "litres"), {"m": "milli", "k": "kilo"}),
    "usd": (("$", "US$", "USD", "dollar", "dollars"), (), {"k": "kilo", "K": "kilo", "M": "mega", "B": "giga"}),
    "eur": (("€", "EUR", "euro", "euros"), (), {"k": "kilo", "M": "mega"}),
    "gbp": (("£", "GBP"), (), {"k": "kilo", "M": "mega"}),
    "jpy": (("JPY",), (), {"k": "kilo", "M": "mega"}),
    "cny": (("CNY", "RMB"), (), {"k": "kilo", "M": "mega"}),
    "inr": (("INR", "₹"), (), {"k": "kilo", "M": "mega"}),
    "chf": (("CHF",), (), {"k": "kilo", "M": "mega"}),
    **{code.lower(): ((code,), (), {"k": "kilo", "M": "mega"}) for code in _IN_CAPITALS},
    "percent": (("%", "percent", "pct"), (), {}),
}  # fmt: skip

# Canonical name -> the symbol we print.
SYMBOLS = {
    "byte": "byte", "bit": "bit", "flop": "FLOP", "mac": "MAC", "op": "OP", "token": "token", "parameter": "param",
    "request": "request", "sample": "sample", "step": "step", "user": "user", "count": "count", "device": "GPU",
    "node": "node", "rack": "rack", "link": "link", "second": "s", "minute": "min", "hour": "h", "day": "day",
    "week": "week", "month": "month", "year": "year", "hertz": "Hz", "joule": "J", "watt": "W", "watt_hour": "Wh",
    "gram_co2e": "gCO2e", "tonne_co2e": "tCO2e", "liter": "L", "usd": "$", "eur": "EUR", "gbp": "GBP", "jpy": "JPY",
    "cny": "CNY", "inr": "INR", "chf": "CHF", "percent": "%", "bit_per_second": "bps", "byte_per_second": "B/s",
    "flop_per_second": "FLOP/s", "op_per_second": "OP/s", "request_per_second": "request/s",
    "sample_per_second": "sample/s", **{code.lower(): code for code in _IN_CAPITALS},
}  # fmt: skip

# "70 B params", "1.2 million tokens", "$2.5M": a magnitude in front of something that is counted.
MAGNITUDES = {
    "k": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9, "T": 1e12,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "mm": 1e6,
}  # fmt: skip

_COUNT_OR_RATE = (
    "{p}FLOP (a count of operations)",
    "{p}FLOP/s (a rate; also written {p}FLOPS)",
)
_OP_COUNT_OR_RATE = ("{p}OP (a count of integer operations)", "{p}OP/s (a rate; also written {p}OPS)")


def _ambiguous() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for p in ("", "k", "M", "G", "T", "P", "E", "Z"):
        readings = tuple(r.format(p=p) for r in _COUNT_OR_RATE)
        for spelled in (f"{p}FLOPs", f"{p}flops", f"{p.lower()}flops", f"{p}Flops", f"{p}FLops"):
            table[spelled] = readings
        table[f"{p}MACS"] = (f"{p}MAC (a count)", f"{p}MAC/s (a rate)")
        table[f"{p}OPs"] = table[f"{p}ops"] = tuple(r.format(p=p) for r in _OP_COUNT_OR_RATE)
    for word in ("kilo", "mega", "giga", "tera", "peta", "exa", "zetta"):
        p = {"kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z"}[word]
        for spelled in (f"{word}flops", f"{word}FLOPs", f"{word.title()}flops"):
            table[spelled] = tuple(r.format(p=p) for r in _COUNT_OR_RATE)
    table |= {
        "B": ("billion (write the thing counted: 'Bparam', 'B tokens')", "byte (write 'byte')"),
        "b": ("bit (write 'bit')", "billion (write the thing counted: 'Bparam')"),
        "kb": ("kB (10^3 bytes)", "kbit (10^3 bits)"),
        "m": (
            "metre",
            "minute (write 'min')",
            "milli- (write the unit: 'ms', 'mW')",
            "million (write 'M' and the unit)",
        ),
        "M": ("million (write the thing counted: 'M tokens', 'Mparam')", "mega- (write the unit: 'MB', 'MW')"),
        "k": ("thousand (write the thing counted: 'k tokens')", "kilo- (write the unit: 'kB', 'kW')"),
        "K": ("1,000 (write the number out)", "1,024 (write the number out)", "kelvin"),
        "G": ("10^9 bytes (write 'GB')", "2^30 bytes (write 'GiB')", "10^9 of something else (write the unit)"),
        "T": ("10^12 bytes (write 'TB')", "trillion (write the thing counted: 'T tokens')"),
        "Gi": ("2^30 bytes (write 'GiB')", "2^30 bits (write 'Gibit')"),
        "Mi": ("2^20 bytes (write 'MiB')", "2^20 bits (write 'Mibit')"),
        "g": ("gCO2e (write 'gCO2e')", "10^9 bytes (write 'GB')"),
        "kg": ("kgCO2e (write 'kgCO2e')", "a mass, which no model here uses"),
        "t": ("tCO2e (write 'tCO2e')", "tokens (write 'token')", "trillion (write 'T tokens')"),
        "¥": ("JPY (write 'JPY')", "CNY (write 'CNY')"),
        "C": ("a temperature, which no model here uses", "a charge, which no model here uses"),
    }
    for name in ("tok", "toks", "token", "tokens"):  # "128K tokens" is 128,000 to some and 131,072 to others
        table["K" + name] = ("1,000 tokens (write 'k')", "1,024 tokens (write 'Ki', or the number: 4096 tokens)")
    return table


AMBIGUOUS: dict[str, tuple[str, ...]] = _ambiguous()


@cache
def spellings() -> dict[str, str]:
    """Return spelling -> unit name, exact case."""
    table: dict[str, str] = {}
    for unit, (symbols, words, prefixes) in _UNITS.items():
        for symbol in (*symbols, *words):
            table.setdefault(symbol, unit)
        for letter, prefix in prefixes.items():
            for symbol in symbols:
                table.setdefault(letter + symbol, prefix + unit)
        for prefix in _LONG if words else ():
            for word in words:
                table.setdefault(prefix + word, prefix + unit)
    for spelled in AMBIGUOUS:
        table.pop(spelled, None)
    return table


@cache
def spellings_by_case() -> dict[str, frozenset[str]]:
    """Return case-folded spelling -> the exact spellings (ambiguous ones included) it could stand for."""
    table: dict[str, set[str]] = {}
    for spelled in (*spellings(), *AMBIGUOUS):
        if spelled in _IN_CAPITALS or spelled[1:] in _IN_CAPITALS:
            continue
        table.setdefault(spelled.casefold(), set()).add(spelled)
    return {folded: frozenset(exact) for folded, exact in table.items()}
