"""Units: what people write behind a number, its dimension, and the kind of thing it names.

Dimension algebra is pint's, on the base dimensions of ``units.txt``. On top of dimensions a quantity may carry
*kinds*, because the expensive mix-ups have equal dimensions: a dense and a sparse peak, one direction of a link and
both, IT and facility energy, total and active parameters. Two quantities of different kinds do not add.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mlsim.errors import UnitError, shorten
from mlsim.units.messages import describe
from mlsim.units.spelling import AMBIGUOUS, CURRENCIES, MAGNITUDES, SYMBOLS, spellings, spellings_by_case

if TYPE_CHECKING:
    import pint

__all__ = ["MAX_TEXT", "Unit", "either", "is_counted", "make_unit", "merge_kinds", "parse_unit"]

MAX_TEXT = 200  # longer than any quantity; a pasted document is refused before it is looked at
own_process = False
"""Set by a process that is ours alone: pint then does not load Dask, where it is installed, which takes 0.1 s."""
_NO_KINDS: Mapping[str, str] = MappingProxyType({})


@cache
def _registry() -> pint.UnitRegistry[float]:
    """Return pint's registry over our own definitions; built on first use, never at import."""
    if own_process and "dask" not in sys.modules:
        sys.modules["dask"] = None  # type: ignore[assignment]
        try:
            import pint
        finally:
            del sys.modules["dask"]
    else:
        import pint

    return pint.UnitRegistry(str(Path(__file__).with_name("units.txt")), cache_folder=None)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: how it is written, its factor to base units, its dimension and the kinds it names.

    ``dimension`` is a sorted tuple such as ``(("information", 1), ("time", -1))``: hashable and cheap to compare.
    """

    text: str
    factor: float
    dimension: tuple[tuple[str, float], ...]
    kinds: Mapping[str, str] = field(default_factory=lambda: _NO_KINDS, compare=False)

    @property
    def dimension_name(self) -> str:
        """The dimension as text, such as ``"information/time"``; ``"number"`` when it has none."""
        return _dimension_name(self.dimension)


def _dimension_name(dimension: tuple[tuple[str, float], ...]) -> str:
    def power(name: str, exponent: float) -> str:
        return name if abs(exponent) == 1 else f"{name}^{abs(exponent):g}"

    up = [power(n, e) for n, e in dimension if e > 0]
    down = [power(n, e) for n, e in dimension if e < 0]
    return "/".join(["*".join(up) or ("1" if down else "number"), *down])


@lru_cache(maxsize=4096)
def make_unit(expression: str, kinds: tuple[tuple[str, str], ...] = ()) -> Unit:
    """Return the unit of a pint expression over canonical names."""
    registry = _registry()
    unit = registry.Unit(expression)
    scale: Any
    scale, base = registry.get_base_units(unit)
    factor = scale
    dimension = tuple(sorted((name.strip("[]"), float(str(e))) for name, e in base.dimensionality.items()))
    return Unit(_unit_text(unit), float(factor), dimension, MappingProxyType(dict(kinds)) if kinds else _NO_KINDS)


_PREFIX_SYMBOL = {
    "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "milli": "m",
    "micro": "u", "nano": "n", "pico": "p", "femto": "f", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti", "pebi": "Pi",
}  # fmt: skip


def _symbol(name: str) -> str:
    """Return the printed symbol of a canonical unit name: ``"terabyte"`` -> ``"TB"``."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    for prefix, letter in _PREFIX_SYMBOL.items():
        if name.startswith(prefix) and name[len(prefix) :] in SYMBOLS:
            return letter + {"byte": "B"}.get(name[len(prefix) :], SYMBOLS[name[len(prefix) :]])
    return name


def _unit_text(unit: pint.Unit) -> str:
    """Write a pint unit so that :func:`parse_unit` reads it back."""
    up: list[str] = []
    down: list[str] = []
    powers: list[tuple[str, Any]] = list(unit._units.items())
    for name, exponent in sorted(powers, key=lambda item: (-item[1], item[0])):
        power = "" if abs(exponent) == 1 else f"^{abs(exponent):g}"
        (up if exponent > 0 else down).append(_symbol(name) + power)
    for per in ("GPU", "node"):  # device time is written as people say it: "GPU-h", "$/GPU-h"
        for side in (up, down):
            if per in side and "h" in side:
                side[side.index(per)] = f"{per}-h"
                side.remove("h")
    return "/".join(["*".join(up) or ("1" if down else ""), *down])


# --- kinds -----------------------------------------------------------------------------------------------------------

_PRECISIONS = ["fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp6", "fp4", "int8", "int4", "mxfp8", "mxfp4", "nvfp4"]
# (words as written, category, kind). Longest first, so that "per direction" is not read as a division.
_KINDS: tuple[tuple[str, str, str], ...] = (
    (r"(?:with|w/)\s*(?:2:4\s*)?sparsity|sparse", "density", "sparse"),
    (r"(?:without|w/o|no)\s*sparsity|dense", "density", "dense"),
    (r"(?:per|each)[\s-]*(?:direction|dir|way)|/\s*(?:direction|dir)\b|uni-?directional|uni-?dir|one[\s-]way",
     "direction", "per direction"),
    (r"both[\s-]*(?:directions|ways)|bi-?directional|bi-?dir|duplex|two[\s-]way|round[\s-]trip",
     "direction", "both directions"),
    (r"p50|median", "statistic", "p50"),
    (r"p99\.9|p9[059]", "statistic", ""),  # the text itself is the kind
    (r"mean|avg|average", "statistic", "mean"),
    (r"facility|at[\s-]the[\s-]meter", "boundary", "facility"),
    (r"(?-i:IT)", "boundary", "IT"),
    (r"active", "parameters", "active"),
    (r"total", "parameters", "total"),
    (r"output|generated|decode", "token", "output"),
    (r"input|prompt|prefill", "token", "input"),
    ("|".join(_PRECISIONS), "precision", ""),
)  # fmt: skip
_KIND_PATTERNS = tuple(
    (re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.IGNORECASE), category, kind)
    for pattern, category, kind in _KINDS
)


def _take_kinds(text: str) -> tuple[str, dict[str, str]]:
    """Split the kinds off a unit text: ``"TFLOP/s bf16 dense"`` -> ``("TFLOP/s", {...})``."""
    kinds: dict[str, str] = {}
    for pattern, category, kind in _KIND_PATTERNS:
        found = pattern.search(text)
        if found:
            kinds[category] = kind or found.group().lower()
            text = text[: found.start()] + " " + text[found.end() :]
    return text, kinds


def merge_kinds(a: Mapping[str, str], b: Mapping[str, str], doing: str) -> Mapping[str, str]:
    """Return the kinds of a sum; raise when they contradict each other."""
    if not a and not b:
        return _NO_KINDS
    for category in a.keys() & b.keys():
        if a[category] != b[category]:
            raise UnitError(
                f"Cannot {doing} a quantity that is '{a[category]}' and one that is '{b[category]}' ({category}): "
                f"{_KIND_COST.get(category, 'they mean different things')}. Convert one of them first."
            )
    return MappingProxyType({**a, **b})


_KIND_COST = {
    "density": "a 2:4-sparse peak is twice the dense one",
    "direction": "both directions together are twice one direction",
    "statistic": "percentiles and means do not add",
    "boundary": "facility energy is IT energy times PUE",
    "parameters": "a mixture-of-experts model computes with its active parameters only",
    "token": "input and output tokens differ in price and in time",
    "precision": "the peak depends on the number format",
}


# --- reading units ---------------------------------------------------------------------------------------------------

_CO2 = re.compile(
    r"(?<![A-Za-z])(k|M|m)?(g|t|tonnes?|tons?)[\s-]*(?:of\s+)?CO[2₂](?:[\s-]*e(?:q(?:uivalent)?)?)?(?![A-Za-z])"
)
_TRANSLATE = str.maketrans({
    "µ": "u", "μ": "u", "·": "*", "×": "*", "⋅": "*", "•": "*", "−": "-", "–": "-", "⁻": "-", "²": "^2", "¹": "1",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "₂": "2", "／": "/",
})  # fmt: skip
_TERM = re.compile(
    r"(?P<name>US\$|[kMm]?[gt]CO2e|[A-Za-z]+[$€£₹]?|[$€£¥₹%¢°]+[A-Za-z]*|1)(?:\^?\(?(?P<power>-?[1-9])\)?)?$"
)

_FACTOR = re.compile(r"\d{1,3}(?:,\d{3}){1,4}|10\^\d{1,2}|\d{1,15}(?:e\d{1,2})?")


def _one_unit(word: str, whole: str) -> str:
    """Return the canonical name of one spelled unit."""
    # Alone, "7 B" is 7 bytes or 7 billion; in "B/s" or "B/token" it can only be bytes.
    exact = spellings().get(word) or ("byte" if word == "B" and re.search(r"[/*]", whole) else None)
    if exact:
        return exact
    readings = AMBIGUOUS.get(word)
    if not readings:
        candidates = spellings_by_case().get(word.casefold(), frozenset())
        meanings = {spellings().get(c) for c in candidates}
        if len(meanings) == 1 and None not in meanings:
            return next(iter(meanings)) or ""
        readings = tuple(
            f"{c} ({describe(make_unit(spellings()[c]).dimension_name)})"
            for c in sorted(candidates)
            if c in spellings()
        )
        for c in sorted(candidates):
            readings = readings or AMBIGUOUS.get(c, ())
    if readings:
        raise UnitError(f"'{word}' is ambiguous in {shorten(whole)}: it could mean {either(readings)}. Write which.")
    raise UnitError(_unknown_unit(word, whole))


def either(readings: Iterable[str]) -> str:
    """Join readings for a message: "a, b or c"."""
    items = list(readings)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " or " + items[-1]


@lru_cache(maxsize=1024)  # a wrong unit mostly stands in many cells
def _unknown_unit(word: str, whole: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(spellings()), n=2, cutoff=0.6)
    hint = f" Did you mean {either(repr(c) for c in close)}?" if close else " For example: GB, GiB, TB/s, TFLOP/s, ms."
    return f"{shorten(word, 30)} is not a unit MLSIM knows (in {shorten(whole)}).{hint}"


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """Read a unit such as ``"TB/s"``, ``"$/GPU-h"``, ``"gCO2e/kWh"`` or ``"TFLOP/s bf16 dense"``.

    Raises
    ------
    UnitError
        When a part is unknown, or could mean two things; the message offers the readings.
    """
    if len(text) > MAX_TEXT:
        raise UnitError(f"A unit is a few characters long; this text has {len(text):,}: {shorten(text)}.")
    body = unicodedata.normalize("NFC", text).translate(_TRANSLATE)
    body = re.sub(r"CO2[\s-]*eq(uivalent)?", "CO2e", body)
    body = _CO2.sub(lambda m: f" {m[1] or ''}{'g' if m[2] == 'g' else 't'}CO2e ", body)
    body = re.sub(r"/\s*(?=(?:direction|dir)\b)", " per ", body)
    body, kinds = _take_kinds(body)
    body = re.sub(r"(?<=OP)s(?=\s*(?:/|per\b))", "", body)  # "TFLOPs/s" can only be a rate
    body = re.sub(r"(?<=[\s/])(\d+)([kMBT])(?=\s+[A-Za-z])", r"\1 \2", body)  # "$/1M tokens"
    body = re.sub(r"\bper\s+(million|billion|thousand)\b", r"/ \1", body)
    body = re.sub(r"(?<=[A-Za-z$€£\s])-?\bper\b-?", "/", body)
    body = re.sub(r"/\s*\(([^()/]+)/([^()/]+)\)", r" * \2 / \1", body)  # "GB/($/h)": GB h for a dollar
    body = re.sub(r"[()\[\],]", " ", body).strip(" .")
    if not body:
        return make_unit("", tuple(sorted(kinds.items())))
    if re.search(r"//|/$|\*\*|\*$", body.replace(" ", "")):
        raise UnitError(f"{shorten(text)} is not a unit: a part is missing beside '/' or '*'.")
    expression: list[str] = []
    scale = 1.0
    for i, part in enumerate(body.split("/")):
        # A hyphen, a dot or a space binds tighter than the slash: "$/GPU-h" is dollars per (GPU hour).
        words = [w for w in re.split(r"[\s*]+|(?<=[A-Za-z])-(?=[A-Za-z])", part.strip()) if w]
        if i == 0 and not words:
            words = ["1"]
        for j, word in enumerate(words):
            sign = -1 if i else 1
            if word in MAGNITUDES and j + 1 < len(words) and is_counted(words[j + 1]):
                scale *= MAGNITUDES[word] ** sign
                continue
            if word != "1" and _FACTOR.fullmatch(word):  # "per 1,000 tokens", "8 × 80 GB"
                factor = float(word.replace(",", "").replace("10^", "1e"))
                if not factor:
                    raise UnitError(f"{shorten(text)} is not a unit: it holds a 0.")
                scale *= factor**sign
                continue
            match = _TERM.match(word)
            if not match:
                raise UnitError(_unknown_unit(word, text))
            if match["name"] == "1":
                continue
            power = int(match["power"] or 1) * sign
            expression.append(f"({_one_unit(match['name'], text)})**{power}")
    unit = make_unit("*".join(expression), tuple(sorted(kinds.items())))
    if scale != 1.0:
        unit = Unit(" ".join(body.split()), unit.factor * scale, unit.dimension, unit.kinds)
    return unit


def is_counted(word: str) -> bool:
    """Tell whether a magnitude may stand before ``word``: tokens, parameters, requests, money."""
    word = word.strip("()")
    return spellings().get(word, "") in _COUNTED


_COUNTED = frozenset(
    (
        "token",
        "parameter",
        "request",
        "sample",
        "device",
        "flop",
        "op",
        "mac",
        "user",
        "step",
        *map(str.lower, CURRENCIES),
    )
)
