"""Numbers as text, the way Excel writes them: at most 15 digits, halves rounded away from zero.

The embedded engine joins and formats numbers with 17 binary digits (``0.1+0.2&""``). So what it would turn into text is
handed out as if it were a call of MLSIM, and comes back as text. In the same way a number that it counts up to, step by
step (``FACT(1E9)``), is looked at before.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from mlsim_workbooks import formulas as fx

__all__ = ["FUNCTIONS", "Unsure", "as_text", "is_too_long", "rewritten", "rounded", "shortened"]

TEXT, ROUND, COUNT = "MLSIM__TEXT", "MLSIM__ROUND", "MLSIM__COUNT"
_SMALLEST = 1e-4  # below, whether Excel writes 0.00001 or 1E-05 depends on the digits
_LARGEST = 1e15
_LONG = re.compile(r"\d*\.\d{10,}|\d{16,}")

# Functions that read text, and which of their arguments (none given: all).
_READS_TEXT: dict[str, tuple[int, ...]] = {
    "CONCATENATE": (), "CONCAT": (), "TEXTJOIN": (), "EXACT": (0, 1), "FIND": (0, 1), "LEFT": (0,), "LEN": (0,), "LOWER": (0,),
    "MID": (0,), "PROPER": (0,), "REPLACE": (0, 3), "REPT": (0,), "RIGHT": (0,), "SEARCH": (0, 1), "SUBSTITUTE": (0, 1, 2),
    "TRIM": (0,), "UPPER": (0,),
}  # fmt: skip
_GIVES_TEXT = frozenset(
    {
        "ADDRESS", "CHAR", "CLEAN", "CONCAT", "CONCATENATE", "DOLLAR", "FIXED", "LEFT", "LOWER", "MID", "PROPER", "REPLACE", "REPT",
        "RIGHT", "SUBSTITUTE", "TEXT", "TEXTJOIN", "TRIM", "UNICHAR", "UPPER",
    }
)  # fmt: skip
# Functions that the engine works out step by step, or in memory: how far the arguments may go that say how many.
_STEPS = 1e6
_COUNTS: dict[str, dict[int, float]] = {
    "FACT": {0: _STEPS}, "FACTDOUBLE": {0: _STEPS}, "MULTINOMIAL": dict.fromkeys(range(255), _STEPS), "MUNIT": {0: 2e3},
    "BESSELI": {1: _STEPS}, "BESSELJ": {1: _STEPS}, "BESSELK": {1: _STEPS}, "BESSELY": {1: _STEPS},
    "DB": {2: _STEPS, 3: _STEPS}, "VDB": {2: _STEPS, 3: _STEPS, 4: _STEPS},
    "T.INV": {1: _STEPS}, "T.INV.2T": {1: _STEPS}, "TINV": {1: _STEPS},
    "SEQUENCE": {0: 1e5, 1: 1e2}, "MAKEARRAY": {0: 1e5, 1: 1e2}, "RANDARRAY": {0: 1e5, 1: 1e2},
}  # fmt: skip
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>"})


class Unsure(Exception):
    """A number whose text in Excel is not known for certain; the message continues "Sheet1!B3 ..."."""


# --- values --------------------------------------------------------------------------------------------------------


def as_text(value: Any) -> Any:
    """Return what Excel joins for a value: ``0.1+0.2`` is "0.3", TRUE is "TRUE", an empty cell is "".

    Raises
    ------
    Unsure
        For a number other than 0 below 0.0001.
    """
    if isinstance(value, list):
        return [[as_text(cell) for cell in row] for row in value]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, (int, float)):
        return value
    size = abs(value)
    if size == 0:
        return "0"
    if size < _SMALLEST:
        raise Unsure(f"turns {value:.6g} into text, which Excel may write in another way")
    if size < _LARGEST:
        return f"{value:.15g}"
    mantissa, _, exponent = f"{value:.14E}".partition("E")
    digits = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{digits}E+{int(exponent):02}"


def rounded(value: Any, digits: Any) -> Any:
    """Round a number before it is formatted: to 15 digits, then to decimals, halves away from zero."""
    if isinstance(value, list):
        return [[rounded(cell, digits) for cell in row] for row in value]
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if value is None:
        return 0.0
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return value
    with localcontext() as context:
        context.prec = 400
        step = Decimal(1).scaleb(-int(digits))
        return float(Decimal(f"{value:.15g}").quantize(step, rounding=ROUND_HALF_UP))


def counted(value: Any, furthest: float) -> Any:
    """Return a number that the engine counts up to, step by step.

    Raises
    ------
    Unsure
        When it would not come back.
    """
    if isinstance(value, (int, float)) and abs(value) > furthest:
        raise Unsure(f"counts up to {value:g}, too far for the engine")
    return 0.0 if value is None else value


FUNCTIONS: dict[str, Callable[..., Any]] = {TEXT: as_text, ROUND: rounded, COUNT: counted}
"""What answers the calls that `rewritten` puts into formulas."""


def is_too_long(text: str) -> bool:
    """Tell whether a text holds a number of more than 15 digits, which Excel would never have made."""
    return any(len(found.replace(".", "").lstrip("0")) > 15 for found in _LONG.findall(text))


# --- formulas ------------------------------------------------------------------------------------------------------


def rewritten(formula: str, array: bool = False) -> tuple[str, bool]:
    """Return a formula with calls around what becomes text, and whether something else may become text in it.

    In an array formula a range becomes text cell by cell.
    """
    if "&" not in formula and not _MAY_READ.search(formula):
        return formula, False
    if formula.count("(") > fx.MAX_DEPTH and _depth(formula) > fx.MAX_DEPTH:
        return formula, False  # it is refused later, for being so deep
    toks = fx.tokens(formula)
    inserts: list[tuple[int, str]] = []  # (index of the token before which it goes, text)
    loose = False
    for start, end, around, argument in _groups(toks):
        for first, last in _operands(toks, start, end, around, argument):
            if _is_text(toks, first, last):
                continue
            if _wraps(toks, first, last, array):
                inserts += [(first, f"{TEXT}("), (last, ")")]
            else:
                loose = True
        first, last = _trimmed(toks, start, end)
        furthest = _COUNTS.get(around, {}).get(argument)
        if furthest and first < last and _wraps(toks, first, last, array):
            inserts += [(first, f"{COUNT}("), (last, f",{furthest:.0f})")]
        if around == "TEXT" and argument == 0 and (digits := _decimals(toks, end)) is not None:
            inserts += [(start, f"{ROUND}("), (end, f",{digits})")]
    if not inserts:
        return formula, loose
    out: list[str] = []
    # At one place closing ones go first; of those opening at one place the outer group was seen later.
    placed: dict[int, tuple[list[str], list[str]]] = {}
    for at, text in inserts:
        closing, opening = placed.setdefault(at, ([], []))
        (opening if text.endswith("(") else closing).append(text)
    for i, token in enumerate([*toks, None]):
        closing, opening = placed.get(i, ([], []))
        out += [*closing, *reversed(opening)]
        if token is not None:
            out.append(token.text)
    return "".join(out), loose


_MAY_READ = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, {*_READS_TEXT, *_COUNTS, "TEXT"}))) + r")\(", re.I)


# Functions to which the empty rows below all others mean nothing; the engine would go through a million of them.
_CUT = frozenset(
    {
        "COUNT", "COUNTA", "LARGE", "LOOKUP", "MATCH", "MEDIAN", "PERCENTILE", "PERCENTILE.INC", "PRODUCT", "QUARTILE", "QUARTILE.INC",
        "RANK", "SMALL", "STDEV", "STDEV.P", "STDEV.S", "VAR", "VAR.P", "VAR.S", "VLOOKUP", "XLOOKUP", "XMATCH",
    }
)  # fmt: skip
_COLUMNS = re.compile(r"[A-Za-z]:\$?[A-Za-z]")


def shortened(formula: str, rows: int) -> str:
    """Return a formula whose whole columns end with the last row that is used, where that changes no result."""
    if not _COLUMNS.search(formula) or formula.count("(") > fx.MAX_DEPTH:
        return formula
    toks = fx.tokens(formula)
    texts = [token.text for token in toks]
    for start, end, around, _ in _groups(toks):
        first, last = _trimmed(toks, start, end)
        if around in _CUT and [t.kind for t in toks[first:last]] in (["cols"], ["sheet", "cols"]):
            left, right = texts[last - 1].split(":")
            texts[last - 1] = f"{left}$1:{right}${rows}"
    return "".join(texts)


def _depth(formula: str) -> int:
    """Return how many brackets are open at once, at most."""
    depth = most = 0
    for character in formula:
        depth += (character == "(") - (character == ")")
        most = max(most, depth)
    return most


def _groups(toks: list[fx.Token]) -> Iterator[tuple[int, int, str, int]]:
    """Yield (start, end, function around it, index of the argument) of every argument and bracket, inner ones first."""
    stack: list[tuple[str, int, int]] = [("", 0, 0)]  # function, index of the argument, where it starts
    for i, token in enumerate(toks):
        name, argument, start = stack[-1]
        if token.kind == "func":
            stack.append((fx.normalise(token.text), 0, i + 1))
        elif token.text in ("(", "{"):
            stack.append(("", 0, i + 1))
        elif token.text in (")", "}") and len(stack) > 1:
            yield start, i, name, argument
            stack.pop()
        elif token.kind == "op" and token.text in (",", ";"):
            yield start, i, name, argument
            stack[-1] = (name, argument + 1, i + 1)
    name, argument, start = stack[0]
    yield start, len(toks), name, argument


def _operands(toks: list[fx.Token], start: int, end: int, around: str, argument: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a group that become text: what is joined, and what a function reads as text."""
    cuts, joins, depth = [start - 1], [], 0
    for i in range(start, end):
        token = toks[i]
        if token.kind == "func" or token.text in ("(", "{"):
            depth += 1
        elif token.text in (")", "}"):
            depth -= 1
        elif depth == 0 and token.kind == "op" and token.text in _COMPARISONS:
            cuts.append(i)
        elif depth == 0 and token.kind == "op" and token.text == "&":
            joins.append(i)
    cuts.append(end)
    for left, right in itertools.pairwise(cuts):
        inside = [i for i in joins if left < i < right]
        if inside:
            marks = [left, *inside, right]
            yield from (_trimmed(toks, a + 1, b) for a, b in itertools.pairwise(marks))
    if not joins and len(cuts) == 2 and around in _READS_TEXT and argument in (_READS_TEXT[around] or (argument,)):
        first, last = _trimmed(toks, start, end)
        if first < last:
            yield first, last


def _trimmed(toks: list[fx.Token], first: int, last: int) -> tuple[int, int]:
    while first < last and toks[first].kind == "space":
        first += 1
    while first < last and toks[last - 1].kind == "space":
        last -= 1
    return first, last


def _is_text(toks: list[fx.Token], first: int, last: int) -> bool:
    """Tell whether a stretch is text already: a literal, an empty argument, or one call of a function that gives text."""
    if last - first <= 1:
        return first == last or toks[first].kind in ("string", "error")
    if toks[first].kind != "func" or fx.normalise(toks[first].text) not in _GIVES_TEXT:
        return False
    depth = 0
    for i in range(first, last):
        if toks[i].kind == "func" or toks[i].text in ("(", "{"):
            depth += 1
        elif toks[i].text in (")", "}"):
            depth -= 1
            if depth == 0:
                return i == last - 1
    return False


def _wraps(toks: list[fx.Token], first: int, last: int, array: bool) -> bool:
    """Tell whether a stretch can be handed out: no variable of LET, and no range where one value is due."""
    depth = 0
    for i in range(first, last):
        token = toks[i]
        if token.text.lower().startswith("_xlpm.") or token.kind == "struct":
            return False
        is_range = token.text in (":", "{", "\x02", "\x03") or token.kind in ("cols", "rows")
        if is_range and depth == 0 and not array:
            return False
        if token.kind == "func" or token.text in ("(", "{"):
            depth += 1
        elif token.text in (")", "}"):
            depth -= 1
    return depth == 0


# --- the format of TEXT --------------------------------------------------------------------------------------------

_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def _decimals(toks: list[fx.Token], at: int) -> int | None:
    """Return how many decimals the format behind the token ``at`` (a comma) shows; None where it is no plain number."""
    rest = [token for token in toks[at : at + 4] if token.kind != "space"]
    if len(rest) < 3 or rest[0].text != "," or rest[1].kind != "string" or rest[2].text != ")":
        return None
    found = {_decimals_of(section) for section in rest[1].text[1:-1].replace('""', '"').split(";") if section}
    return found.pop() if len(found) == 1 else None


def _decimals_of(section: str) -> int | None:
    plain = _QUOTED.sub("", section)
    if not re.search(r"[0#?]", plain) or re.search(r"[a-zA-Z@/]", plain.replace("x", "")):
        return None
    _, _, behind = plain.partition(".")
    scaled = re.search(r"[0#?](,+)[^0#?,]*$", plain)
    return len(re.findall(r"[0#?]", behind)) + 2 * plain.count("%") - 3 * (len(scaled[1]) if scaled else 0)
