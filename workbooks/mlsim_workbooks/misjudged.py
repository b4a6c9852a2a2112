"""What the embedded engine is known to get wrong, as tables: such a formula is left alone.

The cases come from comparing IronCalc 0.9.1 with LibreOffice and with Excel's documentation, function by function
(tests/workbooks/test_functions_agree.py). Some show in the text of a formula, the others only in the values it meets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

__all__ = ["COMPARISONS", "drops_brackets", "excluded", "last_step", "lookup", "misjudged", "misjudges_constant"]

COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>"})

Judge = Callable[[Sequence[str]], bool]
"""Whether the engine gets a call wrong, by the texts of its arguments, in which "\\x01" stands for a reference."""


class Token(Protocol):
    """A piece of a formula (`mlsim_workbooks.formulas.Token`)."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


# --- calls, by their text ----------------------------------------------------------------------------------------------

_RANGE = r"[:\x02\x03]"


def _always(_: Sequence[str]) -> bool:
    return True


def _has(pattern: str, *at: int) -> Judge:
    """Judge by a pattern in some arguments, or in any."""
    find = re.compile(pattern).search
    return lambda args: any(find(arg) for i, arg in enumerate(args) if not at or i in at)


def _is(pattern: str, *at: int) -> Judge:
    """Judge by a pattern that an argument matches as a whole, blanks aside."""
    return _has(rf"^\s*(?:{pattern})\s*$", *at)


def _unless(pattern: str, *at: int) -> Judge:
    """Judge by arguments, some or all, of which one does not match a pattern as a whole."""
    match = re.compile(rf"\s*(?:{pattern})\s*").fullmatch
    return lambda args: any(not match(arg) for i, arg in enumerate(args) if not at or i in at)


def _worked_out(*at: int) -> Judge:
    """Judge by arguments, some or all, that may be an array without being the range of one."""
    plain = re.compile(r"[\w.$'!:\x01\x02\x03 ]*").fullmatch
    return lambda args: any(
        bool(re.search(r"[:\x02\x03{(]", arg)) and not plain(arg) for i, arg in enumerate(args) if not at or i in at
    )


def _either(*judges: Judge) -> Judge:
    return lambda args: any(judge(args) for judge in judges)


_CRITERION = re.compile(
    r'\s*"(?:(?:<=|>=|<(?!>)|>)[^\d.,+\-=<>"\s][^"]*'  # orders by the code of letters
    r"|[^\"]*~(?![*?])[^\"]*"  # an escaped letter
    r"|(?:<>|<=|>=|=|<|>)?\s*[+-]?[$\d.,%]*[$%][$\d.,%]*\s*"  # "$5", "500%"
    r'|(?:<>|<=|>=|=|<|>)\s+[^"]*|[^"]*\d\s+)"\s*'  # "> 3"
    r"|\s*\{.*",
    re.DOTALL,
)
_NO_WORD = re.compile(r'\s*"<>(?:"\s*&.*|[^\d.,+\-=<>"\s][^"]*"\s*)', re.DOTALL)
_FIRST = {
    **dict.fromkeys(["AVERAGEIF", "COUNTIF", "COUNTIFS", "SUMIF"], 0), **dict.fromkeys(["AVERAGEIFS", "MAXIFS", "MINIFS", "SUMIFS"], 1),
}  # fmt: skip


def excluded(name: str, args: Sequence[str]) -> list[int]:
    """Return the ranges, by argument, of a call with a criterion such as "<>x", for which the engine counts texts alone."""
    start = _FIRST.get(name, len(args))
    return [i - 1 for i in range(start + 1, len(args), 2) if _NO_WORD.fullmatch(args[i])]


def _criteria(first: int) -> Judge:
    """Judge by the criteria of COUNTIF and its like: the argument ``first`` and every second one after it."""
    return lambda args: any(_CRITERION.fullmatch(arg) for arg in args[first::2])


def _sizes(args: Sequence[str]) -> bool:
    """Tell whether SUMIF adds up a range of another size than it looks at."""
    return len(args) == 3 and bool(re.search(_RANGE, args[0])) and not re.search(r"[:(\x02\x03]", args[2])


def _repeats(args: Sequence[str]) -> bool:
    """Tell whether a look-up goes through an array constant in which a value occurs twice."""
    items = re.split("[,;]", args[1].strip(" {}")) if len(args) > 1 and "{" in args[1] else []
    return len(set(items)) < len(items)


# The formats of TEXT that were compared: plain numbers, with a sign, a currency, a unit or a percent sign, and dates
# and times without seconds.
_LITERAL = r'(?:"[^"]*"|\\.|_.|[ $+()-])'
_DIGITS = rf"(?:\[(?:Red|Blue|Green|Black|White|Cyan|Magenta|Yellow|Color\d+)\])?{_LITERAL}*[#0?][#0?,]*(?:\.[#0?]+)?,*(?:{_LITERAL}|%|\.)*"
_FORMAT = re.compile(
    rf"(?!-){_DIGITS}(?:;{_DIGITS}){{0,2}}"  # "-0" writes one sign too few
    r"|0+(?:-0+)+|# ##0|#'##0"
    r'|(?:[ymdh]|\[hh?\]|AM/PM|[-/., :]|"[^"]*"|\\.)+',
    re.IGNORECASE,
)


def _format(args: Sequence[str]) -> bool:
    """Tell whether TEXT has a literal format that the engine does not write as Excel does."""
    found = re.fullmatch(r'\s*"(.*)"\s*', args[1], re.DOTALL) if len(args) == 2 else None
    return found is not None and not _FORMAT.fullmatch(found[1].replace('""', '"'))


_TEMPERATURES = r'"(?:C|cel|F|fah|K|kel|Rank|Reau)"'
_FEW = r"\d{1,4}"
_TRUTH = r"TRUE(?:\(\))?|FALSE(?:\(\))?"

_WRONG = ", which the engine gets wrong"
_ROUGH = ", which the engine works out in another way than Excel"
_ENDLESS = ", which may bring the engine down unless its sizes are small numbers"

MISJUDGED: dict[str, tuple[Judge, str]] = {
    **dict.fromkeys(["INFO", "MAXA", "MINA", "MODE", "MODE.SNGL", "MODE.MULT", "PROB", "SECOND", "SHEET", "SHEETS"], (_always, _WRONG)),
    **dict.fromkeys(
        [
            "BESSELI", "BESSELJ", "BESSELK", "BESSELY", "IMCOS", "IMCOSH", "IMCOT", "IMCSC", "IMCSCH", "IMEXP", "IMLN", "IMLOG10",
            "IMLOG2", "IMPOWER", "IMSEC", "IMSECH", "IMSIN", "IMSINH", "IMSQRT", "IMTAN",
        ],
        (_always, _ROUGH),
    ),
    **dict.fromkeys(["SUMX2MY2", "SUMX2PY2", "SUMXMY2", "GCD", "LCM"], (_has(r"[\x01\x02\x03]"), f" over cells{_WRONG}")),
    **dict.fromkeys(["LINEST", "LOGEST", "TREND", "GROWTH"], (_has(r"\{"), f" with an array constant{_WRONG}")),
    **dict.fromkeys(["EXPAND", "WRAPROWS", "WRAPCOLS"], (_unless(f"{_FEW}|", 1, 2), _ENDLESS)),
    **dict.fromkeys(["RANK", "RANK.EQ", "RANK.AVG"], (_is(_TRUTH, 2), f" with TRUE or FALSE as its order{_WRONG}")),
    **dict.fromkeys(["AND", "OR", "XOR"], (_is('".*"'), f" with a text among its arguments{_WRONG}")),
    **dict.fromkeys(
        [
            "AVEDEV", "AVERAGEA", "DEVSQ", "GEOMEAN", "HARMEAN", "KURT", "MEDIAN", "SKEW", "SKEW.P", "STDEV",
            "STDEV.P", "STDEV.S", "STDEVA", "STDEVP", "STDEVPA", "SUMSQ", "VAR", "VAR.P", "VAR.S", "VARA", "VARP", "VARPA",
        ],
        (_is(rf'".*"|{_TRUTH}'), f" with a text or a truth value among its arguments{_WRONG}"),
    ),
    "NPV": (
        _either(_is(rf'".*"|{_TRUTH}'), _worked_out()), f" with a text, a truth value or an array among its arguments{_WRONG}",
    ),
    "COUNT": (_either(_worked_out(), _is(r'".*\d[/:-].*"')), f" over an array that is no range, or a date as a text{_WRONG}"),
    "XLOOKUP": (_worked_out(1, 2), f" in an array that is no range{_WRONG}"),
    **dict.fromkeys(["COUNTIF", "COUNTIFS"], (_criteria(1), f" with a criterion of this kind{_WRONG}")),
    **dict.fromkeys(["SUMIFS", "AVERAGEIFS", "MAXIFS", "MINIFS"], (_criteria(2), f" with a criterion of this kind{_WRONG}")),
    **dict.fromkeys(
        ["SUMIF", "AVERAGEIF"],
        (_either(_criteria(1), _sizes), f" with ranges of different sizes or a criterion of this kind{_WRONG}"),
    ),
    "BASE": (_unless(_FEW, 2), _ENDLESS),
    "COMBINA": (_unless(_FEW), _ENDLESS),
    "DATE": (_is("0|1900", 0), f" in the year 1900{_WRONG}"),
    "LOOKUP": (_repeats, f" in a constant that repeats itself{_WRONG}"),
    "CONVERT": (
        _either(_is(_TEMPERATURES, 1, 2), _unless('".*"', 1, 2)), f" between temperatures, or units from cells{_WRONG}",
    ),
    "MATCH": (_either(_has("-", 2), _repeats), f" in descending order or in a constant that repeats itself{_WRONG}"),
    "TEXT": (_format, f" with a format of this kind{_WRONG}"),
    "WORKDAY": (_has(_RANGE, 2), f" with a range of holidays{_WRONG}"),
    "WORKDAY.INTL": (_has(_RANGE, 3), f" with a range of holidays{_WRONG}"),
}  # fmt: skip
"""By function: which of its calls the engine gets wrong, and how the sentence goes on."""

# Functions that take an empty argument (``MATCH(1,A1:A3,)``) as Excel does; the others ignore it or take it otherwise.
_TAKE_EMPTY = frozenset(
    {
        "CHOOSE", "CONCAT", "CONCATENATE", "DATE", "DROP", "FILTER", "FIND", "FV", "HLOOKUP", "IF", "IFERROR", "IFNA", "IFS", "INDEX",
        "IPMT", "LAMBDA", "LEFT", "LET", "LOG", "MATCH", "MAX", "MIN", "MOD", "NPER", "OFFSET", "PMT", "POWER", "PPMT", "PRODUCT", "PV",
        "RANK", "RATE", "RIGHT", "ROUND", "SEQUENCE", "SUBSTITUTE", "SUM", "SWITCH", "TEXTJOIN",
        "TRUNC", "UNIQUE", "VLOOKUP", "WEEKDAY", "XLOOKUP",
    }
)  # fmt: skip

_NO_CONSTANT = frozenset({"CHOOSE", "COUNTIF", "COUNTIFS"})
"""Functions that give nonsense for an array constant."""


def misjudged(name: str, args: Sequence[str]) -> str:
    """Return why the engine is not trusted with a call; the sentence goes on from the cell's name."""
    judge, why = MISJUDGED.get(name, (None, ""))
    if judge is not None and judge(args):
        return f"uses {name}(){why}"
    if len(args) > 1 and name not in _TAKE_EMPTY and not all(arg.strip() for arg in args):
        return f"uses {name}() with an empty argument, which the engine may take in another way than Excel"
    return ""


def misjudges_constant(around: Sequence[str], mapped: Collection[str], array: bool) -> str:
    """Return the function in which an array constant goes wrong: "" for none.

    Parameters
    ----------
    around : sequence of str
        The functions around the constant, the outermost first; "" for a bracket.
    mapped : collection of str
        Functions of single values, which hand an array on to the function around them.
    array : bool
        Whether it is an array formula; in another one an array that nothing takes is cut down to its first value.
    """
    for name in reversed(around):
        if name in _NO_CONSTANT:
            return name
        if name and name not in mapped:
            return ""
    return "" if array else next((name for name in around if name), "=")


# --- operators -----------------------------------------------------------------------------------------------------

_LEVELS = {**dict.fromkeys(COMPARISONS, 1), "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5}


def _operators(toks: Sequence[Token], start: int, end: int) -> list[tuple[int, str]]:
    """Return (index, operator) of the operators between two operands, outside all brackets."""
    found, depth, operand = [], 0, False
    for i in range(start, end):
        token = toks[i]
        if token.kind == "space":
            continue
        if token.kind == "func" or token.text in ("(", "{"):
            depth, operand = depth + 1, False
        elif token.text in (")", "}"):
            depth, operand = depth - 1, True
        elif token.kind == "op" and token.text in _LEVELS:
            if depth == 0 and operand:
                found.append((i, token.text))
            operand = False
        else:
            operand = True
    return found


def last_step(toks: Sequence[Token]) -> str:
    """Return the operator of the last step of a formula, "" where there is none."""
    return min((text for _, text in _operators(toks, 0, len(toks))), key=lambda text: _LEVELS[text], default="")


def drops_brackets(toks: Sequence[Token]) -> bool:
    """Tell whether the engine loses brackets that matter: it reads ``(A1-A2)%`` as ``A1-A2%``."""
    pairs, stack = [], []
    for i, token in enumerate(toks):
        if token.kind == "func" or token.text in ("(", "{"):
            stack.append(i)
        elif token.text in (")", "}") and stack:
            start = stack.pop()
            if toks[start].kind != "func" and token.text == ")":
                pairs.append((start, i))
    return any(_matters(toks, start, end) for start, end in pairs)


def _matters(toks: Sequence[Token], start: int, end: int) -> bool:
    first, last = start + 1, end
    while inner := _single(toks, first, last):  # ((A1>0))
        first, last = inner
    level = min((_LEVELS[text] for _, text in _operators(toks, first, last)), default=9)
    before = [t for t in toks[:start] if t.kind != "space"]
    after = next((t.text for t in toks[end + 1 :] if t.kind != "space"), "")
    texts = {t.text for t in before[-1:]} | {after}
    signs = 0
    while before and before[-1].text in ("+", "-"):
        signs += 1
        before.pop()
    ahead = before[-1].text if before else ""
    signed = signs > 1 or (
        signs == 1 and (not ahead or ahead in _LEVELS or ahead in "(,;{" or before[-1].kind == "func")
    )
    return (
        (after == "%" and level < 9)
        or (level == 1 and ("&" in texts or (not signs and ahead in COMPARISONS)))
        or (level == 2 and not texts.isdisjoint("+-*/"))
        or (
            level in (4, 5)
            and signed
            and (after == "^" or ahead in ("/", "(") or any(t.text == "^" for t in toks[first:last]))
        )
    )


def _single(toks: Sequence[Token], first: int, last: int) -> tuple[int, int] | None:
    """Return the inside of a bracket that is all there is between two places."""
    while first < last and toks[first].kind == "space":
        first += 1
    while first < last and toks[last - 1].kind == "space":
        last -= 1
    if last - first < 3 or toks[first].kind == "func" or toks[first].text != "(":
        return None
    depth = 0
    for i in range(first, last):
        depth += toks[i].kind == "func" or toks[i].text in ("(", "{")
        depth -= toks[i].text in (")", "}")
        if depth == 0:
            return (first + 1, last - 1) if i == last - 1 else None
    return None


# --- look-ups that go by order -------------------------------------------------------------------------------------

_EXACTLY = re.compile(r"\s*(?:0|FALSE(?:\(\))?|)\s*", re.IGNORECASE)
_HUGE = re.compile(r"\s*\d\.?\d*[eE]\+?30\d\s*")  # MATCH(9E+307,A:A): the last number, in whatever order


def lookup(name: str, args: Sequence[str]) -> str:
    """Return how a look-up goes through its second argument: "down", "across", or "either"; "exact" after an exact key.

    "" stands for a call that looks nothing up, or whose result does not depend on the order.
    """
    last = {"MATCH": 2, "VLOOKUP": 3, "HLOOKUP": 3, "LOOKUP": 9}.get(name)
    if last is None or len(args) < 2 or _HUGE.fullmatch(args[0]):
        return ""
    way = {"VLOOKUP": "down", "HLOOKUP": "across"}.get(name, "either")
    if len(args) > last and _EXACTLY.fullmatch(args[last]):
        return f"{way} exact" if way != "either" else ""
    return way
